/*
 * herald_service_describe(): the text and the JSON, which are compared as a whole; the steps that
 * are described are those that run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <herald/adapter/format.h>
#include <herald/service.h>

#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_inbox.h"

struct old_order {
	const char *sku;
};
struct order {
	const char *sku;
	const char *color;
};
HERALD_SCHEMA(old_order, HERALD_FIELD(old_order, sku));
HERALD_SCHEMA_WITH(order, (.doc = "What is \"wanted\"."),
	HERALD_FIELD(order, sku, .doc = "The \"article\"."),
	HERALD_FIELD(order, color));

static enum herald_verdict
color(struct herald_context *ctx, const struct old_order *from, struct order *to)
{
	(void)ctx;
	(void)from;
	to->color = "";
	note("upcaster color");
	return HERALD_DONE;
}
HERALD_UPCASTER(color, old_order, order);

static enum herald_verdict
repaint(struct herald_context *ctx, const struct order *from, struct order *to)
{
	(void)ctx;
	*to = *from;
	note("upcaster repaint");
	return HERALD_DONE;
}
HERALD_UPCASTER(repaint, order, order);

static enum herald_verdict
on_order(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	note("schema order");
	return HERALD_DONE;
}

static enum herald_verdict
before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)ctx;
	note("handler %s", handler->ops->name ? handler->ops->name : "unnamed");
	return HERALD_DONE;
}

static enum herald_verdict
after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)result;
	return before(handler, ctx);
}

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

#define OPS(NAME, ...)                                                                             \
	{                                                                                          \
		.struct_size = sizeof(struct herald_handler_ops), .name = (NAME), __VA_ARGS__      \
	}

static const char *const service_attributes[] = {"X-Team", "ce-*", NULL};
static const char *const audit_attributes[] = {"x-team", "X-Key", NULL};
static const char *const route_attributes[] = {"X-Route", "CE-*", NULL};
static const struct herald_handler_ops audit =
	OPS("audit", .before = before, .after = after, .attributes = audit_attributes);
static const struct herald_handler_ops guard = OPS("guard \"2\"\n", .before = before);
static const struct herald_handler_ops stock = OPS(NULL, .after = after);
static const struct herald_format_ops form_ops = {
	.struct_size = sizeof(form_ops), .name = "form", .decode = decode};
static const struct herald_format form = {.ops = &form_ops};

static struct herald_service *
create_described(struct herald_allocator allocator)
{
	static struct herald_handler auditor = {.ops = &audit}, guardian = {.ops = &guard},
				     stocker = {.ops = &stock};
	struct herald_handler *handlers[] = {&auditor, &guardian};
	struct herald_handler *own[] = {&stocker, &auditor};
	const struct herald_route routes[] = {
		{.event_type = "order",
		 .version = "3",
		 .schema = &order_schema,
		 .function = on_order,
		 .attributes = route_attributes,
		 HERALD_HANDLERS(own),
		 .doc = "A \"customer\" ordered."},
		{.event_type = "or\\der",
		 .version = "",
		 .schema = &order_schema,
		 .function = on_order},
		{.event_type = "*", .schema = &herald_json_schema, .function = on_order},
	};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("order", "2", order, "3", order, repaint),
		HERALD_UPCAST("order", "1", old_order, "2", order, color),
	};

	return create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters), HERALD_HANDLERS(handlers),
		.attributes = service_attributes, .max_event_bytes = 1000,
		.limits = {.max_depth = 7}, .allocator = allocator));
}

static const char expected_text[] = "routes[0] order 3: A \"customer\" ordered.\n"
				    "\tdecode    envelope herald_message\n"
				    "\tpayload   struct order\n"
				    "\tbefore    audit\n"
				    "\tbefore    guard \"2\"\n\n"
				    "\tbefore    audit\n"
				    "\tfunction  struct order\n"
				    "\tafter     audit\n"
				    "\tafter     unnamed\n"
				    "\tafter     audit\n"
				    "routes[1] or\\der without version\n"
				    "\tdecode    envelope herald_message\n"
				    "\tpayload   struct order\n"
				    "\tbefore    audit\n"
				    "\tbefore    guard \"2\"\n\n"
				    "\tfunction  struct order\n"
				    "\tafter     audit\n"
				    "routes[2] any other event\n"
				    "\tdecode    envelope herald_message\n"
				    "\tpayload   struct herald_json\n"
				    "\tbefore    audit\n"
				    "\tbefore    guard \"2\"\n\n"
				    "\tfunction  struct herald_json\n"
				    "\tafter     audit\n"
				    "routes[0] order 2 -> 3: A \"customer\" ordered.\n"
				    "\tdecode    envelope herald_message\n"
				    "\tpayload   struct order\n"
				    "\tupcast    repaint -> struct order\n"
				    "\tbefore    audit\n"
				    "\tbefore    guard \"2\"\n\n"
				    "\tbefore    audit\n"
				    "\tfunction  struct order\n"
				    "\tafter     audit\n"
				    "\tafter     unnamed\n"
				    "\tafter     audit\n"
				    "routes[0] order 1 -> 2 -> 3: A \"customer\" ordered.\n"
				    "\tdecode    envelope herald_message\n"
				    "\tpayload   struct old_order\n"
				    "\tupcast    color -> struct order\n"
				    "\tupcast    repaint -> struct order\n"
				    "\tbefore    audit\n"
				    "\tbefore    guard \"2\"\n\n"
				    "\tbefore    audit\n"
				    "\tfunction  struct order\n"
				    "\tafter     audit\n"
				    "\tafter     unnamed\n"
				    "\tafter     audit\n"
				    "attributes: X-Team, ce-*, X-Key, X-Route\n"
				    "unknown events: reject\n"
				    "limits\n"
				    "\tmax_event_bytes 1000\n"
				    "\tmax_arena_bytes 16777216\n"
				    "\tmax_depth 7\n"
				    "\tmax_list_count 65536\n"
				    "\tmax_key_bytes 1024\n"
				    "\tmax_string_bytes unlimited\n"
				    "struct herald_message: The envelope of every event.\n"
				    "\tevent_type, required: What happened; selects the route.\n"
				    "\ttimestamp, required: When it happened, RFC 3339.\n"
				    "\tpayload: The event's own data.\n"
				    "\tmetadata: About the event: version, source, id and others.\n"
				    "struct order: What is \"wanted\".\n"
				    "\tsku: The \"article\".\n"
				    "\tcolor\n"
				    "struct old_order\n"
				    "\tsku\n";

static void
test_text(void **state)
{
	struct herald_service *service = create_described((struct herald_allocator){0});
	struct herald_buffer out;

	(void)state;
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_buffer_append(&out, "# ", 2), HERALD_OK);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_int_equal(herald_buffer_append(&out, "", 1), HERALD_OK);
	assert_memory_equal(out.data, "# ", 2);
	assert_string_equal(out.data + 2, expected_text);
	herald_buffer_finish(&out);
	herald_service_destroy(service);
}

static json_t *
describe(const struct herald_service *service)
{
	struct herald_buffer out;
	json_error_t error;

	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_JSON, &out), HERALD_OK);
	json_t *json = json_loadb(out.data, out.bytes, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s: %.*s", error.text, (int)out.bytes, out.data);
	herald_buffer_finish(&out);
	return json;
}

/* Compare a part of the description with the text of a JSON value. */
static void
check_json(const json_t *found, const char *expected)
{
	json_error_t error;
	json_t *wanted = json_loads(expected, JSON_DECODE_ANY, &error);

	if (!wanted)
		fail_msg("%s: %s", expected, error.text);
	if (!json_equal(found, wanted)) {
		char *text = json_dumps(found, JSON_ENCODE_ANY);
		fail_msg("expected %s, got %s", expected, text);
	}
	json_decref(wanted);
}

static void
test_json(void **state)
{
	static const char *const routes[] = {
		"{\"event_type\":\"order\",\"version\":\"3\",\"route\":0,"
		"\"doc\":\"A \\\"customer\\\" ordered.\",\"steps\":["
		"{\"step\":\"decode\",\"envelope\":\"herald_message\"},"
		"{\"step\":\"payload\",\"schema\":\"order\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"before\",\"handler\":\"guard \\\"2\\\"\\n\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"function\",\"schema\":\"order\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"},"
		"{\"step\":\"after\",\"handler\":\"unnamed\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"}]}",
		"{\"event_type\":\"or\\\\der\",\"version\":\"\",\"route\":1,\"doc\":null,\"steps\":"
		"["
		"{\"step\":\"decode\",\"envelope\":\"herald_message\"},"
		"{\"step\":\"payload\",\"schema\":\"order\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"before\",\"handler\":\"guard \\\"2\\\"\\n\"},"
		"{\"step\":\"function\",\"schema\":\"order\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"}]}",
		"{\"event_type\":\"*\",\"version\":null,\"route\":2,\"doc\":null,\"steps\":["
		"{\"step\":\"decode\",\"envelope\":\"herald_message\"},"
		"{\"step\":\"payload\",\"schema\":\"herald_json\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"before\",\"handler\":\"guard \\\"2\\\"\\n\"},"
		"{\"step\":\"function\",\"schema\":\"herald_json\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"}]}",
		NULL,
		"{\"event_type\":\"order\",\"version\":\"1\",\"route\":0,"
		"\"doc\":\"A \\\"customer\\\" ordered.\",\"steps\":["
		"{\"step\":\"decode\",\"envelope\":\"herald_message\"},"
		"{\"step\":\"payload\",\"schema\":\"old_order\"},"
		"{\"step\":\"upcast\",\"upcaster\":\"color\",\"schema\":\"order\"},"
		"{\"step\":\"upcast\",\"upcaster\":\"repaint\",\"schema\":\"order\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"before\",\"handler\":\"guard \\\"2\\\"\\n\"},"
		"{\"step\":\"before\",\"handler\":\"audit\"},"
		"{\"step\":\"function\",\"schema\":\"order\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"},"
		"{\"step\":\"after\",\"handler\":\"unnamed\"},"
		"{\"step\":\"after\",\"handler\":\"audit\"}]}",
	};
	struct herald_service *service = create_described((struct herald_allocator){0});
	json_t *json = describe(service);

	(void)state;
	assert_int_equal(json_object_size(json), 5);
	assert_int_equal(json_array_size(json_object_get(json, "routes")), COUNT(routes));
	for (size_t i = 0; i < COUNT(routes); i++)
		if (routes[i])
			check_json(json_array_get(json_object_get(json, "routes"), i), routes[i]);
	check_json(json_array_get(json_object_get(json, "schemas"), 1),
		   "{\"name\":\"order\",\"doc\":\"What is \\\"wanted\\\".\",\"members\":["
		   "{\"name\":\"sku\",\"required\":false,\"doc\":\"The \\\"article\\\".\"},"
		   "{\"name\":\"color\",\"required\":false,\"doc\":null}]}");
	check_json(
		json_array_get(json_object_get(json_array_get(json_object_get(json, "schemas"), 0),
					       "members"),
			       0),
		"{\"name\":\"event_type\",\"required\":true,"
		"\"doc\":\"What happened; selects the route.\"}");
	check_json(json_object_get(json, "unknown"), "\"reject\"");
	check_json(json_object_get(json, "attributes"),
		   "[\"X-Team\",\"ce-*\",\"X-Key\",\"X-Route\"]");
	check_json(json_object_get(json, "limits"),
		   "{\"max_event_bytes\":1000,\"max_arena_bytes\":16777216,\"max_depth\":7,"
		   "\"max_list_count\":65536,\"max_key_bytes\":1024,\"max_string_bytes\":null}");
	json_decref(json);
	herald_service_destroy(service);
}

/* What runs for an event is what the description lists, in its order. */
static void
check_steps(struct herald_service *service, const json_t *way, const char *event)
{
	char expected[512] = "";
	size_t index;
	json_t *step;

	json_array_foreach(json_object_get(way, "steps"), index, step)
	{
		const char *name = json_string_value(json_object_get(step, "step"));
		const char *key = strcmp(name, "upcast") == 0     ? "upcaster"
				  : strcmp(name, "function") == 0 ? "schema"
								  : "handler";
		const char *who = json_string_value(json_object_get(step, key));

		if (who) {
			strcat(expected, *expected ? " " : "");
			strcat(strcat(strcat(expected, key), " "), who);
		}
	}
	trace[0] = '\0';
	assert_int_equal(handle(service, event).verdict, HERALD_DONE);
	assert_string_equal(trace, expected);
}

static void
test_described_is_what_runs(void **state)
{
	struct herald_service *service = create_described((struct herald_allocator){0});
	json_t *json = describe(service);
	const json_t *ways = json_object_get(json, "routes");

	(void)state;
	check_steps(service, json_array_get(ways, 0), VERSIONED("order", "3", "{}"));
	check_steps(service, json_array_get(ways, 1), EVENT("or\\\\der", "{}"));
	check_steps(service, json_array_get(ways, 3), VERSIONED("order", "2", "{}"));
	check_steps(service, json_array_get(ways, 4), VERSIONED("order", "1", "{}"));
	json_decref(json);
	herald_service_destroy(service);
}

/* With a store: where the event is stored, and what its routes say about that. */
static void
test_store(void **state)
{
	static const char *const ids[] = {"webhook-id", NULL};
	const struct herald_route routes[] = {
		{.event_type = "a",
		 .schema = &order_schema,
		 .function = on_order,
		 .key = "sku",
		 .transaction = HERALD_TRANSACTION_JOIN,
		 .when_dead = HERALD_WHEN_DEAD_HOLD},
		{.event_type = "b", .schema = &order_schema, .function = on_order, .key = "sku"},
		{.event_type = "c", .schema = &order_schema, .function = on_order},
	};
	struct fake_inbox inbox;
	struct herald_buffer out;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), .store = fake_inbox_store(&inbox), .queue = "my\"mail",
		.due_from = "/due", .id_attributes = ids));
	json_t *json = describe(service);
	const json_t *ways = json_object_get(json, "routes");

	check_json(json_object_get(json_array_get(ways, 0), "steps"),
		   "[{\"step\":\"decode\",\"envelope\":\"herald_message\"},"
		   "{\"step\":\"payload\",\"schema\":\"order\"},"
		   "{\"step\":\"store\",\"queue\":\"my\\\"mail\",\"key\":\"sku\","
		   "\"when_dead\":\"hold\"},"
		   "{\"step\":\"begin\",\"transaction\":\"join\"},"
		   "{\"step\":\"function\",\"schema\":\"order\"}]");
	check_json(json_array_get(json_object_get(json_array_get(ways, 1), "steps"), 2),
		   "{\"step\":\"store\",\"queue\":\"my\\\"mail\",\"key\":\"sku\","
		   "\"when_dead\":\"release\"}");
	check_json(json_array_get(json_object_get(json_array_get(ways, 2), "steps"), 2),
		   "{\"step\":\"store\",\"queue\":\"my\\\"mail\"}");
	check_json(json_object_get(json, "due_from"), "\"/due\"");
	check_json(json_object_get(json, "attributes"), "[\"webhook-id\"]");
	json_decref(json);

	static const char expected[] = "routes[0] a\n"
				       "\tdecode    envelope herald_message\n"
				       "\tpayload   struct order\n"
				       "\tstore     queue my\"mail, key sku, when_dead hold\n"
				       "\tbegin     transaction join\n"
				       "\tfunction  struct order\n"
				       "routes[1] b\n"
				       "\tdecode    envelope herald_message\n"
				       "\tpayload   struct order\n"
				       "\tstore     queue my\"mail, key sku, when_dead release\n"
				       "\tfunction  struct order\n"
				       "routes[2] c\n"
				       "\tdecode    envelope herald_message\n"
				       "\tpayload   struct order\n"
				       "\tstore     queue my\"mail\n"
				       "\tfunction  struct order\n"
				       "due_from: /due\n"
				       "attributes: webhook-id\n";
	herald_buffer_init(&out, NULL, 0);
	assert_int_equal(herald_service_describe(service, HERALD_DESCRIBE_TEXT, &out), HERALD_OK);
	assert_true(out.bytes > strlen(expected));
	out.data[strlen(expected)] = '\0';
	assert_string_equal(out.data, expected);
	herald_buffer_finish(&out);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

static void
test_format_and_no_routes(void **state)
{
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &order_schema, .function = on_order}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), ONE_FORMAT(&form)));
	json_t *json = describe(service);

	(void)state;
	check_json(json_object_get(json_array_get(json_object_get(json, "routes"), 0), "steps"),
		   "[{\"step\":\"decode\",\"format\":\"form\"},"
		   "{\"step\":\"payload\",\"schema\":\"order\"},"
		   "{\"step\":\"function\",\"schema\":\"order\"}]");
	json_decref(json);
	herald_service_destroy(service);

	service = create_service(&HERALD_SERVICE_OPTIONS(.unknown = HERALD_UNKNOWN_IGNORE));
	json = describe(service);
	check_json(json_object_get(json, "routes"), "[]");
	check_json(json_object_get(json, "unknown"), "\"ignore\"");
	check_json(json_object_get(json, "attributes"), "[]");
	json_decref(json);
	herald_service_destroy(service);
}

static void
test_buffers_that_are_too_small(void **state)
{
	struct herald_service *service = create_described((struct herald_allocator){0});

	(void)state;
	for (int format = HERALD_DESCRIBE_TEXT; format <= HERALD_DESCRIBE_JSON; format++) {
		for (size_t max = 3;; max += 97) {
			struct herald_buffer out;

			herald_buffer_init(&out, NULL, max);
			assert_int_equal(herald_buffer_append(&out, "abc", 3), HERALD_OK);
			enum herald_status status = herald_service_describe(
				service, (enum herald_describe_format)format, &out);
			size_t bytes = out.bytes;
			assert_memory_equal(out.data, "abc", 3);
			herald_buffer_finish(&out);
			if (status == HERALD_OK)
				break;
			assert_int_equal(status, HERALD_TOO_LARGE);
			assert_int_equal(bytes, 3);
		}
	}
	herald_service_destroy(service);
}

static void
test_every_allocation_fails(void **state)
{
	struct herald_service *service = create_described((struct herald_allocator){0});

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_buffer out;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		herald_buffer_init(&out, &memory.allocator, 0);
		enum herald_status status =
			herald_service_describe(service, HERALD_DESCRIBE_JSON, &out);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_true(status == HERALD_OK || out.bytes == 0);
		herald_buffer_finish(&out);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_text, events_setup),
		cmocka_unit_test_setup(test_json, events_setup),
		cmocka_unit_test_setup(test_described_is_what_runs, events_setup),
		cmocka_unit_test_setup(test_store, events_setup),
		cmocka_unit_test_setup(test_format_and_no_routes, events_setup),
		cmocka_unit_test_setup(test_buffers_that_are_too_small, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
