/*
 * An nginx of a test's own: its configuration, socket and logs in a directory of its own, on a free
 * port of 127.0.0.1, handing /event and /hello to a FastCGI server and knowing nothing else.
 */
#ifndef HERALD_TESTS_NGINX_H
#define HERALD_TESTS_NGINX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nginx {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char socket[80]; /* Where the FastCGI server is to listen. */
};

/* Make the directory; nothing runs yet. Fails the test by itself, as does the next. */
void nginx_prepare(struct nginx *nginx);

/* Start it, and wait until it takes connections. `extra` is added to the server's configuration. */
void nginx_start(struct nginx *nginx, const char *extra);

/* Stop: no new connections, those that wait for an answer get it. Then remove the directory. */
void nginx_stop(struct nginx *nginx);

#endif
