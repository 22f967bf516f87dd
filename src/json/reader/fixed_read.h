/*
 * JSON numbers as decimal fractions with nine digits, exactly: for integers that are written with a
 * fraction or an exponent, and for times. Private.
 */
#ifndef HERALD_SRC_JSON_READER_FIXED_READ_H
#define HERALD_SRC_JSON_READER_FIXED_READ_H

#include "json/reader/reader.h"

/* whole + billionths / 10^9, with a sign. */
struct herald__fixed {
	uint64_t whole; /* UINT64_MAX if it does not fit */
	uint32_t billionths;
	bool negative;
	bool overflow;
	bool inexact;  /* there are digits other than 0 after the ninth of the fraction */
	bool exponent; /* the number is written with one */
};

/*
 * Read the number at `at`, times 10^shift. Returns the place after it, or NULL after recording a
 * syntax error. Relies on the invariant of reader.h.
 */
char *
herald__read_fixed(struct herald__reader *reader, char *at, int shift, struct herald__fixed *out);

#endif
