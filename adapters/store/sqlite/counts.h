/*
 * Counting rows by queue, state and type; see herald_database_ops::counts().
 */
#ifndef HERALD_SQLITE_COUNTS_H
#define HERALD_SQLITE_COUNTS_H

#include "shared.h"

enum herald_status
herald__sqlite_counts(struct herald_session *session, int64_t now_ms, herald_count_visitor *visit,
		      void *state, struct herald_error *error);

#endif
