/*
 * Storing what was submitted, and the ends of attempts. If it fails, the ends are kept and tried
 * again; what was submitted fails.
 */
#include "store/outbox_write.h"

#include <herald/adapter/log.h>

#include "store/outbox_queue.h"
#include "store/outbox_reconcile.h"
#include "store/state.h"

static void
fill(struct herald__outbox_queue *queue, struct herald__outbox_write *write)
{
	const size_t most = write->one_by_one > 0 ? 1 : queue->store->settings.options.max_batch;

	pthread_mutex_lock(&queue->mutex);
	while (queue->pushes.first && write->pushes.count < most)
		herald__push_list_add(&write->pushes, herald__push_list_take(&queue->pushes));
	while (queue->ended.first && write->entries.count < most &&
	       (write->one_by_one == 0 || write->pushes.count == 0))
		herald__entry_list_add(&write->entries, herald__entry_list_take(&queue->ended));
	queue->filled_ms = queue->now_ms;
	write->doubts = queue->doubts;
	write->has_reconciled = write->has_more = false;
	write->is_filled = true;
	pthread_mutex_unlock(&queue->mutex);
}

/* The herald__task.run callback. */
static enum herald_status
write_run(struct herald__task *task, struct herald_session *session, int64_t now_ms,
	  struct herald_error *error)
{
	struct herald__outbox_write *write = (struct herald__outbox_write *)task;
	struct herald__outbox_queue *queue =
		(struct herald__outbox_queue *)((char *)write -
						offsetof(struct herald__outbox_queue, write));
	const struct herald_database_ops *ops = queue->store->database->ops;
	enum herald_status status = HERALD_OK;
	size_t count = 0;

	if (!write->is_filled)
		fill(queue, write);
	for (const struct herald__outbox_push *push = write->pushes.first; push; push = push->next)
		write->deliveries[count++] = push->delivery;
	if (count > 0)
		status = ops->delivery_push(session, write->deliveries, count, error);
	count = 0;
	for (const struct herald__outbox_entry *entry = write->entries.first; entry;
	     entry = entry->next) {
		write->completions[count] = entry->end;
		/* A retry's delay began when its attempt ended. */
		if (entry->end.kind != HERALD_COMPLETE_RETRY)
			write->completions[count].now_ms = now_ms;
		count++;
	}
	if (status == HERALD_OK && count > 0)
		status = ops->delivery_complete(session, write->completions, count, error);
	if (status == HERALD_OK && write->doubts > 0)
		status = herald__outbox_reconcile(queue, session, now_ms, error);
	return status;
}

/* With the mutex held, likewise below. */
static void
end_pushes(struct herald__outbox_queue *queue, enum herald_status status)
{
	struct herald__outbox_push *push;

	while ((push = herald__push_list_take(&queue->write.pushes))) {
		push->status = status;
		push->is_done = true;
	}
}

/* Their ends are stored. */
static void
drop_entries(struct herald__outbox_queue *queue, struct herald__entry_list *list)
{
	struct herald__outbox_entry *entry;

	while ((entry = herald__entry_list_take(list))) {
		herald__outbox_disown(queue, entry);
		herald__outbox_free_entry(queue, entry);
	}
}

/* Their ends are never stored: the next process recovers them. */
static void
leave_entries(struct herald__outbox_queue *queue, struct herald__entry_list *list)
{
	struct herald__outbox_entry *entry;

	while ((entry = herald__entry_list_take(list))) {
		queue->leaves_rows = true;
		herald__outbox_leave(queue, entry);
	}
}

/* The transaction is committed. */
static void
settle_write(struct herald__outbox_queue *queue)
{
	struct herald__outbox_write *write = &queue->write;
	/* The end of one delivery may let another one to its origin go on. */
	bool is_news = write->pushes.count + write->entries.count > 0;

	for (size_t i = 0; i < write->entries.count; i++)
		if (write->completions[i].is_lost)
			queue->store->counts.lost++;
	end_pushes(queue, HERALD_OK);
	drop_entries(queue, &write->entries);
	if (write->has_reconciled && write->doubts == queue->doubts)
		queue->doubts = 0;
	is_news |= write->has_reconciled;
	if (is_news)
		herald__outbox_forget_due(queue);
	if (is_news || (queue->lacks_room && herald__outbox_room(queue) > 0))
		herald__outbox_wake(queue);
}

static void
log_refused(const struct herald__outbox_queue *queue, const struct herald__outbox_entry *entry,
	    enum herald_status status)
{
	const struct herald_log_field fields[] = {
		{"delivery", NULL, (int64_t)entry->end.id},
		{"error", herald_status_text(status), 0},
	};

	herald_log_write(&queue->store->settings.log, HERALD_LOG_ERROR,
			 "the database refuses the end of a delivery's attempt; it is attempted "
			 "again after the next start",
			 fields, sizeof(fields) / sizeof(fields[0]));
}

/* The database refuses the batch for good, and will refuse it again. So each part is stored on its
 * own; then only the one that it refuses fails. */
static void
divide(struct herald__outbox_queue *queue, enum herald_status status)
{
	struct herald__outbox_write *write = &queue->write;
	size_t count = write->pushes.count + write->entries.count;

	if (count > 1) {
		write->one_by_one = count + 1; /* this one counts */
		herald__push_list_prepend(&queue->pushes, &write->pushes);
		herald__entry_list_prepend(&queue->ended, &write->entries);
		return;
	}
	if (write->entries.first)
		log_refused(queue, write->entries.first, status);
	end_pushes(queue, status);
	leave_entries(queue, &write->entries);
}

/* They are tried again, and nothing is claimed before that. */
static void
mark_unknown(struct herald__outbox_queue *queue)
{
	for (struct herald__outbox_entry *entry = queue->write.entries.first; entry;
	     entry = entry->next) {
		queue->unknown_ends += !entry->may_be_stored;
		entry->may_be_stored = true;
	}
}

/* Whether there is more to reconcile at once. Without memory or a lease it is tried again later. */
static bool
must_go_on(const struct herald__outbox_queue *queue, enum herald_status status)
{
	const struct herald__outbox_write *write = &queue->write;

	return status == HERALD_OK && queue->doubts > 0 &&
	       (write->has_more || write->doubts != queue->doubts);
}

/* The herald__task.done callback. */
static bool
write_done(struct herald__task *task, enum herald_status status)
{
	struct herald__outbox_write *write = (struct herald__outbox_write *)task;
	struct herald__outbox_queue *queue =
		(struct herald__outbox_queue *)((char *)write -
						offsetof(struct herald__outbox_queue, write));
	bool is_again = false;

	pthread_mutex_lock(&queue->mutex);
	write->is_filled = false;
	if (status == HERALD_UNKNOWN_OUTCOME)
		mark_unknown(queue);
	if (status == HERALD_OK) {
		settle_write(queue);
	} else if (!herald_status_may_retry(status)) {
		divide(queue, status);
	} else {
		is_again = status != HERALD_STORE_FAILED && !queue->is_closing;
		/* The task may not have run at all. */
		if (!is_again)
			herald__push_list_prepend(&write->pushes, &queue->pushes);
		end_pushes(queue, status);
		herald__entry_list_prepend(&queue->ended, &write->entries);
		if (!is_again)
			leave_entries(queue, &queue->ended);
	}
	if (write->one_by_one > 0)
		write->one_by_one--;
	queue->is_writing = is_again;
	queue->is_failing = status != HERALD_OK;
	if (!is_again && (queue->pushes.first || queue->ended.first || must_go_on(queue, status)))
		herald__outbox_start_writing(queue);
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
	return is_again;
}

void
herald__outbox_write_init(struct herald__outbox_queue *queue)
{
	queue->write.task = (struct herald__task){.run = write_run, .done = write_done};
}
