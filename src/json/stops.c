/*
 * Where strings may end: looks at a document 1 KB at a time, with AVX2 where the processor has it (asked
 * at run time), and goes from one stop to the next. What a stop means is string.c's.
 */
#include "scan.h"

#include <string.h>

#include "simd.h"

#ifdef HERALD__AVX2
#include <immintrin.h>
#endif

/* As herald__stop_window(). */
typedef uint64_t look_function(const char *bytes, bool high);

/* The stops in the last bytes of a document that is shorter than a window. */
__attribute__((noinline)) static uint64_t
look_at_copy(const char *at, size_t bytes, look_function *look, bool high)
{
	char copy[64];

	memset(copy, ' ', sizeof(copy));
	memcpy(copy, at, bytes);
	return look(copy, high);
}

/* A herald__look_function. */
__attribute__((always_inline)) static inline void
look_ahead(struct herald__reader *reader, char *at, look_function *look)
{
	size_t left = (size_t)(reader->end - at), bytes = sizeof(reader->ahead) * 8;
	uint64_t *stops = reader->ahead;
	bool high = reader->text != HERALD__UTF8;

	if (bytes > left)
		bytes = left;
	reader->ahead_begin = at;
	reader->ahead_bytes = bytes;
	reader->ahead_end = &reader->ahead[(bytes + 63) / 64];
	for (; bytes >= 64; bytes -= 64, at += 64)
		*stops++ = look(at, high);
	if (bytes == 0)
		return;
	if (reader->end - reader->begin >= 64)
		*stops = look(at + bytes - 64, high) >> (64 - bytes);
	else
		*stops = look_at_copy(at, bytes, look, high);
}

static void
look_ahead_by_16(struct herald__reader *reader, char *at)
{
	look_ahead(reader, at, herald__stop_window);
}

#ifdef HERALD__AVX2
/* A byte that is a quote or a backslash is the one that stands in the table at its lower four bits. */
HERALD__AVX2 __attribute__((always_inline)) static inline uint32_t
find_in_32(const char *bytes, bool high)
{
	const __m256i table = _mm256_setr_epi8(1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0,
					       1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0);
	__m256i block = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	__m256i quotes = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, block), block);
	/* As signed bytes, what is below a space is a control character or not ASCII. */
	__m256i others =
		high ? _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), block)
		     : _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1F)), block);

	return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes, others));
}

/* herald__stop_window() with a third of the instructions. */
HERALD__AVX2 __attribute__((always_inline)) static inline uint64_t
look_avx2(const char *bytes, bool high)
{
	return find_in_32(bytes, high) | (uint64_t)find_in_32(bytes + 32, high) << 32;
}

HERALD__AVX2 static void
look_ahead_by_32(struct herald__reader *reader, char *at)
{
	look_ahead(reader, at, look_avx2);
}
#endif

herald__look_function *
herald__choose_look(void)
{
#ifdef HERALD__AVX2
	if (__builtin_cpu_supports("avx2"))
		return look_ahead_by_32;
#endif
	return look_ahead_by_16;
}

/* herald__next_stop_further() for any `at`. */
__attribute__((noinline)) static char *
seek(struct herald__reader *reader, char *at)
{
	while (at < reader->end) {
		size_t in = (size_t)((uintptr_t)at - (uintptr_t)reader->ahead_begin);
		uint64_t stops;

		if (in >= reader->ahead_bytes) {
			reader->look_ahead(reader, at);
			in = 0;
		}
		reader->window = at - in % 64;
		reader->next = &reader->ahead[in / 64 + 1];
		reader->stops = reader->next[-1];
		stops = reader->stops >> in % 64;
		if (stops != 0)
			return at + (unsigned)__builtin_ctzll(stops);
		at = reader->window + 64;
	}
	return reader->end - 1;
}

char *
herald__next_stop_further(struct herald__reader *reader, char *at)
{
	char *window = reader->window;

	if ((uintptr_t)at - (uintptr_t)window >= 64)
		return seek(reader, at);
	/* There is none in the window. That the next one has one can be known before `at` is. */
	window += 64;
	if (reader->next == reader->ahead_end || *reader->next == 0)
		return seek(reader, window);
	reader->window = window;
	reader->stops = *reader->next++;
	return window + (unsigned)__builtin_ctzll(reader->stops);
}
