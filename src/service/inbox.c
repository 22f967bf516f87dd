/*
 * The functions of a service for its store, see inbox.h: running a stored event. The other
 * direction is in accept.c and publish.c.
 */
#include "service/inbox.h"

#include "service/pipeline.h"
#include "service/service.h"

void
herald__service_run(struct herald_service *service, struct herald__run *run, char *data,
		    size_t bytes, struct herald_result *out)
{
	struct herald_context *ctx = herald__context_take(service);

	herald__service_run_in(service, ctx, run, data, bytes, out);
	if (!ctx)
		return;
	herald__context_reset(ctx);
	herald__context_give(ctx);
}

const char *
herald__service_queue(const struct herald_service *service)
{
	return service->queue;
}
