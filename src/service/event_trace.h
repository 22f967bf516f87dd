/*
 * The trace of an event: from its headers, from CloudEvents' extension, or a new one. Private.
 */
#ifndef HERALD_SRC_SERVICE_EVENT_TRACE_H
#define HERALD_SRC_SERVICE_EVENT_TRACE_H

#include <stdbool.h>

#include <herald/trace.h>

#include "service/context.h"

/* The attributes that a service with `tracing` keeps of each event, then NULL. */
extern const char *const herald__trace_attributes[];

/* Whether an attribute is a trace header, which is stored in a form of its own. */
bool herald__trace_is_header(const char *name);

/* The span in which the event was created, if it is another one than its parent. Returns false if
 * there is none. Needs the message. */
bool herald__trace_link(struct herald_context *ctx, struct herald_trace *out);

#endif
