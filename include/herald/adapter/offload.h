/*
 * For authors of adapters for event loops: HTTP requests that are finished on a pool's workers or
 * by a store, so that the loop never waits for a business function or a commit.
 */
#ifndef HERALD_ADAPTER_OFFLOAD_H
#define HERALD_ADAPTER_OFFLOAD_H

#include <stdbool.h>

#include <herald/adapter/request.h>
#include <herald/export.h>
#include <herald/pool.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A request to be finished by a worker. Embedded in the adapter's own struct. */
struct herald_offload {
	struct herald_pool_task task;        /**< For the pool; the first member. */
	struct herald_http_request *request; /**< Its body is complete. Borrowed. */
	/**
	 * Whether the client has disconnected. Called on the worker just before the event is
	 * handled, but not while it is handled. If it returns true, the event is dropped: its
	 * sender will retry. NULL: unknown.
	 */
	bool (*is_gone)(struct herald_offload *work);
	/**
	 * The request has a response. Called exactly once: on a thread of the pool or of the
	 * service's store, or, if the pool stops before the event is handled (503), on the thread
	 * that stops it; perhaps before herald_offload_submit() returns. Must not block: it passes
	 * `work` back to the framework's thread, which calls herald_http_request_finish() for the
	 * response. `work` may be freed as soon as it has been passed on.
	 */
	void (*finished)(struct herald_offload *work);
};

/**
 * Handle a request's event on a worker, and do not wait for the service's store.
 *
 * pool     NULL: the event is handled during the call.
 * work     `request`, `is_gone` and `finished` must be set.
 * Returns  NULL: work->finished() will be called, or was already called. Otherwise the response,
 *          and work->finished() is not called: the request was refused before, it was handled
 *          without a pool, or it is 503 because the queue is full or the pool is stopping.
 * Threads  any. Do not use the request until `finished` is called.
 */
HERALD_API HERALD_MUST_CHECK const struct herald_http_response *
herald_offload_submit(struct herald_pool *pool, struct herald_offload *work);

#ifdef __cplusplus
}
#endif
#endif
