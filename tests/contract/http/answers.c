/*
 * The contract, part 1: the response to an event. Tests every row of the tables in the
 * documentation, over a socket.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
read_file(const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	size_t bytes = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[bytes] = '\0';
	return strdup(text);
}

static void
seed_event_succeeds(void **state)
{
	struct probe probe;
	struct http_response response;
	char *event = read_file("tests/data/seed_event.json");

	probe_start(&probe, state, NULL);
	probe_exchange(&probe, event, &response);
	probe_assert_answer(&response, 200, "{\"status\":\"success\"}");
	assert_string_equal(http_header(&response, "Content-Type"), "application/json");
	assert_int_equal(probe.before_count, 1);
	assert_int_equal(probe.function_count, 1);
	assert_int_equal(probe.after_count, 1);
	assert_int_equal(probe.after_saw, HERALD_DONE);
	probe_stop(&probe);
	free(event);
}

/* The body's `offset` must be where `at` begins in what was sent, or its end for NULL. */
static void
assert_undecodable(const struct http_response *response, const char *sent, const char *path,
		   const char *at)
{
	char expected[128];

	probe_assert_answer(response, 400, NULL);
	assert_non_null(strstr(response->body, "{\"error\":\""));
	snprintf(expected, sizeof(expected), "\"path\":\"%s\"", path);
	if (!strstr(response->body, expected))
		fail_msg("no %s in %s", expected, response->body);
	snprintf(expected, sizeof(expected), "\"offset\":%zu}",
		 at ? (size_t)(strstr(sent, at) - sent) : strlen(sent));
	if (!strstr(response->body, expected))
		fail_msg("no %s in %s", expected, response->body);
}

static void
undecodable_is_400_with_the_place(void **state)
{
	static const struct {
		const char *body, *path, *at;
	} cases[] = {
		{"nonsense", "", "nonsense"},
		{"[]", "", "[]"},
		{"{\"event_type\":\"user_created\"", "", NULL},
		{"{\"event_type\":\"user_created\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"payload\":{\"user_id\":17,\"username\":\"ada\"}}",
		 "/payload/user_id", "17"},
		{"{\"event_type\":\"user_created\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"payload\":{\"user_id\":\"1\",\"username\":\"\"}}",
		 "/payload/username", "\"\"}"},
		{"{\"event_type\":\"user_created\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"payload\":{\"user_id\":\"1\"}}",
		 "/payload/username", "{\"user_id\""},
		{"{\"event_type\":5,\"timestamp\":\"2024-08-20T05:21:19Z\"}", "/event_type", "5"},
	};
	struct probe probe;
	struct http_response response;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_exchange(&probe, cases[i].body, &response);
		assert_undecodable(&response, cases[i].body, cases[i].path, cases[i].at);
	}
	probe_exchange(&probe, "", &response);
	probe_assert_answer(&response, 400, NULL);
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* What each part of the pipeline does, and the outcome. */
static const struct {
	const char *name, *body;
	unsigned status;
	const char *answer, *retry_after;
	unsigned functions, afters;
	int after_saw;
} verdicts[] = {
	{"done", PROBE_DONE, 200, PROBE_SUCCESS, NULL, 1, 1, HERALD_DONE},
	{"before fails", PROBE_EVENT("ada", "\"before\":\"fail\""), 500,
	 "{\"error\":\"before failed\"}", NULL, 0, 0, -1},
	{"before says retry", PROBE_EVENT("ada", "\"before\":\"retry\""), 503,
	 "{\"error\":\"before is busy\"}", "1", 0, 0, -1},
	{"the function fails", PROBE_EVENT("fail", ""), 500,
	 "{\"error\":\"the function \\\"failed\\\"\"}", NULL, 1, 1, HERALD_FAIL},
	{"after fails", PROBE_EVENT("ada", "\"after\":\"fail\""), 500,
	 "{\"error\":\"after failed\"}", NULL, 1, 1, HERALD_DONE},
	{"function and after fail", PROBE_EVENT("taken", "\"after\":\"fail\""), 409,
	 "{\"error\":\"username taken is taken\"}", NULL, 1, 1, HERALD_FAIL},
	{"retry", PROBE_EVENT("busy", ""), 503, "{\"error\":\"busy\"}", "1", 1, 1, HERALD_RETRY},
	{"retry after 2.5 s", PROBE_EVENT("busy-2500", ""), 503, "{\"error\":\"busy\"}", "3", 1, 1,
	 HERALD_RETRY},
	{"a chosen status", PROBE_EVENT("taken", ""), 409,
	 "{\"error\":\"username taken is taken\"}", NULL, 1, 1, HERALD_FAIL},
};

static void
verdicts_become_statuses(void **state)
{
	for (size_t i = 0; i < HERALD_COUNT(verdicts); i++) {
		struct probe probe;
		struct http_response response;

		probe_start(&probe, state, NULL);
		probe_exchange(&probe, verdicts[i].body, &response);
		probe_assert_answer(&response, verdicts[i].status, verdicts[i].answer);
		assert_string_equal(http_header(&response, "Content-Type"), "application/json");
		const char *retry_after = http_header(&response, "Retry-After");
		if (verdicts[i].retry_after)
			assert_string_equal(retry_after, verdicts[i].retry_after);
		else
			assert_null(retry_after);
		assert_int_equal(probe.before_count, 1);
		assert_int_equal(probe.function_count, verdicts[i].functions);
		assert_int_equal(probe.after_count, verdicts[i].afters);
		assert_int_equal(probe.after_saw, verdicts[i].after_saw);
		probe_stop(&probe);
	}
}

static void
unknown_events_are_404(void **state)
{
	static const char *const bodies[] = {
		"{\"event_type\":\"user_deleted\",\"timestamp\":\"2024-08-20T05:21:19Z\"}",
		"{\"event_type\":\"versioned\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"metadata\":{\"version\":\"3\"}}",
	};
	struct probe probe;
	struct http_response response;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(bodies); i++) {
		probe_exchange(&probe, bodies[i], &response);
		probe_assert_answer(&response, 404, NULL);
		assert_memory_equal(response.body, "{\"error\":\"", 10);
	}
	assert_int_equal(probe.function_count, 0);
	probe_stop(&probe);
}

/* How many requests without a length a connection takes, up to 2. */
static int
rounds(const struct probe *probe)
{
	return probe_reuses_refused(probe) && (probe->adapter->capabilities & CONTRACT_SEES_HEADS)
		       ? 2
		       : 1;
}

static void
other_methods_are_405(void **state)
{
	static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "PATCH"};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(methods); i++) {
		struct http_client client;
		struct http_response response;
		char request[128];
		bool has_body = strcmp(methods[i], "HEAD") != 0;

		snprintf(request, sizeof(request), "%s /event HTTP/1.1\r\nHost: test\r\n\r\n",
			 methods[i]);
		probe_connect(&probe, &client);
		/* Twice: there was no body, so the connection stays open. */
		for (int round = 0; round < rounds(&probe); round++) {
			assert_true(http_send_text(&client, request));
			assert_true(http_receive(&client, has_body, &response));
			probe_assert_answer(&response, 405, NULL);
			assert_string_equal(http_header(&response, "Allow"), "POST, OPTIONS");
			assert_true(!has_body || strstr(response.body, "{\"error\":"));
		}
		http_close(&client);
	}
	probe_stop(&probe);
}

/* What an event's path accepts (RFC 9110 section 9.3.7); a body that comes with it is dropped. */
static void
options_is_204(void **state)
{
	static const char *const requests[] = {
		"OPTIONS /event HTTP/1.1\r\nHost: test\r\n\r\n",
		"OPTIONS /event?a=b HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain\r\n"
		"Content-Length: 5\r\n\r\nhello",
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(requests); i++) {
		struct http_client client;
		struct http_response response;

		probe_connect(&probe, &client);
		for (int round = 0; round < rounds(&probe); round++) {
			assert_true(http_send_text(&client, requests[i]));
			assert_true(http_receive(&client, true, &response));
			probe_assert_answer(&response, 204, "");
			assert_string_equal(http_header(&response, "Allow"), "POST, OPTIONS");
			assert_null(http_header(&response, "Content-Type"));
			assert_null(http_header(&response, "Content-Length"));
		}
		http_close(&client);
	}
	assert_int_equal(probe.before_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
content_types(void **state)
{
	static const struct {
		const char *header;
		unsigned status;
	} cases[] = {
		{"Content-Type: application/json\r\n", 200},
		{"Content-Type: application/json; charset=utf-8\r\n", 200},
		{"content-type: Application/JSON;q=\"a,b\"\r\n", 200},
		{"Content-Type: application/cloudevents+json\r\n", 200},
		{"Content-Type: application/vnd.shop.v2+json; charset=utf-8\r\n", 200},
		{"Content-Type: text/plain\r\n", 415},
		{"Content-Type: application/x-www-form-urlencoded\r\n", 415},
		{"Content-Type: application/jsonx\r\n", 415},
		{"Content-Type: json\r\n", 415},
		{"Content-Type: text/plain; a=application/json\r\n", 415},
		{"Content-Type:\r\n", 415},
		{"", 415},
	};
	struct probe probe;

	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct http_client client;
		char request[1024];

		snprintf(request, sizeof(request),
			 "POST /event HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
			 cases[i].header, strlen(PROBE_DONE), PROBE_DONE);
		probe_connect(&probe, &client);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, cases[i].status, NULL);
		http_close(&client);
	}
	probe_stop(&probe);
}

/* Handlers see the headers that they ask for, of this request and not of the previous one. */
static void
handlers_see_headers(void **state)
{
	static const char event[] = PROBE_EVENT("ada", "\"before\":\"tell\"");
	static const struct {
		const char *before_host, *headers, *seen;
	} cases[] = {
		{"", "X-Team: blue\r\nContent-Type: application/json\r\n",
		 "blue, application/json, none"},
		{"", "Content-Type: application/json\r\n", "none, application/json, none"},
		{"",
		 "x-TEAM:  a \\b, \"c\"  \r\ncontent-type: application/json; charset=utf-8\r\n"
		 "X-Other: not asked for\r\n",
		 "a \\\\b, \\\"c\\\", application/json; charset=utf-8, none"},
		{"", "X-Teams: red\r\nContent-Type: application/json\r\nX-Tea: m\r\n",
		 "none, application/json, none"},
		{"X-Team: first\r\n", "Content-Type: application/json\r\n",
		 "first, application/json, none"},
	};
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (size_t i = 0; i < 2 * HERALD_COUNT(cases); i++) {
		char request[1024], answer[256];

		snprintf(request, sizeof(request),
			 "POST /event HTTP/1.1\r\n%sHost: test\r\n%sContent-Length: %zu\r\n\r\n%s",
			 cases[i / 2].before_host, cases[i / 2].headers, strlen(event), event);
		snprintf(answer, sizeof(answer), "{\"error\":\"%s\"}", cases[i / 2].seen);
		assert_true(http_send_text(&client, request));
		probe_assert_next(&client, 422, answer);
		probe_next(&probe, &client);
	}
	http_close(&client);
	probe_stop(&probe);
}

static void
query_strings_are_ignored(void **state)
{
	struct probe probe;
	struct http_client client;
	char request[1024];

	probe_start(&probe, state, NULL);
	snprintf(request, sizeof(request),
		 "POST /event?source=a&b HTTP/1.1\r\nHost: test\r\n"
		 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(PROBE_DONE), PROBE_DONE);
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, request));
	probe_assert_next(&client, 200, PROBE_SUCCESS);
	http_close(&client);
	probe_stop(&probe);
}

static void
errors_can_be_hidden(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *secret;
	} cases[] = {
		{PROBE_EVENT("taken", ""), 409, "username"},
		{PROBE_EVENT("fail", ""), 500, "failed"},
		{PROBE_EVENT("busy", ""), 503, "busy"},
		{"{\"event_type\":\"nothing\"}", 400, "timestamp"},
		{"nonsense", 400, "offset"},
		{"{\"event_type\":\"secret\",\"timestamp\":\"2024-08-20T05:21:19Z\"}", 404,
		 "secret"},
	};
	struct probe probe;
	struct http_response response;

	probe_start(&probe, state, &HERALD_ENDPOINT_OPTIONS(.hide_errors = true));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		probe_exchange(&probe, cases[i].body, &response);
		probe_assert_answer(&response, cases[i].status, NULL);
		assert_memory_equal(response.body, "{\"error\":\"", 10);
		assert_null(strstr(response.body, cases[i].secret));
		assert_null(strstr(response.body, "\"path\""));
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

/* On the same connection, where it is kept. A user's own response may close it. */
static void
assert_exchange(const struct probe *probe, struct http_client *client, bool is_event)
{
	struct http_response response;
	const char *connection;

	if (is_event)
		assert_true(probe_post(client, PROBE_DONE));
	else
		assert_true(http_send_text(client, "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"));
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, 200, is_event ? PROBE_SUCCESS : "hello");
	connection = is_event ? NULL : http_header(&response, "Connection");
	if (!probe_keeps_alive(probe) || (connection && strcmp(connection, "close") == 0)) {
		http_close(client);
		probe_connect(probe, client);
	}
}

static void
own_routes_next_to_events(void **state)
{
	struct probe probe;
	struct http_client client;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	for (int i = 0; i < 4; i++)
		assert_exchange(&probe, &client, i % 2 != 0);
	http_close(&client);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_answers[] = {
	CONTRACT_CASE(seed_event_succeeds, 0),
	CONTRACT_CASE(undecodable_is_400_with_the_place, 0),
	CONTRACT_CASE(verdicts_become_statuses, 0),
	CONTRACT_CASE(unknown_events_are_404, 0),
	CONTRACT_CASE(other_methods_are_405, 0),
	CONTRACT_CASE(options_is_204, 0),
	CONTRACT_CASE(content_types, 0),
	CONTRACT_CASE(handlers_see_headers, 0),
	CONTRACT_CASE(query_strings_are_ignored, 0),
	CONTRACT_CASE(errors_can_be_hidden, 0),
	CONTRACT_CASE(own_routes_next_to_events, CONTRACT_OWN_ROUTES),
};
const size_t contract_http_answers_count = HERALD_COUNT(contract_http_answers);
