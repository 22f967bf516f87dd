/*
 * The members of api/state about what is outside of the process: deliveries by the class of their
 * destination, consumers and producers. All of them count for themselves.
 */
#include "admin/outside.h"

#include <herald/consumer.h>
#include <herald/producer.h>

#include "admin/call.h"
#include "delivery/deliverer.h"
#include "delivery/tally.h"

/* Deliveries. */

static void
put_tally(struct herald__admin_call *call, const struct herald__tally *tally)
{
	herald__indented_begin(&call->json, '{');
	for (int i = 0; i < HERALD__TALLY_OUTCOMES; i++)
		herald__admin_put(call, herald__tally_outcome_name((enum herald__tally_outcome)i),
				  atomic_load_explicit(&tally->outcomes[i], memory_order_relaxed));
	herald__indented_key(&call->json, "attempts");
	herald__indented_begin(&call->json, '{');
	for (int i = 0; i < HERALD__TALLY_RESULTS; i++)
		herald__admin_put(call, herald__tally_result_name((enum herald__tally_result)i),
				  atomic_load_explicit(&tally->results[i], memory_order_relaxed));
	herald__indented_end(&call->json, '}');
	herald__indented_end(&call->json, '}');
}

static void
put_classes(struct herald__admin_call *call, const struct herald_deliverer *deliverer)
{
	herald__indented_key(&call->json, "classes");
	herald__indented_begin(&call->json, '{');
	for (int i = 0; i < HERALD__HOST_CLASSES; i++) {
		herald__indented_key(&call->json,
				     herald__host_class_name((enum herald__host_class)i));
		put_tally(call, &deliverer->tallies[i]);
	}
	herald__indented_end(&call->json, '}');
}

static void
put_host(struct herald__admin_call *call, const struct herald__recent_host *host)
{
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "origin", host->origin);
	herald__admin_put(call, "attempts", host->attempts);
	herald__admin_put(call, "delivered", host->delivered);
	herald__admin_put(call, "failing", host->failing);
	herald__admin_put_text(call, "error", host->error);
	herald__admin_put(call, "elapsed_ms", host->elapsed_ms);
	herald__admin_put_time(call, "ended", host->ended_ms);
	herald__indented_end(&call->json, '}');
}

static void
put_hosts(struct herald__admin_call *call, struct herald_deliverer *deliverer)
{
	struct herald__recent_host *hosts =
		herald_arena_alloc(call->arena, HERALD__RECENT_HOSTS * sizeof(*hosts));

	if (!hosts) {
		call->json.status = HERALD_NO_MEMORY;
		return;
	}
	pthread_mutex_lock(&deliverer->mutex);
	const size_t count = herald__recent_hosts_copy(&deliverer->recent_hosts, hosts);
	pthread_mutex_unlock(&deliverer->mutex);
	herald__indented_key(&call->json, "hosts");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < count; i++)
		put_host(call, &hosts[i]);
	herald__indented_end(&call->json, ']');
}

static void
put_deliverer(struct herald__admin_call *call, struct herald_deliverer *deliverer)
{
	struct herald_delivery_statistics counts;

	herald_deliverer_statistics(deliverer, &counts);
	herald__indented_key(&call->json, "deliverer");
	herald__indented_begin(&call->json, '{');
	herald__admin_put(call, "accepted", counts.accepted);
	herald__admin_put(call, "resumed", counts.resumed);
	herald__admin_put(call, "delivered", counts.delivered);
	herald__admin_put(call, "failed", counts.failed);
	herald__admin_put(call, "refused", counts.refused);
	herald__admin_put(call, "attempts", counts.attempts);
	herald__admin_put(call, "retries", counts.retries);
	herald__admin_put(call, "pending", counts.pending);
	herald__admin_put(call, "in_flight", counts.in_flight);
	herald__admin_put(call, "content_bytes", counts.content_bytes);
	put_classes(call, deliverer);
	put_hosts(call, deliverer);
	herald__indented_end(&call->json, '}');
}

/* Brokers. */

static void
put_consumer(struct herald__admin_call *call, const struct herald_named_consumer *named)
{
	struct herald_consumer_statistics counts;
	struct herald_error error;

	herald_consumer_statistics_read(named->consumer, &counts);
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "name", named->name);
	herald__admin_put_text(call, "state", herald_consumer_state_name(counts.state));
	herald__admin_put_text(call, "problem",
			       herald_consumer_health(named->consumer, &error) == HERALD_OK
				       ? NULL
				       : error.message);
	herald__admin_put(call, "received", counts.received);
	herald__admin_put(call, "redelivered", counts.redelivered);
	herald__admin_put(call, "runs", counts.runs);
	herald__admin_put(call, "done", counts.done);
	herald__admin_put(call, "retries", counts.retries);
	herald__admin_put(call, "dead", counts.dead);
	herald__admin_put(call, "released", counts.released);
	herald__admin_put(call, "connections", counts.connections);
	herald__admin_put(call, "failures", counts.failures);
	herald__admin_put(call, "in_flight", counts.in_flight);
	herald__admin_put(call, "parked", counts.parked);
	herald__indented_end(&call->json, '}');
}

static void
put_producer(struct herald__admin_call *call, const struct herald_named_producer *named)
{
	struct herald_producer_statistics counts;
	struct herald_error error;

	herald_producer_statistics_read(named->producer, &counts);
	herald__indented_begin(&call->json, '{');
	herald__admin_put_text(call, "name", named->name);
	herald__admin_put_text(call, "problem",
			       herald_producer_health(named->producer, &error) == HERALD_OK
				       ? NULL
				       : error.message);
	herald__admin_put(call, "submitted", counts.submitted);
	herald__admin_put(call, "confirmed", counts.confirmed);
	herald__admin_put(call, "failed", counts.failed);
	herald__admin_put(call, "repeated", counts.repeated);
	herald__admin_put(call, "connections", counts.connections);
	herald__admin_put(call, "failures", counts.failures);
	herald__admin_put(call, "pending", counts.pending);
	herald__indented_end(&call->json, '}');
}

static void
put_brokers(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;

	herald__indented_key(&call->json, "consumers");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < options->consumers_count; i++)
		put_consumer(call, &options->consumers[i]);
	herald__indented_end(&call->json, ']');
	herald__indented_key(&call->json, "producers");
	herald__indented_begin(&call->json, '[');
	for (size_t i = 0; i < options->producers_count; i++)
		put_producer(call, &options->producers[i]);
	herald__indented_end(&call->json, ']');
}

void
herald__admin_put_outside(struct herald__admin_call *call)
{
	const struct herald_admin_options *options = &call->admin->options;

	if (options->deliverer)
		put_deliverer(call, options->deliverer);
	if (options->consumers_count + options->producers_count > 0)
		put_brokers(call);
}
