/*
 * base/sort.h: all items are sorted, for every small input and for random ones, and the worst input
 * costs no more than heapsort allows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <time.h>

#include <herald/adapter/random.h>

#include "base/sort.h"

#define ITEMS 1000

static size_t comparisons_count;

static int
key_order(const void *a, const void *b)
{
	const unsigned *left = a, *right = b;

	comparisons_count++;
	return (*left > *right) - (*left < *right);
}

/* Sort pointers to the keys: their order is right, and each is there still, once. */
static void
check_sorted(const unsigned *keys, size_t count)
{
	const void *sorted[ITEMS + 1];
	bool seen[ITEMS] = {false};

	assert_true(count <= ITEMS);
	for (size_t i = 0; i <= ITEMS; i++)
		sorted[i] = i < count ? &keys[i] : NULL;
	herald__sort(sorted, count, key_order);
	assert_null(sorted[count]);
	for (size_t i = 0; i < count; i++) {
		const unsigned *key = sorted[i];

		assert_in_range(key - keys, 0, count - 1);
		assert_false(seen[key - keys]);
		seen[key - keys] = true;
		assert_true(i == 0 || *(const unsigned *)sorted[i - 1] <= *key);
	}
}

/* Each sequence of up to 6 items with each of 6 keys: all orders, and all ties. */
static void
test_every_small_input(void **state)
{
	(void)state;
	for (size_t count = 0, sequences = 1; count <= 6; count++, sequences *= 6)
		for (size_t sequence = 0; sequence < sequences; sequence++) {
			unsigned keys[6];
			size_t rest = sequence;

			for (size_t i = 0; i < count; i++, rest /= 6)
				keys[i] = (unsigned)(rest % 6);
			check_sorted(keys, count);
		}
}

static void
test_random_inputs(void **state)
{
	unsigned keys[ITEMS];
	uint64_t seed = (uint64_t)time(NULL), random = seed;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 200; round++) {
		size_t count = herald_random_bits(random += HERALD_RANDOM_STEP) % (ITEMS + 1);
		unsigned below = round % 2 ? UINT32_MAX : 10;

		for (size_t i = 0; i < count; i++)
			keys[i] = (unsigned)(herald_random_bits(random += HERALD_RANDOM_STEP) %
					     below);
		check_sorted(keys, count);
	}
}

/* Sorted, reversed and equal keys, which make a careless quicksort compare 500,000 times. */
static void
test_comparisons_have_a_limit(void **state)
{
	unsigned keys[ITEMS];

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		for (unsigned i = 0; i < ITEMS; i++)
			keys[i] = kind == 0 ? i : kind == 1 ? ITEMS - i : 7;
		comparisons_count = 0;
		check_sorted(keys, ITEMS);
		/* 2 for each of log2(1,000) levels, and 2 for each item to make the heap. */
		assert_in_range(comparisons_count, ITEMS - 1, 2 * ITEMS * 10 + 2 * ITEMS);
	}
}

/* Nothing is read or written for no items. */
static void
test_no_items(void **state)
{
	(void)state;
	comparisons_count = 0;
	herald__sort(NULL, 0, key_order);
	assert_int_equal(comparisons_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_small_input),
		cmocka_unit_test(test_random_inputs),
		cmocka_unit_test(test_comparisons_have_a_limit),
		cmocka_unit_test(test_no_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
