/*
 * The C library's memory as a herald_allocator: what a NULL allocator means. Not the helpers that
 * call an allocator (memory.h), nor what is built on them (arena.c, buffer.c).
 */
#include <stdlib.h>

#include <herald/allocator.h>

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
	(void)bytes;
	(void)state;
	free(block);
}

const struct herald_allocator herald_allocator_libc = {
	.allocate = libc_allocate,
	.reallocate = libc_reallocate,
	.release = libc_release,
	.state = NULL,
};
