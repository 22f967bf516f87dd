/*
 * The scanner of the libevent adapter: what it passes on to evhttp and what it refuses, in whatever
 * pieces the bytes arrive. Uses a table, and random requests from the grammar of RFC 9112.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/route.h>

#include "../../adapters/http/libevent/scanner.h"
#include "support/draw.h"
#include "support/every_kind.h"

#define MAX_BYTES 8192
#define HEAD "POST /event HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* The result of scanning a stream of bytes. */
struct outcome {
	char passed[MAX_BYTES];
	size_t passed_bytes;
	enum herald__scan_verdict verdict;
	bool is_start; /* all requests are complete */
};

/* Scan as if `piece_bytes` came at a time, each at the end of memory that may be read. */
static void
scan(const char *data, size_t bytes, size_t piece_bytes, struct outcome *out)
{
	struct herald__scanner scanner;

	memset(out, 0, sizeof(*out));
	herald__scanner_init(&scanner, 100);
	for (size_t at = 0; at < bytes; at += piece_bytes) {
		size_t left = bytes - at < piece_bytes ? bytes - at : piece_bytes;
		char *piece = malloc(left);

		assert_non_null(piece);
		memcpy(piece, data + at, left);
		for (size_t i = 0; i < left;) {
			struct herald__scan step =
				herald__scanner_run(&scanner, piece + i, left - i);

			if (out->verdict != SCAN_GOOD)
				assert_int_equal(step.passed_bytes, 0);
			memcpy(out->passed + out->passed_bytes, piece + i, step.passed_bytes);
			out->passed_bytes += step.passed_bytes;
			if (step.verdict != SCAN_GOOD)
				out->verdict = step.verdict;
			else
				assert_true(step.passed_bytes + step.dropped_bytes > 0);
			i += step.passed_bytes + step.dropped_bytes;
		}
		free(piece);
	}
	out->is_start = scanner.state == SCAN_START;
	herald__scanner_finish(&scanner);
}

/* The outcome must be the same for all pieces. */
static void
scan_all_ways(const char *data, size_t bytes, struct outcome *out)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64};

	scan(data, bytes, bytes, out);
	for (size_t i = 0; i < HERALD_COUNT(pieces); i++) {
		struct outcome other;

		scan(data, bytes, pieces[i], &other);
		assert_int_equal(other.verdict, out->verdict);
		assert_int_equal(other.is_start, out->is_start);
		/* A part of a bad line may have been passed on, depending on how it arrived. */
		if (out->verdict != SCAN_GOOD)
			continue;
		assert_int_equal(other.passed_bytes, out->passed_bytes);
		assert_memory_equal(other.passed, out->passed, out->passed_bytes);
	}
}

#define BYTES(TEXT) TEXT, sizeof(TEXT) - 1

static void
good_requests_are_passed(void **state)
{
	static const struct {
		const char *data;
		size_t bytes;
		const char *passed; /* NULL: all of it */
	} cases[] = {
		{BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NULL},
		{BYTES("GET /?a=%7a|[] HTTP/1.0\r\n\r\n"), NULL},
		{BYTES("GET /%41%7e HTTP/1.1\r\n\r\n"), NULL},
		{BYTES("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"), NULL},
		{BYTES("POST http://a/event HTTP/1.1\r\n!#$%&'*+-.^_`|~9aZ: \t\x80\xff \r\n\r\n"),
		 NULL},
		{BYTES(HEAD "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"), NULL},
		{BYTES(HEAD "content-length:0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), NULL},
		{BYTES(HEAD "Content-Length: 2\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"), NULL},
		{BYTES("\r\n" HEAD "\r\n\r\n" HEAD "\r\n"), HEAD "\r\n" HEAD "\r\n"},
		{BYTES(CHUNKED "5\r\nab\r\nc\r\n0A\r\n0123456789\r\n000\r\n\r\n" HEAD "\r\n"),
		 NULL},
		{BYTES(CHUNKED "f\r\n0123456789abcde\r\nF\r\n0123456789abcde\r\n0\r\n\r\n"), NULL},
		{BYTES(CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), NULL},
		{BYTES(CHUNKED "1;a=b;c=\"d\"\r\nx\r\n1 \t;\t e\r\ny\r\n0;a\r\n\r\n"),
		 CHUNKED "1\r\nx\r\n1\r\ny\r\n0\r\n\r\n"},
		{BYTES(CHUNKED
		       "1;a = b\t; c\t;d= \"\\\"\\\\;\t\xff=\" ;e;f=\"\"\r\nx\r\n0\r\n\r\n"),
		 CHUNKED "1\r\nx\r\n0\r\n\r\n"},
		{BYTES(CHUNKED "1\r\nx\r\n0\r\nContent-Length: 9\r\nX-A: b\r\n\r\n" HEAD "\r\n"),
		 CHUNKED "1\r\nx\r\n0\r\n\r\n" HEAD "\r\n"},
		/* evhttp would take these bodies for requests. */
		{BYTES("HEAD / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"),
		 "HEAD / HTTP/1.1\r\nContent-Length: 3\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
		{BYTES("TRACE / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "3\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
		 "TRACE / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
		{BYTES("BREW / HTTP/1.1\r\nContent-Length: 300\r\n\r\n"),
		 "BREW / HTTP/1.1\r\nContent-Length: 300\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const char *passed = cases[i].passed ? cases[i].passed : cases[i].data;
		size_t passed_bytes = cases[i].passed ? strlen(passed) : cases[i].bytes;
		struct outcome out;

		scan_all_ways(cases[i].data, cases[i].bytes, &out);
		if (out.verdict != SCAN_GOOD || out.passed_bytes != passed_bytes ||
		    memcmp(out.passed, passed, passed_bytes) != 0)
			fail_msg("case %zu: %d: %s", i, out.verdict, out.passed);
		assert_int_equal(out.is_start, i != HERALD_COUNT(cases) - 1);
	}
}

static void
bad_requests_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t bytes;
		size_t bad_at; /* nothing from this line on is passed */
	} cases[] = {
		/* Request lines. */
		{BYTES("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 1},
		{BYTES("\nGET / HTTP/1.1\r\n\r\n"), 0},
		{BYTES("\rGET / HTTP/1.1\r\n\r\n"), 0},
		{BYTES("GET /event\r\n"), 11},
		{BYTES("GET /event HTTP/0.9\r\n"), 20},
		{BYTES("GET / HTTP/1.2\r\n\r\n"), 15},
		{BYTES("GET / HTTP/1.01\r\n\r\n"), 16},
		{BYTES("GET / HTTP/1.+1\r\n\r\n"), 16},
		{BYTES("GET / HTTP/2.0\r\n\r\n"), 15},
		{BYTES("GET / http/1.1\r\n\r\n"), 15},
		{BYTES("GET / HTTP/1.1 \r\n\r\n"), 16},
		{BYTES("GET  / HTTP/1.1\r\n\r\n"), 16},
		{BYTES("GET /  HTTP/1.1\r\n\r\n"), 16},
		{BYTES("GET /a b HTTP/1.1\r\n\r\n"), 18},
		{BYTES("GET\t/ HTTP/1.1\r\n\r\n"), 15},
		{BYTES(" GET / HTTP/1.1\r\n\r\n"), 16},
		{BYTES("G(T / HTTP/1.1\r\n\r\n"), 15},
		{BYTES("GET HTTP/1.1\r\n\r\n"), 13},
		{BYTES("GET /%00 HTTP/1.1\r\n\r\n"), 18},
		{BYTES("GET /%0 HTTP/1.1\r\n\r\n"), 17},
		{BYTES("GET /%zz HTTP/1.1\r\n\r\n"), 18},
		{BYTES("GET /?%zz HTTP/1.1\r\n\r\n"), 19},
		{BYTES("GET /\xc3\xa4 HTTP/1.1\r\n\r\n"), 17},
		{BYTES("GET /\0 HTTP/1.1\r\n\r\n"), 5},
		{BYTES("GET /\t HTTP/1.1\r\n\r\n"), 16},
		{BYTES("GET / HTTP/1.1\n\r\n"), 14},
		{BYTES("GET / HTTP/1.1\r\r\n\r\n"), 15},
		{BYTES("CONNECT t:80 HTTP/1.1\r\n\r\n"), 7},
		{BYTES("CONNECT / HTTP/1.1\r\n\r\n"), 7},
		{BYTES("CONNECT http://a/ HTTP/1.0\r\n\r\n"), 7},
		{BYTES("GET * HTTP/1.1\r\n\r\n"), 15},
		{BYTES("GET t:80 HTTP/1.1\r\n\r\n"), 18},
		{BYTES("GET /a#b HTTP/1.1\r\n\r\n"), 18},
		{BYTES("GET http://:80/ HTTP/1.1\r\n\r\n"), 25},
		{BYTES("GET http://[::-]/ HTTP/1.1\r\n\r\n"), 27},
		{BYTES("GET http://[dead]/ HTTP/1.1\r\n\r\n"), 28},
		{BYTES("GET ftp://a/ HTTP/1.1\r\n\r\n"), 22},
		/* Headers. */
		{BYTES(HEAD "\0\r\n\r\n"), 31},
		{BYTES(HEAD "X: a\0\r\n\r\n"), 35},
		{BYTES(HEAD "X: a\x01\r\n\r\n"), 35},
		{BYTES(HEAD "X: a\x7f\r\n\r\n"), 35},
		{BYTES(HEAD "X: a\n\r\n"), 35},
		{BYTES(HEAD "X: a\rY: b\r\n\r\n"), 36},
		{BYTES(HEAD "X: a\r\r\n\r\n"), 36},
		{BYTES(HEAD "X: a\r\n b\r\n\r\n"), 40},
		{BYTES(HEAD "X: a\r\n\tb\r\n\r\n"), 40},
		{BYTES(HEAD "X : a\r\n\r\n"), 37},
		{BYTES(HEAD "X\r\n\r\n"), 33},
		{BYTES(HEAD ":\r\n\r\n"), 33},
		{BYTES(HEAD ": a\r\n\r\n"), 35},
		{BYTES(HEAD "X\xc3\xa4: a\r\n\r\n"), 38},
		{BYTES(HEAD "\n\r\n"), 31},
		{BYTES(HEAD "\r\r\n"), 32},
		/* Lengths. */
		{BYTES(HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), 69},
		{BYTES(HEAD "Content-Length: +1\r\n\r\n"), 50},
		{BYTES(HEAD "Content-Length: 1,1\r\n\r\n"), 51},
		{BYTES(HEAD "CONTENT-LENGTH: 0x1\r\n\r\n"), 51},
		{BYTES(HEAD "Content-Length:\r\n\r\n"), 47},
		{BYTES(HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 78},
		{BYTES(HEAD "Transfer-Encoding: gzip\r\n\r\n"), 55},
		{BYTES(HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n"), 67},
		{BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 45},
		/* Chunks. */
		{BYTES(CHUNKED "\r\n"), 61},
		{BYTES(CHUNKED "x\r\n"), 61},
		{BYTES(CHUNKED "-1\r\n"), 61},
		{BYTES(CHUNKED "g\r\n"), 61},
		{BYTES(CHUNKED "G\r\n"), 61},
		{BYTES(CHUNKED "@\r\n"), 61},
		{BYTES(CHUNKED "`\r\n"), 61},
		{BYTES(CHUNKED ":\r\n"), 61},
		{BYTES(CHUNKED "/\r\n"), 61},
		{BYTES(CHUNKED "0x1\r\na\r\n"), 62},
		{BYTES(CHUNKED " 1\r\na\r\n"), 61},
		{BYTES(CHUNKED "1 \r\na\r\n"), 63},
		{BYTES(CHUNKED "1 x;\r\na\r\n"), 63},
		{BYTES(CHUNKED "1\tx;\r\na\r\n"), 63},
		{BYTES(CHUNKED "1\na\r\n"), 62},
		{BYTES(CHUNKED "1\r\nab\r\n"), 65},
		{BYTES(CHUNKED "1\r\na\n"), 65},
		{BYTES(CHUNKED "1\r\na0\r\n"), 65},
		{BYTES(CHUNKED "1;a\n\r\n"), 63},
		{BYTES(CHUNKED "1;a\0\r\n"), 63},
		{BYTES(CHUNKED "1;\r\na\r\n"), 62},
		{BYTES(CHUNKED "1; \r\na\r\n"), 62},
		{BYTES(CHUNKED "1;;a\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;=a\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;(\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;\"a\"\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a \r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a b\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a,b\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a\"b\"\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a= \r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a==b\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=;b\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=(\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=b=\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=b \r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=b c\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\xff\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"b\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"\x01\"\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"\\\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"\\\x7f\"\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"b\"c\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"b\"=c\r\na\r\n"), 62},
		{BYTES(CHUNKED "1;a=\"b\" \r\na\r\n"), 62},
		{BYTES(CHUNKED "1000000000000000\r\n"), 76},
		{BYTES(CHUNKED "0000000000000001\r\n"), 76},
		{BYTES(CHUNKED "0\r\n\n"), 64},
		{BYTES(CHUNKED "0\r\na\r\n\r\n"), 64},
		{BYTES(CHUNKED "0\r\na: b\r\n c\r\n\r\n"), 64},
		{BYTES(CHUNKED "0\r\na: b\n\r\n"), 64},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct outcome out;

		scan_all_ways(cases[i].data, cases[i].bytes, &out);
		if (out.verdict != SCAN_BAD || out.passed_bytes > cases[i].bad_at)
			fail_msg("case %zu: %d after %zu bytes", i, out.verdict, out.passed_bytes);
	}
}

/* The largest is 100 bytes. */
static void
large_bodies_are_refused(void **state)
{
	static const struct {
		const char *length, *more;
		bool waits; /* until the body has come */
	} cases[] = {
		{"101", "", true},
		{"16777216", "", true},
		{"16777217", "", false},
		{"101", "Expect: 100-continue\r\n", false},
		{"9223372036854775808", "", false},
		{"99999999999999999999999", "", false},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char request[512];
		struct outcome out;

		int bytes =
			snprintf(request, sizeof(request), HEAD "%sContent-Length: %s\r\n\r\n%200s",
				 cases[i].more, cases[i].length, "");
		scan_all_ways(request, (size_t)bytes, &out);
		bool has_come = !cases[i].waits || strcmp(cases[i].length, "101") == 0;
		assert_int_equal(out.verdict, has_come ? SCAN_TOO_LARGE : SCAN_GOOD);
		assert_int_equal(out.passed_bytes, bytes - 202);
	}
}

static void
endless_input_is_refused(void **state)
{
	static const char *const beginnings[] = {
		"", "GET / HTTP/1.1\r\nX: ", CHUNKED "0\r\nX: ", CHUNKED "1;", CHUNKED "1",
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(beginnings) * 2; i++) {
		static const char *const more[] = {"a", "a\r\nX: a"};
		bool lines = i % 2;
		struct herald__scanner scanner;
		struct herald__scan last = {.verdict = SCAN_GOOD};
		const char *data = beginnings[i / 2];
		size_t bytes = strlen(data), sent = 0;

		/* Endless headers are evhttp's to refuse. */
		if (lines && i / 2 != 2)
			continue;
		herald__scanner_init(&scanner, 0);
		while (sent < 2 * SCAN_MAX_LINE_BYTES && last.verdict == SCAN_GOOD) {
			while (bytes > 0 && last.verdict == SCAN_GOOD) {
				last = herald__scanner_run(&scanner, data, bytes);
				data += last.passed_bytes + last.dropped_bytes;
				bytes -= last.passed_bytes + last.dropped_bytes;
			}
			data = more[lines];
			bytes = strlen(data);
			sent += bytes;
		}
		assert_int_equal(last.verdict, SCAN_BAD);
		herald__scanner_finish(&scanner);
	}
}

/* What a scanner says of a beginning, so many times the same byte, and an end. */
static enum herald__scan_verdict
scan_padded(const char *beginning, size_t padding_bytes, const char *end)
{
	size_t bytes = strlen(beginning) + padding_bytes + strlen(end);
	char *data = malloc(bytes + 1);
	struct herald__scanner scanner;
	struct herald__scan step = {.verdict = SCAN_GOOD};

	assert_non_null(data);
	snprintf(data, bytes + 1, "%s%*s%s", beginning, (int)padding_bytes, "", end);
	herald__scanner_init(&scanner, 0);
	for (size_t i = 0; i < bytes && step.verdict == SCAN_GOOD;) {
		step = herald__scanner_run(&scanner, data + i, bytes - i);
		i += step.passed_bytes + step.dropped_bytes;
	}
	herald__scanner_finish(&scanner);
	free(data);
	return step.verdict;
}

/* At each limit exactly, and one byte beyond. */
static void
limits_are_exact(void **state)
{
	(void)state;
	/* A line counts without its end; trailers count up to the last LF, and what
	 * follows the `;` of a chunk up to its LF. */
	size_t padding = 65536 - strlen("X:");
	assert_int_equal(scan_padded(HEAD "X:", padding, "\r\n"), SCAN_GOOD);
	assert_int_equal(scan_padded(HEAD "X:", padding + 1, "\r\n"), SCAN_BAD);
	/* The memory of a long line is given back, and the next line has its own. */
	assert_int_equal(scan_padded(HEAD "X:", 2000, "\r\n\r\n" HEAD "\r\n"), SCAN_GOOD);
	padding = 16384 - strlen("X:\r\n\r");
	assert_int_equal(scan_padded(CHUNKED "0\r\nX:", padding, "\r\n\r\n"), SCAN_GOOD);
	assert_int_equal(scan_padded(CHUNKED "0\r\nX:", padding + 1, "\r\n\r\n"), SCAN_BAD);
	padding = 16384 - strlen("a\r");
	assert_int_equal(scan_padded(CHUNKED "1;", padding, "a\r\na\r\n"), SCAN_GOOD);
	assert_int_equal(scan_padded(CHUNKED "1;", padding + 1, "a\r\na\r\n"), SCAN_BAD);
}

/* Requests from the grammar. */

struct writer {
	struct every_random *random;
	char sent[MAX_BYTES], expected[MAX_BYTES];
	size_t sent_bytes, expected_bytes;
};

static void
put_unseen(struct writer *writer, const char *text)
{
	size_t bytes = strlen(text);

	assert_true(writer->sent_bytes + bytes < MAX_BYTES);
	memcpy(writer->sent + writer->sent_bytes, text, bytes);
	writer->sent_bytes += bytes;
}

static void
put(struct writer *writer, const char *text)
{
	size_t bytes = strlen(text);

	put_unseen(writer, text);
	memcpy(writer->expected + writer->expected_bytes, text, bytes);
	writer->expected_bytes += bytes;
}

static bool
chance(struct writer *writer, unsigned percent)
{
	return every_random_below(writer->random, 100) < percent;
}

#define PICK(WRITER, ...)                                                                          \
	((const char *const[]){__VA_ARGS__}[every_random_below(                                    \
		(WRITER)->random,                                                                  \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))])

static void
put_headers(struct writer *writer)
{
	while (chance(writer, 60)) {
		put(writer, PICK(writer, "X", "Content-Lengt", "a-b", "Content-Type"));
		put(writer, ":");
		put(writer, PICK(writer, "", " ", "\t ", "  "));
		put(writer, PICK(writer, "", "a", "POST /event HTTP/1.1", "5", "\xff", ": :"));
		put(writer, PICK(writer, "", " ", "\t"));
		put(writer, "\r\n");
	}
}

static void
put_chunks(struct writer *writer)
{
	char size[32];

	put(writer, "Transfer-Encoding: chunked\r\n\r\n");
	while (chance(writer, 70)) {
		const char *data = PICK(writer, "\r\n", "a", "GET / HTTP/1.1\r\n\r\n", "0\r\n\r\n");

		snprintf(size, sizeof(size), chance(writer, 50) ? "%zx" : "00%zX", strlen(data));
		put(writer, size);
		put_unseen(writer, PICK(writer, "", "", ";a", ";a=b", " ;a", ";a=\"0\""));
		put(writer, "\r\n");
		put(writer, data);
		put(writer, "\r\n");
	}
	put(writer, PICK(writer, "0\r\n", "000\r\n"));
	while (chance(writer, 30))
		put_unseen(writer, PICK(writer, "X: y\r\n", "Content-Length: 9\r\n", "a:\r\n"));
	put(writer, "\r\n");
}

static void
put_request(struct writer *writer)
{
	char length[64];

	if (chance(writer, 20))
		put_unseen(writer, "\r\n");
	put(writer, PICK(writer, "POST", "GET", "PUT", "DELETE"));
	put(writer, PICK(writer, " / ", " /event?a=%01 ", " http://a/ ", " /%41;b "));
	put(writer, "HTTP/1.1\r\n");
	put_headers(writer);
	if (chance(writer, 40)) {
		put_chunks(writer);
	} else if (chance(writer, 70)) {
		const char *body = PICK(writer, "", "a", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n");

		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
		put(writer, length);
		put_headers(writer);
		put(writer, "\r\n");
		put(writer, body);
	} else {
		put(writer, "\r\n");
	}
}

static void
random_requests(void **state)
{
	struct every_random random = {.state = draw_seed()};

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct writer writer = {.random = &random};
		struct outcome out;
		uint64_t seed = random.state;

		do
			put_request(&writer);
		while (chance(&writer, 60) && writer.sent_bytes < MAX_BYTES / 4);
		scan_all_ways(writer.sent, writer.sent_bytes, &out);
		if (out.verdict != SCAN_GOOD || !out.is_start ||
		    out.passed_bytes != writer.expected_bytes ||
		    memcmp(out.passed, writer.expected, out.passed_bytes) != 0)
			fail_msg("HERALD_TEST_SEED=%llu: %.*s", (unsigned long long)seed,
				 (int)writer.sent_bytes, writer.sent);

		/* With one byte changed, the result is still the same for all pieces. */
		writer.sent[every_random_below(&random, writer.sent_bytes)] =
			(char)every_random_below(&random, 256);
		scan_all_ways(writer.sent, writer.sent_bytes, &out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_requests_are_passed),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(large_bodies_are_refused),
		cmocka_unit_test(endless_input_is_refused),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(random_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
