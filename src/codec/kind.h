/*
 * Properties of kinds, and the sizes of their values. Private.
 */
#ifndef HERALD_SRC_CODEC_KIND_H
#define HERALD_SRC_CODEC_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/schema.h>

static inline bool
herald__kind_is_number(enum herald_kind kind)
{
	return kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_DOUBLE;
}

/* Further kinds of a plan's fields and elements, for what is rare, so that the usual kinds pay
 * nothing for it. The kind in C is in the field of the schema. */
enum {
	HERALD__KIND_FORM = HERALD_KIND_COUNT, /* written as `quoted` and such options say */
	HERALD__KIND_NULLABLE,                 /* an element that may be null, which is a NULL */
	HERALD__KIND_VALUE_IN,                 /* a struct whose schema is transparent */
	HERALD__KIND_VALUE_AT,                 /* a pointer to such a struct */
	HERALD__KINDS_COUNT
};

_Static_assert(HERALD__KINDS_COUNT <= 32, "a bit for each kind");

/* Whether a value of this kind begins with a pointer, which is NULL if there is no value. */
static inline bool
herald__kind_is_pointer(enum herald_kind kind)
{
#define HERALD__BIT(KIND) (UINT32_C(1) << HERALD_KIND_##KIND)
	const uint32_t pointers = HERALD__BIT(STRING) | HERALD__BIT(TEXT) | HERALD__BIT(JSON) |
				  HERALD__BIT(MAP) | HERALD__BIT(JSON_MAP) | HERALD__BIT(POINTER) |
				  HERALD__BIT(LIST) | HERALD__BIT(VALUES) |
				  HERALD__BIT(STRUCT_MAP) | UINT32_C(1) << HERALD__KIND_VALUE_AT;
#undef HERALD__BIT

	return (pointers >> kind & 1) != 0;
}

static inline bool
herald__kind_is_unsigned(enum herald_kind kind)
{
	return kind >= HERALD_KIND_UINT8 && kind <= HERALD_KIND_UINT64;
}

static inline bool
herald__kind_is_map(enum herald_kind kind)
{
	return kind == HERALD_KIND_MAP || kind == HERALD_KIND_JSON_MAP ||
	       kind == HERALD_KIND_STRUCT_MAP;
}

/* Whether JSON has a field's values in a form of their own. */
static inline bool
herald__has_form(const struct herald_field *field)
{
	return field->quoted || field->numeric || field->lenient ||
	       field->epoch != HERALD_EPOCH_NONE;
}

/* Whether a member is a pointer with a count of its own. */
static inline bool
herald__kind_has_count(enum herald_kind kind)
{
	return kind == HERALD_KIND_LIST || kind == HERALD_KIND_VALUES ||
	       kind == HERALD_KIND_STRUCT_MAP;
}

/* Whether a member of the struct is a member of the JSON. */
static inline bool
herald__kind_is_in_json(enum herald_kind kind)
{
	return kind != HERALD_KIND_NONE && kind != HERALD_KIND_KEY;
}

/* The name of an enum's value; NULL: it has none. */
const char *herald__enum_name(const struct herald_field *field, int64_t value);

/* The size in memory of a value of this kind; 0 if it depends on a schema. */
size_t herald__kind_bytes(enum herald_kind kind);

/* Its alignment; 0 if it depends on a schema. */
size_t herald__kind_alignment(enum herald_kind kind);

#endif
