/*
 * Running a stored event: which steps run, attempts, the last one, retries that the store makes
 * later, what was published, and events that can no longer be decoded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/deadline.h>
#include <herald/retry.h>

#include "service/durable_events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"

/* A handler whose steps do what the case says. */
struct actor {
	struct herald_handler base;
	const char *name;
	const char *before, *after; /* see act() */
	bool publishes;             /* in `before` and `after`: NAME-before, NAME-after-VERDICT */
};

/* What the fixture has stored. */
static const char *stored_json;

static void
publish(struct herald_context *ctx, const char *format, const char *name, const char *verdict)
{
	char url[64];
	struct herald_error error;

	snprintf(url, sizeof(url), format, name, verdict);
	assert_int_equal(herald_publish(ctx, &(struct herald_delivery){.url = url}, &error),
			 HERALD_OK);
}

static enum herald_verdict
actor_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	      size_t bytes)
{
	(void)handler;
	(void)ctx;
	(void)data;
	(void)bytes;
	note("receive");
	return HERALD_DONE;
}

static enum herald_verdict
actor_before(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct actor *actor = (struct actor *)handler;

	note("b-%s", actor->name);
	if (actor->publishes)
		publish(ctx, "%s-before%s", actor->name, "");
	return act(ctx, actor->before);
}

static enum herald_verdict
actor_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	const struct actor *actor = (struct actor *)handler;

	note("a-%s-%s", actor->name, herald_verdict_name(result));
	if (actor->publishes)
		publish(ctx, "%s-after-%s", actor->name, herald_verdict_name(result));
	return act(ctx, actor->after);
}

static void
actor_rejected(struct herald_handler *handler, struct herald_context *ctx,
	       const struct herald_rejection *rejection)
{
	const struct actor *actor = (struct actor *)handler;

	(void)ctx;
	note("r-%s-%s", actor->name, herald_verdict_name(rejection->result->verdict));
	if (actor->publishes)
		publish(ctx, "%s-rejected-%s", actor->name,
			herald_verdict_name(rejection->result->verdict));
	/* The bytes as they were stored, although decoding has changed them. */
	assert_int_equal(rejection->bytes, strlen(stored_json));
	assert_memory_equal(rejection->data, stored_json, rejection->bytes);
}

static const struct herald_handler_ops service_ops = {
	.struct_size = sizeof(service_ops),
	.name = "actor",
	.receive = actor_receive,
	.before = actor_before,
	.after = actor_after,
	.rejected = actor_rejected,
};
static const struct herald_handler_ops route_ops = {
	.struct_size = sizeof(route_ops),
	.name = "actor",
	.before = actor_before,
	.after = actor_after,
};

/* The function, and an upcaster. */

static bool function_publishes;

static enum herald_verdict
on_stored(struct herald_context *ctx, const struct order *order, struct fake_inbox *inbox)
{
	note("f%u%s", herald_context_attempt(ctx),
	     herald_context_session(ctx) == fake_inbox_session(inbox) ? "-joined"
	     : herald_context_session(ctx)                            ? "-?"
								      : "");
	if (function_publishes)
		publish(ctx, "function%s%s", "", "");
	return act(ctx, order->action);
}
HERALD_FUNCTION(on_stored, order, fake_inbox);

struct old_order {
	const char *order_id;
	const char *action;
};
HERALD_SCHEMA(old_order, HERALD_FIELD(old_order, order_id), HERALD_FIELD(old_order, action));

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_order *from, struct order *to)
{
	note("upcast");
	to->order_id = "old";
	return act(ctx, from->action);
}
HERALD_UPCASTER(modernize, old_order, order);

/* A service with two actors, one of the service and one of the route; and one stored event. */
struct fixture {
	struct fake_inbox inbox;
	struct actor outer, inner;
	struct herald_service *service;
};

static void
create_fixture(struct fixture *fixture, const struct herald_route *more, const char *json)
{
	struct herald_handler *const outer[] = {&fixture->outer.base};
	struct herald_handler *const inner[] = {&fixture->inner.base};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "1", old_order, "2", order, modernize),
	};
	struct herald_route routes[] = {
		HERALD_ROUTE("order", order, on_stored, &fixture->inbox, HERALD_HANDLERS(inner)),
	};

	routes[0].transaction = more->transaction;
	routes[0].key = more->key;
	routes[0].when_dead = more->when_dead;
	trace[0] = '\0';
	logged[0] = '\0';
	stored_json = json;
	fake_inbox_init(&fixture->inbox);
	fixture->outer.base = (struct herald_handler){.ops = &service_ops};
	fixture->outer.name = "out";
	fixture->inner.base = (struct herald_handler){.ops = &route_ops};
	fixture->inner.name = "in";
	fixture->service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters), HERALD_HANDLERS(outer),
		.store = fake_inbox_store(&fixture->inbox), .log = debug_log));
	struct herald_result result = handle(fixture->service, json);
	check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
	assert_string_equal(trace, "receive");
	trace[0] = '\0';
	logged[0] = '\0';
}

static void
destroy_fixture(struct fixture *fixture)
{
	herald_service_destroy(fixture->service);
	fake_inbox_finish(&fixture->inbox);
}

static const struct herald_route plain = {.key = NULL};
static const struct herald_route joining = {.transaction = HERALD_TRANSACTION_JOIN};

#define DO(ACTION) ORDER("7", "{\"order_id\":\"a\",\"action\":\"" ACTION "\"}")

/* Verdicts, steps and what is published, of a first and of a last attempt. */
static void
test_runs(void **state)
{
	static const struct {
		const char *json;
		const char *outer_before, *inner_before, *outer_after, *inner_after;
		bool is_last;
		enum herald_verdict verdict;
		const char *reason;
		uint32_t retry_after_ms;
		const char *trace, *published;
	} cases[] = {
		{DO("go"), NULL, NULL, NULL, NULL, false, HERALD_DONE, "", 0,
		 "b-out b-in f2 a-in-done a-out-done",
		 "out-before in-before function in-after-done out-after-done"},
		{DO("go"), NULL, NULL, NULL, NULL, true, HERALD_DONE, "", 0,
		 "b-out b-in f2 a-in-done a-out-done",
		 "out-before in-before function in-after-done out-after-done"},
		{DO("fail"), NULL, NULL, NULL, NULL, false, HERALD_FAIL, "it failed", 0,
		 "b-out b-in f2 a-in-fail a-out-fail", "in-after-fail out-after-fail"},
		{DO("retry"), NULL, NULL, NULL, NULL, false, HERALD_RETRY, "not yet", 0,
		 "b-out b-in f2 a-in-retry a-out-retry", ""},
		{DO("later"), NULL, NULL, NULL, NULL, false, HERALD_RETRY, "in a while", 70,
		 "b-out b-in f2 a-in-retry a-out-retry", ""},
		/* The last attempt: `after` is told that the event has failed. */
		{DO("retry"), NULL, NULL, NULL, NULL, true, HERALD_FAIL, "not yet", 0,
		 "b-out b-in f2 a-in-fail a-out-fail", "in-after-fail out-after-fail"},
		{DO("later"), NULL, NULL, NULL, NULL, true, HERALD_FAIL, "in a while", 0,
		 "b-out b-in f2 a-in-fail a-out-fail", "in-after-fail out-after-fail"},
		/* `before` refuses. */
		{DO("go"), NULL, "retry", NULL, NULL, false, HERALD_RETRY, "not yet", 0,
		 "b-out b-in a-out-retry r-out-retry", ""},
		{DO("go"), NULL, "retry", NULL, NULL, true, HERALD_FAIL, "not yet", 0,
		 "b-out b-in a-out-fail r-out-fail", "out-after-fail out-rejected-fail"},
		{DO("go"), "fail", NULL, NULL, NULL, false, HERALD_FAIL, "it failed", 0,
		 "b-out r-out-fail", "out-rejected-fail"},
		/* `after` refuses what was done: that was published for something else. */
		{DO("go"), NULL, NULL, NULL, "fail", false, HERALD_FAIL, "it failed", 0,
		 "b-out b-in f2 a-in-done a-out-fail", "out-after-fail"},
		{DO("go"), NULL, NULL, NULL, "retry", false, HERALD_RETRY, "not yet", 0,
		 "b-out b-in f2 a-in-done a-out-retry", ""},
		{DO("go"), NULL, NULL, NULL, "retry", true, HERALD_FAIL, "not yet", 0,
		 "b-out b-in f2 a-in-done a-out-fail", "out-after-fail"},
		{DO("go"), NULL, NULL, "retry", NULL, true, HERALD_FAIL, "not yet", 0,
		 "b-out b-in f2 a-in-done a-out-done", ""},
		/* After a failure, another one changes nothing. */
		{DO("fail"), NULL, NULL, "retry", "retry", false, HERALD_FAIL, "it failed", 0,
		 "b-out b-in f2 a-in-fail a-out-fail", "in-after-fail out-after-fail"},
		/* An old version is converted now. */
		{VERSIONED("order", "1", "{}"), NULL, NULL, NULL, NULL, false, HERALD_DONE, "", 0,
		 "upcast b-out b-in f2 a-in-done a-out-done",
		 "out-before in-before function in-after-done out-after-done"},
		{VERSIONED("order", "1", "{\"action\":\"retry\"}"), NULL, NULL, NULL, NULL, false,
		 HERALD_RETRY, "not yet", 0, "upcast r-out-retry", ""},
		{VERSIONED("order", "1", "{\"action\":\"retry\"}"), NULL, NULL, NULL, NULL, true,
		 HERALD_FAIL, "not yet", 0, "upcast r-out-fail", "out-rejected-fail"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture fixture = {
			.outer = {.before = cases[i].outer_before,
				  .after = cases[i].outer_after,
				  .publishes = true},
			.inner = {.before = cases[i].inner_before,
				  .after = cases[i].inner_after,
				  .publishes = true},
		};

		function_publishes = true;
		create_fixture(&fixture, &plain, cases[i].json);
		struct herald_result result =
			fake_inbox_run(&fixture.inbox, 0, 2, cases[i].is_last);
		check_verdict(&result, cases[i].verdict, cases[i].reason);
		assert_int_equal(result.acceptance, HERALD_ACCEPTANCE_NONE);
		assert_int_equal(result.retry_after_ms, cases[i].retry_after_ms);
		assert_string_equal(trace, cases[i].trace);
		assert_string_equal(fixture.inbox.published, cases[i].published);
		assert_int_equal(fixture.inbox.begins, 1);
		assert_false(fixture.inbox.joins);
		assert_false(fixture.inbox.holds_key);
		assert_int_equal(fixture.inbox.is_exhausted,
				 cases[i].is_last && cases[i].verdict == HERALD_FAIL);
		assert_int_equal(fixture.inbox.accepts, 1);
		destroy_fixture(&fixture);
	}
}

/* The store's transaction: begun before anything of the user's; if it cannot be, nothing runs. */
static void
test_joins(void **state)
{
	struct fixture fixture = {.outer.publishes = false};

	(void)state;
	function_publishes = false;
	create_fixture(&fixture, &joining, DO("go"));
	struct herald_result result = fake_inbox_run(&fixture.inbox, 0, 1, false);
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "b-out b-in f1-joined a-in-done a-out-done");
	assert_true(fixture.inbox.joins);
	assert_int_equal(fixture.inbox.begins, 1);
	assert_int_equal(fixture.inbox.ends, 1);
	assert_true(fixture.inbox.keeps_part);

	static const enum herald_status statuses[] = {HERALD_UNAVAILABLE, HERALD_LEASE_LOST,
						      HERALD_STORE_FAILED};
	for (size_t i = 0; i < 2 * COUNT(statuses); i++) {
		trace[0] = '\0';
		fixture.inbox.begin_status = statuses[i / 2];
		result = fake_inbox_run(&fixture.inbox, 0, 1, i % 2 == 1);
		assert_int_equal(result.verdict, HERALD_RETRY);
		assert_int_equal(result.status, statuses[i / 2]);
		assert_string_equal(result.error.message, "the fake store says no");
		assert_string_equal(trace, "");
		assert_int_equal(fixture.inbox.begins, 1);
	}
	/* The memory of a run is used for an event that arrives, which is not a run. */
	result = handle(fixture.service, DO("go"));
	check_accepted(&result, HERALD_ACCEPTANCE_DUPLICATE);
	assert_string_equal(trace, "receive");
	destroy_fixture(&fixture);
}

/* What the route says of its key is stored with the event: a crash may end the run before the
 * service says it. */
static void
test_row_knows_that_it_holds_its_key(void **state)
{
	static const enum herald_when_dead cases[] = {HERALD_WHEN_DEAD_RELEASE,
						      HERALD_WHEN_DEAD_HOLD};

	(void)state;
	function_publishes = false;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture fixture = {.outer.publishes = false};
		const struct herald_route route = {.key = "order_id", .when_dead = cases[i]};

		create_fixture(&fixture, &route, VERSIONED("order", "2", "{\"order_id\":\"a\"}"));
		assert_int_equal(fixture.inbox.stored[0].holds_key,
				 cases[i] == HERALD_WHEN_DEAD_HOLD);
		destroy_fixture(&fixture);
	}
}

/* `rejected` of an event that has no route any more: without a transaction. */
static void
test_no_longer_decodable(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
		bool holds_key;
	} cases[] = {
		{EVENT("mail", "{}"), HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET, true},
		{EVENT("order", "{}"), HERALD_MISSING, "/payload/order_id", 67, true},
		{"no JSON", HERALD_BAD_JSON, "", 0, true},
	};
	const struct herald_route holding = {.transaction = HERALD_TRANSACTION_JOIN,
					     .key = "order_id",
					     .when_dead = HERALD_WHEN_DEAD_HOLD};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture fixture = {.outer.publishes = true};

		/* Stored by another version of the program. */
		create_fixture(&fixture, &holding, VERSIONED("order", "2", "{\"order_id\":\"a\"}"));
		struct herald_result result = fake_inbox_run(&fixture.inbox, 0, 1, false);
		check_verdict(&result, HERALD_DONE, "");
		assert_true(fixture.inbox.joins);
		struct fake_stored *stored = &fixture.inbox.stored[0];
		free(stored->data);
		stored->data = strdup(cases[i].json);
		stored->data_bytes = strlen(cases[i].json);
		stored_json = cases[i].json;
		trace[0] = '\0';

		result = fake_inbox_run(&fixture.inbox, 0, 1, false);
		check_rejected(&result, cases[i].status, cases[i].path, cases[i].offset);
		assert_string_equal(trace, "r-out-fail");
		assert_string_equal(fixture.inbox.published, "out-rejected-fail");
		assert_int_equal(fixture.inbox.begins, 1);
		assert_false(fixture.inbox.joins);
		assert_int_equal(fixture.inbox.holds_key, cases[i].holds_key);
		destroy_fixture(&fixture);
	}
}

/* Handlers that make retries: the store waits, not the thread. */

struct scripted {
	struct herald_handler base;
	enum herald_again again;
	uint32_t delay_ms;
	unsigned attempt; /* what it was asked */
	uint32_t asked_ms;
};

static enum herald_again
scripted_again(struct herald_handler *handler, struct herald_context *ctx, unsigned attempt,
	       uint32_t *delay_ms)
{
	struct scripted *scripted = (struct scripted *)handler;

	scripted->attempt = attempt;
	scripted->asked_ms = *delay_ms;
	if (scripted->delay_ms > 0)
		*delay_ms = scripted->delay_ms;
	if (scripted->again == HERALD_AGAIN_FAIL)
		(void)herald_fail(ctx, "no more");
	return scripted->again;
}

static const struct herald_handler_ops scripted_ops = {
	.struct_size = sizeof(scripted_ops), .name = "scripted", .again = scripted_again};

static void
test_durable_retries(void **state)
{
	static const struct {
		const char *json;
		enum herald_again again;
		uint32_t delay_ms; /* 0: left as it was */
		bool is_last;
		enum herald_verdict verdict;
		const char *reason;
		uint32_t asked_ms, retry_after_ms;
	} cases[] = {
		{DO("retry"), HERALD_AGAIN_RUN, 3000, false, HERALD_RETRY, "not yet", 0, 3000},
		/* At once is not the store's default delay. */
		{DO("retry"), HERALD_AGAIN_RUN, 0, false, HERALD_RETRY, "not yet", 0, 1},
		{DO("later"), HERALD_AGAIN_RUN, 0, false, HERALD_RETRY, "in a while", 70, 70},
		{DO("later"), HERALD_AGAIN_STOP, 3000, false, HERALD_RETRY, "in a while", 70, 70},
		{DO("retry"), HERALD_AGAIN_STOP, 0, false, HERALD_RETRY, "not yet", 0, 0},
		{DO("retry"), HERALD_AGAIN_FAIL, 0, false, HERALD_FAIL, "no more", 0, 0},
		{DO("retry"), HERALD_AGAIN_RUN, 3000, true, HERALD_FAIL, "not yet", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;
		struct scripted scripted = {.base.ops = &scripted_ops,
					    .again = cases[i].again,
					    .delay_ms = cases[i].delay_ms};
		struct herald_handler *const handlers[] = {&scripted.base};
		const struct herald_route routes[] = {
			HERALD_ROUTE("order", order, on_order, NULL),
		};

		fake_inbox_init(&inbox);
		trace[0] = '\0';
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						.store = fake_inbox_store(&inbox)));
		struct herald_result result = handle(service, cases[i].json);
		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		result = fake_inbox_run(&inbox, 0, 4, cases[i].is_last);
		check_verdict(&result, cases[i].verdict, cases[i].reason);
		assert_int_equal(result.retry_after_ms, cases[i].retry_after_ms);
		assert_int_equal(scripted.attempt, 4);
		assert_int_equal(scripted.asked_ms, cases[i].asked_ms);
		assert_string_equal(trace, "f4"); /* once */
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* The retry and the deadline handler count from the beginning of the run, and the attempts of all
 * runs. */
static void
test_shipped_handlers(void **state)
{
	struct fake_inbox inbox;
	struct herald_handler *handlers[2];
	struct herald_error error;
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_stored, &inbox)};

	(void)state;
	fake_inbox_init(&inbox);
	assert_int_equal(
		herald_retry_handler_create(
			&HERALD_RETRY_OPTIONS(.attempts = 3, .backoff = HERALD_BACKOFF_NO_JITTER,
					      .first_delay_ms = 40, .factor = 2,
					      .max_delay_ms = 1000, .fail_at_last = true),
			&handlers[0], &error),
		HERALD_OK);
	assert_int_equal(
		herald_deadline_handler_create(&HERALD_DEADLINE_OPTIONS(.timeout_ms = 3600000),
					       &handlers[1], &error),
		HERALD_OK);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
					.store = fake_inbox_store(&inbox), .log = debug_log));
	struct herald_result result = handle(service, DO("retry"));
	check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
	logged[0] = '\0';
	result = fake_inbox_run(&inbox, 0, 1, false);
	check_verdict(&result, HERALD_RETRY, "not yet");
	assert_int_equal(result.retry_after_ms, 40);
	result = fake_inbox_run(&inbox, 0, 2, false);
	check_verdict(&result, HERALD_RETRY, "not yet");
	assert_int_equal(result.retry_after_ms, 80);
	result = fake_inbox_run(&inbox, 0, 3, false);
	check_verdict(&result, HERALD_FAIL, "not yet");
	assert_string_equal(logged, "warning: event retry requested event_type=order event_id=7 "
				    "verdict=retry reason=not yet took=some\n"
				    "warning: event retry requested event_type=order event_id=7 "
				    "verdict=retry reason=not yet attempts=2 took=some\n"
				    "error: event failed event_type=order event_id=7 verdict=fail "
				    "reason=not yet handler=retry attempts=3 took=some\n");

	struct herald_statistics counts;
	herald_service_statistics(service, &counts);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(counts.retry, 2);
	assert_int_equal(counts.fail, 1);
	assert_int_equal(counts.events, 3);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Age and deadline of a run, however long ago the event was accepted. */

static struct fake_clock fake;

static enum herald_verdict
on_age(struct herald_context *ctx, const struct order *order)
{
	(void)order;
	note("%u/%u", herald_context_age_ms(ctx), herald_context_remaining_ms(ctx));
	fake_clock_add_ms(&fake, 30);
	note("%u/%u", herald_context_age_ms(ctx), herald_context_remaining_ms(ctx));
	return herald_retry(ctx, "again");
}
HERALD_FUNCTION(on_age, order);

static void
test_deadline_counts_from_the_run(void **state)
{
	struct fake_inbox inbox;
	struct herald_handler *handlers[1];
	struct herald_error error;
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_age, NULL)};

	(void)state;
	fake_inbox_init(&inbox);
	assert_int_equal(herald_deadline_handler_create(&HERALD_DEADLINE_OPTIONS(.timeout_ms = 100),
							&handlers[0], &error),
			 HERALD_OK);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
					.store = fake_inbox_store(&inbox)));
	fake_clock_init(&fake, service);
	struct herald_result result = handle(service, DO("go"));
	check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
	for (unsigned attempt = 1; attempt <= 3; attempt++) {
		fake_clock_add_ms(&fake, 3600000);
		trace[0] = '\0';
		result = fake_inbox_run(&inbox, 0, attempt, false);
		check_verdict(&result, HERALD_RETRY, "again");
		assert_string_equal(trace, "0/100 30/70");
	}
	assert_int_equal(fake.sleeps_count, 0);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Attributes. */

static bool
note_attribute(const char *name, const char *value, void *state)
{
	unsigned *left = state;

	note("%s=%s", name, value);
	return --*left > 0;
}

static enum herald_verdict
on_attributes(struct herald_context *ctx, const struct order *order)
{
	unsigned all = 10, one = 1;
	const char *value = herald_context_attribute(ctx, "x-TEAM");

	(void)order;
	note("[%s] %s", value ? value : "none", herald_context_id(ctx));
	herald_context_attributes_visit(ctx, note_attribute, &all);
	herald_context_attributes_visit(ctx, note_attribute, &one);
	assert_null(herald_context_attribute(ctx, "x"));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_attributes, order);

/* They come from the store; one that was cut off is not read past its end. */
static void
test_attributes(void **state)
{
	static const char whole[] = "X-Team\0a\0X-Team\0b\0webhook-id\0w\0empty\0";
	static const struct {
		size_t bytes;
		const char *trace;
	} cases[] = {
		{0, "[none] "},
		{6, "[none] "},
		{8, "[none] "},
		{9, "[a]  X-Team=a X-Team=a"},
		{sizeof(whole) - 1, "[a] w X-Team=a X-Team=b webhook-id=w X-Team=a"},
		{sizeof(whole), "[a] w X-Team=a X-Team=b webhook-id=w empty= X-Team=a"},
	};
	static const char *const ids[] = {"webhook-id", NULL};
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_attributes, NULL)};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;

		fake_inbox_init(&inbox);
		trace[0] = '\0';
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox),
			.id_attributes = ids));
		struct herald_result result =
			handle(service, EVENT("order", "{\"order_id\":\"a\"}"));
		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		struct fake_stored *stored = &inbox.stored[0];
		free(stored->attributes);
		stored->attributes = malloc(cases[i].bytes ? cases[i].bytes : 1);
		memcpy(stored->attributes, whole, cases[i].bytes);
		stored->attributes_bytes = cases[i].bytes;
		result = fake_inbox_run(&inbox, 0, 1, false);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, cases[i].trace);
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* Publishing fails in the function's hands. */

static enum herald_verdict
on_publish(struct herald_context *ctx, const struct order *order)
{
	struct herald_error error = {0};
	enum herald_status status =
		herald_publish(ctx, &(struct herald_delivery){.url = order->order_id}, &error);

	note("%s %s", herald_status_name(status), error.path);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_publish, order);

/* An end of the part that fails changes the verdict: by the user's code for good, unless it is a
 * failure already; by the database to run again, whatever it was. */
#define NOT_ENDED "the fake store cannot end it"
static const struct {
	const char *json;
	bool is_last;
	enum herald_status status;
	enum herald_verdict verdict;
	const char *reason;
} ends[] = {
	{DO("go"), false, HERALD_BAD_VALUE, HERALD_FAIL, NOT_ENDED},
	{DO("retry"), false, HERALD_BAD_VALUE, HERALD_FAIL, NOT_ENDED},
	{DO("retry"), true, HERALD_BAD_VALUE, HERALD_FAIL, "not yet"},
	{DO("fail"), false, HERALD_BAD_VALUE, HERALD_FAIL, "it failed"},
	{VERSIONED("order", "1", "{\"action\":\"retry\"}"), false, HERALD_BAD_VALUE, HERALD_FAIL,
	 NOT_ENDED},
	{DO("go"), false, HERALD_STORE_FAILED, HERALD_RETRY, NOT_ENDED},
	{DO("go"), true, HERALD_STORE_FAILED, HERALD_RETRY, NOT_ENDED},
	{DO("retry"), false, HERALD_UNAVAILABLE, HERALD_RETRY, NOT_ENDED},
	{DO("retry"), true, HERALD_UNAVAILABLE, HERALD_RETRY, NOT_ENDED},
	{DO("fail"), false, HERALD_UNAVAILABLE, HERALD_RETRY, NOT_ENDED},
	{VERSIONED("order", "1", "{\"action\":\"fail\"}"), false, HERALD_UNAVAILABLE, HERALD_RETRY,
	 NOT_ENDED},
};

static void
test_ends_of_parts_that_fail(void **state)
{
	(void)state;
	function_publishes = true;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct fixture fixture = {.outer.publishes = false};

		create_fixture(&fixture, &joining, ends[i].json);
		fixture.inbox.end_status = ends[i].status;
		struct herald_result result = fake_inbox_run(&fixture.inbox, 0, 1, ends[i].is_last);
		check_verdict(&result, ends[i].verdict, ends[i].reason);
		assert_int_equal(fixture.inbox.ends, 1);
		assert_string_equal(fixture.inbox.published, "");
		if (ends[i].verdict == HERALD_RETRY)
			assert_false(fixture.inbox.is_exhausted);
		destroy_fixture(&fixture);
	}
}

static void
test_publishing_fails(void **state)
{
	struct fake_inbox inbox;
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_publish, NULL)};

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox)));
	(void)handle(service, DO("go"));
	inbox.publish_status = HERALD_BAD_VALUE;
	(void)fake_inbox_run(&inbox, 0, 1, false);
	assert_string_equal(trace, "HERALD_BAD_VALUE ");
	herald_service_destroy(service);

	trace[0] = '\0';
	service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	(void)handle(service, DO("go"));
	assert_string_equal(trace, "HERALD_BAD_OPTION store");
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Whatever allocation fails, the run ends as done, or as one to be repeated. */
static void
test_memory(void **state)
{
	(void)state;
	function_publishes = false;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct fake_inbox inbox;
		const struct herald_route routes[] = {
			HERALD_ROUTE("order", order, on_stored, &inbox,
				     .transaction = HERALD_TRANSACTION_JOIN),
		};

		fake_inbox_init(&inbox);
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .allocator = memory.allocator,
			.store = fake_inbox_store(&inbox)));
		struct herald_result result = handle(service, DO("go"));
		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		/* Another service runs it, without memory of an earlier event. */
		herald_service_destroy(service);
		service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .allocator = memory.allocator,
			.store = fake_inbox_store(&inbox)));
		inbox.stored[0].service = service;
		trace[0] = '\0';
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		result = fake_inbox_run(&inbox, 0, 1, true);
		if (memory.failures > 0 && result.verdict != HERALD_DONE) {
			assert_int_equal(result.verdict, HERALD_RETRY);
			assert_int_equal(result.status, HERALD_NO_MEMORY);
			assert_string_equal(trace, "");
		} else {
			check_verdict(&result, HERALD_DONE, "");
			assert_string_equal(trace, "f1-joined");
		}
		size_t failures = memory.failures;
		herald_service_destroy(service);
		assert_all_released(&memory);
		fake_inbox_finish(&inbox);
		if (failures == 0)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_runs, events_setup),
		cmocka_unit_test_setup(test_joins, events_setup),
		cmocka_unit_test_setup(test_ends_of_parts_that_fail, events_setup),
		cmocka_unit_test_setup(test_no_longer_decodable, events_setup),
		cmocka_unit_test_setup(test_row_knows_that_it_holds_its_key, events_setup),
		cmocka_unit_test_setup(test_durable_retries, events_setup),
		cmocka_unit_test_setup(test_shipped_handlers, events_setup),
		cmocka_unit_test_setup(test_deadline_counts_from_the_run, events_setup),
		cmocka_unit_test_setup(test_attributes, events_setup),
		cmocka_unit_test_setup(test_publishing_fails, events_setup),
		cmocka_unit_test_setup(test_memory, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
