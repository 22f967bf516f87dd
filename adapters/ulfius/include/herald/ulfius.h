/*
 * Ulfius: a service at a path of an instance that the user runs, next to his own endpoints.
 *
 *	instance.max_post_body_size = herald_http_max_body_bytes(http) + 1;
 *	herald_ulfius_attach(http, &instance, "/event", &error);
 *	ulfius_start_framework(&instance);
 *
 * and at the end, each before the next: herald_http_stop(), ulfius_stop_framework(),
 * ulfius_clean_instance(), herald_http_destroy(), herald_service_destroy(). Ulfius cuts off what is not
 * answered when it stops, so the events in flight have to be waited for before.
 *
 * Ulfius collects a body before it asks anyone, and cuts it off, silently, at max_post_body_size; 0
 * collects all that comes. So this size must be larger than the endpoint's max_body_bytes: then a body
 * that was cut off is still one that is too large.
 *
 * What Ulfius (2.7.13) does not do:
 *
 *	- A body that is refused for its type or method has been sent in vain, and
 *	  Expect: 100-continue is always answered with 100; a chunked body over the limit is refused
 *	  when it has come to its end.
 *	- A request with a Transfer-Encoding other than chunked is read until its client goes or
 *	  the instance's timeout is over.
 *	- It has no way to refuse new connections and go on answering the others:
 *	  herald_http_stop() answers new events with 503 meanwhile.
 *
 * Every connection has a thread; there is no limit to their number but the system's.
 */
#ifndef HERALD_ULFIUS_H
#define HERALD_ULFIUS_H

#include <ulfius.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Take events at a path of an instance: an endpoint for all methods, of priority 0.
 *
 * http      borrowed; must outlive the instance's run.
 * instance  borrowed; its max_post_body_size must be 0, which is no limit, or larger than the
 *           endpoint's, and stay so.
 * path      as Ulfius understands it: "/event".
 * error     may be NULL; its path names what was wrong.
 * Errors    HERALD_BAD_OPTION: the size, or the path is not taken; HERALD_NO_MEMORY.
 * Threads   the one that starts the instance, before it does. The business function runs on the
 *           connections'.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_ulfius_attach(struct herald_http *http, struct _u_instance *instance, const char *path,
		     struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
