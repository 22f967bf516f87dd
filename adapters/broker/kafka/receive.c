/*
 * A turn of the consumer's thread: reads what the clients report, and takes messages, one by one,
 * as far as there is room. Messages have a queue of their own, so that a rebalance is seen while
 * there is no room.
 */
#include "receive.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "assignment.h"
#include "client.h"
#include "commit.h"
#include "copies.h"
#include "message.h"
#include "partition.h"

/* Messages of a partition that are not due and that are in memory. */
#define MAX_KEPT 100
/* The messages of a fresh partition wait so long for a commit that says that they were
 * delivered. */
#define FRESH_MS 1000

/* What the clients report. */

static void
read_events(struct kafka *kafka)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(kafka->control, 0))) {
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
			herald__kafka_assignment_change(kafka, event);
		else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
			herald__kafka_client_report(kafka, rd_kafka_event_error(event),
						    rd_kafka_event_error_string(event));
		rd_kafka_event_destroy(event);
	}
}

/* Retries that waited in this process and are due need room, as those that arrive. */
static void
end_waits(struct kafka *kafka)
{
	const int64_t wall_ms = kafka_wall_ms();

	for (const struct kafka_partition *partition = kafka->partitions;
	     kafka->waiting > 0 && partition; partition = partition->next)
		herald__kafka_partition_end_waits(kafka, partition, wall_ms);
}

static void
turn(struct kafka *kafka, uint64_t now_ms)
{
	read_events(kafka);
	herald__kafka_copies_turn(kafka, now_ms);
	herald__kafka_commit_turn(kafka, now_ms);
	herald__kafka_assignment_turn(kafka, now_ms);
	end_waits(kafka);
}

/* Messages. */

struct intake {
	struct kafka *kafka;
	size_t room, room_bytes;
	struct herald_received_list *out;
	struct kafka_partition *last; /* of the last message */
	bool has_fresh;
	bool is_full; /* a message that is due had no room */
};

static void
hand(struct intake *intake, struct kafka_message *message)
{
	struct herald_received_list *out = intake->out;

	intake->has_fresh |= message->partition->is_fresh;
	herald__kafka_partition_hand(intake->kafka, message);
	if (out->last)
		out->last->next = &message->base;
	else
		out->first = &message->base;
	out->last = &message->base;
	out->count++;
	out->bytes += herald__kafka_message_bytes(message);
}

/* A message that is larger than what the consumer takes is received alone. */
static bool
has_room(const struct intake *intake, size_t bytes)
{
	const struct herald_received_list *out = intake->out;

	if (out->count >= intake->room)
		return false;
	return out->bytes + bytes <= intake->room_bytes ||
	       (out->count == 0 && intake->kafka->held == 0);
}

static struct kafka_partition *
partition_of(struct intake *intake, const rd_kafka_message_t *from)
{
	const char *topic = rd_kafka_topic_name(from->rkt);
	struct kafka_partition *last = intake->last;

	if (!last || last->number != from->partition || strcmp(last->topic, topic) != 0)
		intake->last = herald__kafka_partition_find(intake->kafka, topic, from->partition);
	return intake->last;
}

/* Take a message from librdkafka. Returns false if it has to wait. */
static bool
take(struct intake *intake, rd_kafka_message_t *from)
{
	struct kafka *kafka = intake->kafka;
	struct kafka_partition *partition = partition_of(intake, from);
	bool has_memory;

	if (from->err) {
		herald__kafka_client_report(kafka, from->err, rd_kafka_message_errstr(from));
		return true;
	}
	if (!partition)
		return true;
	if (partition->unfinished >= KAFKA_MAX_UNFINISHED || !has_room(intake, from->len))
		return false;
	struct kafka_message *message =
		herald__kafka_partition_take(kafka, partition, from, &has_memory);
	if (message)
		hand(intake, message);
	return has_memory;
}

static void
take_arrived(struct intake *intake)
{
	struct kafka *kafka = intake->kafka;

	while (intake->out->count < intake->room) {
		if (!kafka->next)
			kafka->next = rd_kafka_consume_queue(kafka->arrived, 0);
		if (!kafka->next || !take(intake, kafka->next))
			return;
		rd_kafka_message_destroy(kafka->next);
		kafka->next = NULL;
	}
}

static void
take_kept(struct intake *intake, struct kafka_partition *partition, int64_t wall_ms)
{
	struct kafka_message *message;

	while ((message = herald__kafka_partition_first_due(partition, wall_ms))) {
		if (!has_room(intake, herald__kafka_message_bytes(message))) {
			intake->is_full = true;
			return;
		}
		herald__kafka_partition_take_kept(partition);
		hand(intake, message);
	}
}

/* From a topic for retries: some messages are kept until they are due, as they need not be in the
 * order of their times. */
static void
read_retried(struct kafka *kafka, struct kafka_partition *partition)
{
	rd_kafka_message_t *from;
	bool has_memory = true;

	while (partition->kept_count < MAX_KEPT && has_memory &&
	       partition->unfinished < KAFKA_MAX_UNFINISHED &&
	       (from = rd_kafka_consume_queue(partition->queue, 0))) {
		struct kafka_message *message = NULL;

		if (from->err)
			herald__kafka_client_report(kafka, from->err,
						    rd_kafka_message_errstr(from));
		else
			message = herald__kafka_partition_take(kafka, partition, from, &has_memory);
		if (message)
			herald__kafka_partition_keep(kafka, message);
		if (!has_memory) /* it comes again */
			(void)rd_kafka_seek(from->rkt, from->partition, from->offset, 0);
		rd_kafka_message_destroy(from);
	}
}

/* What was kept has waited longer than what arrives. */
static void
take_messages(struct intake *intake, uint64_t now_ms)
{
	struct kafka *kafka = intake->kafka;
	const int64_t wall_ms = kafka_wall_ms();

	if (intake->room == 0 || kafka->is_leaving || now_ms < kafka->pause_ms)
		return;
	for (struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next) {
		if (partition->queue)
			read_retried(kafka, partition);
		if (partition->kept)
			take_kept(intake, partition, wall_ms);
	}
	take_arrived(intake);
}

/* The first messages of a partition may be those that kill the process. If no commit said that they
 * were delivered, they would kill each process anew. */
static void
note_deliveries(struct kafka *kafka)
{
	(void)herald__kafka_commit_all(kafka, kafka_now_ms() + FRESH_MS);
	for (struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next)
		if (partition->unfinished > 0)
			partition->is_fresh = false;
}

/* Waiting. */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The first message that is kept; without room, the first one that makes room when it is due. */
static const struct kafka_message *
first_kept(const struct kafka_partition *partition, bool has_room)
{
	const struct kafka_message *message = partition->kept;

	while (message && !has_room && !message->is_waiting)
		message = message->kept_next;
	return message;
}

/* When such a message is due. */
static uint64_t
next_due_ms(const struct kafka *kafka, bool has_room, uint64_t now_ms)
{
	const int64_t wall_ms = kafka_wall_ms();
	int64_t due_ms = INT64_MAX;

	for (const struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next) {
		const struct kafka_message *first = first_kept(partition, has_room);

		if (first && first->due_ms < due_ms)
			due_ms = first->due_ms;
	}
	return now_ms + (due_ms > wall_ms ? (uint64_t)(due_ms - wall_ms) : 0);
}

/* Until something is reported, or until_ms. Returns whether wake() was called. */
static bool
wait(struct kafka *kafka, bool has_room, uint64_t now_ms, uint64_t until_ms)
{
	struct pollfd wake = {.fd = kafka->wake_fd, .events = POLLIN};
	uint64_t count;

	until_ms = earlier(until_ms, herald__kafka_commit_next_ms(kafka, now_ms));
	until_ms = earlier(until_ms, kafka->send_ms);
	if (kafka->is_leaving)
		until_ms = earlier(until_ms, kafka->leave_ms);
	if (has_room && !kafka->is_leaving)
		until_ms = earlier(until_ms, now_ms < kafka->pause_ms
						     ? kafka->pause_ms
						     : next_due_ms(kafka, true, now_ms));
	else if (kafka->waiting > 0)
		until_ms = earlier(until_ms, next_due_ms(kafka, false, now_ms));
	const uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	if (poll(&wake, 1, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX) > 0)
		(void)!read(kafka->wake_fd, &count, sizeof(count));
	return atomic_exchange(&kafka->is_woken, false);
}

enum herald_status
herald__kafka_receive(struct herald_subscriber *subscriber, size_t room, size_t room_bytes,
		      uint32_t timeout_ms, struct herald_received_list *out,
		      struct herald_error *error)
{
	struct kafka *kafka = kafka_of(subscriber);
	struct intake intake = {.kafka = kafka, .room = room, .room_bytes = room_bytes, .out = out};
	uint64_t now_ms = kafka_now_ms();
	const uint64_t until_ms = now_ms + timeout_ms;
	const size_t unsettled = herald__kafka_unsettled(subscriber);
	bool is_last = false;

	for (;;) {
		turn(kafka, now_ms);
		if (!kafka->has_failed)
			take_messages(&intake, now_ms);
		if (intake.has_fresh)
			note_deliveries(kafka);
		if (kafka->has_failed) {
			if (error)
				*error = kafka->error;
			return HERALD_UNAVAILABLE;
		}
		/* What is confirmed leaves room. */
		const bool has_more_room =
			room == 0 && herald__kafka_unsettled(subscriber) < unsettled;
		if (out->count > 0 || has_more_room || is_last || now_ms >= until_ms)
			return HERALD_OK;
		is_last = wait(kafka, room > 0 && !intake.is_full, now_ms, until_ms);
		now_ms = kafka_now_ms();
		intake.last = NULL;
		intake.is_full = false;
	}
}

size_t
herald__kafka_unsettled(const struct herald_subscriber *subscriber)
{
	const struct kafka *kafka = (const struct kafka *)subscriber;

	return kafka->done + kafka->committing + kafka->copies_count + kafka->waiting;
}

size_t
herald__kafka_flush(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct kafka *kafka = kafka_of(subscriber);
	uint64_t now_ms = kafka_now_ms();
	const uint64_t until_ms = now_ms + timeout_ms;

	if (!kafka->consumer)
		return herald__kafka_unsettled(subscriber);
	while (kafka->copies_count > 0 && !kafka->has_failed && now_ms < until_ms) {
		turn(kafka, now_ms);
		if (kafka->copies_count > 0)
			(void)wait(kafka, false, now_ms, until_ms);
		now_ms = kafka_now_ms();
	}
	(void)herald__kafka_commit_all(kafka, until_ms);
	return herald__kafka_unsettled(subscriber);
}
