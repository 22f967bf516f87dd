/*
 * The worker pool: threads for business functions that would block an event loop.
 *
 * A task is the caller's struct with an embedded struct herald_pool_task, so that submitting
 * allocates nothing. For each task that was accepted, exactly one of its functions is called:
 * `run`, or `cancelled` if the pool stops first.
 *
 * Adapters of event loops finish their HTTP requests on a pool: see herald/adapter/offload.h.
 */
#ifndef HERALD_POOL_H
#define HERALD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/thread_hooks.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_pool;

/** Options of a pool. Zero means the default; everything is copied. */
struct herald_pool_options {
	size_t struct_size; /**< Set by HERALD_POOL_OPTIONS. */

	unsigned threads;  /**< Default 4, limit 1,024. */
	size_t max_queued; /**< Tasks waiting for a thread. Default 1,024. */

	/** Called on each of the threads. Default: none. */
	struct herald_thread_hooks thread_hooks;
	struct herald_log log;             /**< Logs a full queue and cancelled tasks. */
	struct herald_allocator allocator; /**< Zeroed: libc's. Used in create and destroy only. */
};

/** Options as a compound literal: HERALD_POOL_OPTIONS(.threads = 16). */
#define HERALD_POOL_OPTIONS(...)                                                                   \
	((struct herald_pool_options){.struct_size = sizeof(struct herald_pool_options),           \
				      __VA_ARGS__})

/**
 * Create a pool and start its threads. They block all signals.
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
 * A task of a pool, embedded in the caller's struct. It belongs to the pool from
 * herald_pool_submit() until one of its functions is called. This function may free it or submit it
 * again.
 */
struct herald_pool_task {
	/** Does the work, on a thread of the pool. May block. */
	void (*run)(struct herald_pool_task *task);
	/** Called instead of `run`, on the thread that stops the pool. Should not block. */
	void (*cancelled)(struct herald_pool_task *task);
	/** Used by the pool. */
	struct herald_pool_task *next;
};

/**
 * Queue a task, first in, first out. Never blocks.
 *
 * task     with both functions set; owned by the pool after HERALD_OK.
 * Errors   HERALD_LIMIT: the queue is full or the pool is stopping. No function is called then.
 * Threads  any, also one of the pool's own.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_pool_submit(struct herald_pool *pool, struct herald_pool_task *task);

/** Counts since the pool was created; read together, they are consistent. */
struct herald_pool_statistics {
	uint64_t submitted; /**< Accepted: the sum of the next four. */
	uint64_t queued;    /**< Now. */
	uint64_t running;   /**< Now. */
	uint64_t done;      /**< Finished. */
	uint64_t cancelled; /**< By a stop. */
	uint64_t refused;   /**< Not accepted. */
};

/** Read the counts. Any thread, until the pool is destroyed. */
HERALD_API void
herald_pool_statistics_read(struct herald_pool *pool, struct herald_pool_statistics *out);

/**
 * Stop the pool: accept no more tasks, run queued ones for up to `drain_ms`, cancel the others,
 * wait for running ones, and end the threads. Functions are never interrupted, so this blocks until
 * the last one returns.
 *
 * pool     NULL is allowed.
 * Returns  the number of tasks that were cancelled, at the first call and at later ones.
 * Threads  any but the pool's, one at a time. Other threads may still submit; they get
 *          HERALD_LIMIT.
 */
HERALD_API size_t herald_pool_stop(struct herald_pool *pool, uint32_t drain_ms);

/** Free the pool; stop it first if it is running. It must not be in use. NULL is allowed. */
HERALD_API void herald_pool_destroy(struct herald_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
