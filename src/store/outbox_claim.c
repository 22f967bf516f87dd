/*
 * Claiming deliveries ahead, and making the records that a deliverer gets.
 */
#include "store/outbox_claim.h"

#include <stdio.h>

#include <herald/adapter/memory.h>

#include "store/delivery_record.h"
#include "store/outbox_queue.h"
#include "store/state.h"

static struct herald__outbox_entry *
new_entry(struct herald__outbox_queue *queue, const struct herald_stored_delivery *stored)
{
	struct herald__outbox_entry *entry =
		herald_memory_allocate(&queue->store->settings.allocator, sizeof(*entry));
	const char *headers[HERALD__MAX_HEADERS];
	struct herald_delivery_record record = {
		.key = (uintptr_t)entry,
		/* The store counts the attempt that has not begun yet. */
		.attempts = stored->attempts - 1,
		.last_http_status = stored->last_http_status,
		.created_ms = stored->created_ms,
		.due_ms = stored->due_ms,
		.expires_ms = stored->expires_ms,
	};
	struct herald_error error;

	if (!entry)
		return NULL;
	if (herald__delivery_record_read(stored->record, headers, &record.delivery, &error) !=
	    HERALD_OK)
		record.refusal = error.message;
	record.delivery.url = stored->url;
	record.delivery.id = stored->delivery_id;
	record.delivery.event_type = stored->event_type;
	record.delivery.event_id = stored->event_id;
	entry->is_sent = entry->may_be_stored = false;
	entry->bytes = stored->record.bytes;
	entry->end = (struct herald_delivery_completion){
		.id = stored->id,
		.owner = queue->claim.owner,
		.attempts = stored->attempts,
		.replays = stored->replays,
		.reason = entry->reason,
	};
	entry->record = herald_delivery_record_create(&queue->base, &record);
	if (entry->record)
		return entry;
	herald__outbox_free_entry(queue, entry);
	return NULL;
}

/* A delivery whose origin has enough goes back as it was, but is due later: then the next claim
 * does not have to pass over it. */
static struct herald__outbox_entry *
put_off(struct herald__outbox_queue *queue, const struct herald_stored_delivery *stored,
	uint32_t delay_ms)
{
	struct herald__outbox_entry *entry =
		herald_memory_allocate(&queue->store->settings.allocator, sizeof(*entry));

	if (!entry)
		return NULL;
	if (delay_ms > queue->settings.max_delay_ms)
		delay_ms = (uint32_t)queue->settings.max_delay_ms;
	*entry = (struct herald__outbox_entry){
		.end =
			{
				.id = stored->id,
				.owner = queue->claim.owner,
				.attempts = stored->attempts,
				.replays = stored->replays,
				.kind = HERALD_COMPLETE_RETRY,
				.new_attempts = stored->attempts - 1,
				.now_ms = queue->claim.now_ms,
				.due_ms = queue->claim.now_ms + delay_ms,
				.expires_ms = stored->expires_ms,
				.http_status = stored->last_http_status,
			},
	};
	snprintf(entry->reason, sizeof(entry->reason), "%s", stored->last_error);
	entry->end.reason = entry->reason;
	return entry;
}

/* The herald_stored_delivery_visitor callback. */
static bool
keep_claimed(const struct herald_stored_delivery *stored, void *state)
{
	struct herald__outbox_queue *queue = state;
	struct herald__outbox_entry *entry = NULL;
	uint32_t delay_ms;

	pthread_mutex_lock(&queue->mutex);
	struct herald__outbox_origin *origin =
		herald__outbox_origin_take(queue, stored->origin, &delay_ms);
	pthread_mutex_unlock(&queue->mutex);
	if (origin)
		entry = new_entry(queue, stored);
	else if (delay_ms > 0)
		entry = put_off(queue, stored, delay_ms);
	if (entry) {
		entry->origin = origin;
		herald__entry_list_add(origin ? &queue->claim.entries : &queue->claim.put_off,
				       entry);
		return true;
	}
	pthread_mutex_lock(&queue->mutex);
	herald__outbox_origin_release(queue, origin);
	pthread_mutex_unlock(&queue->mutex);
	queue->claim.is_short = true;
	return false;
}

/* Without the mutex. */
static void
drop_claimed(struct herald__outbox_queue *queue)
{
	struct herald__outbox_entry *entry;

	while ((entry = herald__entry_list_take(&queue->claim.entries))) {
		pthread_mutex_lock(&queue->mutex);
		herald__outbox_origin_release(queue, entry->origin);
		pthread_mutex_unlock(&queue->mutex);
		herald_delivery_record_destroy(&queue->base, entry->record);
		herald__outbox_free_entry(queue, entry);
	}
	while ((entry = herald__entry_list_take(&queue->claim.put_off)))
		herald__outbox_free_entry(queue, entry);
}

/* The herald__task.run callback. */
static enum herald_status
claim_run(struct herald__task *task, struct herald_session *session, int64_t now_ms,
	  struct herald_error *error)
{
	struct herald__outbox_claim *claim = (struct herald__outbox_claim *)task;
	struct herald__outbox_queue *queue =
		(struct herald__outbox_queue *)((char *)claim -
						offsetof(struct herald__outbox_queue, claim));
	const struct herald_database_ops *ops = queue->store->database->ops;

	(void)now_ms;
	drop_claimed(queue);
	claim->is_short = claim->is_put_off = false;
	claim->number++;
	claim->owner = herald__dispatch_lease(queue->store);
	if (claim->owner == 0)
		return HERALD_OK;
	/* Not an earlier time: what was rescheduled since then could be too far ahead of it. Not a
	 * later one either: what ended meanwhile is not stored yet, and could be due before. */
	pthread_mutex_lock(&queue->mutex);
	claim->now_ms = queue->ended.first ? queue->filled_ms : queue->now_ms;
	/* As for events: see may_claim() in committer.c. */
	claim->is_put_off = queue->unknown_ends > 0;
	pthread_mutex_unlock(&queue->mutex);
	if (claim->is_put_off)
		return HERALD_OK;

	const struct herald_delivery_claim request = {
		.owner = claim->owner,
		.now_ms = claim->now_ms,
		.max_deliveries = claim->count,
		.max_bytes = claim->bytes,
		.max_delay_ms = (int64_t)queue->settings.max_delay_ms,
	};
	queue->store->committer.asked_for = claim->owner;
	return ops->delivery_claim(session, &request, keep_claimed, queue, &claim->next_ms, error);
}

/* The transaction is committed. */
static void
settle_claim(struct herald__outbox_queue *queue)
{
	struct herald__outbox_claim *claim = &queue->claim;
	struct herald__outbox_entry *entry;

	while ((entry = herald__entry_list_take(&claim->entries))) {
		herald__outbox_own(queue, entry);
		herald__entry_list_add(&queue->ahead, entry);
	}
	while ((entry = herald__entry_list_take(&claim->put_off))) {
		herald__outbox_own(queue, entry);
		herald__outbox_end(queue, entry);
	}
	if (claim->is_short)
		herald__outbox_doubt(queue);
	/* Without memory or a lease it is tried again at the next look, not at once. */
	queue->is_failing = claim->owner == 0 || claim->is_short;
	if (!queue->is_failing && !claim->is_put_off && claim->news == queue->news) {
		queue->is_known = true;
		queue->known_ms = claim->now_ms;
		queue->next_ms = claim->next_ms;
	}
	if (!queue->is_failing || queue->ahead.first)
		herald__outbox_wake(queue);
}

/* The herald__task.done callback. */
static bool
claim_done(struct herald__task *task, enum herald_status status)
{
	struct herald__outbox_claim *claim = (struct herald__outbox_claim *)task;
	struct herald__outbox_queue *queue =
		(struct herald__outbox_queue *)((char *)claim -
						offsetof(struct herald__outbox_queue, claim));
	bool is_again = false;

	if (status != HERALD_OK)
		drop_claimed(queue);
	pthread_mutex_lock(&queue->mutex);
	queue->is_failing = status != HERALD_OK;
	if (status == HERALD_OK)
		settle_claim(queue);
	else if (herald_status_may_retry(status))
		is_again = status != HERALD_STORE_FAILED && !queue->is_closing;
	/* A transaction of its own may have taken place although it failed. */
	if (status == HERALD_UNKNOWN_OUTCOME ||
	    (status != HERALD_OK && queue->store->database->ops->claims_apart))
		herald__outbox_doubt(queue);
	queue->is_claiming = is_again;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
	return is_again;
}

void
herald__outbox_claim_init(struct herald__outbox_queue *queue)
{
	queue->claim.task =
		(struct herald__task){.run = claim_run, .done = claim_done, .is_apart = true};
}
