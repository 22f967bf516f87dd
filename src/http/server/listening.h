/*
 * The listening sockets in a loop's epoll set. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_LISTENING_H
#define HERALD_SRC_HTTP_SERVER_LISTENING_H

#include <stdbool.h>
#include <stdint.h>

#include "http/server/loop.h"

/* A listening socket. */
struct herald__listening {
	struct herald__source source; /* the first member */
	struct herald__loop *loop;
	int fd;
};

/* Returns false when out of memory. */
bool herald__listening_init(struct herald__loop *loop);
void herald__listening_finish(struct herald__loop *loop);

/* Add the sockets to the epoll set or take them out of it: the server may be full, or stop. */
void herald__listening_update(struct herald__loop *loop);

/* When a loop that does not accept looks again whether it should; UINT64_MAX: never. */
uint64_t herald__listening_again_ms(const struct herald__loop *loop);

#endif
