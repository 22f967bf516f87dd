/*
 * One thread of a server: its epoll set, its clock, and the end of all its clients. client.c reads
 * and sends, listening.c accepts.
 *
 * All loops wait for new connections; the one that accepts a connection hands it to a free loop.
 * Other threads leave what they have for a loop under a mutex, and wake it: accepted connections in
 * the loop's list, handled events in its worker's.
 */
#include "http/server/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "http/server/client.h"
#include "http/server/listening.h"
#include "http/server/wake.h"

#define MAX_EVENTS 64
/* A round that takes longer than this has run a slow function. */
#define STALL_MS 50
/* Of the time of such a round, one part in so many counts for clients' time limits. If none did,
 * the limits of a thread that is always busy would never pass. */
#define STALL_COUNTED 4

/* Work passed on by other threads. */

/* The herald_http_wake of the loop's worker. Called on a thread of a pool or a store. */
static void
loop_wake(void *state)
{
	const struct herald__loop *loop = state;

	herald__wake(loop->wake_fd);
}

static void
resume_clients(struct herald__loop *loop)
{
	struct herald_http_connection *connection;

	while ((connection = herald__connection_resume_next(loop->worker, loop->now_ms)))
		herald__client_proceed(herald_http_connection_owner(connection));
}

static void
woken_run(struct herald__loop *loop)
{
	struct herald__client *client, *next;
	uint64_t count;
	ssize_t got = read(loop->wake_fd, &count, sizeof(count));

	(void)got; /* Only the wake-up matters. */
	pthread_mutex_lock(&loop->mutex);
	loop->end = loop->wanted_end;
	client = loop->arrived;
	loop->arrived = NULL;
	pthread_mutex_unlock(&loop->mutex);
	for (; client; client = next) {
		next = client->next_queued;
		herald__client_add(client);
	}
	resume_clients(loop);
}

/* Deadlines and stopping. */

static void
expire_clients(struct herald__loop *loop)
{
	struct herald__timer *first;

	while ((first = herald__timer_heap_first(&loop->deadlines)) &&
	       first->due_ms <= loop->now_ms) {
		struct herald__client *client =
			(struct herald__client *)((char *)first -
						  offsetof(struct herald__client, deadline));

		herald__timer_heap_remove(&loop->deadlines, first);
		first->due_ms = UINT64_MAX;
		herald__timer_heap_add(&loop->deadlines, first);
		if (client->socket.fd < 0)
			continue;
		herald_http_connection_expire(&client->http, loop->now_ms);
		herald__client_proceed(client);
	}
}

static void
close_idle_clients(struct herald__loop *loop)
{
	struct herald__client *client, *next;

	for (client = loop->clients; client; client = next) {
		bool is_idle = herald_http_connection_wants(&client->http) & HERALD_HTTP_IDLE;

		next = client->next;
		if (client->socket.fd < 0 || !is_idle)
			continue;
		if (herald__connection_stop(&client->http, loop->now_ms))
			herald__client_proceed(client);
		else
			herald__client_close(client);
	}
}

static void
close_clients(struct herald__loop *loop)
{
	struct herald__client *client, *next;

	for (client = loop->clients; client; client = next) {
		unsigned wants = herald_http_connection_wants(&client->http);

		next = client->next;
		if (client->socket.fd < 0)
			continue;
		if (!(wants & (HERALD_HTTP_IDLE | HERALD_HTTP_SHUTDOWN)))
			loop->cut_off++;
		herald__client_close(client);
	}
}

/* Returns whether the loop has ended. */
static bool
stop_clients(struct herald__loop *loop)
{
	/* Both may be due at once; then, too, what is within a head is answered first. */
	if (loop->clock_ms >= loop->end.close_idle_ms)
		close_idle_clients(loop);
	if (loop->clock_ms >= loop->end.close_all_ms)
		close_clients(loop);
	return atomic_load(&loop->clients_count) == 0;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The time until the next event; -1: no limit. */
static int
wait_ms(const struct herald__loop *loop)
{
	const struct herald__timer *first = herald__timer_heap_first(&loop->deadlines);
	uint64_t until = UINT64_MAX, now_ms = loop->clock_ms;

	if (first && first->due_ms != UINT64_MAX)
		until = first->due_ms + loop->stalled_ms;
	if (!loop->accepts)
		until = least(until, herald__listening_again_ms(loop));
	if (loop->end.is_wanted && now_ms < loop->end.close_all_ms)
		until = least(until, now_ms < loop->end.close_idle_ms ? loop->end.close_idle_ms
								      : loop->end.close_all_ms);
	if (until == UINT64_MAX)
		return -1;
	return until <= now_ms ? 0 : (int)least(until - now_ms, 60000);
}

/* The thread. */

/* Wait for events. Returns their number, or a negative number. */
static int
wait_for_events(struct herald__loop *loop, struct epoll_event *events)
{
	/* A hint for choose_loop(); there is nothing to be ordered with it. */
	atomic_store_explicit(&loop->is_waiting, true, memory_order_relaxed);
	int count = epoll_wait(loop->epoll_fd, events, MAX_EVENTS, wait_ms(loop));
	atomic_store_explicit(&loop->is_waiting, false, memory_order_relaxed);
	loop->clock_ms = herald__monotonic_ms();
	loop->now_ms = loop->clock_ms - loop->stalled_ms;
	return count;
}

/* The time of slow functions is not the clients'. */
static void
note_stall(struct herald__loop *loop, uint64_t begin_ms)
{
	loop->clock_ms = herald__monotonic_ms();
	uint64_t took_ms = loop->clock_ms - begin_ms;
	if (took_ms > STALL_MS)
		loop->stalled_ms += took_ms - took_ms / STALL_COUNTED;
}

/* Wait once, and handle the events. */
static void
run_once(struct herald__loop *loop)
{
	struct epoll_event events[MAX_EVENTS];
	bool is_woken = false;
	int count = wait_for_events(loop, events);
	uint64_t begin_ms = loop->clock_ms;

	for (int i = 0; i < count; i++) {
		struct herald__source *source = events[i].data.ptr;

		if (source)
			source->run(source, events[i].events);
		else
			is_woken = true;
	}
	/* Only after the events: it may close connections that have events. */
	if (is_woken)
		woken_run(loop);
	note_stall(loop, begin_ms);
	expire_clients(loop);
}

void
herald__loop_run(struct herald__loop *loop)
{
	herald_thread_begins(&loop->options->thread_hooks);
	do {
		herald__listening_update(loop);
		run_once(loop);
	} while (!loop->end.is_wanted || !stop_clients(loop));
	herald_thread_ends(&loop->options->thread_hooks);
}

void
herald__loop_stop(struct herald__loop *loop, uint32_t grace_ms, uint32_t drain_ms)
{
	uint64_t now_ms = herald__monotonic_ms();

	herald_http_worker_drain(loop->worker);
	pthread_mutex_lock(&loop->mutex);
	loop->wanted_end = (struct herald__loop_end){
		.is_wanted = true,
		.close_idle_ms = now_ms + grace_ms,
		.close_all_ms = now_ms + drain_ms,
	};
	pthread_mutex_unlock(&loop->mutex);
	herald__wake(loop->wake_fd);
}

/* Creating and destroying. */

static enum herald_status
fill_loop(struct herald__loop *loop, struct herald_error *error)
{
	struct epoll_event event = {.events = EPOLLIN};

	loop->received = herald_memory_allocate(&loop->options->allocator, HERALD__READ_BYTES);
	if (!loop->received || !herald__listening_init(loop) ||
	    !herald__timer_heap_init(&loop->deadlines, &loop->options->allocator,
				     loop->options->max_connections))
		return herald_out_of_memory(error);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return herald_system_error(error, "cannot create an epoll instance", errno);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->wake_fd < 0 ||
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
		return herald_system_error(error, "cannot create an eventfd", errno);
	return HERALD_OK;
}

enum herald_status
herald__loop_init(struct herald__loop *loop, const struct herald_server_options *options,
		  struct herald__acceptor *acceptor, struct herald_endpoint *endpoint,
		  struct herald_error *error)
{
	loop->options = options;
	loop->acceptor = acceptor;
	loop->epoll_fd = loop->wake_fd = -1;
	pthread_mutex_init(&loop->mutex, NULL); /* Cannot fail without attributes. */
	loop->clock_ms = loop->now_ms = herald__monotonic_ms();
	enum herald_status status = fill_loop(loop, error);
	if (status != HERALD_OK)
		return status;
	status =
		herald_http_worker_create(endpoint, options, loop_wake, loop, &loop->worker, error);
	if (status != HERALD_OK)
		return status;
	loop->worker->server = loop->server;
	loop->worker->is_local = herald__listeners_are_local(&acceptor->listeners);
	return HERALD_OK;
}

void
herald__loop_finish(struct herald__loop *loop)
{
	if (!loop->options)
		return;
	/* Other loops may have passed these on after this one had ended. */
	for (struct herald__client *client = loop->arrived, *next; client; client = next) {
		next = client->next_queued;
		herald__client_discard(client);
	}
	herald_http_worker_destroy(loop->worker);
	herald__timer_heap_finish(&loop->deadlines);
	herald_memory_release(&loop->options->allocator, loop->received, HERALD__READ_BYTES);
	herald__listening_finish(loop);
	pthread_mutex_destroy(&loop->mutex);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}
