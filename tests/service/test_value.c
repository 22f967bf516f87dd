/*
 * herald/value.h: looking up a map's key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/value.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct herald_pair pairs[] = {
	{"source", "shop"},  {"version", "2"}, {"", "empty key"},
	{"empty value", ""}, {"Version", "3"},
};
static const struct herald_map map = {.pairs = pairs, .count = COUNT(pairs)};

static void
test_keys_that_are_there(void **state)
{
	(void)state;
	assert_ptr_equal(herald_map_get(&map, "source"), pairs[0].value);
	assert_string_equal(herald_map_get(&map, "version"), "2");
	assert_string_equal(herald_map_get(&map, "Version"), "3");
	assert_string_equal(herald_map_get(&map, ""), "empty key");
	assert_string_equal(herald_map_get(&map, "empty value"), "");
}

static void
test_keys_that_are_not(void **state)
{
	static const char *const keys[] = {"versio", "version2", "VERSION", "shop", " source", "2"};
	const struct herald_map shorter = {.pairs = pairs, .count = 1};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_null(herald_map_get(&map, keys[i]));
	assert_null(herald_map_get(&shorter, "version"));
}

static void
test_maps_without_entries(void **state)
{
	const struct herald_map absent = {.pairs = NULL};
	const struct herald_map empty = {.pairs = pairs, .count = 0};

	(void)state;
	assert_null(herald_map_get(&absent, "source"));
	assert_null(herald_map_get(&empty, "source"));
}

static const struct herald_json_pair json_pairs[] = {
	{"version", "2.10", {"2.10", 4}},
	{"tags", NULL, {"[]", 2}},
	{"", "", {"null", 4}},
	{"source", "shop", {NULL, 0}},
};

static void
test_maps_of_any_values(void **state)
{
	const struct herald_json_map any = {json_pairs, COUNT(json_pairs)};
	const struct herald_json_map shorter = {json_pairs, 3}, absent = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(json_pairs); i++) {
		assert_ptr_equal(herald_json_map_find(&any, json_pairs[i].key), &json_pairs[i]);
		assert_ptr_equal(herald_json_map_get(&any, json_pairs[i].key), json_pairs[i].text);
	}
	assert_null(herald_json_map_find(&any, "Source"));
	assert_null(herald_json_map_get(&any, "Source"));
	assert_null(herald_json_map_find(&shorter, "source"));
	assert_null(herald_json_map_get(&absent, "source"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_that_are_there),
		cmocka_unit_test(test_keys_that_are_not),
		cmocka_unit_test(test_maps_without_entries),
		cmocka_unit_test(test_maps_of_any_values),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
