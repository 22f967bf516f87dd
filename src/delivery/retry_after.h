/*
 * The Retry-After header of a receiver.
 */
#ifndef HERALD_SRC_DELIVERY_RETRY_AFTER_H
#define HERALD_SRC_DELIVERY_RETRY_AFTER_H

#include <stdint.h>

/*
 * The delay of a Retry-After header (RFC 9110 section 10.2.3), which is a number of seconds or a
 * date. Limit `max_ms`. Returns 0 for a date in the past and for an invalid value.
 */
uint64_t herald__retry_after_ms(const char *value, int64_t now_s, uint64_t max_ms);

#endif
