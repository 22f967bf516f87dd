/*
 * herald_publish() without a store: what producers get, when, and how an event ends that could not
 * publish. The broker is in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/delivery.h>
#include <herald/herald.h>
#include <herald/producer.h>
#include <herald/publish.h>

#include "service/inbox.h"
#include "support/fake_publisher.h"
#include "support/option_error.h"

struct order {
	const char *id;
};
HERALD_SCHEMA(order, HERALD_FIELD(order, id));

/* What the function and the handler do; each letter is a message of this topic. */
struct plan {
	const char *before, *function[3], *after;
	enum herald_verdict verdict[3], after_verdict;
	unsigned runs, dead;
	enum herald_verdict after_got;
	const struct herald_delivery *delivery; /* instead of `function` */
	enum herald_status status;              /* of herald_publish() */
	struct herald_error error;
	bool publishes_when_rejected;
};

static struct {
	struct fake_publisher *fake;
	struct herald_producer *producer;
	struct herald_service *service;
	struct herald_result result;
	struct herald_error error;
	struct plan plan;
	char log[2048];
} f;

static void
publish(struct herald_context *ctx, const char *topics)
{
	for (; topics && *topics; topics++) {
		const char topic[] = {*topics, '\0'};
		const enum herald_status status = herald_publish(
			ctx,
			&(struct herald_delivery){
				.producer = "main", .topic = topic, HERALD_BODY("x", 1)},
			&f.plan.error);

		if (status != HERALD_OK)
			fail_msg("%s", f.plan.error.message);
	}
}

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order, struct plan *plan)
{
	const unsigned run = plan->runs < 2 ? plan->runs : 2;

	(void)order;
	plan->runs++;
	if (plan->delivery)
		plan->status = herald_publish(ctx, plan->delivery, &plan->error);
	publish(ctx, plan->function[run]);
	/* Nothing is sent before the function has returned. */
	pthread_mutex_lock(&f.fake->mutex);
	const size_t arrivals = f.fake->arrivals_count;
	pthread_mutex_unlock(&f.fake->mutex);
	assert_true(run > 0 || arrivals == 0);
	return plan->verdict[run];
}
HERALD_FUNCTION(on_order, order, plan);

static enum herald_verdict
before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	publish(ctx, f.plan.before);
	return HERALD_DONE;
}

static enum herald_verdict
after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict verdict)
{
	(void)handler;
	f.plan.after_got = verdict;
	publish(ctx, f.plan.after);
	return verdict == HERALD_DONE ? f.plan.after_verdict : verdict;
}

static void
dead(struct herald_handler *handler, struct herald_context *ctx, const struct herald_result *result)
{
	(void)handler;
	(void)ctx;
	(void)result;
	f.plan.dead++;
}

static void
rejected(struct herald_handler *handler, struct herald_context *ctx,
	 const struct herald_rejection *rejection)
{
	(void)handler;
	(void)rejection;
	if (f.plan.publishes_when_rejected)
		f.plan.status = herald_publish(ctx, f.plan.delivery, &f.plan.error);
}

static enum herald_again
again(struct herald_handler *handler, struct herald_context *ctx, unsigned attempt,
      uint32_t *delay_ms)
{
	(void)handler;
	(void)ctx;
	*delay_ms = 0;
	return attempt < 3 ? HERALD_AGAIN_RUN : HERALD_AGAIN_STOP;
}

static const struct herald_handler_ops handler_ops = {.struct_size =
							      sizeof(struct herald_handler_ops),
						      .name = "test",
						      .before = before,
						      .after = after,
						      .dead = dead,
						      .rejected = rejected};
static const struct herald_handler_ops again_ops = {
	.struct_size = sizeof(struct herald_handler_ops), .name = "again", .again = again};

static void
take_log(const struct herald_log_record *record, void *state)
{
	(void)state;
	snprintf(f.log + strlen(f.log), sizeof(f.log) - strlen(f.log), "%s", record->message);
	for (size_t i = 0; i < record->fields_count; i++)
		if (record->fields[i].text)
			snprintf(f.log + strlen(f.log), sizeof(f.log) - strlen(f.log), " %s=%s",
				 record->fields[i].key, record->fields[i].text);
	strcat(f.log, "\n");
}

/* A producer that waits for a broker that says nothing. */
#define SHORT_MS 20

static int
begin_with(bool runs_again, struct herald_producer_options options)
{
	static struct herald_handler handler = {.ops = &handler_ops};
	static struct herald_handler repeater = {.ops = &again_ops};
	static struct herald_handler *const handlers[] = {&handler, &repeater};
	const struct herald_route routes[] = {HERALD_ROUTE("order", order, on_order, &f.plan)};

	memset(&f, 0, sizeof(f));
	f.fake = fake_publisher_create();
	f.fake->is_threaded = true;
	options.publisher = &f.fake->base;
	if (herald_producer_create(&options, &f.producer, &f.error) != HERALD_OK)
		fail_msg("%s", f.error.message);
	const struct herald_named_producer producers[] = {{"main", f.producer},
							  {"alias", f.producer}};
	if (herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_PRODUCERS(producers),
					    .handlers = handlers,
					    .handlers_count = runs_again ? 2 : 1,
					    .max_published_bytes = 1000,
					    .log = {take_log, NULL, HERALD_LOG_WARNING}),
		    &f.service, &f.error) != HERALD_OK)
		fail_msg("%s", f.error.message);
	return 0;
}

static int
begin(bool runs_again, uint32_t timeout_ms)
{
	return begin_with(runs_again, HERALD_PRODUCER_OPTIONS(.timeout_ms = timeout_ms));
}

static int
setup(void **state)
{
	(void)state;
	return begin(false, 10000);
}

static int
teardown(void **state)
{
	(void)state;
	herald_service_destroy(f.service);
	herald_producer_destroy(f.producer);
	return 0;
}

static void
handle(const char *metadata)
{
	char text[256];
	const int bytes =
		snprintf(text, sizeof(text),
			 "{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			 "\"payload\":{\"id\":\"o\"},\"metadata\":{%s}}",
			 metadata);

	herald_service_handle(f.service, text, (size_t)bytes, &f.result);
}

static enum herald_status
begin_run(struct herald__run *run, bool joins, struct herald_error *error)
{
	(void)run;
	(void)joins;
	(void)error;
	return HERALD_OK;
}

/* As a consumer does. */
static void
run_message(bool is_last_attempt)
{
	static const char text[] =
		"{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		"\"payload\":{\"id\":\"o\"},\"metadata\":{}}";
	char copy[sizeof(text)];
	struct herald__run run = {.id = 1,
				  .arrived = {text, sizeof(text) - 1},
				  .content_type = "",
				  .created_ms = 1,
				  .attempt = 3,
				  .is_last_attempt = is_last_attempt,
				  .begin = begin_run};

	memcpy(copy, text, sizeof(text));
	herald__service_run(f.service, &run, copy, sizeof(text) - 1, &f.result);
}

/* The topics of what has arrived. */
static const char *
arrived(void)
{
	static char topics[32];
	size_t count = 0;

	pthread_mutex_lock(&f.fake->mutex);
	for (; count < f.fake->arrivals_count && count < sizeof(topics) - 1; count++)
		topics[count] = f.fake->arrivals[count].topic[0];
	pthread_mutex_unlock(&f.fake->mutex);
	topics[count] = '\0';
	return topics;
}

/* HERALD_UNKNOWN_OUTCOME: the broker says nothing. */
static void
set_answer(enum herald_status status)
{
	pthread_mutex_lock(&f.fake->mutex);
	f.fake->is_silent = status == HERALD_UNKNOWN_OUTCOME;
	f.fake->answers = f.fake->is_silent ? HERALD_OK : status;
	pthread_mutex_unlock(&f.fake->mutex);
}

/* Who publishes, what they return, and what then arrives. */
static void
test_only_what_is_done_is_sent(void **state)
{
	static const struct {
		struct plan plan;
		enum herald_verdict verdict;
		const char *arrived;
	} cases[] = {
		{{.function = {"a"}}, HERALD_DONE, "a"},
		{{.before = "b", .function = {"cd"}, .after = "e"}, HERALD_DONE, "bcde"},
		{{.before = "b", .function = {"c"}, .verdict = {HERALD_FAIL}}, HERALD_FAIL, ""},
		{{.before = "b", .function = {"c"}, .verdict = {HERALD_FAIL}, .after = "e"},
		 HERALD_FAIL,
		 "e"},
		{{.before = "b", .function = {"c"}, .verdict = {HERALD_RETRY}, .after = "e"},
		 HERALD_RETRY,
		 ""},
		/* It was sent before the handler failed. */
		{{.function = {"c"}, .after = "e", .after_verdict = HERALD_FAIL}, HERALD_FAIL, "c"},
		{{.function = {NULL}}, HERALD_DONE, ""},
	};

	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		if (i > 0) {
			teardown(state);
			begin(false, 10000);
		}
		f.plan = cases[i].plan;
		handle("");
		assert_int_equal(f.result.verdict, cases[i].verdict);
		assert_string_equal(arrived(), cases[i].arrived);
		assert_string_equal(f.log, f.result.verdict == HERALD_DONE ? "" : f.log);
	}
}

/* What the broker does not confirm changes the verdict, which the handlers get. Senders do not get
 * the broker's reason; it is logged. */
static void
test_what_is_not_confirmed(void **state)
{
	static const struct {
		enum herald_status status;
		enum herald_verdict verdict;
		const char *reason;
	} cases[] = {
		{HERALD_BAD_VALUE, HERALD_FAIL, "the broker refuses the message"},
		{HERALD_TOO_LARGE, HERALD_FAIL, "the broker refuses the message"},
		{HERALD_UNKNOWN_OUTCOME, HERALD_RETRY, "the broker cannot take the message now"},
	};

	teardown(state);
	begin(false, SHORT_MS);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		f.plan = (struct plan){.function = {"a", "a", "a"}};
		set_answer(cases[i].status);
		f.log[0] = '\0';
		handle("");
		assert_int_equal(f.result.verdict, cases[i].verdict);
		assert_int_equal(f.result.status, HERALD_OK);
		assert_int_equal(f.plan.after_got, cases[i].verdict);
		assert_string_equal(f.result.error.message, cases[i].reason);
		if (!strstr(f.log, "not published") || !strstr(f.log, "producer=main") ||
		    !strstr(f.log, "topic=a") ||
		    !strstr(f.log, herald_status_name(cases[i].status)))
			fail_msg("%s", f.log);
	}
}

/* What an `after` handler publishes, and the broker does not confirm. */
static void
test_after_is_not_confirmed(void **state)
{
#define RETRY_REASON "the broker cannot take the message now"
#define FAIL_REASON "the broker refuses the message"
	static const struct {
		enum herald_verdict function;
		enum herald_status answer;
		bool is_last;
		enum herald_verdict verdict;
		const char *reason;
		unsigned dead;
	} cases[] = {
		/* An event is not done without the messages. */
		{HERALD_DONE, HERALD_UNKNOWN_OUTCOME, false, HERALD_RETRY, RETRY_REASON, 0},
		{HERALD_DONE, HERALD_UNKNOWN_OUTCOME, true, HERALD_FAIL, RETRY_REASON, 1},
		{HERALD_DONE, HERALD_BAD_VALUE, false, HERALD_FAIL, FAIL_REASON, 1},
		/* An event that failed comes again if they can be sent later. */
		{HERALD_FAIL, HERALD_UNKNOWN_OUTCOME, false, HERALD_RETRY, RETRY_REASON, 0},
		{HERALD_FAIL, HERALD_UNKNOWN_OUTCOME, true, HERALD_FAIL, "the event failed", 0},
		{HERALD_FAIL, HERALD_BAD_VALUE, false, HERALD_FAIL, "the event failed", 0},
		/* Nothing is sent. */
		{HERALD_RETRY, HERALD_BAD_VALUE, false, HERALD_RETRY, "try again later", 0},
	};

	teardown(state);
	begin(false, SHORT_MS);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		f.plan = (struct plan){.verdict = {cases[i].function}, .after = "e"};
		f.log[0] = '\0';
		set_answer(cases[i].answer);
		run_message(cases[i].is_last);
		assert_int_equal(f.plan.after_got, cases[i].function);
		assert_int_equal(f.result.verdict, cases[i].verdict);
		assert_string_equal(f.result.error.message, cases[i].reason);
		assert_int_equal(f.plan.dead, cases[i].dead);
		assert_int_equal(strstr(f.log, "not published") != NULL,
				 cases[i].function != HERALD_RETRY);
	}
}

/* A handler that runs the function again: what failed runs published is not sent, and what was
 * confirmed is not sent again. */
static void
test_runs_again(void **state)
{
	teardown(state);
	begin(true, 10000);
	f.plan = (struct plan){.before = "b",
			       .function = {"c", "d", "e"},
			       .verdict = {HERALD_RETRY, HERALD_RETRY, HERALD_DONE}};
	handle("");
	assert_int_equal(f.plan.runs, 3);
	assert_int_equal(f.result.verdict, HERALD_DONE);
	assert_string_equal(arrived(), "be");
}

/* The broker that cannot take a message makes the function run again, too. */
static void
test_runs_again_if_not_confirmed(void **state)
{
	teardown(state);
	begin(true, SHORT_MS);
	f.plan = (struct plan){.function = {"c", "c", "c"}};
	set_answer(HERALD_UNKNOWN_OUTCOME);
	handle("");
	assert_int_equal(f.plan.runs, 3);
	assert_int_equal(f.result.verdict, HERALD_RETRY);
}

static bool
has_attribute(const struct fake_arrival *arrival, const char *name, const char *value)
{
	for (const char *at = arrival->attributes, *end = at + arrival->attributes_bytes; at < end;
	     at += strlen(at) + 1) {
		const char *found = at;

		at += strlen(at) + 1;
		if (strcmp(found, name) == 0 && strcmp(at, value) == 0)
			return true;
	}
	return false;
}

/* Everything of a delivery is in the message, as with a store. */
static void
test_the_message(void **state)
{
	static const char *const headers[] = {"X-Tenant:  acme "};

	(void)state;
	f.plan.delivery = &(struct herald_delivery){.producer = "main",
						    .topic = "t",
						    .key = "k",
						    .id = "my-id",
						    .event_type = "caf\xe9",
						    .result = "success",
						    HERALD_BODY("<x/>", 4),
						    .content_type = "application/xml",
						    HERALD_HEADERS(headers)};
	handle("");
	assert_int_equal(f.plan.status, HERALD_OK);
	assert_int_equal(f.result.verdict, HERALD_DONE);
	assert_int_equal(f.fake->arrivals_count, 1);
	const struct fake_arrival *message = &f.fake->arrivals[0];
	assert_string_equal(message->topic, "t");
	assert_string_equal(message->key, "k");
	assert_string_equal(message->id, "my-id");
	assert_string_equal(message->content_type, "application/xml");
	assert_string_equal(message->data, "<x/>");
	assert_true(has_attribute(message, "herald-delivery-id", "my-id"));
	assert_true(has_attribute(message, "herald-event-type", "caf%EF%BF%BD"));
	assert_true(has_attribute(message, "herald-result", "success"));
	assert_true(has_attribute(message, "X-Tenant", "acme"));
}

/* An event that comes again publishes messages with the same ids; others do not. */
static void
test_ids(void **state)
{
	static const char *const events[] = {"\"id\":\"1\"",
					     "\"id\":\"1\"",
					     "\"id\":\"2\"",
					     "\"id\":\"1\",\"source\":\"s\"",
					     "",
					     ""};
	const struct fake_arrival *all;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(events); i++) {
		f.plan = (struct plan){.function = {"aa", "aa", "aa"}, .runs = i > 0};
		handle(events[i]);
		assert_int_equal(f.result.verdict, HERALD_DONE);
	}
	all = f.fake->arrivals;
	assert_int_equal(f.fake->arrivals_count, 12);
	assert_string_equal(all[0].id, all[2].id);
	assert_string_equal(all[1].id, all[3].id);
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(strlen(all[i].id), 32);
		for (size_t j = 0; j < i; j++)
			if ((i != 2 || j != 0) && (i != 3 || j != 1))
				assert_string_not_equal(all[i].id, all[j].id);
	}
}

/* The same event may publish something else when it comes again, or in another service. A broker
 * that drops what it has seen must not drop that. */
static void
test_ids_of_other_messages(void **state)
{
	static const struct herald_delivery deliveries[] = {
		{.producer = "main", .topic = "t", HERALD_BODY("a", 1)},
		{.producer = "main", .topic = "t", HERALD_BODY("b", 1)},
		{.producer = "main", .topic = "t", .key = "k", HERALD_BODY("a", 1)},
		{.producer = "main", .topic = "t", HERALD_BODY("", 0)},
		{.producer = "main", .topic = "t", HERALD_BODY("a", 1)},
	};
	const size_t last = HERALD_COUNT(deliveries) - 1;

	(void)state;
	for (size_t i = 0; i <= last; i++) {
		f.plan = (struct plan){.delivery = &deliveries[i], .runs = i > 0};
		handle("\"id\":\"1\"");
		assert_int_equal(f.result.verdict, HERALD_DONE);
	}
	const struct fake_arrival *all = f.fake->arrivals;
	assert_int_equal(f.fake->arrivals_count, last + 1);
	assert_string_equal(all[last].id, all[0].id);
	for (size_t i = 0; i < last; i++) {
		assert_true(has_attribute(&all[i], "herald-delivery-id", all[i].id));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(all[i].id, all[j].id);
	}
}

/* Each with what is wrong, and where. */
static void
test_what_is_refused(void **state)
{
	static char body[1001]; /* one more than the limit */
	static const struct {
		struct herald_delivery delivery;
		enum herald_status status;
		const char *path, *message;
	} cases[] = {
		{{.url = "http://127.0.0.1/"},
		 HERALD_BAD_OPTION,
		 "store",
		 "is needed to publish to a URL; without one, set `producer` and `topic`"},
		{{.topic = "t"},
		 HERALD_BAD_OPTION,
		 "store",
		 "is needed to publish to a URL; without one, set `producer` and `topic`"},
		{{.producer = "other", .topic = "t"},
		 HERALD_BAD_VALUE,
		 "producer",
		 "the service has no producer \"other\""},
		{{.producer = "main"}, HERALD_MISSING, "topic", "is required"},
		{{.producer = "main", .topic = "t", .signer = "s"},
		 HERALD_BAD_VALUE,
		 "signer",
		 "needs a store and its deliverer"},
		{{.producer = "main", .topic = "t", .key = "a\nb"},
		 HERALD_BAD_VALUE,
		 "key",
		 "has a control character"},
		{{.producer = "main", .topic = "t", .id = "a b"},
		 HERALD_BAD_VALUE,
		 "id",
		 "may hold visible ASCII characters, but not %"},
		{{.producer = "main", .topic = "t", .body = body, .body_bytes = sizeof(body)},
		 HERALD_BAD_LENGTH,
		 "",
		 "more than 1000 bytes are published with one event (max_published_bytes)"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		f.plan = (struct plan){.delivery = &cases[i].delivery};
		handle("");
		assert_int_equal(f.plan.status, cases[i].status);
		if (*cases[i].path != '\0')
			assert_option_error(&f.plan.error, cases[i].path, cases[i].message);
		else
			assert_string_equal(f.plan.error.message, cases[i].message);
		assert_int_equal(f.fake->arrivals_count, 0);
	}
}

/* The limit is for the whole event. */
static void
test_bytes_of_an_event(void **state)
{
	static const char body[600] = "x";
	const struct herald_delivery delivery = {
		.producer = "main", .topic = "t", .body = body, .body_bytes = sizeof(body)};

	(void)state;
	f.plan = (struct plan){.delivery = &delivery, .before = "bb"};
	handle("");
	assert_int_equal(f.plan.status, HERALD_OK);
	/* Each has its id as an attribute. */
	f.plan = (struct plan){.delivery = &delivery, .before = "bbbbbbbb", .runs = 1};
	handle("");
	assert_int_equal(f.plan.status, HERALD_BAD_LENGTH);
}

/* Messages that its producer has no room for at the same time would be refused each time that the
 * event comes: whatever their names of the producer are. What was dropped or confirmed does not
 * count. */
static void
test_messages_of_an_event(void **state)
{
	static const char text[] = "more than 3 messages are published with one event to one "
				   "producer (its max_pending)";
	const struct herald_delivery delivery = {
		.producer = "alias", .topic = "t", HERALD_BODY("x", 1)};

	teardown(state);
	begin_with(true, HERALD_PRODUCER_OPTIONS(.max_pending = 3));
	f.plan = (struct plan){.delivery = &delivery, .before = "bb", .after = "eee"};
	handle("");
	assert_int_equal(f.plan.status, HERALD_OK);
	assert_int_equal(f.result.verdict, HERALD_DONE);
	assert_string_equal(arrived(), "bbteee");

	f.plan = (struct plan){.before = "b",
			       .function = {"", "cc", "dd"},
			       .verdict = {0, HERALD_RETRY, HERALD_DONE},
			       .runs = 1};
	handle("");
	assert_int_equal(f.result.verdict, HERALD_DONE);
	assert_string_equal(arrived(), "bbteeebdd");

	f.plan = (struct plan){
		.delivery = &delivery, .before = "bbb", .runs = 1, .verdict = {0, HERALD_FAIL}};
	handle("");
	assert_int_equal(f.plan.status, HERALD_BAD_LENGTH);
	assert_string_equal(f.plan.error.message, text);
	assert_string_equal(arrived(), "bbteeebdd");
}

static void
test_bytes_for_a_producer(void **state)
{
	static const char body[100];
	const struct herald_delivery delivery = {
		.producer = "alias", .topic = "t", .body = body, .body_bytes = sizeof(body)};

	teardown(state);
	begin_with(false, HERALD_PRODUCER_OPTIONS(.max_pending_bytes = 200));
	f.plan = (struct plan){.delivery = &delivery};
	handle("");
	assert_int_equal(f.plan.status, HERALD_OK);
	f.plan = (struct plan){.delivery = &delivery, .before = "b", .runs = 1};
	handle("");
	assert_int_equal(f.plan.status, HERALD_BAD_LENGTH);
	assert_string_equal(f.plan.error.message,
			    "more than 200 bytes are published with one event to one producer (its "
			    "max_pending_bytes)");
}

/* Where nothing would be sent, nothing can be published. */
static void
test_not_before_and_not_after(void **state)
{
	char text[] = "{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		      "\"payload\":{\"id\":7},\"metadata\":{}}";

	(void)state;
	f.plan = (struct plan){.publishes_when_rejected = true,
			       .delivery =
				       &(struct herald_delivery){.producer = "main", .topic = "t"}};
	herald_service_handle(f.service, text, sizeof(text) - 1, &f.result);
	assert_int_equal(f.result.verdict, HERALD_FAIL);
	assert_int_equal(f.plan.status, HERALD_BAD_OPTION);
	assert_option_error(&f.plan.error, "producers",
			    "nothing can be published before the event runs, or after it");
}

static void
test_options(void **state)
{
	struct herald_producer *producer = f.producer;
	const struct herald_named_producer twice[] = {{"a", producer}, {"a", producer}};
	const struct herald_named_producer unnamed[] = {{NULL, producer}}, none[] = {{"a", NULL}};
	const struct {
		struct herald_service_options options;
		const char *path, *message;
	} cases[] = {
		{HERALD_SERVICE_OPTIONS(.producers = twice, .producers_count = 2), "producers[1]",
		 "has the name of another one"},
		{HERALD_SERVICE_OPTIONS(.producers = unnamed, .producers_count = 1), "producers[0]",
		 "must have a name of 1 to 63 letters, digits, '-', '.' and '_'"},
		{HERALD_SERVICE_OPTIONS(.producers = none, .producers_count = 1), "producers[0]",
		 "has no producer"},
		{HERALD_SERVICE_OPTIONS(.producers = none), "producers",
		 "is set, but producers_count is 0; HERALD_PRODUCERS(array) sets both"},
		{HERALD_SERVICE_OPTIONS(.producers = none, .producers_count = 65),
		 "producers_count", "must be at most 64, not 65"},
		{HERALD_SERVICE_OPTIONS(.max_published_bytes = SIZE_MAX), "max_published_bytes",
		 "must be at most 536870912, not 18446744073709551615"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_service *service = NULL;

		assert_int_equal(herald_service_create(&cases[i].options, &service, &f.error),
				 HERALD_BAD_OPTION);
		assert_option_error(&f.error, cases[i].path, cases[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
		CASE(test_only_what_is_done_is_sent),
		CASE(test_what_is_not_confirmed),
		CASE(test_after_is_not_confirmed),
		CASE(test_runs_again),
		CASE(test_runs_again_if_not_confirmed),
		CASE(test_the_message),
		CASE(test_ids),
		CASE(test_ids_of_other_messages),
		CASE(test_what_is_refused),
		CASE(test_bytes_of_an_event),
		CASE(test_messages_of_an_event),
		CASE(test_bytes_for_a_producer),
		CASE(test_not_before_and_not_after),
		CASE(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
