/*
 * The queue in memory. Any thread adds to a list of incoming records. The deliverer's thread takes
 * over the whole list at once, and has a heap of retries. Uses the monotonic clock only. Everything
 * is lost with the process.
 */
#include "delivery/memory_queue.h"

#include <pthread.h>
#include <stdint.h>

#include <herald/adapter/memory.h>

#include "delivery/item.h"

struct list {
	struct herald__queued *first;
	struct herald__queued **end; /* where to append */
};

struct memory_queue {
	struct herald_delivery_queue base;
	struct herald_allocator allocator;

	pthread_mutex_t mutex; /* protects `incoming` */
	struct list incoming;

	struct list ready;
	struct herald__timer_heap retries;
};

static void
list_init(struct list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void
list_add(struct list *list, struct herald__queued *item)
{
	item->next = NULL;
	*list->end = item;
	list->end = &item->next;
}

static struct herald__queued *
list_take(struct list *list)
{
	struct herald__queued *item = list->first;

	if (!item)
		return NULL;
	list->first = item->next;
	if (!list->first)
		list->end = &list->first;
	return item;
}

static struct herald__queued *
item_of(struct herald__timer *timer)
{
	return (struct herald__queued *)((char *)timer - offsetof(struct herald__queued, timer));
}

static enum herald_status
memory_push(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct memory_queue *queue = (struct memory_queue *)base;

	pthread_mutex_lock(&queue->mutex);
	list_add(&queue->incoming, (struct herald__queued *)record);
	pthread_mutex_unlock(&queue->mutex);
	return HERALD_OK;
}

/* Take all incoming records. `ready` must be empty. */
static void
take_over(struct memory_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	if (queue->incoming.first) {
		queue->ready = queue->incoming;
		list_init(&queue->incoming);
	}
	pthread_mutex_unlock(&queue->mutex);
}

static struct herald_delivery_record *
take_retry(struct memory_queue *queue, struct herald__timer *timer)
{
	herald__timer_heap_remove(&queue->retries, timer);
	return &item_of(timer)->record;
}

static struct herald_delivery_record *
take_ready(struct memory_queue *queue)
{
	if (!queue->ready.first)
		take_over(queue);

	struct herald__queued *item = list_take(&queue->ready);
	return item ? &item->record : NULL;
}

/* Whether a new one has been due before. */
static bool
has_earlier(struct memory_queue *queue, uint64_t due_ms)
{
	if (!queue->ready.first)
		take_over(queue);
	return queue->ready.first && queue->ready.first->since_ms < due_ms;
}

static struct herald_delivery_record *
memory_claim(struct herald_delivery_queue *base, const struct herald_delivery_time *now,
	     uint64_t *wait_ms)
{
	struct memory_queue *queue = (struct memory_queue *)base;
	struct herald__timer *retry = herald__timer_heap_first(&queue->retries);

	if (retry && retry->due_ms <= now->monotonic_ms && !has_earlier(queue, retry->due_ms))
		return take_retry(queue, retry);

	struct herald_delivery_record *record = take_ready(queue);
	if (!record)
		*wait_ms = retry ? retry->due_ms - now->monotonic_ms : UINT64_MAX;
	return record;
}

static void
memory_reschedule(struct herald_delivery_queue *base, struct herald_delivery_record *record,
		  const struct herald_delivery_time *now, uint64_t delay_ms,
		  const struct herald_delivery_report *report)
{
	struct memory_queue *queue = (struct memory_queue *)base;
	struct herald__timer *timer = &((struct herald__queued *)record)->timer;

	(void)report;
	timer->due_ms = now->monotonic_ms + delay_ms;
	herald__timer_heap_add(&queue->retries, timer);
}

static void
memory_complete(struct herald_delivery_queue *base, const struct herald_delivery_record *record,
		const struct herald_delivery_report *report)
{
	(void)base;
	(void)record;
	(void)report;
}

static struct herald_delivery_record *
memory_claim_left(struct herald_delivery_queue *base)
{
	struct memory_queue *queue = (struct memory_queue *)base;
	struct herald__timer *retry = herald__timer_heap_first(&queue->retries);

	return retry ? take_retry(queue, retry) : take_ready(queue);
}

static void
memory_destroy(struct herald_delivery_queue *base)
{
	struct memory_queue *queue = (struct memory_queue *)base;

	herald__timer_heap_finish(&queue->retries);
	pthread_mutex_destroy(&queue->mutex);
	herald_memory_release(&queue->allocator, queue, sizeof(*queue));
}

static const struct herald_delivery_queue_ops memory_queue_ops = {
	.name = "memory",
	.push = memory_push,
	.claim = memory_claim,
	.reschedule = memory_reschedule,
	.complete = memory_complete,
	.claim_left = memory_claim_left,
	.destroy = memory_destroy,
};

struct herald_delivery_queue *
herald__memory_queue_create(const struct herald_allocator *allocator, size_t capacity)
{
	struct memory_queue *queue = herald_memory_allocate_zeroed(allocator, 1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->base.ops = &memory_queue_ops;
	queue->allocator = *allocator;
	list_init(&queue->incoming);
	list_init(&queue->ready);
	if (!herald__timer_heap_init(&queue->retries, allocator, capacity))
		goto free_queue;
	if (pthread_mutex_init(&queue->mutex, NULL) != 0)
		goto free_heap;
	return &queue->base;

free_heap:
	herald__timer_heap_finish(&queue->retries);
free_queue:
	herald_memory_release(allocator, queue, sizeof(*queue));
	return NULL;
}
