/*
 * Keys: whether one is taken, and who is next. Both look at the start of an index's range, however
 * many events wait for the key. INDEXED BY makes sure of that, whatever ANALYZE thinks.
 */
#include "key.h"

#include "statement.h"

#define IS_ACTIVE                                                                                  \
	"EXISTS (SELECT 1 FROM main.herald_event INDEXED BY herald_event_active "                  \
	"WHERE key_hash = ?1 AND key_hash <> 0 AND state <> 2)"
#define IS_HELD                                                                                    \
	"EXISTS (SELECT 1 FROM main.herald_dead INDEXED BY herald_dead_held "                      \
	"WHERE key_hash = ?1 AND is_held = 1)"

enum herald_status
herald__sqlite_key_is_taken(struct sqlite_session *session, uint64_t key_hash, bool *is_taken,
			    struct herald_error *error)
{
	static const struct sqlite_sql sql = {SLOT_KEY_IS_TAKEN,
					      "SELECT " IS_ACTIVE " OR " IS_HELD};
	bool has_row;

	*is_taken = false;
	if (key_hash == 0)
		return HERALD_OK;
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	herald__sqlite_bind_int(&query, (int64_t)key_hash);
	enum herald_status status = herald__sqlite_step(&query, &has_row, error);
	if (has_row) {
		*is_taken = herald__sqlite_int(&query) != 0;
		herald__sqlite_end(&query);
	}
	return status;
}

enum herald_status
herald__sqlite_key_promote(struct sqlite_session *session, uint64_t key_hash,
			   struct herald_error *error)
{
	static const struct sqlite_sql sql = {
		SLOT_KEY_PROMOTE,
		"UPDATE main.herald_event SET state = 0 WHERE id = ("
		"SELECT id FROM main.herald_event INDEXED BY herald_event_blocked "
		"WHERE state = 2 AND key_hash = ?1 ORDER BY id LIMIT 1) "
		"AND NOT " IS_ACTIVE " AND NOT " IS_HELD};

	if (key_hash == 0)
		return HERALD_OK;
	struct sqlite_query query = herald__sqlite_query(session, &sql);
	herald__sqlite_bind_int(&query, (int64_t)key_hash);
	return herald__sqlite_run(&query, error);
}
