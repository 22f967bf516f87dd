/*
 * Operations: purging, counting, checking.
 */
#ifndef HERALD_POSTGRES_OPERATIONS_H
#define HERALD_POSTGRES_OPERATIONS_H

#include "database.h"

/* As the functions of herald_database_ops. */
enum herald_status
herald__postgres_purge_find(struct herald_session *base, const struct herald_purge_filter *filter,
			    uint64_t after_id, size_t max, uint64_t *ids, size_t *count,
			    struct herald_error *error);
enum herald_status
herald__postgres_purge(struct herald_session *base, const struct herald_purge_filter *filter,
		       const uint64_t *ids, size_t ids_count, uint64_t *count,
		       struct herald_error *error);
enum herald_status herald__postgres_pending_most(struct herald_session *session, uint64_t *count,
						 struct herald_error *error);
enum herald_status
herald__postgres_pending(struct herald_session *base, const struct herald_purge_filter *filter,
			 uint64_t *count, struct herald_error *error);
enum herald_status
herald__postgres_counts(struct herald_session *base, int64_t now_ms, herald_count_visitor *visit,
			void *state, struct herald_error *error);
enum herald_status
herald__postgres_check(struct herald_session *base, int64_t now_ms, herald_finding_visitor *visit,
		       void *state, struct herald_error *error);

#endif
