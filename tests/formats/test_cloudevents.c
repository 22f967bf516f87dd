/*
 * CloudEvents as a format of a service: what functions see of an event, versions, answers, the
 * requests of tests/data/interop/receive_cases.jsonl, and memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/herald.h>

#include "support/cloudevents.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_inbox.h"
#include "support/posting.h"

#define BINARY(...)                                                                                \
	HEADERS("ce-specversion", "1.0", "Ce-Id", "1", "CE-SOURCE", "/s", "ce-type", __VA_ARGS__)
#define STRUCTURED HEADERS("Content-Type", "application/cloudevents+json; charset=UTF-8")
#define EVENT_OF(TYPE, REST)                                                                       \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"" TYPE "\"" REST "}"

static const struct herald_format *const formats[] = {&herald_format_cloudevents,
						      &herald_format_envelope};

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

/* "id/source/subject/version@time key=text:json ..." */
static void
note_event(struct herald_context *ctx)
{
	const struct herald_json_map *metadata = &herald_context_message(ctx)->metadata;
	const struct herald_time *time = herald_context_time(ctx);
	char text[HERALD_TIME_TEXT_BYTES] = "none";

	if (time)
		herald_time_format(time, text);
	note("%s/%s/%s/%s@%s", herald_context_id(ctx), herald_context_source(ctx),
	     herald_context_subject(ctx), herald_context_version(ctx), text);
	for (size_t i = 0; i < metadata->count; i++) {
		const struct herald_json_pair *pair = &metadata->pairs[i];

		note("%s=%s:%.*s", pair->key, pair->text ? pair->text : "NULL",
		     (int)pair->json.bytes, pair->json.data ? pair->json.data : "");
	}
}

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	note_event(ctx);
	note("%s", user->name);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user);

static enum herald_verdict
on_any(struct herald_context *ctx, const struct herald_data *data)
{
	(void)ctx;
	note("%s:%zu", data->content_type ? data->content_type : "NULL", data->bytes);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_any, herald_data);

static enum herald_verdict
on_told(struct herald_context *ctx, const struct herald_json *json)
{
	const char *what = herald_context_subject(ctx);

	(void)json;
	if (strcmp(what, "fail") == 0)
		return herald_fail(ctx, "no");
	if (strcmp(what, "409") == 0)
		return herald_fail_status(ctx, 409, "no");
	if (strcmp(what, "retry") == 0)
		return herald_retry(ctx, "busy");
	if (strcmp(what, "text") == 0)
		return herald_done_text(ctx, 200, "text/plain", "hi", 2);
	if (strcmp(what, "status") == 0)
		return herald_done_status(ctx, 201);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_told, herald_json);

static enum herald_verdict
note_type(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	(void)state;
	note("%s %s", herald_context_message(ctx)->event_type, herald_context_version(ctx));
	return HERALD_DONE;
}

static const struct herald_route routes[] = {
	HERALD_ROUTE("user", user, on_user, NULL),
	HERALD_ROUTE("any", herald_data, on_any, NULL),
	HERALD_ROUTE("told", herald_json, on_told, NULL),
};

struct fixture {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

static struct fixture
begin(const struct herald_service_options *service, const struct herald_endpoint_options *endpoint)
{
	struct fixture fixture = {.service = create_service(service)};

	fixture.endpoint = create_endpoint(fixture.service, endpoint);
	return fixture;
}

static void
end(struct fixture *fixture)
{
	herald_endpoint_destroy(fixture->endpoint);
	herald_service_destroy(fixture->service);
}

static void
test_events(void **state)
{
	const struct {
		const char *const *headers;
		const char *body;
		unsigned status;
		const char *trace, *answer;
	} cases[] = {
		{STRUCTURED,
		 EVENT_OF("user",
			  ",\"subject\":\"x\",\"time\":\"2024-08-20T05:21:19+02:00\","
			  "\"data\":{\"name\":\"ada\"},\"n\":5,\"b\":true,\"version\":\"9\","
			  "\"dataschema\":\"#\""),
		 204,
		 "1//s/x/@2024-08-20T05:21:19+02:00 id=1: source=/s: subject=x: dataschema=#: "
		 "n=5:5 "
		 "b=true:true version=9: ada",
		 ""},
		{BINARY("user", "ce-subject", "a%20b", "Ce-N", "5", "Content-Type",
			"application/json"),
		 "{\"name\":\"bob\"}", 204,
		 "1//s/a b/@none id=1: source=/s: subject=a b: datacontenttype=application/json: "
		 "n=5: bob",
		 ""},
		/* JSON without a label, and as base64. */
		{BINARY("user"), "{\"name\":\"c\"}", 204, "1//s//@none id=1: source=/s: c", ""},
		{STRUCTURED,
		 EVENT_OF("user", ",\"data_base64\":\"eyJuYW1lIjoiZCJ9\","
				  "\"datacontenttype\":\"application/json\""),
		 204, "1//s//@none id=1: source=/s: datacontenttype=application/json: d", ""},
		/* The envelope is there, too, and ce-specversion tells them apart. */
		{HEADERS("Content-Type", "application/json"), EVENT("user", "{\"name\":\"e\"}"),
		 200, "///@2024-08-20T05:21:19Z e", "{\"status\":\"success\"}"},
		{BINARY("any", "content-type", "text/plain"), "hi", 204, "text/plain:2", ""},
		{BINARY("any", "content-type", "application/json"), "[1,2]", 204,
		 "application/json:5", ""},
		{BINARY("any"), "", 204, "NULL:0", ""},
		{STRUCTURED, EVENT_OF("any", ",\"data_base64\":\"AAH/\""), 204, "NULL:3", ""},
		{STRUCTURED, EVENT_OF("any", ",\"data\":\"<a/>\",\"datacontenttype\":\"text/xml\""),
		 204, "text/xml:4", ""},
		/* Errors, with their places. */
		{STRUCTURED, EVENT_OF("user", ",\"data\":{\"name\":7}"), 400, "",
		 "{\"error\":\"name: expected a string, found a number\",\"path\":\"/data/name\","
		 "\"offset\":73}"},
		{STRUCTURED, EVENT_OF("user", ""), 400, "",
		 "{\"error\":\"the payload is missing\",\"path\":\"/data\"}"},
		{STRUCTURED, EVENT_OF("user", ",\"time\":\"now\""), 400, "", "\"path\":\"/time\""},
		{BINARY("user", "Content-Type", "application/json"), "{\"name\":7}", 400, "",
		 "\"path\":\"/name\",\"offset\":8}"},
		{BINARY("user", "Content-Type", "text/plain"), "hi", 400, "",
		 "the payload has the media type \\\"text/plain\\\", but the function takes JSON"},
		{BINARY("user", "ce-time", "now"), "", 400, "", "ce-time"},
		{STRUCTURED, EVENT_OF("none", ",\"data\":{\"a\":01}"), 400, "", "/data/a"},
		{STRUCTURED, EVENT_OF("none", ",\"data\":{\"a\":1}"), 400, "", "no route"},
		{HEADERS("Content-Type", "application/cloudevents+avro"), "x", 415, "", "expected"},
		{HEADERS("Content-Type", "text/plain"), "x", 415, "",
		 "expected Content-Type application/cloudevents+json or"},
	};
	struct fixture fixture = begin(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)), NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		trace[0] = '\0';
		const struct posted_answer answer =
			post(fixture.endpoint,
			     &(struct posted){.headers = cases[i].headers, .body = cases[i].body});

		if (answer.status != cases[i].status || strcasecmp(trace, cases[i].trace) != 0 ||
		    !strstr(answer.body, cases[i].answer) ||
		    (*cases[i].answer == '\0') != (*answer.body == '\0'))
			fail_msg("case %zu: %u %s\n%s", i, answer.status, answer.body, trace);
	}
	end(&fixture);
}

/* A payload may be as deep as the event: what is around it counts, and nothing else. */
static void
test_depth(void **state)
{
	const struct {
		const char *const *headers;
		const char *body;
		unsigned status;
	} cases[] = {
		{STRUCTURED, EVENT_OF("told", ",\"data\":[[1]]"), 204},
		{STRUCTURED, EVENT_OF("told", ",\"data\":[[[1]]]"), 400},
		{BINARY("told", "Content-Type", "application/json"), "[[[1]]]", 204},
		{BINARY("told", "Content-Type", "application/json"), "[[[[1]]]]", 400},
		{BINARY("any", "Content-Type", "application/json"), "[[[1]]]", 204},
		{BINARY("any", "Content-Type", "application/json"), "[[[[1]]]]", 400},
	};
	struct fixture fixture =
		begin(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
					      .limits = {.max_depth = 3}),
		      NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct posted_answer answer =
			post(fixture.endpoint,
			     &(struct posted){.headers = cases[i].headers, .body = cases[i].body});

		if (answer.status != cases[i].status)
			fail_msg("case %zu: %u %s", i, answer.status, answer.body);
	}
	end(&fixture);
}

/* Events that are too large. */

static bool
is_for_dapr(const struct herald_format *format, const struct herald_arrival *arrival)
{
	(void)format;
	return herald_arrival_attribute(arrival, "dapr");
}

static enum herald_status
refuse(const struct herald_format *format, struct herald_context *ctx, char *data, size_t bytes,
       struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	return herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET, "refused");
}

/* The sender of an event that is too large gets what its own format says, not what the format of
 * the event before it does. */
static void
test_too_large(void **state)
{
	static const struct herald_format_ops ops = {
		.struct_size = sizeof(ops),
		.answers = HERALD_ANSWERS_DAPR,
		.matches = is_for_dapr,
		.decode = refuse,
	};
	static const char *const attributes[] = {"dapr", NULL};
	static const struct herald_format dapr = {.ops = &ops, .attributes = attributes};
	const struct herald_format *const both[] = {&dapr, &herald_format_envelope};
	static const char *const dapr_headers[] = {"dapr", "1", "Content-Type", "application/json",
						   NULL};
	struct fixture fixture =
		begin(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(both),
					      .max_event_bytes = 8),
		      &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = 100));
	const struct posted of_dapr = {.headers = dapr_headers, .body = "{}"};
	const struct posted large_of_dapr = {.headers = dapr_headers, .body = "{\"a\":1234}"};
	const struct posted large = {.headers = HEADERS("Content-Type", "application/json"),
				     .body = "{\"a\":1234}"};

	(void)state;
	assert_string_equal(post(fixture.endpoint, &of_dapr).body, "{\"status\":\"DROP\"}");
	assert_int_equal(post(fixture.endpoint, &large).status, 413);
	assert_string_equal(post(fixture.endpoint, &large_of_dapr).body, "{\"status\":\"DROP\"}");
	end(&fixture);
}

static void
test_versions(void **state)
{
	static const struct {
		struct herald_cloudevents_options options;
		const char *event;
		const char *trace; /* of a function of this type and version */
	} cases[] = {
		{{.version_extension = "dataversion"},
		 EVENT_OF("t", ",\"dataversion\":\"2\""),
		 "t 2"},
		{{.version_extension = "dataversion"}, EVENT_OF("t", ",\"dataversion\":3"), "t 3"},
		{{.version_extension = "dataversion"}, EVENT_OF("t", ""), "t "},
		{{.version_suffix = ".v"}, EVENT_OF("t.v2", ""), "t 2"},
		{{.version_suffix = ".v"}, EVENT_OF("t.v2.1", ""), "t 2.1"},
		{{.version_suffix = ".v"}, EVENT_OF("t.video", ""), "t.video "},
		{{.version_suffix = ".v"}, EVENT_OF("t.v", ""), "t.v "},
		{{.version_suffix = ".v"}, EVENT_OF(".v2", ""), ".v2 "},
		{{.version_suffix = ".v"}, EVENT_OF("a.v1.b.v22", ""), "a.v1.b 22"},
		{{.version_dataschema = "/v"},
		 EVENT_OF("t", ",\"dataschema\":\"http://x/v1/order/v4\""),
		 "t 4"},
		{{.version_dataschema = "/v"},
		 EVENT_OF("t", ",\"dataschema\":\"http://x/vast\""),
		 "t "},
		{{.version_dataschema = "/v"}, EVENT_OF("t", ""), "t "},
		{{.version_extension = NULL}, EVENT_OF("t", ",\"version\":\"2\""), "t "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_cloudevents_options options = cases[i].options;
		const struct herald_format *format = NULL;
		const struct herald_route any[] = {
			{.event_type = HERALD_ANY_TYPE,
			 .schema = &herald_json_schema,
			 .function = note_type},
		};

		options.struct_size = sizeof(options);
		assert_int_equal(herald_cloudevents_create(&options, &format, NULL), HERALD_OK);
		struct fixture fixture = begin(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(any), ONE_FORMAT(format)), NULL);
		trace[0] = '\0';
		const struct posted_answer answer =
			post(fixture.endpoint,
			     &(struct posted){.headers = STRUCTURED, .body = cases[i].event});
		if (answer.status != 204 || strcmp(trace, cases[i].trace) != 0)
			fail_msg("case %zu: %u %s %s", i, answer.status, answer.body, trace);
		end(&fixture);
		herald_format_destroy(format);
	}
	herald_format_destroy(&herald_format_cloudevents);
	herald_format_destroy(NULL);
}

static void
test_options(void **state)
{
	static const struct {
		struct herald_cloudevents_options options;
		const char *path;
	} cases[] = {
		{{.version_extension = ""}, "version_extension"},
		{{.version_extension = "a", .version_suffix = "b"}, "version_suffix"},
		{{.version_suffix = "a", .version_dataschema = "b"}, "version_dataschema"},
		{{.decode = {.limits = {.max_depth = 5000}}}, "decode.limits.max_depth"},
		{{.decode = {.max_extensions_count = 5000}}, "decode.max_extensions_count"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_cloudevents_options options = cases[i].options;
		const struct herald_format *format = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_cloudevents_create(&options, &format, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		assert_null(format);
	}
}

/* Every kind of answers, for each of these events. A CloudEvent that is done is answered without a
 * body, because Knative takes a body for another event and sends the first one again
 * (knative/eventing#5427, #6394, tektoncd/triggers#1439); Dapr reads a status that must be one of
 * three (dapr#2235, dapr/js-sdk#333). */
static void
test_answers(void **state)
{
	static const char *const does[] = {"done", "fail", "409", "retry", "text", "status"};
	static const struct {
		enum herald_answers answers;
		bool has_store;
		const char *expected[COUNT(does)];
	} cases[] = {
		{HERALD_ANSWERS_OF_FORMAT,
		 false,
		 {"204 ", "400 {\"error\":\"no\"}", "409 {\"error\":\"no\"}",
		  "503 {\"error\":\"busy\"}", "200 hi", "201 "}},
		{HERALD_ANSWERS_EMPTY, true, {"202 ", "202 ", "202 ", "202 ", "202 ", "202 "}},
		{HERALD_ANSWERS_JSON,
		 false,
		 {"200 {\"status\":\"success\"}", "500 {\"error\":\"no\"}",
		  "409 {\"error\":\"no\"}", "503 {\"error\":\"busy\"}", "200 hi",
		  "201 {\"status\":\"success\"}"}},
		{HERALD_ANSWERS_DAPR,
		 false,
		 {"200 {\"status\":\"SUCCESS\"}", "200 {\"status\":\"DROP\"}",
		  "200 {\"status\":\"DROP\"}", "200 {\"status\":\"RETRY\"}", "200 hi",
		  "201 {\"status\":\"SUCCESS\"}"}},
		{HERALD_ANSWERS_DAPR, true, {"200 {\"status\":\"SUCCESS\"}"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;

		fake_inbox_init(&inbox);
		inbox.answers_at_once = true;
		struct fixture fixture = begin(
			&HERALD_SERVICE_OPTIONS(
				HERALD_ROUTES(routes), HERALD_FORMATS(formats),
				.store = cases[i].has_store ? fake_inbox_store(&inbox) : NULL),
			&HERALD_ENDPOINT_OPTIONS(.answers = cases[i].answers));
		for (size_t n = 0; n < COUNT(does) && cases[i].expected[n]; n++) {
			char body[256], found[9000];

			snprintf(body, sizeof(body), EVENT_OF("told", ",\"subject\":\"%s\""),
				 does[n]);
			const struct posted_answer answer =
				post(fixture.endpoint,
				     &(struct posted){.headers = STRUCTURED, .body = body});
			snprintf(found, sizeof(found), "%u %s", answer.status, answer.body);
			if (strcmp(found, cases[i].expected[n]) != 0)
				fail_msg("%zu, %s: %s", i, does[n], found);
			if (*answer.body == '\0')
				assert_null(strstr(answer.headers, "Content-Type"));
		}
		end(&fixture);
		fake_inbox_finish(&inbox);
	}
}

/* Stored, and decoded again by its headers. */
static void
test_stored(void **state)
{
	struct fake_inbox inbox;
	static const char *const headers[] = {"ce-specversion",
					      "1.0",
					      "ce-id",
					      "7",
					      "ce-source",
					      "/s",
					      "ce-type",
					      "user",
					      "ce-n",
					      "5",
					      "Content-Type",
					      "application/json",
					      NULL};

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	struct fixture fixture = begin(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
					.store = fake_inbox_store(&inbox), .requires_id = true),
		NULL);
	const struct posted posted = {.headers = headers, .body = "{\"name\":\"ada\"}"};
	struct posted_answer answer = post(fixture.endpoint, &posted);
	assert_int_equal(answer.status, 202);
	answer = post(fixture.endpoint, &posted);
	assert_int_equal(answer.status, 202);
	assert_int_equal(inbox.stored_count, 1);
	assert_string_equal(inbox.stored[0].id, "7");
	assert_string_equal(inbox.stored[0].source, "/s");
	struct herald_result result = fake_inbox_run(&inbox, 0, 1, false);
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "7//s//@none id=7: source=/s: "
				   "datacontenttype=application/json: n=5: ada");
	end(&fixture);
	fake_inbox_finish(&inbox);
}

/* The golden requests: all that are to be accepted are, and no others. */
static void
check_case(json_t *line, size_t number, void *state)
{
	struct fixture *fixture = state;
	const char *name = json_string_value(json_object_get(line, "name"));
	const char *expect = json_string_value(json_object_get(line, "expect"));
	const char *headers[2 * MAX_HEADERS + 1] = {NULL};
	json_t *pair;
	size_t i, used = 0, bytes;

	(void)number;
	json_array_foreach(json_object_get(line, "headers"), i, pair)
	{
		headers[used++] = json_string_value(json_array_get(pair, 0));
		headers[used++] = json_string_value(json_array_get(pair, 1));
	}
	char *body = decode_base64(json_string_value(json_object_get(line, "body_base64")), &bytes);
	const struct posted_answer answer =
		post(fixture->endpoint, &(struct posted){.headers = headers,
							 .body = bytes > 0 ? body : "",
							 .bytes = bytes});
	free(body);
	bool accepted = answer.status == 204;
	if (strcmp(expect, "accept") == 0 ? !accepted
					  : strncmp(expect, "reject", 6) == 0 && accepted)
		fail_msg("%s: %u %s", name, answer.status, answer.body);
	if (strncmp(expect, "reject member ", 14) == 0) {
		char index[32];

		snprintf(index, sizeof(index), "[{\"index\":%s,", expect + 14);
		if (!strstr(answer.body, index))
			fail_msg("%s: %s", name, answer.body);
	}
	if (!accepted && answer.status != 400 && answer.status != 415)
		fail_msg("%s: %u %s", name, answer.status, answer.body);
}

static void
test_golden(void **state)
{
	const struct herald_route any[] = {
		{.event_type = HERALD_ANY_TYPE,
		 .schema = &herald_data_schema,
		 .function = note_type},
	};
	struct fixture fixture =
		begin(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(any), HERALD_FORMATS(formats)),
		      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));

	(void)state;
	assert_true(for_each_line("tests/data/interop/receive_cases.jsonl", check_case, &fixture) >=
		    97);
	end(&fixture);
}

/* No allocation once the service is warm, whatever the mode. */
static void
test_memory(void **state)
{
	const struct posted all[] = {
		{.headers = STRUCTURED,
		 .body = EVENT_OF("user", ",\"data\":{\"name\":\"a\"},\"n\":5")},
		{.headers = BINARY("user", "ce-n", "a%20b", "Content-Type", "application/json"),
		 .body = "{\"name\":\"b\"}"},
		{.headers = BINARY("any", "content-type", "text/plain"), .body = "hi"},
		{.headers = STRUCTURED, .body = EVENT_OF("user", ",\"time\":\"now\"")},
		{.headers = HEADERS("Content-Type", "application/cloudevents-batch+json"),
		 .body = "[" EVENT_OF("user", ",\"data\":{\"name\":\"a\"}") "," EVENT_OF("user",
											 "") "]"},
	};
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture =
		begin(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
					      .allocator = memory.allocator),
		      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	for (int warm = 0; warm < 50; warm++) {
		size_t calls = memory.calls;

		for (size_t i = 0; i < COUNT(all); i++)
			post(fixture.endpoint, &all[i]);
		if (warm > 2)
			assert_int_equal(memory.calls, calls);
	}
	end(&fixture);
	assert_all_released(&memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_events, events_setup),
		cmocka_unit_test_setup(test_depth, events_setup),
		cmocka_unit_test_setup(test_too_large, events_setup),
		cmocka_unit_test_setup(test_versions, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_answers, events_setup),
		cmocka_unit_test_setup(test_stored, events_setup),
		cmocka_unit_test_setup(test_golden, events_setup),
		cmocka_unit_test_setup(test_memory, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
