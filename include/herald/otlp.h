/*
 * Sends spans to an OpenTelemetry collector: OTLP over HTTP, in JSON.
 *
 *	struct herald_otlp_options options = HERALD_OTLP_OPTIONS(
 *		.url = "http://127.0.0.1:4318/v1/traces", .service_name = "shop");
 *	struct herald_otlp_exporter *exporter;
 *
 *	herald_curl_transport_create(NULL, &options.transport, &error);
 *	herald_otlp_exporter_create(&options, &exporter, &error);
 *	herald_service_create(&HERALD_SERVICE_OPTIONS(
 *		.spans = herald_otlp_exporter_hook(exporter), ...), &service, &error);
 *
 * The hook is also for the option `spans` of deliverers. It copies a span into a batch, without
 * waiting. A thread sends a batch when it is full or `interval_ms` old, one at a time, with the
 * retries of herald/delivery.h: after 429, 502, 503, 504 (with Retry-After), or no response. Other
 * statuses are final, as OTLP says. While the collector is away, up to `max_queued_spans` wait;
 * further spans are dropped and counted, and a log record says how many.
 *
 * Only sampled spans are sent. At the end: destroy the services and deliverers that have the hook,
 * then herald_otlp_exporter_stop() with the time to send what is left.
 */
#ifndef HERALD_OTLP_H
#define HERALD_OTLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/export.h>
#include <herald/log.h>
#include <herald/span.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_otlp_exporter;
struct herald_transport;

/** Options of an exporter. Zero means the default; everything is copied, strings included. */
struct herald_otlp_options {
	size_t struct_size; /**< Set by HERALD_OTLP_OPTIONS. */

	/** Sends the requests; see herald_curl_transport_create(). Required. The exporter owns it,
	 * even after an error, except if it belongs to a deliverer or an exporter already, which
	 * is HERALD_BAD_OPTION, or if struct_size is not set. */
	struct herald_transport *transport;
	/** The collector's: "http://127.0.0.1:4318/v1/traces". Required. Any address and port is
	 * allowed. */
	const char *url;
	/** "Name: value", such as an Authorization. Set by HERALD_HEADERS of herald/delivery.h. */
	const char *const *headers;
	size_t headers_count;     /**< Default 0, limit 64. */
	const char *service_name; /**< The resource's service.name. Default "unknown_service". */
	/** Further attributes of the resource, such as "deployment.environment.name". Set by
	 * HERALD_OTLP_RESOURCE. */
	const struct herald_span_attribute *resource;
	size_t resource_count; /**< Default 0, limit 64. */

	size_t max_batch_spans;      /**< Default 512, limit 65,536. */
	size_t max_batch_bytes;      /**< Default 1 MiB, limit 64 MiB. */
	size_t max_queued_spans;     /**< Default 4 * max_batch_spans; at least 2 * that. */
	uint32_t interval_ms;        /**< The age at which a batch is sent. Default 5,000. */
	uint32_t attempt_timeout_ms; /**< For one request. Default 10,000. */
	/** For all attempts of a batch. After it, its spans are dropped. Default 60,000. */
	uint32_t deadline_ms;
	uint32_t first_delay_ms; /**< Before the first retry; then doubled. Default 1,000. */

	struct herald_log log;             /**< Zeroed: nothing is logged. */
	struct herald_allocator allocator; /**< Zeroed: libc's. */
};

/** Options as a compound literal. */
#define HERALD_OTLP_OPTIONS(...)                                                                   \
	((struct herald_otlp_options){.struct_size = sizeof(struct herald_otlp_options),           \
				      __VA_ARGS__})

/** The option `resource` and its count. */
#define HERALD_OTLP_RESOURCE(ARRAY) .resource = (ARRAY), .resource_count = HERALD_COUNT(ARRAY)

/**
 * Create an exporter and start its two threads. They block all signals.
 *
 * options  copied.
 * out      set only on HERALD_OK; the caller owns it.
 * error    may be NULL; its path names the option.
 * Errors   HERALD_BAD_OPTION, HERALD_SYSTEM, HERALD_NO_MEMORY; any of the transport.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_otlp_exporter_create(const struct herald_otlp_options *options,
			    struct herald_otlp_exporter **out, struct herald_error *error);

/** The hook for the option `spans` of services and deliverers, which the exporter must outlive. */
HERALD_API struct herald_span_hook herald_otlp_exporter_hook(struct herald_otlp_exporter *exporter);

/** Counts since the exporter was created: sampled = exported + dropped + queued. */
struct herald_otlp_statistics {
	uint64_t sampled;   /**< Sampled spans that ended. */
	uint64_t unsampled; /**< Others; they are not sent. */
	uint64_t exported;  /**< The collector has taken them. */
	uint64_t dropped;   /**< For lack of room, or because a batch could not be sent. */
	uint64_t queued;    /**< Waiting or being sent now. */
	uint64_t batches;   /**< That the collector has taken. */
};

/** Read the counts. Any thread. */
HERALD_API void herald_otlp_exporter_statistics(struct herald_otlp_exporter *exporter,
						struct herald_otlp_statistics *out);

/**
 * Send what has come so far without waiting for its interval.
 *
 * Returns  whether all of it was sent or dropped within `timeout_ms`. Threads any but the
 *          exporter's.
 */
HERALD_API bool
herald_otlp_exporter_flush(struct herald_otlp_exporter *exporter, uint32_t timeout_ms);

/**
 * Send what is left for at most `drain_ms`, and end the threads. The hook may still be called; it
 * drops its spans. Later calls return the same.
 *
 * Returns  the number of spans that were dropped since the exporter was created; 0 for NULL.
 * Threads  any but the exporter's, one at a time.
 */
HERALD_API uint64_t herald_otlp_exporter_stop(struct herald_otlp_exporter *exporter,
					      uint32_t drain_ms);

/** Free the exporter. If it is running, it is stopped with drain_ms 0. NULL is allowed. */
HERALD_API void herald_otlp_exporter_destroy(struct herald_otlp_exporter *exporter);

#ifdef __cplusplus
}
#endif
#endif
