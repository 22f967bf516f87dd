/*
 * Handlers: what a user adds around the business functions, for all events of a service or for those
 * of one route.
 *
 * The order is fixed: `receive` of the service's handlers in their order; decode; `before` of the
 * service's handlers in their order, then of the route's; the business function, which `again` may
 * have run again; `after` in reverse; `rejected` if the function never ran.
 *
 * Ready-made: herald/deadline.h, herald/retry.h.
 */
#ifndef HERALD_HANDLER_H
#define HERALD_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#include <herald/array.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/message.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_handler;
struct herald_service;

/** What a handler's `again` wants done with an event that came to HERALD_RETRY. */
enum herald_again {
	HERALD_AGAIN_STOP, /**< Nothing: it stays HERALD_RETRY, and its sender tries again. */
	HERALD_AGAIN_RUN,  /**< Wait, then run the function again. */
	HERALD_AGAIN_FAIL, /**< Give it up: it is HERALD_FAIL. */
};

/** An event that did not reach its function, for `rejected`. Borrowed for the duration of the call. */
struct herald_rejection {
	const char *data;                   /**< The event's bytes as they came, before decoding. */
	size_t bytes;                       /**< How many; may be 0. */
	const struct herald_result *result; /**< Verdict, status or reason, path, offset. Final. */
};

/**
 * What a handler can do. Any slot may be NULL. All run on the thread that handles the event, several
 * threads at once for different events, and may block as long as the server may.
 */
struct herald_handler_ops {
	size_t struct_size; /**< sizeof(struct herald_handler_ops). */
	const char *name;   /**< For logs and the printed pipeline. */

	/**
	 * Names of what the handler reads by herald_context_attribute(), up to a NULL; borrowed. The
	 * HTTP endpoint keeps those headers of a request, and no others; herald_http_create() refuses
	 * a name that no header can have.
	 */
	const char *const *attributes;

	/**
	 * Runs before anything is decoded, so that what is signed can be checked as it came. Only
	 * handlers of a service may have it. Anything but HERALD_DONE ends the event: nothing is
	 * decoded and nothing else runs but `rejected`, no `after` either.
	 *
	 * data   `bytes` bytes, at most the service's max_event_bytes.
	 */
	enum herald_verdict (*receive)(struct herald_handler *handler, struct herald_context *ctx,
				       const char *data, size_t bytes);

	/**
	 * Bytes -> message, instead of the service's envelope; for another wire format. At most one
	 * handler of a service may have it, and none of a route.
	 *
	 * data   `bytes` bytes that live until the event is settled; may be written to.
	 * out    all zero; the first member of the service's envelope struct, of which every member
	 *        may be set. event_type must not be left NULL; payload is to be JSON, and is copied
	 *        where it is not part of `data`. herald_context_message() is NULL until this returns.
	 * error  herald_error_set() fills it in; the sender sees it. A path is made as struct
	 *        herald_error promises.
	 *
	 * Later errors name nothing that the sender's bytes do not have. One in the payload says so in
	 * its text; its path begins at the payload's root ("/user_id"), and it has an offset only if
	 * the payload is part of `data`. The others have neither path nor offset.
	 */
	enum herald_status (*decode)(struct herald_handler *handler, struct herald_context *ctx,
				     char *data, size_t bytes, struct herald_message *out,
				     struct herald_error *error);

	/**
	 * Runs before the business function, with message and payload decoded. Anything but
	 * HERALD_DONE ends the event: what follows in the order does not run, nor does this
	 * handler's own `after`.
	 */
	enum herald_verdict (*before)(struct herald_handler *handler, struct herald_context *ctx);

	/**
	 * Asked after the business function returned HERALD_RETRY: is it to run again, now? The
	 * payload is as it was, and neither `before` nor `after` runs again. The wait blocks the
	 * thread. Of an event's handlers that have it only the last one is asked, a route's rather
	 * than the service's, so that there is one budget of attempts. It must come to an end.
	 *
	 * attempt   how many times the function has run, from 1.
	 * delay_ms  holds the delay that the function named by herald_retry_after(), or 0; for
	 *           HERALD_AGAIN_RUN set it to how long to wait. A wait that would reach the event's
	 *           deadline does not begin: the event stays HERALD_RETRY.
	 * Returns   what to do. With HERALD_AGAIN_FAIL the function's reason stays, unless
	 *           herald_fail() or herald_fail_status() was called.
	 */
	enum herald_again (*again)(struct herald_handler *handler, struct herald_context *ctx,
				   unsigned attempt, uint32_t *delay_ms);

	/**
	 * Runs for every handler whose `before` was reached and succeeded (or is NULL), whatever the
	 * result was.
	 *
	 * result   what the event has come to so far: what the business function, or a `before`,
	 *          returned, or an `after` that ran earlier.
	 * Returns  HERALD_DONE, or another verdict for an event that was HERALD_DONE so far. An
	 *          earlier error is never replaced; both are logged.
	 */
	enum herald_verdict (*after)(struct herald_handler *handler, struct herald_context *ctx,
				     enum herald_verdict result);

	/**
	 * Runs at the end of each event that never reached its function, of all handlers in the order
	 * of `before`; those of a route once the route is known. So every event that is not
	 * HERALD_DONE was seen by a function or is seen here: not decodable, taken by no route, too
	 * large, beyond a limit, refused by `receive`, an upcaster or a `before`, or late. Not seen are
	 * events that HERALD_UNKNOWN_IGNORE lets pass, those for which there was not even memory for a
	 * context (HERALD_RETRY with HERALD_NO_MEMORY), and what an adapter refuses before it is an
	 * event, such as a body of another media type.
	 *
	 * With result->verdict HERALD_RETRY the sender is told to try again; HERALD_FAIL is final, and
	 * what a store of dead letters keeps. herald_context_message() and herald_context_payload() are
	 * NULL where they were not decoded. If the payload is wrong, members of the message that come
	 * after it in the event may be zero: they were not read. What is said by herald_fail() and the
	 * like changes nothing.
	 *
	 * While some handler of the service or of its routes has this slot, each event is copied before
	 * it is decoded, into the memory that max_arena_bytes limits.
	 */
	void (*rejected)(struct herald_handler *handler, struct herald_context *ctx,
			 const struct herald_rejection *rejection);

	/**
	 * Called by herald_service_create(), for each place where the handler is listed: can it be part
	 * of this service? One that reads a member of the envelope behind struct herald_message makes
	 * sure here that it is there.
	 *
	 * envelope  the service's: its own, or herald_message_schema.
	 * error     herald_error_set() says what is wrong; the handler's place in the options is added.
	 * Returns   HERALD_OK, or what herald_service_create() is to return.
	 */
	enum herald_status (*check)(struct herald_handler *handler,
				    const struct herald_schema *envelope,
				    struct herald_error *error);

	/** Called once, by herald_service_destroy(), when `service` is NULL again. */
	void (*destroy)(struct herald_handler *handler);
};

/**
 * A handler; embed it as the first member of one's own struct, all zero but `ops`. It belongs to one
 * service at a time, from herald_service_create(), if that succeeds, to herald_service_destroy(). Within
 * its service it may be listed several times.
 */
struct herald_handler {
	const struct herald_handler_ops
		*ops;                   /**< Static as a rule; lives as long as the handler. */
	struct herald_service *service; /**< The owner; Herald sets it. NULL: none. */
};

/** The option `handlers`, of a service or a route, and its count: HERALD_HANDLERS(handlers). */
#define HERALD_HANDLERS(ARRAY) .handlers = (ARRAY), .handlers_count = HERALD_COUNT(ARRAY)

#ifdef __cplusplus
}
#endif
#endif
