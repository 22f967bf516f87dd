/*
 * The special bytes of a document one after the other: the scan of string_scan.h, for code that
 * looks at every byte between strings. Private.
 *
 * herald__next_special() computes the next special byte from where the last string ended, so that a
 * string cannot be looked at before the end of the previous one is known. A cursor clears one bit
 * of the window for each special byte that it has passed, so that the processor finds the next ones
 * while it still checks what is between them. The price: special bytes outside of strings, which
 * are line breaks and tabs, must be passed as well.
 *
 * While a cursor is used, only herald__cursor_end() makes the scan of the reader valid again.
 */
#ifndef HERALD_SRC_JSON_READER_SPECIAL_CURSOR_H
#define HERALD_SRC_JSON_READER_SPECIAL_CURSOR_H

#include "json/reader/reader.h"

struct herald__cursor {
	char *window;         /* the current 64 bytes */
	uint64_t special;     /* a bit for each special byte of it that has not been passed */
	const uint64_t *next; /* the masks after the window */
};

/* Begin at `at`, which must not be the end. */
static inline struct herald__cursor
herald__cursor_begin(struct herald__reader *reader, char *at)
{
	size_t in = (size_t)((uintptr_t)at - (uintptr_t)reader->ahead_begin);

	if (in >= reader->ahead_bytes) {
		reader->scan_ahead(reader, at);
		in = 0;
	}
	return (struct herald__cursor){
		.window = at - in % 64,
		.special = reader->ahead[in / 64] & UINT64_MAX << in % 64,
		.next = &reader->ahead[in / 64 + 1],
	};
}

/* Go on with herald__next_special(). */
static inline void
herald__cursor_end(struct herald__reader *reader, const struct herald__cursor *cursor)
{
	reader->window = cursor->window;
	reader->special = cursor->next[-1];
	reader->next = cursor->next;
}

/* Go to the next window. Returns false if the document ends before it. */
static HERALD__INLINE bool
herald__cursor_step(struct herald__reader *reader, struct herald__cursor *cursor)
{
	cursor->window += 64;
	if (!HERALD__LIKELY(cursor->next != reader->ahead_end)) {
		cursor->special = 0;
		if (cursor->window >= reader->end)
			return false;
		reader->scan_ahead(reader, cursor->window);
		cursor->next = reader->ahead;
	}
	cursor->special = *cursor->next++;
	return true;
}

/* Pass the next special byte, and return it. If there is none, the last byte of the document. */
static HERALD__INLINE char *
herald__cursor_next(struct herald__reader *reader, struct herald__cursor *cursor)
{
	char *at;

	while (!HERALD__LIKELY(cursor->special != 0))
		if (!herald__cursor_step(reader, cursor))
			return reader->end - 1;
	at = cursor->window + (unsigned)__builtin_ctzll(cursor->special);
	cursor->special &= cursor->special - 1;
	return at;
}

/* Pass all special bytes before `at`, which must not be after the document. */
static HERALD__INLINE void
herald__cursor_pass(struct herald__reader *reader, struct herald__cursor *cursor, const char *at)
{
	uintptr_t in;

	while (!HERALD__LIKELY((in = (uintptr_t)at - (uintptr_t)cursor->window) < 64))
		if (!herald__cursor_step(reader, cursor))
			return;
	cursor->special &= UINT64_MAX << in;
}

#endif
