/*
 * Functions shared by HTTP adapters: reading the framing of a body from headers, and the headers of
 * a response.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/http.h>
#include <herald/herald.h>

#include "http/target.h"

/* Framing. Headers are "Name: value" lines. */

static struct herald_http_framing
read_headers(const char *const *lines, size_t count)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

	for (size_t i = 0; i < count && lines[i]; i++) {
		char name[64];
		const char *colon = strchr(lines[i], ':');

		assert_non_null(colon);
		snprintf(name, sizeof(name), "%.*s", (int)(colon - lines[i]), lines[i]);
		herald_http_framing_add(&framing, name, colon + 1);
	}
	return framing;
}

static void
clear_framings(void **state)
{
	static const struct {
		const char *lines[4];
		uint64_t content_length;
		bool chunked, expects_continue, must_close;
	} cases[] = {
		{{NULL}, HERALD_HTTP_NO_LENGTH, false, false, false},
		{{"Host:test", "X-Content-Length:5"}, HERALD_HTTP_NO_LENGTH, false, false, false},
		{{"Content-Length:0"}, 0, false, false, false},
		{{"content-length:007"}, 7, false, false, false},
		{{"Content-Type:a/b;c=\",\\\",\"", "X-Content-Type:c,d"},
		 HERALD_HTTP_NO_LENGTH,
		 false,
		 false,
		 false},
		{{"Content-Length: 103  "}, 103, false, false, false},
		{{"Content-Length:\t 103\t"}, 103, false, false, false},
		{{"Content-Length:16777216"}, 16777216, false, false, false},
		{{"Content-Length:16777217"}, 16777217, false, false, true},
		{{"Content-Length:18446744073709551613"}, UINT64_MAX - 2, false, false, true},
		{{"Content-Length:18446744073709551614"}, UINT64_MAX - 1, false, false, true},
		{{"Content-Length:18446744073709551615"}, UINT64_MAX - 1, false, false, true},
		{{"Content-Length:99999999999999999999999"}, UINT64_MAX - 1, false, false, true},
		{{"Transfer-Encoding:chunked"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"transfer-encoding:Chunked"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"TRANSFER-ENCODING:CHUNKED"}, HERALD_HTTP_NO_LENGTH, true, false, false},
		{{"EXPECT:100-CONTINUE"}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"CONTENT-LENGTH:5"}, 5, false, false, false},
		{{"Expect: 100-continue "}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"Expect:100-Continue"}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"Expect:100-continue", "Content-Length:0"}, 0, false, true, false},
		{{"Expect:100-continue", "Content-Length:1"}, 1, false, true, true},
		{{"Expect:100-continue", "Transfer-Encoding:chunked"},
		 HERALD_HTTP_NO_LENGTH,
		 true,
		 true,
		 true},
		{{"Expect:", "Expect: ,\t, "}, HERALD_HTTP_NO_LENGTH, false, false, false},
		{{"Expect: , 100-continue\t,"}, HERALD_HTTP_NO_LENGTH, false, true, false},
		{{"Expect:100-continue,100-CONTINUE", "Expect:"},
		 HERALD_HTTP_NO_LENGTH,
		 false,
		 true,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(cases[i].lines, 4);

		assert_null(framing.problem);
		assert_true(framing.content_length == cases[i].content_length);
		assert_int_equal(framing.chunked, cases[i].chunked);
		assert_int_equal(framing.expects_continue, cases[i].expects_continue);
		assert_int_equal(herald_http_framing_must_close(&framing), cases[i].must_close);
	}
}

static void
framings_with_a_body(void **state)
{
	static const struct {
		const char *line;
		bool has_body;
	} cases[] = {
		{NULL, false},
		{"Content-Length:0", false},
		{"Content-Length:1", true},
		{"Content-Length:99999999999999999999999", true},
		{"Transfer-Encoding:chunked", true},
		{"Expect:100-continue", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(&cases[i].line, 1);

		assert_int_equal(herald_http_framing_has_body(&framing), cases[i].has_body);
	}
}

#define TWO_LENGTHS "there are two Content-Length headers"
#define TWO_ENCODINGS "there are two Transfer-Encoding headers"
#define BOTH "there are both Content-Length and Transfer-Encoding"
#define NO_NUMBER "Content-Length is not a number"
#define NOT_CHUNKED "Transfer-Encoding is not chunked"
#define BLANKS "Transfer-Encoding has blanks around its value"
#define TWO_TYPES "there are two Content-Type headers"
#define TYPE_LIST "Content-Type is a list"
#define NO_TOKEN "the name of a header is not a token"
#define LONGER "a header's name begins with Content-Length or Transfer-Encoding, but is longer"
#define CONTROL "the value of a header has a control character"

static void
hidden_bodies(void **state)
{
	static const struct {
		const char *method, *line;
		bool may_hide;
	} cases[] = {
		{"POST", NULL, true},
		{"PUT", "Host:a", true},
		{"OPTIONS", "Host:a", true},
		{"get", "Host:a", true},
		{NULL, "Host:a", true},
		{"GET", NULL, false},
		{"HEAD", NULL, false},
		{"POST", "Content-Length:0", false},
		{"POST", "Content-Length:many", false},
		{"POST", "Transfer-Encoding:chunked", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(&cases[i].line, 1);

		assert_int_equal(herald_http_framing_may_hide_body(&framing, cases[i].method),
				 cases[i].may_hide);
	}
}

/* What a client wants of its connection. */
static void
connections(void **state)
{
	static const struct {
		const char *lines[2];
		bool close, keep_alive;
	} cases[] = {
		{{"X: close"}, false, false},
		{{"Connection:"}, false, false},
		{{"Connection: close"}, true, false},
		{{"CONNECTION: CLOSE"}, true, false},
		{{"Connection: Keep-Alive"}, false, true},
		{{"Connection: keep-alive, close"}, true, true},
		{{"Connection: ,\tfoo ,close\t,"}, true, false},
		{{"Connection: keep-alive", "Connection: close"}, true, true},
		{{"Connection: close", "Connection: foo"}, true, false},
		{{"Connection: closed, keep-alives, \"close\", clos"}, false, false},
		{{"Connections: close"}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(cases[i].lines, 2);

		assert_null(framing.problem);
		assert_int_equal(framing.asks_to_close, cases[i].close);
		assert_int_equal(framing.asks_to_keep_alive, cases[i].keep_alive);
	}
}

/* Parts of targets that a framework has taken apart. */
static void
target_parts(void **state)
{
	static const struct {
		const char *part;
		bool is_valid;
	} cases[] = {
		{NULL, true},        {"", true},         {"/event", true},    {"a=b&c=%20", true},
		{"a?b", true},       {"a[0]={b}", true}, {"a#b", false},      {"a b", false},
		{"a\tb", false},     {"a\x7f", false},   {"\xc3\xa4", false}, {"%", false},
		{"a=100%", false},   {"%4", false},      {"%zz", false},      {"%00", false},
		{"%01%7F%fF", true}, {"*", true},
	};
	struct herald_http_framing first = HERALD_HTTP_FRAMING_INIT;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_target_part(&framing, cases[i].part);
		assert_int_equal(framing.problem == NULL, cases[i].is_valid);
		if (framing.problem) {
			assert_non_null(strstr(framing.problem, "target is not valid"));
			assert_int_equal(herald_http_problem_status(framing.problem), 400);
		}
	}
	/* The first problem is kept. */
	herald_http_framing_add(&first, "Content-Length", "x");
	const char *problem = first.problem;
	herald_http_framing_target_part(&first, "#");
	assert_ptr_equal(first.problem, problem);
}

#define EXPECTATION                                                                                \
	"the server meets no expectation other than 100-continue (RFC 9110 section 10.1.1)"

static void
ambiguous_framings(void **state)
{
	static const struct {
		const char *lines[3];
		const char *problem;
	} cases[] = {
		{{"Content-Length:"}, NO_NUMBER},
		{{"Content-Length:-1"}, NO_NUMBER},
		{{"Content-Length:+1"}, NO_NUMBER},
		{{"Content-Length:0x5"}, NO_NUMBER},
		{{"Content-Length: "}, NO_NUMBER},
		{{"Content-Length:5 5"}, NO_NUMBER},
		{{"Content-Length:5\v"}, CONTROL},
		{{"Content-Length:5,5"}, NO_NUMBER},
		{{"Content-Length:5", "Content-Length:5"}, TWO_LENGTHS},
		{{"Content-Length:5", "Host:test", "Content-Length:6"}, TWO_LENGTHS},
		{{"Content-Length:5", "Content-Length:many"}, TWO_LENGTHS},
		{{"Content-Length:many", "Content-Length:5"}, NO_NUMBER},
		{{"Content-Length:5", "Transfer-Encoding:chunked"}, BOTH},
		{{"Content-Length:5", "TRANSFER-ENCODING:chunked"}, BOTH},
		{{"Transfer-Encoding:chunked", "Content-Length:0"}, BOTH},
		{{"Transfer-Encoding:chunked", "Transfer-Encoding:chunked"}, TWO_ENCODINGS},
		{{"Transfer-Encoding:"}, NOT_CHUNKED},
		{{"Transfer-Encoding:gzip"}, NOT_CHUNKED},
		{{"Transfer-Encoding:gzip, chunked"}, NOT_CHUNKED},
		{{"Transfer-Encoding:identity"}, NOT_CHUNKED},
		{{"Transfer-Encoding:\vchunked"}, CONTROL},
		{{"Transfer-Encoding:chunked "}, BLANKS},
		{{"Transfer-Encoding:chunkedx"}, NOT_CHUNKED},
		{{"Transfer-Encoding:chunk"}, NOT_CHUNKED},
		{{"Content-Type:a/b", "Content-Type:a/b"}, TWO_TYPES},
		{{"Content-Type:", "Host:test", "content-type:a/b"}, TWO_TYPES},
		{{"Content-Type:a/b,c/d"}, TYPE_LIST},
		{{"Content-Type:a/b; c=\"\\\"\",d/e"}, TYPE_LIST},
		{{"Content-Length :5"}, NO_TOKEN},
		{{"Host\t:test"}, NO_TOKEN},
		{{"Transfer-Encoding\v:chunked"}, NO_TOKEN},
		{{"\xa0Transfer-Encoding:chunked"}, NO_TOKEN},
		{{"Content-LengthX:5"}, LONGER},
		{{"content-length-:5"}, LONGER},
		{{"TRANSFER-ENCODINGS:chunked"}, LONGER},
		{{"Host:a", "Host:a"}, "there are two Host headers"},
		{{"Host:a b"}, "Host is not a host and a port"},
		{{"Expect:more"}, EXPECTATION},
		{{"Expect:100-continue", "Expect:more"}, EXPECTATION},
		{{"Expect:100-continue, more"}, EXPECTATION},
		{{"Expect:more,100-continue"}, EXPECTATION},
		{{"Expect:100-continue;a=b"}, EXPECTATION},
		{{"Expect:100-continue 100-continue"}, EXPECTATION},
		/* The first problem is reported. */
		{{"Host:a b", "Content-Length:5", "Content-Length:5"},
		 "Host is not a host and a port"},
	};
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		framing = read_headers(cases[i].lines, 3);
		if (!framing.problem || !herald_http_framing_must_close(&framing))
			fail_msg("%s is not ambiguous", cases[i].lines[0]);
		assert_string_equal(framing.problem, cases[i].problem);
	}
	framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_add(&framing, "Content-Length", NULL);
	assert_string_equal(framing.problem, NO_NUMBER);
}

/* Several headers are one list (RFC 9110 section 8.4). */
static void
content_encodings(void **state)
{
	static const struct {
		const char *lines[3];
		const char *coding;
	} cases[] = {
		{{"Host:a", "Accept-Encoding:gzip"}, NULL},
		{{"Content-Encoding:"}, ""},
		{{"Content-Encoding: gzip"}, "gzip"},
		{{"CONTENT-ENCODING:GZIP"}, "GZIP"},
		{{"Content-Encoding:gzip, br"}, "gzip, br"},
		{{"Content-Encoding:gzip", "Content-Encoding:br"}, HERALD_HTTP_SEVERAL_CODINGS},
		{{"Content-Encoding:gzip", "Content-Encoding:gzip"}, HERALD_HTTP_SEVERAL_CODINGS},
		{{"Content-Encoding:gzip", "Content-Encoding:identity", "Content-Encoding:br"},
		 HERALD_HTTP_SEVERAL_CODINGS},
		/* As in one header, these decode nothing. */
		{{"Content-Encoding:identity", "Content-Encoding:", "Content-Encoding:gzip"},
		 "gzip"},
		{{"Content-Encoding:gzip", "Content-Encoding:Identity", "Content-Encoding:,"},
		 "gzip"},
		{{"Content-Encoding:identity", "Content-Encoding:identity"}, "identity"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = read_headers(cases[i].lines, 3);

		assert_null(framing.problem);
		if (!cases[i].coding)
			assert_null(framing.content_encoding);
		else
			assert_string_equal(framing.content_encoding, cases[i].coding);
	}
}

#define NO_HOST "HTTP/1.1 requires a Host header"
#define NO_CHUNKS "HTTP/1.0 does not have Transfer-Encoding"
#define NOT_SECURED "a target with https needs an encrypted connection (RFC 9110 section 7.4)"
#define NO_VERSION "the version is neither HTTP/1.1 nor HTTP/1.0"

static void
assert_problem(const char *given, const char *found, const char *expected)
{
	if ((found && expected) ? strcmp(found, expected) != 0 : found != expected)
		fail_msg("%s: %s", given, found);
}

static void
versions(void **state)
{
	static const struct {
		const char *version;
		const char *plain, *hosted, *chunked; /* problem without anything, with Host, ... */
	} cases[] = {
		{"HTTP/1.1", NO_HOST, NULL, NULL},
		{"1.1", NO_HOST, NULL, NULL},
		{"HTTP/1.0", NULL, NULL, NO_CHUNKS},
		{"1.0", NULL, NULL, NO_CHUNKS},
		{"HTTP/1.2", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/0.9", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/2.0", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/1.01", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/1.1 ", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/11.1", NO_VERSION, NO_VERSION, NO_VERSION},
		{"http/1.1", NO_VERSION, NO_VERSION, NO_VERSION},
		{"HTTP/1.", NO_VERSION, NO_VERSION, NO_VERSION},
		{"1", NO_VERSION, NO_VERSION, NO_VERSION},
		{"", NO_VERSION, NO_VERSION, NO_VERSION},
		{NULL, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing plain = HERALD_HTTP_FRAMING_INIT;
		struct herald_http_framing hosted = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&hosted, "Host", "test");
		struct herald_http_framing chunked = hosted;
		herald_http_framing_add(&chunked, "Transfer-Encoding", "chunked");
		herald_http_framing_request_line(&plain, NULL, NULL, cases[i].version);
		herald_http_framing_request_line(&hosted, NULL, NULL, cases[i].version);
		herald_http_framing_request_line(&chunked, NULL, NULL, cases[i].version);
		assert_problem(cases[i].version, plain.problem, cases[i].plain);
		assert_problem(cases[i].version, hosted.problem, cases[i].hosted);
		assert_problem(cases[i].version, chunked.problem, cases[i].chunked);
	}
}

/* RFC 9110 section 7.4. Other targets are the same with and without encryption. */
static void
schemes(void **state)
{
	static const struct {
		const char *target;
		bool needs_https;
	} cases[] = {
		{"https://t/event", true}, {"HttpS://t", true},   {"http://t/event", false},
		{"/event", false},         {"/https://t", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing plain = HERALD_HTTP_FRAMING_INIT;
		struct herald_http_framing secured = HERALD_HTTP_FRAMING_INIT;

		secured.is_secured = true;
		herald_http_framing_request_line(&plain, "POST", cases[i].target, NULL);
		herald_http_framing_request_line(&secured, "POST", cases[i].target, NULL);
		assert_null(secured.problem);
		assert_problem(cases[i].target, plain.problem,
			       cases[i].needs_https ? NOT_SECURED : NULL);
	}
}

static void
hosts(void **state)
{
	static const struct {
		const char *value;
		bool is_host;
	} cases[] = {
		{"", true},
		{"t", true},
		{" t\t", true},
		{"example.com", true},
		{"xn--bcher-kva.example:8080", true},
		{"127.0.0.1:0", true},
		{"t:", true},
		{"t:65535", true},
		{"[::1]", true},
		{"[::ffff:127.0.0.1]:80", true},
		{"[::]", true},
		{"[1:2:3:4:5:6:7:8]:", true},
		{"[1:2:3:4:5:6:7::]", true},
		{"[0000:0000:0000:0000:0000:FFFF:255.255.255.255]:1", true},
		{"a_b~c!$&'()*+;=-", true},
		{"b%C3%BCcher", true},
		{"t:65536", false},
		{"t:99999999999999999999", false},
		{"t:8x", false},
		{"t:80:80", false},
		{"t:-1", false},
		{"t u", false},
		{"t, u", false},
		{"t,u", false},
		{"u@t", false},
		{"t/", false},
		{"[::1", false},
		{"[]", false},
		{"[::1]x", false},
		{"[::g]", false},
		{"[::-]", false},
		{"[.]", false},
		{"[:]", false},
		{"[:::]", false},
		{"[dead]", false},
		{"[127.0.0.1]", false},
		{"[::127.0.0.256]", false},
		{"[::127.0.0.01]", false},
		{"[1:2:3:4:5:6:7]", false},
		{"[1:2:3:4:5:6:7:8:9]", false},
		{"[1::2::3]", false},
		{"[::00001]", false},
		{"[0000:0000:0000:0000:0000:FFFF:255.255.255.2555]", false},
		{"[fe80::1%25eth0]", false},
		{"[v7.a]", false},
		{"[::1]]", false},
		{"[[::1]]", false},
		{"::1", false},
		{"b%C", false},
		{"b%00", false},
		{"b\xc3\xbc", false},
		{"t?", false},
		{"t\\", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&framing, "host", cases[i].value);
		if (!framing.problem != cases[i].is_host)
			fail_msg("\"%s\"", cases[i].value);
		herald_http_framing_add(&framing, "Host", "t");
		assert_non_null(framing.problem);
	}
}

/* Every byte, at each place within and behind the eight that are looked at together. */
#define NO_TUNNELS "the server opens no tunnels (RFC 9110 section 9.3.6)"
#define NO_METHOD "the method is not a token"
#define NO_TARGET "the request's target is not valid (RFC 9112 section 3.2)"
#define NO_OPTIONS "the target * is for OPTIONS only (RFC 9112 section 3.2.4)"

static void
request_lines(void **state)
{
	static const struct {
		const char *method, *target, *problem;
	} cases[] = {
		{"POST", "/event", NULL},
		{"CONNECTS", "/event", NULL},
		{"connect", "/event", NULL},
		{"OPTIONS", "*", NULL},
		{"POST", NULL, NULL},
		{NULL, "/event?a", NULL},
		{NULL, "*", NULL},
		{NULL, NULL, NULL},
		{"", "/event", NO_METHOD},
		{"\rPOST", "/event", NO_METHOD},
		{"PO\rST", "/event", NO_METHOD},
		{"P\x01ST", "/event", NO_METHOD},
		{"P(ST", NULL, NO_METHOD},
		{"P\xc3\xb6ST", "/event", NO_METHOD},
		{"CONNECT", "t:80", NO_TUNNELS},
		{"CONNECT", "/event", NO_TUNNELS},
		{"CONNECT", "*", NO_TUNNELS},
		{"CONNECT", NULL, NO_TUNNELS},
		{"POST", "t:80", NO_TARGET},
		{"POST", "", NO_TARGET},
		{NULL, "http://:80/", NO_TARGET},
		{"POST", "http://[::-]/event", NO_TARGET},
		{"POST", "http://[dead]/event", NO_TARGET},
		{"OPTIONS", "*?", NO_TARGET},
		{"POST", "*", NO_OPTIONS},
		{"options", "*", NO_OPTIONS},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

		herald_http_framing_add(&framing, "Host", "test");
		herald_http_framing_request_line(&framing, cases[i].method, cases[i].target, "1.1");
		assert_problem(cases[i].target, framing.problem, cases[i].problem);
		assert_int_equal(herald_http_framing_must_close(&framing),
				 cases[i].problem != NULL);
	}
	/* The first problem is reported. */
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_request_line(&framing, "CONNECT", "t", "1.1");
	assert_string_equal(framing.problem, NO_TUNNELS);
}

static void
values_have_no_control_bytes(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		bool is_control = (byte < ' ' && byte != '\t') || byte == 0x7f;

		for (size_t at = 0; at < 19; at++) {
			char value[] = "a long\tvalue, with~";
			struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

			assert_int_equal(sizeof(value), 20);
			value[at] = (char)byte;
			herald_http_framing_add(&framing, "X-Test", value);
			if (!framing.problem == is_control)
				fail_msg("byte 0x%02x at %zu", byte, at);
		}
	}
}

/* Targets and paths. */

static void
targets(void **state)
{
	static const struct {
		const char *target, *path; /* NULL: there is none */
	} cases[] = {
		{"/event", "/event"},
		{"/", "/"},
		{"*", "*"},
		{"/event?a=b&c=%20", "/event"},
		{"/event?", "/event"},
		{"/event?a[b]={c}|?/\"%25%c3%A9", "/event"},
		{"/a[b]{c}|\\^`\"<>", "/a[b]{c}|\\^`\"<>"},
		{"/event?<>\\^`", "/event"},
		{"/%65vent", "/%65vent"},
		{"//event", "//event"},
		{"/a;b=c/d:e@f", "/a;b=c/d:e@f"},
		{"http://t/event", "/event"},
		{"HTTPS://[::1]:80/event?a", "/event"},
		{"http://t", "/"},
		{"http://t?a", "/"},
		{"http://t:", "/"},
		{"", NULL},
		{"event", NULL},
		{"?a", NULL},
		{"*x", NULL},
		{"t:80", NULL},
		{"ftp://t/event", NULL},
		{"http:/event", NULL},
		{"httpss://t/event", NULL},
		{"http:///event", NULL},
		{"http://:/event", NULL},
		{"http://:80/event", NULL},
		{"http://[::-]:80/event", NULL},
		{"http://[::1/event", NULL},
		{"http://t:99999/event", NULL},
		{"http://u@t/event", NULL},
		{"http://t u/event", NULL},
		{"http://t#/event", NULL},
		{"/event#a", NULL},
		{"/event?a#b", NULL},
		{"/ev ent", NULL},
		{"/ev\tent", NULL},
		{"/event?a b", NULL},
		{"/event?\x7f", NULL},
		{"/\xc3\xa9", NULL},
		{"/event?\xc3\xa9", NULL},
		{"/event%", NULL},
		{"/event%4", NULL},
		{"/event%zz", NULL},
		{"/event%00", NULL},
		{"/event%0", NULL},
		{"/event?%", NULL},
		{"/event?a=%4", NULL},
		{"/event?a=100%&b", NULL},
		{"/event?%zz", NULL},
		{"/event?%00", NULL},
		{"http://t?a=%00b", NULL},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const char *path = cases[i].path;
		struct herald_text found = {NULL, 0};

		if (herald_http_target_path(cases[i].target, &found) != (path != NULL))
			fail_msg("\"%s\"", cases[i].target);
		if (path) {
			assert_int_equal(found.bytes, strlen(path));
			assert_memory_equal(found.data, path, found.bytes);
		} else {
			assert_null(found.data);
		}
		assert_int_equal(herald_http_target_is(cases[i].target, path ? path : "/event"),
				 path != NULL);
	}
	assert_false(herald_http_target_is("/event/", "/event"));
	assert_false(herald_http_target_is("/even", "/event"));
	assert_false(herald_http_target_is("/EVENT", "/event"));
}

#define FIFTY "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

static void
paths_of_options(void **state)
{
	static const struct {
		const char *path, *message; /* NULL: it may be served */
	} cases[] = {
		{"/", NULL},
		{"/event", NULL},
		{"/a//b/...", NULL},
		{"/caf%C3%A9/a;b=c:d@e", NULL},
		{"", "must begin with '/', not \"\""},
		{"event", "must begin with '/', not \"event\""},
		{FIFTY FIFTY, "must begin with '/', not \"" FIFTY FIFTY "\""},
		{FIFTY FIFTY FIFTY FIFTY FIFTY, "abcdefghijabcdefghijabcdefghij..."},
		{"/event?a", "must not contain a query or a fragment"},
		{"/event#a", "must not contain a query or a fragment"},
		{"/ev ent", "byte 0x20 at offset 3 is not allowed"},
		{"/event\r", "byte 0x0d at offset 6 is not allowed"},
		{"/event\n", "byte 0x0a at offset 6 is not allowed"},
		{"/event\x7f", "byte 0x7f at offset 6 is not allowed"},
		{"/\xc3\xa9", "byte 0xc3 at offset 1 is not allowed"},
		{"/a\\b", "byte 0x5c at offset 2 is not allowed"},
		{"/a%2", "byte 0x25 at offset 2 is not allowed"},
		{"/a%00", "byte 0x25 at offset 2 is not allowed"},
		{"/a/./b", "must not contain the segment \".\" or \"..\""},
		{"/a/..", "must not contain the segment \".\" or \"..\""},
	};
	char longest[1026];
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		error = (struct herald_error){0};
		enum herald_status status = herald_http_path_check("path", cases[i].path, &error);

		assert_int_equal(status, cases[i].message ? HERALD_BAD_OPTION : HERALD_OK);
		assert_int_equal(error.status, status);
		assert_string_equal(error.path, cases[i].message ? "path" : "");
		if (cases[i].message && !strstr(error.message, cases[i].message))
			fail_msg("\"%s\" instead of \"%s\"", error.message, cases[i].message);
	}
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[1025] = '\0';
	assert_int_equal(herald_http_path_check("p", longest, NULL), HERALD_BAD_OPTION);
	assert_int_equal(herald_http_path_check("p", longest, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.path, "p");
	assert_string_equal(error.message, "p: must have at most 1024 bytes");
	longest[1024] = '\0';
	assert_int_equal(herald_http_path_check("p", longest, &error), HERALD_OK);
}

/* Every byte at each place of the names that are looked for: another name, unless it is the
 * letter. */
static void
names_differ_in_case_only(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{"Content-Length", "5"},
		{"Transfer-Encoding", "chunked"},
		{"Expect", "100-continue"},
		{"Content-Type", "a/b"},
		{"Host", "t"},
	};
	const struct herald_http_framing none = HERALD_HTTP_FRAMING_INIT;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		for (size_t at = 0; at < strlen(cases[i].name); at++) {
			for (int byte = 1; byte < 256; byte++) {
				struct herald_http_framing framing = none;
				char name[32];
				int same = cases[i].name[at];
				bool is_same =
					byte == same || (same != '-' && (byte ^ same) == 0x20);

				snprintf(name, sizeof(name), "%s", cases[i].name);
				name[at] = (char)byte;
				herald_http_framing_add(&framing, name, cases[i].value);
				bool is_seen = framing.content_length != none.content_length ||
					       framing.chunked || framing.expects_continue ||
					       framing.content_type || framing.has_host;
				if (is_seen != is_same)
					fail_msg("%s with 0x%02x at %zu", cases[i].name, byte, at);
			}
		}
	}
}

/* Every byte, at the end of a name (RFC 9110 section 5.6.2). */
static void
names_are_tokens(void **state)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct herald_http_framing framing;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char name[] = {'X', (char)byte, '\0'};

		framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
		herald_http_framing_add(&framing, name, "chunked");
		assert_int_equal(framing.problem != NULL, !strchr(allowed, byte));
	}
	framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	herald_http_framing_add(&framing, "", "chunked");
	assert_non_null(framing.problem);
}

static void
bytes_of_tokens(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
	} rows[] = {
		{"", 0},    {"a", 1},     {"Host: x", 4},  {" a", 0},
		{"a b", 1}, {"GET /", 3}, {"\xC3\xA9", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(herald_http_token_bytes(rows[i].text), rows[i].bytes);
}

/* Each byte at each place of texts up to some words long. */
static void
bytes_of_values(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes <= 26; bytes++)
		for (size_t at = 0; at < bytes; at++)
			for (int byte = 0; byte < 256; byte++) {
				bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
				char text[26];

				memset(text, 'x', sizeof(text));
				text[bytes / 2] = '\t';
				text[at] = (char)byte;
				if (herald_http_value_bytes(text, bytes) !=
				    (is_control ? at : bytes))
					fail_msg("0x%02x at %zu of %zu", byte, at, bytes);
			}
}

/* A host is read within its bytes, behind which there may be nothing. */
static void
hosts_are_cut(void **state)
{
	static const struct {
		const char *text;
		size_t from, to; /* with these numbers of bytes it is not a host */
	} cases[] = {{"a%41:8", 2, 3}, {"[::1]:8", 1, 4}};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		for (size_t bytes = 1; bytes <= strlen(cases[i].text); bytes++) {
			char *host = malloc(bytes);

			assert_non_null(host);
			memcpy(host, cases[i].text, bytes);
			assert_int_equal(herald__http_is_host((struct herald_text){host, bytes}),
					 bytes < cases[i].from || bytes > cases[i].to);
			free(host);
		}
	assert_false(herald__http_is_host((struct herald_text){"[::1\0]", 6}));
}

/* An answer's headers. */

/* Up to a header named Last. */
static bool
collect(const char *name, const char *value, void *state)
{
	char *text = state;
	size_t bytes = strlen(text);

	snprintf(text + bytes, 256 - bytes, "%s: %s\n", name, value);
	return strcmp(name, "Last") != 0;
}

static void
headers_of_an_answer(void **state)
{
	static const struct herald_answer_header own[] = {
		{"X-A", "a"}, {"Last", "b"}, {"X-C", "c"}};
	const struct herald_http_response full = {
		.status = 503,
		.content_type = "application/json",
		.body = "{}",
		.body_bytes = 2,
		.allow = "POST",
		.challenge = "Bearer",
		.retry_after_s = UINT32_MAX,
		.headers = own,
		.headers_count = 1,
	};
	const struct herald_http_response least = {.status = 200, .content_type = "a/b"};
	const struct herald_http_response none = {
		.status = 204, .headers = own, .headers_count = HERALD_COUNT(own)};
	const struct herald_http_response reset = {.status = 205};
	const struct herald_http_response unchanged = {.status = 304};
	char text[256] = "";

	(void)state;
	assert_true(herald_http_response_headers(&full, collect, text));
	assert_string_equal(text, "Content-Type: application/json\nContent-Length: 2\nAllow: POST\n"
				  "WWW-Authenticate: Bearer\nRetry-After: 4294967295\nX-A: a\n");
	text[0] = '\0';
	assert_true(herald_http_response_headers(&least, collect, text));
	assert_string_equal(text, "Content-Type: a/b\nContent-Length: 0\n");
	text[0] = '\0';
	assert_true(herald_http_response_headers(&reset, collect, text));
	assert_string_equal(text, "Content-Length: 0\n");
	text[0] = '\0';
	assert_true(herald_http_response_headers(&unchanged, collect, text));
	assert_string_equal(text, "");
	assert_false(herald_http_response_headers(&none, collect, text));
	assert_string_equal(text, "X-A: a\nLast: b\n");
}

static void
reasons(void **state)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} cases[] = {
		{200, "OK"},
		{226, "IM Used"},
		{299, "Unassigned"},
		{302, "Found"},
		{308, "Permanent Redirect"},
		{399, "Unassigned"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{431, "Request Header Fields Too Large"},
		{499, "error"},
		{505, "HTTP Version Not Supported"},
		{511, "Network Authentication Required"},
		{599, "error"},
	};
	/* The statuses that the server sends itself. */
	static const unsigned own[] = {400, 404, 405, 408, 413, 414, 415, 431, 500, 503, 505};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		assert_string_equal(herald_http_reason(cases[i].status), cases[i].phrase);
	for (size_t i = 0; i < HERALD_COUNT(own); i++)
		assert_string_not_equal(herald_http_reason(own[i]), "error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clear_framings),
		cmocka_unit_test(framings_with_a_body),
		cmocka_unit_test(hidden_bodies),
		cmocka_unit_test(connections),
		cmocka_unit_test(target_parts),
		cmocka_unit_test(ambiguous_framings),
		cmocka_unit_test(content_encodings),
		cmocka_unit_test(versions),
		cmocka_unit_test(schemes),
		cmocka_unit_test(request_lines),
		cmocka_unit_test(hosts),
		cmocka_unit_test(values_have_no_control_bytes),
		cmocka_unit_test(targets),
		cmocka_unit_test(paths_of_options),
		cmocka_unit_test(names_differ_in_case_only),
		cmocka_unit_test(names_are_tokens),
		cmocka_unit_test(bytes_of_tokens),
		cmocka_unit_test(bytes_of_values),
		cmocka_unit_test(hosts_are_cut),
		cmocka_unit_test(headers_of_an_answer),
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests_name("http_adapter", tests, NULL, NULL);
}
