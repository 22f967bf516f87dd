/*
 * A client's socket: what is read and written passes through the server's TLS adapter if there is
 * one. It owns the socket and its stream; when to read and write is its caller's matter.
 */
#include "http/server/socket.h"

#include <assert.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum herald_tls_result
herald__socket_read_encrypted(struct herald__socket *socket, char *data, size_t bytes, size_t *got)
{
	enum herald_tls_result result = socket->tls->read(socket->stream, data, bytes, got);

	socket->read_events = result == HERALD_TLS_WANTS_WRITE ? EPOLLOUT : EPOLLIN;
	return result;
}

enum herald_tls_result
herald__socket_write_encrypted(struct herald__socket *socket, const char *data, size_t bytes,
			       size_t *sent)
{
	enum herald_tls_result result = socket->tls->write(socket->stream, data, bytes, sent);

	socket->write_events = result == HERALD_TLS_WANTS_READ ? EPOLLIN : EPOLLOUT;
	return result;
}

enum herald_tls_result
herald__socket_shutdown(struct herald__socket *socket)
{
	if (socket->stream) {
		enum herald_tls_result result = socket->tls->shutdown(socket->stream);

		if (result == HERALD_TLS_WANTS_READ || result == HERALD_TLS_WANTS_WRITE)
			return result;
	}
	shutdown(socket->fd, SHUT_WR);
	return HERALD_TLS_DONE;
}

bool
herald__socket_begins(const struct herald__socket *socket, const char *text)
{
	char begin[16];
	size_t bytes = strlen(text);

	assert(bytes <= sizeof(begin));
	return recv(socket->fd, begin, bytes, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)bytes &&
	       memcmp(begin, text, bytes) == 0;
}

/* Lifetime. */

void
herald__socket_init(struct herald__socket *out, int fd)
{
	*out = (struct herald__socket){.fd = fd, .read_events = EPOLLIN, .write_events = EPOLLOUT};
}

bool
herald__socket_encrypt(struct herald__socket *socket, struct herald_tls *tls)
{
	socket->tls = tls->ops;
	socket->stream = tls->ops->open(tls, socket->fd);
	return socket->stream;
}

void
herald__socket_decrypt(struct herald__socket *socket)
{
	if (socket->stream)
		socket->tls->close(socket->stream);
	socket->stream = NULL;
	socket->read_events = EPOLLIN;
	socket->write_events = EPOLLOUT;
}

void
herald__socket_close(struct herald__socket *socket)
{
	herald__socket_decrypt(socket);
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}
