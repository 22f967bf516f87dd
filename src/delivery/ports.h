/*
 * The ports to which a deliverer may connect.
 */
#ifndef HERALD_SRC_DELIVERY_PORTS_H
#define HERALD_SRC_DELIVERY_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/delivery.h>

struct herald__port_rules {
	const struct herald_port_range *allowed; /* if there are any, only these are allowed */
	size_t allowed_count;
};

bool herald__port_is_allowed(const struct herald__port_rules *rules, uint16_t port);

#endif
