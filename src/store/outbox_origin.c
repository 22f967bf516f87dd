/*
 * One half of what may be claimed goes to the origins that come first: each gets at most a quarter
 * of what is left of it. The other half is shared by as many origins as there may be attempts, so
 * that claims do not run out before the deliverer's slots do. What an origin may not have is put
 * off: for longer each time, until one of its deliveries ends.
 */
#include "store/outbox_origin.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "store/outbox_queue.h"
#include "store/state.h"

#define FIRST_DELAY_MS 50
#define MAX_DELAY_MS 5000

static struct herald__outbox_origin **
bucket_of(struct herald__outbox_queue *queue, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return &queue->origins.buckets[hash % HERALD__OUTBOX_ORIGIN_BUCKETS];
}

/* NULL: out of memory. */
static struct herald__outbox_origin *
get_or_create(struct herald__outbox_queue *queue, const char *name)
{
	struct herald__outbox_origin **bucket = bucket_of(queue, name);
	const size_t name_bytes = strlen(name) + 1;

	for (struct herald__outbox_origin *origin = *bucket; origin; origin = origin->next)
		if (strcmp(origin->name, name) == 0)
			return origin;

	const size_t bytes = sizeof(struct herald__outbox_origin) + name_bytes;
	struct herald__outbox_origin *origin =
		herald_memory_allocate_zeroed(&queue->store->settings.allocator, 1, bytes);
	if (!origin)
		return NULL;
	origin->bytes = bytes;
	origin->delay_ms = FIRST_DELAY_MS;
	memcpy(origin->name, name, name_bytes);
	origin->next = *bucket;
	*bucket = origin;
	return origin;
}

/* How many deliveries one origin may have now. */
static size_t
limit(const struct herald__outbox_queue *queue)
{
	const struct herald_delivery_queue_settings *settings = &queue->settings;
	const size_t all = settings->max_claimed;
	const size_t used = queue->count + queue->claim.entries.count;
	const size_t left = used < all ? all - used : 0;
	const size_t share = left > all / 2 ? (left - all / 2) / 4 : 0;
	const size_t least = settings->max_attempts > 0 ? left / settings->max_attempts : 0;

	if (share > 0 || least > 0)
		return share > least ? share : least;
	return 1;
}

struct herald__outbox_origin *
herald__outbox_origin_take(struct herald__outbox_queue *queue, const char *name, uint32_t *delay_ms)
{
	struct herald__outbox_origin *origin = get_or_create(queue, name);

	*delay_ms = 0;
	if (!origin)
		return NULL;
	if (origin->held < limit(queue)) {
		origin->held++;
		return origin;
	}
	/* Once for all that this claim puts off. */
	if (origin->claim != 0 && origin->claim != queue->claim.number &&
	    origin->delay_ms < MAX_DELAY_MS)
		origin->delay_ms *= 2;
	origin->claim = queue->claim.number;
	*delay_ms = origin->delay_ms < MAX_DELAY_MS ? origin->delay_ms : MAX_DELAY_MS;
	return NULL;
}

void
herald__outbox_origin_release(struct herald__outbox_queue *queue,
			      struct herald__outbox_origin *origin)
{
	if (!origin)
		return;
	origin->held--;
	origin->delay_ms = FIRST_DELAY_MS;
	origin->claim = 0;
	if (origin->held > 0)
		return;

	struct herald__outbox_origin **place = bucket_of(queue, origin->name);
	while (*place != origin)
		place = &(*place)->next;
	*place = origin->next;
	herald_memory_release(&queue->store->settings.allocator, origin, origin->bytes);
}
