/*
 * For authors of transports. A transport sends the attempts of a deliverer (herald/delivery.h) over
 * a network. The deliverer decides what is sent, when, and how often. The transport sends one
 * request and reports the outcome.
 *
 * A transport embeds struct herald_transport as its first member, and has a constructor:
 *
 *	struct my_transport {
 *		struct herald_transport base;
 *		...
 *	};
 *
 *	static const struct herald_transport_ops my_ops = {.name = "my", .begin = my_begin, ...};
 *
 * All functions are called on the deliverer's thread, unless their comments say otherwise. First
 * open() is called; then wait(), next_finished(), begin() and cancel() in any order; at the end
 * destroy(). wake() may be called at any time in between. All functions are required.
 */
#ifndef HERALD_ADAPTER_TRANSPORT_H
#define HERALD_ADAPTER_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_transport_ops;

/** The first member of every transport. */
struct herald_transport {
	const struct herald_transport_ops *ops; /**< Its functions; set by its constructor. */
	/** NULL at first; set by herald_deliverer_create(). */
	const struct herald_deliverer *deliverer;
};

/** Settings for opening a transport. */
struct herald_transport_settings {
	size_t max_attempts;            /**< Limit of concurrent attempts. */
	size_t max_attempts_per_origin; /**< Limit of concurrent attempts to one origin. */
	bool allow_credentials;         /**< URLs may contain user:password@. */
};

/**
 * One attempt: the request to send. The deliverer owns it. It does not change from begin() until
 * next_finished() has returned it or cancel() has been called.
 */
struct herald_attempt {
	/** An http or https URL of printable ASCII that RFC 3986 allows. */
	const char *url;
	/** Scheme, host and port of the URL, normalised: "https://example.com:443". */
	const char *origin;
	/** A hash of the origin, with well-distributed bits. */
	uint64_t origin_hash;
	/** The method. Only a POST has a body. */
	enum herald_delivery_method method;
	/** Herald's own headers, as sent: "Name: value" lines separated by "\r\n". */
	const char *own_headers;
	/** Further headers, each "Name: value". None of them is one that HTTP clients set
	 * themselves. */
	const char *const *headers;
	size_t headers_count;     /**< Their number. */
	const char *content_type; /**< Of the body; NULL for a GET. */
	const void *body;         /**< Any bytes; NULL for a GET. */
	size_t body_bytes;        /**< 0 for a GET. A POST may have an empty body. */
	/** The previous attempt got no response: open a new connection instead of reusing one. */
	bool opens_connection;
	/** For the transport, which may set it in begin() and use it in cancel(). */
	void *data;
};

/** The outcome of an attempt. Zero it, then set what applies. */
struct herald_attempt_result {
	/** The message was delivered, and there is no HTTP status: a broker has confirmed it. */
	bool is_confirmed;
	/** The status of the final response; 0: there was none, its head was not complete, or the
	 * receiver cut off its body. */
	unsigned http_status;
	/** Without a status: whether another attempt may succeed. */
	bool may_retry;
	/** The value of the response's Retry-After header; "" if it has none. */
	char retry_after[64];
	/** Without a status: the error, in one line; herald_attempt_result_fail() sets it. */
	char error[256];
	/** The address that the socket was connected to, as text; "" if none. */
	char address[48];
	uint64_t answer_bytes; /**< Of the response's heads and body, as far as they were read. */
};

/** The functions of a transport. */
struct herald_transport_ops {
	/** The name of the network library, such as "curl", for messages. */
	const char *name;

	/**
	 * Prepare for up to max_attempts concurrent attempts. herald_deliverer_create() calls it
	 * once, on its caller's thread. It may block. The settings are borrowed during the call. On
	 * failure, destroy() is called.
	 */
	enum herald_status (*open)(struct herald_transport *transport,
				   const struct herald_transport_settings *settings,
				   struct herald_error *error);

	/**
	 * Begin an attempt. Must not block, and must not call hooks or the deliverer, except for
	 * herald_transport_address_problem(). Even if the attempt ends at once, next_finished()
	 * reports it. A result other than HERALD_OK means that there is not enough memory now: the
	 * attempt is begun again later and does not count.
	 */
	enum herald_status (*begin)(struct herald_transport *transport,
				    struct herald_attempt *attempt);

	/**
	 * End an attempt that has begun and was not yet returned by next_finished(), because it
	 * took too long or the deliverer stops. Must not block. If the response is incomplete, its
	 * connection is closed.
	 */
	void (*cancel)(struct herald_transport *transport, struct herald_attempt *attempt);

	/**
	 * Send and receive as much as possible. Wait until an attempt ends, there is more to send
	 * or receive, wake() is called, or timeout_ms have passed (-1: no limit; 0: do not wait).
	 * May return early. This is the only function that may wait.
	 */
	void (*wait)(struct herald_transport *transport, int64_t timeout_ms);

	/**
	 * Return an attempt that has ended, each one once, and set all of *out. Return NULL if
	 * there is none. After each wait(), the deliverer takes all ended attempts before it begins
	 * or cancels others. Must not block.
	 */
	struct herald_attempt *(*next_finished)(struct herald_transport *transport,
						struct herald_attempt_result *out);

	/** End the current wait(), or else the next one. Any thread, as long as the transport is
	 * open. Must not block. */
	void (*wake)(struct herald_transport *transport);

	/**
	 * Close all connections and free the transport, whether or not it was opened. No attempt is
	 * in progress. Called on the thread of herald_deliverer_create() or
	 * herald_deliverer_destroy(). May block.
	 */
	void (*destroy)(struct herald_transport *transport);
};

/**
 * Check whether the deliverer's options allow a connection to this address and its port. Call it
 * for every socket before connecting, with the socket's address: the URL alone does not show what a
 * name lookup finds, or where the user's settings lead. If a proxy is used, pass the proxy's
 * address.
 *
 * Returns  NULL if it is allowed; otherwise why not, one line, static storage. If there is no other
 *          address to connect to, the attempt has failed and may not be retried.
 * Threads  the deliverer's.
 */
HERALD_API const char *
herald_transport_address_problem(const struct herald_transport *transport,
				 const struct sockaddr *address, socklen_t address_bytes);

/**
 * Set an attempt's result to a failure without a response. The text is converted to one line of
 * UTF-8 and truncated to fit. The other members are cleared.
 */
HERALD_API HERALD_PRINTF(3, 4) void herald_attempt_result_fail(struct herald_attempt_result *out,
							       bool may_retry, const char *format,
							       ...);

#ifdef __cplusplus
}
#endif
#endif
