/*
 * Threads that decode and run user code, with a stack for it: musl gives 128 KiB, and a document that is
 * nested as deep as a limit allows needs more. Inline, because adapters use it and the shared library does not
 * export it.
 */
#ifndef HERALD_SRC_THREAD_H
#define HERALD_SRC_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* The least; the C library's default if that is more. */
#define HERALD__STACK_BYTES ((size_t)1 << 20)

/* What to ask for; 0: the default will do. */
static inline size_t
herald__stack_bytes(void)
{
	pthread_attr_t attributes;
	size_t bytes = HERALD__STACK_BYTES;

	if (pthread_attr_init(&attributes) != 0)
		return 0;
	pthread_attr_getstacksize(&attributes, &bytes);
	pthread_attr_destroy(&attributes);
	return bytes < HERALD__STACK_BYTES ? HERALD__STACK_BYTES : 0;
}

/* As pthread_create(). */
static inline int
herald__thread_create(pthread_t *thread, void *(*run)(void *state), void *state)
{
	pthread_attr_t attributes;
	size_t bytes = herald__stack_bytes();
	int failed = pthread_attr_init(&attributes);

	if (failed != 0)
		return failed;
	if (bytes > 0)
		pthread_attr_setstacksize(&attributes, bytes);
	failed = pthread_create(thread, &attributes, run, state);
	pthread_attr_destroy(&attributes);
	return failed;
}

#endif
