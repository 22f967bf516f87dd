/*
 * Waiting for libcurl's sockets and timer, and for other threads.
 */
#ifndef HERALD_CURL_POLLER_H
#define HERALD_CURL_POLLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/allocator.h>

#include "multis.h"

struct herald__watch;

/* CURLINFO_PRIVATE of every handle points to this. */
struct herald__polled {
	/* Set here: the socket that libcurl waits for, and how often something has happened on it. */
	curl_socket_t fd;
	unsigned events;
};

struct herald__poller {
	struct herald__multis multis;
	int epoll_fd;
	int wake_fd;
	struct herald__watch *watches; /* by file descriptor */
	size_t watches_count;
	struct herald_allocator allocator;
	atomic_uint signals; /* counts calls of herald__poller_wake() */
	atomic_bool asleep;
};

/* Returns false, with errno, when the system or memory has no more. */
bool herald__poller_init(struct herald__poller *poller, const struct herald_allocator *allocator,
			 size_t max_transfers);

/* No transfer may be in it. */
void herald__poller_finish(struct herald__poller *poller);

/* End a wait, this one or the next. Any thread; a system call only when it does wait. */
void herald__poller_wake(struct herald__poller *poller);

/* How often it was woken; to be read before looking at what other threads change. */
static inline unsigned
herald__poller_signals(struct herald__poller *poller)
{
	return atomic_load(&poller->signals);
}

/*
 * Let libcurl work on what is due now: it begins transfers, and may finish them too, so look for
 * those before waiting.
 */
void herald__poller_run_due(struct herald__poller *poller);

/*
 * Let libcurl work on what happens within `timeout_ms` (-1: any time). Does not wait when it was woken
 * since `seen`.
 */
void herald__poller_wait(struct herald__poller *poller, unsigned seen, int64_t timeout_ms);

/* Sockets of connections are opened and closed here. CURL_SOCKET_BAD with errno. */
curl_socket_t
herald__poller_open(struct herald__poller *poller, int family, int type, int protocol);
void herald__poller_close(struct herald__poller *poller, curl_socket_t fd);

/* What a socket has received since it was opened, TLS and all. Returns false when nobody knows. */
bool herald__poller_bytes_received(curl_socket_t fd, uint64_t *out);

#endif
