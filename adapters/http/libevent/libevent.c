/*
 * The adapter's lifecycle: its options, attaching it to the user's server and loop, stopping and
 * destroying it. call.c turns requests into events and outcomes into replies.
 *
 * Other threads reach the adapter only to hand over calls that workers have finished, through an
 * eventfd. evhttp has no locks and is used on the loop's thread only.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/drain.h>
#include <herald/adapter/http.h>
#include <herald/adapter/log.h>
#include <herald/adapter/options.h>

#include "adapter.h"
#include "call.h"
#include "guard.h"
#include "server.h"

#define DEFAULT_PATH "/event"
#define MAX_HEADERS_BYTES (64L * 1024)

/* Options. */

static enum herald_status
read_options(const struct herald_libevent_options *options, struct herald_libevent_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_LIBEVENT_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	return out->path ? herald_http_path_check("path", out->path, error) : HERALD_OK;
}

/* Report to the user that the stop has ended. The adapter may then be destroyed. */
static void
report(struct herald_libevent *adapter)
{
	herald_libevent_stopped *stopped = adapter->stopped;

	event_del(adapter->late);
	event_del(adapter->grace);
	adapter->in_grace = false;
	adapter->stopped = NULL;
	stopped(adapter->calls_count, adapter->stopped_state);
}

static void
on_woken(struct herald_libevent *adapter)
{
	herald__block_sigpipe(adapter);
	herald__calls_finish(adapter);
	if (adapter->stopped && adapter->calls_count == 0 && !adapter->in_grace)
		report(adapter);
}

static void
on_grace(evutil_socket_t fd, short what, void *state)
{
	struct herald_libevent *adapter = state;

	(void)fd;
	(void)what;
	adapter->in_grace = false;
	if (adapter->stopped && adapter->calls_count == 0)
		report(adapter);
}

static void
on_resume(evutil_socket_t fd, short what, void *adapter)
{
	(void)fd;
	(void)what;
	herald__listeners_resume(adapter);
}

static void
on_late(evutil_socket_t fd, short what, void *state)
{
	struct herald_libevent *adapter = state;
	struct herald_log_field field = {.key = "requests",
					 .number = (int64_t)adapter->calls_count};
	(void)fd;
	(void)what;
	/* If the grace lasted as long as the drain timeout, there may be nothing left. */
	if (adapter->calls_count > 0)
		herald_log_write(&adapter->log, HERALD_LOG_WARNING, "the drain timeout has passed",
				 &field, 1);
	report(adapter);
}

/* Destroying. */

static void
free_adapter(struct herald_libevent *adapter)
{
	while (adapter->idle) {
		struct herald__call *call = adapter->idle;

		adapter->idle = call->next;
		free(call);
	}
	pthread_cond_destroy(&adapter->has_done);
	pthread_mutex_destroy(&adapter->lock);
	free(adapter->watches);
	free(adapter->decoded_path);
	free(adapter->path);
	free(adapter);
}

/* Detach the adapter from the loop, which may end before the last response has been sent. */
static void
detach(struct herald_libevent *adapter)
{
	if (adapter->woken)
		event_free(adapter->woken);
	if (adapter->late)
		event_free(adapter->late);
	if (adapter->grace)
		event_free(adapter->grace);
	if (adapter->resume)
		event_free(adapter->resume);
	if (adapter->wake_fd >= 0)
		close(adapter->wake_fd);
}

static void
call_ended(struct herald_libevent *adapter)
{
	if (adapter->calls_count > 0)
		return;
	if (adapter->destroyed)
		free_adapter(adapter);
	else if (adapter->stopped)
		/* Not directly: this is called from within evhttp. */
		herald__libevent_wake(adapter);
}

void
herald_libevent_destroy(struct herald_libevent *adapter)
{
	if (!adapter)
		return;
	evhttp_del_cb(adapter->server, adapter->decoded_path);
	herald__listeners_resume(adapter);
	adapter->stopped = NULL;
	adapter->stopping = true;
	adapter->in_grace = false;
	herald__calls_finish(adapter);
	herald__calls_wait(adapter);
	detach(adapter);
	adapter->destroyed = true;
	call_ended(adapter);
}

static struct timeval
milliseconds(uint32_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static void
begin_grace(struct herald_libevent *adapter, uint32_t drain_ms)
{
	uint32_t grace_ms = herald_http_idle_grace_ms(adapter->idle_grace_ms, drain_ms);
	struct timeval grace = milliseconds(grace_ms);

	adapter->in_grace = grace_ms > 0 && event_add(adapter->grace, &grace) == 0;
}

void
herald_libevent_stop(struct herald_libevent *adapter, uint32_t drain_ms,
		     herald_libevent_stopped *stopped, void *state)
{
	struct timeval drain = milliseconds(drain_ms);

	assert(stopped);
	if (!adapter) {
		stopped(0, state);
		return;
	}
	if (adapter->stopped)
		return;
	adapter->stopped = stopped;
	adapter->stopped_state = state;
	event_add(adapter->late, &drain);
	if (!adapter->stopping)
		begin_grace(adapter, drain_ms);
	adapter->stopping = true;
	if (adapter->calls_count == 0)
		herald__libevent_wake(adapter);
}

/* Creating. */

static enum herald_status
open_events(struct herald_libevent *adapter, struct event_base *base, struct herald_error *error)
{
	adapter->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (adapter->wake_fd < 0)
		return herald_system_error(error, "cannot create an eventfd", errno);
	adapter->woken = event_new(base, adapter->wake_fd, EV_READ | EV_PERSIST,
				   herald__libevent_woken, adapter);
	adapter->late = evtimer_new(base, on_late, adapter);
	adapter->grace = evtimer_new(base, on_grace, adapter);
	adapter->resume = evtimer_new(base, on_resume, adapter);
	if (!adapter->woken || !adapter->late || !adapter->grace || !adapter->resume)
		return herald_out_of_memory(error);
	if (event_add(adapter->woken, NULL) != 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"libevent rejected the eventfd");
	return HERALD_OK;
}

static void
limit_server(const struct herald_libevent *adapter, const struct herald_libevent_options *options)
{
	size_t max_bytes = herald_endpoint_max_body_bytes(adapter->endpoint);

	evhttp_set_max_body_size(adapter->server,
				 max_bytes > EV_SSIZE_MAX ? -1 : (ev_ssize_t)max_bytes);
	evhttp_set_max_headers_size(adapter->server, MAX_HEADERS_BYTES);
	if (options->leave_server)
		evhttp_set_flags(adapter->server, EVHTTP_SERVER_LINGERING_CLOSE);
}

/* Initialise everything except for the registration with the server. */
static enum herald_status
fill_adapter(struct herald_libevent *adapter, struct event_base *base,
	     const struct herald_libevent_options *options, struct herald_error *error)
{
	adapter->pool = options->pool;
	adapter->drop_half_closed = options->drop_half_closed;
	adapter->may_encrypt = options->leave_server;
	adapter->idle_grace_ms = options->idle_grace_ms;
	adapter->log = options->log;
	adapter->path = strdup(options->path ? options->path : DEFAULT_PATH);
	if (!adapter->path)
		return herald_out_of_memory(error);
	adapter->decoded_path = evhttp_uridecode(adapter->path, 0, NULL);
	if (!adapter->decoded_path)
		return herald_out_of_memory(error);
	return open_events(adapter, base, error);
}

static enum herald_status
enter_server(struct herald_libevent *adapter, struct herald_error *error)
{
	switch (evhttp_set_cb(adapter->server, adapter->decoded_path, herald__call_begin,
			      adapter)) {
	case 0:
		return HERALD_OK;
	case -1:
		return herald_option_refuse(error, "path",
					    "the server already has a callback for \"%s\"",
					    adapter->path);
	default:
		return herald_out_of_memory(error);
	}
}

enum herald_status
herald_libevent_create(struct herald_endpoint *endpoint, struct event_base *base,
		       struct evhttp *server, const struct herald_libevent_options *options,
		       struct herald_libevent **out, struct herald_error *error)
{
	struct herald_libevent_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;

	struct herald_libevent *adapter = calloc(1, sizeof(*adapter));
	if (!adapter)
		return herald_out_of_memory(error);
	adapter->endpoint = endpoint;
	adapter->server = server;
	adapter->wake_fd = -1;
	adapter->on_woken = on_woken;
	adapter->call_ended = call_ended;
	/* Cannot fail without attributes. */
	pthread_mutex_init(&adapter->lock, NULL);
	pthread_cond_init(&adapter->has_done, NULL);
	status = fill_adapter(adapter, base, &read, error);
	if (status == HERALD_OK && !read.leave_server && !herald__listeners_watch(adapter))
		status = herald_out_of_memory(error);
	if (status == HERALD_OK)
		status = enter_server(adapter, error);
	if (status != HERALD_OK) {
		detach(adapter);
		free_adapter(adapter);
		return status;
	}
	if (read.limit_server)
		limit_server(adapter, &read);
	if (!read.leave_server)
		herald__guard_server(
			server, read.limit_server ? herald_endpoint_max_body_bytes(endpoint) : 0);
	/* Let the loop's thread block SIGPIPE before anything is written. */
	herald__libevent_wake(adapter);
	*out = adapter;
	return HERALD_OK;
}
