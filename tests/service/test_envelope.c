/*
 * Envelopes: formats, extended and renamed ones, and envelopes in envelopes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/service.h>

#include "service/user_events.h"
#include "support/events.h"

/* A format: "TYPE VERSION PAYLOAD", each up to the next blank. */

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
decode_words(const struct herald_format *format, struct herald_context *ctx, char *data,
	     size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	struct tenant_message *message = (struct tenant_message *)out->message;
	struct herald_json_pair *version = herald_context_alloc(ctx, sizeof(*version));
	char *at = data, *end = data + bytes;

	assert_null(out->message->event_type);
	assert_null(message->tenant);
	assert_string_equal(format->ops->name, "words");
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
	/* A verdict that is set here and not returned must not have an effect later. */
	herald_error_set(error, HERALD_BAD_JSON, 3, "given up");
	herald_fail_status(ctx, 418, "given up");

	out->message->event_type = next_word(&at, end);
	*version = (struct herald_json_pair){.key = "version", .text = next_word(&at, end)};
	if (!version->text)
		return herald_error_set(error, HERALD_BAD_FORMAT, (size_t)(at - data),
					"expected three words");
	out->message->metadata = (struct herald_json_map){version, 1};
	message->tenant = "from decode";
	if (end - at == 8 && memcmp(at, "constant", 8) == 0)
		out->message->payload =
			(struct herald_json){"{\"user_id\":\"con\\u0073tant\"}", 27};
	else if (end - at == 3 && memcmp(at, "bad", 3) == 0)
		out->message->payload = (struct herald_json){"{\"user_id\":7}", 13};
	else if (end - at == 5 && memcmp(at, "empty", 5) == 0)
		out->message->payload = (struct herald_json){"", 0};
	else if (end > at)
		out->message->payload = (struct herald_json){at, (size_t)(end - at)};
	return HERALD_OK;
}

static enum herald_verdict
note_tenant(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)handler;
	note("%s", ((const struct tenant_message *)herald_context_message(ctx))->tenant);
	return HERALD_DONE;
}

static const struct herald_handler_ops note_tenant_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "tenant",
	.before = note_tenant,
};

static const struct herald_format_ops words_ops = {
	.struct_size = sizeof(struct herald_format_ops), .name = "words", .decode = decode_words};
static const struct herald_format words = {.ops = &words_ops};

static void
test_format(void **state)
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
		{" 1 {}", HERALD_MISSING, "", HERALD_NO_OFFSET, "", "the event type is missing"},
		{"nobody 1 {}", HERALD_UNKNOWN_TYPE, "", HERALD_NO_OFFSET, "",
		 "no route for event type \"nobody\""},
		{"user 2 {}", HERALD_UNKNOWN_VERSION, "", HERALD_NO_OFFSET, "",
		 "no route for version \"2\" of event type \"user\""},
		{"user  {}", HERALD_UNKNOWN_VERSION, "", HERALD_NO_OFFSET, "",
		 "no route for event type \"user\" without a version"},
		/* Paths in the payload start at its own root; offsets are relative to the event if
		 * it is part of it. */
		{"user 1 {\"user_id\":7}", HERALD_BAD_TYPE, "/user_id", 18, "",
		 "in the payload: user_id: expected a string"},
		{"user 1 {\"user_id\":", HERALD_BAD_JSON, "/user_id", 18, "", "in the payload: "},
		{"user 1 [1]", HERALD_BAD_TYPE, "", 7, "", "in the payload: expected an object"},
		{"user 1 nulx", HERALD_BAD_JSON, "", 7, "",
		 "in the payload: expected a value, found nulx"},
		{"user 1 bad", HERALD_BAD_TYPE, "/user_id", HERALD_NO_OFFSET, "",
		 "in the payload: user_id: expected a string"},
		{"user 1 empty", HERALD_BAD_JSON, "", HERALD_NO_OFFSET, "", "in the payload: "},
		{"user 1 ", HERALD_MISSING, "", HERALD_NO_OFFSET, "", "the payload is missing"},
		{"user 1 null", HERALD_MISSING, "", 7, "", "the payload is null"},
		{"user 1 {}", HERALD_MISSING, "/user_id", 7, "",
		 "in the payload: user_id is required, but missing"},
	};
	struct herald_handler handler = {.ops = &note_tenant_ops};
	struct herald_handler *handlers[] = {&handler};
	const struct herald_route routes[] = {USER_ROUTE(.event_type = "user", .version = "1")};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .envelope = &tenant_message_schema, ONE_FORMAT(&words),
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

/* What is said in `decode` and comes to nothing is not heard later, nor is it the sender's to
 * read. */
static void
test_words_of_a_format(void **state)
{
	const struct herald_route routes[] = {
		{.event_type = "fail", .schema = &herald_json_schema, .function = only_fail}};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), ONE_FORMAT(&words), .envelope = &tenant_message_schema));
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

/* An envelope in an envelope is its own member's, whatever is in it: the event is the outer
 * one. */
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
	check_rejected(&result, HERALD_MISSING, "/payload", 0);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_format, events_setup),
		cmocka_unit_test_setup(test_words_of_a_format, events_setup),
		cmocka_unit_test_setup(test_extended_envelope, events_setup),
		cmocka_unit_test_setup(test_renamed_envelope, events_setup),
		cmocka_unit_test_setup(test_strange_envelope, events_setup),
		cmocka_unit_test_setup(test_envelope_in_an_envelope, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
