/*
 * Requests that wait for the database. Each waits on a thread of the server, which has few: if the
 * database is slow, one of them may hang, and the others must go on with events. So there is one
 * turn, and a request that does not get it soon is refused.
 */
#include "admin/turn.h"

#include <errno.h>

#include <herald/adapter/thread.h>

#include "admin/call.h"

/* Most requests end within it, so that clients seldom have to try again. */
#define WAIT_MS 100
#define RETRY_MS 999 /* a second in Retry-After */

bool
herald__admin_turn_take(struct herald_admin *admin)
{
	const struct timespec until = herald_deadline_after(WAIT_MS);
	int result = 0;

	pthread_mutex_lock(&admin->mutex);
	while (admin->is_asking && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&admin->turn, &admin->mutex, &until);
	const bool has_turn = !admin->is_asking;
	admin->is_asking = true;
	pthread_mutex_unlock(&admin->mutex);
	return has_turn;
}

void
herald__admin_turn_refuse(struct herald__admin_call *call)
{
	herald__admin_refuse_for_now(call, 503, RETRY_MS,
				     "the store is still answering another request");
}

void
herald__admin_turn_give(struct herald_admin *admin)
{
	pthread_mutex_lock(&admin->mutex);
	admin->is_asking = false;
	pthread_cond_signal(&admin->turn);
	pthread_mutex_unlock(&admin->mutex);
}
