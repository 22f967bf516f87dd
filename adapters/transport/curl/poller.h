/*
 * Waiting for libcurl's sockets, its timer, and other threads.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_POLLER_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/allocator.h>

#include "multis.h"

struct herald__watch;

/* The socket of a transfer, set by the poller. CURLINFO_PRIVATE of every handle must point to
 * this. */
struct herald__polled {
	curl_socket_t fd;      /* CURL_SOCKET_BAD: not known yet */
	uint64_t key;          /* tells sockets with the same number apart */
	unsigned first_event;  /* how many events the socket had before */
	bool is_counted;       /* its bytes are */
	uint64_t counted_from; /* bytes that it had received when counting began */
};

struct herald__poller {
	struct herald__multis multis;
	int epoll_fd;
	int wake_fd;
	unsigned events;               /* handled so far, of all sockets */
	struct herald__watch *watches; /* by file descriptor */
	size_t watches_count;
	struct herald_allocator allocator;
};

/* Returns false and sets errno on failure. */
bool herald__poller_init(struct herald__poller *poller, const struct herald_allocator *allocator,
			 size_t max_transfers);

/* No transfer may be in progress. */
void herald__poller_finish(struct herald__poller *poller);

/* End the current wait, or else the next one. Any thread. */
void herald__poller_wake(struct herald__poller *poller);

/*
 * Let libcurl do what is due now. It begins transfers and may also finish some, so check for
 * finished ones before waiting.
 */
void herald__poller_run_due(struct herald__poller *poller);

/* Wait up to `timeout_ms` (-1: no limit) for events, and let libcurl handle them. */
void herald__poller_wait(struct herald__poller *poller, int64_t timeout_ms);

/* Open and close the sockets of connections. Returns CURL_SOCKET_BAD and sets errno on failure. */
curl_socket_t
herald__poller_open(struct herald__poller *poller, int family, int type, int protocol);
void herald__poller_close(struct herald__poller *poller, curl_socket_t fd);

/*
 * Set the socket of a transfer that uses the connection of others. libcurl reports a socket once,
 * not for each stream of HTTP/2 that waits for it. So this looks for an open socket with the
 * addresses and ports of the handle's connection. Does nothing if there is no such socket, or no
 * connection yet.
 */
void herald__poller_find_socket(struct herald__poller *poller, CURL *easy,
				struct herald__polled *polled);

/* The bytes that a transfer's socket has received for all its transfers, including TLS, since the
 * third event of this transfer. 0 before, or if unknown. */
uint64_t
herald__poller_bytes_received(struct herald__poller *poller, struct herald__polled *polled);

#endif
