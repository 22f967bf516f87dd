/*
 * The adapter for CivetWeb: takes events at a path of your server, next to other handlers.
 *
 *	static void
 *	on_init(const struct mg_context *context)
 *	{
 *		herald_civetweb_attach(mg_get_user_data(context), context);
 *	}
 *
 *	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request,
 *					       .init_context = on_init};
 *
 *	herald_endpoint_create(service, NULL, &endpoint, &error);
 *	herald_civetweb_create(endpoint, NULL, &civetweb, &error);
 *	context = mg_start(&callbacks, civetweb, options);
 *
 * At the end, call in this order: herald_civetweb_stop(), mg_stop(), herald_civetweb_destroy(),
 * herald_endpoint_destroy(), herald_service_destroy(). CivetWeb sends no responses once mg_stop()
 * has begun, so herald_civetweb_stop() waits for the events in flight before.
 *
 * CivetWeb's own options matter: num_threads (50) limits the number of connections, including idle
 * ones, because each has its own thread; enable_keep_alive is "no" by default; a client may take
 * request_timeout_ms (30,000) for each piece of its body.
 *
 * CivetWeb (1.15) silently skips parts of a head, such as everything after a folded line. The
 * adapter detects this and refuses such requests. Limitations of CivetWeb:
 *
 *	- It keeps 64 headers; a request with 64 or more is refused (431).
 *	- It refuses some valid requests, with an HTML page: a tab in a header (400), chunks with
 *	  extensions (400), unknown methods (400). Lengths that are not a number get 411.
 *	- It does not end a head at a line feed followed by CR LF, and waits for more. It skips
 *	  blank lines before a request, but after two or more the event is refused.
 *	- It does not read trailers, and closes the connection after a chunked body with trailers.
 *	- It accepts "POST http://host/path" for its own domain only, and otherwise closes the
 *	  connection.
 *	- It cannot refuse new connections while it answers the others: herald_civetweb_stop()
 *	  answers new events with 503 when its grace is over.
 *	- If file descriptors run out, it retries accepting without a pause and uses a whole CPU.
 */
#ifndef HERALD_CIVETWEB_H
#define HERALD_CIVETWEB_H

#include <stddef.h>
#include <stdint.h>

#include <civetweb.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An adapter at a path of a server. */
struct herald_civetweb;

/** Options. Zero means the default; everything is copied. */
struct herald_civetweb_options {
	size_t struct_size; /**< Set by HERALD_CIVETWEB_OPTIONS. */

	/** As mg_set_request_handler() has it, without patterns and escapes. Default "/event". */
	const char *path;
	/**
	 * How long a stop continues to answer requests on open connections, with "Connection:
	 * close". Default 250, or half of `drain_ms` if that is less; limit `drain_ms`.
	 */
	uint32_t idle_grace_ms;
};

/** Options as a compound literal: HERALD_CIVETWEB_OPTIONS(.path = "/events"). */
#define HERALD_CIVETWEB_OPTIONS(...)                                                               \
	((struct herald_civetweb_options){.struct_size = sizeof(struct herald_civetweb_options),   \
					  __VA_ARGS__})

/**
 * Create an adapter, before the server starts.
 *
 * endpoint borrowed; must outlive the server.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it, and destroys it when the server has stopped.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any. The business functions run on CivetWeb's.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_civetweb_create(struct herald_endpoint *endpoint,
		       const struct herald_civetweb_options *options, struct herald_civetweb **out,
		       struct herald_error *error);

/**
 * Take events at the adapter's path of a server: exactly there, as it is sent. Other paths that
 * CivetWeb gives to the same handler, such as "/event/more", "/EVENT" or "//event", are answered
 * with 404, unless they have a handler of their own.
 *
 * Call it once, from init_context of struct mg_callbacks: CivetWeb calls that before it accepts
 * connections. After mg_start() works too, but events that arrive earlier are answered with 404,
 * and their senders do not repeat them.
 *
 * civetweb must outlive the server.
 * context  borrowed.
 * Threads  any.
 */
HERALD_API void
herald_civetweb_attach(struct herald_civetweb *civetweb, const struct mg_context *context);

/**
 * Stop taking events: see "Stopping" in herald/endpoint.h. New connections are taken until
 * mg_stop(), which you call next; it cuts off what is not answered. NULL is allowed.
 *
 * Returns  the number of its requests that are still open.
 * Threads  any, but not from a function of the service.
 */
HERALD_API size_t herald_civetweb_stop(struct herald_civetweb *civetweb, uint32_t drain_ms);

/** Free it, after mg_stop(). NULL is allowed. */
HERALD_API void herald_civetweb_destroy(struct herald_civetweb *civetweb);

/**
 * Refuse, at all paths of a server, a request that can be read in two ways: the begin_request of
 * struct mg_callbacks. Without it only requests for the paths of events are checked, and a request
 * that was hidden in the body of another one, for another path, is taken for a request.
 *
 * Returns  0: CivetWeb goes on; else the status of the response that was sent.
 */
HERALD_API int herald_civetweb_begin_request(struct mg_connection *connection);

#ifdef __cplusplus
}
#endif
#endif
