/*
 * Stopping one adapter: counts its open requests, and decides whether new ones are handled. Owns no
 * request and knows no endpoint, because adapters may share one.
 */
#include "http/drain.h"

#include <errno.h>
#include <time.h>

#include <herald/adapter/thread.h>

#define DEFAULT_GRACE_MS 250

uint32_t
herald_http_idle_grace_ms(uint32_t idle_grace_ms, uint32_t drain_ms)
{
	if (idle_grace_ms == 0)
		idle_grace_ms = drain_ms / 2 < DEFAULT_GRACE_MS ? drain_ms / 2 : DEFAULT_GRACE_MS;
	return idle_grace_ms < drain_ms ? idle_grace_ms : drain_ms;
}

bool
herald_http_drain_init(struct herald_http_drain *drain)
{
	*drain = (struct herald_http_drain){0};
	if (herald_condition_init(&drain->ended) != 0)
		return false;
	pthread_mutex_init(&drain->mutex, NULL); /* Cannot fail without attributes. */
	return true;
}

void
herald_http_drain_finish(struct herald_http_drain *drain)
{
	pthread_mutex_destroy(&drain->mutex);
	pthread_cond_destroy(&drain->ended);
}

bool
herald__drain_enter(struct herald_http_drain *drain)
{
	if (!drain)
		return true;
	pthread_mutex_lock(&drain->mutex);
	drain->open_count++;
	bool is_handled = !drain->refusing;
	pthread_mutex_unlock(&drain->mutex);
	return is_handled;
}

void
herald__drain_leave(struct herald_http_drain *drain)
{
	if (!drain)
		return;
	pthread_mutex_lock(&drain->mutex);
	drain->open_count--;
	if (drain->open_count == 0)
		pthread_cond_broadcast(&drain->ended);
	pthread_mutex_unlock(&drain->mutex);
}

bool
herald_http_drain_is_stopping(struct herald_http_drain *drain)
{
	pthread_mutex_lock(&drain->mutex);
	bool is_stopping = drain->stopping;
	pthread_mutex_unlock(&drain->mutex);
	return is_stopping;
}

/* Returns whether this is the first stop, which has a grace. */
static bool
begin(struct herald_http_drain *drain)
{
	pthread_mutex_lock(&drain->mutex);
	bool is_first = !drain->stopping;
	drain->stopping = true;
	pthread_mutex_unlock(&drain->mutex);
	return is_first;
}

static void
wait_grace(uint32_t grace_ms)
{
	const struct timespec until = herald_deadline_after(grace_ms);

	/* Signals must not end the sleep early. */
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

size_t
herald_http_drain_stop(struct herald_http_drain *drain, uint32_t idle_grace_ms, uint32_t drain_ms)
{
	const struct timespec deadline = herald_deadline_after(drain_ms);
	int failed = 0;

	if (begin(drain))
		wait_grace(herald_http_idle_grace_ms(idle_grace_ms, drain_ms));
	pthread_mutex_lock(&drain->mutex);
	drain->refusing = true;
	while (drain->open_count > 0 && failed == 0)
		failed = pthread_cond_timedwait(&drain->ended, &drain->mutex, &deadline);
	size_t left = drain->open_count;
	pthread_mutex_unlock(&drain->mutex);
	return left;
}
