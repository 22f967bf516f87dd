/*
 * What the producer's thread does, as a function without threads: it connects, sends what waits,
 * takes what the broker has confirmed, sends again what was lost, and gives up what is too old.
 *
 * A message is in `oldest` to `newest` from its submission until its end, and moreover in
 * `submitted`, in `waiting`, in `put_off`, or with the publisher. A message that ends there because
 * of its age is freed when it leaves that place.
 */
#include "producer/turn.h"

#include <stdio.h>

#include <herald/adapter/backoff.h>
#include <herald/adapter/log.h>
#include <herald/array.h>

#include "base/reconnect.h"
#include "producer/state.h"

/* A message that the broker cannot take now. */
#define FIRST_PAUSE_MS 100
#define MAX_PAUSE_MS 10000

static struct herald__pending *
pending_of(struct herald_outgoing *message)
{
	return (struct herald__pending *)message;
}

static uint64_t
put_off_ms(struct herald_producer *producer, unsigned times)
{
	const struct herald_backoff_rule rule = {HERALD_BACKOFF_FULL_JITTER, FIRST_PAUSE_MS, 2,
						 MAX_PAUSE_MS};

	return herald_backoff_delay_ms(&rule, times, producer->clock.random(producer->clock.state));
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Ends. */

static void
unlink_age(struct herald_producer *producer, struct herald__pending *pending)
{
	*(pending->older ? &pending->older->newer : &producer->oldest) = pending->newer;
	*(pending->newer ? &pending->newer->older : &producer->newest) = pending->older;
}

/* With the mutex. */
static void
release_bytes(struct herald_producer_statistics *counts, struct herald__pending *pending)
{
	counts->pending_bytes -= pending->bytes;
	pending->bytes = 0;
}

/* With the mutex. The bytes of a message that the publisher has count until it returns it. */
static void
release_room(struct herald_producer *producer, struct herald__pending *pending)
{
	producer->counts.pending--;
	if (!pending->is_with_publisher)
		release_bytes(&producer->counts, pending);
}

/* There is room before the hook is called: who waits for that may submit as many again. */
static void
call_hook(struct herald_producer *producer, struct herald__pending *pending,
	  enum herald_status status, const char *reason)
{
	pthread_mutex_lock(&producer->mutex);
	release_room(producer, pending);
	pthread_mutex_unlock(&producer->mutex);
	pending->hook(status, reason, pending->state);
}

static void
count_end(struct herald_producer *producer, struct herald__pending *pending, bool is_confirmed)
{
	struct herald_producer_statistics *counts = &producer->counts;

	pthread_mutex_lock(&producer->mutex);
	unlink_age(producer, pending);
	if (!pending->hook)
		release_room(producer, pending);
	(*(is_confirmed ? &counts->confirmed : &counts->failed))++;
	pthread_cond_broadcast(&producer->ended);
	pthread_mutex_unlock(&producer->mutex);
}

/* The message is freed when it is taken out of its place. */
static void
end(struct herald_producer *producer, struct herald__pending *pending, enum herald_status status,
    const char *reason)
{
	pending->has_ended = true;
	/* The hook first: after the end was counted, herald_producer_flush() may return. */
	if (pending->hook)
		call_hook(producer, pending, status, reason);
	count_end(producer, pending, status == HERALD_OK);
}

static void
end_unconfirmed(struct herald_producer *producer, struct herald__pending *pending, const char *why)
{
	end(producer, pending,
	    pending->may_have_arrived || pending->is_with_publisher ? HERALD_UNKNOWN_OUTCOME
								    : HERALD_UNAVAILABLE,
	    why);
}

/* The broker has refused it. An earlier sending may have arrived nevertheless. */
static void
end_refused(struct herald_producer *producer, struct herald__pending *pending,
	    enum herald_status status)
{
	end(producer, pending, pending->may_have_arrived ? HERALD_UNKNOWN_OUTCOME : status,
	    pending->base.reason);
}

static void
discard(struct herald_producer *producer, struct herald__pending *pending)
{
	if (pending->bytes > 0) {
		pthread_mutex_lock(&producer->mutex);
		release_bytes(&producer->counts, pending);
		pthread_mutex_unlock(&producer->mutex);
	}
	herald__pending_destroy(&producer->options.allocator, pending);
}

static struct herald__pending *
find_oldest(struct herald_producer *producer)
{
	pthread_mutex_lock(&producer->mutex);
	struct herald__pending *oldest = producer->oldest;
	pthread_mutex_unlock(&producer->mutex);
	return oldest;
}

/* Why a message is not confirmed, as far as it is known; "": the publisher still has it. */
static const char *
reason_of(const struct herald_producer *producer, const struct herald__pending *pending)
{
	if (!producer->is_connected)
		return producer->error.message;
	return pending->is_with_publisher ? "" : pending->base.reason;
}

/* Only the thread removes messages, so the oldest one stays what it is. */
static void
give_up(struct herald_producer *producer, uint64_t now_ms)
{
	struct herald__pending *oldest;
	char why[sizeof(producer->error.message) + 80];

	while ((oldest = find_oldest(producer)) && oldest->deadline_ms <= now_ms) {
		const char *reason = reason_of(producer, oldest);

		snprintf(why, sizeof(why), "not confirmed by %s within %u ms%s%s",
			 producer->publisher->ops->name, (unsigned)producer->options.timeout_ms,
			 reason[0] ? ": " : "", reason);
		end_unconfirmed(producer, oldest, why);
	}
}

/* Free those at the beginning that have ended. The oldest ones are there. */
static void
drop_ended(struct herald_producer *producer)
{
	struct herald_outgoing_list *waiting = &producer->waiting;

	while (waiting->first && pending_of(waiting->first)->has_ended)
		discard(producer, pending_of(herald_outgoing_list_take(waiting)));
}

/* The connection. */

static void
log_failure(const struct herald_producer *producer, const struct herald_error *error,
	    uint64_t pause)
{
	const struct herald_log_field fields[] = {
		{.key = "broker", .text = producer->publisher->ops->name},
		{.key = "error", .text = error->message},
		{.key = "again_ms", .number = (int64_t)pause},
	};

	herald_log_write(&producer->options.log,
			 error->status == HERALD_UNAVAILABLE ? HERALD_LOG_WARNING
							     : HERALD_LOG_ERROR,
			 "producer not connected", fields, HERALD_COUNT(fields));
}

static void
not_connected(struct herald_producer *producer, const struct herald_error *error)
{
	producer->failed++;
	const uint64_t pause = herald__reconnect_pause_ms(
		producer->options.max_reconnect_delay_ms, producer->failed,
		producer->clock.random(producer->clock.state));

	producer->connect_ms = herald__clock_now_ms(&producer->clock) + pause;
	pthread_mutex_lock(&producer->mutex);
	producer->is_connected = false;
	producer->error = *error;
	producer->counts.failures++;
	pthread_mutex_unlock(&producer->mutex);
	log_failure(producer, error, pause);
}

static void
connected(struct herald_producer *producer)
{
	const struct herald_log_field field = {.key = "broker",
					       .text = producer->publisher->ops->name};

	producer->failed = 0;
	producer->is_full = false;
	pthread_mutex_lock(&producer->mutex);
	producer->is_connected = true;
	producer->counts.connections++;
	pthread_mutex_unlock(&producer->mutex);
	herald_log_write(&producer->options.log, HERALD_LOG_INFO, "producer connected", &field, 1);
}

enum herald_status
herald__producer_connect(struct herald_producer *producer, struct herald_error *error)
{
	struct herald_publisher *publisher = producer->publisher;
	const struct herald_publisher_settings settings = {
		.log = producer->options.log,
		.allocator = producer->options.allocator,
		.max_in_flight = producer->options.max_pending,
	};
	struct herald_error own;
	const enum herald_status status =
		publisher->ops->open(publisher, &settings, error ? error : &own);

	if (status == HERALD_OK)
		connected(producer);
	else
		not_connected(producer, error ? error : &own);
	return status;
}

/* Sending. */

static void
take_submitted(struct herald_producer *producer)
{
	struct herald_outgoing *message;

	pthread_mutex_lock(&producer->mutex);
	struct herald_outgoing_list submitted = producer->submitted;
	producer->submitted = (struct herald_outgoing_list){0};
	pthread_mutex_unlock(&producer->mutex);
	while ((message = herald_outgoing_list_take(&submitted)))
		herald_outgoing_list_add(&producer->waiting, message);
}

static void
count_repeated(struct herald_producer *producer)
{
	pthread_mutex_lock(&producer->mutex);
	producer->counts.repeated++;
	pthread_mutex_unlock(&producer->mutex);
}

/* The first one that waits. Returns false if there is no room for it. */
static bool
send_first(struct herald_producer *producer)
{
	struct herald_publisher *publisher = producer->publisher;
	struct herald__pending *pending = pending_of(producer->waiting.first);
	const bool is_repeated = pending->was_sent;
	enum herald_status status;

	/* Messages that the publisher has and that ended do not count as pending. */
	producer->is_full = producer->in_flight == producer->options.max_pending;
	if (producer->is_full)
		return false;
	herald_outgoing_list_take(&producer->waiting);
	pending->base.reason[0] = '\0';
	status = publisher->ops->send(publisher, &pending->base);
	if (status == HERALD_LIMIT) {
		pending->base.next = producer->waiting.first;
		producer->waiting.first = &pending->base;
		if (!producer->waiting.last)
			producer->waiting.last = &pending->base;
		producer->waiting.count++;
		producer->is_full = true;
		return false;
	}
	if (status != HERALD_OK) {
		end_refused(producer, pending, status);
		discard(producer, pending);
		return true;
	}
	pending->is_with_publisher = pending->was_sent = true;
	producer->is_full = false;
	producer->in_flight++;
	if (is_repeated)
		count_repeated(producer);
	return true;
}

static void
send_waiting(struct herald_producer *producer)
{
	for (drop_ended(producer); producer->waiting.first; drop_ended(producer))
		if (!send_first(producer))
			return;
}

/* What the publisher has returned. */

/* Returns false if it is to be sent again. */
static bool
finish(struct herald_producer *producer, struct herald__pending *pending)
{
	const enum herald_status status = pending->base.status;
	const bool may_come = status == HERALD_UNKNOWN_OUTCOME || status == HERALD_UNAVAILABLE;

	producer->in_flight--;
	pending->is_with_publisher = false;
	pending->may_have_arrived |= status == HERALD_UNKNOWN_OUTCOME;
	if (may_come && !pending->has_ended)
		return false;
	if (!pending->has_ended && status == HERALD_OK)
		end(producer, pending, HERALD_OK, "");
	else if (!pending->has_ended)
		end_refused(producer, pending, status);
	discard(producer, pending);
	return true;
}

/* In front of those that wait, in their order. */
static void
send_again(struct herald_producer *producer, struct herald_outgoing_list *again)
{
	if (!again->first)
		return;
	again->last->next = producer->waiting.first;
	if (!producer->waiting.last)
		producer->waiting.last = again->last;
	producer->waiting.first = again->first;
	producer->waiting.count += again->count;
}

/* One message pauses, and not its topic or the producer: the broker may take the others. */
static void
put_off(struct herald_producer *producer, struct herald__pending *pending, uint64_t now_ms)
{
	const uint64_t due_ms = now_ms + put_off_ms(producer, ++pending->put_off);

	/* Not longer than it lives, so that it is freed in time. */
	pending->not_before_ms = earlier(due_ms, pending->deadline_ms);
	if (!producer->put_off.first || pending->not_before_ms < producer->put_off_ms)
		producer->put_off_ms = pending->not_before_ms;
	herald_outgoing_list_add(&producer->put_off, &pending->base);
}

/* Let those wait again that have paused. */
static void
take_put_off(struct herald_producer *producer, uint64_t now_ms)
{
	struct herald_outgoing_list before = producer->put_off, again = {0};
	struct herald_outgoing *message;

	if (!before.first || now_ms < producer->put_off_ms)
		return;
	producer->put_off = (struct herald_outgoing_list){0};
	producer->put_off_ms = UINT64_MAX;
	while ((message = herald_outgoing_list_take(&before))) {
		struct herald__pending *pending = pending_of(message);

		if (pending->has_ended) {
			discard(producer, pending);
		} else if (pending->not_before_ms <= now_ms) {
			herald_outgoing_list_add(&again, message);
		} else {
			producer->put_off_ms =
				earlier(producer->put_off_ms, pending->not_before_ms);
			herald_outgoing_list_add(&producer->put_off, message);
		}
	}
	send_again(producer, &again);
}

static void
finish_all(struct herald_producer *producer, struct herald_outgoing_list *finished,
	   bool is_connected)
{
	const uint64_t now_ms = herald__clock_now_ms(&producer->clock);
	struct herald_outgoing_list again = {0};
	struct herald_outgoing *message;

	if (finished->count > 0)
		producer->is_full = false;
	while ((message = herald_outgoing_list_take(finished))) {
		if (finish(producer, pending_of(message)))
			continue;
		if (is_connected)
			put_off(producer, pending_of(message), now_ms);
		else
			herald_outgoing_list_add(&again, message);
	}
	send_again(producer, &again);
}

static void
disconnect(struct herald_producer *producer, const struct herald_error *error)
{
	struct herald_publisher *publisher = producer->publisher;
	struct herald_outgoing_list finished = {0};

	publisher->ops->close(publisher, HERALD__PRODUCER_WAIT_MS, &finished);
	not_connected(producer, error);
	finish_all(producer, &finished, false);
}

/* Waiting. */

/* Until when there is nothing to do, unless something happens. */
static uint64_t
next_ms(struct herald_producer *producer, uint64_t now_ms)
{
	uint64_t due_ms = now_ms + HERALD__PRODUCER_WAIT_MS;

	if (!producer->is_connected)
		due_ms = earlier(due_ms, producer->connect_ms);
	else if (producer->waiting.first && !producer->is_full)
		due_ms = now_ms;
	if (producer->is_connected && producer->put_off.first)
		due_ms = earlier(due_ms, producer->put_off_ms);
	pthread_mutex_lock(&producer->mutex);
	if (producer->submitted.first || producer->must_end)
		due_ms = now_ms;
	if (producer->oldest)
		due_ms = earlier(due_ms, producer->oldest->deadline_ms);
	pthread_mutex_unlock(&producer->mutex);
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

static void
run(struct herald_producer *producer, uint64_t now_ms)
{
	struct herald_publisher *publisher = producer->publisher;
	struct herald_outgoing_list finished = {0};
	struct herald_error error = {0};
	enum herald_status status;

	atomic_store(&producer->is_running, true);
	/* After the store: who submits looks at it after the submission. */
	const uint64_t wait_ms = next_ms(producer, now_ms);
	status = publisher->ops->run(publisher, (uint32_t)wait_ms, &finished, &error);
	atomic_store(&producer->is_running, false);
	finish_all(producer, &finished, status == HERALD_OK);
	if (status != HERALD_OK)
		disconnect(producer, &error);
}

uint64_t
herald__producer_turn(struct herald_producer *producer)
{
	uint64_t now_ms = herald__clock_now_ms(&producer->clock);

	take_submitted(producer);
	give_up(producer, now_ms);
	take_put_off(producer, now_ms);
	drop_ended(producer);
	if (!producer->is_connected && now_ms >= producer->connect_ms) {
		herald__producer_connect(producer, NULL);
		now_ms = herald__clock_now_ms(&producer->clock);
	}
	if (!producer->is_connected)
		return next_ms(producer, now_ms);
	send_waiting(producer);
	run(producer, now_ms);
	return 0;
}

void
herald__producer_end(struct herald_producer *producer)
{
	static const char why[] = "the producer was destroyed before the broker confirmed it";
	struct herald_publisher *publisher = producer->publisher;
	struct herald_outgoing_list finished = {0};
	struct herald_outgoing *message;

	if (producer->is_connected)
		publisher->ops->close(publisher, HERALD__PRODUCER_WAIT_MS, &finished);
	producer->is_connected = false;
	finish_all(producer, &finished, false);
	take_submitted(producer);
	take_put_off(producer, UINT64_MAX);
	while ((message = herald_outgoing_list_take(&producer->waiting))) {
		if (!pending_of(message)->has_ended)
			end_unconfirmed(producer, pending_of(message), why);
		discard(producer, pending_of(message));
	}
}
