/*
 * A small shop: two events, one of them in two versions. `./dev run` starts it. It prints curl
 * commands to try, with their results.
 */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

/* The events: plain structs, and tables that map them to JSON. */

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

/* The business logic: ordinary functions, called on several threads at once. */

struct shop {
	pthread_mutex_t lock;
	void *usernames; /* A tsearch() tree of the names in use. */
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct shop *shop)
{
	char *name = strdup(user->username);

	pthread_mutex_lock(&shop->lock);
	char **known = name ? tsearch(name, &shop->usernames, compare_names) : NULL;
	bool is_new = known && *known == name;
	pthread_mutex_unlock(&shop->lock);
	if (is_new) {
		printf("user_created: %s is user %s\n", user->username, user->user_id);
		return HERALD_DONE;
	}
	free(name);
	if (!known)
		return herald_retry(ctx, "out of memory");
	return herald_fail_status(ctx, 409, "username %s is taken", user->username);
}
HERALD_FUNCTION(on_user_created, user_created, shop);

static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order, struct shop *shop)
{
	int64_t items = 0;

	(void)ctx;
	(void)shop;
	for (size_t i = 0; i < order->lines_count; i++)
		items += order->lines[i].quantity;
	printf("order_placed: %s, %" PRId64 " items for %" PRId64 " cents\n", order->order_id,
	       items, order->total_cents);
	return HERALD_DONE;
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

/* The program: routes, a service, a server. */

struct sample {
	const char *title, *event_type, *payload, *metadata, *answer;
};

static const struct sample samples[] = {
	{"A new user; a second one of this name is refused.", "user_created",
	 "{\"user_id\": \"12345\", \"username\": \"johndoe\"}", "{}",
	 "200 {\"status\":\"success\"}, again: 409 {\"error\":\"username johndoe is taken\"}"},
	{"An order, in version 2 of the event.", "order_placed",
	 "{\"order_id\": \"o-1\", \"total_cents\": 1998, "
	 "\"lines\": [{\"sku\": \"tea\", \"quantity\": 2}]}",
	 "{\"version\": \"2\"}", "200 {\"status\":\"success\"}"},
	{"Version 1, which had one line: an upcaster makes it a version 2.", "order_placed",
	 "{\"order_id\": \"o-2\", \"total_cents\": 999, \"sku\": \"tea\", \"quantity\": 1}",
	 "{\"version\": \"1\"}", "200 {\"status\":\"success\"}"},
	{"A version that the shop does not know.", "order_placed", "{}", "{\"version\": \"3\"}",
	 "404 {\"error\":\"no route for version \\\"3\\\" of event type \\\"order_placed\\\"\"}"},
};

/* Each command works as printed: tests/examples/quickstart.py runs them. */
static void
print_welcome(const struct herald_server *server, void *state)
{
	unsigned port = herald_server_port(server);

	printf("Events are taken at http://127.0.0.1:%u/event. Try these in another terminal:\n\n",
	       port);
	for (size_t i = 0; i < HERALD_COUNT(samples); i++) {
		const struct sample *sample = &samples[i];

		printf("# %s\n"
		       "curl -i -H 'Content-Type: application/json' http://127.0.0.1:%u/event -d "
		       "'{\"event_type\": \"%s\", \"timestamp\": \"2024-08-20T05:21:19Z\", "
		       "\"payload\": %s, \"metadata\": %s}'\n"
		       "# => %s\n\n",
		       sample->title, port, sample->event_type, sample->payload, sample->metadata,
		       sample->answer);
	}
	if (state)
		printf("The dashboard is at http://127.0.0.1:%u/admin/.\n\n", port);
	printf("# Does it run?\n"
	       "curl -i http://127.0.0.1:%u/healthz\n"
	       "# => 200 {\"status\":\"ok\"}\n\n"
	       "Metrics for Prometheus are at http://127.0.0.1:%u/metrics. Ctrl-C stops it.\n",
	       port, port);
}

/* Digits only, unlike strtoul(); 0 lets the system choose. */
static bool
read_port(const char *text, uint16_t *port)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || number > UINT16_MAX) {
		fprintf(stderr, "quickstart: expected a port from 0 to 65535, not \"%s\"\n", text);
		return false;
	}
	*port = (uint16_t)number;
	return true;
}

struct settings {
	uint16_t port;
	const char *token; /* Of the dashboard; NULL: there is none. */
};

static bool
read_settings(int argc, char **argv, struct settings *out)
{
	for (; argc > 2; argc -= 2, argv += 2) {
		if (strcmp(argv[1], "--admin") == 0)
			out->token = argv[2];
		else if (strcmp(argv[1], "--port") != 0)
			break;
		else if (!read_port(argv[2], &out->port))
			return false;
	}
	if (out->token && *out->token == '\0') {
		fprintf(stderr, "quickstart: --admin: expected a token, not an empty text\n");
		return false;
	}
	if (argc > 1)
		fprintf(stderr, "usage: quickstart [--port N] [--admin TOKEN]\n");
	return argc <= 1;
}

/* The paths besides /event: metrics, and the dashboard if there is a token for it. */
static enum herald_status
serve(struct herald_service *service, const struct herald_metrics *metrics,
      const struct settings *settings, struct herald_error *error)
{
	struct herald_admin *admin = NULL;
	enum herald_status status = HERALD_OK;

	if (settings->token)
		status = herald_admin_create(&HERALD_ADMIN_OPTIONS(.service = service,
								   .token = settings->token,
								   .name = "quickstart"),
					     &admin, error);
	if (status != HERALD_OK)
		return status;
	const struct herald_server_path paths[] = {
		herald_metrics_path(metrics),
		herald_admin_path(admin),
	};
	status = herald_serve(
		service,
		&HERALD_SERVER_OPTIONS(.port = settings->port, .any_port = settings->port == 0,
				       .paths = paths, .paths_count = admin ? 2 : 1, .quiet = true,
				       .on_started = print_welcome, .on_started_state = admin),
		error);
	herald_admin_destroy(admin);
	return status;
}

int
main(int argc, char **argv)
{
	struct shop shop = {.lock = PTHREAD_MUTEX_INITIALIZER};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &shop),
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, &shop, .version = "2"),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order_placed", "1", order_placed_v1, "2", order_placed,
			      order_v1_to_v2),
	};
	struct settings settings = {.port = 8080};
	struct herald_service *service = NULL;
	struct herald_metrics *metrics = NULL;
	struct herald_error error;

	if (!read_settings(argc, argv, &settings))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)),
		&service, &error);
	if (status == HERALD_OK)
		status = herald_metrics_create(&HERALD_METRICS_OPTIONS(.service = service),
					       &metrics, &error);
	if (status == HERALD_OK)
		status = serve(service, metrics, &settings, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "quickstart", &error);
	herald_metrics_destroy(metrics);
	herald_service_destroy(service);
	while (shop.usernames) {
		char *name = *(char **)shop.usernames;
		tdelete(name, &shop.usernames, compare_names);
		free(name);
	}
	return status == HERALD_OK ? 0 : 1;
}
