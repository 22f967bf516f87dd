/*
 * Which dead letters a request means: the arguments of a query, or the members of a body. Private.
 */
#ifndef HERALD_SRC_ADMIN_FILTER_H
#define HERALD_SRC_ADMIN_FILTER_H

#include "admin/admin.h"

/* As a request gives it. What is NULL or 0 is missing. Ids are texts, since many readers of JSON
 * keep only 53 bits of a number. */
struct herald__admin_filter {
	const char *kind; /* "event", "delivery"; missing: both */
	const char *id;
	const char *queue;
	const char *event_type;
	const char *source;
	const char *event_id;
	const char *destination;
	const char *why; /* "failed" and so on */
	const char *after;
	int64_t from_ms;
	int64_t to_ms;
	uint64_t limit;
};

/* Read the query. Returns false after answering. */
bool herald__admin_filter_read(struct herald__admin_call *call, struct herald__admin_filter *out);

/* What the store calls it. Returns false after answering. */
bool herald__admin_filter_resolve(struct herald__admin_call *call,
				  const struct herald__admin_filter *filter,
				  struct herald_dead_filter *out);

/* Whether it may select all dead letters: kinds and times do not count. */
bool herald__admin_filter_is_empty(const struct herald__admin_filter *filter);

/* The number in a text such as "12"; false if it is not one, 0, or more than databases can have. */
bool herald__admin_id_read(const char *text, uint64_t *out);

#endif
