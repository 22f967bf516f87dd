/*
 * The query of a request to the dashboard. Private.
 */
#ifndef HERALD_SRC_ADMIN_QUERY_H
#define HERALD_SRC_ADMIN_QUERY_H

#include "admin/admin.h"

/* An argument of a query: a `const char *` of a struct, or a number of 64 bits. */
struct herald__admin_argument {
	const char *name;
	size_t offset;
	bool is_number;
	uint64_t min; /* of a number; 0 would mean that there is none */
};

/* Read the query into a zeroed struct. Texts are in the call's arena. Returns false after
 * answering: an argument is unknown, a number is wrong, or out of memory. */
bool
herald__admin_query_read(struct herald__admin_call *call,
			 const struct herald__admin_argument *arguments, size_t count, void *out);

#endif
