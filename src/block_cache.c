/*
 * The block cache: a list of released blocks, the newest first, each with its head in its own memory. A block
 * is given out again for exactly its size, which is what arenas ask for: their chunks double. One that does
 * not fit any more drives out the oldest ones, so that sizes which nobody needs any more go. It decides what
 * is kept; how memory is used is the arena's business.
 */
#include "block_cache.h"

#include <string.h>

#include "arena.h"
#include "memory.h"

struct herald__kept_block {
	struct herald__kept_block *older;
	size_t bytes; /* with this head */
};

/* Under AddressSanitizer whoever still uses a block that is kept is found. */
static void
poison(struct herald__kept_block *block)
{
	herald__poison(block + 1, block->bytes - sizeof(*block));
}

static void
unpoison(struct herald__kept_block *block)
{
	herald__unpoison(block + 1, block->bytes - sizeof(*block));
}

/* Take the block that *link leads to out of the list. Call it with the mutex. */
static struct herald__kept_block *
unlink_block(struct herald__block_cache *cache, struct herald__kept_block **link)
{
	struct herald__kept_block *block = *link;

	*link = block->older;
	cache->bytes -= block->bytes;
	return block;
}

/* The newest block of this size, or NULL. */
static void *
take(struct herald__block_cache *cache, size_t bytes)
{
	struct herald__kept_block *block = NULL;

	pthread_mutex_lock(&cache->mutex);
	for (struct herald__kept_block **link = &cache->newest; *link; link = &(*link)->older)
		if ((*link)->bytes == bytes) {
			block = unlink_block(cache, link);
			break;
		}
	pthread_mutex_unlock(&cache->mutex);
	if (block)
		unpoison(block);
	return block;
}

/* Drop the oldest blocks until `bytes` more fit. Returns them, as a list. Call it with the mutex. */
static struct herald__kept_block *
make_room(struct herald__block_cache *cache, size_t bytes)
{
	struct herald__kept_block **link = &cache->newest;
	size_t newer_bytes = bytes;

	while (*link && (*link)->bytes <= cache->max_bytes - newer_bytes) {
		newer_bytes += (*link)->bytes;
		link = &(*link)->older;
	}

	struct herald__kept_block *oldest = *link;
	*link = NULL;
	cache->bytes = newer_bytes - bytes;
	return oldest;
}

static void
release_all(const struct herald_allocator *allocator, struct herald__kept_block *block)
{
	while (block) {
		struct herald__kept_block *older = block->older;

		unpoison(block);
		herald__release(allocator, block, block->bytes);
		block = older;
	}
}

static void *
cache_allocate(size_t bytes, void *state)
{
	struct herald__block_cache *cache = state;
	void *block = bytes >= HERALD__LARGE_BYTES ? take(cache, bytes) : NULL;

	return block ? block : herald__allocate(&cache->below, bytes);
}

static void
cache_release(void *memory, size_t bytes, void *state)
{
	struct herald__block_cache *cache = state;
	struct herald__kept_block *block = memory;

	if (bytes < HERALD__LARGE_BYTES || bytes > cache->max_bytes) {
		herald__release(&cache->below, memory, bytes);
		return;
	}
	block->bytes = bytes;
	poison(block);
	pthread_mutex_lock(&cache->mutex);
	struct herald__kept_block *dropped = make_room(cache, bytes);
	block->older = cache->newest;
	cache->newest = block;
	cache->bytes += bytes;
	pthread_mutex_unlock(&cache->mutex);
	release_all(&cache->below, dropped);
}

static void *
cache_reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	void *larger = cache_allocate(bytes, state);

	if (!larger)
		return NULL;
	memcpy(larger, block, old_bytes < bytes ? old_bytes : bytes);
	cache_release(block, old_bytes, state);
	return larger;
}

bool
herald__block_cache_init(struct herald__block_cache *cache, const struct herald_allocator *below,
			 size_t max_bytes)
{
	*cache = (struct herald__block_cache){.below = *below, .max_bytes = max_bytes};
	return pthread_mutex_init(&cache->mutex, NULL) == 0;
}

void
herald__block_cache_finish(struct herald__block_cache *cache)
{
	release_all(&cache->below, cache->newest);
	pthread_mutex_destroy(&cache->mutex);
}

struct herald_allocator
herald__block_cache_allocator(struct herald__block_cache *cache)
{
	return (struct herald_allocator){
		.allocate = cache_allocate,
		.reallocate = cache_reallocate,
		.release = cache_release,
		.state = cache,
	};
}
