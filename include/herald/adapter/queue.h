/*
 * For authors of queues. A queue keeps the deliveries that a deliverer (herald/delivery.h) has
 * accepted, for example in a database table. By default, a deliverer keeps them in memory.
 *
 * A queue holds records, one per delivery:
 *
 *	push -> claim -> begin, an attempt -> complete             delivered, or failed for good
 *	          ^                        -> reschedule --+       another attempt later
 *	          +---------------------------------------+
 *
 * The queue owns a record from push or reschedule until it returns the record from claim; the
 * deliverer owns it from claim until it passes it to reschedule or complete. Only deliverers create
 * and free records. A queue that stores a record elsewhere passes it to
 * herald_delivery_record_destroy(). To return it from claim, it creates a new record with
 * herald_delivery_record_create().
 *
 * Several deliverers, also in different processes, may use the same store. Each has its own queue,
 * and claim returns a record to only one of them. If one dies, the store returns its records to
 * another one.
 *
 * Times. The times in a record are read from the wall clock, so that they are valid in other
 * processes. Delays are durations. While a deliverer owns a record, it uses the monotonic clock, so
 * that changes of the wall clock have no effect. For records in a store these rules apply:
 *
 *	- A clock that is set back delays no record that was due, and others by max_delay_ms at
 *	  most; see claim.
 *	- If the clock is set forward, or the machine was suspended, this is noticed within
 *	  HERALD_DELIVERY_QUEUE_POLL_MS. Records are then due early, but the deliverer still makes
 *	  only max_attempts attempts at a time.
 *	- A record that is claimed after expires_ms is attempted once more before it fails. So no
 *	  delivery fails without an attempt because of the clock, or because no deliverer ran.
 *
 * A queue embeds struct herald_delivery_queue as its first member, and has a constructor:
 *
 *	struct my_queue {
 *		struct herald_delivery_queue base;
 *		...
 *	};
 *
 *	static const struct herald_delivery_queue_ops my_ops = {.name = "my", .push = my_push, ...};
 */
#ifndef HERALD_ADAPTER_QUEUE_H
#define HERALD_ADAPTER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The maximum time between two calls of claim while a queue has records that are due later. */
#define HERALD_DELIVERY_QUEUE_POLL_MS 10000

/** A delivery in a queue. Times are milliseconds since 1970-01-01T00:00:00Z. */
struct herald_delivery_record {
	/** The delivery, with its id. A value was encoded as the body; `codec` is NULL. */
	struct herald_delivery delivery;
	/** Scheme, host and port of the URL, normalised: "https://example.com:443". Set by the
	 * deliverer; "" if the URL is not allowed. */
	const char *origin;
	/** For the queue, such as a row id. 0 in push. The deliverer does not read it. */
	uint64_t key;
	unsigned attempts;         /**< Number of attempts that have begun. */
	unsigned last_http_status; /**< Of the last attempt's response; 0: none. */
	int64_t created_ms;        /**< When it was submitted. */
	int64_t due_ms;            /**< No attempt before this time. */
	/** No retry after it: created_ms + deadline_ms of the options. */
	int64_t expires_ms;
	/** For herald_delivery_record_create(): why the record must not be sent; it fails after
	 * claim. NULL: it may be sent. */
	const char *refusal;
};

/** The time of a call. */
struct herald_delivery_time {
	/** Milliseconds since 1970-01-01T00:00:00Z. May jump in both directions. */
	int64_t wall_ms;
	/** Never goes back. For records in memory; has no meaning in another process. */
	uint64_t monotonic_ms;
};

/** Settings for opening a queue. */
struct herald_delivery_queue_settings {
	size_t max_attempts;            /**< Limit of concurrent attempts. */
	size_t max_attempts_per_origin; /**< Limit of concurrent attempts to one origin. */
	size_t max_claimed;             /**< Limit of stored records that are claimed at once. */
	size_t max_claimed_bytes;       /**< Likewise, of bodies and headers. */
	uint64_t max_delay_ms;          /**< The longest delay for reschedule. */
};

struct herald_delivery_queue_ops;
struct herald_store;

/** The first member of every queue. */
struct herald_delivery_queue {
	const struct herald_delivery_queue_ops *ops; /**< Set by the queue's constructor. */
	/** NULL at first; set by herald_deliverer_create(). */
	struct herald_deliverer *deliverer;
};

/**
 * The functions of a queue. claim, begin, reschedule, complete and claim_left are called on the
 * deliverer's thread and must not block, so they leave disk access to a thread of the queue. No
 * function may call the deliverer, except for the functions of this header. All functions are
 * required unless NULL is mentioned.
 */
struct herald_delivery_queue_ops {
	/** Where records are stored, such as "sqlite", for messages. */
	const char *name;

	/**
	 * Prepare the queue. herald_deliverer_create() calls it once, on its caller's thread. It
	 * may block. The settings are borrowed during the call. From here on,
	 * herald_delivery_queue_wake() may be called. On failure, destroy() is called. NULL:
	 * nothing to prepare.
	 */
	enum herald_status (*open)(struct herald_delivery_queue *queue,
				   const struct herald_delivery_queue_settings *settings,
				   struct herald_error *error);

	/**
	 * Take a new record, which is due at once. A queue that outlives the process returns when
	 * the record is stored safely. Called on any thread, several at once, and on the
	 * deliverer's thread if a hook submits. May block. A stop waits for calls in progress.
	 *
	 * Returns  HERALD_OK; any other status is the result of the submission, and the deliverer
	 *          keeps the record. HERALD_LIMIT: the queue is full.
	 */
	enum herald_status (*push)(struct herald_delivery_queue *queue,
				   struct herald_delivery_record *record);

	/**
	 * Return a record that is due, the longest overdue one first. A new record is due at once.
	 * A stored one is due again if due_ms is not after now, or is more than max_delay_ms after
	 * now, because the clock was set back. A queue that outlives the process counts the attempt
	 * in its store, but not in the record, before it returns the record. So an attempt during
	 * which the process dies is counted; reschedule has the actual number. If many records are
	 * due for one origin, return records of other origins too, because only
	 * max_attempts_per_origin are attempted at the same time.
	 *
	 * wait_ms  set if NULL is returned: milliseconds until the next record is due; UINT64_MAX:
	 *          not before the next push or herald_delivery_queue_wake(). A smaller value is
	 *          allowed. The deliverer may call claim earlier.
	 * Returns  NULL: no record is due, or not yet known to be.
	 */
	struct herald_delivery_record *(*claim)(struct herald_delivery_queue *queue,
						const struct herald_delivery_time *now,
						uint64_t *wait_ms);

	/**
	 * An attempt begins; record->attempts includes it. If there is no memory for the attempt,
	 * reschedule is called, and if its signer fails, complete; both with the previous
	 * `attempts`. NULL: always true.
	 *
	 * Returns  false: the queue no longer has the record, because its lease has ended. The
	 *          deliverer frees the record without an attempt or a report.
	 */
	bool (*begin)(struct herald_delivery_queue *queue, struct herald_delivery_record *record);

	/**
	 * Take a record back. due_ms (now->wall_ms + delay_ms), expires_ms, attempts and
	 * last_http_status have changed. A stored record whose lease has ended is not changed in
	 * the store. Cannot fail: a queue that cannot write now keeps the record in memory.
	 *
	 * report  the reason, such as a failed attempt; borrowed. If delay_ms is 0, the deliverer
	 *         stops.
	 */
	void (*reschedule)(struct herald_delivery_queue *queue,
			   struct herald_delivery_record *record,
			   const struct herald_delivery_time *now, uint64_t delay_ms,
			   const struct herald_delivery_report *report);

	/**
	 * Remove a record from the queue: report->outcome is HERALD_DELIVERY_DELIVERED, _FAILED
	 * (report->failure says why), or, for a record of claim_left, _LEFT. The outcome hook is
	 * called afterwards. Both are borrowed: the deliverer frees the record. A stored record
	 * whose lease has ended is not changed.
	 */
	void (*complete)(struct herald_delivery_queue *queue,
			 const struct herald_delivery_record *record,
			 const struct herald_delivery_report *report);

	/**
	 * The deliverer stops and has given back all records. Return a record that will be lost,
	 * due or not; it is reported as HERALD_DELIVERY_LEFT. Return NULL if there is none. If this
	 * function is NULL, records outlive the deliverer: a stop claims no more records, and only
	 * ends those that were claimed.
	 */
	struct herald_delivery_record *(*claim_left)(struct herald_delivery_queue *queue);

	/**
	 * The store whose services' deliveries this queue has: what herald_publish() and the
	 * callback handler store. Any thread. NULL: it has no others than those submitted.
	 */
	struct herald_store *(*store)(const struct herald_delivery_queue *queue);

	/**
	 * Free the queue, whether or not it was opened, and the records that it has in memory. No
	 * other call is in progress. Called on the thread of herald_deliverer_create() or
	 * herald_deliverer_destroy(). May block.
	 */
	void (*destroy)(struct herald_delivery_queue *queue);
};

/**
 * Create a record for claim to return. Its URL and content are checked with the deliverer's
 * options, as in a submission. If they are no longer allowed, the record fails after claim, and
 * nothing is sent.
 *
 * from     copied, with everything that it points to; `origin` is not read. A delivery without an
 *          id gets a new one. With a `refusal`, only the URL, which may be NULL, the id and the
 *          texts of the delivery are read; they are cut at their limits.
 * Returns  the record, owned by the queue; NULL: out of memory.
 * Threads  any, from open to destroy.
 */
HERALD_API struct herald_delivery_record *
herald_delivery_record_create(struct herald_delivery_queue *queue,
			      const struct herald_delivery_record *from);

/**
 * Free a record that the queue owns. The deliverer's statistics then count it as stored instead of
 * pending. NULL is allowed.
 *
 * Threads  any, from open to destroy, also within the queue's functions.
 */
HERALD_API void herald_delivery_record_destroy(struct herald_delivery_queue *queue,
					       struct herald_delivery_record *record);

/**
 * Let the deliverer call claim again soon, because a record is due earlier than reported.
 *
 * Threads  any, from open to destroy. Does not block.
 */
HERALD_API void herald_delivery_queue_wake(struct herald_delivery_queue *queue);

#ifdef __cplusplus
}
#endif
#endif
