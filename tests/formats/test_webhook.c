/*
 * Webhooks without an envelope: where type, id, time and the rest come from, forms, made ids, and
 * what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>

#include <herald/herald.h>

#include "support/events.h"
#include "support/fake_inbox.h"
#include "support/posting.h"

#define JSON_TYPE "Content-Type", "application/json"
#define FORM_TYPE "Content-Type", "application/x-www-form-urlencoded"

static enum herald_verdict
on_any(struct herald_context *ctx, const struct herald_json *json)
{
	const struct herald_time *time = herald_context_time(ctx);
	char text[HERALD_TIME_TEXT_BYTES] = "none";

	if (time)
		herald_time_format(time, text);
	note("%s:%s/%s/%s/%s@%s %.*s", herald_context_message(ctx)->event_type,
	     herald_context_id(ctx), herald_context_source(ctx), herald_context_subject(ctx),
	     herald_context_version(ctx), text, (int)json->bytes, json->data ? json->data : "");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_any, herald_json);

struct verification {
	const char *challenge;
};
HERALD_SCHEMA(verification, HERALD_FIELD(verification, challenge, .required = true));

/* Slack's first request. */
static enum herald_verdict
on_verification(struct herald_context *ctx, const struct verification *verification)
{
	return HERALD_DONE_JSON(ctx, 200, verification, verification);
}
HERALD_FUNCTION(on_verification, verification);

static const struct herald_route routes[] = {
	HERALD_ROUTE("url_verification", verification, on_verification, NULL),
	HERALD_ROUTE(HERALD_ANY_TYPE, herald_json, on_any, NULL),
};

static const char *
find_type(struct herald_context *ctx, const char *data, size_t bytes, void *state)
{
	assert_string_equal(state, "state");
	assert_non_null(herald_context_content_type(ctx));
	return bytes > 4 && memcmp(data, "{\"a\"", 4) == 0 ? "found" : NULL;
}

#define GITHUB                                                                                     \
	{                                                                                          \
		.type = {.attribute = "X-GitHub-Event"}, .id = {.attribute = "X-GitHub-Delivery"}, \
		.source = {.constant = "github"}, .subject = {.pointer = "/repository/name"},      \
		.form_field = "payload"                                                            \
	}
#define STRIPE                                                                                     \
	{                                                                                          \
		.type = {.pointer = "/type"}, .id = {.pointer = "/id"},                            \
		.time = {.pointer = "/created"}, .version = {.pointer = "/api_version"},           \
		.payload_from = "/data/object"                                                     \
	}
#define SLACK                                                                                      \
	{                                                                                          \
		.type = {.pointer = "/event/type", .otherwise = "/type"},                          \
		.id = {.pointer = "/event_id" }                                                    \
	}

static const struct {
	struct herald_webhook_options options;
	const char *const *headers;
	const char *body;
	unsigned status;
	const char *trace, *answer;
} cases[] = {
	{GITHUB, HEADERS(JSON_TYPE, "x-github-event", "push", "X-GitHub-Delivery", "7"),
	 "{\"repository\":{\"name\":\"r\"}}", 204,
	 "push:7/github/r/@none {\"repository\":{\"name\":\"r\"}}", ""},
	{GITHUB, HEADERS(JSON_TYPE, "X-GitHub-Event", "ping"), "{}", 204, "ping:/github//@none {}",
	 ""},
	{GITHUB, HEADERS(FORM_TYPE, "X-GitHub-Event", "ping"),
	 "a=b&payload=%7b%22a+b%22%3A%221%25%22%7D", 204, "ping:/github//@none {\"a b\":\"1%\"}",
	 ""},
	{GITHUB, HEADERS(FORM_TYPE "; charset=utf-8", "X-GitHub-Event", "ping"), "payloads=1", 400,
	 "", "the form has no field payload"},
	{GITHUB, HEADERS(FORM_TYPE, "X-GitHub-Event", "ping"), "payload={}&payload={}", 400, "",
	 "the form has the field payload twice"},
	{GITHUB, HEADERS(FORM_TYPE, "X-GitHub-Event", "ping"), "payload=%7", 400, "",
	 "% needs two hexadecimal digits\",\"path\":\"\",\"offset\":8"},
	{GITHUB, HEADERS(FORM_TYPE, "X-GitHub-Event", "ping"), "payload=%7B", 400, "", "error"},
	/* Errors in a decoded field have no offset, which would not be the body's. */
	{GITHUB, HEADERS(FORM_TYPE, "X-GitHub-Event", "ping"), "payload=%7B%22a%22:01%7D", 400, "",
	 "\"path\":\"/a\"}"},
	{{.type = {.constant = "t"}, .form_field = "payload"},
	 HEADERS(FORM_TYPE),
	 "payload=%7B%22a%22:01%7D",
	 400,
	 "",
	 "\"path\":\"/a\"}"},
	{GITHUB, HEADERS(JSON_TYPE), "{}", 415, "", "expected Content-Type"},
	{GITHUB, HEADERS("Content-Type", "text/plain", "X-GitHub-Event", "ping"), "{}", 415, "",
	 "application/x-www-form-urlencoded"},
	{GITHUB, HEADERS(JSON_TYPE, "X-GitHub-Event", ""), "{}", 400, "",
	 "the event type is missing in the attribute X-GitHub-Event"},
	{GITHUB, HEADERS(JSON_TYPE, "X-GitHub-Event", "ping"), "{\"a\":01}", 400, "",
	 "\"path\":\"/a\""},
	{STRIPE, HEADERS(JSON_TYPE),
	 "{\"id\":\"evt_1\",\"type\":\"charge.paid\",\"created\":1724131279,"
	 "\"api_version\":\"2020-08-27\",\"data\":{\"object\":{\"a\":1}}}",
	 204, "charge.paid:evt_1///2020-08-27@2024-08-20T05:21:19Z {\"a\":1}", ""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":\"2024-08-20T05:21:19Z\"}", 204,
	 "x:///@2024-08-20T05:21:19Z ", ""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":\"noon\"}", 400, "",
	 "expected a time, found \\\"noon\\\"\",\"path\":\"/created\""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":-5}", 400, "", "/created"},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":1e3}", 400, "", "/created"},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":9999999999999999999}", 400, "",
	 "/created"},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":253402300799}", 204,
	 "x:///@9999-12-31T23:59:59Z ", ""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":253402300800}", 400, "",
	 "expected a time, found \\\"253402300800\\\"\",\"path\":\"/created\""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"created\":1724131279.5}", 400, "",
	 "/created"},
	{STRIPE, HEADERS(JSON_TYPE), "{\"id\":\"evt_1\"}", 400, "",
	 "the event type is missing\",\"path\":\"/type\""},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":{}}", 400, "", "/type"},
	{STRIPE, HEADERS(JSON_TYPE), "[]", 400, "", "/type"},
	{STRIPE, HEADERS(JSON_TYPE), "{\"type\":\"x\",\"more\":01}", 400, "", "/more"},
	{STRIPE, HEADERS(JSON_TYPE), "", 400, "", "error"},
	{SLACK, HEADERS(JSON_TYPE),
	 "{\"type\":\"event_callback\",\"event\":{\"type\":\"message\"}}", 204,
	 "message:///@none {\"type\":\"event_callback\",\"event\":{\"type\":\"message\"}}", ""},
	{SLACK, HEADERS(JSON_TYPE), "{\"type\":\"url_verification\",\"challenge\":\"c1\"}", 200, "",
	 "{\"challenge\":\"c1\"}"},
	{{.find_type = find_type, .state = (void *)(uintptr_t) "state"},
	 HEADERS(JSON_TYPE),
	 "{\"a\":1}",
	 204,
	 "found:///@none {\"a\":1}",
	 ""},
	{{.find_type = find_type, .state = (void *)(uintptr_t) "state"},
	 HEADERS(JSON_TYPE),
	 "{\"b\":1}",
	 400,
	 "",
	 "the event type is missing"},
	{{.type = {.constant = "always"}},
	 HEADERS(JSON_TYPE),
	 "[1]",
	 204,
	 "always:///@none [1]",
	 ""},
};

static void
test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_webhook_options options = cases[i].options;
		const struct herald_format *format = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		if (herald_webhook_create(&options, &format, &error) != HERALD_OK)
			fail_msg("%s: %s", error.path, error.message);
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), ONE_FORMAT(format)));
		struct herald_endpoint *endpoint = create_endpoint(service, NULL);
		trace[0] = '\0';
		const struct posted_answer answer =
			post(endpoint,
			     &(struct posted){.headers = cases[i].headers, .body = cases[i].body});

		if (answer.status != cases[i].status || strcmp(trace, cases[i].trace) != 0 ||
		    !strstr(answer.body, cases[i].answer))
			fail_msg("case %zu: %u %s\n%s", i, answer.status, answer.body, trace);
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
		herald_format_destroy(format);
	}
}

static void
test_options(void **state)
{
	static const struct {
		struct herald_webhook_options options;
		const char *path;
	} rows[] = {
		{{.name = NULL}, "type"},
		{{.type = {.constant = "a"}, .find_type = find_type}, "type"},
		{{.type = {.constant = "a", .pointer = "/a"}}, "type"},
		{{.type = {.constant = "a"}, .id = {.attribute = "a", .pointer = "/a"}}, "id"},
		{{.type = {.attribute = "X-*"}}, "type"},
		{{.type = {.attribute = ""}}, "type"},
		{{.type = {.pointer = "a"}}, "type"},
		{{.type = {.pointer = "/a", .otherwise = "b"}}, "type"},
		{{.type = {.constant = "a", .otherwise = "/b"}}, "type"},
		{{.type = {.constant = "a"}, .time = {.pointer = "~"}}, "time"},
		{{.type = {.constant = "a"}, .payload_from = "x"}, "payload_from"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_webhook_options options = rows[i].options;
		const struct herald_format *format = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_webhook_create(&options, &format, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_null(format);
	}
}

/* A made id is the same for the same bytes, here and when the stored event runs. */
static void
test_made_ids(void **state)
{
	const struct herald_format *format = NULL;
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	assert_int_equal(
		herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Event"},
							      .id = {.attribute = "X-Id"},
							      .hashes_id = true),
				      &format, NULL),
		HERALD_OK);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), ONE_FORMAT(format),
					.requires_id = true, .store = fake_inbox_store(&inbox)));
	struct herald_endpoint *endpoint = create_endpoint(service, NULL);
	const struct {
		const char *type, *body;
		size_t stored; /* so far */
	} rows[] = {
		{"a", "{}", 1}, {"a", "{}", 1}, {"b", "{}", 2}, {"a", "{ }", 3}, {"a", "{}", 3}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *headers[] = {JSON_TYPE, "X-Event", rows[i].type, NULL};
		const struct posted_answer answer =
			post(endpoint, &(struct posted){.headers = headers, .body = rows[i].body});

		assert_int_equal(answer.status, 202);
		assert_int_equal(inbox.stored_count, rows[i].stored);
	}
	assert_int_equal(strlen(inbox.stored[0].id), 32);
	char expected[64];
	snprintf(expected, sizeof(expected), "a:%s///@none {}", inbox.stored[0].id);
	struct herald_result result = fake_inbox_run(&inbox, 0, 1, false);
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, expected);
	/* The sender's own comes first. */
	const struct posted_answer answer =
		post(endpoint,
		     &(struct posted){.headers = HEADERS(JSON_TYPE, "X-Event", "a", "X-Id", "4"),
				      .body = "{}"});
	assert_int_equal(answer.status, 202);
	assert_string_equal(inbox.stored[3].id, "4");
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(format);
	fake_inbox_finish(&inbox);
}

/* Next to CloudEvents and the envelope, in one endpoint. */
static void
test_with_others(void **state)
{
	const struct herald_format *github = NULL;
	const struct herald_webhook_options options = GITHUB;
	struct herald_webhook_options sized = options;

	(void)state;
	sized.struct_size = sizeof(sized);
	sized.name = "github";
	assert_int_equal(herald_webhook_create(&sized, &github, NULL), HERALD_OK);
	const struct herald_format *const all[] = {&herald_format_cloudevents, github,
						   &herald_format_envelope};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(all)));
	struct herald_endpoint *endpoint = create_endpoint(service, NULL);
	const struct posted rows[] = {
		{.headers = HEADERS(JSON_TYPE, "X-GitHub-Event", "push"), .body = "{}"},
		{.headers = HEADERS(JSON_TYPE), .body = EVENT("enveloped", "{}")},
		{.headers = HEADERS("Content-Type", "application/cloudevents+json"),
		 .body = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
			 "s\",\"type\":\"ce\"}"},
		{.headers = HEADERS(JSON_TYPE, "X-GitHub-Event", "x", "ce-specversion", "1.0",
				    "ce-id", "2", "ce-source", "/s", "ce-type", "binary"),
		 .body = "{}"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_in_range(post(endpoint, &rows[i]).status, 200, 204);
	assert_string_equal(trace, "push:/github//@none {} enveloped:///@2024-08-20T05:21:19Z {} "
				   "ce:1//s//@none  binary:2//s//@none {}");
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(github);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_events, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_made_ids, events_setup),
		cmocka_unit_test_setup(test_with_others, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
