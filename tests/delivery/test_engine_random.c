/*
 * The deliverer under a schedule drawn at random: threads submit, reserve, read the counts and stop
 * it, memory runs out now and then, and a transport lets attempts end in any way and order. The
 * transport aborts if the deliverer calls it in a way that herald/adapter/transport.h forbids. The
 * deliveries are kept in memory, or by a queue that stores them, at random.
 *
 * The seed is printed; HERALD_TEST_SEED sets it, and HERALD_TEST_SECONDS how long it takes. Threads
 * run as they do, so that the same seed is not the same run.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/adapter/transport.h>
#include <herald/array.h>
#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/draw.h"
#include "support/stored_queue.h"

#define MAX_SLOTS 8
#define MAX_DELIVERIES 4096
#define SUBMITTERS 3
#define SPEED 100 /* the deliverer's milliseconds in one of the system's */

/* Other threads cannot fail a test of cmocka, so this aborts. */
#define CHECK(CONDITION)                                                                           \
	do {                                                                                       \
		if (!(CONDITION)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #CONDITION);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static uint64_t
real_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t
fast_now_ms(void *state)
{
	(void)state;
	return real_us() * SPEED / 1000;
}

/* The wall clock jumps by up to so much. */
#define WALL_CLOCK_JUMPS_MS 345600000

/* It is set every few milliseconds, by days. */
static int64_t
fast_wall_ms(void *state)
{
	int64_t days = (int64_t)(real_us() >> 12) % 5 - 2;

	return TEST_CLOCK_WALL_S * INT64_C(1000) + (int64_t)fast_now_ms(state) + days * 86400000;
}

static uint64_t
fast_random(void *state)
{
	return real_us() * 0x9e3779b97f4a7c15u + (uintptr_t)state;
}

static const struct herald__delivery_clock fast_clock = {
	.now_ms = fast_now_ms,
	.wall_ms = fast_wall_ms,
	.random = fast_random,
};

/* The transport that checks. */

struct checked_attempt {
	struct herald_attempt *attempt;
	uint64_t hash;   /* of what it points to */
	uint64_t due_ms; /* UINT64_MAX: it is silent */
};

struct checker {
	struct herald_transport base;
	uint64_t random;
	atomic_bool is_open;
	struct herald_transport_settings settings;
	pthread_t thread; /* of the first call */
	bool has_thread;
	bool has_waited; /* and not all that has ended was taken since */
	struct checked_attempt under_way[MAX_SLOTS];
	size_t count;
	size_t ended; /* handed out */

	pthread_mutex_t mutex; /* over is_woken */
	pthread_cond_t woken;
	bool is_woken;
};

static struct checker *
enter(struct herald_transport *base)
{
	struct checker *checker = (struct checker *)base;

	CHECK(atomic_load(&checker->is_open));
	if (!checker->has_thread) {
		checker->has_thread = true;
		checker->thread = pthread_self();
	}
	CHECK(pthread_equal(checker->thread, pthread_self()));
	return checker;
}

static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t
hash_attempt(const struct herald_attempt *attempt)
{
	uint64_t hash = hash_bytes(0, attempt->url, strlen(attempt->url));

	hash = hash_bytes(hash, attempt->origin, strlen(attempt->origin));
	hash = hash_bytes(hash, attempt->own_headers, strlen(attempt->own_headers));
	for (size_t i = 0; i < attempt->headers_count; i++)
		hash = hash_bytes(hash, attempt->headers[i], strlen(attempt->headers[i]));
	return hash_bytes(hash, attempt->body, attempt->body_bytes);
}

static enum herald_status
checker_open(struct herald_transport *base, const struct herald_transport_settings *settings,
	     struct herald_error *error)
{
	struct checker *checker = (struct checker *)base;

	CHECK(!atomic_exchange(&checker->is_open, true));
	checker->settings = *settings;
	if (draw_one_in(&checker->random, 20))
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "drawn");
	return HERALD_OK;
}

static void
check_limits(const struct checker *checker, const struct herald_attempt *attempt)
{
	size_t to_origin = 0;

	CHECK(checker->count < checker->settings.max_attempts);
	for (size_t i = 0; i < checker->count; i++) {
		CHECK(checker->under_way[i].attempt != attempt);
		to_origin += strcmp(checker->under_way[i].attempt->origin, attempt->origin) == 0;
	}
	CHECK(to_origin < checker->settings.max_attempts_per_origin);
	CHECK(strncmp(attempt->url, attempt->origin, strlen(attempt->origin)) == 0);
	CHECK((attempt->method == HERALD_DELIVERY_POST) == (attempt->content_type != NULL));
}

static enum herald_status
checker_begin(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct checker *checker = enter(base);
	uint64_t delay_ms = draw_one_in(&checker->random, 4) ? 0 : draw_below(&checker->random, 80);

	CHECK(!checker->has_waited);
	check_limits(checker, attempt);
	if (draw_one_in(&checker->random, 30))
		return HERALD_NO_MEMORY;
	checker->under_way[checker->count++] = (struct checked_attempt){
		.attempt = attempt,
		.hash = hash_attempt(attempt),
		.due_ms = draw_one_in(&checker->random, 10) ? UINT64_MAX
							    : fast_now_ms(NULL) + delay_ms,
	};
	return HERALD_OK;
}

static void
end_attempt(struct checker *checker, size_t place)
{
	CHECK(hash_attempt(checker->under_way[place].attempt) == checker->under_way[place].hash);
	checker->under_way[place] = checker->under_way[--checker->count];
}

static void
checker_cancel(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct checker *checker = enter(base);
	size_t place = 0;

	CHECK(!checker->has_waited);
	while (place < checker->count && checker->under_way[place].attempt != attempt)
		place++;
	CHECK(place < checker->count);
	end_attempt(checker, place);
}

static uint64_t
first_due_ms(const struct checker *checker)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < checker->count; i++)
		if (checker->under_way[i].due_ms < due_ms)
			due_ms = checker->under_way[i].due_ms;
	return due_ms;
}

static void
checker_wait(struct herald_transport *base, int64_t timeout_ms)
{
	struct checker *checker = enter(base);
	uint64_t now = fast_now_ms(NULL), until = first_due_ms(checker);
	int failure = 0;

	CHECK(timeout_ms >= -1);
	checker->has_waited = true;
	if (timeout_ms >= 0 && now + (uint64_t)timeout_ms < until)
		until = now + (uint64_t)timeout_ms;
	/* If the deliverer waits without a limit, 10 s without a wake mean that it missed one. */
	uint64_t until_us = until == UINT64_MAX ? real_us() + 10000000 : until * 1000 / SPEED;
	const struct timespec end = {(time_t)(until_us / 1000000),
				     (long)(until_us % 1000000) * 1000};
	pthread_mutex_lock(&checker->mutex);
	while (!checker->is_woken && failure != ETIMEDOUT && fast_now_ms(NULL) < until)
		failure = pthread_cond_timedwait(&checker->woken, &checker->mutex, &end);
	CHECK(until != UINT64_MAX || failure != ETIMEDOUT);
	checker->is_woken = false;
	pthread_mutex_unlock(&checker->mutex);
}

static void
draw_result(uint64_t *random, struct herald_attempt_result *out)
{
	static const unsigned statuses[] = {200, 204, 301, 404, 408, 429, 500, 503};
	static const char *const retry_after[] = {"", "0", "1", "3600", "99999999999", "soon"};

	if (draw_one_in(random, 4)) {
		herald_attempt_result_fail(out, draw_one_in(random, 2), "drawn\nat random %u",
					   (unsigned)draw_below(random, 100));
		return;
	}
	*out = (struct herald_attempt_result){
		.http_status = statuses[draw_below(random, HERALD_COUNT(statuses))],
	};
	snprintf(out->retry_after, sizeof(out->retry_after), "%s",
		 retry_after[draw_below(random, HERALD_COUNT(retry_after))]);
}

static struct herald_attempt *
checker_next_finished(struct herald_transport *base, struct herald_attempt_result *out)
{
	struct checker *checker = enter(base);
	uint64_t now = fast_now_ms(NULL);

	for (size_t i = 0; i < checker->count; i++) {
		struct herald_attempt *attempt = checker->under_way[i].attempt;

		if (checker->under_way[i].due_ms > now)
			continue;
		draw_result(&checker->random, out);
		end_attempt(checker, i);
		checker->ended++;
		return attempt;
	}
	checker->has_waited = false;
	return NULL;
}

static void
checker_wake(struct herald_transport *base)
{
	struct checker *checker = (struct checker *)base;

	CHECK(atomic_load(&checker->is_open));
	pthread_mutex_lock(&checker->mutex);
	checker->is_woken = true;
	pthread_cond_signal(&checker->woken);
	pthread_mutex_unlock(&checker->mutex);
}

static void
checker_destroy(struct herald_transport *base)
{
	struct checker *checker = (struct checker *)base;

	CHECK(checker->count == 0);
	pthread_cond_destroy(&checker->woken);
	pthread_mutex_destroy(&checker->mutex);
	free(checker); /* A sanitizer sees who uses it later. */
}

static const struct herald_transport_ops checker_ops = {
	.name = "checker",
	.open = checker_open,
	.begin = checker_begin,
	.cancel = checker_cancel,
	.wait = checker_wait,
	.next_finished = checker_next_finished,
	.wake = checker_wake,
	.destroy = checker_destroy,
};

static struct herald_transport *
checker_create(uint64_t random)
{
	struct checker *checker = calloc(1, sizeof(*checker));
	pthread_condattr_t monotonic;

	CHECK(checker != NULL);
	checker->base.ops = &checker_ops;
	checker->random = random;
	pthread_mutex_init(&checker->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&checker->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return &checker->base;
}

/* Memory that runs out at random, on any thread. */

struct memory {
	atomic_uint calls;
	atomic_size_t blocks;
	unsigned fails_every; /* 0: never */
};

static bool
fails(struct memory *memory)
{
	return memory->fails_every &&
	       atomic_fetch_add(&memory->calls, 1) % memory->fails_every == memory->fails_every - 1;
}

static void *
memory_allocate(size_t bytes, void *state)
{
	struct memory *memory = state;

	if (fails(memory))
		return NULL;
	atomic_fetch_add(&memory->blocks, 1);
	return malloc(bytes);
}

static void *
memory_reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	(void)old_bytes;
	return fails(state) ? NULL : realloc(block, bytes);
}

static void
memory_release(void *block, size_t bytes, void *state)
{
	struct memory *memory = state;

	(void)bytes;
	atomic_fetch_sub(&memory->blocks, 1);
	free(block);
}

/* One deliverer's life. */

struct life {
	struct herald_deliverer *deliverer;
	struct stored_queue_store *store; /* NULL: deliveries are kept in memory */
	struct memory memory;
	uint64_t random;       /* of the test's thread */
	uint64_t hooks_random; /* of the deliverer's */
	unsigned attempts;
	atomic_uint numbers; /* given to deliveries, as their ids */
	/* By number. */
	atomic_uint accepted[MAX_DELIVERIES], outcomes[MAX_DELIVERIES];
	unsigned attempts_seen[MAX_DELIVERIES];
	atomic_bool is_stopped;
};

struct submitter {
	struct life *life;
	uint64_t random;
	pthread_t thread;
};

static const char body[] = "0123456789abcdef0123456789abcdef";
static const char *const headers[] = {"X-One: 1", "X-Two: 2"};

/* `text` and `url` are borrowed from the caller. */
static struct herald_delivery
draw_delivery(uint64_t *random, unsigned number, char text[32], char url[64])
{
	struct herald_delivery delivery = {.id = text, .url = url, .event_type = "t"};

	snprintf(text, 32, "%u", number);
	snprintf(url, 64, "http://host%u.example:81/%u", (unsigned)draw_below(random, 5), number);
	if (draw_one_in(random, 2)) {
		delivery.body = body;
		delivery.body_bytes = 1 + draw_below(random, sizeof(body) - 1);
		delivery.content_type = "text/plain";
	}
	if (draw_one_in(random, 3)) {
		delivery.headers = headers;
		delivery.headers_count = 1 + draw_below(random, 2);
	}
	return delivery;
}

static bool
is_refusal(enum herald_status status)
{
	return status == HERALD_LIMIT || status == HERALD_NO_MEMORY || status == HERALD_BAD_LENGTH;
}

static void
note_submission(struct life *life, unsigned number, enum herald_status status)
{
	CHECK(status == HERALD_OK || is_refusal(status));
	if (status == HERALD_OK)
		atomic_fetch_add(&life->accepted[number], 1);
}

/* Returns UINT32_MAX if there were enough. */
static unsigned
next_number(struct life *life)
{
	unsigned number = atomic_fetch_add(&life->numbers, 1);

	return number < MAX_DELIVERIES ? number : UINT32_MAX;
}

static void
submit_one(struct life *life, uint64_t *random)
{
	char text[32], url[64];
	unsigned number = next_number(life);
	struct herald_reservation *reservation;

	if (number == UINT32_MAX)
		return;
	const struct herald_delivery delivery = draw_delivery(random, number, text, url);
	if (draw_one_in(random, 2)) {
		note_submission(life, number,
				herald_deliverer_submit(life->deliverer, &delivery, NULL));
		return;
	}
	enum herald_status status = herald_deliverer_reserve(
		life->deliverer, 60, draw_below(random, 200), &reservation, NULL);
	if (status != HERALD_OK) {
		CHECK(is_refusal(status));
		return;
	}
	for (unsigned i = (unsigned)draw_below(random, 4); i > 0; i--)
		sched_yield();
	if (draw_one_in(random, 3))
		herald_reservation_release(reservation);
	else
		note_submission(life, number,
				herald_reservation_submit(reservation, &delivery, NULL));
}

static void
check_counts(struct herald_deliverer *deliverer)
{
	struct herald_delivery_statistics counts;

	herald_deliverer_statistics(deliverer, &counts);
	CHECK(counts.accepted + counts.resumed ==
	      counts.delivered + counts.failed + counts.left + counts.stored + counts.pending);
	CHECK(counts.in_flight <= MAX_SLOTS);
	CHECK(counts.retries <= counts.attempts);
}

static void *
submitter_run(void *state)
{
	struct submitter *submitter = state;
	struct life *life = submitter->life;
	const struct timespec moment = {.tv_nsec = 20000};

	/* A few more after the stop. */
	for (unsigned rest = 20; rest > 0; rest -= atomic_load(&life->is_stopped)) {
		if (draw_one_in(&submitter->random, 4))
			check_counts(life->deliverer);
		else
			submit_one(life, &submitter->random);
		/* Now and then, so that not all find the queue full. */
		if (draw_one_in(&submitter->random, 4))
			nanosleep(&moment, NULL);
	}
	return NULL;
}

static void
on_attempt(const struct herald_delivery_report *report, void *state)
{
	struct life *life = state;
	unsigned number = (unsigned)strtoul(report->delivery->id, NULL, 10);

	CHECK(number < MAX_DELIVERIES);
	CHECK(report->attempt == ++life->attempts_seen[number]);
	CHECK(report->attempt <= life->attempts);
	CHECK(atomic_load(&life->outcomes[number]) == 0);
	CHECK((report->outcome == HERALD_DELIVERY_AGAIN) || report->retry_in_ms == 0);
	CHECK((report->outcome == HERALD_DELIVERY_DELIVERED) == (report->error[0] == '\0'));
	CHECK(!strchr(report->error, '\n'));
	CHECK(report->elapsed_ms < 3600000);
}

static void
on_outcome(const struct herald_delivery_report *report, void *state)
{
	struct life *life = state;
	unsigned number = (unsigned)strtoul(report->delivery->id, NULL, 10);

	CHECK(number < MAX_DELIVERIES);
	CHECK(atomic_fetch_add(&life->outcomes[number], 1) == 0);
	CHECK(report->outcome != HERALD_DELIVERY_AGAIN);
	CHECK(report->attempt == life->attempts_seen[number] ||
	      report->outcome == HERALD_DELIVERY_LEFT);
	CHECK(report->elapsed_ms < 3600000 + (life->store ? WALL_CLOCK_JUMPS_MS : 0));
	if (draw_one_in(&life->hooks_random, 8))
		submit_one(life, &life->hooks_random);
}

static struct herald_deliverer_options
draw_options(struct life *life)
{
	uint64_t *random = &life->random;
	struct herald_deliverer_options options =
		HERALD_DELIVERER_OPTIONS(.transport = checker_create(draw_below(random, 1u << 30)),
					 .attempts = 1 + (unsigned)draw_below(random, 4),
					 .slots = 1 + (unsigned)draw_below(random, MAX_SLOTS),
					 .first_delay_ms = 1 + (uint32_t)draw_below(random, 100),
					 .max_delay_ms = 200,
					 .max_retry_after_ms =
						 1 + (uint32_t)draw_below(random, 300),
					 .attempt_timeout_ms =
						 1 + (uint32_t)draw_below(random, 100),
					 .deadline_ms = 1 + (uint32_t)draw_below(random, 2000),
					 .max_pending = 1 + draw_below(random, 64),
					 .max_pending_bytes = draw_one_in(random, 3) ? 1000 : 0,
					 .method = draw_one_in(random, 2) ? HERALD_DELIVERY_GET
									  : HERALD_DELIVERY_POST,
					 .backoff = (enum herald_backoff)draw_below(random, 3),
					 .on_attempt = on_attempt, .on_outcome = on_outcome,
					 .state = life);

	if (draw_one_in(random, 2)) {
		life->store = stored_queue_store_create();
		options.queue = stored_queue_create(life->store);
		options.max_claimed = 1 + draw_below(random, 2 * MAX_SLOTS);
	}
	options.slots_per_host = 1 + (unsigned)draw_below(random, options.slots);
	options.allocator = (struct herald_allocator){memory_allocate, memory_reallocate,
						      memory_release, &life->memory};
	life->attempts = options.attempts;
	return options;
}

static void
check_end(struct life *life, size_t left)
{
	struct herald_delivery_statistics counts;
	size_t accepted = 0, outcomes = 0;

	herald_deliverer_statistics(life->deliverer, &counts);
	for (size_t i = 0; i < MAX_DELIVERIES; i++) {
		CHECK(life->accepted[i] == life->outcomes[i] ||
		      (life->store && life->outcomes[i] == 0));
		accepted += life->accepted[i];
		outcomes += life->outcomes[i];
	}
	CHECK(counts.accepted == accepted && counts.left == left);
	/* Those without an outcome are in the store. */
	CHECK(accepted - outcomes == (life->store ? stored_queue_count(life->store) : 0));
	CHECK(counts.pending == 0 && counts.reserved == 0 && counts.in_flight == 0);
	CHECK(counts.content_bytes == 0);
}

static void
live(struct life *life)
{
	struct submitter submitters[SUBMITTERS];
	const struct timespec moment = {.tv_nsec = (long)draw_below(&life->random, 15000000)};
	static const uint32_t drains_ms[] = {0, 1, 100, 1000, 60000};
	uint32_t drain_ms = drains_ms[draw_below(&life->random, HERALD_COUNT(drains_ms))];
	const struct herald_deliverer_options options = draw_options(life);

	life->memory.fails_every =
		draw_one_in(&life->random, 2) ? 0 : 7 + (unsigned)draw_below(&life->random, 200);
	enum herald_status status =
		herald__deliverer_create(&options, &fast_clock, &life->deliverer, NULL);
	if (status != HERALD_OK) {
		CHECK(status == HERALD_NO_MEMORY || status == HERALD_SYSTEM);
		CHECK(atomic_load(&life->memory.blocks) == 0);
		return;
	}
	for (size_t i = 0; i < SUBMITTERS; i++) {
		submitters[i] = (struct submitter){.life = life,
						   .random = draw_below(&life->random, 1u << 30)};
		CHECK(pthread_create(&submitters[i].thread, NULL, submitter_run, &submitters[i]) ==
		      0);
	}
	nanosleep(&moment, NULL);
	size_t left = herald_deliverer_stop(life->deliverer, drain_ms);
	atomic_store(&life->is_stopped, true);
	for (size_t i = 0; i < SUBMITTERS; i++)
		pthread_join(submitters[i].thread, NULL);
	check_end(life, left);
	herald_deliverer_destroy(life->deliverer);
	CHECK(atomic_load(&life->memory.blocks) == 0);
}

static void
test_schedules_at_random(void **state)
{
	uint64_t seed = draw_seed(), random = seed, until_us = real_us() + draw_time_ms() * 1000;
	size_t lives = 0, stored = 0, accepted = 0;

	(void)state;
	printf("# engine: HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	do {
		struct life *life = calloc(1, sizeof(*life));

		CHECK(life != NULL);
		life->random = draw_below(&random, 1u << 30);
		life->hooks_random = draw_below(&random, 1u << 30);
		live(life);
		stored += life->store != NULL;
		if (life->store)
			stored_queue_store_destroy(life->store);
		for (size_t i = 0; i < MAX_DELIVERIES; i++)
			accepted += life->accepted[i];
		free(life);
		lives++;
	} while (real_us() < until_us);
	printf("# %zu deliverers, %zu of them with a store, %zu deliveries\n", lives, stored,
	       accepted);
	assert_true(accepted > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_schedules_at_random)};

	return cmocka_run_group_tests_name("engine_random", tests, NULL, NULL);
}
