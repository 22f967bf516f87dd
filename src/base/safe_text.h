/*
 * Output of text that was not checked, into JSON strings, log lines and error messages. Never fails
 * because of the text: invalid UTF-8 becomes U+FFFD, and unprintable characters become escapes. The
 * encoder, which is strict, does not use it.
 *
 * Unprintable characters are those that could break a log line, control a terminal, or change the
 * order in which a line is displayed: control characters (C0, DEL, C1), U+2028 and U+2029, the
 * controls of bidirectional text, and U+FEFF.
 */
#ifndef HERALD_SRC_BASE_SAFE_TEXT_H
#define HERALD_SRC_BASE_SAFE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/status.h>

/*
 * The length of the UTF-8 sequence that `text` begins with (RFC 3629): 1 to 4 bytes. `bytes` must
 * be at least 1. If there is no valid sequence, *valid is false, and the length is the part that
 * one U+FFFD replaces: the longest part that could have begun a sequence, at least 1 (The Unicode
 * Standard, 3.9).
 */
size_t herald__utf8_next(const char *text, size_t bytes, bool *valid);

/* The code point of a valid sequence of `length` bytes. */
unsigned herald__utf8_code(const char *text, size_t length);

/* What to write for the next bytes of a text: these bytes unchanged, or an escape. */
struct herald__json_piece {
	const char *data; /* In the text, or `escape`; do not copy the struct. */
	size_t bytes;
	size_t taken; /* The number of bytes of the text that it represents; at least 1. */
	char escape[8];
};

/*
 * The next piece of a text as the content of a JSON string: the longest run of characters that need
 * no escape, or one escape. `bytes` must be at least 1.
 */
void herald__json_text_next(const char *text, size_t bytes, struct herald__json_piece *out);

/*
 * Append `text` in quotes, as a JSON string; NULL is written as null.
 *
 * Errors  HERALD_TOO_LARGE, HERALD_NO_MEMORY; the buffer is then unchanged.
 */
HERALD_MUST_CHECK enum herald_status
herald__json_append_text(struct herald_buffer *out, const char *text);

/* The same for `bytes` bytes, which may include NULs. */
HERALD_MUST_CHECK enum herald_status
herald__json_append_bytes(struct herald_buffer *out, const char *text, size_t bytes);

/*
 * Write the first character of a text as in a JSON string: unchanged, or as an escape. `bytes` must
 * be at least 1. Returns the number of bytes of the text that it took.
 */
size_t herald__json_character(const char *text, size_t bytes, struct herald__json_piece *out);

/*
 * Copy a text into `size` bytes, at least 1, as one line of UTF-8. Unprintable characters become
 * JSON escapes ("\n", "\u009b"); backslashes and quotes are unchanged. A text that does not fit is
 * cut between two characters and ends in "...".
 *
 * is_cut  the end of the text is already missing.
 */
void herald__text_line(char *out, size_t size, const char *text, size_t bytes, bool is_cut);

/* The maximum length of a formatted line. */
#define HERALD__LINE_BYTES 1024

/* The size of an error's message and of a reason. */
#define HERALD__MESSAGE_BYTES sizeof(((struct herald_error *)NULL)->message)

/*
 * printf() into a line as herald__text_line() writes it. What exceeds HERALD__LINE_BYTES is cut,
 * whatever `size` is. For error messages and reasons, whose arguments come from events.
 */
HERALD_PRINTF(3, 0)
void herald__text_format(char *out, size_t size, const char *format, va_list arguments);

/* The maximum number of bytes of a value that a message shows. */
#define HERALD__SHOWN_BYTES 40

/* A value as shown in a message, with two quotes, a last escape, "..." and a NUL. */
struct herald__shown {
	char text[HERALD__SHOWN_BYTES + 12];
};

/*
 * A string as a message shows it: `"text"` in JSON syntax, or `"the beginnin"...`. Returns
 * shown->text.
 */
const char *herald__show_string(struct herald__shown *shown, const char *text, size_t bytes);

/* The same without quotes, for a number or a word of printable ASCII. */
const char *herald__show_word(struct herald__shown *shown, const char *text, size_t bytes);

#endif
