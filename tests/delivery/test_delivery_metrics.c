/*
 * The metrics of a deliverer say what its hooks were told, for deliveries drawn at random: to a
 * destination of the options, to other hosts, and to a producer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>
#include <herald/metrics.h>
#include <herald/producer.h>

#include "support/delivering.h"
#include "support/draw.h"
#include "support/fake_publisher.h"
#include "support/fake_transport.h"
#include "support/metrics_text.h"

#define DELIVERIES 200

static const char *const classes[] = {"destination", "other", "producer"};
static const char *const outcomes[] = {"delivered", "refused", "exhausted", "expired", "left"};
static const char *const results[] = {"ok", "3xx", "4xx", "5xx", "none"};

/* What the hooks were told. */
struct told {
	unsigned outcomes[3][5];
	unsigned results[3][5];
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t ended;
};

static size_t
class_of(const char *url)
{
	if (strncmp(url, "broker:", 7) == 0)
		return 2;
	return strncmp(url, "http://known.example:8080/", 26) == 0 ? 0 : 1;
}

static void
on_attempt(const struct herald_delivery_report *report, void *state)
{
	unsigned *sums = ((struct told *)state)->results[class_of(report->delivery->url)];

	if (report->outcome == HERALD_DELIVERY_DELIVERED)
		sums[0]++;
	else
		sums[report->http_status == 0 ? 4 : report->http_status / 100 - 2]++;
}

static void
on_outcome(const struct herald_delivery_report *report, void *state)
{
	struct told *told = state;
	unsigned *sums = told->outcomes[class_of(report->delivery->url)];

	if (report->outcome == HERALD_DELIVERY_DELIVERED)
		sums[0]++;
	else
		sums[report->outcome == HERALD_DELIVERY_LEFT ? 4 : report->failure]++;
	pthread_mutex_lock(&told->mutex);
	told->ended++;
	pthread_cond_signal(&told->changed);
	pthread_mutex_unlock(&told->mutex);
}

static struct herald_deliverer *
create_random(struct fake_transport *transport, const struct herald_named_producer *producer,
	      const struct test_clock *clock, struct told *told)
{
	static const char *const headers[] = {"X-Team: a"};
	static const uint64_t bounds[] = {1000000};
	const struct herald_destination destinations[] = {
		{.origin = "http://known.example:8080", HERALD_HEADERS(headers)}};
	struct herald_deliverer *deliverer = NULL;
	struct herald_error error;

	fake_transport_init(transport, NULL, 0);
	if (herald__deliverer_create(
		    &HERALD_DELIVERER_OPTIONS(.transport = &transport->base, .producers = producer,
					      .producers_count = 1,
					      HERALD_DESTINATIONS(destinations),
					      HERALD_DURATION_BOUNDS(bounds),
					      .on_attempt = on_attempt, .on_outcome = on_outcome,
					      .state = told, .first_delay_ms = 1,
					      .max_delay_ms = 50, .attempts = 2),
		    &clock->clock, &deliverer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return deliverer;
}

static void
submit_one(struct herald_deliverer *deliverer, uint64_t *random)
{
	static const char *const hosts[] = {"http://known.example:8080", "http://known.example",
					    "http://a.example"};
	static const char *const paths[] = {"200", "204", "302", "404", "429", "500", "close"};
	struct herald_delivery delivery = {HERALD_BODY("x", 1)};
	struct herald_error error;
	char url[128];

	snprintf(url, sizeof(url), "%s/%s", hosts[draw_below(random, HERALD_COUNT(hosts))],
		 paths[draw_below(random, HERALD_COUNT(paths))]);
	if (draw_one_in(random, 4)) {
		delivery.producer = "main";
		delivery.topic = "orders";
	} else {
		delivery.url = url;
	}
	if (herald_deliverer_submit(deliverer, &delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
await_ends(struct told *told, size_t count)
{
	pthread_mutex_lock(&told->mutex);
	while (told->ended < count)
		pthread_cond_wait(&told->changed, &told->mutex);
	pthread_mutex_unlock(&told->mutex);
}

static void
check(const char *text, const char *family, size_t class, const char *label, const char *value,
      unsigned expected)
{
	char sample[256];

	snprintf(sample, sizeof(sample), "%s{class=\"%s\",%s=\"%s\"}", family, classes[class],
		 label, value);
	if (metrics_number(text, sample) != expected)
		fail_msg("%s is %g, not %u", sample, metrics_number(text, sample), expected);
}

/* Returns the number of attempts. */
static unsigned
check_all(const char *text, const struct told *told)
{
	unsigned attempts = 0;

	for (size_t class = 0; class < 3; class ++) {
		unsigned of_class = 0;
		char sample[128];

		for (size_t i = 0; i < 5; i++) {
			check(text, "herald_deliveries_total", class, "outcome", outcomes[i],
			      told->outcomes[class][i]);
			check(text, "herald_delivery_attempts_total", class, "result", results[i],
			      told->results[class][i]);
			of_class += told->results[class][i];
		}
		snprintf(sample, sizeof(sample),
			 "herald_delivery_attempt_duration_seconds_count{class=\"%s\"}",
			 classes[class]);
		assert_true(metrics_number(text, sample) == of_class);
		snprintf(sample, sizeof(sample),
			 "herald_delivery_attempt_duration_seconds_bucket{class=\"%s\",le=\"1.0\"}",
			 classes[class]);
		assert_true(metrics_has(text, sample));
		attempts += of_class;
	}
	return attempts;
}

static void
test_what_hooks_were_told(void **state)
{
	struct told told = {.mutex = PTHREAD_MUTEX_INITIALIZER,
			    .changed = PTHREAD_COND_INITIALIZER};
	struct fake_publisher *publisher = fake_publisher_create();
	struct herald_named_producer producer = {.name = "main"};
	uint64_t random = draw_seed();
	struct fake_transport *transport = calloc(1, sizeof(*transport));
	struct test_clock clock;
	struct herald_metrics *metrics;

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)random);
	assert_non_null(transport);
	test_clock_init(&clock);
	publisher->is_threaded = true;
	assert_int_equal(
		herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = &publisher->base),
				       &producer.producer, NULL),
		HERALD_OK);
	struct herald_deliverer *deliverer = create_random(transport, &producer, &clock, &told);
	assert_int_equal(herald_metrics_create(&HERALD_METRICS_OPTIONS(.deliverer = deliverer),
					       &metrics, NULL),
			 HERALD_OK);
	char *text = metrics_text(metrics, HERALD_METRICS_PROMETHEUS);
	assert_int_equal(check_all(text, &(struct told){0}), 0);
	free(text);
	for (size_t i = 0; i < DELIVERIES; i++)
		submit_one(deliverer, &random);
	await_ends(&told, DELIVERIES);
	text = metrics_text(metrics, HERALD_METRICS_OPENMETRICS);
	unsigned attempts = check_all(text, &told);
	assert_true(attempts >= DELIVERIES);
	assert_true(metrics_number(text, "herald_delivery_accepted_total") == DELIVERIES);
	assert_true(metrics_number(text, "herald_delivery_retries_total") == attempts - DELIVERIES);
	assert_true(metrics_number(text, "herald_delivery_resumed_total") == 0);
	assert_true(metrics_number(text, "herald_delivery_refused_total") == 0);
	assert_true(metrics_number(text, "herald_delivery_pending") == 0);
	assert_true(metrics_number(text, "herald_delivery_reserved") == 0);
	assert_true(metrics_number(text, "herald_delivery_in_flight") == 0);
	assert_true(metrics_number(text, "herald_delivery_content_bytes") == 0);
	/* Hosts come from events. */
	assert_null(strstr(text, "example"));
	free(text);
	herald_metrics_destroy(metrics);
	herald_deliverer_destroy(deliverer);
	herald_producer_destroy(producer.producer);
	free(transport);
}

/* Deliveries that a stop leaves. */
static void
test_left(void **state)
{
	struct told told = {.mutex = PTHREAD_MUTEX_INITIALIZER,
			    .changed = PTHREAD_COND_INITIALIZER};
	struct fake_transport *transport = calloc(1, sizeof(*transport));
	struct herald_deliverer *deliverer = NULL;
	struct herald_metrics *metrics;

	(void)state;
	assert_non_null(transport);
	fake_transport_init(transport, NULL, 0);
	assert_int_equal(
		herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.transport = &transport->base,
								  .on_outcome = on_outcome,
								  .state = &told),
					&deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_metrics_create(&HERALD_METRICS_OPTIONS(.deliverer = deliverer),
					       &metrics, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_submit(
				 deliverer,
				 &(struct herald_delivery){.url = "http://a.example/silent"}, NULL),
			 HERALD_OK);
	assert_int_equal(herald_deliverer_stop(deliverer, 0), 1);
	assert_int_equal(herald_deliverer_submit(
				 deliverer,
				 &(struct herald_delivery){.url = "http://a.example/silent"}, NULL),
			 HERALD_LIMIT);
	char *text = metrics_text(metrics, HERALD_METRICS_PROMETHEUS);
	check(text, "herald_deliveries_total", 1, "outcome", "left", 1);
	assert_true(metrics_number(text, "herald_delivery_refused_total") == 1);
	free(text);
	herald_metrics_destroy(metrics);
	herald_deliverer_destroy(deliverer);
	free(transport);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_hooks_were_told),
		cmocka_unit_test(test_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
