/*
 * The C half of the C++ test: the macros that define schemas are C11, so a C++ program has them in
 * a C file like this one.
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
