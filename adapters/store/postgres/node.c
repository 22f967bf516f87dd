/*
 * Nodes. Owns the rows of herald_node, and a session's path of the in-flight file. Whether a lease
 * has ended is decided by the clock of the database alone; now_ms is only a date on dead letters.
 */
#include "node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

#include "lanes.h"
#include "lease.h"
#include "reasons.h"
#include "rows.h"
#include "session.h"
#include "transaction.h"

/* Where in-flight files are, if the store does not say: in memory, as they need not outlive the
 * machine. */
#define FOLDER "/dev/shm"

/* Own attempts after a conflict. */
#define ATTEMPTS 3

/* Joining and leaving. */

/* A path that no other process uses, whatever its database is. */
static enum herald_status
make_path(struct postgres_session *session, const char *folder, struct herald_error *error)
{
	const struct herald_allocator *allocator = &session->database->options.allocator;
	size_t bytes = strlen(folder) + sizeof("/herald-0123456789abcdef.in-flight");
	char *path = herald_memory_allocate(allocator, bytes);

	if (!path)
		return herald_out_of_memory(error);
	snprintf(path, bytes, "%s/herald-%016" PRIx64 ".in-flight", folder,
		 herald_random_bits(herald_random_seed()));
	herald_memory_release(allocator, session->in_flight_path, session->in_flight_bytes);
	session->in_flight_path = path;
	session->in_flight_bytes = bytes;
	return HERALD_OK;
}

/* What a join or a renewal returns. */
static void
remember_lease(struct postgres_session *session, uint64_t node, const PGresult *result)
{
	const struct postgres_lease lease = {
		.node = node,
		.expires = herald__postgres_row_int8(result, 0, 0),
		.table = herald__postgres_row_int8(result, 0, 1),
	};

	herald__postgres_lease_set(&session->database->leases, &lease);
}

enum herald_status
herald__postgres_node_join(struct herald_session *base, struct herald_node *node, int64_t now_ms,
			   struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;
	enum herald_status status =
		make_path(session, node->in_flight_path ? node->in_flight_path : FOLDER, error);

	(void)now_ms;
	if (status != HERALD_OK)
		return status;
	const int64_t id = herald__postgres_new_id(), instance = herald__postgres_new_id();
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	herald__postgres_int8(parameters, instance);
	herald__postgres_int8(parameters, session->database->lease_ms);
	herald__postgres_text(parameters, node->host ? node->host : "");
	herald__postgres_text(parameters, node->boot_id ? node->boot_id : "");
	herald__postgres_int8(parameters, node->pid);
	herald__postgres_text(parameters, session->in_flight_path);
	herald__postgres_int8(parameters, id);
	status = herald__postgres_run_alone(session, POSTGRES_NODE_JOIN, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) == 1) {
		node->id = (uint64_t)id;
		node->in_flight_path = session->in_flight_path;
		herald__postgres_instance_set(&session->database->leases, instance);
		remember_lease(session, node->id, result);
	} else {
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "another node has the same id");
	}
	PQclear(result);
	return status;
}

/* A new connection may find that the node is lost; so its lease is looked up after that. */
static enum herald_status
renew_once(struct postgres_session *session, uint64_t node, PGresult **out,
	   struct herald_error *error)
{
	enum herald_status status = herald__postgres_session_restore(session, error);

	if (status != HERALD_OK)
		return status;
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	herald__postgres_int8(parameters, (int64_t)node);
	herald__postgres_int8(parameters, session->database->lease_ms);
	herald__postgres_put_lease(parameters, &session->database->leases, node);
	return herald__postgres_run(session, POSTGRES_NODE_RENEW, out, error);
}

enum herald_status
herald__postgres_node_renew(struct herald_session *base, uint64_t node, int64_t now_ms,
			    struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	enum herald_status status = HERALD_UNAVAILABLE;
	bool was_lost = false;
	PGresult *result;

	(void)now_ms;
	/* As herald__postgres_run_alone(), which would send the same parameters again. */
	for (int i = 0; i < ATTEMPTS && status == HERALD_UNAVAILABLE; i++) {
		status = renew_once(session, node, &result, error);
		if (session->conn ? !session->may_repeat : was_lost)
			break;
		was_lost |= !session->conn;
	}
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) > 0)
		remember_lease(session, node, result);
	else
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "the lease of this process has ended, or its tables were "
					  "replaced, as by a backup that was restored");
	PQclear(result);
	return status;
}

enum herald_status
herald__postgres_node_keep(struct herald_session *base, uint64_t node, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	PGresult *result;

	herald__postgres_int8(parameters, (int64_t)node);
	herald__postgres_int8(parameters, session->database->lease_ms);
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_NODE_KEEP, &result, error);
	if (status != HERALD_OK)
		return status;
	if (PQntuples(result) == 0)
		status = herald_error_set(error, HERALD_LEASE_LOST, HERALD_NO_OFFSET,
					  "the lease of a former node of this process has ended");
	PQclear(result);
	return status;
}

/* Run a statement about one node. *is_found: whether it returns its row. */
static enum herald_status
run_on_node(struct postgres_session *session, enum postgres_statement statement, uint64_t node,
	    bool *is_found, struct herald_error *error)
{
	PGresult *result;

	herald__postgres_int8(herald__postgres_parameters(session), (int64_t)node);
	enum herald_status status = herald__postgres_run(session, statement, &result, error);
	if (status != HERALD_OK)
		return status;
	*is_found = PQntuples(result) > 0;
	PQclear(result);
	return HERALD_OK;
}

/* A transaction that gives rows to the node locks it; so after the lock, all of them are seen. */
static enum herald_status
leave(struct postgres_session *session, uint64_t node, struct herald_error *error)
{
	bool is_there, is_removed = false;
	enum herald_status status =
		run_on_node(session, POSTGRES_NODE_LOCK, node, &is_there, error);

	if (status != HERALD_OK || !is_there)
		return status;
	status = run_on_node(session, POSTGRES_NODE_LEAVE, node, &is_removed, error);
	if (status != HERALD_OK || is_removed)
		return status;
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				"the node has RUNNING events or deliveries");
}

enum herald_status
herald__postgres_node_leave(struct herald_session *base, uint64_t node, struct herald_error *error)
{
	enum herald_status status = HERALD_UNAVAILABLE;

	/* Once more: the connection may have been lost while nothing was using it. */
	for (int i = 0; i < 2 && status == HERALD_UNAVAILABLE; i++) {
		status = herald__postgres_begin(base, error);
		if (status == HERALD_OK)
			status = leave(postgres_session(base), node, error);
		if (status == HERALD_OK)
			status = herald__postgres_commit(base, error);
		else
			herald__postgres_rollback(base);
	}
	return status;
}

/* Dead nodes. */

enum herald_status
herald__postgres_node_dead(struct herald_session *base, int64_t now_ms, herald_node_visitor *visit,
			   void *state, struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	PGresult *result;

	(void)now_ms;
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_NODE_DEAD, &result, error);
	if (status != HERALD_OK)
		return status;
	for (int row = 0; row < PQntuples(result); row++) {
		struct herald_node node = {
			.id = (uint64_t)herald__postgres_row_int8(result, row, 0),
			.host = herald__postgres_row_text(result, row, 1),
			.boot_id = herald__postgres_row_text(result, row, 2),
			.pid = (long)herald__postgres_row_int8(result, row, 3),
			.in_flight_path = herald__postgres_row_text(result, row, 4),
		};

		if (!visit(&node, state))
			break;
	}
	PQclear(result);
	return HERALD_OK;
}

/* A process that was stopped in the middle of a transaction holds locks, which would be waited for.
 * What it did is undone. */
static enum herald_status
end_transactions(struct postgres_session *session, uint64_t node, bool *is_dead,
		 struct herald_error *error)
{
	PGresult *result;

	herald__postgres_int8(herald__postgres_parameters(session), (int64_t)node);
	enum herald_status status =
		herald__postgres_run_alone(session, POSTGRES_NODE_EXPIRED, &result, error);
	if (status != HERALD_OK)
		return status;
	*is_dead = PQntuples(result) > 0;
	int64_t instance = *is_dead ? herald__postgres_row_int8(result, 0, 0) : 0;
	int64_t expired_ms = *is_dead ? herald__postgres_row_when(result, 0, 1) : 0;
	PQclear(result);
	if (!*is_dead)
		return HERALD_OK;
	struct postgres_parameters *parameters = herald__postgres_parameters(session);
	herald__postgres_int8(parameters, instance);
	herald__postgres_when(parameters, expired_ms);
	return herald__postgres_run_alone(session, POSTGRES_NODE_TERMINATE, NULL, error);
}

/* $1 and $2 of what follows. */
static struct postgres_parameters *
put_suspects(struct postgres_session *session, const struct herald_recovery *recovery)
{
	struct postgres_parameters *parameters = herald__postgres_parameters(session);

	herald__postgres_int8(parameters, (int64_t)recovery->node);
	herald__postgres_array(parameters, POSTGRES_INT8, recovery->suspects_count);
	for (size_t i = 0; i < recovery->suspects_count; i++)
		herald__postgres_put_int8(parameters, (int64_t)recovery->suspects[i]);
	return parameters;
}

/* Their keys go on, unless they are held. */
static enum herald_status
leave_lanes(struct postgres_session *session, const PGresult *result, struct herald_error *error)
{
	struct postgres_lanes lanes = {0};
	enum herald_status status = HERALD_OK;

	for (int row = 0; row < PQntuples(result) && status == HERALD_OK; row++)
		if (!herald__postgres_row_bool(result, row, 1))
			status = herald__postgres_lanes_add_key(
				session, &lanes, herald__postgres_row_int8(result, row, 0), true);
	status = status == HERALD_OK ? herald__postgres_lanes_leave(session, &lanes, error)
				     : herald_out_of_memory(error);
	herald__postgres_lanes_finish(session, &lanes);
	return status;
}

/* *out: of the dead letters, for leave_lanes(). */
static enum herald_status
move_to_dead(struct postgres_session *session, struct herald_recovery *recovery, PGresult **out,
	     struct herald_error *error)
{
	struct postgres_parameters *parameters = put_suspects(session, recovery);

	herald__postgres_bool(parameters, recovery->is_known);
	herald__postgres_int8(parameters, recovery->max_interrupted);
	herald__postgres_int8(parameters, recovery->max_attempts);
	herald__postgres_when(parameters, recovery->now_ms);
	herald__postgres_text(parameters, herald__postgres_reason_name(HERALD_DEAD_INTERRUPTED));
	herald__postgres_text(parameters, herald__postgres_reason_name(HERALD_DEAD_ATTEMPTS));
	herald__postgres_text(parameters, "the process died while the event ran");
	herald__postgres_text(parameters, "the process died, and the event has no attempts left");
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_RECOVER_DEAD, out, error);
	if (status == HERALD_OK)
		recovery->dead = (uint64_t)PQntuples(*out);
	return status;
}

static enum herald_status
make_events_ready(struct postgres_session *session, struct herald_recovery *recovery,
		  struct herald_error *error)
{
	struct postgres_parameters *parameters = put_suspects(session, recovery);
	PGresult *result;

	herald__postgres_bool(parameters, recovery->is_known);
	herald__postgres_when(parameters, recovery->suspects_due_ms);
	herald__postgres_when(parameters, recovery->now_ms);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_RECOVER_EVENTS, &result, error);
	if (status != HERALD_OK)
		return status;
	recovery->ready = (uint64_t)herald__postgres_row_int8(result, 0, 0);
	herald__postgres_event_ready(session, herald__postgres_row_when(result, 0, 1));
	PQclear(result);
	return HERALD_OK;
}

static enum herald_status
make_deliveries_ready(struct postgres_session *session, const struct herald_recovery *recovery,
		      struct herald_error *error)
{
	struct postgres_parameters *parameters = put_suspects(session, recovery);
	PGresult *result;

	herald__postgres_bool(parameters, recovery->is_known);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_RECOVER_DELIVERIES, &result, error);
	if (status != HERALD_OK)
		return status;
	herald__postgres_delivery_ready(session, herald__postgres_row_when(result, 0, 1));
	PQclear(result);
	return HERALD_OK;
}

/* The row of the node is locked by those who give rows to it, so they all are seen. The lanes come
 * last, after all rows that are RUNNING: see statements.c. */
static enum herald_status
recover(struct postgres_session *session, struct herald_recovery *recovery,
	struct herald_error *error)
{
	PGresult *result, *dead;

	herald__postgres_int8(herald__postgres_parameters(session), (int64_t)recovery->node);
	enum herald_status status =
		herald__postgres_run(session, POSTGRES_NODE_REMOVE, &result, error);
	if (status != HERALD_OK)
		return status;
	recovery->is_taken = PQntuples(result) > 0;
	PQclear(result);
	if (!recovery->is_taken)
		return HERALD_OK;
	status = move_to_dead(session, recovery, &dead, error);
	if (status != HERALD_OK)
		return status;
	status = make_events_ready(session, recovery, error);
	if (status == HERALD_OK)
		status = make_deliveries_ready(session, recovery, error);
	if (status == HERALD_OK)
		status = leave_lanes(session, dead, error);
	PQclear(dead);
	return status;
}

static enum herald_status
try_recover(struct postgres_session *session, struct herald_recovery *recovery,
	    struct herald_error *error)
{
	enum herald_status status = herald__postgres_begin(&session->base, error);

	if (status == HERALD_OK)
		status = recover(session, recovery, error);
	if (status == HERALD_OK)
		status = herald__postgres_commit(&session->base, error);
	if (status != HERALD_OK) {
		herald__postgres_rollback(&session->base);
		recovery->ready = recovery->dead = 0;
		recovery->is_taken = false;
	}
	return status;
}

enum herald_status
herald__postgres_node_recover(struct herald_session *base, struct herald_recovery *recovery,
			      struct herald_error *error)
{
	struct postgres_session *session = postgres_session(base);
	bool is_dead = false;

	recovery->ready = recovery->dead = 0;
	recovery->is_taken = false;
	enum herald_status status = end_transactions(session, recovery->node, &is_dead, error);
	if (status != HERALD_OK || !is_dead)
		return status;
	status = HERALD_UNAVAILABLE;
	for (int i = 0; i < ATTEMPTS && status == HERALD_UNAVAILABLE; i++) {
		status = try_recover(session, recovery, error);
		if (!session->may_repeat)
			break;
	}
	return status;
}
