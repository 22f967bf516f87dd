/*
 * A request on its way through evhttp: what comes in becomes a request of the endpoint's, and its
 * answer a reply. It owns the calls; not when the adapter begins or ends.
 *
 * evhttp calls when a body is complete and reads nothing more from the connection until it has the
 * reply. So nothing happens to a request while it is with the pool, and what is left to find out is
 * whether its client has gone: the worker asks the socket. A copy of the reply's body is lent to
 * evhttp, which gives it back when it is sent or the connection is gone; then the call ends. That
 * may be after the endpoint's end, and the service's: a call with its reply needs neither.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>

#include <herald/http_adapter.h>

#include "adapter.h"

/* Calls whose memory is kept for the next ones, as the endpoint keeps its requests. */
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
	herald__libevent_call_ended(adapter);
}

/* What came in. */

struct method {
	enum evhttp_cmd_type type;
	const char *name;
	bool body_is_read; /* by evhttp; otherwise what was the body is its next request */
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
	static const struct method other = {.name = "another method"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].type == type)
			return &methods[i];
	return &other;
}

static struct herald_http_framing
read_framing(struct evhttp_request *request)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
	char version[32];

	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next)
		herald_http_framing_add(&framing, header->key, header->value);
	snprintf(version, sizeof(version), "%d.%d", request->major, request->minor);
	herald_http_framing_version(&framing, version);
	return framing;
}

/* Whether the client asks for the end of the connection; evhttp knows the word only alone. */
static bool
asks_to_close(struct evhttp_request *request)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);

	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next) {
		const char *at = header->value;

		if (evutil_ascii_strcasecmp(header->key, "Connection") != 0)
			continue;
		for (; *at; at += strcspn(at, ",")) {
			at += strspn(at, ", \t");
			size_t bytes = strcspn(at, ", \t");
			if (bytes == 5 && evutil_ascii_strncasecmp(at, "close", bytes) == 0)
				return true;
		}
	}
	return false;
}

/* Whether evhttp takes the body for the next request. */
static bool
leaves_body(struct evhttp_request *request, const struct herald_http_framing *framing)
{
	bool has_length = framing->content_length != HERALD_HTTP_NO_LENGTH;
	bool has_body = framing->chunked || (has_length && framing->content_length > 0);

	return has_body && !find_method(evhttp_request_get_command(request))->body_is_read;
}

static void
move_body(struct evbuffer *from, struct herald_http_request *to)
{
	char piece[8192];
	int bytes;

	while ((bytes = evbuffer_remove(from, piece, sizeof(piece))) > 0)
		herald_http_request_append(to, piece, (size_t)bytes);
}

/* herald_http_head.header. */
static const char *
find_header(const char *name, void *headers)
{
	return evhttp_find_header(headers, name);
}

static struct herald_http_request *
create_request(struct herald_libevent *adapter, struct evhttp_request *from,
	       const struct herald_http_framing *framing)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(from);
	struct evbuffer *body = evhttp_request_get_input_buffer(from);
	const struct herald_http_head head = {
		.method = find_method(evhttp_request_get_command(from))->name,
		.content_type = framing->content_type,
		.content_length = evbuffer_get_length(body),
		.header = find_header,
		.state = headers,
	};
	struct herald_http_request *request = herald_http_request_create(adapter->http, &head);

	if (request && !framing->ambiguous)
		move_body(body, request);
	return request;
}

/* What goes out. */

/* evbuffer_ref_cleanup_cb: the answer is sent, or nobody is there to get it. */
static void
sent(const void *data, size_t bytes, void *state)
{
	(void)data;
	(void)bytes;
	end_call(state);
}

/* herald_http_header_sink. */
static void
add_header(const char *name, const char *value, void *headers)
{
	evhttp_add_header(headers, name, value);
}

static void
add_headers(struct evhttp_request *request, const struct herald_http_response *response, bool close)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	herald_http_response_headers(response, add_header, headers);
	if (close)
		evhttp_add_header(headers, "Connection", "close");
}

/* For when memory is out: no body, and the connection closed so that nobody waits for it. */
static void
reply_without_body(struct evhttp_request *request, unsigned status)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_clear_headers(headers);
	evhttp_add_header(headers, "Connection", "close");
	evhttp_send_reply(request, (int)status, NULL, NULL);
}

/* Lend evhttp a copy of the body; the call is its until sent(). */
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

/*
 * Whether a request was refused before it was an event. Where nothing has looked at the bytes
 * before evhttp, a length may have been hidden from it, and what follows be the body.
 */
static bool
was_no_event(unsigned status)
{
	return status == 400 || status == 405 || status == 413 || status == 415 || status == 431;
}

/* The response is gone when this returns, and the call may be. */
static void
reply(struct herald__call *call, const struct herald_http_response *response)
{
	struct evhttp_request *request = call->request;
	bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
	unsigned status = response->status;

	call->close |= call->adapter->is_unguarded && was_no_event(status);
	add_headers(request, response, call->close || call->adapter->stopping);
	bool is_lent = !is_head && lend_body(call, response);
	herald_http_request_destroy(call->pooled.request);
	if (is_lent || is_head)
		evhttp_send_reply(request, (int)status, NULL, NULL);
	else
		reply_without_body(request, status);
	if (!is_lent)
		end_call(call);
}

/* The pool's side: on a worker's thread, or on the one that stops the pool. */

/* herald_pool_request.is_gone: the connection stays as it is until the reply, so the socket may be
 * asked here. */
static bool
is_gone(struct herald_pool_request *work)
{
	struct herald__call *call = (struct herald__call *)work;
	short gone = POLLERR | POLLHUP | (call->adapter->drop_half_closed ? POLLRDHUP : 0);
	struct pollfd poller = {.fd = call->fd, .events = gone};

	return poll(&poller, 1, 0) == 1 && (poller.revents & gone) != 0;
}

/* herald_pool_request.finished. */
static void
finished(struct herald_pool_request *work, const struct herald_http_response *response)
{
	struct herald__call *call = (struct herald__call *)work;
	struct herald_libevent *adapter = call->adapter;

	call->response = response;
	pthread_mutex_lock(&adapter->lock);
	bool was_empty = !adapter->done;
	call->next = adapter->done;
	adapter->done = call;
	/* Under the lock: the adapter may be destroyed as soon as the call is found. */
	if (was_empty)
		herald__libevent_wake(adapter);
	pthread_mutex_unlock(&adapter->lock);
}

/* What is in `done`, the oldest first. */
static struct herald__call *
take_done(struct herald_libevent *adapter)
{
	struct herald__call *oldest = NULL;

	pthread_mutex_lock(&adapter->lock);
	struct herald__call *newest = adapter->done;
	adapter->done = NULL;
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
	struct herald__call *call = take_done(adapter);

	while (call) {
		struct herald__call *next = call->next;

		adapter->pooled_count--;
		reply(call, call->response);
		call = next;
	}
}

/* From one end to the other, on the loop's thread. */

/* Answer, now or when the pool has finished. Once it is the pool's, the call is not touched here. */
static void
handle(struct herald__call *call)
{
	struct herald_libevent *adapter = call->adapter;
	struct herald_http_request *request = call->pooled.request;
	const struct herald_http_response *response;

	if (call->ambiguous)
		response = herald_http_request_ambiguous(request);
	else if (call->leaves_body)
		response = herald_http_request_unreadable(request);
	else if (adapter->stopping && !adapter->in_grace)
		response = herald_http_request_unavailable(request, "the server is stopping");
	else if (adapter->pool)
		response = herald_pool_request_submit(adapter->pool, &call->pooled);
	else
		response = herald_http_request_finish(request);

	if (response)
		reply(call, response);
	else
		adapter->pooled_count++;
}

static int
socket_of(struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	return (int)bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
}

void
herald__call_begin(struct evhttp_request *request, void *state)
{
	struct herald_libevent *adapter = state;

	herald__block_sigpipe(adapter);
	if (!herald_http_target_is(evhttp_request_get_uri(request), adapter->path)) {
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
		return;
	}
	struct herald__call *call = create_call(adapter);
	if (!call) {
		reply_without_body(request, 503);
		return;
	}
	const struct herald_http_framing framing = read_framing(request);
	call->request = request;
	call->ambiguous = framing.ambiguous;
	call->leaves_body = leaves_body(request, &framing);
	call->close = call->ambiguous || call->leaves_body || asks_to_close(request);
	/* evhttp takes "POST http://..." for a proxy's business, and would close. */
	request->flags &= ~EVHTTP_PROXY_REQUEST;
	call->pooled.request = create_request(adapter, request, &framing);
	if (!call->pooled.request) {
		reply(call, herald_http_unavailable());
		return;
	}
	call->fd = socket_of(request);
	call->pooled.finished = finished;
	if (call->fd >= 0)
		call->pooled.is_gone = is_gone;
	handle(call);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the pool has it now, or evhttp's buffer. */
}
