/*
 * An allocator on top of another one that caches released blocks for the memory of events: the next
 * large event reuses the blocks of the last one. The limit of cached memory does not depend on the
 * number of threads, connections and events. Blocks smaller than HERALD__LARGE_BYTES are not
 * cached.
 */
#ifndef HERALD_SRC_BASE_BLOCK_CACHE_H
#define HERALD_SRC_BASE_BLOCK_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>

/* The minimum size of a cached block; see also HERALD__IDLE_BYTES. */
#define HERALD__LARGE_BYTES ((size_t)64 << 10)

struct herald__cached_block;

struct herald__block_cache {
	struct herald_allocator below;
	size_t max_bytes;
	pthread_mutex_t mutex;               /* protects the members below */
	struct herald__cached_block *newest; /* linked, from the newest to the oldest */
	size_t bytes;
};

/* Returns false if the operating system cannot create a mutex. `below` is copied. */
bool herald__block_cache_init(struct herald__block_cache *cache,
			      const struct herald_allocator *below, size_t max_bytes);

/* Free the cached blocks. Everything allocated must have been released. */
void herald__block_cache_finish(struct herald__block_cache *cache);

/* The cache as an allocator; may be used on any thread. */
struct herald_allocator herald__block_cache_allocator(struct herald__block_cache *cache);

#endif
