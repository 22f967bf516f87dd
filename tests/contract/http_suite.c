/*
 * The runner of the HTTP contract: every case once per adapter, named after both. It owns no case.
 */
#include "http_suite.h"

#include <stdio.h>

#define MAX_TESTS 512
#define MAX_NAME_BYTES 128

struct suite {
	struct CMUnitTest tests[MAX_TESTS];
	char names[MAX_TESTS][MAX_NAME_BYTES];
	size_t count;
};

static void
add(struct suite *suite, const struct CMUnitTest *test)
{
	assert_true(suite->count < MAX_TESTS);
	suite->tests[suite->count++] = *test;
}

/* Those that the adapter has the capabilities for. */
static void
add_cases(struct suite *suite, const struct contract_http_adapter *adapter,
	  const struct contract_http_case *cases, size_t cases_count)
{
	for (size_t i = 0; i < cases_count; i++) {
		char *name = suite->names[suite->count];

		if ((adapter->capabilities & cases[i].needs) != cases[i].needs) {
			printf("# left out, the framework cannot: %s: %s\n", adapter->name,
			       cases[i].name);
			continue;
		}
		snprintf(name, MAX_NAME_BYTES, "%s: %s", adapter->name, cases[i].name);
		add(suite, &(struct CMUnitTest){
				   .name = name,
				   .test_func = cases[i].run,
				   /* cmocka has no state that is constant. */
				   .initial_state = (void *)(uintptr_t)adapter,
			   });
	}
}

int
contract_http_main(const struct contract_http_adapter *adapters, size_t adapters_count,
		   const struct CMUnitTest *own, size_t own_count)
{
	static struct suite suite;

	for (size_t i = 0; i < adapters_count; i++) {
		add_cases(&suite, &adapters[i], contract_http_answers, contract_http_answers_count);
		add_cases(&suite, &adapters[i], contract_http_framing, contract_http_framing_count);
		add_cases(&suite, &adapters[i], contract_http_malformed,
			  contract_http_malformed_count);
		add_cases(&suite, &adapters[i], contract_http_raw, contract_http_raw_count);
		add_cases(&suite, &adapters[i], contract_http_random, contract_http_random_count);
		add_cases(&suite, &adapters[i], contract_http_clients, contract_http_clients_count);
	}
	for (size_t i = 0; i < own_count; i++)
		add(&suite, &own[i]);
	return _cmocka_run_group_tests(adapters[0].name, suite.tests, suite.count, NULL, NULL);
}
