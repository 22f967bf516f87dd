/*
 * Dead letters on RabbitMQ, read and replayed as `herald broker dead` does it, where tests/cmd
 * cannot look: what cannot be sent, and a server that takes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/rabbitmq.h>

#include "support/rabbitmq_server.h"

#define QUEUE "orders"
#define DEAD QUEUE ".dead"
#define ROOM_BYTES (64 << 20)
#define TIMEOUT_MS 1000
/* Longer than it takes to connect. */
#define BLOCKED_S 6

static struct rabbitmq_server server;
static struct rabbitmq_client client;
static struct herald_dead_letters *letters;
static struct herald_dead_message_list list;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* timeout_ms: 0: the default. */
static void
open_patiently(size_t count, uint32_t timeout_ms)
{
	struct herald_error error;

	if (herald_rabbitmq_dead_letters_create(
		    &HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS(.url = server.url, .queue = QUEUE,
							  .connect_timeout_ms = timeout_ms),
		    &letters, &error) != HERALD_OK ||
	    letters->ops->open(letters, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	memset(&list, 0, sizeof(list));
	if (letters->ops->read(letters, count, ROOM_BYTES, &list, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(list.count, count);
}

static void
open_letters(size_t count)
{
	open_patiently(count, TIMEOUT_MS);
}

static void
destroy_letters(void)
{
	letters->ops->release(letters, &list);
	letters->ops->destroy(letters);
}

static void
replay(const char *target)
{
	struct herald_error error;

	if (letters->ops->replay(letters, &list, target, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

/* What was given back is ready some time later. */
static void
await_stored(const char *queue, int expected)
{
	const uint64_t until_ms = now_ms() + 10000;
	int count;

	while ((count = rabbitmq_client_count(&client, queue)) != expected && now_ms() < until_ms)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	assert_int_equal(count, expected);
}

static void
put(const char *text, size_t header_bytes)
{
	static char large[131000];
	amqp_table_entry_t header = {
		.key = amqp_cstring_bytes("large"),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {header_bytes, large}}};
	const amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
						    .headers = {1, &header}};

	memset(large, 'x', sizeof(large));
	rabbitmq_client_publish(&client, DEAD, text, strlen(text), &properties);
}

/* It fails, and the next replay on the same connection does not. */
static void
test_a_name_that_amqp_cannot_say(void **state)
{
	char name[257];

	(void)state;
	put("one", 1);
	put("two", 1);
	open_letters(2);
	memset(name, 'n', sizeof(name) - 1);
	name[256] = '\0';
	replay(name);
	for (const struct herald_dead_message *at = list.first; at; at = at->next) {
		assert_int_equal(at->status, HERALD_BAD_OPTION);
		assert_memory_equal(at->reason, "the name of its queue has more than 255 bytes: n",
				    48);
	}
	/* The longest one that there may be: nothing has this name. */
	name[255] = '\0';
	replay(name);
	assert_int_equal(list.first->status, HERALD_BAD_OPTION);
	assert_memory_equal(list.first->reason, "there is no queue n", 19);
	replay(QUEUE);
	assert_int_equal(list.first->status, HERALD_OK);
	assert_int_equal(list.last->status, HERALD_OK);
	destroy_letters();
	await_stored(QUEUE, 2);
	await_stored(DEAD, 0);
	rabbitmq_client_purge(&client, QUEUE);
}

/* The one in the middle stays, and the others are sent. */
static void
test_headers_that_do_not_fit(void **state)
{
	(void)state;
	put("one", 1);
	put("two", 130500);
	put("three", 1);
	put("four", 129000);
	open_letters(4);
	replay(QUEUE);
	const struct herald_dead_message *two = list.first->next;
	assert_int_equal(list.first->status, HERALD_OK);
	assert_int_equal(two->status, HERALD_TOO_LARGE);
	assert_string_equal(two->reason, "its headers do not fit into a frame of the server");
	assert_int_equal(two->next->status, HERALD_OK);
	assert_int_equal(list.last->status, HERALD_OK);
	destroy_letters();
	await_stored(QUEUE, 3);
	await_stored(DEAD, 1);
	rabbitmq_client_purge(&client, QUEUE);
	rabbitmq_client_purge(&client, DEAD);
}

static void
on_alarm(int signal)
{
	(void)signal;
}

/* Signals that come, without SA_RESTART, every 50 ms; 0: no more. */
static void
send_signals(long every_ms)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval times = {{0, every_ms * 1000}, {0, every_ms * 1000}};

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &times, NULL), 0);
}

/* More than the sockets take: the end is told while the copies are sent, and not by a signal. */
static void
test_a_server_that_takes_nothing(void **state)
{
	static char body[4000000];
	struct herald_error error;

	(void)state;
	memset(body, 'b', sizeof(body) - 1);
	for (int i = 0; i < 8; i++)
		put(body, 1);
	open_letters(8);
	rabbitmq_server_set_blocked(&server, true);
	send_signals(50);
	const uint64_t began_ms = now_ms();
	assert_int_equal(letters->ops->replay(letters, &list, QUEUE, &error), HERALD_UNAVAILABLE);
	const uint64_t took_ms = now_ms() - began_ms;
	send_signals(0);
	assert_string_equal(error.message, "the connection is lost: the server takes no messages, "
					   "as it is short of memory or disk");
	assert_true(took_ms >= TIMEOUT_MS);
	for (const struct herald_dead_message *at = list.first; at; at = at->next)
		assert_int_equal(at->status, HERALD_UNKNOWN_OUTCOME);
	destroy_letters();
	rabbitmq_server_set_blocked(&server, false);
	await_stored(DEAD, 8);

	/* Elsewhere: some of the first copies may still come. */
	rabbitmq_client_declare(&client, "again", "x-queue-type", "quorum");
	open_letters(8);
	replay("again");
	assert_int_equal(list.last->status, HERALD_OK);
	destroy_letters();
	await_stored("again", 8);
	await_stored(DEAD, 0);
}

static void *
unblock_later(void *state)
{
	(void)state;
	nanosleep(&(struct timespec){.tv_sec = BLOCKED_S}, NULL);
	rabbitmq_server_set_blocked(&server, false);
	return NULL;
}

/* As after a restart, before it has found that its memory suffices. */
static void
test_a_server_that_is_short_of_memory_for_some_time(void **state)
{
	pthread_t thread;

	(void)state;
	put("late", 1);
	open_patiently(1, 0);
	rabbitmq_server_set_blocked(&server, true);
	assert_int_equal(pthread_create(&thread, NULL, unblock_later, NULL), 0);
	replay("again");
	assert_int_equal(list.first->status, HERALD_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	destroy_letters();
	await_stored(DEAD, 0);
}

static int
start(void **state)
{
	(void)state;
	rabbitmq_server_start(&server);
	rabbitmq_client_open(&client, &server);
	rabbitmq_client_declare(&client, QUEUE, "x-queue-type", "quorum");
	rabbitmq_client_declare(&client, DEAD, "x-queue-type", "quorum");
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rabbitmq_client_close(&client);
	rabbitmq_server_stop(&server);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_that_amqp_cannot_say),
		cmocka_unit_test(test_headers_that_do_not_fit),
		cmocka_unit_test(test_a_server_that_takes_nothing),
		cmocka_unit_test(test_a_server_that_is_short_of_memory_for_some_time),
	};

	return rabbitmq_server_exists() ? cmocka_run_group_tests(tests, start, stop)
					: rabbitmq_server_left_out("rabbitmq_dead_letters");
}
