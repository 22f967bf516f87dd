/*
 * Slots per host. libcurl has a limit per host too, but the timeout of a transfer would run while
 * it waits for its turn.
 *
 * One host must not block the others, however many deliveries it has and however slow it is. So
 * which host gets another slot depends on whether its last attempt was answered:
 *
 *	not, or not yet  while it has fewer slots than its part of the free ones: all of them if no
 *	                 other host has a slot, half of them if one has, and so on. With the default
 *	                 limits, a hundred silent hosts leave 200 of 512 slots
 *	answered         as long as a sixteenth of all slots is free. So busy hosts use nearly all
 *	                 slots; if they all fall silent, it is until their attempts time out
 *
 * A host without a slot gets any that is free.
 */
#include "delivery/host_slots.h"

#include <stdint.h>
#include <string.h>

#include <herald/adapter/memory.h>

/* Of the slots, one in so many is only for hosts without a slot. */
#define KEPT_SHARE 16

#define BUCKETS 1024 /* usually there are tens of hosts, rarely thousands */

bool
herald__hosts_init(struct herald__hosts *hosts, const struct herald_allocator *allocator,
		   size_t slots, size_t slots_per_host)
{
	*hosts = (struct herald__hosts){
		.buckets_count = BUCKETS,
		.slots = slots,
		.slots_per_host = slots_per_host,
		.allocator = *allocator,
	};
	hosts->buckets =
		herald_memory_allocate_zeroed(allocator, BUCKETS, sizeof(struct herald__host *));
	return hosts->buckets;
}

void
herald__hosts_finish(struct herald__hosts *hosts)
{
	herald_memory_release(&hosts->allocator, hosts->buckets,
			      hosts->buckets_count * sizeof(struct herald__host *));
	hosts->buckets = NULL;
}

/* FNV-1a. Names that collide on purpose only slow down the search of a bucket. */
static uint64_t
hash_of(const char *origin)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *origin; origin++)
		hash = (hash ^ (unsigned char)*origin) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static struct herald__host **
bucket_of(struct herald__hosts *hosts, uint64_t hash)
{
	return &hosts->buckets[hash & (hosts->buckets_count - 1)];
}

static struct herald__host *
get_or_create(struct herald__hosts *hosts, const char *origin)
{
	uint64_t hash = hash_of(origin);
	struct herald__host **bucket = bucket_of(hosts, hash);

	for (struct herald__host *host = *bucket; host; host = host->next_in_bucket)
		if (strcmp(host->origin, origin) == 0)
			return host;

	struct herald__host *host =
		herald_memory_allocate_zeroed(&hosts->allocator, 1, sizeof(*host));
	if (!host)
		return NULL;
	memcpy(host->origin, origin, strlen(origin) + 1);
	host->hash = hash;
	host->end = &host->first;
	host->next_in_bucket = *bucket;
	*bucket = host;
	return host;
}

static void
destroy(struct herald__hosts *hosts, struct herald__host *host)
{
	struct herald__host **place = bucket_of(hosts, host->hash);

	while (*place != host)
		place = &(*place)->next_in_bucket;
	*place = host->next_in_bucket;
	herald_memory_release(&hosts->allocator, host, sizeof(*host));
}

static void
append_waiting(struct herald__hosts *hosts, struct herald__host *host)
{
	host->previous_waiting = hosts->last_waiting;
	host->next_waiting = NULL;
	if (hosts->last_waiting)
		hosts->last_waiting->next_waiting = host;
	else
		hosts->first_waiting = host;
	hosts->last_waiting = host;
}

static void
remove_waiting(struct herald__hosts *hosts, struct herald__host *host)
{
	if (host->previous_waiting)
		host->previous_waiting->next_waiting = host->next_waiting;
	else
		hosts->first_waiting = host->next_waiting;
	if (host->next_waiting)
		host->next_waiting->previous_waiting = host->previous_waiting;
	else
		hosts->last_waiting = host->previous_waiting;
}

bool
herald__hosts_wait(struct herald__hosts *hosts, struct herald__queued *item)
{
	struct herald__host *host = get_or_create(hosts, item->origin);

	if (!host)
		return false;
	if (!host->first)
		append_waiting(hosts, host);
	item->next = NULL;
	*host->end = item;
	host->end = &item->next;
	return true;
}

/* Take the first delivery of a host. The host moves to the end of the list, or leaves it. */
static struct herald__queued *
take_from(struct herald__hosts *hosts, struct herald__host *host)
{
	struct herald__queued *item = host->first;

	remove_waiting(hosts, host);
	host->first = item->next;
	if (host->first)
		append_waiting(hosts, host);
	else
		host->end = &host->first;
	return item;
}

static bool
may_have_slot(const struct herald__hosts *hosts, const struct herald__host *host)
{
	size_t free_slots = hosts->slots - hosts->in_flight;

	if (host->in_flight == 0)
		return true;
	if (host->in_flight >= hosts->slots_per_host)
		return false;
	return host->answers ? free_slots > (hosts->slots + KEPT_SHARE - 1) / KEPT_SHARE
			     : host->in_flight * hosts->busy_count < free_slots;
}

struct herald__queued *
herald__hosts_next(struct herald__hosts *hosts, struct herald__host **out)
{
	if (hosts->in_flight == hosts->slots)
		return NULL;
	for (struct herald__host *host = hosts->first_waiting; host; host = host->next_waiting) {
		if (!may_have_slot(hosts, host))
			continue;
		hosts->busy_count += host->in_flight == 0;
		host->in_flight++;
		hosts->in_flight++;
		*out = host;
		return take_from(hosts, host);
	}
	return NULL;
}

void
herald__hosts_release(struct herald__hosts *hosts, struct herald__host *host)
{
	host->in_flight--;
	hosts->in_flight--;
	hosts->busy_count -= host->in_flight == 0;
	if (host->in_flight == 0 && !host->first)
		destroy(hosts, host);
}

struct herald__queued *
herald__hosts_take_waiting(struct herald__hosts *hosts)
{
	struct herald__host *host = hosts->first_waiting;

	if (!host)
		return NULL;

	struct herald__queued *item = take_from(hosts, host);
	if (host->in_flight == 0 && !host->first)
		destroy(hosts, host);
	return item;
}
