/*
 * A queue in deliverers that deliver, stop, die and start again, without a network and with a clock
 * that the test moves. A life is one process.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "support/delivering.h"
#include "support/fake_transport.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define HOUR_MS ((int64_t)3600000)

struct life {
	const struct contract_queue *kind;
	void *store;
	struct test_clock clock;
	struct fake_transport transport;
	const struct fake_step *steps; /* of the transport; NULL: as the paths of the URLs say */
	size_t steps_count;
	struct recorder recorder;
	struct herald_delivery_queue *queue; /* the deliverer's */
	struct herald_deliverer *deliverer;
};

static struct life *
life_create(const struct contract_queue *kind)
{
	struct life *life = calloc(1, sizeof(*life));

	assert_non_null(life);
	life->kind = kind;
	test_clock_init(&life->clock);
	if (kind->store_create)
		life->store = kind->store_create();
	return life;
}

static void
life_destroy(struct life *life)
{
	if (life->store)
		life->kind->store_destroy(life->store);
	free(life);
}

static void
begin(struct life *life, struct herald_deliverer_options options)
{
	struct herald_error error;

	fake_transport_init(&life->transport, life->steps, life->steps_count);
	recorder_init(&life->recorder);
	options.struct_size = sizeof(options);
	options.transport = &life->transport.base;
	life->queue = life->kind->create(life->store);
	options.queue = life->queue;
	options.backoff = HERALD_BACKOFF_NO_JITTER;
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &life->recorder;
	if (herald__deliverer_create(&options, &life->clock.clock, &life->deliverer, &error) !=
	    HERALD_OK)
		fail_msg("%s", error.message);
}

#define BEGIN(LIFE, ...) begin(LIFE, HERALD_DELIVERER_OPTIONS(__VA_ARGS__))

/* Returns what was left. What was recorded stays until the next life. */
static size_t
stop(struct life *life)
{
	size_t left = herald_deliverer_stop(life->deliverer, 0);

	assert_all_settled(life->deliverer);
	herald_deliverer_destroy(life->deliverer);
	recorder_finish(&life->recorder);
	return left;
}

/* As if the process had died; what the deliverer does after that does not reach the store. */
static void
die(struct life *life)
{
	life->kind->cut_off(life->queue);
	stop(life);
}

static void
submit_id(struct life *life, const char *url, const char *id)
{
	struct herald_error error;

	if (herald_deliverer_submit(life->deliverer,
				    &(struct herald_delivery){.url = url, .id = id},
				    &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static void
submit(struct life *life, const char *url)
{
	submit_id(life, url, NULL);
}

static struct herald_delivery_statistics
statistics(const struct life *life)
{
	struct herald_delivery_statistics counts;

	herald_deliverer_statistics(life->deliverer, &counts);
	assert_int_equal(counts.accepted + counts.resumed, counts.delivered + counts.failed +
								   counts.left + counts.stored +
								   counts.pending);
	return counts;
}

static void
wait_in_flight(const struct life *life, size_t count)
{
	while (statistics(life).in_flight < count)
		sched_yield();
}

static void
pass(struct life *life, uint64_t ms)
{
	atomic_fetch_add(&life->clock.now_ms, ms);
}

static void
freeze(struct life *life, bool is_frozen)
{
	atomic_store(&life->clock.is_frozen, is_frozen);
}

static const struct recorded_report *
outcome(const struct life *life)
{
	return &life->recorder.outcome_reports[0];
}

static void
test_outcomes(const struct contract_queue *kind)
{
	static const struct {
		const char *url;
		enum herald_delivery_outcome outcome;
		enum herald_delivery_failure failure;
		unsigned attempts, http_status;
		uint64_t elapsed_ms;
	} rows[] = {
		{"http://a.example/200", HERALD_DELIVERY_DELIVERED, HERALD_DELIVERY_NOT_FAILED, 1,
		 200, 0},
		{"http://a.example/404", HERALD_DELIVERY_FAILED, HERALD_DELIVERY_REFUSED, 1, 404,
		 0},
		{"http://a.example/503", HERALD_DELIVERY_FAILED, HERALD_DELIVERY_EXHAUSTED, 3, 503,
		 6000},
		{"http://a.example/close", HERALD_DELIVERY_FAILED, HERALD_DELIVERY_EXHAUSTED, 3, 0,
		 6000},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct life *life = life_create(kind);

		BEGIN(life, .attempts = 3);
		submit(life, rows[i].url);
		recorder_wait(&life->recorder, 1);
		assert_int_equal(outcome(life)->outcome, rows[i].outcome);
		assert_int_equal(outcome(life)->failure, rows[i].failure);
		assert_int_equal(outcome(life)->attempt, rows[i].attempts);
		assert_int_equal(outcome(life)->http_status, rows[i].http_status);
		assert_int_equal(outcome(life)->elapsed_ms, rows[i].elapsed_ms);
		assert_int_equal(life->recorder.attempts, rows[i].attempts);
		/* The second and third open a connection if there was no answer. */
		assert_int_equal(life->transport.opens_connection[rows[i].attempts - 1],
				 rows[i].http_status == 0);
		assert_int_equal(stop(life), 0);
		life_destroy(life);
	}
}

/* Until one attempt has ended and the other one is under way. */
static void
wait_one_of_two(const struct life *life)
{
	struct herald_delivery_statistics counts;

	do {
		sched_yield();
		counts = statistics(life);
	} while (counts.attempts < 2 || counts.in_flight != 1);
}

static bool
has_timed_out(const struct life *life, size_t attempts)
{
	for (size_t i = 0; i < attempts; i++)
		if (strcmp(life->recorder.attempt_reports[i].error,
			   "no complete answer within 10000 ms") == 0)
			return true;
	return false;
}

/* The wall clock is set during a delay of 60 s and an attempt: neither a stall nor a burst. */
static void
test_clock_that_is_set(const struct contract_queue *kind)
{
	static const int64_t jumps_ms[] = {
		HOUR_MS, -HOUR_MS, 24 * 365 * HOUR_MS, -24 * 365 * HOUR_MS, 1000, -1000};

	for (size_t i = 0; i < COUNT(jumps_ms); i++) {
		struct life *life = life_create(kind);
		bool is_early = kind->store_create && llabs(jumps_ms[i]) >= HOUR_MS;

		freeze(life, true);
		BEGIN(life, .first_delay_ms = 60000, .attempts = 2);
		submit(life, "http://a.example/503");
		submit(life, "http://b.example/silent");
		wait_one_of_two(life);
		atomic_store(&life->clock.jump_ms, jumps_ms[i]);
		herald__engine_wake(life->deliverer);
		recorder_wait_attempts(&life->recorder, is_early ? 2 : 1);

		/* The attempt under way has its own time, whatever the wall clock says. */
		test_clock_advance(&life->clock, life->deliverer, 9999);
		assert_false(has_timed_out(life, is_early ? 2 : 1));
		test_clock_advance(&life->clock, life->deliverer, 1);
		recorder_wait_attempts(&life->recorder, is_early ? 3 : 2);
		assert_true(has_timed_out(life, is_early ? 3 : 2));

		/* In memory the delay is as it was; a store waits for no more than the longest. */
		freeze(life, false);
		herald__engine_wake(life->deliverer);
		recorder_wait(&life->recorder, 1);
		assert_int_equal(outcome(life)->attempt, 2);
		assert_int_equal(outcome(life)->http_status, 503);
		assert_true(atomic_load(&life->clock.now_ms) <= 10000 + 120000);
		if (!kind->store_create)
			assert_int_equal(outcome(life)->elapsed_ms, 60000);
		stop(life);
		life_destroy(life);
	}
}

/* All of them are there at the end of each life, however it ends. */
static void
test_nothing_is_lost(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);
	struct herald_delivery_statistics counts;
	char url[64];

	BEGIN(life, .slots = 4, .max_claimed = 8);
	for (size_t i = 0; i < 20; i++) {
		snprintf(url, sizeof(url), "http://h%zu.example/silent", i);
		submit(life, url);
	}
	wait_in_flight(life, 4);
	counts = statistics(life);
	assert_int_equal(counts.accepted, 20);
	if (!kind->store_create) {
		assert_int_equal(stop(life), 20);
		life_destroy(life);
		return;
	}
	assert_true(counts.pending >= 4 && counts.pending <= 8); /* max_claimed */
	assert_int_equal(stop(life), 0);
	assert_int_equal(life->recorder.outcomes, 0);

	BEGIN(life, .slots = 4, .max_claimed = 8);
	wait_in_flight(life, 4);
	die(life);
	assert_int_equal(life->recorder.outcomes, 0);

	BEGIN(life, .slots = 20, .max_claimed = 1000);
	while (statistics(life).pending < 20)
		sched_yield();
	assert_int_equal(stop(life), 0);
	life_destroy(life);
}

/* The delivery waits for its second attempt when the process dies or stops. */
static void
second_life(const struct contract_queue *kind, bool dies, uint64_t downtime_ms, const char *path,
	    struct herald_deliverer_options options, struct recorded_report *out)
{
	struct life *life = life_create(kind);
	char url[64];

	snprintf(url, sizeof(url), "http://a.example%s", path);
	freeze(life, true);
	begin(life, options);
	submit_id(life, url, "the-id");
	while (statistics(life).stored < 2) /* by push, and after the first attempt */
		sched_yield();
	pass(life, 1000);
	if (dies)
		die(life);
	else
		assert_int_equal(stop(life), 0);
	assert_int_equal(life->recorder.outcomes, 0);

	pass(life, downtime_ms);
	freeze(life, false);
	begin(life, options);
	recorder_wait(&life->recorder, 1);
	*out = *outcome(life);
	assert_string_equal(out->id, "the-id");
	assert_string_equal(out->url, url);
	assert_int_equal(statistics(life).accepted, 0);
	assert_true(statistics(life).resumed >= 1);
	assert_int_equal(stop(life), 0);
	assert_int_equal(life->recorder.outcomes, 1);
	life_destroy(life);
}

/* Attempts are counted on, and the deadline counts from the submission. */
static void
test_restart(const struct contract_queue *kind)
{
	static const struct {
		uint64_t downtime_ms;
		unsigned max_attempts;
		unsigned attempts;
		uint64_t elapsed_ms;
		enum herald_delivery_failure failure;
	} rows[] = {
		/* At 2 s, 6 s and 14 s. */
		{0, 4, 4, 14000, HERALD_DELIVERY_EXHAUSTED},
		{0, 3, 3, 6000, HERALD_DELIVERY_EXHAUSTED},
		{0, 2, 2, 2000, HERALD_DELIVERY_EXHAUSTED},
		{500, 2, 2, 2000, HERALD_DELIVERY_EXHAUSTED},
		/* Late: at 11 s, then at 15 s. */
		{10000, 3, 3, 15000, HERALD_DELIVERY_EXHAUSTED},
		/* Near the deadline, 30 s: at 27 s; the next one would be at 31 s. */
		{26000, 9, 2, 27000, HERALD_DELIVERY_EXPIRED},
		/* One more attempt after it, and no retry. */
		{29000, 9, 2, 30000, HERALD_DELIVERY_EXPIRED},
		{100000, 9, 2, 101000, HERALD_DELIVERY_EXPIRED},
		{(uint64_t)HOUR_MS * 24 * 365, 9, 2, (uint64_t)HOUR_MS * 24 * 365 + 1000,
		 HERALD_DELIVERY_EXPIRED},
	};

	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		const size_t row = i / 2;
		struct recorded_report report;

		second_life(kind, i % 2, rows[row].downtime_ms, "/503",
			    HERALD_DELIVERER_OPTIONS(.attempts = rows[row].max_attempts,
						     .deadline_ms = 30000),
			    &report);
		if (report.attempt != rows[row].attempts || report.http_status != 503 ||
		    report.outcome != HERALD_DELIVERY_FAILED ||
		    report.failure != rows[row].failure ||
		    report.elapsed_ms != rows[row].elapsed_ms)
			fail_msg("row %zu: attempt %u, status %u, %llu ms", row, report.attempt,
				 report.http_status, (unsigned long long)report.elapsed_ms);
	}
}

/* The attempt after a late restart has all its time. */
static void
test_late_attempt_has_its_time(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);

	freeze(life, true);
	BEGIN(life, .deadline_ms = 30000);
	submit(life, "http://a.example/silent");
	wait_in_flight(life, 1);
	stop(life);
	pass(life, 100000);
	BEGIN(life, .deadline_ms = 30000);
	wait_in_flight(life, 1);
	test_clock_advance(&life->clock, life->deliverer, 9999);
	assert_int_equal(statistics(life).in_flight, 1);
	test_clock_advance(&life->clock, life->deliverer, 1);
	recorder_wait(&life->recorder, 1);
	assert_string_equal(outcome(life)->error, "no complete answer within 10000 ms");
	assert_int_equal(outcome(life)->attempt, 2);
	assert_int_equal(outcome(life)->elapsed_ms, 110000);
	stop(life);
	life_destroy(life);
}

/*
 * The attempt after a late restart is cut off by a stop. Its time limit is not time for retries, so
 * after the next restart there is one more attempt, even if it begins before that limit.
 */
static void
test_late_attempt_that_is_cut_off(const struct contract_queue *kind)
{
	static const struct fake_step steps[] = {{.result = {.http_status = 503}},
						 {.result = {.http_status = 503}},
						 {.is_silent = true}};
	struct life *life = life_create(kind);

	freeze(life, true);
	BEGIN(life, .deadline_ms = 30000);
	submit(life, "http://a.example/silent");
	wait_in_flight(life, 1);
	stop(life);
	pass(life, 100000);
	BEGIN(life, .deadline_ms = 30000, .attempt_timeout_ms = 10000);
	wait_in_flight(life, 1);
	pass(life, 3000);
	stop(life);

	freeze(life, false);
	life->steps = steps;
	life->steps_count = COUNT(steps);
	BEGIN(life, .deadline_ms = 30000, .attempts = 9, .first_delay_ms = 1000);
	recorder_wait(&life->recorder, 1);
	assert_int_equal(outcome(life)->outcome, HERALD_DELIVERY_FAILED);
	assert_int_equal(outcome(life)->http_status, 503);
	assert_int_equal(outcome(life)->attempt, 3);
	assert_int_equal(outcome(life)->elapsed_ms, 103000);
	stop(life);
	life_destroy(life);
}

/* A process that dies in each attempt makes no more than are allowed. */
static void
test_process_that_dies_in_attempts(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);

	for (size_t i = 0; i < 3; i++) {
		BEGIN(life, .attempts = 3);
		if (i == 0)
			submit(life, "http://a.example/silent");
		wait_in_flight(life, 1);
		assert_int_equal(life->transport.begins, 1);
		die(life);
		assert_int_equal(life->recorder.outcomes, 0);
	}
	BEGIN(life, .attempts = 3);
	recorder_wait(&life->recorder, 1);
	assert_int_equal(outcome(life)->outcome, HERALD_DELIVERY_FAILED);
	assert_int_equal(outcome(life)->attempt, 3);
	assert_string_equal(outcome(life)->error, "no attempt is left; the last one was cut off");
	assert_int_equal(outcome(life)->failure, HERALD_DELIVERY_EXHAUSTED);
	assert_int_equal(life->transport.begins, 0);
	stop(life);
	BEGIN(life, .attempts = 3);
	assert_int_equal(statistics(life).resumed, 0);
	stop(life);
	life_destroy(life);
}

/* The wall clock is set while no process runs. */
static void
test_clock_that_is_set_between(const struct contract_queue *kind)
{
	static const int64_t jumps_ms[] = {HOUR_MS, -HOUR_MS, 24 * 365 * HOUR_MS,
					   -24 * 365 * HOUR_MS};

	for (size_t i = 0; i < COUNT(jumps_ms); i++) {
		struct life *life = life_create(kind);

		freeze(life, true);
		BEGIN(life, .deadline_ms = 30000);
		submit(life, "http://a.example/503");
		while (statistics(life).stored < 2)
			sched_yield();
		stop(life);
		atomic_store(&life->clock.jump_ms, jumps_ms[i]);
		freeze(life, false);
		BEGIN(life, .deadline_ms = 30000, .attempts = 1000, .first_delay_ms = 10000,
		      .max_delay_ms = 10000);
		recorder_wait(&life->recorder, 1);
		/* Forward: late, so once. Back: due at once, with no more time than at first. */
		assert_int_equal(outcome(life)->http_status, 503);
		assert_int_equal(outcome(life)->attempt, jumps_ms[i] > 0 ? 2 : 4);
		assert_true(atomic_load(&life->clock.now_ms) <= 30000);
		stop(life);
		life_destroy(life);
	}
}

/* The options of today decide, not those with which it was accepted. */
static void
test_policy_of_today(const struct contract_queue *kind)
{
	static const char *const denied[] = {"192.0.2.0/24"};
	static const struct herald_port_range ports[] = {{443, 443}};
	static const char *const headers[] = {"X-Long: 0123456789"};
	static const struct {
		struct herald_delivery delivery;
		struct herald_deliverer_options options;
		const char *error;
	} rows[] = {
		{{.url = "http://127.0.0.1/200"},
		 {.addresses = HERALD_ADDRESSES_PUBLIC},
		 "it is not allowed any more: the address 127.0.0.1 is not allowed"},
		{{.url = "http://192.0.2.1/200"},
		 {.addresses = HERALD_ADDRESSES_ANY, HERALD_DENIED_NETWORKS(denied)},
		 "it is not allowed any more: the address 192.0.2.1 is not allowed"},
		{{.url = "http://a.example/200"},
		 {HERALD_PORTS(ports)},
		 "it is not allowed any more: port 80 is not allowed"},
		{{.url = "http://a.example/200?long"},
		 {.max_url_bytes = 20},
		 "it is not allowed any more: expected a URL of at most 20 bytes"},
		{{.url = "http://u:p@a.example/200"},
		 {.allow_credentials = false},
		 "it is not allowed any more: expected a URL without user name and password"},
		{{.url = "http://a.example/200", HERALD_BODY("body", 4)},
		 {.max_body_bytes = 3},
		 "it is not allowed any more: body: has 4 bytes, more than 3"},
		{{.url = "http://a.example/200", HERALD_HEADERS(headers)},
		 {.max_headers_bytes = 10},
		 "it is not allowed any more: headers: have 18 bytes"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct life *life = life_create(kind);
		struct herald_delivery delivery = rows[i].delivery;

		delivery.id = "the-id";
		BEGIN(life, .addresses = HERALD_ADDRESSES_ANY, .allow_credentials = true,
		      .slots = 1);
		submit(life, "https://b/silent"); /* allowed by all */
		wait_in_flight(life, 1);
		assert_int_equal(herald_deliverer_submit(life->deliverer, &delivery, NULL),
				 HERALD_OK);
		stop(life);
		begin(life, rows[i].options);
		recorder_wait(&life->recorder, 1);
		if (strncmp(outcome(life)->error, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("row %zu: \"%s\"", i, outcome(life)->error);
		assert_int_equal(outcome(life)->outcome, HERALD_DELIVERY_FAILED);
		assert_int_equal(outcome(life)->failure, HERALD_DELIVERY_REFUSED);
		assert_int_equal(outcome(life)->attempt, 0);
		assert_string_equal(outcome(life)->id, "the-id");
		assert_string_equal(outcome(life)->url, rows[i].delivery.url);
		wait_in_flight(life, 1);
		assert_int_equal(life->transport.begins, 1); /* the silent one */
		stop(life);
		life_destroy(life);
	}
}

/* A backlog takes no places of what is new, and no more memory than it may. */
static void
test_backlog(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);
	char body[3000] = "";

	BEGIN(life, .slots = 2, .max_pending = 2, .max_claimed = 5, .max_pending_bytes = 4000);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(herald_deliverer_submit(
					 life->deliverer,
					 &(struct herald_delivery){
						 .url = "http://a.example/silent",
						 HERALD_BODY(body, i < 50 ? sizeof(body) : 1)},
					 NULL),
				 HERALD_OK);
		assert_true(statistics(life).pending <= 5);
		assert_true(statistics(life).content_bytes <= 4000 + 2 * 3100);
		while (i == 10 && statistics(life).pending < 2)
			sched_yield();
	}
	assert_int_equal(statistics(life).accepted, 100);
	assert_int_equal(stop(life), 0);

	/* All of them are there. */
	BEGIN(life, .slots = 2, .max_claimed = 1000);
	while (statistics(life).pending < 100)
		sched_yield();
	stop(life);
	life_destroy(life);
}

/* A stop ends what has been claimed, and leaves the others where they are. */
static void
test_stop_claims_no_more(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);

	BEGIN(life, .slots = 1, .max_claimed = 1);
	for (size_t i = 0; i < 100; i++)
		submit(life, "http://a.example/slow");
	wait_in_flight(life, 1);
	assert_int_equal(herald_deliverer_stop(life->deliverer, 60000), 0);
	assert_true(life->recorder.delivered > 0);
	assert_true(life->recorder.delivered < 50);
	stop(life);
	life_destroy(life);
}

/* How far ahead the engine was about to wait with nothing under way. */
static _Atomic uint64_t longest_wait_ms;

static void
note_wait(uint64_t due_ms, size_t in_flight, void *state)
{
	uint64_t now_ms = atomic_load(&((struct test_clock *)state)->now_ms);

	if (in_flight == 0 && due_ms != UINT64_MAX && due_ms - now_ms > longest_wait_ms)
		longest_wait_ms = due_ms - now_ms;
}

/* A store is asked again before a delay is over, because the wall clock may have been set. */
static void
test_store_is_polled(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);

	longest_wait_ms = 0;
	life->clock.clock.idle = note_wait;
	BEGIN(life, .first_delay_ms = 60000);
	submit(life, "http://a.example/503");
	while (longest_wait_ms == 0)
		sched_yield();
	stop(life);
	assert_int_equal(longest_wait_ms, HERALD_DELIVERY_QUEUE_POLL_MS);
	life_destroy(life);
}

/* Two processes on one store: each delivery is made by one of them. */
static void
test_two_deliverers(const struct contract_queue *kind)
{
	enum { DELIVERIES = 200 };
	struct life *life = life_create(kind);
	struct life *other = calloc(1, sizeof(*other));
	char url[64];

	assert_non_null(other);
	other->kind = kind;
	other->store = life->store;
	test_clock_init(&other->clock);
	BEGIN(life, .slots = 4, .max_claimed = 4);
	BEGIN(other, .slots = 4, .max_claimed = 4);
	for (size_t i = 0; i < DELIVERIES; i++) {
		snprintf(url, sizeof(url), "http://h%zu.example/200", i % 7);
		submit(i % 2 ? life : other, url);
	}
	while (statistics(life).delivered + statistics(other).delivered < DELIVERIES)
		sched_yield();
	stop(life);
	stop(other);
	assert_int_equal(life->transport.begins + other->transport.begins, DELIVERIES);
	assert_int_equal(life->recorder.outcomes + other->recorder.outcomes, DELIVERIES);
	free(other);
	life_destroy(life);
}

/* What waits for a slot when its lease ends is dropped; another deliverer attempts it. */
static void
test_lease_that_ends_before_an_attempt(const struct contract_queue *kind)
{
	struct life *life = life_create(kind);

	freeze(life, true);
	BEGIN(life, .slots = 1, .max_claimed = 6);
	submit(life, "http://a.example/silent");
	wait_in_flight(life, 1);
	submit(life, "http://a.example/200");
	submit(life, "http://a.example/200");
	while (statistics(life).pending < 3)
		sched_yield();
	kind->cut_off(life->queue);
	test_clock_advance(&life->clock, life->deliverer, 10000);
	while (statistics(life).pending > 0)
		sched_yield();
	assert_int_equal(life->transport.begins, 1);
	stop(life);
	assert_int_equal(life->recorder.outcomes, 0);

	BEGIN(life, .attempts = 3);
	recorder_wait(&life->recorder, 2);
	assert_int_equal(life->recorder.delivered, 2);
	stop(life);
	life_destroy(life);
}

const struct contract_queue_case contract_queue_lives[] = {
	{"outcomes", test_outcomes, false},
	{"clock_that_is_set_meanwhile", test_clock_that_is_set, false},
	{"nothing_is_lost", test_nothing_is_lost, false},
	{"restart", test_restart, true},
	{"late_attempt_has_its_time", test_late_attempt_has_its_time, true},
	{"late_attempt_that_is_cut_off", test_late_attempt_that_is_cut_off, true},
	{"process_that_dies_in_attempts", test_process_that_dies_in_attempts, true},
	{"clock_that_is_set_between", test_clock_that_is_set_between, true},
	{"policy_of_today", test_policy_of_today, true},
	{"backlog", test_backlog, true},
	{"stop_claims_no_more", test_stop_claims_no_more, true},
	{"store_is_polled", test_store_is_polled, true},
	{"two_deliverers", test_two_deliverers, true},
	{"lease_that_ends_before_an_attempt", test_lease_that_ends_before_an_attempt, true},
};
const size_t contract_queue_lives_count = COUNT(contract_queue_lives);
