/*
 * The context: what functions and handlers may read and set during an event, and the pool of
 * contexts. The event's path is in pipeline.c, its log records in event_log.c.
 */
#include "service/context.h"

#include <stdarg.h>
#include <string.h>

#include <herald/adapter/database.h>
#include <herald/adapter/memory.h>

#include "base/arena.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "service/inbox.h"
#include "service/service.h"

/* The number of idle contexts that are retained: about as many as threads run at once. */
#define MAX_IDLE 64

/* The pool. */

static size_t
context_bytes(const struct herald_service *service)
{
	return sizeof(struct herald_context) + service->slots_count * sizeof(void *);
}

void
herald__context_destroy(struct herald_context *ctx)
{
	if (!ctx)
		return;
	herald_arena_destroy(ctx->arena);
	herald_memory_release(&ctx->service->allocator, ctx, context_bytes(ctx->service));
}

struct herald_context *
herald__context_create(struct herald_service *service)
{
	struct herald_context *ctx =
		herald_memory_allocate_zeroed(&service->allocator, 1, context_bytes(service));

	if (!ctx)
		return NULL;
	ctx->service = service;
	ctx->format = service->formats[0];
	ctx->given = service->pointed;
	ctx->deadline_ns = HERALD__NEVER_NS;

	const struct herald_allocator cached = herald__block_cache_allocator(&service->cache);
	if (herald_arena_create(&cached, service->max_arena_bytes, &ctx->arena) != HERALD_OK) {
		herald_memory_release(&service->allocator, ctx, context_bytes(service));
		return NULL;
	}
	return ctx;
}

void
herald__context_reset(struct herald_context *ctx)
{
	herald__arena_reset_to(ctx->arena, HERALD__IDLE_BYTES);
	ctx->message = NULL;
	ctx->payload = NULL;
	ctx->arrived = NULL;
	ctx->copied = NULL;
	ctx->route = NULL;
	ctx->upcast = NULL;
	ctx->early.payload = NULL;
	ctx->ignored = ctx->payload_is_wrong = ctx->is_member = false;
	ctx->answer = NULL;
	ctx->run = NULL;
	ctx->acceptance = NULL;
	if (ctx->service->pointed != 0 || ctx->service->has_others)
		memset(ctx->identity, 0, sizeof(ctx->identity));
	ctx->deadline_ns = HERALD__NEVER_NS;
	ctx->where = NULL;
	ctx->who = NULL;
	ctx->attempts = 0;
	ctx->has_trace = false;
	herald__details_clear(&ctx->details);
	if (ctx->service->slots_count > 0)
		memset(ctx->slots, 0, ctx->service->slots_count * sizeof(void *));
}

bool
herald__context_pool_init(struct herald__context_pool *pool)
{
	pool->idle = NULL;
	pool->idle_count = 0;
	return pthread_mutex_init(&pool->mutex, NULL) == 0;
}

void
herald__context_pool_finish(struct herald__context_pool *pool)
{
	while (pool->idle) {
		struct herald_context *ctx = pool->idle;

		pool->idle = ctx->next_idle;
		herald__context_destroy(ctx);
	}
	pthread_mutex_destroy(&pool->mutex);
}

struct herald_context *
herald__context_take(struct herald_service *service)
{
	struct herald__context_pool *pool = &service->pool;

	pthread_mutex_lock(&pool->mutex);
	struct herald_context *ctx = pool->idle;
	if (ctx) {
		pool->idle = ctx->next_idle;
		pool->idle_count--;
	}
	pthread_mutex_unlock(&pool->mutex);
	return ctx ? ctx : herald__context_create(service);
}

void
herald__context_give(struct herald_context *ctx)
{
	struct herald__context_pool *pool = &ctx->service->pool;

	pthread_mutex_lock(&pool->mutex);
	bool keep = pool->idle_count < MAX_IDLE;
	if (keep) {
		ctx->next_idle = pool->idle;
		pool->idle = ctx;
		pool->idle_count++;
	}
	pthread_mutex_unlock(&pool->mutex);

	if (!keep)
		herald__context_destroy(ctx);
}

enum herald_status
herald__context_arena_status(const struct herald_context *ctx, struct herald_error *error)
{
	if (!herald__arena_over_limit(ctx->arena))
		return herald_out_of_memory(error);
	return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
				"the event needs more than %zu bytes of memory",
				ctx->service->max_arena_bytes);
}

/* Verdicts and their details. */

const char *
herald_verdict_name(enum herald_verdict verdict)
{
	switch (verdict) {
	case HERALD_DONE:
		return "done";
	case HERALD_RETRY:
		return "retry";
	case HERALD_FAIL:
		return "fail";
	}
	return "?";
}

const char *
herald_acceptance_name(enum herald_acceptance acceptance)
{
	switch (acceptance) {
	case HERALD_ACCEPTANCE_NONE:
		return "none";
	case HERALD_ACCEPTANCE_ACCEPTED:
		return "accepted";
	case HERALD_ACCEPTANCE_DUPLICATE:
		return "duplicate";
	}
	return "?";
}

HERALD_PRINTF(4, 0)
static void
say(struct herald_context *ctx, unsigned http_status, uint32_t retry_after_ms, const char *format,
    va_list arguments)
{
	/* Format into a copy, because the current reason may be among the arguments. */
	char reason[sizeof(ctx->details.reason)];

	herald__text_format(reason, sizeof(reason), format, arguments);
	memcpy(ctx->details.reason, reason, strlen(reason) + 1);
	ctx->details.is_set = true;
	ctx->details.is_unauthorized = false;
	ctx->details.http_status = http_status;
	ctx->details.retry_after_ms = retry_after_ms;
}

enum herald_verdict
herald_retry(struct herald_context *ctx, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(ctx, 0, 0, format, arguments);
	va_end(arguments);
	return HERALD_RETRY;
}

enum herald_verdict
herald_retry_after(struct herald_context *ctx, uint32_t delay_ms, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(ctx, 0, delay_ms, format, arguments);
	va_end(arguments);
	return HERALD_RETRY;
}

enum herald_verdict
herald_fail(struct herald_context *ctx, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(ctx, 0, 0, format, arguments);
	va_end(arguments);
	return HERALD_FAIL;
}

enum herald_verdict
herald_fail_status(struct herald_context *ctx, unsigned http_status, const char *format, ...)
{
	bool is_error = http_status >= 400 && http_status <= 599;
	va_list arguments;

	va_start(arguments, format);
	say(ctx, is_error ? http_status : 500, 0, format, arguments);
	va_end(arguments);
	return HERALD_FAIL;
}

enum herald_verdict
herald_unauthorized(struct herald_context *ctx, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(ctx, 401, 0, format, arguments);
	va_end(arguments);
	ctx->details.is_unauthorized = true;
	return HERALD_FAIL;
}

/* Reading the event. */

const struct herald_message *
herald_context_message(const struct herald_context *ctx)
{
	return ctx->message;
}

const struct herald_time *
herald_context_time(const struct herald_context *ctx)
{
	return ctx->message && !ctx->lacks_time ? &ctx->message->timestamp : NULL;
}

const char *
herald_context_content_type(const struct herald_context *ctx)
{
	return ctx->content_type;
}

const void *
herald_context_payload(const struct herald_context *ctx)
{
	return ctx->payload;
}

const struct herald_route *
herald_context_route(const struct herald_context *ctx)
{
	return ctx->route ? &ctx->route->declared : NULL;
}

unsigned
herald_context_attempt(const struct herald_context *ctx)
{
	if (ctx->run)
		return ctx->run->attempt;
	return ctx->attempts > 0 ? ctx->attempts : 1;
}

struct herald_session *
herald_context_session(const struct herald_context *ctx)
{
	return ctx->run ? ctx->run->session : NULL;
}

const char *
herald_context_reason(const struct herald_context *ctx)
{
	return ctx->details.reason;
}

void *
herald_context_alloc(struct herald_context *ctx, size_t bytes)
{
	return herald__arena_take(ctx->arena, bytes);
}

struct herald_arena *
herald_context_arena(struct herald_context *ctx)
{
	return ctx->arena;
}

void **
herald_context_slot(struct herald_context *ctx, const struct herald_handler *handler)
{
	const struct herald_service *service = ctx->service;

	for (size_t i = 0; i < service->handlers_count; i++)
		if (service->handlers[i] == handler)
			return &ctx->slots[i];
	if (!ctx->route)
		return NULL;
	for (size_t i = 0; i < ctx->route->declared.handlers_count; i++)
		if (ctx->route->declared.handlers[i] == handler)
			return &ctx->slots[service->handlers_count + i];
	return NULL;
}

const char *
herald_context_attribute(const struct herald_context *ctx, const char *name)
{
	const char *value = ctx->attribute ? ctx->attribute(name, ctx->attribute_state) : NULL;

	if (!value)
		herald__attribute_names_missed(ctx->service, name);
	return value;
}

void
herald_context_attributes_visit(const struct herald_context *ctx, herald_attribute_visitor *visit,
				void *state)
{
	if (ctx->attributes_visit)
		ctx->attributes_visit(visit, state, ctx->attribute_state);
}

const char *
herald_arrival_attribute(const struct herald_arrival *arrival, const char *name)
{
	return arrival->attribute ? arrival->attribute(name, arrival->state) : NULL;
}

/* Age and deadline. */

void
herald_context_expire_after(struct herald_context *ctx, uint32_t timeout_ms)
{
	uint64_t deadline_ns = ctx->came_ns + timeout_ms * HERALD__MS_NS;

	if (deadline_ns < ctx->deadline_ns)
		ctx->deadline_ns = deadline_ns;
}

uint32_t
herald_context_remaining_ms(const struct herald_context *ctx)
{
	if (ctx->deadline_ns == HERALD__NEVER_NS)
		return HERALD_NO_DEADLINE;

	uint64_t now_ns = herald__clock_now_ns(ctx->service->clock);
	if (now_ns >= ctx->deadline_ns)
		return 0;
	uint64_t ms = (ctx->deadline_ns - now_ns) / HERALD__MS_NS;
	return ms < HERALD_NO_DEADLINE ? (uint32_t)ms : HERALD_NO_DEADLINE - 1;
}

uint32_t
herald_context_age_ms(const struct herald_context *ctx)
{
	uint64_t now_ns = herald__clock_now_ns(ctx->service->clock);
	uint64_t ms = now_ns > ctx->came_ns ? (now_ns - ctx->came_ns) / HERALD__MS_NS : 0;

	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

bool
herald__context_is_late(const struct herald_context *ctx)
{
	return ctx->deadline_ns != HERALD__NEVER_NS &&
	       herald__clock_now_ns(ctx->service->clock) >= ctx->deadline_ns;
}
