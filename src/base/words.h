/*
 * Loads of words, and the names of members as words with a hash, without reading outside them.
 * Private.
 */
#ifndef HERALD_SRC_BASE_WORDS_H
#define HERALD_SRC_BASE_WORDS_H

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
 * A key as two words. A key of up to 16 bytes is complete in them, padded with zeros. For a longer
 * one they are its first and its last eight bytes.
 */
struct herald__key {
	uint64_t first, last;
	size_t bytes;
};

/* For any key. Reads only the key's bytes. */
static inline struct herald__key
herald__key_words(const char *text, size_t bytes)
{
	struct herald__key key = {.bytes = bytes};

	if (bytes > 16) {
		key.first = herald__load64(text);
		key.last = herald__load64(text + bytes - 8);
		return key;
	}

	char padded[16] = {0};

	memcpy(padded, text, bytes);
	key.first = herald__load64(padded);
	key.last = herald__load64(padded + 8);
	return key;
}

/*
 * Combine two words so that the upper bits depend on all bytes. The keys in a table are the
 * program's own, so an attacker cannot choose them to collide.
 */
static inline uint64_t
herald__key_mix(struct herald__key key)
{
	return key.first ^ (key.last << 29 | key.last >> 35);
}

#endif
