/*
 * The mutex between the consumer's thread, which receives and settles, and the lanes, which run
 * messages. It decides which lane gets a message, and when a lane waits for others; not what a
 * message ends as.
 */
#include "consumer/desk.h"

#include <herald/adapter/thread.h>

#include "consumer/lane.h"
#include "consumer/state.h"

/* The longest wait; then the clock is read again. */
#define MAX_WAIT_MS 60000

static bool
init_conditions(pthread_cond_t *const conditions[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (herald_condition_init(conditions[i]) == 0)
			continue;
		while (i-- > 0)
			pthread_cond_destroy(conditions[i]);
		return false;
	}
	return true;
}

bool
herald__desk_init(struct herald__desk *desk)
{
	*desk = (struct herald__desk){0};
	pthread_cond_t *const conditions[] = {&desk->consumer_wake, &desk->changed, &desk->gate};

	atomic_init(&desk->suspects, 0);
	atomic_init(&desk->consumer_waits, false);
	atomic_init(&desk->is_stopping, false);
	atomic_init(&desk->losses, 0);
	if (pthread_mutex_init(&desk->mutex, NULL) != 0)
		return false;
	if (init_conditions(conditions, sizeof(conditions) / sizeof(conditions[0])))
		return true;
	pthread_mutex_destroy(&desk->mutex);
	return false;
}

void
herald__desk_finish(struct herald__desk *desk)
{
	pthread_cond_destroy(&desk->gate);
	pthread_cond_destroy(&desk->changed);
	pthread_cond_destroy(&desk->consumer_wake);
	pthread_mutex_destroy(&desk->mutex);
}

static struct herald__desk *
lock(struct herald_consumer *consumer)
{
	pthread_mutex_lock(&consumer->desk.mutex);
	return &consumer->desk;
}

static void
unlock(struct herald__desk *desk)
{
	pthread_mutex_unlock(&desk->mutex);
}

/* Waits on a condition until due_ms at the latest. Returns false if it has passed. */
static bool
wait_until(const struct herald_consumer *consumer, pthread_cond_t *condition,
	   pthread_mutex_t *mutex, uint64_t due_ms)
{
	const uint64_t now_ms = herald__clock_now_ms(&consumer->settings.clock);

	if (due_ms <= now_ms)
		return false;
	if (due_ms == UINT64_MAX) {
		pthread_cond_wait(condition, mutex);
		return true;
	}
	const uint64_t wait_ms = due_ms - now_ms;
	const struct timespec until =
		herald_deadline_after(wait_ms < MAX_WAIT_MS ? (uint32_t)wait_ms : MAX_WAIT_MS);
	pthread_cond_timedwait(condition, mutex, &until);
	return true;
}

/* Waking, with the mutex held. */

/* Returns whether receive() is to be ended, which may cost a system call. */
static bool
wake_consumer(struct herald__desk *desk)
{
	if (desk->consumer_sleeps)
		pthread_cond_signal(&desk->consumer_wake);
	return atomic_load_explicit(&desk->consumer_waits, memory_order_relaxed) &&
	       atomic_exchange(&desk->consumer_waits, false);
}

static void
end_receive(struct herald_consumer *consumer)
{
	consumer->subscriber->ops->wake(consumer->subscriber);
}

static void
wake_lane(struct herald__desk *desk, struct herald__lane *lane)
{
	if (!lane->waits)
		return;
	lane->waits = false;
	desk->idle--;
	pthread_cond_signal(&lane->wake);
}

/* Lanes with messages of their own, and as many others as there is work for. */
static void
wake_lanes(struct herald_consumer *consumer)
{
	struct herald__desk *desk = &consumer->desk;
	size_t ready = desk->ready.count;

	for (size_t i = 0; i < consumer->lanes_count && desk->idle > 0; i++) {
		struct herald__lane *lane = &consumer->lanes[i];

		if (!lane->waits || (lane->queue.count == 0 && ready == 0))
			continue;
		ready -= lane->queue.count == 0;
		wake_lane(desk, lane);
	}
}

static void
wake_all_lanes(struct herald_consumer *consumer)
{
	for (size_t i = 0; i < consumer->lanes_count; i++)
		wake_lane(&consumer->desk, &consumer->lanes[i]);
}

/* The consumer's thread. */

static struct herald__held_list *
list_for(struct herald_consumer *consumer, const struct herald__held *held)
{
	if (held->key_hash == 0)
		return &consumer->desk.ready;
	return &consumer->lanes[held->key_hash % consumer->lanes_count].queue;
}

void
herald__desk_hand(struct herald_consumer *consumer, struct herald__held_list *messages)
{
	struct herald__held *held;

	if (messages->count == 0)
		return;
	struct herald__desk *desk = lock(consumer);
	while ((held = herald__held_list_take(messages)))
		herald__held_list_add(list_for(consumer, held), held);
	if (desk->idle > 0)
		wake_lanes(consumer);
	unlock(desk);
}

void
herald__desk_collect(struct herald_consumer *consumer, struct herald__held_list *out)
{
	struct herald__desk *desk = lock(consumer);

	herald__held_list_move(out, &desk->ended);
	desk->needs_turn = false; /* this is the turn */
	unlock(desk);
}

bool
herald__desk_begin_wait(struct herald_consumer *consumer)
{
	struct herald__desk *desk = lock(consumer);
	const bool waits = desk->ended.count == 0 && !desk->needs_turn;

	if (waits)
		atomic_store(&desk->consumer_waits, true);
	unlock(desk);
	return waits;
}

void
herald__desk_end_wait(struct herald_consumer *consumer)
{
	atomic_store(&consumer->desk.consumer_waits, false);
}

void
herald__desk_sleep(struct herald_consumer *consumer, uint64_t due_ms)
{
	const struct herald__delivery_clock *clock = &consumer->settings.clock;

	if (clock->idle) {
		clock->idle(due_ms, 0, clock->state);
		return;
	}
	struct herald__desk *desk = lock(consumer);
	const enum herald__desk_phase phase = desk->phase;
	bool has_time = true;
	desk->consumer_sleeps = true;
	while (has_time && desk->ended.count == 0 && desk->phase == phase)
		has_time = wait_until(consumer, &desk->consumer_wake, &desk->mutex, due_ms);
	desk->consumer_sleeps = false;
	unlock(desk);
}

bool
herald__desk_let_suspects(struct herald_consumer *consumer, bool has_unsettled)
{
	if (atomic_load(&consumer->desk.suspects) == 0)
		return true;
	struct herald__desk *desk = lock(consumer);
	const bool has_ended = desk->active == 0 && desk->ended.count == 0;
	if (has_ended && !has_unsettled) {
		desk->is_settled = true;
		pthread_cond_broadcast(&desk->gate);
	}
	const bool waits = has_ended && !desk->is_settled && !desk->is_alone;
	unlock(desk);
	return !waits;
}

void
herald__desk_tell_losses(struct herald_consumer *consumer)
{
	struct herald__desk *desk = lock(consumer);

	atomic_fetch_add(&desk->losses, 1);
	wake_all_lanes(consumer);
	pthread_cond_broadcast(&desk->gate);
	unlock(desk);
}

void
herald__desk_tell_left(struct herald_consumer *consumer, size_t left, enum herald__desk_phase phase)
{
	struct herald__desk *desk = lock(consumer);

	desk->left = left;
	desk->phase = phase;
	pthread_cond_broadcast(&desk->changed);
	unlock(desk);
}

uint64_t
herald__desk_drain_until(struct herald_consumer *consumer)
{
	struct herald__desk *desk = lock(consumer);
	const uint64_t until_ms = desk->drain_until_ms;

	unlock(desk);
	return until_ms;
}

void
herald__desk_quit(struct herald_consumer *consumer)
{
	struct herald__desk *desk = lock(consumer);

	desk->quits = true;
	wake_all_lanes(consumer);
	unlock(desk);
}

/* Lanes. */

/* A fair part of what is for any lane. */
static size_t
share_of(const struct herald__lane *lane)
{
	const struct herald_consumer *consumer = lane->consumer;
	const size_t lanes = consumer->lanes_count;
	const size_t share = (consumer->desk.ready.count + lanes - 1) / lanes;

	return share < lane->most ? share : lane->most;
}

static void
take_some(struct herald__held_list *from, struct herald__held_list *to, size_t count)
{
	struct herald__held *held;

	while (count-- > 0 && (held = herald__held_list_take(from)))
		herald__held_list_add(to, held);
}

void
herald__desk_exchange(struct herald__lane *lane, struct herald__held_list *ended,
		      struct herald__held_list *taken)
{
	struct herald_consumer *consumer = lane->consumer;
	bool ends_receive = false;
	struct herald__desk *desk = lock(consumer);

	if (ended->count > 0) {
		herald__held_list_move(&desk->ended, ended);
		ends_receive = wake_consumer(desk);
	}
	if (taken->count == 0)
		take_some(&lane->queue, taken, HERALD__LANE_MOST);
	if (taken->count == 0)
		take_some(&desk->ready, taken, share_of(lane));
	unlock(desk);
	if (ends_receive)
		end_receive(consumer);
}

/* With the mutex held: the consumer's thread decides whether a suspect may run. */
static void
call_for_turn(struct herald_consumer *consumer)
{
	struct herald__desk *desk = &consumer->desk;

	desk->needs_turn = true;
	/* Within the mutex: receive() may be called, and ended, again at any time. */
	if (wake_consumer(desk))
		end_receive(consumer);
}

/* With the mutex held: a lane that is not active runs nothing. */
static void
become_passive(struct herald__desk *desk, struct herald__lane *lane)
{
	if (!lane->is_active)
		return;
	lane->is_active = false;
	desk->active--;
	if (atomic_load(&desk->suspects) > 0) {
		pthread_cond_broadcast(&desk->gate);
		call_for_turn(lane->consumer);
	}
}

static void
become_active(struct herald__desk *desk, struct herald__lane *lane)
{
	while (atomic_load(&desk->suspects) > 0)
		pthread_cond_wait(&desk->gate, &desk->mutex);
	desk->is_settled = false;
	lane->is_active = true;
	desk->active++;
}

void
herald__desk_enter(struct herald__lane *lane)
{
	struct herald__desk *desk = lock(lane->consumer);

	become_active(desk, lane);
	unlock(desk);
}

static bool
has_work(const struct herald__lane *lane)
{
	const struct herald__desk *desk = &lane->consumer->desk;

	return desk->quits || lane->queue.count > 0 || desk->ready.count > 0 ||
	       (lane->parking.count > 0 &&
		(atomic_load(&desk->is_stopping) || atomic_load(&desk->losses) != lane->losses));
}

bool
herald__desk_wait(struct herald__lane *lane, uint64_t due_ms)
{
	struct herald_consumer *consumer = lane->consumer;
	struct herald__desk *desk = lock(consumer);
	bool has_time = true;

	if (!has_work(lane)) {
		become_passive(desk, lane);
		lane->waits = true;
		desk->idle++;
		while (lane->waits && has_time)
			has_time = wait_until(consumer, &lane->wake, &desk->mutex, due_ms);
		if (lane->waits) {
			lane->waits = false;
			desk->idle--;
		}
		become_active(desk, lane);
	}
	bool goes_on = !desk->quits;
	if (!goes_on)
		become_passive(desk, lane);
	unlock(desk);
	return goes_on;
}

/* Give back what has ended, and see to it that the consumer's thread looks at it. */
static void
give_back(struct herald__desk *desk, struct herald__lane *lane)
{
	herald__held_list_move(&desk->ended, &lane->ended);
	call_for_turn(lane->consumer);
}

static bool
waits_for_broker(const struct herald__desk *desk, const struct herald__held *held)
{
	return !desk->is_settled && !atomic_load(&desk->is_stopping) && !herald__held_is_lost(held);
}

void
herald__desk_enter_alone(struct herald__lane *lane, const struct herald__held *held)
{
	struct herald__desk *desk = lock(lane->consumer);
	/* Without threads, the lane has waited before; see herald__lane_step(). */
	const bool must_wait = lane->is_active;

	atomic_fetch_add(&desk->suspects, 1);
	lane->was_active = lane->is_active;
	become_passive(desk, lane);
	give_back(desk, lane);
	while (must_wait && (desk->active > 0 || desk->is_alone || waits_for_broker(desk, held)))
		pthread_cond_wait(&desk->gate, &desk->mutex);
	desk->is_alone = true;
	unlock(desk);
}

void
herald__desk_leave_alone(struct herald__lane *lane)
{
	struct herald__desk *desk = lock(lane->consumer);

	desk->is_alone = false;
	desk->is_settled = false;
	atomic_fetch_sub(&desk->suspects, 1);
	give_back(desk, lane);
	pthread_cond_broadcast(&desk->gate);
	if (lane->was_active)
		become_active(desk, lane);
	unlock(desk);
}

void
herald__desk_pause(struct herald__lane *lane)
{
	struct herald__desk *desk = lock(lane->consumer);

	become_passive(desk, lane);
	give_back(desk, lane);
	become_active(desk, lane);
	unlock(desk);
}

/* Any thread. */

void
herald__desk_stored(struct herald_consumer *consumer, struct herald__held *held)
{
	struct herald__desk *desk = lock(consumer);

	herald__held_list_add(&desk->ended, held);
	/* Within the mutex: after it, the consumer may be gone. */
	if (wake_consumer(desk))
		end_receive(consumer);
	unlock(desk);
}

static void
begin_stop(struct herald_consumer *consumer)
{
	struct herald__desk *desk = &consumer->desk;
	/* The consumer's thread adds to `unsettled` before it takes from this. */
	const size_t in_flight = consumer->counts.in_flight;

	desk->phase = HERALD__DESK_STOPPING;
	desk->left = in_flight + consumer->counts.unsettled;
	atomic_store(&desk->is_stopping, true);
	wake_all_lanes(consumer);
	pthread_cond_broadcast(&desk->gate);
	pthread_cond_signal(&desk->consumer_wake);
}

size_t
herald__desk_stop(struct herald_consumer *consumer, uint32_t drain_ms)
{
	const uint64_t until_ms = herald__clock_now_ms(&consumer->settings.clock) + drain_ms;
	struct herald__desk *desk = lock(consumer);

	if (desk->phase != HERALD__DESK_STOPPED) {
		desk->drain_until_ms = until_ms;
		if (desk->phase == HERALD__DESK_OPEN)
			begin_stop(consumer);
		end_receive(consumer);
	}
	while (consumer->threads && desk->phase != HERALD__DESK_STOPPED)
		if (!wait_until(consumer, &desk->changed, &desk->mutex, until_ms))
			break;
	const size_t left = desk->left;
	unlock(desk);
	return left;
}
