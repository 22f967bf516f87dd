/*
 * The headers that Herald adds to copies of messages, for all brokers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/array.h>

#define TEXT(LITERAL)                                                                              \
	{                                                                                          \
		LITERAL, sizeof(LITERAL) - 1                                                       \
	}

static void
test_attributes(void **state)
{
	const struct herald_text attributes = TEXT("a\0001\0B\0\0b\0002\0cut\0off");

	(void)state;
	assert_string_equal(herald_attributes_find(attributes, "A"), "1");
	assert_string_equal(herald_attributes_find(attributes, "b"), "");
	assert_null(herald_attributes_find(attributes, "cut"));
	assert_null(herald_attributes_find(attributes, "1"));
	assert_null(herald_attributes_find((struct herald_text){NULL, 0}, "a"));
}

static void
test_attempts(void **state)
{
	static const struct {
		struct herald_text attributes;
		unsigned attempts;
	} cases[] = {
		{TEXT("herald-attempt\0003\0"), 3},
		{TEXT("Herald-Attempt\0001000000\0"), 1000000},
		{TEXT("herald-attempt\0001000001\0"), 0},
		{TEXT("herald-attempt\0-1\0"), 0},
		{TEXT("herald-attempt\0\0"), 0},
		{TEXT("herald-attempt\0003 \0"), 0},
		{TEXT("x\0003\0"), 0},
		{{NULL, 0}, 0},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		assert_int_equal(herald_attributes_attempts(cases[i].attributes),
				 cases[i].attempts);
}

static const char *
header(const struct herald_dead_letter_headers *letter, const char *name)
{
	for (size_t i = 0; i < letter->count; i++)
		if (strcmp(letter->headers[i].key, name) == 0)
			return letter->headers[i].value;
	return NULL;
}

static void
test_headers(void **state)
{
	struct herald_dead_letter_headers letter;
	struct herald_error error;
	struct herald_settlement settlement = {
		.kind = HERALD_SETTLE_DEAD,
		.attempts = 3,
		.error = &error,
		.http_status = 422,
		.failed_ms = 1795967640123,
		.event_id = "o-1",
	};
	static const char *const names[] = {
		"herald-reason", "herald-path", "herald-status",    "herald-attempts",
		"herald-origin", "herald-id",   "herald-failed-at",
	};

	(void)state;
	herald_error_set(&error, HERALD_BAD_VALUE, 7, "no good");
	strcpy(error.path, "/payload/id");
	herald_dead_letter_describe(&settlement, "orders", &letter);
	assert_int_equal(letter.count, HERALD_DEAD_LETTER_HEADERS);
	for (size_t i = 0; i < letter.count; i++) {
		assert_string_equal(letter.headers[i].key, names[i]);
		assert_true(herald_header_is_own(names[i]));
	}
	assert_string_equal(header(&letter, "herald-reason"), "no good");
	assert_string_equal(header(&letter, "herald-path"), "/payload/id");
	assert_string_equal(header(&letter, "herald-status"), "422");
	assert_string_equal(header(&letter, "herald-attempts"), "3");
	assert_string_equal(header(&letter, "herald-origin"), "orders");
	assert_string_equal(header(&letter, "herald-id"), "o-1");
	assert_string_equal(header(&letter, "herald-failed-at"), "2026-11-29T15:54:00.123Z");

	settlement.http_status = 0;
	herald_dead_letter_describe(&settlement, "orders", &letter);
	assert_string_equal(header(&letter, "herald-status"), "HERALD_BAD_VALUE");
}

/* What is not known is left out. */
static void
test_unknown(void **state)
{
	struct herald_dead_letter_headers letter;
	struct herald_error error;
	const struct herald_settlement settlement = {
		.kind = HERALD_SETTLE_DEAD, .error = &error, .failed_ms = -1, .event_id = NULL};

	(void)state;
	herald_error_set(&error, HERALD_OK, HERALD_NO_OFFSET, "no good");
	herald_dead_letter_describe(&settlement, "orders", &letter);
	assert_int_equal(letter.count, 4);
	assert_null(header(&letter, "herald-path"));
	assert_null(header(&letter, "herald-status"));
	assert_null(header(&letter, "herald-id"));
	assert_string_equal(header(&letter, "herald-attempts"), "0");
	assert_string_equal(header(&letter, "herald-failed-at"), "1969-12-31T23:59:59.999Z");
}

/* Whatever texts there are, a value is one line of printable UTF-8, and fits. */
static void
test_texts(void **state)
{
	char id[300];
	struct herald_dead_letter_headers letter;
	struct herald_error error = {.message = "a\r\nherald-id: forged\x9b \xff"};
	const struct herald_settlement settlement = {.kind = HERALD_SETTLE_DEAD,
						     .attempts = UINT32_MAX,
						     .error = &error,
						     .http_status = 4000000000u,
						     .failed_ms = 253402300799999,
						     .event_id = id};

	(void)state;
	memset(id, 'x', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	memset(error.path, 'p', sizeof(error.path) - 1);
	herald_dead_letter_describe(&settlement, "orders", &letter);
	assert_string_equal(header(&letter, "herald-reason"),
			    "a\\r\\nherald-id: forged\xEF\xBF\xBD \xEF\xBF\xBD");
	assert_int_equal(strlen(header(&letter, "herald-path")), 255);
	assert_int_equal(strlen(header(&letter, "herald-id")), 255);
	assert_string_equal(header(&letter, "herald-id") + 252, "...");
	assert_string_equal(header(&letter, "herald-failed-at"), "9999-12-31T23:59:59.999Z");
}

static void
test_own(void **state)
{
	(void)state;
	assert_true(herald_header_is_own(HERALD_ATTEMPT_HEADER));
	assert_true(herald_header_is_own("Herald-Reason"));
	assert_false(herald_header_is_own("herald-reasons"));
	assert_false(herald_header_is_own("herald-"));
	assert_false(herald_header_is_own("ce-id"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes), cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_headers),    cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_texts),      cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
