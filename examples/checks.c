/*
 * A rule about two members: a shop cannot close before it opens.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "opened", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"open": {"from": 7, "to": 19}}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "opened", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"open": {"from": 7, "to": 6}}}'
 *	=> 400 {"error":"to: must be at least 7","path":"/payload/open/to","offset":87}
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/server.h>

struct period {
	int32_t from;
	int32_t to;
};

static bool
is_in_order(const struct period *period, struct herald_refusal *refusal)
{
	if (period->from <= period->to)
		return true;
	return herald_refuse(refusal, "to", "must be at least %d", period->from);
}
HERALD_CHECK(is_in_order, period);

HERALD_SCHEMA_WITH(period, (.check = &is_in_order_check),
	HERALD_FIELD(period, from),
	HERALD_FIELD(period, to));

struct shop {
	struct period open;
};

HERALD_SCHEMA(shop, HERALD_STRUCT(shop, open, period, .required = true));

static enum herald_verdict
on_opened(struct herald_context *ctx, const struct shop *shop)
{
	(void)ctx;
	printf("open from %" PRId32 " to %" PRId32 "\n", shop->open.from, shop->open.to);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_opened, shop);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "checks: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {HERALD_ROUTE("opened", shop, on_opened, NULL)};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "checks", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
