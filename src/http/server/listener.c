/*
 * The sockets that a server listens on: opened for a list of addresses, or passed by systemd. Owns
 * the sockets and the path of a Unix socket. Connections are accepted in acceptor.c.
 */
#include "http/server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define FIRST_INHERITED_FD 3

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage storage;
};

/* Addresses. */

static socklen_t
address_bytes(const union any_address *address)
{
	switch (address->any.sa_family) {
	case AF_INET:
		return sizeof(address->v4);
	case AF_INET6:
		return sizeof(address->v6);
	default:
		return sizeof(address->local);
	}
}

static enum herald_status
refuse_address(const char *text, struct herald_error *error)
{
	return herald_option_refuse(error, "address",
				    "must be an IPv4 or IPv6 address, \"localhost\", or \"unix:\" "
				    "and a path of at most %zu bytes, not \"%s\"",
				    sizeof(((struct sockaddr_un *)0)->sun_path) - 1, text);
}

static bool
parse_local(const char *path, union any_address *out)
{
	if (*path == '\0' || strlen(path) >= sizeof(out->local.sun_path))
		return false;
	out->local.sun_family = AF_UNIX;
	memcpy(out->local.sun_path, path, strlen(path) + 1);
	return true;
}

static bool
parse_address(const char *text, uint16_t port, union any_address *out)
{
	memset(out, 0, sizeof(*out));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_local(text + 5, out);
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
		return true;
	}
	return false;
}

/* An abstract name begins with a NUL, which is shown as "@", and may have any bytes: those that are
 * not visible ASCII are shown as "?". `bytes` are of the whole address. */
static void
name_local(struct herald__listener *listener, const struct sockaddr_un *address, socklen_t bytes)
{
	size_t path_bytes = bytes - offsetof(struct sockaddr_un, sun_path);
	char path[sizeof(address->sun_path) + 1] = "";

	if (path_bytes > sizeof(address->sun_path))
		path_bytes = sizeof(address->sun_path);
	memcpy(path, address->sun_path, path_bytes);
	for (size_t i = 0; path[0] == '\0' && i < path_bytes; i++)
		if (i > 0 && (path[i] <= ' ' || path[i] > '~'))
			path[i] = '?';
	if (path_bytes > 0 && path[0] == '\0')
		path[0] = '@';
	snprintf(listener->name, sizeof(listener->name), "unix:%s", path);
}

/* The address of a socket, of `bytes` bytes, for URLs and logs. */
static void
name_listener(struct herald__listener *listener, const union any_address *address, socklen_t bytes)
{
	char text[INET6_ADDRSTRLEN];

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
		listener->port = ntohs(address->v6.sin6_port);
		snprintf(listener->name, sizeof(listener->name), "[%s]:%u", text, listener->port);
	} else if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
		listener->port = ntohs(address->v4.sin_port);
		snprintf(listener->name, sizeof(listener->name), "%s:%u", text, listener->port);
	} else {
		name_local(listener, &address->local, bytes);
	}
}

/* Opening. */

/* Remove the socket file of a killed process, which has no listener. */
static void
remove_stale_socket(const union any_address *address)
{
	struct stat found;

	if (stat(address->local.sun_path, &found) != 0 || !S_ISSOCK(found.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &address->any, address_bytes(address)) < 0 && errno == ECONNREFUSED)
		unlink(address->local.sun_path);
	close(fd);
}

static bool
bind_socket(int fd, const union any_address *address)
{
	const int on = 1;

	if (address->any.sa_family == AF_UNIX)
		remove_stale_socket(address);
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	/* Each address of the list gets its own socket. */
	if (address->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return false;
	return bind(fd, &address->any, address_bytes(address)) == 0 && listen(fd, SOMAXCONN) == 0;
}

/* Note which file is to be removed. */
static void
note_path(struct herald__listener *listener, const char *path)
{
	struct stat found;

	if (lstat(path, &found) != 0)
		return;
	listener->device = found.st_dev;
	listener->inode = found.st_ino;
	snprintf(listener->unlinks, sizeof(listener->unlinks), "%s", path);
}

/* Returns 0 or an error number. */
static int
open_listener(union any_address *address, struct herald__listener *out)
{
	socklen_t bytes = sizeof(*address);
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	if (!bind_socket(fd, address) || getsockname(fd, &address->any, &bytes) != 0) {
		int number = errno;

		close(fd);
		return number;
	}
	*out = (struct herald__listener){.fd = fd};
	name_listener(out, address, bytes);
	if (address->any.sa_family == AF_UNIX)
		note_path(out, address->local.sun_path);
	return 0;
}

static enum herald_status
add_listener(struct herald__listeners *listeners, const char *text, uint16_t port,
	     struct herald_error *error)
{
	union any_address address;

	if (!parse_address(text, port, &address))
		return refuse_address(text, error);
	if (listeners->count == HERALD__MAX_LISTENERS)
		return herald_option_refuse(error, "address", "must have at most %d addresses",
					    HERALD__MAX_LISTENERS);
	int number = open_listener(&address, &listeners->all[listeners->count]);
	if (number != 0) {
		struct herald__listener named;

		name_listener(&named, &address, address_bytes(&address));
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"cannot listen on %s: %s", named.name,
					herald_errno_text(number));
	}
	listeners->count++;
	return HERALD_OK;
}

/* If the system chooses the port for the first address, all others use it. */
static uint16_t
port_of_next(const struct herald__listeners *listeners, uint16_t port)
{
	for (size_t i = 0; port == 0 && i < listeners->count; i++)
		port = listeners->all[i].port;
	return port;
}

/* Listen on both addresses of "localhost". One is enough, for example on a machine without IPv6. */
static enum herald_status
add_localhost(struct herald__listeners *listeners, uint16_t port, struct herald_error *error)
{
	enum herald_status v4 = add_listener(listeners, "127.0.0.1", port, error);
	struct herald_error ignored;

	if (v4 != HERALD_OK)
		return v4;
	if (add_listener(listeners, "::1", port_of_next(listeners, port), &ignored) != HERALD_OK &&
	    strstr(ignored.message, herald_errno_text(EADDRINUSE))) {
		if (error)
			*error = ignored;
		return HERALD_SYSTEM;
	}
	return HERALD_OK;
}

/* Get the next address of a list. Returns false at its end. `out` must have room for any valid
 * address. */
static bool
next_address(const char **list, char *out, size_t out_bytes)
{
	const char *at = *list + strspn(*list, " ,");
	size_t bytes = strcspn(at, ",");

	*list = at + bytes;
	while (bytes > 0 && at[bytes - 1] == ' ')
		bytes--;
	snprintf(out, out_bytes, "%.*s", (int)bytes, at);
	return bytes > 0;
}

enum herald_status
herald__listeners_open(const char *addresses, uint16_t port, struct herald__listeners *out,
		       struct herald_error *error)
{
	struct herald__listeners listeners = {.count = 0};
	enum herald_status status = HERALD_OK;
	char text[256];

	while (status == HERALD_OK && next_address(&addresses, text, sizeof(text))) {
		uint16_t own_port = port_of_next(&listeners, port);

		status = strcmp(text, "localhost") == 0
				 ? add_localhost(&listeners, own_port, error)
				 : add_listener(&listeners, text, own_port, error);
	}
	if (status == HERALD_OK && listeners.count == 0)
		status = refuse_address("", error);
	if (status == HERALD_OK)
		*out = listeners;
	else
		herald__listeners_close(&listeners);
	return status;
}

/* Sockets passed by systemd. */

static bool
read_number(const char *name, uint64_t *out)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): only setenv() would race, at start-up. */
	const char *text = getenv(name);

	return text && herald_ascii_number(text, INT32_MAX, out);
}

static bool
has_option(int fd, int option, int wanted)
{
	int value = 0;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &bytes) == 0 && value == wanted;
}

static bool
is_known(sa_family_t family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

/* Whether it is a listening stream socket. If so, set its name. */
static bool
inspect(int fd, struct herald__listener *out)
{
	union any_address address = {.any.sa_family = AF_UNSPEC};
	socklen_t bytes = sizeof(address);

	*out = (struct herald__listener){.fd = fd, .is_inherited = true};
	/* Packets of SOCK_SEQPACKET are not a stream: a read drops what does not fit. */
	if (!has_option(fd, SO_ACCEPTCONN, 1) || !has_option(fd, SO_TYPE, SOCK_STREAM) ||
	    getsockname(fd, &address.any, &bytes) != 0 || !is_known(address.any.sa_family))
		return false;
	name_listener(out, &address, bytes);
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

enum herald_status
herald__listeners_inherit(struct herald__listeners *out, struct herald_error *error)
{
	struct herald__listeners listeners = {.count = 0};
	uint64_t pid, count;

	if (!read_number("LISTEN_PID", &pid) || pid != (uint64_t)getpid() ||
	    !read_number("LISTEN_FDS", &count) || count == 0)
		return herald_option_refuse(
			error, "systemd_sockets",
			"needs LISTEN_FDS and LISTEN_PID in the environment, as "
			"systemd sets them for a socket unit");
	if (count > HERALD__MAX_LISTENERS)
		return herald_option_refuse(error, "systemd_sockets",
					    "takes at most %d sockets, not %d",
					    HERALD__MAX_LISTENERS, (int)count);
	while (listeners.count < count) {
		int fd = FIRST_INHERITED_FD + (int)listeners.count;

		if (!inspect(fd, &listeners.all[listeners.count]))
			return herald_option_refuse(
				error, "systemd_sockets",
				"file descriptor %d is not a TCP or Unix stream socket that "
				"listens",
				fd);
		listeners.count++;
	}
	*out = listeners;
	return HERALD_OK;
}

/* Closing. */

/* Before the socket refuses connections: then the path may already be a later server's. It is, too,
 * if the file has been removed or replaced. */
static void
remove_path(struct herald__listener *listener)
{
	struct stat found;

	if (listener->unlinks[0] != '\0' && lstat(listener->unlinks, &found) == 0 &&
	    found.st_dev == listener->device && found.st_ino == listener->inode)
		unlink(listener->unlinks);
	listener->unlinks[0] = '\0';
}

bool
herald__listeners_are_local(const struct herald__listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (strncmp(listeners->all[i].name, "127.", 4) != 0 &&
		    strncmp(listeners->all[i].name, "[::1]:", 6) != 0)
			return false;
	return true;
}

void
herald__listeners_shut(struct herald__listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		remove_path(&listeners->all[i]);
		if (!listeners->all[i].is_inherited)
			shutdown(listeners->all[i].fd, SHUT_RDWR);
	}
}

void
herald__listeners_close(struct herald__listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		remove_path(&listeners->all[i]);
		close(listeners->all[i].fd);
	}
	listeners->count = 0;
}
