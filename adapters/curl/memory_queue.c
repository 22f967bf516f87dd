/*
 * The queue in memory: a list of what has been put, which any thread adds to, and what the
 * deliverer's thread has of it: the same list, taken over as a whole, and a heap of retries. All of
 * it is gone with the process.
 */
#include <pthread.h>
#include <stdint.h>

#include "memory.h"
#include "queue.h"

struct list {
	struct herald__queued *first;
	struct herald__queued **end; /* where the next one goes */
};

struct memory_queue {
	struct herald__queue base;
	struct herald_allocator allocator;

	pthread_mutex_t mutex; /* over `incoming` */
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
memory_put(struct herald__queue *base, struct herald__queued *item)
{
	struct memory_queue *queue = (struct memory_queue *)base;

	pthread_mutex_lock(&queue->mutex);
	list_add(&queue->incoming, item);
	pthread_mutex_unlock(&queue->mutex);
	return HERALD_OK;
}

/* `ready` is empty: all that came in since the last time. */
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

static struct herald__queued *
take_retry(struct memory_queue *queue)
{
	struct herald__timer *timer = herald__timer_heap_first(&queue->retries);

	if (!timer)
		return NULL;
	herald__timer_heap_remove(&queue->retries, timer);
	return item_of(timer);
}

static struct herald__queued *
memory_take(struct herald__queue *base, uint64_t now_ms, uint64_t *next_due_ms)
{
	struct memory_queue *queue = (struct memory_queue *)base;
	const struct herald__timer *retry = herald__timer_heap_first(&queue->retries);

	if (retry && retry->due_ms <= now_ms)
		return take_retry(queue);
	if (!queue->ready.first)
		take_over(queue);

	struct herald__queued *item = list_take(&queue->ready);
	if (!item)
		*next_due_ms = retry ? retry->due_ms : UINT64_MAX;
	return item;
}

static void
memory_retry(struct herald__queue *base, struct herald__queued *item)
{
	struct memory_queue *queue = (struct memory_queue *)base;

	herald__timer_heap_add(&queue->retries, &item->timer);
}

static void
memory_settle(struct herald__queue *base, struct herald__queued *item,
	      enum herald_delivery_outcome outcome)
{
	(void)base;
	(void)item;
	(void)outcome;
}

static struct herald__queued *
memory_take_left(struct herald__queue *base)
{
	uint64_t next_due_ms;

	return memory_take(base, UINT64_MAX, &next_due_ms);
}

static void
memory_destroy(struct herald__queue *base)
{
	struct memory_queue *queue = (struct memory_queue *)base;

	herald__timer_heap_finish(&queue->retries);
	pthread_mutex_destroy(&queue->mutex);
	herald__release(&queue->allocator, queue, sizeof(*queue));
}

static const struct herald__queue_ops memory_queue_ops = {
	.put = memory_put,
	.take = memory_take,
	.retry = memory_retry,
	.settle = memory_settle,
	.take_left = memory_take_left,
	.destroy = memory_destroy,
};

struct herald__queue *
herald__memory_queue_create(const struct herald_allocator *allocator, size_t capacity)
{
	struct memory_queue *queue = herald__allocate_zeroed(allocator, 1, sizeof(*queue));

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
	herald__release(allocator, queue, sizeof(*queue));
	return NULL;
}
