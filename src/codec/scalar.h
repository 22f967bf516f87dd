/*
 * Decoding of scalars into C types, with the constraints of their fields: type, range, length,
 * allowed names. Whether a member is present is decided in decode_object.c; numbers and strings are
 * parsed in number_read.c and string_read.c.
 *
 * A part of decode_object.c, its only includer: compiling both together is faster, because the
 * compiler knows which registers these functions preserve. Every function takes the place of the
 * value's first byte and returns the place after its last one, or NULL after recording an error.
 */
#ifndef HERALD_SRC_CODEC_SCALAR_H
#define HERALD_SRC_CODEC_SCALAR_H

#include <string.h>

#include "base/attributes.h"
#include "base/time.h"
#include "codec/constraints.h"
#include "codec/plan.h"
#include "json/reader/number_read.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/*
 * Functions that decode_value() only passes the value on to are not inlined. Otherwise every
 * boolean would pay for their stack frame and saved registers.
 */

HERALD__NOT_INLINE static char *
fail_bool(struct herald__reader *reader, const char *at)
{
	return herald__fail_type(reader, at, "true or false");
}

/* Near the end of the document, which can be nothing but "true". */
HERALD__NOT_INLINE static char *
decode_last_bool(struct herald__reader *reader, char *at, bool *out)
{
	if (reader->end - at < 4 || memcmp(at, "true", 4) != 0)
		return fail_bool(reader, at);
	*out = true;
	return at + 4;
}

/* Which of the two it is cannot be predicted, so no branch depends on it. */
static inline char *
decode_bool(struct herald__reader *reader, char *at, bool *out)
{
	bool is_true, is_false;

	if (reader->end - at < 5)
		return decode_last_bool(reader, at, out);
	is_true = memcmp(at, "true", 4) == 0;
	is_false = memcmp(at + 1, "alse", 4) == 0 && *at == 'f';
	if (!HERALD__LIKELY(is_true | is_false))
		return fail_bool(reader, at);
	*out = is_true;
	return at + 5 - is_true;
}

static char *
fail_integer(struct herald__reader *reader, const char *at, const struct herald__field *field)
{
	herald__fail_integer_at(reader, at, field);
	return NULL;
}

/*
 * Read an integer of up to 18 digits. Relies on the invariant of reader.h. Returns NULL for all
 * others (which herald__read_integer() reads) and for invalid ones. Inline, which halves the cost
 * of an integer.
 */
static inline char *
read_short_integer(char *at, int64_t *out)
{
	bool negative = *at == '-';
	char *first = at += negative;
	uint64_t value = 0;
	unsigned digit;

	for (; (digit = (unsigned char)*at - (unsigned)'0') <= 9; at++)
		value = value * 10 + digit;
	if (at == first || at - first > 18 || (*first == '0' && at > first + 1) || *at == '.' ||
	    *at == 'e' || *at == 'E')
		return NULL;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return at;
}

/*
 * The same for one to eight digits without a sign, with half the instructions: at each place of the
 * unrolled loop it is known how many digits there are.
 */
static HERALD__INLINE char *
read_few_digits(char *at, int64_t *out)
{
	unsigned value = (unsigned)(unsigned char)*at - '0', next;

	if (value > 9 || (value == 0 && at[1] >= '0' && at[1] <= '9'))
		return NULL;
#pragma GCC unroll 8
	for (int i = 1; i <= 8; i++) {
		next = (unsigned)(unsigned char)at[i] - '0';
		if (next > 9) {
			if (next == (unsigned)'.' - '0' || (next | 0x20) == (unsigned)'e' - '0')
				return NULL;
			*out = value;
			return at + i;
		}
		value = value * 10 + next;
	}
	return NULL;
}

HERALD__NOT_INLINE static char *
decode_any_signed(struct herald__reader *reader, char *at, const struct herald__field *field,
		  int64_t *out)
{
	struct herald__integer value;
	char *after = herald__read_integer(reader, at, &value);

	if (!after)
		return NULL;
	if (value.overflow || value.magnitude > (uint64_t)INT64_MAX + value.negative)
		return fail_integer(reader, at, field);
	*out = (int64_t)(value.negative ? -value.magnitude : value.magnitude);
	if (*out < field->range.integer.min || *out > field->range.integer.max)
		return fail_integer(reader, at, field);
	return after;
}

static inline bool
is_in_range(const struct herald__field *field, int64_t value)
{
	return value >= field->range.integer.min && value <= field->range.integer.max;
}

HERALD__NOT_INLINE static char *
decode_longer_signed(struct herald__reader *reader, char *at, const struct herald__field *field,
		     int64_t *out)
{
	char *after = read_short_integer(at, out);

	return after && is_in_range(field, *out) ? after
						 : decode_any_signed(reader, at, field, out);
}

HERALD__NOT_INLINE static char *
decode_signed(struct herald__reader *reader, char *at, const struct herald__field *field,
	      int64_t *out)
{
	char *after = read_few_digits(at, out);

	return after && is_in_range(field, *out) ? after
						 : decode_longer_signed(reader, at, field, out);
}

static inline void
store_narrow(enum herald_kind kind, int64_t value, char *out)
{
	if (kind == HERALD_KIND_INT32)
		*(int32_t *)(void *)out = (int32_t)value;
	else if (kind == HERALD_KIND_INT16)
		*(int16_t *)(void *)out = (int16_t)value;
	else
		*(int8_t *)(void *)out = (int8_t)value;
}

HERALD__NOT_INLINE static char *
decode_longer_narrow(struct herald__reader *reader, char *at, const struct herald__field *field,
		     enum herald_kind kind, char *out)
{
	int64_t value;
	char *after = decode_longer_signed(reader, at, field, &value);

	if (after)
		store_narrow(kind, value, out);
	return after;
}

/* Decode a signed integer of less than 64 bits. */
HERALD__NOT_INLINE static char *
decode_narrow(struct herald__reader *reader, char *at, const struct herald__field *field,
	      enum herald_kind kind, char *out)
{
	int64_t value;
	char *after = read_few_digits(at, &value);

	if (!after || !is_in_range(field, value))
		return decode_longer_narrow(reader, at, field, kind, out);
	store_narrow(kind, value, out);
	return after;
}

static char *
decode_unsigned(struct herald__reader *reader, char *at, const struct herald__field *field,
		uint64_t *out)
{
	struct herald__integer value;
	int64_t few;
	char *after = read_few_digits(at, &few);

	if (after && (uint64_t)few >= field->range.natural.min &&
	    (uint64_t)few <= field->range.natural.max) {
		*out = (uint64_t)few;
		return after;
	}
	if (!(after = herald__read_integer(reader, at, &value)))
		return NULL;
	if (value.overflow || (value.negative && value.magnitude != 0) ||
	    value.magnitude < field->range.natural.min ||
	    value.magnitude > field->range.natural.max)
		return fail_integer(reader, at, field);
	*out = value.magnitude;
	return after;
}

HERALD__NOT_INLINE static char *
decode_bounded_double(struct herald__reader *reader, char *at, const struct herald__field *field,
		      double *out)
{
	char *after = herald__read_double(reader, at, out);

	if (after && !herald__check_real(&reader->trace, herald__offset(reader, at), field, *out))
		return NULL;
	return after;
}

static inline char *
decode_double(struct herald__reader *reader, char *at, const struct herald__field *field,
	      double *out)
{
	return (field->flags & HERALD__BOUNDED) != 0 ? decode_bounded_double(reader, at, field, out)
						     : herald__read_double(reader, at, out);
}

HERALD__NOT_INLINE static char *
decode_float(struct herald__reader *reader, char *at, const struct herald__field *field, float *out)
{
	char *after = herald__read_float(reader, at, out);

	if (after && (field->flags & HERALD__BOUNDED) != 0 &&
	    !herald__check_real(&reader->trace, herald__offset(reader, at), field, (double)*out))
		return NULL;
	return after;
}

HERALD__NOT_INLINE static char *
decode_natural(struct herald__reader *reader, char *at, const struct herald__field *field,
	       enum herald_kind kind, char *out)
{
	uint64_t value;
	char *after = decode_unsigned(reader, at, field, &value);

	if (!after)
		return NULL;
	if (kind == HERALD_KIND_UINT8)
		*(uint8_t *)(void *)out = (uint8_t)value;
	else if (kind == HERALD_KIND_UINT16)
		*(uint16_t *)(void *)out = (uint16_t)value;
	else if (kind == HERALD_KIND_UINT32)
		*(uint32_t *)(void *)out = (uint32_t)value;
	else
		*(uint64_t *)(void *)out = value;
	return after;
}

/* Read the string whose opening quote is at `at`, as herald__read_string(). */
static inline char *
read_quoted(struct herald__reader *reader, char *at, enum herald__string_role role,
	    struct herald__string *out)
{
	char *start = at + 1, *close = herald__next_special(reader, start);

	if (*close != '"' || (size_t)(close - start) > herald__max_bytes(reader, role))
		return herald__read_string(reader, start, role, out);
	*out = (struct herald__string){start, (size_t)(close - start), NULL};
	*close = '\0';
	return close + 1;
}

/* Read the string at `at`. If there is none, the error says that `expected` was. */
static inline char *
read_string(struct herald__reader *reader, char *at, const char *expected,
	    struct herald__string *out)
{
	if (*at != '"')
		return herald__fail_type(reader, at, expected);
	return read_quoted(reader, at, HERALD__VALUE, out);
}

static char *
fail_nul(struct herald__reader *reader, const char *at)
{
	return herald__fail(reader, at, HERALD_BAD_VALUE, "\\u0000 is not allowed in this string");
}

static char *
store_chars(struct herald__reader *reader, char *at, const struct herald__field *field,
	    const struct herald__string *text, char *out, char *after)
{
	if (text->bytes >= field->field->bytes)
		return herald__fail(reader, at, HERALD_BAD_LENGTH,
				    "expected a string of at most %zu byte%s, found %zu",
				    field->field->bytes - 1, field->field->bytes == 2 ? "" : "s",
				    text->bytes);
	memcpy(out, text->data, text->bytes + 1);
	return after;
}

HERALD__NOT_INLINE static char *
decode_string(struct herald__reader *reader, char *at, const struct herald__field *field,
	      enum herald_kind kind, char *out)
{
	struct herald__string text;
	char *after = read_string(reader, at, "a string", &text);

	if (!after)
		return NULL;
	if (!herald__string_fits(field, text.bytes) &&
	    !herald__check_string(&reader->trace, herald__offset(reader, at), field, text.data,
				  text.bytes))
		return NULL;
	if (kind == HERALD_KIND_TEXT) {
		*(struct herald_text *)(void *)out = (struct herald_text){text.data, text.bytes};
		return after;
	}
	if (text.nul)
		return fail_nul(reader, text.nul);
	if (kind == HERALD_KIND_CHARS)
		return store_chars(reader, at, field, &text, out, after);
	*(const char **)(void *)out = text.data;
	return after;
}

/* Parse an invalid time again to get its error. In a function of its own, because the error's text
 * takes stack space that a valid time does not need. */
HERALD__NOT_INLINE static char *
fail_time(struct herald__reader *reader, char *at, const struct herald__string *text)
{
	struct herald__time_fault fault;
	struct herald_time time;

	(void)herald__time_parse(text->data, text->bytes, &time, &fault);
	return herald__fail(reader, at, HERALD_BAD_TIME, "not an RFC 3339 timestamp: %s",
			    fault.what);
}

HERALD__NOT_INLINE static char *
decode_time(struct herald__reader *reader, char *at, struct herald_time *out)
{
	struct herald__string text;
	char *after = read_string(reader, at, "an RFC 3339 timestamp", &text);

	if (!after || herald__time_parse(text.data, text.bytes, out, NULL))
		return after;
	return fail_time(reader, at, &text);
}

HERALD__NOT_INLINE static char *
decode_enum(struct herald__reader *reader, char *at, const struct herald__field *field, int *out)
{
	const struct herald_name *names = field->field->names;
	struct herald__string text;
	char *after;

	if (at == reader->tag) {
		*out = reader->tag_value;
		return reader->tag_end;
	}
	if (!(after = read_string(reader, at, "a string", &text)))
		return NULL;
	for (size_t i = 0; i < field->field->names_count; i++)
		if (*names[i].name == *text.data && !text.nul &&
		    strcmp(names[i].name, text.data) == 0) {
			*out = names[i].value;
			return after;
		}
	if (field->field->unknown.is_set) {
		*out = field->field->unknown.value;
		return after;
	}
	herald__fail_name(&reader->trace, herald__offset(reader, at), field, text.data, text.bytes);
	return NULL;
}

#endif
