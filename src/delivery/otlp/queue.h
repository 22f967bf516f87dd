/*
 * The bounded queue of an exporter: a ring of batches. Spans are written to one batch, while the
 * oldest one is being sent. Knows no threads: the exporter's mutex protects it. Private.
 */
#ifndef HERALD_SRC_DELIVERY_OTLP_QUEUE_H
#define HERALD_SRC_DELIVERY_OTLP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/otlp/message.h"

struct herald__otlp_batch {
	struct herald_buffer spans; /* "[{...},{...}" */
	size_t count;
	uint64_t since_ms; /* when its first span came */
};

/* `first` and `filling` count up; batch number N is at N % batches_count. The batches from `first`
 * up to `filling` are closed. There is always one to fill. */
struct herald__otlp_queue {
	struct herald_allocator allocator;
	struct herald__otlp_batch *batches;
	size_t batches_count;
	size_t max_spans, max_bytes; /* of a batch */
	uint64_t first, filling;
	size_t spans_count;
};

/* The options are resolved. Returns false when out of memory. */
bool
herald__otlp_queue_init(struct herald__otlp_queue *queue, const struct herald_otlp_options *options,
			const struct herald_allocator *allocator);
void herald__otlp_queue_finish(struct herald__otlp_queue *queue);

/* Add a span. Errors: HERALD_LIMIT (the queue is full), HERALD_TOO_LARGE (for any batch), and
 * others if it cannot be written. */
HERALD_MUST_CHECK enum herald_status
herald__otlp_queue_add(struct herald__otlp_queue *queue, const struct herald__otlp_codecs *codecs,
		       const struct herald_span *span, uint64_t now_ms);

/* The batch that is being filled. */
static inline struct herald__otlp_batch *
herald__otlp_queue_filling(const struct herald__otlp_queue *queue)
{
	return &queue->batches[queue->filling % queue->batches_count];
}

/* The oldest closed batch, or NULL. */
struct herald__otlp_batch *herald__otlp_queue_first(const struct herald__otlp_queue *queue);

/* Close the batch that is being filled. Returns false if there is no room for another one. */
bool herald__otlp_queue_close(struct herald__otlp_queue *queue);

/* Remove the oldest closed batch, which was sent or is dropped. Returns its spans. */
size_t herald__otlp_queue_remove(struct herald__otlp_queue *queue);

#endif
