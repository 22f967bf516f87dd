/*
 * The subscriber of RabbitMQ, called as the consumer calls it, on a real server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/rabbitmq.h>

#include "support/option_error.h"
#include "support/rabbitmq_server.h"

/* For so long, copies in a queue that was made do not count as stored. */
#define NEW_QUEUE_MS 2000

static struct rabbitmq_server server;
static struct rabbitmq_client client;

/* A subscriber, as its consumer sees it. */
struct fixture {
	struct herald_subscriber *subscriber;
	struct herald_received_list got;
	struct herald_error error;
	char queue[32], dead[40];
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The consumer's log: how many errors and warnings there were. */
static int errors_logged, warnings_logged;

static void
count_records(const struct herald_log_record *record, void *state)
{
	(void)state;
	errors_logged += record->level == HERALD_LOG_ERROR;
	warnings_logged += record->level == HERALD_LOG_WARNING;
}

static const struct herald_subscriber_settings default_settings = {
	.log = {.write = count_records, .level = HERALD_LOG_INFO},
	.max_in_flight = 100,
	.max_in_flight_bytes = 1 << 20,
	.max_delay_ms = 3600000,
};

static enum herald_status
try_open(struct fixture *fixture, size_t max_in_flight)
{
	struct herald_subscriber_settings settings = default_settings;

	settings.allocator = herald_allocator_libc;
	settings.max_in_flight = max_in_flight;
	return fixture->subscriber->ops->open(fixture->subscriber, &settings, &fixture->error);
}

static void
reopen(struct fixture *fixture)
{
	fixture->subscriber->ops->close(fixture->subscriber, 1000);
	if (try_open(fixture, 100) != HERALD_OK)
		fail_msg("%s", fixture->error.message);
}

static void
create(struct fixture *fixture)
{
	static int number;

	memset(fixture, 0, sizeof(*fixture));
	snprintf(fixture->queue, sizeof(fixture->queue), "queue-%d", number++);
	snprintf(fixture->dead, sizeof(fixture->dead), "%s.dead", fixture->queue);
	if (herald_rabbitmq_subscriber_create(
		    &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = server.url, .queue = fixture->queue),
		    &fixture->subscriber, &fixture->error) != HERALD_OK)
		fail_msg("%s: %s", fixture->error.path, fixture->error.message);
}

static void
start(struct fixture *fixture)
{
	create(fixture);
	if (try_open(fixture, 100) != HERALD_OK)
		fail_msg("%s", fixture->error.message);
}

static void
finish(struct fixture *fixture)
{
	fixture->subscriber->ops->close(fixture->subscriber, 1000);
	fixture->subscriber->ops->destroy(fixture->subscriber);
}

static void
publish(const struct fixture *fixture, const char *text)
{
	rabbitmq_client_publish(&client, fixture->queue, text, strlen(text), NULL);
}

/* Receive a message within so many milliseconds; NULL: there was none. */
static struct herald_received *
receive(struct fixture *fixture, unsigned timeout_ms)
{
	const uint64_t until = now_ms() + timeout_ms;
	const struct herald_subscriber_ops *ops = fixture->subscriber->ops;

	do {
		struct herald_received_list list = {0};
		enum herald_status status =
			ops->receive(fixture->subscriber, 1, 1 << 20, 20, &list, &fixture->error);

		if (status != HERALD_OK)
			fail_msg("%s", fixture->error.message);
		if (list.first)
			return list.first;
	} while (now_ms() < until);
	return NULL;
}

static struct herald_received *
must_receive(struct fixture *fixture)
{
	struct herald_received *message = receive(fixture, 5000);

	assert_non_null(message);
	return message;
}

static void
settle(struct fixture *fixture, struct herald_received *message, enum herald_settlement_kind kind)
{
	const struct herald_settlement settlement = {.message = message, .kind = kind};

	fixture->subscriber->ops->settle(fixture->subscriber, &settlement, 1);
}

static void
retry(struct fixture *fixture, struct herald_received *message, uint64_t delay_ms,
      unsigned attempts)
{
	const struct herald_error why = {.message = "not now"};
	const struct herald_settlement settlement = {
		.message = message,
		.kind = HERALD_SETTLE_RETRY,
		.delay_ms = delay_ms,
		.attempts = attempts,
		.error = &why,
	};

	fixture->subscriber->ops->settle(fixture->subscriber, &settlement, 1);
}

static void
bury(struct fixture *fixture, struct herald_received *message)
{
	const struct herald_error why = {
		.status = HERALD_BAD_TYPE,
		.path = "/payload",
		.message = "expected an object",
	};
	const struct herald_settlement settlement = {
		.message = message,
		.kind = HERALD_SETTLE_DEAD,
		.attempts = 3,
		.error = &why,
		.failed_ms = 1700000000123,
		.event_id = "event-1",
	};

	fixture->subscriber->ops->settle(fixture->subscriber, &settlement, 1);
}

/* Receive nothing until the server has confirmed all. */
static void
settle_down(struct fixture *fixture)
{
	const uint64_t until = now_ms() + 10000;
	const struct herald_subscriber_ops *ops = fixture->subscriber->ops;

	while (ops->unsettled(fixture->subscriber) > 0) {
		struct herald_received_list list = {0};

		assert_true(now_ms() < until);
		assert_int_equal(
			ops->receive(fixture->subscriber, 0, 0, 20, &list, &fixture->error),
			HERALD_OK);
		assert_null(list.first);
	}
}

/* Let time pass, with the copies on their way. */
static void
keep_alive(struct fixture *fixture, unsigned ms)
{
	const uint64_t until = now_ms() + ms;
	struct herald_received_list list = {0};

	while (now_ms() < until)
		assert_int_equal(fixture->subscriber->ops->receive(fixture->subscriber, 0, 0, 20,
								   &list, &fixture->error),
				 HERALD_OK);
	assert_null(list.first);
}

/* Nothing is left in the queue, whoever looks. */
static void
assert_empty(struct fixture *fixture)
{
	assert_int_equal(fixture->subscriber->ops->flush(fixture->subscriber, 5000), 0);
	fixture->subscriber->ops->close(fixture->subscriber, 1000);
	assert_int_equal(rabbitmq_client_count(&client, fixture->queue), 0);
	assert_int_equal(try_open(fixture, 100), HERALD_OK);
	assert_null(receive(fixture, 100));
}

static void
assert_data(const struct herald_received *message, const char *text)
{
	assert_int_equal(message->data.bytes, strlen(text));
	assert_memory_equal(message->data.data, text, strlen(text));
}

/* Options. */

#define OPTIONS(...)                                                                               \
	{                                                                                          \
		.struct_size = sizeof(struct herald_rabbitmq_subscriber_options), __VA_ARGS__      \
	}
#define URL(text) "expected amqp://USER:PASSWORD@HOST:PORT/VHOST; " text
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

/* spring-kafka#1923: a dead letter goes to its own queue, without an end. */
static void
options_are_checked(void **unused)
{
	static const struct {
		struct herald_rabbitmq_subscriber_options options;
		const char *path, *message;
	} cases[] = {
		{{.url = "amqp://a"},
		 "struct_size",
		 "use HERALD_RABBITMQ_SUBSCRIBER_OPTIONS, which sets it"},
		{OPTIONS(.url = "amqp://a"), "queue", "must be set"},
		{OPTIONS(.url = "amqp://a", .queue = ""), "queue", "must be set"},
		{OPTIONS(.url = "amqp://a", .queue = FIFTY FIFTY FIFTY FIFTY "x"), "queue",
		 "must have at most 200 bytes, not 201"},
		{OPTIONS(.url = "amqp://a", .queue = "amq.gen"), "queue",
		 "must not begin with \"amq.\", which RabbitMQ reserves: \"amq.gen\""},
		{OPTIONS(.url = "amqp://a", .queue = "a", .dead_queue = "a"), "dead_queue",
		 "must not be the queue itself"},
		{OPTIONS(.url = "amqp://a", .queue = "a", .connect_timeout_ms = 600001),
		 "connect_timeout_ms", "must be at most 600000, not 600001"},
		{OPTIONS(.url = "amqp://a", .queue = "a", .heartbeat_s = 3601), "heartbeat_s",
		 "must be at most 3600, not 3601"},
		{OPTIONS(.queue = "a"), "url", "must be set"},
		{OPTIONS(.url = "http://a", .queue = "a"), "url",
		 URL("it must begin with amqp:// or amqps://")},
		{OPTIONS(.url = "amqp://", .queue = "a"), "url", URL("HOST is missing")},
		{OPTIONS(.url = "amqp://secret@a", .queue = "a"), "url",
		 URL("the password is missing (USER:PASSWORD@)")},
		{OPTIONS(.url = "amqp://b:secret%0@a", .queue = "a"), "url",
		 URL("PASSWORD must be percent-encoded")},
		{OPTIONS(.url = "amqp://b:secret%00@a", .queue = "a"), "url",
		 URL("PASSWORD must be percent-encoded")},
		{OPTIONS(.url = "amqp://b:se cret@a", .queue = "a"), "url",
		 URL("PASSWORD must be percent-encoded")},
		{OPTIONS(.url = "amqp://a:0", .queue = "a"), "url",
		 URL("PORT must be a number from 1 to 65535")},
		{OPTIONS(.url = "amqp://a:65536", .queue = "a"), "url",
		 URL("PORT must be a number from 1 to 65535")},
		{OPTIONS(.url = "amqp://a:", .queue = "a"), "url",
		 URL("PORT must be a number from 1 to 65535")},
		{OPTIONS(.url = "amqp://[::1", .queue = "a"), "url",
		 URL("an IPv6 address is in square brackets")},
		{OPTIONS(.url = "amqp://[::1]5", .queue = "a"), "url",
		 URL("an IPv6 address is in square brackets")},
		{OPTIONS(.url = "amqp://a/b/c", .queue = "a"), "url",
		 URL("VHOST must be percent-encoded, without a query")},
		{OPTIONS(.url = "amqp://a/b?heartbeat=1", .queue = "a"), "url",
		 URL("VHOST must be percent-encoded, without a query")},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct herald_subscriber *subscriber = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_rabbitmq_subscriber_create(&cases[i].options, &subscriber, &error),
			HERALD_BAD_OPTION);
		assert_null(subscriber);
		assert_string_equal(error.path, cases[i].path);
		assert_option_error(&error, cases[i].path, cases[i].message);
		assert_null(strstr(error.message, "secret"));
	}
}

static void
urls_are_read(void **unused)
{
	static const char *const cases[][2] = {
		{"amqp://a", "a:5672 / q"},          {"amqp://a/", "a:5672 / q"},
		{"amqp://a:1/shop", "a:1 shop q"},   {"amqp://u:p%40@a:65535/%2fx", "a:65535 /x q"},
		{"amqp://:@[::1]:7/v", "::1:7 v q"}, {"amqp://[::1]", "::1:5672 / q"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct herald_subscriber *subscriber;
		struct herald_error error;

		if (herald_rabbitmq_subscriber_create(
			    &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = cases[i][0], .queue = "q"),
			    &subscriber, &error) != HERALD_OK)
			fail_msg("%s: %s", cases[i][0], error.message);
		assert_string_equal(subscriber->source, cases[i][1]);
		subscriber->ops->destroy(subscriber);
	}
}

/* Opening. */

static void
a_server_that_is_down_is_unavailable(void **unused)
{
	struct herald_subscriber *subscriber;
	struct herald_subscriber_settings settings = default_settings;
	struct herald_error error;

	(void)unused;
	settings.allocator = herald_allocator_libc;
	assert_int_equal(herald_rabbitmq_subscriber_create(
				 &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = "amqp://127.0.0.1:1/",
								     .queue = "q"),
				 &subscriber, &error),
			 HERALD_OK);
	assert_int_equal(subscriber->ops->open(subscriber, &settings, &error), HERALD_UNAVAILABLE);
	assert_non_null(strstr(error.message, "cannot connect to 127.0.0.1:1"));
	subscriber->ops->close(subscriber, 100);
	subscriber->ops->destroy(subscriber);
}

static void
refuses_login(const char *user, const char *vhost, const char *message)
{
	struct herald_subscriber *subscriber;
	struct herald_subscriber_settings settings = default_settings;
	struct herald_error error;
	char url[128];

	settings.allocator = herald_allocator_libc;
	snprintf(url, sizeof(url), "amqp://%s@127.0.0.1:%u/%s", user, server.port, vhost);
	assert_int_equal(herald_rabbitmq_subscriber_create(
				 &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = url, .queue = "q"),
				 &subscriber, &error),
			 HERALD_OK);
	assert_int_equal(subscriber->ops->open(subscriber, &settings, &error), HERALD_BAD_OPTION);
	if (!strstr(error.message, message))
		fail_msg("%s", error.message);
	subscriber->ops->destroy(subscriber);
}

static void
wrong_logins_are_refused(void **unused)
{
	(void)unused;
	refuses_login("guest:wrong", "", "403 ACCESS_REFUSED");
	refuses_login("guest:guest", "nowhere", "530 NOT_ALLOWED");
}

static void
queues_with_other_arguments_are_refused(void **unused)
{
	struct fixture fixture;

	(void)unused;
	create(&fixture);
	rabbitmq_client_declare(&client, fixture.queue, NULL, NULL);
	assert_int_equal(try_open(&fixture, 100), HERALD_BAD_OPTION);
	assert_string_equal(fixture.error.path, "queue");
	assert_non_null(strstr(fixture.error.message, "delete it when it is empty"));
	rabbitmq_client_delete(&client, fixture.queue);
	rabbitmq_client_declare(&client, fixture.dead, "x-queue-type", "classic");
	assert_int_equal(try_open(&fixture, 100), HERALD_BAD_OPTION);
	assert_string_equal(fixture.error.path, "dead_queue");
	rabbitmq_client_delete(&client, fixture.dead);
	assert_int_equal(try_open(&fixture, 100), HERALD_OK);
	finish(&fixture);
}

/* Messages. */

static amqp_table_entry_t
entry(const char *name, uint8_t kind)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(name), .value.kind = kind};
}

static void
assert_attribute(const struct herald_received *message, const char *name, const char *value)
{
	const char *found = herald_attributes_find(message->attributes, name);

	if (!value)
		assert_null(found);
	else if (!found)
		fail_msg("there is no %s", name);
	else
		assert_string_equal(found, value);
}

static void
properties_and_headers_become_attributes(void **unused)
{
	amqp_table_entry_t headers[] = {
		entry("tenant", AMQP_FIELD_KIND_UTF8),
		entry("count", AMQP_FIELD_KIND_I32),
		entry("large", AMQP_FIELD_KIND_I64),
		entry("half", AMQP_FIELD_KIND_F64),
		entry("flag", AMQP_FIELD_KIND_BOOLEAN),
		entry("when", AMQP_FIELD_KIND_TIMESTAMP),
		entry("cloudEvents:type", AMQP_FIELD_KIND_UTF8),
		entry("cloudEvents_subject", AMQP_FIELD_KIND_UTF8),
		entry("table", AMQP_FIELD_KIND_TABLE),
		entry("nothing", AMQP_FIELD_KIND_VOID),
		entry("nul", AMQP_FIELD_KIND_BYTES),
		entry("amqp-routing-key", AMQP_FIELD_KIND_UTF8),
	};
	const amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG |
			  AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
		.content_type = amqp_cstring_bytes("application/json"),
		.headers = {sizeof(headers) / sizeof(*headers), headers},
		.message_id = amqp_cstring_bytes("m-1"),
		.timestamp = 1700000000,
	};
	struct fixture fixture;

	(void)unused;
	headers[0].value.value.bytes = amqp_cstring_bytes("acme");
	headers[1].value.value.i32 = -7;
	headers[2].value.value.i64 = INT64_MIN;
	headers[3].value.value.f64 = 0.5;
	headers[4].value.value.boolean = 1;
	headers[5].value.value.u64 = 1700000000;
	headers[6].value.value.bytes = amqp_cstring_bytes("made");
	headers[7].value.value.bytes = amqp_cstring_bytes("a \"b\" 50%");
	headers[8].value.value.table = amqp_empty_table;
	headers[10].value.value.bytes = (amqp_bytes_t){3, (char[]){"a\0b"}};
	headers[11].value.value.bytes = amqp_cstring_bytes("false");
	start(&fixture);
	rabbitmq_client_publish(&client, fixture.queue, "{}", 2, &properties);

	struct herald_received *message = must_receive(&fixture);
	assert_data(message, "{}");
	assert_string_equal(message->content_type, "application/json");
	assert_int_equal(message->created_ms, 1700000000000);
	assert_int_equal(message->deliveries, 1);
	assert_int_equal(message->attempts, 0);
	assert_attribute(message, "tenant", "acme");
	assert_attribute(message, "count", "-7");
	assert_attribute(message, "large", "-9223372036854775808");
	assert_attribute(message, "half", "0.5");
	assert_attribute(message, "flag", "true");
	assert_attribute(message, "when", "2023-11-14T22:13:20Z");
	assert_attribute(message, "ce-type", "made");
	assert_attribute(message, "ce-subject", "a%20%22b%22%2050%25");
	assert_attribute(message, "amqp-message-id", "m-1");
	assert_attribute(message, "amqp-exchange", "");
	assert_attribute(message, "amqp-routing-key", fixture.queue);
	assert_attribute(message, "table", NULL);
	assert_attribute(message, "nothing", NULL);
	assert_attribute(message, "nul", NULL);
	settle(&fixture, message, HERALD_SETTLE_DONE);
	settle_down(&fixture);
	assert_empty(&fixture);
	finish(&fixture);
}

/* Messages with the same body have different identities. A message has the same one when it is
 * delivered again, though the server sorts the headers then. */
static void
messages_are_told_apart(void **unused)
{
	amqp_table_entry_t headers[] = {
		entry("z-tenant", AMQP_FIELD_KIND_UTF8),
		entry("a-number", AMQP_FIELD_KIND_I32),
	};
	amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
			  AMQP_BASIC_TIMESTAMP_FLAG,
		.headers = {2, headers},
	};
	struct fixture fixture;
	struct herald_received *held[4];
	uint64_t identities[4];

	(void)unused;
	headers[0].value.value.bytes = amqp_cstring_bytes("acme");
	start(&fixture);
	for (int i = 0; i < 4; i++) {
		properties.message_id = amqp_cstring_bytes(i == 1 ? "m-2" : "m-1");
		properties.timestamp = i == 2 ? 1700000001 : 1700000000;
		headers[1].value.value.i32 = i == 3;
		rabbitmq_client_publish(&client, fixture.queue, "{}", 2, &properties);
	}
	for (int i = 0; i < 4; i++) {
		held[i] = must_receive(&fixture);
		identities[i] = held[i]->identity;
		for (int j = 0; j < i; j++)
			assert_true(identities[i] != identities[j]);
	}
	/* The messages are the server's again. */
	reopen(&fixture);
	for (int i = 0; i < 4; i++) {
		settle(&fixture, held[i], HERALD_SETTLE_DONE);
		struct herald_received *message = must_receive(&fixture);
		int same = 0;

		assert_int_equal(message->deliveries, 2);
		for (int j = 0; j < 4; j++)
			same += identities[j] == message->identity;
		assert_int_equal(same, 1);
		settle(&fixture, message, HERALD_SETTLE_DONE);
	}
	assert_empty(&fixture);
	finish(&fixture);
}

static void
bodies_of_all_sizes_arrive(void **unused)
{
	static const size_t sizes[] = {0, 1, 131064, 131065, 1 << 20};
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *data = malloc(sizes[i] + 1);

		assert_non_null(data);
		for (size_t at = 0; at < sizes[i]; at++)
			data[at] = (char)(at * 31 >> 3);
		rabbitmq_client_publish(&client, fixture.queue, data, sizes[i], NULL);
		/* Back through the queue for retries, too. */
		struct herald_received *message = must_receive(&fixture);
		assert_int_equal(message->data.bytes, sizes[i]);
		assert_memory_equal(message->data.data, data, sizes[i]);
		assert_null(message->content_type);
		retry(&fixture, message, 10, 1);
		message = must_receive(&fixture);
		assert_int_equal(message->data.bytes, sizes[i]);
		assert_memory_equal(message->data.data, data, sizes[i]);
		settle(&fixture, message, HERALD_SETTLE_DONE);
		free(data);
	}
	settle_down(&fixture);
	assert_empty(&fixture);
	finish(&fixture);
}

/* Settling. */

static void
what_is_done_out_of_order_is_acknowledged(void **unused)
{
	struct herald_received *messages[20];
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 20; i++)
		publish(&fixture, "x");
	for (int i = 0; i < 20; i++)
		messages[i] = must_receive(&fixture);
	for (int i = 1; i < 20; i += 2)
		settle(&fixture, messages[i], HERALD_SETTLE_DONE);
	assert_int_equal(fixture.subscriber->ops->unsettled(fixture.subscriber), 10);
	settle_down(&fixture);
	for (int i = 18; i >= 0; i -= 2)
		settle(&fixture, messages[i], HERALD_SETTLE_DONE);
	settle_down(&fixture);
	assert_empty(&fixture);
	finish(&fixture);
}

/* EasyNetQ#1329: the acknowledgement of a stale one is sent, and the server closes the channel. */
static void
what_is_not_settled_comes_again(void **unused)
{
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	publish(&fixture, "one");
	struct herald_received *message = must_receive(&fixture);
	const uint64_t identity = message->identity;
	assert_true(identity != 0);
	assert_false(herald_received_is_lost(message));
	reopen(&fixture);
	assert_true(herald_received_is_lost(message));
	struct herald_received *again = must_receive(&fixture);
	assert_int_equal(again->deliveries, 2);
	assert_true(again->identity == identity);
	/* The stale one has the same tag. */
	settle(&fixture, message, HERALD_SETTLE_DONE);
	reopen(&fixture);
	settle(&fixture, again, HERALD_SETTLE_DEAD);
	again = must_receive(&fixture);
	assert_int_equal(again->deliveries, 3);
	assert_int_equal(rabbitmq_client_count(&client, fixture.dead), 0);
	settle(&fixture, again, HERALD_SETTLE_DONE);
	assert_empty(&fixture);
	finish(&fixture);
}

static void
a_release_counts_as_a_delivery(void **unused)
{
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	assert_true(fixture.subscriber->ops->counts_releases);
	publish(&fixture, "one");
	settle(&fixture, must_receive(&fixture), HERALD_SETTLE_RELEASE);
	struct herald_received *message = must_receive(&fixture);
	assert_int_equal(message->deliveries, 2);
	assert_int_equal(message->attempts, 0);
	settle(&fixture, message, HERALD_SETTLE_DONE);
	assert_empty(&fixture);
	finish(&fixture);
}

static void
a_retry_is_not_early_and_knows_its_attempts(void **unused)
{
	static const unsigned delays[] = {0, 10, 37, 150, 300, 600};
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
		publish(&fixture, "again");
		struct herald_received *message = must_receive(&fixture);
		const uint64_t before = now_ms();
		retry(&fixture, message, delays[i], 7);
		message = must_receive(&fixture);
		const uint64_t waited = now_ms() - before;
		print_message("# delay %u ms: after %llu ms\n", delays[i],
			      (unsigned long long)waited);
		assert_true(waited >= delays[i]);
		assert_int_equal(message->attempts, 7);
		assert_int_equal(message->deliveries, 1);
		assert_data(message, "again");
		settle(&fixture, message, HERALD_SETTLE_DONE);
	}
	settle_down(&fixture);
	assert_empty(&fixture);
	finish(&fixture);
}

static void
a_dead_letter_has_everything(void **unused)
{
	amqp_table_entry_t headers[] = {
		entry("tenant", AMQP_FIELD_KIND_UTF8),
		entry("herald-reason", AMQP_FIELD_KIND_UTF8),
		entry("herald-attempt", AMQP_FIELD_KIND_UTF8),
		entry("CC", AMQP_FIELD_KIND_ARRAY),
	};
	amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG |
			  AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_EXPIRATION_FLAG,
		.content_type = amqp_cstring_bytes("text/x"),
		.headers = {4, headers},
		.user_id = amqp_cstring_bytes("guest"),
		.expiration = amqp_cstring_bytes("60000"),
	};
	static const char *const expected[][2] = {
		{"tenant", "acme"},
		{"herald-reason", "expected an object"},
		{"herald-path", "/payload"},
		{"herald-status", "HERALD_BAD_TYPE"},
		{"herald-attempts", "3"},
		{"herald-id", "event-1"},
		{"herald-failed-at", "2023-11-14T22:13:20.123Z"},
	};
	struct fixture fixture;
	amqp_message_t dead;

	(void)unused;
	headers[0].value.value.bytes = amqp_cstring_bytes("acme");
	headers[1].value.value.bytes = amqp_cstring_bytes("of its first life");
	headers[2].value.value.bytes = amqp_cstring_bytes("2");
	headers[3].value.value.array = (amqp_array_t){0, NULL};
	start(&fixture);
	rabbitmq_client_publish(&client, fixture.queue, "a\0b", 3, &properties);
	struct herald_received *message = must_receive(&fixture);
	assert_int_equal(message->attempts, 2);
	assert_attribute(message, "amqp-user-id", "guest");
	bury(&fixture, message);
	settle_down(&fixture);
	assert_true(rabbitmq_client_get(&client, fixture.dead, 0, &dead));
	assert_int_equal(dead.body.len, 3);
	assert_memory_equal(dead.body.bytes, "a\0b", 3);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const char *value = rabbitmq_header(&dead, expected[i][0]);

		assert_non_null(value);
		assert_string_equal(value, expected[i][1]);
	}
	assert_string_equal(rabbitmq_header(&dead, "herald-origin"), fixture.queue);
	assert_null(rabbitmq_header(&dead, "herald-attempt"));
	/* And the server's x-delivery-count. */
	assert_int_equal(dead.properties.headers.num_entries, 9);
	assert_false(dead.properties._flags & AMQP_BASIC_EXPIRATION_FLAG);
	assert_int_equal(dead.properties.delivery_mode, AMQP_DELIVERY_PERSISTENT);
	assert_memory_equal(dead.properties.content_type.bytes, "text/x", 6);
	amqp_destroy_message(&dead);
	assert_empty(&fixture);
	finish(&fixture);
}

/* A copy goes on as soon as the socket takes more. */
static void
a_large_dead_letter_is_sent_at_once(void **unused)
{
	const size_t bytes = (size_t)4 << 20; /* the most that the server takes */
	char *large = calloc(1, bytes);
	struct fixture fixture;
	amqp_message_t dead;

	(void)unused;
	assert_non_null(large);
	start(&fixture);
	rabbitmq_client_publish(&client, fixture.queue, large, bytes, NULL);
	struct herald_received *message = must_receive(&fixture);
	/* The queue is not new any more. */
	keep_alive(&fixture, 1100);
	struct herald_received_list list = {0};
	bury(&fixture, message);
	assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 0, 0, 1500, &list,
							  &fixture.error),
			 HERALD_OK);
	assert_int_equal(fixture.subscriber->ops->unsettled(fixture.subscriber), 0);
	assert_true(rabbitmq_client_get(&client, fixture.dead, 2000, &dead));
	assert_int_equal(dead.body.len, bytes);
	amqp_destroy_message(&dead);
	assert_empty(&fixture);
	finish(&fixture);
	free(large);
}

static void
headers_that_fill_a_frame_do_not_stop_a_copy(void **unused)
{
	static char large[130900];
	amqp_table_entry_t header = entry("large", AMQP_FIELD_KIND_UTF8);
	const amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
						    .headers = {1, &header}};
	struct fixture fixture;
	amqp_message_t dead;

	(void)unused;
	memset(large, 'x', sizeof(large));
	header.value.value.bytes = (amqp_bytes_t){sizeof(large), large};
	start(&fixture);
	rabbitmq_client_publish(&client, fixture.queue, "body", 4, &properties);
	warnings_logged = 0;
	bury(&fixture, must_receive(&fixture));
	assert_int_equal(warnings_logged, 1);
	settle_down(&fixture);
	assert_true(rabbitmq_client_get(&client, fixture.dead, 0, &dead));
	assert_string_equal(rabbitmq_header(&dead, "herald-reason"), "expected an object");
	assert_null(rabbitmq_header(&dead, "large"));
	amqp_destroy_message(&dead);
	finish(&fixture);
}

/* A server that is killed forgets queues that it has just made, whenever it was told to. */
static void
a_queue_is_new_from_when_it_is_made(void **unused)
{
	struct fixture fixture;
	uint64_t made_ms;

	(void)unused;
	start(&fixture);
	publish(&fixture, "one");
	struct herald_received *message = must_receive(&fixture);
	rabbitmq_server_pause(&server);
	retry(&fixture, message, 100, 1);
	keep_alive(&fixture, NEW_QUEUE_MS + 500);
	made_ms = now_ms();
	rabbitmq_server_go_on(&server);
	settle_down(&fixture);
	assert_true(now_ms() - made_ms >= NEW_QUEUE_MS);

	/* After a new connection, which declares the queues of retries again. */
	message = must_receive(&fixture);
	made_ms = now_ms();
	reopen(&fixture);
	settle(&fixture, message, HERALD_SETTLE_DONE);
	retry(&fixture, must_receive(&fixture), 100, 1);
	settle_down(&fixture);
	assert_true(now_ms() - made_ms >= NEW_QUEUE_MS);

	message = must_receive(&fixture);
	made_ms = now_ms();
	reopen(&fixture);
	settle(&fixture, message, HERALD_SETTLE_DONE);
	bury(&fixture, must_receive(&fixture));
	settle_down(&fixture);
	assert_true(now_ms() - made_ms >= NEW_QUEUE_MS);
	finish(&fixture);
}

/* Queues that go away. */

/* MassTransit#4867: the message runs again and again. */
static void
a_dead_letter_queue_that_was_deleted_is_made_again(void **unused)
{
	struct fixture fixture;
	amqp_message_t dead;

	(void)unused;
	start(&fixture);
	rabbitmq_client_delete(&client, fixture.dead);
	publish(&fixture, "one");
	errors_logged = 0;
	bury(&fixture, must_receive(&fixture));
	settle_down(&fixture);
	assert_int_equal(errors_logged, 1);
	assert_true(rabbitmq_client_get(&client, fixture.dead, 0, &dead));
	amqp_destroy_message(&dead);
	assert_empty(&fixture);
	finish(&fixture);
}

/* If several copies come back, each is sent again once. */
static void
copies_that_come_back_are_sent_once_more(void **unused)
{
	enum { COUNT = 20 };
	struct herald_received *messages[COUNT];
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < COUNT; i++)
		publish(&fixture, "x");
	for (int i = 0; i < COUNT; i++)
		messages[i] = must_receive(&fixture);
	rabbitmq_client_delete(&client, fixture.dead);
	for (int i = 0; i < COUNT; i++) {
		bury(&fixture, messages[i]);
		if (i % 5 == 0)
			keep_alive(&fixture, 1);
	}
	settle_down(&fixture);
	assert_int_equal(rabbitmq_client_count(&client, fixture.dead), COUNT);
	assert_empty(&fixture);
	finish(&fixture);
}

static void
a_retry_queue_that_was_deleted_is_made_again(void **unused)
{
	struct fixture fixture;
	char name[64];

	(void)unused;
	start(&fixture);
	snprintf(name, sizeof(name), "%s.herald.retry.20", fixture.queue);
	publish(&fixture, "one");
	retry(&fixture, must_receive(&fixture), 20, 1);
	retry(&fixture, must_receive(&fixture), 20, 2);
	struct herald_received *message = must_receive(&fixture);
	rabbitmq_client_delete(&client, name);
	retry(&fixture, message, 20, 3);
	message = must_receive(&fixture);
	assert_int_equal(message->attempts, 3);
	settle(&fixture, message, HERALD_SETTLE_DONE);
	assert_empty(&fixture);
	finish(&fixture);
}

/* wolverine#1878: a queue has no consumers any more, and no log says why. */
static void
a_queue_that_was_deleted_is_reported_and_made_again(void **unused)
{
	struct fixture fixture;
	struct herald_received_list list = {0};
	enum herald_status status;

	(void)unused;
	start(&fixture);
	publish(&fixture, "one");
	struct herald_received *message = must_receive(&fixture);
	errors_logged = 0;
	rabbitmq_client_delete(&client, fixture.queue);
	status = fixture.subscriber->ops->receive(fixture.subscriber, 1, 1000, 5000, &list,
						  &fixture.error);
	assert_int_equal(status, HERALD_UNAVAILABLE);
	assert_non_null(strstr(fixture.error.message, "deleted"));
	assert_int_equal(errors_logged, 1);
	assert_true(herald_received_is_lost(message));
	settle(&fixture, message, HERALD_SETTLE_DONE);
	reopen(&fixture);
	publish(&fixture, "two");
	message = must_receive(&fixture);
	assert_data(message, "two");
	settle(&fixture, message, HERALD_SETTLE_DONE);
	assert_empty(&fixture);
	finish(&fixture);
}

/* Limits. */

static void
no_more_is_received_than_there_is_room(void **unused)
{
	struct fixture fixture;
	struct herald_received_list list = {0};

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 300; i++)
		rabbitmq_client_send(&client, fixture.queue, "0123456789", 10, NULL);
	rabbitmq_client_await(&client);
	/* Two take more than 100 bytes, with their attributes. */
	while (!list.first)
		assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 50, 100, 1000,
								  &list, &fixture.error),
				 HERALD_OK);
	assert_int_equal(list.count, 1);
	for (size_t count = 1; count < 100;) {
		struct herald_received_list more = {0};

		assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 7, 1 << 20,
								  1000, &more, &fixture.error),
				 HERALD_OK);
		assert_true(more.count > 0 && more.count <= 7);
		count += more.count;
		list.last->next = more.first;
		list.last = more.last;
	}
	/* max_in_flight: no more come before one is settled. */
	assert_null(receive(&fixture, 200));
	for (struct herald_received *at = list.first, *next; at; at = next) {
		next = at->next;
		settle(&fixture, at, HERALD_SETTLE_DONE);
	}
	for (int i = 100; i < 300; i++)
		settle(&fixture, must_receive(&fixture), HERALD_SETTLE_DONE);
	assert_empty(&fixture);
	finish(&fixture);
}

static void
what_arrives_takes_bounded_memory(void **unused)
{
	static char large[300000];
	struct herald_received *messages[30];
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 30; i++)
		rabbitmq_client_send(&client, fixture.queue, large, sizeof(large), NULL);
	rabbitmq_client_await(&client);
	/* max_in_flight_bytes is 1 MiB: after the fourth, nothing is read. */
	for (int i = 0; i < 4; i++)
		messages[i] = must_receive(&fixture);
	assert_null(receive(&fixture, 200));
	for (int i = 0; i < 30; i++) {
		settle(&fixture, messages[i], HERALD_SETTLE_DONE);
		if (i + 4 < 30)
			messages[i + 4] = must_receive(&fixture);
	}
	assert_empty(&fixture);
	finish(&fixture);
}

static void *
wake_later(void *subscriber)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	nanosleep(&pause, NULL);
	((struct herald_subscriber *)subscriber)->ops->wake(subscriber);
	return NULL;
}

static void
wake_ends_receive(void **unused)
{
	struct fixture fixture;
	struct herald_received_list list = {0};
	pthread_t thread;

	(void)unused;
	start(&fixture);
	const uint64_t before = now_ms();
	assert_int_equal(pthread_create(&thread, NULL, wake_later, fixture.subscriber), 0);
	assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 1, 100, 20000, &list,
							  &fixture.error),
			 HERALD_OK);
	assert_true(now_ms() - before < 10000);
	pthread_join(thread, NULL);
	/* And the next one, if none is under way. */
	fixture.subscriber->ops->wake(fixture.subscriber);
	assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 1, 100, 20000, &list,
							  &fixture.error),
			 HERALD_OK);
	assert_true(now_ms() - before < 10000);
	finish(&fixture);
}

/* Ending. */

static void
flush_gives_back_what_has_arrived(void **unused)
{
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 50; i++)
		rabbitmq_client_send(&client, fixture.queue, "x", 1, NULL);
	rabbitmq_client_await(&client);
	struct herald_received *message = must_receive(&fixture);
	struct herald_received *held = must_receive(&fixture);
	retry(&fixture, message, 60000, 1);
	assert_int_equal(fixture.subscriber->ops->flush(fixture.subscriber, 5000), 0);
	assert_int_equal(rabbitmq_client_count(&client, fixture.queue), 48);
	/* What the consumer still has can be settled. */
	settle(&fixture, held, HERALD_SETTLE_DONE);
	assert_int_equal(fixture.subscriber->ops->flush(fixture.subscriber, 5000), 0);
	fixture.subscriber->ops->close(fixture.subscriber, 1000);
	assert_int_equal(rabbitmq_client_count(&client, fixture.queue), 48);
	rabbitmq_client_delete(&client, fixture.queue);
	fixture.subscriber->ops->destroy(fixture.subscriber);
}

/* What is acknowledged during a stop lets nothing come that the consumer does not know of: each
 * message has as many deliveries as the consumer has seen. */
static void
a_stop_delivers_nothing_unseen(void **unused)
{
	enum { COUNT = 60, ROOM = 10 };
	struct herald_received *held[ROOM];
	unsigned seen[COUNT] = {0};
	struct fixture fixture;
	char text[8];

	(void)unused;
	create(&fixture);
	assert_int_equal(try_open(&fixture, ROOM), HERALD_OK);
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "%02d", i);
		rabbitmq_client_send(&client, fixture.queue, text, 3, NULL);
	}
	rabbitmq_client_await(&client);
	for (int i = 0; i < ROOM; i++) {
		held[i] = must_receive(&fixture);
		seen[strtol(held[i]->data.data, NULL, 10)]++;
	}
	/* It stops: two run, the others go back, and the two are done one after the other. */
	for (int i = 2; i < ROOM; i++)
		settle(&fixture, held[i], HERALD_SETTLE_RELEASE);
	for (int i = 0; i <= 2; i++) {
		const uint64_t until = now_ms() + 1500;

		while (now_ms() < until) {
			struct herald_received_list list = {0};

			assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 0,
									  1 << 20, 50, &list,
									  &fixture.error),
					 HERALD_OK);
			while (list.first) {
				struct herald_received *message = list.first;

				list.first = message->next;
				seen[strtol(message->data.data, NULL, 10)]++;
				settle(&fixture, message, HERALD_SETTLE_RELEASE);
			}
		}
		if (i < 2)
			settle(&fixture, held[i], HERALD_SETTLE_DONE);
	}
	assert_int_equal(fixture.subscriber->ops->flush(fixture.subscriber, 5000), 0);
	reopen(&fixture);
	for (int i = 2; i < COUNT; i++) {
		struct herald_received *message = must_receive(&fixture);

		assert_int_equal(message->deliveries,
				 seen[strtol(message->data.data, NULL, 10)] + 1);
		settle(&fixture, message, HERALD_SETTLE_DONE);
	}
	assert_empty(&fixture);
	finish(&fixture);
}

/* A consumer whose messages all run when it stops, and end at once. */
static void
a_stop_of_a_full_consumer_delivers_nothing(void **unused)
{
	struct herald_received *held[2];
	struct fixture fixture;

	(void)unused;
	create(&fixture);
	assert_int_equal(try_open(&fixture, 2), HERALD_OK);
	for (int i = 0; i < 20; i++)
		publish(&fixture, "x");
	for (int i = 0; i < 2; i++)
		held[i] = must_receive(&fixture);
	for (int i = 0; i < 2; i++)
		settle(&fixture, held[i], HERALD_SETTLE_DONE);
	assert_int_equal(fixture.subscriber->ops->flush(fixture.subscriber, 5000), 0);
	reopen(&fixture);
	for (int i = 2; i < 20; i++) {
		struct herald_received *message = must_receive(&fixture);

		assert_int_equal(message->deliveries, 1);
		settle(&fixture, message, HERALD_SETTLE_DONE);
	}
	assert_empty(&fixture);
	finish(&fixture);
}

/* A server that is short of memory takes nothing that is published; rabbitmq-c#519 waits for it. */
static void
a_blocked_server_stops_copies_only(void **unused)
{
	static char large[1 << 20];
	struct herald_received *messages[8];
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 3; i++)
		rabbitmq_client_send(&client, fixture.queue, large, sizeof(large) / 4, NULL);
	for (int i = 0; i < 5; i++)
		rabbitmq_client_send(&client, fixture.queue, "x", 1, NULL);
	rabbitmq_client_await(&client);
	for (int i = 0; i < 8; i++)
		messages[i] = must_receive(&fixture);
	rabbitmq_server_set_blocked(&server, true);
	warnings_logged = 0;
	bury(&fixture, messages[0]);
	bury(&fixture, messages[1]);
	const uint64_t before = now_ms();
	assert_null(receive(&fixture, 500));
	bury(&fixture, messages[2]);
	for (int i = 3; i < 8; i++)
		settle(&fixture, messages[i], HERALD_SETTLE_DONE);
	assert_null(receive(&fixture, 200));
	/* Acknowledged, and the copies wait. Nothing took longer than it may. */
	assert_int_equal(fixture.subscriber->ops->unsettled(fixture.subscriber), 3);
	assert_true(now_ms() - before < 2000);
	assert_int_equal(warnings_logged, 1);
	assert_int_equal(fixture.subscriber->ops->flush(fixture.subscriber, 300), 3);
	assert_true(now_ms() - before < 3000);
	rabbitmq_server_set_blocked(&server, false);
	settle_down(&fixture);
	finish(&fixture);
	assert_int_equal(rabbitmq_client_count(&client, fixture.queue), 0);
	assert_int_equal(rabbitmq_client_count(&client, fixture.dead), 3);
	rabbitmq_client_delete(&client, fixture.dead);
}

/* A server that has stopped answers nothing; no function waits longer than it says. */
static void
a_stopped_server_holds_nobody_up(void **unused)
{
	struct fixture fixture;
	struct herald_received_list list = {0};

	(void)unused;
	start(&fixture);
	publish(&fixture, "one");
	struct herald_received *message = must_receive(&fixture);
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	const uint64_t before = now_ms();
	bury(&fixture, message);
	assert_int_equal(fixture.subscriber->ops->receive(fixture.subscriber, 1, 1000, 100, &list,
							  &fixture.error),
			 HERALD_OK);
	assert_true(fixture.subscriber->ops->flush(fixture.subscriber, 100) > 0);
	fixture.subscriber->ops->close(fixture.subscriber, 200);
	assert_true(now_ms() - before < 1500);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	assert_int_equal(try_open(&fixture, 100), HERALD_OK);
	/* The copy is there, or the message is; or both. */
	message = receive(&fixture, 2000);
	if (message)
		settle(&fixture, message, HERALD_SETTLE_DONE);
	assert_true(message || rabbitmq_client_count(&client, fixture.dead) > 0);
	assert_empty(&fixture);
	finish(&fixture);
}

/* Last: the client's connection ends, too. */
static void
a_server_that_dies_loses_nothing(void **unused)
{
	struct fixture fixture;
	struct herald_received_list list = {0};
	enum herald_status status;
	char name[16];
	bool seen[40] = {false};
	amqp_message_t dead;

	(void)unused;
	start(&fixture);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%d", i);
		publish(&fixture, name);
	}
	for (int i = 0; i < 20; i++)
		bury(&fixture, must_receive(&fixture));
	struct herald_received *held = must_receive(&fixture);
	rabbitmq_server_crash(&server);
	do {
		status = fixture.subscriber->ops->receive(fixture.subscriber, 0, 0, 1000, &list,
							  &fixture.error);
	} while (status == HERALD_OK);
	assert_int_equal(status, HERALD_UNAVAILABLE);
	assert_true(herald_received_is_lost(held));
	fixture.subscriber->ops->close(fixture.subscriber, 1000);
	settle(&fixture, held, HERALD_SETTLE_DONE);
	assert_int_equal(try_open(&fixture, 100), HERALD_UNAVAILABLE);
	rabbitmq_client_abandon(&client);
	rabbitmq_server_restart(&server);
	rabbitmq_client_open(&client, &server);
	assert_int_equal(try_open(&fixture, 100), HERALD_OK);
	for (struct herald_received *message; (message = receive(&fixture, 1000));) {
		seen[strtol(message->data.data, NULL, 10)] = true;
		settle(&fixture, message, HERALD_SETTLE_DONE);
	}
	while (rabbitmq_client_get(&client, fixture.dead, 0, &dead)) {
		snprintf(name, sizeof(name), "%.*s", (int)dead.body.len, (char *)dead.body.bytes);
		seen[strtol(name, NULL, 10)] = true;
		amqp_destroy_message(&dead);
	}
	for (int i = 0; i < 40; i++)
		assert_true(seen[i]);
	finish(&fixture);
}

/* A kill of the server would lose it before. */
static void
a_copy_counts_once_the_server_knows_its_queue(void **unused)
{
	struct fixture fixture;

	(void)unused;
	start(&fixture);
	publish(&fixture, "a");
	bury(&fixture, must_receive(&fixture));
	settle_down(&fixture);
	assert_true(rabbitmq_server_knows_queues(&server));
	finish(&fixture);
}

static int
start_server(void **unused)
{
	(void)unused;
	rabbitmq_server_start(&server);
	rabbitmq_client_open(&client, &server);
	return 0;
}

static int
stop_server(void **unused)
{
	(void)unused;
	rabbitmq_client_close(&client);
	rabbitmq_server_stop(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(urls_are_read),
		cmocka_unit_test(a_server_that_is_down_is_unavailable),
		cmocka_unit_test(wrong_logins_are_refused),
		cmocka_unit_test(queues_with_other_arguments_are_refused),
		cmocka_unit_test(properties_and_headers_become_attributes),
		cmocka_unit_test(messages_are_told_apart),
		cmocka_unit_test(bodies_of_all_sizes_arrive),
		cmocka_unit_test(what_is_done_out_of_order_is_acknowledged),
		cmocka_unit_test(what_is_not_settled_comes_again),
		cmocka_unit_test(a_release_counts_as_a_delivery),
		cmocka_unit_test(a_retry_is_not_early_and_knows_its_attempts),
		cmocka_unit_test(a_dead_letter_has_everything),
		cmocka_unit_test(a_large_dead_letter_is_sent_at_once),
		cmocka_unit_test(a_queue_is_new_from_when_it_is_made),
		cmocka_unit_test(headers_that_fill_a_frame_do_not_stop_a_copy),
		cmocka_unit_test(a_dead_letter_queue_that_was_deleted_is_made_again),
		cmocka_unit_test(copies_that_come_back_are_sent_once_more),
		cmocka_unit_test(a_retry_queue_that_was_deleted_is_made_again),
		cmocka_unit_test(a_queue_that_was_deleted_is_reported_and_made_again),
		cmocka_unit_test(no_more_is_received_than_there_is_room),
		cmocka_unit_test(what_arrives_takes_bounded_memory),
		cmocka_unit_test(wake_ends_receive),
		cmocka_unit_test(flush_gives_back_what_has_arrived),
		cmocka_unit_test(a_stop_delivers_nothing_unseen),
		cmocka_unit_test(a_stop_of_a_full_consumer_delivers_nothing),
		cmocka_unit_test(a_blocked_server_stops_copies_only),
		cmocka_unit_test(a_stopped_server_holds_nobody_up),
		cmocka_unit_test(a_copy_counts_once_the_server_knows_its_queue),
		cmocka_unit_test(a_server_that_dies_loses_nothing),
	};

	if (!rabbitmq_server_exists())
		return rabbitmq_server_left_out("rabbitmq");
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
