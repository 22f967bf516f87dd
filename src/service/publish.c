/*
 * Publishing from an event's function or handlers. The store writes what is published, or direct.c
 * keeps it until it is sent; invoke.c drops it if the verdict says so.
 */
#include <herald/publish.h>

#include "base/options.h"
#include "service/context.h"
#include "service/direct.h"
#include "service/inbox.h"
#include "service/service.h"

enum herald_status
herald_publish(struct herald_context *ctx, const struct herald_delivery *delivery,
	       struct herald_error *error)
{
	struct herald__inbox *inbox = ctx->service->inbox;

	if (!inbox && ctx->service->producers_count == 0)
		return herald_option_refuse(error, "store",
					    "nothing can be published by a service without a store "
					    "and without `producers`");
	if (inbox && !ctx->run)
		return herald_option_refuse(error, "store",
					    "nothing can be published before the event is "
					    "accepted and runs");

	struct herald_delivery traced = *delivery;
	if (!traced.trace)
		traced.trace = herald_context_trace(ctx);
	return inbox ? inbox->ops->publish(inbox, ctx->run, &traced, error)
		     : herald__direct_add(ctx, &traced, error);
}
