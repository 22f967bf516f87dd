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

/* Six headers, each value up to three times as long. */
#define HERALD__REQUEST_HEADER_BYTES                                                               \
	(3 * (HERALD__EVENT_TYPE_BYTES + HERALD__EVENT_ID_BYTES + HERALD__RESULT_BYTES +           \
	      HERALD__ERROR_BYTES) +                                                               \
	 HERALD__DELIVERY_ID_BYTES + 256)

/* The headers of one attempt; the list's nodes and text are in it, so that nothing is allocated. */
struct herald__request {
	struct curl_slist headers; /* all of Herald's but the next one */
	struct curl_slist content_type;
	size_t bytes;
	char text[HERALD__REQUEST_HEADER_BYTES];
};

/* The schema of the body; a codec of it is what herald__request_body() takes. */
HERALD_SCHEMA_DECLARE(herald__request_body);

/*
 * Write the headers of item's attempt, followed by `more`, which may be NULL. The list is for
 * CURLOPT_HTTPHEADER and valid until the next call.
 */
struct curl_slist *
herald__request_headers(struct herald__request *request, const struct herald__queued *item,
			bool has_body, struct curl_slist *more);

/* Write the body of item's attempt. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__request_body(const struct herald_codec *codec, const struct herald__queued *item,
		     struct herald_buffer *out);

/*
 * Whether "Name: value" may be sent along: a token, a value of one line without control characters,
 * and not a name that Herald or libcurl decides about.
 */
bool herald__request_header_is_allowed(const char *header);

#endif
