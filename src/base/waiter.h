/*
 * Waiting for one call on another thread.
 */
#ifndef HERALD_SRC_BASE_WAITER_H
#define HERALD_SRC_BASE_WAITER_H

#include <pthread.h>
#include <stdbool.h>

struct herald__waiter {
	pthread_mutex_t mutex; /* protects `is_done` */
	pthread_cond_t condition;
	bool is_done;
};

void herald__waiter_init(struct herald__waiter *waiter);

/* End the wait. Any thread; `state` is the waiter, which is not used after the call. */
void herald__waiter_wake(void *state);

/* Wait until herald__waiter_wake() was called, before or after. */
void herald__waiter_wait(struct herald__waiter *waiter);

/* No thread may wake it any more. */
void herald__waiter_finish(struct herald__waiter *waiter);

#endif
