/*
 * Claiming events.
 */
#ifndef HERALD_POSTGRES_CLAIM_H
#define HERALD_POSTGRES_CLAIM_H

#include "database.h"

/* As the functions of herald_database_ops. */
enum herald_status
herald__postgres_claim(struct herald_session *base, const struct herald_claim *claim,
		       herald_stored_event_visitor *visit, void *state, int64_t *next_ms,
		       struct herald_error *error);
enum herald_status
herald__postgres_owned(struct herald_session *base, uint64_t owner,
		       herald_stored_event_visitor *visit, void *state, struct herald_error *error);

#endif
