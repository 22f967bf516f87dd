/*
 * Scanning of a connection's bytes before evhttp reads them. Private.
 */
#ifndef HERALD_ADAPTERS_HTTP_LIBEVENT_GUARD_H
#define HERALD_ADAPTERS_HTTP_LIBEVENT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/bufferevent.h>
#include <event2/http.h>

/* Guard all future connections of a server, with a limit for bodies; 0: no limit. */
void herald__guard_server(struct evhttp *server, size_t max_body_bytes);

/* Whether the bytes of a connection are scanned before evhttp reads them. */
bool herald__is_guarded(struct bufferevent *bufferevent);

#endif
