/*
 * Where the threads of a store meet: arrivals for the committer, jobs for the workers, and jobs
 * that come back. One mutex; a thread is woken only if it waits. dispatch_arrive.h is for those who
 * give something to the committer, dispatch_work.h for workers.
 */
#ifndef HERALD_SRC_STORE_DISPATCH_H
#define HERALD_SRC_STORE_DISPATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

#include "store/former.h"
#include "store/job.h"
#include "store/task.h"

struct herald__inbox_event;
struct herald_service;
struct herald_store;

/* The events of one service. Lives as long as the store; a service with the same name takes it
 * over. */
struct herald__queue {
	struct herald__queue *next;
	char name[64];
	struct herald_service *service; /* changes while nothing of it is in memory */
	/* Protected by the mutex. */
	bool is_attached;
	uint64_t joining; /* a bit for each event type that has joined a transaction */
	size_t waiting;   /* arrivals that are not answered */
	size_t jobs;      /* that have not ended */
	/* The committer's. */
	bool is_open;       /* is_attached, when the turn began */
	int64_t next_ms;    /* when the next READY event may be due; INT64_MIN: look now */
	uint64_t looked_ms; /* when it was looked for, by the monotonic clock */
};

struct herald__arrival_list {
	struct herald__inbox_event *first, *last;
	size_t count;
};

/* Everything is protected by the mutex, except for the condition variables. */
struct herald__dispatch {
	pthread_mutex_t mutex;
	pthread_cond_t committer_wake;
	pthread_cond_t worker_wake;
	pthread_cond_t changed; /* for stop and detach */

	struct herald__queue *queues; /* only added to */
	struct herald__arrival_list arrivals;
	struct herald__task_list tasks;
	struct herald__job_list ended;
	struct herald__job_list ready;
	size_t running;     /* jobs that a worker has */
	bool runs_alone;    /* one of them was interrupted before */
	const void *joiner; /* the worker with a transaction; see has_one_writer */
	size_t idle;        /* workers that wait */
	size_t alive;       /* jobs that the committer has not freed */
	bool in_turn;       /* the committer has taken something */
	size_t waiters;     /* threads that wait for `changed` */
	uint64_t pending;   /* events in the database, as last counted */
	bool is_at_most;    /* there are not more than `pending`, but perhaps far fewer */

	bool committer_waits;
	bool is_woken;              /* look for events of other processes */
	bool is_stopping;           /* run and accept no more */
	bool quits;                 /* the threads end */
	uint64_t refusal_logged_ms; /* 0: never */
	const char *refusal;        /* why arrivals are refused; NULL: they are not */

	uint64_t node;     /* 0: not joined */
	bool is_doubted;   /* the database has said that the node is gone */
	uint64_t fence_ms; /* nothing begins from this time on; UINT64_MAX: no lease */
	struct herald__formers formers;
};

/* What the committer takes for a turn. */
struct herald__input {
	struct herald__arrival_list arrivals;
	struct herald__task_list tasks;
	struct herald__job_list ended;
	bool is_woken;
	bool is_stopping;
	bool is_fenced;
	uint64_t node;
	uint64_t pending;
	struct herald__queue *queues;
	size_t ready; /* jobs that wait for a worker */
	size_t running;
	size_t idle;
};

/* Returns false if the operating system has no mutex or condition variable left. */
bool herald__dispatch_init(struct herald__dispatch *dispatch);
void herald__dispatch_finish(struct herald__dispatch *dispatch,
			     const struct herald_allocator *allocator);

/* Services. Errors: HERALD_BAD_OPTION, HERALD_NO_MEMORY. */
enum herald_status
herald__dispatch_attach(struct herald_store *store, struct herald_service *service,
			const char *name, struct herald_error *error);
/* Gives back what has not begun, and waits for the rest. */
void herald__dispatch_detach(struct herald_store *store, struct herald_service *service);

/* The committer. */
void
herald__dispatch_take(struct herald_store *store, size_t max_arrivals, struct herald__input *out);
/* Hand over jobs to the workers. Jobs that must not run any more come back as ended. */
void herald__dispatch_ready(struct herald_store *store, struct herald__job_list *jobs);
/* An arrival of each of these queues was answered, `alive` jobs are in memory, and so many more
 * events are in the database. */
void herald__dispatch_settle(struct herald_store *store, struct herald__queue *const *queues,
			     size_t count, size_t alive, int64_t pending_change);
/* From now on, refuse events for this reason; NULL: accept them again. Static storage. */
void herald__dispatch_refuse(struct herald_store *store, const char *why);

/* The node: from now on jobs of this one may begin, until fence_ms. 0: it is lost; jobs that have
 * not begun are given back. */
void herald__dispatch_node(struct herald_store *store, uint64_t node, uint64_t fence_ms);

/* The database says that this node is gone: nothing begins until its thread has looked. An answer
 * may come late, when another node has replaced it: that one goes on. */
void herald__dispatch_doubt(struct herald_store *store, uint64_t node);
bool herald__dispatch_is_doubted(struct herald_store *store);
/* The node, if its lease has not ended; else 0. Any thread. */
uint64_t herald__dispatch_lease(struct herald_store *store);

/* A copy. Any thread. */
struct herald__formers herald__dispatch_formers(struct herald_store *store);

/* The number of events in the database, or a bound of it. */
void herald__dispatch_pending(struct herald_store *store, uint64_t pending, bool is_at_most);

/* The store has failed: stop, for ever. */
void herald__dispatch_fail(struct herald_store *store);
/* A transaction that is not the committer's has failed. */
void herald__dispatch_fails(struct herald_store *store, enum herald_status status,
			    const struct herald_error *error);

/* Stop running and accepting; jobs that have not begun are given back. */
void herald__dispatch_stop(struct herald_store *store);
/* Wait until everything has ended and is stored, at most `ms`. Returns the jobs that still run. */
size_t herald__dispatch_drain(struct herald_store *store, uint32_t ms);

/* Threads: wait for something to do, until due_ms by the monotonic clock. Returns false when the
 * thread has to end. */
bool herald__dispatch_committer_wait(struct herald_store *store, uint64_t due_ms);
void herald__dispatch_quit(struct herald_store *store, bool quits);

/* For dispatch_arrive.c and dispatch_work.c. */

/* Lock the mutex, and return what it protects. */
struct herald__dispatch *herald__dispatch_lock(struct herald_store *store);
/* With the mutex held, likewise below: if the committer waits. */
void herald__dispatch_wake_committer(struct herald__dispatch *dispatch);
/* Wake the threads that wait for `changed`. */
void herald__dispatch_tell(struct herald__dispatch *dispatch);
/* Whether nothing may begin: the lease has ended, or may have. */
bool herald__dispatch_is_fenced(const struct herald_store *store,
				const struct herald__dispatch *dispatch);
/* The queue of a service that is attached; NULL: there is none. */
struct herald__queue *
herald__dispatch_find(struct herald__dispatch *dispatch, const struct herald_service *service);

#endif
