/*
 * The head of a request: what it says, why it is refused, and its limits. Whatever is read is also
 * read in parts: no part of a head that is accepted is refused, and a refusal does not depend on
 * what follows the byte that is its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/array.h>

#include "http/server/head.h"
#include "support/draw.h"

#define HOST "Host: t\r\n"
#define MAX_HEADERS 8

static const struct herald__head_limits roomy = {.max_bytes = 4096,
						 .max_target_bytes = 4096,
						 .max_headers = MAX_HEADERS,
						 .is_secured = true};

/* Read a head from a block of its exact size, so that a read beyond it is seen. */
struct reading {
	struct herald__header headers[MAX_HEADERS];
	struct herald__head head;
	struct herald__refusal refusal;
	char *data;
	size_t bytes; /* of the head; 0: there is none */
};

static void
read_bytes(struct reading *reading, const struct herald__head_limits *limits, const char *data,
	   size_t bytes)
{
	*reading = (struct reading){.head.headers = reading->headers};
	reading->data = malloc(bytes > 0 ? bytes : 1);
	assert_non_null(reading->data);
	memcpy(reading->data, data, bytes);
	reading->bytes =
		herald__head_read(&reading->head, limits, reading->data, bytes, &reading->refusal);
	assert_true(reading->bytes == 0 || reading->refusal.status == 0);
}

static void
assert_text(struct herald_text text, const char *expected)
{
	assert_int_equal(text.bytes, strlen(expected));
	assert_memory_equal(text.data, expected, text.bytes);
}

/* Each part of a head waits for more; its bytes are as they were. */
static void
assert_parts_incomplete(const char *data, size_t bytes)
{
	for (size_t part = 0; part < bytes; part++) {
		struct reading reading;

		read_bytes(&reading, &roomy, data, part);
		if (reading.bytes != 0 || reading.refusal.status != 0)
			fail_msg("%zu bytes of \"%s\": %s", part, data,
				 reading.refusal.text ? reading.refusal.text : "complete");
		assert_memory_equal(reading.data, data, part);
		free(reading.data);
	}
}

/* Heads. */

static void
request_lines(void **state)
{
	static const struct {
		const char *head, *method, *target, *path, *query;
		bool is_http10;
	} cases[] = {
		{"GET / HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "/", "", false},
		{"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "/", "", false},
		{"GET / HTTP/1.0\r\n\r\n", "GET", "/", "/", "", true},
		{"GET / HTTP/1.2\r\n" HOST "\r\n", "GET", "/", "/", "", false},
		{"GET / HTTP/1.9\r\n" HOST "\r\n", "GET", "/", "/", "", false},
		{"GET /a?b=c HTTP/1.1\r\n" HOST "\r\n", "GET", "/a?b=c", "/a", "b=c", false},
		{"GET /a? HTTP/1.1\r\n" HOST "\r\n", "GET", "/a?", "/a", "", false},
		{"GET /?a?b HTTP/1.1\r\n" HOST "\r\n", "GET", "/?a?b", "/", "a?b", false},
		{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "*", "*", "", false},
		{"OPTIONS HTTPS://t:80 HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "HTTPS://t:80", "*",
		 "", false},
		{"OPTIONS http://t/ HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "http://t/", "/", "",
		 false},
		{"OPTIONS http://t? HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "http://t?", "/", "",
		 false},
		{"OPTIONS /http://t HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "/http://t", "/http://t",
		 "", false},
		{"CONNECTS / HTTP/1.1\r\n" HOST "\r\n", "CONNECTS", "/", "/", "", false},
		{"connect / HTTP/1.1\r\n" HOST "\r\n", "connect", "/", "/", "", false},
		{"PUT http://t/a?b HTTP/1.1\r\n" HOST "\r\n", "PUT", "http://t/a?b", "/a", "b",
		 false},
		{"PUT http://t HTTP/1.1\r\n" HOST "\r\n", "PUT", "http://t", "/", "", false},
		{"PUT http://t?b=1 HTTP/1.1\r\n" HOST "\r\n", "PUT", "http://t?b=1", "/", "b=1",
		 false},
		{"!#$%&'*+-.^_`|~09azAZ /a HTTP/1.1\r\n" HOST "\r\n", "!#$%&'*+-.^_`|~09azAZ", "/a",
		 "/a", "", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;
		size_t bytes = strlen(cases[i].head);

		read_bytes(&reading, &roomy, cases[i].head, bytes);
		if (reading.refusal.status != 0)
			fail_msg("%s: %s", cases[i].head, reading.refusal.text);
		assert_int_equal(reading.bytes, bytes);
		assert_text(reading.head.method, cases[i].method);
		assert_text(reading.head.target, cases[i].target);
		assert_text(reading.head.path, cases[i].path);
		assert_text(reading.head.query, cases[i].query);
		assert_int_equal(reading.head.is_http10, cases[i].is_http10);
		assert_string_equal(reading.head.method.data, cases[i].method);
		assert_string_equal(reading.head.target.data, cases[i].target);
		assert_string_equal(reading.head.query.data, cases[i].query);
		free(reading.data);
		assert_parts_incomplete(cases[i].head, bytes);
	}
}

/* A request to the usual target is read as any other one. */
static void
usual_target(void **state)
{
	static const char *const methods[] = {"POST", "PUT",  "PATCH",   "P",
					      "GET",  "HEAD", "CONNECT", "OPTIONS"};
	static const char *const targets[] = {"/event",  "/even",    "/eventx", "/event?a",
					      "/event?", "/event#a", "/evenT",  "*",
					      "/",       "t:80"};
	struct herald__head_limits limits = roomy;

	(void)state;
	limits.usual_target = (struct herald_text){"/event", 6};
	for (size_t i = 0; i < HERALD_COUNT(methods) * HERALD_COUNT(targets); i++) {
		struct reading usual, plain;
		char text[64];
		int bytes = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\n" HOST "\r\n",
				     methods[i / HERALD_COUNT(targets)],
				     targets[i % HERALD_COUNT(targets)]);

		read_bytes(&usual, &limits, text, (size_t)bytes);
		read_bytes(&plain, &roomy, text, (size_t)bytes);
		assert_int_equal(usual.bytes, plain.bytes);
		assert_int_equal(usual.refusal.status, plain.refusal.status);
		if (usual.bytes > 0) {
			assert_int_equal(usual.head.path.data - usual.data,
					 plain.head.path.data - plain.data);
			assert_int_equal(usual.head.path.bytes, plain.head.path.bytes);
			assert_string_equal(usual.head.query.data, plain.head.query.data);
		} else {
			assert_string_equal(usual.refusal.text, plain.refusal.text);
		}
		free(usual.data);
		free(plain.data);
	}
}

static void
headers_of_a_head(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost:t\r\nEmpty:\r\nBlank: \t \r\n"
				   "Padded: \t a b \t\r\n!#$%&'*+-.^_`|~9Az:\xff\x80:\x7e\r\n"
				   "host-x: 1\r\n\r\nnext";
	static const struct {
		const char *name, *value;
	} expected[] = {
		{"Host", "t"},
		{"Empty", ""},
		{"Blank", ""},
		{"Padded", "a b"},
		{"!#$%&'*+-.^_`|~9Az", "\xff\x80:\x7e"},
		{"host-x", "1"},
	};
	struct reading reading;

	(void)state;
	read_bytes(&reading, &roomy, text, sizeof(text) - 1);
	assert_int_equal(reading.bytes, sizeof(text) - 1 - strlen("next"));
	assert_int_equal(reading.head.headers_count, HERALD_COUNT(expected));
	for (size_t i = 0; i < HERALD_COUNT(expected); i++) {
		assert_string_equal(reading.headers[i].name.data, expected[i].name);
		assert_string_equal(reading.headers[i].value.data, expected[i].value);
		assert_text(reading.headers[i].name, expected[i].name);
		assert_text(reading.headers[i].value, expected[i].value);
	}
	assert_string_equal(herald__head_find(&reading.head, "hOST"), "t");
	assert_string_equal(herald__head_find(&reading.head, "HOST-X"), "1");
	assert_null(herald__head_find(&reading.head, "hos"));
	assert_null(herald__head_find(&reading.head, ""));
	/* What follows is left alone. */
	assert_memory_equal(reading.data + reading.bytes, "next", 4);
	free(reading.data);
	assert_parts_incomplete(text, sizeof(text) - 1 - strlen("next"));
}

/* NULs only where a text ends. */
static void
only_ends_of_texts_change(void **state)
{
	static const char before[] = "GET /a?b HTTP/1.1\r\nHost: t \r\nX:\r\n\r\n";
	static const char after[] = "GET\0/a?b\0HTTP/1.1\r\nHost\0 t\0\r\nX\0\0\n\r\n";
	struct reading reading;

	(void)state;
	_Static_assert(sizeof(before) == sizeof(after), "as long");
	read_bytes(&reading, &roomy, before, sizeof(before) - 1);
	assert_int_equal(reading.bytes, sizeof(before) - 1);
	assert_memory_equal(reading.data, after, sizeof(after) - 1);
	free(reading.data);
}

static void
meanings(void **state)
{
	static const struct {
		const char *headers;
		bool http10, keeps_alive, chunked, expects_continue;
		uint64_t content_length;
	} cases[] = {
		{HOST, false, true, false, false, HERALD_HTTP_NO_LENGTH},
		{"", true, false, false, false, HERALD_HTTP_NO_LENGTH},
		{"Connection: close\r\n" HOST, false, false, false, false, HERALD_HTTP_NO_LENGTH},
		{"Connection: Keep-Alive\r\n", true, true, false, false, HERALD_HTTP_NO_LENGTH},
		{"Connection: keep-alive, close\r\n", true, false, false, false,
		 HERALD_HTTP_NO_LENGTH},
		{"Connection: x,,\t CLOSE \t,y\r\n" HOST, false, false, false, false,
		 HERALD_HTTP_NO_LENGTH},
		{"Connection: x\r\nConnection: close\r\n" HOST, false, false, false, false,
		 HERALD_HTTP_NO_LENGTH},
		{"Connection: closed, xclose, clos\r\n" HOST, false, true, false, false,
		 HERALD_HTTP_NO_LENGTH},
		{"Connection:\r\n" HOST, false, true, false, false, HERALD_HTTP_NO_LENGTH},
		{"X-Connection: close\r\n" HOST, false, true, false, false, HERALD_HTTP_NO_LENGTH},
		{"CONTENT-LENGTH: 12\r\n" HOST, false, true, false, false, 12},
		{"Transfer-Encoding: chunked\r\n" HOST, false, true, true, false,
		 HERALD_HTTP_NO_LENGTH},
		{"Expect: 100-continue\r\nContent-Length: 1\r\n" HOST, false, true, false, true, 1},
		{"Expect: ,100-continue\r\nExpect:\r\nContent-Length: 1\r\n" HOST, false, true,
		 false, true, 1},
		{"Expect: 100-continue\r\nContent-Length: 1\r\n", true, false, false, false, 1},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;
		char text[256];
		int bytes = snprintf(text, sizeof(text), "POST / HTTP/1.%d\r\n%s\r\n",
				     !cases[i].http10, cases[i].headers);

		read_bytes(&reading, &roomy, text, (size_t)bytes);
		if (reading.bytes != (size_t)bytes)
			fail_msg("%s: %s", text, reading.refusal.text);
		assert_int_equal(reading.head.keeps_alive, cases[i].keeps_alive);
		assert_int_equal(reading.head.framing.chunked, cases[i].chunked);
		assert_int_equal(reading.head.framing.expects_continue, cases[i].expects_continue);
		assert_true(reading.head.framing.content_length == cases[i].content_length);
		free(reading.data);
	}
}

/* Refusals. */

#define NO_METHOD "the request line does not begin with a method and a space"
#define NO_TARGET "the request line does not have a target and a space after the method"
#define NO_VERSION "the request line does not end with an HTTP version"
#define BAD_VERSION "the server speaks HTTP/1 only"
#define BAD_TARGET "the request's target is not valid (RFC 9112 section 3.2)"
#define NO_OPTIONS "the target * is for OPTIONS only (RFC 9112 section 3.2.4)"
#define NO_TUNNELS "the server opens no tunnels (RFC 9110 section 9.3.6)"
#define CONTROL "a line of the head has a control character, or does not end with CR LF"
#define BARE_CR "a CR in the head is not followed by LF"
#define FOLDED "a header line begins with a space; folded headers are not accepted"
#define NO_NAME "a header line does not begin with a name and a colon"
#define EXPECTATION                                                                                \
	"the server meets no expectation other than 100-continue (RFC 9110 section 10.1.1)"
#define TLS "this port does not speak TLS"
#define NO_NUMBER "Content-Length is not a number"
#define NOT_CHUNKED "Transfer-Encoding is not chunked"
#define LINE "GET / HTTP/1.1\r\n"
#define REFUSED(TEXT, STATUS, REASON)                                                              \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1, STATUS, REASON                                             \
	}

/* All end with the byte that is the reason. */
static const struct refused {
	const char *text;
	size_t bytes;
	unsigned status;
	const char *reason;
} refused[] = {
	REFUSED(" ", 400, NO_METHOD),
	REFUSED("\n", 400, NO_METHOD),
	REFUSED("\0", 400, NO_METHOD),
	REFUSED("\r\n\n", 400, NO_METHOD),
	REFUSED("\r\n\r", 400, NO_METHOD),
	REFUSED("\rG", 400, BARE_CR),
	REFUSED("GET\r", 400, NO_METHOD),
	REFUSED("GET\t", 400, NO_METHOD),
	REFUSED("GET:", 400, NO_METHOD),
	REFUSED("G\xc3", 400, NO_METHOD),
	REFUSED("\x16", 400, TLS),
	REFUSED("GET  ", 400, NO_TARGET),
	REFUSED("GET /\r", 400, NO_TARGET),
	REFUSED("GET /\n", 400, NO_TARGET),
	REFUSED("GET /\t", 400, NO_TARGET),
	REFUSED("GET /\0", 400, NO_TARGET),
	REFUSED("GET /\x7f", 400, NO_TARGET),
	REFUSED("GET /\x80", 400, NO_TARGET),
	REFUSED("GET /\xff", 400, NO_TARGET),
	REFUSED("GET /  ", 400, NO_VERSION),
	REFUSED("GET / h", 400, NO_VERSION),
	REFUSED("GET / HTTPS", 400, NO_VERSION),
	REFUSED("GET / HTTP/2.0", 505, BAD_VERSION),
	REFUSED("PRI * HTTP/2.0", 505, BAD_VERSION),
	REFUSED("GET / HTTP/0.9", 505, BAD_VERSION),
	REFUSED("GET / HTTP/\r", 400, NO_VERSION),
	REFUSED("GET / HTTP/.", 400, NO_VERSION),
	REFUSED("GET / HTTP/2\r", 400, NO_VERSION),
	REFUSED("GET / HTTP/1,", 400, NO_VERSION),
	REFUSED("GET / HTTP/11", 400, NO_VERSION),
	REFUSED("GET / HTTP/01", 400, NO_VERSION),
	REFUSED("GET / HTTP/2.x", 400, NO_VERSION),
	REFUSED("GET / HTTP/1.\r", 400, NO_VERSION),
	REFUSED("GET / HTTP/1./", 400, NO_VERSION),
	REFUSED("GET / HTTP/1.:", 400, NO_VERSION),
	REFUSED("GET / HTTP/1.2 ", 400, CONTROL),
	REFUSED("GET / HTTP/1.21", 400, CONTROL),
	REFUSED("GET / HTTP/1.1 ", 400, CONTROL),
	REFUSED("GET / HTTP/1.11", 400, CONTROL),
	REFUSED("GET / HTTP/1.1\n", 400, CONTROL),
	REFUSED("GET / HTTP/1.1\r\r", 400, BARE_CR),
	REFUSED(LINE " ", 400, FOLDED),
	REFUSED(LINE "\t", 400, FOLDED),
	REFUSED(LINE HOST " ", 400, FOLDED),
	REFUSED(LINE HOST "\t", 400, FOLDED),
	REFUSED(LINE ":", 400, NO_NAME),
	REFUSED(LINE "\n", 400, NO_NAME),
	REFUSED(LINE HOST "\n", 400, NO_NAME),
	REFUSED(LINE "A ", 400, NO_NAME),
	REFUSED(LINE "A\t", 400, NO_NAME),
	REFUSED(LINE "A\r", 400, NO_NAME),
	REFUSED(LINE "A\0", 400, NO_NAME),
	REFUSED(LINE "A\xff", 400, NO_NAME),
	REFUSED(LINE "A(", 400, NO_NAME),
	REFUSED(LINE "A: b\n", 400, CONTROL),
	REFUSED(LINE "A: b\0", 400, CONTROL),
	REFUSED(LINE "A: b\x7f", 400, CONTROL),
	REFUSED(LINE "A: b\x1f", 400, CONTROL),
	REFUSED(LINE "A: 12345678\v", 400, CONTROL),
	REFUSED(LINE "A: b\rc", 400, BARE_CR),
	REFUSED(LINE "A: b\r\r", 400, BARE_CR),
	REFUSED(LINE HOST "\r\r", 400, BARE_CR),
	REFUSED("GET a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET t:80 HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET /% HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET /%00 HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET /?% HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET /?a=%00b HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED(LINE HOST "Expect: a\r\n\r\n", 417, EXPECTATION),
	REFUSED("GET / HTTP/1.0\r\nExpect: 100-continue, a\r\n\r\n", 417, EXPECTATION),
	REFUSED("GET /#a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET ** HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET http:///a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET http://:80/a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("OPTIONS http://:80 HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("OPTIONS h HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET http://[::-]/a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET ftp://t/a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET http://a@t/a HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED(LINE "\r\n", 400, "HTTP/1.1 requires a Host header"),
	REFUSED(LINE HOST HOST "\r\n", 400, "there are two Host headers"),
	REFUSED(LINE "Host: a b\r\n\r\n", 400, "Host is not a host and a port"),
	REFUSED(LINE "Host: [dead]\r\n\r\n", 400, "Host is not a host and a port"),
	REFUSED(LINE HOST "Content-Length: +1\r\n\r\n", 400, NO_NUMBER),
	REFUSED(LINE HOST "Content-Length: 1, 1\r\n\r\n", 400, NO_NUMBER),
	REFUSED(LINE HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400,
		"there are two Content-Length headers"),
	REFUSED(LINE HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, NOT_CHUNKED),
	REFUSED(LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400,
		"there are both Content-Length and Transfer-Encoding"),
	REFUSED("GET / HTTP/1.9\r\n\r\n", 400, "HTTP/1.1 requires a Host header"),
	REFUSED("GET * HTTP/1.1\r\n" HOST "\r\n", 400, NO_OPTIONS),
	REFUSED("CONNECT t:80 HTTP/1.1\r\n" HOST "\r\n", 501, NO_TUNNELS),
	REFUSED("CONNECT / HTTP/1.1\r\n" HOST "\r\n", 501, NO_TUNNELS),
	REFUSED("CONNECT //[::-]:8040/ HTTP/1.0\r\nContent-Length: 5\r\n\r\n", 501, NO_TUNNELS),
	REFUSED("CONNECT http://t HTTP/1.1\r\n" HOST "\r\n", 501, NO_TUNNELS),
	REFUSED("CONNECT * HTTP/1.1\r\n" HOST "\r\n", 501, NO_TUNNELS),
	REFUSED("CONNECT / HTTP/1.1\r\n\r\n", 501, NO_TUNNELS),
	REFUSED("OPTION * HTTP/1.1\r\n" HOST "\r\n", 400, NO_OPTIONS),
	REFUSED("OPTIONS *? HTTP/1.1\r\n" HOST "\r\n", 400, BAD_TARGET),
	REFUSED("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
		"HTTP/1.0 does not have Transfer-Encoding"),
};

static void
assert_refused(const struct refused *expected, const char *data, size_t bytes)
{
	struct reading reading;

	read_bytes(&reading, &roomy, data, bytes);
	if (reading.refusal.status != expected->status ||
	    strcmp(reading.refusal.text, expected->reason) != 0)
		fail_msg("\"%s\": expected %u %s, got %u %s", expected->text, expected->status,
			 expected->reason, reading.refusal.status,
			 reading.refusal.text ? reading.refusal.text : "");
	assert_int_equal(reading.bytes, 0);
	free(reading.data);
}

static void
refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(refused); i++) {
		char longer[512];
		size_t bytes = refused[i].bytes;

		assert_refused(&refused[i], refused[i].text, bytes);
		assert_parts_incomplete(refused[i].text, bytes - 1);
		/* Whatever follows. */
		memcpy(longer, refused[i].text, bytes);
		memcpy(longer + bytes, "\0\n\x16 x\r\n\r\n", 9);
		assert_refused(&refused[i], longer, bytes + 9);
	}
}

static void
https_without_encryption(void **state)
{
	static const struct {
		const char *line;
		unsigned status; /* 0: it is accepted */
	} cases[] = {
		{"GET https://t/ HTTP/1.1\r\n", 421},
		{"OPTIONS HTTPS://t HTTP/1.1\r\n", 421},
		{"GET http://t/ HTTP/1.1\r\n", 0},
		{"GET /https://t/ HTTP/1.1\r\n", 0},
	};
	struct herald__head_limits limits = roomy;

	(void)state;
	limits.is_secured = false;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;
		char text[64];
		int bytes = snprintf(text, sizeof(text), "%s" HOST "\r\n", cases[i].line);

		read_bytes(&reading, &limits, text, (size_t)bytes);
		assert_int_equal(reading.refusal.status, cases[i].status);
		assert_int_equal(reading.bytes, cases[i].status == 0 ? bytes : 0);
		free(reading.data);
	}
}

/* A refusal before the end of the head leaves the bytes as they are. */
static void
refused_bytes_are_unchanged(void **state)
{
	static const char text[] = LINE HOST "A: b\n";
	struct reading reading;

	(void)state;
	read_bytes(&reading, &roomy, text, sizeof(text) - 1);
	assert_int_equal(reading.refusal.status, 400);
	assert_memory_equal(reading.data, text, sizeof(text) - 1);
	free(reading.data);
}

/* An answer to HEAD has no body, although its request is refused. */
static void
method_of_a_refused_head(void **state)
{
	static const char *const cases[] = {
		"HEAD /\n",
		"HEAD / HTTP/2.0",
		"HEAD / HTTP/1.1\r\n\r\n",
		"HEAD /% HTTP/1.1\r\n" HOST "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;

		read_bytes(&reading, &roomy, cases[i], strlen(cases[i]));
		assert_int_not_equal(reading.refusal.status, 0);
		assert_text(reading.head.method, "HEAD");
		free(reading.data);
	}
}

/* It is known before the head is complete, but not before the method is: others may begin alike. */
static void
method_of_an_incomplete_head(void **state)
{
	static const struct {
		const char *text;
		bool is_head;
	} cases[] = {
		{"", false},        {"HEA", false},    {"HEAD", false},
		{"HEAD ", true},    {"HEAD /a", true}, {"HEAD / HTTP/1.1\r\nA: b\r\n", true},
		{"HEADS /", false}, {"head /", false}, {"\r\nHEAD /", true},
		{"GET /", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;

		read_bytes(&reading, &roomy, cases[i].text, strlen(cases[i].text));
		assert_int_equal(reading.refusal.status, 0);
		assert_int_equal(herald__head_is_head(&reading.head), cases[i].is_head);
		free(reading.data);
	}
}

/* Limits. */

#define TOO_LARGE "the head of the request is too large"
#define TARGET_TOO_LONG "the request's target is too long"

static void
read_limited(const struct herald__head_limits *limits, const char *text, size_t bytes,
	     unsigned status, const char *reason)
{
	struct reading reading;

	read_bytes(&reading, limits, text, bytes);
	assert_int_equal(reading.refusal.status, status);
	if (status != 0)
		assert_string_equal(reading.refusal.text, reason);
	else
		assert_int_not_equal(reading.bytes, 0);
	free(reading.data);
}

static void
head_bytes_are_limited(void **state)
{
	static const char text[] = LINE HOST "A: b\r\n\r\nmore of the next request";
	const size_t head = strlen(LINE HOST "A: b\r\n\r\n");
	struct herald__head_limits limits = roomy;

	(void)state;
	for (limits.max_bytes = head - 1; limits.max_bytes <= head + 1; limits.max_bytes++)
		for (size_t bytes = head; bytes < sizeof(text); bytes++)
			read_limited(&limits, text, bytes, limits.max_bytes < head ? 431 : 0,
				     TOO_LARGE);
	/* An incomplete head of as many bytes cannot end within the limit. */
	limits.max_bytes = head - 1;
	read_limited(&limits, text, head - 1, 431, TOO_LARGE);
	limits.max_bytes = 3;
	read_limited(&limits, text, 3, 431, TOO_LARGE);
	/* A fault within the limit is told, one after it is not seen. */
	limits.max_bytes = 10;
	read_limited(&limits, "GET / HTT\n   ", 13, 400, NO_VERSION);
	read_limited(&limits, "GET / HTTP\n  ", 13, 431, TOO_LARGE);
}

static void
headers_are_limited(void **state)
{
	static const char text[] = LINE HOST "A:\r\nB:\r\n\r\n";
	struct herald__head_limits limits = roomy;

	(void)state;
	for (limits.max_headers = 2; limits.max_headers <= 4; limits.max_headers++)
		read_limited(&limits, text, sizeof(text) - 1, limits.max_headers < 3 ? 431 : 0,
			     "the request has too many headers");
}

static void
target_bytes_are_limited(void **state)
{
	static const char text[] = "GET /1234 HTTP/1.1\r\n" HOST "\r\n";
	struct herald__head_limits limits = roomy;

	(void)state;
	for (limits.max_target_bytes = 4; limits.max_target_bytes <= 6; limits.max_target_bytes++)
		read_limited(&limits, text, sizeof(text) - 1, limits.max_target_bytes < 5 ? 414 : 0,
			     TARGET_TOO_LONG);
	/* A target that fills the whole head is too long as well (RFC 9112 section 3). */
	limits = (struct herald__head_limits){
		.max_bytes = 9, .max_target_bytes = 9, .max_headers = MAX_HEADERS};
	read_limited(&limits, text, 8 + 1, 414, TARGET_TOO_LONG);
	read_limited(&limits, text, sizeof(text) - 1, 414, TARGET_TOO_LONG);
}

/* A limit that has been exceeded is told before the rest of the head is there. */
static void
limits_of_incomplete_heads(void **state)
{
	static const struct {
		const char *text; /* its last byte exceeds a limit */
		unsigned status;
		const char *reason;
	} cases[] = {
		{"GET /1234", 414, TARGET_TOO_LONG},
		{LINE HOST "A: b\r\nC", 431, "the request has too many headers"},
		{LINE HOST "A: b\r\n:", 431, "the request has too many headers"},
		{LINE HOST "A: 12345678", 431, TOO_LARGE},
	};
	const struct herald__head_limits limits = {
		.max_bytes = 36, .max_target_bytes = 4, .max_headers = 2};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		size_t bytes = strlen(cases[i].text);
		struct reading reading;

		read_limited(&limits, cases[i].text, bytes, cases[i].status, cases[i].reason);
		read_bytes(&reading, &limits, cases[i].text, bytes - 1);
		assert_int_equal(reading.refusal.status, 0);
		assert_int_equal(reading.bytes, 0);
		free(reading.data);
	}
}

/* Spans. */

/* Bytes of the span do not change what is read: neither complete nor refused. */
static void
spans_go_on(void **state)
{
	static const struct {
		const char *text, *more, *others;
	} cases[] = {
		{"", "GET", " \r\n:"},
		{"GE", "T!x", " \r\n/"},
		{"GET ", "/?#:%", " \r\n\x7f"},
		{"GET /", "a%/", " \r\n\t"},
		{LINE "A", "b-", " \r\n:"},
		{LINE "A:", " \tb:\xff", "\r\n\x7f"},
		{LINE "A: b", " c/", "\r\n"},
		{"GET / H", "", "TGx\r"},
		{LINE, "", "A\r :"},
		{LINE "A: b\r", "", "\nA"},
		{LINE HOST "\r", "", "\nA"},
		{"\r", "", "\nG"},
		{"GET / HTTP/1.1", "", "\r1"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;

		read_bytes(&reading, &roomy, cases[i].text, strlen(cases[i].text));
		assert_int_equal(reading.refusal.status, 0);
		assert_int_equal(reading.bytes, 0);
		if (cases[i].more[0] == '\0') {
			assert_null(reading.head.span);
		} else {
			size_t bytes = strlen(cases[i].more);

			assert_non_null(reading.head.span);
			assert_int_equal(reading.head.span(cases[i].more, bytes), bytes);
			for (const char *other = cases[i].others; *other; other++)
				assert_int_equal(reading.head.span(other, 1), 0);
		}
		free(reading.data);
	}
}

/* Up to its end, a span changes nothing; the next byte may exceed a limit. */
static void
ends_of_spans(void **state)
{
	static const struct {
		const char *text;
		size_t end;
	} cases[] = {
		{"GE", 39},     {"GET ", 12},     {"GET /", 12}, {"\r\nGET /1", 14},
		{LINE "A", 39}, {LINE "A: ", 39}, {LINE, 0},     {"GET / HTTP", 0},
	};
	const struct herald__head_limits limits = {
		.max_bytes = 40, .max_target_bytes = 8, .max_headers = 2};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct reading reading;

		read_bytes(&reading, &limits, cases[i].text, strlen(cases[i].text));
		assert_int_equal(reading.refusal.status, 0);
		assert_int_equal(reading.head.span ? reading.head.span_end : 0, cases[i].end);
		free(reading.data);
	}
}

/* Random heads. */

static const char *const parts[] = {
	"GET ",
	"HEAD ",
	"/",
	"/a?b ",
	"HTTP/1.1",
	"HTTP/1.0",
	"\r\n",
	"\r\n",
	"Host: t\r\n",
	"Content-Length: 5\r\n",
	"A:",
	" ",
	"\r",
	"\n",
	"http://t",
	"Connection: close\r\n",
	":",
	"Transfer-Encoding: chunked\r\n",
	"x",
	"\t",
	"GET / HTTP/1.1\r\n",
};

static size_t
random_head(uint64_t *seed, char *out, size_t capacity)
{
	size_t bytes = 0;

	if (!draw_one_in(seed, 4))
		bytes = (size_t)snprintf(out, capacity, "GET / HTTP/1.%d\r\nHost: t\r\n",
					 (int)draw_below(seed, 2));
	for (uint64_t left = draw_below(seed, 12); left > 0; left--) {
		const char *part = parts[draw_below(seed, HERALD_COUNT(parts))];

		memcpy(out + bytes, part, strlen(part));
		bytes += strlen(part);
	}
	if (bytes > 0 && draw_one_in(seed, 3))
		out[draw_below(seed, bytes)] = (char)draw_below(seed, 256);
	return bytes;
}

/* The first decision, on the way from no bytes to all, is the decision for all of them; and what a
 * span covers decides nothing. */
static void
assert_decided_once(const struct herald__head_limits *limits, const char *data, size_t bytes)
{
	struct reading all, reading;
	herald__span *span = NULL;
	size_t span_end = 0;
	bool is_decided = false;

	read_bytes(&all, limits, data, bytes);
	for (size_t part = 0; part <= bytes; part++) {
		read_bytes(&reading, limits, data, part);
		bool decides = reading.bytes > 0 || reading.refusal.status != 0;
		if (is_decided)
			assert_true(decides);
		if (span && span(data + part - 1, 1) == 1 && part <= span_end)
			assert_false(decides);
		if (decides) {
			assert_int_equal(reading.bytes, all.bytes);
			assert_ptr_equal(reading.refusal.text, all.refusal.text);
		}
		is_decided = decides;
		span = decides ? NULL : reading.head.span;
		span_end = reading.head.span_end;
		free(reading.data);
	}
	assert_int_equal(is_decided, all.bytes > 0 || all.refusal.status != 0);
	free(all.data);
}

static void
random_heads_in_parts(void **state)
{
	uint64_t seed = draw_seed();
	char data[1024];

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 2000; i++) {
		struct herald__head_limits limits = roomy;
		size_t bytes = random_head(&seed, data, sizeof(data));

		if (draw_one_in(&seed, 2))
			limits.max_bytes = 1 + draw_below(&seed, 80);
		if (draw_one_in(&seed, 3))
			limits.max_target_bytes = 1 + draw_below(&seed, 5);
		if (draw_one_in(&seed, 3))
			limits.max_headers = draw_below(&seed, 4);
		assert_decided_once(&limits, data, bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_lines),
		cmocka_unit_test(usual_target),
		cmocka_unit_test(headers_of_a_head),
		cmocka_unit_test(only_ends_of_texts_change),
		cmocka_unit_test(meanings),
		cmocka_unit_test(refusals),
		cmocka_unit_test(https_without_encryption),
		cmocka_unit_test(refused_bytes_are_unchanged),
		cmocka_unit_test(method_of_a_refused_head),
		cmocka_unit_test(method_of_an_incomplete_head),
		cmocka_unit_test(head_bytes_are_limited),
		cmocka_unit_test(headers_are_limited),
		cmocka_unit_test(target_bytes_are_limited),
		cmocka_unit_test(limits_of_incomplete_heads),
		cmocka_unit_test(spans_go_on),
		cmocka_unit_test(ends_of_spans),
		cmocka_unit_test(random_heads_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
