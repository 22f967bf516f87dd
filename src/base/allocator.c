/*
 * The default allocator: the C library's memory, used where an allocator is NULL. The helpers that
 * call an allocator are in herald/adapter/memory.h.
 */
#include <stdlib.h>

#include <herald/allocator.h>

/*
 * Blocks of at least this size are shrunk before they are freed. glibc maps large blocks one by
 * one, but when one is freed it raises its threshold: later blocks up to that size come from its
 * arenas, and each arena keeps up to twice as much free memory for good. After a few threads
 * handled events of some MiB, an idle process would hold a hundred MiB.
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
