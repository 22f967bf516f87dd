/*
 * A PgBouncer in transaction mode, in front of the server of a test.
 */
#ifndef HERALD_TESTS_SUPPORT_PGBOUNCER_H
#define HERALD_TESTS_SUPPORT_PGBOUNCER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/postgres_server.h"

struct pgbouncer {
	pid_t pid;
	char path[128]; /* of the settings */
	char dsn[160];
};

/* Whether it is on this machine. */
bool pgbouncer_exists(void);

/* Fails the test on errors. Its files are in the server's directory. */
void pgbouncer_start(struct pgbouncer *pool, const struct postgres_server *server);
void pgbouncer_stop(struct pgbouncer *pool);

#endif
