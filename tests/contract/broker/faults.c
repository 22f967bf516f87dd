/*
 * A broker, or a consumer, that dies. Nothing is lost, and only what was in flight runs twice.
 */
#include "probe.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS 6000
#define IN_FLIGHT 64
#define KILLS 20

/* How often each event has run. Returns the number of runs too many; fails if one has not run. */
static size_t
check_runs(struct probe *probe, size_t count)
{
	unsigned char runs[EVENTS] = {0};
	size_t repeated = 0;

	for (size_t i = 0; i < probe->runs_count; i++)
		runs[probe->runs[i].id]++;
	for (size_t i = 0; i < count; i++) {
		if (runs[i] == 0)
			fail_msg("event %zu is lost", i);
		repeated += runs[i] - 1u;
	}
	return repeated;
}

/* Consumers that do not go on: nats-server#2397, wolverine#937, #1439. */
static void
test_the_broker_is_killed(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2, .max_in_flight = IN_FLIGHT, .max_attempts = 2);
	for (int i = 0; i < 5; i++) {
		const size_t before = probe_all_runs(probe);

		probe_publish_many(probe, i * 1000, 1000);
		WAIT(probe_all_runs(probe) > before + 100);
		broker->kill();
		broker->restart();
	}
	probe_finish(probe);
	const size_t repeated = check_runs(probe, 5000);
	assert_true(broker->stores_ends_later || repeated <= (size_t)5 * IN_FLIGHT);
	assert_int_equal(probe_counts(probe).dead, 0);
	probe_destroy(probe);
}

/* A broker that hangs is left, and found again. rabbitmq-c#391: a peer that is gone is not
 * noticed. */
static void
test_the_broker_hangs(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2);
	probe_publish(probe, 0, "done", 0);
	WAIT(probe_runs(probe, 0) == 1);
	broker->pause();
	WAIT(probe_counts(probe).state == HERALD_CONSUMER_CONNECTING);
	assert_int_equal(herald_consumer_health(probe->consumer, NULL), HERALD_UNAVAILABLE);
	broker->go_on();
	probe_publish(probe, 1, "done", 0);
	probe_finish(probe);
	assert_true(probe_runs(probe, 1) >= 1);
	assert_int_equal(herald_consumer_health(probe->consumer, NULL), HERALD_OK);
	probe_destroy(probe);
}

/* The consumer is there before the broker. */
static void
test_the_broker_is_absent_at_the_start(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	broker->kill();
	START(probe, .lanes = 2);
	assert_int_equal(probe_counts(probe).state, HERALD_CONSUMER_CONNECTING);
	broker->restart();
	probe_publish(probe, 0, "done", 0);
	WAIT(probe_runs(probe, 0) == 1);
	probe_finish(probe);
	probe_destroy(probe);
}

/* Also if it was away for a while (wolverine#937, #1439). */
static void
test_it_goes_on_soon(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2);
	probe_publish(probe, 0, "done", 0);
	WAIT(probe_runs(probe, 0) == 1);
	broker->kill();
	WAIT(probe_counts(probe).failures >= 8);
	broker->restart();
	const uint64_t begin_ms = now_ms();
	probe_publish(probe, 1, "done", 0);
	WAIT(probe_runs(probe, 1) == 1);
	assert_in_range(now_ms() - begin_ms, 0, 1000 + 5000);
	probe_destroy(probe);
}

/* How many of the events have run. */
static unsigned
count_run(struct probe *probe, unsigned first, unsigned last)
{
	unsigned count = 0;

	for (unsigned i = first; i <= last; i++)
		count += probe_runs(probe, i) > 0;
	return count;
}

/* components-contrib#3219: the consumer fails for ever. */
static void
test_what_is_consumed_is_deleted(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2);
	probe_publish(probe, 0, "done", 0);
	probe_finish(probe);
	broker->delete_source(probe->source);
	if (broker->may_miss_deletion) {
		/* The place of one message was consumed before. */
		for (unsigned i = 1; i <= 8; i++)
			probe_publish(probe, i, "done", 0);
		WAIT(count_run(probe, 1, 8) >= 7);
	} else {
		probe_publish(probe, 1, "done", 0);
		WAIT(probe_runs(probe, 1) == 1);
		probe_finish(probe);
		assert_true(probe_counts(probe).failures > 0);
	}
	probe_destroy(probe);
}

/* Processes that consume until they are killed. Their tally is in memory that they share. */

static pid_t
start_process(struct probe *probe)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	START(probe, .lanes = 2, .max_in_flight = IN_FLIGHT, .max_attempts = 2);
	for (;;)
		pause();
}

/* The number of all runs. */
static size_t
sum_of(const unsigned char *tally)
{
	size_t sum = 0;

	for (size_t i = 0; i < EVENTS; i++)
		sum += __atomic_load_n(&tally[i], __ATOMIC_RELAXED);
	return sum;
}

static void
test_consumers_are_killed(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	probe->tally =
		mmap(NULL, EVENTS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(probe->tally != MAP_FAILED);
	probe_publish_many(probe, 0, EVENTS);
	for (int i = 0; i < KILLS; i++) {
		const size_t before = sum_of(probe->tally);
		const pid_t pid = start_process(probe);

		WAIT(sum_of(probe->tally) > before + 50 || probe_left(probe) == 0);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	START(probe, .lanes = 2, .max_attempts = 2);
	probe_finish(probe);
	for (size_t i = 0; i < EVENTS; i++)
		assert_true(probe->tally[i] > 0);
	assert_in_range(sum_of(probe->tally), EVENTS, EVENTS + KILLS * IN_FLIGHT);
	assert_int_equal(probe_dead(probe), 0);
	munmap(probe->tally, EVENTS);
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_the_broker_is_killed),
	cmocka_unit_test(test_the_broker_hangs),
	cmocka_unit_test(test_the_broker_is_absent_at_the_start),
	cmocka_unit_test(test_what_is_consumed_is_deleted),
};
const struct case_list fault_cases = {cases, COUNT(cases)};

static const struct CMUnitTest soon_cases[] = {cmocka_unit_test(test_it_goes_on_soon)};
const struct case_list fault_soon_cases = {soon_cases, COUNT(soon_cases)};

static const struct CMUnitTest crash_cases[] = {cmocka_unit_test(test_consumers_are_killed)};
const struct case_list fault_crash_cases = {crash_cases, COUNT(crash_cases)};
