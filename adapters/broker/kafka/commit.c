/*
 * When offsets are committed: soon after something has changed, one commit at a time. Owns no
 * partition; what is committed for one is in partition.c.
 */
#include "commit.h"

#include <herald/adapter/log.h>

#include "client.h"
#include "partition.h"

/* From a change to its commit. */
#define DELAY_MS 20
#define PAUSE_MS 100
/* Without an answer for longer, the connection counts as lost. */
#define TIMEOUTS 2
/* The connection counts as lost after so many failures, one after the other. */
#define MAX_FAILURES 100
/* Between two records of failures in the log. */
#define LOG_MS 60000

static void
finish_partition(struct kafka *kafka, struct kafka_partition *partition, bool is_done)
{
	kafka->committing -= partition->committing;
	if (!is_done) {
		partition->done += partition->committing;
		kafka->done += partition->committing;
		partition->is_dirty = true;
		kafka->commit_ms = kafka_now_ms() + PAUSE_MS;
	}
	partition->committing = 0;
}

static void
note_failure(struct kafka *kafka, const char *why)
{
	const uint64_t now_ms = kafka_now_ms();
	const struct herald_log_field fields[] = {
		{"broker", kafka->base.ops->name, 0},
		{"source", kafka->base.source, 0},
		{"error", why, 0},
	};

	if (now_ms >= kafka->commit_log_ms) {
		kafka->commit_log_ms = now_ms + LOG_MS;
		herald_log_write(&kafka->settings.log, HERALD_LOG_ERROR,
				 "offsets not committed, trying again", fields, 3);
	}
	if (++kafka->commit_failures >= MAX_FAILURES) {
		kafka->commit_failures = 0;
		herald__kafka_client_fail(kafka, "cannot commit", why);
	}
}

/* The brokers have answered. Partitions that have gone since are left out. */
static void
finish(struct kafka *kafka, rd_kafka_event_t *event)
{
	const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
	const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
	rd_kafka_resp_err_t failure = error;

	kafka->is_committing = false;
	for (int i = 0; list && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *place = &list->elems[i];
		struct kafka_partition *partition =
			herald__kafka_partition_find(kafka, place->topic, place->partition);

		if (!failure)
			failure = place->err;
		if (partition)
			finish_partition(kafka, partition, !error && !place->err);
	}
	if (failure)
		note_failure(kafka, rd_kafka_err2str(failure));
	else
		kafka->commit_failures = 0;
}

static void
read_answer(struct kafka *kafka, uint64_t timeout_ms)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(kafka->replies, (int)timeout_ms);

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
		finish(kafka, event);
	if (event)
		rd_kafka_event_destroy(event);
}

static void
start(struct kafka *kafka, uint64_t now_ms)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
	bool has_memory = true;

	kafka->commit_ms = UINT64_MAX;
	for (struct kafka_partition *partition = kafka->partitions; partition && has_memory;
	     partition = partition->next)
		if (partition->is_dirty)
			has_memory = herald__kafka_partition_commit(kafka, partition, list);
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
	if (list->cnt > 0 && has_memory)
		error = rd_kafka_commit_queue(kafka->consumer, list, kafka->replies, NULL, NULL);
	if (!has_memory || error)
		herald__kafka_client_fail(kafka, "cannot commit",
					  has_memory ? rd_kafka_err2str(error) : "out of memory");
	kafka->is_committing = list->cnt > 0;
	kafka->commit_sent_ms = now_ms;
	rd_kafka_topic_partition_list_destroy(list);
}

void
herald__kafka_commit_turn(struct kafka *kafka, uint64_t now_ms)
{
	if (kafka->is_committing)
		read_answer(kafka, 0);
	if (kafka->is_committing) {
		if (now_ms - kafka->commit_sent_ms > (uint64_t)TIMEOUTS * kafka->options.timeout_ms)
			herald__kafka_client_fail(kafka, "cannot commit", "no answer in time");
		return;
	}
	if (kafka->commit_ms == 0)
		kafka->commit_ms = now_ms + DELAY_MS;
	const bool is_urgent =
		kafka->commit_failures == 0 && kafka->done > kafka->settings.max_in_flight / 2;
	if (kafka->commit_ms <= now_ms || is_urgent)
		start(kafka, now_ms);
}

uint64_t
herald__kafka_commit_next_ms(const struct kafka *kafka, uint64_t now_ms)
{
	return kafka->is_committing ? now_ms + (uint64_t)TIMEOUTS * kafka->options.timeout_ms
				    : kafka->commit_ms;
}

/* A commit that failed is not tried again at once. */
static void
pause_commit(const struct kafka *kafka, uint64_t now_ms, uint64_t until_ms)
{
	const uint64_t next_ms = now_ms + PAUSE_MS < until_ms ? now_ms + PAUSE_MS : until_ms;

	if (kafka->commit_failures > 0 && !kafka->has_failed && next_ms > now_ms)
		nanosleep(&(struct timespec){.tv_nsec = (long)(next_ms - now_ms) * 1000000}, NULL);
}

static bool
is_clean(const struct kafka *kafka)
{
	for (const struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next)
		if (partition->is_dirty)
			return false;
	return !kafka->is_committing;
}

bool
herald__kafka_commit_all(struct kafka *kafka, uint64_t until_ms)
{
	uint64_t now_ms = kafka_now_ms();

	while (!is_clean(kafka) && !kafka->has_failed && now_ms < until_ms) {
		if (!kafka->is_committing)
			start(kafka, now_ms);
		read_answer(kafka, until_ms - now_ms);
		now_ms = kafka_now_ms();
		if (!kafka->is_committing)
			pause_commit(kafka, now_ms, until_ms);
	}
	return is_clean(kafka);
}
