/*
 * Deliveries: storing, claiming and ending them.
 */
#ifndef HERALD_POSTGRES_DELIVERY_H
#define HERALD_POSTGRES_DELIVERY_H

#include "database.h"

/* As the functions of herald_database_ops. */
enum herald_status herald__postgres_delivery_push(struct herald_session *base,
						  struct herald_stored_delivery *deliveries,
						  size_t count, struct herald_error *error);
enum herald_status
herald__postgres_delivery_claim(struct herald_session *base,
				const struct herald_delivery_claim *claim,
				herald_stored_delivery_visitor *visit, void *state,
				int64_t *next_ms, struct herald_error *error);
enum herald_status herald__postgres_delivery_owned(struct herald_session *base, uint64_t owner,
						   herald_stored_delivery_visitor *visit,
						   void *state, struct herald_error *error);
enum herald_status
herald__postgres_delivery_complete(struct herald_session *base,
				   struct herald_delivery_completion *completions, size_t count,
				   struct herald_error *error);

#endif
