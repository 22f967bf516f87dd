/*
 * Numbers: from JSON text to C's types and back. Private. Exact: integers never
 * lose a digit, doubles and floats are rounded to nearest, ties to even,
 * whatever the locale.
 *
 * The readers rely on the invariant of scan.h: the document ends with '}'.
 */
#ifndef HERALD_SRC_JSON_NUMBER_H
#define HERALD_SRC_JSON_NUMBER_H

#include "scan.h"

/* An integer: its sign and its digits. */
struct herald__integer {
	uint64_t magnitude; /* UINT64_MAX where it does not fit */
	bool negative;
	bool overflow;
};

/* Read the integer at `at`. Returns the place after it, or NULL. */
char *herald__read_integer(struct herald__reader *reader, char *at, struct herald__integer *out);

/*
 * Read the number at `at`. Returns the place after it, or NULL: also when it is
 * too large. What is too small becomes 0 or a subnormal.
 */
char *herald__read_double(struct herald__reader *reader, char *at, double *out);
char *herald__read_float(struct herald__reader *reader, char *at, float *out);

/* The room that the writers need; the longest text that they make has 25 bytes. */
#define HERALD__NUMBER_BYTES 64

/* Write the shortest text that reads as the same value. Returns the place behind it; no NUL. Finite
 * only. */
char *herald__write_double(double value, char *out);
char *herald__write_float(float value, char *out);
char *herald__write_integer(int64_t value, char *out);
char *herald__write_natural(uint64_t value, char *out);

#endif
