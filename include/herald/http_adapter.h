/*
 * For those who write an HTTP adapter: the parts of the translation that are the same for every
 * framework. What a request is for, what its headers say about where its body ends, and which
 * headers an answer has.
 */
#ifndef HERALD_HTTP_ADAPTER_H
#define HERALD_HTTP_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/http.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a request's body ends, as far as its headers tell (RFC 9112 section 6), and what it is. */
struct herald_http_framing {
	uint64_t content_length; /**< Declared, or HERALD_HTTP_NO_LENGTH. */
	bool chunked;            /**< Transfer-Encoding: chunked. */
	bool expects_continue; /**< The client may wait for 100, or an answer, to send the body. */
	/** Malformed, or two readers could disagree: herald_http_request_ambiguous(), and close. */
	bool ambiguous;
	const char *content_type; /**< The value of that header; NULL: there is none. */
	bool has_host;            /**< There is a Host. */
};

/** A request without headers. */
#define HERALD_HTTP_FRAMING_INIT                                                                   \
	{                                                                                          \
		.content_length = HERALD_HTTP_NO_LENGTH                                            \
	}

/**
 * Read one of a request's headers; call it for all, repeated ones too.
 *
 * Ambiguous are, because with their like requests have been smuggled past a proxy: a length that is
 * not a number, a second length, an encoding other than chunked, a length with an encoding, a
 * second Content-Type, a Host that is not a host and port, a second Host, a name that is not a
 * token (RFC 9110 section 5.6.2), such as one with a blank before its colon, and a value with a
 * control byte other than a tab.
 *
 * framing  begun with HERALD_HTTP_FRAMING_INIT.
 * value    blanks around it do not count (RFC 9110 section 5.5), but around chunked they do: not
 *          all frameworks know that encoding then. NULL is an empty one. Borrowed if it is a
 *          content type. A NUL ends it: an adapter whose framework lets one through checks for it.
 */
HERALD_API void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value);

/**
 * Read a request's version, after its headers. Ambiguous are versions other than HTTP/1.0 and
 * HTTP/1.1, HTTP/1.1 without Host (RFC 9112 section 3.2), and HTTP/1.0 with a Transfer-Encoding,
 * which that version does not have (section 6.1).
 *
 * version  "HTTP/1.0" or "1.0" as the framework has it; NULL when it does not tell: nothing is
 *          checked.
 */
HERALD_API void
herald_http_framing_version(struct herald_http_framing *framing, const char *version);

/**
 * Whether a refusal that is known from the head is to be sent at once and the connection closed,
 * instead of reading and dropping the body first: the client waits for the answer, or the body is
 * larger than 16 MiB, or nobody can tell where it ends.
 */
HERALD_API bool herald_http_framing_must_close(const struct herald_http_framing *framing);

/**
 * Read a request's target (RFC 9112 section 3.2): "/event?source=a", "http://localhost:8080/event"
 * or "*".
 *
 * target   as it was sent; a framework that has decoded it can have lost what tells two paths
 *          apart.
 * path     set only if it is a target: borrowed from it, without the query, not decoded; "/" for
 *          none.
 * Returns  whether it is one: visible ASCII, in one of these forms, no fragment, a host that is
 *          one, and no broken escape nor %00 in its path. If not, refuse the request and close.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_http_target_path(const char *target, struct herald_text *path);

/**
 * Whether a target is one, and its path is exactly this: "/event" is not "/event/", nor "/%65vent".
 *
 * path  one that herald_http_path_check() takes.
 */
HERALD_API bool herald_http_target_is(const char *target, const char *path);

/**
 * Check the path of an adapter's options, when it is created: "/" and what may follow in a URL,
 * escaped as clients send it, at most 1,024 bytes. A path with blanks, say, would never match.
 *
 * option   its name, "path", for the error.
 * Errors   HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_http_path_check(const char *option, const char *path, struct herald_error *error);

/** The reason phrase of a status, for a status line: "OK"; "error" for those that are not known. */
HERALD_API const char *herald_http_reason(unsigned status);

/** Takes one header of an answer; `value` lives until it returns. */
typedef void herald_http_header_sink(const char *name, const char *value, void *state);

/** Name the headers that an answer has: Content-Type, Content-Length, Allow and Retry-After. */
HERALD_API void herald_http_response_headers(const struct herald_http_response *response,
					     herald_http_header_sink *sink, void *state);

#ifdef __cplusplus
}
#endif
#endif
