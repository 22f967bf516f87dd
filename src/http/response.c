/*
 * Writes the responses for results of events, and for refused requests. A request contains the
 * memory for its response, so that one can be sent even when out of memory.
 */
#include "http/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/format.h>
#include <herald/adapter/http.h>

#include "base/attributes.h"
#include "base/safe_text.h"
#include "http/endpoint.h"
#include "service/answer.h"
#include "service/service.h"

#define BODY(TEXT)                                                                                 \
	.content_type = "application/json", .body = (TEXT), .body_bytes = sizeof(TEXT) - 1

static const struct herald_http_response success = {
	.status = 200,
	BODY("{\"status\":\"success\"}"),
};

static const struct herald_http_response accepted = {
	.status = 202,
	BODY("{\"status\":\"accepted\"}"),
};

static const struct herald_http_response duplicate = {
	.status = 202,
	BODY("{\"status\":\"duplicate\"}"),
};

/* For senders that read a body as something else. */
static const struct herald_http_response no_content = {.status = 204};
static const struct herald_http_response accepted_empty = {.status = 202};

/* For Dapr's pub/sub, by verdict. */
static const struct herald_http_response dapr[] = {
	[HERALD_DONE] = {.status = 200, BODY("{\"status\":\"SUCCESS\"}")},
	[HERALD_RETRY] = {.status = 200, BODY("{\"status\":\"RETRY\"}")},
	[HERALD_FAIL] = {.status = 200, BODY("{\"status\":\"DROP\"}")},
};

static const struct herald_http_response unavailable = {
	.status = 503,
	BODY("{\"error\":\"Service Unavailable\"}"),
	.retry_after_s = 1,
};

const struct herald_http_response *
herald_http_success(void)
{
	return &success;
}

bool
herald_http_is_success(const struct herald_http_response *response)
{
	/* The same body implies the same type. */
	return response->body == success.body && response->status == success.status &&
	       response->headers_count == 0;
}

bool
herald__response_is_usual(const struct herald_http_response *response)
{
	/* The same body implies the same type and, of the second one, the same status. */
	return herald_http_is_success(response) ||
	       (response->body == accepted.body && response->headers_count == 0);
}

const struct herald_http_response *
herald_http_unavailable(void)
{
	return &unavailable;
}

/* The registered reason phrases (RFC 9110 section 15, and IANA's registry of statuses). If errors
 * are hidden, a response has only these. */
static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{203, "Non-Authoritative Information"},
	{204, "No Content"},
	{205, "Reset Content"},
	{206, "Partial Content"},
	{207, "Multi-Status"},
	{208, "Already Reported"},
	{226, "IM Used"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{305, "Use Proxy"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{423, "Locked"},
	{424, "Failed Dependency"},
	{425, "Too Early"},
	{426, "Upgrade Required"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{451, "Unavailable For Legal Reasons"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{506, "Variant Also Negotiates"},
	{507, "Insufficient Storage"},
	{508, "Loop Detected"},
	{511, "Network Authentication Required"},
};

const char *
herald_http_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "Unassigned" : "error";
}

static uint32_t
whole_seconds(uint32_t milliseconds)
{
	return (uint32_t)(((uint64_t)milliseconds + 999) / 1000);
}

/* A buffer over the request's own memory. It never allocates, because it is as large as its
 * limit. */
static struct herald_buffer
response_buffer(struct herald_http_request *request)
{
	return (struct herald_buffer){
		.data = request->answer,
		.capacity = sizeof(request->answer),
		.max_bytes = sizeof(request->answer),
		.allocator = request->endpoint->service->allocator,
	};
}

/* Write {"error":...}. Returns whether it fits. Adds the path and the offset of `error`, which may
 * be NULL. */
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
	/* Paths are already escaped for JSON strings. */
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

void
herald__respond_error(struct herald_http_request *request, unsigned status, const char *text,
		      const struct herald_error *place)
{
	static const char fallback[] = "{\"error\":\"error\"}";
	struct herald_buffer out = response_buffer(request);
	bool hidden = request->endpoint->hide_errors;

	request->response.status = status;
	if (write_error(&out, hidden ? herald_http_reason(status) : text, hidden ? NULL : place))
		set_body(request, out.data, out.bytes);
	else
		set_body(request, fallback, sizeof(fallback) - 1);
}

void
herald__respond_retry(struct herald_http_request *request, const char *text,
		      uint32_t retry_after_ms)
{
	if (retry_after_ms == 0)
		retry_after_ms = request->endpoint->retry_after_ms;
	herald__respond_error(request, 503, text, NULL);
	request->response.retry_after_s = whole_seconds(retry_after_ms);
}

void
herald__refuse(struct herald_http_request *request, unsigned status, const char *format, ...)
{
	char text[HERALD__MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	herald__text_format(text, sizeof(text), format, arguments);
	va_end(arguments);
	herald__respond_error(request, status, text, NULL);
}

/* The methods of an endpoint. */
#define ALLOW "POST, OPTIONS"

/* The maximum length of a request's method or content type in a response. */
#define SENT_BYTES 104

static const char *
show_sent(char *out, const char *text)
{
	herald__text_line(out, SENT_BYTES, text, strlen(text), false);
	return out;
}

void
herald__respond_other_method(struct herald_http_request *request, const char *method)
{
	char sent[SENT_BYTES];

	if (method && strcmp(method, "OPTIONS") == 0) {
		request->response.status = 204;
		request->answered = true;
	} else {
		herald__refuse(request, 405, "expected method POST, found %s",
			       show_sent(sent, method ? method : "nothing"));
	}
	request->response.allow = ALLOW;
}

/* Names, with "or" between them. */
struct names {
	char text[HERALD__MESSAGE_BYTES];
	size_t bytes; /* may be more than there is room for */
};

static void
add_names(struct names *out, const char *const *names)
{
	static const char *const json[] = {"application/json", NULL};

	for (names = names ? names : json; *names && out->bytes < sizeof(out->text); names++)
		out->bytes +=
			(size_t)snprintf(out->text + out->bytes, sizeof(out->text) - out->bytes,
					 "%s%s", out->bytes > 0 ? " or " : "", *names);
}

/* "application/json", or "text/xml or text/csv": only as many as leave room for what was sent. */
static void
list_media_types(const struct herald_endpoint *endpoint, char *out, size_t size)
{
	static const char *const lines[] = {HERALD__NDJSON, NULL};
	const struct herald_service *service = endpoint->service;
	struct names list = {.text = ""};

	if (endpoint->media_types)
		add_names(&list, endpoint->media_types);
	for (size_t i = 0; !endpoint->media_types && i < service->formats_count; i++)
		add_names(&list, service->formats[i]->media_types);
	if (endpoint->takes_ndjson)
		add_names(&list, lines);
	herald__text_line(out, size, list.text, strlen(list.text), list.bytes >= sizeof(list.text));
}

void
herald__refuse_media_type(struct herald_http_request *request, const char *content_type)
{
	char expected[128], sent[SENT_BYTES];

	list_media_types(request->endpoint, expected, sizeof(expected));
	if (content_type)
		herald__refuse(request, 415, "expected Content-Type %s, found %s", expected,
			       show_sent(sent, content_type));
	else
		herald__refuse(request, 415, "Content-Type is missing; expected %s", expected);
}

void
herald__refuse_coding(struct herald_http_request *request, const char *content_encoding)
{
	char expected[SENT_BYTES], sent[SENT_BYTES];

	herald__refuse(request, 415, "expected Content-Encoding %s, found %s",
		       show_sent(expected, request->endpoint->accept_encoding),
		       show_sent(sent, content_encoding));
	request->response.accept_encoding = request->endpoint->accept_encoding;
}

void
herald__refuse_size(struct herald_http_request *request)
{
	herald__refuse(request, 413, "the body is larger than %zu bytes",
		       request->endpoint->max_body_bytes);
}

static void
respond_success(struct herald_http_request *request)
{
	request->response = success;
	request->answered = true;
}

/* The kind of answers that the sender of an event expects. */
static enum herald_answers
answers_of(const struct herald_http_request *request)
{
	enum herald_answers own = request->endpoint->answers;

	if (own != HERALD_ANSWERS_OF_FORMAT || !request->ctx)
		return own;
	return request->ctx->format->ops->answers;
}

/* Respond to an event that was handled, or stored. */
static void
respond_done(struct herald_http_request *request, enum herald_acceptance acceptance,
	     const struct herald_answer *answer)
{
	struct herald_http_response *response = &request->response;
	enum herald_answers answers = answers_of(request);

	respond_success(request);
	if (answers == HERALD_ANSWERS_DAPR)
		*response = dapr[HERALD_DONE];
	else if (answers == HERALD_ANSWERS_EMPTY)
		*response = acceptance == HERALD_ACCEPTANCE_NONE ? no_content : accepted_empty;
	else if (acceptance != HERALD_ACCEPTANCE_NONE)
		*response = acceptance == HERALD_ACCEPTANCE_ACCEPTED ? accepted : duplicate;
	if (acceptance != HERALD_ACCEPTANCE_NONE)
		return;
	if (answer->status == 0)
		return;
	response->status = answer->status;
	if (answer->content_type || answer->status == 204 || answer->status == 205) {
		response->content_type = answer->content_type;
		response->body = answer->body;
		response->body_bytes = answer->body_bytes;
	}
}

static void
respond_dapr(struct herald_http_request *request, enum herald_verdict verdict)
{
	request->response = dapr[verdict];
	request->answered = true;
}

/* Senders that expect JSON are told more; the others repeat what is not 400. */
unsigned
herald__failure_status(const struct herald_http_request *request,
		       const struct herald_result *result)
{
	bool is_json = answers_of(request) <= HERALD_ANSWERS_JSON;

	switch (result->status) {
	case HERALD_OK:
		if (result->http_status != 0)
			return result->http_status;
		return is_json ? 500 : 400;
	case HERALD_UNKNOWN_TYPE:
	case HERALD_UNKNOWN_VERSION:
		return is_json ? 404 : 400;
	case HERALD_UNAUTHORIZED:
		return 401;
	case HERALD_TOO_LARGE:
		return 413;
	case HERALD_BAD_MEDIA_TYPE:
		return 415;
	default:
		return 400;
	}
}

static void
respond_failed(struct herald_http_request *request, const struct herald_result *result)
{
	unsigned status = herald__failure_status(request, result);
	bool is_placed = result->status != HERALD_OK && status == 400;

	herald__respond_error(request, status, herald__public_reason(result),
			      is_placed ? &result->error : NULL);
}

void
herald__respond_results(struct herald_http_request *request, unsigned status,
			struct herald_text body, uint32_t retry_after_ms)
{
	request->response.status = status;
	if (status == 503)
		request->response.retry_after_s = whole_seconds(
			retry_after_ms ? retry_after_ms : request->endpoint->retry_after_ms);
	if (status == 401)
		request->response.challenge = "Bearer";
	if (status == 405)
		request->response.allow = ALLOW;
	set_body(request, body.data, body.bytes);
}

void
herald__respond_lines(struct herald_http_request *request, struct herald_text body)
{
	request->response.status = 200;
	set_body(request, body.data, body.bytes);
	request->response.content_type = HERALD__NDJSON;
}

/*
 * Add the headers that were set, and those that a status has to have (RFC 9110 sections 15.5.2 and
 * 15.5.6). What was set replaces what Herald would say.
 */
static void
add_headers(struct herald_http_response *response, const struct herald_answer *answer)
{
	response->headers = answer->headers;
	response->headers_count = answer->headers_count;
	if (herald__answer_header(answer, "Retry-After"))
		response->retry_after_s = 0;
	if (response->status == 401 && !herald__answer_header(answer, "WWW-Authenticate"))
		response->challenge = "Bearer";
	if (response->status == 405 && !herald__answer_header(answer, "Allow"))
		response->allow = ALLOW;
}

/* The message of a database, such as one with the name of its file, is for the log and not for the
 * sender. */
const char *
herald__public_reason(const struct herald_result *result)
{
	switch (result->status) {
	case HERALD_UNAVAILABLE:
	case HERALD_UNKNOWN_OUTCOME:
	case HERALD_STORE_FAILED:
		return herald_status_text(result->status);
	case HERALD_UNAUTHORIZED:
		/* The reason would help those who try to forge events. */
		return herald_http_reason(401);
	default:
		return result->error.message;
	}
}

/* Whether a body says what Dapr is to do next. Not of a batch that was refused: who sends one reads
 * only the status, and takes 200 for delivered. */
static bool
answers_as_dapr(const struct herald_http_request *request, const struct herald_result *result)
{
	return answers_of(request) == HERALD_ANSWERS_DAPR && !request->is_batch &&
	       result->status != HERALD_UNAUTHORIZED;
}

/* Not inlined, so that most events do not pay for it. */
HERALD__NOT_INLINE static void
respond_with_answer(struct herald_http_request *request, const struct herald_result *result)
{
	const struct herald_answer answer = herald__answer_of(request->ctx, result->verdict);

	if (result->verdict == HERALD_DONE)
		respond_done(request, result->acceptance, &answer);
	else if (answers_as_dapr(request, result))
		respond_dapr(request, result->verdict);
	else if (result->verdict == HERALD_RETRY)
		herald__respond_retry(request, herald__public_reason(result),
				      result->retry_after_ms);
	else
		respond_failed(request, result);
	add_headers(&request->response, &answer);
}

void
herald__respond_result(struct herald_http_request *request, const struct herald_result *result)
{
	if (result->verdict == HERALD_DONE && result->acceptance == HERALD_ACCEPTANCE_NONE &&
	    !request->ctx->answer && answers_of(request) <= HERALD_ANSWERS_JSON)
		respond_success(request);
	else
		respond_with_answer(request, result);
}
