/*
 * herald/status.h and herald/version.h: every code has a name and a text; an error's message is one
 * line of UTF-8 whatever its content, also when it is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/status.h>
#include <herald/version.h>

/* U+FFFD, what stands for bytes that are not UTF-8. */
#define FFFD "\xEF\xBF\xBD"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const enum herald_status no_codes[] = {
	HERALD_STATUS_COUNT,
	(enum herald_status)(HERALD_STATUS_COUNT + 1),
	(enum herald_status)INT32_MAX,
	(enum herald_status) - 1,
};

/* The list of codes, written out: the test fails if a code or its name changes. */
static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(HERALD_OK, 0);
	assert_string_equal(herald_status_name(HERALD_OK), "HERALD_OK");
	assert_string_equal(herald_status_name(HERALD_NO_MEMORY), "HERALD_NO_MEMORY");
	assert_string_equal(herald_status_name(HERALD_BAD_JSON), "HERALD_BAD_JSON");
	assert_string_equal(herald_status_name(HERALD_UNKNOWN_MEMBER), "HERALD_UNKNOWN_MEMBER");
	assert_string_equal(herald_status_name(HERALD_UNKNOWN_VERSION), "HERALD_UNKNOWN_VERSION");
	for (int i = 0; i < HERALD_STATUS_COUNT; i++) {
		const char *name = herald_status_name((enum herald_status)i);

		assert_int_equal(strncmp(name, "HERALD_", 7), 0);
		assert_true(strlen(name) > 7);
		for (const char *c = name; *c; c++)
			assert_true(isupper((unsigned char)*c) || isdigit((unsigned char)*c) ||
				    *c == '_');
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name, herald_status_name((enum herald_status)j));
	}
}

static void
test_texts(void **state)
{
	(void)state;
	assert_string_equal(herald_status_text(HERALD_BAD_JSON), "not valid JSON");
	assert_string_equal(herald_status_text(HERALD_NO_MEMORY), "out of memory");
	for (int i = 0; i < HERALD_STATUS_COUNT; i++) {
		const char *text = herald_status_text((enum herald_status)i);

		assert_true(strlen(text) > 1);
		assert_null(strchr(text, '\n'));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(text, herald_status_text((enum herald_status)j));
	}
}

static void
test_which_may_retry(void **state)
{
	(void)state;
	for (int i = 0; i < HERALD_STATUS_COUNT; i++)
		assert_int_equal(herald_status_may_retry((enum herald_status)i),
				 i == HERALD_NO_MEMORY || i == HERALD_SYSTEM ||
					 i == HERALD_UNAVAILABLE || i == HERALD_UNKNOWN_OUTCOME ||
					 i == HERALD_STORE_FAILED);
}

static void
test_values_that_are_no_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(no_codes); i++) {
		assert_string_equal(herald_status_name(no_codes[i]), "HERALD_?");
		assert_true(strlen(herald_status_text(no_codes[i])) > 0);
		assert_false(herald_status_may_retry(no_codes[i]));
	}
}

static void
test_error_is_filled_in(void **state)
{
	struct herald_error error;

	(void)state;
	memset(&error, '#', sizeof(error));
	assert_int_equal(herald_error_set(&error, HERALD_BAD_FORMAT, 83, "tag %d, not %s", 7, "8"),
			 HERALD_BAD_FORMAT);
	assert_int_equal(error.status, HERALD_BAD_FORMAT);
	assert_int_equal(error.offset, 83);
	assert_string_equal(error.path, "");
	assert_string_equal(error.message, "tag 7, not 8");

	assert_int_equal(herald_error_set(&error, HERALD_SYSTEM, HERALD_NO_OFFSET, "%s", ""),
			 HERALD_SYSTEM);
	assert_int_equal(error.offset, HERALD_NO_OFFSET);
	assert_string_equal(error.message, "");
}

static void
test_no_error_struct(void **state)
{
	(void)state;
	assert_int_equal(herald_error_set(NULL, HERALD_BAD_UTF8, 1, "%s", "unseen"),
			 HERALD_BAD_UTF8);
}

static void
test_its_own_texts_as_arguments(void **state)
{
	struct herald_error error = {.path = "/payload/user_id", .message = "too long"};

	(void)state;
	assert_int_equal(herald_error_set(&error, HERALD_BAD_LENGTH, 0, "at %s: %s", error.path,
					  error.message),
			 HERALD_BAD_LENGTH);
	assert_string_equal(error.message, "at /payload/user_id: too long");
	assert_string_equal(error.path, "");
}

/* `lead` bytes of 'a', then the text: so many of them are left, and what is behind them; 255 bytes
 * fit. */
static const struct {
	size_t lead;
	const char *text;
	size_t kept;
	const char *left;
} cut[] = {
	{254, "b", 254, "b"},
	{254, "bc", 252, "..."},
	{255, "b", 252, "..."},
	{300, "", 252, "..."},
	{251, "bcde", 251, "bcde"},
	{251, "bcdef", 251, "b..."},
	/* Characters of 2, 3 and 4 bytes: whole, or not at all. */
	{253, "\xC3\xA9", 253, "\xC3\xA9"},
	{254, "\xC3\xA9", 252, "..."},
	{251, "\xC3\xA9\xC3\xA9", 251, "\xC3\xA9\xC3\xA9"},
	{251, "\xC3\xA9\xC3\xA9z", 251, "..."},
	{250, "\xC3\xA9\xC3\xA9zz", 250, "\xC3\xA9..."},
	{252, "\xE2\x82\xAC", 252, "\xE2\x82\xAC"},
	{253, "\xE2\x82\xAC", 252, "..."},
	{249, "\xE2\x82\xAC....", 249, "\xE2\x82\xAC..."},
	{250, "\xE2\x82\xAC...", 250, "..."},
	{251, "\xF0\x9F\x98\x80", 251, "\xF0\x9F\x98\x80"},
	{252, "\xF0\x9F\x98\x80", 252, "..."},
	{254, "\xF0\x9F\x98\x80", 252, "..."},
	{249, "\xF0\x9F\x98\x80zzz", 249, "..."},
	/* So are escapes. */
	{253, "\n", 253, "\\n"},
	{254, "\n", 252, "..."},
	{249, "\x1B", 249, "\\u001b"},
	{250, "\x1B", 250, "..."},
	{246, "\x1B----", 246, "\\u001b..."},
	/* Bytes that are not UTF-8 may be the beginning of a character, if they come last. */
	{252, "\xE2\x82zz", 252, "..."},
	{253, "\xE2\x82zz", 252, "..."},
};

static void
test_message_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cut); i++) {
		struct herald_error error;
		char text[512] = "", expected[512] = "";

		memset(text, 'a', cut[i].lead);
		strcpy(text + cut[i].lead, cut[i].text);
		memset(expected, 'a', cut[i].kept);
		strcpy(expected + cut[i].kept, cut[i].left);

		memset(&error, '#', sizeof(error));
		(void)herald_error_set(&error, HERALD_BAD_VALUE, 0, "%s", text);
		assert_string_equal(error.message, expected);
	}
}

static void
test_message_is_one_line_of_utf8(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"two\nlines", "two\\nlines"},
		{"a\ttab, \x1B[31m red, \x7F", "a\\ttab, \\u001b[31m red, \\u007f"},
		{"\xC2\x9B", "\\u009b"},
		{"a NEL\xC2\x85, a separator\xE2\x80\xA8", "a NEL\\u0085, a separator\\u2028"},
		{"\xE2\x80\xAEtxt.exe\xE2\x81\xA6", "\\u202etxt.exe\\u2066"},
		{"C:\\new \"x\"", "C:\\new \"x\""},
		{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
		{"Latin-1 \xE9!", "Latin-1 " FFFD "!"},
		{"cut off \xE2\x82", "cut off " FFFD},
		{"surrogate \xED\xA0\x80", "surrogate " FFFD FFFD FFFD},
		{"overlong \xC0\xAF", "overlong " FFFD FFFD},
		{"past the end \xF4\x90\x80\x80", "past the end " FFFD FFFD FFFD FFFD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;

		(void)herald_error_set(&error, HERALD_BAD_VALUE, 0, "%s", cases[i].text);
		assert_string_equal(error.message, cases[i].message);
	}
}

/* What herald_error_print() writes, to be freed. */
static char *
printed(const char *program, const struct herald_error *error)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	herald_error_print(stream, program, error);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strlen(text), bytes);
	return text;
}

#define NOWHERE HERALD_NO_OFFSET

static void
test_error_is_printed_as_one_line(void **state)
{
	static const struct {
		const char *program;
		struct herald_error error;
		const char *line;
	} cases[] = {
		{"shop",
		 {HERALD_MISSING, 84, "/payload/user_id", "missing"},
		 "shop: /payload/user_id: missing (byte 84)\n"},
		{"shop",
		 {HERALD_BAD_OPTION, NOWHERE, "routes[1].version", "no version"},
		 "shop: routes[1].version: no version\n"},
		{"shop", {HERALD_SYSTEM, NOWHERE, "", "in use"}, "shop: in use\n"},
		{"shop", {HERALD_BAD_JSON, 0, "", "no value"}, "shop: no value (byte 0)\n"},
		{NULL, {HERALD_SYSTEM, NOWHERE, "", "in use"}, "in use\n"},
		{NULL, {HERALD_MISSING, 1, "/a", "missing"}, "/a: missing (byte 1)\n"},
		/* The message contains the path, or only seems to. */
		{"shop",
		 {HERALD_BAD_OPTION, NOWHERE, "threads", "threads: must be at most 8"},
		 "shop: threads: must be at most 8\n"},
		{"shop", {HERALD_BAD_OPTION, NOWHERE, "path", "path: '/'"}, "shop: path: '/'\n"},
		{"shop",
		 {HERALD_BAD_OPTION, NOWHERE, "path", "paths begin with '/'"},
		 "shop: path: paths begin with '/'\n"},
		{"shop",
		 {HERALD_BAD_OPTION, NOWHERE, "path", "the path begins with '/'"},
		 "shop: path: the path begins with '/'\n"},
		/* Filled in by hand: {.message = "cannot listen"}. */
		{"shop", {HERALD_OK, 0, "", "cannot listen"}, "shop: cannot listen\n"},
		/* There is only a status. */
		{"shop", {HERALD_BAD_JSON, 7, "/a", ""}, "shop: /a: not valid JSON (byte 7)\n"},
		{"shop", {HERALD_BAD_JSON, NOWHERE, "", ""}, "shop: not valid JSON\n"},
		/* Safe for a terminal, whoever filled the error in. */
		{"a\nb",
		 {HERALD_MISSING, NOWHERE, "/a\r\x1B[2J", "x\ny\xC2\x9B\xFF"},
		 "a\\nb: /a\\r\\u001b[2J: x\\ny\\u009b" FFFD "\n"},
		/* The name of the value is printed once. */
		{NULL, {HERALD_BAD_TYPE, 1, "/a", "a: expected"}, "/a: expected (byte 1)\n"},
		{"shop",
		 {HERALD_BAD_TYPE, 9, "/payload/lines/0/sku", "sku: expected a string"},
		 "shop: /payload/lines/0/sku: expected a string (byte 9)\n"},
		{"shop",
		 {HERALD_BAD_TYPE, 9, "/payload/tags/0", "tags/0: expected a string"},
		 "shop: /payload/tags/0: expected a string (byte 9)\n"},
		{"shop",
		 {HERALD_BAD_TYPE, 9, "/payload/tags", "tag: expected"},
		 "shop: /payload/tags: tag: expected (byte 9)\n"},
		{"\xC3\xA9",
		 {HERALD_MISSING, NOWHERE, "/\xC3\xA9", "z"},
		 "\xC3\xA9: /\xC3\xA9: z\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *line = printed(cases[i].program, &cases[i].error);

		assert_string_equal(line, cases[i].line);
		free(line);
	}
}

/* Path and message of full length are there whole, whatever the program is called. */
static void
test_nothing_of_an_error_is_cut(void **state)
{
	struct herald_error error = {.status = HERALD_LIMIT, .offset = NOWHERE - 1};
	char program[5000], end[600];

	(void)state;
	memset(program, 'p', sizeof(program) - 1);
	program[sizeof(program) - 1] = '\0';
	memset(error.path, '/', sizeof(error.path) - 1);
	memset(error.message, 'm', sizeof(error.message) - 1);
	snprintf(end, sizeof(end), "p: %s: %s (byte %zu)\n", error.path, error.message,
		 error.offset);

	char *line = printed(program, &error);
	assert_true(strlen(line) > strlen(end));
	assert_true(strlen(line) <= 1024);
	assert_string_equal(line + strlen(line) - strlen(end), end);
	free(line);
}

static void
test_version(void **state)
{
	(void)state;
	assert_string_equal(herald_version(), HERALD_VERSION);
	assert_ptr_equal(herald_version(), herald_version());
}

#if HERALD_VERSION_NUMBER < 1 || HERALD_VERSION_NUMBER > 0xFFFFFF
#error "HERALD_VERSION_NUMBER is of no use to the preprocessor"
#endif

static void
test_version_number(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%d.%d.%d", HERALD_VERSION_NUMBER >> 16,
		 HERALD_VERSION_NUMBER >> 8 & 0xFF, HERALD_VERSION_NUMBER & 0xFF);
	assert_string_equal(text, HERALD_VERSION);
	assert_int_equal(herald_version_number(), HERALD_VERSION_NUMBER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_which_may_retry),
		cmocka_unit_test(test_values_that_are_no_codes),
		cmocka_unit_test(test_error_is_filled_in),
		cmocka_unit_test(test_no_error_struct),
		cmocka_unit_test(test_its_own_texts_as_arguments),
		cmocka_unit_test(test_message_is_cut_between_characters),
		cmocka_unit_test(test_message_is_one_line_of_utf8),
		cmocka_unit_test(test_error_is_printed_as_one_line),
		cmocka_unit_test(test_nothing_of_an_error_is_cut),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_version_number),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
