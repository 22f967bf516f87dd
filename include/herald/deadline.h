/*
 * The deadline handler gives each event a time limit. Functions can ask for the remaining time.
 *
 *	herald_deadline_handler_create(&HERALD_DEADLINE_OPTIONS(.timeout_ms = 2000), &deadline,
 *	&error);
 *
 * A running function is not interrupted, and its verdict counts even after the deadline. It should
 * use herald_context_remaining_ms() as the timeout of what it calls. If the deadline has passed
 * before the function runs, or runs again (herald/retry.h), it does not run and the event is
 * HERALD_RETRY.
 */
#ifndef HERALD_DEADLINE_H
#define HERALD_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of the handler. Zero means the default; everything is copied. */
struct herald_deadline_options {
	size_t struct_size; /**< Set by HERALD_DEADLINE_OPTIONS. */

	/** From the event's arrival; with a store, from the beginning of a run. Default 30,000. */
	uint32_t timeout_ms;
	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_DEADLINE_OPTIONS(.timeout_ms = 2000). */
#define HERALD_DEADLINE_OPTIONS(...)                                                               \
	((struct herald_deadline_options){.struct_size = sizeof(struct herald_deadline_options),   \
					  __VA_ARGS__})

/**
 * Create a deadline handler for a service or a route. If there are several, the nearest deadline
 * applies.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the service that gets it owns it. Without one,
 *          herald_handler_destroy() frees it.
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_deadline_handler_create(const struct herald_deadline_options *options,
			       struct herald_handler **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
