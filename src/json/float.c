/*
 * Exact conversion between decimal and binary floating point, each by one multiplication with a
 * 128-bit power of ten. Parsing and formatting of text are in number_read.c and number_write.c.
 *
 * To binary: Daniel Lemire, "Number Parsing at a Gigabyte per Second", 2021; Noble Mushtak and
 * Daniel Lemire, "Fast Number Parsing Without Fallback", 2023. To decimal: Raffaele Giulietti, "The
 * Schubfach way to render doubles", 2021. The comments use their terms.
 */
#include "json/float.h"

#include "base/attributes.h"
#include "json/powers.h"

/* The parameters in which double and float differ. */
struct format {
	int fraction_bits; /* without the implicit one */
	int bias;
	int greatest;                        /* the exponent field of infinity */
	int64_t least_power, greatest_power; /* beyond: 19 digits give 0 or infinity */
	int64_t least_tie, greatest_tie;     /* powers of ten at which ties are possible */
};

static const struct format double_format = {52, 1023, 0x7FF, -342, 308, -4, 23};
static const struct format float_format = {23, 127, 0xFF, -64, 38, -17, 10};

/* floor(log2(10^exponent)), for the exponents of the table. */
static int32_t
log2_of_power(int32_t exponent)
{
	return (exponent * 217706) >> 16;
}

/* Returns the upper half of the 128-bit product and stores the lower half in *low. */
static uint64_t
multiply(uint64_t a, uint64_t b, uint64_t *low)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	*low = (uint64_t)product;
	return (uint64_t)(product >> 64);
}

static const uint64_t *
power_of_ten(int64_t exponent)
{
	return herald__powers_of_ten[exponent - HERALD__POWERS_LEAST];
}

/* The upper 128 bits of digits * 10^exponent, truncated. The top bit of `digits` must be set. The
 * first `kept_bits` bits of the result are exact. */
static uint64_t
multiply_by_power(uint64_t digits, int64_t exponent, int kept_bits, uint64_t *low)
{
	const uint64_t *power = power_of_ten(exponent);
	uint64_t high = multiply(digits, power[0], low), mask = UINT64_MAX >> kept_bits, more, rest;

	/* The power's lower half matters only if all bits below the kept ones are set. */
	if ((high & mask) == mask) {
		more = multiply(digits, power[1] + (exponent < 0), &rest);
		*low += more;
		high += *low < more;
	}
	return high;
}

/* Round to a subnormal value, or to the smallest normal one. */
static uint64_t
round_subnormal(uint64_t mantissa, int power)
{
	if (-power + 1 >= 64)
		return 0;
	mantissa >>= -power + 1;
	/* If rounding carries into the exponent field, it becomes 1: the smallest normal value. */
	return (mantissa + (mantissa & 1)) >> 1;
}

static bool
to_binary(uint64_t digits, int64_t exponent, const struct format *format, uint64_t *bits)
{
	int shift = 64 - format->fraction_bits - 3, zeros, upper, power;
	uint64_t low, high, mantissa;

	*bits = 0;
	if (digits == 0 || exponent < format->least_power)
		return true;
	*bits = (uint64_t)format->greatest << format->fraction_bits;
	if (exponent > format->greatest_power)
		return true;
	zeros = __builtin_clzll(digits);
	digits <<= zeros;
	high = multiply_by_power(digits, exponent, format->fraction_bits + 3, &low);
	if (low == UINT64_MAX && (exponent < -27 || exponent > 55))
		return false;
	upper = (int)(high >> 63);
	mantissa = high >> (upper + shift);
	power = log2_of_power((int32_t)exponent) + 63 + upper - zeros + format->bias;
	if (power <= 0) {
		*bits = round_subnormal(mantissa, power);
		return true;
	}
	/* A tie: only zeros were truncated. Round to even. */
	if (low <= 1 && exponent >= format->least_tie && exponent <= format->greatest_tie &&
	    (mantissa & 3) == 1 && mantissa << (upper + shift) == high)
		mantissa &= ~(uint64_t)1;
	mantissa = (mantissa + (mantissa & 1)) >> 1;
	if (mantissa >> (format->fraction_bits + 1) != 0) {
		mantissa >>= 1;
		power++;
	}
	if (power < format->greatest)
		*bits = (uint64_t)power << format->fraction_bits |
			(mantissa & (((uint64_t)1 << format->fraction_bits) - 1));
	return true;
}

bool
herald__to_double(uint64_t digits, int64_t exponent, uint64_t *bits)
{
	return to_binary(digits, exponent, &double_format, bits);
}

bool
herald__to_float(uint64_t digits, int64_t exponent, uint64_t *bits)
{
	return to_binary(digits, exponent, &float_format, bits);
}

/* The table's power rounded up, as Schubfach requires: 2^127 <= g < 2^128. */
struct power {
	uint64_t high, low;
};

static struct power
power_rounded_up(int32_t exponent)
{
	const uint64_t *cut = power_of_ten(exponent);
	struct power power = {cut[0], cut[1]};

	if (exponent < 0 || exponent > 55)
		power.high += ++power.low == 0;
	return power;
}

/* g * scaled / 2^128, rounded to odd: the last bit is set if the result is not exact. */
static inline uint64_t
round_to_odd(struct power power, uint64_t scaled)
{
	uint64_t ignored, middle, carry = multiply(power.low, scaled, &ignored);
	uint64_t high = multiply(power.high, scaled, &middle);

	middle += carry;
	high += middle < carry;
	return high | (middle > 1);
}

/* Whether to round up to the next decimal, to even in a tie. The last two bits of `value` are the
 * fraction, rounded to odd. */
static inline bool
is_next_nearer(uint64_t value)
{
	return (value & 3) + (value >> 2 & 1) > 2;
}

/* Choose the shortest decimal between `lower` and `upper`, which are in quarters of a unit. */
static struct herald__decimal
choose(uint64_t value, uint64_t lower, uint64_t upper, int32_t exponent)
{
	uint64_t digits = value / 4, tens = digits / 10;
	bool below, above;

	if (digits >= 10) {
		below = lower <= 40 * tens;
		above = 40 * tens + 40 <= upper;
		if (below != above)
			return (struct herald__decimal){10 * (tens + above), exponent};
	}
	below = lower <= 4 * digits;
	above = 4 * digits + 4 <= upper;
	if (below == above)
		above = is_next_nearer(value);
	return (struct herald__decimal){digits + above, exponent};
}

/* The shortest decimal for mantissa * 2^power. `narrow`: the gap to the next lower value is only
 * half as wide. */
HERALD__NOT_INLINE static struct herald__decimal
from_binary(uint64_t mantissa, int32_t power, bool narrow)
{
	/* floor(log10(2^power)), or floor(log10(3/4 * 2^power)) if narrow. */
	int32_t exponent = (power * 1262611 - (narrow ? 524031 : 0)) >> 22;
	int32_t shift = power + log2_of_power(-exponent) + 1;
	struct power scale = power_rounded_up(-exponent);
	uint64_t odd = mantissa & 1; /* an odd mantissa excludes the ends of its interval */
	uint64_t lower = round_to_odd(scale, (4 * mantissa - 2 + narrow) << shift) + odd;
	uint64_t upper = round_to_odd(scale, (4 * mantissa + 2) << shift) - odd;

	return choose(round_to_odd(scale, 4 * mantissa << shift), lower, upper, exponent);
}

/*
 * As from_binary(), faster, for normal numbers other than powers of two: nearly all numbers.
 *
 * The ends of the interval are not computed. Instead, half its width is compared with the distances
 * from the value to the multiples of ten below and above. Both are truncated, in units of 2^-58 of
 * a quarter. If they are too close to compare, from_binary() decides; the margin is far larger than
 * the truncation error. The nearest decimal with all digits needs no such comparison: it is always
 * in the interval, because half the interval is at least half a unit wide.
 */
static inline struct herald__decimal
from_normal(uint64_t mantissa, int32_t power)
{
	const uint64_t forty = UINT64_C(40) << 58, margin = 64;
	int32_t exponent = (power * 1262611) >> 22, shift = power + log2_of_power(-exponent) + 1;
	struct power scale = power_rounded_up(-exponent);
	uint64_t scaled = 4 * mantissa << shift, ignored, middle;
	uint64_t carry = multiply(scale.low, scaled, &ignored);
	uint64_t value = multiply(scale.high, scaled, &middle), tens, half, rest, up, shorter;

	middle += carry;
	value += middle < carry;
	tens = value / 40;
	rest = (value - 40 * tens) << 58 | middle >> 6;
	half = scale.high >> (5 - shift);
	if (rest - half + margin <= 2 * margin || forty - rest - half + margin <= 2 * margin)
		return from_binary(mantissa, power, false);
	value |= middle > 1;
	/* Compute both and select by mask: a branch would be unpredictable. */
	up = forty - rest < half;
	shorter = -(uint64_t)(rest < half || up);
	return (struct herald__decimal){(10 * (tens + up) & shorter) |
						((value / 4 + is_next_nearer(value)) & ~shorter),
					exponent};
}

struct herald__decimal
herald__from_double(uint64_t bits)
{
	uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
	int32_t field = (int32_t)(bits >> 52 & 0x7FF);

	if (field == 0)
		return from_binary(fraction, 1 - 1075, false);
	if (fraction == 0)
		return from_binary(UINT64_C(1) << 52, field - 1075, field > 1);
	return from_normal(fraction | UINT64_C(1) << 52, field - 1075);
}

/* The same algorithm as for doubles: 128 bits are more than enough. */
struct herald__decimal
herald__from_float(uint32_t bits)
{
	uint32_t fraction = bits & ((UINT32_C(1) << 23) - 1);
	int32_t field = (int32_t)(bits >> 23 & 0xFF);

	if (field == 0)
		return from_binary(fraction, 1 - 150, false);
	if (fraction == 0)
		return from_binary(UINT64_C(1) << 23, field - 150, field > 1);
	return from_normal(fraction | UINT32_C(1) << 23, field - 150);
}
