/*
 * What is in the database, counted in the background for herald_store_backlog_read(). Nothing is
 * counted before a call of it, and ten minutes after the last one.
 */
#ifndef HERALD_SRC_STORE_BACKLOG_H
#define HERALD_SRC_STORE_BACKLOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <herald/adapter/database.h>
#include <herald/store.h>

struct herald__backlog {
	/* Until when it is counted, by the monotonic clock: for a while after each question. */
	atomic_uint_fast64_t wanted_until_ms;
	uint64_t count_at_ms; /* used on the thread for upkeep */
	pthread_mutex_t mutex;
	struct herald_store_backlog last; /* protected by the mutex */
};

/* Initialise zeroed memory. Returns false if the operating system has no mutex. */
bool herald__backlog_init(struct herald__backlog *backlog);
void herald__backlog_finish(struct herald__backlog *backlog);

/* How long to pause after a count, so that counting takes at most a hundredth of the time; a minute
 * at most if it has failed, as it may have waited for a lock, and its numbers are missing. */
uint64_t herald__backlog_pause_ms(uint64_t took_ms, enum herald_status status);

/* Count if it is due and wanted. Returns when it is due next, by the monotonic clock; UINT64_MAX if
 * it is not wanted. On the thread for upkeep, with its session. */
uint64_t herald__backlog_step(struct herald_store *store, struct herald_session *session);

#endif
