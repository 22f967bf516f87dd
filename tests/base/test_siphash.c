/*
 * SipHash-2-4 against the vectors of its authors (vectors.h of their reference code: key 00 01 ...
 * 0f, input 00 01 02 ...), and cut in every way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/siphash.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const struct {
	size_t bytes;
	uint64_t short_hash;
	const char *long_hash;
} vectors[] = {
	{0, UINT64_C(0x726fdb47dd0e0e31), "a3817f04ba25a8e66df67214c7550293"},
	{1, UINT64_C(0x74f839c593dc67fd), "da87c1d86b99af44347659119b22fc45"},
	{7, UINT64_C(0xab0200f58b01d137), "a1f1ebbed8dbc153c0b84aa61ff08239"},
	{8, UINT64_C(0x93f5f5799a932462), "3b62a9ba6258f5610f83e264f31497b4"},
	{9, UINT64_C(0x9e0082df0ba9e4b0), "264499060ad9baabc47f8b02bb6d71ed"},
	{15, UINT64_C(0xa129ca6149be45e5), "5493e99933b0a8117e08ec0f97cfc3d9"},
	{16, UINT64_C(0x3f2acc7f57c29bdb), "6ee2a4ca67b054bbfd3315bf85230577"},
	{63, UINT64_C(0x958a324ceb064572), "5150d1772f50834a503e069a973fbd7c"},
};

/* Both hashes of the first `bytes` bytes, which are added in two parts. */
static void
hash_in_parts(size_t bytes, size_t cut, uint64_t *short_hash, char long_hash[33])
{
	unsigned char key[HERALD__SIPHASH_KEY_BYTES], input[64], out[16];
	struct herald__siphash hash;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)i;
	herald__siphash_init(&hash, key, HERALD__SIPHASH_64);
	herald__siphash_add(&hash, input, cut);
	herald__siphash_add(&hash, input + cut, bytes - cut);
	*short_hash = herald__siphash_64(&hash);
	herald__siphash_init(&hash, key, HERALD__SIPHASH_128);
	herald__siphash_add(&hash, input, cut);
	herald__siphash_add(&hash, input + cut, bytes - cut);
	herald__siphash_128(&hash, out);
	for (size_t i = 0; i < sizeof(out); i++)
		snprintf(long_hash + 2 * i, 3, "%02x", out[i]);
}

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		for (size_t cut = 0; cut <= vectors[i].bytes; cut++) {
			uint64_t short_hash;
			char long_hash[33];

			hash_in_parts(vectors[i].bytes, cut, &short_hash, long_hash);
			assert_int_equal(short_hash, vectors[i].short_hash);
			assert_string_equal(long_hash, vectors[i].long_hash);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
