/*
 * The retry handler runs a function again that returned HERALD_RETRY, a few times, for failures
 * that last a moment: a held lock, a closed connection.
 *
 *	herald_retry_handler_create(&HERALD_RETRY_OPTIONS(.attempts = 5), &retry, &error);
 *
 * Only the function runs again, not the handlers' `before` and `after`. It gets the same payload
 * and the same context. It must be safe to run twice.
 *
 * The wait blocks the thread, so use it for short failures; for longer ones let the sender send the
 * event again. A wait never goes past the event's deadline (herald/deadline.h). A function that
 * asks for a longer delay than max_delay_ms, with herald_retry_after(), does not run again.
 *
 * In a service with a store, the thread does not wait: the store runs the event again, with all of
 * its handlers, after the delay. `attempts` counts the runs in all processes. After the last one,
 * the store goes on with its own delays, up to its max_attempts, unless fail_at_last is set.
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

	unsigned attempts;           /**< Including the first. Default 3, limit 100. */
	enum herald_backoff backoff; /**< Default HERALD_BACKOFF_FULL_JITTER. */
	uint32_t first_delay_ms;     /**< Default 50, or max_delay_ms if less. */
	double factor;               /**< Default 2, from 1 to 1,000. */
	uint32_t max_delay_ms;       /**< Default 1,000; at least first_delay_ms. */
	/** Age of an event at its last run; with a store, of the run. Default 5,000. */
	uint32_t total_ms;

	/**
	 * After the last attempt, make the event HERALD_FAIL with the last reason. Default: it
	 * stays HERALD_RETRY, and the sender may send it again, with new attempts.
	 */
	bool fail_at_last;

	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_RETRY_OPTIONS(.attempts = 5). */
#define HERALD_RETRY_OPTIONS(...)                                                                  \
	((struct herald_retry_options){.struct_size = sizeof(struct herald_retry_options),         \
				       __VA_ARGS__})

/**
 * Create a retry handler for a service or a route. If an event has two, only the route's is used.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the service that gets it owns it. Without one,
 *          herald_handler_destroy() frees it.
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
