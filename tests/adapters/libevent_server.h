/*
 * A server of evhttp as a user would have it, with and without a pool, as the contract takes it;
 * and one with options of the test's own.
 */
#ifndef HERALD_TESTS_ADAPTERS_LIBEVENT_SERVER_H
#define HERALD_TESTS_ADAPTERS_LIBEVENT_SERVER_H

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <herald/libevent.h>

#include "contract/http/probe.h"

#define HEAD "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
#define DRAIN_MS 20000

/* A server as a user would have it. Everything of libevent's is touched by the loop's thread
 * only. */
struct own_server {
	struct event_base *base;
	struct evhttp *server;
	struct evhttp_bound_socket *bound; /* until the stop */
	struct herald_endpoint *endpoint;  /* the probe's */
	struct herald_pool *pool;
	struct herald_libevent *adapter;
	struct event *order; /* by order_fd: stop; once that is over, leave the loop */
	int order_fd;
	uint32_t drain_ms;
	bool goes_on;    /* the loop, when the stop is over; then it is to be left */
	bool is_left;    /* order: leave it */
	sem_t stop_over; /* posted when the loop goes on */
	atomic_bool stopped;
	size_t left; /* what the adapter reported */
	pthread_t thread;
};

static inline void
hello(struct evhttp_request *request, void *state)
{
	struct evbuffer *body = evbuffer_new();

	(void)state;
	evbuffer_add_printf(body, "hello");
	evhttp_send_reply(request, 200, NULL, body);
	evbuffer_free(body);
}

static inline void
healthy(struct evhttp_request *request, void *state)
{
	(void)state;
	evhttp_send_reply(request, 200, NULL, NULL);
}

static inline void
not_found(struct evhttp_request *request, void *state)
{
	(void)state;
	evhttp_send_reply(request, 404, NULL, NULL);
}

static inline void
on_stopped(size_t left, void *state)
{
	struct own_server *own = state;

	own->left = left;
	atomic_store(&own->stopped, true);
	if (own->goes_on)
		sem_post(&own->stop_over);
	else
		event_base_loopbreak(own->base);
}

static inline void
on_order(evutil_socket_t fd, short what, void *state)
{
	struct own_server *own = state;

	uint64_t count;

	(void)what;
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	if (own->is_left) {
		event_base_loopbreak(own->base);
		return;
	}
	if (own->bound)
		evhttp_del_accept_socket(own->server, own->bound);
	own->bound = NULL;
	herald_libevent_stop(own->adapter, own->drain_ms, on_stopped, own);
	/* Once more, which does nothing. */
	if (own->adapter)
		herald_libevent_stop(own->adapter, 0, on_stopped, NULL);
}

static inline void *
run_loop(void *state)
{
	struct own_server *own = state;

	event_base_dispatch(own->base);
	return NULL;
}

static inline uint16_t
port_of(struct evhttp_bound_socket *bound)
{
	struct sockaddr_in address = {0};
	socklen_t bytes = sizeof(address);

	assert_non_null(bound);
	assert_int_equal(
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &bytes),
		0);
	return ntohs(address.sin_port);
}

static inline struct own_server *
create_server(struct herald_endpoint *endpoint, uint16_t *port)
{
	struct own_server *own = calloc(1, sizeof(*own));

	assert_non_null(own);
	own->endpoint = endpoint;
	assert_int_equal(sem_init(&own->stop_over, 0, 0), 0);
	own->drain_ms = DRAIN_MS;
	own->base = event_base_new();
	own->server = evhttp_new(own->base);
	assert_non_null(own->server);
	evhttp_set_allowed_methods(own->server, UINT16_MAX);
	assert_int_equal(evhttp_set_cb(own->server, "/hello", hello, NULL), 0);
	assert_int_equal(evhttp_set_cb(own->server, "/healthz", healthy, NULL), 0);
	evhttp_set_gencb(own->server, not_found, NULL);
	own->bound = evhttp_bind_socket_with_handle(own->server, "127.0.0.1", 0);
	*port = port_of(own->bound);
	own->order_fd = eventfd(0, EFD_CLOEXEC);
	own->order = event_new(own->base, own->order_fd, EV_READ | EV_PERSIST, on_order, own);
	assert_int_equal(event_add(own->order, NULL), 0);
	return own;
}

static inline void
start_loop(struct own_server *own, const struct herald_libevent_options *options)
{
	struct herald_libevent_options quick = *options;
	struct herald_error error;

	/* Not 250 ms for each test that does not care. */
	if (quick.idle_grace_ms == 0)
		quick.idle_grace_ms = 1;
	if (herald_libevent_create(own->endpoint, own->base, own->server, &quick, &own->adapter,
				   &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(pthread_create(&own->thread, NULL, run_loop, own), 0);
}

static inline void
order_stop(struct own_server *own)
{
	const uint64_t one = 1;

	assert_int_equal(write(own->order_fd, &one, sizeof(one)), sizeof(one));
}

/* Once the loop has ended, in the documented order; endpoint and service may be destroyed then. */
static inline void
end_server(struct own_server *own)
{
	if (own->pool)
		herald_pool_stop(own->pool, 0);
	herald_libevent_destroy(own->adapter);
	evhttp_free(own->server);
	herald_pool_destroy(own->pool);
}

static inline void
free_base(struct own_server *own)
{
	event_free(own->order);
	event_base_free(own->base);
	close(own->order_fd);
	sem_destroy(&own->stop_over);
	free(own);
}

static inline void
free_server(struct own_server *own)
{
	end_server(own);
	free_base(own);
}

/* The contract's adapters. */

static inline size_t
stop_server(void *server, uint32_t drain_ms)
{
	struct own_server *own = server;

	own->drain_ms = drain_ms;
	own->goes_on = true;
	order_stop(own);
	while (sem_wait(&own->stop_over) != 0)
		;
	return own->left;
}

static inline void
end_contract_server(void *server)
{
	struct own_server *own = server;

	own->is_left = true;
	order_stop(own);
	pthread_join(own->thread, NULL);
	free_server(own);
}

static inline struct own_server *
start_with_pool(struct herald_endpoint *endpoint, const struct herald_pool_options *pool_options,
		struct herald_libevent_options options, uint16_t *port)
{
	struct own_server *own = create_server(endpoint, port);

	assert_int_equal(herald_pool_create(pool_options, &own->pool, NULL), HERALD_OK);
	options.pool = own->pool;
	start_loop(own, &options);
	return own;
}

static inline void *
start_on_loop(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	struct own_server *own = create_server(endpoint, port);

	start_loop(own,
		   &HERALD_LIBEVENT_OPTIONS(.limit_server = true, .idle_grace_ms = idle_grace_ms));
	return own;
}

static inline void *
start_on_pool(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with_pool(
		endpoint, NULL,
		HERALD_LIBEVENT_OPTIONS(.limit_server = true, .idle_grace_ms = idle_grace_ms),
		port);
}

static inline void *
start_unlimited(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with_pool(endpoint, NULL,
			       HERALD_LIBEVENT_OPTIONS(.idle_grace_ms = idle_grace_ms), port);
}

static inline void *
start_unguarded(struct herald_endpoint *endpoint, uint32_t idle_grace_ms, uint16_t *port)
{
	return start_with_pool(endpoint, NULL,
			       HERALD_LIBEVENT_OPTIONS(.limit_server = true, .leave_server = true,
						       .idle_grace_ms = idle_grace_ms),
			       port);
}

/* docs/adapters.md says why. */
#define CAPABILITIES (CONTRACT_ALL & ~CONTRACT_ANSWERS_HALF_CLOSED)

#define EVHTTP_UNLIMITED "evhttp 2.1.12 has no limit of a body unless it is given one, and waits"

#define EVHTTP_CONNECTION "evhttp 2.1.12 itself answers, and takes a lone \"close\" only"
#define EVHTTP_EXPECT "evhttp 2.1.12 takes exactly \"100-continue\", and answers 417 to all others"

/* What evhttp answers before anyone else. */
#define EVHTTP_DEVIATIONS                                                                          \
	{"http10_keep_alive_unknown_path", "404 open", EVHTTP_CONNECTION},                         \
		{"connection_close_in_list_unknown_path", "404 open", EVHTTP_CONNECTION},          \
		{"expect_tabs_waits", "417 closed", EVHTTP_EXPECT},                                \
	{                                                                                          \
		"expect_empty", "417 closed", EVHTTP_EXPECT                                        \
	}

static const struct contract_http_deviation guarded_deviations[] = {
	EVHTTP_DEVIATIONS,
};

static const struct contract_http_deviation unlimited_deviations[] = {
	EVHTTP_DEVIATIONS,
	{"length_overflow_plus_n", "silent", EVHTTP_UNLIMITED},
	{"length_too_large", "silent", EVHTTP_UNLIMITED},
	{"expect_too_large", "silent", EVHTTP_UNLIMITED},
	{"chunk_announces_too_much", "silent", EVHTTP_UNLIMITED},
};

#define EVHTTP_LINES                                                                               \
	"evhttp 2.1.12 takes a line feed alone for the end of a line, and joins folded lines"
#define EVHTTP_NUL "evhttp 2.1.12 ends a value at a NUL"
#define EVHTTP_METHODS "evhttp 2.1.12 does not tell what a method is that it does not know"
#define EVHTTP_TARGETS "evhttp 2.1.12 looks for a route before anything else"
#define EVHTTP_VERSIONS "evhttp 2.1.12 reads a version's numbers leniently"
#define EVHTTP_CHUNKS "evhttp 2.1.12 reads sizes, ends and trailers of chunks leniently"
#define EVHTTP_EXTENSIONS "evhttp 2.1.12 takes no chunk extensions without a blank before them"
#define EVHTTP_LENGTHS "evhttp 2.1.12 waits for a body over its limit"

/* Without herald_libevent_guard(). */
static const struct contract_http_deviation unguarded_deviations[] = {
	EVHTTP_DEVIATIONS,
	{"chunk_ext_good", "413 closed", EVHTTP_EXTENSIONS},
	{"chunk_ext_good_last", "413 closed", EVHTTP_EXTENSIONS},
	{"chunk_size_blank_after", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_control", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_empty_name", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_blank_before_colon", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_nul", "200 closed", EVHTTP_CHUNKS},
	{"target_*", "404 open", EVHTTP_TARGETS},
	{"leading_crlf", "400 closed", "evhttp 2.1.12 skips no empty line before a request"},
	{"method_after_cr", "405 closed", EVHTTP_METHODS},
	{"method_with_cr", "405 closed", EVHTTP_METHODS},
	{"method_with_control", "405 closed", EVHTTP_METHODS},
	{"method_with_delimiter", "405 closed", EVHTTP_METHODS},
	{"leading_blank", "404 405 closed", EVHTTP_METHODS},
	{"tab_in_target", "404 open", EVHTTP_TARGETS},
	{"https_absolute_form", "200 closed", "the adapter does not know who encrypts"},
	{"connect_*", "404 200 closed", EVHTTP_TARGETS},
	{"star_with_post", "404 open", EVHTTP_TARGETS},
	{"get_star", "404 open", EVHTTP_TARGETS},
	{"two_blanks_*", "404 open", EVHTTP_TARGETS},
	{"get_health_head", "200 open", "a route of the user's keeps its connection"},
	{"blank_after_version", "415 closed", EVHTTP_VERSIONS},
	{"http_1_01", "200 closed", EVHTTP_VERSIONS},
	{"http_1_plus", "200 closed", EVHTTP_VERSIONS},
	{"head_nul_in_value", "200 closed", EVHTTP_NUL},
	{"nul_lf_after_value", "200 closed", EVHTTP_NUL},
	{"length_nul", "200 closed", EVHTTP_NUL},
	{"te_nul", "200 closed", EVHTTP_NUL},
	{"head_bare_lf_line", "200 closed", EVHTTP_LINES},
	{"head_folded_tab", "200 closed", EVHTTP_LINES},
	{"name_forged_by_fold", "200 closed", EVHTTP_LINES},
	{"bare_lf_*", "200 closed", EVHTTP_LINES},
	{"length_overflow", "silent", EVHTTP_LENGTHS},
	{"length_over_64_bits", "silent", EVHTTP_LENGTHS},
	{"length_overflow_plus_n", "silent", EVHTTP_LENGTHS},
	{"length_too_large", "silent", EVHTTP_LENGTHS},
	{"expect_too_large", "silent", EVHTTP_LENGTHS},
	{"chunk_bare_lf_*", "200 closed", EVHTTP_CHUNKS},
	{"chunk_size_0x", "200 closed", EVHTTP_CHUNKS},
	{"chunk_size_blank_first", "200 closed", EVHTTP_CHUNKS},
	{"chunk_data_no_crlf", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_bare_lf", "200 closed", EVHTTP_CHUNKS},
	{"chunk_trailer_fold", "200 closed", EVHTTP_CHUNKS},
};

static const struct contract_http_refusal refusals[] = {
	{"bad_chunk_*", 413, "evhttp 2.1.12 answers 413 to chunks that it cannot read"},
};

static const struct contract_http_adapter adapters[] = {
	{.name = "loop",
	 .capabilities =
		 CAPABILITIES & ~(CONTRACT_CONCURRENT | CONTRACT_DRAINS | CONTRACT_REFUSES_EARLY),
	 .deviations = guarded_deviations,
	 .deviations_count = HERALD_COUNT(guarded_deviations),
	 .refusals = refusals,
	 .refusals_count = HERALD_COUNT(refusals),
	 .start = start_on_loop,
	 .stop = stop_server,
	 .end = end_contract_server},
	{.name = "pool",
	 .capabilities = CAPABILITIES & ~CONTRACT_REFUSES_EARLY,
	 .deviations = guarded_deviations,
	 .deviations_count = HERALD_COUNT(guarded_deviations),
	 .refusals = refusals,
	 .refusals_count = HERALD_COUNT(refusals),
	 .start = start_on_pool,
	 .stop = stop_server,
	 .end = end_contract_server},
	{.name = "unlimited",
	 .capabilities = CAPABILITIES & ~(CONTRACT_REFUSES_EARLY | CONTRACT_REFUSES_MID_BODY),
	 .deviations = unlimited_deviations,
	 .deviations_count = HERALD_COUNT(unlimited_deviations),
	 .refusals = refusals,
	 .refusals_count = HERALD_COUNT(refusals),
	 .start = start_unlimited,
	 .stop = stop_server,
	 .end = end_contract_server},
	{.name = "unguarded",
	 /* The adapter closes each connection after one event, and evhttp reads chunks its way. */
	 .capabilities = CONTRACT_ALL &
			 ~(CONTRACT_REFUSES_EARLY | CONTRACT_CHUNK_GRAMMAR | CONTRACT_KEEPS_ALIVE |
			   CONTRACT_ANSWERS_ALL | CONTRACT_PIPELINES | CONTRACT_REUSES_REFUSED |
			   CONTRACT_GUARDS_ROUTES | CONTRACT_SKIPS_EMPTY_LINE),
	 .deviations = unguarded_deviations,
	 .deviations_count = HERALD_COUNT(unguarded_deviations),
	 .start = start_unguarded,
	 .stop = stop_server,
	 .end = end_contract_server},
};

/* A probe behind a server with options of the test's own. */

static inline struct own_server *
serve_endpoint(struct probe *probe, const struct herald_endpoint_options *endpoint_options,
	       const struct herald_pool_options *pool_options,
	       const struct herald_libevent_options *options)
{
	probe_create(probe);
	probe_create_endpoint(probe, endpoint_options);
	probe->adapter = &adapters[0]; /* for its stop */
	struct own_server *own =
		start_with_pool(probe->endpoint, pool_options, *options, &probe->port);
	probe->server = own;
	return own;
}

static inline struct own_server *
serve(struct probe *probe, const struct herald_pool_options *pool_options,
      const struct herald_libevent_options *options)
{
	return serve_endpoint(probe, NULL, pool_options, options);
}

/* Descriptors run out. */

struct records {
	atomic_uint count;
	char message[128];
	int64_t number;
};

static inline void
record(const struct herald_log_record *from, void *state)
{
	struct records *to = state;

	snprintf(to->message, sizeof(to->message), "%s", from->message);
	to->number = from->fields[0].number;
	atomic_fetch_add(&to->count, 1);
}

#endif
