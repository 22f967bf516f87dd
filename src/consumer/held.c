/*
 * The memory of messages in flight. It does not free the messages themselves, which belong to
 * the subscriber.
 */
#include "consumer/held.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "base/safe_text.h"

void
herald__held_memory_init(struct herald__held_memory *memory,
			 const struct herald_allocator *allocator)
{
	*memory = (struct herald__held_memory){.allocator = *allocator};
}

void
herald__held_memory_finish(struct herald__held_memory *memory)
{
	while (memory->free) {
		struct herald__held *held = memory->free;

		memory->free = held->next;
		herald_memory_release(&memory->allocator, held, sizeof(*held));
	}
}

struct herald__held *
herald__held_create(struct herald__held_memory *memory, struct herald_received *message)
{
	struct herald__held *held = memory->free;

	if (held)
		memory->free = held->next;
	else
		held = herald_memory_allocate(&memory->allocator, sizeof(*held));
	if (!held)
		return NULL;
	*held = (struct herald__held){
		.message = message,
		.identity = message->identity,
		.bytes = message->data.bytes + message->attributes.bytes,
		.older = memory->newest,
	};
	if (memory->newest)
		memory->newest->newer = held;
	else
		memory->oldest = held;
	memory->newest = held;
	memory->count++;
	memory->bytes += held->bytes;
	message->held = held;
	return held;
}

void
herald__held_free(struct herald__held_memory *memory, struct herald__held *held)
{
	if (held->newer)
		held->newer->older = held->older;
	else
		memory->newest = held->older;
	if (held->older)
		held->older->newer = held->newer;
	else
		memory->oldest = held->newer;
	memory->count--;
	memory->bytes -= held->bytes;
	herald_memory_release(&memory->allocator, held->reason, sizeof(*held->reason));
	held->next = memory->free;
	memory->free = held;
}

void
herald__held_give_back(struct herald__held *held, uint64_t delay_ms)
{
	held->kind = held->runs > 0 ? HERALD_SETTLE_RETRY : HERALD_SETTLE_RELEASE;
	held->delay_ms = delay_ms;
}

void
herald__held_set_reason(struct herald__held *held, const struct herald_allocator *allocator,
			const struct herald_error *error, const char *event_id)
{
	if (!held->reason)
		held->reason = herald_memory_allocate(allocator, sizeof(*held->reason));
	if (!held->reason)
		return;
	held->reason->error = *error;
	herald__text_line(held->reason->event_id, sizeof(held->reason->event_id), event_id,
			  strlen(event_id), false);
}
