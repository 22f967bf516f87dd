/*
 * Batches whose senders expect Dapr's answers, and Dapr's bulk messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/batching.h"

/* Who sends a batch reads only the status, also if single events are answered as Dapr expects. */
static void
test_refused_with_dapr(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *answer;
	} cases[] = {
		{"[{", 400, "\"offset\":2"},
		{"", 400, "error"},
		{"[" MEMBER("1", "x") "," MEMBER("2", "x") "," MEMBER("3", "x") "," MEMBER("4",
											   "x") "]",
		 413, "expected at most 3 events (max_batch_events), found 4"},
		{"[  " MEMBER("1", "x") "]", 503, "{\"error\":\"come back\"}"},
		{"[ " MEMBER("1", "x") "]", 401, "bad signature"},
		{"[\n" MEMBER("1", "fail") "]", 400, "1 of 1 events were not done"},
		{"[\n" MEMBER("1", "retry") "]", 503, "1 of 1 events were not done"},
	};
	struct fixture fixture;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		begin(&fixture,
		      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .max_batch_events = 3,
					       .answers = HERALD_ANSWERS_DAPR),
		      has_store);
		/* With a store, functions run later. */
		for (size_t i = 0; i < COUNT(cases) - (has_store ? 2 : 0); i++) {
			const struct posted_answer answer = post_batch(&fixture, cases[i].body);

			if (answer.status != cases[i].status ||
			    !strstr(answer.body, cases[i].answer))
				fail_msg("case %zu: %u %s", i, answer.status, answer.body);
		}
		assert_int_equal(fixture.inbox.accepts, 0);
		end(&fixture);
	}
}

/* If a format has Dapr's answers, what failed for good is 400 for its batches. */
static void
test_dapr_format(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
	} cases[] = {
		{"[" MEMBER("1", "fail") "]", 400},
		{"[{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/s\",\"type\":\"none\"}]",
		 400},
		{"[" MEMBER("1", "retry") "]", 503},
		{"[" MEMBER("1", "x") "]", 200},
	};
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	const struct herald_format *created = NULL;
	struct herald_format_ops ops = *herald_format_cloudevents.ops;

	(void)state;
	assert_int_equal(
		herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v"),
					  &created, NULL),
		HERALD_OK);
	ops.answers = HERALD_ANSWERS_DAPR;
	((struct herald_format *)(uintptr_t)created)->ops = &ops;
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .formats = &created, .formats_count = 1));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(post(endpoint, &(struct posted){.headers = HEADERS("Content-Type",
										    BATCH_TYPE),
								 .body = cases[i].body})
					 .status,
				 cases[i].status);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(created);
}

/* Dapr's bulk messages. */

#define ENTRY(ID, EVENT)                                                                           \
	"{\"entryId\":\"" ID "\",\"event\":" EVENT ",\"metadata\":{\"k\":\"v\"},"                  \
	"\"contentType\":\"application/cloudevents+json\"}"
#define BULK(ENTRIES)                                                                              \
	"{\"id\":\"7\",\"entries\":[" ENTRIES "],\"metadata\":{\"pubsub\":\"p\"},\"topic\":\"t\"," \
	"\"pubsubname\":\"p\",\"type\":\"com.dapr.event.sent.bulk\"}"
#define STATUS(ID, STATUS) "{\"entryId\":\"" ID "\",\"status\":\"" STATUS "\"}"
#define STATUSES(ALL) "{\"statuses\":[" ALL "]}"

static const struct herald_format *
create_dapr(void)
{
	const struct herald_format *format = NULL;

	assert_int_equal(herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.dapr_bulk = true),
						   &format, NULL),
			 HERALD_OK);
	return format;
}

static void
test_dapr_bulk(void **state)
{
	static const struct {
		const char *type, *body;
		unsigned status;
		const char *answer, *trace;
	} cases[] = {
		{"application/json", BULK(ENTRY("a", MEMBER("1", "x"))), 200,
		 STATUSES(STATUS("a", "SUCCESS")), "1"},
		{"application/json; charset=utf-8",
		 BULK(ENTRY("a", MEMBER("1", "retry")) "," ENTRY(
			 "b", MEMBER("2", "fail")) "," ENTRY("c", MEMBER("3", "answer"))),
		 200,
		 STATUSES(STATUS("a", "RETRY") "," STATUS("b", "DROP") "," STATUS("c", "SUCCESS")),
		 "1 2 3"},
		/* Its name is a text like any other. */
		{"application/json", BULK(ENTRY("\\u0022\\n\u00e9", MEMBER("1", "x"))), 200,
		 STATUSES(STATUS("\\\"\\n\u00e9", "SUCCESS")), "1"},
		/* Not decodable; without a route; of a topic with rawPayload. */
		{"application/json",
		 BULK(ENTRY("a", "{\"specversion\":\"1.0\"}") "," ENTRY(
			 "b", "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\","
			      "\"type\":\"none\"}") "," ENTRY("c", "\"aGk=\"")),
		 200, STATUSES(STATUS("a", "DROP") "," STATUS("b", "DROP") "," STATUS("c", "DROP")),
		 ""},
		{"application/json", BULK(""), 204, "", ""},
		/* Other batches, and single events. */
		{BATCH_TYPE, "[" MEMBER("1", "x") "]", 204, "", "1"},
		{"application/cloudevents+json", MEMBER("1", "x"), 204, "", "1"},
		/* The frame is wrong, and nothing runs. */
		{"application/json", BULK(ENTRY("a", MEMBER("1", "x")) ",{}"), 400,
		 "\"path\":\"/entries/1/entryId\"", ""},
		{"application/json", BULK(ENTRY("", MEMBER("1", "x"))), 400,
		 "\"path\":\"/entries/0/entryId\"", ""},
		{"application/json", BULK("{\"entryId\":\"a\"}"), 400,
		 "\"path\":\"/entries/0/event\"", ""},
		{"application/json", "{\"id\":\"7\"}", 400, "\"path\":\"/entries\"", ""},
		{"application/json", "{\"entries\":[],\"entries\":[]}", 400, "duplicate", ""},
		{"application/json", BULK(ENTRY("a", MEMBER("1", "x"))) "x", 400, "offset", ""},
		{"application/json", "", 400, "error", ""},
		/* The media type tells the frame from an array of events. */
		{"application/json", "[" MEMBER("1", "x") "]", 400, "expected an object", ""},
		{"application/json", "[]", 400, "expected an object", ""},
		{BATCH_TYPE, BULK(ENTRY("a", MEMBER("1", "x"))), 400, "expected an array", ""},
		{BATCH_TYPE, BULK(""), 400, "expected an array", ""},
		{"application/json",
		 BULK(ENTRY("a", MEMBER("1", "x")) "," ENTRY("b", MEMBER("2", "x")) "," ENTRY(
			 "c", MEMBER("3", "x")) "," ENTRY("d", MEMBER("4", "x"))),
		 413, "expected at most 3 events (max_batch_events), found 4", ""},
		{"text/plain", "{}", 415,
		 "expected Content-Type application/cloudevents+json or "
		 "application/cloudevents-batch+json or application/json",
		 ""},
	};
	const struct herald_format *dapr = create_dapr();
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .formats = &dapr, .formats_count = 1));
	struct herald_endpoint *endpoint = create_endpoint(
		service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .max_batch_events = 3));

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		trace[0] = '\0';
		const struct posted_answer answer =
			post(endpoint,
			     &(struct posted){.headers = HEADERS("Content-Type", cases[i].type),
					      .body = cases[i].body,
					      .bytes = strlen(cases[i].body)});
		bool is_same = answer.status == 200 || answer.status == 204
				       ? strcmp(answer.body, cases[i].answer) == 0
				       : strstr(answer.body, cases[i].answer) != NULL;

		if (answer.status != cases[i].status || !is_same ||
		    strcmp(trace, cases[i].trace) != 0)
			fail_msg("case %zu: %u %s\n%s", i, answer.status, answer.body, trace);
	}
	herald_endpoint_destroy(endpoint);

	endpoint = create_endpoint(service, NULL);
	const struct posted_answer answer = post(
		endpoint, &(struct posted){.headers = HEADERS("Content-Type", "application/json"),
					   .body = BULK(ENTRY("a", MEMBER("1", "x")))});
	assert_int_equal(answer.status, 415);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(dapr);
}

/* The entries of the frame may take as much memory as an event. */
static void
test_dapr_bulk_limit(void **state)
{
	static char body[128 * 1024];
	const struct herald_format *dapr = create_dapr();
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .formats = &dapr, .formats_count = 1,
					.max_arena_bytes = 16 * 1024));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	size_t used = (size_t)sprintf(body, "{\"entries\":[");

	(void)state;
	for (int i = 0; i < 900; i++)
		used += (size_t)sprintf(body + used, "%s" ENTRY("a", "{}"), i > 0 ? "," : "");
	strcpy(body + used, "]}");
	const struct posted_answer answer = post(
		endpoint, &(struct posted){.headers = HEADERS("Content-Type", "application/json"),
					   .body = body});
	if (answer.status != 400 || !strstr(answer.body, "exceeds its memory limit"))
		fail_msg("%u %s", answer.status, answer.body);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	herald_format_destroy(dapr);
}

/* Every allocation fails, one after the other. What has no status comes again, so an event that is
 * to be sent again has RETRY or none, and without any status the answer is 503. */
static void
check_bulk_no_memory(bool has_store, const char *body, const char *last_status)
{
	const struct herald_format *dapr = create_dapr();

	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		const struct posted_answer answer =
			post_without_memory(&memory, n, has_store, &dapr, HERALD_ANSWERS_OF_FORMAT,
					    "application/json", body);
		bool is_right = answer.status == 503 ||
				(answer.status == 200 &&
				 strncmp(answer.body, "{\"statuses\":[{", 14) == 0 &&
				 (has_store || !strstr(answer.body, STATUS("a", "SUCCESS"))) &&
				 !strstr(answer.body, STATUS("a", "DROP")));

		assert_all_released(&memory);
		if (!is_right)
			fail_msg("allocation %zu: %u %s", n, answer.status, answer.body);
		if (memory.failures == 0) {
			assert_non_null(strstr(answer.body, last_status));
			break;
		}
	}
	herald_format_destroy(dapr);
}

static void
test_dapr_bulk_no_memory(void **state)
{
	static const char one[] = BULK(ENTRY("a", MEMBER("1", "retry")));
	static const char several[] = BULK(ENTRY("a", MEMBER("1", "retry")) "," ENTRY(
		"b", "{}") "," ENTRY("c", MEMBER("3", "x")));

	(void)state;
	check_bulk_no_memory(false, one, STATUS("a", "RETRY"));
	check_bulk_no_memory(true, one, STATUS("a", "SUCCESS"));
	for (int has_store = 0; has_store < 2; has_store++)
		check_bulk_no_memory(has_store, several,
				     STATUS("b", "DROP") "," STATUS("c", "SUCCESS"));
}

/* Stored is success, also if the store has it already; what the store cannot take comes again. */
static void
test_dapr_bulk_with_a_store(void **state)
{
	const struct herald_format *dapr = create_dapr();
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	const struct posted bulk = {
		.headers = HEADERS("Content-Type", "application/json"),
		.body = BULK(ENTRY("a", MEMBER("1", "x")) "," ENTRY("b", "{}") "," ENTRY(
			"c", MEMBER("1", "x")) "," ENTRY("d", MEMBER("4", "fail")))};
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .formats = &dapr, .formats_count = 1,
					.store = fake_inbox_store(&inbox)));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true,
								  .answers = HERALD_ANSWERS_DAPR));
	assert_string_equal(post(endpoint, &bulk).body,
			    STATUSES(STATUS("a", "SUCCESS") "," STATUS("b", "DROP") "," STATUS(
				    "c", "SUCCESS") "," STATUS("d", "SUCCESS")));
	assert_int_equal(inbox.stored_count, 2);
	assert_string_equal(inbox.stored[0].data, MEMBER("1", "x"));
	inbox.accept_status = HERALD_LIMIT;
	assert_string_equal(post(endpoint, &bulk).body,
			    STATUSES(STATUS("a", "RETRY") "," STATUS("b", "DROP") "," STATUS(
				    "c", "RETRY") "," STATUS("d", "RETRY")));
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
	herald_format_destroy(dapr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused_with_dapr, events_setup),
		cmocka_unit_test_setup(test_dapr_format, events_setup),
		cmocka_unit_test_setup(test_dapr_bulk, events_setup),
		cmocka_unit_test_setup(test_dapr_bulk_limit, events_setup),
		cmocka_unit_test_setup(test_dapr_bulk_no_memory, events_setup),
		cmocka_unit_test_setup(test_dapr_bulk_with_a_store, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
