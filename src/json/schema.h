/*
 * Checks of schemas. Private.
 */
#ifndef HERALD_SRC_JSON_SCHEMA_H
#define HERALD_SRC_JSON_SCHEMA_H

#include <herald/allocator.h>
#include <herald/schema.h>
#include <herald/status.h>

/* Check a schema, but not those that it leads to. The allocator is for scratch
 * memory. */
enum herald_status
herald__schema_check(const struct herald_schema *schema, const struct herald_allocator *allocator,
		     struct herald_error *error);

/* Fail with HERALD_BAD_SCHEMA and the path "schema.field"; `field` may be NULL.
 */
enum herald_status
herald__schema_fail(const struct herald_schema *schema, const struct herald_field *field,
		    struct herald_error *error, const char *what);

/* The JSON member's name. */
static inline const char *
herald__field_key(const struct herald_field *field)
{
	return field->key != NULL ? field->key : field->name;
}

/* The kind that a field's bounds and lengths are about. */
static inline enum herald_kind
herald__value_kind(const struct herald_field *field)
{
	return field->kind == HERALD_KIND_VALUES ? field->element : field->kind;
}

#endif
