/*
 * JSON numbers as decimal fractions. The grammar is in number_scan.h, its errors are in
 * number_read.c; here is only the arithmetic, digit by digit: these numbers are rare and short.
 */
#include "json/reader/fixed_read.h"

#include "json/reader/number_read.h"
#include "json/reader/number_scan.h"

/* No document has the digits that would bring such an exponent back into range. */
#define MAX_EXPONENT INT64_C(1000000000000000)

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The exponent of the valid number from `at` to `after`, and where it begins. */
static int64_t
read_exponent(const char *at, const char *after, const char **begin)
{
	int64_t exponent = 0;
	bool negative;

	while (at < after && *at != 'e' && *at != 'E')
		at++;
	*begin = at;
	if (at == after)
		return 0;
	negative = at[1] == '-';
	for (at++; at < after; at++)
		if (is_digit(*at) && exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (*at - '0');
	return negative ? -exponent : exponent;
}

static void
add_whole(struct herald__fixed *out, unsigned digit)
{
	out->overflow |= __builtin_mul_overflow(out->whole, 10u, &out->whole);
	out->overflow |= __builtin_add_overflow(out->whole, digit, &out->whole);
	if (out->overflow)
		out->whole = UINT64_MAX;
}

/*
 * Add the digits up to `end`. `place` is how many digits the first one is before the point of the
 * result: 1 is the last digit of the whole number, 0 the first of the fraction.
 */
static void
add_digits(struct herald__fixed *out, const char *at, const char *end, int64_t place)
{
	static const uint32_t units[] = {100000000, 10000000, 1000000, 100000, 10000,
					 1000,      100,      10,      1};

	for (; at < end && !out->overflow; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (*at == '.')
			continue;
		if (place > 0)
			add_whole(out, digit);
		else if (place > -9)
			out->billionths += digit * units[-place];
		else
			out->inexact |= digit != 0;
		place--;
	}
	/* The zeros between the last digit and the point. */
	for (; place > 0 && out->whole != 0 && !out->overflow; place--)
		add_whole(out, 0);
}

char *
herald__read_fixed(struct herald__reader *reader, char *at, int shift, struct herald__fixed *out)
{
	const char *digits = at + (*at == '-'), *point, *end;
	char *wrong, *after = herald__scan_number(at, NULL, &wrong);
	double unused;
	int64_t exponent;

	if (!after)
		return herald__read_double(reader, at, &unused); /* records the error */
	*out = (struct herald__fixed){.negative = *at == '-'};
	exponent = read_exponent(digits, after, &end);
	out->exponent = end < after;
	for (point = digits; point < end && *point != '.'; point++)
		;
	add_digits(out, digits, end, (point - digits) + exponent + shift);
	return after;
}
