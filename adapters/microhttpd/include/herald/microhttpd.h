/*
 * GNU libmicrohttpd: a service behind a daemon that the user runs, or behind one that Herald runs.
 *
 * One's own daemon: create an adapter, and call herald_microhttpd_handle() from the daemon's access
 * handler for the path that takes events. No server yet: herald_serve() is one call.
 */
#ifndef HERALD_MICROHTTPD_H
#define HERALD_MICROHTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/log.h>
#include <herald/service.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The user's own daemon. */

/**
 * Handle one call of the daemon's access handler (MHD_AccessHandlerCallback) for an event.
 *
 *	if (strcmp(url, "/event") == 0)
 *		return herald_microhttpd_handle(http, connection, method, version, upload_data,
 *						upload_data_size, con_cls);
 *
 * The daemon needs MHD_OPTION_NOTIFY_COMPLETED with herald_microhttpd_completed(), or with a
 * function of the user's that calls it for these requests, and MHD_OPTION_CONNECTION_TIMEOUT:
 * without one, a client that closes its side amid a body is kept until the daemon stops (0.9.75).
 * Its own limits and timeouts apply; the endpoint adds the limit of the body.
 *
 * http         the endpoint.
 * con_cls      as libmicrohttpd passes it: NULL at a request's first call, so the daemon must not
 *              set it in an MHD_OPTION_URI_LOG_CALLBACK; then Herald's.
 * Returns      what the access handler is to return.
 * Threads      libmicrohttpd's; the business function runs on it.
 */
HERALD_API enum MHD_Result
herald_microhttpd_handle(struct herald_http *http, struct MHD_Connection *connection,
			 const char *method, const char *version, const char *upload_data,
			 size_t *upload_data_size, void **con_cls);

/**
 * Whether the head of a request is malformed, or can be read in two ways, so that its body could be
 * taken for the next request. herald_microhttpd_handle() refuses such a request; call this for the
 * other paths of the daemon, at a request's first call, and answer with 400 at once: libmicrohttpd
 * closes the connection then.
 */
HERALD_API bool herald_microhttpd_is_ambiguous(struct MHD_Connection *connection,
					       const char *method, const char *version);

/** MHD_RequestCompletedCallback: ends the request in *con_cls; does nothing when that is NULL. */
HERALD_API void herald_microhttpd_completed(void *cls, struct MHD_Connection *connection,
					    void **con_cls, enum MHD_RequestTerminationCode toe);

/* A server of Herald's. */

struct herald_server;

/** Options of a server. Zero means the default; everything is copied. */
struct herald_server_options {
	size_t struct_size; /**< Set by HERALD_SERVER_OPTIONS. */

	const char *address;     /**< A numeric IPv4 or IPv6 address: "127.0.0.1". */
	uint16_t port;           /**< 8080; see any_port. */
	bool any_port;           /**< Let the system choose; herald_server_port() tells. */
	const char *path;        /**< Takes events: "/event". */
	const char *health_path; /**< GET gives 200, and 503 while stopping: "/healthz". */

	unsigned threads; /**< 4, at most 1,024. Each runs one event at a time; see below. */
	/** 1,024 in all, at most 1,048,576; more wait in the listen queue. */
	unsigned max_connections;
	unsigned max_connections_per_ip; /**< No limit. More are closed. */
	/**
	 * Request line and headers: 8,192; 256 to 1 MiB. A connection takes one and a half times as
	 * much memory and 3 KiB; libmicrohttpd needs 64 bytes of that per header, so that a head of
	 * full size may have about 60 of them.
	 */
	size_t max_header_bytes;
	/**
	 * How long a client may take, however busy it looks; it is disconnected then, up to an
	 * eighth (at most 250 ms) later. Time that it waits for a function on its thread does not
	 * count.
	 */
	uint32_t header_timeout_ms; /**< From connection or last answer to headers' end: 10,000. */
	uint32_t body_timeout_ms;   /**< From the headers' end to the body's: 30,000. */
	uint32_t drain_timeout_ms;  /**< At a stop, for requests in flight: 10,000. */
	/**
	 * At a stop, how long connections without a request stay open. A request that was on its
	 * way is answered, with "Connection: close". Default 250, or half of drain_timeout_ms if
	 * that is less; limit drain_timeout_ms.
	 */
	uint32_t idle_grace_ms;

	/** TLS: the certificate chain, a PEM text; used during the call only. */
	const char *tls_certificate;
	/** Its key, a PEM text; both or none. */
	const char *tls_key;
	/**
	 * Further options of libmicrohttpd's, up to MHD_OPTION_END, applied last to the daemon of
	 * each thread; NULL: none. Those that the server needs itself are refused.
	 */
	const struct MHD_OptionItem *daemon_options;

	const struct herald_http_options *http; /**< The endpoint's; NULL: the defaults. */
	struct herald_log log; /**< Start and stop; at debug level, what clients do wrong. */

	/** herald_serve() does not print the line that says where it listens. Default false. */
	bool quiet;
	/** Called by herald_serve() once it listens; `started_state` is passed as `state`. */
	void (*started)(const struct herald_server *server, void *state);
	/** Passed to `started`. */
	void *started_state;
};

/** Options as a compound literal: HERALD_SERVER_OPTIONS(.port = 9000). */
#define HERALD_SERVER_OPTIONS(...)                                                                 \
	((struct herald_server_options){.struct_size = sizeof(struct herald_server_options),       \
					__VA_ARGS__})

/**
 * Start a server; it listens when this returns.
 *
 * A connection belongs to one of the threads from beginning to end. While a function runs on it,
 * the others of the same thread wait; new ones go to threads that are free. Services whose
 * functions take long want many threads.
 *
 * service  borrowed; must outlive the server.
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it and ends it with herald_server_stop().
 * error    may be NULL; says which option or which system call.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_server_start(struct herald_service *service, const struct herald_server_options *options,
		    struct herald_server **out, struct herald_error *error);

/** The port it listens on. */
HERALD_API uint16_t herald_server_port(const struct herald_server *server);

/**
 * Stop: take no new connections, answer what is in flight and what arrives on open connections
 * within idle_grace_ms, close, free the server. NULL is allowed.
 *
 * Returns  the number of requests that were still in flight after drain_timeout_ms and were cut
 *          off. A business function is never interrupted: the call waits for those that run.
 */
HERALD_API size_t herald_server_stop(struct herald_server *server);

/**
 * Serve until SIGINT or SIGTERM: start, wait, stop. Call it from main, before other threads run; it
 * blocks these two signals and SIGPIPE in the calling thread and gives its mask back afterwards.
 *
 * Unless `quiet`, it prints one line to stderr once it listens:
 *
 *	listening on http://127.0.0.1:8080/event
 *
 * A second SIGINT or SIGTERM, sent while requests in flight are being answered, ends the process at
 * once. The exit status is that of the signal, in a shell 130 or 143. A program that has a handler
 * of its own for the signal, or ignores it, keeps that.
 *
 * Errors   as herald_server_start().
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_serve(struct herald_service *service, const struct herald_server_options *options,
	     struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
