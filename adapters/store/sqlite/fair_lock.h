/*
 * A lock that is given to those who wait for it in the order in which they came.
 */
#ifndef HERALD_SQLITE_FAIR_LOCK_H
#define HERALD_SQLITE_FAIR_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct herald__fair_waiter;

struct herald__fair_lock {
	pthread_mutex_t mutex;
	bool is_taken;
	struct herald__fair_waiter *first;
	struct herald__fair_waiter **end;
	size_t waiters_count;
	int64_t end_ms; /* by the monotonic clock; 0: waits have all of their time */
	uint32_t least_ms;
};

/* Returns false if the system has no memory for it. */
bool herald__fair_lock_init(struct herald__fair_lock *lock);
void herald__fair_lock_finish(struct herald__fair_lock *lock);

/*
 * Take the lock.
 *
 * ends     the wait ends when it is set, and herald__fair_lock_wake() called; NULL: only by time.
 * Returns  false if it was not possible within timeout_ms.
 */
bool herald__fair_lock_take(struct herald__fair_lock *lock, uint32_t timeout_ms,
			    const atomic_bool *ends);
/* Let the waits look whether they must end. */
void herald__fair_lock_wake(struct herald__fair_lock *lock);

/* From now on a wait, also one that has begun, ends at end_ms of the monotonic clock, but takes at
 * least least_ms before it ends so. */
void herald__fair_lock_hurry(struct herald__fair_lock *lock, int64_t end_ms, uint32_t least_ms);

/* Give the lock to the one who waits longest; on any thread. */
void herald__fair_lock_give(struct herald__fair_lock *lock);

#endif
