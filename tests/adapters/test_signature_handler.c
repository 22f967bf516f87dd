/*
 * The handler of signatures in a service: what it tells the log and not the sender, the time of an
 * event that has waited, sources without a list of headers, and keys that are replaced while events
 * come.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <herald/adapter/request.h>
#include <herald/endpoint.h>

#include "adapters/signature_fixture.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"
#include "support/option_error.h"

#define NOW 1700000000
#define BODY EVENT("a", "{\"n\": 1}")
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_KEY "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static enum herald_verdict
on_event(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

static const struct herald_route routes[] = {
	{.event_type = "a", .schema = &herald_json_schema, .function = on_event},
};

/* Milliseconds after NOW. */
static int64_t
now_ms(void *state)
{
	return (int64_t)NOW * 1000 + *(const int64_t *)state;
}

struct fixture {
	struct herald_signature *signature;
	struct herald_service *service;
	int64_t after_ms;
	struct header_list headers;
};

static void
open_service(struct fixture *fixture, const char *url)
{
	struct herald_handler *handlers[1];
	struct herald_error error = {.message = ""};

	fixture->after_ms = 0;
	if (herald_signature_handler_create(
		    fixture->signature,
		    &HERALD_SIGNATURE_HANDLER_OPTIONS(.url = url, .now_ms = now_ms,
						      .state = &fixture->after_ms),
		    &handlers[0], &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	fixture->service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .log = debug_log));
}

static void
open_standard(struct fixture *fixture)
{
	fixture->signature = create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, KEY);
	open_service(fixture, NULL);
}

static void
close_service(struct fixture *fixture)
{
	herald_service_destroy(fixture->service);
	herald_signature_destroy(fixture->signature);
}

static void
sign(struct fixture *fixture)
{
	const struct herald_signature_message message = {
		.id = "msg_1", .timestamp_s = NOW, .body = BODY, .body_bytes = strlen(BODY)};

	fixture->headers.count = 0;
	assert_int_equal(herald_signature_sign(fixture->signature, &message, add_header,
					       &fixture->headers, NULL),
			 HERALD_OK);
}

/* Attributes of an arrival. */

static const char *
find_attribute(const char *name, void *state)
{
	struct header_list *list = state;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return list->values[i];
	return NULL;
}

static struct herald_result
send_event(struct fixture *fixture, uint32_t waited_ms)
{
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = find_attribute, .attributes_visit = visit_list,
			       .state = &fixture->headers, .waited_ms = waited_ms);
	struct herald_result result;
	char data[] = BODY;

	logged[0] = '\0';
	herald_service_handle_with(fixture->service, data, strlen(data), &arrival, &result);
	return result;
}

static void
reasons_are_logged_as_warnings(void **state)
{
	static struct fixture fixture;

	(void)state;
	open_standard(&fixture);
	sign(&fixture);
	struct herald_result result = send_event(&fixture, 0);
	check_verdict(&result, HERALD_DONE, "");

	fixture.headers.values[2][5] ^= 1;
	result = send_event(&fixture, 0);
	assert_int_equal(result.verdict, HERALD_FAIL);
	assert_int_equal(result.status, HERALD_UNAUTHORIZED);
	assert_int_equal(result.http_status, 401);
	assert_string_equal(logged, "warning: event rejected verdict=fail "
				    "status=HERALD_UNAUTHORIZED http_status=401 reason=none of the "
				    "signatures (1) is of one of the keys (1) handler=signature "
				    "took=some\n");
	close_service(&fixture);
}

/* Time in a queue of this process makes no event too old: neither before it came to the service,
 * nor after. */
static void
time_in_a_queue_does_not_count(void **state)
{
	static const struct {
		int64_t after_ms; /* of the sender's time */
		uint32_t waited_ms;
		bool is_valid;
	} cases[] = {
		{300999, 0, true},        {301000, 0, false},        {301000, 1, true},
		{3900999, 3600000, true}, {3901000, 3600000, false}, {-300000, 0, true},
		{-300001, 0, false},      {-300000, 1, false},
	};
	static struct fixture fixture;

	(void)state;
	open_standard(&fixture);
	struct fake_clock clock;
	fake_clock_init(&clock, fixture.service);
	fake_clock_add_ms(&clock, 100000000);
	sign(&fixture);
	for (size_t i = 0; i < COUNT(cases); i++) {
		fixture.after_ms = cases[i].after_ms;
		struct herald_result result = send_event(&fixture, cases[i].waited_ms);
		if ((result.verdict == HERALD_DONE) != cases[i].is_valid)
			fail_msg("case %zu: %s", i, result.error.message);
	}
	close_service(&fixture);
}

/* A source that only finds attributes by their names, such as a broker. */
static void
attributes_by_name(void **state)
{
	static struct fixture fixture;
	struct herald_result result;
	char data[] = BODY;

	(void)state;
	open_standard(&fixture);
	sign(&fixture);
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = find_attribute, .state = &fixture.headers);
	herald_service_handle_with(fixture.service, data, strlen(data), &arrival, &result);
	check_verdict(&result, HERALD_DONE, "");
	strcpy(data, BODY);
	herald_service_handle(fixture.service, data, strlen(data), &result);
	assert_int_equal(result.status, HERALD_UNAUTHORIZED);
	assert_string_equal(result.error.message, "webhook-id is missing");
	close_service(&fixture);
}

static void
urls_are_an_option(void **state)
{
	static struct fixture fixture;
	struct herald_handler *handler = NULL;
	struct herald_error error;
	const struct herald_signature_message message = {
		.url = "https://example.com/hook",
		.content_type = "application/x-www-form-urlencoded",
		.body = BODY,
		.body_bytes = strlen(BODY),
	};

	(void)state;
	fixture.signature = create_with_key(HERALD_SIGNATURE_TWILIO, "12345");
	assert_int_equal(herald_signature_handler_create(fixture.signature, NULL, &handler, &error),
			 HERALD_BAD_OPTION);
	assert_option_error(&error, "url",
			    "must be the URL that senders call, such as "
			    "\"https://example.com/hook\"");
	open_service(&fixture, "https://example.com/hook");
	fixture.headers.count = 0;
	assert_int_equal(herald_signature_sign(fixture.signature, &message, add_header,
					       &fixture.headers, NULL),
			 HERALD_OK);
	add_header("Content-Type", message.content_type, &fixture.headers);
	struct herald_result result = send_event(&fixture, 0);
	check_verdict(&result, HERALD_DONE, "");
	close_service(&fixture);

	struct herald_signature *github = create_with_key(HERALD_SIGNATURE_GITHUB, "a");
	assert_int_equal(herald_signature_handler_create(
				 github, &HERALD_SIGNATURE_HANDLER_OPTIONS(.url = "https://a"),
				 &handler, &error),
			 HERALD_BAD_OPTION);
	assert_option_error(&error, "url", "is set, but the scheme has no URL");
	assert_null(handler);
	herald_signature_destroy(github);
}

/* Twilio adds the hash of JSON to the URL that it was told. */
static void
the_hash_of_a_body_is_added_to_the_url(void **state)
{
#define HASH "33ccf01dfd9052c244047ac9d9eeb7ee527260d0730f909c3cfd6b6edc7e84ba"
#define CALLED(QUERY) "https://example.com/hook?" QUERY
	static const struct {
		const char *url;    /* of the options */
		const char *called; /* what Twilio signed */
		const char *hash;   /* of the query */
		const char *reason; /* NULL: it is right */
	} cases[] = {
		{"https://example.com/hook", CALLED("bodySHA256=" HASH), HASH, NULL},
		{CALLED("a=1"), CALLED("a=1&bodySHA256=" HASH), HASH, NULL},
		{CALLED("bodySHA256=" HASH), CALLED("bodySHA256=" HASH), "0", NULL},
		{"https://example.com/hook", CALLED("bodySHA256=" HASH), NULL,
		 "the body is not a form, and the URL has no bodySHA256"},
		{"https://example.com/hook", CALLED("bodySHA256=" HASH), "0" HASH,
		 "the body has another hash than the URL's bodySHA256"},
		{"https://example.com/hook", CALLED("bodySHA256=" HASH), HASH "&a=1",
		 "none of the signatures (1) is of one of the keys (1)"},
		{CALLED("a=2"), CALLED("a=1&bodySHA256=" HASH), HASH,
		 "none of the signatures (1) is of one of the keys (1)"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		static struct fixture fixture;
		const struct herald_signature_message message = {
			.url = cases[i].called, .body = BODY, .body_bytes = strlen(BODY)};

		fixture.signature = create_with_key(HERALD_SIGNATURE_TWILIO, "12345");
		open_service(&fixture, cases[i].url);
		fixture.headers.count = 0;
		assert_int_equal(herald_signature_sign(fixture.signature, &message, add_header,
						       &fixture.headers, NULL),
				 HERALD_OK);
		if (cases[i].hash)
			add_header("?bodySHA256", cases[i].hash, &fixture.headers);
		struct herald_result result = send_event(&fixture, 0);
		assert_string_equal(result.error.message, cases[i].reason ? cases[i].reason : "");
		assert_int_equal(result.verdict, cases[i].reason ? HERALD_FAIL : HERALD_DONE);
		close_service(&fixture);
	}
}

/* The same from the query of a request. */
static void
the_hash_is_read_from_the_query(void **state)
{
	static const struct {
		const char *query;
		unsigned status;
	} cases[] = {
		{"bodySHA256=" HASH, 200},
		{"x=1&bodySHA256=" HASH "&y=2", 200},
		{"bodySHA256=", 401},
		{"", 401},
		{NULL, 401},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		static struct fixture fixture;
		const struct herald_signature_message message = {.url = CALLED("bodySHA256=" HASH),
								 .body = BODY,
								 .body_bytes = strlen(BODY)};
		const struct herald_http_head head = {
			.method = "POST",
			.content_type = "application/json",
			.content_length = strlen(BODY),
			.query = cases[i].query,
			.headers_visit = visit_list,
			.state = &fixture.headers,
		};
		struct herald_endpoint *endpoint;

		fixture.signature = create_with_key(HERALD_SIGNATURE_TWILIO, "12345");
		open_service(&fixture, "https://example.com/hook");
		fixture.headers.count = 0;
		assert_int_equal(herald_signature_sign(fixture.signature, &message, add_header,
						       &fixture.headers, NULL),
				 HERALD_OK);
		assert_int_equal(herald_endpoint_create(fixture.service, NULL, &endpoint, NULL),
				 HERALD_OK);
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);
		assert_true(herald_http_request_append(request, BODY, strlen(BODY)));
		assert_int_equal(herald_http_request_finish(request)->status, cases[i].status);
		herald_http_request_destroy(request);
		herald_endpoint_destroy(endpoint);
		close_service(&fixture);
	}
}

/* Only ed25519 and forms need memory; without it the sender tries again. */
static void
every_allocation_fails(void **state)
{
	static struct fixture fixture;

	(void)state;
	for (size_t n = 1;; n++) {
		static const char *const keys[] = {"12345"};
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_ONLY, SIZE_MAX);
		fixture.signature =
			create_scheme(&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_TWILIO,
								HERALD_SIGNATURE_KEYS(keys),
								.allocator = memory.allocator));
		fixture.headers.count = 0;
		const struct herald_signature_message message = {
			.url = "https://example.com/hook",
			.content_type = "application/x-www-form-urlencoded",
			.body = BODY,
			.body_bytes = strlen(BODY),
		};
		assert_int_equal(herald_signature_sign(fixture.signature, &message, add_header,
						       &fixture.headers, &error),
				 HERALD_OK);
		add_header("Content-Type", message.content_type, &fixture.headers);
		struct herald_handler *handler = NULL;
		memory.fail_at = memory.calls + n;
		enum herald_status status = herald_signature_handler_create(
			fixture.signature,
			&HERALD_SIGNATURE_HANDLER_OPTIONS(.url = "https://example.com/hook"),
			&handler, &error);
		if (status == HERALD_OK) {
			struct herald_handler *handlers[] = {handler};

			fixture.service = create_service(&HERALD_SERVICE_OPTIONS(
				HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
			struct herald_result result = send_event(&fixture, 0);
			check_verdict(&result, memory.failures ? HERALD_RETRY : HERALD_DONE,
				      memory.failures ? "out of memory" : "");
			herald_service_destroy(fixture.service);
		} else {
			assert_int_equal(status, HERALD_NO_MEMORY);
		}
		herald_signature_destroy(fixture.signature);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

/* Keys are replaced while events come on other threads. */

#define THREADS 3
#define REPLACEMENTS 2000

struct race {
	struct herald_signature *signature;
	struct header_list *headers[2]; /* signed by the one key, and by the other */
	atomic_bool stops;
	atomic_uint valid;
};

static void *
verify_for_ever(void *state)
{
	struct race *race = state;

	for (unsigned turn = 0; !atomic_load(&race->stops); turn++)
		if (verify_list(race->signature, race->headers[turn % 2], BODY, strlen(BODY), NOW,
				NULL) == HERALD_SIGNATURE_VALID)
			atomic_fetch_add(&race->valid, 1);
	return NULL;
}

/* The old keys are gone when the call returns, so a signature by them is wrong at once. */
static void
keys_are_replaced_at_run_time(void **state)
{
	static struct header_list headers[2];
	static const char *const keys[] = {KEY, OTHER_KEY};
	struct failing_allocator memory;
	struct race race = {.headers = {&headers[0], &headers[1]}};
	pthread_t threads[THREADS];
	const struct herald_signature_message message = {
		.id = "msg_1", .timestamp_s = NOW, .body = BODY, .body_bytes = strlen(BODY)};

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	race.signature = create_scheme(
		&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					  .keys = keys, .keys_count = 1,
					  .allocator = memory.allocator));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(herald_signature_set_keys(race.signature, &keys[i], 1, NULL),
				 HERALD_OK);
		assert_int_equal(herald_signature_sign(race.signature, &message, add_header,
						       &headers[i], NULL),
				 HERALD_OK);
	}
	size_t blocks = memory.blocks;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_for_ever, &race), 0);
	while (atomic_load(&race.valid) == 0)
		sched_yield();
	for (unsigned i = 0; i < REPLACEMENTS; i++) {
		assert_int_equal(herald_signature_set_keys(race.signature, &keys[i % 2], 1, NULL),
				 HERALD_OK);
		assert_int_equal(memory.blocks, blocks);
		assert_int_equal(
			verify_list(race.signature, &headers[i % 2], BODY, strlen(BODY), NOW, NULL),
			HERALD_SIGNATURE_VALID);
		assert_int_equal(verify_list(race.signature, &headers[(i + 1) % 2], BODY,
					     strlen(BODY), NOW, NULL),
				 HERALD_SIGNATURE_NO_MATCH);
	}
	atomic_store(&race.stops, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Keys that are refused change nothing. */
	struct herald_error error;
	const char *const bad[] = {KEY, "whsec_?"};
	assert_int_equal(herald_signature_set_keys(race.signature, bad, 2, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "keys[1]");
	assert_int_equal(verify_list(race.signature, &headers[(REPLACEMENTS - 1) % 2], BODY,
				     strlen(BODY), NOW, NULL),
			 HERALD_SIGNATURE_VALID);
	herald_signature_destroy(race.signature);
	assert_all_released(&memory);
}

/* A handler that owns its scheme, and what it does without memory. */
static void
a_scheme_of_its_own(void **state)
{
	static const char *const keys[] = {KEY}, *const bad[] = {"whsec_?"};
	struct herald_signature_options options =
		HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					 HERALD_SIGNATURE_KEYS(bad));
	struct herald_handler *handler = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_signature_handler_create_with(&options, NULL, &handler, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "keys[0]");
	options.keys = keys;
	assert_int_equal(herald_signature_handler_create_with(
				 &options, &HERALD_SIGNATURE_HANDLER_OPTIONS(.url = "http://a/"),
				 &handler, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "url");
	assert_null(handler);
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		options.allocator = memory.allocator;
		enum herald_status status =
			herald_signature_handler_create_with(&options, NULL, &handler, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		if (status == HERALD_OK)
			herald_handler_destroy(handler);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	herald_handler_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reasons_are_logged_as_warnings, events_setup),
		cmocka_unit_test_setup(time_in_a_queue_does_not_count, events_setup),
		cmocka_unit_test_setup(attributes_by_name, events_setup),
		cmocka_unit_test_setup(urls_are_an_option, events_setup),
		cmocka_unit_test_setup(every_allocation_fails, events_setup),
		cmocka_unit_test_setup(the_hash_of_a_body_is_added_to_the_url, events_setup),
		cmocka_unit_test_setup(the_hash_is_read_from_the_query, events_setup),
		cmocka_unit_test(a_scheme_of_its_own),
		cmocka_unit_test(keys_are_replaced_at_run_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
