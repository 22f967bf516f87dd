/*
 * The translation between libmicrohttpd's calls and the endpoint of herald/http.h. It owns how a
 * request's head is read and when and how an answer is queued; it knows neither events nor sockets,
 * and holds nothing between calls but the endpoint's request in *con_cls.
 *
 * libmicrohttpd calls the access handler once with the head, then once per piece of the body, then
 * once more with size 0. It takes an answer at the first call, after which it closes the connection,
 * and at the last; an answer queued in between is refused. So a refusal is sent:
 *
 *	- at the first call, when the client waits for a 100 Continue, or has declared so much that it
 *	  would be pointless to read it;
 *	- else at the last call, the body read and dropped: a client that is still writing when its
 *	  connection is closed would see a reset instead of the answer.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <herald/microhttpd.h>

#include "translate.h"

static enum MHD_Result
read_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_bytes,
	    const char *value, size_t value_bytes)
{
	struct herald__head *head = cls;

	(void)kind, (void)key_bytes;
	herald_http_framing_add(&head->framing, key, value);
	herald__whole_add(&head->whole, key, value, value_bytes);
	return MHD_YES;
}

static const char *
find_header(const char *name, void *state)
{
	return MHD_lookup_connection_value(state, MHD_HEADER_KIND, name);
}

void
herald__head_read(struct MHD_Connection *connection, const char *method, size_t target_bytes,
		  const char *version, struct herald__head *out)
{
	*out = (struct herald__head){
		.http = {.method = method, .header = find_header, .state = connection},
		.framing = HERALD_HTTP_FRAMING_INIT,
	};
	herald__whole_begin(&out->whole, connection, method, target_bytes, version);
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, out);
	herald_http_framing_version(&out->framing, version);
	if (herald__whole_is_needed())
		out->framing.ambiguous |= !herald__whole_end(&out->whole, connection);
	out->http.content_type = out->framing.content_type;
	out->http.content_length = out->framing.content_length;
}

struct MHD_Response *
herald__response_create(const struct herald_http_response *from)
{
	char number[sizeof("4294967295")];
	bool complete = true;

	/* The cast is libmicrohttpd's: it does not write to persistent memory. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		from->body_bytes, (void *)(uintptr_t)from->body, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return NULL;
	complete &= MHD_add_response_header(response, "Content-Type", from->content_type);
	if (from->allow)
		complete &= MHD_add_response_header(response, "Allow", from->allow);
	if (from->retry_after_s > 0) {
		snprintf(number, sizeof(number), "%" PRIu32, from->retry_after_s);
		complete &= MHD_add_response_header(response, "Retry-After", number);
	}
	if (!complete) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

enum MHD_Result
herald__answer(struct MHD_Connection *connection, const struct herald_http_response *from,
	       const struct herald__answer_options *options)
{
	bool close = options->close && atomic_load(options->close);
	struct MHD_Response *response = NULL;
	if (options->kept && !close && herald__kept_is(from))
		response = herald__kept_get(options->kept);
	if (response)
		return MHD_queue_response(connection, from->status, response);

	response = herald__response_create(from);
	if (!response)
		return MHD_NO;
	enum MHD_Result queued = MHD_YES;
	if (close)
		queued = MHD_add_response_header(response, "Connection", "close");
	if (queued == MHD_YES)
		queued = MHD_queue_response(connection, from->status, response);
	MHD_destroy_response(response);
	return queued;
}

/* The first call: there is a head and no body yet. */
static enum MHD_Result
begin(struct herald_http *http, struct MHD_Connection *connection, const char *method,
      const char *version, void **con_cls, const struct herald__answer_options *options)
{
	struct herald__head head;

	herald__head_read(connection, method, options->target_bytes, version, &head);
	struct herald_http_request *request = herald_http_request_create(http, &head.http);
	if (!request)
		return herald__answer(connection, herald_http_unavailable(), options);
	*con_cls = request;
	if (head.framing.ambiguous)
		return herald__answer(connection, herald_http_request_ambiguous(request), options);

	const struct herald_http_response *refusal = herald_http_request_response(request);
	if (refusal && herald_http_framing_must_close(&head.framing))
		return herald__answer(connection, refusal, options);
	return MHD_YES;
}

enum MHD_Result
herald__handle(struct herald_http *http, struct MHD_Connection *connection, const char *method,
	       const char *version, const char *upload_data, size_t *upload_data_size,
	       void **con_cls, const struct herald__answer_options *options)
{
	struct herald_http_request *request = *con_cls;

	if (!request)
		return begin(http, connection, method, version, con_cls, options);
	if (*upload_data_size > 0) {
		/* After a refusal the rest is read and dropped; the answer follows at its end. */
		herald_http_request_append(request, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	return herald__answer(connection, herald_http_request_finish(request), options);
}

enum MHD_Result
herald_microhttpd_handle(struct herald_http *http, struct MHD_Connection *connection,
			 const char *method, const char *version, const char *upload_data,
			 size_t *upload_data_size, void **con_cls)
{
	return herald__handle(http, connection, method, version, upload_data, upload_data_size,
			      con_cls,
			      &(struct herald__answer_options){
				      .target_bytes = HERALD__UNKNOWN_TARGET,
			      });
}

bool
herald_microhttpd_is_ambiguous(struct MHD_Connection *connection, const char *method,
			       const char *version)
{
	struct herald__head head;

	herald__head_read(connection, method, HERALD__UNKNOWN_TARGET, version, &head);
	return head.framing.ambiguous;
}

void
herald_microhttpd_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			    enum MHD_RequestTerminationCode toe)
{
	(void)cls;
	(void)connection;
	(void)toe;
	herald_http_request_destroy(*con_cls);
	*con_cls = NULL;
}
