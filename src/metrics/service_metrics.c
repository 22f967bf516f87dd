/*
 * Metrics of a service: events of each route by verdict, and how long they took. Counting is in
 * ../service/statistics.c.
 */
#include "metrics/service_metrics.h"

#include "service/service.h"
#include "service/statistics.h"

/* No version of a route is "*", which is refused as a pattern; "" is a version. */
#define ANY_VERSION "*"

/* The labels of a route. The index after the last route stands for the events that no route took;
 * their labels are empty. */
struct route {
	const char *event_type;
	const char *version;
	struct herald__route_sums sums;
};

static struct route
read_route(const struct herald_service *service, size_t index)
{
	struct route route = {.event_type = "", .version = ""};

	if (index < service->table.routes_count) {
		const struct herald_route *declared = &service->table.routes[index].declared;

		route.event_type = declared->event_type;
		route.version = declared->version ? declared->version : ANY_VERSION;
	}
	herald__route_sums_read(service, index, &route.sums);
	return route;
}

static size_t
rows_count(const struct herald_service *service)
{
	return service->table.routes_count + 1;
}

/* Events. */

struct verdict {
	const char *name;
	uint64_t count;
};

static void
put_verdicts(struct herald__metrics_text *text, const struct route *route, bool has_route)
{
	const struct herald_statistics *counts = &route->sums.counts;
	const struct verdict verdicts[] = {
		/* This is the sum of counters of their own, so it never falls. */
		{"done", counts->done - counts->ignored},
		{"retry", counts->retry},
		{"fail", counts->fail},
		{"invalid", counts->rejected_invalid},
		{"unauthorized", counts->rejected_unauthorized},
		/* Not of routes, which know the event. */
		{"unknown", counts->rejected_unknown},
		{"ignored", counts->ignored},
	};

	for (size_t i = 0; i < HERALD_COUNT(verdicts) - (has_route ? 2 : 0); i++)
		herald__metrics_value(text,
				      HERALD__LABELS({"event_type", route->event_type},
						     {"version", route->version},
						     {"verdict", verdicts[i].name}),
				      verdicts[i].count);
}

static void
write_events(const struct herald_service *service, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_events",
			       "Events that were handled, or runs of stored events, by verdict.");
	for (size_t i = 0; i < rows_count(service); i++) {
		const struct route route = read_route(service, i);

		put_verdicts(text, &route, i < service->table.routes_count);
	}
}

static void
write_stored(const struct herald_service *service, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_accepted_events",
			       "Events that the store has taken, or has known before.");
	for (size_t i = 0; i < rows_count(service); i++) {
		const struct route route = read_route(service, i);
		const struct verdict results[] = {
			{"accepted", route.sums.counts.accepted},
			{"duplicate", route.sums.counts.duplicates},
		};

		for (size_t k = 0; k < HERALD_COUNT(results); k++)
			herald__metrics_value(text,
					      HERALD__LABELS({"event_type", route.event_type},
							     {"version", route.version},
							     {"result", results[k].name}),
					      results[k].count);
	}
}

static void
write_upcasters(const struct herald_service *service, struct herald__metrics_text *text)
{
	struct herald_upcaster_statistics upcaster;

	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_upcaster_events",
			       "Events that came in an old version, which is the label from. They "
			       "count for their route, too.");
	for (size_t i = 0; herald_service_upcaster_statistics(service, i, &upcaster); i++)
		herald__metrics_value(text,
				      HERALD__LABELS({"event_type", upcaster.event_type},
						     {"from", upcaster.from}, {"to", upcaster.to}),
				      upcaster.counts.events + upcaster.counts.accepted +
					      upcaster.counts.duplicates);
}

/* Durations. */

static void
write_durations(const struct herald_service *service, struct herald__metrics_text *text,
		bool are_stored)
{
	for (size_t i = 0; i < rows_count(service); i++) {
		const struct route route = read_route(service, i);

		herald__metrics_histogram(text,
					  HERALD__LABELS({"event_type", route.event_type},
							 {"version", route.version}),
					  &service->duration_bounds,
					  are_stored ? &route.sums.stored : &route.sums.handled);
	}
}

void
herald__service_metrics_write(const struct herald_service *service,
			      struct herald__metrics_text *text)
{
	write_events(service, text);
	herald__metrics_family(text, HERALD__METRIC_HISTOGRAM, "herald_event_duration_seconds",
			       "Time to handle an event, or to run a stored one, without waiting.");
	write_durations(service, text, false);
	if (service->table.upcasts_count > 0)
		write_upcasters(service, text);
	if (!service->inbox)
		return;
	write_stored(service, text);
	herald__metrics_family(text, HERALD__METRIC_HISTOGRAM, "herald_accept_duration_seconds",
			       "Time from the arrival of an event until it was stored.");
	write_durations(service, text, true);
}
