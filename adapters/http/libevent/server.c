/*
 * Measures for the user's whole server, not only for the adapter's path: accepting pauses when
 * descriptors or memory run out, and SIGPIPE is blocked on the loop's thread. Owns the watches of
 * the listeners, but no listener. Connections are guarded in guard.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <herald/adapter/log.h>

#include "server.h"

/* The pause in accepting when the process is out of descriptors or memory. */
#define ACCEPT_PAUSE_US 100000

/* SIGPIPE. */

/*
 * evhttp uses writev(), which raises SIGPIPE if the client has gone; without a handler, that ends
 * the process. SIGPIPE stays blocked, because evhttp may write after the adapter is destroyed.
 * writev() then returns EPIPE, which evhttp handles.
 */
void
herald__block_sigpipe(struct herald_libevent *adapter)
{
	sigset_t pipe;

	if (adapter->has_loop_thread && pthread_equal(adapter->loop_thread, pthread_self()))
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	adapter->loop_thread = pthread_self();
	adapter->has_loop_thread = true;
}

/* Accepting. */

static bool
is_exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
warn(struct herald_libevent *adapter, int error)
{
	struct herald_log_field field = {.key = "errno", .number = error};
	int64_t now_s = herald_time_now().seconds;

	if (now_s == adapter->warned_s)
		return;
	adapter->warned_s = now_s;
	herald_log_write(&adapter->log, HERALD_LOG_WARNING, "accepting connections is paused",
			 &field, 1);
}

static struct herald__watch *
find_watch(struct herald_libevent *adapter, const struct evconnlistener *listener)
{
	for (size_t i = 0; i < adapter->watches_count; i++)
		if (adapter->watches[i].listener == listener)
			return &adapter->watches[i];
	return NULL;
}

/* Searches for the watch of a listener: libevent has no place for it, because the server's own
 * callback uses the argument. */
struct search {
	const struct evconnlistener *listener;
	struct herald_libevent *found;
};

/* The event_base_foreach_event_cb. */
static int
is_watcher(const struct event_base *base, const struct event *event, void *state)
{
	struct search *search = state;

	(void)base;
	if (event_get_callback(event) != herald__libevent_woken)
		return 0;

	struct herald_libevent *adapter = event_get_callback_arg(event);
	if (find_watch(adapter, search->listener))
		search->found = adapter;
	return search->found ? 1 : 0;
}

/* The evconnlistener_errorcb. Without one, libevent would retry at once and without end. */
static void
on_accept_error(struct evconnlistener *listener, void *server)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_US};
	struct search search = {.listener = listener};
	int error = EVUTIL_SOCKET_ERROR();

	(void)server;
	event_base_foreach_event(evconnlistener_get_base(listener), is_watcher, &search);
	if (!search.found || !is_exhausted(error))
		return;
	if (event_add(search.found->resume, &pause) == 0 && evconnlistener_disable(listener) == 0)
		find_watch(search.found, listener)->is_paused = true;
	warn(search.found, error);
}

/* The evhttp_bound_socket_foreach_fn. */
static void
resume(struct evhttp_bound_socket *bound, void *adapter)
{
	struct evconnlistener *listener = evhttp_bound_socket_get_listener(bound);
	struct herald__watch *watch = find_watch(adapter, listener);

	if (!watch || !watch->is_paused)
		return;
	watch->is_paused = false;
	evconnlistener_enable(listener);
}

void
herald__listeners_resume(struct herald_libevent *adapter)
{
	/* Only listeners that the server still has; others may have been freed. */
	evhttp_foreach_bound_socket(adapter->server, resume, adapter);
}

static void
count(struct evhttp_bound_socket *bound, void *counted)
{
	(void)bound;
	++*(size_t *)counted;
}

static void
watch(struct evhttp_bound_socket *bound, void *state)
{
	struct evconnlistener *listener = evhttp_bound_socket_get_listener(bound);
	struct herald_libevent *adapter = state;

	adapter->watches[adapter->watches_count++].listener = listener;
	evconnlistener_set_error_cb(listener, on_accept_error);
}

bool
herald__listeners_watch(struct herald_libevent *adapter)
{
	size_t counted = 0;

	evhttp_foreach_bound_socket(adapter->server, count, &counted);
	if (counted == 0)
		return true;
	adapter->watches = calloc(counted, sizeof(adapter->watches[0]));
	if (adapter->watches)
		evhttp_foreach_bound_socket(adapter->server, watch, adapter);
	return adapter->watches;
}
