/*
 * The resource api/events: how events ended after the entry that the query names. The service keeps
 * them from the first request to 10 s after the last one: event_watch.c.
 */
#include "admin/events.h"

#include "admin/call.h"
#include "admin/query.h"
#include "admin/schema.h"
#include "service/event_watch.h"

struct query {
	uint64_t after; /* HERALD__EVENT_WATCH_NOW without the argument */
};

static const struct herald__admin_argument arguments[] = {
	{"after", offsetof(struct query, after), true, 0},
};

static void
put_if_any(struct herald__admin_call *call, const char *key, const char *text)
{
	herald__admin_put_text(call, key, *text != '\0' ? text : NULL);
}

static void
put_entry(struct herald__admin_call *call, const struct herald__event_entry *entry)
{
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "number", entry->number);
	herald__admin_put_time(call, "time", entry->ended_ms);
	herald__admin_put_text(call, "verdict", entry->verdict);
	put_if_any(call, "event_type", entry->event_type);
	put_if_any(call, "version", entry->version);
	put_if_any(call, "id", entry->id);
	herald__admin_put(call, "duration_ns", entry->nanoseconds);
	if (entry->attempts > 0)
		herald__admin_put(call, "attempts", entry->attempts);
	if (entry->http_status != 0)
		herald__admin_put(call, "http_status", entry->http_status);
	herald__admin_put_text(call, "status", entry->status);
	put_if_any(call, "path", entry->path);
	if (entry->offset != HERALD_NO_OFFSET)
		herald__admin_put(call, "offset", entry->offset);
	put_if_any(call, "reason", entry->reason);
	herald__indented_end(&call->json, '}');
}

static void
put_entries(struct herald__admin_call *call, const struct herald__event_entry *entries,
	    const struct herald__event_read *read)
{
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "last", read->last);
	herald__admin_put(call, "lost", read->lost);
	herald__admin_put_time(call, "began", call->admin->began_ms);
	herald__admin_put(call, "watch", read->watch);
	herald__indented_key(&call->json, "events");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < read->count; i++)
		put_entry(call, &entries[i]);
	herald__indented_end(&call->json, ']');
	herald__indented_end(&call->json, '}');
}

void
herald__admin_events(struct herald__admin_call *call)
{
	/* To watch its events changes nothing that the caller of herald_admin_create() sees. */
	struct herald_service *service = (struct herald_service *)herald__admin_service_of(call);
	struct query query = {.after = HERALD__EVENT_WATCH_NOW};
	struct herald__event_read read;

	if (!service || !herald__admin_query_read(call, arguments, HERALD_COUNT(arguments), &query))
		return;
	struct herald__event_entry *entries =
		herald_arena_alloc(call->arena, HERALD__EVENT_WATCH_COUNT * sizeof(*entries));
	if (!entries ||
	    herald__event_watch_read(service, query.after, entries, &read) != HERALD_OK) {
		call->json.status = HERALD_NO_MEMORY;
		return;
	}
	put_entries(call, entries, &read);
}
