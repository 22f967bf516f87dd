/*
 * The encoder: a struct as JSON, as a plan says. Owns what is left out, and
 * that nothing is written which the decoder would refuse. The buffer and its
 * growth are buffer.c's, numbers number.c's.
 */
#include <math.h>
#include <string.h>

#include "../memory.h"
#include "check.h"
#include "codec.h"
#include "escape.h"
#include "number.h"
#include "scan.h"
#include "simd.h"
#include "write_text.h"

/*
 * What nearly all members are is inlined into the loop over them, and everything else is not, so that the loop
 * has the registers: 84 -> 75 ns for the benchmark `user_created`, 430 -> 402 for `order`.
 */
#define INLINE inline __attribute__((always_inline))
#define APART __attribute__((noinline))
#define COLD __attribute__((noinline, cold))

/* A document being written. Where the next byte goes is not in it, so that it stays in a register. */
struct writer {
	const char *end;           /* how far there is room in the buffer */
	struct herald_buffer *out; /* its `bytes` are right only after flush() */
	const struct herald_limits *limits;
	size_t depth;
	struct herald__trace trace;
};

/*
 * The functions that return a place take the one to write at, and return the one behind what they wrote; or
 * NULL, after they recorded the failure.
 */
static char *
encode_object(struct writer *writer, char *at, const struct herald__plan *plan, const char *in);
static char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member);
static char *
encode_text(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes);

static void
flush(struct writer *writer, const char *at)
{
	writer->out->bytes = (size_t)(at - writer->out->data);
}

/* herald__trace_fail() where a place is to be returned. */
#define FAIL(WRITER, ...)                                                                          \
	(herald__trace_fail(&(WRITER)->trace, HERALD_NO_OFFSET, __VA_ARGS__), NULL)

static COLD char *
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

/* Begin where the buffer ends. JSON has at least a byte, so that from here on there is a buffer. */
static char *
open_buffer(struct writer *writer)
{
	return grow(writer,
		    writer->out->bytes > 0 ? writer->out->data + writer->out->bytes
					   : writer->out->data,
		    1);
}

static inline size_t
room(const struct writer *writer, const char *at)
{
	return (size_t)(writer->end - at);
}

/* Room for `bytes` more. */
static inline char *
reserve(struct writer *writer, char *at, size_t bytes)
{
	return room(writer, at) >= bytes ? at : grow(writer, at, bytes);
}

static inline char *
put(struct writer *writer, char *at, const char *data, size_t bytes)
{
	if ((at = reserve(writer, at, bytes)) == NULL)
		return NULL;
	memcpy(at, data, bytes);
	return at + bytes;
}

static inline char *
put_byte(struct writer *writer, char *at, char byte)
{
	if ((at = reserve(writer, at, 1)) == NULL)
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

/* From the first byte that is not plain on: check, escape, copy. No more room is taken than it needs. */
static char *
encode_slowly(struct writer *writer, char *at, const char *text, const char *end)
{
	char escape[8];

	if (!herald__is_utf8(text, (size_t)(end - text)))
		return fail_utf8(writer, text, end);
	for (;; text++) {
		const char *stop = herald__find_stop(text, end);

		if ((at = put(writer, at, text, (size_t)(stop - text))) == NULL)
			return NULL;
		if (stop == end)
			return at;
		text = stop;
		if ((at = put(writer, at, escape, herald__write_escape(*text, escape))) == NULL)
			return NULL;
	}
}

static COLD char *
fail_length(struct writer *writer, size_t bytes, size_t max_bytes)
{
	return FAIL(writer, HERALD_LIMIT,
		    "expected a string of at most %zu bytes in JSON, found %zu", max_bytes, bytes);
}

/*
 * From the opening quote at `at` on, when the text up to `from` is copied and plain: the others check nothing
 * of it. `from` may be its end.
 */
static APART char *
encode_special(struct writer *writer, char *at, const char *text, const char *from, size_t bytes,
	       size_t max_bytes)
{
	size_t start = (size_t)(at + 1 - writer->out->data);
	const char *end = text + bytes;
	char *after;

	at += 1 + (from - text);
	after = herald__write_text(at, writer->end, text, from, end);
	if (after == NULL && (after = encode_slowly(writer, at, from, end)) == NULL)
		return NULL;
	bytes = (size_t)(after - writer->out->data) - start;
	if (bytes > max_bytes)
		return fail_length(writer, bytes, max_bytes);
	return put_byte(writer, after, '"');
}

/* A text for which there is no room yet. */
static COLD char *
encode_large(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	if (bytes > SIZE_MAX - 2 || (at = grow(writer, at, bytes + 2)) == NULL)
		return NULL;
	return encode_text(writer, at, text, bytes, max_bytes);
}

/*
 * A string in quotes, with at most `max_bytes` between them. Each call here is the last thing that is done, so
 * that few registers have to be saved.
 */
static APART char *
encode_text(struct writer *writer, char *at, const char *text, size_t bytes, size_t max_bytes)
{
	const char *plain;

	/* Its bytes and the quotes; only escapes need more. */
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
	    !herald__check_string(&writer->trace, HERALD_NO_OFFSET, field, text, bytes))
		return NULL;
	return encode_text(writer, at, text, bytes, writer->limits->max_string_bytes);
}

static APART char *
encode_chars(struct writer *writer, char *at, const struct herald__field *field, const char *text)
{
	const char *nul = memchr(text, '\0', field->field->bytes);

	if (nul == NULL)
		return FAIL(writer, HERALD_BAD_LENGTH,
			    "expected a NUL within the char[%zu], found none", field->field->bytes);
	return encode_string(writer, at, field, text, (size_t)(nul - text));
}

/* Where there may be no room for the longest number; a buffer may be just large enough for this one. */
static COLD char *
put_integer(struct writer *writer, char *at, uint64_t magnitude, bool negative)
{
	char text[HERALD__NUMBER_BYTES], *begin = text + !negative;

	text[0] = '-';
	return put(writer, at, begin, (size_t)(herald__write_natural(magnitude, text + 1) - begin));
}

static COLD char *
put_real(struct writer *writer, char *at, double value, bool single)
{
	char text[HERALD__NUMBER_BYTES];
	char *end = single ? herald__write_float((float)value, text)
			   : herald__write_double(value, text);

	return put(writer, at, text, (size_t)(end - text));
}

static COLD char *
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

static COLD char *
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

static COLD char *
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
	/* Copies of fixed size, where there is room for the longer one and some more. */
	if (room(writer, at) < 8)
		return value ? put(writer, at, "true", 4) : put(writer, at, "false", 5);
	memcpy(at, value ? "true\0\0\0" : "false\0\0", 8);
	return at + 5 - value;
}

static COLD char *
fail_time(struct writer *writer, const struct herald_time *time)
{
	if (time->nanoseconds < 0 || time->nanoseconds > 999999999)
		return FAIL(writer, HERALD_BAD_TIME,
			    "expected nanoseconds from 0 to 999999999, found %d",
			    (int)time->nanoseconds);
	if (time->offset_minutes < -1439 || time->offset_minutes > 1439)
		return FAIL(writer, HERALD_BAD_TIME,
			    "expected offset_minutes from -1439 to 1439, found %d",
			    time->offset_minutes);
	return FAIL(writer, HERALD_BAD_TIME,
		    "expected a time in the years 0000 to 9999, found %lld seconds since 1970",
		    (long long)time->seconds);
}

static APART char *
encode_time(struct writer *writer, char *at, const struct herald_time *time)
{
	char text[HERALD_TIME_TEXT_BYTES + 2];
	bool near = room(writer, at) >= sizeof(text);
	char *out = near ? at : text;
	size_t bytes = herald_time_format(time, out + 1);

	if (bytes == 0)
		return fail_time(writer, time);
	if (bytes > writer->limits->max_string_bytes)
		return fail_length(writer, bytes, writer->limits->max_string_bytes);
	out[0] = out[bytes + 1] = '"';
	return near ? at + bytes + 2 : put(writer, at, text, bytes + 2);
}

static APART char *
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

static APART char *
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
	if (*begin == 'n' && field != NULL && (field->flags & HERALD__REQUIRED) != 0)
		return FAIL(writer, HERALD_MISSING, "is required, but null");
	return put(writer, at, begin, (size_t)(end - begin));
}

static inline bool
enter(struct writer *writer)
{
	if (++writer->depth <= writer->limits->max_depth)
		return true;
	return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_LIMIT, HERALD__TOO_DEEP,
				  writer->limits->max_depth);
}

/* An entry of either kind of map; `json`, of a map of any values, goes before `text`. */
static INLINE char *
encode_entry(struct writer *writer, char *at, const char *key, const char *text,
	     const struct herald_json *json)
{
	if (key == NULL)
		return FAIL(writer, HERALD_MISSING, "expected keys, found a NULL");
	at = encode_text(writer, at, key, strlen(key), writer->limits->max_key_bytes);
	if (at == NULL || (at = put_byte(writer, at, ':')) == NULL)
		return NULL;
	if (json != NULL && json->data != NULL)
		return encode_json(writer, at, NULL, json);
	if (text != NULL)
		return encode_text(writer, at, text, strlen(text),
				   writer->limits->max_string_bytes);
	return FAIL(writer, HERALD_MISSING, "expected a value, found NULL");
}

static bool
check_keys(struct writer *writer, const char *entries, size_t entry_bytes, size_t count)
{
	const struct herald_allocator *allocator = &writer->out->allocator;
	const void **scratch = NULL;
	const char *twice;
	size_t bytes = count * sizeof(*scratch);

	if (count > HERALD__FEW_ENTRIES && (scratch = herald__allocate(allocator, bytes)) == NULL)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_NO_MEMORY,
					  "out of memory");
	twice = herald__find_duplicate(entries, entry_bytes, count, scratch);
	herald__release(allocator, scratch, bytes);
	if (twice == NULL)
		return true;
	herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_DUPLICATE,
			   "is a duplicate member");
	herald__trace_key(&writer->trace, twice, strlen(twice));
	return false;
}

/* Either kind of map: they have the same layout, see decode.c, and entries of `entry_bytes` each. */
static APART char *
encode_map(struct writer *writer, char *at, const struct herald__field *field,
	   const struct herald_map *map)
{
	bool of_strings = field->kind == HERALD_KIND_MAP;
	size_t entry_bytes =
		of_strings ? sizeof(struct herald_pair) : sizeof(struct herald_json_pair);
	const char *entry = (const char *)map->pairs;
	char *after;

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, map->count) ||
	    !enter(writer) || (at = put_byte(writer, at, '{')) == NULL)
		return NULL;
	for (size_t i = 0; i < map->count; i++, entry += entry_bytes) {
		/* Key and text come first in both kinds. */
		const char *const *words = (const void *)entry;
		const struct herald_json_pair *pair = of_strings ? NULL : (const void *)entry;

		if (i > 0 && (at = put_byte(writer, at, ',')) == NULL)
			return NULL;
		after = encode_entry(writer, at, words[0], words[1], pair ? &pair->json : NULL);
		if (after == NULL) {
			if (words[0] != NULL)
				herald__trace_key(&writer->trace, words[0], strlen(words[0]));
			return NULL;
		}
		at = after;
	}
	writer->depth--;
	at = put_byte(writer, at, '}');
	return at != NULL && check_keys(writer, (const char *)map->pairs, entry_bytes, map->count)
		       ? at
		       : NULL;
}

static INLINE char *
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
	return herald__kind_is_pointer(kind) && *(const void *const *)in == NULL;
}

/* A member's value, or an element's of a list of values. */
static INLINE char *
encode_value(struct writer *writer, char *at, const struct herald__field *field,
	     enum herald_kind kind, const void *in)
{
	const char *string;

	switch (kind) {
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
	default:
		return encode_number(writer, at, field, kind, in);
	}
}

/* The elements of a list, each with a comma behind it. */
static inline char *
encode_numbers(struct writer *writer, char *at, const struct herald__field *field,
	       enum herald_kind kind, size_t bytes, const char *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if ((at = encode_number(writer, at, field, kind, items + i * bytes)) == NULL) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if ((at = put_byte(writer, at, ',')) == NULL)
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
	if (is_absent(kind, in))
		return FAIL(writer, HERALD_MISSING, "expected an element, found NULL");
	return encode_value(writer, at, field, kind, in);
}

static char *
encode_elements(struct writer *writer, char *at, const struct herald__field *field, size_t bytes,
		const char *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if ((at = encode_element(writer, at, field, items + i * bytes)) == NULL) {
			herald__trace_index(&writer->trace, i);
			return NULL;
		}
		if ((at = put_byte(writer, at, ',')) == NULL)
			return NULL;
	}
	return at;
}

static APART char *
encode_list(struct writer *writer, char *at, const struct herald__field *field, const char *member)
{
	const char *items = *(const char *const *)(const void *)member;
	size_t count =
		*(const size_t *)(const void *)(member - field->offset + field->count_offset);
	enum herald_kind kind = (enum herald_kind)field->element;
	size_t bytes = field->kind == HERALD_KIND_LIST ? field->inner->element_bytes
						       : herald__kind_bytes(kind);

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || (at = put_byte(writer, at, '[')) == NULL)
		return NULL;
	if (count == 0) {
		writer->depth--;
		return put_byte(writer, at, ']');
	}
	/* Numbers need not be looked at as other elements are: a tenth of the time of `telemetry`. */
	if (kind == HERALD_KIND_DOUBLE)
		at = encode_numbers(writer, at, field, HERALD_KIND_DOUBLE, sizeof(double), items,
				    count);
	else if (herald__kind_is_number(kind))
		at = encode_numbers(writer, at, field, kind, bytes, items, count);
	else
		at = encode_elements(writer, at, field, bytes, items, count);
	if (at == NULL)
		return NULL;
	writer->depth--;
	at[-1] = ']';
	return at;
}

static APART bool
is_zero(const char *member, size_t bytes)
{
	while (bytes > 0 && *member == '\0') {
		member++;
		bytes--;
	}
	return bytes == 0;
}

/* Whether a member is left out of the JSON. */
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
		return *(const void *const *)member == NULL;
	return (field->flags & HERALD__OPTIONAL) == 0 && is_zero(member, field->field->bytes);
}

/* Whether one that is left out was to be there: it is required, or what stands beside it says so. */
static bool
is_lost(const struct herald__field *field, const char *in)
{
	if ((field->flags & HERALD__REQUIRED) != 0)
		return true;
	if ((field->flags & HERALD__OPTIONAL) != 0)
		return *(const bool *)(const void *)(in + field->has_offset);
	if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES)
		return *(const size_t *)(const void *)(in + field->count_offset) != 0;
	return herald__kind_is_map((enum herald_kind)field->kind) &&
	       ((const struct herald_map *)(const void *)(in + field->offset))->count != 0;
}

/* A comma, a member's name, its colon. Nearly always a copy of fixed size, which needs no loop. */
static inline char *
put_token(struct writer *writer, char *at, const struct herald__field *field)
{
	size_t bytes = field->token_bytes + 1;

	if (bytes > HERALD__TOKEN_PADDING || room(writer, at) < HERALD__TOKEN_PADDING)
		return put(writer, at, field->token - 1, bytes);
	memcpy(at, field->token - 1, HERALD__TOKEN_PADDING);
	return at + bytes;
}

static char *
encode_object(struct writer *writer, char *at, const struct herald__plan *plan, const char *in)
{
	size_t start = (size_t)(at - writer->out->data);
	const struct herald__field *field = plan->fields, *end = field + plan->fields_count;

	if (!enter(writer))
		return NULL;
	for (; field < end; field++) {
		if (!is_left_out(field, in)) {
			at = put_token(writer, at, field);
			if (at != NULL)
				at = encode_value(writer, at, field, (enum herald_kind)field->kind,
						  in + field->offset);
		} else if (is_lost(field, in)) {
			at = FAIL(writer, HERALD_MISSING, "%s",
				  (field->flags & HERALD__REQUIRED) != 0
					  ? "is required, but NULL"
					  : "is NULL, but said to be there");
		}
		if (at == NULL) {
			herald__trace_key(&writer->trace, field->name, field->name_bytes);
			return NULL;
		}
	}
	writer->depth--;
	if ((size_t)(at - writer->out->data) == start)
		return put(writer, at, "{}", 2);
	/* The first member's comma. */
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

	/* Not an initialiser: the error struct in it is large, and needed only after a failure. */
	writer.out = out;
	writer.limits = &codec->limits;
	writer.depth = 0;
	if ((at = open_buffer(&writer)) != NULL)
		at = codec->root != NULL ? encode_object(&writer, at, codec->root, in)
					 : encode_json(&writer, at, NULL, in);
	if (at != NULL) {
		flush(&writer, at);
		return HERALD_OK;
	}
	out->bytes = before;
	return herald__trace_finish(&writer.trace, "", error);
}
