/*
 * The schema that has every kind and option, and its document.
 */
#include "every_kind.h"

#include "every_schema.h"

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

void
every_meet_check(const struct herald_schema *schema, char *out)
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
