/*
 * `rejected` of herald/handler.h: for which events and which handlers it is called, with which
 * bytes, reason and place, and what it may not change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/deadline.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

struct old_user {
	const char *name;
	const char *action;
};
HERALD_SCHEMA(old_user, HERALD_FIELD(old_user, name), HERALD_FIELD(old_user, action));

static enum herald_verdict
do_action(struct herald_context *ctx, const char *action)
{
	switch (action ? *action : '-') {
	case 'f':
		return herald_fail_status(ctx, 403, "%s", action);
	case 'r':
		return herald_retry_after(ctx, 70, "%s", action);
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_user *from, struct user *to)
{
	to->name = from->name;
	return do_action(ctx, from->action);
}
HERALD_UPCASTER(modernize, old_user, user);

/* A function that fails has run: that is not for `rejected`. */
static enum herald_verdict
on_user(struct herald_context *ctx, const void *payload, void *state)
{
	const struct user *user = payload;

	(void)state;
	note("f");
	return strcmp(user->name, "fail") == 0 ? herald_fail(ctx, "no") : HERALD_DONE;
}

/* A handler that notes what its `rejected` sees. */
struct watcher {
	struct herald_handler base;
	const char *name;
	unsigned calls;
	struct herald_result result;
	char data[512];
	size_t bytes;
	bool has_message, has_payload, has_route;
};

static void
watch(struct herald_handler *handler, struct herald_context *ctx,
      const struct herald_rejection *rejection)
{
	struct watcher *watcher = (struct watcher *)handler;

	note("%s", watcher->name);
	watcher->calls++;
	watcher->result = *rejection->result;
	assert_true(rejection->bytes <= sizeof(watcher->data));
	memcpy(watcher->data, rejection->data, rejection->bytes);
	watcher->bytes = rejection->bytes;
	watcher->has_message = herald_context_message(ctx) != NULL;
	watcher->has_payload = herald_context_payload(ctx) != NULL;
	watcher->has_route = herald_context_route(ctx) != NULL;
	assert_non_null(herald_context_slot(ctx, handler));
	/* Too late to say anything. */
	herald_fail_status(ctx, 418, "changed my mind");
}

static const struct herald_handler_ops watcher_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "watcher",
	.rejected = watch,
};

/* What the guard does to the event, in `receive` and in `before`: NULL lets it pass. */
static const char *receive_action, *before_action;

static enum herald_verdict
guard_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	      size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	return do_action(ctx, receive_action);
}

static enum herald_verdict
guard_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	return do_action(ctx, before_action);
}

static const struct herald_handler_ops guard_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "guard",
	.receive = guard_receive,
	.before = guard_before,
};

/* Watchers of the service around a guard, and one each of two routes. */
struct fixture {
	struct watcher first, last, of_user, of_other;
	struct herald_handler guard;
	struct herald_handler *handlers[3], *user_handlers[1], *other_handlers[1];
	struct herald_service *service;
};

static void
open_service(struct fixture *fixture, const struct herald_service_options *more)
{
	*fixture = (struct fixture){
		.first = {.base.ops = &watcher_ops, .name = "first"},
		.last = {.base.ops = &watcher_ops, .name = "last"},
		.of_user = {.base.ops = &watcher_ops, .name = "user"},
		.of_other = {.base.ops = &watcher_ops, .name = "other"},
		.guard = {.ops = &guard_ops},
		.handlers = {&fixture->first.base, &fixture->guard, &fixture->last.base},
		.user_handlers = {&fixture->of_user.base},
		.other_handlers = {&fixture->of_other.base},
	};
	const struct herald_route routes[] = {
		{.event_type = "user",
		 .version = "2",
		 .schema = &user_schema,
		 .function = on_user,
		 HERALD_HANDLERS(fixture->user_handlers)},
		{.event_type = "other",
		 .schema = &user_schema,
		 .function = on_user,
		 HERALD_HANDLERS(fixture->other_handlers)},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "1", old_user, "2", user, modernize)};
	struct herald_service_options options = *more;

	options.struct_size = sizeof(options);
	options.routes = routes;
	options.routes_count = COUNT(routes);
	options.upcasters = upcasters;
	options.upcasters_count = COUNT(upcasters);
	options.handlers = fixture->handlers;
	options.handlers_count = COUNT(fixture->handlers);
	receive_action = before_action = NULL;
	fixture->service = create_service(&options);
}

static void
check_watcher(const struct watcher *watcher, const struct herald_result *result, const char *json)
{
	assert_int_equal(watcher->calls, 1);
	assert_int_equal(watcher->bytes, strlen(json));
	assert_memory_equal(watcher->data, json, strlen(json));
	assert_int_equal(watcher->result.verdict, result->verdict);
	assert_int_equal(watcher->result.status, result->status);
	assert_int_equal(watcher->result.http_status, result->http_status);
	assert_int_equal(watcher->result.retry_after_ms, result->retry_after_ms);
	assert_int_equal(watcher->result.error.status, result->error.status);
	assert_true(watcher->result.error.offset == result->error.offset);
	assert_string_equal(watcher->result.error.path, result->error.path);
	assert_string_equal(watcher->result.error.message, result->error.message);
}

#define NONE HERALD_NO_OFFSET
#define HEAD "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":"

static void
test_what_is_rejected(void **state)
{
	static const struct {
		const char *json, *receive, *before;
		const char *trace; /* "": nobody was called */
		enum herald_verdict verdict;
		enum herald_status status;
		unsigned http_status;
		const char *path;
		size_t offset;
		bool has_message, has_payload, has_route;
	} rows[] = {
		/* Before there is a route. */
		{"", NULL, NULL, "first last", HERALD_FAIL, HERALD_BAD_JSON, 0, "", 0, false, false,
		 false},
		{"{\"event_type\":\"\\u0061\",\"a\":\"\\n\",\"timestamp\":\"today\"}", NULL, NULL,
		 "first last", HERALD_FAIL, HERALD_BAD_TIME, 0, "/timestamp", 44, false, false,
		 false},
		{EVENT("nobody", "{\"a\":\"\\u00e9\"}"), NULL, NULL, "first last", HERALD_FAIL,
		 HERALD_UNKNOWN_TYPE, 0, "/event_type", NONE, true, false, false},
		{VERSIONED("user", "3", "{}"), NULL, NULL, "first last", HERALD_FAIL,
		 HERALD_UNKNOWN_VERSION, 0, "/metadata/version", NONE, true, false, false},
		{EVENT("nobody", "{\"a\":\"\\\""), "fail", NULL, "first last", HERALD_FAIL,
		 HERALD_OK, 403, "", NONE, false, false, false},
		{"not JSON", "retry", NULL, "first last", HERALD_RETRY, HERALD_OK, 0, "", NONE,
		 false, false, false},
		/* With one: its own handlers too, and no other route's. */
		{VERSIONED("user", "2", "{\"name\":\"\\u0061\",\"name\":1}"), NULL, NULL,
		 "first last user", HERALD_FAIL, HERALD_DUPLICATE, 0, "/payload/name", 110, true,
		 false, true},
		{EVENT("other", "{\"name\":[\"\\n\"]}"), NULL, NULL, "first last other",
		 HERALD_FAIL, HERALD_BAD_TYPE, 0, "/payload/name", 75, true, false, true},
		/* A payload that is wrong, and read with its message. */
		{HEAD "\"other\",\"payload\":{\"name\":\"\\t\",\"name\":7}}", NULL, NULL,
		 "first last other", HERALD_FAIL, HERALD_DUPLICATE, 0, "/payload/name", 80, true,
		 false, true},
		{VERSIONED("user", "1", "{\"name\":\"\\\\\",\"action\":\"fail\"}"), NULL, NULL,
		 "first last user", HERALD_FAIL, HERALD_OK, 403, "", NONE, true, false, true},
		{VERSIONED("user", "1", "{\"action\":\"retry\"}"), NULL, NULL, "first last user",
		 HERALD_RETRY, HERALD_OK, 0, "", NONE, true, false, true},
		{EVENT("other", "{\"name\":\"\\u0062\"}"), NULL, "fail", "first last other",
		 HERALD_FAIL, HERALD_OK, 403, "", NONE, true, true, true},
		{EVENT("other", "{\"name\":\"\\u0062\"}"), NULL, "retry", "first last other",
		 HERALD_RETRY, HERALD_OK, 0, "", NONE, true, true, true},
		/* What a function saw. */
		{EVENT("other", "{\"name\":\"b\"}"), NULL, NULL, "f", HERALD_DONE, HERALD_OK, 0, "",
		 NONE, false, false, false},
		{EVENT("other", "{\"name\":\"fail\"}"), NULL, NULL, "f", HERALD_FAIL, HERALD_OK, 0,
		 "", NONE, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture;

		open_service(&fixture, &(struct herald_service_options){.log = debug_log});
		receive_action = rows[i].receive;
		before_action = rows[i].before;
		trace[0] = '\0';
		struct herald_result result = handle(fixture.service, rows[i].json);
		if (strcmp(trace, rows[i].trace) != 0 || result.verdict != rows[i].verdict ||
		    result.status != rows[i].status || result.error.offset != rows[i].offset)
			fail_msg("row %zu: %s; %s at %zd", i, trace,
				 herald_status_name(result.status), (ssize_t)result.error.offset);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_string_equal(result.error.path, rows[i].path);
		assert_null(strstr(result.error.message, "mind"));
		assert_null(strstr(logged, "mind"));
		if (rows[i].trace[0] != 'f' || rows[i].trace[1] != '\0') {
			check_watcher(&fixture.first, &result, rows[i].json);
			check_watcher(&fixture.last, &result, rows[i].json);
			assert_int_equal(fixture.last.has_message, rows[i].has_message);
			assert_int_equal(fixture.last.has_payload, rows[i].has_payload);
			assert_int_equal(fixture.last.has_route, rows[i].has_route);
		}
		if (strstr(rows[i].trace, "user"))
			check_watcher(&fixture.of_user, &result, rows[i].json);
		if (strstr(rows[i].trace, "other"))
			check_watcher(&fixture.of_other, &result, rows[i].json);
		herald_service_destroy(fixture.service);
	}
}

/* A payload is of the route's struct or none: never one between two versions, whatever memory there
 * is. */
static void
test_no_payload_between_versions(void **state)
{
	static const char event[] = VERSIONED("user", "1", "{\"name\":\"a\"}");
	size_t refused = 0, max_bytes = 16;
	struct fixture fixture;

	(void)state;
	for (bool done = false; !done; max_bytes += 16) {
		open_service(&fixture,
			     &(struct herald_service_options){.max_arena_bytes = max_bytes});
		struct herald_result result = handle(fixture.service, event);
		done = result.status == HERALD_OK;
		if (!done) {
			assert_int_equal(result.status, HERALD_LIMIT);
			assert_false(fixture.last.has_payload);
			refused += fixture.last.has_route;
		}
		herald_service_destroy(fixture.service);
	}
	assert_true(refused >= 2); /* its own, and the route's */
}

static void
test_too_large(void **state)
{
	static const char event[] = EVENT("other", "{\"name\":\"\\u0062\"}");
	struct fixture fixture;

	(void)state;
	open_service(&fixture,
		     &(struct herald_service_options){.max_event_bytes = sizeof(event) - 2});
	struct herald_result result = handle(fixture.service, event);
	check_rejected(&result, HERALD_TOO_LARGE, "", HERALD_NO_OFFSET);
	assert_string_equal(trace, "first last");
	check_watcher(&fixture.last, &result, event);
	herald_service_destroy(fixture.service);
}

static void
test_ignored_events_are_not_rejected(void **state)
{
	struct fixture fixture;

	(void)state;
	open_service(&fixture, &(struct herald_service_options){.unknown = HERALD_UNKNOWN_IGNORE});
	struct herald_result result = handle(fixture.service, EVENT("nobody", "{}"));
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "");
	herald_service_destroy(fixture.service);
}

static enum herald_verdict
come_late(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	herald_context_expire_after(ctx, 0);
	return HERALD_DONE;
}

static void
test_late_events(void **state)
{
	static const struct herald_handler_ops late_ops = {
		.struct_size = sizeof(late_ops), .name = "late", .before = come_late};
	static const char event[] = EVENT("a", "{\"name\":\"\\u0062\"}");
	struct watcher watcher = {.base.ops = &watcher_ops, .name = "watcher"};
	struct herald_handler late = {.ops = &late_ops}, *handlers[] = {&late, &watcher.base};
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &user_schema, .function = on_user}};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)));
	struct herald_result result = handle(service, event);

	(void)state;
	assert_int_equal(result.verdict, HERALD_RETRY);
	assert_string_equal(trace, "watcher");
	check_watcher(&watcher, &result, event);
	herald_service_destroy(service);
}

/* A format may write to the bytes, and make a message of anything. */
static enum herald_status
decode_badly(const struct herald_format *format, struct herald_context *ctx, char *data,
	     size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	memset(data, '#', bytes);
	if (bytes == 3)
		return herald_error_set(error, HERALD_BAD_FORMAT, 2, "three");
	out->message->event_type = "a";
	out->message->payload = (struct herald_json){"{\"name\":7}", 10};
	return HERALD_OK;
}

static void
test_after_a_format(void **state)
{
	static const struct herald_format_ops bad_ops = {
		.struct_size = sizeof(bad_ops), .name = "badly", .decode = decode_badly};
	static const struct herald_format badly = {.ops = &bad_ops};
	static const struct {
		const char *bytes;
		enum herald_status status;
	} rows[] = {{"abc", HERALD_BAD_FORMAT}, {"four", HERALD_BAD_TYPE}};
	struct watcher watcher = {.base.ops = &watcher_ops, .name = "watcher"};
	struct herald_handler *handlers[] = {&watcher.base};
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &user_schema, .function = on_user}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), ONE_FORMAT(&badly)));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		watcher.calls = 0;
		struct herald_result result = handle(service, rows[i].bytes);
		assert_int_equal(result.status, rows[i].status);
		check_watcher(&watcher, &result, rows[i].bytes);
	}
	herald_service_destroy(service);
}

/* One of a route alone is enough for the bytes to be kept; where nobody has the slot nothing is. */
static void
test_bytes_are_kept_only_if_somebody_asks(void **state)
{
	static const char event[] = EVENT("a", "{\"name\":\"\\u0062\",\"name\":1}");

	(void)state;
	for (int asked = 0; asked < 2; asked++) {
		struct watcher watcher = {.base.ops = &watcher_ops, .name = "watcher"};
		struct herald_handler guard = {.ops = &guard_ops}, *guards[] = {&guard};
		struct herald_handler *handlers[] = {&watcher.base};
		const struct herald_route routes[] = {{.event_type = "a",
						       .schema = &user_schema,
						       .function = on_user,
						       .handlers = asked ? handlers : NULL,
						       .handlers_count = asked ? 1 : 0}};
		/* Room for message and payload, and not for a copy. */
		for (int roomy = 0; roomy < 2; roomy++) {
			struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
				HERALD_ROUTES(routes), HERALD_HANDLERS(guards),
				.max_arena_bytes = roomy ? 2000 : 128));

			watcher.calls = 0;
			struct herald_result result = handle(service, event);
			if (roomy || !asked)
				check_rejected(&result, HERALD_DUPLICATE, "/payload/name", 80);
			else
				check_rejected(&result, HERALD_LIMIT, "", HERALD_NO_OFFSET);
			assert_int_equal(watcher.calls, roomy && asked);
			if (roomy && asked)
				check_watcher(&watcher, &result, event);
			herald_service_destroy(service);
		}
	}
}

static void
test_every_allocation_fails(void **state)
{
	static const char event[] = VERSIONED("user", "1", "{\"name\":\"\\u0062\",\"name\":1}");
	size_t seen_count = 0;

	(void)state;
	for (size_t at = 1;; at++) {
		struct failing_allocator memory;
		struct fixture fixture;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		open_service(&fixture,
			     &(struct herald_service_options){.allocator = memory.allocator});
		memory.mode = FAIL_FROM;
		memory.fail_at = memory.calls + at;
		struct herald_result result = handle(fixture.service, event);
		if (memory.failures > 0) {
			assert_int_equal(result.verdict, HERALD_RETRY);
			assert_int_equal(result.status, HERALD_NO_MEMORY);
		}
		/* Without a context nobody can be called; with one the bytes are there. */
		if (fixture.first.calls > 0)
			check_watcher(&fixture.first, &result, event);
		else
			assert_true(memory.failures > 0);
		seen_count += fixture.first.calls;
		size_t failures = memory.failures;
		herald_service_destroy(fixture.service);
		assert_all_released(&memory);
		if (failures == 0)
			break;
	}
	/* At least once for lack of memory, and once for what is wrong with the event. */
	assert_true(seen_count >= 2);
}

static void
test_described(void **state)
{
	struct fixture fixture;
	struct herald_buffer out;

	(void)state;
	open_service(&fixture, &(struct herald_service_options){.unknown = 0});
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(fixture.service, HERALD_DESCRIBE_TEXT, &out),
			 HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "\tbefore    guard\n"
					 "\tfunction  struct user\n"
					 "\trejected  watcher\n"
					 "\trejected  watcher\n"
					 "\trejected  watcher\n"
					 "routes[1] other\n"));
	out.bytes = 0;
	assert_int_equal(herald_service_describe(fixture.service, HERALD_DESCRIBE_JSON, &out),
			 HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "{\"step\":\"function\",\"schema\":\"user\"},"
					 "{\"step\":\"rejected\",\"handler\":\"watcher\"},"));
	herald_buffer_finish(&out);
	herald_service_destroy(fixture.service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_rejected, events_setup),
		cmocka_unit_test_setup(test_no_payload_between_versions, events_setup),
		cmocka_unit_test_setup(test_too_large, events_setup),
		cmocka_unit_test_setup(test_ignored_events_are_not_rejected, events_setup),
		cmocka_unit_test_setup(test_late_events, events_setup),
		cmocka_unit_test_setup(test_after_a_format, events_setup),
		cmocka_unit_test_setup(test_bytes_are_kept_only_if_somebody_asks, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
		cmocka_unit_test_setup(test_described, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
