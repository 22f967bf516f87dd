/*
 * Several formats in one service: which one takes an event, what each finds in it, payloads of any
 * media type, and the same for events that were stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/adapter/request.h>
#include <herald/herald.h>

#include "support/draw.h"
#include "support/events.h"
#include "support/fake_inbox.h"

/* A format whose name is its media type, "text/NAME", or the value of the attribute "Format". Its
 * payload is the body, and its attributes are named as in a message. */
struct named {
	struct herald_format format; /* the first member */
	bool has_path, lacks_time;
	enum { MAKES_JSON, MAKES_DATA, MAKES_UNKNOWN } makes;
};

static bool
match_named(const struct herald_format *format, const struct herald_arrival *arrival)
{
	const char *attribute = herald_arrival_attribute(arrival, "Format");
	const char *type = arrival->content_type;

	if (attribute)
		return strcmp(attribute, format->ops->name) == 0;
	return type && strncmp(type, "text/", 5) == 0 &&
	       strncmp(type + 5, format->ops->name, strlen(format->ops->name)) == 0;
}

static enum herald_status
decode_named(const struct herald_format *format, struct herald_context *ctx, char *data,
	     size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	const struct named *named = (const struct named *)format;

	if (bytes > 0 && *data == '!')
		return herald_error_set(error, HERALD_BAD_FORMAT, 0, "%s says no",
					format->ops->name);
	out->message->event_type = "named";
	out->message->timestamp.seconds = 5;
	out->id = herald_context_attribute(ctx, "Id");
	out->source = herald_context_attribute(ctx, "Source");
	out->subject = herald_context_attribute(ctx, "Subject");
	out->version = herald_context_attribute(ctx, "Version");
	out->lacks_time = named->lacks_time;
	out->payload_path = named->has_path ? "/data" : NULL;
	if (named->makes == MAKES_JSON)
		out->message->payload = (struct herald_json){data, bytes};
	else
		out->data = (struct herald_data){
			named->makes == MAKES_DATA ? herald_context_content_type(ctx) : NULL, data,
			bytes};
	return HERALD_OK;
}

#define OPS(NAME)                                                                                  \
	{                                                                                          \
		.struct_size = sizeof(struct herald_format_ops), .name = (NAME),                   \
		.matches = match_named, .decode = decode_named                                     \
	}

static const char *const names[] = {"Format", "Id", "Source", "Subject", "Version", NULL};
static const char *const red_types[] = {"text/red", NULL};
static const char *const blue_types[] = {"text/blue", NULL};
static const struct herald_format_ops red_ops = OPS("red"), blue_ops = OPS("blue"),
				      pink_ops = OPS("pink");
static const struct named red = {{&red_ops, names, red_types}, true, true, MAKES_JSON};
static const struct named blue = {{&blue_ops, names, blue_types}, true, false, MAKES_DATA};
static const struct named pink = {{&pink_ops, names, blue_types}, false, false, MAKES_UNKNOWN};

static const struct herald_format *const all[] = {&red.format, &blue.format, &pink.format,
						  &herald_format_envelope};
static const struct herald_format *const two[] = {&red.format, &blue.format};

/* The functions note what they get. */

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

static void
note_identity(struct herald_context *ctx)
{
	const struct herald_time *time = herald_context_time(ctx);

	note("%s/%s/%s/%s@%d", herald_context_id(ctx), herald_context_source(ctx),
	     herald_context_subject(ctx), herald_context_version(ctx),
	     time ? (int)(time->seconds % 1000) : -1);
}

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	note_identity(ctx);
	note("%s", user->name);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user);

static enum herald_verdict
on_data(struct herald_context *ctx, const struct herald_data *data)
{
	(void)ctx;
	note("%s:%.*s", data->content_type ? data->content_type : "NULL", (int)data->bytes,
	     data->data ? data->data : "");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_data, herald_data);

static enum herald_verdict
on_json(struct herald_context *ctx, const struct herald_json *json)
{
	(void)ctx;
	note("%.*s", (int)json->bytes, json->data ? json->data : "");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_json, herald_json);

#define USER_ROUTES                                                                                \
	HERALD_ROUTE("named", user, on_user, NULL), HERALD_ROUTE("enveloped", user, on_user, NULL)
#define DATA_ROUTES                                                                                \
	HERALD_ROUTE("named", herald_data, on_data, NULL),                                         \
		HERALD_ROUTE("enveloped", herald_data, on_data, NULL)
#define JSON_ROUTES HERALD_ROUTE("named", herald_json, on_json, NULL)

/* Attributes: names and values, then NULL. */
static const char *
find(const char *name, void *state)
{
	for (const char *const *pair = state; pair && pair[0]; pair += 2)
		if (strcmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

static void
visit(herald_attribute_visitor *visitor, void *visit_state, void *state)
{
	for (const char *const *pair = state; pair && pair[0]; pair += 2)
		if (!visitor(pair[0], pair[1], visit_state))
			return;
}

struct event {
	const char *type; /* of the content; NULL: none */
	const char *const *attributes;
	const char *body;
};

static struct herald_result
handle_event(struct herald_service *service, const struct event *event)
{
	struct herald_result result;
	size_t bytes = strlen(event->body);
	char *data = malloc(bytes ? bytes : 1);

	assert_non_null(data);
	memcpy(data, event->body, bytes);
	herald_service_handle_with(service, data, bytes,
				   &HERALD_ARRIVAL(.attribute = find, .attributes_visit = visit,
						   .state = (void *)(uintptr_t)event->attributes,
						   .content_type = event->type),
				   &result);
	free(data);
	return result;
}

/* The rest of a row whose event is done. */
#define DONE HERALD_OK, "", HERALD_NO_OFFSET

#define ATTRIBUTES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ENVELOPE(PAYLOAD)                                                                          \
	"{\"event_type\":\"enveloped\",\"timestamp\":\"1970-01-01T00:00:07Z\","                    \
	"\"payload\":" PAYLOAD ",\"metadata\":{\"id\":\"i\",\"source\":\"s\",\"subject\":\"b\","   \
	"\"version\":2}}"

/* One event after the other in one service, so that nothing of one is left to the next. */
static const struct {
	struct event event;
	const char *trace;
	enum herald_status status;
	const char *path;
	size_t offset;
	const char *message; /* what it begins with */
} rows[] = {
	{{"application/json", NULL, ENVELOPE("{\"name\":\"a\"}")}, "i/s/b/2@7 a", DONE, NULL},
	{{"text/red", ATTRIBUTES("Id", "1", "Source", "x", "Subject", "y", "Version", "3"),
	  "{\"name\":\"b\"}"},
	 "1/x/y/3@-1 b",
	 DONE,
	 NULL},
	{{NULL, NULL, ENVELOPE("{\"name\":\"c\"}")}, "i/s/b/2@7 c", DONE, NULL},
	{{"text/red; x=y", NULL, "{\"name\":\"d\"}"}, "///@-1 d", DONE, NULL},
	/* The attribute decides where there is one. */
	{{"text/red", ATTRIBUTES("Format", "pink", "Id", "2"), "{\"name\":\"e\"}"},
	 "2///@5 e",
	 DONE,
	 NULL},
	{{"image/png", ATTRIBUTES("Format", "red"), "{\"name\":\"f\"}"}, "///@-1 f", DONE, NULL},
	/* None of the others takes it. */
	{{"text/green", ATTRIBUTES("Format", "green"), ENVELOPE("{\"name\":\"g\"}")},
	 "i/s/b/2@7 g",
	 DONE,
	 NULL},
	{{"text/red", NULL, "{\"name\":7}"},
	 "",
	 HERALD_BAD_TYPE,
	 "/data/name",
	 8,
	 "name: expected a string"},
	{{"text/red", NULL, "{\"name\":\"a\"} x"}, "", HERALD_BAD_JSON, "/data", 13, ""},
	{{"text/red", NULL, "{}"}, "", HERALD_MISSING, "/data/name", 0, "name is required"},
	{{"text/red", NULL, "null"}, "", HERALD_MISSING, "/data", 0, "the payload is null"},
	{{"text/red", NULL, "!"}, "", HERALD_BAD_FORMAT, "", 0, "red says no"},
	{{"text/pink", NULL, "{\"name\":7}"},
	 "",
	 HERALD_BAD_TYPE,
	 "/name",
	 8,
	 "in the payload: name: expected a string"},
	{{"text/pink", NULL, "hi"}, "", HERALD_BAD_JSON, "", 0, "in the payload: "},
	{{"text/blue", NULL, "{\"name\":\"b\"}"},
	 "",
	 HERALD_BAD_FORMAT,
	 "/data",
	 HERALD_NO_OFFSET,
	 "the payload has the media type \"text/blue\", but the function takes JSON"},
	{{"application/json", NULL, ENVELOPE("{\"name\":7}")},
	 "",
	 HERALD_BAD_TYPE,
	 "/payload/name",
	 79,
	 "name: expected a string"},
	{{"application/json", NULL, ENVELOPE("{\"name\":\"z\"}")}, "i/s/b/2@7 z", DONE, NULL},
};

static void
check_row(size_t i, const struct herald_result *result)
{
	if (rows[i].status == HERALD_OK)
		check_verdict(result, HERALD_DONE, "");
	else
		check_rejected(result, rows[i].status, rows[i].path, rows[i].offset);
	if (rows[i].message &&
	    strncmp(result->error.message, rows[i].message, strlen(rows[i].message)) != 0)
		fail_msg("row %zu: %s", i, result->error.message);
	assert_string_equal(trace, rows[i].trace);
	trace[0] = '\0';
}

static void
test_each_event_in_its_format(void **state)
{
	const struct herald_route routes[] = {USER_ROUTES};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(all)));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_result result = handle_event(service, &rows[i].event);

		check_row(i, &result);
	}
	/* In any order. */
	uint64_t seed = draw_seed(), draw = seed;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (int n = 0; n < 2000; n++) {
		size_t i = (size_t)draw_below(&draw, COUNT(rows));
		struct herald_result result = handle_event(service, &rows[i].event);

		check_row(i, &result);
	}
	herald_service_destroy(service);
}

static void
test_no_format(void **state)
{
	static const struct {
		struct event event;
		const char *message;
	} cases[] = {
		{{"text/green", NULL, "{}"},
		 "the event is in no format of the service; its content type is \"text/green\""},
		{{"text/gr\x01n", NULL, "{}"},
		 "the event is in no format of the service; its content type is "
		 "\"text/gr\\u0001n\""},
		{{NULL, NULL, "{}"},
		 "the event is in no format of the service, and has no content type"},
	};
	const struct herald_route routes[] = {USER_ROUTES};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(two)));

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_result result = handle_event(service, &cases[i].event);

		check_rejected(&result, HERALD_BAD_MEDIA_TYPE, "", HERALD_NO_OFFSET);
		assert_string_equal(result.error.message, cases[i].message);
	}
	herald_service_destroy(service);
}

/* Payloads of any media type. */
static void
test_any_data(void **state)
{
	static const struct {
		struct event event;
		const char *trace;
		enum herald_status status;
		const char *path;
		size_t offset;
	} cases[] = {
		{{"text/blue; q=1", NULL, "hi"}, "text/blue; q=1:hi", DONE},
		{{"text/blue", NULL, ""}, "text/blue:", DONE},
		{{"text/pink", NULL, "hi"}, "NULL:hi", DONE},
		{{"text/red", NULL, "[1, 2]"}, "application/json:[1, 2]", DONE},
		{{"text/red", NULL, "null"}, "application/json:null", DONE},
		{{NULL, NULL, ENVELOPE("{\"a\":[1]}")}, "application/json:{\"a\":[1]}", DONE},
		{{NULL, NULL, ENVELOPE("7")}, "application/json:7", DONE},
		{{NULL, NULL,
		  "{\"event_type\":\"enveloped\",\"timestamp\":\"1970-01-01T00:00:07Z\"}"},
		 "NULL:",
		 DONE},
		{{"text/red", NULL, "[1, 2"}, "", HERALD_BAD_JSON, "/data", 5},
		{{NULL, NULL, ENVELOPE("{\"a\":[01]}")}, "", HERALD_BAD_JSON, "/payload/a/0", 77},
	};
	const struct herald_route routes[] = {DATA_ROUTES};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(all)));

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_result result = handle_event(service, &cases[i].event);

		if (cases[i].status == HERALD_OK)
			check_verdict(&result, HERALD_DONE, "");
		else
			check_rejected(&result, cases[i].status, cases[i].path, cases[i].offset);
		assert_string_equal(trace, cases[i].trace);
		trace[0] = '\0';
	}
	herald_service_destroy(service);
}

static void
test_data_where_json_is_due(void **state)
{
	const struct herald_route routes[] = {JSON_ROUTES};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(all)));
	struct herald_result result =
		handle_event(service, &(struct event){"text/blue", NULL, "{}"});

	(void)state;
	check_rejected(&result, HERALD_BAD_FORMAT, "/data", HERALD_NO_OFFSET);
	result = handle_event(service, &(struct event){"text/pink", NULL, "{\"a\": 1}"});
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "{\"a\": 1}");
	herald_service_destroy(service);
}

static void
test_data_is_for_payloads(void **state)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;
	const struct herald_route keyed[] = {
		HERALD_ROUTE("named", herald_data, on_data, NULL, .key = "id"),
	};
	struct fake_inbox inbox;

	(void)state;
	assert_int_equal(herald_codec_create(&herald_data_schema, NULL, NULL, &codec, &error),
			 HERALD_BAD_SCHEMA);
	fake_inbox_init(&inbox);
	struct herald_service *service = NULL;
	assert_int_equal(herald_service_create(
				 &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(keyed), HERALD_FORMATS(all),
							 .store = fake_inbox_store(&inbox)),
				 &service, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "routes[0].key");
	fake_inbox_finish(&inbox);
}

/* A stored event is decoded by the format that it came in, in another service too. */
static void
test_stored_events(void **state)
{
	const struct herald_route routes[] = {USER_ROUTES};
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	const struct herald_service_options options = HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(all), .store = fake_inbox_store(&inbox));
	struct herald_service *service = create_service(&options);
	size_t accepted[COUNT(rows)], count = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event event = rows[i].event;
		struct herald_result result = handle_event(service, &event);

		assert_string_equal(trace, "");
		if (result.acceptance == HERALD_ACCEPTANCE_ACCEPTED)
			accepted[count++] = i;
		else if (result.acceptance == HERALD_ACCEPTANCE_NONE)
			assert_int_equal(result.status, rows[i].status);
	}
	struct herald_service *other = create_service(&options);
	assert_true(count >= 5);
	assert_int_equal(inbox.stored_count, count);
	for (size_t n = 0; n < count; n++) {
		for (int in_other = 0; in_other < 2; in_other++) {
			inbox.stored[n].service = in_other ? other : service;
			struct herald_result result = fake_inbox_run(&inbox, n, 1, false);

			check_verdict(&result, HERALD_DONE, "");
			assert_string_equal(trace, rows[accepted[n]].trace);
			trace[0] = '\0';
		}
	}

	/* A content type that cannot be stored would be lost, and the format with it. */
	struct herald_result result =
		handle_event(service, &(struct event){"text/red; \xe9", NULL, "{\"name\":\"a\"}"});
	check_rejected(&result, HERALD_BAD_UTF8, "", HERALD_NO_OFFSET);
	assert_string_equal(result.error.message, "the event's content type is not valid UTF-8");
	herald_service_destroy(service);
	herald_service_destroy(other);
	fake_inbox_finish(&inbox);
}

/* Options about the envelope apply to events in it, and to no others. */
static void
test_pointers_are_for_the_envelope(void **state)
{
	const struct herald_route routes[] = {USER_ROUTES};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(all), .id_from = "/payload/name",
		.subject_from = "/event_type", .version_from = "/none"));
	struct herald_result result =
		handle_event(service, &(struct event){NULL, NULL, ENVELOPE("{\"name\":\"a\"}")});

	(void)state;
	check_verdict(&result, HERALD_DONE, "");
	result = handle_event(
		service, &(struct event){"text/red", ATTRIBUTES("Id", "4"), "{\"name\":\"b\"}"});
	check_verdict(&result, HERALD_DONE, "");
	result = handle_event(service, &(struct event){NULL, NULL, ENVELOPE("{\"name\":\"c\"}")});
	check_verdict(&result, HERALD_DONE, "");
	assert_string_equal(trace, "a/s/enveloped/@7 a 4///@-1 b c/s/enveloped/@7 c");
	herald_service_destroy(service);
}

/* HTTP: what the endpoint accepts follows from the formats. */
static void
test_media_types(void **state)
{
	static const char *const given[] = {"text/red", "text/plain", NULL};
	static const struct {
		const struct herald_format *const *formats;
		size_t count;
		const char *const *media_types;
		const char *type;
		const char *format; /* the header */
		unsigned status;
		const char *body; /* part of it */
	} cases[] = {
		{all, COUNT(all), NULL, "application/json", NULL, 200, "success"},
		{all, COUNT(all), NULL, "text/red", NULL, 400, "/data/name"},
		{all, COUNT(all), NULL, "text/green", "blue", 400, "text/green"},
		/* Bytes of an unknown type are tried as JSON. */
		{all, COUNT(all), NULL, NULL, "blue", 400, "/data/name"},
		{all, COUNT(all), NULL, "text/green", NULL, 415,
		 "expected Content-Type text/red or text/blue or text/blue or application/json, "
		 "found text/green"},
		{all, COUNT(all), NULL, NULL, NULL, 415, "Content-Type is missing; expected "},
		{two, COUNT(two), NULL, "application/json", NULL, 415,
		 "expected Content-Type text/red or text/blue, found application/json"},
		{two, COUNT(two), given, "text/plain", NULL, 415, "in no format"},
		{two, COUNT(two), given, "text/blue", NULL, 415, "text/red or text/plain"},
	};
	const struct herald_route routes[] = {USER_ROUTES,
					      HERALD_ROUTE(HERALD_ANY_TYPE, user, on_user, NULL)};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static const char body[] = ENVELOPE("{\"name\":\"a\"}");
		const char *const headers[] = {"format", cases[i].format, NULL};
		struct herald_endpoint *endpoint = NULL;
		struct herald_service *service = create_service(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .formats = cases[i].formats,
						.formats_count = cases[i].count));
		const struct herald_http_head head = {
			.method = "POST",
			.content_type = cases[i].type,
			.content_length = sizeof(body) - 1,
			.headers_visit = visit,
			.state = (void *)(uintptr_t)(cases[i].format ? headers : NULL),
		};

		assert_int_equal(
			herald_endpoint_create(
				service,
				&HERALD_ENDPOINT_OPTIONS(.media_types = cases[i].media_types),
				&endpoint, NULL),
			HERALD_OK);
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);
		herald_http_request_append(request, body, sizeof(body) - 1);
		const struct herald_http_response *response = herald_http_request_finish(request);
		char text[512];

		snprintf(text, sizeof(text), "%.*s", (int)response->body_bytes, response->body);
		if (response->status != cases[i].status || !strstr(text, cases[i].body))
			fail_msg("case %zu: %u %s", i, response->status, text);
		herald_http_request_destroy(request);
		herald_endpoint_destroy(endpoint);
		herald_service_destroy(service);
	}
}

/* Formats may look at headers and content type for long, so an event asks each of them once. */

static unsigned questions;

static bool
never(const struct herald_format *format, const struct herald_arrival *arrival)
{
	(void)format;
	(void)arrival;
	questions++;
	return false;
}

static void
test_asked_once(void **state)
{
	static const struct herald_format_ops ops = {
		.struct_size = sizeof(ops), .matches = never, .decode = decode_named};
	static const struct herald_format asked = {.ops = &ops};
	const struct herald_format *const formats[] = {&asked, &herald_format_envelope};
	const struct herald_route routes[] = {USER_ROUTES};
	static const char body[] = ENVELOPE("{\"name\":\"a\"}");
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)));
	struct herald_endpoint *endpoint = NULL;
	const struct herald_http_head head = {
		.method = "POST",
		.content_type = "application/json",
		.content_length = sizeof(body) - 1,
	};

	(void)state;
	assert_int_equal(herald_endpoint_create(service, NULL, &endpoint, NULL), HERALD_OK);
	for (unsigned i = 1; i <= 3; i++) {
		struct herald_http_request *request = herald_http_request_create(endpoint, &head);

		herald_http_request_append(request, body, sizeof(body) - 1);
		assert_int_equal(herald_http_request_finish(request)->status, 200);
		herald_http_request_destroy(request);
		assert_int_equal(questions, i);
	}
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
}

static void
test_described(void **state)
{
	const struct herald_route routes[] = {USER_ROUTES};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(all)));
	struct herald_buffer out;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "\tdecode    formats red, blue, pink, envelope\n"));
	out.bytes = 0;
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "{\"step\":\"decode\",\"formats\":[\"red\",\"blue\","
					 "\"pink\",\"envelope\"]},{\"step\":\"payload\""));
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_event_in_its_format, events_setup),
		cmocka_unit_test_setup(test_no_format, events_setup),
		cmocka_unit_test_setup(test_any_data, events_setup),
		cmocka_unit_test_setup(test_data_where_json_is_due, events_setup),
		cmocka_unit_test_setup(test_data_is_for_payloads, events_setup),
		cmocka_unit_test_setup(test_stored_events, events_setup),
		cmocka_unit_test_setup(test_pointers_are_for_the_envelope, events_setup),
		cmocka_unit_test_setup(test_media_types, events_setup),
		cmocka_unit_test_setup(test_asked_once, events_setup),
		cmocka_unit_test_setup(test_described, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
