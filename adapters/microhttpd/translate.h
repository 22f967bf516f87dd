/*
 * Private to the libmicrohttpd adapter: what the translation and the server of Herald's own share.
 */
#ifndef HERALD_MICROHTTPD_TRANSLATE_H
#define HERALD_MICROHTTPD_TRANSLATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <microhttpd.h>

#include <herald/http_adapter.h>

#include "kept.h"
#include "whole.h"

/* The head of a request, as far as the translation needs it. Borrowed from the connection. */
struct herald__head {
	struct herald_http_head http;
	struct herald_http_framing framing;
	struct herald__whole whole;
};

/* Read the head of a request at its first call; see herald__whole_begin(). */
void herald__head_read(struct MHD_Connection *connection, const char *method, size_t target_bytes,
		       const char *version, struct herald__head *out);

/* How herald__handle() reads a head, and herald__answer() sends. */
struct herald__answer_options {
	size_t target_bytes; /* see herald__whole_begin() */
	/* Where the response that is kept comes from, instead of a new one each time; may be NULL. */
	struct herald__kept *kept;
	/* If it is true by the time of the answer, "Connection: close" is added; may be NULL. */
	const atomic_bool *close;
};

/* A response with `from`'s headers and body, which is borrowed; NULL when memory is out. */
struct MHD_Response *herald__response_create(const struct herald_http_response *from);

/* Queue a response; MHD_NO, which makes libmicrohttpd close the connection, when it cannot. */
enum MHD_Result
herald__answer(struct MHD_Connection *connection, const struct herald_http_response *response,
	       const struct herald__answer_options *options);

/* herald_microhttpd_handle() with options for the answer. */
enum MHD_Result
herald__handle(struct herald_http *http, struct MHD_Connection *connection, const char *method,
	       const char *version, const char *upload_data, size_t *upload_data_size,
	       void **con_cls, const struct herald__answer_options *options);

#endif
