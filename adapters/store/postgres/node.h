/*
 * Nodes: the processes, their leases, and what dead ones leave.
 */
#ifndef HERALD_POSTGRES_NODE_H
#define HERALD_POSTGRES_NODE_H

#include "database.h"

/* As the functions of herald_database_ops. */
enum herald_status herald__postgres_node_join(struct herald_session *base, struct herald_node *node,
					      int64_t now_ms, struct herald_error *error);
enum herald_status herald__postgres_node_renew(struct herald_session *base, uint64_t node,
					       int64_t now_ms, struct herald_error *error);
enum herald_status
herald__postgres_node_keep(struct herald_session *base, uint64_t node, struct herald_error *error);
enum herald_status
herald__postgres_node_leave(struct herald_session *base, uint64_t node, struct herald_error *error);
enum herald_status
herald__postgres_node_dead(struct herald_session *base, int64_t now_ms, herald_node_visitor *visit,
			   void *state, struct herald_error *error);
enum herald_status
herald__postgres_node_recover(struct herald_session *base, struct herald_recovery *recovery,
			      struct herald_error *error);

#endif
