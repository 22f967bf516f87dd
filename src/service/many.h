/*
 * Handling several events that came together. Private.
 */
#ifndef HERALD_SRC_SERVICE_MANY_H
#define HERALD_SRC_SERVICE_MANY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/format.h>
#include <herald/many.h>
#include <herald/service.h>

/* One of several events, and what has become of it. */
struct herald__settled {
	size_t index;
	size_t line; /* 0: not in a line */
	/* Its bytes have been changed. NULL: it was given up for lack of memory. */
	const struct herald_member *member;
	struct herald_context *ctx; /* NULL likewise */
	const struct herald_result *result;
};

struct herald__stored_member;

struct herald__many {
	/* Set by the caller before herald__many_begin(). */
	struct herald_service *service;
	/* What it points to lives until the end. The content type is the one of each member. */
	struct herald_arrival arrival;
	bool are_members; /* `receive` has run for all of them */
	/* Without a store: of the events, one after the other. The caller resets it after the last
	 * one. */
	struct herald_context *ctx;
	/* Takes the results in order: without a store from herald__many_take(), with one from
	 * herald__many_end(), and from herald__many_take() if it may wait. */
	void (*settled)(const struct herald__settled *event, void *state);
	void *state;
	/* herald__many_take() may wait for the store if there is no memory left, and
	 * herald__many_commit() waits. */
	bool may_wait;
	/* Unless it may wait: called once when the store has all events, on any thread; see
	 * herald__many_commit(). */
	void (*done)(void *state);
	void *done_state;

	struct herald_arrival given; /* `arrival`, before attributes of one event are left out */

	size_t line;  /* of the event that is taken next; set by who splits */
	size_t count; /* events that were taken */
	/* Without a store: when the last event ended, and the next one begins. */
	uint64_t now_ns;

	/* With a store. */
	atomic_size_t pending; /* events that the store has, and one until all have been begun */
	struct herald__stored_member *first, **last;
	size_t group_count;
	size_t left_bytes; /* of what the events share; once it is 0, no other event is begun */
	bool lacks_memory; /* for an event, and then for all after it */
};

void herald__many_begin(struct herald__many *many);

/* The herald_member_visitor: handle an event, or hand it to the store. `many` is its state. */
void herald__many_take(const struct herald_member *member, void *many);

/*
 * All events have been taken.
 *
 * Returns  true: call herald__many_end(). False: `done` will be called, or has been called; then
 *          call herald__many_end(). Until then `many` belongs to the store.
 */
bool herald__many_commit(struct herald__many *many);

/* The results of events that the store has. */
void herald__many_end(struct herald__many *many);

#endif
