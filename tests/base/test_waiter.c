/*
 * base/waiter.h: waiting for a call on another thread, which may come first.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/waiter.h"

#define ROUNDS 1000

struct round {
	struct herald__waiter waiter;
	atomic_bool is_done;
};

static void *
wake(void *state)
{
	struct round *round = state;

	atomic_store(&round->is_done, true);
	herald__waiter_wake(&round->waiter);
	return NULL;
}

static void
a_wait_ends_with_the_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct round round = {.is_done = false};
		pthread_t thread;

		herald__waiter_init(&round.waiter);
		assert_int_equal(pthread_create(&thread, NULL, wake, &round), 0);
		if (i % 2 == 0) /* the call comes first */
			assert_int_equal(pthread_join(thread, NULL), 0);
		herald__waiter_wait(&round.waiter);
		assert_true(atomic_load(&round.is_done));
		if (i % 2 != 0)
			assert_int_equal(pthread_join(thread, NULL), 0);
		herald__waiter_finish(&round.waiter);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_ends_with_the_call),
	};

	return cmocka_run_group_tests_name("waiter", tests, NULL, NULL);
}
