/*
 * For authors of HTTP adapters: stopping an adapter whose framework owns the threads and the
 * sockets. The rules for stopping are in herald/endpoint.h.
 *
 * The adapter embeds a drain, sets it in the head of each request (herald/adapter/request.h), and
 * checks before each response whether to close the connection. Herald does the rest: it counts
 * requests from herald_http_request_create() until herald_http_request_destroy(), and refuses those
 * that begin after the grace of a stop.
 */
#ifndef HERALD_ADAPTER_DRAIN_H
#define HERALD_ADAPTER_DRAIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How long a stop continues to answer requests on idle connections before it closes them: an
 * adapter's option `idle_grace_ms`. Default 250, or half of `drain_ms` if that is less; limit
 * `drain_ms`.
 */
HERALD_API uint32_t herald_http_idle_grace_ms(uint32_t idle_grace_ms, uint32_t drain_ms);

/** The open requests of one adapter, and the state of its stop. All members are private. */
struct herald_http_drain {
	pthread_mutex_t mutex; /**< Protects the other members. */
	pthread_cond_t ended;  /**< No request is open. Uses the monotonic clock. */
	size_t open_count;     /**< Number of open requests. */
	bool stopping;         /**< A stop has begun. */
	bool refusing;         /**< The grace is over. */
};

/** Initialise a drain. Returns false when out of memory. */
HERALD_API HERALD_MUST_CHECK bool herald_http_drain_init(struct herald_http_drain *drain);

/** Release a drain. No request may be open. */
HERALD_API void herald_http_drain_finish(struct herald_http_drain *drain);

/** Whether a stop has begun. If so, respond with "Connection: close" and close the connection. Any
 * thread. */
HERALD_API bool herald_http_drain_is_stopping(struct herald_http_drain *drain);

/**
 * Stop: refuse requests that begin after the grace, and wait until no request is open. A second
 * stop has no grace.
 *
 * idle_grace_ms  the adapter's option, see herald_http_idle_grace_ms().
 * drain_ms       the maximum wait, including the grace.
 * Returns        the number of requests that are still open.
 * Threads        any, except for one that a request waits for.
 */
HERALD_API size_t herald_http_drain_stop(struct herald_http_drain *drain, uint32_t idle_grace_ms,
					 uint32_t drain_ms);

#ifdef __cplusplus
}
#endif
#endif
