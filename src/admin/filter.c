/*
 * Which dead letters a request means: the arguments of a query, and checks of what a query or a
 * body has given. The store applies the filter.
 */
#include "admin/filter.h"

#include <stddef.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "admin/call.h"
#include "admin/query.h"

/* Queries. */

static const struct herald__admin_argument arguments[] = {
	{"kind", offsetof(struct herald__admin_filter, kind), false, 0},
	{"id", offsetof(struct herald__admin_filter, id), false, 0},
	{"queue", offsetof(struct herald__admin_filter, queue), false, 0},
	{"event_type", offsetof(struct herald__admin_filter, event_type), false, 0},
	{"source", offsetof(struct herald__admin_filter, source), false, 0},
	{"event_id", offsetof(struct herald__admin_filter, event_id), false, 0},
	{"destination", offsetof(struct herald__admin_filter, destination), false, 0},
	{"why", offsetof(struct herald__admin_filter, why), false, 0},
	{"after", offsetof(struct herald__admin_filter, after), false, 0},
	{"from_ms", offsetof(struct herald__admin_filter, from_ms), true, 0},
	{"to_ms", offsetof(struct herald__admin_filter, to_ms), true, 1},
	{"limit", offsetof(struct herald__admin_filter, limit), true, 1},
};

bool
herald__admin_filter_read(struct herald__admin_call *call, struct herald__admin_filter *out)
{
	*out = (struct herald__admin_filter){0};
	return herald__admin_query_read(call, arguments, HERALD_COUNT(arguments), out);
}

/* Filters. */

bool
herald__admin_filter_is_empty(const struct herald__admin_filter *filter)
{
	return !filter->id && !filter->why && !filter->queue && !filter->event_type &&
	       !filter->source && !filter->event_id && !filter->destination;
}

bool
herald__admin_id_read(const char *text, uint64_t *out)
{
	return herald_ascii_number(text, INT64_MAX, out) && *out > 0;
}

static bool
resolve_kind(struct herald__admin_call *call, const char *text, enum herald_dead_kind *out)
{
	if (!text)
		*out = HERALD_DEAD_BOTH;
	else if (strcmp(text, "event") == 0)
		*out = HERALD_DEAD_EVENTS;
	else if (strcmp(text, "delivery") == 0)
		*out = HERALD_DEAD_DELIVERIES;
	else
		herald__admin_refuse(call, 400, "kind: expected event or delivery, not \"%s\"",
				     text);
	return call->response->status == 200;
}

static bool
resolve_reason(struct herald__admin_call *call, const char *text, enum herald_dead_reason *out)
{
	*out = HERALD_DEAD_ANY;
	if (!text)
		return true;
	for (int i = HERALD_DEAD_ANY + 1; i < HERALD_DEAD_REASON_COUNT; i++) {
		*out = (enum herald_dead_reason)i;
		if (strcmp(herald_dead_reason_name(*out), text) == 0)
			return true;
	}
	herald__admin_refuse(call, 400, "why: there is no reason \"%s\"", text);
	return false;
}

static bool
resolve_id(struct herald__admin_call *call, const char *name, const char *text, uint64_t *out)
{
	*out = 0;
	if (!text || herald__admin_id_read(text, out))
		return true;
	herald__admin_refuse(call, 400, "%s: expected an id, not \"%s\"", name, text);
	return false;
}

bool
herald__admin_filter_resolve(struct herald__admin_call *call,
			     const struct herald__admin_filter *filter,
			     struct herald_dead_filter *out)
{
	*out = (struct herald_dead_filter){
		.queue = filter->queue,
		.event_type = filter->event_type,
		.source = filter->source,
		.event_id = filter->event_id,
		.destination = filter->destination,
		.from_ms = filter->from_ms,
		.to_ms = filter->to_ms,
	};
	return resolve_kind(call, filter->kind, &out->kind) &&
	       resolve_reason(call, filter->why, &out->reason) &&
	       resolve_id(call, "id", filter->id, &out->id) &&
	       resolve_id(call, "after", filter->after, &out->after_id);
}
