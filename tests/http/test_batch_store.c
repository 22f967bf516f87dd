/*
 * Batches with a store, which commits their events together, and the memory that a batch takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/batching.h"
#include "http/endpoint.h"

static void
note_done(void *state)
{
	(void)state;
	note("stored");
}

static void
test_stored(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), true);
	struct posted_answer answer =
		post_batch(&fixture, "[" MEMBER("1", "x") "," MEMBER("2", "fail") "]");
	assert_int_equal(answer.status, 202);
	assert_string_equal(answer.body, "");
	assert_int_equal(fixture.inbox.stored_count, 2);
	assert_string_equal(fixture.inbox.stored[1].id, "2");
	assert_string_equal(fixture.inbox.stored[1].content_type, "application/cloudevents+json");
	assert_string_equal(fixture.inbox.stored[0].data, MEMBER("1", "x"));
	trace[0] = '\0';
	struct herald_result result = fake_inbox_run(&fixture.inbox, 1, 1, false);
	assert_int_equal(result.verdict, HERALD_FAIL);
	assert_string_equal(trace, "2");

	/* Known, not valid, new. */
	answer = post_batch(
		&fixture, "[" MEMBER("1", "x") ",{\"specversion\":\"1.0\"}," MEMBER("3", "x") "]");
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "1 of 3 events were not done"));
	assert_non_null(strstr(answer.body, "\"index\":1,\"status\":\"fail\""));
	assert_int_equal(fixture.inbox.stored_count, 3);

	fixture.inbox.accept_status = HERALD_LIMIT;
	answer = post_batch(&fixture, "[" MEMBER("4", "x") "]");
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.headers, "Retry-After: 1\n"));
	end(&fixture);
}

static void
check_most(const struct fixture *fixture, size_t max_batch_events, size_t most)
{
	struct herald_endpoint *endpoint = create_endpoint(
		fixture->service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true,
							   .max_batch_events = max_batch_events));

	assert_int_equal(endpoint->max_batch_events, most);
	herald_endpoint_destroy(endpoint);
}

/* An endpoint takes no batch that its store would refuse each time. */
static void
test_limit_of_the_store(void **state)
{
	struct fixture fixture;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error;

	(void)state;
	begin(&fixture, NULL, true);
	check_most(&fixture, 0, 1000);
	check_most(&fixture, 100000, 100000);
	fixture.inbox.base.max_waiting = 1000;
	check_most(&fixture, 0, 1000);
	check_most(&fixture, 1000, 1000);
	fixture.inbox.base.max_waiting = 999;
	check_most(&fixture, 0, 999);
	check_most(&fixture, 1, 1);
	assert_int_equal(herald_endpoint_create(fixture.service,
						&HERALD_ENDPOINT_OPTIONS(.takes_batches = true,
									 .max_batch_events = 1000),
						&endpoint, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "max_batch_events");
	assert_string_equal(error.message,
			    "max_batch_events: must be at most max_waiting of the service's store, "
			    "999, not 1000");
	end(&fixture);
}

/* All events are with the store at once, and the answer comes after the last commit. */
static void
test_one_commit(void **state)
{
	struct fixture fixture;
	const struct posted posted = {
		.headers = HEADERS("Content-Type", BATCH_TYPE),
		.body = "[" MEMBER("1", "x") ",{}," MEMBER("2", "x") "," MEMBER("3", "x") "]",
	};
	struct posted_answer answer;

	(void)state;
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), true);
	fixture.inbox.answers_at_once = false;
	posted_bytes = strlen(posted.body);
	struct herald_http_request *request = posting_begin(fixture.endpoint, &posted);
	trace[0] = '\0';
	assert_true(herald_http_request_may_wait(request));
	assert_null(herald_http_request_finish_async(request, note_done, NULL));
	fake_inbox_wait(&fixture.inbox, 3);
	assert_string_equal(trace, "receive");
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 3);
	assert_string_equal(trace, "receive stored");
	posting_end(request, &answer);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "1 of 4 events were not done"));
	assert_int_equal(fixture.inbox.stored_count, 3);

	/* The client goes while the store has the events. */
	request = posting_begin(fixture.endpoint, &posted);
	assert_null(herald_http_request_finish_async(request, note_done, NULL));
	assert_int_equal(fake_inbox_commit(&fixture.inbox), 3);
	herald_http_request_destroy(request);
	struct herald_statistics counts;
	herald_service_statistics(fixture.service, &counts);
	assert_int_equal(counts.accepted, 3);
	assert_int_equal(counts.duplicates, 3);
	assert_int_equal(counts.rejected_invalid, 2);
	end(&fixture);

	/* On a thread that waits. */
	begin(&fixture, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true), true);
	fixture.inbox.answers_at_once = false;
	fake_inbox_start_committer(&fixture.inbox);
	answer = post(fixture.endpoint, &posted);
	fake_inbox_stop_committer(&fixture.inbox);
	assert_int_equal(answer.status, 400);
	assert_int_equal(fixture.inbox.stored_count, 3);
	end(&fixture);
}

/* Every allocation fails, one after the other: the events that were not done are told in order, and
 * are to be sent again. */
static void
check_no_memory(bool has_store, enum herald_answers answers)
{
	static const char body[] =
		"[" MEMBER("1", "x") "," MEMBER("2", "x") "," MEMBER("3", "x") "]";

	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		const struct posted_answer answer = post_without_memory(
			&memory, n, has_store, formats, answers, BATCH_TYPE, body);
		const char *at = answer.body;
		int last = -1;

		assert_all_released(&memory);
		if (memory.failures == 0) {
			assert_int_equal(answer.status, answers == HERALD_ANSWERS_DAPR ? 200
							: has_store                    ? 202
										       : 204);
			break;
		}
		if (answer.status != 503)
			fail_msg("allocation %zu: %u %s", n, answer.status, answer.body);
		while ((at = strstr(at, "\"index\":"))) {
			at += strlen("\"index\":");
			if (atoi(at) <= last)
				fail_msg("allocation %zu: %s", n, answer.body);
			last = atoi(at);
		}
	}
}

static void
test_no_memory(void **state)
{
	(void)state;
	for (int has_store = 0; has_store < 2; has_store++) {
		check_no_memory(has_store, HERALD_ANSWERS_OF_FORMAT);
		check_no_memory(has_store, HERALD_ANSWERS_DAPR);
	}
}

struct wide {
	const char *a, *b, *c, *d, *e, *f, *g, *h;
};
struct many {
	const struct wide *all;
	size_t all_count;
};
HERALD_SCHEMA(wide,
	HERALD_FIELD(wide, a), HERALD_FIELD(wide, b), HERALD_FIELD(wide, c), HERALD_FIELD(wide, d),
	HERALD_FIELD(wide, e), HERALD_FIELD(wide, f), HERALD_FIELD(wide, g), HERALD_FIELD(wide, h));
HERALD_SCHEMA(many, HERALD_LIST(many, all, wide, .required = true));

static enum herald_verdict
on_many(struct herald_context *ctx, const struct many *many)
{
	(void)ctx;
	(void)many;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_many, many);

/* {"all":[{},{},...]} in an event: little to send, and much to decode. Returns its end. */
static char *
write_one(char *at, size_t id, size_t count)
{
	at += sprintf(at,
		      "{\"specversion\":\"1.0\",\"id\":\"%zu\",\"source\":\"/s\","
		      "\"type\":\"many\",\"data\":{\"all\":[{}",
		      id);
	for (size_t k = 1; k < count; k++)
		at += sprintf(at, ",{}");
	return at + sprintf(at, "]}}");
}

static void
write_many(char *body, size_t events, size_t count)
{
	char *at = body;

	for (size_t i = 0; i < events; i++) {
		*at++ = i == 0 ? '[' : ',';
		at = write_one(at, i, count);
	}
	strcpy(at, "]");
}

/* With a store, all events of a batch are in memory at once. They share what one of them may take;
 * those for which nothing is left never have room in this batch: 413. */
static void
test_memory_with_a_store(void **state)
{
	static char body[512 * 1024];
	const struct herald_route routes[] = {HERALD_ROUTE("many", many, on_many, NULL)};
	struct failing_allocator memory;
	struct herald_statistics counts;
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(formats), .allocator = memory.allocator,
		.max_arena_bytes = 1 << 20, .store = fake_inbox_store(&inbox)));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	const struct posted batch = {.headers = HEADERS("Content-Type", BATCH_TYPE), .body = body};

	write_many(body, 40, 2000); /* 40 times 128 KiB and more */
	struct posted_answer answer = post(endpoint, &batch);
	assert_int_equal(answer.status, 413);
	if (!strstr(answer.body,
		    "{\"index\":39,\"status\":\"fail\",\"error\":\"the batch needs more "
		    "memory than it may take: send fewer events at once\"}") ||
	    strstr(answer.body, "\"retry\"") || strstr(answer.body, "\"index\":0,"))
		fail_msg("%s", answer.body);
	herald_service_statistics(service, &counts);
	assert_int_equal(counts.rejected, 40 - inbox.stored_count);
	assert_int_equal(counts.retry, 0);
	assert_true(inbox.stored_count >= 4 && inbox.stored_count < 30);
	assert_true(memory.peak_bytes < 8 << 20);
	/* The share ends in the second event, which may take as much as any. */
	for (size_t events = 1; events <= 2; events++) {
		write_many(body, events, 8000);
		answer = post(endpoint, &batch);
		if (answer.status != 202)
			fail_msg("%zu events: %u %s", events, answer.status, answer.body);
	}
	write_many(body, 1, 20000);
	answer = post(endpoint, &batch);
	if (answer.status != 400 || !strstr(answer.body, "exceeds its memory limit"))
		fail_msg("%u %s", answer.status, answer.body);
	/* Small events have room, however many they are. */
	write_many(body, 1000, 1);
	fake_inbox_finish(&inbox);
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	assert_int_equal(post(endpoint, &batch).status, 202);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	assert_all_released(&memory);
	fake_inbox_finish(&inbox);
}

/* In Dapr's frame, what has no room has no status: Dapr sends it again, without the others. */
static void
test_memory_of_dapr(void **state)
{
	static char body[512 * 1024];
	const struct herald_route routes[] = {HERALD_ROUTE("many", many, on_many, NULL)};
	const struct herald_format *dapr = NULL;
	struct fake_inbox inbox;
	char *at = body + sprintf(body, "{\"entries\":[");
	size_t count = 0;

	(void)state;
	assert_int_equal(herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.dapr_bulk = true),
						   &dapr, NULL),
			 HERALD_OK);
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .formats = &dapr, .formats_count = 1,
		.max_arena_bytes = 1 << 20, .store = fake_inbox_store(&inbox)));
	struct herald_endpoint *endpoint =
		create_endpoint(service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
	for (size_t i = 0; i < 40; i++) {
		at += sprintf(at, "%s{\"entryId\":\"e%zu\",\"event\":", i == 0 ? "" : ",", i);
		at = write_one(at, i, 2000);
		at += sprintf(at, ",\"contentType\":\"application/cloudevents+json\"}");
	}
	strcpy(at, "]}");
	const struct posted_answer answer = post(
		endpoint, &(struct posted){.headers = HEADERS("Content-Type", "application/json"),
					   .body = body});
	assert_int_equal(answer.status, 200);
	for (const char *next = answer.body; (next = strstr(next, "\"SUCCESS\"")); next++)
		count++;
	assert_true(count >= 4 && count < 30 && count == inbox.stored_count);
	assert_non_null(strstr(answer.body, "\"entryId\":\"e0\""));
	assert_null(strstr(answer.body, "\"entryId\":\"e39\""));
	assert_null(strstr(answer.body, "DROP"));
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
	herald_format_destroy(dapr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_stored, events_setup),
		cmocka_unit_test_setup(test_limit_of_the_store, events_setup),
		cmocka_unit_test_setup(test_one_commit, events_setup),
		cmocka_unit_test_setup(test_no_memory, events_setup),
		cmocka_unit_test_setup(test_memory_with_a_store, events_setup),
		cmocka_unit_test_setup(test_memory_of_dapr, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
