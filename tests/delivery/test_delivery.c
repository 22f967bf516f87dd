/*
 * herald/delivery.h against a real server that misbehaves: the number and times of attempts, their
 * outcomes, and what the receiver gets. The tests set the time, so that nothing waits.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"
#include "support/names.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Instead of waiting for a response that does not come, the clock moves to the timeout. */
static void
pass_timeout(void *state)
{
	struct delivery_fixture *fixture = state;

	test_clock_advance(&fixture->clock, fixture->deliverer, 10000);
}

static int
setup(void **state)
{
	struct delivery_fixture *fixture = delivery_fixture_create("127.0.0.1");

	fixture->server.on_silent = pass_timeout;
	fixture->server.state = fixture;
	*state = fixture;
	return 0;
}

/* Each misbehaviour: attempts, when, and the outcome. */

struct behaviour {
	const char *name;
	const char *url;
	const char *retry_after;
	unsigned attempts;
	enum herald_delivery_outcome outcome;
	unsigned http_status;
	uint64_t delays_ms[2]; /* after the first and the second attempt */
	uint64_t took_ms;      /* each attempt */
	const char *error;     /* a part of it */
};

#define DELIVERED HERALD_DELIVERY_DELIVERED
#define FAILED HERALD_DELIVERY_FAILED
#define THAT_DAY(TIME) "Tue, 14 Nov 2023 " TIME " GMT"

static const struct behaviour behaviours[] = {
	{"200", "/200", NULL, 1, DELIVERED, 200, {0}, 0, ""},
	{"204", "/204", NULL, 1, DELIVERED, 204, {0}, 0, ""},
	{"301", "/301", NULL, 1, FAILED, 301, {0}, 0, "HTTP status 301"},
	{"400", "/400", NULL, 1, FAILED, 400, {0}, 0, "HTTP status 400"},
	{"404", "/404", NULL, 1, FAILED, 404, {0}, 0, "HTTP status 404"},
	{"408", "/408", NULL, 3, FAILED, 408, {2000, 4000}, 0, "HTTP status 408"},
	{"425", "/425", NULL, 3, FAILED, 425, {2000, 4000}, 0, "HTTP status 425"},
	{"429", "/429", NULL, 3, FAILED, 429, {2000, 4000}, 0, "HTTP status 429"},
	{"500", "/500", NULL, 3, FAILED, 500, {2000, 4000}, 0, "HTTP status 500"},
	{"503", "/503", NULL, 3, FAILED, 503, {2000, 4000}, 0, "HTTP status 503"},
	{"501 is 5xx too", "/501", NULL, 3, FAILED, 501, {2000, 4000}, 0, "HTTP status 501"},
	{"once 503", "/503,200", NULL, 2, DELIVERED, 200, {2000}, 0, ""},
	{"twice 503", "/503,500,204", NULL, 3, DELIVERED, 204, {2000, 4000}, 0, ""},
	{"503, then 404", "/503,404", NULL, 2, FAILED, 404, {2000}, 0, "404"},
	{"retry after 7 s", "/429", "7", 3, FAILED, 429, {7000, 7000}, 0, "429"},
	{"retry after 3 s", "/503", "3", 3, FAILED, 503, {3000, 4000}, 0, "503"},
	{"retry after 0 s", "/429", "0", 3, FAILED, 429, {2000, 4000}, 0, "429"},
	{"past the cap", "/429", "86400", 3, FAILED, 429, {120000, 120000}, 0, "429"},
	{"far past it", "/429", "999999999999999999999", 3, FAILED, 429, {120000, 120000}, 0, ""},
	{"2^64 + 1", "/429", "18446744073709551617", 3, FAILED, 429, {120000, 120000}, 0, ""},
	{"of one answer", "/429,close", "7", 3, FAILED, 0, {7000, 4000}, 0, ""},
	{"a date", "/429,429,200", THAT_DAY("22:13:50"), 3, DELIVERED, 200, {30000, 4000}, 0, ""},
	{"a date far off",
	 "/503",
	 "Wed, 14 Nov 2123 22:13:20 GMT",
	 3,
	 FAILED,
	 503,
	 {120000, 120000},
	 0,
	 "503"},
	{"a date over", "/429,200", THAT_DAY("22:13:19"), 2, DELIVERED, 200, {2000}, 0, ""},
	{"neither", "/429,200", "soon", 2, DELIVERED, 200, {2000}, 0, ""},
	{"not with 404", "/404", "1", 1, FAILED, 404, {0}, 0, "404"},
	{"closed", "/close", NULL, 3, FAILED, 0, {2000, 4000}, 0, "closed before an answer"},
	{"cut once", "/cut,200", NULL, 2, DELIVERED, 200, {2000}, 0, ""},
	{"never answers", "/silent", NULL, 3, FAILED, 0, {2000, 4000}, 10000, "within 10000 ms"},
};

static void
check_behaviour(struct delivery_fixture *fixture, const struct behaviour *row)
{
	const struct recorder *recorder = &fixture->recorder;

	recorder_wait(&fixture->recorder, 1);
	if (recorder->attempts != row->attempts)
		fail_msg("%zu attempts, not %u: %s", recorder->attempts, row->attempts,
			 recorder->outcome_reports[0].error);
	for (size_t i = 0; i < row->attempts; i++) {
		const struct recorded_report *attempt = &recorder->attempt_reports[i];
		bool is_last = i + 1 == row->attempts;

		assert_int_equal(attempt->attempt, i + 1);
		assert_int_equal(attempt->elapsed_ms, row->took_ms);
		assert_int_equal(attempt->outcome, is_last ? row->outcome : HERALD_DELIVERY_AGAIN);
		assert_int_equal(attempt->retry_in_ms, is_last ? 0 : row->delays_ms[i]);
		assert_string_equal(attempt->id, recorder->outcome_reports[0].id);
	}

	const struct recorded_report *outcome = &recorder->outcome_reports[0];
	assert_int_equal(outcome->outcome, row->outcome);
	assert_int_equal(outcome->attempt, row->attempts);
	assert_int_equal(outcome->http_status, row->http_status);
	if (!strstr(outcome->error, row->error))
		fail_msg("the error is \"%s\"", outcome->error);
	assert_int_equal(*outcome->error == '\0', row->outcome == DELIVERED);

	/* The clock moved by the delays and the timeouts only. */
	assert_int_equal(outcome->elapsed_ms,
			 row->delays_ms[0] + row->delays_ms[1] + row->attempts * row->took_ms);
}

static void
test_behaviour(void **state)
{
	struct delivery_fixture *fixture = *state;
	const struct behaviour *row = fixture->server.state;

	fixture->server.state = fixture;
	fixture->server.retry_after = row->retry_after;
	delivery_fixture_start(fixture,
			       HERALD_DELIVERER_OPTIONS(.backoff = HERALD_BACKOFF_NO_JITTER));
	delivery_fixture_submit(fixture, row->url, NULL);
	check_behaviour(fixture, row);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 0);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.outcomes, 1);
}

/* cmocka hands the row over as the state before the setup. */
static int
setup_behaviour(void **state)
{
	void *row = *state;
	int result = setup(state);

	((struct delivery_fixture *)*state)->server.state = row;
	return result;
}

/* Backoff. */

static void
check_delays(void **state, struct herald_deliverer_options options, uint64_t random,
	     const uint64_t *delays_ms, size_t count)
{
	struct delivery_fixture *fixture = *state;

	atomic_store(&fixture->clock.random, random);
	options.attempts = (unsigned)count + 1;
	options.deadline_ms = UINT32_MAX;
	delivery_fixture_start(fixture, options);
	delivery_fixture_submit(fixture, "/500", NULL);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.attempts, count + 1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(fixture->recorder.attempt_reports[i].retry_in_ms, delays_ms[i]);
}

static void
test_fixed_interval_as_in_the_seed(void **state)
{
	check_delays(state, HERALD_DELIVERER_OPTIONS(.backoff = HERALD_BACKOFF_FIXED), 99,
		     (const uint64_t[]){2000, 2000, 2000, 2000}, 4);
}

static void
test_delays_grow_to_the_cap(void **state)
{
	check_delays(state,
		     HERALD_DELIVERER_OPTIONS(.backoff = HERALD_BACKOFF_NO_JITTER,
					      .first_delay_ms = 100, .factor = 3,
					      .max_delay_ms = 2500),
		     99, (const uint64_t[]){100, 300, 900, 2500, 2500}, 5);
}

static void
test_full_jitter(void **state)
{
	/* Random bits modulo the delay and one: 2001, 4001, 8001. */
	check_delays(state, HERALD_DELIVERER_OPTIONS(.attempts = 0), 4001 * 8001,
		     (const uint64_t[]){4001 * 8001 % 2001, 0, 0}, 3);
}

static void
test_jitter_reaches_both_ends(void **state)
{
	check_delays(state, HERALD_DELIVERER_OPTIONS(.attempts = 0), 2000,
		     (const uint64_t[]){2000, 2000}, 2);
}

static void
test_no_attempt_after_the_deadline(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(
		fixture, HERALD_DELIVERER_OPTIONS(.backoff = HERALD_BACKOFF_FIXED, .attempts = 100,
						  .first_delay_ms = 1000, .deadline_ms = 4500));
	delivery_fixture_submit(fixture, "/500", NULL);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.attempts, 5);
	assert_int_equal(fixture->recorder.outcome_reports[0].elapsed_ms, 4000);
	assert_int_equal(fixture->recorder.outcome_reports[0].outcome, FAILED);
}

static void
test_deadline_cuts_an_attempt(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.deadline_ms = 3000));
	delivery_fixture_submit(fixture, "/silent", NULL);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.attempts, 1);
	assert_non_null(strstr(fixture->recorder.outcome_reports[0].error, "within 3000 ms"));
}

static bool
set_socks_proxy(CURL *easy, void *state)
{
	struct delivery_fixture *fixture = state;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "socks5h://127.0.0.1:%u", fixture->server.port);
	return curl_easy_setopt(easy, CURLOPT_PROXY, proxy) == CURLE_OK;
}

static void
test_proxy_that_does_not_connect(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(
		fixture,
		HERALD_DELIVERER_OPTIONS(.transport = CURL_TRANSPORT(.setup = set_socks_proxy,
								     .state = fixture)));
	delivery_fixture_submit(fixture, "http://example.test/200", NULL);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.attempts, 3);
	assert_int_equal(fixture->recorder.outcome_reports[0].outcome, FAILED);
}

/* What the receiver gets. */

static void
test_get_and_its_headers(void **state)
{
	struct delivery_fixture *fixture = *state;
	static const char *const more[] = {"X-Tenant: acme", "X-Team: blue"};
	char url[256], id[96];
	const struct herald_delivery delivery = {
		.url = url,
		.event_type = "user_created",
		.event_id = "evt-1",
		.result = "fail",
		.error = "100% wrong: caf\xc3\xa9\r\nX-Evil: 1",
	};

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(HERALD_HEADERS(more)));
	delivery_fixture_url(fixture, "/503,200?a=b", url, sizeof(url));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 2);

	const char *first = misbehaving_server_text(&fixture->server, 0);
	const char *second = misbehaving_server_text(&fixture->server, 1);
	assert_has(first, "GET /503,200?a=b HTTP/1.1\r\n");
	assert_has(first, "\r\nHerald-Attempt: 1\r\n");
	assert_has(first, "\r\nHerald-Event-Type: user_created\r\n");
	assert_has(first, "\r\nHerald-Event-Id: evt-1\r\n");
	assert_has(first, "\r\nHerald-Result: fail\r\n");
	assert_has(first, "\r\nHerald-Error: 100%25 wrong: caf%C3%A9\\r\\nX-Evil: 1\r\n");
	assert_has(first, "\r\nX-Tenant: acme\r\n");
	assert_has(first, "\r\nX-Team: blue\r\n");
	assert_null(strstr(first, "Content-Type"));
	assert_has(second, "\r\nHerald-Attempt: 2\r\n");
	snprintf(id, sizeof(id), "\r\nHerald-Delivery-Id: %s\r\n",
		 fixture->recorder.outcome_reports[0].id);
	assert_has(first, id);
	assert_has(second, id);
}

/* No value can end its header and begin another one. */
static void
test_values_with_line_ends(void **state)
{
	struct delivery_fixture *fixture = *state;
	char url[256];
	const struct herald_delivery delivery = {
		.url = url,
		.event_type = "type\r\nX-Evil: 1",
		.event_id = "id\nX-Evil: 1\n\nGET / HTTP/1.1",
		.result = "fail\rX-Evil: 1",
		.error = "error\r\n\r\nX-Evil: 1",
	};

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);

	const char *text = misbehaving_server_text(&fixture->server, 0);
	assert_has(text, "\r\nHerald-Event-Type: type\\r\\nX-Evil: 1\r\n");
	assert_has(text, "\r\nHerald-Event-Id: id\\nX-Evil: 1\\n\\nGET / HTTP/1.1\r\n");
	assert_has(text, "\r\nHerald-Result: fail\\rX-Evil: 1\r\n");
	assert_has(text, "\r\nHerald-Error: error\\r\\n\\r\\nX-Evil: 1\r\n");
	assert_null(strstr(text, "\nX-Evil"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void
test_values_that_are_not_there_or_long(void **state)
{
	struct delivery_fixture *fixture = *state;
	char url[256], expected[600], longest[2000];
	const struct herald_delivery delivery = {.url = url, .event_type = longest, .error = ""};

	/* 126 characters of two bytes and the "..." fit into 255. */
	for (size_t i = 0; i + 2 < sizeof(longest); i += 2)
		memcpy(longest + i, "\xc3\xa9", 3);
	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.method = HERALD_DELIVERY_POST));
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);

	const char *text = misbehaving_server_text(&fixture->server, 0);
	assert_null(strstr(text, "Herald-Error"));
	assert_null(strstr(text, "Herald-Result"));
	snprintf(expected, sizeof(expected), "\"event_type\":\"%.252s...\"}", longest);
	assert_has(text, expected);
}

static void
test_post_and_its_body(void **state)
{
	struct delivery_fixture *fixture = *state;
	char url[256], expected[512];
	const struct herald_delivery delivery = {
		.url = url,
		.event_type = "user_created",
		.event_id = "evt-1",
		.result = "fail",
		.error = "the \"name\" is taken",
	};

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.method = HERALD_DELIVERY_POST));
	delivery_fixture_url(fixture, "/500,200", url, sizeof(url));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	for (unsigned i = 0; i < 2; i++) {
		const char *text = misbehaving_server_text(&fixture->server, i);

		assert_has(text, "POST /500,200 HTTP/1.1\r\n");
		assert_has(text, "\r\nContent-Type: application/json\r\n");
		assert_has(text, "\r\nHerald-Result: fail\r\n");
		snprintf(expected, sizeof(expected),
			 "\r\n\r\n{\"delivery_id\":\"%s\",\"attempt\":%u,"
			 "\"event_type\":\"user_created\",\"event_id\":\"evt-1\","
			 "\"result\":\"fail\",\"error\":\"the \\\"name\\\" is taken\"}",
			 fixture->recorder.outcome_reports[0].id, i + 1);
		assert_has(text, expected);
	}
}

static void
test_ids_differ(void **state)
{
	struct delivery_fixture *fixture = *state;

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	delivery_fixture_submit(fixture, "/200", NULL);
	delivery_fixture_submit(fixture, "/200", NULL);
	recorder_wait(&fixture->recorder, 2);
	assert_int_equal(strlen(fixture->recorder.outcome_reports[0].id), 32);
	assert_string_not_equal(fixture->recorder.outcome_reports[0].id,
				fixture->recorder.outcome_reports[1].id);
}

/* Name lookup. */

static void
test_lookup_blocks_nothing(void **state)
{
	struct delivery_fixture *fixture = *state;

	names_block(true);
	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1));
	delivery_fixture_submit(fixture, "http://blocked.test:PORT/200", NULL);
	while (names_waiting() == 0)
		sched_yield();
	delivery_fixture_submit(fixture, "/200", NULL);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.delivered, 1);

	/* Nor does giving up on it. */
	test_clock_advance(&fixture->clock, fixture->deliverer, 10000);
	recorder_wait(&fixture->recorder, 2);
	assert_int_equal(fixture->recorder.failed, 1);
	delivery_fixture_submit(fixture, "http://blocked.test:PORT/200", NULL);
	while (names_waiting() < 2)
		sched_yield();
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 1);
	names_block(false);
	while (names_waiting() > 0)
		sched_yield();
}

#define BEHAVIOUR_TESTS COUNT(behaviours)

int
main(void)
{
	const struct CMUnitTest others[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, delivery_fixture_teardown)
		TEST(test_fixed_interval_as_in_the_seed),
		TEST(test_delays_grow_to_the_cap),
		TEST(test_full_jitter),
		TEST(test_jitter_reaches_both_ends),
		TEST(test_no_attempt_after_the_deadline),
		TEST(test_deadline_cuts_an_attempt),
		TEST(test_proxy_that_does_not_connect),
		TEST(test_get_and_its_headers),
		TEST(test_values_with_line_ends),
		TEST(test_values_that_are_not_there_or_long),
		TEST(test_post_and_its_body),
		TEST(test_ids_differ),
		TEST(test_lookup_blocks_nothing),
	};
	struct CMUnitTest tests[BEHAVIOUR_TESTS + COUNT(others)];

	for (size_t i = 0; i < BEHAVIOUR_TESTS; i++)
		tests[i] = (struct CMUnitTest){
			.name = behaviours[i].name,
			.test_func = test_behaviour,
			.setup_func = setup_behaviour,
			.teardown_func = delivery_fixture_teardown,
			.initial_state = (void *)&behaviours[i],
		};
	memcpy(tests + BEHAVIOUR_TESTS, others, sizeof(others));
	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
