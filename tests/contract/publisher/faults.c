/*
 * A broker that dies, hangs or is not there. Nothing that was confirmed is lost, and what was on
 * its way arrives again with the same id.
 */
#include "writer.h"

#include <time.h>

#define KILLS 3
#define IN_FLIGHT 256

/* The broker is killed in the middle of a full window, several times. */
static void
test_the_broker_is_killed(void **state)
{
	struct writer *writer = WRITER(.max_pending = IN_FLIGHT);
	struct arrivals arrivals;
	int number = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		const size_t before = writer_confirmed(writer);

		/* At least one window, and what is confirmed meanwhile makes room. */
		while (writer_confirmed(writer) < before + IN_FLIGHT)
			number += writer_try(writer, number) == HERALD_OK;
		while (writer_try(writer, number) == HERALD_OK)
			number++;
		broker->kill();
		broker->restart();
	}
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), number);
	writer_read(writer, &arrivals);
	const size_t repeated = arrivals_repeated(&arrivals, number);
	assert_true(repeated <= (broker->deduplicates ? 0 : (size_t)KILLS * IN_FLIGHT));
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

static void
test_the_broker_hangs(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);
	struct arrivals arrivals;

	(void)state;
	writer_submit(writer, 0, 10);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	broker->pause();
	writer_submit(writer, 10, 10);
	WAIT(herald_producer_health(writer->producer, NULL) == HERALD_UNAVAILABLE);
	broker->go_on();
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 20);
	/* What it had confirmed before may arrive when the connection is already given up. */
	WAIT(herald_producer_health(writer->producer, NULL) == HERALD_OK);
	assert_true(writer_counts(writer).connections >= 2);
	writer_read(writer, &arrivals);
	arrivals_repeated(&arrivals, 20);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* An idle producer notices that its connection is gone, and has another one before the next
 * message. */
static void
test_an_idle_producer_connects_again(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);

	(void)state;
	assert_int_equal(writer_counts(writer).connections, 1);
	broker->kill();
	broker->restart();
	WAIT(writer_counts(writer).connections == 2);
	writer_submit(writer, 0, 1);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 1);
	assert_int_equal(writer_counts(writer).repeated, 0);
	writer_destroy(writer);
}

static void
test_the_broker_is_absent_at_the_start(void **state)
{
	struct writer *before = WRITER(.max_pending = 0);

	(void)state;
	broker->kill();
	struct writer *writer = writer_create(&HERALD_PRODUCER_OPTIONS(.max_pending = 0), false);
	strcpy(writer->topic, before->topic);
	assert_int_equal(herald_producer_health(writer->producer, NULL), HERALD_UNAVAILABLE);
	writer_submit(writer, 0, 10);
	broker->restart();
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 10);
	writer_destroy(writer);
	writer_destroy(before);
}

/* A message that a hanging broker does not confirm fails in time, although it may arrive. */
static void
test_a_message_ends_in_time(void **state)
{
	struct writer *writer = WRITER(.timeout_ms = 300);
	const uint64_t begin_ms = now_ms();

	(void)state;
	broker->pause();
	writer_submit(writer, 0, 1);
	WAIT(writer_ended(writer) == 1);
	broker->go_on();
	assert_in_range(now_ms() - begin_ms, 300, 300 + WRITER_SILENCE_MS + 2000);
	assert_int_equal(writer->ends[0].status, HERALD_UNKNOWN_OUTCOME);
	assert_true(writer->ends[0].reason[0] != '\0');
	writer_destroy(writer);
}

/* Ends, in every state. What has no confirmation fails. */
static void
ends_at_once(struct writer *writer, size_t messages)
{
	const uint64_t begin_ms = now_ms();

	writer_end(writer);
	assert_true(now_ms() - begin_ms < 3000);
	assert_int_equal(writer->ended, messages);
	writer_destroy(writer);
}

static void
test_destroy_while_idle(void **state)
{
	(void)state;
	ends_at_once(WRITER(.max_pending = 0), 0);
}

/* A broker that hangs does not hold up the end. */
static void
test_destroy_while_the_broker_hangs(void **state)
{
	struct writer *writer = WRITER(.max_pending_bytes = 256 << 20);
	static char body[1 << 20];

	(void)state;
	broker->pause();
	writer_submit(writer, 0, 50);
	/* More than sockets take. */
	for (int i = 0; i < 20; i++) {
		const struct herald_publication publication = {.topic = writer->topic,
							       HERALD_BODY(body, sizeof(body))};

		assert_int_equal(
			herald_producer_submit(writer->producer, &publication, NULL, NULL, NULL),
			HERALD_OK);
	}
	assert_int_equal(herald_producer_flush(writer->producer, 100), 70);
	ends_at_once(writer, 50);
	broker->go_on();
}

static void
test_destroy_while_the_broker_is_away(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);

	(void)state;
	broker->kill();
	writer_submit(writer, 0, 10);
	WAIT(writer_counts(writer).failures > 0);
	ends_at_once(writer, 10);
	broker->restart();
}

/* The server takes connections, and says nothing. */
static void
test_destroy_while_connecting(void **state)
{
	enum { PATIENT_MS = 4000, END_MS = 1500 };
	struct writer *writer = WRITER(.max_pending = 0);
	struct herald_producer_options options =
		HERALD_PRODUCER_OPTIONS(.timeout_ms = 120000, .max_reconnect_delay_ms = 1);

	(void)state;
	writer_end(writer);
	assert_int_equal(broker->publisher(PATIENT_MS, &options.publisher, NULL), HERALD_OK);
	assert_int_equal(herald_producer_create(&options, &writer->producer, NULL), HERALD_OK);
	broker->pause();
	writer_submit(writer, 0, 1);
	WAIT(herald_producer_health(writer->producer, NULL) == HERALD_UNAVAILABLE);
	const uint64_t begin_ms = now_ms();
	writer_end(writer);
	assert_in_range(now_ms() - begin_ms, 0, END_MS);
	assert_int_equal(writer->ended, 1);
	broker->go_on();
	writer_destroy(writer);
}

static uint64_t
cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* More than the window takes. All end by their age, also the one that had no room; then there is
 * room again, and nothing to do. */
static void
test_idle_after_a_full_window(void **state)
{
	enum { COUNT = 20, BYTES = 300000, IDLE_MS = 500 };
	const struct timespec idle = {0, IDLE_MS * 1000000L};
	struct writer *writer = WRITER(.timeout_ms = 300);
	char *body = test_calloc(1, BYTES);
	const struct herald_publication publication = {.topic = writer->topic,
						       HERALD_BODY(body, BYTES)};

	(void)state;
	broker->pause();
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
			herald_producer_submit(writer->producer, &publication, NULL, NULL, NULL),
			HERALD_OK);
	WAIT(writer_counts(writer).failed == COUNT);
	broker->go_on();
	/* The publisher returns what it had sent. */
	WAIT(writer_counts(writer).pending_bytes == 0);
	const uint64_t begin_ms = cpu_ms();
	nanosleep(&idle, NULL);
	assert_in_range(cpu_ms() - begin_ms, 0, IDLE_MS / 5);
	test_free(body);
	writer_destroy(writer);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_the_broker_is_killed),
	cmocka_unit_test(test_the_broker_hangs),
	cmocka_unit_test(test_an_idle_producer_connects_again),
	cmocka_unit_test(test_the_broker_is_absent_at_the_start),
	cmocka_unit_test(test_a_message_ends_in_time),
	cmocka_unit_test(test_destroy_while_idle),
	cmocka_unit_test(test_destroy_while_the_broker_hangs),
	cmocka_unit_test(test_destroy_while_the_broker_is_away),
	cmocka_unit_test(test_destroy_while_connecting),
	cmocka_unit_test(test_idle_after_a_full_window),
};
const struct case_list publisher_fault_cases = {cases, COUNT(cases)};
