/*
 * The queue between a deliverer and the database. The deliverer's thread must not wait for a
 * database, so all of that is done by two tasks of the committer:
 *
 *	outbox_write.c  stores what was submitted, and the ends of attempts
 *	outbox_claim.c  claims deliveries ahead, from which claim() takes
 *
 * A delivery that this process has claimed is ahead, held by the deliverer, ended, or being stored.
 */
#include "store/outbox.h"

#include <string.h>

#include <herald/adapter/database.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/queue.h>

#include "store/delivery_record.h"
#include "store/outbox_claim.h"
#include "store/outbox_queue.h"
#include "store/outbox_write.h"
#include "store/published.h"
#include "store/state.h"

/* The functions of the queue. */

static struct herald__outbox_queue *
queue_of(struct herald_delivery_queue *base)
{
	return (struct herald__outbox_queue *)base;
}

static enum herald_status
outbox_open(struct herald_delivery_queue *base,
	    const struct herald_delivery_queue_settings *settings, struct herald_error *error)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__outbox *outbox = &queue->store->outbox;

	(void)error;
	queue->settings = *settings;
	pthread_mutex_lock(&outbox->mutex);
	outbox->is_open = true;
	pthread_mutex_unlock(&outbox->mutex);
	return HERALD_OK;
}

static const char *
text_or_empty(const char *text)
{
	return text ? text : "";
}

static enum herald_status
push_and_wait(struct herald__outbox_queue *queue, struct herald__outbox_push *push)
{
	pthread_mutex_lock(&queue->mutex);
	/* A claim is not made for an earlier time: it would take this one before others. */
	if (push->delivery.created_ms > queue->now_ms)
		queue->now_ms = push->delivery.created_ms;
	herald__push_list_add(&queue->pushes, push);
	herald__outbox_start_writing(queue);
	while (!push->is_done)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	pthread_mutex_unlock(&queue->mutex);
	return push->status;
}

/* Within a transaction of the store, a submission is part of it, as if it were published. */
static enum herald_status
push_joined(struct herald__outbox_queue *queue, struct herald__run *run,
	    struct herald_delivery_record *record)
{
	struct herald_error error;
	enum herald_status status =
		herald__published_add(queue->store, run, &record->delivery, &error);

	if (status == HERALD_OK)
		herald_delivery_record_destroy(&queue->base, record);
	return status;
}

static enum herald_status
outbox_push(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__run *run = herald__joined_run(queue->store);
	const struct herald_delivery *delivery = &record->delivery;
	struct herald_buffer encoded;

	if (run)
		return push_joined(queue, run, record);

	herald_buffer_init(&encoded, &queue->store->settings.allocator, 0);
	enum herald_status status = herald__delivery_record_write(delivery, &encoded);
	if (status == HERALD_OK) {
		struct herald__outbox_push push = {
			.delivery = {
				.delivery_id = delivery->id,
				.url = delivery->url,
				.origin = record->origin,
				.event_type = text_or_empty(delivery->event_type),
				.event_id = text_or_empty(delivery->event_id),
				.record = {encoded.data, encoded.bytes},
				.created_ms = record->created_ms,
				.due_ms = record->due_ms,
				.expires_ms = record->expires_ms,
				.attempts = record->attempts,
				.last_http_status = record->last_http_status,
				.last_error = "",
			}};

		status = push_and_wait(queue, &push);
	}
	herald_buffer_finish(&encoded);
	if (status == HERALD_OK)
		herald_delivery_record_destroy(base, record);
	return status;
}

/* Whether nothing is due in the database. If the clock was set back, it has to be asked. */
static bool
knows_nothing_due(const struct herald__outbox_queue *queue, int64_t now_ms)
{
	return queue->is_known && now_ms >= queue->known_ms && now_ms < queue->next_ms;
}

static void
tell_time(struct herald__outbox_queue *queue, const struct herald_delivery_time *now)
{
	queue->now_ms = now->wall_ms;
	if (queue->filled_ms == 0)
		queue->filled_ms = now->wall_ms;
}

static struct herald_delivery_record *
outbox_claim(struct herald_delivery_queue *base, const struct herald_delivery_time *now,
	     uint64_t *wait_ms)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald_delivery_record *record = NULL;

	pthread_mutex_lock(&queue->mutex);
	tell_time(queue, now);
	struct herald__outbox_entry *entry = herald__entry_list_take(&queue->ahead);
	if (entry) {
		record = entry->record;
		entry->record = NULL;
	}
	queue->is_unsure = !record && !knows_nothing_due(queue, now->wall_ms);
	if (queue->ahead.first) {
		/* There is more. */
	} else if (!knows_nothing_due(queue, now->wall_ms)) {
		/* The deliverer is woken as soon as it is known. */
		herald__outbox_start_claiming(queue);
		*wait_ms = UINT64_MAX;
	} else {
		*wait_ms = queue->next_ms == INT64_MAX ? UINT64_MAX
						       : (uint64_t)(queue->next_ms - now->wall_ms);
	}
	pthread_mutex_unlock(&queue->mutex);
	return record;
}

static bool
outbox_begin(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__outbox_entry *entry = herald__outbox_entry_of(record);

	if (herald__dispatch_lease(queue->store) == entry->end.owner) {
		entry->place = herald__in_flight_send(&queue->store->node.in_flight,
						      entry->end.owner, entry->end.id);
		entry->is_sent = true;
		return true;
	}
	/* It has not begun: it goes back, if it still is this node's. */
	entry->end.kind = HERALD_COMPLETE_RELEASE;
	pthread_mutex_lock(&queue->mutex);
	herald__outbox_end(queue, entry);
	pthread_mutex_unlock(&queue->mutex);
	return false;
}

static void
set_reason(struct herald__outbox_entry *entry, const struct herald_delivery_report *report)
{
	herald__text_line(entry->reason, sizeof(entry->reason), report->error,
			  strlen(report->error), false);
	entry->end.http_status = report->http_status;
}

static void
outbox_reschedule(struct herald_delivery_queue *base, struct herald_delivery_record *record,
		  const struct herald_delivery_time *now, uint64_t delay_ms,
		  const struct herald_delivery_report *report)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__outbox_entry *entry = herald__outbox_entry_of(record);

	(void)delay_ms;
	set_reason(entry, report);
	entry->end.kind = HERALD_COMPLETE_RETRY;
	entry->end.new_attempts = record->attempts;
	entry->end.http_status = record->last_http_status;
	entry->end.now_ms = now->wall_ms;
	entry->end.due_ms = record->due_ms;
	entry->end.expires_ms = record->expires_ms;
	pthread_mutex_lock(&queue->mutex);
	tell_time(queue, now);
	herald__outbox_forget_due(queue);
	herald__outbox_end(queue, entry);
	pthread_mutex_unlock(&queue->mutex);
	herald_delivery_record_destroy(base, record);
}

static enum herald_dead_reason
dead_reason_of(enum herald_delivery_failure failure)
{
	switch (failure) {
	case HERALD_DELIVERY_EXHAUSTED:
		return HERALD_DEAD_ATTEMPTS;
	case HERALD_DELIVERY_EXPIRED:
		return HERALD_DEAD_EXPIRED;
	default:
		return HERALD_DEAD_REFUSED;
	}
}

static void
outbox_complete(struct herald_delivery_queue *base, const struct herald_delivery_record *record,
		const struct herald_delivery_report *report)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__outbox_entry *entry = herald__outbox_entry_of(record);

	set_reason(entry, report);
	if (report->outcome == HERALD_DELIVERY_DELIVERED) {
		entry->end.kind = HERALD_COMPLETE_DONE;
	} else {
		entry->end.kind = HERALD_COMPLETE_DEAD;
		entry->end.new_attempts = record->attempts;
		entry->end.why = dead_reason_of(report->failure);
	}
	pthread_mutex_lock(&queue->mutex);
	herald__outbox_end(queue, entry);
	pthread_mutex_unlock(&queue->mutex);
}

static struct herald_store *
outbox_store(const struct herald_delivery_queue *base)
{
	return ((const struct herald__outbox_queue *)base)->store;
}

/* Ending. */

/* Give back what was claimed ahead. */
static void
release_ahead(struct herald__outbox_queue *queue)
{
	struct herald__outbox_entry *entry;

	while ((entry = herald__entry_list_take(&queue->ahead))) {
		herald_delivery_record_destroy(&queue->base, entry->record);
		entry->end.kind = HERALD_COMPLETE_RELEASE;
		herald__outbox_end(queue, entry);
	}
}

static void
free_queue(struct herald__outbox_queue *queue)
{
	const struct herald_allocator *allocator = &queue->store->settings.allocator;
	const size_t batch = queue->store->settings.options.max_batch;

	herald_memory_release(allocator, queue->write.deliveries,
			      batch * sizeof(*queue->write.deliveries));
	herald_memory_release(allocator, queue->write.completions,
			      batch * sizeof(*queue->write.completions));
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->mutex);
	herald_memory_release(allocator, queue, sizeof(*queue));
}

/* Entries of records that the deliverer has not given back. */
static void
free_held(struct herald__outbox_queue *queue)
{
	while (queue->newest)
		herald__outbox_leave(queue, queue->newest);
}

/* With the mutex held. */
static void
wait_until_idle(struct herald__outbox_queue *queue)
{
	while (queue->is_writing || queue->is_claiming)
		pthread_cond_wait(&queue->changed, &queue->mutex);
}

static void
outbox_destroy(struct herald_delivery_queue *base)
{
	struct herald__outbox_queue *queue = queue_of(base);
	struct herald__outbox *outbox = &queue->store->outbox;

	pthread_mutex_lock(&outbox->mutex);
	outbox->is_open = false;
	pthread_mutex_unlock(&outbox->mutex);

	pthread_mutex_lock(&queue->mutex);
	queue->is_closing = true;
	wait_until_idle(queue);
	release_ahead(queue);
	wait_until_idle(queue);
	pthread_mutex_unlock(&queue->mutex);

	pthread_mutex_lock(&outbox->mutex);
	if (queue->leaves_rows || queue->doubts > 0 || queue->newest)
		outbox->leaves_rows = true;
	outbox->queue = NULL;
	pthread_mutex_unlock(&outbox->mutex);
	free_held(queue);
	free_queue(queue);
}

static const struct herald_delivery_queue_ops outbox_ops = {
	.name = "store",
	.open = outbox_open,
	.push = outbox_push,
	.claim = outbox_claim,
	.begin = outbox_begin,
	.reschedule = outbox_reschedule,
	.complete = outbox_complete,
	.store = outbox_store,
	.destroy = outbox_destroy,
};

/* Creating. */

/* NULL: out of memory, or of what the operating system has. */
static struct herald__outbox_queue *
new_queue(struct herald_store *store)
{
	const struct herald_allocator *allocator = &store->settings.allocator;
	const size_t batch = store->settings.options.max_batch;
	struct herald__outbox_queue *queue =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->base.ops = &outbox_ops;
	queue->store = store;
	herald__outbox_write_init(queue);
	herald__outbox_claim_init(queue);
	if (pthread_mutex_init(&queue->mutex, NULL) != 0)
		goto free_memory;
	if (pthread_cond_init(&queue->changed, NULL) != 0)
		goto free_mutex;
	queue->write.deliveries =
		herald_memory_allocate(allocator, batch * sizeof(*queue->write.deliveries));
	queue->write.completions =
		herald_memory_allocate(allocator, batch * sizeof(*queue->write.completions));
	if (queue->write.deliveries && queue->write.completions)
		return queue;
	free_queue(queue);
	return NULL;

free_mutex:
	pthread_mutex_destroy(&queue->mutex);
free_memory:
	herald_memory_release(allocator, queue, sizeof(*queue));
	return NULL;
}

/* Make it the store's queue. */
static enum herald_status
register_queue(struct herald_store *store, struct herald__outbox_queue *queue,
	       struct herald_error *error)
{
	struct herald__outbox *outbox = &store->outbox;

	pthread_mutex_lock(&outbox->mutex);
	bool is_first = !outbox->queue;
	if (is_first)
		outbox->queue = queue;
	pthread_mutex_unlock(&outbox->mutex);
	if (is_first)
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"the store has a delivery queue already; one deliverer is enough "
				"for all services with this store");
}

enum herald_status
herald__outbox_queue_create(struct herald_store *store, struct herald_delivery_queue **out,
			    struct herald_error *error)
{
	struct herald__outbox_queue *queue = new_queue(store);

	if (!queue)
		return herald_out_of_memory(error);
	enum herald_status status = register_queue(store, queue, error);
	if (status == HERALD_OK)
		*out = &queue->base;
	else
		free_queue(queue);
	return status;
}

/* The store's part. */

bool
herald__outbox_init(struct herald__outbox *outbox)
{
	return pthread_mutex_init(&outbox->mutex, NULL) == 0;
}

void
herald__outbox_finish(struct herald__outbox *outbox)
{
	pthread_mutex_destroy(&outbox->mutex);
}

/* Returns whether there is a queue. */
static bool
look(struct herald_store *store, bool is_time)
{
	struct herald__outbox *outbox = &store->outbox;

	pthread_mutex_lock(&outbox->mutex);
	struct herald__outbox_queue *queue = outbox->is_open ? outbox->queue : NULL;
	if (queue && is_time) {
		pthread_mutex_lock(&queue->mutex);
		if (queue->doubts > 0)
			herald__outbox_start_writing(queue);
		herald__outbox_forget_due(queue);
		herald__outbox_wake(queue);
		pthread_mutex_unlock(&queue->mutex);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return queue;
}

void
herald__outbox_look(struct herald_store *store)
{
	look(store, true);
}

void
herald__outbox_doubt_all(struct herald_store *store)
{
	struct herald__outbox *outbox = &store->outbox;

	pthread_mutex_lock(&outbox->mutex);
	if (outbox->is_open && outbox->queue) {
		pthread_mutex_lock(&outbox->queue->mutex);
		herald__outbox_doubt(outbox->queue);
		pthread_mutex_unlock(&outbox->queue->mutex);
	}
	pthread_mutex_unlock(&outbox->mutex);
}

bool
herald__outbox_owns(struct herald_store *store, uint64_t node)
{
	struct herald__outbox *outbox = &store->outbox;
	bool is_found = false;

	pthread_mutex_lock(&outbox->mutex);
	if (outbox->queue) {
		pthread_mutex_lock(&outbox->queue->mutex);
		is_found = outbox->queue->doubts > 0;
		for (const struct herald__outbox_entry *entry = outbox->queue->newest;
		     entry && !is_found; entry = entry->older)
			is_found = entry->end.owner == node;
		pthread_mutex_unlock(&outbox->queue->mutex);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return is_found;
}

uint64_t
herald__outbox_turn(struct herald_store *store, uint64_t now_ms, bool is_woken)
{
	struct herald__outbox *outbox = &store->outbox;
	const uint32_t poll_ms = store->settings.options.poll_ms;
	bool is_time = is_woken || now_ms - outbox->looked_ms >= poll_ms;

	if (!look(store, is_time))
		return UINT64_MAX;
	if (is_time)
		outbox->looked_ms = now_ms;
	return outbox->looked_ms + poll_ms;
}

bool
herald__outbox_settle(struct herald_delivery_queue *base)
{
	struct herald__outbox_queue *queue = queue_of(base);

	pthread_mutex_lock(&queue->mutex);
	bool is_unsure = queue->is_unsure;
	while ((queue->is_writing || queue->is_claiming) && !queue->is_failing)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	bool is_failing = queue->is_failing;
	pthread_mutex_unlock(&queue->mutex);
	return !is_unsure || is_failing;
}
