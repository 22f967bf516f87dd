/*
 * Runs the cases of the contract on one broker. Owns the program's server, and no case.
 */
#include "suite.h"

#include <stdio.h>

#include "probe.h"

#define MAX_CASES 128

static int
start(void **state)
{
	(void)state;
	broker->start();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	broker->stop();
	return 0;
}

static size_t
add_cases(struct CMUnitTest all[MAX_CASES], size_t count, const struct case_list *list)
{
	for (size_t i = 0; i < list->count && count < MAX_CASES; i++)
		all[count++] = list->cases[i];
	return count;
}

int
broker_contract_run(const struct contract_broker *kind)
{
	const struct case_list *const lists[] = {
		&verdict_cases, &budget_cases,       &flow_cases,       &stop_cases,
		&fault_cases,   &budget_crash_cases, &fault_crash_cases};
	const struct case_list *const soon_lists[] = {&stop_soon_cases, &fault_soon_cases};
	const struct case_list *const publisher_lists[] = {
		&publisher_confirm_cases, &publisher_format_cases, &publisher_fault_cases,
		&publisher_relay_cases};
	const size_t lists_count = kind->has_threads ? COUNT(lists) - 2 : COUNT(lists);
	struct CMUnitTest all[MAX_CASES];
	size_t count = 0;

	if (!kind->exists()) {
		printf("1..1\nok 1 - %s # SKIP its server is not here\n", kind->name);
		return 0;
	}
	broker = kind;
	for (size_t i = 0; i < lists_count && !kind->publishes_only; i++)
		count = add_cases(all, count, lists[i]);
	for (size_t i = 0; i < COUNT(soon_lists) && kind->is_found_soon; i++)
		count = add_cases(all, count, soon_lists[i]);
	for (size_t i = 0; i < COUNT(publisher_lists) && kind->publisher; i++)
		count = add_cases(all, count, publisher_lists[i]);
	return _cmocka_run_group_tests(kind->name, all, count, start, stop);
}
