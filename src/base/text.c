/*
 * The functions of herald/adapter/text.h that are not inline: checks of the names and values in
 * HTTP, UTF-8, texts of system errors, and messages, as safe_text.c writes them.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/c_locale.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "base/words.h"

size_t
herald_http_token_bytes(const char *text)
{
	const char *at = text;

	while (herald_http_is_token_byte(*at))
		at++;
	return (size_t)(at - text);
}

/* Sets the highest bit of the first byte that is zero. Bytes after it may have theirs set, too. */
static uint64_t
first_zero(uint64_t word)
{
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* How many of eight bytes are before the first control byte, or tab. */
static size_t
plain_bytes(const char *eight)
{
	uint64_t word = le64toh(herald__load64(eight));
	/* A byte below 0x20 becomes zero without its lower five bits. */
	uint64_t found = first_zero(word & UINT64_C(0xe0e0e0e0e0e0e0e0)) |
			 first_zero(word ^ UINT64_C(0x7f7f7f7f7f7f7f7f));

	return found == 0 ? 8 : (size_t)__builtin_ctzll(found) / 8;
}

static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

size_t
herald_http_value_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	while (bytes - at >= 8) {
		size_t plain = plain_bytes(text + at);

		at += plain;
		if (plain == 8)
			continue;
		if (text[at] != '\t')
			return at;
		at++;
	}
	while (at < bytes && !is_control(text[at]))
		at++;
	return at;
}

size_t
herald_utf8_sequence_bytes(const char *text, size_t bytes)
{
	if (bytes == 0)
		return 0;
	return (unsigned char)*text < 0x80 ? 1 : herald__utf8_sequence(text, text + bytes);
}

const char *
herald_errno_text(int number)
{
	return strerror_l(number, herald__c_locale());
}

void
herald_text_write(char *out, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(out, size, format, arguments);
	va_end(arguments);
}

void
herald_text_write_list(char *out, size_t size, const char *format, va_list arguments)
{
	herald__text_format(out, size, format, arguments);
}
