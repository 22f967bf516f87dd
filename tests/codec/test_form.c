/*
 * Values that JSON has in another form than their kind's: quoted numbers, booleans and enums as
 * numbers, times as numbers, unknown names, lone surrogates, and what `lenient` accepts. Each is
 * decoded and encoded; each error is compared with its code, path, offset and text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/draw.h"
#include "support/every_kind.h"
#include "support/exhausting.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

enum level { LEVEL_UNKNOWN, LEVEL_LOW, LEVEL_HIGH, LEVEL_NEGATIVE = -5 };

static const struct herald_name levels[] = {
	{"low", LEVEL_LOW}, {"high", LEVEL_HIGH}, {"below", LEVEL_NEGATIVE}};
/* Two of them have the same value. */
static const struct herald_name synonyms[] = {
	{"low", LEVEL_LOW}, {"small", LEVEL_LOW}, {"high", LEVEL_HIGH}};

struct forms {
	int32_t qi;
	uint8_t qn;
	double qd;
	float qf;
	int64_t wi;
	uint64_t wn;
	int32_t lq;
	bool nb;
	bool lb;
	bool lnb;
	bool qb;
	bool lqb;
	enum level e;
	enum level ne;
	enum level se;
	enum level nse;
	enum level ue;
	enum level nue;
	struct herald_time s;
	struct herald_time ms;
	struct herald_time ls;
	struct herald_time lt;
	const enum level *es;
	size_t es_count;
	const uint16_t *qs;
	size_t qs_count;
	bool has_oe;
	enum level oe;
	const char *string;
	double lqd;
	struct herald_time lqs;
};

HERALD_SCHEMA(forms,
	HERALD_FIELD(forms, qi, .quoted = true, HERALD_RANGE(-100, 100)),
	HERALD_FIELD(forms, qn, .quoted = true),
	HERALD_FIELD(forms, qd, .quoted = true, HERALD_MAX(10)),
	HERALD_FIELD(forms, qf, .quoted = true),
	HERALD_FIELD(forms, wi, .lenient = true),
	HERALD_FIELD(forms, wn, .lenient = true),
	HERALD_FIELD(forms, lq, .quoted = true, .lenient = true),
	HERALD_FIELD(forms, nb, .numeric = true),
	HERALD_FIELD(forms, lb, .lenient = true),
	HERALD_FIELD(forms, lnb, .numeric = true, .lenient = true),
	HERALD_FIELD(forms, qb, .quoted = true, .numeric = true),
	HERALD_FIELD(forms, lqb, .quoted = true, .numeric = true, .lenient = true),
	HERALD_ENUM(forms, e, levels),
	HERALD_ENUM(forms, ne, levels, .numeric = true),
	HERALD_ENUM(forms, se, synonyms),
	HERALD_ENUM(forms, nse, synonyms, .numeric = true),
	HERALD_ENUM(forms, ue, levels, HERALD_UNKNOWN(LEVEL_UNKNOWN)),
	HERALD_ENUM(forms, nue, levels, .numeric = true, HERALD_UNKNOWN(LEVEL_HIGH)),
	HERALD_FIELD(forms, s, .epoch = HERALD_EPOCH_SECONDS),
	HERALD_FIELD(forms, ms, .epoch = HERALD_EPOCH_MILLISECONDS),
	HERALD_FIELD(forms, ls, .epoch = HERALD_EPOCH_SECONDS, .lenient = true),
	HERALD_FIELD(forms, lt, .lenient = true),
	HERALD_ENUMS(forms, es, levels, .max_count = 2),
	HERALD_VALUES(forms, qs, .quoted = true),
	HERALD_OPTIONAL_ENUM(forms, oe, levels),
	HERALD_FIELD(forms, string),
	HERALD_FIELD(forms, lqd, .quoted = true, .lenient = true, HERALD_MAX(10)),
	HERALD_FIELD(forms, lqs, .quoted = true, .lenient = true, .epoch = HERALD_EPOCH_SECONDS));

static struct herald_codec *codec;

static int
setup(void **state)
{
	(void)state;
	codec = decoding_codec(&forms_schema, NULL);
	return 0;
}

static int
teardown(void **state)
{
	herald_codec_destroy(codec);
	return decoding_finish(state);
}

/* The member of a document, and as it is encoded. NULL: the same; "": left out. */
static const struct {
	const char *key, *value, *encoded;
} good[] = {
	{"qi", "\"-100\"", NULL},
	{"qi", "\"\\u0031\\u0032\"", "\"12\""},
	{"qi", "\"-0\"", "\"0\""},
	{"qi", "null", "\"0\""},
	{"qn", "\"255\"", NULL},
	{"qd", "\"-1.5e3\"", "\"-1500\""},
	{"qd", "\"0.1\"", NULL},
	{"qf", "\"0.1\"", NULL},
	{"wi", "10.0", "10"},
	{"wi", "1e3", "1000"},
	{"wi", "-1.50e1", "-15"},
	{"wi", "1200e-2", "12"},
	{"wi", "0e99999999999999999999", "0"},
	{"wi", "0.000e-5", "0"},
	{"wi", "0e400", "0"},
	{"wi", "9223372036854775807.000", "9223372036854775807"},
	{"wi", "-922337203685477580.8e1", "-9223372036854775808"},
	{"wi", "7", NULL},
	{"wn", "18446744073709551615.0", "18446744073709551615"},
	{"wn", "0.0000018446744073709551615E25", "18446744073709551615"},
	{"wn", "-0.0", "0"},
	{"lq", "\"5\"", NULL},
	{"lq", "5", "\"5\""},
	{"lq", "\"5.0\"", "\"5\""},
	{"nb", "1", NULL},
	{"nb", "0", NULL},
	{"nb", "-0", "0"},
	{"lb", "1", "true"},
	{"lb", "0", "false"},
	{"lb", "-0", "false"},
	{"lb", "true", NULL},
	{"lnb", "true", "1"},
	{"lnb", "false", "0"},
	{"lnb", "1", NULL},
	{"qb", "\"1\"", NULL},
	{"qb", "\"-0\"", "\"0\""},
	{"lqb", "\"true\"", "\"1\""},
	{"lqb", "1", "\"1\""},
	{"lqb", "true", "\"1\""},
	{"lqb", "false", "\"0\""},
	{"e", "\"high\"", NULL},
	{"se", "\"small\"", "\"low\""},
	{"nse", "1", NULL},
	{"ne", "-5", NULL},
	{"ne", "2", NULL},
	{"ue", "\"below\"", NULL},
	{"ue", "\"new\"", ""},
	{"ue", "\"\"", ""},
	{"nue", "1", NULL},
	{"nue", "77", "2"},
	{"nue", "-9223372036854775808", "2"},
	{"nue", "4294967297", "2"},
	{"nue", "99999999999999999999999", "2"},
	{"s", "0", NULL},
	{"s", "1700000000", NULL},
	{"s", "-1.5", NULL},
	{"s", "-0.000000001", NULL},
	{"s", "1355517523.000005", NULL},
	{"s", "1.500000000000", "1.5"},
	{"s", "253402300799.999999999", NULL},
	{"s", "-62167219200", NULL},
	{"ms", "1700000000250", NULL},
	{"ms", "1700000000250.5", NULL},
	{"ms", "-1", NULL},
	{"ms", "-0.000001", NULL},
	{"ms", "1", NULL},
	{"ms", "-62167219200000", NULL},
	{"ls", "1.7e9", "1700000000"},
	{"ls", "1.0000000019", "1.000000001"},
	{"lt", "\"2024-01-02T03:04:05Z\"", NULL},
	{"lt", "\"2024-01-02 03:04:05+0130\"", "\"2024-01-02T03:04:05+01:30\""},
	{"lt", "\"2024-01-02t03:04:05-01\"", "\"2024-01-02T03:04:05-01:00\""},
	{"lt", "\"2024-01-02T03:04:05.12345678987654321z\"", "\"2024-01-02T03:04:05.123456789Z\""},
	{"lt", "\"2016-12-31T23:59:60Z\"", "\"2017-01-01T00:00:00Z\""},
	{"lt", "\"2024-02-28T12:34:60z\"", "\"2024-02-28T12:35:00Z\""},
	{"lt", "\"0000-01-01 00:00:00+2359\"", "\"0000-01-01T00:00:00+23:59\""},
	{"lt", "\"9999-12-31 23:59:59.9999999999-2359\"",
	 "\"9999-12-31T23:59:59.999999999-23:59\""},
	{"lt", "\"2016-12-31 18:59:60.5-0500\"", "\"2016-12-31T19:00:00.5-05:00\""},
	{"es", "[]", NULL},
	{"es", "[\"low\",\"below\"]", NULL},
	{"qs", "[\"0\",\"65535\"]", NULL},
	{"oe", "\"low\"", NULL},
};

/* The text that a struct is encoded as. */
static void
encode(const struct forms *forms, char *out, size_t bytes)
{
	struct herald_buffer buffer;
	struct herald_error error;

	herald_buffer_init(&buffer, NULL, 0);
	if (herald_codec_encode(codec, forms, &buffer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_true(buffer.bytes < bytes);
	memcpy(out, buffer.data, buffer.bytes);
	out[buffer.bytes] = '\0';
	herald_buffer_finish(&buffer);
}

static void
good_values_come_back(void **state)
{
	struct forms forms, again;
	char text[1000], encoded[1000], expected[200];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *value = good[i].encoded ? good[i].encoded : good[i].value;

		snprintf(text, sizeof(text), "{\"%s\":%s}", good[i].key, good[i].value);
		decode_good(codec, text, &forms, sizeof(forms));
		encode(&forms, encoded, sizeof(encoded));
		snprintf(expected, sizeof(expected), "\"%s\":%s", good[i].key, value);
		const char *found = strstr(encoded, expected);
		if (*value != '\0' && (!found || !strchr(",}", found[strlen(expected)])))
			fail_msg("%s: expected %s in %s", text, expected, encoded);
		snprintf(expected, sizeof(expected), "\"%s\":", good[i].key);
		if (*value == '\0')
			assert_null(strstr(encoded, expected));
		decode_good(codec, encoded, &again, sizeof(again));
		encode(&again, text, sizeof(text));
		assert_string_equal(text, encoded);
	}
}

/* The member of a document; '@' is before the byte of the error. The message must contain the
 * text. */
static const struct {
	const char *key, *value;
	enum herald_status status;
	const char *path, *message;
} bad[] = {
	{"qi", "@5", HERALD_BAD_TYPE, "/qi", "expected an integer in quotes, found a number"},
	{"qi", "@\"101\"", HERALD_OUT_OF_RANGE, "/qi", "from -100 to 100, found 101"},
	{"qi", "@\"99999999999999999999\"", HERALD_OUT_OF_RANGE, "/qi", "from -100 to 100"},
	{"qi", "@\"\"", HERALD_BAD_VALUE, "/qi", "expected an integer in quotes, found \"\""},
	{"qi", "@\" 1\"", HERALD_BAD_VALUE, "/qi", "found \" 1\""},
	{"qi", "@\"1 \"", HERALD_BAD_VALUE, "/qi", "found \"1 \""},
	{"qi", "@\"1x\"", HERALD_BAD_VALUE, "/qi", "found \"1x\""},
	{"qi", "@\"01\"", HERALD_BAD_VALUE, "/qi", "found \"01\""},
	{"qi", "@\"+1\"", HERALD_BAD_VALUE, "/qi", "found \"+1\""},
	{"qi", "@\"-\"", HERALD_BAD_VALUE, "/qi", "found \"-\""},
	{"qi", "@\"1.0\"", HERALD_BAD_VALUE, "/qi", "found \"1.0\""},
	{"qi", "@\"1\\u0000\"", HERALD_BAD_VALUE, "/qi", "found \"1\\u0000\""},
	{"qi", "@true", HERALD_BAD_TYPE, "/qi", "found a boolean"},
	{"qn", "@\"-1\"", HERALD_OUT_OF_RANGE, "/qn", "from 0 to 255, found -1"},
	{"qn", "@\"256\"", HERALD_OUT_OF_RANGE, "/qn", "found 256"},
	{"qn", "@\"300x\"", HERALD_BAD_VALUE, "/qn",
	 "expected an integer in quotes, found \"300x\""},
	{"qd", "@\"11 \"", HERALD_BAD_VALUE, "/qd", "expected a number in quotes, found \"11 \""},
	{"qd", "@\"1e999.\"", HERALD_BAD_VALUE, "/qd", "found \"1e999.\""},
	{"qd", "@\"11\"", HERALD_OUT_OF_RANGE, "/qd", "at most 10, found 11"},
	{"qd", "@\"1e999\"", HERALD_OUT_OF_RANGE, "/qd", "found 1e999"},
	{"qd", "@\"NaN\"", HERALD_BAD_VALUE, "/qd", "expected a number in quotes, found \"NaN\""},
	{"qf", "@\"1e39\"", HERALD_OUT_OF_RANGE, "/qf", "found 1e39"},
	{"qf", "@1", HERALD_BAD_TYPE, "/qf", "expected a number in quotes"},
	{"wi", "@1.5", HERALD_BAD_TYPE, "/wi", "found a number with a fraction: 1.5"},
	{"wi", "@1e-1", HERALD_BAD_TYPE, "/wi", "found a number with a fraction: 1e-1"},
	{"wi", "@0.00000000000000000001", HERALD_BAD_TYPE, "/wi", "with a fraction"},
	{"wi", "@1e-99999999999999999999", HERALD_BAD_TYPE, "/wi", "with a fraction"},
	{"wi", "@1e19", HERALD_OUT_OF_RANGE, "/wi", "found 1e19"},
	{"wi", "@1e400", HERALD_OUT_OF_RANGE, "/wi",
	 "expected an integer from -9223372036854775808 to 9223372036854775807, found 1e400"},
	{"wi", "@9223372036854775808.0", HERALD_OUT_OF_RANGE, "/wi", "found 9223372036854775808.0"},
	{"wi", "@\"1\"", HERALD_BAD_TYPE, "/wi", "expected an integer, found a string"},
	{"wi", "@tru", HERALD_BAD_JSON, "/wi", "expected an integer, found tru"},
	{"wi", "1.@,", HERALD_BAD_JSON, "/wi", "a digit after the point"},
	{"wn", "@-1.0", HERALD_OUT_OF_RANGE, "/wn", "found -1.0"},
	{"wn", "@1.8446744073709551616e19", HERALD_OUT_OF_RANGE, "/wn",
	 "found 1.8446744073709551616e19"},
	{"lq", "@true", HERALD_BAD_TYPE, "/lq",
	 "expected an integer, in quotes or not, found a boolean"},
	{"lq", "@\"1.5\"", HERALD_BAD_VALUE, "/lq",
	 "expected an integer, in quotes or not, found \"1.5\""},
	{"lq", "@1.5", HERALD_BAD_TYPE, "/lq", "found a number with a fraction: 1.5"},
	{"lqd", "@true", HERALD_BAD_TYPE, "/lqd", "expected a number, in quotes or not, found a "},
	{"lqd", "@\"x\"", HERALD_BAD_VALUE, "/lqd",
	 "expected a number, in quotes or not, found \"x\""},
	{"lqd", "@11", HERALD_OUT_OF_RANGE, "/lqd", "expected a number of at most 10, found 11"},
	{"lqd", "@\"11\"", HERALD_OUT_OF_RANGE, "/lqd",
	 "expected a number of at most 10, found 11"},
	{"lqs", "@[]", HERALD_BAD_TYPE, "/lqs", "expected a number, in quotes or not, found an "},
	{"lqs", "@\"2024\\u0000\"", HERALD_BAD_VALUE, "/lqs",
	 "expected a number, in quotes or not, found \"2024\\u0000\""},
	{"lqs", "@1e99", HERALD_BAD_TIME, "/lqs", "the years 0000 to 9999, found 1e99"},
	{"nb", "@2", HERALD_BAD_VALUE, "/nb", "expected 0 or 1, found 2"},
	{"nb", "@-1", HERALD_BAD_VALUE, "/nb", "expected 0 or 1, found -1"},
	{"nb", "@true", HERALD_BAD_TYPE, "/nb", "expected 0 or 1, found a boolean"},
	{"nb", "@1.0", HERALD_BAD_TYPE, "/nb", "expected 0 or 1, found 1.0"},
	{"nb", "@01", HERALD_BAD_JSON, "/nb", "leading zeros"},
	{"lb", "@2", HERALD_BAD_VALUE, "/lb", "expected true, false, 0 or 1, found 2"},
	{"lb", "@1e0", HERALD_BAD_TYPE, "/lb", "expected true, false, 0 or 1, found 1e0"},
	{"lb", "@\"true\"", HERALD_BAD_TYPE, "/lb", "expected true, false, 0 or 1, found a string"},
	{"lnb", "@tru", HERALD_BAD_JSON, "/lnb", "expected true, false, 0 or 1, found tru"},
	{"qb", "@1", HERALD_BAD_TYPE, "/qb", "expected 0 or 1 in quotes, found a number"},
	{"qb", "@\"2\"", HERALD_BAD_VALUE, "/qb", "expected 0 or 1, found 2"},
	{"qb", "@\"2x\"", HERALD_BAD_VALUE, "/qb", "expected 0 or 1 in quotes, found \"2x\""},
	{"qb", "@\"true\"", HERALD_BAD_VALUE, "/qb", "in quotes, found \"true\""},
	{"lqb", "@\"yes\"", HERALD_BAD_VALUE, "/lqb",
	 "expected true, false, 0 or 1, in quotes or not, found \"yes\""},
	{"lqb", "@[]", HERALD_BAD_TYPE, "/lqb",
	 "expected true, false, 0 or 1, in quotes or not, found an array"},
	{"lqb", "@tru", HERALD_BAD_JSON, "/lqb", "expected true, false, 0 or 1, in quotes or not"},
	{"lqb", "@2", HERALD_BAD_VALUE, "/lqb", "expected true, false, 0 or 1, found 2"},
	{"e", "@\"new\"", HERALD_BAD_VALUE, "/e", "expected one of \"low\", \"high\", \"below\""},
	{"ne", "@0", HERALD_BAD_VALUE, "/ne", "expected one of 1, 2, -5, found 0"},
	{"nse", "@0", HERALD_BAD_VALUE, "/nse", "expected one of 1, 2, found 0"},
	{"ne", "@4294967297", HERALD_BAD_VALUE, "/ne", "found 4294967297"},
	{"ne", "@18446744073709551617", HERALD_BAD_VALUE, "/ne", "found 18446744073709551617"},
	{"ne", "@\"low\"", HERALD_BAD_TYPE, "/ne", "expected an integer, found a string"},
	{"ue", "@5", HERALD_BAD_TYPE, "/ue", "expected a string"},
	{"nue", "@1.0", HERALD_BAD_TYPE, "/nue", "with a fraction"},
	{"s", "@\"0\"", HERALD_BAD_TYPE, "/s", "expected a number of seconds since 1970"},
	{"s", "@1e9", HERALD_BAD_TIME, "/s", "without an exponent, found 1e9"},
	{"s", "@1e400", HERALD_BAD_TIME, "/s", "without an exponent, found 1e400"},
	{"s", "@0.0000000001", HERALD_BAD_TIME, "/s", "nanosecond"},
	{"s", "@253402300800", HERALD_BAD_TIME, "/s", "the years 0000 to 9999"},
	{"s", "@-62167219201", HERALD_BAD_TIME, "/s", "the years 0000 to 9999"},
	{"s", "@-62167219200.1", HERALD_BAD_TIME, "/s", "the years 0000 to 9999"},
	{"s", "@99999999999999999999999999", HERALD_BAD_TIME, "/s", "the years 0000 to 9999"},
	{"s", "@01", HERALD_BAD_JSON, "/s", "leading zeros"},
	{"ms", "@0.0000001", HERALD_BAD_TIME, "/ms", "milliseconds since 1970"},
	{"ms", "@253402300800000", HERALD_BAD_TIME, "/ms", "the years 0000 to 9999"},
	{"ls", "@1e99", HERALD_BAD_TIME, "/ls", "the years 0000 to 9999"},
	{"ls", "@-1e400", HERALD_BAD_TIME, "/ls", "the years 0000 to 9999, found -1e400"},
	{"lt", "@1", HERALD_BAD_TYPE, "/lt", "expected an RFC 3339 timestamp"},
	{"lt", "@\"2024-01-02_03:04:05Z\"", HERALD_BAD_TIME, "/lt", "expected 'T'"},
	{"lt", "@\"2024-01-02 03:04:05\"", HERALD_BAD_TIME, "/lt", "'Z' or an offset"},
	{"lt", "@\"2024-01-02 03:04:61Z\"", HERALD_BAD_TIME, "/lt",
	 "a second from 00 to 60, found 61"},
	{"lt", "@\"2024-01-02 03:04:0xZ\"", HERALD_BAD_TIME, "/lt", "a digit of the second"},
	{"lt", "@\"2024-01-02 24:04:60Z\"", HERALD_BAD_TIME, "/lt", "an hour from 00 to 23"},
	{"lt", "@\"2024-01-02 03:04:05,5Z\"", HERALD_BAD_TIME, "/lt", "found ','"},
	{"lt", "@\"2024-01-02 03:04:05+00000\"", HERALD_BAD_TIME, "/lt", "expected ':'"},
	{"lt", "@\"2024-01-02 03:04:05+01:3\"", HERALD_BAD_TIME, "/lt", "the offset's minutes"},
	{"lt", "@\"2024-01-02 03:04:05+01:300\"", HERALD_BAD_TIME, "/lt", "the end of the text"},
	{"lt", "@\"2024-01-02 03:04:05Zulu and more\"", HERALD_BAD_TIME, "/lt", "the end of"},
	{"lt", "@\"2024-01-02 03\"", HERALD_BAD_TIME, "/lt", "expected ':'"},
	{"lt", "@\"\"", HERALD_BAD_TIME, "/lt", "a digit of the year"},
	{"lt", "@\"2024-01-02 03:04:05+2400\"", HERALD_BAD_TIME, "/lt", "an offset hour"},
	{"lt", "@\"2024-01-02 03:04:05.Z\"", HERALD_BAD_TIME, "/lt", "a digit of the fraction"},
	{"lt", "@\"9999-12-31T23:59:60Z\"", HERALD_BAD_TIME, "/lt", "the years 0000 to 9999"},
	{"es", "[\"low\",@\"new\"]", HERALD_BAD_VALUE, "/es/1", "expected one of"},
	{"es", "[@1]", HERALD_BAD_TYPE, "/es/0", "expected a string"},
	{"es", "[@null]", HERALD_BAD_TYPE, "/es/0", "found null"},
	{"es", "[\"low\",\"low\",@\"low\"]", HERALD_BAD_LENGTH, "/es", "at most 2 elements"},
	{"qs", "[\"1\",@2]", HERALD_BAD_TYPE, "/qs/1", "expected an integer in quotes"},
	{"qs", "[@\"65536\"]", HERALD_OUT_OF_RANGE, "/qs/0", "from 0 to 65535, found 65536"},
	{"oe", "@\"new\"", HERALD_BAD_VALUE, "/oe", "expected one of"},
};

static void
bad_values_are_refused(void **state)
{
	struct herald_error error;
	struct forms forms;
	char text[1000], *mark;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text), "{\"%s\":%s}", bad[i].key, bad[i].value);
		decode_bad(codec, text, sizeof(forms), bad[i].status, bad[i].path);
		mark = strchr(text, '@');
		memmove(mark, mark + 1, strlen(mark));
		decode_bytes(codec, text, strlen(text), &forms, sizeof(forms), &error);
		if (strstr(error.message, bad[i].message) == NULL)
			fail_msg("%s: expected \"%s\" in \"%s\"", text, bad[i].message,
				 error.message);
	}
}

/* A struct that would not come back is refused. */
static void
wrong_structs_are_not_encoded(void **state)
{
	static const enum level no_name = (enum level)77;
	static const struct {
		struct forms forms;
		enum herald_status status;
		const char *path;
	} cases[] = {
		{{.qi = 101}, HERALD_OUT_OF_RANGE, "/qi"},
		{{.qd = 10.5}, HERALD_OUT_OF_RANGE, "/qd"},
		{{.qd = (double)NAN}, HERALD_BAD_VALUE, "/qd"},
		{{.qf = -INFINITY}, HERALD_BAD_VALUE, "/qf"},
		{{.ne = (enum level)3}, HERALD_BAD_VALUE, "/ne"},
		{{.ue = (enum level)77}, HERALD_BAD_VALUE, "/ue"},
		{{.s = {.offset_minutes = 60}}, HERALD_BAD_TIME, "/s"},
		{{.s = {.nanoseconds = 1000000000}}, HERALD_BAD_TIME, "/s"},
		{{.ms = {.seconds = INT64_C(253402300800)}}, HERALD_BAD_TIME, "/ms"},
		{{.ms = {.seconds = INT64_MIN}}, HERALD_BAD_TIME, "/ms"},
		{{.lt = {.offset_minutes = 1440}}, HERALD_BAD_TIME, "/lt"},
		{{.es = &no_name, .es_count = 1}, HERALD_BAD_VALUE, "/es/0"},
		{{.es_count = 1}, HERALD_MISSING, "/es"},
		{{.has_oe = true}, HERALD_BAD_VALUE, "/oe"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_buffer buffer;
		struct herald_error error;

		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(herald_codec_encode(codec, &cases[i].forms, &buffer, &error),
				 cases[i].status);
		assert_string_equal(error.path, cases[i].path);
		assert_int_equal(buffer.bytes, 0);
		herald_buffer_finish(&buffer);
	}
}

/* A whole number may be written in many ways: zeros after it, a point anywhere, and an exponent
 * that undoes both. HERALD_TEST_SEED repeats a run. */
static void
whole_numbers_are_exact(void **state)
{
	const uint64_t seed = draw_seed();
	struct every_random random = {seed};
	struct forms forms;
	char text[200], digits[64];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		int64_t value = (int64_t)(every_random_next(&random) >> 1 >>
					  every_random_below(&random, 63));
		int zeros = 1 + (int)every_random_below(&random, 5), length, point;
		bool negative = every_random_below(&random, 2) == 0;

		length = snprintf(digits, sizeof(digits), "%" PRId64 "%0*d", value, zeros, 0);
		point = value == 0 ? 1 : 1 + (int)every_random_below(&random, (uint64_t)length - 1);
		snprintf(text, sizeof(text), "{\"wi\":%s%.*s.%se%d}", negative ? "-" : "", point,
			 digits, digits + point, length - point - zeros);
		decode_good(codec, text, &forms, sizeof(forms));
		if (forms.wi != (negative ? -value : value))
			fail_msg("HERALD_TEST_SEED=%" PRIu64 ": %s: found %" PRId64, seed, text,
				 forms.wi);
	}
}

static void
short_memory_and_cut_documents(void **state)
{
	char text[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(text, sizeof(text), "{\"%s\":%s}", good[i].key, good[i].value);
		exhaust_memory(&forms_schema, text);
		cut_document(&forms_schema, NULL, text);
	}
}

static const struct {
	const char *text, *expected;
} lone[] = {
	{"\\ud83d", "\xEF\xBF\xBD"},
	{"\\ude00", "\xEF\xBF\xBD"},
	{"a\\uD83Db", "a\xEF\xBF\xBD"
		      "b"},
	{"\\ud83d\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
	{"\\ude00\\ud83d", "\xEF\xBF\xBD\xEF\xBF\xBD"},
	{"\\ud83d\\n", "\xEF\xBF\xBD\n"},
	{"\\ud83d\\u0041", "\xEF\xBF\xBD"
			   "A"},
	{"\\ud83d\\ude00", "\xF0\x9F\x98\x80"},
};

static void
lone_surrogates_are_replaced_on_request(void **state)
{
	const struct herald_limits limits = {.replace_lone_surrogates = true};
	struct herald_codec *tolerant = decoding_codec(&forms_schema, &limits);
	struct forms forms;
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT(lone); i++) {
		snprintf(text, sizeof(text), "{\"string\":\"%s\"}", lone[i].text);
		decode_good(tolerant, text, &forms, sizeof(forms));
		assert_string_equal(forms.string, lone[i].expected);
		cut_document(&forms_schema, &limits, text);
		/* Where nobody looks, too: in a member without a field, and in its name. */
		snprintf(text, sizeof(text), "{\"other\":[{\"%s\":\"%s\"}]}", lone[i].text,
			 lone[i].text);
		decode_good(tolerant, text, &forms, sizeof(forms));
		snprintf(text, sizeof(text), "{\"%s\":1}", lone[i].text);
		decode_good(tolerant, text, &forms, sizeof(forms));
		if (i + 1 < COUNT(lone)) {
			struct herald_error error;

			assert_int_equal(decode_bytes(codec, text, strlen(text), &forms,
						      sizeof(forms), &error),
					 HERALD_BAD_JSON);
		}
	}
	decode_bad(tolerant, "{\"string\":\"@\\uD83g\"}", sizeof(forms), HERALD_BAD_JSON,
		   "/string");
	/* The path of an error behind such a name. */
	decode_bad(tolerant, "{\"other\":{\"\\ud83d\\n\":@01}}", sizeof(forms), HERALD_BAD_JSON,
		   "/other/\xEF\xBF\xBD\\n");
	herald_codec_destroy(tolerant);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_come_back),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(wrong_structs_are_not_encoded),
		cmocka_unit_test(whole_numbers_are_exact),
		cmocka_unit_test(short_memory_and_cut_documents),
		cmocka_unit_test(lone_surrogates_are_replaced_on_request),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
