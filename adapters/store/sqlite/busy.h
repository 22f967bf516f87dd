/*
 * Waiting for the locks of other connections.
 */
#ifndef HERALD_SQLITE_BUSY_H
#define HERALD_SQLITE_BUSY_H

#include "shared.h"

/* Milliseconds of the monotonic clock. */
int64_t herald__sqlite_monotonic_ms(void);

/* Let a connection wait for busy_timeout_ms, and shorter once the store is stopped. It is the busy
 * handler of the connection; sqlite3_busy_timeout() replaces it. */
void herald__sqlite_busy_set(struct sqlite_database *database, sqlite3 *db);

/* The store is stopped; see herald/adapter/database.h. */
void herald__sqlite_stopping(struct herald_database *database, uint32_t drain_ms);

#endif
