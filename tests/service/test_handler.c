/*
 * herald/handler.h and herald/context.h: what functions and handlers may return and set, the order
 * of the hooks and the effects of a failing one, the log records of events, and what the context
 * shows. The steps before them are tested in test_pipeline.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/service.h>

#include "support/events.h"

/* What a function may say. */

enum saying {
	SAY_NOTHING_DONE,
	SAY_DONE_WITH_WORDS,
	SAY_NOTHING_RETRY,
	SAY_RETRY,
	SAY_RETRY_AFTER,
	SAY_NOTHING_FAIL,
	SAY_FAIL,
	SAY_FAIL_409,
	SAY_FAIL_399,
	SAY_FAIL_600,
	SAY_RETRY_BUT_FAIL,
	SAY_409_BUT_RETRY,
	SAY_RUBBISH,
	SAY_NEGATIVE_RUBBISH,
	SAY_MUCH,
	SAY_LINES,
	SAY_TWICE,
};

static enum herald_verdict
say(struct herald_context *ctx, const void *payload, void *state)
{
	static const char ten[] = "ten bytes,";

	(void)payload;
	switch (*(enum saying *)state) {
	case SAY_NOTHING_DONE:
		return HERALD_DONE;
	case SAY_DONE_WITH_WORDS:
		herald_fail_status(ctx, 409, "changed my mind");
		return HERALD_DONE;
	case SAY_NOTHING_RETRY:
		return HERALD_RETRY;
	case SAY_RETRY:
		return herald_retry(ctx, "busy %d", 7);
	case SAY_RETRY_AFTER:
		return herald_retry_after(ctx, 1500, "busy %s", "now");
	case SAY_NOTHING_FAIL:
		return HERALD_FAIL;
	case SAY_FAIL:
		return herald_fail(ctx, "no %s", "stock");
	case SAY_FAIL_409:
		return herald_fail_status(ctx, 409, "taken");
	case SAY_FAIL_399:
		return herald_fail_status(ctx, 399, "odd");
	case SAY_FAIL_600:
		return herald_fail_status(ctx, 600, "odd");
	case SAY_RETRY_BUT_FAIL:
		herald_retry_after(ctx, 9, "words");
		return HERALD_FAIL;
	case SAY_409_BUT_RETRY:
		herald_fail_status(ctx, 409, "words");
		return HERALD_RETRY;
	case SAY_RUBBISH:
		return (enum herald_verdict)7;
	case SAY_NEGATIVE_RUBBISH:
		herald_fail(ctx, "words");
		return (enum herald_verdict) - 1;
	case SAY_MUCH:
		return herald_fail(ctx, "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", ten,
				   ten, ten, ten, ten, ten, ten, ten, ten, ten, ten, ten, ten, ten,
				   ten, ten, ten, ten, ten, ten, ten, ten, ten, ten, ten,
				   "\xC3\xA9");
	case SAY_LINES:
		return herald_fail(ctx, "one\ntwo\xFF");
	case SAY_TWICE:
		herald_fail_status(ctx, 409, "first");
		return herald_fail(ctx, "second after %s", herald_context_reason(ctx));
	}
	return HERALD_DONE;
}

static void
test_what_a_function_says(void **state)
{
	static const struct {
		enum saying saying;
		enum herald_verdict verdict;
		const char *reason;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{SAY_NOTHING_DONE, HERALD_DONE, "", 0, 0},
		{SAY_DONE_WITH_WORDS, HERALD_DONE, "", 0, 0},
		{SAY_NOTHING_RETRY, HERALD_RETRY, "try again later", 0, 0},
		{SAY_RETRY, HERALD_RETRY, "busy 7", 0, 0},
		{SAY_RETRY_AFTER, HERALD_RETRY, "busy now", 0, 1500},
		{SAY_NOTHING_FAIL, HERALD_FAIL, "the event failed", 0, 0},
		{SAY_FAIL, HERALD_FAIL, "no stock", 0, 0},
		{SAY_FAIL_409, HERALD_FAIL, "taken", 409, 0},
		{SAY_FAIL_399, HERALD_FAIL, "odd", 500, 0},
		{SAY_FAIL_600, HERALD_FAIL, "odd", 500, 0},
		{SAY_RETRY_BUT_FAIL, HERALD_FAIL, "words", 0, 0},
		{SAY_409_BUT_RETRY, HERALD_RETRY, "words", 0, 0},
		{SAY_RUBBISH, HERALD_FAIL, "the event failed", 0, 0},
		{SAY_NEGATIVE_RUBBISH, HERALD_FAIL, "words", 0, 0},
		{SAY_LINES, HERALD_FAIL, "one\\ntwo\xEF\xBF\xBD", 0, 0},
		{SAY_TWICE, HERALD_FAIL, "second after first", 0, 0},
	};
	enum saying saying;
	const struct herald_route routes[] = {{.event_type = "*",
					       .schema = &herald_json_schema,
					       .function = say,
					       .state = &saying}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		saying = rows[i].saying;
		struct herald_result result = handle(service, EVENT("a", "1"));

		check_verdict(&result, rows[i].verdict, rows[i].reason);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		/* An event does not have the reason of the previous event. */
		saying = SAY_NOTHING_FAIL;
		result = handle(service, EVENT("a", "1"));
		check_verdict(&result, HERALD_FAIL, "the event failed");
		assert_int_equal(result.http_status, 0);
	}
	herald_service_destroy(service);
}

static void
test_long_reasons_are_cut(void **state)
{
	enum saying saying = SAY_MUCH;
	const struct herald_route routes[] = {{.event_type = "*",
					       .schema = &herald_json_schema,
					       .function = say,
					       .state = &saying}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	struct herald_result result = handle(service, EVENT("a", "1"));

	(void)state;
	/* 250 bytes fit, and the two of the last character after them. */
	assert_int_equal(strlen(result.error.message), 252);
	herald_service_destroy(service);
}

static void
test_no_verdict_is_logged(void **state)
{
	enum saying saying = SAY_RUBBISH;
	const struct herald_route routes[] = {{.event_type = "*",
					       .schema = &herald_json_schema,
					       .function = say,
					       .state = &saying}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));

	(void)state;
	handle(service, VERSIONED("a", "3", "1"));
	assert_string_equal(
		logged,
		"error: a function returned a value that is not a verdict event_type=a version=3 "
		"value=7\n"
		"error: event failed event_type=a version=3 verdict=fail reason=the event failed "
		"took=some\n");
	herald_service_destroy(service);
}

static void
test_verdict_names(void **state)
{
	(void)state;
	assert_string_equal(herald_verdict_name(HERALD_DONE), "done");
	assert_string_equal(herald_verdict_name(HERALD_RETRY), "retry");
	assert_string_equal(herald_verdict_name(HERALD_FAIL), "fail");
	assert_string_equal(herald_verdict_name((enum herald_verdict)3), "?");
}

/* The order of handlers. */

/* A handler that does as it is told: 'D', 'R' or 'F' for each hook, 'f' for one that says
 * nothing, 'w' for HERALD_DONE with words; '-' for a hook that is NULL. */
struct probe {
	struct herald_handler base;
	struct herald_handler_ops ops;
	char name[8];
	size_t number;
	char before, after;
};

static enum herald_verdict
answer(struct herald_context *ctx, char what, const char *who, size_t number)
{
	switch (what) {
	case 'R':
		return herald_retry_after(ctx, 100 + (unsigned)number, "%s%zu retries", who,
					  number);
	case 'F':
		return herald_fail_status(ctx, 400 + (unsigned)number, "%s%zu fails", who, number);
	case 'f':
		return HERALD_FAIL;
	case 'w':
		herald_fail_status(ctx, 418, "%s%zu changes its mind", who, number);
		return HERALD_DONE;
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
probe_before(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct probe *probe = (struct probe *)handler;

	note("b%zu%s", probe->number, herald_context_reason(ctx));
	return answer(ctx, probe->before, "b", probe->number);
}

static enum herald_verdict
probe_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	const struct probe *probe = (struct probe *)handler;

	note("a%zu(%c:%s)", probe->number, *herald_verdict_name(result),
	     herald_context_reason(ctx));
	return answer(ctx, probe->after, "a", probe->number);
}

static void
init_probe(struct probe *probe, size_t number, char before, char after)
{
	*probe = (struct probe){.number = number, .before = before, .after = after};
	snprintf(probe->name, sizeof(probe->name), "probe%zu", number % 10);
	probe->ops = (struct herald_handler_ops){
		.struct_size = sizeof(probe->ops),
		.name = probe->name,
		.before = before == '-' ? NULL : probe_before,
		.after = after == '-' ? NULL : probe_after,
	};
	probe->base.ops = &probe->ops;
}

static enum herald_verdict
probe_function(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	note("f");
	return answer(ctx, *(const char *)state, "f", 9);
}

/* Two handlers of the service, 0 and 1, and two of the route, 2 and 3. */
static struct herald_service *
create_probed(struct probe probes[4], const char *before, char *function, const char *after)
{
	struct herald_handler *handlers[4];

	for (size_t i = 0; i < 4; i++) {
		init_probe(&probes[i], i, before[i], after[i]);
		handlers[i] = &probes[i].base;
	}
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = probe_function,
					       .state = function,
					       .handlers = handlers + 2,
					       .handlers_count = 2}};
	return create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .handlers = handlers,
						      .handlers_count = 2,
						      .log = {keep_log, NULL, HERALD_LOG_INFO}));
}

static void
test_order_of_handlers(void **state)
{
	static const struct {
		const char *before;
		char function;
		const char *after;
		const char *trace;
		enum herald_verdict verdict;
		const char *reason;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{"DDDD", 'D', "DDDD", "b0 b1 b2 b3 f a3(d:) a2(d:) a1(d:) a0(d:)", HERALD_DONE, "",
		 0, 0},
		{"DDDD", 'F', "DDDD",
		 "b0 b1 b2 b3 f a3(f:f9 fails) a2(f:f9 fails) a1(f:f9 fails) a0(f:f9 fails)",
		 HERALD_FAIL, "f9 fails", 409, 0},
		{"DDDD", 'R', "DDDD",
		 "b0 b1 b2 b3 f a3(r:f9 retries) a2(r:f9 retries) a1(r:f9 retries) "
		 "a0(r:f9 retries)",
		 HERALD_RETRY, "f9 retries", 0, 109},
		/* A `before` that refuses: only those before it get an `after`. */
		{"FDDD", 'D', "DDDD", "b0", HERALD_FAIL, "b0 fails", 400, 0},
		{"DRDD", 'D', "DDDD", "b0 b1 a0(r:b1 retries)", HERALD_RETRY, "b1 retries", 0, 101},
		{"DDFD", 'D', "DDDD", "b0 b1 b2 a1(f:b2 fails) a0(f:b2 fails)", HERALD_FAIL,
		 "b2 fails", 402, 0},
		{"DDDR", 'D', "DDDD",
		 "b0 b1 b2 b3 a2(r:b3 retries) a1(r:b3 retries) a0(r:b3 retries)", HERALD_RETRY,
		 "b3 retries", 0, 103},
		/* A hook that is NULL passes. */
		{"-D-F", 'D', "DDDD", "b1 b3 a2(f:b3 fails) a1(f:b3 fails) a0(f:b3 fails)",
		 HERALD_FAIL, "b3 fails", 403, 0},
		{"----", 'D', "-D-D", "f a3(d:) a1(d:)", HERALD_DONE, "", 0, 0},
		{"----", 'D', "----", "f", HERALD_DONE, "", 0, 0},
		/* An `after` that fails: the first one counts, unless something failed before. */
		{"DDDD", 'D', "DDDF",
		 "b0 b1 b2 b3 f a3(d:) a2(f:a3 fails) a1(f:a3 fails) "
		 "a0(f:a3 fails)",
		 HERALD_FAIL, "a3 fails", 403, 0},
		{"DDDD", 'D', "FDRD",
		 "b0 b1 b2 b3 f a3(d:) a2(d:) a1(r:a2 retries) "
		 "a0(r:a2 retries)",
		 HERALD_RETRY, "a2 retries", 0, 102},
		{"DDDD", 'D', "fDDD", "b0 b1 b2 b3 f a3(d:) a2(d:) a1(d:) a0(d:)", HERALD_FAIL,
		 "the event failed", 0, 0},
		{"DDDD", 'F', "RFFR",
		 "b0 b1 b2 b3 f a3(f:f9 fails) a2(f:f9 fails) a1(f:f9 fails) a0(f:f9 fails)",
		 HERALD_FAIL, "f9 fails", 409, 0},
		{"DDDD", 'R', "ffFF",
		 "b0 b1 b2 b3 f a3(r:f9 retries) a2(r:f9 retries) a1(r:f9 retries) "
		 "a0(r:f9 retries)",
		 HERALD_RETRY, "f9 retries", 0, 109},
		{"DRDD", 'D', "FDDD", "b0 b1 a0(r:b1 retries)", HERALD_RETRY, "b1 retries", 0, 101},
		/* A reason that is set before HERALD_DONE is dropped. */
		{"wDDw", 'f', "DDDD",
		 "b0 b1 b2 b3 f a3(f:the event failed) a2(f:the event failed) "
		 "a1(f:the event failed) a0(f:the event failed)",
		 HERALD_FAIL, "the event failed", 0, 0},
		{"DDDD", 'w', "fDDw", "b0 b1 b2 b3 f a3(d:) a2(d:) a1(d:) a0(d:)", HERALD_FAIL,
		 "the event failed", 0, 0},
		{"DDDD", 'F', "DDDw",
		 "b0 b1 b2 b3 f a3(f:f9 fails) a2(f:f9 fails) a1(f:f9 fails) a0(f:f9 fails)",
		 HERALD_FAIL, "f9 fails", 409, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct probe probes[4];
		char function = rows[i].function;
		struct herald_service *service =
			create_probed(probes, rows[i].before, &function, rows[i].after);

		trace[0] = '\0';
		struct herald_result result = handle(service, EVENT("a", "1"));
		if (strcmp(trace, rows[i].trace) != 0)
			fail_msg("row %zu: expected %s, got %s", i, rows[i].trace, trace);
		check_verdict(&result, rows[i].verdict, rows[i].reason);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		herald_service_destroy(service);
		logged[0] = '\0';
	}
}

/* A context handles one event after the other; no event may see the previous one. */
static void
test_events_start_afresh(void **state)
{
	struct probe probes[4];
	char function = 'D';
	struct herald_service *service = create_probed(probes, "DDFD", &function, "DDDD");

	(void)state;
	struct herald_result result = handle(service, EVENT("a", "1"));
	check_verdict(&result, HERALD_FAIL, "b2 fails");
	probes[2].before = 'D';
	trace[0] = '\0';
	result = handle(service, EVENT("a", "1"));
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "b0 b1 b2 b3 f a3(d:) a2(d:) a1(d:) a0(d:)");

	probes[2].before = 'F';
	handle(service, EVENT("a", "1"));
	logged[0] = '\0';
	handle(service, "{");
	assert_non_null(strstr(logged, "warning: event rejected verdict=fail"));
	assert_null(strstr(logged, "probe"));
	herald_service_destroy(service);
}

static void
test_both_errors_are_logged(void **state)
{
	struct probe probes[4];
	char function = 'F';
	struct herald_service *service = create_probed(probes, "DDDD", &function, "DfRD");

	(void)state;
	handle(service, EVENT("a", "1"));
	assert_string_equal(logged,
			    "warning: an after hook failed; the event had failed already "
			    "event_type=a handler=probe2 "
			    "verdict=retry reason=a2 retries\n"
			    "error: an after hook failed; the event had failed already "
			    "event_type=a handler=probe1 "
			    "verdict=fail reason=the event failed\n"
			    "warning: event failed event_type=a verdict=fail http_status=409 "
			    "reason=f9 fails "
			    "took=some\n");
	herald_service_destroy(service);
}

/* Logs. */

static void
test_records_of_events(void **state)
{
	static const struct {
		const char *before, *after;
		char function;
		const char *json;
		const char *logged;
	} rows[] = {
		{"DDDD", "DDDD", 'D', EVENT("a", "1"), ""},
		{"DDDD", "DDDD", 'R', EVENT("a", "1"),
		 "warning: event retry requested event_type=a verdict=retry reason=f9 retries "
		 "took=some\n"},
		{"DDFD", "DDDD", 'D', VERSIONED("a", "1.2", "1"),
		 "warning: event failed event_type=a version=1.2 verdict=fail "
		 "http_status=402 reason=b2 fails "
		 "handler=probe2 took=some\n"},
		{"DDDD", "DFDD", 'D', EVENT("a", "1"),
		 "warning: event failed event_type=a verdict=fail http_status=401 "
		 "reason=a1 fails handler=probe1 took=some\n"},
		{"DDDD", "DDDD", 'D', EVENT("b", "1"),
		 "warning: event rejected event_type=b verdict=fail status=HERALD_UNKNOWN_TYPE "
		 "path=/event_type reason=no route for event type \"b\" took=some\n"},
		{"DDDD", "DDDD", 'D', "{}",
		 "warning: event rejected verdict=fail status=HERALD_MISSING path=/event_type "
		 "offset=0 reason="},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct probe probes[4];
		char function = rows[i].function;
		struct herald_service *service =
			create_probed(probes, rows[i].before, &function, rows[i].after);

		logged[0] = '\0';
		handle(service, rows[i].json);
		if (strncmp(logged, rows[i].logged, strlen(rows[i].logged)) != 0 ||
		    !*logged != !*rows[i].logged)
			fail_msg("row %zu: expected %s, got %s", i, rows[i].logged, logged);
		herald_service_destroy(service);
	}
}

/* A failure caused by the sender is logged as a warning; a failure of the service as an error. */
static unsigned status_to_fail_with;

static enum herald_verdict
fail_with(struct herald_context *ctx)
{
	return status_to_fail_with == 0 ? herald_fail(ctx, "failed")
					: herald_fail_status(ctx, status_to_fail_with, "failed");
}

static enum herald_verdict
fail_in_function(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	(void)state;
	return fail_with(ctx);
}

static enum herald_verdict
fail_in_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
		size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	return fail_with(ctx);
}

static enum herald_verdict
fail_in_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	return fail_with(ctx);
}

static enum herald_verdict
fail_in_after(struct herald_handler *handler, struct herald_context *ctx,
	      enum herald_verdict result)
{
	(void)handler;
	(void)result;
	return fail_with(ctx);
}

static void
test_levels_of_failures(void **state)
{
	static const struct {
		unsigned http_status;
		const char *level;
	} rows[] = {
		{0, "error"},     {399, "error"},   {400, "warning"}, {401, "warning"},
		{403, "warning"}, {499, "warning"}, {500, "error"},   {503, "error"},
	};
	static const struct herald_handler_ops all_ops[] = {
		{.struct_size = sizeof(*all_ops), .name = "none"},
		{.struct_size = sizeof(*all_ops), .name = "receive", .receive = fail_in_receive},
		{.struct_size = sizeof(*all_ops), .name = "before", .before = fail_in_before},
		/* The function fails first: two records of the same level. */
		{.struct_size = sizeof(*all_ops), .name = "after", .after = fail_in_after},
	};
	const struct herald_route routes[] = {
		{.event_type = "*", .schema = &herald_json_schema, .function = fail_in_function}};

	(void)state;
	for (size_t i = 0; i < COUNT(all_ops); i++) {
		struct herald_handler handler = {.ops = &all_ops[i]};
		struct herald_handler *handlers[] = {&handler};
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .log = debug_log));

		for (size_t j = 0; j < COUNT(rows); j++) {
			size_t bytes = strlen(rows[j].level), lines = 0;

			status_to_fail_with = rows[j].http_status;
			logged[0] = '\0';
			handle(service, EVENT("a", "1"));
			for (const char *at = logged; *at != '\0'; at = strchr(at, '\n') + 1) {
				if (strncmp(at, rows[j].level, bytes) != 0)
					fail_msg("%s, %u: expected %s, got %s", all_ops[i].name,
						 rows[j].http_status, rows[j].level, at);
				lines++;
			}
			assert_int_equal(lines, all_ops[i].after ? 2 : 1);
		}
		herald_service_destroy(service);
	}
}

static enum herald_verdict
log_much(struct herald_context *ctx, const void *payload, void *state)
{
	struct herald_log_field fields[40];

	(void)payload;
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		fields[i] = (struct herald_log_field){"n", NULL, (int64_t)i};
	herald_context_log(ctx, HERALD_LOG_INFO, "few", fields, 2);
	herald_context_log(ctx, HERALD_LOG_INFO, "none", NULL, 0);
	herald_context_log(ctx, HERALD_LOG_INFO, "sixteen", fields, 16);
	herald_context_log(ctx, HERALD_LOG_INFO, "seventeen", fields, 17);
	herald_context_log(ctx, HERALD_LOG_WARNING, "many", fields, COUNT(fields));
	herald_context_log(ctx, HERALD_LOG_DEBUG, "too fine", fields, 2);
	return HERALD_DONE;
}

static void
test_logging_from_a_function(void **state)
{
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &herald_json_schema, .function = log_much}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .log = {keep_log, NULL, HERALD_LOG_INFO}));
	struct herald_service *silent =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	handle(silent, VERSIONED("a", "2", "1"));
	assert_string_equal(logged, "");
	handle(service, VERSIONED("a", "2", "1"));
	assert_non_null(strstr(logged, "info: few event_type=a version=2 n=0 n=1\n"));
	assert_non_null(strstr(logged, "info: none event_type=a version=2\n"));
	assert_non_null(strstr(logged, "warning: many event_type=a version=2 n=0 n=1 n=2 "));
	assert_non_null(strstr(logged, " n=14 n=15\n"));
	assert_non_null(strstr(logged, " n=15 n=16\n"));
	assert_non_null(strstr(logged, " n=38 n=39\n"));
	assert_null(strstr(logged, "fine"));
	herald_service_destroy(service);
	herald_service_destroy(silent);
}

/* Slots, and what else the context shows. */

static enum herald_verdict
fill_slot(struct herald_handler *handler, struct herald_context *ctx)
{
	void **slot = herald_context_slot(ctx, handler);

	assert_non_null(slot);
	assert_null(*slot);
	*slot = handler;
	return HERALD_DONE;
}

static enum herald_verdict
find_slot(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)result;
	assert_ptr_equal(*herald_context_slot(ctx, handler), handler);
	note("found");
	return HERALD_DONE;
}

static const struct herald_handler_ops slot_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "slot",
	.before = fill_slot,
	.after = find_slot,
};

static enum herald_verdict
step(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	note("f");
	return HERALD_DONE;
}

struct seen {
	const struct herald_handler *stranger;
	const struct herald_handler *other_routes;
};

static enum herald_verdict
look_around(struct herald_context *ctx, const void *payload, void *state)
{
	const struct seen *seen = state;

	assert_ptr_equal(herald_context_payload(ctx), payload);
	assert_string_equal(herald_context_route(ctx)->event_type, "a");
	assert_ptr_equal(herald_context_route(ctx)->state, state);
	assert_string_equal(herald_context_version(ctx), "1");
	assert_string_equal(herald_context_reason(ctx), "");
	assert_null(herald_context_slot(ctx, seen->stranger));
	assert_null(herald_context_slot(ctx, seen->other_routes));
	assert_null(herald_context_slot(ctx, NULL));
	char *memory = herald_context_alloc(ctx, 1000);
	assert_non_null(memory);
	memset(memory, 1, 1000);
	return HERALD_DONE;
}

static void
test_slots(void **state)
{
	struct herald_handler handlers[5] = {{.ops = &slot_ops},
					     {.ops = &slot_ops},
					     {.ops = &slot_ops},
					     {.ops = &slot_ops},
					     {.ops = &slot_ops}};
	struct herald_handler *services[] = {&handlers[0], &handlers[1]};
	struct herald_handler *first[] = {&handlers[2]}, *second[] = {&handlers[2], &handlers[3]};
	struct seen seen = {&handlers[4], &handlers[3]};
	const struct herald_route routes[] = {
		{.event_type = "a",
		 .schema = &herald_json_schema,
		 .function = look_around,
		 .state = &seen,
		 HERALD_HANDLERS(first)},
		{.event_type = "user",
		 .schema = &herald_json_schema,
		 .function = step,
		 HERALD_HANDLERS(second)},
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(services)));

	(void)state;
	for (int i = 0; i < 3; i++) {
		trace[0] = '\0';
		handle(service, VERSIONED("a", "1", "1"));
		handle(service, EVENT("user", "1"));
		assert_string_equal(trace, "found found found f found found found found");
	}
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_a_function_says, events_setup),
		cmocka_unit_test_setup(test_long_reasons_are_cut, events_setup),
		cmocka_unit_test_setup(test_no_verdict_is_logged, events_setup),
		cmocka_unit_test_setup(test_verdict_names, events_setup),
		cmocka_unit_test_setup(test_order_of_handlers, events_setup),
		cmocka_unit_test_setup(test_events_start_afresh, events_setup),
		cmocka_unit_test_setup(test_both_errors_are_logged, events_setup),
		cmocka_unit_test_setup(test_records_of_events, events_setup),
		cmocka_unit_test_setup(test_levels_of_failures, events_setup),
		cmocka_unit_test_setup(test_logging_from_a_function, events_setup),
		cmocka_unit_test_setup(test_slots, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
