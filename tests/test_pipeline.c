/*
 * The way of an event through a service: decoding, routing, upcasting, limits, and memory that runs
 * out. What hooks and functions say is in test_handler.c.
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
#include "support/failing_allocator.h"

struct user {
	const char *user_id;
	const char *username;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, user_id, .required = true), HERALD_FIELD(user, username));

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, void *state)
{
	(void)ctx;
	(void)state;
	note("%s:%s", user->user_id, user->username ? user->username : "NULL");
	return HERALD_DONE;
}

static enum herald_verdict
on_user_erased(struct herald_context *ctx, const void *payload, void *state)
{
	return on_user(ctx, payload, state);
}

#define USER_ROUTE(...)                                                                            \
	{                                                                                          \
		.schema = &user_schema, .function = on_user_erased, __VA_ARGS__                    \
	}

static const struct herald_route user_routes[] = {USER_ROUTE(.event_type = "user")};

#define USER_OPTIONS(...)                                                                          \
	HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), .log = debug_log, __VA_ARGS__)

/* Messages and payloads. */

static void
test_payloads(void **state)
{
	static const struct {
		const char *json, *trace;
	} rows[] = {
		{EVENT("user", "{\"user_id\":\"1\",\"username\":\"a\"}"), "1:a"},
		{EVENT("user", " { \"username\" : \"\\u00e9\" , \"user_id\" : \"\" } "),
		 ":\xC3\xA9"},
		{EVENT("user", "{\"user_id\":\"1\",\"username\":null,\"more\":[{}]}"), "1:NULL"},
		{VERSIONED("user", "17", "{\"user_id\":\"1\"}"), "1:NULL"},
		{"{\"payload\":{\"user_id\":\"first\"},\"event_type\":\"user\","
		 "\"timestamp\":\"2024-08-20T05:21:19Z\",\"metadata\":{}}",
		 "first:NULL"},
	};
	struct herald_service *service = create_service(&USER_OPTIONS(.unknown = 0));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		struct herald_result result = handle(service, rows[i].json);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].trace);
	}
	herald_service_destroy(service);
}

static void
test_rejected_events(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
	} rows[] = {
		{"", HERALD_BAD_JSON, "", 0},
		{"invalid json", HERALD_BAD_JSON, "", 0},
		{"{\"event_type\":\"user\"}", HERALD_MISSING, "/timestamp", 0},
		{EVENT("", "{}"), HERALD_BAD_LENGTH, "/event_type", 49},
		{EVENT("user", "{\"user_id\":7}"), HERALD_BAD_TYPE, "/payload/user_id", 77},
		{EVENT("user", "{\"user_id\":\"1\\u0000\"}"), HERALD_BAD_VALUE, "/payload/user_id",
		 79},
		{EVENT("user", "[]"), HERALD_BAD_TYPE, "/payload", 66},
		{EVENT("user", "{}"), HERALD_MISSING, "/payload/user_id", 66},
		{EVENT("user", "{\"user_id\":}"), HERALD_BAD_JSON, "/payload/user_id", 77},
		/* No payload is an empty one. */
		{EVENT("user", "null"), HERALD_MISSING, "/payload/user_id", 66},
		{WITHOUT_PAYLOAD("user"), HERALD_MISSING, "/payload/user_id", 0},
		{EVENT("use", "{}"), HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET},
		{EVENT("*", "{}"), HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET},
	};
	struct herald_service *service = create_service(&USER_OPTIONS(.unknown = 0));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle(service, rows[i].json);

		check_rejected(&result, rows[i].status, rows[i].path, rows[i].offset);
	}
	assert_string_equal(trace, "");
	herald_service_destroy(service);
}

static void
test_no_bytes_at_all(void **state)
{
	struct herald_service *service = create_service(&USER_OPTIONS(.unknown = 0));
	struct herald_result result;

	(void)state;
	herald_service_handle(service, NULL, 0, &result);
	check_rejected(&result, HERALD_BAD_JSON, "", 0);
	herald_service_destroy(service);
}

static enum herald_verdict
on_any(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *json = payload;
	const char *type = herald_context_message(ctx)->event_type;

	(void)state;
	if (json->data)
		note("%s=%.*s", type, (int)json->bytes, json->data);
	else
		note("%s absent", type);
	return HERALD_DONE;
}

static void
test_any_payload(void **state)
{
	const struct herald_route routes[] = {
		{.event_type = "any", .schema = &herald_json_schema, .function = on_any},
		USER_ROUTE(.event_type = "user", .version = "1"),
		{.event_type = HERALD_ANY_TYPE, .schema = &herald_json_schema, .function = on_any},
	};
	static const struct {
		const char *json, *trace;
	} rows[] = {
		{EVENT("any", " {\"a\": [1]} "), "any={\"a\": [1]}"},
		{EVENT("any", "\"t\""), "any=\"t\""},
		{EVENT("any", "null"), "any=null"},
		{WITHOUT_PAYLOAD("any"), "any absent"},
		{EVENT("else", "7"), "else=7"},
		/* A version that the type's routes do not take goes to the catch-all too. */
		{VERSIONED("user", "2", "8"), "user=8"},
		{VERSIONED("user", "1", "{\"user_id\":\"9\"}"), "9:NULL"},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		assert_int_equal(handle(service, rows[i].json).status, HERALD_OK);
		assert_string_equal(trace, rows[i].trace);
	}
	herald_service_destroy(service);
}

static void
test_unknown_events(void **state)
{
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user", .version = "1.x")};
	struct herald_service_options options = {
		.struct_size = sizeof(options), HERALD_ROUTES(routes), .log = debug_log};
	struct herald_service *service = create_service(&options);
	struct herald_result result = handle(service, VERSIONED("user", "2\\n", "{}"));

	(void)state;
	check_rejected(&result, HERALD_UNKNOWN_VERSION, "/metadata/version", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message,
			    "no route takes version \"2\\n\" of event type \"user\"");
	result = handle(service, EVENT("user", "{}"));
	check_rejected(&result, HERALD_UNKNOWN_VERSION, "/metadata/version", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message,
			    "no route takes event type \"user\" without a version; expected one at "
			    "/metadata/version");
	result = handle(service, EVENT("users", "{}"));
	check_rejected(&result, HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message, "no route takes event type \"users\"");
	herald_service_destroy(service);

	options.unknown = HERALD_UNKNOWN_IGNORE;
	service = create_service(&options);
	logged[0] = '\0';
	result = handle(service, VERSIONED("user", "2", "not JSON that anyone reads? no: 1"));
	check_rejected(&result, HERALD_BAD_JSON, "/payload", 93);
	logged[0] = '\0';
	result = handle(service, VERSIONED("user", "2", "[]"));
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(
		logged, "debug: event ignored event_type=user version=2 verdict=done took=some\n");
	herald_service_destroy(service);
	assert_string_equal(trace, "");
}

/* Limits. */

static void
test_event_size(void **state)
{
	static const char event[] = EVENT("user", "{\"user_id\":\"1\"}");
	struct herald_service *service =
		create_service(&USER_OPTIONS(.max_event_bytes = sizeof(event) - 1));
	struct herald_result result = handle(service, event);

	(void)state;
	check_verdict(&result, HERALD_DONE, "");
	herald_service_destroy(service);

	service = create_service(&USER_OPTIONS(.max_event_bytes = sizeof(event) - 2));
	result = handle(service, event);
	check_rejected(&result, HERALD_TOO_LARGE, "", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message, "the event is larger than 81 bytes");
	herald_service_destroy(service);
}

struct big {
	char room[4000];
};
HERALD_SCHEMA(big, HERALD_FIELD(big, room));

static enum herald_verdict
grow(struct herald_context *ctx, const struct user *from, struct big *to)
{
	(void)ctx;
	(void)from;
	to->room[0] = 'x';
	return HERALD_DONE;
}
HERALD_UPCASTER(grow, user, big);

static enum herald_verdict
take_memory(struct herald_context *ctx, const void *payload, void *state)
{
	(void)payload;
	*(bool *)state = herald_context_alloc(ctx, 100000) == NULL;
	return HERALD_DONE;
}

static void
test_memory_of_an_event_is_limited(void **state)
{
	bool refused = false;
	const struct herald_route routes[] = {
		{.event_type = "big", .schema = &big_schema, .function = take_memory},
		{.event_type = "grown",
		 .schema = &big_schema,
		 .version = "2",
		 .function = take_memory},
		{.event_type = "small",
		 .schema = &user_schema,
		 .function = take_memory,
		 .state = &refused},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("grown", "1", user, "2", big, grow)};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters), .max_arena_bytes = 2000));

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct herald_result result = handle(service, EVENT("big", "{}"));
		check_rejected(&result, HERALD_LIMIT, "", HERALD_NO_OFFSET);
		assert_string_equal(result.error.message,
				    "the event needs more than 2000 bytes of memory");
		result = handle(service, VERSIONED("grown", "1", "{\"user_id\":\"1\"}"));
		check_rejected(&result, HERALD_LIMIT, "", HERALD_NO_OFFSET);
		refused = false;
		result = handle(service, EVENT("small", "{\"user_id\":\"1\"}"));
		check_verdict(&result, HERALD_DONE, "");
		assert_true(refused);
	}
	herald_service_destroy(service);
}

static void
test_limits_of_the_decoder(void **state)
{
	struct herald_service *service = create_service(&USER_OPTIONS(.limits = {.max_depth = 3}));
	struct herald_result result =
		handle(service, EVENT("user", "{\"user_id\":\"1\",\"a\":[1]}"));

	(void)state;
	check_verdict(&result, HERALD_DONE, "");
	result = handle(service, EVENT("user", "{\"user_id\":\"1\",\"a\":[[1]]}"));
	assert_int_equal(result.status, HERALD_LIMIT);
	herald_service_destroy(service);
}

/* Upcasting. */

struct order_v1 {
	const char *sku;
};
struct order_v2 {
	const char *skus[2];
	size_t skus_count;
};
struct order_v3 {
	const char *sku;
	struct order_v2 *before;
	uint32_t zero;
	uint32_t count;
};
HERALD_SCHEMA(order_v1, HERALD_FIELD(order_v1, sku, .required = true));
HERALD_SCHEMA(order_v2, HERALD_PRIVATE(order_v2, skus), HERALD_FIELD(order_v2, skus_count));
HERALD_SCHEMA(order_v3, HERALD_FIELD(order_v3, sku), HERALD_PRIVATE(order_v3, before),
	      HERALD_FIELD(order_v3, zero), HERALD_FIELD(order_v3, count, .key = "count"));

/* What the first upcaster is to answer. */
static char upcaster_says;

static enum herald_verdict
order_1_to_2(struct herald_context *ctx, const struct order_v1 *from, struct order_v2 *to)
{
	note("1-2(%s)", ((const struct order_v1 *)herald_context_payload(ctx))->sku);
	assert_null(to->skus[1]);
	to->skus[0] = from->sku;
	to->skus_count = 1;
	switch (upcaster_says) {
	case 'F':
		return herald_fail_status(ctx, 409, "taken");
	case 'R':
		return herald_retry_after(ctx, 1500, "busy now");
	case 'f':
		return HERALD_FAIL;
	case '?':
		return (enum herald_verdict)7;
	default:
		return HERALD_DONE;
	}
}
HERALD_UPCASTER(order_1_to_2, order_v1, order_v2);

static enum herald_verdict
order_2_to_3(struct herald_context *ctx, const struct order_v2 *from, struct order_v3 *to)
{
	note("2-3(%zu)", from->skus_count);
	assert_null(to->sku);
	assert_int_equal(to->zero, 0);
	to->before = herald_context_alloc(ctx, sizeof(*to->before));
	*to->before = *from;
	to->sku = from->skus[0];
	to->count = (uint32_t)from->skus_count;
	return HERALD_DONE;
}
HERALD_UPCASTER(order_2_to_3, order_v2, order_v3);

struct shop {
	int orders;
};

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order_v3 *order, struct shop *shop)
{
	assert_ptr_equal(herald_context_payload(ctx), order);
	note("f(%s,%u)", order->sku ? order->sku : "NULL", order->count);
	shop->orders++;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order_v3, shop);

static enum herald_verdict
see_order(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct order_v3 *order = herald_context_payload(ctx);

	(void)handler;
	note("b(%u)", order->count);
	return HERALD_DONE;
}

static enum herald_verdict
see_order_after(struct herald_handler *handler, struct herald_context *ctx,
		enum herald_verdict result)
{
	(void)handler;
	(void)ctx;
	note("a(%s)", herald_verdict_name(result));
	return HERALD_DONE;
}

static const struct herald_handler_ops see_order_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "see_order",
	.before = see_order,
	.after = see_order_after,
};

static void
test_upcasters(void **state)
{
	struct shop shop = {0};
	struct herald_handler handler = {.ops = &see_order_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, &shop, .version = "3")};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};
	static const struct {
		const char *json, *trace;
	} rows[] = {
		{VERSIONED("order", "1", "{\"sku\":\"a\"}"), "1-2(a) 2-3(1) b(1) f(a,1) a(done)"},
		{VERSIONED("order", "2", "{\"skus_count\":5}"), "2-3(5) b(5) f(NULL,5) a(done)"},
		{VERSIONED("order", "3", "{\"sku\":\"c\",\"count\":9}"), "b(9) f(c,9) a(done)"},
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_HANDLERS(handlers), .log = debug_log));

	(void)state;
	upcaster_says = 'D';
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		struct herald_result result = handle(service, rows[i].json);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].trace);
		assert_int_equal(shop.orders, i + 1);
	}

	/* The payload must be of the version's own struct. */
	struct herald_result result =
		handle(service, VERSIONED("order", "1", "{\"skus_count\":5}"));
	check_rejected(&result, HERALD_MISSING, "/payload/sku", 94);
	herald_service_destroy(service);
}

/* The four members of an event, in the order that `order` counts: 0 to 23. */
static void
write_event(const char *const members[4], unsigned order, char *out, size_t size)
{
	const char *left[4] = {members[0], members[1], members[2], members[3]};
	size_t used = 0;

	for (size_t count = 4; count > 0; order /= (unsigned)count, count--) {
		size_t pick = order % count;

		used += (size_t)snprintf(out + used, size - used, "%c%s", count == 4 ? '{' : ',',
					 left[pick]);
		memmove(&left[pick], &left[pick + 1], (count - pick - 1) * sizeof(*left));
	}
	assert_true(used + 1 < size);
	strcpy(out + used, "}");
}

/* Where an event goes does not depend on what is known when its payload is read. */
static void
test_members_in_any_order(void **state)
{
	struct shop shop = {0};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, &shop, .version = "3"),
		USER_ROUTE(.event_type = "user"),
		USER_ROUTE(.event_type = "member", .version = "1"),
		{.event_type = "any", .schema = &herald_json_schema, .function = on_any},
		{.event_type = HERALD_ANY_TYPE, .schema = &herald_json_schema, .function = on_any},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
	};
	static const struct {
		const char *type, *version, *payload, *trace;
	} rows[] = {
		{"order", "1", "{\"sku\":\"a\"}", "1-2(a) 2-3(1) f(a,1)"},
		{"order", "3", "{\"sku\":\"a\",\"count\":7}", "f(a,7)"},
		{"order", "4", "{\"sku\":[\"\\u0041\"]}", "order={\"sku\":[\"\\u0041\"]}"},
		{"user", "9", "{\"user_id\":\"\\u0041\",\"x\":{}}", "A:NULL"},
		{"member", "1", "{\"user_id\":\"u\",\"username\":\"n\"}", "u:n"},
		{"member", "2", "{\"user_id\":7}", "member={\"user_id\":7}"},
		{"any", "1", "{ \"a\\n\" : [-1.5e3] }", "any={ \"a\\n\" : [-1.5e3] }"},
		{"else", "", "[{}]", "else=[{}]"},
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)));

	(void)state;
	upcaster_says = 'D';
	for (size_t i = 0; i < COUNT(rows); i++) {
		char texts[4][100], event[400];
		const char *const members[4] = {texts[0], texts[1], texts[2], texts[3]};

		snprintf(texts[0], sizeof(texts[0]), "\"event_type\":\"%s\"", rows[i].type);
		snprintf(texts[1], sizeof(texts[1]), "\"timestamp\":\"2024-08-20T05:21:19Z\"");
		snprintf(texts[2], sizeof(texts[2]), "\"payload\": %s", rows[i].payload);
		snprintf(texts[3], sizeof(texts[3]), "\"metadata\":{\"version\":\"%s\"}",
			 rows[i].version);
		for (unsigned order = 0; order < 24; order++) {
			write_event(members, order, event, sizeof(event));
			trace[0] = '\0';
			struct herald_result result = handle(service, event);
			check_verdict(&result, HERALD_DONE, "");
			assert_string_equal(trace, rows[i].trace);
		}
	}
	herald_service_destroy(service);
}

/* The end of a payload that is put off is found wherever escapes, quotes and brackets stand in it. */
static void
test_escapes_anywhere_in_a_payload(void **state)
{
	static const char digits[] = "0123456789012345678901234567890123456789";
	/* Two versions, so that the route is not known before the payload, which is last. */
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user"),
					      USER_ROUTE(.event_type = "user", .version = "1")};
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"\\\"", "\""},
		{"\\\\", "\\"},
		{"\\\\\\\"}", "\\\"}"},
		{"}\\\"{\\\\]", "}\"{\\]"},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int bytes = 0; bytes < 80; bytes++) {
			char event[300], expected[200];
			int before = bytes / 2, behind = bytes - before;

			snprintf(event, sizeof(event),
				 EVENT("user", "{\"user_id\":\"%.*s%s\",\"username\":\"%.*s%s\"}"),
				 before, digits, rows[i].json, behind, digits, rows[i].json);
			snprintf(expected, sizeof(expected), "%.*s%s:%.*s%s", before, digits,
				 rows[i].text, behind, digits, rows[i].text);
			trace[0] = '\0';
			struct herald_result result = handle(service, event);
			check_verdict(&result, HERALD_DONE, "");
			assert_string_equal(trace, expected);
		}
	}
	herald_service_destroy(service);
}

/* Of two errors the one that is read first is told: the message's, unless the payload is read with it. */
static void
test_the_first_of_two_errors(void **state)
{
#define MEMBER_TYPE "\"event_type\":\"user\""
#define BAD_PAYLOAD "\"payload\":{\"user_id\":7}"
#define BAD_TIME "\"timestamp\":\"today\""
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *log;
	} rows[] = {
		{"{" MEMBER_TYPE "," BAD_PAYLOAD "," BAD_TIME "}", HERALD_BAD_TYPE,
		 "/payload/user_id", 42, "event_type=user verdict=fail status=HERALD_BAD_TYPE"},
		{"{" MEMBER_TYPE "," BAD_TIME "," BAD_PAYLOAD "}", HERALD_BAD_TIME, "/timestamp",
		 33, "verdict=fail status=HERALD_BAD_TIME"},
		{"{" BAD_PAYLOAD "," MEMBER_TYPE "," BAD_TIME "}", HERALD_BAD_TIME, "/timestamp",
		 57, "verdict=fail status=HERALD_BAD_TIME"},
		/* What follows a payload that is right is as wrong as before. */
		{"{" MEMBER_TYPE ",\"payload\":{\"user_id\":\"\"}," BAD_TIME "}", HERALD_BAD_TIME,
		 "/timestamp", 58, "verdict=fail status=HERALD_BAD_TIME"},
		{"{" MEMBER_TYPE ",\"payload\":{\"user_id\":\"\"}," BAD_PAYLOAD "}",
		 HERALD_DUPLICATE, "/payload", 46, "verdict=fail status=HERALD_DUPLICATE"},
	};
	struct herald_service *service = create_service(&USER_OPTIONS(.unknown = 0));
	struct herald_route_statistics route;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		logged[0] = '\0';
		struct herald_result result = handle(service, rows[i].json);
		check_rejected(&result, rows[i].status, rows[i].path, rows[i].offset);
		assert_non_null(strstr(logged, rows[i].log));
	}
	/* The route's own is the payload's error. */
	assert_true(herald_service_route_statistics(service, 0, &route));
	assert_int_equal(route.rejected, 1);
	assert_string_equal(trace, "");
	herald_service_destroy(service);
}

/* A path is the same, however its keys have been read; of one that is too long the end is kept. */
static void
test_path_of_a_long_key_with_escapes(void **state)
{
#define LONG_KEY "{\"%s\\t\\u00e9\\ud83d\\ude00\":{\"x\":nonsense}}"
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(user_routes), .limits = {.max_key_bytes = 8192}));
	char event[8192], key[6000] = "", whole[1024];

	(void)state;
	for (int i = 0; i < 600; i++) {
		int bytes = snprintf(whole, sizeof(whole),
				     "/payload/%0*d\\t\xC3\xA9\xF0\x9F\x98\x80/x", i + 1, 0);
		const char *expected = whole;

		if (bytes > 255) {
			expected += bytes - 255;
			memcpy(whole + bytes - 255, "...", 3);
		}
		strcat(key, i % 7 == 0 ? "0" : "\\u0030");
		/* Decoded at once, and skipped before an error of the message. */
		for (int skipped = 0; skipped < 2; skipped++) {
			snprintf(event, sizeof(event),
				 skipped ? "{\"payload\":" LONG_KEY ",\"event_type\":7}"
					 : "{" MEMBER_TYPE ",\"payload\":" LONG_KEY "}",
				 key);
			struct herald_result result = handle(service, event);
			assert_int_equal(result.status, HERALD_BAD_JSON);
			assert_string_equal(result.error.path, expected);
		}
	}
	herald_service_destroy(service);
}

static void
test_upcaster_that_fails(void **state)
{
	static const struct {
		char saying;
		enum herald_verdict verdict;
		const char *reason;
		unsigned http_status;
		uint32_t retry_after_ms;
	} rows[] = {
		{'F', HERALD_FAIL, "taken", 409, 0},
		{'R', HERALD_RETRY, "busy now", 0, 1500},
		{'f', HERALD_FAIL, "the event failed", 0, 0},
		{'?', HERALD_FAIL, "the event failed", 0, 0},
	};
	struct shop shop = {0};
	struct herald_handler handler = {.ops = &see_order_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, &shop, .version = "3")};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_HANDLERS(handlers), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		upcaster_says = rows[i].saying;
		trace[0] = '\0';
		struct herald_result result =
			handle(service, VERSIONED("order", "1", "{\"sku\":\"a\"}"));
		check_verdict(&result, rows[i].verdict, rows[i].reason);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.retry_after_ms, rows[i].retry_after_ms);
		assert_string_equal(trace, "1-2(a)");
	}
	assert_non_null(strstr(logged, "error: a function returned a value that is not a verdict "
				       "event_type=order version=1 value=7 "
				       "upcaster=order_1_to_2\n"));
	herald_service_destroy(service);
}

/* A decode handler: "TYPE VERSION PAYLOAD", each up to the next blank. */

struct tenant_message {
	struct herald_message message;
	const char *tenant;
};
HERALD_SCHEMA(tenant_message, HERALD_MESSAGE_FIELDS(tenant_message, message),
	      HERALD_FIELD(tenant_message, tenant, .required = true));

static char *
next_word(char **at, char *end)
{
	char *word = *at, *blank = memchr(word, ' ', (size_t)(end - word));

	if (!blank)
		return NULL;
	*blank = '\0';
	*at = blank + 1;
	return word;
}

static enum herald_status
decode_words(struct herald_handler *handler, struct herald_context *ctx, char *data, size_t bytes,
	     struct herald_message *out, struct herald_error *error)
{
	struct tenant_message *message = (struct tenant_message *)out;
	struct herald_json_pair *version = herald_context_alloc(ctx, sizeof(*version));
	char *at = data, *end = data + bytes;

	assert_null(out->event_type);
	assert_null(message->tenant);
	assert_non_null(herald_context_slot(ctx, handler));
	assert_null(herald_context_message(ctx));
	assert_null(herald_context_payload(ctx));
	assert_null(herald_context_route(ctx));
	herald_context_log(ctx, HERALD_LOG_INFO, "decoding", NULL, 0);
	if (bytes == 0)
		return HERALD_BAD_FORMAT;
	if (*data == '?')
		return (enum herald_status)1000;
	if (*data == '!')
		return HERALD_NO_MEMORY;
	/* What is said here and comes to nothing must not be heard later. */
	herald_error_set(error, HERALD_BAD_JSON, 3, "given up");
	herald_fail_status(ctx, 418, "given up");

	out->event_type = next_word(&at, end);
	*version = (struct herald_json_pair){.key = "version", .text = next_word(&at, end)};
	if (!version->text)
		return herald_error_set(error, HERALD_BAD_FORMAT, (size_t)(at - data),
					"expected three words");
	out->metadata = (struct herald_json_map){version, 1};
	message->tenant = "from decode";
	if (end - at == 8 && memcmp(at, "constant", 8) == 0)
		out->payload = (struct herald_json){"{\"user_id\":\"con\\u0073tant\"}", 27};
	else if (end - at == 3 && memcmp(at, "bad", 3) == 0)
		out->payload = (struct herald_json){"{\"user_id\":7}", 13};
	else if (end - at == 5 && memcmp(at, "empty", 5) == 0)
		out->payload = (struct herald_json){"", 0};
	else if (end > at)
		out->payload = (struct herald_json){at, (size_t)(end - at)};
	return HERALD_OK;
}

static enum herald_verdict
note_tenant(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	note("%s", ((const struct tenant_message *)herald_context_message(ctx))->tenant);
	return HERALD_DONE;
}

static const struct herald_handler_ops decode_words_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "words",
	.decode = decode_words,
	.before = note_tenant,
};

static enum herald_verdict
only_fail(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_FAIL;
}

static void
test_decode_handler(void **state)
{
	static const struct {
		const char *event;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *trace;
		const char *message; /* what it begins with */
	} rows[] = {
		{"user 1 {\"user_id\":\"a\"}", HERALD_OK, "", HERALD_NO_OFFSET,
		 "from decode a:NULL", ""},
		{"user 1 constant", HERALD_OK, "", HERALD_NO_OFFSET, "from decode constant:NULL",
		 ""},
		{"", HERALD_BAD_FORMAT, "", HERALD_NO_OFFSET, "", ""},
		{"?", HERALD_BAD_FORMAT, "", HERALD_NO_OFFSET, "", ""},
		{"user", HERALD_BAD_FORMAT, "", 0, "", "expected three words"},
		{"user 1", HERALD_BAD_FORMAT, "", 5, "", "expected three words"},
		/* No paths of a message that the sender did not write. */
		{" 1 {}", HERALD_MISSING, "", HERALD_NO_OFFSET, "", "the event has no event type"},
		{"nobody 1 {}", HERALD_UNKNOWN_TYPE, "", HERALD_NO_OFFSET, "",
		 "no route takes event type \"nobody\""},
		{"user 2 {}", HERALD_UNKNOWN_VERSION, "", HERALD_NO_OFFSET, "",
		 "no route takes version \"2\" of event type \"user\""},
		{"user  {}", HERALD_UNKNOWN_VERSION, "", HERALD_NO_OFFSET, "",
		 "no route takes event type \"user\" without a version"},
		/* Those of the payload are its own; offsets are where it is part of the event. */
		{"user 1 {\"user_id\":7}", HERALD_BAD_TYPE, "/user_id", 18, "",
		 "in the payload: user_id: expected a string"},
		{"user 1 {\"user_id\":", HERALD_BAD_JSON, "/user_id", 18, "", "in the payload: "},
		{"user 1 [1]", HERALD_BAD_TYPE, "", 7, "", "in the payload: expected an object"},
		{"user 1 nulx", HERALD_BAD_JSON, "", 7, "",
		 "in the payload: expected a value, found nulx"},
		{"user 1 bad", HERALD_BAD_TYPE, "/user_id", HERALD_NO_OFFSET, "",
		 "in the payload: user_id: expected a string"},
		{"user 1 empty", HERALD_BAD_JSON, "", HERALD_NO_OFFSET, "", "in the payload: "},
		{"user 1 ", HERALD_MISSING, "/user_id", HERALD_NO_OFFSET, "",
		 "in the payload: user_id is required, but missing"},
		{"user 1 null", HERALD_MISSING, "/user_id", 7, "",
		 "in the payload: user_id is required, but missing"},
	};
	struct herald_handler handler = {.ops = &decode_words_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user", .version = "1")};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .envelope = &tenant_message_schema,
					HERALD_HANDLERS(handlers), .log = debug_log));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		logged[0] = '\0';
		struct herald_result result = handle(service, rows[i].event);
		if (rows[i].status == HERALD_OK)
			check_verdict(&result, HERALD_DONE, "");
		else
			check_rejected(&result, rows[i].status, rows[i].path, rows[i].offset);
		if (strncmp(result.error.message, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("expected %s, got %s", rows[i].message, result.error.message);
		assert_string_equal(trace, rows[i].trace);
		assert_int_equal(strncmp(logged, "info: decoding\n", 15), 0);
	}
	struct herald_result result = handle(service, "!");
	assert_int_equal(result.verdict, HERALD_RETRY);
	assert_int_equal(result.status, HERALD_NO_MEMORY);
	assert_string_equal(result.error.message, "out of memory");
	herald_service_destroy(service);
}

/* What is said in `decode` and comes to nothing is not heard later, nor is it the sender's to read. */
static void
test_words_of_a_decode_handler(void **state)
{
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "words", .decode = decode_words};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		{.event_type = "fail", .schema = &herald_json_schema, .function = only_fail}};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
					.envelope = &tenant_message_schema));
	struct herald_result result = handle(service, "fail 1 {}");

	(void)state;
	check_verdict(&result, HERALD_FAIL, "the event failed");
	assert_int_equal(result.http_status, 0);
	herald_service_destroy(service);
}

static void
test_extended_envelope(void **state)
{
	const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "tenant", .before = note_tenant};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	struct herald_service *service = create_service(
		&USER_OPTIONS(.envelope = &tenant_message_schema, HERALD_HANDLERS(handlers)));
	struct herald_result result =
		handle(service, "{\"event_type\":\"user\",\"tenant\":\"acme\",\"payload\":"
				"{\"user_id\":\"1\"},\"timestamp\":\"2024-08-20T05:21:19Z\"}");

	(void)state;
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "acme 1:NULL");
	result = handle(service, EVENT("user", "{\"user_id\":\"1\"}"));
	check_rejected(&result, HERALD_MISSING, "/tenant", 0);
	herald_service_destroy(service);
}

/* An envelope with names of its own: errors call its members by them. */
struct renamed {
	struct herald_message message;
};
HERALD_SCHEMA(renamed, HERALD_FIELD(renamed, message.event_type, .key = "type"),
	      HERALD_FIELD(renamed, message.timestamp, .key = "time"),
	      HERALD_FIELD(renamed, message.payload, .key = "da~t/a"),
	      HERALD_FIELD(renamed, message.metadata, .key = "meta"));

/* With keys that are not printed as they are. */
struct strange {
	struct herald_message message;
};
HERALD_SCHEMA(strange, HERALD_FIELD(strange, message.event_type, .key = "t\ny"),
	      HERALD_FIELD(strange, message.timestamp, .key = "time"),
	      HERALD_FIELD(strange, message.payload, .key = "p\"\\~n"),
	      HERALD_FIELD(strange, message.metadata, .key = "\xC2\x9B"));

static void
test_renamed_envelope(void **state)
{
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user", .version = "1")};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .envelope = &renamed_schema));
	struct herald_result result = handle(service, "{}");

	(void)state;
	check_rejected(&result, HERALD_MISSING, "/type", HERALD_NO_OFFSET);
	result = handle(service, "{\"type\":\"\"}");
	check_rejected(&result, HERALD_MISSING, "/type", HERALD_NO_OFFSET);
	result = handle(service, "{\"da~t/a\":[nonsense]}");
	check_rejected(&result, HERALD_BAD_JSON, "/da~0t~1a/0", 11);
	result = handle(service, "{\"type\":\"user\"}");
	check_rejected(&result, HERALD_UNKNOWN_VERSION, "/meta/version", HERALD_NO_OFFSET);
	result = handle(service, "{\"type\":\"a\"}");
	check_rejected(&result, HERALD_UNKNOWN_TYPE, "/type", HERALD_NO_OFFSET);
	result = handle(
		service,
		"{\"type\":\"user\",\"meta\":{\"version\":\"1\"},\"da~t/a\":{\"user_id\":1}}");
	check_rejected(&result, HERALD_BAD_TYPE, "/da~0t~1a/user_id", 58);
	herald_service_destroy(service);
}

static void
test_strange_envelope(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
	} rows[] = {
		{"{}", HERALD_MISSING, "/t\\ny"},
		{"{\"t\\ny\":\"a\"}", HERALD_UNKNOWN_TYPE, "/t\\ny"},
		{"{\"t\\ny\":\"user\"}", HERALD_UNKNOWN_VERSION, "/\\u009b/version"},
		{"{\"p\\\"\\\\~n\":[nonsense]}", HERALD_BAD_JSON, "/p\\\"\\\\~0n/0"},
		{"{\"p\\\"\\\\~n\":{\"user_id\":1},\"t\\ny\":\"user\","
		 "\"\\u009b\":{\"version\":\"1\"}}",
		 HERALD_BAD_TYPE, "/p\\\"\\\\~0n/user_id"},
	};
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user", .version = "1")};
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .envelope = &strange_schema));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle(service, rows[i].json);

		check_rejected(&result, rows[i].status, rows[i].path, result.error.offset);
	}
	herald_service_destroy(service);
}

/* An envelope in an envelope is its own member's, whatever stands in it: the event is the outer one. */
struct chain {
	struct herald_message message;
	const struct chain *previous;
};
static const struct herald_schema chain_schema;
HERALD_SCHEMA(chain, HERALD_MESSAGE_FIELDS(chain, message), HERALD_POINTER(chain, previous, chain));

static enum herald_verdict
note_previous(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct chain *chain = (const void *)herald_context_message(ctx);
	const struct herald_json *payload = &chain->previous->message.payload;

	(void)handler;
	note("%s %.*s,", chain->previous->message.event_type, (int)payload->bytes, payload->data);
	return HERALD_DONE;
}

static void
test_envelope_in_an_envelope(void **state)
{
#define TIME "\"timestamp\":\"2024-08-20T05:21:19Z\""
#define PREVIOUS(TYPE, PAYLOAD)                                                                    \
	"\"previous\":{\"event_type\":\"" TYPE "\"," TIME ",\"payload\":" PAYLOAD "}"
#define OUTER "\"event_type\":\"user\"," TIME
#define OUTER_PAYLOAD "\"payload\":{\"user_id\":\"1\"}"
	static const struct {
		const char *json, *trace;
	} rows[] = {
		{"{" OUTER "," OUTER_PAYLOAD "," PREVIOUS("other", "{\"name\":\"a\"}") "}",
		 "other {\"name\":\"a\"}, 1:NULL"},
		{"{" OUTER "," PREVIOUS("other", "{\"name\":\"a\"}") "," OUTER_PAYLOAD "}",
		 "other {\"name\":\"a\"}, 1:NULL"},
		{"{" PREVIOUS("other", "{\"name\":\"a\"}") "," OUTER "," OUTER_PAYLOAD "}",
		 "other {\"name\":\"a\"}, 1:NULL"},
		{"{" OUTER "," OUTER_PAYLOAD "," PREVIOUS("user", "{\"user_id\":7}") "}",
		 "user {\"user_id\":7}, 1:NULL"},
		{"{" OUTER "," OUTER_PAYLOAD "," PREVIOUS("unknown", "{}") "}",
		 "unknown {}, 1:NULL"},
	};
	const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "previous", .before = note_previous};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		USER_ROUTE(.event_type = "user"),
		{.event_type = "other", .schema = &herald_json_schema, .function = only_fail}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_HANDLERS(handlers), .envelope = &chain_schema));
	struct herald_result result;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		trace[0] = '\0';
		result = handle(service, rows[i].json);
		check_verdict(&result, HERALD_DONE, "");
		assert_string_equal(trace, rows[i].trace);
	}
	/* It is read as the value that it is; the event has no payload. */
	result = handle(service, "{" OUTER "," PREVIOUS("other", "{\"a\":nonsense}") "}");
	check_rejected(&result, HERALD_BAD_JSON, "/previous/payload/a", 139);
	result = handle(service, "{" OUTER "," PREVIOUS("user", "{\"user_id\":\"2\"}") "}");
	check_rejected(&result, HERALD_MISSING, "/payload/user_id", 0);
	herald_service_destroy(service);
}

/* Memory. */

/* Every kind of end that an event can have, with upcasting, an `after` that fails, and logs. */
static const char *const all_events[] = {
	VERSIONED("order", "1", "{\"sku\":\"a\"}"),
	VERSIONED("order", "3", "{\"sku\":\"a\",\"count\":1}"),
	VERSIONED("order", "1", "{}"),
	VERSIONED("order", "7", "{}"),
	EVENT("nobody", "{}"),
	EVENT("fail", "{\"a\":[1,2,3]}"),
	"{",
};

static enum herald_verdict
complain(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)handler;
	return result == HERALD_DONE ? HERALD_DONE : herald_fail(ctx, "and more");
}

static const struct herald_handler_ops complain_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "complain",
	.after = complain,
};

static struct herald_service *
create_all(struct herald_allocator allocator, struct shop *shop)
{
	static struct herald_handler handler = {.ops = &complain_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order_v3, on_order, shop, .version = "3"),
		{.event_type = "fail", .schema = &herald_json_schema, .function = only_fail},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order_v2, "3", order_v3, order_2_to_3),
		HERALD_UPCAST("order", "1", order_v1, "2", order_v2, order_1_to_2),
	};

	upcaster_says = 'D';
	return create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters), HERALD_HANDLERS(handlers),
		.log = debug_log, .allocator = allocator));
}

static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct shop shop = {0};
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_all(memory.allocator, &shop);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < COUNT(all_events); i++) {
			trace[0] = '\0';
			logged[0] = '\0';
			handle(service, all_events[i]);
		}
		if (round == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

/* Handles further events from within an event, each within the one before. */
struct nest {
	struct herald_service *service;
	int left;
};

static enum herald_verdict
handle_within(struct herald_context *ctx, const void *payload, void *state)
{
	struct nest *nest = state;
	const char *type = herald_context_message(ctx)->event_type;

	(void)payload;
	if (nest->left-- > 0)
		assert_int_equal(handle(nest->service, EVENT("deep", "1")).verdict, HERALD_DONE);
	assert_string_equal(type, "deep");
	return HERALD_DONE;
}

static void
test_idle_contexts_are_bounded(void **state)
{
	struct failing_allocator memory;
	struct nest nest;
	const struct herald_route routes[] = {{.event_type = "deep",
					       .schema = &herald_json_schema,
					       .function = handle_within,
					       .state = &nest}};

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	nest.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = memory.allocator));
	size_t before = memory.blocks;
	nest.left = 0;
	handle(nest.service, EVENT("deep", "1"));
	size_t each = memory.blocks - before;
	nest.left = 99;
	handle(nest.service, EVENT("deep", "1"));
	assert_int_equal(memory.blocks, before + 64 * each);
	herald_service_destroy(nest.service);
	assert_all_released(&memory);
}

static void
test_every_allocation_of_an_event_fails(void **state)
{
	(void)state;
	for (size_t n = 0; n < COUNT(all_events); n++) {
		for (size_t at = 1;; at++) {
			struct failing_allocator memory;
			struct shop shop = {0};

			trace[0] = '\0';
			logged[0] = '\0';
			failing_allocator_init(&memory, FAIL_NEVER, 0);
			struct herald_service *service = create_all(memory.allocator, &shop);
			memory.mode = at % 2 ? FAIL_ONLY : FAIL_FROM;
			memory.fail_at = memory.calls + (at + 1) / 2;
			struct herald_result result = handle(service, all_events[n]);
			size_t failures = memory.failures;
			if (failures > 0) {
				struct herald_statistics all;

				assert_int_equal(result.verdict, HERALD_RETRY);
				assert_int_equal(result.status, HERALD_NO_MEMORY);
				assert_int_equal(result.error.status, HERALD_NO_MEMORY);
				assert_string_equal(result.error.message, "out of memory");
				assert_int_equal(shop.orders, 0);
				assert_non_null(strstr(logged, "HERALD_NO_MEMORY"));
				herald_service_statistics(service, &all);
				assert_int_equal(all.retry, 1);
				assert_int_equal(all.events, 1);
			}
			/* And the service is as good as before. */
			memory.mode = FAIL_NEVER;
			result = handle(service, VERSIONED("order", "2", "{\"skus_count\":5}"));
			assert_int_equal(result.status, HERALD_OK);
			herald_service_destroy(service);
			assert_all_released(&memory);
			if (failures == 0) {
				assert_true(at > 4);
				break;
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_payloads, events_setup),
		cmocka_unit_test_setup(test_rejected_events, events_setup),
		cmocka_unit_test_setup(test_no_bytes_at_all, events_setup),
		cmocka_unit_test_setup(test_any_payload, events_setup),
		cmocka_unit_test_setup(test_unknown_events, events_setup),
		cmocka_unit_test_setup(test_event_size, events_setup),
		cmocka_unit_test_setup(test_memory_of_an_event_is_limited, events_setup),
		cmocka_unit_test_setup(test_limits_of_the_decoder, events_setup),
		cmocka_unit_test_setup(test_upcasters, events_setup),
		cmocka_unit_test_setup(test_members_in_any_order, events_setup),
		cmocka_unit_test_setup(test_escapes_anywhere_in_a_payload, events_setup),
		cmocka_unit_test_setup(test_the_first_of_two_errors, events_setup),
		cmocka_unit_test_setup(test_path_of_a_long_key_with_escapes, events_setup),
		cmocka_unit_test_setup(test_upcaster_that_fails, events_setup),
		cmocka_unit_test_setup(test_decode_handler, events_setup),
		cmocka_unit_test_setup(test_words_of_a_decode_handler, events_setup),
		cmocka_unit_test_setup(test_extended_envelope, events_setup),
		cmocka_unit_test_setup(test_renamed_envelope, events_setup),
		cmocka_unit_test_setup(test_strange_envelope, events_setup),
		cmocka_unit_test_setup(test_envelope_in_an_envelope, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_idle_contexts_are_bounded, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_an_event_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
