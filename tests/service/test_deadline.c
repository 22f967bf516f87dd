/*
 * herald/deadline.h and the context's deadline: the time left, and the effects of a deadline that
 * has passed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/request.h>
#include <herald/deadline.h>
#include <herald/service.h>

#include "service/handler_creation.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"

#include "http/request.h"

#define LATE "the event's deadline passed before its function could run"

static struct fake_clock fake;

static struct herald_handler *
create_deadline(uint32_t timeout_ms)
{
	struct herald_handler *handler = NULL;

	assert_int_equal(
		herald_deadline_handler_create(&HERALD_DEADLINE_OPTIONS(.timeout_ms = timeout_ms),
					       &handler, NULL),
		HERALD_OK);
	return handler;
}

/* A handler whose `before` and `after` take time. */
struct slow {
	struct herald_handler base;
	uint32_t before_ms, after_ms;
};

static enum herald_verdict
slow_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)ctx;
	fake_clock_add_ms(&fake, ((struct slow *)handler)->before_ms);
	return HERALD_DONE;
}

static enum herald_verdict
slow_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	fake_clock_add_ms(&fake, ((struct slow *)handler)->after_ms);
	note("after %s %u", herald_verdict_name(result),
	     (unsigned)herald_context_remaining_ms(ctx));
	return HERALD_DONE;
}

static const struct herald_handler_ops slow_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "slow",
	.before = slow_before,
	.after = slow_after,
};

/* Takes as many milliseconds as the state says. */
static enum herald_verdict
work(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	note("f %u", (unsigned)herald_context_remaining_ms(ctx));
	fake_clock_add_ms(&fake, *(uint32_t *)state);
	return HERALD_DONE;
}

/* The service's deadline, then the slow handler, then the route's deadline; 0: none. */
static struct herald_service *
create_timed(uint32_t services_ms, struct slow *slow, uint32_t routes_ms, uint32_t *work_ms)
{
	struct herald_handler *handlers[2], *own[1];
	size_t count = 0, own_count = 0;

	slow->base.ops = &slow_ops;
	if (services_ms > 0)
		handlers[count++] = create_deadline(services_ms);
	handlers[count++] = &slow->base;
	if (routes_ms > 0)
		own[own_count++] = create_deadline(routes_ms);
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = work,
					       .state = work_ms,
					       .handlers = own_count > 0 ? own : NULL,
					       .handlers_count = own_count}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .handlers = count > 0 ? handlers : NULL,
		.handlers_count = count, .log = debug_log));
	fake_clock_init(&fake, service);
	return service;
}

static struct herald_result
handle_waited(struct herald_service *service, uint32_t waited_ms)
{
	char data[] = EVENT("a", "1");
	struct herald_result result;

	herald_service_handle_with(service, data, strlen(data),
				   &HERALD_ARRIVAL(.waited_ms = waited_ms), &result);
	return result;
}

static void
test_deadlines(void **state)
{
	static const struct {
		uint32_t services_ms, before_ms, routes_ms, work_ms, after_ms, waited_ms;
		enum herald_verdict verdict;
		const char *trace;
	} rows[] = {
		{0, 0, 0, 0, 0, 0, HERALD_DONE, "f 4294967295 after done 4294967295"},
		{0, 1000000, 0, 1000000, 0, 1000000, HERALD_DONE,
		 "f 4294967295 after done 4294967295"},
		{100, 0, 0, 0, 0, 0, HERALD_DONE, "f 100 after done 100"},
		{100, 30, 0, 20, 10, 0, HERALD_DONE, "f 70 after done 40"},
		/* A function that has begun is not interrupted, and its result counts however late
		 * it is. */
		{100, 99, 0, 20, 0, 0, HERALD_DONE, "f 1 after done 0"},
		{100, 0, 0, 0, 200, 0, HERALD_DONE, "f 100 after done 0"},
		/* The deadline passes before the function. */
		{100, 100, 0, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		{100, 5000, 0, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		{1, 1, 0, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		/* A route's deadline counts from the same moment. */
		{0, 30, 100, 0, 0, 0, HERALD_DONE, "f 70 after done 70"},
		{0, 100, 100, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		/* The nearest of two deadlines applies, whichever it is. */
		{100, 30, 1000, 0, 0, 0, HERALD_DONE, "f 70 after done 70"},
		{1000, 30, 100, 0, 0, 0, HERALD_DONE, "f 70 after done 70"},
		{100, 100, 1000, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		{1000, 100, 100, 0, 0, 0, HERALD_RETRY, "after retry 0"},
		/* The time that it waited before arrival counts. */
		{100, 0, 0, 0, 0, 40, HERALD_DONE, "f 60 after done 60"},
		{100, 0, 0, 0, 0, 99, HERALD_DONE, "f 1 after done 1"},
		{100, 0, 0, 0, 0, 100, HERALD_RETRY, "after retry 0"},
		{100, 0, 0, 0, 0, 999, HERALD_RETRY, "after retry 0"},
		{100, 0, 0, 0, 0, 1001, HERALD_RETRY, "after retry 0"},
		{100, 0, 0, 0, 0, UINT32_MAX, HERALD_RETRY, "after retry 0"},
		/* The longest possible deadline still applies. */
		{UINT32_MAX, 0, 0, 0, 0, 0, HERALD_DONE, "f 4294967294 after done 4294967294"},
		{UINT32_MAX, 1, 0, 0, 0, 0, HERALD_DONE, "f 4294967294 after done 4294967294"},
		{UINT32_MAX, 2, 0, 0, 0, 0, HERALD_DONE, "f 4294967293 after done 4294967293"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slow slow = {.before_ms = rows[i].before_ms, .after_ms = rows[i].after_ms};
		uint32_t work_ms = rows[i].work_ms;
		struct herald_service *service =
			create_timed(rows[i].services_ms, &slow, rows[i].routes_ms, &work_ms);
		bool late = rows[i].verdict == HERALD_RETRY;

		trace[0] = logged[0] = '\0';
		fake_clock_add_ms(&fake, 10000);
		struct herald_result result = handle_waited(service, rows[i].waited_ms);
		if (strcmp(trace, rows[i].trace) != 0)
			fail_msg("row %zu: expected %s, got %s", i, rows[i].trace, trace);
		check_verdict(&result, rows[i].verdict, late ? LATE : "");
		assert_int_equal(result.retry_after_ms, 0);
		assert_int_equal(fake.sleeps_count, 0);
		assert_true(!late || strstr(logged, "warning: event retry requested event_type=a "
						    "verdict=retry reason=" LATE " took=some\n"));
		herald_service_destroy(service);
	}
}

/* A clock that has not run as long as an event has waited. */
static void
test_waited_since_before_the_clock(void **state)
{
	struct slow slow = {0};
	uint32_t work_ms = 0;
	struct herald_service *service = create_timed(100, &slow, 0, &work_ms);

	(void)state;
	fake.now_ns = 50 * HERALD__MS_NS;
	struct herald_result result = handle_waited(service, 1000);
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "f 50 after done 50");
	herald_service_destroy(service);
}

/* Notes the event's age, before and after the time that the state says has passed. */
static enum herald_verdict
note_ages(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	note("%u", (unsigned)herald_context_age_ms(ctx));
	fake.now_ns += *(uint64_t *)state;
	note("%u", (unsigned)herald_context_age_ms(ctx));
	return HERALD_DONE;
}

static void
test_age(void **state)
{
	static const struct {
		uint32_t waited_ms;
		uint64_t passes_ns;
		const char *ages;
	} rows[] = {
		{0, 0, "0 0"},
		{0, HERALD__MS_NS - 1, "0 0"},
		{0, HERALD__MS_NS, "0 1"},
		{250, 5 * HERALD__MS_NS - 1, "250 254"},
		{250, 5 * HERALD__MS_NS, "250 255"},
		/* It does not wrap around. */
		{UINT32_MAX, HERALD__MS_NS, "4294967295 4294967295"},
		{0, UINT64_C(4294967294) * HERALD__MS_NS, "0 4294967294"},
		{0, UINT64_C(1) << 62, "0 4294967295"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t passes_ns = rows[i].passes_ns;
		const struct herald_route routes[] = {{.event_type = "a",
						       .schema = &herald_json_schema,
						       .function = note_ages,
						       .state = &passes_ns}};
		struct herald_service *service =
			create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

		fake_clock_init(&fake, service);
		fake.now_ns = UINT64_C(1) << 62;
		trace[0] = '\0';
		struct herald_result result = handle_waited(service, rows[i].waited_ms);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].ages);
		herald_service_destroy(service);
	}
}

/* An event that reuses a context does not have the previous event's deadline. */
static void
test_deadlines_are_of_one_event(void **state)
{
	struct slow slow = {0};
	uint32_t work_ms = 0;
	struct herald_handler *own[] = {create_deadline(100)};
	const struct herald_route routes[] = {
		{.event_type = "a",
		 .schema = &herald_json_schema,
		 .function = work,
		 .state = &work_ms,
		 HERALD_HANDLERS(own)},
		{.event_type = "b",
		 .schema = &herald_json_schema,
		 .function = work,
		 .state = &work_ms},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	(void)slow;
	fake_clock_init(&fake, service);
	for (int i = 0; i < 3; i++) {
		handle(service, EVENT("a", "1"));
		fake_clock_add_ms(&fake, 500);
		handle(service, EVENT("b", "1"));
	}
	assert_string_equal(trace, "f 100 f 4294967295 f 100 f 4294967295 f 100 f 4294967295");
	herald_service_destroy(service);
}

/* A request that a pool's thread finishes late: what it waited for one counts. */
static void
test_requests_that_wait(void **state)
{
	static const struct {
		bool queued;
		uint32_t waits_ms;
		unsigned status;
		const char *trace;
	} rows[] = {
		{false, 500, 200, "f 100 after done 100"}, {true, 0, 200, "f 100 after done 100"},
		{true, 40, 200, "f 60 after done 60"},     {true, 100, 503, "after retry 0"},
		{false, 500, 200, "f 100 after done 100"},
	};
	const struct herald_http_head head = {.method = "POST",
					      .content_type = "application/json",
					      .content_length = HERALD_HTTP_NO_LENGTH};
	struct slow slow = {.before_ms = 0};
	uint32_t work_ms = 0;
	struct herald_service *service = create_timed(100, &slow, 0, &work_ms);
	struct herald_endpoint *endpoint = NULL;

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);

		assert_non_null(request);
		herald_http_request_append(request, EVENT("a", "1"), strlen(EVENT("a", "1")));
		if (rows[i].queued)
			herald__request_queued(request);
		fake_clock_add_ms(&fake, rows[i].waits_ms);
		trace[0] = '\0';
		assert_int_equal(herald_http_request_finish(request)->status, rows[i].status);
		assert_string_equal(trace, rows[i].trace);
		herald_http_request_destroy(request);
	}
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

/* With the system's clock instead of a fake one. */
static enum herald_verdict
look(struct herald_context *ctx, const void *payload, void *state)
{
	uint32_t first = herald_context_remaining_ms(ctx);
	uint32_t second = herald_context_remaining_ms(ctx);

	(void)payload;
	(void)state;
	assert_true(first <= 60000 && first > 0);
	assert_true(second <= first);
	herald_context_expire_after(ctx, 70000);
	assert_true(herald_context_remaining_ms(ctx) <= second);
	herald_context_expire_after(ctx, 0);
	assert_int_equal(herald_context_remaining_ms(ctx), 0);
	return HERALD_DONE;
}

static void
test_the_systems_clock(void **state)
{
	struct herald_handler *handlers[] = {create_deadline(60000)};
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &herald_json_schema, .function = look}};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
	struct herald_result result = handle(service, EVENT("a", "1"));

	(void)state;
	check_verdict(&result, HERALD_DONE, "");
	herald_service_destroy(service);
}

/* Creation. */

static enum herald_status
create(const void *options, struct herald_handler **out, struct herald_error *error)
{
	return herald_deadline_handler_create(options, out, error);
}

static void
test_bad_options(void **state)
{
	static const struct {
		struct herald_deadline_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{{.struct_size = sizeof(size_t) - 1, .timeout_ms = 1}, "struct_size"},
		{{.struct_size = sizeof(struct herald_deadline_options),
		  .allocator.allocate = no_memory},
		 "allocator"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_bad_handler_option(create, &rows[i].options, rows[i].path);
}

/* What the default is, and what an older program's options, which end early, stand for. */
static void
test_defaults(void **state)
{
	const struct herald_deadline_options shortest = {.struct_size = sizeof(size_t),
							 .timeout_ms = 7};
	const struct herald_deadline_options *const options[] = {
		NULL, &HERALD_DEADLINE_OPTIONS(.timeout_ms = 0), &shortest};

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		struct herald_handler *handlers[1];
		uint32_t work_ms = 0;

		assert_int_equal(herald_deadline_handler_create(options[i], &handlers[0], NULL),
				 HERALD_OK);
		const struct herald_route routes[] = {{.event_type = "a",
						       .schema = &herald_json_schema,
						       .function = work,
						       .state = &work_ms}};
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));

		fake_clock_init(&fake, service);
		trace[0] = '\0';
		handle(service, EVENT("a", "1"));
		assert_string_equal(trace, "f 30000");
		herald_service_destroy(service);
	}
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_creation_fails_at_every_allocation(
		create, &HERALD_DEADLINE_OPTIONS(.allocator = memory.allocator), &memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_deadlines, events_setup),
		cmocka_unit_test_setup(test_waited_since_before_the_clock, events_setup),
		cmocka_unit_test_setup(test_age, events_setup),
		cmocka_unit_test_setup(test_deadlines_are_of_one_event, events_setup),
		cmocka_unit_test_setup(test_requests_that_wait, events_setup),
		cmocka_unit_test_setup(test_the_systems_clock, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test_setup(test_defaults, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
