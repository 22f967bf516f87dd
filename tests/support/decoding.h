/*
 * Decoding in tests: every document stands against memory that must not be touched, once before it
 * and once after it, and the promises that hold for all decoding are checked each time. Include
 * cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_DECODING_H
#define HERALD_TESTS_DECODING_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/arena.h>
#include <herald/codec.h>

/* A codec with default limits, or the test fails. The caller owns it. */
struct herald_codec *
decoding_codec(const struct herald_schema *schema, const struct herald_limits *limits);

/*
 * A copy of `bytes` bytes that ends at a page which cannot be touched, or, if `at_page_start`, begins
 * behind one. Valid until the next call; up to 16 MiB.
 */
char *decoding_place(const char *text, size_t bytes, bool at_page_start);

/* The arena of decode_bytes(); it is reset by each call. */
struct herald_arena *decoding_arena(void);

/*
 * Decode a copy of the document into `out`, whose `out_bytes` bytes are filled with rubbish before.
 * Checks: after an error all of these bytes are as they were, and the error is complete; the outcome
 * is the same wherever the document stands. What was decoded is valid until the next call.
 */
enum herald_status decode_bytes(const struct herald_codec *codec, const char *text, size_t bytes,
				void *out, size_t out_bytes, struct herald_error *error);

/*
 * The same for a C string, and again with white space before its last brace. The test fails unless it
 * decodes to the same twice. Not for raw JSON at the root, which that white space is part of.
 */
void decode_good(const struct herald_codec *codec, const char *text, void *out, size_t out_bytes);

/*
 * The test fails unless the C string fails just like this. It has one '@', which is no part of the
 * document, before the byte that the error's offset is to name.
 */
void decode_bad(const struct herald_codec *codec, const char *text, size_t out_bytes,
		enum herald_status status, const char *path);

/* The same for bytes; `name` is for the message. What is JSON is padded here, too. */
void
decode_bad_bytes(const struct herald_codec *codec, const char *text, size_t bytes, size_t out_bytes,
		 enum herald_status status, const char *path, size_t offset, const char *name);

/* Release what the functions above keep; at the end of a group of tests. Returns 0, for cmocka. */
int decoding_finish(void **state);

#endif
