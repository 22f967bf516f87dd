/*
 * The waiter: a flag, and a condition for it. It is on the stack of the thread that waits.
 */
#include "base/waiter.h"

void
herald__waiter_init(struct herald__waiter *waiter)
{
	/* Cannot fail without attributes. */
	pthread_mutex_init(&waiter->mutex, NULL);
	pthread_cond_init(&waiter->condition, NULL);
	waiter->is_done = false;
}

void
herald__waiter_wake(void *state)
{
	struct herald__waiter *waiter = state;

	pthread_mutex_lock(&waiter->mutex);
	waiter->is_done = true;
	pthread_cond_signal(&waiter->condition);
	pthread_mutex_unlock(&waiter->mutex);
}

void
herald__waiter_wait(struct herald__waiter *waiter)
{
	pthread_mutex_lock(&waiter->mutex);
	while (!waiter->is_done)
		pthread_cond_wait(&waiter->condition, &waiter->mutex);
	pthread_mutex_unlock(&waiter->mutex);
}

void
herald__waiter_finish(struct herald__waiter *waiter)
{
	pthread_cond_destroy(&waiter->condition);
	pthread_mutex_destroy(&waiter->mutex);
}
