/*
 * A ring of batches, which are written as spans come. A batch keeps its memory for later ones.
 */
#include "delivery/otlp/queue.h"

#include <herald/adapter/memory.h>

bool
herald__otlp_queue_init(struct herald__otlp_queue *queue, const struct herald_otlp_options *options,
			const struct herald_allocator *allocator)
{
	queue->allocator = *allocator;
	queue->max_spans = options->max_batch_spans;
	queue->max_bytes = options->max_batch_bytes;
	queue->batches_count = options->max_queued_spans / options->max_batch_spans;
	queue->batches = herald_memory_allocate_zeroed(allocator, queue->batches_count,
						       sizeof(*queue->batches));
	for (size_t i = 0; queue->batches && i < queue->batches_count; i++)
		herald_buffer_init(&queue->batches[i].spans, &queue->allocator, queue->max_bytes);
	return queue->batches;
}

void
herald__otlp_queue_finish(struct herald__otlp_queue *queue)
{
	if (!queue->batches)
		return;
	for (size_t i = 0; i < queue->batches_count; i++)
		herald_buffer_finish(&queue->batches[i].spans);
	herald_memory_release(&queue->allocator, queue->batches,
			      queue->batches_count * sizeof(*queue->batches));
}

struct herald__otlp_batch *
herald__otlp_queue_first(const struct herald__otlp_queue *queue)
{
	return queue->first < queue->filling ? &queue->batches[queue->first % queue->batches_count]
					     : NULL;
}

bool
herald__otlp_queue_close(struct herald__otlp_queue *queue)
{
	if (queue->filling - queue->first == queue->batches_count - 1)
		return false;
	queue->filling++;
	return true;
}

size_t
herald__otlp_queue_remove(struct herald__otlp_queue *queue)
{
	struct herald__otlp_batch *batch = herald__otlp_queue_first(queue);
	size_t count = batch->count;

	batch->spans.bytes = 0;
	batch->count = 0;
	queue->first++;
	queue->spans_count -= count;
	return count;
}

/* Append a span. The batch is unchanged after a failure. */
static enum herald_status
write_span(struct herald__otlp_batch *batch, const struct herald__otlp_codecs *codecs,
	   const struct herald_span *span)
{
	size_t bytes = batch->spans.bytes;
	enum herald_status status =
		herald_buffer_append(&batch->spans, batch->count == 0 ? "[" : ",", 1);

	if (status == HERALD_OK)
		status = herald__otlp_write_span(codecs, span, &batch->spans);
	if (status != HERALD_OK)
		batch->spans.bytes = bytes;
	return status;
}

enum herald_status
herald__otlp_queue_add(struct herald__otlp_queue *queue, const struct herald__otlp_codecs *codecs,
		       const struct herald_span *span, uint64_t now_ms)
{
	struct herald__otlp_batch *batch = herald__otlp_queue_filling(queue);

	if (batch->count == queue->max_spans) {
		if (!herald__otlp_queue_close(queue))
			return HERALD_LIMIT;
		batch = herald__otlp_queue_filling(queue);
	}

	enum herald_status status = write_span(batch, codecs, span);
	if (status == HERALD_TOO_LARGE && batch->count > 0) {
		if (!herald__otlp_queue_close(queue))
			return HERALD_LIMIT;
		batch = herald__otlp_queue_filling(queue);
		status = write_span(batch, codecs, span);
	}
	if (status != HERALD_OK)
		return status;
	if (batch->count++ == 0)
		batch->since_ms = now_ms;
	queue->spans_count++;
	return HERALD_OK;
}
