/*
 * The options of an exporter. Private.
 */
#ifndef HERALD_SRC_DELIVERY_OTLP_OPTIONS_H
#define HERALD_SRC_DELIVERY_OTLP_OPTIONS_H

#include <herald/arena.h>
#include <herald/otlp.h>
#include <herald/status.h>

/* Read the options, fill in the defaults, and check them. `out` is set as far as possible. */
HERALD_MUST_CHECK enum herald_status
herald__otlp_options_resolve(const struct herald_otlp_options *given,
			     struct herald_otlp_options *out, struct herald_error *error);

/* Copy all that the options point to, except for the transport. Returns false when out of memory.
 */
bool herald__otlp_options_copy(struct herald_otlp_options *options, struct herald_arena *arena);

#endif
