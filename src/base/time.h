/*
 * The RFC 3339 parser for the JSON decoder: without struct herald_error, which is large, and whose
 * path and offset only the decoder knows.
 */
#ifndef HERALD_SRC_BASE_TIME_H
#define HERALD_SRC_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/time.h>

/* 0000-01-01T00:00:00 and 9999-12-31T23:59:59, in seconds since 1970. */
#define HERALD__FIRST_SECOND INT64_C(-62167219200)
#define HERALD__LAST_SECOND INT64_C(253402300799)

/* What is wrong with a text that is not an RFC 3339 date-time. */
struct herald__time_fault {
	size_t where;  /* Byte offset in the text; its length if it ends too early. */
	char what[96]; /* One line, ASCII: "expected a month from 01 to 12, found 13". */
};

/*
 * herald_time_parse() without the error struct; returns whether the text is valid.
 *
 * text   may be NULL when `bytes` is 0.
 * out    set only on success.
 * fault  may be NULL; written only on failure.
 */
bool herald__time_parse(const char *text, size_t bytes, struct herald_time *out,
			struct herald__time_fault *fault);

/*
 * The same, but also accepts a blank for 'T', offsets such as +0130 and +01, more than nine digits
 * of a fraction, which are cut, and second 60, which is the next second.
 */
bool herald__time_parse_leniently(const char *text, size_t bytes, struct herald_time *out,
				  struct herald__time_fault *fault);

#endif
