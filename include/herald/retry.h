/*
 * The retry handler: a function that returns HERALD_RETRY runs again at once, a few times, for faults
 * that are over in a moment: a lock held, a connection that was closed.
 *
 *	herald_retry_handler_create(&HERALD_RETRY_OPTIONS(.attempts = 5), &retry, &error);
 *
 * Only the function runs again; `before` and `after` of the handlers run once. It gets the same
 * payload, which is constant, and the same context, whose memory is still there. Whatever it did to
 * the world before it returned HERALD_RETRY it must be able to do twice, as with any retry.
 *
 * The wait blocks the thread, and with it, on most servers, a connection and a place among the
 * threads. So it is for short faults: what takes longer is the sender's to try again, which is what
 * HERALD_RETRY tells it. A wait never reaches the event's deadline (herald/deadline.h), and a
 * function that names a delay longer than max_delay_ms by herald_retry_after() is not run again.
 */
#ifndef HERALD_RETRY_H
#define HERALD_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/backoff.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of the handler. Zero means the default; everything is copied. */
struct herald_retry_options {
	size_t struct_size; /**< Set by HERALD_RETRY_OPTIONS. */

	unsigned attempts;           /**< Runs of the function in all: 3; at most 100. */
	enum herald_backoff backoff; /**< How the delay grows; by default with full jitter. */
	uint32_t first_delay_ms;     /**< 50, or max_delay_ms if that is less. */
	double factor;               /**< 2; 1 to 1,000. */
	uint32_t max_delay_ms; /**< 1,000, or first_delay_ms if that is more; not less than it. */
	uint32_t total_ms;     /**< No run begins later than this after the event came: 5,000. */

	/**
	 * What the event is after the last attempt. By default it stays HERALD_RETRY, and a sender
	 * that tries again gets as many attempts anew. With this it is HERALD_FAIL with the last
	 * reason: the attempts made here are all there are.
	 */
	bool fail_at_last;

	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_RETRY_OPTIONS(.attempts = 5). */
#define HERALD_RETRY_OPTIONS(...)                                                                  \
	((struct herald_retry_options){.struct_size = sizeof(struct herald_retry_options),         \
				       __VA_ARGS__})

/**
 * Create a retry handler, for the handlers of a service or of a route. Where an event has two, the
 * route's counts, alone.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the service that gets it owns it. Without one,
 *          `handler->ops->destroy(handler)` frees it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_retry_handler_create(const struct herald_retry_options *options, struct herald_handler **out,
			    struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
