/*
 * Prepared statements, and short forms for their parameters and columns.
 */
#ifndef HERALD_SQLITE_STATEMENT_H
#define HERALD_SQLITE_STATEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared.h"

/* States, as they are in the tables. SQLite stores 0 and 1 in no bytes. */
#define STATE_READY 0
#define STATE_RUNNING 1
#define STATE_BLOCKED 2

/* A statement, and where a session keeps it. */
struct sqlite_sql {
	enum sqlite_slot slot;
	const char *text;
};

/*
 * A statement that is about to run, or running. Parameters are bound in their order, columns read
 * in theirs. The first error is kept in `rc`, and reported by the next step.
 */
struct sqlite_query {
	struct sqlite_session *session;
	sqlite3_stmt *stmt; /* NULL: preparing it failed; then the functions do nothing */
	int rc;
	int at;
};

/* Begin to use a statement, which is prepared if the session uses it for the first time. */
struct sqlite_query
herald__sqlite_query(struct sqlite_session *session, const struct sqlite_sql *sql);

/* Bind the next parameter. Texts are borrowed until the statement has run. */
static inline void
herald__sqlite_bind_int(struct sqlite_query *query, int64_t value)
{
	if (query->rc == SQLITE_OK)
		query->rc = sqlite3_bind_int64(query->stmt, ++query->at, value);
}

void herald__sqlite_bind_text(struct sqlite_query *query, const char *text);
void herald__sqlite_bind_blob(struct sqlite_query *query, const void *data, size_t bytes);

/*
 * Run it to its next row. *has_row is false at the end; then, and on errors, it is reset, so that
 * it holds no locks.
 */
enum herald_status
herald__sqlite_step(struct sqlite_query *query, bool *has_row, struct herald_error *error);

/* Run it to its end. */
enum herald_status herald__sqlite_run(struct sqlite_query *query, struct herald_error *error);

/* End it before its last row; nothing happens if it has ended. */
void herald__sqlite_end(struct sqlite_query *query);

/* Rows that the last statement changed. */
static inline int
herald__sqlite_changes(const struct sqlite_query *query)
{
	return sqlite3_changes(query->session->db);
}

/* Read the next column of the row. Texts are valid until the next step; never NULL, but if memory
 * runs out they are "", and the next step fails. */
static inline int64_t
herald__sqlite_int(struct sqlite_query *query)
{
	return sqlite3_column_int64(query->stmt, query->at++);
}

const char *herald__sqlite_text(struct sqlite_query *query);
struct herald_text herald__sqlite_blob(struct sqlite_query *query);

/* Run a statement of one row with one number and no parameters. */
enum herald_status
herald__sqlite_number(struct sqlite_session *session, const struct sqlite_sql *sql, int64_t *out,
		      struct herald_error *error);

#endif
