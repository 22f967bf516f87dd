/*
 * An endpoint of a service with two routes, and what it answers as a text. Include cmocka.h before
 * this header.
 */
#ifndef HERALD_TESTS_HTTP_ENDPOINT_FIXTURE_H
#define HERALD_TESTS_HTTP_ENDPOINT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include <herald/adapter/request.h>
#include <herald/endpoint.h>

#include "support/events.h"

#define SEED_EVENT                                                                                 \
	"{\n  \"event_type\": \"user_created\",\n"                                                 \
	"  \"timestamp\": \"2024-08-20T05:21:19.143357839Z\",\n"                                   \
	"  \"payload\": {\n    \"user_id\": \"12345\",\n    \"username\": \"johndoe\"\n  },\n"     \
	"  \"metadata\": {\n    \"source\": \"user_service\",\n    \"version\": \"1.0\"\n  }\n}\n"

#define SUCCESS "{\"status\":\"success\"}"

struct user {
	const char *user_id;
	const char *username;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, user_id, .required = true), HERALD_FIELD(user, username));

static inline enum herald_verdict
on_user(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	note("f");
	return HERALD_DONE;
}

/* Does what the payload says. */
static inline enum herald_verdict
obey(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *text = payload;
	char command[32];

	(void)state;
	snprintf(command, sizeof(command), "%.*s", (int)text->bytes, text->data);
	note("f");
	if (strcmp(command, "\"retry\"") == 0)
		return herald_retry(ctx, "busy");
	if (strcmp(command, "\"retry 1\"") == 0)
		return herald_retry_after(ctx, 1, "busy");
	if (strcmp(command, "\"retry 1001\"") == 0)
		return herald_retry_after(ctx, 1001, "busy");
	if (strcmp(command, "\"retry max\"") == 0)
		return herald_retry_after(ctx, UINT32_MAX, "busy");
	if (strcmp(command, "\"fail\"") == 0)
		return herald_fail(ctx, "no \"%s\"", "stock");
	if (strcmp(command, "\"fail 409\"") == 0)
		return herald_fail_status(ctx, 409, "taken");
	if (strcmp(command, "\"fail 599\"") == 0)
		return herald_fail_status(ctx, 599, "odd");
	if (strcmp(command, "\"fail 200\"") == 0)
		return herald_fail_status(ctx, 200, "odd");
	return HERALD_FAIL;
}

static const struct herald_route routes[] = {
	{.event_type = "user_created", .schema = &user_schema, .function = on_user},
	{.event_type = "do", .schema = &herald_json_schema, .function = obey},
	{.event_type = "old", .schema = &user_schema, .function = on_user, .version = "1"},
};

struct fixture {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

static inline struct fixture
open_endpoint(struct herald_allocator allocator, const struct herald_endpoint_options *options)
{
	struct fixture fixture;
	struct herald_error error;

	fixture.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = allocator));
	if (herald_endpoint_create(fixture.service, options, &fixture.endpoint, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return fixture;
}

static inline struct fixture
open_default(void)
{
	return open_endpoint((struct herald_allocator){0}, NULL);
}

static inline void
close_endpoint(struct fixture *fixture)
{
	herald_endpoint_destroy(fixture->endpoint);
	herald_service_destroy(fixture->service);
}

static inline struct herald_http_request *
post(const struct fixture *fixture, uint64_t content_length)
{
	struct herald_http_request *request = herald_http_request_create(
		fixture->endpoint, &(struct herald_http_head){.method = "POST",
							      .content_type = "application/json",
							      .content_length = content_length});

	assert_non_null(request);
	return request;
}

/* A response as a text: "200 {...}", with the headers that it asks for. */
static inline const char *
text_of(const struct herald_http_response *response)
{
	static char text[8192];
	int used = snprintf(text, sizeof(text), "%u %.*s", response->status,
			    (int)response->body_bytes, response->body);

	assert_string_equal(response->content_type, "application/json");
	if (response->allow)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " Allow: %s",
				 response->allow);
	if (response->retry_after_s)
		snprintf(text + used, sizeof(text) - (size_t)used, " Retry-After: %u",
			 (unsigned)response->retry_after_s);
	return text;
}

/* Send a whole body and compare the answer. */
static inline void
check_answer(const struct fixture *fixture, const char *body, const char *expected)
{
	struct herald_http_request *request = post(fixture, strlen(body));

	assert_true(herald_http_request_append(request, body, strlen(body)));
	assert_null(herald_http_request_response(request));
	const struct herald_http_response *response = herald_http_request_finish(request);
	assert_string_equal(text_of(response), expected);
	/* The event is handled once; the answer stays. */
	assert_ptr_equal(herald_http_request_finish(request), response);
	assert_ptr_equal(herald_http_request_response(request), response);
	assert_ptr_equal(herald_http_request_unreadable(request), response);
	assert_false(herald_http_request_append(request, "x", 1));
	assert_string_equal(text_of(response), expected);
	herald_http_request_destroy(request);
}

#endif
