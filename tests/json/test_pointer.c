/*
 * pointer.h: which texts are JSON Pointers, where they lead in documents, valid or not, and what
 * the text of a value is. Their use in a service is tested in test_identity.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/failing_allocator.h"
#include "json/reader/pointer.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static struct herald_arena *arena;

static int
setup(void **state)
{
	(void)state;
	return herald_arena_create(NULL, 0, &arena) == HERALD_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	herald_arena_destroy(arena);
	return 0;
}

static struct herald__pointer
parse(const char *text)
{
	struct herald__pointer pointer;
	const char *problem;

	if (herald__pointer_parse(text, arena, &pointer, &problem) != HERALD_OK)
		fail_msg("%s: %s", text, problem);
	return pointer;
}

static void
test_parsing(void **state)
{
	static const struct {
		const char *text, *tokens[4];
	} rows[] = {
		{"/", {""}},
		{"/a", {"a"}},
		{"/a/b", {"a", "b"}},
		{"//", {"", ""}},
		{"/a/", {"a", ""}},
		{"/~0~1/~01/x~1", {"~/", "~1", "x/"}},
		{"/0/-/01", {"0", "-", "01"}},
		{"/\xC3\xA9 \"\\", {"\xC3\xA9 \"\\"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__pointer pointer = parse(rows[i].text);

		assert_string_equal(pointer.text, rows[i].text);
		for (size_t j = 0; j < pointer.tokens_count; j++) {
			const char *token = rows[i].tokens[j] ? rows[i].tokens[j] : "none";

			assert_int_equal(pointer.tokens[j].bytes, strlen(token));
			assert_memory_equal(pointer.tokens[j].data, token, pointer.tokens[j].bytes);
		}
		assert_null(rows[i].tokens[pointer.tokens_count]);
	}
}

static void
test_what_is_not_a_pointer(void **state)
{
	static const char *const texts[] = {"",    "a",     "a/b",  "#/a",  " /a",
					    "/a~", "/~2/a", "/~~0", "/\xFF"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct herald__pointer pointer;
		const char *problem = NULL;

		assert_int_equal(herald__pointer_parse(texts[i], arena, &pointer, &problem),
				 HERALD_BAD_VALUE);
		assert_non_null(problem);
	}
}

/* In a block of its own, so that ASan sees every byte read too much. */
static struct herald__pointed
find_in(const char *text, const char *json, size_t bytes, char **block)
{
	const struct herald__pointer pointer = parse(text);
	struct herald__pointed pointed;

	*block = malloc(bytes ? bytes : 1);
	assert_non_null(*block);
	memcpy(*block, json, bytes);
	herald__pointer_find(&pointer, *block, bytes, &pointed);
	assert_memory_equal(*block, json, bytes);
	return pointed;
}

static void
test_finding(void **state)
{
	/* The value, or NULL; where the '@', which is not part of the document, is. */
	static const struct {
		const char *json, *pointer, *value;
	} rows[] = {
		{"{\"a\":@1}", "/a", "1"},
		{" { \"a\" : @1 } ", "/a", "1"},
		{"{\"a\":@\"x\\\"}\"}", "/a", "\"x\\\"}\""},
		{"{\"b\":{\"a\":1},\"a\":@true}", "/a", "true"},
		{"{\"b\":[{\"a\":\"]}\"}, 1],\"a\":@null,\"a\":2}", "/a", "null"},
		{"{\"b\":\"{\\\\\",\"a\":@-1.5e3}", "/a", "-1.5e3"},
		{"{\"a\":@{\"b\": [1]} }", "/a", "{\"b\": [1]}"},
		{"{\"a\":{\"b\":{\"c\":@[]}}}", "/a/b/c", "[]"},
		{"{\"\":@0}", "/", "0"},
		{"{\"\":{\"\":@0}}", "//", "0"},
		{"{\"a/b\":{\"~\":@0}}", "/a~1b/~0", "0"},
		{"{\"\\u0061\\/\":@0}", "/a~1", "0"},
		{"{\"\\ud83d\\ude00\\\"\":@0}", "/\xF0\x9F\x98\x80\"", "0"},
		{"[@1]", "/0", "1"},
		{"[1, [] ,@{\"a\":2}]", "/2", "{\"a\":2}"},
		{"{\"a\":[0,1,2,3,4,5,6,7,8,9,@10]}", "/a/10", "10"},
		{"{\"0\":@1}", "/0", "1"},
		{"{\"01\":@1,\"-\":2}", "/01", "1"},
		{"{\"01\":1,\"-\":@2}", "/-", "2"},
		/* Nowhere: the innermost value on the way. */
		{"@{}", "/a", NULL},
		{"@{\"b\":1}", "/a", NULL},
		{"@{\"aa\":1,\"A\":2}", "/a", NULL},
		{"@{\"\\u0062\":1}", "/a", NULL},
		{"{\"a\":@{}}", "/a/b", NULL},
		{"{\"a\":@1}", "/a/b", NULL},
		{"{\"a\":@\"b\"}", "/a/0", NULL},
		{"{\"a\":@[]}", "/a/0", NULL},
		{"{\"a\":@[1]}", "/a/1", NULL},
		{"{\"a\":@[1]}", "/a/00", NULL},
		{"{\"a\":@[1]}", "/a/-", NULL},
		{"{\"a\":@[1]}", "/a/", NULL},
		{"{\"a\":@[1,2]}", "/a/18446744073709551616", NULL},
		{"{\"a\":@[1,2]}", "/a/4294967296", NULL},
		{"@\"a\"", "/a", NULL},
		/* What is not valid: anything but a read outside. */
		{"@", "/a", NULL},
		{"@{", "/a", NULL},
		{"@{\"a", "/a", NULL},
		{"@{\"a\"", "/a", NULL},
		{"@{\"a\":", "/a", NULL},
		{"{\"a\":@\"", "/a", NULL},
		{"{\"a\":@\"\\", "/a", NULL},
		{"{\"a\":@[", "/a", NULL},
		{"{\"a\":@[", "/a/0", NULL},
		{"@{\"b\":1 \"a\":2}", "/a", NULL},
		{"@{\"b\" 1,\"a\":2}", "/a", NULL},
		{"@{\"\\u00\":1}", "/a", NULL},
		{"@{\"\\x61\":1}", "/a", NULL},
		{"@{,}", "/a", NULL},
		{"@[,]", "/1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *mark = strchr(rows[i].json, '@');
		size_t offset = (size_t)(mark - rows[i].json), bytes = strlen(rows[i].json) - 1;
		char json[200], *block;

		memcpy(json, rows[i].json, offset);
		strcpy(json + offset, mark + 1);
		struct herald__pointed pointed = find_in(rows[i].pointer, json, bytes, &block);
		if (pointed.offset != offset || !pointed.json.data != !rows[i].value)
			fail_msg("%s: %s at %zu: %.*s", rows[i].json, rows[i].pointer,
				 pointed.offset, (int)pointed.json.bytes, pointed.json.data);
		if (rows[i].value) {
			assert_int_equal(pointed.json.bytes, strlen(rows[i].value));
			assert_memory_equal(pointed.json.data, rows[i].value, pointed.json.bytes);
			assert_ptr_equal(pointed.json.data, block + offset);
		}
		free(block);
	}
}

/* A document cut anywhere, and one with any byte replaced. */
static void
test_damaged_documents(void **state)
{
	static const char json[] =
		"{\"x\":[{\"a\":\"\\\"]}\"},null],\"\\u0061\":{\"b\\/\":[1,{\"c\":"
		"\"\\u00e9\"}]}}";
	static const char bytes[] = "{}[],:\"\\ u0\x80";

	(void)state;
	for (size_t cut = 0; cut < sizeof(json); cut++) {
		char *block;

		find_in("/a/b~1/1/c", json, cut, &block);
		free(block);
		for (size_t i = 0; i < sizeof(bytes) && cut < sizeof(json) - 1; i++) {
			char damaged[sizeof(json)];

			memcpy(damaged, json, sizeof(json));
			damaged[cut] = bytes[i];
			find_in("/a/b~1/1/c", damaged, sizeof(json) - 1, &block);
			free(block);
		}
		herald_arena_reset(arena);
	}
}

/* Documents from a grammar, in which the pointer is known from how they were made. */
struct maker {
	unsigned seed;
	char json[8192], pointer[256], value[256];
	size_t value_at;
};

static unsigned
draw(struct maker *maker, unsigned below)
{
	maker->seed = maker->seed * 1103515245 + 12345;
	return (maker->seed >> 16) % below;
}

static void
put(struct maker *maker, const char *text)
{
	strcat(maker->json, text);
}

static void
put_space(struct maker *maker)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t"};

	put(maker, spaces[draw(maker, COUNT(spaces))]);
}

static void
put_scalar(struct maker *maker)
{
	static const char *const scalars[] = {"1",    "-0.5e+10", "true",         "null",
					      "\"\"", "\"a}]\"",  "\"\\\\\\\"\"", "\"\\u00e9,\""};

	put(maker, scalars[draw(maker, COUNT(scalars))]);
}

static void put_value(struct maker *maker, unsigned depth, bool on_the_way);

/* Members of names that differ by their number, as JSON and as a token. */
static void
put_item(struct maker *maker, unsigned depth, bool object, unsigned index, bool on_the_way)
{
	static const struct {
		const char *json, *token;
	} names[] = {{"a", "a"},       {"\\u0061", "a"},    {"~", "~0"}, {"\\/", "~1"},
		     {"/~1", "~1~01"}, {"\\n\\\"", "\n\""}, {"", ""},    {"{[,:", "{[,:"}};
	unsigned name = draw(maker, COUNT(names));
	char text[40];

	put_space(maker);
	if (object) {
		snprintf(text, sizeof(text), "\"%s%u\"", names[name].json, index);
		put(maker, text);
		put_space(maker);
		put(maker, ":");
		put_space(maker);
	}
	if (on_the_way) {
		snprintf(text, sizeof(text), "/%s%u", object ? names[name].token : "", index);
		strcat(maker->pointer, text);
	}
	put_value(maker, depth, on_the_way);
	put_space(maker);
}

static void
put_value(struct maker *maker, unsigned depth, bool on_the_way)
{
	size_t begin = strlen(maker->json);

	if (depth == 0 || (!on_the_way && draw(maker, 2) == 0)) {
		put_scalar(maker);
	} else {
		bool object = draw(maker, 3) > 0;
		unsigned count = draw(maker, 5) + on_the_way, chosen = draw(maker, count + !count);

		put(maker, object ? "{" : "[");
		for (unsigned i = 0; i < count; i++) {
			if (i > 0)
				put(maker, ",");
			put_item(maker, depth - 1, object, i, on_the_way && i == chosen);
		}
		put(maker, object ? "}" : "]");
	}
	if (on_the_way && depth == 0) {
		maker->value_at = begin;
		snprintf(maker->value, sizeof(maker->value), "%s", maker->json + begin);
	}
}

static void
test_random_documents(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		struct maker maker = {.seed = seed * 2654435761u};
		char *block;

		put_space(&maker);
		put_value(&maker, 1 + seed % 4, true);
		put_space(&maker);
		assert_true(strlen(maker.json) < sizeof(maker.json) - 1);
		struct herald__pointed pointed =
			find_in(maker.pointer, maker.json, strlen(maker.json), &block);
		if (!pointed.json.data || pointed.offset != maker.value_at ||
		    pointed.json.bytes != strlen(maker.value) ||
		    memcmp(pointed.json.data, maker.value, pointed.json.bytes) != 0)
			fail_msg("seed %u: %s in %s", seed, maker.pointer, maker.json);
		free(block);
		herald_arena_reset(arena);
	}
}

static void
test_texts(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"\"\"", ""},
		{"\"a\\u00e9\\n\"", "a\xC3\xA9\n"},
		{"2", "2"},
		{"2.10", "2.10"},
		{"-1E+2", "-1E+2"},
		{"true", "true"},
		{"false", "false"},
		{"null", NULL},
		{"{}", NULL},
		{"[1]", NULL},
		{"\"\\u0000\"", NULL},
		{"\"1\\u0000\"", NULL},
		{"\"\\x\"", NULL},
		{"\"\xFF\"", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_json json = {rows[i].json, strlen(rows[i].json)};
		const char *text = "untouched";

		assert_int_equal(herald__pointed_text(&json, arena, &text), HERALD_OK);
		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(text);
	}
	const char *text;
	assert_int_equal(herald__pointed_text(&(struct herald_json){NULL, 0}, arena, &text),
			 HERALD_OK);
	assert_null(text);
}

static void
test_every_allocation_fails(void **state)
{
	static const char json[] = "{\"\\u0062\":1,\"\\u0061\":\"\\u0063\"}";

	(void)state;
	for (size_t at = 1;; at++) {
		struct failing_allocator memory;
		struct herald_arena *small;
		struct herald__pointer pointer;
		struct herald__pointed pointed;
		const char *problem, *text = NULL;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		assert_int_equal(herald_arena_create(&memory.allocator, 0, &small), HERALD_OK);
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + at;
		enum herald_status status = herald__pointer_parse("/a", small, &pointer, &problem);
		if (status == HERALD_OK) {
			/* The chunk is full. */
			while (herald_arena_used_bytes(small) < 4096)
				(void)herald_arena_alloc(small, 16);
			herald__pointer_find(&pointer, json, sizeof(json) - 1, &pointed);
			status = herald__pointed_text(&pointed.json, small, &text);
		}
		assert_int_equal(status, memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
		if (status == HERALD_OK)
			assert_string_equal(text, "c");
		size_t failures = memory.failures;
		herald_arena_destroy(small);
		assert_all_released(&memory);
		if (failures == 0) {
			assert_true(at > 2);
			break;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsing),
		cmocka_unit_test(test_what_is_not_a_pointer),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_damaged_documents),
		cmocka_unit_test(test_random_documents),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
