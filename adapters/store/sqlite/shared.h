/*
 * The structs that all files of the adapter share: the database, which is one file, and sessions,
 * which are one connection each.
 */
#ifndef HERALD_SQLITE_SHARED_H
#define HERALD_SQLITE_SHARED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <herald/adapter/database.h>
#include <herald/sqlite.h>

#include "fair_lock.h"
#include "schema.h"

/* Room for names of files: SQLite's limit, and Herald's suffixes. */
#define SQLITE_PATH_BYTES 512

/* Room for an origin: a host has up to 253 bytes. */
#define SQLITE_ORIGIN_BYTES 1024

/* What a file is, whatever its name is. */
struct sqlite_identity {
	dev_t device;
	ino_t inode;
};

/* What the busy handler of a connection knows. */
struct sqlite_wait {
	struct sqlite_database *database;
	int64_t turn_ms;         /* the session has waited so long for its turn */
	bool may_be_interrupted; /* by interrupt.c */
};

struct sqlite_node;

struct sqlite_database {
	struct herald_database base;          /* first */
	struct herald_sqlite_options options; /* path and vfs are copies, and in `texts` */
	char *texts;
	size_t texts_bytes;
	struct herald_allocator allocator;
	struct herald_log log;
	uint64_t wal_warning_bytes;

	char path[SQLITE_PATH_BYTES]; /* absolute, without symbolic links; set by open() */
	char lock_path[SQLITE_PATH_BYTES + 32];
	char wal_path[SQLITE_PATH_BYTES + 8];
	char shm_path[SQLITE_PATH_BYTES + 8];
	char schema_sql[SQLITE_SCHEMA_BYTES]; /* for people who create the tables */
	struct sqlite_identity identity;
	struct herald__fair_lock writer; /* in front of SQLite's: its waiting is not fair */
	struct sqlite_wait wait;         /* of connections without a session */

	atomic_bool is_interrupted;    /* see interrupt.c */
	struct sqlite_session *admins; /* that are open; with the mutex */
	_Atomic int64_t drain_end_ms;  /* by the monotonic clock; 0: the store is not stopped */
	_Atomic int64_t last_id;       /* given to a row of this process, rolled back or not */

	atomic_bool has_failed; /* a disk's error: `failure` says which */
	char failure[256];      /* written once, before has_failed */

	pthread_mutex_t mutex;     /* of what follows, and of writing `failure` */
	struct sqlite_node *nodes; /* of this process */

	/* See files.c. */
	unsigned sessions_count; /* without those on a connection of the user's */
	struct sqlite_identity wal;
	struct sqlite_identity shm;

	pthread_cond_t watch_end; /* of one of the sessions; with the mutex */

	/* See checkpoint.c. */
	atomic_uint wal_pages;       /* after the last commit of this process */
	int64_t page_bytes;          /* 0: not known yet */
	uint64_t checkpointed_bytes; /* of the WAL as it is, at the last checkpoint */
	uint64_t warned_bytes;
	int64_t next_checkpoint_ms;
	uint32_t checkpoint_delay_ms;
};

/* Each statement that is kept prepared has a place. */
enum sqlite_slot {
	SLOT_BEGIN,
	SLOT_COMMIT,
	SLOT_ROLLBACK,
	SLOT_SAVEPOINT,
	SLOT_SAVEPOINT_RELEASE,
	SLOT_SAVEPOINT_UNDO,
	SLOT_IDS,
	SLOT_NODE_EXISTS,
	SLOT_SECRET,
	SLOT_NODE_SLOTS,
	SLOT_NODE_SLOT,
	SLOT_NODE_ID,
	SLOT_NODE_INSERT,
	SLOT_NODE_OWNS,
	SLOT_NODE_DELETE,
	SLOT_NODE_FIND,
	SLOT_NODE_EVENT,
	SLOT_NODE_EVENT_READY,
	SLOT_NODE_SENT,
	SLOT_NODE_DELIVERIES,
	SLOT_SEEN_ADD_0,
	SLOT_SEEN_ADD_1,
	SLOT_SEEN_CURRENT,
	SLOT_SEEN_ROTATE,
	SLOT_SEEN_EMPTY_0,
	SLOT_SEEN_EMPTY_1,
	SLOT_KEY_IS_TAKEN,
	SLOT_KEY_PROMOTE,
	SLOT_EVENT_INSERT,
	SLOT_EVENT_CLAIM,
	SLOT_EVENT_CLAIMED,
	SLOT_EVENT_CLAIMED_LAST,
	SLOT_EVENT_NEXT,
	SLOT_EVENT_CLAIM_LATE,
	SLOT_EVENT_CLAIMED_LATE,
	SLOT_EVENT_CLAIMED_LATE_LAST,
	SLOT_EVENT_DONE,
	SLOT_EVENT_RETRY,
	SLOT_EVENT_RELEASE,
	SLOT_EVENT_IS_MINE,
	SLOT_EVENT_OWNED,
	SLOT_EVENT_DELETE,
	SLOT_DELIVERY_DELETE,
	SLOT_EVENT_DIE,
	SLOT_DELIVERY_DIE,
	SLOT_ORIGIN_ROOM,
	SLOT_ORIGIN_IS_BLOCKED,
	SLOT_ORIGIN_PROMOTE,
	SLOT_DELIVERY_INSERT,
	SLOT_DELIVERY_CLAIMED,
	SLOT_DELIVERY_CLAIMED_LAST,
	SLOT_DELIVERY_CLAIM,
	SLOT_DELIVERY_NEXT,
	SLOT_DELIVERY_CLAIM_LATE,
	SLOT_DELIVERY_CLAIMED_LATE,
	SLOT_DELIVERY_CLAIMED_LATE_LAST,
	SLOT_DELIVERY_OWNED,
	SLOT_DELIVERY_FIND,
	SLOT_DELIVERY_RETRY,
	SLOT_DELIVERY_RELEASE,
	SLOT_DEAD_BEFORE,
	SLOT_DEAD_DELETE,
	SLOT_EVENT_REPLAY,
	SLOT_DELIVERY_REPLAY,
	SLOT_DEAD_SURPLUS,
	SLOT_DEAD_SURPLUS_HELD,
	SLOT_DEAD_SINCE,
	SLOT_DEAD_TRIM,
	SLOT_PENDING,
	SLOT_COUNT_EVENTS,
	SLOT_COUNT_DELIVERIES,
	SLOT_COUNT_DEAD,
	SLOT_CHECK_INTEGRITY,
	SLOT_CHECK_OWNERS,
	SLOT_CHECK_KEYS,
	SLOT_CHECK_ORIGINS,
	SLOT_CHECK_PAGES,
	SLOT_CHECK_PAGE_SIZE,
	SLOT_CHECK_FREE,
	SLOT_PAGE_SIZE,
	SLOT_DATA_VERSION,
	SLOT_COUNT,
};

struct sqlite_session {
	struct herald_session base; /* first */
	sqlite3 *db;
	enum herald_session_use use;
	struct sqlite_wait wait;
	bool is_wrapped;       /* connection and transaction belong to the caller */
	bool is_counted;       /* in the database's sessions_count */
	bool has_writer;       /* holds database->writer */
	bool is_committing;    /* the statement that runs is COMMIT */
	atomic_bool is_ending; /* the statement that runs is COMMIT or ROLLBACK */
	struct sqlite_session *next_admin;
	unsigned seen_current; /* which table of keys is the current one; in this transaction */
	int64_t data_version;  /* see watch.c */
	bool watch_ends;       /* with the database's mutex */
	sqlite3_stmt *statements[SLOT_COUNT];
};

/* What was stored later than this was stored before the clock was set back. */
static inline int64_t
herald__sqlite_latest_ms(int64_t now_ms)
{
	return now_ms < INT64_MAX - HERALD_CLOCK_SKEW_MS ? now_ms + HERALD_CLOCK_SKEW_MS
							 : INT64_MAX;
}

static inline struct sqlite_session *
herald__sqlite_session(struct herald_session *session)
{
	return (struct sqlite_session *)session;
}

static inline struct sqlite_database *
herald__sqlite_database(struct sqlite_session *session)
{
	return (struct sqlite_database *)session->base.database;
}

#endif
