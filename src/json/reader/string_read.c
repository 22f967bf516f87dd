/*
 * JSON strings: finding the end, checking, and undoing escapes in place, by the grammar of RFC 8259
 * section 7. UTF-8 is checked in utf8.c.
 *
 * How it works. A string is read once, from one special byte to the next (herald__next_special());
 * the plain bytes between two of them are moved to their final place. Non-ASCII bytes are special
 * at first and are checked one sequence at a time. After a few of them, the rest of the document is
 * checked at once. If it is UTF-8, its non-ASCII bytes are no longer special. If it is not, the
 * document will be refused; reading goes on as before, so that the first error in it is reported.
 */
#include "json/reader/string_read.h"

#include <string.h>

#include "base/attributes.h"
#include "base/simd.h"
#include "base/utf8.h"
#include "json/reader/string_scan.h"

/* After this number of non-ASCII sequences the rest of the document is checked at once. */
#define FEW_SEQUENCES 4

/* The value of a hexadecimal digit plus 1; 0 for other bytes. */
static const unsigned char hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The value of four hexadecimal digits; more than UINT16_MAX if one of them is another byte. */
static inline uint32_t
join_hex(const char *at)
{
	/* A byte that is not a digit becomes UINT32_MAX. */
	uint32_t first = hex_digits[(unsigned char)at[0]] - 1u;
	uint32_t second = hex_digits[(unsigned char)at[1]] - 1u;
	uint32_t third = hex_digits[(unsigned char)at[2]] - 1u;
	uint32_t last = hex_digits[(unsigned char)at[3]] - 1u;

	return first << 12 | second << 8 | third << 4 | last;
}

/* The value of the four digits of a \u escape, or -1. */
static inline int32_t
hex_four(const char *at, const char *end)
{
	uint32_t value = end - at < 4 ? UINT32_MAX : join_hex(at);

	return value > UINT16_MAX ? -1 : (int32_t)value;
}

HERALD__COLD static void
fail_hex(struct herald__reader *reader, const char *at)
{
	struct herald__shown shown;
	size_t left = (size_t)(reader->end - at) - 2;

	herald__fail(reader, at, HERALD_BAD_JSON,
		     "expected four hexadecimal digits after \\u, found %s",
		     herald__show_string(&shown, at + 2, left < 4 ? left : 4));
}

/* The code point of the escape whose backslash is at `at`, and the place after it; -1 after an
 * error. */
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
		if (reader->limits->replace_lone_surrogates)
			return 0xFFFD;
		herald__fail(reader, at, HERALD_BAD_JSON,
			     "expected both halves of a surrogate pair, found \\u%04x alone",
			     (unsigned)high);
		return -1;
	}
	*after = at + 12;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static inline size_t
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

/* The byte that a short escape denotes, by its second byte; 0 for others. */
static const char short_escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/*
 * Undo the escape at `at`: write its bytes to `out` and their number to *written; at most 4, and
 * fewer than the escape has. Returns the place after it, or NULL. `out` may be `at`.
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

/* Undo the escape at `at`, which is not of the usual form, or wrong. */
HERALD__NOT_INLINE static char *
read_rare_escape(struct herald__reader *reader, char *at, char **to, struct herald__string *string)
{
	size_t written;
	const char *after = read_escape(reader, at, *to, &written);

	if (!after)
		return NULL;
	if (**to == '\0' && !string->nul)
		string->nul = at;
	*to += written;
	return (char *)after;
}

/*
 * Undo the escape at `at`, or several: in text that is written in ASCII only, \u escapes follow
 * each other directly. Moves *to to the end of what it has written. Returns the place after them,
 * or NULL. Relies on the invariant. A copy of *to goes to read_rare_escape(), so that the caller
 * can keep it in a register.
 */
static HERALD__INLINE char *
read_escapes(struct herald__reader *reader, char *at, char **to, struct herald__string *string)
{
	char *start = at, *out = *to, *rare, one = short_escapes[(unsigned char)at[1]];
	uint32_t code;

	if (one != 0) {
		*(*to)++ = one;
		return at + 2;
	}
	/* Code points other than NUL and surrogates. */
	while (*at == '\\' && at[1] == 'u' && reader->end - at >= 6 &&
	       ((code = join_hex(at + 2)) - 1 < 0xD7FF || code - 0xE000 < 0x2000)) {
		out += write_utf8((int32_t)code, out);
		at += 6;
	}
	if (at == start) {
		rare = out;
		at = read_rare_escape(reader, at, &rare, string);
		out = rare;
	}
	*to = out;
	return at;
}

const char *
herald__read_escape(struct herald__reader *reader, const char *at, char out[4], size_t *written)
{
	return read_escape(reader, at, out, written);
}

static char *
fail_string_end(struct herald__reader *reader)
{
	return herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
			    "expected the end of a string, found the end of the input");
}

/* Fail at a special byte that is not allowed in a string. If the byte at `at` is not special, the
 * string does not end. */
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

/* Check the rest of the document. If it is UTF-8, non-ASCII bytes are no longer special. */
static void
check_rest(struct herald__reader *reader, const char *at)
{
	if (!herald__is_utf8(at, (size_t)(reader->end - at))) {
		reader->text = HERALD__INVALID;
		return;
	}
	reader->text = HERALD__UTF8;
	herald__rescan_special(reader);
}

/* Handle a special byte other than a quote or a backslash. Returns the place to go on from, or
 * NULL. */
static char *
skip_other_special(struct herald__reader *reader, char *at)
{
	size_t length = 0;

	if ((unsigned char)*at >= 0x80 && reader->text != HERALD__UTF8) {
		if (reader->text == HERALD__UNKNOWN && ++reader->sequences_count > FEW_SEQUENCES)
			check_rest(reader, at);
		length = herald__utf8_sequence(at, reader->end);
	}
	return length != 0 ? at + length : fail_string_byte(reader, at);
}

/* Returns `close`, the closing quote of the string at `at`, or NULL if the string is too long. */
static char *
check_length(struct herald__reader *reader, const char *at, char *close,
	     enum herald__string_role role)
{
	size_t bytes = (size_t)(close - at), max_bytes = herald__max_bytes(reader, role);

	if (bytes <= max_bytes)
		return close;
	return herald__fail(reader, at - 1, HERALD_LIMIT,
			    "expected a %s of at most %zu byte%s (limits.max_%s_bytes), found %zu",
			    role == HERALD__NAME ? "name" : "string", max_bytes,
			    max_bytes == 1 ? "" : "s", role == HERALD__NAME ? "key" : "string",
			    bytes);
}

char *
herald__read_string(struct herald__reader *reader, char *at, enum herald__string_role role,
		    struct herald__string *out)
{
	char *from = at, *to = at; /* the end of what was moved */
	char *special = herald__next_special(reader, at);

	*out = (struct herald__string){.data = at};
	while (*special != '"') {
		char *after;

		if (*special != '\\') {
			if (!(after = skip_other_special(reader, special)))
				return NULL;
		} else {
			to = herald__move_plain(to, from, (size_t)(special - from), reader->end);
			if (!(after = read_escapes(reader, special, &to, out)))
				return NULL;
			from = after;
		}
		special = herald__next_special(reader, after);
	}
	if (!check_length(reader, at, special, role))
		return NULL;
	to = herald__move_plain(to, from, (size_t)(special - from), reader->end);
	out->bytes = (size_t)(to - at);
	*to = '\0';
	return special + 1;
}

/* Does not rely on the invariant: the document may end anywhere. */
char *
herald__skip_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	char *start = at, *special;

	for (;;) {
		size_t written;
		char bytes[4];

		if (at == reader->end)
			return fail_string_end(reader);
		special = herald__next_special(reader, at);
		if (*special == '"')
			break;
		if (*special == '\\')
			at = (char *)read_escape(reader, special, bytes, &written);
		else
			at = skip_other_special(reader, special);
		if (!at)
			return NULL;
	}
	return check_length(reader, start, special, role) ? special + 1 : NULL;
}
