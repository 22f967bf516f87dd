/*
 * Parses the Retry-After header. The engine decides whether to retry.
 */
#include "delivery/retry_after.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/time.h"

#define YEAR_S ((int64_t)31556952) /* the mean year of the Gregorian calendar */

struct date {
	unsigned year, day, hour, minute, second;
	char month[4];
};

/* The number of a month: 11 for "Nov"; 0 if there is none. */
static unsigned
month_number(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strlen(name) == 3 ? strstr(names, name) : NULL;

	return found && (found - names) % 3 == 0 ? (unsigned)(found - names) / 3 + 1 : 0;
}

/* Uses the RFC 3339 parser, which knows the calendar. A leap second counts as the second before
 * it. */
static bool
seconds_of(const struct date *date, int64_t *out)
{
	char text[80];
	struct herald_time time;
	int bytes = snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ", date->year,
			     month_number(date->month), date->day, date->hour, date->minute,
			     date->second == 60 ? 59 : date->second);

	if (!herald__time_parse(text, (size_t)bytes, &time, NULL))
		return false;
	*out = time.seconds;
	return true;
}

static const char *
read_digits(const char *text, size_t count, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (!herald_ascii_is_digit(text[i]))
			return NULL;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return text + count;
}

static const char *
read_letters(const char *text, size_t max_count)
{
	size_t count = 0;

	while (count < max_count && herald_ascii_is_letter(text[count]))
		count++;
	return count >= 3 ? text + count : NULL;
}

/* Read a part of a date, given by its letter in strptime(). Returns the place after it, or NULL. */
static const char *
read_part(const char *text, char part, struct date *out)
{
	const char *end;

	switch (part) {
	case 'a': /* "Sun", or "Sunday" */
		return read_letters(text, 9);
	case 'b': /* "Nov" */
		end = read_letters(text, 3);
		if (end)
			memcpy(out->month, text, 3);
		return end;
	case 'e': /* " 6" */
		return *text == ' ' ? read_digits(text + 1, 1, &out->day)
				    : read_digits(text, 2, &out->day);
	case 'd':
		return read_digits(text, 2, &out->day);
	case 'y':
		return read_digits(text, 2, &out->year);
	case 'Y':
		return read_digits(text, 4, &out->year);
	case 'H':
		return read_digits(text, 2, &out->hour);
	case 'M':
		return read_digits(text, 2, &out->minute);
	default: /* S */
		return read_digits(text, 2, &out->second);
	}
}

/* Whether a text has a format, in which `@` begins a part. strptime() depends on the process's
 * locale. */
static bool
has_format(const char *text, const char *format, struct date *out)
{
	memset(out, 0, sizeof(*out));
	for (; *format != '\0'; format++) {
		if (*format == '@')
			text = read_part(text, *++format, out);
		else
			text = *text == *format ? text + 1 : NULL;
		if (!text)
			return false;
	}
	return *text == '\0';
}

/* RFC 9110 section 5.6.7: the current format and the two obsolete ones. */
static bool
read_date(const char *text, int64_t now_s, int64_t *out)
{
	struct date date;

	if (has_format(text, "@a, @d @b @Y @H:@M:@S GMT", &date) ||
	    has_format(text, "@a @b @e @H:@M:@S @Y", &date))
		return seconds_of(&date, out);
	if (!has_format(text, "@a, @d-@b-@y @H:@M:@S GMT", &date))
		return false;
	/* A year more than 50 years ahead belongs to the previous century. */
	date.year += 2000;
	if (!seconds_of(&date, out))
		return false;
	if (*out <= now_s + 50 * YEAR_S)
		return true;
	date.year -= 100;
	return seconds_of(&date, out);
}

uint64_t
herald__retry_after_ms(const char *value, int64_t now_s, uint64_t max_ms)
{
	uint64_t seconds = 0;
	int64_t date;
	const char *digit = value;

	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (seconds <= max_ms)
			seconds = seconds * 10 + (uint64_t)(*digit - '0');
	if (digit == value || *digit != '\0')
		seconds = read_date(value, now_s, &date) && date > now_s ? (uint64_t)(date - now_s)
									 : 0;
	return seconds > max_ms / 1000 ? max_ms : seconds * 1000;
}
