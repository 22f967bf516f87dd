/*
 * The state of reading a JSON document; white space, words and errors. Private.
 *
 * The decoder relies on one invariant to avoid a check for the end at every byte: the last byte of
 * the document is '}'. Loops over digits, white space or letters stop there at the latest. The end
 * can be reached only inside a string or after a closing bracket, where it is checked. The
 * functions of json/reader/ do not rely on the invariant, unless their comments say so.
 */
#ifndef HERALD_SRC_JSON_READER_READER_H
#define HERALD_SRC_JSON_READER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/arena.h>
#include <herald/codec.h>

#include "base/attributes.h"
#include "base/error_path.h"
#include "base/safe_text.h"

/* The upper limit of limits.max_depth: each level takes a bit on the stack. */
#define HERALD__MAX_DEPTH 1024

/* Whether the part of the document that has not been read is UTF-8. */
enum herald__text {
	HERALD__UNKNOWN,
	HERALD__UTF8,
	HERALD__INVALID, /* at least one byte is wrong */
};

/* The lengths of white space that are remembered, one for each depth up to here; and the longest.
 * See gap.h. */
#define HERALD__GAPS 8
#define HERALD__MAX_GAP 30

struct herald__reader;
struct herald__deferral;
struct herald__ends;

/* Scans for special bytes from `at` on, which must not be the end: see herald__next_special(). */
typedef void herald__scan_function(struct herald__reader *reader, char *at);

struct herald__reader {
	char *begin;
	char *end;       /* where reading ends */
	char *whole_end; /* where the input ends; only white space is between */
	struct herald_arena *arena;
	const struct herald_limits *limits;
	size_t depth;                      /* arrays and objects that are open */
	size_t base_offset;                /* of `begin` in the document that errors refer to */
	struct herald__deferral *deferral; /* a member that another decoder reads, or NULL */

	/* The tag of the last union whose case was chosen by an enum: its place in the text, the
	 * place after it, and its number. NULL: there is none. */
	char *tag, *tag_end;
	int tag_value;

	/* Values that are skipped before they are decoded: see herald__skip_again(). */
	char *skipped;             /* those before this place have been skipped */
	struct herald__ends *ends; /* of the values in them; NULL until one is needed */
	bool out_of_memory;        /* there is none for `ends` */
	bool avx2;                 /* the processor has it: see base/simd.h */
	uint8_t long_doubles;      /* so many of the next doubles are likely to be long */

	/* The white space before members and elements: see gap.h. */
	uint32_t gap_masks[HERALD__GAPS]; /* a bit for each byte of it, and one; 0: none yet */
	uint8_t gap_bytes[HERALD__GAPS];

	/* The scan of strings: see string_scan.h. */
	enum herald__text text;
	unsigned sequences_count; /* non-ASCII sequences seen while `text` is unknown */
	char *window;             /* the current 64 bytes; NULL: none yet */
	uint64_t special;         /* a bit for each special byte of the window */
	char *ahead_begin;        /* the block that was scanned ahead */
	size_t ahead_bytes;
	const uint64_t *next;      /* in `ahead`: the masks after the window */
	const uint64_t *ahead_end; /* in `ahead`: after the last mask */
	herald__scan_function *scan_ahead;
	uint64_t ahead[16];

	struct herald__trace trace;
};

/* The offset of a byte in the document that errors refer to. */
static inline size_t
herald__offset(const struct herald__reader *reader, const char *at)
{
	return reader->base_offset + (size_t)(at - reader->begin);
}

/* Record an error at a byte of the document. Returns NULL, for the caller to return. */
HERALD_PRINTF(4, 5)
HERALD__COLD char *herald__fail(struct herald__reader *reader, const char *at,
				enum herald_status status, const char *format, ...);

/* Record that the value at `at` has the wrong type: HERALD_BAD_TYPE, or HERALD_BAD_JSON if there is
 * no value. */
HERALD__COLD void
herald__record_type(struct herald__reader *reader, const char *at, const char *expected);

/* Record a syntax error at `at`, which may be the end. */
HERALD__COLD void
herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected);

/* The number at `at` as text for a message. */
HERALD__COLD const char *herald__show_number(const struct herald__reader *reader, const char *at,
					     struct herald__shown *shown);

/* Record that the arena gave no memory for the value at `at`. Returns NULL. */
HERALD__COLD char *herald__fail_memory(struct herald__reader *reader, const char *at);

/* Fail at a number with a leading zero. */
HERALD__COLD char *herald__fail_zero(struct herald__reader *reader, const char *at);

/* The error when a bracket is nested too deeply; takes limits.max_depth. */
#define HERALD__TOO_DEEP                                                                           \
	"expected at most %zu nested arrays and objects (limits.max_depth), found more"

/* As herald__record_type() and herald__record_syntax(), but returning NULL as herald__fail()
 * does. */
static inline char *
herald__fail_type(struct herald__reader *reader, const char *at, const char *expected)
{
	herald__record_type(reader, at, expected);
	return NULL;
}

static inline char *
herald__fail_syntax(struct herald__reader *reader, const char *at, const char *expected)
{
	herald__record_syntax(reader, at, expected);
	return NULL;
}

static inline bool
herald__is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* herald__skip_space() for more than a byte of it. */
char *herald__skip_spaces(const struct herald__reader *reader, char *at);

/* Skip white space: usually there is none, or one byte. Relies on the invariant: it ends at '}' at
 * the latest. */
static inline char *
herald__skip_blank(const struct herald__reader *reader, char *at)
{
	if ((unsigned char)*at > ' ')
		return at;
	at += *at == ' ';
	return (unsigned char)*at > ' ' ? at : herald__skip_spaces(reader, at);
}

/* Whether `word` (true, false or null) is at `at`; the document may end within it. */
static inline bool
herald__is_word(const struct herald__reader *reader, const char *at, const char *word, size_t bytes)
{
	return (size_t)(reader->end - at) >= bytes && memcmp(at, word, bytes) == 0;
}

/* The first byte at or after `at` that is not white space, or the end. */
static inline char *
herald__skip_space(const struct herald__reader *reader, char *at)
{
	return at < reader->end && herald__is_space(*at) ? herald__skip_spaces(reader, at) : at;
}

#endif
