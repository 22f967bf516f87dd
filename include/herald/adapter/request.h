/*
 * For authors of adapters: an HTTP request that carries an event, from its head to its response.
 *
 * An adapter creates a request from the head, hands over the body's bytes as they come, asks for
 * the response and sends it. herald/endpoint.h explains the responses.
 */
#ifndef HERALD_ADAPTER_REQUEST_H
#define HERALD_ADAPTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/drain.h>
#include <herald/answer.h>
#include <herald/context.h>
#include <herald/endpoint.h>
#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_http_request;

/** `content_length` of a request that does not declare one. */
#define HERALD_HTTP_NO_LENGTH UINT64_MAX

/** The parts of a request's head that Herald needs. Copied by herald_http_request_create(). */
struct herald_http_head {
	const char *method;       /**< As sent: "POST". */
	const char *content_type; /**< The header's value; NULL: missing. */
	/** Likewise: "gzip". Several headers are joined by commas. */
	const char *content_encoding;
	uint64_t content_length; /**< Declared, or HERALD_HTTP_NO_LENGTH. */

	/**
	 * Calls `visit` for each header with its name and value, in the order received, until it
	 * returns false. Repeated headers are visited repeatedly; a missing value is "". NULL:
	 * there are no headers. Called only by herald_http_request_create(), and only if the
	 * service needs headers, which are copied.
	 */
	void (*headers_visit)(herald_attribute_visitor *visit, void *visit_state, void *state);
	/** The target's query, as sent: what follows its '?'. NULL or "": none. Read only if the
	 * service needs arguments of it. */
	const char *query;
	/**
	 * For frameworks that only have the query's decoded arguments, instead of `query`: calls
	 * `visit` for each of them, as `headers_visit` does. NULL: there are none.
	 */
	void (*arguments_visit)(herald_attribute_visitor *visit, void *visit_state, void *state);
	void *state; /**< Passed to `headers_visit` and `arguments_visit`. */
	/**
	 * Counts the request while it is open, and refuses it after the grace of a stop. Belongs to
	 * the adapter; must outlive the request. NULL: the adapter counts requests itself.
	 */
	struct herald_http_drain *drain;
};

/**
 * A response. The pointers are borrowed from the request; nothing in it needs escaping.
 * herald_http_response_headers() of herald/adapter/http.h lists all headers.
 */
struct herald_http_response {
	unsigned status;          /**< 200 to 599. */
	const char *content_type; /**< Value for the Content-Type header; NULL: there is no body. */
	const char *body;         /**< May hold NUL bytes; not NUL-terminated. */
	size_t body_bytes;        /**< Value for the Content-Length header, except with 204. */
	const char *allow;        /**< Value for the Allow header, or NULL. */
	/** Value for the Accept-Encoding header, or NULL. */
	const char *accept_encoding;
	const char *challenge;  /**< Value for the WWW-Authenticate header, or NULL. */
	uint32_t retry_after_s; /**< Value for the Retry-After header, or 0 for none. */
	/** Headers set by the service's functions and handlers, other than those above. */
	const struct herald_answer_header *headers;
	size_t headers_count; /**< Each name once. */
};

/**
 * Begin a request.
 *
 * Returns  the request, which the caller owns. NULL when out of memory: then respond with
 *          herald_http_unavailable().
 */
HERALD_API struct herald_http_request *
herald_http_request_create(struct herald_endpoint *endpoint, const struct herald_http_head *head);

/**
 * Append any number of bytes to the body.
 *
 * Returns  false once the response is known without the rest of the body (wrong method or type, or
 *          too large). Further bytes are then ignored.
 */
HERALD_API bool
herald_http_request_append(struct herald_http_request *request, const char *data, size_t bytes);

/** The response, if it is already known; otherwise NULL. Before herald_http_request_finish() it is
 * a refusal. */
HERALD_API const struct herald_http_response *
herald_http_request_response(const struct herald_http_request *request);

/**
 * The body is complete: handle the event once, and return the response. Blocks as long as the
 * service's functions do, and until the service's store has the event. After `done` of
 * herald_http_request_finish_async() it returns the response. Never NULL.
 */
HERALD_API const struct herald_http_response *
herald_http_request_finish(struct herald_http_request *request);

/**
 * The same for a body that the caller has received completely, instead of appending it. It is
 * decoded in place, unless it has a content coding.
 *
 * body  `bytes` bytes, which are modified.
 */
HERALD_API const struct herald_http_response *
herald_http_request_finish_in_place(struct herald_http_request *request, char *body, size_t bytes);

/**
 * herald_http_request_finish() for an event loop, which must not wait for the commit of a store.
 *
 * done     called once when the store has the event, or has refused it: on any thread, perhaps
 *          before the function returns. Must not block: it passes the request back to the
 *          framework's thread, which then calls herald_http_request_finish(), or, if the client has
 *          gone, herald_http_request_destroy(): the event stays stored.
 * Returns  the response, and `done` will not be called. NULL: `done` will be called; until then do
 *          not use the request.
 */
HERALD_API const struct herald_http_response *
herald_http_request_finish_async(struct herald_http_request *request, void (*done)(void *state),
				 void *state);

/** Whether herald_http_request_finish_async() may return NULL: the service has a store, and the
 * response is not known. */
HERALD_API bool herald_http_request_may_wait(const struct herald_http_request *request);

/**
 * Whether the body was decoded as one event, or one batch, from its first byte to its last.
 * Otherwise the request was refused, or its events came one a line, or the body was a payload that
 * is wrong or not JSON, or its format does not read all of it (`reads_all` and `is_checked` of
 * herald/adapter/format.h): any part of a body might look like that. An adapter whose framework may
 * drop headers, so that the body's real end is not known, closes the connection unless this is
 * true. Call it when the response is known.
 */
HERALD_API bool herald_http_request_is_whole(const struct herald_http_request *request);

/** The body cannot be read to its end: respond with 400, without handling the event. Never NULL. */
HERALD_API const struct herald_http_response *
herald_http_request_unreadable(struct herald_http_request *request);

/**
 * The head of the request is malformed, or can be read in two ways: respond with
 * herald_http_problem_status(), which is mostly 400, even if it was already refused for another
 * reason. The event is not handled. Call it before any byte is appended. Never NULL.
 *
 * problem  what is wrong, for the sender: `problem` of struct herald_http_framing.
 */
HERALD_API const struct herald_http_response *
herald_http_request_ambiguous(struct herald_http_request *request, const char *problem);

/**
 * The event cannot be handled now: respond with 503, with `reason` and the endpoint's Retry-After.
 * If the response is already known, it does not change. Never NULL.
 */
HERALD_API const struct herald_http_response *
herald_http_request_unavailable(struct herald_http_request *request, const char *reason);

/** Destroy a request, with or without a response. NULL is allowed. */
HERALD_API void herald_http_request_destroy(struct herald_http_request *request);

/**
 * The response to a handled event without an answer of its own: 200 {"status":"success"}. For such
 * responses herald_http_is_success() is true, so that an adapter can reuse one response of its
 * framework. Static storage.
 */
HERALD_API const struct herald_http_response *herald_http_success(void);

/** Whether a response is the same as herald_http_success(). */
HERALD_API bool herald_http_is_success(const struct herald_http_response *response);

/** 503 with Retry-After, for when there is no request. Static storage. */
HERALD_API const struct herald_http_response *herald_http_unavailable(void);

#ifdef __cplusplus
}
#endif
#endif
