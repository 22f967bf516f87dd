/*
 * Deliveries: pushing, claiming and completing them.
 */
#ifndef HERALD_SQLITE_DELIVERY_H
#define HERALD_SQLITE_DELIVERY_H

#include "shared.h"

enum herald_status herald__sqlite_delivery_push(struct herald_session *session,
						struct herald_stored_delivery *deliveries,
						size_t count, struct herald_error *error);
enum herald_status herald__sqlite_delivery_claim(struct herald_session *session,
						 const struct herald_delivery_claim *claim,
						 herald_stored_delivery_visitor *visit, void *state,
						 int64_t *next_ms, struct herald_error *error);
enum herald_status herald__sqlite_delivery_owned(struct herald_session *session, uint64_t owner,
						 herald_stored_delivery_visitor *visit, void *state,
						 struct herald_error *error);
enum herald_status herald__sqlite_delivery_complete(struct herald_session *session,
						    struct herald_delivery_completion *completions,
						    size_t count, struct herald_error *error);

#endif
