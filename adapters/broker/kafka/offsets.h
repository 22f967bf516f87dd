/*
 * What is written into the metadata of a partition's offset: which messages behind it are not
 * finished, how often each was delivered, and up to where messages were taken.
 *
 *	h1            the version
 *	*2 5 1 ...    offsets that are not finished, as differences; after a '*', how often the
 *	              following ones were delivered (1 at first)
 *	;9            the offset up to which all others are finished, minus the committed one
 *
 * Numbers have 5 bits a character, from the least on; a blank here is none there.
 */
#ifndef HERALD_KAFKA_OFFSETS_H
#define HERALD_KAFKA_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>

/* The broker's limit (offset.metadata.max.bytes) is 4,096. */
#define KAFKA_METADATA_BYTES 4096

struct kafka_offsets_writer {
	char *text; /* of KAFKA_METADATA_BYTES */
	size_t bytes;
	int64_t first, last;
	unsigned deliveries;
	int64_t cut; /* the first offset that did not fit; -1: all did */
};

/* first  the offset that is committed. */
void herald__kafka_offsets_begin(struct kafka_offsets_writer *writer, char *text, int64_t first);
/* An offset that is not finished, in order. */
void
herald__kafka_offsets_add(struct kafka_offsets_writer *writer, int64_t offset, unsigned deliveries);
/* All others before `limit` are finished. Returns the length; 0: there is nothing to say. */
size_t herald__kafka_offsets_end(struct kafka_offsets_writer *writer, int64_t limit);

struct kafka_offset {
	int64_t offset;
	unsigned deliveries;
};

struct kafka_offsets {
	struct kafka_offset *items; /* not finished */
	size_t count, room;
	size_t at;            /* those before were looked up */
	int64_t first, limit; /* all others between them are finished */
};

/* What is not understood is ignored: the messages come again. False: out of memory. */
bool
herald__kafka_offsets_read(struct kafka_offsets *offsets, const struct herald_allocator *allocator,
			   int64_t first, const char *text, size_t bytes);
void
herald__kafka_offsets_free(struct kafka_offsets *offsets, const struct herald_allocator *allocator);
/* Whether a message is finished; else how often it was delivered. Offsets ascend. Nothing is known
 * of one before the first. */
bool
herald__kafka_offsets_find(struct kafka_offsets *offsets, int64_t offset, unsigned *deliveries);

#endif
