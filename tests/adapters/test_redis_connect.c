/*
 * Connecting to a Redis server whose name has several addresses: which of them is tried, for how
 * long, and what is said if none can be reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/subscriber.h>
#include <herald/redis.h>

#include "../../adapters/broker/redis/connection.h"
#include "support/names.h"
#include "support/redis_server.h"

#define HOST "redis.test"
#define TIMEOUT_MS 20000
#define SILENT_MS 200
#define FILLING 3

static struct redis_server server; /* on 127.0.0.1 */
static struct redis_connection connection;
static struct redis_place place;
static struct redis_url url;
static struct herald_error error;

static int
begin(void **state)
{
	(void)state;
	herald__redis_connection_init(&connection, NULL);
	place = (struct redis_place){0};
	url = (struct redis_url){.host = HOST, .port = server.port};
	error = (struct herald_error){0};
	return 0;
}

static int
end(void **state)
{
	(void)state;
	herald__redis_connection_close(&connection);
	names_clear();
	return 0;
}

static enum herald_status
open_connection(uint32_t timeout_ms)
{
	return herald__redis_connection_open(&connection, &url, &place, timeout_ms, &error);
}

static bool
answers(uint32_t timeout_ms)
{
	REDIS_COMMAND(&connection, "PING");
	redisReply *reply = herald__redis_call(&connection, timeout_ms, &error);
	const bool is_pong = reply && reply->type == REDIS_REPLY_STATUS;

	if (reply)
		freeReplyObject(reply);
	return is_pong;
}

/* Lets others connect, as many as the backlog has room for, and never says anything. */
static int
listen_silently(const char *address, int backlog)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(server.port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* An address that does not even take connections: its queue is full. */
struct full {
	int listener, clients[FILLING];
};

static struct full
listen_full(const char *address)
{
	struct full full = {.listener = listen_silently(address, 0)};
	struct sockaddr_in at;
	socklen_t bytes = sizeof(at);

	assert_int_equal(getsockname(full.listener, (struct sockaddr *)&at, &bytes), 0);
	for (size_t i = 0; i < FILLING; i++) {
		full.clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(full.clients[i], (struct sockaddr *)&at, sizeof(at));
	}
	return full;
}

static void
close_full(struct full *full)
{
	for (size_t i = 0; i < FILLING; i++)
		close(full->clients[i]);
	close(full->listener);
}

static void
test_an_address_that_refuses_is_passed_over(void **state)
{
	(void)state;
	names_set(HOST, "127.0.0.2 ::1 127.0.0.1");
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
	assert_true(answers(TIMEOUT_MS));
	assert_string_equal(error.message, ""); /* of a call that succeeds */
}

static void
test_an_address_that_hangs_has_its_share_of_the_time(void **state)
{
	struct full full = listen_full("127.0.0.2");

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1");
	assert_int_equal(open_connection(2000), HERALD_OK);
	assert_true(answers(TIMEOUT_MS));
	close_full(&full);
}

/* It takes connections, as the kernel does for a server that hangs. The next address is tried the
 * next time; what was of use is tried first from then on, whatever its place among the others. */
static void
test_an_address_of_no_use_is_passed_over(void **state)
{
	const int listener = listen_silently("127.0.0.2", 8);

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1;127.0.0.1 127.0.0.2;127.0.0.2 127.0.0.1");
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
	assert_string_equal(place.address, "127.0.0.2");
	assert_false(answers(SILENT_MS));
	herald__redis_connection_close(&connection);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
		assert_string_equal(place.address, "127.0.0.1");
		assert_true(answers(TIMEOUT_MS));
		place.is_good = true;
		herald__redis_connection_close(&connection);
	}
	close(listener);
}

/* Two that are of no use, and one that refuses: each is tried again in its turn. */
static void
test_addresses_are_tried_in_turns(void **state)
{
	const int listeners[] = {listen_silently("127.0.0.2", 8), listen_silently("127.0.0.3", 8)};
	static const char *const expected[] = {"127.0.0.2", "127.0.0.3", "127.0.0.2"};

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.3 127.0.0.4");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
		assert_string_equal(place.address, expected[i]);
		herald__redis_connection_close(&connection);
	}
	for (size_t i = 0; i < 2; i++)
		close(listeners[i]);
}

/* Both connections of a subscriber are to one server: at last the one that is of use. */
static void
test_a_subscriber_uses_one_server(void **state)
{
	const int listener = listen_silently("127.0.0.2", 8);
	const struct herald_subscriber_settings settings = {0};
	struct herald_subscriber *subscriber;
	char text[64];

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1");
	snprintf(text, sizeof(text), "redis://" HOST ":%u", server.port);
	assert_int_equal(
		herald_redis_subscriber_create(
			&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = text, .stream = "s", .group = "g",
							 .reply_timeout_ms = SILENT_MS),
			&subscriber, &error),
		HERALD_OK);
	assert_int_equal(subscriber->ops->open(subscriber, &settings, &error), HERALD_UNAVAILABLE);
	assert_int_equal(subscriber->ops->open(subscriber, &settings, &error), HERALD_OK);
	assert_int_equal(redis_server_number(&server, "XLEN s"), 0);
	subscriber->ops->close(subscriber, 0);
	subscriber->ops->destroy(subscriber);
	close(listener);
}

static void
test_dead_letters_are_read_where_a_server_answers(void **state)
{
	const int listener = listen_silently("127.0.0.2", 8);
	struct herald_dead_letters *letters;
	char text[64];

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1");
	snprintf(text, sizeof(text), "redis://" HOST ":%u", server.port);
	redisReply *reply = redis_server_command(&server, "XADD origin * data 1");
	freeReplyObject(reply);
	assert_int_equal(herald_redis_dead_letters_create(
				 &HERALD_REDIS_DEAD_LETTERS_OPTIONS(.url = text, .stream = "origin",
								    .reply_timeout_ms = SILENT_MS),
				 &letters, &error),
			 HERALD_OK);
	assert_int_equal(letters->ops->open(letters, NULL, &error), HERALD_OK);
	letters->ops->close(letters);
	letters->ops->destroy(letters);
	close(listener);
}

static void
test_no_address_can_be_reached(void **state)
{
	char expected[128];

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.3");
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_UNAVAILABLE);
	snprintf(expected, sizeof(expected),
		 "cannot connect to " HOST " port %u: Connection refused", server.port);
	assert_string_equal(error.message, expected);
}

static void
test_a_name_is_not_known(void **state)
{
	char expected[128];

	(void)state;
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_UNAVAILABLE);
	snprintf(expected, sizeof(expected),
		 "cannot connect to " HOST " port %u: the name was not found", server.port);
	assert_string_equal(error.message, expected);
}

static bool
is_asked(const void *state)
{
	(void)state;
	return true;
}

/* A stop does not go on to the next address. */
static void
test_a_stop_ends_connecting(void **state)
{
	const struct redis_interrupt interrupt = {.fd = eventfd(1, EFD_CLOEXEC),
						  .must_end = is_asked};
	struct full full = listen_full("127.0.0.2");

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1");
	connection.interrupt = &interrupt;
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_UNAVAILABLE);
	assert_null(connection.context);
	close_full(&full);
	close(interrupt.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_address_that_refuses_is_passed_over, begin,
						end),
		cmocka_unit_test_setup_teardown(
			test_an_address_that_hangs_has_its_share_of_the_time, begin, end),
		cmocka_unit_test_setup_teardown(test_an_address_of_no_use_is_passed_over, begin,
						end),
		cmocka_unit_test_setup_teardown(test_addresses_are_tried_in_turns, begin, end),
		cmocka_unit_test_setup_teardown(test_a_subscriber_uses_one_server, begin, end),
		cmocka_unit_test_setup_teardown(test_dead_letters_are_read_where_a_server_answers,
						begin, end),
		cmocka_unit_test_setup_teardown(test_no_address_can_be_reached, begin, end),
		cmocka_unit_test_setup_teardown(test_a_name_is_not_known, begin, end),
		cmocka_unit_test_setup_teardown(test_a_stop_ends_connecting, begin, end),
	};

	if (!redis_server_exists())
		return redis_server_left_out("redis_connect");
	redis_server_start(&server);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_server_stop(&server);
	return failed;
}
