/*
 * For programs with their own event loop: the server's HTTP/1.1 connections without sockets.
 *
 * A worker holds what the connections of one thread share. A connection takes the bytes that a
 * client has sent, calls functions, and provides the bytes to send back. It does no I/O and reads
 * no clock: times are milliseconds of a clock that never goes backwards, passed by the caller.
 *
 *	created    herald_http_connection_create()
 *	readable   receive bytes if it wants HERALD_HTTP_READ:  herald_http_connection_receive()
 *	           the client has closed its side:              herald_http_connection_end()
 *	writable   send its output:  herald_http_connection_output(), herald_http_connection_sent()
 *	deadline   the time is herald_http_connection_deadline():  herald_http_connection_expire()
 *	woken      events have been handled:   herald_http_worker_resume()
 *	after each of these: see herald_http_connection_wants()
 *	broken     herald_http_connection_destroy()
 */
#ifndef HERALD_ADAPTER_CONNECTION_H
#define HERALD_ADAPTER_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/server.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_http_worker;
struct herald_http_connection;

/**
 * Called when a pool has handled an event, or a service's store has one. It must have the worker's
 * thread call herald_http_worker_resume(), for example by an eventfd or uv_async_send(). It must
 * not block, and must not call functions of this header: a lock of the worker is held. It is not
 * called again until herald_http_worker_resume() has returned NULL.
 *
 * Threads  any, also the worker's own; one at a time for each worker.
 */
typedef void herald_http_wake(void *state);

/**
 * Create a worker.
 *
 * endpoint  takes events at options->path; borrowed. NULL: options->paths only.
 * options   all are checked, but only paths, limits of requests, timeouts, pool, log, allocator and
 *           behind_https are used: how many connections there may be is up to you. Set
 *           behind_https if you encrypt them. NULL means the defaults.
 * wake      needed with options->pool, and if the service of an endpoint has a store; otherwise it
 *           may be NULL.
 * state     passed to `wake`.
 * out       set only on HERALD_OK; the caller owns it.
 * error     may be NULL; its path names the option.
 * Errors    HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads   any; use the worker and its connections on one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_http_worker_create(struct herald_endpoint *endpoint,
			  const struct herald_server_options *options, herald_http_wake *wake,
			  void *state, struct herald_http_worker **out, struct herald_error *error);

/**
 * Begin to stop: the next response of each connection is its last one. Connections that are idle
 * (HERALD_HTTP_IDLE) may be destroyed, best after a short grace, so that requests on their way are
 * answered. Any thread.
 */
HERALD_API void herald_http_worker_drain(struct herald_http_worker *worker);

/**
 * Take the response to an event that a pool has handled or a store has. After `wake`, call it on
 * the worker's thread until it returns NULL.
 *
 * Returns  the connection, which has gone on; NULL if no other event has been handled.
 */
HERALD_API struct herald_http_connection *
herald_http_worker_resume(struct herald_http_worker *worker, uint64_t now_ms);

/**
 * Free a worker. First stop the pool, if there is one, and destroy all connections. Waits for a
 * store that still has an event of one. NULL is allowed.
 */
HERALD_API void herald_http_worker_destroy(struct herald_http_worker *worker);

/**
 * Create a connection, when a client has connected.
 *
 * owner    for herald_http_connection_owner().
 * Returns  NULL when out of memory.
 */
HERALD_API struct herald_http_connection *
herald_http_connection_create(struct herald_http_worker *worker, void *owner, uint64_t now_ms);

/** The `owner` of the connection. */
HERALD_API void *herald_http_connection_owner(const struct herald_http_connection *connection);

/**
 * Free a connection. Its owner is not used again. If a pool is handling its event, the function
 * runs to its end, and the response is dropped; a function that has not begun does not run. An
 * event that a store has stays there. NULL is allowed.
 */
HERALD_API void herald_http_connection_destroy(struct herald_http_connection *connection);

/**
 * Take bytes that the client sent, and handle the requests that are complete. Call it only while
 * the connection wants HERALD_HTTP_READ: what it cannot handle yet, it keeps in memory.
 *
 * data  modified: events are decoded in it. What belongs to an incomplete request is copied.
 */
HERALD_API void herald_http_connection_receive(struct herald_http_connection *connection,
					       char *data, size_t bytes, uint64_t now_ms);

/** The client has closed its sending side. It may still read responses. */
HERALD_API void
herald_http_connection_end(struct herald_http_connection *connection, uint64_t now_ms);

/**
 * The bytes to send next, borrowed until the next call with this connection that can change it.
 * Returns their number; 0: nothing is to be sent.
 */
HERALD_API size_t herald_http_connection_output(const struct herald_http_connection *connection,
						const char **data);

/** The first `bytes` bytes of the output have been sent. */
HERALD_API void herald_http_connection_sent(struct herald_http_connection *connection, size_t bytes,
					    uint64_t now_ms);

/** What a connection waits for. */
enum herald_http_wants {
	HERALD_HTTP_READ = 1 << 0,     /**< For bytes from the client. */
	HERALD_HTTP_WRITE = 1 << 1,    /**< Until its output is sent. */
	HERALD_HTTP_SHUTDOWN = 1 << 2, /**< Close the sending side, once, then read on. */
	HERALD_HTTP_CLOSE = 1 << 3,    /**< Destroy it. */
	HERALD_HTTP_IDLE = 1 << 4, /**< No request, or only a part of its head. Set with READ. */
};

/** A combination of enum herald_http_wants. */
HERALD_API unsigned herald_http_connection_wants(const struct herald_http_connection *connection);

/** When herald_http_connection_expire() is due; UINT64_MAX: never. It changes with each call. */
HERALD_API uint64_t
herald_http_connection_deadline(const struct herald_http_connection *connection);

/**
 * If the deadline has passed: answer 408 if the client has begun a request, and close. A client
 * that takes output fast enough gets another deadline.
 */
HERALD_API void
herald_http_connection_expire(struct herald_http_connection *connection, uint64_t now_ms);

#ifdef __cplusplus
}
#endif
#endif
