/*
 * The trace of a delivery. It is kept in the headers traceparent and tracestate, so that queues and
 * stores need not know it. Each attempt's own span is in attempt_span.c.
 */
#include "delivery/trace_headers.h"

#include <string.h>

#include <herald/adapter/text.h>

static const char parent_name[] = HERALD__TRACEPARENT_NAME;
static const char state_name[] = HERALD__TRACESTATE_NAME;

/* The value of a header, if it has this name, which ends in ": ". */
static const char *
value_of(const char *header, const char *name)
{
	size_t bytes = strlen(name) - 1;

	return strlen(header) >= bytes && herald_ascii_same_bytes(header, name, bytes)
		       ? header + bytes
		       : NULL;
}

/* NULL: the delivery has none of this name. */
static const char *
find(const struct herald_delivery *delivery, const char *name)
{
	for (size_t i = 0; i < delivery->headers_count; i++) {
		const char *header = delivery->headers ? delivery->headers[i] : NULL;
		const char *value = header ? value_of(header, name) : NULL;

		if (value)
			return value;
	}
	return NULL;
}

bool
herald__is_trace_header(const char *header)
{
	return value_of(header, parent_name) || value_of(header, state_name);
}

const struct herald_delivery *
herald__trace_headers_add(const struct herald_delivery *delivery,
			  struct herald__traced_delivery *room)
{
	const struct herald_trace *trace = delivery->trace;
	size_t count = delivery->headers_count;

	if (!trace || find(delivery, parent_name) || count > HERALD__MAX_HEADERS - 2 ||
	    !delivery->headers != (count == 0))
		return delivery;
	room->delivery = *delivery;
	room->delivery.trace = NULL;
	for (size_t i = 0; i < count; i++)
		room->headers[i] = delivery->headers[i];
	memcpy(room->parent, parent_name, sizeof(parent_name));
	herald_traceparent_write(trace, room->parent + sizeof(parent_name) - 1);
	room->headers[count++] = room->parent;
	memcpy(room->state, state_name, sizeof(state_name));
	if (!find(delivery, state_name) &&
	    herald__tracestate_shorten(trace->state, room->state + sizeof(state_name) - 1) > 0)
		room->headers[count++] = room->state;
	room->delivery.headers = room->headers;
	room->delivery.headers_count = count;
	return &room->delivery;
}

bool
herald__trace_headers_read(const struct herald_delivery *delivery, struct herald_trace *out)
{
	const char *parent = find(delivery, parent_name);
	const char *state;

	if (!parent || !herald_traceparent_parse(parent, strlen(parent), out))
		return false;
	state = find(delivery, state_name);
	out->state = state ? state + strspn(state, " \t") : "";
	return true;
}
