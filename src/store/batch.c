/*
 * Fills the arrays that a database takes. Rows borrow their texts from arrivals and jobs.
 */
#include "store/batch.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "base/siphash.h"
#include "service/inbox.h"
#include "store/seen_key.h"
#include "store/state.h"

bool
herald__batch_init(struct herald__batch *batch, const struct herald_allocator *allocator,
		   size_t capacity)
{
	*batch = (struct herald__batch){
		.capacity = capacity,
		.arrivals = herald_memory_allocate_zeroed(allocator, capacity,
							  sizeof(*batch->arrivals)),
		.queues =
			herald_memory_allocate_zeroed(allocator, capacity, sizeof(*batch->queues)),
		.events =
			herald_memory_allocate_zeroed(allocator, capacity, sizeof(*batch->events)),
		.seen = herald_memory_allocate_zeroed(allocator, capacity, sizeof(*batch->seen)),
		.ended = herald_memory_allocate_zeroed(allocator, capacity, sizeof(*batch->ended)),
		.completions = herald_memory_allocate_zeroed(allocator, capacity,
							     sizeof(*batch->completions)),
	};
	return batch->arrivals && batch->queues && batch->events && batch->seen && batch->ended &&
	       batch->completions;
}

void
herald__batch_finish(struct herald__batch *batch, const struct herald_allocator *allocator)
{
	const size_t count = batch->capacity;

	herald_memory_release(allocator, batch->arrivals, count * sizeof(*batch->arrivals));
	herald_memory_release(allocator, batch->queues, count * sizeof(*batch->queues));
	herald_memory_release(allocator, batch->events, count * sizeof(*batch->events));
	herald_memory_release(allocator, batch->seen, count * sizeof(*batch->seen));
	herald_memory_release(allocator, batch->ended, count * sizeof(*batch->ended));
	herald_memory_release(allocator, batch->completions, count * sizeof(*batch->completions));
}

void
herald__batch_begin(struct herald__batch *batch, struct herald__inbox_event *arrivals)
{
	batch->arrivals_count = batch->ended_count = 0;
	for (; arrivals; arrivals = arrivals->next) {
		batch->arrivals[batch->arrivals_count] = arrivals;
		batch->queues[batch->arrivals_count++] = arrivals->queue;
	}
}

/* Arrivals. */

static void
hash_seen(const struct herald_store *store, const struct herald__inbox_event *arrival,
	  unsigned char out[HERALD_SEEN_KEY_BYTES])
{
	herald__seen_key(store->secret, arrival->queue->name, arrival->source, arrival->id, out);
}

/* Never 0, which means none. */
static uint64_t
hash_key(const struct herald_store *store, const struct herald__inbox_event *arrival)
{
	const char *queue = arrival->queue->name;
	struct herald__siphash hash;

	if (!arrival->key.data)
		return 0;
	herald__siphash_init(&hash, store->secret, HERALD__SIPHASH_64);
	herald__siphash_add(&hash, queue, strlen(queue) + 1);
	herald__siphash_add(&hash, arrival->key.data, arrival->key.bytes);
	uint64_t key = herald__siphash_64(&hash);
	return key ? key : 1;
}

static struct herald_stored_event
row_of(const struct herald_store *store, const struct herald__inbox_event *arrival, int64_t wall_ms)
{
	return (struct herald_stored_event){
		.queue = arrival->queue->name,
		.event_type = arrival->event_type,
		.source = arrival->source,
		.event_id = arrival->id,
		.content_type = arrival->content_type,
		.attributes = arrival->attributes,
		.data = arrival->data,
		.created_ms = wall_ms,
		.due_ms = arrival->due_ms ? arrival->due_ms : wall_ms,
		.key_hash = hash_key(store, arrival),
		.holds_key = arrival->holds_key,
		.last_error = "",
	};
}

/* Whether an event may run here at once: a worker has room, and no older event waits. */
static bool
takes_room(const struct herald_stored_event *event, const struct herald__queue *queue,
	   int64_t wall_ms, struct herald__batch_room *room)
{
	size_t bytes = herald__job_bytes(event);

	if (room->node == 0 || room->count == 0 || bytes > room->bytes || event->due_ms > wall_ms ||
	    queue->next_ms <= wall_ms)
		return false;
	room->count--;
	room->bytes -= bytes;
	return true;
}

void
herald__batch_events(struct herald_store *store, struct herald__batch *batch, size_t first,
		     size_t count, int64_t wall_ms, struct herald__batch_room *room)
{
	for (size_t i = first; i < first + count; i++) {
		const struct herald__inbox_event *arrival = batch->arrivals[i];
		struct herald_stored_event *event = &batch->events[i];
		struct herald__queue *queue = batch->queues[i];

		*event = row_of(store, arrival, wall_ms);
		if (*arrival->id != '\0') {
			hash_seen(store, arrival, batch->seen[i]);
			event->seen_key = batch->seen[i];
		}
		if (takes_room(event, queue, wall_ms, room))
			event->owner = room->node;
		else if (event->due_ms < queue->next_ms)
			queue->next_ms = event->due_ms;
	}
}

/* Ends of runs. */

struct herald_completion
herald__batch_completion(const struct herald__job *job, int64_t wall_ms)
{
	const struct herald_error *error = job->error;
	const bool keeps_reason = job->has_not_run && job->kind == HERALD_COMPLETE_RETRY;
	const bool has_reason =
		job->kind == HERALD_COMPLETE_RETRY || job->kind == HERALD_COMPLETE_DEAD;

	return (struct herald_completion){
		.id = job->id,
		.owner = job->owner,
		.attempts = job->attempts,
		.replays = job->replays,
		.kind = job->kind,
		.key_hash = job->key_hash,
		.is_held = job->is_held,
		.has_not_run = job->has_not_run,
		.now_ms = wall_ms,
		.due_ms = job->due_ms,
		.why = job->why,
		.reason = !has_reason    ? NULL
			  : error        ? error->message
			  : keeps_reason ? job->last_error
					 : "out of memory",
		.path = error ? error->path : "",
		.offset = error && error->offset != HERALD_NO_OFFSET ? (int64_t)error->offset : -1,
	};
}

void
herald__batch_look(const struct herald__job *job)
{
	int64_t next_ms = job->kind == HERALD_COMPLETE_RETRY ? job->due_ms : INT64_MAX;

	if (job->kind == HERALD_COMPLETE_RELEASE || job->key_hash != 0)
		next_ms = INT64_MIN;
	if (next_ms < job->queue->next_ms)
		job->queue->next_ms = next_ms;
}

void
herald__batch_end(struct herald__batch *batch, struct herald__job *job, int64_t wall_ms)
{
	batch->ended[batch->ended_count] = job;
	batch->completions[batch->ended_count++] = herald__batch_completion(job, wall_ms);
	herald__batch_look(job);
}
