/*
 * Nodes: processes that run events.
 */
#ifndef HERALD_SQLITE_NODE_H
#define HERALD_SQLITE_NODE_H

#include "shared.h"

enum herald_status
herald__sqlite_node_join(struct herald_session *session, struct herald_node *node, int64_t now_ms,
			 struct herald_error *error);
enum herald_status herald__sqlite_node_leave(struct herald_session *session, uint64_t node,
					     struct herald_error *error);
enum herald_status
herald__sqlite_node_dead(struct herald_session *session, int64_t now_ms, herald_node_visitor *visit,
			 void *state, struct herald_error *error);
enum herald_status
herald__sqlite_node_recover(struct herald_session *session, struct herald_recovery *recovery,
			    struct herald_error *error);

/* Whether a version of SQLite, such as 3040001, has the WAL-reset bug. */
bool herald__sqlite_has_wal_bug(int version);

#endif
