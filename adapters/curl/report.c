/*
 * Log records about deliveries: their levels and fields. When there is one to be written is the
 * engine's decision.
 */
#include "report.h"

#include <stddef.h>
#include <stdio.h>

#include "answer.h"

/* What stands before and behind the host. */
static const struct {
	enum herald_log_level level;
	const char *before, *behind;
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
	if (!log->write || records[report->outcome].level < log->level)
		return;

	/* Of the URL the host only: the rest may hold secrets. */
	char message[HERALD__HOST_BYTES + sizeof(((struct herald__attempt_result *)NULL)->error) +
		     64];
	snprintf(message, sizeof(message), "%s%s%s, attempt %u%s%s",
		 records[report->outcome].before, item->host, records[report->outcome].behind,
		 report->attempt, report->error[0] ? ": " : "", report->error);
	const struct herald_log_field fields[] = {
		{"delivery_id", item->id, 0},
		{"host", item->host, 0},
		{"event_type", text_or_empty(report->delivery->event_type), 0},
		{"event_id", text_or_empty(report->delivery->event_id), 0},
		{"result", text_or_empty(report->delivery->result), 0},
		{"attempt", NULL, report->attempt},
		{"http_status", NULL, report->http_status},
		{"elapsed_ms", NULL, (int64_t)report->elapsed_ms},
		{"retry_in_ms", NULL, (int64_t)report->retry_in_ms},
		{"error", report->error, 0},
	};
	const struct herald_log_record record = {
		.level = records[report->outcome].level,
		.time = herald_time_now(),
		.message = message,
		.fields = fields,
		.fields_count = sizeof(fields) / sizeof(fields[0]),
	};

	log->write(&record, log->state);
}
