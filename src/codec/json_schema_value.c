/*
 * Writing the values of members as JSON Schema: the keywords for each kind and its options, and
 * references to schemas. What they cannot say is listed in herald/json_schema.h.
 */
#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "codec/json_schema_value.h"
#include "codec/kind.h"
#include "codec/schema_check.h"
#include "json/writer/number_write.h"

/* A member's value, or an element of it. */
struct value {
	const struct herald__field *field;
	enum herald_kind kind; /* in C */
	bool null;             /* is valid, too */
};

/* Regular expressions: the subset that ECMA-262, PCRE, RE2 and Python have in common. */
#define NO_NUL "^[^\\x00]*$"
#define WHOLE "(0|[1-9][0-9]*)"
#define INTEGER "^-?" WHOLE "$"
#define NATURAL "^(-?0|[1-9][0-9]*)$"
#define NUMBER "^-?" WHOLE "(\\.[0-9]+)?([eE][+-]?[0-9]+)?$"
#define SECONDS "^-?" WHOLE "(\\.[0-9]{1,9}0*)?$"
#define MILLISECONDS "^-?" WHOLE "(\\.[0-9]{1,6}0*)?$"
#define DATE "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#define HOUR "([01][0-9]|2[0-3])"
#define MINUTE "[0-5][0-9]"
#define TIME                                                                                       \
	DATE "[Tt]" HOUR ":" MINUTE ":" MINUTE "(\\.[0-9]{1,9})?([Zz]|[+-]" HOUR ":" MINUTE ")$"
#define LENIENT_TIME                                                                               \
	DATE "[Tt ]" HOUR ":" MINUTE ":(" MINUTE "|60)(\\.[0-9]+)?([Zz]|[+-]" HOUR "(:?" MINUTE    \
	     ")?)$"

/* Write "type": one or two types, and null. */
static void
write_types(struct herald__indented *json, const struct value *value, const char *type,
	    const char *other)
{
	herald__indented_key(json, "type");
	if (!other && !value->null) {
		herald__indented_text(json, type);
		return;
	}
	herald__indented_begin_line(json, '[');
	herald__indented_text(json, type);
	if (other)
		herald__indented_text(json, other);
	if (value->null)
		herald__indented_text(json, "null");
	herald__indented_end(json, ']');
}

/* Begin and end a list of the valid values, without null. */
static void
begin_enum(struct herald__indented *json)
{
	herald__indented_key(json, "enum");
	herald__indented_begin_line(json, '[');
}

static void
end_enum(struct herald__indented *json, const struct value *value)
{
	if (value->null)
		herald__indented_word(json, "null");
	herald__indented_end(json, ']');
}

static void
write_count(struct herald__indented *json, const char *key, size_t count)
{
	herald__indented_key(json, key);
	herald__indented_natural(json, count);
}

/* A bool may be written as true, false, 1 and 0, also in quotes. */
static void
write_bool(struct herald__indented *json, const struct value *value)
{
	const struct herald_field *field = value->field->field;
	bool numbers = field->numeric || field->lenient;
	bool words = !field->numeric || field->lenient;

	if (!numbers) {
		write_types(json, value, "boolean", NULL);
		return;
	}
	begin_enum(json);
	for (int i = 0; field->quoted && i < (words ? 5 : 3); i++)
		herald__indented_text(json, (const char *[]){"0", "-0", "1", "false", "true"}[i]);
	if ((!field->quoted || field->lenient) && words) {
		herald__indented_word(json, "false");
		herald__indented_word(json, "true");
	}
	if (!field->quoted || field->lenient) {
		herald__indented_natural(json, 0);
		herald__indented_natural(json, 1);
	}
	end_enum(json, value);
}

/* The ends of a number's range, as JSON. */
struct range {
	char min[HERALD__NUMBER_BYTES], max[HERALD__NUMBER_BYTES];
};

static void
set_range(struct range *out, const struct value *value)
{
	const struct herald__field *field = value->field;
	double min = field->range.real.min, max = field->range.real.max;
	char *min_end, *max_end;

	if (herald__kind_is_unsigned(value->kind)) {
		min_end = herald__write_natural(field->range.natural.min, out->min);
		max_end = herald__write_natural(field->range.natural.max, out->max);
	} else if (value->kind == HERALD_KIND_DOUBLE) {
		min_end = herald__write_double(min, out->min);
		max_end = herald__write_double(max, out->max);
	} else if (value->kind == HERALD_KIND_FLOAT) {
		min_end = herald__write_float(min < -FLT_MAX ? -FLT_MAX : (float)min, out->min);
		max_end = herald__write_float(max > FLT_MAX ? FLT_MAX : (float)max, out->max);
	} else {
		min_end = herald__write_integer(field->range.integer.min, out->min);
		max_end = herald__write_integer(field->range.integer.max, out->max);
	}
	*min_end = *max_end = '\0';
}

/* What a number in quotes looks like, whatever its range is. */
static const char *
number_pattern(const struct value *value)
{
	const struct herald_field *field = value->field->field;

	if (field->lenient || value->kind == HERALD_KIND_FLOAT || value->kind == HERALD_KIND_DOUBLE)
		return NUMBER;
	if (value->kind == HERALD_KIND_TIME)
		return field->epoch == HERALD_EPOCH_SECONDS ? SECONDS : MILLISECONDS;
	return herald__kind_is_unsigned(value->kind) ? NATURAL : INTEGER;
}

/* Write the type of what may be in quotes: a string, a number, or either. */
static void
write_number_types(struct herald__indented *json, const struct value *value, const char *number)
{
	const struct herald_field *field = value->field->field;

	write_types(json, value, field->quoted ? "string" : number,
		    field->quoted && field->lenient ? number : NULL);
	if (field->quoted)
		herald__indented_member(json, "pattern", number_pattern(value));
}

/* Whether a value may be a number without quotes. */
static bool
may_be_bare(const struct value *value)
{
	return !value->field->field->quoted || value->field->field->lenient;
}

static void
write_number(struct herald__indented *json, const struct value *value)
{
	bool is_real = value->kind == HERALD_KIND_FLOAT || value->kind == HERALD_KIND_DOUBLE;
	struct range range;

	set_range(&range, value);
	write_number_types(json, value, is_real ? "number" : "integer");
	if (may_be_bare(value)) {
		herald__indented_key(json, "minimum");
		herald__indented_word(json, range.min);
		herald__indented_key(json, "maximum");
		herald__indented_word(json, range.max);
	}
	if (value->field->field->quoted) {
		char text[sizeof(range) + 24];

		snprintf(text, sizeof(text), "in quotes: from %s to %s", range.min, range.max);
		herald__indented_member(json, "$comment", text);
	}
}

static void
write_epoch(struct herald__indented *json, const struct value *value)
{
	bool seconds = value->field->field->epoch == HERALD_EPOCH_SECONDS;
	int64_t unit = seconds ? 1 : 1000;

	write_number_types(json, value, "number");
	if (may_be_bare(value)) {
		herald__indented_key(json, "minimum");
		herald__indented_integer(json, HERALD__FIRST_SECOND * unit);
		herald__indented_key(json, "exclusiveMaximum");
		herald__indented_integer(json, (HERALD__LAST_SECOND + 1) * unit);
	}
	herald__indented_member(
		json, "$comment",
		seconds ? "seconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999"
			: "milliseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999");
}

static void
write_time(struct herald__indented *json, const struct value *value)
{
	bool lenient = value->field->field->lenient;

	if (value->field->field->epoch != HERALD_EPOCH_NONE) {
		write_epoch(json, value);
		return;
	}
	write_types(json, value, "string", NULL);
	if (!lenient)
		herald__indented_member(json, "format", "date-time");
	herald__indented_member(json, "pattern", lenient ? LENIENT_TIME : TIME);
	if (lenient)
		herald__indented_member(json, "$comment", "a time in the years 0000 to 9999");
}

/* The greatest number of bytes of a string; SIZE_MAX: any. */
static size_t
max_bytes(const struct value *value)
{
	size_t room = value->kind == HERALD_KIND_CHARS ? value->field->field->bytes - 1 : SIZE_MAX;

	return value->field->max_bytes < room ? value->field->max_bytes : room;
}

/* Write the limits of a string in code points, which have one to four bytes. */
static void
write_lengths(struct herald__indented *json, size_t min, size_t max)
{
	char text[80];

	if (min > 0)
		write_count(json, "minLength", min / 4 + (min % 4 > 0));
	if (max != SIZE_MAX)
		write_count(json, "maxLength", max);
	if (min == max)
		snprintf(text, sizeof(text), "exactly %zu byte%s of UTF-8", min,
			 min == 1 ? "" : "s");
	else if (max != SIZE_MAX && min > 1)
		snprintf(text, sizeof(text), "%zu to %zu bytes of UTF-8", min, max);
	else if (max != SIZE_MAX || min > 1)
		snprintf(text, sizeof(text), "at %s %zu byte%s of UTF-8",
			 min > 1 ? "least" : "most", min > 1 ? min : max,
			 min <= 1 && max == 1 ? "" : "s");
	else
		return;
	herald__indented_member(json, "$comment", text);
}

static void
write_string(struct herald__indented *json, const struct value *value)
{
	const char *const *one = value->field->field->one_of;
	size_t min = value->field->min_bytes, max = max_bytes(value);

	if (one) {
		begin_enum(json);
		for (; *one; one++)
			if (strlen(*one) >= min && strlen(*one) <= max)
				herald__indented_text(json, *one);
		end_enum(json, value);
		return;
	}
	write_types(json, value, "string", NULL);
	if (value->kind != HERALD_KIND_TEXT)
		herald__indented_member(json, "pattern", NO_NUL);
	write_lengths(json, min, max);
}

/* Whether an earlier name of an enum has the same value. */
static bool
is_repeated(const struct herald_field *field, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (field->names[i].value == field->names[index].value)
			return true;
	return false;
}

/* Write the numbers of an enum: as numbers, or in quotes. */
static void
write_enum_numbers(struct herald__indented *json, const struct herald_field *field, bool quoted)
{
	for (size_t i = 0; i < field->names_count; i++) {
		char text[HERALD__NUMBER_BYTES];

		if (is_repeated(field, i))
			continue;
		*herald__write_integer(field->names[i].value, text) = '\0';
		if (!quoted)
			herald__indented_word(json, text);
		else
			herald__indented_text(json, text);
		if (quoted && field->names[i].value == 0 && !field->unknown.is_set)
			herald__indented_text(json, "-0");
	}
}

static void
write_enum_values(struct herald__indented *json, const struct value *value)
{
	const struct herald_field *field = value->field->field;

	for (size_t i = 0; !field->numeric && i < field->names_count; i++)
		herald__indented_text(json, field->names[i].name);
	if (field->numeric && field->quoted)
		write_enum_numbers(json, field, true);
	if (field->numeric && may_be_bare(value))
		write_enum_numbers(json, field, false);
}

static void
write_names(struct herald__indented *json, const struct value *value)
{
	const struct herald_field *field = value->field->field;

	if (!field->unknown.is_set) {
		begin_enum(json);
		write_enum_values(json, value);
		end_enum(json, value);
		return;
	}
	if (!field->numeric)
		write_types(json, value, "string", NULL);
	else
		write_types(json, value, field->quoted ? "string" : "integer",
			    field->quoted && field->lenient ? "integer" : NULL);
	if (field->quoted)
		herald__indented_member(json, "pattern", INTEGER);
	herald__indented_key(json, "examples");
	herald__indented_begin_line(json, '[');
	write_enum_values(json, value);
	herald__indented_end(json, ']');
}

/* Write the limits of the number of elements or members. */
static void
write_counts(struct herald__indented *json, const struct value *value, const char *min_key,
	     const char *max_key)
{
	const struct herald_field *field = value->field->field;

	if (field->min_count > 0)
		write_count(json, min_key, field->min_count);
	if (field->max_count > 0)
		write_count(json, max_key, field->max_count);
}

static void
write_map(struct herald__indented *json, const struct value *value)
{
	write_types(json, value, "object", NULL);
	herald__indented_key(json, "propertyNames");
	herald__indented_begin_line(json, '{');
	herald__indented_member(json, "pattern", NO_NUL);
	herald__indented_end(json, '}');
	herald__indented_key(json, "additionalProperties");
	herald__indented_begin_line(json, '{');
	if (value->kind == HERALD_KIND_MAP)
		write_types(json, &(struct value){.null = true}, "string", NULL);
	herald__indented_member(json, "pattern", NO_NUL);
	herald__indented_end(json, '}');
	write_counts(json, value, "minProperties", "maxProperties");
}

static void
write_not_null(struct herald__indented *json)
{
	herald__indented_key(json, "not");
	herald__indented_begin_line(json, '{');
	herald__indented_member(json, "type", "null");
	herald__indented_end(json, '}');
}

bool
herald__schema_accepts_null(const struct herald__plan *plan)
{
	const struct herald__field *field = &plan->fields[0];

	if ((plan->special & HERALD__TRANSPARENT) == 0 || (field->flags & HERALD__REQUIRED) != 0)
		return false;
	return field->kind != HERALD__KIND_VALUE_IN || herald__schema_accepts_null(field->inner);
}

/* Write {"$ref": ...}'s member. */
static void
write_ref(struct herald__schema_writer *writer, const struct herald__plan *plan)
{
	const struct herald__definition *definition =
		herald__definitions_find(&writer->definitions, plan->schema);
	struct herald__indented *json = &writer->json;

	herald__indented_key(json, "$ref");
	if (plan == writer->root)
		herald__indented_text(json, "#");
	else
		herald__indented_joined(json, writer->prefix, definition->name);
}

void
herald__schema_write_ref(struct herald__schema_writer *writer, const struct herald__plan *plan,
			 bool takes_null, bool is_alone)
{
	struct herald__indented *json = &writer->json;

	assert(plan); /* the plan of a line that has a schema */
	bool adds_null = takes_null && !herald__schema_accepts_null(plan);
	bool removes_null = !takes_null && herald__schema_accepts_null(plan);

	if (!adds_null && !removes_null && (is_alone || !writer->refs_are_alone)) {
		write_ref(writer, plan);
		return;
	}
	herald__indented_key(json, adds_null ? "anyOf" : "allOf");
	herald__indented_begin_line(json, '[');
	herald__indented_begin(json, '{');
	write_ref(writer, plan);
	herald__indented_end(json, '}');
	if (adds_null || removes_null) {
		herald__indented_begin(json, '{');
		if (removes_null) {
			herald__indented_key(json, "not");
			herald__indented_begin(json, '{');
		}
		herald__indented_member(json, "type", "null");
		herald__indented_end(json, '}');
		if (removes_null)
			herald__indented_end(json, '}');
	}
	herald__indented_end(json, ']');
}

static void write_value(struct herald__schema_writer *writer, const struct value *value);

/* Write the schema of elements. They can be null if that is a value of their type. */
static void
write_items(struct herald__schema_writer *writer, const struct herald__field *field,
	    const char *key)
{
	const struct herald_field *line = field->field;
	struct herald__indented *json = &writer->json;

	herald__indented_key(json, key);
	herald__indented_begin(json, '{');
	if (field->inner)
		herald__schema_write_ref(writer, field->inner,
					 herald__schema_accepts_null(field->inner), true);
	else
		write_value(writer,
			    &(struct value){field, line->element,
					    line->nullable || line->element == HERALD_KIND_JSON});
	herald__indented_end(json, '}');
}

static void
write_list(struct herald__schema_writer *writer, const struct value *value)
{
	write_types(&writer->json, value, "array", NULL);
	write_items(writer, value->field, "items");
	write_counts(&writer->json, value, "minItems", "maxItems");
}

static void
write_array(struct herald__schema_writer *writer, const struct value *value)
{
	write_types(&writer->json, value, "array", NULL);
	write_items(writer, value->field, "items");
	write_count(&writer->json, "minItems", value->field->array_count);
	write_count(&writer->json, "maxItems", value->field->array_count);
}

static void
write_struct_map(struct herald__schema_writer *writer, const struct value *value)
{
	write_types(&writer->json, value, "object", NULL);
	herald__indented_key(&writer->json, "propertyNames");
	herald__indented_begin_line(&writer->json, '{');
	herald__indented_member(&writer->json, "pattern", NO_NUL);
	herald__indented_end(&writer->json, '}');
	write_items(writer, value->field, "additionalProperties");
	write_counts(&writer->json, value, "minProperties", "maxProperties");
}

/* Whether null is valid where a struct is. In a struct, a transparent schema decides. */
static bool
takes_null(const struct value *value)
{
	const struct herald__plan *inner = value->field->inner;

	assert(inner || value->kind != HERALD_KIND_STRUCT);
	if (value->kind == HERALD_KIND_STRUCT && (inner->special & HERALD__TRANSPARENT) != 0)
		return value->null && herald__schema_accepts_null(inner);
	return value->null;
}

/* Without a default, so that the compiler warns of a kind that is missing. */
static void
write_value(struct herald__schema_writer *writer, const struct value *value)
{
	struct herald__indented *json = &writer->json;

	switch (value->kind) {
	case HERALD_KIND_BOOL:
		write_bool(json, value);
		return;
	case HERALD_KIND_INT8:
	case HERALD_KIND_INT16:
	case HERALD_KIND_INT32:
	case HERALD_KIND_INT64:
	case HERALD_KIND_UINT8:
	case HERALD_KIND_UINT16:
	case HERALD_KIND_UINT32:
	case HERALD_KIND_UINT64:
	case HERALD_KIND_FLOAT:
	case HERALD_KIND_DOUBLE:
		write_number(json, value);
		return;
	case HERALD_KIND_STRING:
	case HERALD_KIND_TEXT:
	case HERALD_KIND_CHARS:
		write_string(json, value);
		return;
	case HERALD_KIND_TIME:
		write_time(json, value);
		return;
	case HERALD_KIND_JSON:
		if (!value->null)
			write_not_null(json);
		return;
	case HERALD_KIND_MAP:
	case HERALD_KIND_JSON_MAP:
		write_map(json, value);
		return;
	case HERALD_KIND_ENUM:
		write_names(json, value);
		return;
	case HERALD_KIND_STRUCT:
	case HERALD_KIND_POINTER:
		herald__schema_write_ref(writer, value->field->inner, takes_null(value),
					 !value->field->field->doc);
		return;
	case HERALD_KIND_LIST:
	case HERALD_KIND_VALUES:
		write_list(writer, value);
		return;
	case HERALD_KIND_ARRAY:
		write_array(writer, value);
		return;
	case HERALD_KIND_STRUCT_MAP:
		write_struct_map(writer, value);
		return;
	case HERALD_KIND_KEY:
	case HERALD_KIND_NONE:
	case HERALD_KIND_COUNT:
		return;
	}
}

void
herald__schema_write_value(struct herald__schema_writer *writer, const struct herald__field *field,
			   bool takes_null)
{
	write_value(writer, &(struct value){field, field->field->kind, takes_null});
}
