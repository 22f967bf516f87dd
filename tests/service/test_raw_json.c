/*
 * herald_context_decode(): raw JSON that a function decodes, and the places of its errors in the
 * event. The reader of raw JSON is tested in test_json.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/cloudevents.h>
#include <herald/json.h>
#include <herald/service.h>
#include <herald/webhook.h>

#include "support/events.h"
#include "support/failing_allocator.h"

struct card {
	const char *number;
	int32_t month;
	const int32_t *codes;
	size_t codes_count;
};
HERALD_SCHEMA(card, HERALD_FIELD(card, number, .required = true),
	      HERALD_FIELD(card, month, HERALD_RANGE(1, 12)), HERALD_VALUES(card, codes));

struct part {
	struct herald_json json;
};
HERALD_SCHEMA(part, HERALD_FIELD(part, json));

struct old {
	struct herald_json extra;
};
HERALD_SCHEMA(old, HERALD_FIELD(old, extra));

/* A member of a map, whose value is raw JSON. */
struct named {
	const char *name;
	struct herald_json json;
};
HERALD_SCHEMA_WITH(named, (.transparent = true), HERALD_KEY(named, name),
		   HERALD_FIELD(named, json));

struct payment {
	const char *id;
	struct herald_json details;
	struct part part;
	const struct part *behind;
	const struct part *parts;
	size_t parts_count;
	const struct herald_json *values;
	size_t values_count;
	struct herald_json_map map;
	const struct named *names;
	size_t names_count;
	struct part pair[2];
	struct herald_json two[2];
};
HERALD_SCHEMA(payment, HERALD_FIELD(payment, id),
	      HERALD_FIELD(payment, details, .key = "the/details"),
	      HERALD_STRUCT(payment, part, part), HERALD_POINTER(payment, behind, part),
	      HERALD_LIST(payment, parts, part), HERALD_VALUES(payment, values),
	      HERALD_FIELD(payment, map), HERALD_MAP(payment, names, named),
	      HERALD_STRUCT_ARRAY(payment, pair, part), HERALD_ARRAY(payment, two));

/* What a test's function does: find the raw JSON, and decode `pointer` in it as a card. */
typedef struct herald_json find_function(const struct herald_context *ctx, const void *payload);
static struct {
	find_function *find;
	const char *pointer;
	struct card card;
	enum herald_status status;
	struct herald_error error;
} test;

static enum herald_verdict
decode_card(struct herald_context *ctx, const void *payload, void *state)
{
	struct herald_json json = test.find(ctx, payload), again;

	(void)state;
	assert_int_equal(herald_json_find(&json, test.pointer, &json, NULL), HERALD_OK);
	again = json;
	memset(&test.card, 0, sizeof(test.card));
	test.card.month = 99;
	test.status = herald_context_decode(ctx, &card_schema, &json, &test.card, &test.error);
	if (test.status != HERALD_OK) {
		assert_int_equal(test.card.month, 99);
		assert_int_equal(herald_context_decode(ctx, &card_schema, &json, &test.card, NULL),
				 test.status);
	} else {
		note("%s,%d,%zu", test.card.number, test.card.month, test.card.codes_count);
		assert_int_equal(herald_context_decode(ctx, &card_schema, &again, &test.card, NULL),
				 HERALD_OK);
	}
	return HERALD_DONE;
}

static struct herald_json
find_details(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->details;
}

static struct herald_json
find_part(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->part.json;
}

static struct herald_json
find_behind(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->behind->json;
}

static struct herald_json
find_in_parts(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->parts[1].json;
}

static struct herald_json
find_in_values(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->values[2];
}

static struct herald_json
find_in_names(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->names[1].json;
}

static struct herald_json
find_in_pair(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->pair[1].json;
}

static struct herald_json
find_in_two(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return ((const struct payment *)payload)->two[1];
}

static struct herald_json
find_in_map(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return herald_json_map_find(&((const struct payment *)payload)->map, "c~d")->json;
}

static struct herald_json
find_payload(const struct herald_context *ctx, const void *payload)
{
	(void)ctx;
	return *(const struct herald_json *)payload;
}

static struct herald_json
find_in_metadata(const struct herald_context *ctx, const void *payload)
{
	(void)payload;
	return herald_json_map_find(&herald_context_message(ctx)->metadata, "card")->json;
}

static struct herald_json
find_foreign(const struct herald_context *ctx, const void *payload)
{
	static const char text[] = "{\"x\":{\"number\":\"1\",\"month\":13}}";

	(void)ctx;
	(void)payload;
	return (struct herald_json){text, sizeof(text) - 1};
}

static const struct herald_route routes[] = {
	{.event_type = "pay", .schema = &payment_schema, .function = decode_card},
	{.event_type = "any", .schema = &herald_json_schema, .function = decode_card},
};

/* '@' in the event, which is not a part of it, is where the error is. */
static void
run(struct herald_service *service, const char *marked, size_t *offset)
{
	const char *mark = strchr(marked, '@');
	char event[2000];

	*offset = mark ? (size_t)(mark - marked) : HERALD_NO_OFFSET;
	snprintf(event, sizeof(event), "%.*s%s", (int)(mark ? mark - marked : 0), marked,
		 mark ? mark + 1 : marked);
	struct herald_result result = handle(service, event);
	check_verdict(&result, HERALD_DONE, "");
}

static void
check_error(enum herald_status status, const char *path, size_t offset, const char *message)
{
	if (test.status != status || strcmp(test.error.path, path) != 0 ||
	    test.error.offset != offset || strcmp(test.error.message, message) != 0)
		fail_msg("expected %s at \"%s\", byte %zd: %s; got %s at \"%s\", byte %zd: %s",
			 herald_status_name(status), path, (ssize_t)offset, message,
			 herald_status_name(test.status), test.error.path,
			 (ssize_t)test.error.offset, test.error.message);
}

static void
test_decoding(void **state)
{
	static const struct {
		const char *json;
		find_function *find;
		const char *pointer;
	} rows[] = {
		{EVENT("pay", "{\"id\":\"\\u0061\",\"the/details\":{\"number\":\"\\u0031\","
			      "\"month\":2,\"codes\":[1,2,3]}}"),
		 find_details, ""},
		{EVENT("pay", "{\"values\":[1,2,{\"a\":{\"number\":\"1\",\"month\":2,\"codes\":"
			      "[7,8,9]}}]}"),
		 find_in_values, "/a"},
		{EVENT("any", "[{\"number\":\"1\",\"month\":2,\"codes\":[0,0,0]}]"), find_payload,
		 "/0"},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t unused;

		trace[0] = '\0';
		test.find = rows[i].find;
		test.pointer = rows[i].pointer;
		run(service, rows[i].json, &unused);
		assert_int_equal(test.status, HERALD_OK);
		assert_string_equal(trace, "1,2,3");
	}
	herald_service_destroy(service);
}

#define MONTH "{\"number\":\"1\",\"month\":@13}"
#define TOO_LARGE "month: expected an integer from 1 to 12, found 13"

static void
test_errors(void **state)
{
	static const struct {
		const char *json;
		find_function *find;
		const char *pointer, *path;
		enum herald_status status;
		const char *message;
	} rows[] = {
		{EVENT("pay", "{\"id\":\"\\u0061\",\"the/details\":" MONTH "}"), find_details, "",
		 "/payload/the~1details/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"the/details\": {\"a\":[0,{\"\\u0062/\":" MONTH "}]}}"),
		 find_details, "/a/1/b~1", "/payload/the~1details/a/1/b~1/month",
		 HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"part\":{\"json\":" MONTH "}}"), find_part, "",
		 "/payload/part/json/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"behind\":{\"json\":" MONTH "}}"), find_behind, "",
		 "/payload/behind/json/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"parts\":[{\"json\":{}},{\"json\":" MONTH "}]}"), find_in_parts,
		 "", "/payload/parts/1/json/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"values\":[{},[],[" MONTH "]]}"), find_in_values, "/0",
		 "/payload/values/2/0/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"map\":{\"a\":\"b\",\"c~d\":" MONTH "}}"), find_in_map, "",
		 "/payload/map/c~0d/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"names\":{\"a\":[],\"b/\":" MONTH "}}"), find_in_names, "",
		 "/payload/names/b~1/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"pair\":[{},{\"json\":" MONTH "}]}"), find_in_pair, "",
		 "/payload/pair/1/json/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"two\":[1,{\"a\":" MONTH "}]}"), find_in_two, "/a",
		 "/payload/two/1/a/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("any", "{\"a\":" MONTH "}"), find_payload, "/a", "/payload/a/month",
		 HERALD_OUT_OF_RANGE, TOO_LARGE},
		/* The value itself is wrong: it has no name of its own in the schema. */
		{EVENT("any", "@[1]"), find_payload, "", "/payload", HERALD_BAD_TYPE,
		 "payload: expected an object, found an array"},
		{EVENT("any", "{\"a\":[0,@null]}"), find_payload, "/a/1", "/payload/a/1",
		 HERALD_BAD_TYPE, "a/1: expected an object, found null"},
		{EVENT("any", "@{}"), find_payload, "", "/payload/number", HERALD_MISSING,
		 "number is required, but missing"},
		{EVENT("any", "{\"number\":\"1\",@\"number\":\"2\"}"), find_payload, "",
		 "/payload/number", HERALD_DUPLICATE, "number is a duplicate member"},
		/* The payload is read before its type is known. */
		{"{\"payload\":{\"the/details\":" MONTH "},\"event_type\":\"pay\","
		 "\"timestamp\":\"2024-08-20T05:21:19Z\"}",
		 find_details, "", "/payload/the~1details/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
		{"{\"event_type\":\"pay\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"metadata\":"
		 "{\"card\":" MONTH "},\"payload\":{}}",
		 find_in_metadata, "", "/metadata/card/month", HERALD_OUT_OF_RANGE, TOO_LARGE},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t offset;

		test.find = rows[i].find;
		test.pointer = rows[i].pointer;
		run(service, rows[i].json, &offset);
		check_error(rows[i].status, rows[i].path, offset, rows[i].message);
	}
	herald_service_destroy(service);
}

/* JSON that is not from the event, and JSON that is not there. */
static enum herald_verdict
decode_others(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json none = {NULL, 0};
	struct herald_error error;
	struct card card;

	(void)payload;
	(void)state;
	assert_int_equal(herald_context_decode(ctx, &card_schema, &none, &card, &error),
			 HERALD_MISSING);
	assert_string_equal(error.path, "");
	assert_true(error.offset == HERALD_NO_OFFSET);
	assert_int_equal(herald_context_decode(ctx, &card_schema, &none, &card, NULL),
			 HERALD_MISSING);

	const struct herald_schema bad = {.name = "bad", .bytes = 1, .alignment = 1};
	struct herald_json foreign = find_foreign(ctx, payload);
	assert_int_equal(herald_context_decode(ctx, &bad, &foreign, &card, &error),
			 HERALD_BAD_SCHEMA);

	/* Any JSON decodes to a copy of it. */
	struct herald_json copy;
	assert_int_equal(herald_context_decode(ctx, &herald_json_schema, &foreign, &copy, &error),
			 HERALD_OK);
	assert_int_equal(copy.bytes, foreign.bytes);
	assert_memory_equal(copy.data, foreign.data, copy.bytes);
	note("others");
	return HERALD_DONE;
}

static void
test_other_json(void **state)
{
	const struct herald_route others[] = {
		{.event_type = "others", .schema = &herald_json_schema, .function = decode_others},
		{.event_type = "any", .schema = &herald_json_schema, .function = decode_card},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(others), .log = debug_log));
	size_t unused;

	(void)state;
	trace[0] = '\0';
	run(service, EVENT("others", "1"), &unused);
	assert_string_equal(trace, "others");
	test.find = find_foreign;
	test.pointer = "/x";
	run(service, EVENT("any", "1"), &unused);
	check_error(HERALD_OUT_OF_RANGE, "/month", 22, TOO_LARGE);
	herald_service_destroy(service);
}

/* What was decoded has raw JSON, too, which is in a copy: its errors are in the event all the
 * same. */

static struct herald_json
find_in_copy(const struct herald_context *ctx, const void *payload)
{
	struct herald_json json = find_details(ctx, payload);
	struct payment payment;

	/* The context is constant for those that only look. */
	assert_int_equal(herald_context_decode((struct herald_context *)ctx, &payment_schema, &json,
					       &payment, NULL),
			 HERALD_OK);
	return payment.parts[1].json;
}

static struct herald_json
find_in_copy_of_copy(const struct herald_context *ctx, const void *payload)
{
	struct herald_json json = find_in_copy(ctx, payload);
	struct old old;
	struct part other;

	assert_int_equal(
		herald_context_decode((struct herald_context *)ctx, &old_schema, &json, &old, NULL),
		HERALD_OK);
	/* Another copy in between. */
	assert_int_equal(herald_context_decode((struct herald_context *)ctx, &part_schema, &json,
					       &other, NULL),
			 HERALD_OK);
	return old.extra;
}

static struct herald_json
find_in_foreign_copy(const struct herald_context *ctx, const void *payload)
{
	static const char text[] = " {\"json\":{\"number\":\"1\",\"month\":13}}";
	const struct herald_json json = {text + 1, sizeof(text) - 2};
	struct part part;

	(void)payload;
	assert_int_equal(herald_context_decode((struct herald_context *)ctx, &part_schema, &json,
					       &part, NULL),
			 HERALD_OK);
	return part.json;
}

static void
test_copies(void **state)
{
	static const struct {
		const char *json;
		find_function *find;
		const char *pointer, *path;
		enum herald_status status;
		const char *message;
	} rows[] = {
		{EVENT("pay", "{\"id\":\"\\u0061\",\"the/details\":{\"id\":\"\\u0062\",\"parts\":"
			      "[{},{\"json\":" MONTH "}]}}"),
		 find_in_copy, "", "/payload/the~1details/parts/1/json/month", HERALD_OUT_OF_RANGE,
		 TOO_LARGE},
		{EVENT("pay",
		       "{\"the/details\":{\"parts\":[{},{\"json\":[0,{\"a\":" MONTH "}]}]}}"),
		 find_in_copy, "/1/a", "/payload/the~1details/parts/1/json/1/a/month",
		 HERALD_OUT_OF_RANGE, TOO_LARGE},
		{EVENT("pay", "{\"the/details\":{\"parts\":[{},{\"json\":@[]}]}}"), find_in_copy,
		 "", "/payload/the~1details/parts/1/json", HERALD_BAD_TYPE,
		 "json: expected an object, found an array"},
		{EVENT("pay",
		       "{\"the/details\":{\"parts\":[{},{\"json\":{\"extra\":{\"\\u0078\":" MONTH
		       "}}}]}}"),
		 find_in_copy_of_copy, "/x", "/payload/the~1details/parts/1/json/extra/x/month",
		 HERALD_OUT_OF_RANGE, TOO_LARGE},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));
	size_t offset;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		test.find = rows[i].find;
		test.pointer = rows[i].pointer;
		run(service, rows[i].json, &offset);
		check_error(rows[i].status, rows[i].path, offset, rows[i].message);
	}
	/* Of JSON that is not from the event. */
	test.find = find_in_foreign_copy;
	test.pointer = "";
	run(service, EVENT("any", "{}"), &offset);
	check_error(HERALD_OUT_OF_RANGE, "/month", 22, TOO_LARGE);
	herald_service_destroy(service);
}

/* An upcaster gives the function another struct, but the error is in the event that came. */

static enum herald_verdict
old_to_payment(struct herald_context *ctx, const struct old *from, struct payment *to)
{
	(void)ctx;
	to->details = from->extra;
	return HERALD_DONE;
}
HERALD_UPCASTER(old_to_payment, old, payment);

static void
test_upcasting(void **state)
{
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("pay", "1", old, "2", payment, old_to_payment)};
	const struct herald_route versions[] = {{.event_type = "pay",
						 .version = "2",
						 .schema = &payment_schema,
						 .function = decode_card}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(versions), HERALD_UPCASTERS(upcasters), .log = debug_log));
	size_t offset;

	(void)state;
	test.find = find_details;
	test.pointer = "";
	run(service, VERSIONED("pay", "1", "{\"extra\":" MONTH "}"), &offset);
	check_error(HERALD_OUT_OF_RANGE, "/payload/extra/month", offset, TOO_LARGE);
	run(service, VERSIONED("pay", "2", "{\"the/details\":" MONTH "}"), &offset);
	check_error(HERALD_OUT_OF_RANGE, "/payload/the~1details/month", offset, TOO_LARGE);
	herald_service_destroy(service);
}

static void
test_webhooks(void **state)
{
	static const struct {
		const char *payload_from, *json, *path;
	} rows[] = {
		{NULL, "{\"type\":\"pay\",\"the/details\":" MONTH "}", "/the~1details/month"},
		{"/a/b", "{\"type\":\"pay\",\"a\":{\"b\":{\"the/details\":" MONTH "}}}",
		 "/a/b/the~1details/month"},
	};

	(void)state;
	test.find = find_details;
	test.pointer = "";
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_format *format = NULL;
		size_t offset;

		assert_int_equal(
			herald_webhook_create(
				&HERALD_WEBHOOK_OPTIONS(.type = {.pointer = "/type"},
							.payload_from = rows[i].payload_from),
				&format, NULL),
			HERALD_OK);
		struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
			HERALD_ROUTES(routes), ONE_FORMAT(format), .log = debug_log));
		run(service, rows[i].json, &offset);
		check_error(HERALD_OUT_OF_RANGE, rows[i].path, offset, TOO_LARGE);
		herald_service_destroy(service);
		herald_format_destroy(format);
	}
}

#define STRUCTURED(MEMBERS)                                                                        \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"any\"," MEMBERS "}"

static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	(void)state;
	(void)(visit("ce-specversion", "1.0", visit_state) && visit("ce-id", "1", visit_state) &&
	       visit("ce-source", "/s", visit_state) && visit("ce-type", "any", visit_state));
}

static const char *
find_header(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "ce-specversion") == 0 ? "1.0"
	       : strcmp(name, "ce-id") == 0        ? "1"
	       : strcmp(name, "ce-source") == 0    ? "/s"
	       : strcmp(name, "ce-type") == 0      ? "any"
						   : NULL;
}

static void
test_cloudevents(void **state)
{
	static const struct {
		const char *type, *json; /* no type: the attributes are headers */
		find_function *find;
		const char *path;
		bool moved; /* the format has copied the JSON: there is no offset */
	} rows[] = {
		{"application/cloudevents+json", STRUCTURED("\"data\":{\"a\":" MONTH "}"),
		 find_payload, "/data/a/month", false},
		/* {"a":{"number":"1","month":13}} */
		{"application/cloudevents+json",
		 STRUCTURED("\"data_base64\":\"eyJhIjp7Im51bWJlciI6IjEiLCJtb250aCI6MTN9fQ==\""),
		 find_payload, "/data_base64/a/month", true},
		{"application/cloudevents+json",
		 STRUCTURED("\"card\":{\"a\":" MONTH "},\"data\":0"), find_in_metadata,
		 "/card/a/month", true},
		{NULL, "{\"a\":" MONTH "}", find_payload, "/a/month", false},
	};
	const struct herald_format *format = NULL;

	(void)state;
	assert_int_equal(herald_cloudevents_create(
				 &HERALD_CLOUDEVENTS_OPTIONS(.decode = {.json_extensions = true}),
				 &format, NULL),
			 HERALD_OK);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), ONE_FORMAT(format), .log = debug_log));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *mark = strchr(rows[i].json, '@');
		struct herald_arrival arrival =
			HERALD_ARRIVAL(.attribute = find_header, .attributes_visit = visit_headers,
				       .content_type = "application/json");
		struct herald_result result;
		char event[500];

		if (rows[i].type)
			arrival = HERALD_ARRIVAL(.content_type = rows[i].type);
		snprintf(event, sizeof(event), "%.*s%s", (int)(mark ? mark - rows[i].json : 0),
			 rows[i].json, mark ? mark + 1 : rows[i].json);
		test.find = rows[i].find;
		test.pointer = "/a";
		herald_service_handle_with(service, event, strlen(event), &arrival, &result);
		check_verdict(&result, HERALD_DONE, "");
		check_error(HERALD_OUT_OF_RANGE, rows[i].path,
			    rows[i].moved ? HERALD_NO_OFFSET : (size_t)(mark - rows[i].json),
			    TOO_LARGE);
	}
	herald_service_destroy(service);
	herald_format_destroy(format);
}

/* Kept bytes do not change where errors are. */
static void
ignore_rejected(struct herald_handler *handler, struct herald_context *ctx,
		const struct herald_rejection *rejection)
{
	(void)handler;
	(void)ctx;
	(void)rejection;
}

static void
test_kept_bytes(void **state)
{
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "rejected", .rejected = ignore_rejected};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .log = debug_log));
	size_t offset;

	(void)state;
	test.find = find_payload;
	test.pointer = "";
	run(service, EVENT("any", MONTH), &offset);
	check_error(HERALD_OUT_OF_RANGE, "/payload/month", offset, TOO_LARGE);
	herald_service_destroy(service);
}

/* Every allocation fails once: the event ends, or the decoding fails, and nothing leaks. */
static enum herald_verdict
decode_or_retry(struct herald_context *ctx, const void *payload, void *state)
{
	struct card card = {.month = 99};

	(void)state;
	test.status = herald_context_decode(ctx, &card_schema, payload, &card, &test.error);
	if (test.status == HERALD_OK)
		return HERALD_DONE;
	assert_int_equal(test.status, HERALD_NO_MEMORY);
	assert_int_equal(card.month, 99);
	return herald_retry(ctx, "%s", test.error.message);
}

static void
test_every_allocation_fails(void **state)
{
	const struct herald_route any[] = {
		{.event_type = "any", .schema = &herald_json_schema, .function = decode_or_retry}};
	size_t failed = 0;

	(void)state;
	for (size_t at = 1;; at++) {
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_NEVER, 0);
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(any), .allocator = memory.allocator));
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + at;
		struct herald_result result =
			handle(service, EVENT("any", "{\"number\":\"1\",\"codes\":[1,2,3]}"));
		size_t failures = memory.failures;

		failed += result.verdict == HERALD_RETRY && result.status == HERALD_OK;
		memory.mode = FAIL_NEVER;
		result = handle(service, EVENT("any", "{\"number\":\"1\"}"));
		check_verdict(&result, HERALD_DONE, "");
		herald_service_destroy(service);
		assert_all_released(&memory);
		if (failures == 0)
			break;
	}
	assert_true(failed > 0);
}

static void
test_memory_limit(void **state)
{
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .max_arena_bytes = 1024, .log = debug_log));
	char event[1200];
	size_t unused;

	(void)state;
	snprintf(event, sizeof(event), EVENT("any", "{\"number\":\"%0900d\"}"), 1);
	test.find = find_payload;
	test.pointer = "";
	run(service, event, &unused);
	assert_int_equal(test.status, HERALD_LIMIT);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_decoding, events_setup),
		cmocka_unit_test_setup(test_errors, events_setup),
		cmocka_unit_test_setup(test_other_json, events_setup),
		cmocka_unit_test_setup(test_copies, events_setup),
		cmocka_unit_test_setup(test_upcasting, events_setup),
		cmocka_unit_test_setup(test_webhooks, events_setup),
		cmocka_unit_test_setup(test_cloudevents, events_setup),
		cmocka_unit_test_setup(test_kept_bytes, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
		cmocka_unit_test_setup(test_memory_limit, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
