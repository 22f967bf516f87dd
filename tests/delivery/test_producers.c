/*
 * Deliveries to brokers: the message that arrives, what counts as an attempt, and which
 * destinations are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/signer.h>
#include <herald/array.h>
#include <herald/delivery.h>
#include <herald/producer.h>

#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/fake_publisher.h"
#include "support/fake_transport.h"

struct fixture {
	struct recorder recorder;
	struct fake_publisher *fake;
	struct herald_producer *producer;
	struct fake_transport transport;
	struct herald_deliverer *deliverer;
};

static void
begin(struct fixture *fixture, struct herald_deliverer_options options)
{
	struct herald_error error = {0};

	recorder_init(&fixture->recorder);
	fixture->fake = fake_publisher_create();
	fixture->fake->is_threaded = true;
	if (herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fixture->fake->base),
				   &fixture->producer, &error))
		fail_msg("%s", error.message);
	const struct herald_named_producer producers[] = {{"main", fixture->producer}};
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	options.first_delay_ms = 1;
	options.producers = producers;
	options.producers_count = 1;
	if (herald_deliverer_create(&options, &fixture->deliverer, &error))
		fail_msg("%s", error.message);
}

#define BEGIN(FIXTURE, ...) begin(FIXTURE, HERALD_DELIVERER_OPTIONS(__VA_ARGS__))

static void
finish(struct fixture *fixture)
{
	herald_deliverer_destroy(fixture->deliverer);
	herald_producer_destroy(fixture->producer);
	recorder_finish(&fixture->recorder);
}

static void
submit(struct fixture *fixture, const struct herald_delivery *delivery)
{
	struct herald_error error = {0};

	if (herald_deliverer_submit(fixture->deliverer, delivery, &error))
		fail_msg("%s: %s", error.path, error.message);
}

static void
set_broker(struct fixture *fixture, bool is_silent, enum herald_status answers)
{
	pthread_mutex_lock(&fixture->fake->mutex);
	fixture->fake->is_silent = is_silent;
	fixture->fake->answers = answers;
	pthread_mutex_unlock(&fixture->fake->mutex);
}

static void
test_message(void **state)
{
	static const char *const headers[] = {"X-Tenant: acme"};
	static const char attributes[] = "herald-delivery-id\0d-1\0herald-event-type\0order_paid\0"
					 "herald-event-id\0e-7\0X-Tenant\0acme";
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .attempts = 3);
	submit(&fixture, &(struct herald_delivery){.producer = "main",
						   .topic = "orders.paid",
						   .key = "user 17",
						   .id = "d-1",
						   .event_type = "order_paid",
						   .event_id = "e-7",
						   HERALD_BODY("<paid/>", 7),
						   .content_type = "application/xml",
						   HERALD_HEADERS(headers)});
	recorder_wait(&fixture.recorder, 1);
	const struct recorded_report *report = &fixture.recorder.outcome_reports[0];
	assert_int_equal(report->outcome, HERALD_DELIVERY_DELIVERED);
	assert_int_equal(report->attempt, 1);
	assert_int_equal(report->http_status, 0);
	assert_string_equal(report->url, "broker://main/orders.paid?key=user%2017");
	const struct fake_arrival *arrival = &fixture.fake->arrivals[0];
	assert_string_equal(arrival->topic, "orders.paid");
	assert_string_equal(arrival->key, "user 17");
	assert_string_equal(arrival->id, "d-1");
	assert_string_equal(arrival->data, "<paid/>");
	assert_string_equal(arrival->content_type, "application/xml");
	assert_int_equal(arrival->attributes_bytes, sizeof(attributes));
	assert_memory_equal(arrival->attributes, attributes, sizeof(attributes));
	finish(&fixture);
}

static enum herald_status
sign(struct herald_signer *signer, const struct herald_signer_request *request,
     herald_signer_sink *sink, void *state, struct herald_error *error)
{
	(void)signer;
	(void)request;
	(void)error;
	sink("X-Signature", "s", state);
	return HERALD_OK;
}

static const struct herald_signer_ops signer_ops = {.name = "fixed", .sign = sign};

/* What is meant for HTTP receivers does not go to brokers. */
static void
test_only_own_headers(void **state)
{
	static const char plain[] = "herald-delivery-id\0d-1";
	static const char signed_by_name[] = "herald-delivery-id\0d-2\0X-Signature\0s";
	static const char *const headers[] = {"X-Deployment: 7"};
	static struct herald_signer signer = {.ops = &signer_ops};
	const struct herald_named_signer signers[] = {{"own", &signer}};
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .signer = &signer, HERALD_SIGNERS(signers), HERALD_HEADERS(headers));
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t", .id = "d-1"});
	recorder_wait(&fixture.recorder, 1);
	submit(&fixture, &(struct herald_delivery){
				 .producer = "main", .topic = "t", .id = "d-2", .signer = "own"});
	recorder_wait(&fixture.recorder, 2);
	const struct fake_arrival *arrivals = fixture.fake->arrivals;
	assert_int_equal(arrivals[0].attributes_bytes, sizeof(plain));
	assert_memory_equal(arrivals[0].attributes, plain, sizeof(plain));
	assert_int_equal(arrivals[1].attributes_bytes, sizeof(signed_by_name));
	assert_memory_equal(arrivals[1].attributes, signed_by_name, sizeof(signed_by_name));
	finish(&fixture);
}

/* Without a body of its own, a delivery has Herald's, or none. */
static void
test_bodies(void **state)
{
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .method = HERALD_DELIVERY_POST);
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t", .id = "d-1"});
	recorder_wait(&fixture.recorder, 1);
	assert_string_equal(fixture.fake->arrivals[0].data,
			    "{\"delivery_id\":\"d-1\",\"attempt\":1}");
	assert_string_equal(fixture.fake->arrivals[0].content_type, "application/json");
	finish(&fixture);
	BEGIN(&fixture, .method = HERALD_DELIVERY_GET);
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t"});
	recorder_wait(&fixture.recorder, 1);
	assert_string_equal(fixture.fake->arrivals[0].data, "");
	finish(&fixture);
}

/* It waits, and no attempt counts, however long that takes. */
static void
test_not_connected(void **state)
{
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .attempts = 1);
	pthread_mutex_lock(&fixture.fake->mutex);
	fixture.fake->loses = true;
	fixture.fake->open_status = HERALD_UNAVAILABLE;
	pthread_cond_signal(&fixture.fake->woken);
	fixture.fake->is_woken = true;
	pthread_mutex_unlock(&fixture.fake->mutex);
	while (herald_producer_health(fixture.producer, NULL) == HERALD_OK)
		;
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t", .id = "d-1"});
	struct herald_producer_statistics before, now;
	herald_producer_statistics_read(fixture.producer, &before);
	do
		herald_producer_statistics_read(fixture.producer, &now);
	while (now.failures < before.failures + 2);
	assert_int_equal(fixture.recorder.attempts, 0);
	pthread_mutex_lock(&fixture.fake->mutex);
	fixture.fake->open_status = HERALD_OK;
	pthread_mutex_unlock(&fixture.fake->mutex);
	recorder_wait(&fixture.recorder, 1);
	assert_int_equal(fixture.recorder.delivered, 1);
	assert_int_equal(fixture.recorder.outcome_reports[0].attempt, 1);
	finish(&fixture);
}

static void
test_refused(void **state)
{
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .attempts = 3);
	set_broker(&fixture, false, HERALD_TOO_LARGE);
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t"});
	recorder_wait(&fixture.recorder, 1);
	const struct recorded_report *report = &fixture.recorder.outcome_reports[0];
	assert_int_equal(report->outcome, HERALD_DELIVERY_FAILED);
	assert_int_equal(report->failure, HERALD_DELIVERY_REFUSED);
	assert_int_equal(report->attempt, 1);
	assert_string_equal(report->error, "the fake broker says no");
	finish(&fixture);
}

/* The attempt is over, but the message is still with the producer, which sends it at last. */
static void
test_attempt_takes_too_long(void **state)
{
	struct fixture fixture;

	(void)state;
	BEGIN(&fixture, .attempts = 2, .attempt_timeout_ms = 20);
	set_broker(&fixture, true, HERALD_OK);
	submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t", .id = "d-1"});
	recorder_wait(&fixture.recorder, 1);
	assert_int_equal(fixture.recorder.failed, 1);
	assert_int_equal(fixture.recorder.outcome_reports[0].attempt, 2);
	herald_deliverer_destroy(fixture.deliverer);
	set_broker(&fixture, false, HERALD_OK);
	assert_int_equal(herald_producer_flush(fixture.producer, 60000), 0);
	assert_int_equal(fake_publisher_count(fixture.fake, "d-1"), 2);
	herald_producer_destroy(fixture.producer);
	recorder_finish(&fixture.recorder);
}

/* The producer has the messages, and ends them after the deliverer and its allocator are gone. */
static void
test_producer_ends_later(void **state)
{
	struct failing_allocator memory;
	struct fixture fixture;

	(void)state;
	failing_allocator_init(&memory, FAIL_ONLY, SIZE_MAX);
	BEGIN(&fixture, .attempts = 2, .allocator = memory.allocator);
	set_broker(&fixture, true, HERALD_OK);
	for (int i = 0; i < 5; i++)
		submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t"});
	struct herald_producer_statistics counts;
	do
		herald_producer_statistics_read(fixture.producer, &counts);
	while (counts.submitted < 5);
	herald_deliverer_destroy(fixture.deliverer);
	assert_int_equal(fixture.recorder.left, 5);
	assert_all_released(&memory);
	herald_producer_destroy(fixture.producer);
	recorder_finish(&fixture.recorder);
}

static void
test_beside_a_transport(void **state)
{
	struct fixture fixture;

	(void)state;
	fake_transport_init(&fixture.transport, NULL, 0);
	BEGIN(&fixture, .transport = &fixture.transport.base, .addresses = HERALD_ADDRESSES_ANY);
	for (int i = 0; i < 100; i++) {
		submit(&fixture, &(struct herald_delivery){.producer = "main", .topic = "t"});
		submit(&fixture, &(struct herald_delivery){.url = "http://127.0.0.1/200"});
	}
	recorder_wait(&fixture.recorder, 200);
	assert_int_equal(fixture.recorder.delivered, 200);
	assert_int_equal(fixture.fake->arrivals_count, 100);
	finish(&fixture);
	assert_int_equal(fixture.transport.begins, 100);
	assert_int_equal(fixture.transport.destroys, 1);
}

static void
test_bad_destinations(void **state)
{
	static char long_text[257];
	const struct {
		struct herald_delivery delivery;
		enum herald_status status;
		const char *path, *message;
	} cases[] = {
		{{.producer = "main"},
		 HERALD_MISSING,
		 "topic",
		 "topic: is required for a producer"},
		{{.producer = "main", .topic = ""}, HERALD_BAD_LENGTH, "topic", "topic: is empty"},
		{{.producer = "main", .topic = "t", .key = "a\nb"},
		 HERALD_BAD_VALUE,
		 "key",
		 "key: has a control character"},
		{{.producer = "main", .topic = long_text},
		 HERALD_BAD_LENGTH,
		 "topic",
		 "topic: has more than 255 bytes"},
		{{.producer = "a b", .topic = "t"},
		 HERALD_BAD_VALUE,
		 "producer",
		 "producer: must be a name of 1 to 63 letters, digits, '-', '.' and '_'"},
		{{.producer = "other", .topic = "t"},
		 HERALD_BAD_VALUE,
		 "url",
		 "the deliverer has no producer of the name other"},
		{{.producer = "main", .topic = "t", .url = "http://a.example/"},
		 HERALD_BAD_VALUE,
		 "url",
		 "url: is set, but a producer is too"},
		{{.url = "broker://main/t"},
		 HERALD_BAD_VALUE,
		 "url",
		 "url: names a broker; set `producer` and `topic` instead"},
		{{.url = "BROKER://main/t"},
		 HERALD_BAD_VALUE,
		 "url",
		 "url: names a broker; set `producer` and `topic` instead"},
		{{.url = "http://a.example/"},
		 HERALD_BAD_VALUE,
		 "url",
		 "the deliverer has no transport for URLs, only producers"},
	};
	struct fixture fixture;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	BEGIN(&fixture, .attempts = 1);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_error error = {0};

		assert_int_equal(
			herald_deliverer_submit(fixture.deliverer, &cases[i].delivery, &error),
			cases[i].status);
		assert_string_equal(error.path, cases[i].path);
		assert_string_equal(error.message, cases[i].message);
	}
	/* A URL that comes from outside never leads to a broker. */
	assert_int_equal(herald_deliverer_check_url(fixture.deliverer, "broker://main/t", NULL),
			 HERALD_BAD_VALUE);
	finish(&fixture);
}

static void
test_bad_options(void **state)
{
	struct herald_producer *producer;
	struct fake_publisher *fake = fake_publisher_create();
	struct herald_deliverer *deliverer;
	struct herald_error error = {0};

	(void)state;
	assert_int_equal(herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &fake->base),
						&producer, NULL),
			 HERALD_OK);
	const struct {
		struct herald_named_producer producers[2];
		const char *message;
	} cases[] = {
		{{{"a", producer}, {"a", producer}}, "producers[1]: has the name of another one"},
		{{{"a", producer}, {"b", NULL}}, "producers[1]: has no producer"},
		{{{"a/b", producer}, {"b", producer}},
		 "producers[0]: must have a name of 1 to 63 letters, digits, '-', '.' and '_'"},
	};
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		assert_int_equal(herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(HERALD_PRODUCERS(
								 cases[i].producers)),
							 &deliverer, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.message, cases[i].message);
	}
	herald_producer_destroy(producer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_only_own_headers),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_not_connected),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_attempt_takes_too_long),
		cmocka_unit_test(test_producer_ends_later),
		cmocka_unit_test(test_beside_a_transport),
		cmocka_unit_test(test_bad_destinations),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests_name("producers", tests, NULL, NULL);
}
