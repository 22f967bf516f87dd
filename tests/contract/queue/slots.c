/*
 * The slots of a queue, called on the test's thread as the deliverer calls them. There is a
 * deliverer, which makes and frees the records and otherwise has nothing to do.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery/item.h"
#include "suite.h"
#include "support/delivering.h"
#include "support/draw.h"
#include "support/fake_transport.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define MAX_DELAY_MS 120000
#define DEADLINE_MS 300000
#define WALL_MS ((int64_t)TEST_CLOCK_WALL_S * 1000)

struct probe {
	const struct contract_queue *kind;
	void *store;
	struct fake_transport transport;
	struct herald_deliverer *deliverer;
	struct herald_delivery_queue *queue;
	struct herald_delivery_time now;
};

static void
open_queue(struct probe *probe)
{
	probe->queue = probe->kind->create(probe->store);
	assert_non_null(probe->queue);
	probe->queue->deliverer = probe->deliverer;
	if (probe->queue->ops->open)
		assert_int_equal(probe->queue->ops->open(probe->queue,
							 &(struct herald_delivery_queue_settings){
								 .max_attempts = 512,
								 .max_attempts_per_origin = 16,
								 .max_claimed = 1024,
								 .max_claimed_bytes = 64 << 20,
								 .max_delay_ms = MAX_DELAY_MS,
							 },
							 NULL),
				 HERALD_OK);
}

static struct probe *
probe_create(const struct contract_queue *kind)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	assert_non_null(probe);
	probe->kind = kind;
	probe->now = (struct herald_delivery_time){WALL_MS, 5000};
	fake_transport_init(&probe->transport, NULL, 0);
	assert_int_equal(herald_deliverer_create(
				 &HERALD_DELIVERER_OPTIONS(.transport = &probe->transport.base,
							   .max_body_bytes = 1 << 20),
				 &probe->deliverer, NULL),
			 HERALD_OK);
	if (kind->store_create)
		probe->store = kind->store_create();
	open_queue(probe);
	return probe;
}

static void
probe_destroy(struct probe *probe)
{
	probe->queue->ops->destroy(probe->queue);
	if (probe->store)
		probe->kind->store_destroy(probe->store);
	herald_deliverer_destroy(probe->deliverer);
	free(probe);
}

/* The process dies, and another one begins; it takes a second. */
static void
restart(struct probe *probe)
{
	probe->kind->cut_off(probe->queue);
	probe->queue->ops->destroy(probe->queue);
	probe->now.wall_ms += 1000;
	probe->now.monotonic_ms = 1;
	open_queue(probe);
}

static void
pass(struct probe *probe, uint64_t ms)
{
	probe->now.wall_ms += (int64_t)ms;
	probe->now.monotonic_ms += ms;
}

/* A record as a submission makes it. */
static struct herald_delivery_record *
make_record(const struct probe *probe, const struct herald_delivery *delivery)
{
	struct herald__queued *item = herald__queued_create(&herald_allocator_libc, 2048, 8192);

	assert_non_null(item);
	herald__queued_fill(item, delivery);
	item->since_ms = probe->now.monotonic_ms;
	item->record.created_ms = probe->now.wall_ms;
	item->record.due_ms = probe->now.wall_ms;
	item->record.expires_ms = probe->now.wall_ms + DEADLINE_MS;
	return &item->record;
}

static void
push_id(const struct probe *probe, const char *id)
{
	const struct herald_delivery delivery = {.url = "http://a.example/", .id = id};

	assert_int_equal(probe->queue->ops->push(probe->queue, make_record(probe, &delivery)),
			 HERALD_OK);
}

static struct herald_delivery_record *
claim_or_wait(const struct probe *probe, uint64_t *wait_ms)
{
	struct herald_delivery_record *record;

	do {
		*wait_ms = 0;
		record = probe->queue->ops->claim(probe->queue, &probe->now, wait_ms);
	} while (!record && probe->kind->settle && !probe->kind->settle(probe->queue));
	return record;
}

static void
assert_nothing(const struct probe *probe, uint64_t wait_ms)
{
	uint64_t told_ms;

	assert_null(claim_or_wait(probe, &told_ms));
	assert_true(told_ms <= wait_ms);
	assert_true(told_ms > 0);
}

static struct herald_delivery_record *
claim_id(const struct probe *probe, const char *id)
{
	uint64_t wait_ms;
	struct herald_delivery_record *record = claim_or_wait(probe, &wait_ms);

	assert_non_null(record);
	assert_string_equal(record->delivery.id, id);
	return record;
}

/* As before an attempt; false: the lease has ended. */
static bool
begin(const struct probe *probe, struct herald_delivery_record *record)
{
	record->attempts++;
	return !probe->queue->ops->begin || probe->queue->ops->begin(probe->queue, record);
}

static void
reschedule(const struct probe *probe, struct herald_delivery_record *record, uint64_t delay_ms)
{
	const struct herald_delivery_report report = {
		.delivery = &record->delivery,
		.outcome = HERALD_DELIVERY_AGAIN,
		.error = "HTTP status 503",
		.http_status = 503,
		.address = "",
		.retry_in_ms = delay_ms,
	};

	record->due_ms = probe->now.wall_ms + (int64_t)delay_ms;
	probe->queue->ops->reschedule(probe->queue, record, &probe->now, delay_ms, &report);
}

static void
complete(const struct probe *probe, struct herald_delivery_record *record,
	 enum herald_delivery_outcome outcome)
{
	const struct herald_delivery_report report = {
		.delivery = &record->delivery,
		.outcome = outcome,
		.error = outcome == HERALD_DELIVERY_DELIVERED ? "" : "HTTP status 404",
		.address = "",
	};

	probe->queue->ops->complete(probe->queue, record, &report);
	herald__queued_destroy(&herald_allocator_libc, (struct herald__queued *)record);
}

static void
test_oldest_first(const struct contract_queue *kind)
{
	struct probe *probe = probe_create(kind);
	struct herald_delivery_record *records[3];

	assert_nothing(probe, UINT64_MAX);
	push_id(probe, "a");
	push_id(probe, "b");
	pass(probe, 1);
	push_id(probe, "c");
	records[0] = claim_id(probe, "a");
	records[1] = claim_id(probe, "b");
	records[2] = claim_id(probe, "c");
	assert_nothing(probe, UINT64_MAX);
	complete(probe, records[1], HERALD_DELIVERY_DELIVERED);
	complete(probe, records[0], HERALD_DELIVERY_FAILED);
	complete(probe, records[2], HERALD_DELIVERY_DELIVERED);
	assert_nothing(probe, UINT64_MAX);
	probe_destroy(probe);
}

static void
test_delays(const struct contract_queue *kind)
{
	static const uint64_t delays_ms[] = {1, 2, 999, 2000, 60000, MAX_DELAY_MS};
	struct probe *probe = probe_create(kind);

	push_id(probe, "a");
	for (size_t i = 0; i < COUNT(delays_ms); i++) {
		struct herald_delivery_record *record = claim_id(probe, "a");
		int64_t due_ms = probe->now.wall_ms + (int64_t)delays_ms[i];

		assert_int_equal(record->attempts, i);
		assert_true(begin(probe, record));
		reschedule(probe, record, delays_ms[i]);
		assert_nothing(probe, delays_ms[i]);
		pass(probe, delays_ms[i] - 1);
		assert_nothing(probe, 1);
		pass(probe, 1);
		record = claim_id(probe, "a");
		assert_int_equal(record->due_ms, due_ms);
		assert_int_equal(record->attempts, i + 1);
		reschedule(probe, record, 0);
	}
	complete(probe, claim_id(probe, "a"), HERALD_DELIVERY_DELIVERED);
	probe_destroy(probe);
}

/* By when they are due, not by when they came. */
static void
test_order_of_retries(const struct contract_queue *kind)
{
	struct probe *probe = probe_create(kind);
	struct herald_delivery_record *records[3];

	push_id(probe, "a");
	push_id(probe, "b");
	push_id(probe, "c");
	for (size_t i = 0; i < 3; i++)
		records[i] = claim_id(probe, i == 0 ? "a" : i == 1 ? "b" : "c");
	reschedule(probe, records[0], 3000);
	reschedule(probe, records[1], 1000);
	reschedule(probe, records[2], 2000);
	pass(probe, 5000);
	records[0] = claim_id(probe, "b");
	records[1] = claim_id(probe, "c");
	records[2] = claim_id(probe, "a");
	for (size_t i = 0; i < 3; i++)
		complete(probe, records[i], HERALD_DELIVERY_DELIVERED);
	probe_destroy(probe);
}

/* A retry after 60 s, and then the wall clock is set. */
static void
test_clock_that_is_set(const struct contract_queue *kind)
{
	static const struct {
		int64_t jump_ms;
		bool is_due; /* at once, in a store */
	} rows[] = {
		{30000, false},
		{60000, true},
		{3600000, true},
		{-30000, false},
		{-60000, false},
		{-60001, true},
		{-3600000, true},
		{86400000LL * 365, true},
		{-86400000LL * 365, true},
		{-WALL_MS + 1000, true},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct probe *probe = probe_create(kind);
		uint64_t wait_ms;

		push_id(probe, "a");
		reschedule(probe, claim_id(probe, "a"), 60000);
		probe->now.wall_ms += rows[i].jump_ms;
		struct herald_delivery_record *record = claim_or_wait(probe, &wait_ms);
		if (!record) {
			/* It never waits for longer than it may, and then it is due. */
			assert_true(wait_ms <= MAX_DELAY_MS);
			assert_false(kind->store_create && rows[i].is_due);
			pass(probe, kind->store_create ? wait_ms : 60000);
			record = claim_id(probe, "a");
		} else if (!kind->store_create || !rows[i].is_due) {
			fail_msg("row %zu: due at once", i);
		}
		complete(probe, record, HERALD_DELIVERY_DELIVERED);
		probe_destroy(probe);
	}
}

/* What is in no store would be lost; it is handed out, due or not. */
static void
test_left(const struct contract_queue *kind)
{
	struct probe *probe = probe_create(kind);
	struct herald_delivery_record *(*claim_left)(struct herald_delivery_queue *) =
		probe->queue->ops->claim_left;
	size_t left = 0;

	assert_int_equal(claim_left == NULL, kind->store_create != NULL);
	if (claim_left) {
		struct herald_delivery_record *record;

		assert_null(claim_left(probe->queue));
		push_id(probe, "later");
		reschedule(probe, claim_id(probe, "later"), 1000);
		push_id(probe, "b");
		complete(probe, claim_id(probe, "b"), HERALD_DELIVERY_DELIVERED);
		push_id(probe, "c");
		push_id(probe, "d");
		while ((record = claim_left(probe->queue))) {
			complete(probe, record, HERALD_DELIVERY_LEFT);
			left++;
		}
		assert_int_equal(left, 3);
		assert_nothing(probe, UINT64_MAX);
	}
	probe_destroy(probe);
}

/* Pushing from several threads. */

#define PUSHERS 4
#define PUSHES 50

struct pusher {
	const struct probe *probe;
	size_t number;
	atomic_uint *running;
};

static void *
push_many(void *state)
{
	const struct pusher *pusher = state;
	char id[32];

	for (size_t i = 0; i < PUSHES; i++) {
		snprintf(id, sizeof(id), "%zu-%zu", pusher->number, i);
		push_id(pusher->probe, id);
	}
	atomic_fetch_sub(pusher->running, 1);
	return NULL;
}

/* Each comes once. A queue that shares its room among hosts may put off some of the only host, so
 * they need not come in their order; the clock goes on once no thread reads it. */
static void
test_threads(const struct contract_queue *kind)
{
	struct probe *probe = probe_create(kind);
	pthread_t threads[PUSHERS];
	struct pusher pushers[PUSHERS];
	bool has_come[PUSHERS][PUSHES] = {{false}};
	atomic_uint running = PUSHERS;
	size_t count = 0;

	for (size_t i = 0; i < PUSHERS; i++) {
		pushers[i] = (struct pusher){probe, i, &running};
		assert_int_equal(pthread_create(&threads[i], NULL, push_many, &pushers[i]), 0);
	}
	while (count < (size_t)PUSHERS * PUSHES) {
		uint64_t wait_ms;
		struct herald_delivery_record *record = claim_or_wait(probe, &wait_ms);
		size_t pusher, number;

		if (!record) {
			if (atomic_load(&running) == 0) {
				probe->now.wall_ms += 10;
				probe->now.monotonic_ms += 10;
			}
			sched_yield();
			continue;
		}
		assert_int_equal(sscanf(record->delivery.id, "%zu-%zu", &pusher, &number), 2);
		assert_true(pusher < PUSHERS && number < PUSHES);
		assert_false(has_come[pusher][number]);
		has_come[pusher][number] = true;
		complete(probe, record, HERALD_DELIVERY_DELIVERED);
		count++;
	}
	for (size_t i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	assert_nothing(probe, UINT64_MAX);
	probe_destroy(probe);
}

/* Draws. */

static uint64_t
draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

/* HERALD_TEST_SEED repeats a run. */
static uint64_t
first_seed(void)
{
	uint64_t seed = draw_seed();

	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* A text of printable ASCII, or none. */
static const char *
draw_text(uint64_t *seed, char *out, size_t most)
{
	size_t bytes = (size_t)draw(seed, most);

	if (draw(seed, 4) == 0)
		return NULL;
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(' ' + draw(seed, 95));
	out[bytes] = '\0';
	return out;
}

struct drawn {
	char url[128], id[64], event_type[64], event_id[64], result[16], error[200], type[32];
	char body[3000], header_texts[5][64];
	const char *headers[5];
	struct herald_delivery delivery;
};

static void
draw_delivery(uint64_t *seed, struct drawn *out)
{
	size_t body_bytes = (size_t)draw(seed, sizeof(out->body));
	size_t headers = (size_t)draw(seed, 6);
	bool has_body = draw(seed, 3) > 0;

	snprintf(out->url, sizeof(out->url), "http://h%u.example:%u/%u", (unsigned)draw(seed, 9),
		 (unsigned)(8000 + draw(seed, 99)), (unsigned)draw(seed, 1000000));
	snprintf(out->id, sizeof(out->id), "id-%u", (unsigned)draw(seed, 1000000));
	for (size_t i = 0; i < body_bytes; i++)
		out->body[i] = (char)draw(seed, 256);
	for (size_t i = 0; i < headers; i++) {
		snprintf(out->header_texts[i], sizeof(out->header_texts[i]), "X-H%zu: %u", i,
			 (unsigned)draw(seed, 1000));
		out->headers[i] = out->header_texts[i];
	}
	out->delivery = (struct herald_delivery){
		.url = out->url,
		.id = out->id,
		.event_type = draw_text(seed, out->event_type, sizeof(out->event_type)),
		.event_id = draw_text(seed, out->event_id, sizeof(out->event_id)),
		.result = draw_text(seed, out->result, sizeof(out->result)),
		.error = draw_text(seed, out->error, sizeof(out->error)),
		.content_type = has_body ? "application/x-drawn" : NULL,
		.headers = headers > 0 ? out->headers : NULL,
		.headers_count = headers,
	};
	if (has_body) {
		out->delivery.body = body_bytes > 0 ? out->body : HERALD_EMPTY_BODY;
		out->delivery.body_bytes = body_bytes;
	}
}

static void
assert_same_text(const char *text, const char *expected)
{
	assert_string_equal(text ? text : "", expected ? expected : "");
}

static void
assert_same_delivery(const struct herald_delivery *delivery, const struct herald_delivery *expected)
{
	assert_same_text(delivery->url, expected->url);
	assert_same_text(delivery->id, expected->id);
	assert_same_text(delivery->event_type, expected->event_type);
	assert_same_text(delivery->event_id, expected->event_id);
	assert_same_text(delivery->result, expected->result);
	assert_same_text(delivery->error, expected->error);
	assert_same_text(delivery->content_type, expected->content_type);
	assert_int_equal(!delivery->body, !expected->body);
	assert_int_equal(delivery->body_bytes, expected->body_bytes);
	if (expected->body_bytes > 0)
		assert_memory_equal(delivery->body, expected->body, expected->body_bytes);
	assert_int_equal(delivery->headers_count, expected->headers_count);
	for (size_t i = 0; i < expected->headers_count; i++)
		assert_string_equal(delivery->headers[i], expected->headers[i]);
}

/* Every member of a record is what it was, also after a restart in a store. */
static void
test_contents(const struct contract_queue *kind)
{
	uint64_t seed = first_seed();

	for (size_t i = 0; i < 100; i++) {
		struct probe *probe = probe_create(kind);
		struct drawn drawn;
		int64_t created_ms = probe->now.wall_ms;

		draw_delivery(&seed, &drawn);
		assert_int_equal(
			probe->queue->ops->push(probe->queue, make_record(probe, &drawn.delivery)),
			HERALD_OK);
		if (kind->store_create)
			restart(probe);
		struct herald_delivery_record *record = claim_id(probe, drawn.id);
		assert_same_delivery(&record->delivery, &drawn.delivery);
		assert_int_equal(record->attempts, 0);
		assert_int_equal(record->created_ms, created_ms);
		assert_int_equal(record->due_ms, created_ms);
		assert_int_equal(record->expires_ms, created_ms + DEADLINE_MS);

		assert_true(begin(probe, record));
		record->last_http_status = 503;
		record->expires_ms = created_ms + 7;
		reschedule(probe, record, 5000);
		int64_t due_ms = probe->now.wall_ms + 5000;
		pass(probe, 5000);
		if (kind->store_create)
			restart(probe);
		record = claim_id(probe, drawn.id);
		assert_same_delivery(&record->delivery, &drawn.delivery);
		assert_int_equal(record->attempts, 1);
		assert_int_equal(record->last_http_status, 503);
		assert_int_equal(record->created_ms, created_ms);
		assert_int_equal(record->due_ms, due_ms);
		assert_int_equal(record->expires_ms, created_ms + 7);
		complete(probe, record, HERALD_DELIVERY_DELIVERED);
		if (kind->store_create)
			restart(probe);
		assert_nothing(probe, UINT64_MAX);
		probe_destroy(probe);
	}
}

/* Random calls, against a list that knows what each must do. */

#define MODELS 40

struct model {
	bool is_in, is_claimed;
	struct herald_delivery_record *record; /* claimed */
	uint64_t due_ms;                       /* monotonic, on a clock that has no restart */
	unsigned attempts;
	unsigned ahead; /* how often it may have been claimed ahead by a process that died */
};

struct models {
	struct model all[MODELS];
	uint64_t now_ms;
};

/* When the next one is due; UINT64_MAX: none. */
static uint64_t
model_due_ms(const struct models *models)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < MODELS; i++)
		if (models->all[i].is_in && !models->all[i].is_claimed &&
		    models->all[i].due_ms < due_ms)
			due_ms = models->all[i].due_ms;
	return due_ms;
}

static void
try_push(struct probe *probe, struct models *models, size_t number)
{
	char id[16];

	if (models->all[number].is_in)
		return;
	snprintf(id, sizeof(id), "%zu", number);
	push_id(probe, id);
	models->all[number] = (struct model){.is_in = true, .due_ms = models->now_ms};
}

static void
try_claim(const struct probe *probe, struct models *models)
{
	uint64_t wait_ms, due_ms = model_due_ms(models);
	struct herald_delivery_record *record = claim_or_wait(probe, &wait_ms);

	assert_int_equal(record != NULL, due_ms <= models->now_ms);
	if (!record) {
		assert_true(wait_ms > 0);
		assert_true(due_ms == UINT64_MAX || wait_ms <= due_ms - models->now_ms);
		return;
	}
	struct model *model = &models->all[strtoul(record->delivery.id, NULL, 10)];
	assert_true(model->is_in && !model->is_claimed);
	assert_int_equal(model->due_ms, due_ms);
	assert_in_range(record->attempts, model->attempts, model->attempts + model->ahead);
	model->attempts = record->attempts;
	model->ahead = 0;
	model->is_claimed = true;
	model->record = record;
}

static void
try_give_back(const struct probe *probe, struct models *models, uint64_t *seed, size_t number)
{
	struct model *model = &models->all[number];

	if (!model->is_claimed)
		return;
	if (draw(seed, 3) > 0) {
		assert_true(begin(probe, model->record));
		model->attempts++;
	}
	model->is_claimed = false;
	if (draw(seed, 2) == 0) {
		complete(probe, model->record, HERALD_DELIVERY_DELIVERED);
		model->is_in = false;
		return;
	}
	uint64_t delay_ms = draw(seed, 3) > 0 ? draw(seed, 5000) : draw(seed, MAX_DELAY_MS + 1);
	model->due_ms = models->now_ms + delay_ms;
	reschedule(probe, model->record, delay_ms);
}

/* The attempts of those that were claimed count. */
static void
restart_with(struct probe *probe, struct models *models)
{
	for (size_t i = 0; i < MODELS; i++) {
		struct model *model = &models->all[i];

		if (!model->is_claimed) {
			model->ahead += probe->kind->settle != NULL;
			continue;
		}
		herald__queued_destroy(&herald_allocator_libc,
				       (struct herald__queued *)model->record);
		model->is_claimed = false;
		model->attempts++;
	}
	restart(probe);
	models->now_ms += 1000;
}

static void
end_all(const struct probe *probe, struct models *models)
{
	for (size_t i = 0; i < MODELS; i++)
		if (models->all[i].is_claimed)
			complete(probe, models->all[i].record, HERALD_DELIVERY_DELIVERED);
	while (probe->queue->ops->claim_left) {
		struct herald_delivery_record *record = probe->queue->ops->claim_left(probe->queue);

		if (!record)
			break;
		complete(probe, record, HERALD_DELIVERY_LEFT);
	}
}

static void
test_random_calls(const struct contract_queue *kind)
{
	uint64_t seed = first_seed();
	struct probe *probe = probe_create(kind);
	struct models models = {.now_ms = 0};

	for (size_t i = 0; i < 20000; i++) {
		size_t number = (size_t)draw(&seed, MODELS);
		uint64_t what = draw(&seed, 100), ms = draw(&seed, 2000);

		if (what < 20)
			try_push(probe, &models, number);
		else if (what < 60)
			try_claim(probe, &models);
		else if (what < 90)
			try_give_back(probe, &models, &seed, number);
		else if (what < 99 || !kind->store_create)
			pass(probe, ms), models.now_ms += ms;
		else
			restart_with(probe, &models);
	}
	end_all(probe, &models);
	probe_destroy(probe);
}

/* Stores. */

/* An attempt that is cut off by the end of the process counts; one that was not made does not. */
static void
test_attempts_count(const struct contract_queue *kind)
{
	struct probe *probe = probe_create(kind);
	struct herald_delivery_record *record;

	push_id(probe, "a");
	for (unsigned i = 0; i < 5; i++) {
		record = claim_id(probe, "a");
		assert_int_equal(record->attempts, i);
		reschedule(probe, record, 0);
		record = claim_id(probe, "a");
		assert_int_equal(record->attempts, i);
		if (i % 2 == 0)
			assert_true(begin(probe, record));
		restart(probe);
		herald__queued_destroy(&herald_allocator_libc, (struct herald__queued *)record);
	}
	complete(probe, claim_id(probe, "a"), HERALD_DELIVERY_FAILED);
	probe_destroy(probe);
}

/* Who has lost the lease changes nothing in the store any more. */
static void
test_lease_that_ended(const struct contract_queue *kind)
{
	for (size_t i = 0; i < 4; i++) {
		struct probe *probe = probe_create(kind);
		/* Not its transport, which threads use. */
		struct probe other = {.kind = kind,
				      .store = probe->store,
				      .deliverer = probe->deliverer,
				      .now = probe->now};
		struct herald_delivery_record *old, *new;

		push_id(probe, "a");
		old = claim_id(probe, "a");
		open_queue(&other);
		assert_nothing(&other, UINT64_MAX);
		kind->cut_off(probe->queue);
		new = claim_id(&other, "a");
		assert_int_equal(new->attempts, 1);
		if (i == 0) {
			reschedule(probe, old, 0);
		} else if (i == 1) {
			complete(probe, old, HERALD_DELIVERY_DELIVERED);
		} else if (i == 2 || !probe->queue->ops->begin) {
			complete(probe, old, HERALD_DELIVERY_FAILED);
		} else {
			assert_false(begin(probe, old));
			herald__queued_destroy(&herald_allocator_libc,
					       (struct herald__queued *)old);
		}
		assert_nothing(probe, UINT64_MAX);
		assert_true(begin(&other, new));
		reschedule(&other, new, 0);
		new = claim_id(&other, "a");
		assert_int_equal(new->attempts, 2);
		complete(&other, new, HERALD_DELIVERY_DELIVERED);
		assert_nothing(&other, UINT64_MAX);
		other.queue->ops->destroy(other.queue);
		probe_destroy(probe);
	}
}

const struct contract_queue_case contract_queue_slots[] = {
	{"oldest_first", test_oldest_first, false},
	{"delays", test_delays, false},
	{"order_of_retries", test_order_of_retries, false},
	{"clock_that_is_set", test_clock_that_is_set, false},
	{"left", test_left, false},
	{"threads", test_threads, false},
	{"contents", test_contents, false},
	{"random_calls", test_random_calls, false},
	{"attempts_count", test_attempts_count, true},
	{"lease_that_ended", test_lease_that_ended, true},
};
const size_t contract_queue_slots_count = COUNT(contract_queue_slots);
