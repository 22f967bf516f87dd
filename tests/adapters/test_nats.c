/*
 * The subscriber of NATS: its functions, called as a consumer calls them, on a real server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/nats.h>
#include <nats/nats.h>

#include "../../adapters/broker/nats/subscriber.h"
#include "../support/nats_server.h"
#include "../support/option_error.h"

#define TIMEOUT_MS 600
#define ACK_WAIT_MS 1500

static struct nats_server server;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What a test has: a subscriber, and a connection of its own. */
struct bench {
	struct herald_subscriber *subscriber;
	const struct herald_subscriber_ops *ops;
	struct herald_subscriber_settings settings;
	struct herald_nats_subscriber_options options;
	natsConnection *connection;
	jsCtx *js;
	char stream[32], dead[64], dead_stream[64];
	struct herald_error error;
	char logged[512];
};

static void
connect_bench(struct bench *bench)
{
	assert_int_equal(natsConnection_ConnectTo(&bench->connection, server.url), NATS_OK);
	assert_int_equal(natsConnection_JetStream(&bench->js, bench->connection, NULL), NATS_OK);
}

static void
disconnect_bench(struct bench *bench)
{
	jsCtx_Destroy(bench->js);
	natsConnection_Destroy(bench->connection);
	bench->js = NULL;
	bench->connection = NULL;
}

static void
note_log(const struct herald_log_record *record, void *state)
{
	struct bench *bench = state;
	size_t used = strlen(bench->logged);

	used += (size_t)snprintf(bench->logged + used, sizeof(bench->logged) - used, "%s",
				 record->message);
	for (size_t i = 0; i < record->fields_count && used < sizeof(bench->logged); i++)
		used += (size_t)snprintf(bench->logged + used, sizeof(bench->logged) - used,
					 " %s=%s", record->fields[i].key,
					 record->fields[i].text ? record->fields[i].text : "");
	if (used + 1 < sizeof(bench->logged))
		strcat(bench->logged, "\n");
}

/* A stream of its own for each test. Nothing is opened yet. */
static void
begin(struct bench *bench)
{
	static unsigned count;

	memset(bench, 0, sizeof(*bench));
	snprintf(bench->stream, sizeof(bench->stream), "orders%u", ++count);
	snprintf(bench->dead, sizeof(bench->dead), "%s.dead", bench->stream);
	snprintf(bench->dead_stream, sizeof(bench->dead_stream), "%s-dead", bench->stream);
	bench->options =
		HERALD_NATS_SUBSCRIBER_OPTIONS(.url = server.url, .stream = bench->stream,
					       .group = "billing", .timeout_ms = TIMEOUT_MS,
					       .ack_wait_ms = ACK_WAIT_MS);
	bench->settings = (struct herald_subscriber_settings){
		.allocator = herald_allocator_libc,
		.log = {.write = note_log, .state = bench},
		.max_in_flight = 100,
		.max_in_flight_bytes = 1 << 20,
		.max_delay_ms = 3600000,
	};
	connect_bench(bench);
}

static void
create(struct bench *bench)
{
	assert_int_equal(
		herald_nats_subscriber_create(&bench->options, &bench->subscriber, &bench->error),
		HERALD_OK);
	bench->ops = bench->subscriber->ops;
}

static enum herald_status
open_it(struct bench *bench)
{
	return bench->ops->open(bench->subscriber, &bench->settings, &bench->error);
}

static void
create_and_open(struct bench *bench)
{
	create(bench);
	enum herald_status status = open_it(bench);
	if (status != HERALD_OK)
		fail_msg("%s", bench->error.message);
}

static void
finish(struct bench *bench)
{
	if (bench->subscriber) {
		bench->ops->close(bench->subscriber, 1000);
		bench->ops->destroy(bench->subscriber);
	}
	if (bench->connection)
		disconnect_bench(bench);
}

static void
publish(struct bench *bench, const char *data, size_t bytes)
{
	jsErrCode code = 0;

	assert_int_equal(js_Publish(NULL, bench->js, bench->stream, data, (int)bytes, NULL, &code),
			 NATS_OK);
}

static void
publish_many(struct bench *bench, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[16];
		int bytes = snprintf(text, sizeof(text), "%u", i);

		assert_int_equal(js_PublishAsync(bench->js, bench->stream, text, bytes, NULL),
				 NATS_OK);
	}
	assert_int_equal(js_PublishAsyncComplete(bench->js, NULL), NATS_OK);
}

/* Receive until there are `count`, or for within_ms. */
static struct herald_received_list
receive_for(struct bench *bench, size_t count, size_t room, uint64_t within_ms)
{
	struct herald_received_list all = {0};
	const uint64_t until_ms = now_ms() + within_ms;

	while (all.count < count && now_ms() < until_ms) {
		struct herald_received_list list = {0};
		enum herald_status status = bench->ops->receive(
			bench->subscriber, room - all.count,
			bench->settings.max_in_flight_bytes - all.bytes, 50, &list, &bench->error);

		if (status != HERALD_OK)
			fail_msg("%s", bench->error.message);
		if (list.count == 0)
			continue;
		if (all.last)
			all.last->next = list.first;
		else
			all.first = list.first;
		all.last = list.last;
		all.count += list.count;
		all.bytes += list.bytes;
	}
	return all;
}

static struct herald_received_list
receive(struct bench *bench, size_t count)
{
	struct herald_received_list list =
		receive_for(bench, count, bench->settings.max_in_flight, 10000);

	assert_int_equal(list.count, count);
	return list;
}

static struct herald_received *
receive_one(struct bench *bench)
{
	return receive(bench, 1).first;
}

static void
settle_one(struct bench *bench, struct herald_received *message, enum herald_settlement_kind kind,
	   uint64_t delay_ms)
{
	struct herald_error error;
	struct herald_settlement settlement = {
		.message = message,
		.kind = kind,
		.delay_ms = delay_ms,
		.attempts = 3,
		.error = &error,
		.failed_ms = 1700000000123,
		.event_id = "e-1",
	};

	herald_error_set(&error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "no such\r\nwarehouse");
	bench->ops->settle(bench->subscriber, &settlement, 1);
}

static void
settle_list(struct bench *bench, struct herald_received_list *list,
	    enum herald_settlement_kind kind, uint64_t delay_ms)
{
	while (list->first) {
		struct herald_received *message = list->first;

		list->first = message->next;
		settle_one(bench, message, kind, delay_ms);
	}
}

/* Receive nothing, until the broker knows of all ends. */
static void
confirm(struct bench *bench)
{
	const uint64_t until_ms = now_ms() + 10000;

	while (bench->ops->unsettled(bench->subscriber) > 0) {
		struct herald_received_list list = {0};

		assert_true(now_ms() < until_ms);
		assert_int_equal(
			bench->ops->receive(bench->subscriber, 0, 0, 50, &list, &bench->error),
			HERALD_OK);
		assert_int_equal(list.count, 0);
	}
}

static void
finish_list(struct bench *bench, struct herald_received_list list)
{
	settle_list(bench, &list, HERALD_SETTLE_DONE, 0);
	confirm(bench);
}

struct left {
	uint64_t pending, ack_pending;
};

static struct left
left_of(struct bench *bench)
{
	jsConsumerInfo *info = NULL;
	jsErrCode code = 0;

	assert_int_equal(
		js_GetConsumerInfo(&info, bench->js, bench->stream, "billing", NULL, &code),
		NATS_OK);
	struct left left = {info->NumPending, (uint64_t)info->NumAckPending};
	jsConsumerInfo_Destroy(info);
	return left;
}

static void
assert_left(struct bench *bench, uint64_t pending, uint64_t ack_pending)
{
	struct left left = left_of(bench);

	assert_int_equal(left.pending, pending);
	assert_int_equal(left.ack_pending, ack_pending);
}

/* Cases. */

/* spring-kafka#1923: a dead letter goes to what is consumed, without an end. */
static void
test_options(void **state)
{
	static const struct {
		const char *path;
		struct herald_nats_subscriber_options options;
	} bad[] = {
#define BAD(path, ...)                                                                             \
	{                                                                                          \
		path,                                                                              \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
		BAD("url", .url = NULL),
		BAD("url", .url = ""),
		BAD("url", .url = "127.0.0.1:4222"),
		BAD("url", .url = "http://h"),
		BAD("url", .url = "nats://"),
		BAD("url", .url = "nats://h:"),
		BAD("url", .url = "nats://h:0"),
		BAD("url", .url = "nats://h:65536"),
		BAD("url", .url = "nats://h:x"),
		BAD("url", .url = "nats://h/x"),
		BAD("url", .url = "nats://h h"),
		BAD("url", .url = "nats://@h"),
		BAD("url", .url = "nats://:p@h"),
		BAD("url", .url = "nats://[::1"),
		BAD("url", .url = "nats://[]:1"),
		BAD("url", .url = "nats://h,"),
		BAD("url", .url = "nats://h,http://i"),
		BAD("stream", .stream = NULL),
		BAD("stream", .stream = ""),
		BAD("stream", .stream = "a.b"),
		BAD("stream", .stream = "a b"),
		BAD("stream", .stream = "a*"),
		BAD("stream", .stream = "a>"),
		BAD("stream", .stream = "a/b"),
		BAD("group", .group = NULL),
		BAD("group", .group = "a.b"),
		BAD("subject", .subject = ""),
		BAD("subject", .subject = "a..b"),
		BAD("subject", .subject = ".a"),
		BAD("subject", .subject = "a."),
		BAD("subject", .subject = "a.b*"),
		BAD("subject", .subject = "a.>.b"),
		BAD("subject", .subject = "a\tb"),
		BAD("dead_subject", .dead_subject = "a.*"),
		BAD("dead_subject", .dead_subject = "s"),
		BAD("dead_subject", .subject = "s.*"),
		BAD("dead_subject", .subject = ">"),
		BAD("replicas", .replicas = 6),
		BAD("ack_wait_ms", .ack_wait_ms = 299),
		BAD("ack_wait_ms", .ack_wait_ms = 86400001),
		BAD("timeout_ms", .timeout_ms = 99),
		BAD("timeout_ms", .timeout_ms = 600001),
		BAD("key_file", .certificate_file = "c"),
		BAD("certificate_file", .key_file = "k"),
#undef BAD
	};
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct herald_nats_subscriber_options options = bad[i].options;

		options.struct_size = sizeof(options);
		if (!options.url && strcmp(bad[i].path, "url") != 0)
			options.url = "nats://h";
		if (!options.stream && strcmp(bad[i].path, "stream") != 0)
			options.stream = "s";
		if (!options.group && strcmp(bad[i].path, "group") != 0)
			options.group = "g";
		assert_int_equal(herald_nats_subscriber_create(&options, &subscriber, &error),
				 HERALD_BAD_OPTION);
		if (strcmp(error.path, bad[i].path) != 0)
			fail_msg("case %zu: %s instead of %s: %s", i, error.path, bad[i].path,
				 error.message);
		assert_null(subscriber);
	}
	struct herald_nats_subscriber_options unset = {.url = "nats://h"};
	assert_int_equal(herald_nats_subscriber_create(&unset, &subscriber, &error),
			 HERALD_BAD_OPTION);
	herald_nats_subscriber_destroy(NULL);
}

static void
test_good_options(void **state)
{
	static const char *const urls[][2] = {
		{"nats://h", "h s g"},
		{"nats://127.0.0.1:4222", "127.0.0.1:4222 s g"},
		{"nats://user:pa:ss@h:1", "h:1 s g"},
		{"nats://token@h:65535", "h:65535 s g"},
		{"tls://[::1]:4222,nats://a-b.c_d", "[::1]:4222 a-b.c_d s g"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct herald_subscriber *subscriber = NULL;
		struct herald_error error;
		const struct herald_nats_subscriber_options options =
			HERALD_NATS_SUBSCRIBER_OPTIONS(.url = urls[i][0], .stream = "s",
						       .group = "g");

		assert_int_equal(herald_nats_subscriber_create(&options, &subscriber, &error),
				 HERALD_OK);
		assert_string_equal(subscriber->source, urls[i][1]);
		herald_nats_subscriber_destroy(subscriber);
	}
}

static void
test_done(void **state)
{
	struct bench bench;
	uint64_t identities[3];

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 3);
	struct herald_received_list list = receive(&bench, 3);
	struct herald_received *message = list.first;
	for (size_t i = 0; i < 3; i++, message = message->next) {
		const char expected = (char)('0' + i);

		assert_int_equal(message->data.bytes, 1);
		assert_memory_equal(message->data.data, &expected, 1);
		assert_int_equal(message->deliveries, 1);
		assert_int_equal(message->attempts, 0);
		assert_int_equal(message->attributes.bytes, 0);
		assert_null(message->content_type);
		assert_null(message->key.data);
		assert_true(message->created_ms > 1700000000000);
		identities[i] = message->identity;
		assert_int_not_equal(identities[i], 0);
	}
	assert_true(identities[0] != identities[1] && identities[1] != identities[2]);
	assert_left(&bench, 0, 3);
	finish_list(&bench, list);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

static void
test_headers(void **state)
{
	struct bench bench;
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(natsMsg_Create(&msg, bench.stream, NULL, "a\0b", 3), NATS_OK);
	natsMsgHeader_Set(msg, "content-TYPE", "application/json");
	natsMsgHeader_Add(msg, "ce-id", "1");
	natsMsgHeader_Add(msg, "several", "first");
	natsMsgHeader_Add(msg, "several", "second");
	assert_int_equal(js_PublishMsg(NULL, bench.js, msg, NULL, &code), NATS_OK);
	natsMsg_Destroy(msg);

	struct herald_received *message = receive_one(&bench);
	assert_int_equal(message->data.bytes, 3);
	assert_memory_equal(message->data.data, "a\0b", 3);
	assert_string_equal(message->content_type, "application/json");
	assert_string_equal(herald_attributes_find(message->attributes, "CE-ID"), "1");
	assert_string_equal(herald_attributes_find(message->attributes, "several"), "first");
	assert_null(herald_attributes_find(message->attributes, "missing"));
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	finish(&bench);
}

static void
test_empty_and_large(void **state)
{
	static char large[1 << 20];
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight_bytes = 4 << 20;
	create_and_open(&bench);
	publish(&bench, "", 0);
	memset(large, 'x', sizeof(large));
	publish(&bench, large, sizeof(large));
	struct herald_received_list list = receive(&bench, 2);
	assert_int_equal(list.first->data.bytes, 0);
	assert_non_null(list.first->data.data);
	assert_int_equal(list.last->data.bytes, sizeof(large));
	assert_memory_equal(list.last->data.data, large, sizeof(large));
	finish_list(&bench, list);
	finish(&bench);
}

static void
test_wildcards(void **state)
{
	struct bench bench;
	char subject[80], pattern[80];
	jsErrCode code = 0;

	(void)state;
	begin(&bench);
	snprintf(pattern, sizeof(pattern), "%s.new.*", bench.stream);
	snprintf(subject, sizeof(subject), "%s.new.eu", bench.stream);
	bench.options.subject = pattern;
	create_and_open(&bench);
	assert_int_equal(js_Publish(NULL, bench.js, subject, "1", 1, NULL, &code), NATS_OK);
	struct herald_received *message = receive_one(&bench);
	assert_string_equal(message->key.data, subject);
	assert_int_equal(message->key.bytes, strlen(subject));
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	finish(&bench);
}

static void
test_retry(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish(&bench, "1", 1);
	struct herald_received *message = receive_one(&bench);
	const uint64_t identity = message->identity;
	const uint64_t began_ms = now_ms();
	settle_one(&bench, message, HERALD_SETTLE_RETRY, 400);
	message = receive_one(&bench);
	const uint64_t took_ms = now_ms() - began_ms;
	assert_true(took_ms >= 400);
	assert_int_equal(message->deliveries, 2);
	assert_int_equal(message->identity, identity);
	settle_one(&bench, message, HERALD_SETTLE_RETRY, 0);
	message = receive_one(&bench);
	assert_int_equal(message->deliveries, 3);
	settle_one(&bench, message, HERALD_SETTLE_RELEASE, 0);
	message = receive_one(&bench);
	assert_int_equal(message->deliveries, 4);
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

static void
test_extend(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish(&bench, "1", 1);
	struct herald_received *message = receive_one(&bench);
	assert_int_equal(bench.ops->extend_ms(bench.subscriber), ACK_WAIT_MS / 3);
	const uint64_t until_ms = now_ms() + 2 * ACK_WAIT_MS;
	while (now_ms() < until_ms) {
		bench.ops->extend(bench.subscriber, &message, 1);
		assert_int_equal(receive_for(&bench, 1, 99, ACK_WAIT_MS / 3).count, 0);
	}
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	confirm(&bench);

	/* Not extended, it comes again. */
	publish(&bench, "2", 1);
	message = receive_one(&bench);
	struct herald_received *again = receive_one(&bench);
	assert_int_equal(again->deliveries, 2);
	settle_one(&bench, again, HERALD_SETTLE_DONE, 0);
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	finish(&bench);
}

/* Finding: a thousand delayed retries fill the server's default MaxAckPending. nats-server#6093:
 * their number does not go down. */
static void
test_many_delayed(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 1500);
	for (unsigned i = 0; i < 15; i++) {
		struct herald_received_list list = receive(&bench, 100);

		settle_list(&bench, &list, HERALD_SETTLE_RETRY, 600000);
		confirm(&bench);
	}
	publish(&bench, "new", 3);
	struct herald_received *message = receive_one(&bench);
	assert_memory_equal(message->data.data, "new", 3);
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	assert_left(&bench, 0, 1500);
	finish(&bench);
}

static void
test_room(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight = 10;
	create_and_open(&bench);
	publish_many(&bench, 1000);
	struct herald_received_list list = receive_for(&bench, 11, 10, 300);
	assert_int_equal(list.count, 10);
	assert_left(&bench, 990, 10);
	/* As places become free, others come, and never more. */
	for (unsigned i = 0; i < 50; i++) {
		struct herald_received *message = list.first;

		list.first = message->next;
		list.count--;
		list.bytes -= message->data.bytes;
		settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
		confirm(&bench);
		struct herald_received_list more = {0};
		while (more.count == 0)
			assert_int_equal(bench.ops->receive(bench.subscriber, 10 - list.count,
							    1 << 20, 1000, &more, &bench.error),
					 HERALD_OK);
		assert_int_equal(more.count, 1);
		list.last->next = more.first;
		list.last = more.last;
		list.count++;
		assert_true(left_of(&bench).ack_pending <= 10);
	}
	finish_list(&bench, list);
	finish(&bench);
}

static void
test_room_bytes(void **state)
{
	static char body[40000];
	struct bench bench;
	struct herald_received_list held = {0};

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight_bytes = 20000;
	create_and_open(&bench);
	for (unsigned i = 0; i < 20; i++)
		publish(&bench, body, 4000);
	publish(&bench, body, sizeof(body));
	publish(&bench, "end", 3);

	size_t seen = 0;
	while (seen < 22) {
		struct herald_received_list list = {0};

		assert_int_equal(bench.ops->receive(bench.subscriber, 100 - held.count,
						    20000 > held.bytes ? 20000 - held.bytes : 0,
						    100, &list, &bench.error),
				 HERALD_OK);
		for (; list.first; list.first = list.first->next) {
			struct herald_received *message = list.first;

			seen++;
			held.count++;
			held.bytes += message->data.bytes;
			if (held.last)
				held.last->next = message;
			else
				held.first = message;
			held.last = message;
			if (message->data.bytes == sizeof(body))
				assert_int_equal(held.count, 1);
			else
				assert_true(held.bytes <= 20000);
		}
		if (held.last)
			held.last->next = NULL;
		if (list.count == 0 && held.first) {
			settle_list(&bench, &held, HERALD_SETTLE_DONE, 0);
			held = (struct herald_received_list){0};
		}
	}
	finish_list(&bench, held);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

static void
test_wake(void **state)
{
	struct bench bench;
	struct herald_received_list list = {0};

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	bench.ops->wake(bench.subscriber);
	const uint64_t began_ms = now_ms();
	assert_int_equal(bench.ops->receive(bench.subscriber, 1, 1000, 5000, &list, &bench.error),
			 HERALD_OK);
	assert_true(now_ms() - began_ms < 4000);
	/* Only once. */
	const uint64_t again_ms = now_ms();
	assert_int_equal(bench.ops->receive(bench.subscriber, 1, 1000, 300, &list, &bench.error),
			 HERALD_OK);
	assert_true(now_ms() - again_ms >= 300);
	finish(&bench);
}

/* An idle server is not taken for one that is down. More time passes than a request for messages
 * has: nats-server#5839, the server has none, and nothing comes. */
static void
test_idle(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(receive_for(&bench, 1, 10, 8 * TIMEOUT_MS).count, 0);
	publish(&bench, "1", 1);
	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	finish(&bench);
}

/* Dead letters. */

static natsMsg *
dead_letter(struct bench *bench, uint64_t sequence)
{
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	assert_int_equal(js_GetMsg(&msg, bench->js, bench->dead_stream, sequence, NULL, &code),
			 NATS_OK);
	return msg;
}

static void
assert_header(natsMsg *msg, const char *name, const char *expected)
{
	const char *value = NULL;
	natsStatus status = natsMsgHeader_Get(msg, name, &value);

	if (!expected) {
		assert_int_equal(status, NATS_NOT_FOUND);
		return;
	}
	assert_int_equal(status, NATS_OK);
	assert_string_equal(value, expected);
}

static uint64_t
dead_letters(struct bench *bench)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;

	if (js_GetStreamInfo(&info, bench->js, bench->dead_stream, NULL, &code) != NATS_OK)
		return 0;
	uint64_t count = info->State.Msgs;
	jsStreamInfo_Destroy(info);
	return count;
}

static void
test_dead(void **state)
{
	struct bench bench;
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(natsMsg_Create(&msg, bench.stream, NULL, "a\0b", 3), NATS_OK);
	natsMsgHeader_Set(msg, "Content-Type", "text/plain");
	natsMsgHeader_Set(msg, "mine", "kept");
	natsMsgHeader_Set(msg, "Nats-Msg-Id", "of the sender");
	natsMsgHeader_Set(msg, "nats-expected-stream", bench.stream);
	natsMsgHeader_Set(msg, "herald-reason", "of its first life");
	natsMsgHeader_Set(msg, "herald-attempt", "7");
	assert_int_equal(js_PublishMsg(NULL, bench.js, msg, NULL, &code), NATS_OK);
	natsMsg_Destroy(msg);

	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DEAD, 0);
	confirm(&bench);
	assert_left(&bench, 0, 0);
	assert_int_equal(dead_letters(&bench), 1);
	msg = dead_letter(&bench, 1);
	assert_string_equal(natsMsg_GetSubject(msg), bench.dead);
	assert_int_equal(natsMsg_GetDataLength(msg), 3);
	assert_memory_equal(natsMsg_GetData(msg), "a\0b", 3);
	assert_header(msg, "Content-Type", "text/plain");
	assert_header(msg, "mine", "kept");
	assert_header(msg, "nats-expected-stream", NULL);
	assert_header(msg, "herald-attempt", NULL);
	assert_header(msg, "herald-reason", "no such\\r\\nwarehouse");
	assert_header(msg, "herald-status", "HERALD_BAD_VALUE");
	assert_header(msg, "herald-attempts", "3");
	assert_header(msg, "herald-origin", bench.stream);
	assert_header(msg, "herald-id", "e-1");
	assert_header(msg, "herald-failed-at", "2023-11-14T22:13:20.123Z");
	natsMsg_Destroy(msg);
	finish(&bench);
}

/* It is published until a stream takes it, it is not acknowledged before, and it does not run again
 * in the meantime. */
static void
test_dead_stream_missing(void **state)
{
	struct bench bench;
	jsErrCode code = 0;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(js_DeleteStream(bench.js, bench.dead_stream, NULL, &code), NATS_OK);
	publish(&bench, "1", 1);
	struct herald_received *message = receive_one(&bench);
	bench.logged[0] = '\0';
	settle_one(&bench, message, HERALD_SETTLE_DEAD, 0);
	assert_int_equal(receive_for(&bench, 1, 99, 2 * ACK_WAIT_MS).count, 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 1);
	assert_non_null(strstr(bench.logged, "dead letter not stored"));
	assert_non_null(strstr(bench.logged, "no stream stores its subject"));
	assert_left(&bench, 0, 1);

	jsStreamConfig config;
	const char *subject = bench.dead;
	jsStreamConfig_Init(&config);
	config.Name = bench.dead_stream;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	assert_int_equal(js_AddStream(NULL, bench.js, &config, NULL, &code), NATS_OK);
	confirm(&bench);
	assert_left(&bench, 0, 0);
	assert_int_equal(dead_letters(&bench), 1);
	finish(&bench);
}

/* A stream that is full refuses it; the reason is logged. */
static void
test_dead_stream_full(void **state)
{
	struct bench bench;
	jsErrCode code = 0;
	jsStreamConfig config;
	const char *subject;

	(void)state;
	begin(&bench);
	subject = bench.dead;
	jsStreamConfig_Init(&config);
	config.Name = bench.dead_stream;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	config.MaxMsgs = 1;
	config.Discard = js_DiscardNew;
	assert_int_equal(js_AddStream(NULL, bench.js, &config, NULL, &code), NATS_OK);
	create_and_open(&bench);
	publish_many(&bench, 2);
	struct herald_received_list list = receive(&bench, 2);
	settle_list(&bench, &list, HERALD_SETTLE_DEAD, 0);
	assert_int_equal(receive_for(&bench, 1, 98, TIMEOUT_MS / 2).count, 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 1);
	assert_non_null(strstr(bench.logged, "maximum messages exceeded"));
	assert_int_equal(js_PurgeStream(bench.js, bench.dead_stream, NULL, &code), NATS_OK);
	confirm(&bench);
	assert_int_equal(dead_letters(&bench), 1);
	finish(&bench);
}

/* An answer names the stream: it is not a refusal. */
static void
test_dead_stream_named_error(void **state)
{
	struct bench bench;
	jsErrCode code = 0;
	jsStreamConfig config;
	const char *subject;

	(void)state;
	begin(&bench);
	snprintf(bench.dead_stream, sizeof(bench.dead_stream), "error");
	subject = bench.dead;
	jsStreamConfig_Init(&config);
	config.Name = bench.dead_stream;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	assert_int_equal(js_AddStream(NULL, bench.js, &config, NULL, &code), NATS_OK);
	create_and_open(&bench);
	publish(&bench, "1", 1);
	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DEAD, 0);
	confirm(&bench);
	assert_int_equal(dead_letters(&bench), 1);
	assert_null(strstr(bench.logged, "not stored"));
	finish(&bench);
}

/* Publish a message with so many bytes of data and of a header's value. */
static void
publish_large(struct bench *bench, size_t bytes, size_t value_bytes)
{
	char *data = malloc(bytes), value[2000];
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	assert_non_null(data);
	assert_true(value_bytes < sizeof(value));
	memset(data, 'x', bytes);
	memset(value, 'y', value_bytes);
	value[value_bytes] = '\0';
	assert_int_equal(natsMsg_Create(&msg, bench->stream, NULL, data, (int)bytes), NATS_OK);
	if (value_bytes > 0)
		natsMsgHeader_Set(msg, "mine", value);
	assert_int_equal(js_PublishMsg(NULL, bench->js, msg, NULL, &code), NATS_OK);
	natsMsg_Destroy(msg);
	free(data);
}

/* A dead letter has more headers than its message, but max_payload is for both. */
static void
test_dead_too_large(void **state)
{
	struct bench bench;
	natsMsg *msg;

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight_bytes = 4 << 20;
	create_and_open(&bench);
	const size_t max = (size_t)natsConnection_GetMaxPayload(bench.connection);
	publish_large(&bench, max - 1100, 1000);
	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DEAD, 0);
	confirm(&bench);
	msg = dead_letter(&bench, 1);
	assert_int_equal(natsMsg_GetDataLength(msg), max - 1100);
	assert_header(msg, "mine", NULL);
	assert_header(msg, "herald-reason", "no such\\r\\nwarehouse");
	natsMsg_Destroy(msg);
	assert_null(strstr(bench.logged, "not stored"));

	/* It is held, and does not run again. */
	publish_large(&bench, max, 0);
	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DEAD, 0);
	assert_int_equal(receive_for(&bench, 1, 99, 2 * ACK_WAIT_MS).count, 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 1);
	assert_non_null(strstr(bench.logged, "larger than the server's max_payload"));
	assert_int_equal(dead_letters(&bench), 1);
	finish(&bench);
}

/* Refusals. */

static void
test_other_consumer(void **state)
{
	static const struct {
		jsConsumerConfig config;
		const char *message;
	} cases[] = {
		{{.AckPolicy = js_AckNone, .AckWait = 1500000000, .MaxAckPending = 2000000},
		 "ack_policy"},
		{{.AckPolicy = js_AckAll, .AckWait = 1500000000, .MaxAckPending = 2000000},
		 "ack_policy"},
		{{.AckPolicy = js_AckExplicit, .AckWait = 1500000000}, "max_ack_pending 1000,"},
		{{.AckPolicy = js_AckExplicit,
		  .AckWait = 1500000000,
		  .MaxAckPending = 2000000,
		  .MaxDeliver = 5},
		 "max_deliver 5,"},
		{{.AckPolicy = js_AckExplicit, .MaxAckPending = 2000000}, "ack_wait 30000000000,"},
		{{.AckPolicy = js_AckExplicit,
		  .AckWait = 1500000000,
		  .MaxAckPending = 2000000,
		  .HeadersOnly = true},
		 "headers_only"},
		{{.AckPolicy = js_AckExplicit,
		  .AckWait = 1500000000,
		  .MaxAckPending = 2000000,
		  .MaxRequestBatch = 10},
		 "max_batch 10,"},
		{{.AckPolicy = js_AckExplicit,
		  .AckWait = 1500000000,
		  .MaxAckPending = 2000000,
		  .DeliverSubject = "there"},
		 "push"},
	};
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench); /* makes the stream */
	bench.ops->close(bench.subscriber, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		jsConsumerConfig config = cases[i].config;
		jsErrCode code = 0;

		assert_int_equal(js_DeleteConsumer(bench.js, bench.stream, "billing", NULL, &code),
				 NATS_OK);
		config.Durable = "billing";
		config.FilterSubject = bench.stream;
		config.DeliverPolicy = js_DeliverAll;
		config.OptStartSeq = 0;
		natsStatus made =
			js_AddConsumer(NULL, bench.js, bench.stream, &config, NULL, &code);
		if (made != NATS_OK)
			fail_msg("case %zu: %s", i, nats_GetLastError(NULL));
		if (open_it(&bench) != HERALD_BAD_OPTION)
			fail_msg("case %zu is not refused", i);
		assert_string_equal(bench.error.path, "group");
		if (!strstr(bench.error.message, cases[i].message))
			fail_msg("case %zu: %s", i, bench.error.message);
	}
	finish(&bench);
}

static void
test_other_filter(void **state)
{
	struct bench bench;
	char other[80];

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	bench.ops->destroy(bench.subscriber);
	snprintf(other, sizeof(other), "%s.x", bench.stream);
	bench.options.subject = other;
	create(&bench);
	assert_int_equal(open_it(&bench), HERALD_BAD_OPTION);
	assert_string_equal(bench.error.path, "subject");
	finish(&bench);
}

static void
test_absent(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.options.url = "nats://127.0.0.1:1";
	create(&bench);
	const uint64_t began_ms = now_ms();
	assert_int_equal(open_it(&bench), HERALD_UNAVAILABLE);
	assert_true(now_ms() - began_ms < 2 * TIMEOUT_MS);
	finish(&bench);
}

#define HANGING 3

/* Servers that take connections and say nothing, and their URLs. */
static void
begin_hanging(int listeners[HANGING], char *urls, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < HANGING; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t bytes = sizeof(address);

		listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_int_equal(bind(listeners[i], (struct sockaddr *)&address, bytes), 0);
		assert_int_equal(listen(listeners[i], 10), 0);
		assert_int_equal(getsockname(listeners[i], (struct sockaddr *)&address, &bytes), 0);
		used += (size_t)snprintf(urls + used, size - used, "nats://127.0.0.1:%u,",
					 ntohs(address.sin_port));
	}
}

/* Returns how many connections the servers have got. */
static unsigned
end_hanging(const int listeners[HANGING])
{
	unsigned connections = 0;

	for (size_t i = 0; i < HANGING; i++) {
		for (int fd; (fd = accept(listeners[i], NULL, NULL)) >= 0; connections++)
			close(fd);
		close(listeners[i]);
	}
	return connections;
}

/* All have one time together, and each has a part of it. */
static void
test_servers_that_hang(void **state)
{
	int listeners[HANGING];
	struct bench bench;
	char urls[256];

	(void)state;
	begin(&bench);
	bench.options.timeout_ms = 1500;
	begin_hanging(listeners, urls, sizeof(urls));
	urls[strlen(urls) - 1] = '\0';
	bench.options.url = urls;
	create(&bench);
	const uint64_t began_ms = now_ms();
	assert_int_equal(open_it(&bench), HERALD_UNAVAILABLE);
	assert_in_range(now_ms() - began_ms, 1400, 8000);
	bench.ops->destroy(bench.subscriber);
	assert_int_equal(end_hanging(listeners), HANGING);

	/* The one that answers is found, and then libnats does not try the others. */
	begin_hanging(listeners, urls, sizeof(urls));
	strcat(urls, server.url);
	create(&bench);
	assert_int_equal(open_it(&bench), HERALD_OK);
	assert_in_range(end_hanging(listeners), 0, HANGING);
	finish(&bench);
}

static void
test_password(void **state)
{
	struct nats_server secured = {
		.settings = "authorization { user: herald, password: \"s:3cret\" }"};
	struct bench bench;
	char url[96];

	(void)state;
	begin(&bench);
	nats_server_start(&secured);
	snprintf(url, sizeof(url), "nats://herald:wrong@127.0.0.1:%u", secured.port);
	bench.options.url = url;
	create(&bench);
	assert_int_equal(open_it(&bench), HERALD_BAD_OPTION);
	assert_string_equal(bench.error.path, "url");
	assert_null(strstr(bench.error.message, "wrong"));
	bench.ops->destroy(bench.subscriber);
	snprintf(url, sizeof(url), "nats://herald:s:3cret@127.0.0.1:%u", secured.port);
	create_and_open(&bench);
	finish(&bench);
	nats_server_stop(&secured);
}

static void
test_subjects_denied(void **state)
{
	struct nats_server secured = {
		.settings = "authorization { users = [ { user: a, password: b, permissions: {\n"
			    "publish: { deny: \"$JS.API.STREAM.CREATE.>\" } } } ] }"};
	struct bench bench;
	char url[96];

	(void)state;
	begin(&bench);
	nats_server_start(&secured);
	snprintf(url, sizeof(url), "nats://a:b@127.0.0.1:%u", secured.port);
	bench.options.url = url;
	create(&bench);
	assert_int_not_equal(open_it(&bench), HERALD_OK);
	assert_non_null(strstr(bench.error.message, "cannot create stream"));
	finish(&bench);
	nats_server_stop(&secured);
}

/* Faults. */

/* Receive until the connection is lost. Returns how long that took. */
static uint64_t
wait_lost(struct bench *bench)
{
	const uint64_t began_ms = now_ms();
	struct herald_received_list list = {0};

	while (bench->ops->receive(bench->subscriber, 10, 1000, 100, &list, &bench->error) ==
	       HERALD_OK)
		assert_true(now_ms() - began_ms < 20000);
	assert_int_equal(list.count, 0);
	return now_ms() - began_ms;
}

/* A consumer that was lost is opened until it works. */
static void
reopen(struct bench *bench)
{
	const uint64_t began_ms = now_ms();

	bench->ops->close(bench->subscriber, 1000);
	while (open_it(bench) != HERALD_OK) {
		assert_true(now_ms() - began_ms < 10000);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
}

static void
test_crash(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 5);
	struct herald_received_list list = receive(&bench, 5);
	struct herald_received *first = list.first;
	list.first = first->next;
	settle_one(&bench, first, HERALD_SETTLE_DONE, 0);
	confirm(&bench);

	disconnect_bench(&bench);
	nats_server_crash(&server);
	assert_in_range(wait_lost(&bench), 0, 1000);
	assert_false(herald_received_is_lost(list.first));
	bench.ops->close(bench.subscriber, 1000);
	for (struct herald_received *message = list.first; message; message = message->next)
		assert_true(herald_received_is_lost(message));
	assert_int_equal(open_it(&bench), HERALD_UNAVAILABLE);

	nats_server_restart(&server);
	reopen(&bench);
	connect_bench(&bench);
	/* These come too late, and are not sent, as they are by EasyNetQ#1329. */
	bench.ops->extend(bench.subscriber, &list.first, 1);
	settle_list(&bench, &list, HERALD_SETTLE_DONE, 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 0);
	/* The server stores deliveries and acknowledgements a little later: the first message may
	 * come again, and a delivery may not be counted. */
	list = receive_for(&bench, 5, 100, 2 * ACK_WAIT_MS);
	assert_in_range(list.count, 4, 5);
	for (struct herald_received *message = list.first; message; message = message->next)
		assert_in_range(message->deliveries, 1, 2);
	finish_list(&bench, list);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

/* A server that does not answer, with its connections open, looks idle (nats-server#5839). */
static void
test_pause(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(receive_for(&bench, 1, 10, 100).count, 0);
	nats_server_pause(&server);
	const uint64_t took_ms = wait_lost(&bench);
	assert_in_range(took_ms, TIMEOUT_MS / 4, 3 * TIMEOUT_MS);
	const uint64_t began_ms = now_ms();
	bench.ops->close(bench.subscriber, 1000);
	assert_true(now_ms() - began_ms < 1000);
	assert_int_equal(open_it(&bench), HERALD_UNAVAILABLE);
	nats_server_resume(&server);
	reopen(&bench);
	publish(&bench, "1", 1);
	settle_one(&bench, receive_one(&bench), HERALD_SETTLE_DONE, 0);
	confirm(&bench);
	finish(&bench);
}

/* Ends that the server does not confirm are noticed without a pull. */
static void
test_pause_unconfirmed(void **state)
{
	struct bench bench;
	struct herald_received_list list = {0};

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight = 1;
	create_and_open(&bench);
	publish(&bench, "1", 1);
	struct herald_received *message = receive_one(&bench);
	nats_server_pause(&server);
	settle_one(&bench, message, HERALD_SETTLE_DONE, 0);
	const uint64_t began_ms = now_ms();
	while (bench.ops->receive(bench.subscriber, 0, 0, 100, &list, &bench.error) == HERALD_OK)
		assert_true(now_ms() - began_ms < 10000);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 1);
	assert_int_equal(bench.ops->flush(bench.subscriber, 300), 1);
	nats_server_resume(&server);
	finish(&bench);
}

static void
test_consumer_deleted(void **state)
{
	struct bench bench;
	jsErrCode code = 0;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	assert_int_equal(receive_for(&bench, 1, 10, 100).count, 0);
	assert_int_equal(js_DeleteConsumer(bench.js, bench.stream, "billing", NULL, &code),
			 NATS_OK);
	wait_lost(&bench);
	assert_non_null(strstr(bench.error.message, "onsumer"));
	bench.logged[0] = '\0';
	reopen(&bench);
	assert_non_null(strstr(bench.logged, "created on the broker"));
	finish(&bench);
}

/* Stop. */

/* Messages that came and were not received go back at once, and so do those on their way. */
static void
test_flush(void **state)
{
	struct bench bench;
	struct herald_received_list list = {0};

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 50);
	while (list.count == 0) /* asks for 100 */
		assert_int_equal(bench.ops->receive(bench.subscriber, 100, 1 << 20, 1000, &list,
						    &bench.error),
				 HERALD_OK);
	settle_list(&bench, &list, HERALD_SETTLE_DONE, 0);
	assert_int_equal(bench.ops->flush(bench.subscriber, 5000), 0);
	publish(&bench, "late", 4);
	bench.ops->close(bench.subscriber, 1000);
	const uint64_t left = 51 - list.count;

	assert_int_equal(open_it(&bench), HERALD_OK);
	const uint64_t began_ms = now_ms();
	struct herald_received_list rest = receive(&bench, left);
	assert_true(now_ms() - began_ms < ACK_WAIT_MS / 2);
	finish_list(&bench, rest);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

/* nats-server before 2.10.16 delivers a message late, and another one twice, if one comes back
 * while a request waits whose subscription has ended. */
static void
test_release(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 3);
	struct herald_received_list list = receive(&bench, 3);
	struct herald_received *last = list.first->next->next;
	list.first->next->next = NULL;
	settle_one(&bench, last, HERALD_SETTLE_DONE, 0);
	settle_list(&bench, &list, HERALD_SETTLE_RELEASE, 0);
	confirm(&bench);
	/* The server tries to deliver them. */
	assert_int_equal(receive_for(&bench, 1, 0, 200).count, 0);
	const uint64_t begin_ms = now_ms();
	list = receive(&bench, 2);
	assert_true(now_ms() - begin_ms < ACK_WAIT_MS - 300);
	assert_memory_equal(list.first->data.data, "0", 1);
	assert_memory_equal(list.last->data.data, "1", 1);
	assert_int_equal(list.first->deliveries, 2);
	assert_int_equal(list.last->deliveries, 2);
	assert_int_equal(receive_for(&bench, 1, 100, 300).count, 0);
	finish_list(&bench, list);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

/* Functions ran on the consumer's thread for long. The server has not been silent meanwhile, but
 * what it has confirmed comes after more than libnats reads at once. */
static void
test_away(void **state)
{
	static const char body[16384];
	struct bench bench;
	const struct timespec away = {.tv_sec = 5 * TIMEOUT_MS / 1000 + 1};

	(void)state;
	begin(&bench);
	bench.options.ack_wait_ms = 60000;
	create_and_open(&bench);
	publish(&bench, "1", 1);
	struct herald_received *first = receive_one(&bench);
	for (int i = 0; i < 10; i++)
		publish(&bench, body, sizeof(body));
	settle_one(&bench, first, HERALD_SETTLE_DONE, 0);
	nanosleep(&away, NULL);
	finish_list(&bench, receive(&bench, 10));
	finish(&bench);
}

/* More has come than libnats reads at once, and a confirmation behind it. One call reads all of it.
 * If the machine is slow, some of it has not come yet; then it is tried again. */
static void
test_all_that_has_come(void **state)
{
	static const char body[12000];
	const struct timespec some_time = {.tv_nsec = 100000000};
	bool has_all = false;
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.options.ack_wait_ms = 60000;
	create_and_open(&bench);
	for (unsigned tries = 0; !has_all; tries++) {
		struct herald_received_list list = {0};

		assert_true(tries < 100);
		publish(&bench, "1", 1);
		struct herald_received *first = receive_one(&bench); /* asks for 100 */
		for (unsigned i = 0; i < 4; i++)
			publish(&bench, body, sizeof(body));
		settle_one(&bench, first, HERALD_SETTLE_DONE, 0);
		nanosleep(&some_time, NULL);
		assert_int_equal(
			bench.ops->receive(bench.subscriber, 100, 1 << 20, 0, &list, &bench.error),
			HERALD_OK);
		has_all = list.count == 4 && bench.ops->unsettled(bench.subscriber) == 0;
		const size_t count = list.count;
		settle_list(&bench, &list, HERALD_SETTLE_DONE, 0);
		finish_list(&bench, receive(&bench, 4 - count));
	}
	finish(&bench);
}

/* Ends that could not be sent are not known to the server. */
static void
test_settle_after_a_loss(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create_and_open(&bench);
	publish_many(&bench, 2);
	struct herald_received_list list = receive(&bench, 2);
	disconnect_bench(&bench);
	nats_server_crash(&server);
	wait_lost(&bench);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 0);
	settle_list(&bench, &list, HERALD_SETTLE_DONE, 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 2);
	assert_int_equal(bench.ops->flush(bench.subscriber, 1000), 2);
	nats_server_restart(&server);
	finish(&bench);
}

#define LETTER_BYTES 900000
#define LETTERS 20

/* A server that takes nothing: letters wait until the socket takes them, and libnats does not keep
 * copies of all of them. */
static void
test_dead_while_the_socket_is_full(void **state)
{
	const uint64_t until_ms = now_ms() + 60000;
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.settings.max_in_flight = LETTERS;
	bench.settings.max_in_flight_bytes = 64 << 20;
	bench.options.ack_wait_ms = 60000;
	bench.options.timeout_ms = 30000;
	create_and_open(&bench);
	for (unsigned i = 0; i < LETTERS; i++)
		publish_large(&bench, LETTER_BYTES, 0);
	struct herald_received_list list = receive(&bench, LETTERS), none = {0};
	nats_server_pause(&server);
	settle_list(&bench, &list, HERALD_SETTLE_DEAD, 0);
	for (unsigned i = 0; i < 3; i++) {
		const enum herald_status status =
			bench.ops->receive(bench.subscriber, 0, 0, 50, &none, &bench.error);
		const int buffered =
			natsConnection_Buffered(nats_of(bench.subscriber)->link.connection);

		assert_int_equal(status, HERALD_OK);
		assert_in_range(buffered, 0, LETTER_BYTES + 4096);
	}
	nats_server_resume(&server);
	while (bench.ops->unsettled(bench.subscriber) > 0 && now_ms() < until_ms)
		assert_int_equal(
			bench.ops->receive(bench.subscriber, 0, 0, 50, &none, &bench.error),
			HERALD_OK);
	assert_int_equal(dead_letters(&bench), LETTERS);
	assert_left(&bench, 0, 0);
	finish(&bench);
}

static void
test_close_twice(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	create(&bench);
	bench.ops->close(bench.subscriber, 1000);
	assert_int_equal(bench.ops->flush(bench.subscriber, 1000), 0);
	assert_int_equal(open_it(&bench), HERALD_OK);
	bench.ops->close(bench.subscriber, 1000);
	bench.ops->close(bench.subscriber, 1000);
	assert_int_equal(bench.ops->flush(bench.subscriber, 1000), 0);
	assert_int_equal(bench.ops->unsettled(bench.subscriber), 0);
	finish(&bench);
}

/* Two processes of one group share the messages, each comes once. */
static void
test_group(void **state)
{
	struct bench one, other;
	unsigned counts[2] = {0}, seen[200] = {0};

	(void)state;
	begin(&one);
	create_and_open(&one);
	begin(&other);
	strcpy(other.stream, one.stream);
	other.options.stream = one.stream;
	one.settings.max_in_flight = other.settings.max_in_flight = 10;
	one.ops->close(one.subscriber, 1000);
	create_and_open(&other);
	assert_int_equal(open_it(&one), HERALD_OK);
	publish_many(&one, 200);
	const uint64_t until_ms = now_ms() + 10000;
	for (unsigned i = 0; counts[0] + counts[1] < 200; i++) {
		struct bench *bench = i % 2 == 0 ? &one : &other;
		struct herald_received_list list = {0};

		assert_true(now_ms() < until_ms);
		assert_int_equal(bench->ops->receive(bench->subscriber, 10, 100000, 10, &list,
						     &bench->error),
				 HERALD_OK);
		counts[i % 2] += (unsigned)list.count;
		for (struct herald_received *m = list.first; m; m = m->next) {
			char text[16] = "";
			unsigned number = 0;

			memcpy(text, m->data.data, m->data.bytes);
			assert_int_equal(sscanf(text, "%u", &number), 1);
			assert_int_equal(seen[number]++, 0);
		}
		settle_list(bench, &list, HERALD_SETTLE_DONE, 0);
	}
	assert_true(counts[0] > 0 && counts[1] > 0);
	finish(&other);
	finish(&one);
}

static int
start_server(void **state)
{
	(void)state;
	nats_server_start(&server);
	return 0;
}

static int
stop_server(void **state)
{
	(void)state;
	nats_server_stop(&server);
	nats_Close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_good_options),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_empty_and_large),
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_extend),
		cmocka_unit_test(test_many_delayed),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_room_bytes),
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_dead_stream_missing),
		cmocka_unit_test(test_dead_stream_full),
		cmocka_unit_test(test_dead_too_large),
		cmocka_unit_test(test_dead_stream_named_error),
		cmocka_unit_test(test_other_consumer),
		cmocka_unit_test(test_other_filter),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_servers_that_hang),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_subjects_denied),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_unconfirmed),
		cmocka_unit_test(test_consumer_deleted),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_all_that_has_come),
		cmocka_unit_test(test_settle_after_a_loss),
		cmocka_unit_test(test_dead_while_the_socket_is_full),
		cmocka_unit_test(test_close_twice),
		cmocka_unit_test(test_group),
	};

	if (!nats_server_exists())
		return nats_server_left_out("nats");
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
