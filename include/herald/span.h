/*
 * The span hook: what tracing systems record. Herald calls it for each event that a service
 * handles, accepts or runs, and for each attempt of a delivery. herald/otlp.h is one that sends the
 * spans to an OpenTelemetry collector.
 *
 * Names, kinds and attributes follow OpenTelemetry's semantic conventions for messaging,
 * CloudEvents and HTTP clients:
 *
 *	process TYPE   consumer  an event, or one run of a stored event
 *	accept TYPE    server    an event that was handed to the store; its runs are below it
 *	POST, GET      client    one attempt of a delivery, below the span that submitted it
 *
 * TYPE is the route's event type. An event without a route has none, because its sender chose it.
 */
#ifndef HERALD_SPAN_H
#define HERALD_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/export.h>
#include <herald/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a span is. The values are as in OTLP. */
enum herald_span_kind {
	HERALD_SPAN_SERVER = 2,   /**< Answers a request. */
	HERALD_SPAN_CLIENT = 3,   /**< Sends one. */
	HERALD_SPAN_CONSUMER = 5, /**< Processes an event. */
};

/** One attribute: a text, or a number if `text` is NULL. */
struct herald_span_attribute {
	const char *key;  /**< Such as "messaging.message.id". */
	const char *text; /**< Any bytes; NULL for a number. */
	int64_t number;   /**< Used if `text` is NULL. */
};

/** A span. Borrowed, with all that it points to, during the call. */
struct herald_span {
	const struct herald_trace *trace;               /**< Its ids, flags and tracestate. */
	const char *name;                               /**< See above. */
	enum herald_span_kind kind;                     /**< What it is. */
	int64_t begin_ns;                               /**< Since 1970-01-01T00:00:00Z. */
	int64_t end_ns;                                 /**< Likewise; 0 in `start`. */
	const struct herald_span_attribute *attributes; /**< In `start`: those known so far. */
	size_t attributes_count;                        /**< Their number. */
	const struct herald_trace *links;               /**< Other spans that it belongs to. */
	size_t links_count;                             /**< Their number. */
	bool is_error;                                  /**< In `end`: it failed. */
	const char *error;                              /**< One line; "" unless it failed. */
};

/** Takes a span. Several threads call it at once. Must not block, nor call what called it. */
typedef void herald_span_function(const struct herald_span *span, void *state);

/** Where spans go. A zeroed struct takes none. */
struct herald_span_hook {
	/**
	 * Called when an event has been decoded and its route is known, on the thread that runs
	 * the function next; or when an attempt begins. NULL: not called.
	 */
	herald_span_function *start;
	/**
	 * Called once for each span, when it has ended; with a store perhaps on another thread than
	 * `start`. An event that was refused before has no `start`. Required, unless all is zero.
	 */
	herald_span_function *end;
	void *state; /**< Passed to both; must outlive the service or the deliverer. */
};

#ifdef __cplusplus
}
#endif
#endif
