/*
 * The OPTIONS handshake of webhooks: the lines of tests/data/interop/webhook_handshake.jsonl, and
 * what they leave out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/herald.h>

#include "support/events.h"
#include "support/posting.h"

#define FILE_PATH "tests/data/interop/webhook_handshake.jsonl"
#define MAX_NAMES 8

static struct posted_answer
ask(const char *const *origins, uint32_t rate, const char *const *headers)
{
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(.max_event_bytes = 0));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.allowed_origins = origins,
								  .allowed_rate = rate));
	struct posted_answer answer = post(
		endpoint, &(struct posted){.method = "OPTIONS", .headers = headers, .body = ""});

	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return answer;
}

static bool
has_header(const struct posted_answer *answer, const char *name, const char *value)
{
	char line[512];

	snprintf(line, sizeof(line), "%s: %s%s", name, value, *value ? "\n" : "");
	return strstr(answer->headers, line);
}

/* "a or b" */
static bool
has_one_of(const struct posted_answer *answer, const char *name, const char *values)
{
	char copy[256], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", values);
	for (char *value = strtok_r(copy, " ", &rest); value; value = strtok_r(NULL, " ", &rest))
		if (strcmp(value, "or") != 0 && has_header(answer, name, value))
			return true;
	return false;
}

static void
check_answer(const char *name, json_t *expect, const struct posted_answer *answer)
{
	const char *key;
	json_t *value, *one;
	size_t i;
	bool is_status = false;

	json_array_foreach(json_object_get(expect, "status"), i, one) is_status |=
		json_integer_value(one) == answer->status;
	if (!is_status)
		fail_msg("%s: %u", name, answer->status);
	json_array_foreach(json_object_get(expect, "absent"), i,
			   one) if (has_header(answer, json_string_value(one), ""))
		fail_msg("%s: %s", name, answer->headers);
	json_object_foreach(expect, key,
			    value) if (json_is_string(value) &&
				       !has_one_of(answer, key, json_string_value(value)))
		fail_msg("%s: %s is not in %s", name, key, answer->headers);
}

static void
test_lines(void **state)
{
	FILE *file = fopen(FILE_PATH, "r");
	char text[4096];
	size_t count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(text, sizeof(text), file)) {
		json_t *line = json_loads(text, 0, NULL), *value, *origins;
		const char *headers[2 * MAX_NAMES + 1] = {NULL}, *names[MAX_NAMES] = {NULL}, *name;
		size_t used = 0, i;

		assert_non_null(line);
		json_object_foreach(json_object_get(line, "headers"), name, value)
		{
			headers[used++] = name;
			headers[used++] = json_string_value(value);
		}
		origins = json_object_get(line, "allowed_origins");
		json_array_foreach(origins, i, value) names[i] = json_string_value(value);
		json_int_t rate = json_integer_value(json_object_get(line, "allowed_rate"));
		/* Without origins there is nothing to allow. */
		const struct posted_answer answer =
			ask(names, names[0] ? (uint32_t)rate : 0, headers);
		check_answer(json_string_value(json_object_get(line, "name")),
			     json_object_get(line, "expect"), &answer);
		json_decref(line);
		count++;
	}
	fclose(file);
	assert_int_equal(count, 10);
}

/* What the lines leave out. */
static void
test_requests(void **state)
{
	static const char *const some[] = {"first.example", "a.example", NULL};
	static const char *const any[] = {"*", NULL};
	static const struct {
		const char *const *origins;
		uint32_t rate;
		const char *headers[7];
		unsigned status;
		const char *origin, *granted; /* NULL: none */
	} cases[] = {
		{some, 0, {"webhook-request-origin", "A.EXAMPLE"}, 204, "a.example", "*"},
		{some, 7, {"webhook-request-origin", " a.example "}, 204, "a.example", "7"},
		{some,
		 0,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Rate", "9"},
		 204,
		 "a.example",
		 "9"},
		{some,
		 8,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Rate", "007"},
		 204,
		 "a.example",
		 "7"},
		{some,
		 8,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Rate",
		  "99999999999999999999999999"},
		 204,
		 "a.example",
		 "8"},
		{any, 0, {"WebHook-Request-Origin", "\"><script>"}, 204, "*", "*"},
		{some, 8, {"WebHook-Request-Origin", ""}, 204, NULL, NULL},
		{some, 8, {"WebHook-Request-Origin", "example"}, 204, NULL, NULL},
		{some, 8, {"WebHook-Request-Origin", "b.a.example"}, 204, NULL, NULL},
		{some, 8, {"WebHook-Request-Origin", "a.example."}, 204, NULL, NULL},
		{some, 8, {"WebHook-Request-Rate", "0"}, 204, NULL, NULL},
		{some,
		 8,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Rate", "-1"},
		 400,
		 NULL,
		 NULL},
		{some,
		 8,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Rate", ""},
		 400,
		 NULL,
		 NULL},
		{some,
		 8,
		 {"WebHook-Request-Origin", "a.example", "WebHook-Request-Origin", "b.example"},
		 400,
		 NULL,
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct posted_answer answer =
			ask(cases[i].origins, cases[i].rate, cases[i].headers);

		if (answer.status != cases[i].status ||
		    !has_header(&answer, "Allow", "POST, OPTIONS") ||
		    has_header(&answer, "WebHook-Allowed-Origin",
			       cases[i].origin ? cases[i].origin : "") !=
			    (cases[i].origin != NULL) ||
		    has_header(&answer, "WebHook-Allowed-Rate",
			       cases[i].granted ? cases[i].granted : "") !=
			    (cases[i].granted != NULL))
			fail_msg("case %zu: %u %s", i, answer.status, answer.headers);
	}
}

static void
test_options(void **state)
{
	static const char *const empty_name[] = {"a.example", "", NULL};
	static const char *const scheme[] = {"https://a.example", NULL};
	static const char *const pattern[] = {"*.example", NULL};
	static const char *const dots[] = {"a..example", NULL};
	static const struct {
		struct herald_endpoint_options options;
		const char *path;
	} cases[] = {
		{{.allowed_origins = empty_name}, "allowed_origins[1]"},
		{{.allowed_origins = scheme}, "allowed_origins[0]"},
		{{.allowed_origins = pattern}, "allowed_origins[0]"},
		{{.allowed_origins = dots}, "allowed_origins[0]"},
		{{.allowed_rate = 5}, "allowed_rate"},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(.max_event_bytes = 0));

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_endpoint_options options = cases[i].options;
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_endpoint_create(service, &options, &endpoint, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
	}
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines, events_setup),
		cmocka_unit_test_setup(test_requests, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
