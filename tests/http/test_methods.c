/*
 * Lists of methods: which ones they have, and lists that are joined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/server/methods.h"
#include "support/failing_allocator.h"

static void
methods_of_a_list(void **state)
{
	static const struct {
		const char *list, *method;
		bool has;
	} cases[] = {
		{"GET", "GET", true},       {"GET, HEAD", "HEAD", true},
		{"GET,HEAD", "HEAD", true}, {" ,GET ,, HEAD,", "HEAD", true},
		{"GET", "GE", false},       {"GET", "GETS", false},
		{"GET", "get", false},      {"GET, HEAD", "GET, HEAD", false},
		{"", "GET", false},         {"", "", false},
		{", ", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_text method = {cases[i].method, strlen(cases[i].method)};

		if (herald__methods_have(cases[i].list, method) != cases[i].has)
			fail_msg("\"%s\" in \"%s\"", cases[i].method, cases[i].list);
	}
}

static void
joined_lists(void **state)
{
	static const char *const cases[][3] = {
		{"", "", ""},
		{"", "GET", "GET"},
		{"GET", "", "GET"},
		{"GET", "GET", "GET"},
		{"GET", "HEAD", "GET, HEAD"},
		{"GET, POST", "POST,HEAD, GET ,PUT", "GET, POST, HEAD, PUT"},
		{"", "PUT, PUT", "PUT"},
		{"GET,POST", "PUT", "GET,POST, PUT"},
	};
	struct failing_allocator memory;
	struct herald_arena *arena;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(herald_arena_create(&memory.allocator, SIZE_MAX, &arena), HERALD_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(herald__methods_add(arena, cases[i][0], cases[i][1]),
				    cases[i][2]);
	memory.mode = FAIL_FROM;
	memory.fail_at = 0;
	const char *list = "";
	for (size_t i = 0; list && i < 1000; i++)
		list = herald__methods_add(arena, "GET, POST", "PUT");
	assert_null(list);
	herald_arena_destroy(arena);
	assert_all_released(&memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_of_a_list),
		cmocka_unit_test(joined_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
