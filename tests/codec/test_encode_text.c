/*
 * Texts as JSON strings, compared with a simple writer that works byte by byte. Tests every length,
 * every place of escapes and sequences in a block, buffers with much, hardly any, and too little
 * room, and texts next to an inaccessible page. Also built without SIMD.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "base/safe_text.h"
#include "support/decoding.h"
#include "support/every_kind.h"

#define MAX_BYTES 300

struct texts {
	struct herald_text v;
};
HERALD_SCHEMA(texts, HERALD_FIELD(texts, v));

static struct herald_codec *codec;
static struct every_random randomness;

/* What {"v":...} should be. Returns its length, or 0 when the text is not UTF-8. */
static size_t
write_plainly(const char *text, size_t bytes, char *out)
{
	char *at = out + sprintf(out, "{\"v\":\"");

	for (size_t i = 0, length; i < bytes; i += length) {
		const char *letters = "\"\"\\\\\bb\ff\nn\rr\tt", *found;
		bool valid = true;

		length = (unsigned char)text[i] < 0x80
				 ? 1
				 : herald__utf8_next(text + i, bytes - i, &valid);
		if (!valid)
			return 0;
		for (found = letters; *found != '\0' && *found != text[i]; found += 2)
			;
		if (*found != '\0')
			at += sprintf(at, "\\%c", found[1]);
		else if ((unsigned char)text[i] < ' ')
			at += sprintf(at, "\\u%04x", (unsigned)text[i]);
		else
			at += sprintf(at, "%.*s", (int)length, text + i);
	}
	return (size_t)(at - out) + (size_t)sprintf(at, "\"}");
}

/* Encode into a buffer that has `capacity` bytes and may not have more, or may have any number. */
static void
check(const char *text, size_t bytes, size_t capacity, bool may_grow)
{
	char expected[6 * MAX_BYTES + 20];
	size_t expected_bytes = write_plainly(text, bytes, expected);
	struct texts in = {{text, bytes}};
	struct herald_buffer buffer;
	enum herald_status status;

	herald_buffer_init(&buffer, NULL, may_grow ? 0 : capacity);
	assert_int_equal(herald_buffer_reserve(&buffer, capacity), HERALD_OK);
	status = herald_codec_encode(codec, &in, &buffer, NULL);
	if (!may_grow && capacity < bytes + 20 && status == HERALD_TOO_LARGE)
		assert_true(expected_bytes == 0 || capacity < expected_bytes);
	else if (expected_bytes == 0)
		assert_int_equal(status, HERALD_BAD_UTF8);
	else if (!may_grow && capacity < expected_bytes)
		assert_int_equal(status, HERALD_TOO_LARGE);
	else
		assert_int_equal(status, HERALD_OK);
	if (status == HERALD_OK) {
		assert_int_equal(buffer.bytes, expected_bytes);
		assert_memory_equal(buffer.data, expected, expected_bytes);
	} else {
		assert_int_equal(buffer.bytes, 0);
	}
	herald_buffer_finish(&buffer);
}

static void
check_all(const char *text, size_t bytes)
{
	char expected[6 * MAX_BYTES + 20];
	size_t enough = write_plainly(text, bytes, expected);
	const char *placed = decoding_place(text, bytes, false);

	if (enough == 0)
		enough = bytes + 20;
	check(placed, bytes, 8 * MAX_BYTES, true);
	check(placed, bytes, 1, true);
	check(placed, bytes, enough, false);
	check(placed, bytes, enough - 1, false);
	check(placed, bytes, enough + every_random_below(&randomness, 250), false);
	check(decoding_place(text, bytes, true), bytes, 8 * MAX_BYTES, true);
}

static const char *const pieces[] = {
	"a",
	"plain",
	"0123456789abcdef",
	"\"",
	"\\",
	"\n",
	"\x01",
	"\x1F",
	"\x7F",
	"/",
	"\xC3\xA9",
	"\xE2\x82\xAC",
	"\xED\x9F\xBF",
	"\xEE\x80\x80",
	"\xF0\x9F\x98\x80",
	"\xF4\x8F\xBF\xBF",
	"\xC2\x80",
	"\xE0\xA0\x80",
	"\xF0\x90\x80\x80",
	"0123456789abcdef0123456789abcdef0123456789abcdef",
};
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

/* Up to `max_bytes` bytes of pieces from the first `kinds`. Returns how many. */
static size_t
make_text(char *out, size_t max_bytes, size_t kinds)
{
	size_t bytes = 0;

	for (;;) {
		const char *piece = pieces[every_random_below(&randomness, kinds)];

		if (bytes + strlen(piece) > max_bytes)
			return bytes;
		memcpy(out + bytes, piece, strlen(piece));
		bytes += strlen(piece);
	}
}

static void
test_random_texts(void **state)
{
	char text[MAX_BYTES];

	(void)state;
	randomness.state = 31;
	for (size_t i = 0; i < 20000; i++)
		check_all(text, make_text(text, i % MAX_BYTES, i % 3 == 0 ? 5 : PIECES));
}

static void
test_broken_texts(void **state)
{
	char text[MAX_BYTES];

	(void)state;
	randomness.state = 32;
	for (size_t i = 0; i < 20000; i++) {
		size_t bytes = make_text(text, 1 + i % (MAX_BYTES - 1), PIECES);

		if (bytes == 0)
			continue;
		/* Most are wrong now; also when only the last sequence was cut. */
		text[every_random_below(&randomness, bytes)] =
			(char)every_random_below(&randomness, 256);
		check_all(text, bytes - every_random_below(&randomness, 2));
	}
}

/* Every sequence that may or may not be cut off, at every place of a long text and at its end. */
static void
test_sequences_at_every_place(void **state)
{
	static const char *const sequences[] = {
		"\xC3",         "\xE2\x82",
		"\xF0\x9F\x98", "\xE2",
		"\xF0\x9F",     "\xF0",
		"\x80",         "\xC3\xA9",
		"\xE2\x82\xAC", "\xF0\x9F\x98\x80",
		"\xED\xA0\x80", "\xF4\x90\x80\x80",
		"\xC0\xAF",
	};
	char text[MAX_BYTES];

	(void)state;
	for (size_t s = 0; s < sizeof(sequences) / sizeof(sequences[0]); s++)
		for (size_t before = 0; before < 140; before++)
			for (size_t after = 0; after < 140; after += after < 4 ? 1 : 27) {
				size_t bytes = strlen(sequences[s]);

				memset(text, 'x', sizeof(text));
				memcpy(text + before, sequences[s], bytes);
				check(decoding_place(text, before + bytes + after, false),
				      before + bytes + after, 8 * MAX_BYTES, true);
			}
}

static int
create_codec(void **state)
{
	(void)state;
	codec = decoding_codec(&texts_schema, NULL);
	return 0;
}

static int
destroy_codec(void **state)
{
	herald_codec_destroy(codec);
	return decoding_finish(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_broken_texts),
		cmocka_unit_test(test_sequences_at_every_place),
	};

	return cmocka_run_group_tests_name("encode_text", tests, create_codec, destroy_codec);
}
