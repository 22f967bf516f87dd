/*
 * An allocator for tests: it fails where it is told to, counts, and sees whether every block comes
 * back, once, with the size it was asked for.
 *
 *	for (size_t n = 1;; n++) {
 *		struct failing_allocator memory;
 *		failing_allocator_init(&memory, FAIL_ONLY, n);
 *		... call with &memory.allocator: either it works or it says HERALD_NO_MEMORY ...
 *		assert_all_released(&memory);
 *		if (!memory.failures)
 *			break;
 *	}
 *
 * Blocks are filled with rubbish when they are given out and when they come back, and move at every
 * reallocation. It may be used from several threads; the members are read when these are done.
 * Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_FAILING_ALLOCATOR_H
#define HERALD_TESTS_SUPPORT_FAILING_ALLOCATOR_H

#include <stdatomic.h>
#include <stddef.h>

#include <herald/allocator.h>

enum failing_mode {
	FAIL_NEVER, /* Only count. */
	FAIL_ONLY,  /* The n-th call fails, those after it work again. */
	FAIL_FROM,  /* The n-th call and every later one fail. */
};

struct failing_allocator {
	struct herald_allocator allocator; /* Pass this one. Its state is this struct. */
	enum failing_mode mode;
	size_t fail_at;           /* Number of the call, from 1. */
	atomic_size_t calls;      /* Of allocate and reallocate, including failed ones. */
	atomic_size_t failures;   /* How many of them failed. */
	atomic_size_t blocks;     /* Allocated and not released. */
	atomic_size_t bytes;      /* In these blocks. */
	atomic_size_t peak_bytes; /* The maximum at any time. */
	atomic_size_t misuses;    /* Wrong sizes, foreign blocks, sizes of 0. */
};

/* Allocates nothing, so there is no finish function. */
void
failing_allocator_init(struct failing_allocator *memory, enum failing_mode mode, size_t fail_at);

/* Returns what is wrong, as a static text, or NULL if all blocks were released and used
 * properly. */
const char *failing_allocator_problem(const struct failing_allocator *memory);

/* Fails the test, at the caller's line, unless all blocks were released with the right sizes. */
#define assert_all_released(MEMORY)                                                                \
	do {                                                                                       \
		const char *problem_ = failing_allocator_problem(MEMORY);                          \
		if (problem_)                                                                      \
			fail_msg("%s", problem_);                                                  \
	} while (0)

#endif
