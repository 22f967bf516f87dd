/*
 * The C library's memory as a herald_allocator: what a NULL allocator means. Not the helpers that
 * call an allocator (memory.h), nor what is built on them (arena.c, buffer.c).
 */
#include <stdlib.h>

#include <herald/allocator.h>

/*
 * Blocks of at least this size are made small before they are freed. glibc takes large blocks from the system
 * one by one; but when it frees one, it decides to take no block of up to that size from there any more, and
 * to keep as free memory twice as much, for each of its arenas and for good. After events of some MiB on a few
 * threads that is a hundred MiB of a process that does nothing.
 */
#define LARGE_BYTES ((size_t)1 << 20)

static void *
libc_allocate(size_t bytes, void *state)
{
	(void)state;
	return malloc(bytes);
}

static void *
libc_reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	(void)old_bytes;
	(void)state;
	return realloc(block, bytes);
}

static void
libc_release(void *block, size_t bytes, void *state)
{
	void *small = bytes >= LARGE_BYTES ? realloc(block, 1) : NULL;

	(void)state;
	free(small ? small : block);
}

const struct herald_allocator herald_allocator_libc = {
	.allocate = libc_allocate,
	.reallocate = libc_reallocate,
	.release = libc_release,
	.state = NULL,
};
