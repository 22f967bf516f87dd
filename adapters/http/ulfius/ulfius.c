/*
 * Connects Ulfius' callbacks to an endpoint: reads a request's map of headers, and passes on the
 * response. Knows neither events nor sockets, and keeps nothing between requests.
 *
 * Ulfius calls back when a body is complete, or truncated (see the header). The response is passed
 * as a stream although it is in memory: this avoids copies, and Ulfius reports when it has been
 * sent, so that the request counts as in flight until then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/drain.h>
#include <herald/adapter/http.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/ulfius.h>

#define DEFAULT_PATH "/event"

struct herald_ulfius {
	struct herald_endpoint *endpoint;
	uint32_t idle_grace_ms;
	struct herald_http_drain drain;
};

/* Reading the request. */

/* The herald_http_head.headers_visit callback. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct _u_request *request = state;
	const struct _u_map *headers = request->map_header;

	for (int i = 0; i < headers->nb_values; i++)
		if (!visit(headers->keys[i], headers->values[i], visit_state))
			return;
}

/* The query of a target, or NULL. */
static const char *
query_of(const char *target)
{
	const char *mark = target ? strchr(target, '?') : NULL;

	return mark ? mark + 1 : NULL;
}

/*
 * Ulfius joins headers of the same name into one, so repeated lengths become an invalid one.
 * http_url is the target as sent.
 */
static struct herald_http_framing
read_framing(const struct _u_request *request)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	const struct _u_map *headers = request->map_header;

	for (int i = 0; i < headers->nb_values; i++)
		herald_http_framing_add(&framing, headers->keys[i], headers->values[i]);
	herald_http_framing_request_line(&framing, request->http_verb,
					 request->http_url ? request->http_url : "",
					 request->http_protocol);
	return framing;
}

static const struct herald_http_response *
handle(struct herald_http_request *to, const struct _u_request *from,
       const struct herald_http_framing *framing)
{
	if (framing->problem)
		return herald_http_request_ambiguous(to, framing->problem);
	if (from->binary_body_length > 0)
		herald_http_request_append(to, from->binary_body, from->binary_body_length);
	/* Cannot happen unless the instance was changed after herald_ulfius_create(). */
	if (!framing->chunked && framing->content_length != HERALD_HTTP_NO_LENGTH &&
	    framing->content_length != from->binary_body_length)
		return herald_http_request_unreadable(to);
	return herald_http_request_finish(to);
}

/* Sending the response. */

/* Ulfius' stream_callback. */
static ssize_t
copy_body(void *state, uint64_t offset, char *out, size_t size)
{
	const struct herald_http_response *response = herald_http_request_response(state);
	size_t left = response->body_bytes - (size_t)offset;
	size_t bytes = left < size ? left : size;

	memcpy(out, response->body + offset, bytes);
	return (ssize_t)bytes;
}

/* Ulfius' stream_callback_free: the response has been sent, or the connection is closed. */
static void
sent(void *state)
{
	herald_http_request_destroy(state);
}

/* The herald_http_header_sink. libmicrohttpd adds the length. */
static bool
put_header(const char *name, const char *value, void *state)
{
	struct _u_response *response = state;

	return strcmp(name, "Content-Length") == 0 ||
	       u_map_put(response->map_header, name, value) == U_OK;
}

/*
 * Ulfius' copy of a head does not show what libmicrohttpd (0.9.75) has dropped: a line that is only
 * a colon ends the head, and a folded line hides a length. Then the apparent body is not an event,
 * and the apparent next request is the body. So the connection is closed after everything but an
 * event.
 */
static bool
must_close(const struct herald_http_framing *framing, const struct herald_http_request *request,
	   const char *method)
{
	return !request || !herald_http_request_is_whole(request) ||
	       herald_http_framing_may_hide_body(framing, method);
}

static int
handle_request(const struct _u_request *from, struct _u_response *to, void *state)
{
	struct herald_ulfius *ulfius = state;
	struct herald_http_framing framing = read_framing(from);
	const struct herald_http_head head = {
		.method = from->http_verb,
		.content_type = framing.content_type,
		.content_encoding = framing.content_encoding,
		.content_length = framing.content_length,
		.headers_visit = visit_headers,
		.query = query_of(from->http_url),
		/* Not written to; the member is not const because other states are. */
		.state = (void *)(uintptr_t)from,
		.drain = &ulfius->drain,
	};
	struct herald_http_request *request = herald_http_request_create(ulfius->endpoint, &head);
	const struct herald_http_response *response =
		request ? handle(request, from, &framing) : herald_http_unavailable();

	if (!herald_http_response_headers(response, put_header, to)) {
		herald_http_request_destroy(request);
		return U_CALLBACK_ERROR; /* Ulfius answers 500. */
	}
	if (must_close(&framing, request, from->http_verb) ||
	    herald_http_drain_is_stopping(&ulfius->drain))
		u_map_put(to->map_header, "Connection", "close");
	/* A block of 0 bytes is an error for libmicrohttpd. */
	if (request)
		ulfius_set_stream_response(
			to, response->status, copy_body, sent, response->body_bytes,
			response->body_bytes > 0 ? response->body_bytes : 1, request);
	else
		ulfius_set_binary_body_response(to, response->status, response->body,
						response->body_bytes);
	return U_CALLBACK_COMPLETE;
}

/* Creating, stopping and destroying. */

static enum herald_status
check(const struct herald_endpoint *endpoint, const struct _u_instance *instance, const char *path,
      struct herald_error *error)
{
	size_t limit = instance->max_post_body_size;
	enum herald_status status = herald_http_path_check("path", path, error);

	if (status != HERALD_OK)
		return status;
	if (strchr(path, '%'))
		return herald_option_refuse(error, "path",
					    "must have no escapes: Ulfius decodes them");
	if (limit != 0 && limit <= herald_endpoint_max_body_bytes(endpoint))
		return herald_option_refuse(
			error, "max_post_body_size",
			"must be larger than the endpoint's max_body_bytes: Ulfius cuts bodies "
			"off");
	return HERALD_OK;
}

static enum herald_status
add_to_instance(struct herald_ulfius *ulfius, struct _u_instance *instance, const char *path,
		struct herald_error *error)
{
	switch (ulfius_add_endpoint_by_val(instance, "*", NULL, path, 0, handle_request, ulfius)) {
	case U_OK:
		return HERALD_OK;
	case U_ERROR_MEMORY:
		return herald_out_of_memory(error);
	default:
		return herald_option_refuse(error, "path", "Ulfius rejected the path");
	}
}

enum herald_status
herald_ulfius_create(struct herald_endpoint *endpoint, struct _u_instance *instance,
		     const struct herald_ulfius_options *options, struct herald_ulfius **out,
		     struct herald_error *error)
{
	struct herald_ulfius_options read;
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_ULFIUS_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (!read.path)
		read.path = DEFAULT_PATH;
	status = check(endpoint, instance, read.path, error);
	if (status != HERALD_OK)
		return status;

	struct herald_ulfius *ulfius = calloc(1, sizeof(*ulfius));
	if (!ulfius || !herald_http_drain_init(&ulfius->drain)) {
		free(ulfius);
		return herald_out_of_memory(error);
	}
	ulfius->endpoint = endpoint;
	ulfius->idle_grace_ms = read.idle_grace_ms;
	status = add_to_instance(ulfius, instance, read.path, error);
	if (status != HERALD_OK) {
		herald_ulfius_destroy(ulfius);
		return status;
	}
	*out = ulfius;
	return HERALD_OK;
}

size_t
herald_ulfius_stop(struct herald_ulfius *ulfius, uint32_t drain_ms)
{
	if (!ulfius)
		return 0;
	return herald_http_drain_stop(&ulfius->drain, ulfius->idle_grace_ms, drain_ms);
}

void
herald_ulfius_destroy(struct herald_ulfius *ulfius)
{
	if (!ulfius)
		return;
	herald_http_drain_finish(&ulfius->drain);
	free(ulfius);
}
