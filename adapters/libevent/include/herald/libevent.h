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
 * herald_pool_destroy(), herald_service_destroy(). The base may be freed at any time after the server.
 *
 * With a pool, functions run on its threads and the loop never waits for one; a full queue is answered
 * with 503. Without, they run on the loop's thread, one at a time, and everything else waits.
 *
 * evhttp is touched on the loop's thread only: nobody needs evthread_use_pthreads().
 *
 * What evhttp (2.1.12) does not do, for any of its routes:
 *
 *	- It collects a body before it asks anyone, and without a limit unless it is given one: see
 *	  limit_server. So a body that is refused for its type or method has been sent in vain, and
 *	  Expect: 100-continue is always answered with 100, but for a declared length over its limit:
 *	  with 413, or with limit_server not at all until the body has come.
 *	- Its own refusals are HTML: 413 over its limit, 501 for methods that it does not allow
 *	  (PATCH and OPTIONS by default, see evhttp_set_allowed_methods()), 404 for other paths.
 *	- It reads no body of HEAD and TRACE, and takes one for the next request: after such a body the
 *	  adapter closes the connection, and a route of your own has to.
 *	- It reads chunks its own way: extensions are refused, and with 413; a chunk need not end
 *	  where it should; sizes may begin with 0x. Behind a proxy that reads them in yet another way
 *	  this matters.
 *	- Nobody is told that a client has gone while its event is handled.
 */
#ifndef HERALD_LIBEVENT_H
#define HERALD_LIBEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	 * Give the whole server the endpoint's limit of a body (evhttp_set_max_body_size), let it read
	 * and drop a larger one that is declared (EVHTTP_SERVER_LINGERING_CLOSE), so that its sender
	 * sees the 413, and take 64 KiB of headers (evhttp_set_max_headers_size). Otherwise set limits
	 * yourself, of at least that for a body: evhttp has none, and keeps all that comes in memory.
	 *
	 * A sender who waits for 100 Continue before a larger body gets no answer until he sends it
	 * (curl does after a second), or evhttp_set_timeout() cuts him off: evhttp does not tell him from
	 * those that do not wait. With limits of your own and no lingering he gets 413 at once, and
	 * the others may see a reset instead of it.
	 */
	bool limit_server;
	/**
	 * A client that has closed its side of the connection while its event was queued has gone,
	 * its event is not handled, and the answer is 503. Set this when clients close their side and
	 * read on: they cannot be told from the others.
	 */
	bool serve_half_closed;

	const struct herald_http_options *http; /**< The endpoint's; NULL: the defaults. */
	struct herald_log log;                  /**< What a stop leaves. */
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
 * Told once that the adapter has stopped, on the loop's thread, by the loop.
 *
 * left   requests that were not answered, or whose answer was not sent, when the time was up: with a
 *        pool their events are queued or handled still, and will be answered if the loop goes on.
 * state  as given to herald_libevent_stop().
 */
typedef void herald_libevent_stopped(size_t left, void *state);

/**
 * Stop taking events: answer new ones with 503 and close their connections, wait until those in flight
 * are answered and sent or `drain_ms` have passed, then call `stopped`. Does not wait itself; the loop
 * must go on. The server's sockets are the user's: close them first, to refuse new connections.
 *
 * stopped  must not be NULL; may destroy the adapter. Called for the first stop only: further ones do
 *          nothing.
 */
HERALD_API void herald_libevent_stop(struct herald_libevent *adapter, uint32_t drain_ms,
				     herald_libevent_stopped *stopped, void *state);

/**
 * Take the path from the server and free the adapter. No event may be with the pool any more: after a
 * stop that left something, or without one, call herald_pool_stop() before. A stop under way ends without
 * its call. NULL is allowed.
 *
 * Answers that were not sent yet are, if server and loop go on. If not, libevent frees them: after
 * evhttp_free(), in the loop's next round or in event_base_free(). They do not need the service.
 */
HERALD_API void herald_libevent_destroy(struct herald_libevent *adapter);

#ifdef __cplusplus
}
#endif
#endif
