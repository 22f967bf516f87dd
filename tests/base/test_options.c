/*
 * herald/adapter/options.h: options of a program compiled with an older header, and errors that
 * name the option.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/options.h>

struct some_options {
	size_t struct_size;
	unsigned first;
	unsigned second;
};

static void
options_are_read(void **state)
{
	const size_t all = sizeof(struct some_options);
	const struct {
		struct some_options given;
		unsigned first, second;
	} rows[] = {
		{{all, 1, 2}, 1, 2},
		{{all + 100, 1, 2}, 1, 2}, /* a newer caller's: what is more is not read */
		{{offsetof(struct some_options, second), 1, 2}, 1, 0},
		{{sizeof(size_t), 1, 2}, 0, 0},
	};
	struct some_options out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&out, 0x5a, sizeof(out));
		assert_int_equal(herald_options_read(&rows[i].given, &out, sizeof(out),
						     "SOME_OPTIONS", NULL),
				 HERALD_OK);
		assert_int_equal(out.struct_size, all); /* so that it can be handed on */
		assert_int_equal(out.first, rows[i].first);
		assert_int_equal(out.second, rows[i].second);
	}
	memset(&out, 0x5a, sizeof(out));
	assert_int_equal(herald_options_read(NULL, &out, sizeof(out), "SOME_OPTIONS", NULL),
			 HERALD_OK);
	assert_int_equal(out.struct_size, all);
	assert_int_equal(out.first, 0);
	assert_int_equal(out.second, 0);
}

static void
the_size_must_be_set(void **state)
{
	struct some_options out;

	(void)state;
	for (size_t size = 0; size < sizeof(size_t); size++) {
		const struct some_options given = {.struct_size = size};
		struct herald_error error;

		assert_int_equal(
			herald_options_read(&given, &out, sizeof(out), "SOME_OPTIONS", &error),
			HERALD_BAD_OPTION);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_string_equal(error.path, "struct_size");
		assert_string_equal(error.message, "struct_size: use SOME_OPTIONS, which sets it");
		assert_int_equal(
			herald_options_read(&given, &out, sizeof(out), "SOME_OPTIONS", NULL),
			HERALD_BAD_OPTION);
	}
}

static void
refusals_name_the_option(void **state)
{
	struct herald_error error;
	char longest[1000];

	(void)state;
	assert_int_equal(
		herald_option_refuse(&error, "threads", "must be at most %d, not %u", 4, 5u),
		HERALD_BAD_OPTION);
	assert_int_equal(error.status, HERALD_BAD_OPTION);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_string_equal(error.path, "threads");
	assert_string_equal(error.message, "threads: must be at most 4, not 5");

	/* The message is one printable line, whatever it quotes. */
	assert_int_equal(herald_option_refuse(&error, "path", "not \"%s\"", "/a\n\x1b"),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.message, "path: not \"/a\\n\\u001b\"");

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(herald_option_refuse(&error, longest, "%s", longest), HERALD_BAD_OPTION);
	assert_int_equal(strlen(error.path), sizeof(error.path) - 1);
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
	assert_int_equal(herald_option_refuse(NULL, "threads", "%d", 1), HERALD_BAD_OPTION);
}

/* A message alone says which option it is about, whatever its first word is. */
static void
messages_name_their_option(void **state)
{
	static const char *const texts[] = {"must be set", "2 is more than b, 1", "is", ""};
	struct herald_error error;
	char expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)herald_option_refuse(&error, "a", "%s", texts[i]);
		sprintf(expected, "a: %s", texts[i]);
		assert_string_equal(error.path, "a");
		assert_string_equal(error.message, expected);
	}
}

static void
ranges_are_checked(void **state)
{
	static const struct {
		uint64_t first, second;
		const char *path, *message; /* NULL: both are right */
	} rows[] = {
		{2, 0, NULL, NULL},
		{4, UINT64_MAX, NULL, NULL},
		{1, 0, "first", "first: must be at least 2, not 1"},
		{5, 0, "first", "first: must be at most 4, not 5"},
		{0, UINT64_MAX, "first", "first: must be at least 2, not 0"},
		{UINT64_MAX, 0, "first", "first: must be at most 4, not 18446744073709551615"},
		{3, 1, "second", "second: must be at most 0, not 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct herald_option_range ranges[] = {
			{"first", rows[i].first, 2, 4},
			{"second", rows[i].second, 0, i < 2 ? UINT64_MAX : 0},
		};
		struct herald_error error = {.path = "untouched"};
		enum herald_status expected = rows[i].path ? HERALD_BAD_OPTION : HERALD_OK;

		assert_int_equal(herald_option_ranges_check(ranges, 2, &error), expected);
		assert_int_equal(herald_option_ranges_check(ranges, 2, NULL), expected);
		assert_string_equal(error.path, rows[i].path ? rows[i].path : "untouched");
		if (rows[i].path)
			assert_string_equal(error.message, rows[i].message);
	}
	assert_int_equal(herald_option_ranges_check(NULL, 0, NULL), HERALD_OK);
}

/* With half of a pair, the array would silently be empty. */
static void
arrays_come_with_their_counts(void **state)
{
	static const char *const array[] = {"10.0.0.0/8"};
	struct herald_error error = {.path = "untouched"};

	(void)state;
	assert_int_equal(herald_option_array_check("list", "A_LIST", array, 1, &error), HERALD_OK);
	assert_int_equal(herald_option_array_check("list", "A_LIST", NULL, 0, &error), HERALD_OK);
	assert_string_equal(error.path, "untouched");
	assert_int_equal(herald_option_array_check("list", "A_LIST", array, 0, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "list");
	assert_string_equal(error.message,
			    "list: is set, but list_count is 0; A_LIST(array) sets both");
	assert_int_equal(herald_option_array_check("list", "A_LIST", NULL, 2, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.message,
			    "list: is NULL, but list_count is 2; A_LIST(array) sets both");
	assert_int_equal(herald_option_array_check("list", "A_LIST", NULL, 2, NULL),
			 HERALD_BAD_OPTION);
}

static void
allocators_are_whole(void **state)
{
	const struct herald_allocator all = herald_allocator_libc;
	struct herald_error error = {.path = ""};

	(void)state;
	for (unsigned bits = 0; bits < 8; bits++) {
		const struct herald_allocator some = {
			.allocate = bits & 1 ? all.allocate : NULL,
			.reallocate = bits & 2 ? all.reallocate : NULL,
			.release = bits & 4 ? all.release : NULL,
		};
		enum herald_status expected =
			bits == 0 || bits == 7 ? HERALD_OK : HERALD_BAD_OPTION;

		assert_int_equal(herald_allocator_check(&some, &error), expected);
		assert_int_equal(herald_allocator_check(&some, NULL), expected);
	}
	assert_string_equal(error.path, "allocator");
	assert_string_equal(error.message, "allocator: needs all three functions, or none");
}

static void
out_of_memory(void **state)
{
	struct herald_error error = {0};

	(void)state;
	assert_int_equal(herald_out_of_memory(&error), HERALD_NO_MEMORY);
	assert_int_equal(error.status, HERALD_NO_MEMORY);
	assert_string_equal(error.path, "");
	assert_string_equal(error.message, "out of memory");
	assert_int_equal(herald_out_of_memory(NULL), HERALD_NO_MEMORY);
}

static void
system_error(void **state)
{
	struct herald_error error = {.path = "/old"};

	(void)state;
	assert_int_equal(herald_system_error(&error, "cannot start", ENOENT), HERALD_SYSTEM);
	assert_int_equal(error.status, HERALD_SYSTEM);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_string_equal(error.path, "");
	assert_string_equal(error.message, "cannot start: No such file or directory");
	assert_int_equal(herald_system_error(NULL, "cannot start", ENOENT), HERALD_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(the_size_must_be_set),
		cmocka_unit_test(refusals_name_the_option),
		cmocka_unit_test(messages_name_their_option),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(arrays_come_with_their_counts),
		cmocka_unit_test(allocators_are_whole),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(system_error),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
