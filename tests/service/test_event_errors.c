/*
 * An event that is wrong is refused just as its parts are: by a service, whatever it puts off until
 * it knows the type, with the same status, path and byte as by codecs. Where the type comes first,
 * that is one for all of the event; else the codecs of the envelope and of the payload, one after
 * the other, each reading all of its text. There one thing may differ: of a payload that is not
 * JSON the service may tell of an earlier value in it that is wrong for its member. Holds for any
 * order of the members, for events that are cut off at every byte, and for those with any byte
 * changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "support/decoding.h"
#include "support/every_kind.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct point {
	int32_t x;
	const char *name;
	struct herald_json raw;
	const struct point *next;
};

HERALD_SCHEMA(point,
	HERALD_FIELD(point, x),
	HERALD_FIELD(point, name, .required = true),
	HERALD_FIELD(point, raw),
	HERALD_POINTER(point, next, point));

static enum herald_verdict
on_point(struct herald_context *ctx, const struct point *point, struct point *state)
{
	(void)ctx;
	(void)state;
	assert_non_null(point->name);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_point, point, point);

#define TYPE "\"event_type\": \"point\""

static struct herald_service *service;
static struct herald_codec *envelope_codec, *payload_codec, *event_codec;

/* The message with its payload: what an event of type "point" is. */
struct point_event {
	struct herald_message message;
	struct point payload;
};

HERALD_SCHEMA(point_event,
	HERALD_FIELD(point_event, message.event_type, .key = "event_type", .required = true,
		     .min_bytes = 1),
	HERALD_FIELD(point_event, message.timestamp, .key = "timestamp", .required = true),
	HERALD_STRUCT(point_event, payload, point),
	HERALD_FIELD(point_event, message.metadata, .key = "metadata"),
	HERALD_PRIVATE(point_event, message.payload));

static int
create_all(void **state)
{
	const struct herald_route routes[] = {HERALD_ROUTE("point", point, on_point, NULL)};
	/* The payload is within the envelope. */
	const struct herald_limits limits = {.max_depth = 63};

	(void)state;
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &service, NULL),
			 HERALD_OK);
	envelope_codec = decoding_codec(&herald_message_schema, NULL);
	payload_codec = decoding_codec(&point_schema, &limits);
	event_codec = decoding_codec(&point_event_schema, NULL);
	return 0;
}

static int
destroy_all(void **state)
{
	herald_service_destroy(service);
	herald_codec_destroy(envelope_codec);
	herald_codec_destroy(payload_codec);
	herald_codec_destroy(event_codec);
	return decoding_finish(state);
}

/* What the codec of the whole event says. */
static void
expect_at_once(const char *text, size_t bytes, struct herald_error *out)
{
	char *copy = malloc(bytes + (bytes == 0));
	struct point_event event;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	memset(out, 0, sizeof(*out));
	if (herald_codec_decode(event_codec, copy, bytes, decoding_arena(), &event, out) ==
		    HERALD_OK &&
	    strcmp(event.message.event_type, "point") != 0)
		out->status = HERALD_UNKNOWN_TYPE;
	free(copy);
	herald_arena_reset(decoding_arena());
}

/* The errors that the message's and the payload's codecs report. Returns false if they depend on
 * what a service does without a payload. */
static bool
expect(const char *text, size_t bytes, struct herald_error *out)
{
	char *copy = malloc(bytes + (bytes == 0));
	struct herald_message message;
	struct point point;
	struct herald_error error;
	bool known = true;
	size_t offset;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	memset(out, 0, sizeof(*out));
	if (herald_codec_decode(envelope_codec, copy, bytes, decoding_arena(), &message, out) !=
	    HERALD_OK) {
		free(copy);
		return true;
	}
	if (strcmp(message.event_type, "point") != 0) {
		out->status = HERALD_UNKNOWN_TYPE;
	} else if (message.payload.data == NULL || message.payload.data[0] == 'n') {
		known = false;
	} else {
		offset = (size_t)(message.payload.data - copy);
		if (herald_codec_decode(payload_codec, copy + offset, message.payload.bytes,
					decoding_arena(), &point, &error) != HERALD_OK) {
			*out = error;
			out->offset += offset;
			snprintf(out->path, sizeof(out->path), "/payload%.240s", error.path);
		}
	}
	free(copy);
	herald_arena_reset(decoding_arena());
	return known;
}

/* Whether an error is within a payload that is not JSON, at the byte where that is so or before. */
static bool
is_earlier_in_payload(const struct herald_error *found, const struct herald_error *expected)
{
	return (expected->status == HERALD_BAD_JSON || expected->status == HERALD_BAD_UTF8 ||
		expected->status == HERALD_LIMIT) &&
	       strncmp(expected->path, "/payload", 8) == 0 &&
	       strncmp(found->path, "/payload", 8) == 0 && found->offset <= expected->offset;
}

/* Whether the type comes before the payload, and whole, so that it is known when the payload is
 * read. */
static bool
type_comes_first(const char *text, size_t bytes)
{
	static const char first[] = "{" TYPE ",";

	return bytes >= sizeof(first) - 1 && memcmp(text, first, sizeof(first) - 1) == 0;
}

static bool
is_same(const struct herald_result *found, const struct herald_error *expected)
{
	return found->status == expected->status && found->error.offset == expected->offset &&
	       strcmp(found->error.path, expected->path) == 0;
}

static void
check_event(const char *text, size_t bytes)
{
	struct herald_error expected;
	struct herald_result result;
	bool known = expect(text, bytes, &expected);

	herald_service_handle(service, decoding_place(text, bytes, false), bytes, &result);
	if (!known)
		return;
	if (expected.status != HERALD_OK && type_comes_first(text, bytes)) {
		struct herald_error first;

		expect_at_once(text, bytes, &first);
		if (is_same(&result, &first) && result.verdict == HERALD_FAIL)
			return;
	}
	if (result.status != HERALD_OK && result.status != expected.status &&
	    result.verdict == HERALD_FAIL && is_earlier_in_payload(&result.error, &expected))
		return;
	if (result.status != expected.status ||
	    (result.verdict == HERALD_DONE) != (expected.status == HERALD_OK))
		fail_msg("%.*s: expected %s (%s), found %s (%s)", (int)bytes, text,
			 herald_status_name(expected.status), expected.message,
			 herald_status_name(result.status), result.error.message);
	if (expected.status == HERALD_OK || expected.status == HERALD_UNKNOWN_TYPE)
		return;
	if (strlen(expected.path) > 240) /* cut, and in another place */
		return;
	if (result.error.offset != expected.offset || strcmp(result.error.path, expected.path) != 0)
		fail_msg("%.*s: expected %s of \"%s\" at byte %zu, found \"%s\" at byte %zu (%s)",
			 (int)bytes, text, herald_status_name(expected.status), expected.path,
			 expected.offset, result.error.path, result.error.offset,
			 result.error.message);
}

#define TIME "\"timestamp\":\"2024-08-20T05:21:19.5Z\""
#define PAYLOAD                                                                                    \
	"\"payload\" : {\"x\": -12, \"raw\": [1.5e+3,{\"a\":\"\\u0000}\\\"]\"},null ,true], "      \
	"\"other\":{\"b\":[\"\xC3\xA9\\ud83d\\ude00\",[]]}, \"name\":\"n\\n\","                    \
	"\"next\":{\"name\":\"\",\"next\":null}}"
#define METADATA "\"metadata\":{\"version\":\"1\",\"source\":\"x}\\\"\"}"

static const char *const events[] = {
	"{" TYPE "," TIME "," PAYLOAD "," METADATA "}",
	"{" PAYLOAD "," METADATA "," TIME "," TYPE "}\n",
	"{" TIME "," PAYLOAD ",\"more\":[{}]," TYPE "}",
	"{" TYPE "," TIME ",\"payload\":[1,{\"name\":\"\"}]}",
	"{" TYPE "," TIME ",\"payload\":\"{}\"}",
	"{" TYPE "," TIME ",\"payload\":{\"x\":1}," METADATA "}",
	"{\"event_type\":\"none\"," TIME "," PAYLOAD "}",
	"{" PAYLOAD "," TIME ",\"event_type\":\"none\"}",
};

static void
test_events_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(events); i++)
		check_event(events[i], strlen(events[i]));
}

static void
test_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(events); i++)
		for (size_t bytes = 0; bytes < strlen(events[i]); bytes++)
			check_event(events[i], bytes);
}

static void
test_every_byte_changed(void **state)
{
	static const char values[] = "\"\\{}[],:0-et /u\x01\x1F\x7F\x80\xC3\xFF";

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		char text[1000];
		size_t bytes = strlen(events[i]);

		memcpy(text, events[i], bytes);
		for (size_t at = 0; at < bytes; at++) {
			/* The NUL at the end of `values` is one of them. */
			for (size_t j = 0; j < sizeof(values); j++) {
				text[at] = values[j];
				check_event(text, bytes);
			}
			text[at] = events[i][at];
		}
	}
}

/* Two at a time: the first one is told of, wherever the second one is. */
static void
test_two_bytes_changed(void **state)
{
	static const char values[] = "\"\\{}[],:0x\x01\x80";
	struct every_random random = {21};

	(void)state;
	for (unsigned round = 0; round < 60000; round++) {
		const char *event = events[round % COUNT(events)];
		size_t bytes = strlen(event);
		char text[1000];

		memcpy(text, event, bytes);
		for (int change = 0; change < 2; change++)
			text[every_random_below(&random, bytes)] =
				values[every_random_below(&random, sizeof(values))];
		check_event(text, bytes);
	}
}

/* A byte removed, or doubled. */
static void
test_bytes_removed_and_added(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		char text[1000];
		size_t bytes = strlen(events[i]);

		for (size_t at = 0; at < bytes; at++) {
			memcpy(text, events[i], at);
			memcpy(text + at, events[i] + at + 1, bytes - at - 1);
			check_event(text, bytes - 1);
			memcpy(text, events[i], at + 1);
			memcpy(text + at + 1, events[i] + at, bytes - at);
			check_event(text, bytes + 1);
		}
	}
}

/* Nesting counts from the envelope on; 100,000 levels are refused wherever they are. */
static void
test_depth(void **state)
{
	static const char *const before[] = {
		"{" TYPE "," TIME ",\"payload\":", "{\"payload\":", "{" TYPE "," TIME ",\"x\":",
		"{" TYPE "," TIME ",\"payload\":{\"raw\":", "{\"payload\":{\"name\":\"\",\"raw\":"};
	static const char *const after[] = {"}", "," TYPE "," TIME "}", "}", "}}",
					    "}," TYPE "," TIME "}"};
	static const size_t depths[] = {1, 60, 61, 62, 63, 64, 65, 200, 100000};
	char *text = malloc(300000);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(before); i++)
		for (size_t j = 0; j < COUNT(depths); j++) {
			size_t bytes = (size_t)sprintf(text, "%s", before[i]);

			memset(text + bytes, '[', depths[j]);
			memset(text + bytes + depths[j], ']', depths[j]);
			bytes += 2 * depths[j];
			check_event(text, bytes);
			bytes += (size_t)sprintf(text + bytes, "%s", after[i]);
			check_event(text, bytes);
		}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_as_they_are),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_two_bytes_changed),
		cmocka_unit_test(test_bytes_removed_and_added),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("event_errors", tests, create_all, destroy_all);
}
