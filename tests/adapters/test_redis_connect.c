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

#include <herald/allocator.h>

#include "../../adapters/broker/redis/connection.h"
#include "support/names.h"
#include "support/redis_server.h"

#define HOST "redis.test"
#define TIMEOUT_MS 20000
#define SILENT_MS 200
#define FILLING 3

static struct redis_server server; /* on 127.0.0.1 */
static struct redis_connection connection;
static struct redis_url url;
static struct herald_error error;

static int
begin(void **state)
{
	(void)state;
	herald__redis_connection_init(&connection, NULL);
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
	return herald__redis_connection_open(&connection, &url, timeout_ms, &error);
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
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(server.port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &place.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof(place)), 0);
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
	struct sockaddr_in place;
	socklen_t bytes = sizeof(place);

	assert_int_equal(getsockname(full.listener, (struct sockaddr *)&place, &bytes), 0);
	for (size_t i = 0; i < FILLING; i++) {
		full.clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(full.clients[i], (struct sockaddr *)&place, sizeof(place));
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
 * next time; what answered is tried first from then on. */
static void
test_an_address_that_is_silent_is_passed_over(void **state)
{
	const int listener = listen_silently("127.0.0.2", 8);

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.1");
	assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
	assert_false(answers(SILENT_MS));
	for (int i = 0; i < 2; i++) {
		herald__redis_connection_close(&connection);
		assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
		assert_true(answers(TIMEOUT_MS));
	}
	close(listener);
}

/* Two that are silent, and one that refuses: each is tried again in its turn. */
static void
test_addresses_are_tried_in_turns(void **state)
{
	const int listeners[] = {listen_silently("127.0.0.2", 8), listen_silently("127.0.0.3", 8)};
	static const size_t expected[] = {0, 1, 0};

	(void)state;
	names_set(HOST, "127.0.0.2 127.0.0.3 127.0.0.4");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(open_connection(TIMEOUT_MS), HERALD_OK);
		assert_int_equal(connection.address, expected[i]);
		herald__redis_connection_close(&connection);
	}
	for (size_t i = 0; i < 2; i++)
		close(listeners[i]);
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
		cmocka_unit_test_setup_teardown(test_an_address_that_is_silent_is_passed_over,
						begin, end),
		cmocka_unit_test_setup_teardown(test_addresses_are_tried_in_turns, begin, end),
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
