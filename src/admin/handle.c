/*
 * What the dashboard answers to a request: a file of the page, or a resource of its API. It checks
 * methods and access, and adds the headers that all answers have. The resources are written by the
 * files that are named after them.
 */
#include "admin/handle.h"

#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "admin/access.h"
#include "admin/actions.h"
#include "admin/call.h"
#include "admin/events.h"
#include "admin/letters.h"
#include "admin/page.h"
#include "admin/queues.h"
#include "admin/schema.h"
#include "admin/service.h"
#include "admin/state.h"
#include "admin/turn.h"

#define MAX_BODY_BYTES 65536

/* Resources. */

/* How a resource is answered. */
enum resource_kind {
	AT_ONCE,    /* It does not block, */
	FROM_STORE, /* or reads the store, */
	ACTION,     /* or changes it. */
};

static const struct resource {
	const char *path; /* if it ends in an asterisk, the rest is the call's `rest` */
	enum resource_kind kind;
	void (*answer)(struct herald__admin_call *call);
} resources[] = {
	{"api/service", AT_ONCE, herald__admin_service},
	{"api/pipeline", AT_ONCE, herald__admin_pipeline},
	{"api/asyncapi", AT_ONCE, herald__admin_asyncapi},
	{"api/schema", AT_ONCE, herald__admin_schema},
	{"api/state", AT_ONCE, herald__admin_state},
	{"api/events", AT_ONCE, herald__admin_events},
	{"api/queues", AT_ONCE, herald__admin_queues}, /* if it has counted before */
	{"api/dead-letters", FROM_STORE, herald__admin_letters},
	{"api/dead-letters/replay", ACTION, herald__admin_replay},
	{"api/dead-letters/drop", ACTION, herald__admin_drop},
	{"api/dead-letters/*", FROM_STORE, herald__admin_letter},
};

static bool
matches(const struct resource *resource, struct herald__admin_call *call)
{
	const char *path = call->request->path;
	const size_t bytes = strlen(resource->path) - 1;

	if (resource->path[bytes] != '*')
		return strcmp(resource->path, path) == 0;
	if (strncmp(resource->path, path, bytes) != 0 || path[bytes] == '\0')
		return false;
	call->rest = path + bytes;
	return true;
}

static bool
is_reading(const struct herald_admin_request *request)
{
	return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static void
refuse_method(struct herald__admin_call *call, const char *allowed)
{
	herald__admin_refuse(call, 405, "the method must be %s", allowed);
	herald__admin_add_header(call, "Allow", allowed);
}

static void
answer_from_store(struct herald__admin_call *call, const struct resource *resource)
{
	if (!call->admin->options.store) {
		herald__admin_refuse(call, 404, "there is no store");
	} else if (!herald__admin_turn_take(call->admin)) {
		herald__admin_turn_refuse(call);
	} else {
		resource->answer(call);
		herald__admin_turn_give(call->admin);
	}
}

static void
answer_resource(struct herald__admin_call *call, const struct resource *resource)
{
	const bool is_action = resource->kind == ACTION;

	if (is_action && strcmp(call->request->method, "POST") != 0)
		refuse_method(call, "POST");
	else if (!is_action && !is_reading(call->request))
		refuse_method(call, "GET, HEAD");
	else if (resource->kind == AT_ONCE)
		resource->answer(call);
	else if (!is_action || herald__admin_may_act(call))
		answer_from_store(call, resource);
}

/* Without a token nothing can be learned about resources, such as which ones there are. */
static void
answer_api(struct herald__admin_call *call)
{
	if (!herald__admin_may_read(call))
		return;
	for (size_t i = 0; i < HERALD_COUNT(resources); i++)
		if (matches(&resources[i], call)) {
			answer_resource(call, &resources[i]);
			return;
		}
	herald__admin_refuse(call, 404, "there is no such resource");
}

/* Files. */

static void
answer_file(struct herald__admin_call *call)
{
	const struct herald__page_file *file = herald__page_find(call->request->path);
	struct herald_buffer *body = &call->response->body;

	if (!file) {
		herald__admin_refuse(call, 404, "there is no such page");
	} else if (!is_reading(call->request)) {
		refuse_method(call, "GET, HEAD");
	} else {
		call->response->content_type = file->content_type;
		call->json.status = herald_buffer_append(body, file->data.data, file->data.bytes);
	}
}

/* Answers. */

/* The page may load its own files and talk to its own API, and nothing else. */
const struct herald_answer_header herald__admin_headers[HERALD__ADMIN_HEADERS] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	 "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	 "require-trusted-types-for 'script'; trusted-types 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cache-Control", "no-store"},
};

static void
add_headers(struct herald__admin_call *call)
{
	for (size_t i = 0; i < HERALD__ADMIN_HEADERS; i++)
		herald__admin_add_header(call, herald__admin_headers[i].name,
					 herald__admin_headers[i].value);
}

static void
answer(struct herald__admin_call *call)
{
	const char *path = call->request->path;

	add_headers(call);
	if (call->request->body.bytes > MAX_BODY_BYTES)
		herald__admin_refuse(call, 413, "the body is larger than %d bytes", MAX_BODY_BYTES);
	else if (strcmp(path, "api") == 0 || strncmp(path, "api/", 4) == 0)
		answer_api(call);
	else
		answer_file(call);
}

enum herald_status
herald__admin_handle_with(struct herald_admin *admin, const struct herald_server *server,
			  const struct herald_admin_request *request,
			  struct herald_admin_response *response)
{
	struct herald_admin_response made = {.status = 200, .content_type = "application/json"};
	struct herald__admin_call call = {
		.admin = admin,
		.request = request,
		.server = admin->options.server ? admin->options.server : server,
		.response = &made,
		.json.out = &made.body,
	};

	herald_buffer_init(&made.body, &admin->allocator, 0);
	call.json.status = herald_arena_create(&admin->allocator, 0, &call.arena);
	if (call.json.status == HERALD_OK)
		answer(&call);
	herald_arena_destroy(call.arena);
	if (call.json.status != HERALD_OK) {
		herald_buffer_finish(&made.body);
		return HERALD_NO_MEMORY;
	}
	*response = made;
	/* It is in the struct that has just been copied. */
	for (size_t i = 0; i < response->headers_count; i++)
		if (response->headers[i].value == made.retry_after)
			response->headers[i].value = response->retry_after;
	return HERALD_OK;
}

enum herald_status
herald_admin_handle(struct herald_admin *admin, const struct herald_admin_request *request,
		    struct herald_admin_response *response)
{
	struct herald_admin_request read;

	if (herald_options_read(request, &read, sizeof(read), "HERALD_ADMIN_REQUEST", NULL) !=
		    HERALD_OK ||
	    !read.method || !read.path)
		return HERALD_BAD_OPTION;
	return herald__admin_handle_with(admin, NULL, &read, response);
}

void
herald_admin_response_finish(struct herald_admin_response *response)
{
	herald_buffer_finish(&response->body);
}
