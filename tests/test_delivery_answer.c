/*
 * What a receiver's answer may look like, and how much of it is read: interim answers, chunks and their
 * extensions, trailers, codings, and each limit at its ends. The clock stands still during an attempt, so
 * that what is not bounded in bytes never ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void
start(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	options.addresses = HERALD_ADDRESSES_ANY;
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	options.backoff = HERALD_BACKOFF_NO_JITTER;
	options.slots = 1;
	misbehaving_server_start(&fixture->server);
	assert_int_equal(herald__deliverer_create(&options, &fixture->clock.clock, NULL,
						  &fixture->deliverer, NULL),
			 HERALD_OK);
}

/* Deliver once more, and wait for the outcome. */
static const struct recorded_report *
deliver(struct delivery_fixture *fixture, const char *path)
{
	char url[64];
	const struct herald_delivery delivery = {.url = url};
	size_t count = fixture->recorder.outcomes;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", fixture->server.port, path);
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, count + 1);
	return &fixture->recorder.outcome_reports[count];
}

/* Answers. */

#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define DELIVERED HERALD_DELIVERY_DELIVERED
#define FAILED HERALD_DELIVERY_FAILED
#define SIXTEEN "0123456789abcdef"
#define LONG SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static const struct answer {
	const char *name;
	const char *raw;
	const char *repeated; /* without end */
	size_t attempts;
	uint64_t delay_ms; /* after the first attempt */
	enum herald_delivery_outcome outcome;
	unsigned http_status;
	const char *error;
} answers[] = {
	/* Retry-After counts in the final answer's head, and nowhere else. */
	{"in a head", "HTTP/1.1 503 No\r\nRetry-After: 7\r\n" EMPTY, NULL, 3, 7000, FAILED, 503,
	 "HTTP status 503"},
	{"in a trailer", "HTTP/1.1 503 No\r\n" CHUNKED "\r\n2\r\nno\r\n0\r\nRetry-After: 7\r\n\r\n",
	 NULL, 3, 2000, FAILED, 503, "HTTP status 503"},
	{"in a trailer of an empty body",
	 "HTTP/1.1 503 No\r\n" CHUNKED "\r\n0\r\nretry-after: 7\r\n\r\n", NULL, 3, 2000, FAILED,
	 503, "HTTP status 503"},
	{"in head and trailer",
	 "HTTP/1.1 429 No\r\nRetry-After: 5\r\n" CHUNKED "\r\n0\r\nRetry-After: 9\r\n\r\n", NULL, 3,
	 5000, FAILED, 429, "HTTP status 429"},
	{"in an interim answer",
	 "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\nHTTP/1.1 503 No\r\n" EMPTY, NULL, 3,
	 2000, FAILED, 503, "HTTP status 503"},
	{"as a longer name", "HTTP/1.1 503 No\r\nRetry-After-All: 7\r\n" EMPTY, NULL, 3, 2000,
	 FAILED, 503, "HTTP status 503"},
	{"a redirect in a trailer",
	 "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\nLocation: /other\r\n\r\n", NULL, 1, 0, DELIVERED,
	 200, ""},

	/* Without end: bounded in bytes. */
	{"interim answers", "HTTP/1.1 100 Continue\r\n\r\n",
	 "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 1, 0,
	 FAILED, 0, "headers of more than 65536 bytes"},
	{"an extension of a chunk", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n2", ";a=" LONG, 1, 0,
	 DELIVERED, 200, ""},
	{"extensions of chunks", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", "1;" LONG LONG "\r\nx\r\n",
	 1, 0, DELIVERED, 200, ""},
	{"an extension after 503", "HTTP/1.1 503 No\r\nRetry-After: 7\r\n" CHUNKED "\r\n2",
	 ";a=" LONG, 3, 7000, FAILED, 503, "HTTP status 503"},
	{"an extension after 404", "HTTP/1.1 404 No\r\n" CHUNKED "\r\n2", ";a=" LONG, 1, 0, FAILED,
	 404, "HTTP status 404"},
	{"trailers", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\n", "X-Trailer: " LONG "\r\n", 1, 0,
	 DELIVERED, 200, ""},
	{"headers", "HTTP/1.1 200 OK\r\n", "X-Header: " LONG "\r\n", 1, 0, FAILED, 0,
	 "headers of more than 65536 bytes"},
	{"a body", "HTTP/1.1 500 No\r\n\r\n", LONG LONG LONG LONG, 3, 2000, FAILED, 500,
	 "HTTP status 500"},
	{"chunks of one byte", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", "1\r\nx\r\n", 1, 0, DELIVERED,
	 200, ""},
};

static int
setup_answer(void **state)
{
	const struct answer *row = *state;
	int result = delivery_fixture_setup(state);
	struct delivery_fixture *fixture = *state;

	fixture->server.raw = row->raw;
	fixture->server.repeated = row->repeated;
	fixture->server.state = (void *)row;
	return result;
}

static void
test_answer(void **state)
{
	struct delivery_fixture *fixture = *state;
	const struct answer *row = fixture->server.state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3));
	const struct recorded_report *report = deliver(fixture, "/raw");
	assert_int_equal(report->outcome, row->outcome);
	assert_int_equal(report->http_status, row->http_status);
	assert_string_equal(report->error, row->error);
	assert_int_equal(fixture->recorder.attempts, row->attempts);
	assert_int_equal(misbehaving_server_requests(&fixture->server), row->attempts);
	assert_int_equal(fixture->recorder.attempt_reports[0].retry_in_ms, row->delay_ms);
}

/* Limits at their ends. */

/* Whether the limit is kept: then the connection serves the second delivery too. */
static void
check_limit(struct delivery_fixture *fixture, const char *raw,
	    struct herald_deliverer_options options, enum herald_delivery_outcome outcome,
	    size_t connections)
{
	fixture->server.raw = raw;
	start(fixture, options);
	assert_int_equal(deliver(fixture, "/raw")->outcome, outcome);
	assert_int_equal(deliver(fixture, "/raw")->outcome, outcome);
	assert_int_equal(misbehaving_server_connections(&fixture->server), connections);
}

#define HEAD "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
#define HEAD_BYTES (sizeof(HEAD) - 1)

static void
test_headers_up_to_the_limit(void **state)
{
	check_limit(*state, HEAD "yes",
		    HERALD_DELIVERER_OPTIONS(.max_answer_header_bytes = HEAD_BYTES), DELIVERED, 1);
}

static void
test_headers_past_the_limit(void **state)
{
	struct delivery_fixture *fixture = *state;
	char expected[64];

	check_limit(fixture, HEAD "yes",
		    HERALD_DELIVERER_OPTIONS(.max_answer_header_bytes = HEAD_BYTES - 1), FAILED, 2);
	snprintf(expected, sizeof(expected), "headers of more than %zu bytes", HEAD_BYTES - 1);
	assert_string_equal(fixture->recorder.outcome_reports[0].error, expected);
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 0);
}

static void
test_body_up_to_the_limit(void **state)
{
	check_limit(*state, HEAD "yes", HERALD_DELIVERER_OPTIONS(.max_answer_body_bytes = 3),
		    DELIVERED, 1);
}

static void
test_body_past_the_limit(void **state)
{
	check_limit(*state, HEAD "yes", HERALD_DELIVERER_OPTIONS(.max_answer_body_bytes = 2),
		    DELIVERED, 2);
}

/* Trailers are counted with the headers; what they exceed does not change the answer. */
static void
test_trailers_past_the_limit(void **state)
{
	static const char raw[] = "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\nX-Trailer: 1\r\n\r\n";

	check_limit(*state, raw,
		    HERALD_DELIVERER_OPTIONS(.max_answer_header_bytes = 17 + 28 + 2 + 10),
		    DELIVERED, 2);
}

/* What came before on the connection does not count. */
static void
test_large_answers_on_one_connection(void **state)
{
	enum { BODY = 3000000 };
	static char raw[BODY + 100]; /* The server reads it until it is stopped. */
	struct delivery_fixture *fixture = *state;
	int head = sprintf(raw, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);

	memset(raw + head, 'x', BODY);
	fixture->server.raw = raw;
	fixture->server.raw_bytes = (size_t)head + BODY;
	start(fixture, HERALD_DELIVERER_OPTIONS(.max_answer_body_bytes = BODY,
						.max_answer_bytes = BODY + 100));
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(deliver(fixture, "/raw")->outcome, DELIVERED);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 1);
}

/* Compressed: it is the decoded bytes that count. */

static bool
ask_for_gzip(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK;
}

/* Add `count` bits to the stream, the lowest of them first. */
static void
add_bits(unsigned char *data, size_t *bits, unsigned value, unsigned count)
{
	for (; count > 0; count--, value >>= 1, ++*bits)
		data[*bits / 8] |= (unsigned char)((value & 1) << *bits % 8);
}

/* RFC 1951 section 3.2.6: a zero, then copies of 258 bytes from the one before, in 13 bits each. */
static size_t
write_bomb(unsigned char *data, size_t size, size_t copies)
{
	static const unsigned char magic[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	size_t bits = sizeof(magic) * 8;

	memset(data, 0, size);
	memcpy(data, magic, sizeof(magic));
	add_bits(data, &bits, 3, 3);    /* the last block, fixed codes */
	add_bits(data, &bits, 0x0c, 8); /* 00110000, highest bit first */
	for (; copies > 0 && bits / 8 + 4 < size; copies--)
		add_bits(data, &bits, 0xa3, 13); /* 11000101, then 00000 */
	return bits / 8;
}

static void
test_compressed_body(void **state)
{
	struct delivery_fixture *fixture = *state;
	char raw[4096];
	int head = snprintf(
		raw, sizeof(raw),
		"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n");

	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_LIBZ))
		return;
	fixture->server.raw = raw;
	fixture->server.raw_bytes =
		(size_t)head + write_bomb((unsigned char *)raw + head, 2000, 1000);
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1, .setup = ask_for_gzip));
	/* Less than 2,000 bytes of 100,000 have come: only what they decode to ends the attempt. */
	assert_int_equal(deliver(fixture, "/raw")->http_status, 500);
}

#define ANSWERS COUNT(answers)

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest others[] = {
		TEST(test_headers_up_to_the_limit),
		TEST(test_headers_past_the_limit),
		TEST(test_body_up_to_the_limit),
		TEST(test_body_past_the_limit),
		TEST(test_large_answers_on_one_connection),
		TEST(test_trailers_past_the_limit),
		TEST(test_compressed_body),
	};
	struct CMUnitTest tests[ANSWERS + COUNT(others)];

	for (size_t i = 0; i < ANSWERS; i++)
		tests[i] = (struct CMUnitTest){
			.name = answers[i].name,
			.test_func = test_answer,
			.setup_func = setup_answer,
			.teardown_func = delivery_fixture_teardown,
			.initial_state = (void *)&answers[i],
		};
	memcpy(tests + ANSWERS, others, sizeof(others));
	return cmocka_run_group_tests_name("delivery_answer", tests, NULL, NULL);
}
