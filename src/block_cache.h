/*
 * An allocator above another one that keeps released blocks, for the memory of events: the next large event
 * takes what the last one gave back. What is kept has a limit, whatever number of threads, connections and
 * events there were; blocks below HERALD__LARGE_BYTES pass through.
 */
#ifndef HERALD_SRC_BLOCK_CACHE_H
#define HERALD_SRC_BLOCK_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>

/* From this size on a block is kept here; see also HERALD__IDLE_BYTES. */
#define HERALD__LARGE_BYTES ((size_t)64 << 10)

struct herald__kept_block;

struct herald__block_cache {
	struct herald_allocator below;
	size_t max_bytes;
	pthread_mutex_t mutex;             /* over the rest */
	struct herald__kept_block *newest; /* the others follow, down to the oldest */
	size_t bytes;
};

/* Returns false when the operating system has no mutex left. `below` is copied. */
bool herald__block_cache_init(struct herald__block_cache *cache,
			      const struct herald_allocator *below, size_t max_bytes);

/* Release what is kept. All that was allocated must have been released. */
void herald__block_cache_finish(struct herald__block_cache *cache);

/* The cache as an allocator, for any thread. */
struct herald_allocator herald__block_cache_allocator(struct herald__block_cache *cache);

#endif
