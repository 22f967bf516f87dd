/*
 * Headers set by users: which are allowed, and which take precedence.
 */
#ifndef HERALD_SRC_DELIVERY_HEADERS_H
#define HERALD_SRC_DELIVERY_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#include "base/user_header.h"
#include "delivery/url.h"

/* Returns what is wrong with a header, as "... has no name", or NULL. */
const char *herald__header_problem(const char *header);

/* Whether a header's name is known for secrets. */
bool herald__header_is_secret(const char *header);

/* Headers of the form "Name: value". */
struct herald__header_list {
	const char *const *headers;
	size_t count;
};

/* Merge two lists: the own headers, then the headers of `others` with other names. Writes pointers
 * to them to `out`, which must have room for all. Returns their number. */
size_t herald__headers_merge(const struct herald__header_list *own,
			     const struct herald__header_list *others, const char **out);

/* The headers for one origin, including those for all destinations, and its signer. */
struct herald__destination {
	char origin[HERALD__ORIGIN_BYTES]; /* as written by herald__url_check() */
	struct herald__header_list list;
	struct herald_signer *signer; /* NULL: none */
};

/* The headers for all destinations, in addition to Herald's own. */
struct herald__destinations {
	struct herald__destination others; /* all that are not in `all`; without an origin */
	struct herald__destination *all;
	size_t count; /* sorted by origin */
};

/*
 * Copy the headers of the options into the arena. The options must be resolved.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: an origin is not valid, with the option as the path.
 */
HERALD_MUST_CHECK enum herald_status
herald__destinations_read(const struct herald_deliverer_options *options,
			  const struct herald__url_rules *rules, struct herald_arena *arena,
			  struct herald__destinations *out, struct herald_error *error);

/* A destination by its origin, or the one for all other origins. */
const struct herald__destination *
herald__destinations_find(const struct herald__destinations *destinations, const char *origin);

#endif
