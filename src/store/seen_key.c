/*
 * Keys of deduplication: 6 bytes of order, and 10 bytes of a keyed hash.
 *
 * A database writes least if the keys of events that come together are neighbours in its index.
 * Many ids grow with time: UUIDs of version 7, and names that end in a number. So what grows comes
 * first in the key. The hash decides whether two ids are equal; it has a secret, so that a sender
 * cannot choose an id that collides with another one.
 */
#include "store/seen_key.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/text.h>

#define ORDER_BYTES 6
#define UUID_BYTES 36

static bool
is_uuid(const char *id, size_t bytes)
{
	if (bytes != UUID_BYTES)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? id[i] != '-' : !herald_ascii_is_hex_digit(id[i]))
			return false;
	}
	return true;
}

/* The first 48 bits: in version 7, the time in milliseconds. */
static uint64_t
order_of_uuid(const char *id)
{
	uint64_t order = 0;

	for (size_t i = 0; i < 13; i++) {
		char digit = herald_ascii_lower(id[i]);

		if (digit != '-')
			order = order << 4 |
				(uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
	}
	return order;
}

/* A number at the end, as in "order-000123"; else the first bytes. */
static uint64_t
order_of_name(const char *id, size_t bytes)
{
	size_t begin = bytes;
	uint64_t order = 0;

	while (begin > 0 && herald_ascii_is_digit(id[begin - 1]))
		begin--;
	for (size_t i = begin; i < bytes; i++)
		order = order * 10 + (uint64_t)(id[i] - '0');
	for (size_t i = 0; begin == bytes && i < ORDER_BYTES; i++)
		order = order << 8 | (i < bytes ? (unsigned char)id[i] : 0);
	return order;
}

void
herald__seen_key(const unsigned char secret[HERALD__SIPHASH_KEY_BYTES], const char *queue,
		 const char *source, const char *id, unsigned char out[HERALD_SEEN_KEY_BYTES])
{
	size_t bytes = strlen(id);
	uint64_t order = is_uuid(id, bytes) ? order_of_uuid(id) : order_of_name(id, bytes);
	struct herald__siphash hash;

	herald__siphash_init(&hash, secret, HERALD__SIPHASH_128);
	herald__siphash_add(&hash, queue, strlen(queue) + 1);
	herald__siphash_add(&hash, source, strlen(source) + 1);
	herald__siphash_add(&hash, id, bytes);
	herald__siphash_128(&hash, out);
	for (size_t i = ORDER_BYTES; i-- > 0; order >>= 8)
		out[i] = (unsigned char)order;
}
