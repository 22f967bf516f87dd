/*
 * Attributes: where they may be listed, which headers an HTTP request keeps for them, in which
 * order, and the log record about an unlisted one.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/adapter/request.h>
#include <herald/herald.h>

#include "support/draw.h"
#include "support/events.h"

/* Notes all attributes that are kept, then those that are asked for. */

static bool
note_attribute(const char *name, const char *value, void *state)
{
	size_t *left = state;

	note("%s=%s", name, value);
	return --*left > 0;
}

/* What the function asks for. */
struct questions {
	const char *const *names; /* then NULL */
	size_t visits;            /* stop after so many */
};

static enum herald_verdict
ask(struct herald_context *ctx, const void *payload, void *state)
{
	const struct questions *questions = state;
	size_t left = questions->visits;

	(void)payload;
	herald_context_attributes_visit(ctx, note_attribute, &left);
	for (const char *const *name = questions->names; name && *name; name++) {
		const char *value = herald_context_attribute(ctx, *name);

		note("%s?%s", *name, value ? value : "NULL");
	}
	return HERALD_DONE;
}

static const struct herald_handler_ops listing_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "listing",
	.attributes = (const char *const[]){"X-Handler", "Ce-*", NULL},
};

static enum herald_status
decode_any(const struct herald_format *format, struct herald_context *ctx, char *data, size_t bytes,
	   struct herald_decoded *out, struct herald_error *error)
{
	(void)format, (void)ctx, (void)data, (void)bytes, (void)error;
	out->message->event_type = "a";
	return HERALD_OK;
}

static const struct herald_format_ops format_ops = {
	.struct_size = sizeof(struct herald_format_ops),
	.decode = decode_any,
};
static const struct herald_format format = {.ops = &format_ops,
					    .attributes = (const char *const[]){"X-Format", NULL}};

/* A request's headers: names and values. */
static void
visit_pairs(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	for (const char *const *pair = state; pair[0]; pair += 2)
		if (!visit(pair[0], pair[1], visit_state))
			return;
}

/* Returns the status. */
static unsigned
post_head(struct herald_service *service, const struct herald_http_head *given,
	  size_t max_headers_bytes)
{
	static const char event[] = EVENT("a", "1");
	struct herald_endpoint *endpoint = NULL;
	struct herald_http_head head = *given;

	head.method = "POST";
	head.content_type = "application/json";
	head.content_length = strlen(event);
	assert_int_equal(herald_endpoint_create(
				 service,
				 &HERALD_ENDPOINT_OPTIONS(.max_headers_bytes = max_headers_bytes),
				 &endpoint, NULL),
			 HERALD_OK);
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);
	assert_non_null(request);
	herald_http_request_append(request, event, strlen(event));
	unsigned status = herald_http_request_finish(request)->status;
	herald_http_request_destroy(request);
	herald_endpoint_destroy(endpoint);
	return status;
}

static void
post(struct herald_service *service, const char *const *pairs)
{
	const struct herald_http_head head = {
		.headers_visit = visit_pairs,
		.state = (void *)(uintptr_t)pairs,
	};

	assert_int_equal(post_head(service, &head, 0), 200);
}

static const char *const all_headers[] = {
	"x-service", "1", "X-Route",  "2", "X-HANDLER", "3",  "X-Format", "4",
	"ce-id",     "5", "X-Nobody", "6", "X-Service", "7",  "CE-ID",    "",
	"ce",        "8", "Ce-",      "9", "ce-source", NULL, NULL,
};

/* Every list applies to the whole service: to the events of all routes. */
static void
test_who_lists_what(void **state)
{
	static const char *const names[] = {"X-Service", "X-Route", "X-Handler", "X-Format",
					    "Ce-Id",     "ce-none", "X-Nobody",  NULL};
	const char *of_service[] = {strdup("X-Service"), NULL};
	const char *of_route[] = {strdup("x-route"), strdup("X-SERVICE"), NULL};
	struct herald_handler listing = {.ops = &listing_ops};
	struct herald_handler *handlers[] = {&listing};
	struct questions questions = {names, SIZE_MAX};
	struct herald_route routes[] = {{.event_type = "a",
					 .schema = &herald_json_schema,
					 .function = ask,
					 .state = &questions},
					{.event_type = "b",
					 .schema = &herald_json_schema,
					 .function = ask,
					 .attributes = of_route}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), ONE_FORMAT(&format),
		.attributes = of_service, .log = debug_log));

	(void)state;
	/* They were copied. */
	free((void *)(uintptr_t)of_service[0]);
	free((void *)(uintptr_t)of_route[0]);
	free((void *)(uintptr_t)of_route[1]);
	memset(of_service, 0, sizeof(of_service));
	memset(of_route, 0, sizeof(of_route));
	post(service, all_headers);
	assert_string_equal(trace, "x-service=1 X-Route=2 X-HANDLER=3 X-Format=4 ce-id=5 "
				   "X-Service=7 CE-ID= Ce-=9 ce-source= "
				   "X-Service?1 X-Route?2 X-Handler?3 X-Format?4 Ce-Id?5 "
				   "ce-none?NULL X-Nobody?NULL");
	assert_non_null(strstr(logged, "attribute=X-Nobody\n"));
	assert_null(strstr(logged, "ce-none"));
	herald_service_destroy(service);
}

static void
test_a_visit_can_stop(void **state)
{
	const char *const everything[] = {"*", NULL};
	struct questions questions = {NULL, 3};
	struct herald_route routes[] = {{.event_type = "a",
					 .schema = &herald_json_schema,
					 .function = ask,
					 .state = &questions,
					 .attributes = everything}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	post(service, all_headers);
	assert_string_equal(trace, "x-service=1 X-Route=2 X-HANDLER=3");
	trace[0] = '\0';
	questions.visits = SIZE_MAX;
	post(service, all_headers);
	assert_non_null(strstr(trace, "X-Nobody=6"));
	herald_service_destroy(service);
}

/* Events that no adapter hands over. */

static const char *
find(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "known") == 0 ? "1" : NULL;
}

static void
handle_arriving(struct herald_service *service, const struct herald_arrival *arrival)
{
	char event[] = EVENT("a", "1");
	struct herald_result result;

	herald_service_handle_with(service, event, strlen(event), arrival, &result);
	check_verdict(&result, HERALD_DONE, "");
}

static size_t
count_in_log(const char *text)
{
	size_t count = 0;

	for (const char *at = logged; (at = strstr(at, text)); at++)
		count++;
	return count;
}

#define MISSED "an attribute was asked for that is in no list of attributes"

/* Once for each name and service, in every case of its letters; not if it is listed or there. */
static void
test_an_unlisted_name_is_logged_once(void **state)
{
	static const char *const names[] = {"X-A",   "x-a",   "listed", "LISTED",
					    "pre-x", "known", "X-B",    NULL};
	struct questions questions = {names, SIZE_MAX};
	const char *const listed[] = {"Listed", "pre-*", NULL};
	struct herald_route routes[] = {{.event_type = "a",
					 .schema = &herald_json_schema,
					 .function = ask,
					 .state = &questions}};
	const struct herald_service_options options = HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .attributes = listed, .log = debug_log);

	(void)state;
	for (size_t i = 1; i <= 2; i++) {
		struct herald_service *service = create_service(&options);

		for (int round = 0; round < 3; round++) {
			trace[0] = '\0';
			handle_arriving(service, &HERALD_ARRIVAL(.attribute = find));
			trace[0] = '\0';
			handle_arriving(service, NULL);
		}
		herald_service_destroy(service);
		/* Without an arrival "known" is missed, too. */
		assert_int_equal(count_in_log("debug: " MISSED), 3 * i);
		assert_int_equal(count_in_log("debug: " MISSED " attribute=X-A\n"), i);
		assert_int_equal(count_in_log("debug: " MISSED " attribute=X-B\n"), i);
		assert_int_equal(count_in_log("debug: " MISSED " attribute=known\n"), i);
	}
}

/* Names may be made up by senders; what is remembered of them is bounded. */
static void
count_record(const struct herald_log_record *record, void *state)
{
	if (strcmp(record->message, MISSED) == 0)
		__atomic_fetch_add((size_t *)state, 1, __ATOMIC_RELAXED);
}

static enum herald_verdict
ask_many(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "x-%u", i);
		assert_null(herald_context_attribute(ctx, name));
	}
	return HERALD_DONE;
}

static void *
handle_some(void *service)
{
	for (int i = 0; i < 20; i++)
		handle_arriving(service, NULL);
	return NULL;
}

static void
test_logged_names_are_bounded(void **state)
{
	size_t records = 0;
	struct herald_route routes[] = {
		{.event_type = "a", .schema = &herald_json_schema, .function = ask_many}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .log = {count_record, &records, HERALD_LOG_DEBUG}));
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, handle_some, service), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(records, 32);
	herald_service_destroy(service);
}

/* Lists and headers drawn at random: what is kept is what the list says. */

static bool
is_wanted(const char *const *list, const char *name)
{
	for (; *list; list++) {
		size_t bytes = strlen(*list);

		if ((*list)[bytes - 1] == '*' ? strncasecmp(*list, name, bytes - 1) == 0
					      : strcasecmp(*list, name) == 0)
			return true;
	}
	return false;
}

static void
draw_name(uint64_t *draw, char out[8])
{
	size_t bytes = 1 + draw_below(draw, 4);

	for (size_t i = 0; i < bytes; i++)
		out[i] = "aAbB-*"[draw_below(draw, 6)];
	out[bytes] = '\0';
}

static void
test_lists_drawn_at_random(void **state)
{
	uint64_t draw = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	for (int round = 0; round < 500; round++) {
		char names[4][8], headers[8][8], expected[512] = "";
		const char *list[5] = {0}, *pairs[17] = {0};
		struct questions questions = {NULL, SIZE_MAX};
		struct herald_route routes[] = {{.event_type = "a",
						 .schema = &herald_json_schema,
						 .function = ask,
						 .state = &questions}};

		for (size_t i = draw_below(&draw, 5); i > 0; i--) {
			draw_name(&draw, names[i - 1]);
			list[i - 1] = names[i - 1];
		}
		for (size_t i = 0, count = draw_below(&draw, 9); i < count; i++) {
			draw_name(&draw, headers[i]);
			pairs[2 * i] = headers[i];
			pairs[2 * i + 1] = "v";
			if (is_wanted(list, headers[i]))
				sprintf(expected + strlen(expected), "%s%s=v", *expected ? " " : "",
					headers[i]);
		}
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .attributes = list));
		trace[0] = '\0';
		post(service, pairs);
		assert_string_equal(trace, expected);
		herald_service_destroy(service);
	}
}

/* Arguments of queries. */

static const char *const argument_names[] = {"?access_token", "?t*", "X-Service", NULL};

static struct herald_service *
create_asking(struct questions *questions, const char *const *attributes)
{
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = ask,
					       .state = questions}};

	return create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .attributes = attributes));
}

static void
test_arguments(void **state)
{
	static const char *const asked[] = {"?access_token", NULL};
	static const struct {
		const char *query, *trace;
	} cases[] = {
		{NULL, "X-Service=1 ?access_token?NULL"},
		{"", "X-Service=1 ?access_token?NULL"},
		{"access_token=abc", "X-Service=1 ?access_token=abc ?access_token?abc"},
		{"a=1&access_token=x&b=2", "X-Service=1 ?access_token=x ?access_token?x"},
		/* As of forms. */
		{"access_token=a+b%2B%c3%A9", "X-Service=1 ?access_token=a b+\xc3\xa9 "
					      "?access_token?a b+\xc3\xa9"},
		{"%61ccess_token=1", "X-Service=1 ?access_token=1 ?access_token?1"},
		/* The first one is found, all are visited. */
		{"access_token=1&ACCESS_TOKEN=2",
		 "X-Service=1 ?access_token=1 ?ACCESS_TOKEN=2 ?access_token?1"},
		{"access_token", "X-Service=1 ?access_token= ?access_token?"},
		{"access_token=", "X-Service=1 ?access_token= ?access_token?"},
		{"access_token=a=b", "X-Service=1 ?access_token=a=b ?access_token?a=b"},
		{"access_token=100%", "X-Service=1 ?access_token=100% ?access_token?100%"},
		{"access_token=%4", "X-Service=1 ?access_token=%4 ?access_token?%4"},
		/* No part of a value passes for all of it. */
		{"access_token=abc%00d", "X-Service=1 ?access_token?NULL"},
		{"access_token=abc%00d&access_token=1",
		 "X-Service=1 ?access_token=1 ?access_token?1"},
		{"access_token%00=abc", "X-Service=1 ?access_token?NULL"},
		{"&&=&t=1&tt=2&x=3&", "X-Service=1 ?t=1 ?tt=2 ?access_token?NULL"},
		{"X-Service=2", "X-Service=1 ?access_token?NULL"},
	};
	/* A header is never an argument. */
	static const char *const headers[] = {"X-Service", "1", "?access_token", "h", NULL};
	struct questions questions = {asked, SIZE_MAX};
	struct herald_service *service = create_asking(&questions, argument_names);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct herald_http_head head = {
			.headers_visit = visit_pairs,
			.query = cases[i].query,
			.state = (void *)(uintptr_t)headers,
		};

		trace[0] = '\0';
		assert_int_equal(post_head(service, &head, 0), 200);
		if (strcmp(trace, cases[i].trace) != 0)
			fail_msg("%s: %s", cases[i].query, trace);
	}
	herald_service_destroy(service);
}

/* Of a framework that has decoded them. */
static void
test_decoded_arguments(void **state)
{
	static const char *const arguments[] = {"a",  "1", "access_token", "a+b%2B", "t",
						NULL, NULL};
	struct questions questions = {NULL, SIZE_MAX};
	struct herald_service *service = create_asking(&questions, argument_names);
	const struct herald_http_head head = {
		.arguments_visit = visit_pairs,
		.state = (void *)(uintptr_t)arguments,
	};

	(void)state;
	assert_int_equal(post_head(service, &head, 0), 200);
	assert_string_equal(trace, "?access_token=a+b%2B ?t=");
	herald_service_destroy(service);
}

/* "*" lists headers. What is kept of a query has the limit of headers. */
static void
test_limits_of_arguments(void **state)
{
	static const char *const all[] = {"*", NULL}, *const listed[] = {"?a", NULL};
	static char query[4096], long_name[600];
	struct questions questions = {NULL, SIZE_MAX};
	struct herald_service *service = create_asking(&questions, all);
	const struct herald_http_head head = {.query = query};

	(void)state;
	memset(query, 'x', sizeof(query) - 1);
	memcpy(query, "a=", 2);
	assert_int_equal(post_head(service, &head, 0), 200);
	assert_string_equal(trace, "");
	herald_service_destroy(service);

	service = create_asking(&questions, listed);
	assert_int_equal(post_head(service, &head, 2048), 431);
	/* Arguments that are not listed cost nothing, however long their names are. */
	query[0] = 'b';
	assert_int_equal(post_head(service, &head, 2048), 200);
	memset(query, 'a', 3000);
	assert_int_equal(post_head(service, &head, 2048), 200);
	herald_service_destroy(service);

	struct herald_endpoint *endpoint = NULL;
	struct herald_error error;
	static const char *const bad_names[] = {"?", long_name, "a b"};
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[0] = '?';
	for (size_t i = 0; i < COUNT(bad_names); i++) {
		const char *const names[] = {bad_names[i], NULL};

		service = create_asking(&questions, names);
		assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, "attributes");
		herald_service_destroy(service);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_lists_what, events_setup),
		cmocka_unit_test_setup(test_a_visit_can_stop, events_setup),
		cmocka_unit_test_setup(test_an_unlisted_name_is_logged_once, events_setup),
		cmocka_unit_test_setup(test_logged_names_are_bounded, events_setup),
		cmocka_unit_test_setup(test_lists_drawn_at_random, events_setup),
		cmocka_unit_test_setup(test_arguments, events_setup),
		cmocka_unit_test_setup(test_decoded_arguments, events_setup),
		cmocka_unit_test_setup(test_limits_of_arguments, events_setup),
	};

	return cmocka_run_group_tests_name("attributes", tests, NULL, NULL);
}
