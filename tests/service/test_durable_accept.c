/*
 * Accepting an event for a store: what is stored, what is refused before, the id, key and due time,
 * and the result that the store decides. Running stored events is in test_durable_run.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <strings.h>

#include <herald/adapter/database.h>
#include <herald/adapter/format.h>

#include "service/durable_events.h"
#include "support/failing_allocator.h"

/* A handler that notes what it is called for. */

static enum herald_verdict
note_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	     size_t bytes)
{
	(void)handler;
	(void)data;
	note("receive");
	assert_null(herald_context_session(ctx));
	assert_int_equal(herald_context_attempt(ctx), 1);
	/* Nothing can be published yet. */
	struct herald_error error;
	assert_int_equal(herald_publish(ctx, &(struct herald_delivery){.url = "http://a"}, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "store");
	return bytes == 6 ? herald_fail_status(ctx, 401, "no signature") : HERALD_DONE;
}

static enum herald_verdict
note_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	(void)ctx;
	note("before");
	return HERALD_DONE;
}

static enum herald_verdict
note_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)handler;
	(void)ctx;
	note("after");
	return result;
}

static void
note_rejected(struct herald_handler *handler, struct herald_context *ctx,
	      const struct herald_rejection *rejection)
{
	(void)handler;
	(void)ctx;
	note("rejected:%.*s", (int)(rejection->bytes < 9 ? rejection->bytes : 9), rejection->data);
}

static const struct herald_handler_ops noter_ops = {
	.struct_size = sizeof(noter_ops),
	.name = "noter",
	.receive = note_receive,
	.before = note_before,
	.after = note_after,
	.rejected = note_rejected,
};

/* Payloads. */

/* The key is at another place than in the new version. */
struct old_order {
	const char *note;
	const char *order_id;
};
HERALD_SCHEMA(old_order, HERALD_FIELD(old_order, note),
	      HERALD_FIELD(old_order, order_id, .required = true));

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_order *from, struct order *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	note("upcast");
	return HERALD_FAIL;
}
HERALD_UPCASTER(modernize, old_order, order);

static const struct herald_route order_routes[] = {
	HERALD_ROUTE("order", order, on_order, NULL, .version = "2", .key = "order_id"),
	HERALD_ROUTE("order", order, on_order, NULL, .version = "", .key = "order_id"),
};
static const struct herald_route plain_routes[] = {
	HERALD_ROUTE("order", order, on_order, NULL),
};
static const struct herald_upcaster order_upcasters[] = {
	HERALD_UPCAST("order", "1", old_order, "2", order, modernize),
};

static void
check_stored(const struct fake_inbox *inbox, const struct fake_stored *expected)
{
	assert_int_equal(inbox->stored_count, 1);
	const struct fake_stored *stored = &inbox->stored[0];

	assert_string_equal(stored->event_type, expected->event_type);
	assert_string_equal(stored->source, expected->source);
	assert_string_equal(stored->id, expected->id);
	assert_string_equal(stored->content_type, expected->content_type);
	assert_int_equal(stored->attributes_bytes, expected->attributes_bytes);
	assert_memory_equal(stored->attributes, expected->attributes, expected->attributes_bytes);
	assert_string_equal(stored->data, expected->data);
	assert_string_equal(stored->key ? stored->key : "none", expected->key);
	assert_int_equal(stored->due_ms, expected->due_ms);
}

/* Attributes of an arrival: one listed by the service, one by the id's option, one not at all. */
static const struct {
	const char *name, *value;
} headers[] = {
	{"X-Team", "a"},
	{"x-other", "b"},
	{"X-TEAM", "c"},
	{"Webhook-Id", ""},
	{"Idempotency-Key", "key-1"},
	{"ce-type", "d"},
};

static const char *
find_header(const char *name, void *state)
{
	(void)state;
	assert_null(strchr(name, '*')); /* no pattern is asked for */
	for (size_t i = 0; i < COUNT(headers); i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		if (!visit(headers[i].name, headers[i].value, visit_state))
			return;
}

static struct herald_result
handle_with(struct herald_service *service, const char *json, const struct herald_arrival *arrival)
{
	struct herald_result result;
	char *data = strdup(json);

	memset(&result, 0xA5, sizeof(result));
	herald_service_handle_with(service, data, strlen(json), arrival, &result);
	free(data);
	return result;
}

/* All that is stored of an event; the bytes as they came, although decoding overwrites them. */
static void
test_what_is_stored(void **state)
{
	static const char escaped[] = ORDER("17", "{\"order_id\":\"a\\u0062\\n\"}");
	static const char *const ids[] = {"webhook-id", "idempotency-key", NULL};
	static const char *const listed[] = {"X-Team", "ce-*", NULL};
	static const char by_visit[] =
		"X-Team\0a\0X-TEAM\0c\0Webhook-Id\0\0Idempotency-Key\0key-1\0"
		"ce-type\0d";
	static const char by_name[] = "X-Team\0a\0webhook-id\0\0idempotency-key\0key-1";
	static const char versioned[] = VERSIONED("order", "1", "{\"order_id\":\"old\"}");
	static const char plain[] = EVENT("order", "{\"order_id\":\"x\"}");
	const struct {
		const char *json;
		struct herald_arrival arrival;
		struct fake_stored expected;
	} cases[] = {
		{escaped,
		 HERALD_ARRIVAL(.content_type = "application/json"),
		 {.event_type = (char *)"order",
		  .source = (char *)"shop",
		  .id = (char *)"17",
		  .content_type = (char *)"application/json",
		  .key = (char *)"ab\n"}},
		{plain,
		 HERALD_ARRIVAL(.attribute = find_header, .attributes_visit = visit_headers),
		 {.event_type = (char *)"order",
		  .source = (char *)"",
		  .id = (char *)"key-1",
		  .content_type = (char *)"",
		  .key = (char *)"x",
		  .attributes = (char *)by_visit,
		  .attributes_bytes = sizeof(by_visit)}},
		{escaped,
		 HERALD_ARRIVAL(.attribute = find_header),
		 {.event_type = (char *)"order",
		  .source = (char *)"shop",
		  .id = (char *)"17",
		  .content_type = (char *)"",
		  .key = (char *)"ab\n",
		  .attributes = (char *)by_name,
		  .attributes_bytes = sizeof(by_name)}},
		/* An old version is stored as it is; its upcaster does not run. */
		{versioned,
		 HERALD_ARRIVAL(.delay_ms = 0),
		 {.event_type = (char *)"order",
		  .source = (char *)"",
		  .id = (char *)"",
		  .content_type = (char *)"",
		  .key = (char *)"old"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;
		struct herald_handler noter = {.ops = &noter_ops};
		struct herald_handler *const handlers[] = {&noter};
		struct fake_stored expected = cases[i].expected;

		trace[0] = '\0';
		fake_inbox_init(&inbox);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(order_routes), HERALD_UPCASTERS(order_upcasters),
			HERALD_HANDLERS(handlers), .store = fake_inbox_store(&inbox),
			.attributes = listed, .id_attributes = ids));
		struct herald_result result =
			handle_with(service, cases[i].json, &cases[i].arrival);

		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		expected.data = (char *)cases[i].json;
		if (!expected.attributes)
			expected.attributes = (char *)"";
		check_stored(&inbox, &expected);
		assert_string_equal(trace, "receive");
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* The same id is a duplicate, from the same source only; events without an id never are. */
static void
test_duplicates(void **state)
{
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(order_routes), .store = fake_inbox_store(&inbox), .log = debug_log));
	const struct {
		const char *json;
		enum herald_acceptance acceptance;
	} cases[] = {
		{ORDER("1", "{\"order_id\":\"a\"}"), HERALD_ACCEPTANCE_ACCEPTED},
		{ORDER("1", "{\"order_id\":\"b\"}"), HERALD_ACCEPTANCE_DUPLICATE},
		{ORDER("2", "{\"order_id\":\"a\"}"), HERALD_ACCEPTANCE_ACCEPTED},
		{EVENT("order", "{\"order_id\":\"a\"}"), HERALD_ACCEPTANCE_ACCEPTED},
		{EVENT("order", "{\"order_id\":\"a\"}"), HERALD_ACCEPTANCE_ACCEPTED},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_result result = handle(service, cases[i].json);

		check_accepted(&result, cases[i].acceptance);
	}
	assert_string_equal(logged,
			    "debug: event accepted event_type=order event_id=1 verdict=done "
			    "http_status=202 took=some\n"
			    "debug: event is a duplicate event_type=order event_id=1 verdict=done "
			    "http_status=202 took=some\n"
			    "debug: event accepted event_type=order event_id=2 verdict=done "
			    "http_status=202 took=some\n"
			    "debug: event accepted event_type=order verdict=done http_status=202 "
			    "took=some\n"
			    "debug: event accepted event_type=order verdict=done http_status=202 "
			    "took=some\n");
	struct herald_statistics counts;
	herald_service_statistics(service, &counts);
	assert_int_equal(counts.accepted, 4);
	assert_int_equal(counts.duplicates, 1);
	assert_int_equal(counts.events, 0);
	assert_int_equal(counts.done, 0);
	struct herald_route_statistics route;
	assert_true(herald_service_route_statistics(service, 1, &route));
	assert_int_equal(route.counts.accepted, 4);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* What is wrong is answered at once, and not stored; `rejected` sees it. */
static void
test_refused_before_storing(void **state)
{
	struct fake_inbox inbox;
	struct herald_handler noter = {.ops = &noter_ops};
	struct herald_handler *const handlers[] = {&noter};

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(order_routes), HERALD_HANDLERS(handlers),
					.store = fake_inbox_store(&inbox)));
	const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *trace;
	} cases[] = {
		{"[1, 2, 3]", HERALD_BAD_TYPE, "", 0, "receive rejected:[1, 2, 3]"},
		{EVENT("order", "{}"), HERALD_MISSING, "/payload/order_id", 67,
		 "receive rejected:{\"timesta"},
		{EVENT("mail", "{}"), HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET,
		 "receive rejected:{\"timesta"},
		{VERSIONED("order", "3", "{}"), HERALD_UNKNOWN_VERSION, "/metadata/version",
		 HERALD_NO_OFFSET, "receive rejected:{\"timesta"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		trace[0] = '\0';
		struct herald_result result = handle(service, cases[i].json);

		check_rejected(&result, cases[i].status, cases[i].path, cases[i].offset);
		assert_int_equal(result.acceptance, HERALD_ACCEPTANCE_NONE);
		assert_string_equal(trace, cases[i].trace);
	}
	trace[0] = '\0';
	struct herald_result result = handle(service, "secret");
	check_verdict(&result, HERALD_FAIL, "no signature");
	assert_int_equal(result.http_status, 401);
	assert_string_equal(trace, "receive rejected:secret");
	assert_int_equal(inbox.accepts, 0);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

static void
test_ignored_is_not_stored(void **state)
{
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(order_routes), .requires_id = true, .unknown = HERALD_UNKNOWN_IGNORE,
		.store = fake_inbox_store(&inbox)));
	struct herald_result result = handle(service, EVENT("mail", "{}"));

	check_verdict(&result, HERALD_DONE, "");
	assert_int_equal(result.acceptance, HERALD_ACCEPTANCE_NONE);
	assert_int_equal(result.http_status, 0);
	assert_int_equal(inbox.accepts, 0);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* The store says no: the sender comes again, or not, and `rejected` does not run. */
static void
test_store_failures(void **state)
{
	static const struct {
		enum herald_status status;
		enum herald_verdict verdict;
	} cases[] = {
		{HERALD_UNAVAILABLE, HERALD_RETRY}, {HERALD_STORE_FAILED, HERALD_RETRY},
		{HERALD_LIMIT, HERALD_RETRY},       {HERALD_UNKNOWN_OUTCOME, HERALD_RETRY},
		{HERALD_NO_MEMORY, HERALD_RETRY},   {HERALD_SYSTEM, HERALD_RETRY},
		{HERALD_TOO_LARGE, HERALD_FAIL},
	};
	struct fake_inbox inbox;
	struct herald_handler noter = {.ops = &noter_ops};
	struct herald_handler *const handlers[] = {&noter};

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(order_routes), HERALD_HANDLERS(handlers),
					.store = fake_inbox_store(&inbox)));
	for (size_t i = 0; i < COUNT(cases); i++) {
		trace[0] = '\0';
		inbox.accept_status = cases[i].status;
		struct herald_result result = handle(service, ORDER("1", "{\"order_id\":\"a\"}"));

		assert_int_equal(result.verdict, cases[i].verdict);
		assert_int_equal(result.status, cases[i].status);
		assert_int_equal(result.error.status, cases[i].status);
		assert_string_equal(result.error.message, "the fake store says no");
		assert_int_equal(result.acceptance, HERALD_ACCEPTANCE_NONE);
		assert_int_equal(result.http_status, 0);
		assert_string_equal(trace, "receive");
	}
	struct herald_statistics counts;
	herald_service_statistics(service, &counts);
	assert_int_equal(counts.retry, 6);
	assert_int_equal(counts.rejected, 1);
	assert_int_equal(counts.accepted, 0);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Ids. */

#define FIFTY "an-attribute-whose-name-has-fifty-letters-or-so-xx"

static void
test_required_ids(void **state)
{
	static const char *const names[] = {"webhook-id", "Idempotency-Key", NULL};
	static const char *const many_names[] = {FIFTY, FIFTY, FIFTY, "webhook-id", NULL};
	static const char null_id[] = "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":"
				      "\"order\",\"metadata\":{\"id\":null},\"payload\":"
				      "{\"order_id\":\"a\",\"action\":null}}";
	const struct {
		const char *json, *id_from;
		const char *const *names;
		bool has_headers;
		const char *id; /* NULL: refused */
		const char *path;
		size_t offset;
		const char *message;
	} cases[] = {
		{ORDER("1", "{\"order_id\":\"a\"}"), NULL, names, true, "1", NULL, 0, NULL},
		{EVENT("order", "{\"order_id\":\"a\"}"), NULL, names, true, "key-1", NULL, 0, NULL},
		{null_id, NULL, names, true, "key-1", NULL, 0, NULL},
		{null_id, "/payload/order_id", names, true, "a", NULL, 0, NULL},
		{null_id, "/payload/action", names, true, "key-1", NULL, 0, NULL},
		{ORDER("", "{\"order_id\":\"a\"}"), NULL, NULL, true, NULL, "/metadata/id",
		 HERALD_NO_OFFSET, "the event's id is missing"},
		{null_id, NULL, names, false, NULL, "/metadata/id", HERALD_NO_OFFSET,
		 "the event's id is missing; it may also be in the attribute webhook-id or "
		 "Idempotency-Key"},
		{null_id, "/payload/action", NULL, true, NULL, "/payload/action", 115,
		 "the event's id is missing"},
		{null_id, "/payload/nothing", NULL, true, NULL, "/payload/nothing", 90,
		 "the event's id is missing"},
		{null_id, NULL, many_names, false, NULL, "/metadata/id", HERALD_NO_OFFSET,
		 "the event's id is missing; it may also be in the attribute " FIFTY " or " FIFTY
		 " or an-attribute-whose-name-has-fifty-letters-or-s..."},
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		bool has_store = i % 2 == 0;
		struct fake_inbox inbox;

		fake_inbox_init(&inbox);
		trace[0] = '\0';
		const struct herald_route routes[] = {
			HERALD_ROUTE("order", order, on_order, NULL),
		};
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .requires_id = true, .id_from = cases[i / 2].id_from,
			.id_attributes = cases[i / 2].names,
			.store = has_store ? fake_inbox_store(&inbox) : NULL));
		struct herald_result result = handle_with(
			service, cases[i / 2].json,
			cases[i / 2].has_headers ? &HERALD_ARRIVAL(.attribute = find_header)
						 : NULL);

		if (!cases[i / 2].id) {
			check_rejected(&result, HERALD_MISSING, cases[i / 2].path,
				       cases[i / 2].offset);
			assert_string_equal(result.error.message, cases[i / 2].message);
			assert_string_equal(trace, "");
		} else if (has_store) {
			check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
			assert_string_equal(inbox.stored[0].id, cases[i / 2].id);
		} else {
			check_verdict(&result, HERALD_DONE, "");
			assert_string_equal(trace, "f1");
		}
		assert_int_equal(inbox.accepts, has_store && cases[i / 2].id ? 1 : 0);
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* Texts that are not UTF-8, which a database may refuse each time. */

static const char *latin1_type, *latin1_id;

static enum herald_status
decode_latin1(const struct herald_format *format, struct herald_context *ctx, char *data,
	      size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)error;
	out->message->event_type = latin1_type;
	out->message->payload = (struct herald_json){data, bytes};
	return HERALD_OK;
}

static const struct herald_format_ops latin1_ops = {
	.struct_size = sizeof(latin1_ops), .name = "latin1", .decode = decode_latin1};
static const struct herald_format latin1 = {.ops = &latin1_ops};

static const char *
find_latin1(const char *name, void *state)
{
	(void)name;
	(void)state;
	return latin1_id;
}

static void
test_texts_that_are_not_utf8(void **state)
{
	static const char *const ids[] = {"id", NULL};
	static const struct {
		const char *type, *id, *content_type;
		const char *message;     /* NULL: accepted */
		const char *stored_type; /* then its content type */
	} cases[] = {
		{"caf\xc3\xa9", "1", "text/plain; a=\xc3\xa9", NULL, "text/plain; a=\xc3\xa9"},
		{"caf\xe9", "1", NULL, "the event's type is not valid UTF-8", NULL},
		{"order", "\xe9", NULL, "the event's id is not valid UTF-8", NULL},
		{"order", "\xc3\xa9", "text/plain; a=\xe9", NULL, ""},
	};
	const struct herald_route routes[] = {
		HERALD_ROUTE(HERALD_ANY_TYPE, order, on_order, NULL),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;

		latin1_type = cases[i].type;
		latin1_id = cases[i].id;
		fake_inbox_init(&inbox);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), ONE_FORMAT(&latin1), .id_attributes = ids,
			.store = fake_inbox_store(&inbox)));
		struct herald_result result =
			handle_with(service, "{\"order_id\":\"a\"}",
				    &HERALD_ARRIVAL(.attribute = find_latin1,
						    .content_type = cases[i].content_type));

		if (cases[i].message) {
			check_rejected(&result, HERALD_BAD_UTF8, "", HERALD_NO_OFFSET);
			assert_string_equal(result.error.message, cases[i].message);
			assert_int_equal(inbox.accepts, 0);
		} else {
			check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
			assert_string_equal(inbox.stored[0].content_type, cases[i].stored_type);
			assert_string_equal(inbox.stored[0].id, cases[i].id);
		}
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* Keys. */

enum colour { RED = 3, BLUE };
static const struct herald_name colours[] = {{"red", RED}, {"blue", BLUE}};

struct thing {
	const char *string;
	struct herald_text text;
	char chars[8];
	bool has_i8, has_i16, has_i32, has_i64, has_u8, has_u16, has_u32, has_u64;
	int8_t i8;
	int16_t i16;
	int32_t i32;
	int64_t i64;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	enum colour colour;
	int other;
};
HERALD_SCHEMA(thing, HERALD_FIELD(thing, string), HERALD_FIELD(thing, text),
	      HERALD_FIELD(thing, chars, .required = true), HERALD_OPTIONAL(thing, i8),
	      HERALD_OPTIONAL(thing, i16), HERALD_OPTIONAL(thing, i32), HERALD_OPTIONAL(thing, i64),
	      HERALD_OPTIONAL(thing, u8), HERALD_OPTIONAL(thing, u16), HERALD_OPTIONAL(thing, u32),
	      HERALD_OPTIONAL(thing, u64),
	      HERALD_ENUM(thing, colour, colours, .required = true, HERALD_UNKNOWN(RED)),
	      HERALD_FIELD(thing, other, .key = "Other", .required = true));

static enum herald_verdict
on_thing(struct herald_context *ctx, const struct thing *thing)
{
	(void)ctx;
	(void)thing;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_thing, thing);

static void
test_keys(void **state)
{
#define THING(MEMBERS)                                                                             \
	EVENT("thing", "{\"chars\":\"c\",\"colour\":\"blue\",\"Other\":5" MEMBERS "}")
	static const struct {
		const char *member, *json, *key; /* NULL: none */
	} cases[] = {
		{"string", THING(",\"string\":\"a b\""), "a b"},
		{"string", THING(",\"string\":\"\""), ""},
		{"string", THING(",\"string\":null"), NULL},
		{"string", THING(""), NULL},
		{"text", THING(",\"text\":\"t\""), "t"},
		{"text", THING(""), NULL},
		{"chars", THING(""), "c"},
		{"i8", THING(",\"i8\":-128"), "-128"},
		{"i16", THING(",\"i16\":-32768"), "-32768"},
		{"i32", THING(",\"i32\":-2147483648"), "-2147483648"},
		{"i64", THING(",\"i64\":-9223372036854775808"), "-9223372036854775808"},
		{"u8", THING(",\"u8\":255"), "255"},
		{"u16", THING(",\"u16\":65535"), "65535"},
		{"u32", THING(",\"u32\":4294967295"), "4294967295"},
		{"u64", THING(",\"u64\":18446744073709551615"), "18446744073709551615"},
		{"i64", THING(",\"i64\":0"), "0"},
		{"i64", THING(",\"i64\":null"), NULL},
		{"u8", THING(""), NULL},
		{"colour", THING(""), "blue"},
		{"colour", EVENT("thing", "{\"chars\":\"c\",\"colour\":\"pink\",\"Other\":5}"),
		 "red"},
		{"Other", THING(""), "5"},
	};
#undef THING

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_inbox inbox;
		const struct herald_route routes[] = {
			HERALD_ROUTE("thing", thing, on_thing, NULL, .key = cases[i].member),
		};

		fake_inbox_init(&inbox);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox)));
		struct herald_result result = handle(service, cases[i].json);

		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		if (cases[i].key)
			assert_string_equal(inbox.stored[0].key, cases[i].key);
		else
			assert_null(inbox.stored[0].key);
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* Whether an event that a crash makes a dead letter keeps its key. Events of both kinds take turns,
 * as they have the same memory. */
static void
test_keys_that_are_held(void **state)
{
	static const char *const jsons[] = {
		EVENT("held", "{\"chars\":\"c\",\"colour\":\"blue\",\"Other\":5}"),
		EVENT("released", "{\"chars\":\"c\",\"colour\":\"blue\",\"Other\":5}"),
		EVENT("plain", "{\"chars\":\"c\",\"colour\":\"blue\",\"Other\":5}"),
	};
	const struct herald_route routes[] = {
		HERALD_ROUTE("held", thing, on_thing, NULL, .key = "chars",
			     .when_dead = HERALD_WHEN_DEAD_HOLD),
		HERALD_ROUTE("released", thing, on_thing, NULL, .key = "chars"),
		HERALD_ROUTE("plain", thing, on_thing, NULL),
	};
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox)));
	for (size_t i = 0; i < 2 * COUNT(jsons); i++) {
		struct herald_result result = handle(service, jsons[i % COUNT(jsons)]);

		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		assert_int_equal(inbox.stored[i].holds_key, i % COUNT(jsons) == 0);
	}
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Keys within structs, and in payloads that are any JSON. */

struct inner {
	const char *id;
	bool has_number;
	int32_t number;
};
HERALD_SCHEMA(inner, HERALD_FIELD(inner, id), HERALD_OPTIONAL(inner, number));

struct outer {
	bool has_first;
	int32_t first;
	struct inner here;
	const struct inner *there;
};
HERALD_SCHEMA(outer, HERALD_OPTIONAL(outer, first),
	      HERALD_STRUCT(outer, here, inner, .required = true),
	      HERALD_POINTER(outer, there, inner, .key = "a/b"));

/* Structs whose members are in the object around them. The case before them is not in the way. */
struct middle {
	int64_t before;
	struct inner inner;
	const char *name;
};
HERALD_SCHEMA(middle, HERALD_FIELD(middle, before),
	      HERALD_STRUCT(middle, inner, inner, .flat = true),
	      HERALD_FIELD(middle, name));

struct circle {
	int64_t radius;
};
HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius));

struct tagged {
	const char *kind;
	union {
		struct circle circle;
	} value;
	struct middle middle;
};
HERALD_SCHEMA(tagged, HERALD_FIELD(tagged, kind, .required = true),
	      HERALD_FLAT_VARIANT(tagged, value, kind, HERALD_CASE("round", circle)),
	      HERALD_STRUCT(tagged, middle, middle, .flat = true));

static enum herald_verdict
on_tagged(struct herald_context *ctx, const struct tagged *tagged)
{
	(void)ctx;
	(void)tagged;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_tagged, tagged);

static enum herald_verdict
on_outer(struct herald_context *ctx, const struct outer *outer)
{
	(void)ctx;
	(void)outer;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_outer, outer);

static enum herald_verdict
on_json(struct herald_context *ctx, const struct herald_json *json)
{
	(void)ctx;
	(void)json;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_json, herald_json);

static void
test_keys_by_pointers(void **state)
{
	static const struct {
		const char *type, *key, *payload, *expected; /* NULL: none */
	} cases[] = {
		{"outer", "/first", "{\"first\":3,\"here\":{}}", "3"},
		{"outer", "/here/id", "{\"here\":{\"id\":\"a\"}}", "a"},
		{"outer", "/here/id", "{\"here\":{}}", NULL},
		{"outer", "/here/number", "{\"here\":{\"number\":-7}}", "-7"},
		{"outer", "/here/number", "{\"here\":{}}", NULL},
		{"outer", "/a~1b/id", "{\"here\":{},\"a/b\":{\"id\":\"t\"}}", "t"},
		{"outer", "/a~1b/number", "{\"here\":{},\"a/b\":{\"number\":0}}", "0"},
		{"outer", "/a~1b/number", "{\"here\":{},\"a/b\":{}}", NULL},
		{"outer", "/a~1b/id", "{\"here\":{},\"a/b\":null}", NULL},
		{"outer", "/a~1b/id", "{\"here\":{}}", NULL},
		{"outer", "/a~1b/number", "{\"here\":{}}", NULL},
		{"tagged", "kind", "{\"kind\":\"round\",\"radius\":1}", "round"},
		{"tagged", "id", "{\"kind\":\"round\",\"radius\":1,\"id\":\"a\"}", "a"},
		{"tagged", "/id", "{\"kind\":\"round\",\"id\":\"a\",\"before\":1}", "a"},
		{"tagged", "id", "{\"kind\":\"round\",\"before\":1}", NULL},
		{"tagged", "number", "{\"number\":-7,\"kind\":\"round\"}", "-7"},
		{"tagged", "number", "{\"kind\":\"round\"}", NULL},
		{"tagged", "name", "{\"name\":\"n\",\"kind\":\"round\"}", "n"},
		{"any", "/a/0/b", "{\"a\":[{\"b\":\"x\\n\"}]}", "x\n"},
		{"any", "/a/0/b", "{\"a\":[{\"b\":2.50}]}", "2.50"},
		{"any", "/a/0/b", "{\"a\":[{\"b\":null}]}", NULL},
		{"any", "/a/0/b", "{\"a\":[{\"b\":{}}]}", NULL},
		{"any", "/a/0/b", "[1]", NULL},
		{"any", "/0", "[1]", "1"},
		{"any", "/a", "null", NULL},
		{"any", "/a", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_route routes[] = {
			HERALD_ROUTE("outer", outer, on_outer, NULL),
			HERALD_ROUTE("tagged", tagged, on_tagged, NULL),
			HERALD_ROUTE("any", herald_json, on_json, NULL),
		};
		struct fake_inbox inbox;
		char json[256];

		for (size_t j = 0; j < COUNT(routes); j++)
			if (strcmp(routes[j].event_type, cases[i].type) == 0)
				routes[j].key = cases[i].key;
		fake_inbox_init(&inbox);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox)));
		/* The payload before and after what tells its route. */
		for (int last = 0; last < 2; last++) {
			const char *payload = cases[i].payload ? cases[i].payload : "0";
			const char *name = cases[i].payload ? "payload" : "other";

			if (last)
				snprintf(json, sizeof(json),
					 "{\"timestamp\":\"2024-08-20T05:21:19Z\","
					 "\"event_type\":\"%s\",\"%s\":%s}",
					 cases[i].type, name, payload);
			else
				snprintf(json, sizeof(json),
					 "{\"%s\":%s,\"timestamp\":\"2024-08-20T05:21:19Z\","
					 "\"event_type\":\"%s\"}",
					 name, payload, cases[i].type);
			struct herald_result result = handle(service, json);

			check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
			const char *key = inbox.stored[last].key;
			if (cases[i].expected)
				assert_string_equal(key, cases[i].expected);
			else
				assert_null(key);
			assert_string_equal(inbox.stored[last].data, json);
		}
		herald_service_destroy(service);
		fake_inbox_finish(&inbox);
	}
}

/* Due times. */

static void
test_due_times(void **state)
{
	static const struct {
		const char *due; /* JSON at /due */
		uint64_t delay_ms;
		int64_t due_ms; /* expected, plus now if `from_now` */
		bool from_now;
		enum herald_status status;
		const char *message;
	} cases[] = {
		{"null", 0, 0, false, HERALD_OK, NULL},
		{"\"2999-12-31T23:59:59Z\"", 0, INT64_C(32503679999000), false, HERALD_OK, NULL},
		{"\"2999-12-31T23:59:59.0000001+01:00\"", 0, INT64_C(32503676399001), false,
		 HERALD_OK, NULL},
		/* The past is now: it must not overtake earlier events. */
		{"\"1999-12-31T23:59:59Z\"", 0, 0, false, HERALD_OK, NULL},
		{"\"0000-01-01T00:00:00Z\"", 0, 0, false, HERALD_OK, NULL},
		{"null", 60000, 60000, true, HERALD_OK, NULL},
		{"\"1999-12-31T23:59:59Z\"", 60000, 60000, true, HERALD_OK, NULL},
		{"\"2999-12-31T23:59:59Z\"", 60000, INT64_C(32503679999000), false, HERALD_OK,
		 NULL},
		{"null", UINT64_MAX, INT64_MAX, false, HERALD_OK, NULL},
		{"\"2999-12-31\"", 0, 0, false, HERALD_BAD_TIME,
		 "expected an RFC 3339 timestamp, found \"2999-12-31\""},
		{"\"\"", 0, 0, false, HERALD_BAD_TIME, NULL},
		{"17", 0, 0, false, HERALD_BAD_TIME,
		 "expected an RFC 3339 timestamp, found \"17\""},
		{"true", 0, 0, false, HERALD_BAD_TIME, NULL},
		{"{}", 0, 0, false, HERALD_BAD_TIME,
		 "expected an RFC 3339 timestamp, found another type"},
		{"[]", 60000, 0, false, HERALD_BAD_TIME, NULL},
	};
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(order_routes), .due_from = "/due",
					.store = fake_inbox_store(&inbox)));
	for (size_t i = 0; i < COUNT(cases); i++) {
		char json[256];
		const struct herald_time before = herald_time_now();

		snprintf(json, sizeof(json),
			 "{\"due\":%s,\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":"
			 "\"order\",\"payload\":{\"order_id\":\"a\"}}",
			 cases[i].due);
		struct herald_result result =
			handle_with(service, json, &HERALD_ARRIVAL(.delay_ms = cases[i].delay_ms));
		const struct herald_time after = herald_time_now();

		if (cases[i].status != HERALD_OK) {
			check_rejected(&result, cases[i].status, "/due", 7);
			if (cases[i].message)
				assert_string_equal(result.error.message, cases[i].message);
			continue;
		}
		check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
		int64_t due_ms = inbox.stored[inbox.stored_count - 1].due_ms;
		if (!cases[i].from_now) {
			assert_int_equal(due_ms, cases[i].due_ms);
			continue;
		}
		assert_true(due_ms >= before.seconds * 1000 + cases[i].due_ms);
		assert_true(due_ms <= (after.seconds + 1) * 1000 + cases[i].due_ms);
	}
	/* Missing is now, too. */
	struct herald_result result = handle(service, ORDER("1", "{\"order_id\":\"a\"}"));
	check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
	assert_int_equal(inbox.stored[inbox.stored_count - 1].due_ms, 0);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Waiting. */

struct sender {
	struct herald_service *service;
	struct herald_result result;
};

static void *
send_event(void *state)
{
	struct sender *sender = state;

	sender->result = handle(sender->service, EVENT("order", "{\"order_id\":\"a\"}"));
	return NULL;
}

/* herald_service_handle() returns after the commit, on another thread, and many can wait. */
static void
test_waits_for_the_commit(void **state)
{
	struct fake_inbox inbox;
	struct sender senders[8];
	pthread_t threads[COUNT(senders)];

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = false;
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(order_routes), .store = fake_inbox_store(&inbox)));
	for (unsigned round = 0; round < 3; round++) {
		inbox.accept_status = round == 1 ? HERALD_UNAVAILABLE : HERALD_OK;
		for (size_t i = 0; i < COUNT(senders); i++) {
			senders[i] = (struct sender){.service = service};
			assert_int_equal(pthread_create(&threads[i], NULL, send_event, &senders[i]),
					 0);
		}
		fake_inbox_wait(&inbox, COUNT(senders));
		assert_int_equal(fake_inbox_commit(&inbox), COUNT(senders));
		for (size_t i = 0; i < COUNT(senders); i++) {
			pthread_join(threads[i], NULL);
			if (round != 1)
				check_accepted(&senders[i].result, HERALD_ACCEPTANCE_ACCEPTED);
			else
				assert_int_equal(senders[i].result.status, HERALD_UNAVAILABLE);
		}
	}
	assert_int_equal(inbox.stored_count, 2 * COUNT(senders));
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Whatever allocation fails: the event is stored whole, or the sender hears that it was not. */
static void
test_memory(void **state)
{
	static const char *const ids[] = {"Idempotency-Key", NULL};
	static const char json[] = EVENT("order", "{\"order_id\":\"a\"}");

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct fake_inbox inbox;

		fake_inbox_init(&inbox);
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(order_routes), .id_attributes = ids, .due_from = "/due",
			.store = fake_inbox_store(&inbox), .allocator = memory.allocator));
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		struct herald_result result =
			handle_with(service, json,
				    &HERALD_ARRIVAL(.attribute = find_header,
						    .attributes_visit = visit_headers));

		if (memory.failures > 0 && result.verdict != HERALD_DONE) {
			assert_int_equal(result.verdict, HERALD_RETRY);
			assert_int_equal(result.status, HERALD_NO_MEMORY);
			assert_int_equal(inbox.accepts, 0);
		} else {
			check_accepted(&result, HERALD_ACCEPTANCE_ACCEPTED);
			assert_string_equal(inbox.stored[0].data, json);
		}
		size_t failures = memory.failures;
		herald_service_destroy(service);
		assert_all_released(&memory);
		fake_inbox_finish(&inbox);
		if (failures == 0)
			break;
	}
}

/* What is stored counts for the event's memory. */
static void
test_memory_limit(void **state)
{
	struct fake_inbox inbox;
	size_t accepted = 0;

	(void)state;
	fake_inbox_init(&inbox);
	for (size_t most = 64; most < 8192; most += 64) {
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(order_routes), .store = fake_inbox_store(&inbox),
			.max_arena_bytes = most));
		struct herald_result result = handle(service, ORDER("", "{\"order_id\":\"a\"}"));

		if (result.verdict == HERALD_DONE)
			accepted++;
		else
			assert_int_equal(result.status, HERALD_LIMIT);
		assert_true(accepted == 0 || result.verdict == HERALD_DONE);
		herald_service_destroy(service);
	}
	assert_true(accepted > 0);
	assert_int_equal(accepted, inbox.accepts);
	fake_inbox_finish(&inbox);
}

/* A handler that checks an event before it is stored. */

static enum herald_verdict
guard_accept(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct order *order = herald_context_payload(ctx);

	note("accept%s:%s", handler->ops->receive ? "" : "-route",
	     order ? order->order_id : "upcast");
	if (order && strcmp(order->order_id, "bad") == 0)
		return herald_fail_status(ctx, 400, "a bad order");
	if (order && strcmp(order->order_id, "busy") == 0)
		return herald_retry_after(ctx, 70, "too busy");
	return HERALD_DONE;
}

static enum herald_verdict
guard_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	      size_t bytes)
{
	(void)handler;
	(void)ctx;
	(void)data;
	(void)bytes;
	return HERALD_DONE;
}

static const struct herald_handler_ops guard_ops = {
	.struct_size = sizeof(guard_ops),
	.name = "guard",
	.receive = guard_receive,
	.accept = guard_accept,
	.before = note_before,
	.after = note_after,
	.rejected = note_rejected,
};
static const struct herald_handler_ops route_guard_ops = {
	.struct_size = sizeof(route_guard_ops),
	.name = "route guard",
	.accept = guard_accept,
};

static void
check_described(const struct herald_service *service, const char *part)
{
	struct herald_buffer text;

	herald_buffer_init(&text, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &text), HERALD_OK);
	assert_int_equal(herald_buffer_append(&text, "", 1), HERALD_OK);
	if (!strstr(text.data, part))
		fail_msg("there is no %s in %s", part, text.data);
	herald_buffer_finish(&text);
}

static void
test_handlers_accept(void **state)
{
	static const struct {
		const char *json;
		enum herald_verdict verdict;
		unsigned http_status;
		uint32_t retry_after_ms;
		const char *trace;
	} cases[] = {
		{ORDER("1", "{\"order_id\":\"x\"}"), HERALD_DONE, 202, 0,
		 "accept:x accept-route:x"},
		{ORDER("2", "{\"order_id\":\"bad\"}"), HERALD_FAIL, 400, 0,
		 "accept:bad rejected:{\"timesta"},
		{ORDER("3", "{\"order_id\":\"busy\"}"), HERALD_RETRY, 0, 70,
		 "accept:busy rejected:{\"timesta"},
		/* The payload is not the one that the handlers know. */
		{VERSIONED("order", "1", "{\"order_id\":\"bad\"}"), HERALD_DONE, 202, 0,
		 "accept:upcast accept-route:upcast"},
	};
	struct fake_inbox inbox;
	struct herald_handler guard = {.ops = &guard_ops}, route_guard = {.ops = &route_guard_ops};
	struct herald_handler *const handlers[] = {&guard}, *const route_handlers[] = {
								    &route_guard};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order, on_order, NULL, .version = "2", .key = "order_id",
			     HERALD_HANDLERS(route_handlers)),
		HERALD_ROUTE("order", order, on_order, NULL, .version = "",
			     HERALD_HANDLERS(route_handlers)),
	};

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(order_upcasters), HERALD_HANDLERS(handlers),
		.store = fake_inbox_store(&inbox)));
	assert_ptr_equal(herald_service_store(service), fake_inbox_store(&inbox));
	check_described(service, "{\"step\":\"accept\",\"handler\":\"guard\"},"
				 "{\"step\":\"accept\",\"handler\":\"route guard\"},"
				 "{\"step\":\"store\",");
	for (size_t i = 0; i < COUNT(cases); i++) {
		trace[0] = '\0';
		struct herald_result result = handle(service, cases[i].json);

		assert_int_equal(result.verdict, cases[i].verdict);
		assert_int_equal(result.http_status, cases[i].http_status);
		assert_int_equal(result.retry_after_ms, cases[i].retry_after_ms);
		assert_string_equal(trace, cases[i].trace);
	}
	assert_int_equal(inbox.stored_count, 2);
	/* The key is read although the handlers did not see the payload. */
	assert_string_equal(inbox.stored[1].key, "bad");

	/* Not when it runs. */
	trace[0] = '\0';
	assert_int_equal(fake_inbox_run(&inbox, 0, 1, false).verdict, HERALD_DONE);
	assert_string_equal(trace, "before f1 after");
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* Without a store there is only `before`. */
static void
test_handlers_do_not_accept_without_a_store(void **state)
{
	struct herald_handler guard = {.ops = &guard_ops};
	struct herald_handler *const handlers[] = {&guard};

	(void)state;
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(plain_routes), HERALD_HANDLERS(handlers), .requires_id = true));
	assert_null(herald_service_store(service));
	assert_int_equal(handle(service, ORDER("1", "{\"order_id\":\"bad\"}")).verdict,
			 HERALD_DONE);
	assert_string_equal(trace, "before f1 after");
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_is_stored, events_setup),
		cmocka_unit_test_setup(test_duplicates, events_setup),
		cmocka_unit_test_setup(test_refused_before_storing, events_setup),
		cmocka_unit_test_setup(test_handlers_accept, events_setup),
		cmocka_unit_test_setup(test_handlers_do_not_accept_without_a_store, events_setup),
		cmocka_unit_test_setup(test_ignored_is_not_stored, events_setup),
		cmocka_unit_test_setup(test_store_failures, events_setup),
		cmocka_unit_test_setup(test_required_ids, events_setup),
		cmocka_unit_test_setup(test_texts_that_are_not_utf8, events_setup),
		cmocka_unit_test_setup(test_keys, events_setup),
		cmocka_unit_test_setup(test_keys_that_are_held, events_setup),
		cmocka_unit_test_setup(test_keys_by_pointers, events_setup),
		cmocka_unit_test_setup(test_due_times, events_setup),
		cmocka_unit_test_setup(test_waits_for_the_commit, events_setup),
		cmocka_unit_test_setup(test_memory, events_setup),
		cmocka_unit_test_setup(test_memory_limit, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
