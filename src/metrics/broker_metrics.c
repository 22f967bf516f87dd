/*
 * Metrics of consumers and producers. Their labels are the names that the options give them, never
 * names of topics or queues, which messages may choose.
 */
#include "metrics/broker_metrics.h"

#include <stddef.h>

#include <herald/consumer.h>
#include <herald/producer.h>

/* A family with one sample for each consumer or producer. */
struct family {
	enum herald__metric_type type;
	const char *name;
	const char *help;
	size_t offset; /* of the number in its statistics */
};

static uint64_t
number_at(const void *statistics, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)statistics + offset);
}

/* Consumers. */

static const struct family consumer_families[] = {
	{HERALD__METRIC_COUNTER, "herald_consumer_received_messages",
	 "Messages, each time that they were delivered.",
	 offsetof(struct herald_consumer_statistics, received)},
	{HERALD__METRIC_COUNTER, "herald_consumer_redelivered_messages",
	 "Of these, messages that were delivered before.",
	 offsetof(struct herald_consumer_statistics, redelivered)},
	{HERALD__METRIC_COUNTER, "herald_consumer_runs",
	 "Runs of events that have begun: the attempts.",
	 offsetof(struct herald_consumer_statistics, runs)},
	{HERALD__METRIC_COUNTER, "herald_consumer_retries",
	 "Runs that ended with HERALD_RETRY, and will be repeated.",
	 offsetof(struct herald_consumer_statistics, retries)},
	{HERALD__METRIC_COUNTER, "herald_consumer_done_messages", "Messages that are finished.",
	 offsetof(struct herald_consumer_statistics, done)},
	{HERALD__METRIC_COUNTER, "herald_consumer_dead_letters",
	 "Messages that became dead letters.", offsetof(struct herald_consumer_statistics, dead)},
	{HERALD__METRIC_COUNTER, "herald_consumer_released_messages",
	 "Messages that were given back, as they had not begun.",
	 offsetof(struct herald_consumer_statistics, released)},
	{HERALD__METRIC_COUNTER, "herald_consumer_lost_ends",
	 "Ends of runs that came too late for the broker.",
	 offsetof(struct herald_consumer_statistics, lost)},
	{HERALD__METRIC_COUNTER, "herald_consumer_interrupted_messages",
	 "Events that a dead process has left running.",
	 offsetof(struct herald_consumer_statistics, interrupted)},
	{HERALD__METRIC_COUNTER, "herald_consumer_connections",
	 "Times that the broker was reached.",
	 offsetof(struct herald_consumer_statistics, connections)},
	{HERALD__METRIC_COUNTER, "herald_consumer_connection_failures",
	 "Times that the broker was not reached, or that the connection was lost.",
	 offsetof(struct herald_consumer_statistics, failures)},
	{HERALD__METRIC_GAUGE, "herald_consumer_in_flight_messages",
	 "Messages that the consumer has.", offsetof(struct herald_consumer_statistics, in_flight)},
	{HERALD__METRIC_GAUGE, "herald_consumer_parked_messages",
	 "Of these, messages that wait for a retry of their key.",
	 offsetof(struct herald_consumer_statistics, parked)},
};

static void
write_states(const struct herald_named_consumer *consumers, size_t count,
	     struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_GAUGE, "herald_consumer_state",
			       "1 for the state of the consumer, 0 for the others.");
	for (size_t i = 0; i < count; i++) {
		struct herald_consumer_statistics statistics;

		herald_consumer_statistics_read(consumers[i].consumer, &statistics);
		for (int k = HERALD_CONSUMER_CONNECTING; k <= HERALD_CONSUMER_STOPPED; k++) {
			const enum herald_consumer_state state = (enum herald_consumer_state)k;

			herald__metrics_value(
				text,
				HERALD__LABELS({"consumer", consumers[i].name},
					       {"state", herald_consumer_state_name(state)}),
				statistics.state == state);
		}
	}
}

void
herald__consumer_metrics_write(const struct herald_named_consumer *consumers, size_t count,
			       struct herald__metrics_text *text)
{
	if (count == 0)
		return;
	write_states(consumers, count, text);
	for (size_t k = 0; k < HERALD_COUNT(consumer_families); k++) {
		const struct family *family = &consumer_families[k];

		herald__metrics_family(text, family->type, family->name, family->help);
		for (size_t i = 0; i < count; i++) {
			struct herald_consumer_statistics statistics;

			herald_consumer_statistics_read(consumers[i].consumer, &statistics);
			herald__metrics_value(text, HERALD__LABELS({"consumer", consumers[i].name}),
					      number_at(&statistics, family->offset));
		}
	}
}

/* Producers. */

static const struct family producer_families[] = {
	{HERALD__METRIC_COUNTER, "herald_producer_submitted_messages",
	 "Messages that were accepted.", offsetof(struct herald_producer_statistics, submitted)},
	{HERALD__METRIC_COUNTER, "herald_producer_confirmed_messages",
	 "Messages that the broker has confirmed.",
	 offsetof(struct herald_producer_statistics, confirmed)},
	{HERALD__METRIC_COUNTER, "herald_producer_failed_messages", "Messages that have failed.",
	 offsetof(struct herald_producer_statistics, failed)},
	{HERALD__METRIC_COUNTER, "herald_producer_repeated_messages",
	 "Times that a message was sent again.",
	 offsetof(struct herald_producer_statistics, repeated)},
	{HERALD__METRIC_COUNTER, "herald_producer_connections",
	 "Times that the broker was reached.",
	 offsetof(struct herald_producer_statistics, connections)},
	{HERALD__METRIC_COUNTER, "herald_producer_connection_failures",
	 "Times that the broker was not reached, or that the connection was lost.",
	 offsetof(struct herald_producer_statistics, failures)},
	{HERALD__METRIC_GAUGE, "herald_producer_pending_messages", "Messages that have not ended.",
	 offsetof(struct herald_producer_statistics, pending)},
	{HERALD__METRIC_GAUGE, "herald_producer_pending_bytes", "Their bodies, headers and keys.",
	 offsetof(struct herald_producer_statistics, pending_bytes)},
};

void
herald__producer_metrics_write(const struct herald_named_producer *producers, size_t count,
			       struct herald__metrics_text *text)
{
	if (count == 0)
		return;
	herald__metrics_family(text, HERALD__METRIC_GAUGE, "herald_producer_up",
			       "1 while the producer is connected.");
	for (size_t i = 0; i < count; i++)
		herald__metrics_value(text, HERALD__LABELS({"producer", producers[i].name}),
				      herald_producer_health(producers[i].producer, NULL) ==
					      HERALD_OK);
	for (size_t k = 0; k < HERALD_COUNT(producer_families); k++) {
		const struct family *family = &producer_families[k];

		herald__metrics_family(text, family->type, family->name, family->help);
		for (size_t i = 0; i < count; i++) {
			struct herald_producer_statistics statistics;

			herald_producer_statistics_read(producers[i].producer, &statistics);
			herald__metrics_value(text, HERALD__LABELS({"producer", producers[i].name}),
					      number_at(&statistics, family->offset));
		}
	}
}
