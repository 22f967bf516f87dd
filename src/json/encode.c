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

/* A document being written. */
struct writer {
	char *at, *end; /* in the buffer: where the next byte goes, and how far there is room */
	struct herald_buffer *out; /* its `bytes` are right only after flush() */
	const struct herald_limits *limits;
	size_t depth;
	struct herald__trace trace;
};

static bool encode_object(struct writer *writer, const struct herald__plan *plan, const char *in);

static void
flush(struct writer *writer)
{
	writer->out->bytes = (size_t)(writer->at - writer->out->data);
}

static bool
grow(struct writer *writer, size_t bytes)
{
	enum herald_status status;

	flush(writer);
	if ((status = herald_buffer_reserve(writer->out, bytes)) != HERALD_OK)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, status, "%s",
					  status == HERALD_TOO_LARGE
						  ? "the JSON is larger than the buffer may grow"
						  : "out of memory");
	writer->at = writer->out->data + writer->out->bytes;
	writer->end = writer->out->data + writer->out->capacity;
	return true;
}

/* Begin where the buffer ends. JSON has at least a byte, so that from here on there is a buffer. */
static bool
open_buffer(struct writer *writer)
{
	writer->at =
		writer->out->bytes > 0 ? writer->out->data + writer->out->bytes : writer->out->data;
	return grow(writer, 1);
}

static inline size_t
room(const struct writer *writer)
{
	return (size_t)(writer->end - writer->at);
}

/* Room for `bytes` more. The functions that return bool record a failure before they return false. */
static inline bool
reserve(struct writer *writer, size_t bytes)
{
	return room(writer) >= bytes || grow(writer, bytes);
}

static inline bool
put(struct writer *writer, const char *data, size_t bytes)
{
	if (!reserve(writer, bytes))
		return false;
	memcpy(writer->at, data, bytes);
	writer->at += bytes;
	return true;
}

static inline bool
put_byte(struct writer *writer, char byte)
{
	if (!reserve(writer, 1))
		return false;
	*writer->at++ = byte;
	return true;
}

/* Fail at the first byte of a text that is not UTF-8. */
static bool
fail_utf8(struct writer *writer, const char *at, const char *end)
{
	size_t length;

	for (;; at += length) {
		length = (unsigned char)*at < 0x80 ? 1 : herald__utf8_sequence(at, end);
		if (length == 0)
			return herald__trace_fail(
				&writer->trace, HERALD_NO_OFFSET, HERALD_BAD_UTF8,
				"byte 0x%02X does not begin a valid UTF-8 sequence",
				(unsigned char)*at);
	}
}

/* From the first byte that is not plain on: check, escape, copy. */
static bool
encode_special(struct writer *writer, const char *at, const char *end)
{
	char escape[8];
	bool ignored = false;

	if (!herald__is_utf8(at, (size_t)(end - at)))
		return fail_utf8(writer, at, end);
	writer->at = herald__copy_escaped(writer->at, writer->end, &at, end);
	/* What is left when there is little room: as much as it needs, and no more. */
	for (; at < end; at++) {
		/* It only reads, but finds places to write for the decoder. */
		const char *stop = herald__find_stop((char *)at, (char *)end, &ignored);

		if (!put(writer, at, (size_t)(stop - at)))
			return false;
		if (stop == end)
			return true;
		at = stop;
		if (!put(writer, escape, herald__write_escape(*at, escape)))
			return false;
	}
	return true;
}

/* A string in quotes, with at most `max_bytes` between them. */
static inline bool
encode_text(struct writer *writer, const char *text, size_t bytes, size_t max_bytes)
{
	size_t start, written;
	const char *plain;

	/* Its bytes and the quotes; only escapes need more. */
	if (bytes > SIZE_MAX - 2 || !reserve(writer, bytes + 2))
		return false;
	*writer->at++ = '"';
	start = (size_t)(writer->at - writer->out->data);
	plain = herald__copy_plain(writer->at, text, text + bytes);
	writer->at += plain - text;
	if (plain < text + bytes) {
		char *after = herald__write_text(writer->at, writer->end, text, plain, text + bytes);

		if (after != NULL)
			writer->at = after;
		else if (!encode_special(writer, plain, text + bytes))
			return false;
	}
	written = (size_t)(writer->at - writer->out->data) - start;
	if (written > max_bytes)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_LIMIT,
					  "a string of %zu bytes, but the limit is %zu", written,
					  max_bytes);
	return put_byte(writer, '"');
}

static bool
encode_string(struct writer *writer, const struct herald__field *field, const char *text,
	      size_t bytes)
{
	if ((field->flags & (HERALD__LENGTH | HERALD__ONE_OF)) != 0 &&
	    !herald__check_string(&writer->trace, HERALD_NO_OFFSET, field, text, bytes))
		return false;
	return encode_text(writer, text, bytes, writer->limits->max_string_bytes);
}

static bool
encode_chars(struct writer *writer, const struct herald__field *field, const char *text)
{
	const char *nul = memchr(text, '\0', field->field->bytes);

	if (nul == NULL)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_BAD_LENGTH,
					  "the array of %zu bytes has no NUL in it",
					  field->field->bytes);
	return encode_string(writer, field, text, (size_t)(nul - text));
}

/* Where there may be no room for the longest number; a buffer may be just large enough for this one. */
static bool
put_integer(struct writer *writer, uint64_t magnitude, bool negative)
{
	char text[HERALD__NUMBER_BYTES] = {0};
	size_t bytes = herald__write_natural(magnitude, text + 1) + negative;

	text[0] = '-';
	return put(writer, text + !negative, bytes);
}

static bool
put_real(struct writer *writer, double value, bool single)
{
	char text[HERALD__NUMBER_BYTES] = {0};

	return put(writer, text,
		   single ? herald__write_float((float)value, text)
			  : herald__write_double(value, text));
}

static bool
fail_signed(struct writer *writer, const struct herald__field *field, int64_t value)
{
	char text[HERALD__NUMBER_BYTES] = {0};

	herald__write_integer(value, text);
	herald__fail_integer(&writer->trace, HERALD_NO_OFFSET, field, text);
	return false;
}

static inline bool
encode_signed(struct writer *writer, const struct herald__field *field, int64_t value)
{
	if (value < field->range.integer.min || value > field->range.integer.max)
		return fail_signed(writer, field, value);
	if (room(writer) < HERALD__NUMBER_BYTES)
		return put_integer(writer, value < 0 ? -(uint64_t)value : (uint64_t)value,
				   value < 0);
	writer->at += herald__write_integer(value, writer->at);
	return true;
}

static bool
fail_unsigned(struct writer *writer, const struct herald__field *field, uint64_t value)
{
	char text[HERALD__NUMBER_BYTES] = {0};

	herald__write_natural(value, text);
	herald__fail_integer(&writer->trace, HERALD_NO_OFFSET, field, text);
	return false;
}

static inline bool
encode_unsigned(struct writer *writer, const struct herald__field *field, uint64_t value)
{
	if (value < field->range.natural.min || value > field->range.natural.max)
		return fail_unsigned(writer, field, value);
	if (room(writer) < HERALD__NUMBER_BYTES)
		return put_integer(writer, value, false);
	writer->at += herald__write_natural(value, writer->at);
	return true;
}

static inline bool
encode_real(struct writer *writer, const struct herald__field *field, double value, bool single)
{
	if (!isfinite(value))
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_BAD_VALUE,
					  "JSON has no infinity and no NaN");
	if ((field->flags & HERALD__BOUNDED) != 0 &&
	    !herald__check_real(&writer->trace, HERALD_NO_OFFSET, field, value))
		return false;
	if (room(writer) < HERALD__NUMBER_BYTES)
		return put_real(writer, value, single);
	writer->at += single ? herald__write_float((float)value, writer->at)
			     : herald__write_double(value, writer->at);
	return true;
}

static bool
encode_time(struct writer *writer, const struct herald_time *time)
{
	char text[HERALD_TIME_TEXT_BYTES + 2];
	size_t bytes = herald_time_format(time, text + 1);

	if (bytes == 0)
		return herald__trace_fail(
			&writer->trace, HERALD_NO_OFFSET, HERALD_BAD_TIME,
			"the time cannot be written as RFC 3339: year, nanoseconds or offset "
			"is out of range");
	text[0] = text[bytes + 1] = '"';
	return put(writer, text, bytes + 2);
}

static bool
encode_enum(struct writer *writer, const struct herald__field *field, int value)
{
	for (size_t i = 0; i < field->field->names_count; i++) {
		const struct herald_name *name = &field->field->names[i];

		if (name->value == value)
			return encode_text(writer, name->name, strlen(name->name),
					   writer->limits->max_string_bytes);
	}
	return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_BAD_VALUE,
				  "the enum has no name for %d", value);
}

static bool
encode_json(struct writer *writer, const struct herald__field *field,
	    const struct herald_json *json)
{
	const char *begin = json->data, *end = json->data + json->bytes;
	struct herald_limits limits = *writer->limits;
	enum herald_status status;

	limits.max_depth -= writer->depth;
	if ((status = herald__check_json(json->data, json->bytes, &limits)) != HERALD_OK)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, status,
					  "the raw JSON is not valid: %s",
					  herald_status_text(status));
	while (herald__is_space(*begin))
		begin++;
	while (herald__is_space(end[-1]))
		end--;
	if (*begin == 'n' && field != NULL && (field->flags & HERALD__REQUIRED) != 0)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_MISSING,
					  "the member is required, but null");
	return put(writer, begin, (size_t)(end - begin));
}

static bool
enter(struct writer *writer)
{
	if (++writer->depth <= writer->limits->max_depth)
		return true;
	return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_LIMIT,
				  "nested more than %zu levels deep", writer->limits->max_depth);
}

static bool
encode_entry(struct writer *writer, const struct herald_pair *pair)
{
	if (pair->key == NULL)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_MISSING,
					  "an entry's key is NULL");
	if (!encode_text(writer, pair->key, strlen(pair->key), writer->limits->max_key_bytes) ||
	    !put_byte(writer, ':'))
		return false;
	if (pair->value != NULL)
		return encode_text(writer, pair->value, strlen(pair->value),
				   writer->limits->max_string_bytes);
	return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_MISSING,
				  "an entry's value is NULL");
}

static bool
check_keys(struct writer *writer, const struct herald_map *map)
{
	const struct herald_allocator *allocator = &writer->out->allocator;
	const struct herald_pair **scratch = NULL, *twice;
	size_t bytes = map->count * sizeof(*scratch);

	if (map->count > HERALD__FEW_ENTRIES &&
	    (scratch = herald__allocate(allocator, bytes)) == NULL)
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_NO_MEMORY,
					  "out of memory");
	twice = herald__find_duplicate(map->pairs, map->count, scratch);
	herald__release(allocator, scratch, bytes);
	if (twice == NULL)
		return true;
	herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_DUPLICATE,
			   "the member stands twice");
	herald__trace_key(&writer->trace, twice->key, strlen(twice->key));
	return false;
}

static bool
encode_map(struct writer *writer, const struct herald__field *field, const struct herald_map *map)
{
	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, map->count) ||
	    !enter(writer) || !put_byte(writer, '{'))
		return false;
	for (size_t i = 0; i < map->count; i++) {
		const struct herald_pair *pair = &map->pairs[i];

		if (i > 0 && !put_byte(writer, ','))
			return false;
		if (encode_entry(writer, pair))
			continue;
		if (pair->key != NULL)
			herald__trace_key(&writer->trace, pair->key, strlen(pair->key));
		return false;
	}
	writer->depth--;
	return put_byte(writer, '}') && check_keys(writer, map);
}

static bool
is_number(enum herald_kind kind)
{
	return kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_DOUBLE;
}

static bool
encode_number(struct writer *writer, const struct herald__field *field, enum herald_kind kind,
	      const void *in)
{
	switch (kind) {
	case HERALD_KIND_INT8:
		return encode_signed(writer, field, *(const int8_t *)in);
	case HERALD_KIND_INT16:
		return encode_signed(writer, field, *(const int16_t *)in);
	case HERALD_KIND_INT32:
		return encode_signed(writer, field, *(const int32_t *)in);
	case HERALD_KIND_INT64:
		return encode_signed(writer, field, *(const int64_t *)in);
	case HERALD_KIND_UINT8:
		return encode_unsigned(writer, field, *(const uint8_t *)in);
	case HERALD_KIND_UINT16:
		return encode_unsigned(writer, field, *(const uint16_t *)in);
	case HERALD_KIND_UINT32:
		return encode_unsigned(writer, field, *(const uint32_t *)in);
	case HERALD_KIND_UINT64:
		return encode_unsigned(writer, field, *(const uint64_t *)in);
	case HERALD_KIND_FLOAT:
		return encode_real(writer, field, (double)*(const float *)in, true);
	default:
		return encode_real(writer, field, *(const double *)in, false);
	}
}

/* The kinds of which a NULL pointer, which is what they begin with, says that the value is absent. */
#define BIT(KIND) (UINT32_C(1) << HERALD_KIND_##KIND)
#define POINTERS                                                                                   \
	(BIT(STRING) | BIT(POINTER) | BIT(LIST) | BIT(VALUES) | BIT(TEXT) | BIT(JSON) | BIT(MAP))

_Static_assert(HERALD_KIND_COUNT <= 32, "a bit for each kind");
_Static_assert(offsetof(struct herald_text, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_json, data) == 0, "the pointer first");
_Static_assert(offsetof(struct herald_map, pairs) == 0, "the pointer first");

static inline bool
is_absent(enum herald_kind kind, const void *in)
{
	return (POINTERS >> kind & 1) != 0 && *(const void *const *)in == NULL;
}

/* A value of a kind that needs no count: a member's, or an element's of a list
 * of values. */
static bool
encode_value(struct writer *writer, const struct herald__field *field, enum herald_kind kind,
	     const void *in)
{
	const char *string;

	switch (kind) {
	case HERALD_KIND_BOOL:
		return *(const bool *)in ? put(writer, "true", 4) : put(writer, "false", 5);
	case HERALD_KIND_STRING:
		string = *(const char *const *)in;
		return encode_string(writer, field, string, strlen(string));
	case HERALD_KIND_TEXT:
		return encode_string(writer, field, ((const struct herald_text *)in)->data,
				     ((const struct herald_text *)in)->bytes);
	case HERALD_KIND_CHARS:
		return encode_chars(writer, field, in);
	case HERALD_KIND_TIME:
		return encode_time(writer, in);
	case HERALD_KIND_JSON:
		return encode_json(writer, field, in);
	case HERALD_KIND_MAP:
		return encode_map(writer, field, in);
	case HERALD_KIND_ENUM:
		return encode_enum(writer, field, *(const int *)in);
	case HERALD_KIND_STRUCT:
		return encode_object(writer, field->inner, in);
	case HERALD_KIND_POINTER:
		return encode_object(writer, field->inner, *(const char *const *)in);
	default:
		return encode_number(writer, field, kind, in);
	}
}

static bool
encode_element(struct writer *writer, const struct herald__field *field, const char *in)
{
	enum herald_kind kind = (enum herald_kind)field->element;

	if (field->kind == HERALD_KIND_LIST)
		return encode_object(writer, field->inner, in);
	if (is_absent(kind, in))
		return herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_MISSING,
					  "an element is NULL");
	return encode_value(writer, field, kind, in);
}

static bool
encode_list(struct writer *writer, const struct herald__field *field, const char *items,
	    size_t count)
{
	size_t bytes = field->kind == HERALD_KIND_LIST
			       ? field->inner->element_bytes
			       : herald__kind_bytes((enum herald_kind)field->element);
	enum herald_kind kind = (enum herald_kind)field->element;
	/* They need not be looked at as other elements are: a tenth of the time of `telemetry`. */
	bool numbers = is_number(kind);

	if (!herald__check_count(&writer->trace, HERALD_NO_OFFSET, field, count) ||
	    !enter(writer) || !put_byte(writer, '['))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && !put_byte(writer, ','))
			return false;
		if (numbers ? !encode_number(writer, field, kind, items + i * bytes)
			    : !encode_element(writer, field, items + i * bytes)) {
			herald__trace_index(&writer->trace, i);
			return false;
		}
	}
	writer->depth--;
	return put_byte(writer, ']');
}

/* Whether a member is left out of the JSON. */
static bool
is_left_out(const struct herald__field *field, const char *in)
{
	const char *member = in + field->offset;

	if ((field->flags & HERALD__OPTIONAL) != 0 &&
	    !*(const bool *)(const void *)(in + field->has_offset))
		return true;
	if (is_absent((enum herald_kind)field->kind, member))
		return true;
	/* An enum that was never set, and has no name for 0. */
	if (field->kind == HERALD_KIND_ENUM && *(const int *)(const void *)member == 0) {
		for (size_t i = 0; i < field->field->names_count; i++)
			if (field->field->names[i].value == 0)
				return false;
		return true;
	}
	return false;
}

static bool
encode_member(struct writer *writer, const struct herald__field *field, const char *in)
{
	const char *member = in + field->offset;

	if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES)
		return encode_list(writer, field, *(const char *const *)(const void *)member,
				   *(const size_t *)(const void *)(in + field->count_offset));
	return encode_value(writer, field, (enum herald_kind)field->kind, member);
}

/* A comma, a member's name, its colon. Nearly always a copy of fixed size, which needs no loop. */
static inline bool
put_token(struct writer *writer, const struct herald__field *field)
{
	size_t bytes = field->token_bytes + 1;

	if (bytes > HERALD__TOKEN_PADDING || room(writer) < HERALD__TOKEN_PADDING)
		return put(writer, field->token - 1, bytes);
	memcpy(writer->at, field->token - 1, HERALD__TOKEN_PADDING);
	writer->at += bytes;
	return true;
}

static bool
encode_object(struct writer *writer, const struct herald__plan *plan, const char *in)
{
	size_t start = (size_t)(writer->at - writer->out->data);
	bool empty = true;

	if (!enter(writer))
		return false;
	for (size_t i = 0; i < plan->fields_count; i++) {
		const struct herald__field *field = &plan->fields[i];
		bool fine = true;

		if (!is_left_out(field, in)) {
			fine = put_token(writer, field) && encode_member(writer, field, in);
			empty = false;
		} else if ((field->flags & HERALD__REQUIRED) != 0) {
			fine = herald__trace_fail(&writer->trace, HERALD_NO_OFFSET, HERALD_MISSING,
						  "the member is required, but NULL");
		}
		if (!fine) {
			herald__trace_key(&writer->trace, field->name, field->name_bytes);
			return false;
		}
	}
	writer->depth--;
	if (empty)
		return put(writer, "{}", 2);
	/* The first member's comma. */
	writer->out->data[start] = '{';
	return put_byte(writer, '}');
}

enum herald_status
herald_codec_encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out,
		    struct herald_error *error)
{
	struct writer writer;
	size_t before = out->bytes;
	bool fine;

	/* Not an initialiser: the error struct in it is large, and needed only after a failure. */
	writer.out = out;
	writer.limits = &codec->limits;
	writer.depth = 0;
	fine = open_buffer(&writer) &&
	       (codec->root != NULL ? encode_object(&writer, codec->root, in)
				    : encode_json(&writer, NULL, in));
	if (fine) {
		flush(&writer);
		return HERALD_OK;
	}
	out->bytes = before;
	return herald__trace_finish(&writer.trace, "", error);
}
