/*
 * HTML forms and queries: splitting and decoding. Owns nothing.
 */
#include "base/form_text.h"

#include <string.h>

#include <herald/adapter/text.h>

const char *
herald__form_next(const char *at, const char *end, struct herald__form_pair *out)
{
	const char *next = memchr(at, '&', (size_t)(end - at));
	const char *stop = next ? next : end;
	const char *equals = memchr(at, '=', (size_t)(stop - at));
	const char *value = equals ? equals + 1 : stop;

	out->name = (struct herald_text){at, (size_t)((equals ? equals : stop) - at)};
	out->value = (struct herald_text){value, (size_t)(stop - value)};
	return next ? next + 1 : end;
}

static unsigned
digit(char byte)
{
	return herald_ascii_is_digit(byte) ? (unsigned)(byte - '0')
					   : (unsigned)(herald_ascii_lower(byte) - 'a' + 10);
}

size_t
herald__form_decode(struct herald_text text, char *to, const char **bad)
{
	char *begin = to;

	*bad = NULL;
	for (size_t i = 0; i < text.bytes; i++) {
		const char *at = text.data + i;

		if (*at == '%' && text.bytes - i >= 3 && herald_ascii_is_hex_digit(at[1]) &&
		    herald_ascii_is_hex_digit(at[2])) {
			*to++ = (char)(digit(at[1]) << 4 | digit(at[2]));
			i += 2;
			continue;
		}
		if (*at == '%' && !*bad)
			*bad = at;
		*to++ = *at == '+' ? ' ' : *at;
	}
	return (size_t)(to - begin);
}
