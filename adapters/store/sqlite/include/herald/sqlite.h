/*
 * A store (herald/store.h) in a file, with SQLite.
 *
 *	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 8);
 *
 *	herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = "shop.db"), &options.database, &error);
 *	herald_store_create(&options, &store, &error);
 *
 * The file may have tables of your own; Herald's begin with "herald_". It is changed to WAL mode,
 * and every commit of Herald is on disk before it returns (synchronous=FULL). Next to the file
 * SQLite makes PATH-wal and PATH-shm, and Herald makes PATH-herald.lock and PATH-herald.inflight-N.
 * None of them may be deleted, replaced or moved while a process uses it.
 *
 * herald_store_destroy() writes the WAL back to the file, so that a copy of the file alone is
 * complete if no other connection is open. After a crash it is not: PATH-wal has what was committed
 * last.
 *
 * The file must be on a local disk: network file systems are refused. Several processes of one
 * machine may use it, if their SQLite does not have the WAL-reset bug (see assume_wal_fixed).
 *
 * Connections of your own should set a busy timeout, because writers wait for each other; begin
 * writing transactions with BEGIN IMMEDIATE; and set wal_autocheckpoint=0, because the store makes
 * the checkpoints. A read transaction that stays open keeps the WAL from being reused: it grows.
 */
#ifndef HERALD_SQLITE_H
#define HERALD_SQLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <herald/allocator.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_database;
struct herald_delivery;
struct herald_store;

/** Options of a database. Zero means the default; everything is copied. */
struct herald_sqlite_options {
	size_t struct_size; /**< Set by HERALD_SQLITE_OPTIONS. */

	/** Required: the file, which is created if it does not exist. Limit 480 bytes, with its
	 * folder. ":memory:" is refused. */
	const char *path;
	/** How long to wait for another connection that is writing, before HERALD_UNAVAILABLE.
	 * Default 10,000, limit 600,000. After herald_store_stop() a wait ends with the drain, or
	 * half a second after it has begun if that is later. A server with a shorter drain closes
	 * connections of senders that still wait. */
	uint32_t busy_timeout_ms;
	/** Memory of each connection for pages of the file. Default 8 MiB, least 64 KiB, limit
	 * 1 GiB. */
	uint64_t cache_bytes;
	/** The WAL is written back to the file when it is larger, or sooner if the disk has little
	 * space left. Default 16 MiB, least 64 KiB, limit 1 GiB. */
	uint64_t checkpoint_bytes;
	/** Deliveries to one origin (scheme, host and port) that may be claimed at a time; others
	 * wait, so that a silent receiver delays only its own. Default 256, limit 100,000. */
	uint32_t max_ready_per_origin;
	/**
	 * SQLite 3.7.0 to 3.51.2 can corrupt a file that several processes use; 3.50.7 and 3.44.6
	 * are fixed. With these versions, a second process that runs events is refused. true: the
	 * fault is fixed in your SQLite, although its version does not say so, as in packages of
	 * some distributions. Default false.
	 */
	bool assume_wal_fixed;
	/** Name of the VFS of SQLite. Its files must be files of the operating system. Default: the
	 * usual one. */
	const char *vfs;

	/**
	 * Called for each connection on which functions with HERALD_TRANSACTION_JOIN run, when it
	 * is opened: for `PRAGMA foreign_keys=ON`, functions in SQL, attached files. It must not
	 * change journal_mode, synchronous, locking_mode or wal_autocheckpoint. Returns false if it
	 * failed; then so does what opened the connection. Default: none.
	 */
	bool (*setup)(sqlite3 *db, void *state);
	void *state; /**< Passed to `setup`; must outlive the store. */

	struct herald_allocator allocator; /**< Zeroed: libc's. SQLite has its own. */
};

/** Options as a compound literal: HERALD_SQLITE_OPTIONS(.path = "shop.db"). */
#define HERALD_SQLITE_OPTIONS(...)                                                                 \
	((struct herald_sqlite_options){.struct_size = sizeof(struct herald_sqlite_options),       \
					__VA_ARGS__})

/**
 * Create a database for the option `database` of one store, which then owns it. The file is opened
 * by herald_store_create(), which reports what is wrong with it.
 *
 * out      set only on HERALD_OK. Free it with herald_sqlite_destroy() if no store gets it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_sqlite_create(const struct herald_sqlite_options *options, struct herald_database **out,
		     struct herald_error *error);

/** Free a database that was not passed to a store. NULL is allowed. */
HERALD_API void herald_sqlite_destroy(struct herald_database *database);

/**
 * The connection in whose transaction the function of an event runs: what the function writes is
 * committed together with the event's end, or not at all. The function must not run BEGIN, COMMIT
 * or ROLLBACK, nor close it; savepoints of its own are fine. Statements that it prepares are its
 * own to finalize.
 *
 * Returns  borrowed for the call of the function; NULL if the route has no
 *          HERALD_TRANSACTION_JOIN, or the store is not in SQLite.
 */
HERALD_API sqlite3 *herald_sqlite_handle(struct herald_context *ctx);

/**
 * Publish from a transaction of your own: the delivery is sent if and only if your transaction is
 * committed. Call herald_store_wake() after your commit.
 *
 * db       a connection to the store's file, as "main", with an open transaction. BEGIN IMMEDIATE
 *          is best: after BEGIN the first write may fail. Automatic checkpoints of this connection
 *          are turned off; hooks of yours stay.
 * delivery copied.
 * error    may be NULL.
 * Errors   HERALD_BAD_VALUE: no transaction is open, or the connection is to another file.
 *          HERALD_UNAVAILABLE, HERALD_STORE_FAILED: roll back. HERALD_STORE_FAILED also if the
 *          file, or one of SQLite's next to it, was deleted or replaced while in use. The errors
 *          of herald_publish().
 * Threads  the thread that uses the connection.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_sqlite_publish(struct herald_store *store, sqlite3 *db,
		      const struct herald_delivery *delivery, struct herald_error *error);

/**
 * Deduplication for consumers, in a transaction of your own: remember that this event was handled.
 *
 * is_new  false if the source and id are known; then roll back, or do nothing.
 * Others  as for herald_sqlite_publish().
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_sqlite_accept(struct herald_store *store, sqlite3 *db, const char *source, const char *id,
		     bool *is_new, struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
