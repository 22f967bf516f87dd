/*
 * Operations on events and deliveries that are not finished, and on the database as a whole.
 */
#ifndef HERALD_SQLITE_OPERATIONS_H
#define HERALD_SQLITE_OPERATIONS_H

#include "shared.h"

enum herald_status
herald__sqlite_purge_find(struct herald_session *session, const struct herald_purge_filter *filter,
			  uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
			  struct herald_error *error);
enum herald_status
herald__sqlite_purge(struct herald_session *session, const struct herald_purge_filter *filter,
		     const uint64_t *ids, size_t ids_count, uint64_t *count,
		     struct herald_error *error);
enum herald_status
herald__sqlite_pending(struct herald_session *session, const struct herald_purge_filter *filter,
		       uint64_t *count, struct herald_error *error);

#endif
