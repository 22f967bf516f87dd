/*
 * Events for a daemon that the user runs. Keeps nothing between calls except for the endpoint's
 * request in *con_cls; knows no events and no sockets.
 *
 * libmicrohttpd calls the access handler once with the head, then for each piece of the body, and
 * then once more with size 0. It accepts a response at the first call, after which it closes the
 * connection, and at the last call, but not in between. So a refusal is sent:
 *
 *	- at the first call, if the client waits for 100 Continue, or has declared so large a
 *	  body that reading it would be pointless;
 *	- otherwise at the last call, after the body was read and dropped: if the connection were
 *	  closed while the client is still writing, it would see a reset and not the response.
 */
#include <stdlib.h>

#include <herald/adapter/drain.h>
#include <herald/adapter/options.h>
#include <herald/microhttpd.h>

#include "head.h"
#include "response.h"

struct herald_microhttpd {
	struct herald_endpoint *endpoint;
	uint32_t idle_grace_ms;
	struct herald_http_drain drain;
};

/* Calls of the daemon's access handler. */

/* Returns MHD_NO on failure, which makes libmicrohttpd close the connection. */
static enum MHD_Result
respond(struct MHD_Connection *connection, const struct herald_http_response *from, bool closes)
{
	struct MHD_Response *response = herald__microhttpd_response(from);
	enum MHD_Result queued = MHD_YES;

	if (!response)
		return MHD_NO;
	if (closes)
		queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (queued == MHD_YES)
		queued = MHD_queue_response(connection, from->status, response);
	MHD_destroy_response(response);
	return queued;
}

static bool
has_header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/*
 * A length may be in a part of the head that libmicrohttpd (0.9.75) has dropped in a way that
 * head_check.c cannot see. Then the apparent body is that part of the head, which is not an event,
 * and the apparent next request is the body. So the connection is closed after everything but an
 * event, and after a request without a length.
 */
static bool
may_hide_body(struct MHD_Connection *connection, const char *method,
	      const struct herald_http_request *request)
{
	const struct herald_http_framing framing = {
		.content_length = has_header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH)
					  ? 0
					  : HERALD_HTTP_NO_LENGTH,
		.chunked = has_header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING),
	};

	return !herald_http_request_is_whole(request) ||
	       herald_http_framing_may_hide_body(&framing, method);
}

/* The first call, with the head. */
static enum MHD_Result
begin(struct herald_microhttpd *microhttpd, struct MHD_Connection *connection, const char *method,
      const char *version, void **con_cls)
{
	struct herald__microhttpd_head head;

	herald__microhttpd_head_read(connection, method, version, true, &head);
	head.http.drain = &microhttpd->drain;
	struct herald_http_request *request =
		herald_http_request_create(microhttpd->endpoint, &head.http);
	if (!request)
		return respond(connection, herald_http_unavailable(), true);
	*con_cls = request;
	if (head.framing.problem)
		return respond(connection,
			       herald_http_request_ambiguous(request, head.framing.problem), true);

	const struct herald_http_response *refusal = herald_http_request_response(request);
	if (refusal && herald_http_framing_must_close(&head.framing))
		return respond(connection, refusal, true);
	if (!refusal && herald__microhttpd_head_problem(&head))
		return respond(connection,
			       herald_http_request_ambiguous(request, head.framing.problem), true);
	return MHD_YES;
}

/* Whether the daemon can suspend the connection. libmicrohttpd ends the process if not. */
static bool
may_suspend(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);
	const union MHD_DaemonInfo *daemon =
		info ? MHD_get_daemon_info(info->daemon, MHD_DAEMON_INFO_FLAGS) : NULL;
	unsigned flags = daemon ? (unsigned)daemon->flags : 0;

	return (flags & MHD_ALLOW_SUSPEND_RESUME) == MHD_ALLOW_SUSPEND_RESUME &&
	       (flags & MHD_USE_THREAD_PER_CONNECTION) == 0;
}

/* The service's store has the event, or has refused it. Any thread. */
static void
resume(void *connection)
{
	MHD_resume_connection(connection);
}

/* The last call. It comes once more after a suspension. */
static enum MHD_Result
finish(struct herald_microhttpd *microhttpd, struct MHD_Connection *connection, const char *method,
       struct herald_http_request *request)
{
	if (herald_http_request_may_wait(request) && may_suspend(connection)) {
		MHD_suspend_connection(connection);
		if (herald_http_request_finish_async(request, resume, connection))
			MHD_resume_connection(connection);
		return MHD_YES;
	}
	const struct herald_http_response *response = herald_http_request_finish(request);
	return respond(connection, response,
		       may_hide_body(connection, method, request) ||
			       herald_http_drain_is_stopping(&microhttpd->drain));
}

enum MHD_Result
herald_microhttpd_handle(struct herald_microhttpd *microhttpd, struct MHD_Connection *connection,
			 const char *method, const char *version, const char *upload_data,
			 size_t *upload_data_size, void **con_cls)
{
	if (!*con_cls)
		return begin(microhttpd, connection, method, version, con_cls);
	if (*upload_data_size == 0)
		return finish(microhttpd, connection, method, *con_cls);
	/* After a refusal, the rest of the body is read and dropped before the response. */
	herald_http_request_append(*con_cls, upload_data, *upload_data_size);
	*upload_data_size = 0;
	return MHD_YES;
}

const char *
herald_microhttpd_head_problem(struct MHD_Connection *connection, const char *method,
			       const char *version)
{
	struct herald__microhttpd_head head;

	herald__microhttpd_head_read(connection, method, version, false, &head);
	return herald__microhttpd_head_problem(&head);
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

/* Creating, stopping and destroying. */

enum herald_status
herald_microhttpd_create(struct herald_endpoint *endpoint,
			 const struct herald_microhttpd_options *options,
			 struct herald_microhttpd **out, struct herald_error *error)
{
	struct herald_microhttpd_options read;
	enum herald_status status = herald_options_read(options, &read, sizeof(read),
							"HERALD_MICROHTTPD_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	struct herald_microhttpd *microhttpd = calloc(1, sizeof(*microhttpd));
	if (!microhttpd || !herald_http_drain_init(&microhttpd->drain)) {
		free(microhttpd);
		return herald_out_of_memory(error);
	}
	microhttpd->endpoint = endpoint;
	microhttpd->idle_grace_ms = read.idle_grace_ms;
	*out = microhttpd;
	return HERALD_OK;
}

size_t
herald_microhttpd_stop(struct herald_microhttpd *microhttpd, uint32_t drain_ms)
{
	if (!microhttpd)
		return 0;
	return herald_http_drain_stop(&microhttpd->drain, microhttpd->idle_grace_ms, drain_ms);
}

void
herald_microhttpd_destroy(struct herald_microhttpd *microhttpd)
{
	if (!microhttpd)
		return;
	herald_http_drain_finish(&microhttpd->drain);
	free(microhttpd);
}
