/*
 * Runs the contract of queues. Contains no case.
 */
#include "suite.h"

#define MAX_TESTS 64

struct entry {
	const struct contract_queue *kind;
	const struct contract_queue_case *what;
};

static void
run(void **state)
{
	const struct entry *entry = *state;

	entry->what->run(entry->kind);
}

int
contract_queue_main(const struct contract_queue *kind)
{
	static struct CMUnitTest tests[MAX_TESTS];
	static struct entry entries[MAX_TESTS];
	const struct {
		const struct contract_queue_case *cases;
		size_t count;
	} parts[] = {
		{contract_queue_slots, contract_queue_slots_count},
		{contract_queue_lives, contract_queue_lives_count},
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t j = 0; j < parts[i].count; j++) {
			if (parts[i].cases[j].needs_store && !kind->store_create)
				continue;
			assert_true(count < MAX_TESTS);
			entries[count] = (struct entry){kind, &parts[i].cases[j]};
			tests[count] = (struct CMUnitTest){
				.name = parts[i].cases[j].name,
				.test_func = run,
				.initial_state = &entries[count],
			};
			count++;
		}
	return _cmocka_run_group_tests(kind->name, tests, count, NULL, NULL);
}
