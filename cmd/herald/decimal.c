/*
 * Exact arithmetic on numbers as they are written in JSON: digits and a power of ten. Nothing is
 * converted to binary, so that 0.3 is a multiple of 0.1, and 1e400 is greater than 1e399.
 */
#include "decimal.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/text.h>

/* Exponents beyond this mean the same: nearly zero, or nearly infinite. */
#define MAX_EXPONENT INT64_C(1000000000000000)
#define MAX_DIVISOR_DIGITS 18

/* 0.DDD * 10^exponent. The digits may have a point among them, and have no zeros at their ends. */
struct decimal {
	bool is_negative;
	const char *digits, *end; /* equal: zero */
	int64_t exponent;
	size_t count; /* of digits, without the point */
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number after an 'e', limited. */
static int64_t
read_exponent(const char *at, const char *end)
{
	bool is_negative = at < end && *at == '-';
	int64_t exponent = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	for (; at < end && exponent < MAX_EXPONENT; at++)
		exponent = exponent * 10 + (*at - '0');
	return is_negative ? -exponent : exponent;
}

static struct decimal
decimal_read(struct herald_json number)
{
	const char *at = number.data, *end = number.data + number.bytes, *point = NULL;
	struct decimal out = {.is_negative = *at == '-'};

	out.digits = at += out.is_negative;
	for (; at < end && (is_digit(*at) || *at == '.'); at++)
		if (*at == '.')
			point = at;
	out.end = at;
	if (at < end)
		out.exponent = read_exponent(at + 1, end);
	out.exponent += (point ? point : out.end) - out.digits;
	while (out.digits < out.end && (*out.digits == '0' || *out.digits == '.')) {
		if (*out.digits == '0')
			out.exponent--;
		out.digits++;
	}
	/* "0.001": the exponent counted the point's place, and the zeros after it. */
	while (out.digits < out.end && (out.end[-1] == '0' || out.end[-1] == '.'))
		out.end--;
	for (at = out.digits; at < out.end; at++)
		out.count += *at != '.';
	if (out.digits == out.end)
		out = (struct decimal){.digits = out.end, .end = out.end};
	return out;
}

/* The next digit; '0' after the last. */
static char
next_digit(const char **at, const char *end)
{
	if (*at < end && **at == '.')
		(*at)++;
	return *at < end ? *(*at)++ : '0';
}

static int
compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
	const char *left = a->digits, *right = b->digits;

	if (a->count == 0 || b->count == 0)
		return (a->count > 0) - (b->count > 0);
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -1 : 1;
	while (left < a->end || right < b->end) {
		char x = next_digit(&left, a->end), y = next_digit(&right, b->end);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

int
decimal_compare(struct herald_json left, struct herald_json right)
{
	struct decimal a = decimal_read(left), b = decimal_read(right);

	if (a.is_negative != b.is_negative)
		return a.is_negative ? -1 : 1;
	return a.is_negative ? compare_magnitudes(&b, &a) : compare_magnitudes(&a, &b);
}

bool
decimal_is_whole(struct herald_json number)
{
	struct decimal decimal = decimal_read(number);

	return decimal.count == 0 || decimal.exponent >= (int64_t)decimal.count;
}

bool
decimal_truncate(struct herald_json number, struct decimal_whole *out)
{
	struct decimal decimal = decimal_read(number);
	const char *at = decimal.digits;
	uint64_t magnitude = 0;

	if (decimal.count > 0 && decimal.exponent > 20) /* UINT64_MAX has 20 digits */
		return false;
	for (int64_t i = 0; decimal.count > 0 && i < decimal.exponent; i++) {
		uint64_t digit = (uint64_t)(next_digit(&at, decimal.end) - '0');

		if (magnitude > (UINT64_MAX - digit) / 10)
			return false;
		magnitude = magnitude * 10 + digit;
	}
	*out = (struct decimal_whole){
		.is_negative = decimal.is_negative,
		.is_exact = decimal.count == 0 || decimal.exponent >= (int64_t)decimal.count,
		.magnitude = magnitude,
	};
	return true;
}

bool
decimal_is_divisor(struct herald_json number)
{
	struct decimal decimal = decimal_read(number);

	return !decimal.is_negative && decimal.count > 0 && decimal.count <= MAX_DIVISOR_DIGITS;
}

static uint64_t
multiply(uint64_t a, uint64_t b, uint64_t modulus)
{
	return (uint64_t)((__extension__(unsigned __int128) a) * b % modulus);
}

static uint64_t
power_of_ten(int64_t exponent, uint64_t modulus)
{
	uint64_t result = 1 % modulus, base = 10 % modulus;

	for (; exponent > 0; exponent /= 2) {
		if (exponent % 2 == 1)
			result = multiply(result, base, modulus);
		base = multiply(base, base, modulus);
	}
	return result;
}

bool
decimal_is_multiple(struct herald_json number, struct herald_json divisor)
{
	struct decimal a = decimal_read(number), b = decimal_read(divisor);
	uint64_t modulus = 0, rest = 0;

	if (a.count == 0)
		return true;
	/* As whole numbers: a * 10^shift must be divisible by b. As `a` has no zeros at its end, a
	 * negative shift leaves a fraction. */
	int64_t shift = (a.exponent - (int64_t)a.count) - (b.exponent - (int64_t)b.count);
	if (shift < 0)
		return false;
	for (const char *at = b.digits; at < b.end;)
		modulus = modulus * 10 + (uint64_t)(next_digit(&at, b.end) - '0');
	assert(modulus != 0); /* as decimal_is_divisor() has said */
	for (const char *at = a.digits; at < a.end;)
		rest = (multiply(rest, 10, modulus) + (uint64_t)(next_digit(&at, a.end) - '0')) %
		       modulus;
	return multiply(rest, power_of_ten(shift, modulus), modulus) == 0;
}
