/*
 * What an operator asks of a consumer: is it connected, which message is a dead letter, which one
 * kills processes. The service logs each message that is done or retried.
 */
#include "consumer/report.h"

#include <herald/adapter/log.h>
#include <herald/array.h>

#include "consumer/state.h"

static void
log_message(const struct herald_consumer *consumer, const char *text,
	    const struct herald__held *held, unsigned attempts)
{
	const struct herald__reason *reason = held->reason;
	const struct herald_log_field fields[] = {
		{"broker", consumer->subscriber->ops->name, 0},
		{"source", consumer->source, 0},
		{"event_id", reason ? reason->event_id : "", 0},
		{"attempts", NULL, attempts},
		{"interrupted", NULL, held->interrupted},
		{"unknown", NULL, held->unknown},
		{"reason", reason ? reason->error.message : "", 0},
		{"path", reason ? reason->error.path : "", 0},
	};

	herald_log_write(&consumer->settings.log, HERALD_LOG_WARNING, text, fields,
			 HERALD_COUNT(fields));
}

void
herald__consumer_report_end(struct herald_consumer *consumer, const struct herald__held *held)
{
	struct herald__consumer_counts *counts = &consumer->counts;

	if (held->was_lost) {
		counts->lost += held->runs > 0;
		return;
	}
	switch (held->kind) {
	case HERALD_SETTLE_DONE:
		counts->done++;
		break;
	case HERALD_SETTLE_RETRY:
		break; /* ending.c counts runs */
	case HERALD_SETTLE_DEAD:
		counts->dead++;
		log_message(consumer, "event is a dead letter", held, held->before + held->runs);
		break;
	case HERALD_SETTLE_RELEASE:
		counts->released++;
		break;
	}
}

void
herald__consumer_report_received(struct herald_consumer *consumer, const struct herald__held *held)
{
	struct herald__consumer_counts *counts = &consumer->counts;

	counts->received++;
	counts->redelivered += held->message->deliveries > 1;
	if (!herald__held_is_suspect(held, consumer->settings.options.max_attempts))
		return;
	counts->interrupted += held->interrupted > 0;
	log_message(consumer,
		    held->interrupted > 0
			    ? "a process has died during an event, which now runs alone"
			    : "an event has used up its attempts by deliveries without a known "
			      "run, and now runs alone",
		    held, held->before);
}

void
herald__consumer_report_connection(struct herald_consumer *consumer,
				   const struct herald_error *error)
{
	const struct herald_log_field fields[] = {
		{"broker", consumer->subscriber->ops->name, 0},
		{"source", consumer->source, 0},
		{"error", error ? error->message : "", 0},
	};

	herald_log_write(&consumer->settings.log, error ? HERALD_LOG_ERROR : HERALD_LOG_INFO,
			 error ? "consumer is not connected" : "consumer is connected", fields,
			 error ? 3 : 2);
}

void
herald__consumer_report_stopped(struct herald_consumer *consumer, size_t left)
{
	const struct herald_log_field fields[] = {
		{"broker", consumer->subscriber->ops->name, 0},
		{"source", consumer->source, 0},
		{"left", NULL, (int64_t)left},
	};

	herald_log_write(&consumer->settings.log, left > 0 ? HERALD_LOG_WARNING : HERALD_LOG_INFO,
			 "consumer has stopped", fields, HERALD_COUNT(fields));
}

void
herald__consumer_report_stuck(struct herald_consumer *consumer)
{
	const struct herald_log_field fields[] = {
		{"in_flight_folder", consumer->settings.options.in_flight_folder, 0},
		{"source", consumer->source, 0},
	};

	herald_log_write(&consumer->settings.log, HERALD_LOG_WARNING,
			 "another process does not give back the lock of the notes: until it does, "
			 "deliveries count as attempts",
			 fields, HERALD_COUNT(fields));
}
