/*
 * Processes that die while they run events. The broker is in memory that they share; the in-flight
 * files say which runs there were, and which of them may have killed a process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <herald/array.h>

#include "support/consumer_fixture.h"
#include "support/draw.h"

static struct fake_broker *broker;
static char folder[64];

static int
setup(void **state)
{
	const struct rlimit no_core = {0, 0};

	(void)state;
	setrlimit(RLIMIT_CORE, &no_core);
	broker = mmap(NULL, sizeof(*broker), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	strcpy(folder, "/tmp/herald-consumer-XXXXXX");
	if (broker == MAP_FAILED || !mkdtemp(folder))
		return 1;
	fake_broker_init(broker);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	char command[128];

	fake_broker_finish(broker);
	munmap(broker, sizeof(*broker));
	/* A process may have died after it settled a message and before its file says so. */
	snprintf(command, sizeof(command), "rm -f %s/herald-consumer-*", folder);
	return system(command) == 0 ? rmdir(folder) : 1;
}

static bool
is_settled(void)
{
	return fake_broker_count(broker, FAKE_DONE) + fake_broker_count(broker, FAKE_DEAD) ==
	       broker->count;
}

/* Consume until all is settled. Exits with 0, or 3: the broker has seen a fault. */
static void
consume(const struct consumer_fixture_options *options)
{
	struct consumer_fixture *f = calloc(1, sizeof(*f));
	struct herald_error error;

	broker->is_threaded = options->has_threads;
	if (!f || consumer_fixture_try(f, options, &error) != HERALD_OK)
		_exit(2);
	while (!is_settled() && broker->fault[0] == '\0')
		if (options->has_threads)
			consumer_wait_some(f);
		else
			consumer_turn(f);
	if (!options->has_threads)
		consumer_stop(f);
	consumer_fixture_free(f);
	free(f);
	_exit(broker->fault[0] == '\0' ? 0 : 3);
}

/* Starts processes until one does not die. Returns how many have. `kill_after_us` draws a time. */
static unsigned
consume_all(const struct consumer_fixture_options *options, uint64_t *kills)
{
	for (unsigned died = 0;; died++) {
		int status;
		const pid_t child = fork();

		if (child == 0)
			consume(options);
		assert_true(child > 0);
		if (kills && died < 40) {
			usleep((useconds_t)draw_below(kills, 20000));
			kill(child, SIGKILL);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (broker->fault[0] != '\0')
			fail_msg("%s", broker->fault);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return died;
		}
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), kills ? SIGKILL : SIGABRT);
		fake_broker_recover(broker);
		assert_true(died < 1000);
	}
}

static struct consumer_fixture_options
options_of(unsigned lanes, enum herald_consumer_order order, bool has_threads)
{
	return (struct consumer_fixture_options){
		.consumer = {.lanes = lanes,
			     .order = order,
			     .in_flight_folder = folder,
			     .max_in_flight = 64},
		.broker = broker,
		.has_threads = has_threads,
		.allows_repeats = true,
		.allows_gaps = has_threads,
	};
}

/* A crasher among 1,000: dead after three runs, and nothing else is. */
static void
crash_among(unsigned count, const struct consumer_fixture_options *options, unsigned crashers)
{
	for (unsigned i = 0; i < count; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", i % 17);
		fake_broker_add(broker, i % (count / crashers) == 77 ? "crash" : "done", key);
	}
	assert_int_equal(consume_all(options, NULL), 3 * crashers);
	assert_int_equal(fake_broker_count(broker, FAKE_DEAD), crashers);
	for (unsigned i = 77; i < count; i += count / crashers) {
		assert_int_equal(broker->messages[i].state, FAKE_DEAD);
		assert_int_equal(broker->messages[i].runs, 3);
		assert_int_equal(broker->messages[i].dead_attempts, 3);
		assert_string_equal(broker->messages[i].reason,
				    "after 3 attempts: the process died during 3 of them");
	}
}

static void
test_a_crasher_among_many(void **state)
{
	const struct consumer_fixture_options options = options_of(4, HERALD_ORDER_NONE, false);

	(void)state;
	crash_among(1000, &options, 1);
	/* Without threads nothing else ran when the process died; what had ended runs again. */
	for (unsigned i = 0; i < 1000; i++)
		assert_true(broker->messages[i].runs <= 4);
}

/* The broker says of each delivery that it is the first one, as Kafka may. */
static void
test_a_crasher_whose_deliveries_are_not_counted(void **state)
{
	const struct consumer_fixture_options options = options_of(4, HERALD_ORDER_NONE, false);

	(void)state;
	broker->ops.counts_late = true;
	crash_among(200, &options, 2);
}

/* Process A runs when B dies. What B ran comes to A as if for the first time. */
static void
test_a_crash_of_another_process(void **state)
{
	struct consumer_fixture_options options = options_of(0, HERALD_ORDER_NONE, false);
	struct consumer_fixture *f = calloc(1, sizeof(*f));
	int status;

	(void)state;
	assert_non_null(f);
	options.consumer.max_interrupted = 1;
	broker->ops.counts_late = true;
	consumer_fixture_init(f, &options);
	fake_broker_cut(broker);
	fake_broker_add(broker, "crash", NULL);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		consume(&options);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	fake_broker_recover(broker);
	consumer_settle(f);
	assert_int_equal(broker->messages[0].state, FAKE_DEAD);
	assert_int_equal(broker->messages[0].runs, 1);
	consumer_fixture_finish(f);
	free(f);
}

/* A is stopped before what B ran comes again. Its file is known nevertheless. */
static void
test_a_crash_before_a_stop(void **state)
{
	struct consumer_fixture_options options = options_of(0, HERALD_ORDER_NONE, false);
	struct consumer_fixture *f = calloc(1, sizeof(*f));

	(void)state;
	assert_non_null(f);
	options.consumer.max_interrupted = 1;
	consumer_fixture_init(f, &options);
	fake_broker_cut(broker);
	fake_broker_add(broker, "crash", NULL);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		consume(&options);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fake_broker_recover(broker);
	broker->is_down = true;
	consumer_fixture_finish(f);
	broker->is_down = false;
	assert_int_equal(consume_all(&options, NULL), 0);
	assert_int_equal(broker->messages[0].state, FAKE_DEAD);
	assert_int_equal(broker->messages[0].runs, 1);
	free(f);
}

/* Another process has the notes, and hangs. */
static int
hang(void)
{
	struct flock notes = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	struct flock users = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	char pattern[128];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/herald-consumer-*-notes1", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	const int fd = open(found.gl_pathv[0], O_RDWR | O_CLOEXEC);
	globfree(&found);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &users), 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &notes), 0);
	return fd;
}

/* The same while the notes cannot be written: the next one reads the file. */
static void
test_a_crash_that_cannot_be_noted(void **state)
{
	struct consumer_fixture_options options = options_of(0, HERALD_ORDER_NONE, false);
	struct consumer_fixture *f = calloc(1, sizeof(*f));

	(void)state;
	assert_non_null(f);
	options.consumer.max_interrupted = 1;
	consumer_fixture_init(f, &options);
	fake_broker_cut(broker);
	fake_broker_add(broker, "crash", NULL);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		consume(&options);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fake_broker_recover(broker);
	broker->is_down = true;
	const int fd = hang();
	consumer_fixture_finish(f);
	close(fd);
	broker->is_down = false;
	assert_int_equal(consume_all(&options, NULL), 0);
	assert_int_equal(broker->messages[0].state, FAKE_DEAD);
	assert_int_equal(broker->messages[0].runs, 1);
	free(f);
}

/* Retries are copies: no note of an original is left. */
static void
test_retries_with_another_identity(void **state)
{
	struct consumer_fixture_options options = options_of(1, HERALD_ORDER_NONE, false);
	struct consumer_fixture *f = calloc(1, sizeof(*f));

	(void)state;
	assert_non_null(f);
	options.consumer.max_delay_ms = 10;
	broker->ops.counts_late = broker->ops.renames_retries = broker->writes_attempts = true;
	for (unsigned i = 0; i < 100; i++)
		fake_broker_add(broker, "retry 4", NULL);
	consumer_fixture_init(f, &options);
	consumer_settle(f);
	for (uint64_t identity = 1; identity <= 5 * FAKE_MESSAGES; identity++)
		assert_false(herald__history_has(&f->consumer->ledger.history, identity));
	assert_int_equal(broker->retries, 300);
	consumer_fixture_finish(f);
	free(f);
}

static void
test_a_crasher_on_the_only_thread(void **state)
{
	const struct consumer_fixture_options options = options_of(0, HERALD_ORDER_KEY, false);

	(void)state;
	crash_among(500, &options, 1);
}

static void
test_a_crasher_among_threads(void **state)
{
	const struct consumer_fixture_options options = options_of(8, HERALD_ORDER_NONE, true);

	(void)state;
	crash_among(1000, &options, 1);
}

static void
test_crashers_among_keys(void **state)
{
	const struct consumer_fixture_options options = options_of(4, HERALD_ORDER_KEY, true);

	(void)state;
	crash_among(800, &options, 4);
}

/* With as many attempts as crashes, no other event may lose all of them, although the broker learns
 * of ends late, processes die again and again, and each has some events in a buffer that it has not
 * looked at. Other events run again only after the first crash of an event, before it is known. */
static void
crash_with_few_attempts(unsigned lanes, bool has_threads)
{
	struct consumer_fixture_options options = options_of(lanes, HERALD_ORDER_NONE, has_threads);
	unsigned other_runs = 0;

	options.consumer.max_attempts = 3;
	broker->settle_lag = 1;
	broker->prefetch = 32;
	for (unsigned i = 0; i < 128; i++)
		fake_broker_add(broker, i % 8 == 7 ? "crash" : "done", NULL);
	consume_all(&options, NULL);
	for (unsigned i = 0; i < 128; i++)
		if (i % 8 == 7) {
			assert_int_equal(broker->messages[i].state, FAKE_DEAD);
			assert_int_equal(broker->messages[i].dead_attempts, 3);
			assert_in_range(broker->messages[i].runs, has_threads ? 2 : 3, 3);
		} else {
			assert_int_equal(broker->messages[i].state, FAKE_DONE);
			other_runs += broker->messages[i].runs;
		}
	/* Three times as many if suspects did not run alone, after all others are settled. */
	assert_in_range(other_runs, 112, 450);
}

static void
test_few_attempts_on_the_only_thread(void **state)
{
	(void)state;
	crash_with_few_attempts(0, false);
}

static void
test_few_attempts_step_by_step(void **state)
{
	(void)state;
	crash_with_few_attempts(4, false);
}

/* rabbitmq-website#2207: one message takes others with it to the limit of deliveries. */
static void
test_few_attempts_among_threads(void **state)
{
	(void)state;
	crash_with_few_attempts(8, true);
}

/* A broker that never confirms holds up a suspect only for a while, and no stop. */
static void
stop_while_a_suspect_waits(const struct consumer_fixture_options *options)
{
	struct consumer_fixture *f = calloc(1, sizeof(*f));
	struct herald_error error;

	broker->is_threaded = true;
	broker->settle_lag = UINT32_MAX;
	broker->never_confirms = true;
	if (!f || consumer_fixture_try(f, options, &error) != HERALD_OK)
		_exit(2);
	while (consumer_counts(f).runs < 5)
		consumer_wait_some(f);
	consumer_fixture_free(f);
	_exit(0);
}

static void
test_stop_while_a_suspect_waits(void **state)
{
	const struct consumer_fixture_options options = options_of(1, HERALD_ORDER_NONE, true);
	int status;

	(void)state;
	for (int i = 0; i < 5; i++)
		fake_broker_add(broker, "done", NULL);
	fake_broker_add(broker, "crash", NULL);
	broker->is_threaded = true;
	broker->settle_lag = UINT32_MAX;
	for (int i = 0; i < 2; i++) {
		const pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0 && i == 0)
			consume(&options);
		if (child == 0)
			stop_while_a_suspect_waits(&options);
		assert_int_equal(waitpid(child, &status, 0), child);
		fake_broker_recover(broker);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	broker->never_confirms = false;
}

/* All of its runs count, also those that the broker does not know. */
static void
test_attempts_of_a_parked_message(void **state)
{
	struct consumer_fixture_options options = options_of(1, HERALD_ORDER_KEY, false);
	struct consumer_fixture *f = calloc(1, sizeof(*f));

	(void)state;
	options.consumer.max_delay_ms = 10;
	fake_broker_add(broker, "retry 6", "a");
	fake_broker_add(broker, "done", "a");
	assert_non_null(f);
	consumer_fixture_init(f, &options);
	while (f->runs_count < 3)
		consumer_turn(f);
	fake_broker_cut(broker);
	consumer_settle(f);
	assert_int_equal(broker->messages[0].deliveries, 2);
	assert_string_equal(f->runs, "0/1 0/2 0/3 0/4 0/5 0/6 1/1");
	consumer_fixture_finish(f);
	free(f);
}

/* Killed at any moment: nothing is lost, and nothing that is not at fault is a dead letter. */
static void
test_kills(void **state)
{
	struct consumer_fixture_options options = options_of(4, HERALD_ORDER_KEY, true);
	uint64_t seed = draw_seed();

	(void)state;
	options.consumer.max_attempts = 1000;
	options.consumer.max_interrupted = 41;
	options.consumer.max_delay_ms = 1;
	for (unsigned i = 0; i < FAKE_MESSAGES; i++)
		fake_broker_add(broker, i % 10 == 0 ? "retry 3" : "done", i % 3 ? "a" : NULL);
	consume_all(&options, &seed);
	assert_int_equal(fake_broker_count(broker, FAKE_DONE), FAKE_MESSAGES);
}

/* Without a folder for the file each delivery counts, but a few more are allowed. */
static void
test_without_a_file(void **state)
{
	struct consumer_fixture_options options = options_of(0, HERALD_ORDER_NONE, false);

	(void)state;
	options.consumer.in_flight_folder = "/nonexistent";
	options.consumer.max_attempts = 4;
	options.consumer.max_unknown_deliveries = 2;
	fake_broker_add(broker, "crash", NULL);
	fake_broker_add(broker, "done", NULL);
	assert_int_equal(consume_all(&options, NULL), 6);
	assert_int_equal(broker->messages[0].state, FAKE_DEAD);
	assert_int_equal(broker->messages[0].runs, 6);
	assert_string_equal(broker->messages[0].reason,
			    "after 6 attempts: the last one had no verdict");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_crasher_among_many),
		TEST(test_a_crasher_whose_deliveries_are_not_counted),
		TEST(test_a_crash_of_another_process),
		TEST(test_a_crash_before_a_stop),
		TEST(test_a_crash_that_cannot_be_noted),
		TEST(test_retries_with_another_identity),
		TEST(test_a_crasher_on_the_only_thread),
		TEST(test_a_crasher_among_threads),
		TEST(test_crashers_among_keys),
		TEST(test_few_attempts_on_the_only_thread),
		TEST(test_few_attempts_step_by_step),
		TEST(test_few_attempts_among_threads),
		TEST(test_stop_while_a_suspect_waits),
		TEST(test_attempts_of_a_parked_message),
		TEST(test_kills),
		TEST(test_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
