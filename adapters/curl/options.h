/*
 * The options of a deliverer: their defaults, what is wrong with them, and a copy.
 */
#ifndef HERALD_CURL_OPTIONS_H
#define HERALD_CURL_OPTIONS_H

#include <herald/arena.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#include "address.h"
#include "backoff.h"
#include "ports.h"

/* Fill in the defaults and check. The copy still points to the caller's lists and texts. */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_options_resolve(const struct herald_deliverer_options *given,
				  struct herald_deliverer_options *out, struct herald_error *error);

/*
 * Copy networks and ports into the arena; the options have been resolved.
 *
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION: a network that allows nothing.
 */
HERALD_MUST_CHECK enum herald_status
herald__deliverer_options_rules(const struct herald_deliverer_options *options,
				struct herald_arena *arena, struct herald__address_rules *addresses,
				struct herald__port_rules *ports, struct herald_error *error);

struct herald__backoff herald__deliverer_backoff(const struct herald_deliverer_options *options);

#endif
