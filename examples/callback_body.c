/*
 * A callback with its own body, and with a password that is sent to one receiver only. The program
 * passes one event to a service and waits until its callback has been delivered to 127.0.0.1 at the
 * given port:
 *
 *	callback_body 8081
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/curl.h>
#include <herald/herald.h>

struct order_placed {
	const char *article;
};

HERALD_SCHEMA(order_placed,
	HERALD_FIELD(order_placed, article, .required = true));

struct shop {
	unsigned orders;
};

/* The struct that the receiver expects. */
struct receipt {
	const char *article;
	bool is_done;
};

HERALD_SCHEMA(receipt,
	HERALD_FIELD(receipt, article),
	HERALD_FIELD(receipt, is_done, .key = "done"));

static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order, struct shop *shop)
{
	(void)ctx;
	shop->orders++;
	printf("ordered %s\n", order->article);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order_placed, order_placed, shop);

static enum herald_verdict
prepare(struct herald_context *ctx, enum herald_verdict result, struct herald_delivery *delivery,
	void *state)
{
	const struct order_placed *order = herald_context_payload(ctx);
	struct receipt *receipt = herald_context_alloc(ctx, sizeof(*receipt));

	if (!receipt)
		return herald_retry(ctx, "out of memory");
	receipt->article = order->article;
	receipt->is_done = result == HERALD_DONE;
	delivery->codec = state; /* herald_codec_create(&receipt_schema, ...) */
	delivery->value = receipt;
	return HERALD_DONE;
}

static void
on_outcome(const struct herald_delivery_report *report, void *state)
{
	(void)state;
	printf("%s: %s\n", report->delivery->id, herald_delivery_outcome_name(report->outcome));
}

int
main(int argc, char **argv)
{
	char origin[64], event[512];
	const char *const networks[] = {"127.0.0.1"};
	struct shop shop = {0};
	struct herald_codec *codec;
	struct herald_deliverer *deliverer;
	struct herald_handler *handlers[1];
	struct herald_service *service;
	struct herald_result result;
	struct herald_error error;

	snprintf(origin, sizeof(origin), "http://127.0.0.1:%s", argc > 1 ? argv[1] : "8081");
	const char *const headers[] = {"Authorization: Bearer 4f1c"};
	const struct herald_destination destinations[] = {{origin, HERALD_HEADERS(headers)}};
	struct herald_deliverer_options deliverer_options = HERALD_DELIVERER_OPTIONS(
		HERALD_NETWORKS(networks), HERALD_DESTINATIONS(destinations),
		.on_outcome = on_outcome);
	const struct herald_route routes[] = {
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, &shop)};
	const struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
				       .envelope = &herald_callback_message_schema);
	if (herald_codec_create(&receipt_schema, NULL, NULL, &codec, &error) != HERALD_OK ||
	    herald_curl_transport_create(NULL, &deliverer_options.transport, &error) != HERALD_OK ||
	    herald_deliverer_create(&deliverer_options, &deliverer, &error) != HERALD_OK ||
	    herald_callback_handler_create(
		    deliverer, &HERALD_CALLBACK_OPTIONS(.prepare = prepare, .state = codec),
		    &handlers[0], &error) != HERALD_OK ||
	    herald_service_create(&options, &service, &error) != HERALD_OK) {
		herald_error_print(stderr, "callback_body", &error);
		return 1;
	}
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\": \"order_placed\", \"timestamp\": "
			     "\"2024-08-20T05:21:19Z\", \"payload\": {\"article\": \"tea\"},"
			     "\"callback\": {\"success_url\": \"%s/receipts\"}}",
			     origin);
	herald_service_handle(service, event, (size_t)bytes, &result);
	size_t left = herald_deliverer_stop(deliverer, 10000);
	herald_service_destroy(service);
	herald_deliverer_destroy(deliverer);
	herald_codec_destroy(codec);
	return result.verdict == HERALD_DONE && left == 0 ? 0 : 1;
}
