/*
 * Histograms of durations: their bounds as options, and the edges of their buckets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "support/option_error.h"

#define DAY_US UINT64_C(86400000000)

static void
test_default_bounds(void **state)
{
	struct herald__bounds bounds;

	(void)state;
	assert_int_equal(herald__bounds_init(&bounds, NULL, 0, NULL), HERALD_OK);
	assert_int_equal(bounds.count, 16);
	assert_int_equal(bounds.ns[0], 100000);
	assert_int_equal(bounds.ns[15], UINT64_C(10000000000));
	assert_true(bounds.ns[16] == UINT64_MAX);
	for (size_t i = 1; i < bounds.count; i++)
		assert_true(bounds.ns[i] > bounds.ns[i - 1]);
}

static void
test_most_bounds(void **state)
{
	uint64_t us[HERALD_MAX_DURATION_BOUNDS];
	struct herald__bounds bounds;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(us); i++)
		us[i] = i + 1;
	us[HERALD_COUNT(us) - 1] = DAY_US;
	assert_int_equal(herald__bounds_init(&bounds, us, HERALD_COUNT(us), NULL), HERALD_OK);
	assert_int_equal(bounds.count, HERALD_COUNT(us));
	assert_int_equal(bounds.ns[0], 1000);
	assert_true(bounds.ns[HERALD_COUNT(us) - 1] == DAY_US * 1000);
	assert_true(bounds.ns[HERALD_COUNT(us)] == UINT64_MAX);
}

static void
test_bad_bounds(void **state)
{
	static const struct {
		uint64_t us[3];
		size_t count;
		const char *path, *text;
	} cases[] = {
		{{0}, 1, "duration_bounds_us[0]", "must be from 1 to 86400000000, not 0"},
		{{5, 5}, 2, "duration_bounds_us[1]", "must be from 6 to 86400000000, not 5"},
		{{1, 9, 2}, 3, "duration_bounds_us[2]", "must be from 10 to 86400000000, not 2"},
		{{DAY_US + 1},
		 1,
		 "duration_bounds_us[0]",
		 "must be from 1 to 86400000000, not 86400000001"},
		{{DAY_US, 7},
		 2,
		 "duration_bounds_us[1]",
		 "must be from 86400000001 to 86400000000, not 7"},
		{{1}, 33, "duration_bounds_us", "must have at most 32 bounds, not 33"},
		{{1},
		 0,
		 "duration_bounds_us",
		 "the array is set, but not its count; set both with HERALD_DURATION_BOUNDS"},
	};
	struct herald__bounds bounds;
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		assert_int_equal(herald__bounds_init(&bounds, cases[i].us, cases[i].count, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		if (cases[i].count > 0)
			assert_option_error(&error, cases[i].path, cases[i].text);
	}
	assert_int_equal(herald__bounds_init(&bounds, NULL, 2, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.path, "duration_bounds_us");
}

/* A bound belongs to the bucket below it: "le" is less or equal. */
static void
test_edges(void **state)
{
	static const uint64_t us[] = {1, 1000};
	struct herald__histogram histogram = {0};
	struct herald__histogram_sums sums = {0};
	struct herald__bounds bounds;

	(void)state;
	assert_int_equal(herald__bounds_init(&bounds, us, HERALD_COUNT(us), NULL), HERALD_OK);
	herald__histogram_add(&histogram, &bounds, 0);
	herald__histogram_add(&histogram, &bounds, 1000);
	herald__histogram_add(&histogram, &bounds, 1001);
	herald__histogram_add(&histogram, &bounds, 1000000);
	herald__histogram_add(&histogram, &bounds, 1000001);
	herald__histogram_add(&histogram, &bounds, UINT64_MAX / 2);
	for (uint64_t reads = 1; reads <= 2; reads++) {
		herald__histogram_read(&histogram, &sums);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(sums.counts[i], 2 * reads);
		assert_int_equal(sums.counts[3], 0);
	}
	/* All of them, twice. */
	assert_true(sums.sum_ns == 2 * (UINT64_C(2002002) + UINT64_MAX / 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_bounds),
		cmocka_unit_test(test_most_bounds),
		cmocka_unit_test(test_bad_bounds),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
