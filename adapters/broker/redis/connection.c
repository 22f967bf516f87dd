/*
 * A connection: its socket, the commands on their way out, and when it is lost. hiredis connects to
 * one address of the host after the other, and parses answers. Commands are written and sent here:
 * hiredis 0.14 sends without MSG_NOSIGNAL, so that a server that is gone would end the process.
 * Knows nothing of streams.
 */
#include "connection.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "../common/share.h"

/* "$18446744073709551615\r\n" and the end of an argument. */
#define FRAME_BYTES 32
/* What is read at once, and what the reader keeps between answers. */
#define READ_BYTES 65536
#define KEPT_BYTES 1048576

uint64_t
herald__redis_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
herald__redis_connection_init(struct redis_connection *connection,
			      const struct herald_allocator *allocator)
{
	*connection = (struct redis_connection){0};
	herald_buffer_init(&connection->out, allocator, 0);
}

void
herald__redis_connection_fail(struct redis_connection *connection, const char *reason)
{
	if (!connection->is_broken)
		herald_text_write(connection->reason, sizeof(connection->reason), "%s", reason);
	connection->is_broken = true;
}

/* Whether what has made the eventfd readable must end the call. */
static bool
must_end(const struct redis_interrupt *interrupt)
{
	uint64_t wakes;

	return read(interrupt->fd, &wakes, sizeof(wakes)) > 0 &&
	       interrupt->must_end(interrupt->state);
}

/* What is waited for while a connection is made. */
struct patience {
	const struct redis_interrupt *interrupt; /* NULL: none */
	uint64_t deadline_ms;
	bool is_ended; /* by the interrupt */
};

/* Wait until a socket has one of the events, or for what ends the call. Returns 0, or an error
 * number. */
static int
wait_for_socket(int fd, short events, void *state)
{
	struct patience *patience = state;
	const struct redis_interrupt *interrupt = patience->interrupt;
	struct pollfd fds[] = {
		{.fd = fd, .events = events},
		{.fd = interrupt ? interrupt->fd : -1, .events = POLLIN},
	};

	for (;;) {
		const uint64_t now_ms = herald__redis_now_ms();

		if (now_ms >= patience->deadline_ms)
			return ETIMEDOUT;
		if (poll(fds, 2, (int)(patience->deadline_ms - now_ms)) <= 0)
			continue;
		if (fds[0].revents)
			return 0;
		if (interrupt && fds[1].revents && must_end(interrupt)) {
			patience->is_ended = true;
			return ECANCELED;
		}
	}
}

/* Returns 0, or an error number. */
static int
wait_until_connected(int fd, struct patience *patience)
{
	socklen_t bytes = sizeof(int);
	int failed = wait_for_socket(fd, POLLOUT, patience);

	if (failed == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) != 0)
		failed = errno;
	return failed;
}

static enum herald_status
set_up(struct redis_connection *connection, redisContext *context, const struct redis_url *url,
       struct patience *patience, struct herald_error *error)
{
	const int one = 1;

	/* If this fails, it is slower. */
	(void)!setsockopt(context->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	context->reader->maxbuf = KEPT_BYTES;
	redisEnableKeepAlive(context);
	if (!url->is_secure)
		return HERALD_OK;
	return herald__broker_tls_open(&url->tls, url->host, context->fd, wait_for_socket, patience,
				       &connection->tls, error);
}

/* `address` is one of the host's, in figures. */
static enum herald_status
open_address(struct redis_connection *connection, const char *address, const struct redis_url *url,
	     struct patience *patience, struct herald_error *error)
{
	redisContext *context = redisConnectNonBlock(address, url->port);
	enum herald_status status = HERALD_OK;
	int failed = 0;

	if (!context)
		return herald_out_of_memory(error);
	if (context->err == 0)
		failed = wait_until_connected(context->fd, patience);
	if (context->err != 0 || failed != 0)
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "cannot connect to %s port %d: %s", url->host, url->port,
					  context->err ? context->errstr
						       : herald_errno_text(failed));
	if (status == HERALD_OK)
		status = set_up(connection, context, url, patience, error);
	if (status != HERALD_OK) {
		redisFree(context);
		return status;
	}
	connection->context = context;
	connection->is_broken = false;
	connection->awaited = 0;
	return HERALD_OK;
}

/* Write an address in figures. */
static void
write_address(const struct addrinfo *at, char *out, size_t bytes)
{
	if (getnameinfo(at->ai_addr, at->ai_addrlen, out, (socklen_t)bytes, NULL, 0,
			NI_NUMERICHOST) != 0)
		out[0] = '\0'; /* hiredis says what is wrong */
}

/* The number of the address that is tried first. The host may have other addresses than before, or
 * the same ones in another order. */
static size_t
first_address(const struct addrinfo *addresses, const struct redis_place *place)
{
	size_t index = 0;

	for (const struct addrinfo *at = addresses; at; at = at->ai_next, index++) {
		char address[sizeof(place->address)];

		write_address(at, address, sizeof(address));
		if (strcmp(address, place->address) == 0)
			return place->is_good ? index : index + 1;
	}
	return 0;
}

static const struct addrinfo *
nth(const struct addrinfo *addresses, size_t index)
{
	for (; index > 0; index--)
		addresses = addresses->ai_next;
	return addresses;
}

static enum herald_status
open_one_of(struct redis_connection *connection, const struct addrinfo *addresses,
	    const struct redis_url *url, struct redis_place *place, uint32_t timeout_ms,
	    struct herald_error *error)
{
	const uint64_t until_ms = herald__redis_now_ms() + timeout_ms;
	const size_t first = first_address(addresses, place);
	struct patience patience = {.interrupt = connection->interrupt};
	enum herald_status status = HERALD_UNAVAILABLE;
	struct herald_error found;

	place->addresses_count = 0;
	for (const struct addrinfo *at = addresses; at; at = at->ai_next)
		place->addresses_count++;
	const size_t count = place->addresses_count;
	for (size_t i = 0; i < count && status == HERALD_UNAVAILABLE && !patience.is_ended; i++) {
		write_address(nth(addresses, (first + i) % count), place->address,
			      sizeof(place->address));
		patience.deadline_ms =
			broker_share_end(herald__redis_now_ms(), until_ms, timeout_ms, count - i);
		status = open_address(connection, place->address, url, &patience, &found);
	}
	place->is_good = false;
	if (status != HERALD_OK && error)
		*error = found;
	return status;
}

/* Looking for the name blocks. */
enum herald_status
herald__redis_connection_open(struct redis_connection *connection, const struct redis_url *url,
			      struct redis_place *place, uint32_t timeout_ms,
			      struct herald_error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;

	const int failed = getaddrinfo(url->host, NULL, &hints, &addresses);
	if (failed != 0)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"cannot connect to %s port %d: %s", url->host, url->port,
					failed == EAI_AGAIN
						? "the name cannot be looked up at present"
						: "the name was not found");
	const enum herald_status status =
		open_one_of(connection, addresses, url, place, timeout_ms, error);
	freeaddrinfo(addresses);
	return status;
}

enum herald_status
herald__redis_connection_open_at(struct redis_connection *connection, const struct redis_url *url,
				 const struct redis_place *place, uint32_t timeout_ms,
				 struct herald_error *error)
{
	struct patience patience = {connection->interrupt, herald__redis_now_ms() + timeout_ms,
				    false};

	return open_address(connection, place->address, url, &patience, error);
}

void
herald__redis_connection_close(struct redis_connection *connection)
{
	herald__broker_tls_close(connection->tls);
	connection->tls = NULL;
	if (connection->context)
		redisFree(connection->context);
	connection->context = NULL;
	herald_buffer_finish(&connection->out);
	connection->sent = 0;
	connection->awaited = 0;
}

/* Commands, as RESP has them. */

static void
put(struct redis_connection *connection, const char *data, size_t bytes)
{
	if (herald_buffer_append(&connection->out, data, bytes) != HERALD_OK)
		herald__redis_connection_fail(connection, "out of memory");
}

static void
put_length(struct redis_connection *connection, char mark, size_t length)
{
	char text[FRAME_BYTES], *end = text + sizeof(text), *at = end;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + length % 10);
	while ((length /= 10) > 0);
	*--at = mark;
	put(connection, at, (size_t)(end - at));
}

void
herald__redis_add(struct redis_connection *connection, const char *data, size_t bytes)
{
	put_length(connection, '$', bytes);
	put(connection, data, bytes);
	put(connection, "\r\n", 2);
}

void
herald__redis_add_text(struct redis_connection *connection, const char *text)
{
	herald__redis_add(connection, text, strlen(text));
}

void
herald__redis_command(struct redis_connection *connection, size_t more, const char *const *texts)
{
	size_t count = 0;

	while (texts[count])
		count++;
	put_length(connection, '*', count + more);
	for (size_t i = 0; i < count; i++)
		herald__redis_add_text(connection, texts[i]);
	if (connection->awaited++ == 0)
		connection->asked_ms = herald__redis_now_ms();
}

struct herald__redis_number
herald__redis_number(uint64_t number)
{
	struct herald__redis_number out;

	snprintf(out.text, sizeof(out.text), "%llu", (unsigned long long)number);
	return out;
}

/* Traffic. */

static ssize_t
write_bytes(const struct redis_connection *connection, const char *data, size_t bytes)
{
	return connection->tls ? herald__broker_tls_write(connection->tls, data, bytes)
			       : send(connection->context->fd, data, bytes, MSG_NOSIGNAL);
}

static ssize_t
read_bytes(const struct redis_connection *connection, char *data, size_t bytes)
{
	return connection->tls ? herald__broker_tls_read(connection->tls, data, bytes)
			       : recv(connection->context->fd, data, bytes, 0);
}

/* The last of the two has failed. */
static void
fail(struct redis_connection *connection)
{
	const int number = errno;
	const char *problem = connection->tls ? herald__broker_tls_problem(connection->tls) : "";

	if (number == EAGAIN || number == EWOULDBLOCK || number == EINTR)
		return;
	herald__redis_connection_fail(connection, *problem ? problem : herald_errno_text(number));
}

void
herald__redis_send(struct redis_connection *connection)
{
	struct herald_buffer *out = &connection->out;

	while (!connection->is_broken && connection->sent < out->bytes) {
		const ssize_t sent = write_bytes(connection, out->data + connection->sent,
						 out->bytes - connection->sent);

		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (sent >= 0)
			connection->sent += (size_t)sent;
		else
			fail(connection);
	}
	out->bytes = 0;
	connection->sent = 0;
}

void
herald__redis_read(struct redis_connection *connection)
{
	char data[READ_BYTES];

	if (connection->is_broken)
		return;
	const ssize_t bytes = read_bytes(connection, data, sizeof(data));
	if (bytes > 0 &&
	    redisReaderFeed(connection->context->reader, data, (size_t)bytes) == REDIS_OK)
		connection->asked_ms = herald__redis_now_ms();
	else if (bytes > 0)
		herald__redis_connection_fail(connection, connection->context->reader->errstr);
	else if (bytes == 0)
		herald__redis_connection_fail(connection, "the server has closed the connection");
	else
		fail(connection);
}

redisReply *
herald__redis_take(struct redis_connection *connection)
{
	void *reply = NULL;

	if (connection->is_broken)
		return NULL;
	if (redisGetReplyFromReader(connection->context, &reply) != REDIS_OK) {
		herald__redis_connection_fail(connection, connection->context->errstr);
		return NULL;
	}
	if (reply) {
		connection->awaited--;
		connection->asked_ms = herald__redis_now_ms();
	}
	return reply;
}

/* Wait for the socket, and for what ends the call. */
static void
wait_for_answer(struct redis_connection *connection, int timeout_ms)
{
	const struct redis_interrupt *interrupt = connection->interrupt;
	const bool has_more = connection->sent < connection->out.bytes;
	struct pollfd fds[] = {
		{.fd = connection->context->fd,
		 .events = (short)(POLLIN | (has_more ? POLLOUT : 0))},
		{.fd = interrupt ? interrupt->fd : -1, .events = POLLIN},
	};

	if (poll(fds, 2, timeout_ms) <= 0)
		return;
	if (interrupt && fds[1].revents && must_end(interrupt))
		herald__redis_connection_fail(connection, "it was not open yet at a stop");
	if (fds[0].revents & ~POLLOUT)
		herald__redis_read(connection);
}

redisReply *
herald__redis_call(struct redis_connection *connection, uint32_t timeout_ms,
		   struct herald_error *error)
{
	const uint64_t deadline_ms = herald__redis_now_ms() + timeout_ms;
	redisReply *reply;

	while (!(reply = herald__redis_take(connection)) && !connection->is_broken) {
		herald__redis_send(connection);
		if (connection->is_broken)
			break;
		const uint64_t now_ms = herald__redis_now_ms();
		if (now_ms >= deadline_ms)
			herald__redis_connection_fail(connection, "no answer in time");
		else
			wait_for_answer(connection, (int)(deadline_ms - now_ms));
	}
	if (!reply)
		herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				 "the connection is lost: %s", connection->reason);
	return reply;
}
