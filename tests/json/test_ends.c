/*
 * Where skipped objects and arrays end: what is remembered, and how it is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/arena.h>

#include "json/reader/ends.h"

#define MIN HERALD__ENDS_MIN_BYTES

static char text[1 << 16];

static struct herald_arena *
create_arena(size_t max_bytes)
{
	struct herald_arena *arena = NULL;

	assert_int_equal(herald_arena_create(NULL, max_bytes, &arena), HERALD_OK);
	return arena;
}

/* The end that is found of a value; NULL: nothing is found. */
static char *
find(const struct herald__ends *ends, size_t begin)
{
	const struct herald__end *found = herald__ends_find(ends, text + begin);

	return found ? found->end : NULL;
}

static void
short_values_are_forgotten(void **state)
{
	struct herald_arena *arena = create_arena(0);
	struct herald__ends *ends = herald__ends_create(arena);

	(void)state;
	assert_null(herald__ends_find(ends, text));
	assert_true(herald__ends_open(ends, arena, text));
	assert_true(herald__ends_open(ends, arena, text + 1));
	assert_true(herald__ends_open(ends, arena, text + 2));
	herald__ends_close(ends, 2, text + 3);
	assert_int_equal(ends->count, 2);
	assert_true(herald__ends_open(ends, arena, text + 4));
	herald__ends_close(ends, 2, text + 4 + MIN);
	herald__ends_close(ends, 1, text + 5 + MIN);
	assert_true(herald__ends_open(ends, arena, text + 6 + MIN));
	herald__ends_close(ends, 3, text + 6 + 2 * MIN - 1);
	assert_ptr_equal(herald__ends_find(ends, text)->end, NULL);
	herald__ends_close(ends, 0, text + 3 * MIN);
	assert_int_equal(ends->count, 3);
	assert_ptr_equal(find(ends, 0), text + 3 * MIN);
	assert_ptr_equal(find(ends, 1), text + 5 + MIN);
	assert_null(find(ends, 2));
	assert_null(find(ends, 3));
	assert_ptr_equal(find(ends, 4), text + 4 + MIN);
	assert_null(find(ends, 5));
	assert_null(find(ends, 6 + MIN));
	assert_null(find(ends, 4 * MIN));
	herald_arena_destroy(arena);
}

/* The list grows in place, and moves when something else is behind it. */
static void
many_are_found(void **state)
{
	struct herald_arena *arena = create_arena(0);
	struct herald__ends *ends = herald__ends_create(arena);

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		if (i % 50 == 0)
			assert_non_null(herald_arena_alloc(arena, 1));
		assert_true(herald__ends_open(ends, arena, text + i * MIN));
		herald__ends_close(ends, i, text + (i + 1) * MIN);
	}
	for (size_t i = 0; i < 400; i++) {
		assert_ptr_equal(find(ends, i * MIN), text + (i + 1) * MIN);
		assert_null(find(ends, i * MIN + 1));
	}
	herald_arena_destroy(arena);
}

static void
memory_is_limited(void **state)
{
	struct herald_arena *arena = create_arena(1024);
	struct herald__ends *ends = herald__ends_create(arena);
	size_t count = 0;

	(void)state;
	while (herald__ends_open(ends, arena, text + count * MIN)) {
		herald__ends_close(ends, count, text + (count + 1) * MIN);
		count++;
	}
	assert_in_range(count, 1, 1024 / sizeof(struct herald__end));
	assert_int_equal(ends->count, count);
	assert_ptr_equal(find(ends, (count - 1) * MIN), text + count * MIN);
	while (herald_arena_alloc(arena, 1))
		;
	assert_null(herald__ends_create(arena));
	herald_arena_destroy(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_values_are_forgotten),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(memory_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
