/*
 * herald_codec_decode() with invalid JSON strings and invalid UTF-8, at every place and every
 * alignment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_errors.h"
#include "support/decoding.h"
#include "support/every_kind.h"

/* The same for a string, in the quotes. */
static const struct {
	const char *before, *after, *path;
} string_places[] = {
	{"{\"string\":\"", "\"}", "/string"},
	{"{\"text\":\"", "\"}", "/text"},
	{"{\"unknown\":\"", "\"}", "/unknown"},
	{"{\"json\":\"", "\"}", "/json"},
	{"{\"strings\":[\"\",\"", "\"]}", "/strings/1"},
	{"{\"map\":{\"k\":\"", "\"}}", "/map/k"},
	{"{\"any\":{\"k\":\"", "\"}}", "/any/k"},
	{"{\"inner\":{\"string\":\"", "\"}}", "/inner/string"},
	{"{\"x\":[\"", "\"]}", "/x/0"},
	/* The path of an error in a name is the object's path. */
	{"{\"", "\":1}", ""},
	{"{\"map\":{\"", "\":\"\"}}", "/map"},
	{"{\"any\":{\"", "\":\"\"}}", "/any"},
	{"{\"inner\":{\"", "\":0}}", "/inner"},
	{"{\"x\":[{\"", "\":0}]}", "/x/0"},
	{"{\"json\":{\"", "\":0}}", "/json"},
};

/* Invalid strings; the '@' marks the offset of the error. */
static const struct {
	const char *content;
	enum herald_status status;
} bad_strings[] = {
	{"@\x01", HERALD_BAD_JSON},
	{"a@\x1F", HERALD_BAD_JSON},
	{"a@\n", HERALD_BAD_JSON},
	{"a@\tb", HERALD_BAD_JSON},
	{"@\r", HERALD_BAD_JSON},
	{"\\@x", HERALD_BAD_JSON},
	{"\\@'", HERALD_BAD_JSON},
	{"\\@U0041", HERALD_BAD_JSON},
	{"\\@0", HERALD_BAD_JSON},
	{"\\@\n", HERALD_BAD_JSON},
	{"\\@ ", HERALD_BAD_JSON},
	{"\\@\xC3\xA9", HERALD_BAD_JSON},
	{"\\n\\@v", HERALD_BAD_JSON},
	{"@\\u", HERALD_BAD_JSON},
	{"@\\u1", HERALD_BAD_JSON},
	{"@\\u12", HERALD_BAD_JSON},
	{"@\\u123", HERALD_BAD_JSON},
	{"@\\u123g", HERALD_BAD_JSON},
	{"@\\ug234", HERALD_BAD_JSON},
	{"\\u0041@\\u1g34", HERALD_BAD_JSON},
	{"\\u0041\\u6771@\\u12g4", HERALD_BAD_JSON},
	{"\\u0041\\u6771\\@x", HERALD_BAD_JSON},
	{"@\\u 123", HERALD_BAD_JSON},
	{"@\\u+123", HERALD_BAD_JSON},
	{"@\\u-123", HERALD_BAD_JSON},
	{"@\\u0x12", HERALD_BAD_JSON},
	{"@\\uD800", HERALD_BAD_JSON},
	{"@\\uDBFF", HERALD_BAD_JSON},
	{"@\\uDC00", HERALD_BAD_JSON},
	{"@\\uDFFF", HERALD_BAD_JSON},
	{"@\\ud800\\ud800", HERALD_BAD_JSON},
	{"@\\ud800\\ud800\\udc00", HERALD_BAD_JSON},
	{"@\\udc00\\ud800", HERALD_BAD_JSON},
	{"@\\udc00\\udc00", HERALD_BAD_JSON},
	{"@\\ud800\\u0041", HERALD_BAD_JSON},
	{"@\\ud800a", HERALD_BAD_JSON},
	{"@\\ud800\\n", HERALD_BAD_JSON},
	{"@\\ud800\\u", HERALD_BAD_JSON},
	{"@\\ud800\\udc0", HERALD_BAD_JSON},
	{"@\\ud800\\udc0g", HERALD_BAD_JSON},
	{"@\\ud800\\ue000", HERALD_BAD_JSON},
	{"@\\ud800udc00", HERALD_BAD_JSON},
	{"\\ud800\\udc00@\\udc00", HERALD_BAD_JSON},
	{"\\ud83d\\ude00@\\ud83d", HERALD_BAD_JSON},
	{"@\x80", HERALD_BAD_UTF8},
	{"a@\xBF", HERALD_BAD_UTF8},
	{"\xC3\xA9@\xA9", HERALD_BAD_UTF8},
	{"@\xC0\x80", HERALD_BAD_UTF8},
	{"@\xC1\xBF", HERALD_BAD_UTF8},
	{"@\xC2", HERALD_BAD_UTF8},
	{"@\xC2\xC2", HERALD_BAD_UTF8},
	{"@\xC2\x7F", HERALD_BAD_UTF8},
	{"@\xDF ", HERALD_BAD_UTF8},
	{"@\xE0\x80\x80", HERALD_BAD_UTF8},
	{"@\xE0\x9F\xBF", HERALD_BAD_UTF8},
	{"@\xE1\x80", HERALD_BAD_UTF8},
	{"@\xE2\x82", HERALD_BAD_UTF8},
	{"@\xE2\x82x", HERALD_BAD_UTF8},
	{"@\xE2x\xAC", HERALD_BAD_UTF8},
	{"@\xE2\xE2\x82\xAC", HERALD_BAD_UTF8},
	{"@\xED\xA0\x80", HERALD_BAD_UTF8},
	{"@\xED\xAF\xBF", HERALD_BAD_UTF8},
	{"@\xED\xB0\x80", HERALD_BAD_UTF8},
	{"@\xED\xBF\xBF", HERALD_BAD_UTF8},
	{"@\xED\xA0\x80\xED\xB0\x80", HERALD_BAD_UTF8},
	{"@\xEF\xBF", HERALD_BAD_UTF8},
	{"@\xF0\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xF0\x8F\xBF\xBF", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98", HERALD_BAD_UTF8},
	{"@\xF0\x9F", HERALD_BAD_UTF8},
	{"@\xF0", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98x", HERALD_BAD_UTF8},
	{"@\xF0\x9F\x98\xC0", HERALD_BAD_UTF8},
	{"@\xF4\x90\x80\x80", HERALD_BAD_UTF8},
	{"@\xF5\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xF8\x88\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xFC\x84\x80\x80\x80\x80", HERALD_BAD_UTF8},
	{"@\xFE", HERALD_BAD_UTF8},
	{"@\xFF", HERALD_BAD_UTF8},
};

static void
test_bad_strings_everywhere(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_strings); i++)
		for (size_t j = 0; j < COUNT(string_places); j++) {
			decode_bad_at(codec, string_places[j].before, bad_strings[i].content,
				      string_places[j].after, sizeof(struct thing),
				      bad_strings[i].status, string_places[j].path, "");
		}
	herald_codec_destroy(codec);
}

/* Each at every place of a long string, with few and with many bytes behind it. */
static void
test_bad_strings_at_every_position(void **state)
{
	static const char fill[] = "abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ,012345678"
				   "9";
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(bad_strings); i++)
		for (int before = 0; before < 64; before++)
			for (int after = 0; after < 40; after += 19) {
				const char *content = bad_strings[i].content;
				char padded[200];

				/* Other hexadecimal digits would follow. */
				if (after > 0 &&
				    strchr("u0123456789c", content[strlen(content) - 1]))
					continue;
				snprintf(padded, sizeof(padded), "%.*s%s%.*s", before, fill,
					 content, after, fill + 26);
				decode_bad_at(codec, "{\"string\":\"", padded, "\"}",
					      sizeof(struct thing), bad_strings[i].status,
					      "/string", "");
				decode_bad_at(codec, "{\"x\":\"", padded, "\"}",
					      sizeof(struct thing), bad_strings[i].status, "/x",
					      "");
			}
	herald_codec_destroy(codec);
}

/* A NUL byte in a string, at every place. */
static void
test_nul_byte_in_a_string(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t length = 1; length < 50; length++)
		for (size_t at = 0; at < length; at++) {
			char text[100] = "{\"string\":\"";
			size_t begin = strlen(text);

			memset(text + begin, 'x', length);
			text[begin + at] = '\0';
			memcpy(text + begin + length, "\"}", 2);
			decode_bad_bytes(codec, text, begin + length + 2, sizeof(struct thing),
					 HERALD_BAD_JSON, "/string", begin + at, "a NUL byte");
			text[2] = 'x';
			decode_bad_bytes(codec, text, begin + length + 2, sizeof(struct thing),
					 HERALD_BAD_JSON, "/xtring", begin + at, "a NUL byte");
		}
	herald_codec_destroy(codec);
}

/* Valid UTF-8 as the grammar of RFC 3629 section 4 has it; returns the sequence's length or 0. */
static size_t
utf8_by_the_grammar(const unsigned char *text, size_t bytes)
{
	static const struct {
		unsigned char first[2], second[2];
		size_t length;
	} rules[] = {
		{{0x20, 0x7F}, {0, 0}, 1},       {{0xC2, 0xDF}, {0x80, 0xBF}, 2},
		{{0xE0, 0xE0}, {0xA0, 0xBF}, 3}, {{0xE1, 0xEC}, {0x80, 0xBF}, 3},
		{{0xED, 0xED}, {0x80, 0x9F}, 3}, {{0xEE, 0xEF}, {0x80, 0xBF}, 3},
		{{0xF0, 0xF0}, {0x90, 0xBF}, 4}, {{0xF1, 0xF3}, {0x80, 0xBF}, 4},
		{{0xF4, 0xF4}, {0x80, 0x8F}, 4},
	};

	for (size_t i = 0; i < COUNT(rules); i++) {
		if (text[0] < rules[i].first[0] || text[0] > rules[i].first[1] ||
		    rules[i].length > bytes)
			continue;
		if (rules[i].length > 1 &&
		    (text[1] < rules[i].second[0] || text[1] > rules[i].second[1]))
			continue;
		for (size_t j = 2; j < rules[i].length; j++)
			if (text[j] < 0x80 || text[j] > 0xBF)
				return 0;
		return rules[i].length;
	}
	return 0;
}

/* Decode a string that has `content`, four bytes of which `valid` are UTF-8, between two other
 * texts. */
static void
check_utf8(const struct herald_codec *codec, const char *before, const unsigned char *content,
	   size_t valid, const char *after)
{
	char text[300];
	struct thing out;
	struct herald_error error = {.offset = 0};
	enum herald_status status;

	snprintf(text, sizeof(text), "%s%.4s%s", before, (const char *)content, after);
	status = herald_codec_decode(codec, decoding_place(text, strlen(text), false), strlen(text),
				     decoding_arena(), &out, &error);
	herald_arena_reset(decoding_arena());
	if (status != (valid == 4 ? HERALD_OK : HERALD_BAD_UTF8) ||
	    (valid < 4 && error.offset != strlen(before) + valid))
		fail_msg("%s%02X %02X %02X %02X%s: %s, byte %zu", before, content[0], content[1],
			 content[2], content[3], after, herald_status_name(status), error.offset);
}

/* All beginnings of sequences, with what may and may not continue them. */
static void
test_utf8_exhaustively(void **state)
{
	static const unsigned char continuations[] = {0x41, 0x7F, 0x80, 0xBF, 0xC0};
	static const char *const names[] = {"string", "absent"};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (unsigned lead = 0x80; lead <= 0xFF; lead++)
		for (unsigned second = 0x20; second <= 0xFF; second++)
			for (size_t i = 0; i < COUNT(continuations) * COUNT(continuations); i++) {
				unsigned char content[] = {(unsigned char)lead,
							   (unsigned char)second,
							   continuations[i % COUNT(continuations)],
							   continuations[i / COUNT(continuations)]};
				size_t at = 0, length;
				char before[200], after[100];

				if (second == '"' || second == '\\')
					continue;
				while (at < 4 &&
				       (length = utf8_by_the_grammar(content + at, 4 - at)) != 0)
					at += length;
				snprintf(before, sizeof(before), "{\"%s\":\"", names[i % 2]);
				check_utf8(codec, before, content, at, "\"}");
				/* After some text that is not ASCII the rest is checked at once;
				 * here at each place of a block, and with more of them or not. */
				snprintf(before, sizeof(before), "{\"%s\":\"éééééé%*s",
					 names[i % 2], (int)(second % 70), "");
				snprintf(after, sizeof(after), "%*s\"}", (int)(lead % 80), "");
				check_utf8(codec, before, content, at, after);
			}
	herald_codec_destroy(codec);
}

/* One string with every code point there is, as UTF-8 and as escapes. */
static void
test_every_code_point(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	char *utf8 = malloc(5 * MIB), *text = malloc(16 * MIB);
	size_t utf8_bytes = 0, bytes;
	struct herald_error error;
	struct thing out;

	(void)state;
	assert_non_null(utf8);
	assert_non_null(text);
	for (uint32_t code = ' '; code <= 0x10FFFF; code++) {
		if (code == '"' || code == '\\' || (code >= 0xD800 && code <= 0xDFFF))
			continue;
		if (code >= 0x10000)
			utf8[utf8_bytes++] = (char)(0xF0 | code >> 18);
		if (code >= 0x800)
			utf8[utf8_bytes++] = (char)(code >= 0x10000 ? 0x80 | (code >> 12 & 0x3F)
								    : 0xE0 | code >> 12);
		if (code >= 0x80)
			utf8[utf8_bytes++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F)
								  : 0xC0 | code >> 6);
		utf8[utf8_bytes++] = (char)(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
	}
	bytes = (size_t)sprintf(text, "{\"string\":\"");
	memcpy(text + bytes, utf8, utf8_bytes);
	bytes += utf8_bytes;
	bytes += (size_t)sprintf(text + bytes, "\"}");
	assert_int_equal(decode_bytes(codec, text, bytes, &out, sizeof(out), &error), HERALD_OK);
	assert_int_equal(strlen(out.string), utf8_bytes);
	assert_memory_equal(out.string, utf8, utf8_bytes);

	bytes = (size_t)sprintf(text, "{\"string\":\"");
	for (uint32_t code = ' '; code <= 0x10FFFF; code++) {
		if (code == '"' || code == '\\' || (code >= 0xD800 && code <= 0xDFFF))
			continue;
		if (code < 0x10000)
			bytes += (size_t)sprintf(text + bytes, code % 2 ? "\\u%04x" : "\\u%04X",
						 code);
		else
			bytes += (size_t)sprintf(text + bytes, "\\u%04x\\u%04X",
						 0xD800 + ((code - 0x10000) >> 10),
						 0xDC00 + (code & 0x3FF));
	}
	bytes += (size_t)sprintf(text + bytes, "\"}");
	assert_int_equal(decode_bytes(codec, text, bytes, &out, sizeof(out), &error), HERALD_OK);
	assert_int_equal(strlen(out.string), utf8_bytes);
	assert_memory_equal(out.string, utf8, utf8_bytes);
	free(utf8);
	free(text);
	herald_codec_destroy(codec);
}

/* What a message shows of a document is one line of UTF-8, whatever the document is. */
static void
test_messages_are_one_line_of_utf8(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);
	struct herald_codec *every = decoding_codec(every_kind_table, NULL);

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[100] = "{\"truth\":?}";
		struct every_kind out;
		struct herald_error error;

		text[9] = (char)byte;
		if (decode_bytes(codec, text, 11, &out, sizeof(struct thing), &error) == HERALD_OK)
			fail_msg("byte %02X", byte);
		for (const char *at = error.message; *at != '\0'; at++)
			assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7F);
		/* In a value that is not allowed, cut within a character. */
		for (unsigned length = 30; length < 60; length++) {
			size_t bytes = (size_t)sprintf(
				text, "{\"color\":\"%.*s\xE2\x82\xAC\xE2\x82\xAC\"}", (int)length,
				"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				"xxxxxxxxxxxxxxxxxx");
			text[12] = byte >= ' ' && byte != '"' && byte != '\\' && byte < 0x80
					   ? (char)byte
					   : 'y';
			assert_int_equal(
				decode_bytes(every, text, bytes, &out, sizeof(out), &error),
				HERALD_BAD_VALUE);
			for (const unsigned char *at = (unsigned char *)error.message;
			     *at != '\0';) {
				size_t sequence = utf8_by_the_grammar(at, strlen((const char *)at));

				assert_true(sequence != 0 && *at != 0x7F);
				at += sequence;
			}
			if (byte > 0x80)
				break;
		}
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(every);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_strings_everywhere),
		cmocka_unit_test(test_bad_strings_at_every_position),
		cmocka_unit_test(test_nul_byte_in_a_string),
		cmocka_unit_test(test_utf8_exhaustively),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_messages_are_one_line_of_utf8),
	};

	return cmocka_run_group_tests_name("decode_errors_text", tests, NULL, decoding_finish);
}
