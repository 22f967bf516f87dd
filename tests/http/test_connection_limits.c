/*
 * Limits of connections without sockets: every deadline, on a clock that the test moves; how much
 * waits to be sent; memory that cannot be had; and the last answer before a stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/connection_fixture.h"
#include "support/failing_allocator.h"

/* Deadlines. */

static void
assert_too_slow(struct wire *wire, const char *answers)
{
	wire_flush(wire);
	assert_answers(wire, answers);
	/* Then the client has two seconds to close its side. */
	assert_int_equal(wire_wants(wire), HERALD_HTTP_SHUTDOWN | HERALD_HTTP_READ);
	let_expire(wire, 2000);
	assert_null(wire->connection);
	assert_true(wire_connect(wire));
}

static void
deadline_of_a_head(void **state)
{
	struct herald_server_options options = timeouts();
	struct wire wire;

	(void)state;
	create(&wire, &options);
	/* Nothing has come, or an empty line: closed without an answer. */
	let_expire(&wire, 100);
	assert_null(wire.connection);
	assert_answers(&wire, "");
	assert_true(wire_connect(&wire));
	wire.now_ms += 50;
	send_text(&wire, "\r\n");
	let_expire(&wire, 50);
	assert_null(wire.connection);
	assert_answers(&wire, "");
	/* More bytes do not give it more time, nor does the first one. */
	assert_true(wire_connect(&wire));
	wire.now_ms += 50;
	send_text(&wire, "GET / HT");
	wire.now_ms += 20;
	send_text(&wire, "TP/1.1\r\nX: ");
	wire.now_ms += 20;
	send_text(&wire, "yyy");
	let_expire(&wire, 10);
	assert_too_slow(&wire, ERROR_CLOSE(408, "the head of the request came too slowly"));
	/* The head of a second request, whose beginning came with the first. */
	send_text(&wire, DONE "G");
	wire_flush(&wire);
	wire.now_ms += 99;
	send_text(&wire, "E");
	let_expire(&wire, 1);
	assert_too_slow(&wire, SUCCESS ERROR_CLOSE(408, "the head of the request came too slowly"));
	wire_destroy(&wire);
}

/* An answer to HEAD has no body, although not all of its head came. */
static void
deadline_of_a_head_with_head(void **state)
{
	static const struct {
		const char *sent;
		bool has_body;
	} cases[] = {
		{"HEAD", true},
		{"HEAD /", false},
		{"HEAD / HTTP/1.1\r\nHost: t\r\n", false},
		{HEAD("/large") "HEA", true},
		{HEAD("/large") "PUT / HT", true},
		{GET("/empty") "HEAD / HT", false},
	};
	struct herald_server_options options = timeouts();
	struct wire wire;

	(void)state;
	create(&wire, &options);
	for (size_t i = 0; i < HERALD_COUNT(cases) * 2; i++) {
		bool ends = i % 2 == 1;
		const char *end = cases[i / 2].has_body ? "}" : "\r\n\r\n";

		send_text(&wire, cases[i / 2].sent);
		wire_flush(&wire);
		if (ends)
			wire_end(&wire);
		else
			let_expire(&wire, 100);
		wire_flush(&wire);
		assert_true(wire.output.bytes > strlen(end));
		assert_memory_equal(wire.output.data + wire.output.bytes - strlen(end), end,
				    strlen(end));
		wire_disconnect(&wire);
		assert_true(wire_connect(&wire));
	}
	wire_destroy(&wire);
}

static void
deadline_between_requests(void **state)
{
	static const char *const ends[] = {"", "\r", "\r\n"};
	struct herald_server_options options = timeouts();
	struct wire wire;

	(void)state;
	create(&wire, &options);
	for (size_t i = 0; i < HERALD_COUNT(ends); i++) {
		send_text(&wire, DONE);
		wire_flush(&wire);
		assert_int_equal(left_ms(&wire), 300);
		wire.now_ms += 100;
		send_text(&wire, DONE);
		wire_flush(&wire);
		/* An empty line after a request begins nothing (RFC 9112 section 2.2). */
		wire.now_ms += 100;
		send_text(&wire, ends[i]);
		let_expire(&wire, ends[i][0] == '\0' ? 300 - 100 : 200);
		assert_null(wire.connection);
		assert_answers(&wire, SUCCESS SUCCESS);
		assert_true(wire_connect(&wire));
	}
	wire_destroy(&wire);
}

static void
deadline_of_a_body(void **state)
{
	static const char *const heads[] = {EVENT_HEAD "\r\n", CHUNKED "4c\r\n", PUT("/echo", "60"),
					    PUT_CHUNKED "3c\r\n"};
	static const char slow[] = ERROR_CLOSE(408, "the body of the request came too slowly");
	struct herald_server_options options = timeouts();
	struct wire wire;

	(void)state;
	create(&wire, &options);
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		/* 5 s, and 100 ms for each byte. */
		send_text(&wire, heads[i]);
		assert_int_equal(left_ms(&wire), 5000);
		wire.now_ms += 5000;
		send_text(&wire, "{");
		wire.now_ms += 99;
		send_text(&wire, "{{{{{{{{{{{{{{{{{{{");
		let_expire(&wire, 1901);
		assert_too_slow(&wire, slow);
	}
	/* But not more than the time for a body. */
	options = timeouts();
	wire_destroy(&wire);
	options.body_timeout_ms = 5100;
	create(&wire, &options);
	send_text(&wire, EVENT_HEAD "\r\n{{");
	let_expire(&wire, 5100);
	assert_too_slow(&wire, slow);
	/* A body that is dropped has an answer already. */
	send_text(&wire, "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 60\r\n\r\n{");
	wire_flush(&wire);
	let_expire(&wire, 5100);
	assert_too_slow(&wire, ERROR(404, "not found"));
	wire_destroy(&wire);
}

static void
deadline_of_sending(void **state)
{
	struct herald_server_options options = timeouts();
	struct wire wire;

	(void)state;
	create(&wire, &options);
	/* 10 bytes per second are 4 in the time for it: not enough. */
	wire.take_bytes = 4;
	send_text(&wire, DONE);
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_READ | HERALD_HTTP_WRITE);
	wire.now_ms += 100;
	assert_int_equal(wire_take(&wire), 4);
	let_expire(&wire, 300);
	assert_null(wire.connection);
	/* With one more it has the same time again, but only once. */
	assert_true(wire_connect(&wire));
	wire.take_bytes = 5;
	send_text(&wire, DONE);
	for (int i = 0; i < 3; i++) {
		wire.now_ms += 399;
		assert_int_equal(wire_take(&wire), 5);
		let_expire(&wire, 1);
		assert_non_null(wire.connection);
		assert_int_equal(left_ms(&wire), 400);
	}
	let_expire(&wire, 400);
	assert_null(wire.connection);
	/* Another answer gives no more time; what is taken then begins it anew. */
	assert_true(wire_connect(&wire));
	send_text(&wire, DONE);
	wire.now_ms += 300;
	send_text(&wire, DONE);
	assert_int_equal(left_ms(&wire), 100);
	wire_flush(&wire);
	send_text(&wire, DONE);
	let_expire(&wire, 400);
	assert_null(wire.connection);
	/* The time to close its side begins when it has taken the last answer. */
	assert_true(wire_connect(&wire));
	send_text(&wire, LAST);
	wire.now_ms += 350;
	wire_flush(&wire);
	assert_int_equal(left_ms(&wire), 2000);
	/* What comes then is dropped. */
	wire.now_ms += 1000;
	send_text(&wire, DONE);
	let_expire(&wire, 1000);
	assert_null(wire.connection);
	assert_given(&wire, GIVEN);
	wire_destroy(&wire);
}

/* A head, byte for byte, is refused with the byte that reaches the limit. */
static void
heads_up_to_the_limit(void **state)
{
	static const struct {
		const char *begin;
		size_t bytes;
		const char *answer;
	} cases[] = {
		{"", 256, ERROR_CLOSE(431, "the head of the request is too large")},
		{"GET /", 105, ERROR_CLOSE(414, "the request's target is too long")},
		{"\r\nPUT /", 107, ERROR_CLOSE(414, "the request's target is too long")},
		{"GET / HTTP/1.1\r\nA: ", 256,
		 ERROR_CLOSE(431, "the head of the request is too large")},
	};
	struct wire wire;

	(void)state;
	create(&wire, &HERALD_SERVER_OPTIONS(.max_header_bytes = 256, .max_target_bytes = 100));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		send_text(&wire, cases[i].begin);
		for (size_t bytes = strlen(cases[i].begin); bytes < cases[i].bytes; bytes++) {
			assert_int_equal(wire_wants(&wire), HERALD_HTTP_READ | HERALD_HTTP_IDLE);
			send_text(&wire, "a");
		}
		wire_flush(&wire);
		assert_answers(&wire, cases[i].answer);
		wire_disconnect(&wire);
		assert_true(wire_connect(&wire));
	}
	wire_destroy(&wire);
}

/* Of a body that no one wants, 16 MiB are read. */
static void
dropped_body_is_limited(void **state)
{
	static char chunk[0x10000 + 9];
	struct wire wire;
	size_t chunks = 0;

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "10000\r\n", 7);
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	create(&wire, NULL);
	send_text(&wire, "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
	wire_flush(&wire);
	for (; wire_wants(&wire) == HERALD_HTTP_READ && chunks < 1000; chunks++)
		wire_send(&wire, chunk, sizeof(chunk));
	assert_int_equal(chunks, 16 * 16 + 1);
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_SHUTDOWN | HERALD_HTTP_READ);
	assert_answers(&wire, ERROR(404, "not found"));
	wire_destroy(&wire);
}

/* Output. */

/* While 64 KiB wait to be sent, no request is read; when it is sent, what has come is read on. */
static void
output_is_limited(void **state)
{
	struct wire wire;
	char answers[] = "200 large\n" SUCCESS SUCCESS;

	(void)state;
	create(&wire, NULL);
	wire_send(&wire, GET("/large") DONE DONE, strlen(GET("/large") DONE DONE));
	assert_given(&wire, "GET /large? \n");
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_WRITE);
	/* 65,536 bytes and more wait. */
	wire.take_bytes = WIRE_LARGE_BYTES - 65536;
	wire_take(&wire);
	assert_given(&wire, "GET /large? \n");
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_WRITE);
	wire.take_bytes = 400;
	wire_take(&wire);
	assert_given(&wire, "GET /large? \n" GIVEN GIVEN);
	wire.take_bytes = 0;
	wire_flush(&wire);
	assert_answers(&wire, answers);
	wire_destroy(&wire);
}

/* It is not so when the client closes its side meanwhile. */
static void
half_closed_while_requests_wait(void **state)
{
	struct wire wire;

	(void)state;
	create(&wire, NULL);
	send_text(&wire, GET("/large") DONE GET("/large") DONE "GET");
	wire_end(&wire);
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_WRITE);
	wire_flush(&wire);
	assert_null(wire.connection);
	assert_answers(&wire, "200 large\n" SUCCESS "200 large\n" SUCCESS ERROR_CLOSE(
				      400, "the head of the request is incomplete"));
	wire_destroy(&wire);
}

/* A client that never takes all of the output does not make it grow. */
static void
output_that_is_never_empty(void **state)
{
	struct failing_allocator memory;
	struct wire wire;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create(&wire, &HERALD_SERVER_OPTIONS(.allocator = memory.allocator));
	for (int i = 0; i < 5000; i++) {
		const char *data;

		send_text(&wire, GET("/echo"));
		wire.take_bytes = herald_http_connection_output(wire.connection, &data) - 1;
		wire_take(&wire);
	}
	assert_true(memory.peak_bytes < 64 * 1024);
	wire.take_bytes = 0;
	wire_flush(&wire);
	wire_destroy(&wire);
	assert_all_released(&memory);
}

/* A connection without a request keeps no memory besides its block. */
static void
idle_memory(void **state)
{
	struct failing_allocator memory;
	struct wire wire;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create(&wire, &HERALD_SERVER_OPTIONS(.allocator = memory.allocator));
	send_text(&wire, DONE);
	wire_flush(&wire);
	size_t blocks = memory.blocks;
	send_text(&wire, "POST /ev");
	send_text(&wire, strchr(DONE, 'e'));
	wire_flush(&wire);
	assert_int_equal(memory.blocks, blocks);
	send_text(&wire, PUT("/echo", "3") "a");
	assert_true(memory.blocks > blocks);
	send_text(&wire, "bc");
	wire_flush(&wire);
	assert_int_equal(memory.blocks, blocks);
	wire_destroy(&wire);
	assert_all_released(&memory);
}

/* Stops. */

static void
last_answer_of_a_drain(void **state)
{
	struct wire wire;

	(void)state;
	create(&wire, NULL);
	send_text(&wire, DONE);
	wire_flush(&wire);
	send_text(&wire, EVENT_HEAD "\r\n");
	herald_http_worker_drain(wire.worker);
	send_text(&wire, EVENT DONE);
	wire_flush(&wire);
	assert_answers(&wire, SUCCESS "200 {\"status\":\"success\"} close\n");
	assert_given(&wire, GIVEN GIVEN);
	assert_int_equal(wire_wants(&wire), HERALD_HTTP_SHUTDOWN | HERALD_HTTP_READ);
	wire_end(&wire);
	assert_null(wire.connection);
	assert_true(wire_connect(&wire));
	send_text(&wire, GET("/healthz"));
	wire_flush(&wire);
	assert_answers(&wire, "503 Retry-After: 1 {\"status\":\"stopping\"} close\n");
	wire_destroy(&wire);
}

/* Memory. */

static void
out_of_memory_at(struct failing_allocator *memory)
{
	static const char text[] = DONE GET("/echo?a") GET("/large") CHUNKED_EVENT PUT_CHUNKED
		"1\r\na\r\n0\r\n\r\n" PUT("/echo", "65") SIXTY_FOUR
		"x" PUT("/echo",
			"3") "abc"
			     "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc" DONE
			     "GET";
	struct wire wire;
	enum herald_status status =
		wire_create(&wire, &HERALD_SERVER_OPTIONS(.allocator = memory->allocator), NULL);

	if (status != HERALD_OK) {
		assert_int_equal(status, HERALD_NO_MEMORY);
	} else if (wire_connect(&wire)) {
		/* In pieces, so that bodies are incomplete, and after each other. */
		for (size_t at = 0; at < sizeof(text) - 1 && wire.connection; at += 100)
			wire_send(&wire, text + at,
				  sizeof(text) - 1 - at < 100 ? sizeof(text) - 1 - at : 100);
		if (wire.connection)
			wire_end(&wire);
		if (wire.connection)
			wire_flush(&wire);
		assert_null(wire.connection);
		free(wire_answers(&wire));
	}
	wire_destroy(&wire);
	assert_all_released(memory);
}

/* The second header has no memory for its value: nothing of it may be sent. */
static void
add_headers(struct herald_server_request *request, void *state)
{
	struct failing_allocator *memory = state;
	char value[1001];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(herald_server_answer_header(request, "X-First", "1"), HERALD_OK);
	memory->mode = FAIL_ONLY;
	memory->fail_at = memory->calls + 1;
	assert_int_equal(herald_server_answer_header(request, "X-Second", value), HERALD_NO_MEMORY);
	assert_int_equal(memory->failures, 1);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", "=", 1), HERALD_OK);
}

static void
no_memory_for_a_header(void **state)
{
	struct failing_allocator memory;
	const struct herald_server_path paths[] = {
		{.path = "/headers", .function = add_headers, .state = &memory}};
	struct wire wire;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create(&wire, NULL);
	wire_disconnect(&wire);
	herald_http_worker_destroy(wire.worker);
	assert_int_equal(
		herald_http_worker_create(wire.endpoint,
					  &HERALD_SERVER_OPTIONS(.allocator = memory.allocator,
								 HERALD_SERVER_PATHS(paths)),
					  NULL, NULL, &wire.worker, NULL),
		HERALD_OK);
	assert_true(wire_connect(&wire));
	send_text(&wire, GET("/headers"));
	wire_flush(&wire);
	assert_answers(&wire, "200 X-First: 1 =\n");
	wire_destroy(&wire);
	assert_all_released(&memory);
}

static void
every_allocation_fails(void **state)
{
	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			out_of_memory_at(&memory);
			if (memory.failures == 0)
				break;
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadline_of_a_head),
		cmocka_unit_test(deadline_of_a_head_with_head),
		cmocka_unit_test(deadline_between_requests),
		cmocka_unit_test(deadline_of_a_body),
		cmocka_unit_test(deadline_of_sending),
		cmocka_unit_test(heads_up_to_the_limit),
		cmocka_unit_test(dropped_body_is_limited),
		cmocka_unit_test(output_is_limited),
		cmocka_unit_test(half_closed_while_requests_wait),
		cmocka_unit_test(output_that_is_never_empty),
		cmocka_unit_test(idle_memory),
		cmocka_unit_test(last_answer_of_a_drain),
		cmocka_unit_test(no_memory_for_a_header),
		cmocka_unit_test(every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
