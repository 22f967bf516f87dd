/*
 * CloudEvents 1.0 as a format of a service: binary, structured, and batches where the endpoint
 * takes them.
 *
 *	const struct herald_format *const formats[] = {&herald_format_cloudevents,
 *						       &herald_format_envelope};
 *
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(formats), ...), ...);
 *
 * Of an event,
 *
 *	type             is the event type, which selects the route
 *	id, source, subject, time
 *	                 are what herald_context_id(), _source(), _subject() and _time() return
 *	data             is the payload: JSON for a function that takes a struct, anything for one
 *	                 that takes struct herald_data
 *	all attributes but type, time and specversion
 *	                 are in the metadata of the message: extensions have the JSON types that
 *	                 they had, and are strings in binary mode
 *
 * CloudEvents have no version. By default herald_context_version() is ""; the options say where
 * else to find it.
 *
 * The answer is 204 without a body, because Knative and Dapr read a body as something else, and 202
 * without a body if a store has the event. A function's failure is 400 unless it chooses a status,
 * because all senders repeat an event after 500.
 *
 * herald/cloudevent.h reads and writes CloudEvents without a service.
 */
#ifndef HERALD_CLOUDEVENTS_H
#define HERALD_CLOUDEVENTS_H

#include <herald/cloudevent.h>
#include <herald/export.h>
#include <herald/format.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_context;

/** CloudEvents with the default options. */
HERALD_API extern const struct herald_format herald_format_cloudevents;

/** Options of the format. Zero means the default; everything is copied. */
struct herald_cloudevents_options {
	size_t struct_size; /**< Set by HERALD_CLOUDEVENTS_OPTIONS. */

	/** What to accept. If limits are not set, the service's limits are used. */
	struct herald_cloudevent_options decode;

	/**
	 * Also take what Dapr sends to a subscription with bulkSubscribe, as batches (see
	 * `takes_batches` of herald/endpoint.h). It is told from other batches by its media type,
	 * which is application/json, so the service cannot have a format after this one that takes
	 * JSON:
	 *
	 *	{"entries":[{"entryId":"1","event":{CloudEvent},"contentType":"...", ...}, ...]}
	 *
	 * The answer is {"statuses":[{"entryId":"1","status":"SUCCESS"}, ...]}: "RETRY" for an
	 * event that is to be sent again, and "DROP" for one that failed, which Dapr then sends to
	 * its dead letter topic. An event of a topic with rawPayload is not a CloudEvent: "DROP".
	 */
	bool dapr_bulk;

	/** An extension is the version, such as "dataversion". At most one of these three is set.
	 * Default: there is no version. */
	const char *version_extension;
	/**
	 * The version is at the end of the type, after this text: with ".v", "order.placed.v2" is
	 * version "2" of the type "order.placed". Digits and dots are a version; if there is none,
	 * the type is as it is.
	 */
	const char *version_suffix;
	/** The version is at the end of dataschema, after the last such text: with "/v", it is "2"
	 * in "https://example.com/order/v2". Digits and dots likewise. */
	const char *version_dataschema;
};

/** Options as a compound literal: HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v"). */
#define HERALD_CLOUDEVENTS_OPTIONS(...)                                                            \
	((struct herald_cloudevents_options){                                                      \
		.struct_size = sizeof(struct herald_cloudevents_options), __VA_ARGS__})

/**
 * Create the format with options.
 *
 * out      set only on HERALD_OK; the caller owns it, and frees it with herald_format_destroy()
 *          after the services that use it.
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevents_create(const struct herald_cloudevents_options *options,
			  const struct herald_format **out, struct herald_error *error);

/**
 * Make a CloudEvent from the current event, of any format, for example to forward it:
 *
 *	struct herald_cloudevent event;
 *	struct herald_delivery delivery = {.url = "https://billing.example/events"};
 *
 *	status = herald_context_cloudevent(ctx, &event, &error);
 *	if (status == HERALD_OK)
 *		status = herald_cloudevent_deliver(&event, HERALD_CLOUDEVENT_STRUCTURED,
 *						   herald_context_arena(ctx), &delivery, &error);
 *	if (status == HERALD_OK)
 *		status = herald_publish(ctx, &delivery, &error);
 *
 * A CloudEvent stays as it is; in structured mode, data that is neither JSON nor of a type
 * "text/..." is sent as data_base64, also if it came as a string. For other events, id, source,
 * type, subject and time become attributes, the other members of the metadata become extensions,
 * and the payload becomes the data. Names of extensions have letters and digits only: letters
 * become lower case, and other bytes are left out ("request_id" becomes "requestid"). If two
 * members get the same name, the first one is used. Booleans and integers of 32 bits keep their
 * types; other values become strings with their JSON text. Values that no attribute can have, such
 * as those with control characters, are left out.
 *
 * out     set only on HERALD_OK. It belongs to the current event. If that has no id or no source,
 *         neither has `out`: set them before you encode it.
 * error   may be NULL.
 * Errors  HERALD_BAD_OPTION: the payload is a struct, so its bytes are lost; set `keeps_bytes` of
 *         the service. HERALD_MISSING: the event has not been decoded. HERALD_LIMIT: more than
 *         1,024 extensions, or memory. HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_context_cloudevent(struct herald_context *ctx, struct herald_cloudevent *out,
			  struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
