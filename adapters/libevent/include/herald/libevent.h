/*
 * libevent: a service at a path of the HTTP server (evhttp) that the user runs, next to its own
 * routes.
 *
 *	herald_pool_create(NULL, &pool, &error);
 *	herald_libevent_create(service, base, server,
 *			       &HERALD_LIBEVENT_OPTIONS(.pool = pool, .limit_server = true),
 *			       &adapter, &error);
 *	event_base_dispatch(base);
 *
 * and at the end, each before the next: herald_libevent_destroy(), evhttp_free(),
 * herald_pool_destroy(), herald_service_destroy(). The base may be freed at any time after the
 * server.
 *
 * With a pool, functions run on its threads and the loop never waits for one; a full queue is
 * answered with 503. Without, they run on the loop's thread, one at a time, and everything else
 * waits.
 *
 * evhttp is touched on the loop's thread only: nobody needs evthread_use_pthreads(). That thread
 * has SIGPIPE blocked from its first round on, because evhttp's writes would raise it when a client
 * has gone. It stays so, and a child process that the thread starts inherits it.
 *
 * evhttp (2.1.12) reads requests leniently, so the adapter reads them first, strictly, for all
 * paths of the server: see leave_server. What is left, for any of evhttp's routes:
 *
 *	- It collects a body before it asks anyone, and without a limit unless it is given one: see
 *	  limit_server. So a body that is refused for its type or method has been sent for nothing, and
 *	  Expect: 100-continue is answered with 100 unless the declared length is too large.
 *	- Its own refusals are HTML: 400 for what is malformed, 413 for chunks that are malformed or
 *	  for a body over its limit, 501 for methods that it does not allow (PATCH and OPTIONS by
 *	  default, see evhttp_set_allowed_methods()), 417 for an Expect that it does not know, 404
 *	  for other paths.
 *	- Trailers and the extensions of chunks are checked and dropped.
 *	- Nobody is told that a client has gone while its event is handled.
 */
#ifndef HERALD_LIBEVENT_H
#define HERALD_LIBEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/log.h>
#include <herald/pool.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_libevent;

/** Options of an adapter. Zero means the default; everything is copied but the pool. */
struct herald_libevent_options {
	size_t struct_size; /**< Set by HERALD_LIBEVENT_OPTIONS. */

	const char *path; /**< Takes events: "/event". */
	struct herald_pool
		*pool; /**< Runs the functions; borrowed. NULL: the loop's thread does. */
	/**
	 * Give the whole server the endpoint's limit of a body (evhttp_set_max_body_size) and take
	 * 64 KiB of headers (evhttp_set_max_headers_size). A larger body that is declared is read
	 * and dropped first, so that its sender sees the 413; with more than 16 MiB, or if the
	 * sender waits for 100 Continue, it is refused at once. Otherwise set limits yourself, of
	 * at least that for a body: evhttp has none, and keeps all that comes in memory.
	 */
	bool limit_server;
	/**
	 * A client that has closed its side of the connection while its event was queued may read
	 * on, and gets its answer. Set this where clients do not do that: such a client has gone
	 * then, its event is not handled, and the answer is 503.
	 */
	bool drop_half_closed;
	/**
	 * Leave the server's connections and listeners as they are. By default the adapter
	 *
	 *	- scans what comes on each connection before evhttp reads it, for every path of the
	 *	  server, and lets evhttp refuse what a strict reader of HTTP would refuse. It takes
	 *	  evhttp_set_bevcb() for that, and evhttp_connection_set_closecb();
	 *	- stops accepting for 100 ms when the process has no more descriptors or memory, on the
	 *	  sockets that are bound before herald_libevent_create(), by
	 *	  evconnlistener_set_error_cb(). libevent would try without end.
	 *
	 * Set it if you need one of these functions: for TLS, or for another protocol after HTTP.
	 * Then call herald_libevent_guard() on your bufferevents: without it evhttp ends a head at
	 * a line that begins with NUL, joins folded lines, takes HTTP/1.2, bare line feeds, control
	 * characters and sizes such as 0x1f, reads trailers as headers, and takes a body of HEAD or
	 * TRACE for the next request. Behind a proxy that reads these in another way requests can
	 * be smuggled. The adapter then ends the connection after a request that was no event (400,
	 * 405, 413, 415, 431); other routes do not. Of several adapters at one server, let all but
	 * one leave it.
	 */
	bool leave_server;

	/**
	 * At a stop, how long what arrives on open connections is answered as ever, with
	 * "Connection: close". Default 250, or half of the time to drain if that is less; limit the
	 * time to drain.
	 */
	uint32_t idle_grace_ms;

	const struct herald_http_options *http; /**< The endpoint's; NULL: the defaults. */
	struct herald_log log;                  /**< What a stop leaves, and pauses of accepting. */
};

/** Options as a compound literal: HERALD_LIBEVENT_OPTIONS(.path = "/events"). */
#define HERALD_LIBEVENT_OPTIONS(...)                                                               \
	((struct herald_libevent_options){.struct_size = sizeof(struct herald_libevent_options),   \
					  __VA_ARGS__})

/**
 * Take events at a path of a server.
 *
 * service  borrowed; must outlive the adapter.
 * base     the server's; borrowed. The adapter has an event in it until it is destroyed.
 * server   borrowed; must outlive the adapter.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION (the path is taken, too), HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  the loop's, or any while the loop does not run. So are all functions here.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_libevent_create(struct herald_service *service, struct event_base *base,
		       struct evhttp *server, const struct herald_libevent_options *options,
		       struct herald_libevent **out, struct herald_error *error);

/**
 * Scan what comes on a connection before evhttp reads it, as the adapter does by itself where it
 * does not leave the server: for your own evhttp_set_bevcb() function, on each bufferevent that it
 * makes. The write watermark of the bufferevent, and the close callback of its connection, are
 * taken.
 *
 * max_body_bytes  that of evhttp_set_max_body_size(). A larger declared body is dropped as it comes
 *                 and then refused; at once if it has more than 16 MiB, or its sender waits for
 *                 100 Continue. 0: none is.
 * Returns         false when memory is out.
 * Threads         the loop's.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_libevent_guard(struct bufferevent *bufferevent, size_t max_body_bytes);

/**
 * Told once that the adapter has stopped, on the loop's thread, by the loop.
 *
 * left   requests that were not answered, or whose answer was not sent, when the time was up: with
 *        a pool their events are queued or handled still, and will be answered if the loop goes on.
 * state  as given to herald_libevent_stop().
 */
typedef void herald_libevent_stopped(size_t left, void *state);

/**
 * Stop taking events: answer those that arrive within idle_grace_ms, and close their connections,
 * so that a request that was on its way is not lost; answer later ones with 503. Wait until those
 * in flight are answered and sent, or `drain_ms` have passed, then call `stopped`. Does not wait
 * itself; the loop must go on. The server's sockets are the user's: close them first, to refuse new
 * connections.
 *
 * stopped  must not be NULL; may destroy the adapter. Called for the first stop only: further ones
 *          do nothing.
 */
HERALD_API void herald_libevent_stop(struct herald_libevent *adapter, uint32_t drain_ms,
				     herald_libevent_stopped *stopped, void *state);

/**
 * Take the path from the server and free the adapter. No event may be with the pool any more: after
 * a stop that left something, or without one, call herald_pool_stop() before. A stop under way ends
 * without its call. NULL is allowed.
 *
 * Answers that were not sent yet are, if server and loop go on. If not, libevent frees them: after
 * evhttp_free(), in the loop's next round or in event_base_free(). They do not need the service.
 */
HERALD_API void herald_libevent_destroy(struct herald_libevent *adapter);

#ifdef __cplusplus
}
#endif
#endif
