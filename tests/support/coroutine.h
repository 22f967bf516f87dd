/*
 * Coroutines: functions with stacks of their own. One runs at a time, on the test's thread. A
 * coroutine that has not ended may be destroyed: what it was doing simply stops, as in a process
 * that is killed. For simulations that are the same in each run.
 */
#ifndef HERALD_TESTS_SUPPORT_COROUTINE_H
#define HERALD_TESTS_SUPPORT_COROUTINE_H

#include <stdbool.h>

struct coroutine;

/* Nothing runs before the first coroutine_resume(). Aborts if there is no memory. */
struct coroutine *coroutine_create(void (*run)(void *state), void *state);

/* Run until the next coroutine_yield(), or the end. Not within a coroutine. Returns false at the
 * end. */
bool coroutine_resume(struct coroutine *coroutine);

/* Return to coroutine_resume(). Within a coroutine only. */
void coroutine_yield(void);

/* The one that runs; NULL: none does. */
struct coroutine *coroutine_current(void);

/* Not the one that runs. NULL is allowed. */
void coroutine_destroy(struct coroutine *coroutine);

/* Free the stacks that are kept for later coroutines. */
void coroutine_cleanup(void);

#endif
