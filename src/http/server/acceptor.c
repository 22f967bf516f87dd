/*
 * Accepts connections within the server's limits. Owns the listening sockets and the counts of
 * connections, in total and for each address. The connections belong to the loops.
 */
#include "http/server/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

/* Addresses. */

struct herald__peer_count {
	struct herald__peer peer;
	unsigned count; /* 0: the entry is free */
};

static struct herald__peer
peer_of(const struct sockaddr_storage *address)
{
	struct herald__peer peer = {0};

	if (address->ss_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		memcpy(peer.bytes, v6, IN6_IS_ADDR_V4MAPPED(v6) ? 16 : 8);
	} else if (address->ss_family == AF_INET) {
		peer.bytes[10] = peer.bytes[11] = 0xff;
		memcpy(peer.bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
	}
	return peer;
}

static size_t
home_of(const struct herald__acceptor *acceptor, const struct herald__peer *peer)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(peer->bytes); i++)
		hash = (hash ^ peer->bytes[i]) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32) & (acceptor->peers_capacity - 1);
}

static size_t
next_place(const struct herald__acceptor *acceptor, size_t place)
{
	return (place + 1) & (acceptor->peers_capacity - 1);
}

/* The entry of an address, or the free entry for it. There is always a free one. */
static size_t
find_peer(const struct herald__acceptor *acceptor, const struct herald__peer *peer)
{
	size_t place = home_of(acceptor, peer);

	while (acceptor->peers[place].count > 0 &&
	       memcmp(&acceptor->peers[place].peer, peer, sizeof(*peer)) != 0)
		place = next_place(acceptor, place);
	return place;
}

/* Close the gap that a removed address leaves, so that later entries are still found. */
static void
close_gap(struct herald__acceptor *acceptor, size_t gap)
{
	size_t mask = acceptor->peers_capacity - 1;

	for (size_t place = next_place(acceptor, gap); acceptor->peers[place].count > 0;
	     place = next_place(acceptor, place)) {
		size_t home = home_of(acceptor, &acceptor->peers[place].peer);

		if (((place - home) & mask) < ((place - gap) & mask))
			continue;
		acceptor->peers[gap] = acceptor->peers[place];
		acceptor->peers[place].count = 0;
		gap = place;
	}
}

/* Returns false if the address has reached its limit of connections. */
static bool
count_peer(struct herald__acceptor *acceptor, const struct herald__peer *peer)
{
	bool counted = false;

	if (!acceptor->peers)
		return true;
	pthread_mutex_lock(&acceptor->mutex);
	struct herald__peer_count *entry = &acceptor->peers[find_peer(acceptor, peer)];
	if (entry->count < acceptor->options->max_connections_per_ip) {
		entry->peer = *peer;
		entry->count++;
		counted = true;
	}
	pthread_mutex_unlock(&acceptor->mutex);
	return counted;
}

static void
discount_peer(struct herald__acceptor *acceptor, const struct herald__peer *peer)
{
	if (!acceptor->peers)
		return;
	pthread_mutex_lock(&acceptor->mutex);
	size_t place = find_peer(acceptor, peer);
	if (--acceptor->peers[place].count == 0)
		close_gap(acceptor, place);
	pthread_mutex_unlock(&acceptor->mutex);
}

/* Connections. */

bool
herald__acceptor_is_full(const struct herald__acceptor *acceptor)
{
	return atomic_load(&acceptor->connections_count) >= acceptor->options->max_connections;
}

void
herald__acceptor_closed(struct herald__acceptor *acceptor, const struct herald__peer *peer)
{
	discount_peer(acceptor, peer);
	atomic_fetch_sub(&acceptor->connections_count, 1);
}

static enum herald__accepted
why_not(int number)
{
	switch (number) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return HERALD__EXHAUSTED;
	case EAGAIN:
	case EINVAL: /* The socket was shut down: the server stops. */
		return HERALD__NOTHING_TO_ACCEPT;
	default: /* The client has disconnected: accept(2), "Error handling". */
		return HERALD__REFUSED;
	}
}

/* Responses are sent in one piece. If a part remains, it must not wait for an acknowledgement. */
static void
send_at_once(int fd, const struct sockaddr_storage *address)
{
	const int on = 1;

	if (address->ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

enum herald__accepted
herald__acceptor_accept(struct herald__acceptor *acceptor, int listen_fd, int *out,
			struct herald__peer *peer)
{
	struct sockaddr_storage address = {0};
	socklen_t bytes = sizeof(address);

	if (atomic_fetch_add(&acceptor->connections_count, 1) >=
	    acceptor->options->max_connections) {
		atomic_fetch_sub(&acceptor->connections_count, 1);
		return HERALD__FULL;
	}
	int fd = accept4(listen_fd, (struct sockaddr *)&address, &bytes,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	int number = errno;
	*peer = peer_of(&address);
	if (fd >= 0 && count_peer(acceptor, peer)) {
		atomic_fetch_add_explicit(&acceptor->accepted_count, 1, memory_order_relaxed);
		send_at_once(fd, &address);
		*out = fd;
		return HERALD__ACCEPTED;
	}
	atomic_fetch_sub(&acceptor->connections_count, 1);
	if (fd >= 0) {
		atomic_fetch_add_explicit(&acceptor->refused_count, 1, memory_order_relaxed);
		close(fd);
	}
	errno = number;
	return fd >= 0 ? HERALD__REFUSED : why_not(number);
}

/* Creating and destroying. */

enum herald_status
herald__acceptor_init(struct herald__acceptor *acceptor, struct herald_error *error)
{
	const struct herald_server_options *options = acceptor->options;
	size_t capacity = 4;

	if (options->max_connections_per_ip == 0)
		return HERALD_OK;
	while (capacity < (size_t)options->max_connections * 2)
		capacity *= 2;
	acceptor->peers = herald_memory_allocate_zeroed(&options->allocator, capacity,
							sizeof(*acceptor->peers));
	if (!acceptor->peers)
		return herald_out_of_memory(error);
	acceptor->peers_capacity = capacity;
	pthread_mutex_init(&acceptor->mutex, NULL); /* Cannot fail without attributes. */
	return HERALD_OK;
}

void
herald__acceptor_finish(struct herald__acceptor *acceptor)
{
	herald__listeners_close(&acceptor->listeners);
	if (!acceptor->peers)
		return;
	pthread_mutex_destroy(&acceptor->mutex);
	herald_memory_release(&acceptor->options->allocator, acceptor->peers,
			      acceptor->peers_capacity * sizeof(*acceptor->peers));
	acceptor->peers = NULL;
}
