/*
 * The adapter's life: its options, its place in the user's server and loop, its stop and its end.
 * How a request becomes an event and the answer a reply is call.c's.
 *
 * Two things reach it from other threads, through one eventfd: calls that workers have finished,
 * and nothing else. evhttp, which has no locks, never hears of them but from the loop.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/text.h>
#include <herald/http_adapter.h>

#include "adapter.h"

#define DEFAULT_PATH "/event"
#define DEFAULT_GRACE_MS 250
#define MAX_HEADERS_BYTES (64L * 1024)

/* Options. */

HERALD_PRINTF(3, 4)
static enum herald_status
bad_option(struct herald_error *error, const char *option, const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "%s", message);
	if (error)
		snprintf(error->path, sizeof(error->path), "%s", option);
	return HERALD_BAD_OPTION;
}

static enum herald_status
read_options(const struct herald_libevent_options *options, struct herald_libevent_options *out,
	     struct herald_error *error)
{
	memset(out, 0, sizeof(*out));
	if (options && options->struct_size < sizeof(options->struct_size))
		return bad_option(error, "struct_size",
				  "use HERALD_LIBEVENT_OPTIONS, which sets it");
	if (options)
		memcpy(out, options,
		       options->struct_size < sizeof(*out) ? options->struct_size : sizeof(*out));
	return out->path ? herald_http_path_check("path", out->path, error) : HERALD_OK;
}

/* Waking the loop. */

void
herald__libevent_wake(struct herald_libevent *adapter)
{
	const uint64_t one = 1;
	ssize_t written;

	do {
		written = write(adapter->wake_fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
}

/* Tell the user that the stop has ended; he may destroy the adapter. */
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

void
herald__libevent_woken(evutil_socket_t fd, short what, void *state)
{
	struct herald_libevent *adapter = state;
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof(count));

	(void)what;
	(void)got; /* It is enough to be awake. */
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
	struct herald_log_record record = {
		.level = HERALD_LOG_WARNING,
		.time = herald_time_now(),
		.message = "the time to drain is over",
		.fields = &field,
		.fields_count = 1,
	};

	(void)fd;
	(void)what;
	if (adapter->log.write && record.level >= adapter->log.level)
		adapter->log.write(&record, adapter->log.state);
	report(adapter);
}

/* The end. */

static void
free_adapter(struct herald_libevent *adapter)
{
	while (adapter->idle) {
		struct herald__call *call = adapter->idle;

		adapter->idle = call->next;
		free(call);
	}
	pthread_mutex_destroy(&adapter->lock);
	free(adapter->watches);
	free(adapter->decoded_path);
	free(adapter->path);
	free(adapter);
}

/* Take the adapter out of the loop and off the service, which may end before the last answer is
 * sent. */
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
	herald_http_destroy(adapter->http);
}

void
herald__libevent_call_ended(struct herald_libevent *adapter)
{
	if (adapter->calls_count > 0)
		return;
	if (adapter->destroyed)
		free_adapter(adapter);
	else if (adapter->stopped)
		/* Not from here, which is in the middle of evhttp. */
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
	assert(adapter->pooled_count == 0);
	detach(adapter);
	adapter->destroyed = true;
	herald__libevent_call_ended(adapter);
}

static struct timeval
milliseconds(uint32_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

void
herald_libevent_stop(struct herald_libevent *adapter, uint32_t drain_ms,
		     herald_libevent_stopped *stopped, void *state)
{
	uint32_t grace_ms = adapter->idle_grace_ms;
	struct timeval drain = milliseconds(drain_ms);

	if (grace_ms == 0)
		grace_ms = drain_ms / 2 < DEFAULT_GRACE_MS ? drain_ms / 2 : DEFAULT_GRACE_MS;
	if (grace_ms > drain_ms)
		grace_ms = drain_ms;
	struct timeval grace = milliseconds(grace_ms);

	assert(stopped);
	if (adapter->stopping)
		return;
	adapter->stopping = true;
	adapter->stopped = stopped;
	adapter->stopped_state = state;
	event_add(adapter->late, &drain);
	adapter->in_grace = grace_ms > 0 && event_add(adapter->grace, &grace) == 0;
	if (adapter->calls_count == 0)
		herald__libevent_wake(adapter);
}

/* The beginning. */

static enum herald_status
out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
				herald_status_text(HERALD_NO_MEMORY));
}

static enum herald_status
open_events(struct herald_libevent *adapter, struct event_base *base, struct herald_error *error)
{
	adapter->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (adapter->wake_fd < 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"cannot create an eventfd: %s", herald_errno_text(errno));
	adapter->woken = event_new(base, adapter->wake_fd, EV_READ | EV_PERSIST,
				   herald__libevent_woken, adapter);
	adapter->late = evtimer_new(base, on_late, adapter);
	adapter->grace = evtimer_new(base, on_grace, adapter);
	adapter->resume = evtimer_new(base, on_resume, adapter);
	if (!adapter->woken || !adapter->late || !adapter->grace || !adapter->resume)
		return out_of_memory(error);
	if (event_add(adapter->woken, NULL) != 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"libevent does not take the eventfd");
	return HERALD_OK;
}

static void
limit_server(const struct herald_libevent *adapter, const struct herald_libevent_options *options)
{
	size_t max_bytes = herald_http_max_body_bytes(adapter->http);

	evhttp_set_max_body_size(adapter->server,
				 max_bytes > EV_SSIZE_MAX ? -1 : (ev_ssize_t)max_bytes);
	evhttp_set_max_headers_size(adapter->server, MAX_HEADERS_BYTES);
	if (options->leave_server)
		evhttp_set_flags(adapter->server, EVHTTP_SERVER_LINGERING_CLOSE);
}

/* Everything but the place in the server. */
static enum herald_status
fill_adapter(struct herald_libevent *adapter, struct herald_service *service,
	     struct event_base *base, const struct herald_libevent_options *options,
	     struct herald_error *error)
{
	adapter->pool = options->pool;
	adapter->drop_half_closed = options->drop_half_closed;
	adapter->idle_grace_ms = options->idle_grace_ms;
	adapter->is_unguarded = options->leave_server;
	adapter->log = options->log;
	adapter->path = strdup(options->path ? options->path : DEFAULT_PATH);
	if (!adapter->path)
		return out_of_memory(error);
	adapter->decoded_path = evhttp_uridecode(adapter->path, 0, NULL);
	if (!adapter->decoded_path)
		return out_of_memory(error);

	enum herald_status status =
		herald_http_create(service, options->http, &adapter->http, error);
	return status == HERALD_OK ? open_events(adapter, base, error) : status;
}

static enum herald_status
enter_server(struct herald_libevent *adapter, struct herald_error *error)
{
	switch (evhttp_set_cb(adapter->server, adapter->decoded_path, herald__call_begin,
			      adapter)) {
	case 0:
		return HERALD_OK;
	case -1:
		return bad_option(error, "path", "\"%.64s\" has a callback already", adapter->path);
	default:
		return out_of_memory(error);
	}
}

enum herald_status
herald_libevent_create(struct herald_service *service, struct event_base *base,
		       struct evhttp *server, const struct herald_libevent_options *options,
		       struct herald_libevent **out, struct herald_error *error)
{
	struct herald_libevent_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;

	struct herald_libevent *adapter = calloc(1, sizeof(*adapter));
	if (!adapter)
		return out_of_memory(error);
	adapter->server = server;
	adapter->wake_fd = -1;
	pthread_mutex_init(&adapter->lock, NULL); /* Without attributes it cannot fail. */
	status = fill_adapter(adapter, service, base, &read, error);
	if (status == HERALD_OK && !read.leave_server && !herald__listeners_watch(adapter))
		status = out_of_memory(error);
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
			server, read.limit_server ? herald_http_max_body_bytes(adapter->http) : 0);
	/* So that its thread has SIGPIPE blocked before anything can be written. */
	herald__libevent_wake(adapter);
	*out = adapter;
	return HERALD_OK;
}
