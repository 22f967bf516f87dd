/*
 * Headers that users have sent along: which may be, and whose counts.
 */
#ifndef HERALD_CURL_HEADERS_H
#define HERALD_CURL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include <herald/arena.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#include "url.h"

#define HERALD__MAX_HEADERS 64

/* What is wrong with "Name: value", as "... has no name"; NULL: nothing. */
const char *herald__header_problem(const char *header);

/* Whether it is known to carry a secret, by its name. */
bool herald__header_is_secret(const char *header);

/* Whether both have the same name. */
bool herald__header_is_same(const char *a, const char *b);

/* The headers of one origin, those for all destinations among them. */
struct herald__destination {
	char origin[HERALD__HOST_BYTES]; /* as in struct herald__queued */
	struct curl_slist *headers;
};

/* What is sent to whom besides Herald's own. */
struct herald__destinations {
	struct curl_slist *headers; /* to all others; NULL for none */
	struct herald__destination *all;
	size_t count; /* sorted by origin */
};

/*
 * Copy the headers of the options, which have been resolved, into the arena.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: an origin is not valid, with the option as the path.
 */
HERALD_MUST_CHECK enum herald_status
herald__destinations_read(const struct herald_deliverer_options *options,
			  const struct herald__url_rules *rules, struct herald_arena *arena,
			  struct herald__destinations *out, struct herald_error *error);

/* The headers for a destination: those of its origin, or those for all. */
struct curl_slist *
herald__destinations_find(const struct herald__destinations *destinations, const char *origin);

#endif
