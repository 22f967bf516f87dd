/*
 * Fuzzes the codec: any bytes into the struct that has every kind. What decodes must be JSON by the
 * other way through the reader (as raw JSON), must be encoded, and must come back as the same
 * struct and the same text; what fails must say why and leave the struct alone. The document lies
 * in a block of its own size, at an alignment that depends on the input.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "../tests/support/every_kind.h"
#include "target.h"

/* A finding must end the process even where assert() is compiled out. */
#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define RUBBISH 0xA7

static struct herald_codec *every_codec, *any_codec;
static struct herald_arena *arena;

static void
create_all(void)
{
	if (arena != NULL)
		return;
	CHECK(herald_codec_create(every_kind_table, NULL, NULL, &every_codec, NULL) == HERALD_OK);
	CHECK(herald_codec_create(&herald_json_schema, NULL, NULL, &any_codec, NULL) == HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
}

static bool
is_all_rubbish(const void *block, size_t bytes)
{
	const unsigned char *byte = block;

	for (size_t i = 0; i < bytes; i++)
		if (byte[i] != RUBBISH)
			return false;
	return true;
}

/* Decode a copy of the bytes. The copy is returned; free() its block. */
static enum herald_status
decode_copy(const struct herald_codec *codec, const void *data, size_t bytes, void *out,
	    size_t out_bytes, char **block)
{
	size_t alignment = bytes % 64;
	struct herald_error error;
	enum herald_status status;

	*block = malloc(alignment + bytes + (alignment + bytes == 0));
	CHECK(*block != NULL);
	if (bytes > 0)
		memcpy(*block + alignment, data, bytes);
	memset(out, RUBBISH, out_bytes);
	memset(&error, RUBBISH, sizeof(error));
	status = herald_codec_decode(codec, *block + alignment, bytes, arena, out, &error);
	if (status == HERALD_OK)
		return status;
	CHECK(is_all_rubbish(out, out_bytes));
	CHECK(error.status == status);
	CHECK(error.offset <= bytes);
	CHECK(memchr(error.path, '\0', sizeof(error.path)) != NULL);
	CHECK(memchr(error.message, '\0', sizeof(error.message)) != NULL);
	CHECK(error.message[0] != '\0');
	return status;
}

/* What was decoded is written, comes back, and is then written the same. */
static void
check_round_trip(const struct every_kind *in)
{
	struct herald_buffer first, second;
	struct every_kind out;
	char *block;

	herald_buffer_init(&first, NULL, 0);
	herald_buffer_init(&second, NULL, 0);
	/* Members that are missing are zero, which the field's own bounds may not allow. */
	if (herald_codec_encode(every_codec, in, &first, NULL) == HERALD_OK) {
		CHECK(decode_copy(every_codec, first.data, first.bytes, &out, sizeof(out),
				  &block) == HERALD_OK);
		CHECK(every_equal(every_kind_table, in, &out));
		CHECK(herald_codec_encode(every_codec, &out, &second, NULL) == HERALD_OK);
		CHECK(first.bytes == second.bytes);
		CHECK(memcmp(first.data, second.data, first.bytes) == 0);
		free(block);
	}
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct every_kind every;
	struct herald_json any;
	char *every_block, *any_block;
	enum herald_status status, any_status;

	create_all();
	status = decode_copy(every_codec, data, size, &every, sizeof(every), &every_block);
	any_status = decode_copy(any_codec, data, size, &any, sizeof(any), &any_block);
	CHECK(any_status == HERALD_OK || any_status == HERALD_BAD_JSON ||
	      any_status == HERALD_BAD_UTF8 || any_status == HERALD_LIMIT);
	if (status == HERALD_OK)
		CHECK(any_status == HERALD_OK);
	if (status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8)
		CHECK(any_status != HERALD_OK);
	if (status == HERALD_OK)
		check_round_trip(&every);
	free(every_block);
	free(any_block);
	herald_arena_reset(arena);
	return 0;
}
