/*
 * The dashboard's API without a server: options, who may use it, and what each resource answers,
 * on a store in memory whose clock the tests move.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "admin/admin.h"
#include "admin/turn.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"
#include "support/store_fixture.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define TOKEN "0123456789abcdef0123456789abcdef"
#define BEARER "Authorization: Bearer " TOKEN "\n"
#define JSON "Content-Type: application/json\n"

static struct store_fixture *f;
static struct herald_admin *admin;
static char log_text[4096];

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	admin = NULL;
	log_text[0] = '\0';
	return f ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	free(f);
	return 0;
}

static void
keep_log(const struct herald_log_record *record, void *state)
{
	size_t used = strlen(log_text);

	(void)state;
	used += (size_t)snprintf(log_text + used, sizeof(log_text) - used, "%s %s",
				 herald_log_level_name(record->level), record->message);
	for (size_t i = 0; i < record->fields_count && used < sizeof(log_text); i++) {
		const struct herald_log_field *field = &record->fields[i];

		if (field->text)
			used += (size_t)snprintf(log_text + used, sizeof(log_text) - used, " %s=%s",
						 field->key, field->text);
		else
			used += (size_t)snprintf(log_text + used, sizeof(log_text) - used,
						 " %s=%lld", field->key, (long long)field->number);
	}
	assert_true(used + 1 < sizeof(log_text));
	strcpy(log_text + used, "\n");
}

/* A clock that stands still, unless a test moves it. */
static uint64_t now_ms;

static uint64_t
clock_now(void *state)
{
	(void)state;
	return now_ms;
}

static int64_t
clock_wall(void *state)
{
	(void)state;
	return INT64_C(1800000000000) + (int64_t)now_ms;
}

static const struct herald__delivery_clock test_clock = {.now_ms = clock_now,
							 .wall_ms = clock_wall};

/* A store with `count` dead letters "1", "2", ..., and a dashboard of it. */
static void
start(size_t count, struct herald_admin_options options)
{
	struct herald_error error = {0};

	store_fixture_init(f, &(struct store_fixture_options){0});
	for (size_t i = 1; i <= count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%zu", i);
		store_submit(f, id, "fail");
	}
	store_settle(f);
	f->wall_ms += 1000;
	options.struct_size = sizeof(options);
	options.service = f->service;
	options.token = TOKEN;
	options.log = (struct herald_log){keep_log, NULL, HERALD_LOG_DEBUG};
	now_ms = 1000;
	if (herald__admin_create(&options, &test_clock, &admin, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
stop(void)
{
	herald_admin_destroy(admin);
	store_fixture_finish(f);
}

/* Headers are lines "Name: value\n". */
static const char *
find_header(const char *name, void *state)
{
	static char values[8][512]; /* several are used at a time */
	static unsigned calls;
	char *value = values[calls++ % COUNT(values)];
	const char *at = state;
	const size_t bytes = strlen(name);

	while (*at != '\0') {
		const char *end = strchr(at, '\n');

		if (strncmp(at, name, bytes) == 0 && at[bytes] == ':') {
			snprintf(value, sizeof(values[0]), "%.*s", (int)(end - at - (int)bytes - 2),
				 at + bytes + 2);
			return value;
		}
		at = end + 1;
	}
	return NULL;
}

/* An answer, whose body is NUL-terminated in `text`. */
struct answer {
	struct herald_admin_response response;
	char *text;
};

static const char *
header_of(const struct answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->response.headers_count; i++)
		if (strcmp(answer->response.headers[i].name, name) == 0)
			return answer->response.headers[i].value;
	return NULL;
}

static void
finish(struct answer *answer)
{
	herald_admin_response_finish(&answer->response);
	free(answer->text);
}

static enum herald_status
try_ask(const char *method, const char *path, const char *headers, const char *body,
	struct answer *out)
{
	const char *query = strchr(path, '?');
	char *place = strndup(path, query ? (size_t)(query - path) : strlen(path));
	enum herald_status status = herald_admin_handle(
		admin,
		&HERALD_ADMIN_REQUEST(.method = method, .path = place,
				      .query = query ? query + 1 : NULL, .header = find_header,
				      .state = (void *)(uintptr_t)headers,
				      .body = {body, strlen(body)}),
		&out->response);

	free(place);
	if (status != HERALD_OK)
		return status;
	out->text = calloc(out->response.body.bytes + 1, 1);
	assert_non_null(out->text);
	if (out->response.body.bytes > 0)
		memcpy(out->text, out->response.body.data, out->response.body.bytes);
	return HERALD_OK;
}

static struct answer
ask(const char *method, const char *path, const char *headers, const char *body)
{
	struct answer answer;

	assert_int_equal(try_ask(method, path, headers, body, &answer), HERALD_OK);
	return answer;
}

static void
check(const char *method, const char *path, const char *headers, const char *body, unsigned status,
      const char *text)
{
	struct answer answer = ask(method, path, headers, body);

	if (answer.response.status != status || (text && strcmp(answer.text, text) != 0))
		fail_msg("%s %s %s: expected %u %s, got %u %s", method, path, body, status,
			 text ? text : "", answer.response.status, answer.text);
	finish(&answer);
}

/* Read what a GET with the token answers. */
static json_t *
read_json(const char *path)
{
	struct answer answer = ask("GET", path, BEARER, "");
	json_error_t error;
	json_t *json = json_loads(answer.text, JSON_REJECT_DUPLICATES, &error);

	if (answer.response.status != 200 || !json)
		fail_msg("%s: %u %s", path, answer.response.status, answer.text);
	assert_string_equal(answer.response.content_type, "application/json");
	finish(&answer);
	return json;
}

static json_int_t
number(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value))
		fail_msg("%s is not a number", key);
	return json_integer_value(value);
}

static const char *
text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	if (!text)
		fail_msg("%s is not a string", key);
	return text;
}

/* Options. */

static void
test_options(void **state)
{
	static char long_token[258], long_name[65];
	memset(long_token, 'a', 257);
	memset(long_name, 'a', 64);
	const struct {
		struct herald_admin_options options;
		const char *path, *text;
	} cases[] = {
		{HERALD_ADMIN_OPTIONS(.name = "x"), "token", "is required"},
		{HERALD_ADMIN_OPTIONS(.token = ""), "token", "is required"},
		{HERALD_ADMIN_OPTIONS(.token = long_token), "token",
		 "must have at most 256 bytes, not 257"},
		{HERALD_ADMIN_OPTIONS(.token = "ab c"), "token",
		 "must be visible ASCII; byte 2 is not"},
		{HERALD_ADMIN_OPTIONS(.token = "abc\xC3\xA4"), "token",
		 "must be visible ASCII; byte 3 is not"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .name = ""), "name",
		 "must have 1 to 63 bytes, not 0"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .name = long_name), "name",
		 "must have 1 to 63 bytes, not 64"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .max_wrong_tokens_per_minute = 1000001),
		 "max_wrong_tokens_per_minute", "must be at most 1000000, not 1000001"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .max_actions_per_minute = 1000001),
		 "max_actions_per_minute", "must be at most 1000000, not 1000001"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .max_action_count = 1000001),
		 "max_action_count", "must be at most 1000000, not 1000001"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .max_payload_bytes = (64u << 20) + 1),
		 "max_payload_bytes", "must be at most 67108864, not 67108865"},
		{HERALD_ADMIN_OPTIONS(.token = TOKEN, .consumers_count = 1), "consumers",
		 "is NULL, but consumers_count is 1; HERALD_CONSUMERS(array) sets both"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_error error;

		assert_int_equal(herald_admin_create(&cases[i].options, &admin, &error),
				 HERALD_BAD_OPTION);
		assert_option_error(&error, cases[i].path, cases[i].text);
		assert_null(admin);
	}
	assert_int_equal(herald_admin_create(NULL, &admin, NULL), HERALD_BAD_OPTION);
	herald_admin_destroy(NULL);
}

static void
test_a_weak_token_is_logged(void **state)
{
	(void)state;
	assert_int_equal(
		herald_admin_create(&HERALD_ADMIN_OPTIONS(.token = "0123456789abcde",
							  .log = {keep_log, NULL, HERALD_LOG_INFO}),
				    &admin, NULL),
		HERALD_OK);
	assert_string_equal(log_text,
			    "warning the dashboard's token has fewer than 16 characters\n");
	herald_admin_destroy(admin);
}

/* Access. */

static void
test_tokens(void **state)
{
	static const char *const wrong[] = {
		"Authorization: Bearer " TOKEN "x\n",
		"Authorization: Bearer 0123456789abcdef0123456789abcde\n",
		"Authorization: Bearer x\n",
		"Authorization: Bearer \n",
		"Authorization: Bearer 0123456789abcdef0123456789abcdeg\n",
		"Authorization: Bearer 1123456789abcdef0123456789abcdef\n",
	};
	static const char *const missing[] = {"", "Authorization: Basic " TOKEN "\n",
					      "Authorization: " TOKEN "\n",
					      "Cookie: token=" TOKEN "\n"};

	(void)state;
	start(0, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(missing); i++)
		check("GET", "api/state", missing[i], "", 401,
		      "{\"error\":\"a token is required: Authorization: Bearer TOKEN\"}");
	assert_string_equal(log_text, "");
	for (size_t i = 0; i < COUNT(wrong); i++)
		check("GET", "api/state", wrong[i], "", 401, "{\"error\":\"the token is wrong\"}");
	assert_non_null(strstr(log_text, "warning wrong token for the dashboard\n"));
	check("GET", "api/state", BEARER, "", 200, NULL);
	check("GET", "api/state", "Authorization: bearer  " TOKEN "\n", "", 200, NULL);
	/* Resources that are not there, and methods that are wrong, tell nothing without it. */
	check("GET", "api/nothing", "", "", 401, NULL);
	check("DELETE", "api/state", "", "", 401, NULL);
	check("POST", "api/dead-letters/drop", JSON, "{\"all\":true}", 401, NULL);
	stop();
}

/* The 4th wrong token is refused for a while. The right one is not, or a client that sends wrong
 * ones would lock out the others. */
static void
test_wrong_tokens_are_limited(void **state)
{
	struct answer answer;

	(void)state;
	start(0, (struct herald_admin_options){.max_wrong_tokens_per_minute = 3});
	for (int i = 0; i < 3; i++)
		check("GET", "api/state", "Authorization: Bearer no\n", "", 401, NULL);
	assert_int_equal(try_ask("GET", "api/state", "Authorization: Bearer no\n", "", &answer),
			 HERALD_OK);
	assert_int_equal(answer.response.status, 429);
	assert_string_equal(answer.text,
			    "{\"error\":\"there were too many wrong tokens; try again in 21 s\"}");
	assert_string_equal(header_of(&answer, "Retry-After"), "21");
	finish(&answer);
	check("GET", "api/state", BEARER, "", 200, NULL);
	now_ms += 19999;
	check("GET", "api/state", "Authorization: Bearer no\n", "", 429, NULL);
	check("GET", "api/state", BEARER, "", 200, NULL);
	now_ms += 1;
	check("GET", "api/state", "Authorization: Bearer no\n", "", 401, NULL);
	check("GET", "api/state", "Authorization: Bearer no\n", "", 429, NULL);
	now_ms += UINT64_C(1) << 40;
	for (int i = 0; i < 3; i++)
		check("GET", "api/state", "Authorization: Bearer no\n", "", 401, NULL);
	check("GET", "api/state", "Authorization: Bearer no\n", "", 429, NULL);
	stop();
}

static void
test_other_sites_are_refused(void **state)
{
	static const struct {
		const char *headers;
		unsigned status;
	} cases[] = {
		{BEARER JSON, 200},
		{BEARER JSON "Host: a.example:80\nOrigin: http://a.example:80\n", 200},
		{BEARER JSON "Host: A.example\nOrigin: https://a.example\n", 200},
		{BEARER JSON "Host: a.example\nOrigin: https://b.example\n", 403},
		{BEARER JSON "Host: a.example\nOrigin: https://a.example:81\n", 403},
		{BEARER JSON "Host: a.example\nOrigin: null\n", 403},
		{BEARER JSON "Origin: http://a.example\n", 403},
		{BEARER JSON "Sec-Fetch-Site: same-origin\nHost: proxied\nOrigin: https://a\n",
		 200},
		{BEARER JSON "Sec-Fetch-Site: none\n", 200},
		{BEARER JSON "Sec-Fetch-Site: cross-site\n", 403},
		{BEARER JSON "Sec-Fetch-Site: same-site\nHost: a\nOrigin: http://a\n", 403},
	};

	(void)state;
	start(1, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *refusal =
			cases[i].status == 403
				? "{\"error\":\"the request comes from another site\"}"
				: NULL;

		check("POST", "api/dead-letters/drop", cases[i].headers,
		      "{\"all\":true,\"dry_run\":true}", cases[i].status, refusal);
		check("GET", "api/state", cases[i].headers, "", cases[i].status, refusal);
	}
	stop();
}

static void
test_what_an_action_needs(void **state)
{
	(void)state;
	start(1, (struct herald_admin_options){0});
	check("POST", "api/dead-letters/drop", BEARER, "{\"all\":true}", 415,
	      "{\"error\":\"expected the content type application/json\"}");
	check("POST", "api/dead-letters/drop", BEARER "Content-Type: text/plain\n",
	      "{\"all\":true}", 415, NULL);
	static const char *const charsets[] = {
		"; charset=utf-16",
		";Charset=\"latin1\"",
		"; a=b; charset=utf-8x",
		";charset=",
	};
	for (size_t i = 0; i < COUNT(charsets); i++) {
		char headers[160];

		snprintf(headers, sizeof(headers), BEARER "Content-Type: application/json%s\n",
			 charsets[i]);
		check("POST", "api/dead-letters/drop", headers, "{\"all\":true}", 415,
		      "{\"error\":\"the charset must be utf-8\"}");
	}
	check("OPTIONS", "api/dead-letters/drop", BEARER, "", 405, NULL);
	check("OPTIONS", "api/dead-letters/drop", "", "", 401, NULL);
	check("OPTIONS", "", "", "", 405, NULL);
	check("GET", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 405,
	      "{\"error\":\"the method must be POST\"}");
	check("POST", "api/state", BEARER JSON, "{}", 405,
	      "{\"error\":\"the method must be GET, HEAD\"}");
	check("GET", "api/nothing", BEARER, "", 404, "{\"error\":\"there is no such resource\"}");
	assert_non_null(store_row(f, "1"));
	check("POST", "api/dead-letters/drop",
	      BEARER "Content-Type: Application/JSON; x=y; CHARSET=\"UTF-8\"\n", "{\"all\":true}",
	      200, NULL);
	assert_null(store_row(f, "1"));
	stop();
}

static void
test_read_only(void **state)
{
	(void)state;
	start(1, (struct herald_admin_options){.is_read_only = true});
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 403,
	      "{\"error\":\"the dashboard is read-only\"}");
	check("POST", "api/dead-letters/replay", BEARER JSON, "{\"all\":true,\"dry_run\":true}",
	      403, NULL);
	json_t *json = read_json("api/service");
	assert_true(json_is_true(json_object_get(json, "read_only")));
	json_decref(json);
	assert_non_null(store_row(f, "1"));
	stop();
}

static void
test_actions_are_limited(void **state)
{
	(void)state;
	start(3, (struct herald_admin_options){.max_actions_per_minute = 2});
	for (int i = 0; i < 2; i++)
		check("POST", "api/dead-letters/drop", BEARER JSON,
		      "{\"all\":true,\"dry_run\":true}", 200, NULL);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 429,
	      "{\"error\":\"there were too many actions; try again in 31 s\"}");
	check("GET", "api/dead-letters", BEARER, "", 200, NULL);
	now_ms += 30000;
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 200, NULL);
	assert_null(store_row(f, "1"));
	stop();
}

/* Files. */

static void
test_files(void **state)
{
	static const struct {
		const char *path, *type;
	} cases[] = {
		{"", "text/html; charset=utf-8"},
		{"page.css", "text/css; charset=utf-8"},
		{"page.js", "text/javascript; charset=utf-8"},
		{"letters.js", "text/javascript; charset=utf-8"},
		{"icon.svg", "image/svg+xml"},
	};

	(void)state;
	start(0, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct answer answer = ask("GET", cases[i].path, "", "");

		assert_int_equal(answer.response.status, 200);
		assert_string_equal(answer.response.content_type, cases[i].type);
		assert_true(answer.response.body.bytes > 0);
		assert_null(strstr(answer.text, TOKEN));
		assert_null(strstr(answer.text, "http://127"));
		finish(&answer);
	}
	check("GET", "page", "", "", 404, "{\"error\":\"there is no such page\"}");
	check("GET", "../page.css", "", "", 404, NULL);
	check("POST", "page.css", "", "", 405, "{\"error\":\"the method must be GET, HEAD\"}");
	stop();
}

static void
test_headers(void **state)
{
	static const struct {
		const char *path, *headers;
	} cases[] = {{"", ""}, {"api/state", BEARER}, {"api/state", ""}, {"nothing", ""}};

	(void)state;
	start(0, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct answer answer = ask("GET", cases[i].path, cases[i].headers, "");
		const char *policy = header_of(&answer, "Content-Security-Policy");

		assert_non_null(policy);
		assert_memory_equal(policy, "default-src 'none'; script-src 'self'; ", 39);
		assert_null(strstr(policy, "unsafe"));
		assert_non_null(strstr(policy, "frame-ancestors 'none'"));
		assert_non_null(strstr(policy, "base-uri 'none'"));
		assert_non_null(strstr(policy, "form-action 'none'"));
		assert_string_equal(header_of(&answer, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(header_of(&answer, "Referrer-Policy"), "no-referrer");
		assert_string_equal(header_of(&answer, "Cache-Control"), "no-store");
		assert_null(header_of(&answer, "Set-Cookie"));
		assert_null(header_of(&answer, "Access-Control-Allow-Origin"));
		finish(&answer);
	}
	stop();
}

static void
test_requests_that_are_not_valid(void **state)
{
	static char body[65538];
	struct herald_admin_response response;

	(void)state;
	start(0, (struct herald_admin_options){0});
	memset(body, ' ', sizeof(body) - 1);
	check("POST", "api/dead-letters/drop", BEARER JSON, body, 413,
	      "{\"error\":\"the body is larger than 65536 bytes\"}");
	assert_int_equal(herald_admin_handle(admin, &HERALD_ADMIN_REQUEST(.path = ""), &response),
			 HERALD_BAD_OPTION);
	assert_int_equal(
		herald_admin_handle(admin, &HERALD_ADMIN_REQUEST(.method = "GET"), &response),
		HERALD_BAD_OPTION);
	assert_int_equal(herald_admin_handle(
				 admin, &HERALD_ADMIN_REQUEST(.method = "GET", .path = "api/state"),
				 &response),
			 HERALD_OK);
	assert_int_equal(response.status, 401);
	herald_admin_response_finish(&response);
	stop();
}

/* What it shows. */

static void
test_service(void **state)
{
	(void)state;
	start(0, (struct herald_admin_options){.name = "The \"shop\""});
	json_t *json = read_json("api/service");
	assert_string_equal(text_of(json, "name"), "The \"shop\"");
	assert_string_equal(text_of(json, "began"), "2027-01-15T08:00:01Z");
	assert_true(json_is_false(json_object_get(json, "read_only")));
	assert_int_equal(number(json, "max_action_count"), 1000);
	assert_int_equal(json_array_size(json_object_get(json, "parts")), 2);
	const json_t *routes = json_object_get(json_object_get(json, "pipeline"), "routes");
	assert_true(json_array_size(routes) > 0);
	json_decref(json);
	stop();
}

static void
test_state(void **state)
{
	(void)state;
	start(2, (struct herald_admin_options){0});
	json_t *json = read_json("api/state");
	const json_t *routes = json_object_get(json, "routes");
	const size_t bounds = json_array_size(json_object_get(json, "bounds_us"));
	json_int_t failed = 0;

	assert_true(bounds > 0);
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *route = json_array_get(routes, i);

		failed += number(route, "fail");
		assert_int_equal(json_array_size(json_object_get(
					 json_object_get(route, "durations"), "counts")),
				 bounds + 1);
	}
	assert_int_equal(failed, 2);
	assert_true(json_is_null(json_object_get(
		json_array_get(routes, json_array_size(routes) - 1), "event_type")));
	const json_t *store = json_object_get(json, "store");
	assert_int_equal(number(store, "dead"), 2);
	assert_int_equal(number(store, "running"), 0);
	assert_true(json_is_null(json_object_get(store, "problem")));
	assert_int_equal(number(json, "clock_ms"), 1000);
	assert_null(json_object_get(json, "server"));
	assert_null(json_object_get(json, "consumers"));
	json_decref(json);
	stop();
}

/* A count is kept for a while, since it reads all rows. */
static void
test_queues(void **state)
{
	(void)state;
	start(3, (struct herald_admin_options){0});
	for (int i = 0; i < 2; i++) {
		json_t *json = read_json("api/queues");
		const json_t *rows = json_object_get(json, "rows");
		const json_t *row = json_array_get(rows, 0);

		assert_int_equal(json_array_size(rows), 1);
		assert_string_equal(text_of(row, "kind"), "event");
		assert_string_equal(text_of(row, "state"), "dead");
		assert_int_equal(number(row, "count"), 3);
		json_decref(json);
		store_submit(f, "more", "fail");
		store_settle(f);
		now_ms += 999;
	}
	now_ms += 1;
	json_t *json = read_json("api/queues");
	assert_int_equal(number(json_array_get(json_object_get(json, "rows"), 0), "count"), 4);
	json_decref(json);
	stop();
}

/* One request at a time waits for the store. */
static void
test_turns(void **state)
{
	static const char busy[] = "{\"error\":\"the store is still answering another request; try "
				   "again in 1 s\"}";
	struct answer answer;

	(void)state;
	start(1, (struct herald_admin_options){0});
	assert_true(herald__admin_turn_take(admin));
	assert_false(herald__admin_turn_take(admin));
	check("GET", "api/queues", BEARER, "", 503, busy);
	check("GET", "api/dead-letters", BEARER, "", 503, busy);
	check("GET", "api/dead-letters/1", BEARER, "", 503, busy);
	check("POST", "api/dead-letters/replay", BEARER JSON, "{\"all\":true}", 503, busy);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 503, busy);
	/* Its headers point into the response, which must not be copied. */
	assert_int_equal(try_ask("GET", "api/dead-letters", BEARER, "", &answer), HERALD_OK);
	assert_string_equal(header_of(&answer, "Retry-After"), "1");
	finish(&answer);
	json_decref(read_json("api/state"));
	json_decref(read_json("api/service"));
	herald__admin_turn_give(admin);
	assert_non_null(store_row(f, "1"));
	/* An old count is better than none. */
	json_decref(read_json("api/queues"));
	now_ms += 1000000;
	assert_true(herald__admin_turn_take(admin));
	json_decref(read_json("api/queues"));
	herald__admin_turn_give(admin);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 200, NULL);
	/* It is given back after a refusal, too. */
	check("GET", "api/dead-letters?why=bad", BEARER, "", 400, NULL);
	check("GET", "api/dead-letters", BEARER, "", 200, NULL);
	stop();
}

/* Dead letters. */

static size_t
count_page(const char *path, char *next, size_t next_bytes)
{
	json_t *json = read_json(path);
	const size_t count = json_array_size(json_object_get(json, "letters"));
	const char *id = json_string_value(json_object_get(json, "next"));

	snprintf(next, next_bytes, "%s", id ? id : "");
	json_decref(json);
	return count;
}

static void
test_pages(void **state)
{
	char path[96], next[32] = "0";
	size_t counts[] = {3, 3, 1};

	(void)state;
	start(7, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(counts); i++) {
		if (i == 0)
			strcpy(path, "api/dead-letters?limit=3");
		else
			snprintf(path, sizeof(path), "api/dead-letters?limit=3&after=%s", next);
		assert_int_equal(count_page(path, next, sizeof(next)), counts[i]);
	}
	assert_string_equal(next, "");
	assert_int_equal(count_page("api/dead-letters?limit=7", next, sizeof(next)), 7);
	assert_string_equal(next, "");
	assert_int_equal(count_page("api/dead-letters", next, sizeof(next)), 7);
	assert_int_equal(count_page("api/dead-letters?event_id=3", next, sizeof(next)), 1);
	assert_int_equal(count_page("api/dead-letters?event%5fid=%33&kind=event", next, 32), 1);
	assert_int_equal(count_page("api/dead-letters?why=expired", next, sizeof(next)), 0);
	assert_int_equal(count_page("api/dead-letters?kind=delivery", next, sizeof(next)), 0);
	assert_int_equal(count_page("api/dead-letters?from_ms=1&to_ms=2", next, sizeof(next)), 0);
	stop();
}

static void
test_queries_that_are_not_valid(void **state)
{
	static const struct {
		const char *query, *text;
	} cases[] = {
		{"kind=both", "{\"error\":\"kind: expected event or delivery, not \\\"both\\\"\"}"},
		{"why=bad", "{\"error\":\"why: there is no reason \\\"bad\\\"\"}"},
		{"limit=x", "{\"error\":\"limit: expected a number from 1, not \\\"x\\\"\"}"},
		{"limit=0", "{\"error\":\"limit: expected a number from 1, not \\\"0\\\"\"}"},
		{"to_ms=0", "{\"error\":\"to_ms: expected a number from 1, not \\\"0\\\"\"}"},
		{"from_ms=9223372036854775808", NULL},
		{"after=9223372036854775808",
		 "{\"error\":\"after: expected an id, not \\\"9223372036854775808\\\"\"}"},
		{"id=9223372036854775808",
		 "{\"error\":\"id: expected an id, not \\\"9223372036854775808\\\"\"}"},
		{"limit=501", "{\"error\":\"limit: must be at most 500\"}"},
		{"after=-1", "{\"error\":\"after: expected an id, not \\\"-1\\\"\"}"},
		{"id=", "{\"error\":\"id: expected an id, not \\\"\\\"\"}"},
		{"id=0", "{\"error\":\"id: expected an id, not \\\"0\\\"\"}"},
		{"colour=red", "{\"error\":\"there is no argument \\\"colour\\\"\"}"},
		{"%3Cscript%3E", "{\"error\":\"there is no argument \\\"<script>\\\"\"}"},
		{"from_ms=2&to_ms=1",
		 "{\"error\":\"to_ms: not after from_ms\",\"path\":\"to_ms\"}"},
	};

	(void)state;
	start(1, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(cases); i++) {
		char path[96];

		snprintf(path, sizeof(path), "api/dead-letters?%s", cases[i].query);
		check("GET", path, BEARER, "", 400, cases[i].text);
	}
	stop();
}

static void
test_a_letter(void **state)
{
	char path[64];

	(void)state;
	start(1, (struct herald_admin_options){0});
	json_t *list = read_json("api/dead-letters");
	const json_t *row = json_array_get(json_object_get(list, "letters"), 0);
	assert_null(json_object_get(row, "data"));
	snprintf(path, sizeof(path), "api/dead-letters/%s", text_of(row, "id"));
	json_t *letter = read_json(path);
	assert_string_equal(text_of(letter, "event_id"), "1");
	assert_string_equal(text_of(letter, "why"), "failed");
	assert_string_equal(text_of(letter, "kind"), "event");
	assert_non_null(strstr(text_of(letter, "data"), "fail"));
	assert_int_equal(strlen(text_of(letter, "data")), number(letter, "data_bytes"));
	assert_true(json_is_false(json_object_get(letter, "is_cut")));
	assert_true(json_is_array(json_object_get(letter, "attributes")));
	json_decref(letter);
	json_decref(list);
	check("GET", "api/dead-letters/999", BEARER, "", 404,
	      "{\"error\":\"there is no dead letter 999\"}");
	check("GET", "api/dead-letters/x", BEARER, "", 404,
	      "{\"error\":\"not the id of a dead letter\"}");
	check("GET", "api/dead-letters/", BEARER, "", 404, NULL);
	stop();
}

/* What comes in an event is text, whatever it is: the answer stays valid JSON. */
static void
test_payloads_of_any_bytes(void **state)
{
	char path[64];

	(void)state;
	start(0, (struct herald_admin_options){.max_payload_bytes = 4});
	store_submit(f, "<script>alert(1)</script>\x01", "fail");
	store_settle(f);
	json_t *list = read_json("api/dead-letters");
	const json_t *row = json_array_get(json_object_get(list, "letters"), 0);
	assert_string_equal(text_of(row, "event_id"), "<script>alert(1)</script>\x01");
	snprintf(path, sizeof(path), "api/dead-letters/%s", text_of(row, "id"));
	json_t *letter = read_json(path);
	assert_int_equal(strlen(text_of(letter, "data")), 4);
	assert_true(number(letter, "data_bytes") > 4);
	assert_true(json_is_true(json_object_get(letter, "is_cut")));
	json_decref(letter);
	json_decref(list);
	stop();
}

/* What is not text is cut where the limit is, and text before a character. */
static void
test_payloads_that_are_cut(void **state)
{
	static const struct {
		const char *data, *key, *shown;
	} cases[] = {
		{"\x80\x80\x80\x80\x80\x80\x80", "data_base64", "gICAgIA="},
		{"a\xC3\xA4\xC3\xA4\xC3\xA4", "data", "a\xC3\xA4\xC3\xA4"},
		{"ab\xC3\xA4\xC3\xA4", "data", "ab\xC3\xA4"},
		{"ab\xF0\x9F\x98\x80", "data", "ab"},
		{"abcdef", "data", "abcde"},
	};

	(void)state;
	start(1, (struct herald_admin_options){.max_payload_bytes = 5});
	struct model_row *row = (struct model_row *)(uintptr_t)store_row(f, "1");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char path[64];

		model_row_set_bytes(&row->data,
				    (struct herald_text){cases[i].data, strlen(cases[i].data)});
		snprintf(path, sizeof(path), "api/dead-letters/%llu", (unsigned long long)row->id);
		json_t *letter = read_json(path);
		assert_string_equal(text_of(letter, cases[i].key), cases[i].shown);
		assert_true(json_is_true(json_object_get(letter, "is_cut")));
		json_decref(letter);
	}
	stop();
}

/* Actions. */

static void
test_replay(void **state)
{
	(void)state;
	start(5, (struct herald_admin_options){.max_action_count = 3});
	f->runs[0] = '\0';
	check("POST", "api/dead-letters/replay", BEARER JSON, "{\"all\":true,\"dry_run\":true}",
	      200,
	      "{\"operation\":\"replay\",\"count\":3,\"dry_run\":true,\"more\":true,"
	      "\"to_ms\":1800000001001}");
	store_settle(f);
	assert_string_equal(f->runs, "");
	check("POST", "api/dead-letters/replay", BEARER JSON, "{\"event_id\":\"4\"}", 200,
	      "{\"operation\":\"replay\",\"count\":1,\"dry_run\":false,\"more\":false}");
	store_settle(f);
	assert_string_equal(f->runs, "4/1");
	f->runs[0] = '\0';
	check("POST", "api/dead-letters/replay", BEARER JSON, "{\"why\":\"failed\",\"limit\":2}",
	      200, "{\"operation\":\"replay\",\"count\":2,\"dry_run\":false,\"more\":true}");
	store_settle(f);
	assert_string_equal(f->runs, "1/1 2/1");
	assert_string_equal(log_text,
			    "info action of the dashboard action=replay dry_run=true count=3 "
			    "all=true\n"
			    "info action of the dashboard action=replay dry_run=false count=1 "
			    "event_id=4\n"
			    "info action of the dashboard action=replay dry_run=false count=2 "
			    "why=failed limit=2\n");
	log_text[0] = '\0';
	check("POST", "api/dead-letters/drop", BEARER JSON,
	      "{\"all\":true,\"after\":\"7\",\"from_ms\":1,\"to_ms\":2}", 200, NULL);
	assert_string_equal(log_text, "info action of the dashboard action=drop dry_run=false "
				      "count=0 all=true after=7 from_ms=1 to_ms=2\n");
	stop();
}

static void
test_drop(void **state)
{
	(void)state;
	start(3, (struct herald_admin_options){0});
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true,\"dry_run\":true}", 200,
	      "{\"operation\":\"drop\",\"count\":3,\"dry_run\":true,\"more\":false,"
	      "\"to_ms\":1800000001001}");
	assert_non_null(store_row(f, "1"));
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"event_id\":\"2\"}", 200,
	      "{\"operation\":\"drop\",\"count\":1,\"dry_run\":false,\"more\":false}");
	assert_null(store_row(f, "2"));
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 200,
	      "{\"operation\":\"drop\",\"count\":2,\"dry_run\":false,\"more\":false}");
	assert_null(store_row(f, "1"));
	assert_null(store_row(f, "3"));
	stop();
}

/* The answer of a dry run says up to which time it has counted. */
static void
test_a_dry_run_bounds_the_action(void **state)
{
	static const char counted[] = "{\"operation\":\"drop\",\"count\":1,\"dry_run\":true,"
				      "\"more\":false,\"to_ms\":1800000001001}";

	(void)state;
	start(0, (struct herald_admin_options){0});
	f->wall_ms = clock_wall(NULL);
	store_submit(f, "1", "fail");
	store_settle(f);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true,\"dry_run\":true}", 200,
	      counted);
	f->wall_ms++;
	store_submit(f, "2", "fail");
	store_settle(f);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true,\"dry_run\":true}", 200,
	      counted);
	check("POST", "api/dead-letters/drop", BEARER JSON,
	      "{\"all\":true,\"to_ms\":1800000001001}", 200,
	      "{\"operation\":\"drop\",\"count\":1,\"dry_run\":false,\"more\":false}");
	assert_null(store_row(f, "1"));
	assert_non_null(store_row(f, "2"));
	/* Times that were given stay, and one dead letter needs none. */
	check("POST", "api/dead-letters/drop", BEARER JSON,
	      "{\"all\":true,\"to_ms\":7,\"dry_run\":true}", 200,
	      "{\"operation\":\"drop\",\"count\":0,\"dry_run\":true,\"more\":false,\"to_ms\":7}");
	check("POST", "api/dead-letters/drop", BEARER JSON,
	      "{\"all\":true,\"from_ms\":1800000001001,\"dry_run\":true}", 200,
	      "{\"operation\":\"drop\",\"count\":1,\"dry_run\":true,\"more\":false}");
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"id\":\"2\",\"dry_run\":true}", 200,
	      "{\"operation\":\"drop\",\"count\":1,\"dry_run\":true,\"more\":false}");
	stop();
}

static void
test_actions_that_are_not_valid(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{"{}", "{\"error\":\"no filter: set \\\"all\\\" to true to select all dead "
		       "letters\"}"},
		{"{\"all\":false}", NULL},
		{"{\"kind\":\"event\"}", NULL},
		{"{\"to_ms\":1}", NULL},
		{"{\"destination\":\"\"}", NULL},
		{"{\"why\":\"failed\",\"queue\":\"\"}",
		 "{\"error\":\"queue: expected a non-empty string, found "
		 "\\\"\\\"\",\"path\":\"/queue\"}"},
		{"{\"all\":true,\"event_type\":\"\"}", NULL},
		{"{\"id\":\"1\",\"source\":\"\"}", NULL},
		{"{\"queue\":\"a\",\"event_id\":\"\"}", NULL},
		{"{\"all\":true,\"to_ms\":0}", NULL},
		{"{\"all\":true,\"limit\":0}", NULL},
		{"{\"all\":true,\"after\":\"9223372036854775808\"}",
		 "{\"error\":\"after: expected an id, not \\\"9223372036854775808\\\"\"}"},
		{"{\"all\":true,\"after\":\"18446744073709551615\"}", NULL},
		{"", NULL},
		{"[]", NULL},
		{"{\"all\":true", NULL},
		{"{\"all\":1}", NULL},
		{"{\"all\":true,\"al\":true}",
		 "{\"error\":\"al is not a member of admin_action\",\"path\":\"/al\"}"},
		{"{\"id\":\"x\"}", "{\"error\":\"id: expected an id, not \\\"x\\\"\"}"},
		{"{\"id\":1}", NULL},
		{"{\"all\":true,\"from_ms\":-1}", NULL},
		{"{\"all\":true,\"from_ms\":2,\"to_ms\":1}", NULL},
		{"{\"event_id\":\"1\",\"event_id\":\"2\"}", NULL},
	};

	(void)state;
	start(2, (struct herald_admin_options){0});
	for (size_t i = 0; i < COUNT(cases); i++)
		check("POST", "api/dead-letters/drop", BEARER JSON, cases[i].body, 400,
		      cases[i].text);
	assert_non_null(store_row(f, "1"));
	assert_non_null(store_row(f, "2"));
	stop();
}

static void
test_without_a_store(void **state)
{
	static const char none[] = "{\"error\":\"there is no store\"}";

	(void)state;
	assert_int_equal(herald_admin_create(&HERALD_ADMIN_OPTIONS(.token = TOKEN), &admin, NULL),
			 HERALD_OK);
	check("GET", "api/queues", BEARER, "", 404, none);
	check("GET", "api/dead-letters", BEARER, "", 404, none);
	check("GET", "api/dead-letters/1", BEARER, "", 404, none);
	check("POST", "api/dead-letters/drop", BEARER JSON, "{\"all\":true}", 404, none);
	json_decref(read_json("api/state"));
	json_decref(read_json("api/service"));
	herald_admin_destroy(admin);
}

/* Memory. */

static void
test_no_memory(void **state)
{
	static const struct {
		const char *path;
		unsigned status;
	} cases[] = {
		{"", 200},
		{"api/service", 200},
		{"api/pipeline?format=text", 200},
		{"api/asyncapi", 200},
		{"api/schema?type=task", 200},
		{"api/schema?type=tusk", 404},
		{"api/state", 200},
		{"api/queues", 200},
		{"api/dead-letters?why=failed", 200},
	};

	(void)state;
	store_fixture_init(f, &(struct store_fixture_options){0});
	store_submit(f, "1", "fail");
	store_settle(f);
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		admin = NULL;
		enum herald_status status = herald_admin_create(
			&HERALD_ADMIN_OPTIONS(.service = f->service, .token = TOKEN,
					      .allocator = memory.allocator),
			&admin, NULL);
		assert_true(status == (admin ? HERALD_OK : HERALD_NO_MEMORY));
		for (size_t i = 0; admin && i < COUNT(cases); i++) {
			struct answer answer;

			status = try_ask("GET", cases[i].path, BEARER, "", &answer);
			if (status == HERALD_OK) {
				assert_int_equal(answer.response.status, cases[i].status);
				finish(&answer);
			} else {
				assert_int_equal(status, HERALD_NO_MEMORY);
			}
		}
		herald_admin_destroy(admin);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	store_fixture_finish(f);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_options),
		TEST(test_a_weak_token_is_logged),
		TEST(test_tokens),
		TEST(test_wrong_tokens_are_limited),
		TEST(test_other_sites_are_refused),
		TEST(test_what_an_action_needs),
		TEST(test_read_only),
		TEST(test_actions_are_limited),
		TEST(test_files),
		TEST(test_headers),
		TEST(test_requests_that_are_not_valid),
		TEST(test_service),
		TEST(test_state),
		TEST(test_queues),
		TEST(test_turns),
		TEST(test_pages),
		TEST(test_queries_that_are_not_valid),
		TEST(test_a_letter),
		TEST(test_payloads_of_any_bytes),
		TEST(test_payloads_that_are_cut),
		TEST(test_replay),
		TEST(test_drop),
		TEST(test_a_dry_run_bounds_the_action),
		TEST(test_actions_that_are_not_valid),
		TEST(test_without_a_store),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
