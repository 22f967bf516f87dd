/*
 * The shop of orders.c, fed by Kafka. Needs a broker; set URL to its URL, such as
 * kafka://127.0.0.1:9092. In one terminal:
 *
 *	build/release/examples/orders_kafka --url "$URL" --source orders --group shop \
 *		--effects effects.txt
 *
 * It makes the topics `orders` and `orders.dead`, and some for retries. In another terminal,
 * publish events (kcat is a package of Debian):
 *
 *	tr -d '\n' <<'END' | kcat -P -b "${URL#kafka://}" -t orders
 *	{"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *	"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}
 *	END
 *	tr -d '\n' <<'END' | kcat -P -b "${URL#kafka://}" -t orders
 *	{"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *	"payload": {"user_id": "2", "username": "retry"}, "metadata": {"id": "e-2"}}
 *	END
 *	tr -d '\n' <<'END' | kcat -P -b "${URL#kafka://}" -t orders
 *	{"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *	"payload": {"user_id": "3", "username": "fail"}, "metadata": {"id": "e-3"}}
 *	END
 *
 * The events that are done, and the attempts that they took:
 *
 *	cat effects.txt
 *	=> e-1 1
 *	=> e-2 3
 *
 * The one that failed is a dead letter. Its headers have the reason:
 *
 *	kcat -C -b "${URL#kafka://}" -t orders.dead -e -f '%h\n%s\n'
 *
 * Start several of them: they share the partitions of the topic. If one is killed, the others get
 * what it has not finished after six seconds.
 */
#include "orders.h"

#include <herald/kafka.h>

static enum herald_status
subscribe(const struct orders_settings *settings, struct herald_subscriber **out,
	  struct herald_error *error)
{
	return herald_kafka_subscriber_create(
		&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = settings->url, .topic = settings->source,
						 .group = settings->group,
						 .session_timeout_ms = 6000),
		out, error);
}

int
main(int argc, char **argv)
{
	return orders_main(argc, argv, subscribe);
}
