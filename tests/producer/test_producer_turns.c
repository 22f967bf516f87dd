/*
 * The producer's thread step by step, with a clock that only the test moves: what is sent again and
 * when, what a message ends as, and that each ends once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>
#include <herald/producer.h>

#include "producer/producer.h"
#include "producer/state.h"
#include "producer/turn.h"
#include "support/draw.h"
#include "support/failing_allocator.h"
#include "support/fake_publisher.h"

struct fixture {
	uint64_t now_ms, random_state;
	struct herald__delivery_clock clock;
	struct fake_publisher *fake;
	struct herald_producer *producer;
};

static uint64_t
now_ms(void *state)
{
	return ((struct fixture *)state)->now_ms;
}

static uint64_t
draw_bits(void *state)
{
	return draw_below(&((struct fixture *)state)->random_state, 1u << 31) << 33;
}

static void
begin(struct fixture *fixture, struct herald_producer_options options)
{
	struct herald_error error = {0};

	*fixture = (struct fixture){.now_ms = 1000};
	fixture->clock = (struct herald__delivery_clock){
		.now_ms = now_ms, .random = draw_bits, .state = fixture};
	fixture->fake = fake_publisher_create();
	options.publisher = &fixture->fake->base;
	if (herald__producer_create(&options, &fixture->clock, &fixture->producer, &error))
		fail_msg("%s", error.message);
}

#define BEGIN(FIXTURE, ...) begin(FIXTURE, HERALD_PRODUCER_OPTIONS(__VA_ARGS__))

/* The end of a message. */
struct end {
	unsigned calls;
	enum herald_status status;
	char reason[256];
};

static void
note_end(enum herald_status status, const char *reason, void *state)
{
	struct end *end = state;

	end->calls++;
	end->status = status;
	snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

static enum herald_status
submit(struct fixture *fixture, const char *id, struct end *end)
{
	const struct herald_publication publication = {
		.topic = "orders", .id = id, HERALD_BODY("{}", 2)};
	struct herald_error error = {0};

	return herald_producer_submit(fixture->producer, &publication, note_end, end, &error);
}

static void
turn(struct fixture *fixture)
{
	herald__producer_turn(fixture->producer);
}

static void
assert_ended(const struct end *end, enum herald_status status, const char *reason)
{
	assert_int_equal(end->calls, 1);
	assert_int_equal(end->status, status);
	assert_string_equal(end->reason, reason);
}

/* The ids in the order in which they arrived: "a b c". */
static void
assert_arrivals(const struct fixture *fixture, const char *ids)
{
	char found[256] = "";

	for (size_t i = 0; i < fixture->fake->arrivals_count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
			 fixture->fake->arrivals[i].id);
	assert_string_equal(found, ids);
}

static void
test_confirmed(void **state)
{
	static const char *const headers[] = {"X-Tenant:  acme ", "traceparent: 00-1"};
	const struct herald_publication publication = {
		.topic = "orders.paid",
		.key = "user-17",
		HERALD_BODY("<paid/>", 7),
		.content_type = "application/xml",
		HERALD_HEADERS(headers),
	};
	struct herald_producer_statistics counts;
	struct fixture fixture;
	struct end end = {0};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 30000);
	assert_int_equal(
		herald_producer_submit(fixture.producer, &publication, note_end, &end, NULL),
		HERALD_OK);
	turn(&fixture);
	assert_ended(&end, HERALD_OK, "");
	assert_int_equal(fixture.fake->arrivals_count, 1);
	const struct fake_arrival *arrival = &fixture.fake->arrivals[0];
	assert_string_equal(arrival->topic, "orders.paid");
	assert_string_equal(arrival->key, "user-17");
	assert_string_equal(arrival->data, "<paid/>");
	assert_string_equal(arrival->content_type, "application/xml");
	assert_int_equal(strlen(arrival->id), 32);
	static const char attributes[] = "X-Tenant\0acme\0traceparent\0"
					 "00-1";
	assert_int_equal(arrival->attributes_bytes, sizeof(attributes));
	assert_memory_equal(arrival->attributes, attributes, sizeof(attributes));
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_int_equal(counts.submitted, 1);
	assert_int_equal(counts.confirmed, 1);
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.pending_bytes, 0);
	herald_producer_destroy(fixture.producer);
}

/* It has arrived, or not: it is sent again with its id, before what came later. */
static void
test_connection_is_lost(void **state)
{
	struct herald_producer_statistics counts;
	struct fixture fixture;
	struct end ends[3] = {{0}};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 30000);
	fixture.fake->loses = true;
	fixture.fake->arrives = true;
	submit(&fixture, "a", &ends[0]);
	submit(&fixture, "b", &ends[1]);
	turn(&fixture);
	assert_int_equal(herald_producer_health(fixture.producer, NULL), HERALD_UNAVAILABLE);
	submit(&fixture, "c", &ends[2]);
	fixture.now_ms += 200;
	turn(&fixture);
	for (int i = 0; i < 3; i++)
		assert_ended(&ends[i], HERALD_OK, "");
	assert_arrivals(&fixture, "a b a b c");
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_int_equal(counts.repeated, 2);
	assert_int_equal(counts.connections, 2);
	assert_int_equal(counts.failures, 1);
	assert_int_equal(herald_producer_health(fixture.producer, NULL), HERALD_OK);
	herald_producer_destroy(fixture.producer);
}

static void
test_silent_broker(void **state)
{
	struct fixture fixture;
	struct end end = {0};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 500);
	fixture.fake->is_silent = true;
	submit(&fixture, "a", &end);
	turn(&fixture);
	assert_int_equal(fixture.fake->last_wait_ms, 500);
	fixture.now_ms += 499;
	turn(&fixture);
	assert_int_equal(end.calls, 0);
	assert_int_equal(fixture.fake->last_wait_ms, 1);
	fixture.now_ms++;
	turn(&fixture);
	assert_ended(&end, HERALD_UNKNOWN_OUTCOME, "not confirmed by fake within 500 ms");
	assert_int_equal(fixture.fake->held.count, 1);
	/* Its answer comes too late. */
	fixture.fake->is_silent = false;
	turn(&fixture);
	assert_int_equal(end.calls, 1);
	assert_int_equal(fixture.fake->sends, 1);
	herald_producer_destroy(fixture.producer);
}

/* It has the messages after their end: it gets no more than max_pending, and their bytes count. */
static void
test_silent_broker_is_full(void **state)
{
	struct herald_producer_statistics counts;
	struct fixture fixture;
	struct end ends[7] = {{0}};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 500, .max_pending = 2, .max_pending_bytes = 9);
	fixture.fake->is_silent = true;
	submit(&fixture, "a", &ends[0]);
	submit(&fixture, "b", &ends[1]);
	turn(&fixture);
	fixture.now_ms += 500;
	turn(&fixture);
	assert_ended(&ends[1], HERALD_UNKNOWN_OUTCOME, "not confirmed by fake within 500 ms");
	assert_int_equal(herald_producer_flush(fixture.producer, 0), 0);
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.pending_bytes, 4);
	assert_int_equal(submit(&fixture, "c", &ends[2]), HERALD_OK);
	assert_int_equal(submit(&fixture, "d", &ends[3]), HERALD_OK);
	turn(&fixture);
	assert_int_equal(fixture.fake->held.count, 2);
	assert_int_equal(fixture.fake->sends, 2);
	assert_int_equal(fixture.fake->last_wait_ms, 500);
	/* Messages that the publisher does not have release their bytes. */
	fixture.now_ms += 500;
	turn(&fixture);
	assert_ended(&ends[3], HERALD_UNAVAILABLE, "not confirmed by fake within 500 ms");
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_int_equal(counts.pending_bytes, 4);
	fixture.fake->is_silent = false;
	submit(&fixture, "e", &ends[4]);
	turn(&fixture);
	turn(&fixture);
	assert_ended(&ends[4], HERALD_OK, "");
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_int_equal(counts.pending_bytes, 0);
	/* Bytes of ended messages count for the limit, too. */
	herald_producer_destroy(fixture.producer);
	BEGIN(&fixture, .timeout_ms = 500, .max_pending = 2, .max_pending_bytes = 3);
	fixture.fake->is_silent = true;
	submit(&fixture, "f", &ends[5]);
	turn(&fixture);
	fixture.now_ms += 500;
	turn(&fixture);
	assert_int_equal(submit(&fixture, "g", &ends[6]), HERALD_LIMIT);
	herald_producer_destroy(fixture.producer);
}

static void
test_never_connected(void **state)
{
	struct herald_producer_statistics counts;
	struct fixture fixture;
	struct end end = {0};
	struct herald_error error = {0};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 60000);
	fixture.fake->loses = true;
	fixture.fake->open_status = HERALD_UNAVAILABLE;
	turn(&fixture);
	submit(&fixture, "a", &end);
	for (int i = 0; i < 60000; i++, fixture.now_ms++)
		turn(&fixture);
	assert_int_equal(end.calls, 0);
	turn(&fixture);
	assert_ended(&end, HERALD_UNAVAILABLE,
		     "not confirmed by fake within 60000 ms: the fake broker is not there");
	assert_int_equal(herald_producer_health(fixture.producer, &error), HERALD_UNAVAILABLE);
	assert_string_equal(error.message, "the fake broker is not there");
	/* With pauses of 100 to 750 ms, of 425 ms on average. */
	herald_producer_statistics_read(fixture.producer, &counts);
	assert_in_range(counts.failures, 100, 200);
	assert_in_range(fixture.producer->connect_ms - fixture.now_ms, 0, 750);
	assert_int_equal(fixture.producer->waiting.count, 0);
	herald_producer_destroy(fixture.producer);
}

static void
test_refused(void **state)
{
	struct fixture fixture;
	struct end ends[2] = {{0}};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 30000);
	fixture.fake->refuses = HERALD_TOO_LARGE;
	submit(&fixture, "a", &ends[0]);
	turn(&fixture);
	assert_ended(&ends[0], HERALD_TOO_LARGE, "the fake broker refuses it");
	fixture.fake->refuses = HERALD_OK;
	fixture.fake->answers = HERALD_BAD_VALUE;
	submit(&fixture, "b", &ends[1]);
	turn(&fixture);
	assert_ended(&ends[1], HERALD_BAD_VALUE, "the fake broker says no");
	assert_arrivals(&fixture, "");
	herald_producer_destroy(fixture.producer);
}

/* It has not arrived, and there is a connection: sent again with growing pauses. */
static void
test_put_off(void **state)
{
	struct fixture fixture;
	struct end end = {0};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 60000);
	fixture.fake->answers = HERALD_UNAVAILABLE;
	submit(&fixture, "a", &end);
	for (int i = 0; i < 30000; i++, fixture.now_ms++)
		turn(&fixture);
	assert_in_range(fixture.fake->sends, 5, 40);
	fixture.fake->answers = HERALD_OK;
	for (int i = 0; i < 10001 && end.calls == 0; i++, fixture.now_ms++)
		turn(&fixture);
	assert_ended(&end, HERALD_OK, "");
	assert_arrivals(&fixture, "a");
	herald_producer_destroy(fixture.producer);
}

/* One message pauses: the others go on in their order, and it is not sent again all the time. */
static void
test_one_topic_put_off(void **state)
{
	const struct herald_publication publication = {
		.topic = "missing", .id = "x", HERALD_BODY("{}", 2)};
	struct fixture fixture;
	struct end end = {0}, ends[26] = {{0}};
	char id[] = "a";

	(void)state;
	BEGIN(&fixture, .timeout_ms = 60000);
	fixture.fake->missing = "missing";
	assert_int_equal(
		herald_producer_submit(fixture.producer, &publication, note_end, &end, NULL),
		HERALD_OK);
	for (size_t i = 0; i < HERALD_COUNT(ends); i++, id[0]++) {
		submit(&fixture, id, &ends[i]);
		turn(&fixture);
		assert_ended(&ends[i], HERALD_OK, "");
		for (int ms = 0; ms < 1000; ms++, fixture.now_ms++)
			turn(&fixture);
	}
	assert_arrivals(&fixture, "a b c d e f g h i j k l m n o p q r s t u v w x y z");
	assert_in_range(fixture.fake->sends, 26 + 5, 26 + 40);
	assert_int_equal(end.calls, 0);
	fixture.fake->missing = NULL;
	for (int ms = 0; ms < 10001 && end.calls == 0; ms++, fixture.now_ms++)
		turn(&fixture);
	assert_ended(&end, HERALD_OK, "");
	herald_producer_destroy(fixture.producer);
}

static void
test_not_arrived_in_time(void **state)
{
	struct fixture fixture;
	struct end end = {0};

	(void)state;
	BEGIN(&fixture, .timeout_ms = 50);
	fixture.fake->answers = HERALD_UNAVAILABLE;
	submit(&fixture, "a", &end);
	turn(&fixture);
	fixture.now_ms += 50;
	turn(&fixture);
	assert_ended(&end, HERALD_UNAVAILABLE,
		     "not confirmed by fake within 50 ms: the fake broker says no");
	assert_int_equal(fixture.producer->waiting.count, 0);
	assert_int_equal(fixture.producer->put_off.count, 0);
	herald_producer_destroy(fixture.producer);
}

static void
test_window(void **state)
{
	struct fixture fixture;
	struct end ends[5] = {{0}};
	char id[] = "a";

	(void)state;
	BEGIN(&fixture, .timeout_ms = 30000);
	fixture.fake->window = 2;
	fixture.fake->is_silent = true;
	for (int i = 0; i < 5; i++, id[0]++)
		submit(&fixture, id, &ends[i]);
	turn(&fixture);
	assert_int_equal(fixture.fake->held.count, 2);
	assert_int_equal(fixture.fake->sends, 3);
	assert_int_equal(fixture.fake->last_wait_ms, HERALD__PRODUCER_WAIT_MS);
	fixture.fake->is_silent = false;
	for (int i = 0; i < 3; i++)
		turn(&fixture);
	assert_arrivals(&fixture, "a b c d e");
	herald_producer_destroy(fixture.producer);
}

static void
test_limits(void **state)
{
	struct herald_publication large = {.topic = "t", HERALD_BODY("12345678901", 11)};
	struct herald_error error = {0};
	struct fixture fixture;
	struct end ends[4] = {{0}};

	(void)state;
	BEGIN(&fixture, .max_pending = 2, .max_pending_bytes = 10);
	fixture.fake->is_silent = true;
	assert_int_equal(herald_producer_submit(fixture.producer, &large, NULL, NULL, &error),
			 HERALD_TOO_LARGE);
	assert_string_equal(error.message,
			    "body, headers and key have 11 bytes, more than max_pending_bytes, 10");
	large.body_bytes = 9;
	large.key = "k";
	assert_int_equal(herald_producer_submit(fixture.producer, &large, NULL, NULL, &error),
			 HERALD_OK);
	large.body_bytes = 1;
	assert_int_equal(herald_producer_submit(fixture.producer, &large, NULL, NULL, &error),
			 HERALD_LIMIT);
	assert_string_equal(error.message, "no room for 2 more bytes: max_pending_bytes is 10");
	fixture.fake->is_silent = false;
	turn(&fixture);
	fixture.fake->is_silent = true;
	assert_int_equal(submit(&fixture, "a", &ends[0]), HERALD_OK);
	assert_int_equal(submit(&fixture, "b", &ends[1]), HERALD_OK);
	assert_int_equal(submit(&fixture, "c", &ends[2]), HERALD_LIMIT);
	assert_int_equal(herald_producer_stop(fixture.producer, 0), 2);
	fixture.fake->is_silent = false;
	turn(&fixture);
	assert_int_equal(submit(&fixture, "d", &ends[3]), HERALD_LIMIT);
	assert_int_equal(herald_producer_stop(fixture.producer, 0), 0);
	assert_int_equal(ends[2].calls + ends[3].calls, 0);
	herald_producer_destroy(fixture.producer);
}

/* In each place: submitted, waiting, with the publisher, with it and too old. */
static void
test_destroyed(void **state)
{
	static const char why[] = "the producer was destroyed before the broker confirmed it";
	struct fixture fixture;
	struct end ends[4] = {{0}};
	bool is_destroyed = false;

	(void)state;
	BEGIN(&fixture, .timeout_ms = 100);
	fixture.fake->is_destroyed = &is_destroyed;
	fixture.fake->is_silent = true;
	fixture.fake->window = 2;
	submit(&fixture, "a", &ends[0]);
	turn(&fixture);
	fixture.now_ms += 100;
	submit(&fixture, "b", &ends[1]);
	submit(&fixture, "c", &ends[2]);
	turn(&fixture);
	submit(&fixture, "d", &ends[3]);
	herald_producer_destroy(fixture.producer);
	assert_ended(&ends[0], HERALD_UNKNOWN_OUTCOME, "not confirmed by fake within 100 ms");
	assert_ended(&ends[1], HERALD_UNKNOWN_OUTCOME, why);
	assert_ended(&ends[2], HERALD_UNAVAILABLE, why);
	assert_ended(&ends[3], HERALD_UNAVAILABLE, why);
	assert_true(is_destroyed);
}

static void
test_bad_publications(void **state)
{
	static const char *const bad[] = {"good: 1", "no colon"};
	static const char *const herald[] = {"herald-reason: x"};
	static const char *const type[] = {"content-type: x"};
	static const char *const control[] = {"a: b\r\nc: d"};
	static char long_text[300];
	const struct {
		struct herald_publication given;
		enum herald_status status;
		const char *message;
	} cases[] = {
		{{HERALD_BODY("x", 1)}, HERALD_MISSING, "topic: is required"},
		{{.topic = "", HERALD_BODY("x", 1)}, HERALD_BAD_LENGTH, "topic: is empty"},
		{{.topic = "a\nb", HERALD_BODY("x", 1)},
		 HERALD_BAD_VALUE,
		 "topic: has a control character"},
		{{.topic = "\xff", HERALD_BODY("x", 1)},
		 HERALD_BAD_VALUE,
		 "topic: is not valid UTF-8"},
		{{.topic = long_text, HERALD_BODY("x", 1)},
		 HERALD_BAD_LENGTH,
		 "topic: has more than 255 bytes"},
		{{.topic = "t", .key = "", HERALD_BODY("x", 1)},
		 HERALD_BAD_LENGTH,
		 "key: is empty"},
		{{.topic = "t", .id = "a b", HERALD_BODY("x", 1)},
		 HERALD_BAD_VALUE,
		 "id: may hold visible ASCII characters, but not %"},
		{{.topic = "t", .id = long_text, HERALD_BODY("x", 1)},
		 HERALD_BAD_LENGTH,
		 "id: has more than 63 bytes"},
		{{.topic = "t"},
		 HERALD_MISSING,
		 "body: is required, but neither it nor a codec is set"},
		{{.topic = "t", .body = "x"},
		 HERALD_BAD_VALUE,
		 "body: is set, but body_bytes is 0; HERALD_BODY sets both, and HERALD_EMPTY_BODY "
		 "is an empty body"},
		{{.topic = "t", .body_bytes = 1},
		 HERALD_BAD_VALUE,
		 "body: is NULL, but body_bytes is not 0"},
		{{.topic = "t", HERALD_BODY("x", 1), HERALD_HEADERS(bad)},
		 HERALD_BAD_VALUE,
		 "headers[1]: must begin with a name (letters, digits, '-') and a colon"},
		{{.topic = "t", HERALD_BODY("x", 1), HERALD_HEADERS(herald)},
		 HERALD_BAD_VALUE,
		 "headers[0]: has the reserved prefix Herald-"},
		{{.topic = "t", HERALD_BODY("x", 1), HERALD_HEADERS(type)},
		 HERALD_BAD_VALUE,
		 "headers[0]: is Content-Type; set content_type instead"},
		{{.topic = "t", HERALD_BODY("x", 1), HERALD_HEADERS(control)},
		 HERALD_BAD_VALUE,
		 "headers[0]: has a control character in its value"},
		{{.topic = "t", HERALD_BODY("x", 1), .headers_count = 1},
		 HERALD_BAD_VALUE,
		 "headers: and headers_count do not agree; HERALD_HEADERS(array) sets both"},
	};
	struct fixture fixture;
	struct end end = {0};

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	BEGIN(&fixture, .timeout_ms = 30000);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_error error = {0};

		assert_int_equal(herald_producer_submit(fixture.producer, &cases[i].given, note_end,
							&end, &error),
				 cases[i].status);
		assert_string_equal(error.message, cases[i].message);
	}
	turn(&fixture);
	assert_int_equal(end.calls, 0);
	assert_int_equal(fixture.fake->sends, 0);
	herald_producer_destroy(fixture.producer);
}

static void
test_bad_options(void **state)
{
	struct fake_publisher *fake = fake_publisher_create();
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};
	bool is_destroyed = false;

	(void)state;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.timeout_ms = 1),
						&producer, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "publisher");
	assert_int_equal(
		herald_producer_create(&(struct herald_producer_options){0}, &producer, &error),
		HERALD_BAD_OPTION);
	fake->is_destroyed = &is_destroyed;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base,
									 .max_pending = 1000001),
						&producer, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "max_pending");
	assert_true(is_destroyed);

	/* What the broker does not allow is refused at the creation. */
	fake = fake_publisher_create();
	is_destroyed = false;
	fake->is_destroyed = &is_destroyed;
	fake->open_status = HERALD_BAD_OPTION;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base),
						&producer, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.message, "the fake broker is not there");
	assert_true(is_destroyed);
}

static void
test_memory(void **state)
{
	static const char *const headers[] = {"a: b"};
	const struct herald_publication publication = {
		.topic = "t", HERALD_BODY("x", 1), HERALD_HEADERS(headers)};

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_producer *producer = NULL;
		struct fake_publisher *fake = fake_publisher_create();
		struct end end = {0};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald__producer_create(
			&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base,
						 .allocator = memory.allocator),
			NULL, &producer, NULL);
		if (status == HERALD_OK) {
			status = herald_producer_submit(producer, &publication, note_end, &end,
							NULL);
			herald__producer_turn(producer);
			assert_int_equal(end.calls, status == HERALD_OK);
			herald_producer_destroy(producer);
		}
		assert_all_released(&memory);
		if (!memory.failures) {
			assert_int_equal(status, HERALD_OK);
			break;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
	}
}

/* Everything at once. Each message that was accepted ends once, and as it should. */
#define DRAWN 40

static void
run_schedule(struct fixture *fixture, uint64_t *random)
{
	struct end ends[DRAWN] = {{0}};
	bool accepted[DRAWN] = {0};
	char id[16];
	size_t next = 0;

	while (next < DRAWN) {
		if (draw_one_in(random, 3)) {
			snprintf(id, sizeof(id), "m%zu", next);
			accepted[next] = submit(fixture, id, &ends[next]) == HERALD_OK;
			next++;
		}
		fixture->fake->is_silent = draw_one_in(random, 4);
		fixture->fake->window = draw_below(random, 4);
		turn(fixture);
		fixture->now_ms += draw_below(random, 300);
		assert_true(fixture->fake->held.count <= 20);
	}
	for (size_t i = 0; i < DRAWN; i++) {
		snprintf(id, sizeof(id), "m%zu", i);
		if (ends[i].calls == 1 && ends[i].status == HERALD_OK)
			assert_true(fake_publisher_count(fixture->fake, id) >= 1);
		else if (ends[i].calls == 1 && ends[i].status != HERALD_UNKNOWN_OUTCOME)
			assert_int_equal(fake_publisher_count(fixture->fake, id), 0);
	}
	herald_producer_destroy(fixture->producer);
	for (size_t i = 0; i < DRAWN; i++)
		assert_int_equal(ends[i].calls, accepted[i]);
}

static void
test_random(void **state)
{
	const uint64_t seed = draw_seed();

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t random = seed + i;
		struct fixture fixture;

		BEGIN(&fixture, .timeout_ms = 2000, .max_pending = 20);
		fixture.random_state = random;
		fixture.fake->random = &random;
		run_schedule(&fixture, &random);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_connection_is_lost),
		cmocka_unit_test(test_silent_broker),
		cmocka_unit_test(test_silent_broker_is_full),
		cmocka_unit_test(test_never_connected),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_put_off),
		cmocka_unit_test(test_one_topic_put_off),
		cmocka_unit_test(test_not_arrived_in_time),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_destroyed),
		cmocka_unit_test(test_bad_publications),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("producer turns", tests, NULL, NULL);
}
