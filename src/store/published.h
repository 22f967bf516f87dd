/*
 * What an event has published, as bytes between its run and the transaction that ends it; and
 * publishing in a transaction of the user's.
 */
#ifndef HERALD_SRC_STORE_PUBLISHED_H
#define HERALD_SRC_STORE_PUBLISHED_H

#include <herald/adapter/database.h>
#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/status.h>

struct herald_delivery;
struct herald_store;
struct herald__run;

/* Append a delivery to run->published. If it has no id, it gets one from the run's. Errors as
 * herald_publish(). */
HERALD_MUST_CHECK enum herald_status
herald__published_add(struct herald_store *store, struct herald__run *run,
		      const struct herald_delivery *delivery, struct herald_error *error);

/* Store all deliveries in a transaction. Errors as delivery_push(). */
HERALD_MUST_CHECK enum herald_status
herald__published_push(struct herald_store *store, struct herald_session *session,
		       const struct herald_buffer *published, int64_t now_ms,
		       struct herald_error *error);

#endif
