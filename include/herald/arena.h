/*
 * The arena: memory that is given out piece by piece and taken back all at once. Everything that one
 * event decodes to lives in one, until the event is settled.
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
 * max_bytes  the most it gives out between two resets; 0 means 16 MiB.
 * out        set only on HERALD_OK; the caller owns it.
 * Errors     HERALD_NO_MEMORY.
 * Threads    any; one arena is for one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_arena_create(const struct herald_allocator *allocator, size_t max_bytes,
		    struct herald_arena **out);

/** Free the arena and all that it gave out. NULL is allowed. */
HERALD_API void herald_arena_destroy(struct herald_arena *arena);

/**
 * Take `bytes` from the arena, aligned for any type; not cleared.
 *
 * Returns  NULL when memory is out or the limit would be exceeded; borrowed until the next reset.
 *          0 bytes are allowed and give a pointer that must not be read.
 */
HERALD_API void *herald_arena_alloc(struct herald_arena *arena, size_t bytes);

/** Copy `bytes` bytes of `text` and a NUL after them. Returns NULL as herald_arena_alloc() does. */
HERALD_API char *herald_arena_copy(struct herald_arena *arena, const char *text, size_t bytes);

/** Take back everything at once; what was given out is gone. Memory is kept for the next round. */
HERALD_API void herald_arena_reset(struct herald_arena *arena);

/** Bytes given out since the last reset, padding included. */
HERALD_API size_t herald_arena_used_bytes(const struct herald_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
