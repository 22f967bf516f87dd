/*
 * HTTP requests: collects a body as it arrives and lets the service handle it. Media types are
 * checked in endpoint.c; what is kept of the head is in request_attributes.c; responses are written
 * in response.c.
 */
#include "http/request.h"

#include <string.h>

#include <herald/adapter/request.h>
#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/options.h"
#include "http/batch.h"
#include "http/coding.h"
#include "http/drain.h"
#include "http/endpoint.h"
#include "http/framing.h"
#include "http/handshake.h"
#include "http/request_attributes.h"
#include "http/response.h"
#include "service/format.h"
#include "service/pipeline.h"
#include "service/service.h"

/* Whether one of several formats takes the event, which the request then keeps. They may ask for
 * headers. True, too, if the response is known. */
HERALD__NOT_INLINE static bool
is_in_a_format(struct herald_http_request *request, const struct herald_http_head *head)
{
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = herald__request_attribute,
			       .attributes_visit = herald__request_attributes_visit,
			       .state = request, .content_type = head->content_type);

	herald__request_keep_head(request, head);
	if (request->answered)
		return true;

	const struct herald_format *format =
		herald__format_find(request->endpoint->service, &arrival);
	if (!herald__endpoint_accepts_format(request->endpoint, format, head->content_type))
		return false;
	request->format = format;
	request->is_batch =
		format && format->ops->is_batch && format->ops->is_batch(format, &arrival);
	if (request->is_batch && !request->endpoint->takes_batches)
		herald__refuse(request, 415, "batches are not accepted here");
	return true;
}

/* Find the format of events that come one a line. If there is none, the response is known. */
static void
find_line_format(struct herald_http_request *request, const struct herald_http_head *head)
{
	const struct herald_endpoint *endpoint = request->endpoint;

	request->is_batch = request->is_lines = true;
	if (!endpoint->service->selects_format)
		return;
	herald__request_keep_head(request, head);
	if (request->answered)
		return;
	request->format = herald__format_find(
		endpoint->service,
		&HERALD_ARRIVAL(.attribute = herald__request_attribute,
				.attributes_visit = herald__request_attributes_visit,
				.state = request, .content_type = endpoint->ndjson_media_type));
	if (!request->format)
		herald__refuse(request, 415,
			       "the lines, which are %s, are in no format of the service: a header "
			       "is missing",
			       endpoint->ndjson_media_type);
}

static bool
is_accepted(struct herald_http_request *request, const struct herald_http_head *head)
{
	if (herald__endpoint_takes_lines(request->endpoint, head->content_type)) {
		find_line_format(request, head);
		return true;
	}
	return request->endpoint->service->selects_format
		       ? is_in_a_format(request, head)
		       : herald__endpoint_accepts(request->endpoint, head->content_type);
}

struct herald_http_request *
herald_http_request_create(struct herald_endpoint *endpoint, const struct herald_http_head *head)
{
	return herald__http_request_create(endpoint, head, NULL);
}

void
herald__http_request_free_spare(struct herald_endpoint *endpoint, struct herald_http_request *spare)
{
	herald__request_pool_free(&endpoint->requests, spare);
}

struct herald_http_request *
herald__http_request_create(struct herald_endpoint *endpoint, const struct herald_http_head *head,
			    struct herald_http_request **spare)
{
	struct herald_http_request *request = herald__request_pool_take(&endpoint->requests, spare);
	bool declared = head->content_length != HERALD_HTTP_NO_LENGTH;

	if (!request)
		return NULL;
	request->endpoint = endpoint;
	request->drain = head->drain;
	bool is_handled = herald__drain_enter(head->drain);
	bool is_post = head->method && strcmp(head->method, "POST") == 0;
	if (!is_post && head->method && strcmp(head->method, "OPTIONS") == 0)
		herald__handshake_respond(request, head);
	else if (!is_post)
		herald__respond_other_method(request, head->method);
	else if (!is_accepted(request, head))
		herald__refuse_media_type(request, head->content_type);
	else if (request->answered)
		return request;
	else if (head->content_encoding &&
		 !herald__coding_find(endpoint, head->content_encoding, &request->coding))
		herald__refuse_coding(request, head->content_encoding);
	else if (declared && head->content_length > endpoint->max_body_bytes)
		herald__refuse_size(request);
	else if (declared && head->content_length <= HERALD__RETAINED_BODY_BYTES &&
		 herald_buffer_reserve(&request->body, (size_t)head->content_length) != HERALD_OK)
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
	if (!request->answered && (!is_handled || atomic_load(&endpoint->stopping)))
		herald__respond_retry(request, "the server is stopping", 0);
	if (!request->answered && !endpoint->service->selects_format &&
	    herald__request_needs_head(endpoint->service, head))
		herald__request_keep_head(request, head);
	return request;
}

/* `error` is set for HERALD_BAD_FORMAT. */
static void
refuse_body(struct herald_http_request *request, enum herald_status status,
	    const struct herald_error *error)
{
	herald_buffer_finish(&request->body);
	herald__coding_end(request);
	if (status == HERALD_TOO_LARGE)
		herald__refuse_size(request);
	else if (status == HERALD_BAD_FORMAT)
		herald__respond_error(request, 400, error->message, NULL);
	else
		herald__respond_retry(request, herald_status_text(HERALD_NO_MEMORY), 0);
}

bool
herald__http_request_announce(struct herald_http_request *request, uint64_t bytes)
{
	if (request->answered)
		return false;
	if (bytes <= request->endpoint->max_body_bytes)
		return true;
	refuse_body(request, HERALD_TOO_LARGE, NULL);
	return false;
}

bool
herald_http_request_append(struct herald_http_request *request, const char *data, size_t bytes)
{
	if (request->answered)
		return false;

	struct herald_error error;
	enum herald_status status = request->coding
					    ? herald__coding_decode(request, data, bytes, &error)
					    : herald_buffer_append(&request->body, data, bytes);
	if (status == HERALD_OK)
		return true;
	refuse_body(request, status, &error);
	return false;
}

const struct herald_http_response *
herald_http_request_response(const struct herald_http_request *request)
{
	return request->answered ? &request->response : NULL;
}

void
herald__request_queued(struct herald_http_request *request)
{
	request->queued_ns = herald__clock_now_ns(request->endpoint->service->clock);
}

static uint32_t
waited_ms(const struct herald_http_request *request)
{
	if (request->queued_ns == 0)
		return 0;

	uint64_t now_ns = herald__clock_now_ns(request->endpoint->service->clock);
	uint64_t ms = (now_ns - request->queued_ns) / HERALD__MS_NS;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static struct herald_arrival
arrival_of(struct herald_http_request *request)
{
	return HERALD_ARRIVAL(.attribute = herald__request_attribute,
			      .attributes_visit = herald__request_attributes_visit,
			      .state = request, .waited_ms = waited_ms(request),
			      .content_type = request->content_type);
}

/* A context of its own, because taking one from the service's pool would cost two more locks. NULL
 * when out of memory. */
static struct herald_context *
context_of(struct herald_http_request *request)
{
	if (!request->ctx)
		request->ctx = herald__context_create(request->endpoint->service);
	if (request->ctx)
		request->ctx->known_format = request->format;
	return request->ctx;
}

/* Whether all of the body was read as JSON. With some formats the event is in the headers, and the
 * body is its payload: if that is wrong, or is not JSON, it may be any bytes. */
static bool
is_whole(const struct herald_context *ctx, enum herald_status status)
{
	if (!ctx || !herald_context_message(ctx))
		return false;
	if (ctx->is_checked)
		return true;
	if (ctx->payload_data.data || !ctx->format->ops->reads_all)
		return false;
	return ctx->payload || status == HERALD_OK || status == HERALD_UNKNOWN_TYPE ||
	       status == HERALD_UNKNOWN_VERSION;
}

/* The event has been handled. */
static void
end_event(struct herald_http_request *request, const struct herald_result *result)
{
	struct herald_context *ctx = request->ctx;

	herald__request_release_large_body(request);
	request->is_whole = is_whole(ctx, result->status);
	herald__respond_result(request, result);
	/* The answer is in the event's memory until the response has been sent. */
	if (ctx && !ctx->answer)
		herald__context_reset(ctx);
}

static void
handle_event(struct herald_http_request *request, char *body, size_t bytes)
{
	const struct herald_arrival arrival = arrival_of(request);
	struct herald_result result;

	if (request->is_batch) {
		herald__http_batch_handle(request, body, bytes, &arrival);
		herald__request_release_large_body(request);
		return;
	}
	herald__service_handle_in(request->endpoint->service, context_of(request), body, bytes,
				  &arrival, &result);
	end_event(request, &result);
}

/* Decode the rest of a body with a coding. */
static void
finish_coding(struct herald_http_request *request)
{
	struct herald_error error;

	if (!request->coding || request->answered)
		return;
	enum herald_status status = herald__coding_finish(request, &error);
	if (status != HERALD_OK)
		refuse_body(request, status, &error);
}

/* The store has the event, or has refused it. */
static void
end_stored_event(struct herald_http_request *request)
{
	struct herald_result result;

	request->is_stored = false;
	if (request->is_batch) {
		herald__http_batch_end(request);
		herald__request_release_large_body(request);
		return;
	}
	herald__service_end_in(request->endpoint->service, request->ctx, &result);
	end_event(request, &result);
}

const struct herald_http_response *
herald_http_request_finish(struct herald_http_request *request)
{
	if (request->is_stored)
		end_stored_event(request);
	finish_coding(request);
	if (!request->answered)
		handle_event(request, request->body.data, request->body.bytes);
	return &request->response;
}

/* With a store. Returns NULL if it has the event: `done` may have been called already, so the
 * request must not be accessed. */
static const struct herald_http_response *
store_event(struct herald_http_request *request, void (*done)(void *state), void *state)
{
	const struct herald_arrival arrival = arrival_of(request);
	struct herald_result result;

	request->is_stored = true;
	if (request->is_batch) {
		if (!herald__http_batch_begin(request, request->body.data, request->body.bytes,
					      &arrival, done, state))
			return NULL;
		request->is_stored = false;
		herald__request_release_large_body(request);
		return &request->response;
	}
	if (!herald__service_begin_in(request->endpoint->service, context_of(request),
				      request->body.data, request->body.bytes, &arrival, done,
				      state, &result))
		return NULL;
	request->is_stored = false;
	end_event(request, &result);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_finish_async(struct herald_http_request *request, void (*done)(void *state),
				 void *state)
{
	if (!request->endpoint->service->inbox)
		return herald_http_request_finish(request);
	finish_coding(request);
	return request->answered ? &request->response : store_event(request, done, state);
}

bool
herald_http_request_may_wait(const struct herald_http_request *request)
{
	return request->endpoint->service->inbox && !request->answered && !request->is_stored;
}

const struct herald_http_response *
herald_http_request_finish_in_place(struct herald_http_request *request, char *body, size_t bytes)
{
	if (request->coding) {
		herald_http_request_append(request, body, bytes);
		return herald_http_request_finish(request);
	}
	if (!request->answered)
		handle_event(request, body, bytes);
	return &request->response;
}

bool
herald_http_request_is_whole(const struct herald_http_request *request)
{
	return request->is_whole;
}

const struct herald_http_response *
herald_http_request_unreadable(struct herald_http_request *request)
{
	if (!request->answered)
		herald__respond_error(request, 400, "failed to read the request body", NULL);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_ambiguous(struct herald_http_request *request, const char *problem)
{
	request->response = (struct herald_http_response){0};
	herald__respond_error(request, herald_http_problem_status(problem), problem, NULL);
	return &request->response;
}

const struct herald_http_response *
herald_http_request_unavailable(struct herald_http_request *request, const char *reason)
{
	if (!request->answered)
		herald__respond_retry(request, reason, 0);
	return &request->response;
}

void
herald_http_request_destroy(struct herald_http_request *request)
{
	if (!request)
		return;
	struct herald_http_drain *drain = request->drain;
	/* The client has gone, but the event is stored: it counts. */
	if (request->is_stored)
		end_stored_event(request);
	if (request->coding)
		herald__coding_end(request);
	herald__request_pool_give(&request->endpoint->requests, request);
	/* This must be last: the endpoint and the drain may be destroyed from here on. */
	herald__drain_leave(drain);
}
