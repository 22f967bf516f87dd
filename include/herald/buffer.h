/*
 * A buffer of bytes that grows up to a limit: what an encoder writes to and what a body is collected in.
 */
#ifndef HERALD_BUFFER_H
#define HERALD_BUFFER_H

#include <stddef.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A growing buffer; the members may be read, and `bytes` may be set to anything up to its value. */
struct herald_buffer {
	char *data;                        /**< NULL until the first byte. Not NUL-terminated. */
	size_t bytes;                      /**< How many are in it. */
	size_t capacity;                   /**< How many fit before it grows. */
	size_t max_bytes;                  /**< It never grows past this. */
	struct herald_allocator allocator; /**< Where the bytes come from. */
};

/**
 * Make an empty buffer in the caller's storage; allocates nothing.
 *
 * allocator  copied; NULL means libc's.
 * max_bytes  the most it holds; 0 means no limit.
 */
HERALD_API void herald_buffer_init(struct herald_buffer *buffer,
				   const struct herald_allocator *allocator, size_t max_bytes);

/** Free the bytes; the buffer is then empty and may be used again. */
HERALD_API void herald_buffer_finish(struct herald_buffer *buffer);

/**
 * Add bytes at the end.
 *
 * Errors  HERALD_TOO_LARGE past max_bytes, HERALD_NO_MEMORY; the buffer is then as it was.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_buffer_append(struct herald_buffer *buffer, const char *data, size_t bytes);

/** Make room for `bytes` more, so that as many may be written at data + bytes. Errors as above. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_buffer_reserve(struct herald_buffer *buffer, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
