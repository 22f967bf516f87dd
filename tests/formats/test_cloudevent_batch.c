/*
 * Batches: the frame, which is checked before anything is decoded, and members, each with its own
 * result.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cloudevents.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static void
decode(struct request *request, const char *text, const struct herald_cloudevent_options *options)
{
	char *body = expand_event(text);

	request_init(request);
	request_add(request, "Content-Type", 12, HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE,
		    strlen(HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE));
	request_set_body(request, body, strlen(body));
	request_decode(request, options);
	assert_int_equal(request->mode, HERALD_CLOUDEVENT_BATCH);
	free(body);
}

static void
test_members(void **state)
{
	static const struct {
		const char *body;
		size_t count, wrong; /* which member is refused; count if none */
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *message;
	} cases[] = {
		{"[]", 0, 0, HERALD_OK, "", 0, ""},
		{" \n[\t] ", 0, 0, HERALD_OK, "", 0, ""},
		{"[{@}]", 1, 1, HERALD_OK, "", 0, ""},
		{"[ {@,\"data\":\"]}\\\"{\"} ,\n{@ } ]", 2, 2, HERALD_OK, "", 0, ""},
		{"[{@,\"data\":[\"]\",{}]},{@,\"x\":1},{@}]", 3, 3, HERALD_OK, "", 0, ""},
		/* What is not an object is refused alone. */
		{"[[{@}]]", 1, 0, HERALD_BAD_TYPE, "/0", 1,
		 "/0: expected an object, found an array"},
		{"[{@},\"a\\\"]b\",{@}]", 3, 1, HERALD_BAD_TYPE, "/1", 57,
		 "/1: expected an object, found a string"},
		{"[{@},\"\\\\\",{@}]", 3, 1, HERALD_BAD_TYPE, "/1", 57,
		 "/1: expected an object, found a string"},
		{"[null ]", 1, 0, HERALD_BAD_TYPE, "/0", 1, "/0: expected an object, found null"},
		{"[-1.5e3,{@}]", 2, 0, HERALD_BAD_TYPE, "/0", 1,
		 "/0: expected an object, found a number"},
		{"[true]", 1, 0, HERALD_BAD_TYPE, "/0", 1,
		 "/0: expected an object, found a boolean"},
		/* The paths begin with the member, the offsets at the batch. */
		{"[{@},{\"specversion\":\"1.0\"},{@}]", 3, 1, HERALD_MISSING, "/1/id", 57,
		 "id is required, but missing"},
		{"[{@},{\"id\":\"1\"}]", 2, 1, HERALD_MISSING, "/1/specversion", 57,
		 "specversion is required, but missing"},
		{"[{@,\"time\":\"x\"},{@}]", 2, 0, HERALD_BAD_TIME, "/0/time", 63,
		 "time: not an RFC 3339 timestamp: expected a digit of the year, found 'x'"},
		{"[{@},{@,\"x\":1.5},{@}]", 3, 1, HERALD_BAD_TYPE, "/1/x", 116,
		 "x: expected an integer, found a number with a fraction: 1.5"},
		{"[{@},{@,\"data\":1,\"data_base64\":\"\"}]", 2, 1, HERALD_BAD_VALUE,
		 "/1/data_base64", 121, "data_base64: data and data_base64 exclude each other"},
		{"[{@,\"id\":\"2\"}]", 1, 0, HERALD_DUPLICATE, "/0/id", 56, "id is a duplicate"},
		/* One version, but not a known one; or none. */
		{"[{\"specversion\":\"0.3\"}]", 1, 0, HERALD_BAD_VALUE, "/0/specversion", 16,
		 "specversion: expected \"1.0\", found \"0.3\""},
		{"[{\"specversion\":\"1.\\u0030\"},{@}]", 2, 0, HERALD_MISSING, "/0/id", 1,
		 "id is required, but missing"},
		{"[{\"specversion\":5},{@}]", 2, 0, HERALD_BAD_TYPE, "/0/specversion", 16,
		 "specversion: expected a string, found a number"},
		{"[{\"specversion\":null},{@}]", 2, 0, HERALD_MISSING, "/0/specversion", 1,
		 "specversion is required, but missing"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request;

		decode(&request, cases[i].body, NULL);
		if (request.status != cases[i].status ||
		    (request.status != HERALD_OK &&
		     strcmp(request.error.message, cases[i].message) != 0))
			fail_msg("%s: %s %s", cases[i].body, herald_status_name(request.status),
				 request.error.message);
		assert_int_equal(request.events_count, cases[i].count);
		for (size_t j = 0; j < request.events_count; j++) {
			assert_true((request.statuses[j] == HERALD_OK) == (j != cases[i].wrong));
			if (j != cases[i].wrong)
				assert_int_equal(request.events[j].mode, HERALD_CLOUDEVENT_BATCH);
		}
		if (request.status != HERALD_OK) {
			assert_string_equal(request.error.path, cases[i].path);
			assert_int_equal(request.error.offset, cases[i].offset);
		}
		request_finish(&request);
	}
}

/* What is wrong with the whole. */
static void
test_frames(void **state)
{
	static const struct {
		const char *body;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *message;
	} cases[] = {
		{"", HERALD_BAD_JSON, "", 0, "expected a value, found the end of the input"},
		{"{@}", HERALD_BAD_TYPE, "", 0, "expected an array, found an object"},
		{"\"[]\"", HERALD_BAD_TYPE, "", 0, "expected an array, found a string"},
		{"null", HERALD_BAD_TYPE, "", 0, "expected an array, found null"},
		{"\xEF\xBB\xBF[]", HERALD_BAD_JSON, "", 0,
		 "expected a value, found a byte order mark"},
		/* Versions that differ. */
		{"[{@},{\"specversion\":\"0.3\"}]", HERALD_BAD_VALUE, "/1/specversion", 72,
		 "specversion: expected the same version in all events of the batch"},
		{"[{\"specversion\":\"0.3\"},5,{@}]", HERALD_BAD_VALUE, "/2/specversion", 40,
		 "specversion: expected the same version in all events of the batch"},
		{"[{@},{\"sp\\u0065cversion\":\"0.3\"}]", HERALD_BAD_VALUE, "/1/specversion", 77,
		 "specversion: expected the same version in all events of the batch"},
		{"[{\"a\\u0062\":tru}]", HERALD_BAD_JSON, "/0/ab", 12,
		 "ab: expected a value, found tru"},
		{"[{@},{\"specversion\":\"1.\\u0031\"}]", HERALD_BAD_VALUE, "/1/specversion", 72,
		 "specversion: expected the same version in all events of the batch"},
		{"[{@},{\"specversion\":\"1.0\\n\"}]", HERALD_BAD_VALUE, "/1/specversion", 72,
		 "specversion: expected the same version in all events of the batch"},
		/* JSON that is not valid, also within a member. */
		{"[{@}", HERALD_BAD_JSON, "", 56,
		 "expected ',' or ']', found the end of the input"},
		{"[{@}]]", HERALD_BAD_JSON, "", 57, "expected the end of the input, found ']'"},
		{"[{@}] x", HERALD_BAD_JSON, "", 58, "expected the end of the input, found x"},
		{"[{@},]", HERALD_BAD_JSON, "/1", 57, "/1: expected a value, found ']'"},
		{"[,{@}]", HERALD_BAD_JSON, "/0", 1, "/0: expected a value, found ','"},
		{"[{@} {@}]", HERALD_BAD_JSON, "", 57, "expected ',' or ']', found '{'"},
		{"[{@},", HERALD_BAD_JSON, "/1", 57,
		 "/1: expected a value, found the end of the input"},
		{"[{@},tru]", HERALD_BAD_JSON, "/1", 57, "/1: expected a value, found tru"},
		{"[{]", HERALD_BAD_JSON, "/0", 2,
		 "/0: expected a member's name in quotes, found ']'"},
		{"[{@,]", HERALD_BAD_JSON, "/0", 56,
		 "/0: expected a member's name in quotes, found ']'"},
		{"[{\"a\"]", HERALD_BAD_JSON, "/0", 5, "/0: expected ':', found ']'"},
		{"[{\"a\":]", HERALD_BAD_JSON, "/0/a", 6, "a: expected a value, found ']'"},
		{"[{\"a\":[1]", HERALD_BAD_JSON, "/0", 9,
		 "/0: expected ',' or '}', found the end of the input"},
		{"[{\"a\":\"x]", HERALD_BAD_JSON, "/0/a", 9,
		 "a: expected the end of a string, found the end of the input"},
		{"[{\"a]", HERALD_BAD_JSON, "/0", 5,
		 "/0: expected the end of a string, found the end of the input"},
		{"[{@},{\"data\":{\"a\":[1,}]", HERALD_BAD_JSON, "/1/data/a/1", 73,
		 "a/1: expected a value, found '}'"},
		{"[{@,\"data\":{\"x\":[1,2,{\"y\":nul}]}}]", HERALD_BAD_JSON, "/0/data/x/2/y", 78,
		 "y: expected a value, found nul"},
		{"[{@,\"x\":\"\\ud800\"}]", HERALD_BAD_JSON, "/0/x", 61,
		 "x: expected both halves of a surrogate pair, found \\ud800 alone"},
		{"[{@,\"x\":\"\xFF\"}]", HERALD_BAD_UTF8, "/0/x", 61,
		 "x: expected UTF-8, found byte 0xFF"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request;

		decode(&request, cases[i].body, NULL);
		if (request.status != cases[i].status ||
		    strcmp(request.error.path, cases[i].path) != 0 ||
		    request.error.offset != cases[i].offset)
			fail_msg("%s: %s %s %zu %s", cases[i].body,
				 herald_status_name(request.status), request.error.path,
				 request.error.offset, request.error.message);
		assert_string_equal(request.error.message, cases[i].message);
		assert_int_equal(request.events_count, 0);
		request_finish(&request);
	}
}

static void
test_limits(void **state)
{
	static const struct {
		struct herald_cloudevent_options options;
		const char *good, *bad, *path;
	} cases[] = {
		{{.max_members_count = 2}, "[{@},{@}]", "[{@},{@},{}]", ""},
		{{.limits.max_depth = 2}, "[{@}]", "[{@,\"data\":[]}]", "/0/data"},
		{{.limits.max_depth = 1}, "[]", "[{}]", "/0"},
		{{.limits.max_key_bytes = 11}, "[{@}]", "[{\"a12345678901\":1}]", "/0"},
		{{.limits.max_string_bytes = 4},
		 "[{@}]",
		 "[{@},{@,\"data\":\"12345\"}]",
		 "/1/data"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request good, bad;

		decode(&good, cases[i].good, &cases[i].options);
		assert_int_equal(good.status, HERALD_OK);
		request_finish(&good);
		decode(&bad, cases[i].bad, &cases[i].options);
		assert_int_equal(bad.status, HERALD_LIMIT);
		assert_int_equal(bad.events_count, 0);
		assert_string_equal(bad.error.path, cases[i].path);
		request_finish(&bad);
	}
}

/* A thousand by default. */
static void
test_default_limit(void **state)
{
	static char text[8 * 1024] = "[{}";
	struct herald_cloudevent_batch batch;
	struct herald_error error;

	(void)state;
	for (int i = 1; i < 1000; i++)
		memcpy(text + 3 * i, ",{}", 4);
	strcpy(text + 3000, "]");
	assert_int_equal(herald_cloudevent_batch_begin(&batch, text, 3001, NULL, &error),
			 HERALD_OK);
	assert_int_equal(batch.members_count, 1000);
	strcpy(text + 3000, ",{}]");
	assert_int_equal(herald_cloudevent_batch_begin(&batch, text, 3004, NULL, &error),
			 HERALD_LIMIT);
	assert_string_equal(error.path, "");
	assert_int_equal(error.offset, 3001);
}

static void
test_bad_options(void **state)
{
	struct herald_cloudevent_batch batch = {.members_count = 77};
	struct herald_error error;
	char text[] = "[]";

	(void)state;
	assert_int_equal(herald_cloudevent_batch_begin(
				 &batch, text, 2,
				 &(struct herald_cloudevent_options){.limits.max_depth = 1025},
				 &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "limits.max_depth");
	assert_int_equal(batch.members_count, 77);
	assert_int_equal(herald_cloudevent_batch_begin(&batch, NULL, 0, NULL, &error),
			 HERALD_BAD_JSON);
	assert_int_equal(batch.members_count, 77);
}

/* The members' texts, before they are decoded; some are not decoded at all. The options hold for
 * each. */
static void
test_texts(void **state)
{
	char *body = expand_event("[ {@,\"x\":[]}, 5 ,\"a\\\"\", {@} ,{@,\"my_x\":{}}]");
	static const char *const texts[] = {"{@,\"x\":[]}", "5", "\"a\\\"\"", "{@}",
					    "{@,\"my_x\":{}}"};
	const struct herald_cloudevent_options options = {.json_extensions = true,
							  .ignore_bad_names = true};
	struct herald_cloudevent_batch batch;
	struct herald_cloudevent event;
	struct herald_arena *arena;
	size_t count = 0;

	(void)state;
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_int_equal(herald_cloudevent_batch_begin(&batch, body, strlen(body), &options, NULL),
			 HERALD_OK);
	assert_int_equal(batch.members_count, COUNT(texts));
	for (; herald_cloudevent_batch_next(&batch); count++) {
		char *text = expand_event(texts[count]);

		assert_int_equal(batch.index, count);
		assert_int_equal(batch.member_bytes, strlen(text));
		assert_memory_equal(batch.member, text, strlen(text));
		if (count % 2 == 0)
			assert_int_equal(
				herald_cloudevent_batch_decode(&batch, arena, &event, NULL),
				count == 2 ? HERALD_BAD_TYPE : HERALD_OK);
		free(text);
	}
	assert_int_equal(count, COUNT(texts));
	assert_false(herald_cloudevent_batch_next(&batch));
	herald_arena_destroy(arena);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),     cmocka_unit_test(test_frames),
		cmocka_unit_test(test_limits),      cmocka_unit_test(test_default_limit),
		cmocka_unit_test(test_bad_options), cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
