/*
 * Arrays that grow, also as queues.
 */
#ifndef HERALD_REDIS_ARRAY_H
#define HERALD_REDIS_ARRAY_H

#include <stddef.h>

#include <herald/allocator.h>

/* Zero is an empty one. */
struct redis_array {
	void *items;
	size_t first; /* of a queue; else 0 */
	size_t count, capacity;
};

/* Add an item of `bytes` bytes at the end. NULL: out of memory. */
void *herald__redis_array_add(struct redis_array *array, size_t bytes,
			      const struct herald_allocator *allocator);
/* Remove the first items of a queue. */
void herald__redis_array_drop(struct redis_array *array, size_t count);
void herald__redis_array_finish(struct redis_array *array, size_t bytes,
				const struct herald_allocator *allocator);

#endif
