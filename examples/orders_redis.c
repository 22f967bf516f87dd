/*
 * The shop of orders.c, fed by Redis Streams. Needs a server; set URL to its URL, such as
 * redis://127.0.0.1:6379. In one terminal:
 *
 *	build/release/examples/orders_redis --url "$URL" --source orders --group shop \
 *		--effects effects.txt
 *
 * In another one, add events to the stream; the field `data` has the event:
 *
 *	redis-cli -u "$URL" XADD orders '*' data '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	redis-cli -u "$URL" XADD orders '*' data '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "2", "username": "retry"}, "metadata": {"id": "e-2"}}'
 *	redis-cli -u "$URL" XADD orders '*' data '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "3", "username": "fail"}, "metadata": {"id": "e-3"}}'
 *
 * The events that are done, and the attempts that they took:
 *
 *	cat effects.txt
 *	=> e-1 1
 *	=> e-2 3
 *
 * The one that failed is a dead letter, with the reason:
 *
 *	redis-cli -u "$URL" XRANGE orders.dead - +
 *
 * Start several of them: they share the stream. If one is killed, the others get what it has not
 * finished after five seconds.
 */
#include "orders.h"

#include <herald/redis.h>

static enum herald_status
subscribe(const struct orders_settings *settings, struct herald_subscriber **out,
	  struct herald_error *error)
{
	return herald_redis_subscriber_create(
		&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = settings->url, .stream = settings->source,
						 .group = settings->group, .visibility_ms = 5000),
		out, error);
}

int
main(int argc, char **argv)
{
	return orders_main(argc, argv, subscribe);
}
