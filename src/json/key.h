/*
 * Comparing and hashing the names of members, without reading outside them.
 * Private.
 */
#ifndef HERALD_SRC_JSON_KEY_H
#define HERALD_SRC_JSON_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
herald__load64(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint32_t
herald__load32(const char *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/*
 * A hash of a key: its length, its first and its last bytes. The keys in a
 * table are the program's own, so nobody can choose them to collide.
 */
static inline size_t
herald__key_hash(const char *key, size_t bytes)
{
	uint64_t first, last, hash;

	if (bytes >= 8) {
		first = herald__load64(key);
		last = herald__load64(key + bytes - 8);
	} else if (bytes >= 4) {
		first = herald__load32(key);
		last = herald__load32(key + bytes - 4);
	} else {
		first = bytes > 0 ? (unsigned char)key[0] : 0;
		last = bytes > 0 ? (uint64_t)(unsigned char)key[bytes / 2] << 8 |
					   (unsigned char)key[bytes - 1]
				 : 0;
	}
	hash = (first ^ bytes) * 0x9E3779B97F4A7C15u;
	hash = (hash ^ hash >> 32 ^ last) * 0xD6E8FEB86659FD93u;
	return (size_t)(hash ^ hash >> 32);
}

#endif
