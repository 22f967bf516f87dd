/*
 * The counts of a deliverer. They are consistent at any moment, although a delivery may end before
 * push() returns on the thread that submits it. Takes no lock.
 */
#include "delivery/counts.h"

bool
herald__counts_have_place(const struct herald__counts *counts,
			  const struct herald_deliverer_options *options)
{
	return counts->all.pending - counts->stored_pending + counts->all.reserved <
	       options->max_pending;
}

bool
herald__counts_have_room(const struct herald__counts *counts,
			 const struct herald_deliverer_options *options, size_t content_bytes)
{
	return content_bytes <= options->max_pending_bytes -
					(counts->all.content_bytes - counts->stored_content_bytes);
}

void
herald__counts_reserve(struct herald__counts *counts, size_t content_bytes)
{
	counts->all.reserved++;
	counts->all.content_bytes += content_bytes;
}

void
herald__counts_unreserve(struct herald__counts *counts, size_t content_bytes)
{
	counts->all.reserved--;
	counts->all.content_bytes -= content_bytes;
}

static void
count_accepted(struct herald__counts *counts)
{
	counts->all.reserved--;
	counts->all.accepted++;
	counts->all.pending++;
}

void
herald__counts_push_begin(struct herald__counts *counts)
{
	counts->pushing++;
}

void
herald__counts_push_end(struct herald__counts *counts, bool is_accepted, size_t content_bytes)
{
	counts->pushing--;
	if (!is_accepted) {
		herald__counts_unreserve(counts, content_bytes);
		counts->all.refused++;
	} else if (counts->accepted_early > 0) {
		counts->accepted_early--;
	} else {
		count_accepted(counts);
	}
}

void
herald__counts_resume(struct herald__counts *counts, struct herald__queued *item)
{
	item->is_counted = true;
	counts->all.resumed++;
	counts->all.pending++;
	counts->all.content_bytes += item->content_room;
	counts->stored_pending++;
	counts->stored_content_bytes += item->content_room;
}

static void
leave(struct herald__counts *counts, const struct herald__queued *item)
{
	/* It may still be in push(). Count it as accepted; the sums are right in any case. */
	if (!item->is_resumed && counts->all.pending == counts->stored_pending) {
		count_accepted(counts);
		counts->accepted_early++;
	}
	counts->all.pending--;
	counts->all.content_bytes -= item->content_room;
	if (item->is_resumed) {
		counts->stored_pending--;
		counts->stored_content_bytes -= item->content_room;
	}
}

void
herald__counts_end(struct herald__counts *counts, const struct herald__queued *item,
		   enum herald_delivery_outcome outcome)
{
	leave(counts, item);
	if (outcome == HERALD_DELIVERY_DELIVERED)
		counts->all.delivered++;
	else if (outcome == HERALD_DELIVERY_FAILED)
		counts->all.failed++;
	else
		counts->all.left++;
}

void
herald__counts_store(struct herald__counts *counts, const struct herald__queued *item)
{
	if (!item->is_counted)
		return;
	leave(counts, item);
	counts->all.stored++;
}
