/*
 * The worker pool: threads, a bounded queue of tasks that are linked through themselves, and the
 * stop. It owns no task and does not know what one does; requests of HTTP are pool_http.c's.
 */
#include <herald/adapter/text.h>
#include <herald/pool.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "memory.h"
#include "options.h"
#include "thread.h"

#define DEFAULT_THREADS 4
#define DEFAULT_QUEUED 1024
#define MAX_THREADS 1024

struct herald_pool {
	size_t max_queued;
	struct herald_log log;
	struct herald_allocator allocator;
	pthread_t *threads;
	size_t threads_capacity;
	size_t threads_count; /* those that run and were not joined */

	pthread_mutex_t mutex; /* over the rest */
	pthread_cond_t work;   /* there is a task, or `closed` */
	pthread_cond_t idle;   /* while stopping: nothing is queued, nothing runs */
	struct herald_pool_task *first;
	struct herald_pool_task *last;
	struct herald_pool_statistics statistics;
	bool was_full; /* a task was refused since the last one was taken */
	bool stopping; /* nothing is taken */
	bool closed;   /* and the threads end once the queue is empty */
};

/* The queue, under the lock. */

static void
push(struct herald_pool *pool, struct herald_pool_task *task)
{
	task->next = NULL;
	if (pool->first)
		pool->last->next = task;
	else
		pool->first = task;
	pool->last = task;
	pool->statistics.queued++;
}

static struct herald_pool_task *
take(struct herald_pool *pool)
{
	struct herald_pool_task *task = pool->first;

	pool->first = task->next;
	pool->statistics.queued--;
	return task;
}

/* The threads. */

static void
run_task(struct herald_pool *pool, struct herald_pool_task *task)
{
	pool->statistics.running++;
	pthread_mutex_unlock(&pool->mutex);
	task->run(task);
	pthread_mutex_lock(&pool->mutex);
	pool->statistics.running--;
	pool->statistics.done++;
	if (pool->stopping && !pool->first && pool->statistics.running == 0)
		pthread_cond_signal(&pool->idle);
}

static void *
run_thread(void *state)
{
	struct herald_pool *pool = state;

	pthread_mutex_lock(&pool->mutex);
	while (pool->first || !pool->closed) {
		if (pool->first)
			run_task(pool, take(pool));
		else
			pthread_cond_wait(&pool->work, &pool->mutex);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* Signals are for the program's own threads. */
static int
start_threads(struct herald_pool *pool)
{
	sigset_t all, before;
	int failed = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (failed == 0 && pool->threads_count < pool->threads_capacity) {
		failed = herald__thread_create(&pool->threads[pool->threads_count], run_thread,
					       pool);
		pool->threads_count += failed == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static void
join_threads(struct herald_pool *pool)
{
	while (pool->threads_count > 0)
		pthread_join(pool->threads[--pool->threads_count], NULL);
}

/* Creating and destroying. */

static enum herald_status
read_options(const struct herald_pool_options *options, struct herald_pool_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald__options_read(options, out, sizeof(*out), "HERALD_POOL_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	status = herald__allocator_check(&out->allocator, error);
	if (status == HERALD_OK && out->threads > MAX_THREADS)
		status = herald__option_error(
			error, HERALD_BAD_OPTION,
			(struct herald__option){"threads", HERALD__NO_INDEX, NULL},
			"must be at most %d, not %u", MAX_THREADS, out->threads);
	if (out->threads == 0)
		out->threads = DEFAULT_THREADS;
	if (out->max_queued == 0)
		out->max_queued = DEFAULT_QUEUED;
	return status;
}

/* Without attributes that could fail: the clock is the only one, and it exists. */
static void
init_locks(struct herald_pool *pool)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->idle, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct herald_pool *
allocate_pool(const struct herald_pool_options *options)
{
	struct herald_allocator allocator = herald__allocator_or_libc(&options->allocator);
	struct herald_pool *pool = herald__allocate_zeroed(&allocator, 1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->threads = herald__allocate_zeroed(&allocator, options->threads, sizeof(pthread_t));
	if (!pool->threads) {
		herald__release(&allocator, pool, sizeof(*pool));
		return NULL;
	}
	pool->threads_capacity = options->threads;
	pool->max_queued = options->max_queued;
	pool->log = options->log;
	pool->allocator = allocator;
	return pool;
}

enum herald_status
herald_pool_create(const struct herald_pool_options *options, struct herald_pool **out,
		   struct herald_error *error)
{
	struct herald_pool_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;

	struct herald_pool *pool = allocate_pool(&read);
	if (!pool)
		return herald__out_of_memory(error);
	init_locks(pool);
	int failed = start_threads(pool);
	if (failed) {
		status = herald_error_set(
			error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot start thread %zu of %u: %s",
			pool->threads_count + 1, read.threads, herald_errno_text(failed));
		herald_pool_destroy(pool);
		return status;
	}
	*out = pool;
	return HERALD_OK;
}

void
herald_pool_destroy(struct herald_pool *pool)
{
	if (!pool)
		return;

	const struct herald_allocator allocator = pool->allocator;
	herald_pool_stop(pool, 0);
	pthread_cond_destroy(&pool->idle);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->mutex);
	herald__release(&allocator, pool->threads, pool->threads_capacity * sizeof(pthread_t));
	herald__release(&allocator, pool, sizeof(*pool));
}

/* Tasks. */

enum herald_status
herald_pool_submit(struct herald_pool *pool, struct herald_pool_task *task)
{
	bool first_refusal = false;

	assert(task->run && task->cancelled);
	pthread_mutex_lock(&pool->mutex);
	bool taken = !pool->stopping && pool->statistics.queued < pool->max_queued;
	if (taken) {
		push(pool, task);
		pool->statistics.submitted++;
		pthread_cond_signal(&pool->work);
	} else {
		first_refusal = !pool->stopping && !pool->was_full;
		pool->statistics.refused++;
	}
	pool->was_full = !taken;
	pthread_mutex_unlock(&pool->mutex);

	if (first_refusal) {
		struct herald_log_field field = {.key = "queued",
						 .number = (int64_t)pool->max_queued};
		herald__log(&pool->log, HERALD_LOG_WARNING, "the pool's queue is full", &field, 1);
	}
	return taken ? HERALD_OK : HERALD_LIMIT;
}

void
herald_pool_statistics(struct herald_pool *pool, struct herald_pool_statistics *out)
{
	pthread_mutex_lock(&pool->mutex);
	*out = pool->statistics;
	pthread_mutex_unlock(&pool->mutex);
}

/* The stop. */

static struct timespec
after_ms(uint32_t milliseconds)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += milliseconds / 1000;
	time.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

/* Wait, then close the queue and take what is left in it. */
static struct herald_pool_task *
drain(struct herald_pool *pool, uint32_t drain_ms)
{
	struct timespec deadline = after_ms(drain_ms);
	int failed = 0;

	pthread_mutex_lock(&pool->mutex);
	pool->stopping = true;
	while ((pool->first || pool->statistics.running > 0) && failed == 0)
		failed = pthread_cond_timedwait(&pool->idle, &pool->mutex, &deadline);
	struct herald_pool_task *left = pool->first;
	pool->first = NULL;
	pool->statistics.cancelled += pool->statistics.queued;
	pool->statistics.queued = 0;
	pool->closed = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->mutex);
	return left;
}

static void
cancel(struct herald_pool *pool, struct herald_pool_task *left)
{
	struct herald_log_field field = {.key = "cancelled"};

	while (left) {
		struct herald_pool_task *task = left;

		left = task->next;
		task->cancelled(task);
		field.number++;
	}
	if (field.number > 0)
		herald__log(&pool->log, HERALD_LOG_WARNING, "the pool stopped with tasks queued",
			    &field, 1);
}

size_t
herald_pool_stop(struct herald_pool *pool, uint32_t drain_ms)
{
	if (!pool)
		return 0;
	cancel(pool, drain(pool, drain_ms));
	join_threads(pool);
	return (size_t)pool->statistics.cancelled;
}
