/*
 * The events of tests/data/interop/: what the specification says, what six SDKs send, and requests
 * that a receiver must accept or refuse. DEVIATIONS.md there lists where Herald differs, and why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/cloudevents.h"

#define FOLDER "tests/data/interop/"

#define TEXT(OBJECT, NAME) json_string_value(json_object_get(OBJECT, NAME))

/* The cases, by their names. */
static json_t *cases;

static int
load_cases(void **state)
{
	json_t *file = json_load_file(FOLDER "cases.json", 0, NULL), *one;
	size_t i;

	(void)state;
	assert_non_null(file);
	cases = json_object();
	json_array_foreach(json_object_get(file, "cases"), i, one)
		json_object_set(cases, TEXT(one, "case"), one);
	json_array_foreach(json_object_get(file, "batches"), i, one)
		json_object_set(cases, TEXT(one, "case"), json_object_get(one, "members"));
	json_decref(file);
	assert_true(json_object_size(cases) >= 56);
	return 0;
}

static int
free_cases(void **state)
{
	(void)state;
	json_decref(cases);
	return 0;
}

/* The headers as an object, or as an array of pairs. */
static void
add_headers(struct request *request, json_t *headers)
{
	const char *name;
	json_t *value, *pair;
	size_t i;

	json_object_foreach(headers, name, value) request_add(
		request, name, strlen(name), json_string_value(value), json_string_length(value));
	json_array_foreach(headers, i, pair)
	{
		name = json_string_value(json_array_get(pair, 0));
		value = json_array_get(pair, 1);
		request_add(request, name, strlen(name), json_string_value(value),
			    json_string_length(value));
	}
}

/* Compare with a case, or a batch of them. */
static const char *
compare_all(struct request *request, json_t *expected,
	    bool (*may_differ)(const char *member, void *state), void *state)
{
	const char *difference = NULL;
	json_t *member;
	size_t i;

	if (!json_is_array(expected))
		return find_difference(&request->events[0], expected, may_differ, state);
	if (request->events_count != json_array_size(expected))
		return "the number of events";
	json_array_foreach(expected, i, member) if (!difference) difference = find_difference(
		&request->events[i], json_object_get(cases, json_string_value(member)), may_differ,
		state);
	return difference;
}

static void
check_accepted(const struct request *request, const char *name)
{
	if (request->status != HERALD_OK)
		fail_msg("%s: %s %s", name, request->error.path, request->error.message);
}

static const char *const modes[] = {"structured", "binary", "batch"};

static void
check_decoded(json_t *line, size_t number, void *state)
{
	const char *name = TEXT(line, "case"), *difference;

	(void)number;
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *one = json_object_get(line, modes[i]);
		struct request request;

		if (!one)
			continue;
		request_init(&request);
		add_headers(&request, json_object_get(one, "headers"));
		request_set_base64(&request, TEXT(one, "body_base64"));
		request_decode(&request, &(struct herald_cloudevent_options){.strict = true});
		check_accepted(&request, name);
		difference = compare_all(&request, json_object_get(cases, name), NULL, NULL);
		if (difference)
			fail_msg("%s, %s: %s", name, modes[i], difference);
		request_finish(&request);
	}
}

/* What the specification says is read as the case that it is of, by a strict receiver too. */
static void
test_expected_decoded(void **state)
{
	(void)state;
	assert_int_equal(for_each_line(FOLDER "expected.jsonl", check_decoded, NULL), 56);
}

/* Times have no trailing zeros in what Herald writes. */
static bool
is_encoded_otherwise(const char *name)
{
	return strcmp(name, "time_fraction_zeros") == 0;
}

static void
check_bytes(const char *name, const char *data, size_t bytes, const char *expected_base64)
{
	size_t expected_bytes;
	char *expected = decode_base64(expected_base64, &expected_bytes);

	if (bytes != expected_bytes || (bytes > 0 && memcmp(data, expected, bytes) != 0))
		fail_msg("%s: %.*s, not %.*s", name, (int)bytes, data ? data : "",
			 (int)expected_bytes, expected);
	free(expected);
}

static void
check_binary(const char *name, const struct herald_cloudevent *event, struct herald_arena *arena,
	     json_t *expected)
{
	struct herald_cloudevent_headers headers;
	struct herald_error error;
	json_t *wanted = json_object_get(expected, "headers");

	if (!event)
		abort();
	if (herald_cloudevent_encode_binary(event, arena, &headers, &error) != HERALD_OK)
		fail_msg("%s: %s %s", name, error.path, error.message);
	assert_int_equal(headers.headers_count, json_object_size(wanted));
	for (size_t i = 0; i < headers.headers_count; i++) {
		const char *value = TEXT(wanted, headers.headers[i].name);

		if (!value || strcmp(headers.headers[i].value, value) != 0)
			fail_msg("%s: %s: %s, not %s", name, headers.headers[i].name,
				 headers.headers[i].value, value);
	}
	check_bytes(name, event->data.data, event->data.bytes, TEXT(expected, "body_base64"));
}

/* Encode what a structured event or a batch was decoded to. */
static void
check_encoded(json_t *line, size_t number, void *state)
{
	const char *name = TEXT(line, "case");
	json_t *one = json_object_get(line, "structured"), *batch = json_object_get(line, "batch");
	const struct herald_cloudevent *events[MAX_EVENTS] = {NULL};
	struct herald_buffer out;
	struct request request;
	enum herald_status status;

	(void)number;
	(void)state;
	if (is_encoded_otherwise(name))
		return;
	request_init(&request);
	herald_buffer_init(&out, NULL, 0);
	add_headers(&request, json_object_get(one ? one : batch, "headers"));
	request_set_base64(&request, TEXT(one ? one : batch, "body_base64"));
	request_decode(&request, NULL);
	for (size_t i = 0; i < request.events_count; i++)
		events[i] = &request.events[i];
	if (one)
		status = herald_cloudevent_encode_structured(events[0], &out, &request.error);
	else
		status = herald_cloudevent_encode_batch(events, request.events_count, &out,
							&request.error);
	if (status != HERALD_OK)
		fail_msg("%s: %s %s", name, request.error.path, request.error.message);
	check_bytes(name, out.data, out.bytes, TEXT(one ? one : batch, "body_base64"));
	assert_string_equal(one ? HERALD_CLOUDEVENT_CONTENT_TYPE
				: HERALD_CLOUDEVENT_BATCH_CONTENT_TYPE,
			    request.content_type);
	if (one)
		check_binary(name, events[0], request.arena, json_object_get(line, "binary"));
	herald_buffer_finish(&out);
	request_finish(&request);
}

/* What Herald writes is, byte for byte, what the specification says. */
static void
test_expected_encoded(void **state)
{
	(void)state;
	for_each_line(FOLDER "expected.jsonl", check_encoded, NULL);
}

/* What one sender sent: the differences that a verdict names, in a list. */
static bool
is_named(const char *member, void *state)
{
	json_t *differences = state, *one;
	size_t i;

	json_array_foreach(differences, i, one)
	{
		const char *text = json_string_value(one);

		if (strstr(text, member))
			return true;
		/* In binary mode the data is the body. */
		if (strcmp(member, "data") == 0 && strncmp(text, "body", 4) == 0)
			return true;
	}
	return false;
}

/* Whether a verdict names a fault for which an event is refused. */
static bool
is_refusal_named(const struct request *request, json_t *differences)
{
	static const struct {
		enum herald_status status;
		const char *path, *difference;
	} reasons[] = {
		{HERALD_BAD_JSON, "", "is not JSON"},
		{HERALD_BAD_TYPE, "/extbinary", "extbinary"},
		{HERALD_BAD_VALUE, "/data", "data and data_base64"},
		{HERALD_BAD_VALUE, "content-type", "content-type"},
	};
	json_t *one;
	size_t i;

	json_array_foreach(differences, i,
			   one) for (size_t j = 0; j < sizeof(reasons) / sizeof(*reasons);
				     j++) if (request->status == reasons[j].status &&
					      strncmp(request->error.path, reasons[j].path,
						      strlen(reasons[j].path)) == 0 &&
					      strstr(json_string_value(one),
						     reasons[j].difference)) return true;
	return false;
}

/* Verdicts of one sender, by "CASE MODE". */
struct sender {
	const char *file, *sdk, *version;
	json_t *verdicts;
	size_t equal, different, refused;
};

static void
add_verdict(json_t *line, size_t number, void *state)
{
	struct sender *sender = state;
	char key[128];

	(void)number;
	if (strcmp(TEXT(line, "sdk"), sender->sdk) != 0 ||
	    strcmp(TEXT(line, "version"), sender->version) != 0)
		return;
	snprintf(key, sizeof(key), "%s %s", TEXT(line, "case"), TEXT(line, "mode"));
	json_object_set(sender->verdicts, key, line);
}

/* verdicts.jsonl has none of the SDK for JavaScript, which adds a time to all events, and a type to
 * binary ones (sdk-javascript#441, #117). */
static json_t *
judge_javascript(const char *name)
{
	static const struct {
		const char *name, *difference;
	} others[] = {
		{"already_percent_encoded", "source, subject: not percent-encoded"},
		{"spaces_percent_quotes", "subject: not percent-encoded"},
		/* sdk-javascript#492: what is false vanishes. */
		{"data_json_empty_string", "data missing"},
		{"data_json_null", "data missing"},
		{"data_json_string", "body is not JSON"},
		{"data_json_string_no_contenttype", "body is not JSON"},
		{"data_json_string_of_json", "body is another value"},
		{"ext_all_types", "extbinary became an object"},
		{"ext_binary_bytes", "extbinary became an object"},
		/* sdk-javascript#491, #643: {} in data, and "" in data_base64. */
		{"data_empty_binary", "data and data_base64"},
		{"extensions_documented", "dataref: not percent-encoded"},
	};
	json_t *differences = json_pack("[ss]", "time added", "content-type");

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(name, others[i].name) == 0)
			json_array_append_new(differences, json_string(others[i].difference));
	return json_pack("{sbso}", "equal", false, "differences", differences);
}

static void
check_sent(struct sender *sender, struct request *request, json_t *line)
{
	const char *name = TEXT(line, "case"), *mode = TEXT(line, "mode"), *difference;
	json_t *verdict, *differences;
	char key[128];

	snprintf(key, sizeof(key), "%s %s", name, mode);
	if (strcmp(sender->sdk, "sdk-javascript") == 0)
		json_object_set_new(sender->verdicts, key, judge_javascript(name));
	verdict = json_object_get(sender->verdicts, key);
	differences = json_object_get(verdict, "differences");
	if (!verdict)
		fail_msg("%s: there is no verdict on %s", sender->sdk, key);
	request_decode(request, NULL);
	if (request->status != HERALD_OK) {
		if (!is_refusal_named(request, differences))
			fail_msg("%s, %s: %s %s", sender->sdk, key, request->error.path,
				 request->error.message);
		sender->refused++;
		return;
	}
	difference = compare_all(request, json_object_get(cases, name), is_named, differences);
	if (difference)
		fail_msg("%s, %s: %s", sender->sdk, key, difference);
	if (json_is_true(json_object_get(verdict, "equal")))
		sender->equal++;
	else
		sender->different++;
}

static void
check_line(json_t *line, size_t number, void *state)
{
	struct request request;

	(void)number;
	/* What the SDK or its HTTP client refused to send. */
	if (!json_object_get(line, "headers") || json_object_get(line, "error") ||
	    json_object_get(line, "transport_error"))
		return;
	request_init(&request);
	add_headers(&request, json_object_get(line, "headers"));
	request_set_base64(&request, TEXT(line, "body_base64"));
	check_sent(state, &request, line);
	request_finish(&request);
}

static const struct {
	const char *file, *sdk, *version;
	/* Events sent as in the case, with differences, and refused. */
	size_t equal, different, refused;
} senders[] = {
	{"cloudevents-sdk-go", "sdk-go", "v2.16.2", 89, 17, 0},
	{"cloudevents-sdk-rust", "sdk-rust", "0.9.0", 96, 12, 0},
	{"cloudevents-sdk-javascript", "sdk-javascript", "10.0.0", 0, 95, 5},
	{"cloudevents-sdk-python", "sdk-python", "2.2.0", 12, 86, 4},
	{"cloudevents-sdk-python-1", "sdk-python", "1.13.0", 14, 84, 0},
	{"cloudevents-pydantic", "cloudevents-pydantic", "0.2.0", 39, 30, 1},
};

#define SENDERS_COUNT (sizeof(senders) / sizeof(*senders))

/* What each SDK sends is read as what it is, or refused for the fault that the verdict names. */
static void
test_sdks(void **state)
{
	(void)state;
	for (size_t i = 0; i < SENDERS_COUNT; i++) {
		struct sender sender = {.file = senders[i].file,
					.sdk = senders[i].sdk,
					.version = senders[i].version,
					.verdicts = json_object()};
		char path[128];

		for_each_line(FOLDER "verdicts.jsonl", add_verdict, &sender);
		snprintf(path, sizeof(path), FOLDER "%s.jsonl", senders[i].file);
		for_each_line(path, check_line, &sender);
		json_decref(sender.verdicts);
		if (sender.equal != senders[i].equal || sender.different != senders[i].different ||
		    sender.refused != senders[i].refused)
			fail_msg("%s: %zu %zu %zu", path, sender.equal, sender.different,
				 sender.refused);
	}
}

/* Read a request as it was sent; only for the requests in wire.jsonl, which are well-formed. */
static void
parse_http(struct request *request, const char *text, size_t bytes)
{
	const char *end = memmem(text, bytes, "\r\n\r\n", 4), *line = strstr(text, "\r\n") + 2;

	assert_non_null(end);
	while (line < end) {
		const char *line_end = strstr(line, "\r\n");
		const char *colon = memchr(line, ':', (size_t)(line_end - line));
		const char *value = colon + 1;

		assert_non_null(colon);
		while (*value == ' ' || *value == '\t')
			value++;
		while (line_end > value && (line_end[-1] == ' ' || line_end[-1] == '\t'))
			line_end--;
		request_add(request, line, (size_t)(colon - line), value,
			    (size_t)(line_end - value));
		line = strstr(line, "\r\n") + 2;
	}
	request_set_body(request, end + 4, bytes - (size_t)(end + 4 - text));
}

static void
check_wire(json_t *line, size_t number, void *state)
{
	struct sender *sender = state;
	const char *sdk = TEXT(line, "sdk");
	struct request request;
	size_t bytes;
	char *text;

	(void)number;
	/* It is named as the file is. */
	if (strcmp(sdk, sender->file) != 0 && strcmp(sdk, strchr(sender->file, '-') + 1) != 0)
		return;
	request_init(&request);
	text = decode_base64(TEXT(line, "request_base64"), &bytes);
	text[bytes] = '\0';
	parse_http(&request, text, bytes);
	free(text);
	check_sent(sender, &request, line);
	request_finish(&request);
}

/* The same as whole HTTP requests. */
static void
test_wire(void **state)
{
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < SENDERS_COUNT; i++) {
		struct sender sender = {.file = senders[i].file,
					.sdk = senders[i].sdk,
					.version = senders[i].version,
					.verdicts = json_object()};

		for_each_line(FOLDER "verdicts.jsonl", add_verdict, &sender);
		for_each_line(FOLDER "wire.jsonl", check_wire, &sender);
		json_decref(sender.verdicts);
		total += sender.equal + sender.different + sender.refused;
	}
	assert_int_equal(total, 376);
}

static void
check_attributes(const struct request *request, json_t *line)
{
	json_t *attributes = json_object_get(line, "attributes"), *value;
	const struct herald_cloudevent *event = &request->events[0];
	const char *name;

	json_object_foreach(attributes, name, value)
	{
		const struct herald_cloudevent_extension *extension =
			herald_cloudevent_extension_find(event, name);
		const char *wanted = json_string_value(value);
		struct herald_time time;

		if (strcmp(name, "time") == 0) {
			assert_int_equal(herald_time_parse(wanted, strlen(wanted), &time, NULL),
					 HERALD_OK);
			assert_true(event->has_time &&
				    herald_time_compare(&time, &event->time) == 0);
		} else if (strcmp(name, "subject") == 0) {
			assert_string_equal(event->subject.data, wanted);
		} else if (strcmp(name, "id") == 0) {
			assert_string_equal(event->id.data, wanted);
		} else if (strcmp(name, "dataschema") == 0) {
			assert_string_equal(event->dataschema.data, wanted);
		} else {
			assert_non_null(extension);
			assert_string_equal(extension->text.data, wanted);
		}
	}
}

static void
check_data(const struct request *request, json_t *line)
{
	const struct herald_cloudevent *event = &request->events[0];
	json_t *json = json_object_get(line, "data_json_text");

	if (json) {
		assert_int_equal(event->data_kind, HERALD_CLOUDEVENT_DATA_JSON);
		assert_int_equal(event->data.bytes, json_string_length(json));
		assert_memory_equal(event->data.data, json_string_value(json), event->data.bytes);
	}
	if (json_object_get(line, "data_base64"))
		check_bytes(TEXT(line, "name"), event->data.data, event->data.bytes,
			    TEXT(line, "data_base64"));
}

static void
check_receive_case(json_t *line, size_t number, void *state)
{
	const char *name = TEXT(line, "name"), *expect = TEXT(line, "expect");
	struct request request;

	(void)number;
	(void)state;
	request_init(&request);
	add_headers(&request, json_object_get(line, "headers"));
	request_set_base64(&request, TEXT(line, "body_base64"));
	request_decode(&request, NULL);
	if (strcmp(expect, "accept") == 0) {
		check_accepted(&request, name);
		check_attributes(&request, line);
		check_data(&request, line);
	} else if (strncmp(expect, "reject", 6) == 0) {
		if (request.status == HERALD_OK)
			fail_msg("%s is accepted", name);
		if (strncmp(expect, "reject member ", 14) == 0) {
			size_t member = (size_t)atoi(expect + 14);

			for (size_t i = 0; i < request.events_count; i++)
				assert_true((request.statuses[i] == HERALD_OK) == (i != member));
			assert_true(member < request.events_count);
		}
	} else {
		assert_string_equal(expect, "either");
	}
	request_finish(&request);
}

static void
test_receive_cases(void **state)
{
	(void)state;
	for_each_line(FOLDER "receive_cases.jsonl", check_receive_case, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected_decoded),
		cmocka_unit_test(test_expected_encoded),
		cmocka_unit_test(test_sdks),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_receive_cases),
	};

	return cmocka_run_group_tests(tests, load_cases, free_cases);
}
