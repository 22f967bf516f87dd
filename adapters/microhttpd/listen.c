/*
 * The listening socket: made here rather than by libmicrohttpd, so that an error says which address
 * and why.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/text.h>

#include "listen.h"
#include "options.h"

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static enum herald_status
parse_address(const char *text, uint16_t port, union any_address *out, struct herald_error *error)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return HERALD_OK;
	}
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		return HERALD_OK;
	}
	return herald__bad_option(
		error, "address",
		"must be a numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1, "
		"not \"%.64s\"",
		text);
}

/* Returns the socket, or -1 with errno. */
static int
open_socket(union any_address *address)
{
	const int on = 1;
	bool is_v6 = address->any.sa_family == AF_INET6;
	socklen_t bytes = is_v6 ? sizeof(address->v6) : sizeof(address->v4);

	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, &address->any, bytes) == 0 && listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, &address->any, &bytes) == 0)
		return fd;

	int reason = errno;
	close(fd);
	errno = reason;
	return -1;
}

enum herald_status
herald__listen(const char *text, uint16_t *port, int *out, struct herald_error *error)
{
	union any_address address;

	enum herald_status status = parse_address(text, *port, &address, error);
	if (status != HERALD_OK)
		return status;
	bool is_v6 = address.any.sa_family == AF_INET6;
	int fd = open_socket(&address);
	if (fd < 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"cannot listen on %s%s%s:%u: %s", is_v6 ? "[" : "", text,
					is_v6 ? "]" : "", *port, herald_errno_text(errno));
	*port = ntohs(is_v6 ? address.v6.sin6_port : address.v4.sin_port);
	*out = fd;
	return HERALD_OK;
}
