/*
 * The RFC 3339 parser as the JSON decoder calls it: without a struct herald_error, which is large
 * and whose path and offset only the decoder knows. (Not named time.h: with src/ on the include path
 * it would hide the C library's.)
 */
#ifndef HERALD_SRC_RFC3339_H
#define HERALD_SRC_RFC3339_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/time.h>

/* What is wrong with a text that is no RFC 3339 date-time. */
struct herald__time_fault {
	size_t where;  /* Byte of the text, from 0; its length when it ends too early. */
	char what[96]; /* One line, ASCII: "month 13 is not 01 to 12". */
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

#endif
