/*
 * Runs the contract of databases. Contains no case.
 */
#include "suite.h"

#define MAX_TESTS 256

struct entry {
	const struct contract_store *kind;
	const struct contract_store_case *what;
};

struct plan {
	struct CMUnitTest tests[MAX_TESTS];
	struct entry entries[MAX_TESTS];
	size_t count;
};

static void
run(void **state)
{
	const struct entry *entry = *state;

	entry->what->run(entry->kind);
}

static bool
has_leases(const struct contract_store *kind)
{
	void *place = kind->place_create();
	struct herald_database *database = kind->create(place);
	bool has = database->ops->has_leases;

	database->ops->destroy(database);
	kind->place_destroy(place);
	return has;
}

static void
add(struct plan *plan, const struct contract_store *kind, const struct contract_store_case *cases,
    size_t count)
{
	bool leases = has_leases(kind);

	for (size_t i = 0; i < count; i++) {
		if ((cases[i].needs == NEEDS_TWO_NODES && kind->is_exclusive) ||
		    (cases[i].needs == NEEDS_LEASES && (!leases || kind->is_exclusive)))
			continue;
		assert_true(plan->count < MAX_TESTS);
		plan->entries[plan->count] = (struct entry){kind, &cases[i]};
		plan->tests[plan->count] = (struct CMUnitTest){
			.name = cases[i].name,
			.test_func = run,
			.initial_state = &plan->entries[plan->count],
		};
		plan->count++;
	}
}

int
contract_store_main(const struct contract_store *kind)
{
	static struct plan plan;

#define ADD(NAME) add(&plan, kind, contract_store_##NAME, contract_store_##NAME##_count);
	CONTRACT_STORE_PARTS(ADD)
#undef ADD
	return _cmocka_run_group_tests(kind->name, plan.tests, plan.count, NULL, NULL);
}
