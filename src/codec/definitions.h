/*
 * The schemas of a document and their names in it: each schema once, each name once. Private.
 */
#ifndef HERALD_SRC_CODEC_DEFINITIONS_H
#define HERALD_SRC_CODEC_DEFINITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/status.h>

#include "codec/plan.h"

struct herald__definition {
	const struct herald__plan *plan;
	const char *name; /* of the struct, as [A-Za-z0-9._-]+; "order_2" if there is an "order" */
};

/* Zeroed with an arena, it is empty. */
struct herald__definitions {
	struct herald_arena *arena; /* holds all of it */
	struct herald__definition *all;
	size_t count, capacity;
};

/* Add the schemas of a codec that are not there yet. Returns false when out of memory. */
HERALD_MUST_CHECK bool
herald__definitions_add(struct herald__definitions *definitions, const struct herald_codec *codec);

/* The definition of a schema, or NULL. */
const struct herald__definition *
herald__definitions_find(const struct herald__definitions *definitions,
			 const struct herald_schema *schema);

/*
 * Copy a text as a name that is not taken: bytes outside [A-Za-z0-9._-] become '_', and a number is
 * appended if necessary. Returns NULL when out of memory.
 */
const char *
herald__unique_name(struct herald_arena *arena, const char *text,
		    bool (*is_taken)(const char *name, const void *state), const void *state);

#endif
