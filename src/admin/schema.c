/*
 * The resources api/asyncapi and api/schema: the service as an AsyncAPI document, and the payload
 * of one type of events as JSON Schema. Both are written by others; this file reads the query.
 */
#include "admin/schema.h"

#include <stddef.h>
#include <string.h>

#include <herald/asyncapi.h>
#include <herald/json_schema.h>

#include "admin/call.h"
#include "admin/query.h"
#include "service/lookup.h"

/* People read the documents, too. */
#define INDENT 2

const struct herald_service *
herald__admin_service_of(struct herald__admin_call *call)
{
	const struct herald_service *service = call->admin->options.service;

	if (!service)
		herald__admin_refuse(call, 404, "there is no service");
	return service;
}

void
herald__admin_refuse_type(struct herald__admin_call *call, const char *event_type,
			  const char *version)
{
	struct herald_buffer text;

	herald_buffer_init(&text, &call->admin->allocator, 0);
	enum herald_status status =
		herald__lookup_explain(call->admin->options.service, event_type, version, &text);
	if (status == HERALD_OK)
		status = herald_buffer_append(&text, "", 1);
	if (status == HERALD_OK)
		herald__admin_refuse_text(call, 404, text.data);
	else
		call->json.status = status;
	herald_buffer_finish(&text);
}

/* AsyncAPI. */

void
herald__admin_asyncapi(struct herald__admin_call *call)
{
	const struct herald_service *service = herald__admin_service_of(call);

	if (service)
		call->json.status = herald_service_asyncapi(
			service,
			&HERALD_ASYNCAPI_OPTIONS(.title = call->admin->options.name,
						 .indent = INDENT),
			&call->response->body, NULL);
}

/* JSON Schema. */

struct query {
	const char *type;
	const char *version; /* NULL: the newest one */
	const char *draft;   /* NULL: 2020-12 */
};

static const struct herald__admin_argument arguments[] = {
	{"type", offsetof(struct query, type), false, 0},
	{"version", offsetof(struct query, version), false, 0},
	{"draft", offsetof(struct query, draft), false, 0},
};

/* Returns false after answering. */
static bool
read_draft(struct herald__admin_call *call, const char *text, enum herald_json_schema_draft *out)
{
	*out = HERALD_JSON_SCHEMA_2020_12;
	if (!text || strcmp(text, "2020-12") == 0)
		return true;
	*out = HERALD_JSON_SCHEMA_DRAFT_07;
	if (strcmp(text, "7") == 0)
		return true;
	herald__admin_refuse(call, 400, "draft: expected 7 or 2020-12, not \"%s\"", text);
	return false;
}

void
herald__admin_schema(struct herald__admin_call *call)
{
	const struct herald_service *service = herald__admin_service_of(call);
	struct query query = {.type = NULL};
	enum herald_json_schema_draft draft;

	if (!service ||
	    !herald__admin_query_read(call, arguments, HERALD_COUNT(arguments), &query) ||
	    !read_draft(call, query.draft, &draft))
		return;
	if (!query.type) {
		herald__admin_refuse(call, 400, "the argument \"type\" is missing");
		return;
	}
	const struct herald__target target = herald__lookup(service, query.type, query.version);
	if (target.status != HERALD_OK)
		herald__admin_refuse_type(call, query.type, query.version);
	else
		call->json.status = herald_schema_json(
			herald__target_schema(&target),
			&HERALD_JSON_SCHEMA_OPTIONS(.draft = draft, .indent = INDENT),
			&call->response->body, NULL);
}
