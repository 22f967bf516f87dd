/*
 * What a field asks of a value beyond its type. Owns the texts of these errors;
 * the decoder and the encoder say where.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "number.h"
#include "text.h"

static bool
is_one_of(const char *const *values, const char *data, size_t bytes)
{
	for (; *values != NULL; values++)
		if (strlen(*values) == bytes && memcmp(*values, data, bytes) == 0)
			return true;
	return false;
}

/* Values that are allowed, as a message lists them: `"s", "m", ...`. As many as leave room for what was found. */
struct allowed {
	char text[108];
	size_t bytes, count;
	bool cut;
};

#define MORE ", ..."

static void
allow(struct allowed *allowed, const char *value)
{
	struct herald__shown shown;
	const char *text = herald__show_string(&shown, value, strlen(value));
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
fail_not_allowed(struct herald__trace *trace, size_t offset, const struct allowed *allowed,
		 const char *data, size_t bytes)
{
	struct herald__shown shown;

	herald__trace_fail(trace, offset, HERALD_BAD_VALUE, "expected %s%s, found %s",
			   allowed->count > 1 ? "one of " : "", allowed->text,
			   herald__show_string(&shown, data, bytes));
}

HERALD__COLD static void
fail_one_of(struct herald__trace *trace, size_t offset, const struct herald__field *field,
	    const char *data, size_t bytes)
{
	struct allowed allowed = {.bytes = 0};

	for (const char *const *value = field->field->one_of; *value != NULL; value++)
		allow(&allowed, *value);
	fail_not_allowed(trace, offset, &allowed, data, bytes);
}

void
herald__fail_name(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		  const char *data, size_t bytes)
{
	struct allowed allowed = {.bytes = 0};

	for (size_t i = 0; i < field->field->names_count; i++)
		allow(&allowed, field->field->names[i].name);
	fail_not_allowed(trace, offset, &allowed, data, bytes);
}

bool
herald__check_string(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		     const char *data, size_t bytes)
{
	if (bytes < field->min_bytes && bytes == 0)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a string that is not empty, found \"\"");
	else if (bytes < field->min_bytes)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a string of at least %zu bytes, found %zu",
				   field->min_bytes, bytes);
	else if (bytes > field->max_bytes)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected a string of at most %zu bytes, found %zu",
				   field->max_bytes, bytes);
	else if (field->field->one_of != NULL && !is_one_of(field->field->one_of, data, bytes))
		fail_one_of(trace, offset, field, data, bytes);
	else
		return true;
	return false;
}

bool
herald__check_count(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		    size_t count)
{
	bool map = herald__kind_is_map((enum herald_kind)field->kind);
	const char *things = map ? "entries" : "elements";

	if (count < field->min_count && count == 0)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected an %s that is not empty, found %s",
				   map ? "object" : "array", map ? "{}" : "[]");
	else if (count < field->min_count)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected at least %zu %s, found %zu", field->min_count, things,
				   count);
	else if (count > field->max_count && count > field->field->max_count &&
		 field->field->max_count != 0)
		herald__trace_fail(trace, offset, HERALD_BAD_LENGTH,
				   "expected at most %zu %s, found more", field->field->max_count,
				   things);
	else if (count > field->max_count)
		herald__trace_fail(trace, offset, HERALD_LIMIT,
				   "expected at most %zu %s (limits.max_list_count), found more",
				   field->max_count, things);
	else
		return true;
	return false;
}

/* As JSON would have it: the shortest text of the kind, whatever the locale. */
static void
write_real(const struct herald__field *field, double value, char *out)
{
	bool single = field->kind == HERALD_KIND_FLOAT || field->element == HERALD_KIND_FLOAT;

	*(single ? herald__write_float((float)value, out) : herald__write_double(value, out)) =
		'\0';
}

static HERALD__COLD bool
fail_real(struct herald__trace *trace, size_t offset, const struct herald__field *field,
	  double value)
{
	bool below = value < field->range.real.min;
	char bound[HERALD__NUMBER_BYTES], found[HERALD__NUMBER_BYTES];

	write_real(field, below ? field->range.real.min : field->range.real.max, bound);
	write_real(field, value, found);
	return herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE,
				  "expected a number of at %s %s, found %s",
				  below ? "least" : "most", bound, found);
}

bool
herald__check_real(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		   double value)
{
	if (!(value < field->range.real.min) && !(value > field->range.real.max))
		return true;
	return fail_real(trace, offset, field, value);
}

bool
herald__kind_is_unsigned(enum herald_kind kind)
{
	return kind >= HERALD_KIND_UINT8 && kind <= HERALD_KIND_UINT64;
}

void
herald__fail_integer(struct herald__trace *trace, size_t offset, const struct herald__field *field,
		     const char *shown)
{
	enum herald_kind kind = field->kind == HERALD_KIND_VALUES ? (enum herald_kind)field->element
								  : (enum herald_kind)field->kind;

	if (herald__kind_is_unsigned(kind))
		herald__trace_fail(trace, offset, HERALD_OUT_OF_RANGE,
				   "expected an integer from %llu to %llu, found %s",
				   (unsigned long long)field->range.natural.min,
				   (unsigned long long)field->range.natural.max, shown);
	else if (field->range.integer.max == INT64_MAX && field->range.integer.min != INT64_MIN)
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

static void
sift(const void **entries, size_t root, size_t count)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		const void *moved = entries[root];

		if (child + 1 < count && strcmp(herald__entry_key(entries[child + 1]),
						herald__entry_key(entries[child])) > 0)
			child++;
		if (strcmp(herald__entry_key(moved), herald__entry_key(entries[child])) >= 0)
			return;
		entries[root] = entries[child];
		entries[child] = moved;
	}
}

/* Heapsort has no worst case, so a sender who chooses the keys cannot make this slow. */
const char *
herald__find_duplicate_of_many(const char *entries, size_t bytes, size_t count,
			       const void **scratch)
{
	for (size_t i = 0; i < count; i++)
		scratch[i] = entries + i * bytes;
	for (size_t i = count / 2; i-- > 0;)
		sift(scratch, i, count);
	for (size_t i = count; i-- > 1;) {
		const void *greatest = scratch[0];

		scratch[0] = scratch[i];
		sift(scratch, 0, i);
		if (strcmp(herald__entry_key(scratch[0]), herald__entry_key(greatest)) == 0)
			return herald__entry_key((uintptr_t)scratch[0] > (uintptr_t)greatest
							 ? scratch[0]
							 : greatest);
	}
	return NULL;
}
