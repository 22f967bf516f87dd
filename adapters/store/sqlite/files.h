/*
 * The files of a database while it is in use: the database itself, what SQLite keeps next to it,
 * and the lock file.
 */
#ifndef HERALD_SQLITE_FILES_H
#define HERALD_SQLITE_FILES_H

#include <herald/status.h>

#include "shared.h"

/* A session is open: from the first one to the last one, SQLite's files stay the same. Its
 * connection must have read the database. On HERALD_OK, herald__sqlite_files_leave() must be called
 * before the connection is closed. HERALD_UNAVAILABLE: the file is not in WAL mode. */
enum herald_status herald__sqlite_files_join(struct sqlite_database *database, sqlite3 *db,
					     struct herald_error *error);
void herald__sqlite_files_leave(struct sqlite_database *database);

/* Whether all files are the ones that the connections have open. What is written to others is lost.
 * Errors: HERALD_STORE_FAILED, and the database has failed. */
enum herald_status
herald__sqlite_files_check(struct sqlite_database *database, struct herald_error *error);

#endif
