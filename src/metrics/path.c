/*
 * The path of a server that answers with metrics, in the format that the request prefers. The
 * server answers HEAD and refuses other methods by itself.
 */
#include <herald/adapter/text.h>

#include "http/server/call.h"
#include "metrics/accept.h"
#include "metrics/metrics.h"

static bool
visit_header(const char *name, const char *value, void *state)
{
	if (herald_ascii_same(name, "Accept"))
		herald__accept_add(state, value);
	return true;
}

static void
path_run(struct herald_server_request *request, void *state)
{
	const struct herald_metrics *metrics = state;
	struct herald__accept accept = HERALD__ACCEPT_INIT;
	struct herald_buffer text;

	herald_server_request_headers_visit(request, visit_header, &accept);
	enum herald_metrics_format format = herald__accept_format(&accept);
	herald_buffer_init(&text, &metrics->options.allocator, 0);
	enum herald_status status =
		herald__metrics_write_with(metrics, herald__call_server(request), format, &text);
	if (status == HERALD_OK)
		status = herald_server_answer_header(request, "Vary", "Accept");
	/* If that fails, the server answers that it is out of memory. */
	if (status == HERALD_OK)
		(void)herald_server_answer(request, 200, herald_metrics_content_type(format),
					   text.data, text.bytes);
	else
		(void)herald_server_answer(request, 503, "text/plain; charset=utf-8",
					   "out of memory\n", 14);
	herald_buffer_finish(&text);
}

struct herald_server_path
herald_metrics_path(const struct herald_metrics *metrics)
{
	return (struct herald_server_path){
		.path = "/metrics",
		.function = path_run,
		.state = (void *)(uintptr_t)metrics,
		.hosts = HERALD_LOCAL_HOSTS,
	};
}
