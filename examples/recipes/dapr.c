/*
 * Dapr pub/sub: the sidecar asks for the subscriptions, delivers CloudEvents, and reads the verdict
 * from the answer's body: SUCCESS, RETRY or DROP.
 *
 *	build/release/examples/dapr 8080
 *
 *	curl -i http://127.0.0.1:8080/dapr/subscribe
 *	=> 200 [{"pubsubname":"pubsub","topic":"orders","route":"/orders"}]
 *
 *	curl -i -H 'Content-Type: application/cloudevents+json' http://127.0.0.1:8080/orders -d '{
 *		"specversion": "1.0", "id": "1", "source": "checkout", "type": "order.placed",
 *		"topic": "orders", "pubsubname": "pubsub",
 *		"data": {"order_id": "4711", "total_cents": 1999}}'
 *	=> 200 {"status":"SUCCESS"}
 *
 *	curl -i -H 'Content-Type: application/cloudevents+json' http://127.0.0.1:8080/orders -d '{
 *		"specversion": "1.0", "id": "2", "source": "checkout", "type": "order.placed",
 *		"data": {"order_id": "4712", "total_cents": -1}}'
 *	=> 200 {"status":"DROP"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/cloudevents.h>
#include <herald/herald.h>

struct order {
	const char *order_id;
	int64_t total_cents;
};
HERALD_SCHEMA(order,
	HERALD_FIELD(order, order_id, .required = true),
	HERALD_FIELD(order, total_cents));

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	if (order->total_cents < 0)
		return herald_fail(ctx, "the total is negative");
	printf("%s: order %s of %lld\n", herald_context_source(ctx), order->order_id,
	       (long long)order->total_cents);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order);

/* Which topics the sidecar is to deliver, and where. */
static void
answer_subscriptions(struct herald_server_request *request, void *state)
{
	static const char body[] =
		"[{\"pubsubname\":\"pubsub\",\"topic\":\"orders\",\"route\":\"/orders\"}]";

	(void)state;
	herald_server_answer(request, 200, "application/json", body, strlen(body));
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "dapr: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("order.placed", order, on_order, NULL),
	};
	const struct herald_format *const formats[] = {&herald_format_cloudevents};
	const struct herald_server_path paths[] = {
		{.path = "/dapr/subscribe", .function = answer_subscriptions},
	};
	const struct herald_endpoint_options endpoint =
		HERALD_ENDPOINT_OPTIONS(.answers = HERALD_ANSWERS_DAPR);
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)), &service,
		&error);
	if (status == HERALD_OK)
		status = herald_serve(service,
				      &HERALD_SERVER_OPTIONS(.port = port, .path = "/orders",
							     HERALD_SERVER_PATHS(paths),
							     .endpoint_options = &endpoint),
				      &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "dapr", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
