/*
 * Herald's server as the contract takes it, with its own threads and with a pool; and a server with
 * options of the test's own.
 */
#ifndef HERALD_TESTS_HTTP_SERVER_FIXTURE_H
#define HERALD_TESTS_HTTP_SERVER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/server.h>

#include "contract/http/probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"

/* The contract's adapters. */

struct running {
	struct herald_server *server;
	struct herald_pool *pool; /* or NULL */
	uint32_t drain_ms;        /* at a stop of the test's own */
};

/* A client of a test may take longer than the default (10 s for the handshake and the head) on a
 * machine that is busy. */
static inline void
raise_timeout(uint32_t *timeout_ms)
{
	if (*timeout_ms == 0)
		*timeout_ms = 2 * HTTP_CLIENT_WAIT_MS;
}

static inline struct running *
start(struct herald_endpoint *endpoint, const struct herald_server_options *options)
{
	struct herald_server_options without_endpoint = *options;
	struct running *running = calloc(1, sizeof(*running));
	struct herald_error error;

	assert_non_null(running);
	running->drain_ms =
		options->drain_timeout_ms ? options->drain_timeout_ms : HTTP_CLIENT_WAIT_MS;
	without_endpoint.endpoint_options = NULL;
	raise_timeout(&without_endpoint.header_timeout_ms);
	raise_timeout(&without_endpoint.body_timeout_ms);
	raise_timeout(&without_endpoint.idle_timeout_ms);
	if (herald_server_create(endpoint, &without_endpoint, &running->server, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return running;
}

static inline void *
start_server(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct running *running = start(
		endpoint, &HERALD_SERVER_OPTIONS(.any_port = true, .idle_grace_ms = idle_grace_ms));

	*port = herald_server_port(running->server);
	return running;
}

static inline void *
start_with_pool(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct herald_pool *pool;

	assert_int_equal(herald_pool_create(NULL, &pool, NULL), HERALD_OK);
	struct running *running =
		start(endpoint, &HERALD_SERVER_OPTIONS(.any_port = true, .pool = pool, .threads = 1,
						       .idle_grace_ms = idle_grace_ms));
	running->pool = pool;
	*port = herald_server_port(running->server);
	return running;
}

static inline size_t
stop_server(void *state, uint32_t drain_ms)
{
	const struct running *running = state;
	size_t cut_off = herald_server_stop(running->server, drain_ms);

	/* Once more, which does nothing. */
	assert_int_equal(herald_server_stop(running->server, 0), cut_off);
	return cut_off;
}

static inline void
end_server(void *state)
{
	struct running *running = state;

	herald_server_destroy(running->server);
	herald_pool_destroy(running->pool);
	free(running);
}

static const struct contract_http_adapter adapters[] = {
	{.name = "server",
	 .capabilities = CONTRACT_ALL & ~(CONTRACT_REFUSES_LONGER_NAMES | CONTRACT_OUTLIVES_STOP |
					  CONTRACT_OWN_ROUTES),
	 .start = start_server,
	 .stop = stop_server,
	 .end = end_server},
	{.name = "server with a pool",
	 .capabilities = CONTRACT_ALL & ~(CONTRACT_REFUSES_LONGER_NAMES | CONTRACT_OUTLIVES_STOP |
					  CONTRACT_OWN_ROUTES),
	 .start = start_with_pool,
	 .stop = stop_server,
	 .end = end_server},
};

/* A probe behind a server with options of the test's own. */

static inline void
serve(struct probe *probe, struct herald_server_options options)
{
	probe_create(probe);
	probe_create_endpoint(probe, options.endpoint_options);
	options.any_port = true;
	if (options.idle_grace_ms == 0)
		options.idle_grace_ms = 1;
	probe->adapter = &adapters[0];
	struct running *running = start(probe->endpoint, &options);

	probe->server = running;
	probe->port = herald_server_port(running->server);
}

static inline int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
