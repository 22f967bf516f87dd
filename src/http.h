/*
 * The HTTP endpoint's inside: what http.c, which knows what is accepted, and http_request.c, which
 * collects bodies and answers, share.
 */
#ifndef HERALD_SRC_HTTP_H
#define HERALD_SRC_HTTP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/buffer.h>
#include <herald/http.h>
#include <herald/value.h>

/*
 * An answer's body: message and path, at most 255 bytes each, and what is around them. Of the message each
 * byte may become the six of "\u001f".
 */
#define HERALD__ANSWER_BYTES 4096

struct herald_http {
	struct herald_service *service;
	struct herald_allocator allocator;
	size_t max_body_bytes;
	uint32_t retry_after_ms;
	bool hide_errors;
	size_t max_idle_requests;

	/* NULL: application/json and +json. */
	struct herald_arena *arena; /* of the media types */
	const char **media_types;
	size_t media_types_count;

	atomic_bool stopping;

	pthread_mutex_t mutex;  /* over the rest */
	pthread_cond_t drained; /* signalled when none is in flight; waits on the monotonic clock */
	size_t in_flight_count; /* created and not destroyed */
	struct herald_http_request *idle;
	size_t idle_count;
};

struct herald_http_request {
	struct herald_http *http;
	struct herald_http_request *next_idle;
	uint64_t queued_ns; /* Since when it waits to be finished; 0: it does not. */
	bool answered;      /* `response` is final; the body no longer matters */
	struct herald_http_response response;
	struct herald_buffer body;
	struct herald_context *ctx; /* of its events, one after the other; NULL before the first */
	struct herald_arena *headers; /* of the next; NULL until a request needs it */
	const char **attributes;      /* values, in the order of the service's names; may be NULL */
	char answer[HERALD__ANSWER_BYTES];
};

/*
 * A header's value without the blanks around it, which are not part of it (RFC 9110 section 5.5);
 * frameworks leave some of them, each its own.
 */
struct herald_text herald__http_value(const char *value);

/* Whether a text is a host with or without a port, as in Host (RFC 9110 section 7.2), or empty. */
bool herald__http_is_host(struct herald_text text);

/* How many of a text's first bytes are a token's (RFC 9110 section 5.6.2). */
size_t herald__http_token_bytes(const char *text);

/* Whether a Content-Type, which may be NULL, is one that the endpoint takes. */
bool herald__http_accepts(const struct herald_http *http, const char *content_type);

/*
 * The body is complete, and the request waits for a thread that finishes it: the time counts for
 * the event's deadline.
 */
void herald__http_request_queued(struct herald_http_request *request);

/* Free a request with all its memory; it must not be in the pool any more. */
void herald__http_request_free(struct herald_http_request *request);

#endif
