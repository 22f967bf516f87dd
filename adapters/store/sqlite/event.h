/*
 * Events: accepting, claiming and completing them.
 */
#ifndef HERALD_SQLITE_EVENT_H
#define HERALD_SQLITE_EVENT_H

#include "shared.h"

enum herald_status
herald__sqlite_accept(struct herald_session *session, struct herald_stored_event *events,
		      size_t count, struct herald_error *error);
enum herald_status
herald__sqlite_claim(struct herald_session *session, const struct herald_claim *claim,
		     herald_stored_event_visitor *visit, void *state, int64_t *next_ms,
		     struct herald_error *error);
enum herald_status
herald__sqlite_complete(struct herald_session *session, struct herald_completion *completions,
			size_t count, struct herald_error *error);
enum herald_status
herald__sqlite_owned(struct herald_session *session, uint64_t owner,
		     herald_stored_event_visitor *visit, void *state, struct herald_error *error);

#endif
