/*
 * A request on its way through evhttp: evhttp's request becomes a request of the endpoint, and its
 * response evhttp's reply. Owns the calls. The adapter's lifecycle is in libevent.c.
 *
 * evhttp calls back when a body is complete, and reads nothing more from the connection until it
 * has the reply. So nothing happens to a request while it is in the pool, except that its client
 * may disconnect: the worker polls the socket for that. evhttp gets a reference to a copy of the
 * body and releases it when the reply has been sent or the connection is closed; then the call
 * ends. That may be after the endpoint and the service are destroyed: once it has its reply, a call
 * uses neither.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>

#include <herald/adapter/http.h>
#include <herald/adapter/text.h>

#include "call.h"
#include "guard.h"
#include "server.h"

/* The number of calls whose memory is retained for reuse, as the endpoint does for its requests. */
#define MAX_IDLE 64

/* Calls. */

static struct herald__call *
create_call(struct herald_libevent *adapter)
{
	struct herald__call *call = adapter->idle;

	if (call) {
		adapter->idle = call->next;
		adapter->idle_count--;
		memset(call, 0, sizeof(*call));
	} else {
		call = calloc(1, sizeof(*call));
		if (!call)
			return NULL;
	}
	call->adapter = adapter;
	adapter->calls_count++;
	return call;
}

static void
end_call(struct herald__call *call)
{
	struct herald_libevent *adapter = call->adapter;

	free(call->body);
	adapter->calls_count--;
	if (adapter->idle_count < MAX_IDLE) {
		call->next = adapter->idle;
		adapter->idle = call;
		adapter->idle_count++;
	} else {
		free(call);
	}
	adapter->call_ended(adapter);
}

/* Reading the request. */

struct method {
	enum evhttp_cmd_type type;
	const char *name;
	bool body_is_read; /* by evhttp; otherwise it reads the body as the next request */
};

static const struct method *
find_method(enum evhttp_cmd_type type)
{
	static const struct method methods[] = {
		{EVHTTP_REQ_POST, "POST", true},       {EVHTTP_REQ_GET, "GET", true},
		{EVHTTP_REQ_HEAD, "HEAD", false},      {EVHTTP_REQ_PUT, "PUT", true},
		{EVHTTP_REQ_DELETE, "DELETE", true},   {EVHTTP_REQ_OPTIONS, "OPTIONS", true},
		{EVHTTP_REQ_TRACE, "TRACE", false},    {EVHTTP_REQ_PATCH, "PATCH", true},
		{EVHTTP_REQ_CONNECT, "CONNECT", true},
	};
	static const struct method other = {.name = "OTHER"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].type == type)
			return &methods[i];
	return &other;
}

static const char *
version_of(const struct evhttp_request *request)
{
	if (request->major == 1 && request->minor == 1)
		return "1.1";
	return request->major == 1 && request->minor == 0 ? "1.0" : "another";
}

static struct herald_http_framing
read_framing(const struct herald_libevent *adapter, struct evhttp_request *request)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);

	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next)
		herald_http_framing_add(&framing, header->key, header->value);
	/* Only a program that creates the bufferevents itself can encrypt. */
	framing.is_secured = adapter->may_encrypt;
	herald_http_framing_request_line(&framing,
					 find_method(evhttp_request_get_command(request))->name,
					 evhttp_request_get_uri(request), version_of(request));
	return framing;
}

/* evhttp (2.1.12) answers in the version of the request, even if that is HTTP/1.2. */
static void
answer_in_known_version(struct evhttp_request *request)
{
	if (strcmp(version_of(request), "another") != 0)
		return;
	request->major = 1;
	request->minor = 1;
}

/* Whether evhttp will read the body as the next request. */
static bool
leaves_body(struct evhttp_request *request, const struct herald_http_framing *framing)
{
	return herald_http_framing_has_body(framing) &&
	       !find_method(evhttp_request_get_command(request))->body_is_read;
}

static void
move_body(struct evbuffer *from, struct herald_http_request *to)
{
	char piece[8192];
	int bytes;

	while ((bytes = evbuffer_remove(from, piece, sizeof(piece))) > 0)
		herald_http_request_append(to, piece, (size_t)bytes);
}

/* The herald_http_head.headers_visit callback. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct evkeyvalq *headers = state;

	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next)
		if (!visit(header->key, header->value, visit_state))
			return;
}

static struct herald_http_request *
create_request(struct herald_libevent *adapter, struct evhttp_request *from,
	       const struct herald_http_framing *framing)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(from);
	struct evbuffer *body = evhttp_request_get_input_buffer(from);
	const char *mark = strchr(evhttp_request_get_uri(from), '?');
	const struct herald_http_head head = {
		.method = find_method(evhttp_request_get_command(from))->name,
		.content_type = framing->content_type,
		.content_encoding = framing->content_encoding,
		.content_length = evbuffer_get_length(body),
		.headers_visit = visit_headers,
		.query = mark ? mark + 1 : NULL,
		.state = headers,
	};
	struct herald_http_request *request = herald_http_request_create(adapter->endpoint, &head);

	if (request && !framing->problem)
		move_body(body, request);
	return request;
}

/* Sending the response. */

/* The evbuffer_ref_cleanup_cb: the response has been sent, or the connection is closed. */
static void
sent(const void *data, size_t bytes, void *state)
{
	(void)data;
	(void)bytes;
	end_call(state);
}

/* The herald_http_header_sink. */
static bool
add_header(const char *name, const char *value, void *headers)
{
	return evhttp_add_header(headers, name, value) == 0;
}

/* Replace what the request says of its connection. Returns false when out of memory. */
static bool
set_connection(struct evhttp_request *request, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);

	while (evhttp_remove_header(headers, "Connection") == 0)
		;
	return !value || add_header("Connection", value, headers);
}

/*
 * Have the connection closed after the response, as if the request had asked for it. To a
 * "Connection: close" in the response, evhttp (2.1.12) would add "Connection: keep-alive" if a
 * request of HTTP/1.0 lists that first.
 */
static bool
ask_to_close(struct evhttp_request *request)
{
	return set_connection(request, "close");
}

/*
 * Say it as evhttp (2.1.12) understands it: it takes a lone "close" only, whatever begins with
 * "keep-alive", and no lists.
 */
static void
simplify_connection(struct evhttp_request *request, const struct herald_http_framing *framing)
{
	bool keeps = framing->asks_to_keep_alive && !framing->asks_to_close;

	/* Without memory, a request of HTTP/1.0 ends the connection. */
	if (framing->asks_to_close || !set_connection(request, keeps ? "keep-alive" : NULL))
		(void)ask_to_close(request);
}

/* Returns false when out of memory. */
static bool
add_headers(struct evhttp_request *request, const struct herald_http_response *response, bool close)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	return herald_http_response_headers(response, add_header, headers) &&
	       (!close || ask_to_close(request));
}

/* Reply without a body when out of memory, and close the connection so that the client does not
 * wait for the body. */
static void
reply_without_body(struct evhttp_request *request, unsigned status)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_clear_headers(headers);
	if (!ask_to_close(request))
		evhttp_add_header(headers, "Connection", "close");
	evhttp_send_reply(request, (int)status, NULL, NULL);
}

/*
 * Without a body evhttp would say "Content-Type: text/html", unless the status is 204 or 304 or the
 * request is HEAD, which it is made to be.
 */
static void
leave_out_body(struct evhttp_request *request)
{
	request->type = EVHTTP_REQ_HEAD;
}

/* Give evhttp a reference to a copy of the body. The call then lives until sent(). */
static bool
lend_body(struct herald__call *call, const struct herald_http_response *response)
{
	struct evbuffer *output = evhttp_request_get_output_buffer(call->request);
	size_t bytes = response->body_bytes;

	call->body = malloc(bytes);
	if (!call->body)
		return false;
	memcpy(call->body, response->body, bytes);
	return evbuffer_add_reference(output, call->body, bytes, sent, call) == 0;
}

/* Frees the response, and possibly the call. */
static void
reply(struct herald__call *call, const struct herald_http_response *response)
{
	struct evhttp_request *request = call->request;
	bool has_body =
		response->body_bytes > 0 && evhttp_request_get_command(request) != EVHTTP_REQ_HEAD;
	unsigned status = response->status;
	bool good = add_headers(request, response, call->close || call->adapter->stopping);
	bool is_lent = good && has_body && lend_body(call, response);

	if (!response->content_type)
		leave_out_body(request);
	herald_http_request_destroy(call->pooled.request);
	if (is_lent || (good && !has_body))
		evhttp_send_reply(request, (int)status, NULL, NULL);
	else
		reply_without_body(request, status);
	if (!is_lent)
		end_call(call);
}

/* Callbacks of the pool and of a store, on any thread. */

/* The herald_offload.is_gone callback. evhttp does not touch the connection until the reply, so the
 * socket may be polled here. */
static bool
is_gone(struct herald_offload *work)
{
	struct herald__call *call = (struct herald__call *)work;
	short gone = POLLERR | POLLHUP | (call->adapter->drop_half_closed ? POLLRDHUP : 0);
	struct pollfd poller = {.fd = call->fd, .events = gone};

	return poll(&poller, 1, 0) == 1;
}

/* The herald_offload.finished callback. */
static void
finished(struct herald_offload *work)
{
	struct herald__call *call = (struct herald__call *)work;
	struct herald_libevent *adapter = call->adapter;

	pthread_mutex_lock(&adapter->lock);
	call->next = adapter->done;
	adapter->done = call;
	/* With the lock held: as soon as the loop finds the call, the adapter may be destroyed. */
	if (!adapter->is_woken)
		herald__libevent_wake(adapter);
	adapter->is_woken = true;
	pthread_cond_signal(&adapter->has_done);
	pthread_mutex_unlock(&adapter->lock);
}

/* Take the calls in `done`, the oldest first. */
static struct herald__call *
take_done(struct herald_libevent *adapter)
{
	struct herald__call *oldest = NULL;

	pthread_mutex_lock(&adapter->lock);
	struct herald__call *newest = adapter->done;
	adapter->done = NULL;
	/* A commit of a store answers many events, one after the other. */
	adapter->is_woken = newest;
	pthread_mutex_unlock(&adapter->lock);

	while (newest) {
		struct herald__call *call = newest;

		newest = call->next;
		call->next = oldest;
		oldest = call;
	}
	return oldest;
}

void
herald__calls_finish(struct herald_libevent *adapter)
{
	struct herald__call *call;

	while ((call = take_done(adapter)))
		while (call) {
			struct herald__call *next = call->next;

			adapter->pooled_count--;
			reply(call, herald_http_request_finish(call->pooled.request));
			call = next;
		}
}

void
herald__calls_wait(struct herald_libevent *adapter)
{
	while (adapter->pooled_count > 0) {
		pthread_mutex_lock(&adapter->lock);
		while (!adapter->done)
			pthread_cond_wait(&adapter->has_done, &adapter->lock);
		pthread_mutex_unlock(&adapter->lock);
		herald__calls_finish(adapter);
	}
}

/* Handling a request, on the loop's thread. */

/* Respond now, or when the pool or a store has finished. Once it has the call, do not access it
 * here. */
static void
handle(struct herald__call *call)
{
	struct herald_libevent *adapter = call->adapter;
	struct herald_http_request *request = call->pooled.request;
	const struct herald_http_response *response;

	if (call->problem)
		response = herald_http_request_ambiguous(request, call->problem);
	else if (call->leaves_body)
		response = herald_http_request_unreadable(request);
	else if (adapter->stopping && !adapter->in_grace)
		response = herald_http_request_unavailable(request, "the server is stopping");
	else {
		adapter->pooled_count++;
		response = herald_offload_submit(adapter->pool, &call->pooled);
		if (response)
			adapter->pooled_count--;
	}
	if (response)
		reply(call, response);
}

static struct bufferevent *
bufferevent_of(struct evhttp_request *request)
{
	return evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
}

void
herald__call_begin(struct evhttp_request *request, void *state)
{
	struct herald_libevent *adapter = state;

	herald__block_sigpipe(adapter);
	const struct herald_http_framing framing = read_framing(adapter, request);
	if (!framing.problem &&
	    !herald_http_target_is(evhttp_request_get_uri(request), adapter->path)) {
		simplify_connection(request, &framing);
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
		return;
	}
	struct herald__call *call = create_call(adapter);
	if (!call) {
		reply_without_body(request, 503);
		return;
	}
	call->request = request;
	call->problem = framing.problem;
	call->leaves_body = leaves_body(request, &framing);
	call->close = call->problem || call->leaves_body || framing.asks_to_close;
	/* Without the guard, evhttp may read the end of a request where others do not. Then nothing
	 * that follows on the connection may be handled. */
	call->close |= !herald__is_guarded(bufferevent_of(request));
	/* evhttp treats "POST http://..." as a proxy request, and would close the connection. */
	request->flags &= ~EVHTTP_PROXY_REQUEST;
	call->pooled.request = create_request(adapter, request, &framing);
	simplify_connection(request, &framing);
	answer_in_known_version(request);
	if (!call->pooled.request) {
		reply(call, herald_http_unavailable());
		return;
	}
	call->fd = (int)bufferevent_getfd(bufferevent_of(request));
	call->pooled.finished = finished;
	if (call->fd >= 0)
		call->pooled.is_gone = is_gone;
	handle(call);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the pool or evhttp's buffer has it now. */
}
