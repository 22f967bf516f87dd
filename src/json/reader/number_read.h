/*
 * Conversion of JSON numbers to C types. Private.
 *
 * Exact in every locale: integers never lose a digit; doubles and floats are rounded to nearest,
 * ties to even. Relies on the invariant of reader.h: the document ends with '}'.
 */
#ifndef HERALD_SRC_JSON_READER_NUMBER_READ_H
#define HERALD_SRC_JSON_READER_NUMBER_READ_H

#include "json/reader/reader.h"

struct herald__integer {
	uint64_t magnitude; /* UINT64_MAX if it does not fit */
	bool negative;
	bool overflow;
};

/* Read the integer at `at`. Returns the place after it, or NULL. */
char *herald__read_integer(struct herald__reader *reader, char *at, struct herald__integer *out);

/*
 * Read the number at `at`. Returns the place after it, or NULL, also if the number is too large. A
 * number that is too small becomes 0 or a subnormal.
 */
char *herald__read_double(struct herald__reader *reader, char *at, double *out);
char *herald__read_float(struct herald__reader *reader, char *at, float *out);

/*
 * Read a double of up to 19 digits, and three of an exponent. Relies on the invariant of reader.h.
 * Returns NULL for all other numbers, including invalid ones, and records no error.
 */
char *herald__read_usual_double(const struct herald__reader *reader, char *at, double *out);

#endif
