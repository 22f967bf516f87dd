/*
 * The memory of jobs: one block for each, with all of its texts. Blocks have a size of a power of
 * two, so that the next event of about the same size takes the block of the last one. Not
 * synchronised.
 */
#include "store/job.h"

#include <string.h>

#include <herald/adapter/memory.h>

#define LEAST_BYTES ((size_t)1 << 10)
/* Blocks that are kept for later. */
#define MAX_FREE_BYTES ((size_t)4 << 20)

void
herald__job_memory_init(struct herald__job_memory *memory, const struct herald_allocator *allocator)
{
	*memory = (struct herald__job_memory){.allocator = *allocator};
}

void
herald__job_memory_finish(struct herald__job_memory *memory)
{
	while (memory->newest)
		herald__job_free(memory, memory->newest);
	for (size_t i = 0; i < HERALD__JOB_CLASSES; i++) {
		while (memory->free[i]) {
			struct herald__job *job = memory->free[i];

			memory->free[i] = job->next;
			herald_memory_release(&memory->allocator, job, job->block_bytes);
		}
	}
}

static size_t
text_bytes(const char *text)
{
	return strlen(text) + 1;
}

size_t
herald__job_bytes(const struct herald_stored_event *event)
{
	size_t bytes = sizeof(struct herald__job) + text_bytes(event->event_type) +
		       text_bytes(event->source) + text_bytes(event->event_id) +
		       text_bytes(event->content_type) + text_bytes(event->last_error) +
		       event->attributes.bytes + 1 + event->data.bytes + 1;
	size_t block = LEAST_BYTES;

	while (block < bytes && block < LEAST_BYTES << (HERALD__JOB_CLASSES - 1))
		block *= 2;
	return block < bytes ? bytes : block;
}

/* The index of the list of free blocks of this size; HERALD__JOB_CLASSES: they are not kept. */
static size_t
class_of(size_t bytes)
{
	size_t class = 0;

	while (class < HERALD__JOB_CLASSES && bytes != LEAST_BYTES << class)
		class ++;
	return class;
}

static struct herald__job *
take_block(struct herald__job_memory *memory, size_t bytes)
{
	size_t class = class_of(bytes);
	struct herald__job *job = class < HERALD__JOB_CLASSES ? memory->free[class] : NULL;

	if (!job)
		return herald_memory_allocate(&memory->allocator, bytes);
	memory->free[class] = job->next;
	memory->free_bytes -= bytes;
	return job;
}

static char *
copy(char **end, const char *data, size_t bytes)
{
	char *start = *end;

	if (bytes > 0)
		memcpy(start, data, bytes);
	start[bytes] = '\0';
	*end = start + bytes + 1;
	return start;
}

static void
copy_texts(struct herald__job *job, const struct herald_stored_event *event)
{
	char *end = (char *)(job + 1);

	job->event_type = copy(&end, event->event_type, strlen(event->event_type));
	job->source = copy(&end, event->source, strlen(event->source));
	job->event_id = copy(&end, event->event_id, strlen(event->event_id));
	job->content_type = copy(&end, event->content_type, strlen(event->content_type));
	job->last_error = copy(&end, event->last_error, strlen(event->last_error));
	job->attributes.data = copy(&end, event->attributes.data, event->attributes.bytes);
	job->attributes.bytes = event->attributes.bytes;
	job->data = copy(&end, event->data.data, event->data.bytes);
	job->data_bytes = event->data.bytes;
}

static void
link_job(struct herald__job_memory *memory, struct herald__job *job)
{
	job->older = memory->newest;
	if (memory->newest)
		memory->newest->newer = job;
	memory->newest = job;
	memory->count++;
	memory->bytes += job->block_bytes;
}

static void
unlink_job(struct herald__job_memory *memory, struct herald__job *job)
{
	if (job->newer)
		job->newer->older = job->older;
	else
		memory->newest = job->older;
	if (job->older)
		job->older->newer = job->newer;
	memory->count--;
	memory->bytes -= job->block_bytes;
}

struct herald__job *
herald__job_create(struct herald__job_memory *memory, const struct herald_stored_event *event)
{
	const size_t bytes = herald__job_bytes(event);
	struct herald__job *job = take_block(memory, bytes);

	if (!job)
		return NULL;
	*job = (struct herald__job){
		.block_bytes = bytes,
		.id = event->id,
		.owner = event->owner,
		.key_hash = event->key_hash,
		.holds_key = event->holds_key,
		.attempts = event->attempts,
		.replays = event->replays,
		.interrupted = event->interrupted,
		.created_ms = event->created_ms,
	};
	herald_buffer_init(&job->published, &memory->allocator, 0);
	copy_texts(job, event);
	link_job(memory, job);
	return job;
}

void
herald__job_free(struct herald__job_memory *memory, struct herald__job *job)
{
	size_t class = class_of(job->block_bytes);

	unlink_job(memory, job);
	herald_buffer_finish(&job->published);
	herald_memory_release(&memory->allocator, job->error, sizeof(*job->error));
	if (class == HERALD__JOB_CLASSES ||
	    memory->free_bytes + job->block_bytes > MAX_FREE_BYTES) {
		herald_memory_release(&memory->allocator, job, job->block_bytes);
		return;
	}
	job->next = memory->free[class];
	memory->free[class] = job;
	memory->free_bytes += job->block_bytes;
}

void
herald__job_set_error(struct herald__job *job, const struct herald_allocator *allocator,
		      const struct herald_error *error)
{
	if (!job->error)
		job->error = herald_memory_allocate(allocator, sizeof(*job->error));
	if (job->error)
		*job->error = *error;
}
