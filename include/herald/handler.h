/*
 * Handlers: code that runs around the business functions, for all events of a service or of a
 * route.
 *
 * The order is fixed:
 *
 *	1. `receive` of the service's handlers, in order;
 *	2. decoding;
 *	3. `before` of the service's handlers, in order, then of the route's;
 *	4. the business function; `again` may run it again;
 *	5. `after`, in reverse order;
 *	6. `rejected`, if the function did not run;
 *	7. `dead`, if the event becomes a dead letter of a store or of a broker.
 *
 * With a store (herald/store.h), steps 1 and 2 are done when the event arrives, then `accept` of
 * the handlers, and step 6 if they refuse it; then it is stored. Steps 2 to 7 are done when it
 * runs. A signature is checked once. With a consumer (herald/consumer.h) and no store, all steps
 * are done in each run.
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

/** What to do with an event whose function returned HERALD_RETRY. */
enum herald_again {
	HERALD_AGAIN_STOP, /**< It stays HERALD_RETRY; the sender sends it again. */
	HERALD_AGAIN_RUN,  /**< Wait, then run the function again. */
	HERALD_AGAIN_FAIL, /**< Give up: it becomes HERALD_FAIL. */
};

/** An event that did not reach its function. Borrowed for the duration of the call. */
struct herald_rejection {
	const char *data;                   /**< The raw bytes of the event. */
	size_t bytes;                       /**< Their number; may be 0. */
	const struct herald_result *result; /**< The final result, with the reason. */
};

/**
 * The functions of a handler. Any slot may be NULL. All run on the thread that handles the event;
 * several threads call them at once for different events. They may block where a business function
 * may block.
 */
struct herald_handler_ops {
	size_t struct_size; /**< sizeof(struct herald_handler_ops). */
	const char *name;   /**< For logs and the printed pipeline. */

	/**
	 * The names that the handler passes to herald_context_attribute(), then NULL. Borrowed. See
	 * `attributes` of struct herald_service_options. The HTTP endpoint keeps only these headers
	 * of a request. herald_endpoint_create() refuses a name that is not a valid header name.
	 */
	const char *const *attributes;

	/**
	 * Runs before decoding, for example to check a signature of the raw bytes. Handlers of a
	 * service only. If it does not return HERALD_DONE, the event ends: only `rejected` runs.
	 *
	 * For a batch it runs once, with the whole batch. Then the limit is max_body_bytes of the
	 * endpoint, and what it sets in the context, such as slots and a deadline, does not reach
	 * the events of the batch.
	 *
	 * data   `bytes` bytes, limit max_event_bytes of the service.
	 */
	enum herald_verdict (*receive)(struct herald_handler *handler, struct herald_context *ctx,
				       const char *data, size_t bytes);

	/**
	 * With a store: runs when an event arrives, before it is stored, in the order of `before`.
	 * For what the sender should be told at once, because it will not see later errors. If it
	 * does not return HERALD_DONE, the event is not stored, and the sender gets the verdict.
	 * Must not block. Message and payload are decoded; the payload is NULL if upcasters have to
	 * convert it. The event's slots and memory are gone when it runs. Without a store it is not
	 * called.
	 */
	enum herald_verdict (*accept)(struct herald_handler *handler, struct herald_context *ctx);

	/**
	 * Runs before the business function; message and payload are decoded. If it does not return
	 * HERALD_DONE, the event ends: `before` and `after` of later handlers, the function, and
	 * this handler's `after` do not run.
	 */
	enum herald_verdict (*before)(struct herald_handler *handler, struct herald_context *ctx);

	/**
	 * Decides whether the business function runs again after it returned HERALD_RETRY. It gets
	 * the same payload; `before` and `after` do not run again. The wait blocks the thread. With
	 * a store or a consumer, the thread does not wait: the whole event runs again after the
	 * delay.
	 * If several handlers of an event have `again`, only one decides: the last one of the route
	 * or, if the route has none, the last one of the service. So there is only one limit of
	 * attempts. The function must not return HERALD_AGAIN_RUN without an end.
	 *
	 * attempt   how many times the function has run, from 1; herald_context_attempt().
	 * delay_ms  in: the delay of herald_retry_after(), or 0. Out: the time to wait, for
	 *           HERALD_AGAIN_RUN. If the wait would reach the event's deadline, the event stays
	 *           HERALD_RETRY.
	 * Returns   what to do. With HERALD_AGAIN_FAIL the function's reason is kept, unless you
	 *           call herald_fail() or herald_fail_status().
	 */
	enum herald_again (*again)(struct herald_handler *handler, struct herald_context *ctx,
				   unsigned attempt, uint32_t *delay_ms);

	/**
	 * Runs at the end of each event that reached `before`, whether it succeeded or failed. If a
	 * `before` refused the event, this does not run for its handler and those after it.
	 *
	 * result   the verdict so far, from the function, a `before`, or an earlier `after`.
	 * Returns  HERALD_DONE to keep it. Another verdict replaces HERALD_DONE, but never an
	 *          earlier error; both errors are logged.
	 */
	enum herald_verdict (*after)(struct herald_handler *handler, struct herald_context *ctx,
				     enum herald_verdict result);

	/**
	 * Runs at the end of each event that did not reach its function, in the order of `before`.
	 * Handlers of a route run only if the route is known. It sees events that could not be
	 * decoded, have no route, are too large, exceed a limit, are late, or were refused by
	 * `receive`, `accept`, an upcaster or a `before`. It does not see:
	 *
	 *	- events that HERALD_UNKNOWN_IGNORE lets pass;
	 *	- events without memory for a context (HERALD_RETRY with HERALD_NO_MEMORY);
	 *	- requests that an adapter refuses, for example because of their media type;
	 *	- events that the service's store could not take, or for which it could not begin a
	 *	  transaction (HERALD_RETRY).
	 *
	 * If result->verdict is HERALD_RETRY, the sender should send the event again. HERALD_FAIL
	 * is final; store such events as dead letters. herald_context_message() and
	 * herald_context_payload() are NULL if they were not decoded. If the payload is wrong,
	 * members of the message that follow it in the JSON text may be zero. herald_retry(),
	 * herald_fail() and their variants have no effect here.
	 *
	 * If a handler of the service or of a route has this slot, each event is copied before it
	 * is decoded. The copy counts for max_arena_bytes. So is a batch as a whole, and gets 413
	 * if it is too large for that; NDJSON is not.
	 */
	void (*rejected)(struct herald_handler *handler, struct herald_context *ctx,
			 const struct herald_rejection *rejection);

	/**
	 * With a store or a consumer: runs for an event that becomes a dead letter, if this
	 * handler's `after` was not called with HERALD_FAIL. So each handler learns of each dead
	 * letter once, or again if the commit fails or the process dies before it. In the order of
	 * `before`, after `rejected`. The event could not be decoded any more, has no route any
	 * more, was refused before its function or after this handler's `after`, or its attempts
	 * are used up: by crashes, or by commits that failed. In the last case nothing else runs,
	 * and herald_context_attempt() is the number of its runs plus 1. What it publishes is sent.
	 *
	 * herald_context_message() is NULL if not even the envelope could be decoded; the payload
	 * is NULL unless the function has run now. herald_retry(), herald_fail() and their variants
	 * have no effect here.
	 *
	 * An event that kills its process here too becomes a dead letter without this call. If a
	 * handler has this slot, each stored event is copied before it is decoded. The copy counts
	 * for max_arena_bytes.
	 *
	 * result  why: its error.
	 */
	void (*dead)(struct herald_handler *handler, struct herald_context *ctx,
		     const struct herald_result *result);

	/**
	 * Checks whether the handler fits the service. herald_service_create() calls it for each
	 * place where the handler is listed. A handler that reads members of the envelope after
	 * struct herald_message checks here that they exist. handler->service is set; of it, only
	 * herald_service_store() may be called.
	 *
	 * envelope  the service's envelope, or herald_message_schema.
	 * error     set it with herald_error_set(); the handler's place in the options is added.
	 * Returns   HERALD_OK, or the status for herald_service_create() to return.
	 */
	enum herald_status (*check)(struct herald_handler *handler,
				    const struct herald_schema *envelope,
				    struct herald_error *error);

	/** Frees the handler. herald_service_destroy() first sets `service` to NULL, then calls
	 * this once. NULL: nothing to free. */
	void (*destroy)(struct herald_handler *handler);
};

/**
 * A handler. Embed it as the first member of your own struct and set `ops`; the rest is zero. It
 * belongs to one service from a successful herald_service_create() until herald_service_destroy().
 * It may be listed several times in that service.
 */
struct herald_handler {
	const struct herald_handler_ops *ops; /**< Usually static; must outlive the handler. */
	struct herald_service *service;       /**< The owner, set by Herald. NULL: none. */
};

/**
 * Free a handler that no service owns, for example because herald_service_create() failed. NULL is
 * allowed.
 */
HERALD_API void herald_handler_destroy(struct herald_handler *handler);

/** The option `handlers`, of a service or a route, and its count: HERALD_HANDLERS(handlers). */
#define HERALD_HANDLERS(ARRAY) .handlers = (ARRAY), .handlers_count = HERALD_COUNT(ARRAY)

#ifdef __cplusplus
}
#endif
#endif
