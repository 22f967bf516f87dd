/*
 * What a function with HERALD_TRANSACTION_JOIN does with its own store: a submission to the
 * deliverer is part of its transaction; what would wait for the transaction is refused.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/herald.h>

#include "support/outbox_process.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct job {
	const char *action;
};

HERALD_SCHEMA(job, HERALD_FIELD(job, action, .required = true));

struct fixture {
	struct model *model;
	struct outbox_process process;
	struct herald_service *service;
	/* Of the last call. */
	enum herald_status status;
	struct herald_error error;
	atomic_uint runs;
};

static struct herald_result
handle(struct fixture *f, const char *type, const char *action)
{
	struct herald_result result;
	char event[256];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"%s\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"action\":\"%s\"}}",
			     type, action);

	herald_service_handle(f->service, event, (size_t)bytes, &result);
	return result;
}

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job, struct fixture *f)
{
	const char *action = job->action;
	const unsigned attempt = herald_context_attempt(ctx);

	if (strncmp(action, "submit", 6) == 0) {
		f->status = herald_deliverer_submit(
			f->process.deliverer,
			&(struct herald_delivery){.url = "http://a.example/200"}, &f->error);
	} else if (strcmp(action, "handle") == 0) {
		struct herald_result result = handle(f, "plain", "nothing");

		f->status = result.status;
		f->error = result.error;
	} else if (strcmp(action, "drop") == 0) {
		uint64_t count;

		f->status = herald_store_dead_drop(
			f->process.store, &(struct herald_dead_filter){0}, NULL, &count, &f->error);
	}
	atomic_fetch_add(&f->runs, 1);
	if (strcmp(action, "submit-retry") == 0 && attempt == 1)
		return herald_retry_after(ctx, 1, "again");
	return strcmp(action, "submit-fail") == 0 ? herald_fail(ctx, "no good") : HERALD_DONE;
}
HERALD_FUNCTION(on_job, job, fixture);

static void
begin(struct fixture *f)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("plain", job, on_job, f),
		HERALD_ROUTE("join", job, on_job, f, .transaction = HERALD_TRANSACTION_JOIN)};
	struct herald_error error;

	memset(f, 0, sizeof(*f));
	f->model = model_create(&(struct model_options){.secret = 1});
	outbox_process_begin(&f->process, f->model, HERALD_STORE_OPTIONS(.max_attempts = 3),
			     HERALD_DELIVERER_OPTIONS(.attempts = 1));
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = f->process.store),
		    &f->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
end(struct fixture *f)
{
	herald_store_stop(f->process.store, 60000);
	herald_service_destroy(f->service);
	outbox_process_end(&f->process);
	model_destroy(f->model);
}

static const struct {
	const char *type, *action;
	unsigned runs;
	enum herald_status status;
	size_t sent;
} cases[] = {
	{"join", "submit", 1, HERALD_OK, 1},        {"join", "submit-retry", 2, HERALD_OK, 1},
	{"join", "submit-fail", 1, HERALD_OK, 0},   {"plain", "submit", 1, HERALD_OK, 1},
	{"plain", "submit-retry", 2, HERALD_OK, 2}, {"plain", "submit-fail", 1, HERALD_OK, 1},
	{"join", "handle", 1, HERALD_BAD_VALUE, 0}, {"join", "drop", 1, HERALD_BAD_VALUE, 0},
	{"plain", "handle", 2, HERALD_OK, 0},       {"plain", "drop", 1, HERALD_OK, 0},
};

static void
test_in_a_transaction(void **state)
{
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s %s\n", cases[i].type, cases[i].action);
		begin(&f);
		assert_int_equal(handle(&f, cases[i].type, cases[i].action).http_status, 202);
		while (atomic_load(&f.runs) < cases[i].runs)
			sched_yield();
		if (cases[i].sent > 0)
			recorder_wait(&f.process.recorder, cases[i].sent);
		outbox_await_none(f.process.store);
		end(&f);
		assert_int_equal(f.status, cases[i].status);
		if (cases[i].status != HERALD_OK)
			assert_non_null(strstr(f.error.message, "use herald_publish()"));
		assert_int_equal(f.process.recorder.outcomes, cases[i].sent);
		assert_int_equal(f.runs, cases[i].runs);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_a_transaction)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
