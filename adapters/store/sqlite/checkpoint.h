/*
 * Writing the WAL back to the database.
 */
#ifndef HERALD_SQLITE_CHECKPOINT_H
#define HERALD_SQLITE_CHECKPOINT_H

#include "shared.h"

void herald__sqlite_tend(struct herald_session *session, int64_t now_ms);

/* When a process ends: the WAL is written back and made empty, so that the file alone is complete.
 * Waits only shortly for others who need the WAL; then it stays as it is. */
void herald__sqlite_checkpoint_last(struct sqlite_session *session);

#endif
