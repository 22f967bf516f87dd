/*
 * herald_schema_json(): what each kind and each option becomes, the whole text of both drafts, the
 * names of definitions, and errors. interop/json_schema.py compares exported schemas with the
 * decoder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/json.h>
#include <herald/json_schema.h>

#include "support/every_kind.h"
#include "support/failing_allocator.h"

enum grade { GRADE_NONE, GRADE_GOOD, GRADE_BAD };

static const struct herald_name grades[] = {
	{"none", GRADE_NONE},
	{"good", GRADE_GOOD},
	{"fine", GRADE_GOOD},
	{"bad", GRADE_BAD},
};

struct leaf {
	int32_t number;
};

struct all {
	bool truth, needed, bit, loose, loose_bit, quoted_bit, loose_quoted_bit;
	int8_t tiny;
	uint64_t huge;
	int64_t inward;
	uint16_t quoted;
	int32_t loose_quoted;
	float ratio, single;
	double real, quoted_real;
	const char *string;
	const char *name;
	struct herald_text text;
	char code[9];
	char size[4];
	struct herald_time time, loose_time, seconds, milliseconds, quoted_seconds,
		quoted_milliseconds, loose_seconds;
	struct herald_json json, any;
	struct herald_map map;
	struct herald_json_map json_map;
	enum grade grade, other, level, quoted_level, loose_level, any_level, any_quoted;
	struct leaf leaf, must;
	const struct leaf *pointer, *documented;
	const struct leaf *list;
	size_t list_count;
	const int16_t *scores;
	size_t scores_count;
	const char *const *tags;
	size_t tags_count;
	const struct herald_json *jsons;
	size_t jsons_count;
	const enum grade *levels;
	size_t levels_count;
	void *secret;
};

HERALD_SCHEMA(leaf, HERALD_FIELD(leaf, number));

HERALD_SCHEMA(all,
	HERALD_FIELD(all, truth),
	HERALD_FIELD(all, needed, .required = true, .doc = "Say \"yes\"."),
	HERALD_FIELD(all, bit, .numeric = true),
	HERALD_FIELD(all, loose, .lenient = true),
	HERALD_FIELD(all, loose_bit, .numeric = true, .lenient = true, .required = true),
	HERALD_FIELD(all, quoted_bit, .numeric = true, .quoted = true),
	HERALD_FIELD(all, loose_quoted_bit, .numeric = true, .quoted = true, .lenient = true),
	HERALD_FIELD(all, tiny),
	HERALD_FIELD(all, huge, HERALD_MIN(1)),
	HERALD_FIELD(all, inward, .required = true, HERALD_RANGE(-1.5, 1.5)),
	HERALD_FIELD(all, quoted, .quoted = true, HERALD_MAX(999)),
	HERALD_FIELD(all, loose_quoted, .quoted = true, .lenient = true),
	HERALD_FIELD(all, ratio, HERALD_RANGE(0, 0.1)),
	HERALD_FIELD(all, single),
	HERALD_FIELD(all, real, HERALD_MAX(1e6)),
	HERALD_FIELD(all, quoted_real, .quoted = true, HERALD_RANGE(-1, 1)),
	HERALD_FIELD(all, string),
	HERALD_FIELD(all, name, .required = true, .min_bytes = 5, .max_bytes = 40),
	HERALD_FIELD(all, text, .min_bytes = 1, .max_bytes = 1),
	HERALD_FIELD(all, code, .max_bytes = 6),
	HERALD_FIELD(all, size, .min_bytes = 1, HERALD_ONE_OF("", "s", "xxxl", "xl")),
	HERALD_FIELD(all, time),
	HERALD_FIELD(all, loose_time, .lenient = true),
	HERALD_FIELD(all, seconds, .epoch = HERALD_EPOCH_SECONDS),
	HERALD_FIELD(all, milliseconds, .epoch = HERALD_EPOCH_MILLISECONDS, .required = true),
	HERALD_FIELD(all, quoted_seconds, .epoch = HERALD_EPOCH_SECONDS, .quoted = true),
	HERALD_FIELD(all, quoted_milliseconds, .epoch = HERALD_EPOCH_MILLISECONDS, .quoted = true),
	HERALD_FIELD(all, loose_seconds, .epoch = HERALD_EPOCH_SECONDS, .quoted = true,
		     .lenient = true),
	HERALD_FIELD(all, json, .required = true),
	HERALD_FIELD(all, any, .key = "a/ny"),
	HERALD_FIELD(all, map, .min_count = 1, .max_count = 30),
	HERALD_FIELD(all, json_map, .required = true),
	HERALD_ENUM(all, grade, grades),
	HERALD_ENUM(all, other, grades, HERALD_UNKNOWN(GRADE_NONE)),
	HERALD_ENUM(all, level, grades, .numeric = true, .required = true),
	HERALD_ENUM(all, quoted_level, grades, .numeric = true, .quoted = true),
	HERALD_ENUM(all, loose_level, grades, .numeric = true, .quoted = true, .lenient = true),
	HERALD_ENUM(all, any_level, grades, .numeric = true, HERALD_UNKNOWN(GRADE_NONE)),
	HERALD_ENUM(all, any_quoted, grades, .numeric = true, .quoted = true, .lenient = true,
		    HERALD_UNKNOWN(GRADE_NONE)),
	HERALD_STRUCT(all, leaf, leaf),
	HERALD_STRUCT(all, must, leaf, .required = true),
	HERALD_POINTER(all, pointer, leaf),
	HERALD_POINTER(all, documented, leaf, .required = true, .doc = "One."),
	HERALD_LIST(all, list, leaf, .required = true, .min_count = 1),
	HERALD_VALUES(all, scores, HERALD_RANGE(-10, 10), .max_count = 3),
	HERALD_VALUES(all, tags, .min_bytes = 2),
	HERALD_VALUES(all, jsons),
	HERALD_ENUMS(all, levels, grades, .numeric = true),
	HERALD_PRIVATE(all, secret));

#define NO_NUL "\"pattern\":\"^[^\\\\x00]*$\""
#define NUMBER "\"pattern\":\"^-?(0|[1-9][0-9]*)(\\\\.[0-9]+)?([eE][+-]?[0-9]+)?$\""
#define NULLABLE(TYPE) "\"type\":[\"" TYPE "\",\"null\"]"
#define YEARS "since 1970-01-01T00:00:00Z, in the years 0000 to 9999"

/* Paths in the document, and what is there. */
static const struct {
	const char *path, *expected;
} parts[] = {
	{"/properties/truth", "{" NULLABLE("boolean") "}"},
	{"/properties/needed", "{\"description\":\"Say \\\"yes\\\".\",\"type\":\"boolean\"}"},
	{"/properties/bit", "{\"enum\":[0,1,null]}"},
	{"/properties/loose", "{\"enum\":[false,true,0,1,null]}"},
	{"/properties/loose_bit", "{\"enum\":[false,true,0,1]}"},
	{"/properties/quoted_bit", "{\"enum\":[\"0\",\"-0\",\"1\",null]}"},
	{"/properties/loose_quoted_bit",
	 "{\"enum\":[\"0\",\"-0\",\"1\",\"false\",\"true\",false,true,0,1,null]}"},
	{"/properties/tiny", "{" NULLABLE("integer") ",\"minimum\":-128,\"maximum\":127}"},
	{"/properties/huge",
	 "{" NULLABLE("integer") ",\"minimum\":1,\"maximum\":18446744073709551615}"},
	{"/properties/inward", "{\"type\":\"integer\",\"minimum\":-1,\"maximum\":1}"},
	{"/properties/quoted", "{" NULLABLE("string") ",\"pattern\":\"^(-?0|[1-9][0-9]*)$\","
						      "\"$comment\":\"in quotes: from 0 to "
						      "999\"}"},
	{"/properties/loose_quoted", "{\"type\":[\"string\",\"integer\",\"null\"]," NUMBER
				     ",\"minimum\":-2147483648,\"maximum\":2147483647,"
				     "\"$comment\":\"in quotes: from -2147483648 to "
				     "2147483647\"}"},
	{"/properties/ratio", "{" NULLABLE("number") ",\"minimum\":0,\"maximum\":0.1}"},
	{"/properties/single",
	 "{" NULLABLE("number") ",\"minimum\":-3.4028235e38,\"maximum\":3.4028235e38}"},
	{"/properties/real",
	 "{" NULLABLE("number") ",\"minimum\":-1.7976931348623157e308,\"maximum\":1000000}"},
	{"/properties/quoted_real",
	 "{" NULLABLE("string") "," NUMBER ",\"$comment\":\"in quotes: from -1 to 1\"}"},
	{"/properties/string", "{" NULLABLE("string") "," NO_NUL "}"},
	{"/properties/name", "{\"type\":\"string\"," NO_NUL ",\"minLength\":2,\"maxLength\":40,"
			     "\"$comment\":\"5 to 40 bytes of UTF-8\"}"},
	{"/properties/text", "{" NULLABLE("string") ",\"minLength\":1,\"maxLength\":1,"
						    "\"$comment\":\"exactly 1 byte of UTF-8\"}"},
	{"/properties/code", "{" NULLABLE("string") "," NO_NUL ",\"maxLength\":6,"
						    "\"$comment\":\"at most 6 bytes of "
						    "UTF-8\"}"},
	{"/properties/size", "{\"enum\":[\"s\",\"xl\",null]}"},
	{"/properties/time/format", "\"date-time\""},
	{"/properties/time/pattern",
	 "\"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:"
	 "[0-5][0-9](\\\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$\""},
	{"/properties/loose_time",
	 "{" NULLABLE("string") ",\"pattern\":\"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
				"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\\\.[0-9]+)?"
				"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$\","
				"\"$comment\":\"a time in the years 0000 to 9999\"}"},
	{"/properties/seconds",
	 "{" NULLABLE("number") ",\"minimum\":-62167219200,\"exclusiveMaximum\":253402300800,"
				"\"$comment\":\"seconds " YEARS "\"}"},
	{"/properties/milliseconds",
	 "{\"type\":\"number\",\"minimum\":-62167219200000,\"exclusiveMaximum\":253402300800000,"
	 "\"$comment\":\"milliseconds " YEARS "\"}"},
	{"/properties/quoted_seconds",
	 "{" NULLABLE("string") ",\"pattern\":\"^-?(0|[1-9][0-9]*)(\\\\.[0-9]{1,9}0*)?$\","
				"\"$comment\":\"seconds " YEARS "\"}"},
	{"/properties/quoted_milliseconds/pattern", "\"^-?(0|[1-9][0-9]*)(\\\\.[0-9]{1,6}0*)?$\""},
	{"/properties/loose_seconds",
	 "{\"type\":[\"string\",\"number\",\"null\"]," NUMBER
	 ",\"minimum\":-62167219200,\"exclusiveMaximum\":253402300800,\"$comment\":\"seconds " YEARS
	 "\"}"},
	{"/properties/json", "{\"not\":{\"type\":\"null\"}}"},
	{"/properties/a~1ny", "{}"},
	{"/properties/map",
	 "{" NULLABLE("object") ",\"propertyNames\":{" NO_NUL
				"},\"additionalProperties\":{" NULLABLE(
					"string") "," NO_NUL
						  "},\"minProperties\":1,\"maxProperties\":30}"},
	{"/properties/json_map", "{\"type\":\"object\",\"propertyNames\":{" NO_NUL
				 "},\"additionalProperties\":{" NO_NUL "}}"},
	{"/properties/grade", "{\"enum\":[\"none\",\"good\",\"fine\",\"bad\",null]}"},
	{"/properties/other",
	 "{" NULLABLE("string") ",\"examples\":[\"none\",\"good\",\"fine\",\"bad\"]}"},
	{"/properties/level", "{\"enum\":[0,1,2]}"},
	{"/properties/quoted_level", "{\"enum\":[\"0\",\"-0\",\"1\",\"2\",null]}"},
	{"/properties/loose_level", "{\"enum\":[\"0\",\"-0\",\"1\",\"2\",0,1,2,null]}"},
	{"/properties/any_level", "{" NULLABLE("integer") ",\"examples\":[0,1,2]}"},
	{"/properties/any_quoted", "{\"type\":[\"string\",\"integer\",\"null\"],"
				   "\"pattern\":\"^-?(0|[1-9][0-9]*)$\","
				   "\"examples\":[\"0\",\"1\",\"2\",0,1,2]}"},
	{"/properties/leaf", "{\"anyOf\":[{\"$ref\":\"#/$defs/leaf\"},{\"type\":\"null\"}]}"},
	{"/properties/must", "{\"$ref\":\"#/$defs/leaf\"}"},
	{"/properties/pointer", "{\"anyOf\":[{\"$ref\":\"#/$defs/leaf\"},{\"type\":\"null\"}]}"},
	{"/properties/documented", "{\"description\":\"One.\",\"$ref\":\"#/$defs/leaf\"}"},
	{"/properties/list",
	 "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/leaf\"},\"minItems\":1}"},
	{"/properties/scores", "{" NULLABLE("array") ",\"items\":{\"type\":\"integer\","
						     "\"minimum\":-10,\"maximum\":10},"
						     "\"maxItems\":3}"},
	{"/properties/tags",
	 "{" NULLABLE("array") ",\"items\":{\"type\":\"string\"," NO_NUL
			       ",\"minLength\":1,\"$comment\":\"at least 2 bytes of UTF-8\"}}"},
	{"/properties/jsons", "{" NULLABLE("array") ",\"items\":{}}"},
	{"/properties/levels", "{" NULLABLE("array") ",\"items\":{\"enum\":[0,1,2]}}"},
	{"/required", "[\"needed\",\"loose_bit\",\"inward\",\"name\",\"milliseconds\",\"json\","
		      "\"json_map\",\"level\",\"must\",\"documented\",\"list\"]"},
	{"/$defs", "{\"leaf\":{\"type\":\"object\",\"properties\":{\"number\":{" NULLABLE(
			   "integer") ",\"minimum\":-2147483648,\"maximum\":2147483647}}}}"},
};

static void export(const struct herald_schema *schema,
		   const struct herald_json_schema_options *options, struct herald_buffer *out)
{
	struct herald_error error;

	herald_buffer_init(out, NULL, 0);
	if (herald_schema_json(schema, options, out, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
test_parts(void **state)
{
	struct herald_buffer out;
	struct herald_json root, found;

	(void)state;
	export(&all_schema, NULL, &out);
	assert_int_equal(herald_json_check(out.data, out.bytes, NULL, &root, NULL), HERALD_OK);
	for (size_t i = 0; i < HERALD_COUNT(parts); i++) {
		const char *expected = parts[i].expected;

		if (herald_json_find(&root, parts[i].path, &found, NULL) != HERALD_OK)
			fail_msg("no %s", parts[i].path);
		if (found.bytes != strlen(expected) ||
		    memcmp(found.data, expected, found.bytes) != 0)
			fail_msg("%s: expected %s, found %.*s", parts[i].path, expected,
				 (int)found.bytes, found.data);
	}
	assert_int_equal(herald_json_find(&root, "/properties/secret", &found, NULL),
			 HERALD_MISSING);
	herald_buffer_finish(&out);
}

/* Whole texts. */

struct tree {
	const char *name;
	const struct tree *left;
	struct leaf leaf;
};

HERALD_SCHEMA_WITH(tree, (.doc = "A tree.", .reject_unknown = true),
	HERALD_FIELD(tree, name, .required = true, .doc = "A name."),
	HERALD_POINTER(tree, left, tree),
	HERALD_STRUCT(tree, leaf, leaf, .required = true, .doc = "A leaf."));

#define TREE(LEAF, DEFINITIONS)                                                                    \
	"  \"title\": \"tree\",\n"                                                                 \
	"  \"description\": \"A tree.\",\n"                                                        \
	"  \"type\": \"object\",\n"                                                                \
	"  \"properties\": {\n"                                                                    \
	"    \"name\": {\n"                                                                        \
	"      \"description\": \"A name.\",\n"                                                    \
	"      \"type\": \"string\",\n"                                                            \
	"      \"pattern\": \"^[^\\\\x00]*$\"\n"                                                   \
	"    },\n"                                                                                 \
	"    \"left\": {\n"                                                                        \
	"      \"anyOf\": [{\"$ref\": \"#\"}, {\"type\": \"null\"}]\n"                             \
	"    },\n"                                                                                 \
	"    \"leaf\": {\n"                                                                        \
	"      \"description\": \"A leaf.\",\n"                                                    \
	"      " LEAF "\n"                                                                         \
	"    }\n"                                                                                  \
	"  },\n"                                                                                   \
	"  \"required\": [\"name\", \"leaf\"],\n"                                                  \
	"  \"additionalProperties\": false,\n"                                                     \
	"  \"" DEFINITIONS "\": {\n"                                                               \
	"    \"leaf\": {\n"                                                                        \
	"      \"type\": \"object\",\n"                                                            \
	"      \"properties\": {\n"                                                                \
	"        \"number\": {\n"                                                                  \
	"          \"type\": [\"integer\", \"null\"],\n"                                           \
	"          \"minimum\": -2147483648,\n"                                                    \
	"          \"maximum\": 2147483647\n"                                                      \
	"        }\n"                                                                              \
	"      }\n"                                                                                \
	"    }\n"                                                                                  \
	"  }\n"                                                                                    \
	"}"

static const char tree_2020[] =
	"{\n"
	"  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	"  \"$id\": \"https://example.com/tree\",\n" TREE("\"$ref\": \"#/$defs/leaf\"", "$defs");
static const char tree_07[] =
	"{\n"
	"  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n" TREE(
		"\"allOf\": [{\"$ref\": \"#/definitions/leaf\"}]", "definitions");

/* The text is appended, and the same each time. */
static void
expect_text(const struct herald_schema *schema, const struct herald_json_schema_options *options,
	    const char *expected)
{
	struct herald_buffer out;

	herald_buffer_init(&out, NULL, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(herald_schema_json(schema, options, &out, NULL), HERALD_OK);
	if (out.bytes != 2 * strlen(expected) || memcmp(out.data, expected, out.bytes / 2) != 0 ||
	    memcmp(out.data + out.bytes / 2, expected, out.bytes / 2) != 0)
		fail_msg("expected %s, found %.*s", expected, (int)out.bytes, out.data);
	herald_buffer_finish(&out);
}

static void
test_texts(void **state)
{
	(void)state;
	expect_text(&tree_schema,
		    &HERALD_JSON_SCHEMA_OPTIONS(.indent = 2, .id = "https://example.com/tree"),
		    tree_2020);
	expect_text(&tree_schema,
		    &HERALD_JSON_SCHEMA_OPTIONS(.draft = HERALD_JSON_SCHEMA_DRAFT_07, .indent = 2),
		    tree_07);
	expect_text(&herald_json_schema, NULL,
		    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		    "\"title\":\"herald_json\",\"description\":\"Any JSON value, as it is.\"}");
	expect_text(&herald_data_schema, NULL,
		    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		    "\"title\":\"herald_data\",\"description\":\"Bytes of any media type.\"}");
}

/* A transparent schema refers to its struct next to other keywords, which draft-07 ignores. */
struct wrapped {
	struct leaf leaf;
};

HERALD_SCHEMA_WITH(wrapped,
	(.transparent = true, .doc = "Wrapped."),
	HERALD_STRUCT(wrapped, leaf, leaf, .required = true));

struct twice {
	struct wrapped wrapped;
};

HERALD_SCHEMA_WITH(twice,
	(.transparent = true),
	HERALD_STRUCT(twice, wrapped, wrapped, .required = true));

static void
test_transparent_references(void **state)
{
#define LEAF                                                                                       \
	"\"leaf\":{\"type\":\"object\",\"properties\":{\"number\":{\"type\":[\"integer\","         \
	"\"null\"],"                                                                               \
	"\"minimum\":-2147483648,\"maximum\":2147483647}}}"
	(void)state;
	expect_text(&wrapped_schema, NULL,
		    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		    "\"title\":\"wrapped\",\"description\":\"Wrapped.\","
		    "\"$ref\":\"#/$defs/leaf\",\"$defs\":{" LEAF "}}");
	expect_text(&wrapped_schema,
		    &HERALD_JSON_SCHEMA_OPTIONS(.draft = HERALD_JSON_SCHEMA_DRAFT_07),
		    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
		    "\"title\":\"wrapped\",\"description\":\"Wrapped.\","
		    "\"allOf\":[{\"$ref\":\"#/definitions/leaf\"}],\"definitions\":{" LEAF "}}");
	expect_text(&twice_schema,
		    &HERALD_JSON_SCHEMA_OPTIONS(.draft = HERALD_JSON_SCHEMA_DRAFT_07),
		    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"twice\","
		    "\"allOf\":[{\"$ref\":\"#/definitions/wrapped\"}],"
		    "\"definitions\":{\"wrapped\":{\"description\":\"Wrapped.\","
		    "\"allOf\":[{\"$ref\":\"#/definitions/leaf\"}]}," LEAF "}}");
#undef LEAF
}

/* A tagged union whose only case is all tags: `enum` may not be empty. */
struct open {
	const char *kind;
	union {
		bool flag;
	} value;
};
HERALD_SCHEMA(open, HERALD_FIELD(open, kind, .required = true),
	      HERALD_VARIANT(open, value, kind, HERALD_CASE_OTHER(flag)));

struct half_open {
	const char *kind;
	union {
		bool flag;
	} value;
};
HERALD_SCHEMA(half_open, HERALD_FIELD(half_open, kind, .required = true),
	      HERALD_VARIANT(half_open, value, kind, HERALD_CASE_FIELD("a", flag),
			     HERALD_CASE_OTHER(flag)));

static void
test_cases_of_all_tags(void **state)
{
#define MEMBERS                                                                                    \
	"\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\","                       \
	"\"pattern\":\"^[^\\\\x00]*$\"},"                                                          \
	"\"value\":{\"type\":[\"boolean\",\"null\"]}},\"required\":[\"kind\"]}"
	(void)state;
	expect_text(&open_schema, NULL,
		    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		    "\"title\":\"open\",\"anyOf\":[{" MEMBERS "]}");
	expect_text(&half_open_schema, NULL,
		    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		    "\"title\":\"half_open\",\"anyOf\":["
		    "{\"allOf\":[{\"properties\":{\"kind\":{\"enum\":[\"a\"]}}}]," MEMBERS
		    ",{\"not\":{\"properties\":{\"kind\":{\"enum\":[\"a\"]}},"
		    "\"required\":[\"kind\"]}," MEMBERS "]}");
#undef MEMBERS
}

/* Structs of other files may have the same names, and names in C++ have colons. */
struct names {
	struct leaf a, b, c, d;
};

#define RENAMED(NAME, RENAME)                                                                      \
	static const struct herald_field NAME##_fields[] = {                                       \
		{.owner = RENAME, .name = "number", .kind = HERALD_KIND_INT32, .bytes = 4}};       \
	static const struct herald_schema NAME = {.name = (RENAME),                                \
						  .bytes = sizeof(struct leaf),                    \
						  .alignment = _Alignof(struct leaf),              \
						  .fields = NAME##_fields,                         \
						  .fields_count = 1}
RENAMED(first, "leaf");
RENAMED(second, "leaf_2");
RENAMED(third, "shop::leaf/~ \"");
RENAMED(fourth, "leaf");

static void
test_names(void **state)
{
	struct herald_field fields[] = {
		{.name = "a", .schema = &first},
		{.name = "b", .schema = &second},
		{.name = "c", .schema = &third},
		{.name = "d", .schema = &fourth},
	};
	const struct herald_schema schema = {.name = "names",
					     .bytes = sizeof(struct names),
					     .alignment = _Alignof(struct names),
					     .fields = fields,
					     .fields_count = HERALD_COUNT(fields)};
	static const char *const names[] = {"leaf", "leaf_2", "shop__leaf____", "leaf_3"};
	struct herald_buffer out;
	struct herald_json root, found;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(fields); i++) {
		fields[i].owner = "names";
		fields[i].kind = HERALD_KIND_STRUCT;
		fields[i].bytes = sizeof(struct leaf);
		fields[i].offset = i * sizeof(struct leaf);
		fields[i].required = true;
	}
	export(&schema, NULL, &out);
	assert_int_equal(herald_json_check(out.data, out.bytes, NULL, &root, NULL), HERALD_OK);
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		char path[64], expected[64];

		snprintf(path, sizeof(path), "/$defs/%s/type", names[i]);
		assert_int_equal(herald_json_find(&root, path, &found, NULL), HERALD_OK);
		snprintf(path, sizeof(path), "/properties/%s/$ref", fields[i].name);
		assert_int_equal(herald_json_find(&root, path, &found, NULL), HERALD_OK);
		snprintf(expected, sizeof(expected), "#/$defs/%s", names[i]);
		assert_true(herald_json_string_equals(&found, expected));
	}
	herald_buffer_finish(&out);
}

/* Every kind is in the struct of support/every_kind.h, and has a schema that is not empty. */
static void
test_every_kind(void **state)
{
	struct herald_buffer out;
	struct herald_json root, found;
	bool is_there[HERALD_KIND_COUNT] = {[HERALD_KIND_NONE] = true, [HERALD_KIND_KEY] = true};

	(void)state;
	export(every_kind_table, NULL, &out);
	assert_int_equal(herald_json_check(out.data, out.bytes, NULL, &root, NULL), HERALD_OK);
	for (size_t i = 0; i < every_kind_table->fields_count; i++) {
		const struct herald_field *field = &every_kind_table->fields[i];
		char path[64];

		is_there[field->kind] = true;
		snprintf(path, sizeof(path), "/properties/%s",
			 field->key ? field->key : field->name);
		if (field->kind == HERALD_KIND_NONE || strchr(path + 12, '/'))
			continue;
		assert_int_equal(herald_json_find(&root, path, &found, NULL), HERALD_OK);
		if (field->kind != HERALD_KIND_JSON && found.bytes <= 2)
			fail_msg("%s has no keywords", path);
	}
	for (size_t i = 0; i < HERALD_KIND_COUNT; i++)
		if (!is_there[i])
			fail_msg("kind %zu is not in struct every_kind", i);
	herald_buffer_finish(&out);
}

/* Errors. */

static void
test_errors(void **state)
{
	static const struct herald_field wrong_fields[] = {
		{.owner = "leaf", .name = "number", .kind = HERALD_KIND_COUNT, .bytes = 4}};
	static const struct herald_schema wrong = {.name = "leaf",
						   .bytes = 4,
						   .alignment = 4,
						   .fields = wrong_fields,
						   .fields_count = 1};
	const struct {
		const struct herald_schema *schema;
		struct herald_json_schema_options options;
		enum herald_status status;
		const char *path, *message;
	} cases[] = {
		{&wrong, HERALD_JSON_SCHEMA_OPTIONS(.indent = 16), HERALD_BAD_SCHEMA, "leaf.number",
		 "leaf.number: unknown kind"},
		{&leaf_schema, HERALD_JSON_SCHEMA_OPTIONS(.indent = 17), HERALD_BAD_OPTION,
		 "indent", "indent: must be at most 16, not 17"},
		{&leaf_schema,
		 HERALD_JSON_SCHEMA_OPTIONS(.draft = (enum herald_json_schema_draft)2),
		 HERALD_BAD_OPTION, "draft", "draft: not a valid draft: 2"},
		{&leaf_schema,
		 {0},
		 HERALD_BAD_OPTION,
		 "struct_size",
		 "struct_size: use HERALD_JSON_SCHEMA_OPTIONS, which sets it"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_buffer out;
		struct herald_error error;

		herald_buffer_init(&out, NULL, 0);
		assert_int_equal(
			herald_schema_json(cases[i].schema, &cases[i].options, &out, &error),
			cases[i].status);
		assert_int_equal(error.status, cases[i].status);
		assert_string_equal(error.path, cases[i].path);
		assert_string_equal(error.message, cases[i].message);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_int_equal(herald_schema_json(cases[i].schema, &cases[i].options, &out, NULL),
				 cases[i].status);
		assert_int_equal(out.bytes, 0);
		herald_buffer_finish(&out);
	}
}

static void
test_limit(void **state)
{
	struct herald_buffer out;
	struct herald_error error;
	size_t bytes;

	(void)state;
	export(&tree_schema, NULL, &out);
	bytes = out.bytes;
	herald_buffer_finish(&out);
	for (size_t limit = 1; limit < bytes; limit++) {
		herald_buffer_init(&out, NULL, limit);
		assert_int_equal(herald_buffer_append(&out, "#", 1), HERALD_OK);
		assert_int_equal(herald_schema_json(&tree_schema, NULL, &out, &error),
				 HERALD_TOO_LARGE);
		assert_string_equal(error.message, "the document exceeds the limit of the buffer");
		assert_int_equal(out.bytes, 1);
		herald_buffer_finish(&out);
	}
}

static void
test_memory(void **state)
{
	(void)state;
	for (size_t fail_at = 1;; fail_at++) {
		struct failing_allocator memory;
		struct herald_buffer out;
		struct herald_error error;
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_FROM, fail_at);
		herald_buffer_init(&out, &memory.allocator, 0);
		status = herald_schema_json(&tree_schema, NULL, &out, &error);
		if (status != HERALD_OK) {
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_int_equal(error.status, HERALD_NO_MEMORY);
			assert_int_equal(out.bytes, 0);
		}
		herald_buffer_finish(&out);
		assert_all_released(&memory);
		if (status == HERALD_OK)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_transparent_references),
		cmocka_unit_test(test_cases_of_all_tags),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("json schema", tests, NULL, NULL);
}
