/*
 * Callers and their deadlines. A deadline is a number that the worker's thread stores, several times
 * per request, and the door's thread looks at now and then: nothing is locked and nobody is woken.
 * The stores are in order, but none waits until the door can see it: the door looks again soon.
 */
#include <time.h>

#include "caller.h"

#define MS_NS INT64_C(1000000)

int64_t
herald__now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 * MS_NS + now.tv_nsec;
}

static void
set_deadline_from(struct herald__caller *caller, int64_t now_ns, uint32_t timeout_ms)
{
	int64_t busy_ns = atomic_load_explicit(&caller->worker->busy_ns, memory_order_relaxed);
	int64_t deadline_ns = now_ns - busy_ns + timeout_ms * MS_NS;
	atomic_store_explicit(&caller->deadline_ns, deadline_ns, memory_order_relaxed);
}

static void
set_deadline(struct herald__caller *caller, uint32_t timeout_ms)
{
	set_deadline_from(caller, herald__now_ns(), timeout_ms);
}

struct herald__caller *
herald__caller_get(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

void
herald__caller_start(struct herald__caller *caller)
{
	set_deadline(caller, caller->worker->header_timeout_ms);
}

void
herald__caller_begin(struct herald__caller *caller)
{
	atomic_store_explicit(&caller->in_request, true, memory_order_release);
	set_deadline(caller, caller->worker->body_timeout_ms);
}

void
herald__caller_enter(struct herald__caller *caller)
{
	atomic_store_explicit(&caller->worker->busy_since_ns, herald__now_ns(),
			      memory_order_release);
}

void
herald__caller_leave(struct herald__caller *caller)
{
	struct herald__worker *worker = caller->worker;
	int64_t now_ns = herald__now_ns();
	int64_t took_ns =
		now_ns - atomic_load_explicit(&worker->busy_since_ns, memory_order_relaxed);

	/* In this order: the door must not see the thread idle and its old time. Most functions
	 * return within a tick of the coarse clock, and have taken nothing. */
	if (took_ns > 0)
		atomic_fetch_add(&worker->busy_ns, took_ns);
	set_deadline_from(caller, now_ns, worker->header_timeout_ms);
	atomic_store_explicit(&worker->busy_since_ns, 0, memory_order_release);
}

void
herald__caller_answer(struct herald__caller *caller)
{
	set_deadline(caller, caller->worker->header_timeout_ms);
}

void
herald__caller_end(struct herald__caller *caller)
{
	atomic_store_explicit(&caller->in_request, false, memory_order_release);
}

int64_t
herald__caller_remaining_ns(const struct herald__caller *caller, int64_t now)
{
	if (!caller->started)
		return INT64_MAX;

	/* In this order: see herald__caller_leave(). */
	int64_t since = atomic_load(&caller->worker->busy_since_ns);
	int64_t busy = atomic_load(&caller->worker->busy_ns);
	int64_t deadline = atomic_load(&caller->deadline_ns);
	if (since == 0)
		return deadline - (now - busy);
	/* Nobody is late while the thread that would read from him is busy. */
	int64_t left = deadline - (since - busy);
	return left > 0 ? left : 1;
}
