/*
 * The store keeps events in a database until they are handled, and deliveries until they have
 * arrived. So a crash loses nothing.
 *
 *	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 8);
 *
 *	herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = "shop.db"), &options.database, &error);
 *	herald_store_create(&options, &store, &error);
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = store),
 *			      &service, &error);
 *
 * A service with a store handles an event in two phases:
 *
 *	accept  `receive` handlers, envelope, route and payload. An invalid event is refused at once
 *	        (400, 404). Then the bytes are stored. When they are on disk, the sender gets 202
 *	        and {"status":"accepted"}, or {"status":"duplicate"} if an event with the same
 *	        source and id was accepted before. 503 if the store is full or has failed.
 *	run     a worker of the store decodes the bytes again, and calls `before`, the function and
 *	        `after`.
 *
 *	HERALD_DONE   the event is deleted.
 *	HERALD_RETRY  it runs again later, up to max_attempts times in total.
 *	HERALD_FAIL   it becomes a dead letter, with the reason. So does an event that has used up
 *	              its attempts, that can no longer be decoded, or during which the process died
 *	              max_interrupted times.
 *
 * Promises. An accepted event is run at least once, and ends as done or as a dead letter. It may
 * run twice, if the process dies after the function and before the commit. A route with
 * HERALD_TRANSACTION_JOIN writes its results in the store's own transaction; then these are written
 * exactly once.
 *
 * Lifecycle: create the store, then services and deliverers with it. At the end stop the servers,
 * herald_store_stop(), then destroy endpoints, services, deliverers and the store, in this order.
 */
#ifndef HERALD_STORE_H
#define HERALD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/backoff.h>
#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_database;
struct herald_delivery_queue;
struct herald_store;

/** Options of a store. Zero means the default; everything is copied. */
struct herald_store_options {
	size_t struct_size; /**< Set by HERALD_STORE_OPTIONS. */

	/**
	 * Required: where events are kept, such as from herald_sqlite_create().
	 * herald_store_create() takes ownership, even if it fails. You keep it only if it belongs
	 * to another store, or if struct_size is not set; both are errors.
	 */
	struct herald_database *database;

	/** Use existing tables only: refuse a database without them, or with older ones, instead of
	 * creating or migrating them. For tools. */
	bool must_exist;

	unsigned workers; /**< Threads that run events. Default 4, limit 1,024. */
	size_t max_batch; /**< Events in one commit. Default 256, limit 10,000. */
	/** Events that wait for a commit. Default 10,000, limit 10,000,000. Above: 503. Endpoints
	 * take no larger batches. */
	size_t max_waiting;
	/**
	 * Events in the database that are not finished. Default 10,000,000. Above: 503. They are
	 * counted in the background about once a second, and less often if a count takes longer
	 * than 10 ms. In between each process adds what it stores itself, and subtracts what it
	 * finishes. If PostgreSQL can tell by the size of an index that there are far fewer, they
	 * are not counted; then that upper bound is used, which the log calls pending_at_most.
	 * Until the first count after its start has ended, a process does not know of older events,
	 * and accepts as if there were none.
	 */
	uint64_t max_pending;
	size_t max_claimed_bytes; /**< Memory for events that were claimed. Default 64 MiB. */
	/** All that one event publishes, with bodies and headers. Default 16 MiB, limit 512 MiB. A
	 * deliverer's max_body_bytes, by default 1 MiB, limits each body, too. */
	size_t max_published_bytes;

	/** Runs of one event, including those that a crash ended. Default 20, limit 10,000. */
	unsigned max_attempts;
	/**
	 * An event becomes a dead letter if the process has died during this many of its runs.
	 * Default 3, limit 10,000.
	 */
	unsigned max_interrupted;
	enum herald_backoff backoff; /**< Default HERALD_BACKOFF_FULL_JITTER. */
	uint32_t first_delay_ms;     /**< Default 1,000, or max_delay_ms if less. */
	double factor;               /**< Default 2, from 1 to 1,000. */
	uint32_t max_delay_ms;       /**< Default 3,600,000 (an hour); at least first_delay_ms. */

	/** For deduplication, an id is remembered at least this long, and at most twice as long.
	 * Default 24 hours, limit 10 years. */
	uint64_t seen_window_ms;
	/** Older dead letters are deleted. Default: never. Limit 100 years. */
	uint64_t dead_max_age_ms;
	/** If there are more dead letters, the oldest are deleted. Default: no limit. */
	uint64_t dead_max_count;

	/** For databases that processes reach over the network: a process that is silent for longer
	 * counts as dead, and its events run elsewhere. Default 15,000, from 1,000 to 3,600,000. */
	uint32_t lease_ms;
	/**
	 * Maximum time between two checks for events that other processes stored. Default 100,
	 * limit 60,000.
	 */
	uint32_t poll_ms;
	/** A folder of this machine for a file that lists the running events. After a crash, the
	 * file shows which events may have caused it. Stores of different paths can share a folder;
	 * a file that a running process has is not touched, and then the store does not start.
	 * Default: SQLite's folder, else /dev/shm. */
	const char *in_flight_folder;
	/** A log line warns when SQLite's WAL is larger. Default 64 MiB. */
	uint64_t wal_warning_bytes;

	struct herald_thread_hooks thread_hooks; /**< On each worker. Default: none. */
	struct herald_log log;                   /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator;       /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_STORE_OPTIONS(.database = database). */
#define HERALD_STORE_OPTIONS(...)                                                                  \
	((struct herald_store_options){.struct_size = sizeof(struct herald_store_options),         \
				       __VA_ARGS__})

/**
 * Open the database, create or migrate its tables, and create a store. Events run from
 * herald_service_create() on.
 *
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option, and the message says what to do.
 * Errors   HERALD_BAD_OPTION, HERALD_BAD_SCHEMA (tables of a newer Herald), HERALD_UNAVAILABLE,
 *          HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any. May block.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_create(const struct herald_store_options *options, struct herald_store **out,
		    struct herald_error *error);

/**
 * Stop running events: claim no more, accept no more (503), and wait up to drain_ms for those that
 * are running. Events that have not begun are given back, and run after the next start. From now
 * on, a wait for another connection that is writing to SQLite's file ends when drain_ms have
 * passed, or half a second after it has begun if that is later.
 *
 * Returns  the number of events that are still running; their functions go on. Call it again to
 *          wait for them; herald_service_destroy() waits without a limit. 0 for NULL.
 * Threads  any, one at a time, but not from a function of a service.
 */
HERALD_API size_t herald_store_stop(struct herald_store *store, uint32_t drain_ms);

/**
 * Free a store that no service and no deliverer uses any more. NULL is allowed.
 *
 * Takes up to 5 s to store what has ended and is not yet stored; an event whose end is not stored
 * runs again. If the store was stopped before, and another connection keeps SQLite's file locked,
 * this takes one second; then come a few waits of half a second each. If PostgreSQL hangs, what is
 * being stored and the end of the node are waited for as long as their statements may take.
 *
 * Operations, such as herald_store_counts(), that other threads have begun are interrupted: they
 * return HERALD_UNAVAILABLE, with "the store is being destroyed" in the message, and this function
 * waits for them. So do not call it from a function that an operation calls, a visitor or
 * herald_bulk.progress.
 */
HERALD_API void herald_store_destroy(struct herald_store *store);

/**
 * Whether the store works, for a health check.
 *
 * error   may be NULL: why not.
 * Errors  HERALD_UNAVAILABLE: the last commit failed, and the store tries again.
 *         HERALD_STORE_FAILED: the process must be restarted.
 * Threads any. Does not block.
 */
HERALD_API enum herald_status
herald_store_health(struct herald_store *store, struct herald_error *error);

/**
 * Look for new events and deliveries now. Call it after your own transaction has published
 * something and is committed. Any thread; does not block.
 */
HERALD_API void herald_store_wake(struct herald_store *store);

/**
 * A queue for a deliverer (herald/delivery.h) that keeps its deliveries in this store:
 * `HERALD_DELIVERER_OPTIONS(.queue = queue, .transport = transport)`. It sends what
 * herald_publish() and the callback handler have stored, from this process and others. One
 * deliverer for each store.
 *
 * out     set only on HERALD_OK; owned by the caller until a deliverer has it.
 * Errors  HERALD_BAD_OPTION: there is one already. HERALD_NO_MEMORY.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_queue_create(struct herald_store *store, struct herald_delivery_queue **out,
			  struct herald_error *error);

/** Counts since the store was created. */
struct herald_store_statistics {
	uint64_t accepted;    /**< Events stored. */
	uint64_t duplicates;  /**< Not stored, because their id was known. */
	uint64_t refused;     /**< Answered with 503. */
	uint64_t runs;        /**< Runs that have begun. */
	uint64_t done;        /**< Events that are finished. */
	uint64_t retries;     /**< Runs that ended with HERALD_RETRY, and will be repeated. */
	uint64_t dead;        /**< Events that became dead letters. */
	uint64_t interrupted; /**< Events of dead processes that this one took over. */
	uint64_t lost;        /**< Outcomes that were thrown away, because the lease was lost. */
	uint64_t commits;     /**< Transactions. */
	uint64_t failures;    /**< Transactions that failed. */
	uint64_t running;     /**< Now. */
	uint64_t claimed;     /**< Now in memory, waiting for a worker. */
};

/** Read the counts. Any thread. */
HERALD_API void
herald_store_statistics_read(struct herald_store *store, struct herald_store_statistics *out);

/*
 * Operations. They use a connection of their own, and may be called on any thread, also in a
 * process that runs no events, such as the tool `herald store`. They block. Errors are
 * HERALD_UNAVAILABLE, HERALD_STORE_FAILED, HERALD_NO_MEMORY, HERALD_BAD_VALUE for a filter that is
 * not valid, and HERALD_UNKNOWN_OUTCOME: the connection was lost during a commit. The rows of this
 * commit are not counted, whether it took place or not.
 */

/** Why an event is a dead letter. The names are lower case: "failed". */
#define HERALD_DEAD_REASON_LIST(X)                                                                 \
	X(FAILED, "failed")           /* the function or a handler returned HERALD_FAIL */         \
	X(ATTEMPTS, "attempts")       /* HERALD_RETRY in the last attempt */                       \
	X(INTERRUPTED, "interrupted") /* the process died during it, max_interrupted times */      \
	X(UNDECODABLE, "undecodable") /* the stored bytes do not match the schema of today */      \
	X(NO_ROUTE, "no_route")       /* no route takes it today */                                \
	X(REFUSED, "refused")         /* a delivery: the receiver's answer was final */            \
	X(EXPIRED, "expired")         /* a delivery: its deadline passed */

/** See HERALD_DEAD_REASON_LIST. */
enum herald_dead_reason {
	HERALD_DEAD_ANY, /**< In filters. */
#define HERALD_DEAD_ENUM_(name, text) HERALD_DEAD_##name,
	HERALD_DEAD_REASON_LIST(HERALD_DEAD_ENUM_)
#undef HERALD_DEAD_ENUM_
		HERALD_DEAD_REASON_COUNT /**< Number of values; not a reason. */
};

/** "failed" and so on; "any" for HERALD_DEAD_ANY, "?" for an unknown value. Static storage. */
HERALD_API const char *herald_dead_reason_name(enum herald_dead_reason reason);

/** Whether a dead letter is an event or a delivery. */
enum herald_dead_kind {
	HERALD_DEAD_EVENTS,     /**< An event. */
	HERALD_DEAD_DELIVERIES, /**< A delivery. */
	HERALD_DEAD_BOTH,       /**< In filters. */
};

/**
 * Selects dead letters. If all members are zero, it selects all events, but no deliveries. A dead
 * letter must match all members that are set. 0, NULL and "" mean that a member is not set: no
 * filter selects texts that are empty. Ids go up to INT64_MAX; a larger one is HERALD_BAD_VALUE.
 */
struct herald_dead_filter {
	enum herald_dead_kind kind;     /**< Events, deliveries or both. */
	uint64_t id;                    /**< 0: any. */
	const char *queue;              /**< Exact. NULL or "": any, as for the texts below. */
	const char *event_type;         /**< Exact. */
	const char *source;             /**< Exact. */
	const char *event_id;           /**< Exact. */
	const char *destination;        /**< A delivery's URL begins with it. */
	enum herald_dead_reason reason; /**< Why it is a dead letter; HERALD_DEAD_ANY: any. */
	int64_t from_ms;                /**< Dead since this time or later. 0: any. */
	int64_t to_ms;                  /**< Dead before this time. 0: any. */
	/** Dead letters with a larger id than this one: for lists in pages. */
	uint64_t after_id;
	uint64_t limit; /**< How many at most. 0: no limit. */
	/** Visitors get no content_type, attributes and data, which may be large: they are empty.
	 * It selects nothing. */
	bool without_content;
};

/** A dead letter. Borrowed during the visitor's call; "" for texts that are missing. */
struct herald_dead_letter {
	enum herald_dead_kind kind;    /**< What it was. */
	uint64_t id;                   /**< Unique in the store. */
	const char *queue;             /**< The `queue` of the service. */
	const char *event_type;        /**< Of the message. */
	const char *source;            /**< Likewise. */
	const char *event_id;          /**< Likewise. */
	const char *destination;       /**< A delivery's URL. */
	enum herald_dead_reason why;   /**< The kind of the reason. */
	const char *reason;            /**< One line. */
	const char *path;              /**< JSON Pointer, if it could not be decoded. */
	int64_t offset;                /**< Byte in data; -1: none. */
	unsigned attempts;             /**< Runs or attempts that began. */
	unsigned interrupted;          /**< Runs during which the process died. */
	unsigned replays;              /**< How often it was replayed before. */
	bool is_held;                  /**< Later events with its key wait for it. */
	int64_t created_ms;            /**< When it was accepted. */
	int64_t dead_ms;               /**< When it became a dead letter. */
	const char *content_type;      /**< Of `data`. */
	struct herald_text attributes; /**< "name\0value\0" for each, such as a header. */
	struct herald_text data;       /**< The event, as it came. */
};

/** Takes a dead letter. Returns false to stop. */
typedef bool herald_dead_visitor(const struct herald_dead_letter *letter, void *state);

/** Visit dead letters, the oldest id first. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_dead_visit(struct herald_store *store, const struct herald_dead_filter *filter,
			herald_dead_visitor *visit, void *state, struct herald_error *error);

/** Called between batches of a long operation. Returns false to stop after this batch. */
typedef bool herald_progress(uint64_t count, void *state);

/** How a replay or a drop runs. Zero means the default. */
struct herald_bulk {
	uint64_t per_second;       /**< Default: no limit. */
	bool is_dry_run;           /**< Count only. */
	herald_progress *progress; /**< NULL: none. */
	void *state;               /**< Passed to `progress`. */
};

/**
 * Run dead letters again, with all of their attempts. Deduplication does not refuse them.
 *
 * bulk   NULL means the defaults.
 * count  how many; also set after an error.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_dead_replay(struct herald_store *store, const struct herald_dead_filter *filter,
			 const struct herald_bulk *bulk, uint64_t *count,
			 struct herald_error *error);

/** Delete dead letters. Parameters as in herald_store_dead_replay(). */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_dead_drop(struct herald_store *store, const struct herald_dead_filter *filter,
		       const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error);

/** Selects events and deliveries that are not finished and not running. */
struct herald_purge_filter {
	bool deliveries;           /**< Deliveries instead of events. */
	const char *queue;         /**< NULL or "": any, as for event_type. */
	const char *event_type;    /**< Exact. */
	int64_t created_before_ms; /**< 0: any. */
};

/** Delete pending events or deliveries: they will not run. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_purge(struct herald_store *store, const struct herald_purge_filter *filter,
		   const struct herald_bulk *bulk, uint64_t *count, struct herald_error *error);

/** What is counted. */
enum herald_count_state {
	HERALD_COUNT_READY,   /**< Due now. */
	HERALD_COUNT_DELAYED, /**< Due later. */
	HERALD_COUNT_BLOCKED, /**< Waits for another event with the same key. */
	HERALD_COUNT_RUNNING, /**< Claimed by a process. */
	HERALD_COUNT_DEAD,    /**< Dead letters. */
};

/** "ready" and so on. Static storage. */
HERALD_API const char *herald_count_state_name(enum herald_count_state state);

/** The number of rows with the same queue, state and type. */
struct herald_count {
	bool is_delivery;              /**< Rows are deliveries; false: events. */
	const char *queue;             /**< The `queue` of the service; "" for deliveries. */
	const char *event_type;        /**< Of the message. */
	enum herald_count_state state; /**< What is counted. */
	uint64_t count;                /**< How many. */
	int64_t oldest_ms;             /**< created_ms of the oldest; of dead letters, dead_ms. */
};

/** Takes a count. Returns false to stop. */
typedef bool herald_count_visitor(const struct herald_count *count, void *state);

/** Count everything. Reads all rows. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_counts(struct herald_store *store, herald_count_visitor *visit, void *state,
		    struct herald_error *error);

/** Events or deliveries of one state. */
struct herald_backlog_count {
	uint64_t count; /**< How many. */
	/** Age of the oldest when it was counted, since it was accepted; of dead letters, since it
	 * is dead. 0 if there is none. */
	uint64_t oldest_age_ms;
};

/** What was in the database when it was last counted. Indices are enum herald_count_state. */
struct herald_store_backlog {
	int64_t counted_ms; /**< When, since 1970; 0: not yet. The rest is then 0, too. */
	struct herald_backlog_count events[HERALD_COUNT_DEAD + 1];     /**< Of all queues. */
	struct herald_backlog_count deliveries[HERALD_COUNT_DEAD + 1]; /**< Likewise. */
};

/**
 * Read what was in the database when it was last counted, for metrics. For ten minutes after each
 * call it is counted in the background, about once a second, and less often if a count takes longer
 * than 10 ms. Before the first call it is not counted; nor in a process that runs no events, such
 * as a tool.
 *
 * Threads  any. Does not block.
 */
HERALD_API void
herald_store_backlog_read(struct herald_store *store, struct herald_store_backlog *out);

/** Something that a check found. */
struct herald_finding {
	bool is_problem;  /**< false: for information, such as a size. */
	const char *name; /**< A word, such as "integrity" or "wal_bytes". */
	const char *text; /**< One line. */
};

/** Takes a finding. Returns false to stop. */
typedef bool herald_finding_visitor(const struct herald_finding *finding, void *state);

/** Check the database: its integrity, processes that have died and whose events no other process
 * has taken over, the size of its log. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_store_check(struct herald_store *store, herald_finding_visitor *visit, void *state,
		   struct herald_error *error);

/** The SQL that creates the tables. Static storage. */
HERALD_API const char *herald_store_sql(const struct herald_store *store);

#ifdef __cplusplus
}
#endif
#endif
