/*
 * The C half of the C++ test: the macros that define schemas are C11, so a C++ program has them in
 * a C file like this one. Uses every macro for lines of schemas; cpp_counterparts.py checks that.
 */
#include "cpp_schema.h"

HERALD_SCHEMA_DEFINE(greeting,
	HERALD_FIELD(greeting, name, .required = true),
	HERALD_FIELD(greeting, times, HERALD_RANGE(1, 9)));

static const struct herald_name shades[] = {{"light", SHADE_LIGHT}, {"dark", SHADE_DARK}};

HERALD_SCHEMA_DEFINE(leaf, HERALD_FIELD(leaf, number));

HERALD_SCHEMA_DEFINE_WITH(kinds, (.doc = "All.", .reject_unknown = true),
	HERALD_FIELD(kinds, boolean),
	HERALD_FIELD(kinds, int8),
	HERALD_FIELD(kinds, int16),
	HERALD_FIELD(kinds, int32, HERALD_RANGE(-5, 5)),
	HERALD_FIELD(kinds, int64),
	HERALD_FIELD(kinds, uint8, HERALD_MAX(9)),
	HERALD_FIELD(kinds, uint16),
	HERALD_FIELD(kinds, uint32),
	HERALD_FIELD(kinds, uint64),
	HERALD_FIELD(kinds, longest),
	HERALD_FIELD(kinds, real32),
	HERALD_FIELD(kinds, real64, HERALD_MIN(0.5)),
	HERALD_FIELD(kinds, string, .required = true, .min_bytes = 1, .max_bytes = 9, .doc = "S"),
	HERALD_FIELD(kinds, writable, HERALD_ONE_OF("a", "b")),
	HERALD_FIELD(kinds, chars),
	HERALD_FIELD(kinds, text),
	HERALD_FIELD(kinds, time),
	HERALD_FIELD(kinds, json),
	HERALD_FIELD(kinds, map, .max_count = 3),
	HERALD_FIELD(kinds, json_map),
	HERALD_ENUM(kinds, shade, shades),
	HERALD_STRUCT(kinds, leaf, leaf),
	HERALD_POINTER(kinds, pointer, leaf),
	HERALD_LIST(kinds, list, leaf, .min_count = 1),
	HERALD_VALUES(kinds, values, .max_count = 5),
	HERALD_VALUES(kinds, strings),
	HERALD_OPTIONAL(kinds, maybe),
	HERALD_OPTIONAL_ENUM(kinds, tint, shades, .numeric = true, HERALD_UNKNOWN(SHADE_DARK)),
	HERALD_ENUMS(kinds, shades, shades, .max_count = 2),
	HERALD_FIELD(kinds, quoted, .quoted = true, .lenient = true),
	HERALD_FIELD(kinds, numeric, .numeric = true),
	HERALD_FIELD(kinds, since, .epoch = HERALD_EPOCH_SECONDS),
	HERALD_PRIVATE(kinds, secret));

HERALD_SCHEMA_DEFINE_WITH(entry, (.transparent = true),
	HERALD_KEY(entry, name),
	HERALD_FIELD(entry, value));

HERALD_SCHEMA_DEFINE(collections,
	HERALD_ARRAY(collections, xy),
	HERALD_OPTIONAL_ARRAY(collections, uv, HERALD_MAX(9)),
	HERALD_ARRAY(collections, nullable, .nullable = true),
	HERALD_STRUCT_ARRAY(collections, leaves, leaf, .required = true),
	HERALD_MAP(collections, entries, entry, .max_count = 4),
	HERALD_LIST(collections, writable, leaf),
	HERALD_VALUES(collections, numbers),
	HERALD_VALUES(collections, strings),
	HERALD_ENUMS(collections, shades, shades));

HERALD_SCHEMA_DEFINE(tagged,
	HERALD_VARIANT(tagged, body, shade,
		HERALD_CASE("light", leaf),
		HERALD_CASE_OTHER(other)),
	HERALD_ENUM(tagged, shade, shades, .required = true),
	HERALD_VARIANT_WITH(tagged, required, shade, (.required = true, .doc = "R"),
		HERALD_CASE("light", pointed, leaf),
		HERALD_CASE_FIELD("dark", number)),
	HERALD_FLAT_VARIANT(tagged, flat, shade, HERALD_CASE("light", leaf)),
	HERALD_POINTER_VARIANT(tagged, pointer, shade,
		HERALD_CASE("light", leaf),
		HERALD_CASE_OTHER(any, leaf)),
	HERALD_POINTER_VARIANT_WITH(tagged, required_pointer, shade, (.required = true),
		HERALD_CASE("dark", leaf)),
	HERALD_FIELD(tagged, light_number, HERALD_WHEN(shade, "light")),
	HERALD_FIELD(tagged, any_text, HERALD_WHEN_OTHER(shade)));

static bool
is_in_order(const struct ruled *ruled, struct herald_refusal *refusal)
{
	return ruled->from <= ruled->to ||
	       herald_refuse(refusal, "to", "is less than %d", (int)ruled->from);
}
HERALD_CHECK(is_in_order, ruled);

HERALD_SCHEMA_DEFINE_WITH(ruled, (.no_padding = true, .check = &is_in_order_check),
	HERALD_FIELD(ruled, from),
	HERALD_FIELD(ruled, to));
