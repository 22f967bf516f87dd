/*
 * The contract, part 2: the ways in which a request may arrive: sizes, chunks, pieces, several
 * requests on a connection. Malformed requests are in malformed.c.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define CHUNKED_HEAD HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* PROBE_DONE with white space after it, `bytes` in all. */
static char *
padded_event(size_t bytes)
{
	char *body = malloc(bytes + 1);

	assert_non_null(body);
	memset(body, ' ', bytes);
	memcpy(body, PROBE_DONE, strlen(PROBE_DONE));
	body[bytes] = '\0';
	return body;
}

/* Send a body in chunks of `chunk_bytes`, without the last one. */
static bool
send_chunks(struct http_client *client, const char *body, size_t chunk_bytes)
{
	size_t bytes = strlen(body);

	for (size_t at = 0; at < bytes; at += chunk_bytes) {
		char size[32];
		size_t piece = bytes - at < chunk_bytes ? bytes - at : chunk_bytes;

		snprintf(size, sizeof(size), "%zx\r\n", piece);
		if (!http_send_text(client, size) || !http_send(client, body + at, piece) ||
		    !http_send_text(client, "\r\n"))
			return false;
	}
	return true;
}

static void
declared_body_up_to_the_limit(void **state)
{
	struct probe probe;
	struct http_client client;
	char *fits = padded_event(PROBE_MAX_BODY_BYTES);
	char *too_large = padded_event(PROBE_MAX_BODY_BYTES + 1);

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(probe_post(&client, fits));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	probe_next(&probe, &client);
	assert_true(probe_post(&client, too_large));
	probe_assert_next(&client, 413, NULL);
	assert_int_equal(probe.function_count, 1);
	http_close(&client);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	free(too_large);
	free(fits);
}

static void
chunked_body_up_to_the_limit(void **state)
{
	static const size_t chunk_bytes[] = {100000, 1000, 7};

	char *fits = padded_event(PROBE_MAX_BODY_BYTES);
	char *too_large = padded_event(PROBE_MAX_BODY_BYTES + 1);
	for (size_t i = 0; i < HERALD_COUNT(chunk_bytes); i++) {
		struct probe probe;
		struct http_client client;

		probe_start(&probe, state, NULL);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, CHUNKED_HEAD));
		assert_true(send_chunks(&client, fits, chunk_bytes[i]));
		assert_true(http_send_text(&client, "0\r\n\r\n"));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		probe_next(&probe, &client);

		/* Whoever has refused it already need not read on. */
		bool sent = http_send_text(&client, CHUNKED_HEAD) &&
			    send_chunks(&client, too_large, chunk_bytes[i]) &&
			    http_send_text(&client, "0\r\n\r\n");
		assert_true(sent || probe.adapter->capabilities & CONTRACT_REFUSES_MID_BODY);
		probe_assert_next(&client, 413, NULL);
		assert_int_equal(probe.function_count, 1);
		http_close(&client);
		probe_stop(&probe);
	}
	free(too_large);
	free(fits);
}

/* The answer to a body that never ends does not wait for its end. */
static void
endless_chunked_body_is_413(void **state)
{
	struct probe probe;
	struct http_client client;

	char *too_large = padded_event(PROBE_MAX_BODY_BYTES + 1);
	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, CHUNKED_HEAD));
	send_chunks(&client, too_large, 1000); /* The end of it may find the connection closed. */
	probe_assert_next(&client, 413, NULL);
	http_close(&client);
	probe_stop(&probe);
	free(too_large);
}

static void
chunk_extensions_and_trailers(void **state)
{
	struct probe probe;
	struct http_client client;
	char size[32];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(size, sizeof(size), "%zX;name=value\r\n", strlen(PROBE_DONE));
	for (int i = 0; i < 2; i++) {
		assert_true(http_send_text(&client, CHUNKED_HEAD));
		assert_true(http_send_text(&client, size));
		assert_true(http_send_text(&client, PROBE_DONE "\r\n"));
		assert_true(http_send_text(&client, "0\r\nX-Sum: 1\r\n\r\n"));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		probe_next(&probe, &client);
	}
	http_close(&client);
	probe_stop(&probe);
}

static void
keep_alive(void **state)
{
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (int i = 0; i < 20; i++) {
		assert_true(probe_post(&client, PROBE_DONE));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		assert_true(probe_post(&client, PROBE_EVENT("taken", "")));
		probe_assert_next(&client, 409, NULL);
		if (!probe_reuses_refused(&probe))
			continue;
		assert_true(probe_post(&client, "nonsense"));
		probe_assert_next(&client, 400, NULL);
	}
	http_close(&client);
	assert_int_equal(probe.function_count, 40);
	probe_stop(&probe);
}

/* Neither length nor chunks: the body is empty (RFC 9112 section 6.3), and the next request
 * follows. */
static void
request_without_body(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;

	probe_start(&probe, state, NULL);
	for (int i = 0; i < 2; i++) {
		if (i == 0 || !probe_reuses_refused(&probe))
			probe_connect(&probe, &client);
		assert_true(http_send_text(&client, HEAD "\r\n"));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 400, NULL);
		assert_non_null(strstr(response.body, "\"path\":\"\",\"offset\":0}"));
		if (!probe_reuses_refused(&probe)) {
			http_close(&client);
			continue;
		}
		assert_true(probe_post(&client, PROBE_DONE));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	probe_stop(&probe);
}

static void
connection_lives_on_after_a_refused_body(void **state)
{
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (int i = 0; i < 3; i++) {
		assert_true(http_send_text(&client, "POST /event HTTP/1.1\r\nHost: test\r\n"
						    "Content-Type: text/plain\r\n"
						    "Content-Length: 5\r\n\r\nhello"));
		probe_assert_next(&client, 415, NULL);
		assert_true(http_send_text(&client, "POST /nowhere HTTP/1.1\r\nHost: test\r\n"
						    "Content-Length: 5\r\n\r\nhello"));
		probe_assert_next(&client, 404, NULL);
		assert_true(probe_post(&client, PROBE_DONE));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	probe_stop(&probe);
}

static void
client_asks_to_close(void **state)
{
	struct probe probe;
	struct http_client client;
	char request[1024];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(request, sizeof(request),
		 HEAD "Connection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(PROBE_DONE),
		 PROBE_DONE);
	assert_true(http_send_text(&client, request));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

static void
pipelined_requests(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
	} cases[] = {
		{PROBE_DONE, 200}, {PROBE_EVENT("fail", ""), 500},  {PROBE_EVENT("busy", ""), 503},
		{PROBE_DONE, 200}, {PROBE_EVENT("taken", ""), 409}, {"nonsense", 400},
		{PROBE_DONE, 200},
	};
	struct probe probe;
	struct http_client client;
	char requests[4096];
	size_t bytes = 0;
	size_t count = HERALD_COUNT(cases);

	probe_start(&probe, state, NULL);
	if (!probe_reuses_refused(&probe))
		count -= 3;
	for (size_t i = 0; i < count; i++)
		bytes += (size_t)snprintf(requests + bytes, sizeof(requests) - bytes,
					  HEAD "Content-Length: %zu\r\n\r\n%s",
					  strlen(cases[i].body), cases[i].body);
	probe_connect(&probe, &client);
	assert_true(http_send(&client, requests, bytes));
	for (size_t i = 0; i < count; i++)
		probe_assert_next(&client, cases[i].status, NULL);
	http_close(&client);
	probe_stop(&probe);
}

static void
one_byte_at_a_time(void **state)
{
	struct probe probe;
	struct http_client client;
	char request[1024];
	int bytes = snprintf(request, sizeof(request), HEAD "Content-Length: %zu\r\n\r\n%s",
			     strlen(PROBE_DONE), PROBE_DONE);

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (int i = 0; i < 2; i++) {
		assert_true(http_send_pieces(&client, request, (size_t)bytes, 1));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		probe_next(&probe, &client);
	}
	if (probe.adapter->capabilities & CONTRACT_CHUNKED) {
		assert_true(http_send_text(&client, CHUNKED_HEAD));
		assert_true(send_chunks(&client, PROBE_DONE, 1));
		assert_true(http_send_text(&client, "0\r\n\r\n"));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
	}
	http_close(&client);
	probe_stop(&probe);
}

static void
expect_100_continue(void **state)
{
	struct probe probe;
	struct http_client client;
	char head[256];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(head, sizeof(head), HEAD "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
		 strlen(PROBE_DONE));
	for (int i = 0; i < 2; i++) {
		assert_true(http_send_text(&client, head));
		probe_assert_next(&client, 100, NULL);
		assert_true(http_send_text(&client, PROBE_DONE));
		probe_assert_next(&client, 200, PROBE_SUCCESS);
		probe_next(&probe, &client);
	}
	http_close(&client);
	probe_stop(&probe);
}

/* A client of HTTP/1.0 does not know interim answers (RFC 9110 section 10.1.1). */
static void
expectation_of_http_1_0_is_ignored(void **state)
{
	struct probe probe;
	struct http_client client;
	char request[1024];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.0\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(PROBE_DONE), PROBE_DONE);
	assert_true(http_send_text(&client, request));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	probe_stop(&probe);
}

static void
expect_100_continue_is_refused_at_once(void **state)
{
	static const struct {
		const char *head;
		unsigned status;
	} cases[] = {
		{HEAD "Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n", 413},
		{HEAD "Expect: 100-continue\r\nContent-Length: 4097\r\n\r\n", 413},
		{HEAD "Expect: 100-continue \r\nContent-Length: 4097\r\n\r\n", 413},
		{"POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n"
		 "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
		 415},
		{"PUT /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
		 405},
		{"POST /nowhere HTTP/1.1\r\nHost: test\r\n"
		 "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
		 404},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, cases[i].head));
		probe_assert_next(&client, cases[i].status, NULL);
		http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* A client that waits for something else than 100 gets a final answer, and not nothing. */
static void
other_expectations_are_answered_at_once(void **state)
{
	static const char *const heads[] = {
		HEAD "Expect: more\r\nContent-Length: 10\r\n\r\n",
		HEAD "Expect: 100-continue, more\r\nContent-Length: 10\r\n\r\n",
		HEAD "Expect: more, 100-continue\r\nContent-Length: 10\r\n\r\n",
		HEAD "Expect: more\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(heads); i++) {
		struct http_client client;

		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, heads[i]));
		probe_assert_next(&client, 417, NULL);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* What is not waited for must not be read as the next request. */
static void
refused_body_is_no_request(void **state)
{
	static const char smuggled[] = HEAD "Content-Length: 0\r\n\r\n";
	struct probe probe;
	struct http_client client;
	struct http_response response;
	char request[1024];

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n"
		 "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(smuggled), smuggled);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, &response));
	if (response.status == 100)
		assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 415, NULL);
	/* Then nothing more, or the end, but no answer to what was the body. */
	if (probe_post(&client, PROBE_DONE) && http_receive(&client, true, &response))
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
}

/* Send a request of `method` whose body is `inner`, and one that is not found after it. Returns
 * once the answer to the latter is there, or the connection is closed. */
static void
exchange_with_body(const struct probe *probe, const char *method, const char *inner, bool chunked)
{
	struct http_client client;
	struct http_response response;
	char framing[64], request[2048];
	bool has_body = strcmp(method, "HEAD") != 0;

	if (chunked)
		snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			 strlen(inner));
	else
		snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n\r\n", strlen(inner));
	snprintf(request, sizeof(request),
		 "%s /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n%s%s%s"
		 "POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
		 method, framing, inner, chunked ? "\r\n0\r\n\r\n" : "");
	probe_connect(probe, &client);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, has_body, &response));
	probe_assert_answer(&response, strcmp(method, "OPTIONS") == 0 ? 204 : 405, NULL);
	while (http_receive(&client, true, &response) && response.status != 404)
		;
	http_close(&client);
}

/* Its body is never a request, whatever the framework makes of it. */
static void
body_of_a_refused_method_is_no_request(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"};
	struct probe probe;
	char inner[1024];

	snprintf(inner, sizeof(inner), HEAD "Content-Length: %zu\r\n\r\n%s", strlen(PROBE_DONE),
		 PROBE_DONE);
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(methods); i++) {
		exchange_with_body(&probe, methods[i], inner, false);
		if (probe.adapter->capabilities & CONTRACT_CHUNKED)
			exchange_with_body(&probe, methods[i], inner, true);
		assert_int_equal(probe.before_count, 0);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* The next answer's status; the client may have been left without one. */
static unsigned
status_of(const struct probe *probe, const char *request)
{
	struct http_client client;
	struct http_response response = {.status = 0};

	probe_connect(probe, &client);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, &response));
	http_close(&client);
	return response.status;
}

/* Names, types and codings have no case, also in a locale in which "I" and "i" are two letters. */
static void
upper_case_headers(void **state)
{
	struct probe probe;
	char request[1024];
	unsigned status;

	probe_start(&probe, state, NULL);
	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.1\r\nHOST: test\r\nCONTENT-TYPE: APPLICATION/JSON\r\n"
		 "CONTENT-LENGTH: %zu\r\n\r\n%s",
		 strlen(PROBE_DONE), PROBE_DONE);
	assert_int_equal(status_of(&probe, request), 200);
	assert_int_equal(probe.function_count, 1);

	/* With a length besides, there are two ways to read it. */
	snprintf(request, sizeof(request),
		 HEAD
		 "Content-Length: 5\r\nTRANSFER-ENCODING: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
		 strlen(PROBE_DONE), PROBE_DONE);
	status = status_of(&probe, request);
	if (probe.adapter->capabilities & CONTRACT_REFUSES_AMBIGUOUS) {
		assert_int_equal(status, 400);
		assert_int_equal(probe.function_count, 1);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* A coding that the framework does not see for its letters is refused, and its chunks are not a
 * request. */
static void
upper_case_encoding(void **state)
{
	struct probe probe;
	char request[1024];
	unsigned status;

	probe_start(&probe, state, NULL);
	snprintf(request, sizeof(request),
		 HEAD "TRANSFER-ENCODING: CHUNKED\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
		 strlen(PROBE_DONE), PROBE_DONE);
	status = status_of(&probe, request);
	assert_true(status == 200 || status == 400);
	assert_int_equal(probe.function_count, status == 200);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_framing[] = {
	CONTRACT_CASE(upper_case_headers, 0),
	CONTRACT_CASE(upper_case_encoding, CONTRACT_CHUNKED),
	CONTRACT_CASE(declared_body_up_to_the_limit, 0),
	CONTRACT_CASE(chunked_body_up_to_the_limit, CONTRACT_CHUNKED),
	CONTRACT_CASE(endless_chunked_body_is_413, CONTRACT_CHUNKED | CONTRACT_REFUSES_MID_BODY),
	CONTRACT_CASE(chunk_extensions_and_trailers, CONTRACT_CHUNKED | CONTRACT_CHUNK_GRAMMAR),
	CONTRACT_CASE(keep_alive, CONTRACT_KEEPS_ALIVE),
	CONTRACT_CASE(request_without_body, CONTRACT_SEES_HEADS),
	CONTRACT_CASE(connection_lives_on_after_a_refused_body,
		      CONTRACT_KEEPS_ALIVE | CONTRACT_REUSES_REFUSED),
	CONTRACT_CASE(client_asks_to_close, 0),
	CONTRACT_CASE(pipelined_requests, CONTRACT_KEEPS_ALIVE | CONTRACT_PIPELINES),
	CONTRACT_CASE(one_byte_at_a_time, 0),
	CONTRACT_CASE(expect_100_continue, CONTRACT_CONTINUES),
	CONTRACT_CASE(expectation_of_http_1_0_is_ignored, 0),
	CONTRACT_CASE(expect_100_continue_is_refused_at_once, CONTRACT_REFUSES_EARLY),
	CONTRACT_CASE(other_expectations_are_answered_at_once, CONTRACT_REFUSES_EARLY),
	CONTRACT_CASE(refused_body_is_no_request, 0),
	CONTRACT_CASE(body_of_a_refused_method_is_no_request, 0),
};
const size_t contract_http_framing_count = HERALD_COUNT(contract_http_framing);
