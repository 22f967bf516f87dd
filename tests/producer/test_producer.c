/*
 * A producer with its thread: waiting for confirmations, from several threads, while the connection
 * comes and goes, and at the end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/producer.h>

#include "support/draw.h"
#include "support/fake_publisher.h"

#define THREADS 4
#define MESSAGES 500

struct shared {
	struct herald_producer *producer;
	struct fake_publisher *fake;
	atomic_uint next, confirmed, unknown, other;
};

static struct fake_publisher *
begin(struct herald_producer_options options, struct herald_producer **out)
{
	struct fake_publisher *fake = fake_publisher_create();
	struct herald_error error = {0};

	fake->is_threaded = true;
	options.publisher = &fake->base;
	if (herald_producer_create(&options, out, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return fake;
}

#define BEGIN(OUT, ...) begin(HERALD_PRODUCER_OPTIONS(__VA_ARGS__), OUT)

static void *
publish_some(void *state)
{
	struct shared *shared = state;
	char id[16];

	for (int i = 0; i < MESSAGES; i++) {
		snprintf(id, sizeof(id), "m%u", atomic_fetch_add(&shared->next, 1));
		const struct herald_publication publication = {
			.topic = "t", .id = id, HERALD_BODY("x", 1)};
		const enum herald_status status =
			herald_producer_publish(shared->producer, &publication, NULL);

		if (status == HERALD_OK && fake_publisher_count(shared->fake, id) >= 1)
			shared->confirmed++;
		else if (status == HERALD_UNKNOWN_OUTCOME)
			shared->unknown++;
		else if (status == HERALD_BAD_VALUE && fake_publisher_count(shared->fake, id) == 0)
			shared->other++;
	}
	return NULL;
}

static void
publish_from_threads(struct shared *shared)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, publish_some, shared), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
test_threads(void **state)
{
	struct herald_producer_statistics counts;
	struct shared shared = {0};

	(void)state;
	shared.fake = BEGIN(&shared.producer, .timeout_ms = 30000);
	publish_from_threads(&shared);
	assert_int_equal(shared.confirmed, THREADS * MESSAGES);
	herald_producer_statistics_read(shared.producer, &counts);
	assert_int_equal(counts.confirmed, THREADS * MESSAGES);
	assert_int_equal(counts.repeated, 0);
	assert_int_equal(herald_producer_stop(shared.producer, 0), 0);
	herald_producer_destroy(shared.producer);
}

static void
test_connection_comes_and_goes(void **state)
{
	uint64_t random = draw_seed();
	struct shared shared = {0};

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random);
	shared.fake = BEGIN(&shared.producer, .timeout_ms = 3600000);
	pthread_mutex_lock(&shared.fake->mutex);
	shared.fake->loses = true;
	shared.fake->arrives = draw_one_in(&random, 2);
	pthread_mutex_unlock(&shared.fake->mutex);
	publish_from_threads(&shared);
	assert_int_equal(shared.confirmed, THREADS * MESSAGES);
	herald_producer_destroy(shared.producer);
}

static void
test_flush(void **state)
{
	const struct herald_publication publication = {.topic = "t", HERALD_BODY("x", 1)};
	struct herald_producer *producer;
	struct fake_publisher *fake = BEGIN(&producer, .timeout_ms = 30000);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(herald_producer_submit(producer, &publication, NULL, NULL, NULL),
				 HERALD_OK);
	assert_int_equal(herald_producer_flush(producer, 10000), 0);
	pthread_mutex_lock(&fake->mutex);
	assert_int_equal(fake->arrivals_count, 100);
	fake->is_silent = true;
	pthread_mutex_unlock(&fake->mutex);
	for (int i = 0; i < 3; i++)
		assert_int_equal(herald_producer_submit(producer, &publication, NULL, NULL, NULL),
				 HERALD_OK);
	assert_int_equal(herald_producer_flush(producer, 1), 3);
	assert_int_equal(herald_producer_stop(producer, 1), 3);
	herald_producer_destroy(producer);
}

static void *
publish_one(void *state)
{
	struct shared *shared = state;
	const struct herald_publication publication = {.topic = "t", HERALD_BODY("x", 1)};
	struct herald_error error = {0};

	if (herald_producer_publish(shared->producer, &publication, &error) ==
		    HERALD_UNKNOWN_OUTCOME &&
	    strcmp(error.message, "not confirmed by fake within 50 ms") == 0)
		shared->unknown++;
	return NULL;
}

/* Who waits learns of it in time, although nothing happens on the connection. */
static void
test_time_is_up(void **state)
{
	struct shared shared = {0};

	(void)state;
	shared.fake = BEGIN(&shared.producer, .timeout_ms = 50);
	pthread_mutex_lock(&shared.fake->mutex);
	shared.fake->is_silent = true;
	pthread_mutex_unlock(&shared.fake->mutex);
	publish_one(&shared);
	assert_int_equal(shared.unknown, 1);
	herald_producer_destroy(shared.producer);
}

static void
test_without_connection(void **state)
{
	const struct herald_publication publication = {.topic = "t", HERALD_BODY("x", 1)};
	struct fake_publisher *fake = fake_publisher_create();
	struct herald_producer *producer;
	struct herald_error error = {0};

	(void)state;
	fake->is_threaded = true;
	fake->open_status = HERALD_UNAVAILABLE;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base,
									 .timeout_ms = 50),
						&producer, &error),
			 HERALD_OK);
	assert_int_equal(herald_producer_publish(producer, &publication, &error),
			 HERALD_UNAVAILABLE);
	assert_string_equal(error.message,
			    "not confirmed by fake within 50 ms: the fake broker is not there");
	herald_producer_destroy(producer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_connection_comes_and_goes),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_without_connection),
	};

	return cmocka_run_group_tests_name("producer", tests, NULL, NULL);
}
