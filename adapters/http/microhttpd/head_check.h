/*
 * Checks whether libmicrohttpd has reported everything in a head. Private to the libmicrohttpd
 * adapter.
 */
#ifndef HERALD_ADAPTERS_HTTP_MICROHTTPD_HEAD_CHECK_H
#define HERALD_ADAPTERS_HTTP_MICROHTTPD_HEAD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <microhttpd.h>

/* How far a head has been checked. All texts are borrowed from the connection. */
struct herald__microhttpd_check {
	const char *method;
	const char *next; /* where the name of the next header must begin */
	bool broken;
};

/* Whether the check works with this version of libmicrohttpd. */
bool herald__microhttpd_check_is_needed(void);

/* The target of a request, up to its query, as libmicrohttpd has decoded it in place. */
static inline const char *
herald__microhttpd_check_target(const char *method)
{
	return method + strlen(method) + 1;
}

/* Whether the target is as it was sent: it had no escapes, and was not cut at a NUL. */
bool herald__microhttpd_target_is_whole(struct MHD_Connection *connection, const char *method,
					const char *version);

/* Whether a query has only what may be in a target. It has been decoded: what needs an escape is
 * seen, unless a later escape of another character in the same name or value makes up for it. The
 * version must be a valid one. */
bool herald__microhttpd_query_is_valid(struct MHD_Connection *connection, const char *method,
				       const char *version);

/* Begin after the request line. */
void herald__microhttpd_check_begin(struct herald__microhttpd_check *check, const char *method,
				    const char *version);

/*
 * Check the next header, in the order in which they were sent. Only the colon and blanks can be
 * between name and value, because libmicrohttpd refuses a line without a colon.
 */
static inline void
herald__microhttpd_check_add(struct herald__microhttpd_check *check, const char *key,
			     const char *value, size_t value_bytes)
{
	check->broken |= key != check->next;
	check->next = value + value_bytes + 2;
}

/* Whether nothing is missing after the last header. */
bool herald__microhttpd_check_end(const struct herald__microhttpd_check *check,
				  struct MHD_Connection *connection);

#endif
