/*
 * Waking a loop, and the clock of all loops. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_WAKE_H
#define HERALD_SRC_HTTP_SERVER_WAKE_H

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/* Have a loop look for what other threads have left for it. Any thread. */
static inline void
herald__wake(int wake_fd)
{
	uint64_t one = 1;

	while (write(wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static inline uint64_t
herald__monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
