/*
 * Base64: the vectors of RFC 4648 section 10, what is refused and where, and random bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>
#include <herald/base64.h>

#include "support/draw.h"

#define MAX_BYTES 100

static void
vectors(void **state)
{
	static const struct {
		const char *data, *text;
	} cases[] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "+//+"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		size_t bytes = strlen(cases[i].data), count = strlen(cases[i].text), out, wrong;
		char text[16] = "";

		assert_int_equal(herald_base64_bytes(bytes), count);
		herald_base64_encode(cases[i].data, bytes, text);
		assert_string_equal(text, cases[i].text);
		assert_true(herald_base64_decode(text, count, &out, &wrong));
		assert_int_equal(out, bytes);
		assert_memory_equal(text, cases[i].data, bytes);
	}
	herald_base64_encode(NULL, 0, NULL);
}

static void
what_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t wrong;
	} cases[] = {
		{"Z", 1},      {"Zg", 2},       {"Zg=", 2},      {"=", 0},
		{"====", 0},   {"Zg==Zg==", 2}, {"Zm9vYg", 6},   {"Zm 9", 2},
		{"Zm9v\n", 4}, {"Zm-9", 2},     {"Zm_9", 2},     {"Zm9\x80", 3},
		{"Zh==", 1},   {"Zm9=", 2},     {"Zm9vYm==", 5}, {"Zm9vYg=a", 6},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char text[16];
		size_t out = 77, wrong = 77;

		strcpy(text, cases[i].text);
		if (herald_base64_decode(text, strlen(cases[i].text), &out, &wrong))
			fail_msg("%s is taken", cases[i].text);
		if (wrong != cases[i].wrong)
			fail_msg("%s: byte %zu, expected %zu", cases[i].text, wrong,
				 cases[i].wrong);
		assert_int_equal(out, 77);
	}
}

static void
random_bytes(void **state)
{
	uint64_t draw = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	for (int round = 0; round < 10000; round++) {
		size_t bytes = draw_below(&draw, MAX_BYTES + 1), out, wrong;
		size_t count = herald_base64_bytes(bytes);
		unsigned char data[MAX_BYTES];
		char text[140], other[140];

		for (size_t i = 0; i < bytes; i++)
			data[i] = (unsigned char)draw_below(&draw, 256);
		herald_base64_encode(data, bytes, text);
		memcpy(other, text, count);
		assert_true(herald_base64_decode(text, count, &out, &wrong));
		assert_int_equal(out, bytes);
		assert_memory_equal(text, data, bytes);
		if (count == 0)
			continue;
		/* Another text does not mean the same bytes. */
		size_t at = draw_below(&draw, count);
		other[at] = (char)(other[at] ^ (1 << draw_below(&draw, 8)));
		if (herald_base64_decode(other, count, &out, &wrong))
			assert_false(out == bytes && memcmp(other, data, bytes) == 0);
		else
			assert_true(wrong <= count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
