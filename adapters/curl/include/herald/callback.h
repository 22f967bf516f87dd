/*
 * The callback handler: when an event is settled, its sender's URL for success or for failure is
 * called. The message carries them, both optional, and so is `callback` itself:
 *
 *	{"event_type": "user_created", "timestamp": "...", "payload": {...},
 *	 "callback": {"success_url": "https://a.example/done", "fail_url": "https://a.example/failed"}}
 *
 * In a service:
 *
 *	struct herald_handler *handlers[1];
 *
 *	herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.attempts = 5), &deliverer, &error);
 *	herald_callback_handler_create(deliverer, NULL, &handlers[0], &error);
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(.envelope = &herald_callback_message_schema,
 *						      HERALD_HANDLERS(handlers),
 *						      ...), &service, &error);
 *
 * and at the end: stop taking events, herald_deliverer_stop() with the time to flush, then destroy
 * the service and the deliverer.
 *
 * Room for the callback is reserved before the business function runs. When there is none, the event
 * is HERALD_RETRY and the function is not called: nothing is promised that will not happen. A URL
 * that is not valid is HERALD_FAIL with HTTP status 400, also before.
 *
 *	HERALD_DONE   success_url is called, with result "success".
 *	HERALD_FAIL   fail_url is called, with result "fail" and the reason as error.
 *	HERALD_RETRY  none is: the sender will send the event again, and learns then how it ended.
 *
 * What counts is what the event has come to when this handler's `after` runs: put first, it runs last
 * and sees what the sender is answered. The event that cannot be decoded, or that no route
 * takes, calls nothing: its sender has the answer. The event's id is metadata.id, if there is one.
 *
 * While the process lives, a callback comes at least once, or its outcome is reported: after a failure
 * to hear the receiver's answer it is called again. They are kept in memory: when the process dies,
 * those that were accepted and not delivered are lost, and their senders have their answer already. An
 * event that had no answer yet comes again from its sender, callback and all. In the rare case that
 * a delivery cannot be accepted in spite of its reservation (out of memory, or the deliverer was
 * stopped first), an event that was HERALD_DONE becomes HERALD_RETRY: it is then handled twice. With
 * `prepare` it becomes HERALD_FAIL if what that made is refused.
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

/** Where the sender wants to be told. NULL and "": not at all. */
struct herald_callback_urls {
	const char *success_url; /**< When the event is done. */
	const char *fail_url;    /**< When it has failed. */
};

/** {"success_url": "...", "fail_url": "..."} */
HERALD_API extern const struct herald_schema herald_callback_urls_schema;

/** A message with `callback`, for a service that needs nothing else in its envelope. */
struct herald_callback_message {
	struct herald_message message;               /**< As in every envelope. */
	const struct herald_callback_urls *callback; /**< NULL when there is none. */
};

/** The envelope of a service whose messages are struct herald_callback_message. */
HERALD_API extern const struct herald_schema herald_callback_message_schema;

/**
 * Makes of a callback what its receiver expects. Runs before the callback is submitted, on the thread that
 * handles the event, in the handler's `after`.
 *
 * ctx       the event: its message, payload and reason.
 * result    HERALD_DONE or HERALD_FAIL; what the event has come to.
 * delivery  what would be sent. Everything but `url` may be changed: the body (bytes, or a codec and a
 *           struct), content type, headers, id, and the texts. It is copied when the function has returned;
 *           what it points to may come from herald_context_alloc(). With `url` NULL nobody is called.
 * state     that of the options.
 * Returns   HERALD_DONE; anything else, as by herald_fail(), and nobody is called and an event that was
 *           HERALD_DONE becomes that.
 */
typedef enum herald_verdict
herald_callback_prepare(struct herald_context *ctx, enum herald_verdict result,
			struct herald_delivery *delivery, void *state);

/** Options of the handler. Zero means the default. */
struct herald_callback_options {
	size_t struct_size; /**< Set by HERALD_CALLBACK_OPTIONS. */

	/**
	 * Where the service's own envelope has the URLs: HERALD_CALLBACK_MEMBER(my_message, callback).
	 * 0: the envelope is herald_callback_message_schema. herald_service_create() refuses the
	 * handler when its envelope has none there.
	 */
	size_t urls_offset;
	/** Tell that the event failed, not why; where the HTTP endpoint has hide_errors too. */
	bool hide_errors;

	herald_callback_prepare *prepare; /**< NULL: the callback is as herald/delivery.h says. */
	void *state;                      /**< Of `prepare`; must outlive the handler. */
	/**
	 * The most that body, content type and headers of a callback have that `prepare` makes. So much
	 * memory is reserved for an event with a callback, before its function runs. A callback with more is
	 * HERALD_FAIL, but a few hundred bytes more may fit. Limit: the deliverer's max_body_bytes and
	 * max_headers_bytes together, and what fits into its max_pending_bytes. Default with `prepare`
	 * 16 KiB, or the sum of the two if that is less; else 0.
	 */
	size_t max_content_bytes;
};

/** Options as a compound literal. */
#define HERALD_CALLBACK_OPTIONS(...)                                                               \
	((struct herald_callback_options){.struct_size = sizeof(struct herald_callback_options),   \
					  __VA_ARGS__})

#ifndef __cplusplus
/**
 * The offset of MEMBER, a `const struct herald_callback_urls *`, in struct STRUCT; in its schema it is
 * HERALD_POINTER(STRUCT, MEMBER, herald_callback_urls).
 */
#define HERALD_CALLBACK_MEMBER(STRUCT, MEMBER)                                                     \
	_Generic(&((struct STRUCT *)NULL)->MEMBER, const struct herald_callback_urls **            \
		 : offsetof(struct STRUCT, MEMBER))
#endif

/**
 * Create a callback handler, for the handlers of a service or of a route; put it first, so that all
 * the others run within it.
 *
 * deliverer  borrowed; must outlive the service that gets the handler.
 * options    NULL means the defaults.
 * out        set only on HERALD_OK; the service that gets it owns it. Without one,
 *            `handler->ops->destroy(handler)` frees it.
 * error      may be NULL.
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
