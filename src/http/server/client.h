/*
 * A client: a connection and its socket, on the loop that it belongs to. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_CLIENT_H
#define HERALD_SRC_HTTP_SERVER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timer_heap.h"
#include "http/server/acceptor.h"
#include "http/server/connection.h"
#include "http/server/loop.h"
#include "http/server/socket.h"

struct herald__client {
	struct herald__source source; /* the first member */
	struct herald__loop *loop;
	struct herald__client *next, *previous; /* in the loop's list */
	struct herald__client *next_queued;     /* in `arrived` */
	struct herald__socket socket;           /* closed while a pool still handles its event */
	uint32_t events;                        /* for which epoll waits */
	bool is_shut;                           /* the sending side */
	bool has_more;                          /* the socket may, besides what was read */
	struct herald__peer peer;
	struct herald__timer deadline;
	struct herald_http_connection http;
};

/* The client of an accepted socket; NULL when out of memory. Any thread. */
struct herald__client *
herald__client_create(struct herald__loop *loop, int fd, const struct herald__peer *peer);

/* Free a client that was never added. */
void herald__client_discard(struct herald__client *client);

/* The next ones on the loop's thread. After each of them the client may be freed. */

/* Begin to read. */
void herald__client_add(struct herald__client *client);

/* After a change of its connection: send the output, then wait for what it needs, or close. */
void herald__client_proceed(struct herald__client *client);

/* Close it at once. While a pool or a store has its event, it stays, without a socket. */
void herald__client_close(struct herald__client *client);

#endif
