/*
 * For authors of adapters: short forms for calling an allocator. Sizes cannot overflow, NULL may be
 * released, and the allocator's functions are never called with a size of 0.
 */
#ifndef HERALD_ADAPTER_MEMORY_H
#define HERALD_ADAPTER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A copy of the allocator. If it is NULL or zeroed, the C library's. */
static inline struct herald_allocator
herald_allocator_or_libc(const struct herald_allocator *allocator)
{
	return allocator && allocator->allocate ? *allocator : herald_allocator_libc;
}

/** Allocate a block that is not cleared. 0 bytes give a block of 1 byte; release it with 0 or 1. */
static inline void *
herald_memory_allocate(const struct herald_allocator *allocator, size_t bytes)
{
	return allocator->allocate(bytes ? bytes : 1, allocator->state);
}

/** Allocate a zeroed array. Returns NULL also if its size overflows. */
static inline void *
herald_memory_allocate_zeroed(const struct herald_allocator *allocator, size_t count, size_t bytes)
{
	if (bytes && count > SIZE_MAX / bytes)
		return NULL;

	void *block = herald_memory_allocate(allocator, count * bytes);
	if (block)
		memset(block, 0, count * bytes);
	return block;
}

/** Resize a block. NULL allocates a new one. If NULL is returned, the old block is unchanged. */
static inline void *
herald_memory_reallocate(const struct herald_allocator *allocator, void *block, size_t old_bytes,
			 size_t bytes)
{
	if (!block)
		return herald_memory_allocate(allocator, bytes);
	return allocator->reallocate(block, old_bytes ? old_bytes : 1, bytes ? bytes : 1,
				     allocator->state);
}

/** Release a block. `bytes` is the size that was allocated. Accepts NULL. */
static inline void
herald_memory_release(const struct herald_allocator *allocator, void *block, size_t bytes)
{
	if (block)
		allocator->release(block, bytes ? bytes : 1, allocator->state);
}

#ifdef __cplusplus
}
#endif
#endif
