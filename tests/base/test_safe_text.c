/*
 * safe_text.h: unchecked text, written as JSON strings and messages. The output is always valid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/text.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* U+FFFD, what stands for bytes that are not UTF-8. */
#define FFFD "\xEF\xBF\xBD"

/* UTF-8 as RFC 3629 section 3 defines it, for any number, surrogates included. */
static size_t
encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

static void
test_every_code_point(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0x1FFFFF; code++) {
		char text[4];
		bool valid;
		size_t bytes = encode(code, text);
		size_t length = herald__utf8_next(text, bytes, &valid);
		bool is_scalar = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);

		assert_int_equal(valid, is_scalar);
		assert_int_equal(length, is_scalar ? bytes : 1);
		/* Cut short, it is invalid as a whole. */
		for (size_t cut = 1; is_scalar && cut < bytes; cut++) {
			assert_int_equal(herald__utf8_next(text, cut, &valid), cut);
			assert_false(valid);
		}
	}
}

/* All sequences of three bytes: what is valid encodes back to itself, and no valid one is
 * missed. */
static void
test_every_three_bytes(void **state)
{
	size_t valid_count = 0;

	(void)state;
	for (uint32_t bytes = 0x800000; bytes < 0x1000000; bytes++) {
		char text[3] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes};
		bool valid;
		size_t length = herald__utf8_next(text, 3, &valid);

		if (length < 1 || length > 3)
			fail();
		valid_count += valid;
	}
	/* 2 bytes and anything; 3 bytes, without the surrogates. The 4 bytes do not fit. */
	assert_int_equal(valid_count, (0x800 - 0x80) * 256 + (0x10000 - 0x800) - 0x800);
}

static const struct {
	const char *text;
	const char *json;
} written[] = {
	{"", "\"\""},
	{"plain text", "\"plain text\""},
	{"\"", "\"\\\"\""},
	{"a\\b", "\"a\\\\b\""},
	{"/", "\"/\""},
	{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
	{"\x01\x1F\x7F", "\"\\u0001\\u001f\\u007f\""},
	{"\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0", "\"\\u0080\\u009b\\u009f\xC2\xA0\""},
	/* What breaks a line, and what changes the order in which it is shown. */
	{"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA7", "\"\\u2028\\u2029\xE2\x80\xA7\""},
	{"\xE2\x80\xAA\xE2\x80\xAE\xE2\x80\xAF", "\"\\u202a\\u202e\xE2\x80\xAF\""},
	{"\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA",
	 "\"\xE2\x81\xA5\\u2066\\u2069\xE2\x81\xAA\""},
	{"\xE2\x80\x8D\xE2\x80\x8E\xE2\x80\x8F\xE2\x80\x90",
	 "\"\xE2\x80\x8D\\u200e\\u200f\xE2\x80\x90\""},
	{"\xD8\x9B\xD8\x9C\xD8\x9D\xEF\xBB\xBF", "\"\xD8\x9B\\u061c\xD8\x9D\\ufeff\""},
	{"two\nlines, \"quoted\"", "\"two\\nlines, \\\"quoted\\\"\""},
	{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
	{FFFD, "\"" FFFD "\""},
	{"Latin-1 \xE9t\xE9", "\"Latin-1 " FFFD "t" FFFD "\""},
	{"\x80", "\"" FFFD "\""},
	{"\xC3", "\"" FFFD "\""},
	{"\xC3\"", "\"" FFFD "\\\"\""},
	{"\xE2\x82", "\"" FFFD "\""},
	{"\xE2\x82x", "\"" FFFD "x\""},
	{"\xF0\x9F\x98", "\"" FFFD "\""},
	{"\xF0\x9F\x98\xF0\x9F\x98\x80", "\"" FFFD "\xF0\x9F\x98\x80\""},
	{"\xFE\xFF", "\"" FFFD FFFD "\""},
	/* The Unicode Standard, tables 3-8 to 3-11: overlong, surrogates, other ill-formed, cut
	 * off. */
	{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
	 "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\""},
	{"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
	 "\"" FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A\""},
	{"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "\"" FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B\""},
	{"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "\"" FFFD FFFD FFFD FFFD "A\""},
};

/* Exactly as long as the text, on the heap, so that AddressSanitizer sees a byte too many read. */
static enum herald_status
append_exact(struct herald_buffer *out, const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	enum herald_status status = herald__json_append_bytes(out, copy, bytes);
	free(copy);
	return status;
}

static void
test_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		struct herald_buffer buffer;
		size_t expected = strlen(written[i].json);

		herald_buffer_init(&buffer, NULL, 0);
		assert_int_equal(append_exact(&buffer, written[i].text, strlen(written[i].text)),
				 HERALD_OK);
		assert_int_equal(buffer.bytes, expected);
		assert_memory_equal(buffer.data, written[i].json, expected);
		assert_int_equal(herald__json_append_text(&buffer, written[i].text), HERALD_OK);
		assert_int_equal(buffer.bytes, 2 * expected);
		assert_memory_equal(buffer.data + expected, written[i].json, expected);
		herald_buffer_finish(&buffer);
	}
}

static void
test_null_and_nul(void **state)
{
	struct herald_buffer buffer;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald__json_append_text(&buffer, NULL), HERALD_OK);
	assert_int_equal(herald__json_append_bytes(&buffer, "a\0b", 3), HERALD_OK);
	assert_int_equal(herald__json_append_bytes(&buffer, NULL, 0), HERALD_OK);
	assert_int_equal(buffer.bytes, 4 + 10 + 2);
	assert_memory_equal(buffer.data, "null\"a\\u0000b\"\"\"", 16);
	herald_buffer_finish(&buffer);
}

static bool
is_hex_four(const char *text, size_t bytes)
{
	for (size_t i = 0; i < 4; i++)
		if (i == bytes || text[i] == '\0' || !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

/* Whether these bytes are one JSON string (RFC 8259 section 7) of nothing but printable text. */
static bool
is_clean_json_string(const char *text, size_t bytes)
{
	if (bytes < 2 || text[0] != '"' || text[bytes - 1] != '"')
		return false;
	for (size_t i = 1; i < bytes - 1;) {
		unsigned char byte = (unsigned char)text[i];
		bool valid;

		if (byte < ' ' || byte == '"' || byte == 0x7F)
			return false;
		if (byte == '\\') {
			if (strchr("\"\\bfnrt", text[i + 1])) {
				i += 2;
			} else if (text[i + 1] == 'u' && is_hex_four(text + i + 2, bytes - i - 2)) {
				i += 6;
			} else {
				return false;
			}
			continue;
		}
		i += herald__utf8_next(text + i, bytes - 1 - i, &valid);
		if (!valid)
			return false;
	}
	return true;
}

static void
test_random_bytes_make_clean_strings(void **state)
{
	struct herald_buffer buffer;

	(void)state;
	srand(20260102);
	herald_buffer_init(&buffer, NULL, 0);
	for (int round = 0; round < 20000; round++) {
		char text[64];
		size_t bytes = (size_t)rand() % sizeof(text);

		/* Half of them from bytes that begin or continue sequences, so that some are
		 * right. */
		for (size_t i = 0; i < bytes; i++)
			text[i] =
				round % 2
					? (char)rand()
					: "\xC2\x9B\xE2\x82\xAC\xF0\x9F\x98\x80\"\\a"[rand() % 12];
		buffer.bytes = 0;
		assert_int_equal(append_exact(&buffer, text, bytes), HERALD_OK);
		assert_true(is_clean_json_string(buffer.data, buffer.bytes));
	}
	herald_buffer_finish(&buffer);
}

static void
test_what_does_not_fit_leaves_nothing(void **state)
{
	static const char text[] = "0123456789\n\x80\"0123456789";
	struct herald_buffer buffer;
	size_t whole;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald__json_append_text(&buffer, text), HERALD_OK);
	whole = buffer.bytes;
	herald_buffer_finish(&buffer);

	for (size_t limit = 3; limit <= whole + 3; limit++) {
		herald_buffer_init(&buffer, NULL, limit);
		assert_int_equal(herald_buffer_append(&buffer, "abc", 3), HERALD_OK);
		assert_int_equal(herald__json_append_text(&buffer, text),
				 limit < whole + 3 ? HERALD_TOO_LARGE : HERALD_OK);
		assert_int_equal(buffer.bytes, limit < whole + 3 ? 3 : whole + 3);
		assert_memory_equal(buffer.data, "abc", 3);
		herald_buffer_finish(&buffer);
	}
}

static void
test_no_memory_leaves_nothing(void **state)
{
	char text[3000];
	bool failed = true;

	(void)state;
	memset(text, '\n', sizeof(text));
	for (size_t n = 1; failed; n++) {
		struct failing_allocator memory;
		struct herald_buffer buffer;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		enum herald_status status = herald__json_append_bytes(&buffer, text, sizeof(text));
		failed = memory.failures > 0;
		assert_int_equal(status, failed ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(buffer.bytes, failed ? 0 : 2 + 2 * sizeof(text));
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
}

HERALD_PRINTF(3, 4)
static void
format(char *out, size_t size, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	herald__text_format(out, size, text, arguments);
	va_end(arguments);
}

static void
test_formatting_into_every_size(void **state)
{
	/* 1 + 2 + 3 + 4 bytes, a control character, a wrong byte. */
	static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n\xFFz";
	static const char expected[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\n" FFFD "z";
	/* How much of it is there, by size; "..." follows, as far as it fits, unless it is
	 * whole. */
	static const size_t left[] = {0, 0, 0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10, 12, 16, 16};

	(void)state;
	for (size_t size = 1; size <= COUNT(left); size++) {
		char *out = malloc(size);
		size_t bytes = left[size - 1];

		assert_non_null(out);
		format(out, size, "%s", text);
		assert_memory_equal(out, expected, bytes);
		if (size < sizeof(expected))
			assert_string_equal(out + bytes, &"..."[size > 3 ? 0 : 4 - size]);
		else
			assert_string_equal(out, expected);
		free(out);
	}
}

static void
test_formatting_a_nul(void **state)
{
	char out[16];

	(void)state;
	format(out, sizeof(out), "a%cb", 0);
	assert_string_equal(out, "a\\u0000b");
}

/* Whatever goes in, the line is UTF-8 without anything unprintable, and marked when it is cut. */
static void
test_random_bytes_make_lines(void **state)
{
	(void)state;
	srand(20260103);
	for (int round = 0; round < 20000; round++) {
		char text[64], out[48];
		size_t bytes = (size_t)rand() % sizeof(text), size = 4 + (size_t)rand() % 45;
		size_t whole = 0;
		struct herald__json_piece piece;

		for (size_t i = 0; i < bytes; i++)
			text[i] = round % 2
					  ? (char)rand()
					  : "\xC2\x9B\xE2\x80\xAE\xF0\x9F\x98\x80\n~z"[rand() % 12];
		for (size_t i = 0; i < bytes; whole += piece.bytes) {
			i += herald__json_character(text + i, bytes - i, &piece);
			/* In a line, quotes and backslashes are as they are. */
			if (piece.bytes == 2 && strchr("\"\\", piece.escape[1]) &&
			    piece.data == piece.escape)
				whole--;
		}
		herald__text_line(out, size, text, bytes, false);
		size_t length = strlen(out);
		assert_true(length < size);
		if (whole < size)
			assert_int_equal(length, whole);
		else
			assert_string_equal(out + length - 3, "...");
		for (size_t i = 0; i < length;) {
			i += herald__json_character(out + i, length - i, &piece);
			assert_true(piece.data != piece.escape || strchr("\"\\", piece.escape[1]));
		}
	}
}

/* A message shows a whole value, or its beginning and "...". */
static void
test_shown_values(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *string, *word;
	} cases[] = {
		{"", 0, "\"\"", ""},
		{"red", 3, "\"red\"", "red"},
		{"a\0b", 3, "\"a\\u0000b\"", NULL},
		{"\"\\\n", 3, "\"\\\"\\\\\\n\"", NULL},
		{"0123456789012345678901234567890123456789", 40,
		 "\"0123456789012345678901234567890123456789\"",
		 "0123456789012345678901234567890123456789"},
		{"01234567890123456789012345678901234567890", 41,
		 "\"0123456789012345678901234567890123456789\"...",
		 "0123456789012345678901234567890123456789..."},
		{"012345678901234567890123456789012345678\n\n", 41,
		 "\"012345678901234567890123456789012345678\\n\"...", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald__shown shown;

		memset(&shown, '#', sizeof(shown));
		assert_string_equal(herald__show_string(&shown, cases[i].text, cases[i].bytes),
				    cases[i].string);
		if (cases[i].word)
			assert_string_equal(
				herald__show_word(&shown, cases[i].text, cases[i].bytes),
				cases[i].word);
	}
}

/* Every byte, whatever the locale is. */
static void
test_classes_of_bytes(void **state)
{
	static const char digits[] = "0123456789";
	static const char hex[] = "0123456789abcdefABCDEF";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		assert_int_equal(herald_ascii_is_digit((char)byte),
				 strchr(digits, byte) ? true : false);
		assert_int_equal(herald_ascii_is_hex_digit((char)byte),
				 strchr(hex, byte) ? true : false);
		assert_int_equal(herald_ascii_is_letter((char)byte),
				 strchr(letters, byte) ? true : false);
	}
	assert_false(herald_ascii_is_letter('\0'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_of_bytes),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_every_three_bytes),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_null_and_nul),
		cmocka_unit_test(test_random_bytes_make_clean_strings),
		cmocka_unit_test(test_what_does_not_fit_leaves_nothing),
		cmocka_unit_test(test_no_memory_leaves_nothing),
		cmocka_unit_test(test_formatting_into_every_size),
		cmocka_unit_test(test_formatting_a_nul),
		cmocka_unit_test(test_random_bytes_make_lines),
		cmocka_unit_test(test_shown_values),
	};

	return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
