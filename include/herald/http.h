/*
 * The HTTP endpoint: what an HTTP request that carries an event means, whatever the framework.
 *
 * An adapter creates a request from the head, hands over the body's bytes as they come, asks for the
 * response and sends it. Answers:
 *
 *	200  {"status":"success"}
 *	400  {"error":"...","path":"/payload/user_id","offset":83}    not decodable
 *	404  {"error":"..."}    no route          405  not POST; `Allow: POST`
 *	413  too large          415  not JSON     431  headers that handlers read: over 64 KiB
 *	500, or the status chosen: the function failed             503  try again; `Retry-After`
 *
 * What the endpoint refuses itself (405, 413, 415, 431, and 503 while it stops) never becomes an event: no
 * handler sees it, and it is in no statistics of the service. To keep bodies that are too large in a
 * `rejected` handler, make max_body_bytes larger than the service's max_event_bytes.
 */
#ifndef HERALD_HTTP_H
#define HERALD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of an endpoint. Zero means the default; everything is copied. */
struct herald_http_options {
	size_t struct_size; /**< Set by HERALD_HTTP_OPTIONS. */

	size_t max_body_bytes;   /**< The service's max_event_bytes; counted on bytes that came. */
	uint32_t retry_after_ms; /**< Where the function names no delay: 1,000. */
	bool hide_errors; /**< Tell senders the status only, not what was wrong; see callback.h too. */

	/**
	 * Media types to accept, such as "application/x-www-form-urlencoded", up to a NULL; their
	 * parameters are ignored. NULL: application/json and every type that ends in "+json".
	 */
	const char *const *media_types;

	/**
	 * Requests whose memory is kept for the next ones: 64. Each keeps about 5 KiB and, as far as the
	 * requests before it needed them, up to 64 KiB each for a body, for its event's memory and for the
	 * headers that handlers read: at most 12.5 MiB for 64. What an event needed beyond that goes back to
	 * the service (see its max_idle_bytes), or is freed.
	 */
	size_t max_idle_requests;
};

/** Options as a compound literal: HERALD_HTTP_OPTIONS(.hide_errors = true). */
#define HERALD_HTTP_OPTIONS(...)                                                                   \
	((struct herald_http_options){.struct_size = sizeof(struct herald_http_options),           \
				      __VA_ARGS__})

struct herald_http;
struct herald_http_request;

/**
 * Create an endpoint of a service.
 *
 * service  borrowed; must outlive the endpoint.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any; the endpoint may be used by all threads at once, a request by one at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_http_create(struct herald_service *service, const struct herald_http_options *options,
		   struct herald_http **out, struct herald_error *error);

/** The options' max_body_bytes, or its default. */
HERALD_API size_t herald_http_max_body_bytes(const struct herald_http *http);

/**
 * Stop taking events: answer new requests with 503 and Retry-After, and wait until those in flight, that
 * is created and not destroyed, have ended or `drain_ms` have passed. For servers that cut off what they
 * have not answered when they stop: call it before.
 *
 * Returns  the number of requests that are still in flight.
 * Threads  any, but not from a function of the service's.
 */
HERALD_API size_t herald_http_stop(struct herald_http *http, uint32_t drain_ms);

/** Free an endpoint; all its requests must have been destroyed. NULL is allowed. */
HERALD_API void herald_http_destroy(struct herald_http *http);

/** `content_length` of a request that does not declare one. */
#define HERALD_HTTP_NO_LENGTH UINT64_MAX

/** The head of a request, as far as it matters. Copied by herald_http_request_create(). */
struct herald_http_head {
	const char *method;       /**< As sent: "POST". */
	const char *content_type; /**< The header's value; NULL when there is none. */
	uint64_t content_length;  /**< Declared, or HERALD_HTTP_NO_LENGTH. */

	/**
	 * Finds a header by its name, whatever its case, for the handlers that read it; NULL, or NULL
	 * returned: there is none. Called by herald_http_request_create() only, which copies the value.
	 */
	const char *(*header)(const char *name, void *state);
	void *state; /**< Passed to `header`. */
};

/** A response. The pointers are borrowed from the request; nothing in it needs escaping. */
struct herald_http_response {
	unsigned status;          /**< 200 to 599. */
	const char *content_type; /**< Value for the Content-Type header. */
	const char *body;         /**< JSON; not NUL-terminated. */
	size_t body_bytes;        /**< Value for the Content-Length header. */
	const char *allow;        /**< Value for the Allow header, or NULL. */
	uint32_t retry_after_s;   /**< Value for the Retry-After header, or 0 for none. */
};

/**
 * Begin a request.
 *
 * Returns  the request, which the caller owns; NULL when memory is out: answer with
 *          herald_http_unavailable() then.
 */
HERALD_API struct herald_http_request *
herald_http_request_create(struct herald_http *http, const struct herald_http_head *head);

/**
 * Add bytes of the body, as many as there are.
 *
 * Returns  false once the answer is known without the rest of the body (wrong method or type, too
 *          large); more bytes are then ignored.
 */
HERALD_API bool
herald_http_request_append(struct herald_http_request *request, const char *data, size_t bytes);

/** The answer, if it is known already: before herald_http_request_finish() a refusal; else NULL. */
HERALD_API const struct herald_http_response *
herald_http_request_response(const struct herald_http_request *request);

/**
 * The body is complete: handle the event, once, and give the answer. Blocks as long as the service's
 * functions do. Never NULL.
 */
HERALD_API const struct herald_http_response *
herald_http_request_finish(struct herald_http_request *request);

/** The body cannot be read to its end: the answer is 400; the event is not handled. Never NULL. */
HERALD_API const struct herald_http_response *
herald_http_request_unreadable(struct herald_http_request *request);

/**
 * Two readers could read the request's head differently: the answer is 400, also where the head was
 * refused for something else; the event is not handled. Call it before any byte is added. Never NULL.
 */
HERALD_API const struct herald_http_response *
herald_http_request_ambiguous(struct herald_http_request *request);

/**
 * The event will not be handled now: the answer is 503, with `reason` and the endpoint's Retry-After.
 * An answer that is known already stays. Never NULL.
 */
HERALD_API const struct herald_http_response *
herald_http_request_unavailable(struct herald_http_request *request, const char *reason);

/** End a request, answered or not. NULL is allowed. */
HERALD_API void herald_http_request_destroy(struct herald_http_request *request);

/** 503 with Retry-After, for when there is no request to ask. Static storage. */
HERALD_API const struct herald_http_response *herald_http_unavailable(void);

#ifdef __cplusplus
}
#endif
#endif
