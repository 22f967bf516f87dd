/*
 * Documents without enough memory, and their beginnings. Knows no schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "decoding.h"
#include "exhausting.h"
#include "failing_allocator.h"

#define RUBBISH 0x3C

/* A struct that is full of rubbish. The caller frees it. */
static unsigned char *
create_struct(const struct herald_schema *schema)
{
	unsigned char *out = malloc(schema->bytes);

	assert_non_null(out);
	memset(out, RUBBISH, schema->bytes);
	return out;
}

static void
assert_unchanged(const unsigned char *out, const struct herald_schema *schema, const char *text)
{
	for (size_t i = 0; i < schema->bytes; i++)
		if (out[i] != RUBBISH)
			fail_msg("%s: byte %zu of the struct was written", text, i);
}

/* Decode, and encode again, with an arena and a buffer of this allocator. */
static enum herald_status
decode_and_encode(const struct herald_schema *schema, const char *text, size_t limit,
		  const struct herald_allocator *allocator)
{
	struct herald_codec *codec = decoding_codec(schema, NULL);
	unsigned char *out = create_struct(schema);
	struct herald_arena *arena = NULL;
	struct herald_buffer buffer;
	size_t bytes = strlen(text);
	enum herald_status status = herald_arena_create(allocator, limit, &arena);

	herald_buffer_init(&buffer, allocator, 0);
	if (status == HERALD_OK) {
		status = herald_codec_decode(codec, decoding_place(text, bytes, false), bytes,
					     arena, out, NULL);
		if (status != HERALD_OK)
			assert_unchanged(out, schema, text);
	}
	if (status == HERALD_OK) {
		status = herald_codec_encode(codec, out, &buffer, NULL);
		assert_true(status == HERALD_OK ? buffer.bytes > 0 : buffer.bytes == 0);
	}
	herald_buffer_finish(&buffer);
	herald_arena_destroy(arena);
	free(out);
	herald_codec_destroy(codec);
	return status;
}

static void
fail_each_allocation(const struct herald_schema *schema, const char *text, enum failing_mode mode)
{
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		enum herald_status status;

		failing_allocator_init(&memory, mode, n);
		status = decode_and_encode(schema, text, 0, &memory.allocator);
		assert_all_released(&memory);
		if (status != (memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK))
			fail_msg("%s: allocation %zu: %s", text, n, herald_status_name(status));
		if (memory.failures == 0)
			return;
	}
}

void
exhaust_memory(const struct herald_schema *schema, const char *text)
{
	enum herald_status status = HERALD_LIMIT;

	fail_each_allocation(schema, text, FAIL_ONLY);
	fail_each_allocation(schema, text, FAIL_FROM);
	for (size_t limit = 1; status == HERALD_LIMIT; limit += 16) {
		status = decode_and_encode(schema, text, limit, NULL);
		assert_true(limit < 100000);
	}
	if (status != HERALD_OK)
		fail_msg("%s: %s", text, herald_status_name(status));
}

void
cut_document(const struct herald_schema *schema, const struct herald_limits *limits,
	     const char *text)
{
	struct herald_codec *codec = decoding_codec(schema, limits);
	unsigned char *out = create_struct(schema);
	bool is_number = *text == '-' || (*text >= '0' && *text <= '9');

	for (size_t bytes = 0; bytes < strlen(text); bytes++)
		if (decode_bytes(codec, text, bytes, out, schema->bytes, NULL) == HERALD_OK &&
		    !is_number)
			fail_msg("%.*s", (int)bytes, text);
	free(out);
	herald_codec_destroy(codec);
}
