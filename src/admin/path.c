/*
 * The path of a server for the dashboard: passes requests to it, and sends its responses.
 */
#include <stdio.h>
#include <string.h>

#include "admin/handle.h"
#include "http/server/call.h"

static const char *
header_of(const char *name, void *state)
{
	return herald_server_request_header(state, name);
}

/* Without the last '/', links of the page would lead elsewhere. */
static bool
lacks_slash(const struct herald_server_request *request)
{
	return request->rest.bytes == 0 && request->path.data[request->path.bytes - 1] != '/';
}

/* To "admin/" from "/admin", so that a proxy may have its own path in front of it. */
static void
redirect(struct herald_server_request *request)
{
	char location[1100];
	const char *last = strrchr(request->path.data, '/');
	int bytes = snprintf(location, sizeof(location), "%s/", last ? last + 1 : "");

	for (size_t i = 0; i < HERALD__ADMIN_HEADERS; i++)
		if (herald_server_answer_header(request, herald__admin_headers[i].name,
						herald__admin_headers[i].value) != HERALD_OK)
			return;
	if (bytes > 0 && (size_t)bytes < sizeof(location) &&
	    herald_server_answer_header(request, "Location", location) == HERALD_OK)
		(void)herald_server_answer(request, 308, "text/plain; charset=utf-8", "", 0);
}

/* If it fails, the server answers that it is out of memory. */
static void
send_response(struct herald_server_request *request, const struct herald_admin_response *response)
{
	for (size_t i = 0; i < response->headers_count; i++)
		if (herald_server_answer_header(request, response->headers[i].name,
						response->headers[i].value) != HERALD_OK)
			return;
	(void)herald_server_answer(request, response->status, response->content_type,
				   response->body.data, response->body.bytes);
}

static void
path_run(struct herald_server_request *request, void *state)
{
	const struct herald_admin_request given = {
		.struct_size = sizeof(given),
		.method = request->method.data,
		.path = request->rest.data,
		.query = request->query.data,
		.header = header_of,
		.state = request,
		.body = request->body,
	};
	struct herald_admin_response response;

	if (lacks_slash(request)) {
		redirect(request);
	} else if (herald__admin_handle_with(state, herald__call_server(request), &given,
					     &response) == HERALD_OK) {
		send_response(request, &response);
		herald_admin_response_finish(&response);
	} else {
		(void)herald_server_answer(request, 503, "text/plain; charset=utf-8",
					   "out of memory\n", 14);
	}
}

struct herald_server_path
herald_admin_path(struct herald_admin *admin)
{
	return (struct herald_server_path){
		.path = "/admin/*",
		.function = path_run,
		.state = admin,
		.methods = "GET, POST, OPTIONS",
		.hosts = HERALD_LOCAL_HOSTS,
	};
}
