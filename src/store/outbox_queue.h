/*
 * The state of the outbox's queue, shared by outbox.c, which a deliverer calls, and by the
 * committer's tasks in outbox_write.c and outbox_claim.c.
 */
#ifndef HERALD_SRC_STORE_OUTBOX_QUEUE_H
#define HERALD_SRC_STORE_OUTBOX_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/adapter/queue.h>

#include "base/list.h"
#include "base/safe_text.h"
#include "store/committer.h"
#include "store/in_flight.h"
#include "store/outbox_origin.h"

/* A delivery that this process has claimed. */
struct herald__outbox_entry {
	struct herald__outbox_entry *next;          /* in a list */
	struct herald__outbox_entry *newer, *older; /* all entries */
	struct herald_delivery_record *record;      /* while it is ahead */
	size_t bytes;
	struct herald__outbox_origin *origin; /* NULL: it was put off */
	bool is_sent;                  /* an attempt has begun: it is in the in-flight file */
	herald__in_flight_place place; /* there */
	bool may_be_stored;            /* its end, by a transaction whose outcome is unknown */
	struct herald_delivery_completion end; /* its first members are the fence */
	char reason[HERALD__MESSAGE_BYTES];
};

struct herald__entry_list {
	struct herald__outbox_entry *first, *last;
	size_t count;
};
HERALD__LIST(herald__entry_list, herald__outbox_entry)

/* A submission that waits for its commit, on the stack of the thread that waits. */
struct herald__outbox_push {
	struct herald__outbox_push *next;
	struct herald_stored_delivery delivery;
	enum herald_status status;
	bool is_done;
};

struct herald__push_list {
	struct herald__outbox_push *first, *last;
	size_t count;
};
HERALD__LIST(herald__push_list, herald__outbox_push)

/* What a transaction stores. Used on the committer's thread. */
struct herald__outbox_write {
	struct herald__task task;
	bool is_filled;
	uint64_t doubts; /* when it was filled; 0: nothing is to be reconciled */
	bool has_reconciled;
	bool has_more;     /* more is to be given back than a transaction takes */
	size_t one_by_one; /* the database refused a batch with so many; store each on its own */
	struct herald__push_list pushes;
	struct herald__entry_list entries;
	struct herald_stored_delivery *deliveries; /* max_batch, likewise below */
	struct herald_delivery_completion *completions;
};

/* A claim. Used on the committer's thread, except for the request. */
struct herald__outbox_claim {
	struct herald__task task;
	int64_t now_ms; /* the queue's, when it ran */
	/* The request. */
	size_t count;
	size_t bytes;
	uint64_t news;

	uint64_t owner; /* 0: the process has no lease */
	int64_t next_ms;
	bool is_short;   /* out of memory */
	bool is_put_off; /* an end whose outcome is unknown comes first */
	uint64_t number; /* from 1 */
	struct herald__entry_list entries;
	struct herald__entry_list put_off; /* their origins have enough */
};

struct herald__outbox_queue {
	struct herald_delivery_queue base;
	struct herald_store *store;
	struct herald_delivery_queue_settings settings;

	pthread_mutex_t mutex; /* protects the members below */
	pthread_cond_t changed;
	struct herald__push_list pushes;
	struct herald__entry_list ahead;
	struct herald__entry_list ended;
	struct herald__outbox_entry *newest; /* of all entries */
	size_t count;
	size_t bytes;
	size_t unknown_ends; /* entries whose end may be stored */
	struct herald__outbox_origins origins;
	bool is_writing; /* the task was submitted, likewise below */
	bool is_claiming;
	bool is_failing; /* the last transaction of a task */
	bool is_unsure;  /* the last call of claim() did not know what is due */
	/* This process may own deliveries that it does not know: see outbox_reconcile.c. Counts
	 * the reasons, as another one may come while what it owns is looked up; 0: none. */
	uint64_t doubts;
	bool leaves_rows; /* see struct herald__outbox */
	bool is_closing;
	bool lacks_room;   /* claim() would have asked for more */
	int64_t now_ms;    /* the deliverer's latest time; 0: none yet */
	int64_t filled_ms; /* the same, when the last write took what had ended */
	uint64_t news;     /* counts what may make something due earlier */
	/* What was due in the database at known_ms, by the deliverer's clock, is claimed, and
	 * nothing is due before next_ms. */
	bool is_known;
	int64_t known_ms, next_ms;

	struct herald__outbox_write write;
	struct herald__outbox_claim claim;
};

/* Entries. All functions below are called with the queue's mutex held, except for freeing. */

/* Count an entry as claimed, and no longer. */
void herald__outbox_own(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry);
void herald__outbox_disown(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry);
void herald__outbox_free_entry(const struct herald__outbox_queue *queue,
			       struct herald__outbox_entry *entry);
/* Disown and free an entry whose row stays RUNNING: if its attempt has begun, it counts when the
 * node is recovered. */
void herald__outbox_leave(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry);

/* The entry of a record that claim() has returned. */
struct herald__outbox_entry *herald__outbox_entry_of(const struct herald_delivery_record *record);

/* Have an entry stored, whose end is set. */
void herald__outbox_end(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry);

/* The tasks. They are submitted with the mutex held, so that the queue is not freed meanwhile. */

/* Store what waits, if that is not under way. */
void herald__outbox_start_writing(struct herald__outbox_queue *queue);

/* How many deliveries may be claimed; 0 if it is too few to be worth a transaction. */
size_t herald__outbox_room(const struct herald__outbox_queue *queue);

/* Claim what is due, if there is room and no claim under way. */
void herald__outbox_start_claiming(struct herald__outbox_queue *queue);

/* Something may be due earlier than is known. */
void herald__outbox_forget_due(struct herald__outbox_queue *queue);

/* This process may own deliveries that it does not know. */
void herald__outbox_doubt(struct herald__outbox_queue *queue);

/* Let the deliverer call claim(). */
void herald__outbox_wake(struct herald__outbox_queue *queue);

#endif
