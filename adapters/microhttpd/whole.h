/*
 * Private to the libmicrohttpd adapter: whether libmicrohttpd has told of a head all that there
 * was.
 */
#ifndef HERALD_MICROHTTPD_WHOLE_H
#define HERALD_MICROHTTPD_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

/* For herald__whole_begin(): the target has been decoded already, as in a daemon of the user's. */
#define HERALD__UNKNOWN_TARGET SIZE_MAX

/* How far a head has been found to be whole. All texts are the connection's. */
struct herald__whole {
	const char *method;
	const char *next; /* where the next header's name must begin */
	bool broken;
};

/* Whether to look at all: it depends on how libmicrohttpd works. */
bool herald__whole_is_needed(void);

/* The request line; `target_bytes` is the length of the target as it was sent. */
void herald__whole_begin(struct herald__whole *whole, struct MHD_Connection *connection,
			 const char *method, size_t target_bytes, const char *version);

/*
 * A header, in the order in which they were sent. Between name and value are the colon and blanks
 * only: without a colon libmicrohttpd refuses a line itself.
 */
static inline void
herald__whole_add(struct herald__whole *whole, const char *key, const char *value,
		  size_t value_bytes)
{
	whole->broken |= key != whole->next;
	whole->next = value + value_bytes + 2;
}

/* Whether nothing is missing, after the last header. */
bool herald__whole_end(const struct herald__whole *whole, struct MHD_Connection *connection);

#endif
