/*
 * For authors of HTTP adapters: functions that are the same for every framework. They check the
 * target of a request, read from its headers where the body ends, and list the headers of a
 * response.
 */
#ifndef HERALD_ADAPTER_HTTP_H
#define HERALD_ADAPTER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/request.h>
#include <herald/adapter/text.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The framing and the type of a request's body, by its headers (RFC 9112 section 6). */
struct herald_http_framing {
	uint64_t content_length; /**< Declared, or HERALD_HTTP_NO_LENGTH. */
	bool chunked;            /**< Transfer-Encoding: chunked. */
	bool expects_continue;   /**< The client may wait for 100 before it sends the body. */
	/**
	 * Why the head is malformed or can be read in two ways, as one line in static storage;
	 * NULL: it is valid. The first problem is kept. Call herald_http_request_ambiguous(), and
	 * close.
	 */
	const char *problem;
	const char *content_type; /**< The value of that header; NULL: missing. */
	/** Likewise. HERALD_HTTP_SEVERAL_CODINGS: there are several headers with codings. */
	const char *content_encoding;
	bool has_host; /**< There is a Host header. */
	/**
	 * Set it before herald_http_framing_request_line() if the connection is encrypted, or comes
	 * from a trusted proxy that decrypts: targets with "https" are accepted.
	 */
	bool is_secured;
	/** A Connection header lists "close": the connection ends after the response, even if
	 * "keep-alive" is there, too (RFC 9112 section 9.3). */
	bool asks_to_close;
	/** A Connection header lists "keep-alive", which only HTTP/1.0 needs. */
	bool asks_to_keep_alive;
};

/**
 * The `content_encoding` of a request with several such headers: they are one list (RFC 9110
 * section 8.4), and the endpoint does not take lists. Headers that are empty or "identity" do not
 * count.
 */
#define HERALD_HTTP_SEVERAL_CODINGS "several codings"

/** A request without headers. */
#define HERALD_HTTP_FRAMING_INIT                                                                   \
	{                                                                                          \
		.content_length = HERALD_HTTP_NO_LENGTH                                            \
	}

/**
 * Read one of a request's headers. Call it for all of them, including repeated ones.
 *
 * These make a request ambiguous, because requests have been smuggled past proxies with them: a
 * length that is not a number, a second length, an encoding other than chunked, a length together
 * with an encoding, a second Content-Type, a Host that is not a host and port, a second Host, a
 * name that is not a token (RFC 9110 section 5.6.2), such as one with a blank before its colon, a
 * name that goes on after "Content-Length" or "Transfer-Encoding", because frameworks have joined
 * the lines of folded headers like that, and a value with a control character other than a tab.
 *
 * An expectation other than 100-continue is a problem, too: its sender might wait for something
 * that never comes (RFC 9110 section 10.1.1).
 *
 * framing  initialised with HERALD_HTTP_FRAMING_INIT.
 * value    blanks around it are ignored (RFC 9110 section 5.5), except around "chunked", because
 *          not all frameworks recognise that encoding then. NULL means empty. The values of
 *          Content-Type and Content-Encoding are borrowed. The value ends at a NUL, so if the
 *          framework accepts NULs, the adapter must check for them itself.
 */
HERALD_API void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value);

/**
 * Read a request's first line, after its headers. These must be refused, too:
 *
 * - a method that is not a token, such as one with a carriage return (RFC 9110 section 9.1);
 * - the method CONNECT, because what follows is a body for some, and bytes of a tunnel for others
 *   (RFC 9110 section 9.3.6);
 * - a target that herald_http_target_path() refuses, and "*" with a method other than OPTIONS;
 * - a target with "https" on a connection that is not secured (RFC 9110 section 7.4);
 * - versions other than HTTP/1.0 and HTTP/1.1, which frameworks read differently, HTTP/1.1 without
 *   Host (RFC 9112 section 3.2), and HTTP/1.0 with a Transfer-Encoding, which that version does not
 *   have (section 6.1).
 *
 * Each may be NULL if the framework does not report it; then it is not checked.
 *
 * target   as it was sent, not decoded.
 * version  "HTTP/1.0" or "1.0".
 */
HERALD_API void
herald_http_framing_request_line(struct herald_http_framing *framing, const char *method,
				 const char *target, const char *version);

/**
 * Check a path or a query, for frameworks that do not report the whole target. It is refused if
 * herald_http_target_path() would refuse a target with it: if it has anything but visible ASCII, a
 * '#', an invalid escape, or %00.
 *
 * part  as it was sent, not decoded. NULL is allowed.
 */
HERALD_API void
herald_http_framing_target_part(struct herald_http_framing *framing, const char *part);

/**
 * The status of the response to a request with this `problem`: 417 for an unknown expectation, 421
 * for a target with https on a connection that is not secured, otherwise 400.
 */
HERALD_API unsigned herald_http_problem_status(const char *problem);

/**
 * Whether a body could follow the head although it declares neither a length nor chunks: with any
 * method other than GET and HEAD. An adapter whose framework may drop headers (as libmicrohttpd
 * 0.9.75 does) closes the connection after such a request, because what follows may be its body.
 */
HERALD_API bool
herald_http_framing_may_hide_body(const struct herald_http_framing *framing, const char *method);

/** Whether a body follows the head: a Content-Length above 0, or chunks. */
HERALD_API bool herald_http_framing_has_body(const struct herald_http_framing *framing);

/**
 * Whether to send a refusal that is known from the head at once, and close the connection, instead
 * of reading and dropping the body first. True if the client waits for a response, if the body is
 * larger than 16 MiB, or if its end is unknown.
 */
HERALD_API bool herald_http_framing_must_close(const struct herald_http_framing *framing);

/**
 * Parse a request's target (RFC 9112 section 3.2): "/event?source=a", "http://localhost:8080/event"
 * or "*".
 *
 * target   as it was sent. After decoding, different paths may look the same.
 * path     set only on success: borrowed from the target, without the query, not decoded. "/" if
 *          there is none.
 * Returns  whether the target is valid: visible ASCII in one of these forms, with a valid host,
 *          without a fragment, and without invalid escapes or %00. If not, refuse the request and
 *          close the connection. Visible characters that RFC 3986 wants escaped, such as "|" and
 *          "[", are accepted: clients send them.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_http_target_path(const char *target, struct herald_text *path);

/**
 * Whether a target is valid and has exactly this path: "/event" is neither "/event/" nor
 * "/%65vent".
 *
 * path  must be valid for herald_http_path_check().
 */
HERALD_API bool herald_http_target_is(const char *target, const char *path);

/**
 * Check the path in an adapter's options: "/" and what may follow in a URL, escaped as clients send
 * it, limit 1,024 bytes. Other paths, such as one with blanks, would never match.
 *
 * option   the option's name, "path", for the error.
 * path     NULL is refused.
 * Errors   HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_http_path_check(const char *option, const char *path, struct herald_error *error);

/** The reason phrase of a status, such as "OK"; "Unassigned" or, from 400 on, "error" for unknown
 * ones. */
HERALD_API const char *herald_http_reason(unsigned status);

/** Takes a header of a response. Both texts are valid until it returns. False: it failed. */
typedef bool herald_http_header_sink(const char *name, const char *value, void *state);

/**
 * Pass all headers of a response to `sink`: Content-Type, Content-Length, Allow, Accept-Encoding,
 * WWW-Authenticate, Retry-After, and what functions and handlers of the service set. A response
 * without a body has no Content-Type; one with status 204 or 304 has no Content-Length (RFC 9110
 * section 8.6).
 *
 * Returns  false as soon as `sink` does.
 */
HERALD_API bool herald_http_response_headers(const struct herald_http_response *response,
					     herald_http_header_sink *sink, void *state);

#ifdef __cplusplus
}
#endif
#endif
