/*
 * Requests and their answers: who handles a request, what happens to its body, and what is sent
 * back. It owns the request that a connection has at the moment; which bytes belong to it is in
 * connection.c.
 */
#include "http/server/exchange.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/log.h>

#include "http/framing.h"
#include "http/request.h"
#include "http/response.h"
#include "http/server/methods.h"

/* The output, with memory of the worker's if it has none. */
static struct herald_buffer *
output(struct herald_http_connection *connection)
{
	struct herald_buffer *spare = &connection->worker->spare;

	if (!connection->output.data) {
		connection->output.data = spare->data;
		connection->output.capacity = spare->capacity;
		spare->data = NULL;
		spare->capacity = 0;
	}
	return &connection->output;
}

/* Answers. */

static void
count_response(struct herald_http_worker *worker, unsigned http_status)
{
	_Atomic uint64_t *count = &worker->responses[http_status < 600 ? http_status / 100 : 0];

	/* Not fetch_add, which would lock the bus: no other thread writes. */
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* An answer has been appended, or not. */
static void
end_request(struct herald_http_connection *connection, unsigned http_status,
	    enum herald_status status, bool closes)
{
	connection->has_answered = true;
	if (status == HERALD_OK)
		count_response(connection->worker, http_status);
	/* The next request has its own time; the client has the same time for all output. */
	if (connection->waiting != HERALD__WAITS_FOR_SENDING)
		connection->waiting = HERALD__WAITS_FOR_NOTHING;
	if (status != HERALD_OK)
		connection->state = HERALD__CLOSED;
	else
		connection->state = closes ? HERALD__CLOSING : HERALD__READ_HEAD;
}

static struct herald__answer_options
answer_options(struct herald_http_connection *connection)
{
	return (struct herald__answer_options){
		.date = herald__worker_date(connection->worker),
		.is_head = connection->is_head,
		.closes = !connection->keeps_alive ||
			  atomic_load_explicit(&connection->worker->is_stopping,
					       memory_order_relaxed),
		.is_http10 = connection->is_http10,
	};
}

/* The answer to nearly all events is the same for a second. */
static enum herald_status
append_usual(struct herald_http_connection *connection, const struct herald_http_response *response,
	     const struct herald__answer_options *options)
{
	struct herald_http_worker *worker = connection->worker;
	struct herald_buffer *out = output(connection);
	size_t before = out->bytes;

	if (worker->usual_bytes > 0 && worker->usual_body == response->body)
		return herald_buffer_append(out, worker->usual, worker->usual_bytes);
	enum herald_status status = herald__answer_write(out, response, options);
	if (status == HERALD_OK && out->bytes - before <= sizeof(worker->usual)) {
		worker->usual_body = response->body;
		worker->usual_bytes = out->bytes - before;
		memcpy(worker->usual, out->data + before, worker->usual_bytes);
	}
	return status;
}

static void
respond(struct herald_http_connection *connection, const struct herald_http_response *response)
{
	const struct herald__answer_options options = answer_options(connection);
	bool is_plain = herald__response_is_usual(response) && !options.closes &&
			!options.is_http10 && !options.is_head;

	end_request(connection, response->status,
		    is_plain ? append_usual(connection, response, &options)
			     : herald__answer_write(output(connection), response, &options),
		    options.closes);
}

/* A JSON error; the text needs no escapes. */
static void
respond_error(struct herald_http_connection *connection, struct herald__refusal refusal)
{
	char body[256];
	int bytes = snprintf(body, sizeof(body), "{\"error\":\"%s\"}", refusal.text);
	const struct herald_log_field fields[] = {
		{.key = "status", .number = refusal.status},
		{.key = "reason", .text = refusal.text},
	};

	herald_log_write(&connection->worker->options.log, HERALD_LOG_DEBUG, "request refused",
			 fields, HERALD_COUNT(fields));
	respond(connection, &(struct herald_http_response){
				    .status = refusal.status,
				    .content_type = "application/json",
				    .body = body,
				    .body_bytes = (size_t)bytes,
				    .retry_after_s = refusal.status == 503 ? 1 : 0,
			    });
}

static const struct herald__refusal no_memory = {503, "out of memory"};
static const struct herald__refusal not_found = {404, "not found"};
static const struct herald__refusal too_large = {413, "the body is larger than the path accepts"};

/* Bodies. */

/* Of a body that is not in chunks. */
static uint64_t
length_of(const struct herald_http_framing *framing)
{
	return framing->content_length != HERALD_HTTP_NO_LENGTH ? framing->content_length : 0;
}

/* `available` bytes of it have come; it is read from now on. */
static void
begin_body(struct herald_http_connection *connection, const struct herald_http_framing *framing,
	   size_t available)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	connection->state = framing->chunked ? HERALD__READ_CHUNKS : HERALD__READ_BODY;
	connection->left_bytes = length_of(framing);
	connection->body_bytes = 0;
	connection->chunks = (struct herald__chunks)HERALD__CHUNKS_INIT;
	/* The client may wait for this, or for an answer, before it sends the body. */
	if (framing->expects_continue && available == 0 &&
	    herald_buffer_append(output(connection), text, sizeof(text) - 1) != HERALD_OK)
		connection->state = HERALD__CLOSED;
}

/* Before an answer that does not wait for the body: can the connection go on after it? */
static void
prepare_early_answer(struct herald_http_connection *connection,
		     const struct herald_http_framing *framing)
{
	if (herald_http_framing_must_close(framing))
		connection->keeps_alive = false;
}

/* After such an answer: read the body, and drop it. */
static void
drop_body(struct herald_http_connection *connection, const struct herald_http_framing *framing)
{
	if (connection->state == HERALD__READ_HEAD && herald_http_framing_has_body(framing))
		begin_body(connection, framing, 1);
}

static void
respond_before_body(struct herald_http_connection *connection,
		    const struct herald_http_framing *framing, struct herald__refusal refusal)
{
	prepare_early_answer(connection, framing);
	respond_error(connection, refusal);
	drop_body(connection, framing);
}

/* Events. */

static struct herald_http_connection *
connection_of(struct herald_offload *work)
{
	return (struct herald_http_connection *)((char *)work -
						 offsetof(struct herald_http_connection, work));
}

/* The pool asks before it handles the event. */
static bool
is_gone(struct herald_offload *work)
{
	return atomic_load(&connection_of(work)->is_gone);
}

static void
finished(struct herald_offload *work)
{
	struct herald_http_connection *connection = connection_of(work);

	herald__worker_push_ready(connection->worker, &connection->ready);
}

static void
end_event(struct herald_http_connection *connection, const struct herald_http_response *response)
{
	respond(connection, response);
	herald_http_request_destroy(connection->request);
	connection->request = NULL;
}

/* The request has its body. Its event may end on another thread, even before this returns. */
static void
handle_later(struct herald_http_connection *connection)
{
	struct herald_http_worker *worker = connection->worker;

	connection->state = HERALD__HANDLING;
	connection->is_offloaded = true;
	connection->work.request = connection->request;
	connection->work.is_gone = is_gone;
	connection->work.finished = finished;
	worker->offloaded_count++;
	const struct herald_http_response *response =
		herald_offload_submit(worker->options.pool, &connection->work);
	if (!response)
		return;
	worker->offloaded_count--;
	connection->is_offloaded = false;
	end_event(connection, response);
}

static void
handle_event(struct herald_http_connection *connection)
{
	if (connection->worker->handles_later)
		handle_later(connection);
	else
		end_event(connection, herald_http_request_finish(connection->request));
}

/* The body is here, and may be changed. */
static void
handle_received_event(struct herald_http_connection *connection, char *body, size_t bytes)
{
	if (!connection->worker->handles_later)
		end_event(connection,
			  herald_http_request_finish_in_place(connection->request, body, bytes));
	else if (herald_http_request_append(connection->request, body, bytes))
		handle_later(connection);
	else
		end_event(connection, herald_http_request_response(connection->request));
}

static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	herald__head_visit(state, visit, visit_state);
}

/* Returns how many bytes of the body it has taken. */
static size_t
begin_event(struct herald_http_connection *connection, struct herald__path *path,
	    struct herald__head *head, char *body, size_t bytes)
{
	const struct herald_http_framing *framing = &head->framing;
	const struct herald_http_head given = {
		.method = head->method.data,
		.content_type = framing->content_type,
		.content_encoding = framing->content_encoding,
		.content_length = framing->content_length,
		.headers_visit = visit_headers,
		.query = head->query.data,
		.state = head,
	};
	struct herald_http_request *request =
		herald__http_request_create(path->endpoint, &given, &path->spare);
	const struct herald_http_response *refusal =
		request ? herald_http_request_response(request) : herald_http_unavailable();
	uint64_t length = length_of(framing);

	connection->request = request;
	if (refusal) {
		prepare_early_answer(connection, framing);
		end_event(connection, refusal);
		drop_body(connection, framing);
	} else if (!framing->chunked && length <= bytes) {
		handle_received_event(connection, body, (size_t)length);
		return (size_t)length;
	} else {
		begin_body(connection, framing, bytes);
	}
	return 0;
}

/* Calls: requests to paths with a function. */

static void
run_call(struct herald_http_connection *connection, const struct herald__path *path,
	 const struct herald__head *head, struct herald_text body)
{
	struct herald__call call = {
		.request =
			{
				.method = head->method,
				.path = head->path,
				.query = head->query,
				.body = body,
				.rest = {"", 0},
			},
		.head = head,
		.server = connection->worker->server,
		.is_local = connection->worker->is_local,
		.out = output(connection),
		.options = answer_options(connection),
		.log = &connection->worker->options.log,
	};

	if (path->is_prefix && head->path.bytes > path->path.bytes)
		call.request.rest = (struct herald_text){head->path.data + path->path.bytes,
							 head->path.bytes - path->path.bytes};
	herald_buffer_init(&call.headers, &connection->worker->options.allocator, 0);
	struct herald__refusal refusal = herald__call_run(&call, path);
	if (refusal.status != 0)
		respond_error(connection, refusal);
	else
		end_request(connection, call.http_status, HERALD_OK, call.options.closes);
}

/* The body is followed by a byte of the next request, or of nothing: it becomes a NUL meanwhile. */
static void
run_received_call(struct herald_http_connection *connection, const struct herald__path *path,
		  const struct herald__head *head, char *body, size_t bytes)
{
	char next = body[bytes];

	body[bytes] = '\0';
	run_call(connection, path, head, (struct herald_text){body, bytes});
	body[bytes] = next;
}

/* The query follows it, if there is one; the target is not read again. */
static void
terminate_path(const struct herald__head *head)
{
	char *end = (char *)(uintptr_t)head->path.data + head->path.bytes;

	if (*end != '\0')
		*end = '\0';
}

/* Returns how many bytes of the body it has taken. */
static size_t
begin_call(struct herald_http_connection *connection, const struct herald__path *path,
	   struct herald__head *head, char *data, size_t head_bytes, size_t left)
{
	const struct herald_http_framing *framing = &head->framing;
	uint64_t length = length_of(framing);

	terminate_path(head);
	if (!herald__methods_have(path->methods, head->method)) {
		prepare_early_answer(connection, framing);
		run_call(connection, path, head, (struct herald_text){"", 0});
		drop_body(connection, framing);
	} else if (!framing->chunked && length > path->max_body_bytes) {
		respond_before_body(connection, framing, too_large);
	} else if (!framing->chunked && length == 0) {
		run_call(connection, path, head, (struct herald_text){"", 0});
	} else if (!framing->chunked && length < left) {
		run_received_call(connection, path, head, data + head_bytes, (size_t)length);
		return (size_t)length;
	} else {
		connection->call = herald__pending_call_create(connection->worker, path, head, data,
							       head_bytes);
		if (connection->call)
			begin_body(connection, framing, left);
		else
			respond_before_body(connection, framing, no_memory);
	}
	return 0;
}

static void
end_call(struct herald_http_connection *connection)
{
	struct herald__pending_call *call = connection->call;

	connection->call = NULL;
	if (herald_buffer_append(&call->body, "", 1) == HERALD_OK)
		run_call(connection, call->path, &call->head,
			 (struct herald_text){call->body.data, call->body.bytes - 1});
	else
		respond_error(connection, no_memory);
	herald__pending_call_destroy(call);
}

/* Bodies. */

/* Answer before the body's end; the rest of it is read and dropped. */
static void
respond_within_body(struct herald_http_connection *connection, struct herald__refusal refusal)
{
	enum herald__connection_state state = connection->state;

	if (connection->request)
		end_event(connection, herald_http_request_response(connection->request));
	else
		respond_error(connection, refusal);
	herald__exchange_finish(connection);
	if (connection->state == HERALD__READ_HEAD)
		connection->state = state;
}

static void
append_to_call(struct herald_http_connection *connection, const char *data, size_t bytes)
{
	if (connection->body_bytes > connection->call->path->max_body_bytes)
		respond_within_body(connection, too_large);
	else if (herald_buffer_append(&connection->call->body, data, bytes) != HERALD_OK)
		respond_within_body(connection, no_memory);
}

void
herald__exchange_body(struct herald_http_connection *connection, const char *data, size_t bytes)
{
	connection->body_bytes += bytes;
	if (connection->call) {
		append_to_call(connection, data, bytes);
	} else if (connection->request) {
		if (!herald_http_request_append(connection->request, data, bytes))
			respond_within_body(connection, (struct herald__refusal){0});
	} else if (connection->body_bytes > HERALD__HTTP_MAX_DROPPED_BYTES) {
		connection->state = HERALD__CLOSING;
	}
}

void
herald__exchange_announce(struct herald_http_connection *connection, uint64_t bytes)
{
	uint64_t total = connection->body_bytes + bytes;
	bool is_endless = total > HERALD__HTTP_MAX_DROPPED_BYTES;
	bool keeps_alive = connection->keeps_alive;

	/* Of the answer, if there will be one: such a body is not read to its end. */
	connection->keeps_alive &= !is_endless;
	if (connection->call && total > connection->call->path->max_body_bytes)
		respond_within_body(connection, too_large);
	else if (connection->request && !herald__http_request_announce(connection->request, total))
		respond_within_body(connection, (struct herald__refusal){0});
	else if (connection->call || connection->request)
		connection->keeps_alive = keeps_alive;
	else if (is_endless)
		connection->state = HERALD__CLOSING;
}

void
herald__exchange_end_body(struct herald_http_connection *connection)
{
	if (connection->request)
		handle_event(connection);
	else if (connection->call)
		end_call(connection);
	else
		connection->state = HERALD__READ_HEAD;
}

void
herald__exchange_refuse_body(struct herald_http_connection *connection,
			     struct herald__refusal refusal)
{
	bool is_answered = !connection->request && !connection->call;

	connection->keeps_alive = false;
	if (is_answered)
		connection->state = HERALD__CLOSING;
	else
		respond_error(connection, refusal);
	herald__exchange_finish(connection);
}

void
herald__exchange_finish(struct herald_http_connection *connection)
{
	herald_http_request_destroy(connection->request);
	herald__pending_call_destroy(connection->call);
	connection->request = NULL;
	connection->call = NULL;
}

/* The head has come. */

/* "OPTIONS *" (RFC 9110 section 9.3.7). No other method has this target. */
static void
respond_about_server(struct herald_http_connection *connection,
		     const struct herald_http_framing *framing)
{
	prepare_early_answer(connection, framing);
	respond(connection,
		&(struct herald_http_response){.status = 204, .allow = connection->worker->allow});
	drop_body(connection, framing);
}

size_t
herald__exchange_begin(struct herald_http_connection *connection, struct herald__head *head,
		       char *data, size_t head_bytes, size_t bytes)
{
	struct herald__path *path = herald__worker_path(connection->worker, head->path);
	size_t left = bytes - head_bytes;

	connection->is_http10 = head->is_http10;
	connection->keeps_alive = head->keeps_alive;
	if (path && path->endpoint)
		return head_bytes + begin_event(connection, path, head, data + head_bytes, left);
	if (path)
		return head_bytes + begin_call(connection, path, head, data, head_bytes, left);
	if (*head->path.data == '*')
		respond_about_server(connection, &head->framing);
	else
		respond_before_body(connection, &head->framing, not_found);
	return head_bytes;
}

void
herald__exchange_refuse_head(struct herald_http_connection *connection,
			     struct herald__refusal refusal)
{
	connection->is_http10 = false;
	connection->keeps_alive = false;
	respond_error(connection, refusal);
}

void
herald__exchange_resume(struct herald_http_connection *connection)
{
	connection->is_offloaded = false;
	connection->worker->offloaded_count--;
	if (connection->state == HERALD__HANDLING && !atomic_load(&connection->is_gone)) {
		end_event(connection, herald_http_request_finish(connection->request));
	} else {
		connection->state = HERALD__CLOSED;
		herald__exchange_finish(connection);
	}
}
