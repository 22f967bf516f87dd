/*
 * The struct and the fast paths of the arena, inline because the decoder takes them for every
 * value. The slow paths, for a full chunk and for a reset, are in arena.c.
 */
#ifndef HERALD_SRC_BASE_ARENA_H
#define HERALD_SRC_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/arena.h>

/*
 * Under AddressSanitizer, memory that is not allocated is poisoned, so that a use after a reset or
 * beyond a block is reported where it happens.
 */
#if defined(__SANITIZE_ADDRESS__)
#define HERALD__ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HERALD__ARENA_POISONS 1
#endif
#endif

#ifdef HERALD__ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define herald__poison(START, BYTES) __asan_poison_memory_region(START, BYTES)
#define herald__unpoison(START, BYTES) __asan_unpoison_memory_region(START, BYTES)
#else
#define herald__poison(START, BYTES) ((void)(START), (void)(BYTES))
#define herald__unpoison(START, BYTES) ((void)(START), (void)(BYTES))
#endif

/* The alignment of every block. Sizes are padded to a multiple of it: 16 on the usual 64-bit
 * systems. */
#define HERALD__ARENA_ALIGNMENT _Alignof(max_align_t)

struct herald__arena_chunk;

/*
 * Invariants: start, next and end are aligned, and start <= next <= end. When a chunk is allocated,
 * it is at most as large as the rest of the limit, so one comparison with `end` checks both.
 * Without a chunk, the three point to the arena itself, so that allocating 0 bytes never returns
 * NULL.
 */
struct herald_arena {
	char *next;  /* The first free byte. */
	char *end;   /* The end of the newest chunk. */
	char *start; /* The start of the newest chunk's bytes. */
	struct herald__arena_chunk *newest;
	size_t older_bytes;    /* Allocated from the older chunks. */
	size_t max_bytes;      /* A multiple of the alignment. */
	size_t expected_bytes; /* See herald__arena_expect(). */
	unsigned giant_rounds; /* Resets that may still retain a giant chunk; see arena.c. */
	bool over_limit;
	struct herald_allocator allocator;
};

/* The slow path of herald__arena_take(): allocates a chunk. May return NULL. */
void *herald__arena_grow(struct herald_arena *arena, size_t bytes);

/* herald_arena_reset() for an arena that may then be idle for long: retains at most `most`
 * bytes. */
void herald__arena_reset_to(struct herald_arena *arena, size_t most);

/*
 * Announce about how many bytes will be taken until the reset. Allocates nothing, but the next new
 * chunk is at least as large, so that a growing list does not move from chunk to chunk.
 */
static inline void
herald__arena_expect(struct herald_arena *arena, size_t bytes)
{
	arena->expected_bytes = bytes;
}

/*
 * Why the last allocation since the reset failed: true for the limit (HERALD_LIMIT), false for lack
 * of memory (HERALD_NO_MEMORY).
 */
static inline bool
herald__arena_over_limit(const struct herald_arena *arena)
{
	return arena->over_limit;
}

/* `bytes` rounded up to the alignment; must not be within one alignment of SIZE_MAX. */
static inline size_t
herald__arena_padded(size_t bytes)
{
	return (bytes + HERALD__ARENA_ALIGNMENT - 1) & ~(HERALD__ARENA_ALIGNMENT - 1);
}

/* herald_arena_alloc(), inlined. */
static inline void *
herald__arena_take(struct herald_arena *arena, size_t bytes)
{
	/* The free space is a multiple of the alignment, so what fits also fits with padding. */
	if (bytes > (size_t)(arena->end - arena->next))
		return herald__arena_grow(arena, bytes);

	char *block = arena->next;
	arena->next += herald__arena_padded(bytes);
	herald__unpoison(block, bytes);
	return block;
}

/*
 * Resize a block in place.
 *
 * Returns  false, with nothing changed, if it is not the last block allocated, or if the chunk or
 *          the limit has no room. Then take a new block and copy.
 */
static inline bool
herald__arena_extend(struct herald_arena *arena, void *block, size_t old_bytes, size_t bytes)
{
	char *start = block;

	if (start + herald__arena_padded(old_bytes) != arena->next)
		return false;
	if (bytes > (size_t)(arena->end - start))
		return false;

	herald__poison(start, herald__arena_padded(old_bytes));
	arena->next = start + herald__arena_padded(bytes);
	herald__unpoison(start, bytes);
	return true;
}

#endif
