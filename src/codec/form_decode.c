/*
 * Decodes values that have a form of their own. Numbers are read by number_read.c and fixed_read.c.
 */
#include "codec/form_decode.h"

#include <string.h>

#include "base/safe_text.h"
#include "base/time.h"
#include "codec/constraints.h"
#include "codec/kind.h"
#include "codec/schema_check.h"
#include "json/reader/fixed_read.h"
#include "json/reader/number_read.h"
#include "json/reader/number_scan.h"
#include "json/reader/string_read.h"

/* Whether a number begins at `at`. */
static bool
is_number(const char *at)
{
	return *at == '-' || (*at >= '0' && *at <= '9');
}

/* Read an integer that may have a fraction of zeros, or an exponent. */
static char *
read_whole(struct herald__reader *reader, char *at, struct herald__integer *out)
{
	struct herald__fixed fixed;
	struct herald__shown shown;
	char *after;

	if (!is_number(at))
		return herald__fail_type(reader, at, "an integer");
	if (!(after = herald__read_fixed(reader, at, 0, &fixed)))
		return NULL;
	if (fixed.billionths != 0 || fixed.inexact)
		return herald__fail(reader, at, HERALD_BAD_TYPE,
				    "expected an integer, found a number with a fraction: %s",
				    herald__show_number(reader, at, &shown));
	*out = (struct herald__integer){fixed.whole, fixed.negative, fixed.overflow};
	return after;
}

static bool
is_signed_in_range(const struct herald__field *field, const struct herald__integer *value,
		   int64_t *out)
{
	if (value->overflow || value->magnitude > (uint64_t)INT64_MAX + value->negative)
		return false;
	*out = (int64_t)(value->negative ? -value->magnitude : value->magnitude);
	return *out >= field->range.integer.min && *out <= field->range.integer.max;
}

static bool
is_natural_in_range(const struct herald__field *field, const struct herald__integer *value)
{
	return !value->overflow && (!value->negative || value->magnitude == 0) &&
	       value->magnitude >= field->range.natural.min &&
	       value->magnitude <= field->range.natural.max;
}

/* Store an integer of any size. Unsigned ones are stored by their bits, too. */
static void
store(int64_t value, size_t bytes, char *out)
{
	if (bytes == 8)
		*(int64_t *)(void *)out = value;
	else if (bytes == 4)
		*(int32_t *)(void *)out = (int32_t)value;
	else if (bytes == 2)
		*(int16_t *)(void *)out = (int16_t)value;
	else
		*(int8_t *)(void *)out = (int8_t)value;
}

static char *
decode_integer(struct herald__reader *reader, char *at, const struct herald__field *field,
	       enum herald_kind kind, char *out)
{
	struct herald__integer value = {0};
	int64_t number;
	char *after = field->field->lenient ? read_whole(reader, at, &value)
					    : herald__read_integer(reader, at, &value);

	if (!after)
		return NULL;
	number = (int64_t)value.magnitude;
	if (herald__kind_is_unsigned(kind) ? !is_natural_in_range(field, &value)
					   : !is_signed_in_range(field, &value, &number)) {
		herald__fail_integer_at(reader, at, field);
		return NULL;
	}
	store(number, herald__kind_bytes(kind), out);
	return after;
}

static char *
decode_real(struct herald__reader *reader, char *at, const struct herald__field *field,
	    enum herald_kind kind, char *out)
{
	double value = 0;
	float single = 0;
	char *after = kind == HERALD_KIND_FLOAT ? herald__read_float(reader, at, &single)
						: herald__read_double(reader, at, &value);

	if (!after)
		return NULL;
	if (kind == HERALD_KIND_FLOAT)
		value = (double)single;
	if ((field->flags & HERALD__BOUNDED) != 0 &&
	    !herald__check_real(&reader->trace, herald__offset(reader, at), field, value))
		return NULL;
	if (kind == HERALD_KIND_FLOAT)
		*(float *)(void *)out = single;
	else
		*(double *)(void *)out = value;
	return after;
}

/* Decode true, false, 0 or 1: the numbers if the field is `numeric`, the words if not; both if it
 * is `lenient`. */
static char *
decode_bool(struct herald__reader *reader, char *at, const struct herald__field *field, bool *out)
{
	bool words = !field->field->numeric || field->field->lenient;
	const char *expected = words ? "true, false, 0 or 1" : "0 or 1";
	struct herald__shown shown;
	struct herald__integer value;
	char *after;

	if (words && herald__is_word(reader, at, "true", 4)) {
		*out = true;
		return at + 4;
	}
	if (words && herald__is_word(reader, at, "false", 5)) {
		*out = false;
		return at + 5;
	}
	if (!is_number(at))
		return herald__fail_type(reader, at, expected);
	after = herald__read_integer(reader, at, &value);
	if (after ? value.magnitude > (value.negative ? 0 : 1) /* -0 is 0 */
		  : reader->trace.error.status == HERALD_BAD_TYPE)
		return herald__fail(reader, at, after ? HERALD_BAD_VALUE : HERALD_BAD_TYPE,
				    "expected %s, found %s", expected,
				    herald__show_number(reader, at, &shown));
	if (!after)
		return NULL;
	*out = value.magnitude == 1;
	return after;
}

/* Decode an enum that is its number in C. */
static char *
decode_enum(struct herald__reader *reader, char *at, const struct herald__field *field, int *out)
{
	const struct herald_unknown *unknown = &field->field->unknown;
	struct herald__shown shown;
	struct herald__integer value;
	char *after = herald__read_integer(reader, at, &value);
	int64_t number;

	if (!after)
		return NULL;
	number = value.negative ? -(int64_t)(value.magnitude & INT64_MAX)
				: (int64_t)(value.magnitude & INT64_MAX);
	if (value.overflow || value.magnitude > INT64_MAX ||
	    !herald__enum_name(field->field, number)) {
		if (!unknown->is_set) {
			herald__fail_number(&reader->trace, herald__offset(reader, at), field,
					    herald__show_number(reader, at, &shown));
			return NULL;
		}
		number = unknown->value;
	}
	*out = (int)number;
	return after;
}

/* The time of a number of seconds since 1970. Returns false if it is not in the years 0000 to
 * 9999. */
static bool
set_time(const struct herald__fixed *fixed, struct herald_time *out)
{
	int64_t seconds = (int64_t)fixed->whole;
	int32_t nanoseconds = (int32_t)fixed->billionths;

	if (fixed->whole > (uint64_t)HERALD__LAST_SECOND)
		return false;
	if (fixed->negative && nanoseconds > 0) {
		seconds++;
		nanoseconds = 1000000000 - nanoseconds;
	}
	if (fixed->negative)
		seconds = -seconds;
	*out = (struct herald_time){.seconds = seconds, .nanoseconds = nanoseconds};
	return seconds >= HERALD__FIRST_SECOND && seconds <= HERALD__LAST_SECOND;
}

static char *
decode_epoch(struct herald__reader *reader, char *at, const struct herald__field *field,
	     struct herald_time *out)
{
	bool milliseconds = field->field->epoch == HERALD_EPOCH_MILLISECONDS;
	const char *unit = milliseconds ? "milliseconds" : "seconds";
	struct herald__fixed fixed;
	struct herald__shown shown;
	char *after;

	if (!is_number(at))
		return herald__fail_type(reader, at,
					 milliseconds ? "a number of milliseconds since 1970"
						      : "a number of seconds since 1970");
	if (!(after = herald__read_fixed(reader, at, milliseconds ? -3 : 0, &fixed)))
		return NULL;
	if (fixed.exponent && !field->field->lenient)
		return herald__fail(reader, at, HERALD_BAD_TIME,
				    "expected %s since 1970 without an exponent, found %s", unit,
				    herald__show_number(reader, at, &shown));
	if (fixed.inexact && !field->field->lenient)
		return herald__fail(reader, at, HERALD_BAD_TIME,
				    "expected %s since 1970, at most down to the nanosecond, "
				    "found %s",
				    unit, herald__show_number(reader, at, &shown));
	if (set_time(&fixed, out))
		return after;
	return herald__fail(reader, at, HERALD_BAD_TIME,
			    "expected %s since 1970, in the years 0000 to 9999, found %s", unit,
			    herald__show_number(reader, at, &shown));
}

static char *
decode_lenient_time(struct herald__reader *reader, char *at, struct herald_time *out)
{
	struct herald__time_fault fault;
	struct herald__string text;
	char *after;

	if (*at != '"')
		return herald__fail_type(reader, at, "an RFC 3339 timestamp");
	if (!(after = herald__read_string(reader, at + 1, HERALD__VALUE, &text)))
		return NULL;
	if (herald__time_parse_leniently(text.data, text.bytes, out, &fault))
		return after;
	return herald__fail(reader, at, HERALD_BAD_TIME, "not an RFC 3339 timestamp: %s",
			    fault.what);
}

/* Decode the value at `at` without its quotes. */
static char *
decode_bare(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	enum herald_kind kind = herald__value_kind(field->field);

	switch (kind) {
	case HERALD_KIND_BOOL:
		return decode_bool(reader, at, field, (bool *)(void *)out);
	case HERALD_KIND_ENUM:
		return decode_enum(reader, at, field, (int *)(void *)out);
	case HERALD_KIND_TIME:
		if (field->field->epoch != HERALD_EPOCH_NONE)
			return decode_epoch(reader, at, field, (struct herald_time *)(void *)out);
		return decode_lenient_time(reader, at, (struct herald_time *)(void *)out);
	case HERALD_KIND_FLOAT:
	case HERALD_KIND_DOUBLE:
		return decode_real(reader, at, field, kind, out);
	default:
		return decode_integer(reader, at, field, kind, out);
	}
}

/* Whether the error of the text in quotes says enough: the text is a number, but not a right
 * one. */
static bool
is_about_value(enum herald_status status, const struct herald__string *text)
{
	const char *end = text->data + text->bytes;
	char *wrong;

	return (status == HERALD_OUT_OF_RANGE || status == HERALD_BAD_VALUE ||
		status == HERALD_BAD_TIME) &&
	       herald__scan_number(text->data, end, &wrong) == end;
}

/* What a quoted field's value is, in a message. If the field is lenient, it may be bare. */
static const char *
quoted_noun(const struct herald_field *field)
{
	enum herald_kind kind = herald__value_kind(field);

	if (kind == HERALD_KIND_BOOL)
		return field->lenient ? "true, false, 0 or 1, in quotes or not"
				      : "0 or 1 in quotes";
	if (kind == HERALD_KIND_FLOAT || kind == HERALD_KIND_DOUBLE || kind == HERALD_KIND_TIME)
		return field->lenient ? "a number, in quotes or not" : "a number in quotes";
	return field->lenient ? "an integer, in quotes or not" : "an integer in quotes";
}

/* Decode a number in quotes. The NUL that ends its text ends all loops over digits, as the
 * invariant of reader.h does elsewhere. */
static char *
decode_quoted(struct herald__reader *reader, char *at, const struct herald__field *field, char *out)
{
	struct herald__string text;
	struct herald__shown shown;
	char *after = herald__read_string(reader, at + 1, HERALD__VALUE, &text), *end;

	if (!after)
		return NULL;
	end = decode_bare(reader, text.data, field, out);
	if (end == text.data + text.bytes)
		return after;
	if (!end && is_about_value(reader->trace.error.status, &text)) {
		reader->trace.error.offset = herald__offset(reader, at);
		return NULL;
	}
	return herald__fail(reader, at, HERALD_BAD_VALUE, "expected %s, found %s",
			    quoted_noun(field->field),
			    herald__show_string(&shown, text.data, text.bytes));
}

/* Whether a value without quotes is one that a quoted field has in quotes. */
static bool
is_bare(const struct herald__reader *reader, const char *at, const struct herald__field *field)
{
	if (herald__value_kind(field->field) == HERALD_KIND_BOOL &&
	    (herald__is_word(reader, at, "true", 4) || herald__is_word(reader, at, "false", 5)))
		return true;
	return is_number(at);
}

char *
herald__decode_form(struct herald__reader *reader, char *at, const struct herald__field *field,
		    char *out)
{
	if (!field->field->quoted)
		return decode_bare(reader, at, field, out);
	if (*at == '"')
		return decode_quoted(reader, at, field, out);
	if (field->field->lenient && is_bare(reader, at, field))
		return decode_bare(reader, at, field, out);
	return herald__fail_type(reader, at, quoted_noun(field->field));
}
