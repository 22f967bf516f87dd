/*
 * Short forms for calling an allocator: sizes that cannot overflow, NULL that may be released, and
 * the promise of allocator.h kept that no size is ever 0. Owns no memory and no policy.
 */
#ifndef HERALD_SRC_MEMORY_H
#define HERALD_SRC_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/allocator.h>

/* A copy of the allocator; of libc's when it is NULL or zeroed. */
static inline struct herald_allocator
herald__allocator_or_libc(const struct herald_allocator *allocator)
{
	return allocator && allocator->allocate ? *allocator : herald_allocator_libc;
}

/* Not cleared. 0 bytes give a block of 1, which is released with 0 or 1. */
static inline void *
herald__allocate(const struct herald_allocator *allocator, size_t bytes)
{
	return allocator->allocate(bytes ? bytes : 1, allocator->state);
}

/* An array, cleared; NULL as well when its size does not fit a size_t. */
static inline void *
herald__allocate_zeroed(const struct herald_allocator *allocator, size_t count, size_t bytes)
{
	if (bytes && count > SIZE_MAX / bytes)
		return NULL;

	void *block = herald__allocate(allocator, count * bytes);
	if (block)
		memset(block, 0, count * bytes);
	return block;
}

/* NULL for the block allocates. After NULL is returned the old block is as it was. */
static inline void *
herald__reallocate(const struct herald_allocator *allocator, void *block, size_t old_bytes,
		   size_t bytes)
{
	if (!block)
		return herald__allocate(allocator, bytes);
	return allocator->reallocate(block, old_bytes ? old_bytes : 1, bytes ? bytes : 1,
				     allocator->state);
}

/* `bytes` as they were asked for. NULL is allowed. */
static inline void
herald__release(const struct herald_allocator *allocator, void *block, size_t bytes)
{
	if (block)
		allocator->release(block, bytes ? bytes : 1, allocator->state);
}

/* Copy `bytes` bytes of text and a NUL after them; the block has bytes + 1. */
static inline char *
herald__duplicate(const struct herald_allocator *allocator, const char *text, size_t bytes)
{
	if (bytes == SIZE_MAX)
		return NULL;

	char *copy = herald__allocate(allocator, bytes + 1);
	if (!copy)
		return NULL;
	if (bytes)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

#endif
