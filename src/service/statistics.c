/*
 * Statistics: the counters of a service, its routes and its upcasters, and reading them. An event
 * is counted once: by the first upcaster of its version, otherwise by its route, or, if no route
 * took it, by the service. pipeline.c decides when to count.
 */
#include "service/statistics.h"

#include "service/service.h"

static void
add(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
herald__counters_init(struct herald__counters *counters)
{
	atomic_init(&counters->done, 0);
	atomic_init(&counters->ignored, 0);
	atomic_init(&counters->retry, 0);
	atomic_init(&counters->fail, 0);
	atomic_init(&counters->rejected_invalid, 0);
	atomic_init(&counters->rejected_unknown, 0);
	atomic_init(&counters->rejected_unauthorized, 0);
	atomic_init(&counters->accepted, 0);
	atomic_init(&counters->duplicates, 0);
	counters->handled = counters->stored = (struct herald__histogram){0};
}

/* The counter for an event. These counters add up to all events. */
static _Atomic uint64_t *
counter_of(struct herald__counters *counters, const struct herald_result *result, bool ignored)
{
	if (result->verdict == HERALD_DONE)
		return ignored ? &counters->ignored : &counters->done;
	if (result->verdict == HERALD_RETRY)
		return &counters->retry;
	if (result->status == HERALD_OK)
		return &counters->fail;
	if (result->status == HERALD_UNKNOWN_TYPE || result->status == HERALD_UNKNOWN_VERSION)
		return &counters->rejected_unknown;
	if (result->status == HERALD_UNAUTHORIZED)
		return &counters->rejected_unauthorized;
	return &counters->rejected_invalid;
}

void
herald__counters_add(struct herald__counters *counters, const struct herald__bounds *bounds,
		     const struct herald_result *result, bool ignored, uint64_t nanoseconds)
{
	add(counter_of(counters, result, ignored), 1);
	herald__histogram_add(&counters->handled, bounds, nanoseconds);
}

void
herald__counters_add_accepted(struct herald__counters *counters,
			      const struct herald__bounds *bounds,
			      enum herald_acceptance acceptance, uint64_t nanoseconds)
{
	add(acceptance == HERALD_ACCEPTANCE_ACCEPTED ? &counters->accepted : &counters->duplicates,
	    1);
	herald__histogram_add(&counters->stored, bounds, nanoseconds);
}

static void
sum(const struct herald__counters *counters, struct herald_statistics *out)
{
	const uint64_t ignored = get(&counters->ignored);

	out->done += get(&counters->done) + ignored;
	out->retry += get(&counters->retry);
	out->fail += get(&counters->fail);
	out->ignored += ignored;
	out->rejected_invalid += get(&counters->rejected_invalid);
	out->rejected_unknown += get(&counters->rejected_unknown);
	out->rejected_unauthorized += get(&counters->rejected_unauthorized);
	out->accepted += get(&counters->accepted);
	out->duplicates += get(&counters->duplicates);
	out->nanoseconds += get(&counters->handled.sum_ns) + get(&counters->stored.sum_ns);
}

/* Compute the totals from the sums. */
static void
finish_sum(struct herald_statistics *out)
{
	out->rejected = out->rejected_invalid + out->rejected_unknown + out->rejected_unauthorized;
	out->events = out->done + out->retry + out->fail + out->rejected;
}

void
herald_service_statistics(const struct herald_service *service, struct herald_statistics *out)
{
	*out = (struct herald_statistics){0};
	sum(&service->counters, out);
	for (size_t i = 0; i < service->table.routes_count; i++)
		sum(&service->table.routes[i].counters, out);
	for (size_t i = 0; i < service->table.upcasts_count; i++)
		sum(&service->table.upcasts[i].counters, out);
	finish_sum(out);
}

bool
herald_service_route_statistics(const struct herald_service *service, size_t index,
				struct herald_route_statistics *out)
{
	const struct herald__route_table *table = &service->table;

	if (index >= table->routes_count)
		return false;

	const struct herald__route *route = &table->routes[index];
	*out = (struct herald_route_statistics){
		.event_type = route->declared.event_type,
		.version = route->declared.version,
	};
	sum(&route->counters, &out->counts);
	for (size_t i = 0; i < table->upcasts_count; i++)
		if (table->upcasts[i].route == route)
			sum(&table->upcasts[i].counters, &out->counts);
	finish_sum(&out->counts);
	return true;
}

bool
herald_service_upcaster_statistics(const struct herald_service *service, size_t index,
				   struct herald_upcaster_statistics *out)
{
	if (index >= service->table.upcasts_count)
		return false;

	const struct herald__upcast *upcast = &service->table.upcasts[index];
	*out = (struct herald_upcaster_statistics){
		.event_type = upcast->declared.event_type,
		.from = upcast->declared.from,
		.to = upcast->declared.to,
	};
	sum(&upcast->counters, &out->counts);
	finish_sum(&out->counts);
	return true;
}

static void
sum_all(const struct herald__counters *counters, struct herald__route_sums *out)
{
	sum(counters, &out->counts);
	herald__histogram_read(&counters->handled, &out->handled);
	herald__histogram_read(&counters->stored, &out->stored);
}

void
herald__route_sums_read(const struct herald_service *service, size_t index,
			struct herald__route_sums *out)
{
	const struct herald__route_table *table = &service->table;

	*out = (struct herald__route_sums){0};
	if (index < table->routes_count) {
		sum_all(&table->routes[index].counters, out);
		for (size_t i = 0; i < table->upcasts_count; i++)
			if (table->upcasts[i].route == &table->routes[index])
				sum_all(&table->upcasts[i].counters, out);
	} else {
		sum_all(&service->counters, out);
	}
	finish_sum(&out->counts);
}
