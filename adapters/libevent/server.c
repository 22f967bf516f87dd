/*
 * What the adapter does for the user's server as a whole, for all of its paths: accepting pauses
 * when descriptors or memory run out, and the loop's thread gets no SIGPIPE. It owns the watches of
 * the listeners, and no listener. What each connection is guarded by is guard.c's.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include "adapter.h"

/* How long nothing is accepted when the process has no more descriptors or memory. */
#define ACCEPT_PAUSE_US 100000

/* SIGPIPE. */

/*
 * evhttp writes by writev(), which raises it when the client has gone, and without a handler it
 * ends the process. It stays blocked: evhttp writes after the adapter's end, too. To a thread that
 * has it blocked writev() says EPIPE, which evhttp knows.
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
	struct herald_log_record record = {
		.level = HERALD_LOG_WARNING,
		.time = herald_time_now(),
		.message = "no connections are accepted for a moment",
		.fields = &field,
		.fields_count = 1,
	};

	if (record.time.seconds == adapter->warned_s)
		return;
	adapter->warned_s = record.time.seconds;
	if (adapter->log.write && record.level >= adapter->log.level)
		adapter->log.write(&record, adapter->log.state);
}

static struct herald__watch *
find_watch(struct herald_libevent *adapter, const struct evconnlistener *listener)
{
	for (size_t i = 0; i < adapter->watches_count; i++)
		if (adapter->watches[i].listener == listener)
			return &adapter->watches[i];
	return NULL;
}

/* Who watches a listener: libevent has no room for it beside the server's own callback. */
struct search {
	const struct evconnlistener *listener;
	struct herald_libevent *found;
};

/* event_base_foreach_event_cb. */
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
	return search->found != NULL;
}

/* evconnlistener_errorcb: without one, libevent would try again at once, and without end. */
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

/* evhttp_bound_socket_foreach_fn. */
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
	/* Of those that are still the server's: others may have been freed. */
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
	return adapter->watches != NULL;
}
