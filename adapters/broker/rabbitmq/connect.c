/*
 * Connects sockets, and knows which ones another thread may shut down. Owns a socket until it is
 * connected; links own them then.
 */
#include "connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "../common/share.h"
#include "epoch.h"

/* Openings. */

void
herald__rabbitmq_opening_end(struct rabbitmq_opening *opening)
{
	pthread_mutex_lock(&opening->mutex);
	for (size_t i = 0; i < opening->count && opening->must_end(opening->state); i++)
		(void)shutdown(opening->fds[i], SHUT_RDWR);
	pthread_mutex_unlock(&opening->mutex);
}

void
herald__rabbitmq_opening_done(struct rabbitmq_opening *opening)
{
	pthread_mutex_lock(&opening->mutex);
	opening->count = 0;
	pthread_mutex_unlock(&opening->mutex);
}

static void
add(struct rabbitmq_opening *opening, int fd)
{
	if (!opening)
		return;
	pthread_mutex_lock(&opening->mutex);
	if (opening->count < 2)
		opening->fds[opening->count++] = fd;
	pthread_mutex_unlock(&opening->mutex);
}

/* The one that was added last. */
static void
remove_last(struct rabbitmq_opening *opening)
{
	if (!opening)
		return;
	pthread_mutex_lock(&opening->mutex);
	opening->count -= opening->count > 0;
	pthread_mutex_unlock(&opening->mutex);
}

/* Connecting. */

/* Returns 0, or an error number. */
static int
await_connection(int fd, uint64_t until_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	int count, failed = 0;
	socklen_t bytes = sizeof(failed);

	do {
		const uint64_t now_ms = herald__rabbitmq_now_ms();

		count = poll(&poll_fd, 1, until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
	} while (count < 0 && errno == EINTR);
	if (count == 0)
		return ETIMEDOUT;
	if (count < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) != 0)
		return errno;
	return failed;
}

/* It is added when connect() has begun: before that, a shutdown does nothing. An end that was asked
 * for before is seen by must_end(). */
static int
finish_connect(int fd, int begun, uint64_t until_ms, struct rabbitmq_opening *opening)
{
	add(opening, fd);
	int failed = opening && opening->must_end(opening->state) ? ECANCELED : begun;
	if (failed == EINPROGRESS)
		failed = await_connection(fd, until_ms);
	if (failed != 0 && opening && opening->must_end(opening->state))
		failed = ECANCELED;
	if (failed != 0)
		remove_last(opening);
	return failed;
}

static int
try_address(const struct addrinfo *address, uint64_t until_ms, struct rabbitmq_opening *opening,
	    int *out)
{
	const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int one = 1;

	if (fd < 0)
		return errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	const int begun = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
	const int failed = finish_connect(fd, begun, until_ms, opening);
	if (failed != 0)
		close(fd);
	else
		*out = fd;
	return failed;
}

static int
try_addresses(const struct addrinfo *addresses, uint32_t timeout_ms,
	      struct rabbitmq_opening *opening, int *out)
{
	const uint64_t until_ms = herald__rabbitmq_now_ms() + timeout_ms;
	int failed = EHOSTUNREACH;
	size_t left = 0;

	for (const struct addrinfo *at = addresses; at; at = at->ai_next)
		left++;
	for (const struct addrinfo *at = addresses; at && failed != 0 && failed != ECANCELED;
	     at = at->ai_next)
		failed = try_address(
			at,
			broker_share_end(herald__rabbitmq_now_ms(), until_ms, timeout_ms, left--),
			opening, out);
	return failed;
}

enum herald_status
herald__rabbitmq_connect(const char *host, uint16_t port, uint32_t timeout_ms,
			 struct rabbitmq_opening *opening, int *out, struct herald_error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;
	char service[8];

	herald_text_write(service, sizeof(service), "%u", port);
	const int unknown = getaddrinfo(host, service, &hints, &addresses);
	if (unknown != 0)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"cannot connect to %s:%u: %s", host, port,
					unknown == EAI_AGAIN
						? "the name cannot be looked up at present"
						: "the name was not found");
	const int failed = try_addresses(addresses, timeout_ms, opening, out);
	freeaddrinfo(addresses);
	if (failed == 0)
		return HERALD_OK;
	if (failed == ECANCELED)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"the connection was not open yet at a stop");
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"cannot connect to %s:%u: %s", host, port,
				herald_errno_text(failed));
}
