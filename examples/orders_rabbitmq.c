/*
 * The shop of orders.c, fed by RabbitMQ. Needs a server; set URL to its URL, such as
 * amqp://guest:guest@127.0.0.1:5672. In one terminal:
 *
 *	build/release/examples/orders_rabbitmq --url "$URL" --source orders --group shop \
 *		--effects effects.txt
 *
 * It makes the queues `orders` and `orders.dead`. In another terminal, publish events (Debian has
 * amqp-publish in amqp-tools):
 *
 *	amqp-publish -u "$URL" -r orders -p -b '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	amqp-publish -u "$URL" -r orders -p -b '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "2", "username": "retry"}, "metadata": {"id": "e-2"}}'
 *	amqp-publish -u "$URL" -r orders -p -b '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "3", "username": "fail"}, "metadata": {"id": "e-3"}}'
 *
 * The events that are done, and the attempts that they took:
 *
 *	cat effects.txt
 *	=> e-1 1
 *	=> e-2 3
 *
 * The one that failed is a dead letter. Its headers have the reason:
 *
 *	amqp-get -u "$URL" -q orders.dead
 *
 * Start several of them: they share the queue. If one is killed, the others get at once what it has
 * not finished. RabbitMQ has no groups: who consumes from a queue shares it, so --group is not
 * used.
 */
#include "orders.h"

#include <herald/rabbitmq.h>

static enum herald_status
subscribe(const struct orders_settings *settings, struct herald_subscriber **out,
	  struct herald_error *error)
{
	return herald_rabbitmq_subscriber_create(
		&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = settings->url,
						    .queue = settings->source),
		out, error);
}

int
main(int argc, char **argv)
{
	return orders_main(argc, argv, subscribe);
}
