/*
 * Ending runs.
 */
#ifndef HERALD_POSTGRES_COMPLETE_H
#define HERALD_POSTGRES_COMPLETE_H

#include "database.h"

/* As complete() of herald_database_ops. */
enum herald_status
herald__postgres_complete(struct herald_session *base, struct herald_completion *completions,
			  size_t count, struct herald_error *error);

#endif
