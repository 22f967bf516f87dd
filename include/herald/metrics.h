/*
 * Metrics for Prometheus and for other readers of its format: what a process has counted, how long
 * events took, what waits.
 *
 *	herald_metrics_create(&HERALD_METRICS_OPTIONS(.service = service), &metrics, &error);
 *
 *	const struct herald_server_path paths[] = {herald_metrics_path(metrics)};
 *	herald_serve(service, &HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)), &error);
 *
 * Then `curl http://127.0.0.1:8080/metrics` prints them. docs/metrics.md lists them all.
 *
 * All series are there from the start, with the value 0. Labels have values from the options only,
 * such as the types of routes; nothing that a client sends becomes a label.
 */
#ifndef HERALD_METRICS_H
#define HERALD_METRICS_H

#include <stddef.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/buffer.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/pool.h>
#include <herald/server.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_metrics;
struct herald_consumer;

/** A consumer (herald/consumer.h) with the name that its metrics have. */
struct herald_named_consumer {
	const char *name;                 /**< 1 to 63 letters, digits, '-', '.' and '_'. */
	struct herald_consumer *consumer; /**< Borrowed. */
};

/** The option `consumers` and its count. */
#define HERALD_CONSUMERS(ARRAY) .consumers = (ARRAY), .consumers_count = HERALD_COUNT(ARRAY)

/**
 * What to write metrics of. What is NULL is left out. All is borrowed, and must outlive the
 * metrics.
 */
struct herald_metrics_options {
	size_t struct_size; /**< Set by HERALD_METRICS_OPTIONS. */

	/** The service and its routes. */
	const struct herald_service *service;
	/** Default: the server that is asked for herald_metrics_path(), if there is one. */
	const struct herald_server *server;
	/** Such as the option `pool` of the server. */
	struct herald_pool *pool;
	/** Default: the store of the service. What is in its database is counted in the background:
	 * herald_store_backlog_read(). */
	struct herald_store *store;
	struct herald_deliverer *deliverer; /**< Callbacks, and what is published. */
	/** Set by HERALD_CONSUMERS. No two have the same name. */
	const struct herald_named_consumer *consumers;
	size_t consumers_count; /**< Default 0, limit 1,024. */
	/** Set by HERALD_PRODUCERS. No two have the same name. */
	const struct herald_named_producer *producers;
	size_t producers_count; /**< Default 0, limit 1,024. */

	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal: HERALD_METRICS_OPTIONS(.service = service). */
#define HERALD_METRICS_OPTIONS(...)                                                                \
	((struct herald_metrics_options){.struct_size = sizeof(struct herald_metrics_options),     \
					 __VA_ARGS__})

/**
 * Create metrics.
 *
 * options  copied, names included. NULL means the defaults.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_metrics_create(const struct herald_metrics_options *options, struct herald_metrics **out,
		      struct herald_error *error);

/** Free the metrics. Destroy a server with their path first. NULL is allowed. */
HERALD_API void herald_metrics_destroy(struct herald_metrics *metrics);

/** The format in which metrics are written. */
enum herald_metrics_format {
	HERALD_METRICS_PROMETHEUS,  /**< Prometheus's text format, version 0.0.4. */
	HERALD_METRICS_OPENMETRICS, /**< OpenMetrics 1.0. */
};

/** The value of Content-Type for a format; NULL for an unknown one. Static storage. */
HERALD_API const char *herald_metrics_content_type(enum herald_metrics_format format);

/**
 * Write the metrics, for a server other than Herald's own, or for a file.
 *
 * out      the text is appended; unchanged after an error. To print it:
 *          fwrite(out.data, 1, out.bytes, f).
 * Errors   HERALD_BAD_VALUE (the format), HERALD_NO_MEMORY, HERALD_TOO_LARGE.
 * Threads  any, several at once. Does not block.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_metrics_write(const struct herald_metrics *metrics, enum herald_metrics_format format,
		     struct herald_buffer *out);

/**
 * A path for a server: "/metrics", which answers GET and HEAD. If the request's Accept prefers
 * OpenMetrics by its name, the answer has this format, else Prometheus's. For another path, change
 * the member `path`. The server does not ask for a token: see docs/metrics.md. `hosts` of it is
 * HERALD_LOCAL_HOSTS: change it behind a proxy on the same machine.
 *
 * metrics  borrowed; must outlive the server.
 */
HERALD_API struct herald_server_path herald_metrics_path(const struct herald_metrics *metrics);

#ifdef __cplusplus
}
#endif
#endif
