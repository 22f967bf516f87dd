/*
 * Formats: how the bytes of an event become its message. A service can take several:
 *
 *	const struct herald_format *const formats[] = {&herald_format_envelope};
 *
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(formats), ...), ...);
 *
 * An event belongs to the first format of the list that matches its content type and its
 * attributes, such as the headers of HTTP. Functions and handlers need not know which one it was:
 * herald_context_id(), _source(), _subject(), _version() and _time() work with all of them, and the
 * message's metadata has the rest.
 *
 * herald/adapter/format.h explains how to write a format of your own.
 */
#ifndef HERALD_FORMAT_H
#define HERALD_FORMAT_H

#include <herald/array.h>
#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_format;

/** What the sender of an event gets, unless the function gives an answer of its own. */
enum herald_answers {
	HERALD_ANSWERS_OF_FORMAT, /**< What the event's format says. */
	/** 200 {"status":"success"}; with a store 202 {"status":"accepted"}. A failure is 500, and
	 * an event without a route 404. */
	HERALD_ANSWERS_JSON,
	/** 204; with a store 202; both without a body. A failure, and an event without a route, is
	 * 400: senders repeat 500 and 404. */
	HERALD_ANSWERS_EMPTY,
	/** 200 {"status":"SUCCESS"}, "RETRY" or "DROP", as Dapr's pub/sub expects. For batches see
	 * `dapr_bulk` of herald/cloudevents.h; others that are not done, and all that are refused
	 * as a whole, are answered as with HERALD_ANSWERS_EMPTY. */
	HERALD_ANSWERS_DAPR,
};

/** The option `formats` of a service and its count: HERALD_FORMATS(formats). */
#define HERALD_FORMATS(ARRAY) .formats = (ARRAY), .formats_count = HERALD_COUNT(ARRAY)

/**
 * JSON in the envelope of herald/message.h, or in the service's own: the default format. It takes
 * every event, so it can only be the last one of a list.
 */
HERALD_API extern const struct herald_format herald_format_envelope;

/** Free a format that was created. No service may use it. NULL is allowed. */
HERALD_API void herald_format_destroy(const struct herald_format *format);

#ifdef __cplusplus
}
#endif
#endif
