/*
 * The arena: memory that is allocated in pieces and freed all at once. Everything that an event
 * decodes to is in an arena, until the event has been handled.
 */
#ifndef HERALD_ARENA_H
#define HERALD_ARENA_H

#include <stddef.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_arena;

/**
 * Create an empty arena.
 *
 * allocator  copied; NULL means libc's.
 * max_bytes  limit of the bytes in use. Default 16 MiB (0).
 * out        set only on HERALD_OK; the caller owns it.
 * Errors     HERALD_NO_MEMORY.
 * Threads    any. Use an arena on one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_arena_create(const struct herald_allocator *allocator, size_t max_bytes,
		    struct herald_arena **out);

/** Free the arena and all memory from it. NULL is allowed. */
HERALD_API void herald_arena_destroy(struct herald_arena *arena);

/**
 * Allocate `bytes` from the arena, aligned for any type. The memory is not cleared.
 *
 * Returns  memory that is valid until the next reset; NULL if out of memory or over the limit. With
 *          0 bytes, a pointer that must not be read.
 */
HERALD_API void *herald_arena_alloc(struct herald_arena *arena, size_t bytes);

/** Copy `bytes` bytes of `text` and add a NUL. Returns NULL as herald_arena_alloc() does. */
HERALD_API char *herald_arena_copy(struct herald_arena *arena, const char *text, size_t bytes);

/** Free all pieces at once. The arena keeps its memory for reuse. */
HERALD_API void herald_arena_reset(struct herald_arena *arena);

/** Bytes allocated since the last reset, including padding. */
HERALD_API size_t herald_arena_used_bytes(const struct herald_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
