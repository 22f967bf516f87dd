/*
 * The messages of a partition that are not finished, in the order of their offsets. The first one
 * is what is committed; the others are in the metadata. Owns the partition and the messages that
 * are not the consumer's.
 */
#include "partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/random.h>

#include "message.h"

/* The consumer gave a message back: it could not take it. It gets none for so long. */
#define PAUSE_MS 10

/* Creation. */

static uint64_t
salt_of(const char *topic, int32_t number)
{
	uint64_t salt = (uint64_t)(uint32_t)number;

	for (; *topic != '\0'; topic++)
		salt = herald_random_bits(salt + HERALD_RANDOM_STEP + (unsigned char)*topic);
	return salt;
}

/* Before the assignment: librdkafka then does not forward them to its own queue. */
static void
route_messages(struct kafka *kafka, struct kafka_partition *partition)
{
	static const uint64_t one = 1;
	rd_kafka_queue_t *queue =
		rd_kafka_queue_get_partition(kafka->consumer, partition->topic, partition->number);

	if (strcmp(partition->topic, kafka->topics[0]) == 0) {
		rd_kafka_queue_forward(queue, kafka->arrived);
		rd_kafka_queue_destroy(queue);
		return;
	}
	/* Not more than one that is not due is to be taken from it. */
	rd_kafka_queue_forward(queue, NULL);
	rd_kafka_queue_io_event_enable(queue, kafka->wake_fd, &one, sizeof(one));
	partition->queue = queue;
}

struct kafka_partition *
herald__kafka_partition_create(struct kafka *kafka, const rd_kafka_topic_partition_t *committed)
{
	const struct herald_allocator *allocator = &kafka->settings.allocator;
	const size_t bytes = strlen(committed->topic) + 1;
	struct kafka_partition *partition =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*partition) + bytes);

	if (!partition)
		return NULL;
	partition->topic = memcpy(partition + 1, committed->topic, bytes);
	partition->number = committed->partition;
	partition->salt = salt_of(committed->topic, committed->partition);
	partition->taken = committed->offset;
	partition->is_fresh = true;
	if (committed->offset >= 0 && committed->metadata_size > 0 &&
	    !herald__kafka_offsets_read(&partition->known, allocator, committed->offset,
					committed->metadata, committed->metadata_size)) {
		herald_memory_release(allocator, partition, sizeof(*partition) + bytes);
		return NULL;
	}
	route_messages(kafka, partition);
	return partition;
}

/* It does not count as in flight any more. */
static void
end_waiting(struct kafka *kafka, struct kafka_message *message)
{
	kafka->waiting -= message->is_waiting;
	message->is_waiting = false;
}

static void
remove_message(struct kafka *kafka, struct kafka_message *message)
{
	struct kafka_partition *partition = message->partition;

	if (message->older)
		message->older->newer = message->newer;
	else
		partition->oldest = message->newer;
	if (message->newer)
		message->newer->older = message->older;
	else
		partition->newest = message->older;
	partition->unfinished--;
	partition->busy -= message->state != KAFKA_KEPT;
	kafka->held -= message->state == KAFKA_HELD;
	end_waiting(kafka, message);
	message->partition = NULL;
}

static void
lose_messages(struct kafka *kafka, struct kafka_partition *partition)
{
	struct kafka_message *message;

	while ((message = partition->oldest)) {
		remove_message(kafka, message);
		if (message->state == KAFKA_KEPT)
			herald__kafka_message_free(kafka, message);
		else
			herald_received_lose(&kafka->base, &message->base);
	}
	partition->kept = NULL;
	partition->kept_count = 0;
	kafka->done -= partition->done;
	kafka->committing -= partition->committing;
	partition->done = partition->committing = 0;
}

void
herald__kafka_partition_destroy(struct kafka *kafka, struct kafka_partition *partition)
{
	const struct herald_allocator *allocator = &kafka->settings.allocator;

	lose_messages(kafka, partition);
	if (partition->queue)
		rd_kafka_queue_destroy(partition->queue);
	herald__kafka_offsets_free(&partition->known, allocator);
	herald_memory_release(allocator, partition,
			      sizeof(*partition) + strlen(partition->topic) + 1);
}

struct kafka_partition *
herald__kafka_partition_find(const struct kafka *kafka, const char *topic, int32_t number)
{
	struct kafka_partition *partition = kafka->partitions;

	while (partition && (partition->number != number || strcmp(partition->topic, topic) != 0))
		partition = partition->next;
	return partition;
}

/* Messages. */

static void
add_message(struct kafka_partition *partition, struct kafka_message *message)
{
	message->partition = partition;
	message->older = partition->newest;
	if (partition->newest)
		partition->newest->newer = message;
	else
		partition->oldest = message;
	partition->newest = message;
	partition->unfinished++;
}

static void
note_change(struct kafka *kafka, struct kafka_partition *partition)
{
	partition->is_dirty = true;
	if (kafka->commit_ms == UINT64_MAX)
		kafka->commit_ms = 0; /* commit.c sets the time */
}

/* The brokers have gone back: a leader that was behind, or data that were restored. Offsets before
 * `taken` have other messages now, of which none is finished. */
static void
go_back(struct kafka *kafka, struct kafka_partition *partition, int64_t offset)
{
	const struct herald_log_field fields[] = {
		{"broker", kafka->base.ops->name, 0}, {"source", kafka->base.source, 0},
		{"topic", partition->topic, 0},       {"partition", NULL, partition->number},
		{"expected", NULL, partition->taken}, {"offset", NULL, offset},
	};

	herald_log_write(&kafka->settings.log, HERALD_LOG_ERROR,
			 "offsets went back, all messages from there run again", fields, 6);
	lose_messages(kafka, partition);
	herald__kafka_offsets_free(&partition->known, &kafka->settings.allocator);
	partition->taken = offset;
	partition->is_fresh = true;
	note_change(kafka, partition);
}

struct kafka_message *
herald__kafka_partition_take(struct kafka *kafka, struct kafka_partition *partition,
			     rd_kafka_message_t *from, bool *has_memory)
{
	unsigned deliveries;

	*has_memory = true;
	if (from->offset < partition->taken)
		go_back(kafka, partition, from->offset);
	const size_t at = partition->known.at;
	if (herald__kafka_offsets_find(&partition->known, from->offset, &deliveries)) {
		partition->taken = from->offset + 1;
		return NULL;
	}
	struct kafka_message *message = herald__kafka_message_create(kafka, partition, from);
	if (!message) {
		partition->known.at = at; /* it comes again */
		*has_memory = false;
		return NULL;
	}
	partition->taken = from->offset + 1;
	message->base.deliveries = deliveries + 1;
	message->state = KAFKA_KEPT;
	add_message(partition, message);
	return message;
}

void
herald__kafka_partition_hand(struct kafka *kafka, struct kafka_message *message)
{
	end_waiting(kafka, message);
	message->state = KAFKA_HELD;
	message->partition->busy++;
	kafka->held++;
	note_change(kafka, message->partition);
}

/* The consumer has it no more. */
static void
take_back(struct kafka *kafka, struct kafka_message *message, int64_t due_ms)
{
	message->state = KAFKA_KEPT;
	message->due_ms = due_ms;
	message->partition->busy--;
	note_change(kafka, message->partition);
}

void
herald__kafka_partition_retry(struct kafka *kafka, struct kafka_message *message, unsigned attempts,
			      int64_t due_ms)
{
	const uint64_t identity = herald_random_bits(message->base.identity + attempts);

	message->earlier += message->base.deliveries;
	message->base.deliveries = 1;
	message->base.attempts = attempts;
	message->base.identity = identity ? identity : 1;
	message->is_waiting = true;
	kafka->waiting++;
	take_back(kafka, message, due_ms);
	herald__kafka_partition_keep(kafka, message);
}

void
herald__kafka_partition_keep(struct kafka *kafka, struct kafka_message *message)
{
	struct kafka_partition *partition = message->partition;
	struct kafka_message **at = &partition->kept;

	if (message->state == KAFKA_HELD) {
		take_back(kafka, message, 0);
		kafka->held--;
		kafka->pause_ms = kafka_now_ms() + PAUSE_MS;
	}
	/* Equal times in the order of offsets. */
	while (*at && ((*at)->due_ms < message->due_ms ||
		       ((*at)->due_ms == message->due_ms && (*at)->offset < message->offset)))
		at = &(*at)->kept_next;
	message->kept_next = *at;
	*at = message;
	partition->kept_count++;
}

void
herald__kafka_partition_end_waits(struct kafka *kafka, const struct kafka_partition *partition,
				  int64_t wall_ms)
{
	for (struct kafka_message *message = partition->kept; message && message->due_ms <= wall_ms;
	     message = message->kept_next)
		end_waiting(kafka, message);
}

struct kafka_message *
herald__kafka_partition_first_due(const struct kafka_partition *partition, int64_t wall_ms)
{
	struct kafka_message *first = partition->kept;

	return first && first->due_ms <= wall_ms ? first : NULL;
}

void
herald__kafka_partition_take_kept(struct kafka_partition *partition)
{
	struct kafka_message *first = partition->kept;

	partition->kept = first->kept_next;
	partition->kept_count--;
	first->kept_next = NULL;
}

void
herald__kafka_partition_finish(struct kafka *kafka, struct kafka_message *message)
{
	struct kafka_partition *partition = message->partition;

	remove_message(kafka, message);
	partition->done++;
	kafka->done++;
	note_change(kafka, partition);
	herald__kafka_message_free(kafka, message);
}

/* Commits. */

static unsigned
deliveries_of(const struct kafka_message *message)
{
	return message->earlier + message->base.deliveries - (message->state == KAFKA_KEPT);
}

/* The first offset that is not finished. */
static int64_t
first_offset(const struct kafka_partition *partition)
{
	const struct kafka_offsets *known = &partition->known;

	if (partition->oldest)
		return partition->oldest->offset;
	if (known->at < known->count)
		return known->items[known->at].offset;
	return known->limit > partition->taken ? known->limit : partition->taken;
}

/* Messages, and those that an earlier owner has had and that have not come yet. */
static size_t
write_metadata(const struct kafka_partition *partition, char text[KAFKA_METADATA_BYTES])
{
	const struct kafka_offsets *known = &partition->known;
	struct kafka_offsets_writer writer;

	herald__kafka_offsets_begin(&writer, text, first_offset(partition));
	for (struct kafka_message *message = partition->oldest; message; message = message->newer)
		herald__kafka_offsets_add(&writer, message->offset, deliveries_of(message));
	for (size_t i = known->at; i < known->count; i++)
		herald__kafka_offsets_add(&writer, known->items[i].offset,
					  known->items[i].deliveries);
	return herald__kafka_offsets_end(
		&writer, known->limit > partition->taken ? known->limit : partition->taken);
}

bool
herald__kafka_partition_commit(struct kafka *kafka, struct kafka_partition *partition,
			       rd_kafka_topic_partition_list_t *list)
{
	char text[KAFKA_METADATA_BYTES];
	rd_kafka_topic_partition_t *place =
		rd_kafka_topic_partition_list_add(list, partition->topic, partition->number);
	const size_t bytes = write_metadata(partition, text);

	place->offset = first_offset(partition);
	if (bytes > 0) {
		/* librdkafka releases it with the list. */
		place->metadata = rd_kafka_mem_malloc(kafka->consumer, bytes);
		if (!place->metadata)
			return false;
		memcpy(place->metadata, text, bytes);
		place->metadata_size = bytes;
	}
	partition->committing += partition->done;
	kafka->committing += partition->done;
	kafka->done -= partition->done;
	partition->done = 0;
	partition->is_dirty = false;
	return true;
}

bool
herald__kafka_partition_rewind(struct kafka *kafka, struct kafka_partition *partition)
{
	const struct herald_allocator *allocator = &kafka->settings.allocator;
	const int64_t first = first_offset(partition);
	char text[KAFKA_METADATA_BYTES];
	const size_t bytes = write_metadata(partition, text);

	lose_messages(kafka, partition);
	herald__kafka_offsets_free(&partition->known, allocator);
	partition->taken = first;
	partition->is_dirty = partition->is_fresh = true;
	return herald__kafka_offsets_read(&partition->known, allocator, first, text, bytes);
}
