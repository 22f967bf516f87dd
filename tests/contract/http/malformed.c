/*
 * The contract, part 4: requests that are malformed or ambiguous. With each of them, a request
 * could be smuggled past a proxy.
 */
#include "probe.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define CHUNKED_HEAD HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* A name that is NULL: of which no adapter deviates. */
struct malformed {
	const char *name, *text;
};

static const struct malformed chunks[] = {
	{"bad_chunk_size_text", CHUNKED_HEAD "nonsense\r\n" PROBE_DONE "\r\n0\r\n\r\n"},
	{"bad_chunk_size_minus", CHUNKED_HEAD "-5\r\n" PROBE_DONE "\r\n0\r\n\r\n"},
	{"bad_chunk_size_empty", CHUNKED_HEAD "\r\n\r\n"},
	{"bad_chunk_data_longer", CHUNKED_HEAD "5\r\n" PROBE_DONE "\r\n0\r\n\r\n"},
	{"bad_chunk_size_0x", CHUNKED_HEAD "0x5\r\n{\"a\":\r\n0\r\n\r\n"},
};

static const struct malformed ambiguous[] = {
	{NULL, HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{NULL, HEAD "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"},
	{NULL, HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{\"a\":1}"},
	{NULL, HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"},
	{NULL, HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"unknown_coding_gzip", HEAD "Transfer-Encoding: gzip\r\n\r\n{}"},
	{"unknown_coding_before_chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
	{"unknown_coding_vt", HEAD "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
};

static const struct malformed lengths[] = {
	{"bad_length_text", HEAD "Content-Length: many\r\n\r\n" PROBE_DONE},
	{"bad_length_minus", HEAD "Content-Length: -1\r\n\r\n" PROBE_DONE},
	{NULL, HEAD "Content-Length: 5 6\r\n\r\n" PROBE_DONE},
};

/* A length for some readers, another header for others (RFC 9112 section 5.1). */
static const struct malformed blanks_in_names[] = {
	{NULL, HEAD "Content-Length : 5\r\n\r\n{\"a\":"},
	{NULL, HEAD "Content-Length\t: 5\r\n\r\n{\"a\":"},
	{NULL, HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
};

/* Formats of the body's length and the body. */
static const struct malformed blanks_behind_values[] = {
	{NULL, HEAD "Content-Length: %1$zu  \r\n\r\n%2$s"},
	{NULL, HEAD "Content-Length: %1$zu\t\r\n\r\n%2$s"},
	{NULL, HEAD "Transfer-Encoding: chunked \r\n\r\n%1$zx\r\n%2$s\r\n0\r\n\r\n"},
	{"tab_after_chunked",
	 HEAD "Transfer-Encoding: chunked\t\r\n\r\n%1$zx\r\n%2$s\r\n0\r\n\r\n"},
};

static const struct {
	const struct malformed *requests;
	size_t count;
} groups[] = {
	{chunks, HERALD_COUNT(chunks)},
	{ambiguous, HERALD_COUNT(ambiguous)},
	{lengths, HERALD_COUNT(lengths)},
	{blanks_in_names, HERALD_COUNT(blanks_in_names)},
	{blanks_behind_values, HERALD_COUNT(blanks_behind_values)},
};

/* 400, unless the adapter declares another. */
static unsigned
wanted_refusal(const struct contract_http_adapter *adapter, const char *name)
{
	for (size_t i = 0; i < adapter->refusals_count; i++)
		if (name && fnmatch(adapter->refusals[i].name, name, 0) == 0)
			return adapter->refusals[i].status;
	return 400;
}

/* Send a request and receive the answer. */
static void
exchange(const struct probe *probe, const char *text, struct http_client *client,
	 struct http_response *out)
{
	probe_connect(probe, client);
	/* It may be refused before its end. */
	(void)!http_send_text(client, text);
	if (!http_receive(client, true, out))
		fail_msg("no answer to: %s", text);
}

static void
assert_refused(const struct probe *probe, const char *name, const char *text)
{
	struct http_client client;
	struct http_response response;

	exchange(probe, text, &client, &response);
	if (response.status != wanted_refusal(probe->adapter, name))
		print_error("%s\n", text);
	probe_assert_answer(&response, wanted_refusal(probe->adapter, name), NULL);
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
}

static void
assert_all_refused(void **state, const struct malformed *requests, size_t count)
{
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < count; i++)
		assert_refused(&probe, requests[i].name, requests[i].text);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* Read as it is meant, or refused: which of them is the framework's choice. */
static void
assert_done_or_refused(const struct probe *probe, const char *name, const char *text)
{
	unsigned refusal = wanted_refusal(probe->adapter, name);
	struct http_client client;
	struct http_response response;

	exchange(probe, text, &client, &response);
	if (response.status != 200 || refusal != 400)
		probe_assert_answer(&response, refusal, NULL);
	else
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
}

static void
malformed_chunks(void **state)
{
	assert_all_refused(state, chunks, HERALD_COUNT(chunks));
}

static void
ambiguous_bodies(void **state)
{
	assert_all_refused(state, ambiguous, HERALD_COUNT(ambiguous));
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
	assert_refused(&probe, NULL, request);
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* If there are several, some frameworks use the first one and others the last one: the request is
 * refused. */
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
		char request[1024];

		snprintf(request, sizeof(request),
			 "POST /event HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
			 types[i], strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, 400, NULL);
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
malformed_lengths(void **state)
{
	assert_all_refused(state, lengths, HERALD_COUNT(lengths));
}

static void
blanks_before_the_colon(void **state)
{
	assert_all_refused(state, blanks_in_names, HERALD_COUNT(blanks_in_names));
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
		assert_refused(&probe, NULL, request);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* They are not part of the value (RFC 9110 section 5.5), but not all frameworks know that. */
static void
blanks_after_values(void **state)
{
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(blanks_behind_values); i++) {
		char request[1024];

		snprintf(request, sizeof(request), blanks_behind_values[i].text, strlen(PROBE_DONE),
			 PROBE_DONE);
		assert_done_or_refused(&probe, blanks_behind_values[i].name, request);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* Frameworks have joined folded lines to such names. */
static void
names_that_go_on(void **state)
{
	static const char *const names[] = {"Content-LengthX", "CONTENT-LENGTH-X",
					    "Transfer-Encoding-Hint", "transfer-encodings"};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		struct http_client client;
		struct http_response response;
		char request[1024];

		snprintf(request, sizeof(request), HEAD "Content-Length: %zu\r\n%s: 5\r\n\r\n%s",
			 strlen(PROBE_DONE), names[i], PROBE_DONE);
		if (probe.adapter->capabilities & CONTRACT_REFUSES_LONGER_NAMES) {
			assert_refused(&probe, NULL, request);
			continue;
		}
		exchange(&probe, request, &client, &response);
		probe_assert_answer(&response, 200, PROBE_SUCCESS);
		http_close(&client);
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* Where the framework may have dropped the length, what follows may be the body. */
static void
bodies_that_may_be_hidden(void **state)
{
	static const struct {
		const char *method;
		unsigned status;
	} cases[] = {
		{"POST", 400}, {"PUT", 405}, {"DELETE", 405}, {"PATCH", 405}, {"OPTIONS", 204},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		struct http_response response;
		char request[256];

		snprintf(request, sizeof(request),
			 "%s /event HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n\r\n",
			 cases[i].method);
		exchange(&probe, request, &client, &response);
		probe_assert_answer(&response, cases[i].status, NULL);
		if (!(probe.adapter->capabilities & CONTRACT_SEES_HEADS))
			assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static bool
is_of_a_request(const struct contract_http_refusal *refusal)
{
	for (size_t i = 0; i < HERALD_COUNT(groups); i++)
		for (size_t j = 0; j < groups[i].count; j++)
			if (groups[i].requests[j].name &&
			    fnmatch(refusal->name, groups[i].requests[j].name, 0) == 0)
				return true;
	return false;
}

static void
declared_refusals(void **state)
{
	const struct contract_http_adapter *adapter = *state;

	for (size_t i = 0; i < adapter->refusals_count; i++) {
		if (!is_of_a_request(&adapter->refusals[i]))
			fail_msg("there is no request %s", adapter->refusals[i].name);
		assert_true(contract_http_is_documented(adapter->refusals[i].name));
	}
}

const struct contract_http_case contract_http_malformed[] = {
	CONTRACT_CASE(declared_refusals, 0),
	CONTRACT_CASE(malformed_chunks, CONTRACT_CHUNKED | CONTRACT_CHUNK_GRAMMAR),
	CONTRACT_CASE(ambiguous_bodies, CONTRACT_REFUSES_AMBIGUOUS),
	CONTRACT_CASE(chunks_of_http_1_0, 0),
	CONTRACT_CASE(several_content_types, 0),
	CONTRACT_CASE(malformed_lengths, 0),
	CONTRACT_CASE(blanks_before_the_colon, CONTRACT_REFUSES_BLANKS),
	CONTRACT_CASE(names_that_are_none, CONTRACT_REFUSES_NAMES),
	CONTRACT_CASE(names_that_go_on, 0),
	CONTRACT_CASE(bodies_that_may_be_hidden, 0),
	CONTRACT_CASE(blanks_after_values, CONTRACT_CHUNKED | CONTRACT_REFUSES_AMBIGUOUS),
};
const size_t contract_http_malformed_count = HERALD_COUNT(contract_http_malformed);
