/*
 * The clock of waits.
 */
#ifndef HERALD_SQLITE_CLOCK_H
#define HERALD_SQLITE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t herald__sqlite_monotonic_ms(void);

#endif
