/*
 * Connects to servers, and waits until one of them says something, or the caller stops. libnats
 * does not end its own waiting for a server that hangs.
 */
#include "reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/random.h>
#include <herald/adapter/text.h>

#include "../common/share.h"
#include "address.h"

#define DEFAULT_PORT "4222"
#define HOST_BYTES 256
/* How often to look whether the caller stops. */
#define LOOK_MS 25

/* Wait for an event of a socket. Returns 0, or an error number. */
static int
wait_for(const struct nats_reach *reach, int fd, short events, uint64_t until_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int failed = 0;
	socklen_t bytes = sizeof(failed);

	for (;;) {
		const uint64_t now_ms = nats_now_ms();

		if (reach->is_stopping(reach->state))
			return ECANCELED;
		if (now_ms >= until_ms)
			return ETIMEDOUT;
		if (poll(&poll_fd, 1, LOOK_MS) > 0)
			break;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) == 0 ? failed : errno;
}

/* A server sends its INFO at once, unless TLS comes first. */
static int
try_address(const struct nats_reach *reach, const struct addrinfo *address, bool is_secure,
	    uint64_t until_ms)
{
	const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failed = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		failed = errno == EINPROGRESS ? wait_for(reach, fd, POLLOUT, until_ms) : errno;
	if (failed == 0 && !is_secure)
		failed = wait_for(reach, fd, POLLIN, until_ms);
	close(fd);
	return failed;
}

/* "host", "host:port" or "[::1]:port". */
static void
split(const char *server, char host[HOST_BYTES], char port[8])
{
	const char *begin = herald__nats_address_host(server);
	const bool is_bracketed = *begin == '[';
	const char *end = is_bracketed ? strchr(begin, ']') : begin + strcspn(begin, ":");

	begin += is_bracketed;
	snprintf(host, HOST_BYTES, "%.*s", end ? (int)(end - begin) : 0, begin);
	if (end && is_bracketed)
		end++;
	snprintf(port, 8, "%s", end && *end == ':' ? end + 1 : DEFAULT_PORT);
}

/* In place of an error number. */
#define NAME_NOT_FOUND (-1)

static int
try_server(const struct nats_reach *reach, const char *server, uint64_t until_ms)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;
	const uint64_t began_ms = nats_now_ms();
	char host[HOST_BYTES], port[8];
	int failed = NAME_NOT_FOUND;
	size_t left = 0;

	split(server, host, port);
	if (getaddrinfo(host, port, &hints, &addresses) != 0)
		return failed;
	/* The lookup may take longer than all of the time. */
	until_ms += nats_now_ms() - began_ms;
	for (const struct addrinfo *at = addresses; at; at = at->ai_next)
		left++;
	for (const struct addrinfo *at = addresses; at && failed != 0 && failed != ECANCELED;
	     at = at->ai_next)
		failed = try_address(
			reach, at, herald__nats_address_is_secure(server),
			broker_share_end(nats_now_ms(), until_ms, reach->timeout_ms, left--));
	freeaddrinfo(addresses);
	return failed;
}

/* Begins with any of them, so that clients are spread over the servers. */
enum herald_status
herald__nats_reach(const struct nats_reach *reach, int *server, struct herald_error *error)
{
	const uint64_t until_ms = nats_now_ms() + reach->timeout_ms;
	const char *servers[NATS_SERVERS_MAX];
	char copy[NATS_URL_BYTES_MAX + 1];
	const int count = herald__nats_address_split(reach->url, copy, servers);
	const int first = (int)(herald_random_seed() % (unsigned)count);
	int failed = EHOSTUNREACH;

	for (int i = 0; i < count && failed != ECANCELED; i++) {
		const int at = (first + i) % count;

		failed = try_server(reach, servers[at],
				    broker_share_end(nats_now_ms(), until_ms, reach->timeout_ms,
						     (size_t)(count - i)));
		if (failed == 0) {
			*server = at + 1;
			return HERALD_OK;
		}
	}
	return herald_error_set(
		error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "cannot connect to NATS: %s",
		failed == NAME_NOT_FOUND ? "the name was not found" : herald_errno_text(failed));
}
