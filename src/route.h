/*
 * The route table: which route takes an event of a type and version, and through which upcasters. Built
 * once, then only read.
 */
#ifndef HERALD_SRC_ROUTE_H
#define HERALD_SRC_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/route.h>
#include <herald/status.h>

#include "statistics.h"

/* A route: what was declared, copied, and what the service adds. */
struct herald__route {
	struct herald_route declared;
	const struct herald_codec *codec; /* of declared.schema; set by the service */
	struct herald__counters counters; /* of the events that came in its own version */
};

/* An upcaster and where its result goes: to another upcaster, or else to the route. */
struct herald__upcast {
	struct herald_upcaster declared;
	const struct herald_codec *codec;  /* of declared.from_schema; set by the service */
	const struct herald__upcast *next; /* NULL: the last one */
	struct herald__route *route;       /* at the end of the chain */
	struct herald__counters counters;  /* of the events that begin here */
	size_t walk;                       /* while building: the walk that came by, from 1 */
};

/* How a version is matched; also the order in which a type's versions stand and are tried. */
enum herald__match {
	HERALD__MATCH_EXACT,
	HERALD__MATCH_PREFIX, /* "1.x" */
	HERALD__MATCH_ANY,
};

/* A version of one event type that is taken, by a route or by the first upcaster of a chain. */
struct herald__version {
	const char *event_type;
	const char *text; /* of "1.x" also the ".x"; "" for any */
	size_t bytes;     /* of the text, of "1.x" without the ".x" */
	enum herald__match match;
	struct herald__route *route;   /* of an upcaster: at the end of its chain */
	struct herald__upcast *upcast; /* NULL for a route */
};

/* The versions of one event type: a part of the table's array, in the order of herald__match. */
struct herald__type {
	const char *event_type;
	const struct herald__version *versions;
	size_t exact_count;
	size_t versions_count;
};

struct herald__route_table {
	struct herald__route *routes; /* in the order of the options */
	size_t routes_count;
	struct herald__upcast *upcasts; /* likewise */
	size_t upcasts_count;
	struct herald__route *catch_all;  /* NULL: there is none */
	struct herald__version *versions; /* sorted by type; the catch-all is not among them */
	size_t versions_count;
	struct herald__type *types;
	size_t types_count;
	uint32_t *slots; /* hash table by type, open addressing: index of the type + 1, or 0 */
	size_t slots_mask;
};

/*
 * Check routes and upcasters and build their table. Handlers are copied with their routes, but checked
 * by the service.
 *
 * arena   where everything is copied to; the table lives as long.
 * Errors  HERALD_BAD_SCHEMA, HERALD_BAD_OPTION, HERALD_NO_MEMORY; the table is then of no use.
 */
HERALD_MUST_CHECK enum herald_status
herald__route_table_init(struct herald__route_table *table, struct herald_arena *arena,
			 const struct herald_route *routes, size_t routes_count,
			 const struct herald_upcaster *upcasters, size_t upcasters_count,
			 struct herald_error *error);

/* Where an event goes. */
struct herald__target {
	struct herald__route *route;   /* NULL: nowhere */
	struct herald__upcast *upcast; /* the first one; NULL: the payload is the route's */
	enum herald_status status;     /* HERALD_OK, _UNKNOWN_TYPE, _UNKNOWN_VERSION */
};

/*
 * Find an event's target; the cost does not depend on the number of types. `version` NULL: it is not known
 * yet, and only a target that takes the event whatever its version is given.
 */
struct herald__target herald__route_table_find(const struct herald__route_table *table,
					       const char *event_type, const char *version);

#endif
