/*
 * SipHash-2-4. Keeps no state and allocates nothing.
 */
#include "base/siphash.h"

static uint64_t
rotated(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void
mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotated(v[1], 13) ^ v[0];
		v[0] = rotated(v[0], 32);
		v[2] += v[3];
		v[3] = rotated(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotated(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotated(v[1], 17) ^ v[2];
		v[2] = rotated(v[2], 32);
	}
}

static void
add_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
}

/* Little endian on every machine. */
static uint64_t
load(const unsigned char *bytes)
{
	uint64_t word = 0;

	for (unsigned i = 8; i-- > 0;)
		word = word << 8 | bytes[i];
	return word;
}

static void
store(unsigned char *bytes, uint64_t word)
{
	for (unsigned i = 0; i < 8; i++, word >>= 8)
		bytes[i] = (unsigned char)word;
}

void
herald__siphash_init(struct herald__siphash *hash,
		     const unsigned char key[HERALD__SIPHASH_KEY_BYTES],
		     enum herald__siphash_length length)
{
	const uint64_t k0 = load(key), k1 = load(key + 8);

	*hash = (struct herald__siphash){
		.v = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)},
	};
	if (length == HERALD__SIPHASH_128)
		hash->v[1] ^= 0xee;
}

void
herald__siphash_add(struct herald__siphash *hash, const void *data, size_t bytes)
{
	const unsigned char *next = data;
	const unsigned char *end = next + bytes;

	while (next < end) {
		if (hash->bytes % 8 == 0 && end - next >= 8) {
			add_word(hash->v, load(next));
			hash->bytes += 8;
			next += 8;
			continue;
		}
		hash->word |= (uint64_t)*next++ << 8 * (hash->bytes % 8);
		if (++hash->bytes % 8 == 0) {
			add_word(hash->v, hash->word);
			hash->word = 0;
		}
	}
}

static uint64_t
folded(const uint64_t v[4])
{
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
herald__siphash_64(struct herald__siphash *hash)
{
	add_word(hash->v, hash->word | hash->bytes << 56);
	hash->v[2] ^= 0xff;
	mix(hash->v, 4);
	return folded(hash->v);
}

void
herald__siphash_128(struct herald__siphash *hash, unsigned char out[16])
{
	add_word(hash->v, hash->word | hash->bytes << 56);
	hash->v[2] ^= 0xee;
	mix(hash->v, 4);
	store(out, folded(hash->v));
	hash->v[1] ^= 0xdd;
	mix(hash->v, 4);
	store(out + 8, folded(hash->v));
}
