/*
 * CivetWeb: a service behind a server that the user runs, at a path of it, next to other handlers.
 *
 *	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request};
 *
 *	herald_http_create(service, NULL, &http, &error);
 *	context = mg_start(&callbacks, NULL, options);
 *	herald_civetweb_attach(context, "/event", http, &civetweb, &error);
 *
 * and at the end, each before the next: herald_http_stop(), mg_stop(), herald_civetweb_destroy(),
 * herald_http_destroy(), herald_service_destroy(). CivetWeb does not send the answers that come
 * after mg_stop() has begun, so the events in flight have to be waited for before.
 *
 * CivetWeb's own options matter: num_threads (50) is the number of connections that it serves at
 * once, idle ones included, each on a thread of its own; enable_keep_alive is "no" by default; a
 * client may take request_timeout_ms (30,000) per piece of its body.
 *
 * CivetWeb (1.15) says nothing of what it skips in a head, such as everything behind a folded line.
 * The adapter finds that out, and refuses such requests. What CivetWeb does not do:
 *
 *	- It keeps 64 headers of a request: one with 64 or more is refused (431).
 *	- It refuses, with HTML, some requests that are good: a tab in a header (400), chunks with
 *	  extensions (400), methods that it does not know (400). Lengths that are no number get 411.
 *	- It does not end a head at a line feed and CR LF, and waits for more. It skips any number of
 *	  blank lines before a request; after two or more the event is refused.
 *	- It does not read trailers, and closes the connection after a chunked body that has some.
 *	- It answers "POST http://host/path" for the host of its own domain only, and else closes the
 *	  connection.
 *	- It has no way to refuse new connections and go on answering the others: herald_http_stop()
 *	  answers new events with 503 meanwhile.
 *	- When descriptors run out it accepts without a pause, and uses all of a processor.
 */
#ifndef HERALD_CIVETWEB_H
#define HERALD_CIVETWEB_H

#include <civetweb.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events at a path of a server. */
struct herald_civetweb;

/**
 * Take events at a path of a server: exactly there, as it is sent. Other paths that CivetWeb gives
 * to the same handler, such as "/event/more", "/EVENT" or "//event", are answered with 404, unless
 * they have a handler of their own.
 *
 * context  borrowed.
 * path     as mg_set_request_handler() has it, "/event", and without patterns.
 * http     borrowed; must outlive the server.
 * out      set only on HERALD_OK; the caller owns it, and destroys it when the server has stopped.
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION (the path), HERALD_NO_MEMORY.
 * Threads  any. The business functions run on CivetWeb's.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_civetweb_attach(struct mg_context *context, const char *path, struct herald_http *http,
		       struct herald_civetweb **out, struct herald_error *error);

/** Free it, after mg_stop(). NULL is allowed. */
HERALD_API void herald_civetweb_destroy(struct herald_civetweb *civetweb);

/**
 * Refuse, at all paths of a server, a request that can be read in two ways: the begin_request of
 * struct mg_callbacks. Without it only requests for the paths of events are checked, and a request
 * that was hidden in the body of another one, for another path, is taken for a request.
 *
 * Returns  0: CivetWeb goes on; else the status of the answer that was sent.
 */
HERALD_API int herald_civetweb_begin_request(struct mg_connection *connection);

#ifdef __cplusplus
}
#endif
#endif
