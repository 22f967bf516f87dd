/*
 * The tests' HTTP client: what it takes for a response, what for the end of a connection, and what
 * for neither.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/http_client.h"

/* The time limit of silence in this test. */
#define WAIT_MS 20
#define SILENCE "neither bytes nor the end of the connection have come"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct http_client client;
static int server;

/* The place to go on after a failure. */
static jmp_buf failure;
static const char *problem;

static void
failed(const char *text)
{
	problem = text;
	longjmp(failure, 1);
}

#define ASSERT_FAILS(CALL, PROBLEM)                                                                \
	do {                                                                                       \
		problem = NULL;                                                                    \
		if (setjmp(failure) == 0)                                                          \
			(void)(CALL);                                                              \
		assert_non_null(problem);                                                          \
		assert_string_equal(problem, PROBLEM);                                             \
	} while (false)

static int
connect_pair(void **state)
{
	int sides[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sides), 0);
	client = (struct http_client){.fd = sides[0]};
	server = sides[1];
	return 0;
}

static int
close_pair(void **state)
{
	(void)state;
	http_close(&client);
	return close(server);
}

static void
serve(const char *text)
{
	assert_int_equal(write(server, text, strlen(text)), strlen(text));
}

static void
responses(void **state)
{
	static struct http_response response;

	(void)state;
	serve(OK "HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\n" OK);
	assert_true(http_receive(&client, true, &response));
	assert_string_equal(response.body, "ok");
	assert_true(http_receive(&client, false, &response));
	assert_int_equal(response.status, 405);
	assert_true(http_receive(&client, true, &response));
	assert_int_equal(response.status, 200);
}

static const char *const beginnings[] = {
	"",
	"HTTP/1.1 200",
	"HTTP/1.1 200 OK\r\n\r",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
};

static void
end_of_the_connection(void **state)
{
	static struct http_response response;
	char byte;

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		serve(beginnings[i]);
		assert_int_equal(shutdown(server, SHUT_WR), 0);
		assert_false(http_receive(&client, true, &response));
		client.bytes = 0;
		assert_int_equal(http_receive_bytes(&client, &byte, 1), 0);
		close_pair(state);
		connect_pair(state);
	}
}

static void
fail_in_silence_after(const char *beginning)
{
	static struct http_response response;
	char byte;

	serve(beginning);
	ASSERT_FAILS(http_receive(&client, true, &response), SILENCE);
	client.bytes = 0;
	ASSERT_FAILS(http_receive_bytes(&client, &byte, 1), SILENCE);
}

/* It does not pass for an end: the test fails. */
static void
silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		fail_in_silence_after(beginnings[i]);
}

static bool
send_endlessly(const char *bytes, size_t count)
{
	while (http_send(&client, bytes, count))
		;
	return false;
}

/* The server reads nothing. */
static void
bytes_that_are_not_taken(void **state)
{
	static const char bytes[1 << 16];

	(void)state;
	ASSERT_FAILS(send_endlessly(bytes, sizeof(bytes)), "the server takes nothing more");
	shutdown(server, SHUT_RD);
	assert_false(http_send(&client, bytes, sizeof(bytes)));
}

static void
too_large_responses(void **state)
{
	static char body[sizeof(((struct http_response *)0)->body) + 1];
	static struct http_response response;

	(void)state;
	memset(body, 'b', sizeof(body) - 1);
	serve("HTTP/1.1 200 OK\r\nContent-Length: 32768\r\n\r\n");
	serve(body);
	ASSERT_FAILS(http_receive(&client, true, &response), "a response is too large");
}

#define WITH_PAIR(TEST) cmocka_unit_test_setup_teardown(TEST, connect_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(responses),
		WITH_PAIR(end_of_the_connection),
		WITH_PAIR(silence),
		WITH_PAIR(bytes_that_are_not_taken),
		WITH_PAIR(too_large_responses),
	};

	http_client_wait_ms = WAIT_MS;
	http_client_failed = failed;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
