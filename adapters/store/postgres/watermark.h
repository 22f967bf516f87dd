/*
 * Watermarks: where a claim begins to look, in the order of (due, id). Normally that is the
 * beginning. But if a snapshot is held, by a long query or a backup, rows that are done stay as
 * dead versions, and each claim reads all of them again before it finds one that is READY. When
 * this has become costly, a claim begins where the last one ended.
 *
 * This place is an assumption, and so it goes back:
 *
 *	- at once, to the due time of what a transaction of this process made READY, or of what
 *	  another process says by NOTIFY;
 *	- to the beginning, by a full scan: after a claim that found less than it asked for, and
 *	  every second otherwise. So rows are found that others made READY with an older due time,
 *	  or that others had locked and have given back. Full scans cost a tenth of the time at
 *	  most.
 *
 * It never comes closer to the present than SLACK_MS, because transactions end in another order
 * than their events are due. When a full scan is cheap again, all scans are full ones.
 */
#ifndef HERALD_POSTGRES_WATERMARK_H
#define HERALD_POSTGRES_WATERMARK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/status.h>

/* A place in the order of (due, id). */
struct postgres_place {
	int64_t due_ms;
	int64_t id;
};

#define POSTGRES_BEGINNING ((struct postgres_place){INT64_MIN, 0})

struct postgres_watermark {
	struct postgres_watermark *next;
	struct postgres_place place;
	uint64_t changes;     /* how often it went back */
	bool is_costly;       /* to look from the beginning */
	int64_t full_scan_ms; /* when the last full scan ended, by the monotonic clock */
	int64_t full_scan_cost_ms;
	bool was_short; /* the last claim found less than it asked for */
	bool is_delivery;
	char queue[64];
};

/* All of a store, by queue. */
struct postgres_watermarks {
	pthread_mutex_t mutex;
	struct herald_allocator allocator;
	struct postgres_watermark *first;
};

int herald__postgres_watermarks_init(struct postgres_watermarks *watermarks,
				     const struct herald_allocator *allocator);
void herald__postgres_watermarks_finish(struct postgres_watermarks *watermarks);

/* A scan for READY rows, from begin to end. */
struct postgres_scan {
	struct postgres_watermark *watermark;
	struct postgres_place from;
	bool is_full;
	uint64_t changes;
};

/* Begin a scan of a queue, or of the deliveries (NULL). `must_be_full`: from the beginning. Fails
 * when out of memory. */
enum herald_status
herald__postgres_scan_begin(struct postgres_watermarks *watermarks, const char *queue,
			    bool must_be_full, struct postgres_scan *out);

/* Whether to look again from the beginning, after a scan that found nothing. */
bool herald__postgres_scan_again(struct postgres_watermarks *watermarks,
				 const struct postgres_scan *scan);

/* What a scan has found. */
struct postgres_found {
	const struct postgres_place *last; /* that was claimed; NULL: none */
	bool is_short;                     /* less than it could have claimed */
	int64_t now_ms;
	/* Of a full scan: pages of the table that were read from the beginning to the next READY
	 * row, and how long this took; -1: it was not measured. */
	int64_t pages;
	int64_t cost_ms;
};

void
herald__postgres_scan_end(struct postgres_watermarks *watermarks, const struct postgres_scan *scan,
			  const struct postgres_found *found);

/* READY rows may be due at due_ms; all queues, or deliveries. */
void herald__postgres_watermarks_lower(struct postgres_watermarks *watermarks, bool is_delivery,
				       int64_t due_ms);

#endif
