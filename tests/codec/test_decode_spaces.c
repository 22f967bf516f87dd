/*
 * herald_codec_decode(): white space of any length and kind, wherever it is allowed; and other
 * control characters, which are errors at their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/decode_thing.h"
#include "support/decoding.h"

/* White space is put in the place of each '~'. "x" and "y" are not members. */
#define DOCUMENT                                                                                   \
	"~{~\"integer\"~:~7~,~\"x\"~:~{~\"y\"~:~[~1~,~null~]~,~\"z\"~:~{~}~}~,"                    \
	"~\"integers\"~:~[~1~,~-20~,~300~]~,~\"strings\"~:~[~\"a\"~,~\"\"~]~,"                     \
	"~\"list\"~:~[~{~\"name\"~:~\"b\"~}~]~}~"
#define GAPS_COUNT 51

/* Longer than two blocks of a vector, and a rest. */
#define MAX_RUN 40

/* What the white space of a run repeats. */
static const char *const runs[] = {" ", "\n", "\t", "\r\n", "\n\t\t", "\n    ", " \t\r\n"};

static size_t gaps_count;

/* Write the document with a run of `bytes` bytes in each gap, or in only one of them. Returns its
 * length, and the place of the run in *at. */
static size_t
write_document(char *out, const char *run, size_t bytes, size_t only, size_t *at)
{
	size_t length = 0;

	gaps_count = 0;
	for (const char *from = DOCUMENT; *from != '\0'; from++) {
		if (*from != '~') {
			out[length++] = *from;
			continue;
		}
		if (gaps_count++ != only && only != SIZE_MAX)
			continue;
		*at = length;
		for (size_t i = 0; i < bytes; i++)
			out[length++] = run[i % strlen(run)];
	}
	return length;
}

static void
check_thing(const struct thing *thing)
{
	assert_int_equal(thing->integer, 7);
	assert_int_equal(thing->integers_count, 3);
	assert_int_equal(thing->integers[0], 1);
	assert_int_equal(thing->integers[1], -20);
	assert_int_equal(thing->integers[2], 300);
	assert_int_equal(thing->strings_count, 2);
	assert_string_equal(thing->strings[0], "a");
	assert_string_equal(thing->strings[1], "");
	assert_int_equal(thing->list_count, 1);
	assert_string_equal(thing->list[0].name, "b");
}

static void
check_document(const struct herald_codec *codec, const char *run, size_t bytes, size_t only)
{
	static char text[sizeof(DOCUMENT) * MAX_RUN];
	struct herald_error error;
	struct thing thing;
	size_t at, length = write_document(text, run, bytes, only, &at);

	if (decode_bytes(codec, text, length, &thing, sizeof(thing), &error) != HERALD_OK)
		fail_msg("%zu bytes: %s at %zu: %.*s", bytes, error.message, error.offset,
			 (int)length, text);
	check_thing(&thing);
}

static void
test_every_length(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		for (size_t bytes = 0; bytes <= MAX_RUN; bytes++)
			check_document(codec, runs[i], bytes, SIZE_MAX);
	assert_int_equal(gaps_count, GAPS_COUNT);
	herald_codec_destroy(codec);
}

static void
test_every_gap(void **state)
{
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t gap = 0; gap < GAPS_COUNT; gap++)
		for (size_t bytes = 0; bytes <= MAX_RUN; bytes++)
			check_document(codec, runs[gap % 7], bytes, gap);
	herald_codec_destroy(codec);
}

/* A byte that is not white space, in each place of a run. */
static void
check_wrong(const struct herald_codec *codec, char wrong, size_t bytes, size_t gap)
{
	static char text[sizeof(DOCUMENT) + MAX_RUN];
	struct herald_error error;
	struct thing thing;
	size_t at, length = write_document(text, " \n\t", bytes, gap, &at);

	for (size_t i = 0; i < bytes; i++) {
		char was = text[at + i];

		text[at + i] = wrong;
		assert_int_equal(decode_bytes(codec, text, length, &thing, sizeof(thing), &error),
				 HERALD_BAD_JSON);
		/* A document that does not end with its bracket is an error where that is seen. */
		if (gap + 1 < GAPS_COUNT && error.offset != at + i)
			fail_msg("byte %zu of %zu in gap %zu: %s at %zu", i, bytes, gap,
				 error.message, error.offset);
		text[at + i] = was;
	}
}

static void
test_other_bytes(void **state)
{
	static const char wrong[] = {'\0', '\x08', '\x0B', '\x0C', '\x0E', '\x1F', '\x7F', '\xA0'};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong); i++)
		for (size_t gap = 0; gap < GAPS_COUNT; gap++)
			for (size_t bytes = 1; bytes <= MAX_RUN; bytes += 1 + bytes / 4)
				check_wrong(codec, wrong[i], bytes, gap);
	herald_codec_destroy(codec);
}

/* Write members, the white space before the first two of `bytes[0]` bytes, before the others of
 * `bytes[1]`. Returns the length, and the place of the last white space in *at. */
static size_t
write_members(char *out, const char *members, const char *run, const size_t bytes[2], size_t *at)
{
	size_t length = 0, count = 0;

	for (const char *from = members; *from != '\0'; from++) {
		if (*from != '~') {
			out[length++] = *from;
			continue;
		}
		*at = length;
		for (size_t i = 0; i < bytes[count > 1]; i++)
			out[length++] = run[i % strlen(run)];
		count++;
	}
	return length;
}

/* The length of the white space before a member is guessed from the one before the member before
 * it: other lengths must be found as well, and bytes that are not white space. */
static void
check_members(const struct herald_codec *codec, const char *members, const char *run,
	      const size_t bytes[2])
{
	static char text[256 + 8 * MAX_RUN];
	struct herald_error error;
	struct thing thing;
	size_t at = 0, length = write_members(text, members, run, bytes, &at);

	if (decode_bytes(codec, text, length, &thing, sizeof(thing), &error) != HERALD_OK)
		fail_msg("%zu, %zu bytes: %s at %zu: %.*s", bytes[0], bytes[1], error.message,
			 error.offset, (int)length, text);
	assert_int_equal(thing.integer, 7);
	for (size_t i = 0; i < bytes[1]; i += 1 + i / 8) {
		char was = text[at + i];

		text[at + i] = '\x0B';
		assert_int_equal(decode_bytes(codec, text, length, &thing, sizeof(thing), &error),
				 HERALD_BAD_JSON);
		assert_int_equal(error.offset, at + i);
		text[at + i] = was;
	}
}

static void
test_changing_gaps(void **state)
{
	static const char *const members[] = {
		"{~\"x\":1,~\"y\":[],~\"integer\":7}                                ",
		"{~\"x\":1,~\"y\":[],~\"integer\":7}",
		"{~\"integer\":7,~\"strings\":[],~\"list\":[]}",
		"{\"integer\":7,\"x\":{~\"a\":1,~\"b\":2,~\"c\":3}}",
		"{\"integer\":7,\"x\":[[[[[[[[~1,~2,~{}]]]]]]]]}",
	};
	struct herald_codec *codec = decoding_codec(&thing_schema, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		for (size_t first = 0; first <= MAX_RUN; first++)
			for (size_t next = 0; next <= MAX_RUN; next++)
				check_members(codec, members[i], runs[(first + next) % 7],
					      (const size_t[2]){first, next});
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_gap),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_changing_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
