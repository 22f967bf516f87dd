/*
 * herald/endpoint.h: the options of an endpoint, and memory: what is retained, and failing
 * allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/request.h>
#include <herald/endpoint.h>

#include "http/endpoint_fixture.h"
#include "http/request.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

static void
test_bad_options(void **state)
{
	static const char *const none[] = {NULL}, *const odd[] = {"text/csv", "json", NULL};
	static const char *const any[] = {"text/*", NULL}, *const empty[] = {"", NULL};
	const struct {
		struct herald_endpoint_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{{.struct_size = sizeof(size_t) - 1}, "struct_size"},
		{{.struct_size = sizeof(struct herald_endpoint_options),
		  .max_headers_bytes = ((size_t)16 << 20) + 1},
		 "max_headers_bytes"},
		{{.struct_size = sizeof(struct herald_endpoint_options), .media_types = none},
		 "media_types"},
		{{.struct_size = sizeof(struct herald_endpoint_options), .media_types = odd},
		 "media_types[1]"},
		{{.struct_size = sizeof(struct herald_endpoint_options), .media_types = any},
		 "media_types[0]"},
		{{.struct_size = sizeof(struct herald_endpoint_options), .media_types = empty},
		 "media_types[0]"},
	};
	struct fixture fixture = open_default();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error;

		assert_int_equal(herald_endpoint_create(fixture.service, &rows[i].options,
							&endpoint, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_int_equal(
			herald_endpoint_create(fixture.service, &rows[i].options, &endpoint, NULL),
			HERALD_BAD_OPTION);
		assert_null(endpoint);
	}
	close_endpoint(&fixture);
	herald_endpoint_destroy(NULL);
}

/* A handler that reads what no header can be called would find nothing, and nothing would say
 * why. */
static void
test_attributes_are_header_names(void **state)
{
	static const struct {
		const char *name;
		bool is_name;
	} rows[] = {
		{"X-Signature", true},   {"x_1.2~", true}, {"X Signature", false},
		{"X-Signature:", false}, {"", false},      {"X-Signatur\u00eb", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const attributes[] = {"X-Ok", rows[i].name, NULL};
		const struct herald_handler_ops ops = {
			.struct_size = sizeof(ops), .name = "signature", .attributes = attributes};
		struct herald_handler handler = {.ops = &ops};
		struct herald_handler *const handlers[] = {&handler};
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error = {0};
		char message[160];

		assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, &error),
				 rows[i].is_name ? HERALD_OK : HERALD_BAD_OPTION);
		if (!rows[i].is_name) {
			snprintf(message, sizeof(message),
				 "attribute \"%s\" of the service is not a valid HTTP "
				 "header name, nor an argument of a query such as "
				 "\"?access_token\"",
				 rows[i].name);
			assert_option_error(&error, "attributes", message);
			assert_null(endpoint);
		}
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
	}
}

static void
test_options_are_copied(void **state)
{
	char type[] = "text/csv";
	const char *types[] = {type, NULL};
	size_t bytes = offsetof(struct herald_endpoint_options, max_idle_requests);
	struct herald_endpoint_options all = {.struct_size = bytes, .media_types = types};
	struct herald_endpoint_options *options = malloc(bytes);

	(void)state;
	assert_non_null(options);
	memcpy(options, &all, bytes);
	struct fixture fixture = open_endpoint((struct herald_allocator){0}, options);
	free(options);
	memset(type, '?', sizeof(type) - 1);
	types[0] = NULL;
	struct herald_http_request *request = herald_http_request_create(
		fixture.endpoint,
		&(struct herald_http_head){.method = "POST", .content_type = "text/csv"});
	assert_null(herald_http_request_response(request));
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

static void
test_no_allocation_in_the_steady_state(void **state)
{
	static char large[60000] = EVENT("user_created", "{\"user_id\":\"1\"}");
	static const char *const bodies[] = {
		SEED_EVENT,         "{",  EVENT("do", "\"retry\""), EVENT("do", "0"),
		EVENT("none", "0"), large};
	struct failing_allocator memory;
	size_t calls = 0;

	(void)state;
	memset(large + strlen(large), ' ', sizeof(large) - strlen(large) - 1);
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_endpoint(memory.allocator, NULL);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < COUNT(bodies); i++) {
			struct herald_http_request *request =
				post(&fixture, i % 2 ? strlen(bodies[i]) : HERALD_HTTP_NO_LENGTH);

			assert_true(
				herald_http_request_append(request, bodies[i], strlen(bodies[i])));
			herald_http_request_finish(request);
			herald_http_request_destroy(request);
			request = herald_http_request_create(
				fixture.endpoint, &(struct herald_http_head){.method = "GET"});
			herald_http_request_destroy(request);
		}
		if (round == 1)
			calls = memory.calls;
		trace[0] = '\0';
	}
	assert_int_equal(memory.calls, calls);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

static void
test_what_is_kept_is_bounded(void **state)
{
	static char spaces[200000];
	struct failing_allocator memory;
	struct herald_http_request *requests[5];

	(void)state;
	memset(spaces, ' ', sizeof(spaces));
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture =
		open_endpoint(memory.allocator, &HERALD_ENDPOINT_OPTIONS(.max_idle_requests = 2));
	size_t bytes = memory.bytes, blocks = memory.blocks;

	/* A large length that is only declared takes no memory for it. */
	requests[0] = post(&fixture, 1 << 20);
	assert_true(memory.bytes - bytes < 10000);
	/* Nor is it taken at once, when less comes. */
	assert_true(herald_http_request_append(requests[0], spaces, 1));
	assert_true(memory.bytes - bytes < 20000);
	assert_true(herald_http_request_append(requests[0], spaces, sizeof(spaces)));
	assert_true(memory.bytes - bytes > sizeof(spaces));
	/* Over the limit the memory goes at once, before the answer is sent. */
	for (int i = 0; herald_http_request_append(requests[0], spaces, sizeof(spaces)); i++)
		assert_true(i < 6);
	assert_true(memory.bytes - bytes < 10000);
	herald_http_request_destroy(requests[0]);

	/* What an ordinary request took for a large body is given back. */
	requests[0] = post(&fixture, HERALD_HTTP_NO_LENGTH);
	assert_true(herald_http_request_append(requests[0], spaces, sizeof(spaces)));
	herald_http_request_destroy(requests[0]);
	assert_true(memory.bytes - bytes < 10000);

	/* Of five requests at once two stay. */
	for (size_t i = 0; i < COUNT(requests); i++)
		requests[i] = post(&fixture, HERALD_HTTP_NO_LENGTH);
	assert_int_equal(memory.blocks, blocks + 5);
	for (size_t i = 0; i < COUNT(requests); i++)
		herald_http_request_destroy(requests[i]);
	assert_int_equal(memory.blocks, blocks + 2);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

static void
test_spare_request(void **state)
{
	const struct herald_http_head head = {.method = "POST", .content_type = "application/json"};
	struct failing_allocator memory;
	struct herald_http_request *spare = NULL, *requests[2];

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_endpoint(memory.allocator, NULL);
	for (size_t i = 0; i < COUNT(requests); i++)
		requests[i] = herald__http_request_create(fixture.endpoint, &head, &spare);
	/* The first one that is returned becomes the spare one; the endpoint retains the other. */
	for (size_t i = 0; i < COUNT(requests); i++)
		herald_http_request_destroy(requests[i]);
	assert_ptr_equal(spare, requests[0]);
	size_t calls = memory.calls;
	for (size_t i = 0; i < COUNT(requests); i++)
		assert_ptr_equal(herald__http_request_create(fixture.endpoint, &head, &spare),
				 requests[i]);
	assert_int_equal(memory.calls, calls);
	assert_null(spare);

	/* A stop waits for both. */
	for (size_t i = 0; i < COUNT(requests); i++) {
		assert_int_equal(herald_endpoint_stop(fixture.endpoint, 1), COUNT(requests) - i);
		herald_http_request_destroy(requests[i]);
	}
	assert_int_equal(herald_endpoint_stop(fixture.endpoint, 60000), 0);
	herald__http_request_free_spare(fixture.endpoint, spare);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

/* One request while the n-th allocation, or all from it on, fail. Returns whether any did. */
static bool
request_while_failing(enum failing_mode mode, size_t n)
{
	struct failing_allocator memory;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_endpoint(memory.allocator, NULL);
	memory.mode = mode;
	memory.fail_at = memory.calls + n;

	struct herald_http_request *request = herald_http_request_create(
		fixture.endpoint, &(struct herald_http_head){.method = "POST",
							     .content_type = "application/json",
							     .content_length = 100});
	const struct herald_http_response *response = herald_http_unavailable();
	if (request) {
		/* In pieces, so that the body's memory grows too. */
		for (size_t at = 0; at < strlen(SEED_EVENT); at += 50)
			if (!herald_http_request_append(request, &SEED_EVENT[at],
							strnlen(&SEED_EVENT[at], 50)))
				break;
		response = herald_http_request_finish(request);
	}
	bool failed = memory.failures > 0;
	assert_string_equal(text_of(response),
			    !request ? "503 {\"error\":\"Service Unavailable\"} Retry-After: 1"
			    : failed ? "503 {\"error\":\"out of memory\"} Retry-After: 1"
				     : "200 " SUCCESS);
	herald_http_request_destroy(request);

	memory.mode = FAIL_NEVER;
	check_answer(&fixture, SEED_EVENT, "200 " SUCCESS);
	close_endpoint(&fixture);
	assert_all_released(&memory);
	return failed;
}

static void
test_every_allocation_of_a_request_fails(void **state)
{
	size_t n = 1;

	(void)state;
	while (request_while_failing(FAIL_ONLY, n))
		n++;
	assert_true(n > 5);
	n = 1;
	while (request_while_failing(FAIL_FROM, n))
		n++;
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	static const char *const types[] = {"text/csv", "text/plain", NULL};
	struct fixture fixture = open_default();
	struct failing_allocator memory;

	(void)state;
	close_endpoint(&fixture);
	for (size_t n = 1;; n++) {
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		fixture.service =
			create_service(&HERALD_SERVICE_OPTIONS(.allocator = memory.allocator));
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		struct herald_error error = {0};
		enum herald_status status = herald_endpoint_create(
			fixture.service, &HERALD_ENDPOINT_OPTIONS(.media_types = types),
			&fixture.endpoint, &error);
		bool failed = memory.failures > 0;

		assert_int_equal(status, failed ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(error.status, status);
		if (!failed)
			herald_endpoint_destroy(fixture.endpoint);
		herald_service_destroy(fixture.service);
		assert_all_released(&memory);
		if (!failed)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test(test_attributes_are_header_names),
		cmocka_unit_test_setup(test_options_are_copied, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_what_is_kept_is_bounded, events_setup),
		cmocka_unit_test_setup(test_spare_request, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_a_request_fails, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
