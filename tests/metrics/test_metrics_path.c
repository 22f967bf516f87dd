/*
 * The path for metrics of Herald's server: methods, formats, the server's own metrics, and that the
 * metrics say what clients have counted, whatever they send on several threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include <herald/metrics.h>
#include <herald/server.h>

#include "support/draw.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/http_client.h"
#include "support/metrics_text.h"

#define OPENMETRICS "application/openmetrics-text;version=1.0.0"
#define PATH_OF(VERDICT)                                                                           \
	"herald_events_total{event_type=\"item\",version=\"*\",verdict=\"" VERDICT "\"}"

/* A server whose events say what happens. */

struct item {
	const char *verdict;
};
HERALD_SCHEMA(item, HERALD_FIELD(item, verdict, .required = true));

static enum herald_verdict
on_item(struct herald_context *ctx, const struct item *item)
{
	if (strcmp(item->verdict, "retry") == 0)
		return herald_retry(ctx, "later");
	return strcmp(item->verdict, "fail") == 0 ? herald_fail(ctx, "no") : HERALD_DONE;
}
HERALD_FUNCTION(on_item, item);

struct shop {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_metrics *metrics;
	struct herald_server *server;
	uint16_t port;
};

static void
start(struct shop *shop, const struct herald_allocator *allocator)
{
	const struct herald_route routes[] = {HERALD_ROUTE("item", item, on_item, NULL)};
	struct herald_metrics_options options = HERALD_METRICS_OPTIONS(.service = NULL);

	shop->service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	assert_int_equal(herald_endpoint_create(shop->service, NULL, &shop->endpoint, NULL),
			 HERALD_OK);
	options.service = shop->service;
	if (allocator)
		options.allocator = *allocator;
	assert_int_equal(herald_metrics_create(&options, &shop->metrics, NULL), HERALD_OK);
	const struct herald_server_path paths[] = {herald_metrics_path(shop->metrics)};
	assert_int_equal(herald_server_create(
				 shop->endpoint,
				 &HERALD_SERVER_OPTIONS(.any_port = true, .threads = 2,
							HERALD_SERVER_PATHS(paths),
							.header_timeout_ms = HTTP_CLIENT_WAIT_MS,
							.max_connections_per_ip = 12),
				 &shop->server, NULL),
			 HERALD_OK);
	shop->port = herald_server_port(shop->server);
}

static void
stop(struct shop *shop)
{
	herald_server_destroy(shop->server);
	herald_metrics_destroy(shop->metrics);
	herald_endpoint_destroy(shop->endpoint);
	herald_service_destroy(shop->service);
}

static void
exchange(struct http_client *client, const char *request, bool has_body, struct http_response *out)
{
	assert_true(http_send_text(client, request));
	assert_true(http_receive(client, has_body, out));
}

/* A request for the metrics with this header, which may be "". */
static void
scrape(struct http_client *client, const char *method, const char *header,
       struct http_response *out)
{
	char request[512];

	snprintf(request, sizeof(request), "%s /metrics HTTP/1.1\r\nHost: test\r\n%s\r\n", method,
		 header);
	exchange(client, request, strcmp(method, "HEAD") != 0, out);
}

/* Methods and formats. */

/* Scripts of other sites do not read them: see test_admin_path.c. */
static void
test_hosts(void **state)
{
	struct http_client client;
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	assert_true(http_connect(&client, "127.0.0.1", shop.port));
	exchange(&client, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", true, &response);
	assert_int_equal(response.status, 403);
	exchange(&client, "GET /metrics HTTP/1.1\r\nHost: localhost:1\r\n\r\n", true, &response);
	assert_int_equal(response.status, 200);
	http_close(&client);
	stop(&shop);
}

static void
test_get_and_head(void **state)
{
	struct http_client client;
	struct http_response get, head;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	assert_true(http_connect(&client, "127.0.0.1", shop.port));
	scrape(&client, "GET", "", &get);
	assert_int_equal(get.status, 200);
	assert_string_equal(http_header(&get, "Content-Type"),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_string_equal(http_header(&get, "Vary"), "Accept");
	metrics_check(get.body, HERALD_METRICS_PROMETHEUS);
	scrape(&client, "HEAD", "", &head);
	assert_int_equal(head.status, 200);
	assert_string_equal(http_header(&head, "Content-Type"),
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_true(strtoul(http_header(&head, "Content-Length"), NULL, 10) >= get.body_bytes);
	scrape(&client, "POST", "", &get);
	assert_int_equal(get.status, 405);
	assert_string_equal(http_header(&get, "Allow"), "GET, HEAD, OPTIONS");
	http_close(&client);
	stop(&shop);
}

static void
test_accept(void **state)
{
	static const struct {
		const char *headers;
		enum herald_metrics_format format;
	} cases[] = {
		{"Accept: " OPENMETRICS "\r\n", HERALD_METRICS_OPENMETRICS},
		{"accept: text/plain;q=0.5\r\nACCEPT: " OPENMETRICS "\r\n",
		 HERALD_METRICS_OPENMETRICS},
		{"Accept: */*\r\n", HERALD_METRICS_PROMETHEUS},
		{"Accept-Encoding: " OPENMETRICS "\r\n", HERALD_METRICS_PROMETHEUS},
	};
	struct http_client client;
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	assert_true(http_connect(&client, "127.0.0.1", shop.port));
	for (size_t i = 0; i < COUNT(cases); i++) {
		scrape(&client, "GET", cases[i].headers, &response);
		assert_int_equal(response.status, 200);
		assert_string_equal(http_header(&response, "Content-Type"),
				    herald_metrics_content_type(cases[i].format));
		metrics_check(response.body, cases[i].format);
	}
	http_close(&client);
	stop(&shop);
}

/* Without memory for the text: the server goes on. */
static void
test_no_memory(void **state)
{
	struct failing_allocator memory;
	struct http_client client;
	struct http_response response;
	struct shop shop;
	size_t first, n;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	start(&shop, &memory.allocator);
	first = n = memory.calls + 1; /* The metrics exist. */
	stop(&shop);
	for (bool has_failed = true; has_failed; n++) {
		failing_allocator_init(&memory, FAIL_FROM, n);
		start(&shop, &memory.allocator);
		assert_true(http_connect(&client, "127.0.0.1", shop.port));
		scrape(&client, "GET", "", &response);
		has_failed = memory.failures > 0;
		assert_int_equal(response.status, has_failed ? 503 : 200);
		exchange(&client, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
		assert_int_equal(response.status, 200);
		http_close(&client);
		stop(&shop);
		assert_all_released(&memory);
	}
	assert_true(n > first + 2);
}

/* The server. */

static void
test_the_server_that_answers(void **state)
{
	struct herald_server_statistics statistics;
	struct http_client client;
	struct http_response response;
	struct shop shop, other;
	char *text;

	(void)state;
	start(&shop, NULL);
	start(&other, NULL);
	assert_true(http_connect(&client, "127.0.0.1", shop.port));
	exchange(&client, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	exchange(&client, "OPTIONS /metrics HTTP/1.1\r\nHost: test\r\n\r\n", false, &response);
	assert_int_equal(response.status, 204);
	scrape(&client, "GET", "", &response);
	assert_true(metrics_number(response.body, "herald_server_connections") == 1);
	assert_true(metrics_number(response.body, "herald_server_max_connections") == 1024);
	assert_true(metrics_number(response.body, "herald_server_accepted_connections_total") == 1);
	assert_true(metrics_number(response.body, "herald_server_refused_connections_total") == 0);
	/* Not yet the one that is being written. */
	assert_true(metrics_number(response.body, "herald_server_responses_total{code=\"2xx\"}") ==
		    1);
	assert_true(metrics_number(response.body, "herald_server_responses_total{code=\"3xx\"}") ==
		    0);
	assert_true(metrics_number(response.body, "herald_server_responses_total{code=\"4xx\"}") ==
		    1);
	assert_true(metrics_number(response.body, "herald_server_responses_total{code=\"5xx\"}") ==
		    0);
	/* A head that cannot be read is answered, too. */
	exchange(&client, "nonsense\r\n\r\n", true, &response);
	assert_int_equal(response.status, 400);
	http_close(&client);
	herald_server_statistics_read(shop.server, &statistics);
	assert_int_equal(statistics.responses_4xx, 2);
	assert_int_equal(statistics.responses_2xx, 2);
	assert_int_equal(statistics.accepted, 1);
	herald_server_statistics_read(other.server, &statistics);
	assert_int_equal(statistics.accepted, 0);
	/* Without a request, no server is known. */
	text = metrics_text(shop.metrics, HERALD_METRICS_PROMETHEUS);
	assert_null(strstr(text, "herald_server"));
	free(text);
	stop(&other);
	stop(&shop);
}

/* A server for metrics alone, with the counts of another one. */
static void
test_metrics_of_another_server(void **state)
{
	struct herald_metrics *metrics;
	struct herald_server *server;
	struct http_client client;
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	assert_int_equal(herald_metrics_create(&HERALD_METRICS_OPTIONS(.server = shop.server),
					       &metrics, NULL),
			 HERALD_OK);
	struct herald_server_path path = herald_metrics_path(metrics);
	path.path = "/other";
	assert_int_equal(
		herald_server_create(
			NULL,
			&HERALD_SERVER_OPTIONS(.any_port = true, .paths = &path, .paths_count = 1),
			&server, NULL),
		HERALD_OK);
	assert_true(http_connect(&client, "127.0.0.1", herald_server_port(server)));
	exchange(&client, "GET /other HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	assert_int_equal(response.status, 200);
	metrics_check(response.body, HERALD_METRICS_PROMETHEUS);
	assert_true(metrics_number(response.body, "herald_server_accepted_connections_total") == 0);
	http_close(&client);
	herald_server_destroy(server);
	herald_metrics_destroy(metrics);
	stop(&shop);
}

/* Connections above the limit of an address. */
static void
test_refused_connections(void **state)
{
	struct http_client clients[13];
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	for (size_t i = 0; i < 12; i++) {
		assert_true(http_connect(&clients[i], "127.0.0.1", shop.port));
		exchange(&clients[i], "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", true,
			 &response);
	}
	assert_true(http_connect(&clients[12], "127.0.0.1", shop.port));
	assert_true(http_wait_closed(&clients[12], HTTP_CLIENT_WAIT_MS));
	scrape(&clients[0], "GET", "", &response);
	assert_true(metrics_number(response.body, "herald_server_refused_connections_total") == 1);
	assert_true(metrics_number(response.body, "herald_server_accepted_connections_total") ==
		    12);
	assert_true(metrics_number(response.body, "herald_server_connections") == 12);
	for (size_t i = 0; i < 13; i++)
		http_close(&clients[i]);
	stop(&shop);
}

/* Random events on several threads. */

enum { THREADS = 4, EVENTS = 400 };

struct sender {
	pthread_t thread;
	uint16_t port;
	uint64_t random;
	unsigned statuses[6]; /* responses by their status / 100 */
	unsigned done, retry, fail, invalid, unknown, nonsense;
};

/* Draw an event and send it, or something else. */
static void
send_one(struct sender *sender, struct http_client *client)
{
	static const struct {
		const char *body;
		unsigned status;
		size_t count; /* offset of the sender's count */
	} kinds[] = {
		{EVENT("item", "{\"verdict\":\"done\"}"), 200, offsetof(struct sender, done)},
		{EVENT("item", "{\"verdict\":\"retry\"}"), 503, offsetof(struct sender, retry)},
		{EVENT("item", "{\"verdict\":\"fail\"}"), 500, offsetof(struct sender, fail)},
		{EVENT("item", "{\"verdict\":1}"), 400, offsetof(struct sender, invalid)},
		{EVENT("thing", "{}"), 404, offsetof(struct sender, unknown)},
		{"[", 400, offsetof(struct sender, nonsense)},
	};
	const size_t kind = draw_below(&sender->random, COUNT(kinds));
	struct http_response response;
	char request[512];

	if (draw_one_in(&sender->random, 10)) {
		scrape(client, "GET", "", &response);
		assert_int_equal(response.status, 200);
		metrics_check(response.body, HERALD_METRICS_PROMETHEUS);
	} else {
		snprintf(request, sizeof(request),
			 "POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(kinds[kind].body), kinds[kind].body);
		exchange(client, request, true, &response);
		assert_int_equal(response.status, kinds[kind].status);
		(*(unsigned *)(void *)((char *)sender + kinds[kind].count))++;
	}
	sender->statuses[response.status / 100]++;
}

static void *
sender_run(void *state)
{
	struct sender *sender = state;
	struct http_client *client = malloc(sizeof(*client));

	assert_non_null(client);
	assert_true(http_connect(client, "127.0.0.1", sender->port));
	for (int i = 0; i < EVENTS; i++)
		send_one(sender, client);
	http_close(client);
	free(client);
	return NULL;
}

static void
check_sums(const char *text, const struct sender *sum)
{
	const struct {
		const char *sample;
		unsigned count;
	} expected[] = {
		{PATH_OF("done"), sum->done},
		{PATH_OF("retry"), sum->retry},
		{PATH_OF("fail"), sum->fail},
		{PATH_OF("invalid"), sum->invalid},
		{"herald_events_total{event_type=\"\",version=\"\",verdict=\"unknown\"}",
		 sum->unknown},
		{"herald_events_total{event_type=\"\",version=\"\",verdict=\"invalid\"}",
		 sum->nonsense},
		{"herald_event_duration_seconds_count{event_type=\"item\",version=\"*\"}",
		 sum->done + sum->retry + sum->fail + sum->invalid},
		{"herald_event_duration_seconds_count{event_type=\"\",version=\"\"}",
		 sum->unknown + sum->nonsense},
		{"herald_server_responses_total{code=\"2xx\"}", sum->statuses[2]},
		{"herald_server_responses_total{code=\"4xx\"}", sum->statuses[4]},
		{"herald_server_responses_total{code=\"5xx\"}", sum->statuses[5]},
		{"herald_server_accepted_connections_total", THREADS + 1},
	};

	for (size_t i = 0; i < COUNT(expected); i++)
		if (metrics_number(text, expected[i].sample) != expected[i].count)
			fail_msg("%s is %g, not %u", expected[i].sample,
				 metrics_number(text, expected[i].sample), expected[i].count);
}

static void
test_what_clients_have_counted(void **state)
{
	struct sender senders[THREADS] = {0}, sum = {0};
	struct http_client client;
	struct http_response response;
	struct shop shop;
	uint64_t seed = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	start(&shop, NULL);
	for (size_t i = 0; i < THREADS; i++) {
		senders[i].port = shop.port;
		senders[i].random = seed + i;
		assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_run, &senders[i]),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
		for (size_t k = 0; k < COUNT(sum.statuses); k++)
			sum.statuses[k] += senders[i].statuses[k];
		sum.done += senders[i].done;
		sum.retry += senders[i].retry;
		sum.fail += senders[i].fail;
		sum.invalid += senders[i].invalid;
		sum.unknown += senders[i].unknown;
		sum.nonsense += senders[i].nonsense;
	}
	assert_true(http_connect(&client, "127.0.0.1", shop.port));
	scrape(&client, "GET", "Accept: " OPENMETRICS "\r\n", &response);
	metrics_check(response.body, HERALD_METRICS_OPENMETRICS);
	check_sums(response.body, &sum);
	http_close(&client);
	stop(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_and_head),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_the_server_that_answers),
		cmocka_unit_test(test_metrics_of_another_server),
		cmocka_unit_test(test_refused_connections),
		cmocka_unit_test(test_what_clients_have_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
