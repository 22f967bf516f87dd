/*
 * For authors of formats, which convert the bytes of an event into its message. See
 * herald/format.h for how a service chooses one.
 *
 *	static const struct herald_format_ops form_ops = {
 *		.struct_size = sizeof(form_ops), .name = "form", .decode = decode_form};
 *	static const char *const form_types[] = {"application/x-www-form-urlencoded", NULL};
 *	static const struct herald_format form = {.ops = &form_ops, .media_types = form_types};
 *
 *	const struct herald_format *const formats[] = {&form};
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(formats), ...),
 *			      &service, &error);
 *
 * Everything else is the same for all formats: routes, payloads in JSON, and handlers.
 */
#ifndef HERALD_ADAPTER_FORMAT_H
#define HERALD_ADAPTER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/context.h>
#include <herald/export.h>
#include <herald/format.h>
#include <herald/message.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a format finds in an event. Pointers must stay valid until the event has been handled: they
 * refer to the event's bytes, to constants, or to memory of herald_context_alloc().
 */
struct herald_decoded {
	/**
	 * All zero at first. The first member of the service's envelope struct, whose members may
	 * all be set. Set event_type; timestamp, or lacks_time; payload, if it is JSON: it is
	 * copied if it is not part of the event's bytes; and metadata, with everything else that is
	 * known of the event. herald_context_message() is NULL until `decode` returns.
	 */
	struct herald_message *message;
	const char *id;      /**< NULL: the member `id` of the metadata, if there is one. */
	const char *source;  /**< Likewise; for herald_context_source(). */
	const char *subject; /**< Likewise; for herald_context_subject(). */
	const char *version; /**< Likewise. Selects the route, with the type. */
	bool lacks_time;     /**< The event has no time. */
	/**
	 * The payload if it may be anything, and its media type: NULL if unknown. Set `data`, or
	 * message->payload. Bytes of an unknown type are tried as JSON if the route needs JSON.
	 */
	struct herald_data data;
	/**
	 * Where the payload is in the event, as a JSON Pointer, such as "/data": the paths of
	 * errors begin with it. "" if the payload is the whole body. NULL: it has no path; then the
	 * messages say "in the payload".
	 */
	const char *payload_path;
	/**
	 * The format itself has checked that all of the event's bytes are JSON, to the last one,
	 * including those that the payload is from. Then it does not matter to the connection
	 * (`reads_all`) whether the payload is refused, or is in `data`. Default false.
	 */
	bool is_checked;
};

/** An event of a batch. */
struct herald_member {
	char *data;   /**< Part of the batch's bytes, or memory that lives as long as they do. */
	size_t bytes; /**< Its length. */
	/** With it the service chooses the format of the member. */
	const char *content_type;
	/**
	 * What the sender calls the event. If it is set, for all members, the answer is 200 with
	 * {"statuses":[{"entryId":"...","status":"SUCCESS"}, ...]}, or "RETRY" or "DROP", as Dapr
	 * expects. It lives as long as the bytes. NULL: the answer is as herald/endpoint.h says.
	 */
	const char *entry_id;
};

/** Takes an event of a batch. The service may change its bytes before it returns. */
typedef void herald_member_visitor(const struct herald_member *member, void *state);

/** The functions of a format. */
struct herald_format_ops {
	size_t struct_size;          /**< sizeof(struct herald_format_ops). */
	const char *name;            /**< For the description. Default "unnamed". */
	enum herald_answers answers; /**< What its senders expect. Default HERALD_ANSWERS_JSON. */

	/**
	 * Whether an event is in this format, by its media type and its attributes:
	 * arrival->content_type, which may be NULL, and herald_arrival_attribute(). Called before
	 * `receive` of the handlers, and by the HTTP endpoint, which responds with 415 if no format
	 * matches. Also called when an endpoint with `takes_ndjson` is created, to refuse a media
	 * type that no format takes. Must not block. NULL: every event is; only the last format of
	 * a service may do without.
	 */
	bool (*matches)(const struct herald_format *format, const struct herald_arrival *arrival);

	/**
	 * Decodes an event. Called on the thread that handles it, after the handlers' `receive`;
	 * several threads call it at once for different events. Should not block.
	 *
	 * data     `bytes` bytes, which may be changed. They live until the event has been handled.
	 * out      all zero, except for `message`.
	 * error    set it with herald_error_set(); the sender sees it.
	 * Returns  HERALD_OK, or why the event is refused: HERALD_NO_MEMORY and HERALD_SYSTEM are
	 *          HERALD_RETRY, all others HERALD_FAIL.
	 *
	 * Errors in the payload have the path that is described above, and an offset if the payload
	 * is part of `data`. Other later errors have neither.
	 */
	enum herald_status (*decode)(const struct herald_format *format, struct herald_context *ctx,
				     char *data, size_t bytes, struct herald_decoded *out,
				     struct herald_error *error);

	/**
	 * Whether the bytes are several events, by the same as `matches`, which is true for it.
	 * NULL: they never are. If an endpoint takes batches, it calls `split` instead of
	 * `decode`, then handles each member as an event of its own.
	 */
	bool (*is_batch)(const struct herald_format *format, const struct herald_arrival *arrival);

	/**
	 * Splits a batch. Called on the thread that handles the request, after the handlers'
	 * `receive`, which sees all bytes. Must be set if `is_batch` is.
	 *
	 * ctx          of the batch: its media type and attributes. Not to be used once `visit` was
	 *              called.
	 * max_members  the endpoint's max_batch_events. Refuse more with HERALD_TOO_LARGE, which is
	 *              answered with 413.
	 * data         `bytes` bytes, which may be changed.
	 * visit        call it with `state` for each member, in order, once all of the batch has
	 *              been checked.
	 * Returns      HERALD_OK, or why the whole batch is refused: then `visit` was not called.
	 */
	enum herald_status (*split)(const struct herald_format *format, struct herald_context *ctx,
				    size_t max_members, char *data, size_t bytes,
				    herald_member_visitor *visit, void *state,
				    struct herald_error *error);

	/** Frees a format that was created: herald_format_destroy(). NULL: nothing to free. */
	void (*destroy)(const struct herald_format *format);

	/**
	 * Whether an attribute says what one event is, as the header "ce-id" does. Events that come
	 * together, such as the lines of a request, do not get it: it would make all of them the
	 * same one. Also called when an endpoint with `takes_ndjson` is created. Must not block.
	 * NULL: no attribute does.
	 */
	bool (*is_of_one_event)(const struct herald_format *format, const char *name);

	/**
	 * Whether split fails unless all of its bytes are JSON, to the last one, and decode unless
	 * all are but the payload's. libmicrohttpd and Ulfius can mistake a part of a head for the
	 * body, so behind them the connection is closed after an event of another format, after one
	 * whose payload is refused before its end, and after one whose payload is in `data`; not if
	 * `is_checked` was set. Default false.
	 */
	bool reads_all;
};

/**
 * A format. For settings, embed it as the first member of your own struct. It is immutable and
 * borrowed: any number of services can use it, and it must outlive them.
 */
struct herald_format {
	const struct herald_format_ops *ops; /**< Usually static; `decode` must be set. */

	/**
	 * The names that the format passes to herald_context_attribute() and
	 * herald_arrival_attribute(), then NULL. Borrowed. NULL: none. Like `attributes` of struct
	 * herald_service_options. With a store, they are stored with the event.
	 */
	const char *const *attributes;

	/**
	 * The media types that the format takes, such as "text/csv", then NULL. Borrowed. An
	 * endpoint accepts these, and names them to senders of others; if there is `matches`, that
	 * decides. Parameters are ignored. NULL: application/json and types that end in "+json".
	 */
	const char *const *media_types;
};

#ifdef __cplusplus
}
#endif
#endif
