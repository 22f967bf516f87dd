/*
 * The callback handler calls a URL when an event has been handled: one for success, one for
 * failure. The sender puts them into the message. All of `callback` is optional:
 *
 *	{"event_type": "user_created", "timestamp": "...", "payload": {...},
 *	 "callback": {"success_url": "https://a.example/done",
 *	              "fail_url": "https://a.example/failed"}}
 *
 * In a service:
 *
 *	struct herald_handler *handlers[1];
 *
 *	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 5);
 *
 *	herald_curl_transport_create(NULL, &options.transport, &error);
 *	herald_deliverer_create(&options, &deliverer, &error);
 *	herald_callback_handler_create(deliverer, NULL, &handlers[0], &error);
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(.envelope = &herald_callback_message_schema,
 *						      HERALD_HANDLERS(handlers),
 *						      ...), &service, &error);
 *
 * At the end: stop taking events, herald_deliverer_stop() with the time to drain, then destroy
 * the service and the deliverer.
 *
 * If a URL is not valid, the event is HERALD_FAIL with HTTP status 400, and the function does not
 * run. Room for the callback is reserved before the function runs. If there is none, the event is
 * HERALD_RETRY and the function does not run either.
 *
 *	HERALD_DONE   success_url is called, with result "success".
 *	HERALD_FAIL   fail_url is called, with result "fail" and the reason as error.
 *	HERALD_RETRY  no call: the sender sends the event again.
 *
 * List this handler first: then its `after` runs last and sees the final verdict. Events that
 * cannot be decoded or have no route make no call; their sender gets the response. The event's id
 * is metadata.id, if there is one.
 *
 * Each callback is delivered at least once, or reported as failed. The receiver may get it twice,
 * if its response was lost. Herald-Delivery-Id is then the same, so it should remember the ids that
 * it has handled.
 *
 * Without a store, callbacks are in memory only: if the process dies, pending ones are lost. In a
 * service with a store (herald/store.h) they are durable:
 *
 *	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 20);
 *
 *	herald_store_queue_create(store, &options.queue, &error);
 *
 * The callback is stored in the transaction that ends the event. From then on it is delivered, a
 * dead letter, or pending, also after a crash. It has the same Herald-Delivery-Id in all processes.
 * Nothing is reserved. URLs are checked when the event arrives, so that its sender gets the 400,
 * and again when it runs. HERALD_RETRY in the last attempt counts as HERALD_FAIL. An event that
 * becomes a dead letter without a run has a fail_url called too, unless its envelope cannot be
 * decoded any more, or even that kills the process. If the deliverer does not have the store's
 * queue, herald_service_create() fails.
 *
 * Without a store, in rare cases a delivery is not accepted in spite of its reservation: out of
 * memory, or the deliverer was stopped. An event that was HERALD_DONE then becomes HERALD_RETRY and
 * is handled twice. If the delivery that `prepare` has changed is refused, the event becomes
 * HERALD_FAIL.
 */
#ifndef HERALD_CALLBACK_H
#define HERALD_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/message.h>
#include <herald/schema.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The URLs to call. NULL or "": none. */
struct herald_callback_urls {
	const char *success_url; /**< Called after HERALD_DONE. */
	const char *fail_url;    /**< Called after HERALD_FAIL. */
};

/** {"success_url": "...", "fail_url": "..."} */
HERALD_API extern const struct herald_schema herald_callback_urls_schema;

/** A message with `callback`, for a service that needs nothing else in its envelope. */
struct herald_callback_message {
	struct herald_message message;               /**< As in every envelope. */
	const struct herald_callback_urls *callback; /**< NULL if missing. */
};

/** The envelope of a service whose messages are struct herald_callback_message. */
HERALD_API extern const struct herald_schema herald_callback_message_schema;

/**
 * Changes a callback before it is submitted, for example its body. Runs in the handler's `after`,
 * on the thread that handles the event; with a store also for a dead letter that did not run, then
 * without a payload.
 *
 * ctx       the event: its message, payload and reason. The payload may be NULL with HERALD_FAIL.
 * result    the event's verdict: HERALD_DONE or HERALD_FAIL.
 * delivery  the delivery to send. You may change the body (bytes, or a codec and a struct), content
 *           type, headers, id and texts, but not `url`; set `url` to NULL to make no call. It is
 *           copied after the call, so it may point to memory from herald_context_alloc().
 * state     from the options.
 * Returns   HERALD_DONE to send it. With any other verdict, as from herald_fail(), no call is made,
 *           and an event that was HERALD_DONE gets this verdict.
 */
typedef enum herald_verdict
herald_callback_prepare(struct herald_context *ctx, enum herald_verdict result,
			struct herald_delivery *delivery, void *state);

/** Options of the handler. Zero means the default. */
struct herald_callback_options {
	size_t struct_size; /**< Set by HERALD_CALLBACK_OPTIONS. */

	/**
	 * The offset of the URLs in an envelope of your own: HERALD_CALLBACK_MEMBER(my_message,
	 * callback). Default: as in struct herald_callback_message. If the service's envelope has
	 * no URLs there, herald_service_create() fails.
	 */
	size_t urls_offset;
	/** Do not send reasons to a fail_url. See also hide_errors of the HTTP endpoint. */
	bool hide_errors;

	herald_callback_prepare *prepare; /**< Default: as in herald/delivery.h. */
	void *state;                      /**< Passed to `prepare`; must outlive the handler. */
	/**
	 * Limit of body, content type and headers that `prepare` sets. Without a store, this much
	 * memory is reserved for each event with a callback. A larger callback makes the event
	 * HERALD_FAIL. Default 16 KiB with `prepare`, or the deliverer's max_body_bytes and
	 * max_headers_bytes together if less; otherwise 0. Limit: these two together, and
	 * max_pending_bytes.
	 */
	size_t max_content_bytes;
	/**
	 * The name of one of the deliverer's `signers`, which signs the callbacks. `prepare` may
	 * change it. Default: see struct herald_delivery.
	 */
	const char *signer;
};

/** Options as a compound literal. */
#define HERALD_CALLBACK_OPTIONS(...)                                                               \
	((struct herald_callback_options){.struct_size = sizeof(struct herald_callback_options),   \
					  __VA_ARGS__})

#ifndef __cplusplus
/**
 * The offset of MEMBER, a `const struct herald_callback_urls *`, in struct STRUCT; in its schema it
 * is HERALD_POINTER(STRUCT, MEMBER, herald_callback_urls).
 */
#define HERALD_CALLBACK_MEMBER(STRUCT, MEMBER)                                                     \
	_Generic(&((struct STRUCT *)NULL)->MEMBER, const struct herald_callback_urls **            \
		 : offsetof(struct STRUCT, MEMBER))
#endif

/**
 * Create a callback handler for a service or a route. List it first.
 *
 * deliverer  borrowed; must outlive the service that gets the handler.
 * options    NULL means the defaults.
 * out        set only on HERALD_OK; the service that gets it owns it. Without one,
 *            herald_handler_destroy() frees it.
 * error      may be NULL; its path names the option.
 * Errors     HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_callback_handler_create(struct herald_deliverer *deliverer,
			       const struct herald_callback_options *options,
			       struct herald_handler **out, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
