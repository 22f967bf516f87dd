/*
 * The arena's chunks: when a new one is made, how large it is, and what is kept at a reset. Giving
 * out from the newest chunk is inline in arena.h.
 *
 * What is kept at a reset. A round that took several chunks leaves one that would have held it all,
 * so that the same round again calls no allocator. Beyond KEPT_BYTES (a giant round) it does so only
 * when another giant round came within the GIANT_ROUNDS resets before: one giant event, once, leaves
 * nothing behind; a steady stream of them costs no allocation from the third on.
 */
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "memory.h"

#define DEFAULT_MAX_BYTES ((size_t)16 << 20)
#define FIRST_CHUNK_BYTES ((size_t)4 << 10)
#define KEPT_BYTES ((size_t)256 << 10)
#define GIANT_ROUNDS 16u

/* The head of a chunk; its bytes follow. */
struct herald__arena_chunk {
	_Alignas(max_align_t) struct herald__arena_chunk *older;
	size_t bytes; /* Without the head. */
};

/* Stand at the beginning of the newest chunk, or nowhere. */
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
		herald__allocate(&arena->allocator, sizeof(*chunk) + bytes);

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
		herald__release(&arena->allocator, chunk, sizeof(*chunk) + chunk->bytes);
	}
	rewind_to_newest(arena);
}

enum herald_status
herald_arena_create(const struct herald_allocator *allocator, size_t max_bytes,
		    struct herald_arena **out)
{
	struct herald_allocator own = herald__allocator_or_libc(allocator);
	struct herald_arena *arena = herald__allocate_zeroed(&own, 1, sizeof(*arena));

	if (!arena)
		return HERALD_NO_MEMORY;

	if (!max_bytes)
		max_bytes = DEFAULT_MAX_BYTES;
	/* More than half of all addresses nobody has; no sum of sizes can overflow then. */
	if (max_bytes > SIZE_MAX / 2)
		max_bytes = SIZE_MAX / 2;
	/* Only whole blocks are given out, so the rest could not be anyway. */
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
	herald__release(&allocator, arena, sizeof(*arena));
}

size_t
herald_arena_used_bytes(const struct herald_arena *arena)
{
	return arena->older_bytes + (size_t)(arena->next - arena->start);
}

void *
herald__arena_grow(struct herald_arena *arena, size_t bytes)
{
	size_t used = herald_arena_used_bytes(arena);
	size_t left = arena->max_bytes - used;

	arena->over_limit = bytes > left;
	if (arena->over_limit)
		return NULL;

	size_t wanted = arena->newest ? arena->newest->bytes * 2 : FIRST_CHUNK_BYTES;
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
	/* With SIZE_MAX bytes there is no room for the NUL, nor for them: ask for as many. */
	char *copy = herald__arena_take(arena, bytes < SIZE_MAX ? bytes + 1 : SIZE_MAX);

	if (!copy)
		return NULL;
	if (bytes)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

/* The most that may be kept after a round that used so much; see the top of the file. */
static size_t
most_to_keep(struct herald_arena *arena, size_t used)
{
	bool giants_are_usual = arena->giant_rounds > 0;

	if (used > KEPT_BYTES)
		arena->giant_rounds = GIANT_ROUNDS;
	else if (giants_are_usual)
		arena->giant_rounds--;
	return giants_are_usual || arena->max_bytes < KEPT_BYTES ? arena->max_bytes : KEPT_BYTES;
}

/* Doubled until it holds the round, so that rounds of slowly growing size do not all allocate. */
static size_t
chunk_for_round(size_t used, size_t most)
{
	size_t bytes = FIRST_CHUNK_BYTES;

	while (bytes < used)
		bytes *= 2;
	return bytes < most ? bytes : most;
}

static void
reset(struct herald_arena *arena, size_t used, size_t most)
{
	bool is_one = arena->newest && !arena->newest->older;

	arena->older_bytes = 0;
	arena->over_limit = false;
	if (is_one && arena->newest->bytes <= most) {
		rewind_to_newest(arena);
		return;
	}
	release_chunks(arena);
	/* Without memory for it the next round begins with nothing, as the first one did. */
	if (used && used <= most)
		(void)add_chunk(arena, chunk_for_round(used, most));
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
