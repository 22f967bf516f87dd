/*
 * Accepting connections within the server's limits. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_ACCEPTOR_H
#define HERALD_SRC_HTTP_SERVER_ACCEPTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/server.h>

#include "http/server/listener.h"

/* A peer's address. All addresses in an IPv6 network of 64 bits count as one. All zero: a Unix
 * socket. */
struct herald__peer {
	uint8_t bytes[16];
};

struct herald__peer_count;

struct herald__acceptor {
	const struct herald_server_options *options;
	struct herald__listeners listeners;
	atomic_size_t connections_count;
	_Atomic uint64_t accepted_count;
	_Atomic uint64_t refused_count; /* closed: their address had too many */
	_Atomic uint64_t resume_ms;     /* do not accept before this: no descriptor was free */

	/* Used only with a limit per address. */
	pthread_mutex_t mutex;
	struct herald__peer_count *peers; /* a hash table with open addressing */
	size_t peers_capacity;
};

enum herald__accepted {
	HERALD__ACCEPTED,
	HERALD__NOTHING_TO_ACCEPT,
	HERALD__FULL,      /* the server has reached its limit of connections */
	HERALD__EXHAUSTED, /* the process is out of descriptors or memory; see errno */
	HERALD__REFUSED,   /* closed: its address has too many */
};

/*
 * Initialise zeroed memory; `options` and `listeners` must be set.
 *
 * Errors  HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__acceptor_init(struct herald__acceptor *acceptor, struct herald_error *error);

void herald__acceptor_finish(struct herald__acceptor *acceptor);

/*
 * Accept a connection from a listening socket. Any thread.
 *
 * fd    set to a non-blocking socket if a connection was accepted. Call herald__acceptor_closed()
 *       when it is closed.
 * peer  set if a connection was accepted.
 */
enum herald__accepted herald__acceptor_accept(struct herald__acceptor *acceptor, int listen_fd,
					      int *fd, struct herald__peer *peer);

void herald__acceptor_closed(struct herald__acceptor *acceptor, const struct herald__peer *peer);

bool herald__acceptor_is_full(const struct herald__acceptor *acceptor);

#endif
