/*
 * The resource api/state: counts of routes, server, pool and store, and the durations of events.
 * Deliveries and brokers are written by outside.c. It reads no database, and does not block.
 */
#include "admin/state.h"

#include "admin/call.h"
#include "admin/outside.h"
#include "service/service.h"
#include "service/statistics.h"

/* Routes. */

/* The number of durations up to each bound, and above the last one. */
static void
put_histogram(struct herald__admin_call *call, const char *key, const struct herald__bounds *bounds,
	      const struct herald__histogram_sums *sums)
{
	herald__indented_key(&call->json, key);
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "sum_us", sums->sum_ns / 1000);
	herald__indented_key(&call->json, "counts");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i <= bounds->count; i++)
		herald__indented_natural(&call->json, sums->counts[i]);
	herald__indented_end(&call->json, ']');
	herald__indented_end(&call->json, '}');
}

static void
put_counts(struct herald__admin_call *call, const struct herald_statistics *counts)
{
	herald__admin_put(call, "done", counts->done - counts->ignored);
	herald__admin_put(call, "retry", counts->retry);
	herald__admin_put(call, "fail", counts->fail);
	herald__admin_put(call, "invalid", counts->rejected_invalid);
	herald__admin_put(call, "unauthorized", counts->rejected_unauthorized);
	herald__admin_put(call, "unknown", counts->rejected_unknown);
	herald__admin_put(call, "ignored", counts->ignored);
	herald__admin_put(call, "accepted", counts->accepted);
	herald__admin_put(call, "duplicates", counts->duplicates);
}

/* The index after the last route stands for the events that no route took; their type is null. */
static void
put_route(struct herald__admin_call *call, size_t index)
{
	const struct herald_service *service = call->admin->options.service;
	const bool has_route = index < service->table.routes_count;
	const struct herald_route *route =
		has_route ? &service->table.routes[index].declared : NULL;
	struct herald__route_sums sums;

	herald__route_sums_read(service, index, &sums);
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "event_type", route ? route->event_type : NULL);
	herald__admin_put_text(call, "version", route ? route->version : NULL);
	put_counts(call, &sums.counts);
	put_histogram(call, "durations", &service->duration_bounds, &sums.handled);
	herald__indented_end(&call->json, '}');
}

static void
put_routes(struct herald__admin_call *call)
{
	const struct herald_service *service = call->admin->options.service;

	herald__indented_key(&call->json, "bounds_us");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < service->duration_bounds.count; i++)
		herald__indented_natural(&call->json, service->duration_bounds.ns[i] / 1000);
	herald__indented_end(&call->json, ']');
	herald__indented_key(&call->json, "routes");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i <= service->table.routes_count; i++)
		put_route(call, i);
	herald__indented_end(&call->json, ']');
}

/* Server and pool. */

static void
put_server(struct herald__admin_call *call)
{
	struct herald_server_statistics counts;

	herald_server_statistics_read(call->server, &counts);
	herald__indented_key(&call->json, "server");
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "connections", counts.connections);
	herald__admin_put(call, "max_connections", counts.max_connections);
	herald__admin_put(call, "accepted", counts.accepted);
	herald__admin_put(call, "refused", counts.refused);
	herald__admin_put(call, "responses_2xx", counts.responses_2xx);
	herald__admin_put(call, "responses_3xx", counts.responses_3xx);
	herald__admin_put(call, "responses_4xx", counts.responses_4xx);
	herald__admin_put(call, "responses_5xx", counts.responses_5xx);
	herald__indented_end(&call->json, '}');
}

static void
put_pool(struct herald__admin_call *call)
{
	struct herald_pool_statistics counts;

	herald_pool_statistics_read(call->admin->options.pool, &counts);
	herald__indented_key(&call->json, "pool");
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "queued", counts.queued);
	herald__admin_put(call, "running", counts.running);
	herald__admin_put(call, "done", counts.done);
	herald__admin_put(call, "cancelled", counts.cancelled);
	herald__admin_put(call, "refused", counts.refused);
	herald__indented_end(&call->json, '}');
}

/* The store. */

static void
put_store_counts(struct herald__admin_call *call, const struct herald_store_statistics *counts)
{
	herald__admin_put(call, "accepted", counts->accepted);
	herald__admin_put(call, "duplicates", counts->duplicates);
	herald__admin_put(call, "refused", counts->refused);
	herald__admin_put(call, "runs", counts->runs);
	herald__admin_put(call, "done", counts->done);
	herald__admin_put(call, "retries", counts->retries);
	herald__admin_put(call, "dead", counts->dead);
	herald__admin_put(call, "interrupted", counts->interrupted);
	herald__admin_put(call, "lost", counts->lost);
	herald__admin_put(call, "commits", counts->commits);
	herald__admin_put(call, "failures", counts->failures);
	herald__admin_put(call, "running", counts->running);
	herald__admin_put(call, "claimed", counts->claimed);
}

static void
put_backlog(struct herald__admin_call *call, const char *key,
	    const struct herald_backlog_count *counts)
{
	herald__indented_key(&call->json, key);
	herald__indented_begin(&call->json, '{');
	for (int i = HERALD_COUNT_READY; i <= HERALD_COUNT_DEAD; i++) {
		herald__indented_key(&call->json,
				     herald_count_state_name((enum herald_count_state)i));
		herald__indented_begin(&call->json, '{');
		herald__admin_put(call, "count", counts[i].count);
		herald__admin_put(call, "oldest_age_ms", counts[i].oldest_age_ms);
		herald__indented_end(&call->json, '}');
	}
	herald__indented_end(&call->json, '}');
}

static void
put_store(struct herald__admin_call *call)
{
	struct herald_store *store = call->admin->options.store;
	struct herald_store_statistics counts;
	struct herald_store_backlog backlog;
	struct herald_error error;

	herald_store_statistics_read(store, &counts);
	herald_store_backlog_read(store, &backlog);
	herald__indented_key(&call->json, "store");
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "problem",
			       herald_store_health(store, &error) == HERALD_OK ? NULL
									       : error.message);
	put_store_counts(call, &counts);
	herald__admin_put_bool(call, "is_counted", backlog.counted_ms != 0);
	put_backlog(call, "events", backlog.events);
	put_backlog(call, "deliveries", backlog.deliveries);
	herald__indented_end(&call->json, '}');
}

void
herald__admin_state(struct herald__admin_call *call)
{
	const struct herald_admin *admin = call->admin;
	const struct herald_admin_options *options = &admin->options;

	herald__indented_begin(&call->json, '{');
	herald__admin_put_time(call, "time", herald__clock_wall_ms(&admin->clock));
	herald__admin_put_time(call, "began", admin->began_ms);
	herald__admin_put(call, "clock_ms", herald__clock_now_ms(&admin->clock));
	if (options->service)
		put_routes(call);
	if (call->server)
		put_server(call);
	if (options->pool)
		put_pool(call);
	if (options->store)
		put_store(call);
	herald__admin_put_outside(call);
	herald__indented_end(&call->json, '}');
}
