/*
 * The public reader of raw JSON: types, walks, and the values of scalars. JSON Pointers are in
 * pointer.c. Values are read in place, or in a copy on the stack, which ends as the functions that
 * convert numbers need it; only strings are copied, to the caller's arena.
 */
#include <herald/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "json/reader/limits.h"
#include "json/reader/number_read.h"
#include "json/reader/number_scan.h"
#include "json/reader/scan.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"
#include "json/reader/token.h"
#include "json/reader/walk.h"

enum herald_json_type
herald_json_type_of(const struct herald_json *json)
{
	if (json->bytes == 0)
		return HERALD_JSON_NONE;
	switch (*json->data) {
	case 'n':
		return HERALD_JSON_NULL;
	case 't':
	case 'f':
		return HERALD_JSON_BOOL;
	case '"':
		return HERALD_JSON_STRING;
	case '[':
		return HERALD_JSON_ARRAY;
	case '{':
		return HERALD_JSON_OBJECT;
	default:
		return *json->data == '-' || (*json->data >= '0' && *json->data <= '9')
			       ? HERALD_JSON_NUMBER
			       : HERALD_JSON_NONE;
	}
}

/* Check the document of a reader. */
static bool
check(struct herald__reader *reader, struct herald_json *out)
{
	char *at = herald__skip_space(reader, reader->begin);
	char *after = herald__skip_value(reader, at);

	if (!after)
		return false;
	*out = (struct herald_json){at, (size_t)(after - at)};
	after = herald__skip_space(reader, after);
	if (after < reader->end)
		herald__record_syntax(reader, after, "the end of the input");
	return after == reader->end;
}

enum herald_status
herald_json_check(const char *data, size_t bytes, const struct herald_limits *limits,
		  struct herald_json *out, struct herald_error *error)
{
	struct herald_limits complete;
	enum herald_status status = herald__limits_fill(limits, &complete, error);
	const char *text = bytes > 0 ? data : ""; /* NULL may not be added to */
	struct herald__reader reader;
	struct herald_json json;

	if (status != HERALD_OK)
		return status;
	herald__reader_begin(&reader, (char *)text, bytes, &complete); /* not written to */
	if (!check(&reader, &json))
		return herald__trace_finish(&reader.trace, "", error);
	*out = json;
	return HERALD_OK;
}

/* Walks. */

void
herald_json_walk_init(struct herald_json_walk *walk, const struct herald_json *json)
{
	enum herald_json_type type = herald_json_type_of(json);
	bool has_items = type == HERALD_JSON_OBJECT || type == HERALD_JSON_ARRAY;

	*walk = (struct herald_json_walk){
		.at_ = has_items ? json->data : NULL,
		.end_ = has_items ? json->data + json->bytes : NULL,
		.in_object_ = type == HERALD_JSON_OBJECT,
	};
}

bool
herald_json_walk_next(struct herald_json_walk *walk)
{
	const char *at = walk->at_, *end = walk->end_, *after;
	struct herald__item item;
	bool found =
		at && (walk->count_ == 0 ? herald__walk_first(at, end, &item)
					 : herald__walk_next(at, end, walk->in_object_, &item));

	after = found ? herald__walk_value(item.value, end) : NULL;
	walk->at_ = after;
	if (!after || after == item.value) {
		walk->at_ = NULL;
		return false;
	}
	walk->index = walk->count_++;
	walk->value = (struct herald_json){item.value, (size_t)(after - item.value)};
	if (item.name)
		walk->name = (struct herald_json){item.name, (size_t)(item.name_end - item.name)};
	return true;
}

size_t
herald_json_count(const struct herald_json *json)
{
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, json);
	while (herald_json_walk_next(&walk))
		continue;
	return walk.count_;
}

/* Scalars. */

/* HERALD_OK if a value has the type. */
static enum herald_status
check_type(const struct herald_json *json, enum herald_json_type type)
{
	enum herald_json_type found = herald_json_type_of(json);

	if (found == type)
		return HERALD_OK;
	if (found != HERALD_JSON_NONE)
		return HERALD_BAD_TYPE;
	return json->data ? HERALD_BAD_JSON : HERALD_MISSING;
}

static bool
is_word(const struct herald_json *json, const char *word)
{
	return json->bytes == strlen(word) && memcmp(json->data, word, json->bytes) == 0;
}

enum herald_status
herald_json_read_bool(const struct herald_json *json, bool *out)
{
	enum herald_status status = check_type(json, HERALD_JSON_BOOL);

	if (status != HERALD_OK)
		return status;
	if (!is_word(json, "true") && !is_word(json, "false"))
		return HERALD_BAD_JSON;
	*out = *json->data == 't';
	return HERALD_OK;
}

static enum herald_status
check_number(const struct herald_json *json)
{
	enum herald_status status = check_type(json, HERALD_JSON_NUMBER);
	char *begin = (char *)json->data, *unused; /* not written to */

	if (status != HERALD_OK)
		return status;
	return herald__scan_number(begin, begin + json->bytes, &unused) == begin + json->bytes
		       ? HERALD_OK
		       : HERALD_BAD_JSON;
}

/* Begin to read `bytes` bytes of `text`, in which there is room for one more: the bracket that
 * stops the conversion of a number (see reader.h). */
static void
begin_number(struct herald__reader *reader, char *text, size_t bytes)
{
	static const struct herald_limits unused = {0};

	text[bytes] = '}';
	herald__reader_begin(reader, text, bytes + 1, &unused);
}

/* The sign, the 20 digits of 2^64 - 1, and one that is too many. */
#define INTEGER_BYTES 22

static enum herald_status
read_integer(const struct herald_json *json, struct herald__integer *out)
{
	enum herald_status status = check_number(json);
	char text[INTEGER_BYTES + 1];
	struct herald__reader reader;

	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < json->bytes; i++)
		if (strchr(".eE", json->data[i]))
			return HERALD_BAD_TYPE;
	if (json->bytes > INTEGER_BYTES)
		return HERALD_OUT_OF_RANGE;
	memcpy(text, json->data, json->bytes);
	begin_number(&reader, text, json->bytes);
	if (!herald__read_integer(&reader, text, out))
		return reader.trace.error.status;
	return out->overflow ? HERALD_OUT_OF_RANGE : HERALD_OK;
}

enum herald_status
herald_json_read_int64(const struct herald_json *json, int64_t *out)
{
	struct herald__integer value;
	enum herald_status status = read_integer(json, &value);

	if (status != HERALD_OK)
		return status;
	if (value.magnitude > (uint64_t)INT64_MAX + value.negative)
		return HERALD_OUT_OF_RANGE;
	*out = (int64_t)(value.negative ? -value.magnitude : value.magnitude);
	return HERALD_OK;
}

enum herald_status
herald_json_read_uint64(const struct herald_json *json, uint64_t *out)
{
	struct herald__integer value;
	enum herald_status status = read_integer(json, &value);

	if (status != HERALD_OK)
		return status;
	if (value.negative && value.magnitude != 0)
		return HERALD_OUT_OF_RANGE;
	*out = value.magnitude;
	return HERALD_OK;
}

/*
 * The digits that decide how a number is rounded. A number halfway between two doubles has at most
 * 767 significant digits, so of more digits it only matters whether they are all 0.
 */
#define DOUBLE_DIGITS 768

/* A sign, the digits, one for those that are left out, and an exponent of 64 bits. */
#define DOUBLE_BYTES (DOUBLE_DIGITS + 32)

/* No text is long enough to bring such an exponent back into range. */
#define MAX_EXPONENT INT64_C(1000000000000000)

/* The exponent of a number: the digits from `at` on, and their sign. */
static int64_t
read_exponent(const char *at, const char *end)
{
	bool negative = *at == '-';
	int64_t exponent = 0;

	for (at += negative || *at == '+'; at < end; at++)
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (*at - '0');
	return negative ? -exponent : exponent;
}

/* Write a number of any length as one of limited length that is rounded to the same double: an
 * integer and an exponent. Returns its length. */
static size_t
shorten(const struct herald_json *json, char out[DOUBLE_BYTES])
{
	const char *at = json->data, *end = at + json->bytes;
	size_t bytes = 0, digits = 0;
	bool in_fraction = false, is_more = false;
	int64_t exponent = 0;

	if (*at == '-')
		out[bytes++] = *at++;
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			in_fraction = true;
		} else if (digits == DOUBLE_DIGITS) {
			is_more |= *at != '0';
			exponent += !in_fraction;
		} else {
			exponent -= in_fraction;
			if (digits > 0 || *at != '0')
				out[bytes + digits++] = *at;
		}
	}
	if (at < end)
		exponent += read_exponent(at + 1, end);
	if (digits == 0)
		out[bytes + digits++] = '0';
	if (is_more) {
		out[bytes + digits++] = '1';
		exponent--;
	}
	bytes += digits;
	return bytes + (size_t)snprintf(out + bytes, DOUBLE_BYTES - bytes, "e%" PRId64, exponent);
}

enum herald_status
herald_json_read_double(const struct herald_json *json, double *out)
{
	enum herald_status status = check_number(json);
	char text[DOUBLE_BYTES];
	size_t bytes = json->bytes;
	struct herald__reader reader;
	double value;

	if (status != HERALD_OK)
		return status;
	if (bytes < DOUBLE_BYTES)
		memcpy(text, json->data, bytes);
	else
		bytes = shorten(json, text);
	begin_number(&reader, text, bytes);
	if (!herald__read_double(&reader, text, &value))
		return reader.trace.error.status;
	*out = value;
	return HERALD_OK;
}

/* HERALD_OK if a value begins and ends as a string. */
static enum herald_status
check_string(const struct herald_json *json)
{
	enum herald_status status = check_type(json, HERALD_JSON_STRING);

	if (status != HERALD_OK)
		return status;
	const char *end = json->data + json->bytes;
	return herald__walk_string(json->data, end) == end ? HERALD_OK : HERALD_BAD_JSON;
}

enum herald_status
herald_json_read_string(const struct herald_json *json, struct herald_arena *arena,
			struct herald_text *out)
{
	/* What a strict decoder has read has no lone surrogates. */
	const struct herald_limits limits = {.max_string_bytes = SIZE_MAX,
					     .replace_lone_surrogates = true};
	enum herald_status status = check_string(json);
	struct herald__reader reader;
	struct herald__string string;

	if (status != HERALD_OK)
		return status;
	char *copy = herald_arena_copy(arena, json->data, json->bytes);
	if (!copy)
		return herald__arena_over_limit(arena) ? HERALD_LIMIT : HERALD_NO_MEMORY;
	herald__reader_begin(&reader, copy, json->bytes, &limits);
	if (!herald__read_string(&reader, copy + 1, HERALD__VALUE, &string))
		return reader.trace.error.status;
	*out = (struct herald_text){string.data, string.bytes};
	return HERALD_OK;
}

bool
herald_json_string_equals(const struct herald_json *json, const char *text)
{
	const struct herald__token token = {text, strlen(text), false};

	return check_string(json) == HERALD_OK &&
	       herald__name_equals(json->data, json->data + json->bytes, &token);
}
