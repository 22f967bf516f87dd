/*
 * A consumer in an order that a seed decides: turns, steps of lanes, retries, lost connections, a
 * broker that is down, messages that are taken away, stops and other processes after them. The
 * broker and the function check each step: see fake_broker.h and consumer_fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include <herald/array.h>

#include "support/consumer_fixture.h"
#include "support/draw.h"

#define MAX_ATTEMPTS 5

static struct consumer_fixture *f;
static struct fake_broker broker;
static char folder[64];
static uint64_t seed;

static unsigned
draw(unsigned limit)
{
	return (unsigned)draw_below(&seed, limit);
}

static void
draw_broker(void)
{
	fake_broker_init(&broker);
	broker.ops.counts_releases = draw(2);
	broker.writes_attempts = draw(2);
	broker.visibility_ms = draw(2) ? 300 + draw(10000) : 0;
	broker.settle_lag = draw(3) ? 0 : 1 + draw(5);
	broker.one_delivery_each = draw(2) ? 0 : 1 + draw(10);
	broker.prefetch = draw(2) ? 0 : 1 + draw(20);
	broker.counts_undelivered = draw(2);
}

static void
draw_message(void)
{
	static const char *const actions[] = {"done",     "done",    "done",
					      "retry 2",  "later 3", "retry 9",
					      "fail 422", "unknown", "bad"};
	char key[16];

	snprintf(key, sizeof(key), "%u", draw(5));
	fake_broker_add(&broker, actions[draw(HERALD_COUNT(actions))], draw(5) ? key : NULL);
}

static struct consumer_fixture_options
draw_options(bool stops)
{
	struct consumer_fixture_options options = {
		.consumer = {.lanes = draw(4),
			     .order = draw(2),
			     .max_in_flight = 1 + draw(30),
			     .max_in_flight_bytes = draw(2) ? 0 : 500 + draw(5000),
			     .max_attempts = MAX_ATTEMPTS,
			     .max_delay_ms = 1 + draw(5000),
			     .in_flight_folder = folder},
		.broker = &broker,
		.has_jitter = draw(2),
		.allows_repeats = true,
		.checks_order = !stops,
	};

	options.checks_order = options.checks_order && options.consumer.order == HERALD_ORDER_KEY;
	return options;
}

/* A step of anyone. */
static void
step(void)
{
	const unsigned lanes = f->options.consumer.lanes;
	const unsigned what = draw(100);

	if (what < 40)
		herald__intake_turn(f->consumer);
	else if (what < 90 && lanes > 0)
		herald__lane_step(&f->consumer->lanes[draw(lanes)]);
	else if (what == 90)
		fake_broker_cut(&broker);
	else if (what == 91)
		broker.is_down = true;
	else if (what < 94)
		broker.is_down = false;
	else if (what == 94)
		broker.open_failures = draw(3);
	else if (what == 95)
		broker.is_still = !broker.is_still;
	else if (what < 98 && broker.count < 300)
		draw_message();
}

static void
check_faults(void)
{
	if (broker.fault[0] != '\0')
		fail_msg("%s", broker.fault);
}

static void
check_ends(void)
{
	for (size_t i = 0; i < broker.count; i++) {
		const struct fake_message *message = &broker.messages[i];
		const bool is_exhausted = strncmp(message->reason, "after ", 6) == 0;

		if (message->state == FAKE_DONE)
			continue;
		assert_int_equal(message->state, FAKE_DEAD);
		if (message->is_unsure)
			continue;
		if (is_exhausted)
			assert_int_equal(message->dead_attempts, MAX_ATTEMPTS);
		/* Runs whose ends came too late are repeated, and count. */
		assert_true(message->runs <= MAX_ATTEMPTS);
		assert_int_equal(message->dead_attempts, message->runs);
	}
}

/* A schedule; if it `stops`, with several consumers one after the other. */
static void
run_schedule(bool stops)
{
	draw_broker();
	for (unsigned count = draw(50); count > 0; count--)
		draw_message();
	for (unsigned lives = stops ? 1 + draw(4) : 1; lives > 0; lives--) {
		const struct consumer_fixture_options options = draw_options(stops);

		consumer_fixture_init(f, &options);
		for (unsigned steps = draw(2000); steps > 0; steps--) {
			step();
			check_faults();
		}
		broker.is_down = broker.is_still = false;
		broker.open_failures = 0;
		if (lives == 1)
			consumer_settle(f);
		consumer_fixture_finish(f);
		/* Messages of the stopped consumer whose settlements were not confirmed. */
		fake_broker_recover(&broker);
	}
	check_faults();
	check_ends();
	fake_broker_finish(&broker);
}

static void
remove_files(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/herald-consumer-*", folder);
	assert_int_equal(system(command), 0);
}

static void
test_schedules(void **state)
{
	const clock_t end = clock() + (clock_t)(draw_time_ms() * CLOCKS_PER_SEC / 1000);

	(void)state;
	while (clock() < end) {
		if (getenv("TRACE"))
			fprintf(stderr, "schedule %llu\n", (unsigned long long)seed);
		run_schedule(draw(2));
		/* Another broker's messages have the same identities. */
		remove_files();
	}
}

static int
setup(void **state)
{
	(void)state;
	seed = draw_seed();
	f = calloc(1, sizeof(*f));
	strcpy(folder, "/tmp/herald-consumer-XXXXXX");
	return f && mkdtemp(folder) ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	free(f);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_schedules, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
