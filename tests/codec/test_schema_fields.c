/*
 * Lines of a schema that are refused when a codec is created: every reason, each with the path of
 * the member in C, by tables written by hand. Schemas as a whole are in test_schema.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/schema_box.h"
#include "support/failing_allocator.h"

static const struct herald_name twice[] = {{"small", 0}, {"large", 1}, {"small", 2}};
static const struct herald_name not_utf8[] = {{"small", 0}, {"\xFF", 1}};
static const struct herald_name no_name[] = {{"small", 0}, {NULL, 1}};

/* A string of its size. */
static const struct herald_field transparent_line = {.owner = "every_leaf",
						     .name = "text",
						     .bytes = sizeof(struct every_leaf),
						     .kind = HERALD_KIND_CHARS};

static const struct herald_schema transparent_leaf = {.name = "every_leaf",
						      .bytes = sizeof(struct every_leaf),
						      .alignment = _Alignof(struct every_leaf),
						      .fields = &transparent_line,
						      .fields_count = 1,
						      .transparent = true};

static const char *const none_allowed[] = {NULL};

static const struct {
	const char *name;
	size_t index;
	struct herald_field field;
	const char *message; /* after the path */
} bad_fields[] = {
	{"no such kind", NUMBER, {PLACE(number), .kind = HERALD_KIND_COUNT}, "unknown kind"},
	{"no such kind", NUMBER, {PLACE(number), .kind = (enum herald_kind)1000}, "unknown kind"},
	{"no such kind", NUMBER, {PLACE(number), .kind = (enum herald_kind) - 1}, "unknown kind"},
	{"flat, but private",
	 NUMBER,
	 {PLACE(number), .flat = true},
	 "HERALD_PRIVATE has no options"},
	{"private in a case",
	 NUMBER,
	 {PLACE(number), .tag = "string", .when = "a"},
	 "HERALD_PRIVATE has no options"},
	{"private, but required",
	 NUMBER,
	 {PLACE(number), .required = true},
	 "HERALD_PRIVATE has no options"},
	{"private, but optional",
	 NUMBER,
	 {PLACE(number), .optional = true, .has_offset = AT(has_maybe)},
	 "HERALD_PRIVATE has no options"},
	{"private, but a struct",
	 LEAF,
	 {PLACE(leaf), .schema = &every_leaf_schema},
	 "HERALD_PRIVATE has no options"},
	{"outside",
	 NUMBER,
	 {.name = "number", .offset = sizeof(struct box), .bytes = 8, .kind = HERALD_KIND_INT64},
	 "the member is not within the struct"},
	{"outside",
	 NUMBER,
	 {.name = "number", .offset = SIZE_MAX, .bytes = 8, .kind = HERALD_KIND_INT64},
	 "the member is not within the struct"},
	{"half outside",
	 CHARS,
	 {.name = "chars", .offset = sizeof(struct box) - 7, .bytes = 8, .kind = HERALD_KIND_CHARS},
	 "the member is not within the struct"},
	{"larger than the struct",
	 CHARS,
	 {.name = "chars", .offset = AT(chars), .bytes = SIZE_MAX, .kind = HERALD_KIND_CHARS},
	 "the member is not within the struct"},
	{"of no size",
	 CHARS,
	 {.name = "chars", .offset = AT(chars), .kind = HERALD_KIND_CHARS},
	 "the member is not within the struct"},
	{"of no size",
	 NUMBER,
	 {.name = "number", .offset = AT(number), .kind = HERALD_KIND_NONE},
	 "the member is not within the struct"},
	{"wrong size",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT32},
	 "the member's size does not match its kind"},
	{"wrong size",
	 REAL,
	 {PLACE(real), .kind = HERALD_KIND_FLOAT},
	 "the member's size does not match its kind"},
	{"wrong size",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_TEXT},
	 "the member's size does not match its kind"},
	{"wrong size",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_INT16},
	 "the member's size does not match its kind"},
	{"not aligned",
	 NUMBER,
	 {.name = "number", .offset = AT(number) + 1, .bytes = 8, .kind = HERALD_KIND_INT64},
	 "the member's offset is not aligned for its kind"},
	{"not aligned",
	 STRING,
	 {.name = "string", .offset = AT(string) + 4, .bytes = 8, .kind = HERALD_KIND_STRING},
	 "the member's offset is not aligned for its kind"},
	{"has_ outside",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true,
	  .has_offset = sizeof(struct box)},
	 "has_offset is not within the struct"},
	{"has_ outside",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true, .has_offset = SIZE_MAX},
	 "has_offset is not within the struct"},
	{"count outside",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_BOOL,
	  .count_offset = sizeof(struct box)},
	 "count_offset is not within the struct"},
	{"count outside",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_BOOL,
	  .count_offset = SIZE_MAX - 7},
	 "count_offset is not within the struct"},
	{"count not aligned",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_BOOL,
	  .count_offset = AT(items_count) + 1},
	 "count_offset is not within the struct"},
	{"elements of no kind",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_CHARS,
	  .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_MAP,
	  .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_JSON_MAP,
	  .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"lengths of a map of any values",
	 MAP,
	 {PLACE(map), .kind = HERALD_KIND_JSON_MAP, .max_bytes = 1},
	 "min_bytes and max_bytes are for strings"},
	{"an element of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .element = HERALD_KIND_INT64},
	 "only a list of values has an element"},
	{"an element of no such kind",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .element = (enum herald_kind)1000},
	 "only a list of values has an element"},
	{"an element of no such kind",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .element = (enum herald_kind) - 1},
	 "only a list of values has an element"},
	{"an element of a list of structs",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_LIST, .schema = &every_leaf_schema,
	  .element = HERALD_KIND_ENUM, .count_offset = AT(items_count)},
	 "only a list of values has an element"},
	{"a list of structs of another size",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_LIST, .schema = &every_leaf_schema,
	  .inner_bytes = sizeof(struct every_leaf) + 1, .count_offset = AT(items_count)},
	 "the inner struct has 25 bytes, but its schema's has 24"},
	{"a size of a struct without a struct",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .inner_bytes = 8},
	 "only a struct can have a schema, and inner_bytes"},
	{"enums without names",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_ENUM,
	  .count_offset = AT(items_count)},
	 "an enum needs names, and their count"},
	{"names of a list of numbers",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_INT32,
	  .count_offset = AT(items_count), .names = sizes, .names_count = 2},
	 "only an enum can have names"},
	{"a quoted string",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .quoted = true},
	 "quoted is for numbers, and for values that are written as numbers"},
	{"a quoted bool",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true, .has_offset = AT(has_maybe),
	  .quoted = true},
	 "quoted is for numbers, and for values that are written as numbers"},
	{"a quoted enum with names",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2,
	  .quoted = true},
	 "quoted is for numbers, and for values that are written as numbers"},
	{"quoted times in RFC 3339",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_TIME,
	  .count_offset = AT(items_count), .quoted = true},
	 "quoted is for numbers, and for values that are written as numbers"},
	{"a numeric number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .numeric = true},
	 "numeric is for bool and enums"},
	{"a numeric struct",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &every_leaf_schema, .numeric = true},
	 "numeric is for bool and enums"},
	{"an epoch of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .epoch = HERALD_EPOCH_SECONDS},
	 "epoch is for times"},
	{"no such epoch",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_TIME,
	  .count_offset = AT(items_count), .epoch = (enum herald_epoch)3},
	 "unknown epoch"},
	{"a lenient real",
	 REAL,
	 {PLACE(real), .kind = HERALD_KIND_DOUBLE, .lenient = true},
	 "lenient is for integers, bool, times and quoted values"},
	{"a lenient string",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .lenient = true},
	 "lenient is for integers, bool, times and quoted values"},
	{"a lenient map",
	 MAP,
	 {PLACE(map), .kind = HERALD_KIND_MAP, .lenient = true},
	 "lenient is for integers, bool, times and quoted values"},
	{"a lenient enum",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2,
	  .lenient = true},
	 "lenient is for integers, bool, times and quoted values"},
	{"a lenient numeric enum",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2,
	  .numeric = true, .lenient = true},
	 "lenient is for integers, bool, times and quoted values"},
	{"an unknown value of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, HERALD_UNKNOWN(0)},
	 "HERALD_UNKNOWN is for enums"},
	{"an unknown value that is only a number",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2,
	  .unknown = {.value = 1}},
	 "unknown has a value but is not set: use HERALD_UNKNOWN"},
	{"an unknown value that is an address",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2,
	  .unknown = {.misplaced = (void *)5}},
	 "unknown has a value but is not set: use HERALD_UNKNOWN"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_STRUCT,
	  .count_offset = AT(items_count), .schema = &every_leaf_schema},
	 "a list cannot have elements of this kind"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_VALUES,
	  .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"elements of a kind that cannot be",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = (enum herald_kind)99,
	  .count_offset = AT(items_count)},
	 "a list cannot have elements of this kind"},
	{"a list of no schema",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_LIST, .count_offset = AT(items_count)},
	 "a struct needs its schema"},
	{"a pointer to no schema",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_POINTER},
	 "a struct needs its schema"},
	{"a struct of no schema",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT},
	 "a struct needs its schema"},
	{"a struct of another size",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &box_schema},
	 "the member's size does not match its schema's struct"},
	{"a transparent struct that is optional",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &transparent_leaf, .optional = true,
	  .has_offset = AT(real)},
	 "a transparent struct cannot be optional; its member can"},
	{"a struct of any JSON",
	 MAP,
	 {PLACE(map), .kind = HERALD_KIND_STRUCT, .schema = &herald_json_schema},
	 "for any JSON use a member of type struct herald_json"},
	{"a list of any JSON",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_LIST, .count_offset = AT(items_count),
	  .schema = &herald_json_schema},
	 "for any JSON use a member of type struct herald_json"},
	{"a schema of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .schema = &every_leaf_schema},
	 "only a struct can have a schema, and inner_bytes"},
	{"a schema of values",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_BOOL,
	  .count_offset = AT(items_count), .schema = &every_leaf_schema},
	 "only a struct can have a schema, and inner_bytes"},
	{"an enum without names",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM},
	 "an enum needs names, and their count"},
	{"an enum without names",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes},
	 "an enum needs names, and their count"},
	{"an enum without names",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names_count = 2},
	 "an enum needs names, and their count"},
	{"a duplicate name",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = twice, .names_count = 3},
	 "two names of the enum are the same"},
	{"a name that is not UTF-8",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = not_utf8, .names_count = 2},
	 "a name of the enum is NULL or not valid UTF-8"},
	{"a name that is NULL",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = no_name, .names_count = 2},
	 "a name of the enum is NULL or not valid UTF-8"},
	{"names of a number",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_INT32, .names = sizes, .names_count = 2},
	 "only an enum can have names"},
	{"a count of names, but none",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_INT32, .names_count = 2},
	 "only an enum can have names"},
	{"names without their count",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes},
	 "an enum needs names, and their count"},
	{"required and optional",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true, .has_offset = AT(has_maybe),
	  .required = true},
	 "a required member cannot be optional too: use HERALD_FIELD, without has_"},
	{"a key that is not UTF-8",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .key = "\xC3"},
	 "the key is missing or not valid UTF-8"},
	{"a key that another one has",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .key = "number"},
	 "duplicate key \"number\""},
	{"a key that another one has",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .key = "leaf"},
	 "duplicate key \"leaf\""},
	{"a bound that is only a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .lower_bound = {.value = 5}},
	 "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX or HERALD_RANGE"},
	{"a bound that is only a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .upper_bound = {.value = 1}},
	 "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX or HERALD_RANGE"},
	{"a bound that is an address",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .lower_bound = {.misplaced = (void *)5}},
	 "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX or HERALD_RANGE"},
	{"a bound that is an address",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64,
	  .upper_bound = {.misplaced = (void *)5, .is_set = true, .value = 1}},
	 "a bound has a value but is not set: use HERALD_MIN, HERALD_MAX or HERALD_RANGE"},
	{"bounds of a string",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, HERALD_MIN(0)},
	 "HERALD_MIN and HERALD_MAX are for numbers"},
	{"bounds of a bool",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true, .has_offset = AT(has_maybe),
	  HERALD_MAX(1)},
	 "HERALD_MIN and HERALD_MAX are for numbers"},
	{"bounds of an enum",
	 CHOICE,
	 {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2, HERALD_MAX(1)},
	 "HERALD_MIN and HERALD_MAX are for numbers"},
	{"bounds of a list of strings",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_STRING,
	  .count_offset = AT(items_count), HERALD_MAX(1)},
	 "HERALD_MIN and HERALD_MAX are for numbers"},
	{"bounds of a struct",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &every_leaf_schema, HERALD_MIN(1)},
	 "HERALD_MIN and HERALD_MAX are for numbers"},
	{"bounds that are not a number",
	 REAL,
	 {PLACE(real), .kind = HERALD_KIND_DOUBLE, HERALD_MIN((long double)NAN)},
	 "a bound is not a number"},
	{"bounds that are not a number",
	 REAL,
	 {PLACE(real), .kind = HERALD_KIND_DOUBLE, HERALD_MAX((long double)NAN)},
	 "a bound is not a number"},
	{"bounds the wrong way round",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, HERALD_RANGE(2, 1)},
	 "the minimum is above the maximum"},
	{"bounds the wrong way round",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, HERALD_RANGE(INT64_MAX, INT64_MAX - 1)},
	 "the minimum is above the maximum"},
	{"lengths of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .min_bytes = 1},
	 "min_bytes and max_bytes are for strings"},
	{"lengths of a map",
	 MAP,
	 {PLACE(map), .kind = HERALD_KIND_MAP, .max_bytes = 1},
	 "min_bytes and max_bytes are for strings"},
	{"lengths of a list of numbers",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_INT8,
	  .count_offset = AT(items_count), .max_bytes = 1},
	 "min_bytes and max_bytes are for strings"},
	{"lengths the wrong way round",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .min_bytes = 2, .max_bytes = 1},
	 "min_bytes is above max_bytes"},
	{"more than fits",
	 CHARS,
	 {PLACE(chars), .kind = HERALD_KIND_CHARS, .max_bytes = 8},
	 "min_bytes or max_bytes does not fit into the array"},
	{"more than fits",
	 CHARS,
	 {PLACE(chars), .kind = HERALD_KIND_CHARS, .min_bytes = 8},
	 "min_bytes or max_bytes does not fit into the array"},
	{"counts of a string",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .min_count = 1},
	 "min_count and max_count are for lists and maps"},
	{"counts of a struct",
	 LEAF,
	 {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &every_leaf_schema, .max_count = 1},
	 "min_count and max_count are for lists and maps"},
	{"counts the wrong way round",
	 MAP,
	 {PLACE(map), .kind = HERALD_KIND_MAP, .min_count = 3, .max_count = 2},
	 "min_count is above max_count"},
	{"allowed values of a number",
	 NUMBER,
	 {PLACE(number), .kind = HERALD_KIND_INT64, .one_of = none_allowed},
	 "HERALD_ONE_OF is for strings"},
	{"no value is allowed",
	 STRING,
	 {PLACE(string), .kind = HERALD_KIND_STRING, .one_of = none_allowed},
	 "HERALD_ONE_OF has no values"},
	{"over another one by a byte",
	 CHARS,
	 {.name = "chars", .offset = AT(chars), .bytes = 9, .kind = HERALD_KIND_CHARS},
	 "the member overlaps another one"},
	{"over another one with its has_",
	 MAYBE,
	 {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true, .has_offset = AT(choice) + 3},
	 "the member overlaps another one"},
	{"over another one with its count",
	 ITEMS,
	 {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_BOOL,
	  .count_offset = AT(number)},
	 "the member overlaps another one"},
	{"over another one",
	 STRING,
	 {.name = "string", .offset = AT(number), .bytes = 8, .kind = HERALD_KIND_STRING},
	 "the member overlaps another one"},
};

static void
test_every_bad_field(void **state)
{
	(void)state;
	expect_good(&box_schema);
	for (size_t i = 0; i < COUNT(bad_fields); i++) {
		struct herald_field fields[FIELDS];
		struct herald_schema schema = box_schema;
		char path[40];

		memcpy(fields, box_fields, sizeof(fields));
		fields[bad_fields[i].index] = bad_fields[i].field;
		fields[bad_fields[i].index].owner = "box";
		schema.fields = fields;
		/* If two options contradict each other, either may be named. */
		if (strncmp(bad_fields[i].name, "over ", 5) == 0 ||
		    strncmp(bad_fields[i].name, "a key that another", 18) == 0) {
			struct herald_codec *codec = NULL;
			struct herald_error error;

			assert_int_equal(herald_codec_create(&schema, NULL, NULL, &codec, &error),
					 HERALD_BAD_SCHEMA);
			assert_memory_equal(error.path, "box.", 4);
			assert_option_error(&error, error.path, bad_fields[i].message);
			continue;
		}
		snprintf(path, sizeof(path), "box.%s", bad_fields[i].field.name);
		expect_bad(&schema, path, bad_fields[i].message, bad_fields[i].name);
	}
}

/* Each line of a table written by hand says its struct, and all say the schema's. */
static void
test_owners(void **state)
{
	static const struct {
		const char *owner, *message;
	} rows[] = {
		{NULL, "the line has no owner: set `owner` to the struct's name"},
		{"", "the line belongs to struct , but the schema to struct box"},
		{"bo", "the line belongs to struct bo, but the schema to struct box"},
		{"boxes", "the line belongs to struct boxes, but the schema to struct box"},
		{"every_leaf",
		 "the line belongs to struct every_leaf, but the schema to struct box"},
		{"a_name_that_others_begin_with_as_well_but_which_has_an_end",
		 "the line belongs to struct "
		 "a_name_that_others_begin_with_as_well_but_which_has_an_end, but the schema to "
		 "struct box"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * FIELDS; i++) {
		struct herald_field fields[FIELDS];
		struct herald_schema schema = box_schema;
		size_t wrong = i % FIELDS;
		char path[40];

		memcpy(fields, box_fields, sizeof(fields));
		fields[wrong].owner = rows[i / FIELDS].owner;
		schema.fields = fields;
		snprintf(path, sizeof(path), "box.%s", fields[wrong].name);
		expect_bad(&schema, path, rows[i / FIELDS].message, "another owner");
	}
}

static void
test_field_without_a_name(void **state)
{
	struct herald_field fields[FIELDS];
	struct herald_schema schema = box_schema;

	(void)state;
	memcpy(fields, box_fields, sizeof(fields));
	fields[3].name = NULL;
	schema.fields = fields;
	expect_bad(&schema, "box.?", "the field has no name", "no name");
}

/* A refused schema leaves no memory behind. */
static void
test_refused_schemas_release_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_fields); i++) {
		struct failing_allocator memory;
		struct herald_field fields[FIELDS];
		struct herald_schema schema = box_schema;
		struct herald_codec *codec = NULL;

		memcpy(fields, box_fields, sizeof(fields));
		fields[bad_fields[i].index] = bad_fields[i].field;
		fields[bad_fields[i].index].owner = "box";
		schema.fields = fields;
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		assert_int_equal(
			herald_codec_create(&schema, NULL, &memory.allocator, &codec, NULL),
			HERALD_BAD_SCHEMA);
		assert_all_released(&memory);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bad_field),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_field_without_a_name),
		cmocka_unit_test(test_refused_schemas_release_memory),
	};

	return cmocka_run_group_tests_name("schema_fields", tests, NULL, decoding_finish);
}
