/*
 * The adapter for GNU libmicrohttpd: events for a daemon that you run already. If you have no
 * server yet, use Herald's own: herald/server.h.
 *
 *	herald_microhttpd_create(endpoint, NULL, &microhttpd, &error);
 *
 * Call herald_microhttpd_handle() from the daemon's access handler, for the path that takes events.
 *
 * At the end, call in this order: herald_microhttpd_stop(), MHD_stop_daemon(),
 * herald_microhttpd_destroy(), herald_endpoint_destroy(), herald_service_destroy(). A daemon that
 * stops cuts off unanswered requests, so herald_microhttpd_stop() waits for the events in flight
 * before.
 */
#ifndef HERALD_MICROHTTPD_H
#define HERALD_MICROHTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events for a daemon. */
struct herald_microhttpd;

/** Options. Zero means the default. */
struct herald_microhttpd_options {
	size_t struct_size; /**< Set by HERALD_MICROHTTPD_OPTIONS. */
	/**
	 * How long a stop continues to answer requests on open connections, with "Connection:
	 * close". Default 250, or half of `drain_ms` if that is less; limit `drain_ms`.
	 */
	uint32_t idle_grace_ms;
};

/** Options as a compound literal: HERALD_MICROHTTPD_OPTIONS(.idle_grace_ms = 100). */
#define HERALD_MICROHTTPD_OPTIONS(...)                                                             \
	((struct herald_microhttpd_options){                                                       \
		.struct_size = sizeof(struct herald_microhttpd_options), __VA_ARGS__})

/**
 * Take events for a daemon, or for several.
 *
 * endpoint  borrowed; must outlive the adapter.
 * options   NULL means the defaults.
 * out       set only on HERALD_OK; the caller owns it.
 * error     may be NULL; its path names what was wrong.
 * Errors    HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads   any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_microhttpd_create(struct herald_endpoint *endpoint,
			 const struct herald_microhttpd_options *options,
			 struct herald_microhttpd **out, struct herald_error *error);

/**
 * Handle one call of the daemon's access handler (MHD_AccessHandlerCallback), which libmicrohttpd
 * calls several times for each request.
 *
 *	if (strcmp(url, "/event") == 0)
 *		return herald_microhttpd_handle(microhttpd, connection, method, version,
 *						upload_data, upload_data_size, con_cls);
 *
 * The daemon needs three options:
 *
 *	- MHD_OPTION_NOTIFY_COMPLETED with herald_microhttpd_completed(), or with a function that
 *	  calls it for these requests.
 *	- MHD_OPTION_CONNECTION_TIMEOUT. Without it, a client that closes its side in the middle of
 *	  a body keeps its connection until the daemon stops (0.9.75).
 *	- MHD_OPTION_STRICT_FOR_CLIENT with 1; from 0.9.77 on, MHD_OPTION_CLIENT_DISCIPLINE_LVL
 *	  with 1.
 *
 * The daemon's limits and timeouts apply; the endpoint limits the body.
 *
 * If the service has a store and the daemon has MHD_ALLOW_SUSPEND_RESUME, connections are suspended
 * until their events are stored; without that flag, or with MHD_USE_THREAD_PER_CONNECTION, the
 * thread waits. libmicrohttpd ends the process if a daemon is stopped that has suspended
 * connections. So call herald_microhttpd_stop() first, until it returns 0.
 *
 * con_cls      from libmicrohttpd. It must be NULL at a request's first call, so do not set it in
 *              an MHD_OPTION_URI_LOG_CALLBACK.
 * Returns      the return value for the access handler.
 * Threads      libmicrohttpd's. The function of the event's route runs on the same thread.
 */
HERALD_API enum MHD_Result
herald_microhttpd_handle(struct herald_microhttpd *microhttpd, struct MHD_Connection *connection,
			 const char *method, const char *version, const char *upload_data,
			 size_t *upload_data_size, void **con_cls);

/**
 * Why the head of a request is malformed or ambiguous, so that its body could be taken for the next
 * request. herald_microhttpd_handle() refuses such requests. Call this function for the other paths
 * of the daemon, at a request's first call. Unless it returns NULL, queue a response immediately,
 * with the status that herald_http_problem_status() of herald/adapter/http.h has for it: 400, 417
 * or 421. libmicrohttpd then closes the connection. A path with escapes is not judged: they have
 * been decoded. A target with "https" is valid if the daemon has MHD_USE_TLS.
 *
 * Send all your own responses with the header "Connection: close", also those to valid requests:
 * some parts of a head are dropped without a trace (0.9.75), and what follows the apparent body may
 * then be the body, and not a request. It is not necessary if a proxy in front of the daemon
 * refuses heads with a lone line feed, with a NUL, or with a line that is only a colon.
 *
 * Returns  one line for the client, in static storage, such as "there are two Host headers"; NULL:
 *          the head is valid.
 */
HERALD_API const char *herald_microhttpd_head_problem(struct MHD_Connection *connection,
						      const char *method, const char *version);

/** An MHD_RequestCompletedCallback that ends the request in *con_cls. Does nothing if that is
 * NULL. */
HERALD_API void herald_microhttpd_completed(void *cls, struct MHD_Connection *connection,
					    void **con_cls, enum MHD_RequestTerminationCode toe);

/**
 * Stop taking events: see "Stopping" in herald/endpoint.h. Your daemon continues; call
 * MHD_stop_daemon() next, which closes idle connections and cuts off what is not answered. NULL is
 * allowed.
 *
 * Returns  the number of its requests that are still open.
 * Threads  any, but not from a function of the service.
 */
HERALD_API size_t herald_microhttpd_stop(struct herald_microhttpd *microhttpd, uint32_t drain_ms);

/** Free it, after MHD_stop_daemon(). NULL is allowed. */
HERALD_API void herald_microhttpd_destroy(struct herald_microhttpd *microhttpd);

#ifdef __cplusplus
}
#endif
#endif
