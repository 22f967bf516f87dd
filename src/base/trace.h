/*
 * Random ids of traces and spans, and what of a trace is sent to others. Private.
 */
#ifndef HERALD_SRC_BASE_TRACE_H
#define HERALD_SRC_BASE_TRACE_H

#include <stdatomic.h>
#include <stdint.h>

#include <herald/trace.h>

/* A source of ids: fast, without a lock, and with 128 random bits at its beginning, so that the ids
 * of two processes are as unlikely to meet as random ones. Zeroed: not seeded. */
struct herald__trace_source {
	uint64_t seeds[2];
	atomic_uint_fast64_t count;
};

void herald__trace_source_init(struct herald__trace_source *source);

/* Begin a new trace, or a span below `parent`, whose `state` is borrowed. Any thread. */
void herald__trace_begin(struct herald__trace_source *source, struct herald_trace *out);
void herald__trace_descend(struct herald__trace_source *source, const struct herald_trace *parent,
			   struct herald_trace *out);

/* Joining the values of tracestate headers as they come. */
struct herald__tracestate {
	char *out; /* room for all values and their NULs */
	size_t bytes;
	unsigned members;
	bool is_bad;
};

/* Append the members of a value. The result, with its NUL, is in `out`; "" if one was bad. */
void herald__tracestate_add(struct herald__tracestate *state, const char *value);

/* The limit of a tracestate that is sent; Trace Context asks for at least this. */
#define HERALD__TRACESTATE_SENT_BYTES 512

/*
 * Write a tracestate to be sent, with its NUL. If it is longer than the limit, members of more than
 * 128 bytes are dropped first, then members at the end (Trace Context level 2, section 3.3.1.5).
 * Returns the number of bytes without the NUL.
 */
size_t herald__tracestate_shorten(const char *state, char out[HERALD__TRACESTATE_SENT_BYTES + 1]);

#endif
