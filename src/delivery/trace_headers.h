/*
 * The trace of a delivery, as its headers. Private.
 */
#ifndef HERALD_SRC_DELIVERY_TRACE_HEADERS_H
#define HERALD_SRC_DELIVERY_TRACE_HEADERS_H

#include <stdbool.h>

#include <herald/delivery.h>
#include <herald/trace.h>

#include "base/trace.h"
#include "delivery/headers.h"

#define HERALD__TRACEPARENT_NAME "traceparent: "
#define HERALD__TRACESTATE_NAME "tracestate: "

/* A delivery whose headers carry its trace, and room for them. */
struct herald__traced_delivery {
	struct herald_delivery delivery;
	const char *headers[HERALD__MAX_HEADERS];
	char parent[sizeof(HERALD__TRACEPARENT_NAME) + HERALD_TRACEPARENT_SIZE];
	char state[sizeof(HERALD__TRACESTATE_NAME) + HERALD__TRACESTATE_SENT_BYTES];
};

/*
 * Turn the member `trace` of a delivery into headers, which are stored and sent like others. A
 * delivery that has a traceparent of its own keeps it.
 *
 * Returns  `room->delivery`, or `delivery` if there is nothing to add.
 */
const struct herald_delivery *herald__trace_headers_add(const struct herald_delivery *delivery,
							struct herald__traced_delivery *room);

/* Whether a header is one of the two. */
bool herald__is_trace_header(const char *header);

/* The span that a delivery's headers name. Returns false if there is none. */
bool herald__trace_headers_read(const struct herald_delivery *delivery, struct herald_trace *out);

#endif
