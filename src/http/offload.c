/*
 * Requests that are finished on a pool's workers, or when a store has the event. Owns neither pool
 * nor request and knows no framework: the adapter passes the request to the thread that sends the
 * response.
 */
#include <herald/adapter/offload.h>

#include "http/request.h"

static struct herald_offload *
request_of(struct herald_pool_task *task)
{
	return (struct herald_offload *)task;
}

/* The store has the event, or has refused it. Any thread. */
static void
stored(void *state)
{
	struct herald_offload *work = state;

	work->finished(work);
}

static void
run(struct herald_pool_task *task)
{
	struct herald_offload *work = request_of(task);
	const struct herald_http_response *response;

	if (work->is_gone && work->is_gone(work))
		response = herald_http_request_unavailable(
			work->request,
			"the client closed the connection before the event was handled");
	else
		response = herald_http_request_finish_async(work->request, stored, work);
	if (response)
		work->finished(work);
}

static void
cancelled(struct herald_pool_task *task)
{
	struct herald_offload *work = request_of(task);

	(void)herald_http_request_unavailable(work->request, "the server is stopping");
	work->finished(work);
}

const struct herald_http_response *
herald_offload_submit(struct herald_pool *pool, struct herald_offload *work)
{
	const struct herald_http_response *known = herald_http_request_response(work->request);

	if (known)
		return known;
	if (!pool)
		return herald_http_request_finish_async(work->request, stored, work);
	work->task.run = run;
	work->task.cancelled = cancelled;
	herald__request_queued(work->request);
	if (herald_pool_submit(pool, &work->task) == HERALD_OK)
		return NULL;
	return herald_http_request_unavailable(work->request, "too many events are waiting");
}
