/*
 * The encoder: a struct as JSON, driven by a plan. Decides which members are left out, and refuses
 * whatever the decoder would refuse. The buffer and its growth are in buffer.c, numbers in
 * number_write.c.
 */
#include <math.h>
#include <string.h>

#include <herald/adapter/memory.h>

#include "base/attributes.h"
#include "base/simd.h"
#include "base/utf8.h"
#include "codec/cases.h"
#include "codec/check.h"
#include "codec/constraints.h"
#include "codec/duplicate.h"
#include "codec/form_encode.h"
#include "codec/plan.h"
#include "json/reader/scan.h"
#include "json/writer/escape.h"
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
encode_object(struct writer *writer, char *at, const struct herald__plan *plan, const char *in);
static char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member);
static char *encode_array(struct writer *writer, char *at, const struct herald__field *field,
			  const char *member);
static char *encode_struct_map(struct writer *writer, char *at, const struct herald__field *field,
			       const char *member);
static char *encode_value_struct(struct writer *writer, char *at, const struct herald__field *field,
				 const char *in);
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

/* Write a text for which there is not enough room yet. */
HERALD__COLD static char *
encode_large(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	if (bytes > SIZE_MAX - 2 || !(at = grow(writer, at, bytes + 2)))
		return NULL;
	return encode_text(writer, at, text, bytes, max_bytes);
}

/*
 * Write a string in quotes, of at most `max_bytes` bytes. Each call here is a tail call, so that
 * few registers need to be saved.
 */
HERALD__NOT_INLINE static char *
encode_text(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	const char *plain;

	/* Room for the text and its quotes; only escapes need more. */
	if (bytes > SIZE_MAX - 2 || room(writer, at) < bytes + 2)
		return encode_large(writer, at, text, bytes, max_bytes);
	*at = '"';
	plain = herald__write_plain(at + 1, text, text + bytes);
	if (plain != text + bytes || bytes > max_bytes)
		return encode_special(writer, at, text, plain, bytes, max_bytes);
	at[bytes + 1] = '"';
	return at + bytes + 2;
}

static inline char *
encode_string(struct writer *writer, char *at, const struct herald__field *field, const char *text,
	      size_t bytes)
{
	if ((field->flags & (HERALD__LENGTH | HERALD__ONE_OF)) != 0 &&
	    !herald__string_fits(field, bytes) &&
	    !herald__check_string(&writer->trace, HERALD_NO_OFFSET, field, text, bytes))
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
			return encode_text(writer, at, name->name, strlen(name->name),
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

/* Write an entry of either kind of map. In a map of any values, `json` takes precedence over
 * `text`. */
static HERALD__INLINE char *
encode_entry(struct writer *writer, char *at, const char *key, const char *text,
	     const struct herald_json *json)
{
	if (!key)
		return FAIL(writer, HERALD_MISSING, "expected keys, found a NULL");
	at = encode_text(writer, at, key, strlen(key), writer->limits->max_key_bytes);
	if (!at || !(at = put_byte(writer, at, ':')))
		return NULL;
	if (json && json->data)
		return encode_json(writer, at, NULL, json);
	if (text)
		return encode_text(writer, at, text, strlen(text),
				   writer->limits->max_string_bytes);
	return FAIL(writer, HERALD_MISSING, "expected a value, found NULL");
}

static HERALD__INLINE bool
check_keys(struct writer *writer, const char *entries, size_t entry_bytes, size_t count)
{
	const struct herald_allocator *allocator = &writer->out->allocator;
	size_t bytes = herald__duplicate_scratch(count);
	void *scratch = NULL;
	const char *twice;

	if (bytes > 0 && !(scratch = herald_memory_allocate(allocator, bytes)))
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_NO_MEMORY,
					  "out of memory");
	twice = herald__find_duplicate(entries, entry_bytes, count, scratch);
	if (scratch)
		herald_memory_release(allocator, scratch, bytes);
	if (!twice)
		return true;
	herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_DUPLICATE,
			   "is a duplicate member");
	herald__trace_key(&writer->trace, twice, strlen(twice));
	return false;
}

/* Write either kind of map. Both have the same layout (see decode_object.c), with entries of
 * `entry_bytes` each. */
HERALD__NOT_INLINE static char *
encode_map(struct writer *writer, char *at, const struct herald__field *field,
	   const struct herald_map *map)
{
	bool of_strings = field->kind == HERALD_KIND_MAP;
	size_t entry_bytes =
		of_strings ? sizeof(struct herald_pair) : sizeof(struct herald_json_pair);
	const char *entry = (const char *)map->pairs;
	char *after;

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, map->count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '{')))
		return NULL;
	for (size_t i = 0; i < map->count; i++, entry += entry_bytes) {
		/* Both kinds begin with the key and the text. */
		const char *const *words = (const void *)entry;
		const struct herald_json_pair *pair = of_strings ? NULL : (const void *)entry;

		if (i > 0 && !(at = put_byte(writer, at, ',')))
			return NULL;
		after = encode_entry(writer, at, words[0], words[1], pair ? &pair->json : NULL);
		if (!after) {
			if (words[0])
				herald__trace_key(&writer->trace, words[0], strlen(words[0]));
			return NULL;
		}
		at = after;
	}
	writer->depth--;
	at = put_byte(writer, at, '}');
	return at && check_keys(writer, (const char *)map->pairs, entry_bytes, map->count) ? at
											   : NULL;
}

static HERALD__INLINE char *
encode_number(struct writer *writer, char *at, const struct herald__field *field,
	      enum herald_kind kind, const void *in)
{
	switch (kind) {
	case HERALD_KIND_INT8:
		return encode_signed(writer, at, field, *(const int8_t *)in);
	case HERALD_KIND_INT16:
		return encode_signed(writer, at, field, *(const int16_t *)in);
	case HERALD_KIND_INT32:
		return encode_signed(writer, at, field, *(const int32_t *)in);
	case HERALD_KIND_INT64:
		return encode_signed(writer, at, field, *(const int64_t *)in);
	case HERALD_KIND_UINT8:
		return encode_unsigned(writer, at, field, *(const uint8_t *)in);
	case HERALD_KIND_UINT16:
		return encode_unsigned(writer, at, field, *(const uint16_t *)in);
	case HERALD_KIND_UINT32:
		return encode_unsigned(writer, at, field, *(const uint32_t *)in);
	case HERALD_KIND_UINT64:
		return encode_unsigned(writer, at, field, *(const uint64_t *)in);
	case HERALD_KIND_FLOAT:
		return encode_real(writer, at, field, (double)*(const float *)in, true);
	default:
		return encode_real(writer, at, field, *(const double *)in, false);
	}
}

_Static_assert(offsetof(struct herald_text, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_json, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_map, pairs) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_json_map, pairs) == 0, "the pointer first");

static inline bool
is_absent(enum herald_kind kind, const void *in)
{
	return herald__kind_is_pointer(kind) && !*(const void *const *)in;
}

/* Write a member's value, or an element of a list of values. */
static HERALD__INLINE char *
encode_value(struct writer *writer, char *at, const struct herald__field *field,
	     enum herald_kind kind, const void *in)
{
	const char *string;

	switch ((int)kind) {
	case HERALD_KIND_BOOL:
		return encode_bool(writer, at, *(const bool *)in);
	case HERALD_KIND_STRING:
		string = *(const char *const *)in;
		return encode_string(writer, at, field, string, strlen(string));
	case HERALD_KIND_TEXT:
		return encode_string(writer, at, field, ((const struct herald_text *)in)->data,
				     ((const struct herald_text *)in)->bytes);
	case HERALD_KIND_CHARS:
		return encode_chars(writer, at, field, in);
	case HERALD_KIND_TIME:
		return encode_time(writer, at, in);
	case HERALD_KIND_JSON:
		return encode_json(writer, at, field, in);
	case HERALD_KIND_MAP:
	case HERALD_KIND_JSON_MAP:
		return encode_map(writer, at, field, in);
	case HERALD_KIND_ENUM:
		return encode_enum(writer, at, field, *(const int *)in);
	case HERALD_KIND_STRUCT:
		return encode_object(writer, at, field->inner, in);
	case HERALD_KIND_POINTER:
		return encode_object(writer, at, field->inner, *(const char *const *)in);
	case HERALD_KIND_LIST:
	case HERALD_KIND_VALUES:
		return encode_list(writer, at, field, in);
	case HERALD__KIND_FORM:
		return encode_form(writer, at, field, in);
	case HERALD_KIND_ARRAY:
		return encode_array(writer, at, field, in);
	case HERALD_KIND_STRUCT_MAP:
		return encode_struct_map(writer, at, field, in);
	case HERALD__KIND_VALUE_IN:
		return encode_value_struct(writer, at, field, in);
	case HERALD__KIND_VALUE_AT:
		return encode_value_struct(writer, at, field, *(const char *const *)in);
	default:
		return encode_number(writer, at, field, kind, in);
	}
}

/* Write the elements of a list, each followed by a comma. */
static inline char *
encode_numbers(struct writer *writer, char *at, const struct herald__field *field,
	       enum herald_kind kind, size_t bytes, const char *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!(at = encode_number(writer, at, field, kind, items + i * bytes))) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if (!(at = put_byte(writer, at, ',')))
			return NULL;
	}
	return at;
}

static inline char *
encode_element(struct writer *writer, char *at, const struct herald__field *field, const char *in)
{
	enum herald_kind kind = (enum herald_kind)field->element;

	if (field->kind == HERALD_KIND_LIST)
		return encode_object(writer, at, field->inner, in);
	if ((int)kind == HERALD__KIND_NULLABLE) {
		if (!*(const char *const *)(const void *)in)
			return put(writer, at, "null", 4);
		kind = field->field->element;
	}
	if (is_absent(kind, in))
		return FAIL(writer, HERALD_MISSING, "expected an element, found NULL");
	return encode_value(writer, at, field, kind, in);
}

static char *
encode_elements(struct writer *writer, char *at, const struct herald__field *field, size_t bytes,
		const char *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!(at = encode_element(writer, at, field, items + i * bytes))) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if (!(at = put_byte(writer, at, ',')))
			return NULL;
	}
	return at;
}

HERALD__NOT_INLINE static char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member)
{
	const char *items = *(const char *const *)(const void *)member;
	size_t count =
		*(const size_t *)(const void *)(member - field->offset + field->count_offset);
	enum herald_kind kind = (enum herald_kind)field->element;
	size_t bytes = field->item_bytes;

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '[')))
		return NULL;
	if (count == 0) {
		writer->depth--;
		return put_byte(writer, at, ']');
	}
	/* Numbers need none of the checks that other elements do, and so have a faster loop. */
	if (kind == HERALD_KIND_DOUBLE)
		at = encode_numbers(writer, at, field, HERALD_KIND_DOUBLE, sizeof(double), items,
				    count);
	else if (herald__kind_is_number(kind))
		at = encode_numbers(writer, at, field, kind, bytes, items, count);
	else
		at = encode_elements(writer, at, field, bytes, items, count);
	if (!at)
		return NULL;
	writer->depth--;
	at[-1] = ']';
	return at;
}

HERALD__NOT_INLINE static char *
encode_array(struct writer *writer, char *at, const struct herald__field *field, const char *member)
{
	if (!enter(writer) || !(at = put_byte(writer, at, '[')) ||
	    !(at = encode_elements(writer, at, field, field->item_bytes, member,
				   field->array_count)))
		return NULL;
	writer->depth--;
	at[-1] = ']';
	return at;
}

/* Write a member of a map of structs. */
static char *
encode_keyed(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	const char *key = *(const char *const *)(const void *)(in + plan->key_offset);

	if (!key)
		return FAIL(writer, HERALD_MISSING, "expected keys, found a NULL");
	at = encode_text(writer, at, key, strlen(key), writer->limits->max_key_bytes);
	if (at)
		at = put_byte(writer, at, ':');
	if (at)
		at = encode_object(writer, at, plan, in);
	if (!at)
		herald__trace_key(&writer->trace, key, strlen(key));
	return at;
}

HERALD__NOT_INLINE static char *
encode_struct_map(struct writer *writer, char *at, const struct herald__field *field,
		  const char *member)
{
	const struct herald__plan *plan = field->inner;
	const char *items = *(const char *const *)(const void *)member;
	size_t count =
		*(const size_t *)(const void *)(member - field->offset + field->count_offset);

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || !(at = put_byte(writer, at, '{')))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && !(at = put_byte(writer, at, ','))) ||
		    !(at = encode_keyed(writer, at, plan, items + i * field->item_bytes)))
			return NULL;
	writer->depth--;
	if (!(at = put_byte(writer, at, '}')) ||
	    !check_keys(writer, items + plan->key_offset, field->item_bytes, count))
		return NULL;
	return at;
}

/*
 * Write a struct whose schema is transparent. Elements of lists may be null; but the null of a
 * member would not come back as the member's value: it is missing if it is required, and NULL if it
 * is a pointer.
 */
HERALD__NOT_INLINE static char *
encode_value_struct(struct writer *writer, char *at, const struct herald__field *field,
		    const char *in)
{
	size_t start = (size_t)(at - writer->out->data);

	if (!(at = encode_object(writer, at, field->inner, in)))
		return NULL;
	if (field->element == HERALD_KIND_NONE && (field->flags & HERALD__NULL_IS_VALUE) == 0 &&
	    (size_t)(at - writer->out->data) - start == 4 && memcmp(at - 4, "null", 4) == 0)
		return FAIL(writer, HERALD_MISSING, "%s",
			    (field->flags & HERALD__REQUIRED) != 0
				    ? "is required, but null"
				    : "is null, but a pointer to it is set");
	return at;
}

HERALD__NOT_INLINE static bool
is_zero(const char *member, size_t bytes)
{
	while (bytes > 0 && *member == '\0') {
		member++;
		bytes--;
	}
	return bytes == 0;
}

/* Whether to leave a member out of the JSON. */
static inline bool
is_left_out(const struct herald__field *field, const char *in)
{
	enum herald_kind kind = (enum herald_kind)field->kind;
	const void *member = in + field->offset;

	if ((field->flags & HERALD__MAY_LACK) == 0)
		return false;
	if ((field->flags & HERALD__OPTIONAL) != 0 &&
	    !*(const bool *)(const void *)(in + field->has_offset))
		return true;
	if (herald__kind_is_pointer(kind))
		return !*(const void *const *)member;
	return (field->flags & HERALD__OPTIONAL) == 0 && is_zero(member, field->field->bytes);
}

/* Whether leaving out a member is an error: it is required, or its has_ member is set. */
static bool
is_lost(const struct herald__field *field, const char *in)
{
	if ((field->flags & HERALD__REQUIRED) != 0)
		return true;
	if ((field->flags & HERALD__OPTIONAL) != 0)
		return *(const bool *)(const void *)(in + field->has_offset);
	if (herald__kind_has_count((enum herald_kind)field->kind))
		return *(const size_t *)(const void *)(in + field->count_offset) != 0;
	return herald__kind_is_map((enum herald_kind)field->kind) &&
	       ((const struct herald_map *)(const void *)(in + field->offset))->count != 0;
}

HERALD__COLD static char *
fail_lost(struct writer *writer, const struct herald__field *field)
{
	return FAIL(writer, HERALD_MISSING, "%s",
		    (field->flags & HERALD__REQUIRED) != 0 ? "is required, but NULL"
							   : "is NULL, but said to be there");
}

/* Write the value of a transparent schema's only field. */
HERALD__NOT_INLINE static char *
encode_transparent(struct writer *writer, char *at, const struct herald__field *field,
		   const char *in)
{
	if (!is_left_out(field, in))
		return encode_value(writer, at, field, (enum herald_kind)field->kind,
				    in + field->offset);
	if (is_lost(field, in))
		return fail_lost(writer, field);
	return put(writer, at, "null", 4);
}

/* Write a comma, a member's name and its colon. Nearly always a fixed-size copy without a loop. */
static inline char *
put_token(struct writer *writer, char *at, const struct herald__field *field)
{
	size_t bytes = field->token_bytes + 1;

	if (bytes > HERALD__TOKEN_PADDING || room(writer, at) < HERALD__TOKEN_PADDING)
		return put(writer, at, field->token - 1, bytes);
	memcpy(at, field->token - 1, HERALD__TOKEN_PADDING);
	return at + bytes;
}

/* Write by a plan that has something special about it. */
HERALD__NOT_INLINE static char *
encode_by_special(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	if ((plan->special & HERALD__TRANSPARENT) != 0)
		at = encode_transparent(writer, at, &plan->fields[0], in);
	else if ((plan->special & HERALD__TAGGED) != 0)
		at = encode_object(writer, at, herald__choose_to_encode(plan, in), in);
	else
		at = encode_object(writer, at, plan->usual, in);
	if (!at || (plan->special & HERALD__CHECKED) == 0 ||
	    herald__run_checks(&writer->trace, HERALD_NO_OFFSET, plan, in))
		return at;
	return NULL;
}

static char *
encode_object(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	size_t start = (size_t)(at - writer->out->data);
	const struct herald__field *field = plan->fields, *end = field + plan->fields_count;

	if (plan->special != 0)
		return encode_by_special(writer, at, plan, in);
	if (!enter(writer))
		return NULL;
	for (; field < end; field++) {
		if (!is_left_out(field, in)) {
			at = put_token(writer, at, field);
			if (at)
				at = encode_value(writer, at, field, (enum herald_kind)field->kind,
						  in + field->offset);
		} else if (is_lost(field, in)) {
			at = fail_lost(writer, field);
		}
		if (!at) {
			herald__trace_key(&writer->trace, field->name, field->name_bytes);
			return NULL;
		}
	}
	writer->depth--;
	if ((size_t)(at - writer->out->data) == start)
		return put(writer, at, "{}", 2);
	/* Replace the comma of the first member. */
	writer->out->data[start] = '{';
	return put_byte(writer, at, '}');
}

enum herald_status
herald_codec_encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out,
		    struct herald_error *error)
{
	struct writer writer;
	size_t before = out->bytes;
	char *at;

	/* Set the members one by one: an initialiser would also clear the error struct, which is
	 * large and needed only after an error. */
	writer.out = out;
	writer.limits = &codec->limits;
	writer.depth = 0;
	if ((at = open_buffer(&writer)))
		at = codec->root ? encode_object(&writer, at, codec->root, in)
				 : encode_json(&writer, at, NULL, in);
	if (at) {
		flush(&writer, at);
		return HERALD_OK;
	}
	out->bytes = before;
	return herald__trace_finish(&writer.trace, "", error);
}
