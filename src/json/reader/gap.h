/*
 * Skipping the white space before a member or an element of indented JSON. Private.
 *
 * Indented text has the same line break and indentation before every member of an object. How long
 * it is can be guessed, and a guess that is compared with the text is faster than counting: where
 * the next token begins is then known before the comparison ends.
 */
#ifndef HERALD_SRC_JSON_READER_GAP_H
#define HERALD_SRC_JSON_READER_GAP_H

#include "base/simd.h"
#include "json/reader/reader.h"

#ifdef HERALD__AVX2
#include <immintrin.h>
#endif

/* herald__skip_gap() where there is white space. */
char *herald__skip_guessed(struct herald__reader *reader, char *at, size_t depth);

/* Skip white space of another length than the guess, and guess this one next. */
char *herald__skip_other_gap(struct herald__reader *reader, char *at, size_t slot);

/*
 * herald__skip_blank(), for the white space after the bracket that opens an object or an array, or
 * after a comma in it, or before the bracket that closes what is in it.
 *
 * depth  of that object or array.
 */
static inline char *
herald__skip_gap(struct herald__reader *reader, char *at, size_t depth)
{
	return (unsigned char)*at > ' ' ? at : herald__skip_guessed(reader, at, depth);
}

#ifdef HERALD__AVX2
/* herald__skip_gap() inline. White space is at the place in the table that its lower four bits
 * give. */
HERALD__AVX2 static HERALD__INLINE char *
herald__skip_gap_by_32(struct herald__reader *reader, char *at, size_t depth)
{
	const __m256i table =
		_mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0, ' ', 0,
				 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
	size_t slot = depth % HERALD__GAPS;

	if ((unsigned char)*at > ' ')
		return at;
	if (HERALD__LIKELY(reader->end - at >= HERALD__MAX_GAP + 2)) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
		uint32_t spaces = (uint32_t)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, bytes), bytes));

		if (HERALD__LIKELY((spaces ^ (spaces + 1)) == reader->gap_masks[slot]))
			return at + reader->gap_bytes[slot];
	}
	return herald__skip_other_gap(reader, at, slot);
}
#endif

#endif
