/*
 * The arena's inside: the struct, and the paths that the decoder takes for every value, inline. What
 * happens when a chunk is full, and at a reset, is arena.c's.
 */
#ifndef HERALD_SRC_ARENA_H
#define HERALD_SRC_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/arena.h>

/*
 * Under AddressSanitizer whatever is not given out is poisoned: use after a reset, and of what lies
 * beyond a block, is reported where it happens.
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

/* What every block is aligned to, and padded to a multiple of: 16 on the usual 64-bit systems. */
#define HERALD__ARENA_ALIGNMENT _Alignof(max_align_t)

struct herald__arena_chunk;

/*
 * Invariants: start, next and end are aligned and start <= next <= end. A chunk is never larger than
 * what the limit left when it was made, so that one comparison with `end` checks both. Without a
 * chunk the three point to the arena itself, so that 0 bytes are never NULL.
 */
struct herald_arena {
	char *next;  /* The first byte not given out. */
	char *end;   /* Of the newest chunk's bytes. */
	char *start; /* Of the newest chunk's bytes. */
	struct herald__arena_chunk *newest;
	size_t older_bytes;    /* Given out from the older chunks. */
	size_t max_bytes;      /* A multiple of the alignment. */
	unsigned giant_rounds; /* Resets to come at which a giant chunk is kept; see arena.c. */
	bool over_limit;
	struct herald_allocator allocator;
};

/* The slow path of herald__arena_take(): a new chunk, or NULL. */
void *herald__arena_grow(struct herald_arena *arena, size_t bytes);

/* herald_arena_reset() for an arena that may be idle for long: it keeps at most `most` bytes, or nothing. */
void herald__arena_reset_to(struct herald_arena *arena, size_t most);

/*
 * Whether the last NULL since the reset was for the limit (HERALD_LIMIT) and not for want of memory
 * (HERALD_NO_MEMORY).
 */
static inline bool
herald__arena_over_limit(const struct herald_arena *arena)
{
	return arena->over_limit;
}

/* `bytes` with its padding; it must not be within one alignment of SIZE_MAX. */
static inline size_t
herald__arena_padded(size_t bytes)
{
	return (bytes + HERALD__ARENA_ALIGNMENT - 1) & ~(HERALD__ARENA_ALIGNMENT - 1);
}

/* herald_arena_alloc(), inline. */
static inline void *
herald__arena_take(struct herald_arena *arena, size_t bytes)
{
	/* The room is a multiple of the alignment: what fits, fits with its padding. */
	if (bytes > (size_t)(arena->end - arena->next))
		return herald__arena_grow(arena, bytes);

	char *block = arena->next;
	arena->next += herald__arena_padded(bytes);
	herald__unpoison(block, bytes);
	return block;
}

/*
 * Make a block larger, or smaller, where it stands.
 *
 * Returns  false, with nothing changed, when it is not the last one given out or the chunk or the
 *          limit leaves no room: take a new one then and copy.
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
