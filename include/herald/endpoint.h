/*
 * The HTTP endpoint handles HTTP requests that carry events, independent of the framework.
 *
 * Create an endpoint and pass it to an adapter. The adapter passes it requests: see
 * herald/adapter/request.h. Responses:
 *
 *	200  {"status":"success"}, or the function's answer (herald/answer.h)
 *	202  {"status":"accepted"} or {"status":"duplicate"}, from a service with a store
 *	400  {"error":"...","path":"/payload/user_id","offset":83}    not decodable
 *	404  {"error":"..."}    no route (see enum herald_answers)
 *	405  not POST; `Allow: POST, OPTIONS`
 *	413  too large
 *	415  no format takes its media type, or it is compressed; `Accept-Encoding`
 *	431  headers that handlers read exceed max_headers_bytes
 *	500, or the status chosen: the function failed
 *	503  try again, or the store is full or has failed; `Retry-After`
 *
 * Formats have other answers than these: see enum herald_answers.
 *
 * The events of a batch are independent. They are decoded and run in order, and each has a verdict.
 * If the batch as a whole is not valid, or a `receive` refuses it, nothing has run. If all events
 * are done, the answer is the one for a single event. Otherwise, with `multi_status` it is 207.
 * Without it, it is 503 and the longest Retry-After if at least one event is to be sent again;
 * else it is the status of the failures, or 400 if they differ. With a store, the events share
 * memory (docs/formats.md); events for which none is left fail with 413. Answers of functions are
 * dropped. The body lists the events that were not done. What does not fit is omitted: source
 * and id of an event first, then whole events, which are counted:
 *
 *	{"error":"2 of 5 events were not done","results":[{"index":1,"source":"/shop","id":"17",
 *	 "status":"fail","error":"...","path":"/1/data/order_id"}, ...],"omitted":1}
 *
 * With `takes_ndjson`, a request can have one event in each line (application/x-ndjson). Its events
 * are independent, too; one whose line is not valid fails alone. White space around an event, lines
 * of white space and CRLF are accepted, and the last line need not end. If there are more events
 * than max_batch_events, the answer is 413; if a `receive` refuses the body, which it sees once and
 * whole, the answer is its own; in both cases nothing has run. Otherwise the answer is 200 with
 * application/x-ndjson: one line for each event, in order, whether it is done or not:
 *
 *	{"index":0,"status":"done"}
 *	{"index":1,"id":"17","status":"done","http_status":201,"answer":{"number":5}}
 *	{"index":2,"status":"fail","http_status":400,"error":"...","path":"/payload","offset":83}
 *	{"index":3,"status":"retry","http_status":503,"retry_after_ms":1000,"error":"..."}
 *
 * Each event has the request's headers, except those that say what one event is: if the service has
 * the format of CloudEvents, "ce-*" is ignored, which would make each line the same event in binary
 * mode. `index` counts events, not lines. `source` and `id` are omitted if
 * empty; `path` and `offset` are those in the event. A function's answer is there if it is JSON;
 * headers are dropped. With a store the status is "accepted" or "duplicate", the events are
 * committed together, and they share memory as the events of a batch do. All lines have room for
 * max_answer_bytes of the service, and 64 bytes for each event; a line that does not fit has only
 * `index`, `status` and "omitted":true. For large requests, set max_body_bytes: it limits the whole
 * request, and the service's max_event_bytes each line.
 *
 * 401 has a `WWW-Authenticate`. Headers that functions and handlers set are in all of the event's
 * responses.
 *
 * Requests that the endpoint refuses itself (405, 413, 415, 431, and 503 while it stops) do not
 * become events: handlers do not see them, and the service does not count them. If a `rejected`
 * handler should see bodies that are too large, set max_body_bytes above the service's
 * max_event_bytes.
 *
 * Stopping. Every adapter has a stop with a time to drain, such as herald_civetweb_stop(), and one
 * rule for all of them:
 *
 *	- It stops this adapter only. The endpoint goes on, and so do its other adapters, the
 *	  service, a herald_pool and a server of yours.
 *	- For a short grace, the adapter's option idle_grace_ms, events that arrive on open
 *	  connections are handled. Later events get 503 and Retry-After. Both get
 *	  "Connection: close".
 *	- It waits until all requests of this adapter are answered, or `drain_ms` have passed.
 *	  Events that are queued or handled on a herald_pool are such requests.
 *	- It returns the number of requests that are left, or passes it to a callback. An adapter
 *	  with threads of its own has cut them off. With the other adapters they go on; to wait
 *	  for them, stop again. Only the first stop has a grace.
 *
 * Where your code calls Herald for each request, as with herald_fastcgi_handle() in your own loop,
 * there is no adapter to stop: herald_endpoint_stop() refuses and drains all requests of the
 * endpoint. At the end of a program stop the adapters first, then your server and the pool;
 * then destroy the adapters, the endpoint and the service, in this order.
 */
#ifndef HERALD_ENDPOINT_H
#define HERALD_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_content_coding;

/** Options of an endpoint. Zero means the default; everything is copied. */
struct herald_endpoint_options {
	size_t struct_size; /**< Set by HERALD_ENDPOINT_OPTIONS. */

	/**
	 * Received bytes and, of a body with a content coding, decoded bytes. Default: the
	 * service's max_event_bytes. Above: 413, as soon as it is known.
	 */
	size_t max_body_bytes;
	/**
	 * Memory for the headers of a request that are kept for handlers and functions (see
	 * `attributes` of herald/service.h): names, values, and up to 64 bytes more for each.
	 * Default 65,536, limit 16 MiB. Above: 431. The server has its own limit for all headers.
	 */
	size_t max_headers_bytes;
	uint32_t retry_after_ms; /**< For herald_retry(). Default 1,000. */
	bool hide_errors;        /**< No error details in responses; see also callback.h. */

	/**
	 * Media types to accept instead of those that the service's formats take, such as
	 * "text/plain" from a sender that labels its JSON so, then NULL. Parameters are ignored.
	 * Default: what the formats take; for the envelope, that is application/json and types that
	 * end in "+json".
	 */
	const char *const *media_types;

	/** What senders get. Default: what the format of each event says; see herald/format.h. */
	enum herald_answers answers;

	/**
	 * Accept requests with several events, such as application/cloudevents-batch+json; by
	 * default they get 415. See above.
	 */
	bool takes_batches;
	/**
	 * Events in one request. Default 1,000, limit 100,000; with a store, its max_waiting, if
	 * that is less. Above: 413.
	 */
	size_t max_batch_events;
	bool multi_status; /**< 207 if not all events of a batch are done. */
	/**
	 * Accept application/x-ndjson, application/ndjson and application/jsonl: one event in each
	 * line. By default they get 415. The answer has a verdict for each event; see above.
	 */
	bool takes_ndjson;
	/**
	 * The media type of each event of application/x-ndjson, which selects its format. Default
	 * "application/json". Refused if no format of the service takes it, as with CloudEvents
	 * alone, which are "application/cloudevents+json", or if one takes it for a batch, as
	 * CloudEvents with `dapr_bulk` do with "application/json".
	 */
	const char *ndjson_media_type;

	/**
	 * The OPTIONS handshake of CloudEvents webhooks, as Azure Event Grid uses it: names of
	 * senders that may deliver events, such as "eventgrid.azure.net", or "*" for all, then
	 * NULL. Whole names are compared, without case. Others get no consent. By default there is
	 * no handshake: a request for it gets 405.
	 */
	const char *const *allowed_origins;
	uint32_t allowed_rate; /**< Events per minute that are granted at most. Default any. */

	/**
	 * Content codings to accept, then NULL; see herald/adapter/coding.h. A body can have one
	 * coding. Other codings and lists of several are refused with 415; `Accept-Encoding` names
	 * those that are accepted. The array is copied, its elements are borrowed. Default: none.
	 */
	const struct herald_content_coding *const *content_codings;

	/**
	 * Requests whose memory is kept for reuse. Default 64. Each keeps about 5 KiB, up to 64 KiB
	 * each for a body and for an event's memory, and max_headers_bytes for headers: by default
	 * up to 12.5 MiB for 64. Larger memory goes back to the service (see its max_idle_bytes) or
	 * is freed.
	 */
	size_t max_idle_requests;
};

/** Options as a compound literal: HERALD_ENDPOINT_OPTIONS(.hide_errors = true). */
#define HERALD_ENDPOINT_OPTIONS(...)                                                               \
	((struct herald_endpoint_options){.struct_size = sizeof(struct herald_endpoint_options),   \
					  __VA_ARGS__})

struct herald_endpoint;

/**
 * Create an endpoint of a service.
 *
 * service  borrowed; must outlive the endpoint.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any. All threads may use the endpoint at once. Use a request on one thread at a time.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_endpoint_create(struct herald_service *service,
		       const struct herald_endpoint_options *options, struct herald_endpoint **out,
		       struct herald_error *error);

/** The options' max_body_bytes, or its default. */
HERALD_API size_t herald_endpoint_max_body_bytes(const struct herald_endpoint *endpoint);

/**
 * Stop the endpoint, for all of its adapters: answer new requests with 503 and Retry-After, and
 * wait up to `drain_ms` for the open requests. Call it if there is no adapter to stop, before you
 * stop a server that does not wait for open requests itself.
 *
 * Returns  the number of requests that are still open.
 * Threads  any, but not from a function of the service.
 */
HERALD_API size_t herald_endpoint_stop(struct herald_endpoint *endpoint, uint32_t drain_ms);

/** Free an endpoint. Destroy all its requests first. NULL is allowed. */
HERALD_API void herald_endpoint_destroy(struct herald_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
