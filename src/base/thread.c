/*
 * Threads with a stack large enough for nested documents, and condition variables on the monotonic
 * clock.
 */
#include <herald/adapter/thread.h>

#include <signal.h>

#define LEAST_STACK_BYTES ((size_t)1 << 20)

size_t
herald_thread_stack_bytes(void)
{
	pthread_attr_t attributes;
	size_t bytes = LEAST_STACK_BYTES;

	if (pthread_attr_init(&attributes) != 0)
		return 0;
	pthread_attr_getstacksize(&attributes, &bytes);
	pthread_attr_destroy(&attributes);
	return bytes < LEAST_STACK_BYTES ? LEAST_STACK_BYTES : 0;
}

int
herald_thread_create(pthread_t *thread, void *(*run)(void *state), void *state)
{
	pthread_attr_t attributes;
	size_t bytes = herald_thread_stack_bytes();
	int failed = pthread_attr_init(&attributes);

	if (failed != 0)
		return failed;
	if (bytes > 0)
		pthread_attr_setstacksize(&attributes, bytes);

	/* The new thread inherits the mask. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(thread, &attributes, run, state);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return failed;
}

int
herald_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int failed = pthread_condattr_init(&attributes);

	if (failed != 0)
		return failed;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	failed = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return failed;
}

struct timespec
herald_deadline_after(uint32_t ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += (long)(ms % 1000) * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}
