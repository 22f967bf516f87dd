/*
 * Batches: members are independent, with a verdict each; and what the sender gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>
#include <jansson.h>

#include "http/batching.h"
#include "support/draw.h"

/* One status for a batch, which spec#414 asks for; whatever the endpoint says about answers. */
static void
test_answers(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *answer, *headers, *trace;
	} cases[] = {
		{"[]", 204, "", "", "receive"},
		{"[" MEMBER("1", "x") "," MEMBER("2", "answer") "]", 204, "", "", "receive 1 2"},
		{"[" MEMBER("1", "fail") "," MEMBER("2", "x") "]", 400,
		 "{\"error\":\"1 of 2 events were not done\",\"results\":[{\"index\":0,"
		 "\"source\":\"/s\",\"id\":\"1\",\"status\":\"fail\","
		 "\"error\":\"no \\\"stock\\\"\"}]}",
		 "", "receive 1 2"},
		{"[" MEMBER("1", "409") "," MEMBER("2", "409") "]", 409,
		 "{\"error\":\"2 of 2 events were not done\",\"results\":[{\"index\":0,"
		 "\"source\":\"/s\",\"id\":\"1\",\"status\":\"fail\",\"error\":\"taken\"},"
		 "{\"index\":1,\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\","
		 "\"error\":\"taken\"}]}",
		 "", "receive 1 2"},
		/* A retry is what the sender must see. */
		{"[" MEMBER("1", "retry") "," MEMBER("2", "409") "," MEMBER("3", "later") "]", 503,
		 "{\"error\":\"3 of 3 events were not done\",\"results\":[{\"index\":0,"
		 "\"source\":\"/s\",\"id\":\"1\",\"status\":\"retry\",\"error\":\"busy\"},"
		 "{\"index\":1,\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\","
		 "\"error\":\"taken\"},{\"index\":2,\"source\":\"/s\",\"id\":\"3\","
		 "\"status\":\"retry\",\"error\":\"very busy\"}]}",
		 "Retry-After: 7\n", "receive 1 2 3"},
		/* Errors have the place in the batch; an event that has none is not less. */
		{"[" MEMBER("1", "x") ",{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/s\","
				      "\"type\":\"do\",\"data\":{\"action\":7}},7]",
		 400,
		 "{\"error\":\"2 of 3 events were not done\",\"results\":[{\"index\":1,"
		 "\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\",\"error\":\"action: expected "
		 "a "
		 "string, found a number\",\"path\":\"/1/data/action\"},{\"index\":2,"
		 "\"status\":\"fail\",\"error\":\"expected an object, found a number\"}]}",
		 "", "receive 1"},
		/* A type without a route. */
		{"[{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/s\",\"type\":\"none\"}]",
		 400,
		 "{\"error\":\"1 of 1 events were not done\",\"results\":[{\"index\":0,"
		 "\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\",\"error\":\"no route for "
		 "event "
		 "type \\\"none\\\"\"}]}",
		 "", "receive"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct posted_answer answer = post_batch(&fixture, cases[i].body);

		if (answer.status != cases[i].status || strcmp(answer.body, cases[i].answer) != 0 ||
		    strcmp(trace, cases[i].trace) != 0 ||
		    !strstr(answer.headers, cases[i].headers) || strstr(answer.headers, "X-Own"))
			fail_msg("case %zu: %u %s\n%s%s", i, answer.status, answer.body,
				 answer.headers, trace);
	}
	end(&fixture);
}

/* The batch as a whole is wrong, and nothing runs. */
static void
test_frames(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *answer;
	} cases[] = {
		{"{}", 400, "expected an array"},
		{"", 400, "error"},
		{"[" MEMBER("1", "x"), 400, "\"offset\":"},
		{"[" MEMBER("1", "x") ",]", 400, "\"offset\":"},
		{"[" MEMBER("1", "x") ",{\"a\":01}]", 400, "leading zeros"},
		{"[" MEMBER("1", "x") ",{\"specversion\":\"0.3\"}]", 400, "/1/specversion"},
		{"[" MEMBER("1", "x") "," MEMBER("2", "x") "," MEMBER("3", "x") "]", 413,
		 "{\"error\":\"expected at most 2 events (max_batch_events), found 3\"}"},
		/* What is not JSON is refused as such. */
		{"[" MEMBER("1", "x") "," MEMBER("2", "x") "," MEMBER("3", "x") ",]", 400,
		 "\"offset\":"},
		{"[ " MEMBER("1", "x") "]", 401, "bad signature"},
	};
	struct fixture fixture;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		begin(&fixture,
		      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .max_batch_events = 2),
		      has_store);
		for (size_t i = 0; i < COUNT(cases); i++) {
			const struct posted_answer answer = post_batch(&fixture, cases[i].body);

			if (answer.status != cases[i].status ||
			    !strstr(answer.body, cases[i].answer) || strchr(trace, ' '))
				fail_msg("case %zu: %u %s %s", i, answer.status, answer.body,
					 trace);
		}
		assert_int_equal(fixture.inbox.accepts, 0);
		end(&fixture);
	}
}

static void
test_options(void **state)
{
	static const struct {
		struct herald_endpoint_options options;
		const char *path;
	} cases[] = {
		{{.max_batch_events = 5}, "max_batch_events"},
		{{.takes_batches = true, .max_batch_events = 100001}, "max_batch_events"},
		{{.multi_status = true}, "multi_status"},
		{{.answers = (enum herald_answers)9}, "answers"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, NULL, false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_endpoint_options options = cases[i].options;
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(
			herald_endpoint_create(fixture.service, &options, &endpoint, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
	}
	/* By default there are none. */
	struct posted_answer answer = post_batch(&fixture, "[]");
	assert_int_equal(answer.status, 415);
	assert_string_equal(answer.body, "{\"error\":\"batches are not accepted here\"}");
	assert_string_equal(trace, "");
	end(&fixture);

	begin(&fixture,
	      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .multi_status = true,
				       .hide_errors = true),
	      false);
	answer = post_batch(&fixture, "[" MEMBER("1", "retry") "," MEMBER("2", "x") "]");
	assert_int_equal(answer.status, 207);
	assert_string_equal(answer.body,
			    "{\"error\":\"1 of 2 events were not done\",\"results\":[{\"index\":0,"
			    "\"source\":\"/s\",\"id\":\"1\",\"status\":\"retry\"}]}");
	assert_null(strstr(answer.headers, "Retry-After"));
	answer = post_batch(&fixture, "[" MEMBER("2", "x") "]");
	assert_int_equal(answer.status, 204);
	end(&fixture);
}

/* The longest wait of all, where some have the endpoint's. */
static void
test_longest_wait(void **state)
{
	static const struct {
		const char *body, *retry_after;
	} cases[] = {
		{"[" MEMBER("1", "soon") "," MEMBER("2", "retry") "]", "Retry-After: 3\n"},
		{"[" MEMBER("1", "retry") "," MEMBER("2", "soon") "]", "Retry-After: 3\n"},
		{"[" MEMBER("1", "retry") "," MEMBER("2", "later") "]", "Retry-After: 7\n"},
		{"[" MEMBER("1", "soon") "," MEMBER("2", "fail") "]", "Retry-After: 1\n"},
	};
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .retry_after_ms = 3000),
	      false);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct posted_answer answer = post_batch(&fixture, cases[i].body);

		if (answer.status != 503 || !strstr(answer.headers, cases[i].retry_after))
			fail_msg("case %zu: %u %s", i, answer.status, answer.headers);
	}
	end(&fixture);
}

/* Batches that are refused as a whole. */

#define TRACE_A "0af7651916cd43dd8448eb211c80319c"
#define TRACE_B "4bf92f3577b34da6a3ce929d0e0e4736"

static enum herald_verdict
receive_traced(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	       size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	(void)herald_context_trace(ctx); /* the context keeps it */
	return HERALD_DONE;
}

static void
note_rejected(struct herald_handler *handler, struct herald_context *ctx,
	      const struct herald_rejection *rejection)
{
	(void)handler;
	(void)ctx;
	note("%.*s", (int)rejection->bytes, rejection->data);
}

static const struct herald_handler_ops watch_ops = {
	.struct_size = sizeof(watch_ops),
	.name = "watch",
	.receive = receive_traced,
	.rejected = note_rejected,
};

/* `rejected` sees the bytes as they came, and the next event of the same request object nothing of
 * the batch. */
static void
test_refused(void **state)
{
	static const char *const bodies[] = {"[", "[{\"id\":tru}]", "[{\"id\":\"\\u0041\",}]",
					     "[{\"\\u0069d\":1},{\"i\\u0064\":01}]"};
	const struct herald_route routes[] = {HERALD_ROUTE("do", job, on_job, NULL)};
	struct herald_handler watch = {.ops = &watch_ops};
	struct herald_handler *handlers[] = {&watch};

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		struct fake_inbox inbox;

		fake_inbox_init(&inbox);
		inbox.answers_at_once = true;
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), HERALD_FORMATS(formats), HERALD_HANDLERS(handlers),
			.tracing = true, .store = has_store ? fake_inbox_store(&inbox) : NULL));
		struct herald_endpoint *endpoint =
			create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
		for (size_t i = 0; i < COUNT(bodies); i++) {
			trace[0] = '\0';
			assert_int_equal(
				post(endpoint,
				     &(struct posted){.headers = HEADERS("Content-Type", BATCH_TYPE,
									 "traceparent",
									 "00-" TRACE_A
									 "-b7ad6b7169203331-01"),
						      .body = bodies[i]})
					.status,
				400);
			assert_string_equal(trace, bodies[i]);
			trace[0] = '\0';
			post(endpoint,
			     &(struct posted){.headers = HEADERS(
						      "Content-Type",
						      "application/cloudevents+json", "traceparent",
						      "00-" TRACE_B "-00f067aa0ba902b7-01"),
					      .body = MEMBER("1", "trace")});
			if (!has_store)
				assert_string_equal(trace, "1 " TRACE_B);
		}
		if (has_store) {
			trace[0] = '\0';
			fake_inbox_run(&inbox, 0, 1, false);
			assert_string_equal(trace, "1 " TRACE_B);
		}
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* The response has a limit: what does not fit is counted. */
static void
test_cut(void **state)
{
	static char body[64 * 1024];
	struct fixture fixture;
	size_t used = 0;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), false);
	for (int i = 0; i < 200; i++)
		used += (size_t)snprintf(body + used, sizeof(body) - used, "%s%s",
					 i == 0 ? "[" : ",", MEMBER("\\u0001", "fail"));
	/* Control characters are not allowed in ids, so all fail; so do these. */
	strcpy(body + used, "]");
	const struct posted_answer answer = post_batch(&fixture, body);
	assert_int_equal(answer.status, 400);
	json_t *json = json_loads(answer.body, 0, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "error")),
			    "200 of 200 events were not done");
	size_t shown = json_array_size(json_object_get(json, "results"));
	assert_true(shown > 5 && shown < 200);
	assert_int_equal(json_integer_value(json_object_get(json, "omitted")), 200 - shown);
	json_decref(json);
	end(&fixture);
}

/* An event whose source or id has no room is without them, and hides no other. */
static void
test_long_id(void **state)
{
	static char body[64 * 1024], id[9000];
	struct fixture fixture;

	(void)state;
	memset(id, 'i', sizeof(id) - 1);
	snprintf(body, sizeof(body),
		 "[{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\",\"type\":\"do\","
		 "\"data\":{\"action\":\"fail\"}}," MEMBER("2", "409") "]",
		 id);
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), false);
	assert_string_equal(post_batch(&fixture, body).body,
			    "{\"error\":\"2 of 2 events were not done\",\"results\":["
			    "{\"index\":0,\"status\":\"fail\",\"error\":\"no \\\"stock\\\"\"},"
			    "{\"index\":1,\"source\":\"/s\",\"id\":\"2\",\"status\":\"fail\","
			    "\"error\":\"taken\"}]}");
	end(&fixture);
}

/* What is kept of the headers has no part in it. */
static void
test_small_headers(void **state)
{
	struct fixture fixture;

	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		begin(&fixture,
		      &HERALD_ENDPOINT_OPTIONS(.takes_batches = true, .max_headers_bytes = 64),
		      has_store);
		assert_int_equal(post_batch(&fixture, "[" MEMBER("1", "x") "]").status,
				 has_store ? 202 : 204);
		end(&fixture);
	}
}

/* Any mixture of members, against what each of them is to be. */
static void
test_random(void **state)
{
	static const char *const actions[] = {"x", "retry", "later", "fail", "409", "answer"};
	static char body[32 * 1024];
	uint64_t seed = draw_seed(), draw = seed;
	struct fixture fixture;

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), false);
	for (int n = 0; n < 300; n++) {
		size_t count = (size_t)draw_below(&draw, 12), not_done = 0, used = 0;
		bool retries = false, is_400 = false, is_409 = false;

		used += (size_t)snprintf(body, sizeof(body), "[");
		for (size_t i = 0; i < count; i++) {
			size_t what = (size_t)draw_below(&draw, COUNT(actions) + 1);

			used += (size_t)snprintf(
				body + used, sizeof(body) - used,
				what == COUNT(actions) ? "%s%.0s{\"specversion\":\"1.0\"}"
						       : "%s{\"specversion\":\"1.0\",\"id\":\"1\","
							 "\"source\":\"/s\",\"type\":\"do\","
							 "\"data\":{\"action\":\"%s\"}}",
				i > 0 ? "," : "", what < COUNT(actions) ? actions[what] : "");
			not_done += what >= 1 && what != 5;
			retries |= what == 1 || what == 2;
			is_400 |= what == 3 || what == COUNT(actions);
			is_409 |= what == 4;
		}
		snprintf(body + used, sizeof(body) - used, "]");
		const struct posted_answer answer = post_batch(&fixture, body);
		unsigned expected = not_done == 0       ? 204
				    : retries           ? 503
				    : is_409 && !is_400 ? 409
							: 400;
		if (answer.status != expected)
			fail_msg("%s: %u, not %u", body, answer.status, expected);
		json_t *json = json_loads(answer.body, 0, NULL);
		assert_int_equal(json_array_size(json_object_get(json, "results")), not_done);
		json_decref(json);
	}
	end(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answers, events_setup),
		cmocka_unit_test_setup(test_frames, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_longest_wait, events_setup),
		cmocka_unit_test_setup(test_refused, events_setup),
		cmocka_unit_test_setup(test_cut, events_setup),
		cmocka_unit_test_setup(test_long_id, events_setup),
		cmocka_unit_test_setup(test_small_headers, events_setup),
		cmocka_unit_test_setup(test_random, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
