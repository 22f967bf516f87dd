/*
 * A store on PostgreSQL 13 or later, with libpq. Several processes share its events.
 *
 *	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 8);
 *
 *	herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = "postgres://shop@db/shop"),
 *			       &options.database, &error);
 *	herald_store_create(&options, &store, &error);
 *
 * herald_store_create() connects, and creates the tables in a schema of their own. The role needs
 * CREATE on the database for that; if another role creates them (`herald store sql` prints the
 * SQL), it needs USAGE on the schema and its sequence, SELECT, INSERT, UPDATE and DELETE on the
 * tables, and TRUNCATE on herald_seen_0 and herald_seen_1. A database name, a password or a right
 * that is wrong, a read-only standby, a server before version 13 and tables of a newer Herald are
 * refused then, with what to do.
 *
 * Connections. A store has one for commits, one for each worker that runs a function with
 * HERALD_TRANSACTION_JOIN, two for leases and wake-ups, and one for operations while they run. A
 * connection that is lost is opened again. If it is lost during a commit, the store finds out
 * whether the commit took place by a row that each transaction marks; this is right after a
 * failover, too. In connections with HERALD_TRANSACTION_JOIN, statements of yours that take longer
 * than statement_timeout_ms are cancelled.
 *
 * Time. Leases are measured by the clock of the database alone. Events are due by the clocks of the
 * processes, so keep these in step.
 *
 * Texts in the tables have the type bytea, because senders may send bytes that are not UTF-8.
 * `SET bytea_output = 'escape'` shows them in psql.
 */
#ifndef HERALD_POSTGRES_H
#define HERALD_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_context;
struct herald_database;
struct herald_delivery;
struct herald_store;
struct pg_conn; /* libpq's: PGconn is its name in libpq-fe.h */

/** Options. Zero means the default; everything is copied. */
struct herald_postgres_options {
	size_t struct_size; /**< Set by HERALD_POSTGRES_OPTIONS. */

	/**
	 * Where the database is, as libpq understands it: "postgres://user@host/database", or
	 * "host=... dbname=...". Required; "" means libpq's environment variables. With several
	 * hosts, add target_session_attrs=read-write, so that the primary is found. Each address of
	 * each host is tried in turn, up to 16, and the one that was reached last is the first.
	 */
	const char *dsn;

	/**
	 * The schema of the tables: lower-case letters, digits and '_', not "pg_...". Default
	 * "herald", limit 48 bytes. Stores with different schemas share nothing.
	 */
	const char *schema;

	/** For a connection to one address. Default: connect_timeout of the DSN, else 5,000; limit
	 * 600,000. The lookup of a host name may take longer. */
	uint32_t connect_timeout_ms;

	/** For a statement, lock waits included; a server that is silent for longer counts as lost.
	 * Default 30,000, limit 3,600,000. */
	uint32_t statement_timeout_ms;

	/**
	 * After a connection was lost during a commit: how long to try to find out whether it took
	 * place. Default 10,000, limit 600,000. Then HERALD_UNKNOWN_OUTCOME is reported, and an
	 * event that was accepted is answered with 503.
	 */
	uint32_t outcome_timeout_ms;

	/** Longest pause between two attempts to connect. The first one is 50 ms, and each one is
	 * twice as long as the one before. Default 2,000, limit 600,000. */
	uint32_t max_reconnect_delay_ms;

	/**
	 * Deliveries to one origin (scheme, host and port) that may be claimed at a time; others
	 * wait, so that a silent receiver delays only its own. Default 256, limit 1,000,000. Must
	 * be the same in all processes.
	 */
	uint32_t max_ready_per_origin;

	/**
	 * The DSN leads to PgBouncer in transaction mode, or to another pool that may give each
	 * transaction another server connection. No named statements, LISTEN or session settings
	 * are then used: events of other processes are found by polling, and each statement is
	 * planned anew. A process that takes over the events of a paused one cannot end its
	 * transactions; the server does that when they have been idle for lease_ms, except for
	 * those with the function of a user, whose locks stay until the process goes on or the
	 * pool ends the connection. That a standby has taken over is not noticed, because two
	 * statements may reach two servers; it matters if it has lost the last transactions, see
	 * docs/durable.md.
	 */
	bool is_pooled;

	struct herald_allocator allocator; /**< Zeroed: libc's. libpq has its own. */
};

/** Options as a compound literal. */
#define HERALD_POSTGRES_OPTIONS(...)                                                               \
	((struct herald_postgres_options){.struct_size = sizeof(struct herald_postgres_options),   \
					  __VA_ARGS__})

/**
 * Check the options, and create the option `database` of a store. Nothing connects before
 * herald_store_create().
 *
 * out      set only on HERALD_OK; the caller owns it until a store has it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_postgres_create(const struct herald_postgres_options *options, struct herald_database **out,
		       struct herald_error *error);

/** Free a database that was not passed to a store. NULL is allowed. */
HERALD_API void herald_postgres_destroy(struct herald_database *database);

/**
 * The connection in whose transaction the function of an event runs: what the function writes is
 * committed together with the event's end, or not at all. The function must not run BEGIN, COMMIT
 * or ROLLBACK, nor PQfinish(); savepoints of its own are fine. A statement that fails ends the run:
 * return a verdict that is not HERALD_DONE, or roll back to a savepoint of your own.
 *
 * Returns  a PGconn, borrowed for the call of the function; NULL if the route has no
 *          HERALD_TRANSACTION_JOIN, or the store is not in PostgreSQL.
 */
HERALD_API struct pg_conn *herald_postgres_handle(struct herald_context *ctx);

/**
 * Publish from a transaction of your own: the delivery is sent if and only if your transaction is
 * committed. Call herald_store_wake() after your commit. Nothing of the connection is changed, and
 * no statement has a name, so that it may lead to PgBouncer in transaction mode.
 *
 * conn      a PGconn to the store's database, with an open transaction. Its role needs the rights
 *           that are named above.
 * delivery  copied.
 * error     may be NULL.
 * Errors    HERALD_BAD_VALUE: no transaction is open, or it has failed, or the store's tables are
 *           not there. HERALD_UNAVAILABLE: roll back. The errors of herald_publish().
 * Threads   the thread that uses the connection.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_postgres_publish(struct herald_store *store, struct pg_conn *conn,
			const struct herald_delivery *delivery, struct herald_error *error);

/**
 * Deduplication for consumers, in a transaction of your own: remember that this event was handled.
 * A transaction that has done the same and is still open is waited for.
 *
 * is_new  false if the source and id are known; then roll back, or do nothing.
 * Others  as for herald_postgres_publish().
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_postgres_accept(struct herald_store *store, struct pg_conn *conn, const char *source,
		       const char *id, bool *is_new, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
