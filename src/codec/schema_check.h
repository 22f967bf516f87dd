/*
 * Checks of schemas. Private.
 */
#ifndef HERALD_SRC_CODEC_SCHEMA_CHECK_H
#define HERALD_SRC_CODEC_SCHEMA_CHECK_H

#include <herald/schema.h>
#include <herald/status.h>

/* Check each line of a schema, but not the schemas it refers to. */
enum herald_status
herald__schema_check(const struct herald_schema *schema, struct herald_error *error);

/* Fail with HERALD_BAD_SCHEMA and the path "schema.field"; `field` may be NULL. */
enum herald_status
herald__schema_fail(const struct herald_schema *schema, const struct herald_field *field,
		    struct herald_error *error, const char *what);

/* The name of the JSON member. */
static inline const char *
herald__field_key(const struct herald_field *field)
{
	return field->key ? field->key : field->name;
}

/* The kind that a field's bounds and lengths apply to. */
static inline enum herald_kind
herald__value_kind(const struct herald_field *field)
{
	return field->kind == HERALD_KIND_VALUES || field->kind == HERALD_KIND_ARRAY
		       ? field->element
		       : field->kind;
}

/* The size of an element of a list or an array, and 0 for other fields. */
size_t herald__field_item_bytes(const struct herald_field *field);

#endif
