/*
 * The options of a service and its routes about a store: which are refused, with what error, and
 * when the store gets to know the service.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>

#include "service/durable_events.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

enum colour { RED = 3, BLUE };
static const struct herald_name colours[] = {{"red", RED}, {"blue", BLUE}};

struct inner {
	const char *id;
};
HERALD_SCHEMA(inner, HERALD_FIELD(inner, id));

struct thing {
	const char *name;
	int32_t number;
	int32_t required_number;
	bool has_small;
	uint8_t small;
	enum colour colour;
	enum colour required_colour;
	enum colour other_colour;
	double real;
	bool flag;
	struct herald_time time;
	char fixed[8];
	int renamed;
	int hidden;
	struct inner loose, inner;
	const struct inner *pointer;
};
HERALD_SCHEMA(thing, HERALD_FIELD(thing, name), HERALD_FIELD(thing, number),
	      HERALD_FIELD(thing, required_number, .required = true), HERALD_OPTIONAL(thing, small),
	      HERALD_ENUM(thing, colour, colours),
	      HERALD_ENUM(thing, required_colour, colours, .required = true),
	      HERALD_ENUM(thing, other_colour, colours, .required = true, HERALD_UNKNOWN(0)),
	      HERALD_FIELD(thing, real, .required = true),
	      HERALD_FIELD(thing, flag, .required = true),
	      HERALD_FIELD(thing, time, .required = true), HERALD_FIELD(thing, fixed),
	      HERALD_FIELD(thing, renamed, .key = "other", .required = true),
	      HERALD_PRIVATE(thing, hidden), HERALD_STRUCT(thing, loose, inner),
	      HERALD_STRUCT(thing, inner, inner, .required = true),
	      HERALD_POINTER(thing, pointer, inner));

/* For other tags, a case's memory holds another member. */
struct tagged {
	const char *kind;
	union {
		const char *id;
		int64_t number;
	} value;
	union {
		const struct inner *inner;
		int64_t number;
	} pointed;
	union {
		struct inner inner;
		struct {
			int64_t number;
		} other;
	} flat;
};
HERALD_SCHEMA(tagged, HERALD_FIELD(tagged, kind, .required = true),
	      HERALD_VARIANT_WITH(tagged, value, kind, (.required = true),
				  HERALD_CASE_FIELD("named", id),
				  HERALD_CASE_FIELD("numbered", number)),
	      HERALD_VARIANT_WITH(tagged, pointed, kind, (.required = true),
				  HERALD_CASE("named", inner),
				  HERALD_CASE_FIELD("numbered", number)),
	      HERALD_FLAT_VARIANT(tagged, flat, kind, HERALD_CASE("named", inner)));

struct old_thing {
	const char *name;
};
HERALD_SCHEMA(old_thing, HERALD_FIELD(old_thing, name));

static enum herald_verdict
on_thing(struct herald_context *ctx, const struct thing *thing)
{
	(void)ctx;
	(void)thing;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_thing, thing);

static enum herald_verdict
on_tagged(struct herald_context *ctx, const struct tagged *tagged)
{
	(void)ctx;
	(void)tagged;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_tagged, tagged);

static enum herald_verdict
on_json(struct herald_context *ctx, const struct herald_json *json)
{
	(void)ctx;
	(void)json;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_json, herald_json);

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_thing *from, struct thing *to)
{
	(void)ctx;
	to->name = from->name;
	return HERALD_DONE;
}
HERALD_UPCASTER(modernize, old_thing, thing);

static enum herald_status
decode_nothing(const struct herald_format *format, struct herald_context *ctx, char *data,
	       size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	out->message->event_type = "thing";
	(void)error;
	return HERALD_OK;
}

static const struct herald_format_ops format_ops = {
	.struct_size = sizeof(format_ops), .name = "nothing", .decode = decode_nothing};
static const struct herald_format other_format = {.ops = &format_ops};

/* Creating a service is refused, and the store has not heard of it. */
static void
check_refused(const struct herald_service_options *options, struct fake_inbox *inbox,
	      const char *path, const char *message)
{
	struct herald_service *service = NULL;
	struct herald_error error = {0};
	enum herald_status status = herald_service_create(options, &service, &error);

	assert_int_equal(status, HERALD_BAD_OPTION);
	assert_option_error(&error, path, message);
	assert_null(service);
	assert_int_equal(inbox->attaches + inbox->detaches, 0);
}

static void
test_refused_service_options(void **state)
{
	static const char *const pattern[] = {"webhook-id", "ce-*", NULL}, *const empty[] = {"",
											     NULL};
	struct fake_inbox inbox;
	char longest[65];

	(void)state;
	fake_inbox_init(&inbox);
	memset(longest, 'q', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	struct herald_store *store = fake_inbox_store(&inbox);
	const struct {
		struct herald_service_options options;
		const char *path, *message;
	} cases[] = {
		{HERALD_SERVICE_OPTIONS(.queue = "mail"), "queue",
		 "needs a store: set the service's option `store`"},
		{HERALD_SERVICE_OPTIONS(.due_from = "/due"), "due_from",
		 "needs a store: set the service's option `store`"},
		{HERALD_SERVICE_OPTIONS(.store = store, .queue = ""), "queue", "the name is empty"},
		{HERALD_SERVICE_OPTIONS(.store = store, .queue = longest), "queue",
		 "the name is longer than 63 characters"},
		{HERALD_SERVICE_OPTIONS(.store = store, .queue = "my mail"), "queue",
		 "the name may hold visible ASCII characters only"},
		{HERALD_SERVICE_OPTIONS(.store = store, .queue = "caf\xc3\xa9"), "queue",
		 "the name may hold visible ASCII characters only"},
		{HERALD_SERVICE_OPTIONS(.store = store, .due_from = "due"), "due_from",
		 "not a JSON Pointer, which begins with '/', as in \"/metadata/version\""},
		{HERALD_SERVICE_OPTIONS(.store = store, .due_from = "/due",
					ONE_FORMAT(&other_format)),
		 "due_from",
		 "has no effect: it is for herald_format_envelope, which is not among "
		 "the formats"},
		{HERALD_SERVICE_OPTIONS(.id_attributes = pattern), "id_attributes[1]",
		 "expected the name of an attribute, such as \"Idempotency-Key\""},
		{HERALD_SERVICE_OPTIONS(.id_attributes = empty), "id_attributes[0]",
		 "expected the name of an attribute, such as \"Idempotency-Key\""},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_refused(&cases[i].options, &inbox, cases[i].path, cases[i].message);
	fake_inbox_finish(&inbox);
}

static void
test_refused_route_options(void **state)
{
	static const char no_store[] = "needs a store: set the service's option `store`";
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	const struct {
		struct herald_route route;
		bool has_store;
		const char *path, *message;
	} cases[] = {
		{HERALD_ROUTE("thing", thing, on_thing, NULL,
			      .transaction = HERALD_TRANSACTION_JOIN),
		 false, "routes[0].transaction", no_store},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "name"), false,
		 "routes[0].key", no_store},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .when_dead = HERALD_WHEN_DEAD_HOLD),
		 false, "routes[0].when_dead", no_store},
		{HERALD_ROUTE("thing", thing, on_thing, NULL,
			      .transaction = (enum herald_transaction)2),
		 true, "routes[0].transaction", "not a valid transaction: 2"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "name",
			      .when_dead = (enum herald_when_dead)2),
		 true, "routes[0].when_dead", "not a valid policy: 2"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .when_dead = HERALD_WHEN_DEAD_HOLD),
		 true, "routes[0].when_dead", "HERALD_WHEN_DEAD_HOLD needs a key"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "nmae"), true, "routes[0].key",
		 "the member \"nmae\" of struct thing does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = ""), true, "routes[0].key",
		 "the member \"\" of struct thing does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "renamed"), true,
		 "routes[0].key", "the member \"renamed\" of struct thing does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "hidden"), true,
		 "routes[0].key", "the member \"hidden\" of struct thing does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/"), true, "routes[0].key",
		 "the member \"\" of struct thing does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/a~2b"), true,
		 "routes[0].key",
		 "'~' in a JSON Pointer must be followed by '0' or '1' (~0 is '~', ~1 is '/')"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/inner/name"), true,
		 "routes[0].key", "the member \"name\" of struct inner does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/pointer/id/a"), true,
		 "routes[0].key",
		 "the member \"id\" of struct inner is not a struct or a pointer to one"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/pointer"), true,
		 "routes[0].key",
		 "the member \"pointer\" of struct thing is not a string, an integer or an enum"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/loose/id"), true,
		 "routes[0].key",
		 "the member \"loose\" of struct thing must be required or optional, so that a "
		 "missing one is not taken for zero"},
		{HERALD_ROUTE("thing", herald_json, on_json, NULL, .key = "name"), true,
		 "routes[0].key",
		 "the payload is any JSON: expected a JSON Pointer, such as \"/order_id\""},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "real"), true, "routes[0].key",
		 "the member \"real\" of struct thing is not a string, an integer or an enum"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "flag"), true, "routes[0].key",
		 "the member \"flag\" of struct thing is not a string, an integer or an enum"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "time"), true, "routes[0].key",
		 "the member \"time\" of struct thing is not a string, an integer or an enum"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "number"), true,
		 "routes[0].key",
		 "the member \"number\" of struct thing must be required or optional, so that a "
		 "missing one is not taken for zero"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "colour"), true,
		 "routes[0].key",
		 "the member \"colour\" of struct thing must be required or optional, so that a "
		 "missing one is not taken for zero"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "other_colour"), true,
		 "routes[0].key",
		 "the member \"other_colour\" of struct thing is an enum whose "
		 "HERALD_UNKNOWN value has no name, and a key needs its name"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "fixed"), true,
		 "routes[0].key",
		 "the member \"fixed\" of struct thing must be required or optional, so that a "
		 "missing one is not taken for zero"},
		{HERALD_ROUTE("tagged", tagged, on_tagged, NULL, .key = "value"), true,
		 "routes[0].key",
		 "the member \"value\" of struct tagged is a member of a tagged union's case"},
		{HERALD_ROUTE("tagged", tagged, on_tagged, NULL, .key = "/pointed/id"), true,
		 "routes[0].key",
		 "the member \"pointed\" of struct tagged is a member of a tagged union's case"},
		{HERALD_ROUTE("tagged", tagged, on_tagged, NULL, .key = "id"), true,
		 "routes[0].key",
		 "the member \"id\" of struct tagged is a member of a tagged union's case"},
		{HERALD_ROUTE("tagged", tagged, on_tagged, NULL, .key = "flat"), true,
		 "routes[0].key", "the member \"flat\" of struct tagged does not exist"},
		{HERALD_ROUTE("thing", thing, on_thing, NULL, .version = "2", .key = "small"), true,
		 "routes[0].key",
		 "the member \"small\" of struct old_thing (version 1) does not exist"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct herald_upcaster old[] = {
			HERALD_UPCAST("thing", "1", old_thing, "2", thing, modernize),
		};
		struct herald_service_options options =
			HERALD_SERVICE_OPTIONS(.routes = &cases[i].route, .routes_count = 1,
					       .store = cases[i].has_store
								? fake_inbox_store(&inbox)
								: NULL);

		if (cases[i].route.version) {
			options.upcasters = old;
			options.upcasters_count = 1;
		}
		check_refused(&options, &inbox, cases[i].path, cases[i].message);
	}
	fake_inbox_finish(&inbox);
}

/* Attached once, at the end; detached before anything is freed. */
static void
test_attach_and_detach(void **state)
{
	struct fake_inbox inbox;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(.store = fake_inbox_store(&inbox)));
	assert_int_equal(inbox.attaches, 1);
	assert_int_equal(inbox.detaches, 0);
	assert_string_equal(herald__service_queue(service), "default");
	herald_service_destroy(service);
	assert_int_equal(inbox.attaches, 1);
	assert_int_equal(inbox.detaches, 1);

	char longest[64];
	memset(longest, 'q', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	service = create_service(
		&HERALD_SERVICE_OPTIONS(.store = fake_inbox_store(&inbox), .queue = longest));
	assert_string_equal(herald__service_queue(service), longest);
	assert_ptr_not_equal(herald__service_queue(service), longest);
	herald_service_destroy(service);

	/* A store that does not take the service: no detach, and the caller keeps its handlers. */
	inbox.attach_status = HERALD_UNAVAILABLE;
	struct herald_error error = {0};
	service = NULL;
	assert_int_equal(
		herald_service_create(&HERALD_SERVICE_OPTIONS(.store = fake_inbox_store(&inbox)),
				      &service, &error),
		HERALD_UNAVAILABLE);
	assert_string_equal(error.message, "the fake store says no");
	assert_null(service);
	assert_int_equal(inbox.attaches, 3);
	assert_int_equal(inbox.detaches, 2);
	fake_inbox_finish(&inbox);
}

/* Whatever allocation fails, the store and the service agree on whether it was created. */
static void
test_memory(void **state)
{
	static const char *const ids[] = {"Idempotency-Key", "webhook-id", NULL};
	const struct herald_route routes[] = {
		HERALD_ROUTE("order", order, on_order, NULL, .key = "order_id"),
		HERALD_ROUTE("thing", thing, on_thing, NULL, .key = "/pointer/id"),
		HERALD_ROUTE("json", herald_json, on_json, NULL, .key = "/a/b"),
	};

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct fake_inbox inbox;
		struct herald_service *service = NULL;
		struct herald_error error = {0};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		fake_inbox_init(&inbox);
		enum herald_status status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .id_attributes = ids,
						.requires_id = true, .due_from = "/a/b",
						.store = fake_inbox_store(&inbox),
						.queue = "orders", .allocator = memory.allocator),
			&service, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(inbox.attaches, memory.failures ? 0 : 1);
		herald_service_destroy(service);
		assert_int_equal(inbox.detaches, inbox.attaches);
		assert_all_released(&memory);
		fake_inbox_finish(&inbox);
		if (!memory.failures)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_service_options),
		cmocka_unit_test(test_refused_route_options),
		cmocka_unit_test(test_attach_and_detach),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
