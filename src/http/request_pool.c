/*
 * The memory of requests, retained within the limits of the options, and the number of requests in
 * flight, which a stop waits for. Knows neither endpoints nor responses.
 */
#include "http/request_pool.h"

#include <herald/adapter/memory.h>
#include <herald/adapter/thread.h>

#include "service/context.h"

bool
herald__request_pool_init(struct herald__request_pool *pool)
{
	if (herald_condition_init(&pool->drained) != 0)
		return false;
	if (pthread_mutex_init(&pool->mutex, NULL) == 0)
		return true;
	pthread_cond_destroy(&pool->drained);
	return false;
}

void
herald__request_pool_free(struct herald__request_pool *pool, struct herald_http_request *request)
{
	if (!request)
		return;
	herald_buffer_finish(&request->body);
	herald_buffer_finish(&request->statuses);
	herald_memory_release(&pool->allocator, request->batch, request->batch_bytes);
	herald_arena_destroy(request->headers);
	herald__context_destroy(request->ctx);
	herald_memory_release(&pool->allocator, request, sizeof(*request));
}

void
herald__request_pool_finish(struct herald__request_pool *pool)
{
	while (pool->idle) {
		struct herald_http_request *request = pool->idle;

		pool->idle = request->next_idle;
		herald__request_pool_free(pool, request);
	}
	pthread_mutex_destroy(&pool->mutex);
	pthread_cond_destroy(&pool->drained);
}

/* A stop waits for the requests in flight. */
#define IS_WAITED_FOR (SIZE_MAX / 2 + 1)

static void
leave(struct herald__request_pool *pool)
{
	size_t count = atomic_load_explicit(&pool->in_flight, memory_order_relaxed);

	while (!(count & IS_WAITED_FOR))
		if (atomic_compare_exchange_weak(&pool->in_flight, &count, count - 1))
			return;
	/* Under the mutex: as soon as none is in flight, the pool may be destroyed. */
	pthread_mutex_lock(&pool->mutex);
	if (atomic_fetch_sub(&pool->in_flight, 1) == (IS_WAITED_FOR | 1))
		pthread_cond_broadcast(&pool->drained);
	pthread_mutex_unlock(&pool->mutex);
}

static struct herald_http_request *
take_idle(struct herald__request_pool *pool, struct herald_http_request **spare)
{
	struct herald_http_request *request = spare ? *spare : NULL;

	if (request) {
		*spare = NULL;
		return request;
	}
	pthread_mutex_lock(&pool->mutex);
	request = pool->idle;
	if (request) {
		pool->idle = request->next_idle;
		pool->idle_count--;
	}
	pthread_mutex_unlock(&pool->mutex);
	return request;
}

static struct herald_http_request *
create_request(struct herald__request_pool *pool)
{
	struct herald_http_request *request =
		herald_memory_allocate(&pool->allocator, sizeof(*request));

	if (!request)
		return NULL;
	request->headers = NULL;
	request->ctx = NULL;
	request->batch = NULL;
	request->batch_bytes = 0;
	herald_buffer_init(&request->body, &pool->allocator, pool->max_body_bytes);
	herald_buffer_init(&request->statuses, &pool->allocator, 0);
	return request;
}

struct herald_http_request *
herald__request_pool_take(struct herald__request_pool *pool, struct herald_http_request **spare)
{
	struct herald_http_request *request = take_idle(pool, spare);

	if (!request)
		request = create_request(pool);
	if (!request)
		return NULL;
	atomic_fetch_add(&pool->in_flight, 1);
	request->spare = spare;
	request->attributes = NULL;
	request->content_type = NULL;
	request->format = NULL;
	request->is_stored = false;
	request->is_batch = false;
	request->is_lines = false;
	request->queued_ns = 0;
	request->coding = NULL;
	request->decoder = NULL;
	request->coded_bytes = 0;
	request->is_whole = false;
	request->answered = false;
	request->response = (struct herald_http_response){0};
	return request;
}

void
herald__request_release_large_body(struct herald_http_request *request)
{
	if (request->body.capacity > HERALD__RETAINED_BODY_BYTES)
		herald_buffer_finish(&request->body);
}

static void
retain_or_free(struct herald__request_pool *pool, struct herald_http_request *request)
{
	pthread_mutex_lock(&pool->mutex);
	bool is_retained = pool->idle_count < pool->max_idle;
	if (is_retained) {
		request->next_idle = pool->idle;
		pool->idle = request;
		pool->idle_count++;
	}
	pthread_mutex_unlock(&pool->mutex);
	if (!is_retained)
		herald__request_pool_free(pool, request);
}

void
herald__request_pool_give(struct herald__request_pool *pool, struct herald_http_request *request)
{
	herald__request_release_large_body(request);
	request->body.bytes = 0;
	if (request->statuses.capacity > 0)
		herald_buffer_finish(&request->statuses);
	if (request->headers)
		herald_arena_reset(request->headers);
	/* The answer has been sent. */
	if (request->ctx && request->ctx->answer)
		herald__context_reset(request->ctx);

	if (request->spare && !*request->spare)
		*request->spare = request;
	else
		retain_or_free(pool, request);
	leave(pool);
}

size_t
herald__request_pool_drain(struct herald__request_pool *pool, uint32_t drain_ms)
{
	const struct timespec deadline = herald_deadline_after(drain_ms);
	size_t left;
	int failed = 0;

	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_or(&pool->in_flight, IS_WAITED_FOR);
	while ((left = atomic_load(&pool->in_flight) - IS_WAITED_FOR) > 0 && failed == 0)
		failed = pthread_cond_timedwait(&pool->drained, &pool->mutex, &deadline);
	pthread_mutex_unlock(&pool->mutex);
	return left;
}
