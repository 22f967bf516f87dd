/*
 * Which dead letters are done: a table in memory, read from a topic. Owns both; who writes marks is
 * replay.c.
 */
#include "marks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/random.h>
#include <herald/adapter/text.h>

#define FIRST_ROOM 256

/* The table. */

static struct kafka_mark *
find(struct kafka_mark *items, size_t room, int32_t partition, int64_t offset)
{
	const uint64_t bits =
		herald_random_bits((uint64_t)offset + (uint64_t)partition * HERALD_RANDOM_STEP);
	size_t at = (size_t)bits & (room - 1);

	while (items[at].is_used &&
	       (items[at].partition != partition || items[at].offset != offset))
		at = (at + 1) & (room - 1);
	return &items[at];
}

/* One place in two stays free. */
static enum herald_status
make_room(struct kafka_marks *marks, struct herald_error *error)
{
	const size_t room = marks->room > 0 ? 2 * marks->room : FIRST_ROOM;

	if (marks->used < marks->room / 2)
		return HERALD_OK;
	struct kafka_mark *items =
		herald_memory_allocate_zeroed(&marks->allocator, room, sizeof(*items));
	if (!items)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	for (size_t i = 0; i < marks->room; i++) {
		const struct kafka_mark *mark = &marks->items[i];

		if (mark->is_used)
			*find(items, room, mark->partition, mark->offset) = *mark;
	}
	herald_memory_release(&marks->allocator, marks->items, marks->room * sizeof(*items));
	marks->items = items;
	marks->room = room;
	return HERALD_OK;
}

static enum herald_status
set(struct kafka_marks *marks, const struct kafka_mark *mark, struct herald_error *error)
{
	enum herald_status status = make_room(marks, error);

	if (status != HERALD_OK)
		return status;
	struct kafka_mark *place = find(marks->items, marks->room, mark->partition, mark->offset);
	if (!place->is_used && marks->used >= marks->max)
		return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
					"Kafka: more than %zu dead letters have marks in %s",
					marks->max, rd_kafka_topic_name(marks->records.topic));
	marks->used += !place->is_used;
	/* A mark of an earlier topic that is taken back says nothing of this one. */
	if (mark->is_done || !place->is_used || place->time_ms == mark->time_ms)
		*place = *mark;
	return HERALD_OK;
}

bool
herald__kafka_marks_has(const struct kafka_marks *marks, int32_t partition, int64_t offset,
			int64_t time_ms)
{
	if (marks->room == 0)
		return false;
	const struct kafka_mark *mark = find(marks->items, marks->room, partition, offset);
	return mark->is_used && mark->is_done && mark->time_ms == time_ms;
}

/* The topic. */

void
herald__kafka_mark_name(int32_t partition, int64_t offset, int64_t time_ms,
			char out[KAFKA_MARK_KEY_BYTES])
{
	snprintf(out, KAFKA_MARK_KEY_BYTES, "%" PRId32 ":%" PRId64 ":%" PRId64, partition, offset,
		 time_ms);
}

bool
herald__kafka_numbers_read(const char *text, int64_t *numbers, size_t count)
{
	char digits[24];
	uint64_t number;

	for (size_t i = 0; i < count; i++) {
		const size_t bytes = strcspn(text, ":");

		if (bytes >= sizeof(digits) || (text[bytes] == ':') != (i + 1 < count))
			return false;
		memcpy(digits, text, bytes);
		digits[bytes] = '\0';
		/* Each number has one text only. */
		if (!herald_ascii_number(digits, INT64_MAX, &number) ||
		    (*digits == '0' && bytes > 1))
			return false;
		numbers[i] = (int64_t)number;
		text += bytes + (i + 1 < count);
	}
	return true;
}

/* Other records are left out. */
static bool
read_mark(const rd_kafka_message_t *record, struct kafka_mark *out)
{
	char key[KAFKA_MARK_KEY_BYTES];
	int64_t numbers[3];

	if (!record->key || record->key_len >= sizeof(key))
		return false;
	memcpy(key, record->key, record->key_len);
	key[record->key_len] = '\0';
	*out = (struct kafka_mark){.is_used = true, .is_done = record->payload};
	if (!herald__kafka_numbers_read(key, numbers, 3) || numbers[0] > INT32_MAX)
		return false;
	out->partition = (int32_t)numbers[0];
	out->offset = numbers[1];
	out->time_ms = numbers[2];
	return true;
}

enum herald_status
herald__kafka_marks_open(struct kafka_marks *marks, const char *topic, struct herald_error *error)
{
	struct kafka_records *records = &marks->records;
	int64_t end;

	records->topic = rd_kafka_topic_new(records->consumer, topic, NULL);
	enum herald_status status = herald__kafka_records_range(records, &marks->next, &end, error);
	if (status == HERALD_OK &&
	    rd_kafka_consume_start(records->topic, records->partition, marks->next) == 0)
		return HERALD_OK;
	rd_kafka_topic_destroy(records->topic);
	records->topic = NULL;
	return status == HERALD_OK ? herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						      "Kafka: cannot read %s: %s", topic,
						      rd_kafka_err2str(rd_kafka_last_error()))
				   : status;
}

void
herald__kafka_marks_close(struct kafka_marks *marks)
{
	struct kafka_records *records = &marks->records;

	if (records->topic) {
		(void)rd_kafka_consume_stop(records->topic, records->partition);
		rd_kafka_topic_destroy(records->topic);
	}
	herald_memory_release(&marks->allocator, marks->items, marks->room * sizeof(*marks->items));
	*marks = (struct kafka_marks){.allocator = marks->allocator, .max = marks->max};
}

enum herald_status
herald__kafka_marks_read(struct kafka_marks *marks, struct herald_error *error)
{
	rd_kafka_message_t *record;
	struct kafka_mark mark;
	int64_t low, end;

	if (!marks->records.topic)
		return HERALD_OK;
	enum herald_status status = herald__kafka_records_range(&marks->records, &low, &end, error);
	while (status == HERALD_OK && marks->next < end) {
		status = herald__kafka_records_next(&marks->records, &marks->next, end, &record,
						    error);
		if (!record)
			continue;
		if (read_mark(record, &mark))
			status = set(marks, &mark, error);
		rd_kafka_message_destroy(record);
	}
	return status;
}
