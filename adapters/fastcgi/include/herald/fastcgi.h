/*
 * FastCGI: a service behind nginx, Apache or lighttpd, through libfcgi. Either in the user's own
 * loop:
 *
 *	while (FCGX_Accept_r(&request) == 0) {
 *		if (herald_fastcgi_path_is(&request, "/event"))
 *			herald_fastcgi_handle(http, &request);
 *		else
 *			...
 *	}
 *
 * or with threads of Herald's, which do that: herald_fastcgi_start(). The web server must pass
 * CONTENT_LENGTH, CONTENT_TYPE, REQUEST_METHOD, SCRIPT_NAME and SERVER_PROTOCOL, as its file of
 * parameters does.
 *
 * What HTTP is, is the web server's business: keep-alive, chunks, Expect: 100-continue, its own
 * limit of a body (nginx: client_max_body_size, 1 MiB by default) and its own pages for what it
 * refuses. With nginx (1.22) as it is by default:
 *
 *	- It sends 100 Continue and reads a body to its end before it asks anyone, so a body that is
 *	  refused for its type has been sent for nothing.
 *	- A chunked body over the endpoint's limit is refused when it has come; one over its own at
 *	  once.
 *	- It does not answer a client that has sent all and closed its sending side: set
 *	  fastcgi_ignore_client_abort on.
 *	- It reads chunks and lines more leniently than the other adapters, decodes and normalises
 *	  paths, and keeps the connection when a request is refused here: see docs/adapters.md.
 */
#ifndef HERALD_FASTCGI_H
#define HERALD_FASTCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fcgiapp.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the user's own loop. */

/** Whether a request is for this path: SCRIPT_NAME and PATH_INFO, without the query. */
HERALD_API bool herald_fastcgi_path_is(const FCGX_Request *request, const char *path);

/**
 * Handle a request as an event and send the answer, with its end; nothing can be written after it.
 * FCGX_Finish_r(), or the next FCGX_Accept_r(), frees the request. A web server that has gone
 * raises no SIGPIPE here, whatever the program does about that signal.
 *
 * http     the endpoint.
 * request  accepted, and nothing read or written yet.
 * Threads  any, each with a request of its own; the business function runs on it.
 */
HERALD_API void herald_fastcgi_handle(struct herald_http *http, FCGX_Request *request);

/* Threads of Herald's. */

struct herald_fastcgi;

/** Options of the threads. Zero means the default; everything is copied. */
struct herald_fastcgi_options {
	size_t struct_size; /**< Set by HERALD_FASTCGI_OPTIONS. */

	/**
	 * A listening socket, as FCGX_OpenSocket() gives it: the user's, who closes it after the
	 * stop. 0: the one that the process was started with, as by spawn-fcgi.
	 */
	int listen_fd;
	const char *path; /**< Takes events: "/event". Without escapes, which web servers decode. */
	unsigned threads; /**< 4, at most 1,024. Each runs one event at a time. */

	/** Answers requests for other paths, on any of the threads. NULL: they get 404. */
	void (*other)(FCGX_Request *request, void *state);
	/** Passed to `other`. */
	void *other_state;

	/**
	 * For how long nothing more of a body may come; it is then answered with 400: 30,000. Not
	 * for what comes before it: libfcgi reads a request's variables while it accepts, and a web
	 * server that stops amid them holds a thread until the stop.
	 */
	uint32_t read_timeout_ms;
	uint32_t drain_timeout_ms; /**< At a stop, for requests in flight: 10,000. */
};

/** Options as a compound literal: HERALD_FASTCGI_OPTIONS(.listen_fd = fd). */
#define HERALD_FASTCGI_OPTIONS(...)                                                                \
	((struct herald_fastcgi_options){.struct_size = sizeof(struct herald_fastcgi_options),     \
					 __VA_ARGS__})

/**
 * Start threads that accept requests and answer them. They have all signals blocked.
 *
 * Beware: libfcgi (FCGX_Init()) catches SIGPIPE, SIGUSR1 and SIGTERM in the process where nothing
 * else was set for them, and the last two then end its accepting instead of the process. Block or
 * handle them yourself, as the example does.
 *
 * http     borrowed; must outlive the threads.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it and ends it with herald_fastcgi_stop().
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_fastcgi_start(struct herald_http *http, const struct herald_fastcgi_options *options,
		     struct herald_fastcgi **out, struct herald_error *error);

/**
 * Stop: accept nothing more, answer what is in flight, end the threads, free. Requests that the web
 * server has sent and nobody accepted yet fail there, so stop that one first, or take this server
 * out of its list. The socket is shut down, also for other processes that share it. NULL is
 * allowed.
 *
 * Returns  the number of requests that were still in flight after drain_timeout_ms and were cut
 *          off. A business function is never interrupted: the call waits for those that run.
 */
HERALD_API size_t herald_fastcgi_stop(struct herald_fastcgi *fastcgi);

#ifdef __cplusplus
}
#endif
#endif
