/*
 * Hooks that count calls, and know whether the calling thread has begun and not ended. Include
 * cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_THREAD_HOOKS_H
#define HERALD_TESTS_SUPPORT_THREAD_HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <herald/thread_hooks.h>

struct counted_hooks {
	atomic_uint starts, stops;
	atomic_uint wrong; /* begun twice, or ended without a beginning */
};

static _Thread_local struct counted_hooks *hooked_thread;

static inline void
count_thread_start(void *state)
{
	struct counted_hooks *hooks = state;

	atomic_fetch_add(&hooks->starts, 1);
	atomic_fetch_add(&hooks->wrong, hooked_thread != NULL);
	hooked_thread = hooks;
}

static inline void
count_thread_stop(void *state)
{
	struct counted_hooks *hooks = state;

	atomic_fetch_add(&hooks->stops, 1);
	atomic_fetch_add(&hooks->wrong, hooked_thread != hooks);
	hooked_thread = NULL;
}

#define COUNTED_HOOKS(HOOKS)                                                                       \
	{                                                                                          \
		count_thread_start, count_thread_stop, (HOOKS)                                     \
	}

/* Whether the calling thread has begun. */
static inline bool
is_hooked(void)
{
	return hooked_thread != NULL;
}

static inline void
assert_hooks(const struct counted_hooks *hooks, unsigned starts)
{
	assert_int_equal(atomic_load(&hooks->starts), starts);
	assert_int_equal(atomic_load(&hooks->stops), starts);
	assert_int_equal(atomic_load(&hooks->wrong), 0);
}

#endif
