/*
 * Ids are milliseconds << 20 | a number, so that rows lie in the file in the order of time. The
 * last one is kept in the file: so ids grow although the clock may be set back, the process may
 * restart, and rows are deleted. The one in memory keeps ids of transactions that were rolled back
 * from being used again.
 */
#include "meta.h"

#include <string.h>

#include "statement.h"

/* Larger times would leave no bits for the number. It is the year 2248. */
#define MAX_CREATED_MS ((INT64_C(1) << 43) - 1)
#define ID_NUMBER_BITS 20

enum herald_status
herald__sqlite_take_ids(struct sqlite_session *session, int64_t created_ms, size_t count,
			int64_t *first, struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_IDS, "UPDATE main.herald_meta SET last_id = max(last_id, ?1) + ?2 "
			  "RETURNING last_id, seen_current"};
	struct sqlite_database *database = herald__sqlite_database(session);
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	enum herald_status status;
	bool has_row;

	if (created_ms < 0)
		created_ms = 0;
	if (created_ms > MAX_CREATED_MS)
		created_ms = MAX_CREATED_MS;
	int64_t least = created_ms << ID_NUMBER_BITS;
	if (least < database->last_id)
		least = database->last_id;
	herald__sqlite_bind_int(&query, least);
	herald__sqlite_bind_int(&query, (int64_t)count);
	status = herald__sqlite_step(&query, &has_row, error);
	if (has_row) {
		database->last_id = herald__sqlite_int(&query);
		*first = database->last_id - (int64_t)count + 1;
		session->seen_current = herald__sqlite_int(&query) != 0;
		herald__sqlite_end(&query);
	}
	return status;
}

enum herald_status
herald__sqlite_check_owner(struct sqlite_session *session, uint64_t owner,
			   struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_NODE_EXISTS,
					      "SELECT 1 FROM main.herald_node WHERE id = ?1"};
	struct sqlite_query query;
	enum herald_status status;
	bool has_row;

	if (owner == 0)
		return HERALD_OK;
	query = herald__sqlite_query(session, &sql);
	herald__sqlite_bind_int(&query, (int64_t)owner);
	status = herald__sqlite_step(&query, &has_row, error);
	if (has_row)
		herald__sqlite_end(&query);
	else if (status == HERALD_OK)
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "another process has taken over the events of node %llu",
					  (unsigned long long)owner);
	return status;
}

enum herald_status
herald__sqlite_secret(struct herald_session *base, unsigned char out[16],
		      struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_SECRET, "SELECT secret FROM main.herald_meta"};
	struct sqlite_query query = herald__sqlite_query(herald__sqlite_session(base), &sql);
	bool has_row;
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);

	if (!has_row)
		return status;
	struct herald_text secret = herald__sqlite_blob(&query);
	if (secret.bytes == 16)
		memcpy(out, secret.data, 16);
	else
		status = herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET,
					  "herald_meta.secret must have 16 bytes, not %zu",
					  secret.bytes);
	herald__sqlite_end(&query);
	return status;
}
