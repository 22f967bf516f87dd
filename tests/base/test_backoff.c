/*
 * Backoff: delays at their ends, defaults that give way to each other, and what options may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/backoff.h>
#include <herald/retry.h>

#include "support/option_error.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void
delays_at_their_ends(void **state)
{
	struct herald_backoff_rule backoff = {HERALD_BACKOFF_NO_JITTER, UINT32_MAX, 1000,
					      UINT32_MAX};

	(void)state;
	assert_int_equal(herald_backoff_delay_ms(&backoff, 1, 0), UINT32_MAX);
	assert_int_equal(herald_backoff_delay_ms(&backoff, 1000, 0), UINT32_MAX);
	backoff.backoff = HERALD_BACKOFF_FULL_JITTER;
	assert_int_equal(herald_backoff_delay_ms(&backoff, 1000, UINT32_MAX), UINT32_MAX);
	assert_int_equal(herald_backoff_delay_ms(&backoff, 1000, (uint64_t)1 << 32), 0);
	backoff = (struct herald_backoff_rule){HERALD_BACKOFF_NO_JITTER, 2, 3, 20};
	assert_int_equal(herald_backoff_delay_ms(&backoff, 3, 0), 18);
	assert_int_equal(herald_backoff_delay_ms(&backoff, 4, 0), 20);
	backoff.backoff = HERALD_BACKOFF_FIXED;
	assert_int_equal(herald_backoff_delay_ms(&backoff, 7, 0), 2);

	const struct herald_retry_options options = {.backoff = HERALD_BACKOFF_NO_JITTER,
						     .first_delay_ms = 2,
						     .factor = 5,
						     .max_delay_ms = 49};
	assert_int_equal(herald_backoff_delay_ms(&HERALD_BACKOFF_OF(&options), 2, 0), 10);
	assert_int_equal(herald_backoff_delay_ms(&HERALD_BACKOFF_OF(&options), 3, 0), 49);
}

/* The default of each delay depends on the other one. */
static void
defaults(void **state)
{
	static const struct {
		uint32_t first_ms, max_ms, filled_first_ms, filled_max_ms;
	} rows[] = {
		{0, 0, 50, 1000},      {0, 49, 49, 49},       {0, 51, 50, 51},
		{1000, 0, 1000, 1000}, {1001, 0, 1001, 1001}, {7, 5, 7, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_backoff_rule backoff = {.first_delay_ms = rows[i].first_ms,
						      .max_delay_ms = rows[i].max_ms};

		herald_backoff_fill_defaults(&backoff.first_delay_ms, &backoff.factor,
					     &backoff.max_delay_ms, 50, 1000);
		assert_int_equal(backoff.first_delay_ms, rows[i].filled_first_ms);
		assert_int_equal(backoff.max_delay_ms, rows[i].filled_max_ms);
		assert_true(backoff.factor == 2);
	}
}

static void
options(void **state)
{
	static const struct {
		struct herald_backoff_rule rule;
		const char *path, *message;
	} rows[] = {
		{{HERALD_BACKOFF_FIXED, 5, 1, 5}, NULL, NULL},
		{{HERALD_BACKOFF_FULL_JITTER, 0, 1000, 0}, NULL, NULL},
		{{(enum herald_backoff)(HERALD_BACKOFF_FIXED + 1), 1, 2, 3},
		 "backoff",
		 "not one of HERALD_BACKOFF_...: 3"},
		{{HERALD_BACKOFF_FIXED, 1, 0.5, 3}, "factor", "expected 1 to 1000, found 0.5"},
		{{HERALD_BACKOFF_FIXED, 1, 1000.5, 3},
		 "factor",
		 "expected 1 to 1000, found 1000.5"},
		{{HERALD_BACKOFF_FIXED, 6, 2, 5},
		 "first_delay_ms",
		 "6 is more than max_delay_ms, 5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_error error = {0};
		enum herald_status expected = rows[i].path ? HERALD_BAD_OPTION : HERALD_OK;

		assert_int_equal(herald_backoff_check(&rows[i].rule, &error), expected);
		assert_int_equal(herald_backoff_check(&rows[i].rule, NULL), expected);
		if (rows[i].path)
			assert_option_error(&error, rows[i].path, rows[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_at_their_ends),
		cmocka_unit_test(defaults),
		cmocka_unit_test(options),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
