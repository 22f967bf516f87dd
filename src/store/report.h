/*
 * Counts and logs how runs ended.
 */
#ifndef HERALD_SRC_STORE_REPORT_H
#define HERALD_SRC_STORE_REPORT_H

#include <stdbool.h>

#include <herald/status.h>

#include "store/job.h"

struct herald_store;

/* The end of a job's run is stored, or its lease was lost. */
void herald__report_end(struct herald_store *store, const struct herald__job *job, bool is_lost);

/* The database has refused it for good: the event stays with this process until that ends. */
void herald__report_refused(struct herald_store *store, const struct herald__job *job,
			    const struct herald_error *error);

#endif
