/*
 * HTTP requests: a body is collected as it comes, handled by the service, and the result put into
 * words. What is accepted at all is http.c's.
 *
 * A request has all it needs for an answer from the start, so that there is one when memory is out.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/http_adapter.h>

#include "arena.h"
#include "http.h"
#include "memory.h"
#include "options.h"
#include "service.h"
#include "json/text.h"

/* The most that is kept of a body's memory for the next one, or taken for a length only declared. */
#define KEPT_BODY_BYTES ((size_t)64 << 10)

/* The most of a request's headers that is kept for handlers. */
#define MAX_HEADERS_BYTES ((size_t)64 << 10)

static const char success[] = "{\"status\":\"success\"}";

/* Answers. */

/* The reason phrases of RFC 9110 section 15 and RFC 6585: all that a hidden error tells. */
const char *
herald_http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{402, "Payment Required"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{423, "Locked"},
		{424, "Failed Dependency"},
		{425, "Too Early"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "error";
}

static uint32_t
whole_seconds(uint32_t milliseconds)
{
	return (uint32_t)(((uint64_t)milliseconds + 999) / 1000);
}

/* A buffer over the request's own room; being as large as its limit, it never allocates. */
static struct herald_buffer
answer_buffer(struct herald_http_request *request)
{
	return (struct herald_buffer){
		.data = request->answer,
		.capacity = sizeof(request->answer),
		.max_bytes = sizeof(request->answer),
		.allocator = request->http->allocator,
	};
}

/* Whether {"error":...} fitted; `error` adds path and offset, and may be NULL. */
static bool
write_error(struct herald_buffer *out, const char *text, const struct herald_error *error)
{
	char offset[40] = "\"}";

	if (herald_buffer_append(out, "{\"error\":", 9) != HERALD_OK ||
	    herald__json_append_text(out, text) != HERALD_OK)
		return false;
	if (!error)
		return herald_buffer_append(out, "}", 1) == HERALD_OK;

	if (error->offset != HERALD_NO_OFFSET)
		snprintf(offset, sizeof(offset), "\",\"offset\":%zu}", error->offset);
	/* A path is escaped as it has to be in a JSON string. */
	return herald_buffer_append(out, ",\"path\":\"", 9) == HERALD_OK &&
	       herald_buffer_append(out, error->path, strlen(error->path)) == HERALD_OK &&
	       herald_buffer_append(out, offset, strlen(offset)) == HERALD_OK;
}

static void
set_body(struct herald_http_request *request, const char *body, size_t bytes)
{
	request->response.content_type = "application/json";
	request->response.body = body;
	request->response.body_bytes = bytes;
	request->answered = true;
}

/* Answer with an error, and with its place where there is one to tell. */
static void
answer_error(struct herald_http_request *request, unsigned status, const char *text,
	     const struct herald_error *place)
{
	static const char fallback[] = "{\"error\":\"error\"}";
	struct herald_buffer out = answer_buffer(request);
	bool hidden = request->http->hide_errors;

	request->response.status = status;
	if (write_error(&out, hidden ? herald_http_reason(status) : text, hidden ? NULL : place))
		set_body(request, out.data, out.bytes);
	else
		set_body(request, fallback, sizeof(fallback) - 1);
}

/* `retry_after_ms` 0: the endpoint's. */
static void
answer_retry(struct herald_http_request *request, const char *text, uint32_t retry_after_ms)
{
	if (retry_after_ms == 0)
		retry_after_ms = request->http->retry_after_ms;
	answer_error(request, 503, text, NULL);
	request->response.retry_after_s = whole_seconds(retry_after_ms);
}

/* Answer with one line, of which the request itself may be a part. */
HERALD_PRINTF(3, 4)
static void
refuse(struct herald_http_request *request, unsigned status, const char *format, ...)
{
	char text[HERALD__MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(text, sizeof(text), format, arguments);
	va_end(arguments);
	answer_error(request, status, text, NULL);
}

/* The most of a request's method or content type that an answer shows. */
#define SENT_BYTES 104

static const char *
show_sent(char *out, const char *text)
{
	herald__text_line(out, SENT_BYTES, text, strlen(text), false);
	return out;
}

static void
refuse_method(struct herald_http_request *request, const char *method)
{
	char sent[SENT_BYTES];

	refuse(request, 405, "send POST, not %s", show_sent(sent, method ? method : "nothing"));
	request->response.allow = "POST";
}

/* "application/json", or "text/xml or text/csv": as many as leave room for what was sent. */
static void
list_media_types(const struct herald_http *http, char *out, size_t size)
{
	char text[HERALD__MESSAGE_BYTES] = "application/json";
	size_t used = http->media_types_count > 0 ? 0 : strlen(text);

	for (size_t i = 0; i < http->media_types_count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 i > 0 ? " or " : "", http->media_types[i]);
	herald__text_line(out, size, text, strlen(text), used >= sizeof(text));
}

static void
refuse_media_type(struct herald_http_request *request, const char *content_type)
{
	char expected[128], sent[SENT_BYTES];

	list_media_types(request->http, expected, sizeof(expected));
	if (content_type)
		refuse(request, 415, "send %s, not %s", expected, show_sent(sent, content_type));
	else
		refuse(request, 415, "send %s; there is no Content-Type", expected);
}

static void
refuse_size(struct herald_http_request *request)
{
	refuse(request, 413, "the body is larger than %zu bytes", request->http->max_body_bytes);
}

static void
answer_result(struct herald_http_request *request, const struct herald_result *result)
{
	const char *text = result->error.message;

	if (result->verdict == HERALD_DONE) {
		request->response.status = 200;
		set_body(request, success, sizeof(success) - 1);
		return;
	}
	if (result->verdict == HERALD_RETRY) {
		answer_retry(request, text, result->retry_after_ms);
		return;
	}
	switch (result->status) {
	case HERALD_OK:
		answer_error(request, result->http_status ? result->http_status : 500, text, NULL);
		return;
	case HERALD_UNKNOWN_TYPE:
	case HERALD_UNKNOWN_VERSION:
		answer_error(request, 404, text, NULL);
		return;
	case HERALD_TOO_LARGE:
		answer_error(request, 413, text, NULL);
		return;
	default:
		answer_error(request, 400, text, &result->error);
		return;
	}
}

/* Requests. */

/* Call it with the mutex. */
static void
leave(struct herald_http *http)
{
	http->in_flight_count--;
	if (http->in_flight_count == 0)
		pthread_cond_broadcast(&http->drained);
}

void
herald__http_request_free(struct herald_http_request *request)
{
	herald_buffer_finish(&request->body);
	herald_arena_destroy(request->headers);
	herald__context_destroy(request->ctx);
	herald__release(&request->http->allocator, request, sizeof(*request));
}

static struct herald_http_request *
take_idle(struct herald_http *http)
{
	pthread_mutex_lock(&http->mutex);
	http->in_flight_count++;
	struct herald_http_request *request = http->idle;
	if (request) {
		http->idle = request->next_idle;
		http->idle_count--;
	}
	pthread_mutex_unlock(&http->mutex);
	return request;
}

static struct herald_http_request *
take_request(struct herald_http *http)
{
	struct herald_http_request *request = take_idle(http);

	if (!request) {
		request = herald__allocate(&http->allocator, sizeof(*request));
		if (!request) {
			pthread_mutex_lock(&http->mutex);
			leave(http);
			pthread_mutex_unlock(&http->mutex);
			return NULL;
		}
		request->http = http;
		request->headers = NULL;
		request->ctx = NULL;
		herald_buffer_init(&request->body, &http->allocator, http->max_body_bytes);
	}
	request->attributes = NULL;
	request->queued_ns = 0;
	request->answered = false;
	request->response = (struct herald_http_response){0};
	return request;
}

/* Attributes: the headers that handlers read. */

static bool
copy_value(struct herald_arena *arena, const char *value, const char **copy)
{
	*copy = NULL;
	if (!value)
		return true;

	struct herald_text text = herald__http_value(value);
	*copy = herald_arena_copy(arena, text.data, text.bytes);
	return *copy != NULL;
}

/* Copy what `head` has of them; false when memory is out, or the limit exceeded. */
static bool
copy_headers(struct herald_http_request *request, const struct herald_http_head *head)
{
	const struct herald_service *service = request->http->service;
	struct herald_arena *arena = request->headers;

	request->attributes =
		herald__arena_array(arena, service->attributes_count, sizeof(*request->attributes));
	if (!request->attributes)
		return false;
	for (size_t i = 0; i < service->attributes_count; i++)
		if (!copy_value(arena, head->header(service->attributes[i], head->state),
				&request->attributes[i]))
			return false;
	return true;
}

static void
keep_headers(struct herald_http_request *request, const struct herald_http_head *head)
{
	if ((!request->headers && herald_arena_create(&request->http->allocator, MAX_HEADERS_BYTES,
						      &request->headers) != HERALD_OK) ||
	    !copy_headers(request, head)) {
		if (!request->headers || !herald__arena_over_limit(request->headers)) {
			answer_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
			return;
		}
		refuse(request, 431, "the headers are larger than %zu bytes", MAX_HEADERS_BYTES);
	}
}

static const char *
find_attribute(const char *name, void *state)
{
	const struct herald_http_request *request = state;
	const struct herald_service *service = request->http->service;

	if (request->attributes)
		for (size_t i = 0; i < service->attributes_count; i++)
			if (herald_ascii_same(service->attributes[i], name))
				return request->attributes[i];
	return NULL;
}

struct herald_http_request *
herald_http_request_create(struct herald_http *http, const struct herald_http_head *head)
{
	struct herald_http_request *request = take_request(http);
	bool declared = head->content_length != HERALD_HTTP_NO_LENGTH;

	if (!request)
		return NULL;
	if (!head->method || strcmp(head->method, "POST") != 0)
		refuse_method(request, head->method);
	else if (!herald__http_accepts(http, head->content_type))
		refuse_media_type(request, head->content_type);
	else if (declared && head->content_length > http->max_body_bytes)
		refuse_size(request);
	else if (declared && head->content_length <= KEPT_BODY_BYTES &&
		 herald_buffer_reserve(&request->body, (size_t)head->content_length) != HERALD_OK)
		answer_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
	if (!request->answered && atomic_load(&http->stopping))
		answer_retry(request, "the service is stopping", 0);
	if (!request->answered && head->header && http->service->attributes_count > 0)
		keep_headers(request, head);
	return request;
}

bool
herald_http_request_append(struct herald_http_request *request, const char *data, size_t bytes)
{
	if (request->answered)
		return false;

	enum herald_status status = herald_buffer_append(&request->body, data, bytes);
	if (status == HERALD_OK)
		return true;
	herald_buffer_finish(&request->body);
	if (status == HERALD_TOO_LARGE)
		refuse_size(request);
	else
		answer_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
	return false;
}

const struct herald_http_response *
herald_http_request_response(const struct herald_http_request *request)
{
	return request->answered ? &request->response : NULL;
}

void
herald__http_request_queued(struct herald_http_request *request)
{
	request->queued_ns = herald__clock_now_ns(request->http->service->clock);
}

static uint32_t
waited_ms(const struct herald_http_request *request)
{
	if (request->queued_ns == 0)
		return 0;

	uint64_t now_ns = herald__clock_now_ns(request->http->service->clock);
	uint64_t ms = (now_ns - request->queued_ns) / HERALD__MS_NS;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* Give back a large body: it may be long until the answer is sent, or the next request comes. */
static void
release_large_body(struct herald_http_request *request)
{
	if (request->body.capacity > KEPT_BODY_BYTES)
		herald_buffer_finish(&request->body);
}

static void
handle_event(struct herald_http_request *request)
{
	struct herald_service *service = request->http->service;
	struct herald_result result;

	/* Its own: taking one from the service's pool would be two locks more. */
	if (!request->ctx)
		request->ctx = herald__context_create(service);
	herald__service_handle_in(service, request->ctx, request->body.data, request->body.bytes,
				  &HERALD_ARRIVAL(.attribute = find_attribute, .state = request,
						  .waited_ms = waited_ms(request)),
				  &result);
	release_large_body(request);
	answer_result(request, &result);
}

const struct herald_http_response *
herald_http_request_finish(struct herald_http_request *request)
{
	if (!request->answered)
		handle_event(request);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_unreadable(struct herald_http_request *request)
{
	if (!request->answered)
		answer_error(request, 400, "failed to read the request body", NULL);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_ambiguous(struct herald_http_request *request)
{
	request->response = (struct herald_http_response){0};
	answer_error(request, 400,
		     "the request's head is malformed, or can be read in two ways; look at the "
		     "request line, Host, Content-Length, Transfer-Encoding, Content-Type, and for "
		     "blanks in names or control bytes in values",
		     NULL);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_unavailable(struct herald_http_request *request, const char *reason)
{
	if (!request->answered)
		answer_retry(request, reason, 0);
	return &request->response;
}

void
herald_http_request_destroy(struct herald_http_request *request)
{
	if (!request)
		return;

	struct herald_http *http = request->http;
	release_large_body(request);
	request->body.bytes = 0;
	if (request->headers)
		herald_arena_reset(request->headers);

	pthread_mutex_lock(&http->mutex);
	bool keep = http->idle_count < http->max_idle_requests;
	if (keep) {
		request->next_idle = http->idle;
		http->idle = request;
		http->idle_count++;
	} else {
		herald__http_request_free(request);
	}
	leave(http);
	pthread_mutex_unlock(&http->mutex);
}

const struct herald_http_response *
herald_http_unavailable(void)
{
	static const char body[] = "{\"error\":\"Service Unavailable\"}";
	static const struct herald_http_response response = {
		.status = 503,
		.content_type = "application/json",
		.body = body,
		.body_bytes = sizeof(body) - 1,
		.retry_after_s = 1,
	};

	return &response;
}
