/*
 * Messages that wait for a retry in the order of their key. The oldest message of a key stands for
 * the key: it is in a hash table, and has the list of the others. While it waits, it is in a heap
 * by its time as well.
 */
#include "consumer/parking.h"

#include <herald/adapter/memory.h>

bool
herald__parking_init(struct herald__parking *parking, const struct herald_allocator *allocator,
		     size_t max_messages, size_t usual_keys)
{
	size_t buckets = 16;

	*parking = (struct herald__parking){0};
	while (buckets < usual_keys)
		buckets *= 2;
	if (!herald__timer_heap_init(&parking->retries, allocator, max_messages))
		return false;
	parking->buckets =
		herald_memory_allocate_zeroed(allocator, buckets, sizeof(*parking->buckets));
	parking->buckets_count = buckets;
	if (parking->buckets)
		return true;
	herald__timer_heap_finish(&parking->retries);
	return false;
}

void
herald__parking_finish(struct herald__parking *parking)
{
	const struct herald_allocator allocator = parking->retries.allocator;

	herald_memory_release(&allocator, parking->buckets,
			      parking->buckets_count * sizeof(*parking->buckets));
	herald__timer_heap_finish(&parking->retries);
}

/* The place that points to the oldest message of a key, or to NULL. */
static struct herald__held **
find(const struct herald__parking *parking, uint64_t key_hash)
{
	struct herald__held **at = &parking->buckets[key_hash & (parking->buckets_count - 1)];

	while (*at && (*at)->key_hash != key_hash)
		at = &(*at)->bucket_next;
	return at;
}

static void
insert(struct herald__parking *parking, struct herald__held *held)
{
	struct herald__held **at = find(parking, held->key_hash);

	held->is_parked = true;
	held->bucket_next = *at;
	*at = held;
}

static void
remove_key(struct herald__parking *parking, struct herald__held *held)
{
	struct herald__held **at = find(parking, held->key_hash);

	*at = held->bucket_next;
	held->is_parked = false;
	held->bucket_next = NULL;
}

static void
wait_until(struct herald__parking *parking, struct herald__held *held, uint64_t due_ms)
{
	held->retry.due_ms = due_ms;
	herald__timer_heap_add(&parking->retries, &held->retry);
}

void
herald__parking_park(struct herald__parking *parking, struct herald__held *held, uint64_t due_ms)
{
	if (!held->is_parked) {
		insert(parking, held);
		parking->count++;
	}
	wait_until(parking, held, due_ms);
}

bool
herald__parking_wait(struct herald__parking *parking, struct herald__held *held)
{
	if (parking->count == 0 || held->key_hash == 0)
		return false;

	struct herald__held *oldest = *find(parking, held->key_hash);
	if (!oldest)
		return false;
	held->next = NULL;
	if (oldest->behind_last)
		oldest->behind_last->next = held;
	else
		oldest->behind_first = held;
	oldest->behind_last = held;
	parking->count++;
	return true;
}

uint64_t
herald__parking_next_ms(const struct herald__parking *parking)
{
	const struct herald__timer *first = herald__timer_heap_first(&parking->retries);

	return first ? first->due_ms : UINT64_MAX;
}

static struct herald__held *
held_of(struct herald__timer *timer)
{
	return (struct herald__held *)((char *)timer - offsetof(struct herald__held, retry));
}

struct herald__held *
herald__parking_take(struct herald__parking *parking, uint64_t now_ms)
{
	struct herald__timer *first = herald__timer_heap_first(&parking->retries);

	if (!first || first->due_ms > now_ms)
		return NULL;
	herald__timer_heap_remove(&parking->retries, first);
	return held_of(first);
}

void
herald__parking_end(struct herald__parking *parking, struct herald__held *held)
{
	struct herald__held *next = held->behind_first;

	if (!held->is_parked)
		return;
	remove_key(parking, held);
	parking->count--;
	if (!next)
		return;
	next->behind_first = next->next;
	next->behind_last = next->next ? held->behind_last : NULL;
	next->next = NULL;
	held->behind_first = held->behind_last = NULL;
	insert(parking, next);
	wait_until(parking, next, 0);
}

void
herald__parking_hurry_lost(struct herald__parking *parking)
{
	for (size_t i = 0; i < parking->buckets_count; i++)
		for (struct herald__held *held = parking->buckets[i]; held;
		     held = held->bucket_next) {
			if (!herald__held_is_lost(held))
				continue;
			herald__timer_heap_remove(&parking->retries, &held->retry);
			wait_until(parking, held, 0);
		}
}

void
herald__parking_take_all(struct herald__parking *parking, struct herald__held_list *out)
{
	struct herald__held *held;

	while ((held = herald__parking_take(parking, UINT64_MAX))) {
		herald__parking_end(parking, held);
		herald__held_list_add(out, held);
	}
}
