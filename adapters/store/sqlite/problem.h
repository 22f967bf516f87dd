/*
 * What the errors of SQLite mean for a store.
 */
#ifndef HERALD_SQLITE_PROBLEM_H
#define HERALD_SQLITE_PROBLEM_H

#include "shared.h"

/* Whether an error, an extended result code, means that there is no room; also if a quota or the
 * largest size of a file is reached, which SQLite does not know. Uses errno, so it comes first. */
bool herald__sqlite_is_out_of_space(sqlite3 *db, int rc);

/* Report an error of SQLite, an extended result code, on a session. Uses errno. After an error that
 * leaves nothing to rely on, the database has failed for good. */
enum herald_status
herald__sqlite_problem(struct sqlite_session *session, int rc, struct herald_error *error);

/* The database has failed for good; the first reason is kept. Returns HERALD_STORE_FAILED. */
HERALD_PRINTF(3, 4)
enum herald_status herald__sqlite_fail(struct sqlite_database *database, struct herald_error *error,
				       const char *format, ...);

/* HERALD_OK unless herald__sqlite_fail() was called. */
enum herald_status
herald__sqlite_health(struct sqlite_database *database, struct herald_error *error);

#endif
