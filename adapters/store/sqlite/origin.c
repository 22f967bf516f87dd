/*
 * Counting the active deliveries of an origin reads at most as many entries of an index as may be
 * active. When none is blocked, as is usual, a promotion reads one entry.
 */
#include "origin.h"

#include "statement.h"

#define IS_BLOCKED                                                                                 \
	"SELECT 1 FROM main.herald_delivery INDEXED BY herald_delivery_blocked "                   \
	"WHERE state = 2 AND origin = ?1"
#define ACTIVE                                                                                     \
	"(SELECT count(*) FROM (SELECT 1 FROM main.herald_delivery "                               \
	"INDEXED BY herald_delivery_active WHERE state <> 2 AND origin = ?1 LIMIT ?2))"

enum herald_status
herald__sqlite_origin_room(struct sqlite_session *session, const char *origin, unsigned *room,
			   struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_ORIGIN_ROOM,
					      "SELECT CASE WHEN EXISTS (" IS_BLOCKED
					      ") THEN 0 ELSE ?2 - " ACTIVE " END"};
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	bool has_row;

	herald__sqlite_bind_text(&query, origin);
	herald__sqlite_bind_int(&query,
				herald__sqlite_database(session)->options.max_ready_per_origin);
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);
	if (has_row)
		*room = (unsigned)herald__sqlite_int(&query);
	herald__sqlite_end(&query);
	return status;
}

enum herald_status
herald__sqlite_origin_promote(struct sqlite_session *session, const char *origin,
			      struct herald_error *error)
{
	static const struct sqlite_sql is_blocked = {SLOT_ORIGIN_IS_BLOCKED, IS_BLOCKED " LIMIT 1"};
	static const struct sqlite_sql promote = {
		SLOT_ORIGIN_PROMOTE,
		"UPDATE main.herald_delivery SET state = 0 WHERE id IN ("
		"SELECT id FROM main.herald_delivery INDEXED BY herald_delivery_blocked "
		"WHERE state = 2 AND origin = ?1 ORDER BY id LIMIT max(0, ?2 - " ACTIVE "))"};
	struct sqlite_query query = herald__sqlite_query(session, &is_blocked);
	bool has_row;

	herald__sqlite_bind_text(&query, origin);
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);
	herald__sqlite_end(&query);
	if (status != HERALD_OK || !has_row)
		return status;
	query = herald__sqlite_query(session, &promote);
	herald__sqlite_bind_text(&query, origin);
	herald__sqlite_bind_int(&query,
				herald__sqlite_database(session)->options.max_ready_per_origin);
	return herald__sqlite_run(&query, error);
}
