/*
 * Checks which bytes of a struct the lines of its schema describe: members that overlap, and bytes
 * that no line describes, so that a member was forgotten. Each line by itself has been checked by
 * schema_check.c.
 */
#include "codec/schema_coverage.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "base/safe_text.h"
#include "base/sort.h"
#include "codec/cases.h"
#include "codec/kind.h"
#include "codec/schema_check.h"

/* The schema, and the line that an error is about. */
struct check {
	const struct herald_schema *schema;
	const struct herald_field *field;
	struct herald_error *error;
};

/* The range of bytes in the struct that a field describes. */
struct extent {
	size_t begin, end;
	size_t alignment; /* 0: unknown */
	const struct herald_field *field;
};

static enum herald_status
bad(const struct check *check, const char *what)
{
	return herald__schema_fail(check->schema, check->field, check->error, what);
}

/* A herald__order by the first byte. */
static int
extent_order(const void *a, const void *b)
{
	const struct extent *left = a, *right = b;

	return (left->begin > right->begin) - (left->begin < right->begin);
}

static size_t
collect_extents(const struct herald_schema *schema, struct extent *out)
{
	size_t count = 0;

	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];
		enum herald_kind kind =
			field->kind == HERALD_KIND_ARRAY ? field->element : field->kind;
		size_t alignment = kind == HERALD_KIND_STRUCT ? field->schema->alignment
							      : herald__kind_alignment(kind);

		out[count++] = (struct extent){field->offset, field->offset + field->bytes,
					       alignment, field};
		if (field->optional)
			out[count++] = (struct extent){field->has_offset,
						       field->has_offset + sizeof(bool), 1, field};
		if (herald__kind_has_count(field->kind))
			out[count++] = (struct extent){field->count_offset,
						       field->count_offset + sizeof(size_t),
						       _Alignof(size_t), field};
	}
	return count;
}

/* Whether a member is in an inner struct ("message.payload") or in a union, which may have padding
 * after it. */
static bool
is_nested(const struct extent *extent)
{
	return strchr(extent->field->name, '.') || extent->field->tag;
}

/*
 * Whether alignment explains the gap before an extent. Where the padding of an inner struct or a
 * union may be, and the alignment of a private member is unknown, any alignment up to the struct's
 * is accepted.
 */
static bool
is_padding(size_t end, const struct extent *next, const struct extent *previous, size_t alignment)
{
	bool nested = is_nested(next) || (previous && is_nested(previous));

	if (next->begin <= end)
		return true;
	if (next->alignment != 0 && !nested)
		alignment = next->alignment;
	return next->begin - end < alignment;
}

/* Refuse a line that overlaps another one that counts, too. */
static enum herald_status
refuse_overlap(const struct check *check, const struct herald_field *other)
{
	const struct herald_field *field = check->field;
	struct herald__shown first, second;
	char what[2 * sizeof(first.text) + 80];

	if (!field->tag || !other->tag)
		return bad(check, "the member overlaps another one");
	if (!field->when)
		return bad(check, "two cases are for all other values of the tag");
	/* In the order of the lines. */
	if (other > field) {
		const struct herald_field *last = other;

		other = field;
		field = last;
	}
	herald__show_string(&first, other->when, strlen(other->when));
	herald__show_string(&second, field->when, strlen(field->when));
	if (strcmp(field->when, other->when) == 0)
		snprintf(what, sizeof(what), "two cases have the value %s", first.text);
	else
		snprintf(what, sizeof(what), "the cases %s and %s have the same number", first.text,
			 second.text);
	return bad(check, what);
}

/*
 * Find members that overlap although both count: always, or in the case of `pick`. Private ones may
 * share the memory of cases: a union can have members that are not in JSON. `extents` must be
 * sorted.
 */
static enum herald_status
check_overlaps(struct check *check, const struct extent *const *extents, size_t count,
	       const struct herald_field *pick)
{
	const struct herald_field *tag = herald__tag_of(check->schema);
	const struct extent *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct herald_field *field = extents[i]->field;

		if (field->tag && (!pick || !herald__is_same_case(tag, field, pick)))
			continue;
		if (pick && !field->tag && field->kind == HERALD_KIND_NONE)
			continue;
		check->field = field;
		if (last && extents[i]->begin < last->end)
			return refuse_overlap(check, last->field);
		last = extents[i];
	}
	return HERALD_OK;
}

/* Refuse the bytes from `begin` to `end`, which are in no line. `last` is the line before them. */
static enum herald_status
refuse_gap(struct check *check, size_t begin, size_t end, const struct herald_field *last)
{
	char bytes[60], what[HERALD__MESSAGE_BYTES];

	if (end - begin == 1)
		snprintf(bytes, sizeof(bytes), "byte %zu is", begin);
	else
		snprintf(bytes, sizeof(bytes), "bytes %zu to %zu are", begin, end - 1);
	herald_text_write(what, sizeof(what),
			  "%s in no line, %s%s; .no_padding needs one for every byte", bytes,
			  last ? "after " : "before all members", last ? last->name : "");
	check->field = NULL;
	return bad(check, what);
}

/* Find the first bytes that no line describes, whatever could be padding. `extents` must be
 * sorted. */
static enum herald_status
check_no_padding(struct check *check, const struct extent *const *extents, size_t count)
{
	const struct herald_field *last = NULL;
	size_t end = 0;

	for (size_t i = 0; i < count; i++) {
		if (extents[i]->begin > end)
			return refuse_gap(check, end, extents[i]->begin, last);
		if (extents[i]->end > end) {
			end = extents[i]->end;
			last = extents[i]->field;
		}
	}
	return end == check->schema->bytes ? HERALD_OK
					   : refuse_gap(check, end, check->schema->bytes, last);
}

/* Find overlapping members, and bytes that no field describes. `extents` must be sorted. */
static enum herald_status
check_extents(struct check *check, const struct extent *const *extents, size_t count)
{
	const struct herald_schema *schema = check->schema;
	const struct herald_field *tag = herald__tag_of(schema);
	enum herald_status status = check_overlaps(check, extents, count, NULL);
	size_t end = 0;

	for (size_t i = 0; status == HERALD_OK && tag && i < schema->fields_count; i++)
		if (herald__is_first_of_case(schema, tag, &schema->fields[i]))
			status = check_overlaps(check, extents, count, &schema->fields[i]);
	if (status == HERALD_OK && schema->no_padding)
		status = check_no_padding(check, extents, count);
	if (status != HERALD_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		check->field = extents[i]->field;
		if (!is_padding(end, extents[i], i > 0 ? extents[i - 1] : NULL, schema->alignment))
			return bad(check, "an earlier member of the struct has no field; use "
					  "HERALD_PRIVATE for members that are not in JSON");
		if (extents[i]->end > end)
			end = extents[i]->end;
	}
	if (schema->bytes - end >= schema->alignment)
		return bad(check, "a later member of the struct has no field; use "
				  "HERALD_PRIVATE for members that are not in JSON");
	return HERALD_OK;
}

enum herald_status
herald__schema_coverage_check(const struct herald_schema *schema,
			      const struct herald_allocator *allocator, struct herald_error *error)
{
	struct check check = {schema, NULL, error};
	size_t most = 3 * schema->fields_count;
	size_t bytes = most * (sizeof(struct extent) + sizeof(void *));
	struct extent *extents = herald_memory_allocate(allocator, bytes);
	enum herald_status status;

	if (!extents)
		return herald_out_of_memory(error);

	const void **sorted = (const void **)(extents + most);
	size_t count = collect_extents(schema, extents);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &extents[i];
	herald__sort(sorted, count, extent_order);
	status = check_extents(&check, (const struct extent *const *)sorted, count);
	herald_memory_release(allocator, extents, bytes);
	return status;
}
