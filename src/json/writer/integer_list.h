/*
 * Writing of lists of integers: a fast path. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_INTEGER_LIST_H
#define HERALD_SRC_JSON_WRITER_INTEGER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Write integers of a list, each followed by a comma, as long as there are four more, they are in
 * the range, and they certainly fit before `end`. Moves *out past them.
 *
 * bytes     the size of an integer: 1, 2, 4 or 8.
 * min, max  of signed integers, converted.
 * Returns   how many were written; 0 if the processor has no AVX2.
 */
size_t herald__write_integer_list(char **out, const char *end, const char *items, size_t bytes,
				  bool is_signed, size_t count, uint64_t min, uint64_t max);

#endif
