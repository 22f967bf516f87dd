/*
 * The translation between Ulfius' calls and the endpoint of herald/http.h. It owns how a request's
 * map of headers is read and how an answer is handed over; it knows neither events nor sockets, and
 * holds nothing between requests.
 *
 * Ulfius calls when a body is complete, or cut off, see the header. The answer is a stream to
 * Ulfius though it is in memory: that way nothing is copied twice, and Ulfius tells when it has
 * been sent, so that the request is in flight until then.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/http_adapter.h>
#include <herald/ulfius.h>

/* What comes in. */

/* herald_http_head.header. */
static const char *
find_header(const char *name, void *state)
{
	const struct _u_request *request = state;
	const struct _u_map *headers = request->map_header;

	/* u_map_get_case() compares by the process's locale. */
	for (int i = 0; i < headers->nb_values; i++)
		if (herald_ascii_same(headers->keys[i], name))
			return headers->values[i];
	return NULL;
}

/*
 * Headers of one name are one header here, their values after each other: no length is one then.
 * Ulfius has the target as it was sent in http_url.
 */
static struct herald_http_framing
read_framing(const struct _u_request *request)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	const struct _u_map *headers = request->map_header;
	struct herald_text path;

	framing.ambiguous =
		!request->http_url || !herald_http_target_path(request->http_url, &path);

	for (int i = 0; i < headers->nb_values; i++)
		herald_http_framing_add(&framing, headers->keys[i], headers->values[i]);
	herald_http_framing_version(&framing, request->http_protocol);
	return framing;
}

static const struct herald_http_response *
handle(struct herald_http_request *to, const struct _u_request *from,
       const struct herald_http_framing *framing)
{
	if (framing->ambiguous)
		return herald_http_request_ambiguous(to);
	if (from->binary_body_length > 0)
		herald_http_request_append(to, from->binary_body, from->binary_body_length);
	/* Not if the instance is as herald_ulfius_attach() found it. */
	if (!framing->chunked && framing->content_length != HERALD_HTTP_NO_LENGTH &&
	    framing->content_length != from->binary_body_length)
		return herald_http_request_unreadable(to);
	return herald_http_request_finish(to);
}

/* What goes out. */

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

/* Its stream_callback_free: the answer has been sent, or nobody is there to get it. */
static void
sent(void *state)
{
	herald_http_request_destroy(state);
}

/* herald_http_header_sink; the length is libmicrohttpd's to tell. */
static void
put_header(const char *name, const char *value, void *state)
{
	struct _u_response *response = state;

	if (strcmp(name, "Content-Length") != 0)
		u_map_put(response->map_header, name, value);
}

/*
 * What libmicrohttpd (0.9.75) drops of a head cannot be seen in Ulfius' copy: a line of a colon
 * ends it, a folded one hides a length. What seems to be the body is not an event then, and what
 * seems to be the next request is the body. So nothing follows a request that was no event.
 */
static bool
must_close(const struct herald_http_response *response)
{
	switch (response->status) {
	case 400:
	case 405:
	case 413:
	case 415:
	case 431:
		return true;
	default:
		return false; /* an event, whatever became of it */
	}
}

static int
handle_request(const struct _u_request *from, struct _u_response *to, void *state)
{
	struct herald_http_framing framing = read_framing(from);
	const struct herald_http_head head = {
		.method = from->http_verb,
		.content_type = framing.content_type,
		.content_length = framing.content_length,
		.header = find_header,
		/* A state is not constant; it is not written to. */
		.state = (void *)(uintptr_t)from,
	};
	struct herald_http_request *request = herald_http_request_create(state, &head);
	const struct herald_http_response *response =
		request ? handle(request, from, &framing) : herald_http_unavailable();

	herald_http_response_headers(response, put_header, to);
	if (must_close(response))
		u_map_put(to->map_header, "Connection", "close");
	if (request)
		ulfius_set_stream_response(to, response->status, copy_body, sent,
					   response->body_bytes, response->body_bytes, request);
	else
		ulfius_set_binary_body_response(to, response->status, response->body,
						response->body_bytes);
	return U_CALLBACK_COMPLETE;
}

/* The place in the instance. */

static enum herald_status
fail(struct herald_error *error, enum herald_status status, const char *option, const char *text)
{
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s", text);
	if (error)
		snprintf(error->path, sizeof(error->path), "%s", option);
	return status;
}

enum herald_status
herald_ulfius_attach(struct herald_http *http, struct _u_instance *instance, const char *path,
		     struct herald_error *error)
{
	size_t limit = instance->max_post_body_size;

	if (limit != 0 && limit <= herald_http_max_body_bytes(http))
		return fail(error, HERALD_BAD_OPTION, "max_post_body_size",
			    "must be larger than the endpoint's max_body_bytes: Ulfius cuts bodies "
			    "off");
	switch (ulfius_add_endpoint_by_val(instance, "*", NULL, path, 0, handle_request, http)) {
	case U_OK:
		return HERALD_OK;
	case U_ERROR_MEMORY:
		return fail(error, HERALD_NO_MEMORY, "", herald_status_text(HERALD_NO_MEMORY));
	default:
		return fail(error, HERALD_BAD_OPTION, "path", "Ulfius does not take this path");
	}
}
