/*
 * The callback handler in a service with a store: who is called, what the sender is told at once,
 * and callbacks of processes that die.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <herald/callback.h>
#include <herald/herald.h>
#include <herald/publish.h>

#include "support/outbox_process.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct job {
	const char *verdict;
};

HERALD_SCHEMA(job, HERALD_FIELD(job, verdict, .required = true));

struct fixture {
	struct model *model;
	struct outbox_process process;
	struct herald_service *service;
	atomic_size_t runs;
	bool tracing;
	char traceparent[HERALD_TRACEPARENT_SIZE]; /* of the last run, if there is tracing */
};

/* A function with JOIN that must not do this. */
static void
end_transaction(struct herald_context *ctx)
{
	struct herald_session *session = herald_context_session(ctx);

	model_connection_rollback(session->database->ops->handle(session));
}

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job, struct fixture *fixture)
{
	if (herald_context_trace(ctx))
		herald_traceparent_write(herald_context_trace(ctx), fixture->traceparent);
	atomic_fetch_add(&fixture->runs, 1);
	if (strcmp(job->verdict, "publish") == 0) {
		const struct herald_delivery delivery = {.url = "http://a.example/200"};

		assert_int_equal(herald_publish(ctx, &delivery, NULL), HERALD_OK);
	}
	if (strncmp(job->verdict, "end", 3) == 0)
		end_transaction(ctx);
	if (strcmp(job->verdict, "retry") == 0 || strcmp(job->verdict, "end-retry") == 0)
		return herald_retry(ctx, "not now");
	if (strcmp(job->verdict, "fail") == 0 || strcmp(job->verdict, "end-fail") == 0)
		return herald_fail(ctx, "the machine is broken");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job, fixture);

/* The next version of the program. */
struct next_job {
	const char *verdict;
	const char *machine;
};

HERALD_SCHEMA(next_job, HERALD_FIELD(next_job, verdict),
	      HERALD_FIELD(next_job, machine, .required = true));

static enum herald_verdict
on_next_job(struct herald_context *ctx, const struct next_job *job, struct fixture *fixture)
{
	(void)job;
	atomic_fetch_add(&fixture->runs, 1);
	return herald_fail(ctx, "unexpected");
}
HERALD_FUNCTION(on_next_job, next_job, fixture);

/* A handler around the callback's. */
struct guard {
	struct herald_handler base;
	bool refuses_before, fails_after;
};

static enum herald_verdict
guard_before(struct herald_handler *base, struct herald_context *ctx)
{
	return ((struct guard *)base)->refuses_before ? herald_fail(ctx, "closed") : HERALD_DONE;
}

static enum herald_verdict
guard_after(struct herald_handler *base, struct herald_context *ctx, enum herald_verdict result)
{
	return result == HERALD_DONE && ((struct guard *)base)->fails_after
		       ? herald_fail(ctx, "too late")
		       : HERALD_DONE;
}

static const struct herald_handler_ops guard_ops = {
	.struct_size = sizeof(guard_ops),
	.before = guard_before,
	.after = guard_after,
};

static void
begin_with(struct fixture *fixture, struct herald_deliverer_options options,
	   const struct herald_callback_options *callback, const struct herald_route *route,
	   struct guard *guard)
{
	struct herald_handler *handlers[2] = {&guard->base};
	const struct herald_route routes[] = {*route};
	struct herald_error error;

	outbox_process_begin(&fixture->process, fixture->model,
			     HERALD_STORE_OPTIONS(.max_attempts = 2), options);
	guard->base = (struct herald_handler){.ops = &guard_ops};
	if (herald_callback_handler_create(fixture->process.deliverer, callback, &handlers[1],
					   &error) != HERALD_OK ||
	    herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
					    .envelope = &herald_callback_message_schema,
					    .store = fixture->process.store,
					    .tracing = fixture->tracing),
		    &fixture->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
begin(struct fixture *fixture, struct herald_deliverer_options options,
      const struct herald_callback_options *callback)
{
	static struct guard guard;
	const struct herald_route route = HERALD_ROUTE("job", job, on_job, fixture);

	begin_with(fixture, options, callback, &route, &guard);
}

static void
end_service(struct fixture *fixture)
{
	herald_store_stop(fixture->process.store, 60000);
	herald_service_destroy(fixture->service);
}

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->model = model_create(&(struct model_options){.secret = 1});
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	model_destroy(fixture->model);
	free(fixture);
	return 0;
}

static struct herald_result
handle_with(struct fixture *fixture, const char *verdict, const char *callback,
	    const struct herald_arrival *arrival)
{
	struct herald_result result;
	char event[1024];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"job\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"verdict\":\"%s\"},\"callback\":%s}",
			     verdict, callback);

	herald_service_handle_with(fixture->service, event, (size_t)bytes, arrival, &result);
	return result;
}

static struct herald_result
handle(struct fixture *fixture, const char *verdict, const char *callback)
{
	return handle_with(fixture, verdict, callback, NULL);
}

static struct herald_result
handle_later(struct fixture *fixture, uint64_t delay_ms, const char *callback)
{
	return handle_with(fixture, "done", callback, &HERALD_ARRIVAL(.delay_ms = delay_ms));
}

#define BOTH                                                                                       \
	"{\"success_url\":\"http://a.example/200?success\",\"fail_url\":\"http://a.example/"       \
	"200?fail\"}"

static void
test_who_is_called(void **state)
{
	static const struct {
		const char *verdict, *callback;
		size_t runs;
		const char *url, *result; /* NULL: nobody */
	} rows[] = {
		{"done", BOTH, 1, "http://a.example/200?success", "success"},
		{"fail", BOTH, 1, "http://a.example/200?fail", "fail"},
		/* Not after the first attempt, but after the last one. */
		{"retry", BOTH, 2, "http://a.example/200?fail", "fail"},
		{"done", "{\"fail_url\":\"http://a.example/200?fail\"}", 1, NULL, NULL},
		{"done", "null", 1, NULL, NULL},
		{"done", "{\"success_url\":\"\"}", 1, NULL, NULL},
	};
	struct fixture *fixture = *state;
	size_t called = 0;

	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct recorded_report *report;
		size_t runs = fixture->runs;
		struct herald_result result = handle(fixture, rows[i].verdict, rows[i].callback);

		assert_int_equal(result.verdict, HERALD_DONE);
		assert_int_equal(result.http_status, 202);
		while (fixture->runs < runs + rows[i].runs)
			sched_yield();
		if (!rows[i].url)
			continue;
		recorder_wait(&fixture->process.recorder, ++called);
		report = &fixture->process.recorder.outcome_reports[called - 1];
		assert_string_equal(report->url, rows[i].url);
		assert_string_equal(report->result, rows[i].result);
		assert_int_equal(report->outcome, HERALD_DELIVERY_DELIVERED);
		assert_int_equal(strlen(report->id), 32);
	}
	outbox_await_none(fixture->process.store);
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(fixture->process.recorder.outcomes, called);
}

/* The sender is told at once; nothing is stored, and the function does not run. */
static void
test_wrong_urls(void **state)
{
	static const struct {
		const char *callback, *reason;
	} rows[] = {
		{"{\"success_url\":\"ftp://a.example/\"}",
		 "callback.success_url: expected an http or https URL"},
		{"{\"fail_url\":\"nonsense\"}", "callback.fail_url: expected an http"},
		{"{\"success_url\":\"http://a.example/\",\"fail_url\":\"http://127.0.0.1/\"}",
		 "callback.fail_url: the address 127.0.0.1 is not allowed"},
	};
	struct fixture *fixture = *state;

	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle(fixture, "done", rows[i].callback);

		assert_int_equal(result.verdict, HERALD_FAIL);
		assert_int_equal(result.http_status, 400);
		assert_has(result.error.message, rows[i].reason);
	}
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(model_committed(fixture->model)->rows_count, 0);
	assert_int_equal(fixture->runs, 0);
}

/* An event that was accepted when its URL was allowed. */
static void
test_url_that_is_not_allowed_any_more(void **state)
{
	static const char *const networks[] = {"127.0.0.0/8"};
	struct fixture *fixture = *state;

	begin(fixture, HERALD_DELIVERER_OPTIONS(HERALD_NETWORKS(networks)), NULL);
	assert_int_equal(
		handle_later(fixture, 1500, "{\"fail_url\":\"http://127.0.0.1/200\"}").http_status,
		202);
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(fixture->runs, 0);

	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
	while (outbox_dead(fixture->process.store)[0] == '\0')
		sched_yield();
	assert_string_equal(outbox_dead(fixture->process.store),
			    "failed 1 job: callback.fail_url: the address 127.0.0.1 is not "
			    "allowed\n");
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(fixture->runs, 0);
}

/* Of ends, by the database. */
struct refusals {
	bool goes_on; /* the first one is not: it marks the event as done before its function */
	unsigned left;
};

/* The model_hook callback: the thread that stores the end calls it, one at a time. */
static enum herald_status
refuse_ends(struct model_call *call, void *state)
{
	struct refusals *refusals = state;

	if (call->op != MODEL_COMPLETE)
		return MODEL_GO_ON;
	if (refusals->goes_on || refusals->left == 0) {
		refusals->goes_on = false;
		return MODEL_GO_ON;
	}
	refusals->left--;
	return HERALD_TOO_LARGE;
}

/* An event that is a dead letter without a call of `after` that says so: its sender hears of it. */
static void
test_dead_letters_that_did_not_run(void **state)
{
	struct fixture *fixture = *state;
	const struct herald_route same = HERALD_ROUTE("job", job, on_job, fixture);
	const struct herald_route other = HERALD_ROUTE("other", job, on_job, fixture);
	const struct herald_route next = HERALD_ROUTE("job", next_job, on_next_job, fixture);
	const struct {
		const struct herald_route *route;
		struct guard guard;
		unsigned attempts, interrupted; /* of earlier runs */
		const char *dead;
		size_t runs;
	} rows[] = {
		{&other,
		 {.fails_after = false},
		 0,
		 0,
		 "no_route 1 job: no route for event type \"job\"\n",
		 0},
		{&next,
		 {.fails_after = false},
		 0,
		 0,
		 "undecodable 1 job: machine is required, but missing\n",
		 0},
		{&same, {.refuses_before = true}, 0, 0, "failed 1 job: closed\n", 0},
		{&same, {.fails_after = true}, 0, 0, "failed 1 job: too late\n", 1},
		{&same,
		 {.fails_after = false},
		 1,
		 3,
		 "interrupted 1 job: the process died while it ran (3 times), in attempt 1\n",
		 0},
		{&same,
		 {.fails_after = false},
		 2,
		 1,
		 "attempts 2 job: its last attempt, number 2, did not end\n",
		 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard guard = rows[i].guard;
		size_t runs = fixture->runs;

		model_destroy(fixture->model);
		fixture->model = model_create(&(struct model_options){.secret = 1});
		begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
		assert_int_equal(handle_later(fixture, 300, BOTH).http_status, 202);
		end_service(fixture);
		outbox_process_end(&fixture->process);
		assert_int_equal(fixture->runs, runs);
		struct model_row *row =
			(struct model_row *)model_committed(fixture->model)->rows[0];
		row->attempts = rows[i].attempts;
		row->interrupted = rows[i].interrupted;

		begin_with(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL, rows[i].route,
			   &guard);
		recorder_wait(&fixture->process.recorder, 1);
		const struct recorded_report *report = fixture->process.recorder.outcome_reports;
		assert_string_equal(report->url, "http://a.example/200?fail");
		assert_string_equal(report->result, "fail");
		assert_string_equal(outbox_dead(fixture->process.store), rows[i].dead);
		outbox_await_none(fixture->process.store);
		end_service(fixture);
		outbox_process_end(&fixture->process);
		assert_int_equal(fixture->process.recorder.outcomes, 1);
		assert_int_equal(fixture->runs, runs + rows[i].runs);
	}
}

/* Whatever makes a dead letter, its sender hears of it once. */
static void
test_dead_letters_of_other_kinds(void **state)
{
	static const struct {
		const char *verdict;
		bool joins;
		unsigned refusals; /* of the end, by the database */
		const char *dead;
	} rows[] = {
		{"end", true, 0, "failed 1 job: model: the transaction has ended\n"},
		{"end-retry", true, 0, "failed 1 job: model: the transaction has ended\n"},
		{"end-fail", true, 0, "failed 1 job: the machine is broken\n"},
		{"fail", false, 2,
		 "failed 1 job: the database refuses the end of the run: model: complete fails by "
		 "order\n"},
		/* In the worker's transaction, and twice as above. */
		{"fail", true, 3,
		 "failed 1 job: the database refuses the end of the run: model: complete fails by "
		 "order\n"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture *fixture = *state;
		struct guard guard = {.fails_after = false};
		struct herald_route route = HERALD_ROUTE("job", job, on_job, fixture);
		struct refusals refusals = {.goes_on = rows[i].joins, .left = rows[i].refusals};

		if (rows[i].joins)
			route.transaction = HERALD_TRANSACTION_JOIN;
		model_destroy(fixture->model);
		fixture->model = model_create(&(struct model_options){
			.secret = 1, .hook = refuse_ends, .state = &refusals});
		begin_with(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL, &route, &guard);
		assert_int_equal(handle(fixture, rows[i].verdict, BOTH).http_status, 202);
		recorder_wait(&fixture->process.recorder, 1);
		const struct recorded_report *report = fixture->process.recorder.outcome_reports;
		assert_string_equal(report->url, "http://a.example/200?fail");
		assert_string_equal(outbox_dead(fixture->process.store), rows[i].dead);
		outbox_await_none(fixture->process.store);
		end_service(fixture);
		outbox_process_end(&fixture->process);
		assert_int_equal(fixture->process.recorder.outcomes, 1);
		assert_int_equal(refusals.left, 0);
	}
}

/* A callback that is not delivered is a dead letter; all attempts have the same id. */
static void
test_callback_that_fails(void **state)
{
	static const struct {
		const char *url;
		unsigned attempts;
		const char *dead;
	} rows[] = {
		{"http://a.example/503", 3, "attempts 3 http://a.example/503: HTTP status 503\n"},
		{"http://a.example/404", 1, "refused 1 http://a.example/404: HTTP status 404\n"},
		{"http://a.example/close", 3,
		 "attempts 3 http://a.example/close: the connection was closed\n"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture *fixture;
		char callback[128];

		teardown(state);
		setup(state);
		fixture = *state;
		snprintf(callback, sizeof(callback), "{\"success_url\":\"%s\"}", rows[i].url);
		begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 3), NULL);
		assert_int_equal(handle(fixture, "done", callback).http_status, 202);
		recorder_wait(&fixture->process.recorder, 1);
		const struct recorder *recorder = &fixture->process.recorder;
		assert_int_equal(recorder->failed, 1);
		assert_int_equal(recorder->attempts, rows[i].attempts);
		for (size_t j = 0; j < rows[i].attempts; j++)
			assert_string_equal(recorder->attempt_reports[j].id,
					    recorder->outcome_reports[0].id);
		outbox_await_none(fixture->process.store);
		assert_string_equal(outbox_dead(fixture->process.store), rows[i].dead);
		end_service(fixture);
		outbox_process_end(&fixture->process);
	}
}

static void
wait_in_flight(const struct fixture *fixture)
{
	struct herald_delivery_statistics counts;

	do {
		sched_yield();
		herald_deliverer_statistics(fixture->process.deliverer, &counts);
	} while (counts.in_flight == 0);
}

static int64_t
wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A database that is restored from a backup has the same secret, and gives out the same row ids
 * again. A receiver must not take the delivery of the new event for the one that it has. */
static void
test_another_event_after_a_restore(void **state)
{
	struct fixture *fixture = *state;
	char ids[2][64];

	for (size_t i = 0; i < 2; i++) {
		model_destroy(fixture->model);
		fixture->model = model_create(&(struct model_options){.secret = 1});
		begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
		assert_int_equal(handle(fixture, "done", BOTH).http_status, 202);
		recorder_wait(&fixture->process.recorder, 1);
		snprintf(ids[i], sizeof(ids[i]), "%s",
			 fixture->process.recorder.outcome_reports[0].id);
		outbox_await_none(fixture->process.store);
		end_service(fixture);
		outbox_process_end(&fixture->process);
		/* The event has been stored: the next one is in a later millisecond. */
		const int64_t end_ms = wall_ms();
		while (wall_ms() <= end_ms)
			sched_yield();
	}
	assert_string_not_equal(ids[0], ids[1]);
}

/* The process dies during an attempt; the next one goes on with the same id. */
static void
test_process_that_dies(void **state)
{
	static const struct fake_step silent = {.is_silent = true};
	struct fixture *fixture = *state;
	char id[64];

	fixture->process.steps = &silent;
	fixture->process.steps_count = 1;
	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 2), NULL);
	assert_int_equal(handle(fixture, "done", BOTH).http_status, 202);
	wait_in_flight(fixture);
	model_kill(fixture->process.database);
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(fixture->process.recorder.outcomes, 0);
	const struct model_tables *tables = model_committed(fixture->model);
	assert_int_equal(tables->rows_count, 1);
	assert_true(tables->rows[0]->is_delivery);
	snprintf(id, sizeof(id), "%s", tables->rows[0]->texts[MODEL_DELIVERY_ID]);

	fixture->process.steps = NULL;
	begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 2), NULL);
	recorder_wait(&fixture->process.recorder, 1);
	const struct recorded_report *report = &fixture->process.recorder.outcome_reports[0];
	assert_int_equal(report->outcome, HERALD_DELIVERY_DELIVERED);
	assert_string_equal(report->id, id);
	assert_int_equal(report->attempt, 2);
	end_service(fixture);
	outbox_process_end(&fixture->process);
	assert_int_equal(fixture->runs, 1);
	assert_int_equal(model_committed(fixture->model)->rows_count, 0);
}

/* What a receiver gets of the trace, also from a process that did not run the event: the span of
 * the run, and with a span hook the attempt's own one. */

static const char *
find_parent(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "traceparent") == 0
		       ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		       : NULL;
}

static void
ignore_span(const struct herald_span *span, void *state)
{
	(void)span, (void)state;
}

static void
test_trace_after_a_death(void **state)
{
	static const struct fake_step silent = {.is_silent = true};
	static const char trace_id[] = "00-0af7651916cd43dd8448eb211c80319c-";
	struct fixture *fixture = *state;
	char sent[3][80], *span_ids[3];

	fixture->tracing = true;
	for (int life = 0; life < 3; life++) {
		struct herald_deliverer_options options = HERALD_DELIVERER_OPTIONS(.attempts = 4);

		if (life == 2)
			options.spans.end = ignore_span;
		fixture->process.steps = life < 2 ? &silent : NULL;
		fixture->process.steps_count = 1;
		begin(fixture, options, NULL);
		if (life == 0)
			assert_int_equal(handle_with(fixture, "done", BOTH,
						     &HERALD_ARRIVAL(.attribute = find_parent))
						 .http_status,
					 202);
		if (life < 2) {
			wait_in_flight(fixture);
			model_kill(fixture->process.database);
		} else {
			recorder_wait(&fixture->process.recorder, 1);
		}
		end_service(fixture);
		outbox_process_end(&fixture->process);
		snprintf(sent[life], sizeof(sent[life]), "%s",
			 fixture->process.transport.traceparents[0]);
		assert_memory_equal(sent[life] + 13, trace_id, strlen(trace_id));
		span_ids[life] = sent[life] + 13 + strlen(trace_id);
	}
	assert_int_equal(fixture->runs, 1);
	assert_string_equal(sent[0] + 13, fixture->traceparent);
	assert_string_equal(sent[1], sent[0]);
	assert_string_not_equal(span_ids[2], span_ids[0]);
	assert_memory_not_equal(span_ids[0], "b7ad6b7169203331", 16);
	assert_string_equal(span_ids[2] + 16, "-01");
}

/* The same for what a function publishes. */
static void
test_trace_of_what_is_published(void **state)
{
	struct fixture *fixture = *state;

	for (int tracing = 0; tracing <= 1; tracing++) {
		fixture->tracing = tracing;
		begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), NULL);
		handle_with(fixture, "publish", "null", &HERALD_ARRIVAL(.attribute = find_parent));
		recorder_wait(&fixture->process.recorder, 1);
		end_service(fixture);
		outbox_process_end(&fixture->process);
		const char *sent = fixture->process.transport.traceparents[0];
		assert_string_equal(sent + (tracing ? strlen("traceparent: ") : 0),
				    tracing ? fixture->traceparent : "");
	}
}

/* Bodies of `prepare`. */

struct prepared {
	size_t bytes;
	struct herald_codec *codec;
};

static char large_body[5000];

static enum herald_verdict
prepare(struct herald_context *ctx, enum herald_verdict result, struct herald_delivery *delivery,
	void *state)
{
	const struct prepared *prepared = state;

	(void)result;
	if (prepared->codec) {
		delivery->codec = prepared->codec;
		delivery->value = herald_context_payload(ctx);
		return HERALD_DONE;
	}
	delivery->body = large_body;
	delivery->body_bytes = prepared->bytes;
	return HERALD_DONE;
}

static void
test_bodies(void **state)
{
	struct prepared prepared[] = {{.bytes = 1000}, {.bytes = 4000}, {.bytes = 1}};
	static const char *const dead[] = {
		"",
		"failed 1 job: the callback was not accepted: body and headers are ",
		"",
	};

	assert_int_equal(herald_codec_create(&job_schema, NULL, NULL, &prepared[2].codec, NULL),
			 HERALD_OK);
	for (size_t i = 0; i < COUNT(prepared); i++) {
		struct fixture *fixture;

		teardown(state);
		setup(state);
		fixture = *state;
		begin(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1),
		      &HERALD_CALLBACK_OPTIONS(.prepare = prepare, .state = &prepared[i],
					       .max_content_bytes = 2000));
		assert_int_equal(handle(fixture, "done", BOTH).http_status, 202);
		if (dead[i][0] == '\0') {
			recorder_wait(&fixture->process.recorder, 1);
			assert_int_equal(fixture->process.recorder.delivered, 1);
		} else {
			while (outbox_dead(fixture->process.store)[0] == '\0')
				sched_yield();
			assert_has(outbox_dead(fixture->process.store), dead[i]);
		}
		end_service(fixture);
		outbox_process_end(&fixture->process);
		assert_int_equal(fixture->process.transport.begins, dead[i][0] == '\0');
	}
	herald_codec_destroy(prepared[2].codec);
}

/* A deliverer that does not send what the service stores: callbacks would never arrive. */
static void
test_wrong_deliverers(void **state)
{
	struct fixture *fixture = *state;
	struct outbox_process other;
	struct fake_transport transport;
	struct herald_deliverer *in_memory;
	const struct herald_route routes[] = {HERALD_ROUTE("job", job, on_job, fixture)};

	outbox_process_begin(&fixture->process, fixture->model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(.attempts = 1));
	outbox_process_begin(&other, fixture->model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(.attempts = 1));
	fake_transport_init(&transport, NULL, 0);
	assert_int_equal(
		herald_deliverer_create(&HERALD_DELIVERER_OPTIONS(.transport = &transport.base),
					&in_memory, NULL),
		HERALD_OK);
	struct herald_deliverer *const deliverers[] = {in_memory, other.deliverer};
	for (size_t i = 0; i < COUNT(deliverers); i++) {
		struct herald_handler *handlers[1];
		struct herald_error error;

		assert_int_equal(
			herald_callback_handler_create(deliverers[i], NULL, &handlers[0], NULL),
			HERALD_OK);
		assert_int_equal(herald_service_create(
					 &HERALD_SERVICE_OPTIONS(
						 HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						 .envelope = &herald_callback_message_schema,
						 .store = fixture->process.store),
					 &fixture->service, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, "handlers[0]");
		assert_has(error.message, "callback: the service has a store, and the deliverer "
					  "does not send from it; create the deliverer with");
		handlers[0]->ops->destroy(handlers[0]);
	}
	herald_deliverer_destroy(in_memory);
	outbox_process_end(&other);
	outbox_process_end(&fixture->process);
}

/* A service without a store may have a deliverer with one: then only the delivery is stored. */
static void
test_service_without_a_store(void **state)
{
	struct fixture *fixture = *state;
	struct herald_handler *handlers[1];
	const struct herald_route routes[] = {HERALD_ROUTE("job", job, on_job, fixture)};

	outbox_process_begin(&fixture->process, fixture->model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(.attempts = 1));
	assert_int_equal(herald_callback_handler_create(fixture->process.deliverer, NULL,
							&handlers[0], NULL),
			 HERALD_OK);
	assert_int_equal(
		herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						.envelope = &herald_callback_message_schema),
			&fixture->service, NULL),
		HERALD_OK);
	struct herald_result result = handle(fixture, "done", BOTH);
	assert_int_equal(result.verdict, HERALD_DONE);
	assert_int_equal(result.http_status, 0);
	recorder_wait(&fixture->process.recorder, 1);
	assert_int_equal(fixture->process.recorder.delivered, 1);
	herald_service_destroy(fixture->service);
	outbox_process_end(&fixture->process);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_is_called, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_urls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_letters_that_did_not_run, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_url_that_is_not_allowed_any_more, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_dead_letters_of_other_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_callback_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_event_after_a_restore, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_process_that_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trace_after_a_death, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trace_of_what_is_published, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_deliverers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_service_without_a_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
