/*
 * A binary heap of timers, the earliest first. The capacity is fixed, so that adding never fails.
 */
#ifndef HERALD_SRC_BASE_TIMER_HEAP_H
#define HERALD_SRC_BASE_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>

/* Embedded in what waits. */
struct herald__timer {
	uint64_t due_ms;
	size_t place; /* in the heap */
};

struct herald__timer_heap {
	struct herald__timer **timers;
	size_t count;
	size_t capacity;
	struct herald_allocator allocator;
};

/* Returns false when out of memory. */
bool herald__timer_heap_init(struct herald__timer_heap *heap,
			     const struct herald_allocator *allocator, size_t capacity);
void herald__timer_heap_finish(struct herald__timer_heap *heap);

/* The heap must have room. The timer is borrowed until it is removed. */
void herald__timer_heap_add(struct herald__timer_heap *heap, struct herald__timer *timer);

/* The timer must be in the heap. */
void herald__timer_heap_remove(struct herald__timer_heap *heap, struct herald__timer *timer);

/* The earliest timer, or NULL. */
static inline struct herald__timer *
herald__timer_heap_first(const struct herald__timer_heap *heap)
{
	return heap->count > 0 ? heap->timers[0] : NULL;
}

#endif
