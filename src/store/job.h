/*
 * Events in memory: claimed, running, or ended and not yet committed. Each is one block, which is
 * used again. The committer's thread creates and frees them; in between a job belongs to one list
 * or one worker.
 */
#ifndef HERALD_SRC_STORE_JOB_H
#define HERALD_SRC_STORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/allocator.h>
#include <herald/buffer.h>

#include "base/list.h"
#include "store/in_flight.h"

struct herald__queue;

struct herald__job {
	struct herald__job *next;          /* in a list */
	struct herald__job *newer, *older; /* all jobs; the committer's */
	struct herald__queue *queue;
	size_t block_bytes;

	uint64_t id;
	uint64_t owner;
	uint64_t key_hash;
	bool holds_key;    /* as when it was accepted */
	unsigned attempts; /* including the one of this claim */
	unsigned replays;
	unsigned interrupted;
	int64_t created_ms;
	const char *event_type;
	const char *source;
	const char *event_id;
	const char *content_type;
	const char *last_error;
	struct herald_text attributes;
	char *data;
	size_t data_bytes;

	bool has_place;                /* it has run, and is in the in-flight file */
	herald__in_flight_place place; /* until its end is stored */

	/* How the run ended. */
	enum herald_completion_kind kind;
	bool is_held;
	unsigned refusals;           /* how often the database has refused its end for good */
	bool has_not_run;            /* it was claimed only to end */
	bool has_joined;             /* the worker's transaction */
	bool is_stored;              /* by the worker, in its own transaction */
	bool may_be_stored;          /* the outcome of that transaction is unknown */
	bool has_ended_join;         /* its function has ended that transaction itself */
	bool is_dropped;             /* another process has it */
	int64_t due_ms;              /* RETRY */
	enum herald_dead_reason why; /* DEAD */
	/* RETRY, DEAD; NULL: out of memory, or not needed. */
	struct herald_error *error;
	struct herald_buffer published;
};

/* A queue of jobs. */
struct herald__job_list {
	struct herald__job *first, *last;
	size_t count;
};
HERALD__LIST(herald__job_list, herald__job)

/* Blocks of 1, 2, 4, ... 64 KiB are used again. */
#define HERALD__JOB_CLASSES 7

/* The memory of all jobs. The committer's. */
struct herald__job_memory {
	struct herald_allocator allocator;
	struct herald__job *free[HERALD__JOB_CLASSES];
	size_t free_bytes;
	struct herald__job *newest; /* of all jobs that are in use */
	size_t count;
	size_t bytes; /* of all jobs that are in use */
};

void herald__job_memory_init(struct herald__job_memory *memory,
			     const struct herald_allocator *allocator);
/* Frees the jobs that are in use, too. */
void herald__job_memory_finish(struct herald__job_memory *memory);

/* The bytes that a job with this event takes. */
size_t herald__job_bytes(const struct herald_stored_event *event);

/* A job with a copy of an event. NULL: out of memory. */
struct herald__job *
herald__job_create(struct herald__job_memory *memory, const struct herald_stored_event *event);

void herald__job_free(struct herald__job_memory *memory, struct herald__job *job);

/* Keep why the run ended as it did. If there is no memory for it, the job has no error. */
void herald__job_set_error(struct herald__job *job, const struct herald_allocator *allocator,
			   const struct herald_error *error);

#endif
