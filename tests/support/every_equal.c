/*
 * Compares two structs by their schema. Shares no code with the codec, so that it can test it.
 */
#include <string.h>

#include "every_kind.h"
#include "every_schema.h"

/* Bytes of one value of a kind that has no schema. */
static size_t
kind_bytes(enum herald_kind kind)
{
	switch (kind) {
	case HERALD_KIND_BOOL:
		return sizeof(bool);
	case HERALD_KIND_INT8:
	case HERALD_KIND_UINT8:
		return 1;
	case HERALD_KIND_INT16:
	case HERALD_KIND_UINT16:
		return 2;
	case HERALD_KIND_INT32:
	case HERALD_KIND_UINT32:
	case HERALD_KIND_FLOAT:
	case HERALD_KIND_ENUM:
		return 4;
	case HERALD_KIND_INT64:
	case HERALD_KIND_UINT64:
	case HERALD_KIND_DOUBLE:
		return 8;
	case HERALD_KIND_STRING:
		return sizeof(const char *);
	case HERALD_KIND_TEXT:
		return sizeof(struct herald_text);
	case HERALD_KIND_TIME:
		return sizeof(struct herald_time);
	case HERALD_KIND_JSON:
		return sizeof(struct herald_json);
	default:
		return 0;
	}
}

static bool
equal_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a_bytes == b_bytes && (a_bytes == 0 || memcmp(a, b, a_bytes) == 0);
}

static bool
equal_strings(const char *a, const char *b)
{
	return equal_bytes(a, a != NULL ? strlen(a) : 0, b, b != NULL ? strlen(b) : 0);
}

static bool
equal_maps(const struct herald_map *a, const struct herald_map *b)
{
	if (a->pairs == NULL || b->pairs == NULL)
		return a->pairs == b->pairs;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!equal_strings(a->pairs[i].key, b->pairs[i].key) ||
		    !equal_strings(a->pairs[i].value, b->pairs[i].value))
			return false;
	return true;
}

static bool
equal_json_maps(const struct herald_json_map *a, const struct herald_json_map *b)
{
	if (a->pairs == NULL || b->pairs == NULL)
		return a->pairs == b->pairs;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct herald_json_pair *left = &a->pairs[i], *right = &b->pairs[i];

		if (!equal_strings(left->key, right->key) ||
		    !equal_strings(left->text, right->text) ||
		    !equal_bytes(left->json.data, left->json.bytes, right->json.data,
				 right->json.bytes))
			return false;
	}
	return true;
}

/* Values of the kinds that have neither a schema nor a count. */
static bool
equal_values(enum herald_kind kind, const void *a, const void *b, size_t bytes)
{
	const struct herald_text *text_a = a, *text_b = b;
	const struct herald_json *json_a = a, *json_b = b;
	const struct herald_time *time_a = a, *time_b = b;

	switch (kind) {
	case HERALD_KIND_STRING:
	case HERALD_KIND_KEY:
		return equal_strings(*(const char *const *)a, *(const char *const *)b);
	case HERALD_KIND_TEXT:
		return equal_bytes(text_a->data, text_a->bytes, text_b->data, text_b->bytes);
	case HERALD_KIND_JSON:
		return equal_bytes(json_a->data, json_a->bytes, json_b->data, json_b->bytes);
	case HERALD_KIND_TIME:
		return time_a->seconds == time_b->seconds &&
		       time_a->nanoseconds == time_b->nanoseconds &&
		       time_a->offset_minutes == time_b->offset_minutes;
	case HERALD_KIND_CHARS:
		return strncmp(a, b, bytes) == 0;
	case HERALD_KIND_MAP:
		return equal_maps(a, b);
	case HERALD_KIND_JSON_MAP:
		return equal_json_maps(a, b);
	default:
		return memcmp(a, b, bytes) == 0;
	}
}

size_t
every_item_bytes(const struct herald_field *field)
{
	return field->schema ? field->schema->bytes : kind_bytes(field->element);
}

static bool
equal_lists(const struct herald_field *field, const char *a, size_t a_count, const char *b,
	    size_t b_count)
{
	size_t bytes = every_item_bytes(field);

	if (a == NULL || b == NULL)
		return a == b && a_count == b_count;
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++, a += bytes, b += bytes)
		if (field->schema ? !every_equal(field->schema, a, b)
				  : !equal_values(field->element, a, b, bytes))
			return false;
	return true;
}

static bool
is_zero(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static bool
equal_fields(const struct herald_field *field, const char *a, const char *b)
{
	const void *inner_a, *inner_b;
	size_t count_a, count_b;

	if (field->optional && a[field->has_offset] != b[field->has_offset])
		return false;
	if (field->optional && !a[field->has_offset])
		return is_zero(a + field->offset, field->bytes) &&
		       is_zero(b + field->offset, field->bytes);
	switch (field->kind) {
	case HERALD_KIND_STRUCT:
		return every_equal(field->schema, a + field->offset, b + field->offset);
	case HERALD_KIND_POINTER:
		memcpy(&inner_a, a + field->offset, sizeof(inner_a));
		memcpy(&inner_b, b + field->offset, sizeof(inner_b));
		if (inner_a == NULL || inner_b == NULL)
			return inner_a == inner_b;
		return every_equal(field->schema, inner_a, inner_b);
	case HERALD_KIND_ARRAY:
		count_a = field->bytes / every_item_bytes(field);
		return equal_lists(field, a + field->offset, count_a, b + field->offset, count_a);
	case HERALD_KIND_LIST:
	case HERALD_KIND_VALUES:
	case HERALD_KIND_STRUCT_MAP:
		memcpy(&inner_a, a + field->offset, sizeof(inner_a));
		memcpy(&inner_b, b + field->offset, sizeof(inner_b));
		memcpy(&count_a, a + field->count_offset, sizeof(count_a));
		memcpy(&count_b, b + field->count_offset, sizeof(count_b));
		return equal_lists(field, inner_a, count_a, inner_b, count_b);
	default:
		return equal_values(field->kind, a + field->offset, b + field->offset,
				    field->bytes);
	}
}

const struct herald_field *
every_tag_of(const struct herald_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

/* Whether the tag of a struct has this value. */
static bool
has_tag(const struct herald_field *tag, const char *value, const char *in)
{
	struct herald_text text = {in + tag->offset, 0};
	int number;

	if (tag->kind == HERALD_KIND_ENUM) {
		memcpy(&number, in + tag->offset, sizeof(number));
		for (size_t i = 0; i < tag->names_count; i++)
			if (strcmp(tag->names[i].name, value) == 0)
				return tag->names[i].value == number;
		return false;
	}
	if (tag->kind == HERALD_KIND_TEXT) {
		memcpy(&text, in + tag->offset, sizeof(text));
	} else {
		if (tag->kind == HERALD_KIND_STRING)
			memcpy(&text.data, in + tag->offset, sizeof(text.data));
		text.bytes = strlen(text.data);
	}
	return equal_bytes(text.data, text.bytes, value, strlen(value));
}

bool
every_counts(const struct herald_schema *schema, const struct herald_field *line, const char *in)
{
	const struct herald_field *tag;

	if (line->tag == NULL)
		return true;
	tag = every_tag_of(schema, line->tag);
	if (line->when != NULL)
		return has_tag(tag, line->when, in);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].when != NULL && has_tag(tag, schema->fields[i].when, in))
			return false;
	return true;
}

bool
every_equal(const struct herald_schema *schema, const void *a, const void *b)
{
	for (int tagged = 0; tagged < 2; tagged++)
		for (size_t i = 0; i < schema->fields_count; i++)
			if ((schema->fields[i].tag != NULL) == (tagged == 1) &&
			    every_counts(schema, &schema->fields[i], a) &&
			    !equal_fields(&schema->fields[i], a, b))
				return false;
	return true;
}
