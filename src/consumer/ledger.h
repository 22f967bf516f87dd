/*
 * The in-flight file of a consumer: what the process has received, and what of it runs. It is
 * mapped into memory, so that it survives the process without any system call, but not the machine.
 * A broker counts deliveries; the file tells which of them were runs, and which run may have killed
 * the process.
 *
 * The consumers of one source on one machine have a file each, with a number. Each also reads the
 * files of dead consumers. A file that they share has notes of messages that come again; see
 * history.h.
 */
#ifndef HERALD_SRC_CONSUMER_LEDGER_H
#define HERALD_SRC_CONSUMER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

#include "consumer/held.h"
#include "consumer/history.h"

struct herald__ledger_map;

struct herald__ledger {
	struct herald__ledger_map *map; /* NULL: there is no file */
	size_t bytes;
	size_t places;
	int fd;          /* has the lock; with a map only */
	unsigned number; /* of the file */
	uint32_t next_place;
	/* Places of messages that are done, and of which the broker may not know: by order. */
	uint32_t done_first, done_last; /* numbers from 1; 0: none */
	size_t done_count;
	char stem[256];   /* of the files' paths, without the number */
	uint64_t read_ms; /* when the files of others were read last */
	bool counts_late; /* as in struct herald_subscriber_ops; set after open() */
	struct herald__history history;
};

/* Create the file, and read the files of dead processes. `source` names what is consumed, by which
 * group. Without a file, HERALD_SYSTEM; the ledger is then empty and can be used. */
enum herald_status
herald__ledger_open(struct herald__ledger *ledger, const char *folder, const char *source,
		    size_t places, const struct herald__delivery_clock *clock,
		    struct herald_error *error);
/* The end is in order: what the file knows of messages that come again is noted, and it is
 * deleted. */
void herald__ledger_close(struct herald__ledger *ledger);

/* The consumer's thread. */

/* A message has come: sets its earlier runs, how many of them are only deliveries, and how often it
 * was interrupted. If it may have been delivered before, the files of processes that have died
 * since are read, but not all the time. */
void
herald__ledger_receive(struct herald__ledger *ledger, struct herald__held *held, uint64_t now_ms);
/* A message was settled, as its kind says, or it was lost. It is the subscriber's again. */
void herald__ledger_settle(struct herald__ledger *ledger, const struct herald__held *held,
			   const struct herald_subscriber_ops *ops);
/* The broker knows of all ends but the last `unsettled`. */
void herald__ledger_confirm(struct herald__ledger *ledger, size_t unsettled);
/* The connection has ended: the broker may have counted deliveries that were not received. */
void herald__ledger_break(struct herald__ledger *ledger);
/* The connection is lost: messages that are done may come again. */
void herald__ledger_lose_done(struct herald__ledger *ledger);

/* A message was released that was not even received. */
void herald__ledger_refuse(struct herald__ledger *ledger, const struct herald_received *message,
			   const struct herald_subscriber_ops *ops);
/* It is lost: the broker delivers it again, perhaps before its end. */
void herald__ledger_lose(struct herald__ledger *ledger, const struct herald__held *held);

/* Its lane's thread: it runs, or has run. Returns false if it is lost, and so must not run. */
bool herald__ledger_begin(struct herald__ledger *ledger, const struct herald__held *held);
void herald__ledger_end(struct herald__ledger *ledger, const struct herald__held *held);

#endif
