/*
 * The worker pool: what is taken and refused, on which thread everything runs, and that a stop loses
 * nothing; and requests of HTTP that a worker finishes.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/herald.h>

#include "support/failing_allocator.h"

#define WAIT_S 20

/* A gate: tasks wait in it until it is opened, and the test until so many are there. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned inside;
	bool open;
};

static void
gate_init(struct gate *gate)
{
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
	gate->inside = 0;
	gate->open = false;
}

static void
gate_finish(struct gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

static void
gate_pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->inside++;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void
gate_wait(struct gate *gate, unsigned count)
{
	struct timespec deadline;
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	pthread_mutex_lock(&gate->lock);
	while (gate->inside < count && failed == 0)
		failed = pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline);
	pthread_mutex_unlock(&gate->lock);
	assert_int_equal(failed, 0);
}

static void
gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

/* A task that waits at a gate, if it has one, and notes what happened to it. */
struct job {
	struct herald_pool_task task; /* first */
	struct herald_pool *pool;     /* submit again there, `again` times */
	unsigned again;
	struct gate *gate;
	atomic_uint *clock; /* the order of runs */
	unsigned order;
	atomic_uint runs;
	atomic_uint cancels;
	atomic_uint refusals; /* when it submitted itself */
	pthread_t thread;     /* of the last of them */
	bool signals_blocked;
};

static void
run_job(struct herald_pool_task *task)
{
	struct job *job = (struct job *)task;
	sigset_t mask;

	job->thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	job->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
	if (job->clock)
		job->order = atomic_fetch_add(job->clock, 1);
	if (job->gate)
		gate_pass(job->gate);
	atomic_fetch_add(&job->runs, 1);
	if (job->again > 0) {
		job->again--;
		if (herald_pool_submit(job->pool, task) != HERALD_OK)
			atomic_fetch_add(&job->refusals, 1);
	}
}

static void
cancel_job(struct herald_pool_task *task)
{
	struct job *job = (struct job *)task;

	job->thread = pthread_self();
	atomic_fetch_add(&job->cancels, 1);
}

static void
job_init(struct job *job, struct gate *gate)
{
	memset(job, 0, sizeof(*job));
	job->task.run = run_job;
	job->task.cancelled = cancel_job;
	job->gate = gate;
}

static struct herald_pool *
create(const struct herald_pool_options *options)
{
	struct herald_pool *pool = NULL;
	struct herald_error error;

	if (herald_pool_create(options, &pool, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return pool;
}

static void
submit(struct herald_pool *pool, struct job *job)
{
	assert_int_equal(herald_pool_submit(pool, &job->task), HERALD_OK);
}

static void
assert_statistics(struct herald_pool *pool, const struct herald_pool_statistics *expected)
{
	struct herald_pool_statistics found;

	herald_pool_statistics(pool, &found);
	assert_int_equal(found.submitted, expected->submitted);
	assert_int_equal(found.queued, expected->queued);
	assert_int_equal(found.running, expected->running);
	assert_int_equal(found.done, expected->done);
	assert_int_equal(found.cancelled, expected->cancelled);
	assert_int_equal(found.refused, expected->refused);
	assert_int_equal(found.submitted,
			 found.queued + found.running + found.done + found.cancelled);
}

/* Options. */

static void *
some_allocate(size_t bytes, void *state)
{
	(void)state;
	return malloc(bytes);
}

static void
bad_options(void **state)
{
	static const struct {
		struct herald_pool_options options;
		const char *path, *message;
	} cases[] = {
		{{.threads = 2}, "struct_size", "use HERALD_POOL_OPTIONS"},
		{{.struct_size = 1, .threads = 2}, "struct_size", "use HERALD_POOL_OPTIONS"},
		{{.struct_size = sizeof(struct herald_pool_options), .threads = 1025},
		 "threads",
		 "at most 1024, not 1025"},
		{{.struct_size = sizeof(struct herald_pool_options),
		  .allocator = {.allocate = some_allocate}},
		 "allocator",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_pool *pool = NULL;
		struct herald_error error = {0};

		assert_int_equal(herald_pool_create(&cases[i].options, &pool, &error),
				 HERALD_BAD_OPTION);
		assert_null(pool);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_string_equal(error.path, cases[i].path);
		assert_non_null(strstr(error.message, cases[i].message));
		assert_int_equal(herald_pool_create(&cases[i].options, &pool, NULL),
				 HERALD_BAD_OPTION);
	}
}

/* A program that was compiled when the struct ended after `threads`: max_queued is not read. */
static void
options_of_an_older_program(void **state)
{
	struct herald_pool_options options = {
		.struct_size = offsetof(struct herald_pool_options, max_queued),
		.threads = 1,
		.max_queued = 1,
		.allocator = {.allocate = some_allocate},
	};
	struct herald_pool *pool = create(&options);
	struct gate gate;
	struct job jobs[10];

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < HERALD_COUNT(jobs); i++) {
		job_init(&jobs[i], &gate);
		submit(pool, &jobs[i]);
	}
	gate_open(&gate);
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

static void
nth_allocation_fails(void **state)
{
	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_pool *pool = NULL;
		struct herald_error error = {0};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald_pool_create(
			&HERALD_POOL_OPTIONS(.allocator = memory.allocator), &pool, &error);
		if (status == HERALD_OK) {
			/* And a task costs none. */
			size_t calls = memory.calls;
			struct job job;

			job_init(&job, NULL);
			submit(pool, &job);
			assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
			assert_int_equal(memory.calls, calls);
		} else {
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_int_equal(error.status, HERALD_NO_MEMORY);
			assert_null(pool);
		}
		herald_pool_destroy(pool);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

static void
destroy_nothing(void **state)
{
	(void)state;
	herald_pool_destroy(NULL);
	assert_int_equal(herald_pool_stop(NULL, 0), 0);
	herald_pool_destroy(create(NULL));
	herald_pool_destroy(create(&HERALD_POOL_OPTIONS(.threads = 1024)));
}

/* Running. */

static void
tasks_run_side_by_side_on_the_pools_threads(void **state)
{
	struct herald_pool *pool = create(&HERALD_POOL_OPTIONS(.threads = 3));
	struct gate gate;
	struct job jobs[4];

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < HERALD_COUNT(jobs); i++) {
		job_init(&jobs[i], &gate);
		submit(pool, &jobs[i]);
	}
	gate_wait(&gate, 3);
	assert_statistics(
		pool, &(struct herald_pool_statistics){.submitted = 4, .queued = 1, .running = 3});
	gate_open(&gate);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	assert_statistics(pool, &(struct herald_pool_statistics){.submitted = 4, .done = 4});
	for (size_t i = 0; i < HERALD_COUNT(jobs); i++) {
		assert_int_equal(jobs[i].runs, 1);
		assert_int_equal(jobs[i].cancels, 0);
		assert_true(jobs[i].signals_blocked);
		assert_false(pthread_equal(jobs[i].thread, pthread_self()));
	}
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

static void
first_in_first_out(void **state)
{
	struct herald_pool *pool = create(&HERALD_POOL_OPTIONS(.threads = 1));
	atomic_uint clock = 0;
	struct job jobs[100];

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < HERALD_COUNT(jobs); i++) {
			job_init(&jobs[i], NULL);
			jobs[i].clock = &clock;
			submit(pool, &jobs[i]);
		}
		while (clock < (round + 1) * HERALD_COUNT(jobs))
			sched_yield();
		/* They are the pool's until it has counted them. */
		struct herald_pool_statistics statistics;
		do {
			herald_pool_statistics(pool, &statistics);
		} while (statistics.done < clock);
		for (size_t i = 0; i < HERALD_COUNT(jobs); i++)
			assert_int_equal(jobs[i].order, round * HERALD_COUNT(jobs) + i);
	}
	herald_pool_destroy(pool);
}

static void
task_submits_itself_again(void **state)
{
	struct herald_pool *pool = create(&HERALD_POOL_OPTIONS(.threads = 2, .max_queued = 1));
	struct gate gate;
	struct job job;

	(void)state;
	gate_init(&gate);
	job_init(&job, &gate);
	job.pool = pool;
	job.again = 1000;
	gate_open(&gate);
	submit(pool, &job);
	gate_wait(&gate, 1001);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	assert_int_equal(job.runs, 1001);
	assert_int_equal(job.refusals, 0);
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

struct records {
	atomic_uint count;
	char message[128];
	int64_t number;
};

static void
record(const struct herald_log_record *from, void *state)
{
	struct records *to = state;

	atomic_fetch_add(&to->count, 1);
	snprintf(to->message, sizeof(to->message), "%s", from->message);
	to->number = from->fields_count > 0 ? from->fields[0].number : -1;
}

static void
full_queue_refuses_at_once(void **state)
{
	struct records records = {0};
	struct herald_pool *pool =
		create(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2,
					    .log = {.write = record, .state = &records}));
	struct gate gate;
	struct job running, queued[2], refused;

	(void)state;
	gate_init(&gate);
	job_init(&running, &gate);
	submit(pool, &running);
	gate_wait(&gate, 1);
	for (int i = 0; i < 2; i++) {
		job_init(&queued[i], &gate);
		submit(pool, &queued[i]);
	}
	job_init(&refused, &gate);
	for (int i = 0; i < 5; i++)
		assert_int_equal(herald_pool_submit(pool, &refused.task), HERALD_LIMIT);
	/* It says so once. */
	assert_int_equal(records.count, 1);
	assert_string_equal(records.message, "the pool's queue is full");
	assert_int_equal(records.number, 2);
	assert_statistics(pool, &(struct herald_pool_statistics){
					.submitted = 3, .queued = 2, .running = 1, .refused = 5});
	gate_open(&gate);
	gate_wait(&gate, 3);
	/* There is room again. */
	submit(pool, &refused);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	assert_int_equal(refused.runs, 1);
	assert_int_equal(refused.cancels, 0);
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

/* Stopping. */

/* As many as are submitted in WAIT_S, one a millisecond. */
#define PROBES (WAIT_S * 1000)

struct stopper {
	struct herald_pool *pool;
	uint32_t drain_ms;
	atomic_bool ended;
	size_t left;
};

static void *
stop(void *cls)
{
	struct stopper *stopper = cls;

	stopper->left = herald_pool_stop(stopper->pool, stopper->drain_ms);
	atomic_store(&stopper->ended, true);
	return NULL;
}

/* Until the stop has begun, tasks are taken: there is nothing else to see it by. */
static void
wait_until_refused(struct herald_pool *pool, struct job *jobs)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (size_t i = 0; i < PROBES; i++) {
		job_init(&jobs[i], NULL);
		if (herald_pool_submit(pool, &jobs[i].task) != HERALD_OK)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("the pool takes tasks while it stops");
}

static void
stop_drains_the_queue(void **state)
{
	struct herald_pool *pool =
		create(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2 * PROBES));
	struct stopper stopper = {.pool = pool, .drain_ms = UINT32_MAX};
	static struct job jobs[PROBES + 1000];
	struct gate gate;
	pthread_t thread;
	size_t runs = 0;

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < HERALD_COUNT(jobs); i++)
		job_init(&jobs[i], i == 0 ? &gate : NULL);
	for (size_t i = 0; i < 1000; i++)
		submit(pool, &jobs[i]);
	gate_wait(&gate, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop, &stopper), 0);
	wait_until_refused(pool, &jobs[1000]);
	assert_false(stopper.ended);
	gate_open(&gate);
	pthread_join(thread, NULL);

	assert_int_equal(stopper.left, 0);
	struct herald_pool_statistics statistics;
	herald_pool_statistics(pool, &statistics);
	assert_int_equal(statistics.refused, 1);
	assert_int_equal(statistics.done, statistics.submitted);
	for (size_t i = 0; i < HERALD_COUNT(jobs); i++) {
		runs += jobs[i].runs;
		assert_int_equal(jobs[i].cancels, 0);
	}
	assert_int_equal(runs, statistics.done);
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

/* Nothing is lost: what is not run is cancelled, on this thread; what runs is waited for. */
static void
stop_cancels_what_is_left(void **state)
{
	struct records records = {0};
	struct herald_pool *pool = create(
		&HERALD_POOL_OPTIONS(.threads = 2, .log = {.write = record, .state = &records}));
	struct gate gate;
	struct job running[2], queued[5];
	struct stopper stopper = {.pool = pool, .drain_ms = 1};
	pthread_t thread;

	(void)state;
	gate_init(&gate);
	for (int i = 0; i < 2; i++) {
		job_init(&running[i], &gate);
		submit(pool, &running[i]);
	}
	gate_wait(&gate, 2);
	for (int i = 0; i < 5; i++) {
		job_init(&queued[i], NULL);
		submit(pool, &queued[i]);
	}
	assert_int_equal(pthread_create(&thread, NULL, stop, &stopper), 0);
	while (!queued[4].cancels)
		sched_yield();
	assert_false(stopper.ended);
	gate_open(&gate);
	pthread_join(thread, NULL);

	assert_int_equal(stopper.left, 5);
	assert_statistics(
		pool, &(struct herald_pool_statistics){.submitted = 7, .done = 2, .cancelled = 5});
	for (int i = 0; i < 5; i++) {
		assert_int_equal(queued[i].runs, 0);
		assert_int_equal(queued[i].cancels, 1);
		assert_true(pthread_equal(queued[i].thread, thread));
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(running[i].runs, 1);
		assert_int_equal(running[i].cancels, 0);
	}
	assert_int_equal(records.count, 1);
	assert_string_equal(records.message, "the pool stopped with tasks queued");
	assert_int_equal(records.number, 5);

	/* Again, and afterwards. */
	assert_int_equal(herald_pool_stop(pool, 0), 5);
	assert_int_equal(herald_pool_submit(pool, &queued[0].task), HERALD_LIMIT);
	assert_int_equal(queued[0].cancels, 1);
	herald_pool_destroy(pool);
	assert_int_equal(records.count, 1);
	gate_finish(&gate);
}

/* A worker is refused as everyone is once the pool stops, and the stop does not wait for it. */
static void
submitted_by_a_worker_during_the_stop(void **state)
{
	struct herald_pool *pool =
		create(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2 * PROBES));
	struct stopper stopper = {.pool = pool, .drain_ms = UINT32_MAX};
	static struct job probes[PROBES];
	struct gate gate;
	struct job job;
	pthread_t thread;

	(void)state;
	gate_init(&gate);
	job_init(&job, &gate);
	job.pool = pool;
	job.again = 1;
	submit(pool, &job);
	gate_wait(&gate, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop, &stopper), 0);
	wait_until_refused(pool, probes);
	gate_open(&gate);
	pthread_join(thread, NULL);
	assert_int_equal(stopper.left, 0);
	assert_int_equal(job.runs, 1);
	assert_int_equal(job.cancels, 0);
	assert_int_equal(job.refusals, 1);
	herald_pool_destroy(pool);
	gate_finish(&gate);
}

#define SUBMITTERS 4
#define TASKS_EACH 2000

struct submitter {
	struct herald_pool *pool;
	struct job *jobs;
	size_t taken;
};

static void *
submit_many(void *cls)
{
	struct submitter *submitter = cls;

	for (size_t i = 0; i < TASKS_EACH; i++)
		submitter->taken +=
			herald_pool_submit(submitter->pool, &submitter->jobs[i].task) == HERALD_OK;
	return NULL;
}

/* Accepted = done + cancelled, whatever the moment of the stop is. */
static void
nothing_is_lost_under_load(void **state)
{
	static struct job jobs[SUBMITTERS][TASKS_EACH];

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct herald_pool *pool =
			create(&HERALD_POOL_OPTIONS(.threads = 3, .max_queued = 100));
		struct submitter submitters[SUBMITTERS];
		pthread_t threads[SUBMITTERS];
		size_t taken = 0, runs = 0, cancels = 0;

		for (size_t i = 0; i < SUBMITTERS; i++) {
			for (size_t j = 0; j < TASKS_EACH; j++)
				job_init(&jobs[i][j], NULL);
			submitters[i] = (struct submitter){.pool = pool, .jobs = jobs[i]};
			assert_int_equal(
				pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
		}
		size_t left = herald_pool_stop(pool, round % 2 ? 0 : 2);
		for (size_t i = 0; i < SUBMITTERS; i++) {
			pthread_join(threads[i], NULL);
			taken += submitters[i].taken;
			for (size_t j = 0; j < TASKS_EACH; j++) {
				runs += jobs[i][j].runs;
				cancels += jobs[i][j].cancels;
				assert_true(jobs[i][j].runs + jobs[i][j].cancels <= 1);
			}
		}
		assert_int_equal(taken, runs + cancels);
		assert_int_equal(cancels, left);
		assert_statistics(pool, &(struct herald_pool_statistics){
						.submitted = taken,
						.done = runs,
						.cancelled = cancels,
						.refused = SUBMITTERS * TASKS_EACH - taken});
		herald_pool_destroy(pool);
	}
}

/* Requests of HTTP. */

#define EVENT "{\"event_type\":\"slow\",\"timestamp\":\"2024-08-20T05:21:19Z\"}"

struct shop {
	struct gate gate;
	atomic_uint calls;
	struct herald_service *service;
	struct herald_http *http;
};

struct nothing {
	struct herald_json any;
};

HERALD_SCHEMA(nothing, HERALD_FIELD(nothing, any));

static enum herald_verdict
on_slow(struct herald_context *ctx, const struct nothing *payload, struct shop *shop)
{
	(void)ctx;
	(void)payload;
	atomic_fetch_add(&shop->calls, 1);
	gate_pass(&shop->gate);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_slow, nothing, shop);

static void
shop_open(struct shop *shop, const struct herald_http_options *options)
{
	const struct herald_route routes[] = {HERALD_ROUTE("slow", nothing, on_slow, shop)};
	struct herald_error error;

	memset(shop, 0, sizeof(*shop));
	gate_init(&shop->gate);
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &shop->service,
				  &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(herald_http_create(shop->service, options, &shop->http, NULL), HERALD_OK);
}

static void
shop_close(struct shop *shop)
{
	herald_http_destroy(shop->http);
	herald_service_destroy(shop->service);
	gate_finish(&shop->gate);
}

/* What an adapter embeds. */
struct visit {
	struct herald_pool_request pooled; /* first */
	bool gone;
	pthread_t thread;
	unsigned status;
	uint32_t retry_after_s;
	char body[256];
	atomic_uint finished;
};

static bool
is_gone(struct herald_pool_request *work)
{
	return ((struct visit *)work)->gone;
}

static void
finished(struct herald_pool_request *work, const struct herald_http_response *response)
{
	struct visit *visit = (struct visit *)work;

	visit->thread = pthread_self();
	visit->status = response->status;
	visit->retry_after_s = response->retry_after_s;
	snprintf(visit->body, sizeof(visit->body), "%.*s", (int)response->body_bytes,
		 response->body);
	atomic_fetch_add(&visit->finished, 1);
}

static const struct herald_http_response *
visit(struct shop *shop, struct herald_pool *pool, struct visit *visit, const char *content_type,
      const char *body)
{
	const struct herald_http_head head = {.method = "POST",
					      .content_type = content_type,
					      .content_length = HERALD_HTTP_NO_LENGTH};

	memset(visit, 0, sizeof(*visit));
	visit->pooled.request = herald_http_request_create(shop->http, &head);
	assert_non_null(visit->pooled.request);
	herald_http_request_append(visit->pooled.request, body, strlen(body));
	visit->pooled.is_gone = is_gone;
	visit->pooled.finished = finished;
	return herald_pool_request_submit(pool, &visit->pooled);
}

static void
assert_busy(const struct herald_http_response *response, const char *body, uint32_t retry_after_s)
{
	assert_non_null(response);
	assert_int_equal(response->status, 503);
	assert_int_equal(response->retry_after_s, retry_after_s);
	assert_int_equal(response->body_bytes, strlen(body));
	assert_memory_equal(response->body, body, strlen(body));
}

static void
requests_are_finished_by_a_worker(void **state)
{
	struct herald_pool *pool = create(NULL);
	struct shop shop;
	struct visit visits[2], refused;

	(void)state;
	shop_open(&shop, NULL);
	gate_open(&shop.gate);
	assert_null(visit(&shop, pool, &visits[0], "application/json", EVENT));
	assert_null(visit(&shop, pool, &visits[1], "application/json", "nonsense"));
	/* An answer that is known needs no worker. */
	const struct herald_http_response *response =
		visit(&shop, pool, &refused, "text/plain", EVENT);
	assert_non_null(response);
	assert_int_equal(response->status, 415);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);

	assert_int_equal(refused.finished, 0);
	assert_int_equal(visits[0].finished, 1);
	assert_int_equal(visits[0].status, 200);
	assert_string_equal(visits[0].body, "{\"status\":\"success\"}");
	assert_false(pthread_equal(visits[0].thread, pthread_self()));
	assert_int_equal(visits[1].finished, 1);
	assert_int_equal(visits[1].status, 400);
	assert_int_equal(shop.calls, 1);
	herald_http_request_destroy(refused.pooled.request);
	for (int i = 0; i < 2; i++)
		herald_http_request_destroy(visits[i].pooled.request);
	herald_pool_destroy(pool);
	shop_close(&shop);
}

static void
full_queue_is_503(void **state)
{
	struct herald_pool *pool = create(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 1));
	struct shop shop;
	struct visit running, queued, refused;

	(void)state;
	shop_open(&shop, &HERALD_HTTP_OPTIONS(.retry_after_ms = 6001));
	assert_null(visit(&shop, pool, &running, "application/json", EVENT));
	gate_wait(&shop.gate, 1);
	assert_null(visit(&shop, pool, &queued, "application/json", EVENT));
	assert_busy(visit(&shop, pool, &refused, "application/json", EVENT),
		    "{\"error\":\"too many events are waiting\"}", 7);
	/* It may be tried again, and has its answer then. */
	assert_busy(herald_pool_request_submit(pool, &refused.pooled),
		    "{\"error\":\"too many events are waiting\"}", 7);
	gate_open(&shop.gate);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	assert_int_equal(shop.calls, 2);
	assert_int_equal(refused.finished, 0);
	herald_http_request_destroy(running.pooled.request);
	herald_http_request_destroy(queued.pooled.request);
	herald_http_request_destroy(refused.pooled.request);
	herald_pool_destroy(pool);
	shop_close(&shop);
}

/* The one that has gone is not run, those that a stop leaves are not run; all of them are told. */
static void
events_that_are_not_handled_are_503(void **state)
{
	struct herald_pool *pool = create(&HERALD_POOL_OPTIONS(.threads = 1));
	struct stopper stopper = {.pool = pool, .drain_ms = UINT32_MAX};
	struct shop shop;
	struct visit running, gone, served, left, late;
	pthread_t thread;

	(void)state;
	shop_open(&shop, &HERALD_HTTP_OPTIONS(.hide_errors = true));
	assert_null(visit(&shop, pool, &running, "application/json", EVENT));
	gate_wait(&shop.gate, 1);
	/* Going while the event is handled changes nothing. */
	running.gone = true;
	assert_null(visit(&shop, pool, &gone, "application/json", EVENT));
	gone.gone = true;
	assert_null(visit(&shop, pool, &served, "application/json", EVENT));
	served.pooled.is_gone = NULL;
	served.gone = true;
	gate_open(&shop.gate);
	gate_wait(&shop.gate, 2);
	while (!served.finished)
		sched_yield();

	/* And now one that is left. */
	shop.gate.open = false;
	struct visit again;
	assert_null(visit(&shop, pool, &again, "application/json", EVENT));
	gate_wait(&shop.gate, 3);
	assert_null(visit(&shop, pool, &left, "application/json", EVENT));
	stopper.drain_ms = 0;
	assert_int_equal(pthread_create(&thread, NULL, stop, &stopper), 0);
	while (!left.finished)
		sched_yield();
	gate_open(&shop.gate);
	pthread_join(thread, NULL);
	assert_int_equal(stopper.left, 1);
	assert_busy(visit(&shop, pool, &late, "application/json", EVENT),
		    "{\"error\":\"Service Unavailable\"}", 1);

	assert_int_equal(shop.calls, 3);
	assert_int_equal(running.status, 200);
	assert_int_equal(served.status, 200);
	assert_int_equal(again.status, 200);
	assert_int_equal(gone.status, 503);
	assert_int_equal(gone.retry_after_s, 1);
	assert_int_equal(left.status, 503);
	assert_int_equal(left.retry_after_s, 1);
	assert_string_equal(left.body, "{\"error\":\"Service Unavailable\"}");
	assert_true(pthread_equal(left.thread, thread));
	struct visit *const visits[] = {&running, &gone, &served, &again, &left, &late};
	for (size_t i = 0; i < HERALD_COUNT(visits); i++) {
		assert_int_equal(visits[i]->finished, visits[i] == &late ? 0 : 1);
		herald_http_request_destroy(visits[i]->pooled.request);
	}
	herald_pool_destroy(pool);
	shop_close(&shop);
}

static void
an_answer_that_is_known_stays(void **state)
{
	const struct herald_http_head head = {.method = "GET",
					      .content_length = HERALD_HTTP_NO_LENGTH};
	struct shop shop;

	(void)state;
	shop_open(&shop, NULL);
	assert_int_equal(herald_http_max_body_bytes(shop.http), 1 << 20);
	struct herald_http_request *request = herald_http_request_create(shop.http, &head);
	assert_non_null(request);
	assert_int_equal(herald_http_request_unavailable(request, "busy")->status, 405);
	herald_http_request_destroy(request);
	shop_close(&shop);
	shop_open(&shop, &HERALD_HTTP_OPTIONS(.max_body_bytes = 17));
	assert_int_equal(herald_http_max_body_bytes(shop.http), 17);
	shop_close(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_options),
		cmocka_unit_test(options_of_an_older_program),
		cmocka_unit_test(nth_allocation_fails),
		cmocka_unit_test(destroy_nothing),
		cmocka_unit_test(tasks_run_side_by_side_on_the_pools_threads),
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(task_submits_itself_again),
		cmocka_unit_test(full_queue_refuses_at_once),
		cmocka_unit_test(stop_drains_the_queue),
		cmocka_unit_test(stop_cancels_what_is_left),
		cmocka_unit_test(submitted_by_a_worker_during_the_stop),
		cmocka_unit_test(nothing_is_lost_under_load),
		cmocka_unit_test(requests_are_finished_by_a_worker),
		cmocka_unit_test(full_queue_is_503),
		cmocka_unit_test(events_that_are_not_handled_are_503),
		cmocka_unit_test(an_answer_that_is_known_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
