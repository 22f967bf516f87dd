/*
 * Stopping, in every state.
 */
#include "probe.h"

/* 250 ms, and what a machine needs that does something else. */
#define STOP_MS 4000

/* The function may return once the consumer stops, not before. */
static void *
release_at_stop(void *state)
{
	struct probe *probe = state;

	while (probe_counts(probe).state != HERALD_CONSUMER_STOPPING)
		probe_pause();
	probe_release(probe);
	return NULL;
}

/* It waits for what runs, and gives back the rest, which another consumer gets at once. */
static void
test_stop_waits_for_what_runs(void **state)
{
	struct probe *probe = probe_create();
	struct probe *other = probe_beside(probe);
	pthread_t releasing;

	(void)state;
	probe_block(probe);
	START(probe, .lanes = 1);
	probe_publish(probe, 0, "wait", 0);
	WAIT(probe_waiting(probe) == 1);
	probe_publish(probe, 1, "done", 0);
	WAIT(probe_counts(probe).in_flight == 2);
	assert_int_equal(pthread_create(&releasing, NULL, release_at_stop, probe), 0);
	assert_int_equal(probe_stop(probe), 0);
	assert_int_equal(pthread_join(releasing, NULL), 0);
	assert_int_equal(probe_all_runs(probe), 1);
	WAIT(probe_left(probe) == 1);
	START(other, .lanes = 1);
	WAIT(probe_runs(other, 1) == 1);
	probe_finish(other);
	assert_int_equal(probe_all_runs(probe), 1);
	probe_destroy(other);
	probe_destroy(probe);
}

static void
test_stop_says_what_is_left(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	probe_block(probe);
	START(probe, .lanes = 2);
	probe_publish(probe, 0, "wait", 0);
	probe_publish(probe, 1, "wait", 0);
	WAIT(probe_waiting(probe) == 2);
	assert_int_equal(herald_consumer_stop(probe->consumer, 10), 2);
	assert_int_equal(herald_consumer_stop(probe->consumer, 10), 2);
	probe_release(probe);
	assert_int_equal(probe_stop(probe), 0);
	WAIT(probe_left(probe) == 0);
	probe_destroy(probe);
}

/* Nothing to wait for, so that it does not take long. */
static void
stops_at_once(struct probe *probe)
{
	const uint64_t begin_ms = now_ms();

	herald_consumer_stop(probe->consumer, 250);
	herald_consumer_destroy(probe->consumer);
	probe->consumer = NULL;
	assert_in_range(now_ms() - begin_ms, 0, STOP_MS);
}

static void
test_stop_while_idle(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1);
	WAIT(probe_counts(probe).connections == 1);
	stops_at_once(probe);
	probe_destroy(probe);
}

static void
test_stop_while_the_broker_is_away(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1);
	broker->kill();
	WAIT(probe_counts(probe).failures > 0);
	stops_at_once(probe);
	broker->restart();
	probe_destroy(probe);
}

static void
test_stop_while_the_broker_hangs(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1);
	broker->pause();
	stops_at_once(probe);
	broker->go_on();
	probe_destroy(probe);
}

/* The server takes connections, and says nothing. */
static void
test_stop_while_connecting(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1, .max_reconnect_delay_ms = 1);
	broker->pause();
	WAIT(probe_counts(probe).state == HERALD_CONSUMER_CONNECTING);
	stops_at_once(probe);
	broker->go_on();
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_stop_waits_for_what_runs),
	cmocka_unit_test(test_stop_says_what_is_left),
	cmocka_unit_test(test_stop_while_idle),
	cmocka_unit_test(test_stop_while_the_broker_is_away),
	cmocka_unit_test(test_stop_while_the_broker_hangs),
};
const struct case_list stop_cases = {cases, COUNT(cases)};

static const struct CMUnitTest soon_cases[] = {cmocka_unit_test(test_stop_while_connecting)};
const struct case_list stop_soon_cases = {soon_cases, COUNT(soon_cases)};
