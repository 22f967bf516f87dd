/*
 * The outbox with a message broker: an order, and the event that tells others of it, in one
 * transaction of PostgreSQL. The relay sends the event to NATS JetStream, and removes it when the
 * stream has confirmed it. Whenever the program is killed, the next run goes on; what is sent twice
 * is stored once, by its Nats-Msg-Id.
 *
 * Needs PostgreSQL, and a nats-server that was started with -js; set DB and URL to their URLs, such
 * as postgres://shop@127.0.0.1/shop and nats://127.0.0.1:4222. Make a stream, then place an order:
 * an id, an article and a quantity.
 *
 *	nats -s "$URL" stream add orders --subjects orders --defaults
 *
 *	echo 'o-1 tea 2' | build/release/examples/relay --db "$DB" --url "$URL" --topic orders
 *	=> o-1: ordered
 *	=> o-1: order_placed delivered
 *
 * The same order once more. Its transaction is rolled back, so no event is sent:
 *
 *	echo 'o-1 tea 2' | build/release/examples/relay --db "$DB" --url "$URL" --topic orders
 *	=> o-1: not ordered: duplicate key value violates unique constraint "orders_pkey"
 *
 * The event is in the stream, once. orders_nats is a service that takes it.
 *
 *	nats -s "$URL" stream view orders
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include <herald/herald.h>
#include <herald/nats.h>
#include <herald/postgres.h>
#include <herald/producer.h>

/* The event that is sent: an envelope, as the quickstart takes it. */

struct order_line {
	const char *sku;
	int32_t quantity;
};

struct order_placed {
	const char *order_id;
	int64_t total_cents;
	const struct order_line *lines;
	size_t lines_count;
};

struct order_metadata {
	const char *version;
	const char *id;
};

struct order_event {
	const char *event_type;
	struct herald_time timestamp;
	struct order_placed payload;
	struct order_metadata metadata;
};

HERALD_SCHEMA(order_line,
	HERALD_FIELD(order_line, sku, .required = true),
	HERALD_FIELD(order_line, quantity, .required = true));

HERALD_SCHEMA(order_placed,
	HERALD_FIELD(order_placed, order_id, .required = true),
	HERALD_FIELD(order_placed, total_cents, .required = true),
	HERALD_LIST(order_placed, lines, order_line, .required = true));

HERALD_SCHEMA(order_metadata,
	HERALD_FIELD(order_metadata, version, .required = true),
	HERALD_FIELD(order_metadata, id, .required = true));

HERALD_SCHEMA(order_event,
	HERALD_FIELD(order_event, event_type, .required = true),
	HERALD_FIELD(order_event, timestamp, .required = true),
	HERALD_STRUCT(order_event, payload, order_placed, .required = true),
	HERALD_STRUCT(order_event, metadata, order_metadata, .required = true));

/* Orders. */

struct shop {
	PGconn *db; /* The program's own connection, to the same database as the store's. */
	struct herald_store *store;
	struct herald_codec *codec;
	const char *topic;
	atomic_bool has_failed; /* An event that is not sent again. */
};

struct order {
	char id[32];
	char sku[32];
	char quantity[8];
};

static bool
succeeds(PGresult *result)
{
	const ExecStatusType status = PQresultStatus(result);

	PQclear(result);
	return status == PGRES_COMMAND_OK;
}

static bool
insert_order(struct shop *shop, const struct order *order)
{
	const char *const values[] = {order->id, order->sku, order->quantity};

	return succeeds(PQexecParams(shop->db, "INSERT INTO orders VALUES ($1, $2, $3::integer)", 3,
				     NULL, values, NULL, NULL, 0));
}

/* Store the event in the transaction that is open. */
static enum herald_status
publish_order(struct shop *shop, const struct order *order, struct herald_error *error)
{
	const int32_t quantity = (int32_t)strtol(order->quantity, NULL, 10);
	const struct order_line line = {.sku = order->sku, .quantity = quantity};
	const struct order_event event = {
		.event_type = "order_placed",
		.timestamp = herald_time_now(),
		.payload = {.order_id = order->id,
			    .total_cents = 999 * (int64_t)quantity,
			    .lines = &line,
			    .lines_count = 1},
		.metadata = {.version = "2", .id = order->id},
	};

	return herald_postgres_publish(shop->store, shop->db,
				       &(struct herald_delivery){.producer = "nats",
								 .topic = shop->topic,
								 .key = order->id,
								 .event_type = event.event_type,
								 .event_id = order->id,
								 .codec = shop->codec,
								 .value = &event},
				       error);
}

static void
place_order(struct shop *shop, const struct order *order)
{
	struct herald_error error = {.message = ""};

	if (succeeds(PQexec(shop->db, "BEGIN")) && insert_order(shop, order) &&
	    publish_order(shop, order, &error) == HERALD_OK &&
	    succeeds(PQexec(shop->db, "COMMIT"))) {
		printf("%s: ordered\n", order->id);
		herald_store_wake(shop->store);
		return;
	}
	const char *why = error.message[0] ? error.message : PQerrorMessage(shop->db);
	why += strncmp(why, "ERROR:  ", 8) == 0 ? 8 : 0;
	printf("%s: not ordered: %.*s\n", order->id, (int)strcspn(why, "\n"), why);
	PQclear(PQexec(shop->db, "ROLLBACK"));
}

static void
take_orders(struct shop *shop)
{
	char line[256];
	struct order order;

	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "%31s %31s %7[0-9]", order.id, order.sku, order.quantity) == 3)
			place_order(shop, &order);
		else
			fprintf(stderr, "relay: expected ID ARTICLE QUANTITY, found %s", line);
}

/* The relay. */

static void
tell_outcome(const struct herald_delivery_report *report, void *state)
{
	atomic_bool *has_failed = state;

	if (report->outcome == HERALD_DELIVERY_FAILED)
		atomic_store(has_failed, true);
	if (report->outcome != HERALD_DELIVERY_AGAIN)
		printf("%s: %s %s\n", report->delivery->event_id, report->delivery->event_type,
		       herald_delivery_outcome_name(report->outcome));
}

static enum herald_status
create_producer(const char *url, struct herald_producer **out, struct herald_error *error)
{
	/* Less than the deliverer waits for an attempt. */
	struct herald_producer_options options = HERALD_PRODUCER_OPTIONS(.timeout_ms = 5000);
	enum herald_status status = herald_nats_publisher_create(
		&HERALD_NATS_PUBLISHER_OPTIONS(.url = url, .connection_name = "relay"),
		&options.publisher, error);

	return status == HERALD_OK ? herald_producer_create(&options, out, error) : status;
}

static enum herald_status
create_deliverer(struct shop *shop, struct herald_producer *nats, struct herald_deliverer **out,
		 struct herald_error *error)
{
	const struct herald_named_producer producers[] = {{"nats", nats}};
	/* A killed process costs each delivery that it was sending an attempt, and so does a
	 * missing stream. Without the broker, none begins. */
	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(
		HERALD_PRODUCERS(producers), .on_outcome = tell_outcome, .state = &shop->has_failed,
		.attempts = 1000, .max_delay_ms = 2000, .deadline_ms = 7 * 24 * 3600 * 1000u);
	enum herald_status status = herald_store_queue_create(shop->store, &options.queue, error);

	return status == HERALD_OK ? herald_deliverer_create(&options, out, error) : status;
}

/* Also those that are sent again later. */
static bool
add_unsent(const struct herald_count *count, void *state)
{
	uint64_t *unsent = state;

	if (count->is_delivery && count->state != HERALD_COUNT_DEAD)
		*unsent += count->count;
	return true;
}

/* Of a clock that nobody sets. */
static time_t
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Wait until each event was sent, for 30 s at most. */
static enum herald_status
wait_for_deliveries(struct herald_store *store, struct herald_error *error)
{
	const time_t end = seconds_now() + 30;
	uint64_t unsent;

	do {
		unsent = 0;
		enum herald_status status = herald_store_counts(store, add_unsent, &unsent, error);
		if (status != HERALD_OK)
			return status;
		nanosleep(&(struct timespec){.tv_nsec = unsent > 0 ? 20000000 : 0}, NULL);
	} while (unsent > 0 && seconds_now() < end);
	return unsent == 0
		       ? HERALD_OK
		       : herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "%" PRIu64 " not sent yet; the next run goes on", unsent);
}

/* The program. */

static enum herald_status
create_store(const char *db, struct herald_store **out, struct herald_error *error)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.log = {herald_log_logfmt, stderr, HERALD_LOG_WARNING});
	enum herald_status status = herald_postgres_create(&HERALD_POSTGRES_OPTIONS(.dsn = db),
							   &options.database, error);

	return status == HERALD_OK ? herald_store_create(&options, out, error) : status;
}

static enum herald_status
run(struct shop *shop, const char *url, struct herald_error *error)
{
	struct herald_producer *producer = NULL;
	struct herald_deliverer *deliverer = NULL;
	enum herald_status status =
		herald_codec_create(&order_event_schema, NULL, NULL, &shop->codec, error);

	if (status == HERALD_OK)
		status = create_producer(url, &producer, error);
	if (status == HERALD_OK)
		status = create_deliverer(shop, producer, &deliverer, error);
	if (status == HERALD_OK) {
		take_orders(shop);
		status = wait_for_deliveries(shop->store, error);
		herald_deliverer_stop(deliverer, 2000);
	}
	herald_deliverer_destroy(deliverer);
	herald_producer_destroy(producer);
	return status;
}

static PGconn *
open_database(const char *db)
{
	/* The DSN may have another timeout, and several hosts: each one has as long. */
	PGconn *conn = PQconnectdbParams((const char *[]){"connect_timeout", "dbname", NULL},
					 (const char *[]){"5", db, NULL}, true);

	PQsetErrorVerbosity(conn, PQERRORS_TERSE);
	if (succeeds(PQexec(conn, "SET client_min_messages = warning")) &&
	    succeeds(PQexec(conn, "CREATE TABLE IF NOT EXISTS orders"
				  "(order_id text PRIMARY KEY, sku text, quantity integer)")))
		return conn;
	fprintf(stderr, "relay: %s", PQerrorMessage(conn));
	PQfinish(conn);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct shop shop = {0};
	struct herald_error error;

	if (argc != 7 || strcmp(argv[1], "--db") != 0 || strcmp(argv[3], "--url") != 0 ||
	    strcmp(argv[5], "--topic") != 0) {
		fprintf(stderr, "usage: relay --db URL --url URL --topic NAME\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	shop.topic = argv[6];
	enum herald_status status = create_store(argv[2], &shop.store, &error);
	shop.db = status == HERALD_OK ? open_database(argv[2]) : NULL;
	if (shop.db)
		status = run(&shop, argv[4], &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "relay", &error);
	herald_store_destroy(shop.store);
	herald_codec_destroy(shop.codec);
	PQfinish(shop.db);
	return shop.db && status == HERALD_OK && !shop.has_failed ? 0 : 1;
}
