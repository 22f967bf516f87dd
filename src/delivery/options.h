/*
 * The options of a deliverer: their defaults, their checks, and a copy.
 */
#ifndef HERALD_SRC_DELIVERY_OPTIONS_H
#define HERALD_SRC_DELIVERY_OPTIONS_H

#include <herald/adapter/backoff.h>
#include <herald/arena.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#include "delivery/address_policy.h"
#include "delivery/ports.h"

/*
 * Copy and check the options and fill in the defaults. The copy still points to the caller's lists
 * and texts. On failure only its transport and its queue may be used; they are NULL if struct_size
 * is not set.
 */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_options_resolve(const struct herald_deliverer_options *given,
				  struct herald_deliverer_options *out, struct herald_error *error);

/*
 * Copy networks and ports into the arena. The options must be resolved.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: a network that allows nothing.
 */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_options_rules(const struct herald_deliverer_options *options,
				struct herald_arena *arena, struct herald__address_rules *addresses,
				struct herald__port_rules *ports, struct herald_error *error);

/* The delay of an attempt for which there is no memory. It does not count as an attempt. */
#define HERALD__NO_MEMORY_DELAY_MS 1000

#endif
