/*
 * The outbox: an order and the event that tells others of it, in one transaction of the program's
 * own. Either both are there or none, whenever the program is killed; the event is sent until the
 * receiver has it, for a week, if need be by the next run of this program.
 *
 * Orders are lines of standard input: an id, an article and a quantity. The receiver is the
 * quickstart; start it in another terminal:
 *
 *	build/release/examples/quickstart --port 8081
 *
 *	echo 'o-1 tea 2' | build/release/examples/outbox --db orders.db \
 *		--to http://127.0.0.1:8081/event
 *	=> o-1: ordered
 *	=> o-1: order_placed delivered
 *
 * The same order once more. Its transaction is rolled back, so no event is sent:
 *
 *	echo 'o-1 tea 2' | build/release/examples/outbox --db orders.db \
 *		--to http://127.0.0.1:8081/event
 *	=> o-1: UNIQUE constraint failed: orders.order_id
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include <herald/curl.h>
#include <herald/herald.h>
#include <herald/sqlite.h>

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
	sqlite3 *db; /* The program's own connection, to the same file as the store's. */
	struct herald_store *store;
	struct herald_codec *codec;
	const char *receiver;
};

struct order {
	char id[32];
	char sku[32];
	int quantity;
};

static bool
insert_order(struct shop *shop, const struct order *order)
{
	sqlite3_stmt *insert;

	if (sqlite3_prepare_v2(shop->db, "INSERT INTO orders VALUES (?, ?, ?)", -1, &insert, NULL))
		return false;
	sqlite3_bind_text(insert, 1, order->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 2, order->sku, -1, SQLITE_STATIC);
	sqlite3_bind_int(insert, 3, order->quantity);
	sqlite3_step(insert);
	return sqlite3_finalize(insert) == SQLITE_OK;
}

/* Store the event in the transaction that is open. */
static enum herald_status
publish_order(struct shop *shop, const struct order *order, struct herald_error *error)
{
	const struct order_line line = {.sku = order->sku, .quantity = order->quantity};
	const struct order_event event = {
		.event_type = "order_placed",
		.timestamp = herald_time_now(),
		.payload = {.order_id = order->id,
			    .total_cents = 999 * (int64_t)order->quantity,
			    .lines = &line,
			    .lines_count = 1},
		.metadata = {.version = "2", .id = order->id},
	};

	return herald_sqlite_publish(shop->store, shop->db,
				     &(struct herald_delivery){.url = shop->receiver,
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

	sqlite3_exec(shop->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (insert_order(shop, order) && publish_order(shop, order, &error) == HERALD_OK &&
	    sqlite3_exec(shop->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
		printf("%s: ordered\n", order->id);
		herald_store_wake(shop->store);
		return;
	}
	printf("%s: %s\n", order->id, error.message[0] ? error.message : sqlite3_errmsg(shop->db));
	sqlite3_exec(shop->db, "ROLLBACK", NULL, NULL, NULL);
}

static bool
read_order(const char *line, struct order *out)
{
	char quantity[8];

	if (sscanf(line, "%31s %31s %7s", out->id, out->sku, quantity) != 3)
		return false;
	out->quantity = (int)strtol(quantity, NULL, 10);
	return out->quantity > 0;
}

static void
take_orders(struct shop *shop)
{
	char line[256];
	struct order order;

	while (fgets(line, sizeof(line), stdin))
		if (read_order(line, &order))
			place_order(shop, &order);
		else
			fprintf(stderr, "outbox: expected ID ARTICLE QUANTITY, found %s", line);
}

/* The program. */

static void
tell_outcome(const struct herald_delivery_report *report, void *state)
{
	(void)state;
	if (report->outcome != HERALD_DELIVERY_AGAIN)
		printf("%s: %s %s\n", report->delivery->event_id, report->delivery->event_type,
		       herald_delivery_outcome_name(report->outcome));
}

static enum herald_status
create_deliverer(struct herald_store *store, struct herald_deliverer **out,
		 struct herald_error *error)
{
	static const char *const networks[] = {"127.0.0.0/8"};
	/* A killed process costs each delivery that it was sending an attempt. */
	struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(
		HERALD_NETWORKS(networks), .on_outcome = tell_outcome, .attempts = 1000,
		.max_delay_ms = 20 * 60 * 1000, .deadline_ms = 7 * 24 * 3600 * 1000u);
	enum herald_status status = herald_store_queue_create(store, &options.queue, error);

	if (status == HERALD_OK)
		status = herald_curl_transport_create(NULL, &options.transport, error);
	return status == HERALD_OK ? herald_deliverer_create(&options, out, error) : status;
}

static bool
is_waiting(const struct herald_count *count, void *state)
{
	bool *is_any = state;

	*is_any |= count->is_delivery &&
		   (count->state == HERALD_COUNT_READY || count->state == HERALD_COUNT_RUNNING);
	return !*is_any;
}

/* Wait until each delivery was attempted: what failed is due later. */
static void
wait_for_attempts(struct herald_store *store)
{
	bool is_any = true;

	for (int i = 0; i < 100 && is_any; i++) {
		is_any = false;
		if (herald_store_counts(store, is_waiting, &is_any, NULL) != HERALD_OK)
			return;
		nanosleep(&(struct timespec){.tv_nsec = is_any ? 20000000 : 0}, NULL);
	}
}

/* The store has set the file up; this connection follows its rules: no checkpoints. */
static enum herald_status
open_database(const char *path, sqlite3 **out, struct herald_error *error)
{
	static const char sql[] = "PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000;"
				  "CREATE TABLE IF NOT EXISTS orders"
				  "(order_id TEXT PRIMARY KEY, sku TEXT, quantity INTEGER)";

	if (sqlite3_open(path, out) == SQLITE_OK &&
	    sqlite3_exec(*out, sql, NULL, NULL, NULL) == SQLITE_OK)
		return HERALD_OK;
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "%s: %s", path,
				sqlite3_errmsg(*out));
}

static enum herald_status
run(struct shop *shop, const char *path, struct herald_error *error)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.log = {herald_log_logfmt, stderr, HERALD_LOG_WARNING});
	struct herald_deliverer *deliverer;
	enum herald_status status = herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = path),
							 &options.database, error);

	if (status == HERALD_OK)
		status = herald_store_create(&options, &shop->store, error);
	if (status == HERALD_OK)
		status = open_database(path, &shop->db, error);
	if (status == HERALD_OK)
		status = herald_codec_create(&order_event_schema, NULL, NULL, &shop->codec, error);
	if (status == HERALD_OK)
		status = create_deliverer(shop->store, &deliverer, error);
	if (status != HERALD_OK)
		return status;
	take_orders(shop);
	wait_for_attempts(shop->store);
	herald_deliverer_stop(deliverer, 2000);
	herald_deliverer_destroy(deliverer);
	return HERALD_OK;
}

int
main(int argc, char **argv)
{
	struct shop shop = {0};
	struct herald_error error;

	if (argc != 5 || strcmp(argv[1], "--db") != 0 || strcmp(argv[3], "--to") != 0) {
		fprintf(stderr, "usage: outbox --db FILE --to URL\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	shop.receiver = argv[4];
	enum herald_status status = run(&shop, argv[2], &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "outbox", &error);
	herald_store_destroy(shop.store);
	herald_codec_destroy(shop.codec);
	sqlite3_close(shop.db);
	return status == HERALD_OK ? 0 : 1;
}
