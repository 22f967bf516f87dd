/*
 * For authors of adapters: threads that decode events and run business functions, and waiting with
 * a deadline.
 */
#ifndef HERALD_ADAPTER_THREAD_H
#define HERALD_ADAPTER_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/export.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The stack size to set if a framework creates the threads: 1 MiB, or 0 if the C library's default
 * is at least that large. The default of musl, 128 KiB, is too small to decode documents that are
 * nested as deep as the limits allow.
 */
HERALD_API size_t herald_thread_stack_bytes(void);

/**
 * As pthread_create(), with a stack of at least 1 MiB and with all signals blocked, so that signals
 * reach the program's own threads.
 */
HERALD_API HERALD_MUST_CHECK int
herald_thread_create(pthread_t *thread, void *(*run)(void *state), void *state);

/** Call the hook for a thread that begins. */
static inline void
herald_thread_begins(const struct herald_thread_hooks *hooks)
{
	if (hooks->thread_start)
		hooks->thread_start(hooks->state);
}

/** Call the hook for a thread that ends. */
static inline void
herald_thread_ends(const struct herald_thread_hooks *hooks)
{
	if (hooks->thread_stop)
		hooks->thread_stop(hooks->state);
}

/** As pthread_cond_init(), with the monotonic clock, which herald_deadline_after() uses. */
HERALD_API HERALD_MUST_CHECK int herald_condition_init(pthread_cond_t *condition);

/** The time `ms` milliseconds from now, for pthread_cond_timedwait() with such a condition. */
HERALD_API struct timespec herald_deadline_after(uint32_t ms);

#ifdef __cplusplus
}
#endif
#endif
