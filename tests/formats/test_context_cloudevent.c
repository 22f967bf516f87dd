/*
 * herald_context_cloudevent(): an event of any format as a CloudEvent, in each mode, and the same
 * while a stored event runs.
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

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

/* The event as JSON, or the error. */
static char forwarded[4096];

static enum herald_verdict
forward(struct herald_context *ctx)
{
	struct herald_cloudevent event;
	struct herald_error error;
	struct herald_buffer json;

	herald_buffer_init(&json, NULL, 0);
	enum herald_status status = herald_context_cloudevent(ctx, &event, &error);
	if (status == HERALD_OK)
		status = herald_cloudevent_encode_structured(&event, &json, &error);
	if (status == HERALD_OK)
		snprintf(forwarded, sizeof(forwarded), "%.*s", (int)json.bytes, json.data);
	else
		snprintf(forwarded, sizeof(forwarded), "%s: %s", error.path, error.message);
	herald_buffer_finish(&json);
	return status == HERALD_NO_MEMORY ? herald_retry(ctx, "%s", error.message) : HERALD_DONE;
}

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	assert_int_equal(strlen(user->name), 2);
	return forward(ctx);
}
HERALD_FUNCTION(on_user, user);

static enum herald_verdict
on_json(struct herald_context *ctx, const struct herald_json *json)
{
	(void)json;
	return forward(ctx);
}
HERALD_FUNCTION(on_json, herald_json);

static enum herald_verdict
on_data(struct herald_context *ctx, const struct herald_data *data)
{
	(void)data;
	return forward(ctx);
}
HERALD_FUNCTION(on_data, herald_data);

static const struct herald_route routes[] = {
	HERALD_ROUTE("user", user, on_user, NULL),
	HERALD_ROUTE("json", herald_json, on_json, NULL),
	HERALD_ROUTE("data", herald_data, on_data, NULL),
};

static enum herald_verdict
forward_at_once(struct herald_handler *handler, struct herald_context *ctx, const char *data,
		size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	forward(ctx);
	return HERALD_DONE;
}

#define JSON HEADERS("Content-Type", "application/json")
#define STRUCTURED HEADERS("Content-Type", "application/cloudevents+json")
#define HOOK(...) HEADERS("X-Event", __VA_ARGS__, "Content-Type", "application/json")
#define MUST_BE_SET "keeps_bytes: must be set for the service, because the payload was decoded"
#define FORM "application/x-www-form-urlencoded"
#define BINARY(...)                                                                                \
	HEADERS("ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", __VA_ARGS__)
#define HEAD(ID, SOURCE, TYPE)                                                                     \
	"{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"" SOURCE "\",\"type\":\"" TYPE "\""
#define TIME ",\"time\":\"2024-08-20T05:21:19Z\""
#define ENVELOPE(TYPE, PAYLOAD, METADATA)                                                          \
	"{\"event_type\":\"" TYPE "\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":" PAYLOAD \
	",\"metadata\":{\"id\":\"7\",\"source\":\"/m\"" METADATA "}}"

static const struct {
	const char *const *headers;
	const char *body, *expected;
} cases[] = {
	/* CloudEvents are the ones that came, whatever the function has made of the payload. */
	{STRUCTURED,
	 HEAD("1", "/s", "user") TIME
	 ",\"subject\":\"a b\",\"dataschema\":\"#\",\"datacontenttype\":\"application/json\","
	 "\"n\":-5,\"b\":false,\"traceparent\":\"00-x\",\"version\":\"2\",\"nothing\":null,"
	 "\"data\":{\"name\": \"\\u0061\\n\",\"more\":[1, 2]}}",
	 HEAD("1", "/s", "user") TIME
	 ",\"subject\":\"a b\",\"dataschema\":\"#\",\"datacontenttype\":\"application/json\","
	 "\"n\":-5,\"b\":false,\"traceparent\":\"00-x\",\"version\":\"2\","
	 "\"data\":{\"name\": \"\\u0061\\n\",\"more\":[1, 2]}}"},
	{STRUCTURED, HEAD("1", "/s", "user.v2") ",\"data\":{\"name\":\"ab\"}}",
	 HEAD("1", "/s", "user.v2") ",\"data\":{\"name\":\"ab\"}}"},
	{STRUCTURED, HEAD("1", "/s", "json") ",\"x\":{\"a\": 1},\"y\":2147483647,\"data\":null}",
	 HEAD("1", "/s", "json") ",\"x\":{\"a\": 1},\"y\":2147483647,\"data\":null}"},
	{STRUCTURED, HEAD("1", "/s", "json") "}", HEAD("1", "/s", "json") "}"},
	{STRUCTURED,
	 HEAD("1", "/s", "user") ",\"datacontenttype\":\"a/b+json\",\"data_base64\":"
				 "\"eyJuYW1lIjoiXHUwMDYxYiJ9\"}",
	 HEAD("1", "/s",
	      "user") ",\"datacontenttype\":\"a/b+json\",\"data\":{\"name\":\"\\u0061b\"}"
		      "}"},
	/* Bytes without a type may be JSON. */
	{STRUCTURED, HEAD("1", "/s", "user") ",\"data_base64\":\"eyJuYW1lIjoiXHUwMDYxYiJ9\"}",
	 HEAD("1", "/s", "user") ",\"data_base64\":\"eyJuYW1lIjoiXHUwMDYxYiJ9\"}"},
	{STRUCTURED, HEAD("1", "/s", "json") ",\"data_base64\":\"IHsgfQ==\"}",
	 HEAD("1", "/s", "json") ",\"data_base64\":\"IHsgfQ==\"}"},
	{STRUCTURED, HEAD("1", "/s", "data") ",\"data_base64\":\"AP8=\"}",
	 HEAD("1", "/s", "data") ",\"data_base64\":\"AP8=\"}"},
	{STRUCTURED, HEAD("1", "/s", "data") ",\"datacontenttype\":\"text/x\",\"data\":\"a\\\"\"}",
	 HEAD("1", "/s", "data") ",\"datacontenttype\":\"text/x\",\"data\":\"a\\\"\"}"},
	{STRUCTURED,
	 HEAD("1", "/s", "data") ",\"datacontenttype\":\"a/b\",\"data_base64\":\"AP8=\"}",
	 HEAD("1", "/s", "data") ",\"datacontenttype\":\"a/b\",\"data_base64\":\"AP8=\"}"},
	{BINARY("user", "ce-n", "5%20", "ce-subject", "\"q\"", "Content-Type", "application/json"),
	 "{\"name\":\"\\u0062c\"}",
	 HEAD("1", "/s", "user") ",\"subject\":\"q\",\"datacontenttype\":\"application/json\","
				 "\"n\":\"5 \",\"data\":{\"name\":\"\\u0062c\"}}"},
	/* JSON without a type is bytes in binary mode, although the function takes a struct. */
	{BINARY("user"), "{\"name\":\"\\u0062c\"}",
	 HEAD("1", "/s", "user") ",\"data_base64\":\"eyJuYW1lIjoiXHUwMDYyYyJ9\"}"},
	{BINARY("data", "Content-Type", "text/plain"), "\xc3\xa9",
	 HEAD("1", "/s", "data") ",\"datacontenttype\":\"text/plain\",\"data\":\"\xc3\xa9\"}"},
	{BINARY("data", "Content-Type", "text/plain"), "\xff",
	 HEAD("1", "/s", "data") ",\"datacontenttype\":\"text/plain\",\"data_base64\":\"/w==\"}"},
	/* The envelope. */
	{JSON, ENVELOPE("user", "{\"name\":\"\\u0061b\",\"x\":1}", ""),
	 HEAD("7", "/m", "user") TIME ",\"data\":{\"name\":\"\\u0061b\",\"x\":1}}"},
	{JSON,
	 ENVELOPE("json", "[1]", ",\"subject\":\"s\",\"dataschema\":\"#\",\"version\":\"1.0\""),
	 HEAD("7", "/m", "json") TIME ",\"subject\":\"s\",\"dataschema\":\"#\",\"version\":\"1.0\","
				      "\"data\":[1]}"},
	{JSON,
	 ENVELOPE("json", "1",
		  ",\"Request_ID\":\"a\",\"requestid\":\"b\",\"n\":1,\"m\":-2147483648,"
		  "\"o\":2147483648,\"p\":1.5,\"q\":true,\"r\":null,\"s\":{\"a\":[1]},\"_\":1,"
		  "\"data\":1,\"t\":\"a\\u0001\",\"u\":\"\",\"time\":\"x\",\"v\":{\"a\":\n1}"),
	 HEAD("7", "/m", "json") TIME
	 ",\"requestid\":\"a\",\"n\":1,\"m\":-2147483648,\"o\":\"2147483648\",\"p\":\"1.5\","
	 "\"q\":true,\"s\":\"{\\\"a\\\":[1]}\",\"u\":\"\",\"data\":1}"},
	{JSON, "{\"event_type\":\"json\",\"timestamp\":\"2024-08-20T05:21:19Z\"}",
	 "/id: id is required, but NULL"},
	/* Webhooks. */
	{HOOK("user"), "{\"name\":\"\\u0061b\"}",
	 HEAD("h", "hook", "user") ",\"data\":{\"name\":\"\\u0061b\"}}"},
	{HEADERS("X-Event", "user", "Content-Type", FORM),
	 "a=1&payload={%22name%22:%22\\u0061b%22}",
	 HEAD("h", "hook", "user") ",\"data\":{\"name\":\"\\u0061b\"}}"},
};

struct fixture {
	const struct herald_format *cloudevents, *hook;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

/* Returns false when out of memory. */
static bool
begin(struct fixture *fixture, struct herald_service_options options)
{
	struct herald_error error;

	if (herald_cloudevents_create(
		    &HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v",
						.decode = {.json_extensions = true}),
		    &fixture->cloudevents, &error) != HERALD_OK ||
	    herald_webhook_create(&HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Event"},
							  .id = {.constant = "h"},
							  .source = {.constant = "hook"},
							  .form_field = "payload"),
				  &fixture->hook, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	const struct herald_format *const formats[] = {fixture->cloudevents, fixture->hook,
						       &herald_format_envelope};
	options.struct_size = sizeof(options);
	options.routes = routes;
	options.routes_count = COUNT(routes);
	options.formats = formats;
	options.formats_count = COUNT(formats);
	enum herald_status status = herald_service_create(&options, &fixture->service, &error);
	if (status != HERALD_OK) {
		assert_int_equal(status, HERALD_NO_MEMORY);
		herald_format_destroy(fixture->cloudevents);
		herald_format_destroy(fixture->hook);
		return false;
	}
	return true;
}

static void
end(struct fixture *fixture)
{
	herald_service_destroy(fixture->service);
	herald_format_destroy(fixture->cloudevents);
	herald_format_destroy(fixture->hook);
}

static struct posted_answer
post_case(struct fixture *fixture, size_t i)
{
	forwarded[0] = '\0';
	return post(fixture->endpoint,
		    &(struct posted){.headers = cases[i].headers, .body = cases[i].body});
}

static void
check(size_t i)
{
	if (strcmp(forwarded, cases[i].expected) != 0)
		fail_msg("case %zu: %s\nexpected %s", i, forwarded, cases[i].expected);
}

static void
test_formats(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, HERALD_SERVICE_OPTIONS(.keeps_bytes = true));
	fixture.endpoint = create_endpoint(fixture.service, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct posted_answer answer = post_case(&fixture, i);

		if (answer.status >= 300)
			fail_msg("case %zu: %u %s", i, answer.status, answer.body);
		check(i);
	}
	herald_endpoint_destroy(fixture.endpoint);
	end(&fixture);
}

/* A store keeps the bytes, but what runs decodes them again. */
static void
test_stored(void **state)
{
	(void)state;
	for (int keeps = 0; keeps < 2; keeps++) {
		struct fake_inbox inbox;
		struct fixture fixture;

		fake_inbox_init(&inbox);
		inbox.answers_at_once = true;
		begin(&fixture, HERALD_SERVICE_OPTIONS(.keeps_bytes = keeps,
						       .store = fake_inbox_store(&inbox)));
		fixture.endpoint = create_endpoint(fixture.service, NULL);
		for (size_t i = 0; i < COUNT(cases); i++) {
			fake_inbox_finish(&inbox);
			fake_inbox_init(&inbox);
			inbox.answers_at_once = true;
			assert_int_equal(post_case(&fixture, i).status, 202);
			assert_int_equal(inbox.stored_count, 1);
			assert_string_equal(forwarded, "");
			fake_inbox_run(&inbox, 0, 1, false);
			if (keeps || !strstr(cases[i].expected, "\"user"))
				check(i);
			else
				assert_non_null(strstr(forwarded, MUST_BE_SET));
		}
		herald_endpoint_destroy(fixture.endpoint);
		end(&fixture);
		fake_inbox_finish(&inbox);
	}
}

/* {"metadata":{"a0":1,"a1":1,...}}, and some members that make no extension. */
static void
write_metadata(char *body, size_t extensions)
{
	char *at = body + sprintf(body, "{\"event_type\":\"json\",\"timestamp\":"
					"\"2024-08-20T05:21:19Z\",\"metadata\":{"
					"\"id\":\"7\",\"source\":\"/m\",\"none\":null");

	for (size_t i = 0; i < extensions; i++)
		at += sprintf(at, ",\"a%zu\":1,\"A%zu\":2", i, i);
	strcpy(at, "}}");
}

/* As many as can be encoded. */
static void
test_many_extensions(void **state)
{
	static const struct {
		size_t count;
		const char *expected;
	} counts[] = {
		{1024, NULL},
		{1025, "/extensions: expected at most 1024 extensions, found more"},
		{20000, "/extensions: expected at most 1024 extensions, found more"},
	};
	static char body[1 << 20];
	struct fixture fixture;

	(void)state;
	begin(&fixture, HERALD_SERVICE_OPTIONS(.keeps_bytes = true));
	fixture.endpoint = create_endpoint(fixture.service, NULL);
	for (size_t i = 0; i < COUNT(counts); i++) {
		write_metadata(body, counts[i].count);
		forwarded[0] = '\0';
		assert_int_equal(
			post(fixture.endpoint, &(struct posted){.headers = JSON, .body = body})
				.status,
			200);
		if (counts[i].expected)
			assert_string_equal(forwarded, counts[i].expected);
		else
			assert_non_null(strstr(forwarded, ",\"a0\":1,\"a1\":1,"));
	}
	herald_endpoint_destroy(fixture.endpoint);
	end(&fixture);
}

/* Without the option, a payload that is raw can be forwarded; before decoding, nothing can. */
static void
test_without_bytes(void **state)
{
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "early", .receive = forward_at_once};
	struct herald_handler early = {.ops = &ops};
	struct herald_handler *handlers[] = {&early};
	struct fixture fixture;

	(void)state;
	begin(&fixture, HERALD_SERVICE_OPTIONS(.keeps_bytes = false));
	fixture.endpoint = create_endpoint(fixture.service, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		post_case(&fixture, i);
		if (!strstr(cases[i].expected, "\"user"))
			check(i);
		else
			assert_non_null(strstr(forwarded, MUST_BE_SET));
	}
	herald_endpoint_destroy(fixture.endpoint);
	end(&fixture);

	begin(&fixture, HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(handlers)));
	char event[] = "{";
	struct herald_result result;
	herald_service_handle(fixture.service, event, 1, &result);
	assert_string_equal(forwarded, ": the event has not been decoded");
	end(&fixture);
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;
			struct fixture fixture;

			failing_allocator_init(&memory, FAIL_ONLY, n);
			forwarded[0] = '\0';
			if (begin(&fixture,
				  HERALD_SERVICE_OPTIONS(.keeps_bytes = true,
							 .allocator = memory.allocator))) {
				if (herald_endpoint_create(fixture.service, NULL, &fixture.endpoint,
							   NULL) == HERALD_OK) {
					struct herald_http_head head = {
						.method = "POST",
						.content_type = posting_find(
							&(struct posted){.headers =
										 cases[i].headers},
							"content-type"),
						.content_length = HERALD_HTTP_NO_LENGTH,
						.headers_visit = posting_visit,
						.state = (void *)(uintptr_t)cases[i].headers};
					struct herald_http_request *request =
						herald_http_request_create(fixture.endpoint, &head);
					if (request) {
						herald_http_request_append(request, cases[i].body,
									   strlen(cases[i].body));
						unsigned status =
							herald_http_request_finish(request)->status;
						if (status < 300)
							check(i);
						else
							assert_int_equal(status, 503);
					}
					herald_http_request_destroy(request);
					herald_endpoint_destroy(fixture.endpoint);
				}
				end(&fixture);
			}
			assert_all_released(&memory);
			if (memory.failures == 0)
				break;
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_formats, events_setup),
		cmocka_unit_test_setup(test_stored, events_setup),
		cmocka_unit_test_setup(test_many_extensions, events_setup),
		cmocka_unit_test_setup(test_without_bytes, events_setup),
		cmocka_unit_test_setup(test_no_memory, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
