/*
 * herald/retry.h and `again` of handlers: how often a function runs, the delays, which handler
 * decides, and the outcome of the event. Nothing here sleeps.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/deadline.h>
#include <herald/retry.h>
#include <herald/service.h>

#include "service/handler_creation.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"

static struct fake_clock fake;

/* What the function answers, run by run; the last one for all that follow. 'r': herald_retry(),
 * 'd': done, 'F': herald_fail_status(), '-': HERALD_RETRY without a word, 'x': no verdict, '1': a
 * retry after 100 ms, '9': after 9 s. */
struct script {
	const char *runs;
	uint32_t run_ms; /* How long each run takes. */
	unsigned count;
};

static enum herald_verdict
act(struct herald_context *ctx, const void *payload, void *state)
{
	struct script *script = state;
	size_t length = strlen(script->runs);
	unsigned number = script->count++;
	const struct herald_json *text = payload;

	/* Each run finds everything as it was. */
	assert_ptr_equal(payload, herald_context_payload(ctx));
	assert_memory_equal(text->data, "[\"payload\"]", 11);
	assert_string_equal(herald_context_reason(ctx), "");
	note("f");
	fake_clock_add_ms(&fake, script->run_ms);
	switch (script->runs[number < length ? number : length - 1]) {
	case 'r':
		return herald_retry(ctx, "busy %u", number + 1);
	case '1':
		return herald_retry_after(ctx, 100, "in 100 ms");
	case '9':
		return herald_retry_after(ctx, 9000, "in 9 s");
	case '-':
		return HERALD_RETRY;
	case 'F':
		return herald_fail_status(ctx, 409, "taken");
	case 'x':
		return (enum herald_verdict)7;
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
note_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	(void)ctx;
	note("b");
	return HERALD_DONE;
}

static enum herald_verdict
note_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)handler;
	note("a:%s:%s", herald_verdict_name(result), herald_context_reason(ctx));
	return HERALD_DONE;
}

static const struct herald_handler_ops noting_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "noting",
	.before = note_before,
	.after = note_after,
};

static struct herald_handler *
create_retry(const struct herald_retry_options *options)
{
	struct herald_handler *handler = NULL;
	struct herald_error error = {0};

	if (herald_retry_handler_create(options, &handler, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return handler;
}

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

static struct herald_service *
create_scripted(struct script *script, struct herald_handler *const *handlers, size_t count,
		struct herald_handler *const *own, size_t own_count)
{
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = act,
					       .state = script,
					       .handlers = own_count > 0 ? own : NULL,
					       .handlers_count = own_count}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .handlers = count > 0 ? handlers : NULL,
		.handlers_count = count, .log = {keep_log, NULL, HERALD_LOG_INFO}));

	fake_clock_init(&fake, service);
	return service;
}

static struct herald_result
handle_one(struct herald_service *service)
{
	trace[0] = logged[0] = '\0';
	return handle(service, EVENT("a", "[\"payload\"]"));
}

#define OPTIONS(...) HERALD_RETRY_OPTIONS(__VA_ARGS__)
#define EXACT(...) HERALD_RETRY_OPTIONS(.backoff = HERALD_BACKOFF_NO_JITTER, __VA_ARGS__)

static void
test_runs_and_waits(void **state)
{
	const struct {
		struct herald_retry_options options;
		const char *runs;
		uint32_t run_ms, deadline_ms;
		unsigned count;
		const char *sleeps;
		enum herald_verdict verdict;
		const char *reason;
	} rows[] = {
		/* Only HERALD_RETRY runs again. */
		{EXACT(.attempts = 3), "d", 0, 0, 1, "", HERALD_DONE, ""},
		{EXACT(.attempts = 3), "F", 0, 0, 1, "", HERALD_FAIL, "taken"},
		{EXACT(.attempts = 3), "x", 0, 0, 1, "", HERALD_FAIL, "the event failed"},
		{EXACT(.attempts = 3), "rd", 0, 0, 2, "50", HERALD_DONE, ""},
		{EXACT(.attempts = 3), "rrd", 0, 0, 3, "50 100", HERALD_DONE, ""},
		{EXACT(.attempts = 3), "rF", 0, 0, 2, "50", HERALD_FAIL, "taken"},
		{EXACT(.attempts = 3), "rx", 0, 0, 2, "50", HERALD_FAIL, "the event failed"},
		/* The event has the last reason. */
		{EXACT(.attempts = 3), "r", 0, 0, 3, "50 100", HERALD_RETRY, "busy 3"},
		{EXACT(.attempts = 3), "rr-", 0, 0, 3, "50 100", HERALD_RETRY, "try again later"},
		{EXACT(.attempts = 1), "r", 0, 0, 1, "", HERALD_RETRY, "busy 1"},
		{EXACT(.attempts = 0), "r", 0, 0, 3, "50 100", HERALD_RETRY, "busy 3"},
		/* The last verdict. */
		{EXACT(.fail_at_last = true), "r", 0, 0, 3, "50 100", HERALD_FAIL, "busy 3"},
		{EXACT(.fail_at_last = true), "rrd", 0, 0, 3, "50 100", HERALD_DONE, ""},
		{EXACT(.fail_at_last = true, .attempts = 1), "r", 0, 0, 1, "", HERALD_FAIL,
		 "busy 1"},
		{EXACT(.fail_at_last = true), "-", 0, 0, 3, "50 100", HERALD_FAIL,
		 "try again later"},
		/* How the delay grows. */
		{EXACT(.attempts = 8, .total_ms = 100000), "r", 0, 0, 8,
		 "50 100 200 400 800 1000 1000", HERALD_RETRY, "busy 8"},
		{EXACT(.attempts = 4, .first_delay_ms = 1, .factor = 1), "r", 0, 0, 4, "1 1 1",
		 HERALD_RETRY, "busy 4"},
		{EXACT(.attempts = 4, .first_delay_ms = 1, .factor = 1000, .max_delay_ms = 3000,
		       .total_ms = 100000),
		 "r", 0, 0, 4, "1 1000 3000", HERALD_RETRY, "busy 4"},
		{EXACT(.attempts = 4, .first_delay_ms = 10, .factor = 1.5), "r", 0, 0, 4,
		 "10 15 22", HERALD_RETRY, "busy 4"},
		{OPTIONS(.attempts = 4, .backoff = HERALD_BACKOFF_FIXED, .first_delay_ms = 20), "r",
		 0, 0, 4, "20 20 20", HERALD_RETRY, "busy 4"},
		/* What the function names is waited at least; a long one ends it. */
		{EXACT(.attempts = 3), "1d", 0, 0, 2, "100", HERALD_DONE, ""},
		{EXACT(.attempts = 3, .first_delay_ms = 200), "1d", 0, 0, 2, "200", HERALD_DONE,
		 ""},
		{EXACT(.attempts = 3, .max_delay_ms = 100), "1d", 0, 0, 2, "100", HERALD_DONE, ""},
		{EXACT(.attempts = 3, .max_delay_ms = 99), "1d", 0, 0, 1, "", HERALD_RETRY,
		 "in 100 ms"},
		{EXACT(.attempts = 3), "r9d", 0, 0, 2, "50", HERALD_RETRY, "in 9 s"},
		{EXACT(.attempts = 3, .fail_at_last = true), "9", 0, 0, 1, "", HERALD_RETRY,
		 "in 9 s"},
		{EXACT(.attempts = 1, .fail_at_last = true), "9", 0, 0, 1, "", HERALD_FAIL,
		 "in 9 s"},
		/* The time in all. */
		{EXACT(.attempts = 9, .total_ms = 150), "r", 0, 0, 3, "50 100", HERALD_RETRY,
		 "busy 3"},
		{EXACT(.attempts = 9, .total_ms = 149), "r", 0, 0, 2, "50", HERALD_RETRY, "busy 2"},
		{EXACT(.attempts = 9, .total_ms = 49), "r", 0, 0, 1, "", HERALD_RETRY, "busy 1"},
		{EXACT(.attempts = 9, .total_ms = 149), "r", 30, 0, 2, "50", HERALD_RETRY,
		 "busy 2"},
		{EXACT(.attempts = 9, .total_ms = 149), "r", 100, 0, 1, "", HERALD_RETRY, "busy 1"},
		{EXACT(.attempts = 9, .total_ms = 149, .fail_at_last = true), "r", 0, 0, 2, "50",
		 HERALD_FAIL, "busy 2"},
		{EXACT(.attempts = 100), "r", 0, 0, 9, "50 100 200 400 800 1000 1000 1000",
		 HERALD_RETRY, "busy 9"},
		/* The deadline: a wait that would reach it does not begin. */
		{EXACT(.attempts = 9), "r", 0, 151, 3, "50 100", HERALD_RETRY, "busy 3"},
		{EXACT(.attempts = 9), "r", 0, 150, 2, "50", HERALD_RETRY, "busy 2"},
		{EXACT(.attempts = 9), "r", 0, 50, 1, "", HERALD_RETRY, "busy 1"},
		{EXACT(.attempts = 9), "rrd", 10, 170, 2, "50", HERALD_RETRY, "busy 2"},
		{EXACT(.attempts = 9), "rrd", 10, 171, 3, "50 100", HERALD_DONE, ""},
		{EXACT(.attempts = 9), "r", 500, 400, 1, "", HERALD_RETRY, "busy 1"},
		{EXACT(.attempts = 9, .fail_at_last = true), "r", 0, 50, 1, "", HERALD_RETRY,
		 "busy 1"},
		{EXACT(.attempts = 9), "d", 500, 400, 1, "", HERALD_DONE, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = {.runs = rows[i].runs, .run_ms = rows[i].run_ms};
		struct herald_handler *handlers[] = {create_retry(&rows[i].options), NULL};
		size_t count = 1;

		if (rows[i].deadline_ms > 0)
			handlers[count++] = create_deadline(rows[i].deadline_ms);
		struct herald_service *service = create_scripted(&script, handlers, count, NULL, 0);
		/* The same twice: an event has nothing of the one before. */
		for (int round = 0; round < 2; round++) {
			script.count = 0;
			fake.sleeps[0] = '\0';
			struct herald_result result = handle_one(service);
			if (script.count != rows[i].count ||
			    strcmp(fake.sleeps, rows[i].sleeps) != 0)
				fail_msg("row %zu: %u runs, waits %s", i, script.count,
					 fake.sleeps);
			check_verdict(&result, rows[i].verdict, rows[i].reason);
		}
		herald_service_destroy(service);
	}
}

/* Results keep what the last run named, and nothing of those before. */
static void
test_what_the_result_names(void **state)
{
	static const struct {
		const char *runs;
		bool fail_at_last;
		enum herald_verdict verdict;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{"1", false, HERALD_RETRY, 0, 100},   {"1r", false, HERALD_RETRY, 0, 0},
		{"r9", false, HERALD_RETRY, 0, 9000}, {"1d", false, HERALD_DONE, 0, 0},
		{"1F", false, HERALD_FAIL, 409, 0},   {"1x", false, HERALD_FAIL, 0, 0},
		{"1", true, HERALD_FAIL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = {.runs = rows[i].runs};
		struct herald_handler *handlers[] = {
			create_retry(&EXACT(.attempts = 2, .fail_at_last = rows[i].fail_at_last))};
		struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
		struct herald_result result = handle_one(service);

		assert_int_equal(result.verdict, rows[i].verdict);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		herald_service_destroy(service);
	}
}

static void
test_before_and_after_run_once(void **state)
{
	static const struct {
		const char *runs, *trace;
	} rows[] = {
		{"d", "b b f a:done: a:done:"},
		{"rd", "b b f f a:done: a:done:"},
		{"r", "b b f f f a:retry:busy 3 a:retry:busy 3"},
		{"rF", "b b f f a:fail:taken a:fail:taken"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = {.runs = rows[i].runs};
		struct herald_handler outer = {.ops = &noting_ops}, inner = {.ops = &noting_ops};
		struct herald_handler *handlers[] = {&outer, create_retry(NULL), &inner};
		struct herald_service *service = create_scripted(&script, handlers, 3, NULL, 0);

		handle_one(service);
		assert_string_equal(trace, rows[i].trace);
		herald_service_destroy(service);
	}
}

/* A sleep that takes longer than it should does not run the function after the deadline. */
static void
test_oversleeping(void **state)
{
	struct script script = {.runs = "r"};
	struct herald_handler *handlers[] = {create_retry(&EXACT(.attempts = 9)),
					     create_deadline(60)};
	struct herald_service *service = create_scripted(&script, handlers, 2, NULL, 0);

	(void)state;
	fake.oversleeps_ms = 9;
	handle_one(service);
	assert_int_equal(script.count, 2);
	script.count = 0;
	fake.oversleeps_ms = 10;
	struct herald_result result = handle_one(service);
	assert_int_equal(script.count, 1);
	check_verdict(&result, HERALD_RETRY, "busy 1");
	herald_service_destroy(service);
}

/* Full jitter: from 0 to the delay, both ends, all over. */
static void
test_jitter(void **state)
{
	struct script script = {.runs = "rd"};
	struct herald_handler *handlers[] = {create_retry(&OPTIONS(.first_delay_ms = 4))};
	struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
	unsigned counts[5] = {0};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		script.count = 0;
		fake.sleeps[0] = '\0';
		fake.sleeps_count = 0;
		handle_one(service);
		assert_int_equal(script.count, 2);
		unsigned ms = fake.sleeps_count ? (unsigned)(fake.sleeps[0] - '0') : 0;
		assert_true(ms <= 4);
		counts[ms]++;
	}
	/* 400 each; the chance of fewer than 250 is less than one in 10^15. */
	for (size_t i = 0; i < COUNT(counts); i++)
		assert_true(counts[i] > 250);
	herald_service_destroy(service);
}

/* The innermost is asked, alone. */

struct asked {
	struct herald_handler base;
	struct herald_handler_ops ops;
	const char *name;
	enum herald_again answers[4]; /* By attempt. */
	uint32_t delay_ms;
	bool says;
};

static enum herald_again
ask(struct herald_handler *handler, struct herald_context *ctx, unsigned attempt,
    uint32_t *delay_ms)
{
	const struct asked *asked = (struct asked *)handler;

	note("%s%u:%u:%s", asked->name, attempt, (unsigned)*delay_ms, herald_context_reason(ctx));
	assert_true(attempt >= 1 && attempt <= COUNT(asked->answers));
	if (asked->delay_ms != UINT32_MAX)
		*delay_ms = asked->delay_ms;
	if (asked->says)
		herald_fail_status(ctx, 502, "gave up after: %s", herald_context_reason(ctx));
	return asked->answers[attempt - 1];
}

static void
init_asked(struct asked *asked, const char *name)
{
	*asked = (struct asked){
		.ops = {.struct_size = sizeof(asked->ops), .name = name, .again = ask},
		.name = name,
		.answers = {HERALD_AGAIN_RUN, HERALD_AGAIN_RUN, HERALD_AGAIN_STOP},
	};
	asked->base.ops = &asked->ops;
}

static void
test_who_is_asked(void **state)
{
	/* Which of two handlers of the service, x and y, and two of the route, z and w, are
	 * there. */
	static const struct {
		const char *service, *route, *trace;
	} rows[] = {
		{"x", "", "f x1:0:busy 1 f x2:0:busy 2 f x3:0:busy 3"},
		{"xy", "", "f y1:0:busy 1 f y2:0:busy 2 f y3:0:busy 3"},
		{"xy", "z", "f z1:0:busy 1 f z2:0:busy 2 f z3:0:busy 3"},
		{"x", "zw", "f w1:0:busy 1 f w2:0:busy 2 f w3:0:busy 3"},
		{"", "z", "f z1:0:busy 1 f z2:0:busy 2 f z3:0:busy 3"},
		{"xn", "", "b f x1:0:busy 1 f x2:0:busy 2 f x3:0:busy 3 a:retry:busy 3"},
		{"x", "n", "b f x1:0:busy 1 f x2:0:busy 2 f x3:0:busy 3 a:retry:busy 3"},
		{"n", "", "b f a:retry:busy 1"},
		{"", "", "f"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const char *const names[] = {"w", "x", "y", "z"};
		struct asked asked[4];
		struct herald_handler noting = {.ops = &noting_ops};
		struct herald_handler *handlers[2], *own[2];
		struct script script = {.runs = "r"};

		for (size_t j = 0; j < COUNT(names); j++)
			init_asked(&asked[j], names[j]);
		for (size_t j = 0; rows[i].service[j]; j++)
			handlers[j] = rows[i].service[j] == 'n'
					      ? &noting
					      : &asked[rows[i].service[j] - 'w'].base;
		for (size_t j = 0; rows[i].route[j]; j++)
			own[j] = rows[i].route[j] == 'n' ? &noting
							 : &asked[rows[i].route[j] - 'w'].base;
		struct herald_service *service = create_scripted(
			&script, handlers, strlen(rows[i].service), own, strlen(rows[i].route));
		handle_one(service);
		assert_string_equal(trace, rows[i].trace);
		assert_int_equal(fake.sleeps_count, 0);
		herald_service_destroy(service);
	}
}

static void
test_what_again_may_answer(void **state)
{
	static const struct {
		const char *runs;
		enum herald_again answer;
		uint32_t delay_ms;
		bool says;
		enum herald_verdict verdict;
		const char *reason, *trace, *sleeps;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{"1", HERALD_AGAIN_STOP, 7, false, HERALD_RETRY, "in 100 ms", "f x1:100:in 100 ms",
		 "", 0, 100},
		/* The handler's reason counts only for a failure. */
		{"1", HERALD_AGAIN_STOP, 7, true, HERALD_RETRY, "in 100 ms", "f x1:100:in 100 ms",
		 "", 0, 100},
		{"1", HERALD_AGAIN_FAIL, 7, false, HERALD_FAIL, "in 100 ms", "f x1:100:in 100 ms",
		 "", 0, 0},
		{"r", HERALD_AGAIN_FAIL, 7, true, HERALD_FAIL, "gave up after: busy 1",
		 "f x1:0:busy 1", "", 502, 0},
		{"1d", HERALD_AGAIN_RUN, UINT32_MAX, false, HERALD_DONE, "", "f x1:100:in 100 ms f",
		 "100", 0, 0},
		{"rd", HERALD_AGAIN_RUN, 7, true, HERALD_DONE, "", "f x1:0:busy 1 f", "7", 0, 0},
		{"rF", HERALD_AGAIN_RUN, 7, false, HERALD_FAIL, "taken", "f x1:0:busy 1 f", "7",
		 409, 0},
		{"r", (enum herald_again)7, 7, false, HERALD_RETRY, "busy 1", "f x1:0:busy 1", "",
		 0, 0},
		{"r", (enum herald_again) - 1, 7, false, HERALD_RETRY, "busy 1", "f x1:0:busy 1",
		 "", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct asked asked;
		struct herald_handler *handlers[] = {&asked.base};
		struct script script = {.runs = rows[i].runs};

		init_asked(&asked, "x");
		asked.answers[0] = rows[i].answer;
		asked.delay_ms = rows[i].delay_ms;
		asked.says = rows[i].says;
		struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
		struct herald_result result = handle_one(service);

		check_verdict(&result, rows[i].verdict, rows[i].reason);
		assert_string_equal(trace, rows[i].trace);
		assert_string_equal(fake.sleeps, rows[i].sleeps);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		herald_service_destroy(service);
	}
}

/* Words and numbers about it. */

static void
test_records(void **state)
{
	static const struct {
		const char *runs;
		bool fail_at_last;
		const char *logged;
	} rows[] = {
		{"d", false, ""},
		{"rd", false,
		 "info: the function will run again event_type=a attempts=1 delay_ms=50 "
		 "reason=busy 1\n"},
		{"r", false,
		 "info: the function will run again event_type=a attempts=1 delay_ms=50 "
		 "reason=busy 1\n"
		 "warning: event retry requested event_type=a verdict=retry reason=busy 2 "
		 "attempts=2 took=some\n"},
		{"rF", false,
		 "info: the function will run again event_type=a attempts=1 delay_ms=50 "
		 "reason=busy 1\n"
		 "warning: event failed event_type=a verdict=fail http_status=409 "
		 "reason=taken attempts=2 "
		 "took=some\n"},
		{"r", true,
		 "info: the function will run again event_type=a attempts=1 delay_ms=50 "
		 "reason=busy 1\n"
		 "error: event failed event_type=a verdict=fail reason=busy 2 handler=retry "
		 "attempts=2 took=some\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = {.runs = rows[i].runs};
		struct herald_handler *handlers[] = {
			create_retry(&EXACT(.attempts = 2, .fail_at_last = rows[i].fail_at_last))};
		struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
		struct herald_statistics statistics;

		handle_one(service);
		assert_string_equal(logged, rows[i].logged);
		/* However often the function ran, it was one event. */
		herald_service_statistics(service, &statistics);
		assert_int_equal(statistics.events, 1);
		herald_service_destroy(service);
	}
}

static void
test_described(void **state)
{
	struct script script = {.runs = "d"};
	struct herald_handler noting = {.ops = &noting_ops};
	struct herald_handler *handlers[] = {create_retry(NULL), create_deadline(7), &noting};
	struct herald_handler *own[] = {create_retry(NULL)};
	struct herald_service *service = create_scripted(&script, handlers, 3, own, 1);
	struct herald_buffer out;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "routes[0] a\n"
					 "\tdecode    envelope herald_message\n"
					 "\tpayload   struct herald_json\n"
					 "\tbefore    deadline\n"
					 "\tbefore    noting\n"
					 "\tfunction  struct herald_json\n"
					 "\tagain     retry\n"
					 "\tafter     noting\n"));
	out.bytes = 0;
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "{\"step\":\"function\",\"schema\":\"herald_json\"},"
					 "{\"step\":\"again\",\"handler\":\"retry\"},"
					 "{\"step\":\"after\",\"handler\":\"noting\"}]"));
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

/* The system's clock: one wait of a millisecond. */
static void
test_the_systems_clock(void **state)
{
	struct script script = {.runs = "rd"};
	struct herald_handler *handlers[] = {
		create_retry(&OPTIONS(.backoff = HERALD_BACKOFF_FIXED, .first_delay_ms = 1))};
	struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
	struct herald_statistics statistics;

	(void)state;
	service->clock = NULL;
	struct herald_result result = handle_one(service);
	check_verdict(&result, HERALD_DONE, "");
	assert_int_equal(script.count, 2);
	herald_service_statistics(service, &statistics);
	assert_true(statistics.nanoseconds >= HERALD__MS_NS);
	herald_service_destroy(service);
}

/* Creation. */

static enum herald_status
create(const void *options, struct herald_handler **out, struct herald_error *error)
{
	return herald_retry_handler_create(options, out, error);
}

static void
test_bad_options(void **state)
{
	const struct {
		struct herald_retry_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{{.struct_size = sizeof(size_t) - 1}, "struct_size"},
		{OPTIONS(.attempts = 101), "attempts"},
		{OPTIONS(.attempts = UINT_MAX), "attempts"},
		{OPTIONS(.backoff = (enum herald_backoff)3), "backoff"},
		{OPTIONS(.backoff = (enum herald_backoff) - 1), "backoff"},
		{OPTIONS(.factor = 0.99), "factor"},
		{OPTIONS(.factor = 1000.1), "factor"},
		{OPTIONS(.factor = -2), "factor"},
		{OPTIONS(.factor = (double)NAN), "factor"},
		{OPTIONS(.factor = (double)INFINITY), "factor"},
		{OPTIONS(.first_delay_ms = 11, .max_delay_ms = 10), "first_delay_ms"},
		{OPTIONS(.allocator.allocate = no_memory), "allocator"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_bad_handler_option(create, &rows[i].options, rows[i].path);
}

/* At the ends of what is allowed, one delay without the other, and an older program's options,
 * which end early. */
static void
test_good_options(void **state)
{
	struct herald_retry_options shorter = OPTIONS(.attempts = 1, .fail_at_last = true);
	const struct herald_retry_options rows[] = {
		OPTIONS(.attempts = 100, .factor = 1000, .first_delay_ms = UINT32_MAX,
			.max_delay_ms = UINT32_MAX, .total_ms = UINT32_MAX),
		OPTIONS(.attempts = 1, .factor = 1, .first_delay_ms = 1, .max_delay_ms = 1,
			.total_ms = 1),
		OPTIONS(.first_delay_ms = 1001),
		OPTIONS(.max_delay_ms = 49),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = {.runs = "r"};
		struct herald_handler *handlers[] = {create_retry(&rows[i])};
		struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);

		handle_one(service);
		herald_service_destroy(service);
	}

	shorter.struct_size = offsetof(struct herald_retry_options, fail_at_last);
	struct script script = {.runs = "r"};
	struct herald_handler *handlers[] = {create_retry(&shorter)};
	struct herald_service *service = create_scripted(&script, handlers, 1, NULL, 0);
	struct herald_result result = handle_one(service);
	check_verdict(&result, HERALD_RETRY, "busy 1");
	herald_service_destroy(service);
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_creation_fails_at_every_allocation(create, &OPTIONS(.allocator = memory.allocator),
						  &memory);
}

/* Further runs take no memory, beyond what the function takes. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct script script = {.runs = "r"};
	struct failing_allocator memory;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_handler *handlers[] = {
		create_retry(&OPTIONS(.attempts = 5, .allocator = memory.allocator))};
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = act,
					       .state = &script}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .allocator = memory.allocator));

	fake_clock_init(&fake, service);
	for (int round = 0; round < 10; round++) {
		handle_one(service);
		if (round == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_runs_and_waits, events_setup),
		cmocka_unit_test_setup(test_what_the_result_names, events_setup),
		cmocka_unit_test_setup(test_before_and_after_run_once, events_setup),
		cmocka_unit_test_setup(test_oversleeping, events_setup),
		cmocka_unit_test_setup(test_jitter, events_setup),
		cmocka_unit_test_setup(test_who_is_asked, events_setup),
		cmocka_unit_test_setup(test_what_again_may_answer, events_setup),
		cmocka_unit_test_setup(test_records, events_setup),
		cmocka_unit_test_setup(test_described, events_setup),
		cmocka_unit_test_setup(test_the_systems_clock, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test_setup(test_good_options, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
