/*
 * herald_serve(): a server that runs until a signal, and the program's signals meanwhile. It owns
 * the endpoint and the server that it creates.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "http/server/options.h"
#include "http/server/server.h"

/*
 * The handler of a second signal. The default action would be enough, except in the first process
 * of a container, where Linux ignores it.
 */
static void
end_process(int number)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};

	sigaction(number, &by_default, NULL);
	raise(number); /* blocked until this returns, unless ignored */
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + number);
}

static const int stop_signals[] = {SIGINT, SIGTERM};

/* The program's own handlers of the stop signals, to be restored. */
struct dispositions {
	struct sigaction before[HERALD_COUNT(stop_signals)];
};

/* From here on a stop signal ends the process, unless the program has a handler for it. */
static void
let_signals_end(const sigset_t *signals, struct dispositions *out)
{
	const struct timespec at_once = {0};
	const struct sigaction end = {.sa_handler = end_process};

	/* Discard signals that came together with the first one: they ask for the same stop. */
	while (sigtimedwait(signals, NULL, &at_once) > 0)
		;
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &out->before[i]);
		if (out->before[i].sa_handler == SIG_DFL)
			sigaction(stop_signals[i], &end, NULL);
	}
	pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void
give_back(const struct dispositions *dispositions)
{
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++)
		sigaction(stop_signals[i], &dispositions->before[i], NULL);
}

static void
wait_for_signal(struct herald_server *server, const struct herald_server_options *options,
		const sigset_t *signals)
{
	struct dispositions dispositions;
	int signal_number;

	if (!options->quiet)
		herald__server_print(server, stderr);
	if (options->on_started)
		options->on_started(server, options->on_started_state);
	sigwait(signals, &signal_number);
	let_signals_end(signals, &dispositions);
	herald_server_stop(server, options->drain_timeout_ms);
	give_back(&dispositions);
}

static enum herald_status
serve(struct herald_service *service, const struct herald_server_options *options,
      const sigset_t *signals, struct herald_error *error)
{
	struct herald_server_options resolved;
	struct herald_endpoint *endpoint = NULL;
	struct herald_server *server = NULL;

	enum herald_status status = herald__server_options_resolve(options, &resolved, error);
	if (status == HERALD_OK)
		status = herald_endpoint_create(service, resolved.endpoint_options, &endpoint,
						error);
	resolved.endpoint_options = NULL;
	if (status == HERALD_OK)
		status = herald_server_create(endpoint, &resolved, &server, error);
	if (server)
		wait_for_signal(server, &resolved, signals);
	herald_server_destroy(server);
	herald_endpoint_destroy(endpoint);
	return status;
}

enum herald_status
herald_serve(struct herald_service *service, const struct herald_server_options *options,
	     struct herald_error *error)
{
	sigset_t signals, blocked, before;

	sigemptyset(&signals);
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++)
		sigaddset(&signals, stop_signals[i]);
	blocked = signals;
	sigaddset(&blocked, SIGPIPE);
	int failed = pthread_sigmask(SIG_BLOCK, &blocked, &before);
	if (failed != 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"cannot block signals: error %d", failed);

	enum herald_status status = serve(service, options, &signals, error);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}
