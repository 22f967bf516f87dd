/*
 * Two entries of a map with the same key. Private.
 */
#ifndef HERALD_SRC_CODEC_DUPLICATE_H
#define HERALD_SRC_CODEC_DUPLICATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/words.h"

/* Up to so many entries are compared with each other. */
#define HERALD__FEW_ENTRIES 16

/* Up to so many entries, the search needs no scratch memory from its caller. */
#define HERALD__ENTRIES_WITHOUT_SCRATCH 256

/* The key of a map's entry: the first member in all kinds of map. */
static inline const char *
herald__entry_key(const void *entry)
{
	return *(const char *const *)entry;
}

/* The last eight bytes of a key or, if it is shorter, all of them and its length. */
static inline uint64_t
herald__key_tail(const char *end, size_t bytes)
{
	const char *key = end - bytes;

	if (bytes >= 8)
		return herald__load64(end - 8);
	if (bytes >= 4)
		return herald__load32(key) | (uint64_t)herald__load32(end - 4) << 32;
	if (bytes == 0)
		return 0;
	return (unsigned char)key[0] | (uint64_t)(unsigned char)key[bytes / 2] << 8 |
	       (uint64_t)(unsigned char)end[-1] << 16 | (uint64_t)bytes << 24;
}

/* A hash of a key, best in its upper bits. Anyone can find collisions: see duplicate.c. */
static inline uint64_t
herald__key_hash(const char *key)
{
	const uint64_t odd = 0x9E3779B97F4A7C15u;
	size_t bytes = strlen(key);
	uint64_t hash = 0;

	for (size_t i = 0; i + 8 < bytes; i += 8) {
		hash = (hash ^ herald__load64(key + i)) * odd;
		hash ^= hash >> 32;
	}
	hash = (hash ^ herald__key_tail(key + bytes, bytes)) * odd;
	return (hash ^ hash >> 32) * odd;
}

/* herald__duplicate_scratch() for more entries than do without. */
size_t herald__duplicate_scratch_of_many(size_t count);

/* The number of bytes of scratch memory for so many entries; 0: none is needed. */
static inline size_t
herald__duplicate_scratch(size_t count)
{
	return count <= HERALD__ENTRIES_WITHOUT_SCRATCH ? 0
							: herald__duplicate_scratch_of_many(count);
}

/* herald__find_duplicate() for many entries. */
const char *
herald__find_duplicate_of_many(const char *entries, size_t bytes, size_t count, void *scratch);

/*
 * Returns the first key that an earlier entry of the map has, or NULL. An entry has `bytes` bytes
 * and begins with its key. `scratch` has herald__duplicate_scratch() bytes.
 */
static inline const char *
herald__find_duplicate(const char *entries, size_t bytes, size_t count, void *scratch)
{
	if (count > HERALD__FEW_ENTRIES)
		return herald__find_duplicate_of_many(entries, bytes, count, scratch);
	for (const char *entry = entries; count > 1; count--) {
		const char *key = herald__entry_key(entry += bytes);

		for (const char *earlier = entries; earlier < entry; earlier += bytes) {
			const char *other = herald__entry_key(earlier);

			if (*key == *other && strcmp(key, other) == 0)
				return key;
		}
	}
	return NULL;
}

#endif
