/*
 * A server: its sockets, its loops, its start and its stop. It owns them all; what a loop does with
 * a connection is in loop.c and connection.c.
 */
#include "http/server/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>

#include "http/server/loop.h"
#include "http/server/options.h"
#include "http/target.h"

struct herald_server {
	struct herald_server_options options; /* resolved; its texts may be gone */
	struct herald__acceptor acceptor;
	struct herald__loop *loops;
	size_t started_count;                  /* of their threads */
	char path[HERALD__MAX_PATH_BYTES + 1]; /* for the URL and the log */
	bool is_stopped;
	size_t cut_off;

	pthread_mutex_t mutex;
	pthread_cond_t ended; /* a thread has; waits on the monotonic clock */
	size_t running_count;
};

/* Information. */

uint16_t
herald_server_port(const struct herald_server *server)
{
	const struct herald__listeners *listeners = &server->acceptor.listeners;

	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->all[i].port != 0)
			return listeners->all[i].port;
	return 0;
}

void
herald__server_print(const struct herald_server *server, FILE *stream)
{
	const struct herald__listener *first = &server->acceptor.listeners.all[0];

	if (first->port == 0)
		fprintf(stream, "listening on %s, path %s\n", first->name, server->path);
	else
		fprintf(stream, "listening on %s://%s%s\n", server->options.tls ? "https" : "http",
			first->name, server->path);
}

void
herald_server_statistics_read(const struct herald_server *server,
			      struct herald_server_statistics *out)
{
	const struct herald__acceptor *acceptor = &server->acceptor;
	uint64_t responses[6] = {0};

	for (size_t i = 0; i < server->options.threads; i++)
		for (size_t class = 0; class < HERALD_COUNT(responses); class ++)
			responses[class] += atomic_load_explicit(
				&server->loops[i].worker->responses[class], memory_order_relaxed);
	*out = (struct herald_server_statistics){
		.connections = atomic_load(&acceptor->connections_count),
		.max_connections = server->options.max_connections,
		.accepted = atomic_load_explicit(&acceptor->accepted_count, memory_order_relaxed),
		.refused = atomic_load_explicit(&acceptor->refused_count, memory_order_relaxed),
		.responses_2xx = responses[2],
		.responses_3xx = responses[3],
		.responses_4xx = responses[4],
		.responses_5xx = responses[5],
	};
}

static void
log_listeners(const struct herald_server *server, const char *message)
{
	for (size_t i = 0; i < server->acceptor.listeners.count; i++) {
		const struct herald_log_field fields[] = {
			{.key = "address", .text = server->acceptor.listeners.all[i].name},
			{.key = "path", .text = server->path},
		};

		herald_log_write(&server->options.log, HERALD_LOG_INFO, message, fields,
				 HERALD_COUNT(fields));
	}
}

/* Start. */

static enum herald_status
init_loops(struct herald_server *server, struct herald_endpoint *endpoint,
	   struct herald_error *error)
{
	const struct herald_server_options *options = &server->options;
	enum herald_status status = HERALD_OK;

	server->loops = herald_memory_allocate_zeroed(&options->allocator, options->threads,
						      sizeof(*server->loops));
	if (!server->loops)
		return herald_out_of_memory(error);
	for (size_t i = 0; status == HERALD_OK && i < options->threads; i++) {
		server->loops[i].server = server;
		server->loops[i].all = server->loops;
		server->loops[i].all_count = options->threads;
		status = herald__loop_init(&server->loops[i], options, &server->acceptor, endpoint,
					   error);
	}
	return status;
}

/* A loop's thread cannot be cancelled. With this type, glibc (seen in 2.36) need not change the
 * type for each recv() and send(), which takes four locked instructions a request. */
static void
disable_cancellation(void)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	/* NOLINTNEXTLINE(*-canceltype-asynchronous, cert-pos47-c): it cannot be cancelled. */
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}

static void *
thread_run(void *state)
{
	struct herald__loop *loop = state;
	struct herald_server *server = loop->server;

	disable_cancellation();
	herald__loop_run(loop);
	pthread_mutex_lock(&server->mutex);
	server->running_count--;
	pthread_cond_signal(&server->ended);
	pthread_mutex_unlock(&server->mutex);
	return NULL;
}

static enum herald_status
start_thread(struct herald_server *server, struct herald_error *error)
{
	struct herald__loop *loop = &server->loops[server->started_count];

	pthread_mutex_lock(&server->mutex);
	server->running_count++;
	pthread_mutex_unlock(&server->mutex);
	int number = herald_thread_create(&loop->thread, thread_run, loop);
	if (number == 0) {
		server->started_count++;
		return HERALD_OK;
	}
	server->running_count--;
	return herald_system_error(error, "cannot start a thread", number);
}

static enum herald_status
open_listeners(struct herald_server *server, struct herald_error *error)
{
	const struct herald_server_options *options = &server->options;

	return options->systemd_sockets
		       ? herald__listeners_inherit(&server->acceptor.listeners, error)
		       : herald__listeners_open(options->address, options->port,
						&server->acceptor.listeners, error);
}

static enum herald_status
start(struct herald_server *server, struct herald_endpoint *endpoint, struct herald_error *error)
{
	snprintf(server->path, sizeof(server->path), "%s", server->options.path);
	enum herald_status status = open_listeners(server, error);
	if (status == HERALD_OK)
		status = herald__acceptor_init(&server->acceptor, error);
	if (status == HERALD_OK)
		status = init_loops(server, endpoint, error);
	while (status == HERALD_OK && server->started_count < server->options.threads)
		status = start_thread(server, error);
	return status;
}

/* Returns NULL when out of memory. */
static struct herald_server *
allocate_server(const struct herald_server_options *options)
{
	struct herald_server *server =
		herald_memory_allocate_zeroed(&options->allocator, 1, sizeof(*server));

	if (!server)
		return NULL;
	if (herald_condition_init(&server->ended) != 0) {
		herald_memory_release(&options->allocator, server, sizeof(*server));
		return NULL;
	}
	pthread_mutex_init(&server->mutex, NULL); /* Cannot fail without attributes. */
	server->options = *options;
	server->acceptor.options = &server->options;
	return server;
}

enum herald_status
herald_server_create(struct herald_endpoint *endpoint, const struct herald_server_options *options,
		     struct herald_server **out, struct herald_error *error)
{
	struct herald_server_options resolved;
	enum herald_status status = herald__server_options_resolve(options, &resolved, error);

	if (status != HERALD_OK)
		return status;
	if (resolved.endpoint_options)
		return herald_option_refuse(error, "endpoint_options",
					    "is for herald_serve(); only herald_serve() creates an "
					    "endpoint");
	if (!endpoint && resolved.paths_count == 0)
		return herald_option_refuse(error, "paths",
					    "must not be empty without an endpoint");
	resolved.allocator = herald_allocator_or_libc(&resolved.allocator);
	struct herald_server *server = allocate_server(&resolved);
	if (!server)
		return herald_out_of_memory(error);
	status = start(server, endpoint, error);
	if (status != HERALD_OK) {
		herald_server_destroy(server);
		return status;
	}
	log_listeners(server, "server started");
	*out = server;
	return HERALD_OK;
}

/* Stop. */

/* Wait until all threads have ended; say so if some have not in time. */
static void
wait_for_threads(struct herald_server *server, uint32_t drain_ms)
{
	const struct timespec deadline = herald_deadline_after(drain_ms);
	int failed = 0;

	pthread_mutex_lock(&server->mutex);
	while (server->running_count > 0 && failed == 0)
		failed = pthread_cond_timedwait(&server->ended, &server->mutex, &deadline);
	bool is_late = server->running_count > 0;
	pthread_mutex_unlock(&server->mutex);
	if (!is_late)
		return;
	struct herald_log_field field = {
		.key = "connections",
		.number = (int64_t)atomic_load(&server->acceptor.connections_count),
	};
	herald_log_write(&server->options.log, HERALD_LOG_WARNING, "the drain timeout has passed",
			 &field, 1);
}

static void
stop_threads(struct herald_server *server, uint32_t drain_ms)
{
	uint32_t grace_ms = herald_http_idle_grace_ms(server->options.idle_grace_ms, drain_ms);

	for (size_t i = 0; i < server->started_count; i++) {
		assert(!pthread_equal(server->loops[i].thread, pthread_self()));
		herald__loop_stop(&server->loops[i], grace_ms, drain_ms);
	}
	herald__listeners_shut(&server->acceptor.listeners);
	wait_for_threads(server, drain_ms);
	for (size_t i = 0; i < server->started_count; i++) {
		pthread_join(server->loops[i].thread, NULL);
		server->cut_off += server->loops[i].cut_off;
	}
	server->started_count = 0;
}

size_t
herald_server_stop(struct herald_server *server, uint32_t drain_ms)
{
	if (!server)
		return 0;
	if (server->is_stopped)
		return server->cut_off;
	server->is_stopped = true;
	log_listeners(server, "server stopping");
	stop_threads(server, drain_ms);
	struct herald_log_field field = {.key = "cut_off", .number = (int64_t)server->cut_off};
	herald_log_write(&server->options.log,
			 server->cut_off > 0 ? HERALD_LOG_WARNING : HERALD_LOG_INFO,
			 "server stopped", &field, 1);
	return server->cut_off;
}

void
herald_server_destroy(struct herald_server *server)
{
	if (!server)
		return;
	struct herald_allocator allocator = server->options.allocator;

	if (server->started_count > 0)
		herald_server_stop(server, 0);
	for (size_t i = 0; server->loops && i < server->options.threads; i++)
		herald__loop_finish(&server->loops[i]);
	herald_memory_release(&allocator, server->loops,
			      server->options.threads * sizeof(*server->loops));
	pthread_cond_destroy(&server->ended);
	pthread_mutex_destroy(&server->mutex);
	herald__acceptor_finish(&server->acceptor);
	herald_memory_release(&allocator, server, sizeof(*server));
}
