/*
 * herald_codec_decode() with documents that are right: every kind and option, what missing, null and
 * zero are, members in any order and unknown ones between them, keys, lists and maps of any size. The
 * documents that fail because of a value are here too; those that are no JSON, or too much of it, are
 * in test_decode_errors.c, and floating-point numbers in test_number.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The field of a schema with this name in C. */
static const struct herald_field *
find_field(const struct herald_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->fields_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

struct integers {
	int8_t int8;
	int16_t int16;
	int32_t int32;
	int64_t int64;
	uint8_t uint8;
	uint16_t uint16;
	uint32_t uint32;
	uint64_t uint64;

	/* With bounds. */
	int32_t percent;
	int8_t negative;
	int64_t most_but_one;
	int64_t least_but_one;
	int64_t over_2_53;
	uint64_t natural_most_but_one;
	uint64_t natural_most;
	uint64_t over_2_63;
	int32_t between;
	uint8_t natural_between;
	int64_t all;
	int64_t below_zero;
};

HERALD_SCHEMA(integers,
	HERALD_FIELD(integers, int8),
	HERALD_FIELD(integers, int16),
	HERALD_FIELD(integers, int32),
	HERALD_FIELD(integers, int64),
	HERALD_FIELD(integers, uint8),
	HERALD_FIELD(integers, uint16),
	HERALD_FIELD(integers, uint32),
	HERALD_FIELD(integers, uint64),
	HERALD_FIELD(integers, percent, HERALD_RANGE(0, 100)),
	HERALD_FIELD(integers, negative, HERALD_RANGE(-100, -1)),
	HERALD_FIELD(integers, most_but_one, HERALD_MAX(INT64_MAX - 1)),
	HERALD_FIELD(integers, least_but_one, HERALD_MIN(INT64_MIN + 1)),
	HERALD_FIELD(integers, over_2_53, HERALD_MIN(9007199254740993)),
	HERALD_FIELD(integers, natural_most_but_one, HERALD_MAX(UINT64_MAX - 1)),
	HERALD_FIELD(integers, natural_most, HERALD_MIN(UINT64_MAX)),
	HERALD_FIELD(integers, over_2_63, HERALD_RANGE(9223372036854775809u, 9223372036854775810u)),
	HERALD_FIELD(integers, between, HERALD_RANGE(-1.5, 1.5)),
	HERALD_FIELD(integers, natural_between, HERALD_RANGE(0.5, 2.5)),
	HERALD_FIELD(integers, all, HERALD_RANGE(-1e30, 1e30)),
	HERALD_FIELD(integers, below_zero, HERALD_MAX(-0.5)));

/* Whether the member has the value that this text has. */
static bool
integer_is(const struct herald_field *field, const void *in, const char *text)
{
	const char *member = (const char *)in + field->offset;
	intmax_t value = 0;
	uint64_t natural;

	switch (field->kind) {
	case HERALD_KIND_UINT64:
		memcpy(&natural, member, sizeof(natural));
		return natural == (text[0] == '-' ? 0 : strtoull(text, NULL, 10));
	case HERALD_KIND_INT8:
		value = *(const int8_t *)(const void *)member;
		break;
	case HERALD_KIND_INT16:
		value = *(const int16_t *)(const void *)member;
		break;
	case HERALD_KIND_INT32:
		value = *(const int32_t *)(const void *)member;
		break;
	case HERALD_KIND_INT64:
		value = *(const int64_t *)(const void *)member;
		break;
	case HERALD_KIND_UINT8:
		value = *(const uint8_t *)(const void *)member;
		break;
	case HERALD_KIND_UINT16:
		value = *(const uint16_t *)(const void *)member;
		break;
	case HERALD_KIND_UINT32:
		value = *(const uint32_t *)(const void *)member;
		break;
	default:
		fail();
	}
	return value == strtoll(text, NULL, 10);
}

static void
test_integers_in_range(void **state)
{
	static const char *const cases[][6] = {
		{"int8", "-128", "127", "0", "-0", "-1"},
		{"int16", "-32768", "32767", "0", "-0", "129"},
		{"int32", "-2147483648", "2147483647", "0", "-0", "65536"},
		{"int64", "-9223372036854775808", "9223372036854775807", "0", "-0",
		 "1000000000000000000"},
		{"uint8", "255", "128", "0", "-0", "9"},
		{"uint16", "65535", "256", "0", "-0", "10"},
		{"uint32", "4294967295", "2147483648", "0", "-0", "99"},
		{"uint64", "18446744073709551615", "9223372036854775808", "0", "-0",
		 "10000000000000000000"},
		{"percent", "0", "100", "-0", "1", "99"},
		{"negative", "-100", "-1", "-50", "-2", "-99"},
		{"most_but_one", "9223372036854775806", "-9223372036854775808", "0", "1", "-1"},
		{"least_but_one", "-9223372036854775807", "9223372036854775807", "0", "1", "-1"},
		{"over_2_53", "9007199254740993", "9007199254740994", "9223372036854775807",
		 "9007199254740995", "90071992547409930"},
		{"natural_most_but_one", "18446744073709551614", "0", "1", "2", "3"},
		{"natural_most", "18446744073709551615", NULL, NULL, NULL, NULL},
		{"over_2_63", "9223372036854775809", "9223372036854775810", NULL, NULL, NULL},
		{"between", "-1", "0", "1", NULL, NULL},
		{"natural_between", "1", "2", NULL, NULL, NULL},
		{"all", "-9223372036854775808", "9223372036854775807", "0", NULL, NULL},
		{"below_zero", "-1", "-9223372036854775808", NULL, NULL, NULL},
	};
	struct herald_codec *codec = decoding_codec(&integers_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 1; j < 6 && cases[i][j] != NULL; j++) {
			struct integers out;
			char text[100];

			snprintf(text, sizeof(text), "{\"%s\":%s}", cases[i][0], cases[i][j]);
			decode_good(codec, text, &out, sizeof(out));
			if (!integer_is(find_field(&integers_schema, cases[i][0]), &out,
					cases[i][j]))
				fail_msg("%s: another value", text);
			/* With white space around it. */
			snprintf(text, sizeof(text), " { \"%s\"\t:\n%s\r\n} ", cases[i][0],
				 cases[i][j]);
			decode_good(codec, text, &out, sizeof(out));
		}
	herald_codec_destroy(codec);
}

static void
test_integers_out_of_range(void **state)
{
	static const char *const cases[][6] = {
		{"int8", "-129", "128", "255", "256", "-99999999999999999999"},
		{"int16", "-32769", "32768", "65536", "100000", "99999999999999999999999999"},
		{"int32", "-2147483649", "2147483648", "4294967296", "-4294967297",
		 "18446744073709551616"},
		{"int64", "-9223372036854775809", "9223372036854775808", "18446744073709551615",
		 "-18446744073709551616", "18446744073709551617"},
		{"int64", "92233720368547758070", "-92233720368547758080", "100000000000000000000",
		 "184467440737095516160", "-100000000000000000000000000000000000000000"},
		{"uint8", "-1", "256", "511", "-255", "100000000000000000000"},
		{"uint16", "-1", "65536", "131071", "-65535", "18446744073709551616"},
		{"uint32", "-1", "4294967296", "8589934591", "-2147483648", "18446744073709551617"},
		{"uint64", "-1", "18446744073709551616", "18446744073709551620",
		 "99999999999999999999", "184467440737095516150"},
		{"uint64", "-18446744073709551615", "-9223372036854775808",
		 "340282366920938463463374607431768211456", "20000000000000000000",
		 "-18446744073709551616"},
		{"percent", "-1", "101", "2147483648", "-2147483649", "99999999999999999999"},
		{"negative", "0", "-101", "-0", "1", "-128"},
		{"most_but_one", "9223372036854775807", "9223372036854775808", NULL, NULL, NULL},
		{"least_but_one", "-9223372036854775808", "-9223372036854775809", NULL, NULL, NULL},
		{"over_2_53", "9007199254740992", "9007199254740991", "0", "-1", NULL},
		{"natural_most_but_one", "18446744073709551615", "-1", NULL, NULL, NULL},
		{"natural_most", "18446744073709551614", "0", "18446744073709551616", "-1", NULL},
		{"over_2_63", "9223372036854775808", "9223372036854775811", "0", "-1", NULL},
		{"between", "-2", "2", NULL, NULL, NULL},
		{"natural_between", "0", "3", "-1", NULL, NULL},
		{"all", "9223372036854775808", "-9223372036854775809", NULL, NULL, NULL},
		{"below_zero", "0", "-0", "1", NULL, NULL},
	};
	struct herald_codec *codec = decoding_codec(&integers_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 1; j < 6 && cases[i][j] != NULL; j++) {
			char text[100], path[40];

			snprintf(text, sizeof(text), "{\"%s\": @%s}", cases[i][0], cases[i][j]);
			snprintf(path, sizeof(path), "/%s", cases[i][0]);
			decode_bad(codec, text, sizeof(struct integers), HERALD_OUT_OF_RANGE, path);
		}
	herald_codec_destroy(codec);
}

/* Every integer near every power of two, in every kind: in range exactly when it should be. */
static void
test_integers_around_powers_of_two(void **state)
{
	struct herald_codec *codec = decoding_codec(&integers_schema, NULL);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		const struct herald_field *field = &integers_schema.fields[i];
		bool is_signed = field->name[0] == 'i';
		unsigned bits = 8u << i % 4;

		for (unsigned power = 0; power <= 70; power++)
			for (int step = -2; step <= 2; step++)
				for (int sign = 0; sign < 2; sign++) {
					__extension__ typedef unsigned __int128 wide;
					wide magnitude = ((wide)1 << power) + (wide)(step + 2) - 2;
					wide limit = is_signed ? ((wide)1 << (bits - 1)) - !sign
							       : ((wide)1 << bits) - 1;
					bool fits = magnitude <= limit &&
						    (is_signed || !sign || magnitude == 0);
					char digits[45], text[80];
					size_t at = sizeof(digits) - 1;
					struct integers out;
					struct herald_error error;
					enum herald_status status;

					if (power < 2 && step < 0)
						continue;
					digits[at] = '\0';
					do
						digits[--at] = (char)('0' + (int)(magnitude % 10));
					while ((magnitude /= 10) > 0);
					if (sign)
						digits[--at] = '-';
					snprintf(text, sizeof(text), "{\"%s\":%s}", field->name,
						 digits + at);
					status = decode_bytes(codec, text, strlen(text), &out,
							      sizeof(out), &error);
					if (status != (fits ? HERALD_OK : HERALD_OUT_OF_RANGE))
						fail_msg("%s: %s", text,
							 herald_status_name(status));
					if (fits && !integer_is(field, &out, digits + at))
						fail_msg("%s: another value", text);
				}
	}
	herald_codec_destroy(codec);
}

/* Bounds that leave nothing of the type must not leave its last value. */
struct nothing_natural {
	uint8_t v;
};
HERALD_SCHEMA(nothing_natural, HERALD_FIELD(nothing_natural, v, HERALD_MAX(-1)));
struct nothing_above {
	int64_t v;
};
HERALD_SCHEMA(nothing_above, HERALD_FIELD(nothing_above, v, HERALD_MIN(1e19)));
struct nothing_below {
	int64_t v;
};
HERALD_SCHEMA(nothing_below, HERALD_FIELD(nothing_below, v, HERALD_MAX(-1e19)));
struct nothing_past {
	uint64_t v;
};
HERALD_SCHEMA(nothing_past, HERALD_FIELD(nothing_past, v, HERALD_MIN(1e20)));

static void
test_bounds_outside_the_type(void **state)
{
	static const struct {
		const struct herald_schema *schema;
		const char *nearest;
	} cases[] = {
		{&nothing_natural_schema, "{\"v\":0}"},
		{&nothing_above_schema, "{\"v\":9223372036854775807}"},
		{&nothing_below_schema, "{\"v\":-9223372036854775808}"},
		{&nothing_past_schema, "{\"v\":18446744073709551615}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_codec *codec = NULL;
		struct herald_error error;
		uint64_t out;

		/* Either the schema is refused or the value is. */
		if (herald_codec_create(cases[i].schema, NULL, NULL, &codec, &error) != HERALD_OK) {
			assert_int_equal(error.status, HERALD_BAD_SCHEMA);
			continue;
		}
		if (decode_bytes(codec, cases[i].nearest, strlen(cases[i].nearest), &out,
				 cases[i].schema->bytes, &error) != HERALD_OUT_OF_RANGE)
			fail_msg("%s: in range of a field that has no range", cases[i].nearest);
		herald_codec_destroy(codec);
	}
}

/* One member of each kind, none required. */
struct thing {
	bool truth;
	int32_t integer;
	uint16_t natural;
	float real32;
	double real64;
	const char *string;
	struct herald_text text;
	char chars[4];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	enum every_color color;
	struct every_leaf leaf;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const int32_t *integers;
	size_t integers_count;
	const char *const *strings;
	size_t strings_count;
};

static const struct herald_name colors[] = {
	{"red", EVERY_RED}, {"green", EVERY_GREEN}, {"blue", EVERY_BLUE}};
static const struct herald_name sizes[] = {{"small", EVERY_SMALL}, {"large", EVERY_LARGE}};

HERALD_SCHEMA(every_leaf,
	HERALD_FIELD(every_leaf, number),
	HERALD_FIELD(every_leaf, name, .required = true),
	HERALD_ENUM(every_leaf, size, sizes));

HERALD_SCHEMA(thing,
	HERALD_FIELD(thing, truth),
	HERALD_FIELD(thing, integer),
	HERALD_FIELD(thing, natural),
	HERALD_FIELD(thing, real32),
	HERALD_FIELD(thing, real64),
	HERALD_FIELD(thing, string),
	HERALD_FIELD(thing, text),
	HERALD_FIELD(thing, chars),
	HERALD_FIELD(thing, time),
	HERALD_FIELD(thing, json),
	HERALD_FIELD(thing, map),
	HERALD_ENUM(thing, color, colors),
	HERALD_STRUCT(thing, leaf, every_leaf),
	HERALD_POINTER(thing, pointer, every_leaf),
	HERALD_LIST(thing, list, every_leaf),
	HERALD_VALUES(thing, integers),
	HERALD_VALUES(thing, strings));

static void
test_missing_is_zero(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static const char *const texts[] = {"{}", " {\n} ", "{\"no such member\":[1,2,3]}"};
	struct thing out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < COUNT(texts); i++) {
		decode_good(codec, texts[i], &out, sizeof(out));
		assert_memory_equal(&out, &zero, sizeof(out)); /* the padding too */
	}
	herald_codec_destroy(codec);
}

/* null is the zero value of all kinds but raw JSON, where it is a value. */
static void
test_null(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < thing_schema.fields_count; i++) {
		const struct herald_field *field = &thing_schema.fields[i];
		char text[100], path[40];

		snprintf(text, sizeof(text), "{\"%s\": null }", field->name);
		decode_good(codec, text, &out, sizeof(out));
		if (field->kind == HERALD_KIND_JSON) {
			assert_int_equal(out.json.bytes, 4);
			assert_memory_equal(out.json.data, "null", 4);
		} else {
			assert_memory_equal(&out, &zero, sizeof(out));
		}
		/* It counts as the member's one time. */
		snprintf(text, sizeof(text), "{\"%s\":null,@\"%s\":null}", field->name,
			 field->name);
		snprintf(path, sizeof(path), "/%s", field->name);
		decode_bad(codec, text, sizeof(out), HERALD_DUPLICATE, path);
	}
	herald_codec_destroy(codec);
}

static void
test_values_of_the_wrong_type(void **state)
{
	/* What each kind takes; every other type of value fails. */
	static const struct {
		const char *name, *types;
	} cases[] = {
		{"truth", "tf"},  {"integer", "0"}, {"natural", "0"},  {"real32", "0-"},
		{"real64", "0-"}, {"string", "\""}, {"text", "\""},    {"chars", "\""},
		{"time", ""},     {"map", "{"},     {"color", ""},     {"leaf", ""},
		{"pointer", ""},  {"list", "["},    {"integers", "["}, {"strings", "["},
	};
	static const char *const values[] = {"true", "false", "0", "-1.5", "\"\"", "{}", "[]"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(values); j++) {
			const char *name = cases[i].name;
			char text[100], path[40];

			/* Right types whose value is another matter. */
			if (strchr(cases[i].types, values[j][0]) != NULL ||
			    (strcmp(name, "time") == 0 && values[j][0] == '"') ||
			    (strcmp(name, "color") == 0 && values[j][0] == '"') ||
			    ((strcmp(name, "leaf") == 0 || strcmp(name, "pointer") == 0) &&
			     values[j][0] == '{') ||
			    (strcmp(name, "integer") == 0 && values[j][0] == '-') ||
			    (strcmp(name, "natural") == 0 && values[j][0] == '-'))
				continue;
			snprintf(text, sizeof(text), "{\"%s\" : @%s}", name, values[j]);
			snprintf(path, sizeof(path), "/%s", name);
			decode_bad(codec, text, sizeof(struct thing), HERALD_BAD_TYPE, path);
			/* The same where it is the last of other members. */
			snprintf(text, sizeof(text), "{\"x\":{\"y\":[1]},\"%s\":@%s}", name,
				 values[j]);
			decode_bad(codec, text, sizeof(struct thing), HERALD_BAD_TYPE, path);
		}
	herald_codec_destroy(codec);
}

static void
test_values_that_are_wrong(void **state)
{
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{"{\"integer\":@1.0}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@1e2}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@-1E+2}", HERALD_BAD_TYPE, "/integer"},
		{"{\"integer\":@0.0}", HERALD_BAD_TYPE, "/integer"},
		{"{\"natural\":@0e0}", HERALD_BAD_TYPE, "/natural"},
		{"{\"integer\":@99999999999999999999.5}", HERALD_BAD_TYPE, "/integer"},
		{"{\"string\":\"a@\\u0000b\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"string\":\"@\\u0000\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"string\":\"\\n@\\u0000\\u0000\"}", HERALD_BAD_VALUE, "/string"},
		{"{\"chars\":\"a@\\u0000\"}", HERALD_BAD_VALUE, "/chars"},
		{"{\"chars\":@\"four\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"\xE2\x82\xAC!\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"\\u20ac\\n\"}", HERALD_BAD_LENGTH, "/chars"},
		{"{\"chars\":@\"more than fits by far, and then some\"}", HERALD_BAD_LENGTH,
		 "/chars"},
		{"{\"time\":@\"\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2023-02-29T00:00:00Z\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:60Z\"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19Z \"}", HERALD_BAD_TIME, "/time"},
		{"{\"time\":@\"2024-08-20T05:21:19Z\\u0000\"}", HERALD_BAD_TIME, "/time"},
		{"{\"color\":@\"\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"re\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"redd\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"Red\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"red\\u0000\"}", HERALD_BAD_VALUE, "/color"},
		{"{\"color\":@\"a name that is much longer than what a message wants to show\"}",
		 HERALD_BAD_VALUE, "/color"},
		{"{\"map\":{\"a\":@1}}", HERALD_BAD_TYPE, "/map/a"},
		{"{\"map\":{\"a\":\"1\",\"b\":@{}}}", HERALD_BAD_TYPE, "/map/b"},
		{"{\"map\":{\"a/b~c\":@[]}}", HERALD_BAD_TYPE, "/map/a~1b~0c"},
		{"{\"map\":{\"\":@true}}", HERALD_BAD_TYPE, "/map/"},
		{"{\"map\":{\"\\u00fc\":@true}}", HERALD_BAD_TYPE, "/map/\xC3\xBC"},
		{"{\"map\":{\"a\":\"@\\u0000\"}}", HERALD_BAD_VALUE, "/map/a"},
		{"{\"map\":{\"@\\u0000\":\"\"}}", HERALD_BAD_VALUE, "/map"},
		{"{\"map\":{\"a\":\"1\",\"b\":\"2\",@\"a\":\"3\"}}", HERALD_DUPLICATE, "/map/a"},
		{"{\"map\":{\"a\":\"1\",@\"\\u0061\":\"3\"}}", HERALD_DUPLICATE, "/map/a"},
		{"{\"map\":{\"\":\"1\",@\"\":null}}", HERALD_DUPLICATE, "/map/"},
		{"{\"leaf\":@{}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":@{\"number\":1}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":{\"name\":@null}}", HERALD_MISSING, "/leaf/name"},
		{"{\"leaf\":{\"name\":\"x\",\"size\":@\"medium\"}}", HERALD_BAD_VALUE,
		 "/leaf/size"},
		{"{\"leaf\":{\"name\":\"x\",\"number\":@2147483648}}", HERALD_OUT_OF_RANGE,
		 "/leaf/number"},
		{"{\"pointer\":@{}}", HERALD_MISSING, "/pointer/name"},
		{"{\"pointer\":{\"name\":\"x\",@\"name\":\"x\"}}", HERALD_DUPLICATE,
		 "/pointer/name"},
		{"{\"list\":[@{}]}", HERALD_MISSING, "/list/0/name"},
		{"{\"list\":[{\"name\":\"\"},@null]}", HERALD_BAD_TYPE, "/list/1"},
		{"{\"list\":[{\"name\":\"\"},@[]]}", HERALD_BAD_TYPE, "/list/1"},
		{"{\"list\":[{\"name\":\"\"},{\"name\":\"\"},{\"name\":\"\",\"number\":@\"\"}]}",
		 HERALD_BAD_TYPE, "/list/2/number"},
		{"{\"integers\":[1,2,@\"3\"]}", HERALD_BAD_TYPE, "/integers/2"},
		{"{\"integers\":[@null]}", HERALD_BAD_TYPE, "/integers/0"},
		{"{\"integers\":[1,2,3,4,5,6,7,8,9,10,@2147483648]}", HERALD_OUT_OF_RANGE,
		 "/integers/10"},
		{"{\"strings\":[\"\",@null]}", HERALD_BAD_TYPE, "/strings/1"},
		{"{\"strings\":[\"a\",\"@\\u0000\"]}", HERALD_BAD_VALUE, "/strings/1"},
		{"{\"truth\":true,@\"truth\":true}", HERALD_DUPLICATE, "/truth"},
		{"{\"truth\":true,\"x\":1,@\"tr\\u0075th\":1}", HERALD_DUPLICATE, "/truth"},
		{"{\"json\":1,@\"json\":1}", HERALD_DUPLICATE, "/json"},
		{"{\"list\":[],@\"list\":[]}", HERALD_DUPLICATE, "/list"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(struct thing), cases[i].status,
			   cases[i].path);
	herald_codec_destroy(codec);
}

/* A string in JSON, and the bytes that it stands for. */
static const struct {
	const char *json, *bytes;
	size_t length;
} strings[] = {
#define STRING(JSON, BYTES)                                                                        \
	{                                                                                          \
		JSON, BYTES, sizeof(BYTES) - 1                                                     \
	}
	STRING("", ""),
	STRING("a", "a"),
	STRING("fifteen bytes..", "fifteen bytes.."),
	STRING("sixteen bytes...", "sixteen bytes..."),
	STRING("seventeen bytes..", "seventeen bytes.."),
	STRING("thirty-two bytes, not one byte le", "thirty-two bytes, not one byte le"),
	STRING("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"),
	STRING("\\u0041\\u00DF\\u6771\\ud800\\udf48", "A\xC3\x9F\xE6\x9D\xB1\xF0\x90\x8D\x88"),
	STRING("\\uD83D\\uDE00", "\xF0\x9F\x98\x80"),
	STRING("\\udbff\\udfff", "\xF4\x8F\xBF\xBF"),
	STRING("\\uD800\\uDC00", "\xF0\x90\x80\x80"),
	STRING("\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud7ff\\ue000",
	       "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80"),
	STRING("\\u0001\\u001f", "\x01\x1F"),
	STRING("\x7F", "\x7F"),
	STRING("/", "/"),
	STRING("\\\\u0041", "\\u0041"),
	STRING("\\\\", "\\"),
	STRING("\\\"", "\""),
	STRING("ends with one\\\\", "ends with one\\"),
	STRING("\\\"begins with one", "\"begins with one"),
	STRING("\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
	       "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
	STRING("\xEF\xBB\xBF within a string", "\xEF\xBB\xBF within a string"),
	STRING("plain, plain, plain, plain, \\n, plain, plain, plain, plain, plain, \xC3\xA9.",
	       "plain, plain, plain, plain, \n, plain, plain, plain, plain, plain, \xC3\xA9."),
	STRING("}{][,:", "}{][,:"),
};

static void
test_strings(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	/* Each at every distance from the document's beginning and end. */
	for (size_t i = 0; i < COUNT(strings); i++)
		for (int before = 0; before < 34; before++)
			for (int after = 0; after < 18; after += before % 2 ? 17 : 1) {
				struct thing out;
				char text[400];

				snprintf(text, sizeof(text),
					 "{%*s\"string\":\"%s\",\"text\":\"%s\"%*s}", before, "",
					 strings[i].json, strings[i].json, after, "");
				decode_good(codec, text, &out, sizeof(out));
				assert_int_equal(strlen(out.string), strings[i].length);
				assert_string_equal(out.string, strings[i].bytes);
				assert_int_equal(out.text.bytes, strings[i].length);
				assert_memory_equal(out.text.data, strings[i].bytes,
						    strings[i].length + 1);
			}
	herald_codec_destroy(codec);
}

/* A run of plain bytes before and after one that is not, of every length: no step is missed. */
static void
test_strings_of_every_length(void **state)
{
	static const struct {
		const char *json, *bytes;
	} odd[] = {{"\\n", "\n"}, {"\\u00e9", "\xC3\xA9"}, {"\xC3\xA9", "\xC3\xA9"}, {"", ""}};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		for (int before = 0; before < 40; before++)
			for (int after = 0; after < 40; after++) {
				char json[100], bytes[100], text[140];
				struct thing out;

				snprintf(json, sizeof(json), "%.*s%s%.*s", before,
					 "0123456789abcdefghijklmnopqrstuvwxyz,.-+", odd[i].json,
					 after, "0123456789abcdefghijklmnopqrstuvwxyz,.-+");
				snprintf(bytes, sizeof(bytes), "%.*s%s%.*s", before,
					 "0123456789abcdefghijklmnopqrstuvwxyz,.-+", odd[i].bytes,
					 after, "0123456789abcdefghijklmnopqrstuvwxyz,.-+");
				snprintf(text, sizeof(text), "{\"string\":\"%s\"}", json);
				decode_good(codec, text, &out, sizeof(out));
				assert_string_equal(out.string, bytes);
			}
	herald_codec_destroy(codec);
}

static void
test_text_may_hold_nul(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"text\":\"\\u0000a\\u0000\\u0000b\\u0000\"}", &out, sizeof(out));
	assert_int_equal(out.text.bytes, 6);
	assert_memory_equal(out.text.data, "\0a\0\0b\0", 7);
	herald_codec_destroy(codec);
}

static void
test_chars(void **state)
{
	static const struct {
		const char *json;
		char bytes[4];
	} cases[] = {
		{"", "\0\0\0"},
		{"a", "a\0\0"},
		{"abc", "abc"},
		{"\xE2\x82\xAC", "\xE2\x82\xAC"},
		{"\\u20ac", "\xE2\x82\xAC"},
		{"\\n\\n\\n", "\n\n\n"},
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct thing out;
		char text[100];

		snprintf(text, sizeof(text), "{\"chars\":\"%s\"}", cases[i].json);
		decode_good(codec, text, &out, sizeof(out));
		assert_memory_equal(out.chars, cases[i].bytes, 4); /* the rest is zero */
	}
	herald_codec_destroy(codec);
}

static void
test_raw_json(void **state)
{
	static const char *const values[] = {
		"null",
		"true",
		"false",
		"0",
		"-1.50e+10",
		"\"\"",
		"\"\\u0000\\ud83d\\ude00\xC3\xA9\"",
		"[]",
		"{}",
		"[ ]",
		"{\n}",
		"[1 , 2]",
		"{\"a\" : {\"b\":[ {} , \"}\" ]},\"a\":1}",
		"[[[[[[[[[[]]]]]]]]]]",
		"\"\\\"\"",
		"\"]\"",
		"123456789012345678901234567890",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct herald_json root;
		struct thing out;
		char text[200];

		snprintf(text, sizeof(text), "{\"json\": \t%s\r\n , \"truth\":true}", values[i]);
		decode_good(codec, text, &out, sizeof(out));
		assert_int_equal(out.json.bytes, strlen(values[i]));
		assert_memory_equal(out.json.data, values[i], out.json.bytes);
		assert_true(out.truth);

		snprintf(text, sizeof(text), " \n%s\t ", values[i]);
		assert_int_equal(decode_bytes(any, text, strlen(text), &root, sizeof(root), NULL),
				 HERALD_OK);
		assert_int_equal(root.bytes, strlen(values[i]));
		assert_memory_equal(root.data, values[i], root.bytes);
		assert_int_equal(
			decode_bytes(any, values[i], strlen(values[i]), &root, sizeof(root), NULL),
			HERALD_OK);
		assert_int_equal(root.bytes, strlen(values[i]));
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

static void
test_times(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"time\":\"2024-08-20T05:21:19.143357839+02:30\"}", &out, sizeof(out));
	assert_int_equal(out.time.seconds, 1724122279);
	assert_int_equal(out.time.nanoseconds, 143357839);
	assert_int_equal(out.time.offset_minutes, 150);
	decode_good(codec, "{\"time\":\"0000-01-01\\u005400:00:00z\"}", &out, sizeof(out));
	assert_int_equal(out.time.seconds, -62167219200);
	decode_good(codec, "{\"time\":\"9999-12-31T23:59:59.999999999-23:59\"}", &out, sizeof(out));
	assert_int_equal(out.time.offset_minutes, -1439);
	herald_codec_destroy(codec);
}

static void
test_enums(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec, "{\"color\":\"red\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_RED);
	decode_good(codec, "{\"color\":\"blue\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_BLUE);
	decode_good(codec, "{\"color\":\"gr\\u0065en\"}", &out, sizeof(out));
	assert_int_equal(out.color, EVERY_GREEN);
	decode_good(codec, "{}", &out, sizeof(out));
	assert_int_equal(out.color, 0);
	herald_codec_destroy(codec);
}

/* Missing, null and zero are three different things. */
struct maybe {
	bool has_truth;
	bool truth;
	bool has_integer;
	int32_t integer;
	bool has_string;
	const char *string;
	bool has_chars;
	char chars[3];
	bool has_time;
	struct herald_time time;
	bool has_map;
	struct herald_map map;
	bool has_json;
	struct herald_json json;
};

HERALD_SCHEMA(maybe,
	HERALD_OPTIONAL(maybe, truth),
	HERALD_OPTIONAL(maybe, integer, HERALD_RANGE(-5, 5)),
	HERALD_OPTIONAL(maybe, string, .key = "text"),
	HERALD_OPTIONAL(maybe, chars),
	HERALD_OPTIONAL(maybe, time),
	HERALD_OPTIONAL(maybe, map),
	HERALD_OPTIONAL(maybe, json));

static void
test_optional_members(void **state)
{
	struct herald_codec *codec = decoding_codec(&maybe_schema, NULL);
	struct maybe out, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	decode_good(codec, "{}", &out, sizeof(out));
	assert_memory_equal(&out, &zero, sizeof(out));
	decode_good(codec,
		    "{\"truth\":null,\"integer\":null,\"text\":null,\"chars\":null,"
		    "\"time\":null,\"map\":null}",
		    &out, sizeof(out));
	assert_memory_equal(&out, &zero, sizeof(out));
	decode_good(codec,
		    "{\"truth\":false,\"integer\":0,\"text\":\"\",\"chars\":\"\","
		    "\"time\":\"1970-01-01T00:00:00Z\",\"map\":{},\"json\":0}",
		    &out, sizeof(out));
	assert_true(out.has_truth && out.has_integer && out.has_string && out.has_chars &&
		    out.has_time && out.has_map && out.has_json);
	assert_true(!out.truth && out.integer == 0 && out.string[0] == '\0');
	assert_non_null(out.map.pairs);
	decode_good(codec, "{\"integer\":-5}", &out, sizeof(out));
	assert_true(out.has_integer && !out.has_truth && out.integer == -5);
	decode_bad(codec, "{\"integer\":@-6}", sizeof(out), HERALD_OUT_OF_RANGE, "/integer");
	decode_bad(codec, "{\"string\":1,\"text\":@1}", sizeof(out), HERALD_BAD_TYPE, "/text");
	herald_codec_destroy(codec);
}

/* Of raw JSON a null is a value too. */
static void
test_optional_raw_null(void **state)
{
	struct herald_codec *codec = decoding_codec(&maybe_schema, NULL);
	struct maybe out;

	(void)state;
	decode_good(codec, "{\"json\":null}", &out, sizeof(out));
	assert_true(out.has_json);
	assert_int_equal(out.json.bytes, 4);
	assert_memory_equal(out.json.data, "null", 4);
	herald_codec_destroy(codec);
}

/* Lengths, counts and allowed values. */
struct limited {
	const char *name;
	struct herald_text text;
	char code[8];
	const char *unit;
	const char *const *tags;
	size_t tags_count;
	const int8_t *scores;
	size_t scores_count;
	struct herald_map map;
	const struct every_leaf *list;
	size_t list_count;
	const struct herald_text *units;
	size_t units_count;
	double real;
	float narrow;
};

HERALD_SCHEMA(limited,
	HERALD_FIELD(limited, name, .min_bytes = 2, .max_bytes = 4),
	HERALD_FIELD(limited, text, .min_bytes = 1),
	HERALD_FIELD(limited, code, .min_bytes = 3, .max_bytes = 5),
	HERALD_FIELD(limited, unit, HERALD_ONE_OF("m", "\xC2\xB5m", "", "a\"b")),
	HERALD_VALUES(limited, tags, .max_bytes = 2, .max_count = 3),
	HERALD_VALUES(limited, scores, HERALD_RANGE(-1, 1), .min_count = 2, .max_count = 5),
	HERALD_FIELD(limited, map, .min_count = 1, .max_count = 2),
	HERALD_LIST(limited, list, every_leaf, .min_count = 2),
	HERALD_VALUES(limited, units, HERALD_ONE_OF("m", "km"), .min_bytes = 1),
	HERALD_FIELD(limited, real, HERALD_RANGE(-1, 1.5)),
	HERALD_FIELD(limited, narrow, HERALD_MAX(0.1)));

static void
test_lengths_counts_and_allowed_values(void **state)
{
	static const char *const good[] = {
		"{\"name\":\"ab\"}",
		"{\"name\":\"abcd\"}",
		"{\"name\":\"\\u20ac\"}",
		"{\"name\":\"\\ud83d\\ude00\"}",
		"{\"name\":\"\\n\\n\\n\\n\"}",
		"{\"name\":null}",
		"{\"text\":\"\\u0000\"}",
		"{\"code\":\"abc\"}",
		"{\"code\":\"abcde\"}",
		"{\"unit\":\"m\"}",
		"{\"unit\":\"\\u00b5m\"}",
		"{\"unit\":\"\"}",
		"{\"unit\":\"a\\\"b\"}",
		"{\"tags\":[]}",
		"{\"tags\":[\"\",\"ab\",\"a\"]}",
		"{\"scores\":[-1,1]}",
		"{\"scores\":[0,0,0,0,0]}",
		"{\"map\":{\"a\":\"\"}}",
		"{\"map\":{\"a\":\"\",\"b\":\"\"}}",
		"{\"list\":[{\"name\":\"\"},{\"name\":\"\"}]}",
		"{\"list\":null}",
		"{\"units\":[\"m\",\"km\"]}",
	};
	static const struct {
		const char *text;
		enum herald_status status;
		const char *path;
	} bad[] = {
		{"{\"name\":@\"\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"a\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"abcde\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"name\":@\"\\u20ac\\u20ac\"}", HERALD_BAD_LENGTH, "/name"},
		{"{\"text\":@\"\"}", HERALD_BAD_LENGTH, "/text"},
		{"{\"code\":@\"ab\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"code\":@\"abcdef\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"code\":@\"abcdefgh\"}", HERALD_BAD_LENGTH, "/code"},
		{"{\"unit\":@\"M\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"unit\":@\"mm\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"unit\":@\"m\\u0000\"}", HERALD_BAD_VALUE, "/unit"},
		{"{\"tags\":[\"ab\",@\"abc\"]}", HERALD_BAD_LENGTH, "/tags/1"},
		{"{\"tags\":[\"\",\"\",\"\",@\"\"]}", HERALD_BAD_LENGTH, "/tags"},
		{"{\"scores\":@[]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"scores\":@[1]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"scores\":[1,@2]}", HERALD_OUT_OF_RANGE, "/scores/1"},
		{"{\"scores\":[1,@-2,1]}", HERALD_OUT_OF_RANGE, "/scores/1"},
		{"{\"scores\":[1,1,1,1,1,@1]}", HERALD_BAD_LENGTH, "/scores"},
		{"{\"map\":@{}}", HERALD_BAD_LENGTH, "/map"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\",@\"c\":\"\"}}", HERALD_BAD_LENGTH, "/map"},
		{"{\"list\":@[]}", HERALD_BAD_LENGTH, "/list"},
		{"{\"list\":@[{\"name\":\"\"}]}", HERALD_BAD_LENGTH, "/list"},
		{"{\"units\":[\"m\",@\"\"]}", HERALD_BAD_LENGTH, "/units/1"},
		{"{\"units\":[\"m\",@\"mm\"]}", HERALD_BAD_VALUE, "/units/1"},
	};
	struct herald_codec *codec = decoding_codec(&limited_schema, NULL);
	struct limited out;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		decode_good(codec, good[i], &out, sizeof(out));
	for (size_t i = 0; i < COUNT(bad); i++)
		decode_bad(codec, bad[i].text, sizeof(out), bad[i].status, bad[i].path);
	herald_codec_destroy(codec);
}

/* What is said of a length or a range: what was expected, and what was found. */
static void
test_texts_of_lengths_and_ranges(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{\"real\":1.75}", "real: expected a number of at most 1.5, found 1.75"},
		{"{\"real\":-1e300}", "real: expected a number of at least -1, found -1e300"},
		{"{\"narrow\":0.2}", "narrow: expected a number of at most 0.1, found 0.2"},
		{"{\"text\":\"\"}", "text: expected a string that is not empty, found \"\""},
		{"{\"name\":\"a\"}", "name: expected a string of at least 2 bytes, found 1"},
		{"{\"name\":\"abcde\"}", "name: expected a string of at most 4 bytes, found 5"},
		{"{\"list\":[]}", "list: expected an array that is not empty, found []"},
		{"{\"map\":{}}", "map: expected an object that is not empty, found {}"},
		{"{\"scores\":[1]}", "scores: expected at least 2 elements, found 1"},
		{"{\"scores\":[1,1,1,1,1,1]}", "scores: expected at most 5 elements, found more"},
		{"{\"map\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
		 "map: expected at most 2 entries, found more"},
	};
	struct herald_codec *codec = decoding_codec(&limited_schema, NULL);
	struct herald_error error;
	struct limited out;
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		strcpy(text, cases[i].text);
		assert_int_not_equal(herald_codec_decode(codec, text, strlen(text),
							 decoding_arena(), &out, &error),
				     HERALD_OK);
		assert_string_equal(error.message, cases[i].message);
	}
	herald_codec_destroy(codec);
}

/* What must be there: every kind. */
struct needy {
	bool truth;
	int8_t integer;
	double real;
	const char *string;
	struct herald_text text;
	char chars[8];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	enum every_size size;
	struct every_leaf leaf;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const bool *truths;
	size_t truths_count;
};

HERALD_SCHEMA(needy,
	HERALD_FIELD(needy, truth, .required = true),
	HERALD_FIELD(needy, integer, .required = true),
	HERALD_FIELD(needy, real, .required = true),
	HERALD_FIELD(needy, string, .required = true),
	HERALD_FIELD(needy, text, .required = true),
	HERALD_FIELD(needy, chars, .required = true),
	HERALD_FIELD(needy, time, .required = true),
	HERALD_FIELD(needy, json, .required = true),
	HERALD_FIELD(needy, map, .required = true),
	HERALD_ENUM(needy, size, sizes, .required = true),
	HERALD_STRUCT(needy, leaf, every_leaf, .required = true),
	HERALD_POINTER(needy, pointer, every_leaf, .required = true),
	HERALD_LIST(needy, list, every_leaf, .required = true),
	HERALD_VALUES(needy, truths, .required = true));

static const struct {
	const char *name, *value;
} needs[] = {
	{"truth", "false"},
	{"integer", "0"},
	{"real", "0"},
	{"string", "\"\""},
	{"text", "\"\""},
	{"chars", "\"\""},
	{"time", "\"1970-01-01T00:00:00Z\""},
	{"json", "[]"},
	{"map", "{}"},
	{"size", "\"small\""},
	{"leaf", "{\"name\":\"\"}"},
	{"pointer", "{\"name\":\"\"}"},
	{"list", "[]"},
	{"truths", "[]"},
};

/* All needs but one, or with a null there, from number `first` on. */
static size_t
write_needs(char *text, size_t size, size_t first, size_t left_out, bool null)
{
	size_t bytes = 0, begin = 0;

	for (size_t i = 0; i < COUNT(needs); i++) {
		size_t index = (first + i) % COUNT(needs);

		if (index == left_out && !null)
			continue;
		bytes += (size_t)snprintf(text + bytes, size - bytes,
					  "%s\"%s\":", bytes == 0 ? "{" : ",", needs[index].name);
		if (index == left_out)
			begin = bytes;
		bytes += (size_t)snprintf(text + bytes, size - bytes, "%s",
					  index == left_out ? "null" : needs[index].value);
	}
	snprintf(text + bytes, size - bytes, "}");
	return begin;
}

static void
test_required_members(void **state)
{
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);
	struct needy out;
	char text[600], path[40];

	(void)state;
	for (size_t first = 0; first < COUNT(needs); first++) {
		write_needs(text, sizeof(text), first, SIZE_MAX, false);
		decode_good(codec, text, &out, sizeof(out));
		assert_non_null(out.string);
		assert_non_null(out.text.data);
		assert_non_null(out.map.pairs);
		assert_non_null(out.list);
		assert_non_null(out.truths);
		for (size_t i = 0; i < COUNT(needs); i++) {
			size_t offset;

			snprintf(path, sizeof(path), "/%s", needs[i].name);
			write_needs(text, sizeof(text), first, i, false);
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_MISSING,
					 path, 0, text);
			offset = write_needs(text, sizeof(text), first, i, true);
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_MISSING,
					 path, offset, text);
		}
	}
	/* Of several that are missing: the first of the schema. */
	decode_bad(codec, " @{\"integer\":1}", sizeof(out), HERALD_MISSING, "/truth");
	herald_codec_destroy(codec);
}

/* Members in any order, with unknown ones in between, of names that are wanted elsewhere. */
static void
test_members_in_any_order(void **state)
{
	static const char *const unknown[] = {
		"\"unknown\":1",
		"\"\":{}",
		"\"trut\":[]",
		"\"truthh\":{\"truth\":{\"truth\":[]}}",
		"\"Truth\":null",
		"\"list\\u0000\":[{\"name\":1}]",
		"\"\\ud83d\\ude00\":\"\\u0000\"",
	};
	struct herald_codec *codec = decoding_codec(&needy_schema, NULL);
	struct every_random random = {1};

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		size_t order[COUNT(needs)], bytes = 1;
		char text[2000] = "{";
		struct needy out;

		for (size_t i = 0; i < COUNT(needs); i++)
			order[i] = round == 0 ? COUNT(needs) - 1 - i : i;
		for (size_t i = COUNT(needs) - 1; round > 0 && i > 0; i--) {
			size_t j = every_random_below(&random, i + 1), kept = order[i];

			order[i] = order[j];
			order[j] = kept;
		}
		for (size_t i = 0; i < COUNT(needs); i++) {
			if (every_random_below(&random, 3) == 0)
				bytes += (size_t)snprintf(
					text + bytes, sizeof(text) - bytes, "%s%s",
					bytes > 1 ? "," : "",
					unknown[every_random_below(&random, COUNT(unknown))]);
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%s\"%s\":%s",
						  bytes > 1 ? "," : "", needs[order[i]].name,
						  needs[order[i]].value);
		}
		snprintf(text + bytes, sizeof(text) - bytes, "}");
		decode_good(codec, text, &out, sizeof(out));
		assert_non_null(out.pointer);
		assert_string_equal(out.leaf.name, "");
	}
	herald_codec_destroy(codec);
}

static void
test_unknown_members_everywhere(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(
		codec,
		"{\"leaf\":{\"leaf\":{\"name\":1,\"number\":\"\"},\"name\":\"in\",\"list\":[]},"
		"\"x\":{\"integer\":\"no\",\"leaf\":5},"
		"\"list\":[{\"x\":[{\"name\":0}],\"name\":\"a\"},{\"name\":\"b\",\"list\":[[]]}],"
		"\"pointer\":{\"name\":\"p\",\"pointer\":{\"name\":3}},\"integer\":4,"
		"\"x\":1,\"x\":2}",
		&out, sizeof(out));
	assert_string_equal(out.leaf.name, "in");
	assert_int_equal(out.list_count, 2);
	assert_string_equal(out.list[0].name, "a");
	assert_string_equal(out.list[1].name, "b");
	assert_string_equal(out.pointer->name, "p");
	assert_int_equal(out.integer, 4);
	herald_codec_destroy(codec);
}

static void
test_reject_unknown(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"{\"strict\":{@\"x\":1}}", "/strict/x"},
		{"{\"strict\":{\"value\":1,\"flag\":true,@\"values\":1}}", "/strict/values"},
		{"{\"strict\":{\"value\":1,@\"\":1,\"flag\":true}}", "/strict/"},
		{"{\"strict\":{@\"Value\":1}}", "/strict/Value"},
		{"{\"strict\":{@\"a\\/\\u007e\":1}}", "/strict/a~1~0"},
	};
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_error error;
	struct every_kind out;
	static const char good[] =
		"{\"x\":1,\"strict\":{\"flag\":true,\"value\":1},\"the id\":\"x\"}";

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		decode_bad(codec, cases[i].text, sizeof(out), HERALD_UNKNOWN_MEMBER, cases[i].path);
	assert_int_equal(decode_bytes(codec, good, sizeof(good) - 1, &out, sizeof(out), &error),
			 HERALD_OK);
	assert_int_equal(out.strict.value, 1);
	herald_codec_destroy(codec);
}

/* A private member is no member of the JSON, and zero. */
static void
test_private_member(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind out;

	(void)state;
	decode_good(codec, "{\"secret\":{\"a\":1},\"the id\":\"x\",\"secret\":2}", &out,
		    sizeof(out));
	assert_null(out.secret);
	herald_codec_destroy(codec);
}

static void
test_keys_with_escapes(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;

	(void)state;
	decode_good(codec,
		    "{\"\\u0069nteger\":1,\"\\u0073\\u0074\\u0072\\u0069\\u006E\\u0067\":\"x\","
		    "\"map\":{\"\\u0061\":\"\\u0062\"},\"natura\\u006c\":3}",
		    &out, sizeof(out));
	assert_int_equal(out.integer, 1);
	assert_string_equal(out.string, "x");
	assert_string_equal(out.map.pairs[0].key, "a");
	assert_string_equal(out.map.pairs[0].value, "b");
	assert_int_equal(out.natural, 3);
	herald_codec_destroy(codec);
}

/* A schema made by hand: `count` int32_t members. */
struct wide {
	struct herald_field *fields;
	char (*keys)[48];
	struct herald_schema schema;
};

static void
wide_init(struct wide *wide, size_t count)
{
	wide->fields = calloc(count, sizeof(*wide->fields));
	wide->keys = calloc(count, sizeof(*wide->keys));
	assert_non_null(wide->fields);
	assert_non_null(wide->keys);
	for (size_t i = 0; i < count; i++) {
		snprintf(wide->keys[i], sizeof(wide->keys[i]), "member%zu", i);
		wide->fields[i] = (struct herald_field){.owner = "wide",
							.name = wide->keys[i],
							.kind = HERALD_KIND_INT32,
							.offset = i * sizeof(int32_t),
							.bytes = sizeof(int32_t)};
	}
	wide->schema = (struct herald_schema){.name = "wide",
					      .bytes = count * sizeof(int32_t),
					      .alignment = _Alignof(int32_t),
					      .fields = wide->fields,
					      .fields_count = count};
}

static void
wide_finish(struct wide *wide)
{
	free(wide->fields);
	free(wide->keys);
}

/* Keys of every length, in and out of order; and ones that differ in one byte only are unknown. */
static void
test_keys_of_every_length(void **state)
{
	struct herald_codec *codec;
	struct wide wide;
	int32_t out[40];
	char text[2200];

	(void)state;
	wide_init(&wide, 40);
	for (size_t i = 0; i < 40; i++) {
		for (size_t j = 0; j <= i; j++)
			wide.keys[i][j] = (char)('A' + (i + j) % 26);
		wide.keys[i][i + 1] = '\0';
	}
	codec = decoding_codec(&wide.schema, NULL);
	for (int backwards = 0; backwards < 2; backwards++) {
		size_t bytes = 1;

		text[0] = '{';
		for (size_t i = 0; i < 40; i++) {
			size_t index = backwards ? 39 - i : i;

			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
						  "%s\"%.*s\":%zu", i > 0 ? "," : "",
						  (int)index + 1, wide.keys[index], index + 1);
		}
		snprintf(text + bytes, sizeof(text) - bytes, "}");
		decode_good(codec, text, out, sizeof(out));
		for (int32_t i = 0; i < 40; i++)
			assert_int_equal(out[i], i + 1);
	}
	for (size_t i = 0; i < 40; i++)
		for (size_t j = 0; j <= i; j++) {
			size_t bytes = 1;

			/* Where it is expected: after all those before it. */
			text[0] = '{';
			for (size_t k = 0; k < i; k++)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "\"%s\":7,", wide.keys[k]);
			snprintf(text + bytes, sizeof(text) - bytes, "\"%s\":8}", wide.keys[i]);
			text[bytes + 1 + j] = '_';
			decode_good(codec, text, out, sizeof(out));
			for (size_t k = 0; k < 40; k++)
				assert_int_equal(out[k], k < i ? 7 : 0);
			/* And where another one is. */
			snprintf(text, sizeof(text), "{\"%s\":7}", wide.keys[i]);
			text[2 + j] = '_';
			decode_good(codec, text, out, sizeof(out));
			for (size_t k = 0; k < 40; k++)
				assert_int_equal(out[k], 0);
		}
	herald_codec_destroy(codec);
	wide_finish(&wide);
}

static void
test_schemas_with_many_fields(void **state)
{
	static const size_t counts[] = {1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 200, 1000};
	static char text[40000];

	(void)state;
	for (size_t c = 0; c < COUNT(counts); c++) {
		size_t count = counts[c];
		int32_t *out = calloc(count, sizeof(*out));
		struct herald_codec *codec;
		struct wide wide;
		size_t step = 7, missing;
		char path[40];

		assert_non_null(out);
		wide_init(&wide, count);
		for (size_t i = 0; i < count; i++)
			wide.fields[i].required = i % 3 == 0;
		codec = decoding_codec(&wide.schema, NULL);
		while (count % step == 0)
			step++;
		for (int order = 0; order < 3; order++) {
			size_t bytes = 1;

			text[0] = '{';
			for (size_t i = 0; i < count; i++) {
				size_t index = order == 0   ? i
					       : order == 1 ? count - 1 - i
							    : i * step % count;

				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"member%zu\":%zu", i > 0 ? "," : "",
							  index, index + 1);
			}
			snprintf(text + bytes, sizeof(text) - bytes, "}");
			decode_good(codec, text, out, count * sizeof(*out));
			for (size_t i = 0; i < count; i++)
				assert_int_equal(out[i], i + 1);
			/* Each of them once more is one too many. */
			for (size_t i = 0; i<count; i += count> 200 ? 37 : 1) {
				snprintf(text + bytes, sizeof(text) - bytes, ",\"member%zu\":1}",
					 i);
				snprintf(path, sizeof(path), "/member%zu", i);
				decode_bad_bytes(codec, text, strlen(text), count * sizeof(*out),
						 HERALD_DUPLICATE, path, bytes + 1, path);
			}
		}
		/* Only the last one that is required is missing. */
		missing = (count - 1) / 3 * 3;
		text[0] = '{';
		for (size_t i = 0, bytes = 1; i < count; i++)
			if (i != missing)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"member%zu\":%zu",
							  bytes > 1 ? "," : "", i, i + 1);
		if (count == 1)
			text[1] = '\0';
		strcat(text, "}");
		snprintf(path, sizeof(path), "/member%zu", missing);
		decode_bad_bytes(codec, text, strlen(text), count * sizeof(*out), HERALD_MISSING,
				 path, 0, path);
		herald_codec_destroy(codec);
		wide_finish(&wide);
		free(out);
	}
}

/* Lists that move while they grow, with lists in their elements. */
static void
test_lists_that_grow(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	static char text[400000];

	(void)state;
	for (size_t count = 0; count <= 300; count += count < 20 ? 1 : 53) {
		size_t bytes = (size_t)snprintf(text, sizeof(text),
						"{\"the id\":\"x\",\"tree\":"
						"{\"children\":[");
		const struct every_node *tree;
		struct every_kind out;

		for (size_t i = 0; i < count; i++) {
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
						  "%s{\"name\":\"%zu\",\"children\":[",
						  i > 0 ? "," : "", i);
			for (size_t j = 0; j < i % 11; j++)
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s{\"name\":\"%zu.%zu\",\"next\":{}}",
							  j > 0 ? "," : "", i, j);
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "]}");
		}
		bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "]},\"int32s\":[");
		for (size_t i = 0; i < count; i++)
			bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "%s%zu",
						  i > 0 ? " , " : "", i);
		snprintf(text + bytes, sizeof(text) - bytes, "]}");
		decode_good(codec, text, &out, sizeof(out));

		tree = out.tree;
		assert_int_equal(tree->children_count, count);
		assert_non_null(tree->children);
		assert_int_equal(out.int32s_count, count);
		assert_non_null(out.int32s);
		for (size_t i = 0; i < count; i++) {
			const struct every_node *child = &tree->children[i];
			char name[40];

			assert_int_equal(out.int32s[i], i);
			snprintf(name, sizeof(name), "%zu", i);
			assert_string_equal(child->name, name);
			assert_null(child->next);
			assert_int_equal(child->children_count, i % 11);
			for (size_t j = 0; j < i % 11; j++) {
				snprintf(name, sizeof(name), "%zu.%zu", i, j);
				assert_string_equal(child->children[j].name, name);
				assert_non_null(child->children[j].next);
			}
		}
	}
	herald_codec_destroy(codec);
}

/* Maps with few entries and with many, with and without one key that stands twice. */
static void
test_maps(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	static char text[8000];

	(void)state;
	for (size_t count = 0; count <= 200; count += count < 40 ? 1 : 40)
		for (size_t twice = 0; twice <= count; twice += count < 20 ? 1 : 13) {
			size_t bytes = (size_t)snprintf(text, sizeof(text), "{\"map\":{");
			size_t offset = 0;
			struct thing out;
			char path[40];

			for (size_t i = 0; i < count; i++) {
				bool again = twice > 0 && i == twice - 1 && i > 0;
				/* Another order than the sorted one. */
				size_t number = again ? (i / 2 * 37) % 211 : i * 37 % 211;

				offset = again ? bytes + (i > 0) : offset;
				if (again)
					snprintf(path, sizeof(path), "/map/k%zu", number);
				bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes,
							  "%s\"k%zu\":\"v%zu\"", i > 0 ? "," : "",
							  number, i);
			}
			snprintf(text + bytes, sizeof(text) - bytes, "}}");
			if (offset > 0) {
				decode_bad_bytes(codec, text, strlen(text), sizeof(out),
						 HERALD_DUPLICATE, path, offset, text);
				continue;
			}
			decode_good(codec, text, &out, sizeof(out));
			assert_int_equal(out.map.count, count);
			assert_non_null(out.map.pairs);
			for (size_t i = 0; i < count; i++) {
				char value[20];

				snprintf(value, sizeof(value), "v%zu", i);
				assert_string_equal(out.map.pairs[i].value, value);
			}
		}
	herald_codec_destroy(codec);
}

static void
test_recursive_schema(void **state)
{
	static char text[20000];
	static const size_t depths[] = {1, 2, 10, 63, 64, 1024};

	(void)state;
	for (size_t d = 0; d < COUNT(depths); d++) {
		struct herald_limits limits = {.max_depth = depths[d]};
		const struct herald_schema *node = find_field(every_kind_table, "tree")->schema;
		struct herald_codec *codec = decoding_codec(node, &limits);
		const struct every_node *at;
		struct every_node out;
		char path[260] = "";
		size_t bytes = 0, depth = 0;

		for (size_t i = 0; i + 1 < depths[d]; i++)
			bytes += (size_t)sprintf(text + bytes, "{\"next\":");
		bytes += (size_t)sprintf(text + bytes, "{}");
		memset(text + bytes, '}', depths[d] - 1);
		text[bytes + depths[d] - 1] = '\0';
		decode_good(codec, text, &out, sizeof(out));
		for (at = &out; at != NULL; at = at->next)
			depth++;
		assert_int_equal(depth, depths[d]);

		/* One deeper. */
		bytes = 0;
		for (size_t i = 0; i < depths[d]; i++)
			bytes += (size_t)sprintf(text + bytes, "{\"next\":");
		sprintf(text + bytes, "{}");
		memset(text + bytes + 2, '}', depths[d]);
		text[bytes + 2 + depths[d]] = '\0';
		for (size_t i = 0; i < depths[d] && depths[d] < 50; i++)
			strcat(path, "/next");
		if (depths[d] < 50) {
			decode_bad_bytes(codec, text, strlen(text), sizeof(out), HERALD_LIMIT, path,
					 bytes, text);
		} else {
			struct herald_error error;

			assert_int_equal(
				decode_bytes(codec, text, strlen(text), &out, sizeof(out), &error),
				HERALD_LIMIT);
			assert_int_equal(error.offset, bytes);
			/* The beginning of a path that is too long is left out. */
			if (depths[d] > 60) {
				assert_memory_equal(error.path, "...", 3);
				assert_int_equal(strlen(error.path), sizeof(error.path) - 1);
				assert_string_equal(error.path + strlen(error.path) - 10,
						    "/next/next");
			}
		}
		herald_codec_destroy(codec);
	}
}

static void
test_every_kind_at_once(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind out;

	(void)state;
	decode_good(codec, every_kind_document, &out, sizeof(out));
	assert_true(out.truth);
	assert_int_equal(out.int8, INT8_MIN);
	assert_int_equal(out.int16, INT16_MIN);
	assert_int_equal(out.int32, INT32_MIN);
	assert_true(out.int64 == INT64_MIN);
	assert_int_equal(out.uint8, UINT8_MAX);
	assert_int_equal(out.uint16, UINT16_MAX);
	assert_true(out.uint32 == UINT32_MAX);
	assert_true(out.uint64 == UINT64_MAX);
	assert_true(out.real32 == 3.4028235e38f);
	assert_true(out.real64 == -2.2250738585072011e-308);
	assert_string_equal(out.string, "plain and then \"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC"
					"\xF0\x9F\x98\x80 rest");
	assert_int_equal(out.text.bytes, 8);
	assert_memory_equal(out.text.data, "a\0b \xF0\x9F\x98\x80", 9);
	assert_string_equal(out.chars, "fifteen bytes..");
	assert_int_equal(out.time.nanoseconds, 143357839);
	assert_int_equal(out.json.bytes, strlen("{ \"raw\" : [ 1, 2.50 ,\"\\n\" ] }"));
	assert_memory_equal(out.json.data, "{ \"raw\" : [ 1, 2.50 ,\"\\n\" ] }", out.json.bytes);
	assert_int_equal(out.map.count, 4);
	assert_string_equal(herald_map_get(&out.map, "b"), "");
	assert_string_equal(herald_map_get(&out.map, "c"), "\"");
	assert_int_equal(out.json_map.count, 6);
	assert_string_equal(herald_json_map_get(&out.json_map, "s"), "c");
	assert_string_equal(herald_json_map_get(&out.json_map, "n"), "-2.50e1");
	assert_int_equal(out.color, EVERY_GREEN);
	assert_int_equal(out.size, EVERY_MEDIUM);
	assert_int_equal(out.leaf.size, EVERY_LARGE);
	assert_true(out.strict.flag);
	assert_string_equal(out.pointer->name, "pointed to");
	assert_int_equal(out.list_count, 3);
	assert_int_equal(out.list[1].number, 2);
	assert_string_equal(out.tree->children[1].children[0].name, "d");
	assert_null(out.tree->next->next->next);
	assert_int_equal(out.truths_count, 3);
	assert_true(out.truths[0] && !out.truths[1] && out.truths[2]);
	assert_int_equal(out.int8s[2], 127);
	assert_int_equal(out.int32s_count, 9);
	assert_int_equal(out.int32s[8], 9);
	assert_int_equal(out.uint8s_count, 0);
	assert_non_null(out.uint8s);
	assert_true(out.real32s[0] == 0.1f);
	assert_true(out.real64s[3] == 123456789012345678901234567890.0);
	assert_string_equal(out.strings[2], "\xC3\xBC");
	assert_int_equal(out.texts[0].bytes, 1);
	assert_memory_equal(out.jsons[0].data, "null", 4);
	assert_memory_equal(out.jsons[2].data, "{\"k\": 0}", 8);
	assert_true(out.has_maybe_truth && out.has_maybe_int8 && out.has_maybe_real64);
	assert_string_equal(out.maybe_chars, "four");
	assert_int_equal(out.maybe_time.seconds, -62167219200);
	assert_string_equal(out.id, "x");
	assert_true(out.huge == UINT64_MAX - 1);
	assert_true(out.ratio == 0.1f);
	assert_string_equal(out.unit, "\xC2\xB5m");
	assert_int_equal(out.few_count, 3);
	herald_codec_destroy(codec);
}

/* In the steady state neither codec nor arena calls the allocator. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	struct every_kind out;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(
		herald_codec_create(every_kind_table, NULL, &memory.allocator, &codec, NULL),
		HERALD_OK);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
	for (int round = 0; round < 10; round++) {
		char *text = decoding_place(every_kind_document, every_kind_document_bytes, false);

		assert_int_equal(herald_codec_decode(codec, text, every_kind_document_bytes, arena,
						     &out, NULL),
				 HERALD_OK);
		herald_arena_reset(arena);
		if (round == 0)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	assert_all_released(&memory);
}

/* Every allocation fails, one at a time: an error each time, the output untouched, nothing leaks. */
static void
test_every_allocation_fails(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_error error;

	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;
			struct herald_arena *arena = NULL;
			struct every_kind out, before;
			enum herald_status status;
			char *text = decoding_place(every_kind_document, every_kind_document_bytes,
						    true);

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			memset(&before, 0x3C, sizeof(before));
			memcpy(&out, &before, sizeof(out));
			status = herald_arena_create(&memory.allocator, 0, &arena);
			if (status == HERALD_OK) {
				status = herald_codec_decode(codec, text, every_kind_document_bytes,
							     arena, &out, &error);
				if (status != HERALD_OK)
					assert_int_equal(error.status, HERALD_NO_MEMORY);
			}
			herald_arena_destroy(arena);
			assert_all_released(&memory);
			if (memory.failures == 0) {
				assert_int_equal(status, HERALD_OK);
				break;
			}
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_memory_equal(&out, &before, sizeof(out));
		}
	herald_codec_destroy(codec);
}

/* An arena that may give out less than is needed, by every amount. */
static void
test_arena_limit(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	size_t limit = 1;

	(void)state;
	for (bool done = false; !done; limit += 16) {
		struct herald_arena *arena = NULL;
		struct herald_error error;
		struct every_kind out, before;
		enum herald_status status;
		char *text = decoding_place(every_kind_document, every_kind_document_bytes, false);

		assert_int_equal(herald_arena_create(NULL, limit, &arena), HERALD_OK);
		memset(&before, 0x3C, sizeof(before));
		memcpy(&out, &before, sizeof(out));
		status = herald_codec_decode(codec, text, every_kind_document_bytes, arena, &out,
					     &error);
		if (status == HERALD_OK) {
			done = true;
		} else {
			assert_int_equal(status, HERALD_LIMIT);
			assert_int_equal(error.status, HERALD_LIMIT);
			assert_memory_equal(&out, &before, sizeof(out));
		}
		assert_true(herald_arena_used_bytes(arena) <= limit);
		herald_arena_destroy(arena);
	}
	/* What it needed is about the size of the struct and the document. */
	assert_in_range(limit, sizeof(struct every_kind), 100000);
	herald_codec_destroy(codec);
}

/* Decoding needs no error struct. */
static void
test_no_error_struct(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct thing out;
	static const char *const texts[] = {"", "{", "{\"integer\":x}", "{\"leaf\":{}}", "[[[["};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(herald_codec_decode(
				    codec, decoding_place(texts[i], strlen(texts[i]), false),
				    strlen(texts[i]), decoding_arena(), &out, NULL) != HERALD_OK);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_in_range),
		cmocka_unit_test(test_integers_out_of_range),
		cmocka_unit_test(test_integers_around_powers_of_two),
		cmocka_unit_test(test_bounds_outside_the_type),
		cmocka_unit_test(test_missing_is_zero),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_values_of_the_wrong_type),
		cmocka_unit_test(test_values_that_are_wrong),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_strings_of_every_length),
		cmocka_unit_test(test_text_may_hold_nul),
		cmocka_unit_test(test_chars),
		cmocka_unit_test(test_raw_json),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_enums),
		cmocka_unit_test(test_optional_members),
		cmocka_unit_test(test_optional_raw_null),
		cmocka_unit_test(test_lengths_counts_and_allowed_values),
		cmocka_unit_test(test_texts_of_lengths_and_ranges),
		cmocka_unit_test(test_required_members),
		cmocka_unit_test(test_members_in_any_order),
		cmocka_unit_test(test_unknown_members_everywhere),
		cmocka_unit_test(test_reject_unknown),
		cmocka_unit_test(test_private_member),
		cmocka_unit_test(test_keys_with_escapes),
		cmocka_unit_test(test_keys_of_every_length),
		cmocka_unit_test(test_schemas_with_many_fields),
		cmocka_unit_test(test_lists_that_grow),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_recursive_schema),
		cmocka_unit_test(test_every_kind_at_once),
		cmocka_unit_test(test_no_allocation_in_the_steady_state),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_arena_limit),
		cmocka_unit_test(test_no_error_struct),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, decoding_finish);
}
