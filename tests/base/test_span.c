/*
 * base/span.h: attributes of spans, and their times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

static void
attributes_are_added(void **state)
{
	struct herald__span filled = {0};

	(void)state;
	filled.span.attributes = filled.attributes;
	herald__span_add_text(&filled, "a", "text");
	herald__span_add_text(&filled, "b", "");
	herald__span_add_text(&filled, "c", NULL);
	herald__span_add_number(&filled, "d", 0);
	herald__span_add_number(&filled, "e", INT64_MIN);
	assert_int_equal(filled.span.attributes_count, 3);
	assert_string_equal(filled.span.attributes[0].key, "a");
	assert_string_equal(filled.span.attributes[0].text, "text");
	assert_string_equal(filled.span.attributes[1].key, "d");
	assert_null(filled.span.attributes[1].text);
	assert_int_equal(filled.span.attributes[1].number, 0);
	assert_string_equal(filled.span.attributes[2].key, "e");
	assert_true(filled.span.attributes[2].number == INT64_MIN);
}

/* The wall clock may be set back while a span is open. */
static void
a_span_does_not_end_before_it_begins(void **state)
{
	static const struct {
		int64_t begin, now, end;
	} rows[] = {{5, 7, 7}, {5, 5, 5}, {5, 4, 5}, {5, -1, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct herald__span filled = {.span = {.begin_ns = rows[i].begin}};

		herald__span_set_end(&filled, rows[i].now);
		assert_int_equal(filled.span.end_ns, rows[i].end);
	}
	assert_true(herald__span_now_ns() > INT64_C(1700000000) * 1000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_added),
		cmocka_unit_test(a_span_does_not_end_before_it_begins),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
