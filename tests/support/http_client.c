/*
 * The tests' HTTP client: sockets and as much HTTP as it takes to tell one response from the next.
 */
#include "http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

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

bool
http_connect(struct http_client *client, const char *address, uint16_t port)
{
	const int on = 1;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;

	client->bytes = 0;
	client->fd = -1;
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
	return true;
}

void
http_close(struct http_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

void
http_reset(struct http_client *client)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	http_close(client);
}

bool
http_send(struct http_client *client, const char *data, size_t bytes)
{
	while (bytes > 0) {
		ssize_t sent = send(client->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			if (!wait_for(client->fd, POLLOUT, HTTP_CLIENT_WAIT_MS))
				return false;
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

/* Receive more; false at the end of the connection, or when nothing comes. */
static bool
receive_more(struct http_client *client)
{
	if (client->bytes == sizeof(client->data) ||
	    !wait_for(client->fd, POLLIN, HTTP_CLIENT_WAIT_MS))
		return false;

	ssize_t got = recv(client->fd, client->data + client->bytes,
			   sizeof(client->data) - client->bytes, 0);
	if (got <= 0)
		return false;
	client->bytes += (size_t)got;
	return true;
}

/* Take `bytes` from the front of what was received, with a NUL after them. */
static bool
take(struct http_client *client, size_t bytes, char *out, size_t out_bytes)
{
	if (bytes >= out_bytes)
		return false;
	memcpy(out, client->data, bytes);
	out[bytes] = '\0';
	memmove(client->data, client->data + bytes, client->bytes - bytes);
	client->bytes -= bytes;
	return true;
}

bool
http_receive(struct http_client *client, bool has_body, struct http_response *out)
{
	const char *end;

	memset(out, 0, sizeof(*out));
	while (!(end = memmem(client->data, client->bytes, "\r\n\r\n", 4)))
		if (!receive_more(client))
			return false;
	if (!take(client, (size_t)(end - client->data) + 4, out->head, sizeof(out->head)) ||
	    sscanf(out->head, "HTTP/1.%*1[01] %3u", &out->status) != 1)
		return false;

	const char *length = http_header(out, "Content-Length");
	if (!length || !has_body)
		return true;
	out->body_bytes = strtoul(length, NULL, 10);
	if (out->body_bytes >= sizeof(out->body))
		return false;
	while (client->bytes < out->body_bytes)
		if (!receive_more(client))
			return false;
	return take(client, out->body_bytes, out->body, sizeof(out->body));
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

bool
http_wait_readable(struct http_client *client, int wait_ms)
{
	return client->bytes > 0 || wait_for(client->fd, POLLIN, wait_ms);
}

bool
http_wait_closed(struct http_client *client, int wait_ms)
{
	client->bytes = 0;
	while (wait_for(client->fd, POLLIN, wait_ms))
		if (recv(client->fd, client->data, sizeof(client->data), 0) <= 0)
			return true;
	return false;
}
