/*
 * The quickstart's shop, durable: an accepted event is on disk before its sender gets the answer,
 * and each event writes one row, exactly once, even if the program is killed at any time.
 *
 *	build/release/examples/durable --port 8080 --db shop.db
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	=> 202 {"status":"accepted"}
 *
 * The same event once more, as a sender does that got no answer:
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "1", "username": "johndoe"}, "metadata": {"id": "e-1"}}'
 *	=> 202 {"status":"duplicate"}
 *
 * An event whose id is in a header. It fails: `herald store dead list --store sqlite:shop.db` shows
 * it with its reason.
 *
 *	curl -i -H 'Content-Type: application/json' -H 'Idempotency-Key: e-2' \
 *		http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "2", "username": "fail"}}'
 *	=> 202 {"status":"accepted"}
 *
 * Does it run?
 *
 *	curl -i http://127.0.0.1:8080/healthz
 *	=> 200 {"status":"ok"}
 *
 * With `--admin TOKEN`, the dashboard is at http://127.0.0.1:8080/admin/, and its dead letters can
 * be replayed and dropped there. Metrics for Prometheus are at http://127.0.0.1:8080/metrics.
 *
 * Other names to try: `retry` succeeds in its third attempt; `crash` aborts the program each time
 * it runs, and after the third time it is a dead letter. `--crash-after N` aborts in the middle of
 * the N-th event. Start the program again after a crash, with the same --db.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <herald/herald.h>
#include <herald/sqlite.h>

/* The events, as in quickstart.c. */

struct user_created {
	const char *user_id;
	const char *username;
};

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

struct order_placed_v1 {
	const char *order_id;
	int64_t total_cents;
	const char *sku;
	int32_t quantity;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(user_created, username, .required = true, .min_bytes = 1));

HERALD_SCHEMA(order_line,
	HERALD_FIELD(order_line, sku, .required = true, .min_bytes = 1),
	HERALD_FIELD(order_line, quantity, .required = true, HERALD_RANGE(1, 999)));

HERALD_SCHEMA(order_placed,
	HERALD_FIELD(order_placed, order_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(order_placed, total_cents, .required = true, HERALD_MIN(0)),
	HERALD_LIST(order_placed, lines, order_line, .required = true, .min_count = 1,
		    .max_count = 100));

HERALD_SCHEMA(order_placed_v1,
	HERALD_FIELD(order_placed_v1, order_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(order_placed_v1, total_cents, .required = true, HERALD_MIN(0)),
	HERALD_FIELD(order_placed_v1, sku, .required = true, .min_bytes = 1),
	HERALD_FIELD(order_placed_v1, quantity, .required = true, HERALD_RANGE(1, 999)));

/* The business logic. Its routes have HERALD_TRANSACTION_JOIN: what it writes with the store's
 * handle and the end of the event are one commit. */

struct shop {
	atomic_ulong runs;
	unsigned long crash_after; /* 0: never */
};

static enum herald_verdict
add_effect(struct herald_context *ctx, struct shop *shop, const char *event_type,
	   const char *username)
{
	sqlite3 *db = herald_sqlite_handle(ctx);
	sqlite3_stmt *insert;

	if (sqlite3_prepare_v2(db, "INSERT INTO effects VALUES (?, ?, ?)", -1, &insert, NULL))
		return herald_retry(ctx, "%s", sqlite3_errmsg(db));
	sqlite3_bind_text(insert, 1, herald_context_id(ctx), -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 2, event_type, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, username, -1, SQLITE_STATIC);
	sqlite3_step(insert);
	if (atomic_fetch_add(&shop->runs, 1) + 1 == shop->crash_after)
		abort();
	if (sqlite3_finalize(insert))
		return herald_retry(ctx, "%s", sqlite3_errmsg(db));
	return HERALD_DONE;
}

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct shop *shop)
{
	enum herald_verdict verdict = add_effect(ctx, shop, "user_created", user->username);

	/* Whatever follows a row that was written, it is kept for HERALD_DONE only. */
	if (strcmp(user->username, "crash") == 0)
		abort();
	if (strcmp(user->username, "fail") == 0)
		return herald_fail(ctx, "nobody may be called %s", user->username);
	if (strcmp(user->username, "retry") == 0 && herald_context_attempt(ctx) < 3)
		return herald_retry(ctx, "attempt %u is too early", herald_context_attempt(ctx));
	if (verdict == HERALD_DONE)
		printf("user_created: %s is user %s\n", user->username, user->user_id);
	return verdict;
}
HERALD_FUNCTION(on_user_created, user_created, shop);

static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order, struct shop *shop)
{
	printf("order_placed: %s for %" PRId64 " cents\n", order->order_id, order->total_cents);
	return add_effect(ctx, shop, "order_placed", NULL);
}
HERALD_FUNCTION(on_order_placed, order_placed, shop);

/* Orders of version 1 had one line; on_order_placed() never sees the difference. */
static enum herald_verdict
order_v1_to_v2(struct herald_context *ctx, const struct order_placed_v1 *from,
	       struct order_placed *to)
{
	struct order_line *line = herald_context_alloc(ctx, sizeof(*line));

	if (!line)
		return herald_retry(ctx, "out of memory");
	*line = (struct order_line){.sku = from->sku, .quantity = from->quantity};
	*to = (struct order_placed){.order_id = from->order_id,
				    .total_cents = from->total_cents,
				    .lines = line,
				    .lines_count = 1};
	return HERALD_DONE;
}
HERALD_UPCASTER(order_v1_to_v2, order_placed_v1, order_placed);

/* The program: options, a table of its own, a store, a service, a server. */

struct settings {
	const char *path;
	const char *token; /* of the dashboard; NULL: there is none */
	unsigned long port, workers, max_attempts, retry_ms, crash_after;
};

static bool
read_number(const char *name, const char *text, unsigned long min, unsigned long max,
	    unsigned long *out)
{
	errno = 0;
	*out = strtoul(text, NULL, 10);
	if (errno == 0 && *text != '\0' && text[strspn(text, "0123456789")] == '\0' &&
	    *out >= min && *out <= max)
		return true;
	fprintf(stderr, "durable: --%s: expected a number from %lu to %lu, not \"%s\"\n", name, min,
		max, text);
	return false;
}

static bool
read_settings(int argc, char **argv, struct settings *out)
{
	static const struct option options[] = {
		{"port", required_argument, NULL, 0},
		{"db", required_argument, NULL, 0},
		{"workers", required_argument, NULL, 0},
		{"max-attempts", required_argument, NULL, 0},
		{"retry-ms", required_argument, NULL, 0},
		{"crash-after", required_argument, NULL, 0},
		{"admin", required_argument, NULL, 0},
		{0},
	};
	const char **const texts[] = {NULL, &out->path, NULL, NULL, NULL, NULL, &out->token};
	unsigned long *const numbers[] = {
		&out->port,        NULL, &out->workers, &out->max_attempts, &out->retry_ms,
		&out->crash_after, NULL};
	/* To Herald 0 is the default: a store always has workers, attempts and delays. */
	static const unsigned long minima[] = {0, 0, 1, 1, 1, 0, 0};
	static const unsigned long maxima[] = {UINT16_MAX, 0,         1024, 10000,
					       UINT32_MAX, ULONG_MAX, 0};
	int found, index;

	while ((found = getopt_long(argc, argv, "", options, &index)) == 0) {
		if (texts[index])
			*texts[index] = optarg;
		else if (!read_number(options[index].name, optarg, minima[index], maxima[index],
				      numbers[index]))
			return false;
	}
	if (out->token && *out->token == '\0') {
		fprintf(stderr, "durable: --admin: expected a token, not an empty text\n");
		return false;
	}
	if (found == -1 && optind == argc && out->path && *out->path != '\0')
		return true;
	fprintf(stderr, "usage: durable --db FILE [--port N] [--workers N] [--max-attempts N]\n"
			"               [--retry-ms N] [--crash-after N] [--admin TOKEN]\n");
	return false;
}

/* How long to wait for another connection that has locked the file. */
#define BUSY_TIMEOUT_MS 5000

/* The table of the business logic is in the same file as the events. The store has checked the file
 * before, and makes the checkpoints. Another start of the program may create the table at the same
 * time. */
static bool
create_table(const char *path)
{
	static const char sql[] = "PRAGMA wal_autocheckpoint = 0;"
				  "CREATE TABLE IF NOT EXISTS "
				  "effects(event_id TEXT, event_type TEXT, username TEXT)";
	sqlite3 *db;
	bool is_ok = sqlite3_open(path, &db) == SQLITE_OK &&
		     sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
		     sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

	if (!is_ok)
		fprintf(stderr, "durable: %s: %s\n", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	return is_ok;
}

static enum herald_status
create_store(const struct settings *settings, struct herald_store **out, struct herald_error *error)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.workers = (unsigned)settings->workers,
				     .max_attempts = (unsigned)settings->max_attempts,
				     .first_delay_ms = (uint32_t)settings->retry_ms,
				     .backoff = HERALD_BACKOFF_NO_JITTER,
				     .log = {herald_log_logfmt, stderr, HERALD_LOG_INFO});
	enum herald_status status = herald_sqlite_create(
		&HERALD_SQLITE_OPTIONS(.path = settings->path), &options.database, error);

	return status == HERALD_OK ? herald_store_create(&options, out, error) : status;
}

static void
answer_health(struct herald_server_request *request, void *state)
{
	bool is_ok = herald_store_health(state, NULL) == HERALD_OK;
	const char *body = is_ok ? "{\"status\":\"ok\"}" : "{\"status\":\"failed\"}";

	herald_server_answer(request, is_ok ? 200 : 503, "application/json", body, strlen(body));
}

/* Until a signal: events, health and metrics, and the dashboard if there is a token for it. */
static enum herald_status
serve_until_signal(const struct settings *settings, struct herald_service *service,
		   struct herald_error *error)
{
	struct herald_store *store = herald_service_store(service);
	struct herald_metrics *metrics = NULL;
	struct herald_admin *admin = NULL;
	enum herald_status status =
		herald_metrics_create(&HERALD_METRICS_OPTIONS(.service = service), &metrics, error);

	if (status == HERALD_OK && settings->token)
		status = herald_admin_create(
			&HERALD_ADMIN_OPTIONS(.service = service, .token = settings->token,
					      .name = "durable",
					      .log = {herald_log_logfmt, stderr, HERALD_LOG_INFO}),
			&admin, error);
	const struct herald_server_path paths[] = {
		{.path = "/healthz", .function = answer_health, .state = store},
		herald_metrics_path(metrics),
		herald_admin_path(admin),
	};
	if (status == HERALD_OK)
		status = herald_serve(service,
				      &HERALD_SERVER_OPTIONS(.port = (uint16_t)settings->port,
							     .any_port = settings->port == 0,
							     .paths = paths,
							     .paths_count = admin ? 3 : 2),
				      error);
	herald_admin_destroy(admin);
	herald_metrics_destroy(metrics);
	return status;
}

static enum herald_status
serve(const struct settings *settings, struct shop *shop, struct herald_store *store,
      struct herald_error *error)
{
	static const char *const id_attributes[] = {"Idempotency-Key", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, shop,
			     .transaction = HERALD_TRANSACTION_JOIN),
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, shop, .version = "2",
			     .transaction = HERALD_TRANSACTION_JOIN),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order_placed", "1", order_placed_v1, "2", order_placed,
			      order_v1_to_v2),
	};
	struct herald_service *service;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					.store = store, .id_attributes = id_attributes),
		&service, error);

	if (status != HERALD_OK)
		return status;
	status = serve_until_signal(settings, service, error);
	herald_store_stop(store, 10000);
	herald_service_destroy(service);
	return status;
}

int
main(int argc, char **argv)
{
	struct settings settings = {.port = 8080, .max_attempts = 5, .retry_ms = 100};
	struct herald_store *store = NULL;
	struct herald_error error;

	if (!read_settings(argc, argv, &settings))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);

	struct shop shop = {.crash_after = settings.crash_after};
	enum herald_status status = create_store(&settings, &store, &error);
	bool is_ok = status == HERALD_OK && create_table(settings.path);
	if (is_ok)
		status = serve(&settings, &shop, store, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "durable", &error);
	herald_store_destroy(store);
	return is_ok && status == HERALD_OK ? 0 : 1;
}
