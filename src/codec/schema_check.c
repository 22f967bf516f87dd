/*
 * Checks a schema before it is trusted, line by line: offsets and sizes in the struct, options that
 * suit the kind. Refuses everything by which a wrong table could corrupt memory. Members that
 * overlap or were forgotten are found by schema_coverage.c, and duplicate keys by plan.c, which has
 * the hash table for it.
 */
#include "codec/schema_check.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/options.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "codec/cases.h"
#include "codec/kind.h"

/* So that no number of fields, times a few, overflows 32 bits. */
#define MAX_FIELDS 1000000000

/* The field being checked. */
struct check {
	const struct herald_schema *schema;
	const struct herald_field *field;
	struct herald_error *error;
};

enum herald_status
herald__schema_fail(const struct herald_schema *schema, const struct herald_field *field,
		    struct herald_error *error, const char *what)
{
	const struct herald__option place = {
		.list = schema->name ? schema->name : "?",
		.index = HERALD__NO_INDEX,
		.member = !field        ? NULL
			  : field->name ? field->name
					: "?",
	};

	return herald__option_error(error, HERALD_BAD_SCHEMA, place, "%s", what);
}

static enum herald_status
bad(const struct check *check, const char *what)
{
	return herald__schema_fail(check->schema, check->field, check->error, what);
}

static bool
is_string(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT || kind == HERALD_KIND_CHARS;
}

/* Whether a field has a schema. */
static bool
is_struct(const struct herald_field *field)
{
	return herald__value_kind(field) == HERALD_KIND_STRUCT ||
	       field->kind == HERALD_KIND_POINTER || field->kind == HERALD_KIND_LIST ||
	       field->kind == HERALD_KIND_STRUCT_MAP;
}

size_t
herald__field_item_bytes(const struct herald_field *field)
{
	if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_STRUCT_MAP ||
	    (field->kind == HERALD_KIND_ARRAY && field->element == HERALD_KIND_STRUCT))
		return field->schema->bytes;
	return herald__kind_bytes(field->element);
}

/* Check the offset and the size in the struct: they may be wrong in a table written by hand. */
static enum herald_status
check_place(const struct check *check)
{
	const struct herald_field *field = check->field;
	size_t struct_bytes = check->schema->bytes;
	size_t alignment = herald__kind_alignment(field->kind);
	size_t bytes = herald__kind_bytes(field->kind);

	if (field->bytes == 0 || field->offset > struct_bytes ||
	    field->bytes > struct_bytes - field->offset)
		return bad(check, "the member is not within the struct");
	if (bytes != 0 && field->bytes != bytes)
		return bad(check, "the member's size does not match its kind");
	if (alignment > 1 && field->offset % alignment != 0)
		return bad(check, "the member's offset is not aligned for its kind");
	if (field->optional && field->has_offset >= struct_bytes)
		return bad(check, "has_offset is not within the struct");
	if (herald__kind_has_count(field->kind) &&
	    (field->count_offset % _Alignof(size_t) != 0 || field->count_offset > struct_bytes ||
	     sizeof(size_t) > struct_bytes - field->count_offset))
		return bad(check, "count_offset is not within the struct");
	return HERALD_OK;
}

static enum herald_status
check_names(const struct check *check)
{
	const struct herald_field *field = check->field;

	if (herald__value_kind(field) != HERALD_KIND_ENUM)
		return !field->names && field->names_count == 0
			       ? HERALD_OK
			       : bad(check, "only an enum can have names");
	if (!field->names || field->names_count == 0)
		return bad(check, "an enum needs names, and their count");
	for (size_t i = 0; i < field->names_count; i++) {
		const char *name = field->names[i].name;

		if (!name || !herald__is_utf8(name, strlen(name)))
			return bad(check, "a name of the enum is NULL or not valid UTF-8");
		for (size_t j = 0; j < i; j++)
			if (strcmp(field->names[j].name, name) == 0)
				return bad(check, "two names of the enum are the same");
	}
	return HERALD_OK;
}

static size_t
count_kind(const struct herald_schema *schema, enum herald_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; schema->fields && i < schema->fields_count; i++)
		count += schema->fields[i].kind == kind;
	return count;
}

/* Check how the value is written in JSON. */
static enum herald_status
check_form(const struct check *check)
{
	const struct herald_field *field = check->field;
	enum herald_kind kind = herald__value_kind(field);
	bool is_number =
		herald__kind_is_number(kind) || field->numeric || field->epoch != HERALD_EPOCH_NONE;
	bool is_real = kind == HERALD_KIND_FLOAT || kind == HERALD_KIND_DOUBLE;

	if (field->numeric && kind != HERALD_KIND_BOOL && kind != HERALD_KIND_ENUM)
		return bad(check, "numeric is for bool and enums");
	if (field->epoch != HERALD_EPOCH_NONE && kind != HERALD_KIND_TIME)
		return bad(check, "epoch is for times");
	if (field->epoch < HERALD_EPOCH_NONE || field->epoch > HERALD_EPOCH_MILLISECONDS)
		return bad(check, "unknown epoch");
	if (field->quoted && !is_number)
		return bad(check,
			   "quoted is for numbers, and for values that are written as numbers");
	if (field->lenient && !field->quoted &&
	    (kind == HERALD_KIND_ENUM || is_real ||
	     (!is_number && kind != HERALD_KIND_BOOL && kind != HERALD_KIND_TIME)))
		return bad(check, "lenient is for integers, bool, times and quoted values");
	if (field->unknown.misplaced || (!field->unknown.is_set && field->unknown.value != 0))
		return bad(check, "unknown has a value but is not set: use HERALD_UNKNOWN");
	if (field->unknown.is_set && kind != HERALD_KIND_ENUM)
		return bad(check, "HERALD_UNKNOWN is for enums");
	return HERALD_OK;
}

/* Pointers do not tell the size of what they point to. */
static enum herald_status
check_inner_bytes(const struct check *check)
{
	size_t inner = check->field->inner_bytes, bytes = check->field->schema->bytes;
	char what[100];

	if (inner == 0 || inner == bytes)
		return HERALD_OK;
	snprintf(what, sizeof(what), "the inner struct has %zu bytes, but its schema's has %zu",
		 inner, bytes);
	return bad(check, what);
}

static enum herald_status
check_inner(const struct check *check)
{
	const struct herald_field *field = check->field;

	if (!is_struct(field))
		return !field->schema && field->inner_bytes == 0
			       ? HERALD_OK
			       : bad(check, "only a struct can have a schema, and inner_bytes");
	if (!field->schema)
		return bad(check, "a struct needs its schema");
	if (field->schema == &herald_json_schema)
		return bad(check, "for any JSON use a member of type struct herald_json");
	if ((field->kind == HERALD_KIND_STRUCT_MAP) !=
	    (count_kind(field->schema, HERALD_KIND_KEY) > 0))
		return bad(check, field->kind == HERALD_KIND_STRUCT_MAP
					  ? "the schema of a map's members needs a HERALD_KEY"
					  : "a schema with a HERALD_KEY is for HERALD_MAP only");
	if (field->kind == HERALD_KIND_STRUCT && field->bytes != field->schema->bytes)
		return bad(check, "the member's size does not match its schema's struct");
	if (herald__value_kind(field) == HERALD_KIND_STRUCT && field->schema->alignment != 0 &&
	    field->offset % field->schema->alignment != 0)
		return bad(check, "the member's offset is not aligned for its schema's struct");
	/* A null would be there and not be there. */
	if (field->optional && field->kind == HERALD_KIND_STRUCT && field->schema->transparent)
		return bad(check, "a transparent struct cannot be optional; its member can");
	return check_inner_bytes(check);
}

/* Check the elements of an array: those in the struct, and that they may be null. */
static enum herald_status
check_array(const struct check *check)
{
	const struct herald_field *field = check->field;
	bool is_array = field->kind == HERALD_KIND_ARRAY;
	size_t alignment = herald__kind_alignment(field->element);

	if (field->nullable &&
	    ((field->kind != HERALD_KIND_VALUES && !is_array) ||
	     (field->element != HERALD_KIND_STRING && field->element != HERALD_KIND_TEXT)))
		return bad(check, "nullable is for lists of strings; for others use a struct whose "
				  "schema is transparent");
	if (!is_array)
		return HERALD_OK;
	if (herald__field_item_bytes(field) == 0 ||
	    field->bytes % herald__field_item_bytes(field) != 0)
		return bad(check, "the array's size does not match its elements");
	if (alignment > 1 && field->offset % alignment != 0)
		return bad(check, "the member's offset is not aligned for its elements");
	return HERALD_OK;
}

/* Whether a line's value of the tag is one that the tag may have. */
static bool
is_allowed(const struct herald_field *tag, const char *when)
{
	if (tag->kind != HERALD_KIND_ENUM && !tag->one_of)
		return true;
	for (size_t i = 0; i < tag->names_count; i++)
		if (strcmp(tag->names[i].name, when) == 0)
			return true;
	for (const char *const *value = tag->one_of; value && *value; value++)
		if (strcmp(*value, when) == 0)
			return true;
	return false;
}

/* Check the value of the tag for which the line counts. */
static enum herald_status
check_when(const struct check *check, const struct herald_field *tag)
{
	const char *when = check->field->when;
	struct herald__shown shown;
	char what[sizeof(shown.text) + 80];

	if (!when)
		return HERALD_OK;
	if (!herald__is_utf8(when, strlen(when)))
		return bad(check, "the value of the tag is not valid UTF-8");
	if (is_allowed(tag, when))
		return HERALD_OK;
	snprintf(what, sizeof(what), "%s is not one of the tag's %s",
		 herald__show_string(&shown, when, strlen(when)),
		 tag->kind == HERALD_KIND_ENUM ? "names" : "values");
	return bad(check, what);
}

static enum herald_status
bad_tag(const struct check *check, const char *what)
{
	char text[HERALD__MESSAGE_BYTES];

	herald_text_write(text, sizeof(text), "the tag %s %s", check->field->tag, what);
	return bad(check, text);
}

/* Whether another line has the name of the tag. */
static bool
is_ambiguous(const struct herald_schema *schema, const struct herald_field *tag)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (&schema->fields[i] != tag && schema->fields[i].name &&
		    strcmp(schema->fields[i].name, tag->name) == 0)
			return true;
	return false;
}

/* Check that the member whose value decides about the line is in the schema, and can decide. */
static enum herald_status
check_tag(const struct check *check)
{
	const struct herald_field *field = check->field, *tag;
	struct check check_of_tag = *check;
	enum herald_status status;

	if (!field->tag)
		return !field->when ? HERALD_OK : bad(check, "`when` needs a tag: use HERALD_WHEN");
	if (check->schema->transparent)
		return bad(check, "a transparent schema cannot have a tag");
	if (!(tag = herald__tag_of(check->schema)))
		return bad_tag(check, "is not a member of the schema");
	if (strcmp(tag->name, field->tag) != 0)
		return bad_tag(check, "is not the schema's only one");
	if (is_ambiguous(check->schema, tag))
		return bad_tag(check, "is the name of several members");
	if (!is_string(tag->kind) && tag->kind != HERALD_KIND_ENUM)
		return bad_tag(check, "must be a string or an enum");
	if (!tag->required)
		return bad_tag(check, "must be required");
	if (tag->quoted)
		return bad_tag(check, "cannot be quoted");
	if (tag->tag)
		return bad_tag(check, "cannot depend on a tag itself");
	check_of_tag.field = tag;
	if ((status = check_names(&check_of_tag)) != HERALD_OK)
		return status;
	return check_when(check, tag);
}

static enum herald_status
check_flat(const struct check *check)
{
	const struct herald_field *field = check->field;
	const struct herald_schema *inner = field->schema;

	if (!field->flat)
		return HERALD_OK;
	if (field->kind != HERALD_KIND_STRUCT)
		return bad(check, "flat is for structs: HERALD_STRUCT");
	if (field->required)
		return bad(check, "a flat struct cannot be required; its members can");
	if (field->optional)
		return bad(check, "a flat struct cannot be optional; its members can");
	if (field->key)
		return bad(check, "a flat struct has no key");
	if (inner->transparent || (inner->fields && herald__tag_of(inner)))
		return bad(check,
			   "the schema of a flat struct cannot be transparent or have a tag");
	if (check->schema->transparent)
		return bad(check, "a transparent schema cannot have a flat struct");
	return HERALD_OK;
}

/* Check that the line was written for this struct. */
static enum herald_status
check_owner(const struct check *check)
{
	const char *owner = check->field->owner;
	char what[512];

	if (!owner)
		return bad(check, "the line has no owner: set `owner` to the struct's name");
	if (strcmp(owner, check->schema->name) == 0)
		return HERALD_OK;
	herald_text_write(what, sizeof(what),
			  "the line belongs to struct %s, but the schema to struct %s", owner,
			  check->schema->name);
	return bad(check, what);
}

/* Neither set by a macro nor zero. */
static bool
is_misplaced(const struct herald_bound *bound)
{
	return bound->misplaced || (!bound->is_set && bound->value != 0);
}

static enum herald_status
check_bounds(const struct check *check)
{
	const struct herald_field *field = check->field;
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	enum herald_kind kind = herald__value_kind(field);

	if (is_misplaced(lower) || is_misplaced(upper))
		return bad(check, "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX "
				  "or HERALD_RANGE");
	if ((lower->is_set || upper->is_set) && !herald__kind_is_number(kind))
		return bad(check, "HERALD_MIN and HERALD_MAX are for numbers");
	if (lower->value != lower->value || upper->value != upper->value)
		return bad(check, "a bound is not a number");
	if (lower->is_set && upper->is_set && lower->value > upper->value)
		return bad(check, "the minimum is above the maximum");
	if ((field->min_bytes != 0 || field->max_bytes != 0) && !is_string(kind))
		return bad(check, "min_bytes and max_bytes are for strings");
	if (field->max_bytes != 0 && field->min_bytes > field->max_bytes)
		return bad(check, "min_bytes is above max_bytes");
	if (kind == HERALD_KIND_CHARS &&
	    (field->min_bytes >= field->bytes || field->max_bytes >= field->bytes))
		return bad(check, "min_bytes or max_bytes does not fit into the array");
	if ((field->min_count != 0 || field->max_count != 0) &&
	    !herald__kind_has_count(field->kind) && !herald__kind_is_map(field->kind))
		return bad(check, "min_count and max_count are for lists and maps");
	if (field->max_count != 0 && field->min_count > field->max_count)
		return bad(check, "min_count is above max_count");
	if (field->one_of && !is_string(kind))
		return bad(check, "HERALD_ONE_OF is for strings");
	if (field->one_of && !field->one_of[0])
		return bad(check, "HERALD_ONE_OF has no values");
	return HERALD_OK;
}

/* Whether a line has what a private one cannot have: it would be used although the rest of the line
 * is not checked. */
static bool
has_options(const struct herald_field *field)
{
	return field->required || field->optional || field->flat || field->tag || field->when ||
	       field->schema;
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
		return bad(check, "unknown kind");
	if ((status = check_place(check)) != HERALD_OK)
		return status;
	if (field->kind == HERALD_KIND_NONE)
		return !has_options(field) ? HERALD_OK
					   : bad(check, "HERALD_PRIVATE has no options");
	if (field->kind == HERALD_KIND_KEY &&
	    (field->key || field->required || field->optional || field->tag))
		return bad(check, "HERALD_KEY has no options");
	key = herald__field_key(field);
	if (!key || !herald__is_utf8(key, strlen(key)))
		return bad(check, "the key is missing or not valid UTF-8");
	if (strlen(key) > UINT32_MAX / 2)
		return bad(check, "the key is too long");
	if ((field->kind == HERALD_KIND_VALUES || field->kind == HERALD_KIND_ARRAY) &&
	    !(field->kind == HERALD_KIND_ARRAY && field->element == HERALD_KIND_STRUCT) &&
	    (field->element <= HERALD_KIND_NONE || field->element == HERALD_KIND_CHARS ||
	     (field->element >= HERALD_KIND_MAP && field->element != HERALD_KIND_ENUM)))
		return bad(check, "a list cannot have elements of this kind");
	if (field->kind != HERALD_KIND_VALUES && field->kind != HERALD_KIND_ARRAY &&
	    field->element != HERALD_KIND_NONE)
		return bad(check, "only a list of values has an element");
	if (field->required && field->optional)
		return bad(
			check,
			"a required member cannot be optional too: use HERALD_FIELD, without has_");
	if ((status = check_names(check)) != HERALD_OK ||
	    (status = check_form(check)) != HERALD_OK || (status = check_inner(check)) != HERALD_OK)
		return status;
	if ((status = check_array(check)) != HERALD_OK ||
	    (status = check_tag(check)) != HERALD_OK || (status = check_flat(check)) != HERALD_OK)
		return status;
	return check_bounds(check);
}

/* Check that the check was made for this struct. */
static enum herald_status
check_check(const struct check *check)
{
	const struct herald_check *of = check->schema->check;
	uint64_t mark;
	char what[512];

	if (!of)
		return HERALD_OK;
	memcpy(&mark, of, sizeof(mark)); /* a function need not be aligned */
	if (mark != HERALD_CHECK_MARK)
		return bad(check, "the check was not made by HERALD_CHECK: for the function f, "
				  "write .check = &f_check");
	if (!of->owner || !of->function)
		return bad(check, "the check has no owner or no function: use HERALD_CHECK");
	if (strcmp(of->owner, check->schema->name) == 0)
		return HERALD_OK;
	herald_text_write(what, sizeof(what),
			  "the check belongs to struct %s, but the schema to struct %s", of->owner,
			  check->schema->name);
	return bad(check, what);
}

/* The number of members in the JSON. */
static size_t
count_values(const struct herald_schema *schema)
{
	return schema->fields_count - count_kind(schema, HERALD_KIND_NONE) -
	       count_kind(schema, HERALD_KIND_KEY);
}

enum herald_status
herald__schema_check(const struct herald_schema *schema, struct herald_error *error)
{
	struct check check = {schema, NULL, error};

	if (!schema->name || schema->bytes == 0 || !schema->fields || schema->fields_count == 0)
		return bad(&check, "the schema needs a name, a size and fields");
	if (schema->fields_count > MAX_FIELDS)
		return bad(&check, "the schema has too many fields");
	if (schema->alignment == 0 || schema->alignment > _Alignof(max_align_t) ||
	    (schema->alignment & (schema->alignment - 1)) != 0 ||
	    schema->bytes % schema->alignment != 0)
		return bad(&check, "the schema's alignment does not match its struct");
	for (size_t i = 0; i < schema->fields_count; i++) {
		enum herald_status status;

		check.field = &schema->fields[i];
		if (!check.field->name)
			return bad(&check, "the field has no name");
		if ((status = check_field(&check)) != HERALD_OK)
			return status;
	}
	check.field = NULL;
	if (check_check(&check) != HERALD_OK)
		return HERALD_BAD_SCHEMA;
	if (count_kind(schema, HERALD_KIND_KEY) > 1)
		return bad(&check, "a schema can have one HERALD_KEY");
	if (schema->transparent && count_values(schema) != 1)
		return bad(&check, "a transparent schema needs one member that is not private");
	if (schema->transparent && schema->reject_unknown)
		return bad(&check, "a transparent schema has no members that could be unknown");
	return HERALD_OK;
}
