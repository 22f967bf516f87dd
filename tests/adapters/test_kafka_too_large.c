/*
 * Retries and dead letters that are too large for their topics, on librdkafka's mock cluster, which
 * refuses as many requests as it is told to: a copy is refused in a batch, and then alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/cloudevents.h>
#include <herald/consumer.h>
#include <herald/herald.h>
#include <herald/kafka.h>

#include "support/kafka_server.h"

#define WAIT_MS 60000
/* The request's number in Kafka's protocol. */
#define PRODUCE 0

struct event {
	const char *what;
};

HERALD_SCHEMA(event, HERALD_FIELD(event, what, .required = true));

struct seen {
	struct kafka_server server;
	struct herald_service *service;
	struct herald_consumer *consumer;
	unsigned runs, last_attempt, logged, waits;
};

static enum herald_verdict
on_event(struct herald_context *ctx, const struct event *event, struct seen *seen)
{
	__atomic_fetch_add(&seen->runs, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&seen->last_attempt, herald_context_attempt(ctx), __ATOMIC_SEQ_CST);
	if (strcmp(event->what, "retry") == 0 && herald_context_attempt(ctx) < 3)
		return herald_retry(ctx, "again");
	if (strcmp(event->what, "fail") == 0)
		return herald_fail(ctx, "no");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_event, event, seen);

static void
take_line(const struct herald_log_record *record, void *state)
{
	struct seen *seen = state;

	if (strcmp(record->message, "copy of a message not stored, trying again") == 0)
		__atomic_fetch_add(&seen->logged, 1, __ATOMIC_SEQ_CST);
	if (strcmp(record->message,
		   "a retry is too large for its topic: it waits in the process") == 0)
		__atomic_fetch_add(&seen->waits, 1, __ATOMIC_SEQ_CST);
}

static void
send_event(struct seen *seen, const char *what)
{
	const struct herald_pair headers[] = {
		{"ce_specversion", "1.0"}, {"ce_id", "a"},    {"ce_source", "/s"},
		{"ce_type", "event"},      {"x-trace", "17"}, {"content-type", "application/json"},
	};
	char data[32];

	snprintf(data, sizeof(data), "{\"what\":\"%s\"}", what);
	kafka_server_send(&seen->server, "mock", data, strlen(data), headers, 6);
	kafka_server_await(&seen->server);
}

/* Consume an event of which the first copies are refused so often. */
static void
begin(struct seen *seen, const char *what, size_t times)
{
	const struct herald_route routes[] = {HERALD_ROUTE("event", event, on_event, seen)};
	const struct herald_format *const formats[] = {&herald_format_cloudevents};
	const rd_kafka_resp_err_t codes[] = {
		RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
		RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.first_delay_ms = 20, .max_delay_ms = 500,
					.max_in_flight = strcmp(what, "retry") == 0 ? 1 : 0,
					.log = {.write = take_line, .state = seen});
	struct herald_error error;

	*seen = (struct seen){0};
	kafka_server_start_mock(&seen->server);
	kafka_server_make_topic(&seen->server, "mock", 1);
	send_event(seen, what);
	rd_kafka_mock_push_request_errors_array(seen->server.mock, PRODUCE, times, codes);
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
								       HERALD_FORMATS(formats)),
					       &seen->service, NULL),
			 HERALD_OK);
	options.service = seen->service;
	if (herald_kafka_subscriber_create(&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = seen->server.url,
									    .topic = "mock",
									    .group = "group"),
					   &options.subscriber, &error) != HERALD_OK ||
	    herald_consumer_create(&options, &seen->consumer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static void
await_left(struct seen *seen, size_t left)
{
	const time_t until = time(NULL) + WAIT_MS / 1000;

	while (kafka_server_left(&seen->server, "mock", "group") != left)
		assert_true(time(NULL) < until);
}

static void
end(struct seen *seen, size_t left)
{
	const size_t said = herald_consumer_stop(seen->consumer, left ? 100 : WAIT_MS);
	assert_true(left > 0 ? said >= left : said == 0);
	herald_consumer_destroy(seen->consumer);
	herald_service_destroy(seen->service);
	await_left(seen, left);
	kafka_server_stop(&seen->server);
}

/* The second attempt is made without a copy, and the third with one. */
static void
test_a_retry_waits_in_the_process(void **state)
{
	struct seen seen;

	(void)state;
	begin(&seen, "retry", 2);
	await_left(&seen, 0);
	assert_int_equal(seen.runs, 3);
	assert_int_equal(seen.last_attempt, 3);
	assert_int_equal(kafka_server_count(&seen.server, "mock.group.retry.1s"), 1);
	end(&seen, 0);
}

/* It is in flight until it is due, and no dead letter, though no attempt was counted. */
static void
test_a_retry_that_waits_is_in_flight(void **state)
{
	const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
					     RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};
	const time_t until = time(NULL) + WAIT_MS / 1000;
	struct seen seen = {0};
	const struct herald_subscriber_settings settings = {
		.log = {.write = take_line, .state = &seen},
		.allocator = herald_allocator_libc,
		.max_in_flight = 10,
		.max_in_flight_bytes = 100000,
		.max_delay_ms = 3600000,
	};
	struct herald_received_list received = {0}, none = {0};
	struct herald_subscriber *subscriber;

	(void)state;
	kafka_server_start_mock(&seen.server);
	kafka_server_make_topic(&seen.server, "mock", 1);
	send_event(&seen, "retry");
	assert_int_equal(
		herald_kafka_subscriber_create(
			&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = seen.server.url, .topic = "mock",
							 .group = "group"),
			&subscriber, NULL),
		HERALD_OK);
	const struct herald_subscriber_ops *ops = subscriber->ops;
	assert_int_equal(ops->open(subscriber, &settings, NULL), HERALD_OK);
	while (!received.first && time(NULL) < until)
		assert_int_equal(ops->receive(subscriber, 1, 100000, 100, &received, NULL),
				 HERALD_OK);
	assert_non_null(received.first);
	rd_kafka_mock_push_request_errors_array(seen.server.mock, PRODUCE, 2, codes);
	ops->settle(subscriber,
		    &(struct herald_settlement){.message = received.first,
						.kind = HERALD_SETTLE_RETRY,
						.delay_ms = 3600000},
		    1);
	while (seen.waits == 0 && time(NULL) < until)
		assert_int_equal(ops->receive(subscriber, 0, 0, 100, &none, NULL), HERALD_OK);
	assert_int_equal(seen.waits, 1);
	assert_int_equal(ops->unsettled(subscriber), 1);
	assert_int_equal(ops->flush(subscriber, 100), 1);
	ops->close(subscriber, 1000);
	assert_int_equal(ops->unsettled(subscriber), 0);
	ops->destroy(subscriber);
	kafka_server_stop(&seen.server);
}

/* What is the event's stays. */
static void
test_a_dead_letter_loses_headers(void **state)
{
	rd_kafka_headers_t *headers = NULL;
	struct seen seen;
	const void *value;
	size_t bytes;

	(void)state;
	begin(&seen, "fail", 2);
	await_left(&seen, 0);
	assert_int_equal(seen.runs, 1);
	assert_int_equal(kafka_server_count(&seen.server, "mock.dead"), 1);
	rd_kafka_message_t *message = kafka_server_read(&seen.server, "mock.dead", 0);
	assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
	assert_int_equal(rd_kafka_header_get_last(headers, "x-trace", &value, &bytes),
			 RD_KAFKA_RESP_ERR__NOENT);
	const char *const kept[] = {"ce_id",         "ce_type",       "content-type",
				    "herald-reason", "herald-origin", "herald-attempts"};
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (rd_kafka_header_get_last(headers, kept[i], &value, &bytes))
			fail_msg("%s is missing", kept[i]);
	rd_kafka_message_destroy(message);
	end(&seen, 0);
}

/* Its message is held, and the others go on. */
static void
test_a_dead_letter_that_is_still_too_large(void **state)
{
	const time_t until = time(NULL) + WAIT_MS / 1000;
	struct seen seen;

	(void)state;
	begin(&seen, "fail", 4);
	while (__atomic_load_n(&seen.logged, __ATOMIC_SEQ_CST) == 0)
		assert_true(time(NULL) < until);
	send_event(&seen, "done");
	while (__atomic_load_n(&seen.runs, __ATOMIC_SEQ_CST) < 2)
		assert_true(time(NULL) < until);
	await_left(&seen, 1);
	assert_int_equal(kafka_server_count(&seen.server, "mock.dead"), 0);
	end(&seen, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_retry_waits_in_the_process),
		cmocka_unit_test(test_a_retry_that_waits_is_in_flight),
		cmocka_unit_test(test_a_dead_letter_loses_headers),
		cmocka_unit_test(test_a_dead_letter_that_is_still_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
