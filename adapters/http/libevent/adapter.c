/*
 * Waking the adapter's loop from any thread. The adapter's lifecycle is in libevent.c.
 */
#include "adapter.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

void
herald__libevent_wake(struct herald_libevent *adapter)
{
	const uint64_t one = 1;
	ssize_t written;

	do {
		written = write(adapter->wake_fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
}

void
herald__libevent_woken(evutil_socket_t fd, short what, void *state)
{
	struct herald_libevent *adapter = state;
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof(count));

	(void)what;
	(void)got; /* Only the wake-up matters. */
	adapter->on_woken(adapter);
}
