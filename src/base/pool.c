/*
 * The worker pool: threads, a bounded queue of tasks, and stopping. Tasks are linked through
 * themselves and owned by their submitter. Tasks for HTTP requests are in offload.c.
 */
#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>
#include <herald/adapter/thread.h>
#include <herald/pool.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/options.h"

#define DEFAULT_THREADS 4
#define DEFAULT_QUEUED 1024
#define MAX_THREADS 1024

struct herald_pool {
	size_t max_queued;
	struct herald_thread_hooks hooks;
	struct herald_log log;
	struct herald_allocator allocator;
	pthread_t *threads;
	size_t threads_capacity;
	size_t threads_count; /* those that run and were not joined */

	pthread_mutex_t mutex; /* protects the members below */
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

	herald_thread_begins(&pool->hooks);
	pthread_mutex_lock(&pool->mutex);
	while (pool->first || !pool->closed) {
		if (pool->first)
			run_task(pool, take(pool));
		else
			pthread_cond_wait(&pool->work, &pool->mutex);
	}
	pthread_mutex_unlock(&pool->mutex);
	herald_thread_ends(&pool->hooks);
	return NULL;
}

static int
start_threads(struct herald_pool *pool)
{
	int failed = 0;

	while (failed == 0 && pool->threads_count < pool->threads_capacity) {
		failed =
			herald_thread_create(&pool->threads[pool->threads_count], run_thread, pool);
		pool->threads_count += failed == 0;
	}
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
		herald_options_read(options, out, sizeof(*out), "HERALD_POOL_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK && out->threads > MAX_THREADS)
		status = herald_option_refuse(error, "threads", "must be at most %d, not %u",
					      MAX_THREADS, out->threads);
	if (out->threads == 0)
		out->threads = DEFAULT_THREADS;
	if (out->max_queued == 0)
		out->max_queued = DEFAULT_QUEUED;
	return status;
}

/* Returns false when out of memory, which glibc and musl do not need for these. */
static bool
init_locks(struct herald_pool *pool)
{
	if (herald_condition_init(&pool->idle) != 0)
		return false;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->work, NULL);
	return true;
}

static void
free_pool(struct herald_pool *pool)
{
	const struct herald_allocator allocator = pool->allocator;

	herald_memory_release(&allocator, pool->threads,
			      pool->threads_capacity * sizeof(pthread_t));
	herald_memory_release(&allocator, pool, sizeof(*pool));
}

static struct herald_pool *
allocate_pool(const struct herald_pool_options *options)
{
	struct herald_allocator allocator = herald_allocator_or_libc(&options->allocator);
	struct herald_pool *pool = herald_memory_allocate_zeroed(&allocator, 1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->threads =
		herald_memory_allocate_zeroed(&allocator, options->threads, sizeof(pthread_t));
	if (!pool->threads) {
		herald_memory_release(&allocator, pool, sizeof(*pool));
		return NULL;
	}
	pool->threads_capacity = options->threads;
	pool->max_queued = options->max_queued;
	pool->hooks = options->thread_hooks;
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
		return herald_out_of_memory(error);
	if (!init_locks(pool)) {
		free_pool(pool);
		return herald_out_of_memory(error);
	}
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

	herald_pool_stop(pool, 0);
	pthread_cond_destroy(&pool->idle);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->mutex);
	free_pool(pool);
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
		herald_log_write(&pool->log, HERALD_LOG_WARNING, "the pool's queue is full", &field,
				 1);
	}
	return taken ? HERALD_OK : HERALD_LIMIT;
}

void
herald_pool_statistics_read(struct herald_pool *pool, struct herald_pool_statistics *out)
{
	pthread_mutex_lock(&pool->mutex);
	*out = pool->statistics;
	pthread_mutex_unlock(&pool->mutex);
}

/* The stop. */

/* Wait, then close the queue and take what is left in it. */
static struct herald_pool_task *
drain(struct herald_pool *pool, uint32_t drain_ms)
{
	struct timespec deadline = herald_deadline_after(drain_ms);
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
		herald_log_write(&pool->log, HERALD_LOG_WARNING,
				 "the pool stopped with tasks queued", &field, 1);
}

size_t
herald_pool_stop(struct herald_pool *pool, uint32_t drain_ms)
{
	if (!pool)
		return 0;
	for (size_t i = 0; i < pool->threads_count; i++)
		assert(!pthread_equal(pool->threads[i], pthread_self()));
	cancel(pool, drain(pool, drain_ms));
	join_threads(pool);
	return (size_t)pool->statistics.cancelled;
}
