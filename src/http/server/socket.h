/*
 * A client's socket, encrypted or not. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_SOCKET_H
#define HERALD_SRC_HTTP_SERVER_SOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <herald/adapter/tls.h>

struct herald__socket {
	int fd;                           /* -1: closed */
	uint32_t read_events;             /* what epoll waits for before the next read */
	uint32_t write_events;            /* and before the next write */
	const struct herald_tls_ops *tls; /* of the stream */
	struct herald_tls_stream *stream; /* NULL: not encrypted */
};

/* An accepted socket that does not block; from now on `out` owns it. */
void herald__socket_init(struct herald__socket *out, int fd);

/* Encrypt it, before anything is read. Returns false when out of memory. */
bool herald__socket_encrypt(struct herald__socket *socket, struct herald_tls *tls);

/* Go on without encryption: the client does not speak TLS. */
void herald__socket_decrypt(struct herald__socket *socket);

/* Whether the bytes that have come and were not read begin with a text. They stay in the socket. */
bool herald__socket_begins(const struct herald__socket *socket, const char *text);

/* The next two, for encrypted sockets. */
enum herald_tls_result
herald__socket_read_encrypted(struct herald__socket *socket, char *data, size_t bytes, size_t *got);
enum herald_tls_result herald__socket_write_encrypted(struct herald__socket *socket,
						      const char *data, size_t bytes, size_t *sent);

static inline bool
herald__socket_may_go_on(int number)
{
	return number == EAGAIN || number == EINTR;
}

/*
 * Read once; `*got` is set if the result is HERALD_TLS_DONE. After WANTS_READ and WANTS_WRITE,
 * `read_events` are the ones to wait for.
 */
static inline enum herald_tls_result
herald__socket_read(struct herald__socket *socket, char *data, size_t bytes, size_t *got)
{
	if (socket->stream)
		return herald__socket_read_encrypted(socket, data, bytes, got);
	ssize_t count = recv(socket->fd, data, bytes, 0);
	if (count < 0)
		return herald__socket_may_go_on(errno) ? HERALD_TLS_WANTS_READ : HERALD_TLS_BROKEN;
	*got = (size_t)count;
	return count == 0 ? HERALD_TLS_END : HERALD_TLS_DONE;
}

/* Write once, likewise. */
static inline enum herald_tls_result
herald__socket_write(struct herald__socket *socket, const char *data, size_t bytes, size_t *sent)
{
	if (socket->stream)
		return herald__socket_write_encrypted(socket, data, bytes, sent);
	ssize_t count = send(socket->fd, data, bytes, MSG_NOSIGNAL);
	if (count < 0)
		return herald__socket_may_go_on(errno) ? HERALD_TLS_WANTS_WRITE : HERALD_TLS_BROKEN;
	*sent = (size_t)count;
	return HERALD_TLS_DONE;
}

/* Close the sending side. After WANTS_READ and WANTS_WRITE, call it again. */
enum herald_tls_result herald__socket_shutdown(struct herald__socket *socket);

void herald__socket_close(struct herald__socket *socket);

#endif
