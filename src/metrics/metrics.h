/*
 * Metrics: what they are of. Private.
 */
#ifndef HERALD_SRC_METRICS_METRICS_H
#define HERALD_SRC_METRICS_METRICS_H

#include <herald/arena.h>
#include <herald/metrics.h>

struct herald_metrics {
	struct herald_metrics_options options; /* the lists and their names are in the arena */
	struct herald_arena *arena;
};

/* As herald_metrics_write(), with metrics of `server` if the options have none. It may be NULL. */
HERALD_MUST_CHECK enum herald_status
herald__metrics_write_with(const struct herald_metrics *metrics, const struct herald_server *server,
			   enum herald_metrics_format format, struct herald_buffer *out);

#endif
