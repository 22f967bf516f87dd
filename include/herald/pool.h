/*
 * The worker pool: threads for business functions that block, so that an event loop never waits.
 *
 * A task is a struct of the caller's that embeds struct herald_pool_task. The pool queues it, up to a
 * bound, and a worker runs it; nothing is allocated. Whatever was taken ends in one of two ways, and
 * exactly one of its two functions is called: run, or cancelled when the pool stops first.
 *
 * Adapters of event-loop frameworks queue struct herald_pool_request: herald_http_request_finish() on
 * a worker.
 */
#ifndef HERALD_POOL_H
#define HERALD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/http.h>
#include <herald/log.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_pool;

/** Options of a pool. Zero means the default; everything is copied. */
struct herald_pool_options {
	size_t struct_size; /**< Set by HERALD_POOL_OPTIONS. */

	unsigned threads;  /**< 4, at most 1,024. Each runs one task at a time. */
	size_t max_queued; /**< Tasks that wait for a thread, 1,024; past it none is taken. */

	struct herald_log log;             /**< A queue that is full, and what a stop cancels. */
	struct herald_allocator allocator; /**< Zeroed: libc's. Used in create and destroy only. */
};

/** Options as a compound literal: HERALD_POOL_OPTIONS(.threads = 16). */
#define HERALD_POOL_OPTIONS(...)                                                                   \
	((struct herald_pool_options){.struct_size = sizeof(struct herald_pool_options),           \
				      __VA_ARGS__})

/**
 * Create a pool and start its threads, with all signals blocked.
 *
 * options  NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_pool_create(const struct herald_pool_options *options, struct herald_pool **out,
		   struct herald_error *error);

/**
 * Work for a pool, embedded in the struct that it is about. It belongs to the pool from
 * herald_pool_submit() until one of its functions is called; that one may free it, or submit it again.
 */
struct herald_pool_task {
	/** The work. Called on a thread of the pool's; may block. */
	void (*run)(struct herald_pool_task *task);
	/** Called instead of `run` on the thread that stops the pool; should not block. */
	void (*cancelled)(struct herald_pool_task *task);
	/** The pool's. */
	struct herald_pool_task *next;
};

/**
 * Queue a task; first in, first out. Never waits.
 *
 * task     both functions set; on HERALD_OK the pool's, see struct herald_pool_task.
 * Errors   HERALD_LIMIT: max_queued are queued, or the pool stops. Neither function is called then.
 * Threads  any, also one of the pool's own.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_pool_submit(struct herald_pool *pool, struct herald_pool_task *task);

/** Counts since the pool was created; those of one call fit together. */
struct herald_pool_statistics {
	uint64_t submitted; /**< Taken: the sum of the next four. */
	uint64_t queued;    /**< Now. */
	uint64_t running;   /**< Now. */
	uint64_t done;      /**< Run to the end. */
	uint64_t cancelled; /**< By a stop. */
	uint64_t refused;   /**< Not taken. */
};

/** Read the counts. Any thread, any time until the pool is destroyed. */
HERALD_API void
herald_pool_statistics(struct herald_pool *pool, struct herald_pool_statistics *out);

/**
 * Stop: take nothing more, go on running until the queue is empty or `drain_ms` have passed, cancel
 * what is left in it, wait for what runs, end the threads. Functions are never interrupted, so a task
 * that does not end makes this wait for ever.
 *
 * pool     NULL is allowed.
 * Returns  the number of tasks that were cancelled, at the first call and at later ones.
 * Threads  any but the pool's, one at a time. The others may go on submitting, in vain.
 */
HERALD_API size_t herald_pool_stop(struct herald_pool *pool, uint32_t drain_ms);

/** Stop at once, if it was not stopped, and free. Nobody may use it any more. NULL is allowed. */
HERALD_API void herald_pool_destroy(struct herald_pool *pool);

/* HTTP requests. */

/** A request that a worker is to finish, embedded in the adapter's own struct. */
struct herald_pool_request {
	struct herald_pool_task task;        /**< The pool's; first. */
	struct herald_http_request *request; /**< Its body is complete. Borrowed. */
	/**
	 * Whether the client has gone meanwhile. Asked on the worker, just before the event would be
	 * handled; it is not, when this returns true: its sender will try again. NULL: nobody knows.
	 * Not asked any more while the event is handled: it is done then, and the answer in vain.
	 */
	bool (*is_gone)(struct herald_pool_request *work);
	/**
	 * The answer is there. Called exactly once: on a thread of the pool's, or on the one that
	 * stops the pool when the event was not handled (503). Must not block: it hands `work` back to
	 * the framework's thread, and may be the last that happens to it.
	 */
	void (*finished)(struct herald_pool_request *work,
			 const struct herald_http_response *response);
};

/**
 * herald_http_request_finish() on a worker.
 *
 * work     its three last members set.
 * Returns  NULL: work->finished() will be called, or was already. Else the answer, and it will not
 *          be: one that was known before, or 503 because the queue is full or the pool stops.
 * Threads  any; until `finished` nobody else may use the request.
 */
HERALD_API HERALD_MUST_CHECK const struct herald_http_response *
herald_pool_request_submit(struct herald_pool *pool, struct herald_pool_request *work);

#ifdef __cplusplus
}
#endif
#endif
