/*
 * The state of encoding, and writing of all values that have no members and no elements: strings,
 * numbers, times, enums, raw JSON and other forms. Objects, lists and maps are in encode.c.
 *
 * A part of encode.c, its only includer: compiling both together is faster, because the code for
 * the most frequent kinds is inlined into its loops. Private.
 */
#ifndef HERALD_SRC_CODEC_ENCODE_SCALAR_H
#define HERALD_SRC_CODEC_ENCODE_SCALAR_H

#include <math.h>
#include <string.h>

#include "base/attributes.h"
#include "base/simd.h"
#include "base/utf8.h"
#include "codec/constraints.h"
#include "codec/form_encode.h"
#include "codec/plan.h"
#include "json/reader/scan.h"
#include "json/writer/escape.h"
#include "json/writer/integer_write.h"
#include "json/writer/number_write.h"
#include "json/writer/string_write.h"

/*
 * Inlining: the code for the most frequent kinds is inlined into the loop over the members.
 * Everything else is not, so that the loop has enough registers.
 */
/* The state of writing a document. The place of the next byte is not in it, so that it stays in a
 * register. */
struct writer {
	const char *end;           /* the end of the space in the buffer */
	struct herald_buffer *out; /* its `bytes` are set by flush() only */
	const struct herald_limits *limits;
	size_t depth;
	struct herald__trace trace;
};

/*
 * Functions that return a place take the place to write at, and return the place after what they
 * wrote, or NULL after recording an error.
 */
static char *
encode_text(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes);

static void
flush(struct writer *writer, const char *at)
{
	writer->out->bytes = (size_t)(at - writer->out->data);
}

/* herald__trace_fail() in a function that returns a place. */
#define FAIL(WRITER, ...)                                                                          \
	(herald__trace_fail(&(WRITER)->trace, HERALD_NO_OFFSET, __VA_ARGS__), NULL)

HERALD__COLD static char *
grow(struct writer *writer, char *at, size_t bytes)
{
	enum herald_status status;

	flush(writer, at);
	if ((status = herald_buffer_reserve(writer->out, bytes)) != HERALD_OK)
		return FAIL(writer, status, "%s",
			    status == HERALD_TOO_LARGE
				    ? "the JSON is larger than the buffer may grow"
				    : "out of memory");
	writer->end = writer->out->data + writer->out->capacity;
	return writer->out->data + writer->out->bytes;
}

/* Begin at the end of the buffer. Reserves a byte, because JSON is never empty, so that the buffer
 * is allocated from here on. */
static inline char *
open_buffer(struct writer *writer)
{
	struct herald_buffer *out = writer->out;

	if (out->bytes == out->capacity)
		return grow(writer, out->bytes > 0 ? out->data + out->bytes : out->data, 1);
	writer->end = out->data + out->capacity;
	return out->data + out->bytes;
}

static inline size_t
room(const struct writer *writer, const char *at)
{
	return (size_t)(writer->end - at);
}

/* Make room for `bytes` more bytes. */
static inline char *
reserve(struct writer *writer, char *at, size_t bytes)
{
	return room(writer, at) >= bytes ? at : grow(writer, at, bytes);
}

static inline char *
put(struct writer *writer, char *at, const char *data, size_t bytes)
{
	if (!(at = reserve(writer, at, bytes)))
		return NULL;
	memcpy(at, data, bytes);
	return at + bytes;
}

static inline char *
put_byte(struct writer *writer, char *at, char byte)
{
	if (!(at = reserve(writer, at, 1)))
		return NULL;
	*at = byte;
	return at + 1;
}

/* Fail at the first byte of a text that is not UTF-8. */
static char *
fail_utf8(struct writer *writer, const char *text, const char *end)
{
	size_t length;

	for (;; text += length) {
		length = (unsigned char)*text < 0x80 ? 1 : herald__utf8_sequence(text, end);
		if (length == 0)
			return FAIL(writer, HERALD_BAD_UTF8, "expected UTF-8, found byte 0x%02X",
				    (unsigned char)*text);
	}
}

/* Write a text from its first special byte on: check, escape and copy. Reserves no more room than
 * needed. */
static char *
encode_slowly(struct writer *writer, char *at, const char *text, const char *end)
{
	char escape[8];

	if (!herald__is_utf8(text, (size_t)(end - text)))
		return fail_utf8(writer, text, end);
	for (;; text++) {
		const char *special = herald__find_special(text, end);

		if (!(at = put(writer, at, text, (size_t)(special - text))))
			return NULL;
		if (special == end)
			return at;
		text = special;
		if (!(at = put(writer, at, escape, herald__write_escape(*text, escape))))
			return NULL;
	}
}

HERALD__COLD static char *
fail_length(struct writer *writer, size_t bytes, size_t max_bytes)
{
	return FAIL(writer, HERALD_LIMIT,
		    "expected a string of at most %zu bytes in JSON, found %zu", max_bytes, bytes);
}

/*
 * Write a text whose bytes up to `from` are plain and already copied; `at` is the opening quote.
 * `from` may be the end of the text. Checks the length and the rest of the text.
 */
HERALD__NOT_INLINE static char *
encode_special(struct writer *writer, char *at, const char *text, const char *from, size_t bytes,
	       size_t max_bytes)
{
	size_t start = (size_t)(at + 1 - writer->out->data);
	const char *end = text + bytes;
	char *after;

	at += 1 + (from - text);
	after = herald__write_text(at, writer->end, text, from, end);
	if (!after && !(after = encode_slowly(writer, at, from, end)))
		return NULL;
	bytes = (size_t)(after - writer->out->data) - start;
	if (bytes > max_bytes)
		return fail_length(writer, bytes, max_bytes);
	return put_byte(writer, after, '"');
}

/* Write a long text for which there is enough room, unless escapes need more. */
static inline char *
encode_long(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	const char *end = text + bytes, *plain = herald__write_blocks(at + 1, text, end);

	*at = '"';
	plain = herald__write_plain(at + 1 + (plain - text), plain, end);
	if (plain != end || bytes > max_bytes)
		return encode_special(writer, at, text, plain, bytes, max_bytes);
	at[bytes + 1] = '"';
	return at + bytes + 2;
}

/* Write a text that is long, or for which there is not enough room yet. */
HERALD__NOT_INLINE static char *
encode_large(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	if (bytes > SIZE_MAX - 2 || !(at = reserve(writer, at, bytes + 2)))
		return NULL;
	if (bytes >= HERALD__LONG_TEXT)
		return encode_long(writer, at, text, bytes, max_bytes);
	return encode_text(writer, at, text, bytes, max_bytes);
}

/*
 * Write a string in quotes, of at most `max_bytes` bytes. Each call here is a tail call, so that
 * few registers need to be saved. Inlined, for members and keys: most strings are one of these.
 */
static HERALD__INLINE char *
encode_text_here(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	const char *plain;

	/* Room for the text and its quotes; only escapes need more. */
	if (bytes >= HERALD__LONG_TEXT || room(writer, at) < bytes + 2)
		return encode_large(writer, at, text, bytes, max_bytes);
	*at = '"';
	plain = herald__write_plain(at + 1, text, text + bytes);
	if (plain != text + bytes || bytes > max_bytes)
		return encode_special(writer, at, text, plain, bytes, max_bytes);
	at[bytes + 1] = '"';
	return at + bytes + 2;
}

/* The same for other strings. */
HERALD__NOT_INLINE static char *
encode_text(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	return encode_text_here(writer, at, text, bytes, max_bytes);
}

static inline bool
check_text(struct writer *writer, const struct herald__field *field, const char *text, size_t bytes)
{
	return (field->flags & (HERALD__LENGTH | HERALD__ONE_OF)) == 0 ||
	       herald__string_fits(field, bytes) ||
	       herald__check_string(&writer->trace, HERALD_NO_OFFSET, field, text, bytes);
}

static inline char *
encode_string(struct writer *writer, char *at, const struct herald__field *field, const char *text,
	      size_t bytes)
{
	if (!check_text(writer, field, text, bytes))
		return NULL;
	return encode_text(writer, at, text, bytes, writer->limits->max_string_bytes);
}

HERALD__NOT_INLINE static char *
encode_chars(struct writer *writer, char *at, const struct herald__field *field, const char *text)
{
	const char *nul = memchr(text, '\0', field->field->bytes);

	if (!nul)
		return FAIL(writer, HERALD_BAD_LENGTH,
			    "expected a NUL within the char[%zu], found none", field->field->bytes);
	return encode_string(writer, at, field, text, (size_t)(nul - text));
}

/* For when the longest number may not fit: the buffer may have just enough room for this one. */
HERALD__COLD static char *
put_integer(struct writer *writer, char *at, uint64_t magnitude, bool negative)
{
	char text[HERALD__NUMBER_BYTES], *begin = text + !negative;

	text[0] = '-';
	return put(writer, at, begin, (size_t)(herald__write_natural(magnitude, text + 1) - begin));
}

HERALD__COLD static char *
put_real(struct writer *writer, char *at, double value, bool single)
{
	char text[HERALD__NUMBER_BYTES];
	char *end = single ? herald__write_float((float)value, text)
			   : herald__write_double(value, text);

	return put(writer, at, text, (size_t)(end - text));
}

HERALD__COLD static char *
fail_signed(struct writer *writer, const struct herald__field *field, int64_t value)
{
	char text[HERALD__NUMBER_BYTES];

	*herald__write_integer(value, text) = '\0';
	herald__fail_integer(&writer->trace, HERALD_NO_OFFSET, field, text);
	return NULL;
}

static inline char *
encode_signed(struct writer *writer, char *at, const struct herald__field *field, int64_t value)
{
	if (value < field->range.integer.min || value > field->range.integer.max)
		return fail_signed(writer, field, value);
	if (room(writer, at) < HERALD__NUMBER_BYTES)
		return put_integer(writer, at, value < 0 ? -(uint64_t)value : (uint64_t)value,
				   value < 0);
	return herald__write_integer(value, at);
}

HERALD__COLD static char *
fail_unsigned(struct writer *writer, const struct herald__field *field, uint64_t value)
{
	char text[HERALD__NUMBER_BYTES];

	*herald__write_natural(value, text) = '\0';
	herald__fail_integer(&writer->trace, HERALD_NO_OFFSET, field, text);
	return NULL;
}

static inline char *
encode_unsigned(struct writer *writer, char *at, const struct herald__field *field, uint64_t value)
{
	if (value < field->range.natural.min || value > field->range.natural.max)
		return fail_unsigned(writer, field, value);
	if (room(writer, at) < HERALD__NUMBER_BYTES)
		return put_integer(writer, at, value, false);
	return herald__write_natural(value, at);
}

HERALD__COLD static char *
fail_not_finite(struct writer *writer, double value)
{
	return FAIL(writer, HERALD_BAD_VALUE, "expected a finite number, found %s",
		    isnan(value) ? "NaN"
		    : value > 0  ? "infinity"
				 : "-infinity");
}

static inline char *
encode_real(struct writer *writer, char *at, const struct herald__field *field, double value,
	    bool single)
{
	if (!isfinite(value))
		return fail_not_finite(writer, value);
	if ((field->flags & HERALD__BOUNDED) != 0 &&
	    !herald__check_real(&writer->trace, HERALD_NO_OFFSET, field, value))
		return NULL;
	if (room(writer, at) < HERALD__NUMBER_BYTES)
		return put_real(writer, at, value, single);
	return single ? herald__write_float((float)value, at) : herald__write_double(value, at);
}

static inline char *
encode_bool(struct writer *writer, char *at, bool value)
{
	/* Fixed-size copies, which need room for a few bytes more. */
	if (room(writer, at) < 8)
		return value ? put(writer, at, "true", 4) : put(writer, at, "false", 5);
	memcpy(at, value ? "true\0\0\0" : "false\0\0", 8);
	return at + 5 - value;
}

/* Write a time in quotes. There must be room for the longest one. Returns the place after it. */
static inline char *
write_time(struct writer *writer, char *out, const struct herald_time *time)
{
	size_t bytes = herald_time_format(time, out + 1);

	if (bytes == 0)
		return herald__fail_time(&writer->trace, time);
	if (bytes > writer->limits->max_string_bytes)
		return fail_length(writer, bytes, writer->limits->max_string_bytes);
	out[0] = out[bytes + 1] = '"';
	return out + bytes + 2;
}

/* For when the longest time may not fit. */
HERALD__COLD static char *
put_time(struct writer *writer, char *at, const struct herald_time *time)
{
	char text[HERALD_TIME_TEXT_BYTES + 2];
	char *end = write_time(writer, text, time);

	return end ? put(writer, at, text, (size_t)(end - text)) : NULL;
}

HERALD__NOT_INLINE static char *
encode_time(struct writer *writer, char *at, const struct herald_time *time)
{
	if (room(writer, at) < HERALD_TIME_TEXT_BYTES + 2)
		return put_time(writer, at, time);
	return write_time(writer, at, time);
}

HERALD__NOT_INLINE static char *
encode_enum(struct writer *writer, char *at, const struct herald__field *field, int value)
{
	for (size_t i = 0; i < field->field->names_count; i++) {
		const struct herald_name *name = &field->field->names[i];

		if (name->value == value)
			return encode_text_here(writer, at, name->name, strlen(name->name),
						writer->limits->max_string_bytes);
	}
	return FAIL(writer, HERALD_BAD_VALUE, "expected a value with a name, found %d", value);
}

HERALD__NOT_INLINE static char *
encode_json(struct writer *writer, char *at, const struct herald__field *field,
	    const struct herald_json *json)
{
	const char *begin = json->data, *end = json->data + json->bytes;
	struct herald_limits limits = *writer->limits;

	limits.max_depth -= writer->depth;
	if (!herald__check_json(json->data, json->bytes, &limits, &writer->trace))
		return NULL;
	while (herald__is_space(*begin))
		begin++;
	while (herald__is_space(end[-1]))
		end--;
	/* The member is required, not the elements of a list: these may be null. */
	if (*begin == 'n' && field && field->kind == HERALD_KIND_JSON &&
	    (field->flags & HERALD__REQUIRED) != 0)
		return FAIL(writer, HERALD_MISSING, "is required, but null");
	return put(writer, at, begin, (size_t)(end - begin));
}

/* Write a value that has a form of its own. */
HERALD__NOT_INLINE static char *
encode_form(struct writer *writer, char *at, const struct herald__field *field, const void *in)
{
	char text[HERALD__FORM_BYTES];
	size_t bytes = herald__encode_form(&writer->trace, field, in, text);

	if (bytes == 0)
		return NULL;
	if (text[0] == '"' && bytes - 2 > writer->limits->max_string_bytes)
		return fail_length(writer, bytes - 2, writer->limits->max_string_bytes);
	return put(writer, at, text, bytes);
}

static inline bool
enter(struct writer *writer)
{
	if (++writer->depth <= writer->limits->max_depth)
		return true;
	return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_LIMIT, HERALD__TOO_DEEP,
				  writer->limits->max_depth);
}

#endif
