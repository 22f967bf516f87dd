/*
 * The span of each attempt of a delivery, for the span hook: a client's, below the span that
 * submitted the delivery. The receiver gets the attempt's span as its parent.
 */
#include "delivery/attempt_span.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/span.h"
#include "delivery/deliverer.h"
#include "delivery/trace_headers.h"

/* A span with what it points to. */
struct filled_span {
	struct herald__span base;
	char host[HERALD__ORIGIN_BYTES];
	char status[16];
};

/* Scheme, host and port of "https://example.com:443". Only these, because the rest of a URL may
 * contain secrets. */
static void
add_origin(struct filled_span *filled, const char *origin)
{
	const char *host = strstr(origin, "://");
	const char *port = strrchr(origin, ':');
	uint64_t number;

	if (!host || port <= host || !herald_ascii_number(port + 1, UINT16_MAX, &number))
		return;
	host += 3;
	snprintf(filled->host, sizeof(filled->host), "%.*s", (int)(port - host), host);
	herald__span_add_text(&filled->base, "url.scheme",
			      strncmp(origin, "https", 5) == 0 ? "https" : "http");
	herald__span_add_text(&filled->base, "server.address", filled->host);
	herald__span_add_number(&filled->base, "server.port", (int64_t)number);
}

static void
fill(const struct herald__attempt *attempt, struct filled_span *filled)
{
	const struct herald__queued *item = attempt->item;
	const char *method = attempt->base.method == HERALD_DELIVERY_POST ? "POST" : "GET";

	filled->base.span = (struct herald_span){
		.trace = &attempt->trace,
		.name = method,
		.kind = HERALD_SPAN_CLIENT,
		.begin_ns = attempt->span_begin_ns,
		.attributes = filled->base.attributes,
		.error = "",
	};
	herald__span_add_text(&filled->base, "http.request.method", method);
	add_origin(filled, item->origin);
	if (item->record.attempts > 1)
		herald__span_add_number(&filled->base, "http.request.resend_count",
					item->record.attempts - 1);
	herald__span_add_text(&filled->base, "herald.delivery_id", item->id);
	herald__span_add_text(&filled->base, "cloudevents.event_id",
			      item->record.delivery.event_id);
	herald__span_add_text(&filled->base, "cloudevents.event_type",
			      item->record.delivery.event_type);
}

void
herald__attempt_span_prepare(struct herald_deliverer *deliverer, struct herald__attempt *attempt,
			     const struct herald__queued *item)
{
	struct herald_trace parent;

	attempt->has_span = deliverer->options.spans.end &&
			    herald__trace_headers_read(&item->record.delivery, &parent);
	attempt->request.traceparent[0] = '\0';
	if (!attempt->has_span)
		return;
	herald__trace_descend(&deliverer->trace_source, &parent, &attempt->trace);
	memcpy(attempt->request.traceparent, HERALD__TRACEPARENT_NAME,
	       sizeof(HERALD__TRACEPARENT_NAME));
	herald_traceparent_write(&attempt->trace, attempt->request.traceparent +
							  sizeof(HERALD__TRACEPARENT_NAME) - 1);
	attempt->span_begin_ns = herald__span_now_ns();
}

void
herald__attempt_span_start(const struct herald_deliverer *deliverer,
			   const struct herald__attempt *attempt)
{
	const struct herald_span_hook *hook = &deliverer->options.spans;
	struct filled_span filled;

	if (!attempt->has_span || !hook->start)
		return;
	fill(attempt, &filled);
	hook->start(&filled.base.span, hook->state);
}

void
herald__attempt_span_end(const struct herald_deliverer *deliverer,
			 const struct herald__attempt *attempt,
			 const struct herald_delivery_report *report)
{
	const struct herald_span_hook *hook = &deliverer->options.spans;
	struct filled_span filled;

	if (!attempt->has_span)
		return;
	fill(attempt, &filled);
	herald__span_set_end(&filled.base, herald__span_now_ns());
	if (report->http_status > 0)
		herald__span_add_number(&filled.base, "http.response.status_code",
					report->http_status);
	herald__span_add_text(&filled.base, "network.peer.address", report->address);
	herald__span_add_text(&filled.base, "herald.delivery_outcome",
			      herald_delivery_outcome_name(report->outcome));
	if (report->outcome != HERALD_DELIVERY_DELIVERED) {
		snprintf(filled.status, sizeof(filled.status), "%u", report->http_status);
		filled.base.span.is_error = true;
		filled.base.span.error = report->error;
		herald__span_add_text(&filled.base, "error.type",
				      report->http_status > 0 ? filled.status : "no_response");
	}
	hook->end(&filled.base.span, hook->state);
}
