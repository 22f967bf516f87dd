/*
 * What the files of every_kind.h share: reading a schema.
 */
#ifndef HERALD_TESTS_SUPPORT_EVERY_SCHEMA_H
#define HERALD_TESTS_SUPPORT_EVERY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/schema.h>

/* Bytes of an element of a list, an array or a map. */
size_t every_item_bytes(const struct herald_field *field);

/* The line of a schema's tag. */
const struct herald_field *every_tag_of(const struct herald_schema *schema, const char *name);

/* Whether a line counts for a struct. */
bool
every_counts(const struct herald_schema *schema, const struct herald_field *line, const char *in);

/* Make what has been drawn meet the check of its schema. */
void every_meet_check(const struct herald_schema *schema, char *out);

#endif
