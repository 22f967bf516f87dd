/*
 * The misbehaving server: sockets, and as much HTTP as it takes to know where a request ends.
 */
#include "misbehaving_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 60

enum mode { READING, WAITING, SILENT, ENDLESS_BODY, ENDLESS_HEADERS, REPEATING };

struct connection {
	int fd;
	enum mode mode;
	uint64_t answer_ms;    /* WAITING */
	size_t repeated_bytes; /* REPEATING: sent of the one under way */
	size_t bytes;
	char data[MISBEHAVING_REQUEST_BYTES];
};

/* The thread's own. */
struct loop {
	struct misbehaving_server *server;
	struct connection **connections;
	struct pollfd *polled; /* the wakeup, the listening socket, the connections */
	size_t count, capacity;
};

static void
check(bool is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	abort();
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Answers. */

static void
send_text(struct connection *connection, const char *text)
{
	/* Do not wait if the socket's buffer is full. */
	(void)!send(connection->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void
close_connection(struct connection *connection, bool reset)
{
	const struct linger at_once = {.l_onoff = 1};

	if (reset)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(connection->fd);
	connection->fd = -1;
}

static void
fall_silent(struct misbehaving_server *server, struct connection *connection)
{
	connection->mode = SILENT;
	pthread_mutex_lock(&server->mutex);
	server->silent++;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->mutex);
	if (server->on_silent)
		server->on_silent(server->state);
}

static void
send_status(struct misbehaving_server *server, struct connection *connection, const char *status)
{
	char text[768];

	snprintf(text, sizeof(text), "HTTP/1.1 %.3s Status\r\n%s%s%sLocation: %s\r\n%s\r\n", status,
		 server->retry_after ? "Retry-After: " : "",
		 server->retry_after ? server->retry_after : "", server->retry_after ? "\r\n" : "",
		 server->location ? server->location : "/200",
		 strncmp(status, "204", 3) == 0 ? "" : "Content-Length: 0\r\n");
	send_text(connection, text);
}

static void
send_raw(const struct misbehaving_server *server, struct connection *connection)
{
	size_t bytes = server->raw_bytes ? server->raw_bytes : strlen(server->raw);
	struct pollfd room = {.fd = connection->fd, .events = POLLOUT};

	/* It is finite, and read: what does not fit at once is waited for. */
	for (size_t sent = 0; sent < bytes && poll(&room, 1, WAIT_S * 1000) == 1;) {
		ssize_t count =
			send(connection->fd, server->raw + sent, bytes - sent, MSG_NOSIGNAL);

		if (count < 0)
			break;
		sent += (size_t)count;
	}
	if (server->repeated)
		connection->mode = REPEATING;
}

static void
misbehave(struct misbehaving_server *server, struct connection *connection, const char *word)
{
	if (strcmp(word, "bye") == 0) {
		send_status(server, connection, "200");
		close_connection(connection, false);
	} else if (strcmp(word, "close") == 0) {
		close_connection(connection, false);
	} else if (strcmp(word, "reset") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\nContent-Le");
		close_connection(connection, true);
	} else if (strcmp(word, "half") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\nContent-Le");
		close_connection(connection, false);
	} else if (strcmp(word, "cut") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		/* A reset would throw away what was sent, before it is read. */
		close_connection(connection, false);
	} else if (strcmp(word, "silent") == 0) {
		fall_silent(server, connection);
	} else if (strcmp(word, "drip") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		fall_silent(server, connection);
	} else if (strcmp(word, "endless") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
		connection->mode = ENDLESS_BODY;
	} else if (strcmp(word, "headers") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\n");
		connection->mode = ENDLESS_HEADERS;
	} else if (strcmp(word, "header") == 0) {
		send_text(connection, "HTTP/1.1 200 OK\r\nX-Header: ");
		connection->mode = ENDLESS_BODY;
	} else if (strcmp(word, "status") == 0) {
		send_text(connection, "HTTP/1.1 200 ");
		connection->mode = ENDLESS_BODY;
	} else if (strcmp(word, "garbage") == 0) {
		send_text(connection, "\x01\x02 this is not HTTP\r\n\r\n");
		close_connection(connection, false);
	} else if (strcmp(word, "raw") == 0) {
		send_raw(server, connection);
	} else if (strcmp(word, "slow") == 0) {
		connection->mode = WAITING;
		connection->answer_ms = now_ms() + server->delay_ms;
	} else {
		send_status(server, connection, word);
	}
}

/* The word of the path for this attempt. */
static void
choose(const char *head, char *word, size_t word_bytes)
{
	const char *header = strcasestr(head, "\r\nHerald-Attempt:");
	const char *at = strchr(head, '/'), *end = at + strcspn(at, " ?");
	unsigned attempt = header ? (unsigned)strtoul(header + 17, NULL, 10) : 1;

	at++;
	for (; attempt > 1; attempt--) {
		const char *comma = memchr(at, ',', (size_t)(end - at));

		if (!comma)
			break;
		at = comma + 1;
	}
	size_t bytes = strcspn(at, ", ?");
	snprintf(word, word_bytes, "%.*s", (int)bytes, at);
}

/* Requests. */

static void
record(struct misbehaving_server *server, const char *request, size_t bytes)
{
	pthread_mutex_lock(&server->mutex);
	if (server->requests < MISBEHAVING_REQUESTS)
		memcpy(server->texts[server->requests], request, bytes); /* NUL bytes, too */
	server->requests++;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->mutex);
}

/* Handle the request at the front of the data; false when it is not complete. */
static bool
handle_request(struct misbehaving_server *server, struct connection *connection)
{
	char word[32];
	char *end = memmem(connection->data, connection->bytes, "\r\n\r\n", 4);

	if (connection->data[0] == 0x16) { /* TLS */
		send_text(connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
		close_connection(connection, false);
		return false;
	}
	if (connection->data[0] == 0x05) { /* SOCKS 5: no method is acceptable (RFC 1928). */
		send_text(connection, "\x05\xff");
		close_connection(connection, false);
		return false;
	}
	if (!end)
		return false;
	*end = '\0';
	const char *length = strcasestr(connection->data, "\r\nContent-Length:");
	size_t total = (size_t)(end + 4 - connection->data) +
		       (length ? strtoul(length + 17, NULL, 10) : 0);
	choose(connection->data, word, sizeof(word));
	*end = '\r';
	if (connection->bytes < total)
		return false;

	record(server, connection->data, total);
	memmove(connection->data, connection->data + total, connection->bytes - total);
	connection->bytes -= total;
	misbehave(server, connection, word);
	return connection->fd >= 0 && connection->mode == READING;
}

static void
read_more(struct misbehaving_server *server, struct connection *connection)
{
	size_t room = sizeof(connection->data) - 1 - connection->bytes;
	ssize_t got = recv(connection->fd, connection->data + connection->bytes, room, 0);

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			close_connection(connection, false);
		return;
	}
	if (connection->mode != READING)
		return; /* Nobody asked for it. */
	connection->bytes += (size_t)got;
	connection->data[connection->bytes] = '\0';
	while (connection->bytes > 0 && handle_request(server, connection))
		;
}

static void
write_more(const struct misbehaving_server *server, struct connection *connection)
{
	char junk[4096];

	memset(junk, 'x', sizeof(junk));
	if (connection->mode == REPEATING) {
		const char *rest = server->repeated + connection->repeated_bytes;
		ssize_t sent = send(connection->fd, rest, strlen(rest), MSG_NOSIGNAL);

		if (sent > 0)
			connection->repeated_bytes += (size_t)sent;
		else if (errno != EAGAIN)
			close_connection(connection, false);
		if (rest[sent > 0 ? sent : 0] == '\0')
			connection->repeated_bytes = 0;
		return;
	}
	if (connection->mode == ENDLESS_HEADERS)
		for (size_t i = 0; i < sizeof(junk); i += 64) {
			memcpy(junk + i, "X-Header: ", 10);
			memcpy(junk + i + 62, "\r\n", 2);
		}
	if (send(connection->fd, junk, sizeof(junk), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		close_connection(connection, false);
}

/* The loop. */

static void
accept_all(struct loop *loop)
{
	const int on = 1;
	int fd;

	while ((fd = accept4(loop->server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
	       0) {
		struct connection *connection = calloc(1, sizeof(*connection));

		if (loop->count == loop->capacity) {
			loop->capacity = loop->capacity ? loop->capacity * 2 : 64;
			loop->connections = realloc(loop->connections,
						    loop->capacity * sizeof(struct connection *));
			loop->polled =
				realloc(loop->polled, (loop->capacity + 2) * sizeof(struct pollfd));
		}
		check(connection && loop->connections && loop->polled, "memory");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		connection->fd = fd;
		loop->connections[loop->count++] = connection;
		pthread_mutex_lock(&loop->server->mutex);
		loop->server->connections++;
		loop->server->open++;
		pthread_cond_broadcast(&loop->server->changed);
		pthread_mutex_unlock(&loop->server->mutex);
	}
}

/* Returns how long to wait. */
static int
prepare(struct loop *loop)
{
	int timeout = -1;
	uint64_t now = now_ms();

	loop->polled[0] = (struct pollfd){.fd = loop->server->wake_fd, .events = POLLIN};
	loop->polled[1] = (struct pollfd){.fd = loop->server->listen_fd, .events = POLLIN};
	for (size_t i = 0; i < loop->count; i++) {
		const struct connection *connection = loop->connections[i];
		bool writes = connection->mode >= ENDLESS_BODY;

		loop->polled[i + 2] = (struct pollfd){
			.fd = connection->fd,
			.events = (short)(writes ? POLLIN | POLLOUT : POLLIN),
		};
		if (connection->mode != WAITING)
			continue;
		int wait = connection->answer_ms > now ? (int)(connection->answer_ms - now) : 0;
		if (timeout < 0 || wait < timeout)
			timeout = wait;
	}
	return timeout;
}

static void
forget_closed(struct loop *loop)
{
	size_t kept = 0;

	for (size_t i = 0; i < loop->count; i++) {
		if (loop->connections[i]->fd >= 0)
			loop->connections[kept++] = loop->connections[i];
		else
			free(loop->connections[i]);
	}
	pthread_mutex_lock(&loop->server->mutex);
	loop->server->open = kept;
	pthread_cond_broadcast(&loop->server->changed);
	pthread_mutex_unlock(&loop->server->mutex);
	loop->count = kept;
}

static void
serve(struct loop *loop)
{
	size_t count = loop->count; /* those that were polled */
	uint64_t now = now_ms();

	for (size_t i = 0; i < count; i++) {
		struct connection *connection = loop->connections[i];
		short events = loop->polled[i + 2].revents;

		if (connection->mode == WAITING && connection->answer_ms <= now) {
			connection->mode = READING;
			send_status(loop->server, connection, "200");
		}
		if (events & (POLLIN | POLLHUP | POLLERR))
			read_more(loop->server, connection);
		if (connection->fd >= 0 && events & POLLOUT)
			write_more(loop->server, connection);
	}
}

static bool
is_stopping(struct misbehaving_server *server)
{
	pthread_mutex_lock(&server->mutex);
	bool stopping = server->is_stopping;
	pthread_mutex_unlock(&server->mutex);
	return stopping;
}

static void *
run(void *state)
{
	struct loop loop = {.server = state};

	loop.polled = calloc(2, sizeof(struct pollfd));
	check(loop.polled != NULL, "memory");
	while (!is_stopping(loop.server)) {
		int timeout = prepare(&loop);

		if (poll(loop.polled, loop.count + 2, timeout) < 0)
			check(errno == EINTR, "poll");
		bool has_new = loop.polled[1].revents != 0;
		serve(&loop);
		if (has_new)
			accept_all(&loop);
		forget_closed(&loop);
	}
	for (size_t i = 0; i < loop.count; i++) {
		close(loop.connections[i]->fd);
		free(loop.connections[i]);
	}
	free(loop.connections);
	free(loop.polled);
	return NULL;
}

void
misbehaving_server_init(struct misbehaving_server *server, const char *address)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	struct sockaddr *name = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t bytes = is_v6 ? sizeof(v6) : sizeof(v4);

	memset(server, 0, sizeof(*server));
	server->wake_fd = -1;
	if (!is_v6)
		check(inet_pton(AF_INET, address, &v4.sin_addr) == 1, address);
	server->listen_fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	check(server->listen_fd >= 0, "socket");
	check(bind(server->listen_fd, name, bytes) == 0, address);
	check(listen(server->listen_fd, 4096) == 0, "listen");
	check(getsockname(server->listen_fd, name, &bytes) == 0, "getsockname");
	server->port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	check(pthread_mutex_init(&server->mutex, NULL) == 0, "mutex");
	check(pthread_cond_init(&server->changed, NULL) == 0, "condition");
}

void
misbehaving_server_start(struct misbehaving_server *server)
{
	check(server->wake_fd < 0, "it has started");
	server->wake_fd = eventfd(0, EFD_CLOEXEC);
	check(server->wake_fd >= 0, "eventfd");
	check(pthread_create(&server->thread, NULL, run, server) == 0, "thread");
}

void
misbehaving_server_stop(struct misbehaving_server *server)
{
	const uint64_t one = 1;

	if (server->wake_fd >= 0) {
		pthread_mutex_lock(&server->mutex);
		server->is_stopping = true;
		pthread_mutex_unlock(&server->mutex);
		check(write(server->wake_fd, &one, sizeof(one)) == sizeof(one), "write");
		pthread_join(server->thread, NULL);
		close(server->wake_fd);
	}
	close(server->listen_fd);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->mutex);
}

size_t
misbehaving_server_connections(struct misbehaving_server *server)
{
	pthread_mutex_lock(&server->mutex);
	size_t count = server->connections;
	pthread_mutex_unlock(&server->mutex);
	return count;
}

size_t
misbehaving_server_requests(struct misbehaving_server *server)
{
	pthread_mutex_lock(&server->mutex);
	size_t count = server->requests;
	pthread_mutex_unlock(&server->mutex);
	return count;
}

static bool
has_requests(const struct misbehaving_server *server, size_t count)
{
	return server->requests >= count;
}

static bool
has_open(const struct misbehaving_server *server, size_t count)
{
	return server->open == count;
}

static void
wait_until(struct misbehaving_server *server,
	   bool (*is_so)(const struct misbehaving_server *server, size_t count), size_t count,
	   const char *what)
{
	struct timespec until;
	int failure = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&server->mutex);
	while (!is_so(server, count) && failure == 0)
		failure = pthread_cond_timedwait(&server->changed, &server->mutex, &until);
	pthread_mutex_unlock(&server->mutex);
	check(failure == 0, what);
}

void
misbehaving_server_wait(struct misbehaving_server *server, size_t count)
{
	wait_until(server, has_requests, count, "no request");
}

void
misbehaving_server_wait_open(struct misbehaving_server *server, size_t count)
{
	wait_until(server, has_open, count, "open connections");
}

const char *
misbehaving_server_text(struct misbehaving_server *server, size_t index)
{
	return index < MISBEHAVING_REQUESTS ? server->texts[index] : "";
}
