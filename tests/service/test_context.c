/*
 * The context of an event: memory that functions take from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/herald.h>

struct empty {
	const char *name;
};

HERALD_SCHEMA(empty, HERALD_FIELD(empty, name));

static size_t used_before[2];

/* herald_context_alloc() takes from this arena, which is emptied for the next event. */
static enum herald_verdict
on_event(struct herald_context *ctx, const struct empty *payload)
{
	struct herald_arena *arena = herald_context_arena(ctx);
	size_t before = herald_arena_used_bytes(arena);

	used_before[strcmp(payload->name, "second") == 0] = before;
	assert_non_null(herald_context_alloc(ctx, 1000));
	assert_in_range(herald_arena_used_bytes(arena), before + 1000, before + 1100);
	assert_non_null(herald_arena_alloc(arena, 5000));
	assert_in_range(herald_arena_used_bytes(arena), before + 6000, before + 6200);
	/* The event's memory has one limit. */
	assert_null(herald_arena_alloc(arena, 20000));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_event, empty);

static void
functions_take_from_the_arena_of_the_event(void **state)
{
	const struct herald_route routes[] = {HERALD_ROUTE("a", empty, on_event, NULL)};
	const char *const names[] = {"first.", "second"};
	struct herald_service *service;
	struct herald_error error = {.message = ""};

	(void)state;
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .max_arena_bytes = 16384),
		    &service, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	for (size_t i = 0; i < HERALD_COUNT(names); i++) {
		struct herald_result result;
		char event[128];
		int bytes = snprintf(event, sizeof(event),
				     "{\"event_type\":\"a\",\"timestamp\":\"2024-08-20T05:21:19Z\","
				     "\"payload\":{\"name\":\"%s\"}}",
				     names[i]);

		herald_service_handle(service, event, (size_t)bytes, &result);
		assert_int_equal(result.verdict, HERALD_DONE);
	}
	assert_int_equal(used_before[0], used_before[1]);
	herald_service_destroy(service);
}

static void
take_span(const struct herald_span *span, void *state)
{
	(void)span;
	(void)state;
}

static void
a_span_hook_implies_tracing(void **state)
{
	const struct {
		struct herald_service_options options;
		bool has_tracing;
	} rows[] = {
		{HERALD_SERVICE_OPTIONS(.tracing = false), false},
		{HERALD_SERVICE_OPTIONS(.tracing = true), true},
		{HERALD_SERVICE_OPTIONS(.spans = {.end = take_span}), true},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		struct herald_service *service;

		assert_int_equal(herald_service_create(&rows[i].options, &service, NULL),
				 HERALD_OK);
		assert_int_equal(herald_service_has_tracing(service), rows[i].has_tracing);
		herald_service_destroy(service);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_take_from_the_arena_of_the_event),
		cmocka_unit_test(a_span_hook_implies_tracing),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
