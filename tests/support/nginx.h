/*
 * An nginx for a test, with its configuration, socket and logs in its own directory, on a free port
 * of 127.0.0.1. It passes /event and /hello to a FastCGI server and knows no other paths.
 */
#ifndef HERALD_TESTS_SUPPORT_NGINX_H
#define HERALD_TESTS_SUPPORT_NGINX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nginx {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char socket[80]; /* Where the FastCGI server must listen. */
	/* Parameters of `listen`, such as "ssl http2"; may be set between the next two functions.
	 * NULL: none. */
	const char *listen;
};

/* Create the directory without starting nginx. Fails the test on errors, as does the next
 * function. */
void nginx_prepare(struct nginx *nginx);

/* Start it, and wait until it accepts connections. `extra` is added to the server's
 * configuration. */
void nginx_start(struct nginx *nginx, const char *extra);

/* Stop: refuse new connections, and finish the open requests. Then remove the directory. */
void nginx_stop(struct nginx *nginx);

#endif
