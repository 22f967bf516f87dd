/*
 * A response as bytes. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_ANSWER_H
#define HERALD_SRC_HTTP_SERVER_ANSWER_H

#include <stdbool.h>

#include <herald/adapter/request.h>
#include <herald/buffer.h>
#include <herald/status.h>
#include <herald/value.h>

/* The parts of an answer that are not in its response. */
struct herald__answer_options {
	const char *date;           /* a complete line */
	struct herald_text headers; /* complete lines, without a NUL */
	bool is_head;               /* the method is HEAD: do not send the body */
	bool closes;                /* the last answer of the connection */
	bool is_http10;             /* tell the client that the connection stays open */
};

/*
 * Append an answer. Without a content type it has no body.
 *
 * Errors  HERALD_TOO_LARGE, HERALD_NO_MEMORY; `out` is then unchanged.
 */
HERALD_MUST_CHECK enum herald_status
herald__answer_write(struct herald_buffer *out, const struct herald_http_response *response,
		     const struct herald__answer_options *options);

#endif
