/*
 * Operations on dead letters.
 */
#ifndef HERALD_SQLITE_DEAD_LETTERS_H
#define HERALD_SQLITE_DEAD_LETTERS_H

#include "shared.h"

enum herald_status
herald__sqlite_dead_visit(struct herald_session *session, const struct herald_dead_filter *filter,
			  herald_dead_visitor *visit, void *state, struct herald_error *error);
enum herald_status
herald__sqlite_dead_replay(struct herald_session *session, const struct herald_dead_filter *filter,
			   size_t max, int64_t now_ms, uint64_t *count, struct herald_error *error);
enum herald_status
herald__sqlite_dead_drop(struct herald_session *session, const struct herald_dead_filter *filter,
			 size_t max, uint64_t *count, struct herald_error *error);
enum herald_status herald__sqlite_dead_since(struct herald_session *session, int64_t since_ms,
					     bool *is_there, struct herald_error *error);
enum herald_status herald__sqlite_dead_surplus(struct herald_session *session, uint64_t keep,
					       struct herald_dead_place *last, bool *is_any,
					       struct herald_error *error);
enum herald_status
herald__sqlite_dead_trim(struct herald_session *session, const struct herald_dead_place *last,
			 size_t max, uint64_t *count, struct herald_error *error);

#endif
