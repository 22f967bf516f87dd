/*
 * Watermarks. Owns them, and the mutex; claims are elsewhere. See the header for the rules.
 */
#include "watermark.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "times.h"

/* How far behind the present a watermark stays. */
#define SLACK_MS 200

/* A full scan is costly from this number of pages on: they have some thousand dead rows. */
#define COSTLY_PAGES 100

/* Between costly full scans, if claims find what they ask for, and if they do not. */
#define FULL_SCAN_MS 1000
#define SHORT_SCAN_MS 10

/* A full scan costs a tenth of the time at most. */
#define SCAN_SHARE 10

int
herald__postgres_watermarks_init(struct postgres_watermarks *watermarks,
				 const struct herald_allocator *allocator)
{
	watermarks->allocator = *allocator;
	watermarks->first = NULL;
	return pthread_mutex_init(&watermarks->mutex, NULL);
}

void
herald__postgres_watermarks_finish(struct postgres_watermarks *watermarks)
{
	struct postgres_watermark *next;

	for (struct postgres_watermark *mark = watermarks->first; mark; mark = next) {
		next = mark->next;
		herald_memory_release(&watermarks->allocator, mark, sizeof(*mark));
	}
	pthread_mutex_destroy(&watermarks->mutex);
}

/* With the mutex held. A new watermark is at the beginning. */
static struct postgres_watermark *
find(struct postgres_watermarks *watermarks, const char *queue)
{
	struct postgres_watermark *mark = watermarks->first;

	while (mark && (mark->is_delivery != !queue || (queue && strcmp(mark->queue, queue) != 0)))
		mark = mark->next;
	if (mark || (queue && strlen(queue) >= sizeof(mark->queue)))
		return mark;
	mark = herald_memory_allocate_zeroed(&watermarks->allocator, 1, sizeof(*mark));
	if (!mark)
		return NULL;
	mark->is_delivery = !queue;
	if (queue)
		memcpy(mark->queue, queue, strlen(queue) + 1);
	mark->place = POSTGRES_BEGINNING;
	mark->next = watermarks->first;
	watermarks->first = mark;
	return mark;
}

/* Whether it is time for a full scan. */
static bool
is_due(const struct postgres_watermark *mark, bool was_short)
{
	int64_t pause_ms = was_short ? SHORT_SCAN_MS : FULL_SCAN_MS;

	if (pause_ms < mark->full_scan_cost_ms * SCAN_SHARE)
		pause_ms = mark->full_scan_cost_ms * SCAN_SHARE;
	return herald__postgres_clock_ms() - mark->full_scan_ms >= pause_ms;
}

enum herald_status
herald__postgres_scan_begin(struct postgres_watermarks *watermarks, const char *queue,
			    bool must_be_full, struct postgres_scan *out)
{
	pthread_mutex_lock(&watermarks->mutex);
	struct postgres_watermark *mark = find(watermarks, queue);
	if (mark) {
		out->watermark = mark;
		out->changes = mark->changes;
		out->is_full = must_be_full || !mark->is_costly || is_due(mark, mark->was_short);
		out->from = out->is_full ? POSTGRES_BEGINNING : mark->place;
	}
	pthread_mutex_unlock(&watermarks->mutex);
	return mark ? HERALD_OK : HERALD_NO_MEMORY;
}

bool
herald__postgres_scan_again(struct postgres_watermarks *watermarks,
			    const struct postgres_scan *scan)
{
	pthread_mutex_lock(&watermarks->mutex);
	bool again = !scan->is_full && is_due(scan->watermark, true);
	pthread_mutex_unlock(&watermarks->mutex);
	return again;
}

static bool
is_before(struct postgres_place a, struct postgres_place b)
{
	return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.id < b.id);
}

/* Where a watermark may be after a scan that ended at `last`. */
static struct postgres_place
keep_slack(struct postgres_place last, int64_t now_ms)
{
	if (now_ms > INT64_MIN + SLACK_MS && last.due_ms > now_ms - SLACK_MS)
		return (struct postgres_place){now_ms - SLACK_MS, 0};
	return last;
}

void
herald__postgres_scan_end(struct postgres_watermarks *watermarks, const struct postgres_scan *scan,
			  const struct postgres_found *found)
{
	struct postgres_watermark *mark = scan->watermark;

	pthread_mutex_lock(&watermarks->mutex);
	mark->was_short = found->is_short;
	if (scan->is_full && found->pages >= 0) {
		mark->is_costly = found->pages >= COSTLY_PAGES;
		mark->full_scan_cost_ms = found->cost_ms;
		mark->full_scan_ms = herald__postgres_clock_ms();
	}
	/* What was made READY during the scan may be behind it. */
	if (found->last && mark->changes == scan->changes) {
		struct postgres_place place = keep_slack(*found->last, found->now_ms);

		/* A full scan that finds older rows says where they begin. */
		if (scan->is_full || is_before(mark->place, place))
			mark->place = place;
	}
	pthread_mutex_unlock(&watermarks->mutex);
}

void
herald__postgres_watermarks_lower(struct postgres_watermarks *watermarks, bool is_delivery,
				  int64_t due_ms)
{
	struct postgres_place place = {due_ms, 0};

	pthread_mutex_lock(&watermarks->mutex);
	for (struct postgres_watermark *mark = watermarks->first; mark; mark = mark->next)
		if (mark->is_delivery == is_delivery) {
			mark->changes++;
			if (is_before(place, mark->place))
				mark->place = place;
		}
	pthread_mutex_unlock(&watermarks->mutex);
}
