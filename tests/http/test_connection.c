/*
 * Connections without sockets: the answers to every kind of request, however its bytes are split,
 * and wherever the client closes its side. The wire (support/wire.h) checks after each step what
 * herald/adapter/connection.h promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/http/raw_case.h"
#include "http/connection_fixture.h"
#include "support/draw.h"

/* Exchanges: requests that are sent in one piece, and the answers. */

enum then { STAYS, WAITS, CLOSES };

#define EXPECTATION                                                                                \
	"the server meets no expectation other than 100-continue (RFC 9110 section 10.1.1)"

struct exchange {
	const char *sent, *given, *answers;
	enum then then; /* idle; within a request; no request is read any more */
};

static const struct exchange exchanges[] = {
	/* Events. */
	{DONE, GIVEN, SUCCESS, STAYS},
	{DONE DONE DONE, GIVEN GIVEN GIVEN, SUCCESS SUCCESS SUCCESS, STAYS},
	{"\r\n" DONE "\r\n" DONE "\r\n", GIVEN GIVEN, SUCCESS SUCCESS, STAYS},
	{LAST DONE, GIVEN, "200 {\"status\":\"success\"} close\n", CLOSES},
	{DONE_10 "\r\n" EVENT DONE, GIVEN, "200 {\"status\":\"success\"} close\n", CLOSES},
	{DONE_10 "Connection: keep-alive\r\n\r\n" EVENT DONE, GIVEN GIVEN,
	 "200 Connection: keep-alive {\"status\":\"success\"}\n" SUCCESS, STAYS},
	{CHUNKED_EVENT DONE, GIVEN GIVEN, SUCCESS SUCCESS, STAYS},
	{CHUNKED_EVENT CHUNKED_EVENT, GIVEN GIVEN, SUCCESS SUCCESS, STAYS},
	{CHUNKED "1\r\n{\r\n4b;x=\"y\"\r\n\"event_type\":\"order_placed\",\"timestamp\":"
		 "\"2024-08-20T05:21:19Z\",\"payload\":7}\r\n0\r\nA: b\r\n\r\n" DONE,
	 GIVEN GIVEN, SUCCESS SUCCESS, STAYS},
	{EVENT_HEAD "Expect: 100-continue\r\n\r\n", "", "100\n", WAITS},
	{EVENT_HEAD "Expect: 100-continue\r\n\r\n" EVENT, GIVEN, SUCCESS, STAYS},
	{EVENT_HEAD "Expect: 100-continue\r\n\r\n{", "", "", WAITS},
	{POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "", "100\n", WAITS},
	{DONE_10 "Expect: 100-continue\r\n\r\n", "", "", WAITS},
	/* It is a list. */
	{EVENT_HEAD "Expect: , 100-continue,\r\n\r\n", "", "100\n", WAITS},
	{EVENT_HEAD "Expect:\r\nExpect: 100-Continue\r\n\r\n", "", "100\n", WAITS},
	{EVENT_HEAD "Expect: more\r\n\r\n", "", ERROR_CLOSE(417, EXPECTATION), CLOSES},
	{EVENT_HEAD "Expect: 100-continue, more\r\n\r\n" EVENT, "", ERROR_CLOSE(417, EXPECTATION),
	 CLOSES},
	{EVENT_HEAD "Content-Encoding: identity\r\nContent-Encoding:\r\n\r\n" EVENT, GIVEN, SUCCESS,
	 STAYS},
	/* Without encryption. */
	{"POST https://t/event HTTP/1.1\r\nHost: t\r\n\r\n" DONE, "",
	 ERROR_CLOSE(421,
		     "a target with https needs an encrypted connection (RFC 9110 section 7.4)"),
	 CLOSES},
	/* The size of a chunk is known before its data is there. */
	{CHUNKED "3e9\r\n", "", ERROR(413, "the body is larger than 1000 bytes"), WAITS},
	{CHUNKED "1\r\n{\r\n3e8;a\r\n{", "", ERROR(413, "the body is larger than 1000 bytes"),
	 WAITS},
	{CHUNKED "3e8\r\n", "", "", WAITS},
	{CHUNKED "fffffffffffffff\r\n" DONE, "",
	 ERROR_CLOSE(413, "the body is larger than 1000 bytes"), CLOSES},
	{CHUNKED "1000000\r\n", "", ERROR(413, "the body is larger than 1000 bytes"), WAITS},
	{CHUNKED "1\r\n{\r\n1000000\r\n", "",
	 ERROR_CLOSE(413, "the body is larger than 1000 bytes"), CLOSES},
	{PUT_CHUNKED "41\r\n", "", ERROR(413, "the body is larger than the path accepts"), WAITS},
	{PUT_CHUNKED "1000001\r\n", "",
	 ERROR_CLOSE(413, "the body is larger than the path accepts"), CLOSES},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1000001\r\n", "",
	 ERROR(404, "not found"), CLOSES},
	/* Refused from the head: the body is read and dropped. */
	{POST "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", "",
	 ERROR_CLOSE(413, "the body is larger than 1000 bytes"), CLOSES},
	{POST "Content-Length: 1001\r\n\r\n", "", ERROR(413, "the body is larger than 1000 bytes"),
	 WAITS},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nabcd" DONE, GIVEN,
	 ERROR(404, "not found") SUCCESS, STAYS},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nabc", "",
	 ERROR(404, "not found"), WAITS},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "1\r\na\r\n0\r\n\r\n" DONE,
	 GIVEN, ERROR(404, "not found") SUCCESS, STAYS},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nx" DONE, "",
	 ERROR(404, "not found"), CLOSES},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
	 "", ERROR_CLOSE(404, "not found"), CLOSES},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 16777216\r\n\r\n", "",
	 ERROR(404, "not found"), WAITS},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 16777217\r\n\r\n", "",
	 ERROR_CLOSE(404, "not found"), CLOSES},
	{"POST /nowhere HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999\r\n\r\n" DONE,
	 "", ERROR_CLOSE(404, "not found"), CLOSES},
	{GET("/event") DONE, GIVEN,
	 "405 Allow: POST, OPTIONS {\"error\":\"expected method POST, found GET\"}\n" SUCCESS,
	 STAYS},
	/* Refused within the body. */
	{CHUNKED "4c\r\n" EVENT "\r\n-", "",
	 ERROR_CLOSE(400, "the chunks of the body are malformed"), CLOSES},
	/* Refused heads. */
	{GET("/echo\x7f") DONE, "",
	 ERROR_CLOSE(400, "the request line does not have a target and a space after the method"),
	 CLOSES},
	{"GET / HTTP/1.1\r\n\r\n" DONE, "", ERROR_CLOSE(400, "HTTP/1.1 requires a Host header"),
	 CLOSES},
	{"HEAD / HTTP/1.1\r\n\r\n" DONE, "", "400 close\n", CLOSES},
	{"HEAD /% HTTP/1.1\r\nHost: t\r\n\r\n", "", "400 close\n", CLOSES},
	{"\x16\x03\x01", "", ERROR_CLOSE(400, "this port does not speak TLS"), CLOSES},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", ERROR_CLOSE(505, "the server speaks HTTP/1 only"),
	 CLOSES},
	{DONE "x\n" DONE, GIVEN,
	 SUCCESS ERROR_CLOSE(400, "the request line does not begin with a method and a space"),
	 CLOSES},
	/* Functions. */
	{GET("/echo"), "GET /echo? \n", ECHOED("GET", ""), STAYS},
	{GET("/echo?") GET("/echo?a=b&c=%20"), "GET /echo? \nGET /echo?a=b&c=%20 \n",
	 ECHOED("GET", "") ECHOED("GET", ""), STAYS},
	{"GET /echo HTTP/1.1\r\nHost: t\r\nX-A: \t b c \r\n\r\n", "GET /echo? x-a=b c \n",
	 ECHOED("GET", ""), STAYS},
	{GET("http://t") GET("http://t?a") GET("http://t/echo?b"),
	 "GET /? \nGET /?a \nGET /echo?b \n", ECHOED("GET", "") ECHOED("GET", "") ECHOED("GET", ""),
	 STAYS},
	{HEAD("/echo") GET("/echo"), "HEAD /echo? \nGET /echo? \n",
	 "201 X-Method: HEAD\n" ECHOED("GET", ""), STAYS},
	{PUT("/echo", "0"), "PUT /echo? \n", ECHOED("PUT", ""), STAYS},
	{PUT("/echo", "3") "abc", "PUT /echo? abc\n", ECHOED("PUT", "abc"), STAYS},
	{PUT("/echo?q", "3") "abc" GET("/"), "PUT /echo?q abc\nGET /? \n",
	 ECHOED("PUT", "abc") ECHOED("GET", ""), STAYS},
	{PUT("http://t", "3") "abc" PUT("http://t?q", "3") "abc", "PUT /? abc\nPUT /?q abc\n",
	 ECHOED("PUT", "abc") ECHOED("PUT", "abc"), STAYS},
	{PUT("/echo", "64") SIXTY_FOUR, "PUT /echo? " SIXTY_FOUR "\n", ECHOED("PUT", SIXTY_FOUR),
	 STAYS},
	{PUT("/echo", "65") SIXTY_FOUR "x" GET("/"), "GET /? \n",
	 ERROR(413, "the body is larger than the path accepts") ECHOED("GET", ""), STAYS},
	{PUT_CHUNKED "40\r\n" SIXTY_FOUR "\r\n0\r\n\r\n" GET("/"),
	 "PUT /echo? " SIXTY_FOUR "\nGET /? \n", ECHOED("PUT", SIXTY_FOUR) ECHOED("GET", ""),
	 STAYS},
	{PUT_CHUNKED "40\r\n" SIXTY_FOUR "\r\n1\r\nx\r\n0\r\n\r\n" GET("/"), "GET /? \n",
	 ERROR(413, "the body is larger than the path accepts") ECHOED("GET", ""), STAYS},
	{PUT_CHUNKED "1\r\na\r\n2\r\nbc\r\n0\r\nX-A: b\r\n\r\n", "PUT /echo? abc\n",
	 ECHOED("PUT", "abc"), STAYS},
	{"PUT /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n", "",
	 "100\n", WAITS},
	{GET("/empty") GET("/"), "GET /empty? \nGET /? \n", "204 X-A: 1 X-B: 2\n" ECHOED("GET", ""),
	 STAYS},
	{GET("/unchanged") GET("/"), "GET /unchanged? \nGET /? \n", "304\n" ECHOED("GET", ""),
	 STAYS},
	{GET("/silent") GET("/"), "GET /silent? \nGET /? \n",
	 ERROR(500, "the path's function did not answer") ECHOED("GET", ""), STAYS},
	{"GET /echo HTTP/1.2\r\nHost: t\r\n\r\n", "GET /echo? \n", ECHOED("GET", ""), STAYS},
	{"GET /echo HTTP/1.0\r\n\r\n", "GET /echo? \n", "201 X-Method: GET = close\n", CLOSES},
	/* Methods. */
	{"DELETE /echo HTTP/1.1\r\nHost: t\r\n\r\n" GET("/"), "GET /? \n",
	 "405 Allow: GET, HEAD, POST, PUT, OPTIONS {\"error\":\"the path accepts GET, HEAD, POST, "
	 "PUT, not "
	 "DELETE\"}\n" ECHOED("GET", ""),
	 STAYS},
	{"PU /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab" GET("/"), "GET /? \n",
	 "405 Allow: GET, HEAD, POST, PUT, OPTIONS {\"error\":\"the path accepts GET, HEAD, POST, "
	 "PUT, not "
	 "PU\"}\n" ECHOED("GET", ""),
	 STAYS},
	/* A body that no one wants need not be sent. */
	{"POST /large HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", "",
	 "405 Allow: GET, HEAD, OPTIONS {\"error\":\"the path accepts GET, HEAD, not POST\"} "
	 "close\n",
	 CLOSES},
	{"POST /large HTTP/1.1\r\nHost: t\r\nContent-Length: 65\r\n\r\n", "",
	 "405 Allow: GET, HEAD, OPTIONS {\"error\":\"the path accepts GET, HEAD, not POST\"}\n",
	 WAITS},
	{"OPTIONS /echo HTTP/1.1\r\nHost: t\r\n\r\n" GET("/"), "GET /? \n",
	 "204 Allow: GET, HEAD, POST, PUT, OPTIONS\n" ECHOED("GET", ""), STAYS},
	{"OPTIONS /event HTTP/1.1\r\nHost: t\r\n\r\n" GET("/"), "GET /? \n",
	 "204 Allow: POST, OPTIONS\n" ECHOED("GET", ""), STAYS},
	{"OPTIONS /event HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab" GET("/"), "GET /? \n",
	 "204 Allow: POST, OPTIONS\n" ECHOED("GET", ""), STAYS},
	/* About the whole server. */
	{"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n" GET("/"), "GET /? \n",
	 "204 Allow: POST, OPTIONS, GET, HEAD, PUT\n" ECHOED("GET", ""), STAYS},
	{"OPTIONS * HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab" GET("/"), "GET /? \n",
	 "204 Allow: POST, OPTIONS, GET, HEAD, PUT\n" ECHOED("GET", ""), STAYS},
	{"OPTIONS * HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", "",
	 "204 Allow: POST, OPTIONS, GET, HEAD, PUT close\n", CLOSES},
	{"OPTIONS http://t HTTP/1.1\r\nHost: t\r\n\r\n" GET("/"), "GET /? \n",
	 "204 Allow: POST, OPTIONS, GET, HEAD, PUT\n" ECHOED("GET", ""), STAYS},
	{"OPTIONS /nowhere HTTP/1.1\r\nHost: t\r\n\r\n", "", ERROR(404, "not found"), STAYS},
	{"GET * HTTP/1.1\r\nHost: t\r\n\r\n", "",
	 ERROR_CLOSE(400, "the target * is for OPTIONS only (RFC 9112 section 3.2.4)"), CLOSES},
	/* What follows CONNECT may be a body, or bytes for a tunnel. */
	{"CONNECT t:80 HTTP/1.1\r\nHost: t:80\r\n\r\n" GET("/"), "",
	 ERROR_CLOSE(501, "the server opens no tunnels (RFC 9110 section 9.3.6)"), CLOSES},
	{"CONNECT /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello" GET("/"), "",
	 ERROR_CLOSE(501, "the server opens no tunnels (RFC 9110 section 9.3.6)"), CLOSES},
	/* The health check. */
	{GET("/healthz"), "", "200 {\"status\":\"ok\"}\n", STAYS},
	{HEAD("/healthz"), "", "200\n", STAYS},
	/* An answer that is larger than the limit of the output does not stop the next one. */
	{GET("/large") GET("/large") GET("/"), "GET /large? \nGET /large? \nGET /? \n",
	 "200 large\n200 large\n" ECHOED("GET", ""), STAYS},
	{HEAD("/large") GET("/"), "HEAD /large? \nGET /? \n", "200\n" ECHOED("GET", ""), STAYS},
};

static void
assert_then(const struct wire *wire, enum then then)
{
	unsigned wants = wire_wants(wire);

	if (then == STAYS)
		assert_int_equal(wants, HERALD_HTTP_READ | HERALD_HTTP_IDLE);
	else if (then == WAITS)
		assert_int_equal(wants & ~(unsigned)HERALD_HTTP_IDLE, HERALD_HTTP_READ);
	else
		assert_int_equal(wants, HERALD_HTTP_SHUTDOWN | HERALD_HTTP_READ);
}

static void
answers_of_exchanges(void **state)
{
	struct wire wire;

	(void)state;
	create(&wire, NULL);
	for (size_t i = 0; i < HERALD_COUNT(exchanges); i++) {
		const struct exchange *exchange = &exchanges[i];

		send_text(&wire, exchange->sent);
		wire_flush(&wire);
		assert_answers(&wire, exchange->answers);
		assert_given(&wire, exchange->given);
		assert_then(&wire, exchange->then);
		wire_disconnect(&wire);
		assert_true(wire_connect(&wire));
	}
	wire_destroy(&wire);
}

/* A proxy in front decrypts. */
static void
https_behind_a_proxy(void **state)
{
	struct wire wire;

	(void)state;
	create(&wire, &HERALD_SERVER_OPTIONS(.behind_https = true));
	send_text(&wire, GET("https://t/echo"));
	wire_flush(&wire);
	assert_answers(&wire, ECHOED("GET", ""));
	wire_destroy(&wire);
}

/* The client closes its side after everything: the same answers, and the end. */
static void
half_closed_after_exchanges(void **state)
{
	struct wire wire;

	(void)state;
	create(&wire, NULL);
	for (size_t i = 0; i < HERALD_COUNT(exchanges); i++) {
		const struct exchange *exchange = &exchanges[i];

		if (exchange->then == WAITS)
			continue;
		send_text(&wire, exchange->sent);
		wire_end(&wire);
		if (wire.connection)
			wire_flush(&wire);
		assert_null(wire.connection);
		assert_answers(&wire, exchange->answers);
		assert_given(&wire, exchange->given);
		assert_true(wire_connect(&wire));
	}
	wire_destroy(&wire);
}

/* Half-close at every byte of a request. */

static void
half_closed_within(struct wire *wire, const char *text, size_t bytes, const char *expected)
{
	assert_true(wire_connect(wire));
	if (bytes > 0)
		wire_send(wire, text, bytes);
	wire_end(wire);
	if (wire->connection)
		wire_flush(wire);
	assert_null(wire->connection);
	assert_answers(wire, expected);
	assert_given(wire, "");
}

static void
half_closed_within_requests(void **state)
{
	static const char *const requests[] = {"\r\n" DONE, CHUNKED_EVENT, PUT("/echo", "3") "abc",
					       PUT_CHUNKED "1\r\na\r\n0\r\n\r\n"};
	static const char unwanted[] = "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nab";
	struct wire wire;

	(void)state;
	create(&wire, NULL);
	wire_disconnect(&wire);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		size_t head = (size_t)(strstr(requests[i], "\r\n\r\n") + 4 - requests[i]);
		size_t begin = requests[i][0] == '\r' ? 2 : 0;

		for (size_t bytes = 0; bytes < strlen(requests[i]); bytes++)
			half_closed_within(
				&wire, requests[i], bytes,
				bytes <= begin ? ""
				: bytes < head
					? ERROR_CLOSE(400, "the head of the request is incomplete")
					: ERROR_CLOSE(400,
						      "the body of the request is incomplete"));
	}
	/* A dropped body is answered once. */
	half_closed_within(&wire, unwanted, strlen(unwanted), ERROR(404, "not found"));
	wire_destroy(&wire);
}

/* Splits. */

/* Everything that is told about an input: what functions got, and the answers. */
static char *
outcome(struct wire *wire)
{
	char *answers = wire_answers(wire);
	size_t bytes = strlen(answers) + 1;
	char *both = malloc(wire->given.bytes + bytes);

	assert_non_null(both);
	if (wire->given.bytes > 0)
		memcpy(both, wire->given.data, wire->given.bytes);
	memcpy(both + wire->given.bytes, answers, bytes);
	free(answers);
	return both;
}

/* Send pieces that end at `ends`, in ascending order, the last one at the end of the text. */
static char *
outcome_of_pieces(struct wire *wire, const char *text, const size_t *ends, size_t count)
{
	size_t at = 0;

	assert_true(wire_connect(wire));
	for (size_t i = 0; i < count; i++) {
		if (ends[i] > at)
			wire_send(wire, text + at, ends[i] - at);
		at = ends[i];
		/* If bytes wait, what is sent lets them be read on. */
		if (wire->take_bytes == 0 && wire->connection)
			wire_flush(wire);
	}
	if (wire->connection)
		wire_flush(wire);
	if (wire->connection)
		wire_end(wire);
	if (wire->connection)
		wire_flush(wire);
	assert_null(wire->connection);
	return outcome(wire);
}

/* 100 Continue is for those who wait. */
static void
remove_interims(char *text)
{
	for (char *at; (at = strstr(text, "\n100\n"));)
		memmove(at, at + 4, strlen(at + 4) + 1);
	if (strncmp(text, "100\n", 4) == 0)
		memmove(text, text + 4, strlen(text + 4) + 1);
}

static void
assert_same_in_pieces(struct wire *wire, const char *text, const char *whole, const size_t *ends,
		      size_t count)
{
	char *split = outcome_of_pieces(wire, text, ends, count);

	remove_interims(split);
	if (strcmp(split, whole) != 0)
		fail_msg("split at %zu, \"%.*s\" is another request:\n%s\ninstead of\n%s", ends[0],
			 (int)ends[count - 1], text, split, whole);
	free(split);
}

static char *
outcome_of_whole(struct wire *wire, const char *text, size_t bytes)
{
	char *whole = outcome_of_pieces(wire, text, &bytes, 1);

	remove_interims(whole);
	return whole;
}

/* Two pieces, at up to 700 places; byte for byte; and some random ones. */
static void
assert_splits(struct wire *wire, uint64_t *seed, const char *text, size_t bytes)
{
	char *whole = outcome_of_whole(wire, text, bytes);
	size_t step = 1 + bytes / 700;
	if (bytes == SIZE_MAX)
		return;
	size_t *ends = calloc(bytes + 1, sizeof(*ends));

	assert_non_null(ends);
	for (size_t split = 1; split < bytes; split += step)
		assert_same_in_pieces(wire, text, whole, (size_t[]){split, bytes}, 2);
	for (int i = 0; i < 4; i++) {
		size_t most = i == 0 && bytes < 5000 ? 1 : 1 + bytes / 4, count = 0;

		for (size_t at = 0; at < bytes;) {
			at += 1 + draw_below(seed, most);
			ends[count++] = at < bytes ? at : bytes;
		}
		wire->take_bytes = draw_one_in(seed, 2) ? 0 : 1 + draw_below(seed, 3000);
		assert_same_in_pieces(wire, text, whole, ends, count);
		wire->take_bytes = 0;
	}
	free(ends);
	free(whole);
}

static void
splits_of_exchanges(void **state)
{
	uint64_t seed = draw_seed();
	struct wire wire;

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	create(&wire, NULL);
	wire_disconnect(&wire);
	for (size_t i = 0; i < HERALD_COUNT(exchanges); i++)
		assert_splits(&wire, &seed, exchanges[i].sent, strlen(exchanges[i].sent));
	wire_destroy(&wire);
}

static void
splits_of_raw_cases(void **state)
{
	uint64_t seed = draw_seed();
	struct raw_case *cases;
	struct wire wire;
	size_t count;

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	raw_cases_load("tests/data/http_cases.jsonl", &cases, &count);
	create(&wire, &HERALD_SERVER_OPTIONS(.max_header_bytes = 1024));
	wire_disconnect(&wire);
	for (size_t i = 0; i < count; i++)
		assert_splits(&wire, &seed, cases[i].request, cases[i].request_bytes);
	raw_cases_free(cases, count);
	wire_destroy(&wire);
}

/* Random streams: requests, of which some are changed, one after the other. */
static size_t
random_stream(uint64_t *seed, char *out)
{
	static const char *const other[] = {"\r\n",          "0\r\n\r\n",  "GET ",
					    " HTTP/1.1\r\n", "\r",         "Content-Length: 3\r\n",
					    "X-A: b\r\n",    "Host: t\r\n"};
	size_t bytes = 0;

	for (uint64_t left = 1 + draw_below(seed, 4); left > 0; left--) {
		const char *next =
			draw_one_in(seed, 5)
				? other[draw_below(seed, HERALD_COUNT(other))]
				: exchanges[draw_below(seed, HERALD_COUNT(exchanges))].sent;

		memcpy(out + bytes, next, strlen(next));
		bytes += strlen(next);
	}
	for (uint64_t changes = draw_below(seed, 4); changes > 1 && bytes > 0; changes--) {
		size_t at = draw_below(seed, bytes), more = draw_below(seed, 3);

		if (more == 0)
			out[at] = (char)draw_below(seed, 256);
		else if (more == 1)
			memmove(out + at, out + at + 1, --bytes - at);
		else
			out[at] = "\r\n :;\t0"[draw_below(seed, 7)];
	}
	return bytes;
}

static void
splits_of_random_streams(void **state)
{
	static char text[16384];
	uint64_t seed = draw_seed();
	struct wire wire;

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	create(&wire, NULL);
	wire_disconnect(&wire);
	for (int i = 0; i < 60; i++)
		assert_splits(&wire, &seed, text, random_stream(&seed, text));
	wire_destroy(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_exchanges),
		cmocka_unit_test(https_behind_a_proxy),
		cmocka_unit_test(half_closed_after_exchanges),
		cmocka_unit_test(half_closed_within_requests),
		cmocka_unit_test(splits_of_exchanges),
		cmocka_unit_test(splits_of_raw_cases),
		cmocka_unit_test(splits_of_random_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
