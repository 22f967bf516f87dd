/*
 * Events one a line: a verdict for each, in order, and what is refused as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>
#include <jansson.h>

#include "http/batching.h"

#define NDJSON "application/x-ndjson"
#define JOB(ID, DO)                                                                                \
	"{\"event_type\":\"do\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"metadata\":{\"id\":\"" ID \
	"\"},\"payload\":{\"action\":\"" DO "\"}}"
#define TAKES_LINES .takes_ndjson = true

static struct posted_answer
post_as(struct fixture *fixture, const char *type, const char *body)
{
	trace[0] = '\0';
	posted_bytes = strlen(body);
	return post(fixture->endpoint,
		    &(struct posted){.headers = HEADERS("Content-Type", type), .body = body});
}

struct example {
	const char *body;
	unsigned status;
	const char *answer, *trace;
};

static void
check_examples(struct fixture *fixture, const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct posted_answer answer = post_as(fixture, NDJSON, examples[i].body);

		if (answer.status != examples[i].status ||
		    strcmp(answer.body, examples[i].answer) != 0 ||
		    strcmp(trace, examples[i].trace) != 0 || strstr(answer.headers, "X-Own") ||
		    (answer.status == 200) !=
			    !!strstr(answer.headers, "Content-Type: " NDJSON "\n"))
			fail_msg("example %zu: %u %s\n%s%s", i, answer.status, answer.body,
				 answer.headers, trace);
	}
}

static void
test_verdicts(void **state)
{
	static const struct example examples[] = {
		{"", 200, "", "receive"},
		{"\r\n\n", 200, "", "receive"},
		{JOB("1", "x"), 200, "{\"index\":0,\"id\":\"1\",\"status\":\"done\"}\n",
		 "receive 1"},
		{JOB("1", "x") "\r\n\r\n" JOB("2", "answer") "\n\n" JOB("3", "fail") "\n" JOB(
			 "4", "409") "\n" JOB("5", "later") "\n" JOB("6", "retry") "\n",
		 200,
		 "{\"index\":0,\"id\":\"1\",\"status\":\"done\"}\n"
		 "{\"index\":1,\"id\":\"2\",\"status\":\"done\",\"http_status\":201}\n"
		 "{\"index\":2,\"id\":\"3\",\"status\":\"fail\",\"http_status\":500,"
		 "\"error\":\"no \\\"stock\\\"\"}\n"
		 "{\"index\":3,\"id\":\"4\",\"status\":\"fail\",\"http_status\":409,"
		 "\"error\":\"taken\"}\n"
		 "{\"index\":4,\"id\":\"5\",\"status\":\"retry\",\"http_status\":503,"
		 "\"retry_after_ms\":7000,\"error\":\"very busy\"}\n"
		 "{\"index\":5,\"id\":\"6\",\"status\":\"retry\",\"http_status\":503,"
		 "\"retry_after_ms\":1000,\"error\":\"busy\"}\n",
		 "receive 1 2 3 4 5 6"},
		/* Lines that are not valid, and events without a route. */
		{"{\n7\n{\"event_type\":\"do\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		 "\"payload\":{\"action\":7}}\n" EVENT("none", "{}") "\n" JOB("5", "x"),
		 200,
		 "{\"index\":0,\"status\":\"fail\",\"http_status\":400,\"error\":\"expected a "
		 "member's name in quotes, found the end of the input\",\"offset\":1}\n"
		 "{\"index\":1,\"status\":\"fail\",\"http_status\":400,\"error\":\"expected an "
		 "object, found a number\",\"offset\":0}\n"
		 "{\"index\":2,\"status\":\"fail\",\"http_status\":400,\"error\":\"action: "
		 "expected a string, found a number\",\"path\":\"/payload/action\",\"offset\":74}\n"
		 "{\"index\":3,\"status\":\"fail\",\"http_status\":404,\"error\":\"no route for "
		 "event type \\\"none\\\"\",\"path\":\"/event_type\"}\n"
		 "{\"index\":4,\"id\":\"5\",\"status\":\"done\"}\n",
		 "receive 5"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES), false);
	check_examples(&fixture, examples, COUNT(examples));
	end(&fixture);
}

/* What is refused as a whole: nothing has run. */
static void
test_refused(void **state)
{
	static const struct {
		const char *type, *body;
		unsigned status;
		const char *answer;
	} all[] = {
		{NDJSON, JOB("1", "x") "\n" JOB("2", "x") "\n\n" JOB("3", "x"), 413,
		 "expected at most 2 events (max_batch_events), found 3"},
		{NDJSON, "{ " JOB("1", "x"), 401, "bad signature"},
		{NDJSON, "{  " JOB("1", "x"), 503, "come back"},
		{"application/x-ndjson-2", "{}", 415,
		 "expected Content-Type application/cloudevents+json or "
		 "application/cloudevents-batch+json or application/json or application/x-ndjson"},
		/* Not a batch either. */
		{BATCH_TYPE, "[]", 415, "batches are not accepted here"},
	};
	struct fixture fixture;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES, .max_batch_events = 2),
		      has_store);
		for (size_t i = 0; i < COUNT(all); i++) {
			const struct posted_answer answer =
				post_as(&fixture, all[i].type, all[i].body);

			if (answer.status != all[i].status || !strstr(answer.body, all[i].answer) ||
			    strchr(trace, ' '))
				fail_msg("%zu: %u %s %s", i, answer.status, answer.body, trace);
		}
		assert_int_equal(fixture.inbox.accepts, 0);
		end(&fixture);
	}
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), false);
	assert_int_equal(post_as(&fixture, NDJSON, "{}").status, 415);
	end(&fixture);
}

static void
test_types_and_formats(void **state)
{
	static const char *const types[] = {"application/x-ndjson", "application/NDJSON",
					    "application/jsonl; charset=utf-8"};
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES), false);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_string_equal(post_as(&fixture, types[i], JOB("1", "x")).body,
				    "{\"index\":0,\"id\":\"1\",\"status\":\"done\"}\n");
	end(&fixture);

	begin(&fixture,
	      &HERALD_ENDPOINT_OPTIONS(TAKES_LINES,
				       .ndjson_media_type = "application/cloudevents+json"),
	      false);
	assert_string_equal(post_as(&fixture, NDJSON, MEMBER("1", "x") "\n" JOB("2", "x")).body,
			    "{\"index\":0,\"source\":\"/s\",\"id\":\"1\",\"status\":\"done\"}\n"
			    "{\"index\":1,\"status\":\"fail\",\"http_status\":400,\"error\":"
			    "\"event_type is not a valid attribute name: expected a-z and 0-9 "
			    "only\",\"path\":\"/event_type\",\"offset\":1}\n");
	end(&fixture);
}

/* A line does not have the headers of a CloudEvent in binary mode: with them, every line would be
 * the same event. With a store, they do not come back later either. */
static void
test_binary_headers(void **state)
{
	static const char body[] = JOB("1", "x") "\n" JOB("2", "x");
	struct fixture fixture;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES), has_store);
		trace[0] = '\0';
		posted_bytes = strlen(body);
		const struct posted_answer answer = post(
			fixture.endpoint,
			&(struct posted){.headers = HEADERS("Content-Type", NDJSON,
							    "CE-SpecVersion", "1.0", "ce-id", "7",
							    "ce-source", "/s", "ce-type", "do"),
					 .body = body});
		const char *done = has_store ? "accepted" : "done";
		char expected[128];

		snprintf(expected, sizeof(expected),
			 "{\"index\":0,\"id\":\"1\",\"status\":\"%s\"}\n"
			 "{\"index\":1,\"id\":\"2\",\"status\":\"%s\"}\n",
			 done, done);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body, expected);
		end(&fixture);
	}
}

/* Media types of lines that no format can take are refused at once. What depends on a header of the
 * request is refused when that is missing. */
static void
test_line_formats(void **state)
{
	enum { DAPR, HEADER_WEBHOOK };
	const struct herald_format *made[2];
	const struct {
		const struct herald_format *formats[2];
		const char *media_type, *problem; /* NULL: it is accepted */
	} all[] = {
		{{&herald_format_cloudevents},
		 NULL,
		 "no format of the service takes lines of "
		 "application/json"},
		{{&herald_format_cloudevents},
		 "text/csv",
		 "no format of the service takes lines "
		 "of text/csv"},
		{{&herald_format_cloudevents}, "application/cloudevents+json", NULL},
		{{&herald_format_cloudevents},
		 BATCH_TYPE,
		 "the format cloudevents takes " BATCH_TYPE
		 " for a batch, which cannot be in a line"},
		{{&herald_format_cloudevents, &herald_format_envelope}, NULL, NULL},
		{{NULL, &herald_format_envelope},
		 NULL,
		 "the format cloudevents takes application/json for a batch, which cannot be in a "
		 "line"},
		{{NULL, &herald_format_envelope}, "application/cloudevents+json", NULL},
		{{&herald_format_envelope}, NULL, NULL},
	};
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.dapr_bulk = true),
						   &made[DAPR], NULL),
			 HERALD_OK);
	assert_int_equal(
		herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Type"}),
				      &made[HEADER_WEBHOOK], NULL),
		HERALD_OK);
	for (size_t i = 0; i < COUNT(all); i++) {
		const struct herald_format *const both[] = {
			all[i].formats[0] ? all[i].formats[0] : made[DAPR], all[i].formats[1]};
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .formats = both, .formats_count = both[1] ? 2 : 1));
		struct herald_endpoint *endpoint = NULL;
		enum herald_status status = herald_endpoint_create(
			service,
			&HERALD_ENDPOINT_OPTIONS(TAKES_LINES,
						 .ndjson_media_type = all[i].media_type),
			&endpoint, &error);

		if ((status == HERALD_OK) != !all[i].problem)
			fail_msg("%zu: %d", i, status);
		if (all[i].problem) {
			assert_string_equal(error.path, "ndjson_media_type");
			assert_non_null(strstr(error.message, all[i].problem));
		}
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
	}

	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .formats = &made[HEADER_WEBHOOK], .formats_count = 1));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES));
	struct posted posted = {.headers = HEADERS("Content-Type", NDJSON, "X-Type", "do"),
				.body = "{\"action\":\"x\"}"};
	assert_string_equal(post(endpoint, &posted).body, "{\"index\":0,\"status\":\"done\"}\n");
	posted.headers = HEADERS("Content-Type", NDJSON);
	const struct posted_answer answer = post(endpoint, &posted);
	assert_int_equal(answer.status, 415);
	assert_string_equal(answer.body,
			    "{\"error\":\"the lines, which are application/json, are in no format "
			    "of the service: a header is missing\"}");
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(made[DAPR]);
	herald_format_destroy(made[HEADER_WEBHOOK]);
}

/* The bytes of a request, for handlers with `rejected`. */

static void
note_rejected(struct herald_handler *handler, struct herald_context *ctx,
	      const struct herald_rejection *rejection)
{
	(void)handler;
	(void)ctx;
	note("rejected %zu", rejection->bytes);
}

static const struct herald_handler_ops rejected_ops = {
	.struct_size = sizeof(rejected_ops), .name = "rejected", .rejected = note_rejected};

/* Lines need no copy of all of them, so they may be larger than the memory of one event. A batch
 * that is one JSON text needs it: there it is too large, and not wrong. */
static void
test_larger_than_an_arena(void **state)
{
	enum { EVENTS = 100, ARENA_BYTES = 6000 };
	static char lines[EVENTS * 256], batch[EVENTS * 256];
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct herald_handler handler = {.ops = &rejected_ops};
	struct herald_handler *handlers[] = {&handler};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
					HERALD_HANDLERS(handlers), .max_arena_bytes = ARENA_BYTES));
	struct herald_endpoint *endpoint = create_endpoint(
		service, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES, .takes_batches = true));
	struct posted_answer answer;
	char expected[64];

	(void)state;
	lines[0] = '\0';
	strcpy(batch, "[");
	for (int i = 0; i < EVENTS; i++) {
		strcat(lines, JOB("1", "x") "\n");
		strcat(batch, i > 0 ? "," MEMBER("1", "x") : MEMBER("1", "x"));
	}
	strcat(lines, "{}");
	strcat(batch, "]");
	assert_true(strlen(lines) > ARENA_BYTES);
	assert_true(strlen(batch) > ARENA_BYTES);

	trace[0] = '\0';
	answer = post(endpoint,
		      &(struct posted){.headers = HEADERS("Content-Type", NDJSON), .body = lines});
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "{\"index\":99,\"id\":\"1\",\"status\":\"done\"}\n"
					    "{\"index\":100,\"status\":\"fail\""));
	assert_non_null(strstr(trace, "rejected 2"));

	trace[0] = '\0';
	answer = post(endpoint, &(struct posted){.headers = HEADERS("Content-Type", BATCH_TYPE),
						 .body = batch});
	assert_int_equal(answer.status, 413);
	assert_string_equal(answer.body,
			    "{\"error\":\"the batch needs more than 6000 bytes of memory: send "
			    "fewer events at once\"}");
	snprintf(expected, sizeof(expected), "rejected %zu", strlen(batch));
	assert_string_equal(trace, expected);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

static void
test_hidden_errors(void **state)
{
	static const struct example examples[] = {
		{"{\n" JOB("2", "fail"), 200,
		 "{\"index\":0,\"status\":\"fail\",\"http_status\":400}\n"
		 "{\"index\":1,\"id\":\"2\",\"status\":\"fail\",\"http_status\":500}\n",
		 "receive 2"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES, .hide_errors = true), false);
	check_examples(&fixture, examples, COUNT(examples));
	end(&fixture);
}

static void
test_options(void **state)
{
	static const struct {
		struct herald_endpoint_options options;
		const char *path;
	} all[] = {
		{{.ndjson_media_type = "text/plain"}, "ndjson_media_type"},
		{{TAKES_LINES, .ndjson_media_type = "plain"}, "ndjson_media_type"},
		{{TAKES_LINES, .multi_status = true}, "multi_status"},
		{{TAKES_LINES, .max_batch_events = 100001}, "max_batch_events"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, NULL, false);
	for (size_t i = 0; i < COUNT(all); i++) {
		struct herald_endpoint_options options = all[i].options;
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(
			herald_endpoint_create(fixture.service, &options, &endpoint, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, all[i].path);
	}
	end(&fixture);
}

/* Answers of functions: JSON is in the line, and nothing else. */

struct asked {
	const char *type, *body;
};
HERALD_SCHEMA(asked, HERALD_FIELD(asked, type, .required = true),
	      HERALD_FIELD(asked, body, .required = true));

static enum herald_verdict
on_asked(struct herald_context *ctx, const struct asked *asked)
{
	if (strcmp(asked->type, "struct") == 0)
		return HERALD_DONE_JSON(ctx, 202, asked, asked);
	return herald_done_text(ctx, 200, asked->type, asked->body, strlen(asked->body));
}
HERALD_FUNCTION(on_asked, asked);

#define ASKED(TYPE, BODY) EVENT("asked", "{\"type\":\"" TYPE "\",\"body\":\"" BODY "\"}")

static struct posted_answer
post_asked(size_t max_answer_bytes, const char *body)
{
	const struct herald_route routes[] = {HERALD_ROUTE("asked", asked, on_asked, NULL)};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .max_answer_bytes = max_answer_bytes));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES));
	const struct posted_answer answer =
		post(endpoint,
		     &(struct posted){.headers = HEADERS("Content-Type", NDJSON), .body = body});

	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return answer;
}

static void
test_answers_of_functions(void **state)
{
	static const char body[] = ASKED("struct", "b") "\n" ASKED(
		"application/json",
		"[1,\\r\\n \\\"a\\\\n\\\"]\\n") "\n" ASKED("application/problem+json",
							   "{\\\"a\\\":}") "\n" ASKED("text/"
										      "plain",
										      "1");

	(void)state;
	assert_string_equal(post_asked(0, body).body,
			    "{\"index\":0,\"status\":\"done\",\"http_status\":202,\"answer\":"
			    "{\"type\":\"struct\",\"body\":\"b\"}}\n"
			    "{\"index\":1,\"status\":\"done\",\"http_status\":200,\"answer\":[1,   "
			    "\"a\\n\"] }\n"
			    "{\"index\":2,\"status\":\"done\",\"http_status\":200}\n"
			    "{\"index\":3,\"status\":\"done\",\"http_status\":200}\n");
}

/* Beyond max_answer_bytes there are short lines, but a line for each event. */
static void
test_omitted(void **state)
{
	enum { EVENTS = 40 };
	static char body[EVENTS * 200];
	char expected[64];

	(void)state;
	body[0] = '\0';
	for (int i = 0; i < EVENTS; i++)
		strcat(body, ASKED("struct", "0123456789012345678901234567890123456789") "\n");
	const struct posted_answer answer = post_asked(100, body);
	const char *at = answer.body;
	int omitted = 0;

	for (int i = 0; i < EVENTS; i++, at = strchr(at, '\n') + 1) {
		snprintf(expected, sizeof(expected), "{\"index\":%d,\"status\":\"done\",", i);
		assert_memory_equal(at, expected, strlen(expected));
		omitted += strncmp(at + strlen(expected), "\"omitted\":true}\n", 16) == 0;
	}
	assert_string_equal(at, "");
	assert_in_range(omitted, 1, EVENTS - 1);
}

/* A store. */

static void
note_done(void *state)
{
	(void)state;
	note("stored");
}

static void
test_stored(void **state)
{
	struct fixture fixture;
	const struct posted posted = {
		.headers = HEADERS("Content-Type", NDJSON),
		.body = JOB("1", "x") "\n{}\n" JOB("2", "fail") "\n" JOB("3", "x"),
	};
	struct posted_answer answer;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES), true);
	fixture.inbox.answers_at_once = false;
	posted_bytes = strlen(posted.body);
	struct herald_http_request *request = posting_begin(fixture.endpoint, &posted);
	assert_null(herald_http_request_finish_async(request, note_done, NULL));
	assert_string_equal(trace, "receive");
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 3);
	assert_string_equal(trace, "receive stored");
	posting_end(request, &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(
		answer.body,
		"{\"index\":0,\"id\":\"1\",\"status\":\"accepted\"}\n"
		"{\"index\":1,\"status\":\"fail\",\"http_status\":400,\"error\":\"event_type is "
		"required, but missing\",\"path\":\"/event_type\",\"offset\":0}\n"
		"{\"index\":2,\"id\":\"2\",\"status\":\"accepted\"}\n"
		"{\"index\":3,\"id\":\"3\",\"status\":\"accepted\"}\n");
	assert_string_equal(fixture.inbox.stored[1].content_type, "application/json");
	assert_string_equal(fixture.inbox.stored[1].data, JOB("2", "fail"));

	fixture.inbox.answers_at_once = true;
	assert_string_equal(post_as(&fixture, NDJSON, JOB("1", "x")).body,
			    "{\"index\":0,\"id\":\"1\",\"status\":\"duplicate\"}\n");
	fixture.inbox.accept_status = HERALD_LIMIT;
	assert_string_equal(post_as(&fixture, NDJSON, JOB("9", "x")).body,
			    "{\"index\":0,\"id\":\"9\",\"status\":\"retry\",\"http_status\":503,"
			    "\"retry_after_ms\":1000,\"error\":\"the fake store says no\"}\n");
	end(&fixture);
}

/* Memory: an event that has run has its line, whichever allocation fails. */

static size_t
count_lines(const char *body)
{
	size_t count = 0;

	for (; (body = strchr(body, '\n')); body++)
		count++;
	return count;
}

static bool
check_without_memory(size_t fail_at, bool has_store)
{
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct failing_allocator memory;
	struct posted_answer answer;
	struct fake_inbox inbox;

	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = memory.allocator,
					.store = has_store ? fake_inbox_store(&inbox) : NULL));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(TAKES_LINES));
	struct herald_http_request *request = posting_begin(
		endpoint, &(struct posted){.headers = HEADERS("Content-Type", NDJSON),
					   .body = JOB("1", "x") "\n{}\n" JOB("2", "fail")});
	trace[0] = '\0';
	memory.mode = FAIL_ONLY;
	memory.fail_at = memory.calls + fail_at;
	posting_end(request, &answer);
	memory.mode = FAIL_NEVER;
	if (answer.status == 200) {
		assert_int_equal(count_lines(answer.body), 3);
	} else {
		assert_int_equal(answer.status, 503);
		assert_string_equal(trace, "");
		assert_int_equal(inbox.stored_count, 0);
	}
	bool is_reached = memory.failures > 0;
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
	assert_all_released(&memory);
	return is_reached;
}

static void
test_without_memory(void **state)
{
	size_t n;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		for (n = 1; check_without_memory(n, has_store); n++)
			;
		assert_true(n > 4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_verdicts, events_setup),
		cmocka_unit_test_setup(test_refused, events_setup),
		cmocka_unit_test_setup(test_types_and_formats, events_setup),
		cmocka_unit_test_setup(test_binary_headers, events_setup),
		cmocka_unit_test_setup(test_line_formats, events_setup),
		cmocka_unit_test_setup(test_larger_than_an_arena, events_setup),
		cmocka_unit_test_setup(test_hidden_errors, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_answers_of_functions, events_setup),
		cmocka_unit_test_setup(test_omitted, events_setup),
		cmocka_unit_test_setup(test_stored, events_setup),
		cmocka_unit_test_setup(test_without_memory, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
