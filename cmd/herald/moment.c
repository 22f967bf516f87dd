/*
 * Reads numbers and times of options. Owns the one "now" that a run of the tool has.
 */
#include "moment.h"

#include <string.h>

#include <herald/time.h>

/* 2000-01-01: no event is older. */
#define FIRST_MS INT64_C(946684800000)

/* Digits at the beginning of the text; *end is what follows. */
static bool
read_digits(const char *text, uint64_t *out, const char **end)
{
	const char *at = text;

	for (*out = 0; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (*out > (UINT64_MAX - digit) / 10)
			return false;
		*out = *out * 10 + digit;
	}
	*end = at;
	return at != text;
}

bool
moment_read_count(const char *text, uint64_t *out)
{
	const char *end;

	return read_digits(text, out, &end) && *end == '\0';
}

/* One time for all options: an age of 0 is it. */
static int64_t
now_s(void)
{
	static int64_t seconds;

	if (seconds == 0)
		seconds = herald_time_now().seconds;
	return seconds;
}

/* "90s", "15m", "12h" or "7d" before now. */
static bool
read_age(const char *text, int64_t *out_ms)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = {1, 60, 3600, 86400};
	uint64_t count;
	const char *end;

	if (!read_digits(text, &count, &end) || count > 1000000000)
		return false;
	const char *unit = *end ? strchr(units, *end) : NULL;
	if (!unit || end[1] != '\0')
		return false;
	*out_ms = (now_s() - (int64_t)count * seconds[unit - units]) * 1000;
	return true;
}

bool
moment_read(const char *text, int64_t least_ms, int64_t *out_ms)
{
	struct herald_time time;

	if (herald_time_parse(text, strlen(text), &time, NULL) == HERALD_OK)
		*out_ms = time.seconds * 1000 + time.nanoseconds / 1000000;
	else if (!read_age(text, out_ms))
		return false;
	return *out_ms >= least_ms;
}

bool
moment_is_beginning(int64_t from_ms)
{
	return from_ms > FIRST_MS;
}

bool
moment_is_end(int64_t to_ms)
{
	return to_ms != 0 && to_ms < now_s() * 1000;
}
