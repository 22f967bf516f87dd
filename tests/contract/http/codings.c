/*
 * The contract, part 9: bodies with a content coding. Without the option `content_codings` they are
 * refused; with it they are decoded, however they come in.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run_length.h"

#ifdef HAVE_ZLIB
#include <herald/zlib.h>

#include "support/compress.h"
#endif

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* Send a head with further headers, and a body with its length. */
static void
send_body(struct http_client *client, const char *headers, const char *body, size_t bytes)
{
	char head[1024];

	snprintf(head, sizeof(head), HEAD "%sContent-Length: %zu\r\n\r\n", headers, bytes);
	assert_true(http_send_text(client, head));
	assert_true(http_send(client, body, bytes));
}

static void
codings_are_415(void **state)
{
	static const struct {
		const char *headers;
		const char *error; /* NULL: the event is handled */
	} cases[] = {
		{"Content-Encoding: gzip\r\n", "identity, found gzip"},
		{"CONTENT-ENCODING: GZIP\r\n", "identity, found GZIP"},
		{"Content-Encoding: x-gzip\r\n", "identity, found x-gzip"},
		{"Content-Encoding: deflate\r\n", "identity, found deflate"},
		{"Content-Encoding: br\r\n", "identity, found br"},
		{"Content-Encoding: aes128gcm\r\n", "identity, found aes128gcm"},
		{"Content-Encoding: chunked\r\n", "identity, found chunked"},
		{"Content-Encoding: gzip, identity\r\n", "identity, found gzip, identity"},
		/* Some frameworks join them. */
		{"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "identity, found "},
		{"Content-Encoding: identity\r\n", NULL},
		{"Content-Encoding:\r\n", NULL},
		{"Accept-Encoding: gzip\r\n", NULL},
	};
	struct probe probe;
	struct http_client client;
	struct http_response response;
	char expected[128];

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_connect(&probe, &client);
		send_body(&client, cases[i].headers, PROBE_DONE, strlen(PROBE_DONE));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, cases[i].error ? 415 : 200, NULL);
		if (cases[i].error) {
			snprintf(expected, sizeof(expected), "expected Content-Encoding %s",
				 cases[i].error);
			assert_non_null(strstr(response.body, expected));
			assert_string_equal(http_header(&response, "Accept-Encoding"), "identity");
		} else {
			assert_null(http_header(&response, "Accept-Encoding"));
		}
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 3);
	probe_stop(&probe);
}

#define CODED "Content-Encoding: run-length\r\n"

static const struct herald_endpoint_options with_run_length = {
	.struct_size = sizeof(with_run_length),
	.max_body_bytes = PROBE_MAX_BODY_BYTES,
	.content_codings = run_length_only,
};

static void
assert_next_answer(struct http_client *client, unsigned status, const char *body)
{
	struct http_response response;

	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, status, body);
}

/* Make a connection ready for the next request, after a coded body. */
static void
next(const struct probe *probe, struct http_client *client)
{
	if (probe->adapter->capabilities & CONTRACT_REUSES_CODED) {
		probe_next(probe, client);
		return;
	}
	assert_true(http_wait_closed(client, PROBE_AT_ONCE_MS));
	http_close(client);
	probe_connect(probe, client);
}

static void
coded_bodies(void **state)
{
	static const struct {
		const char *headers, *body;
		unsigned status;
	} cases[] = {
		{CODED, "1a!", 400},
		{CODED, "1a1", 400},
		{"Content-Encoding: gzip\r\n", "", 415},
		{"", "1{1}", 400},
	};
	char coded[2 * sizeof(PROBE_DONE)];
	size_t bytes = run_length_encode(PROBE_DONE, coded);
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, &with_run_length);
	probe_connect(&probe, &client);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		send_body(&client, CODED, coded, bytes);
		assert_next_answer(&client, 200, PROBE_SUCCESS);
		next(&probe, &client);
		/* The next body is not decoded. */
		send_body(&client, "", PROBE_DONE, strlen(PROBE_DONE));
		assert_next_answer(&client, 200, PROBE_SUCCESS);
		probe_next(&probe, &client);
		send_body(&client, cases[i].headers, cases[i].body, strlen(cases[i].body));
		assert_next_answer(&client, cases[i].status, NULL);
		http_close(&client);
		probe_connect(&probe, &client);
	}
	http_close(&client);
	assert_int_equal(probe.function_count, 2 * HERALD_COUNT(cases));
	probe_stop(&probe);
}

/* Cut the bytes of a request at every place. */
static void
assert_every_split(const struct probe *probe, const char *request, size_t bytes)
{
	struct http_client client;

	probe_connect(probe, &client);
	for (size_t cut = 0; cut < bytes; cut++) {
		assert_true(http_send(&client, request, cut));
		assert_true(http_send(&client, request + cut, bytes - cut));
		assert_next_answer(&client, 200, PROBE_SUCCESS);
		next(probe, &client);
	}
	http_close(&client);
}

static void
coded_bodies_in_pieces(void **state)
{
	char coded[2 * sizeof(PROBE_DONE)], request[2048];
	size_t bytes = run_length_encode(PROBE_DONE, coded);
	struct probe probe;

	probe_start(&probe, state, &with_run_length);
	snprintf(request, sizeof(request), HEAD CODED "Content-Length: %zu\r\n\r\n%s", bytes,
		 coded);
	assert_every_split(&probe, request, strlen(request));
	probe_stop(&probe);
}

static void
coded_bodies_in_chunks(void **state)
{
	char coded[2 * sizeof(PROBE_DONE)], request[2048];
	size_t bytes = run_length_encode(PROBE_DONE, coded);
	struct probe probe;

	probe_start(&probe, state, &with_run_length);
	snprintf(request, sizeof(request),
		 HEAD CODED "Transfer-Encoding: chunked\r\n\r\n7\r\n%.7s\r\n%zx\r\n%s\r\n0\r\n\r\n",
		 coded, bytes - 7, coded + 7);
	assert_every_split(&probe, request, strlen(request));
	probe_stop(&probe);
}

/* The limit counts what comes out. */
static void
coded_bodies_up_to_the_limit(void **state)
{
	char coded[PROBE_MAX_BODY_BYTES];
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, &with_run_length);
	for (size_t excess = 0; excess <= 1; excess++) {
		size_t bytes = run_length_encode(PROBE_DONE, coded);
		size_t left = PROBE_MAX_BODY_BYTES - strlen(PROBE_DONE) + excess;

		for (; left > 0; left -= left < 9 ? left : 9)
			bytes += (size_t)snprintf(coded + bytes, sizeof(coded) - bytes, "%zu ",
						  left < 9 ? left : 9);
		probe_connect(&probe, &client);
		send_body(&client, CODED, coded, bytes);
		assert_next_answer(&client, excess ? 413 : 200, NULL);
		http_close(&client);
	}
	assert_int_equal(probe.function_count, 1);
	probe_stop(&probe);
}

/* With zlib. */

#ifdef HAVE_ZLIB
static void
start_with_zlib(struct probe *probe, void **state)
{
	probe_start(probe, state,
		    &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES,
					     .content_codings = herald_zlib_codings()));
}

/* One request for an event. */
struct coded_request {
	char text[2048];
	size_t bytes;
};

static void
add(struct coded_request *request, const char *data, size_t bytes)
{
	assert_true(bytes <= sizeof(request->text) - request->bytes);
	memcpy(request->text + request->bytes, data, bytes);
	request->bytes += bytes;
}

static void
add_text(struct coded_request *request, const char *text)
{
	add(request, text, strlen(text));
}

static struct coded_request
compressed_request(const char *coding, int format, bool chunked)
{
	struct coded_request request = {.bytes = 0};
	char line[64];
	size_t bytes;
	char *body = compress_body(format, 9, PROBE_DONE, strlen(PROBE_DONE), &bytes);

	add_text(&request, HEAD "Content-Encoding: ");
	add_text(&request, coding);
	snprintf(line, sizeof(line),
		 chunked ? "\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n"
			 : "\r\nContent-Length: %u\r\n\r\n",
		 chunked ? 9 : (unsigned)bytes);
	add_text(&request, line);
	if (chunked) {
		add(&request, body, 9);
		snprintf(line, sizeof(line), "\r\n%zx\r\n", bytes - 9);
		add_text(&request, line);
	}
	add(&request, body + (chunked ? 9 : 0), bytes - (chunked ? 9 : 0));
	if (chunked)
		add_text(&request, "\r\n0\r\n\r\n");
	free(body);
	return request;
}

static void
compressed_bodies_in_pieces(void **state)
{
	struct probe probe;
	struct coded_request gzip = compressed_request("gzip", COMPRESS_GZIP, false);
	struct coded_request deflated = compressed_request("deflate", COMPRESS_DEFLATE, false);

	start_with_zlib(&probe, state);
	assert_every_split(&probe, gzip.text, gzip.bytes);
	assert_every_split(&probe, deflated.text, deflated.bytes);
	assert_int_equal(probe.function_count, gzip.bytes + deflated.bytes);
	probe_stop(&probe);
}

static void
compressed_bodies_in_chunks(void **state)
{
	struct probe probe;
	struct coded_request request = compressed_request("x-gzip", COMPRESS_GZIP, true);

	start_with_zlib(&probe, state);
	assert_every_split(&probe, request.text, request.bytes);
	assert_int_equal(probe.function_count, request.bytes);
	probe_stop(&probe);
}

/* Corrupt, expanding to a hundred times the limit, and with a coding that zlib does not have. */
static void
compressed_bodies_are_refused(void **state)
{
	static char blanks[100 * PROBE_MAX_BODY_BYTES];
	struct probe probe;
	struct http_client client;
	struct http_response response;
	size_t bytes;

	memset(blanks, ' ', sizeof(blanks));
	char *bomb = compress_body(COMPRESS_GZIP, 9, blanks, sizeof(blanks), &bytes);
	const struct {
		const char *headers, *body;
		size_t bytes;
		unsigned status;
		const char *error;
	} cases[] = {
		{"Content-Encoding: gzip\r\n", bomb, bytes, 413, "the body is larger than 4096"},
		{"Content-Encoding: gzip\r\n", bomb, 20, 400, "it ends too early, at byte 20"},
		{"Content-Encoding: gzip\r\n", "junk", 4, 400, "incorrect header check"},
		{"Content-Encoding: deflate\r\n", bomb, bytes, 400, "incorrect header check"},
		{"Content-Encoding: gzip\r\n", "", 0, 400, "it ends too early, at byte 0"},
		{"Content-Encoding: br\r\n", "junk", 4, 415,
		 "expected Content-Encoding gzip, deflate, found br"},
	};

	start_with_zlib(&probe, state);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_connect(&probe, &client);
		send_body(&client, cases[i].headers, cases[i].body, cases[i].bytes);
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, cases[i].status, NULL);
		if (!strstr(response.body, cases[i].error))
			fail_msg("%s", response.body);
		if (cases[i].status == 415)
			assert_string_equal(http_header(&response, "Accept-Encoding"),
					    "gzip, deflate");
		http_close(&client);
	}
	assert_int_equal(probe.before_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	free(bomb);
}
#endif

const struct contract_http_case contract_http_codings[] = {
	CONTRACT_CASE(codings_are_415, 0),
	CONTRACT_CASE(coded_bodies, 0),
	CONTRACT_CASE(coded_bodies_in_pieces, 0),
	CONTRACT_CASE(coded_bodies_in_chunks, CONTRACT_CHUNKED),
	CONTRACT_CASE(coded_bodies_up_to_the_limit, 0),
#ifdef HAVE_ZLIB
	CONTRACT_CASE(compressed_bodies_in_pieces, 0),
	CONTRACT_CASE(compressed_bodies_in_chunks, CONTRACT_CHUNKED),
	CONTRACT_CASE(compressed_bodies_are_refused, 0),
#endif
};
const size_t contract_http_codings_count = HERALD_COUNT(contract_http_codings);
