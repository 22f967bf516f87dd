/*
 * The limits of JSON: their defaults, and what they may be.
 */
#include "json/reader/limits.h"

#include <stdint.h>

#include <herald/adapter/options.h>

#include "json/reader/reader.h"

#define DEFAULT_DEPTH 64
#define DEFAULT_LIST_COUNT 65536
#define DEFAULT_KEY_BYTES 1024

enum herald_status
herald__limits_fill(const struct herald_limits *limits, struct herald_limits *out,
		    struct herald_error *error)
{
	*out = limits ? *limits : (struct herald_limits){0};
	if (out->max_depth == 0)
		out->max_depth = DEFAULT_DEPTH;
	if (out->max_list_count == 0)
		out->max_list_count = DEFAULT_LIST_COUNT;
	if (out->max_key_bytes == 0)
		out->max_key_bytes = DEFAULT_KEY_BYTES;
	if (out->max_string_bytes == 0)
		out->max_string_bytes = SIZE_MAX;
	if (out->max_depth <= HERALD__MAX_DEPTH)
		return HERALD_OK;
	return herald_option_refuse(error, "limits.max_depth", "must be at most %d, not %zu",
				    HERALD__MAX_DEPTH, out->max_depth);
}
