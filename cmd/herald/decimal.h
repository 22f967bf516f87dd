/*
 * Numbers of JSON, exactly as they are written, of any size.
 */
#ifndef HERALD_CMD_DECIMAL_H
#define HERALD_CMD_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/value.h>

/* Less than 0, 0 or greater than 0. */
int decimal_compare(struct herald_json a, struct herald_json b);

/* Whether the value has no fraction: 1.0 and 1e3 have none. */
bool decimal_is_whole(struct herald_json number);

/* A number without its fraction. */
struct decimal_whole {
	bool is_negative; /* the number is less than 0; its magnitude may be 0, as of -0.5 */
	bool is_exact;    /* it has no fraction */
	uint64_t magnitude;
};

/* Returns false if the magnitude exceeds 64 bits. */
bool decimal_truncate(struct herald_json number, struct decimal_whole *out);

/* Divisors that decimal_is_multiple() takes: greater than 0, with up to 18 significant digits. */
bool decimal_is_divisor(struct herald_json number);

bool decimal_is_multiple(struct herald_json number, struct herald_json divisor);

#endif
