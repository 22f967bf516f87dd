/*
 * Requests to paths of the user's own: checks the method, calls the function, writes its answer.
 * exchange.c knows when a request is complete.
 */
#include "http/server/call.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

#include "base/safe_text.h"
#include "http/server/host.h"
#include "http/server/methods.h"
#include "service/answer.h"

/* Methods. */

static enum herald_status
answer(struct herald__call *call, const struct herald_http_response *response)
{
	call->status = herald__answer_write(call->out, response, &call->options);
	call->http_status = response->status;
	call->is_answered |= call->status == HERALD_OK;
	return call->status;
}

static void
answer_options(struct herald__call *call, const struct herald__path *path)
{
	(void)answer(call, &(struct herald_http_response){.status = 204, .allow = path->allow});
}

static void
refuse_method(struct herald__call *call, const struct herald__path *path)
{
	char methods[81], reason[160], body[192];
	struct herald__shown method;
	const struct herald_log_field fields[] = {
		{.key = "status", .number = 405},
		{.key = "reason", .text = reason},
	};

	herald__text_line(methods, sizeof(methods), path->methods, strlen(path->methods), false);
	herald__show_word(&method, call->request.method.data, call->request.method.bytes);
	snprintf(reason, sizeof(reason), "the path accepts %s, not %s", methods, method.text);
	int bytes = snprintf(body, sizeof(body), "{\"error\":\"%s\"}", reason);
	herald_log_write(call->log, HERALD_LOG_DEBUG, "request refused", fields,
			 HERALD_COUNT(fields));
	(void)answer(call, &(struct herald_http_response){
				   .status = 405,
				   .content_type = "application/json",
				   .body = body,
				   .body_bytes = (size_t)bytes,
				   .allow = path->allow,
			   });
}

/* Hosts. */

static bool
is_host_allowed(const struct herald__call *call, const struct herald__path *path)
{
	const char *host = herald__head_find(call->head, "Host");

	if (!path->hosts || !host)
		return true;
	if (*path->hosts == '\0' && !call->is_local)
		return true;
	return herald__host_is_safe(host) || herald__host_is_listed(host, path->hosts);
}

static void
refuse_host(struct herald__call *call)
{
	const char *host = herald__head_find(call->head, "Host");
	char body[512];
	struct herald__shown shown;
	const struct herald_log_field fields[] = {
		{.key = "status", .number = 403},
		{.key = "reason", .text = "the option `hosts` of the path has not this host"},
		{.key = "host", .text = herald__show_string(&shown, host, strlen(host))},
	};

	herald_log_write(call->log, HERALD_LOG_DEBUG, "request refused", fields,
			 HERALD_COUNT(fields));
	/* The reader of the head accepts no quotes in it. */
	int bytes = snprintf(body, sizeof(body),
			     "{\"error\":\"the path is not for the host %.255s\"}", host);
	(void)answer(call, &(struct herald_http_response){
				   .status = 403,
				   .content_type = "application/json",
				   .body = body,
				   .body_bytes = (size_t)bytes,
			   });
}

struct herald__refusal
herald__call_run(struct herald__call *call, const struct herald__path *path)
{
	call->allow = path->allow;
	if (!is_host_allowed(call, path))
		refuse_host(call);
	else if (herald__methods_have(path->methods, call->request.method))
		path->function(&call->request, path->state);
	else if (strcmp(call->request.method.data, "OPTIONS") == 0)
		answer_options(call, path);
	else
		refuse_method(call, path);
	herald_buffer_finish(&call->headers);
	if (call->is_answered)
		return (struct herald__refusal){0};
	if (call->status == HERALD_BAD_VALUE)
		return (struct herald__refusal){500,
						"the answer of the path's function is invalid"};
	if (call->status != HERALD_OK)
		return (struct herald__refusal){503, "out of memory"};
	return (struct herald__refusal){500, "the path's function did not answer"};
}

/* Calls whose body has not come. */

/* Where a text of the head is in its copy. */
static struct herald_text
moved(struct herald_text text, const char *from, const char *to)
{
	return (struct herald_text){to + (text.data - from), text.bytes};
}

/* `from` has `bytes` bytes. The path may be a constant, if the target has none. */
static void
move_head(struct herald__head *head, struct herald__header *headers, const char *from, size_t bytes,
	  const char *to)
{
	for (size_t i = 0; i < head->headers_count; i++)
		headers[i] = (struct herald__header){
			.name = moved(head->headers[i].name, from, to),
			.value = moved(head->headers[i].value, from, to),
		};
	head->headers = headers;
	head->method = moved(head->method, from, to);
	head->query = moved(head->query, from, to);
	if (head->path.data >= from && head->path.data < from + bytes)
		head->path = moved(head->path, from, to);
	head->target = (struct herald_text){0};
}

struct herald__pending_call *
herald__pending_call_create(struct herald_http_worker *worker, const struct herald__path *path,
			    const struct herald__head *head, const char *data, size_t bytes)
{
	const struct herald_allocator *allocator = &worker->options.allocator;
	size_t headers_bytes = head->headers_count * sizeof(*head->headers);
	size_t block_bytes = sizeof(struct herald__pending_call) + headers_bytes + bytes;
	struct herald__pending_call *call = herald_memory_allocate(allocator, block_bytes);

	if (!call)
		return NULL;
	struct herald__header *headers = (struct herald__header *)(call + 1);
	char *copy = (char *)(headers + head->headers_count);
	memcpy(copy, data, bytes);
	*call = (struct herald__pending_call){
		.path = path, .head = *head, .block_bytes = block_bytes};
	move_head(&call->head, headers, data, bytes, copy);
	herald_buffer_init(&call->body, allocator, 0);
	return call;
}

void
herald__pending_call_destroy(struct herald__pending_call *call)
{
	if (!call)
		return;
	struct herald_allocator allocator = call->body.allocator;
	herald_buffer_finish(&call->body);
	herald_memory_release(&allocator, call, call->block_bytes);
}

/* Called by the function. */

static struct herald__call *
call_of(struct herald_server_request *request)
{
	return (struct herald__call *)request;
}

struct herald_server *
herald__call_server(const struct herald_server_request *request)
{
	return ((const struct herald__call *)request)->server;
}

const char *
herald_server_request_header(const struct herald_server_request *request, const char *name)
{
	return herald__head_find(((const struct herald__call *)request)->head, name);
}

void
herald_server_request_headers_visit(const struct herald_server_request *request,
				    herald_attribute_visitor *visit, void *state)
{
	herald__head_visit(((const struct herald__call *)request)->head, visit, state);
}

/* Log why the answer, or a header of it, is refused. */
static enum herald_status
refuse(struct herald__call *call, const char *problem, const char *header)
{
	const struct herald_log_field fields[] = {
		{.key = "path", .text = call->request.path.data},
		{.key = "reason", .text = problem},
		{.key = "header", .text = header},
	};

	herald_log_write(call->log, HERALD_LOG_ERROR, "an answer of a path was refused", fields,
			 header ? 3 : 2);
	call->status = HERALD_BAD_VALUE;
	return HERALD_BAD_VALUE;
}

static const char *
value_problem(const char *value)
{
	if (!value)
		return "the value is NULL";
	return herald__answer_value_problem((struct herald_text){value, strlen(value)});
}

static enum herald_status
append_header(struct herald_buffer *headers, const char *name, const char *value)
{
	size_t before = headers->bytes;

	if (herald_buffer_append(headers, name, strlen(name)) == HERALD_OK &&
	    herald_buffer_append(headers, ": ", 2) == HERALD_OK &&
	    herald_buffer_append(headers, value, strlen(value)) == HERALD_OK &&
	    herald_buffer_append(headers, "\r\n", 2) == HERALD_OK)
		return HERALD_OK;
	headers->bytes = before;
	return HERALD_NO_MEMORY;
}

enum herald_status
herald_server_answer_header(struct herald_server_request *request, const char *name,
			    const char *value)
{
	struct herald__call *call = call_of(request);
	const char *problem = herald__answer_name_problem(name);

	if (!problem)
		problem = value_problem(value);
	if (problem)
		return refuse(call, problem, name ? name : "NULL");
	call->status = append_header(&call->headers, name, value);
	return call->status;
}

/* Whether the function has added a header of this name. */
static bool
has_header(const struct herald__call *call, const char *name)
{
	struct herald_text left = {call->headers.data, call->headers.bytes};
	size_t bytes = strlen(name);

	while (left.bytes > bytes) {
		if (left.data[bytes] == ':' && herald_ascii_same_bytes(left.data, name, bytes))
			return true;
		const char *next = (const char *)memchr(left.data, '\n', left.bytes) + 1;
		left.bytes -= (size_t)(next - left.data);
		left.data = next;
	}
	return false;
}

/* The headers that a status requires (RFC 9110 sections 15.5.2 and 15.5.6), if the function has not
 * added them. */
static void
add_required(const struct herald__call *call, struct herald_http_response *response)
{
	if (response->status == 401 && !has_header(call, "WWW-Authenticate"))
		response->challenge = "Bearer";
	if (response->status == 405 && !has_header(call, "Allow"))
		response->allow = call->allow;
}

enum herald_status
herald_server_answer(struct herald_server_request *request, unsigned status,
		     const char *content_type, const void *body, size_t bytes)
{
	struct herald__call *call = call_of(request);
	bool has_body = status != 204 && status != 205 && status != 304;
	const char *problem = has_body ? value_problem(content_type) : NULL;

	if (call->is_answered)
		return HERALD_LIMIT;
	if (status < 200 || status > 599)
		return refuse(call, "the status is not 200 to 599", NULL);
	if (!body && bytes > 0)
		return refuse(call, "the body is NULL, but has bytes", NULL);
	if (problem)
		return refuse(call, problem, "Content-Type");
	call->options.headers = (struct herald_text){call->headers.data, call->headers.bytes};
	struct herald_http_response response = {
		.status = status,
		.content_type = has_body ? content_type : NULL,
		.body = has_body ? body : NULL,
		.body_bytes = has_body ? bytes : 0,
	};
	add_required(call, &response);
	return answer(call, &response);
}
