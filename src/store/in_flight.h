/*
 * The in-flight file: what this process is doing. It is mapped into memory, so that it survives the
 * process without any system call, but not the machine. After a crash it tells which events may
 * have caused it, and which deliveries were being sent.
 *
 * An event is in the place of its worker while it runs. When it has returned, it moves to the
 * worker's ended ones, until its end is committed. Events that a worker commits itself may
 * be guilty as well as running ones; the others only if nothing runs and no worker commits. Events
 * whose end the database refuses for good stay in the file.
 *
 * A process that has lost its lease joins again as another node, with another file. What it still
 * runs for the earlier node has no name there, as its rows are not this node's; but as long as it
 * runs, others that have ended are not to blame.
 */
#ifndef HERALD_SRC_STORE_IN_FLIGHT_H
#define HERALD_SRC_STORE_IN_FLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/status.h>

/* The maximum number of workers. */
#define HERALD__IN_FLIGHT_WORKERS 1024
/* How many events of a worker are known that have ended and are not committed. The oldest ones are
 * forgotten first. */
#define HERALD__IN_FLIGHT_ENDED 64
/* How many events are known whose end the database refuses. */
#define HERALD__IN_FLIGHT_LEFT 64
/* How many deliveries are known that are being sent. */
#define HERALD__IN_FLIGHT_DELIVERIES 8192

struct herald__in_flight_map;

struct herald__in_flight {
	struct herald__in_flight_map *map; /* NULL: there is no file */
	size_t bytes;
	int fd;                 /* has the lock; with a map only */
	size_t next_place;      /* of a delivery; its deliverer's thread */
	atomic_bool has_missed; /* a delivery had no place */
};

/* Where an event that has ended, or a delivery, is in the file. */
typedef uint32_t herald__in_flight_place;

/* Create the file for a node, and lock it as long as the process lives. It takes the place of the
 * file of an earlier node; what workers run at that moment stays known, as not this node's. Errors:
 * HERALD_SYSTEM, also if another process has locked the path, whose file stays as it is; then the
 * file is still the earlier node's, if there is one. */
enum herald_status
herald__in_flight_create(struct herald__in_flight *file, const char *path, uint64_t node,
			 unsigned workers, struct herald_error *error);
/* Delete it, if it has this path; it stays mapped. */
void herald__in_flight_discard(const struct herald__in_flight *file, const char *path);
/* Unmap and unlock it; the file stays. */
void herald__in_flight_close(struct herald__in_flight *file);

/* The end is in order: events that have ended, and are not committed, are not to blame. */
void herald__in_flight_acquit(struct herald__in_flight *file);

/* Everywhere below, `owner` is the node whose row it is. */

/* A worker runs an event. */
void herald__in_flight_begin(struct herald__in_flight *file, unsigned worker, uint64_t owner,
			     uint64_t id);
/* A worker runs none, and none has ended. */
void herald__in_flight_rest(struct herald__in_flight *file, unsigned worker);
/* The event has returned. */
herald__in_flight_place
herald__in_flight_end(struct herald__in_flight *file, unsigned worker, uint64_t owner, uint64_t id);
/* A worker that runs nothing commits its last `count` events that have ended, at most
 * HERALD__IN_FLIGHT_ENDED. 0: it has. */
void herald__in_flight_commit(struct herald__in_flight *file, unsigned worker, size_t count);
/* The end of an event is stored. Any thread. */
void herald__in_flight_forget(struct herald__in_flight *file, herald__in_flight_place place,
			      uint64_t owner, uint64_t id);

/* The end of an event that has run is never stored: its row stays RUNNING until the node is
 * recovered, and then its run counts. Any thread. */
void herald__in_flight_leave(struct herald__in_flight *file, uint64_t owner, uint64_t id);
/* Whether it is one of the last HERALD__IN_FLIGHT_LEFT of these. False without a file. */
bool herald__in_flight_has_left(const struct herald__in_flight *file, uint64_t owner, uint64_t id);

/* Whether it names all of these: there is a file of this owner, and at most HERALD__IN_FLIGHT_LEFT
 * were left. */
bool herald__in_flight_names_left(const struct herald__in_flight *file, uint64_t owner);

/* An attempt of a delivery begins. */
herald__in_flight_place
herald__in_flight_send(struct herald__in_flight *file, uint64_t owner, uint64_t id);
/* Its end is stored. Any thread. Without it, the attempt counts when the node is recovered. */
void herald__in_flight_sent(struct herald__in_flight *file, herald__in_flight_place place,
			    uint64_t owner, uint64_t id);
/* Whether an attempt has begun whose end is not stored. False without a file. */
bool
herald__in_flight_is_sending(const struct herald__in_flight *file, uint64_t owner, uint64_t id);

/* Whether it names all of these, likewise. */
bool herald__in_flight_names_sent(const struct herald__in_flight *file, uint64_t owner);

/* Delete the file of a node that has ended, unless another node has taken over its name, or a
 * process has locked it: a copy of a database has the same nodes. */
void herald__in_flight_remove(const char *path, uint64_t node);

/* Whether the process that created the file lives, on this machine. Unlike a process id, which a
 * container gives to each of its processes anew, this tells them apart. */
bool herald__in_flight_is_held(const char *path);

/* What was under way. */
struct herald__in_flight_ids {
	uint64_t *ids; /* sorted */
	size_t count;
	size_t capacity;
};

/*
 * Read the file of a node that is dead: the events that may have killed it, and the deliveries that
 * were being sent.
 *
 * out     empty. On HERALD_OK it must be freed.
 * Errors  HERALD_SYSTEM, HERALD_BAD_FORMAT: it cannot be known. HERALD_NO_MEMORY.
 */
enum herald_status
herald__in_flight_read(const char *path, uint64_t node, const struct herald_allocator *allocator,
		       struct herald__in_flight_ids *out, struct herald_error *error);
void herald__in_flight_ids_free(struct herald__in_flight_ids *ids,
				const struct herald_allocator *allocator);

#endif
