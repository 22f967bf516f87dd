/*
 * Errors of PostgreSQL as errors of Herald: one line, with the SQLSTATE.
 */
#ifndef HERALD_POSTGRES_FAILURE_H
#define HERALD_POSTGRES_FAILURE_H

#include <stdbool.h>

#include <libpq-fe.h>

#include <herald/status.h>

/* Whether the result has this SQLSTATE. */
bool herald__postgres_is_state(const PGresult *result, const char *state);

/* Whether the same may succeed at once: a serialization failure, a deadlock, or a statement that a
 * pool or a user has deallocated. */
bool herald__postgres_may_repeat(const PGresult *result);

/* A statement failed. `result` may be NULL: the connection was lost. Returns HERALD_UNAVAILABLE,
 * the status of all that may succeed later. */
enum herald_status herald__postgres_fail(struct herald_error *error, const char *what,
					 const PGconn *conn, const PGresult *result);

/*
 * No connection could be made. Returns HERALD_BAD_OPTION if trying again does not help: a wrong
 * password or name, a missing database or right. The connection's messages must be verbose.
 */
enum herald_status herald__postgres_refuse(struct herald_error *error, const PGconn *conn);

#endif
