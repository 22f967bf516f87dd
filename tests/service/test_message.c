/*
 * herald/message.h: the envelope, what it accepts and refuses, and the accessors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/codec.h>
#include <herald/message.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define SEED_EVENT                                                                                 \
	"{\n  \"event_type\": \"user_created\",\n"                                                 \
	"  \"timestamp\": \"2024-08-20T05:21:19.143357839Z\",\n"                                   \
	"  \"payload\": {\n    \"user_id\": \"12345\",\n    \"username\": \"johndoe\"\n  },\n"     \
	"  \"metadata\": {\n    \"source\": \"user_service\",\n    \"version\": \"1.0\"\n  }\n}\n"

#define WHEN "\"timestamp\":\"2024-08-20T05:21:19Z\""

struct fixture {
	struct herald_codec *codec;
	struct herald_arena *arena;
	char data[1024];
};

static int
setup(void **state)
{
	static struct fixture fixture;

	assert_int_equal(
		herald_codec_create(&herald_message_schema, NULL, NULL, &fixture.codec, NULL),
		HERALD_OK);
	assert_int_equal(herald_arena_create(NULL, 0, &fixture.arena), HERALD_OK);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	herald_codec_destroy(fixture->codec);
	herald_arena_destroy(fixture->arena);
	return 0;
}

static enum herald_status
decode(struct fixture *fixture, const char *json, struct herald_message *out,
       struct herald_error *error)
{
	size_t bytes = strlen(json);

	assert_true(bytes <= sizeof(fixture->data));
	memcpy(fixture->data, json, bytes);
	return herald_codec_decode(fixture->codec, fixture->data, bytes, fixture->arena, out,
				   error);
}

static const char *
member_or_empty(const struct herald_message *message, const char *key)
{
	const char *text = herald_json_map_get(&message->metadata, key);

	return text ? text : "";
}

static void
test_seed_event(void **state)
{
	struct herald_message message;
	static const char payload[] =
		"{\n    \"user_id\": \"12345\",\n    \"username\": \"johndoe\"\n  }";

	assert_int_equal(decode(*state, SEED_EVENT, &message, NULL), HERALD_OK);
	assert_string_equal(message.event_type, "user_created");
	assert_int_equal(message.timestamp.seconds, 1724131279);
	assert_int_equal(message.timestamp.nanoseconds, 143357839);
	assert_int_equal(message.timestamp.offset_minutes, 0);
	assert_int_equal(message.payload.bytes, sizeof(payload) - 1);
	assert_memory_equal(message.payload.data, payload, sizeof(payload) - 1);
	assert_int_equal(message.metadata.count, 2);
	assert_string_equal(member_or_empty(&message, "source"), "user_service");
	assert_string_equal(member_or_empty(&message, "version"), "1.0");
}

static void
test_events_that_are_taken(void **state)
{
	static const struct {
		const char *json;
		const char *version, *source;
	} rows[] = {
		{"{\"event_type\":\"a\"," WHEN "}", "", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":null,\"payload\":null}", "", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{}}", "", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"version\":null}}", "", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"version\":\"2\"}}", "2", ""},
		/* What is not a string has its text; objects and arrays are neither version nor
		 * source. */
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"version\":2,\"source\":true}}",
		 "2", "true"},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"version\":2.10}}", "2.10", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{ \"version\" : -1e+02 , \"x\":{}}}",
		 "-1e+02", ""},
		{"{\"event_type\":\"a\"," WHEN
		 ",\"metadata\":{\"version\":{\"a\":\"2\"},\"source\":[\"s\"]}}",
		 "", ""},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"source\":\"s\",\"x\":\"y\"}}", "",
		 "s"},
		/* Members that nobody knows, and those that differ in case, are skipped. */
		{"{\"Event_Type\":1,\"event_type\":\"a\"," WHEN ",\"more\":[{}],"
		 "\"metadata\":{\"Version\":\"3\"}}",
		 "", ""},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_message message;

		assert_int_equal(decode(*state, rows[i].json, &message, NULL), HERALD_OK);
		assert_string_equal(message.event_type, "a");
		assert_string_equal(member_or_empty(&message, "version"), rows[i].version);
		assert_string_equal(member_or_empty(&message, "source"), rows[i].source);
	}
}

static void
test_events_that_are_refused(void **state)
{
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
	} rows[] = {
		{"", HERALD_BAD_JSON, "", 0},
		{"invalid json", HERALD_BAD_JSON, "", 0},
		{"{\"event_type\":\"a\"," WHEN, HERALD_BAD_JSON, "", 52},
		{"{\"event_type\":\"a\"," WHEN "}}", HERALD_BAD_JSON, "", 53},
		{"[]", HERALD_BAD_TYPE, "", 0},
		{"{}", HERALD_MISSING, "/event_type", 0},
		{" {" WHEN "}", HERALD_MISSING, "/event_type", 1},
		{"{\"event_type\":null," WHEN "}", HERALD_MISSING, "/event_type", 14},
		{"{\"event_type\":\"\"," WHEN "}", HERALD_BAD_LENGTH, "/event_type", 14},
		{"{\"event_type\":7," WHEN "}", HERALD_BAD_TYPE, "/event_type", 14},
		{"{\"EVENT_TYPE\":\"a\"," WHEN "}", HERALD_MISSING, "/event_type", 0},
		{"{\"event_type\":\"a\",\"event_type\":\"b\"," WHEN "}", HERALD_DUPLICATE,
		 "/event_type", 18},
		{"{\"event_type\":\"a\"}", HERALD_MISSING, "/timestamp", 0},
		{"{\"event_type\":\"a\",\"timestamp\":null}", HERALD_MISSING, "/timestamp", 30},
		{"{\"event_type\":\"a\",\"timestamp\":\"invalid\"}", HERALD_BAD_TIME, "/timestamp",
		 30},
		{"{\"event_type\":\"a\",\"timestamp\":1724131279}", HERALD_BAD_TYPE, "/timestamp",
		 30},
		{"{\"event_type\":\"a\",\"timestamp\":\"2024-08-20 05:21:19Z\"}", HERALD_BAD_TIME,
		 "/timestamp", 30},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":[]}", HERALD_BAD_TYPE, "/metadata",
		 64},
		{"{\"event_type\":\"a\"," WHEN ",\"metadata\":{\"version\":01}}", HERALD_BAD_JSON,
		 "/metadata/version", 75},
		{"{\"event_type\":\"a\"," WHEN ",\"payload\":{\"a\":01}}", HERALD_BAD_JSON,
		 "/payload/a", 68},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_message message = {.event_type = "untouched"};
		struct herald_error error;

		if (decode(*state, rows[i].json, &message, &error) != rows[i].status ||
		    error.status != rows[i].status || strcmp(error.path, rows[i].path) != 0 ||
		    error.offset != rows[i].offset)
			fail_msg("%s: %s at \"%s\", byte %zu: %s", rows[i].json,
				 herald_status_name(error.status), error.path, error.offset,
				 error.message);
		assert_string_equal(message.event_type, "untouched");
		assert_true(error.message[0] != '\0');
	}
}

static void
test_encoded_and_decoded(void **state)
{
	struct fixture *fixture = *state;
	const struct herald_json_pair pairs[] = {
		{.key = "version", .text = "2"},
		{.key = "source", .text = "te\"st"},
		{.key = "attempt", .text = "unused", .json = {" 3 ", 3}},
		{.key = "tags", .json = {"[true]", 6}},
	};
	const struct herald_message message = {
		.event_type = "order",
		.timestamp = {.seconds = 1724131279, .nanoseconds = 5, .offset_minutes = 120},
		.payload = {"{\"a\":[1,2]}", 11},
		.metadata = {pairs, COUNT(pairs)},
	};
	static const char expected[] =
		"{\"event_type\":\"order\",\"timestamp\":\"2024-08-20T07:21:19.000000005+02:00\","
		"\"payload\":{\"a\":[1,2]},\"metadata\":{\"version\":\"2\",\"source\":\"te\\\"st\","
		"\"attempt\":3,\"tags\":[true]}}";
	struct herald_buffer out;
	struct herald_message again;

	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_codec_encode(fixture->codec, &message, &out, NULL), HERALD_OK);
	assert_int_equal(out.bytes, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, sizeof(expected) - 1);
	herald_buffer_finish(&out);

	assert_int_equal(decode(fixture, expected, &again, NULL), HERALD_OK);
	assert_string_equal(again.event_type, "order");
	assert_int_equal(herald_time_compare(&again.timestamp, &message.timestamp), 0);
	assert_int_equal(again.timestamp.offset_minutes, 120);
	assert_string_equal(member_or_empty(&again, "source"), "te\"st");
	assert_string_equal(herald_json_map_get(&again.metadata, "attempt"), "3");
	assert_null(herald_json_map_get(&again.metadata, "tags"));
	assert_int_equal(herald_json_map_find(&again.metadata, "tags")->json.bytes, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_event),
		cmocka_unit_test(test_events_that_are_taken),
		cmocka_unit_test(test_events_that_are_refused),
		cmocka_unit_test(test_encoded_and_decoded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
