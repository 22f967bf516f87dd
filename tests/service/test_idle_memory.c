/*
 * The memory that stays allocated after large events: by a service, by an HTTP endpoint with idle
 * requests, and by the C library. A sender of small bodies that decode to large structs must not
 * leave a large process behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <herald/adapter/request.h>
#include <herald/endpoint.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Each item has three bytes of JSON, and 512 bytes in memory. */
struct item {
	char name[256];
	char city[256];
};
HERALD_SCHEMA(item, HERALD_FIELD(item, name), HERALD_FIELD(item, city));

struct bulk {
	const struct item *items;
	size_t items_count;
};
HERALD_SCHEMA(bulk, HERALD_LIST(bulk, items, item));

/* The events within each other, for as many contexts at once. */
struct nest {
	struct herald_service *service;
	const char *event;
	int left;
};

static enum herald_verdict
on_bulk(struct herald_context *ctx, const struct bulk *bulk, struct nest *nest)
{
	(void)ctx;
	(void)bulk;
	if (nest->left-- > 0)
		assert_int_equal(handle(nest->service, nest->event).verdict, HERALD_DONE);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_bulk, bulk, nest);

static char *
make_event(size_t items_count)
{
	static const char head[] =
		"{\"event_type\":\"bulk\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"payload\":{\"items\":[";
	char *event = malloc(sizeof(head) + 3 * items_count + 4), *at = event;

	assert_non_null(event);
	at += sprintf(at, "%s", head);
	for (size_t i = 0; i < items_count; i++)
		at += sprintf(at, i > 0 ? ",{}" : "{}");
	strcpy(at, "]}}");
	return event;
}

/* 2 MiB of items, and as much again while the list grows. */
#define MANY 4000

static struct herald_service *
open_service(struct herald_allocator allocator, struct nest *nest, size_t max_idle_bytes)
{
	const struct herald_route routes[] = {HERALD_ROUTE("bulk", bulk, on_bulk, nest)};

	nest->left = 0;
	nest->service = create_service(&HERALD_SERVICE_OPTIONS(.routes = routes, .routes_count = 1,
							       .allocator = allocator,
							       .max_idle_bytes = max_idle_bytes));
	return nest->service;
}

static void
test_of_a_service(void **state)
{
	static const struct {
		size_t max_idle_bytes, most_kept;
	} rows[] = {
		{0, 4 * MIB},
		{1, 0},
		{MIB, MIB},
		{32 * MIB, 32 * MIB},
	};
	char *large = make_event(MANY);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct failing_allocator memory;
		struct nest nest = {.event = large};

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct herald_service *service =
			open_service(memory.allocator, &nest, rows[i].max_idle_bytes);
		size_t before = memory.bytes;
		nest.left = 63;
		handle(service, large);
		assert_true(memory.peak_bytes > 64 * 2 * MIB);
		/* 64 contexts, and what they may keep each. */
		assert_true(memory.bytes - before <= rows[i].most_kept + 64 * 66 * KIB);
		assert_true(memory.bytes - before >= rows[i].most_kept / 2);
		herald_service_destroy(service);
		assert_all_released(&memory);
	}
	free(large);
}

/* Large events that come steadily take no more than the first small pieces from the allocator. */
static void
test_steady_large_events_are_cheap(void **state)
{
	struct failing_allocator memory;
	struct nest nest;
	char *large = make_event(MANY);
	size_t calls = 0, bytes = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = open_service(memory.allocator, &nest, 8 * MIB);
	for (int i = 0; i < 20; i++) {
		nest.left = 0;
		handle(service, large);
		if (i == 9) {
			calls = memory.calls;
			bytes = memory.bytes;
		}
	}
	assert_true(memory.calls - calls <= 10 * 5);
	assert_int_equal(memory.bytes, bytes);
	herald_service_destroy(service);
	assert_all_released(&memory);
	free(large);
}

/* Handle a request with its whole body. */
static struct herald_http_request *
begin_request(struct herald_endpoint *endpoint, const char *event)
{
	struct herald_http_request *request = herald_http_request_create(
		endpoint, &(struct herald_http_head){.method = "POST",
						     .content_type = "application/json",
						     .content_length = strlen(event)});

	assert_non_null(request);
	assert_true(herald_http_request_append(request, event, strlen(event)));
	return request;
}

static void
test_of_an_endpoint(void **state)
{
	struct failing_allocator memory;
	struct nest nest;
	struct herald_endpoint *endpoint;
	struct herald_http_request *requests[64];
	/* More than 64 KiB, so that the bodies are large too. */
	char *large = make_event(30000), *small = make_event(1);

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = open_service(memory.allocator, &nest, 1);
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	size_t before = memory.bytes;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT(requests); i++)
			requests[i] = begin_request(endpoint, i % 4 == 0 ? large : small);
		assert_true(memory.bytes - before > 16 * 64 * KIB);
		for (size_t i = 0; i < COUNT(requests); i++)
			assert_true(herald_http_request_finish(requests[i])->status < 500);
		/* Answered, and not yet sent: the bodies are gone already. */
		assert_true(memory.bytes - before <= 64 * 12 * KIB);
		for (size_t i = 0; i < COUNT(requests); i++)
			herald_http_request_destroy(requests[i]);
		assert_true(memory.bytes - before <= 64 * 12 * KIB);
	}
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	assert_all_released(&memory);
	free(large);
	free(small);
}

/* Ordinary events after large ones: as without these, nothing is allocated. */
static void
test_no_allocation_after_large_events(void **state)
{
	struct failing_allocator memory;
	struct nest nest;
	struct herald_endpoint *endpoint;
	char *large = make_event(MANY), *small = make_event(3);
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = open_service(memory.allocator, &nest, 0);
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	for (int i = 0; i < 30; i++) {
		struct herald_http_request *request =
			begin_request(endpoint, i < 5 ? large : small);

		assert_int_equal(herald_http_request_finish(request)->status, 200);
		herald_http_request_destroy(request);
		if (i == 7)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	assert_all_released(&memory);
	free(large);
	free(small);
}

/*
 * glibc keeps twice the size of the largest block that was ever freed, unless it is freed as a
 * small one. Not with the allocators of sanitizers.
 */
static void
test_of_the_c_library(void **state)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&       \
	!defined(__has_feature)
	struct nest nest;
	char *large = make_event(15800);
	size_t before = mallinfo2().fordblks;

	struct herald_service *service = open_service(herald_allocator_libc, &nest, 0);
	for (int i = 0; i < 3; i++) {
		nest.left = 0;
		assert_int_equal(handle(service, large).verdict, HERALD_DONE);
	}
	struct mallinfo2 after = mallinfo2();
	if (after.fordblks > before + 4 * MIB || after.hblkhd > 5 * MIB)
		fail_msg("%zu free bytes are kept, %zu are mapped", after.fordblks, after.hblkhd);
	herald_service_destroy(service);
	free(large);
#endif
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the others free large blocks of their own. */
		cmocka_unit_test(test_of_the_c_library),
		cmocka_unit_test(test_of_a_service),
		cmocka_unit_test(test_steady_large_events_are_cheap),
		cmocka_unit_test(test_of_an_endpoint),
		cmocka_unit_test(test_no_allocation_after_large_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
