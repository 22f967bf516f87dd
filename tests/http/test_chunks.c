/*
 * Bodies in chunks: what they hold, where they end, and where they are malformed, whole and in
 * pieces of every size.
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

#include "http/server/chunks.h"
#include "support/draw.h"

#define BODY_BYTES 65536

/* A body, as far as it has been read. */
struct body {
	struct herald__chunks chunks;
	char data[BODY_BYTES];
	size_t bytes;
	size_t read_bytes; /* of the chunks */
};

/* Read a part, in a block of its exact size. */
static void
read_part(struct body *body, const char *part, size_t bytes)
{
	char *copy = malloc(bytes > 0 ? bytes : 1);
	size_t at = 0;

	assert_non_null(copy);
	memcpy(copy, part, bytes);
	while (at < bytes && herald__chunks_go_on(&body->chunks)) {
		struct herald_text piece;
		size_t taken = herald__chunks_read(&body->chunks, copy + at, bytes - at, &piece);

		assert_in_range(taken, 1, bytes - at);
		assert_true(piece.bytes <= taken && body->bytes + piece.bytes <= BODY_BYTES);
		if (piece.bytes > 0) {
			assert_ptr_equal(piece.data + piece.bytes, copy + at + taken);
			memcpy(body->data + body->bytes, piece.data, piece.bytes);
		}
		body->bytes += piece.bytes;
		at += taken;
	}
	body->read_bytes += at;
	free(copy);
}

static struct body *
begin_body(void)
{
	struct body *body = calloc(1, sizeof(*body));

	assert_non_null(body);
	body->chunks = (struct herald__chunks)HERALD__CHUNKS_INIT;
	return body;
}

static struct body *
read_whole(const char *text, size_t bytes)
{
	struct body *body = begin_body();

	read_part(body, text, bytes);
	return body;
}

static void
assert_same(const struct body *body, const struct body *other, const char *text)
{
	if (body->chunks.state != other->chunks.state || body->read_bytes != other->read_bytes ||
	    body->bytes != other->bytes || memcmp(body->data, other->data, body->bytes) != 0)
		fail_msg("in pieces it is another body: %s", text);
}

/* Two pieces, at every byte; and byte for byte. */
static void
assert_splits(const char *text, size_t bytes, const struct body *whole)
{
	for (size_t split = 0; split <= bytes; split++) {
		struct body *body = begin_body();

		read_part(body, text, split);
		read_part(body, text + split, bytes - split);
		assert_same(body, whole, text);
		free(body);
	}
	struct body *body = begin_body();
	for (size_t i = 0; i < bytes; i++)
		read_part(body, text + i, 1);
	assert_same(body, whole, text);
	free(body);
}

#define TEXT(TEXT) TEXT, sizeof(TEXT) - 1

static void
whole_bodies(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *body;
	} cases[] = {
		{TEXT("0\r\n\r\n"), ""},
		{TEXT("000000000000000\r\n\r\n"), ""},
		{TEXT("1\r\na\r\n0\r\n\r\n"), "a"},
		{TEXT("a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n"), "0123456789abcdefghij"},
		{TEXT("00000000000000b\r\n0123456789\n\r\n0\r\n\r\n"), "0123456789\n"},
		{TEXT("2\r\n\r\n\r\n0\r\n\r\n"), "\r\n"},
		{TEXT("1;a\r\nx\r\n0;b=c\r\n\r\n"), "x"},
		{TEXT("1 ;a=\"b;\xff\"\r\nx\r\n0\t ;\t b = c\r\n\r\n"), "x"},
		{TEXT("1;a;b=c;d=\"\";e\r\nx\r\n0\t;\t!#$=~\r\n\r\n"), "x"},
		{TEXT("1;a=\"\\\"\\\\ \t\xff\"\t;b\r\nx\r\n0;a \t= \t\"=;\" \t; \tb\r\n\r\n"), "x"},
		{TEXT("1;a ;b\r\nx\r\n0;a\t\t;\tb=\":\"\r\nA: \"b\\c\":;=d\r\n\r\n"), "x"},
		{TEXT("1\r\nx\r\n0\r\nA:b\r\nContent-Length: 5\r\nC:\r\n\r\n"), "x"},
		{TEXT("0\r\nA: \tb\xff \r\n\r\n"), ""},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char longer[128];
		struct body *body;

		/* What follows is not read. */
		memcpy(longer, cases[i].text, cases[i].bytes);
		memcpy(longer + cases[i].bytes, "\r\n1", 3);
		body = read_whole(longer, cases[i].bytes + 3);
		if (body->chunks.state != HERALD__CHUNKS_END)
			fail_msg("not accepted: %s", cases[i].text);
		assert_int_equal(body->read_bytes, cases[i].bytes);
		assert_int_equal(body->bytes, strlen(cases[i].body));
		assert_memory_equal(body->data, cases[i].body, body->bytes);
		assert_splits(longer, cases[i].bytes + 3, body);
		free(body);
		/* No part of it is an end, nor malformed. */
		for (size_t part = 0; part < cases[i].bytes; part++) {
			body = read_whole(cases[i].text, part);
			assert_true(herald__chunks_go_on(&body->chunks));
			assert_int_equal(body->read_bytes, part);
			free(body);
		}
	}
}

/* Each ends with the byte that is wrong. */
static void
malformed_bodies(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
	} cases[] = {
		{TEXT("\r")},
		{TEXT("\n")},
		{TEXT(" ")},
		{TEXT("\t")},
		{TEXT(";")},
		{TEXT("-")},
		{TEXT("+")},
		{TEXT("g")},
		{TEXT("G")},
		{TEXT("\xff")},
		{TEXT("\0")},
		{TEXT("0x")},
		{TEXT("1_")},
		{TEXT("1.")},
		{TEXT("1,")},
		{TEXT("1/")},
		{TEXT("1:")},
		{TEXT("1@")},
		{TEXT("1`")},
		{TEXT("1\n")},
		{TEXT("1\0")},
		{TEXT("1 \r")},
		{TEXT("1 1")},
		{TEXT("1\t\n")},
		{TEXT("1\r\r")},
		{TEXT("1\ra")},
		{TEXT("0000000000000000")},
		{TEXT("fffffffffffffff0")},
		{TEXT("0000000000000001")},
		{TEXT("1;\r")},
		{TEXT("1;;")},
		{TEXT("1;=")},
		{TEXT("1;\"")},
		{TEXT("1; \r")},
		{TEXT("1;\xff")},
		{TEXT("1;a \r")},
		{TEXT("1;a b")},
		{TEXT("1;a\"")},
		{TEXT("1;a=\r")},
		{TEXT("1;a=;")},
		{TEXT("1;a= \r")},
		{TEXT("1;a==")},
		{TEXT("1;a=b=")},
		{TEXT("1;a=b\"")},
		{TEXT("1;a=b \r")},
		{TEXT("1;a=b c")},
		{TEXT("1;a=\"b\r")},
		{TEXT("1;a=\"b\\\r")},
		{TEXT("1;a=\"b\"c")},
		{TEXT("1;a=\"b\"\"")},
		{TEXT("1;a=\"b\" \r")},
		{TEXT("1;a\n")},
		{TEXT("1;a\0")},
		{TEXT("1;a\x7f")},
		{TEXT("1;a=\"\x7f")},
		{TEXT("1;a=\"\n")},
		{TEXT("1;a\rb")},
		{TEXT("1\r\nab")},
		{TEXT("1\r\na\n")},
		{TEXT("1\r\na\r\r")},
		{TEXT("1\r\na\r\n\r")},
		{TEXT("1\r\na\r\n;")},
		{TEXT("0\r\n\n")},
		{TEXT("0\r\n\r\r")},
		{TEXT("0\r\n\rA")},
		{TEXT("0\r\n:")},
		{TEXT("0\r\n ")},
		{TEXT("0\r\n\t")},
		{TEXT("0\r\nA\r")},
		{TEXT("0\r\nA ")},
		{TEXT("0\r\nA\n")},
		{TEXT("0\r\nA\xff")},
		{TEXT("0\r\nA:b\n")},
		{TEXT("0\r\nA:b\0")},
		{TEXT("0\r\nA:b\r\r")},
		{TEXT("0\r\nA:b\r\n ")},
		{TEXT("0\r\nA:b\r\n:")},
		{TEXT("0\r\nA:b\r\n\n")},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char longer[64];
		struct body *body;

		memcpy(longer, cases[i].text, cases[i].bytes);
		memcpy(longer + cases[i].bytes, "0\r\n\r\n", 5);
		body = read_whole(longer, cases[i].bytes + 5);
		if (body->chunks.state != HERALD__CHUNKS_BAD || body->read_bytes != cases[i].bytes)
			fail_msg("case %zu, %s: state %d after %zu bytes", i, cases[i].text,
				 (int)body->chunks.state, body->read_bytes);
		assert_splits(longer, cases[i].bytes + 5, body);
		free(body);
	}
}

/* The largest size has 15 digits. */
static void
largest_chunk(void **state)
{
	struct body *body = read_whole("fffffffffffffff\r\nabc", 20);

	(void)state;
	assert_int_equal(body->chunks.state, HERALD__CHUNK_DATA);
	assert_true(body->chunks.left_bytes == UINT64_C(0xfffffffffffffff) - 3);
	free(body);
}

/* The size of a chunk is read anew. */
static void
sizes_do_not_add_up(void **state)
{
	static const char text[] = "000000000000001\r\na\r\n000000000000002\r\nbc\r\n"
				   "000000000000000\r\n\r\n";
	struct body *body = read_whole(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(body->chunks.state, HERALD__CHUNKS_END);
	assert_int_equal(body->bytes, 3);
	free(body);
}

/* Extensions and trailers share a limit; chunks do not begin it anew. */
static void
dropped_bytes_are_limited(void **state)
{
	static const char *const forms[][3] = {
		{"1;", "x", "\r\na\r\n0\r\n\r\n"},
		{"1 ", " ", ";b\r\na\r\n0\r\n\r\n"},
		{"1; ", " ", "b\r\na\r\n0\r\n\r\n"},
		{"1;a ", " ", "=b\r\na\r\n0\r\n\r\n"},
		{"1;a=", " ", "b\r\na\r\n0\r\n\r\n"},
		{"1;a=b", "b", "\r\na\r\n0\r\n\r\n"},
		{"1;a=\"", "\\\"", "\"\r\na\r\n0\r\n\r\n"},
		{"0\r\nA:", "b", "\r\n\r\n"},
		{"0\r\n", "A", ":\r\n\r\n"},
		{"0\r\n", "A:\r\n", "\r\n"},
		{"", "1;xxxxx\r\na\r\n", "0\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(forms); i++) {
		struct body *body = begin_body();
		size_t sent = 0;

		read_part(body, forms[i][0], strlen(forms[i][0]));
		while (herald__chunks_go_on(&body->chunks)) {
			read_part(body, forms[i][1], strlen(forms[i][1]));
			sent += strlen(forms[i][1]);
			assert_true(sent <= 3 * HERALD__MAX_DROPPED_BYTES);
		}
		assert_int_equal(body->chunks.state, HERALD__CHUNKS_BAD);
		assert_true(sent >= HERALD__MAX_DROPPED_BYTES - 8);
		free(body);
		/* A little less is accepted. */
		body = begin_body();
		read_part(body, forms[i][0], strlen(forms[i][0]));
		for (size_t left = HERALD__MAX_DROPPED_BYTES / 2; left > 16;
		     left -= strlen(forms[i][1]) < left ? strlen(forms[i][1]) : left)
			read_part(body, forms[i][1], strlen(forms[i][1]));
		read_part(body, forms[i][2], strlen(forms[i][2]));
		assert_int_equal(body->chunks.state, HERALD__CHUNKS_END);
		free(body);
	}
}

/* Random chunks, of which some are malformed, in random pieces. */
static void
random_bodies_in_pieces(void **state)
{
	static const char *const parts[] = {"1\r\na\r\n",
					    "3\r\nabc\r\n",
					    "0\r\n",
					    "\r\n",
					    "A:b\r\n",
					    "2;x=y\r\nxy\r\n",
					    "0",
					    "f",
					    ";",
					    "\r",
					    "00000000000000"};
	uint64_t seed = draw_seed();

	(void)state;
	printf("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 500; i++) {
		char text[512];
		size_t bytes = 0;

		for (uint64_t left = draw_below(&seed, 12); left > 0; left--) {
			const char *part = parts[draw_below(&seed, HERALD_COUNT(parts))];

			memcpy(text + bytes, part, strlen(part) + 1);
			bytes += strlen(part);
		}
		if (bytes == 0)
			continue;
		if (draw_one_in(&seed, 4))
			text[draw_below(&seed, bytes)] = (char)draw_below(&seed, 256);
		struct body *whole = read_whole(text, bytes), *body = begin_body();
		assert_splits(text, bytes, whole);
		for (size_t at = 0, piece; at < bytes; at += piece) {
			piece = 1 + draw_below(&seed, bytes - at);
			read_part(body, text + at, piece);
		}
		assert_same(body, whole, text);
		free(body);
		free(whole);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_bodies),
		cmocka_unit_test(malformed_bodies),
		cmocka_unit_test(largest_chunk),
		cmocka_unit_test(sizes_do_not_add_up),
		cmocka_unit_test(dropped_bytes_are_limited),
		cmocka_unit_test(random_bodies_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
