/*
 * herald_service_asyncapi(): which messages a service has and what is in each, the rest of the
 * document, and errors. interop/json_schema.py validates such documents by AsyncAPI's own schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <herald/adapter/format.h>
#include <herald/asyncapi.h>
#include <herald/json.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"

struct item {
	const char *sku;
};

struct order {
	struct item item;
};

struct note {
	const char *text;
};

HERALD_SCHEMA(item, HERALD_FIELD(item, sku, .doc = "The article."));
HERALD_SCHEMA_WITH(order, (.doc = "A customer ordered."),
	HERALD_STRUCT(order, item, item, .required = true));
HERALD_SCHEMA(note, HERALD_FIELD(note, text));

static enum herald_verdict
on_event(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

static enum herald_verdict
upcast(struct herald_context *ctx, const struct item *from, struct order *to)
{
	(void)ctx;
	to->item = *from;
	return HERALD_DONE;
}
HERALD_UPCASTER(upcast, item, order);

static enum herald_status
decode(const struct herald_format *format, struct herald_context *ctx, char *data, size_t bytes,
       struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	return herald_error_set(error, HERALD_BAD_FORMAT, 0, "no");
}

static bool
matches(const struct herald_format *format, const struct herald_arrival *arrival)
{
	(void)format;
	(void)arrival;
	return false;
}

static const struct herald_format_ops form_ops = {.struct_size = sizeof(form_ops),
						  .name = "form \"1\"",
						  .matches = matches,
						  .decode = decode};
static const struct herald_format form = {.ops = &form_ops};

#define ROUTE(TYPE, SCHEMA, ...)                                                                   \
	{                                                                                          \
		.event_type = (TYPE), .schema = &SCHEMA##_schema, .function = on_event,            \
		__VA_ARGS__                                                                        \
	}

static const struct herald_route routes[] = {
	ROUTE("order", order, .version = "2", .doc = "Ships \"it\"."),
	ROUTE("order", order, .version = "1.x"),
	ROUTE("order", note, .version = ""),
	ROUTE("shop/note", note, .doc = NULL),
	ROUTE("shop?note", item, .version = "beta"),
	ROUTE("*", herald_json, .doc = NULL),
};

static const struct herald_upcaster upcasters[] = {
	HERALD_UPCAST("order", "0", item, "2", order, upcast),
};

#define REF(NAME) "\"$ref\":\"#/components/schemas/" NAME "\""
#define ENVELOPE "{" REF("herald_message") "}"
#define TYPE(NAME)                                                                                 \
	"{\"required\":[\"event_type\"],\"properties\":{\"event_type\":{\"const\":\"" NAME "\"}}}"
#define VERSION(SCHEMA)                                                                            \
	"{\"required\":[\"metadata\"],\"properties\":{\"metadata\":{"                              \
	"\"required\":[\"version\"],\"properties\":{\"version\":{" SCHEMA "}}}}}"
#define PAYLOAD(NAME) "{\"required\":[\"payload\"],\"properties\":{\"payload\":{" REF(NAME) "}}}"
#define MAYBE(NAME)                                                                                \
	"{\"properties\":{\"payload\":{\"anyOf\":[{" REF(NAME) "},{\"type\":\"null\"}]}}}"

/* Paths in a document, and what is there; NULL: nothing. */
struct part {
	const char *path, *expected;
};

static const struct part parts[] = {
	{"/asyncapi", "\"3.0.0\""},
	{"/info", "{\"title\":\"Events\",\"version\":\"1.0.0\"}"},
	{"/defaultContentType", "\"application/json\""},
	{"/servers", NULL},
	{"/channels/events/address", "\"/event\""},
	{"/channels/events/messages",
	 "{\"order_2\":{\"$ref\":\"#/components/messages/order_2\"},"
	 "\"order_1.x\":{\"$ref\":\"#/components/messages/order_1.x\"},"
	 "\"order\":{\"$ref\":\"#/components/messages/order\"},"
	 "\"shop_note\":{\"$ref\":\"#/components/messages/shop_note\"},"
	 "\"shop_note_beta\":{\"$ref\":\"#/components/messages/shop_note_beta\"},"
	 "\"any\":{\"$ref\":\"#/components/messages/any\"},"
	 "\"order_0\":{\"$ref\":\"#/components/messages/order_0\"}}"},
	{"/operations/receive/action", "\"receive\""},
	{"/operations/receive/channel", "{\"$ref\":\"#/channels/events\"}"},
	{"/operations/receive/messages/6", "{\"$ref\":\"#/channels/events/messages/order_0\"}"},
	{"/operations/receive/messages/7", NULL},
	{"/components/messages/order_2",
	 "{\"name\":\"order\",\"title\":\"order 2\",\"summary\":\"Ships \\\"it\\\".\","
	 "\"payload\":{\"allOf\":[" ENVELOPE
	 "," TYPE("order") "," VERSION("\"enum\":[\"2\",2]") "," PAYLOAD("order") "]}}"},
	{"/components/messages/order_1.x/payload",
	 "{\"allOf\":[" ENVELOPE
	 "," TYPE("order") "," VERSION("\"type\":[\"string\",\"number\"],\"pattern\":\"^1(\\\\.|$)"
				       "\"") "," PAYLOAD("order") "]}"},
	{"/components/messages/order",
	 "{\"name\":\"order\",\"payload\":{\"allOf\":[" ENVELOPE
	 "," TYPE("order") ",{\"properties\":{\"metadata\":{"
			   "\"properties\":{\"version\":{\"enum\":[\"\",null]}}}}}," MAYBE(
				   "note") "]}}"},
	{"/components/messages/shop_note",
	 "{\"name\":\"shop/note\",\"payload\":{\"allOf\":[" ENVELOPE
	 "," TYPE("shop/note") "," MAYBE("note") "]}}"},
	{"/components/messages/shop_note_beta/payload/allOf/2", VERSION("\"const\":\"beta\"")},
	{"/components/messages/any", "{\"payload\":{\"allOf\":[" ENVELOPE "]}}"},
	{"/components/messages/order_0",
	 "{\"name\":\"order\",\"title\":\"order 0\",\"summary\":\"Ships \\\"it\\\".\","
	 "\"payload\":{\"allOf\":[" ENVELOPE
	 "," TYPE("order") "," VERSION("\"enum\":[\"0\",0]") "," MAYBE("item") "]}}"},
	{"/components/schemas/order",
	 "{\"description\":\"A customer "
	 "ordered.\",\"type\":\"object\",\"properties\":{\"item\":{" REF(
		 "item") "}},\"required\":[\"item\"]}"},
	{"/components/schemas/herald_message/required", "[\"event_type\",\"timestamp\"]"},
	{"/components/schemas/herald_json", NULL},
};

/* Types and versions elsewhere, and another format. */
static const struct part pointed[] = {
	{"/components/messages/5/payload/allOf/1",
	 "{\"required\":[\"payload\"],\"properties\":{\"payload\":{\"required\":[\"ki/nd\"],"
	 "\"properties\":{\"ki/nd\":{\"enum\":[\"5\",5]}}}}}"},
	{"/components/messages/5/payload/allOf/2", MAYBE("note")},
	{"/components/messages/5_form__1_", "{\"name\":\"5\",\"description\":\"In the format form "
					    "\\\"1\\\": the payload is the event's "
					    "data.\",\"payload\":{" REF("note") "}}"},
	{"/components/messages/true_7/payload/allOf/1",
	 "{\"required\":[\"payload\"],\"properties\":{\"payload\":{\"required\":[\"ki/nd\"],"
	 "\"properties\":{\"ki/nd\":{\"enum\":[\"true\",true]}}}}}"},
	{"/components/messages/true_7/payload/allOf/2", MAYBE("item")},
	{"/components/messages/any_form__1_/payload", "{}"},
	{"/components/schemas/herald_message/required", "[\"timestamp\"]"},
	{"/servers", "{\"main\":{\"host\":\"shop.example\",\"protocol\":\"https\"}}"},
	{"/info", "{\"title\":\"Shop\",\"version\":\"7\",\"description\":\"Sells.\"}"},
	{"/channels/events/address", "\"/in\""},
};

static void
check_parts(const struct herald_buffer *text, const struct part *all, size_t count)
{
	struct herald_json root, found;

	assert_int_equal(herald_json_check(text->data, text->bytes, NULL, &root, NULL), HERALD_OK);
	for (size_t i = 0; i < count; i++) {
		const char *expected = all[i].expected;
		enum herald_status status = herald_json_find(&root, all[i].path, &found, NULL);

		if ((status == HERALD_OK) != (expected != NULL))
			fail_msg("%s: %s", all[i].path, herald_status_name(status));
		if (expected && (found.bytes != strlen(expected) ||
				 memcmp(found.data, expected, found.bytes) != 0))
			fail_msg("%s: expected %s, found %.*s", all[i].path, expected,
				 (int)found.bytes, found.data);
	}
}

static struct herald_service *
create(void)
{
	return create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)));
}

static void
test_messages(void **state)
{
	struct herald_service *service = create();
	struct herald_buffer out;
	size_t bytes;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_asyncapi(service, NULL, &out, NULL), HERALD_OK);
	check_parts(&out, parts, HERALD_COUNT(parts));
	/* Appended, and the same each time. */
	bytes = out.bytes;
	assert_int_equal(herald_service_asyncapi(service, NULL, &out, NULL), HERALD_OK);
	assert_int_equal(out.bytes, 2 * bytes);
	assert_memory_equal(out.data, out.data + bytes, bytes);
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

static void
test_pointers_and_formats(void **state)
{
	static const struct herald_route all[] = {ROUTE("5", note, .doc = NULL),
						  ROUTE("true", item, .version = "7"),
						  ROUTE("*", herald_data, .doc = NULL)};
	static const struct herald_format *const formats[] = {&form, &herald_format_envelope};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(all), HERALD_FORMATS(formats), .type_from = "/payload/ki~1nd",
		.version_from = "/payload/0/version"));
	struct herald_buffer out;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(
		herald_service_asyncapi(
			service,
			&HERALD_ASYNCAPI_OPTIONS(.title = "Shop", .version = "7",
						 .description = "Sells.", .host = "shop.example",
						 .protocol = "https", .address = "/in"),
			&out, NULL),
		HERALD_OK);
	check_parts(&out, pointed, HERALD_COUNT(pointed));
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

static void
test_layout(void **state)
{
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(.unknown = HERALD_UNKNOWN_IGNORE));
	static const char expected[] = "{\n"
				       " \"asyncapi\": \"3.0.0\",\n"
				       " \"info\": {\n"
				       "  \"title\": \"Events\",\n"
				       "  \"version\": \"1.0.0\"\n"
				       " },\n";
	struct herald_buffer out;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(
		herald_service_asyncapi(service, &HERALD_ASYNCAPI_OPTIONS(.indent = 1), &out, NULL),
		HERALD_OK);
	assert_memory_equal(out.data, expected, sizeof(expected) - 1);
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

static void
test_errors(void **state)
{
	const struct {
		struct herald_asyncapi_options options;
		const char *path, *message;
	} cases[] = {
		{HERALD_ASYNCAPI_OPTIONS(.indent = 17), "indent",
		 "indent: must be at most 16, not 17"},
		{HERALD_ASYNCAPI_OPTIONS(.protocol = "https"), "protocol",
		 "protocol: needs a host"},
		{{0}, "struct_size", "struct_size: use HERALD_ASYNCAPI_OPTIONS, which sets it"},
	};
	struct herald_service *service = create();

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_buffer out;
		struct herald_error error;

		herald_buffer_init(&out, NULL, 0);
		assert_int_equal(herald_service_asyncapi(service, &cases[i].options, &out, &error),
				 HERALD_BAD_OPTION);
		assert_int_equal(error.status, HERALD_BAD_OPTION);
		assert_string_equal(error.path, cases[i].path);
		assert_string_equal(error.message, cases[i].message);
		assert_int_equal(out.bytes, 0);
		herald_buffer_finish(&out);
	}
	herald_service_destroy(service);
}

static void
test_buffers_that_are_too_small(void **state)
{
	struct herald_service *service = create();
	struct herald_error error;
	enum herald_status status = HERALD_TOO_LARGE;

	(void)state;
	for (size_t max = 1; status == HERALD_TOO_LARGE; max += 61) {
		struct herald_buffer out;

		herald_buffer_init(&out, NULL, max);
		assert_int_equal(herald_buffer_append(&out, "#", 1), HERALD_OK);
		status = herald_service_asyncapi(service, NULL, &out, &error);
		if (status != HERALD_OK) {
			assert_int_equal(status, HERALD_TOO_LARGE);
			assert_string_equal(error.message,
					    "the document exceeds the limit of the buffer");
			assert_int_equal(out.bytes, 1);
		}
		herald_buffer_finish(&out);
	}
	assert_int_equal(status, HERALD_OK);
	herald_service_destroy(service);
}

static void
test_every_allocation_fails(void **state)
{
	struct herald_service *service = create();
	enum herald_status status = HERALD_NO_MEMORY;

	(void)state;
	for (size_t n = 1; status == HERALD_NO_MEMORY; n++) {
		struct failing_allocator memory;
		struct herald_buffer out;
		struct herald_error error = {.status = HERALD_OK};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&out, &memory.allocator, 0);
		status = herald_service_asyncapi(service, NULL, &out, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(error.status, status);
		assert_true(status == HERALD_OK || out.bytes == 0);
		herald_buffer_finish(&out);
		assert_all_released(&memory);
	}
	assert_int_equal(status, HERALD_OK);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_pointers_and_formats),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_buffers_that_are_too_small),
		cmocka_unit_test(test_every_allocation_fails),
	};

	return cmocka_run_group_tests_name("asyncapi", tests, NULL, NULL);
}
