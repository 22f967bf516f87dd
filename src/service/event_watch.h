/*
 * The last outcomes of a service's events. They are kept from the first request for them to 10 s
 * after the last one. Private.
 */
#ifndef HERALD_SRC_SERVICE_EVENT_WATCH_H
#define HERALD_SRC_SERVICE_EVENT_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/context.h>

#include "service/service.h"

#define HERALD__EVENT_WATCH_COUNT 256
#define HERALD__EVENT_WATCH_MS 10000

/* How an event ended. Texts are lines as herald__text_line() writes them; "" is none. */
struct herald__event_entry {
	uint64_t number;  /* from 1; only events that were watched have one */
	int64_t ended_ms; /* since 1970 */
	uint64_t nanoseconds;
	const char *verdict; /* as documented for api/events */
	const char *status;  /* NULL: HERALD_OK */
	size_t offset;       /* HERALD_NO_OFFSET: none */
	unsigned http_status;
	unsigned attempts;
	char event_type[96];
	char version[64];
	char id[96];
	char path[128];
	char reason[160];
};

/* What was read. */
struct herald__event_read {
	uint64_t last;  /* the number of the last entry that there is; 0: none */
	uint64_t lost;  /* entries after `after` that were overwritten */
	size_t count;   /* of the entries that follow `after` */
	uint64_t watch; /* from 1; one more after 10 s without a request, since it was off then */
};

/* No entry: it only begins to watch. */
#define HERALD__EVENT_WATCH_NOW UINT64_MAX

/* Whether there ever was a request. */
static inline bool
herald__event_has_watch(struct herald_service *service)
{
	return atomic_load_explicit(&service->watch, memory_order_relaxed);
}

/*
 * Keep an event's outcome, if it is watched. Any thread.
 *
 * ctx          may be NULL.
 * nanoseconds  how long it took.
 * end_ns       when it ended, by the service's clock.
 */
void herald__event_watch(struct herald_service *service, const struct herald_context *ctx,
			 const struct herald_result *result, uint64_t nanoseconds, uint64_t end_ns);

/*
 * Read what ended after entry `after`, and watch the events of the next 10 s. Any thread.
 *
 * after    0: all that there are.
 * entries  has room for HERALD__EVENT_WATCH_COUNT.
 * Errors   HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__event_watch_read(struct herald_service *service, uint64_t after,
			 struct herald__event_entry *entries, struct herald__event_read *out);

/* With the service, after its last event. */
void herald__event_watch_destroy(struct herald_service *service);

#endif
