/*
 * Filters. The SQL is put together from constant texts only; what a user gives is a parameter.
 */
#include "filter.h"

#include "interrupt.h"

struct sqlite_query
herald__sqlite_filter(struct sqlite_session *session, const char *start,
		      const struct sqlite_condition *conditions, size_t count, const char *end)
{
	struct sqlite_query query = {.session = session, .rc = SQLITE_OK};
	sqlite3_str *sql = sqlite3_str_new(session->db);
	const char *word = " WHERE ";

	sqlite3_str_appendall(sql, start);
	for (size_t i = 0; i < count; i++)
		if (conditions[i].is_set) {
			sqlite3_str_appendf(sql, "%s%s", word, conditions[i].sql);
			word = " AND ";
		}
	sqlite3_str_appendall(sql, end);
	char *text = sqlite3_str_finish(sql);
	query.rc =
		text ? sqlite3_prepare_v2(session->db, text, -1, &query.stmt, NULL) : SQLITE_NOMEM;
	sqlite3_free(text);
	if (herald__sqlite_is_interrupted(session))
		query.rc = SQLITE_INTERRUPT;
	for (size_t i = 0; i < count; i++) {
		if (conditions[i].is_set && conditions[i].text)
			herald__sqlite_bind_text(&query, conditions[i].text);
		else if (conditions[i].is_set)
			herald__sqlite_bind_int(&query, conditions[i].number);
	}
	return query;
}

void
herald__sqlite_filter_end(struct sqlite_query *query)
{
	sqlite3_finalize(query->stmt);
	query->stmt = NULL;
}
