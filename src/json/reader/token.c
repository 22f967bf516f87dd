/*
 * Comparing the strings of JSON text with tokens, byte by byte where either has escapes. Allocates
 * nothing.
 */
#include "json/reader/token.h"

#include <string.h>

#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* The next byte of a token's text. */
static char
next_byte(const struct herald__token *token, size_t *at)
{
	char byte = token->data[(*at)++];

	if (byte != '~' || !token->escaped)
		return byte;
	return token->data[(*at)++] == '0' ? '~' : '/';
}

/* Whether the token's text goes on with these bytes. */
static bool
takes(const struct herald__token *token, size_t *at, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (*at == token->bytes || next_byte(token, at) != bytes[i])
			return false;
	return true;
}

/* Compare the content of a string that may have escapes. */
static bool
equals_slowly(const char *text, size_t bytes, const struct herald__token *token)
{
	const struct herald_limits limits = {.replace_lone_surrogates = true};
	const char *at = text, *end = text + bytes;
	struct herald__reader reader;
	size_t taken = 0, written;
	char unescaped[4];

	herald__reader_begin(&reader, (char *)text, bytes, &limits); /* not written to */
	while (at < end) {
		const char *part = at;

		if (*at != '\\') {
			written = 1;
			at++;
		} else {
			at = herald__read_escape(&reader, at, unescaped, &written);
			part = unescaped;
		}
		if (!at || !takes(token, &taken, part, written))
			return false;
	}
	return taken == token->bytes;
}

bool
herald__name_equals(const char *at, const char *end, const struct herald__token *token)
{
	size_t bytes = (size_t)(end - at) - 2;

	if (!token->escaped && !memchr(at + 1, '\\', bytes))
		return bytes == token->bytes && memcmp(at + 1, token->data, bytes) == 0;
	return equals_slowly(at + 1, bytes, token);
}
