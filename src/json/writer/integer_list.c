/*
 * Writing of lists of integers with AVX2 (if the processor has it, found out at run time). Only a
 * fast path: encode.c writes what is refused here with integer_write.h.
 *
 * How it works. The digits of four integers are computed at once, each digit in a byte: eight
 * digits if all four are below 10^8, otherwise the last sixteen, and up to four before them. A
 * comparison with zero gives a mask of the leading zeros of all four, so that where an integer is
 * stored depends only on the length of the one before it. Whole words are stored: the next integer
 * overwrites the bytes after the digits.
 */
#include "json/writer/integer_list.h"

#include "base/simd.h"

#ifdef HERALD__AVX2
#include <immintrin.h>

#include "json/powers.h"
#include "json/writer/integer_write.h"
#include "json/writer/shift.h"

/* The integers that are written at once. */
#define GROUP ((size_t)4)

/* What must fit: of each a sign, up to twenty digits, a comma, and what is stored after them. */
#define GROUP_BYTES 128

HERALD__AVX2 static inline __m128i
load_16(const char *at)
{
	return _mm_loadu_si128((const __m128i *)(const void *)at);
}

HERALD__AVX2 static inline __m128i
load_8(const char *at)
{
	return _mm_loadl_epi64((const __m128i *)(const void *)at);
}

HERALD__AVX2 static inline __m128i
load_4(const char *at)
{
	return _mm_cvtsi32_si128((int)herald__load32(at));
}

/* Load a group of integers of `bytes` each. */
HERALD__AVX2 static HERALD__INLINE __m256i
load_group(const char *at, size_t bytes, bool is_signed)
{
	switch (bytes) {
	case 1:
		return is_signed ? _mm256_cvtepi8_epi64(load_4(at))
				 : _mm256_cvtepu8_epi64(load_4(at));
	case 2:
		return is_signed ? _mm256_cvtepi16_epi64(load_8(at))
				 : _mm256_cvtepu16_epi64(load_8(at));
	case 4:
		return is_signed ? _mm256_cvtepi32_epi64(load_16(at))
				 : _mm256_cvtepu32_epi64(load_16(at));
	default:
		return _mm256_loadu_si256((const __m256i *)(const void *)at);
	}
}

/* A group, without its signs. */
struct group {
	__m256i absolutes;
	unsigned signs; /* a bit for each, set if it is negative */
};

HERALD__AVX2 static HERALD__INLINE struct group
take_signs(__m256i values, bool is_signed)
{
	__m256i negative = _mm256_and_si256(_mm256_set1_epi64x(-(int64_t)is_signed),
					    _mm256_cmpgt_epi64(_mm256_setzero_si256(), values));

	return (struct group){
		_mm256_sub_epi64(_mm256_xor_si256(values, negative), negative),
		(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(negative)),
	};
}

/* Keep gcc from replacing a multiplication by a constant by several shifts and additions. */
HERALD__AVX2 static HERALD__INLINE __m256i
hide(__m256i constant)
{
	__asm__("" : "+x"(constant));
	return constant;
}

/* The digits of eight values below 10^4. herald__sixteen_digits() says how. */
HERALD__AVX2 static HERALD__INLINE __m256i
split_fours(__m256i values)
{
	const __m256i hundred = hide(_mm256_set1_epi16(100)), ten = hide(_mm256_set1_epi16(10));
	__m256i hundreds =
		_mm256_srli_epi16(_mm256_mulhi_epu16(values, _mm256_set1_epi16(5243)), 3);
	__m256i others = _mm256_sub_epi16(values, _mm256_mullo_epi16(hundreds, hundred));
	__m256i pairs = _mm256_add_epi16(hundreds, _mm256_slli_epi32(others, 16));
	__m256i tens = _mm256_mulhi_epu16(pairs, _mm256_set1_epi16(6554));
	__m256i ones = _mm256_sub_epi16(pairs, _mm256_mullo_epi16(tens, ten));

	return _mm256_add_epi8(tens, _mm256_slli_epi16(ones, 8));
}

/* The digits of four values below 10^8. */
HERALD__AVX2 static HERALD__INLINE __m256i
split_eights(__m256i values)
{
	__m256i upper = _mm256_srli_epi64(
		_mm256_mul_epu32(values, _mm256_set1_epi64x(INT64_C(0xD1B71759))), 45);
	__m256i lower =
		_mm256_sub_epi64(values, _mm256_mul_epu32(upper, _mm256_set1_epi64x(10000)));

	return split_fours(_mm256_or_si256(upper, _mm256_slli_epi64(lower, 32)));
}

/* A bit for each byte that is not 0. */
HERALD__AVX2 static HERALD__INLINE uint32_t
find_digits(__m256i split)
{
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(split, _mm256_setzero_si256()));
}

/* Write an integer and a comma. `text` has its eight digits; the lowest bits of `digits` are 0 for
 * leading zeros. */
HERALD__AVX2 static HERALD__INLINE char *
put_eight(char *out, long long text, uint32_t digits, unsigned is_negative)
{
	unsigned zeros = (unsigned)__builtin_ctz(digits);

	*out = '-';
	out += is_negative;
	herald__store_word(out, (uint64_t)text >> zeros * 8);
	out += 8 - zeros;
	*out = ',';
	return out + 1;
}

/* Write a group of integers below 10^8. */
HERALD__AVX2 static HERALD__INLINE char *
put_short_group(char *out, struct group group)
{
	__m256i split = split_eights(group.absolutes);
	__m256i text = _mm256_or_si256(split, _mm256_set1_epi8('0'));
	__m128i first = _mm256_castsi256_si128(text), last = _mm256_extracti128_si256(text, 1);
	/* The last digit is written even if it is 0. */
	uint32_t digits = find_digits(split) | 0x80808080;

	out = put_eight(out, _mm_cvtsi128_si64(first), digits, group.signs & 1);
	out = put_eight(out, _mm_extract_epi64(first, 1), digits >> 8, group.signs >> 1 & 1);
	out = put_eight(out, _mm_cvtsi128_si64(last), digits >> 16, group.signs >> 2 & 1);
	return put_eight(out, _mm_extract_epi64(last, 1), digits >> 24, group.signs >> 3);
}

/*
 * Divide values by 2^bits * divisor. Drops the lower bits, and divides by the divisor in floating
 * point. The half that is added keeps the quotient so far from an integer that its integer part is
 * the same in all rounding modes. For values below 2^(bits + 48) whose quotients are below 2^31.
 */
HERALD__AVX2 static HERALD__INLINE __m128i
divide(__m256i values, int bits, double divisor)
{
	/* 2^52, whose lower bits count ones. */
	const __m256i base = _mm256_set1_epi64x(INT64_C(0x4330000000000000));
	__m256i upper = _mm256_or_si256(_mm256_srli_epi64(values, bits), base);
	__m256d real = _mm256_sub_pd(_mm256_castsi256_pd(upper), _mm256_castsi256_pd(base));
	__m256d raised = _mm256_add_pd(real, _mm256_set1_pd(0.5));

	return _mm256_cvttpd_epi32(_mm256_mul_pd(raised, _mm256_set1_pd(1 / divisor)));
}

/* The sixteen digits of a group, two integers in each register: those at 0 and 2, and those at 1
 * and 3. */
struct sixteens {
	__m256i even, odd;
	uint32_t even_digits, odd_digits; /* the lowest bits of a half are 0 for leading zeros */
};

/* The digits of integers below 10^16. Where `longer` is not 0, no digit is a leading zero. */
HERALD__AVX2 static HERALD__INLINE struct sixteens
split_sixteens(__m256i values, __m256i longer)
{
	const __m256i ten_to_8 = _mm256_set1_epi64x((int64_t)HERALD__TEN_TO_8);
	const __m256i none = _mm256_setzero_si256(), zero = _mm256_set1_epi8('0');
	/* 10^8 is 2^8 * 390625. */
	__m256i upper = _mm256_cvtepi32_epi64(divide(values, 8, 390625));
	__m256i lower = _mm256_sub_epi64(values, _mm256_mul_epu32(upper, ten_to_8));
	__m256i even = split_eights(_mm256_unpacklo_epi64(upper, lower));
	__m256i odd = split_eights(_mm256_unpackhi_epi64(upper, lower));

	return (struct sixteens){
		_mm256_or_si256(even, zero),
		_mm256_or_si256(odd, zero),
		find_digits(_mm256_or_si256(even, _mm256_unpacklo_epi64(longer, none))) |
			0x80008000,
		find_digits(_mm256_or_si256(odd, _mm256_unpackhi_epi64(longer, none))) | 0x80008000,
	};
}

/* Write an integer and a comma; see put_eight(). */
HERALD__AVX2 static HERALD__INLINE char *
put_sixteen(char *out, __m128i text, uint32_t digits, unsigned is_negative)
{
	unsigned zeros = (unsigned)__builtin_ctz(digits);

	*out = '-';
	out += is_negative;
	_mm_storeu_si128((__m128i *)(void *)out, herald__shift_down(text, zeros));
	out += 16 - zeros;
	*out = ',';
	return out + 1;
}

/* Write a group of integers below 10^16. */
HERALD__AVX2 static HERALD__INLINE char *
put_middle_group(char *out, struct group group)
{
	struct sixteens split = split_sixteens(group.absolutes, _mm256_setzero_si256());

	out = put_sixteen(out, _mm256_castsi256_si128(split.even), split.even_digits,
			  group.signs & 1);
	out = put_sixteen(out, _mm256_castsi256_si128(split.odd), split.odd_digits,
			  group.signs >> 1 & 1);
	out = put_sixteen(out, _mm256_extracti128_si256(split.even, 1), split.even_digits >> 16,
			  group.signs >> 2 & 1);
	return put_sixteen(out, _mm256_extracti128_si256(split.odd, 1), split.odd_digits >> 16,
			   group.signs >> 3);
}

/* The digits before the last sixteen of a group, as text in 32 bits each, and how many they are. */
struct leads {
	__m128i text, bytes;
};

HERALD__AVX2 static HERALD__INLINE struct leads
split_leads(__m128i values)
{
	__m128i digits = _mm256_castsi256_si128(split_fours(_mm256_zextsi128_si256(values)));
	__m128i text = _mm_or_si128(digits, _mm_set1_epi8('0'));
	/* The leading zeros. A comparison that is true gives -1. */
	__m128i first = _mm_add_epi32(_mm_cmpgt_epi32(values, _mm_setzero_si128()),
				      _mm_cmpgt_epi32(values, _mm_set1_epi32(9)));
	__m128i last = _mm_add_epi32(_mm_cmpgt_epi32(values, _mm_set1_epi32(99)),
				     _mm_cmpgt_epi32(values, _mm_set1_epi32(999)));
	__m128i zeros = _mm_add_epi32(_mm_set1_epi32(4), _mm_add_epi32(first, last));

	return (struct leads){_mm_srlv_epi32(text, _mm_slli_epi32(zeros, 3)),
			      _mm_sub_epi32(_mm_set1_epi32(4), zeros)};
}

/* Write the sign and the leading digits. */
HERALD__AVX2 static HERALD__INLINE char *
put_lead(char *out, int text, int bytes, unsigned is_negative)
{
	*out = '-';
	out += is_negative;
	memcpy(out, &text, sizeof(text));
	return out + bytes;
}

/* Write a group of any integers. */
HERALD__AVX2 static HERALD__INLINE char *
put_long_group(char *out, struct group group)
{
	const uint64_t ten_to_16 = HERALD__TEN_TO_16;
	const __m256i lower_half = _mm256_set1_epi64x((int64_t)(ten_to_16 & UINT32_MAX));
	const __m256i upper_half = _mm256_set1_epi64x((int64_t)(ten_to_16 >> 32));
	/* 10^16 is 2^16 * 152587890625. */
	__m128i lead = divide(group.absolutes, 16, 152587890625);
	struct leads leads = split_leads(lead);
	__m256i wide = _mm256_cvtepi32_epi64(lead);
	__m256i product =
		_mm256_add_epi64(_mm256_mul_epu32(wide, lower_half),
				 _mm256_slli_epi64(_mm256_mul_epu32(wide, upper_half), 32));
	struct sixteens split = split_sixteens(_mm256_sub_epi64(group.absolutes, product),
					       _mm256_cmpgt_epi64(wide, _mm256_setzero_si256()));

	out = put_lead(out, _mm_extract_epi32(leads.text, 0), _mm_extract_epi32(leads.bytes, 0),
		       group.signs & 1);
	out = put_sixteen(out, _mm256_castsi256_si128(split.even), split.even_digits, 0);
	out = put_lead(out, _mm_extract_epi32(leads.text, 1), _mm_extract_epi32(leads.bytes, 1),
		       group.signs >> 1 & 1);
	out = put_sixteen(out, _mm256_castsi256_si128(split.odd), split.odd_digits, 0);
	out = put_lead(out, _mm_extract_epi32(leads.text, 2), _mm_extract_epi32(leads.bytes, 2),
		       group.signs >> 2 & 1);
	out = put_sixteen(out, _mm256_extracti128_si256(split.even, 1), split.even_digits >> 16, 0);
	out = put_lead(out, _mm_extract_epi32(leads.text, 3), _mm_extract_epi32(leads.bytes, 3),
		       group.signs >> 3);
	return put_sixteen(out, _mm256_extracti128_si256(split.odd, 1), split.odd_digits >> 16, 0);
}

/* A range of integers. */
struct range {
	__m256i min, max;
};

/* The part of the range whose absolute values are below `limit`. Unsigned integers have their upper
 * bit changed, so that they are compared as signed ones. */
HERALD__AVX2 static HERALD__INLINE struct range
narrow(int64_t min, int64_t max, bool is_signed, uint64_t limit)
{
	int64_t least = is_signed ? 1 - (int64_t)limit : INT64_MIN;
	int64_t most = (int64_t)limit - 1 + (is_signed ? 0 : INT64_MIN);

	return (struct range){_mm256_set1_epi64x(min > least ? min : least),
			      _mm256_set1_epi64x(max < most ? max : most)};
}

HERALD__AVX2 static HERALD__INLINE bool
all_are_within(__m256i values, struct range range)
{
	__m256i outside = _mm256_or_si256(_mm256_cmpgt_epi64(range.min, values),
					  _mm256_cmpgt_epi64(values, range.max));

	return _mm256_testz_si256(outside, outside);
}

HERALD__AVX2 static size_t
write_list(char **out, const char *end, const char *items, size_t bytes, bool is_signed,
	   size_t count, int64_t min, int64_t max)
{
	const __m256i flip = _mm256_set1_epi64x(is_signed ? 0 : INT64_MIN);
	struct range eight = narrow(min, max, is_signed, HERALD__TEN_TO_8);
	struct range sixteen = narrow(min, max, is_signed, HERALD__TEN_TO_16);
	struct range any = {_mm256_set1_epi64x(min), _mm256_set1_epi64x(max)};
	char *at = *out;
	size_t i = 0;

	for (; count - i >= GROUP && end - at >= GROUP_BYTES; i += GROUP) {
		__m256i values = load_group(items + i * bytes, bytes, is_signed);
		__m256i compared = _mm256_xor_si256(values, flip);
		struct group group = take_signs(values, is_signed);

		if (all_are_within(compared, eight))
			at = put_short_group(at, group);
		else if (all_are_within(compared, sixteen))
			at = put_middle_group(at, group);
		else if (all_are_within(compared, any))
			at = put_long_group(at, group);
		else
			break;
	}
	*out = at;
	return i;
}

size_t
herald__write_integer_list(char **out, const char *end, const char *items, size_t bytes,
			   bool is_signed, size_t count, uint64_t min, uint64_t max)
{
	const uint64_t flip = is_signed ? 0 : UINT64_C(1) << 63;

	return herald__has_avx2() ? write_list(out, end, items, bytes, is_signed, count,
					       (int64_t)(min ^ flip), (int64_t)(max ^ flip))
				  : 0;
}
#else
size_t
herald__write_integer_list(char **out, const char *end, const char *items, size_t bytes,
			   bool is_signed, size_t count, uint64_t min, uint64_t max)
{
	(void)out;
	(void)end;
	(void)items;
	(void)bytes;
	(void)is_signed;
	(void)count;
	(void)min;
	(void)max;
	return 0;
}
#endif
