/*
 * The steps with code of the user's: how handlers, upcasters and functions are called, and what becomes
 * of what they return and say. The order of the steps is pipeline.c's, but for what runs around the
 * function.
 */
#include "steps.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "handlers.h"
#include "service.h"

/* What a step returned. */

static const char *
default_reason(enum herald_verdict verdict)
{
	return verdict == HERALD_RETRY ? "try again later" : "the event failed";
}

/* Log what only the program's author can mend. */
static void
log_no_verdict(struct herald_context *ctx, const char *where, const char *who, int value)
{
	struct herald_log_field fields[2] = {{"value", NULL, value}};
	size_t count = 1;

	if (who)
		fields[count++] = (struct herald_log_field){where, who, 0};
	herald_context_log(ctx, HERALD_LOG_ERROR,
			   "a function returned a value that is not a verdict", fields, count);
}

/*
 * Make what a step returned one of the three verdicts, and its words fit it: none for HERALD_DONE,
 * always a reason for the others. `where` and `who` as in struct herald_context.
 */
static enum herald_verdict
settle_step(struct herald_context *ctx, enum herald_verdict verdict, const char *where,
	    const char *who)
{
	if (verdict == HERALD_DONE) {
		if (ctx->words.said)
			herald__words_clear(&ctx->words);
		return HERALD_DONE;
	}
	if (verdict != HERALD_RETRY && verdict != HERALD_FAIL) {
		log_no_verdict(ctx, where, who, (int)verdict);
		verdict = HERALD_FAIL;
	}
	if (!ctx->words.said)
		herald__words_clear(&ctx->words);
	if (ctx->words.reason[0] == '\0')
		snprintf(ctx->words.reason, sizeof(ctx->words.reason), "%s",
			 default_reason(verdict));
	ctx->where = where;
	ctx->who = who;
	return verdict;
}

/* Before the route is known, and the way to its payload. */

enum herald_verdict
herald__step_receive(struct herald_context *ctx, const char *data, size_t bytes)
{
	const struct herald_service *service = ctx->service;

	for (size_t i = 0; i < service->handlers_count; i++) {
		struct herald_handler *handler = service->handlers[i];

		if (!handler->ops->receive)
			continue;
		enum herald_verdict verdict =
			settle_step(ctx, handler->ops->receive(handler, ctx, data, bytes),
				    "handler", herald__handler_name(handler));
		if (verdict != HERALD_DONE)
			return verdict;
	}
	return HERALD_DONE;
}

enum herald_status
herald__step_upcast(struct herald_context *ctx, const struct herald__upcast *link,
		    enum herald_verdict *verdict, struct herald_error *error)
{
	for (; link && *verdict == HERALD_DONE; link = link->next) {
		const struct herald_upcaster *declared = &link->declared;
		void *to = herald__arena_take(ctx->arena, declared->to_schema->bytes);

		if (to) {
			memset(to, 0, declared->to_schema->bytes);
			*verdict = settle_step(ctx, declared->function(ctx, ctx->payload, to),
					       "upcaster", declared->name ? declared->name : "");
		}
		/* Between two versions it is not the struct that the route names. */
		ctx->payload = *verdict == HERALD_DONE ? to : NULL;
		if (!to)
			return herald__context_arena_status(ctx, error);
	}
	return HERALD_OK;
}

/* The handlers around the function. */

/* The event's handler number `index`, in the order of `before`. */
static struct herald_handler *
handler_at(const struct herald_context *ctx, size_t index)
{
	const struct herald_service *service = ctx->service;

	return index < service->handlers_count
		       ? service->handlers[index]
		       : ctx->route->declared.handlers[index - service->handlers_count];
}

/* Run `before` of each handler until one refuses; *passed is how many did not. */
static enum herald_verdict
run_before(struct herald_context *ctx, size_t count, size_t *passed)
{
	for (*passed = 0; *passed < count; ++*passed) {
		struct herald_handler *handler = handler_at(ctx, *passed);

		if (!handler->ops->before)
			continue;
		enum herald_verdict verdict = settle_step(ctx, handler->ops->before(handler, ctx),
							  "handler", herald__handler_name(handler));
		if (verdict != HERALD_DONE)
			return verdict;
	}
	return HERALD_DONE;
}

/* Run one `after` of an event that failed already: what it says is logged, and changes nothing. */
static void
run_late_after(struct herald_context *ctx, struct herald_handler *handler,
	       enum herald_verdict result)
{
	const struct herald__words words = ctx->words;
	const char *where = ctx->where, *who = ctx->who, *name = herald__handler_name(handler);

	ctx->words.said = false;
	enum herald_verdict verdict =
		settle_step(ctx, handler->ops->after(handler, ctx, result), "handler", name);
	if (verdict != HERALD_DONE) {
		const struct herald_log_field fields[] = {
			{"handler", name, 0},
			{"verdict", herald_verdict_name(verdict), 0},
			{"reason", ctx->words.reason, 0},
		};
		herald_context_log(ctx, herald__log_level_of(verdict, ctx->words.http_status),
				   "after failed, and so had the event", fields,
				   sizeof(fields) / sizeof(fields[0]));
	}
	ctx->words = words;
	ctx->where = where;
	ctx->who = who;
}

/* Run `after` of the first `count` handlers, the last one first. Returns what the event comes to. */
static enum herald_verdict
run_after(struct herald_context *ctx, size_t count, enum herald_verdict result)
{
	while (count > 0) {
		struct herald_handler *handler = handler_at(ctx, --count);

		if (!handler->ops->after)
			continue;
		if (result == HERALD_DONE)
			result = settle_step(ctx, handler->ops->after(handler, ctx, result),
					     "handler", herald__handler_name(handler));
		else
			run_late_after(ctx, handler, result);
	}
	return result;
}

/* The function. */

static enum herald_verdict
run_once(struct herald_context *ctx)
{
	const struct herald_route *route = &ctx->route->declared;

	ctx->attempts++;
	return settle_step(ctx, route->function(ctx, ctx->payload, route->state), "function", NULL);
}

/* Ask whether, and after what delay, to run again; anything that is no answer is a no. */
static enum herald_again
ask_again(struct herald_context *ctx, struct herald_handler *handler, uint32_t *delay_ms)
{
	const struct herald__words words = ctx->words;

	*delay_ms = words.retry_after_ms;

	enum herald_again again = handler->ops->again(handler, ctx, ctx->attempts, delay_ms);
	if (again == HERALD_AGAIN_FAIL)
		return again;
	/* Only a failure is its own; else what it said is dropped. */
	ctx->words = words;
	if (again == HERALD_AGAIN_RUN)
		return again;
	if (again != HERALD_AGAIN_STOP)
		log_no_verdict(ctx, "handler", herald__handler_name(handler), (int)again);
	return HERALD_AGAIN_STOP;
}

/* Wait, as far as the deadline allows. Returns whether the function may run again. */
static bool
wait_for_next(struct herald_context *ctx, uint32_t delay_ms)
{
	const struct herald_log_field fields[] = {
		{"attempts", NULL, ctx->attempts},
		{"delay_ms", NULL, delay_ms},
		{"reason", ctx->words.reason, 0},
	};

	if (delay_ms >= herald_context_remaining_ms(ctx))
		return false;
	herald_context_log(ctx, HERALD_LOG_INFO, "the function is to run again", fields,
			   sizeof(fields) / sizeof(fields[0]));
	if (delay_ms > 0)
		herald__clock_sleep_ms(ctx->service->clock, delay_ms);
	return !herald__context_is_late(ctx);
}

/* After a HERALD_RETRY: run the function until `handler` has enough, or it is settled. */
static enum herald_verdict
run_again(struct herald_context *ctx, struct herald_handler *handler)
{
	enum herald_verdict verdict = HERALD_RETRY;

	while (verdict == HERALD_RETRY) {
		uint32_t delay_ms;
		enum herald_again again = ask_again(ctx, handler, &delay_ms);

		if (again == HERALD_AGAIN_FAIL) {
			ctx->where = "handler";
			ctx->who = herald__handler_name(handler);
			return HERALD_FAIL;
		}
		if (again == HERALD_AGAIN_STOP || !wait_for_next(ctx, delay_ms))
			return HERALD_RETRY;
		herald__words_clear(&ctx->words);
		verdict = run_once(ctx);
	}
	return verdict;
}

static enum herald_verdict
run_function(struct herald_context *ctx)
{
	if (ctx->deadline_ns != HERALD__NEVER_NS && herald__context_is_late(ctx))
		return settle_step(ctx,
				   herald_retry(ctx, "the event's deadline passed before its "
						     "function could run"),
				   "function", NULL);

	enum herald_verdict verdict = run_once(ctx);
	struct herald_handler *handler =
		verdict == HERALD_RETRY
			? herald__handlers_again(ctx->service, &ctx->route->declared)
			: NULL;
	return handler ? run_again(ctx, handler) : verdict;
}

static size_t
handlers_count(const struct herald_context *ctx)
{
	return ctx->service->handlers_count +
	       (ctx->route ? ctx->route->declared.handlers_count : 0);
}

enum herald_verdict
herald__step_function(struct herald_context *ctx)
{
	size_t count = handlers_count(ctx), passed;
	enum herald_verdict verdict = run_before(ctx, count, &passed);

	if (verdict == HERALD_DONE)
		verdict = run_function(ctx);
	return run_after(ctx, passed, verdict);
}

void
herald__step_rejected(struct herald_context *ctx, const struct herald_result *result)
{
	const struct herald_rejection rejection = {ctx->data, ctx->bytes, result};
	size_t count = handlers_count(ctx);

	for (size_t i = 0; i < count; i++) {
		struct herald_handler *handler = handler_at(ctx, i);

		if (handler->ops->rejected)
			handler->ops->rejected(handler, ctx, &rejection);
	}
}
