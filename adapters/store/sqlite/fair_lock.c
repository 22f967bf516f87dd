/*
 * The fair lock: a queue of those who wait, each with a condition of its own, so that one thread
 * wakes up for each turn. The lock passes from hand to hand: it is not free in between, so a
 * thread that comes later cannot overtake.
 */
#include "fair_lock.h"

#include <errno.h>

#include <herald/adapter/thread.h>

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

/* With the mutex. */
static bool
wait_for_turn(struct herald__fair_lock *lock, uint32_t timeout_ms)
{
	struct herald__fair_waiter waiter = {.has_turn = false};
	struct timespec deadline = herald_deadline_after(timeout_ms);
	int problem = 0;

	if (herald_condition_init(&waiter.turn) != 0)
		return false;
	*lock->end = &waiter;
	/* It leaves the list before this function returns. */
	/* cppcheck-suppress autoVariables */
	lock->end = &waiter.next;
	lock->waiters_count++;
	while (!waiter.has_turn && problem != ETIMEDOUT)
		problem = pthread_cond_timedwait(&waiter.turn, &lock->mutex, &deadline);
	if (!waiter.has_turn)
		leave_queue(lock, &waiter);
	pthread_cond_destroy(&waiter.turn);
	return waiter.has_turn;
}

bool
herald__fair_lock_take(struct herald__fair_lock *lock, uint32_t timeout_ms)
{
	bool has_turn = true;

	pthread_mutex_lock(&lock->mutex);
	if (lock->is_taken)
		has_turn = wait_for_turn(lock, timeout_ms);
	else
		lock->is_taken = true;
	pthread_mutex_unlock(&lock->mutex);
	return has_turn;
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
