/*
 * For those who write an HTTP adapter: the parts of the translation that are the same for every
 * framework. What a request's headers say about where its body ends, and which headers an answer has.
 */
#ifndef HERALD_HTTP_ADAPTER_H
#define HERALD_HTTP_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a request's body ends, as far as its headers tell (RFC 9112 section 6), and what it is. */
struct herald_http_framing {
	uint64_t content_length; /**< Declared, or HERALD_HTTP_NO_LENGTH. */
	bool chunked;            /**< Transfer-Encoding: chunked. */
	bool expects_continue; /**< The client may wait for 100, or an answer, to send the body. */
	/** Two readers could disagree: herald_http_request_ambiguous(), and close. */
	bool ambiguous;
	const char *content_type; /**< The value of that header; NULL: there is none. */
};

/** A request without headers. */
#define HERALD_HTTP_FRAMING_INIT                                                                   \
	{                                                                                          \
		.content_length = HERALD_HTTP_NO_LENGTH                                            \
	}

/**
 * Read one of a request's headers; call it for all, repeated ones too.
 *
 * A length that is no number, a second one, an encoding other than chunked, length and encoding at
 * once, more than one Content-Type, or a name that is no token (RFC 9110 section 5.6.2), as one with a
 * blank before its colon, are ambiguous: with their like requests have been smuggled past a proxy.
 *
 * framing  begun with HERALD_HTTP_FRAMING_INIT.
 * value    blanks around it do not count (RFC 9110 section 5.5), but around chunked they do: not all
 *          frameworks know that encoding then. NULL is an empty one. Borrowed if it is a content
 *          type.
 */
HERALD_API void
herald_http_framing_add(struct herald_http_framing *framing, const char *name, const char *value);

/**
 * Read a request's version, after its headers: HTTP/1.0 has no Transfer-Encoding, and a request with
 * one is ambiguous (RFC 9112 section 6.1).
 *
 * version  "HTTP/1.0" or "1.0" as the framework has it; NULL when it does not tell.
 */
HERALD_API void
herald_http_framing_version(struct herald_http_framing *framing, const char *version);

/**
 * Whether a refusal that is known from the head is to be sent at once and the connection closed,
 * instead of reading and dropping the body first: the client waits for the answer, or the body is
 * larger than 16 MiB, or nobody can tell where it ends.
 */
HERALD_API bool herald_http_framing_must_close(const struct herald_http_framing *framing);

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
