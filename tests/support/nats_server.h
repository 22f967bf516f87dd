/*
 * A NATS server with JetStream for a test: in its own directory, on a free port of 127.0.0.1.
 */
#ifndef HERALD_TESTS_SUPPORT_NATS_SERVER_H
#define HERALD_TESTS_SUPPORT_NATS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nats_server {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char url[64];
	/* Set by the caller, before the start: lines of its configuration, or NULL. */
	const char *settings;
};

/* Whether the server is on this machine. HERALD_TEST_NATS names another program. */
bool nats_server_exists(void);

/* Says so in TAP, where it is not. Returns the exit status for main(). */
int nats_server_left_out(const char *name);

/* Create its directory and start it. Fails the test on errors, as do the other functions. */
void nats_server_start(struct nats_server *server);
/* kill -9. */
void nats_server_crash(struct nats_server *server);
/* Start it again after that, with its data. */
void nats_server_restart(struct nats_server *server);
/* SIGSTOP, SIGCONT. */
void nats_server_pause(struct nats_server *server);
void nats_server_resume(struct nats_server *server);
/* Stop it, and remove the directory. */
void nats_server_stop(struct nats_server *server);

#endif
