/*
 * A malloc that counts, to be preloaded: every call that may hand out memory adds one. Peers ask
 * for the count by bench_allocations(), which they find only while this is loaded; times are taken
 * without it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

unsigned long bench_allocations(void);

static unsigned long allocations;

unsigned long
bench_allocations(void)
{
	return __atomic_load_n(&allocations, __ATOMIC_RELAXED);
}

static void
count(void)
{
	__atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
}

void *
malloc(size_t bytes)
{
	count();
	return __libc_malloc(bytes);
}

void *
calloc(size_t members, size_t bytes)
{
	count();
	return __libc_calloc(members, bytes);
}

void *
realloc(void *block, size_t bytes)
{
	count();
	return __libc_realloc(block, bytes);
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	count();
	return __libc_memalign(alignment, bytes);
}

int
posix_memalign(void **out, size_t alignment, size_t bytes)
{
	count();
	*out = __libc_memalign(alignment, bytes);
	return *out ? 0 : ENOMEM;
}
