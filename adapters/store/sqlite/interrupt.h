/*
 * Ending operations early, when the store is destroyed; see herald_database_ops::interrupt().
 */
#ifndef HERALD_SQLITE_INTERRUPT_H
#define HERALD_SQLITE_INTERRUPT_H

#include "shared.h"

/* A session of operations was opened, or is about to be closed. */
void herald__sqlite_interrupt_join(struct sqlite_session *session);
void herald__sqlite_interrupt_leave(struct sqlite_session *session);

/* Whether the session may run nothing more than COMMIT and ROLLBACK. */
bool herald__sqlite_is_interrupted(const struct sqlite_session *session);

void herald__sqlite_interrupt(struct herald_database *database);

#endif
