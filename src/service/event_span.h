/*
 * The span of an event. Private. Called only if the service has a span hook.
 */
#ifndef HERALD_SRC_SERVICE_EVENT_SPAN_H
#define HERALD_SRC_SERVICE_EVENT_SPAN_H

#include "service/context.h"

/* Its route is known, and the user's code runs next. */
void herald__span_start(struct herald_context *ctx);

/* It has ended. */
void herald__span_end(struct herald_context *ctx, const struct herald_result *result);

#endif
