/*
 * The entries of the outbox's queue, and when the committer is asked to store or to claim.
 */
#include "store/outbox_queue.h"

#include <herald/adapter/memory.h>

#include "store/dispatch_arrive.h"
#include "store/state.h"

#define WORTH_A_CLAIM 64

/* Entries. */

void
herald__outbox_own(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry)
{
	entry->newer = NULL;
	entry->older = queue->newest;
	if (queue->newest)
		queue->newest->newer = entry;
	queue->newest = entry;
	queue->count++;
	queue->bytes += entry->bytes;
}

void
herald__outbox_disown(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		queue->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	queue->count--;
	queue->bytes -= entry->bytes;
	queue->unknown_ends -= entry->may_be_stored;
	herald__outbox_origin_release(queue, entry->origin);
	entry->origin = NULL;
}

void
herald__outbox_free_entry(const struct herald__outbox_queue *queue,
			  struct herald__outbox_entry *entry)
{
	if (entry->is_sent)
		herald__in_flight_sent(&queue->store->node.in_flight, entry->place,
				       entry->end.owner, entry->end.id);
	herald_memory_release(&queue->store->settings.allocator, entry, sizeof(*entry));
}

void
herald__outbox_leave(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry)
{
	herald__outbox_disown(queue, entry);
	entry->is_sent = false; /* its place in the in-flight file stays */
	herald__outbox_free_entry(queue, entry);
}

struct herald__outbox_entry *
herald__outbox_entry_of(const struct herald_delivery_record *record)
{
	return (struct herald__outbox_entry *)(uintptr_t)record->key;
}

/* Tasks. */

void
herald__outbox_start_writing(struct herald__outbox_queue *queue)
{
	if (queue->is_writing)
		return;
	queue->is_writing = true;
	herald__dispatch_submit(queue->store, &queue->write.task);
}

void
herald__outbox_doubt(struct herald__outbox_queue *queue)
{
	queue->doubts++;
	herald__outbox_start_writing(queue);
}

void
herald__outbox_end(struct herald__outbox_queue *queue, struct herald__outbox_entry *entry)
{
	herald__entry_list_add(&queue->ended, entry);
	herald__outbox_start_writing(queue);
}

size_t
herald__outbox_room(const struct herald__outbox_queue *queue)
{
	const struct herald_delivery_queue_settings *settings = &queue->settings;
	size_t count =
		queue->count < settings->max_claimed ? settings->max_claimed - queue->count : 0;

	const size_t quarter = (settings->max_claimed + 3) / 4;

	/* Silent receivers may have all but the rest of it. */
	if (queue->bytes >= settings->max_claimed_bytes ||
	    count < (quarter < WORTH_A_CLAIM ? quarter : WORTH_A_CLAIM))
		return 0;
	return count;
}

void
herald__outbox_start_claiming(struct herald__outbox_queue *queue)
{
	const size_t max_batch = queue->store->settings.options.max_batch;
	const size_t count = herald__outbox_room(queue);

	if (queue->is_claiming || queue->is_closing)
		return;
	queue->lacks_room = count == 0;
	if (count == 0)
		return;
	queue->is_claiming = true;
	queue->claim.count = count < max_batch ? count : max_batch;
	queue->claim.bytes = queue->settings.max_claimed_bytes - queue->bytes;
	queue->claim.news = queue->news;
	herald__dispatch_submit(queue->store, &queue->claim.task);
}

void
herald__outbox_wake(struct herald__outbox_queue *queue)
{
	if (!queue->is_closing)
		herald_delivery_queue_wake(&queue->base);
}

void
herald__outbox_forget_due(struct herald__outbox_queue *queue)
{
	queue->news++;
	queue->is_known = false;
}
