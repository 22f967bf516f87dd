/*
 * The steps of an event that are the user's code. Each leaves in the context what was said with its
 * verdict.
 */
#ifndef HERALD_SRC_STEPS_H
#define HERALD_SRC_STEPS_H

#include "context.h"
#include "route.h"

/* `receive` of the service's handlers, until one refuses. */
enum herald_verdict
herald__step_receive(struct herald_context *ctx, const char *data, size_t bytes);

/* A chain of upcasters. *verdict is changed when one refuses. */
enum herald_status
herald__step_upcast(struct herald_context *ctx, const struct herald__upcast *link,
		    enum herald_verdict *verdict, struct herald_error *error);

/* `before`, the function, again where a handler wants it, `after`. */
enum herald_verdict herald__step_function(struct herald_context *ctx);

/* `rejected` of the service's handlers, and of the route's once there is one. */
void herald__step_rejected(struct herald_context *ctx, const struct herald_result *result);

#endif
