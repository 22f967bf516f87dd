/*
 * Scanning for the special bytes of strings, ahead of reading. Private.
 */
#ifndef HERALD_SRC_JSON_READER_STRING_SCAN_H
#define HERALD_SRC_JSON_READER_STRING_SCAN_H

#include "json/reader/reader.h"

/* Set what depends on the processor. */
void herald__choose_scan(struct herald__reader *reader);

/* Scan again: other bytes are special now. */
static inline void
herald__rescan_special(struct herald__reader *reader)
{
	reader->window = NULL;
	reader->ahead_bytes = 0;
}

/* Begin with a document. Sets each member, because an initialiser would also clear the trace, which
 * is large and used only after an error. */
static inline void
herald__reader_begin(struct herald__reader *reader, char *data, size_t bytes,
		     const struct herald_limits *limits)
{
	reader->begin = data;
	reader->end = reader->whole_end = data + bytes;
	reader->arena = NULL;
	reader->limits = limits;
	reader->depth = 0;
	reader->base_offset = 0;
	reader->deferral = NULL;
	reader->tag = NULL;
	reader->skipped = NULL;
	reader->ends = NULL;
	reader->out_of_memory = false;
	reader->long_doubles = 0;
	memset(reader->gap_masks, 0, sizeof(reader->gap_masks));
	reader->text = HERALD__UNKNOWN;
	reader->sequences_count = 0;
	reader->ahead_begin = data;
	herald__choose_scan(reader);
	herald__rescan_special(reader);
}

/* herald__next_special() if the window has no further one. */
char *herald__next_special_further(struct herald__reader *reader, char *at);

/*
 * The first special byte at or after `at`, which must not be the end: a quote, a backslash, a
 * control character, and, until the document is known to be UTF-8, a non-ASCII byte. If there is
 * none, the last byte of the document.
 *
 * 1 KB is scanned at once, with a bit for each byte. The bits of the current 64 bytes are in one
 * word, so that the next special byte is found by a shift. That matters because reading a string
 * cannot begin before the end of the previous one is found, and comparing bytes takes five times as
 * long.
 */
static inline char *
herald__next_special(struct herald__reader *reader, char *at)
{
	uintptr_t in = (uintptr_t)at - (uintptr_t)reader->window;
	uint64_t special;

	if (in >= 64 || (special = reader->special >> in) == 0)
		return herald__next_special_further(reader, at);
	return at + (unsigned)__builtin_ctzll(special);
}

#endif
