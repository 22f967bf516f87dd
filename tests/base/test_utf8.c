/*
 * Which bytes are valid UTF-8, compared with RFC 3629 section 4. Tests every sequence at the bounds
 * of its ranges, at every place of a text that is checked in blocks, including its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/utf8.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The first and last byte of every range of the RFC, and their neighbours. */
static const unsigned char bounds[] = {
	'a',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
	0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
};

/* The table of RFC 3629 section 4, without ASCII. */
static const unsigned char sequences[][4][2] = {
	{{0xC2, 0xDF}, {0x80, 0xBF}},
	{{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
	{{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
	{{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
	{{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
	{{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
	{{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
	{{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

static size_t
sequence_bytes(const unsigned char *at, size_t left)
{
	if (at[0] < 0x80)
		return 1;
	for (size_t i = 0; i < COUNT(sequences); i++) {
		size_t n = 0;

		while (n < 4 && sequences[i][n][1] != 0 && n < left &&
		       at[n] >= sequences[i][n][0] && at[n] <= sequences[i][n][1])
			n++;
		if (n == 4 || (n > 0 && sequences[i][n][1] == 0))
			return n;
	}
	return 0;
}

static bool
is_utf8(const unsigned char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		size_t n = sequence_bytes(text + at, bytes - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

/* In memory of exactly its size. */
static char *exact;

static void
check(const unsigned char *text, size_t bytes)
{
	char *copy = exact + 256 - bytes;

	memcpy(copy, text, bytes);
	assert_int_equal(herald_utf8_sequence_bytes(copy, bytes),
			 bytes > 0 ? sequence_bytes(text, bytes) : 0);
	if (herald__is_utf8(copy, bytes) == is_utf8(text, bytes))
		return;
	for (size_t i = 0; i < bytes; i++)
		print_message("# %02X\n", text[i]);
	fail_msg("of %zu bytes: %s UTF-8", bytes, is_utf8(text, bytes) ? "is" : "is not");
}

/* Four bytes, the last ones of a short and of a long text. */
static void
test_ends(void **state)
{
	static const size_t lengths[] = {4, 5, 31, 32, 33, 47, 48, 49, 63, 64, 65, 97};

	(void)state;
	for (size_t i = 0; i < COUNT(bounds) * COUNT(bounds) * COUNT(bounds) * COUNT(bounds); i++) {
		unsigned char text[128];
		size_t bytes = lengths[i % COUNT(lengths)];

		memset(text, 'a', sizeof(text));
		for (size_t k = 0, rest = i; k < 4; k++, rest /= COUNT(bounds))
			text[bytes - 1 - k] = bounds[rest % COUNT(bounds)];
		check(text, bytes);
	}
}

/* Each sequence that is valid, and cut short, at each place. */
static void
test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sequences); i++) {
		for (unsigned which = 0; which < 16; which++) {
			for (size_t before = 0; before < 80; before++) {
				for (size_t behind = 0; behind < 40; behind += 3) {
					unsigned char text[128];
					size_t n = 0;

					memset(text, 'a', sizeof(text));
					for (; n < 4 && sequences[i][n][1] != 0; n++)
						text[before + n] = sequences[i][n][which >> n & 1];
					check(text, before + n + behind);
					check(text, before + n - 1);
					text[before + n - 1] = 'a';
					check(text, before + n + behind);
				}
			}
		}
	}
}

static int
make_room(void **state)
{
	(void)state;
	exact = malloc(256);
	return exact != NULL ? 0 : -1;
}

static int
free_room(void **state)
{
	(void)state;
	free(exact);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("utf8", tests, make_room, free_room);
}
