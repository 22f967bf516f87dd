/*
 * The checks of a schema before it is trusted: places and sizes in the struct,
 * options that suit the kind, members that overlap or were left out. Whatever a
 * wrong table could do to memory is refused here. Duplicate keys are found by
 * plan.c, which has the hash table for it.
 */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "../memory.h"
#include "codec.h"
#include "scan.h"

/* What the checks of one field know. */
struct check {
	const struct herald_schema *schema;
	const struct herald_field *field;
	struct herald_error *error;
};

/* A stretch of the struct that a field describes. */
struct extent {
	size_t begin, end;
	size_t alignment; /* 0: unknown */
	const struct herald_field *field;
};

enum herald_status
herald__schema_fail(const struct herald_schema *schema, const struct herald_field *field,
		    struct herald_error *error, const char *what)
{
	herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET, "%s", what);
	if (error != NULL)
		snprintf(error->path, sizeof(error->path), "%s%s%s",
			 schema->name != NULL ? schema->name : "?", field != NULL ? "." : "",
			 field == NULL         ? ""
			 : field->name != NULL ? field->name
					       : "?");
	return HERALD_BAD_SCHEMA;
}

static enum herald_status
bad(const struct check *check, const char *what)
{
	return herald__schema_fail(check->schema, check->field, check->error, what);
}

static const struct {
	size_t bytes, alignment;
} kind_layouts[HERALD_KIND_COUNT] = {
#define LAYOUT(type)                                                                               \
	{                                                                                          \
		sizeof(type), _Alignof(type)                                                       \
	}
	[HERALD_KIND_BOOL] = LAYOUT(bool),
	[HERALD_KIND_INT8] = LAYOUT(int8_t),
	[HERALD_KIND_INT16] = LAYOUT(int16_t),
	[HERALD_KIND_INT32] = LAYOUT(int32_t),
	[HERALD_KIND_INT64] = LAYOUT(int64_t),
	[HERALD_KIND_UINT8] = LAYOUT(uint8_t),
	[HERALD_KIND_UINT16] = LAYOUT(uint16_t),
	[HERALD_KIND_UINT32] = LAYOUT(uint32_t),
	[HERALD_KIND_UINT64] = LAYOUT(uint64_t),
	[HERALD_KIND_FLOAT] = LAYOUT(float),
	[HERALD_KIND_DOUBLE] = LAYOUT(double),
	[HERALD_KIND_STRING] = LAYOUT(const char *),
	[HERALD_KIND_TEXT] = LAYOUT(struct herald_text),
	[HERALD_KIND_CHARS] = {0, 1},
	[HERALD_KIND_TIME] = LAYOUT(struct herald_time),
	[HERALD_KIND_JSON] = LAYOUT(struct herald_json),
	[HERALD_KIND_MAP] = LAYOUT(struct herald_map),
	[HERALD_KIND_JSON_MAP] = LAYOUT(struct herald_json_map),
	[HERALD_KIND_ENUM] = LAYOUT(int),
	[HERALD_KIND_POINTER] = LAYOUT(void *),
	[HERALD_KIND_LIST] = LAYOUT(void *),
	[HERALD_KIND_VALUES] = LAYOUT(void *),
#undef LAYOUT
};

size_t
herald__kind_bytes(enum herald_kind kind)
{
	return kind_layouts[kind].bytes;
}

static bool
is_string(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT || kind == HERALD_KIND_CHARS;
}

static bool
is_struct(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRUCT || kind == HERALD_KIND_POINTER ||
	       kind == HERALD_KIND_LIST;
}

static bool
is_list(enum herald_kind kind)
{
	return kind == HERALD_KIND_LIST || kind == HERALD_KIND_VALUES;
}

/* Place and size in the struct: a table written by hand may have them wrong. */
static enum herald_status
check_place(const struct check *check)
{
	const struct herald_field *field = check->field;
	size_t struct_bytes = check->schema->bytes;
	size_t alignment = kind_layouts[field->kind].alignment;
	size_t bytes = kind_layouts[field->kind].bytes;

	if (field->bytes == 0 || field->offset > struct_bytes ||
	    field->bytes > struct_bytes - field->offset)
		return bad(check, "the member is not within the struct");
	if (bytes != 0 && field->bytes != bytes)
		return bad(check, "the member's size is not that of its kind");
	if (alignment > 1 && field->offset % alignment != 0)
		return bad(check, "the member's offset is not aligned for its kind");
	if (field->optional && field->has_offset >= struct_bytes)
		return bad(check, "has_offset is not within the struct");
	if (is_list(field->kind) &&
	    (field->count_offset % _Alignof(size_t) != 0 || field->count_offset > struct_bytes ||
	     sizeof(size_t) > struct_bytes - field->count_offset))
		return bad(check, "count_offset is not within the struct");
	return HERALD_OK;
}

static enum herald_status
check_names(const struct check *check)
{
	const struct herald_field *field = check->field;

	if (field->kind != HERALD_KIND_ENUM)
		return field->names == NULL && field->names_count == 0
			       ? HERALD_OK
			       : bad(check, "only an enum has names");
	if (field->names == NULL || field->names_count == 0)
		return bad(check, "an enum needs names, and their count");
	for (size_t i = 0; i < field->names_count; i++) {
		const char *name = field->names[i].name;

		if (name == NULL || !herald__is_utf8(name, strlen(name)))
			return bad(check, "a name of the enum is NULL or not valid UTF-8");
		for (size_t j = 0; j < i; j++)
			if (strcmp(field->names[j].name, name) == 0)
				return bad(check, "two names of the enum are the same");
	}
	return HERALD_OK;
}

static enum herald_status
check_inner(const struct check *check)
{
	const struct herald_field *field = check->field;

	if (!is_struct(field->kind))
		return field->schema == NULL ? HERALD_OK : bad(check, "this kind has no schema");
	if (field->schema == NULL)
		return bad(check, "a struct needs its schema");
	if (field->schema == &herald_json_schema)
		return bad(check, "for any JSON use a member of type struct herald_json");
	if (field->kind == HERALD_KIND_STRUCT && field->bytes != field->schema->bytes)
		return bad(check, "the member's size is not that of its schema's struct");
	if (field->kind == HERALD_KIND_STRUCT && field->schema->alignment != 0 &&
	    field->offset % field->schema->alignment != 0)
		return bad(check, "the member's offset is not aligned for its schema's struct");
	return HERALD_OK;
}

/* The line says for which struct it was written. */
static enum herald_status
check_owner(const struct check *check)
{
	const char *owner = check->field->owner;
	char what[160];

	if (owner == NULL)
		return bad(check, "the line does not say its struct: set `owner` to its name");
	if (strcmp(owner, check->schema->name) == 0)
		return HERALD_OK;
	snprintf(what, sizeof(what),
		 "the line is of struct %.48s, but its schema is of struct %.48s", owner,
		 check->schema->name);
	return bad(check, what);
}

static enum herald_status
check_bounds(const struct check *check)
{
	const struct herald_field *field = check->field;
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	enum herald_kind kind = herald__value_kind(field);

	if ((!lower->is_set && lower->value != 0) || (!upper->is_set && upper->value != 0))
		return bad(check, "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX "
				  "or HERALD_RANGE");
	if ((lower->is_set || upper->is_set) && !herald__kind_is_number(kind))
		return bad(check, "HERALD_MIN and HERALD_MAX are for numbers");
	if (lower->value != lower->value || upper->value != upper->value)
		return bad(check, "a bound is not a number");
	if (lower->is_set && upper->is_set && lower->value > upper->value)
		return bad(check, "the least value is above the greatest");
	if ((field->min_bytes != 0 || field->max_bytes != 0) && !is_string(kind))
		return bad(check, "min_bytes and max_bytes are for strings");
	if (field->max_bytes != 0 && field->min_bytes > field->max_bytes)
		return bad(check, "min_bytes is above max_bytes");
	if (kind == HERALD_KIND_CHARS &&
	    (field->min_bytes >= field->bytes || field->max_bytes >= field->bytes))
		return bad(check, "min_bytes or max_bytes does not fit into the array");
	if ((field->min_count != 0 || field->max_count != 0) && !is_list(field->kind) &&
	    !herald__kind_is_map(field->kind))
		return bad(check, "min_count and max_count are for lists and maps");
	if (field->max_count != 0 && field->min_count > field->max_count)
		return bad(check, "min_count is above max_count");
	if (field->one_of != NULL && !is_string(kind))
		return bad(check, "HERALD_ONE_OF is for strings");
	if (field->one_of != NULL && field->one_of[0] == NULL)
		return bad(check, "HERALD_ONE_OF allows no value");
	return HERALD_OK;
}

static enum herald_status
check_field(const struct check *check)
{
	const struct herald_field *field = check->field;
	const char *key;
	enum herald_status status;

	if ((status = check_owner(check)) != HERALD_OK)
		return status;
	if (field->kind < HERALD_KIND_NONE || field->kind >= HERALD_KIND_COUNT)
		return bad(check, "there is no such kind");
	if ((status = check_place(check)) != HERALD_OK)
		return status;
	if (field->kind == HERALD_KIND_NONE)
		return HERALD_OK;
	key = herald__field_key(field);
	if (key == NULL || !herald__is_utf8(key, strlen(key)))
		return bad(check, "the key is missing or not valid UTF-8");
	if (strlen(key) > UINT32_MAX / 2)
		return bad(check, "the key is too long");
	if (field->kind == HERALD_KIND_VALUES &&
	    (field->element <= HERALD_KIND_NONE || field->element >= HERALD_KIND_MAP ||
	     field->element == HERALD_KIND_CHARS))
		return bad(check, "a list cannot have elements of this kind");
	if (field->required && field->optional)
		return bad(
			check,
			"a required member cannot be optional too: use HERALD_FIELD, without has_");
	if ((status = check_names(check)) != HERALD_OK ||
	    (status = check_inner(check)) != HERALD_OK)
		return status;
	return check_bounds(check);
}

static void
sift(struct extent *extents, size_t root, size_t count)
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		struct extent moved;

		if (child + 1 < count && extents[child + 1].begin > extents[child].begin)
			child++;
		if (extents[root].begin >= extents[child].begin)
			return;
		moved = extents[root];
		extents[root] = extents[child];
		extents[child] = moved;
	}
}

/* Heapsort: no memory, no worst case, and it runs once. */
static void
sort_extents(struct extent *extents, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(extents, i, count);
	for (size_t i = count; i-- > 1;) {
		struct extent last = extents[i];

		extents[i] = extents[0];
		extents[0] = last;
		sift(extents, 0, i);
	}
}

static size_t
collect_extents(const struct herald_schema *schema, struct extent *out)
{
	size_t count = 0;

	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];
		size_t alignment = field->kind == HERALD_KIND_STRUCT
					   ? field->schema->alignment
					   : kind_layouts[field->kind].alignment;

		out[count++] = (struct extent){field->offset, field->offset + field->bytes,
					       alignment, field};
		if (field->optional)
			out[count++] = (struct extent){field->has_offset,
						       field->has_offset + sizeof(bool), 1, field};
		if (is_list(field->kind))
			out[count++] = (struct extent){field->count_offset,
						       field->count_offset + sizeof(size_t),
						       _Alignof(size_t), field};
	}
	return count;
}

/*
 * Whether alignment explains the gap before an extent. A member of an inner
 * struct ("message.payload") may have that struct's padding behind it, and the
 * alignment of a private member is unknown: any alignment up to the struct's
 * will do for these.
 */
static bool
is_padding(size_t end, const struct extent *next, const struct extent *previous, size_t alignment)
{
	bool nested = strchr(next->field->name, '.') != NULL ||
		      (previous != NULL && strchr(previous->field->name, '.') != NULL);

	if (next->alignment != 0 && !nested)
		alignment = next->alignment;
	return next->begin - end < alignment;
}

/* Members that overlap, and bytes that no field describes. */
static enum herald_status
check_coverage(struct check *check, const struct herald_allocator *allocator)
{
	const struct herald_schema *schema = check->schema;
	size_t bytes = 3 * schema->fields_count * sizeof(struct extent);
	struct extent *extents = herald__allocate(allocator, bytes);
	enum herald_status status = HERALD_OK;
	size_t count, end = 0;

	if (extents == NULL)
		return herald_error_set(check->error, HERALD_NO_MEMORY, HERALD_NO_OFFSET,
					"out of memory");
	count = collect_extents(schema, extents);
	sort_extents(extents, count);
	for (size_t i = 0; i < count && status == HERALD_OK; i++) {
		check->field = extents[i].field;
		if (extents[i].begin < end)
			status = bad(check, "the member overlaps another one");
		else if (!is_padding(end, &extents[i], i > 0 ? &extents[i - 1] : NULL,
				     schema->alignment))
			status = bad(check, "a member of the struct before this one has no field; "
					    "HERALD_PRIVATE is for what JSON does not carry");
		end = extents[i].end;
	}
	if (status == HERALD_OK && schema->bytes - end >= schema->alignment)
		status = bad(check, "a member of the struct after this one has no field; "
				    "HERALD_PRIVATE is for what JSON does not carry");
	herald__release(allocator, extents, bytes);
	return status;
}

enum herald_status
herald__schema_check(const struct herald_schema *schema, const struct herald_allocator *allocator,
		     struct herald_error *error)
{
	struct check check = {schema, NULL, error};

	if (schema->name == NULL || schema->bytes == 0 || schema->fields == NULL ||
	    schema->fields_count == 0 || schema->fields_count > UINT32_MAX / 4)
		return bad(&check, "the schema needs a name, a size and fields");
	if (schema->alignment == 0 || schema->alignment > _Alignof(max_align_t) ||
	    (schema->alignment & (schema->alignment - 1)) != 0 ||
	    schema->bytes % schema->alignment != 0)
		return bad(&check, "the schema's alignment is not one that the struct can have");
	for (size_t i = 0; i < schema->fields_count; i++) {
		enum herald_status status;

		check.field = &schema->fields[i];
		if (check.field->name == NULL)
			return bad(&check, "the field has no name");
		if ((status = check_field(&check)) != HERALD_OK)
			return status;
	}
	return check_coverage(&check, allocator);
}
