/*
 * A client of a loop. Owns its connection and its socket: reads, passes the bytes to the
 * connection, sends its output, and tells epoll and the timer heap what the connection waits for.
 * connection.c knows what the bytes mean; socket.c encrypts.
 */
#include "http/server/client.h"

#include <sys/epoll.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>

/* Closing clients. */

static void
unlink_client(struct herald__client *client)
{
	struct herald__loop *loop = client->loop;

	if (client->previous)
		client->previous->next = client->next;
	else
		loop->clients = client->next;
	if (client->next)
		client->next->previous = client->previous;
	herald__timer_heap_remove(&loop->deadlines, &client->deadline);
	atomic_fetch_sub(&loop->clients_count, 1);
}

/* A process that the program has forked has a copy of the socket, for which epoll would go on
 * reporting events after the close. */
static void
close_socket(struct herald__client *client)
{
	if (client->socket.fd < 0)
		return;
	epoll_ctl(client->loop->epoll_fd, EPOLL_CTL_DEL, client->socket.fd, NULL);
	herald__socket_close(&client->socket);
}

void
herald__client_close(struct herald__client *client)
{
	close_socket(client);
	if (!herald__connection_finish(&client->http))
		return;
	unlink_client(client);
	herald__acceptor_closed(client->loop->acceptor, &client->peer);
	herald_memory_release(&client->loop->options->allocator, client, sizeof(*client));
}

/* Deadlines and epoll events of clients. */

/* Update the deadline in the heap, but only if it is earlier than the one there. */
static void
update_deadline(struct herald__client *client)
{
	struct herald__timer_heap *deadlines = &client->loop->deadlines;
	uint64_t due_ms = herald_http_connection_deadline(&client->http);

	if (due_ms >= client->deadline.due_ms)
		return;
	herald__timer_heap_remove(deadlines, &client->deadline);
	client->deadline.due_ms = due_ms;
	herald__timer_heap_add(deadlines, &client->deadline);
}

/*
 * The events that epoll reports. A client that is only read is reported once for all bytes that
 * have come, so that epoll does not look at it again after they have been read; see receive(). A
 * TLS stream may leave bytes in the socket: it is reported as long as there are any.
 */
static uint32_t
edges(const struct herald__client *client, uint32_t events)
{
	return events == EPOLLIN && !client->socket.stream
		       ? EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET
		       : events;
}

/* Returns false if epoll is out of memory. */
static bool
watch(struct herald__client *client, uint32_t events)
{
	struct epoll_event event = {.events = edges(client, events), .data.ptr = client};

	/* While its event is handled, a client is not read; client_run() notes that it sends. */
	if (events == 0 && client->events & EPOLLET)
		return true;
	if (client->events == event.events && !(event.events & EPOLLET && client->has_more))
		return true;
	/* If it is readable now, it is reported again. */
	client->has_more = false;
	client->events = event.events;
	return epoll_ctl(client->loop->epoll_fd, EPOLL_CTL_MOD, client->socket.fd, &event) == 0;
}

/* Close the sending side. Returns the events to wait for before the next try, or 0. */
static uint32_t
shut(struct herald__client *client)
{
	enum herald_tls_result result = herald__socket_shutdown(&client->socket);

	client->is_shut = result != HERALD_TLS_WANTS_READ && result != HERALD_TLS_WANTS_WRITE;
	if (client->is_shut)
		return 0;
	return result == HERALD_TLS_WANTS_READ ? EPOLLIN : EPOLLOUT;
}

/* Do what the connection needs after an event. */
static void
settle(struct herald__client *client)
{
	unsigned wants = herald_http_connection_wants(&client->http);
	uint32_t events = (wants & HERALD_HTTP_READ ? client->socket.read_events : 0) |
			  (wants & HERALD_HTTP_WRITE ? client->socket.write_events : 0);

	if (wants & HERALD_HTTP_SHUTDOWN && !client->is_shut)
		events |= shut(client);
	if (wants & HERALD_HTTP_CLOSE || !watch(client, events))
		herald__client_close(client);
	else
		update_deadline(client);
}

/* Reading and sending. */

/* Whether the connection is still usable after a read or a write. */
static bool
is_good(const struct herald__client *client, enum herald_tls_result result)
{
	const struct herald__socket *socket = &client->socket;

	if (result != HERALD_TLS_BROKEN)
		return true;
	if (socket->stream) {
		struct herald_log_field field = {.key = "error",
						 .text = socket->tls->problem(socket->stream)};

		herald_log_write(&client->loop->options->log, HERALD_LOG_DEBUG, "TLS failed",
				 &field, 1);
	}
	return false;
}

/* Send the output. Returns false if the connection is broken. */
static bool
send_output(struct herald__client *client)
{
	const char *data;
	size_t bytes, sent;

	while ((bytes = herald_http_connection_output(&client->http, &data)) > 0) {
		enum herald_tls_result result =
			herald__socket_write(&client->socket, data, bytes, &sent);

		if (result != HERALD_TLS_DONE)
			return is_good(client, result);
		herald_http_connection_sent(&client->http, sent, client->loop->now_ms);
	}
	return true;
}

/* A read may end early, for example at urgent data, and leave bytes of the request. */
static bool
is_within_request(const struct herald__client *client)
{
	return client->http.waiting == HERALD__WAITS_FOR_HEAD ||
	       client->http.waiting == HERALD__WAITS_FOR_BODY;
}

/* Read once; settle() takes care of further bytes. Returns false if the connection is broken. */
static bool
receive(struct herald__client *client, uint32_t events)
{
	struct herald__loop *loop = client->loop;
	size_t got;
	enum herald_tls_result result =
		herald__socket_read(&client->socket, loop->received, HERALD__READ_BYTES, &got);

	if (result == HERALD_TLS_DONE)
		herald_http_connection_receive(&client->http, loop->received, got, loop->now_ms);
	client->has_more = result != HERALD_TLS_DONE || got == HERALD__READ_BYTES ||
			   events & (EPOLLRDHUP | EPOLLPRI) || is_within_request(client);
	if (result == HERALD_TLS_END)
		herald_http_connection_end(&client->http, loop->now_ms);
	if (result == HERALD_TLS_PLAIN_HTTP) {
		herald__socket_decrypt(&client->socket);
		/* Its answer has no body. */
		client->http.is_head = herald__socket_begins(&client->socket, "HEAD ");
		herald__connection_refuse(
			&client->http,
			(struct herald__refusal){400, "this port speaks TLS; use https"},
			loop->now_ms);
	}
	return is_good(client, result);
}

void
herald__client_proceed(struct herald__client *client)
{
	if (client->socket.fd >= 0 && send_output(client))
		settle(client);
	else
		herald__client_close(client);
}

/* Whether to read. With TLS, reading may have waited for writing, and vice versa. */
static bool
is_readable(const struct herald__client *client, uint32_t events)
{
	if (client->http.state == HERALD__HANDLING)
		return false;
	if (client->socket.stream)
		return herald_http_connection_wants(&client->http) & HERALD_HTTP_READ;
	return events & (EPOLLIN | EPOLLPRI) || (events & EPOLLHUP && client->events & EPOLLIN);
}

static void
client_run(struct herald__source *source, uint32_t events)
{
	struct herald__client *client = (struct herald__client *)source;
	bool is_usable = true;

	if (is_readable(client, events))
		is_usable = receive(client, events);
	else if (events & (EPOLLERR | EPOLLHUP))
		is_usable = false;
	else
		client->has_more = true;
	if (is_usable)
		herald__client_proceed(client);
	else
		herald__client_close(client);
}

/* New clients. */

struct herald__client *
herald__client_create(struct herald__loop *loop, int fd, const struct herald__peer *peer)
{
	struct herald__client *client =
		herald_memory_allocate(&loop->options->allocator, sizeof(*client));

	if (!client)
		return NULL;
	*client = (struct herald__client){.source.run = client_run, .loop = loop, .peer = *peer};
	herald__socket_init(&client->socket, fd);
	return client;
}

void
herald__client_add(struct herald__client *client)
{
	struct herald__loop *loop = client->loop;
	struct herald_tls *tls = loop->options->tls;
	bool is_ready = !tls || herald__socket_encrypt(&client->socket, tls);
	struct epoll_event event = {.events = edges(client, EPOLLIN), .data.ptr = client};

	herald__connection_init(&client->http, loop->worker, client, loop->now_ms);
	client->events = event.events;
	client->next = loop->clients;
	client->previous = NULL;
	if (loop->clients)
		loop->clients->previous = client;
	loop->clients = client;
	client->deadline.due_ms = herald_http_connection_deadline(&client->http);
	herald__timer_heap_add(&loop->deadlines, &client->deadline);
	if (!is_ready || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, client->socket.fd, &event) != 0)
		herald__client_close(client);
}

void
herald__client_discard(struct herald__client *client)
{
	herald__socket_close(&client->socket);
	herald__acceptor_closed(client->loop->acceptor, &client->peer);
	herald_memory_release(&client->loop->options->allocator, client, sizeof(*client));
}
