/*
 * Which events run when: order, room, and several consumers.
 */
#include "probe.h"

#include <stdio.h>

/* Eight lanes, four keys: the events of a key run in order, also if one is retried. */
static void
test_the_order_of_a_key(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d"};
	struct probe *probe = probe_create();
	int last[4] = {-1, -1, -1, -1};

	(void)state;
	START(probe, .lanes = 8, .order = HERALD_ORDER_KEY, .key_attribute = "key");
	for (int i = 0; i < 80; i++)
		probe_publish_keyed(probe, i, i % 20 == 8 ? "retry" : "done", 2, keys[i % 4]);
	probe_finish(probe);
	for (size_t i = 0; i < probe->runs_count; i++) {
		const struct run *run = &probe->runs[i];

		/* The same one again: it was retried. */
		assert_true(run->id >= last[run->id % 4]);
		last[run->id % 4] = run->id;
	}
	assert_int_equal(probe->runs_count, 84);
	probe_destroy(probe);
}

/* An event that waits, or is retried for long, holds up its key alone. */
static void
test_a_slow_key_holds_up_no_other(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	probe_block(probe);
	START(probe, .lanes = 4, .order = HERALD_ORDER_KEY, .key_attribute = "key",
	      .first_delay_ms = 600000);
	/* Two keys may share a lane: this one first. */
	probe_publish_keyed(probe, 2, "retry", 2, "retried");
	probe_publish_keyed(probe, 3, "done", 0, "retried");
	WAIT(probe_runs(probe, 2) == 1);
	probe_publish_keyed(probe, 0, "wait", 0, "slow");
	probe_publish_keyed(probe, 1, "done", 0, "slow");
	WAIT(probe_waiting(probe) == 1);
	for (int i = 10; i < 40; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%d", i);
		probe_publish_keyed(probe, i, "done", 0, key);
	}
	/* Keys share lanes: some of them wait with the slow one. */
	WAIT(probe_all_runs(probe) > 10);
	assert_int_equal(probe_runs(probe, 1), 0);
	assert_int_equal(probe_runs(probe, 3), 0);
	probe_release(probe);
	WAIT(probe_left(probe) == 2);
	assert_int_equal(probe_runs(probe, 3), 0);
	probe_destroy(probe);
}

/* parallel-consumer#832: the memory fills. */
static void
test_room_is_bounded(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	probe_block(probe);
	START(probe, .lanes = 4, .max_in_flight = 50);
	/* One after the other: a lane may take several that come together. */
	for (int i = 0; i < 4; i++) {
		probe_publish(probe, i, "wait", 0);
		WAIT(probe_waiting(probe) == (unsigned)i + 1);
	}
	probe_publish_many(probe, 100, 10000);
	WAIT(probe_counts(probe).in_flight == 50);
	probe_release(probe);
	while (probe_left(probe) > 0)
		assert_true(probe_counts(probe).in_flight <= 50);
	assert_int_equal(probe_all_runs(probe), 10004);
	probe_destroy(probe);
}

/* Longer than the visibility: other consumers do not get it. components-contrib#4599: what waits
 * comes again while it is handled. */
static void
test_what_runs_for_long_runs_once(void **state)
{
	struct probe *probe = probe_create();
	struct probe *other = probe_beside(probe);

	(void)state;
	START(probe, .lanes = 1);
	probe_publish(probe, 0, "sleep", 2 * VISIBILITY_MS);
	WAIT(probe_runs(probe, 0) == 1);
	START(other, .lanes = 1);
	/* It waits behind the other one for as long. */
	probe_publish(probe, 1, "done", 0);
	probe_finish(probe);
	assert_int_equal(probe_runs(probe, 0) + probe_runs(other, 0), 1);
	assert_int_equal(probe_runs(probe, 1) + probe_runs(other, 1), 1);
	probe_destroy(other);
	probe_destroy(probe);
}

/* More of them than the consumer has room for. nats-server#6093: they count as not acknowledged, up
 * to a limit. parallel-consumer#832: they fill the memory. */
static void
test_delayed_events_do_not_hold_up_new_ones(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2, .max_in_flight = 10, .first_delay_ms = 600000);
	for (int i = 0; i < 100; i++)
		probe_publish(probe, i, "retry", 2);
	probe_publish(probe, 100, "done", 0);
	WAIT(probe_runs(probe, 100) == 1);
	WAIT(probe_left(probe) == 100);
	assert_int_equal(probe_all_runs(probe), 101);
	probe_destroy(probe);
}

/* Consumers share the work, also while one of them comes or goes, on Kafka with rebalances. After
 * them, a group consumes nothing (watermill#210), or an older consumer does not (connect#3410,
 * parallel-consumer#857), or offsets go back (librdkafka#2782). */
static void
test_a_group_shares_the_work(void **state)
{
	struct probe *probe = probe_create();
	struct probe *other = probe_beside(probe);
	const struct probe *const both[] = {probe, other};
	static unsigned char runs[MAX_RUNS];
	int count = 4000;

	(void)state;
	START(probe, .lanes = 2, .max_in_flight = 20);
	probe_publish_many(probe, 0, count);
	WAIT(probe_all_runs(probe) > 100);
	START(other, .lanes = 2, .max_in_flight = 20);
	/* The first one may finish all before the broker has heard of the other. */
	for (; probe_all_runs(other) <= 100 && count < MAX_RUNS - 2000; count += 100)
		probe_publish_many(probe, count, 100);
	WAIT(probe_all_runs(other) > 100);
	probe_stop(probe);
	START(probe, .lanes = 2, .max_in_flight = 20);
	probe_publish_many(probe, count, 2000);
	probe_finish(probe);
	probe_finish(other);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < both[i]->runs_count; j++)
			runs[both[i]->runs[j].id]++;
	for (int i = 0; i < count + 2000; i++)
		assert_int_equal(runs[i], 1);
	probe_destroy(other);
	probe_destroy(probe);
}

/* Without lanes, on the consumer's thread. */
static void
test_no_lanes(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 0);
	probe_publish_many(probe, 0, 3000);
	probe_publish(probe, 3000, "retry", 3);
	probe_publish(probe, 3001, "fail", 0);
	WAIT(probe_dead(probe) == 1);
	probe_finish(probe);
	assert_int_equal(probe_all_runs(probe), 3004);
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_the_order_of_a_key),
	cmocka_unit_test(test_a_slow_key_holds_up_no_other),
	cmocka_unit_test(test_room_is_bounded),
	cmocka_unit_test(test_what_runs_for_long_runs_once),
	cmocka_unit_test(test_delayed_events_do_not_hold_up_new_ones),
	cmocka_unit_test(test_a_group_shares_the_work),
	cmocka_unit_test(test_no_lanes),
};
const struct case_list flow_cases = {cases, COUNT(cases)};
