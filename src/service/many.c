/*
 * Handles several events that came together, one after the other. With a store, they are all handed
 * to it before the first commit is waited for, so that it commits them together. split.c finds the
 * events of a text, a format finds the ones of a batch, and pipeline.c handles each. Responses to
 * batches are in src/http/.
 */
#include "service/many.h"

#include <stdint.h>

#include <herald/adapter/options.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/waiter.h"
#include "codec/plan.h"
#include "service/answer.h"
#include "service/context.h"
#include "service/format.h"
#include "service/pipeline.h"
#include "service/service.h"
#include "service/split.h"

static inline void
settle(struct herald__many *many, const struct herald__settled *event)
{
	many->settled(event, many->state);
}

/* Attributes that say what one event is are left out: they would make all events the same one. */

/* The herald_arrival.attribute callback. */
static const char *
attribute_of_each(const char *name, void *state)
{
	const struct herald__many *many = state;

	return herald__format_is_of_one_event(many->service, name)
		       ? NULL
		       : many->given.attribute(name, many->given.state);
}

/* The visitor to call for each attribute. */
struct visit {
	const struct herald__many *many;
	herald_attribute_visitor *visit;
	void *state;
};

static bool
visit_attribute(const char *name, const char *value, void *state)
{
	const struct visit *visit = state;

	return herald__format_is_of_one_event(visit->many->service, name) ||
	       visit->visit(name, value, visit->state);
}

/* The herald_arrival.attributes_visit callback. */
static void
visit_attributes_of_each(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct herald__many *many = state;
	struct visit each = {many, visit, visit_state};

	many->given.attributes_visit(visit_attribute, &each, many->given.state);
}

static void
leave_out_attributes(struct herald__many *many)
{
	const struct herald_arrival *given = &many->given;
	struct herald_arrival *each = &many->arrival;

	many->given = *each;
	if (!many->service->has_others || (!given->attribute && !given->attributes_visit))
		return;
	each->state = many;
	each->attribute = given->attribute ? attribute_of_each : NULL;
	each->attributes_visit = given->attributes_visit ? visit_attributes_of_each : NULL;
	each->answer = NULL; /* it is not called */
}

/* One event after the other, without a store. */

static void
run_event(struct herald__many *many, const struct herald_member *member)
{
	struct herald_context *ctx = many->ctx;
	struct herald_result result;

	herald__context_reset(ctx);
	ctx->is_member = many->are_members;
	many->arrival.content_type = member->content_type;
	herald__service_handle_next(many->service, ctx, member->data, member->bytes, &many->arrival,
				    &many->now_ns, &result);
	settle(many, &(struct herald__settled){many->count++, many->line, member, ctx, &result});
}

/* Events that wait for the store. */

/* In the event's arena. */
struct herald__stored_member {
	struct herald__many *many;
	struct herald_context *ctx;
	struct herald_member member;
	size_t index, line;
	bool is_pending; /* the store has it */
	struct herald_result result;
	struct herald__stored_member *next;
};

/* The most events of a group, if herald__many_take() may wait: their memory is not much, but the
 * text may have any number of them. */
#define GROUP_EVENTS 1000

/* With a store many events are in memory at once. They share as much as one event may take, and
 * this for each. The event with which the share ends may take as much as any event. */
#define MEMBER_BYTES(BYTES) (8 * (BYTES) + 2048)

static void
begin_group(struct herald__many *many)
{
	atomic_init(&many->pending, 1);
	many->first = NULL;
	many->last = &many->first;
	many->left_bytes = many->service->max_arena_bytes;
	many->lacks_memory = false;
	many->group_count = 0;
}

/* The `done` callback of herald__service_begin_in(). */
static void
member_done(void *state)
{
	struct herald__many *many = ((struct herald__stored_member *)state)->many;

	if (atomic_fetch_sub(&many->pending, 1) == 1)
		many->done(many->done_state);
}

/* The store would refuse the others each time. */
static bool
is_group_full(const struct herald__many *many)
{
	size_t most = many->service->inbox->max_waiting;

	return many->group_count >= (most < GROUP_EVENTS ? most : GROUP_EVENTS);
}

/* NULL if there is no memory for it, or nothing is left of the share. */
static struct herald__stored_member *
new_member(struct herald__many *many)
{
	if (many->lacks_memory || many->left_bytes == 0)
		return NULL;
	if (many->may_wait && is_group_full(many))
		return NULL;
	struct herald_context *ctx = herald__context_take(many->service);
	struct herald__stored_member *stored =
		ctx ? herald__arena_take(ctx->arena, sizeof(*stored)) : NULL;

	if (!stored) {
		if (ctx)
			herald__context_give(ctx);
		return NULL;
	}
	*stored = (struct herald__stored_member){.many = many, .ctx = ctx, .is_pending = true};
	*many->last = stored;
	many->last = &stored->next;
	many->group_count++;
	ctx->is_member = many->are_members;
	return stored;
}

static void
take_bytes(struct herald__many *many, size_t bytes)
{
	many->left_bytes = bytes < many->left_bytes ? many->left_bytes - bytes : 0;
}

/* Refuse an event for which there was no memory. It may come again, but events that have used up
 * their share would do so each time. */
static void
refuse_lacking(struct herald__many *many, size_t index, const struct herald_member *member)
{
	struct herald_result result = {0};

	if (many->left_bytes > 0)
		(void)herald_out_of_memory(&result.error);
	else
		herald_error_set(&result.error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
				 "the batch needs more memory than it may take: send "
				 "fewer events at once");
	herald__service_refuse_in(many->service, &result);
	settle(many,
	       &(struct herald__settled){index, member ? many->line : 0, member, NULL, &result});
}

static void
end_member(struct herald__many *many, struct herald__stored_member *stored)
{
	struct herald_context *ctx = stored->ctx;

	if (stored->is_pending)
		herald__service_end_in(many->service, ctx, &stored->result);
	settle(many, &(struct herald__settled){stored->index, stored->line, &stored->member, ctx,
					       &stored->result});
	herald__context_reset(ctx);
	herald__context_give(ctx);
}

/* Returns the number of events that ended. */
static size_t
end_group(struct herald__many *many)
{
	struct herald__stored_member *stored = many->first, *next;
	size_t count = 0;

	for (; stored; stored = next, count++) {
		next = stored->next;
		end_member(many, stored);
	}
	many->first = NULL;
	many->last = &many->first;
	return count;
}

/* Returns false if `done` will be called, or has been called. */
static bool
has_all(struct herald__many *many)
{
	return atomic_fetch_sub(&many->pending, 1) == 1;
}

static void
wait_for_group(struct herald__many *many)
{
	struct herald__waiter waiter;

	herald__waiter_init(&waiter);
	many->done = herald__waiter_wake;
	many->done_state = &waiter;
	if (!has_all(many))
		herald__waiter_wait(&waiter);
	herald__waiter_finish(&waiter);
	many->done_state = NULL;
}

static void
store_event(struct herald__many *many, const struct herald_member *member)
{
	size_t index = many->count++;
	struct herald__stored_member *stored = new_member(many);

	if (!stored && many->may_wait && many->first) {
		wait_for_group(many);
		(void)end_group(many);
		begin_group(many);
		stored = new_member(many);
	}
	if (!stored) {
		if (many->may_wait)
			refuse_lacking(many, index, member);
		else
			many->lacks_memory = true;
		return;
	}
	stored->member = *member;
	stored->index = index;
	stored->line = many->line;
	many->left_bytes += MEMBER_BYTES(member->bytes);
	atomic_fetch_add(&many->pending, 1);
	many->arrival.content_type = member->content_type;
	bool is_done =
		herald__service_begin_in(many->service, stored->ctx, member->data, member->bytes,
					 &many->arrival, member_done, stored, &stored->result);
	take_bytes(many, herald_arena_used_bytes(stored->ctx->arena));
	if (!is_done)
		return;
	stored->is_pending = false;
	atomic_fetch_sub(&many->pending, 1); /* not the last one: begin_group() has one */
}

/* All events. */

void
herald__many_begin(struct herald__many *many)
{
	many->line = 0;
	many->count = 0;
	leave_out_attributes(many);
	many->now_ns = herald__clock_now_ns(many->service->clock);
	begin_group(many);
}

void
herald__many_take(const struct herald_member *member, void *many)
{
	struct herald__many *all = many;

	if (all->service->inbox)
		store_event(all, member);
	else
		run_event(all, member);
}

bool
herald__many_commit(struct herald__many *many)
{
	if (!many->may_wait)
		return has_all(many);
	wait_for_group(many);
	return true;
}

void
herald__many_end(struct herald__many *many)
{
	/* If it may wait, none was given up: they were refused at once. */
	for (size_t index = end_group(many); index < many->count && many->lacks_memory; index++)
		refuse_lacking(many, index, NULL);
}

/* The events of a text. */

/* A call of herald_service_handle_many(). */
struct call {
	struct herald__many many;
	struct herald_many_options options;
	struct herald_many_counts counts;
	const char *text;
};

static void
tell(const struct call *call, const struct herald__settled *event)
{
	const struct herald_context *ctx = event->ctx;
	const struct herald_answer answer =
		ctx ? herald__answer_of(ctx, event->result->verdict) : (struct herald_answer){0};
	const struct herald_handled handled = {
		.index = event->index,
		.line = event->line,
		.offset = (size_t)(event->member->data - call->text),
		.bytes = event->member->bytes,
		.result = event->result,
		.answer = herald__answer_is_empty(&answer) ? NULL : &answer,
		.context = ctx,
	};

	call->options.handled(&handled, call->options.state);
}

/* The herald__many.settled callback. */
static void
count_and_tell(const struct herald__settled *event, void *state)
{
	struct call *call = state;
	struct herald_many_counts *counts = &call->counts;

	counts->events++;
	if (event->result->verdict == HERALD_DONE)
		counts->done++;
	else if (event->result->verdict == HERALD_RETRY)
		counts->retry++;
	else
		counts->fail++;
	if (call->options.handled)
		tell(call, event);
}

static enum herald_status
read_options(const struct herald_many_options *options, struct herald_many_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_MANY_OPTIONS", error);

	if (status == HERALD_OK && (unsigned)out->form > HERALD_MANY_ARRAY)
		return herald_option_refuse(error, "form", "not a valid form: %d", (int)out->form);
	return status;
}

static enum herald_status
split_text(struct call *call, char *data, size_t bytes, struct herald_error *error)
{
	struct herald__many *many = &call->many;
	const struct herald__split split = {
		.max_events = call->options.max_events > 0 ? call->options.max_events : SIZE_MAX,
		.max_option = "max_events",
		.content_type = many->arrival.content_type,
		.line = &many->line,
		.visit = herald__many_take,
		.state = many,
	};

	return call->options.form == HERALD_MANY_LINES
		       ? herald__lines_split(data, bytes, &split, error)
		       : herald__array_split(data, bytes, &many->service->envelope_codec->limits,
					     &split, error);
}

/* The context of all events; with a store, each has its own. Returns false when out of memory. */
static bool
take_context(struct herald__many *many)
{
	if (many->service->inbox)
		return true;
	many->ctx = herald__context_take(many->service);
	return many->ctx;
}

static enum herald_status
handle_text(struct call *call, char *data, size_t bytes, struct herald_error *error)
{
	struct herald__many *many = &call->many;
	enum herald_status status;

	if (!take_context(many))
		return herald_out_of_memory(error);
	herald__many_begin(many);
	status = split_text(call, data, bytes, error);
	(void)herald__many_commit(many);
	herald__many_end(many);
	if (many->ctx) {
		herald__context_reset(many->ctx);
		herald__context_give(many->ctx);
	}
	return status;
}

enum herald_status
herald_service_handle_many(struct herald_service *service, char *data, size_t bytes,
			   const struct herald_many_options *options,
			   struct herald_many_counts *out, struct herald_error *error)
{
	char none[1];
	struct call call = {
		.many = {.service = service, .may_wait = true, .settled = count_and_tell},
		.text = data ? data : none,
	};
	enum herald_status status = read_options(options, &call.options, error);

	call.many.state = &call;
	if (call.options.arrival)
		call.many.arrival = herald__arrival_read(call.options.arrival);
	if (status == HERALD_OK)
		status = handle_text(&call, data ? data : none, data ? bytes : 0, error);
	if (out)
		*out = call.counts;
	return status;
}
