/*
 * Writing JSON for people: line breaks, blanks and commas, in one line or indented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "json/writer/indented.h"

/* A document with each call, and each kind of nesting. */
static void
write_all(struct herald__indented *json)
{
	herald__indented_begin(json, '{');
	herald__indented_member(json, "text", "a\"\n");
	herald__indented_member(json, "left out", NULL);
	herald__indented_key(json, "null");
	herald__indented_text(json, NULL);
	herald__indented_key(json, "empty");
	herald__indented_begin(json, '{');
	herald__indented_end(json, '}');
	herald__indented_key(json, "list");
	herald__indented_begin(json, '[');
	herald__indented_natural(json, UINT64_MAX);
	herald__indented_integer(json, INT64_MIN);
	herald__indented_end(json, ']');
	herald__indented_key(json, "line");
	herald__indented_begin_line(json, '[');
	herald__indented_word(json, "1.5");
	herald__indented_begin_line(json, '{');
	herald__indented_key(json, "a");
	herald__indented_begin(json, '[');
	herald__indented_end(json, ']');
	herald__indented_member(json, "b", "c");
	herald__indented_end(json, '}');
	herald__indented_joined(json, "d", "e");
	herald__indented_end(json, ']');
	herald__indented_key(json, "last");
	herald__indented_begin(json, '[');
	herald__indented_word(json, "true");
	herald__indented_end(json, ']');
	herald__indented_end(json, '}');
}

static const struct {
	unsigned indent;
	const char *expected;
} cases[] = {
	{0, "{\"text\":\"a\\\"\\n\",\"null\":null,\"empty\":{},\"list\":[18446744073709551615,"
	    "-9223372036854775808],\"line\":[1.5,{\"a\":[],\"b\":\"c\"},\"de\"],\"last\":[true]}"},
	{1, "{\n"
	    " \"text\": \"a\\\"\\n\",\n"
	    " \"null\": null,\n"
	    " \"empty\": {},\n"
	    " \"list\": [\n"
	    "  18446744073709551615,\n"
	    "  -9223372036854775808\n"
	    " ],\n"
	    " \"line\": [1.5, {\"a\": [], \"b\": \"c\"}, \"de\"],\n"
	    " \"last\": [\n"
	    "  true\n"
	    " ]\n"
	    "}"},
};

static void
test_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct herald_buffer out;
		struct herald__indented json = {.out = &out, .indent = cases[i].indent};

		herald_buffer_init(&out, NULL, 0);
		write_all(&json);
		assert_int_equal(json.status, HERALD_OK);
		assert_int_equal(json.depth, 0);
		assert_int_equal(out.bytes, strlen(cases[i].expected));
		assert_memory_equal(out.data, cases[i].expected, out.bytes);
		herald_buffer_finish(&out);
	}
}

/* After an error, nothing is written, even if it had room. */
static void
test_error(void **state)
{
	struct herald_buffer out;
	struct herald__indented json = {.out = &out, .indent = 1};

	(void)state;
	herald_buffer_init(&out, NULL, 8);
	herald__indented_begin(&json, '{');
	herald__indented_member(&json, "a", "too long for it");
	assert_int_equal(json.status, HERALD_TOO_LARGE);
	assert_int_equal(out.bytes, 8);
	out.bytes = 1;
	write_all(&json);
	assert_int_equal(json.status, HERALD_TOO_LARGE);
	assert_int_equal(out.bytes, 1);
	herald_buffer_finish(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests_name("indented", tests, NULL, NULL);
}
