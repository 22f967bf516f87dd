/*
 * Runs the contract of transports: every case for which the transport has the capabilities, each
 * with its own probe. Contains no case.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "probe.h"

#define MAX_TESTS 128

/* A case with its transport: the state that cmocka hands over. */
struct entry {
	const struct contract_transport *contract;
	const struct contract_transport_case *what;
};

struct suite {
	struct CMUnitTest tests[MAX_TESTS];
	struct entry entries[MAX_TESTS];
	size_t count;
};

static int
setup(void **state)
{
	const struct entry *entry = *state;
	struct probe *probe = probe_create(entry->contract);

	probe->what = entry->what;
	*state = probe;
	return 0;
}

static void
run(void **state)
{
	struct probe *probe = *state;

	probe->what->run(probe);
}

static int
teardown(void **state)
{
	probe_destroy(*state);
	return 0;
}

static void
add_cases(struct suite *suite, const struct contract_transport *contract,
	  const struct contract_transport_case *cases, size_t cases_count)
{
	for (size_t i = 0; i < cases_count; i++) {
		struct entry *entry = &suite->entries[suite->count];

		if ((contract->capabilities & cases[i].needs) != cases[i].needs)
			continue;
		assert_true(suite->count < MAX_TESTS);
		*entry = (struct entry){contract, &cases[i]};
		suite->tests[suite->count++] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = run,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = entry,
		};
	}
}

int
contract_transport_main(const struct contract_transport *contract, const struct CMUnitTest *own,
			size_t own_count)
{
	static struct suite suite;
	const struct {
		const struct contract_transport_case *cases;
		size_t count;
	} files[] = {
		{contract_transport_attempts, contract_transport_attempts_count},
		{contract_transport_answers, contract_transport_answers_count},
		{contract_transport_requests, contract_transport_requests_count},
		{contract_transport_connections, contract_transport_connections_count},
		{contract_transport_memory, contract_transport_memory_count},
		{contract_transport_random, contract_transport_random_count},
	};

	for (size_t i = 0; i < HERALD_COUNT(files); i++)
		add_cases(&suite, contract, files[i].cases, files[i].count);
	assert_true(suite.count + own_count <= MAX_TESTS);
	for (size_t i = 0; i < own_count; i++)
		suite.tests[suite.count++] = own[i];
	return _cmocka_run_group_tests(contract->name, suite.tests, suite.count, NULL, NULL);
}
