/*
 * Decoding in tests. Every document ends at inaccessible memory, once before it and once after it,
 * and the guarantees of decoding are checked each time. Include cmocka.h (and what it needs) before
 * this header.
 */
#ifndef HERALD_TESTS_SUPPORT_DECODING_H
#define HERALD_TESTS_SUPPORT_DECODING_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/codec.h>

/* Create a codec with default limits; fails the test on errors. The caller owns it. */
struct herald_codec *
decoding_codec(const struct herald_schema *schema, const struct herald_limits *limits);

/*
 * A copy of `bytes` bytes that ends at an inaccessible page or, if `at_page_start`, begins after
 * one. Valid until the next call; up to 16 MiB.
 */
char *decoding_place(const char *text, size_t bytes, bool at_page_start);

/* The arena of decode_bytes(). Each call resets it. */
struct herald_arena *decoding_arena(void);

/*
 * Decode a copy of the document into `out`, whose `out_bytes` bytes are first filled with garbage.
 * Checks that an error leaves all of them unchanged and is complete, and that the outcome does not
 * depend on the place of the document. The decoded values are valid until the next call.
 */
enum herald_status decode_bytes(const struct herald_codec *codec, const char *text, size_t bytes,
				void *out, size_t out_bytes, struct herald_error *error);

/*
 * The same for a C string, and again with white space before its last brace. Fails the test unless
 * both decode to the same. Not for raw JSON at the root, which would include the white space.
 */
void decode_good(const struct herald_codec *codec, const char *text, void *out, size_t out_bytes);

/*
 * Check that a C string fails with exactly this error. The string has one '@', which is not part of
 * the document, before the byte at the error's offset.
 */
void decode_bad(const struct herald_codec *codec, const char *text, size_t out_bytes,
		enum herald_status status, const char *path);

/* The same for bytes; `name` is for messages. Valid JSON is also padded. */
void
decode_bad_bytes(const struct herald_codec *codec, const char *text, size_t bytes, size_t out_bytes,
		 enum herald_status status, const char *path, size_t offset, const char *name);

/* Release the memory of the functions above, at the end of a group of tests. Returns 0, for
 * cmocka. */
int decoding_finish(void **state);

#endif
