/*
 * The transport of a deliverer with producers: it hands messages to them, and all other attempts to
 * the user's transport.
 */
#ifndef HERALD_SRC_DELIVERY_PRODUCER_TRANSPORT_H
#define HERALD_SRC_DELIVERY_PRODUCER_TRANSPORT_H

#include <stddef.h>

#include <herald/adapter/transport.h>
#include <herald/allocator.h>

/* `inner` is owned; NULL: there are only producers, which are borrowed, names included. Returns
 * NULL when out of memory; `inner` is then not owned. */
struct herald_transport *
herald__producer_transport_create(const struct herald_allocator *allocator,
				  struct herald_transport *inner,
				  const struct herald_named_producer *producers, size_t count);

#endif
