/*
 * The arena's chunks: when one is allocated, its size, and what is retained at a reset. Taking from
 * the newest chunk is inline in arena.h.
 *
 * What a reset retains. After a round that took several chunks, one chunk is left that would have
 * held all of it, so that the same round again allocates nothing. For a round of more than
 * RETAINED_BYTES (a giant round), this happens only if another giant round was within the previous
 * GIANT_ROUNDS resets. So a single giant event leaves nothing behind, and a steady stream of them
 * allocates nothing from the third on.
 */
#include <stdint.h>
#include <string.h>

#include <herald/adapter/memory.h>

#include "base/arena.h"
#include "base/attributes.h"

#define DEFAULT_MAX_BYTES ((size_t)16 << 20)
#define FIRST_CHUNK_BYTES ((size_t)4 << 10)
#define RETAINED_BYTES ((size_t)256 << 10)
#define GIANT_ROUNDS 16u

/* The header of a chunk; its bytes follow. */
struct herald__arena_chunk {
	_Alignas(max_align_t) struct herald__arena_chunk *older;
	size_t bytes; /* Without the header. */
};

/* Move to the start of the newest chunk, if there is one. */
static void
rewind_to_newest(struct herald_arena *arena)
{
	struct herald__arena_chunk *chunk = arena->newest;

	arena->start = chunk ? (char *)(chunk + 1) : (char *)arena;
	arena->next = arena->start;
	arena->end = chunk ? arena->start + chunk->bytes : arena->start;
	if (chunk)
		herald__poison(arena->start, chunk->bytes);
}

static bool
add_chunk(struct herald_arena *arena, size_t bytes)
{
	struct herald__arena_chunk *chunk =
		herald_memory_allocate(&arena->allocator, sizeof(*chunk) + bytes);

	if (!chunk)
		return false;
	chunk->older = arena->newest;
	chunk->bytes = bytes;
	arena->newest = chunk;
	rewind_to_newest(arena);
	return true;
}

static void
release_chunks(struct herald_arena *arena)
{
	while (arena->newest) {
		struct herald__arena_chunk *chunk = arena->newest;

		arena->newest = chunk->older;
		herald__unpoison(chunk + 1, chunk->bytes);
		herald_memory_release(&arena->allocator, chunk, sizeof(*chunk) + chunk->bytes);
	}
	rewind_to_newest(arena);
}

enum herald_status
herald_arena_create(const struct herald_allocator *allocator, size_t max_bytes,
		    struct herald_arena **out)
{
	struct herald_allocator own = herald_allocator_or_libc(allocator);
	struct herald_arena *arena = herald_memory_allocate_zeroed(&own, 1, sizeof(*arena));

	if (!arena)
		return HERALD_NO_MEMORY;

	if (!max_bytes)
		max_bytes = DEFAULT_MAX_BYTES;
	/* No process has more than half of the address space. With this limit, sums of sizes cannot
	 * overflow. */
	if (max_bytes > SIZE_MAX / 2)
		max_bytes = SIZE_MAX / 2;
	/* Blocks are multiples of the alignment, so the remainder could not be used. */
	arena->max_bytes = max_bytes - max_bytes % HERALD__ARENA_ALIGNMENT;
	arena->allocator = own;
	rewind_to_newest(arena);
	*out = arena;
	return HERALD_OK;
}

void
herald_arena_destroy(struct herald_arena *arena)
{
	if (!arena)
		return;

	struct herald_allocator allocator = arena->allocator;

	release_chunks(arena);
	herald_memory_release(&allocator, arena, sizeof(*arena));
}

size_t
herald_arena_used_bytes(const struct herald_arena *arena)
{
	return arena->older_bytes + (size_t)(arena->next - arena->start);
}

/* Sizes are doubled from the first one on, so that the block cache can reuse released chunks. */
static size_t
next_chunk_bytes(const struct herald_arena *arena)
{
	if (!arena->newest)
		return FIRST_CHUNK_BYTES;

	size_t bytes = arena->newest->bytes * 2;
	while (bytes < arena->expected_bytes && bytes < arena->max_bytes)
		bytes *= 2;
	return bytes;
}

void *
herald__arena_grow(struct herald_arena *arena, size_t bytes)
{
	size_t used = herald_arena_used_bytes(arena);
	size_t left = arena->max_bytes - used;

	arena->over_limit = bytes > left;
	if (arena->over_limit)
		return NULL;

	size_t wanted = next_chunk_bytes(arena);
	if (wanted < herald__arena_padded(bytes))
		wanted = herald__arena_padded(bytes);
	if (wanted > left)
		wanted = left;
	if (!add_chunk(arena, wanted))
		return NULL;
	arena->older_bytes = used;
	return herald__arena_take(arena, bytes);
}

void *
herald_arena_alloc(struct herald_arena *arena, size_t bytes)
{
	return herald__arena_take(arena, bytes);
}

char *
herald_arena_copy(struct herald_arena *arena, const char *text, size_t bytes)
{
	/* For SIZE_MAX bytes, adding the NUL would overflow. Ask for SIZE_MAX, which fails. */
	size_t wanted = bytes < SIZE_MAX ? bytes + 1 : SIZE_MAX;

	char *copy = herald__arena_take(arena, wanted);

	if (!copy)
		return NULL;
	if (bytes)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

/* The maximum to retain after a round that used `used` bytes; see the top of the file. */
static size_t
most_to_keep(struct herald_arena *arena, size_t used)
{
	bool giants_are_usual = arena->giant_rounds > 0;

	if (used > RETAINED_BYTES)
		arena->giant_rounds = GIANT_ROUNDS;
	else if (giants_are_usual)
		arena->giant_rounds--;
	return giants_are_usual || arena->max_bytes < RETAINED_BYTES ? arena->max_bytes
								     : RETAINED_BYTES;
}

/* Doubled until it holds the round, so that slowly growing rounds do not allocate each time. */
static size_t
chunk_for_round(size_t used, size_t most)
{
	size_t bytes = FIRST_CHUNK_BYTES;

	while (bytes < used)
		bytes *= 2;
	return bytes < most ? bytes : most;
}

/* Replace all chunks by one, or by none. Not inlined because most resets do not need it. */
HERALD__NOT_INLINE static void
replace_chunks(struct herald_arena *arena, size_t used, size_t most)
{
	release_chunks(arena);
	/* If this allocation fails, the next round starts without a chunk, as the first one did. */
	if (used && used <= most)
		(void)add_chunk(arena, chunk_for_round(used, most));
}

static inline void
reset(struct herald_arena *arena, size_t used, size_t most)
{
	const struct herald__arena_chunk *chunk = arena->newest;

	arena->older_bytes = 0;
	arena->expected_bytes = 0;
	arena->over_limit = false;
	if (chunk && !chunk->older && chunk->bytes <= most) {
		arena->next = arena->start;
		herald__poison(arena->start, chunk->bytes);
	} else {
		replace_chunks(arena, used, most);
	}
}

void
herald_arena_reset(struct herald_arena *arena)
{
	size_t used = herald_arena_used_bytes(arena);

	reset(arena, used, most_to_keep(arena, used));
}

void
herald__arena_reset_to(struct herald_arena *arena, size_t most)
{
	reset(arena, herald_arena_used_bytes(arena),
	      most < arena->max_bytes ? most : arena->max_bytes);
}
