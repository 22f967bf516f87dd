/*
 * The constraints of a field beyond its type, and the texts of their errors. The decoder and the
 * encoder add the place.
 */
#include "codec/constraints.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/safe_text.h"
#include "codec/schema_check.h"
#include "json/writer/number_write.h"

static bool
is_one_of(const char *const *values, const char *data, size_t bytes)
{
	for (; *values; values++)
		if (strlen(*values) == bytes && memcmp(*values, data, bytes) == 0)
			return true;
	return false;
}

/* The allowed values as a message lists them: `"s", "m", ...`. Only as many as leave room for the
 * value that was found. */
struct allowed {
	char text[108];
	size_t bytes, count;
	bool cut;
};

#define MORE ", ..."

static void
allow_text(struct allowed *allowed, const char *text)
{
	size_t bytes = strlen(text), left = sizeof(allowed->text) - allowed->bytes;

	allowed->count++;
	if (allowed->cut)
		return;
	allowed->cut = bytes + strlen(", ") + sizeof(MORE) > left;
	allowed->bytes += (size_t)snprintf(allowed->text + allowed->bytes, left, "%s%s",
					   allowed->cut         ? MORE
					   : allowed->count > 1 ? ", "
								: "",
					   allowed->cut ? "" : text);
}

static void
allow(struct allowed *allowed, const char *value)
{
	struct herald__shown shown;

	allow_text(allowed, herald__show_string(&shown, value, strlen(value)));
}

static void
fail_not_allowed(struct herald__trace *trace, size_t offset, const struct allowed *allowed,
		 const char *found)
{
	herald__trace_fail(trace, offset, HERALD_BAD_VALUE, "expected %s%s, found %s",
			   allowed->count > 1 ? "one of " : "", allowed->text, found);
}

HERALD__COLD static void
fail_one_of(struct herald__trace *trace, size_t offset, const struct herald__field *field,
	    const char *data, size_t bytes)
{
	struct allowed allowed = {.bytes = 0};
	struct herald__shown shown;

	for (const char *const *value = field->field->one_of; *value; value++)
		allow(&allowed, *value);
	fail_not_allowed(trace, offset, &allowed, herald__show_string(&shown, data, bytes));
}

void
herald__fail_name(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		  const char *data, size_t bytes)
{
	struct allowed allowed = {.bytes = 0};
	struct herald__shown shown;

	for (size_t i = 0; i < field->field->names_count; i++)
		allow(&allowed, field->field->names[i].name);
	fail_not_allowed(trace, offset, &allowed, herald__show_string(&shown, data, bytes));
}

void
herald__fail_number(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		    const char *shown)
{
	struct allowed allowed = {.bytes = 0};

	for (size_t i = 0; i < field->field->names_count; i++) {
		const struct herald_name *name = &field->field->names[i];
		char text[HERALD__NUMBER_BYTES];

		/* Of names with the same value, once. */
		if (herald__enum_name(field->field, name->value) != name->name)
			continue;
		*herald__write_integer(name->value, text) = '\0';
		allow_text(&allowed, text);
	}
	fail_not_allowed(trace, offset, &allowed, shown);
}

bool
herald__check_string(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		     const char *data, size_t bytes)
{
	if (bytes == 0 && field->min_bytes == 1)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a non-empty string, found \"\"");
	else if (bytes < field->min_bytes)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a string of %s %zu bytes, found %zu",
				   field->min_bytes == field->max_bytes ? "exactly" : "at least",
				   field->min_bytes, bytes);
	else if (bytes > field->max_bytes)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a string of %s %zu byte%s, found %zu",
				   field->min_bytes == field->max_bytes ? "exactly" : "at most",
				   field->max_bytes, field->max_bytes == 1 ? "" : "s", bytes);
	else if (field->field->one_of && !is_one_of(field->field->one_of, data, bytes))
		fail_one_of(trace, offset, field, data, bytes);
	else
		return true;
	return false;
}

static const char *
count_noun(bool map, size_t count)
{
	if (map)
		return count == 1 ? "entry" : "entries";
	return count == 1 ? "element" : "elements";
}

bool
herald__check_count(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		    size_t count)
{
	bool map = herald__kind_is_map((enum herald_kind)field->kind);

	if (count == 0 && field->min_count == 1)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a non-empty %s, found %s", map ? "object" : "array",
				   map ? "{}" : "[]");
	else if (count < field->min_count)
		herald__trace_fail(
			trace, offset, HERALD_BAD_LENGTH, "expected %s %zu %s, found %zu",
			field->min_count == field->field->max_count ? "exactly" : "at least",
			field->min_count, count_noun(map, field->min_count), count);
	else if (count > field->max_count && count > field->field->max_count &&
		 field->field->max_count != 0)
		herald__trace_fail(
			trace, offset, HERALD_BAD_LENGTH, "expected %s %zu %s, found more",
			field->min_count == field->field->max_count ? "exactly" : "at most",
			field->field->max_count, count_noun(map, field->field->max_count));
	else if (count > field->max_count)
		herald__trace_fail(trace, offset, HERALD_LIMIT,
				   "expected at most %zu %s (limits.max_list_count), found more",
				   field->max_count, count_noun(map, field->max_count));
	else
		return true;
	return false;
}

void
herald__fail_array(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		   size_t found)
{
	size_t count = field->array_count;

	if (found > count)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected exactly %zu %s, found more", count,
				   count_noun(false, count));
	else
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected exactly %zu %s, found %zu", count,
				   count_noun(false, count), found);
}

/* The shortest text of the kind that JSON allows, in any locale. */
static void
write_real(const struct herald__field *field, double value, char *out)
{
	bool single = herald__value_kind(field->field) == HERALD_KIND_FLOAT;

	*(single ? herald__write_float((float)value, out) : herald__write_double(value, out)) =
		'\0';
}

HERALD__COLD static bool
fail_real(struct herald__trace *trace, size_t offset, const struct herald__field *field,
	  double value)
{
	bool below = value < field->range.real.min;
	bool is_one = field->range.real.min >= field->range.real.max;
	char bound[HERALD__NUMBER_BYTES], found[HERALD__NUMBER_BYTES];

	write_real(field, below ? field->range.real.min : field->range.real.max, bound);
	write_real(field, value, found);
	return herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE, "expected %s%s, found %s",
				  is_one  ? ""
				  : below ? "a number of at least "
					  : "a number of at most ",
				  bound, found);
}

bool
herald__check_real(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		   double value)
{
	if (!(value < field->range.real.min) && !(value > field->range.real.max))
		return true;
	return fail_real(trace, offset, field, value);
}

/* Whether an integer that is out of a range up to INT64_MAX is below it: it is negative, or has
 * fewer digits than INT64_MAX. */
static bool
is_below(const char *shown)
{
	return shown[0] == '-' ||
	       (strspn(shown, "0123456789") == strlen(shown) && strlen(shown) < 19);
}

void
herald__fail_integer(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		     const char *shown)
{
	bool is_unsigned = herald__kind_is_unsigned(herald__value_kind(field->field));

	if (is_unsigned && field->range.natural.min == field->range.natural.max)
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE, "expected %llu, found %s",
				   (unsigned long long)field->range.natural.min, shown);
	else if (!is_unsigned && field->range.integer.min == field->range.integer.max)
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE, "expected %lld, found %s",
				   (long long)field->range.integer.min, shown);
	else if (is_unsigned)
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE,
				   "expected an integer from %llu to %llu, found %s",
				   (unsigned long long)field->range.natural.min,
				   (unsigned long long)field->range.natural.max, shown);
	else if (field->range.integer.max == INT64_MAX && field->range.integer.min != INT64_MIN &&
		 is_below(shown))
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE,
				   "expected an integer of at least %lld, found %s",
				   (long long)field->range.integer.min, shown);
	else
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE,
				   "expected an integer from %lld to %lld, found %s",
				   (long long)field->range.integer.min,
				   (long long)field->range.integer.max, shown);
}

void
herald__fail_integer_at(struct herald__reader *reader, const char *at,
			const struct herald__field *field)
{
	struct herald__shown shown;

	herald__fail_integer(&reader->trace, herald__offset(reader, at), field,
			     herald__show_number(reader, at, &shown));
}

char *
herald__fail_time(struct herald__trace *trace, const struct herald_time *time)
{
	if (time->nanoseconds < 0 || time->nanoseconds > 999999999)
		herald__trace_fail(trace, HERALD_NO_OFFSET, HERALD_BAD_TIME,
				   "expected nanoseconds from 0 to 999999999, found %d",
				   (int)time->nanoseconds);
	else if (time->offset_minutes < -1439 || time->offset_minutes > 1439)
		herald__trace_fail(trace, HERALD_NO_OFFSET, HERALD_BAD_TIME,
				   "expected offset_minutes from -1439 to 1439, found %d",
				   time->offset_minutes);
	else
		herald__trace_fail(
			trace, HERALD_NO_OFFSET, HERALD_BAD_TIME,
			"expected a time in the years 0000 to 9999, found %lld seconds since 1970",
			(long long)time->seconds);
	return NULL;
}
