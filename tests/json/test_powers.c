/*
 * The table of powers of ten, compared with one that is computed here with all digits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "json/powers.h"

#define GREATEST (HERALD__POWERS_LEAST + HERALD__POWERS_COUNT - 1)

/* A natural number of 2,560 bits, the least significant digit first: more than 2^1280 * 10^342. */
#define DIGITS_COUNT 80
struct natural {
	uint32_t digits[DIGITS_COUNT];
};

static void
multiply_by_ten(struct natural *number)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < DIGITS_COUNT; i++) {
		carry += (uint64_t)number->digits[i] * 10;
		number->digits[i] = (uint32_t)carry;
		carry >>= 32;
	}
	assert_int_equal(carry, 0);
}

static void
divide_by_ten(struct natural *number)
{
	uint64_t rest = 0;

	for (size_t i = DIGITS_COUNT; i-- > 0;) {
		rest = rest << 32 | number->digits[i];
		number->digits[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
}

static int
bit(const struct natural *number, int place)
{
	return place < 0 ? 0 : (int)(number->digits[place / 32] >> place % 32 & 1);
}

/* The first 128 bits, from the first that is set. */
static void
assert_begins_with(const struct natural *number, int exponent)
{
	const uint64_t *power = herald__powers_of_ten[exponent - HERALD__POWERS_LEAST];
	uint64_t expected[2] = {0, 0};
	int top = DIGITS_COUNT * 32 - 1;

	while (bit(number, top) == 0)
		top--;
	for (int i = 0; i < 128; i++)
		expected[i / 64] = expected[i / 64] << 1 | (uint64_t)bit(number, top - i);
	if (memcmp(power, expected, sizeof(expected)) != 0)
		fail_msg("10^%d begins with 0x%016llx, 0x%016llx", exponent,
			 (unsigned long long)expected[0], (unsigned long long)expected[1]);
}

static void
test_powers_of_ten(void **state)
{
	struct natural number = {{1}};

	(void)state;
	for (int exponent = 0; exponent <= GREATEST; exponent++) {
		assert_begins_with(&number, exponent);
		multiply_by_ten(&number);
	}
	/* What is cut off of 2^2528 leaves more than 128 bits of the least power. */
	memset(&number, 0, sizeof(number));
	number.digits[DIGITS_COUNT - 1] = 1;
	for (int exponent = -1; exponent >= HERALD__POWERS_LEAST; exponent--) {
		divide_by_ten(&number);
		assert_begins_with(&number, exponent);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_powers_of_ten),
	};

	return cmocka_run_group_tests_name("powers", tests, NULL, NULL);
}
