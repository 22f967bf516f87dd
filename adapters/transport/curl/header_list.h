/*
 * The headers of an attempt as a list for libcurl.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_HEADER_LIST_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_HEADER_LIST_H

#include <curl/curl.h>

#include <herald/adapter/transport.h>
#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/status.h>

/* Memory for one list at a time. Zero it and set its allocator. */
struct herald__curl_headers {
	struct curl_slist own; /* all of Herald's own headers, in one node */
	struct curl_slist content_type;
	struct curl_slist no_expect;
	struct herald_buffer nodes;   /* for the other headers */
	struct herald_buffer content; /* "Content-Type: ..." */
};

void herald__curl_headers_init(struct herald__curl_headers *list,
			       const struct herald_allocator *allocator);
void herald__curl_headers_finish(struct herald__curl_headers *list);

/*
 * Create the list of an attempt.
 *
 * out     for CURLOPT_HTTPHEADER. Points to the attempt; valid until the next call.
 * Errors  HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__curl_headers_write(struct herald__curl_headers *list, const struct herald_attempt *attempt,
			   struct curl_slist **out);

#endif
