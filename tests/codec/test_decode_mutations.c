/*
 * herald_codec_decode() with a valid document that is truncated or changed at every byte, at every
 * alignment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/every_kind.h"

static void
test_truncated_at_every_byte(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	size_t last = every_kind_document_bytes;
	struct every_kind out;

	(void)state;
	while (every_kind_document[last - 1] != '}')
		last--;
	for (size_t bytes = 0; bytes <= every_kind_document_bytes; bytes++) {
		struct herald_error error;
		enum herald_status status =
			decode_bytes(codec, every_kind_document, bytes, &out, sizeof(out), &error);

		assert_int_equal(status == HERALD_OK, bytes >= last);
		assert_int_equal(decode_bytes(any, every_kind_document, bytes, &out,
					      sizeof(struct herald_json), NULL) == HERALD_OK,
				 bytes >= last);
		if (bytes >= last)
			continue;
		/* At the end, or where what is cut off begins: a word, an escape, a character. */
		assert_true(status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8);
		assert_in_range(error.offset, bytes < 12 ? 0 : bytes - 12, bytes);
	}
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/*
 * Whatever the wanted members are: what is decoded is JSON, and what is not JSON is not decoded.
 * The two ways through a document, values that are wanted and those that are skipped, must agree.
 */
static void
check_agreement(const struct herald_codec *codec, const struct herald_codec *any, const char *text,
		size_t bytes)
{
	struct every_kind out;
	struct herald_json json;
	struct herald_error error, any_error;
	enum herald_status status = herald_codec_decode(codec, decoding_place(text, bytes, false),
							bytes, decoding_arena(), &out, &error);
	enum herald_status any_status =
		herald_codec_decode(any, decoding_place(text, bytes, false), bytes,
				    decoding_arena(), &json, &any_error);

	herald_arena_reset(decoding_arena());
	if (status == HERALD_OK && any_status != HERALD_OK)
		fail_msg("decoded, but no JSON (%s): %.*s", any_error.message, (int)bytes, text);
	if ((status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8) && any_status == HERALD_OK)
		fail_msg("JSON, but not decoded (%s, byte %zu): %.*s", error.message, error.offset,
			 (int)bytes, text);
	if (status != HERALD_OK)
		assert_true(error.offset <= bytes);
	if (any_status != HERALD_OK)
		assert_true(any_status == HERALD_BAD_JSON || any_status == HERALD_BAD_UTF8 ||
			    any_status == HERALD_LIMIT);
}

static void
test_every_byte_changed(void **state)
{
	static const char values[] = "\"\\{}[],:0-et /u\x01\x1F\x7F\x80\xC3\xFF";
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	char *text = malloc(every_kind_document_bytes);

	(void)state;
	assert_non_null(text);
	memcpy(text, every_kind_document, every_kind_document_bytes);
	for (size_t at = 0; at < every_kind_document_bytes; at++) {
		char before = text[at];

		/* The NUL at the end of `values` is one of them. */
		for (size_t i = 0; i < sizeof(values); i++) {
			text[at] = values[i];
			check_agreement(codec, any, text, every_kind_document_bytes);
		}
		for (unsigned bit = 0; bit < 8; bit += bit < 5 ? 5 : 2) {
			text[at] = (char)(before ^ (char)(1 << bit));
			check_agreement(codec, any, text, every_kind_document_bytes);
		}
		text[at] = before;
	}
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* A byte removed, doubled; two neighbours exchanged. */
static void
test_bytes_removed_and_added(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct herald_codec *any = decoding_codec(&herald_json_schema, NULL);
	size_t bytes = every_kind_document_bytes;
	char *text = malloc(bytes + 1);

	(void)state;
	assert_non_null(text);
	for (size_t at = 0; at < bytes; at++) {
		memcpy(text, every_kind_document, at);
		memcpy(text + at, every_kind_document + at + 1, bytes - at - 1);
		check_agreement(codec, any, text, bytes - 1);
		memcpy(text, every_kind_document, at + 1);
		memcpy(text + at + 1, every_kind_document + at, bytes - at);
		check_agreement(codec, any, text, bytes + 1);
		if (at + 1 < bytes) {
			memcpy(text, every_kind_document, bytes);
			text[at] = every_kind_document[at + 1];
			text[at + 1] = every_kind_document[at];
			check_agreement(codec, any, text, bytes);
		}
	}
	free(text);
	herald_codec_destroy(codec);
	herald_codec_destroy(any);
}

/* A document that begins at every alignment and ends, to the byte, where memory does. */
static void
test_every_alignment(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);
	struct every_kind first, out;
	struct herald_arena *arena = NULL;
	char *kept = malloc(every_kind_document_bytes);

	(void)state;
	assert_non_null(kept);
	memcpy(kept, every_kind_document, every_kind_document_bytes);
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_int_equal(
		herald_codec_decode(codec, kept, every_kind_document_bytes, arena, &first, NULL),
		HERALD_OK);
	for (size_t alignment = 0; alignment < 64; alignment++) {
		char *block = NULL, *text;

		assert_int_equal(
			posix_memalign((void **)&block, 64, alignment + every_kind_document_bytes),
			0);
		text = block + alignment;
		memcpy(text, every_kind_document, every_kind_document_bytes);
		assert_int_equal(herald_codec_decode(codec, text, every_kind_document_bytes,
						     decoding_arena(), &out, NULL),
				 HERALD_OK);
		assert_true(every_equal(every_kind_table, &first, &out));
		/* In the last page, so that it ends at `alignment` bytes before its end. */
		text = decoding_place(every_kind_document, every_kind_document_bytes, false);
		memmove(text - alignment, every_kind_document, every_kind_document_bytes);
		assert_int_equal(herald_codec_decode(codec, text - alignment,
						     every_kind_document_bytes, decoding_arena(),
						     &out, NULL),
				 HERALD_OK);
		assert_true(every_equal(every_kind_table, &first, &out));
		herald_arena_reset(decoding_arena());
		free(block);
	}
	herald_arena_destroy(arena);
	free(kept);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_bytes_removed_and_added),
		cmocka_unit_test(test_every_alignment),
	};

	return cmocka_run_group_tests_name("decode_mutations", tests, NULL, decoding_finish);
}
