/*
 * Knative Eventing: a sink of CloudEvents, mostly in binary mode. A 2xx with a body would be taken
 * for an event to be sent on, so events are answered 204; 400 says "never again", 503 "later".
 *
 *	build/release/examples/knative 8080
 *
 *	herald send http://127.0.0.1:8080/ --cloudevents binary --type order.placed --source /shop \
 *		--data '{"order_id": "4711", "total_cents": 1999}'
 *	=> accepted
 *
 *	herald send http://127.0.0.1:8080/ --cloudevents structured --type order.placed \
 *		--data '{"order_id": "4712", "total_cents": -1}'
 *	=> 400
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

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "knative: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("order.placed", order, on_order, NULL),
	};
	const struct herald_format *const formats[] = {&herald_format_cloudevents};
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
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port, .path = "/"),
				      &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "knative", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
