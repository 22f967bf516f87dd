/*
 * The answers of receivers, and attempts without an answer: connections that end at the worst
 * moments, interim answers, chunks and their extensions, trailers, endless answers, and each limit
 * at its bounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#include "probe.h"

#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define EMPTY "Content-Length: 0\r\n\r\n"
#define SIXTEEN "0123456789abcdef"
#define LONG SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

/* How an attempt should have ended. */
struct expected {
	unsigned http_status;
	const char *retry_after;
	bool may_retry;    /* without a status */
	const char *error; /* a part of it; without a status */
};

static void
check_result(const char *name, const struct herald_attempt_result *result,
	     const struct expected *expected)
{
	if (result->http_status != expected->http_status ||
	    strcmp(result->retry_after, expected->retry_after) != 0)
		fail_msg("%s: %u, Retry-After \"%s\": %s", name, result->http_status,
			 result->retry_after, result->error);
	if (expected->http_status == 0 &&
	    (result->may_retry != expected->may_retry || !strstr(result->error, expected->error)))
		fail_msg("%s: may retry %d: %s", name, result->may_retry, result->error);
}

#define STATUS(CODE)                                                                               \
	{                                                                                          \
		CODE, "", false, ""                                                                \
	}
#define ASKS(CODE, RETRY_AFTER)                                                                    \
	{                                                                                          \
		CODE, RETRY_AFTER, false, ""                                                       \
	}
#define FAILS(MAY_RETRY, ERROR)                                                                    \
	{                                                                                          \
		0, "", MAY_RETRY, ERROR                                                            \
	}

/* Words of the misbehaving server. */
static void
receivers_that_misbehave(struct probe *probe)
{
	static const struct {
		const char *url;
		struct expected expected;
	} rows[] = {
		{"/close", FAILS(true, "closed before an answer")},
		{"/reset", FAILS(true, "the connection failed")},
		{"/half", FAILS(true, "the answer was cut off")},
		{"/cut", FAILS(true, "the answer was cut off")},
		{"/endless", STATUS(200)},
		{"/headers", FAILS(false, "headers")},
		{"/header", FAILS(false, "headers of more than")},
		{"/status", FAILS(false, "headers of more than")},
		{"/garbage", FAILS(false, "")},
	};

	probe_serve(probe);
	probe_open(probe, NULL, 2);
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		check_result(rows[i].url, probe_fetch(probe, rows[i].url), &rows[i].expected);
		/* None of it harms the next attempt. */
		assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	}
}

/* An answer that does not arrive is not reported, however long it takes. */
static void
answers_that_do_not_come(struct probe *probe)
{
	static const char *const urls[] = {"/silent", "/drip"};

	probe_serve(probe);
	probe_open(probe, NULL, 2);
	for (size_t i = 0; i < HERALD_COUNT(urls); i++) {
		size_t number = probe_begin(probe, probe_get(probe, urls[i]));

		while (misbehaving_server_requests(&probe->server) < 2 * i + 1)
			assert_int_equal(probe_wait(probe, 1), 0);
		for (unsigned wait = 0; wait < 20; wait++)
			assert_int_equal(probe_wait(probe, 1), 0);
		probe_cancel(probe, number);
		assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	}
}

static const struct {
	const char *name;
	const char *raw;
	const char *repeated; /* without end */
	struct expected expected;
} answers[] = {
	/* Retry-After counts in the final answer's head, and nowhere else. */
	{"in a head", "HTTP/1.1 503 No\r\nRetry-After: 7\r\n" EMPTY, NULL, ASKS(503, "7")},
	{"in a trailer", "HTTP/1.1 503 No\r\n" CHUNKED "\r\n2\r\nno\r\n0\r\nRetry-After: 7\r\n\r\n",
	 NULL, STATUS(503)},
	{"in a trailer of an empty body",
	 "HTTP/1.1 503 No\r\n" CHUNKED "\r\n0\r\nretry-after: 7\r\n\r\n", NULL, STATUS(503)},
	{"in head and trailer",
	 "HTTP/1.1 429 No\r\nRetry-After: 5\r\n" CHUNKED "\r\n0\r\nRetry-After: 9\r\n\r\n", NULL,
	 ASKS(429, "5")},
	{"in an interim answer",
	 "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\nHTTP/1.1 503 No\r\n" EMPTY, NULL,
	 STATUS(503)},
	{"as a longer name", "HTTP/1.1 503 No\r\nRetry-After-All: 7\r\n" EMPTY, NULL, STATUS(503)},
	{"a redirect in a trailer",
	 "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\nLocation: /other\r\n\r\n", NULL, STATUS(200)},

	/* Interim answers are not the answer. */
	{"100, then 204", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", NULL,
	 STATUS(204)},
	{"102 and 103, then 404",
	 "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	 "HTTP/1.1 404 No\r\n" EMPTY,
	 NULL, STATUS(404)},
	{"an interim answer that is unknown",
	 "HTTP/1.1 199 What\r\nRetry-After: 1\r\n\r\nHTTP/1.1 500 No\r\n" EMPTY, NULL, STATUS(500)},

	/* Without end: bounded in bytes. */
	{"interim answers", "HTTP/1.1 100 Continue\r\n\r\n",
	 "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
	 FAILS(false, "headers of more than 65536 bytes")},
	{"an extension of a chunk", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n2", ";a=" LONG, STATUS(200)},
	{"extensions of chunks", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", "1;" LONG LONG "\r\nx\r\n",
	 STATUS(200)},
	{"an extension after 503", "HTTP/1.1 503 No\r\nRetry-After: 7\r\n" CHUNKED "\r\n2",
	 ";a=" LONG, ASKS(503, "7")},
	{"an extension after 404", "HTTP/1.1 404 No\r\n" CHUNKED "\r\n2", ";a=" LONG, STATUS(404)},
	{"trailers", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\n", "X-Trailer: " LONG "\r\n",
	 STATUS(200)},
	{"headers", "HTTP/1.1 200 OK\r\n", "X-Header: " LONG "\r\n",
	 FAILS(false, "headers of more than 65536 bytes")},
	{"a body", "HTTP/1.1 500 No\r\n\r\n", LONG LONG LONG LONG, STATUS(500)},
	{"chunks of one byte", "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", "1\r\nx\r\n", STATUS(200)},
};

static void
answers_byte_by_byte(struct probe *probe)
{
	for (size_t i = 0; i < HERALD_COUNT(answers); i++) {
		probe_serve_raw(probe, answers[i].raw, answers[i].repeated);
		probe_open(probe, NULL, 1);
		check_result(answers[i].name, probe_fetch(probe, "/raw"), &answers[i].expected);
		assert_int_equal(misbehaving_server_requests(&probe->server), 1);
		probe_close(probe);
	}
}

/* Limits at their ends. */

#define HEAD "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
#define HEAD_BYTES (sizeof(HEAD) - 1)
#define TRAILERS "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n0\r\nX-Trailer: 1\r\n\r\n"

/* Whether a limit is kept: then the connection serves the second attempt too. */
static void
limits_at_their_ends(struct probe *probe)
{
	static const struct {
		const char *name, *raw;
		struct contract_transport_options options;
		struct expected expected;
		size_t connections;
	} rows[] = {
		{"headers up to the limit",
		 HEAD "yes",
		 {.max_header_bytes = HEAD_BYTES},
		 STATUS(200),
		 1},
		{"headers past the limit",
		 HEAD "yes",
		 {.max_header_bytes = HEAD_BYTES - 1},
		 FAILS(false, "headers of more than 62 bytes"),
		 2},
		{"a body up to the limit", HEAD "yes", {.max_body_bytes = 3}, STATUS(200), 1},
		{"a body past the limit", HEAD "yes", {.max_body_bytes = 2}, STATUS(200), 2},
		/* They are counted with the headers, but do not change the answer. */
		{"trailers past the limit",
		 TRAILERS,
		 {.max_header_bytes = 17 + 28 + 2 + 10},
		 STATUS(200),
		 2},
	};

	_Static_assert(HEAD_BYTES == 63, "the text of the limit");
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		probe_serve_raw(probe, rows[i].raw, NULL);
		probe_open(probe, &rows[i].options, 1);
		for (unsigned j = 0; j < 2; j++)
			check_result(rows[i].name, probe_fetch(probe, "/raw"), &rows[i].expected);
		if (misbehaving_server_connections(&probe->server) != rows[i].connections)
			fail_msg("%s: %zu connections", rows[i].name,
				 misbehaving_server_connections(&probe->server));
		probe_close(probe);
	}
}

/* What came before on the connection does not count. */
static void
large_answers_on_one_connection(struct probe *probe)
{
	enum { BODY = 3000000 };
	const struct contract_transport_options options = {.max_body_bytes = BODY,
							   .max_bytes = BODY + 100};
	static char raw[BODY + 100]; /* The server reads it until it is stopped. */
	int head = sprintf(raw, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);

	memset(raw + head, 'x', BODY);
	probe->server.raw_bytes = (size_t)head + BODY;
	probe_serve_raw(probe, raw, NULL);
	probe_open(probe, &options, 1);
	for (unsigned i = 0; i < 5; i++) {
		const struct herald_attempt_result *result = probe_fetch(probe, "/raw");

		assert_int_equal(result->http_status, 200);
		assert_int_equal(result->answer_bytes, head + BODY);
	}
	assert_int_equal(misbehaving_server_connections(&probe->server), 1);
}

const struct contract_transport_case contract_transport_answers[] = {
	CONTRACT_CASE(receivers_that_misbehave, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(answers_that_do_not_come, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(answers_byte_by_byte, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(limits_at_their_ends, CONTRACT_TRANSPORT_NETWORK | CONTRACT_TRANSPORT_LIMITS |
						    CONTRACT_TRANSPORT_KEEPS),
	CONTRACT_CASE(large_answers_on_one_connection, CONTRACT_TRANSPORT_NETWORK |
							       CONTRACT_TRANSPORT_LIMITS |
							       CONTRACT_TRANSPORT_KEEPS),
};
const size_t contract_transport_answers_count = HERALD_COUNT(contract_transport_answers);
