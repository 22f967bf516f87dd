/*
 * Scanning for the special bytes of strings, 1 KB at a time, with AVX2 if the processor has it
 * (found out at run time). What a special byte means is decided in string_read.c.
 */
#include "json/reader/string_scan.h"

#include <string.h>

#include "base/attributes.h"
#include "base/simd.h"

#ifdef HERALD__AVX2
#include <immintrin.h>
#endif

/* A function such as herald__special_in_64(). */
typedef uint64_t scan_function(const char *bytes, bool high);

/* Scan the last bytes of a document that is shorter than a window. */
HERALD__NOT_INLINE static uint64_t
scan_copy(const char *at, size_t bytes, scan_function *scan, bool high)
{
	char copy[64];

	memset(copy, ' ', sizeof(copy));
	memcpy(copy, at, bytes);
	return scan(copy, high);
}

/* A herald__scan_function, once `scan` is inlined. */
static HERALD__INLINE void
scan_ahead(struct herald__reader *reader, char *at, scan_function *scan)
{
	size_t left = (size_t)(reader->end - at), bytes = sizeof(reader->ahead) * 8;
	uint64_t *special = reader->ahead;
	bool high = reader->text != HERALD__UTF8;

	if (bytes > left)
		bytes = left;
	reader->ahead_begin = at;
	reader->ahead_bytes = bytes;
	reader->ahead_end = &reader->ahead[(bytes + 63) / 64];
	for (; bytes >= 64; bytes -= 64, at += 64)
		*special++ = scan(at, high);
	if (bytes == 0)
		return;
	if (reader->end - reader->begin >= 64)
		*special = scan(at + bytes - 64, high) >> (64 - bytes);
	else
		*special = scan_copy(at, bytes, scan, high);
}

static void
scan_ahead_by_16(struct herald__reader *reader, char *at)
{
	scan_ahead(reader, at, herald__special_in_64);
}

#ifdef HERALD__AVX2
/* A quote and a backslash are each at the place in the table that their lower four bits give. */
HERALD__AVX2 static HERALD__INLINE uint32_t
special_in_32(const char *bytes, bool high)
{
	const __m256i table = _mm256_setr_epi8(1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0,
					       1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0);
	__m256i block = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	__m256i quotes = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, block), block);
	/* In a signed comparison, control characters and non-ASCII bytes are less than a space. */
	__m256i others =
		high ? _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), block)
		     : _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1F)), block);

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes, others));
}

/* herald__special_in_64() with a third of the instructions. */
HERALD__AVX2 static HERALD__INLINE uint64_t
special_in_64_avx2(const char *bytes, bool high)
{
	return special_in_32(bytes, high) | (uint64_t)special_in_32(bytes + 32, high) << 32;
}

HERALD__AVX2 static void
scan_ahead_by_32(struct herald__reader *reader, char *at)
{
	scan_ahead(reader, at, special_in_64_avx2);
}
#endif

void
herald__choose_scan(struct herald__reader *reader)
{
	reader->scan_ahead = scan_ahead_by_16;
	reader->avx2 = false;
#ifdef HERALD__AVX2
	if (herald__has_avx2()) {
		reader->scan_ahead = scan_ahead_by_32;
		reader->avx2 = true;
	}
#endif
}

/* herald__next_special_further() for any `at`. */
HERALD__NOT_INLINE static char *
seek(struct herald__reader *reader, char *at)
{
	while (at < reader->end) {
		size_t in = (size_t)((uintptr_t)at - (uintptr_t)reader->ahead_begin);
		uint64_t special;

		if (in >= reader->ahead_bytes) {
			reader->scan_ahead(reader, at);
			in = 0;
		}
		reader->window = at - in % 64;
		reader->next = &reader->ahead[in / 64 + 1];
		reader->special = reader->next[-1];
		special = reader->special >> in % 64;
		if (special != 0)
			return at + (unsigned)__builtin_ctzll(special);
		at = reader->window + 64;
	}
	return reader->end - 1;
}

char *
herald__next_special_further(struct herald__reader *reader, char *at)
{
	size_t in = (size_t)((uintptr_t)at - (uintptr_t)reader->window);
	uint64_t special;
	char *window;

	if (in >= 128 || reader->next == reader->ahead_end)
		return seek(reader, in < 64 ? reader->window + 64 : at);
	/* Go to the next window. If `at` is in the last one, which has none left, whether the next
	 * one has one does not depend on `at`. */
	window = reader->window + 64;
	reader->window = window;
	reader->special = special = *reader->next++;
	if (in < 64)
		return special != 0 ? window + (unsigned)__builtin_ctzll(special)
				    : seek(reader, window + 64);
	special >>= in - 64;
	return special != 0 ? at + (unsigned)__builtin_ctzll(special) : seek(reader, window + 64);
}
