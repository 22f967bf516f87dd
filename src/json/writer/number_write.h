/*
 * Formatting of numbers as JSON text. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_NUMBER_WRITE_H
#define HERALD_SRC_JSON_WRITER_NUMBER_WRITE_H

#include <stdint.h>

/* The space that the functions below need. The longest text has 25 bytes. */
#define HERALD__NUMBER_BYTES 64

/* Write the shortest text that reads as the same value, without a NUL. The value must be finite.
 * Returns the place after the text. */
char *herald__write_double(double value, char *out);
char *herald__write_float(float value, char *out);
char *herald__write_integer(int64_t value, char *out);
char *herald__write_natural(uint64_t value, char *out);

#endif
