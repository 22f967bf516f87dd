/*
 * The context: what functions and handlers see of an event, and say about it; and the pool of
 * contexts. The event's way itself is pipeline.c's.
 */
#include "context.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "arena.h"
#include "log.h"
#include "memory.h"
#include "options.h"
#include "service.h"
#include "json/text.h"

/* Idle contexts kept: as many as threads are likely to run at once. */
#define MAX_IDLE 64

/* Fields of one log call that are copied on the stack; more take memory of the event's. */
#define STACK_FIELDS 16

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
	herald__release(&ctx->service->allocator, ctx, context_bytes(ctx->service));
}

struct herald_context *
herald__context_create(struct herald_service *service)
{
	struct herald_context *ctx =
		herald__allocate_zeroed(&service->allocator, 1, context_bytes(service));

	if (!ctx)
		return NULL;
	ctx->service = service;
	ctx->deadline_ns = HERALD__NEVER_NS;

	const struct herald_allocator cached = herald__block_cache_allocator(&service->cache);
	if (herald_arena_create(&cached, service->max_arena_bytes, &ctx->arena) != HERALD_OK) {
		herald__release(&service->allocator, ctx, context_bytes(service));
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
	ctx->route = NULL;
	ctx->upcast = NULL;
	ctx->ignored = false;
	if (ctx->service->has_pointers)
		memset(ctx->identity, 0, sizeof(ctx->identity));
	ctx->deadline_ns = HERALD__NEVER_NS;
	ctx->where = NULL;
	ctx->who = NULL;
	ctx->attempts = 0;
	herald__words_clear(&ctx->words);
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
		return herald__out_of_memory(error);
	return herald_error_set(error, HERALD_LIMIT, HERALD_NO_OFFSET,
				"the event needs more than %zu bytes of memory",
				ctx->service->max_arena_bytes);
}

/* What steps say. */

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

HERALD_PRINTF(4, 0)
static void
say(struct herald_context *ctx, unsigned http_status, uint32_t retry_after_ms, const char *format,
    va_list arguments)
{
	/* Not straight into the words: the reason so far may be among the arguments. */
	char reason[sizeof(ctx->words.reason)];

	herald__text_format(reason, sizeof(reason), format, arguments);
	memcpy(ctx->words.reason, reason, strlen(reason) + 1);
	ctx->words.said = true;
	ctx->words.http_status = http_status;
	ctx->words.retry_after_ms = retry_after_ms;
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

/* What steps see. */

const struct herald_message *
herald_context_message(const struct herald_context *ctx)
{
	return ctx->message;
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

const char *
herald_context_reason(const struct herald_context *ctx)
{
	return ctx->words.reason;
}

void *
herald_context_alloc(struct herald_context *ctx, size_t bytes)
{
	return herald__arena_take(ctx->arena, bytes);
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
	return ctx->attribute ? ctx->attribute(name, ctx->attribute_state) : NULL;
}

/* The deadline. */

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

bool
herald__context_is_late(const struct herald_context *ctx)
{
	return ctx->deadline_ns != HERALD__NEVER_NS &&
	       herald__clock_now_ns(ctx->service->clock) >= ctx->deadline_ns;
}

/* Logging. */

size_t
herald__context_fields(const struct herald_context *ctx, struct herald_log_field *fields)
{
	size_t count = 0;

	if (!ctx->message)
		return 0;
	fields[count++] = (struct herald_log_field){"event_type", ctx->message->event_type, 0};
	const char *version = herald_context_version(ctx);
	if (*version != '\0')
		fields[count++] = (struct herald_log_field){"version", version, 0};
	return count;
}

void
herald_context_log(struct herald_context *ctx, enum herald_log_level level, const char *message,
		   const struct herald_log_field *fields, size_t fields_count)
{
	struct herald_log_field room[HERALD__EVENT_FIELDS + STACK_FIELDS];
	struct herald_log_field *all = room;

	assert(fields || fields_count == 0);
	if (!herald__log_takes(&ctx->service->log, level))
		return;
	if (fields_count > STACK_FIELDS) {
		all = fields_count < SIZE_MAX / sizeof(*all) - HERALD__EVENT_FIELDS
			      ? herald_context_alloc(ctx, (HERALD__EVENT_FIELDS + fields_count) *
								  sizeof(*all))
			      : NULL;
		if (!all) { /* Rather a record cut short than none. */
			all = room;
			fields_count = STACK_FIELDS;
		}
	}

	size_t count = herald__context_fields(ctx, all);
	if (fields_count > 0)
		memcpy(all + count, fields, fields_count * sizeof(*fields));
	herald__log(&ctx->service->log, level, message, all, count + fields_count);
}
