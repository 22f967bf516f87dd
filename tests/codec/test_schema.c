/*
 * The checks of a schema when a codec is created: every reason to refuse one, each with the path of
 * the member in C, by tables written by hand; members that were left out at any place; and what is
 * not refused. Code that must not compile is in misuse/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>
#include <herald/message.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* What is said of a gap in a struct: before the member, or behind it. */
#define NO_FIELD                                                                                   \
	" member of the struct has no field; use HERALD_PRIVATE for members that are not in JSON"
#define EARLIER "an earlier" NO_FIELD
#define LATER "a later" NO_FIELD

/* `message` is the text after the path. */
static void
expect_bad(const struct herald_schema *schema, const char *path, const char *message,
	   const char *name)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;
	enum herald_status status;

	memset(&error, 0x5A, sizeof(error));
	status = herald_codec_create(schema, NULL, NULL, &codec, &error);
	if (status == HERALD_OK)
		fail_msg("%s: accepted", name);
	assert_null(codec);
	if (status != HERALD_BAD_SCHEMA || error.status != status || strcmp(error.path, path) != 0)
		fail_msg("%s: expected HERALD_BAD_SCHEMA of %s, found %s of %s: %s", name, path,
			 herald_status_name(status), error.path, error.message);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_option_error(&error, path, message);
	assert_int_equal(herald_codec_create(schema, NULL, NULL, &codec, NULL), HERALD_BAD_SCHEMA);
}

static void
expect_good(const struct herald_schema *schema)
{
	herald_codec_destroy(decoding_codec(schema, NULL));
}

static const struct herald_name sizes[] = {{"small", 0}, {"large", 1}};
static const struct herald_name twice[] = {{"small", 0}, {"large", 1}, {"small", 2}};
static const struct herald_name not_utf8[] = {{"small", 0}, {"\xFF", 1}};
static const struct herald_name no_name[] = {{"small", 0}, {NULL, 1}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number),
	HERALD_FIELD(every_leaf, name),
	HERALD_ENUM(every_leaf, size, sizes));

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

/* A struct with a place for each kind; the cases describe one of its members wrongly. */
struct box {
	int64_t number;
	const char *string;
	char chars[8];
	const void *items;
	size_t items_count;
	struct herald_map map;
	int choice;
	bool has_maybe;
	bool maybe;
	double real;
	struct every_leaf leaf;
};

enum { NUMBER, STRING, CHARS, ITEMS, MAP, CHOICE, MAYBE, REAL, LEAF, FIELDS };

#define PLACE(MEMBER)                                                                              \
	.owner = "box", .name = #MEMBER, .offset = offsetof(struct box, MEMBER),                   \
	.bytes = sizeof(((struct box *)0)->MEMBER)
#define AT(MEMBER) offsetof(struct box, MEMBER)

static const struct herald_field box_fields[FIELDS] = {
	[NUMBER] = {PLACE(number), .kind = HERALD_KIND_INT64},
	[STRING] = {PLACE(string), .kind = HERALD_KIND_STRING},
	[CHARS] = {PLACE(chars), .kind = HERALD_KIND_CHARS},
	[ITEMS] = {PLACE(items), .kind = HERALD_KIND_VALUES, .element = HERALD_KIND_INT32,
		   .count_offset = AT(items_count)},
	[MAP] = {PLACE(map), .kind = HERALD_KIND_MAP},
	[CHOICE] = {PLACE(choice), .kind = HERALD_KIND_ENUM, .names = sizes, .names_count = 2},
	[MAYBE] = {PLACE(maybe), .kind = HERALD_KIND_BOOL, .optional = true,
		   .has_offset = AT(has_maybe)},
	[REAL] = {PLACE(real), .kind = HERALD_KIND_DOUBLE},
	[LEAF] = {PLACE(leaf), .kind = HERALD_KIND_STRUCT, .schema = &every_leaf_schema},
};

static const struct herald_schema box_schema = {.name = "box",
						.bytes = sizeof(struct box),
						.alignment = _Alignof(struct box),
						.fields = box_fields,
						.fields_count = FIELDS};

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
test_bad_schemas(void **state)
{
	static const struct {
		const char *name;
		struct herald_schema schema;
		const char *path, *message;
	} cases[] = {
		{"all zero", {.name = NULL}, "?", "the schema needs a name, a size and fields"},
		{"no name",
		 {.bytes = sizeof(struct box),
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "?",
		 "the schema needs a name, a size and fields"},
		{"no size",
		 {.name = "box", .alignment = 8, .fields = box_fields, .fields_count = FIELDS},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"no fields",
		 {.name = "box", .bytes = sizeof(struct box), .alignment = 8},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"no fields",
		 {.name = "box", .bytes = sizeof(struct box), .alignment = 8, .fields = box_fields},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"endless fields",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = SIZE_MAX},
		 "box",
		 "the schema has too many fields"},
		{"no alignment",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
		{"not an alignment",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .alignment = 3,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
		{"a size that is not a multiple",
		 {.name = "box",
		  .bytes = sizeof(struct box) - 4,
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_bad(&cases[i].schema, cases[i].path, cases[i].message, cases[i].name);
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

/* Each field left out in turn: a gap, and where it is. */
static void
test_every_member_left_out(void **state)
{
	(void)state;
	for (size_t left_out = 0; left_out < FIELDS; left_out++) {
		struct herald_field fields[FIELDS];
		struct herald_schema schema = box_schema;
		struct herald_codec *codec = NULL;
		struct herald_error error;

		memcpy(fields, box_fields, left_out * sizeof(*fields));
		memcpy(fields + left_out, box_fields + left_out + 1,
		       (FIELDS - 1 - left_out) * sizeof(*fields));
		schema.fields = fields;
		schema.fields_count = FIELDS - 1;
		/* An int or two bools before a double leave no more than alignment would. */
		if (left_out == CHOICE || left_out == MAYBE)
			continue;
		if (herald_codec_create(&schema, NULL, NULL, &codec, &error) == HERALD_OK)
			fail_msg("%s left out, and accepted", box_fields[left_out].name);
		assert_int_equal(error.status, HERALD_BAD_SCHEMA);
		/* It names the member behind the gap, or before it at the end. */
		if (left_out < FIELDS - 1)
			assert_string_equal(strchr(error.path, '.') + 1,
					    box_fields[left_out + 1].name);
		else
			assert_string_equal(strchr(error.path, '.') + 1,
					    box_fields[left_out - 1].name);
	}
}

/* The same by the macros: at the beginning, in the middle, at the end; a count, a has_. */
struct order {
	const char *id;
	int64_t cents;
	const struct every_leaf *lines;
	size_t lines_count;
	double weight;
	void *own;
};

HERALD_SCHEMA_WITH(order, (.doc = "All of it."),
	HERALD_FIELD(order, id),
	HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight),
	HERALD_PRIVATE(order, own));

/* The macros' lines say their struct too. */
static void
test_owners_of_macros(void **state)
{
	const struct herald_schema *const schemas[] = {&every_leaf_schema, &order_schema,
						       &herald_message_schema, every_kind_table};

	(void)state;
	for (size_t i = 0; i < COUNT(schemas); i++)
		for (size_t j = 0; j < schemas[i]->fields_count; j++)
			assert_string_equal(schemas[i]->fields[j].owner, schemas[i]->name);
}

#define WITHOUT(NAME, ...)                                                                         \
	static const union herald_lines_of_struct_order NAME##_fields[] = {__VA_ARGS__};           \
	static const struct herald_schema NAME = {.name = "order",                                 \
						  .bytes = sizeof(struct order),                   \
						  .alignment = _Alignof(struct order),             \
						  .fields =                                        \
							  &NAME##_fields[0].line_of_struct_order,  \
						  .fields_count = COUNT(NAME##_fields)}

WITHOUT(without_id, HERALD_FIELD(order, cents), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_cents, HERALD_FIELD(order, id), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_lines, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_weight, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf), HERALD_PRIVATE(order, own));
WITHOUT(without_own, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf), HERALD_FIELD(order, weight));
WITHOUT(without_count, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_POINTER(order, lines, every_leaf), HERALD_FIELD(order, weight),
	HERALD_PRIVATE(order, own));
WITHOUT(in_any_order, HERALD_PRIVATE(order, own), HERALD_FIELD(order, weight),
	HERALD_LIST(order, lines, every_leaf), HERALD_FIELD(order, cents), HERALD_FIELD(order, id));
WITHOUT(one_twice, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_FIELD(order, cents, .key = "more"), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));

static void
test_members_left_out(void **state)
{
	(void)state;
	expect_good(&order_schema);
	expect_good(&in_any_order);
	expect_bad(&without_id, "order.cents", EARLIER, "without id");
	expect_bad(&without_cents, "order.lines", EARLIER, "without cents");
	expect_bad(&without_lines, "order.weight", EARLIER, "without lines");
	expect_bad(&without_weight, "order.own", EARLIER, "without weight");
	expect_bad(&without_own, "order.weight", LATER, "without own");
	expect_bad(&without_count, "order.weight", EARLIER, "without lines_count");
	expect_bad(&one_twice, "order.cents", "the member overlaps another one", "cents twice");
}

/* Padding is not a member that was left out. */
struct padded {
	int8_t a;
	int64_t b;
	int8_t c;
	int16_t d;
	bool has_e;
	int32_t e;
	char f[3];
	struct every_leaf g;
	bool h;
};

HERALD_SCHEMA(padded,
	HERALD_FIELD(padded, a),
	HERALD_FIELD(padded, b),
	HERALD_FIELD(padded, c),
	HERALD_FIELD(padded, d),
	HERALD_OPTIONAL(padded, e),
	HERALD_FIELD(padded, f),
	HERALD_STRUCT(padded, g, every_leaf),
	HERALD_FIELD(padded, h));

/* The envelope with further members; its own padding follows the message. */
struct my_message {
	struct herald_message message;
	const char *tenant;
	bool urgent;
};

HERALD_SCHEMA(my_message,
	HERALD_MESSAGE_FIELDS(my_message, message),
	HERALD_FIELD(my_message, tenant),
	HERALD_FIELD(my_message, urgent));

struct all_private {
	int a, b;
};
HERALD_SCHEMA(all_private, HERALD_PRIVATE(all_private, a), HERALD_PRIVATE(all_private, b));

static void
test_good_schemas(void **state)
{
	struct all_private out;
	struct herald_codec *codec;

	(void)state;
	expect_good(&padded_schema);
	expect_good(&my_message_schema);
	expect_good(&herald_message_schema);
	expect_good(&herald_json_schema);
	expect_good(every_kind_table);
	codec = decoding_codec(&all_private_schema, NULL);
	decode_good(codec, "{\"a\":1,\"b\":2}", &out, sizeof(out));
	assert_true(out.a == 0 && out.b == 0);
	herald_codec_destroy(codec);
}

/* A schema deep below the root that is wrong: the path is its own. */
struct inner {
	int64_t a, b;
};
HERALD_SCHEMA(inner, HERALD_FIELD(inner, a));
struct middle {
	const struct inner *list;
	size_t list_count;
};
HERALD_SCHEMA(middle, HERALD_LIST(middle, list, inner));
struct outer {
	const struct middle *pointer;
};
HERALD_SCHEMA(outer, HERALD_POINTER(outer, pointer, middle));

static void
test_inner_schemas_are_checked(void **state)
{
	(void)state;
	expect_bad(&outer_schema, "inner.a", LATER, "b left out of an inner struct");
}

/* A table by hand whose inner struct is not aligned, or wants more than memory has. */
static void
test_alignment_of_inner_structs(void **state)
{
	static const struct herald_field shifted[] = {
		{.owner = "shifted",
		 .name = "a",
		 .offset = 0,
		 .bytes = 4,
		 .kind = HERALD_KIND_INT32},
		{.owner = "shifted",
		 .name = "leaf",
		 .offset = 4,
		 .bytes = sizeof(struct every_leaf),
		 .kind = HERALD_KIND_STRUCT,
		 .schema = &every_leaf_schema},
		{.owner = "shifted",
		 .name = "b",
		 .offset = 28,
		 .bytes = 4,
		 .kind = HERALD_KIND_INT32},
	};
	static const struct herald_schema schema = {.name = "shifted",
						    .bytes = 32,
						    .alignment = 8,
						    .fields = shifted,
						    .fields_count = 3};
	static const struct herald_field wide[] = {
		{.owner = "over_aligned", .name = "a", .bytes = 64, .kind = HERALD_KIND_CHARS}};
	static const struct herald_schema over_aligned = {.name = "over_aligned",
							  .bytes = 64,
							  .alignment = 64,
							  .fields = wide,
							  .fields_count = 1};

	(void)state;
	assert_int_equal(sizeof(struct every_leaf), 24);
	expect_bad(&schema, "shifted.leaf",
		   "the member's offset is not aligned for its schema's struct",
		   "an inner struct that is not aligned");
	expect_bad(&over_aligned, "over_aligned",
		   "the schema's alignment does not match its struct",
		   "an alignment that no memory has");
}

/* Keys with quotes, backslashes and control characters are escaped in JSON, or refused. */
struct quoted {
	int32_t a, b, c;
};
HERALD_SCHEMA(quoted,
	HERALD_FIELD(quoted, a, .key = "a\"b"),
	HERALD_FIELD(quoted, b, .key = "a\\b"),
	HERALD_FIELD(quoted, c, .key = "a\nb"));

static void
test_keys_that_need_escapes(void **state)
{
	static const char *const bad[] = {"{\"a\"b\":1}", "{\"a\\b\":1,\"a\"b\":2}", "{\"a\nb\":1}",
					  "{\"a\\\"b\":1,\"a\nb\":3}"};
	struct herald_codec *codec = NULL;
	struct herald_error error;
	struct herald_buffer buffer;
	struct quoted in = {1, 2, 3}, out;

	(void)state;
	if (herald_codec_create(&quoted_schema, NULL, NULL, &codec, &error) != HERALD_OK) {
		assert_int_equal(error.status, HERALD_BAD_SCHEMA);
		assert_string_equal(error.path, "quoted.a");
		return;
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (decode_bytes(codec, bad[i], strlen(bad[i]), &out, sizeof(out), NULL) ==
		    HERALD_OK)
			fail_msg("%s: no JSON, but decoded", bad[i]);
	decode_good(codec, "{\"a\\\"b\":1,\"a\\\\b\":2,\"a\\nb\":3}", &out, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	decode_good(codec, "{\"a\\u000ab\":3,\"a\\u005cb\":2,\"a\\u0022b\":1}", &out, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
	memset(&out, 0, sizeof(out));
	assert_int_equal(decode_bytes(codec, buffer.data, buffer.bytes, &out, sizeof(out), &error),
			 HERALD_OK);
	assert_memory_equal(&in, &out, sizeof(in));
	herald_buffer_finish(&buffer);
	herald_codec_destroy(codec);
}

/* 1, 2, 3, ... keys, the last of which the first one has too. */
static void
test_duplicate_keys_in_large_schemas(void **state)
{
	static struct herald_field fields[300];
	static char keys[300][16];

	(void)state;
	for (size_t count = 2; count <= 300; count += count < 70 ? 1 : 77)
		for (int duplicate = 0; duplicate < 2; duplicate++) {
			struct herald_schema schema = {.name = "large",
						       .bytes = count * sizeof(int32_t),
						       .alignment = _Alignof(int32_t),
						       .fields = fields,
						       .fields_count = count};
			struct herald_codec *codec = NULL;
			struct herald_error error;

			for (size_t i = 0; i < count; i++) {
				snprintf(keys[i], sizeof(keys[i]), "%zu",
					 duplicate && i == count - 1 ? i / 2 : i);
				fields[i] = (struct herald_field){.owner = "large",
								  .name = "member",
								  .key = keys[i],
								  .kind = HERALD_KIND_INT32,
								  .offset = 4 * i,
								  .bytes = 4};
			}
			assert_int_equal(herald_codec_create(&schema, NULL, NULL, &codec, &error),
					 duplicate ? HERALD_BAD_SCHEMA : HERALD_OK);
			if (duplicate) {
				assert_string_equal(error.path, "large.member");
				assert_non_null(strstr(error.message, "duplicate key \""));
			}
			herald_codec_destroy(codec);
		}
}

static void
test_options(void **state)
{
	static const struct {
		size_t depth;
		enum herald_status status;
	} cases[] = {{0, HERALD_OK},
		     {1, HERALD_OK},
		     {1024, HERALD_OK},
		     {1025, HERALD_BAD_OPTION},
		     {SIZE_MAX, HERALD_BAD_OPTION}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_limits limits = {.max_depth = cases[i].depth};
		struct herald_codec *codec = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_codec_create(every_kind_table, &limits, NULL, &codec, &error),
			cases[i].status);
		if (cases[i].status == HERALD_OK)
			herald_codec_destroy(codec);
		else
			assert_int_equal(error.status, cases[i].status);
	}
	herald_codec_destroy(NULL);
}

/* Every allocation fails, one at a time. */
static void
test_every_allocation_fails(void **state)
{
	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;
			struct herald_codec *codec = NULL;
			struct herald_error error;
			enum herald_status status;

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			status = herald_codec_create(every_kind_table, NULL, &memory.allocator,
						     &codec, &error);
			if (memory.failures == 0) {
				assert_int_equal(status, HERALD_OK);
				herald_codec_destroy(codec);
				assert_all_released(&memory);
				break;
			}
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_int_equal(error.status, HERALD_NO_MEMORY);
			assert_null(codec);
			assert_all_released(&memory);
		}
	/* A refused schema leaves no memory behind either. */
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

/* The codec does not refer to its options: they may be freed. */
static void
test_limits_are_copied(void **state)
{
	struct herald_limits limits = {.max_depth = 2};
	struct herald_codec *codec = decoding_codec(&order_schema, &limits);
	struct order out;

	(void)state;
	limits.max_depth = 1;
	decode_good(codec, "{\"lines\":[]}", &out, sizeof(out));
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bad_field),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_owners_of_macros),
		cmocka_unit_test(test_bad_schemas),
		cmocka_unit_test(test_field_without_a_name),
		cmocka_unit_test(test_every_member_left_out),
		cmocka_unit_test(test_members_left_out),
		cmocka_unit_test(test_good_schemas),
		cmocka_unit_test(test_inner_schemas_are_checked),
		cmocka_unit_test(test_alignment_of_inner_structs),
		cmocka_unit_test(test_keys_that_need_escapes),
		cmocka_unit_test(test_duplicate_keys_in_large_schemas),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_limits_are_copied),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, decoding_finish);
}
