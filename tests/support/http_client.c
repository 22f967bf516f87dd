/*
 * The tests' HTTP client: sockets and as much HTTP as it takes to tell one response from the next.
 */
#include "http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

const struct http_client_tls *http_client_tls;
int http_client_wait_ms = HTTP_CLIENT_WAIT_MS;
void (*http_client_failed)(const char *problem);

/* On other threads than the test's, cmocka ends the process without a word. */
static _Noreturn void
fail_test(const char *problem)
{
	if (http_client_failed)
		http_client_failed(problem);
	fprintf(stderr, "# HTTP client: %s\n", problem);
	fail();
	abort();
}

static bool
wait_for(int fd, short events, int wait_ms)
{
	struct pollfd poller = {.fd = fd, .events = events};
	int ready;

	do {
		ready = poll(&poller, 1, wait_ms);
	} while (ready < 0 && errno == EINTR);
	return ready == 1;
}

static bool
encrypt(struct http_client *client)
{
	fcntl(client->fd, F_SETFL, fcntl(client->fd, F_GETFL) | O_NONBLOCK);
	client->stream = http_client_tls->open(client->fd);
	if (client->stream)
		return true;
	int error = errno;
	close(client->fd);
	client->fd = -1;
	errno = error;
	return false;
}

bool
http_connect(struct http_client *client, const char *address, uint16_t port)
{
	const int on = 1;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;

	client->bytes = 0;
	client->fd = -1;
	client->stream = NULL;
	if (!is_v6 && inet_pton(AF_INET, address, &v4.sin_addr) != 1)
		return false;
	client->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return false;
	int failed = is_v6 ? connect(client->fd, (struct sockaddr *)&v6, sizeof(v6))
			   : connect(client->fd, (struct sockaddr *)&v4, sizeof(v4));
	if (failed) {
		int error = errno;
		http_close(client);
		errno = error;
		return false;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return !http_client_tls || encrypt(client);
}

void
http_close(struct http_client *client)
{
	if (client->fd < 0)
		return;
	if (http_client_tls && client->stream) {
		http_client_tls->finish(client->stream);
		http_client_tls->close(client->stream);
	}
	close(client->fd);
	client->fd = -1;
}

void
http_reset(struct http_client *client)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (http_client_tls)
		http_client_tls->close(client->stream);
	client->stream = NULL;
	http_close(client);
}

void
http_finish_sending(struct http_client *client)
{
	if (http_client_tls)
		http_client_tls->finish(client->stream);
	shutdown(client->fd, SHUT_WR);
}

/* As send() without blocking; if it would block, *events are those to wait for. */
static ssize_t
send_some(struct http_client *client, const void *data, size_t bytes, short *events)
{
	*events = POLLOUT;
	return http_client_tls ? http_client_tls->send(client->stream, data, bytes, events)
			       : send(client->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* As recv(), but with EAGAIN if nothing comes. */
static ssize_t
receive_some(struct http_client *client, void *data, size_t bytes, int wait_ms)
{
	ssize_t got;
	short events;

	if (!http_client_tls) {
		errno = EAGAIN;
		return wait_for(client->fd, POLLIN, wait_ms) ? recv(client->fd, data, bytes, 0)
							     : -1;
	}
	do {
		got = http_client_tls->receive(client->stream, data, bytes, &events);
	} while (got < 0 && errno == EAGAIN && wait_for(client->fd, events, wait_ms));
	return got;
}

bool
http_send(struct http_client *client, const char *data, size_t bytes)
{
	while (bytes > 0) {
		short events;
		ssize_t sent = send_some(client, data, bytes, &events);

		if (sent < 0 && errno == EAGAIN) {
			if (!wait_for(client->fd, events, http_client_wait_ms))
				fail_test("the server takes nothing more");
			continue;
		}
		if (sent < 0)
			return false;
		data += sent;
		bytes -= (size_t)sent;
	}
	return true;
}

bool
http_send_text(struct http_client *client, const char *text)
{
	return http_send(client, text, strlen(text));
}

bool
http_send_pieces(struct http_client *client, const char *data, size_t bytes, size_t piece_bytes)
{
	for (size_t at = 0; at < bytes; at += piece_bytes)
		if (!http_send(client, data + at,
			       bytes - at < piece_bytes ? bytes - at : piece_bytes))
			return false;
	return true;
}

/* As recv(), but fails the test if nothing comes. */
static ssize_t
receive_in_time(struct http_client *client, void *data, size_t bytes)
{
	ssize_t got = receive_some(client, data, bytes, http_client_wait_ms);

	if (got < 0 && errno == EAGAIN)
		fail_test("neither bytes nor the end of the connection have come");
	return got;
}

/* Receive more; false at the end of the connection. */
static bool
receive_more(struct http_client *client)
{
	if (client->bytes == sizeof(client->data))
		fail_test("a response is too large");

	ssize_t got = receive_in_time(client, client->data + client->bytes,
				      sizeof(client->data) - client->bytes);
	if (got <= 0)
		return false;
	client->bytes += (size_t)got;
	return true;
}

/* Take `bytes` from the front of what was received, with a NUL after them. */
static void
take(struct http_client *client, size_t bytes, char *out, size_t out_bytes)
{
	if (bytes >= out_bytes)
		fail_test("a response is too large");
	memcpy(out, client->data, bytes);
	out[bytes] = '\0';
	memmove(client->data, client->data + bytes, client->bytes - bytes);
	client->bytes -= bytes;
}

bool
http_receive(struct http_client *client, bool has_body, struct http_response *out)
{
	const char *end;

	memset(out, 0, sizeof(*out));
	while (!(end = memmem(client->data, client->bytes, "\r\n\r\n", 4)))
		if (!receive_more(client))
			return false;
	take(client, (size_t)(end - client->data) + 4, out->head, sizeof(out->head));
	if (sscanf(out->head, "HTTP/1.%*1[01] %3u", &out->status) != 1)
		return false;

	const char *length = http_header(out, "Content-Length");
	if (!length || !has_body)
		return true;
	out->body_bytes = strtoul(length, NULL, 10);
	while (client->bytes < out->body_bytes)
		if (!receive_more(client))
			return false;
	take(client, out->body_bytes, out->body, sizeof(out->body));
	return true;
}

const char *
http_header(const struct http_response *response, const char *name)
{
	static _Thread_local char value[1024];
	size_t name_bytes = strlen(name);

	for (const char *line = strstr(response->head, "\r\n"); line;
	     line = strstr(line + 2, "\r\n")) {
		const char *text = line + 2;

		if (strncasecmp(text, name, name_bytes) != 0 || text[name_bytes] != ':')
			continue;
		text += name_bytes + 1;
		text += strspn(text, " \t");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, "\r"), text);
		return value;
	}
	return NULL;
}

size_t
http_receive_bytes(struct http_client *client, char *out, size_t out_bytes)
{
	ssize_t got;

	if (client->bytes == 0) {
		got = receive_in_time(client, out, out_bytes);
		return got < 0 ? 0 : (size_t)got;
	}
	size_t taken = client->bytes < out_bytes ? client->bytes : out_bytes;
	memcpy(out, client->data, taken);
	memmove(client->data, client->data + taken, client->bytes - taken);
	client->bytes -= taken;
	return taken;
}

bool
http_wait_readable(struct http_client *client, int wait_ms)
{
	short events;

	if (client->bytes > 0)
		return true;
	if (!http_client_tls)
		return wait_for(client->fd, POLLIN, wait_ms);
	/* TLS has records of its own, too. */
	while (http_client_tls->peek(client->stream, &events) < 0 && errno == EAGAIN)
		if (!wait_for(client->fd, events, wait_ms))
			return false;
	return true;
}

bool
http_wait_closed(struct http_client *client, int wait_ms)
{
	ssize_t got;

	client->bytes = 0;
	do {
		got = receive_some(client, client->data, sizeof(client->data), wait_ms);
	} while (got > 0);
	return got == 0 || errno != EAGAIN;
}
