/*
 * The block cache: a list of released blocks, the newest first, linked through their own memory. A
 * block is reused only for exactly its size, which suits arenas, because their chunks double in
 * size. If a released block does not fit, the oldest ones are freed, so that sizes no longer in use
 * disappear.
 */
#include "base/block_cache.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "base/arena.h"

struct herald__cached_block {
	struct herald__cached_block *older;
	size_t bytes; /* including this header */
};

/* Poison cached blocks under AddressSanitizer, so that a use after a release is found. */
static void
poison(struct herald__cached_block *block)
{
	herald__poison(block + 1, block->bytes - sizeof(*block));
}

static void
unpoison(struct herald__cached_block *block)
{
	herald__unpoison(block + 1, block->bytes - sizeof(*block));
}

/* Remove the block that *link points to from the list. Call it with the mutex locked. */
static struct herald__cached_block *
unlink_block(struct herald__block_cache *cache, struct herald__cached_block **link)
{
	struct herald__cached_block *block = *link;

	*link = block->older;
	cache->bytes -= block->bytes;
	return block;
}

/* Take the newest block of this size, or return NULL. */
static void *
take(struct herald__block_cache *cache, size_t bytes)
{
	struct herald__cached_block *block = NULL;

	pthread_mutex_lock(&cache->mutex);
	for (struct herald__cached_block **link = &cache->newest; *link; link = &(*link)->older)
		if ((*link)->bytes == bytes) {
			block = unlink_block(cache, link);
			break;
		}
	pthread_mutex_unlock(&cache->mutex);
	if (block)
		unpoison(block);
	return block;
}

/* Remove the oldest blocks until `bytes` more fit, and return them as a list. Call it with the
 * mutex locked. */
static struct herald__cached_block *
make_room(struct herald__block_cache *cache, size_t bytes)
{
	struct herald__cached_block **link = &cache->newest;
	size_t newer_bytes = bytes;

	while (*link && (*link)->bytes <= cache->max_bytes - newer_bytes) {
		newer_bytes += (*link)->bytes;
		link = &(*link)->older;
	}

	struct herald__cached_block *oldest = *link;
	*link = NULL;
	cache->bytes = newer_bytes - bytes;
	return oldest;
}

static void
release_all(const struct herald_allocator *allocator, struct herald__cached_block *block)
{
	while (block) {
		struct herald__cached_block *older = block->older;

		unpoison(block);
		herald_memory_release(allocator, block, block->bytes);
		block = older;
	}
}

static void *
cache_allocate(size_t bytes, void *state)
{
	struct herald__block_cache *cache = state;
	void *block = bytes >= HERALD__LARGE_BYTES ? take(cache, bytes) : NULL;

	return block ? block : herald_memory_allocate(&cache->below, bytes);
}

static void
cache_release(void *memory, size_t bytes, void *state)
{
	struct herald__block_cache *cache = state;
	struct herald__cached_block *block = memory;

	if (bytes < HERALD__LARGE_BYTES || bytes > cache->max_bytes) {
		herald_memory_release(&cache->below, memory, bytes);
		return;
	}
	block->bytes = bytes;
	poison(block);
	pthread_mutex_lock(&cache->mutex);
	struct herald__cached_block *dropped = make_room(cache, bytes);
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
