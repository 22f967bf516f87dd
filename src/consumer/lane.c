/*
 * Runs messages: the next one that was handed over, or a parked one that is due. How a run ends is
 * decided in ending.c; what the broker is told, by the consumer's thread.
 */
#include "consumer/lane.h"

#include <herald/adapter/thread.h>
#include <herald/service.h>

#include "base/attribute_text.h"
#include "consumer/desk.h"
#include "consumer/ending.h"
#include "consumer/ledger.h"
#include "consumer/state.h"
#include "service/context.h"
#include "service/inbox.h"
#include "service/pipeline.h"

/* A lane takes one message at a time if those that it took last have needed so long, so that others
 * do not wait behind a slow one while there are idle lanes. */
#define SLOW_MS 2
/* How often a suspect looks whether the broker knows of all ends. */
#define SETTLE_MS 2
/* Memory of a large body is not kept. */
#define MAX_IDLE_BYTES ((size_t)256 << 10)

bool
herald__lane_init(struct herald__lane *lane, struct herald_consumer *consumer, unsigned index)
{
	const struct herald__consumer_settings *settings = &consumer->settings;
	const bool parks = settings->options.order == HERALD_ORDER_KEY;
	const size_t parked = parks ? settings->options.max_in_flight : 1;

	*lane = (struct herald__lane){.consumer = consumer, .index = index, .most = 1};
	herald_buffer_init(&lane->copy, &settings->allocator, 0);
	if (herald_condition_init(&lane->wake) != 0)
		return false;
	if (herald__parking_init(&lane->parking, &settings->allocator, parked,
				 parked / consumer->lanes_count))
		return true;
	pthread_cond_destroy(&lane->wake);
	return false;
}

void
herald__lane_finish(struct herald__lane *lane)
{
	herald__parking_finish(&lane->parking);
	pthread_cond_destroy(&lane->wake);
	herald__context_destroy(lane->ctx);
	herald_buffer_finish(&lane->copy);
}

static uint64_t
now_ms(const struct herald__lane *lane)
{
	return herald__clock_now_ms(&lane->consumer->settings.clock);
}

/* A run, and what the consumer knows of it. */
struct run {
	struct herald__run base; /* the first member */
	struct herald__lane *lane;
	struct herald__held *held;
};

static enum herald_status
run_begin(struct herald__run *base, bool joins, struct herald_error *error)
{
	const struct run *run = (struct run *)base;

	(void)joins; /* refused without a store */
	(void)error;
	if (base->death)
		return HERALD_OK;
	run->held->runs++;
	atomic_fetch_add_explicit(&run->lane->consumer->counts.runs, 1, memory_order_relaxed);
	return HERALD_OK;
}

/* A context and a copy of the body. Without them the message cannot run now. */
static bool
prepare(struct herald__lane *lane, const struct herald__held *held)
{
	const struct herald_text data = held->message->data;

	if (!lane->ctx)
		lane->ctx = herald__context_create(lane->consumer->service);
	if (!lane->ctx)
		return false;
	if (lane->copy.capacity > MAX_IDLE_BYTES)
		herald_buffer_finish(&lane->copy);
	lane->copy.bytes = 0;
	return herald_buffer_append(&lane->copy, data.bytes > 0 ? data.data : "", data.bytes) ==
	       HERALD_OK;
}

static void
run_in_context(struct herald__lane *lane, struct herald__held *held, const char *death)
{
	struct herald_consumer *consumer = lane->consumer;
	const struct herald_received *message = held->message;
	const unsigned attempt = herald__held_attempt(held);
	struct herald_result result;
	struct run run = {
		.base =
			{
				.id = message->identity,
				.arrived = {message->data.bytes > 0 ? message->data.data : "",
					    message->data.bytes},
				.content_type = message->content_type ? message->content_type : "",
				.attributes = message->attributes,
				.created_ms = message->created_ms,
				.attempt = attempt,
				.is_last_attempt =
					attempt >= consumer->settings.options.max_attempts,
				.begin = run_begin,
				.death = death,
			},
		.lane = lane,
		.held = held,
	};

	herald__service_run_in(consumer->service, lane->ctx, &run.base, lane->copy.data,
			       lane->copy.bytes, &result);
	herald__ending_set(consumer, held, &result,
			   lane->ctx->message ? herald_context_id(lane->ctx) : "",
			   run.base.is_exhausted);
	herald__context_reset(lane->ctx);
}

static void
run_held(struct herald__lane *lane, struct herald__held *held)
{
	struct herald__ledger *ledger = &lane->consumer->ledger;
	struct herald_error death;
	const enum herald__ending_due due = herald__ending_due(lane->consumer, held, &death);

	if (due == HERALD__ENDING_MUTE) {
		herald__ending_bury(lane->consumer, held, &death);
		return;
	}
	if (!prepare(lane, held)) {
		herald__ending_put_off(held);
		return;
	}
	if (!herald__ledger_begin(ledger, held)) {
		herald__held_give_back(held, 0);
		return;
	}
	run_in_context(lane, held, due == HERALD__ENDING_TOLD ? death.message : NULL);
	herald__ledger_end(ledger, held);
}

/* With a store. */

/* The store, or the lane, needs it no more. Any thread. */
static void
leave(void *state)
{
	struct herald__held *held = state;

	if (atomic_fetch_sub(&held->busy, 1) == 1)
		herald__desk_stored(held->consumer, held);
}

static const char *
find_attribute(const char *name, void *state)
{
	return herald__attributes_find(((struct herald__held *)state)->message->attributes, name);
}

static void
visit_attributes(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	herald__attributes_visit(((struct herald__held *)state)->message->attributes, visit,
				 visit_state);
}

/* The store has the body until it is on disk. NULL when out of memory. */
static char *
prepare_to_store(struct herald__lane *lane, struct herald__held *held)
{
	const struct herald_text data = held->message->data;

	held->consumer = lane->consumer;
	atomic_store(&held->busy, 2);
	held->ctx = herald__context_take(lane->consumer->service);
	return held->ctx ? herald_arena_copy(held->ctx->arena, data.bytes > 0 ? data.data : "",
					     data.bytes)
			 : NULL;
}

/* Returns false if the message is on its way into the store. */
static bool
accept_held(struct herald__lane *lane, struct herald__held *held)
{
	struct herald_consumer *consumer = lane->consumer;
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = find_attribute, .attributes_visit = visit_attributes,
			       .state = held, .content_type = held->message->content_type);
	struct herald_result result;
	char *copy = prepare_to_store(lane, held);

	if (!copy) {
		herald__ending_put_off(held);
	} else if (!herald__service_begin_in(consumer->service, held->ctx, copy,
					     held->message->data.bytes, &arrival, leave, held,
					     &result)) {
		return false;
	} else {
		herald__ending_set(consumer, held, &result,
				   held->ctx->message ? herald_context_id(held->ctx) : "", false);
	}
	if (held->ctx) {
		herald__context_reset(held->ctx);
		herald__context_give(held->ctx);
	}
	held->ctx = NULL;
	return true;
}

/* The store counts attempts: the broker's are only crashes while it was accepted. */
static bool
store_held(struct herald__lane *lane, struct herald__held *held)
{
	struct herald__ledger *ledger = &lane->consumer->ledger;
	struct herald_error death;

	if (held->interrupted >= lane->consumer->settings.options.max_interrupted) {
		(void)herald__ending_due(lane->consumer, held, &death);
		herald__ending_bury(lane->consumer, held, &death);
		return true;
	}
	if (!herald__ledger_begin(ledger, held)) {
		herald__held_give_back(held, 0);
		return true;
	}
	const bool is_done = accept_held(lane, held);
	herald__ledger_end(ledger, held);
	if (!is_done)
		leave(held);
	return is_done;
}

/* What comes next. */

/* If the consumer waits for messages, it should soon hear of what has ended. But fast functions
 * give back all that was taken together: to wake the consumer costs more than they do. */
static bool
must_give_back(const struct herald__lane *lane)
{
	return lane->ended.count > 0 &&
	       atomic_load_explicit(&lane->consumer->desk.consumer_waits, memory_order_relaxed) &&
	       now_ms(lane) - lane->taken_ms >= SLOW_MS;
}

static bool
is_stopping(const struct herald__lane *lane)
{
	return atomic_load_explicit(&lane->consumer->desk.is_stopping, memory_order_relaxed);
}

static void
count_parked(const struct herald__lane *lane, bool is_parked)
{
	atomic_uint_fast64_t *count = &lane->consumer->counts.parked;

	if (is_parked)
		atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

/* The lane has finished with a message; or it is parked, and stays. */
static void
settle(struct herald__lane *lane, struct herald__held *held)
{
	const struct herald__consumer_settings *settings = &lane->consumer->settings;
	const bool stays = held->kind == HERALD_SETTLE_RETRY && held->key_hash != 0 &&
			   !lane->consumer->has_store &&
			   settings->options.order == HERALD_ORDER_KEY && !is_stopping(lane) &&
			   !herald__held_is_lost(held);

	if (stays) {
		herald__parking_park(&lane->parking, held, now_ms(lane) + held->delay_ms);
		count_parked(lane, true);
		return;
	}
	herald__parking_end(&lane->parking, held);
	herald__held_list_add(&lane->ended, held);
}

static bool
is_suspect(const struct herald__lane *lane, const struct herald__held *held)
{
	return herald__held_is_suspect(held, lane->consumer->settings.options.max_attempts);
}

/* Returns false if the message is on its way into the store. */
static bool
run(struct herald__lane *lane, struct herald__held *held)
{
	if (herald__held_is_lost(held) || is_stopping(lane)) {
		herald__held_give_back(held, 0);
		return true;
	}
	if (lane->consumer->has_store)
		return store_held(lane, held);
	run_held(lane, held);
	return true;
}

static void
run_next(struct herald__lane *lane, struct herald__held *held)
{
	const bool is_alone =
		is_suspect(lane, held) && !herald__held_is_lost(held) && !is_stopping(lane);

	if (is_alone)
		herald__desk_enter_alone(lane, held);
	else if (lane->is_active && atomic_load(&lane->consumer->desk.suspects) > 0)
		herald__desk_pause(lane);
	if (run(lane, held))
		settle(lane, held);
	if (is_alone)
		herald__desk_leave_alone(lane);
}

/* A suspect of a lane without a thread waits until the broker knows of all ends, but not for long:
 * the consumer's thread, which is this one, tells it meanwhile. */
static bool
must_wait_alone(struct herald__lane *lane, const struct herald__held *held)
{
	const struct herald_consumer *consumer = lane->consumer;
	const struct herald_subscriber *subscriber = consumer->subscriber;
	const bool must_wait =
		is_suspect(lane, held) && !lane->is_active && !is_stopping(lane) &&
		!herald__held_is_lost(held) &&
		(consumer->desk.ended.count > 0 || subscriber->ops->unsettled(subscriber) > 0);

	if (!must_wait)
		lane->alone_ms = 0;
	else if (lane->alone_ms == 0)
		lane->alone_ms = now_ms(lane) + HERALD__MAX_ALONE_WAIT_MS;
	return must_wait && now_ms(lane) < lane->alone_ms;
}

/* At a stop nothing waits any more. Retries keep their delay, so that none comes early. */
static void
unpark(struct herald__lane *lane)
{
	const uint64_t now = now_ms(lane);
	struct herald__held_list parked = {0};
	struct herald__held *held;

	herald__parking_take_all(&lane->parking, &parked);
	while ((held = herald__held_list_take(&parked))) {
		const uint64_t due_ms = held->runs > 0 ? held->retry.due_ms : 0;

		count_parked(lane, false);
		herald__held_give_back(held, due_ms > now ? due_ms - now : 0);
		herald__held_list_add(&lane->ended, held);
	}
}

/* Looks after what is parked. */
static struct herald__held *
take_parked(struct herald__lane *lane)
{
	const uint64_t losses = atomic_load(&lane->consumer->desk.losses);

	if (lane->parking.count == 0)
		return NULL;
	if (is_stopping(lane))
		unpark(lane);
	if (losses != lane->losses)
		herald__parking_hurry_lost(&lane->parking);
	lane->losses = losses;
	struct herald__held *held = herald__parking_take(&lane->parking, now_ms(lane));
	if (held)
		count_parked(lane, false);
	return held;
}

/* Take more at once as long as that is quickly done. */
static void
adapt(struct herald__lane *lane)
{
	const uint64_t now = now_ms(lane);

	if (lane->taken_count > 0 && now - lane->taken_ms >= SLOW_MS)
		lane->most = 1;
	else if (lane->most < HERALD__LANE_MOST && lane->taken_count == lane->most)
		lane->most *= 2;
	lane->taken_ms = now;
}

static void
exchange(struct herald__lane *lane)
{
	const bool takes = lane->taken.count == 0;

	if (takes)
		adapt(lane);
	herald__desk_exchange(lane, &lane->ended, &lane->taken);
	if (takes)
		lane->taken_count = lane->taken.count;
}

void
herald__lane_give_back(struct herald__lane *lane)
{
	if (lane->ended.count > 0)
		exchange(lane);
}

/* It is the next one again. */
static void
put_back(struct herald__lane *lane, struct herald__held *held)
{
	struct herald__held_list one = {0};

	if (held->is_parked) {
		herald__parking_park(&lane->parking, held, now_ms(lane) + SETTLE_MS);
		count_parked(lane, true);
		return;
	}
	herald__held_list_add(&one, held);
	herald__held_list_prepend(&lane->taken, &one);
	lane->waits_alone_ms = now_ms(lane) + SETTLE_MS;
}

bool
herald__lane_step(struct herald__lane *lane)
{
	struct herald__held *held;

	if (lane->taken.count == 0 || must_give_back(lane))
		exchange(lane);
	held = take_parked(lane);
	if (!held && (held = herald__held_list_take(&lane->taken)) &&
	    herald__parking_wait(&lane->parking, held)) {
		count_parked(lane, true);
		return true;
	}
	if (!held && lane->ended.count > 0)
		exchange(lane);
	if (!held)
		return lane->taken.count > 0;
	if (is_suspect(lane, held) && !lane->is_active && lane->ended.count > 0)
		exchange(lane);
	if (must_wait_alone(lane, held)) {
		put_back(lane, held);
		return false;
	}
	run_next(lane, held);
	return true;
}

uint64_t
herald__lane_next_ms(const struct herald__lane *lane)
{
	const uint64_t parked_ms = herald__parking_next_ms(&lane->parking);

	/* Something is taken only if it is a suspect that waits. */
	return lane->taken.count > 0 && lane->waits_alone_ms < parked_ms ? lane->waits_alone_ms
									 : parked_ms;
}
