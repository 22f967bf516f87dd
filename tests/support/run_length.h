/*
 * A content coding for tests: a digit and a byte stand for as many of that byte, "3a2b" for
 * "aaabb". A '!' where a digit is expected is corrupt.
 */
#ifndef HERALD_TESTS_SUPPORT_RUN_LENGTH_H
#define HERALD_TESTS_SUPPORT_RUN_LENGTH_H

#include <stddef.h>

#include <herald/adapter/coding.h>

extern const struct herald_content_coding run_length;

/* The option `content_codings` with this coding only. */
extern const struct herald_content_coding *const run_length_only[];

/* Its functions. */
enum herald_status run_length_create(const struct herald_allocator *allocator, void **out);
enum herald_status
run_length_decode(void *decoder, const char *data, size_t bytes, herald_coding_sink *sink,
		  void *sink_state, struct herald_error *error);
enum herald_status run_length_finish(void *decoder, struct herald_error *error);
void run_length_destroy(void *decoder);

/* Encode a text in the simplest way, "1a1b"; `out` has room for twice as many bytes and a NUL. */
size_t run_length_encode(const char *text, char *out);

#endif
