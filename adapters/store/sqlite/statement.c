/*
 * Statements: prepared once for each session, and used again and again.
 */
#include "statement.h"

#include <errno.h>

#include "interrupt.h"
#include "problem.h"

struct sqlite_query
herald__sqlite_query(struct sqlite_session *session, const struct sqlite_sql *sql)
{
	sqlite3_stmt **stmt = &session->statements[sql->slot];
	struct sqlite_query query = {.session = session, .rc = SQLITE_OK};

	if (!*stmt)
		query.rc = sqlite3_prepare_v3(session->db, sql->text, -1, SQLITE_PREPARE_PERSISTENT,
					      stmt, NULL);
	query.stmt = *stmt;
	if (herald__sqlite_is_interrupted(session))
		query.rc = SQLITE_INTERRUPT;
	return query;
}

void
herald__sqlite_bind_text(struct sqlite_query *query, const char *text)
{
	if (query->rc == SQLITE_OK)
		query->rc = sqlite3_bind_text(query->stmt, ++query->at, text, -1, SQLITE_STATIC);
}

void
herald__sqlite_bind_blob(struct sqlite_query *query, const void *data, size_t bytes)
{
	/* A blob that is NULL would be an SQL NULL. */
	if (query->rc == SQLITE_OK)
		query->rc = sqlite3_bind_blob64(query->stmt, ++query->at, bytes ? data : "", bytes,
						SQLITE_STATIC);
}

enum herald_status
herald__sqlite_step(struct sqlite_query *query, bool *has_row, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	*has_row = false;
	errno = 0;
	if (query->rc == SQLITE_OK)
		query->rc = sqlite3_step(query->stmt);
	if (query->rc == SQLITE_ROW) {
		*has_row = true;
		query->rc = SQLITE_OK;
		query->at = 0;
		return HERALD_OK;
	}
	if (query->rc != SQLITE_DONE)
		status = herald__sqlite_problem(query->session, query->rc, error);
	sqlite3_reset(query->stmt);
	return status;
}

enum herald_status
herald__sqlite_run(struct sqlite_query *query, struct herald_error *error)
{
	enum herald_status status;
	bool has_row;

	do
		status = herald__sqlite_step(query, &has_row, error);
	while (has_row);
	return status;
}

void
herald__sqlite_end(struct sqlite_query *query)
{
	sqlite3_reset(query->stmt);
}

const char *
herald__sqlite_text(struct sqlite_query *query)
{
	const char *text = (const char *)sqlite3_column_text(query->stmt, query->at);

	if (!text && sqlite3_column_type(query->stmt, query->at) != SQLITE_NULL)
		query->rc = SQLITE_NOMEM;
	query->at++;
	return text ? text : "";
}

struct herald_text
herald__sqlite_blob(struct sqlite_query *query)
{
	struct herald_text blob = {.data = sqlite3_column_blob(query->stmt, query->at),
				   .bytes = (size_t)sqlite3_column_bytes(query->stmt, query->at)};

	if (!blob.data && sqlite3_errcode(query->session->db) == SQLITE_NOMEM)
		query->rc = SQLITE_NOMEM;
	query->at++;
	if (!blob.data)
		blob = (struct herald_text){.data = "", .bytes = 0};
	return blob;
}

enum herald_status
herald__sqlite_number(struct sqlite_session *session, const struct sqlite_sql *sql, int64_t *out,
		      struct herald_error *error)
{
	struct sqlite_query query = herald__sqlite_query(session, sql);
	bool has_row;
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);

	if (has_row) {
		*out = herald__sqlite_int(&query);
		herald__sqlite_end(&query);
	}
	return status;
}
