/*
 * The type, version, id and source of an event: in their usual places, and where type_from,
 * version_from, id_from and source_from point. Following a pointer is tested in test_pointer.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"

#define WHEN "\"timestamp\":\"2024-08-20T05:21:19Z\""

struct thing {
	const char *kind;
	const char *name;
};
HERALD_SCHEMA(thing, HERALD_FIELD(thing, kind), HERALD_FIELD(thing, name, .required = true));

struct old_thing {
	const char *kind;
	const char *title;
};
HERALD_SCHEMA(old_thing, HERALD_FIELD(old_thing, kind),
	      HERALD_FIELD(old_thing, title, .required = true));

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_thing *from, struct thing *to)
{
	(void)ctx;
	to->name = from->title;
	return HERALD_DONE;
}
HERALD_UPCASTER(modernize, old_thing, thing);

struct noted {
	const char *who;
};

static enum herald_verdict
on_thing(struct herald_context *ctx, const struct thing *thing, struct noted *noted)
{
	note("%s(%s,%s) v=%s i=%s s=%s", noted->who, herald_context_message(ctx)->event_type,
	     thing->name, herald_context_version(ctx), herald_context_id(ctx),
	     herald_context_source(ctx));
	return HERALD_DONE;
}
HERALD_FUNCTION(on_thing, thing, noted);

static struct noted any = {"any"}, second = {"second"};

/* Versions "2" and "1", which an upcaster takes, of one type; any of another. */
static struct herald_service *
open_service(const struct herald_service_options *more)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("made", thing, on_thing, &second, .version = "2"),
		HERALD_ROUTE("sold", thing, on_thing, &any),
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("made", "1", old_thing, "2", thing, modernize)};
	struct herald_service_options options = *more;

	options.struct_size = sizeof(options);
	options.routes = routes;
	options.routes_count = COUNT(routes);
	options.upcasters = upcasters;
	options.upcasters_count = COUNT(upcasters);
	options.log = debug_log;
	return create_service(&options);
}

#define OPTIONS(...) (&(struct herald_service_options){.unknown = 0, __VA_ARGS__})

static void
check_trace(struct herald_service *service, const char *json, const char *expected)
{
	trace[0] = '\0';
	struct herald_result result = handle(service, json);
	if (strcmp(trace, expected) != 0)
		fail_msg("%s: expected %s, got %s %s", json, expected, trace, result.error.message);
	check_verdict(&result, HERALD_DONE, "");
}

static void
test_the_usual_places(void **state)
{
	static const struct {
		const char *metadata, *trace;
	} rows[] = {
		{"{}", "any(sold,n) v= i= s="},
		{"null", "any(sold,n) v= i= s="},
		{"{\"version\":\"2\",\"id\":\"7\",\"source\":\"shop\"}",
		 "any(sold,n) v=2 i=7 s=shop"},
		{"{\"source\":true,\"id\":7,\"version\":2.10}", "any(sold,n) v=2.10 i=7 s=true"},
		{"{\"version\":{\"a\":1},\"id\":[7],\"source\":null}", "any(sold,n) v= i= s="},
	};
	struct herald_service *service = open_service(OPTIONS(.type_from = NULL));
	char json[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(json, sizeof(json),
			 "{\"event_type\":\"sold\"," WHEN
			 ",\"payload\":{\"name\":\"n\"},\"metadata\":%s}",
			 rows[i].metadata);
		check_trace(service, json, rows[i].trace);
	}
	/* A number is a version like another: before the payload, and after it. */
	check_trace(service,
		    "{\"event_type\":\"made\"," WHEN
		    ",\"metadata\":{\"version\":1},\"payload\":{\"title\":\"t\"}}",
		    "second(made,t) v=1 i= s=");
	check_trace(service,
		    "{\"event_type\":\"made\"," WHEN
		    ",\"payload\":{\"name\":\"n\"},\"metadata\":{\"version\":2}}",
		    "second(made,n) v=2 i= s=");
	herald_service_destroy(service);
}

/* The members of an event, in the order that `order` counts: 0 to count! - 1. */
static void
write_members(const char *const *members, size_t count, unsigned order, char *out, size_t size)
{
	const char *left[8];
	size_t used = 1;

	memcpy(left, members, count * sizeof(*left));
	strcpy(out, "{");
	for (size_t n = count; n > 0; order /= (unsigned)n, n--) {
		size_t pick = order % n;

		used += (size_t)snprintf(out + used, size - used, "%s%s", n == count ? "" : ",",
					 left[pick]);
		memmove(&left[pick], &left[pick + 1], (n - pick - 1) * sizeof(*left));
	}
	assert_true(used + 1 < size);
	strcpy(out + used, "}");
}

/* In every place and order, also in the payload, whose text is overwritten by decoding. */
static void
test_pointers(void **state)
{
	static const struct {
		const char *type, *version, *id, *source;
		const char *members[5], *trace;
	} rows[] = {
		{"/kind",
		 "/v",
		 "/n",
		 "/from",
		 {WHEN, "\"kind\":\"made\"", "\"v\":2,\"n\":12345678901234567890",
		  "\"from\":\"sh\\u006fp\"", "\"payload\":{\"name\":\"n\"}"},
		 "second(made,n) v=2 i=12345678901234567890 s=shop"},
		{"/payload/kind",
		 "/payload/x/1/v",
		 "/payload/name",
		 "/metadata/by/0",
		 {WHEN,
		  "\"payload\":{\"kind\":\"ma\\u0064e\",\"title\":\"\\u0041\",\"x\":[{},{\"v\":"
		  "\"\\u0031\"}],\"name\":\"\\\"\"}",
		  "\"metadata\":{\"by\":[\"\\u00e9\"],\"version\":\"2\",\"id\":\"no\",\"source\":"
		  "1}",
		  "\"event_type\":\"sold\"", "\"a\":[\"]}\"]"},
		 "second(made,A) v=1 i=\" s=\xC3\xA9"},
		{"/event_type",
		 "/metadata/version",
		 NULL,
		 NULL,
		 {WHEN, "\"event_type\":\"made\"",
		  "\"metadata\":{\"version\":true,\"id\":3,\"version2\":0}",
		  "\"payload\":{\"name\":\"n\"}", "\"v\":\"1\""},
		 NULL},
		{NULL,
		 "/v",
		 NULL,
		 "/nowhere",
		 {WHEN, "\"event_type\":\"made\"", "\"v\":\"2\"", "\"payload\":{\"name\":\"n\"}",
		  "\"metadata\":{\"version\":\"1\",\"id\":3,\"source\":\"s\"}"},
		 "second(made,n) v=2 i=3 s="},
		{"/a~1b/~0",
		 NULL,
		 NULL,
		 NULL,
		 {WHEN, "\"a\\/b\":{\"\\u007e\":\"sold\"}", "\"payload\":{\"name\":\"n\"}",
		  "\"metadata\":{\"version\":5}", "\"event_type\":null"},
		 "any(sold,n) v=5 i= s="},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_service *service = open_service(
			OPTIONS(.type_from = rows[i].type, .version_from = rows[i].version,
				.id_from = rows[i].id, .source_from = rows[i].source));

		for (unsigned order = 0; order < 120; order++) {
			char json[600];

			write_members(rows[i].members, 5, order, json, sizeof(json));
			logged[0] = '\0';
			if (rows[i].trace) {
				check_trace(service, json, rows[i].trace);
				continue;
			}
			struct herald_result result = handle(service, json);
			check_rejected(&result, HERALD_UNKNOWN_VERSION, "/metadata/version",
				       HERALD_NO_OFFSET);
			assert_string_equal(result.error.message,
					    "no route for version \"true\" of event type \"made\"");
		}
		herald_service_destroy(service);
	}
}

/* The envelope's own type may be missing then, null or empty. */
/* An envelope with a tagged union. */
struct tagged_message {
	struct herald_message message;
	const char *shape;
	union {
		int64_t radius;
		const char *name;
	} value;
};
HERALD_SCHEMA(tagged_message, HERALD_MESSAGE_FIELDS(tagged_message, message),
	      HERALD_FIELD(tagged_message, shape, .required = true),
	      HERALD_VARIANT(tagged_message, value, shape, HERALD_CASE_FIELD("circle", radius),
			     HERALD_CASE_FIELD("named", name), HERALD_CASE_OTHER(radius)));

/* The event type itself is the tag. */
struct typed_message {
	struct herald_message message;
	union {
		int64_t radius;
		const char *name;
	} value;
};
HERALD_SCHEMA(typed_message,
	      HERALD_FIELD(typed_message, message.event_type, .key = "event_type",
			   .required = true),
	      HERALD_FIELD(typed_message, message.timestamp, .key = "timestamp"),
	      HERALD_FIELD(typed_message, message.payload, .key = "payload"),
	      HERALD_FIELD(typed_message, message.metadata, .key = "metadata"),
	      HERALD_VARIANT(typed_message, value, message.event_type,
			     HERALD_CASE_FIELD("circle", radius),
			     HERALD_CASE_FIELD("named", name)));

/* With each plan of the envelope: one of its cases, and others. */
static void
test_the_own_type_of_tagged_envelopes(void **state)
{
	static const char *const members[] = {"", "\"event_type\":null,", "\"event_type\":\"\",",
					      "\"event_type\":\"made\","};
	static const char *const values[] = {
		"\"shape\":\"circle\",\"value\":2",
		"\"value\":\"x\",\"shape\":\"named\"",
		"\"shape\":\"square\",\"value\":2",
	};
	struct herald_service *service =
		open_service(OPTIONS(.type_from = "/kind", .envelope = &tagged_message_schema));
	char json[300];

	(void)state;
	for (size_t i = 0; i < COUNT(members) * COUNT(values); i++) {
		snprintf(json, sizeof(json),
			 "{%s%s," WHEN ",\"kind\":\"sold\",\"payload\":{\"name\":\"n\"}}",
			 members[i % COUNT(members)], values[i / COUNT(members)]);
		check_trace(service, json, "any(sold,n) v= i= s=");
	}
	herald_service_destroy(service);
}

static void
test_the_envelopes_own_type(void **state)
{
	static const char *const members[] = {"", "\"event_type\":null,", "\"event_type\":\"\",",
					      "\"event_type\":\"made\","};
	struct herald_service *service = open_service(OPTIONS(.type_from = "/kind"));
	char json[300];

	(void)state;
	for (size_t i = 0; i < COUNT(members); i++) {
		snprintf(json, sizeof(json),
			 "{%s" WHEN ",\"kind\":\"sold\",\"payload\":{\"name\":\"n\"}}", members[i]);
		check_trace(service, json, "any(sold,n) v= i= s=");
	}
	herald_service_destroy(service);
}

static enum herald_verdict
expect_nothing(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	       size_t bytes)
{
	(void)handler;
	(void)data;
	(void)bytes;
	assert_string_equal(herald_context_version(ctx), "");
	assert_string_equal(herald_context_id(ctx), "");
	assert_string_equal(herald_context_source(ctx), "");
	return HERALD_DONE;
}

/* A value that is not a text counts as no version, id or source. */
static void
test_values_that_are_no_text(void **state)
{
	static const struct {
		const char *value, *trace;
	} rows[] = {
		{"\"x\"", "any(sold,n) v=x i=x s=x"},
		{"\"\"", "any(sold,n) v= i= s="},
		{"-1.50", "any(sold,n) v=-1.50 i=-1.50 s=-1.50"},
		{"false", "any(sold,n) v=false i=false s=false"},
		{"null", "any(sold,n) v= i= s="},
		{"{\"v\":1}", "any(sold,n) v= i= s="},
		{"[1]", "any(sold,n) v= i= s="},
		{"\"a\\u0000b\"", "any(sold,n) v= i= s="},
	};
	/* An event has nothing of the previous event. */
	static const struct herald_handler_ops ops = {
		.struct_size = sizeof(ops), .name = "nothing", .receive = expect_nothing};
	struct herald_handler handler = {.ops = &ops}, *handlers[] = {&handler};
	struct herald_service *service =
		open_service(OPTIONS(.version_from = "/v", .id_from = "/v", .source_from = "/v",
				     HERALD_HANDLERS(handlers)));
	char json[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(json, sizeof(json),
			 "{\"event_type\":\"sold\"," WHEN ",\"payload\":{\"name\":\"n\"},\"v\":%s}",
			 rows[i].value);
		check_trace(service, json, rows[i].trace);
	}
	check_trace(service, "{\"event_type\":\"sold\"," WHEN ",\"payload\":{\"name\":\"n\"}}",
		    "any(sold,n) v= i= s=");
	herald_service_destroy(service);
}

static void
test_errors(void **state)
{
	/* With type_from /t/kind and version_from /payload/v. */
	static const struct {
		const char *json;
		enum herald_status status;
		const char *path;
		size_t offset;
		const char *message, *logged;
	} rows[] = {
		{"{" WHEN "}", HERALD_MISSING, "/t/kind", 0, "the event type is missing", ""},
		{"{" WHEN ",\"t\":{}}", HERALD_MISSING, "/t/kind", 40, "", ""},
		{"{" WHEN ",\"t\":7}", HERALD_MISSING, "/t/kind", 40, "", ""},
		{"{" WHEN ",\"t\":{\"kind\":null}}", HERALD_MISSING, "/t/kind", 48, "", ""},
		{"{" WHEN ",\"t\":{\"kind\":\"\"}}", HERALD_MISSING, "/t/kind", 48, "", ""},
		{"{" WHEN ",\"t\":{\"kind\":[]}}", HERALD_MISSING, "/t/kind", 48, "", ""},
		{"{" WHEN ",\"t\":{\"kind\":\"made\\u0000\"}}", HERALD_MISSING, "/t/kind", 48, "",
		 ""},
		{"{" WHEN ",\"event_type\":\"made\"}", HERALD_MISSING, "/t/kind", 0, "", ""},
		{"{" WHEN ",\"t\":{\"kind\":\"nobody\"}}", HERALD_UNKNOWN_TYPE, "/t/kind",
		 HERALD_NO_OFFSET, "no route for event type \"nobody\"", "event_type=nobody"},
		{"{" WHEN ",\"t\":{\"kind\":\"made\"},\"metadata\":{\"version\":\"2\"}}",
		 HERALD_UNKNOWN_VERSION, "/payload/v", HERALD_NO_OFFSET,
		 "no route for event type \"made\" without a version; expected a version at "
		 "/payload/v",
		 "event_type=made verdict"},
		{"{" WHEN ",\"t\":{\"kind\":\"made\"},\"payload\":{\"v\":3}}",
		 HERALD_UNKNOWN_VERSION, "/payload/v", HERALD_NO_OFFSET,
		 "no route for version \"3\" of event type \"made\"", "version=3"},
		/* The payload's own, read with the message: type and version are known. */
		{"{\"payload\":{\"name\":7,\"v\":2},\"t\":{\"kind\":\"made\"}," WHEN "}",
		 HERALD_BAD_TYPE, "/payload/name", 19, "", "event_type=made version=2"},
		{"{" WHEN ",\"payload\":{\"v\":1},\"t\":{\"kind\":\"made\"}}", HERALD_MISSING,
		 "/payload/title", 46, "", "event_type=made version=1"},
		/* Invalid JSON is reported first. */
		{"{" WHEN ",\"payload\":[{},nonsense],\"t\":{}}", HERALD_BAD_JSON, "/payload/1", 50,
		 "", ""},
		{"{\"t\":{\"kind\":\"made\"},\"payload\":{\"v\":\"2", HERALD_BAD_JSON, "/payload/v",
		 38, "", ""},
		{"{\"t\":{\"kind\":\"made\\x\"}}", HERALD_BAD_JSON, "/t/kind", 19, "", ""},
		{"{\"t\":{\"kind\":\"made\"}}", HERALD_MISSING, "/timestamp", 0, "", ""},
		/* The envelope's own type need not be there, but is a string where it is. */
		{"{\"event_type\":7," WHEN ",\"t\":{\"kind\":\"sold\"}}", HERALD_BAD_TYPE,
		 "/event_type", 14, "", ""},
		{"", HERALD_BAD_JSON, "", 0, "", ""},
		{"[]", HERALD_BAD_TYPE, "", 0, "", ""},
	};
	struct herald_service *service =
		open_service(OPTIONS(.type_from = "/t/kind", .version_from = "/payload/v"));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		logged[0] = '\0';
		struct herald_result result = handle(service, rows[i].json);
		if (result.status != rows[i].status || strcmp(result.error.path, rows[i].path) != 0)
			fail_msg("%s: %s at %s: %s", rows[i].json,
				 herald_status_name(result.status), result.error.path,
				 result.error.message);
		check_rejected(&result, rows[i].status, rows[i].path, rows[i].offset);
		if (rows[i].message[0] != '\0')
			assert_string_equal(result.error.message, rows[i].message);
		if (!strstr(logged, rows[i].logged))
			fail_msg("%s: %s", rows[i].json, logged);
	}
	herald_service_destroy(service);
}

/* The path of an error is made of the option, and not it: it is safe to print and has an end. */
static void
test_strange_pointers(void **state)
{
	static const char end[] = "\xC3\xA4/\\\"q\\n\\\\n~1";
	/* Cut at its size the path would end within a character. */
	char name[401] = "", pointer[512], json[512];
	struct herald_result result;

	(void)state;
	while (strlen(name) < sizeof(name) - 1)
		strcat(name, "\xC3\xA4");
	snprintf(pointer, sizeof(pointer), "/%s/\"q\n\\n~1", name);
	struct herald_service *service = open_service(OPTIONS(.type_from = pointer));
	for (int i = 0; i < 2; i++) {
		snprintf(json, sizeof(json), "{" WHEN ",\"%s\":{\"\\\"q\\n\\\\n/\":\"%s\"}}", name,
			 i ? "nobody" : "");
		result = handle(service, json);
		assert_int_equal(result.status, i ? HERALD_UNKNOWN_TYPE : HERALD_MISSING);
		assert_memory_equal(result.error.path, "...\xC3\xA4", 5);
		assert_in_range(strlen(result.error.path), 254, 255);
		assert_string_equal(result.error.path + strlen(result.error.path) - strlen(end),
				    end);
	}
	herald_service_destroy(service);

	service = open_service(OPTIONS(.version_from = "/\x1b\""));
	result = handle(service, "{" WHEN ",\"event_type\":\"made\"}");
	check_rejected(&result, HERALD_UNKNOWN_VERSION, "/\\u001b\\\"", HERALD_NO_OFFSET);
	herald_service_destroy(service);
}

/* An event counts for the version that it had on arrival, wherever the version is. */
static void
test_counted_by_version(void **state)
{
	struct herald_service *service = open_service(OPTIONS(.version_from = "/payload/x"));
	struct herald_upcaster_statistics upcaster;

	(void)state;
	handle(service, "{\"payload\":{\"title\":\"a\",\"x\":1},\"event_type\":\"made\"," WHEN "}");
	handle(service, "{\"event_type\":\"made\",\"payload\":{\"x\":1}," WHEN "}");
	handle(service, "{\"event_type\":\"made\",\"payload\":{\"name\":\"a\",\"x\":2}," WHEN "}");
	assert_true(herald_service_upcaster_statistics(service, 0, &upcaster));
	assert_int_equal(upcaster.counts.events, 2);
	assert_int_equal(upcaster.counts.done, 1);
	assert_int_equal(upcaster.counts.rejected, 1);
	herald_service_destroy(service);
}

static enum herald_status
decode_nothing(const struct herald_format *format, struct herald_context *ctx, char *data,
	       size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)data;
	(void)bytes;
	(void)error;
	assert_string_equal(herald_context_version(ctx), "");
	out->message->event_type = "sold";
	return HERALD_OK;
}

static void
test_bad_options(void **state)
{
	static const struct herald_format_ops ops = {
		.struct_size = sizeof(ops), .name = "nothing", .decode = decode_nothing};
	static const struct herald_format format = {.ops = &ops};
	const struct {
		struct herald_service_options options;
		const char *path, *message;
	} rows[] = {
		{{.type_from = "kind"}, "type_from", "not a JSON Pointer"},
		{{.version_from = ""}, "version_from", "not a JSON Pointer"},
		{{.id_from = "/a~"}, "id_from", "'~' in a JSON Pointer"},
		{{.source_from = "/\xFF"}, "source_from", "not valid UTF-8"},
		{{.type_from = "/a", .id_from = "b", .source_from = "c"},
		 "id_from",
		 "not a JSON Pointer"},
		{{.type_from = "/kind", .envelope = &typed_message_schema},
		 "type_from",
		 "the envelope has a tagged union, and its tag is the event type"},
		{{ONE_FORMAT(&format), .version_from = "/v"},
		 "version_from",
		 "not among the formats"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_service_options options = rows[i].options;
		struct herald_service *service = NULL;
		struct herald_error error = {0};

		options.struct_size = sizeof(options);
		assert_int_equal(herald_service_create(&options, &service, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_non_null(strstr(error.message, rows[i].message));
		assert_null(service);
	}
}

static void
test_described_and_copied(void **state)
{
	char type[] = "/payload/kind", version[] = "/v\"";
	struct herald_service *service =
		open_service(OPTIONS(.type_from = type, .version_from = version));
	struct herald_buffer out;

	(void)state;
	memset(type, '#', sizeof(type) - 1);
	memset(version, '#', sizeof(version) - 1);
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data, "\ntype_from: /payload/kind\nversion_from: /v\"\n"
					 "unknown events: reject\n"));
	out.bytes = 0;
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_non_null(strstr(out.data,
			       "\"unknown\":\"reject\",\"type_from\":\"/payload/kind\","
			       "\"version_from\":\"/v\\\"\",\"attributes\":[],\"limits\":{"));
	herald_buffer_finish(&out);
	check_trace(service,
		    "{\"v\\\"\":1,\"payload\":{\"kind\":\"made\",\"title\":\"t\"}," WHEN "}",
		    "second(made,t) v=1 i= s=");
	herald_service_destroy(service);
}

static void
test_memory(void **state)
{
	static const char json[] =
		"{\"payload\":{\"\\u006bind\":\"sold\",\"name\":\"n\",\"kind2\":3},"
		"\"n\":12," WHEN "}";
	struct failing_allocator memory;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service =
		open_service(OPTIONS(.type_from = "/payload/kind", .id_from = "/n",
				     .allocator = memory.allocator));
	for (int i = 0; i < 10; i++) {
		check_trace(service, json, "any(sold,n) v= i=12 s=");
		logged[0] = '\0';
		if (i == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);

	/* In an arena with room for the message and not for all that is looked for. */
	bool done = false;
	for (size_t bytes = 16; !done; bytes += 16) {
		service = open_service(OPTIONS(.type_from = "/payload/kind", .id_from = "/n",
					       .max_arena_bytes = bytes));
		struct herald_result result = handle(service, json);
		logged[0] = trace[0] = '\0';
		done = result.verdict == HERALD_DONE;
		if (!done)
			assert_int_equal(result.status, HERALD_LIMIT);
		herald_service_destroy(service);
	}
}

static void
test_every_allocation_of_creation_fails(void **state)
{
	(void)state;
	for (size_t at = 1;; at++) {
		struct failing_allocator memory;
		struct herald_service *service = NULL;
		char pointer[3000];

		/* Larger than what is left of a chunk. */
		memset(pointer, '/', sizeof(pointer) - 1);
		pointer[sizeof(pointer) - 1] = '\0';
		failing_allocator_init(&memory, FAIL_ONLY, at);
		enum herald_status status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(.type_from = pointer, .id_from = pointer,
						.allocator = memory.allocator),
			&service, NULL);
		assert_int_equal(status, memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
		herald_service_destroy(service);
		assert_all_released(&memory);
		if (memory.failures == 0) {
			assert_true(at > 6);
			break;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_usual_places, events_setup),
		cmocka_unit_test_setup(test_pointers, events_setup),
		cmocka_unit_test_setup(test_the_envelopes_own_type, events_setup),
		cmocka_unit_test_setup(test_the_own_type_of_tagged_envelopes, events_setup),
		cmocka_unit_test_setup(test_values_that_are_no_text, events_setup),
		cmocka_unit_test_setup(test_errors, events_setup),
		cmocka_unit_test_setup(test_strange_pointers, events_setup),
		cmocka_unit_test_setup(test_counted_by_version, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test_setup(test_described_and_copied, events_setup),
		cmocka_unit_test_setup(test_memory, events_setup),
		cmocka_unit_test_setup(test_every_allocation_of_creation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
