/*
 * CloudEvents 1.0: reading and writing single events, independent of services.
 *
 * Over HTTP an event has one of three forms ("content modes"):
 *
 *	binary      attributes in headers such as "ce-id: 1"; the body is the data
 *	structured  Content-Type: application/cloudevents+json, one JSON object:
 *	            {"specversion":"1.0","id":"1","source":"/shop","type":"order.placed",
 *	             "datacontenttype":"application/json","data":{"order_id":"4711"}}
 *	batch       Content-Type: application/cloudevents-batch+json, an array of such objects
 *
 * To read a request: herald_cloudevent_detect(), then the decode function of its mode.
 *
 * Errors have a code, a place and one line. The place (`path`) is a JSON Pointer such as "/time",
 * in a batch "/1/time", or the name of a header such as "ce-time".
 */
#ifndef HERALD_CLOUDEVENT_H
#define HERALD_CLOUDEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/array.h>
#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/time.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_delivery;

/** Content-Type of a structured event. */
#define HERALD_CLOUDEVENT_CONTENT_TYPE "application/cloudevents+json; charset=utf-8"

/** Content-Type of a batch. */
#define HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE "application/cloudevents-batch+json; charset=utf-8"

/** The content mode of a request or an event. */
enum herald_cloudevent_mode {
	HERALD_CLOUDEVENT_NONE,        /**< Not a CloudEvent. */
	HERALD_CLOUDEVENT_STRUCTURED,  /**< One JSON object. */
	HERALD_CLOUDEVENT_BATCH,       /**< A JSON array of events. */
	HERALD_CLOUDEVENT_BINARY,      /**< Attributes in headers. */
	HERALD_CLOUDEVENT_UNSUPPORTED, /**< A CloudEvent in another format or charset: HTTP 415. */
};

/** The type of an extension's value. Attributes of binary mode are always strings. */
enum herald_cloudevent_kind {
	HERALD_CLOUDEVENT_STRING,  /**< Also times, URIs and base64: JSON has strings for them. */
	HERALD_CLOUDEVENT_INTEGER, /**< 32 bits. */
	HERALD_CLOUDEVENT_BOOLEAN,
	/** An object or an array, which the specification does not allow; see json_extensions. */
	HERALD_CLOUDEVENT_JSON,
};

/** An extension: an attribute that the specification does not define, such as "traceparent". */
struct herald_cloudevent_extension {
	const char *name;                 /**< [a-z0-9]+, unique in its event. */
	enum herald_cloudevent_kind kind; /**< Which of the members below is set. */
	int32_t integer;                  /**< Of HERALD_CLOUDEVENT_INTEGER. */
	bool boolean;                     /**< Of HERALD_CLOUDEVENT_BOOLEAN. */
	/**
	 * The content of a string. Decoding also sets it for the other kinds, to their JSON text,
	 * such as "5" or "true". Encoding reads it for strings and HERALD_CLOUDEVENT_JSON only.
	 */
	struct herald_text text;
};

/** What the data of an event is. */
enum herald_cloudevent_data {
	HERALD_CLOUDEVENT_NO_DATA,
	/** JSON text. A JSON null is JSON data. */
	HERALD_CLOUDEVENT_DATA_JSON,
	/** UTF-8, the content of a string in `data` whose datacontenttype is not JSON. */
	HERALD_CLOUDEVENT_DATA_TEXT,
	/** Bytes: data_base64 decoded, or a body of binary mode whose Content-Type is not JSON. */
	HERALD_CLOUDEVENT_DATA_BYTES,
};

/**
 * An event. The members are the attributes of the specification; those that are not set have `data`
 * NULL. Texts that Herald decoded are valid UTF-8 without control characters, and are followed by a
 * NUL.
 */
struct herald_cloudevent {
	struct herald_text id;         /**< Unique with `source`. Not empty. */
	struct herald_text source;     /**< URI-reference. Not empty; its syntax is not checked. */
	struct herald_text type;       /**< Not empty. */
	struct herald_text subject;    /**< Not empty if set. */
	struct herald_text dataschema; /**< URI. Not empty if set; its syntax is not checked. */
	struct herald_text datacontenttype; /**< Media type; in binary mode the Content-Type. */
	bool has_time;                      /**< Whether `time` is set. */
	struct herald_time time;            /**< When it happened. */

	/** In the order received. NULL if there are none. Set by HERALD_CLOUDEVENT_EXTENSIONS. */
	const struct herald_cloudevent_extension *extensions;
	size_t extensions_count; /**< Number of extensions. */

	enum herald_cloudevent_data data_kind; /**< What `data` is. */
	struct herald_text data;               /**< JSON is not NUL-terminated. */
	enum herald_cloudevent_mode mode;      /**< How the event was received. Not encoded. */
};

/** The member `extensions` of an event and its count. */
#define HERALD_CLOUDEVENT_EXTENSIONS(ARRAY)                                                        \
	.extensions = (ARRAY), .extensions_count = HERALD_COUNT(ARRAY)

/** The extension of that name, or NULL. Borrowed from the event. Linear search. */
HERALD_API const struct herald_cloudevent_extension *
herald_cloudevent_extension_find(const struct herald_cloudevent *event, const char *name);

/** Whether a media type means JSON: "application/json; charset=utf-8", "text/json",
 * "application/vnd.example+json". NULL, no type, does not. */
HERALD_API bool herald_cloudevent_is_json_type(const char *content_type);

/**
 * The mode of a request, from its headers.
 *
 * content_type     the Content-Type header; NULL if missing. It alone decides for structured mode
 *                  and batches, also if there are ce- headers. Compared without case.
 * has_specversion  whether there is a header ce-specversion.
 * error            may be NULL; set for HERALD_CLOUDEVENT_UNSUPPORTED only: HERALD_BAD_MEDIA_TYPE,
 *                  for another format ("application/cloudevents+avro") or a charset other than
 *                  UTF-8. Its path is "content-type".
 * Threads          any.
 */
HERALD_API enum herald_cloudevent_mode
herald_cloudevent_detect(const char *content_type, bool has_specversion,
			 struct herald_error *error);

/** Options of decoding. Zero means the default. */
struct herald_cloudevent_options {
	/**
	 * Refuse what senders must not send, but many do. In binary mode: bytes outside ASCII and
	 * malformed percent-encoding ("100% sure") in attributes, and ce-datacontenttype even if it
	 * is equal to Content-Type.
	 */
	bool strict;

	/** Ignore extensions whose names are not [a-z0-9]+, such as "my_ext"; by default the event
	 * is refused. Their values must be valid all the same. */
	bool ignore_bad_names;

	/** Accept objects and arrays as extensions, as HERALD_CLOUDEVENT_JSON; by default the event
	 * is refused. */
	bool json_extensions;

	/**
	 * Do not check that JSON data is valid, for callers that decode it anyway, as
	 * herald_codec_decode() does. Brackets and quotes decide where the data ends: if it is
	 * invalid, `data` may have another end, or the event may be refused.
	 */
	bool data_unchecked;

	struct herald_limits limits; /**< Of JSON. max_list_count is not used. */
	size_t max_attribute_bytes;  /**< The value of an attribute. Default 64 KiB. */
	size_t max_extensions_count; /**< Extensions of an event. Default 64, limit 1,024. */
	size_t max_members_count;    /**< Events in a batch. Default 1,000. */
};

/**
 * Decode a structured event in place, in one pass.
 *
 * data     `bytes` bytes, not NUL-terminated. Strings are unescaped and base64 is decoded in place
 *          and the event points to them, so keep it as long as you use the event. After an error
 *          its contents are undefined.
 * options  NULL means the defaults.
 * arena    holds the extensions.
 * out      set only on HERALD_OK.
 * error    may be NULL; path and offset of the wrong value. The offset is the object's for a
 *          missing attribute, and the name's for a duplicate or a bad name.
 * Errors   HERALD_BAD_JSON, BAD_UTF8, BAD_TYPE, BAD_VALUE, BAD_LENGTH (an empty attribute),
 *          BAD_TIME, OUT_OF_RANGE, MISSING, DUPLICATE, LIMIT (also the arena's), NO_MEMORY,
 *          BAD_OPTION.
 * Threads  any.
 *
 * Members may have any order. An attribute that is null is not set. If datacontenttype is JSON or
 * missing, `data` is JSON, also null. Otherwise it is text, and null means no data.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_decode_structured(char *data, size_t bytes,
				    const struct herald_cloudevent_options *options,
				    struct herald_arena *arena, struct herald_cloudevent *out,
				    struct herald_error *error);

/** A batch that is being decoded. You may read the members down to `member_bytes`. */
struct herald_cloudevent_batch {
	size_t members_count; /**< Number of events. */
	size_t index;         /**< Of the current member, from 0. */
	char *member;         /**< Its JSON, as received until it is decoded; not NUL-terminated. */
	size_t member_bytes;  /**< The length of `member`. */

	char *data_;                               /**< Private, likewise below. */
	char *next_;                               /**< The next member, or the array's end. */
	size_t bytes_;                             /**< Of the input. */
	size_t next_index_;                        /**< Of the next member. */
	struct herald_cloudevent_options options_; /**< Resolved. */
};

/**
 * Begin a batch: check that it is one JSON array, that it has at most max_members_count members,
 * and that all of them have the same specversion. Nothing is decoded, and nothing is allocated.
 *
 * batch    the caller's storage; set only on HERALD_OK. Needs no cleanup.
 * data     `bytes` bytes, not NUL-terminated, which decoding the members modifies.
 * options  copied; NULL means the defaults.
 * error    may be NULL. With mixed versions, its path is such as "/1/specversion".
 * Errors   HERALD_BAD_JSON, BAD_UTF8, BAD_TYPE (not an array), BAD_VALUE (mixed versions), LIMIT,
 *          BAD_OPTION. If a member is not valid JSON, neither is the batch. Other errors in members
 *          are found when they are decoded.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_batch_begin(struct herald_cloudevent_batch *batch, char *data, size_t bytes,
			      const struct herald_cloudevent_options *options,
			      struct herald_error *error);

/**
 * Go to the first or the next member. Returns false after the last one.
 *
 *	while (herald_cloudevent_batch_next(&batch))
 *		status = herald_cloudevent_batch_decode(&batch, arena, &event, &error);
 */
HERALD_API bool herald_cloudevent_batch_next(struct herald_cloudevent_batch *batch);

/**
 * Decode the current member, at most once. As herald_cloudevent_decode_structured(), with paths
 * that begin with the member's index ("/1/time"), and offsets in the whole batch. A member that is
 * not an object is HERALD_BAD_TYPE. After an error the next members can be decoded.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_batch_decode(const struct herald_cloudevent_batch *batch,
			       struct herald_arena *arena, struct herald_cloudevent *out,
			       struct herald_error *error);

/** Takes one header. Returns false to stop. The same type as herald_attribute_visitor. */
typedef bool herald_cloudevent_header_visitor(const char *name, const char *value, void *state);

/** Calls `visit` for each header until it returns false, as `headers_visit` of struct
 * herald_http_head. */
typedef void herald_cloudevent_headers_visit(herald_cloudevent_header_visitor *visit,
					     void *visit_state, void *state);

/** A header. */
struct herald_cloudevent_header {
	const char *name;  /**< Herald's are lower case: "ce-id". */
	const char *value; /**< Without surrounding blanks. */
};

/** An array of headers. */
struct herald_cloudevent_headers {
	const struct herald_cloudevent_header *headers; /**< NULL if there are none. */
	size_t headers_count;                           /**< Number of headers. */
};

/** Visits an array of headers: a herald_cloudevent_headers_visit, whose `state` is a const struct
 * herald_cloudevent_headers. */
HERALD_API void herald_cloudevent_headers_visit_array(herald_cloudevent_header_visitor *visit,
						      void *visit_state, void *state);

/**
 * Decode an event in binary mode. Values are unquoted and percent-decoded.
 *
 * headers_visit  visits the request's headers in the order received; those that do not begin with
 *                "ce-", in any case, are ignored. Values must not have surrounding blanks.
 * headers_state  passed to `headers_visit`.
 * content_type   the Content-Type header, which becomes datacontenttype; NULL if missing.
 * body           `body_bytes` bytes, the data. Not modified. An empty body means no data.
 * options        NULL means the defaults.
 * arena          holds the extensions with their names, and values that had to be decoded.
 * out            set only on HERALD_OK. Points to the values, content_type and body, so keep them
 *                as long as you use the event.
 * error          may be NULL. Its path is a header's lower-case name, and its offset is in the
 *                header's value (0: the whole value). In JSON data, both refer to the body.
 * Errors         as herald_cloudevent_decode_structured(). A body with a JSON type must be valid.
 * Threads        any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_decode_binary(herald_cloudevent_headers_visit *headers_visit, void *headers_state,
				const char *content_type, const char *body, size_t body_bytes,
				const struct herald_cloudevent_options *options,
				struct herald_arena *arena, struct herald_cloudevent *out,
				struct herald_error *error);

/**
 * Encode an event as one JSON object without white space: specversion, id, source, type, time,
 * subject, dataschema, datacontenttype, extensions, data. JSON data is copied as it is, text
 * becomes a string, and bytes become data_base64.
 *
 * out     the JSON is appended. Unchanged after an error.
 * error   may be NULL. Its path is such as "/id". No offset.
 * Errors  HERALD_MISSING (id, source or type), BAD_LENGTH (empty attributes), BAD_VALUE (control
 *         characters, bad names, a media type that does not fit the data), BAD_UTF8, BAD_JSON,
 *         BAD_TIME, DUPLICATE, LIMIT (more than 1,024 extensions), TOO_LARGE, NO_MEMORY. All that
 *         is encoded can be decoded, with sufficient limits.
 * Threads any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_encode_structured(const struct herald_cloudevent *event,
				    struct herald_buffer *out, struct herald_error *error);

/**
 * Encode events as a JSON array. As herald_cloudevent_encode_structured(), with paths that begin
 * with the event's index: "/1/id".
 *
 * events  `count` events, borrowed; NULL is allowed if count is 0.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_encode_batch(const struct herald_cloudevent *const *events, size_t count,
			       struct herald_buffer *out, struct herald_error *error);

/**
 * Encode an event in binary mode: its headers. The body is `data` of the event, unchanged. JSON
 * data without datacontenttype is sent as application/json.
 *
 * arena   holds the headers.
 * out     ce-specversion, ce-id, ce-source, ce-type, ce-time, ce-subject, ce-dataschema,
 *         extensions, and content-type. Values are percent-encoded. Set
 *         only on HERALD_OK. Valid as long as the event and the arena.
 * error   may be NULL. Its path is a header's name. No offset.
 * Errors  as herald_cloudevent_encode_structured(), and HERALD_LIMIT (the arena's). Empty text
 *         or bytes are sent as no data.
 * Threads any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_encode_binary(const struct herald_cloudevent *event, struct herald_arena *arena,
				struct herald_cloudevent_headers *out, struct herald_error *error);

/**
 * Make an event the content of a delivery: of a callback (`prepare` of herald/callback.h), of
 * herald_publish(), or of herald_deliverer_submit().
 *
 *	struct herald_delivery delivery = {.url = "https://billing.example/events"};
 *
 *	status = herald_cloudevent_deliver(&event, HERALD_CLOUDEVENT_STRUCTURED,
 *					   herald_context_arena(ctx), &delivery, &error);
 *	if (status == HERALD_OK)
 *		status = herald_publish(ctx, &delivery, &error);
 *
 * mode      structured, binary, or a batch of this event alone. Prefer structured: few receivers
 *           decode the percent-encoding of binary mode.
 * arena     holds the content until the delivery has been submitted.
 * delivery  its body, content_type and, in binary mode, headers are set; own headers stay before
 *           them. Unchanged after an error. In binary mode, an event without data and
 *           datacontenttype is sent with the deliverer's default Content-Type.
 * error     may be NULL.
 * Errors    as herald_cloudevent_encode_binary(); HERALD_BAD_VALUE for another mode.
 * Threads   any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_cloudevent_deliver(const struct herald_cloudevent *event, enum herald_cloudevent_mode mode,
			  struct herald_arena *arena, struct herald_delivery *delivery,
			  struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
