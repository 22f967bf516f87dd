/*
 * The fair lock: a queue of those who wait, each with a condition of its own, so that one thread
 * wakes up for each turn. The lock passes from hand to hand: it is not free in between, so a
 * thread that comes later cannot overtake. Waits become shorter when the store is stopped.
 */
#include "fair_lock.h"

#include <herald/adapter/thread.h>

#include "clock.h"

struct herald__fair_waiter {
	pthread_cond_t turn;
	bool has_turn;
	struct herald__fair_waiter *next;
};

bool
herald__fair_lock_init(struct herald__fair_lock *lock)
{
	lock->is_taken = false;
	lock->first = NULL;
	lock->end = &lock->first;
	lock->waiters_count = 0;
	lock->end_ms = 0;
	lock->least_ms = 0;
	return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void
herald__fair_lock_finish(struct herald__fair_lock *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

static void
leave_queue(struct herald__fair_lock *lock, struct herald__fair_waiter *waiter)
{
	struct herald__fair_waiter **at = &lock->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	lock->waiters_count--;
	if (!*at)
		lock->end = at;
}

/* How much of its time a wait has left, now. */
static int64_t
rest_ms(const struct herald__fair_lock *lock, int64_t began_ms, uint32_t timeout_ms)
{
	int64_t end_ms = began_ms + timeout_ms;
	int64_t early_ms = began_ms + lock->least_ms;

	if (early_ms < lock->end_ms)
		early_ms = lock->end_ms;
	if (lock->end_ms != 0 && early_ms < end_ms)
		end_ms = early_ms;
	return end_ms - herald__sqlite_monotonic_ms();
}

/* With the mutex. */
static bool
wait_for_turn(struct herald__fair_lock *lock, uint32_t timeout_ms, const atomic_bool *ends)
{
	struct herald__fair_waiter waiter = {.has_turn = false};
	const int64_t began_ms = herald__sqlite_monotonic_ms();
	int64_t left_ms;

	if (herald_condition_init(&waiter.turn) != 0)
		return false;
	*lock->end = &waiter;
	/* It leaves the list before this function returns. */
	/* cppcheck-suppress autoVariables */
	lock->end = &waiter.next;
	lock->waiters_count++;
	while (!waiter.has_turn && !(ends && atomic_load(ends)) &&
	       (left_ms = rest_ms(lock, began_ms, timeout_ms)) > 0) {
		struct timespec until = herald_deadline_after((uint32_t)left_ms);

		pthread_cond_timedwait(&waiter.turn, &lock->mutex, &until);
	}
	if (!waiter.has_turn)
		leave_queue(lock, &waiter);
	pthread_cond_destroy(&waiter.turn);
	return waiter.has_turn;
}

bool
herald__fair_lock_take(struct herald__fair_lock *lock, uint32_t timeout_ms, const atomic_bool *ends)
{
	bool has_turn = true;

	pthread_mutex_lock(&lock->mutex);
	if (lock->is_taken)
		has_turn = wait_for_turn(lock, timeout_ms, ends);
	else
		lock->is_taken = true;
	pthread_mutex_unlock(&lock->mutex);
	return has_turn;
}

/* With the mutex. */
static void
wake_all(struct herald__fair_lock *lock)
{
	for (struct herald__fair_waiter *waiter = lock->first; waiter; waiter = waiter->next)
		pthread_cond_signal(&waiter->turn);
}

void
herald__fair_lock_wake(struct herald__fair_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	wake_all(lock);
	pthread_mutex_unlock(&lock->mutex);
}

void
herald__fair_lock_hurry(struct herald__fair_lock *lock, int64_t end_ms, uint32_t least_ms)
{
	pthread_mutex_lock(&lock->mutex);
	lock->end_ms = end_ms;
	lock->least_ms = least_ms;
	wake_all(lock);
	pthread_mutex_unlock(&lock->mutex);
}

void
herald__fair_lock_give(struct herald__fair_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	struct herald__fair_waiter *waiter = lock->first;
	if (waiter) {
		lock->first = waiter->next;
		lock->waiters_count--;
		if (!lock->first)
			lock->end = &lock->first;
		waiter->has_turn = true;
		pthread_cond_signal(&waiter->turn);
	} else {
		lock->is_taken = false;
	}
	pthread_mutex_unlock(&lock->mutex);
}
