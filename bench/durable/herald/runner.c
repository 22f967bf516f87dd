/*
 * The service: one route, whose function counts, and the waiting for it. Databases and rows are in
 * database.c.
 */
#include "runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/request.h>
#include <herald/herald.h>
#include <herald/store.h>

/* The most that a command waits. */
#define WAIT_S 180

#define MAX_IN_FLIGHT 1000
#define MAX_TIMES 1000
/* An event is numbered by a username of as many digits as this one has letters. */
#define USERNAME "johndoe"
#define NUMBER_DIGITS 7
/* Between events that are sent slowly: the process is idle again. */
#define PAUSE_MS 10

struct runner {
	const struct place *place;
	struct herald_store *store;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_server *server;
	atomic_ulong runs;
	double begun_s[MAX_TIMES]; /* of numbered events; zeroed: not yet */
	atomic_bool is_held;
	pthread_mutex_t mutex;
	pthread_cond_t released;
};

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct runner *runner)
{
	if (strcmp(user->user_id, "12345") != 0)
		return herald_fail(ctx, "the event has changed: %s", user->user_id);
	atomic_fetch_add_explicit(&runner->runs, 1, memory_order_relaxed);
	if (strspn(user->username, "0123456789") == NUMBER_DIGITS)
		runner->begun_s[strtoul(user->username, NULL, 10) % MAX_TIMES] = now_s();
	if (!runner->is_held)
		return HERALD_DONE;
	pthread_mutex_lock(&runner->mutex);
	while (runner->is_held)
		pthread_cond_wait(&runner->released, &runner->mutex);
	pthread_mutex_unlock(&runner->mutex);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created, runner);

/* The second form writes a row; databases differ in how. */
static enum herald_verdict
on_joined(struct herald_context *ctx, const struct user_created *user, struct runner *runner)
{
	effects_write(ctx, user->username);
	return on_user_created(ctx, user, runner);
}
HERALD_FUNCTION(on_joined, user_created, runner);

static enum herald_status
service_create(struct runner *runner, enum mode mode, struct herald_error *error)
{
	const struct herald_route plain[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, runner),
	};
	const struct herald_route joined[] = {
		HERALD_ROUTE("user_created", user_created, on_joined, runner,
			     .transaction = HERALD_TRANSACTION_JOIN),
	};

	static const char *const ids[] = {"Idempotency-Key", NULL};

	return herald_service_create(
		&HERALD_SERVICE_OPTIONS(.id_attributes = ids,
					.routes = mode == MODE_JOIN ? joined : plain,
					.routes_count = 1, .store = runner->store),
		&runner->service, error);
}

struct runner *
runner_open(const struct place *place, enum mode mode)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	struct herald_error error;

	if (!runner)
		abort();
	runner->place = place;
	runner->is_held = mode == MODE_HOLD;
	pthread_mutex_init(&runner->mutex, NULL);
	pthread_cond_init(&runner->released, NULL);
	check(herald_store_create(&HERALD_STORE_OPTIONS(.database = place_database(place)),
				  &runner->store, &error),
	      &error);
	check(service_create(runner, mode, &error), &error);
	check(herald_endpoint_create(runner->service, NULL, &runner->endpoint, &error), &error);
	return runner;
}

/* Requests in flight. The store calls request_done() on its own thread. */
struct sender {
	pthread_mutex_t mutex;
	pthread_cond_t has_done;
	struct request *done; /* they have a response */
	bool waits;
};

struct request {
	struct sender *sender;
	struct herald_http_request *http;
	struct request *next;
};

static void
request_done(void *state)
{
	struct request *request = state;
	struct sender *sender = request->sender;

	pthread_mutex_lock(&sender->mutex);
	request->next = sender->done;
	sender->done = request;
	if (sender->waits)
		pthread_cond_signal(&sender->has_done);
	sender->waits = false;
	pthread_mutex_unlock(&sender->mutex);
}

static void
request_begin(struct runner *runner, struct request *request)
{
	const struct place *place = runner->place;
	const struct herald_http_head head = {
		.method = "POST",
		.content_type = "application/json",
		.content_length = place->event_bytes,
	};

	request->http = herald_http_request_create(runner->endpoint, &head);
	if (!request->http)
		abort();
	herald_http_request_append(request->http, place->event, place->event_bytes);
	if (herald_http_request_finish_async(request->http, request_done, request))
		request_done(request);
}

static void
request_end(struct request *request)
{
	const struct herald_http_response *response = herald_http_request_finish(request->http);

	if (response->status != 202) {
		fprintf(stderr, "queue_herald: status %u: %.*s\n", response->status,
			(int)response->body_bytes, response->body);
		exit(1);
	}
	herald_http_request_destroy(request->http);
}

/* Waits until there are some. */
static struct request *
take_done(struct sender *sender)
{
	pthread_mutex_lock(&sender->mutex);
	while (!sender->done) {
		sender->waits = true;
		pthread_cond_wait(&sender->has_done, &sender->mutex);
	}
	struct request *done = sender->done;
	sender->done = NULL;
	pthread_mutex_unlock(&sender->mutex);
	return done;
}

void
runner_accept(struct runner *runner, uint64_t count, size_t in_flight)
{
	struct sender sender = {.mutex = PTHREAD_MUTEX_INITIALIZER,
				.has_done = PTHREAD_COND_INITIALIZER};
	static struct request requests[MAX_IN_FLIGHT];
	uint64_t begun = 0, ended = 0;

	if (in_flight > MAX_IN_FLIGHT)
		in_flight = MAX_IN_FLIGHT;
	for (; begun < count && begun < in_flight; begun++) {
		requests[begun].sender = &sender;
		request_begin(runner, &requests[begun]);
	}
	while (ended < count) {
		struct request *request = take_done(&sender);
		while (request) {
			struct request *next = request->next;
			request_end(request);
			ended++;
			if (begun < count) {
				begun++;
				request_begin(runner, request);
			}
			request = next;
		}
	}
}

static void
pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

void
runner_accept_slowly(struct runner *runner, size_t count, double *accepted_s)
{
	char copy[65536], digits[NUMBER_DIGITS + 1];
	size_t bytes = runner->place->event_bytes;
	const char *username = strstr(runner->place->event, USERNAME);

	if (!username)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct herald_result result;
		memcpy(copy, runner->place->event, bytes);
		snprintf(digits, sizeof(digits), "%07u", (unsigned)(i % MAX_TIMES));
		memcpy(copy + (username - runner->place->event), digits, NUMBER_DIGITS);
		herald_service_handle(runner->service, copy, bytes, &result);
		accepted_s[i] = now_s();
		check(result.status, &result.error);
		pause_ms(PAUSE_MS);
	}
}

void
runner_begun(struct runner *runner, size_t count, double *begun_s)
{
	for (size_t i = 0; i < count; i++)
		begun_s[i] = i < MAX_TIMES ? runner->begun_s[i] : 0;
}

uint16_t
runner_serve(struct runner *runner)
{
	struct herald_error error;

	check(herald_server_create(runner->endpoint,
				   &HERALD_SERVER_OPTIONS(.any_port = true, .threads = 1),
				   &runner->server, &error),
	      &error);
	return herald_server_port(runner->server);
}

static void
give_up(const char *what, uint64_t reached, uint64_t count)
{
	fprintf(stderr, "queue_herald: after %d s %llu of %llu events are %s\n", WAIT_S,
		(unsigned long long)reached, (unsigned long long)count, what);
	exit(1);
}

void
runner_await_runs(struct runner *runner, uint64_t count)
{
	double end = now_s() + WAIT_S;

	while (atomic_load(&runner->runs) < count) {
		if (now_s() > end)
			give_up("running", atomic_load(&runner->runs), count);
		pause_ms(1);
	}
}

static uint64_t
done(struct runner *runner)
{
	struct herald_store_statistics statistics;

	herald_store_statistics_read(runner->store, &statistics);
	return statistics.done;
}

void
runner_await_done(struct runner *runner, uint64_t count)
{
	double end = now_s() + WAIT_S;

	while (done(runner) < count) {
		if (now_s() > end)
			give_up("done", done(runner), count);
		pause_ms(1);
	}
}

static void
release(struct runner *runner)
{
	pthread_mutex_lock(&runner->mutex);
	runner->is_held = false;
	pthread_cond_broadcast(&runner->released);
	pthread_mutex_unlock(&runner->mutex);
}

void
runner_close(struct runner *runner)
{
	if (!runner)
		return;
	herald_server_destroy(runner->server);
	release(runner);
	herald_store_stop(runner->store, 10000);
	herald_endpoint_destroy(runner->endpoint);
	herald_service_destroy(runner->service);
	herald_store_destroy(runner->store);
	free(runner);
}
