/*
 * herald/adapter/text.h: ASCII, and the values of headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/text.h>
#include <herald/array.h>

/* RFC 9110 section 5.6.2. */
static void
tokens_have_certain_bytes(void **state)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool is_allowed = byte != 0 && strchr(allowed, byte);
		char text[] = {(char)byte, ':', '\0'};

		assert_int_equal(herald_http_is_token_byte((char)byte), is_allowed);
		assert_int_equal(herald_http_token_bytes(text), is_allowed ? 1 : 0);
	}
}

/* RFC 9110 section 5.5. */
static void
values_are_trimmed(void **state)
{
	static const struct {
		const char *value, *trimmed;
	} rows[] = {
		{"", ""},         {" ", ""},      {" \t \t", ""},   {"a", "a"},
		{" a", "a"},      {"a\t", "a"},   {" a b ", "a b"}, {"\ta\tb \t", "a\tb"},
		{"\r a", "\r a"}, {"a\v", "a\v"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		struct herald_text found =
			herald_http_trimmed(rows[i].value, strlen(rows[i].value));

		assert_int_equal(found.bytes, strlen(rows[i].trimmed));
		assert_memory_equal(found.data, rows[i].trimmed, found.bytes);
	}
	/* No byte past the given ones is looked at. */
	assert_int_equal(herald_http_trimmed("a  b", 3).bytes, 1);
}

static void
numbers_are_in_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool is_number;
		uint64_t number;
	} rows[] = {
		{"0", 0, true, 0},
		{"007", 7, true, 7},
		{"8", 7, false, 0},
		{"10", 9, false, 0},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"65535", UINT16_MAX, true, 65535},
		{"65536", UINT16_MAX, false, 0},
		{"", 9, false, 0},
		{" 1", 9, false, 0},
		{"+1", 9, false, 0},
		{"1a", 9, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		uint64_t number = 99;

		assert_int_equal(herald_ascii_number(rows[i].text, rows[i].max, &number),
				 rows[i].is_number);
		assert_true(number == (rows[i].is_number ? rows[i].number : 99));
	}
}

/* What does not fit ends in "...", between two characters. */
static void
messages_that_are_cut_say_so(void **state)
{
	static const struct {
		size_t size;
		const char *text, *written;
	} rows[] = {
		{9, "12345678", "12345678"},
		{9, "123456789", "12345..."},
		{4, "1234", "..."},
		{3, "123", ".."},
		{1, "1", ""},
		{1, "", ""},
		{8, "123\u00fc\u00fc\u00fc", "123..."},
		{9, "a\nb", "a\\nb"},
		{9, "\xff", "\uFFFD"},
	};
	char out[2048], text[1025];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		memset(out, 'x', sizeof(out));
		herald_text_write(out, rows[i].size, "%s", rows[i].text);
		assert_string_equal(out, rows[i].written);
		assert_int_equal(out[rows[i].size], 'x');
	}
	/* However much room there is. */
	memset(text, 'a', sizeof(text));
	herald_text_write(out, sizeof(out), "%.*s", 1023, text);
	assert_int_equal(strlen(out), 1023);
	assert_int_equal(out[1022], 'a');
	herald_text_write(out, sizeof(out), "%.*s", 1024, text);
	assert_string_equal(out + strlen(out) - 4, "a...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_have_certain_bytes),
		cmocka_unit_test(values_are_trimmed),
		cmocka_unit_test(numbers_are_in_range),
		cmocka_unit_test(messages_that_are_cut_say_so),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
