/*
 * A gateway without a store: it takes orders by HTTP, and tells a message broker of each before it
 * answers:
 *
 *	200  The broker has confirmed the message.
 *	400  The event is wrong, such as an order_id that cannot be the key of a message.
 *	500  The broker refuses the message for good.
 *	503  The broker cannot take the message now. The sender should send the event again.
 *
 * The broker's reasons are logged, and senders do not get them. The id of the message is made from
 * the event's id, so that receivers notice if an event comes twice.
 *
 * Needs a Redis server; set URL to its URL, such as redis://127.0.0.1:6379.
 *
 *	build/release/examples/gateway --url "$URL" --port 8080
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "order_placed", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"order_id": "o-1", "total_cents": 1998}, "metadata": {"id": "e-1"}}'
 *	=> 200 {"status":"success"}
 *
 *	redis-cli -u "$URL" XRANGE shipments - +
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <herald/herald.h>
#include <herald/producer.h>
#include <herald/redis.h>

struct order_placed {
	const char *order_id;
	int64_t total_cents;
};

/* The order_id becomes the key of a message, where herald/producer.h does not allow more. */
static bool
has_no_control_characters(const struct order_placed *order, struct herald_refusal *refusal)
{
	for (const char *at = order->order_id; *at; at++)
		if ((unsigned char)*at < ' ' || *at == '\x7f')
			return herald_refuse(refusal, "order_id",
					     "must not have control characters");
	return true;
}
HERALD_CHECK(has_no_control_characters, order_placed);

HERALD_SCHEMA_WITH(order_placed, (.check = &has_no_control_characters_check),
	HERALD_FIELD(order_placed, order_id, .required = true, .min_bytes = 1, .max_bytes = 255),
	HERALD_FIELD(order_placed, total_cents, .required = true));

struct shipment {
	const char *order_id;
	bool is_insured;
};

HERALD_SCHEMA(shipment,
	HERALD_FIELD(shipment, order_id),
	HERALD_FIELD(shipment, is_insured));

struct gateway {
	struct herald_producer *producer;
	struct herald_codec *shipment_codec;
};

/* The message is sent after the function has returned HERALD_DONE. The answer waits for the broker,
 * and is 500 or 503 if it does not confirm the message. */
static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order,
		struct gateway *gateway)
{
	const struct shipment shipment = {.order_id = order->order_id,
					  .is_insured = order->total_cents > 10000};
	struct herald_error error;
	enum herald_status status =
		herald_publish(ctx,
			       &(struct herald_delivery){.producer = "broker",
							 .topic = "shipments",
							 .key = order->order_id,
							 .event_id = herald_context_id(ctx),
							 .codec = gateway->shipment_codec,
							 .value = &shipment},
			       &error);

	return status == HERALD_OK ? HERALD_DONE : herald_fail(ctx, "%s", error.message);
}
HERALD_FUNCTION(on_order_placed, order_placed, gateway);

static enum herald_status
start(const char *url, struct gateway *gateway, struct herald_error *error)
{
	/* Longer than it takes to connect again, shorter than senders wait. */
	struct herald_producer_options options = HERALD_PRODUCER_OPTIONS(.timeout_ms = 5000);
	enum herald_status status =
		herald_codec_create(&shipment_schema, NULL, NULL, &gateway->shipment_codec, error);

	if (status == HERALD_OK)
		status = herald_redis_publisher_create(&HERALD_REDIS_PUBLISHER_OPTIONS(.url = url),
						       &options.publisher, error);
	if (status == HERALD_OK)
		status = herald_producer_create(&options, &gateway->producer, error);
	return status;
}

/* Functions wait for the broker, so they run on a pool, and connections do not wait. While the
 * broker is away, each takes 5 s, so few events may wait for a thread: others get 503 at once. */
static enum herald_status
serve(struct gateway *gateway, uint16_t port, struct herald_error *error)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, gateway),
	};
	const struct herald_named_producer producers[] = {{"broker", gateway->producer}};
	struct herald_server_options options = HERALD_SERVER_OPTIONS(.port = port);
	struct herald_service *service = NULL;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_PRODUCERS(producers),
					.requires_id = true,
					.log = {herald_log_logfmt, stderr, HERALD_LOG_WARNING}),
		&service, error);

	if (status == HERALD_OK)
		status = herald_pool_create(&HERALD_POOL_OPTIONS(.threads = 64, .max_queued = 64),
					    &options.pool, error);
	if (status == HERALD_OK)
		status = herald_serve(service, &options, error);
	herald_pool_stop(options.pool, 0);
	herald_pool_destroy(options.pool);
	herald_service_destroy(service);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'}, {"port", required_argument, NULL, 'p'}, {0}};
	struct gateway gateway = {NULL, NULL};
	const char *url = NULL;
	unsigned long port = 0;
	struct herald_error error;

	for (int found; (found = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (found == 'u')
			url = optarg;
		else if (found == 'p')
			port = strtoul(optarg, NULL, 10);
	if (!url || port == 0 || port > 65535) {
		fprintf(stderr, "usage: gateway --url URL --port PORT\n");
		return 2;
	}
	enum herald_status status = start(url, &gateway, &error);
	if (status == HERALD_OK)
		status = serve(&gateway, (uint16_t)port, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "gateway", &error);
	herald_producer_destroy(gateway.producer);
	herald_codec_destroy(gateway.shipment_codec);
	return status == HERALD_OK ? 0 : 1;
}
