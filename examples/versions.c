/*
 * Versions: upcasters convert orders of version 1 and 2 for the function for version 3. Another
 * route takes every version 1.x of another event, and the last route takes all other events.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "order_placed", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"order_id": "o-1", "euros": 12}, "metadata": {"version": "1"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "order_placed", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"order_id": "o-2", "cents": 1250}, "metadata": {"version": "2"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "order_paid", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"order_id": "o-3", "by": "card"}, "metadata": {"version": "1.7"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "order_paid", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": [1, 2], "metadata": {"version": "2.0"}}'
 *	=> 422 {"error":"nobody knows version 2.0 of it yet"}
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

/* clang-format off */
struct order_v1 { const char *order_id; int64_t euros; };
struct order_v2 { const char *order_id; int64_t cents; };
struct order { const char *order_id; int64_t cents; const char *currency; };
struct order_paid { const char *order_id; };
/* clang-format on */

HERALD_SCHEMA(order_v1, HERALD_FIELD(order_v1, order_id, .required = true),
	      HERALD_FIELD(order_v1, euros, .required = true, HERALD_RANGE(0, 1000000)));
HERALD_SCHEMA(order_v2, HERALD_FIELD(order_v2, order_id, .required = true),
	      HERALD_FIELD(order_v2, cents, .required = true));
HERALD_SCHEMA(order, HERALD_FIELD(order, order_id, .required = true),
	      HERALD_FIELD(order, cents, .required = true), HERALD_FIELD(order, currency));
HERALD_SCHEMA(order_paid, HERALD_FIELD(order_paid, order_id, .required = true));

static enum herald_verdict
order_v1_to_v2(struct herald_context *ctx, const struct order_v1 *from, struct order_v2 *to)
{
	(void)ctx;
	*to = (struct order_v2){from->order_id, from->euros * 100};
	return HERALD_DONE;
}
HERALD_UPCASTER(order_v1_to_v2, order_v1, order_v2);

static enum herald_verdict
order_v2_to_v3(struct herald_context *ctx, const struct order_v2 *from, struct order *to)
{
	(void)ctx;
	*to = (struct order){from->order_id, from->cents, "EUR"};
	return HERALD_DONE;
}
HERALD_UPCASTER(order_v2_to_v3, order_v2, order);

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order)
{
	(void)ctx;
	printf("%s: %" PRId64 " cents %s\n", order->order_id, order->cents, order->currency);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order);

static enum herald_verdict
on_paid(struct herald_context *ctx, const struct order_paid *paid)
{
	printf("%s: paid, by version %s\n", paid->order_id, herald_context_version(ctx));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_paid, order_paid);

static enum herald_verdict
on_other(struct herald_context *ctx, const struct herald_json *payload)
{
	printf("unknown: %.*s\n", (int)payload->bytes, payload->data);
	return herald_fail_status(ctx, 422, "nobody knows version %s of it yet",
				  herald_context_version(ctx));
}
HERALD_FUNCTION(on_other, herald_json);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "versions: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("order_placed", order, on_order, NULL, .version = "3"),
		HERALD_ROUTE("order_paid", order_paid, on_paid, NULL, .version = "1.x"),
		HERALD_ROUTE(HERALD_ANY_TYPE, herald_json, on_other, NULL),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order_placed", "1", order_v1, "2", order_v2, order_v1_to_v2),
		HERALD_UPCAST("order_placed", "2", order_v2, "3", order, order_v2_to_v3),
	};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
								HERALD_UPCASTERS(upcasters)),
					&service, &error) == HERALD_OK &&
		  herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error) == HERALD_OK;
	if (!ok)
		herald_error_print(stderr, "versions", &error);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
