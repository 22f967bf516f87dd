/*
 * Skipping brackets, in blocks and byte by byte, compared with a simple scan of the same texts. The
 * content of skipped values, and the paths in them, are tested in test_decode_errors.c.
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

#include "support/draw.h"
#include "json/reader/scan.h"

#define MAX_BYTES 200
#define TEXTS_COUNT 200000

/* The place after the bracket that closes the first one; 0 when there is none. */
static size_t
closing(const char *text, size_t bytes)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\\' && i + 1 < bytes && strchr("\"\\", text[i + 1]) != NULL) {
			i++;
		} else if (text[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && strchr("{[", text[i]) != NULL) {
			depth++;
		} else if (!in_string && strchr("}]", text[i]) != NULL && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* In memory of exactly its size, so that a sanitizer sees what is read beyond. */
static void
check(const char *text, size_t bytes)
{
	size_t expected = closing(text, bytes);
	char *copy = malloc(bytes > 0 ? bytes : 1), *after;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	after = herald__skip_brackets(copy, copy + bytes);
	if (after == NULL ? expected != 0 : (size_t)(after - copy) != expected)
		fail_msg("%.*s: ends at %td, not %zu", (int)bytes, text,
			 after == NULL ? 0 : after - copy, expected);
	free(copy);
}

/* A string with an escape, moved over the bounds of all blocks. */
static void
test_escapes_at_each_place(void **state)
{
	static const char *const texts[] = {"\"\\\"}\"", "\"\\\\\"}", "\"\\\\\\\"]\"", "\"\\\\",
					    "\"\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (int before = 0; before < 140; before++) {
			for (int behind = 0; behind < 40; behind++) {
				char text[MAX_BYTES + 32];
				int bytes = snprintf(text, sizeof(text), "[%*s%s%*s]", before, "",
						     texts[i], behind, "");

				check(text, (size_t)bytes);
				check(text, (size_t)bytes - 1);
			}
		}
	}
}

/* A backslash outside of strings, which is not JSON, only matters before a quote. */
static void
test_any_text(void **state)
{
	uint64_t seed = draw_seed();
	unsigned random = (unsigned)seed;

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < TEXTS_COUNT; i++) {
		static const char outside[] = "{}[]]\",\\", inside[] = "{]\"\\\\\\a";
		char text[MAX_BYTES] = "{[[";
		size_t bytes = 3 + (size_t)rand_r(&random) % (MAX_BYTES - 3);
		bool in_string = false, escaped = false;

		for (size_t k = 3; k < bytes; k++) {
			size_t any = (size_t)rand_r(&random);

			text[k] = in_string ? inside[any % (sizeof(inside) - 1)]
					    : outside[any % (sizeof(outside) - 1)];
			if (text[k] == '"' && !escaped)
				in_string = !in_string;
			escaped = text[k] == '\\' && !escaped;
		}
		check(text, bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes_at_each_place),
		cmocka_unit_test(test_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
