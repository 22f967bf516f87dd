/*
 * Herald's HTTP/1.1 server: takes events, and requests to paths of your own.
 *
 * herald_serve() runs a server until SIGINT or SIGTERM. herald_server_create() returns while the
 * server runs. The server needs the C library only.
 *
 * The server reads requests strictly (RFC 9110 and 9112). A request that two servers could read
 * differently gets 400, and its connection is closed.
 */
#ifndef HERALD_SERVER_H
#define HERALD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/context.h>
#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/pool.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Paths of your own. */

/** A request to a path of your own. The texts are NUL-terminated and valid until the function
 * returns. */
struct herald_server_request {
	struct herald_text method; /**< "GET". */
	struct herald_text path;   /**< "/metrics", as sent. */
	struct herald_text query;  /**< After the '?', as sent; empty if there is none. */
	/** As received, without decoding Content-Encoding; empty if there is none. */
	struct herald_text body;
	/** If the server's path ends in "/" and an asterisk: what follows that '/', as sent, such
	 * as "page.css" for the path "/files/page.css". Otherwise empty. */
	struct herald_text rest;
};

/**
 * Answer a request: call herald_server_answer() once. Without an answer the client gets 500. If an
 * answer, or a header of it, is refused, the reason is logged as an error.
 *
 * Threads  one of the server's. The other connections of that thread wait, so do not block.
 */
typedef void herald_server_function(struct herald_server_request *request, void *state);

/**
 * The value of a request's header. The case of the name is ignored. If there are several headers of
 * this name, the first one; if there is none, NULL. Valid until the function returns.
 */
HERALD_API const char *
herald_server_request_header(const struct herald_server_request *request, const char *name);

/**
 * Call `visit` for each header of the request, in the order received, as sent. `state` is passed to
 * it; if it returns false, no further header follows. Names and values are valid until the function
 * returns.
 */
HERALD_API void herald_server_request_headers_visit(const struct herald_server_request *request,
						    herald_attribute_visitor *visit, void *state);

/**
 * Add a header to the answer. Call it before herald_server_answer(). A name that is added twice is
 * sent twice.
 *
 * name     copied. Names that herald_context_header() refuses are refused here, too.
 * value    copied. Empty values and control characters, including tabs, are refused.
 * Errors   HERALD_BAD_VALUE, HERALD_NO_MEMORY. The header is not added.
 */
HERALD_API enum herald_status herald_server_answer_header(struct herald_server_request *request,
							  const char *name, const char *value);

/**
 * Answer the request. Once a call has succeeded, later calls have no effect.
 *
 * 401 is sent with `WWW-Authenticate: Bearer` and 405 with the path's `Allow`, unless the function
 * adds these headers itself. RFC 9110 also requires Proxy-Authenticate for 407, which the function
 * has to add, and Upgrade for 426, which the server does not support.
 *
 * status        200 to 599.
 * content_type  such as "text/plain; charset=utf-8". Required, even if `bytes` is 0. Ignored for
 *               204, 205 and 304, which have no body.
 * body          `bytes` bytes, copied; may be NULL if there are none. Not sent for HEAD.
 * Errors        HERALD_BAD_VALUE: status or content_type is not valid, or body is NULL with
 *               `bytes` above 0; HERALD_LIMIT: there is an answer already; HERALD_NO_MEMORY.
 */
HERALD_API enum herald_status
herald_server_answer(struct herald_server_request *request, unsigned status,
		     const char *content_type, const void *body, size_t bytes);

/** A path of the server. Set either `endpoint` or `function`. */
struct herald_server_path {
	/**
	 * As in a request's target, percent-encoded: "/metrics". If it ends in "/" and an asterisk,
	 * it stands for all paths that begin with what precedes the asterisk, and for that without
	 * its last '/'. "*" alone: all paths. Among several paths that match, an exact one is taken
	 * first, then the longest one.
	 */
	const char *path;

	struct herald_endpoint *endpoint; /**< Takes events. Borrowed. */

	herald_server_function *function; /**< Answers requests. */
	void *state;                      /**< Passed to `function`. */
	/**
	 * Methods that `function` answers, such as "GET, POST". HEAD is added if GET is listed.
	 * CONNECT must not be listed; it gets 501. Other methods get 405. OPTIONS gets 204 and
	 * `Allow` from the server, unless it is listed. Default "GET".
	 */
	const char *methods;
	size_t max_body_bytes; /**< Of requests for `function`. Default 65,536. Above: 413. */
	/**
	 * Which hosts requests for `function` may name in Host, with any port; others get 403. A
	 * page of another site may have a name that leads to this machine (DNS rebinding): its
	 * script would read the answers, although the server listens on this machine only. Names
	 * without dots, names that end in ".localhost" and IP addresses are always allowed, since
	 * no other site has them.
	 *
	 * NULL: any host. A list such as "ops.example, ops.lan", without ports: these as well.
	 * HERALD_LOCAL_HOSTS: no others as long as all sockets of the server listen on loopback
	 * addresses; else any.
	 */
	const char *hosts;
};

/** For `hosts` of a path: see there. */
#define HERALD_LOCAL_HOSTS ""

/** The option `paths`, with its count: HERALD_SERVER_PATHS(paths). */
#define HERALD_SERVER_PATHS(ARRAY) .paths = (ARRAY), .paths_count = HERALD_COUNT(ARRAY)

/* The server. */

struct herald_server;
struct herald_tls;

/**
 * Options of a server. Zero means the default; everything is copied.
 *
 * Some limits are fixed. No handler sees what they limit, and no client needs more:
 *
 * - The body of a request that was refused is read up to 16 MiB, then the connection is closed.
 * - While 64 KiB of responses are unsent, no further request of the connection is handled.
 * - Chunk extensions and trailers of a body have up to 16 KiB. Above: 400.
 * - After the last response, a client has 2 s to close its side.
 */
struct herald_server_options {
	size_t struct_size; /**< Set by HERALD_SERVER_OPTIONS. */

	/**
	 * Where to listen: an IPv4 or IPv6 address, "localhost" (both), or "unix:/run/x.sock".
	 * Several are separated by commas, limit 16 sockets. Default "127.0.0.1".
	 */
	const char *address;
	uint16_t port; /**< Default 8080; see any_port. */
	bool any_port; /**< Let the system choose: herald_server_port(). */
	/**
	 * Take the listening sockets that systemd passes (LISTEN_FDS), limit 16, instead of
	 * `address` and `port`. The server closes them at its end, so only one server of a process
	 * can have them.
	 */
	bool systemd_sockets;

	const char *path; /**< Takes events. Default "/event". */
	/** 200, or 503 while stopping. Default "/healthz", unless `paths` has it. */
	const char *health_path;
	/** More paths. Duplicates are refused. */
	const struct herald_server_path *paths;
	size_t paths_count; /**< Set by HERALD_SERVER_PATHS. */

	unsigned threads; /**< Default 4, limit 1,024. */
	/**
	 * Handle events on this pool, so that a connection does not wait for another one's event.
	 * Functions of `paths` still run on the server's threads. Borrowed; stop it after the
	 * server. NULL: events are handled on the server's threads, one at a time on each. In
	 * either case no thread waits for the commit of a service's store.
	 */
	struct herald_pool *pool;

	/** Default 1,024, limit 1,048,576. Further connections wait in the listen queue. */
	unsigned max_connections;
	/**
	 * Further connections are closed. The /64 network of an IPv6 address counts as one, and so
	 * do all clients of Unix sockets. Default unlimited.
	 */
	unsigned max_connections_per_ip;
	/** Request line and headers. Default 8,192, from 256 to 1 MiB. Above: 431. */
	size_t max_header_bytes;
	unsigned max_headers; /**< Default 100, limit 1,000. Above: 431. */
	/** The request's target. Default and limit max_header_bytes. Above: 414. */
	size_t max_target_bytes;

	/**
	 * Time limits for a client, even if it is sending. After the limit it is disconnected; if
	 * it has begun a request, it first gets 408. While a function runs on a server's thread,
	 * the thread cannot read from its other clients. So if it runs for more than 50 ms, only a
	 * quarter of its time counts for them: their limits are up to four times as long.
	 */
	/** Until the headers end: from their first byte, or from the connection. Default 10,000. */
	uint32_t header_timeout_ms;
	uint32_t body_timeout_ms; /**< Then until the body ends. Default 30,000. */
	uint32_t idle_timeout_ms; /**< Between requests. Default 60,000. */
	/**
	 * Until the client has taken all output, or min_bytes_per_s of it on average; then it has
	 * this time again. Default 30,000.
	 */
	uint32_t send_timeout_ms;
	/** Minimum average rate of a body, after its first 5 s, and of output. Default 100. */
	uint32_t min_bytes_per_s;
	/**
	 * How long a stop continues to answer requests on open connections, with "Connection:
	 * close". Default 250, or half of the drain timeout if that is less. Never longer than
	 * the drain timeout.
	 */
	uint32_t idle_grace_ms;

	struct herald_tls *tls; /**< Encrypts connections; see herald/adapter/tls.h. Borrowed. */
	/**
	 * A trusted proxy in front of the server decrypts: accept targets such as
	 * "https://example.com/event" without `tls`, too. Otherwise they get 421 (RFC 9110 section
	 * 7.4). Most proxies send "/event", which needs no option. Default false.
	 */
	bool behind_https;

	/** Called on each of the threads. Default: none. */
	struct herald_thread_hooks thread_hooks;
	struct herald_log log; /**< Logs start and stop, and errors of clients at debug level. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */

	/* For herald_serve() only. */

	/** Options of its endpoint. NULL: the defaults. */
	const struct herald_endpoint_options *endpoint_options;
	/** How long to wait for open requests after the signal. Default 10,000. */
	uint32_t drain_timeout_ms;
	/** Do not print the URL to stderr. Default false. */
	bool quiet;
	/** Called when the server listens. `state` is `on_started_state`. */
	void (*on_started)(const struct herald_server *server, void *state);
	/** Passed to `on_started`. */
	void *on_started_state;
};

/** Options as a compound literal: HERALD_SERVER_OPTIONS(.port = 9000). */
#define HERALD_SERVER_OPTIONS(...)                                                                 \
	((struct herald_server_options){.struct_size = sizeof(struct herald_server_options),       \
					__VA_ARGS__})

/**
 * Create a server. It is listening when the function returns.
 *
 * Each connection belongs to one thread. While a function runs on this thread, its other
 * connections wait; new connections go to free threads. If functions take long, use a pool.
 *
 * endpoint  takes events at `path`; borrowed, must outlive the server. NULL: `paths` only.
 * options   NULL means the defaults.
 * out       set only on HERALD_OK; the caller owns it.
 * error     may be NULL; its path names the option.
 * Errors    HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads   any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_server_create(struct herald_endpoint *endpoint, const struct herald_server_options *options,
		     struct herald_server **out, struct herald_error *error);

/** The port of the first TCP socket that the server listens on; 0 if there is none. */
HERALD_API uint16_t herald_server_port(const struct herald_server *server);

/** Counts since the server was created. */
struct herald_server_statistics {
	uint64_t connections;     /**< Now. */
	uint64_t max_connections; /**< The option. */
	uint64_t accepted;        /**< Connections, including those that have ended. */
	uint64_t refused;         /**< Closed at once, because of max_connections_per_ip. */
	/** Responses with status 200 to 299. Responses of all paths count, also those to requests
	 * that could not be read. Interim responses (100) do not count. */
	uint64_t responses_2xx;
	uint64_t responses_3xx; /**< 300 to 399. */
	uint64_t responses_4xx; /**< 400 to 499. */
	uint64_t responses_5xx; /**< 500 to 599. */
};

/** Read the counts. Any thread, until the server is destroyed. */
HERALD_API void herald_server_statistics_read(const struct herald_server *server,
					      struct herald_server_statistics *out);

/**
 * Stop the server: accept no new connections, answer open requests and those that arrive on open
 * connections within idle_grace_ms, then close. Functions are never interrupted, so this blocks
 * until the last one returns, including those on a pool, and until a store has answered. NULL is
 * allowed.
 *
 * A request whose head is incomplete after idle_grace_ms, or after drain_ms if that is less, gets
 * 503 and Retry-After. It has not been handled, and is not counted.
 *
 * Returns  the number of requests that were cut off after `drain_ms`. Later calls return it again.
 * Threads  any except for the server's and its pool's, one at a time.
 */
HERALD_API size_t herald_server_stop(struct herald_server *server, uint32_t drain_ms);

/** Free the server. If it is running, it is stopped with drain_ms 0. NULL is allowed. */
HERALD_API void herald_server_destroy(struct herald_server *server);

/**
 * Run a server until SIGINT or SIGTERM. Call it from main() before you start other threads: it
 * blocks these signals and SIGPIPE in the calling thread, and restores the mask at the end.
 *
 * Unless `quiet` is set, it prints the first address to stderr when it listens:
 *
 *	listening on http://127.0.0.1:8080/event
 *
 * A second SIGINT or SIGTERM ends the process immediately, with the signal's exit status (130 or
 * 143 in a shell), unless the program handles or ignores the signal itself.
 *
 * Errors   as herald_endpoint_create() and herald_server_create().
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_serve(struct herald_service *service, const struct herald_server_options *options,
	     struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
