/*
 * The store in the simulation (support/simulation.h), for many seeds.
 *
 * If one fails, HERALD_TEST_SEED repeats it, and HERALD_TEST_TRACE=1 prints what happens.
 * HERALD_TEST_SEEDS is how many are run, from HERALD_TEST_SEED or a first one that is drawn.
 * Default 500.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/draw.h"
#include "support/simulation.h"

static unsigned long
seeds_count(void)
{
	const char *given = getenv("HERALD_TEST_SEEDS");

	return given ? strtoul(given, NULL, 10) : 500;
}

/* Returns a hash of all that has happened. */
static uint64_t
simulate(struct sim *sim, uint64_t seed)
{
	bool holds = simulation_run(sim, seed);

	simulation_finish(sim);
	if (!holds)
		fail_msg("HERALD_TEST_SEED=%llu: %s", (unsigned long long)seed, sim->violation);
	return sim->trace_hash;
}

static void
test_simulation(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	uint64_t seed = draw_seed();

	(void)state;
	assert_non_null(sim);
	for (unsigned long i = seeds_count(); i > 0; i--)
		simulate(sim, seed++);
	free(sim);
}

/* The same seed is the same run, so that a failure can be repeated. */
static void
test_seeds_repeat(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));
	uint64_t seed = draw_seed();

	(void)state;
	assert_non_null(sim);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(simulate(sim, seed + i), simulate(sim, seed + i));
	free(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simulation),
		cmocka_unit_test(test_seeds_repeat),
	};
	int failed = cmocka_run_group_tests_name("simulation", tests, NULL, NULL);

	coroutine_cleanup();
	return failed;
}
