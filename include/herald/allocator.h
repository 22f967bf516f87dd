/*
 * Where Herald's memory comes from. Passed in options, never global.
 */
#ifndef HERALD_ALLOCATOR_H
#define HERALD_ALLOCATOR_H

#include <stddef.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An allocator: three functions and what they work on.
 *
 * The functions behave as malloc, realloc and free do, with the size of the old block handed back,
 * are called from any thread, and may fail by returning NULL. `bytes` is never 0. The struct is
 * copied by whoever takes it; `state` must live until the last object made with it is destroyed.
 */
struct herald_allocator {
	/** As malloc(). */
	void *(*allocate)(size_t bytes, void *state);
	/** As realloc(), of a block that is not NULL. */
	void *(*reallocate)(void *block, size_t old_bytes, size_t bytes, void *state);
	/** As free(), of a block that is not NULL. */
	void (*release)(void *block, size_t bytes, void *state);
	/** Passed to the three. */
	void *state;
};

/** malloc, realloc and free of the C library: what a NULL allocator means everywhere. */
HERALD_API extern const struct herald_allocator herald_allocator_libc;

#ifdef __cplusplus
}
#endif
#endif
