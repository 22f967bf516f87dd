/*
 * What the files of the model share: processes, connections, and the way in and out of each call.
 */
#ifndef HERALD_TESTS_SUPPORT_MODEL_INTERNAL_H
#define HERALD_TESTS_SUPPORT_MODEL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "model_database.h"
#include "model_rows.h"

struct model_node {
	uint64_t id;
	struct model_process *process;
	int64_t expires_ms;
	bool is_former; /* it gets nothing new */
	long pid;
	char *host, *boot_id, *in_flight_path;
	struct model_node *next; /* the next larger id */
};

struct model {
	struct model_options options;
	struct herald_database_ops ops;
	pthread_mutex_t mutex; /* protects everything below, and what is reached from it */
	pthread_cond_t is_alone;
	bool exists;                     /* a process has opened it */
	struct model_tables tables;      /* what is committed */
	struct model_connection *writer; /* which has a transaction */
	struct model_process *processes;
	struct model_node *nodes;
	uint64_t version;
	uint64_t last_id; /* of events and deliveries; not a part of transactions */
	uint64_t last_node;
	unsigned char secret[16];
	struct {
		enum model_op op;
		unsigned in_calls; /* 0: it has happened */
		enum herald_status status;
		bool takes_place;
	} fault;
};

struct model_process {
	struct herald_database base;
	struct model *model;
	bool is_dead;
	bool is_machine_dead;
	atomic_bool is_interrupted;
	uint32_t lease_ms;
	struct model_session *sessions;
	struct model_connection *connections;
	struct model_process *next;
};

struct model_connection {
	struct model_process *process;
	bool is_lost;
	bool is_broken; /* a call of the transaction has failed */
	bool has_savepoint;
	struct model_tables draft; /* if it is the writer */
	struct model_tables saved; /* if it has a savepoint */
	struct model_connection *next;
};

struct model_session {
	struct herald_session base;
	struct model_connection *connection;
	enum herald_session_use use;
	bool is_wrapped; /* the connection belongs to the user */
	bool is_in_call;
	enum herald_status forced; /* what the call returns although it takes place */
	struct model_session *next;
};

/* What a call needs of a transaction. */
enum model_needs {
	MODEL_NEEDS_NOTHING,
	MODEL_NEEDS_TRANSACTION, /* aborts if there is none */
	MODEL_NEEDS_TO_BE_ALONE, /* a transaction of its own; aborts if the session has one */
};

/* Begin a call: the hook, the fault, then the lock. Unless it returns HERALD_OK, the call is over.
 * Otherwise model_leave() follows. */
enum herald_status model_enter(struct herald_session *session, enum model_op op,
			       enum model_needs needs, struct herald_error *error);
enum herald_status
model_leave(struct herald_session *session, enum herald_status status, struct herald_error *error);

/* Whether interrupt() has ended what the session does. Any thread. */
bool model_is_interrupted(const struct herald_session *session);

/* What a call reads and writes: the transaction's, or what is committed. */
struct model_tables *model_tables_of(struct herald_session *session);
struct model *model_of(struct herald_session *session);

/* Whether it may own new rows. */
bool model_node_lives(struct model *model, uint64_t id);
struct model_node *model_node_find(struct model *model, uint64_t id);
bool model_node_is_dead(const struct model *model, const struct model_node *node);
/* A node as others see it. */
struct herald_node model_node_seen(const struct model_node *node);
void model_node_free(struct model_node *node);

/* Rules of events, used by several functions. */

/* Whether a READY event has to wait for its due_ms. */
bool model_event_waits(const struct model_row *row, int64_t now_ms);

/* Of the blocked events with this key, the one with the smallest id gets READY if it may. */
void model_key_promote(struct model_tables *tables, uint64_t key_hash);
/* The same for the deliveries of an origin. */
void model_origin_promote(struct model_tables *tables, const char *origin);
/* Makes the row, which is in no table, a dead letter, and puts it. */
void model_put_dead(struct model_tables *tables, struct model_row *row, int64_t now_ms,
		    enum herald_dead_reason why, const char *reason);
/* Let those go on that wait for this row, which has been changed or removed. */
void model_promote_after(struct model_tables *tables, bool is_delivery, uint64_t key_hash,
			 const char *origin);

/* The ops, by file. */
void model_add_event_ops(struct herald_database_ops *ops);
void model_add_node_ops(struct herald_database_ops *ops);
void model_add_delivery_ops(struct herald_database_ops *ops);
void model_add_operation_ops(struct herald_database_ops *ops);

#endif
