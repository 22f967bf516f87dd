/*
 * Keys of deduplication: equal for equal ids only, and in the order of ids that grow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>

#include "store/seen_key.h"

static const unsigned char secret[HERALD__SIPHASH_KEY_BYTES] = {1, 2, 3};

static int
compare(const char *a, const char *b)
{
	unsigned char keys[2][HERALD_SEEN_KEY_BYTES];

	herald__seen_key(secret, "q", "s", a, keys[0]);
	herald__seen_key(secret, "q", "s", b, keys[1]);
	return memcmp(keys[0], keys[1], HERALD_SEEN_KEY_BYTES);
}

static void
grows_with_the_id(void **state)
{
	static const char *const pairs[][2] = {
		{"018f3c2a-7b1e-7fff-bfff-ffffffffffff", "018f3c2a-7b1f-7000-8000-000000000000"},
		{"018F3C2A-7B1E-7fff-bfff-ffffffffffff", "018f3c2b-0000-7000-8000-000000000000"},
		{"e-9", "e-10"},
		{"e-000099", "e-000100"},
		{"7", "8"},
		{"order-281474976710654", "order-281474976710655"},
		{"aaaaaaz", "aaaaab"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(pairs); i++)
		assert_true(compare(pairs[i][0], pairs[i][1]) < 0);
}

static void
differs_for_every_part(void **state)
{
	static const char *const parts[][3] = {
		{"q", "s", "e-1"},
		{"q", "s", "f-1"},
		{"q", "s", "e-01"},
		{"q", "t", "e-1"},
		{"p", "s", "e-1"},
		{"q", "", "se-1"},
		{"q", "s", ""},
		{"q", "s", "abcdefg"},
		{"q", "s", "abcdefh"},
		{"qs", "", "e-1"},
		{"q", "s", "018f3c2a-7b1e-7fff-bfff-ffffffffffff"},
		{"q", "s", "018f3c2a-7b1e-7fff-bfff-fffffffffffe"},
		{"q", "s", "018F3C2A-7b1e-7fff-bfff-ffffffffffff"},
	};
	static const unsigned char other[HERALD__SIPHASH_KEY_BYTES] = {1, 2, 4};
	unsigned char keys[HERALD_COUNT(parts)][HERALD_SEEN_KEY_BYTES];
	unsigned char again[HERALD_SEEN_KEY_BYTES];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(parts); i++) {
		herald__seen_key(secret, parts[i][0], parts[i][1], parts[i][2], keys[i]);
		herald__seen_key(secret, parts[i][0], parts[i][1], parts[i][2], again);
		assert_memory_equal(keys[i], again, HERALD_SEEN_KEY_BYTES);
		herald__seen_key(other, parts[i][0], parts[i][1], parts[i][2], again);
		assert_memory_not_equal(keys[i], again, HERALD_SEEN_KEY_BYTES);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], HERALD_SEEN_KEY_BYTES);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_with_the_id),
		cmocka_unit_test(differs_for_every_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
