/*
 * Metrics: checks and keeps what they are of, and writes all of them in a fixed order. Files named
 * *_metrics.c have the metrics of each part, text.c writes samples, path.c is the path of a server.
 */
#include "metrics/metrics.h"

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/version.h>

#include "metrics/broker_metrics.h"
#include "metrics/delivery_metrics.h"
#include "metrics/options.h"
#include "metrics/server_metrics.h"
#include "metrics/service_metrics.h"
#include "metrics/store_metrics.h"

enum herald_status
herald_metrics_create(const struct herald_metrics_options *options, struct herald_metrics **out,
		      struct herald_error *error)
{
	struct herald_metrics_options read;
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_METRICS_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&read.allocator, error);
	if (status != HERALD_OK)
		return status;
	read.allocator = herald_allocator_or_libc(&read.allocator);
	struct herald_metrics *metrics =
		herald_memory_allocate_zeroed(&read.allocator, 1, sizeof(*metrics));
	if (!metrics)
		return herald_out_of_memory(error);
	metrics->options = read;
	if (!read.store && read.service)
		metrics->options.store = herald_service_store(read.service);
	status = herald_arena_create(&read.allocator, 0, &metrics->arena);
	status = status == HERALD_OK ? herald__metrics_lists_copy(metrics, error)
				     : herald_out_of_memory(error);
	if (status != HERALD_OK) {
		herald_metrics_destroy(metrics);
		return status;
	}
	*out = metrics;
	return HERALD_OK;
}

void
herald_metrics_destroy(struct herald_metrics *metrics)
{
	if (!metrics)
		return;
	const struct herald_allocator allocator = metrics->options.allocator;

	herald_arena_destroy(metrics->arena);
	herald_memory_release(&allocator, metrics, sizeof(*metrics));
}

const char *
herald_metrics_content_type(enum herald_metrics_format format)
{
	switch (format) {
	case HERALD_METRICS_PROMETHEUS:
		return "text/plain; version=0.0.4; charset=utf-8";
	case HERALD_METRICS_OPENMETRICS:
		return "application/openmetrics-text; version=1.0.0; charset=utf-8";
	}
	return NULL;
}

static void
write_build(struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_INFO, "herald_build",
			       "The version of Herald; the value is always 1.");
	herald__metrics_value(text, HERALD__LABELS({"version", HERALD_VERSION}), 1);
}

enum herald_status
herald__metrics_write_with(const struct herald_metrics *metrics, const struct herald_server *server,
			   enum herald_metrics_format format, struct herald_buffer *out)
{
	const struct herald_metrics_options *options = &metrics->options;
	const size_t before = out->bytes;
	struct herald__metrics_text text = {.out = out, .format = format};

	if (!herald_metrics_content_type(format))
		return HERALD_BAD_VALUE;
	if (options->server)
		server = options->server;
	write_build(&text);
	if (options->store)
		herald__store_metrics_write(options->store, &text);
	if (options->service)
		herald__service_metrics_write(options->service, &text);
	if (server)
		herald__server_metrics_write(server, &text);
	if (options->pool)
		herald__pool_metrics_write(options->pool, &text);
	if (options->deliverer)
		herald__delivery_metrics_write(options->deliverer, &text);
	herald__consumer_metrics_write(options->consumers, options->consumers_count, &text);
	herald__producer_metrics_write(options->producers, options->producers_count, &text);
	herald__metrics_end(&text);
	if (text.status != HERALD_OK)
		out->bytes = before;
	return text.status;
}

enum herald_status
herald_metrics_write(const struct herald_metrics *metrics, enum herald_metrics_format format,
		     struct herald_buffer *out)
{
	return herald__metrics_write_with(metrics, NULL, format, out);
}
