/*
 * RFC 3339 for the peers that bring no timestamps of their own: simdjson and jansson
 * (rust/src/time.rs is the same again). Strict, without a call and without an allocation, so that
 * no peer is held back by it. C and C++.
 */
#ifndef BENCH_RFC3339_H
#define BENCH_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static inline int64_t
rfc3339_days(int64_t year, unsigned month, unsigned day)
{
	/* Days since 1970-01-01, years counted from March. */
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned of_era = (unsigned)(year - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + (int64_t)day_of_era - 719468;
}

static inline bool
rfc3339_two(const char *text, unsigned *out)
{
	unsigned high = (unsigned char)text[0] - '0', low = (unsigned char)text[1] - '0';

	*out = high * 10 + low;
	return high <= 9 && low <= 9;
}

static inline unsigned
rfc3339_days_in_month(unsigned year, unsigned month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 ? 28u + leap : 30u + ((month + (month >> 3)) & 1);
}

static inline bool
rfc3339_parse(const char *text, size_t bytes, int64_t *seconds, int32_t *nanoseconds,
	      int16_t *offset_minutes)
{
	unsigned century, year, month, day, hour, minute, second, fraction = 0, digits = 0;
	unsigned offset_hours = 0, offset_rest = 0;
	size_t i = 19;

	if (bytes < 20 || !rfc3339_two(text, &century) || !rfc3339_two(text + 2, &year) ||
	    text[4] != '-' || !rfc3339_two(text + 5, &month) || text[7] != '-' ||
	    !rfc3339_two(text + 8, &day) || (text[10] | 0x20) != 't' ||
	    !rfc3339_two(text + 11, &hour) || text[13] != ':' || !rfc3339_two(text + 14, &minute) ||
	    text[16] != ':' || !rfc3339_two(text + 17, &second))
		return false;
	year += 100 * century;
	if (month < 1 || month > 12 || day < 1 || day > rfc3339_days_in_month(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	if (text[i] == '.') {
		for (i++; i < bytes && (unsigned char)(text[i] - '0') <= 9 && digits < 9; i++) {
			fraction = fraction * 10 + (unsigned)(text[i] - '0');
			digits++;
		}
		if (digits == 0)
			return false;
		for (; digits < 9; digits++)
			fraction *= 10;
	}
	bool negative = i < bytes && text[i] == '-';
	if (bytes - i == 6 && (text[i] == '+' || negative)) {
		if (!rfc3339_two(text + i + 1, &offset_hours) || text[i + 3] != ':' ||
		    !rfc3339_two(text + i + 4, &offset_rest) || offset_hours > 23 ||
		    offset_rest > 59)
			return false;
	} else if (bytes - i != 1 || (text[i] | 0x20) != 'z') {
		return false;
	}
	int offset = (int)(offset_hours * 60 + offset_rest) * (negative ? -1 : 1);
	*seconds = (rfc3339_days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second -
		   offset * 60;
	*nanoseconds = (int32_t)fraction;
	*offset_minutes = (int16_t)offset;
	return true;
}

static inline char *
rfc3339_put(char *out, unsigned value, unsigned digits)
{
	for (unsigned i = digits; i > 0; i--) {
		out[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return out + digits;
}

/* `out` takes 36 bytes; returns the length. */
static inline size_t
rfc3339_format(int64_t seconds, int32_t nanoseconds, int16_t offset_minutes, char *out)
{
	int64_t local = seconds + offset_minutes * 60;
	int64_t days = local / 86400 - (local % 86400 < 0), z = days + 719468;
	unsigned of_day = (unsigned)(local - days * 86400);
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), shifted = (5 * doy + 2) / 153;
	unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
	char *at = rfc3339_put(out, (unsigned)(yoe + era * 400 + (month <= 2)), 4);

	*at++ = '-';
	at = rfc3339_put(at, month, 2);
	*at++ = '-';
	at = rfc3339_put(at, doy - (153 * shifted + 2) / 5 + 1, 2);
	*at++ = 'T';
	at = rfc3339_put(at, of_day / 3600, 2);
	*at++ = ':';
	at = rfc3339_put(at, of_day / 60 % 60, 2);
	*at++ = ':';
	at = rfc3339_put(at, of_day % 60, 2);
	if (nanoseconds > 0) {
		*at++ = '.';
		at = rfc3339_put(at, (unsigned)nanoseconds, 9);
		while (at[-1] == '0')
			at--;
	}
	if (offset_minutes == 0) {
		*at++ = 'Z';
	} else {
		unsigned offset = (unsigned)(offset_minutes < 0 ? -offset_minutes : offset_minutes);
		*at++ = offset_minutes < 0 ? '-' : '+';
		at = rfc3339_put(at, offset / 60, 2);
		*at++ = ':';
		at = rfc3339_put(at, offset % 60, 2);
	}
	return (size_t)(at - out);
}

#endif
