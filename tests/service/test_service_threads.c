/*
 * One service and one endpoint, used by eight threads at once: every event gets its own answer, and
 * the statistics add up. Under ThreadSanitizer this must be silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include <herald/adapter/request.h>
#include <herald/endpoint.h>
#include <herald/service.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

enum { THREADS = 8, ROUNDS = 500, KINDS = 6 };

struct item {
	int32_t thread, round;
};
struct old_item {
	int32_t thread, round;
};
HERALD_SCHEMA(item, HERALD_FIELD(item, thread), HERALD_FIELD(item, round));
HERALD_SCHEMA(old_item, HERALD_FIELD(old_item, thread), HERALD_FIELD(old_item, round));

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_item *from, struct item *to)
{
	(void)ctx;
	to->thread = from->thread;
	to->round = from->round;
	return HERALD_DONE;
}
HERALD_UPCASTER(modernize, old_item, item);

static enum herald_verdict
on_item(struct herald_context *ctx, const void *payload, void *state)
{
	const struct item *item = payload;

	atomic_fetch_add((atomic_uint *)state, 1);
	return item->round % 2 ? HERALD_DONE
			       : herald_fail(ctx, "%d of %d", (int)item->round, (int)item->thread);
}

/* Keeps in its slot what it saw, and sees whether it is still there. */
static enum herald_verdict
remember(struct herald_handler *handler, struct herald_context *ctx)
{
	int32_t *copy = herald_context_alloc(ctx, 1000);

	*copy = ((const struct item *)herald_context_payload(ctx))->round;
	*herald_context_slot(ctx, handler) = copy;
	return HERALD_DONE;
}

static enum herald_verdict
compare(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	const int32_t *copy = *herald_context_slot(ctx, handler);

	if (*copy != ((const struct item *)herald_context_payload(ctx))->round)
		return herald_fail_status(ctx, 418, "the slot is another event's");
	return result == HERALD_DONE ? HERALD_DONE : HERALD_RETRY;
}

static const struct herald_handler_ops remember_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "remember",
	.before = remember,
	.after = compare,
};

static void
count_record(const struct herald_log_record *record, void *state)
{
	(void)record;
	atomic_fetch_add((atomic_uint *)state, 1);
}

struct worker {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	int number;
	unsigned wrong;
};

/* Event number `round` of a thread: an answer of each kind in turn. */
static void
prepare(const struct worker *worker, int round, char *json, size_t size, char *expected)
{
	static const char *const versions[KINDS] = {"2", "2", "1", "1", "3", "2"};
	int kind = round % KINDS;

	snprintf(json, size,
		 "{\"event_type\":\"item\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"metadata\":{\"version\":\"%s\"},\"payload\":{\"thread\":%d,\"round\":%d}}",
		 versions[kind], worker->number, round);
	if (kind == 5)
		json[20] = '\0';
	if (kind == 4)
		strcpy(expected, "404");
	else if (kind == 5)
		strcpy(expected, "400");
	else if (round % 2)
		strcpy(expected, "200");
	else
		sprintf(expected, "500 {\"error\":\"%d of %d\"}", round, worker->number);
}

static void
check(struct worker *worker, const struct herald_http_response *response, const char *expected)
{
	char found[300];

	snprintf(found, sizeof(found), "%u %.*s", response->status, (int)response->body_bytes,
		 response->body);
	worker->wrong += strncmp(found, expected, strlen(expected)) != 0;
}

static void *
work(void *state)
{
	struct worker *worker = state;
	struct herald_statistics statistics;
	struct herald_route_statistics route;

	for (int round = 0; round < ROUNDS; round++) {
		const struct herald_http_head head = {
			.method = "POST", .content_type = "application/json", .content_length = 50};
		char json[300], expected[100];

		prepare(worker, round, json, sizeof(json), expected);
		struct herald_http_request *request =
			herald_http_request_create(worker->endpoint, &head);
		herald_http_request_append(request, json, strlen(json));
		check(worker, herald_http_request_finish(request), expected);
		herald_http_request_destroy(request);
		herald_service_statistics(worker->service, &statistics);
		herald_service_route_statistics(worker->service, 0, &route);
	}
	return NULL;
}

static void
check_statistics(const struct herald_service *service, unsigned handled, unsigned recorded)
{
	struct herald_statistics all;
	struct herald_route_statistics route;

	herald_service_statistics(service, &all);
	assert_int_equal(all.events, THREADS * ROUNDS);
	assert_int_equal(all.done + all.fail, handled);
	assert_int_equal(all.retry, 0);
	assert_int_equal(all.rejected, THREADS * ROUNDS - handled);
	assert_true(herald_service_route_statistics(service, 0, &route));
	assert_int_equal(route.counts.events, handled);
	assert_int_equal(route.counts.done, all.done);
	assert_int_equal(route.counts.fail, all.fail);
	/* One record for each event, and one for each `after` of an event that failed. */
	assert_int_equal(recorded, all.events + all.fail);
}

static void
test_eight_threads(void **state)
{
	atomic_uint handled = 0, recorded = 0;
	struct herald_handler handler = {.ops = &remember_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {{.event_type = "item",
					       .version = "2",
					       .schema = &item_schema,
					       .function = on_item,
					       .state = &handled,
					       HERALD_HANDLERS(handlers)}};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("item", "1", old_item, "2", item, modernize)};
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(
		herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
						.log = {count_record, &recorded, HERALD_LOG_DEBUG}),
			&service, NULL),
		HERALD_OK);
	/* Fewer than threads, so that requests are freed and made all the time. */
	assert_int_equal(herald_endpoint_create(service,
						&HERALD_ENDPOINT_OPTIONS(.max_idle_requests = 3),
						&endpoint, NULL),
			 HERALD_OK);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){service, endpoint, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
	}
	check_statistics(service, handled, recorded);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

/* Threads that create services with one handler. */
struct creation {
	pthread_barrier_t *barrier;
	struct herald_handler *handlers[1];
	struct herald_service *service;
	struct herald_error error;
	enum herald_status status;
};

static void *
create_service(void *state)
{
	struct creation *creation = state;

	pthread_barrier_wait(creation->barrier);
	creation->status =
		herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(creation->handlers)),
				      &creation->service, &creation->error);
	return NULL;
}

static unsigned handlers_destroyed;

static void
count_destroyed(struct herald_handler *handler)
{
	(void)handler;
	handlers_destroyed++;
}

/* If several services are created at the same time, one of them gets the handler. */
static void
test_one_handler_for_two_services(void **state)
{
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "one", .destroy = count_destroyed};
	struct herald_handler handler = {.ops = &ops};
	pthread_barrier_t barrier;

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct creation creations[THREADS];
		pthread_t threads[THREADS];
		unsigned created = 0;

		for (size_t i = 0; i < THREADS; i++) {
			creations[i] =
				(struct creation){.barrier = &barrier, .handlers = {&handler}};
			assert_int_equal(
				pthread_create(&threads[i], NULL, create_service, &creations[i]),
				0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			created += creations[i].status == HERALD_OK;
			if (creations[i].status == HERALD_OK)
				continue;
			assert_int_equal(creations[i].status, HERALD_BAD_OPTION);
			assert_null(creations[i].service);
			assert_string_equal(creations[i].error.path, "handlers[0]");
		}
		assert_int_equal(created, 1);
		for (size_t i = 0; i < THREADS; i++)
			herald_service_destroy(creations[i].service);
		assert_int_equal(handlers_destroyed, round + 1);
	}
	pthread_barrier_destroy(&barrier);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eight_threads),
		cmocka_unit_test(test_one_handler_for_two_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
