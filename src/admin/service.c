/*
 * The resource api/service: the name and the parts of the process, and the pipeline of each route.
 * What changes is in state.c.
 */
#include "admin/service.h"

#include <herald/version.h>

#include "admin/call.h"

static void
put_parts(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;
	const struct {
		const char *name;
		bool is_there;
	} parts[] = {
		{"service", options->service},
		{"server", call->server},
		{"pool", options->pool},
		{"store", options->store},
		{"deliverer", options->deliverer},
		{"consumers", options->consumers_count > 0},
		{"producers", options->producers_count > 0},
	};

	herald__indented_key(&call->json, "parts");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < HERALD_COUNT(parts); i++)
		if (parts[i].is_there)
			herald__indented_text(&call->json, parts[i].name);
	herald__indented_end(&call->json, ']');
}

static void
put_pipeline(struct herald__admin_call *call)
{
	struct herald_buffer text;

	herald_buffer_init(&text, &call->admin->allocator, 0);
	enum herald_status status =
		herald_service_describe(call->admin->options.service, HERALD_DESCRIBE_JSON, &text);
	if (status == HERALD_OK)
		status = herald_buffer_append(&text, "", 1);
	if (status == HERALD_OK) {
		herald__indented_key(&call->json, "pipeline");
		herald__indented_word(&call->json, text.data);
	} else {
		call->json.status = status;
	}
	herald_buffer_finish(&text);
}

void
herald__admin_service(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;

	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "name", options->name);
	herald__admin_put_text(call, "version", HERALD_VERSION);
	herald__admin_put_time(call, "began", call->admin->began_ms);
	herald__admin_put_bool(call, "read_only", options->is_read_only);
	herald__admin_put(call, "max_action_count", options->max_action_count);
	put_parts(call);
	if (options->service)
		put_pipeline(call);
	herald__indented_end(&call->json, '}');
}
