/*
 * For authors of databases: what a store (herald/store.h) asks of SQLite, PostgreSQL or another
 * database. The store decides what happens to events: when they run, how often, and what they end
 * as. The database keeps the rows and makes each change atomic.
 *
 *	open -> session_open -> begin -> accept, claim, complete, ... -> commit -> session_close
 *
 * A session is one connection. It is used by one thread at a time; several sessions are used at
 * once. Functions block as long as the database does. A function that fails leaves its transaction
 * unusable: the store calls rollback().
 *
 * Rows. Event ids increase in the order in which events are accepted, and are never used twice,
 * not even after a row was deleted. Deliveries take theirs from the same sequence. If a backup can
 * be restored while a process runs, its nodes must get no rows any more, and ids of nodes must be
 * new all the same. An event is in one of these states:
 *
 *	READY    may run from due_ms on
 *	BLOCKED  an older unfinished event, or a dead one that is held, has the same key
 *	RUNNING  a node has claimed it
 *
 * Keys. Of the events with one key_hash, at most one is READY or RUNNING, and none if a dead letter
 * with the key is held. Otherwise, if there are BLOCKED ones, the one with the smallest id becomes
 * READY. This holds after each of the functions below.
 *
 * Fencing. A claim sets the owner and counts the attempt. complete() changes a row only if id,
 * owner, attempts and replays are unchanged, and otherwise reports that the lease was lost. So a
 * process that was paused too long changes nothing, nor does one that learns late that its commit
 * had taken place: a replay sets attempts to 0, and counts replays. delivery_complete() does the
 * same. A process that was paused does not own something new either: where an owner is given
 * whose node has been recovered, or has left, accept(), claim(), delivery_push() and
 * delivery_claim() fail with HERALD_LEASE_LOST.
 *
 * Times are milliseconds since 1970-01-01T00:00:00Z, and come from the store's clock. A database on
 * another machine uses its own clock for leases.
 *
 * The clock may be set back. An event or a delivery that was due when it was stored, or claimed,
 * stays due: its due_ms is not later than created_ms, or now_ms of RETRY, or it was RELEASEd or
 * recovered. A retry of an event is also due if it was stored more than HERALD_CLOCK_SKEW_MS later
 * than now: it waits for its delay, and that much longer at most. A retry of a delivery is also due
 * if it is due more than max_delay_ms after now.
 *
 * A database embeds struct herald_database as its first member, a session likewise:
 *
 *	struct my_database {
 *		struct herald_database base;
 *		...
 *	};
 *
 *	static const struct herald_database_ops my_ops = {.name = "my", .open = my_open, ...};
 */
#ifndef HERALD_ADAPTER_DATABASE_H
#define HERALD_ADAPTER_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/context.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/store.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_database_ops;

/** The first member of every database. */
struct herald_database {
	const struct herald_database_ops *ops; /**< Set by the database's constructor. */
	/** NULL at first; set by herald_store_create(). */
	const struct herald_store *store;
};

/** The first member of every session. */
struct herald_session {
	struct herald_database *database; /**< Set by session_open() and session_wrap(). */
};

/** By so much the clocks of processes may differ. */
#define HERALD_CLOCK_SKEW_MS 60000

/** Bytes of the key for deduplication: a keyed hash of an event's source and id. */
#define HERALD_SEEN_KEY_BYTES 16

/** Settings for opening a database. */
struct herald_database_settings {
	struct herald_log log;             /**< Copied. */
	struct herald_allocator allocator; /**< Copied. */
	/** How long a node may stay silent before it counts as dead. Ignored where the operating
	 * system tells of a dead process. */
	uint32_t lease_ms;
	/** Neither create nor migrate anything: refuse with HERALD_BAD_OPTION what is not there, or
	 * is older. */
	bool must_exist;
	uint64_t wal_warning_bytes; /**< Log a warning when a log of the database is larger. */
};

/** The use of a session. */
enum herald_session_use {
	HERALD_SESSION_COMMIT, /**< The committer: everything but the functions of users. */
	HERALD_SESSION_JOIN,   /**< Functions that write in the store's transaction. */
	HERALD_SESSION_NODE,   /**< node_*() and watch(). Must not wait for the others. */
	HERALD_SESSION_ADMIN,  /**< Operations: lists, counts, checks. */
};

/** An event in the database. Texts are borrowed and are never NULL; "" means none. */
struct herald_stored_event {
	uint64_t id;                   /**< Set by accept(). */
	const char *queue;             /**< The service's; limit 63 bytes. */
	const char *event_type;        /**< Of the message. */
	const char *source;            /**< Likewise. */
	const char *event_id;          /**< Likewise. */
	const char *content_type;      /**< Of `data`. */
	struct herald_text attributes; /**< Opaque. */
	struct herald_text data;       /**< The event, as it came. */
	int64_t created_ms;            /**< When it was accepted. */
	int64_t due_ms; /**< It does not run before this time, if that is later than created_ms. */
	uint64_t key_hash;      /**< Events with the same one run one after the other. 0: none. */
	bool holds_key;         /**< As a dead letter it is held, unless its run says otherwise. */
	unsigned attempts;      /**< Runs that have begun, including the one of this claim. */
	unsigned replays;       /**< How often it was a dead letter that was replayed. */
	unsigned interrupted;   /**< Of `attempts`, those during which the process died. */
	const char *last_error; /**< Of the last run; for people. */

	/* For accept(). */
	/** NULL: no deduplication. Otherwise HERALD_SEEN_KEY_BYTES bytes. */
	const unsigned char *seen_key;
	/**
	 * In: a node's id: if the event is not blocked, store it as RUNNING, owned by this node,
	 * with attempts 1. 0: do not. Out: 0 if it was stored as READY or BLOCKED, or is a
	 * duplicate.
	 */
	uint64_t owner;
	bool is_duplicate; /**< Out: seen_key exists; the event was not stored. */
};

/** Takes one event, which is borrowed during the call. Returns false to stop. */
typedef bool herald_stored_event_visitor(const struct herald_stored_event *event, void *state);

/** Which events to claim. */
struct herald_claim {
	const char *queue; /**< The service's. */
	uint64_t owner;    /**< The node. */
	int64_t now_ms;    /**< The time of the call. */
	size_t max_events; /**< Limit of the events that are visited. */
	/** Of data. The first event is claimed even if it is larger; the first one after it that
	 * does not fit ends the claim. */
	size_t max_bytes;
};

/** How a run ends. */
enum herald_completion_kind {
	HERALD_COMPLETE_DONE,  /**< Delete it. */
	HERALD_COMPLETE_RETRY, /**< READY at due_ms, with the reason as last_error. */
	/** Give it back: READY and due as before; attempts - 1 unless may_have_run. */
	HERALD_COMPLETE_RELEASE,
	HERALD_COMPLETE_DEAD, /**< Move it to the dead letters. */
};

/** The end of a run. */
struct herald_completion {
	/* The fence. */
	uint64_t id;       /**< The event's. */
	uint64_t owner;    /**< The node that has claimed it. */
	unsigned attempts; /**< As the claim has set them. */
	unsigned replays;  /**< As the claim has found them. */

	enum herald_completion_kind kind; /**< What is done with the row. */
	uint64_t key_hash; /**< The event's. Unless it is held, the next one with it gets READY. */
	bool is_held;      /**< DEAD: the key stays blocked until the dead letter is replayed or
			      dropped. */
	bool has_not_run;  /**< RETRY, DEAD: it has attempts - 1, as the claim was only for its
			      end. */
	bool may_have_run; /**< RELEASE: its attempts stay. */
	int64_t now_ms;    /**< The time of the call. */
	int64_t due_ms;    /**< RETRY. */
	enum herald_dead_reason why; /**< DEAD. */
	const char *reason;          /**< RETRY, DEAD: one line; else NULL. */
	const char *path;            /**< DEAD: JSON Pointer of what could not be decoded, or "". */
	int64_t offset;              /**< DEAD: byte in data; -1: none. */

	/** Out: the fence did not match, nothing was changed. Means nothing if the call fails. */
	bool is_lost;
};

/** A process that runs events or sends deliveries. Texts are copied by node_join(). */
struct herald_node {
	uint64_t id;         /**< Set by node_join(): new for each call. */
	const char *host;    /**< Name of the machine. */
	const char *boot_id; /**< Changes with each start of the machine. */
	long pid;            /**< The process. */
	/** The file that names the events that are running now; "" if none. In: the store's choice
	 * of a folder, or NULL for the database's own; out: set by node_join(), and valid until
	 * node_leave(). */
	const char *in_flight_path;
};

/** Takes a node that is dead. Returns false to stop. */
typedef bool herald_node_visitor(const struct herald_node *node, void *state);

/** How the events of a dead node go on. */
struct herald_recovery {
	uint64_t node;  /**< The dead one. */
	int64_t now_ms; /**< The time of the call. */
	/** Ids of events that may have killed the process: `interrupted` is counted; and of
	 * deliveries whose attempt had begun. Sorted. */
	const uint64_t *suspects;
	size_t suspects_count; /**< Number of suspects. */
	/** When events that are suspects are due. Not later than now_ms: at once. */
	int64_t suspects_due_ms;
	/** The others were neither running nor being sent when the process died: their attempt is
	 * not counted. false: it is not known which ones were, so every attempt counts. */
	bool is_known;
	/** A suspect that reaches it becomes a dead letter: HERALD_DEAD_INTERRUPTED. */
	unsigned max_interrupted;
	/** An event that reaches it, and whose attempt counts, becomes a dead letter:
	 * HERALD_DEAD_INTERRUPTED if it is a suspect, else HERALD_DEAD_ATTEMPTS. */
	unsigned max_attempts;

	uint64_t ready; /**< Out: events that are READY again. */
	uint64_t dead;  /**< Out: events that became dead letters. */
	bool is_taken;  /**< Out: false if another process has recovered the node. */
};

/** A delivery in the database: an event or a callback on its way out. Texts as above. */
struct herald_stored_delivery {
	uint64_t id;               /**< Set by delivery_push(). */
	const char *delivery_id;   /**< What receivers see, the same in every attempt. */
	const char *url;           /**< The receiver's. */
	const char *origin;        /**< Scheme, host and port; "" if the URL is not allowed. */
	const char *event_type;    /**< Of the message that caused it. */
	const char *event_id;      /**< Likewise. */
	struct herald_text record; /**< Opaque: content, headers, and the rest. */
	int64_t created_ms;        /**< When it was published. */
	int64_t due_ms;            /**< No attempt before this time. */
	int64_t expires_ms;        /**< No retry after this time. */
	unsigned attempts;         /**< Including the one of this claim. */
	unsigned replays;          /**< As of events. */
	unsigned last_http_status; /**< Of the last response; 0: none. */
	const char *last_error;    /**< Of the last attempt; for people. */
	/** For delivery_push(): as for events. */
	uint64_t owner;
};

/** Takes one delivery, borrowed during the call. Returns false to stop. */
typedef bool
herald_stored_delivery_visitor(const struct herald_stored_delivery *delivery, void *state);

/** Which deliveries to claim. */
struct herald_delivery_claim {
	uint64_t owner;        /**< The node. */
	int64_t now_ms;        /**< The time of the call. */
	size_t max_deliveries; /**< Limit of the deliveries that are visited. */
	size_t max_bytes;      /**< Of records; the first one is claimed even if it is larger. */
	/** A retry that is due later than max_delay_ms after now is due: the clock was set back. */
	int64_t max_delay_ms;
};

/** The end of an attempt of a delivery. */
struct herald_delivery_completion {
	/* The fence, as of events. */
	uint64_t id;       /**< The delivery's. */
	uint64_t owner;    /**< The node that has claimed it. */
	unsigned attempts; /**< As the claim has set them. */
	unsigned replays;  /**< As the claim has found them. */

	enum herald_completion_kind kind; /**< What is done with the row. */
	/** RETRY: what the row gets: attempts that have begun in fact. */
	unsigned new_attempts;
	bool may_have_run;           /**< RELEASE: its attempts stay. */
	int64_t now_ms;              /**< The time of the call; RETRY: when the attempt ended. */
	int64_t due_ms;              /**< RETRY. */
	int64_t expires_ms;          /**< RETRY: no retry after this time. */
	unsigned http_status;        /**< Of the last response; 0: none. */
	enum herald_dead_reason why; /**< DEAD. */
	const char *reason;          /**< RETRY, DEAD: one line; else NULL. */
	bool is_lost;                /**< Out. */
};

/** The place of a dead letter in the order in which they died. */
struct herald_dead_place {
	int64_t dead_ms; /**< When it became one. */
	uint64_t id;     /**< The order of letters with the same dead_ms. */
};

/** The functions of a database. All are required unless NULL is mentioned. */
struct herald_database_ops {
	/** Such as "sqlite", for messages. */
	const char *name;
	/** claim() must not be in a transaction with other functions: PostgreSQL deadlocks. Each is
	 * a transaction of its own, and may have taken place although it failed: the store
	 * finds that out with owned(). Likewise delivery_claim(). */
	bool claims_apart;
	/** A node is alive as long as it renews within lease_ms, so the store fences itself. false:
	 * the operating system tells of a dead process; node_renew() is not called. */
	bool has_leases;
	/** Transactions exclude each other. So one worker at a time runs events with JOIN, many in
	 * a commit. */
	bool has_one_writer;
	/** The maximum number of events with JOIN in one transaction, each in a savepoint. */
	unsigned join_batch;

	/**
	 * Connect, check the database, and create or migrate the schema. herald_store_create()
	 * calls it once. The settings are borrowed during the call. On failure, destroy() is
	 * called.
	 *
	 * Errors  HERALD_BAD_OPTION: no permission, a network file system, a wrong name, a version
	 *         with a known fault; the message says what to do. HERALD_BAD_SCHEMA: a newer
	 *         Herald made the tables. HERALD_UNAVAILABLE: no connection. HERALD_NO_MEMORY.
	 */
	enum herald_status (*open)(struct herald_database *database,
				   const struct herald_database_settings *settings,
				   struct herald_error *error);

	/** Close everything and free the database, open or not. All sessions are closed. */
	void (*destroy)(struct herald_database *database);

	/** Open a session, on any thread. */
	enum herald_status (*session_open)(struct herald_database *database,
					   enum herald_session_use use, struct herald_session **out,
					   struct herald_error *error);

	/** A session on a connection of the user's, in a transaction that is open there: only
	 * accept(), seen() and delivery_push() are used. Refused with HERALD_BAD_VALUE if there is
	 * no transaction. */
	enum herald_status (*session_wrap)(struct herald_database *database, void *handle,
					   struct herald_session **out, struct herald_error *error);

	/** Close it; a transaction is rolled back. NULL is allowed. */
	void (*session_close)(struct herald_session *session);

	/** The connection, such as a sqlite3 *. */
	void *(*handle)(struct herald_session *session);

	/**
	 * Begin a transaction for writing. A lost connection is opened again here.
	 *
	 * Errors  HERALD_UNAVAILABLE: try again later. HERALD_STORE_FAILED: see commit().
	 */
	enum herald_status (*begin)(struct herald_session *session, struct herald_error *error);

	/**
	 * Commit. On HERALD_OK everything is on disk.
	 *
	 * Errors  HERALD_UNAVAILABLE: it was rolled back: a full disk, a conflict.
	 *         HERALD_UNKNOWN_OUTCOME: the connection was lost, and it could not be found out
	 *         whether the commit took place. The store assumes nothing.
	 *         HERALD_STORE_FAILED: an error of the disk, after which nothing that this process
	 *         knows of the database can be relied on. The store refuses everything from now on;
	 *         the process must be restarted.
	 */
	enum herald_status (*commit)(struct herald_session *session, struct herald_error *error);

	/** Undo the transaction; nothing happens if there is none. */
	void (*rollback)(struct herald_session *session);

	/** Whether the last call that has failed with HERALD_UNAVAILABLE was in conflict with
	 * another transaction, such as a deadlock: then the whole transaction may succeed if it is
	 * repeated at once. NULL: never. */
	bool (*may_repeat)(const struct herald_session *session);

	/** Within a transaction: begin a part that can be undone. They are not nested. */
	enum herald_status (*savepoint)(struct herald_session *session, struct herald_error *error);
	/** Keep the part. Fails with HERALD_BAD_VALUE if the user's function has ended the
	 * transaction. */
	enum herald_status (*savepoint_release)(struct herald_session *session,
						struct herald_error *error);
	/** Undo the part, and end it. Fails likewise. */
	enum herald_status (*savepoint_rollback)(struct herald_session *session,
						 struct herald_error *error);

	/* Events. In a transaction, except for claim() if claims_apart. */

	/** Store new events, in this order. Sets what is marked as "out" in each of them. Two
	 * events of one call may have the same key, or be duplicates of each other. It is the first
	 * change of its transaction: a database may wait here for another process that stores the
	 * same seen_key, and would deadlock if that one waited for a change made before. */
	enum herald_status (*accept)(struct herald_session *session,
				     struct herald_stored_event *events, size_t count,
				     struct herald_error *error);

	/**
	 * Claim READY events that are due, ordered by due_ms and id, and visit them in this order.
	 * Retries that were stored before the clock was set back may come after others.
	 *
	 * next_ms  when the next READY event of the queue that was not claimed is due; INT64_MAX:
	 *          there is none. A time that is not later than now_ms means that there are more.
	 */
	enum herald_status (*claim)(struct herald_session *session,
				    const struct herald_claim *claim,
				    herald_stored_event_visitor *visit, void *state,
				    int64_t *next_ms, struct herald_error *error);

	/** End runs. Sets is_lost in each of them. */
	enum herald_status (*complete)(struct herald_session *session,
				       struct herald_completion *completions, size_t count,
				       struct herald_error *error);

	/** Visit the ids of the RUNNING events of a node, to find those whose claim was committed
	 * although the connection was lost. Only `id`, `attempts`, `replays` and `key_hash` are
	 * set. */
	enum herald_status (*owned)(struct herald_session *session, uint64_t owner,
				    herald_stored_event_visitor *visit, void *state,
				    struct herald_error *error);

	/** Deduplication for consumers: add the key. *is_new is false if it existed. */
	enum herald_status (*seen)(struct herald_session *session,
				   const unsigned char key[HERALD_SEEN_KEY_BYTES], bool *is_new,
				   struct herald_error *error);

	/** If the window has passed since the last time: drop the older generation of keys, and
	 * begin a new one. A key is kept for one to two windows. */
	enum herald_status (*seen_rotate)(struct herald_session *session, int64_t now_ms,
					  int64_t window_ms, struct herald_error *error);

	/** The secret for keys and hashes, made once for each database. */
	enum herald_status (*secret)(struct herald_session *session, unsigned char out[16],
				     struct herald_error *error);

	/* Nodes. Each is a transaction of its own. */

	/** Register this process. Refused with HERALD_BAD_OPTION where only one process may use
	 * the database, and there is another one. */
	enum herald_status (*node_join)(struct herald_session *session, struct herald_node *node,
					int64_t now_ms, struct herald_error *error);
	/** Say that the process is alive, every lease_ms / 3. HERALD_LEASE_LOST: the node counts
	 * as dead already. NULL unless has_leases. */
	enum herald_status (*node_renew)(struct herald_session *session, uint64_t node,
					 int64_t now_ms, struct herald_error *error);
	/** Renew the lease of a node that gets nothing new any more, as node_renew() has said, and
	 * whose events still run: also if its row was replaced. HERALD_LEASE_LOST: the node counts
	 * as dead. NULL: such a node is left to its lease. */
	enum herald_status (*node_keep)(struct herald_session *session, uint64_t node,
					struct herald_error *error);
	/** Remove this process. A node that is not there any more has left. Refused with
	 * HERALD_BAD_VALUE, and nothing is changed, if it has RUNNING events or deliveries, also
	 * if a transaction commits them meanwhile: they would never run again. */
	enum herald_status (*node_leave)(struct herald_session *session, uint64_t node,
					 struct herald_error *error);
	/** Visit the nodes that are dead, and have not been recovered. */
	enum herald_status (*node_dead)(struct herald_session *session, int64_t now_ms,
					herald_node_visitor *visit, void *state,
					struct herald_error *error);
	/** Make the events and deliveries of a dead node READY again, and remove the node. If
	 * several processes try, one succeeds. A node that is alive is left alone: is_taken is
	 * false. They are due as before, except for suspects. */
	enum herald_status (*node_recover)(struct herald_session *session,
					   struct herald_recovery *recovery,
					   struct herald_error *error);

	/**
	 * Wait until another process has stored something, at most timeout_ms. May return early.
	 * Called on a thread of its own. NULL: the store polls with claim().
	 */
	enum herald_status (*watch)(struct herald_session *session, uint32_t timeout_ms,
				    struct herald_error *error);
	/** End the watch() of this session that runs, or else its next one; any thread. NULL if
	 * watch is. */
	void (*watch_end)(struct herald_session *session);
	/** Tell other processes that there are new events. At most every 20 ms. NULL: not needed.
	 */
	enum herald_status (*notify)(struct herald_session *session, struct herald_error *error);

	/** Called after commits, also after one that has failed, outside of a transaction: for
	 * regular work such as a checkpoint. */
	void (*tend)(struct herald_session *session, int64_t now_ms);

	/** herald_store_stop() or herald_store_destroy() was called: waits for locks of other
	 * connections, also those that have begun, should end after drain_ms, or half a second
	 * after they have begun if that is later. Any thread, several times; the last call counts.
	 * With it, herald_store_destroy() waits for one second, not for 5, if the database is
	 * unavailable. NULL: waits are short, or need no limit. */
	void (*stopping)(struct herald_database *database, uint32_t drain_ms);

	/** herald_store_destroy() was called: what sessions of HERALD_SESSION_ADMIN run now ends
	 * soon with HERALD_UNAVAILABLE, and what they run later at once, except for commit() and
	 * rollback(), which are not cut short. Opening such a session should end as well, if it can
	 * take long. Any thread, also from a visitor; called again while something still runs.
	 * NULL: nothing takes long. */
	void (*interrupt)(struct herald_database *database);

	/* Deliveries, in a transaction, except for delivery_claim() if claims_apart. Of one origin,
	 * at most a few hundred are READY at a time; the others are BLOCKED, so that a silent
	 * receiver costs no one else time. */

	/** Store new deliveries. */
	enum herald_status (*delivery_push)(struct herald_session *session,
					    struct herald_stored_delivery *deliveries, size_t count,
					    struct herald_error *error);
	/** Claim deliveries that are due; as claim(). */
	enum herald_status (*delivery_claim)(struct herald_session *session,
					     const struct herald_delivery_claim *claim,
					     herald_stored_delivery_visitor *visit, void *state,
					     int64_t *next_ms, struct herald_error *error);
	/** As owned(), for deliveries. Only `id`, `attempts` and `replays` are set. */
	enum herald_status (*delivery_owned)(struct herald_session *session, uint64_t owner,
					     herald_stored_delivery_visitor *visit, void *state,
					     struct herald_error *error);
	/** End attempts; as complete(). */
	enum herald_status (*delivery_complete)(struct herald_session *session,
						struct herald_delivery_completion *completions,
						size_t count, struct herald_error *error);

	/* Operations. The store calls those that write in a transaction, in small batches. */

	/** Visit dead letters, the oldest first. If the filter says so, their content_type,
	 * attributes and data are empty and are not read from the database. */
	enum herald_status (*dead_visit)(struct herald_session *session,
					 const struct herald_dead_filter *filter,
					 herald_dead_visitor *visit, void *state,
					 struct herald_error *error);
	/** Whether a dead letter was stored at this time or later. Reads few rows, however many
	 * there are. */
	enum herald_status (*dead_since)(struct herald_session *session, int64_t since_ms,
					 bool *is_there, struct herald_error *error);
	/** Make up to `max` dead letters pending again, the oldest id first: attempts and
	 * interrupted 0, READY or BLOCKED, due now; `replays` is counted. Not checked for
	 * duplicates. The id stays. A delivery gets all of its time again: created_ms is now_ms,
	 * and expires_ms as long after it as before. */
	enum herald_status (*dead_replay)(struct herald_session *session,
					  const struct herald_dead_filter *filter, size_t max,
					  int64_t now_ms, uint64_t *count,
					  struct herald_error *error);
	/** Delete up to `max` dead letters: the oldest id first, or, if
	 * herald_dead_filter_is_by_age(), any of them. Keys that they hold go on. */
	enum herald_status (*dead_drop)(struct herald_session *session,
					const struct herald_dead_filter *filter, size_t max,
					uint64_t *count, struct herald_error *error);
	/** Find which dead letters are too many if at most `keep` should be left: the oldest ones
	 * that are not held, up to *last and with it. *is_any is false if there are not more than
	 * `keep`. Called outside of a transaction, as it reads so many entries of an index. */
	enum herald_status (*dead_surplus)(struct herald_session *session, uint64_t keep,
					   struct herald_dead_place *last, bool *is_any,
					   struct herald_error *error);
	/** Delete up to `max` dead letters that are not held, the oldest first, up to `last` and
	 * with it. */
	enum herald_status (*dead_trim)(struct herald_session *session,
					const struct herald_dead_place *last, size_t max,
					uint64_t *count, struct herald_error *error);
	/** Find events that are not running, or deliveries: up to `max` ids after after_id, the
	 * smallest first. Deliveries are in no queue. Called outside of a transaction, because it
	 * may read many rows before it finds one. */
	enum herald_status (*purge_find)(struct herald_session *session,
					 const struct herald_purge_filter *filter,
					 uint64_t after_id, size_t max, uint64_t *ids,
					 size_t *count, struct herald_error *error);
	/** Delete the rows with these ids, except for those that do not match the filter now: they
	 * are gone, or run. */
	enum herald_status (*purge)(struct herald_session *session,
				    const struct herald_purge_filter *filter, const uint64_t *ids,
				    size_t ids_count, uint64_t *count, struct herald_error *error);
	/** Count what purge() would delete; NULL: the events that are not finished, those that run
	 * included. The latter is called again and again, so it should not read the rows. */
	enum herald_status (*pending)(struct herald_session *session,
				      const struct herald_purge_filter *filter, uint64_t *count,
				      struct herald_error *error);
	/** A number that the events that are not finished do not exceed, found at once however many
	 * there are. The store counts them by pending() only if this number is too large. NULL if
	 * the database cannot tell. */
	enum herald_status (*pending_most)(struct herald_session *session, uint64_t *count,
					   struct herald_error *error);
	/** Count rows, by queue, state and type. Reads all of them. */
	enum herald_status (*counts)(struct herald_session *session, int64_t now_ms,
				     herald_count_visitor *visit, void *state,
				     struct herald_error *error);
	/** Integrity of the database, its size, the age of its longest reader, and the nodes of
	 * node_dead(): a problem with the name "dead_node" for each. */
	enum herald_status (*check)(struct herald_session *session, int64_t now_ms,
				    herald_finding_visitor *visit, void *state,
				    struct herald_error *error);
	/** The SQL that creates the tables, with all migrations. Static storage. */
	const char *(*sql)(const struct herald_database *database);
};

/** Whether a filter selects all dead letters that are old enough, and nothing else: an index of
 * their times finds them, however many others there are. */
static inline bool
herald_dead_filter_is_by_age(const struct herald_dead_filter *filter)
{
	return filter->to_ms != 0 && filter->kind == HERALD_DEAD_BOTH && filter->id == 0 &&
	       filter->after_id == 0 && filter->from_ms == 0 && !filter->queue &&
	       !filter->event_type && !filter->source && !filter->event_id &&
	       !filter->destination && filter->reason == HERALD_DEAD_ANY;
}

/**
 * The session in whose transaction the function of an event runs; for functions such as
 * herald_sqlite_handle().
 *
 * Returns  NULL if the route has no HERALD_TRANSACTION_JOIN.
 */
HERALD_API struct herald_session *herald_context_session(const struct herald_context *ctx);

/** The store's database; for functions such as herald_sqlite_publish(). Borrowed. */
HERALD_API struct herald_database *herald_store_database(struct herald_store *store);

struct herald_delivery;

/** Store a delivery in the transaction of a session of session_wrap(). Errors as
 * herald_publish(). */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_publish_in(struct herald_store *store, struct herald_session *session,
			const struct herald_delivery *delivery, struct herald_error *error);

/** Deduplication in the transaction of a session of session_wrap(): *is_new is false if the
 * event's source and id are known. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_accept_in(struct herald_store *store, struct herald_session *session,
		       const char *source, const char *id, bool *is_new,
		       struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
