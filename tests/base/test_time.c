/*
 * herald/time.h: RFC 3339 in both directions. The calendar is compared with timegm(), the parser
 * with the writer. Every error is checked with its text and its byte.
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
#include <time.h>

#include <herald/time.h>

#include "base/time.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Exactly as long as the text, on the heap, so that AddressSanitizer sees a byte too many read. */
static char *
exact_copy(const char *text, size_t bytes)
{
	char *copy = malloc(bytes ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	return copy;
}

static const struct herald_time untouched = {.seconds = 77, .nanoseconds = 7, .offset_minutes = -7};

static void
assert_untouched(const struct herald_time *time)
{
	assert_int_equal(time->seconds, untouched.seconds);
	assert_int_equal(time->nanoseconds, untouched.nanoseconds);
	assert_int_equal(time->offset_minutes, untouched.offset_minutes);
}

static enum herald_status
parse(const char *text, size_t bytes, struct herald_time *out, struct herald_error *error)
{
	char *copy = exact_copy(text, bytes);
	enum herald_status status = herald_time_parse(copy, bytes, out, error);

	free(copy);
	return status;
}

static const struct {
	const char *text;
	struct herald_time time;
} good[] = {
	{"1970-01-01T00:00:00Z", {0, 0, 0}},
	{"1970-01-01t00:00:00z", {0, 0, 0}},
	{"1970-01-01T00:00:00+00:00", {0, 0, 0}},
	{"1970-01-01T00:00:00-00:00", {0, 0, 0}},
	{"1969-12-31T23:59:59Z", {-1, 0, 0}},
	{"1969-12-31T23:59:59.999999999Z", {-1, 999999999, 0}},
	{"1970-01-01T00:00:00+23:59", {-86340, 0, 1439}},
	{"1970-01-01T00:00:00-23:59", {86340, 0, -1439}},
	{"1970-01-01T05:30:00+05:30", {0, 0, 330}},
	{"1969-12-31T23:30:00-00:30", {0, 0, -30}},
	{"0000-01-01T00:00:00Z", {-62167219200, 0, 0}},
	{"0000-02-29T00:00:00Z", {-62162121600, 0, 0}},
	{"0000-01-01T00:00:00+23:59", {-62167305540, 0, 1439}},
	{"9999-12-31T23:59:59Z", {253402300799, 0, 0}},
	{"9999-12-31T23:59:59.999999999-23:59", {253402387139, 999999999, -1439}},
	{"1600-02-29T12:00:00Z", {-11670955200, 0, 0}},
	{"2000-02-29T12:00:00Z", {951825600, 0, 0}},
	{"2024-02-29T12:00:00Z", {1709208000, 0, 0}},
	{"2038-01-19T03:14:08Z", {2147483648, 0, 0}},
	/* RFC 3339 section 5.8, except for its leap seconds. */
	{"1985-04-12T23:20:50.52Z", {482196050, 520000000, 0}},
	{"1996-12-19T16:39:57-08:00", {851042397, 0, -480}},
	{"1937-01-01T12:00:27.87+00:20", {-1041337173, 870000000, 20}},
	/* Of the seed's event. */
	{"2023-10-27T10:00:00Z", {1698400800, 0, 0}},
	{"2023-10-27T10:00:00.1Z", {1698400800, 100000000, 0}},
	{"2023-10-27T10:00:00.12Z", {1698400800, 120000000, 0}},
	{"2023-10-27T10:00:00.123Z", {1698400800, 123000000, 0}},
	{"2023-10-27T10:00:00.1234Z", {1698400800, 123400000, 0}},
	{"2023-10-27T10:00:00.12345Z", {1698400800, 123450000, 0}},
	{"2023-10-27T10:00:00.123456Z", {1698400800, 123456000, 0}},
	{"2023-10-27T10:00:00.1234567Z", {1698400800, 123456700, 0}},
	{"2023-10-27T10:00:00.12345678Z", {1698400800, 123456780, 0}},
	{"2023-10-27T10:00:00.123456789Z", {1698400800, 123456789, 0}},
	{"2023-10-27T10:00:00.000000001+01:00", {1698397200, 1, 60}},
	{"2023-10-27T10:00:00.000000000Z", {1698400800, 0, 0}},
	{"2023-10-27T10:00:00.900Z", {1698400800, 900000000, 0}},
};

static void
test_good_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct herald_time time = untouched;
		struct herald_error error = {.offset = 99, .message = "untouched"};

		if (parse(good[i].text, strlen(good[i].text), &time, &error) != HERALD_OK)
			fail_msg("%s: %s at byte %zu", good[i].text, error.message, error.offset);
		if (time.seconds != good[i].time.seconds ||
		    time.nanoseconds != good[i].time.nanoseconds ||
		    time.offset_minutes != good[i].time.offset_minutes)
			fail_msg("%s: %lld s %d ns %d min", good[i].text, (long long)time.seconds,
				 time.nanoseconds, time.offset_minutes);
		assert_string_equal(error.message, "untouched");
		assert_int_equal(error.offset, 99);
	}
}

static const struct {
	const char *text;
	size_t offset;
	const char *message;
} bad[] = {
	{"", 0, "expected a digit of the year, found the end of the text"},
	{"2023", 4, "expected '-', found the end of the text"},
	{"2023-10-27", 10, "expected 'T', found the end of the text"},
	{"2023-10-27T10:00", 16, "expected ':', found the end of the text"},
	{"2023-10-27T10:00Z", 16, "expected ':', found 'Z'"},
	{"2023-10-27T10:00:00", 19, "expected 'Z' or an offset, found the end of the text"},
	{"2023-10-27T10:00:00.", 20, "expected a digit of the fraction, found the end of the text"},
	{"2023-10-27T10:00:00.Z", 20, "expected a digit of the fraction, found 'Z'"},
	{"2023-10-27T10:00:00,5Z", 19, "expected 'Z' or an offset, found ','"},
	{"2023-10-27T10:00:00.5", 21, "expected 'Z' or an offset, found the end of the text"},
	{"2023-10-27T10:00:00.1234567890Z", 29,
	 "expected at most nine digits of the fraction, found more"},
	{"2023-10-27T10:00:00.0000000000Z", 29,
	 "expected at most nine digits of the fraction, found more"},
	{"2023-10-27T10:00:00.5.5Z", 21, "expected 'Z' or an offset, found '.'"},
	{"2023-10-27 10:00:00Z", 10, "expected 'T', found ' '"},
	{"2023-10-27_10:00:00Z", 10, "expected 'T', found '_'"},
	{" 2023-10-27T10:00:00Z", 0, "expected a digit of the year, found ' '"},
	{"2023-10-27T10:00:00Z ", 20, "expected the end of the text, found ' '"},
	{"2023-10-27T10:00:00ZZ", 20, "expected the end of the text, found 'Z'"},
	{"2023-10-27T10:00:00z\n", 20, "expected the end of the text, found byte 0x0A"},
	{"2023-10-27T10:00:00\xC3\xA9", 19, "expected 'Z' or an offset, found byte 0xC3"},
	{"+2023-10-27T10:00:00Z", 0, "expected a digit of the year, found '+'"},
	{"-023-10-27T10:00:00Z", 0, "expected a digit of the year, found '-'"},
	{"12023-10-27T10:00:00Z", 4, "expected '-', found '3'"},
	{"2023/10/27T10:00:00Z", 4, "expected '-', found '/'"},
	{"2023-1-27T10:00:00Z", 6, "expected a digit of the month, found '-'"},
	{"2023-10-7T10:00:00Z0", 9, "expected a digit of the day, found 'T'"},
	{"2023-10-27T1:00:00Z0", 12, "expected a digit of the hour, found ':'"},
	{"2023-10-27T10:0:00Z0", 15, "expected a digit of the minute, found ':'"},
	{"2023-10-27T10:00:0Z0", 18, "expected a digit of the second, found 'Z'"},
	{"20231027T100000Z0000", 4, "expected '-', found '1'"},
	{"Fri, 27 Oct 2023 10:00:00 GMT", 0, "expected a digit of the year, found 'F'"},
	{"1698400800", 4, "expected '-', found '4'"},
	{"2023-00-27T10:00:00Z", 5, "expected a month from 01 to 12, found 00"},
	{"2023-13-27T10:00:00Z", 5, "expected a month from 01 to 12, found 13"},
	{"2023-10-00T10:00:00Z", 8, "expected a day from 01 to 31, found 00"},
	{"2023-10-32T10:00:00Z", 8, "expected a day from 01 to 31, found 32"},
	{"2023-02-29T10:00:00Z", 8, "February 29 does not exist in 2023"},
	{"2023-02-30T10:00:00Z", 8, "February 30 does not exist in 2023"},
	{"2024-02-30T10:00:00Z", 8, "February 30 does not exist in 2024"},
	{"1900-02-29T10:00:00Z", 8, "February 29 does not exist in 1900"},
	{"0100-02-29T10:00:00Z", 8, "February 29 does not exist in 0100"},
	{"2023-04-31T10:00:00Z", 8, "April 31 does not exist in 2023"},
	{"2023-06-31T10:00:00Z", 8, "June 31 does not exist in 2023"},
	{"2023-09-31T10:00:00Z", 8, "September 31 does not exist in 2023"},
	{"2023-11-31T10:00:00Z", 8, "November 31 does not exist in 2023"},
	{"2023-10-27T24:00:00Z", 11, "expected an hour from 00 to 23, found 24"},
	{"2023-10-27T99:00:00Z", 11, "expected an hour from 00 to 23, found 99"},
	{"2023-10-27T10:60:00Z", 14, "expected a minute from 00 to 59, found 60"},
	{"2023-10-27T10:00:61Z", 17, "expected a second from 00 to 59, found 61"},
	{"2016-12-31T23:59:60Z", 17, "second 60: leap seconds are not supported"},
	{"1990-12-31T15:59:60-08:00", 17, "second 60: leap seconds are not supported"},
	{"2023-10-27T10:00:00+", 20,
	 "expected a digit of the offset's hours, found the end of the text"},
	{"2023-10-27T10:00:00+1", 21,
	 "expected a digit of the offset's hours, found the end of the text"},
	{"2023-10-27T10:00:00+01", 22, "expected ':', found the end of the text"},
	{"2023-10-27T10:00:00+0100", 22, "expected ':', found '0'"},
	{"2023-10-27T10:00:00+01:", 23,
	 "expected a digit of the offset's minutes, found the end of the text"},
	{"2023-10-27T10:00:00+01:0", 24,
	 "expected a digit of the offset's minutes, found the end of the text"},
	{"2023-10-27T10:00:00+01:00Z", 25, "expected the end of the text, found 'Z'"},
	{"2023-10-27T10:00:00+01:00:00", 25, "expected the end of the text, found ':'"},
	{"2023-10-27T10:00:00Z+01:00", 20, "expected the end of the text, found '+'"},
	{"2023-10-27T10:00:00+24:00", 20, "expected an offset hour from 00 to 23, found 24"},
	{"2023-10-27T10:00:00-23:60", 23, "expected an offset minute from 00 to 59, found 60"},
	{"2023-10-27T10:00:00.123+2a:00", 25, "expected a digit of the offset's hours, found 'a'"},
	{"2023-10-27T10:00:00\xE2\x88\x92"
	 "08:00",
	 19, "expected 'Z' or an offset, found byte 0xE2"},
	/* Several are wrong: the first one counts. */
	{"2023-13-32T25:61:61Q", 5, "expected a month from 01 to 12, found 13"},
};

static void
test_bad_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct herald_time time = untouched;
		struct herald_error error = {.path = "untouched"};

		if (parse(bad[i].text, strlen(bad[i].text), &time, &error) != HERALD_BAD_TIME)
			fail_msg("%s is accepted", bad[i].text);
		if (error.offset != bad[i].offset || strcmp(error.message, bad[i].message) != 0)
			fail_msg("%s: \"%s\" at byte %zu", bad[i].text, error.message,
				 error.offset);
		assert_int_equal(error.status, HERALD_BAD_TIME);
		assert_string_equal(error.path, "");
		assert_untouched(&time);
	}
}

static void
test_nul_bytes_and_no_error_struct(void **state)
{
	static const char inside[] = "2023-10-27T10:00:00\0Z";
	static const char behind[] = "2023-10-27T10:00:00Z\0";
	struct herald_time time = untouched;
	struct herald_error error;

	(void)state;
	assert_int_equal(parse(inside, sizeof(inside) - 1, &time, &error), HERALD_BAD_TIME);
	assert_int_equal(error.offset, 19);
	assert_string_equal(error.message, "expected 'Z' or an offset, found byte 0x00");
	assert_int_equal(parse(behind, sizeof(behind) - 1, &time, &error), HERALD_BAD_TIME);
	assert_int_equal(error.offset, 20);
	assert_int_equal(parse(behind, sizeof(behind) - 1, &time, NULL), HERALD_BAD_TIME);
	assert_int_equal(herald_time_parse(NULL, 0, &time, NULL), HERALD_BAD_TIME);
	assert_untouched(&time);
}

static void
test_private_parser_agrees(void **state)
{
	struct herald__time_fault fault;
	struct herald_time time;

	(void)state;
	assert_true(herald__time_parse("2023-10-27T10:00:00Z", 20, &time, &fault));
	assert_int_equal(time.seconds, 1698400800);
	time = untouched;
	assert_false(herald__time_parse("2023-13-27T10:00:00Z", 20, &time, &fault));
	assert_int_equal(fault.where, 5);
	assert_string_equal(fault.what, "expected a month from 01 to 12, found 13");
	assert_untouched(&time);
}

/* No prefix of these texts is valid, and the error is at its end. */
static void
test_truncated_everywhere(void **state)
{
	static const char *const texts[] = {
		"2023-10-27T10:00:00Z",
		"2023-10-27T10:00:00+05:30",
		"2023-10-27T10:00:00.123456789-05:30",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t bytes = 0; bytes < strlen(texts[i]); bytes++) {
			struct herald_time time = untouched;
			struct herald_error error;

			assert_int_equal(parse(texts[i], bytes, &time, &error), HERALD_BAD_TIME);
			assert_int_equal(error.offset, bytes);
			assert_non_null(strstr(error.message, "found the end of the text"));
			assert_untouched(&time);
		}
	}
}

/*
 * An oracle apart from the parser: the shape by a table of characters, the values by sscanf. It
 * knows the 35 bytes of the longest form only.
 */
static bool
is_good_longest_form(const char *text)
{
	static const char shape[] = "0000-00-00T00:00:00.000000000+00:00";
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, hour, minute, second, offset_hour, offset_minute;

	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		const char *allowed = shape[i] == '0'   ? "0123456789"
				      : shape[i] == 'T' ? "Tt"
				      : shape[i] == '+' ? "+-"
				      : shape[i] == '-' ? "-"
				      : shape[i] == ':' ? ":"
							: ".";
		if (text[i] == '\0' || !strchr(allowed, text[i]))
			return false;
	}
	if (sscanf(text, "%4d-%2d-%2d%*c%2d:%2d:%2d.%*9d%*c%2d:%2d", &year, &month, &day, &hour,
		   &minute, &second, &offset_hour, &offset_minute) != 8)
		return false;
	if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 ||
	    offset_hour > 23 || offset_minute > 59)
		return false;
	int leap = month == 2 && (year % 4 == 0) && (year % 100 != 0 || year % 400 == 0);
	return day >= 1 && day <= days[month - 1] + leap;
}

/* The digits of a text are not completed by digits of an earlier one. */
static void
test_truncated_leniently(void **state)
{
	static const char text[] = "2016-12-31 23:59:13+0130";

	(void)state;
	for (size_t bytes = 0; bytes <= strlen(text); bytes++) {
		struct herald__time_fault fault;
		struct herald_time time;
		bool is_good;

		assert_true(herald__time_parse_leniently(text, strlen(text), &time, &fault));
		is_good = herald__time_parse_leniently(text, bytes, &time, &fault);
		assert_true(is_good == (bytes == 22 || bytes == 24));
		if (bytes < 19)
			assert_non_null(strstr(fault.what, "found the end of the text"));
	}
}

static void
test_every_byte_replaced(void **state)
{
	static const char original[] = "2023-02-28T19:59:59.123456789+19:39";
	size_t good_count = 0;

	(void)state;
	assert_true(is_good_longest_form(original));
	for (size_t i = 0; i < sizeof(original) - 1; i++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[sizeof(original)];
			struct herald_time time = untouched;
			struct herald_error error = {.offset = 0};

			memcpy(text, original, sizeof(text));
			text[i] = (char)byte;
			bool is_good = is_good_longest_form(text);
			good_count += is_good;
			if ((parse(text, sizeof(text) - 1, &time, &error) == HERALD_OK) != is_good)
				fail_msg("byte %zu as 0x%02X: %s", i, (unsigned)byte,
					 error.message);
			if (is_good)
				continue;
			/* A number is faulted at its first byte; a 'Z' or sign may end the fraction
			   early, and then what follows it is wrong. */
			assert_true(error.offset == i || error.offset + 1 == i ||
				    (i >= 19 && i <= 29 && error.offset > i));
			assert_untouched(&time);
		}
	}
	assert_true(good_count > 150);
}

static void
assert_round_trip(const struct herald_time *time)
{
	char text[HERALD_TIME_TEXT_BYTES];
	struct herald_time back;
	size_t bytes = herald_time_format(time, text);

	assert_true(bytes >= 20 && bytes < HERALD_TIME_TEXT_BYTES);
	assert_int_equal(text[bytes], '\0');
	assert_int_equal(herald_time_parse(text, bytes, &back, NULL), HERALD_OK);
	assert_memory_equal(&back.seconds, &time->seconds, sizeof(back.seconds));
	assert_int_equal(back.nanoseconds, time->nanoseconds);
	assert_int_equal(back.offset_minutes, time->offset_minutes);
}

/*
 * Every year, month and edge day as text -> time -> text, its seconds compared with timegm's.
 * Through the texts, so that the local time and not UTC is what stays within the years.
 */
static void
test_calendar_grid(void **state)
{
	static const int days[] = {1, 2, 27, 28, 29, 30, 31};
	static const int offsets[] = {0, 1, -1, 330, -480, 1439, -1439};
	size_t accepted = 0;

	(void)state;
	for (int year = 0; year <= 9999; year++) {
		for (int month = 1; month <= 12; month++) {
			for (size_t d = 0; d < COUNT(days); d++) {
				char text[64];
				struct herald_time time;
				int offset =
					offsets[(size_t)(year + month + days[d]) % COUNT(offsets)];
				struct tm tm = {.tm_year = year - 1900,
						.tm_mon = month - 1,
						.tm_mday = days[d],
						.tm_hour = 23,
						.tm_min = 59,
						.tm_sec = 58};
				int64_t expected = timegm(&tm);
				bool exists = tm.tm_mday == days[d];

				snprintf(text, sizeof(text), "%04d-%02d-%02dT23:59:58%c%02d:%02d",
					 year, month, days[d], offset < 0 ? '-' : '+',
					 abs(offset) / 60, abs(offset) % 60);
				enum herald_status status =
					herald_time_parse(text, strlen(text), &time, NULL);
				if ((status == HERALD_OK) != exists)
					fail_msg("%s", text);
				if (!exists)
					continue;
				accepted++;
				if (time.seconds != expected - offset * 60)
					fail_msg("%s is %lld", text, (long long)time.seconds);
				assert_round_trip(&time);
			}
		}
	}
	/* Of 7 * 12 a year, 5 do not exist in February (2 in leap years, less) and 4 of day 31. */
	assert_int_equal(accepted, 10000 * (84 - 4 - 3) + 2425);
}

/* Every single day, by the writer, against gmtime_r. */
static void
test_every_day_as_text(void **state)
{
	int64_t first = -62167219200 / 86400, last = 253402300799 / 86400;

	(void)state;
	for (int64_t day = first; day <= last; day++) {
		struct herald_time time = {.seconds = day * 86400 + (day & 1 ? 86399 : 0)};
		time_t seconds = (time_t)time.seconds;
		struct tm tm;
		char text[HERALD_TIME_TEXT_BYTES], expected[64];

		assert_non_null(gmtime_r(&seconds, &tm));
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec);
		assert_int_equal(herald_time_format(&time, text), 20);
		if (strcmp(text, expected) != 0)
			fail_msg("%s instead of %s", text, expected);
	}
}

static void
test_every_offset(void **state)
{
	(void)state;
	for (int minutes = -1439; minutes <= 1439; minutes++) {
		struct herald_time time = {.seconds = 1698400800,
					   .nanoseconds = 5,
					   .offset_minutes = (int16_t)minutes};

		assert_round_trip(&time);
	}
}

static const struct {
	struct herald_time time;
	const char *text;
} written[] = {
	{{0, 0, 0}, "1970-01-01T00:00:00Z"},
	{{0, 1, 0}, "1970-01-01T00:00:00.000000001Z"},
	{{0, 10, 0}, "1970-01-01T00:00:00.00000001Z"},
	{{0, 100000000, 0}, "1970-01-01T00:00:00.1Z"},
	{{0, 120000000, 0}, "1970-01-01T00:00:00.12Z"},
	{{0, 120400000, 60}, "1970-01-01T01:00:00.1204+01:00"},
	{{-1, 999999999, 0}, "1969-12-31T23:59:59.999999999Z"},
	{{0, 0, -1}, "1969-12-31T23:59:00-00:01"},
	{{0, 0, 1439}, "1970-01-01T23:59:00+23:59"},
	{{253402300799, 999999999, 0}, "9999-12-31T23:59:59.999999999Z"},
	{{253402387139, 999999999, -1439}, "9999-12-31T23:59:59.999999999-23:59"},
	{{-62167219200, 0, 0}, "0000-01-01T00:00:00Z"},
	{{-62167305540, 0, 1439}, "0000-01-01T00:00:00+23:59"},
	/* Invalid times. */
	{{253402300800, 0, 0}, ""},
	{{253402300799, 0, 1}, ""},
	{{253402387140, 0, -1439}, ""},
	{{-62167219201, 999999999, 0}, ""},
	{{-62167219200, 0, -1}, ""},
	{{-62167305541, 0, 1439}, ""},
	{{INT64_MAX, 0, 0}, ""},
	{{INT64_MIN, 0, 0}, ""},
	{{INT64_MAX, 0, 1439}, ""},
	{{INT64_MIN, 0, -1439}, ""},
	{{0, -1, 0}, ""},
	{{0, 1000000000, 0}, ""},
	{{0, INT32_MIN, 0}, ""},
	{{0, 0, 1440}, ""},
	{{0, 0, -1440}, ""},
	{{0, 0, INT16_MIN}, ""},
	{{0, 0, INT16_MAX}, ""},
};

static void
test_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		/* One byte after the promised size, to check that it is not written. */
		char text[HERALD_TIME_TEXT_BYTES + 1];

		memset(text, '#', sizeof(text));
		size_t bytes = herald_time_format(&written[i].time, text);
		assert_string_equal(text, written[i].text);
		assert_int_equal(bytes, strlen(written[i].text));
		/* If there is no text, only a NUL is written. */
		for (size_t j = bytes ? HERALD_TIME_TEXT_BYTES : 1; j < sizeof(text); j++)
			assert_int_equal(text[j], '#');
	}
	/* The longest text fills the promised bytes exactly. */
	assert_int_equal(strlen("9999-12-31T23:59:59.999999999+23:59") + 1, HERALD_TIME_TEXT_BYTES);
}

static void
test_compare(void **state)
{
	static const struct {
		struct herald_time a, b;
		int sign;
	} cases[] = {
		{{0, 0, 0}, {0, 0, 0}, 0},           {{0, 0, 60}, {0, 0, -60}, 0},
		{{1, 0, 0}, {0, 999999999, 0}, 1},   {{0, 1, 0}, {0, 0, 0}, 1},
		{{-1, 999999999, 0}, {0, 0, 0}, -1}, {{INT64_MIN, 0, 0}, {INT64_MAX, 0, 0}, -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int forth = herald_time_compare(&cases[i].a, &cases[i].b);
		int back = herald_time_compare(&cases[i].b, &cases[i].a);

		assert_int_equal((forth > 0) - (forth < 0), cases[i].sign);
		assert_int_equal((back > 0) - (back < 0), -cases[i].sign);
	}
}

static void
test_now(void **state)
{
	time_t before = time(NULL);
	struct herald_time now = herald_time_now();
	time_t after = time(NULL);
	char text[HERALD_TIME_TEXT_BYTES];

	(void)state;
	/* time() may lag a tick behind the clock that herald_time_now() reads. */
	assert_true(now.seconds >= before && now.seconds <= after + 1);
	assert_in_range(now.nanoseconds, 0, 999999999);
	assert_int_equal(now.offset_minutes, 0);
	assert_true(herald_time_format(&now, text) >= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_texts),
		cmocka_unit_test(test_bad_texts),
		cmocka_unit_test(test_nul_bytes_and_no_error_struct),
		cmocka_unit_test(test_private_parser_agrees),
		cmocka_unit_test(test_truncated_everywhere),
		cmocka_unit_test(test_truncated_leniently),
		cmocka_unit_test(test_every_byte_replaced),
		cmocka_unit_test(test_calendar_grid),
		cmocka_unit_test(test_every_day_as_text),
		cmocka_unit_test(test_every_offset),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
