/*
 * herald/callback.h in a service: which URL is called for each verdict, what prevents the handling
 * of an event, and that no reservation is lost.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/callback.h>
#include <herald/herald.h>

#include "support/delivering.h"
#include "support/failing_allocator.h"
#include "support/misbehaving_server.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct job {
	const char *verdict;
};

HERALD_SCHEMA(job, HERALD_FIELD(job, verdict, .required = true));

/* A user's envelope. */
struct tenant_message {
	struct herald_message message;
	const char *tenant;
	const struct herald_callback_urls *callback;
};

HERALD_SCHEMA(tenant_message, HERALD_MESSAGE_FIELDS(tenant_message, message),
	      HERALD_FIELD(tenant_message, tenant),
	      HERALD_POINTER(tenant_message, callback, herald_callback_urls));

/* The URLs are in a case: for the other tag, their memory is a number. */
struct tagged_message {
	struct herald_message message;
	const char *kind;
	union {
		const struct herald_callback_urls *callback;
		int64_t number;
	} value;
};

HERALD_SCHEMA(tagged_message, HERALD_MESSAGE_FIELDS(tagged_message, message),
	      HERALD_FIELD(tagged_message, kind, .required = true),
	      HERALD_VARIANT(tagged_message, value, kind,
			     HERALD_CASE("called", callback, herald_callback_urls),
			     HERALD_CASE_FIELD("numbered", number)));

struct fixture {
	struct misbehaving_server server;
	struct recorder recorder;
	struct herald_deliverer *deliverer;
	struct herald_service *service;
	atomic_size_t runs;        /* of the business function */
	enum herald_verdict inner; /* of another handler's before */
};

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job, struct fixture *fixture)
{
	atomic_fetch_add(&fixture->runs, 1);
	if (strcmp(job->verdict, "retry") == 0)
		return herald_retry(ctx, "not now");
	if (strcmp(job->verdict, "fail") == 0)
		return herald_fail(ctx, "the %s is broken", "machine");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job, fixture);

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	misbehaving_server_init(&fixture->server, "127.0.0.1");
	misbehaving_server_start(&fixture->server);
	recorder_init(&fixture->recorder);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_service_destroy(fixture->service);
	herald_deliverer_destroy(fixture->deliverer);
	misbehaving_server_stop(&fixture->server);
	recorder_finish(&fixture->recorder);
	free(fixture);
	return 0;
}

/* A handler after the callback handler; its `before` does what the fixture says. */

struct inner_handler {
	struct herald_handler base;
	struct fixture *fixture;
};

static enum herald_verdict
inner_before(struct herald_handler *base, struct herald_context *ctx)
{
	enum herald_verdict verdict = ((struct inner_handler *)base)->fixture->inner;

	return verdict == HERALD_FAIL ? herald_fail(ctx, "not allowed") : verdict;
}

static const struct herald_handler_ops inner_ops = {
	.struct_size = sizeof(inner_ops),
	.name = "inner",
	.before = inner_before,
};

static struct inner_handler inner_handler = {.base.ops = &inner_ops};

static void
start(struct fixture *fixture, struct herald_deliverer_options deliverer_options,
      const struct herald_schema *envelope, const struct herald_callback_options *options)
{
	struct herald_handler *handlers[2] = {NULL, &inner_handler.base};
	const struct herald_route routes[] = {HERALD_ROUTE("job", job, on_job, fixture)};
	struct herald_error error;

	inner_handler.fixture = fixture;
	deliverer_options.addresses = HERALD_ADDRESSES_ANY;
	deliverer_options.on_outcome = record_outcome;
	deliverer_options.state = &fixture->recorder;
	assert_int_equal(create_over_curl(&deliverer_options, &fixture->deliverer, NULL),
			 HERALD_OK);
	assert_int_equal(
		herald_callback_handler_create(fixture->deliverer, options, &handlers[0], &error),
		HERALD_OK);
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
							  HERALD_HANDLERS(handlers),
							  .envelope = envelope),
				  &fixture->service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
start_as_usual(struct fixture *fixture)
{
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), &herald_callback_message_schema,
	      NULL);
}

/* `more` follows the event's members: ",\"callback\":..."; PORT in it is replaced by the server's
 * port. */
static struct herald_result
handle(struct fixture *fixture, const char *verdict, const char *more)
{
	struct herald_result result;
	char event[2048], text[1024], *out = text;

	while (*more) {
		if (strncmp(more, "PORT", 4) == 0) {
			out += sprintf(out, "%u", fixture->server.port);
			more += 4;
		} else {
			*out++ = *more++;
		}
	}
	*out = '\0';
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"job\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"verdict\":\"%s\"},\"metadata\":{\"id\":\"evt-7\"}%s}",
			     verdict, text);
	herald_service_handle(fixture->service, event, (size_t)bytes, &result);
	return result;
}

#define BOTH                                                                                       \
	",\"callback\":{\"success_url\":\"http://127.0.0.1:PORT/200?success\","                    \
	"\"fail_url\":\"http://127.0.0.1:PORT/200?fail\"}"
#define SUCCESS_ONLY ",\"callback\":{\"success_url\":\"http://127.0.0.1:PORT/200?success\"}"
#define FAIL_ONLY_URL                                                                              \
	",\"callback\":{\"success_url\":\"\",\"fail_url\":\"http://127.0.0.1:PORT/200?fail\"}"

static void
test_who_is_called(void **state)
{
	static const struct {
		const char *verdict, *more;
		enum herald_verdict expected;
		const char *path; /* NULL: nobody */
	} rows[] = {
		{"done", BOTH, HERALD_DONE, "/200?success"},
		{"fail", BOTH, HERALD_FAIL, "/200?fail"},
		{"retry", BOTH, HERALD_RETRY, NULL},
		{"done", SUCCESS_ONLY, HERALD_DONE, "/200?success"},
		{"fail", SUCCESS_ONLY, HERALD_FAIL, NULL},
		{"done", FAIL_ONLY_URL, HERALD_DONE, NULL},
		{"fail", FAIL_ONLY_URL, HERALD_FAIL, "/200?fail"},
		{"done", "", HERALD_DONE, NULL},
		{"fail", "", HERALD_FAIL, NULL},
		{"done", ",\"callback\":null", HERALD_DONE, NULL},
		{"done", ",\"callback\":{}", HERALD_DONE, NULL},
		{"done", ",\"callback\":{\"success_url\":null,\"fail_url\":\"\"}", HERALD_DONE,
		 NULL},
	};
	struct fixture *fixture = *state;
	size_t called = 0;

	start_as_usual(fixture);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_delivery_statistics counts;
		struct herald_result result = handle(fixture, rows[i].verdict, rows[i].more);

		assert_int_equal(result.verdict, rows[i].expected);
		herald_deliverer_statistics(fixture->deliverer, &counts);
		assert_int_equal(counts.reserved, 0);
		called += rows[i].path != NULL;
		assert_int_equal(counts.accepted, called);
		if (!rows[i].path)
			continue;
		recorder_wait(&fixture->recorder, called);
		const struct recorded_report *report =
			&fixture->recorder.outcome_reports[called - 1];
		assert_non_null(strstr(report->url, rows[i].path));
		assert_int_equal(report->outcome, HERALD_DELIVERY_DELIVERED);
	}
	assert_int_equal(fixture->runs, COUNT(rows));
}

static void
assert_told(struct fixture *fixture, size_t index, const char *part)
{
	const char *text = misbehaving_server_text(&fixture->server, index);

	if (!strstr(text, part))
		fail_msg("there is no \"%s\" in:\n%s", part, text);
}

static void
test_what_is_told(void **state)
{
	struct fixture *fixture = *state;

	start_as_usual(fixture);
	handle(fixture, "done", BOTH);
	recorder_wait(&fixture->recorder, 1);
	handle(fixture, "fail", BOTH);
	recorder_wait(&fixture->recorder, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_told(fixture, i, "\r\nHerald-Event-Type: job\r\n");
		assert_told(fixture, i, "\r\nHerald-Event-Id: evt-7\r\n");
		assert_told(fixture, i, "\r\nHerald-Attempt: 1\r\n");
		assert_told(fixture, i, "\r\nHerald-Delivery-Id: ");
	}
	assert_told(fixture, 0, "\r\nHerald-Result: success\r\n");
	assert_null(strstr(misbehaving_server_text(&fixture->server, 0), "Herald-Error"));
	assert_told(fixture, 1, "\r\nHerald-Result: fail\r\n");
	assert_told(fixture, 1, "\r\nHerald-Error: the machine is broken\r\n");
}

static void
test_own_envelope(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), &tenant_message_schema,
	      &HERALD_CALLBACK_OPTIONS(.urls_offset =
					       HERALD_CALLBACK_MEMBER(tenant_message, callback)));
	assert_int_equal(handle(fixture, "done", ",\"tenant\":\"t\"" BOTH).verdict, HERALD_DONE);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(fixture->recorder.delivered, 1);
}

static void
test_errors_can_be_hidden(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), &herald_callback_message_schema,
	      &HERALD_CALLBACK_OPTIONS(.hide_errors = true));
	assert_int_equal(handle(fixture, "fail", BOTH).verdict, HERALD_FAIL);
	recorder_wait(&fixture->recorder, 1);
	assert_told(fixture, 0, "\r\nHerald-Result: fail\r\n");
	assert_null(strstr(misbehaving_server_text(&fixture->server, 0), "Herald-Error"));
}

static void
test_urls_are_checked_before(void **state)
{
	static const struct {
		const char *more, *reason;
	} rows[] = {
		{",\"callback\":{\"success_url\":\"ftp://127.0.0.1/\"}",
		 "callback.success_url: expected an http or https URL"},
		{",\"callback\":{\"fail_url\":\"broker://main/t\"}",
		 "callback.fail_url: expected an http or https URL"},
		{",\"callback\":{\"fail_url\":\"nonsense\"}",
		 "callback.fail_url: expected an http"},
		{",\"callback\":{\"success_url\":\"http://127.0.0.1:PORT/200\","
		 "\"fail_url\":\"http://u:p@127.0.0.1/\"}",
		 "callback.fail_url: expected a URL without user name"},
		{",\"callback\":{\"success_url\":\"http://127.0.0.1/01234567890123456789"
		 "0123456789\"}",
		 "callback.success_url: expected a URL of at most 40 bytes"},
		{",\"callback\":{\"success_url\":\"http://127.0.0.1:25/\"}",
		 "callback.success_url: port 25 is not allowed"},
		{",\"callback\":{\"fail_url\":\"http://169.254.169.254/\"}",
		 "callback.fail_url: the address 169.254.169.254 is not allowed"},
		{",\"callback\":{\"fail_url\":\"http://a.example/\u00fc\"}",
		 "callback.fail_url: expected a URL in ASCII"},
	};
	struct fixture *fixture = *state;

	start(fixture, HERALD_DELIVERER_OPTIONS(.max_url_bytes = 40),
	      &herald_callback_message_schema, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle(fixture, "done", rows[i].more);

		assert_int_equal(result.verdict, HERALD_FAIL);
		assert_int_equal(result.http_status, 400);
		if (!strstr(result.error.message, rows[i].reason))
			fail_msg("%s", result.error.message);
	}
	assert_int_equal(fixture->runs, 0);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 0), 0);
	assert_all_settled(fixture->deliverer);
}

/* A `before` behind it that ends the event: told as any other failure. */
static void
test_event_that_a_handler_ends(void **state)
{
	struct fixture *fixture = *state;

	start_as_usual(fixture);
	fixture->inner = HERALD_FAIL;
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_FAIL);
	recorder_wait(&fixture->recorder, 1);
	assert_told(fixture, 0, "GET /200?fail ");
	assert_told(fixture, 0, "\r\nHerald-Error: not allowed\r\n");
	fixture->inner = HERALD_RETRY;
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_RETRY);
	assert_int_equal(fixture->runs, 0);
	herald_deliverer_stop(fixture->deliverer, 1000);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.outcomes, 1);
}

static void
test_no_room_is_retry_before_the_function(void **state)
{
	struct fixture *fixture = *state;
	struct herald_reservation *reservation;

	start(fixture, HERALD_DELIVERER_OPTIONS(.max_pending = 1), &herald_callback_message_schema,
	      NULL);
	assert_int_equal(herald_deliverer_reserve(fixture->deliverer, 10, 0, &reservation, NULL),
			 HERALD_OK);
	struct herald_result result = handle(fixture, "done", BOTH);
	assert_int_equal(result.verdict, HERALD_RETRY);
	assert_non_null(strstr(result.error.message, "no room for the callback"));
	assert_int_equal(fixture->runs, 0);

	/* An event without a callback reserves nothing. */
	assert_int_equal(handle(fixture, "done", "").verdict, HERALD_DONE);
	herald_reservation_release(reservation);
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_DONE);
	recorder_wait(&fixture->recorder, 1);

	herald_deliverer_stop(fixture->deliverer, 0);
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_RETRY);
	assert_int_equal(fixture->runs, 2);
	assert_all_settled(fixture->deliverer);
}

static void
test_options_that_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct herald_handler *handler = NULL;
	const struct {
		struct herald_callback_options options;
		const char *path;
	} rows[] = {
		{{.struct_size = 0}, "struct_size"},
		{HERALD_CALLBACK_OPTIONS(.urls_offset = 8), "urls_offset"},
		{HERALD_CALLBACK_OPTIONS(.urls_offset = sizeof(struct herald_message) + 1),
		 "urls_offset"},
		{HERALD_CALLBACK_OPTIONS(.max_content_bytes = 1024 * 1024 + 16 * 1024 + 1),
		 "max_content_bytes"},
	};

	assert_int_equal(create_over_curl(NULL, &fixture->deliverer, NULL), HERALD_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_error error = {0};

		assert_int_equal(herald_callback_handler_create(fixture->deliverer,
								&rows[i].options, &handler, &error),
				 HERALD_BAD_OPTION);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_int_equal(error.offset, HERALD_NO_OFFSET);
		assert_string_equal(error.path, rows[i].path);
		assert_true(strstr(error.message, rows[i].path) == error.message ||
			    strcmp(rows[i].path, "struct_size") == 0);
		assert_null(handler);
	}
	assert_int_equal(herald_callback_handler_create(fixture->deliverer, NULL, &handler, NULL),
			 HERALD_OK);
	handler->ops->destroy(handler);
}

static enum herald_verdict
prepare_nothing(struct herald_context *ctx, enum herald_verdict result,
		struct herald_delivery *delivery, void *state)
{
	(void)ctx, (void)result, (void)delivery, (void)state;
	return HERALD_DONE;
}

/* The limits for prepared callbacks must be within the deliverer's; the defaults are. */
static void
test_content_within_the_limits_of_the_deliverer(void **state)
{
	/* Of 10 bytes, with what 64 headers and a content type may take more. */
	enum { ROOM = 10 + 64 * 9 + sizeof("application/octet-stream") };
	static const struct {
		size_t max_body_bytes, max_pending_bytes, max_content_bytes;
		const char *message; /* NULL: it is created */
	} rows[] = {
		{500, 0, 0, NULL},
		{500, 0, 600, NULL},
		{500, 0, 601, "max_content_bytes: is 601, above the deliverer's "},
		{0, ROOM, 10, NULL},
		{0, ROOM - 1, 10, "max_content_bytes: is 10, which reserves "},
		{0, ROOM, 0, "above the deliverer's max_pending_bytes, "},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_deliverer *deliverer;
		struct herald_handler *handler = NULL;
		struct herald_error error = {0};

		assert_int_equal(
			create_over_curl(
				&HERALD_DELIVERER_OPTIONS(.max_headers_bytes = 100,
							  .max_body_bytes = rows[i].max_body_bytes,
							  .max_pending_bytes =
								  rows[i].max_pending_bytes),
				&deliverer, NULL),
			HERALD_OK);
		enum herald_status status = herald_callback_handler_create(
			deliverer,
			&HERALD_CALLBACK_OPTIONS(.prepare = prepare_nothing, .state = fixture,
						 .max_content_bytes = rows[i].max_content_bytes),
			&handler, &error);
		if (rows[i].message)
			assert_string_equal(error.path, "max_content_bytes");
		if (status != (rows[i].message ? HERALD_BAD_OPTION : HERALD_OK) ||
		    (rows[i].message && !strstr(error.message, rows[i].message)))
			fail_msg("row %zu: %s", i, error.message);
		if (handler)
			handler->ops->destroy(handler);
		herald_deliverer_destroy(deliverer);
	}
}

/* Callbacks that the user's `prepare` fills in. */

struct receipt {
	const char *verdict;
	const char *outcome;
};

HERALD_SCHEMA(receipt, HERALD_FIELD(receipt, verdict), HERALD_FIELD(receipt, outcome));

struct preparer {
	struct herald_codec *codec;
	unsigned runs;
	enum herald_verdict verdict; /* what it returns */
	bool leaves_out;             /* nobody is to be called */
	bool is_not_utf8;            /* what it says cannot be encoded */
	size_t body_bytes;           /* bytes of its own, instead of a struct */
	const char *id;              /* instead of "receipt-7" */
};

static enum herald_verdict
prepare_receipt(struct herald_context *ctx, enum herald_verdict result,
		struct herald_delivery *delivery, void *state)
{
	static const char *const headers[] = {"X-Shop: 1"};
	struct preparer *preparer = state;
	const struct job *job = herald_context_payload(ctx);

	preparer->runs++;
	assert_string_equal(delivery->event_type, "job");
	assert_string_equal(delivery->event_id, "evt-7");
	assert_string_equal(delivery->result, result == HERALD_DONE ? "success" : "fail");
	if (preparer->verdict != HERALD_DONE)
		return preparer->verdict == HERALD_FAIL ? herald_fail(ctx, "no receipt")
							: herald_retry(ctx, "no receipt yet");
	if (preparer->leaves_out) {
		delivery->url = NULL;
		return HERALD_DONE;
	}
	delivery->url = "http://127.0.0.1:1/another";
	delivery->id = preparer->id ? preparer->id : "receipt-7";
	delivery->headers = headers;
	delivery->headers_count = 1;
	if (preparer->body_bytes > 0) {
		char *body = herald_context_alloc(ctx, preparer->body_bytes);

		delivery->body = memset(body, 'x', preparer->body_bytes);
		delivery->body_bytes = preparer->body_bytes;
		return HERALD_DONE;
	}
	struct receipt *receipt = herald_context_alloc(ctx, sizeof(*receipt));
	*receipt = (struct receipt){preparer->is_not_utf8 ? "\xff" : job->verdict,
				    herald_verdict_name(result)};
	delivery->codec = preparer->codec;
	delivery->value = receipt;
	return HERALD_DONE;
}

static void
start_preparing(struct fixture *fixture, struct preparer *preparer, size_t max_content_bytes)
{
	assert_int_equal(herald_codec_create(&receipt_schema, NULL, NULL, &preparer->codec, NULL),
			 HERALD_OK);
	start(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1), &herald_callback_message_schema,
	      &HERALD_CALLBACK_OPTIONS(.prepare = prepare_receipt, .state = preparer,
				       .max_content_bytes = max_content_bytes));
}

static void
test_prepared_callback(void **state)
{
	struct fixture *fixture = *state;
	struct preparer preparer = {0};

	start_preparing(fixture, &preparer, 0);
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_DONE);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(handle(fixture, "fail", BOTH).verdict, HERALD_FAIL);
	recorder_wait(&fixture->recorder, 2);
	for (size_t i = 0; i < 2; i++) {
		/* The URL is the one that was checked. */
		assert_told(fixture, i, i == 0 ? "POST /200?success " : "POST /200?fail ");
		assert_told(fixture, i, "\r\nContent-Type: application/json\r\n");
		assert_told(fixture, i, "\r\nX-Shop: 1\r\n");
		assert_told(fixture, i, "\r\nHerald-Delivery-Id: receipt-7\r\n");
		assert_told(fixture, i,
			    i == 0 ? "\r\n\r\n{\"verdict\":\"done\",\"outcome\":\"done\"}"
				   : "\r\n\r\n{\"verdict\":\"fail\",\"outcome\":\"fail\"}");
		assert_string_equal(fixture->recorder.outcome_reports[i].id, "receipt-7");
	}
	assert_int_equal(preparer.runs, 2);

	/* If there is no call to make, `prepare` does not run. */
	assert_int_equal(handle(fixture, "retry", BOTH).verdict, HERALD_RETRY);
	assert_int_equal(handle(fixture, "done", "").verdict, HERALD_DONE);
	assert_int_equal(preparer.runs, 2);
	preparer.leaves_out = true;
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_DONE);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 1000), 0);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.outcomes, 2);
	herald_codec_destroy(preparer.codec);
}

static void
test_callback_that_cannot_be_prepared(void **state)
{
	static const struct {
		struct preparer preparer;
		const char *verdict;
		enum herald_verdict expected;
		const char *reason;
	} rows[] = {
		{{.verdict = HERALD_FAIL}, "done", HERALD_FAIL, "no receipt"},
		{{.verdict = HERALD_RETRY}, "done", HERALD_RETRY, "no receipt yet"},
		{{.verdict = HERALD_RETRY}, "fail", HERALD_FAIL, "the machine is broken"},
		{{.is_not_utf8 = true},
		 "done",
		 HERALD_FAIL,
		 "the callback was not accepted: verdict: expected UTF-8, found byte 0xFF, at "
		 "/verdict"},
		{{.id = "a b"}, "done", HERALD_FAIL, "not accepted: id: may hold visible ASCII"},
		/* A retry would not make it smaller. */
		{{.body_bytes = 2000},
		 "done",
		 HERALD_FAIL,
		 "the callback was not accepted: body and headers are "},
		{{.body_bytes = 2000}, "fail", HERALD_FAIL, "the machine is broken"},
	};
	struct fixture *fixture = *state;
	struct preparer preparer = {0};

	start_preparing(fixture, &preparer, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_codec *codec = preparer.codec;

		preparer = rows[i].preparer;
		preparer.codec = codec;
		struct herald_result result = handle(fixture, rows[i].verdict, BOTH);
		assert_int_equal(result.verdict, rows[i].expected);
		if (!strstr(result.error.message, rows[i].reason))
			fail_msg("row %zu: %s", i, result.error.message);
	}
	preparer.body_bytes = 900;
	preparer.verdict = HERALD_DONE;
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_DONE);
	recorder_wait(&fixture->recorder, 1);
	herald_deliverer_stop(fixture->deliverer, 0);
	assert_all_settled(fixture->deliverer);
	assert_int_equal(fixture->recorder.outcomes, 1);
	herald_codec_destroy(preparer.codec);
}

/* Without an envelope that has the URLs where they are read, there is no service. */
static void
test_envelopes_without_urls(void **state)
{
	static const size_t elsewhere =
		HERALD_CALLBACK_MEMBER(tenant_message, callback) + sizeof(void *);
	const struct {
		const struct herald_schema *envelope;
		size_t urls_offset;
	} rows[] = {
		{NULL, 0},
		{&tenant_message_schema, 0},
		{&tenant_message_schema, elsewhere},
		{&herald_callback_message_schema, HERALD_CALLBACK_MEMBER(tenant_message, callback)},
		{&tagged_message_schema, HERALD_CALLBACK_MEMBER(tagged_message, value.callback)},
	};
	struct fixture *fixture = *state;

	assert_int_equal(create_over_curl(NULL, &fixture->deliverer, NULL), HERALD_OK);
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const bool of_a_route = i % 2 == 0;
		struct herald_handler *handler;
		struct herald_route route = HERALD_ROUTE("job", job, on_job, fixture);
		struct herald_error error = {0};

		assert_int_equal(
			herald_callback_handler_create(
				fixture->deliverer,
				&HERALD_CALLBACK_OPTIONS(.urls_offset = rows[i / 2].urls_offset),
				&handler, &error),
			HERALD_OK);
		route.handlers = of_a_route ? &handler : NULL;
		route.handlers_count = of_a_route;
		assert_int_equal(
			herald_service_create(
				&HERALD_SERVICE_OPTIONS(.routes = &route, .routes_count = 1,
							.handlers = of_a_route ? NULL : &handler,
							.handlers_count = !of_a_route,
							.envelope = rows[i / 2].envelope),
				&fixture->service, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path,
				    of_a_route ? "routes[0].handlers[0]" : "handlers[0]");
		assert_non_null(strstr(error.message, "callback: the envelope "));
		/* The message says what to do: most often the option was forgotten. */
		assert_non_null(
			strstr(error.message,
			       rows[i / 2].envelope
				       ? "at urls_offset, "
				       : "service's .envelope = &herald_callback_message_schema"));
		handler->ops->destroy(handler);
	}
}

/* A handler that is listed twice, for the service and a route, makes one call. */
static void
test_handler_in_two_lists(void **state)
{
	struct fixture *fixture = *state;
	struct herald_handler *handlers[2];
	struct herald_route route = HERALD_ROUTE("job", job, on_job, fixture);

	assert_int_equal(
		create_over_curl(&HERALD_DELIVERER_OPTIONS(.attempts = 1,
							   .addresses = HERALD_ADDRESSES_ANY,
							   .on_outcome = record_outcome,
							   .state = &fixture->recorder),
				 &fixture->deliverer, NULL),
		HERALD_OK);
	assert_int_equal(
		herald_callback_handler_create(fixture->deliverer, NULL, &handlers[0], NULL),
		HERALD_OK);
	handlers[1] = handlers[0];
	route.handlers = handlers;
	route.handlers_count = 2;
	assert_int_equal(
		herald_service_create(
			&HERALD_SERVICE_OPTIONS(.routes = &route, .routes_count = 1,
						.handlers = handlers, .handlers_count = 1,
						.envelope = &herald_callback_message_schema),
			&fixture->service, NULL),
		HERALD_OK);
	assert_int_equal(handle(fixture, "done", BOTH).verdict, HERALD_DONE);
	recorder_wait(&fixture->recorder, 1);
	assert_int_equal(herald_deliverer_stop(fixture->deliverer, 1000), 0);
	assert_int_equal(fixture->recorder.delivered, 1);
	assert_all_settled(fixture->deliverer);
}

/* The n-th allocation of the deliverer fails: the event is HERALD_RETRY, or nothing fails. */
static void
test_without_memory(void **state)
{
	struct fixture *fixture = *state;

	for (size_t n = 1;; n++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		start(fixture, HERALD_DELIVERER_OPTIONS(.allocator = memory.allocator),
		      &herald_callback_message_schema, NULL);
		memory.fail_at = memory.calls + n;
		memory.mode = FAIL_ONLY;
		size_t runs = fixture->runs;
		enum herald_verdict verdict = handle(fixture, "done", BOTH).verdict;
		if (verdict == HERALD_RETRY)
			assert_int_equal(fixture->runs, runs);
		else
			assert_int_equal(verdict, HERALD_DONE);
		herald_deliverer_stop(fixture->deliverer, 0);
		assert_all_settled(fixture->deliverer);
		herald_service_destroy(fixture->service);
		herald_deliverer_destroy(fixture->deliverer);
		fixture->service = NULL;
		fixture->deliverer = NULL;
		assert_all_released(&memory);
		if (n == 3)
			break; /* The thread does the rest: test_delivery.c. */
	}
}

/* Many threads, and a stop in the middle: each event that is done has its callback's outcome. */

struct sender {
	struct fixture *fixture;
	size_t done;
};

static void *
send_until_refused(void *state)
{
	struct sender *sender = state;

	while (handle(sender->fixture, "done", BOTH).verdict == HERALD_DONE)
		sender->done++;
	return NULL;
}

static void
test_stop_while_events_come(void **state)
{
	enum { THREADS = 3 };
	struct fixture *fixture = *state;
	struct sender senders[THREADS];
	pthread_t threads[THREADS];
	size_t done = 0;

	start(fixture, HERALD_DELIVERER_OPTIONS(.max_pending = 100000),
	      &herald_callback_message_schema, NULL);
	for (size_t i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.fixture = fixture};
		assert_int_equal(pthread_create(&threads[i], NULL, send_until_refused, &senders[i]),
				 0);
	}
	recorder_wait(&fixture->recorder, 100);
	size_t left = herald_deliverer_stop(fixture->deliverer, 20);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		done += senders[i].done;
	}
	assert_all_settled(fixture->deliverer);
	assert_int_equal(done, fixture->recorder.outcomes);
	assert_int_equal(left, fixture->recorder.left);
	assert_int_equal(done, fixture->recorder.delivered + fixture->recorder.left);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_called),
		TEST(test_what_is_told),
		TEST(test_own_envelope),
		TEST(test_errors_can_be_hidden),
		TEST(test_envelopes_without_urls),
		TEST(test_prepared_callback),
		TEST(test_callback_that_cannot_be_prepared),
		TEST(test_handler_in_two_lists),
		TEST(test_urls_are_checked_before),
		TEST(test_event_that_a_handler_ends),
		TEST(test_no_room_is_retry_before_the_function),
		TEST(test_options_that_are_refused),
		TEST(test_content_within_the_limits_of_the_deliverer),
		TEST(test_without_memory),
		TEST(test_stop_while_events_come),
	};

	return cmocka_run_group_tests_name("callback", tests, NULL, NULL);
}
