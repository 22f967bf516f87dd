/*
 * Finding the raw JSON of a decoded struct. Private.
 */
#ifndef HERALD_SRC_CODEC_FIND_JSON_H
#define HERALD_SRC_CODEC_FIND_JSON_H

#include <stdbool.h>

#include <herald/schema.h>
#include <herald/value.h>

#include "base/attributes.h"
#include "base/error_path.h"

/*
 * Find the raw JSON in a struct of a schema that has `at` in its text, and prepend the path from
 * the struct to the value at `at` to a trace. Returns false if there is none.
 */
HERALD__COLD bool
herald__trace_json(struct herald__trace *trace, const struct herald_schema *schema, const void *in,
		   const char *at);

/* The same in a map: the path begins with the entry's name. */
HERALD__COLD bool herald__trace_json_map(struct herald__trace *trace,
					 const struct herald_json_map *map, const char *at);

#endif
