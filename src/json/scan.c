/*
 * The lexical level of the JSON reader: white space, strings, values to skip,
 * and paths of errors. Owns the grammar of RFC 8259 but for the numbers that
 * are wanted (number.c). Knows nothing of schemas, allocates nothing.
 */
#include "scan.h"

#include <stdarg.h>
#include <string.h>

#include "simd.h"
#include "text.h"

#if defined(__x86_64__) && !defined(HERALD_NO_SIMD)
#include <immintrin.h>
#endif

/* One bit a level: whether it is an object. */
struct nesting {
	uint64_t objects[HERALD__MAX_DEPTH / 64];
	size_t depth;
};

char *
herald__fail(struct herald__reader *reader, const char *at, enum herald_status status,
	     const char *format, ...)
{
	char message[sizeof(reader->trace.error.message)];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald__trace_fail(&reader->trace, herald__offset(reader, at), status, "%s", message);
	return NULL;
}

static const char *
value_name(char first)
{
	switch (first) {
	case '"':
		return "a string";
	case '{':
		return "an object";
	case '[':
		return "an array";
	case 't':
	case 'f':
		return "a boolean";
	case 'n':
		return "null";
	case '-':
		return "a number";
	default:
		return first >= '0' && first <= '9' ? "a number" : NULL;
	}
}

void
herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected)
{
	if (at >= reader->end)
		herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
			     "expected %s, found the end of the input", expected);
	else if (*at > ' ' && *at < 0x7F)
		herald__fail(reader, at, HERALD_BAD_JSON, "expected %s, found '%c'", expected, *at);
	else
		herald__fail(reader, at, HERALD_BAD_JSON, "expected %s, found byte 0x%02X",
			     expected, (unsigned char)*at);
}

/* Whether at `at` is the beginning of true, false or null, but not all of it. */
static bool
is_broken_word(const struct herald__reader *reader, const char *at)
{
	const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : *at == 'n' ? "null" : "";
	size_t bytes = strlen(word);

	return (size_t)(reader->end - at) < bytes || memcmp(at, word, bytes) != 0;
}

void
herald__record_type(struct herald__reader *reader, const char *at, const char *expected)
{
	const char *found = at < reader->end ? value_name(*at) : NULL;

	if (found == NULL || is_broken_word(reader, at))
		herald__record_syntax(reader, at, expected);
	else
		herald__fail(reader, at, HERALD_BAD_TYPE, "expected %s, found %s", expected, found);
}

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

static bool
at_digit(const struct herald__reader *reader, const char *at)
{
	return at < reader->end && *at >= '0' && *at <= '9';
}

static char *
skip_digits(struct herald__reader *reader, char *at)
{
	if (!at_digit(reader, at))
		return herald__fail_syntax(reader, at, "a digit");
	while (at_digit(reader, at))
		at++;
	return at;
}

static char *
skip_number(struct herald__reader *reader, char *at)
{
	at += *at == '-';
	if (at_digit(reader, at) && *at == '0' && at_digit(reader, at + 1))
		return herald__fail(reader, at, HERALD_BAD_JSON, "a number has no leading zero");
	if ((at = skip_digits(reader, at)) == NULL)
		return NULL;
	if (at < reader->end && *at == '.' && (at = skip_digits(reader, at + 1)) == NULL)
		return NULL;
	if (at < reader->end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < reader->end && (*at == '+' || *at == '-');
		at = skip_digits(reader, at);
	}
	return at;
}

static char *
skip_word(struct herald__reader *reader, char *at, const char *word)
{
	size_t bytes = strlen(word);

	if ((size_t)(reader->end - at) < bytes || memcmp(at, word, bytes) != 0)
		return herald__fail(reader, at, HERALD_BAD_JSON, "expected %s", word);
	return at + bytes;
}

static char *
skip_scalar(struct herald__reader *reader, char *at)
{
	if (at == reader->end)
		return herald__fail_syntax(reader, at, "a value");
	switch (*at) {
	case '"':
		return herald__skip_string(reader, at + 1);
	case 't':
		return skip_word(reader, at, "true");
	case 'f':
		return skip_word(reader, at, "false");
	case 'n':
		return skip_word(reader, at, "null");
	default:
		if (*at == '-' || at_digit(reader, at))
			return skip_number(reader, at);
		return herald__fail_syntax(reader, at, "a value");
	}
}

/* A member's name and its colon. */
static char *
skip_key(struct herald__reader *reader, char *at)
{
	char *start = at = herald__skip_space(reader, at);

	if (at == reader->end || *at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	if ((at = herald__skip_string(reader, at + 1)) == NULL)
		return NULL;
	if ((size_t)(at - start) - 2 > reader->limits->max_key_bytes)
		return herald__fail(reader, start, HERALD_LIMIT,
				    "a name of %zu bytes, but the limit is %zu",
				    (size_t)(at - start) - 2, reader->limits->max_key_bytes);
	at = herald__skip_space(reader, at);
	if (at == reader->end || *at != ':')
		return herald__fail_syntax(reader, at, "':'");
	return at + 1;
}

static bool
in_object(const struct nesting *nesting)
{
	size_t top = nesting->depth - 1;

	return (nesting->objects[top / 64] >> top % 64 & 1) != 0;
}

/* An opening bracket. Returns the place of the first value in it, or after it
 * when it is empty. */
static char *
skip_open(struct herald__reader *reader, struct nesting *nesting, char *at)
{
	bool object = *at == '{';
	size_t top = nesting->depth++;

	if (reader->depth + nesting->depth > reader->limits->max_depth)
		return herald__fail(reader, at, HERALD_LIMIT, "nested more than %zu levels deep",
				    reader->limits->max_depth);
	nesting->objects[top / 64] &= ~((uint64_t)1 << top % 64);
	nesting->objects[top / 64] |= (uint64_t)object << top % 64;
	at = herald__skip_space(reader, at + 1);
	if (at < reader->end && *at == (object ? '}' : ']')) {
		nesting->depth--;
		return at + 1;
	}
	return object ? skip_key(reader, at) : at;
}

/* After a value: closing brackets, and the comma before the next value. */
static char *
skip_close(struct herald__reader *reader, struct nesting *nesting, char *at)
{
	while (nesting->depth > 0) {
		bool object = in_object(nesting);

		at = herald__skip_space(reader, at);
		if (at < reader->end && *at == ',')
			return object ? skip_key(reader, at + 1) : at + 1;
		if (at == reader->end || *at != (object ? '}' : ']'))
			return herald__fail_syntax(reader, at,
						   object ? "',' or '}'" : "',' or ']'");
		nesting->depth--;
		at++;
	}
	return at;
}

/* Not recursive: how deep a value may be nested does not depend on the stack.
 */
static char *
skip_checked(struct herald__reader *reader, char *at)
{
	struct nesting nesting = {.depth = 0};

	do {
		size_t depth = nesting.depth;

		at = herald__skip_space(reader, at);
		if (at < reader->end && (*at == '{' || *at == '[')) {
			at = skip_open(reader, &nesting, at);
			if (at != NULL && nesting.depth > depth)
				continue;
		} else {
			at = skip_scalar(reader, at);
		}
		if (at != NULL)
			at = skip_close(reader, &nesting, at);
	} while (at != NULL && nesting.depth > 0);
	return at;
}

/* A level of nesting, as the search for a path sees it. */
struct level {
	const char *key; /* of the current member, in its quotes; NULL in an array, or
                      before a key */
	size_t key_bytes;
	size_t index;
	bool object;
	bool named;    /* the colon after the key was there: the member has begun */
	bool complete; /* the current value is over; what follows belongs to the level
                    itself */
};

/* The place after a string that begins at `at`; NULL when it does not end
 * before `stop`. */
static const char *
end_of_string(const char *at, const char *stop)
{
	for (at++; at < stop && *at != '"'; at++)
		at += *at == '\\';
	return at < stop ? at + 1 : NULL;
}

/* One token of text that is known to be valid up to `stop`. Returns the place
 * after it. */
static const char *
trace_token(struct level **top, const char *at, const char *stop)
{
	struct level *level = *top;
	const char *after = at + 1;

	switch (*at) {
	case '{':
	case '[':
		*++*top = (struct level){.object = *at == '{'};
		return after;
	case '}':
	case ']':
		(--*top)->complete = true;
		return after;
	case ',':
		level->complete = false;
		level->index++;
		level->key = NULL;
		level->named = false;
		return after;
	case '"':
		if ((after = end_of_string(at, stop)) == NULL)
			return stop;
		if (level->object && level->key == NULL) {
			level->key = at + 1;
			level->key_bytes = (size_t)(after - at) - 2;
		} else {
			level->complete = true;
		}
		return after;
	case ':':
		level->named = true;
		return after;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return after;
	default:
		while (after < stop && strchr(",:]}\t\r\n ", *after) == NULL)
			after++;
		/* Nothing fails within a word, and a number never right after a digit. */
		level->complete = after < stop || (*at >= 'a' && *at <= 'z') ||
				  (after[-1] >= '0' && after[-1] <= '9');
		return after;
	}
}

/* A key may have escapes in it; the path has them undone. */
static void
prepend_raw_key(struct herald__reader *reader, const char *key, size_t bytes)
{
	char copy[sizeof(reader->trace.error.path) + 16];
	struct herald_limits limits = {.max_string_bytes = SIZE_MAX};
	struct herald__reader scratch;
	struct herald__string text = {0};

	if (memchr(key, '\\', bytes) == NULL || bytes + 1 > sizeof(copy)) {
		herald__trace_key(&reader->trace, key, bytes);
		return;
	}
	memcpy(copy, key, bytes + 1); /* with its closing quote */
	memset(&scratch, 0, sizeof(scratch));
	scratch.begin = copy;
	scratch.end = scratch.whole_end = copy + bytes + 1;
	scratch.limits = &limits;
	if (herald__read_string(&scratch, copy, &text) != NULL)
		herald__trace_key(&reader->trace, text.data, text.bytes);
}

/*
 * After a failure in a skipped value: find the path from the value to the place
 * by going through the text before it once more. The way that does not fail
 * keeps no path at all.
 */
static void
prepend_skipped_path(struct herald__reader *reader, const char *start)
{
	struct level levels[HERALD__MAX_DEPTH + 2];
	struct level *top = levels;
	const char *stop = reader->begin + (reader->trace.error.offset - reader->base_offset);

	levels[0] = (struct level){.object = false};
	while (start < stop)
		start = trace_token(&top, start, stop);
	for (; top > levels; top--) {
		if (top->complete)
			continue;
		if (!top->object)
			herald__trace_index(&reader->trace, top->index);
		else if (top->named)
			prepend_raw_key(reader, top->key, top->key_bytes);
	}
}

char *
herald__skip_value(struct herald__reader *reader, char *at)
{
	char *after;

	/* A value without brackets has no path in it. */
	if (at < reader->end && *at != '{' && *at != '[' && !herald__is_space(*at))
		return skip_scalar(reader, at);
	if ((after = skip_checked(reader, at)) == NULL)
		prepend_skipped_path(reader, at);
	return after;
}

/* The state between two steps over a value's bytes. */
struct bracket_scan {
	size_t depth;
	bool in_string;
};

/* One byte after the other. Returns the place after the last bracket, or `end`; depth is 0 then or not. */
static char *
skip_brackets_slowly(struct bracket_scan *scan, char *at, const char *end)
{
	for (; at < end; at++) {
		if (scan->in_string) {
			/* What a backslash escapes may be beyond `end`: the caller looks there. */
			if (*at == '\\')
				at++;
			else if (*at == '"')
				scan->in_string = false;
		} else if (*at == '"') {
			scan->in_string = true;
		} else if (*at == '{' || *at == '[') {
			scan->depth++;
		} else if ((*at == '}' || *at == ']') && --scan->depth == 0) {
			return at + 1;
		}
	}
	return at;
}

char *
herald__skip_brackets(char *at, char *end)
{
	struct bracket_scan scan = {1, false};

	at++;
#ifdef HERALD__BLOCK
	while (end - at >= HERALD__BLOCK) {
		struct herald__brackets block = herald__find_brackets(at, scan.in_string);

		if (block.backslashes) {
			at = skip_brackets_slowly(&scan, at, at + HERALD__BLOCK);
			if (scan.depth == 0)
				return at;
			continue;
		}
		for (uint32_t bits = block.opening | block.closing; bits != 0; bits &= bits - 1) {
			if ((block.opening & bits & -bits) != 0)
				scan.depth++;
			else if (--scan.depth == 0)
				return at + __builtin_ctz(bits) + 1;
		}
		scan.in_string = block.in_string;
		at += HERALD__BLOCK;
	}
#endif
	at = skip_brackets_slowly(&scan, at, end);
	return scan.depth == 0 ? at : NULL;
}

enum herald_status
herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits)
{
	struct herald__reader reader;
	char *at = (char *)data; /* skipping does not write */

	reader.begin = at;
	reader.end = reader.whole_end = at + bytes;
	reader.limits = limits;
	reader.depth = 0;
	reader.base_offset = 0;
	reader.window = NULL;
	if ((at = skip_checked(&reader, at)) == NULL)
		return reader.trace.error.status;
	return herald__skip_space(&reader, at) == reader.end ? HERALD_OK : HERALD_BAD_JSON;
}
