/*
 * The adapter for FastCGI, with libfcgi: events behind nginx, Apache or lighttpd. Either in your
 * own loop:
 *
 *	while (FCGX_Accept_r(&request) == 0) {
 *		if (herald_fastcgi_path_is(&request, "/event"))
 *			herald_fastcgi_handle(endpoint, &request);
 *		else
 *			...
 *	}
 *
 * or on threads that Herald starts and that do the same: herald_fastcgi_create(). The web server
 * must pass CONTENT_LENGTH, CONTENT_TYPE, REQUEST_METHOD, SCRIPT_NAME and SERVER_PROTOCOL, as its
 * standard file of parameters does.
 *
 * The web server handles HTTP: keep-alive, chunks, Expect: 100-continue, its own limit for bodies
 * (nginx: client_max_body_size, 1 MiB by default), and its own pages for requests that it refuses.
 * By default, nginx (1.22) behaves as follows:
 *
 *	- It sends 100 Continue and reads a body to its end before it passes the request on, also
 *	  if the request is then refused for its type.
 *	- It refuses a chunked body over its own limit at once; one over the endpoint's limit is
 *	  refused at its end.
 *	- It does not answer a client that has closed its sending side after the request: set
 *	  fastcgi_ignore_client_abort on.
 *	- It ends a line at a line feed alone, so that a body may be read as the next request: set
 *	  keepalive_timeout 0. docs/adapters.md has the cost, and when it may be left out.
 *	- It reads chunks and lines more leniently than the other adapters, and decodes and
 *	  normalises paths.
 */
#ifndef HERALD_FASTCGI_H
#define HERALD_FASTCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fcgiapp.h>

#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In a loop of your own. */

/** Whether a request is for this path: SCRIPT_NAME and PATH_INFO, without the query. */
HERALD_API bool herald_fastcgi_path_is(const FCGX_Request *request, const char *path);

/**
 * Handle a request as an event and send the complete response; nothing can be written after it.
 * FCGX_Finish_r(), or the next FCGX_Accept_r(), frees the request. SIGPIPE is not raised here if
 * the web server has gone, even if the program does not ignore that signal.
 *
 * endpoint the endpoint.
 * request  accepted, but not yet read from or written to.
 * Threads  any, each with a request of its own; the business function runs on it.
 */
HERALD_API void herald_fastcgi_handle(struct herald_endpoint *endpoint, FCGX_Request *request);

/* On Herald's threads. */

struct herald_fastcgi;

/** Options of the threads. Zero means the default; everything is copied. */
struct herald_fastcgi_options {
	size_t struct_size; /**< Set by HERALD_FASTCGI_OPTIONS. */

	/**
	 * A listening socket, as returned by FCGX_OpenSocket(). Close it after the stop. 0: the
	 * socket that the process was started with, for example by spawn-fcgi.
	 */
	int listen_fd;
	const char *path; /**< For events. Default "/event". No escapes: web servers decode them. */
	unsigned threads; /**< Default 4, limit 1,024. Each handles one event at a time. */

	/** Answers requests for other paths, on any of the threads. NULL: they get 404. */
	void (*other)(FCGX_Request *request, void *state);
	/** Passed to `other`. */
	void *other_state;

	/**
	 * How long a body may pause; then the response is 400. Default 30,000. Does not apply
	 * before the body: libfcgi reads a request's variables while it accepts, so a web server
	 * that stops in the middle of them blocks a thread until the stop.
	 */
	uint32_t read_timeout_ms;
	/** Called on each of the threads. Default: none. */
	struct herald_thread_hooks thread_hooks;
};

/** Options as a compound literal: HERALD_FASTCGI_OPTIONS(.listen_fd = fd). */
#define HERALD_FASTCGI_OPTIONS(...)                                                                \
	((struct herald_fastcgi_options){.struct_size = sizeof(struct herald_fastcgi_options),     \
					 __VA_ARGS__})

/**
 * Start threads that accept requests and answer them. They have all signals blocked.
 *
 * Beware: libfcgi (FCGX_Init()) installs handlers for SIGPIPE, SIGUSR1 and SIGTERM, unless the
 * program has its own. The last two then end libfcgi's accepting instead of the process. Block or
 * handle them yourself, as the example does.
 *
 * endpoint borrowed; must outlive the threads.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_fastcgi_create(struct herald_endpoint *endpoint,
		      const struct herald_fastcgi_options *options, struct herald_fastcgi **out,
		      struct herald_error *error);

/**
 * Stop accepting, answer the requests in flight, and end the threads; see "Stopping" in
 * herald/endpoint.h. There is no grace, because idle connections belong to the web server. Requests
 * that it has sent, but that were not accepted yet, fail: stop the web server first, or remove this
 * server from its list. The socket is shut down, also for other processes that share it. NULL is
 * allowed.
 *
 * Returns  the number of requests that were still in flight after `drain_ms` and were cut off; the
 *          same in later calls. Business functions are never interrupted: the call waits for them.
 * Threads  any except for the adapter's, one at a time.
 */
HERALD_API size_t herald_fastcgi_stop(struct herald_fastcgi *fastcgi, uint32_t drain_ms);

/** Free the adapter. If it was not stopped, it is stopped with drain_ms 0. NULL is allowed. */
HERALD_API void herald_fastcgi_destroy(struct herald_fastcgi *fastcgi);

#ifdef __cplusplus
}
#endif
#endif
