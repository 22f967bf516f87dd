/*
 * herald/adapter/thread.h: stacks that decoding needs, and waiting on the monotonic clock.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/thread.h>

#define LEAST_STACK_BYTES ((size_t)1 << 20)

static void *
take_stack_bytes(void *state)
{
	pthread_attr_t attributes;
	size_t *bytes = state;

	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		pthread_attr_getstacksize(&attributes, bytes);
		pthread_attr_destroy(&attributes);
	}
	return NULL;
}

/* Does not depend on the process's default, which is small with musl. */
static void
a_thread_has_a_stack(void **state)
{
	static const size_t defaults[] = {128 << 10, 1 << 20, 4 << 20};

	(void)state;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		pthread_attr_t attributes;
		pthread_t thread;
		size_t bytes = 0;

		assert_int_equal(pthread_attr_init(&attributes), 0);
		assert_int_equal(pthread_attr_setstacksize(&attributes, defaults[i]), 0);
		assert_int_equal(pthread_setattr_default_np(&attributes), 0);
		pthread_attr_destroy(&attributes);

		assert_int_equal(herald_thread_stack_bytes(),
				 defaults[i] < LEAST_STACK_BYTES ? LEAST_STACK_BYTES : 0);
		assert_int_equal(herald_thread_create(&thread, take_stack_bytes, &bytes), 0);
		pthread_join(thread, NULL);
		assert_true(bytes >= LEAST_STACK_BYTES);
		assert_true(bytes >= defaults[i]);
	}
}

static void *
take_signal_mask(void *state)
{
	pthread_sigmask(SIG_SETMASK, NULL, state);
	return NULL;
}

/* The creating thread's signal mask is unchanged. */
static void
a_thread_blocks_signals(void **state)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE};
	sigset_t given, own, left;
	pthread_t thread;

	(void)state;
	sigemptyset(&given);
	sigaddset(&given, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &given, NULL);
	assert_int_equal(herald_thread_create(&thread, take_signal_mask, &own), 0);
	pthread_join(thread, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &left);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_int_equal(sigismember(&own, signals[i]), 1);
		assert_int_equal(sigismember(&left, signals[i]), signals[i] == SIGUSR1);
	}
}

static int64_t
milliseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct timespec
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time;
}

static void
deadlines_are_monotonic(void **state)
{
	static const uint32_t delays_ms[] = {0, 1, 999, 1000, 1001, 59999, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		/* At least one of many begins late enough in a second to carry. */
		for (int j = 0; j < 1000; j++) {
			struct timespec before = now();
			struct timespec deadline = herald_deadline_after(delays_ms[i]);
			struct timespec after = now();

			assert_in_range(deadline.tv_nsec, 0, 999999999);
			assert_true(milliseconds(deadline) >= milliseconds(before) + delays_ms[i]);
			assert_true(milliseconds(deadline) <= milliseconds(after) + delays_ms[i]);
		}
	}
}

/* By the wall clock, this deadline would have passed decades ago. */
static void
a_condition_waits_until_a_deadline(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition;
	const struct timespec deadline = herald_deadline_after(20);
	int failed = 0;

	(void)state;
	assert_int_equal(herald_condition_init(&condition), 0);
	pthread_mutex_lock(&mutex);
	while (failed == 0)
		failed = pthread_cond_timedwait(&condition, &mutex, &deadline);
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&condition);
	assert_int_equal(failed, ETIMEDOUT);
	assert_true(milliseconds(now()) >= milliseconds(deadline));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_are_monotonic),
		cmocka_unit_test(a_condition_waits_until_a_deadline),
		/* Last: it changes the process's default. */
		cmocka_unit_test(a_thread_has_a_stack),
		cmocka_unit_test(a_thread_blocks_signals),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
