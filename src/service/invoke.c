/*
 * Calls the user's code - handlers, upcasters and functions - and handles what it returns. The
 * order of the calls is in pipeline.c, except for those around the function.
 */
#include "service/invoke.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "service/direct.h"
#include "service/event_log.h"
#include "service/handlers.h"
#include "service/inbox.h"
#include "service/service.h"

/* Handling verdicts. */

static const char *
default_reason(enum herald_verdict verdict)
{
	return verdict == HERALD_RETRY ? "try again later" : "the event failed";
}

/* Log an error that only the program's author can fix. */
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
 * Turn a returned value into a valid verdict, and clear or complete its details: nothing
 * for HERALD_DONE, always a reason for the others. `where` and `who` as in struct herald_context.
 */
static enum herald_verdict
settle_verdict(struct herald_context *ctx, enum herald_verdict verdict, const char *where,
	       const char *who)
{
	if (verdict == HERALD_DONE) {
		if (ctx->details.is_set)
			herald__details_clear(&ctx->details);
		return HERALD_DONE;
	}
	if (verdict != HERALD_RETRY && verdict != HERALD_FAIL) {
		log_no_verdict(ctx, where, who, (int)verdict);
		verdict = HERALD_FAIL;
	}
	if (!ctx->details.is_set)
		herald__details_clear(&ctx->details);
	if (ctx->details.reason[0] == '\0')
		snprintf(ctx->details.reason, sizeof(ctx->details.reason), "%s",
			 default_reason(verdict));
	ctx->where = where;
	ctx->who = who;
	return verdict;
}

/* Before the function's handlers: `receive` and upcasters. */

enum herald_verdict
herald__invoke_receive(struct herald_context *ctx, const char *data, size_t bytes)
{
	const struct herald_service *service = ctx->service;

	for (size_t i = 0; i < service->handlers_count; i++) {
		struct herald_handler *handler = service->handlers[i];

		if (!handler->ops->receive)
			continue;
		enum herald_verdict verdict =
			settle_verdict(ctx, handler->ops->receive(handler, ctx, data, bytes),
				       "handler", herald__handler_name(handler));
		if (verdict != HERALD_DONE)
			return verdict;
	}
	return HERALD_DONE;
}

enum herald_status
herald__invoke_upcast(struct herald_context *ctx, const struct herald__upcast *link,
		      enum herald_verdict *verdict, struct herald_error *error)
{
	ctx->arrived = ctx->payload;
	for (; link && *verdict == HERALD_DONE; link = link->next) {
		const struct herald_upcaster *declared = &link->declared;
		void *to = herald__arena_take(ctx->arena, declared->to_schema->bytes);

		if (to) {
			memset(to, 0, declared->to_schema->bytes);
			*verdict = settle_verdict(ctx, declared->function(ctx, ctx->payload, to),
						  "upcaster", declared->name ? declared->name : "");
		}
		/* Between two versions, the struct is not the one that the route names. */
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

static size_t
handlers_count(const struct herald_context *ctx)
{
	return ctx->service->handlers_count +
	       (ctx->route ? ctx->route->declared.handlers_count : 0);
}

enum herald_verdict
herald__invoke_accept(struct herald_context *ctx)
{
	const size_t count = handlers_count(ctx);
	const void *payload = ctx->payload;
	enum herald_verdict verdict = HERALD_DONE;

	/* Before upcasters it is not the struct that the route names. */
	if (ctx->upcast)
		ctx->payload = NULL;
	for (size_t i = 0; i < count && verdict == HERALD_DONE; i++) {
		struct herald_handler *handler = handler_at(ctx, i);

		if (handler->ops->accept)
			verdict = settle_verdict(ctx, handler->ops->accept(handler, ctx), "handler",
						 herald__handler_name(handler));
	}
	ctx->payload = payload;
	return verdict;
}

/* Run `before` of each handler until one refuses. *passed is the number of those that did not. */
static enum herald_verdict
run_before(struct herald_context *ctx, size_t count, size_t *passed)
{
	for (*passed = 0; *passed < count; ++*passed) {
		struct herald_handler *handler = handler_at(ctx, *passed);

		if (!handler->ops->before)
			continue;
		enum herald_verdict verdict =
			settle_verdict(ctx, handler->ops->before(handler, ctx), "handler",
				       herald__handler_name(handler));
		if (verdict != HERALD_DONE)
			return verdict;
	}
	return HERALD_DONE;
}

/* Run `after` for an event that has already failed: its verdict is logged, but changes nothing. */
static void
run_late_after(struct herald_context *ctx, struct herald_handler *handler,
	       enum herald_verdict result)
{
	const struct herald__details details = ctx->details;
	const char *where = ctx->where, *who = ctx->who, *name = herald__handler_name(handler);

	ctx->details.is_set = false;
	enum herald_verdict verdict =
		settle_verdict(ctx, handler->ops->after(handler, ctx, result), "handler", name);
	if (verdict != HERALD_DONE) {
		const struct herald_log_field fields[] = {
			{"handler", name, 0},
			{"verdict", herald_verdict_name(verdict), 0},
			{"reason", ctx->details.reason, 0},
		};
		herald_context_log(ctx, herald__log_level_of(verdict, ctx->details.http_status),
				   "an after hook failed; the event had failed already", fields,
				   sizeof(fields) / sizeof(fields[0]));
	}
	ctx->details = details;
	ctx->where = where;
	ctx->who = who;
}

/*
 * The verdict before the next `after` sees it: what was published for HERALD_DONE is not sent for
 * another one, and there is nothing after the last attempt of a stored event.
 */
static enum herald_verdict
settle_run(struct herald_context *ctx, enum herald_verdict verdict)
{
	struct herald__run *run = ctx->run;

	if (verdict == HERALD_DONE)
		return verdict;
	if (ctx->direct.first)
		herald__direct_cut(ctx, NULL);
	if (!run)
		return verdict;
	run->published.bytes = 0;
	run->is_exhausted = run->is_last_attempt && verdict == HERALD_RETRY;
	return run->is_last_attempt ? HERALD_FAIL : verdict;
}

/* Run `after` of the first `count` handlers, in reverse order. Returns the event's outcome, and
 * sets how many of them are told that it has failed. */
static enum herald_verdict
run_after(struct herald_context *ctx, size_t count, enum herald_verdict result)
{
	if (result == HERALD_FAIL)
		ctx->told_count = count;
	while (count > 0) {
		struct herald_handler *handler = handler_at(ctx, --count);

		if (!handler->ops->after)
			continue;
		if (result != HERALD_DONE) {
			run_late_after(ctx, handler, result);
			continue;
		}
		result = settle_run(ctx,
				    settle_verdict(ctx, handler->ops->after(handler, ctx, result),
						   "handler", herald__handler_name(handler)));
		if (result == HERALD_FAIL)
			ctx->told_count = count;
	}
	return result;
}

/* The function. */

/* Without a store: send what the event has published so far. */
static enum herald_verdict
publish(struct herald_context *ctx)
{
	const char *who = NULL;
	const enum herald_verdict verdict = herald__direct_send(ctx, &who);

	return verdict == HERALD_DONE ? verdict : settle_verdict(ctx, verdict, "producer", who);
}

/* If the function has not succeeded, what it published is dropped: it may run again. */
static enum herald_verdict
run_once(struct herald_context *ctx)
{
	const struct herald_route *route = &ctx->route->declared;
	struct herald__direct_message *before = ctx->direct.last;

	ctx->attempts++;
	enum herald_verdict verdict = settle_verdict(
		ctx, route->function(ctx, ctx->payload, route->state), "function", NULL);
	if (ctx->direct.first && verdict == HERALD_DONE)
		verdict = publish(ctx);
	if (ctx->direct.first && verdict != HERALD_DONE)
		herald__direct_cut(ctx, before);
	return verdict;
}

/* Ask whether to run again, and after what delay. An invalid answer means no. After
 * HERALD_AGAIN_FAIL, the event has failed by the handler. */
static enum herald_again
ask_again(struct herald_context *ctx, struct herald_handler *handler, uint32_t *delay_ms)
{
	const struct herald__details details = ctx->details;

	*delay_ms = details.retry_after_ms;

	enum herald_again again =
		handler->ops->again(handler, ctx, herald_context_attempt(ctx), delay_ms);
	if (again == HERALD_AGAIN_FAIL) {
		ctx->where = "handler";
		ctx->who = herald__handler_name(handler);
		return again;
	}
	/* The handler's details apply to a failure only; otherwise restore the function's. */
	ctx->details = details;
	if (again == HERALD_AGAIN_RUN)
		return again;
	if (again != HERALD_AGAIN_STOP)
		log_no_verdict(ctx, "handler", herald__handler_name(handler), (int)again);
	return HERALD_AGAIN_STOP;
}

/* Wait, unless the deadline would pass before. Returns whether the function may run again. */
static bool
wait_for_next(struct herald_context *ctx, uint32_t delay_ms)
{
	const struct herald_log_field fields[] = {
		{"attempts", NULL, ctx->attempts},
		{"delay_ms", NULL, delay_ms},
		{"reason", ctx->details.reason, 0},
	};

	if (delay_ms >= herald_context_remaining_ms(ctx))
		return false;
	herald_context_log(ctx, HERALD_LOG_INFO, "the function will run again", fields,
			   sizeof(fields) / sizeof(fields[0]));
	if (delay_ms > 0)
		herald__clock_sleep_ms(ctx->service->clock, delay_ms);
	return !herald__context_is_late(ctx);
}

/*
 * After a HERALD_RETRY: run the function until `handler` gives up or the verdict is another one.
 * `answer` is the answer before its first run.
 */
static enum herald_verdict
run_again(struct herald_context *ctx, struct herald_handler *handler,
	  const struct herald_answer *answer)
{
	enum herald_verdict verdict = HERALD_RETRY;

	while (verdict == HERALD_RETRY) {
		uint32_t delay_ms;
		enum herald_again again = ask_again(ctx, handler, &delay_ms);

		if (again == HERALD_AGAIN_FAIL)
			return HERALD_FAIL;
		if (again == HERALD_AGAIN_STOP || !wait_for_next(ctx, delay_ms))
			return HERALD_RETRY;
		herald__details_clear(&ctx->details);
		ctx->answer = answer;
		verdict = run_once(ctx);
	}
	return verdict;
}

/*
 * After a HERALD_RETRY of a stored event: `handler` decides when the store runs it again. The
 * thread does not wait for that.
 */
static enum herald_verdict
run_later(struct herald_context *ctx, struct herald_handler *handler)
{
	uint32_t delay_ms;
	enum herald_again again = ask_again(ctx, handler, &delay_ms);

	if (again == HERALD_AGAIN_FAIL)
		return HERALD_FAIL;
	/* 0 would mean the store's own delay. */
	if (again == HERALD_AGAIN_RUN)
		ctx->details.retry_after_ms = delay_ms > 0 ? delay_ms : 1;
	return HERALD_RETRY;
}

static enum herald_verdict
run_function(struct herald_context *ctx)
{
	if (ctx->deadline_ns != HERALD__NEVER_NS && herald__context_is_late(ctx))
		return settle_verdict(ctx,
				      herald_retry(ctx, "the event's deadline passed before its "
							"function could run"),
				      "function", NULL);

	const struct herald_answer *answer = ctx->answer;
	enum herald_verdict verdict = run_once(ctx);
	struct herald_handler *handler =
		verdict == HERALD_RETRY
			? herald__handlers_again(ctx->service, &ctx->route->declared)
			: NULL;
	if (!handler)
		return verdict;
	return ctx->run ? run_later(ctx, handler) : run_again(ctx, handler, answer);
}

/*
 * Send what `after` handlers have published without a store, unless the event comes again. If that
 * is not possible now, it has to; their `after` has been called, so that they are told as `dead` if
 * it fails.
 */
static enum herald_verdict
publish_last(struct herald_context *ctx, enum herald_verdict result)
{
	const struct herald__details details = ctx->details;
	const char *where = ctx->where, *who = ctx->who;
	const enum herald_verdict verdict = result == HERALD_RETRY ? result : publish(ctx);

	if (result == HERALD_DONE && verdict != HERALD_DONE)
		return settle_run(ctx, verdict);
	if (result == HERALD_FAIL && verdict == HERALD_RETRY &&
	    !(ctx->run && ctx->run->is_last_attempt))
		return HERALD_RETRY;
	ctx->details = details;
	ctx->where = where;
	ctx->who = who;
	return result;
}

enum herald_verdict
herald__invoke_function(struct herald_context *ctx)
{
	size_t count = handlers_count(ctx), passed;

	ctx->direct.is_open = ctx->service->producers_count > 0;
	ctx->direct.loads = NULL; /* an earlier event's */
	enum herald_verdict verdict = run_before(ctx, count, &passed);

	if (verdict == HERALD_DONE)
		verdict = run_function(ctx);
	verdict = run_after(ctx, passed, settle_run(ctx, verdict));
	if (ctx->direct.first) {
		verdict = publish_last(ctx, verdict);
		herald__direct_cut(ctx, NULL);
	}
	ctx->direct.is_open = false;
	return verdict;
}

void
herald__invoke_rejected(struct herald_context *ctx, const struct herald_result *result)
{
	const struct herald_rejection rejection = {ctx->data, ctx->bytes, result};
	size_t count = handlers_count(ctx);

	for (size_t i = 0; i < count; i++) {
		struct herald_handler *handler = handler_at(ctx, i);

		if (handler->ops->rejected)
			handler->ops->rejected(handler, ctx, &rejection);
	}
}

void
herald__invoke_dead(struct herald_context *ctx, const struct herald_result *result)
{
	const size_t count = handlers_count(ctx);

	for (size_t i = ctx->told_count; i < count; i++) {
		struct herald_handler *handler = handler_at(ctx, i);

		if (handler->ops->dead)
			handler->ops->dead(handler, ctx, result);
	}
}
