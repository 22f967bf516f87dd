/*
 * Text that nobody has checked, made fit to be written: into JSON strings, log
 * lines and error messages. It never fails on what the text holds: what is not
 * UTF-8 becomes U+FFFD, what is a control character an escape. The encoder,
 * which is strict instead, does not use it.
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
 * printf into `size` bytes, at least 1, as one line of UTF-8: cut before the
 * character that does not fit, with '?' for each control character and each
 * byte that is not UTF-8. For error messages and reasons, whose arguments come
 * from events.
 */
HERALD_PRINTF(3, 0)
void herald__text_format(char *out, size_t size, const char *format, va_list arguments);

#endif
