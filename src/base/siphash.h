/*
 * SipHash-2-4 (Jean-Philippe Aumasson and Daniel J. Bernstein, 2012): a keyed hash. Without the
 * key it is not possible to find collisions. With a result of 64 or 128 bits.
 *
 *	struct herald__siphash hash;
 *
 *	herald__siphash_init(&hash, key, HERALD__SIPHASH_128);
 *	herald__siphash_add(&hash, source, strlen(source) + 1);
 *	herald__siphash_add(&hash, id, strlen(id));
 *	herald__siphash_128(&hash, out);
 */
#ifndef HERALD_SRC_BASE_SIPHASH_H
#define HERALD_SRC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define HERALD__SIPHASH_KEY_BYTES 16

/* The length of the result; the two lengths are different functions. */
enum herald__siphash_length {
	HERALD__SIPHASH_64,
	HERALD__SIPHASH_128,
};

/* A hash being computed. */
struct herald__siphash {
	uint64_t v[4];
	uint64_t word; /* bytes that do not fill a word yet, little endian */
	uint64_t bytes;
};

void herald__siphash_init(struct herald__siphash *hash,
			  const unsigned char key[HERALD__SIPHASH_KEY_BYTES],
			  enum herald__siphash_length length);

/* Add bytes. Where a text is cut into several calls does not matter. */
void herald__siphash_add(struct herald__siphash *hash, const void *data, size_t bytes);

/* The result. The hash must then be initialised again. */
uint64_t herald__siphash_64(struct herald__siphash *hash);
void herald__siphash_128(struct herald__siphash *hash, unsigned char out[16]);

#endif
