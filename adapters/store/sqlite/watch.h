/*
 * Noticing what other processes store.
 */
#ifndef HERALD_SQLITE_WATCH_H
#define HERALD_SQLITE_WATCH_H

#include "shared.h"

enum herald_status herald__sqlite_watch(struct herald_session *session, uint32_t timeout_ms,
					struct herald_error *error);
void herald__sqlite_watch_end(struct herald_session *session);

#endif
