/*
 * Raw JSON: the details of a payment have one of several shapes, which another member tells. The
 * function decodes them when it knows the shape, and looks up a value without a struct.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "payment", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"method": "card", "details": {"last4": "4242", "month": 12}}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "payment", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"method": "card", "details": {"last4": "4242", "month": 13}}}'
 *	=> 400 {"error":"/payload/details/month: month: expected an integer from 1 to 12, found 13"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "payment", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"method": "invoice", "details":
 *			{"lines": [{"cents": 5}, {"cents": 7}]}}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "payment", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"method": "invoice", "details": {"lines": [{"cents": 5}, {}]}}}'
 *	=> 400 {"error":"a line without cents"}
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

struct card {
	const char *last4;
	int32_t month;
};

struct payment {
	const char *method;
	struct herald_json details;
};

HERALD_SCHEMA(card, HERALD_FIELD(card, last4, .required = true),
	      HERALD_FIELD(card, month, .required = true, HERALD_RANGE(1, 12)));
HERALD_SCHEMA(payment, HERALD_FIELD(payment, method, .required = true),
	      HERALD_FIELD(payment, details, .required = true));

static enum herald_verdict
on_card(struct herald_context *ctx, const struct payment *payment)
{
	struct herald_error error;
	struct card card;

	if (herald_context_decode(ctx, &card_schema, &payment->details, &card, &error) != HERALD_OK)
		return herald_fail_status(ctx, 400, "%s: %s", error.path, error.message);
	printf("card ending in %s, valid until month %d\n", card.last4, card.month);
	return HERALD_DONE;
}

static enum herald_verdict
on_invoice(struct herald_context *ctx, const struct payment *payment)
{
	struct herald_json lines, cents;
	struct herald_json_walk walk;
	int64_t sum = 0, value;

	if (herald_json_find(&payment->details, "/lines", &lines, NULL) != HERALD_OK)
		return herald_fail_status(ctx, 400, "no lines");
	herald_json_walk_init(&walk, &lines);
	while (herald_json_walk_next(&walk)) {
		if (herald_json_find(&walk.value, "/cents", &cents, NULL) != HERALD_OK ||
		    herald_json_read_int64(&cents, &value) != HERALD_OK)
			return herald_fail_status(ctx, 400, "a line without cents");
		sum += value;
	}
	printf("invoice of %" PRId64 " cents\n", sum);
	return HERALD_DONE;
}

static enum herald_verdict
on_payment(struct herald_context *ctx, const struct payment *payment)
{
	if (strcmp(payment->method, "card") == 0)
		return on_card(ctx, payment);
	if (strcmp(payment->method, "invoice") == 0)
		return on_invoice(ctx, payment);
	return herald_fail_status(ctx, 422, "unknown method %s", payment->method);
}
HERALD_FUNCTION(on_payment, payment);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "raw_json: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("payment", payment, on_payment, NULL),
	};
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
		herald_error_print(stderr, "raw_json", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
