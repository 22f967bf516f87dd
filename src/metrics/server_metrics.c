/*
 * Metrics of a server, and of the pool that handles its events: connections, responses, tasks. Both
 * count for themselves.
 */
#include "metrics/server_metrics.h"

#include <herald/pool.h>
#include <herald/server.h>

static void
put_responses(struct herald__metrics_text *text, const struct herald_server_statistics *counts)
{
	const struct {
		const char *code;
		uint64_t count;
	} classes[] = {
		{"2xx", counts->responses_2xx},
		{"3xx", counts->responses_3xx},
		{"4xx", counts->responses_4xx},
		{"5xx", counts->responses_5xx},
	};

	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_server_responses",
			       "Responses of all paths, by the first digit of their status.");
	for (size_t i = 0; i < HERALD_COUNT(classes); i++)
		herald__metrics_value(text, HERALD__LABELS({"code", classes[i].code}),
				      classes[i].count);
}

void
herald__server_metrics_write(const struct herald_server *server, struct herald__metrics_text *text)
{
	struct herald_server_statistics counts;

	herald_server_statistics_read(server, &counts);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_server_connections",
			       "Open connections.", counts.connections);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_server_max_connections",
			       "The option max_connections. Further connections wait.",
			       counts.max_connections);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_server_accepted_connections",
			       "Connections that were accepted.", counts.accepted);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_server_refused_connections",
			       "Connections that were closed at once, because their address had "
			       "too many.",
			       counts.refused);
	put_responses(text, &counts);
}

void
herald__pool_metrics_write(struct herald_pool *pool, struct herald__metrics_text *text)
{
	struct herald_pool_statistics counts;

	herald_pool_statistics_read(pool, &counts);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_pool_queued_tasks",
			       "Tasks that wait for a thread.", counts.queued);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_pool_running_tasks",
			       "Tasks that run.", counts.running);
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_pool_tasks",
			       "Tasks by their end. The pool refuses tasks while its queue is "
			       "full, and cancels them at a stop.");
	herald__metrics_value(text, HERALD__LABELS({"result", "done"}), counts.done);
	herald__metrics_value(text, HERALD__LABELS({"result", "refused"}), counts.refused);
	herald__metrics_value(text, HERALD__LABELS({"result", "cancelled"}), counts.cancelled);
}
