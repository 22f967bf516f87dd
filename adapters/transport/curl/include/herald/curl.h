/*
 * Deliveries over HTTP with libcurl: a transport for a deliverer (herald/delivery.h).
 *
 *	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 5);
 *
 *	herald_curl_transport_create(NULL, &options.transport, &error);
 *	herald_deliverer_create(&options, &deliverer, &error);
 *
 * Connections are kept open and reused. If the receiver closes one just before a request is sent,
 * the attempt fails, and the next attempt opens a new connection. Every attempt after one without a
 * response does so. Redirects are not followed. The proxy settings of the environment, including
 * no_proxy, are ignored. Authentication that takes two requests (Digest, NTLM) is not possible,
 * because an attempt is one request on the wire.
 *
 * HTTP/2 is used only if `setup` asks for it. With prior knowledge (h2c), libcurl 7.88 cannot reuse
 * a connection: the attempt fails, and the next one opens a new connection. Over TLS it can.
 */
#ifndef HERALD_CURL_H
#define HERALD_CURL_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include <herald/allocator.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options of the transport. Zero means the default. */
struct herald_curl_transport_options {
	size_t struct_size; /**< Set by HERALD_CURL_TRANSPORT_OPTIONS. */

	/**
	 * Limit for the headers of a response: its head, all interim (1xx) responses before it, and
	 * its trailers. If it is exceeded before the head of the final response is complete, the
	 * delivery fails without another attempt. Default 65,536, limit 262,144.
	 */
	size_t max_answer_header_bytes;
	/**
	 * Limit for the body of a response, after decoding if the setup enables an encoding. A
	 * larger body is cut off and its connection closed; the status is still valid. Default
	 * 65,536, limit 1 GiB.
	 */
	size_t max_answer_body_bytes;
	/**
	 * Limit for everything that the socket receives for a response, including TLS, chunk sizes
	 * and extensions, and frames. Bytes are counted only from the third read on, and libcurl
	 * may take 400 KiB in each, so that up to 2 MiB more may be read. If the limit is exceeded,
	 * the same happens as for the other two. Default 131,072 more than their sum, limit 2 GiB.
	 *
	 * Responses by HTTP/2 share a socket as streams. For each of them, all bytes of the socket
	 * are counted, up to slots_per_host times this limit. So a response that takes long may end
	 * because of the others.
	 */
	size_t max_answer_bytes;

	/**
	 * Called once for each handle of libcurl when it is created; there are at most as many as
	 * the deliverer has `slots`. Use it to configure TLS (CURLOPT_CAINFO, CURLOPT_SSLCERT,
	 * ...), a user agent, an interface or a proxy. The deliverer's options must allow the
	 * proxy's address and port.
	 *
	 * The handle keeps these settings. Afterwards the transport sets what it needs itself:
	 * method, headers, timeouts, callbacks, redirects, new connections, protocols, and how
	 * responses are handled. Handles share nothing (CURLOPT_SHARE).
	 *
	 * The first call is during creation. If it returns false, creation fails. Later calls are
	 * on the deliverer's thread. If one returns false, the handle is discarded, the attempt is
	 * delayed by a second, and another handle is created if needed.
	 *
	 * Handles are used for all destinations: a password that is set here (CURLOPT_USERPWD,
	 * CURLOPT_XOAUTH2_BEARER) is sent to any URL that a sender names.
	 */
	bool (*setup)(CURL *easy, void *state);
	void *state; /**< Passed to `setup`; must outlive the deliverer. */

	struct herald_allocator allocator; /**< Zeroed: libc's. libcurl has its own. */
};

/** Options as a compound literal. */
#define HERALD_CURL_TRANSPORT_OPTIONS(...)                                                         \
	((struct herald_curl_transport_options){                                                   \
		.struct_size = sizeof(struct herald_curl_transport_options), __VA_ARGS__})

/**
 * Create a transport for the option `transport` of one deliverer, which then owns it.
 *
 * options  NULL means the defaults; copied.
 * out      set only on HERALD_OK. herald_deliverer_create() takes ownership, as it says. If it is
 *          never called, free the transport with herald_curl_transport_destroy().
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any. Calls curl_global_init(), which is safe on any thread since libcurl 7.84.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_curl_transport_create(const struct herald_curl_transport_options *options,
			     struct herald_transport **out, struct herald_error *error);

/** Free a transport that was not passed to a deliverer. NULL is allowed. */
HERALD_API void herald_curl_transport_destroy(struct herald_transport *transport);

#ifdef __cplusplus
}
#endif
#endif
