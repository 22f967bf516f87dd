/*
 * The shop of orders.c, fed by NATS JetStream. Needs a server that was started with -js; set URL to
 * its URL, such as nats://127.0.0.1:4222. In one terminal:
 *
 *	build/release/examples/orders_nats --url "$URL" --source orders --group shop \
 *		--effects effects.txt
 *
 * The stream `orders` is created, if it is missing. In another terminal, publish events:
 *
 *	nats -s "$URL" pub orders '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	nats -s "$URL" pub orders '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "2", "username": "retry"}, "metadata": {"id": "e-2"}}'
 *	nats -s "$URL" pub orders '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "3", "username": "fail"}, "metadata": {"id": "e-3"}}'
 *
 * The events that are done, and the attempts that they took:
 *
 *	cat effects.txt
 *	=> e-1 1
 *	=> e-2 3
 *
 * The one that failed is a dead letter, with the reason in its headers:
 *
 *	nats -s "$URL" stream view orders-dead
 *
 * Start several of them: they share the stream. If one is killed, the others get what it has not
 * finished after five seconds.
 */
#include "orders.h"

#include <herald/nats.h>

static enum herald_status
subscribe(const struct orders_settings *settings, struct herald_subscriber **out,
	  struct herald_error *error)
{
	return herald_nats_subscriber_create(
		&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = settings->url, .stream = settings->source,
						.group = settings->group, .ack_wait_ms = 5000),
		out, error);
}

int
main(int argc, char **argv)
{
	return orders_main(argc, argv, subscribe);
}
