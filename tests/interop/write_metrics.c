/*
 * Writes metrics to the standard output, for the readers of prometheus.py: of a service with types
 * that need escapes, a pool, a deliverer and a producer.
 *
 *	write_metrics prometheus|openmetrics
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/herald.h>
#include <herald/producer.h>

#include "support/fake_publisher.h"

struct item {
	int32_t number;
};
HERALD_SCHEMA(item, HERALD_FIELD(item, number));

static enum herald_verdict
on_item(struct herald_context *ctx, const struct item *item)
{
	return item->number < 0 ? herald_fail(ctx, "less than 0") : HERALD_DONE;
}
HERALD_FUNCTION(on_item, item);

static struct herald_service *service;
static struct herald_pool *pool;
static struct herald_deliverer *deliverer;
static struct herald_named_producer producers[] = {{.name = "orders-1"}};

static enum herald_status
create_parts(struct herald_error *error)
{
	static const uint64_t bounds[] = {1, 1000000, 1500000};
	const struct herald_route routes[] = {
		HERALD_ROUTE("item", item, on_item, NULL, .version = "1.x"),
		HERALD_ROUTE("a \"quoted\" \\ and\nbroken \xff \xe2\x82\xac", item, on_item, NULL),
		HERALD_ROUTE("*", item, on_item, NULL),
	};
	struct fake_publisher *publisher = fake_publisher_create();

	publisher->is_threaded = true;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_DURATION_BOUNDS(bounds)),
		&service, error);
	if (status == HERALD_OK)
		status = herald_pool_create(NULL, &pool, error);
	if (status == HERALD_OK)
		status = herald_producer_create(
			&HERALD_PRODUCER_OPTIONS(.publisher = &publisher->base),
			&producers[0].producer, error);
	if (status == HERALD_OK)
		status = herald_deliverer_create(
			&HERALD_DELIVERER_OPTIONS(HERALD_PRODUCERS(producers)), &deliverer, error);
	return status;
}

static void
handle_events(void)
{
	static const char *const events[] = {
		"{\"event_type\":\"item\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"metadata\":{\"version\":\"1.2\"},\"payload\":{\"number\":1}}",
		"{\"event_type\":\"item\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"metadata\":{\"version\":\"1.2\"},\"payload\":{\"number\":-1}}",
		"nonsense",
	};

	for (size_t i = 0; i < HERALD_COUNT(events); i++) {
		struct herald_result result;
		char data[256];

		snprintf(data, sizeof(data), "%s", events[i]);
		herald_service_handle(service, data, strlen(data), &result);
	}
}

int
main(int argc, char **argv)
{
	const bool is_openmetrics = argc == 2 && strcmp(argv[1], "openmetrics") == 0;
	struct herald_metrics *metrics = NULL;
	struct herald_buffer text;
	struct herald_error error;

	herald_buffer_init(&text, NULL, 0);
	enum herald_status status = create_parts(&error);
	if (status == HERALD_OK)
		status = herald_metrics_create(&HERALD_METRICS_OPTIONS(.service = service,
								       .pool = pool,
								       .deliverer = deliverer,
								       HERALD_PRODUCERS(producers)),
					       &metrics, &error);
	if (status != HERALD_OK) {
		herald_error_print(stderr, "write_metrics", &error);
		return 1;
	}
	handle_events();
	status = herald_metrics_write(
		metrics, is_openmetrics ? HERALD_METRICS_OPENMETRICS : HERALD_METRICS_PROMETHEUS,
		&text);
	fwrite(text.data, 1, text.bytes, stdout);
	herald_buffer_finish(&text);
	herald_metrics_destroy(metrics);
	herald_deliverer_destroy(deliverer);
	herald_producer_destroy(producers[0].producer);
	herald_pool_destroy(pool);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
