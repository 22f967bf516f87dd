/*
 * The service: one route, whose function checks a value and counts. It is called by a consumer of
 * Herald, or with the bytes that a bare client has received.
 */
#include "broker.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <herald/consumer.h>
#include <herald/herald.h>

/* The longest wait for the ends of events. */
#define STOP_MS 60000

#define MAX_EVENT_BYTES 65536

struct service {
	struct herald_service *herald;
	atomic_ullong runs;
	unsigned long long wanted; /* runs at which `reached` is posted */
	sem_t reached;
	char copy[MAX_EVENT_BYTES];
};

struct user_created {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

static void
count_run(struct service *service)
{
	if (atomic_fetch_add_explicit(&service->runs, 1, memory_order_relaxed) + 1 ==
	    service->wanted)
		sem_post(&service->reached);
}

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user,
		struct service *service)
{
	(void)ctx;
	if (strcmp(user->user_id, "12345") != 0)
		die("the event has changed", user->user_id);
	count_run(service);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created, service);

struct service *
service_create(void)
{
	struct service *service = calloc(1, sizeof(*service));
	struct herald_error error;

	if (!service)
		die("calloc", "out of memory");
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, service),
	};
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service->herald,
				  &error) != HERALD_OK)
		die("herald_service_create", error.message);
	sem_init(&service->reached, 0, 0);
	return service;
}

void
service_destroy(struct service *service)
{
	herald_service_destroy(service->herald);
	sem_destroy(&service->reached);
	free(service);
}

void
service_run(void *data, size_t bytes, void *state)
{
	struct service *service = state;
	struct herald_result result;

	if (bytes > sizeof(service->copy))
		die("the event has changed", "it is too long");
	memcpy(service->copy, data, bytes);
	herald_service_handle(service->herald, service->copy, bytes, &result);
	if (result.status != HERALD_OK)
		die("herald_service_handle", result.error.message);
}

void
service_skip(void *data, size_t bytes, void *state)
{
	(void)data;
	if (bytes == 0)
		die("the event has changed", "it is empty");
	count_run(state);
}

void
service_consume(struct service *service, const struct place *place, const char *source,
		uint64_t count, unsigned lanes)
{
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service->herald, .lanes = lanes,
					.max_in_flight = IN_FLIGHT);
	struct herald_consumer *consumer;
	struct herald_error error;

	service->wanted = atomic_load(&service->runs) + count;
	if (broker_subscribe(place, source, &options.subscriber, &error) != HERALD_OK ||
	    herald_consumer_create(&options, &consumer, &error) != HERALD_OK)
		die("herald_consumer_create", error.message);
	sem_wait(&service->reached);
	if (herald_consumer_stop(consumer, STOP_MS) != 0)
		die("herald_consumer_stop", "the broker does not know of all ends");
	herald_consumer_destroy(consumer);
}
