/*
 * The time for connecting, shared by the addresses that a name may have. Compiled into each adapter
 * that uses it.
 */
#ifndef HERALD_BROKER_COMMON_SHARE_H
#define HERALD_BROKER_COMMON_SHARE_H

#include <stddef.h>
#include <stdint.h>

/* A server far away needs some time, also if there are many addresses. */
#define BROKER_SHARE_LEAST_MS 1000
#define BROKER_SHARE_LEAST_PART 4 /* of all of the time */

/*
 * The end of the time for the next one of `left` addresses: one that hangs must not keep the others
 * from being tried. All of them have `timeout_ms`, until `until_ms`.
 */
static inline uint64_t
broker_share_end(uint64_t now_ms, uint64_t until_ms, uint32_t timeout_ms, size_t left)
{
	const uint64_t rest_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	uint64_t least_ms = timeout_ms / BROKER_SHARE_LEAST_PART, share_ms = rest_ms / left;

	if (least_ms > BROKER_SHARE_LEAST_MS)
		least_ms = BROKER_SHARE_LEAST_MS;
	if (share_ms < least_ms)
		share_ms = least_ms < rest_ms ? least_ms : rest_ms;
	return now_ms + share_ms;
}

#endif
