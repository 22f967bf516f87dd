/*
 * The event loop of a connection to NATS, without a server: the test writes what a server sends.
 */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../adapters/broker/nats/connection.h"
#include "../../adapters/broker/nats/inbox.h"
#include "../../adapters/broker/nats/link.h"

#define WAIT_MS 10000

#define INFO                                                                                       \
	"INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,"           \
	"\"max_payload\":1048576}\r\n"

static struct {
	int listener, peer; /* the server's */
	struct nats nats;
} f;

static void
send_all(const char *text)
{
	assert_int_equal(send(f.peer, text, strlen(text), 0), strlen(text));
}

/* Read what the client sends, until it has sent `text`. Returns whether it has. */
static bool
expect(const char *text)
{
	char got[4096] = "";
	size_t bytes = 0;
	struct pollfd fd = {.fd = f.peer, .events = POLLIN};

	while (!strstr(got, text)) {
		if (poll(&fd, 1, 1000) <= 0)
			return false;
		const ssize_t more = recv(f.peer, got + bytes, sizeof(got) - 1 - bytes, 0);
		if (more <= 0)
			return false;
		got[bytes += (size_t)more] = '\0';
	}
	return true;
}

/* The server's side of a connection that begins. */
static void *
accept_client(void *state)
{
	f.peer = accept(f.listener, NULL, NULL);
	send_all(INFO);
	if (expect("PING\r\n"))
		send_all("PONG\r\n");
	return state;
}

static int
setup(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	char url[64];
	pthread_t thread;
	struct herald_error error;

	(void)state;
	memset(&f, 0, sizeof(f));
	f.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(f.listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(f.listener, 1), 0);
	assert_int_equal(getsockname(f.listener, (struct sockaddr *)&address, &bytes), 0);
	snprintf(url, sizeof(url), "nats://127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(herald__nats_link_init(&f.nats.link), 0);
	herald__nats_link_reset(&f.nats.link, false);
	assert_int_equal(pthread_create(&thread, NULL, accept_client, NULL), 0);
	if (herald__nats_connect(
		    &(struct nats_connection_settings){
			    .url = url, .name = "t", .timeout_ms = WAIT_MS, .link = &f.nats.link},
		    &f.nats.link.connection, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	pthread_join(thread, NULL);
	assert_int_equal(herald__nats_inbox_open(&f.nats.link), NATS_OK);
	herald__nats_inbox_read(&f.nats);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	herald__nats_inbox_close(&f.nats.link);
	herald__nats_link_close(&f.nats.link);
	herald__nats_link_finish(&f.nats.link);
	close(f.peer);
	close(f.listener);
	return 0;
}

/* The consumer's thread may run a function next, without lanes: what a server's message made
 * libnats write is sent before. */
static void
test_a_ping_is_answered_before_the_messages_run(void **state)
{
	(void)state;
	send_all("PING\r\n");
	herald__nats_link_wait(&f.nats.link, nats_now_ms() + WAIT_MS);
	herald__nats_inbox_read(&f.nats);
	assert_true(expect("PONG\r\n"));
}

/* A long message over a slow line: the server is there, although no message of it is complete. */
static void
test_a_part_of_a_message_is_a_sign_of_life(void **state)
{
	struct nats_link *link = &f.nats.link;
	char head[128];

	(void)state;
	link->has_heard = false;
	snprintf(head, sizeof(head), "MSG %s.p.1 1 1000\r\nthe beginning", link->inbox);
	send_all(head);
	herald__nats_link_wait(link, nats_now_ms() + WAIT_MS);
	herald__nats_inbox_read(&f.nats);
	assert_int_equal(f.nats.arrived.count, 0);
	assert_true(link->has_heard);

	link->has_heard = false;
	herald__nats_link_wake(link);
	herald__nats_link_wait(link, nats_now_ms() + WAIT_MS);
	herald__nats_inbox_read(&f.nats);
	assert_false(link->has_heard);
}

static atomic_bool must_end;

static void *
wake_often(void *state)
{
	while (!atomic_load(&must_end))
		herald__nats_link_wake(state);
	return NULL;
}

/* Any thread wakes the consumer while it connects again: never by a descriptor of something else,
 * here the one that a cleared number would be. */
static void
test_a_wake_while_the_link_is_reset(void **state)
{
	struct nats_link link;
	const int input = dup(STDIN_FILENO), count = eventfd(0, EFD_NONBLOCK);
	uint64_t wakes = 0;
	pthread_t thread;

	(void)state;
	memset(&link, 0, sizeof(link));
	assert_int_equal(herald__nats_link_init(&link), 0);
	assert_int_equal(dup2(count, 0), 0);
	atomic_store(&must_end, false);
	assert_int_equal(pthread_create(&thread, NULL, wake_often, &link), 0);
	while (read(link.wake_fd, &wakes, sizeof(wakes)) < 0)
		;
	const uint64_t until_ms = nats_now_ms() + 200;
	while (nats_now_ms() < until_ms)
		herald__nats_link_reset(&link, false);
	atomic_store(&must_end, true);
	pthread_join(thread, NULL);
	const ssize_t strays = read(count, &wakes, sizeof(wakes));
	if (input >= 0)
		assert_int_equal(dup2(input, 0), 0);
	close(input);
	close(count);
	herald__nats_link_finish(&link);
	assert_int_equal(strays, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_ping_is_answered_before_the_messages_run,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_part_of_a_message_is_a_sign_of_life, setup,
						teardown),
		cmocka_unit_test(test_a_wake_while_the_link_is_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
