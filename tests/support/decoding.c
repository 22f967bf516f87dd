/*
 * Decoding in tests, next to inaccessible memory. Knows no schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decoding.h"

#define ROOM_BYTES ((size_t)17 << 20)
#define RUBBISH 0xA7

static char *room; /* ROOM_BYTES between two pages that cannot be touched */
static size_t page_bytes;
static struct herald_arena *arena;

struct herald_codec *
decoding_codec(const struct herald_schema *schema, const struct herald_limits *limits)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;

	if (herald_codec_create(schema, limits, NULL, &codec, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return codec;
}

static void
make_room(void)
{
	char *map;

	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	map = mmap(NULL, ROOM_BYTES + 2 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
	assert_true(map != MAP_FAILED);
	room = map + page_bytes;
	assert_int_equal(mprotect(room, ROOM_BYTES, PROT_READ | PROT_WRITE), 0);
}

char *
decoding_place(const char *text, size_t bytes, bool at_page_start)
{
	char *place;

	if (room == NULL)
		make_room();
	assert_true(bytes <= ROOM_BYTES);
	place = at_page_start ? room : room + ROOM_BYTES - bytes;
	if (bytes > 0)
		memcpy(place, text, bytes);
	return place;
}

struct herald_arena *
decoding_arena(void)
{
	if (arena == NULL)
		assert_int_equal(herald_arena_create(NULL, (size_t)256 << 20, &arena), HERALD_OK);
	return arena;
}

static void
check_error(const struct herald_error *error, enum herald_status status)
{
	assert_int_equal(error->status, status);
	assert_non_null(memchr(error->path, '\0', sizeof(error->path)));
	assert_non_null(memchr(error->message, '\0', sizeof(error->message)));
	assert_true(error->message[0] != '\0');
	assert_null(strpbrk(error->message, "\r\n"));
}

static enum herald_status
decode_once(const struct herald_codec *codec, const char *text, size_t bytes, bool at_page_start,
	    void *out, size_t out_bytes, struct herald_error *error)
{
	enum herald_status status;
	unsigned char *out_byte = out;

	herald_arena_reset(decoding_arena());
	memset(out, RUBBISH, out_bytes);
	memset(error, RUBBISH, sizeof(*error));
	status = herald_codec_decode(codec, decoding_place(text, bytes, at_page_start), bytes,
				     arena, out, error);
	if (status == HERALD_OK) {
		/* The error is written only by a failure. */
		assert_int_equal((unsigned char)error->path[0], RUBBISH);
		return status;
	}
	for (size_t i = 0; i < out_bytes; i++)
		if (out_byte[i] != RUBBISH)
			fail_msg("byte %zu of the struct was written by a decode that failed", i);
	check_error(error, status);
	return status;
}

enum herald_status
decode_bytes(const struct herald_codec *codec, const char *text, size_t bytes, void *out,
	     size_t out_bytes, struct herald_error *error)
{
	struct herald_error first_error, own_error;
	struct herald_error *use = error != NULL ? error : &own_error;
	enum herald_status first =
		decode_once(codec, text, bytes, true, out, out_bytes, &first_error);
	enum herald_status second = decode_once(codec, text, bytes, false, out, out_bytes, use);

	assert_int_equal(first, second);
	if (first != HERALD_OK) {
		assert_int_equal(first_error.offset, use->offset);
		assert_string_equal(first_error.path, use->path);
		assert_string_equal(first_error.message, use->message);
	}
	return second;
}

/*
 * The document with much white space before its last byte, which changes nothing but the distance
 * of everything to the end. Returns its length; free() it.
 */
static size_t
pad_end(const char *text, size_t bytes, char **padded)
{
	const size_t padding = 80;

	*padded = malloc(bytes + padding);
	assert_non_null(*padded);
	memcpy(*padded, text, bytes - 1);
	memset(*padded + bytes - 1, ' ', padding);
	(*padded)[bytes - 1 + padding] = text[bytes - 1];
	return bytes + padding;
}

static void
fail_good(const char *text, const struct herald_error *error)
{
	fail_msg("%.300s: %s: %s (path \"%s\", byte %zu)", text, herald_status_name(error->status),
		 error->message, error->path, error->offset);
}

void
decode_good(const struct herald_codec *codec, const char *text, void *out, size_t out_bytes)
{
	size_t bytes = strlen(text);
	struct herald_buffer far, near;
	struct herald_error error;

	herald_buffer_init(&far, NULL, 0);
	herald_buffer_init(&near, NULL, 0);
	/* Decode it again with more bytes after it; the result must be the same, as text if it can
	 * be written. */
	if (text[bytes - 1] == '}') {
		char *padded;
		size_t padded_bytes = pad_end(text, bytes, &padded);

		if (decode_bytes(codec, padded, padded_bytes, out, out_bytes, &error) != HERALD_OK)
			fail_good(padded, &error);
		free(padded);
		(void)!herald_codec_encode(codec, out, &far, NULL);
	}
	if (decode_bytes(codec, text, bytes, out, out_bytes, &error) != HERALD_OK)
		fail_good(text, &error);
	if (text[bytes - 1] == '}') {
		(void)!herald_codec_encode(codec, out, &near, NULL);
		assert_int_equal(far.bytes, near.bytes);
		if (far.bytes > 0)
			assert_memory_equal(far.data, near.data, near.bytes);
	}
	herald_buffer_finish(&far);
	herald_buffer_finish(&near);
}

static void
expect_failure(const struct herald_codec *codec, const char *text, size_t bytes, size_t out_bytes,
	       const struct herald_error *expected, const char *name)
{
	struct herald_error error;
	void *out = malloc(out_bytes);

	assert_non_null(out);
	if (decode_bytes(codec, text, bytes, out, out_bytes, &error) == HERALD_OK)
		fail_msg("%.300s: decoded, but %s is expected", name,
			 herald_status_name(expected->status));
	free(out);
	if (error.status != expected->status || error.offset != expected->offset ||
	    strcmp(error.path, expected->path) != 0)
		fail_msg("%.300s: expected %s at \"%s\", byte %zu, found %s at \"%s\", byte %zu "
			 "(%s)",
			 name, herald_status_name(expected->status), expected->path,
			 expected->offset, herald_status_name(error.status), error.path,
			 error.offset, error.message);
}

void
decode_bad_bytes(const struct herald_codec *codec, const char *text, size_t bytes, size_t out_bytes,
		 enum herald_status status, const char *path, size_t offset, const char *name)
{
	struct herald_error expected = {.status = status, .offset = offset};

	assert_true(strlen(path) < sizeof(expected.path));
	strcpy(expected.path, path);
	expect_failure(codec, text, bytes, out_bytes, &expected, name);
	/* A value that is wrong for its member is as wrong far from the end. */
	if (status != HERALD_BAD_JSON && status != HERALD_BAD_UTF8 && status != HERALD_LIMIT &&
	    bytes > 0 && text[bytes - 1] == '}') {
		char *padded;
		size_t padded_bytes = pad_end(text, bytes, &padded);

		expect_failure(codec, padded, padded_bytes, out_bytes, &expected, name);
		free(padded);
	}
}

void
decode_bad(const struct herald_codec *codec, const char *text, size_t out_bytes,
	   enum herald_status status, const char *path)
{
	const char *mark = strchr(text, '@');
	size_t bytes = strlen(text) - 1;
	char *copy = malloc(bytes + 1);

	assert_non_null(mark);
	assert_non_null(copy);
	memcpy(copy, text, (size_t)(mark - text));
	strcpy(copy + (mark - text), mark + 1);
	decode_bad_bytes(codec, copy, bytes, out_bytes, status, path, (size_t)(mark - text), text);
	free(copy);
}

int
decoding_finish(void **state)
{
	(void)state;
	herald_arena_destroy(arena);
	arena = NULL;
	if (room != NULL)
		munmap(room - page_bytes, ROOM_BYTES + 2 * page_bytes);
	room = NULL;
	return 0;
}
