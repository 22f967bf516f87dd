/*
 * Accepting connections: what the server does about each error of accept4(). Its limits are in
 * test_server_limits.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/server.h>

#include "support/http_client.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The errors that accept4() has next, and how often it was called. */
static atomic_int next_error, errors_left, calls;

/* In place of libc's, whose type is not one of ISO C. */
int failing_accept4(int fd, void *address, void *address_bytes, int flags) __asm__("accept4");

int
failing_accept4(int fd, void *address, void *address_bytes, int flags)
{
	atomic_fetch_add(&calls, 1);
	if (atomic_load(&errors_left) > 0) {
		atomic_fetch_sub(&errors_left, 1);
		errno = atomic_load(&next_error);
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, address, address_bytes, flags);
}

static atomic_int warnings;
static char warning_text[128];

static void
write_log(const struct herald_log_record *record, void *state)
{
	(void)state;
	if (strcmp(record->message, "cannot accept connections") != 0)
		return;
	snprintf(warning_text, sizeof(warning_text), "%s", record->fields[0].text);
	atomic_fetch_add(&warnings, 1);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct ping {
	bool loud;
};
HERALD_SCHEMA(ping, HERALD_FIELD(ping, loud));

static enum herald_verdict
pong(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

static struct herald_service *service;
static struct herald_endpoint *endpoint;
static struct herald_server *server;

static int
start(void **state)
{
	static const struct herald_route routes[] = {
		{.event_type = "ping", .schema = &ping_schema, .function = pong},
	};
	struct herald_error error;

	(void)state;
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK ||
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK ||
	    herald_server_create(
		    endpoint,
		    &HERALD_SERVER_OPTIONS(.any_port = true, .threads = 1, .log.write = write_log),
		    &server, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return 0;
}

/* One connection that is answered; returns how long that took. */
static int64_t
visit(void)
{
	static struct http_client client;
	static struct http_response response;
	int64_t begin = now_ms();

	assert_true(http_connect(&client, "127.0.0.1", herald_server_port(server)));
	assert_true(http_send_text(&client, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_true(http_receive(&client, true, &response));
	assert_int_equal(response.status, 404);
	http_close(&client);
	return now_ms() - begin;
}

/* Without files or memory it waits and logs it. After any other error the client has
 * disconnected. */
static void
test_errors_of_accept(void **state)
{
	static const struct {
		int error;
		bool waits;
	} rows[] = {
		{EMFILE, true},        {ENFILE, true},        {ENOBUFS, true}, {ENOMEM, true},
		{ECONNABORTED, false}, {EPROTO, false},       {EPERM, false},  {EINTR, false},
		{ENETDOWN, false},     {EHOSTUNREACH, false}, {EAGAIN, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		atomic_store(&warnings, 0);
		atomic_store(&calls, 0);
		atomic_store(&next_error, rows[i].error);
		atomic_store(&errors_left, 1);

		int64_t took_ms = visit();

		if (atomic_load(&warnings) != rows[i].waits)
			fail_msg("%s: %d warnings", strerror(rows[i].error),
				 atomic_load(&warnings));
		if (rows[i].waits) {
			assert_string_equal(warning_text, strerror(rows[i].error));
			assert_in_range(took_ms, 99, HTTP_CLIENT_WAIT_MS);
		}
		/* The error, the connection, and that there is no other. */
		assert_in_range(atomic_load(&calls), 2, 3);
	}
}

/* As long as the error stays, it tries again after a while, and says so each time. */
static void
test_errors_that_go_on(void **state)
{
	(void)state;
	atomic_store(&warnings, 0);
	atomic_store(&calls, 0);
	atomic_store(&next_error, EMFILE);
	atomic_store(&errors_left, 3);
	assert_in_range(visit(), 299, HTTP_CLIENT_WAIT_MS);
	assert_int_equal(atomic_load(&warnings), 3);
	assert_in_range(atomic_load(&calls), 4, 5);
}

static int
stop(void **state)
{
	(void)state;
	size_t left = herald_server_stop(server, HTTP_CLIENT_WAIT_MS);

	herald_server_destroy(server);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return left == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_of_accept),
		cmocka_unit_test(test_errors_that_go_on),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
