/*
 * The sockets that a server listens on. Private.
 */
#ifndef HERALD_SRC_HTTP_SERVER_LISTENER_H
#define HERALD_SRC_HTTP_SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <herald/status.h>

/* The maximum number of sockets, from systemd or a list of addresses. */
#define HERALD__MAX_LISTENERS 16

struct herald__listener {
	int fd;
	bool is_inherited; /* from systemd; stays open when the server stops */
	uint16_t port;     /* 0 for a Unix socket */
	/* As in a URL: "127.0.0.1:8080", "[::1]:8080", "unix:/run/x.sock"; an abstract one is
	 * "unix:@x" (unix(7)). */
	char name[128];
	char unlinks[108]; /* the path of a Unix socket, to be removed; or "" */
	dev_t device;      /* of the file there, while it is this socket's */
	ino_t inode;
};

struct herald__listeners {
	struct herald__listener all[HERALD__MAX_LISTENERS];
	size_t count;
};

/*
 * Listen on each address of a list: see the server's option `address`.
 *
 * port    for all addresses; 0: the system chooses one port for all.
 * out     set only on HERALD_OK.
 * Errors  HERALD_BAD_OPTION, HERALD_SYSTEM.
 */
HERALD_MUST_CHECK enum herald_status
herald__listeners_open(const char *addresses, uint16_t port, struct herald__listeners *out,
		       struct herald_error *error);

/* Take the sockets that systemd has passed (sd_listen_fds(3)). Errors as above. */
HERALD_MUST_CHECK enum herald_status
herald__listeners_inherit(struct herald__listeners *out, struct herald_error *error);

/* Whether all of them have loopback addresses. A proxy may be in front of a Unix socket. */
bool herald__listeners_are_local(const struct herald__listeners *listeners);

/* Refuse new connections, and remove the paths of Unix sockets. Threads may still use the
 * sockets. */
void herald__listeners_shut(struct herald__listeners *listeners);

void herald__listeners_close(struct herald__listeners *listeners);

#endif
