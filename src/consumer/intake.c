/*
 * Between the broker and the lanes. One turn settles what has ended, extends what is held for long,
 * receives more, as far as there is room, and hands it over. It does not run events, except where
 * there are no lanes.
 */
#include "consumer/intake.h"

#include <string.h>

#include <herald/adapter/options.h>

#include "base/attribute_text.h"
#include "base/reconnect.h"
#include "consumer/desk.h"
#include "consumer/ending.h"
#include "consumer/lane.h"
#include "consumer/ledger.h"
#include "consumer/report.h"
#include "consumer/state.h"
#include "service/context.h"
#include "service/pipeline.h"

/* The longest wait for messages: what is to be done then is not urgent. */
#define MAX_WAIT_MS 1000
/* Closing a connection; and at a stop, the least time for the broker to confirm all ends. */
#define CLOSE_MS 100
#define FLUSH_MS 100
/* Messages whose extension is due this much later are extended with others. */
#define EXTEND_EARLY(PERIOD_MS) ((PERIOD_MS) / 4)
/* Settlements that are passed on at once. */
#define MAX_SETTLED 128
/* Messages that run on the consumer's thread before it receives again, and how long they may take:
 * none begins after that. */
#define INLINE_RUNS 64
#define INLINE_MS 100
/* How often to look whether the broker knows of all ends, while a suspect waits for that. */
#define SETTLE_MS 2

bool
herald__intake_init(struct herald_consumer *consumer)
{
	struct herald__intake *intake = &consumer->intake;
	const struct herald__delivery_clock *clock = &consumer->settings.clock;
	const uint64_t secret[2] = {clock->random(clock->state), clock->random(clock->state)};

	*intake = (struct herald__intake){.extend_ms = UINT64_MAX};
	atomic_init(&intake->is_connected, false);
	memcpy(intake->secret, secret, sizeof(intake->secret));
	herald__held_memory_init(&intake->memory, &consumer->settings.allocator);
	return pthread_mutex_init(&intake->mutex, NULL) == 0;
}

void
herald__intake_finish(struct herald_consumer *consumer)
{
	herald__held_memory_finish(&consumer->intake.memory);
	pthread_mutex_destroy(&consumer->intake.mutex);
}

static uint64_t
now_ms(const struct herald_consumer *consumer)
{
	return herald__clock_now_ms(&consumer->settings.clock);
}

static const struct herald_subscriber_ops *
ops_of(const struct herald_consumer *consumer)
{
	return consumer->subscriber->ops;
}

static unsigned
losses_of(const struct herald_consumer *consumer)
{
	return __atomic_load_n(&consumer->subscriber->losses, __ATOMIC_SEQ_CST);
}

/* The connection. */

/* Returns whether it is another error than the last one. */
static bool
note_error(struct herald__intake *intake, const struct herald_error *error)
{
	pthread_mutex_lock(&intake->mutex);
	const bool is_new = intake->error.status != error->status ||
			    strcmp(intake->error.message, error->message) != 0;
	intake->error = *error;
	pthread_mutex_unlock(&intake->mutex);
	return is_new;
}

static void
set_connected(struct herald_consumer *consumer)
{
	struct herald__intake *intake = &consumer->intake;

	intake->failed = 0;
	consumer->counts.connections++;
	(void)note_error(intake, &(struct herald_error){.status = HERALD_OK});
	intake->is_connected = true;
	herald__consumer_report_connection(consumer, NULL);
}

/* The broker delivers again what the consumer has. What has not begun does not run here. */
static void
lose_all(struct herald_consumer *consumer)
{
	for (struct herald__held *held = consumer->intake.memory.oldest; held; held = held->newer) {
		herald_received_lose(consumer->subscriber, held->message);
		herald__ledger_lose(&consumer->ledger, held);
	}
	herald__ledger_lose_done(&consumer->ledger);
	consumer->intake.losses = losses_of(consumer);
	consumer->intake.extend_ms = UINT64_MAX;
	herald__desk_tell_losses(consumer);
}

/* Logs an error unless it is the same one again. */
static void
set_disconnected(struct herald_consumer *consumer, const struct herald_error *error)
{
	struct herald__intake *intake = &consumer->intake;
	const struct herald__delivery_clock *clock = &consumer->settings.clock;

	if (intake->is_connected)
		herald__ledger_break(&consumer->ledger);
	intake->is_connected = false;
	intake->failed++;
	consumer->counts.failures++;
	if (note_error(intake, error))
		herald__consumer_report_connection(consumer, error);
	ops_of(consumer)->close(consumer->subscriber, CLOSE_MS);
	lose_all(consumer);
	intake->connect_ms =
		now_ms(consumer) +
		herald__reconnect_pause_ms(consumer->settings.options.max_reconnect_delay_ms,
					   intake->failed, clock->random(clock->state));
}

enum herald_status
herald__intake_open(struct herald_consumer *consumer, struct herald_error *error)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	const struct herald_subscriber_settings settings = {
		.log = consumer->settings.log,
		.allocator = consumer->settings.allocator,
		.max_in_flight = options->max_in_flight,
		.max_in_flight_bytes = options->max_in_flight_bytes,
		.max_delay_ms = options->max_delay_ms,
	};
	enum herald_status status = ops_of(consumer)->open(consumer->subscriber, &settings, error);

	if (status == HERALD_OK)
		set_connected(consumer);
	else
		set_disconnected(consumer, error);
	return status;
}

void
herald__intake_close(struct herald_consumer *consumer)
{
	if (consumer->intake.is_connected)
		ops_of(consumer)->close(consumer->subscriber, CLOSE_MS);
	consumer->intake.is_connected = false;
}

/* What has ended. */

/* A message that was on its way into the store. */
static void
end_stored(struct herald_consumer *consumer, struct herald__held *held)
{
	struct herald_result result;

	herald__service_end_in(consumer->service, held->ctx, &result);
	herald__ending_set(consumer, held, &result, herald_context_id(held->ctx), false);
	herald__context_reset(held->ctx);
	herald__context_give(held->ctx);
	held->ctx = NULL;
}

static const struct herald_error *
error_of(const struct herald__held *held)
{
	static const struct herald_error unknown = {
		.status = HERALD_OK,
		.offset = HERALD_NO_OFFSET,
		.message = "unknown: there was no memory for the reason",
	};

	if (held->reason)
		return &held->reason->error;
	return held->kind == HERALD_SETTLE_DEAD ? &unknown : NULL;
}

static struct herald_settlement
settlement_of(const struct herald__held *held)
{
	return (struct herald_settlement){
		.message = held->message,
		.kind = held->kind,
		.delay_ms = held->delay_ms,
		.attempts = held->before + held->runs,
		.error = error_of(held),
		.http_status = held->http_status,
		.failed_ms = held->failed_ms,
		.event_id = held->reason ? held->reason->event_id : "",
	};
}

/* Settle up to MAX_SETTLED messages. */
static void
settle_some(struct herald_consumer *consumer, struct herald__held_list *ended)
{
	struct herald_settlement settlements[MAX_SETTLED];
	struct herald__held *settled[MAX_SETTLED];
	size_t count = 0;

	while (count < MAX_SETTLED && ended->count > 0) {
		struct herald__held *held = herald__held_list_take(ended);

		if (held->ctx)
			end_stored(consumer, held);
		held->was_lost = herald__held_is_lost(held);
		herald__consumer_report_end(consumer, held);
		settlements[count] = settlement_of(held);
		settled[count++] = held;
	}
	ops_of(consumer)->settle(consumer->subscriber, settlements, count);
	for (size_t i = 0; i < count; i++) {
		herald__ledger_settle(&consumer->ledger, settled[i], ops_of(consumer));
		herald__held_free(&consumer->intake.memory, settled[i]);
	}
}

/* Returns how many ends the broker does not know of. What is not connected cannot tell. */
static size_t
settle_ended(struct herald_consumer *consumer)
{
	struct herald__held_list ended = {0};

	herald__desk_collect(consumer, &ended);
	while (ended.count > 0)
		settle_some(consumer, &ended);
	const size_t unsettled = consumer->intake.is_connected
					 ? ops_of(consumer)->unsettled(consumer->subscriber)
					 : 0;
	/* In this order, so that a stop sees each message in one of them. */
	consumer->counts.unsettled = unsettled;
	consumer->counts.in_flight = consumer->intake.memory.count;
	return unsettled;
}

/* What is held for long. */

/* All that is due soon, and when the next one is. */
static void
extend_due(struct herald_consumer *consumer, uint64_t now)
{
	const struct herald_subscriber_ops *ops = ops_of(consumer);
	const uint64_t period_ms = ops->extend_ms(consumer->subscriber);
	struct herald_received *messages[MAX_SETTLED];
	size_t count = 0;
	uint64_t next_ms = UINT64_MAX;

	for (struct herald__held *held = consumer->intake.memory.oldest; held; held = held->newer) {
		if (herald__held_is_lost(held))
			continue;
		if (held->extend_ms <= now + EXTEND_EARLY(period_ms)) {
			held->extend_ms = now + period_ms;
			messages[count++] = held->message;
		}
		if (held->extend_ms < next_ms)
			next_ms = held->extend_ms;
		if (count == MAX_SETTLED) {
			ops->extend(consumer->subscriber, messages, count);
			count = 0;
		}
	}
	if (count > 0)
		ops->extend(consumer->subscriber, messages, count);
	consumer->intake.extend_ms = next_ms;
}

/* Messages may be lost without the connection: an assignment of Kafka, which is a break. That comes
 * first: it excuses messages that the consumer has not seen, and not those that are noted here. */
static void
look_for_losses(struct herald_consumer *consumer, bool is_break)
{
	const unsigned losses = losses_of(consumer);

	if (consumer->intake.losses == losses)
		return;
	consumer->intake.losses = losses;
	if (is_break)
		herald__ledger_break(&consumer->ledger);
	for (struct herald__held *held = consumer->intake.memory.oldest; held; held = held->newer) {
		if (herald__held_is_lost(held))
			herald__ledger_lose(&consumer->ledger, held);
	}
	herald__desk_tell_losses(consumer);
}

static void
look_after(struct herald_consumer *consumer, uint64_t now)
{
	struct herald__intake *intake = &consumer->intake;

	if (intake->extend_ms <= now)
		extend_due(consumer, now);
	look_for_losses(consumer, false);
	if (consumer->ledger.history.is_stuck && !intake->is_stuck)
		herald__consumer_report_stuck(consumer);
	intake->is_stuck |= consumer->ledger.history.is_stuck;
}

/* What has come. */

/* SipHash keeps a sender from choosing keys that all fall on one lane. */
static uint64_t
hash_key(const struct herald_consumer *consumer, struct herald_text key)
{
	struct herald__siphash hash;

	herald__siphash_init(&hash, consumer->intake.secret, HERALD__SIPHASH_64);
	herald__siphash_add(&hash, key.data, key.bytes);
	uint64_t value = herald__siphash_64(&hash);
	return value != 0 ? value : 1;
}

static struct herald_text
key_of(const struct herald_consumer *consumer, const struct herald_received *message)
{
	const char *name = consumer->settings.options.key_attribute;

	if (!name)
		return message->key;
	const char *value = herald__attributes_find(message->attributes, name);
	return (struct herald_text){value, value ? strlen(value) : 0};
}

/* There is no memory for a message: the broker delivers it again. */
static void
refuse(struct herald_consumer *consumer, struct herald_received *message)
{
	const struct herald_settlement settlement = {
		.message = message,
		.kind = HERALD_SETTLE_RELEASE,
		.attempts = message->attempts,
		.event_id = "",
	};

	consumer->counts.released++;
	herald__ledger_refuse(&consumer->ledger, message, ops_of(consumer));
	ops_of(consumer)->settle(consumer->subscriber, &settlement, 1);
}

static struct herald__held *
take_in(struct herald_consumer *consumer, struct herald_received *message, uint64_t now)
{
	struct herald__intake *intake = &consumer->intake;
	const struct herald_subscriber_ops *ops = ops_of(consumer);
	struct herald__held *held = herald__held_create(&intake->memory, message);

	if (!held) {
		refuse(consumer, message);
		return NULL;
	}
	if (consumer->settings.options.order == HERALD_ORDER_KEY) {
		const struct herald_text key = key_of(consumer, message);

		held->key_hash = key.data ? hash_key(consumer, key) : 0;
	}
	if (ops->extend) {
		held->extend_ms = now + ops->extend_ms(consumer->subscriber);
		if (held->extend_ms < intake->extend_ms)
			intake->extend_ms = held->extend_ms;
	}
	herald__ledger_receive(&consumer->ledger, held, now);
	herald__consumer_report_received(consumer, held);
	return held;
}

static void
hand_over(struct herald_consumer *consumer, struct herald_received_list *received)
{
	const uint64_t now = now_ms(consumer);
	struct herald__held_list list = {0};
	struct herald_received *message = received->first, *next;

	for (; message; message = next) {
		next = message->next;
		struct herald__held *held = take_in(consumer, message, now);
		if (held)
			herald__held_list_add(&list, held);
	}
	consumer->counts.in_flight = consumer->intake.memory.count;
	herald__desk_hand(consumer, &list);
}

/* Room in messages; *bytes is room for their bytes. */
static size_t
room_of(const struct herald_consumer *consumer, size_t *bytes)
{
	const struct herald_consumer_options *options = &consumer->settings.options;
	const struct herald__held_memory *memory = &consumer->intake.memory;
	const size_t taken = memory->count + ops_of(consumer)->unsettled(consumer->subscriber);

	*bytes = options->max_in_flight_bytes > memory->bytes
			 ? options->max_in_flight_bytes - memory->bytes
			 : 0;
	if (consumer->desk.is_stopping || *bytes == 0 || taken >= options->max_in_flight)
		return 0;
	return options->max_in_flight - taken;
}

static void
receive(struct herald_consumer *consumer, uint32_t wait_ms)
{
	struct herald_received_list received = {0};
	struct herald_error error;
	size_t bytes, room = room_of(consumer, &bytes);
	enum herald_status status = ops_of(consumer)->receive(consumer->subscriber, room, bytes,
							      wait_ms, &received, &error);

	/* What was lost may be in the list again. A lost connection is a break by itself. */
	look_for_losses(consumer, status == HERALD_OK);
	if (received.first)
		hand_over(consumer, &received);
	if (status != HERALD_OK)
		set_disconnected(consumer, &error);
}

/* A turn. */

static bool
is_inline(const struct herald_consumer *consumer)
{
	return consumer->settings.options.lanes == 0;
}

/* Run some of what was received. Returns when more is to be run. */
static uint64_t
run_inline(struct herald_consumer *consumer)
{
	struct herald__lane *lane = &consumer->lanes[0];
	unsigned runs = 0;

	if (!is_inline(consumer))
		return UINT64_MAX;
	const uint64_t until_ms = now_ms(consumer) + INLINE_MS;
	while (herald__lane_step(lane))
		if (++runs == INLINE_RUNS || now_ms(consumer) >= until_ms) {
			herald__lane_give_back(lane);
			return 0;
		}
	return herald__lane_next_ms(lane);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Receive, or wait to connect; until due_ms at the latest. */
static void
wait(struct herald_consumer *consumer, uint64_t due_ms)
{
	const struct herald__intake *intake = &consumer->intake;
	const uint64_t now = now_ms(consumer);
	uint64_t until_ms = earlier(due_ms, now + MAX_WAIT_MS);

	if (!intake->is_connected) {
		herald__desk_sleep(consumer, consumer->desk.is_stopping
						     ? until_ms
						     : earlier(due_ms, intake->connect_ms));
		return;
	}
	until_ms = earlier(until_ms, intake->extend_ms);
	if (until_ms > now && herald__desk_begin_wait(consumer))
		receive(consumer, (uint32_t)(until_ms - now));
	else
		receive(consumer, 0);
	herald__desk_end_wait(consumer);
}

static void
connect(struct herald_consumer *consumer)
{
	struct herald_error error;

	if (!consumer->intake.is_connected && !consumer->desk.is_stopping &&
	    now_ms(consumer) >= consumer->intake.connect_ms)
		(void)herald__intake_open(consumer, &error);
}

/* Everything has ended. The broker is to confirm it. */
static void
end(struct herald_consumer *consumer)
{
	const struct herald_subscriber_ops *ops = ops_of(consumer);
	const uint64_t until_ms = herald__desk_drain_until(consumer), now = now_ms(consumer);
	uint64_t flush_ms = until_ms > now ? until_ms - now : 0;
	size_t left = 0;

	if (flush_ms < FLUSH_MS)
		flush_ms = FLUSH_MS;
	if (consumer->intake.is_connected) {
		herald__desk_tell_left(consumer, ops->unsettled(consumer->subscriber),
				       HERALD__DESK_STOPPING);
		left = ops->flush(consumer->subscriber,
				  flush_ms < UINT32_MAX ? (uint32_t)flush_ms : UINT32_MAX);
		/* What the subscriber still had may count: the broker counts what it has sent, or
		 * the connection was lost, which only the next receive() would have said. */
		herald__ledger_break(&consumer->ledger);
		herald__intake_close(consumer);
	} else {
		left = ops->unsettled(consumer->subscriber);
	}
	herald__ledger_confirm(&consumer->ledger, left);
	herald__consumer_report_stopped(consumer, left);
	herald__desk_tell_left(consumer, left, HERALD__DESK_STOPPED);
}

/* Suspects run when the broker knows of all ends, or does not tell for long. */
static bool
let_suspects(struct herald_consumer *consumer, bool has_unsettled)
{
	struct herald__intake *intake = &consumer->intake;
	const uint64_t now = now_ms(consumer);

	if (intake->alone_ms != 0 && now >= intake->alone_ms)
		has_unsettled = false;
	if (herald__desk_let_suspects(consumer, has_unsettled)) {
		intake->alone_ms = 0;
		return true;
	}
	if (intake->alone_ms == 0)
		intake->alone_ms = now + HERALD__MAX_ALONE_WAIT_MS;
	return false;
}

bool
herald__intake_turn(struct herald_consumer *consumer)
{
	uint64_t due_ms = run_inline(consumer);

	const size_t unsettled = settle_ended(consumer);

	if (consumer->intake.is_connected)
		herald__ledger_confirm(&consumer->ledger, unsettled);
	if (!let_suspects(consumer, unsettled > 0))
		due_ms = earlier(due_ms, now_ms(consumer) + SETTLE_MS);
	if (consumer->desk.is_stopping) {
		if (consumer->intake.memory.count == 0) {
			end(consumer);
			return false;
		}
		herald__desk_tell_left(consumer, consumer->intake.memory.count + unsettled,
				       HERALD__DESK_STOPPING);
	}
	connect(consumer);
	look_after(consumer, now_ms(consumer));
	wait(consumer, due_ms);
	return true;
}
