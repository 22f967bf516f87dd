/*
 * The adapter for libevent: takes events at a path of your HTTP server (evhttp), next to its other
 * routes.
 *
 *	herald_endpoint_create(service, NULL, &endpoint, &error);
 *	herald_pool_create(NULL, &pool, &error);
 *	herald_libevent_create(endpoint, base, server,
 *			       &HERALD_LIBEVENT_OPTIONS(.pool = pool, .limit_server = true),
 *			       &adapter, &error);
 *	event_base_dispatch(base);
 *
 * At the end, stop and destroy everything in this order: herald_libevent_stop(), and when it calls
 * back, leave the loop; herald_pool_stop(), herald_libevent_destroy(), evhttp_free(),
 * herald_pool_destroy(), herald_endpoint_destroy(), herald_service_destroy(). The base may be freed
 * at any time after the server.
 *
 * With a pool, functions run on its threads, and the loop never waits for them. If the pool's queue
 * is full, the sender gets 503. Without a pool, functions run on the loop's thread, one at a time,
 * and block the loop.
 *
 * evhttp is used on the loop's thread only, without evthread_use_pthreads(). The adapter blocks
 * SIGPIPE on that thread, because evhttp's writes raise it if a client has disconnected. SIGPIPE
 * stays blocked, and child processes that the thread starts inherit this.
 *
 * evhttp (2.1.12) reads requests leniently. So the adapter checks the bytes of all connections
 * first, like a strict reader: see leave_server. These limitations of evhttp remain, for all
 * routes:
 *
 *	- It reads a whole body before it calls a route, without a limit by default: see
 *	  limit_server. So it reads the body even if its type or method will be refused, and it
 *	  answers Expect: 100-continue with 100 unless the declared length is too large.
 *	- Its own error pages are HTML: 400 for malformed requests, 413 for malformed chunks or a
 *	  body over its limit, 501 for methods that it does not allow (PATCH and OPTIONS by
 *	  default, see evhttp_set_allowed_methods()), 417 for an unknown Expect, 404 for other
 *	  paths.
 *	- Trailers and chunk extensions are checked and dropped.
 *	- It does not notice that a client disconnects while its event is handled.
 */
#ifndef HERALD_LIBEVENT_H
#define HERALD_LIBEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/pool.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An adapter at a path of a server. */
struct herald_libevent;

/** Options. Zero means the default. Everything except for the pool is copied. */
struct herald_libevent_options {
	size_t struct_size; /**< Set by HERALD_LIBEVENT_OPTIONS. */

	const char *path; /**< The path of events. Default "/event". */
	/** Runs the functions; borrowed. NULL: the loop's thread runs them. */
	struct herald_pool *pool;
	/**
	 * Set limits for the whole server: the endpoint's limit for bodies
	 * (evhttp_set_max_body_size) and 64 KiB for headers (evhttp_set_max_headers_size). If the
	 * declared length of a body is too large, the body is read and dropped first, so that its
	 * sender sees the 413. It is refused at once if it has more than 16 MiB, or if the sender
	 * waits for 100 Continue. If you do not set this option, set limits yourself, for bodies
	 * not below the endpoint's: without limits, evhttp keeps bodies of any size in memory.
	 */
	bool limit_server;
	/**
	 * A client that closes its sending side while its event is queued may still read, so by
	 * default it gets its response. If your clients never do that, set this option: such a
	 * client then counts as disconnected, its event is not handled, and the response is 503.
	 */
	bool drop_half_closed;
	/**
	 * Do not change the server's connections and listeners. By default the adapter
	 *
	 *	- scans the bytes of each connection before evhttp reads them, for every path of the
	 *	  server, and makes evhttp refuse what a strict HTTP reader would refuse. It uses
	 *	  evhttp_set_bevcb() and evhttp_connection_set_closecb() for this;
	 *	- pauses accepting for 100 ms when the process is out of descriptors or memory, on
	 *	  the sockets that are bound before herald_libevent_create(). It uses
	 *	  evconnlistener_set_error_cb() for this. libevent would retry without end.
	 *
	 * Set this option if you need one of these functions, for TLS or for another protocol after
	 * HTTP. Then call herald_libevent_guard() for your bufferevents. Without the guard, evhttp
	 * ends a head at a line that begins with NUL, joins folded lines, accepts HTTP/1.2, bare
	 * line feeds, control characters and chunk sizes such as 0x1f, reads trailers as headers,
	 * and reads the body of HEAD or TRACE as the next request. If a proxy reads these
	 * differently, requests can be smuggled past it. So the adapter closes each unguarded
	 * connection after one request for an event, with "Connection: close". Other routes do not
	 * close it. If a server has several adapters, set this option for all but one: its guard
	 * protects them all.
	 */
	bool leave_server;

	/**
	 * How long a stop continues to answer requests on open connections, with "Connection:
	 * close". Default 250, or half of `drain_ms` if that is less; limit `drain_ms`.
	 */
	uint32_t idle_grace_ms;

	struct herald_log log; /**< Logs requests left by a stop, and pauses of accepting. */
};

/** Options as a compound literal: HERALD_LIBEVENT_OPTIONS(.path = "/events"). */
#define HERALD_LIBEVENT_OPTIONS(...)                                                               \
	((struct herald_libevent_options){.struct_size = sizeof(struct herald_libevent_options),   \
					  __VA_ARGS__})

/**
 * Take events at a path of a server.
 *
 * endpoint  borrowed; must outlive the adapter.
 * base      the server's event base, which cannot be read from the server. Borrowed; the adapter
 *           uses it until it is destroyed.
 * server    borrowed; must outlive the adapter.
 * options   NULL means the defaults.
 * out       set only on HERALD_OK; the caller owns it.
 * error     may be NULL; its path names the option.
 * Errors    HERALD_BAD_OPTION (also if the path already has a callback), HERALD_SYSTEM,
 *           HERALD_NO_MEMORY.
 * Threads   the loop's, or any while the loop does not run. This applies to all functions of this
 *           header.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_libevent_create(struct herald_endpoint *endpoint, struct event_base *base,
		       struct evhttp *server, const struct herald_libevent_options *options,
		       struct herald_libevent **out, struct herald_error *error);

/**
 * Scan the bytes of a connection before evhttp reads them. The adapter does so itself, unless
 * `leave_server` is set. Call this function in your own evhttp_set_bevcb() callback, for each
 * bufferevent that it creates. It uses the write watermark of the bufferevent and the close
 * callback of its connection.
 *
 * Tests cover bufferevents of sockets, but not of TLS (event2/bufferevent_ssl.h).
 *
 * max_body_bytes  as for evhttp_set_max_body_size(); 0: no limit. A larger declared body is dropped
 *                 as it arrives and then refused. It is refused at once if it has more than 16 MiB,
 *                 or if its sender waits for 100 Continue.
 * Returns         false when out of memory.
 * Threads         the loop's.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_libevent_guard(struct bufferevent *bufferevent, size_t max_body_bytes);

/**
 * Called on the loop's thread when a stop has ended.
 *
 * left   the number of requests in flight: those without a response, and those whose response has
 *        not been sent. With a pool, their events may still be queued or handled, and are answered
 *        if the loop continues.
 * state  as passed to herald_libevent_stop().
 */
typedef void herald_libevent_stopped(size_t left, void *state);

/**
 * Stop taking events: see "Stopping" in herald/endpoint.h. The server's sockets belong to you.
 * Close them first to refuse new connections.
 *
 * Returns immediately: it is called on the loop's thread, and the loop has to send the responses.
 * When the stop has ended, the loop calls `stopped`.
 *
 * adapter  may be NULL; then `stopped` is called at once, with 0.
 * stopped  must not be NULL. It may destroy the adapter, or stop it again to wait longer, without a
 *          second grace. During a stop, another stop does nothing, and its `stopped` is not called.
 */
HERALD_API void herald_libevent_stop(struct herald_libevent *adapter, uint32_t drain_ms,
				     herald_libevent_stopped *stopped, void *state);

/**
 * Remove the path from the server and free the adapter. No event may be in the pool: if a stop has
 * left requests, or if there was no stop, call herald_pool_stop() first. If a stop is in progress,
 * its `stopped` is not called. NULL is allowed.
 *
 * Responses that were not sent yet are still sent if the server and the loop continue. Otherwise
 * libevent frees them after evhttp_free(), in the loop's next round or in event_base_free(). They
 * need neither the endpoint nor the service.
 */
HERALD_API void herald_libevent_destroy(struct herald_libevent *adapter);

#ifdef __cplusplus
}
#endif
#endif
