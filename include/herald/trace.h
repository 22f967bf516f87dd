/*
 * Distributed tracing, by W3C Trace Context: which trace an event belongs to.
 *
 * A sender passes the headers `traceparent` and `tracestate` with an event. With the option
 * `tracing` of the service, the event gets a span of its own in the sender's trace, or in a new
 * trace if the headers are missing or not valid:
 *
 *	const struct herald_trace *trace = herald_context_trace(ctx);
 *
 *	trace->trace_id   "4bf92f3577b34da6a3ce929d0e0e4736"
 *	trace->span_id    "b7ad6b7169203331", the event's
 *	trace->parent_id  "00f067aa0ba902b7", the sender's
 *
 * The ids are in every log record of the event, and callbacks and published events carry the trace
 * on. A service with a store keeps the trace with the event: each of its runs is a span below the
 * one that accepted it. Herald makes the ids and passes them on; a span hook (herald/span.h) gets
 * the spans themselves.
 *
 * CloudEvents have the trace in which they were created in the extension attributes `traceparent`
 * and `tracestate`, which may be members of the metadata of other events too. They are never
 * changed. Without a valid header, the extension's span is the parent. Otherwise, if it is another
 * one, the event's span has a link to it.
 */
#ifndef HERALD_TRACE_H
#define HERALD_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct herald_context;

#define HERALD_TRACE_SAMPLED 0x01U /**< A flag: a caller may have recorded the trace. */
#define HERALD_TRACE_RANDOM 0x02U  /**< A flag: the last 7 bytes of the trace id are random. */

#define HERALD_TRACEPARENT_SIZE 56       /**< Bytes of a traceparent, with its NUL. */
#define HERALD_TRACESTATE_MAX_MEMBERS 32 /**< A tracestate with more is dropped. */

/** A span, and the trace that it belongs to. */
struct herald_trace {
	char trace_id[33];  /**< 32 lower-case hexadecimal digits, not all zero. */
	char span_id[17];   /**< 16 of them, likewise. */
	char parent_id[17]; /**< The span above it; "" if it begins the trace. */
	unsigned flags; /**< HERALD_TRACE_SAMPLED and HERALD_TRACE_RANDOM; others are dropped. */
	/** The tracestate, such as "rojo=00f067,congo=t61", without empty members and blanks
	 * between members. "": none. */
	const char *state;
};

/**
 * The span of an event; every call returns the same one. Before the event is decoded, such as in
 * `receive`, only the headers are known.
 *
 * Returns  NULL if the service has no `tracing`. Valid until the event has been handled.
 */
HERALD_API const struct herald_trace *herald_context_trace(struct herald_context *ctx);

/** Begin a new trace with random ids and the flag HERALD_TRACE_RANDOM. Threads any. */
HERALD_API void herald_trace_begin(struct herald_trace *out);

/** A new span below `parent`, in its trace. `state` is borrowed from the parent. Threads any. */
HERALD_API void herald_trace_descend(const struct herald_trace *parent, struct herald_trace *out);

/**
 * Read the value of a traceparent header: version 00 of exactly 55 bytes, or the first 55 bytes of
 * a later version. Blanks and tabs around it are ignored.
 *
 * out      the sender's span; its parent_id and state are "". Unchanged after an error.
 * Returns  whether it is valid: lower-case hexadecimal digits, no id of zeros, not version ff.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_traceparent_parse(const char *value, size_t bytes, struct herald_trace *out);

/** Write "00-<trace_id>-<span_id>-<flags>" with its NUL. */
HERALD_API void
herald_traceparent_write(const struct herald_trace *trace, char out[HERALD_TRACEPARENT_SIZE]);

/**
 * Join the values of tracestate headers, in the order received. Empty members and white space
 * around members are dropped. Keys and values are checked by Trace Context level 2, in which '@'
 * may be anywhere in a key but first.
 *
 * out      room for all values and their NULs. Set to "" if one member is not valid, or there are
 *          more than HERALD_TRACESTATE_MAX_MEMBERS.
 * Returns  false in these cases.
 */
HERALD_API HERALD_MUST_CHECK bool
herald_tracestate_join(const char *const *values, size_t count, char *out);

#ifdef __cplusplus
}
#endif
#endif
