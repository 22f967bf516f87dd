/*
 * Encoding in all three modes: what is written, and which events are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/cloudevent.h>

#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define T(TEXT)                                                                                    \
	{                                                                                          \
		(TEXT), sizeof(TEXT) - 1                                                           \
	}

/* The beginning of an event, and of what it is written as. */
#define EVENT .id = T("1"), .source = T("/s"), .type = T("t")
#define JSON(REST) "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"" REST "}"
#define HEADERS "ce-specversion: 1.0|ce-id: 1|ce-source: /s|ce-type: t"
#define EXTENSIONS(ARRAY) .extensions = (ARRAY), .extensions_count = COUNT(ARRAY)

static const struct herald_cloudevent_extension every_kind[] = {
	{.name = "s", .kind = HERALD_CLOUDEVENT_STRING, .text = T("a \"%\xC3\xBC\"")},
	{.name = "i", .kind = HERALD_CLOUDEVENT_INTEGER, .integer = -2147483647 - 1},
	/* The text is not read. */
	{.name = "j", .kind = HERALD_CLOUDEVENT_INTEGER, .integer = 5, .text = T("6")},
	{.name = "b", .kind = HERALD_CLOUDEVENT_BOOLEAN, .boolean = true},
	{.name = "c", .kind = HERALD_CLOUDEVENT_BOOLEAN, .text = T("true")},
	{.name = "0", .kind = HERALD_CLOUDEVENT_STRING, .text = T("")},
	{.name = "o", .kind = HERALD_CLOUDEVENT_JSON, .text = T("{\"a\": [1]}")},
};

/* Events, as JSON, and as headers. */
static const struct {
	struct herald_cloudevent event;
	const char *json, *headers;
} good[] = {
	/* sdk-javascript and sdk-python add a time. */
	{{EVENT}, JSON(""), HEADERS},
	{{EVENT, .mode = HERALD_CLOUDEVENT_BATCH, .time = {.seconds = 5}}, JSON(""), HEADERS},
	{{.id = T("\xC3\xAF \"%\\"), .source = T("/a%20b"), .type = T("!~")},
	 "{\"specversion\":\"1.0\",\"id\":\"\xC3\xAF "
	 "\\\"%\\\\\",\"source\":\"/a%20b\",\"type\":\"!~\"}",
	 "ce-specversion: 1.0|ce-id: %C3%AF%20%22%25\\|ce-source: /a%2520b|ce-type: !~"},
	{{EVENT, .subject = T("  a  "), .dataschema = T("#"), .datacontenttype = T("text/plain"),
	  .has_time = true, .time = {.seconds = 1522949460, .offset_minutes = 120}},
	 JSON(",\"time\":\"2018-04-05T19:31:00+02:00\",\"subject\":\"  a  \",\"dataschema\":\"#\","
	      "\"datacontenttype\":\"text/plain\""),
	 HEADERS "|ce-time: 2018-04-05T19:31:00+02:00|ce-subject: %20%20a%20%20|ce-dataschema: #"
		 "|content-type: text/plain"},
	/* A time has its offset (sdk-go converts it to UTC) and always seconds (sdk-java#249). */
	{{EVENT, .has_time = true},
	 JSON(",\"time\":\"1970-01-01T00:00:00Z\""),
	 HEADERS "|ce-time: 1970-01-01T00:00:00Z"},
	{{EVENT, EXTENSIONS(every_kind)},
	 JSON(",\"s\":\"a \\\"%\xC3\xBC\\\"\",\"i\":-2147483648,\"j\":5,\"b\":true,\"c\":false,"
	      "\"0\":\"\",\"o\":{\"a\": [1]}"),
	 HEADERS
	 "|ce-s: a%20%22%25%C3%BC%22|ce-i: -2147483648|ce-j: 5|ce-b: true|ce-c: false|ce-0: "
	 "|ce-o: {%22a%22:%20[1]}"},
	/* JSON data, which is never written as a string: sdk-go#797, #990, #1161, #1273. */
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("{\"a\": 1}")},
	 JSON(",\"data\":{\"a\": 1}"),
	 HEADERS "|content-type: application/json"},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("null"),
	  .datacontenttype = T("application/vnd.x+json")},
	 JSON(",\"datacontenttype\":\"application/vnd.x+json\",\"data\":null"),
	 HEADERS "|content-type: application/vnd.x+json"},
	/* Text and bytes. */
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_TEXT, .data = T("a\n\"\0\xE2\x82\xAC\x7F"),
	  .datacontenttype = T("text/plain; charset=utf-8")},
	 JSON(",\"datacontenttype\":\"text/plain; charset=utf-8\",\"data\":"
	      "\"a\\n\\\"\\u0000\xE2\x82\xAC\x7F\""),
	 HEADERS "|content-type: text/plain; charset=utf-8"},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_TEXT, .datacontenttype = T("text/plain")},
	 JSON(",\"datacontenttype\":\"text/plain\",\"data\":\"\""),
	 HEADERS "|content-type: text/plain"},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES, .data = T("\0\xFF")},
	 JSON(",\"data_base64\":\"AP8=\""),
	 HEADERS},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES, .data = T("\xFB\xEF\xC0\1")},
	 JSON(",\"data_base64\":\"++/AAQ==\""),
	 HEADERS},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES, .data = T("abc"),
	  .datacontenttype = T("text/plain")},
	 JSON(",\"datacontenttype\":\"text/plain\",\"data_base64\":\"YWJj\""),
	 HEADERS "|content-type: text/plain"},
	{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES},
	 JSON(",\"data_base64\":\"\""),
	 HEADERS},
};

static void
join(const struct herald_cloudevent_headers *headers, char *out, size_t size)
{
	size_t bytes = 0;

	for (size_t i = 0; i < headers->headers_count; i++)
		bytes += (size_t)snprintf(out + bytes, size - bytes, "%s%s: %s", i > 0 ? "|" : "",
					  headers->headers[i].name, headers->headers[i].value);
	assert_true(bytes < size);
}

static void
test_written(void **state)
{
	struct herald_arena *arena;
	struct herald_buffer out;

	(void)state;
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	herald_buffer_init(&out, NULL, 0);
	for (size_t i = 0; i < COUNT(good); i++) {
		struct herald_cloudevent_headers headers;
		char joined[1024];

		out.bytes = 0;
		assert_int_equal(herald_buffer_append(&out, "x", 1), HERALD_OK);
		assert_int_equal(herald_cloudevent_encode_structured(&good[i].event, &out, NULL),
				 HERALD_OK);
		if (out.bytes != strlen(good[i].json) + 1 || *out.data != 'x' ||
		    memcmp(out.data + 1, good[i].json, out.bytes - 1) != 0)
			fail_msg("%.*s, not %s", (int)out.bytes, out.data, good[i].json);
		assert_int_equal(
			herald_cloudevent_encode_binary(&good[i].event, arena, &headers, NULL),
			HERALD_OK);
		join(&headers, joined, sizeof(joined));
		assert_string_equal(joined, good[i].headers);
	}
	herald_buffer_finish(&out);
	herald_arena_destroy(arena);
}

static void
test_batches(void **state)
{
	const struct herald_cloudevent *const events[] = {&good[0].event, &good[6].event};
	struct herald_buffer out;
	struct herald_error error;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_cloudevent_encode_batch(NULL, 0, &out, &error), HERALD_OK);
	assert_int_equal(out.bytes, 2);
	assert_memory_equal(out.data, "[]", 2);
	out.bytes = 0;
	assert_int_equal(herald_cloudevent_encode_batch(events, 2, &out, &error), HERALD_OK);
	assert_int_equal(out.bytes, strlen(good[0].json) + strlen(good[6].json) + 3);
	assert_int_equal(out.data[0], '[');
	assert_memory_equal(out.data + 1, good[0].json, strlen(good[0].json));
	assert_int_equal(out.data[1 + strlen(good[0].json)], ',');
	assert_memory_equal(out.data + 2 + strlen(good[0].json), good[6].json,
			    strlen(good[6].json));
	assert_int_equal(out.data[out.bytes - 1], ']');
	herald_buffer_finish(&out);
}

#define ONE(...) &(const struct herald_cloudevent_extension){__VA_ARGS__}, .extensions_count = 1

static const struct herald_cloudevent_extension twice[] = {{.name = "x", .text = T("1")},
							   {.name = "y", .text = T("2")},
							   {.name = "x", .text = T("3")}};
static const struct herald_cloudevent_extension too_many[1025];

/* Events that are refused; `member` without "/" or "ce-". */
static const struct {
	struct herald_cloudevent event;
	enum herald_status status;
	const char *member, *message;
} bad[] = {
	{{.source = T("/s"), .type = T("t")}, HERALD_MISSING, "id", " is required, but NULL"},
	{{.id = T("1"), .type = T("t")}, HERALD_MISSING, "source", " is required, but NULL"},
	{{.id = T("1"), .source = T("/s")}, HERALD_MISSING, "type", " is required, but NULL"},
	{{.id = T(""), .source = T("/s"), .type = T("t")},
	 HERALD_BAD_LENGTH,
	 "id",
	 ": must not be empty"},
	{{EVENT, .subject = T("")}, HERALD_BAD_LENGTH, "subject", ": must not be empty"},
	{{EVENT, .dataschema = T("")}, HERALD_BAD_LENGTH, "dataschema", ": must not be empty"},
	{{.id = T("a\nb"), .source = T("/s"), .type = T("t")},
	 HERALD_BAD_VALUE,
	 "id",
	 ": expected a string without control characters, found U+000A"},
	{{.id = T("a\0b"), .source = T("/s"), .type = T("t")},
	 HERALD_BAD_VALUE,
	 "id",
	 ": expected a string without control characters, found U+0000"},
	{{EVENT, .subject = T("\x7F")},
	 HERALD_BAD_VALUE,
	 "subject",
	 ": expected a string without control characters, found U+007F"},
	{{EVENT, .subject = T("\xEF\xBF\xBE")},
	 HERALD_BAD_VALUE,
	 "subject",
	 ": expected a string without noncharacters, found U+FFFE"},
	{{EVENT, .subject = T("\xFF")},
	 HERALD_BAD_UTF8,
	 "subject",
	 ": expected UTF-8, found byte 0xFF"},
	{{EVENT, .subject = T("a\xED\xA0\x80")},
	 HERALD_BAD_UTF8,
	 "subject",
	 ": expected UTF-8, found byte 0xED"},
	{{EVENT, .datacontenttype = T("xyz")},
	 HERALD_BAD_VALUE,
	 "datacontenttype",
	 ": expected a media type such as application/json, found \"xyz\""},
	{{EVENT, .datacontenttype = T("a/b\r\nX: y")},
	 HERALD_BAD_VALUE,
	 "datacontenttype",
	 ": expected a string without control characters, found U+000D"},
	{{EVENT, .has_time = true, .time = {.nanoseconds = -1}},
	 HERALD_BAD_TIME,
	 "time",
	 ": expected a time in the years 0000 to 9999"},
	/* Names: sdk-javascript#364, sdk-go#533, sdk-python#300. */
	{{EVENT, .extensions = ONE(.name = "my_ext", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "my_ext",
	 " is not a valid attribute name: expected a-z and 0-9 only"},
	{{EVENT, .extensions = ONE(.name = "X", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "X",
	 " is not a valid attribute name: expected a-z and 0-9 only"},
	{{EVENT, .extensions = ONE(.name = "a:b", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "a:b",
	 " is not a valid attribute name: expected a-z and 0-9 only"},
	{{EVENT, .extensions = ONE(.name = "data", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "data",
	 " is not a valid name of an extension: the specification defines it"},
	{{EVENT, .extensions = ONE(.name = "id", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "id",
	 " is not a valid name of an extension: the specification defines it"},
	{{EVENT, .extensions = ONE(.name = "specversion", .text = T("x"))},
	 HERALD_BAD_VALUE,
	 "specversion",
	 " is not a valid name of an extension: the specification defines it"},
	{{EVENT, EXTENSIONS(twice)}, HERALD_DUPLICATE, "x", " is a duplicate"},
	{{EVENT, .extensions = ONE(.name = NULL)},
	 HERALD_MISSING,
	 "extensions",
	 ": the name of extension 0 is NULL"},
	{{EVENT, EXTENSIONS(too_many)},
	 HERALD_LIMIT,
	 "extensions",
	 ": expected at most 1024 extensions, found 1025"},
	/* Their values. */
	{{EVENT, .extensions = ONE(.name = "x", .text = T("a\tb"))},
	 HERALD_BAD_VALUE,
	 "x",
	 ": expected a string without control characters, found U+0009"},
	{{EVENT, .extensions = ONE(.name = "x")}, HERALD_MISSING, "x", " is required, but NULL"},
	{{EVENT, .extensions = ONE(.name = "x", .kind = HERALD_CLOUDEVENT_JSON)},
	 HERALD_MISSING,
	 "x",
	 " is required, but NULL"},
	{{EVENT, .extensions = ONE(.name = "x", .kind = HERALD_CLOUDEVENT_JSON, .text = T("5"))},
	 HERALD_BAD_TYPE,
	 "x",
	 ": expected an object or an array"},
	{{EVENT, .extensions = ONE(.name = "x", .kind = HERALD_CLOUDEVENT_JSON, .text = T("{"))},
	 HERALD_BAD_JSON,
	 "x",
	 ": the raw JSON is not valid at byte 1: expected a member's name in quotes, found the end "
	 "of "
	 "the input"},
	{{EVENT, .extensions = ONE(.name = "x", .kind = (enum herald_cloudevent_kind)99)},
	 HERALD_BAD_VALUE,
	 "x",
	 ": not a valid kind of extension: 99"},
};

/* Whether an error is the one of a case, in a mode whose paths begin with `prefix`. */
static void
check_error(enum herald_status status, const struct herald_error *error, size_t at,
	    const char *prefix)
{
	char path[64], message[256];

	snprintf(path, sizeof(path), "%s%s", prefix, bad[at].member);
	if (strcmp(path, "ce-datacontenttype") == 0)
		strcpy(path, "content-type");
	snprintf(message, sizeof(message), "%s%s", path + (strchr(path, '/') ? strlen(prefix) : 0),
		 bad[at].message);
	if (status != bad[at].status || error->status != status || strcmp(error->path, path) != 0 ||
	    strcmp(error->message, message) != 0)
		fail_msg("%s, not %s: %s, not %s", error->path, path, error->message, message);
	assert_true(error->offset == HERALD_NO_OFFSET);
}

static void
test_refused(void **state)
{
	struct herald_arena *arena;
	struct herald_buffer out;

	(void)state;
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_buffer_append(&out, "x", 1), HERALD_OK);
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct herald_cloudevent *const events[] = {&good[0].event, &bad[i].event};
		struct herald_cloudevent_headers headers = {NULL, 77};
		struct herald_error error;

		check_error(herald_cloudevent_encode_structured(&bad[i].event, &out, &error),
			    &error, i, "/");
		check_error(herald_cloudevent_encode_batch(events, 2, &out, &error), &error, i,
			    "/1/");
		check_error(herald_cloudevent_encode_binary(&bad[i].event, arena, &headers, &error),
			    &error, i, "ce-");
		assert_int_equal(herald_cloudevent_encode_structured(&bad[i].event, &out, NULL),
				 bad[i].status);
		/* Nothing has changed. */
		assert_int_equal(headers.headers_count, 77);
		assert_int_equal(out.bytes, 1);
	}
	herald_buffer_finish(&out);
	herald_arena_destroy(arena);
}

/* The data does not fit its type; or what only headers cannot have. */
static void
test_bad_data(void **state)
{
	static const struct {
		struct herald_cloudevent event;
		/* HERALD_OK: only the other mode refuses it. */
		enum herald_status structured, binary;
		const char *structured_path, *binary_path;
	} cases[] = {
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_TEXT, .data = T("a")},
		 HERALD_BAD_VALUE,
		 HERALD_BAD_VALUE,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_TEXT, .data = T("a"),
		  .datacontenttype = T("application/json")},
		 HERALD_BAD_VALUE,
		 HERALD_BAD_VALUE,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_TEXT, .data = T("a\xFF"),
		  .datacontenttype = T("text/plain")},
		 HERALD_BAD_UTF8,
		 HERALD_BAD_UTF8,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("{}"),
		  .datacontenttype = T("text/plain")},
		 HERALD_BAD_VALUE,
		 HERALD_BAD_VALUE,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("{\"a\":nul}")},
		 HERALD_BAD_JSON,
		 HERALD_BAD_JSON,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("")},
		 HERALD_BAD_JSON,
		 HERALD_BAD_JSON,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON, .data = T("1 2")},
		 HERALD_BAD_JSON,
		 HERALD_BAD_JSON,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_JSON},
		 HERALD_MISSING,
		 HERALD_MISSING,
		 "/data",
		 ""},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES, .data = {NULL, 1}},
		 HERALD_MISSING,
		 HERALD_MISSING,
		 "/data",
		 ""},
		{{EVENT, .data_kind = (enum herald_cloudevent_data)99, .data = T("a")},
		 HERALD_BAD_VALUE,
		 HERALD_BAD_VALUE,
		 "/data",
		 ""},
		/* Half of a pair. */
		{{EVENT, .data = T("a")}, HERALD_BAD_VALUE, HERALD_BAD_VALUE, "/data", ""},
		{{EVENT, .extensions_count = 1},
		 HERALD_BAD_VALUE,
		 HERALD_BAD_VALUE,
		 "/extensions",
		 "ce-extensions"},
		{{EVENT, .data_kind = HERALD_CLOUDEVENT_DATA_BYTES, .data = T("{"),
		  .datacontenttype = T("text/json")},
		 HERALD_OK,
		 HERALD_BAD_JSON,
		 "",
		 ""},
		{{EVENT, .datacontenttype = T("text/plain; a=\xC3\xBC")},
		 HERALD_OK,
		 HERALD_BAD_VALUE,
		 "",
		 "content-type"},
	};
	struct herald_arena *arena;
	struct herald_buffer out;

	(void)state;
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	herald_buffer_init(&out, NULL, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_cloudevent_headers headers;
		struct herald_error error = {.path = ""};

		assert_int_equal(herald_cloudevent_encode_structured(&cases[i].event, &out, &error),
				 cases[i].structured);
		assert_string_equal(error.path, cases[i].structured_path);
		assert_int_equal(
			herald_cloudevent_encode_binary(&cases[i].event, arena, &headers, &error),
			cases[i].binary);
		assert_string_equal(error.path, cases[i].binary_path);
	}
	herald_buffer_finish(&out);
	herald_arena_destroy(arena);
}

/* Any limit of the buffer and any allocation that fails leaves the buffer as it was. */
static void
test_buffer(void **state)
{
	const struct herald_cloudevent *const events[] = {&good[5].event, &good[11].event};
	size_t n, whole = strlen(good[5].json) + strlen(good[11].json) + 3;
	struct herald_error error;

	(void)state;
	for (n = 1; n <= whole; n++) {
		struct herald_buffer out;
		enum herald_status status;

		herald_buffer_init(&out, NULL, n);
		status = herald_cloudevent_encode_batch(events, 2, &out, &error);
		assert_int_equal(status, n < whole ? HERALD_TOO_LARGE : HERALD_OK);
		assert_int_equal(out.bytes, n < whole ? 0 : whole);
		out.bytes = 0;
		status = herald_cloudevent_encode_structured(&good[5].event, &out, &error);
		assert_int_equal(status, n < strlen(good[5].json) ? HERALD_TOO_LARGE : HERALD_OK);
		assert_int_equal(out.bytes, status == HERALD_OK ? strlen(good[5].json) : 0);
		herald_buffer_finish(&out);
	}
	for (n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_buffer out;
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&out, &memory.allocator, 0);
		status = herald_cloudevent_encode_batch(events, 2, &out, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(out.bytes, memory.failures ? 0 : whole);
		herald_buffer_finish(&out);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	assert_true(n > 1);
}

static void
test_arena(void **state)
{
	struct herald_cloudevent_headers headers;
	struct herald_error error;
	size_t limit = 16, n = 2;

	(void)state;
	for (enum herald_status status = HERALD_LIMIT; status != HERALD_OK; limit += 16) {
		struct herald_arena *arena;

		assert_int_equal(herald_arena_create(NULL, limit, &arena), HERALD_OK);
		status = herald_cloudevent_encode_binary(&good[5].event, arena, &headers, &error);
		assert_true(status == HERALD_OK || status == HERALD_LIMIT);
		assert_true(limit < 4096);
		herald_arena_destroy(arena);
	}
	assert_true(limit > 256);
	for (;; n++) {
		struct failing_allocator memory;
		struct herald_arena *arena;
		enum herald_status status;

		failing_allocator_init(&memory, FAIL_FROM, n);
		assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena), HERALD_OK);
		status = herald_cloudevent_encode_binary(&good[5].event, arena, &headers, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		herald_arena_destroy(arena);
		assert_all_released(&memory);
		if (status == HERALD_OK)
			break;
	}
	assert_true(n > 2);
}

static bool
stop_at_two(const char *name, const char *value, void *state)
{
	size_t *count = state;

	(void)value;
	assert_string_equal(name, *count == 0 ? "a" : "b");
	return ++*count < 2;
}

static void
test_helpers(void **state)
{
	static const struct herald_cloudevent_header list[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
	struct herald_cloudevent_headers headers = {list, COUNT(list)};
	size_t count = 0;

	(void)state;
	assert_ptr_equal(herald_cloudevent_extension_find(&good[5].event, "j"), &every_kind[2]);
	assert_null(herald_cloudevent_extension_find(&good[5].event, "jj"));
	assert_null(herald_cloudevent_extension_find(&good[0].event, "j"));
	herald_cloudevent_headers_visit_array(stop_at_two, &count, &headers);
	assert_int_equal(count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written), cmocka_unit_test(test_batches),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_bad_data),
		cmocka_unit_test(test_buffer),  cmocka_unit_test(test_arena),
		cmocka_unit_test(test_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
