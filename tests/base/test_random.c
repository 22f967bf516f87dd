/*
 * herald/adapter/random.h: the numbers, and a seed also when the kernel has no random bits yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include <herald/time.h>

#include <herald/adapter/random.h>

static bool is_without_bits;
static unsigned char next_byte;

/* The C library's, in this program. */
ssize_t
getrandom(void *buffer, size_t bytes, unsigned flags)
{
	assert_int_equal(flags, GRND_NONBLOCK);
	if (is_without_bits)
		return -1;
	memset(buffer, next_byte++, bytes);
	return (ssize_t)bytes;
}

static void
test_seed_is_the_kernels(void **state)
{
	(void)state;
	is_without_bits = false;
	next_byte = 0x5a;
	assert_true(herald_random_seed() == 0x5a5a5a5a5a5a5a5a);
	assert_true(herald_random_seed() == 0x5b5b5b5b5b5b5b5b);
}

/* Nanoseconds since 1970. */
static void
test_seed_without_the_kernels(void **state)
{
	(void)state;
	is_without_bits = true;

	uint64_t before = (uint64_t)herald_time_now().seconds;
	uint64_t seed = herald_random_seed();
	uint64_t after = (uint64_t)herald_time_now().seconds + 1;
	assert_in_range(seed, before * 1000000000, after * 1000000000);
}

/* The first numbers of splitmix64 from the state 0, as its author's code gives them. */
static void
test_numbers(void **state)
{
	static const uint64_t expected[] = {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4,
					    0x06c45d188009454f};
	uint64_t random = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(herald_random_bits(random += HERALD_RANDOM_STEP) == expected[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_is_the_kernels),
		cmocka_unit_test(test_seed_without_the_kernels),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
