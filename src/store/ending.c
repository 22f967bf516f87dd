/*
 * Counts the operations that run, so that herald_store_destroy() can wait for them. The database
 * interrupts them; this file only asks for it.
 */
#include "store/ending.h"

#include <errno.h>

#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "store/state.h"

/* Between two attempts to interrupt: a call may have begun just after the last one. */
#define AGAIN_MS 50

bool
herald__ending_init(struct herald__ending *ending)
{
	if (pthread_mutex_init(&ending->mutex, NULL) != 0)
		return false;
	if (herald_condition_init(&ending->changed) == 0)
		return true;
	pthread_mutex_destroy(&ending->mutex);
	return false;
}

void
herald__ending_finish(struct herald__ending *ending)
{
	pthread_cond_destroy(&ending->changed);
	pthread_mutex_destroy(&ending->mutex);
}

static bool
has_begun(const struct herald_store *store)
{
	return atomic_load(&store->ending.has_begun);
}

bool
herald__ending_explains(const struct herald_store *store, enum herald_status status)
{
	return status == HERALD_UNAVAILABLE && has_begun(store);
}

enum herald_status
herald__ending_check(const struct herald_store *store, struct herald_error *error)
{
	if (!has_begun(store))
		return HERALD_OK;
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the store is being destroyed");
}

enum herald_status
herald__ending_enter(struct herald_store *store, struct herald_error *error)
{
	struct herald__ending *ending = &store->ending;

	pthread_mutex_lock(&ending->mutex);
	const enum herald_status status = herald__ending_check(store, error);
	ending->operations += status == HERALD_OK;
	pthread_mutex_unlock(&ending->mutex);
	return status;
}

void
herald__ending_leave(struct herald_store *store)
{
	struct herald__ending *ending = &store->ending;

	pthread_mutex_lock(&ending->mutex);
	ending->operations--;
	pthread_cond_broadcast(&ending->changed);
	pthread_mutex_unlock(&ending->mutex);
}

void
herald__ending_sleep(struct herald_store *store, uint64_t ms)
{
	struct herald__ending *ending = &store->ending;
	const struct timespec until =
		herald_deadline_after(ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX);
	int result = 0;

	pthread_mutex_lock(&ending->mutex);
	while (!ending->has_begun && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&ending->changed, &ending->mutex, &until);
	pthread_mutex_unlock(&ending->mutex);
}

static void
interrupt(struct herald_store *store)
{
	if (store->database->ops->interrupt)
		store->database->ops->interrupt(store->database);
}

void
herald__ending_begin(struct herald_store *store)
{
	struct herald__ending *ending = &store->ending;

	pthread_mutex_lock(&ending->mutex);
	ending->has_begun = true;
	pthread_cond_broadcast(&ending->changed);
	pthread_mutex_unlock(&ending->mutex);
	interrupt(store);
}

void
herald__ending_wait(struct herald_store *store)
{
	struct herald__ending *ending = &store->ending;

	pthread_mutex_lock(&ending->mutex);
	while (ending->operations > 0) {
		const struct timespec until = herald_deadline_after(AGAIN_MS);
		const int result = pthread_cond_timedwait(&ending->changed, &ending->mutex, &until);

		if (result != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&ending->mutex);
		interrupt(store);
		pthread_mutex_lock(&ending->mutex);
	}
	pthread_mutex_unlock(&ending->mutex);
}
