/*
 * Requests that a pool's workers finish. It owns neither pool nor request, and knows no framework:
 * how an answer gets back to the thread that sends it is the adapter's.
 */
#include <herald/pool.h>

#include "http.h"

static struct herald_pool_request *
request_of(struct herald_pool_task *task)
{
	return (struct herald_pool_request *)task;
}

static void
run(struct herald_pool_task *task)
{
	struct herald_pool_request *work = request_of(task);

	if (work->is_gone && work->is_gone(work))
		work->finished(work, herald_http_request_unavailable(
					     work->request, "the client closed the connection "
							    "before the event was handled"));
	else
		work->finished(work, herald_http_request_finish(work->request));
}

static void
cancelled(struct herald_pool_task *task)
{
	struct herald_pool_request *work = request_of(task);

	work->finished(work,
		       herald_http_request_unavailable(work->request, "the server is stopping"));
}

const struct herald_http_response *
herald_pool_request_submit(struct herald_pool *pool, struct herald_pool_request *work)
{
	const struct herald_http_response *known = herald_http_request_response(work->request);

	if (known)
		return known;
	work->task.run = run;
	work->task.cancelled = cancelled;
	herald__http_request_queued(work->request);
	if (herald_pool_submit(pool, &work->task) == HERALD_OK)
		return NULL;
	return herald_http_request_unavailable(work->request, "too many events are waiting");
}
