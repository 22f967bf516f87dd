/*
 * Connections: a sqlite3 with the settings that all of Herald's have.
 */
#ifndef HERALD_SQLITE_CONNECTION_H
#define HERALD_SQLITE_CONNECTION_H

#include "shared.h"

/* Open a connection to an existing database. The error's path is "path" for BAD_OPTION. */
enum herald_status
herald__sqlite_connect(struct sqlite_database *database, sqlite3 **out, struct herald_error *error);

/* Close a connection that has been opened; NULL is allowed. If it has written something, and is the
 * last one, the WAL is written back. */
void herald__sqlite_disconnect(struct sqlite_database *database, sqlite3 *db);

/* Room for the name of a journal mode. */
#define SQLITE_MODE_BYTES 16

/* Run PRAGMA journal_mode, which returns the mode. Returns SQLite's code. */
int herald__sqlite_journal_mode(sqlite3 *db, const char *sql, char mode[SQLITE_MODE_BYTES]);

/* The first connection: create the file unless must_exist, set WAL mode, and migrate the tables. */
enum herald_status herald__sqlite_create_file(struct sqlite_database *database, bool must_exist,
					      struct herald_error *error);

#endif
