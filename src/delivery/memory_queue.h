/*
 * The queue in memory. Private.
 */
#ifndef HERALD_SRC_DELIVERY_MEMORY_QUEUE_H
#define HERALD_SRC_DELIVERY_MEMORY_QUEUE_H

#include <stddef.h>

#include <herald/adapter/queue.h>
#include <herald/allocator.h>

/* A queue in memory for up to `capacity` records. NULL if memory or mutexes are exhausted. */
struct herald_delivery_queue *
herald__memory_queue_create(const struct herald_allocator *allocator, size_t capacity);

#endif
