/*
 * Log records about deliveries: their levels and fields, and the names of outcomes. The engine
 * decides when to write one.
 */
#include "delivery/report.h"

#include <stddef.h>
#include <stdio.h>

#include <herald/adapter/log.h>
#include <herald/adapter/transport.h>

#include "delivery/trace_headers.h"

const char *
herald_delivery_outcome_name(enum herald_delivery_outcome outcome)
{
	switch (outcome) {
	case HERALD_DELIVERY_AGAIN:
		return "again";
	case HERALD_DELIVERY_DELIVERED:
		return "delivered";
	case HERALD_DELIVERY_FAILED:
		return "failed";
	case HERALD_DELIVERY_LEFT:
		return "left";
	}
	return "?";
}

/* The text before and after the origin. */
static const struct {
	enum herald_log_level level;
	const char *before, *after;
} records[] = {
	[HERALD_DELIVERY_AGAIN] = {HERALD_LOG_INFO, "delivery to ", " will be tried again"},
	[HERALD_DELIVERY_DELIVERED] = {HERALD_LOG_DEBUG, "delivered to ", ""},
	[HERALD_DELIVERY_FAILED] = {HERALD_LOG_WARNING, "delivery to ", " failed"},
	[HERALD_DELIVERY_LEFT] = {HERALD_LOG_ERROR, "delivery to ", " left at the stop"},
};

static const char *
text_or_empty(const char *text)
{
	return text ? text : "";
}

void
herald__report_log(const struct herald_log *log, const struct herald__queued *item,
		   const struct herald_delivery_report *report)
{
	if (!herald_log_takes(log, records[report->outcome].level))
		return;

	/* Only the origin of the URL: the rest may contain secrets. */
	char message[HERALD__ORIGIN_BYTES + sizeof(((struct herald_attempt_result *)NULL)->error) +
		     64];
	snprintf(message, sizeof(message), "%s%s%s, attempt %u%s%s",
		 records[report->outcome].before, item->origin, records[report->outcome].after,
		 report->attempt, report->error[0] ? ": " : "", report->error);
	struct herald_trace trace;
	bool has_trace = herald__trace_headers_read(report->delivery, &trace);
	const struct herald_log_field fields[] = {
		{"delivery_id", item->id, 0},
		{"host", item->origin, 0},
		{"event_type", text_or_empty(report->delivery->event_type), 0},
		{"event_id", text_or_empty(report->delivery->event_id), 0},
		{"result", text_or_empty(report->delivery->result), 0},
		{"attempt", NULL, report->attempt},
		{"http_status", NULL, report->http_status},
		{"elapsed_ms", NULL, (int64_t)report->elapsed_ms},
		{"retry_in_ms", NULL, (int64_t)report->retry_in_ms},
		{"error", report->error, 0},
		{"trace_id", trace.trace_id, 0},
		{"span_id", trace.span_id, 0},
	};

	herald_log_write(log, records[report->outcome].level, message, fields,
			 sizeof(fields) / sizeof(fields[0]) - (has_trace ? 0 : 2));
}
