/*
 * A PostgreSQL server for a test: a cluster in its own directory, on a socket there and on a free
 * port of 127.0.0.1, run by an ordinary user. fsync is on,
 * as in production.
 */
#ifndef HERALD_TESTS_SUPPORT_POSTGRES_SERVER_H
#define HERALD_TESTS_SUPPORT_POSTGRES_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct postgres_server {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char dsn[128]; /* by the socket, as the superuser herald */
};

/* Whether the server's programs are on this machine. */
bool postgres_server_exists(void);

/* The path of one of its programs; false if it is not on this machine. */
bool postgres_server_program(const char *name, char path[128]);

/* Says so in TAP, where they are not. Returns the exit status for main(). */
int postgres_server_left_out(const char *name);

/* Create a cluster and start it. Fails the test on errors, as do the other functions. */
void postgres_server_start(struct postgres_server *server);

/* Start it again, after one of these two. */
void postgres_server_restart(struct postgres_server *server);
/* Ends the connections, then writes everything. */
void postgres_server_halt(struct postgres_server *server);
/* As if it had crashed. */
void postgres_server_crash(struct postgres_server *server);

/* Stop it, and remove the directory. */
void postgres_server_stop(struct postgres_server *server);

/* Run SQL as the superuser. */
void postgres_server_run(const struct postgres_server *server, const char *sql);
/* The first value of a query, as a number. */
long postgres_server_number(const struct postgres_server *server, const char *sql);

#endif
