/*
 * The route table: which route takes an event of a type and version, and through which upcasters.
 * Read-only once built.
 */
#ifndef HERALD_SRC_SERVICE_ROUTE_H
#define HERALD_SRC_SERVICE_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/route.h>
#include <herald/status.h>

#include "service/statistics.h"
#include "json/reader/pointer.h"

/* A member on the way to a key. */
struct herald__key_step {
	const struct herald_field *field;
	size_t shift; /* where the flat struct that has the member begins; 0: in none */
};

/* Where the key of an event is in its payload, as it arrives. Zeroed: there is no key. */
struct herald__key_path {
	struct herald__key_step *steps; /* from the payload's struct to the member */
	size_t count;
	struct herald__pointer pointer; /* instead, if the payload is any JSON */
};

/* A route: a copy of the declaration, and the service's additions. */
struct herald__route {
	struct herald_route declared;
	const struct herald_codec *codec; /* of declared.schema; NULL: herald_data_schema */
	struct herald__key_path key;      /* in declared.schema */
	struct herald__counters counters; /* of events that arrived in its own version */
};

/* An upcaster, and where its result goes: to another upcaster, or to the route. */
struct herald__upcast {
	struct herald_upcaster declared;
	const struct herald_codec *codec;  /* of declared.from_schema; NULL likewise */
	struct herald__key_path key;       /* in declared.from_schema: the route's key */
	const struct herald__upcast *next; /* NULL: this is the last one */
	struct herald__route *route;       /* at the end of the chain */
	struct herald__counters counters;  /* of events that start here */
	size_t walk;                       /* while building: the last walk that passed, from 1 */
};

/* How a version is matched. A type's versions are sorted and tried in this order. */
enum herald__match {
	HERALD__MATCH_EXACT,
	HERALD__MATCH_PREFIX, /* "1.x" */
	HERALD__MATCH_ANY,
};

/* A version of an event type that a route or the first upcaster of a chain takes. */
struct herald__version {
	const char *event_type;
	const char *text; /* including the ".x" of "1.x"; "" for any version */
	size_t bytes;     /* of the text, without the ".x" of "1.x" */
	enum herald__match match;
	struct herald__route *route;   /* for an upcaster: at the end of its chain */
	struct herald__upcast *upcast; /* NULL: a route */
};

/* The versions of an event type: a part of the table's array, in the order of herald__match. */
struct herald__type {
	const char *event_type;
	const struct herald__version *versions;
	size_t exact_count;
	size_t versions_count;
};

struct herald__route_table {
	struct herald__route *routes; /* in the order of the options */
	size_t routes_count;
	struct herald__upcast *upcasts; /* in the order of the options */
	size_t upcasts_count;
	struct herald__route *catch_all;  /* NULL: none */
	struct herald__version *versions; /* sorted by type; without the catch-all */
	size_t versions_count;
	struct herald__type *types;
	size_t types_count;
	uint32_t *slots; /* hash table by type, open addressing: index of the type + 1, or 0 */
	size_t slots_mask;
};

/* The target of an event. */
struct herald__target {
	struct herald__route *route;   /* NULL: no target */
	struct herald__upcast *upcast; /* the first one; NULL: the payload has the route's schema */
	enum herald_status status;     /* HERALD_OK, _UNKNOWN_TYPE, _UNKNOWN_VERSION */
};

/*
 * Find an event's target. The cost does not depend on the number of types. If `version` is NULL, it
 * is not known yet: returns only a target that takes every version of the type.
 */
struct herald__target herald__route_table_find(const struct herald__route_table *table,
					       const char *event_type, const char *version);

/* The schema of the payload as it arrives. */
static inline const struct herald_schema *
herald__target_schema(const struct herald__target *target)
{
	return target->upcast ? target->upcast->declared.from_schema
			      : target->route->declared.schema;
}

static inline const struct herald_codec *
herald__target_codec(const struct herald__target *target)
{
	return target->upcast ? target->upcast->codec : target->route->codec;
}

/* The hash of a type in the table. */
uint32_t herald__type_hash(const char *event_type);

/* The entry that takes a version of a type, or NULL. Does not consider the catch-all. */
const struct herald__version *
herald__route_table_version(const struct herald__route_table *table, const char *event_type,
			    const char *version);

#endif
