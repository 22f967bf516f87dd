/*
 * Sessions and their transactions; see herald/adapter/database.h.
 */
#ifndef HERALD_SQLITE_SESSION_H
#define HERALD_SQLITE_SESSION_H

#include "shared.h"

enum herald_status
herald__sqlite_session_open(struct herald_database *database, enum herald_session_use use,
			    struct herald_session **out, struct herald_error *error);
enum herald_status
herald__sqlite_session_wrap(struct herald_database *database, void *handle,
			    struct herald_session **out, struct herald_error *error);
void herald__sqlite_session_close(struct herald_session *session);
void *herald__sqlite_session_handle(struct herald_session *session);
enum herald_status herald__sqlite_begin(struct herald_session *session, struct herald_error *error);
enum herald_status
herald__sqlite_commit(struct herald_session *session, struct herald_error *error);
void herald__sqlite_rollback(struct herald_session *session);
enum herald_status
herald__sqlite_savepoint(struct herald_session *session, struct herald_error *error);
enum herald_status
herald__sqlite_savepoint_release(struct herald_session *session, struct herald_error *error);
enum herald_status
herald__sqlite_savepoint_rollback(struct herald_session *session, struct herald_error *error);

#endif
