/*
 * The last outcomes of a service's events: a ring that its threads write and readers copy, under a
 * mutex. Owns its memory, which is taken at the first request and freed with the service.
 */
#include "service/event_watch.h"

#include <pthread.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/time.h>

#include "base/safe_text.h"

struct herald__event_ring {
	_Atomic uint64_t until_ns; /* by the service's clock; relaxed, since it guards no memory */
	pthread_mutex_t mutex;     /* protects the rest */
	uint64_t watch;            /* how often it was switched on */
	uint64_t last;             /* the number of the last entry; entry N is at N modulo COUNT */
	struct herald__event_entry entries[HERALD__EVENT_WATCH_COUNT];
};

/* Entries. */

static const char *
verdict_of(const struct herald_context *ctx, const struct herald_result *result)
{
	if (ctx && ctx->ignored)
		return "ignored";
	if (result->acceptance != HERALD_ACCEPTANCE_NONE)
		return herald_acceptance_name(result->acceptance);
	if (result->verdict == HERALD_FAIL && result->status != HERALD_OK)
		return "rejected";
	return herald_verdict_name(result->verdict);
}

static int64_t
wall_ms(void)
{
	const struct herald_time now = herald_time_now();

	return now.seconds * 1000 + now.nanoseconds / 1000000;
}

static void
set_text(char *out, size_t size, const char *text)
{
	if (text)
		herald__text_line(out, size, text, strlen(text), false);
}

static void
set_identity(struct herald__event_entry *entry, const struct herald_context *ctx)
{
	entry->attempts = herald_context_attempt(ctx);
	if (!ctx->message)
		return;
	set_text(entry->event_type, sizeof(entry->event_type), ctx->message->event_type);
	set_text(entry->version, sizeof(entry->version), herald_context_version(ctx));
	set_text(entry->id, sizeof(entry->id), herald_context_id(ctx));
}

void
herald__event_watch(struct herald_service *service, const struct herald_context *ctx,
		    const struct herald_result *result, uint64_t nanoseconds, uint64_t end_ns)
{
	struct herald__event_ring *ring =
		atomic_load_explicit(&service->watch, memory_order_acquire);

	if (!ring || end_ns >= atomic_load_explicit(&ring->until_ns, memory_order_relaxed))
		return;
	struct herald__event_entry entry = {
		.ended_ms = wall_ms(),
		.nanoseconds = nanoseconds,
		.verdict = verdict_of(ctx, result),
		.status = result->status != HERALD_OK ? herald_status_name(result->status) : NULL,
		.offset = result->error.offset,
		.http_status = result->http_status,
	};
	if (ctx)
		set_identity(&entry, ctx);
	set_text(entry.path, sizeof(entry.path), result->error.path);
	set_text(entry.reason, sizeof(entry.reason), result->error.message);

	pthread_mutex_lock(&ring->mutex);
	entry.number = ++ring->last;
	ring->entries[entry.number % HERALD__EVENT_WATCH_COUNT] = entry;
	pthread_mutex_unlock(&ring->mutex);
}

/* Memory. */

static void
free_ring(const struct herald_allocator *allocator, struct herald__event_ring *ring)
{
	pthread_mutex_destroy(&ring->mutex);
	herald_memory_release(allocator, ring, sizeof(*ring));
}

/* The ring, which is made if there is none; NULL when out of memory. */
static struct herald__event_ring *
take_ring(struct herald_service *service)
{
	const struct herald_allocator *allocator = &service->allocator;
	struct herald__event_ring *there =
		atomic_load_explicit(&service->watch, memory_order_acquire);

	if (there)
		return there;
	struct herald__event_ring *ring =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*ring));
	if (!ring)
		return NULL;
	if (pthread_mutex_init(&ring->mutex, NULL) != 0) {
		herald_memory_release(allocator, ring, sizeof(*ring));
		return NULL;
	}
	if (atomic_compare_exchange_strong(&service->watch, &there, ring))
		return ring;
	free_ring(allocator, ring); /* Another thread was first. */
	return there;
}

void
herald__event_watch_destroy(struct herald_service *service)
{
	struct herald__event_ring *ring =
		atomic_load_explicit(&service->watch, memory_order_acquire);

	if (ring)
		free_ring(&service->allocator, ring);
}

/* Reading. */

static void
copy_entries(const struct herald__event_ring *ring, uint64_t after,
	     struct herald__event_entry *entries, struct herald__event_read *out)
{
	uint64_t first = after + 1;

	if (after >= ring->last)
		return;
	if (ring->last - after > HERALD__EVENT_WATCH_COUNT) {
		first = ring->last - HERALD__EVENT_WATCH_COUNT + 1;
		out->lost = first - after - 1;
	}
	for (uint64_t number = first; number <= ring->last; number++)
		entries[out->count++] = ring->entries[number % HERALD__EVENT_WATCH_COUNT];
}

enum herald_status
herald__event_watch_read(struct herald_service *service, uint64_t after,
			 struct herald__event_entry *entries, struct herald__event_read *out)
{
	struct herald__event_ring *ring = take_ring(service);

	if (!ring)
		return HERALD_NO_MEMORY;
	const uint64_t now_ns = herald__clock_now_ns(service->clock);
	pthread_mutex_lock(&ring->mutex);
	const uint64_t until_ns = atomic_exchange_explicit(
		&ring->until_ns, now_ns + HERALD__EVENT_WATCH_MS * HERALD__MS_NS,
		memory_order_relaxed);
	ring->watch += now_ns >= until_ns;
	*out = (struct herald__event_read){.watch = ring->watch, .last = ring->last};
	copy_entries(ring, after, entries, out);
	pthread_mutex_unlock(&ring->mutex);
	return HERALD_OK;
}
