/*
 * The database of a store, and its sessions: the structs that the files of this adapter share.
 */
#ifndef HERALD_POSTGRES_DATABASE_H
#define HERALD_POSTGRES_DATABASE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include <herald/adapter/database.h>
#include <herald/arena.h>
#include <herald/log.h>
#include <herald/postgres.h>

#include "lease.h"
#include "parameters.h"
#include "statements.h"
#include "watermark.h"

/* The state of a row in the table. */
enum postgres_state {
	POSTGRES_READY,
	POSTGRES_BLOCKED,
	POSTGRES_RUNNING,
};

struct postgres {
	struct herald_database base;            /* first */
	struct herald_postgres_options options; /* its texts are in the arena */
	struct herald_arena *texts;
	struct herald_log log;
	uint32_t lease_ms;
	int64_t instance;     /* random: names this process in notifications */
	uint32_t lock_number; /* of the schema, for advisory locks */
	const char *statements[POSTGRES_STATEMENT_COUNT]; /* in the arena */
	const char *schema_sql;
	struct postgres_watermarks watermarks;
	struct postgres_leases leases;
	atomic_bool is_interrupted; /* operations end; then interrupt_fd can be read */
	int interrupt_fd;
	atomic_size_t first_address; /* of the DSN: the one that was reached last is tried first */
	atomic_bool is_silent;       /* the end of a session got no answer in time */

	pthread_mutex_t notify_mutex; /* protects the members below */
	int64_t notified_ms;          /* by the monotonic clock */
	bool notify_is_due;           /* asked for, and not sent */
	int64_t notify_from_ms;       /* the earliest due time to be said; INT64_MAX: none */
};

struct postgres_session {
	struct herald_session base; /* first */
	struct postgres *database;
	PGconn *conn; /* NULL: lost */
	enum herald_session_use use;
	bool is_wrapped; /* the caller owns the connection */
	bool is_named;   /* statements are prepared once, by name */
	bool is_prepared[POSTGRES_STATEMENT_COUNT];
	struct postgres_parameters parameters;

	/* Connecting again. */
	int64_t reconnect_ms; /* not before, by the monotonic clock */
	uint32_t reconnect_delay_ms;
	uint64_t epoch; /* when it was made: see lease.h */

	/* The row that each transaction marks; 0: there is none yet. It names its connection, and
	 * the instance of the node for which that works. */
	int64_t mark;
	int64_t mark_instance;
	bool is_marked; /* it is of this connection */
	int64_t batch;  /* the current transaction's number */

	bool is_settling; /* it must not be interrupted: COMMIT, ROLLBACK, closing */
	bool is_closing;

	bool may_repeat; /* as herald_database_ops::may_repeat */
	bool has_lanes;  /* the transaction has the lock of the lanes */

	/* The earliest due times that the transaction makes READY; INT64_MAX: none. */
	int64_t ready_events_ms;
	int64_t ready_deliveries_ms;

	/* Of node_join() and watch(). */
	char *in_flight_path;
	size_t in_flight_bytes;
	int wake_fd; /* -1: none */
	bool is_listening;
};

static inline struct postgres_session *
postgres_session(struct herald_session *session)
{
	return (struct postgres_session *)session;
}

/* For statements. */
#define POSTGRES_LOCK_SCHEMA 0x4845524c /* of schema changes */
#define POSTGRES_LOCK_SEEN 0x4845524d   /* of generations of keys for deduplication */
#define POSTGRES_LOCK_LANES 0x4845524e  /* of transactions that change several lanes */

#endif
