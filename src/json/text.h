/*
 * Text that nobody has checked, made fit to be written: into JSON strings, log
 * lines and error messages. It never fails on what the text holds: what is not
 * UTF-8 becomes U+FFFD, what is unprintable an escape. The encoder, which is
 * strict instead, does not use it.
 *
 * Unprintable is what could break a line of a log, steer a terminal, or change
 * the order in which a line is shown: control characters (C0, DEL, C1), U+2028
 * and U+2029, the controls of bidirectional text, and U+FEFF.
 */
#ifndef HERALD_SRC_JSON_TEXT_H
#define HERALD_SRC_JSON_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/status.h>

/*
 * The length of the UTF-8 sequence that `text` begins with (RFC 3629): 1 to 4
 * bytes; `bytes` is at least 1. Where there is none, *valid is false and the
 * length is that of the longest part that could have begun one, at least 1:
 * what one U+FFFD is to replace (The Unicode Standard, 3.9).
 */
size_t herald__utf8_next(const char *text, size_t bytes, bool *valid);

/* The code point of a valid sequence of `length` bytes. */
unsigned herald__utf8_code(const char *text, size_t length);

/* What to write for the next bytes of a text: those bytes themselves, or an
 * escape. */
struct herald__json_piece {
	const char *data; /* In the text, or `escape`; the struct must not be copied. */
	size_t bytes;
	size_t taken; /* How many bytes of the text it stands for; at least 1. */
	char escape[8];
};

/*
 * The next piece of a text as the content of a JSON string: a run of characters
 * that may stand as they are, as long as possible, or one escape. `bytes` is at
 * least 1.
 */
void herald__json_text_next(const char *text, size_t bytes, struct herald__json_piece *out);

/*
 * Add `text`, in quotes, as a JSON string. NULL is written as null.
 *
 * Errors  HERALD_TOO_LARGE, HERALD_NO_MEMORY; the buffer is then as it was.
 */
HERALD_MUST_CHECK enum herald_status
herald__json_append_text(struct herald_buffer *out, const char *text);

/* The same for `bytes` bytes, which may hold a NUL. */
HERALD_MUST_CHECK enum herald_status
herald__json_append_bytes(struct herald_buffer *out, const char *text, size_t bytes);

/*
 * Write the first character of a text as a JSON string has it: as it is, or as
 * an escape. `bytes` is at least 1. Returns how many bytes it took.
 */
size_t herald__json_character(const char *text, size_t bytes, struct herald__json_piece *out);

/*
 * Copy a text into `size` bytes, at least 1, as one line of UTF-8: unprintable
 * characters as JSON escapes ("\n", "\u009b"), other backslashes and quotes as
 * they are. What does not fit is cut between two characters, and "..." says so.
 *
 * is_cut  the text has lost its end already.
 */
void herald__text_line(char *out, size_t size, const char *text, size_t bytes, bool is_cut);

/* The longest line that is formatted. */
#define HERALD__LINE_BYTES 1024

/* The size of an error's message, and of a reason. */
#define HERALD__MESSAGE_BYTES sizeof(((struct herald_error *)NULL)->message)

/*
 * printf into a line as herald__text_line() writes it. What is past
 * HERALD__LINE_BYTES is cut, however large `size` is. For error messages and reasons, whose arguments come
 * from events.
 */
HERALD_PRINTF(3, 0)
void herald__text_format(char *out, size_t size, const char *format, va_list arguments);

/* The most that a message shows of a value. */
#define HERALD__SHOWN_BYTES 40

/* A value in a message: with two quotes, a last escape, "..." and a NUL. */
struct herald__shown {
	char text[HERALD__SHOWN_BYTES + 12];
};

/*
 * A string as a message shows it: `"text"` as JSON has it, or `"the beginnin"...`.
 * Returns shown->text.
 */
const char *herald__show_string(struct herald__shown *shown, const char *text, size_t bytes);

/* The same without quotes, for a number or a word, whose bytes are printable ASCII. */
const char *herald__show_word(struct herald__shown *shown, const char *text, size_t bytes);

#endif
