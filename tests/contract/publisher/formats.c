/*
 * What a producer sends is what a consumer of the same broker gets: bodies, headers and events.
 */
#include "writer.h"

#include <herald/adapter/publisher.h>
#include <herald/cloudevents.h>
#include <herald/webhook.h>

#define KEY "user 17 \xc3\xa9"

static void
publish(struct writer *writer, const struct herald_publication *publication)
{
	struct herald_error error;

	if (herald_producer_publish(writer->producer, publication, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static struct arrivals
read_one(const struct writer *writer)
{
	struct arrivals arrivals;

	writer_read(writer, &arrivals);
	assert_int_equal(arrivals.count, 1);
	return arrivals;
}

static void
check_body(const char *body, size_t bytes)
{
	struct writer *writer = WRITER(.max_pending = 0);

	publish(writer, &(struct herald_publication){.topic = writer->topic,
						     .body = bytes ? body : HERALD_EMPTY_BODY,
						     .body_bytes = bytes,
						     .content_type = "application/x-any"});
	struct arrivals arrivals = read_one(writer);
	assert_int_equal(arrivals.all[0].data.bytes, bytes);
	assert_memory_equal(arrivals.all[0].data.data, body, bytes);
	assert_string_equal(arrivals.all[0].content_type, "application/x-any");
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

static void
test_bodies_arrive_as_they_are(void **state)
{
	enum { LARGE = 1 << 20 };
	char *large = test_malloc(LARGE);

	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 31 + i / 256);
	check_body("", 0);
	check_body("\0", 1);
	check_body("a\0b\r\n\xff\xfe\0", 8);
	check_body(large, 65536);
	check_body(large, LARGE);
	test_free(large);
}

/* Values that a protocol could break, also an empty one and one that looks percent-encoded. */
static void
test_headers_arrive_as_they_are(void **state)
{
	struct writer *writer = WRITER(.max_pending = 0);
	static const char *const headers[] = {
		"x-first: one",
		"X-Colon: a: b, c",
		"x-percent: 100%25 of %zz",
		"x-quote: \"\\",
		"x-utf8: \xc3\xa9\xe2\x82\xac",
		"ce-subject: caf%C3%A9 %22x%22",
	};
	static const struct herald_pair expected[] = {
		{"x-first", "one"},
		{"X-Colon", "a: b, c"},
		{"x-percent", "100%25 of %zz"},
		{"x-quote", "\"\\"},
		{"x-utf8", "\xc3\xa9\xe2\x82\xac"},
		{"ce-subject", "caf%C3%A9%20%22x%22"},
		{HERALD_MESSAGE_ID_HEADER, "row-17"},
		{HERALD_KEY_HEADER, KEY},
	};

	(void)state;
	publish(writer, &(struct herald_publication){.topic = writer->topic,
						     .key = KEY,
						     .id = "row-17",
						     HERALD_BODY("{}", 2),
						     .content_type = "application/json",
						     HERALD_HEADERS(headers)});
	struct arrivals arrivals = read_one(writer);
	const struct arrival *arrival = &arrivals.all[0];
	for (size_t i = 0; i < COUNT(expected); i++) {
		const char *value = herald_attributes_find(arrival->attributes, expected[i].key);

		if (!value)
			fail_msg("%s is missing", expected[i].key);
		/* A blank is left as it is where nothing is decoded in between. */
		if (strcmp(expected[i].key, "ce-subject") == 0 && strchr(value, ' '))
			assert_string_equal(value, "caf%C3%A9 %22x%22");
		else
			assert_string_equal(value, expected[i].value);
	}
	assert_string_equal(arrival->content_type, "application/json");
	arrivals_free(&arrivals);
	writer_destroy(writer);
}

/* Events, to a service. */

struct order {
	const char *item;
	int32_t count;
};

HERALD_SCHEMA(order,
	HERALD_FIELD(order, item, .required = true),
	HERALD_FIELD(order, count, .required = true));

struct seen {
	pthread_mutex_t mutex;
	size_t count;
	char id[64], subject[64], item[64], header[64];
};

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order, struct seen *seen)
{
	const char *header = herald_context_attribute(ctx, "x-tenant");

	pthread_mutex_lock(&seen->mutex);
	snprintf(seen->id, sizeof(seen->id), "%s", herald_context_id(ctx));
	snprintf(seen->subject, sizeof(seen->subject), "%s", herald_context_subject(ctx));
	snprintf(seen->item, sizeof(seen->item), "%s x %d", order->item, order->count);
	snprintf(seen->header, sizeof(seen->header), "%s", header ? header : "");
	seen->count++;
	pthread_mutex_unlock(&seen->mutex);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order, seen);

static size_t
count_of(struct seen *seen)
{
	pthread_mutex_lock(&seen->mutex);
	const size_t count = seen->count;
	pthread_mutex_unlock(&seen->mutex);
	return count;
}

/* Publish an event, and consume it with a service that knows CloudEvents, Herald's envelope, and
 * messages that are a payload, with a type and an id in headers. */
static void
round_trip(const struct herald_publication *given, struct seen *seen)
{
	struct writer *writer = WRITER(.max_pending = 0);
	static const char *const attributes[] = {"x-tenant", NULL};
	const struct herald_format *formats[] = {NULL, &herald_format_cloudevents,
						 &herald_format_envelope};
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_order, seen)};
	struct herald_publication publication = *given;
	struct herald_consumer_options options = HERALD_CONSUMER_OPTIONS(.lanes = 1);
	struct herald_consumer *consumer;
	struct herald_error error;

	publication.topic = writer->topic;
	publish(writer, &publication);
	assert_int_equal(
		herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Type"},
							      .id = {.attribute = "X-Id"}),
				      &formats[0], NULL),
		HERALD_OK);
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(formats),
								       HERALD_ROUTES(routes),
								       .attributes = attributes),
					       &options.service, NULL),
			 HERALD_OK);
	if (broker->subscribe(writer->topic, "group", VISIBILITY_MS, &options.subscriber, &error) !=
		    HERALD_OK ||
	    herald_consumer_create(&options, &consumer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	WAIT(count_of(seen) == 1);
	assert_int_equal(herald_consumer_stop(consumer, WAIT_MS), 0);
	herald_consumer_destroy(consumer);
	herald_service_destroy(options.service);
	herald_format_destroy(formats[0]);
	writer_destroy(writer);
	assert_string_equal(seen->item, "caf\xc3\xa9 x 3");
}

static void
test_an_event_of_herald(void **state)
{
	static const char event[] =
		"{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"payload\":{\"item\":\"caf\xc3\xa9\",\"count\":3},\"metadata\":{\"id\":\"e-1\"}}";
	static const char *const headers[] = {"x-tenant: 7"};
	struct seen seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	round_trip(&(struct herald_publication){HERALD_BODY(event, sizeof(event) - 1),
						.content_type = "application/json",
						HERALD_HEADERS(headers)},
		   &seen);
	assert_string_equal(seen.id, "e-1");
	assert_string_equal(seen.header, "7");
}

static void
test_a_structured_cloudevent(void **state)
{
	static const char event[] =
		"{\"specversion\":\"1.0\",\"id\":\"e-2\",\"source\":\"/shop\",\"type\":\"order\","
		"\"subject\":\"\xe2\x82\xac\",\"data\":{\"item\":\"caf\xc3\xa9\",\"count\":3}}";
	struct seen seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	round_trip(&(struct herald_publication){HERALD_BODY(event, sizeof(event) - 1),
						.content_type = "application/cloudevents+json"},
		   &seen);
	assert_string_equal(seen.id, "e-2");
	assert_string_equal(seen.subject, "\xe2\x82\xac");
}

/* Its attributes are headers, percent-encoded as in HTTP; the publisher writes them as its
 * protocol's binding says. */
static void
test_a_binary_cloudevent(void **state)
{
	static const char data[] = "{\"item\":\"caf\xc3\xa9\",\"count\":3}";
	static const char *const headers[] = {"ce-specversion: 1.0", "ce-id: e-3",
					      "ce-source: /shop", "ce-type: order",
					      "ce-subject: %E2%82%AC%20100%25"};
	struct seen seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	round_trip(&(struct herald_publication){HERALD_BODY(data, sizeof(data) - 1),
						.content_type = "application/json",
						HERALD_HEADERS(headers)},
		   &seen);
	assert_string_equal(seen.id, "e-3");
	assert_string_equal(seen.subject, "\xe2\x82\xac 100%");
}

static void
test_a_webhook(void **state)
{
	static const char data[] = "{\"item\":\"caf\xc3\xa9\",\"count\":3}";
	static const char *const headers[] = {"x-type: order", "x-id: e-4", "x-tenant: 8"};
	struct seen seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	(void)state;
	round_trip(&(struct herald_publication){HERALD_BODY(data, sizeof(data) - 1),
						.content_type = "application/json",
						HERALD_HEADERS(headers)},
		   &seen);
	assert_string_equal(seen.id, "e-4");
	assert_string_equal(seen.header, "8");
}

/* The order of a key, by which the consumer runs the events. */
static void
test_the_key_keeps_its_order(void **state)
{
	enum { KEYS = 4, EACH = 50 };
	struct probe *probe = probe_create();
	struct writer *writer = WRITER(.max_pending = 0);
	char keys[KEYS][8], event[256];

	(void)state;
	strcpy(probe->source, writer->topic);
	for (int i = 0; i < KEYS * EACH; i++) {
		snprintf(keys[i % KEYS], sizeof(keys[0]), "k-%d", i % KEYS);
		snprintf(event, sizeof(event),
			 "{\"event_type\":\"task\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			 "\"payload\":{\"id\":%d,\"action\":\"%s\",\"number\":2}}",
			 i, i == KEYS ? "retry" : "done");
		const struct herald_publication publication = {.topic = writer->topic,
							       .key = keys[i % KEYS],
							       HERALD_BODY(event, strlen(event))};
		assert_int_equal(
			herald_producer_submit(writer->producer, &publication, NULL, NULL, NULL),
			HERALD_OK);
	}
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	START(probe, .lanes = 4, .order = HERALD_ORDER_KEY, .key_attribute = HERALD_KEY_HEADER);
	probe_finish(probe);
	assert_int_equal(probe_all_runs(probe), KEYS * EACH + 1);
	int last[KEYS] = {-1, -1, -1, -1};
	for (size_t i = 0; i < probe->runs_count; i++) {
		const struct run run = probe->runs[i];

		assert_true(run.id >= last[run.id % KEYS]);
		last[run.id % KEYS] = run.id;
	}
	writer_destroy(writer);
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_bodies_arrive_as_they_are),
	cmocka_unit_test(test_headers_arrive_as_they_are),
	cmocka_unit_test(test_an_event_of_herald),
	cmocka_unit_test(test_a_structured_cloudevent),
	cmocka_unit_test(test_a_binary_cloudevent),
	cmocka_unit_test(test_a_webhook),
	cmocka_unit_test(test_the_key_keeps_its_order),
};
const struct case_list publisher_format_cases = {cases, COUNT(cases)};
