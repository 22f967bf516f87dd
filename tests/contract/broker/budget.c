/*
 * How often an event runs in all.
 */
#include "probe.h"

#include <sys/wait.h>
#include <unistd.h>

#include <herald/adapter/subscriber.h>

/* components-contrib#709: a message that failed is lost. */
static void
test_the_last_attempt_is_followed_by_a_dead_letter(void **state)
{
	struct probe *probe = probe_create();
	struct contract_dead dead;

	(void)state;
	START(probe, .lanes = 2, .max_attempts = 3, .first_delay_ms = 20);
	probe_publish(probe, 0, "retry", 100);
	WAIT(probe_dead(probe) == 1);
	probe_finish(probe);
	assert_int_equal(probe_runs(probe, 0), 3);
	broker->dead(probe->source, 0, &dead);
	assert_string_equal(dead_header(&dead, "herald-reason"), "after 3 attempts: not yet");
	assert_string_equal(dead_header(&dead, "herald-attempts"), "3");
	dead_free(&dead);
	probe_destroy(probe);
}

/* Another process goes on counting. components-contrib#4174, dapr#7799: what is to be retried is
 * lost when a process ends. */
static void
test_attempts_are_counted_across_restarts(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2, .max_attempts = 4, .first_delay_ms = 500);
	probe_publish(probe, 0, "retry", 100);
	WAIT(probe_runs(probe, 0) == 2);
	assert_int_equal(probe_stop(probe), 0);
	START(probe, .lanes = 2, .max_attempts = 4, .first_delay_ms = 20);
	WAIT(probe_dead(probe) == 1);
	assert_int_equal(probe_runs(probe, 0), 4);
	assert_int_equal(probe_last(probe, 0).attempt, 4);
	probe_destroy(probe);
}

/* Stopping a consumer gives back what has not begun, which does not count as an attempt. */
static void
test_releases_cost_nothing(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	/* Brokers differ in which one comes next. */
	for (int i = 0; i < 23; i++)
		probe_publish(probe, i, "wait", 0);
	for (int round = 0; round < 3; round++) {
		probe_block(probe);
		START(probe, .lanes = 1);
		WAIT(probe_waiting(probe) == 1);
		WAIT(probe_counts(probe).in_flight == 23u - (unsigned)round);
		/* The lane gives back what it has when its function returns. */
		assert_in_range(herald_consumer_stop(probe->consumer, 10), 1, 23);
		probe_release(probe);
		assert_int_equal(probe_stop(probe), 0);
		assert_int_equal(probe_all_runs(probe), (size_t)round + 1);
	}
	START(probe, .lanes = 1);
	probe_finish(probe);
	for (int i = 0; i < 23; i++) {
		assert_int_equal(probe_runs(probe, i), 1);
		assert_in_range(probe_last(probe, i).attempt, 1,
				broker->counts_undelivered ? 2 : 1);
	}
	probe_destroy(probe);
}

/* A process, perhaps on another machine, gets messages and dies before it looks at them. */
static void
take_and_die(struct probe *probe, size_t count)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = count,
		.max_in_flight_bytes = (size_t)1 << 20,
		.max_delay_ms = 1000,
	};
	struct herald_received *taken[64];
	struct herald_subscriber *subscriber;
	size_t taken_count = 0;

	assert_int_equal(
		probe->kind->subscribe(probe->source, "group", VISIBILITY_MS, &subscriber, NULL),
		HERALD_OK);
	assert_int_equal(subscriber->ops->open(subscriber, &settings, NULL), HERALD_OK);
	while (taken_count < count) {
		struct herald_received_list list = {0};

		assert_int_equal(subscriber->ops->receive(subscriber, count - taken_count,
							  (size_t)1 << 20, 100, &list, NULL),
				 HERALD_OK);
		for (struct herald_received *at = list.first; at; at = at->next)
			taken[taken_count++] = at;
	}
	subscriber->ops->close(subscriber, 0);
	for (size_t i = 0; i < count; i++)
		subscriber->ops->settle(subscriber,
					&(struct herald_settlement){.message = taken[i],
								    .kind = HERALD_SETTLE_RELEASE,
								    .event_id = ""},
					1);
	subscriber->ops->destroy(subscriber);
}

/* The broker has counted deliveries of events that have not run: they are not dead letters.
 * rabbitmq-website#2207: one message takes others with it to the limit of deliveries. */
static void
test_deliveries_are_not_runs(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	for (int i = 0; i < 10; i++)
		probe_publish(probe, i, "done", 0);
	take_and_die(probe, 10);
	START(probe, .lanes = 2, .max_attempts = 1);
	probe_finish(probe);
	assert_int_equal(probe_counts(probe).dead, 0);
	assert_int_equal(probe_all_runs(probe), 10);
	probe_destroy(probe);
}

/* A dead letter that is sent to its origin again has all its attempts. Rebus.RabbitMq#114: it fails
 * at once, as its number of deliveries is kept. */
static void
test_a_replay_starts_anew(void **state)
{
	struct probe *probe = probe_create();
	struct contract_dead dead;

	(void)state;
	START(probe, .lanes = 1, .max_attempts = 2, .first_delay_ms = 10);
	probe_publish(probe, 0, "retry", 100);
	WAIT(probe_dead(probe) == 1);
	broker->dead(probe->source, 0, &dead);
	broker->publish(dead_header(&dead, "herald-origin"), dead.data, dead.bytes, dead.headers,
			dead.headers_count);
	dead_free(&dead);
	WAIT(probe_dead(probe) == 2);
	assert_int_equal(probe_runs(probe, 0), 4);
	assert_int_equal(probe->runs[2].attempt, 1);
	/* It has no headers of the first dead letter. */
	broker->dead(probe->source, 1, &dead);
	unsigned reasons = 0;
	for (size_t i = 0; i < dead.headers_count; i++)
		reasons += strcmp(dead.headers[i].key, "herald-reason") == 0;
	assert_int_equal(reasons, 1);
	dead_free(&dead);
	probe_destroy(probe);
}

/* A process that consumes until an event ends it, or everything is finished. */
static int
run_process(struct probe *probe)
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		START(probe, .lanes = 4, .max_attempts = 3, .max_interrupted = 3);
		while (probe_left(probe) > 0)
			probe_pause();
		herald_consumer_stop(probe->consumer, WAIT_MS);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* An event that ends the process each time is dead after its attempts: their number is not kept in
 * the process, as in Rebus.RabbitMq#114. No other event suffers, as in rabbitmq-website#2207. */
static void
test_crashes_are_attempts(void **state)
{
	struct probe *probe = probe_create();
	struct contract_dead dead;
	int crashes = 0;

	(void)state;
	probe_publish_many(probe, 100, 50);
	probe_publish(probe, 0, "crash", 0);
	probe_publish_many(probe, 200, 50);
	while (run_process(probe) == 99)
		crashes++;
	assert_int_equal(crashes, 3);
	assert_int_equal(probe_dead(probe), 1);
	broker->dead(probe->source, 0, &dead);
	assert_string_equal(dead_header(&dead, "herald-attempts"), "3");
	dead_free(&dead);
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_the_last_attempt_is_followed_by_a_dead_letter),
	cmocka_unit_test(test_attempts_are_counted_across_restarts),
	cmocka_unit_test(test_releases_cost_nothing),
	cmocka_unit_test(test_deliveries_are_not_runs),
	cmocka_unit_test(test_a_replay_starts_anew),
};
const struct case_list budget_cases = {cases, COUNT(cases)};

static const struct CMUnitTest crash_cases[] = {cmocka_unit_test(test_crashes_are_attempts)};
const struct case_list budget_crash_cases = {crash_cases, COUNT(crash_cases)};
