/*
 * Calling the user's code during an event. After each call, the context has the details of the
 * verdict.
 */
#ifndef HERALD_SRC_SERVICE_INVOKE_H
#define HERALD_SRC_SERVICE_INVOKE_H

#include "service/context.h"
#include "service/route.h"

/* Run `receive` of the service's handlers until one refuses. */
enum herald_verdict
herald__invoke_receive(struct herald_context *ctx, const char *data, size_t bytes);

/* Run `accept` of the service's handlers, and of the route's, until one refuses. */
enum herald_verdict herald__invoke_accept(struct herald_context *ctx);

/* Run a chain of upcasters. *verdict is set only if one refuses. */
enum herald_status
herald__invoke_upcast(struct herald_context *ctx, const struct herald__upcast *link,
		      enum herald_verdict *verdict, struct herald_error *error);

/* Run `before`, the function (again if a handler asks for it), and `after`. */
enum herald_verdict herald__invoke_function(struct herald_context *ctx);

/* Run `rejected` of the service's handlers, and of the route's if the route is known. */
void herald__invoke_rejected(struct herald_context *ctx, const struct herald_result *result);

/* Tell the handlers that were not told by `after` that a stored event has failed. */
void herald__invoke_dead(struct herald_context *ctx, const struct herald_result *result);

#endif
