/*
 * The contract, part 4: requests that are malformed, or that two readers could read differently. With
 * each of them a request could be smuggled past a proxy.
 */
#include "http_probe.h"

#include <stdio.h>
#include <string.h>

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define CHUNKED_HEAD HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* What a request that is malformed itself may be answered with: bad, of a length that is none, in an
 * encoding that is not known (RFC 9112 section 6), or, as libevent says of chunks, too large. */
static bool
is_refusal(unsigned status)
{
	return status == 400 || status == 411 || status == 413 || status == 501;
}

/* That, or the connection closed: which of them is the framework's choice. */
static void
assert_refused(const struct probe *probe, const char *request)
{
	struct http_client client;
	struct http_response response;

	probe_connect(probe, &client);
	assert_true(http_send_text(&client, request));
	if (http_receive(&client, true, &response) && !is_refusal(response.status))
		probe_assert_answer(&response, 400, NULL);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
}

/* Read as it is meant, or refused: which of them is the framework's choice. */
static void
assert_done_or_refused(const struct probe *probe, const char *request)
{
	struct http_client client;
	struct http_response response;

	probe_connect(probe, &client);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, &response));
	if (!is_refusal(response.status))
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
}

static void
malformed_chunks(void **state)
{
	static const char *const requests[] = {
		CHUNKED_HEAD "nonsense\r\n" PROBE_DONE "\r\n0\r\n\r\n",
		CHUNKED_HEAD "-5\r\n" PROBE_DONE "\r\n0\r\n\r\n",
		CHUNKED_HEAD "\r\n\r\n",
		CHUNKED_HEAD "5\r\n" PROBE_DONE "\r\n0\r\n\r\n",
		CHUNKED_HEAD "0x5\r\n{\"a\":\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++)
		assert_refused(&probe, requests[i]);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
ambiguous_bodies(void **state)
{
	static const char *const requests[] = {
		HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
		HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{\"a\":1}",
		HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		HEAD "Transfer-Encoding: gzip\r\n\r\n{}",
		HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++)
		assert_refused(&probe, requests[i]);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* HTTP/1.0 has no Transfer-Encoding, so that a reader of that time sees two requests here (RFC 9112
 * section 6.1). */
static void
chunks_of_http_1_0(void **state)
{
	struct probe probe;
	char request[1024];

	snprintf(request, sizeof(request),
		 "POST /event HTTP/1.0\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "%zx\r\n%s\r\n0\r\n\r\n",
		 strlen(PROBE_DONE), PROBE_DONE);
	probe_start(&probe, state, NULL);
	assert_refused(&probe, request);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* Of several, some frameworks take the first and others the last: none may be taken. */
static void
several_content_types(void **state)
{
	static const char *const types[] = {
		"Content-Type: application/json\r\nContent-Type: text/plain\r\n",
		"Content-Type: text/plain\r\nContent-Type: application/json\r\n",
		"Content-Type: application/json\r\ncontent-type: application/json\r\n",
		"Content-Type: application/json; a=b\r\nContent-Type: application/json\r\n",
		"Content-Type:\r\nContent-Type: application/json\r\n",
		"Content-Type: application/json; a=b, text/plain\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(types); i++) {
		struct http_client client;
		struct http_response response;
		char request[1024];

		snprintf(request, sizeof(request),
			 "POST /event HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
			 types[i], strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 400, NULL);
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
malformed_lengths(void **state)
{
	static const char *const requests[] = {
		HEAD "Content-Length: many\r\n\r\n" PROBE_DONE,
		HEAD "Content-Length: -1\r\n\r\n" PROBE_DONE,
		HEAD "Content-Length: 5 6\r\n\r\n" PROBE_DONE,
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++)
		assert_refused(&probe, requests[i]);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* A length for some readers, another header for others: refused (RFC 9112 section 5.1). */
static void
blanks_before_the_colon(void **state)
{
	static const char *const requests[] = {
		HEAD "Content-Length : 5\r\n\r\n{\"a\":",
		HEAD "Content-Length\t: 5\r\n\r\n{\"a\":",
		HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++)
		assert_refused(&probe, requests[i]);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* No tokens (RFC 9110 section 5.1), and what some readers make of them is a length. */
static void
names_that_are_none(void **state)
{
	static const char *const names[] = {
		"Transfer-Encoding\v",   "Transfer-Encoding\f", "Transfer-Encoding\xc2\xa0",
		"Transfer-Encoding\x7f", "\vTransfer-Encoding", "(Transfer-Encoding)",
		"Transfer-Encoding;",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		char request[1024];

		snprintf(request, sizeof(request),
			 HEAD "Content-Length: %zu\r\n%s: chunked\r\n\r\n%s", strlen(PROBE_DONE),
			 names[i], PROBE_DONE);
		assert_refused(&probe, request);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* They are not part of the value (RFC 9110 section 5.5), but not all frameworks know that. */
static void
blanks_after_values(void **state)
{
	static const char *const requests[] = {
		HEAD "Content-Length: %1$zu  \r\n\r\n%2$s",
		HEAD "Content-Length: %1$zu\t\r\n\r\n%2$s",
		HEAD "Transfer-Encoding: chunked \r\n\r\n%1$zx\r\n%2$s\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\t\r\n\r\n%1$zx\r\n%2$s\r\n0\r\n\r\n",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		char request[1024];

		snprintf(request, sizeof(request), requests[i], strlen(PROBE_DONE), PROBE_DONE);
		assert_done_or_refused(&probe, request);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_malformed[] = {
	CONTRACT_CASE(malformed_chunks, CONTRACT_CHUNKED | CONTRACT_CHUNK_GRAMMAR),
	CONTRACT_CASE(ambiguous_bodies, CONTRACT_REFUSES_AMBIGUOUS),
	CONTRACT_CASE(chunks_of_http_1_0, 0),
	CONTRACT_CASE(several_content_types, 0),
	CONTRACT_CASE(malformed_lengths, 0),
	CONTRACT_CASE(blanks_before_the_colon, CONTRACT_REFUSES_BLANKS),
	CONTRACT_CASE(names_that_are_none, CONTRACT_REFUSES_NAMES),
	CONTRACT_CASE(blanks_after_values, CONTRACT_CHUNKED | CONTRACT_REFUSES_AMBIGUOUS),
};
const size_t contract_http_malformed_count = HERALD_COUNT(contract_http_malformed);
