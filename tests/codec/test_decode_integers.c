/*
 * herald_codec_decode(): integers of every kind, at the ends of their ranges and of the bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_thing.h"
#include "support/decoding.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

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

/* Whether the member has the value of this text. */
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

/* Bounds outside of the type's range must not allow its largest or smallest value. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_in_range),
		cmocka_unit_test(test_integers_out_of_range),
		cmocka_unit_test(test_integers_around_powers_of_two),
		cmocka_unit_test(test_bounds_outside_the_type),
	};

	return cmocka_run_group_tests_name("decode_integers", tests, NULL, decoding_finish);
}
