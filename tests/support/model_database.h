/*
 * A model of a database for stores (herald/adapter/database.h): everything in memory, simple, and
 * strict: it aborts if the store calls it in a way that the header forbids. It is the oracle of the
 * contract of databases, and what the simulation of the store runs on.
 *
 *	struct model *model = model_create(&(struct model_options){.has_leases = true});
 *	struct herald_database *a = model_open(model);      one process
 *	struct herald_database *b = model_open(model);      another one
 *	model_kill(a);                                      dies
 *
 * Transactions run one after the other: begin() waits until it is alone. A transaction works on a
 * copy of the tables, so that nothing is seen before the commit. Any thread.
 */
#ifndef HERALD_TESTS_SUPPORT_MODEL_DATABASE_H
#define HERALD_TESTS_SUPPORT_MODEL_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>

#include "support/model_rows.h"

struct model;
struct model_connection; /* what handle() returns */

/* The error of a COMMIT that has taken place although it fails. */
#define MODEL_TOOK_PLACE "model: the commit took place, and fails by order"

/* READY and RUNNING deliveries of one origin. */
#define MODEL_ORIGIN_LIMIT 256

enum model_op {
	MODEL_BEGIN,
	MODEL_COMMIT,
	MODEL_SAVEPOINT,
	MODEL_SAVEPOINT_RELEASE,
	MODEL_SAVEPOINT_ROLLBACK,
	MODEL_ACCEPT,
	MODEL_CLAIM,
	MODEL_COMPLETE,
	MODEL_OWNED,
	MODEL_SEEN,
	MODEL_SEEN_ROTATE,
	MODEL_SECRET,
	MODEL_NODE_JOIN,
	MODEL_NODE_RENEW,
	MODEL_NODE_KEEP,
	MODEL_NODE_LEAVE,
	MODEL_NODE_DEAD,
	MODEL_NODE_RECOVER,
	MODEL_DELIVERY_PUSH,
	MODEL_DELIVERY_CLAIM,
	MODEL_DELIVERY_OWNED,
	MODEL_DELIVERY_COMPLETE,
	MODEL_DEAD_VISIT,
	MODEL_DEAD_SINCE,
	MODEL_DEAD_REPLAY,
	MODEL_DEAD_DROP,
	MODEL_DEAD_SURPLUS,
	MODEL_DEAD_TRIM,
	MODEL_PURGE_FIND,
	MODEL_PURGE,
	MODEL_PENDING,
	MODEL_COUNTS,
	MODEL_CHECK,
	MODEL_OPS,
};

/* A call, before it takes place. */
struct model_call {
	enum model_op op;
	struct herald_database *database;
	struct herald_session *session;
	/* Out: it takes place although the status is an error. For COMMIT, and for calls that are
	 * transactions of their own. */
	bool takes_place;
};

/* What a hook returns for a call that is to be made as usual. */
#define MODEL_GO_ON HERALD_OK

/* Called before each call without any lock: may kill the process or switch to another one. A status
 * that is not MODEL_GO_ON is the result of the call, which otherwise does nothing. */
typedef enum herald_status model_hook(struct model_call *call, void *state);

struct model_options {
	/* A node dies if it is silent for lease_ms; otherwise when its process is killed or
	 * destroyed. */
	bool has_leases;
	bool claims_apart;              /* as in the ops */
	bool has_many_writers;          /* what the ops say; in fact there is one */
	int64_t (*now_ms)(void *state); /* the clock of leases; NULL: the system's */
	uint64_t secret;                /* what secret() gives; different for each database */
	model_hook *hook;               /* may be NULL */
	/* Called while another connection has a transaction; false: HERALD_UNAVAILABLE. NULL: the
	 * thread waits. */
	bool (*wait)(struct herald_session *session, void *state);
	/* Called without any lock after a COMMIT that has taken place although it fails, before
	 * its caller learns of that. May be NULL. */
	void (*after)(const struct model_call *call, void *state);
	void *state;
};

/* The options are copied. */
struct model *model_create(const struct model_options *options);

/* Processes that have not been destroyed are destroyed too, with their sessions. */
void model_destroy(struct model *model);

/* A database for one process; herald_database_ops::destroy frees it. */
struct herald_database *model_open(struct model *model);

/* The process ends at this point: open transactions are rolled back, and every later call fails.
 * Its memory is freed by model_destroy(), so that it may be killed during a call of the hook. */
void model_kill(struct herald_database *database);

/* The same because its machine has crashed: nodes of it have another boot id. */
void model_crash_machine(struct herald_database *database);

/* The connection is lost: its transaction is rolled back, and each call fails until begin(). */
void model_disconnect(struct herald_session *session);
/* All connections of a process that have a transaction. */
void model_disconnect_all(struct herald_database *database);

/* A standby takes over, and has lost nothing: nodes of the time before get nothing new. */
void model_take_over(struct model *model);

/* The n-th call of an op from now on fails with this status, once; n from 1. For COMMIT,
 * takes_place commits nevertheless. Replaces what was set before; op MODEL_OPS: nothing fails. */
void model_fail(struct model *model, enum model_op op, unsigned n, enum herald_status status,
		bool takes_place);

/* Whether a call of model_fail() has taken effect. */
bool model_has_failed(struct model *model);

const char *model_op_name(enum model_op op);

/* A connection of the user's, and transactions on it. */
struct model_connection *model_connect(struct herald_database *database);
void model_connection_close(struct model_connection *connection);
void model_connection_begin(struct model_connection *connection);
void model_connection_commit(struct model_connection *connection);
void model_connection_rollback(struct model_connection *connection);

/* What a user's function does by a handle: write into a table of its own. In the transaction, or
 * else at once. False if the process is dead or the connection lost. */
bool model_write_effect(struct model_connection *connection, uint64_t number);

/* The committed rows and effects, for checks. Borrowed until the next call. */
const struct model_tables *model_committed(const struct model *model);

/* What a transaction works on. NULL: there is none. */
const struct model_tables *model_in_transaction(const struct herald_session *session);

/* Changes with each commit that is not empty. */
uint64_t model_version(const struct model *model);

/* The process of a node; NULL: the node is not there any more, or the process is freed. */
struct herald_database *model_node_database(const struct model *model, uint64_t node);

/* How many nodes there are, dead ones too. */
size_t model_nodes_count(const struct model *model);
bool model_has_node(const struct model *model, uint64_t node);
/* Whether it has RUNNING rows that are committed. */
bool model_owns_rows(const struct model *model, uint64_t node);

#endif
