/*
 * The pause before another attempt to connect to a broker, for consumers and producers.
 */
#ifndef HERALD_SRC_BASE_RECONNECT_H
#define HERALD_SRC_BASE_RECONNECT_H

#include <stdint.h>

/* The default of max_reconnect_delay_ms: a broker that is back is found within a second. */
#define HERALD__RECONNECT_DEFAULT_MS 750
#define HERALD__RECONNECT_LIMIT_MS 60000

/*
 * At least 100 ms, or max_ms if that is less. It grows up to max_ms, at random, so that clients of
 * a broker do not come back at the same time.
 *
 * failed  attempts that have failed in a row, at least 1.
 */
uint32_t herald__reconnect_pause_ms(uint32_t max_ms, unsigned failed, uint64_t random_bits);

#endif
