/*
 * JSON strings: where one ends, whether it is valid, and its escapes undone in place. Owns the grammar of
 * strings (RFC 8259 section 7); whether the bytes are UTF-8 is utf8.c's.
 *
 * How it works. A string has to be looked at only where herald__next_stop() says, and it is read once, from
 * stop to stop: what is between two of them moves to where it belongs. What is not ASCII is a stop, and
 * checked sequence by sequence, until there was a little of it; then all the rest of the document is checked
 * at once, and if it is UTF-8, the strings need no look at such bytes any more. If not, it will be refused,
 * but going on as before finds the first of several errors.
 */
#include "scan.h"

#include <string.h>

#include "simd.h"

/* After as many sequences that are not ASCII, one by one, the rest of the document is checked at once. */
#define FEW_SEQUENCES 4

/* The value of a hexadecimal digit, and 1 more; 0 for other bytes. */
static const unsigned char hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The four digits of a \u escape; -1 when they are not. */
static inline int32_t
hex_four(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digits[(unsigned char)at[i]];

		if (digit == 0)
			return -1;
		value = value * 16 + digit - 1;
	}
	return value;
}

static void
fail_hex(struct herald__reader *reader, const char *at)
{
	struct herald__shown shown;
	size_t left = (size_t)(reader->end - at) - 2;

	herald__fail(reader, at, HERALD_BAD_JSON,
		     "expected four hexadecimal digits after \\u, found %s",
		     herald__show_string(&shown, at + 2, left < 4 ? left : 4));
}

/* The code point of the escape whose backslash is at `at`, and where it ends;
 * -1 after a failure. */
static int32_t
read_unicode_escape(struct herald__reader *reader, const char *at, const char **after)
{
	int32_t high = hex_four(at + 2, reader->end), low;

	*after = at + 6;
	if (high < 0) {
		fail_hex(reader, at);
		return -1;
	}
	if (high < 0xD800 || high > 0xDFFF)
		return high;
	low = high < 0xDC00 && reader->end - at >= 12 && at[6] == '\\' && at[7] == 'u'
		      ? hex_four(at + 8, reader->end)
		      : -1;
	if (low < 0xDC00 || low > 0xDFFF) {
		herald__fail(reader, at, HERALD_BAD_JSON,
			     "expected both halves of a surrogate pair, found \\u%04x alone",
			     (unsigned)high);
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
static inline const char *
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

static char *
fail_string_end(struct herald__reader *reader)
{
	return herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
			    "expected the end of a string, found the end of the input");
}

/* Fail at a stop that cannot stand in a string, or, if the byte at `at` is none, at the end. */
static char *
fail_string_byte(struct herald__reader *reader, const char *at)
{
	unsigned char byte = (unsigned char)*at;

	if (byte >= 0x80 && reader->text != HERALD__UTF8)
		return herald__fail(reader, at, HERALD_BAD_UTF8,
				    "expected UTF-8, found byte 0x%02X", byte);
	if (byte < ' ')
		return herald__fail(reader, at, HERALD_BAD_JSON,
				    "control characters in strings must be escaped, found 0x%02X",
				    byte);
	return fail_string_end(reader);
}

/* Check all that is left. When it is UTF-8, each string in it is, and what is not ASCII is no stop any more. */
static void
check_rest(struct herald__reader *reader, const char *at)
{
	if (!herald__is_utf8(at, (size_t)(reader->end - at))) {
		reader->text = HERALD__INVALID;
		return;
	}
	reader->text = HERALD__UTF8;
	herald__forget_stops(reader);
}

/* After a stop that neither ends a string nor is an escape: the place to go on, or NULL. */
static char *
skip_other_stop(struct herald__reader *reader, char *at)
{
	size_t length = 0;

	if ((unsigned char)*at >= 0x80 && reader->text != HERALD__UTF8) {
		if (reader->text == HERALD__UNKNOWN && ++reader->sequences_count > FEW_SEQUENCES)
			check_rest(reader, at);
		length = herald__utf8_sequence(at, reader->end);
	}
	return length != 0 ? at + length : fail_string_byte(reader, at);
}

/* `close`, the closing quote of the string at `at`; NULL when that is too long. */
static char *
check_length(struct herald__reader *reader, const char *at, char *close,
	     enum herald__string_role role)
{
	size_t bytes = (size_t)(close - at), max_bytes = herald__max_bytes(reader, role);

	if (bytes <= max_bytes)
		return close;
	return herald__fail(reader, at - 1, HERALD_LIMIT,
			    "expected a %s of at most %zu bytes (limits.max_%s_bytes), found %zu",
			    role == HERALD__NAME ? "name" : "string", max_bytes,
			    role == HERALD__NAME ? "key" : "string", bytes);
}

char *
herald__read_string(struct herald__reader *reader, char *at, enum herald__string_role role,
		    struct herald__string *out)
{
	char *from = at, *to = at; /* up to where the string has moved */
	char *stop = herald__next_stop(reader, at);

	*out = (struct herald__string){.data = at};
	while (*stop != '"') {
		size_t written;
		char *after;

		if (*stop != '\\') {
			if ((after = skip_other_stop(reader, stop)) == NULL)
				return NULL;
		} else {
			to = herald__move_plain(to, from, (size_t)(stop - from), reader->end);
			after = (char *)read_escape(reader, stop, to, &written);
			if (after == NULL)
				return NULL;
			if (*to == '\0' && out->nul == NULL)
				out->nul = stop;
			to += written;
			from = after;
		}
		stop = herald__next_stop(reader, after);
	}
	if (check_length(reader, at, stop, role) == NULL)
		return NULL;
	to = herald__move_plain(to, from, (size_t)(stop - from), reader->end);
	out->bytes = (size_t)(to - at);
	*to = '\0';
	return stop + 1;
}

/* Unlike in the decoder the document may end anywhere. */
char *
herald__skip_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	char *start = at, *stop;

	for (;;) {
		size_t written;
		char bytes[4];

		if (at == reader->end)
			return fail_string_end(reader);
		stop = herald__next_stop(reader, at);
		if (*stop == '"')
			break;
		if (*stop == '\\')
			at = (char *)read_escape(reader, stop, bytes, &written);
		else
			at = skip_other_stop(reader, stop);
		if (at == NULL)
			return NULL;
	}
	return check_length(reader, start, stop, role) != NULL ? stop + 1 : NULL;
}
