/*
 * What a receiver is sent: headers and body of one attempt.
 */
#ifndef HERALD_CURL_REQUEST_H
#define HERALD_CURL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/status.h>

#include "queue.h"

/* "Content-Type: ", 255 bytes, and a NUL. */
#define HERALD__CONTENT_TYPE_BYTES 270

/* Six headers, each value up to three times as long. */
#define HERALD__REQUEST_HEADER_BYTES                                                               \
	(3 * (HERALD__EVENT_TYPE_BYTES + HERALD__EVENT_ID_BYTES + HERALD__RESULT_BYTES +           \
	      HERALD__ERROR_BYTES) +                                                               \
	 HERALD__DELIVERY_ID_BYTES + 256)

/* The headers of one attempt, as a list for libcurl that is made once more for each. */
struct herald__request {
	struct curl_slist headers; /* all of Herald's but the next one */
	struct curl_slist content_type;
	struct curl_slist no_expect;
	struct herald_buffer nodes; /* for headers of the delivery's own */
	size_t bytes;
	char text[HERALD__REQUEST_HEADER_BYTES];
	char content_type_text[HERALD__CONTENT_TYPE_BYTES];
};

/* The schema of the body; a codec of it is what herald__request_body() takes. */
HERALD_SCHEMA_DECLARE(herald__request_body);

/* All zero; `allocator` is for headers of deliveries. */
void
herald__request_init(struct herald__request *request, const struct herald_allocator *allocator);
void herald__request_finish(struct herald__request *request);

/*
 * Write the headers of item's attempt: Herald's, the delivery's, and those of `more`, which may be NULL, that
 * the delivery has not. `has_body`: Herald's body is sent, if the delivery has none of its own.
 *
 * out     for CURLOPT_HTTPHEADER; valid until the next call.
 * Errors  HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__request_headers(struct herald__request *request, const struct herald__queued *item,
			bool has_body, struct curl_slist *more, struct curl_slist **out);

/* Write the body of item's attempt. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__request_body(const struct herald_codec *codec, const struct herald__queued *item,
		     struct herald_buffer *out);

#endif
