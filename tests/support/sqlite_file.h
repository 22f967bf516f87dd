/*
 * A database of SQLite in a folder of its own, for tests.
 */
#ifndef TEST_SQLITE_FILE_H
#define TEST_SQLITE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

/* The time of the tests. */
#define SQLITE_FILE_NOW INT64_C(1800000000000)

struct sqlite_file {
	char folder[64];
	char path[96];
	struct herald_database *database;
	sqlite3 *user; /* closed with the file */
};

/* Make a folder for a file, which is not there yet. */
void sqlite_file_init(struct sqlite_file *file);

/* Create and open the database; NULL: the defaults. Without a path it is the file's path. */
enum herald_status
sqlite_file_try(struct sqlite_file *file, const struct herald_sqlite_options *options,
		const struct herald_database_settings *settings, struct herald_error *error);

/* Both, which must succeed. */
void sqlite_file_open(struct sqlite_file *file);

/* Destroy the database, but keep the folder. */
void sqlite_file_destroy(struct sqlite_file *file);

/* Destroy the database, and delete the folder. */
void sqlite_file_close(struct sqlite_file *file);

struct herald_session *sqlite_file_session(struct sqlite_file *file, enum herald_session_use use);

/* Join as a node; returns its id. */
uint64_t sqlite_file_join(struct sqlite_file *file, struct herald_session *session);

/* An event of the queue "q", whose data is a text. */
struct herald_stored_event sqlite_file_event(const char *data);

/* Accept an event with these data in a transaction of its own. */
enum herald_status sqlite_file_accept(struct sqlite_file *file, struct herald_session *session,
				      const char *data, size_t bytes, struct herald_error *error);

/* How many sessions wait for their turn to write. */
size_t sqlite_file_waiters(const struct sqlite_file *file);

/* A connection as a user has one. */
sqlite3 *sqlite_file_connect(const struct sqlite_file *file);

/* On a connection of its own: the number that a query has; or run SQL. */
int64_t sqlite_file_number(const struct sqlite_file *file, const char *sql);
int64_t sqlite_file_number_on(sqlite3 *db, const char *sql);
char *sqlite_file_text(const struct sqlite_file *file, const char *sql); /* free() it */
void sqlite_file_run(const struct sqlite_file *file, const char *sql);

#endif
