/*
 * The allocator: how Herald gets its memory. Passed in options, never global.
 */
#ifndef HERALD_ALLOCATOR_H
#define HERALD_ALLOCATOR_H

#include <stddef.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An allocator: three functions and their state.
 *
 * The functions behave like malloc, realloc and free, but also get the size of the old block. They
 * are called on any thread and return NULL on failure. `bytes` is never 0. The struct is copied;
 * `state` must live until the last object that uses it is destroyed.
 */
struct herald_allocator {
	/** Like malloc(). */
	void *(*allocate)(size_t bytes, void *state);
	/** Like realloc(); `block` is not NULL. */
	void *(*reallocate)(void *block, size_t old_bytes, size_t bytes, void *state);
	/** Like free(); `block` is not NULL. */
	void (*release)(void *block, size_t bytes, void *state);
	/** Passed to the functions. */
	void *state;
};

/** malloc, realloc and free of the C library. A NULL allocator means this one. */
HERALD_API extern const struct herald_allocator herald_allocator_libc;

#ifdef __cplusplus
}
#endif
#endif
