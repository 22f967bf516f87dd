/*
 * The timer heap. It owns the array of pointers, not the timers, and reads no clock.
 */
#include "base/timer_heap.h"

#include <assert.h>

#include <herald/adapter/memory.h>

bool
herald__timer_heap_init(struct herald__timer_heap *heap, const struct herald_allocator *allocator,
			size_t capacity)
{
	*heap = (struct herald__timer_heap){.capacity = capacity, .allocator = *allocator};
	heap->timers =
		herald_memory_allocate_zeroed(allocator, capacity, sizeof(struct herald__timer *));
	return heap->timers;
}

void
herald__timer_heap_finish(struct herald__timer_heap *heap)
{
	herald_memory_release(&heap->allocator, heap->timers,
			      heap->capacity * sizeof(struct herald__timer *));
	heap->timers = NULL;
	heap->count = 0;
}

static void
put(struct herald__timer_heap *heap, size_t place, struct herald__timer *timer)
{
	heap->timers[place] = timer;
	timer->place = place;
}

static void
sift_up(struct herald__timer_heap *heap, size_t place, struct herald__timer *timer)
{
	while (place > 0) {
		size_t parent = (place - 1) / 2;

		if (heap->timers[parent]->due_ms <= timer->due_ms)
			break;
		put(heap, place, heap->timers[parent]);
		place = parent;
	}
	put(heap, place, timer);
}

static void
sift_down(struct herald__timer_heap *heap, size_t place, struct herald__timer *timer)
{
	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    heap->timers[child + 1]->due_ms < heap->timers[child]->due_ms)
			child++;
		if (timer->due_ms <= heap->timers[child]->due_ms)
			break;
		put(heap, place, heap->timers[child]);
		place = child;
	}
	put(heap, place, timer);
}

void
herald__timer_heap_add(struct herald__timer_heap *heap, struct herald__timer *timer)
{
	assert(heap->count < heap->capacity);
	heap->count++;
	sift_up(heap, heap->count - 1, timer);
}

void
herald__timer_heap_remove(struct herald__timer_heap *heap, struct herald__timer *timer)
{
	size_t place = timer->place;

	assert(place < heap->count && heap->timers[place] == timer);
	struct herald__timer *last = heap->timers[--heap->count];
	if (last == timer)
		return;
	if (place > 0 && heap->timers[(place - 1) / 2]->due_ms > last->due_ms)
		sift_up(heap, place, last);
	else
		sift_down(heap, place, last);
}
