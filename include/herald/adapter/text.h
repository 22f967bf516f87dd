/*
 * For authors of adapters: functions for text in protocols, which do not depend on the locale.
 *
 * strcasecmp(), toupper() and isalpha() depend on the process's locale: in a Turkish one "I" and
 * "i" are different letters, so that "TRANSFER-ENCODING" does not match "Transfer-Encoding". Use
 * these functions instead.
 */
#ifndef HERALD_ADAPTER_TEXT_H
#define HERALD_ADAPTER_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <herald/export.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Convert an ASCII letter to lower case. Other bytes are unchanged. */
static inline char
herald_ascii_lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? HERALD_CAST_(char, byte - 'A' + 'a') : byte;
}

/** Whether a byte is an ASCII digit. */
static inline bool
herald_ascii_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/** Whether a byte is an ASCII letter. */
static inline bool
herald_ascii_is_letter(char byte)
{
	char lower = herald_ascii_lower(byte);

	return lower >= 'a' && lower <= 'z';
}

/** Whether a byte is a hexadecimal digit, in either case. */
static inline bool
herald_ascii_is_hex_digit(char byte)
{
	char lower = herald_ascii_lower(byte);

	return herald_ascii_is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

/** The value of a hexadecimal digit; -1: it is not one. */
static inline int
herald_ascii_hex_value(char byte)
{
	if (!herald_ascii_is_hex_digit(byte))
		return -1;
	return herald_ascii_is_digit(byte) ? byte - '0' : herald_ascii_lower(byte) - 'a' + 10;
}

/** Whether the first `bytes` bytes are equal, ignoring the case of ASCII letters. Both texts must
 * have that many. */
static inline bool
herald_ascii_same_bytes(const char *a, const char *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (herald_ascii_lower(a[i]) != herald_ascii_lower(b[i]))
			return false;
	return true;
}

/** Whether two strings are equal, ignoring the case of ASCII letters. */
static inline bool
herald_ascii_same(const char *a, const char *b)
{
	/* Most strings are equal without conversion. */
	while (*a != '\0' && (*a == *b || herald_ascii_lower(*a) == herald_ascii_lower(*b))) {
		a++;
		b++;
	}
	return *a == *b;
}

/**
 * Remove the blanks around a header's value of `bytes` bytes, which are not part of it (RFC 9110
 * section 5.5). The result is borrowed from the value.
 */
static inline struct herald_text
herald_http_trimmed(const char *value, size_t bytes)
{
	struct herald_text text = {value, bytes};

	while (text.bytes > 0 && (*text.data == ' ' || *text.data == '\t'))
		text.data++, text.bytes--;
	while (text.bytes > 0 &&
	       (text.data[text.bytes - 1] == ' ' || text.data[text.bytes - 1] == '\t'))
		text.bytes--;
	return text;
}

/**
 * Parse a decimal number from 0 to `max`, without sign or blanks. The text must have nothing else.
 *
 * out      set only on success.
 * Returns  whether the text is such a number.
 */
static inline bool
herald_ascii_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		uint64_t digit = HERALD_CAST_(uint64_t, *text - '0');

		if (!herald_ascii_is_digit(*text) || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}

/** Whether a byte may be part of a token (RFC 9110 section 5.6.2), such as a header's name. */
static inline bool
herald_http_is_token_byte(char byte)
{
	/* A bit for each byte. */
	static const uint64_t bits[4] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0};
	unsigned char at = HERALD_CAST_(unsigned char, byte);

	return bits[at / 64] >> at % 64 & 1;
}

/** The length of the token (RFC 9110 section 5.6.2) that a text begins with; 0 if there is none. */
HERALD_API size_t herald_http_token_bytes(const char *text);

/**
 * The number of bytes before the first control byte other than a tab, which the value of a header
 * must not contain (RFC 9110 section 5.5). Returns `bytes` if there is none.
 */
HERALD_API size_t herald_http_value_bytes(const char *text, size_t bytes);

/**
 * The number of bytes, 1 to 4, of the UTF-8 sequence (RFC 3629) that a text begins with; 0 if it is
 * not valid, or the text is empty.
 */
HERALD_API size_t herald_utf8_sequence_bytes(const char *text, size_t bytes);

/**
 * The English text of an errno value, such as "Connection refused". Valid until the thread's next
 * call.
 */
HERALD_API const char *herald_errno_text(int number);

/**
 * snprintf() for messages: writes one line of UTF-8 into `size` bytes, at least 1. Unprintable
 * characters become escapes, invalid UTF-8 becomes U+FFFD, and numbers are as in the "C" locale. A
 * text that does not fit, or is longer than 1,023 bytes, is cut between two characters and ends in
 * "...". herald_error_set() does the same with a message.
 */
HERALD_API
HERALD_PRINTF(3, 4) void herald_text_write(char *out, size_t size, const char *format, ...);

/** The same with a list of arguments. */
HERALD_API HERALD_PRINTF(3, 0) void herald_text_write_list(char *out, size_t size,
							   const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif
#endif
