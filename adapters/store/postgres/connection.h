/*
 * A connection of libpq that is never waited for without a limit.
 */
#ifndef HERALD_POSTGRES_CONNECTION_H
#define HERALD_POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include <herald/status.h>

#include "hosts.h"

/*
 * Connect to `dsn`, at one of its addresses.
 *
 * interrupt_fd  when it can be read, the wait is over. -1: none.
 *
 * Errors  HERALD_BAD_OPTION: trying again does not help. HERALD_UNAVAILABLE: also if the wait was
 *         interrupted. HERALD_NO_MEMORY.
 */
enum herald_status herald__postgres_connect(const char *dsn, const struct postgres_address *address,
					    uint32_t timeout_ms, int interrupt_fd, PGconn **out,
					    struct herald_error *error);

/*
 * Wait for all results of a statement that was sent, and return the first one that is an error,
 * else the last one; the caller clears it.
 *
 * interrupt_fd  when it can be read, the wait is over; the server may go on with the statement, up
 *               to its limit. -1: none.
 *
 * Returns  NULL if the connection was lost, the wait was interrupted, or there was no answer in
 *          time; it must be closed then.
 */
PGresult *herald__postgres_wait(PGconn *conn, uint32_t timeout_ms, int interrupt_fd);

/* The error of a wait that was interrupted. */
enum herald_status herald__postgres_interrupted(struct herald_error *error);

/* Whether a result is a success; NULL is not. */
bool herald__postgres_succeeded(const PGresult *result);

#endif
