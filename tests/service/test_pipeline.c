/*
 * The path of an event through a service: decoding, routing, limits, and which of several errors is
 * reported. Upcasting is in test_upcasting.c, envelopes and formats in test_envelope.c, memory in
 * test_pipeline_memory.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/service.h>

#include "service/order_events.h"
#include "service/user_events.h"
#include "support/events.h"

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

struct note {
	const char *text;
};
HERALD_SCHEMA(note, HERALD_FIELD(note, text));

static enum herald_verdict
only_done(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

/* It is the payload that the event lacks; where no member is required, it lacks nothing. */
static void
test_missing_payload(void **state)
{
	static const struct {
		const char *json;
		const char *path;
		size_t offset;
		const char *message; /* NULL: the event is handled */
	} rows[] = {
		{WITHOUT_PAYLOAD("user"), "/payload", 0, "the payload is missing"},
		{" \n" WITHOUT_PAYLOAD("user"), "/payload", 2, "the payload is missing"},
		{EVENT("user", "null"), "/payload", 66, "the payload is null"},
		{EVENT("user", "{}"), "/payload/user_id", 66, "user_id is required, but missing"},
		{WITHOUT_PAYLOAD("note"), "", 0, NULL},
		{EVENT("note", "null"), "", 0, NULL},
		{EVENT("note", "{}"), "", 0, NULL},
	};
	const struct herald_route routes[] = {
		USER_ROUTE(.event_type = "user"),
		{.event_type = "note", .schema = &note_schema, .function = only_done},
	};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle(service, rows[i].json);

		if (!rows[i].message) {
			check_verdict(&result, HERALD_DONE, "");
			continue;
		}
		check_rejected(&result, HERALD_MISSING, rows[i].path, rows[i].offset);
		assert_string_equal(result.error.message, rows[i].message);
	}
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
			    "no route for version \"2\\n\" of event type \"user\"");
	result = handle(service, EVENT("user", "{}"));
	check_rejected(&result, HERALD_UNKNOWN_VERSION, "/metadata/version", HERALD_NO_OFFSET);
	assert_string_equal(
		result.error.message,
		"no route for event type \"user\" without a version; expected a version at "
		"/metadata/version");
	result = handle(service, EVENT("users", "{}"));
	check_rejected(&result, HERALD_UNKNOWN_TYPE, "/event_type", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message, "no route for event type \"users\"");
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

/* The end of a payload that is put off is found wherever escapes, quotes and brackets are in
 * it. */
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

/* If an event has errors in both the message and the payload, the first one read is reported: the
 * message's, unless the payload is decoded in the same pass. */
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
		/* An error after a valid payload is reported as before. */
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
	assert_int_equal(route.counts.rejected, 1);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_payloads, events_setup),
		cmocka_unit_test_setup(test_rejected_events, events_setup),
		cmocka_unit_test_setup(test_missing_payload, events_setup),
		cmocka_unit_test_setup(test_no_bytes_at_all, events_setup),
		cmocka_unit_test_setup(test_any_payload, events_setup),
		cmocka_unit_test_setup(test_unknown_events, events_setup),
		cmocka_unit_test_setup(test_event_size, events_setup),
		cmocka_unit_test_setup(test_memory_of_an_event_is_limited, events_setup),
		cmocka_unit_test_setup(test_limits_of_the_decoder, events_setup),
		cmocka_unit_test_setup(test_members_in_any_order, events_setup),
		cmocka_unit_test_setup(test_escapes_anywhere_in_a_payload, events_setup),
		cmocka_unit_test_setup(test_the_first_of_two_errors, events_setup),
		cmocka_unit_test_setup(test_path_of_a_long_key_with_escapes, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
