/*
 * Requests to an endpoint without sockets, and responses as text. Include cmocka.h (and what it
 * needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_POSTING_H
#define HERALD_TESTS_SUPPORT_POSTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/request.h>

/* A request. `headers` are names and values, then NULL; Content-Type is one of them. */
struct posted {
	const char *method; /* NULL: POST */
	const char *const *headers;
	const char *body;
	size_t bytes; /* 0: of a string */
};

struct posted_answer {
	unsigned status;
	char headers[1024]; /* "Name: value\n" for each */
	char body[8192];
};

#define HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void
posting_visit(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	for (const char *const *pair = state; pair && pair[0]; pair += 2)
		if (!visit(pair[0], pair[1], visit_state))
			return;
}

static inline bool
posting_note_header(const char *name, const char *value, void *state)
{
	char *text = state;
	size_t used = strlen(text);

	snprintf(text + used, sizeof(((struct posted_answer *)NULL)->headers) - used, "%s: %s\n",
		 name, value);
	return true;
}

static inline const char *
posting_find(const struct posted *posted, const char *name)
{
	for (const char *const *pair = posted->headers; pair && pair[0]; pair += 2)
		if (strcasecmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

static inline struct herald_http_request *
posting_begin(struct herald_endpoint *endpoint, const struct posted *posted)
{
	size_t bytes = posted->bytes ? posted->bytes : strlen(posted->body);
	const struct herald_http_head head = {
		.method = posted->method ? posted->method : "POST",
		.content_type = posting_find(posted, "content-type"),
		.content_length = bytes,
		.headers_visit = posting_visit,
		.state = (void *)(uintptr_t)posted->headers,
	};
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);

	assert_non_null(request);
	herald_http_request_append(request, posted->body, bytes);
	return request;
}

static inline void
posting_end(struct herald_http_request *request, struct posted_answer *out)
{
	const struct herald_http_response *response = herald_http_request_finish(request);

	memset(out, 0, sizeof(*out));
	out->status = response->status;
	assert_true(response->body_bytes < sizeof(out->body));
	if (response->body_bytes > 0)
		memcpy(out->body, response->body, response->body_bytes);
	herald_http_response_headers(response, posting_note_header, out->headers);
	herald_http_request_destroy(request);
}

static inline struct posted_answer
post(struct herald_endpoint *endpoint, const struct posted *posted)
{
	struct posted_answer answer;

	posting_end(posting_begin(endpoint, posted), &answer);
	return answer;
}

static inline struct herald_endpoint *
create_endpoint(struct herald_service *service, const struct herald_endpoint_options *options)
{
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error;

	if (herald_endpoint_create(service, options, &endpoint, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return endpoint;
}

#endif
