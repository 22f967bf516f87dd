/*
 * The worker pool: which tasks are accepted, the threads that run them, and a stop that loses no
 * task.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/array.h>
#include <herald/pool.h>

#include "support/failing_allocator.h"
#include "support/pool.h"
#include "support/thread_hooks.h"

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
	bool hooked;
};

static void
run_job(struct herald_pool_task *task)
{
	struct job *job = (struct job *)task;
	sigset_t mask;

	job->thread = pthread_self();
	job->hooked = is_hooked();
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

static void
submit(struct herald_pool *pool, struct job *job)
{
	assert_int_equal(herald_pool_submit(pool, &job->task), HERALD_OK);
}

static void
assert_statistics(struct herald_pool *pool, const struct herald_pool_statistics *expected)
{
	struct herald_pool_statistics found;

	herald_pool_statistics_read(pool, &found);
	assert_int_equal(found.submitted, expected->submitted);
	assert_int_equal(found.queued, expected->queued);
	assert_int_equal(found.running, expected->running);
	assert_int_equal(found.done, expected->done);
	assert_int_equal(found.cancelled, expected->cancelled);
	assert_int_equal(found.refused, expected->refused);
	assert_int_equal(found.submitted,
			 found.queued + found.running + found.done + found.cancelled);
}

/* Hooks of threads. */

/* Each of the pool's threads begins once before its tasks and ends once after them. */
static void
thread_hooks(void **state)
{
	enum { THREADS = 3, JOBS = 12 };
	struct counted_hooks hooks = {0};
	struct gate gate;
	struct job jobs[JOBS];
	struct herald_pool *pool = create_pool(
		&HERALD_POOL_OPTIONS(.threads = THREADS, .thread_hooks = COUNTED_HOOKS(&hooks)));

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < JOBS; i++) {
		job_init(&jobs[i], &gate);
		submit(pool, &jobs[i]);
	}
	gate_wait(&gate, THREADS);
	gate_open(&gate);
	assert_int_equal(herald_pool_stop(pool, UINT32_MAX), 0);
	for (size_t i = 0; i < JOBS; i++)
		assert_true(jobs[i].hooked);
	assert_false(is_hooked());
	assert_hooks(&hooks, THREADS);
	herald_pool_destroy(pool);
	gate_finish(&gate);
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
	struct herald_pool *pool = create_pool(&options);
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
	herald_pool_destroy(create_pool(NULL));
	herald_pool_destroy(create_pool(&HERALD_POOL_OPTIONS(.threads = 1024)));
}

/* Running. */

static void
tasks_run_side_by_side_on_the_pools_threads(void **state)
{
	struct herald_pool *pool = create_pool(&HERALD_POOL_OPTIONS(.threads = 3));
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
	struct herald_pool *pool = create_pool(&HERALD_POOL_OPTIONS(.threads = 1));
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
		/* The pool owns them until it has counted them. */
		struct herald_pool_statistics statistics;
		do {
			herald_pool_statistics_read(pool, &statistics);
		} while (statistics.done < clock);
		for (size_t i = 0; i < HERALD_COUNT(jobs); i++)
			assert_int_equal(jobs[i].order, round * HERALD_COUNT(jobs) + i);
	}
	herald_pool_destroy(pool);
}

static void
task_submits_itself_again(void **state)
{
	struct herald_pool *pool = create_pool(&HERALD_POOL_OPTIONS(.threads = 2, .max_queued = 1));
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
		create_pool(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2,
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

/* Tasks are accepted until the stop has begun; this is the only way to notice it. */
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
		create_pool(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2 * PROBES));
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
	assert_int_equal(pthread_create(&thread, NULL, stop_pool, &stopper), 0);
	wait_until_refused(pool, &jobs[1000]);
	assert_false(stopper.ended);
	gate_open(&gate);
	pthread_join(thread, NULL);

	assert_int_equal(stopper.left, 0);
	struct herald_pool_statistics statistics;
	herald_pool_statistics_read(pool, &statistics);
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

/* No task is lost: waiting ones are cancelled on this thread; running ones are waited for. */
static void
stop_cancels_what_is_left(void **state)
{
	struct records records = {0};
	struct herald_pool *pool = create_pool(
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
	assert_int_equal(pthread_create(&thread, NULL, stop_pool, &stopper), 0);
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

/* When the pool stops, workers cannot submit either, and the stop does not wait for them. */
static void
submitted_by_a_worker_during_the_stop(void **state)
{
	struct herald_pool *pool =
		create_pool(&HERALD_POOL_OPTIONS(.threads = 1, .max_queued = 2 * PROBES));
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
	assert_int_equal(pthread_create(&thread, NULL, stop_pool, &stopper), 0);
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

/* Accepted = done + cancelled, whenever the stop is. */
static void
nothing_is_lost_under_load(void **state)
{
	static struct job jobs[SUBMITTERS][TASKS_EACH];

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct herald_pool *pool =
			create_pool(&HERALD_POOL_OPTIONS(.threads = 3, .max_queued = 100));
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

static void
stop_own_pool(struct herald_pool_task *task)
{
	herald_pool_stop(((struct job *)task)->pool, 100);
}

/* It would wait for itself: an assertion says so. In a child process, which that aborts. */
static void
stop_on_a_thread_of_the_pool(void **state)
{
	struct job job = {.task = {.run = stop_own_pool, .cancelled = stop_own_pool}};
	int status;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(120);
		if (!freopen("/dev/null", "w", stderr) ||
		    herald_pool_create(NULL, &job.pool, NULL) != HERALD_OK ||
		    herald_pool_submit(job.pool, &job.task) != HERALD_OK)
			_exit(2);
		sleep(60); /* The assertion ends it. */
		_exit(3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_hooks),
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
		cmocka_unit_test(stop_on_a_thread_of_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
