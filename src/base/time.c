/*
 * RFC 3339 to the nanosecond, in both directions, and the clock. Calendars are integer arithmetic:
 * no struct tm, no locale, and no time zones besides the offset in the text.
 *
 * The parser reads fixed positions eight bytes at a time and checks the whole shape once. Only if
 * the shape is wrong, a slow function searches for the wrong byte.
 */
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/time.h>

#include "base/safe_text.h"
#include "base/time.h"

#define SECONDS_PER_DAY 86400
#define MAX_OFFSET_MINUTES (23 * 60 + 59)
#define MAX_NANOSECONDS 999999999

/*
 * The days from 0000-03-01 to 1970-01-01, the days from 0000-01-01 to 0000-03-01, and the days of
 * an era: 400 years, after which the calendar repeats.
 */
#define DAYS_TO_1970 719468
#define DAYS_TO_MARCH 60
#define DAYS_PER_ERA 146097

/* The shape of a date-time up to its seconds; 0 means any digit. */
static const char shape[] = "0000-00-00T00:00:00";
#define SHAPE_BYTES (sizeof(shape) - 1)

struct civil {
	unsigned year, month, day;
};

/*
 * Days since 1970-01-01. Years begin in March, so that a leap day is the last day of its year, and
 * an era is added so that no number is negative (Howard Hinnant's days_from_civil).
 */
static int64_t
days_from_civil(struct civil date)
{
	unsigned year = date.year + 400 - (date.month <= 2);
	unsigned month = date.month > 2 ? date.month - 3 : date.month + 9;
	unsigned day_of_year = (153 * month + 2) / 5 + date.day - 1;

	return (int64_t)year * 365 + year / 4 - year / 100 + year / 400 + day_of_year -
	       (DAYS_TO_1970 + DAYS_PER_ERA);
}

/*
 * The inverse, for days since 0000-01-01 in the years 0000 to 9999. Each division with its
 * remainder is one multiplication by a fraction that is exact over the whole range (Cassio Neri and
 * Lorenz Schneider, "Euclidean Affine Functions and Their Application to Calendar Algorithms",
 * 2022).
 */
static struct civil
civil_from_days(unsigned days_since_first)
{
	/* Days since March of the year -400, where an era begins. */
	unsigned days = days_since_first + DAYS_PER_ERA - DAYS_TO_MARCH;
	unsigned century = (4 * days + 3) / DAYS_PER_ERA;
	unsigned day_of_century = (4 * days + 3) % DAYS_PER_ERA / 4;
	/* 2939745 / 2^32 is 4 / 1461, rounded up. */
	uint64_t years = (uint64_t)2939745 * (4 * day_of_century + 3);
	unsigned day_of_year = (unsigned)years / 2939745 / 4;
	/* The month, from March on 3 to 14, in the upper half, and 2141 times the day of the month
	 * in the lower. */
	unsigned months = 2141 * day_of_year + 197913;
	unsigned next_year = day_of_year >= 306;

	return (struct civil){
		.year = century * 100 + (unsigned)(years >> 32) - 400 + next_year,
		.month = (months >> 16) - 12 * next_year,
		.day = (months & 0xFFFF) / 2141 + 1,
	};
}

static bool
is_leap_year(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static const struct {
	const char *name;
	unsigned days;
} months[] = {
	{"January", 31},   {"February", 28}, {"March", 31},    {"April", 30},
	{"May", 31},       {"June", 30},     {"July", 31},     {"August", 31},
	{"September", 30}, {"October", 31},  {"November", 30}, {"December", 31},
};

static unsigned
days_of_month(unsigned year, unsigned month)
{
	return month == 2 && is_leap_year(year) ? 29 : months[month - 1].days;
}

/* Record what is wrong and where. Returns false, for the caller to return. */
HERALD_PRINTF(3, 4)
static bool
fail(struct herald__time_fault *fault, size_t where, const char *format, ...)
{
	va_list arguments;

	if (!fault)
		return false;
	fault->where = where;
	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was begun a line above. */
	vsnprintf(fault->what, sizeof(fault->what), format, arguments);
	va_end(arguments);
	return false;
}

/* Record that a byte, or the end of the text, is not what was expected. */
static bool
fail_expecting(struct herald__time_fault *fault, const char *expected, const char *text,
	       size_t bytes, size_t where)
{
	if (where == bytes)
		return fail(fault, where, "expected %s, found the end of the text", expected);

	unsigned char found = (unsigned char)text[where];
	if (found >= ' ' && found < 0x7F)
		return fail(fault, where, "expected %s, found '%c'", expected, found);
	return fail(fault, where, "expected %s, found byte 0x%02X", expected, found);
}

/* What is expected at a place of the shape, or directly after it. */
static const char *
expected_at(size_t where)
{
	static const char *const digits[] = {"a digit of the year",   "a digit of the month",
					     "a digit of the day",    "a digit of the hour",
					     "a digit of the minute", "a digit of the second"};

	switch (shape[where]) {
	case '-':
		return "'-'";
	case 'T':
		return "'T'";
	case ':':
		return "':'";
	case '\0':
		return "'Z' or an offset";
	default:
		return digits[where < 4 ? 0 : (where - 2) / 3];
	}
}

static bool
is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Find the first byte that does not fit the shape. The text is too short or has such a byte. */
static bool
fail_shape(struct herald__time_fault *fault, const char *text, size_t bytes)
{
	size_t where = 0;

	while (where < bytes && where < SHAPE_BYTES) {
		bool fits = shape[where] == '0'   ? is_digit(text[where])
			    : shape[where] == 'T' ? text[where] == 'T' || text[where] == 't'
						  : text[where] == shape[where];

		if (!fits)
			break;
		where++;
	}
	return fail_expecting(fault, expected_at(where), text, bytes, where);
}

/* The values in the first 19 bytes. */
struct parts {
	struct civil date;
	unsigned hour, minute, second;
};

static bool
check_parts(const struct parts *parts, struct herald__time_fault *fault)
{
	const struct civil *date = &parts->date;

	if (date->month < 1 || date->month > 12)
		return fail(fault, 5, "expected a month from 01 to 12, found %02u", date->month);
	if (date->day < 1 || date->day > 31)
		return fail(fault, 8, "expected a day from 01 to 31, found %02u", date->day);
	if (date->day > days_of_month(date->year, date->month))
		return fail(fault, 8, "%s %u does not exist in %04u", months[date->month - 1].name,
			    date->day, date->year);
	if (parts->hour > 23)
		return fail(fault, 11, "expected an hour from 00 to 23, found %02u", parts->hour);
	if (parts->minute > 59)
		return fail(fault, 14, "expected a minute from 00 to 59, found %02u",
			    parts->minute);
	if (parts->second == 60)
		return fail(fault, 17, "second 60: leap seconds are not supported");
	if (parts->second > 59)
		return fail(fault, 17, "expected a second from 00 to 59, found %02u",
			    parts->second);
	return true;
}

/*
 * Eight bytes of text in one word, the first one lowest. XOR with the shape turns digits into their
 * values and separators into 0. Adding DIGIT or SEPARATOR then sets the high bit of each wrong
 * byte.
 */
#define WORD(a, b, c, d, e, f, g, h)                                                               \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |          \
	 (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define ALL(byte) WORD(byte, byte, byte, byte, byte, byte, byte, byte)
#define DIGIT 0x76     /* 9 plus this is below 0x80, 10 is not */
#define SEPARATOR 0x7F /* 0 plus this is below 0x80, 1 is not */
#define HIGH_BITS ALL(0x80)

static inline uint64_t
load_word(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return le64toh(word);
}

/*
 * The two digits from byte `place` on, in a word to which ten times itself, one byte up, was added.
 */
#define PAIR(word, place) ((unsigned)((word) >> (8 * (place))) & 0xFF)

/*
 * Read "2026-01-02T03:04:05". Returns whether the first 19 bytes have this shape; does not check
 * the ranges. Takes a third of the instructions that reading byte by byte would.
 */
static inline bool
read_parts(const char *text, struct parts *out)
{
	uint64_t date = load_word(text) ^ WORD('0', '0', '0', '0', '-', '0', '0', '-');
	uint64_t day = load_word(text + 8) ^ WORD('0', '0', 'T', '0', '0', ':', '0', '0');
	uint64_t clock = load_word(text + 11) ^ WORD('0', '0', ':', '0', '0', ':', '0', '0');
	uint64_t bad;

	day &= ~WORD(0, 0, 'T' ^ 't', 0, 0, 0, 0, 0); /* T or t */
	bad = ((date + WORD(DIGIT, DIGIT, DIGIT, DIGIT, SEPARATOR, DIGIT, DIGIT, SEPARATOR)) |
	       date) |
	      ((day + WORD(DIGIT, DIGIT, SEPARATOR, DIGIT, DIGIT, SEPARATOR, DIGIT, DIGIT)) | day) |
	      ((clock + WORD(DIGIT, DIGIT, SEPARATOR, DIGIT, DIGIT, SEPARATOR, DIGIT, DIGIT)) |
	       clock);
	date = date * 10 + (date >> 8);
	day = day * 10 + (day >> 8);
	clock = clock * 10 + (clock >> 8);
	*out = (struct parts){
		.date = {PAIR(date, 0) * 100 + PAIR(date, 2), PAIR(date, 5), PAIR(day, 0)},
		.hour = PAIR(clock, 0),
		.minute = PAIR(clock, 3),
		.second = PAIR(clock, 6),
	};
	return (bad & HIGH_BITS) == 0;
}

/* Read ".123" at *where byte by byte, if fewer than ten bytes follow. *nanoseconds must be 0. */
static bool
read_fraction_slowly(const char *text, size_t bytes, size_t *where, int32_t *nanoseconds,
		     struct herald__time_fault *fault)
{
	size_t i = *where + 1;
	int32_t unit = 100000000;

	for (; i < bytes && is_digit(text[i]); i++, unit /= 10)
		*nanoseconds += (text[i] - '0') * unit;
	if (i == *where + 1)
		return fail_expecting(fault, "a digit of the fraction", text, bytes, i);
	*where = i;
	return true;
}

/* The value of eight digits, which are the bytes of a word. */
static inline uint32_t
eight_digits(uint64_t word)
{
	word = word * 10 + (word >> 8);
	return (uint32_t)(((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
			   (word >> 16 & UINT64_C(0x000000FF000000FF)) *
				   UINT64_C(0x0000271000000001)) >>
			  32);
}

/*
 * Read an optional ".123" at *where, and move *where after it. A fraction with fewer than eight
 * digits is padded with zeros.
 */
static inline bool
read_fraction(const char *text, size_t bytes, size_t *where, int32_t *nanoseconds,
	      struct herald__time_fault *fault)
{
	uint64_t word, others;
	unsigned digits;

	if (text[*where] != '.')
		return true;
	if (bytes - *where < 11)
		return read_fraction_slowly(text, bytes, where, nanoseconds, fault);
	word = load_word(text + *where + 1) ^ ALL('0');
	others = ((word + ALL(DIGIT)) | word) & HIGH_BITS;
	digits = others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
	if (digits < 8)
		word &= (UINT64_C(1) << 8 * digits) - 1;
	*nanoseconds = (int32_t)eight_digits(word) * 10;
	*where += 1 + digits;
	if (digits == 8 && is_digit(text[*where])) {
		*nanoseconds += text[*where] - '0';
		if (is_digit(text[++*where]))
			return fail(fault, *where,
				    "expected at most nine digits of the fraction, found more");
	}
	return digits > 0 || fail_expecting(fault, "a digit of the fraction", text, bytes, *where);
}

/* Read "+01:30" at `where`. The text has at least the sign. */
static bool
read_numeric_offset(const char *text, size_t bytes, size_t where, int16_t *minutes,
		    struct herald__time_fault *fault)
{
	static const char *const expected[] = {
		"a digit of the offset's hours",   "a digit of the offset's hours",   "':'",
		"a digit of the offset's minutes", "a digit of the offset's minutes",
	};
	const char *digits = text + where + 1;

	for (size_t i = 0; i < 5; i++) {
		if (where + 1 + i == bytes || !(i == 2 ? digits[i] == ':' : is_digit(digits[i])))
			return fail_expecting(fault, expected[i], text, bytes, where + 1 + i);
	}
	int hour = (digits[0] - '0') * 10 + (digits[1] - '0');
	int minute = (digits[3] - '0') * 10 + (digits[4] - '0');
	if (hour > 23)
		return fail(fault, where + 1, "expected an offset hour from 00 to 23, found %02d",
			    hour);
	if (minute > 59)
		return fail(fault, where + 4, "expected an offset minute from 00 to 59, found %02d",
			    minute);
	int total = hour * 60 + minute;
	*minutes = (int16_t)(text[where] == '-' ? -total : total);
	return true;
}

/* Read 'Z' or an offset at `where`, then expect the end of the text. "-00:00" is read as UTC. */
static bool
read_offset(const char *text, size_t bytes, size_t where, int16_t *minutes,
	    struct herald__time_fault *fault)
{
	size_t end = where;

	*minutes = 0;
	switch (where < bytes ? text[where] : '\0') {
	case 'Z':
	case 'z':
		end += 1;
		break;
	case '+':
	case '-':
		if (!read_numeric_offset(text, bytes, where, minutes, fault))
			return false;
		end += 6;
		break;
	default:
		return fail_expecting(fault, "'Z' or an offset", text, bytes, where);
	}
	if (end != bytes)
		return fail_expecting(fault, "the end of the text", text, bytes, end);
	return true;
}

bool
herald__time_parse(const char *text, size_t bytes, struct herald_time *out,
		   struct herald__time_fault *fault)
{
	struct parts parts;
	int32_t nanoseconds = 0;
	int16_t offset_minutes = 0;
	size_t where = SHAPE_BYTES;

	if (bytes <= SHAPE_BYTES)
		return fail_shape(fault, text, bytes);
	if (!read_parts(text, &parts))
		return fail_shape(fault, text, SHAPE_BYTES);
	if (!check_parts(&parts, fault) ||
	    !read_fraction(text, bytes, &where, &nanoseconds, fault) ||
	    !read_offset(text, bytes, where, &offset_minutes, fault))
		return false;

	int of_day = (int)(parts.hour * 3600 + parts.minute * 60 + parts.second);
	int east = offset_minutes * 60;

	*out = (struct herald_time){
		.seconds = days_from_civil(parts.date) * SECONDS_PER_DAY + of_day - east,
		.nanoseconds = nanoseconds,
		.offset_minutes = offset_minutes,
	};
	return true;
}

/* Whether all members are in range and the local time is in the years 0000 to 9999. */
static bool
can_be_written(const struct herald_time *time)
{
	int64_t offset_seconds = (int64_t)time->offset_minutes * 60;

	return time->nanoseconds >= 0 && time->nanoseconds <= MAX_NANOSECONDS &&
	       time->offset_minutes >= -MAX_OFFSET_MINUTES &&
	       time->offset_minutes <= MAX_OFFSET_MINUTES &&
	       time->seconds >= HERALD__FIRST_SECOND - offset_seconds &&
	       time->seconds <= HERALD__LAST_SECOND - offset_seconds;
}

/* Copy a fraction from *text on, with at most nine digits, and move *text after it. Returns the
 * place after the copy. */
static char *
copy_fraction(const char **text, const char *end, char *out)
{
	unsigned digits = 0;

	if (*text == end || **text != '.')
		return out;
	*out++ = *(*text)++;
	for (; *text < end && is_digit(**text); (*text)++)
		if (digits++ < 9)
			*out++ = **text;
	return out;
}

/* More than the longest offset, and the longest text of copy_strictly(). */
#define OFFSET_BYTES 7
#define COPY_BYTES 48

/*
 * Copy a text as RFC 3339 has it: with a 'T', at most nine digits of a fraction, and an offset such
 * as +01:30 where it is +0130 or +01. Of an offset that is too long, only its beginning. Returns
 * the length.
 */
static size_t
copy_strictly(const char *text, size_t bytes, char *out)
{
	size_t shape_bytes = bytes < SHAPE_BYTES ? bytes : SHAPE_BYTES;
	const char *end = text + bytes;
	char *to = out + shape_bytes;

	memcpy(out, text, shape_bytes);
	if (shape_bytes > 10 && out[10] == ' ')
		out[10] = 'T';
	text += shape_bytes;
	to = copy_fraction(&text, end, to);
	bytes = end - text < OFFSET_BYTES ? (size_t)(end - text) : OFFSET_BYTES;
	memcpy(to, text, bytes);
	to += bytes;
	if (bytes == 0 || (*text != '+' && *text != '-'))
		return (size_t)(to - out);
	if (bytes == 5 && text[3] != ':') {
		memmove(to - 1, to - 2, 2);
		to[-2] = ':';
		to++;
	} else if (bytes == 3) {
		memcpy(to, ":00", 3);
		to += 3;
	}
	return (size_t)(to - out);
}

/* Correct an error that says that a second is at most 59. Returns false. */
static bool
fail_second(struct herald__time_fault *fault, const char *text, size_t bytes)
{
	if (fault && fault->where == 17 && bytes >= 19 && is_digit(text[17]) && is_digit(text[18]))
		fail(fault, 17, "expected a second from 00 to 60, found %.2s", text + 17);
	return false;
}

bool
herald__time_parse_leniently(const char *text, size_t bytes, struct herald_time *out,
			     struct herald__time_fault *fault)
{
	char copy[COPY_BYTES];
	size_t copied = copy_strictly(text, bytes, copy);
	struct herald_time time = {0};
	bool leap;

	leap = copied > SHAPE_BYTES && memcmp(copy + 17, "60", 2) == 0;
	if (leap)
		memcpy(copy + 17, "59", 2);
	if (!herald__time_parse(copy, copied, &time, fault))
		return fail_second(fault, copy, copied);
	time.seconds += leap;
	if (!can_be_written(&time))
		return fail(fault, 0, "expected a time in the years 0000 to 9999");
	*out = time;
	return true;
}

enum herald_status
herald_time_parse(const char *text, size_t bytes, struct herald_time *out,
		  struct herald_error *error)
{
	struct herald__time_fault fault;

	if (herald__time_parse(text, bytes, out, &fault))
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_TIME, fault.where, "%s", fault.what);
}

#define TEN(tens)                                                                                  \
	tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"

/* Write a number below 100 with two digits. Returns the place after them. */
static inline char *
put_two(char *text, unsigned number)
{
	static const char digits[] = TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6")
		TEN("7") TEN("8") TEN("9");

	memcpy(text, digits + (size_t)2 * number, 2);
	return text + 2;
}

/* The same, followed by a separator. */
static inline char *
put_part(char *text, unsigned number, char separator)
{
	text = put_two(text, number);
	*text = separator;
	return text + 1;
}

static inline char *
put_fraction(char *text, unsigned nanoseconds)
{
	if (nanoseconds == 0)
		return text;

	unsigned upper = nanoseconds / 100000, lower = nanoseconds % 100000;

	text[0] = '.';
	text = put_two(text + 1, upper / 100);
	text = put_two(text, upper % 100);
	text = put_two(text, lower / 1000);
	text = put_two(text, lower / 10 % 100);
	*text++ = (char)('0' + lower % 10);
	while (text[-1] == '0')
		text--;
	return text;
}

static inline char *
put_offset(char *text, int offset_minutes)
{
	unsigned minutes = (unsigned)(offset_minutes < 0 ? -offset_minutes : offset_minutes);

	if (minutes == 0) {
		*text = 'Z';
		return text + 1;
	}
	*text = offset_minutes < 0 ? '-' : '+';
	text = put_part(text + 1, minutes / 60, ':');
	return put_two(text, minutes % 60);
}

size_t
herald_time_format(const struct herald_time *time, char *text)
{
	if (!can_be_written(time)) {
		text[0] = '\0';
		return 0;
	}

	/* Relative to the first second, so that no number is negative. */
	int64_t since_first =
		time->seconds + (int64_t)time->offset_minutes * 60 - HERALD__FIRST_SECOND;
	unsigned days = (unsigned)(since_first / SECONDS_PER_DAY);
	unsigned second = (unsigned)(since_first % SECONDS_PER_DAY);
	struct civil date = civil_from_days(days);
	char *end = text;

	end = put_two(end, date.year / 100);
	end = put_part(end, date.year % 100, '-');
	end = put_part(end, date.month, '-');
	end = put_part(end, date.day, 'T');
	end = put_part(end, second / 3600, ':');
	end = put_part(end, second / 60 % 60, ':');
	end = put_two(end, second % 60);
	end = put_fraction(end, (unsigned)time->nanoseconds);
	end = put_offset(end, time->offset_minutes);
	*end = '\0';
	return (size_t)(end - text);
}

struct herald_time
herald_time_now(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists and the pointer is valid. */
	clock_gettime(CLOCK_REALTIME, &now);
	return (struct herald_time){
		.seconds = now.tv_sec,
		.nanoseconds = (int32_t)now.tv_nsec,
	};
}

int
herald_time_compare(const struct herald_time *a, const struct herald_time *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}
