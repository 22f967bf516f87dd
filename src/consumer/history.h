/*
 * The notes of all consumers of one source on this machine, in a file that they share: how often
 * messages that come again have run, and when deliveries may have been lost.
 *
 * The file is mapped into memory. It survives processes, but not the machine.
 */
#ifndef HERALD_SRC_CONSUMER_HISTORY_H
#define HERALD_SRC_CONSUMER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

#include "base/clock.h"

struct herald__history_map;

struct herald__history {
	struct herald__history_map *map; /* NULL: there is no file */
	size_t bytes;
	int fd; /* with a map only */
	const struct herald__delivery_clock *clock;
	bool is_stuck; /* another process does not give the lock back: nothing is noted */
	char path[288];
};

/* What is known of a message. */
struct herald__account {
	uint32_t runs;    /* so far */
	uint32_t unknown; /* of these: deliveries that count as runs, as nothing else is known */
	uint32_t count;   /* the broker's count of earlier deliveries that `runs` covers */
	uint32_t interrupted; /* runs during which a process died */
};

/*
 * Open or create the file.
 *
 * path     copied.
 * notes    how many it has room for, at least; a multiple of 8.
 * clock    must outlive the history.
 * Errors   HERALD_SYSTEM.
 */
enum herald_status
herald__history_open(struct herald__history *history, const char *path, size_t notes,
		     const struct herald__delivery_clock *clock, struct herald_error *error);
/* Deletes the file if no process needs it. */
void herald__history_close(struct herald__history *history);

/* The file has a map, and one thread of the process calls these. */

/* Whether something is noted of a message, without a lock. A note that another process writes at
 * the same time may be missed. */
bool herald__history_has(const struct herald__history *history, uint64_t identity);
/* What is noted of a message, and when. Returns false if nothing is; since_ms then becomes at least
 * the time until when there may have been a note, which has made room for others. */
bool herald__history_find(struct herald__history *history, uint64_t identity,
			  struct herald__account *out, uint64_t *since_ms);
/* Note it, instead of what is noted. If there is no room, the oldest note is lost. */
void herald__history_set(struct herald__history *history, uint64_t identity,
			 const struct herald__account *account);
void herald__history_drop(struct herald__history *history, uint64_t identity);

/* A process has died, or a connection has ended: the broker may have counted deliveries that no
 * consumer has seen. Returns false if nothing can be noted now. */
bool herald__history_break(struct herald__history *history);
/* How often that has happened since then; at most 64 times. */
uint32_t herald__history_breaks(struct herald__history *history, uint64_t since_ms);

/* The highest number that a process has used, for the in-flight files. */
void herald__history_use_number(struct herald__history *history, unsigned number);
unsigned herald__history_numbers(const struct herald__history *history);

#endif
