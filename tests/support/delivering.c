/*
 * The tests' clock and recorder, and the fixture of tests of deliveries. They do not judge results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "delivering.h"
#include "names.h"

/* How long nothing may happen. */
#define WAIT_S 60

static uint64_t
clock_now_ms(void *state)
{
	struct test_clock *clock = state;

	return atomic_load(&clock->now_ms);
}

static int64_t
clock_wall_ms(void *state)
{
	struct test_clock *clock = state;

	return (int64_t)TEST_CLOCK_WALL_S * 1000 + (int64_t)clock_now_ms(state) +
	       atomic_load(&clock->jump_ms);
}

static uint64_t
clock_random(void *state)
{
	struct test_clock *clock = state;

	return atomic_load(&clock->random);
}

static void
clock_idle(uint64_t due_ms, size_t in_flight, void *state)
{
	struct test_clock *clock = state;

	if (in_flight == 0 && due_ms != UINT64_MAX && !atomic_load(&clock->is_frozen) &&
	    due_ms > atomic_load(&clock->now_ms))
		atomic_store(&clock->now_ms, due_ms);
}

void
test_clock_init(struct test_clock *clock)
{
	atomic_init(&clock->now_ms, 0);
	atomic_init(&clock->jump_ms, 0);
	atomic_init(&clock->random, 0);
	atomic_init(&clock->is_frozen, false);
	clock->clock = (struct herald__delivery_clock){
		.now_ms = clock_now_ms,
		.wall_ms = clock_wall_ms,
		.random = clock_random,
		.idle = clock_idle,
		.state = clock,
	};
}

void
test_clock_advance(struct test_clock *clock, struct herald_deliverer *deliverer, uint64_t ms)
{
	atomic_fetch_add(&clock->now_ms, ms);
	herald__engine_wake(deliverer);
}

struct herald_transport *
curl_transport(const struct herald_curl_transport_options *options)
{
	struct herald_transport *transport;

	if (herald_curl_transport_create(options, &transport, NULL) != HERALD_OK)
		abort();
	return transport;
}

enum herald_status
create_deliverer(const struct herald_deliverer_options *given,
		 const struct herald__delivery_clock *clock, struct herald_deliverer **out,
		 struct herald_error *error)
{
	struct herald_deliverer_options options =
		given ? *given : HERALD_DELIVERER_OPTIONS(.attempts = 0);

	enum herald_status status = HERALD_OK;

	if (!options.transport)
		status = herald_curl_transport_create(
			&HERALD_CURL_TRANSPORT_OPTIONS(.allocator = options.allocator),
			&options.transport, error);
	if (status != HERALD_OK)
		return status;
	status = herald__deliverer_create(&options, clock, out, error);
	/* Options without their size are not read, so the transport is still ours. */
	if (status == HERALD_BAD_OPTION && options.struct_size == 0)
		herald_curl_transport_destroy(options.transport);
	return status;
}

enum herald_status
create_over_curl(const struct herald_deliverer_options *options, struct herald_deliverer **out,
		 struct herald_error *error)
{
	return create_deliverer(options, NULL, out, error);
}

void
recorder_init(struct recorder *recorder)
{
	memset(recorder, 0, sizeof(*recorder));
	if (pthread_mutex_init(&recorder->mutex, NULL) != 0 ||
	    pthread_cond_init(&recorder->changed, NULL) != 0)
		abort();
}

void
recorder_finish(struct recorder *recorder)
{
	pthread_cond_destroy(&recorder->changed);
	pthread_mutex_destroy(&recorder->mutex);
}

static void
copy(struct recorded_report *out, const struct herald_delivery_report *report)
{
	const char *result = report->delivery->result;

	out->outcome = report->outcome;
	out->failure = report->failure;
	out->attempt = report->attempt;
	out->http_status = report->http_status;
	out->elapsed_ms = report->elapsed_ms;
	out->retry_in_ms = report->retry_in_ms;
	snprintf(out->id, sizeof(out->id), "%s", report->delivery->id);
	snprintf(out->url, sizeof(out->url), "%s", report->delivery->url);
	snprintf(out->result, sizeof(out->result), "%s", result ? result : "");
	snprintf(out->error, sizeof(out->error), "%s", report->error);
}

void
record_attempt(const struct herald_delivery_report *report, void *state)
{
	struct recorder *recorder = state;

	pthread_mutex_lock(&recorder->mutex);
	if (recorder->attempts < RECORDED_REPORTS)
		copy(&recorder->attempt_reports[recorder->attempts], report);
	recorder->attempts++;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->mutex);
}

void
record_outcome(const struct herald_delivery_report *report, void *state)
{
	struct recorder *recorder = state;

	pthread_mutex_lock(&recorder->mutex);
	if (recorder->outcomes < RECORDED_REPORTS)
		copy(&recorder->outcome_reports[recorder->outcomes], report);
	recorder->outcomes++;
	recorder->delivered += report->outcome == HERALD_DELIVERY_DELIVERED;
	recorder->failed += report->outcome == HERALD_DELIVERY_FAILED;
	recorder->left += report->outcome == HERALD_DELIVERY_LEFT;
	pthread_cond_broadcast(&recorder->changed);
	pthread_mutex_unlock(&recorder->mutex);
}

static void
wait_for(struct recorder *recorder, const size_t *count, size_t wanted)
{
	struct timespec until;
	int failure = 0;

	pthread_mutex_lock(&recorder->mutex);
	while (*count < wanted && failure == 0) {
		const size_t before = *count;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += WAIT_S;
		while (*count == before && failure == 0)
			failure = pthread_cond_timedwait(&recorder->changed, &recorder->mutex,
							 &until);
	}
	if (failure != 0) {
		fprintf(stderr, "waited for %zu reports, got %zu\n", wanted, *count);
		abort();
	}
	pthread_mutex_unlock(&recorder->mutex);
}

void
recorder_wait(struct recorder *recorder, size_t outcomes)
{
	wait_for(recorder, &recorder->outcomes, outcomes);
}

void
recorder_wait_attempts(struct recorder *recorder, size_t attempts)
{
	wait_for(recorder, &recorder->attempts, attempts);
}

struct delivery_fixture *
delivery_fixture_create(const char *address)
{
	struct delivery_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	misbehaving_server_init(&fixture->server, address);
	test_clock_init(&fixture->clock);
	recorder_init(&fixture->recorder);
	return fixture;
}

void
delivery_fixture_destroy(struct delivery_fixture *fixture)
{
	/* The server's thread may be in a hook of the test's, which uses the deliverer. */
	if (fixture->deliverer)
		herald_deliverer_stop(fixture->deliverer, 0);
	misbehaving_server_stop(&fixture->server);
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
	names_clear();
	free(fixture);
}

int
delivery_fixture_setup(void **state)
{
	*state = delivery_fixture_create("127.0.0.1");
	return 0;
}

int
delivery_fixture_teardown(void **state)
{
	delivery_fixture_destroy(*state);
	return 0;
}

void
delivery_fixture_deliver(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	struct herald_error error;

	options.struct_size = sizeof(options);
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = options.state ? options.state : &fixture->recorder;
	if (create_deliverer(&options, &fixture->clock.clock, &fixture->deliverer, &error) !=
	    HERALD_OK)
		fail_msg("%s", error.message);
}

void
delivery_fixture_start(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	options.addresses = HERALD_ADDRESSES_ANY;
	misbehaving_server_start(&fixture->server);
	delivery_fixture_deliver(fixture, options);
}

void
delivery_fixture_url(const struct delivery_fixture *fixture, const char *text, char *out,
		     size_t bytes)
{
	const char *port = strstr(text, ":PORT");

	if (text[0] == '/')
		snprintf(out, bytes, "http://127.0.0.1:%u%s", fixture->server.port, text);
	else if (port)
		snprintf(out, bytes, "%.*s:%u%s", (int)(port - text), text, fixture->server.port,
			 port + 5);
	else
		snprintf(out, bytes, "%s", text);
}

void
delivery_fixture_submit(struct delivery_fixture *fixture, const char *text, const char *event_id)
{
	char url[256];
	struct herald_error error;
	const struct herald_delivery delivery = {
		.url = url, .event_type = "t", .event_id = event_id};

	delivery_fixture_url(fixture, text, url, sizeof(url));
	if (herald_deliverer_submit(fixture->deliverer, &delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", url, error.message);
}

void
assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("there is no \"%s\" in:\n%s", part, text ? text : "nothing");
}

void
delivery_fixture_await(struct delivery_fixture *fixture, const char *text, size_t count)
{
	size_t outcomes = fixture->recorder.outcomes;

	for (size_t i = 0; i < count; i++)
		delivery_fixture_submit(fixture, text, NULL);
	recorder_wait(&fixture->recorder, outcomes + count);
}

int
listen_on_a_port(uint16_t *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
	*port = ntohs(name.sin_port);
	return fd;
}
