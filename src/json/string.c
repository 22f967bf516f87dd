/*
 * JSON strings: where one ends, whether it is valid, and its escapes undone in place. Owns the grammar of
 * strings (RFC 8259 section 7); whether the bytes are UTF-8 is utf8.c's.
 *
 * How it works. Most strings are short and plain, and never come here: herald__find_near_end() in scan.h
 * finds their end. Of the others find_close() finds the closing quote, by masks of 64 bytes where the
 * processor has AVX2 (asked at run time), and notes whether there are escapes, and bytes that are not
 * ASCII. Only then is UTF-8 checked, and escapes are undone, found 64 bytes at a time as well. Nothing is
 * written before all but the escapes is known to be valid, so that a failure can be looked for from the
 * string's beginning, slowly.
 */
#include "scan.h"

#include <string.h>

#include "simd.h"

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
#include <immintrin.h>
#endif

static int
hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* The four digits of a \u escape; -1 when they are not. */
static int32_t
hex_four(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The code point of the escape whose backslash is at `at`, and where it ends;
 * -1 after a failure. */
static int32_t
read_unicode_escape(struct herald__reader *reader, const char *at, const char **after)
{
	int32_t high = hex_four(at + 2, reader->end), low;

	*after = at + 6;
	if (high < 0) {
		herald__fail(reader, at, HERALD_BAD_JSON, "\\u needs four hexadecimal digits");
		return -1;
	}
	if (high < 0xD800 || high > 0xDFFF)
		return high;
	low = high < 0xDC00 && reader->end - at >= 12 && at[6] == '\\' && at[7] == 'u'
		      ? hex_four(at + 8, reader->end)
		      : -1;
	if (low < 0xDC00 || low > 0xDFFF) {
		herald__fail(reader, at, HERALD_BAD_JSON,
			     "\\u%04X is one half of a surrogate pair, alone", (unsigned)high);
		return -1;
	}
	*after = at + 12;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static size_t
write_utf8(int32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* The byte that a backslash and another byte stand for; 0 where they are no short escape. */
static const char short_escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/*
 * The escape at `at`: its bytes go to `out` (at most 4, never more than the
 * escape has), their number to *written. Returns the place after it, or NULL.
 * `out` may be `at`.
 */
static const char *
read_escape(struct herald__reader *reader, const char *at, char *out, size_t *written)
{
	char one;
	const char *after;
	int32_t code;

	*written = 1;
	if (reader->end - at < 2)
		return herald__fail_syntax(reader, reader->end, "the rest of an escape");
	if ((one = short_escapes[(unsigned char)at[1]]) != 0) {
		*out = one;
		return at + 2;
	}
	if (at[1] != 'u')
		return herald__fail_syntax(reader, at + 1, "one of \"\\/bfnrtu after a backslash");
	if ((code = read_unicode_escape(reader, at, &after)) < 0)
		return NULL;
	*written = write_utf8(code, out);
	return after;
}

/* Fail at a byte that cannot stand in a string: NULL for the caller to return.
 */
static char *
fail_string_byte(struct herald__reader *reader, const char *at)
{
	if (at >= reader->end)
		return herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
				    "expected the end of a string, found the end of the input");
	if ((unsigned char)*at >= 0x80)
		return herald__fail(reader, at, HERALD_BAD_UTF8,
				    "byte 0x%02X does not begin a valid UTF-8 sequence",
				    (unsigned char)*at);
	return herald__fail(reader, at, HERALD_BAD_JSON,
			    "control character 0x%02X in a string must be escaped",
			    (unsigned char)*at);
}

/* What is in a string before its end, though not looked into. */
struct contents {
	bool escapes, non_ascii;
};

/* Byte by byte, or sixteen at a time, with a new start after each escape. */
static char *
find_close_slowly(const struct herald__reader *reader, char *at, struct contents *in)
{
	for (;;) {
		at = herald__find_stop(at, reader->end, &in->non_ascii);
		if (at == reader->end || (*at != '"' && *at != '\\'))
			return NULL;
		if (*at == '"')
			return at;
		in->escapes = true;
		if (reader->end - at < 2)
			return NULL;
		at += 2;
	}
}

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
/*
 * The bits after runs of an odd number of bits: with backslashes, what is escaped and is none itself.
 * Adding the first bit of a run to it carries to the bit behind its end; whether that is at an even or
 * an odd place, against where it began, tells its length. (Geoff Langdale and Daniel Lemire, "Parsing
 * Gigabytes of JSON per Second", 2019.)
 */
static inline uint64_t
after_odd_runs(uint64_t bits)
{
	const uint64_t even = UINT64_C(0x5555555555555555);
	uint64_t starts = bits & ~(bits << 1);
	uint64_t ends_of_even = (bits + (starts & even)) & ~bits;
	uint64_t ends_of_odd = (bits + (starts & ~even)) & ~bits;

	return (ends_of_even & ~even) | (ends_of_odd & even);
}

/* A bit for each of 64 bytes. */
__attribute__((target("avx2"))) static inline uint64_t
to_bits(__m256i first, __m256i second)
{
	return (uint32_t)_mm256_movemask_epi8(first) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(second) << 32;
}

__attribute__((target("avx2"))) static inline uint64_t
find_bytes(__m256i first, __m256i second, char byte)
{
	const __m256i wanted = _mm256_set1_epi8(byte);

	return to_bits(_mm256_cmpeq_epi8(first, wanted), _mm256_cmpeq_epi8(second, wanted));
}

/* 64 bytes at a time, whatever escapes are in them: a tenth of what a text with many costs. */
__attribute__((target("avx2"))) static char *
find_close_avx2(const struct herald__reader *reader, char *at, struct contents *in)
{
	const __m256i last_control = _mm256_set1_epi8(0x1F);
	uint64_t escapes = 0, non_ascii = 0, stops = 0;

	while (reader->end - at >= 64) {
		__m256i first = _mm256_loadu_si256((const __m256i *)(void *)at);
		__m256i second = _mm256_loadu_si256((const __m256i *)(void *)(at + 32));
		uint64_t backslashes = find_bytes(first, second, '\\');
		uint64_t quotes = find_bytes(first, second, '"');
		uint64_t high = to_bits(first, second);

		stops = to_bits(_mm256_cmpeq_epi8(_mm256_min_epu8(first, last_control), first),
				_mm256_cmpeq_epi8(_mm256_min_epu8(second, last_control), second));
		stops |= backslashes == 0 ? quotes : quotes & ~after_odd_runs(backslashes);
		if (stops != 0) {
			uint64_t before = (stops & -stops) - 1;

			in->escapes = (escapes | (backslashes & before)) != 0;
			in->non_ascii = (non_ascii | (high & before)) != 0;
			at += __builtin_ctzll(stops);
			return *at == '"' ? at : NULL;
		}
		escapes |= backslashes;
		non_ascii |= high;
		/* A backslash at the end that escapes what comes is looked at again. */
		at += 64 - (backslashes == UINT64_MAX ? 0 : __builtin_clzll(~backslashes) & 1);
	}
	in->escapes = escapes != 0;
	in->non_ascii = non_ascii != 0;
	return find_close_slowly(reader, at, in);
}
#endif

/*
 * The closing quote of the string that begins at `at`. NULL where a control character or the end comes
 * first.
 */
static char *
find_close(const struct herald__reader *reader, char *at, struct contents *in)
{
	*in = (struct contents){false, false};
#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
	if (__builtin_cpu_supports("avx2"))
		return find_close_avx2(reader, at, in);
#endif
	return find_close_slowly(reader, at, in);
}

/* Fail at the first byte that is wrong in a string in which one is. Nothing has been written to it. */
static char *
fail_string(struct herald__reader *reader, char *at)
{
	for (;;) {
		size_t length;
		char bytes[4];

		at = herald__find_special(at, reader->begin, reader->end);
		if (at == reader->end)
			return fail_string_byte(reader, at);
		if (*at == '\\') {
			if ((at = (char *)read_escape(reader, at, bytes, &length)) == NULL)
				return NULL;
		} else if ((unsigned char)*at >= 0x80 &&
			   (length = herald__utf8_sequence(at, reader->end)) != 0) {
			at += length;
		} else {
			return fail_string_byte(reader, at);
		}
	}
}

/* What undoing escapes has come to. */
struct unescaping {
	char *from, *to; /* up to where it has been read, and written */
	const char *nul; /* the first \u0000, or NULL */
};

/* Undo the escape at `at`, after what is before it. False after a failure. */
static inline bool
undo_escape(struct herald__reader *reader, char *at, struct unescaping *state)
{
	/* Two bytes are there: the closing quote is not one of them. */
	char one = short_escapes[(unsigned char)at[1]];
	size_t length;
	const char *after;

	state->to =
		herald__move_plain(state->to, state->from, (size_t)(at - state->from), reader->end);
	if (one != 0) {
		*state->to++ = one;
		state->from = at + 2;
		return true;
	}
	if ((after = read_escape(reader, at, state->to, &length)) == NULL)
		return false;
	if (*state->to == '\0' && state->nul == NULL)
		state->nul = at;
	state->to += length;
	state->from = (char *)after;
	return true;
}

/*
 * Undo the escapes of 64 bytes, but for what is behind `close`. They are found all at once, so that none
 * has to wait for the one before it: a sixth of what a text with many costs.
 */
static bool
undo_escapes(struct herald__reader *reader, char *block, const char *close,
	     struct unescaping *state)
{
	uint64_t mask = herald__find_backslashes(block);

	if (close - block < 64)
		mask &= ((uint64_t)1 << (close - block)) - 1;
	while (mask != 0) {
		char *at = block + __builtin_ctzll(mask);

		mask &= ~((uint64_t)3 << (at - block)); /* the second may be one, escaped */
		if (at < state->from)
			continue; /* the second half of a surrogate pair */
		if (!undo_escape(reader, at, state))
			return false;
	}
	return true;
}

/* Undo the escapes of the string up to its closing quote, in place. Returns its new end, or NULL. */
static char *
unescape(struct herald__reader *reader, char *at, char *close, const char **nul)
{
	struct unescaping state = {at, at, NULL};

	for (; at < close && reader->end - at >= 64;
	     at = state.from > at + 64 ? state.from : at + 64)
		if (!undo_escapes(reader, at, close, &state))
			return NULL;
	for (at = at < state.from ? state.from : at; at < close; at++)
		if (*at == '\\') {
			if (!undo_escape(reader, at, &state))
				return NULL;
			at = state.from - 1;
		}
	*nul = state.nul;
	return herald__move_plain(state.to, state.from, (size_t)(close - state.from), reader->end);
}

char *
herald__read_string(struct herald__reader *reader, char *at, struct herald__string *out)
{
	struct contents in;
	char *close = find_close(reader, at, &in), *end;

	if (close == NULL || (in.non_ascii && !herald__is_utf8(at, (size_t)(close - at))))
		return fail_string(reader, at);
	if ((size_t)(close - at) > reader->limits->max_string_bytes)
		return herald__fail(reader, at - 1, HERALD_LIMIT,
				    "a string of %zu bytes, but the limit is %zu",
				    (size_t)(close - at), reader->limits->max_string_bytes);
	out->nul = NULL;
	end = in.escapes ? unescape(reader, at, close, &out->nul) : close;
	if (end == NULL)
		return NULL;
	out->data = at;
	out->bytes = (size_t)(end - at);
	*end = '\0';
	return close + 1;
}

/* Check the escapes of a string up to its closing quote. */
static bool
check_escapes(struct herald__reader *reader, char *at, char *close)
{
	bool ignored = false;

	while ((at = herald__find_stop(at, close, &ignored)) < close) {
		size_t length;
		char bytes[4];

		if ((at = (char *)read_escape(reader, at, bytes, &length)) == NULL)
			return false;
	}
	return true;
}

char *
herald__skip_string(struct herald__reader *reader, char *at)
{
	struct contents in;
	char *close = find_close(reader, at, &in);

	if (close == NULL || (in.non_ascii && !herald__is_utf8(at, (size_t)(close - at))))
		return fail_string(reader, at);
	if (in.escapes && !check_escapes(reader, at, close))
		return NULL;
	if ((size_t)(close - at) > reader->limits->max_string_bytes)
		return herald__fail(reader, at - 1, HERALD_LIMIT,
				    "a string of %zu bytes, but the limit is %zu",
				    (size_t)(close - at), reader->limits->max_string_bytes);
	return close + 1;
}
