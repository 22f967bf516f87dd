/*
 * Runs the HTTP contract: every case once for each adapter, named after both. Contains no case.
 *
 * A failed test leaves servers and threads behind that use the stack of a function that has
 * returned. So the process ends at the first failure, once cmocka has reported it.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCS_PATH "docs/adapters.md"
#define MAX_TESTS 512
#define MAX_NAME_BYTES 128

/* A test, which is the state of what cmocka runs in its place. */
struct entry {
	CMUnitTestFunction run;
	void *state;
};

struct suite {
	struct CMUnitTest tests[MAX_TESTS];
	struct entry entries[MAX_TESTS];
	char names[MAX_TESTS][MAX_NAME_BYTES];
	size_t count;
};

/* cmocka leaves a test that fails by longjmp(). */
static bool is_running;

static void
run(void **state)
{
	const struct entry *entry = *state;
	void *own_state = entry->state;

	is_running = true;
	entry->run(&own_state);
	is_running = false;
}

/* Without the handlers of exit(), which would meet the threads that are left. */
static void
end_process(void)
{
	fflush(NULL);
	_exit(EXIT_FAILURE);
}

/* Before each test, when the result of the previous one has been reported. */
static int
end_if_failed(void **state)
{
	(void)state;
	if (is_running) {
		printf("Bail out! The test that failed has left its server behind.\n");
		end_process();
	}
	return 0;
}

static void
add(struct suite *suite, const char *name, CMUnitTestFunction function, void *state)
{
	assert_true(suite->count < MAX_TESTS);
	struct entry *entry = &suite->entries[suite->count];

	*entry = (struct entry){function, state};
	suite->tests[suite->count++] = (struct CMUnitTest){
		.name = name,
		.test_func = run,
		.setup_func = end_if_failed,
		.initial_state = entry,
	};
}

/* Add the cases for which the adapter has the capabilities. */
static void
add_cases(struct suite *suite, const struct contract_http_adapter *adapter,
	  const struct contract_http_case *cases, size_t cases_count)
{
	for (size_t i = 0; i < cases_count; i++) {
		char *name = suite->names[suite->count];

		if (adapter->only != 0 && (cases[i].needs & adapter->only) == 0)
			continue;
		if ((adapter->capabilities & cases[i].needs) != cases[i].needs) {
			printf("# left out, the framework cannot: %s: %s\n", adapter->name,
			       cases[i].name);
			continue;
		}
		snprintf(name, MAX_NAME_BYTES, "%s: %s", adapter->name, cases[i].name);
		/* cmocka has no state that is constant. */
		add(suite, name, cases[i].run, (void *)(uintptr_t)adapter);
	}
}

static const char *
read_docs(void)
{
	static char text[128 * 1024];
	FILE *file = fopen(DOCS_PATH, "r");

	assert_non_null(file);
	size_t bytes = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[bytes] = '\0';
	return text;
}

bool
contract_http_is_documented(const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	if (strstr(read_docs(), quoted))
		return true;
	print_error("%s does not name %s\n", DOCS_PATH, quoted);
	return false;
}

int
contract_http_main(const struct contract_http_adapter *adapters, size_t adapters_count,
		   const struct CMUnitTest *own, size_t own_count)
{
	static struct suite suite;

	for (size_t i = 0; i < adapters_count; i++) {
		add_cases(&suite, &adapters[i], contract_http_answers, contract_http_answers_count);
		add_cases(&suite, &adapters[i], contract_http_own_answers,
			  contract_http_own_answers_count);
		add_cases(&suite, &adapters[i], contract_http_codings, contract_http_codings_count);
		add_cases(&suite, &adapters[i], contract_http_framing, contract_http_framing_count);
		add_cases(&suite, &adapters[i], contract_http_malformed,
			  contract_http_malformed_count);
		add_cases(&suite, &adapters[i], contract_http_raw, contract_http_raw_count);
		add_cases(&suite, &adapters[i], contract_http_memory, contract_http_memory_count);
		add_cases(&suite, &adapters[i], contract_http_random, contract_http_random_count);
		add_cases(&suite, &adapters[i], contract_http_clients, contract_http_clients_count);
		add_cases(&suite, &adapters[i], contract_http_hostile, contract_http_hostile_count);
		add_cases(&suite, &adapters[i], contract_http_stop, contract_http_stop_count);
		add_cases(&suite, &adapters[i], contract_http_durable, contract_http_durable_count);
		add_cases(&suite, &adapters[i], contract_http_signatures,
			  contract_http_signatures_count);
		add_cases(&suite, &adapters[i], contract_http_traces, contract_http_traces_count);
		add_cases(&suite, &adapters[i], contract_http_formats, contract_http_formats_count);
		add_cases(&suite, &adapters[i], contract_http_hidden, contract_http_hidden_count);
	}
	for (size_t i = 0; i < own_count; i++) {
		assert_true(!own[i].setup_func && !own[i].teardown_func);
		add(&suite, own[i].name, own[i].test_func, own[i].initial_state);
	}
	if (_cmocka_run_group_tests(adapters[0].name, suite.tests, suite.count, NULL, NULL) != 0)
		end_process();
	return 0;
}
