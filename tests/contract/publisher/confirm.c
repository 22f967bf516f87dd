/*
 * Confirmations: each message has one, full windows, what the broker refuses or cannot take now.
 */
#include "writer.h"

#include <herald/delivery.h>
#include <herald/herald.h>
#include <herald/publish.h>

#define MANY 5000

/* Confirmed is what has arrived, each once and in the order in which it was submitted. */
static void
test_each_message_is_confirmed(void **state)
{
	struct writer *writer = WRITER(.max_pending = MANY);
	struct arrivals arrivals;

	(void)state;
	writer_submit(writer, 0, MANY);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(writer->ends[i].calls, 1);
	assert_int_equal(writer_counts(writer).confirmed, MANY);
	assert_int_equal(writer_counts(writer).repeated, 0);
	writer_read(writer, &arrivals);
	assert_int_equal(arrivals.count, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(arrivals.all[i].number, i);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* herald_producer_publish() returns when the message is there. */
static void
test_publish_waits_for_the_confirmation(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);
	struct arrivals arrivals;
	struct herald_error error;

	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct herald_publication publication = {.topic = writer->topic,
							       HERALD_BODY("x", 1)};

		if (herald_producer_publish(writer->producer, &publication, &error) != HERALD_OK)
			fail_msg("%s", error.message);
	}
	writer_read(writer, &arrivals);
	assert_int_equal(arrivals.count, 3);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

struct ping {
	int64_t number;
};
HERALD_SCHEMA(ping, HERALD_FIELD(ping, number));

static enum herald_verdict
on_ping(struct herald_context *ctx, const struct ping *ping, struct writer *writer)
{
	char id[32];

	snprintf(id, sizeof(id), "m-%d", (int)ping->number);
	const struct herald_delivery delivery = {
		.producer = "broker", .topic = writer->topic, .id = id, HERALD_BODY("x", 1)};

	assert_int_equal(herald_publish(ctx, &delivery, NULL), HERALD_OK);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_ping, ping, writer);

static struct herald_service *
create_service(struct writer *writer)
{
	const struct herald_route routes[] = {HERALD_ROUTE("ping", ping, on_ping, writer)};
	const struct herald_named_producer producers[] = {{"broker", writer->producer}};
	struct herald_service *service = NULL;
	struct herald_error error;

	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_PRODUCERS(producers)),
		    &service, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return service;
}

static enum herald_verdict
handle_ping(struct herald_service *service, int number)
{
	struct herald_result result;
	char text[160];
	const int bytes =
		snprintf(text, sizeof(text),
			 "{\"event_type\":\"ping\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			 "\"payload\":{\"number\":%d},\"metadata\":{}}",
			 number);

	herald_service_handle(service, text, (size_t)bytes, &result);
	return result.verdict;
}

/* herald_publish() in a service without a store: the event is done when the message is there. While
 * the broker does not answer, it is to come again. */
static void
test_an_event_waits_for_the_confirmation(void **state)
{
	struct writer *writer = WRITER(.timeout_ms = WRITER_SILENCE_MS);
	struct herald_service *service = create_service(writer);
	struct arrivals arrivals;

	(void)state;
	assert_int_equal(handle_ping(service, 0), HERALD_DONE);
	/* It is counted after the service knows of it. */
	assert_int_equal(herald_producer_flush(writer->producer, 60000), 0);
	assert_int_equal(writer_counts(writer).confirmed, 1);
	broker->pause();
	assert_int_equal(handle_ping(service, 1), HERALD_RETRY);
	broker->go_on();
	WAIT(handle_ping(service, 1) == HERALD_DONE);
	herald_service_destroy(service);
	writer_read(writer, &arrivals);
	arrivals_repeated(&arrivals, 2);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* A window that is full says so, and does not block. It has room again. */
static void
test_a_full_window_refuses_more(void **state)
{
	struct writer *writer = WRITER(.max_pending = 100);
	struct arrivals arrivals;

	(void)state;
	broker->pause();
	writer_submit(writer, 0, 100);
	assert_int_equal(writer_try(writer, 100), HERALD_LIMIT);
	broker->go_on();
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	writer_submit(writer, 100, 100);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 200);
	writer_read(writer, &arrivals);
	assert_true(!broker->deduplicates || arrivals.count == 200);
	arrivals_repeated(&arrivals, 200);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* Bodies that are much more than sockets take, with small messages in between. */
static void
test_large_messages(void **state)
{
	enum { COUNT = 24, BYTES = 1 << 20 };
	struct writer *writer = WRITER(.max_pending_bytes = (size_t)COUNT * BYTES * 2);
	char *body = test_malloc(BYTES);
	struct arrivals arrivals;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		memset(body, 'a' + i, BYTES);
		const struct herald_publication publication = {
			.topic = writer->topic, HERALD_BODY(body, i % 3 == 2 ? 10 : BYTES)};

		assert_int_equal(
			herald_producer_submit(writer->producer, &publication, NULL, NULL, NULL),
			HERALD_OK);
	}
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_counts(writer).confirmed, COUNT);
	writer_read(writer, &arrivals);
	const int dropped = broker->drops_bytes ? COUNT - (int)arrivals.count : 0;
	assert_int_equal(arrivals.count + (size_t)dropped, COUNT);
	for (int i = dropped; i < COUNT; i++) {
		const struct herald_text data = arrivals.all[i - dropped].data;

		assert_int_equal(data.bytes, i % 3 == 2 ? 10 : BYTES);
		memset(body, 'a' + i, BYTES);
		assert_memory_equal(data.data, body, data.bytes);
	}
	arrivals_free(&arrivals);
	test_free(body);
	writer_destroy(writer);
}

/* It fails alone. */
static void
test_what_is_too_large_is_refused(void **state)
{
	if (broker->too_large_bytes == 0)
		return; /* it takes more than a test should send */
	struct writer *writer = WRITER(.max_pending_bytes = broker->too_large_bytes * 2);
	struct arrivals arrivals;
	struct herald_error error;
	char *body = test_calloc(1, broker->too_large_bytes);
	const struct herald_publication publication = {
		.topic = writer->topic, .body = body, .body_bytes = broker->too_large_bytes};

	(void)state;
	writer_submit(writer, 0, 10);
	assert_int_equal(herald_producer_publish(writer->producer, &publication, &error),
			 HERALD_TOO_LARGE);
	assert_true(error.message[0] != '\0');
	writer_submit(writer, 10, 10);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 20);
	writer_read(writer, &arrivals);
	arrivals_repeated(&arrivals, 20);
	arrivals_free(&arrivals);
	test_free(body);
	writer_destroy(writer);
}

/* A topic that does not exist: the message waits for it, and fails in the end, with the reason. */
static void
test_a_missing_topic(void **state)
{
	struct writer *writer = writer_create(&HERALD_PRODUCER_OPTIONS(.timeout_ms = 700), false);
	struct arrivals arrivals;

	(void)state;
	writer_submit(writer, 0, 1);
	WAIT(writer_ended(writer) == 1);
	if (broker->creates_topics) {
		assert_int_equal(writer->ends[0].status, HERALD_OK);
		writer_destroy(writer);
		return;
	}
	assert_int_equal(writer->ends[0].status, HERALD_UNAVAILABLE);
	if (!strstr(writer->ends[0].reason, writer->topic))
		fail_msg("the topic is not in the reason: %s", writer->ends[0].reason);
	writer_destroy(writer);

	/* It is made while messages wait. */
	writer = writer_create(&HERALD_PRODUCER_OPTIONS(.max_pending = 0), false);
	writer_submit(writer, 0, 5);
	writer_make_topic(writer);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 5);
	writer_read(writer, &arrivals);
	assert_int_equal(arrivals_repeated(&arrivals, 5), 0);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* rabbitmq-c#519: a broker that takes nothing now, because its memory or the topic is full. Nothing
 * is confirmed, nothing blocks, and nothing is lost. */
static void
test_a_broker_that_takes_nothing(void **state)
{
	if (!broker->block)
		return;
	struct writer *writer = WRITER(.max_pending = 0);
	struct arrivals arrivals;

	(void)state;
	writer_submit(writer, 0, 1);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	broker->block(writer->topic);
	writer_submit(writer, 1, 200);
	assert_int_equal(herald_producer_flush(writer->producer, 300), 200);
	broker->unblock(writer->topic);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 201);
	writer_read(writer, &arrivals);
	assert_int_equal(arrivals_repeated(&arrivals, 201), 0);
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

static void
test_flush_says_what_is_left(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);

	(void)state;
	assert_int_equal(herald_producer_flush(writer->producer, 0), 0);
	broker->pause();
	writer_submit(writer, 0, 7);
	assert_int_equal(herald_producer_flush(writer->producer, 20), 7);
	assert_int_equal(herald_producer_stop(writer->producer, 20), 7);
	assert_int_equal(writer_try(writer, 7), HERALD_LIMIT);
	broker->go_on();
	assert_int_equal(herald_producer_stop(writer->producer, WAIT_MS), 0);
	assert_int_equal(writer_confirmed(writer), 7);
	writer_destroy(writer);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_each_message_is_confirmed),
	cmocka_unit_test(test_publish_waits_for_the_confirmation),
	cmocka_unit_test(test_an_event_waits_for_the_confirmation),
	cmocka_unit_test(test_a_full_window_refuses_more),
	cmocka_unit_test(test_large_messages),
	cmocka_unit_test(test_what_is_too_large_is_refused),
	cmocka_unit_test(test_a_missing_topic),
	cmocka_unit_test(test_a_broker_that_takes_nothing),
	cmocka_unit_test(test_flush_says_what_is_left),
};
const struct case_list publisher_confirm_cases = {cases, COUNT(cases)};
