/*
 * The publisher of Redis Streams on a real server: what is particular about it. The cases of all
 * brokers are in tests/contract/publisher/.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/publisher.h>
#include <herald/producer.h>
#include <herald/redis.h>

#include "support/option_error.h"
#include "support/redis_server.h"

static struct redis_server server;

static int
start(void **state)
{
	(void)state;
	redis_server_start(&server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	redis_server_stop(&server);
	return 0;
}

static enum herald_status
try_create(const char *url, bool must_exist, struct herald_producer **out,
	   struct herald_error *error)
{
	struct herald_publisher *publisher = NULL;
	enum herald_status status = herald_redis_publisher_create(
		&HERALD_REDIS_PUBLISHER_OPTIONS(.url = url, .must_exist = must_exist), &publisher,
		error);

	return status == HERALD_OK
		       ? herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher,
									 .timeout_ms = 2000),
						out, error)
		       : status;
}

static struct herald_producer *
create(bool must_exist)
{
	struct herald_producer *producer = NULL;
	struct herald_error error;

	if (try_create(server.url, must_exist, &producer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return producer;
}

static enum herald_status
publish(struct herald_producer *producer, const char *stream, struct herald_error *error)
{
	return herald_producer_publish(
		producer, &(struct herald_publication){.topic = stream, HERALD_BODY("x", 1)},
		error);
}

/* The fields, as redis-cli shows them. */
static void
test_the_fields_of_an_entry(void **state)
{
	static const char *const headers[] = {"x-b: 2", "x-a: 1"};
	static const char *const expected[] = {
		"data", "body",         "x-b",        "2",          "x-a", "1", "herald-message-id",
		"m-1",  "content-type", "text/plain", "herald-key", "k"};
	struct herald_producer *producer = create(false);

	(void)state;
	assert_int_equal(
		herald_producer_publish(producer,
					&(struct herald_publication){.topic = "fields",
								     .id = "m-1",
								     .key = "k",
								     HERALD_BODY("body", 4),
								     .content_type = "text/plain",
								     HERALD_HEADERS(headers)},
					NULL),
		HERALD_OK);
	redisReply *reply = redis_server_command(&server, "XRANGE fields - +");
	assert_int_equal(reply->elements, 1);
	const redisReply *fields = reply->element[0]->element[1];
	assert_int_equal(fields->elements, sizeof(expected) / sizeof(*expected));
	for (size_t i = 0; i < fields->elements; i++)
		assert_string_equal(fields->element[i]->str, expected[i]);
	freeReplyObject(reply);
	herald_producer_destroy(producer);
}

static void
test_a_stream_that_must_exist(void **state)
{
	struct herald_producer *producer = create(true);
	struct herald_error error;

	(void)state;
	assert_int_equal(publish(producer, "absent", &error), HERALD_UNAVAILABLE);
	assert_string_equal(error.message, "not confirmed by redis within 2000 ms: there is no "
					   "stream \"absent\"");
	assert_int_equal(redis_server_number(&server, "EXISTS absent"), 0);
	redis_server_number(&server, "XGROUP CREATE absent group 0 MKSTREAM");
	assert_int_equal(publish(producer, "absent", &error), HERALD_OK);
	assert_int_equal(redis_server_number(&server, "XLEN absent"), 1);
	herald_producer_destroy(producer);
}

/* Refused for good: it fails at once, alone, and the connection stays. */
static void
test_what_is_refused(void **state)
{
	static const char *const data[] = {"data: x"};
	struct herald_producer *producer = create(false);
	struct herald_producer_statistics counts;
	struct herald_error error;

	(void)state;
	redis_server_number(&server, "SET text abc");
	assert_int_equal(publish(producer, "text", &error), HERALD_BAD_VALUE);
	assert_string_equal(error.message, "XADD: WRONGTYPE Operation against a key holding the "
					   "wrong kind of value");
	assert_int_equal(herald_producer_publish(producer,
						 &(struct herald_publication){.topic = "stream",
									      HERALD_BODY("x", 1),
									      HERALD_HEADERS(data)},
						 &error),
			 HERALD_BAD_VALUE);
	assert_string_equal(error.message, "a header is named \"data\", which on Redis is the "
					   "field of the body");
	redisReply *reply = redis_server_command(
		&server, "XADD last 18446744073709551615-18446744073709551615 data x");
	freeReplyObject(reply);
	assert_int_equal(publish(producer, "last", &error), HERALD_BAD_VALUE);
	assert_int_equal(strncmp(error.message, "XADD: ERR The stream has exhausted", 34), 0);
	assert_int_equal(publish(producer, "stream", &error), HERALD_OK);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.connections, 1);
	assert_int_equal(counts.failures, 0);
	herald_producer_destroy(producer);
}

/* A server that has become a replica is left: its name may lead to another one by then. */
static void
test_a_server_that_becomes_a_replica(void **state)
{
	struct herald_producer *producer = create(false);
	struct herald_producer_statistics counts;
	struct herald_error error;

	(void)state;
	redis_server_number(&server, "REPLICAOF 127.0.0.1 1");
	assert_int_equal(publish(producer, "stream", &error), HERALD_UNAVAILABLE);
	herald_producer_statistics_read(producer, &counts);
	assert_true(counts.failures > 0);
	assert_int_equal(herald_producer_health(producer, &error), HERALD_UNAVAILABLE);
	assert_string_equal(error.message,
			    "the server is a replica, to which nothing can be written");
	redis_server_number(&server, "REPLICAOF NO ONE");
	enum herald_status status;
	/* It connects again after a pause of at most 10 s; here some hundred milliseconds. */
	for (int i = 0; (status = publish(producer, "stream", &error)) != HERALD_OK && i < 60; i++)
		assert_int_equal(status, HERALD_UNAVAILABLE);
	assert_int_equal(status, HERALD_OK);
	herald_producer_destroy(producer);
}

static void
refused(const char *url, const char *path, const char *text)
{
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	assert_int_equal(try_create(url, false, &producer, &error), HERALD_BAD_OPTION);
	assert_null(producer);
	if (path)
		assert_option_error(&error, path, text);
	else
		assert_non_null(strstr(error.message, text));
}

struct lines {
	unsigned warnings;
	char error[256]; /* of the last one */
};

static void
take_line(const struct herald_log_record *record, void *state)
{
	struct lines *lines = state;

	if (record->level != HERALD_LOG_WARNING)
		return;
	lines->warnings++;
	for (size_t i = 0; i < record->fields_count; i++)
		if (strcmp(record->fields[i].key, "error") == 0)
			snprintf(lines->error, sizeof(lines->error), "%s", record->fields[i].text);
}

/* The rights that docs/brokers.md names. What lacks one waits until it is there: an operator's
 * mistake must not fail the deliveries of an outbox. */
static void
test_needs_the_rights_of_the_manual(void **state)
{
	struct herald_publisher *publisher = NULL;
	struct herald_producer *producer = NULL;
	struct herald_producer_statistics counts;
	struct herald_error error;
	struct lines lines = {0};
	char url[96];

	(void)state;
	redis_server_number(&server, "ACL SETUSER shop on >secret ~orders +info +xadd");
	snprintf(url, sizeof(url), "redis://shop:secret@127.0.0.1:%u", server.port);
	if (herald_redis_publisher_create(&HERALD_REDIS_PUBLISHER_OPTIONS(.url = url), &publisher,
					  &error) != HERALD_OK ||
	    herald_producer_create(
		    &HERALD_PRODUCER_OPTIONS(.publisher = publisher, .timeout_ms = 2000,
					     .log = {.write = take_line, .state = &lines}),
		    &producer, &error) != HERALD_OK ||
	    publish(producer, "orders", &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(publish(producer, "others", &error), HERALD_UNAVAILABLE);
	assert_non_null(strstr(error.message, "within 2000 ms: XADD: NOPERM "));
	redis_server_number(&server, "ACL SETUSER shop ~others");
	assert_int_equal(publish(producer, "others", &error), HERALD_OK);
	redis_server_number(&server, "ACL SETUSER shop -xadd");
	assert_int_equal(publish(producer, "orders", &error), HERALD_UNAVAILABLE);
	redis_server_number(&server, "ACL SETUSER shop +xadd");
	assert_int_equal(publish(producer, "orders", &error), HERALD_OK);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.connections, 1);
	herald_producer_destroy(producer);
	/* Not one for each message and each attempt. */
	assert_int_equal(lines.warnings, 1);
	assert_int_equal(strncmp(lines.error, "XADD: NOPERM ", 13), 0);
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The message for which there was no room ends by its age, so that no send() follows: run() waits
 * again. It returned at once, again and again. */
static void
test_run_waits_after_there_was_no_room(void **state)
{
	static char body[700000];
	struct herald_outgoing messages[2] = {{.topic = "large"}, {.topic = "large"}};
	struct herald_outgoing_list finished = {0};
	struct herald_publisher *publisher = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(
		herald_redis_publisher_create(&HERALD_REDIS_PUBLISHER_OPTIONS(.url = server.url),
					      &publisher, &error),
		HERALD_OK);
	const struct herald_publisher_ops *ops = publisher->ops;
	assert_int_equal(ops->open(publisher, &(struct herald_publisher_settings){0}, &error),
			 HERALD_OK);
	for (size_t i = 0; i < 2; i++) {
		messages[i].id = "m";
		messages[i].data = (struct herald_text){body, sizeof(body)};
		assert_int_equal(ops->send(publisher, &messages[i]), HERALD_OK);
	}
	struct herald_outgoing none = {.topic = "large", .id = "n", .data = {body, 1}};
	assert_int_equal(ops->send(publisher, &none), HERALD_LIMIT);
	while (finished.count < 2) {
		struct herald_outgoing_list some = {0};

		assert_int_equal(ops->run(publisher, 1000, &some, &error), HERALD_OK);
		for (struct herald_outgoing *one; (one = herald_outgoing_list_take(&some));)
			herald_outgoing_list_add(&finished, one);
	}
	const uint64_t began_ms = now_ms();
	struct herald_outgoing_list some = {0};
	assert_int_equal(ops->run(publisher, 50, &some, &error), HERALD_OK);
	assert_true(now_ms() - began_ms >= 50);
	ops->close(publisher, 0, &some);
	assert_int_equal(some.count, 0);
	ops->destroy(publisher);
}

/* A server that hangs. With `queued` connections that fill its queue, it does not even connect. */
static void
open_ends_at_wake(size_t queued)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t bytes = sizeof(address);
	struct herald_publisher *publisher = NULL;
	struct herald_error error;
	int sockets[8];
	char url[64];

	assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&address, &bytes);
	for (size_t i = 0; i < queued; i++) {
		sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(sockets[i], (struct sockaddr *)&address, bytes) != 0)
			assert_int_equal(errno, EINPROGRESS);
	}
	snprintf(url, sizeof(url), "redis://127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(
		herald_redis_publisher_create(
			&HERALD_REDIS_PUBLISHER_OPTIONS(.url = url, .connect_timeout_ms = 30000,
							.reply_timeout_ms = 30000),
			&publisher, &error),
		HERALD_OK);
	const uint64_t began_ms = now_ms();
	publisher->ops->wake(publisher);
	assert_int_equal(
		publisher->ops->open(publisher, &(struct herald_publisher_settings){0}, &error),
		HERALD_UNAVAILABLE);
	assert_true(now_ms() - began_ms < 20000);
	assert_non_null(strstr(error.message, queued > 0 ? "canceled" : "not open yet at a stop"));
	publisher->ops->destroy(publisher);
	for (size_t i = 0; i < queued; i++)
		close(sockets[i]);
	close(listener);
}

static void
test_open_ends_at_wake(void **state)
{
	(void)state;
	open_ends_at_wake(0);
	open_ends_at_wake(8);
}

static void
test_options(void **state)
{
	struct herald_publisher *publisher = NULL;
	struct herald_error error;
	char url[96];

	(void)state;
	refused(NULL, "url", "must be set");
	refused("http://x", "url", "must begin with \"redis://\" or \"rediss://\"");
	snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%u", server.port);
	refused(url, NULL, "AUTH: ");
	snprintf(url, sizeof(url), "redis://127.0.0.1:%u/99", server.port);
	refused(url, NULL, "SELECT: ERR DB index is out of range");
	assert_int_equal(herald_redis_publisher_create(
				 &HERALD_REDIS_PUBLISHER_OPTIONS(.url = server.url,
								 .reply_timeout_ms = 600001),
				 &publisher, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "reply_timeout_ms");
	assert_int_equal(herald_redis_publisher_create(&(struct herald_redis_publisher_options){0},
						       &publisher, &error),
			 HERALD_BAD_OPTION);
	redis_server_number(&server, "CONFIG SET maxmemory-policy allkeys-lru");
	refused(server.url, "url",
		"the server deletes keys when its memory is full (maxmemory-policy allkeys-lru); "
		"set it to noeviction");
	redis_server_number(&server, "CONFIG SET maxmemory-policy noeviction");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_fields_of_an_entry),
		cmocka_unit_test(test_a_stream_that_must_exist),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_a_server_that_becomes_a_replica),
		cmocka_unit_test(test_needs_the_rights_of_the_manual),
		cmocka_unit_test(test_run_waits_after_there_was_no_room),
		cmocka_unit_test(test_open_ends_at_wake),
		cmocka_unit_test(test_options),
	};

	return redis_server_exists() ? cmocka_run_group_tests(tests, start, stop)
				     : redis_server_left_out("redis_publisher");
}
