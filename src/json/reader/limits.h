/*
 * The limits of JSON, with their defaults. Private.
 */
#ifndef HERALD_SRC_JSON_READER_LIMITS_H
#define HERALD_SRC_JSON_READER_LIMITS_H

#include <herald/codec.h>

/*
 * Copy limits, NULL for the defaults, and replace each zero by its default.
 *
 * Errors  HERALD_BAD_OPTION.
 */
HERALD_MUST_CHECK enum herald_status
herald__limits_fill(const struct herald_limits *limits, struct herald_limits *out,
		    struct herald_error *error);

#endif
