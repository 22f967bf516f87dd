/*
 * For those who write an adapter: text of protocols and of the system, the same in every locale.
 *
 * strcasecmp(), toupper() and isalpha() follow the locale of the process: in a Turkish one "I" and "i" are
 * two letters, so that "TRANSFER-ENCODING" is not "Transfer-Encoding". Use what is here instead.
 */
#ifndef HERALD_ADAPTER_TEXT_H
#define HERALD_ADAPTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A letter of ASCII in lower case; other bytes as they are. */
static inline char
herald_ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/** A letter of ASCII in upper case; other bytes as they are. */
static inline char
herald_ascii_upper(char byte)
{
	return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

/** Whether a byte is a decimal digit of ASCII. */
static inline bool
herald_ascii_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/** Whether a byte is a hexadecimal digit of ASCII, of either case. */
static inline bool
herald_ascii_is_hex_digit(char byte)
{
	char lower = herald_ascii_lower(byte);

	return herald_ascii_is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

/** Whether the first `bytes` bytes are equal but for the case of ASCII letters; neither is shorter. */
static inline bool
herald_ascii_same_bytes(const char *a, const char *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (herald_ascii_lower(a[i]) != herald_ascii_lower(b[i]))
			return false;
	return true;
}

/** Whether two strings are equal but for the case of ASCII letters. */
static inline bool
herald_ascii_same(const char *a, const char *b)
{
	while (*a != '\0' && herald_ascii_lower(*a) == herald_ascii_lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/**
 * Read a text that is a decimal number from 0 to `max`, and nothing else: no sign, no blanks.
 *
 * out      set only on success.
 * Returns  whether it is one.
 */
static inline bool
herald_ascii_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (!herald_ascii_is_digit(*text) || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}

/**
 * The text of an error number of the C library, such as "Connection refused": always in English.
 * It lives until the thread's next call.
 */
HERALD_API const char *herald_errno_text(int number);

#ifdef __cplusplus
}
#endif
#endif
