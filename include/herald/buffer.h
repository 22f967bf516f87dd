/*
 * A growing buffer of bytes with a limit, for encoders and request bodies.
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

/** A growing buffer. You may read the members, and lower `bytes`. */
struct herald_buffer {
	char *data;                        /**< NULL until the first byte. Not NUL-terminated. */
	size_t bytes;                      /**< Length of the contents. */
	size_t capacity;                   /**< Allocated bytes. */
	size_t max_bytes;                  /**< Limit of `bytes`. */
	struct herald_allocator allocator; /**< Allocates `data`. */
};

/**
 * Initialise an empty buffer in the caller's storage. Allocates nothing.
 *
 * allocator  copied; NULL means libc's.
 * max_bytes  limit of its contents; 0 means unlimited.
 */
HERALD_API void herald_buffer_init(struct herald_buffer *buffer,
				   const struct herald_allocator *allocator, size_t max_bytes);

/** Free the contents. The buffer is then empty and can be used again. */
HERALD_API void herald_buffer_finish(struct herald_buffer *buffer);

/**
 * Append bytes.
 *
 * Errors  HERALD_TOO_LARGE (max_bytes), HERALD_NO_MEMORY. The buffer is then unchanged.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_buffer_append(struct herald_buffer *buffer, const char *data, size_t bytes);

/** Make room for `bytes` more at buffer->data + buffer->bytes. Errors as above. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_buffer_reserve(struct herald_buffer *buffer, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
