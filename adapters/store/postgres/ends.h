/*
 * Ends of runs and of attempts: what completions of events and of deliveries have in common, sorted
 * by id, so that rows are locked in one order.
 */
#ifndef HERALD_POSTGRES_ENDS_H
#define HERALD_POSTGRES_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"

struct postgres_end {
	/* The fence. */
	uint64_t id, owner;
	unsigned attempts, replays;

	enum herald_completion_kind kind;
	bool *is_lost;          /* the completion's */
	const void *completion; /* struct herald_completion or struct herald_delivery_completion */
};

/* The end of a completion of either kind: a macro, as they have members in common, but no type. */
#define POSTGRES_END(COMPLETION)                                                                   \
	((struct postgres_end){.id = (COMPLETION)->id,                                             \
			       .owner = (COMPLETION)->owner,                                       \
			       .attempts = (COMPLETION)->attempts,                                 \
			       .replays = (COMPLETION)->replays,                                   \
			       .kind = (COMPLETION)->kind,                                         \
			       .is_lost = &(COMPLETION)->is_lost,                                  \
			       .completion = (COMPLETION)})

/* A list with room for all. */
struct postgres_ends {
	struct postgres_end *all;
	size_t count;
	size_t capacity;
};

/* Returns false when out of memory. */
bool herald__postgres_ends_init(const struct postgres_session *session, struct postgres_ends *ends,
				size_t capacity);
void
herald__postgres_ends_finish(const struct postgres_session *session, struct postgres_ends *ends);

/* Add one. It is lost until the database says that it is not. */
void herald__postgres_ends_add(struct postgres_ends *ends, const struct postgres_end *end);

/* All have been added. If a run is ended twice, the second end stays lost. */
void herald__postgres_ends_sort(struct postgres_ends *ends);

/* Which ends a statement stores. */
typedef bool postgres_end_selection(const struct postgres_end *end);
bool herald__postgres_is_done(const struct postgres_end *end);
bool herald__postgres_is_retry(const struct postgres_end *end);
bool herald__postgres_is_return(const struct postgres_end *end); /* RETRY or RELEASE */
bool herald__postgres_is_dead(const struct postgres_end *end);

#define POSTGRES_EACH_END(ENDS, SELECTS, END)                                                      \
	for (const struct postgres_end *END = (ENDS)->all; END < (ENDS)->all + (ENDS)->count;      \
	     END++)                                                                                \
		if (SELECTS(END))

/* Begin the parameters of a statement with the fence, and the place in the list: $1 to $5. Returns
 * the number of ends; 0: there is nothing to do. */
size_t
herald__postgres_put_fence(struct postgres_session *session, const struct postgres_ends *ends,
			   postgres_end_selection *selects);

/* The end of a row of the result, whose first column is the place: it is not lost. */
const struct postgres_end *
herald__postgres_end_found(const struct postgres_ends *ends, const PGresult *result, int row);

#endif
