/*
 * The probe: a service whose function and handler obey the event. What it is for is said in its
 * header; it knows no adapter but by the struct.
 */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "own_answers.h"
#include "traces.h"

/* Between two attempts to connect. */
#define PAUSE_MS 10

/* Not the default for each test that does not care. */
#define NO_GRACE_MS 1

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(user_created, username, .required = true, .min_bytes = 1));

struct order {
	const char *order_id;
};

HERALD_SCHEMA(order, HERALD_FIELD(order, order_id, .required = true));

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order, struct probe *probe)
{
	bool smuggled = strncmp(order->order_id, PROBE_SMUGGLED, strlen(PROBE_SMUGGLED)) == 0;

	(void)ctx;
	atomic_fetch_add(smuggled ? &probe->smuggled_count : &probe->orders_count, 1);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order, probe);

static enum herald_verdict
on_follow_up(struct herald_context *ctx, const struct order *order, struct probe *probe)
{
	(void)order;
	(void)probe;
	return herald_fail_status(ctx, 409, "the follow-up");
}
HERALD_FUNCTION(on_follow_up, order, probe);

static void
hold(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	probe->held_count++;
	pthread_cond_broadcast(&probe->changed);
	while (!probe->open)
		pthread_cond_wait(&probe->changed, &probe->lock);
	pthread_mutex_unlock(&probe->lock);
}

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user_created *user, struct probe *probe)
{
	const char *name = user->username;

	atomic_fetch_add(&probe->function_count, 1);
	if (strcmp(name, "fail") == 0)
		return herald_fail(ctx, "the function \"failed\"");
	if (strcmp(name, "taken") == 0)
		return herald_fail_status(ctx, 409, "username %s is taken", name);
	if (strcmp(name, "busy") == 0)
		return herald_retry(ctx, "busy");
	if (strcmp(name, "busy-2500") == 0)
		return herald_retry_after(ctx, 2500, "busy");
	if (strcmp(name, "hold") == 0)
		hold(probe);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user_created, probe);

static const char *
attribute_or_none(struct herald_context *ctx, const char *name)
{
	const char *value = herald_context_attribute(ctx, name);

	return value ? value : "none";
}

/* What metadata KEY tells a handler to do. */
static enum herald_verdict
obey(struct herald_context *ctx, const char *key)
{
	const char *order = herald_json_map_get(&herald_context_message(ctx)->metadata, key);

	if (order && strcmp(order, "fail") == 0)
		return herald_fail(ctx, "%s failed", key);
	if (order && strcmp(order, "retry") == 0)
		return herald_retry(ctx, "%s is busy", key);
	if (order && strcmp(order, "tell") == 0)
		return herald_fail_status(ctx, 422, "%s, %s, %s", attribute_or_none(ctx, "X-Team"),
					  attribute_or_none(ctx, "Content-Type"),
					  attribute_or_none(ctx, "X-Other"));
	return HERALD_DONE;
}

static enum herald_verdict
before(struct herald_handler *handler, struct herald_context *ctx)
{
	struct probe *probe = (struct probe *)handler;

	atomic_fetch_add(&probe->before_count, 1);
	return obey(ctx, "before");
}

static enum herald_verdict
after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	struct probe *probe = (struct probe *)handler;

	atomic_fetch_add(&probe->after_count, 1);
	atomic_store(&probe->after_saw, (int)result);
	return obey(ctx, "after");
}

/* X-Other is not among them. */
static const char *const read_headers[] = {"X-Team", "Content-Type", NULL};

static const struct herald_handler_ops probe_ops = {
	.struct_size = sizeof(probe_ops),
	.name = "probe",
	.attributes = read_headers,
	.before = before,
	.after = after,
};

static void
create_in(struct probe *probe, const struct herald_allocator *allocator)
{
	struct herald_handler *handlers[] = {&probe->handler};
	struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user, probe),
		HERALD_ROUTE("versioned", user_created, on_user, probe, .version = "2"),
		HERALD_ROUTE("order_placed", order, on_order, probe),
		HERALD_ROUTE("follow_up", order, on_follow_up, probe),
		contract_http_own_routes[0],
		contract_http_own_routes[1],
		contract_http_traced_route,
	};
	struct herald_service_options options = HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .tracing = true);
	struct herald_error error;

	if (allocator)
		options.allocator = *allocator;
	memset(probe, 0, sizeof(*probe));
	probe->handler.ops = &probe_ops;
	atomic_store(&probe->after_saw, -1);
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	if (herald_service_create(&options, &probe->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

void
probe_create(struct probe *probe)
{
	create_in(probe, NULL);
}

void
probe_create_endpoint(struct probe *probe, const struct herald_endpoint_options *options)
{
	struct herald_error error;

	if (herald_endpoint_create(probe->service, options, &probe->endpoint, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

void
probe_destroy(struct probe *probe)
{
	herald_endpoint_destroy(probe->endpoint);
	herald_service_destroy(probe->service);
	pthread_cond_destroy(&probe->changed);
	pthread_mutex_destroy(&probe->lock);
}

static void
start(struct probe *probe, void **state, const struct herald_endpoint_options *options,
      const struct herald_allocator *allocator, uint32_t idle_grace_ms)
{
	struct herald_endpoint_options with_limit = {.struct_size = sizeof(with_limit)};

	if (options)
		with_limit = *options;
	if (with_limit.max_body_bytes == 0)
		with_limit.max_body_bytes = PROBE_MAX_BODY_BYTES;
	create_in(probe, allocator);
	probe_create_endpoint(probe, &with_limit);
	probe->adapter = *state;
	probe->server = probe->adapter->start(probe->endpoint, idle_grace_ms, &probe->port);
	assert_non_null(probe->server);
}

void
probe_start_in(struct probe *probe, void **state, const struct herald_endpoint_options *options,
	       const struct herald_allocator *allocator)
{
	start(probe, state, options, allocator, NO_GRACE_MS);
}

void
probe_start_with_grace(struct probe *probe, void **state, uint32_t idle_grace_ms)
{
	start(probe, state, NULL, NULL, idle_grace_ms);
}

void
probe_start(struct probe *probe, void **state, const struct herald_endpoint_options *options)
{
	probe_start_in(probe, state, options, NULL);
}

size_t
probe_stop_server(struct probe *probe)
{
	size_t left = probe->adapter->stop(probe->server, HTTP_CLIENT_WAIT_MS);

	probe->adapter->end(probe->server);
	probe->server = NULL;
	return left;
}

void
probe_stop(struct probe *probe)
{
	if (probe->server)
		assert_int_equal(probe_stop_server(probe), 0);
	probe_destroy(probe);
}

void
probe_wait_held(struct probe *probe, unsigned count)
{
	struct timespec deadline;
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += HTTP_CLIENT_WAIT_MS / 1000;
	pthread_mutex_lock(&probe->lock);
	while (probe->held_count < count && failed == 0)
		failed = pthread_cond_timedwait(&probe->changed, &probe->lock, &deadline);
	pthread_mutex_unlock(&probe->lock);
	assert_int_equal(failed, 0);
}

void
probe_release(struct probe *probe)
{
	pthread_mutex_lock(&probe->lock);
	probe->open = true;
	pthread_cond_broadcast(&probe->changed);
	pthread_mutex_unlock(&probe->lock);
}

void
probe_connect(const struct probe *probe, struct http_client *client)
{
	if (!http_connect(client, "127.0.0.1", probe->port))
		fail_msg("cannot connect: %s", strerror(errno));
}

bool
probe_keeps_alive(const struct probe *probe)
{
	return (probe->adapter->capabilities & CONTRACT_KEEPS_ALIVE) != 0;
}

void
probe_next(const struct probe *probe, struct http_client *client)
{
	if (probe_keeps_alive(probe))
		return;
	assert_true(http_wait_closed(client, PROBE_AT_ONCE_MS));
	http_close(client);
	probe_connect(probe, client);
}

bool
probe_reuses_refused(const struct probe *probe)
{
	return (probe->adapter->capabilities & CONTRACT_REUSES_REFUSED) != 0;
}

void
probe_wait_refused(uint16_t port)
{
	struct timespec now;
	struct http_client client;

	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t deadline = now.tv_sec + HTTP_CLIENT_WAIT_MS / 1000;
	while (http_connect(&client, "127.0.0.1", port)) {
		/* Until it is closed, or a pause: without one, the queue of connections overflows,
		 * and the system repeats the next one's SYN after a second. */
		(void)!http_wait_readable(&client, PAUSE_MS);
		http_close(&client);
		clock_gettime(CLOCK_MONOTONIC, &now);
		assert_true(now.tv_sec < deadline);
	}
}

bool
probe_post(struct http_client *client, const char *body)
{
	char head[256];

	snprintf(head, sizeof(head),
		 "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 strlen(body));
	return http_send_text(client, head) && http_send_text(client, body);
}

void
probe_exchange(const struct probe *probe, const char *body, struct http_response *out)
{
	struct http_client client;

	probe_connect(probe, &client);
	assert_true(probe_post(&client, body));
	assert_true(http_receive(&client, true, out));
	http_close(&client);
}

void
probe_assert_alive(const struct probe *probe)
{
	struct http_response response;

	probe_exchange(probe, PROBE_DONE, &response);
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
}

void
probe_assert_answer(const struct http_response *response, unsigned status, const char *body)
{
	if (response->status != status)
		fail_msg("status %u instead of %u: %s%s", response->status, status, response->head,
			 response->body);
	if (body)
		assert_string_equal(response->body, body);
}

void
probe_assert_next(struct http_client *client, unsigned status, const char *body)
{
	struct http_response response;

	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, status, body);
}
