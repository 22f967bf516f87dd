/*
 * The contract, part 13: events in other formats than the envelope. Whatever the framework does
 * with headers, a CloudEvent in binary mode is read from them; answers without a body, batches and
 * the OPTIONS handshake of webhooks are the same everywhere.
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>

#include "support/fake_inbox.h"

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH "Content-Type: application/cloudevents-batch+json\r\n"
#define LINES "Content-Type: application/x-ndjson\r\n"
#define BINARY "Content-Type: application/json\r\nce-specversion: 1.0\r\nce-source: /s\r\n"
#define MEMBER(ID, ACTION)                                                                         \
	"{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/s\",\"type\":\"job\",\"data\":"  \
	"{\"action\":\"" ACTION "\"}}"

struct job {
	const char *action;
};
HERALD_SCHEMA(job, HERALD_FIELD(job, action, .required = true));

static enum herald_verdict
tell(struct herald_context *ctx, const char *text)
{
	text = text ? text : "none";
	return herald_done_text(ctx, 200, NULL, text, strlen(text));
}

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job, struct probe *probe)
{
	atomic_fetch_add(&probe->function_count, 1);
	if (strcmp(job->action, "tell") == 0)
		return tell(ctx, herald_context_subject(ctx));
	if (strcmp(job->action, "token") == 0)
		return tell(ctx, herald_context_attribute(ctx, "?access_token"));
	if (strcmp(job->action, "fail") == 0)
		return herald_fail(ctx, "no");
	if (strcmp(job->action, "later") == 0)
		return herald_retry_after(ctx, 7000, "busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job, probe);

struct fixture {
	struct fake_inbox inbox;
	struct probe probe;
};

/* With a store that has this max_waiting; 0: without a store. */
static void
start(struct fixture *fixture, void **state, size_t max_waiting)
{
	static const char *const origins[] = {"eventgrid.azure.net", NULL};
	static const struct herald_format *const formats[] = {&herald_format_cloudevents,
							      &herald_format_envelope};
	struct probe *probe = &fixture->probe;
	static const char *const attributes[] = {"?access_token", NULL};
	const struct herald_route routes[] = {HERALD_ROUTE("job", job, on_job, probe)};
	struct herald_error error;

	memset(fixture, 0, sizeof(*fixture));
	fake_inbox_init(&fixture->inbox);
	fixture->inbox.answers_at_once = true;
	fixture->inbox.base.max_waiting = max_waiting;
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(
			    HERALD_ROUTES(routes), HERALD_FORMATS(formats),
			    .attributes = attributes,
			    .store = max_waiting > 0 ? fake_inbox_store(&fixture->inbox) : NULL),
		    &probe->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	probe_create_endpoint(
		probe, &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = PROBE_MAX_BODY_BYTES,
						.takes_batches = true, .takes_ndjson = true,
						.ndjson_media_type = "application/cloudevents+json",
						.allowed_origins = origins, .allowed_rate = 120));
	probe->adapter = *state;
	probe->server = probe->adapter->start(probe->endpoint, 1, &probe->port);
	assert_non_null(probe->server);
}

static void
stop(struct fixture *fixture)
{
	probe_stop(&fixture->probe);
	fake_inbox_finish(&fixture->inbox);
}

static void
exchange_at(struct fixture *fixture, const char *method, const char *target, const char *headers,
	    const char *body, struct http_response *out)
{
	struct http_client client;
	char request[4096];

	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s", method, target,
		 headers, strlen(body), body);
	probe_connect(&fixture->probe, &client);
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, out));
	http_close(&client);
}

static void
exchange(struct fixture *fixture, const char *method, const char *headers, const char *body,
	 struct http_response *out)
{
	exchange_at(fixture, method, "/event", headers, body, out);
}

struct row {
	const char *headers, *body;
	unsigned status;
	const char *answer; /* part of it; "": there is no body */
};

static void
check_rows(struct fixture *fixture, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct http_response response;

		exchange(fixture, "POST", rows[i].headers, rows[i].body, &response);
		if (response.status != rows[i].status || !strstr(response.body, rows[i].answer) ||
		    (*rows[i].answer == '\0') != (response.body_bytes == 0))
			fail_msg("%s%s: %u %s", rows[i].headers, rows[i].body, response.status,
				 response.body);
		if (response.body_bytes == 0)
			assert_null(http_header(&response, "Content-Type"));
	}
}

static void
cloudevents_in_each_mode(void **state)
{
	static const struct row rows[] = {
		{STRUCTURED, MEMBER("1", "x"), 204, ""},
		{STRUCTURED, MEMBER("1", "fail"), 400, "{\"error\":\"no\"}"},
		{STRUCTURED, MEMBER("1", "later"), 503, "busy"},
		{BINARY "ce-id: 1\r\nce-type: job\r\n", "{\"action\":\"x\"}", 204, ""},
		/* Names in any case; values encoded, or in quotes. */
		{BINARY "CE-ID: 1\r\nCe-Type: job\r\ncE-sUBJECT: a%20b%e2%82%ac\r\n",
		 "{\"action\":\"tell\"}", 200, "a b\xe2\x82\xac"},
		{BINARY "ce-id: 1\r\nce-type: job\r\nce-subject: \"a b\"\r\n",
		 "{\"action\":\"tell\"}", 200, "a b"},
		{BINARY "ce-type: job\r\n", "{\"action\":\"x\"}", 400, "ce-id"},
		{BINARY "ce-id: 1\r\nce-type: job\r\n", "{\"action\":7}", 400, "/action"},
		{"Content-Type: application/cloudevents+avro\r\n", "x", 415, "error"},
		{"Content-Type: text/plain\r\n", "x", 415, "error"},
		{"Content-Type: application/json\r\n",
		 "{\"event_type\":\"job\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"payload\":{\"action\":\"x\"}}",
		 200, PROBE_SUCCESS},
	};
	struct fixture fixture;

	start(&fixture, state, 0);
	check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
	stop(&fixture);
}

/* Two readers could understand different events. */
static void
repeated_attributes(void **state)
{
	static const struct row rows[] = {
		{BINARY "ce-id: 1\r\nce-type: job\r\nce-id: 2\r\n", "{\"action\":\"x\"}", 400,
		 "ce-id"},
		{BINARY "ce-id: 1\r\nce-type: job\r\nCE-ID: 1\r\n", "{\"action\":\"x\"}", 400,
		 "ce-id"},
	};
	struct fixture fixture;

	start(&fixture, state, 0);
	check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(fixture.probe.function_count, 0);
	stop(&fixture);
}

static void
batches(void **state)
{
	static const struct row rows[] = {
		{BATCH, "[]", 204, ""},
		{BATCH, "[" MEMBER("1", "x") "," MEMBER("2", "x") "]", 204, ""},
		{BATCH, "[" MEMBER("1", "x") "," MEMBER("2", "fail") "]", 400,
		 "\"results\":[{\"index\":1,\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\""},
		{BATCH, "[" MEMBER("1", "later") "]", 503, "\"status\":\"retry\""},
		{BATCH, "[" MEMBER("1", "x"), 400, "error"},
	};
	struct fixture fixture;
	struct http_response response;

	start(&fixture, state, 0);
	check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(fixture.probe.function_count, 5);
	exchange(&fixture, "POST", BATCH, "[" MEMBER("1", "later") "]", &response);
	assert_string_equal(http_header(&response, "Retry-After"), "7");
	stop(&fixture);
}

static void
stored_batches(void **state)
{
	static const struct row rows[] = {
		{STRUCTURED, MEMBER("0", "x"), 202, ""},
		{BATCH, "[" MEMBER("1", "x") "," MEMBER("2", "fail") "]", 202, ""},
		{BATCH, "[" MEMBER("2", "x") ",{}," MEMBER("3", "x") "]", 400,
		 "1 of 3 events were not done"},
	};
	struct fixture fixture;

	start(&fixture, state, 3);
	check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(fixture.inbox.stored_count, 4);
	fixture.inbox.answers_at_once = false;
	fake_inbox_start_committer(&fixture.inbox);
	static const struct row later[] = {
		{BATCH, "[" MEMBER("4", "x") "," MEMBER("5", "x") "," MEMBER("6", "x") "]", 202,
		 ""},
	};
	check_rows(&fixture, later, 1);
	fake_inbox_stop_committer(&fixture.inbox);
	assert_int_equal(fixture.inbox.stored_count, 7);
	stop(&fixture);
}

/* A batch that never has room in the store has a final answer, and nothing of it is stored. */
static void
batch_larger_than_the_store_takes(void **state)
{
	static const struct row rows[] = {
		{BATCH, "[" MEMBER("1", "x") "," MEMBER("2", "x") "," MEMBER("3", "x") "]", 413,
		 "{\"error\":\"expected at most 2 events (max_batch_events), found 3\"}"},
		{BATCH, "[" MEMBER("1", "x") "," MEMBER("2", "x") "]", 202, ""},
	};
	struct fixture fixture;
	struct http_response response;

	start(&fixture, state, 2);
	exchange(&fixture, "POST", BATCH, rows[0].body, &response);
	assert_null(http_header(&response, "Retry-After"));
	check_rows(&fixture, rows, 1);
	assert_int_equal(fixture.inbox.accepts, 0);
	check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(fixture.inbox.stored_count, 2);
	stop(&fixture);
}

/* One event a line, and a verdict for each. */
static void
lines(void **state)
{
	static const struct row rows[] = {
		{LINES, "", 200, ""},
		{LINES, MEMBER("1", "x") "\r\n\n{\n" MEMBER("2", "later") "\n" MEMBER("3", "x"),
		 200,
		 "{\"index\":0,\"source\":\"/s\",\"id\":\"1\",\"status\":\"done\"}\n"
		 "{\"index\":1,\"status\":\"fail\",\"http_status\":400,\"error\":\"expected a "
		 "member's name in quotes, found the end of the input\",\"offset\":1}\n"
		 "{\"index\":2,\"source\":\"/s\",\"id\":\"2\",\"status\":\"retry\","
		 "\"http_status\":503,\"retry_after_ms\":7000,\"error\":\"busy\"}\n"
		 "{\"index\":3,\"source\":\"/s\",\"id\":\"3\",\"status\":\"done\"}\n"},
	};
	struct fixture fixture;
	struct http_response response;

	start(&fixture, state, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		exchange(&fixture, "POST", rows[i].headers, rows[i].body, &response);
		assert_int_equal(response.status, rows[i].status);
		assert_string_equal(response.body, rows[i].answer);
		assert_string_equal(http_header(&response, "Content-Type"), "application/x-ndjson");
	}
	assert_int_equal(fixture.probe.function_count, 3);
	stop(&fixture);
}

static void
stored_lines(void **state)
{
	static const struct row rows[] = {
		{LINES, MEMBER("1", "x") "\n" MEMBER("2", "x") "\n" MEMBER("1", "x"), 200,
		 "{\"index\":0,\"source\":\"/s\",\"id\":\"1\",\"status\":\"accepted\"}\n"
		 "{\"index\":1,\"source\":\"/s\",\"id\":\"2\",\"status\":\"accepted\"}\n"
		 "{\"index\":2,\"source\":\"/s\",\"id\":\"1\",\"status\":\"duplicate\"}\n"},
	};
	struct fixture fixture;

	start(&fixture, state, 3);
	fixture.inbox.answers_at_once = false;
	fake_inbox_start_committer(&fixture.inbox);
	check_rows(&fixture, rows, 1);
	fake_inbox_stop_committer(&fixture.inbox);
	assert_int_equal(fixture.inbox.stored_count, 2);
	stop(&fixture);
}

static void
handshake(void **state)
{
	static const struct {
		const char *headers;
		unsigned status;
		const char *origin, *rate; /* NULL: none */
	} rows[] = {
		{"WebHook-Request-Origin: eventgrid.azure.net\r\n", 204, "eventgrid.azure.net",
		 "120"},
		{"webhook-request-origin: EventGrid.Azure.Net\r\nWEBHOOK-REQUEST-RATE: 50\r\n", 204,
		 "eventgrid.azure.net", "50"},
		{"WebHook-Request-Origin: eventgrid.azure.net\r\n"
		 "WebHook-Request-Callback: https://127.0.0.1:1/x\r\n",
		 204, "eventgrid.azure.net", "120"},
		{"WebHook-Request-Origin: eventgrid.azure.net.evil.example\r\n", 204, NULL, NULL},
		{"Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n", 204, NULL,
		 NULL},
		{"", 204, NULL, NULL},
		{"WebHook-Request-Origin: eventgrid.azure.net\r\nWebHook-Request-Rate: 1e3\r\n",
		 400, NULL, NULL},
	};
	struct fixture fixture;

	start(&fixture, state, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_response response;
		const struct {
			const char *name, *value;
		} expected[] = {
			{"WebHook-Allowed-Origin", rows[i].origin},
			{"WebHook-Allowed-Rate", rows[i].rate},
			{"Access-Control-Allow-Origin", NULL},
		};

		exchange(&fixture, "OPTIONS", rows[i].headers, "", &response);
		assert_int_equal(response.status, rows[i].status);
		assert_string_equal(http_header(&response, "Allow"), "POST, OPTIONS");
		for (size_t n = 0; n < sizeof(expected) / sizeof(expected[0]); n++) {
			const char *found = http_header(&response, expected[n].name);

			if (expected[n].value ? !found || strcmp(found, expected[n].value) != 0
					      : found != NULL)
				fail_msg("%s: %s: %s", rows[i].headers, expected[n].name,
					 found ? found : "none");
		}
	}
	stop(&fixture);
}

/* CloudEvents HTTP Webhooks 1.0 section 3.2: a token may be in the query. */
static void
access_token(void **state)
{
	static const struct {
		const char *target;
		const char *body; /* NULL: refused if the adapter sees the escapes, or "none" */
	} rows[] = {
		{"/event?access_token=s3cret", "s3cret"},
		{"/event?a=1&access_token=a%20b+c%2F%3d&b=2", "a b c/="},
		{"/event?ACCESS_TOKEN=first&access_token=second", "first"},
		{"/event?access_token=", ""},
		{"/event?access_token=a%00b", NULL},
		{"/event?other=1", "none"},
		{"/event?", "none"},
		{"/event", "none"},
	};
	struct fixture fixture;

	start(&fixture, state, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_response response;

		exchange_at(&fixture, "POST", rows[i].target, STRUCTURED "access_token: header\r\n",
			    MEMBER("1", "token"), &response);
		if (!rows[i].body && response.status == 400)
			continue;
		if (response.status != 200 ||
		    strcmp(response.body, rows[i].body ? rows[i].body : "none") != 0)
			fail_msg("%s: %u %s", rows[i].target, response.status, response.body);
	}
	stop(&fixture);
}

const struct contract_http_case contract_http_formats[] = {
	CONTRACT_CASE(cloudevents_in_each_mode, 0),
	CONTRACT_CASE(repeated_attributes, CONTRACT_REPEATED_HEADERS),
	CONTRACT_CASE(batches, 0),
	CONTRACT_CASE(stored_batches, CONTRACT_STORES),
	CONTRACT_CASE(batch_larger_than_the_store_takes, CONTRACT_STORES),
	CONTRACT_CASE(lines, 0),
	CONTRACT_CASE(stored_lines, CONTRACT_STORES),
	CONTRACT_CASE(handshake, 0),
	CONTRACT_CASE(access_token, 0),
};
const size_t contract_http_formats_count =
	sizeof(contract_http_formats) / sizeof(contract_http_formats[0]);
