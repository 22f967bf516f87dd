/*
 * The grammar of numbers (RFC 8259 section 6), for numbers that are checked but not converted.
 * Numbers are converted in number_read.c. Private.
 */
#ifndef HERALD_SRC_JSON_READER_NUMBER_SCAN_H
#define HERALD_SRC_JSON_READER_NUMBER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

static inline bool
herald__at_digit(const char *at, const char *end)
{
	return (!end || at < end) && *at >= '0' && *at <= '9';
}

/* Skip at least one digit. Returns NULL if there is none. */
static inline char *
herald__scan_digits(char *at, const char *end, char **wrong)
{
	if (!herald__at_digit(at, end)) {
		*wrong = at;
		return NULL;
	}
	while (herald__at_digit(at, end))
		at++;
	return at;
}

/*
 * Returns the place after the number at `at`, or NULL.
 *
 * end    the end of the text. NULL: a byte that is not part of a number follows, by the invariant
 *        of reader.h.
 * wrong  set if NULL is returned: the place of a leading zero, or where a digit is missing.
 */
static inline char *
herald__scan_number(char *at, const char *end, char **wrong)
{
	at += *at == '-';
	if (herald__at_digit(at, end) && *at == '0' && herald__at_digit(at + 1, end)) {
		*wrong = at;
		return NULL;
	}
	if (!(at = herald__scan_digits(at, end, wrong)))
		return NULL;
	if ((!end || at < end) && *at == '.' && !(at = herald__scan_digits(at + 1, end, wrong)))
		return NULL;
	if ((end && at == end) || (*at != 'e' && *at != 'E'))
		return at;
	at++;
	at += (!end || at < end) && (*at == '+' || *at == '-');
	return herald__scan_digits(at, end, wrong);
}

#endif
