/*
 * Waiting for the locks of other connections.
 */
#ifndef HERALD_SQLITE_BUSY_H
#define HERALD_SQLITE_BUSY_H

#include "shared.h"

/* Let a connection wait for busy_timeout_ms, and shorter once the store is stopped. It is the busy
 * handler of the connection; sqlite3_busy_timeout() replaces it. `wait` outlives the connection. */
void herald__sqlite_busy_set(sqlite3 *db, struct sqlite_wait *wait);

/* The store is stopped: a wait, of a session for its turn and then for SQLite's lock, ends with the
 * drain, or after half a second if that is later. See herald/adapter/database.h. */
void herald__sqlite_stopping(struct herald_database *database, uint32_t drain_ms);

/* Report a wait for another connection that was too long. Returns HERALD_UNAVAILABLE. */
enum herald_status
herald__sqlite_busy_problem(struct sqlite_database *database, struct herald_error *error);

#endif
