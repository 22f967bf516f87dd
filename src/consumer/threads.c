/*
 * Starts and joins the threads. Their work is in intake.c and lane.c, their waiting in desk.c.
 */
#include "consumer/threads.h"

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "consumer/state.h"

static size_t
threads_bytes(const struct herald_consumer *consumer)
{
	return sizeof(struct herald__consumer_threads) + consumer->lanes_count * sizeof(pthread_t);
}

static void *
consumer_run(void *state)
{
	struct herald_consumer *consumer = state;
	const struct herald_thread_hooks *hooks = &consumer->settings.options.thread_hooks;
	const bool runs_events = consumer->settings.options.lanes == 0;

	if (runs_events)
		herald_thread_begins(hooks);
	while (herald__intake_turn(consumer))
		;
	if (runs_events)
		herald_thread_ends(hooks);
	return NULL;
}

static void *
lane_run(void *state)
{
	struct herald__lane *lane = state;
	const struct herald_thread_hooks *hooks = &lane->consumer->settings.options.thread_hooks;

	herald_thread_begins(hooks);
	herald__desk_enter(lane);
	do {
		while (herald__lane_step(lane))
			;
	} while (herald__desk_wait(lane, herald__lane_next_ms(lane)));
	herald_thread_ends(hooks);
	return NULL;
}

static enum herald_status
start_lanes(struct herald_consumer *consumer, struct herald_error *error)
{
	struct herald__consumer_threads *threads = consumer->threads;

	for (unsigned i = 0; i < consumer->settings.options.lanes; i++) {
		const int failed =
			herald_thread_create(&threads->lanes[i], lane_run, &consumer->lanes[i]);

		if (failed != 0)
			return herald_system_error(error, "cannot start a thread", failed);
		threads->lanes_count++;
	}
	return HERALD_OK;
}

enum herald_status
herald__consumer_threads_start(struct herald_consumer *consumer, struct herald_error *error)
{
	struct herald__consumer_threads *threads = herald_memory_allocate_zeroed(
		&consumer->settings.allocator, 1, threads_bytes(consumer));

	if (!threads)
		return herald_out_of_memory(error);
	consumer->threads = threads;
	enum herald_status status = start_lanes(consumer, error);
	if (status == HERALD_OK) {
		const int failed = herald_thread_create(&threads->intake, consumer_run, consumer);

		threads->has_intake = failed == 0;
		if (failed != 0)
			status = herald_system_error(error, "cannot start a thread", failed);
	}
	if (status != HERALD_OK)
		herald__consumer_threads_join(consumer);
	return status;
}

void
herald__consumer_threads_join(struct herald_consumer *consumer)
{
	struct herald__consumer_threads *threads = consumer->threads;

	if (!threads)
		return;
	if (threads->has_intake)
		pthread_join(threads->intake, NULL);
	herald__desk_quit(consumer);
	for (size_t i = 0; i < threads->lanes_count; i++)
		pthread_join(threads->lanes[i], NULL);
	herald_memory_release(&consumer->settings.allocator, threads, threads_bytes(consumer));
	consumer->threads = NULL;
}
