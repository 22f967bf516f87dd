/*
 * What a receiver says about the next attempt.
 */
#ifndef HERALD_CURL_RETRY_AFTER_H
#define HERALD_CURL_RETRY_AFTER_H

#include <stdint.h>

/*
 * What a Retry-After header says (RFC 9110 section 10.2.3): seconds, or a date. At most `max_ms`; 0
 * for a date in the past and for what is neither.
 */
uint64_t herald__retry_after_ms(const char *value, int64_t wall_s, uint64_t max_ms);

#endif
