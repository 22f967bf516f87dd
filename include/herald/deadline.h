/*
 * The deadline handler: each event gets so much time, and functions see how much of it is left.
 *
 *	herald_deadline_handler_create(&HERALD_DEADLINE_OPTIONS(.timeout_ms = 2000), &deadline, &error);
 *
 * Nothing is interrupted: a function that has begun runs to its end, and its verdict counts, however
 * late. It is asked to look at herald_context_remaining_ms() and to pass that on as the timeout of
 * what it calls. An event whose deadline has passed before its function would run is HERALD_RETRY,
 * with a reason, and the function does not run; nor does it run again (herald/retry.h) after that.
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

	uint32_t timeout_ms; /**< From when the service is handed the event: 30,000. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_DEADLINE_OPTIONS(.timeout_ms = 2000). */
#define HERALD_DEADLINE_OPTIONS(...)                                                               \
	((struct herald_deadline_options){.struct_size = sizeof(struct herald_deadline_options),   \
					  __VA_ARGS__})

/**
 * Create a deadline handler, for the handlers of a service or of a route. Of several deadlines the
 * nearest counts.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the service that gets it owns it. Without one,
 *          `handler->ops->destroy(handler)` frees it.
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
