/*
 * The schema that has every kind and option, its document, and functions that compare and fill
 * structs by their schema. They share no code with the codec, so that they can test it.
 */
#include "every_kind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct herald_name every_colors[] = {
	{"red", EVERY_RED},
	{"gr\"\\\n\xC3\xBCn", EVERY_GREEN},
	{"", EVERY_BLUE},
};

static const struct herald_name every_sizes[] = {
	{"small", EVERY_SMALL},
	{"medium", EVERY_MEDIUM},
	{"large", EVERY_LARGE},
	{"xl", EVERY_LARGE},
};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number),
	HERALD_FIELD(every_leaf, name, .required = true),
	HERALD_ENUM(every_leaf, size, every_sizes));

HERALD_SCHEMA(every_node,
	HERALD_FIELD(every_node, name),
	HERALD_POINTER(every_node, next, every_node),
	HERALD_LIST(every_node, children, every_node));

HERALD_SCHEMA_WITH(every_strict, (.reject_unknown = true, .doc = "Knows all of its members."),
	HERALD_FIELD(every_strict, value),
	HERALD_FIELD(every_strict, flag));

HERALD_SCHEMA_WITH(every_row, (.transparent = true), HERALD_VALUES(every_row, cells));

HERALD_SCHEMA_WITH(every_maybe, (.transparent = true),
	HERALD_OPTIONAL(every_maybe, number, HERALD_MIN(-1000)));

HERALD_SCHEMA_WITH(every_wrapped, (.transparent = true),
	HERALD_FIELD(every_wrapped, text, .required = true, .max_bytes = 20));

HERALD_SCHEMA_WITH(every_price, (.transparent = true),
	HERALD_KEY(every_price, sku),
	HERALD_FIELD(every_price, cents, HERALD_MIN(0)));

HERALD_SCHEMA_WITH(every_person, (.reject_unknown = true),
	HERALD_KEY(every_person, name),
	HERALD_FIELD(every_person, age),
	HERALD_STRUCT(every_person, leaf, every_leaf));

HERALD_SCHEMA(every_shape,
	HERALD_ENUM(every_shape, kind, every_sizes, .required = true, HERALD_UNKNOWN(EVERY_LARGE)),
	HERALD_FLAT_VARIANT(every_shape, body, kind,
		HERALD_CASE("small", leaf, every_leaf),
		HERALD_CASE("medium", strict, every_strict)),
	HERALD_FIELD(every_shape, after));

HERALD_SCHEMA_WITH(every_notice, (.reject_unknown = true),
	HERALD_VARIANT(every_notice, data, type,
		HERALD_CASE("leaf", leaf, every_leaf),
		HERALD_CASE("no\"de\n", node, every_node),
		HERALD_CASE("shape", shape, every_shape),
		HERALD_CASE_FIELD("", number),
		HERALD_CASE_OTHER(raw)),
	HERALD_VALUES(every_notice, data.list, .key = "data", HERALD_WHEN(type, "list")),
	HERALD_OPTIONAL(every_notice, note, HERALD_WHEN(type, "leaf")),
	HERALD_FIELD(every_notice, type, .key = "@type", .required = true));

HERALD_SCHEMA(every_number,
	HERALD_POINTER_VARIANT(every_number, at, op,
		HERALD_CASE("red", every_leaf),
		HERALD_CASE("", every_strict)),
	HERALD_ENUM(every_number, op, every_colors, .required = true, .numeric = true));

static bool
is_span(const struct every_span *span, struct herald_refusal *refusal)
{
	if (span->from <= span->to)
		return true;
	return herald_refuse(refusal, "to", "expected at least %d, found %d", span->from, span->to);
}
HERALD_CHECK(is_span, every_span);

HERALD_SCHEMA_WITH(every_span, (.check = &is_span_check, .no_padding = true),
	HERALD_FIELD(every_span, from),
	HERALD_FIELD(every_span, to));

static bool
has_name(const struct every_band *band, struct herald_refusal *refusal)
{
	(void)refusal;
	return band->name != NULL || band->span.to == 0;
}
HERALD_CHECK(has_name, every_band);

HERALD_SCHEMA_WITH(every_band, (.check = &has_name_check),
	HERALD_FIELD(every_band, name),
	HERALD_STRUCT(every_band, span, every_span, .flat = true));

HERALD_SCHEMA(every_kind,
	HERALD_FIELD(every_kind, truth),
	HERALD_FIELD(every_kind, int8),
	HERALD_FIELD(every_kind, int16),
	HERALD_FIELD(every_kind, int32),
	HERALD_FIELD(every_kind, int64),
	HERALD_FIELD(every_kind, uint8),
	HERALD_FIELD(every_kind, uint16),
	HERALD_FIELD(every_kind, uint32),
	HERALD_FIELD(every_kind, uint64),
	HERALD_FIELD(every_kind, real32),
	HERALD_FIELD(every_kind, real64),
	HERALD_FIELD(every_kind, string),
	HERALD_FIELD(every_kind, text),
	HERALD_FIELD(every_kind, chars),
	HERALD_FIELD(every_kind, time),
	HERALD_FIELD(every_kind, json),
	HERALD_FIELD(every_kind, map),
	HERALD_FIELD(every_kind, json_map),
	HERALD_ENUM(every_kind, color, every_colors),
	HERALD_ENUM(every_kind, size, every_sizes),
	HERALD_STRUCT(every_kind, leaf, every_leaf),
	HERALD_STRUCT(every_kind, strict, every_strict),
	HERALD_POINTER(every_kind, pointer, every_leaf),
	HERALD_LIST(every_kind, list, every_leaf),
	HERALD_POINTER(every_kind, tree, every_node),

	HERALD_VALUES(every_kind, truths),
	HERALD_VALUES(every_kind, int8s),
	HERALD_VALUES(every_kind, int16s),
	HERALD_VALUES(every_kind, int32s),
	HERALD_VALUES(every_kind, int64s),
	HERALD_VALUES(every_kind, uint8s),
	HERALD_VALUES(every_kind, uint16s),
	HERALD_VALUES(every_kind, uint32s),
	HERALD_VALUES(every_kind, uint64s),
	HERALD_VALUES(every_kind, real32s),
	HERALD_VALUES(every_kind, real64s),
	HERALD_VALUES(every_kind, strings),
	HERALD_VALUES(every_kind, texts),
	HERALD_VALUES(every_kind, times),
	HERALD_VALUES(every_kind, jsons),

	HERALD_OPTIONAL(every_kind, maybe_truth),
	HERALD_OPTIONAL(every_kind, maybe_int8),
	HERALD_OPTIONAL(every_kind, maybe_int64),
	HERALD_OPTIONAL(every_kind, maybe_uint64),
	HERALD_OPTIONAL(every_kind, maybe_real64),
	HERALD_OPTIONAL(every_kind, maybe_chars),
	HERALD_OPTIONAL(every_kind, maybe_time),

	HERALD_FIELD(every_kind, id, .key = "the id", .required = true, .min_bytes = 1,
		     .doc = "A key with a blank in it."),
	HERALD_FIELD(every_kind, percent, HERALD_RANGE(0, 100)),
	HERALD_FIELD(every_kind, huge, HERALD_MAX(UINT64_MAX - 1)),
	HERALD_FIELD(every_kind, ratio, HERALD_RANGE(0, 0.1)),
	HERALD_FIELD(every_kind, degrees, HERALD_MIN(-273.15), HERALD_MAX(1e6)),
	HERALD_FIELD(every_kind, nickname, .min_bytes = 2, .max_bytes = 12),
	HERALD_FIELD(every_kind, blob, .max_bytes = 40),
	HERALD_FIELD(every_kind, code, .max_bytes = 6),
	HERALD_FIELD(every_kind, unit,
		.key = "\xE2\x82\xAC/unit~", HERALD_ONE_OF("m", "\xC2\xB5m", "")),
	HERALD_VALUES(every_kind, scores, HERALD_RANGE(-10, 10), .min_count = 1, .max_count = 20),
	HERALD_VALUES(every_kind, tags, .min_bytes = 1, .max_bytes = 8, .max_count = 5),
	HERALD_FIELD(every_kind, labels, .min_count = 1, .max_count = 30),
	HERALD_LIST(every_kind, few, every_leaf, .min_count = 1, .max_count = 3),
	HERALD_PRIVATE(every_kind, secret),

	HERALD_FIELD(every_kind, quoted32, .quoted = true, HERALD_MIN(-1000)),
	HERALD_FIELD(every_kind, quoted64, .quoted = true, .lenient = true),
	HERALD_FIELD(every_kind, quoted_float, .quoted = true),
	HERALD_FIELD(every_kind, quoted_real, .quoted = true, HERALD_RANGE(-1, 1)),
	HERALD_FIELD(every_kind, whole, .lenient = true),
	HERALD_FIELD(every_kind, natural, .lenient = true),
	HERALD_FIELD(every_kind, bit, .numeric = true),
	HERALD_FIELD(every_kind, loose_bit, .numeric = true, .lenient = true),
	HERALD_FIELD(every_kind, loose_truth, .lenient = true),
	HERALD_FIELD(every_kind, quoted_bit, .numeric = true, .quoted = true),
	HERALD_ENUM(every_kind, level, every_colors, .numeric = true, HERALD_UNKNOWN(EVERY_RED)),
	HERALD_ENUM(every_kind, rating, every_sizes, HERALD_UNKNOWN(EVERY_MEDIUM)),
	HERALD_FIELD(every_kind, seconds, .epoch = HERALD_EPOCH_SECONDS),
	HERALD_FIELD(every_kind, milliseconds, .epoch = HERALD_EPOCH_MILLISECONDS, .lenient = true),
	HERALD_FIELD(every_kind, quoted_seconds, .epoch = HERALD_EPOCH_SECONDS, .quoted = true),
	HERALD_FIELD(every_kind, loose_time, .lenient = true),
	HERALD_VALUES(every_kind, ids, .quoted = true, .max_count = 40),
	HERALD_VALUES(every_kind, wholes, .lenient = true),
	HERALD_VALUES(every_kind, bits, .numeric = true),
	HERALD_VALUES(every_kind, epochs, .epoch = HERALD_EPOCH_MILLISECONDS),
	HERALD_ENUMS(every_kind, every_sizes, every_sizes, .key = "sizes"),
	HERALD_ENUMS(every_kind, levels, every_colors, .numeric = true, .quoted = true),
	HERALD_OPTIONAL_ENUM(every_kind, maybe_size, every_sizes),
	HERALD_OPTIONAL(every_kind, maybe_quoted, .quoted = true),
	HERALD_OPTIONAL(every_kind, maybe_seconds, .epoch = HERALD_EPOCH_SECONDS),

	HERALD_ARRAY(every_kind, xy),
	HERALD_OPTIONAL_ARRAY(every_kind, maybe_xyz, HERALD_RANGE(-1, 1)),
	HERALD_ARRAY(every_kind, quoted_array, .quoted = true),
	HERALD_ARRAY(every_kind, names, .min_bytes = 1, .max_bytes = 9),
	HERALD_ARRAY(every_kind, holes_array, .nullable = true),
	HERALD_STRUCT_ARRAY(every_kind, leaves, every_leaf),
	HERALD_STRUCT_ARRAY(every_kind, maybe_array, every_maybe),
	HERALD_VALUES(every_kind, holes, .nullable = true, .max_bytes = 30),
	HERALD_VALUES(every_kind, text_holes, .nullable = true),
	HERALD_LIST(every_kind, rows, every_row, .max_count = 6),
	HERALD_LIST(every_kind, maybes, every_maybe),
	HERALD_STRUCT(every_kind, row, every_row),
	HERALD_STRUCT(every_kind, wrapped, every_wrapped),
	HERALD_POINTER(every_kind, maybe_at, every_maybe),
	HERALD_MAP(every_kind, prices, every_price, .max_count = 25),
	HERALD_MAP(every_kind, people, every_person),

	HERALD_STRUCT(every_kind, shape, every_shape),
	HERALD_LIST(every_kind, every_shapes, every_shape, .key = "shapes"),
	HERALD_LIST(every_kind, notices, every_notice, .max_count = 7),
	HERALD_POINTER(every_kind, number_at, every_number),

	HERALD_STRUCT(every_kind, span, every_span),
	HERALD_LIST(every_kind, bands, every_band));

const struct herald_schema *const every_kind_table = &every_kind_schema;

const char every_kind_document[] =
	"{\n"
	" \"truth\": true, \"int8\": -128, \"int16\": -32768, \"int32\": -2147483648,\n"
	" \"int64\": -9223372036854775808, \"uint8\": 255, \"uint16\": 65535,\n"
	" \"uint32\": 4294967295, \"uint64\": 18446744073709551615,\n"
	" \"real32\": 3.4028235e38, \"real64\": -2.2250738585072011e-308,\n"
	" \"string\": \"plain and then \\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\uD83D\\ude00 "
	"rest\",\n"
	" \"unknown\": {\"string\": 1, \"a\": [{}, [], [[\"\\u0000\"]], null, -0.5e+10]},\n"
	" \"text\": \"a\\u0000b \xF0\x9F\x98\x80\", \"chars\": \"fifteen bytes..\",\n"
	" \"time\": \"2024-08-20T05:21:19.143357839+02:30\",\n"
	" \"json\": { \"raw\" : [ 1, 2.50 ,\"\\n\" ] },\n"
	" \"map\": {\"a\": \"1\", \"b\": null, \"\": \"\", \"\\u0063\": \"\\\"\"},\n"
	" \"json_map\": {\"s\": \"\\u0063\", \"n\": -2.50e1, \"t\":true , \"z\": null, \"\": [ ],\n"
	"              \"o\": {\"a\": [1, \"\\\\}\"]}},\n"
	" \"color\": \"gr\\\"\\\\\\n\\u00fcn\", \"size\": \"medium\",\n"
	" \"leaf\": {\"name\": \"inner\", \"size\": \"large\", \"number\": 7},\n"
	" \"strict\": {\"flag\": true, \"value\": 12},\n"
	" \"pointer\": {\"number\": 1, \"other\": [1, 2], \"name\": \"pointed to\"},\n"
	" \"list\": [{\"name\": \"one\"}, {\"name\": \"two\", \"number\": 2}, {\"name\": \"\"}],\n"
	" \"tree\": {\"name\": \"root\", \"next\": {\"next\": {\"next\": null}},\n"
	"          \"children\": [{}, {\"name\": \"c\", \"children\": [{\"name\": \"d\"}]}, {}]},\n"
	" \"truths\": [true, false, true], \"int8s\": [0, -1, 127], \"int16s\": [32767],\n"
	" \"int32s\": [1,2,3,4,5,6,7,8,9], \"int64s\": [9223372036854775807], \"uint8s\": [],\n"
	" \"uint16s\": [ 1 , 2 ], \"uint32s\": [0], \"uint64s\": [1],\n"
	" \"real32s\": [0.1, 1e-45, -0], \"real64s\": [0.1, 5e-324, 1e23, "
	"123456789012345678901234567890],\n"
	" \"strings\": [\"\", \"x\", \"\\u00fc\"], \"texts\": [\"\\u0000\"],\n"
	" \"times\": [\"1970-01-01T00:00:00Z\"], \"jsons\": [null, \"s\", {\"k\": 0}],\n"
	" \"maybe_truth\": false, \"maybe_int8\": 0, \"maybe_int64\": 1, \"maybe_uint64\": 2,\n"
	" \"maybe_real64\": 0.0, \"maybe_chars\": \"four\", \"maybe_time\": "
	"\"0000-01-01T00:00:00Z\",\n"
	" \"the\\u0020id\": \"x\", \"percent\": 100, \"huge\": 18446744073709551614, \"ratio\": "
	"0.1,\n"
	" \"degrees\": -273.15, \"nickname\": \"ni\", \"blob\": \"b\", \"code\": \"123456\",\n"
	" \"\xE2\x82\xAC\\/unit~\": \"\xC2\xB5m\", \"scores\": [-10, 10], \"tags\": [\"a\", "
	"\"12345678\"],\n"
	" \"labels\": {\"k\": \"v\"}, \"few\": [{\"name\": \"a\"}, {\"name\": \"b\"}, {\"name\": "
	"\"c\"}],\n"
	" \"quoted32\": \"-1000\", \"quoted64\": \"1844674407370955161.5e1\",\n"
	" \"quoted_float\": \"\\u0030.1\", \"quoted_real\": \"-1e0\", \"whole\": -3.20e2,\n"
	" \"natural\": 1844674407370955161500e-2, \"bit\": 1, \"loose_bit\": true,\n"
	" \"loose_truth\": 1, \"quoted_bit\": \"1\", \"level\": 200, \"rating\": \"other\",\n"
	" \"seconds\": -1.5, \"milliseconds\": 1.7e12, \"quoted_seconds\": \"1355517523.000005\",\n"
	" \"loose_time\": \"2016-12-31 23:59:60.1234567891+0000\", \"ids\": [\"1\", \"-2\"],\n"
	" \"wholes\": [1.0, 2], \"bits\": [0, 1, 1], \"epochs\": [0, -1, 1700000000250.5],\n"
	" \"sizes\": [\"small\", \"xl\"], \"levels\": [\"-7\", \"1\"], \"maybe_size\": \"large\",\n"
	" \"maybe_quoted\": \"9223372036854775807\", \"maybe_seconds\": 0,\n"
	" \"xy\": [ 1.5, -2 ], \"maybe_xyz\": [0,0,1], \"quoted_array\": [\"1\", \"-2\"],\n"
	" \"names\": [\"a\", \"b\"], \"holes_array\": [null, \"\", \"x\"],\n"
	" \"leaves\": [{\"name\": \"l\"}, {\"name\": \"m\", \"number\": 3}],\n"
	" \"maybe_array\": [null, 7], \"holes\": [null, \"h\", null], \"text_holes\": "
	"[\"\\u0000\", null],\n"
	" \"rows\": [[1, 2], [], null, [3.5]], \"maybes\": [1, null, -1000], \"row\": [ 4 ],\n"
	" \"wrapped\": \"w\\u0041\", \"maybe_at\": 0, \"prices\": {\"b\": 2, \"a\": 1, \"\": 0, "
	"\"\\u0063\": 3},\n"
	" \"people\": {\"ann\": {\"age\": 30, \"leaf\": {\"name\": \"x\"}}, \"bob\": {\"leaf\": "
	"{\"name\": \"\"}}},\n"
	" \"shape\": {\"kind\": \"small\", \"name\": \"s\", \"number\": 1, \"after\": 2},\n"
	" \"shapes\": [{\"value\": 1, \"kin\\u0064\": \"m\\u0065dium\"}, {\"kind\": \"other\"},\n"
	"            {\"after\": 1, \"x\": {\"kind\": 1}, \"kind\": \"xl\"}],\n"
	" \"notices\": [{\"data\": {\"name\": \"l\"}, \"note\": 1, \"@type\": \"leaf\"},\n"
	"             {\"@type\": \"no\\\"de\\n\", \"data\": {\"next\": {}}},\n"
	"             {\"@type\": \"shape\", \"data\": {\"flag\": true, \"kind\": \"medium\"}},\n"
	"             {\"data\": 0.5, \"@type\": \"\"}, {\"data\": [1], \"@type\": \"\\u0041\"},\n"
	"             {\"data\": [1, 2], \"@type\": \"list\"}],\n"
	" \"number_at\": {\"at\": {\"flag\": true}, \"op\": -7},\n"
	" \"span\": {\"to\": -1, \"from\": -2},\n"
	" \"bands\": [{\"name\": \"b\", \"from\": 1, \"to\": 1}, {}],\n"
	" \"unknown\": \"again\", \"secret\": 5\n"
	"}\n";
const size_t every_kind_document_bytes = sizeof(every_kind_document) - 1;

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

/* Bytes of an element of a list, an array or a map. */
static size_t
item_bytes(const struct herald_field *field)
{
	return field->schema ? field->schema->bytes : kind_bytes(field->element);
}

static bool
equal_lists(const struct herald_field *field, const char *a, size_t a_count, const char *b,
	    size_t b_count)
{
	size_t bytes = item_bytes(field);

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
equal_fields(const struct herald_field *field, const char *a, const char *b)
{
	const void *inner_a, *inner_b;
	size_t count_a, count_b;

	if (field->optional && a[field->has_offset] != b[field->has_offset])
		return false;
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
		count_a = field->bytes / item_bytes(field);
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

/* The line of a schema's tag. */
static const struct herald_field *
tag_of(const struct herald_schema *schema, const char *name)
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
	const char *string;
	int number;

	if (tag->kind != HERALD_KIND_ENUM) {
		memcpy(&string, in + tag->offset, sizeof(string));
		return strcmp(string, value) == 0;
	}
	memcpy(&number, in + tag->offset, sizeof(number));
	for (size_t i = 0; i < tag->names_count; i++)
		if (strcmp(tag->names[i].name, value) == 0)
			return tag->names[i].value == number;
	return false;
}

/* Whether a line counts for a struct. */
static bool
counts(const struct herald_schema *schema, const struct herald_field *line, const char *in)
{
	const struct herald_field *tag;

	if (line->tag == NULL)
		return true;
	tag = tag_of(schema, line->tag);
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
			    counts(schema, &schema->fields[i], a) &&
			    !equal_fields(&schema->fields[i], a, b))
				return false;
	return true;
}

/* splitmix64: every start gives a good sequence. */
uint64_t
every_random_next(struct every_random *random)
{
	uint64_t z = random->state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint64_t
every_random_below(struct every_random *random, uint64_t limit)
{
	return every_random_next(random) % limit;
}

/* What fills one struct. */
struct filler {
	struct every_random *random;
	struct herald_arena *arena;
	bool failed;
	bool not_null; /* the next transparent struct must have a value */
};

static uint64_t
below(struct filler *filler, uint64_t limit)
{
	return every_random_below(filler->random, limit);
}

/* Zeroed memory; a place to write to, and a failure, when there is none. */
static void *
take(struct filler *filler, size_t bytes)
{
	static char nowhere[1024];
	void *block = herald_arena_alloc(filler->arena, bytes);

	if (block == NULL) {
		filler->failed = true;
		return bytes <= sizeof(nowhere) ? nowhere : NULL;
	}
	memset(block, 0, bytes);
	return block;
}

/* The characters of random strings: of every length in UTF-8, and what needs an escape. */
static const char *const characters[] = {
	"a",
	"Z",
	"0",
	" ",
	"/",
	"~",
	"\"",
	"\\",
	"\b",
	"\f",
	"\n",
	"\r",
	"\t",
	"\x01",
	"\x1F",
	"\x7F",
	"\xC2\x80",
	"\xC3\xA9",
	"\xDF\xBF",
	"\xE0\xA0\x80",
	"\xE2\x82\xAC",
	"\xED\x9F\xBF",
	"\xEE\x80\x80",
	"\xEF\xBF\xBF",
	"\xF0\x90\x80\x80",
	"\xF0\x9F\x98\x80",
	"\xF4\x8F\xBF\xBF",
};

/* A string of `least` to `most` bytes; a NUL is among them when that is allowed. */
static size_t
fill_string(struct filler *filler, size_t least, size_t most, bool nul, char *out)
{
	size_t wanted = least + below(filler, most - least + 1), bytes = 0;
	bool plain = below(filler, 3) == 0;

	while (bytes < wanted) {
		size_t index = below(filler, sizeof(characters) / sizeof(characters[0]));
		const char *character = plain ? "x" : characters[index];
		size_t length = strlen(character);

		if (nul && below(filler, 20) == 0) {
			out[bytes++] = '\0';
		} else if (length <= wanted - bytes) {
			memcpy(out + bytes, character, length);
			bytes += length;
		} else {
			out[bytes++] = '.';
		}
	}
	out[bytes] = '\0';
	return bytes;
}

/* A string as the field allows it, at most `room` bytes. */
static size_t
fill_field_string(struct filler *filler, const struct herald_field *field, size_t room, bool nul,
		  char *out)
{
	size_t most = field->max_bytes != 0 && field->max_bytes < room ? field->max_bytes : room;
	size_t count = 0;

	if (field->one_of == NULL)
		return fill_string(filler, field->min_bytes, most, nul, out);
	while (field->one_of[count] != NULL)
		count++;
	strcpy(out, field->one_of[below(filler, count)]);
	return strlen(out);
}

static double
random_double(struct filler *filler, const struct herald_field *field)
{
	double value;
	uint64_t bits;

	if (field->lower_bound.is_set && field->upper_bound.is_set)
		return (double)field->lower_bound.value +
		       (double)(field->upper_bound.value - field->lower_bound.value) *
			       (double)below(filler, 1001) / 1000;
	do {
		bits = every_random_next(filler->random);
		memcpy(&value, &bits, sizeof(value));
	} while (!isfinite(value));
	return value;
}

static float
random_float(struct filler *filler, const struct herald_field *field)
{
	float value;
	uint32_t bits;

	if (field->lower_bound.is_set && field->upper_bound.is_set)
		return (float)random_double(filler, field);
	do {
		bits = (uint32_t)every_random_next(filler->random);
		memcpy(&value, &bits, sizeof(value));
	} while (!isfinite(value));
	return value;
}

/* A signed integer: often one of the ends. */
static int64_t
random_signed(struct filler *filler, const struct herald_field *field, int64_t min, int64_t max)
{
	if (field->lower_bound.is_set && field->lower_bound.value > (long double)min)
		min = (int64_t)field->lower_bound.value;
	if (field->upper_bound.is_set && field->upper_bound.value < (long double)max)
		max = (int64_t)field->upper_bound.value;
	switch (below(filler, 6)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		if (max == min)
			return min;
		/* Short ones and long ones. */
		return (int64_t)((uint64_t)min +
				 (every_random_next(filler->random) >> below(filler, 64)) %
					 ((uint64_t)max - (uint64_t)min));
	}
}

static uint64_t
random_unsigned(struct filler *filler, const struct herald_field *field, uint64_t max)
{
	if (field->upper_bound.is_set && field->upper_bound.value < (long double)max)
		max = (uint64_t)field->upper_bound.value;
	switch (below(filler, 6)) {
	case 0:
		return 0;
	case 1:
		return max;
	default:
		return (every_random_next(filler->random) >> below(filler, 64)) % max;
	}
}

static struct herald_time
random_time(struct filler *filler, bool epoch)
{
	/* A day from both ends, so that no offset leads out of the years 0000 to 9999. */
	int64_t first = INT64_C(-62167219200) + 86400, last = INT64_C(253402300799) - 86400;

	return (struct herald_time){
		.seconds = first + (int64_t)below(filler, (uint64_t)(last - first)),
		.nanoseconds = (int32_t)(below(filler, 2) ? 0 : below(filler, 1000000000)),
		.offset_minutes =
			(int16_t)(epoch || below(filler, 2) ? 0 : (int)below(filler, 2879) - 1439),
	};
}

static struct herald_json
random_json(struct filler *filler)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-1.5e+300",
		"\"\"",
		"\"\\u0000 \\ud800\\udc00\"",
		"[]",
		"{}",
		"[ 1 , [2, {\"a\" : {}}]]",
		"{\"a\":1,\"a\":2}",
		"123456789012345678901234",
	};
	const char *text = texts[below(filler, sizeof(texts) / sizeof(texts[0]))];

	return (struct herald_json){text, strlen(text)};
}

static struct herald_map
random_map(struct filler *filler, const struct herald_field *field)
{
	size_t most = field->max_count != 0 ? field->max_count : 40;
	struct herald_map map = {.count = field->min_count +
					  below(filler, most - field->min_count + 1)};
	struct herald_pair *pairs = herald_arena_alloc(filler->arena, map.count * sizeof(*pairs));

	map.pairs = pairs;
	for (size_t i = 0; pairs != NULL && i < map.count; i++) {
		char *key = take(filler, 64), *value = take(filler, 64);
		/* The number makes it unique; only the first may have none, and be empty. */
		size_t bytes = i > 0 ? (size_t)snprintf(key, 16, "%zu ", i) : 0;

		fill_string(filler, 0, 40, false, key + bytes);
		fill_string(filler, 0, 40, false, value);
		pairs[i] = (struct herald_pair){key, value};
	}
	if (pairs == NULL)
		filler->failed = true;
	/* What begins like another one's number would not be unique. */
	if (map.count > 0 && pairs != NULL && pairs[0].key[0] >= '0' && pairs[0].key[0] <= '9')
		pairs[0].key = "";
	return map;
}

/* A value as decoding would have it: strings by their text alone, the rest by its JSON too. */
static struct herald_json_pair
random_json_pair(struct filler *filler, const char *key, const char *string)
{
	struct herald_json json = random_json(filler);

	switch (*json.data) {
	case '"':
		return (struct herald_json_pair){key, string, {NULL, 0}};
	case 'n':
		return (struct herald_json_pair){key, "", json};
	case '{':
	case '[':
		return (struct herald_json_pair){key, NULL, json};
	default:
		return (struct herald_json_pair){key, json.data, json};
	}
}

/* The keys and strings of a random map, with other values among them. */
static struct herald_json_map
random_json_map(struct filler *filler, const struct herald_field *field)
{
	struct herald_map strings = random_map(filler, field);
	struct herald_json_pair *pairs =
		herald_arena_alloc(filler->arena, strings.count * sizeof(*pairs));

	if (pairs == NULL || strings.pairs == NULL) {
		filler->failed = true;
		return (struct herald_json_map){NULL, 0};
	}
	for (size_t i = 0; i < strings.count; i++)
		pairs[i] = random_json_pair(filler, strings.pairs[i].key, strings.pairs[i].value);
	return (struct herald_json_map){pairs, strings.count};
}

/* A value of a kind that has neither a schema nor a count. */
static void
fill_value(struct filler *filler, const struct herald_field *field, enum herald_kind kind,
	   void *out)
{
	char *string;
	size_t bytes;

	switch (kind) {
	case HERALD_KIND_BOOL:
		*(bool *)out = below(filler, 2) != 0;
		return;
	case HERALD_KIND_INT8:
		*(int8_t *)out = (int8_t)random_signed(filler, field, INT8_MIN, INT8_MAX);
		return;
	case HERALD_KIND_INT16:
		*(int16_t *)out = (int16_t)random_signed(filler, field, INT16_MIN, INT16_MAX);
		return;
	case HERALD_KIND_INT32:
		*(int32_t *)out = (int32_t)random_signed(filler, field, INT32_MIN, INT32_MAX);
		return;
	case HERALD_KIND_INT64:
		*(int64_t *)out = random_signed(filler, field, INT64_MIN, INT64_MAX);
		return;
	case HERALD_KIND_UINT8:
		*(uint8_t *)out = (uint8_t)random_unsigned(filler, field, UINT8_MAX);
		return;
	case HERALD_KIND_UINT16:
		*(uint16_t *)out = (uint16_t)random_unsigned(filler, field, UINT16_MAX);
		return;
	case HERALD_KIND_UINT32:
		*(uint32_t *)out = (uint32_t)random_unsigned(filler, field, UINT32_MAX);
		return;
	case HERALD_KIND_UINT64:
		*(uint64_t *)out = random_unsigned(filler, field, UINT64_MAX);
		return;
	case HERALD_KIND_FLOAT:
		*(float *)out = random_float(filler, field);
		return;
	case HERALD_KIND_DOUBLE:
		do
			*(double *)out = random_double(filler, field);
		while ((field->lower_bound.is_set &&
			*(double *)out < (double)field->lower_bound.value) ||
		       (field->upper_bound.is_set &&
			*(double *)out > (double)field->upper_bound.value));
		return;
	case HERALD_KIND_STRING:
		string = take(filler, 256);
		fill_field_string(filler, field, 200, false, string);
		*(const char **)out = string;
		return;
	case HERALD_KIND_TEXT:
		string = take(filler, 256);
		bytes = fill_field_string(filler, field, 200, true, string);
		*(struct herald_text *)out = (struct herald_text){string, bytes};
		return;
	case HERALD_KIND_CHARS:
		memset(out, 0, field->bytes);
		fill_field_string(filler, field, field->bytes - 1, false, out);
		return;
	case HERALD_KIND_TIME:
		*(struct herald_time *)out = random_time(filler, field->epoch != HERALD_EPOCH_NONE);
		return;
	case HERALD_KIND_JSON:
		*(struct herald_json *)out = random_json(filler);
		return;
	case HERALD_KIND_MAP:
		*(struct herald_map *)out = random_map(filler, field);
		return;
	case HERALD_KIND_JSON_MAP:
		*(struct herald_json_map *)out = random_json_map(filler, field);
		return;
	case HERALD_KIND_ENUM:
		*(int *)out = field->names[below(filler, field->names_count)].value;
		return;
	default:
		return;
	}
}

static bool
fill_struct(struct filler *filler, const struct herald_schema *schema, size_t depth, char *out);

static void
fill_items(struct filler *filler, const struct herald_field *field, size_t depth, char *items,
	   size_t count)
{
	size_t bytes = item_bytes(field);

	for (size_t i = 0; i < count; i++)
		if (field->nullable && below(filler, 3) == 0)
			memset(items + i * bytes, 0, bytes);
		else if (field->schema)
			fill_struct(filler, field->schema, depth, items + i * bytes);
		else
			fill_value(filler, field, field->element, items + i * bytes);
}

/* Give each member of a map another key. */
static void
fill_keys(struct filler *filler, const struct herald_schema *schema, char *items, size_t count)
{
	size_t offset = 0;

	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].kind == HERALD_KIND_KEY)
			offset = schema->fields[i].offset;
	for (size_t i = 0; i < count; i++) {
		char *key = take(filler, 64);

		fill_string(filler, 0, 40, false, key + snprintf(key, 16, "%zu ", i));
		memcpy(items + i * schema->bytes + offset, &key, sizeof(key));
	}
}

static void
fill_list(struct filler *filler, const struct herald_field *field, size_t depth, char *out)
{
	size_t most = field->max_count != 0 ? field->max_count : 9;
	size_t count = field->min_count + below(filler, most - field->min_count + 1);
	size_t bytes = item_bytes(field);
	char *items = herald_arena_alloc(filler->arena, count * bytes);

	if (items == NULL) {
		filler->failed = true;
		return;
	}
	memset(items, 0, count * bytes);
	fill_items(filler, field, depth - 1, items, count);
	if (field->kind == HERALD_KIND_STRUCT_MAP)
		fill_keys(filler, field->schema, items, count);
	memcpy(out + field->offset, &items, sizeof(items));
	memcpy(out + field->count_offset, &count, sizeof(count));
}

static void
fill_pointer(struct filler *filler, const struct herald_field *field, size_t depth, char *out)
{
	char *target = herald_arena_alloc(filler->arena, field->schema->bytes);

	if (target == NULL) {
		filler->failed = true;
		return;
	}
	filler->not_null = true;
	fill_struct(filler, field->schema, depth - 1, target);
	memcpy(out + field->offset, &target, sizeof(target));
}

static bool
may_be_absent(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT || kind == HERALD_KIND_JSON ||
	       kind == HERALD_KIND_MAP || kind == HERALD_KIND_JSON_MAP ||
	       kind == HERALD_KIND_POINTER || kind == HERALD_KIND_LIST ||
	       kind == HERALD_KIND_VALUES || kind == HERALD_KIND_STRUCT_MAP;
}

static void
fill_field(struct filler *filler, const struct herald_field *field, bool not_null, size_t depth,
	   char *out)
{
	bool inner = field->kind == HERALD_KIND_POINTER || field->kind == HERALD_KIND_LIST ||
		     field->kind == HERALD_KIND_STRUCT_MAP;

	if (!field->required && !not_null &&
	    ((inner && depth == 0) ||
	     ((field->optional || may_be_absent(field->kind)) && below(filler, 4) == 0)))
		return;
	if (field->optional)
		out[field->has_offset] = true;
	if (field->kind == HERALD_KIND_STRUCT)
		fill_struct(filler, field->schema, depth, out + field->offset);
	else if (field->kind == HERALD_KIND_POINTER)
		fill_pointer(filler, field, depth, out);
	else if (field->kind == HERALD_KIND_ARRAY)
		fill_items(filler, field, depth, out + field->offset,
			   field->bytes / item_bytes(field));
	else if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES ||
		 field->kind == HERALD_KIND_STRUCT_MAP)
		fill_list(filler, field, depth, out);
	else
		fill_value(filler, field, field->kind, out + field->offset);
}

/* Give a tag that is a string the value of one of the lines, or leave it as it is. */
static void
fill_tag(struct filler *filler, const struct herald_schema *schema, char *out)
{
	const struct herald_field *line = &schema->fields[below(filler, schema->fields_count)];
	const struct herald_field *tag = line->tag ? tag_of(schema, line->tag) : NULL;

	if (tag != NULL && tag->kind == HERALD_KIND_STRING && line->when != NULL)
		memcpy(out + tag->offset, &line->when, sizeof(line->when));
}

/* Make what has been drawn meet the check of its schema. */
static void
meet_check(const struct herald_schema *schema, char *out)
{
	if (schema == &every_span_schema) {
		struct every_span *span = (void *)out;
		int32_t from = span->from;

		if (from > span->to)
			*span = (struct every_span){.from = span->to, .to = from};
	} else if (schema == &every_band_schema) {
		struct every_band *band = (void *)out;

		if (band->name == NULL)
			band->name = "";
	}
}

static bool
fill_struct(struct filler *filler, const struct herald_schema *schema, size_t depth, char *out)
{
	bool not_null = filler->not_null && schema->transparent;

	filler->not_null = false;
	memset(out, 0, schema->bytes);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].tag == NULL)
			fill_field(filler, &schema->fields[i], not_null, depth, out);
	fill_tag(filler, schema, out);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].tag != NULL && counts(schema, &schema->fields[i], out))
			fill_field(filler, &schema->fields[i], not_null, depth, out);
	meet_check(schema, out);
	return !filler->failed;
}

bool
every_fill(const struct herald_schema *schema, struct every_random *random,
	   struct herald_arena *arena, size_t depth, void *out)
{
	struct filler filler = {.random = random, .arena = arena};

	return fill_struct(&filler, schema, depth, out);
}
