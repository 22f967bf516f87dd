/*
 * Writes values that have a form of their own. Does not grow the buffer: the longest text is short.
 */
#include "codec/form_encode.h"

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "codec/constraints.h"
#include "codec/kind.h"
#include "codec/schema_check.h"
#include "json/writer/number_write.h"

_Static_assert(HERALD__FORM_BYTES >= HERALD_TIME_TEXT_BYTES + 2, "a time in quotes");

/*
 * Functions that return a place take the place to write at, and return the place after what they
 * wrote, or NULL after recording an error.
 */

/* herald__trace_fail() in a function that returns a place. */
#define FAIL(TRACE, ...) (herald__trace_fail(TRACE, HERALD_NO_OFFSET, __VA_ARGS__), NULL)

static int64_t
load_signed(const void *in, size_t bytes)
{
	return bytes == 8   ? *(const int64_t *)in
	       : bytes == 4 ? *(const int32_t *)in
	       : bytes == 2 ? *(const int16_t *)in
			    : *(const int8_t *)in;
}

static uint64_t
load_unsigned(const void *in, size_t bytes)
{
	return bytes == 8   ? *(const uint64_t *)in
	       : bytes == 4 ? *(const uint32_t *)in
	       : bytes == 2 ? *(const uint16_t *)in
			    : *(const uint8_t *)in;
}

static char *
write_integer(struct herald__trace *trace, const struct herald__field *field, enum herald_kind kind,
	      const void *in, char *out)
{
	size_t bytes = herald__kind_bytes(kind);
	bool in_range;
	char *after;

	if (herald__kind_is_unsigned(kind)) {
		uint64_t value = load_unsigned(in, bytes);

		in_range = value >= field->range.natural.min && value <= field->range.natural.max;
		after = herald__write_natural(value, out);
	} else {
		int64_t value = load_signed(in, bytes);

		in_range = value >= field->range.integer.min && value <= field->range.integer.max;
		after = herald__write_integer(value, out);
	}
	if (in_range)
		return after;
	*after = '\0';
	herald__fail_integer(trace, HERALD_NO_OFFSET, field, out);
	return NULL;
}

static char *
write_real(struct herald__trace *trace, const struct herald__field *field, enum herald_kind kind,
	   const void *in, char *out)
{
	bool single = kind == HERALD_KIND_FLOAT;
	double value = single ? (double)*(const float *)in : *(const double *)in;

	if (!isfinite(value))
		return FAIL(trace, HERALD_BAD_VALUE, "expected a finite number, found %s",
			    isnan(value) ? "NaN"
			    : value > 0  ? "infinity"
					 : "-infinity");
	if ((field->flags & HERALD__BOUNDED) != 0 &&
	    !herald__check_real(trace, HERALD_NO_OFFSET, field, value))
		return NULL;
	return single ? herald__write_float((float)value, out) : herald__write_double(value, out);
}

static char *
write_bool(const struct herald__field *field, bool value, char *out)
{
	const char *text = field->field->numeric ? value ? "1" : "0" : value ? "true" : "false";
	size_t bytes = strlen(text);

	memcpy(out, text, bytes);
	return out + bytes;
}

static char *
write_enum(struct herald__trace *trace, const struct herald__field *field, int value, char *out)
{
	if (herald__enum_name(field->field, value))
		return herald__write_integer(value, out);
	return FAIL(trace, HERALD_BAD_VALUE, "expected a value with a name, found %d", value);
}

/* Write a fraction of `digits` digits, without the zeros at its end. */
static char *
write_fraction(uint32_t value, int digits, char *out)
{
	if (value == 0)
		return out;
	for (; value % 10 == 0; value /= 10)
		digits--;
	*out = '.';
	for (char *at = out + digits; at > out; at--, value /= 10)
		*at = (char)('0' + value % 10);
	return out + digits + 1;
}

/* Write a time as the decimal number of its seconds or milliseconds. */
static char *
write_epoch(const struct herald__field *field, const struct herald_time *time, char *out)
{
	bool milliseconds = field->field->epoch == HERALD_EPOCH_MILLISECONDS;
	int64_t seconds = time->seconds;
	uint32_t nanoseconds = (uint32_t)time->nanoseconds;

	/* The fraction is added to a number below zero, so it is written of the number's
	 * magnitude. */
	if (seconds < 0) {
		*out++ = '-';
		if (nanoseconds > 0) {
			seconds++;
			nanoseconds = 1000000000 - nanoseconds;
		}
		seconds = -seconds;
	}
	if (!milliseconds)
		return write_fraction(nanoseconds, 9, herald__write_integer(seconds, out));
	out = herald__write_integer(seconds * 1000 + nanoseconds / 1000000, out);
	return write_fraction(nanoseconds % 1000000, 6, out);
}

static char *
write_time(struct herald__trace *trace, const struct herald__field *field,
	   const struct herald_time *time, char *out)
{
	char text[HERALD_TIME_TEXT_BYTES];
	size_t bytes = herald_time_format(time, text);

	if (bytes == 0)
		return herald__fail_time(trace, time);
	if (field->field->epoch == HERALD_EPOCH_NONE) {
		out[0] = out[bytes + 1] = '"';
		memcpy(out + 1, text, bytes);
		return out + bytes + 2;
	}
	if (time->offset_minutes != 0)
		return FAIL(trace, HERALD_BAD_TIME,
			    "expected offset_minutes 0 of a time since 1970, found %d",
			    time->offset_minutes);
	return write_epoch(field, time, out);
}

static char *
write_bare(struct herald__trace *trace, const struct herald__field *field, const void *in,
	   char *out)
{
	enum herald_kind kind = herald__value_kind(field->field);

	switch (kind) {
	case HERALD_KIND_BOOL:
		return write_bool(field, *(const bool *)in, out);
	case HERALD_KIND_ENUM:
		return write_enum(trace, field, *(const int *)in, out);
	case HERALD_KIND_TIME:
		return write_time(trace, field, in, out);
	case HERALD_KIND_FLOAT:
	case HERALD_KIND_DOUBLE:
		return write_real(trace, field, kind, in, out);
	default:
		return write_integer(trace, field, kind, in, out);
	}
}

size_t
herald__encode_form(struct herald__trace *trace, const struct herald__field *field, const void *in,
		    char *out)
{
	bool quoted = field->field->quoted;
	char text[HERALD__NUMBER_BYTES], *after = write_bare(trace, field, in, text);
	size_t bytes;

	if (!after)
		return 0;
	bytes = (size_t)(after - text);
	memcpy(out + quoted, text, bytes);
	if (!quoted)
		return bytes;
	out[0] = out[bytes + 1] = '"';
	return bytes + 2;
}
