/*
 * The counts of a deliverer. The caller of all functions must hold the deliverer's mutex.
 */
#ifndef HERALD_SRC_DELIVERY_COUNTS_H
#define HERALD_SRC_DELIVERY_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/delivery.h>

#include "delivery/item.h"

struct herald__counts {
	struct herald_delivery_statistics all;
	size_t stored_pending;       /* resumed ones among the pending, which have no place */
	size_t stored_content_bytes; /* their content */
	size_t pushing;              /* threads in the queue's push() */
	size_t accepted_early;       /* those among them that are already counted as accepted */
};

/* Whether there is a place for one more delivery, and room for its content. */
bool herald__counts_have_place(const struct herald__counts *counts,
			       const struct herald_deliverer_options *options);
bool herald__counts_have_room(const struct herald__counts *counts,
			      const struct herald_deliverer_options *options, size_t content_bytes);

void herald__counts_reserve(struct herald__counts *counts, size_t content_bytes);
void herald__counts_unreserve(struct herald__counts *counts, size_t content_bytes);

/* A reserved delivery is being pushed. The queue may return it before push() has ended. */
void herald__counts_push_begin(struct herald__counts *counts);
void herald__counts_push_end(struct herald__counts *counts, bool is_accepted, size_t content_bytes);

/* A record of a store is pending from now on. */
void herald__counts_resume(struct herald__counts *counts, struct herald__queued *item);

/* A delivery is no longer pending: it has ended, or is stored. */
void herald__counts_end(struct herald__counts *counts, const struct herald__queued *item,
			enum herald_delivery_outcome outcome);
void herald__counts_store(struct herald__counts *counts, const struct herald__queued *item);

#endif
