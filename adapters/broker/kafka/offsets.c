/*
 * Reads and writes the metadata of committed offsets. It knows of numbers only; what they are for
 * is in partition.c.
 */
#include "offsets.h"

#include <string.h>

#include <herald/adapter/memory.h>

#define VERSION "h1"
#define DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define MORE 32u
/* A number has up to 13 characters. */
#define NUMBER_BYTES 13
/* A count with its mark, an offset, and the limit with its mark. */
#define ROOM ((size_t)4 * (NUMBER_BYTES + 1))
#define MAX_DELIVERIES 1000000

/* Writing. */

static void
write_number(struct kafka_offsets_writer *writer, uint64_t number)
{
	for (; number >= MORE; number /= MORE)
		writer->text[writer->bytes++] = DIGITS[number % MORE + MORE];
	writer->text[writer->bytes++] = DIGITS[number];
}

void
herald__kafka_offsets_begin(struct kafka_offsets_writer *writer, char *text, int64_t first)
{
	*writer = (struct kafka_offsets_writer){
		.text = text,
		.bytes = strlen(VERSION),
		.first = first,
		.last = first,
		.deliveries = 1,
		.cut = -1,
	};
	memcpy(text, VERSION, writer->bytes);
}

void
herald__kafka_offsets_add(struct kafka_offsets_writer *writer, int64_t offset, unsigned deliveries)
{
	if (writer->cut >= 0)
		return;
	if (writer->bytes + ROOM > KAFKA_METADATA_BYTES) {
		writer->cut = offset;
		return;
	}
	if (deliveries != writer->deliveries) {
		writer->text[writer->bytes++] = '*';
		write_number(writer, deliveries);
		writer->deliveries = deliveries;
	}
	write_number(writer, (uint64_t)(offset - writer->last));
	writer->last = offset;
}

size_t
herald__kafka_offsets_end(struct kafka_offsets_writer *writer, int64_t limit)
{
	if (writer->cut >= 0)
		limit = writer->cut;
	if (limit <= writer->first)
		return 0;
	writer->text[writer->bytes++] = ';';
	write_number(writer, (uint64_t)(limit - writer->first));
	return writer->bytes;
}

/* Reading. */

struct reader {
	const char *at, *end;
	bool has_failed;
};

static uint64_t
read_number(struct reader *reader)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 60 && reader->at < reader->end; shift += 5) {
		const char *digit = memchr(DIGITS, *reader->at++, (size_t)2 * MORE);

		if (!digit)
			break;
		const unsigned value = (unsigned)(digit - DIGITS);
		number |= (uint64_t)(value % MORE) << shift;
		if (value < MORE)
			return number;
	}
	reader->has_failed = true;
	return 0;
}

static bool
add(struct kafka_offsets *offsets, const struct herald_allocator *allocator, int64_t offset,
    unsigned deliveries)
{
	if (offsets->count == offsets->room) {
		const size_t room = offsets->room ? 2 * offsets->room : 16;
		struct kafka_offset *items = herald_memory_reallocate(
			allocator, offsets->items, offsets->room * sizeof(*items),
			room * sizeof(*items));

		if (!items)
			return false;
		offsets->items = items;
		offsets->room = room;
	}
	offsets->items[offsets->count++] = (struct kafka_offset){offset, deliveries};
	return true;
}

/* Returns false when out of memory. */
static bool
read_items(struct kafka_offsets *offsets, const struct herald_allocator *allocator, int64_t first,
	   struct reader *reader)
{
	uint64_t deliveries = 1;
	int64_t last = first;

	while (reader->at < reader->end && *reader->at != ';' && !reader->has_failed) {
		if (*reader->at == '*') {
			reader->at++;
			deliveries = read_number(reader);
			continue;
		}
		const uint64_t step = read_number(reader);
		if (step > (uint64_t)(INT64_MAX - last) || deliveries > MAX_DELIVERIES)
			reader->has_failed = true;
		if (reader->has_failed)
			break;
		last += (int64_t)step;
		if (!add(offsets, allocator, last, (unsigned)deliveries))
			return false;
	}
	return true;
}

bool
herald__kafka_offsets_read(struct kafka_offsets *offsets, const struct herald_allocator *allocator,
			   int64_t first, const char *text, size_t bytes)
{
	struct reader reader = {text, text + bytes, false};

	*offsets = (struct kafka_offsets){0};
	if (bytes < strlen(VERSION) || memcmp(text, VERSION, strlen(VERSION)) != 0)
		return true;
	reader.at += strlen(VERSION);
	if (!read_items(offsets, allocator, first, &reader)) {
		herald__kafka_offsets_free(offsets, allocator);
		return false;
	}
	if (!reader.has_failed && reader.at < reader.end) {
		reader.at++;
		const uint64_t limit = read_number(&reader);
		if (!reader.has_failed && limit <= (uint64_t)(INT64_MAX - first)) {
			offsets->first = first;
			offsets->limit = first + (int64_t)limit;
			return true;
		}
	}
	herald__kafka_offsets_free(offsets, allocator);
	return true;
}

void
herald__kafka_offsets_free(struct kafka_offsets *offsets, const struct herald_allocator *allocator)
{
	herald_memory_release(allocator, offsets->items, offsets->room * sizeof(*offsets->items));
	*offsets = (struct kafka_offsets){0};
}

bool
herald__kafka_offsets_find(struct kafka_offsets *offsets, int64_t offset, unsigned *deliveries)
{
	*deliveries = 0;
	if (offset < offsets->first || offset >= offsets->limit)
		return false;
	while (offsets->at < offsets->count && offsets->items[offsets->at].offset < offset)
		offsets->at++;
	if (offsets->at == offsets->count || offsets->items[offsets->at].offset != offset)
		return true;
	*deliveries = offsets->items[offsets->at++].deliveries;
	return false;
}
