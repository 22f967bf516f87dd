/*
 * What a plan has of one line of a schema: the range of a number, the kind that the decoder and the
 * encoder switch on, whether a value may be left out, offsets and limits. Its name is in plan.c.
 */
#include "codec/plan_field.h"

#include <float.h>

#include "codec/cases.h"
#include "codec/schema_check.h"

/* A bound without its fraction. The value must fit a 64-bit integer. */
static long double
whole(long double value)
{
	return value < 0 ? (long double)(int64_t)value : (long double)(uint64_t)value;
}

/*
 * Set the range of an integer kind, narrowed to the bounds. Bounds with a fraction are rounded
 * inwards. Returns false if no value is left.
 */
static bool
set_integer_range(struct herald__field *out, const struct herald_field *field, size_t bytes)
{
	int64_t greatest = INT64_MAX >> (64 - 8 * bytes), least = -greatest - 1;
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	long double min = lower->value, max = upper->value;

	out->range.integer.min = least;
	out->range.integer.max = greatest;
	if ((lower->is_set && min > (long double)greatest) ||
	    (upper->is_set && max < (long double)least))
		return false;
	if (lower->is_set && min > (long double)least)
		out->range.integer.min = (int64_t)min + (whole(min) < min);
	if (upper->is_set && max < (long double)greatest)
		out->range.integer.max = (int64_t)max - (whole(max) > max);
	return out->range.integer.min <= out->range.integer.max;
}

static bool
set_natural_range(struct herald__field *out, const struct herald_field *field, size_t bytes)
{
	uint64_t greatest = UINT64_MAX >> (64 - 8 * bytes);
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	long double min = lower->value, max = upper->value;

	out->range.natural.min = 0;
	out->range.natural.max = greatest;
	if ((lower->is_set && min > (long double)greatest) || (upper->is_set && max < 0))
		return false;
	if (lower->is_set && min > 0)
		out->range.natural.min = (uint64_t)min + (whole(min) < min);
	if (upper->is_set && max < (long double)greatest)
		out->range.natural.max = (uint64_t)max;
	return out->range.natural.min <= out->range.natural.max;
}

/* The bounds of a float are rounded to float like its values, so that "at most 0.1" allows 0.1. */
static bool
set_real_range(struct herald__field *out, const struct herald_field *field, bool single)
{
	const struct herald_bound *lower = &field->lower_bound, *upper = &field->upper_bound;
	double min = lower->is_set ? (double)lower->value : -DBL_MAX;
	double max = upper->is_set ? (double)upper->value : DBL_MAX;

	out->range.real.min = single && lower->is_set ? (double)(float)min : min;
	out->range.real.max = single && upper->is_set ? (double)(float)max : max;
	if (lower->is_set || upper->is_set)
		out->flags |= HERALD__BOUNDED;
	return out->range.real.min <= (single ? (double)FLT_MAX : DBL_MAX) &&
	       out->range.real.max >= (single ? (double)-FLT_MAX : -DBL_MAX);
}

bool
herald__plan_field_set_range(struct herald__field *out, const struct herald_field *field)
{
	enum herald_kind kind = herald__value_kind(field);
	size_t bytes = herald__kind_bytes(kind);

	if (kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_INT64)
		return set_integer_range(out, field, bytes);
	if (herald__kind_is_unsigned(kind))
		return set_natural_range(out, field, bytes);
	if (kind == HERALD_KIND_FLOAT || kind == HERALD_KIND_DOUBLE)
		return set_real_range(out, field, kind == HERALD_KIND_FLOAT);
	return true;
}

static bool
allows_empty(const struct herald_field *field)
{
	if (field->min_bytes > 0)
		return false;
	if (!field->one_of)
		return true;
	for (const char *const *value = field->one_of; *value; value++)
		if (**value == '\0')
			return true;
	return false;
}

static bool
has_name_for_zero(const struct herald_field *field)
{
	for (size_t i = 0; i < field->names_count; i++)
		if (field->names[i].value == 0)
			return true;
	return false;
}

static bool may_be_zero(const struct herald_field *field, unsigned levels);

/* may_be_zero() for each element of an array, which may be null. */
static bool
may_elements_be_zero(const struct herald_field *field, unsigned levels)
{
	struct herald_field element = *field;

	element.kind = field->element;
	element.required = false;
	return field->nullable || may_be_zero(&element, levels);
}

/* may_be_zero() for a member whose schema is transparent: its value may be null, unless the member
 * or the value is required. */
static bool
may_value_be_zero(const struct herald_field *field, unsigned levels)
{
	struct herald_field value = *field;

	for (size_t i = 0; i < field->schema->fields_count; i++)
		if (herald__kind_is_in_json(field->schema->fields[i].kind))
			value = field->schema->fields[i];
	value.required |= field->required;
	/* The null of a transparent struct in it is that one's value. */
	if (value.kind == HERALD_KIND_STRUCT && value.schema->transparent)
		return levels == 0 || may_be_zero(&value, levels - 1);
	if (!value.required)
		return true;
	return !value.optional && (levels == 0 || may_be_zero(&value, levels - 1));
}

/* Whether a member is a tag in the struct that cannot be empty, because no case is for that. */
static bool
is_tag_without_empty(const struct herald_schema *schema, const struct herald_field *field)
{
	if (field->kind != HERALD_KIND_CHARS || field->one_of || field != herald__tag_of(schema))
		return false;
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].tag && (!schema->fields[i].when || !*schema->fields[i].when))
			return false;
	return true;
}

/*
 * Whether zero is a valid value of a member: it can be written, and then be read. Looks at most
 * `levels` deep into structs, because a schema may contain itself.
 */
static bool
may_be_zero(const struct herald_field *field, unsigned levels)
{
	switch (field->kind) {
	case HERALD_KIND_BOOL:
	case HERALD_KIND_TIME:
		return true;
	case HERALD_KIND_CHARS:
		return allows_empty(field);
	case HERALD_KIND_ENUM:
		return has_name_for_zero(field);
	case HERALD_KIND_ARRAY:
		return may_elements_be_zero(field, levels);
	case HERALD_KIND_STRUCT:
		/* Missing is zero, but unchecked: the check may refuse it. */
		if (field->schema->check)
			return false;
		if (field->schema->transparent)
			return may_value_be_zero(field, levels);
		for (size_t i = 0; levels > 0 && i < field->schema->fields_count; i++)
			if ((field->schema->fields[i].required || field->schema->fields[i].flat) &&
			    (!may_be_zero(&field->schema->fields[i], levels - 1) ||
			     is_tag_without_empty(field->schema, &field->schema->fields[i])))
				return false;
		return true;
	default:
		if (herald__kind_is_pointer(field->kind))
			return false;
		return (!field->lower_bound.is_set || field->lower_bound.value <= 0) &&
		       (!field->upper_bound.is_set || field->upper_bound.value >= 0);
	}
}

/* Whether encoding may leave a member out, or fails because it is required. */
static bool
may_lack(const struct herald_field *field)
{
	if (field->optional)
		return true;
	if (may_be_zero(field, 32))
		return false;
	/* A required value is always written and then checked, but a required NULL is missing. */
	return !field->required || field->kind == HERALD_KIND_ENUM ||
	       herald__kind_is_pointer(field->kind);
}

/* The kind that the decoder and the encoder switch on: of a member, or of its elements. */
static uint8_t
coded_kind(const struct herald_field *field, enum herald_kind kind)
{
	if (kind == herald__value_kind(field) && herald__has_form(field))
		return HERALD__KIND_FORM;
	if (kind == field->element && field->nullable)
		return HERALD__KIND_NULLABLE;
	if (kind == HERALD_KIND_STRUCT && field->schema->transparent)
		return HERALD__KIND_VALUE_IN;
	if (kind == HERALD_KIND_POINTER && field->schema->transparent)
		return HERALD__KIND_VALUE_AT;
	return (uint8_t)kind;
}

/* Whether null is more than the zero value: it is raw JSON, or left to a member of its own. */
static bool
is_null_a_value(const struct herald_field *field)
{
	return !field->required &&
	       (field->kind == HERALD_KIND_JSON ||
		(field->kind == HERALD_KIND_STRUCT && field->schema->transparent));
}

void
herald__plan_field_set(struct herald__field *out, const struct herald_field *field, size_t shift,
		       const struct herald_limits *limits)
{
	size_t max_count = limits->max_list_count;

	out->kind = coded_kind(field, field->kind);
	out->element = coded_kind(field, field->element);
	out->item_bytes = herald__field_item_bytes(field);
	if (field->kind == HERALD_KIND_ARRAY)
		out->array_count = field->bytes / out->item_bytes;
	out->flags =
		(uint8_t)((field->required ? HERALD__REQUIRED : 0) |
			  (field->optional ? HERALD__OPTIONAL : 0) |
			  (field->min_bytes != 0 || field->max_bytes != 0 ? HERALD__LENGTH : 0) |
			  (field->one_of ? HERALD__ONE_OF : 0) |
			  (is_null_a_value(field) ? HERALD__NULL_IS_VALUE : 0) |
			  (may_lack(field) ? HERALD__MAY_LACK : 0));
	out->offset = shift + field->offset;
	out->has_offset = shift + field->has_offset;
	out->count_offset = shift + field->count_offset;
	out->min_bytes = field->min_bytes;
	out->max_bytes = field->max_bytes != 0 ? field->max_bytes : SIZE_MAX;
	out->min_count = field->min_count;
	out->max_count = field->max_count != 0 && field->max_count < max_count ? field->max_count
									       : max_count;
	out->plain_max_bytes = out->max_bytes < limits->max_string_bytes ? out->max_bytes
									 : limits->max_string_bytes;
	if (field->kind == HERALD_KIND_STRING && !field->one_of && !field->optional)
		out->flags |= HERALD__PLAIN;
	out->field = field;
}
