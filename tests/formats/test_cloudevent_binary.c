/*
 * Binary mode: headers and body decoded, and the code, place and message of what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support/cloudevents.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define NOWHERE HERALD_NO_OFFSET

/* Options, as bits. */
enum { STRICT = 1, IGNORE = 2, UNCHECKED = 4 };

static void
decode(struct request *request, const char *content_type, const char *body, size_t bytes,
       const struct herald_cloudevent_options *options)
{
	request_set_body(request, body, bytes);
	request->status = herald_cloudevent_decode_binary(
		herald_cloudevent_headers_visit_array, &request->headers, content_type,
		request->body, request->body_bytes, options, request->arena, &request->events[0],
		&request->error);
	/* The body is not modified. */
	if (bytes > 0)
		assert_memory_equal(request->body, body, bytes);
}

static void
test_events(void **state)
{
	/* `headers` as add_header_lines() reads them. `result` is the event, or the message. */
	static const struct {
		const char *headers, *content_type, *body;
		int options;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *result;
	} cases[] = {
		/* What is accepted. Other headers are ignored. */
		{"@", NULL, "", 0, HERALD_OK, "", 0, ""},
		{"Host: a|@|X-ce-x: 1|ce: 1|c: 2", NULL, "", 0, HERALD_OK, "", 0, ""},
		{"CE-SpecVersion: 1.0|Ce-Id: a|cE-SOURCE: b|CE-TYPE: c|CE-MyExt: X", NULL, "", 0,
		 HERALD_OK, "", 0, "id=a source=b type=c myext=X"},
		{"@|ce-subject: a|ce-dataschema: #|ce-time: 2018-04-05T17:31:00+00:00",
		 "text/plain", "hi", 0, HERALD_OK, "", 0,
		 "subject=a time=2018-04-05T17:31:00Z dataschema=# datacontenttype=text/plain "
		 "data=bytes:hi"},
		{"@|ce-i: 5|ce-b: true|ce-s: ", NULL, "", 0, HERALD_OK, "", 0, "i=5 b=true s="},
		/* The body is the data. Without a type it is bytes: sdk-javascript#441, #117. */
		{"@", NULL, "{\"a\":1}", 0, HERALD_OK, "", 0, "data=bytes:{\"a\":1}"},
		{"@", "application/octet-stream", "\377", 0, HERALD_OK, "", 0,
		 "datacontenttype=application/octet-stream data=bytes:\\xFF"},
		{"@", "application/json", " {\"a\": 1}\012", 0, HERALD_OK, "", 0,
		 "datacontenttype=application/json data=json:{\"a\": 1}"},
		{"@", "Application/Vnd.x+JSON", "null", 0, HERALD_OK, "", 0,
		 "datacontenttype=Application/Vnd.x+JSON data=json:null"},
		{"@", "application/json", "", 0, HERALD_OK, "", 0,
		 "datacontenttype=application/json"},
		{"@", "application/json", "{\"a\":1,}", 0, HERALD_BAD_JSON, "", 7,
		 "expected a member's name in quotes, found '}'"},
		{"@", "application/json", "{\"a\":[1,2,x]}", 0, HERALD_BAD_JSON, "/a/2", 10,
		 "a/2: expected a value, found x"},
		{"@", "application/json", " ", 0, HERALD_BAD_JSON, "", 1,
		 "expected a value, found the end of the input"},
		{"@", "application/json", "1 2", 0, HERALD_BAD_JSON, "", 2,
		 "expected the end of the value, found '2'"},
		{"@", "application/json", " {\"a\":1,} ", UNCHECKED, HERALD_OK, "", 0,
		 "datacontenttype=application/json data=json:{\"a\":1,}"},
		{"@", "xyz", "a", 0, HERALD_BAD_VALUE, "content-type", 0,
		 "content-type: expected a media type such as application/json, found \"xyz\""},
		{"@", "text/plain; a=\377", "a", 0, HERALD_BAD_UTF8, "content-type", 0,
		 "content-type: expected UTF-8, found byte 0xFF"},
		/* Percent-encoding: spec#1397, sdk-go#1331, sdk-java#748. */
		{"@|ce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80", NULL, "", 0, HERALD_OK, "", 0,
		 "subject=Euro \\xE2\\x82\\xAC \\xF0\\x9F\\x98\\x80"},
		{"@|ce-subject: %e2%82%ac", NULL, "", 0, HERALD_OK, "", 0,
		 "subject=\\xE2\\x82\\xAC"},
		{"@|ce-subject: %41%62%2F", NULL, "", 0, HERALD_OK, "", 0, "subject=Ab/"},
		{"@|ce-subject: %2541%25%32%35", NULL, "", 0, HERALD_OK, "", 0, "subject=%41%25"},
		{"@|ce-subject: a+b", NULL, "", 0, HERALD_OK, "", 0, "subject=a+b"},
		{"@|ce-subject: %20%20", NULL, "", 0, HERALD_OK, "", 0, "subject=  "},
		{"@|ce-subject: 100% sure", NULL, "", 0, HERALD_OK, "", 0, "subject=100% sure"},
		{"@|ce-subject: %", NULL, "", 0, HERALD_OK, "", 0, "subject=%"},
		{"@|ce-subject: %4", NULL, "", 0, HERALD_OK, "", 0, "subject=%4"},
		{"@|ce-subject: %4g%g4%%41", NULL, "", 0, HERALD_OK, "", 0, "subject=%4g%g4%A"},
		/* sdk-rust refuses this. */
		{"@|ce-subject: Z\303\274rich", NULL, "", 0, HERALD_OK, "", 0,
		 "subject=Z\\xC3\\xBCrich"},
		{"@|ce-id: %31", NULL, "", 0, HERALD_DUPLICATE, "ce-id", 0, "ce-id is a duplicate"},
		{"ce-specversion: 1%2E0|ce-id: %31|ce-source: %2Fs|ce-type: %74|ce-time: "
		 "2018-04-05T17%3A31%3A00Z",
		 NULL, "", 0, HERALD_OK, "", 0, "time=2018-04-05T17:31:00Z"},
		/* Quoted strings. */
		{"@|ce-subject: \"a b\"", NULL, "", 0, HERALD_OK, "", 0, "subject=a b"},
		{"@|ce-subject: \"a\\\"b\\\\c\\d\"", NULL, "", 0, HERALD_OK, "", 0,
		 "subject=a\"b\\cd"},
		{"@|ce-subject: \"%41%22\"", NULL, "", 0, HERALD_OK, "", 0, "subject=A\""},
		{"@|ce-subject: \"\\%41\"", NULL, "", 0, HERALD_OK, "", 0, "subject=A"},
		{"@|ce-x: \"\"", NULL, "", 0, HERALD_OK, "", 0, "x="},
		{"@|ce-subject: \"\"", NULL, "", 0, HERALD_BAD_LENGTH, "ce-subject", 0,
		 "ce-subject: must not be empty"},
		{"@|ce-subject: \"", NULL, "", 0, HERALD_OK, "", 0, "subject=\""},
		{"@|ce-subject: \"a", NULL, "", 0, HERALD_OK, "", 0, "subject=\"a"},
		{"@|ce-subject: a\"", NULL, "", 0, HERALD_OK, "", 0, "subject=a\""},
		{"@|ce-subject: a\"b", NULL, "", 0, HERALD_OK, "", 0, "subject=a\"b"},
		{"@|ce-subject: \"a\"b\"", NULL, "", 0, HERALD_OK, "", 0, "subject=\"a\"b\""},
		{"@|ce-subject: \"a\" b", NULL, "", 0, HERALD_OK, "", 0, "subject=\"a\" b"},
		{"@|ce-subject: \"a\\\"", NULL, "", 0, HERALD_OK, "", 0, "subject=\"a\\\""},
		{"@|ce-subject: %22a%22", NULL, "", 0, HERALD_OK, "", 0, "subject=\"a\""},
		/* Strict. */
		{"@|ce-subject: 100%25%20sure", NULL, "", STRICT, HERALD_OK, "", 0,
		 "subject=100% sure"},
		{"@|ce-subject: 100% sure", NULL, "", STRICT, HERALD_BAD_VALUE, "ce-subject", 3,
		 "ce-subject: expected two hexadecimal digits after '%' (strict)"},
		{"@|ce-subject: \"a%4x\"", NULL, "", STRICT, HERALD_BAD_VALUE, "ce-subject", 2,
		 "ce-subject: expected two hexadecimal digits after '%' (strict)"},
		{"@|ce-subject: aZ\303\274rich", NULL, "", STRICT, HERALD_BAD_VALUE, "ce-subject",
		 2, "ce-subject: expected percent-encoding (strict), found byte 0xC3"},
		/* Refused: what is not UTF-8, and characters that strings must not have. */
		{"@|ce-subject: %ED%A0%80", NULL, "", 0, HERALD_BAD_UTF8, "ce-subject", 0,
		 "ce-subject: expected UTF-8, found byte 0xED"},
		{"@|ce-subject: %E2%82", NULL, "", 0, HERALD_BAD_UTF8, "ce-subject", 0,
		 "ce-subject: expected UTF-8, found byte 0xE2"},
		{"@|ce-subject: %F4%90%80%80", NULL, "", 0, HERALD_BAD_UTF8, "ce-subject", 0,
		 "ce-subject: expected UTF-8, found byte 0xF4"},
		{"@|ce-subject: %C0%80", NULL, "", 0, HERALD_BAD_UTF8, "ce-subject", 0,
		 "ce-subject: expected UTF-8, found byte 0xC0"},
		{"@|ce-subject: Z\374rich", NULL, "", 0, HERALD_BAD_UTF8, "ce-subject", 0,
		 "ce-subject: expected UTF-8, found byte 0xFC"},
		{"@|ce-subject: a%00b", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+0000"},
		{"@|ce-subject: a%0Ab", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+000A"},
		{"@|ce-subject: a%7fb", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+007F"},
		{"@|ce-subject: a\177b", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+007F"},
		{"@|ce-subject: a\011b", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+0009"},
		{"@|ce-subject: a%C2%85b", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without control characters, found U+0085"},
		{"@|ce-subject: %EF%BF%BF", NULL, "", 0, HERALD_BAD_VALUE, "ce-subject", 0,
		 "ce-subject: expected a string without noncharacters, found U+FFFF"},
		{"@|ce-x: %EF%B7%90", NULL, "", 0, HERALD_BAD_VALUE, "ce-x", 0,
		 "ce-x: expected a string without noncharacters, found U+FDD0"},
		/* Required attributes. */
		{"Host: a", NULL, "", 0, HERALD_MISSING, "ce-specversion", NOWHERE,
		 "ce-specversion is required, but missing"},
		{"ce-id: 1|ce-source: /s|ce-type: t", NULL, "", 0, HERALD_MISSING, "ce-specversion",
		 NOWHERE, "ce-specversion is required, but missing"},
		{"ce-specversion: 1.0|ce-source: /s|ce-type: t", NULL, "", 0, HERALD_MISSING,
		 "ce-id", NOWHERE, "ce-id is required, but missing"},
		{"ce-specversion: 1.0|ce-id: 1|ce-type: t", NULL, "", 0, HERALD_MISSING,
		 "ce-source", NOWHERE, "ce-source is required, but missing"},
		{"ce-specversion: 1.0|ce-id: 1|ce-source: /s", NULL, "", 0, HERALD_MISSING,
		 "ce-type", NOWHERE, "ce-type is required, but missing"},
		{"ce-specversion: 1.0|ce-id: |ce-source: /s|ce-type: t", NULL, "", 0,
		 HERALD_BAD_LENGTH, "ce-id", 0, "ce-id: must not be empty"},
		{"ce-specversion: 1.0.2|ce-id: 1|ce-source: /s|ce-type: t", NULL, "", 0,
		 HERALD_BAD_VALUE, "ce-specversion", 0,
		 "ce-specversion: expected \"1.0\", found \"1.0.2\""},
		{"ce-specversion: 2.0|ce-id: 1|ce-source: /s|ce-type: t", NULL, "", 0,
		 HERALD_BAD_VALUE, "ce-specversion", 0,
		 "ce-specversion: expected \"1.0\", found \"2.0\""},
		{"@|ce-time: 2018-04-05T17:31Z", NULL, "", 0, HERALD_BAD_TIME, "ce-time", 0,
		 "ce-time: not an RFC 3339 timestamp: expected ':', found 'Z'"},
		{"@|ce-dataschema: ", NULL, "", 0, HERALD_BAD_LENGTH, "ce-dataschema", 0,
		 "ce-dataschema: must not be empty"},
		/* Each at most once, in whatever case. */
		{"@|ce-id: 2", NULL, "", 0, HERALD_DUPLICATE, "ce-id", 0, "ce-id is a duplicate"},
		{"@|CE-ID: 1", NULL, "", 0, HERALD_DUPLICATE, "ce-id", 0, "ce-id is a duplicate"},
		{"@|ce-specversion: 1.0", NULL, "", 0, HERALD_DUPLICATE, "ce-specversion", 0,
		 "ce-specversion is a duplicate"},
		{"@|ce-x: 1|ce-y: 2|Ce-X: 1", NULL, "", 0, HERALD_DUPLICATE, "ce-x", 0,
		 "ce-x is a duplicate"},
		/* Names. sdk-go#1307: a header "CE-". */
		{"@|CE-: x", NULL, "", 0, HERALD_BAD_VALUE, "ce-", 0,
		 "ce- is not a valid attribute name: expected a-z and 0-9 only"},
		{"@|ce-my_ext: x", NULL, "", 0, HERALD_BAD_VALUE, "ce-my_ext", 0,
		 "ce-my_ext is not a valid attribute name: expected a-z and 0-9 only"},
		{"@|ce-my-ext: x", NULL, "", 0, HERALD_BAD_VALUE, "ce-my-ext", 0,
		 "ce-my-ext is not a valid attribute name: expected a-z and 0-9 only"},
		{"@|ce-data: x", NULL, "", 0, HERALD_BAD_VALUE, "ce-data", 0,
		 "ce-data is not a valid attribute name: it is reserved"},
		{"@|ce-data_base64: x", NULL, "", 0, HERALD_BAD_VALUE, "ce-data_base64", 0,
		 "ce-data_base64 is not a valid attribute name: expected a-z and 0-9 only"},
		{"@|CE-: x|ce-My_Ext: x|ce-z: 1", NULL, "", IGNORE, HERALD_OK, "", 0, "z=1"},
		{"@|ce-my_ext: x|ce-MY_EXT: x", NULL, "", IGNORE, HERALD_DUPLICATE, "ce-my_ext", 0,
		 "ce-my_ext is a duplicate"},
		{"@|ce-my_ext: %00", NULL, "", IGNORE, HERALD_BAD_VALUE, "ce-my_ext", 0,
		 "ce-my_ext: expected a string without control characters, found U+0000"},
		/* ce-datacontenttype must not be there. */
		{"@|ce-datacontenttype: Text/Plain", "text/plain", "x", 0, HERALD_OK, "", 0,
		 "datacontenttype=text/plain data=bytes:x"},
		{"@|ce-datacontenttype: text/plain", "application/json", "{}", 0, HERALD_BAD_VALUE,
		 "ce-datacontenttype", 0,
		 "ce-datacontenttype: must not be sent: Content-Type is the type of the data"},
		{"@|ce-datacontenttype: text/plain", NULL, "", 0, HERALD_BAD_VALUE,
		 "ce-datacontenttype", 0,
		 "ce-datacontenttype: must not be sent: Content-Type is the type of the data"},
		{"@|ce-datacontenttype: text/plain|ce-datacontenttype: text/plain", "text/plain",
		 "", 0, HERALD_DUPLICATE, "ce-datacontenttype", 0,
		 "ce-datacontenttype is a duplicate"},
		{"@|ce-datacontenttype: text/plain", "text/plain", "", STRICT, HERALD_BAD_VALUE,
		 "ce-datacontenttype", 0,
		 "ce-datacontenttype: must not be sent: Content-Type is the type of the data"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_cloudevent_options options = {
			.strict = (cases[i].options & STRICT) != 0,
			.ignore_bad_names = (cases[i].options & IGNORE) != 0,
			.data_unchecked = (cases[i].options & UNCHECKED) != 0,
		};
		char rendered[RENDERED_BYTES];
		const char *result = rendered;
		struct request request;

		request_init(&request);
		add_header_lines(&request, cases[i].headers);
		decode(&request, cases[i].content_type, cases[i].body, strlen(cases[i].body),
		       &options);
		if (request.status == HERALD_OK) {
			assert_int_equal(request.events[0].mode, HERALD_CLOUDEVENT_BINARY);
			render_event(&request.events[0], rendered);
		} else {
			result = request.error.message;
			assert_int_equal(request.error.status, request.status);
			assert_string_equal(request.error.path, cases[i].path);
			assert_int_equal(request.error.offset, cases[i].offset);
		}
		if (request.status != cases[i].status || strcmp(result, cases[i].result) != 0)
			fail_msg("%s: %s %s", cases[i].headers, herald_status_name(request.status),
				 result);
		request_finish(&request);
	}
}

/* A value that needs no decoding is not copied. A body may have NUL bytes. */
static void
test_in_place(void **state)
{
	struct request request;

	(void)state;
	request_init(&request);
	add_header_lines(&request, "@|ce-subject: plain");
	decode(&request, "application/octet-stream", "a\0b", 3, NULL);
	assert_int_equal(request.status, HERALD_OK);
	assert_ptr_equal(request.events[0].subject.data, request.list[4].value);
	assert_ptr_equal(request.events[0].data.data, request.body);
	assert_int_equal(request.events[0].data.bytes, 3);
	request_finish(&request);
}

static void
test_limits(void **state)
{
	static const struct {
		struct herald_cloudevent_options options;
		const char *good, *bad, *path;
	} cases[] = {
		{{.max_attribute_bytes = 3},
		 "@|ce-subject: abc",
		 "@|ce-subject: abcd",
		 "ce-subject"},
		{{.max_attribute_bytes = 3}, "@|ce-x: %61%62%63", "@|ce-x: %61%62%63%64", "ce-x"},
		/* Refused before it is copied. */
		{{.max_attribute_bytes = 3},
		 "@|ce-x: %61%62c",
		 "@|ce-x: %61%62%63%64%65%66",
		 "ce-x"},
		{{.max_extensions_count = 1}, "@|ce-x: 1", "@|ce-x: 1|ce-y: 2", "ce-y"},
		{{.limits.max_key_bytes = 4}, "@|ce-abcd: 1", "@|ce-abcde: 1", "ce-abcde"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request good, bad;

		request_init(&good);
		add_header_lines(&good, cases[i].good);
		decode(&good, NULL, "", 0, &cases[i].options);
		assert_int_equal(good.status, HERALD_OK);
		request_finish(&good);

		request_init(&bad);
		add_header_lines(&bad, cases[i].bad);
		decode(&bad, NULL, "", 0, &cases[i].options);
		assert_int_equal(bad.status, HERALD_LIMIT);
		assert_string_equal(bad.error.path, cases[i].path);
		request_finish(&bad);
	}
}

/* An escape that is cut ends with its value, whatever comes after it in memory. */
static void
test_cut_escape(void **state)
{
	struct request request;

	(void)state;
	request_init(&request);
	memset(herald_arena_alloc(request.arena, 256), '1', 256);
	herald_arena_reset(request.arena);
	add_header_lines(&request, "@|ce-x: %4");
	decode(&request, NULL, "", 0, NULL);
	assert_int_equal(request.status, HERALD_OK);
	assert_string_equal(request.events[0].extensions[0].text.data, "%4");
	request_finish(&request);
}

static void
test_bad_options(void **state)
{
	struct request request;

	(void)state;
	request_init(&request);
	add_header_lines(&request, "@");
	decode(&request, NULL, "", 0,
	       &(struct herald_cloudevent_options){.limits.max_depth = 1025});
	assert_int_equal(request.status, HERALD_BAD_OPTION);
	assert_string_equal(request.error.path, "limits.max_depth");
	request_finish(&request);
}

/* The name of a header that does not fit into a path loses its end. */
static void
test_long_name(void **state)
{
	char lines[600] = "@|ce-";
	struct request request;

	(void)state;
	memset(lines + 5, 'A', 500);
	strcpy(lines + 505, "_: x");
	request_init(&request);
	add_header_lines(&request, lines);
	decode(&request, NULL, "", 0, NULL);
	assert_int_equal(request.status, HERALD_BAD_VALUE);
	assert_true(strncmp(request.error.path, "ce-aaaa", 7) == 0);
	assert_true(strlen(request.error.path) < sizeof(request.error.path));
	request_finish(&request);
}

static const char many[] = "@|ce-a: %31|ce-b: 2|ce-c: 3|ce-d: 4|ce-e: 5|ce-f: \"6\"";

static void
test_no_memory(void **state)
{
	size_t n = 2;

	(void)state;
	for (;; n++) {
		struct failing_allocator memory;
		struct request request;

		request_init(&request);
		herald_arena_destroy(request.arena);
		failing_allocator_init(&memory, FAIL_FROM, n);
		assert_int_equal(herald_arena_create(&memory.allocator, 0, &request.arena),
				 HERALD_OK);
		add_header_lines(&request, many);
		decode(&request, "text/plain", "x", 1, NULL);
		assert_int_equal(request.status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		request_finish(&request);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	assert_true(n > 2);
}

static void
test_memory_limit(void **state)
{
	enum herald_status status = HERALD_LIMIT;

	(void)state;
	for (size_t limit = 16; status != HERALD_OK; limit += 16) {
		struct request request;

		request_init(&request);
		herald_arena_destroy(request.arena);
		assert_int_equal(herald_arena_create(NULL, limit, &request.arena), HERALD_OK);
		add_header_lines(&request, many);
		decode(&request, "text/plain", "x", 1, NULL);
		status = request.status;
		assert_true(status == HERALD_OK || status == HERALD_LIMIT);
		assert_true(limit < 4096);
		request_finish(&request);
	}
}

/* No malloc once the arena is warm. */
static void
test_steady_state(void **state)
{
	struct failing_allocator memory;
	struct request request;
	size_t calls = 0;

	(void)state;
	request_init(&request);
	herald_arena_destroy(request.arena);
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	assert_int_equal(herald_arena_create(&memory.allocator, 0, &request.arena), HERALD_OK);
	add_header_lines(&request, many);
	for (int i = 0; i < 10; i++) {
		decode(&request, "application/json", "{}", 2, NULL);
		assert_int_equal(request.status, HERALD_OK);
		assert_int_equal(request.events[0].extensions_count, 6);
		herald_arena_reset(request.arena);
		if (i == 4)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	request_finish(&request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),       cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_limits),       cmocka_unit_test(test_cut_escape),
		cmocka_unit_test(test_bad_options),  cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_no_memory),    cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_steady_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
