/*
 * Signers of deliveries: which one signs, that each attempt is signed anew, also after a restart
 * from a store, and what a signer can do wrong. The transport has no network.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/database.h>
#include <herald/adapter/signer.h>
#include <herald/callback.h>
#include <herald/service.h>
#include <herald/store.h>

#include "delivery/deliverer.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"
#include "support/outbox_process.h"
#include "support/stored_queue.h"

#define URL "http://a.example/200"
#define ONCE                                                                                       \
	{                                                                                          \
		.result = {.http_status = 200 }                                                    \
	}
#define AGAIN                                                                                      \
	{                                                                                          \
		.result = {.http_status = 503 }                                                    \
	}

/* A signer that says what it was called with: X-Sign: NAME ID ATTEMPT BODY. */
struct test_signer {
	struct herald_signer base;
	const char *name;
	enum herald_status status;
	unsigned recovers_after; /* so many calls have this status; 0: all */
	const char *extra_name, *extra_value;
	unsigned extra_count;
	atomic_uint calls;
	int64_t times_ms[8];
	struct herald_deliverer *forgetting; /* which then knows no signer any more */
};

static enum herald_status
test_sign(struct herald_signer *base, const struct herald_signer_request *request,
	  herald_signer_sink *sink, void *state, struct herald_error *error)
{
	struct test_signer *signer = (struct test_signer *)base;
	char value[512];

	const bool has_recovered =
		signer->recovers_after > 0 && signer->calls >= signer->recovers_after;
	const enum herald_status status = has_recovered ? HERALD_OK : signer->status;

	signer->times_ms[signer->calls % 8] = request->time_ms;
	signer->calls++;
	if (status != HERALD_OK)
		return herald_error_set(error, status, HERALD_NO_OFFSET, "no ink");
	snprintf(value, sizeof(value), "%s %s %u %.*s", signer->name, request->delivery->id,
		 request->attempt, (int)request->body_bytes,
		 request->body ? (const char *)request->body : "");
	sink("X-Sign", value, state);
	if (signer->forgetting)
		signer->forgetting->signers.count = 0;
	for (unsigned i = 0; i < signer->extra_count; i++)
		sink(signer->extra_name, signer->extra_value, state);
	return HERALD_OK;
}

static const struct herald_signer_ops test_ops = {.name = "test", .sign = test_sign};

static struct test_signer
signer_of(const char *name)
{
	return (struct test_signer){.base.ops = &test_ops, .name = name};
}

/* The system's clock, which skips what a deliverer would wait with nothing under way, such as the
 * second after it had no memory. */
static uint64_t random_state;
static atomic_uint_fast64_t skipped_ms;

static uint64_t
skipping_now_ms(void *state)
{
	const struct herald__delivery_clock *clock = state;

	return herald__clock_now_ms(clock) + skipped_ms;
}

static int64_t
skipping_wall_ms(void *state)
{
	const struct herald__delivery_clock *clock = state;

	return herald__clock_wall_ms(clock) + (int64_t)skipped_ms;
}

static uint64_t
system_random(void *state)
{
	const struct herald__delivery_clock *clock = state;

	return clock->random(clock->state);
}

static void
skip_to(uint64_t due_ms, size_t in_flight, void *state)
{
	const uint64_t now_ms = skipping_now_ms(state);

	if (in_flight == 0 && due_ms != UINT64_MAX && due_ms > now_ms)
		skipped_ms += due_ms - now_ms;
}

/* A deliverer without a store, on a transport without a network. */
struct fixture {
	struct fake_transport transport;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
};

static enum herald_status
try_to_start(struct fixture *fixture, const struct fake_step *steps, size_t count,
	     struct herald_deliverer_options options, struct herald_error *error)
{
	static struct herald__delivery_clock system;
	const struct herald__delivery_clock clock = {.now_ms = skipping_now_ms,
						     .wall_ms = skipping_wall_ms,
						     .random = system_random,
						     .idle = skip_to,
						     .state = &system};

	system = herald__system_clock(&random_state);
	recorder_init(&fixture->recorder);
	fake_transport_init(&fixture->transport, steps, count);
	options.struct_size = sizeof(options);
	options.transport = &fixture->transport.base;
	options.first_delay_ms = 1;
	options.max_delay_ms = 1;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	return herald__deliverer_create(&options, &clock, &fixture->deliverer, error);
}

static void
start(struct fixture *fixture, const struct fake_step *steps, size_t count,
      struct herald_deliverer_options options)
{
	struct herald_error error;

	if (try_to_start(fixture, steps, count, options, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
stop(struct fixture *fixture)
{
	herald_deliverer_stop(fixture->deliverer, 0);
	herald_deliverer_destroy(fixture->deliverer);
	recorder_finish(&fixture->recorder);
}

static void
submit(struct fixture *fixture, const struct herald_delivery *delivery)
{
	struct herald_error error;

	if (herald_deliverer_submit(fixture->deliverer, delivery, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
assert_request_has(const struct fixture *fixture, size_t index, const char *part)
{
	assert_has(fixture->transport.requests[index], part);
}

/* Which signer. */

static void
the_nearest_signer_signs(void **state)
{
	static const struct fake_step steps[] = {ONCE, ONCE, ONCE, ONCE};
	static const struct {
		const char *url, *signer, *signed_by;
	} cases[] = {
		{URL, NULL, "\r\nX-Sign: all i 1 \r\n"},
		{"http://b.example/200", NULL, "\r\nX-Sign: b i 1 \r\n"},
		{"http://b.example/200", "acme", "\r\nX-Sign: acme i 1 \r\n"},
		{URL, "other", "\r\nX-Sign: other i 1 \r\n"},
	};
	struct test_signer all = signer_of("all"), b = signer_of("b"), acme = signer_of("acme");
	struct test_signer other = signer_of("other");
	const struct herald_destination destinations[] = {
		{.origin = "http://b.example", .signer = &b.base},
	};
	const struct herald_named_signer signers[] = {{"other", &other.base}, {"acme", &acme.base}};
	static struct fixture fixture;

	(void)state;
	start(&fixture, steps, HERALD_COUNT(steps),
	      HERALD_DELIVERER_OPTIONS(.signer = &all.base, HERALD_DESTINATIONS(destinations),
				       HERALD_SIGNERS(signers)));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		submit(&fixture, &(struct herald_delivery){.url = cases[i].url,
							   .id = "i",
							   .signer = cases[i].signer});
		recorder_wait(&fixture.recorder, i + 1);
	}
	stop(&fixture);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++)
		assert_request_has(&fixture, i, cases[i].signed_by);
	assert_int_equal(all.calls + b.calls + acme.calls + other.calls, 4);
}

/* The body that is signed is the one that is sent. */
static void
each_attempt_is_signed_anew(void **state)
{
	static const struct fake_step steps[] = {AGAIN, AGAIN, ONCE};
	static const char *const headers[] = {"x-sign: forged", "X-Own: 1"};
	static const char *const all_headers[] = {"X-SIGN: old", "X-All: 2"};
	struct test_signer signer = signer_of("all");
	static struct fixture fixture;
	char expected[64];

	(void)state;
	start(&fixture, steps, HERALD_COUNT(steps),
	      HERALD_DELIVERER_OPTIONS(.signer = &signer.base, .method = HERALD_DELIVERY_POST,
				       .headers = all_headers, .headers_count = 2));
	submit(&fixture,
	       &(struct herald_delivery){
		       .url = URL, .id = "i", HERALD_BODY("<a/>", 4), HERALD_HEADERS(headers)});
	recorder_wait(&fixture.recorder, 1);
	stop(&fixture);
	assert_int_equal(signer.calls, 3);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(expected, sizeof(expected),
			 "\r\nX-Sign: all i %u <a/>\r\nX-Own: 1\r\nX-All: 2\r\n\r\n<a/>", i + 1);
		assert_request_has(&fixture, i, expected);
		assert_has(fixture.transport.requests[i], "Herald-Delivery-Id: i");
		assert_null(strstr(fixture.transport.requests[i], "forged"));
		assert_true(i == 0 || signer.times_ms[i] >= signer.times_ms[i - 1]);
	}
	assert_true(signer.times_ms[0] > INT64_C(1700000000000));
}

static void
heralds_own_body_is_signed(void **state)
{
	static const struct fake_step steps[] = {ONCE};
	struct test_signer signer = signer_of("all");
	static struct fixture fixture;

	(void)state;
	start(&fixture, steps, 1,
	      HERALD_DELIVERER_OPTIONS(.signer = &signer.base, .method = HERALD_DELIVERY_POST));
	submit(&fixture, &(struct herald_delivery){.url = URL, .id = "i", .result = "fail"});
	recorder_wait(&fixture.recorder, 1);
	stop(&fixture);
	assert_request_has(&fixture, 0,
			   "X-Sign: all i 1 {\"delivery_id\":\"i\",\"attempt\":1,"
			   "\"result\":\"fail\"}\r\n\r\n{\"delivery_id\":\"i\",\"attempt\":1,"
			   "\"result\":\"fail\"}");
}

/* What a signer does wrong. */

static void
signers_that_fail(void **state)
{
	static const struct {
		struct test_signer signer;
		const char *error;
	} cases[] = {
		{{.status = HERALD_BAD_VALUE}, "no ink"},
		{{.extra_name = "X-A", .extra_value = "a\r\nX-Evil: 1", .extra_count = 1},
		 "a header of the signer test has a control character in its value"},
		{{.extra_name = "X A", .extra_value = "a", .extra_count = 1},
		 "a header of the signer test must begin with a name"},
		{{.extra_name = "Herald-Id", .extra_value = "a", .extra_count = 1},
		 "a header of the signer test has the reserved prefix Herald-"},
		{{.extra_name = "Host", .extra_value = "a", .extra_count = 1},
		 "a header of the signer test is controlled by the connection"},
		{{.extra_name = "X-A", .extra_value = "a", .extra_count = 8},
		 "a header of the signer test has more headers than are allowed"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct test_signer signer = cases[i].signer;
		static struct fixture fixture;

		signer.base.ops = &test_ops;
		signer.name = "all";
		start(&fixture, NULL, 0, HERALD_DELIVERER_OPTIONS(.signer = &signer.base));
		submit(&fixture, &(struct herald_delivery){.url = URL});
		recorder_wait(&fixture.recorder, 1);
		assert_all_settled(fixture.deliverer);
		stop(&fixture);
		const struct recorded_report *report = &fixture.recorder.outcome_reports[0];
		assert_int_equal(report->outcome, HERALD_DELIVERY_FAILED);
		assert_int_equal(report->failure, HERALD_DELIVERY_REFUSED);
		assert_int_equal(report->attempt, 0);
		assert_has(report->error, cases[i].error);
		assert_int_equal(fixture.transport.begins, 0);
	}
}

/* Counts the attempts that a queue without leases refuses. */
static atomic_uint refused_begins;

/* The herald_delivery_queue_ops.begin callback. */
static bool
begin_without_lease(struct herald_delivery_queue *queue, struct herald_delivery_record *record)
{
	(void)queue;
	(void)record;
	refused_begins++;
	return false;
}

/* Another process may deliver it meanwhile, so this one must not report a failure. */
static void
a_signer_that_fails_without_a_lease(void **state)
{
	struct test_signer signer = signer_of("all");
	struct stored_queue_store *store = stored_queue_store_create();
	struct herald_delivery_queue *queue = stored_queue_create(store);
	static struct herald_delivery_queue_ops ops;
	static struct fixture fixture;

	(void)state;
	ops = *queue->ops;
	ops.begin = begin_without_lease;
	queue->ops = &ops;
	refused_begins = 0;
	signer.status = HERALD_BAD_VALUE;
	start(&fixture, NULL, 0, HERALD_DELIVERER_OPTIONS(.signer = &signer.base, .queue = queue));
	submit(&fixture, &(struct herald_delivery){.url = URL});
	while (signer.calls == 0)
		sched_yield();
	stop(&fixture);
	assert_int_equal(atomic_load(&refused_begins), atomic_load(&signer.calls));
	assert_int_equal(fixture.recorder.outcomes, 0);
	assert_int_equal(fixture.transport.begins, 0);
	assert_int_equal(stored_queue_count(store), 1);
	stored_queue_store_destroy(store);
}

/* However it comes about: what is to be signed is not sent without a signature. */
static void
an_unknown_signer_sends_nothing(void **state)
{
	static const struct fake_step steps[] = {AGAIN, ONCE};
	struct test_signer acme = signer_of("acme"), all = signer_of("all");
	const struct herald_named_signer signers[] = {{"acme", &acme.base}};
	static struct fixture fixture;

	(void)state;
	start(&fixture, steps, HERALD_COUNT(steps),
	      HERALD_DELIVERER_OPTIONS(.signer = &all.base, HERALD_SIGNERS(signers)));
	acme.forgetting = fixture.deliverer;
	submit(&fixture, &(struct herald_delivery){.url = URL, .signer = "acme"});
	recorder_wait(&fixture.recorder, 1);
	assert_all_settled(fixture.deliverer);
	stop(&fixture);
	const struct recorded_report *report = &fixture.recorder.outcome_reports[0];
	assert_int_equal(report->failure, HERALD_DELIVERY_REFUSED);
	assert_string_equal(report->error, "the deliverer has no signer \"acme\"");
	assert_int_equal(fixture.transport.begins, 1);
	assert_int_equal(all.calls, 0);
}

/* The attempt is made later, and does not count. */
static void
a_signer_without_memory(void **state)
{
	static const struct fake_step steps[] = {ONCE};
	struct test_signer signer = signer_of("all");
	static struct fixture fixture;

	(void)state;
	signer.status = HERALD_NO_MEMORY;
	signer.recovers_after = 1;
	start(&fixture, steps, 1, HERALD_DELIVERER_OPTIONS(.signer = &signer.base, .attempts = 1));
	submit(&fixture, &(struct herald_delivery){.url = URL, .id = "i"});
	recorder_wait(&fixture.recorder, 1);
	assert_int_equal(signer.calls, 2);
	assert_int_equal(fixture.recorder.outcome_reports[0].outcome, HERALD_DELIVERY_DELIVERED);
	assert_int_equal(fixture.recorder.outcome_reports[0].attempt, 1);
	stop(&fixture);
}

static void
every_allocation_fails(void **state)
{
	static const struct fake_step steps[] = {ONCE};
	struct test_signer signer = signer_of("all");
	const struct herald_named_signer signers[] = {{"acme", &signer.base}};

	(void)state;
	for (size_t n = 1;; n++) {
		static struct fixture fixture;
		struct failing_allocator memory;
		struct herald_error error;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = try_to_start(
			&fixture, steps, 1,
			HERALD_DELIVERER_OPTIONS(HERALD_SIGNERS(signers), .attempts = 1,
						 .allocator = memory.allocator),
			&error);
		if (status == HERALD_OK) {
			status = herald_deliverer_submit(
				fixture.deliverer,
				&(struct herald_delivery){.url = URL, .signer = "acme"}, &error);
			if (status == HERALD_OK)
				recorder_wait(&fixture.recorder, 1);
			stop(&fixture);
			if (status == HERALD_OK)
				assert_request_has(&fixture, 0, "X-Sign: all ");
		}
		if (status != HERALD_OK)
			assert_int_equal(status, HERALD_NO_MEMORY);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

/* Options and names. */

static void
options_are_checked(void **state)
{
	struct test_signer signer = signer_of("a");
	const struct {
		struct herald_named_signer signers[2];
		const char *path, *message;
	} cases[] = {
		{{{"a", &signer.base}, {NULL, &signer.base}}, "signers[1]", "must have a name of"},
		{{{"a", &signer.base}, {"", &signer.base}}, "signers[1]", "must have a name of"},
		{{{"a b", &signer.base}, {"b", &signer.base}}, "signers[0]", "must have a name of"},
		{{{"a%", &signer.base}, {"b", &signer.base}}, "signers[0]", "must have a name of"},
		{{{"a", &signer.base}, {"b", NULL}}, "signers[1]", "has no signer"},
		{{{"a", &signer.base}, {"a", &signer.base}},
		 "signers",
		 "have the name \"a\" twice"},
		{{{"a", &signer.base},
		  {"1234567890123456789012345678901234567890123456789012345678901234",
		   &signer.base}},
		 "signers[1]",
		 "must have a name of 1 to 63 visible ASCII characters, but not %"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		static struct fixture fixture;
		struct herald_error error;

		assert_int_equal(
			try_to_start(&fixture, NULL, 0,
				     HERALD_DELIVERER_OPTIONS(HERALD_SIGNERS(cases[i].signers)),
				     &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		assert_has(error.message, cases[i].message);
		recorder_finish(&fixture.recorder);
	}
}

static void
unknown_names_are_refused(void **state)
{
	static const struct {
		const char *signer;
		enum herald_status status;
		const char *message;
	} cases[] = {
		{"b", HERALD_BAD_VALUE, "is \"b\", which is not one of the deliverer's signers"},
		{"A", HERALD_BAD_VALUE, "is \"A\", which is not one of the deliverer's signers"},
		{"a ", HERALD_BAD_VALUE, "may hold visible ASCII characters, but not %"},
		{"1234567890123456789012345678901234567890123456789012345678901234",
		 HERALD_BAD_LENGTH, "has more than 63 bytes"},
	};
	struct test_signer signer = signer_of("a");
	const struct herald_named_signer signers[] = {{"a", &signer.base}};
	static struct fixture fixture;
	struct herald_handler *handler = NULL;
	struct herald_error error;

	(void)state;
	start(&fixture, NULL, 0, HERALD_DELIVERER_OPTIONS(HERALD_SIGNERS(signers)));
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const struct herald_delivery delivery = {.url = URL, .signer = cases[i].signer};

		assert_int_equal(herald_deliverer_submit(fixture.deliverer, &delivery, &error),
				 cases[i].status);
		assert_string_equal(error.path, "signer");
		assert_has(error.message, cases[i].message);
		assert_int_equal(herald_callback_handler_create(
					 fixture.deliverer,
					 &HERALD_CALLBACK_OPTIONS(.signer = cases[i].signer),
					 &handler, &error),
				 HERALD_BAD_OPTION);
		assert_option_error(&error, "signer", "is not one of the deliverer's signers");
		assert_null(handler);
	}
	stop(&fixture);
}

/* Callbacks. */

struct job {
	const char *name;
};
HERALD_SCHEMA(job, HERALD_FIELD(job, name, .required = true));

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job)
{
	(void)ctx;
	(void)job;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job);

static void
callbacks_are_signed(void **state)
{
	static const struct fake_step steps[] = {ONCE, ONCE};
	struct test_signer all = signer_of("all"), acme = signer_of("acme");
	const struct herald_named_signer signers[] = {{"acme", &acme.base}};
	const struct herald_route routes[] = {HERALD_ROUTE("job", job, on_job, NULL)};
	static const char *const names[] = {NULL, "acme"};
	static struct fixture fixture;

	(void)state;
	start(&fixture, steps, 2,
	      HERALD_DELIVERER_OPTIONS(.signer = &all.base, HERALD_SIGNERS(signers)));
	for (size_t i = 0; i < 2; i++) {
		char event[] =
			"{\"event_type\":\"job\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			"\"payload\":{\"name\":\"a\"},\"callback\":{\"success_url\":\"" URL "\"}}";
		struct herald_handler *handlers[1];
		struct herald_service *service = NULL;
		struct herald_result result;

		assert_int_equal(
			herald_callback_handler_create(fixture.deliverer,
						       &HERALD_CALLBACK_OPTIONS(.signer = names[i]),
						       &handlers[0], NULL),
			HERALD_OK);
		assert_int_equal(herald_service_create(
					 &HERALD_SERVICE_OPTIONS(
						 HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
						 .envelope = &herald_callback_message_schema),
					 &service, NULL),
				 HERALD_OK);
		herald_service_handle(service, event, strlen(event), &result);
		assert_int_equal(result.verdict, HERALD_DONE);
		recorder_wait(&fixture.recorder, i + 1);
		herald_service_destroy(service);
	}
	stop(&fixture);
	assert_request_has(&fixture, 0, "\r\nX-Sign: all ");
	assert_request_has(&fixture, 1, "\r\nX-Sign: acme ");
}

/* Stores. */

static void
publish(struct outbox_process *process, const struct herald_delivery *delivery)
{
	const struct herald_database_ops *ops = process->database->ops;
	struct herald_session *session;

	assert_int_equal(ops->session_open(process->database, HERALD_SESSION_ADMIN, &session, NULL),
			 HERALD_OK);
	assert_int_equal(ops->begin(session, NULL), HERALD_OK);
	assert_int_equal(herald_store_publish_in(process->store, session, delivery, NULL),
			 HERALD_OK);
	assert_int_equal(ops->commit(session, NULL), HERALD_OK);
	ops->session_close(session);
	herald_store_wake(process->store);
}

/* What was stored by a process is signed by the next one, by name or by default. */
static void
stored_deliveries_are_signed_after_a_restart(void **state)
{
	static const struct fake_step steps[] = {AGAIN};
	struct model *model = model_create(&(struct model_options){.secret = 1});
	struct test_signer all = signer_of("all"), acme = signer_of("acme");
	const struct herald_named_signer signers[] = {{"acme", &acme.base}};
	static struct outbox_process process;

	(void)state;
	process.steps = steps;
	process.steps_count = 1;
	outbox_process_begin(&process, model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(HERALD_SIGNERS(signers), .attempts = 9,
						      .first_delay_ms = 1, .max_delay_ms = 1));
	publish(&process, &(struct herald_delivery){
				  .url = URL, .id = "one", .signer = "acme", HERALD_BODY("{}", 2)});
	recorder_wait_attempts(&process.recorder, 1);
	outbox_process_end(&process);
	assert_has(process.transport.requests[0], "\r\nX-Sign: acme one 1 {}\r\n");

	process.steps = NULL;
	outbox_process_begin(&process, model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(HERALD_SIGNERS(signers), .signer = &all.base,
						      .attempts = 9));
	recorder_wait(&process.recorder, 1);
	publish(&process, &(struct herald_delivery){.url = URL, .id = "two"});
	recorder_wait(&process.recorder, 2);
	outbox_process_end(&process);
	assert_has(process.transport.requests[0], "\r\nX-Sign: acme one ");
	assert_has(process.transport.requests[process.transport.begins - 1],
		   "\r\nX-Sign: all two 1 \r\n");
	assert_int_equal(process.recorder.delivered, 2);
	model_destroy(model);
}

/* Nothing is sent without the signature that it was published for. */
static void
stored_deliveries_without_their_signer_are_dead(void **state)
{
	struct model *model = model_create(&(struct model_options){.secret = 1});
	struct test_signer all = signer_of("all");
	static struct outbox_process process;

	(void)state;
	process.steps = NULL;
	outbox_process_begin(&process, model, HERALD_STORE_OPTIONS(.workers = 1),
			     HERALD_DELIVERER_OPTIONS(.signer = &all.base));
	publish(&process, &(struct herald_delivery){.url = URL, .id = "one", .signer = "acme"});
	recorder_wait(&process.recorder, 1);
	outbox_await_none(process.store);
	assert_has(outbox_dead(process.store),
		   "it is not allowed any more: signer: is \"acme\", which is not one of "
		   "the deliverer's signers");
	outbox_process_end(&process);
	assert_int_equal(process.transport.begins, 0);
	model_destroy(model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_signer_signs),
		cmocka_unit_test(each_attempt_is_signed_anew),
		cmocka_unit_test(heralds_own_body_is_signed),
		cmocka_unit_test(signers_that_fail),
		cmocka_unit_test(a_signer_that_fails_without_a_lease),
		cmocka_unit_test(an_unknown_signer_sends_nothing),
		cmocka_unit_test(a_signer_without_memory),
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(unknown_names_are_refused),
		cmocka_unit_test(callbacks_are_signed),
		cmocka_unit_test(stored_deliveries_are_signed_after_a_restart),
		cmocka_unit_test(stored_deliveries_without_their_signer_are_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
