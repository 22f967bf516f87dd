/*
 * Which dead letters are done, as a topic of marks says. The key of a mark is
 * "PARTITION:OFFSET:TIME" of the letter; a mark without a value takes the earlier one back. A topic
 * that was deleted and made again has the same offsets, but other times: its letters are not done.
 */
#ifndef HERALD_KAFKA_MARKS_H
#define HERALD_KAFKA_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/memory.h>

#include "records.h"

#define KAFKA_MARK_KEY_BYTES 64

struct kafka_mark {
	int64_t offset, time_ms;
	int32_t partition;
	bool is_used, is_done;
};

struct kafka_marks {
	struct herald_allocator allocator;
	size_t max; /* of marks */

	struct kafka_mark *items; /* a hash table with `room` places, a power of two */
	size_t room, used;

	/* The topic. */
	struct kafka_records records; /* topic NULL: there are no marks */
	int64_t next;
};

/* Begin with a topic of one partition, which exists.
 *
 * Errors  HERALD_UNAVAILABLE. */
enum herald_status
herald__kafka_marks_open(struct kafka_marks *marks, const char *topic, struct herald_error *error);
void herald__kafka_marks_close(struct kafka_marks *marks);

/* Read what was written since the last call.
 *
 * Errors  HERALD_UNAVAILABLE, HERALD_NO_MEMORY; HERALD_LIMIT: there are more than `max`. */
enum herald_status herald__kafka_marks_read(struct kafka_marks *marks, struct herald_error *error);

bool herald__kafka_marks_has(const struct kafka_marks *marks, int32_t partition, int64_t offset,
			     int64_t time_ms);

/* "0:17" or "0:17:1764438000123", of so many numbers. */
bool herald__kafka_numbers_read(const char *text, int64_t *numbers, size_t count);
void herald__kafka_mark_name(int32_t partition, int64_t offset, int64_t time_ms,
			     char out[KAFKA_MARK_KEY_BYTES]);

#endif
