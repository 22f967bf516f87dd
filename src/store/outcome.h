/*
 * The outcome of an event after a run: done, another run later, or a dead letter.
 */
#ifndef HERALD_SRC_STORE_OUTCOME_H
#define HERALD_SRC_STORE_OUTCOME_H

#include <stdbool.h>

#include <herald/context.h>
#include <herald/status.h>

#include "store/job.h"

struct herald_store;

/* Set the end of a job from the result of its run. `is_exhausted`: it failed because it was the
 * last attempt. Any thread. */
void herald__outcome_set(struct herald_store *store, struct herald__job *job,
			 const struct herald_result *result, bool is_exhausted);

/* Why an event is a dead letter although it has not run. */
struct herald__death {
	enum herald_dead_reason why;
	struct herald_error error;
};

/* Whether a job must not run, because its attempts are used up. */
bool herald__outcome_is_due(const struct herald_store *store, const struct herald__job *job,
			    struct herald__death *death);
/* Its handlers were told. */
void herald__outcome_bury(struct herald_store *store, struct herald__job *job,
			  const struct herald__death *death);
/* They could not be told yet: the claim does not count, and why it has failed before is kept. */
void herald__outcome_put_off(const struct herald_store *store, struct herald__job *job);

/*
 * The database refuses the end of a job for good, such as a row that is too large. Set a smaller
 * end, with the database's reason. Only a dead letter keeps what was published. Returns false if
 * all were tried.
 */
bool herald__outcome_refused(struct herald_store *store, struct herald__job *job,
			     const struct herald_error *error);

/* Run it again later. If its attempts are used up, it becomes a dead letter then. */
void herald__outcome_retry(struct herald_store *store, struct herald__job *job, uint32_t delay_ms,
			   const struct herald_error *error);

#endif
