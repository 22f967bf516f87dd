/*
 * What the dashboard's API says of the events that a service takes: api/asyncapi, api/schema and
 * api/pipeline, on services whose routes have versions, upcasters, raw payloads and a catch-all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/admin.h>

#include "support/events.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define TOKEN "0123456789abcdef"

/* Payloads, whose names are the titles of their schemas. */
struct v1 {
	const char *name;
};
struct v2 {
	const char *name;
};
struct v9 {
	const char *name;
};
struct v10 {
	const char *name;
};
HERALD_SCHEMA(v1, HERALD_FIELD(v1, name, .required = true));
HERALD_SCHEMA(v2, HERALD_FIELD(v2, name, .required = true));
HERALD_SCHEMA(v9, HERALD_FIELD(v9, name, .required = true));
HERALD_SCHEMA(v10, HERALD_FIELD(v10, name, .required = true));

#define DEFINE(NAME)                                                                               \
	static enum herald_verdict on_##NAME(struct herald_context *ctx, const struct NAME *item)  \
	{                                                                                          \
		(void)ctx;                                                                         \
		(void)item;                                                                        \
		return HERALD_DONE;                                                                \
	}                                                                                          \
	HERALD_FUNCTION(on_##NAME, NAME)

DEFINE(v1);
DEFINE(v2);
DEFINE(v9);
DEFINE(v10);
DEFINE(herald_json);
DEFINE(herald_data);

static enum herald_verdict
v1_to_v2(struct herald_context *ctx, const struct v1 *from, struct v2 *to)
{
	(void)ctx;
	to->name = from->name;
	return HERALD_DONE;
}
HERALD_UPCASTER(v1_to_v2, v1, v2);

static const struct herald_route routes[] = {
	HERALD_ROUTE("order", v9, on_v9, NULL, .version = "1.9"),
	HERALD_ROUTE("order", v10, on_v10, NULL, .version = "1.10"),
	HERALD_ROUTE("order", v1, on_v1, NULL, .version = "1"),
	HERALD_ROUTE("paid", v2, on_v2, NULL, .version = "2"),
	HERALD_ROUTE("mixed", v1, on_v1, NULL),
	HERALD_ROUTE("mixed", v2, on_v2, NULL, .version = "02.x"),
	HERALD_ROUTE("mixed", v9, on_v9, NULL, .version = "1.x"),
	HERALD_ROUTE("raw", herald_json, on_herald_json, NULL),
	HERALD_ROUTE("say \"hi\"", herald_data, on_herald_data, NULL),
	HERALD_ROUTE(HERALD_ANY_TYPE, herald_json, on_herald_json, NULL),
};

static const struct herald_upcaster upcasters[] = {
	HERALD_UPCAST("paid", "1", v1, "2", v2, v1_to_v2),
};

static struct herald_service *service;
static struct herald_admin *admin;

/* With or without the catch-all, which is the last route. */
static void
start(bool has_catch_all)
{
	service = create_service(
		&HERALD_SERVICE_OPTIONS(.routes = routes,
					.routes_count = COUNT(routes) - !has_catch_all,
					HERALD_UPCASTERS(upcasters)));
	assert_int_equal(
		herald_admin_create(&HERALD_ADMIN_OPTIONS(.service = service, .token = TOKEN,
							  .name = "The \"shop\""),
				    &admin, NULL),
		HERALD_OK);
}

static void
stop(void)
{
	herald_admin_destroy(admin);
	herald_service_destroy(service);
}

static const char *
header_of(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "Authorization") == 0 ? "Bearer " TOKEN : NULL;
}

/* What a GET answers, NUL-terminated. */
static char *
ask(const char *path, const char *query, unsigned status)
{
	struct herald_admin_response response;

	assert_int_equal(
		herald_admin_handle(admin,
				    &HERALD_ADMIN_REQUEST(.method = "GET", .path = path,
							  .query = query, .header = header_of),
				    &response),
		HERALD_OK);
	char *text = calloc(response.body.bytes + 1, 1);

	assert_non_null(text);
	memcpy(text, response.body.data, response.body.bytes);
	if (response.status != status)
		fail_msg("%s?%s: expected %u, got %u %s", path, query ? query : "", status,
			 response.status, text);
	assert_string_equal(response.content_type, "application/json");
	herald_admin_response_finish(&response);
	return text;
}

/* A resource refuses a query with this error. */
static void
assert_refused_by(const char *path, const char *query, unsigned status, const char *error)
{
	char *text = ask(path, query, status), expected[512];

	snprintf(expected, sizeof(expected), "{\"error\":\"%s\"}", error);
	assert_string_equal(text, expected);
	free(text);
}

/* The payload's schema has this title. */
static void
assert_title(const char *query, const char *title)
{
	char *text = ask("api/schema", query, 200), expected[64];

	snprintf(expected, sizeof(expected), "\"title\": \"%s\"", title);
	if (!strstr(text, expected))
		fail_msg("%s: expected %s, got %s", query, title, text);
	free(text);
}

static void
assert_refused(const char *query, unsigned status, const char *error)
{
	assert_refused_by("api/schema", query, status, error);
}

#define V1_SCHEMA(DRAFT)                                                                           \
	"{\n"                                                                                      \
	"  \"$schema\": \"" DRAFT "\",\n"                                                          \
	"  \"title\": \"v1\",\n"                                                                   \
	"  \"type\": \"object\",\n"                                                                \
	"  \"properties\": {\n"                                                                    \
	"    \"name\": {\n"                                                                        \
	"      \"type\": \"string\",\n"                                                            \
	"      \"pattern\": \"^[^\\\\x00]*$\"\n"                                                   \
	"    }\n"                                                                                  \
	"  },\n"                                                                                   \
	"  \"required\": [\"name\"]\n"                                                             \
	"}"

static void
test_drafts(void **state)
{
	static const char *const newer[] = {"type=order&version=1",
					    "type=order&version=1&draft=2020-12"};

	(void)state;
	start(false);
	for (size_t i = 0; i < COUNT(newer); i++) {
		char *text = ask("api/schema", newer[i], 200);

		assert_string_equal(text,
				    V1_SCHEMA("https://json-schema.org/draft/2020-12/schema"));
		free(text);
	}
	char *text = ask("api/schema", "type=order&version=1&draft=7", 200);
	assert_string_equal(text, V1_SCHEMA("http://json-schema.org/draft-07/schema#"));
	free(text);
	stop();
}

/* Without a version: the highest one, whatever the order of the routes is. */
static void
test_versions(void **state)
{
	(void)state;
	start(false);
	assert_title("type=order", "v10");
	assert_title("type=order&version=1.9", "v9");
	assert_title("type=paid", "v2");
	assert_title("type=paid&version=1", "v1");
	assert_title("type=mixed", "v2");
	assert_title("type=mixed&version=1.5", "v9");
	assert_title("type=mixed&version=7", "v1");
	assert_title("type=mixed&version=", "v1");
	stop();
}

static void
test_what_accepts_everything(void **state)
{
	(void)state;
	start(true);
	static const char *const raw[] = {"type=raw", "type=*", "type=other",
					  "type=order&version=7"};
	for (size_t i = 0; i < COUNT(raw); i++)
		assert_title(raw[i], "herald_json");
	char *text = ask("api/schema", "type=say+%22hi%22", 200);
	assert_string_equal(text,
			    "{\n"
			    "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
			    "  \"title\": \"herald_data\",\n"
			    "  \"description\": \"Bytes of any media type.\"\n"
			    "}");
	free(text);
	stop();
}

static void
test_what_is_refused(void **state)
{
	static const char types[] = "; there are: \\\"mixed\\\", \\\"order\\\", \\\"paid\\\", "
				    "\\\"raw\\\", \\\"say \\\"hi\\\"\\\"";
	char expected[256];

	(void)state;
	start(false);
	snprintf(expected, sizeof(expected), "there is no event type \\\"ordr\\\"%s", types);
	assert_refused("type=ordr", 404, expected);
	assert_refused("type=ordr&version=1", 404, expected);
	snprintf(expected, sizeof(expected), "there is no event type \\\"*\\\"%s", types);
	assert_refused("type=*", 404, expected);
	assert_refused("type=order&version=3", 404,
		       "there is no version \\\"3\\\" of \\\"order\\\"; there are: \\\"1\\\", "
		       "\\\"1.10\\\", \\\"1.9\\\"");
	assert_refused("type=paid&version=", 404,
		       "there is no version \\\"\\\" of \\\"paid\\\"; there are: \\\"1\\\", "
		       "\\\"2\\\"");
	assert_refused("type=order&draft=4", 400, "draft: expected 7 or 2020-12, not \\\"4\\\"");
	assert_refused(NULL, 400, "the argument \\\"type\\\" is missing");
	assert_refused("type=order&event_type=order", 400,
		       "there is no argument \\\"event_type\\\"");
	stop();
}

static void
test_asyncapi(void **state)
{
	(void)state;
	start(true);
	char *text = ask("api/asyncapi", NULL, 200);
	static const char begin[] = "{\n"
				    "  \"asyncapi\": \"3.0.0\",\n"
				    "  \"info\": {\n"
				    "    \"title\": \"The \\\"shop\\\"\",\n";
	assert_int_equal(strncmp(text, begin, sizeof(begin) - 1), 0);
	assert_non_null(strstr(text, "\"#/components/messages/order_1.10\""));
	free(text);
	stop();
}

/* Without arguments it is what the library writes. */
static void
test_pipeline(void **state)
{
	struct herald_buffer described;

	(void)state;
	start(true);
	herald_buffer_init(&described, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &described),
			 HERALD_OK);
	char *text = ask("api/pipeline", NULL, 200);
	assert_int_equal(strncmp(text, "{\"pipeline\":", 12), 0);
	assert_int_equal(strncmp(text + 12, described.data, described.bytes), 0);
	assert_string_equal(text + 12 + described.bytes, "}");
	char *same = ask("api/pipeline", "format=json", 200);
	assert_string_equal(same, text);
	free(same);
	free(text);
	herald_buffer_finish(&described);
	stop();
}

/* Of one type: its routes, its upcasters and its payloads, and the route that takes its other
 * versions. */
static void
test_pipeline_of_a_type(void **state)
{
	static const char paid[] = "{\"text\":\"routes[3] paid 2\\n"
				   "\\tdecode    envelope herald_message\\n"
				   "\\tpayload   struct v2\\n"
				   "\\tfunction  struct v2\\n"
				   "routes[9] any other event\\n"
				   "\\tdecode    envelope herald_message\\n"
				   "\\tpayload   struct herald_json\\n"
				   "\\tfunction  struct herald_json\\n"
				   "routes[3] paid 1 -> 2\\n"
				   "\\tdecode    envelope herald_message\\n"
				   "\\tpayload   struct v1\\n"
				   "\\tupcast    v1_to_v2 -> struct v2\\n"
				   "\\tfunction  struct v2\\n"
				   "unknown events: reject\\n";
	static const char other[] = "{\"text\":\"routes[9] any other event\\n";
	static const char payloads[] = "struct v2\\n\\tname, required\\n"
				       "struct v1\\n\\tname, required\\n\"}";

	(void)state;
	start(true);
	char *text = ask("api/pipeline", "type=paid&format=text", 200);
	assert_int_equal(strncmp(text, paid, sizeof(paid) - 1), 0);
	assert_string_equal(text + strlen(text) - strlen(payloads), payloads);
	assert_null(strstr(text, "struct v9"));
	free(text);
	text = ask("api/pipeline", "type=other&format=text", 200);
	assert_int_equal(strncmp(text, other, sizeof(other) - 1), 0);
	assert_null(strstr(text, "routes[0]"));
	free(text);
	text = ask("api/pipeline", "type=paid", 200);
	assert_non_null(strstr(text, "\"event_type\":\"paid\",\"version\":\"1\""));
	assert_null(strstr(text, "\"order\""));
	free(text);
	/* Upcasters of other types, and the payloads before them, are left out as well. */
	text = ask("api/pipeline", "type=raw&format=text", 200);
	assert_null(strstr(text, "paid"));
	assert_null(strstr(text, "struct v1"));
	free(text);
	stop();
}

static void
test_pipelines_that_are_refused(void **state)
{
	(void)state;
	start(false);
	assert_refused_by("api/pipeline", "format=yaml", 400,
			  "format: expected json or text, not \\\"yaml\\\"");
	assert_refused_by("api/pipeline", "version=1", 400, "there is no argument \\\"version\\\"");
	assert_refused_by("api/pipeline", "type=ordr", 404,
			  "there is no event type \\\"ordr\\\"; there are: \\\"mixed\\\", "
			  "\\\"order\\\", \\\"paid\\\", \\\"raw\\\", \\\"say \\\"hi\\\"\\\"");
	stop();
}

static void
test_without_a_service(void **state)
{
	static const char none[] = "{\"error\":\"there is no service\"}";
	static const char *const paths[] = {"api/asyncapi", "api/schema", "api/pipeline"};

	(void)state;
	assert_int_equal(herald_admin_create(&HERALD_ADMIN_OPTIONS(.token = TOKEN), &admin, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < COUNT(paths); i++) {
		char *text = ask(paths[i], "type=order", 404);

		assert_string_equal(text, none);
		free(text);
	}
	herald_admin_destroy(admin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drafts),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_what_accepts_everything),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_asyncapi),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_pipeline_of_a_type),
		cmocka_unit_test(test_pipelines_that_are_refused),
		cmocka_unit_test(test_without_a_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
