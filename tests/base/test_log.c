/*
 * herald/log.h: which records reach the log, and the two ready-made loggers. Every record is one
 * line and can be parsed, whatever its content.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/log.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define FFFD "\xEF\xBF\xBD"

/* 2026-01-02T03:04:05.678901234Z, whose last six digits are cut off. */
static const struct herald_time some_time = {.seconds = 1767323045, .nanoseconds = 678901234};

/* What a logger writes for a record, on the heap; the caller frees it. */
static char *
line_of(herald_log_function *logger, const struct herald_log_record *record)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	logger(record, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void
assert_lines(const struct herald_log_record *record, const char *logfmt, const char *json)
{
	char *line = line_of(herald_log_logfmt, record);

	assert_string_equal(line, logfmt);
	free(line);
	line = line_of(herald_log_json, record);
	assert_string_equal(line, json);
	free(line);
}

static void
test_level_names(void **state)
{
	(void)state;
	assert_string_equal(herald_log_level_name(HERALD_LOG_DEBUG), "debug");
	assert_string_equal(herald_log_level_name(HERALD_LOG_INFO), "info");
	assert_string_equal(herald_log_level_name(HERALD_LOG_WARNING), "warning");
	assert_string_equal(herald_log_level_name(HERALD_LOG_ERROR), "error");
	assert_string_equal(herald_log_level_name((enum herald_log_level)7), "unknown");
	assert_string_equal(herald_log_level_name((enum herald_log_level) - 2), "unknown");
}

static void
test_a_whole_record(void **state)
{
	const struct herald_log_field fields[] = {
		{.key = "event_type", .text = "user_created"},
		{.key = "attempt", .number = 3},
		{.key = "smallest", .number = INT64_MIN},
		{.key = "zero"},
	};
	const struct herald_log_record record = {
		.level = HERALD_LOG_INFO,
		.time = some_time,
		.message = "event done",
		.fields = fields,
		.fields_count = COUNT(fields),
	};

	(void)state;
	assert_lines(&record,
		     "time=2026-01-02T03:04:05.678Z level=info message=\"event done\" "
		     "event_type=user_created attempt=3 smallest=-9223372036854775808 zero=0\n",
		     "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
		     "\"message\":\"event done\",\"event_type\":\"user_created\",\"attempt\":3,"
		     "\"smallest\":-9223372036854775808,\"zero\":0}\n");
}

static void
test_the_least_record(void **state)
{
	const struct herald_log_record record = {.level = HERALD_LOG_ERROR};

	(void)state;
	assert_lines(
		&record, "time=1970-01-01T00:00:00.000Z level=error message=\"\"\n",
		"{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"message\":\"\"}\n");
}

static void
test_times(void **state)
{
	const struct herald_log_record local = {
		.time = {.seconds = 1767323045, .nanoseconds = 999999999, .offset_minutes = -90},
		.message = "m",
	};
	const struct herald_log_record none = {
		.time = {.seconds = INT64_MAX},
		.message = "m",
	};

	(void)state;
	assert_lines(&local, "time=2026-01-02T03:04:05.999Z level=info message=m\n",
		     "{\"time\":\"2026-01-02T03:04:05.999Z\",\"level\":\"info\","
		     "\"message\":\"m\"}\n");
	assert_lines(&none, "time=\"\" level=info message=m\n",
		     "{\"time\":\"\",\"level\":\"info\",\"message\":\"m\"}\n");
}

/* A text as the value of a field: in logfmt, and in JSON. */
static const struct {
	const char *text;
	const char *logfmt;
	const char *json;
} values[] = {
	{"plain", "plain", "\"plain\""},
	{"a-b.c:d/e?f&g", "a-b.c:d/e?f&g", "\"a-b.c:d/e?f&g\""},
	{"", "\"\"", "\"\""},
	{"null", "null", "\"null\""},
	{" ", "\" \"", "\" \""},
	{"two words", "\"two words\"", "\"two words\""},
	{"a=b", "\"a=b\"", "\"a=b\""},
	{"=", "\"=\"", "\"=\""},
	{"say \"no\"", "\"say \\\"no\\\"\"", "\"say \\\"no\\\"\""},
	{"\"", "\"\\\"\"", "\"\\\"\""},
	{"C:\\x", "\"C:\\\\x\"", "\"C:\\\\x\""},
	/* A forged second line, and a terminal's escapes. */
	{"x\nlevel=error", "\"x\\nlevel=error\"", "\"x\\nlevel=error\""},
	{"x\r\n", "\"x\\r\\n\"", "\"x\\r\\n\""},
	{"\t", "\"\\t\"", "\"\\t\""},
	{"\x1B[2J", "\"\\u001b[2J\"", "\"\\u001b[2J\""},
	{"\x7F", "\"\\u007f\"", "\"\\u007f\""},
	{"\xC2\x9B"
	 "2J",
	 "\"\\u009b2J\"", "\"\\u009b2J\""},
	{"\xC3\xA9\xF0\x9F\x98\x80", "\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
	{"\xE9t\xE9", FFFD "t" FFFD, "\"" FFFD "t" FFFD "\""},
	{"\xE9 \xE9", "\"" FFFD " " FFFD "\"", "\"" FFFD " " FFFD "\""},
	{"cut\xE2\x82", "cut" FFFD, "\"cut" FFFD "\""},
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		const struct herald_log_field field = {.key = "key", .text = values[i].text};
		const struct herald_log_record record = {
			.time = some_time,
			.message = values[i].text,
			.fields = &field,
			.fields_count = 1,
		};
		char logfmt[256], json[256];

		snprintf(logfmt, sizeof(logfmt),
			 "time=2026-01-02T03:04:05.678Z level=info message=%s key=%s\n",
			 values[i].logfmt, values[i].logfmt);
		snprintf(json, sizeof(json),
			 "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
			 "\"message\":%s,\"key\":%s}\n",
			 values[i].json, values[i].json);
		assert_lines(&record, logfmt, json);
	}
}

static void
test_keys(void **state)
{
	static const struct {
		const char *key, *written;
	} cases[] = {
		{"event_type", "event_type"},
		{"A9", "A9"},
		{"two words", "two_words"},
		{"a=b\"c\"\n", "a_b_c__"},
		{"x-request.id", "x_request_id"},
		{"\xC3\xA9", "__"},
		{"", "_"},
		{NULL, "_"},
		/* Keys that the line has itself are not special. */
		{"level", "level"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct herald_log_field field = {.key = cases[i].key, .number = 1};
		const struct herald_log_record record = {
			.time = some_time,
			.message = "m",
			.fields = &field,
			.fields_count = 1,
		};
		char logfmt[256], json[256];

		snprintf(logfmt, sizeof(logfmt),
			 "time=2026-01-02T03:04:05.678Z level=info message=m %s=1\n",
			 cases[i].written);
		snprintf(json, sizeof(json),
			 "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
			 "\"message\":\"m\",\"%s\":1}\n",
			 cases[i].written);
		assert_lines(&record, logfmt, json);
	}
}

/* Around the size of the buffer that a line is put together in, and far beyond it. */
static void
test_long_lines(void **state)
{
	static const size_t sizes[] = {900, 1023, 1024, 1025, 2047, 2048, 2049, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (size_t shift = 0; shift < 70; shift++) {
			size_t bytes = sizes[i] - shift;
			char *text = calloc(1, bytes + 1);
			char *expected = calloc(1, bytes + 100);

			assert_non_null(text);
			assert_non_null(expected);
			for (size_t j = 0; j < bytes; j++)
				text[j] = (char)('a' + j % 23);
			const struct herald_log_record record = {.message = text};
			char *line = line_of(herald_log_logfmt, &record);
			snprintf(expected, bytes + 100,
				 "time=1970-01-01T00:00:00.000Z level=info message=%s\n", text);
			assert_string_equal(line, expected);
			free(line);
			free(text);
			free(expected);
		}
	}
}

static void
test_stream_that_refuses(void **state)
{
	const struct herald_log_record record = {.message = "lost"};
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	herald_log_logfmt(&record, full);
	herald_log_json(&record, full);
	fclose(full);
}

struct counter {
	size_t count;
	struct herald_log_record last;
};

static void
count_record(const struct herald_log_record *record, void *state)
{
	struct counter *counter = state;

	counter->count++;
	counter->last = *record;
}

static void
test_levels_and_no_logger(void **state)
{
	static const enum herald_log_level levels[] = {HERALD_LOG_DEBUG, HERALD_LOG_INFO,
						       HERALD_LOG_WARNING, HERALD_LOG_ERROR};
	const struct herald_log none = {.write = NULL, .level = HERALD_LOG_DEBUG};

	(void)state;
	herald_log_write(&none, HERALD_LOG_ERROR, "unseen", NULL, 0);
	assert_false(herald_log_takes(&none, HERALD_LOG_ERROR));
	for (size_t i = 0; i < COUNT(levels); i++) {
		for (size_t j = 0; j < COUNT(levels); j++) {
			struct counter counter = {.count = 0};
			struct herald_log log = {count_record, &counter, levels[i]};

			herald_log_write(&log, levels[j], "seen", NULL, 0);
			assert_int_equal(counter.count, j >= i);
			assert_int_equal(herald_log_takes(&log, levels[j]), j >= i);
		}
	}
}

static void
test_the_record_that_is_made(void **state)
{
	const struct herald_log_field fields[] = {{.key = "a", .number = 1}, {.key = "b"}};
	struct counter counter = {.count = 0};
	const struct herald_log log = {.write = count_record, .state = &counter};
	struct herald_time before = herald_time_now();

	(void)state;
	herald_log_write(&log, HERALD_LOG_WARNING, "message", fields, 2);
	struct herald_time after = herald_time_now();

	assert_int_equal(counter.count, 1);
	assert_int_equal(counter.last.level, HERALD_LOG_WARNING);
	assert_string_equal(counter.last.message, "message");
	assert_ptr_equal(counter.last.fields, fields);
	assert_int_equal(counter.last.fields_count, 2);
	assert_true(herald_time_compare(&before, &counter.last.time) <= 0);
	assert_true(herald_time_compare(&counter.last.time, &after) <= 0);
	/* A level of 0 takes INFO and not DEBUG. */
	herald_log_write(&log, HERALD_LOG_DEBUG, "message", NULL, 0);
	assert_int_equal(counter.count, 1);
}

#define WRITERS 8
#define LINES_EACH 300

struct writer {
	const struct herald_log *log;
	char letter;
};

/* Texts longer than the line's buffer, so that a line takes several writes. */
static void *
write_lines(void *state)
{
	struct writer *writer = state;
	char text[2500];

	memset(text, writer->letter, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < LINES_EACH; i++) {
		const struct herald_log_field fields[] = {{.key = "text", .text = text},
							  {.key = "number", .number = i}};

		herald_log_write(writer->log, HERALD_LOG_INFO, "from a thread", fields, 2);
	}
	return NULL;
}

/* Each line has one letter only, and is the next one of that letter. */
static void
assert_line_is_whole(const char *line, int *next)
{
	const char *text = strstr(line, "\"text\":\"");
	int number, end = 0;

	assert_int_equal(strncmp(line, "{\"time\":\"", 9), 0);
	assert_non_null(text);
	text += 8;
	char letter[] = {text[0], '\0'};
	assert_true(text[0] >= 'a' && text[0] < 'a' + WRITERS);
	assert_int_equal(strspn(text, letter), 2499);
	assert_int_equal(sscanf(text + 2499, "\",\"number\":%d}\n%n", &number, &end), 1);
	assert_int_equal(text[2499 + end], '\0');
	assert_int_equal(number, next[text[0] - 'a']++);
}

static void
test_lines_of_threads_do_not_mix(void **state)
{
	FILE *stream = tmpfile();
	struct herald_log log = {.write = herald_log_json, .state = stream};
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	char line[4096];
	int next[WRITERS] = {0};
	size_t lines = 0;

	(void)state;
	assert_non_null(stream);
	/* Every write goes out by itself, so that mixing, if possible, happens. */
	setvbuf(stream, NULL, _IONBF, 0);
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){&log, (char)('a' + i)};
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	FILE *reader = fdopen(dup(fileno(stream)), "r");
	assert_non_null(reader);
	rewind(reader);
	for (; fgets(line, sizeof(line), reader); lines++)
		assert_line_is_whole(line, next);
	assert_int_equal(lines, WRITERS * LINES_EACH);
	fclose(reader);
	fclose(stream);
}

/* A written line is in the file even if the program ends without closing the stream. */
static void
test_lines_are_flushed(void **state)
{
	const struct herald_log_record record = {.message = "m"};
	FILE *stream = tmpfile();
	char seen[128];

	(void)state;
	assert_non_null(stream);
	herald_log_logfmt(&record, stream);
	/* pread sees what reached the file, and not what waits in the stream. */
	ssize_t bytes = pread(fileno(stream), seen, sizeof(seen) - 1, 0);
	assert_true(bytes > 0);
	seen[bytes] = '\0';
	assert_string_equal(seen, "time=1970-01-01T00:00:00.000Z level=info message=m\n");
	fclose(stream);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_names),
		cmocka_unit_test(test_a_whole_record),
		cmocka_unit_test(test_the_least_record),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_stream_that_refuses),
		cmocka_unit_test(test_levels_and_no_logger),
		cmocka_unit_test(test_the_record_that_is_made),
		cmocka_unit_test(test_lines_of_threads_do_not_mix),
		cmocka_unit_test(test_lines_are_flushed),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
