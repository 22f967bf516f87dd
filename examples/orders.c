/*
 * The quickstart's shop behind a message broker, whichever it is: orders_redis.c and others like it
 * have only the line that names the broker.
 *
 * For each event that is done, a line with its id and the number of the attempt is added to a file.
 * Some user names show what else can happen: `fail` becomes a dead letter at once, `retry` succeeds
 * in the third attempt, and `crash` aborts the program each time, until it is a dead letter.
 */
#include "orders.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <herald/herald.h>

/* How long to wait for functions when the program is stopped. */
#define DRAIN_MS 10000

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

/* What the shop does, and where: a file. */
struct shop {
	int effects;
};

/* One write() to a file that is open for appending is one line, whoever else writes. */
static enum herald_verdict
write_effect(struct herald_context *ctx, const struct shop *shop)
{
	char line[256];
	int bytes = snprintf(line, sizeof(line), "%s %u\n", herald_context_id(ctx),
			     herald_context_attempt(ctx));

	if (bytes >= (int)sizeof(line))
		return herald_fail(ctx, "the id is too long");
	if (write(shop->effects, line, (size_t)bytes) != bytes)
		return herald_retry(ctx, "cannot write the effect");
	return HERALD_DONE;
}

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user, struct shop *shop)
{
	if (strcmp(user->username, "fail") == 0)
		return herald_fail(ctx, "username %s is not allowed", user->username);
	if (strcmp(user->username, "crash") == 0)
		abort();
	if (strcmp(user->username, "retry") == 0 && herald_context_attempt(ctx) < 3)
		return herald_retry(ctx, "not yet");
	return write_effect(ctx, shop);
}
HERALD_FUNCTION(on_user_created, user_created, shop);

static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order, struct shop *shop)
{
	(void)order;
	return write_effect(ctx, shop);
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

/* The command line. */

/* Digits only, unlike strtoul(). */
static bool
read_number(const char *name, const char *text, unsigned long min, unsigned long max,
	    unsigned long *out)
{
	*out = strtoul(text, NULL, 10);
	if (*text != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 11 &&
	    *out >= min && *out <= max)
		return true;
	fprintf(stderr, "orders: --%s: expected a number from %lu to %lu, not \"%s\"\n", name, min,
		max, text);
	return false;
}

static bool
read_settings(int argc, char **argv, struct orders_settings *out)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 0},
		{"source", required_argument, NULL, 0},
		{"group", required_argument, NULL, 0},
		{"effects", required_argument, NULL, 0},
		{"lanes", required_argument, NULL, 0},
		{"max-attempts", required_argument, NULL, 0},
		{"retry-ms", required_argument, NULL, 0},
		{0},
	};
	const char **const texts[] = {&out->url, &out->source, &out->group, &out->effects};
	unsigned long *const numbers[] = {&out->lanes, &out->max_attempts, &out->retry_ms};
	static const unsigned long minima[] = {0, 1, 1}, maxima[] = {1024, 10000, 3600000};
	int found, index;

	while ((found = getopt_long(argc, argv, "", options, &index)) == 0) {
		if (index < 4)
			*texts[index] = optarg;
		else if (!read_number(options[index].name, optarg, minima[index - 4],
				      maxima[index - 4], numbers[index - 4]))
			return false;
	}
	if (found == -1 && optind == argc && out->url && out->source && out->group && out->effects)
		return true;
	fprintf(stderr,
		"usage: %s --url URL --source NAME --group NAME --effects FILE [--lanes N]\n"
		"       [--max-attempts N] [--retry-ms N]\n",
		argv[0]);
	return false;
}

/* Consume until one of the signals. */
static enum herald_status
consume(struct herald_service *service, const struct orders_settings *settings,
	orders_subscribe *subscribe, const sigset_t *signals, struct herald_error *error)
{
	/* A crash is an attempt like others. */
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service, .lanes = (unsigned)settings->lanes,
					.max_attempts = (unsigned)settings->max_attempts,
					.max_interrupted = (unsigned)settings->max_attempts,
					.first_delay_ms = (uint32_t)settings->retry_ms,
					.backoff = HERALD_BACKOFF_NO_JITTER,
					.log = {herald_log_logfmt, stderr, HERALD_LOG_INFO});
	struct herald_consumer *consumer;
	int signal;

	enum herald_status status = subscribe(settings, &options.subscriber, error);
	if (status == HERALD_OK)
		status = herald_consumer_create(&options, &consumer, error);
	if (status != HERALD_OK)
		return status;
	sigwait(signals, &signal);
	herald_consumer_stop(consumer, DRAIN_MS);
	herald_consumer_destroy(consumer);
	return HERALD_OK;
}

int
orders_main(int argc, char **argv, orders_subscribe *subscribe)
{
	struct orders_settings settings = {.max_attempts = 5, .retry_ms = 100};
	struct herald_service *service = NULL;
	struct herald_error error;
	sigset_t signals;

	if (!read_settings(argc, argv, &settings))
		return 2;
	/* In all threads, so that only sigwait() gets them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);

	struct shop shop = {
		open(settings.effects, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
	if (shop.effects < 0) {
		fprintf(stderr, "%s: cannot open %s\n", argv[0], settings.effects);
		return 1;
	}
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, &shop),
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, &shop, .version = "2"),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order_placed", "1", order_placed_v1, "2", order_placed,
			      order_v1_to_v2),
	};
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)),
		&service, &error);
	if (status == HERALD_OK)
		status = consume(service, &settings, subscribe, &signals, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, argv[0], &error);
	herald_service_destroy(service);
	close(shop.effects);
	return status == HERALD_OK ? 0 : 1;
}
