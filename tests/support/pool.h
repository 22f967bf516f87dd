/*
 * A worker pool in tests: a gate that holds what runs on it, and a stop on a thread of its own.
 * Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_POOL_H
#define HERALD_TESTS_SUPPORT_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/pool.h>

#define WAIT_S 60

/* A gate: tasks wait in it until it is opened, and the test until so many are there. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned inside;
	bool open;
};

static inline void
gate_init(struct gate *gate)
{
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
	gate->inside = 0;
	gate->open = false;
}

static inline void
gate_finish(struct gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

static inline void
gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->inside++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static inline void
gate_wait(struct gate *gate, unsigned count)
{
	struct timespec deadline;
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	pthread_mutex_lock(&gate->lock);
	while (gate->inside < count && failed == 0)
		failed = pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline);
	pthread_mutex_unlock(&gate->lock);
	assert_int_equal(failed, 0);
}

static inline void
gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static inline struct herald_pool *
create_pool(const struct herald_pool_options *options)
{
	struct herald_pool *pool = NULL;
	struct herald_error error;

	if (herald_pool_create(options, &pool, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return pool;
}

struct stopper {
	struct herald_pool *pool;
	uint32_t drain_ms;
	atomic_bool ended;
	size_t left;
};

static inline void *
stop_pool(void *cls)
{
	struct stopper *stopper = cls;

	stopper->left = herald_pool_stop(stopper->pool, stopper->drain_ms);
	atomic_store(&stopper->ended, true);
	return NULL;
}

#endif
