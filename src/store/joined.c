/*
 * A worker notes its thread for the time of a run with a transaction. Other threads only compare it
 * with their own.
 */
#include "store/joined.h"

#include <pthread.h>
#include <stddef.h>

#include "store/state.h"

void
herald__joined_set(const struct herald_store *store, struct herald__joined *joined,
		   struct herald__run *run)
{
	/* Without threads, the coroutines of a test are one thread. */
	if (!store->has_threads)
		return;
	joined->run = run;
	atomic_store_explicit(&joined->thread, run ? (uintptr_t)pthread_self() : 0,
			      memory_order_relaxed);
}

struct herald__run *
herald__joined_run(const struct herald_store *store)
{
	const uintptr_t self = (uintptr_t)pthread_self();

	for (unsigned i = 0; store->workers && i < store->settings.options.workers; i++) {
		const struct herald__joined *joined = &store->workers[i].joined;

		if (atomic_load_explicit(&joined->thread, memory_order_relaxed) == self)
			return joined->run;
	}
	return NULL;
}

enum herald_status
herald__joined_check(const struct herald_store *store, struct herald_error *error)
{
	if (!store->database->ops->has_one_writer || !herald__joined_run(store))
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				"a function with HERALD_TRANSACTION_JOIN has the database's only "
				"write transaction, and this would wait for it; use "
				"herald_publish(), or a route without it");
}
