/*
 * CivetWeb: a service behind a server that the user runs, at a path of his choice, next to his own
 * handlers.
 *
 *	herald_http_create(service, NULL, &http, &error);
 *	mg_set_request_handler(context, "/event", herald_civetweb_handle, http);
 *
 * and at the end, each before the next: herald_http_stop(), mg_stop(), herald_http_destroy(),
 * herald_service_destroy(). CivetWeb does not send the answers that come after mg_stop() has begun, so
 * the events in flight have to be waited for before.
 *
 * CivetWeb's own options matter: num_threads (50) is the number of connections that it serves at once,
 * idle ones included, each on a thread of its own; enable_keep_alive is "no" by default; a client may
 * take request_timeout_ms (30,000) per piece of its body. As with all handlers of CivetWeb's, one for
 * /event takes /event/more too.
 *
 * What CivetWeb (1.15) does not do:
 *
 *	- It keeps 64 headers of a request, silently: one with 64 or more is refused (431), and its
 *	  connection closed, because what is missing may tell where the body ends.
 *	- It refuses chunks with extensions (400), and closes the connection after a chunked body
 *	  with trailers.
 *	- It has no way to refuse new connections and go on answering the others: herald_http_stop()
 *	  answers new events with 503 meanwhile.
 *	- Its own refusals are HTML: 400 and 411 for a head that it does not understand.
 */
#ifndef HERALD_CIVETWEB_H
#define HERALD_CIVETWEB_H

#include <civetweb.h>

#include <herald/export.h>
#include <herald/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Handle a request as an event: an mg_request_handler.
 *
 * http     the endpoint, a struct herald_http; the handler's `cbdata`. It must outlive the handler.
 * Returns  the status of the answer that was sent, for CivetWeb's log.
 * Threads  CivetWeb's; the business function runs on it.
 */
HERALD_API int herald_civetweb_handle(struct mg_connection *connection, void *http);

#ifdef __cplusplus
}
#endif
#endif
