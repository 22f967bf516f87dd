/*
 * herald/service.h: what herald_service_create() checks, copies and owns, and the statistics. The
 * handling of events is tested in test_pipeline.c, routes and upcasters in test_route.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/format.h>
#include <herald/service.h>

#include "support/failing_allocator.h"
#include "support/option_error.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define HEAD "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":"

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

struct old_user {
	const char *full_name;
};
HERALD_SCHEMA(old_user, HERALD_FIELD(old_user, full_name));

/* Returns the verdict that the name begins with. */
static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, void *state)
{
	(void)state;
	switch (user->name[0]) {
	case 'r':
		return herald_retry(ctx, "busy");
	case 'f':
		return herald_fail(ctx, "no");
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
on_user_erased(struct herald_context *ctx, const void *payload, void *state)
{
	return on_user(ctx, payload, state);
}

static enum herald_verdict
modernize(struct herald_context *ctx, const struct old_user *from, struct user *to)
{
	(void)ctx;
	to->name = from->full_name ? from->full_name : "";
	return HERALD_DONE;
}
HERALD_UPCASTER(modernize, old_user, user);

#define USER_ROUTE(TYPE, ...)                                                                      \
	{                                                                                          \
		.event_type = (TYPE), .schema = &user_schema, .function = on_user_erased,          \
		__VA_ARGS__                                                                        \
	}

static const struct herald_route user_routes[] = {USER_ROUTE("user", .version = NULL)};

/* A handler that counts what is done to it. */
struct counted {
	struct herald_handler base;
	bool refuses;
	unsigned calls, checks, destroyed, order;
};

static unsigned destroyed_so_far;

static enum herald_verdict
count_before(struct herald_handler *handler, struct herald_context *ctx)
{
	(void)ctx;
	((struct counted *)handler)->calls++;
	return HERALD_DONE;
}

static enum herald_status
count_check(struct herald_handler *handler, const struct herald_schema *envelope,
	    struct herald_error *error)
{
	struct counted *counted = (struct counted *)handler;

	(void)envelope;
	counted->checks++;
	return counted->refuses ? herald_error_set(error, HERALD_BAD_OPTION, 0, "not here")
				: HERALD_OK;
}

static void
count_destroy(struct herald_handler *handler)
{
	assert_null(handler->service);
	((struct counted *)handler)->destroyed++;
	((struct counted *)handler)->order = ++destroyed_so_far;
}

static enum herald_status
refuse_to_decode(const struct herald_format *format, struct herald_context *ctx, char *data,
		 size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	(void)format;
	(void)ctx;
	(void)data;
	(void)bytes;
	(void)out;
	return herald_error_set(error, HERALD_BAD_FORMAT, 0, "refused");
}

static const struct herald_handler_ops counted_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "counted",
	.before = count_before,
	.check = count_check,
	.destroy = count_destroy,
};
static const struct herald_handler_ops unsized_ops = {.name = "unsized"};
static const struct herald_handler_ops short_ops = {
	.struct_size = sizeof(struct herald_handler_ops) - 1,
	.name = "short",
};

static struct herald_service *
create(const struct herald_service_options *options)
{
	struct herald_service *service = NULL;
	struct herald_error error = {0};

	if (herald_service_create(options, &service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return service;
}

static struct herald_result
handle(struct herald_service *service, const char *json)
{
	struct herald_result result;
	size_t bytes = strlen(json);
	char *data = malloc(bytes + 1);

	assert_non_null(data);
	memcpy(data, json, bytes + 1);
	herald_service_handle(service, data, bytes, &result);
	free(data);
	return result;
}

static void
check_refused(const struct herald_service_options *options, enum herald_status status,
	      const char *path)
{
	struct herald_service *service = NULL;
	struct herald_error error = {0};
	enum herald_status found = herald_service_create(options, &service, &error);

	if (found != status || error.status != status || strcmp(error.path, path) != 0 ||
	    error.message[0] == '\0' || error.offset != HERALD_NO_OFFSET)
		fail_msg("expected %s at %s, got %s at %s: %s", herald_status_name(status), path,
			 herald_status_name(found), error.path, error.message);
	assert_null(service);
	assert_int_equal(herald_service_create(options, &service, NULL), status);
}

/* Options. */

static void
test_struct_size(void **state)
{
	struct herald_service_options unsized = {HERALD_ROUTES(user_routes)};

	(void)state;
	check_refused(&unsized, HERALD_BAD_OPTION, "struct_size");
	unsized.struct_size = sizeof(size_t) - 1;
	check_refused(&unsized, HERALD_BAD_OPTION, "struct_size");
	check_refused(NULL, HERALD_BAD_OPTION, "struct_size");
}

/* The options of an older program, in a block with nothing behind them: ASan sees every read. */
static void
test_older_options(void **state)
{
	size_t sizes[] = {offsetof(struct herald_service_options, upcasters),
			  offsetof(struct herald_service_options, unknown),
			  offsetof(struct herald_service_options, log),
			  offsetof(struct herald_service_options, allocator)};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct herald_service_options all = {.struct_size = sizes[i],
						     HERALD_ROUTES(user_routes)};
		struct herald_service_options *options = malloc(sizes[i]);

		assert_non_null(options);
		memcpy(options, &all, sizes[i]);
		struct herald_service *service = create(options);
		free(options);
		assert_int_equal(herald_service_max_event_bytes(service), 1 << 20);
		assert_int_equal(
			handle(service, HEAD "\"user\",\"payload\":{\"name\":\"a\"}}").status,
			HERALD_OK);
		herald_service_destroy(service);
	}
}

/* Options of a newer version: members that this library does not know are ignored. */
static void
test_newer_options(void **state)
{
	struct {
		struct herald_service_options options;
		char unknown[64];
	} newer = {.options = {.struct_size = sizeof(newer), .max_event_bytes = 7}};

	(void)state;
	memset(newer.unknown, 0xFF, sizeof(newer.unknown));
	struct herald_service *service = create(&newer.options);
	assert_int_equal(herald_service_max_event_bytes(service), 7);
	herald_service_destroy(service);
}

static void
test_bad_options(void **state)
{
	const struct {
		struct herald_service_options options;
		const char *path;
	} rows[] = {
		{{.unknown = (enum herald_unknown_policy)2}, "unknown"},
		{{.unknown = (enum herald_unknown_policy) - 1}, "unknown"},
		{{.max_event_bytes = SIZE_MAX}, "max_event_bytes"},
		{{.max_arena_bytes = SIZE_MAX / 2 + 1}, "max_arena_bytes"},
		{{.limits.max_depth = 1025}, "limits"},
		{{.allocator.allocate = herald_allocator_libc.allocate}, "allocator"},
		{{.allocator.release = herald_allocator_libc.release}, "allocator"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_service_options options = rows[i].options;

		options.struct_size = sizeof(options);
		check_refused(&options, HERALD_BAD_OPTION, rows[i].path);
	}
}

/* A pointer without its count, and the reverse: either would be silently an empty list. */
static void
test_arrays_and_their_counts(void **state)
{
	struct counted handler = {.base.ops = &counted_ops};
	struct herald_handler *const handlers[] = {&handler.base};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "1", old_user, "2", user, modernize)};
	const struct herald_route pointer_alone[] = {USER_ROUTE("a", .doc = NULL),
						     USER_ROUTE("b", .handlers = handlers)};
	const struct herald_route count_alone[] = {USER_ROUTE("a", .doc = NULL),
						   USER_ROUTE("b", .handlers_count = 2)};
	const struct {
		struct herald_service_options options;
		const char *path, *message;
	} rows[] = {
		{{.routes = user_routes},
		 "routes",
		 "is set, but routes_count is 0; HERALD_ROUTES(array) sets both"},
		{{.routes_count = 1},
		 "routes",
		 "is NULL, but routes_count is 1; HERALD_ROUTES(array) sets both"},
		{{.upcasters = upcasters},
		 "upcasters",
		 "is set, but upcasters_count is 0; HERALD_UPCASTERS(array) sets both"},
		{{.upcasters_count = 3},
		 "upcasters",
		 "is NULL, but upcasters_count is 3; HERALD_UPCASTERS(array) sets both"},
		{{.handlers = handlers},
		 "handlers",
		 "is set, but handlers_count is 0; HERALD_HANDLERS(array) sets both"},
		{{.handlers_count = 1},
		 "handlers",
		 "is NULL, but handlers_count is 1; HERALD_HANDLERS(array) sets both"},
		{{HERALD_ROUTES(pointer_alone)},
		 "routes[1].handlers",
		 "is set, but handlers_count is 0; HERALD_HANDLERS(array) sets both"},
		{{HERALD_ROUTES(count_alone)},
		 "routes[1].handlers",
		 "is NULL, but handlers_count is 2; HERALD_HANDLERS(array) sets both"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_service_options options = rows[i].options;
		struct herald_service *service = NULL;
		struct herald_error error = {0};

		options.struct_size = sizeof(options);
		assert_int_equal(herald_service_create(&options, &service, &error),
				 HERALD_BAD_OPTION);
		assert_null(service);
		assert_option_error(&error, rows[i].path, rows[i].message);
	}
}

static void
test_everything_is_copied(void **state)
{
	char type[] = "user", version[] = "2", from[] = "1", doc[] = "A user came.";
	struct counted handler = {.base.ops = &counted_ops};
	struct herald_handler *handlers[] = {&handler.base};
	struct herald_route routes[] = {
		USER_ROUTE(type, .version = version, .doc = doc, HERALD_HANDLERS(handlers))};
	struct herald_upcaster upcasters[] = {
		HERALD_UPCAST(type, from, old_user, version, user, modernize)};
	struct herald_service_options options = {
		.struct_size = sizeof(options),
		HERALD_ROUTES(routes),
		HERALD_UPCASTERS(upcasters),
	};
	struct herald_service *service = create(&options);

	(void)state;
	memset(type, '?', sizeof(type) - 1);
	memset(version, '?', sizeof(version) - 1);
	memset(from, '?', sizeof(from) - 1);
	memset(doc, '?', sizeof(doc) - 1);
	memset(handlers, 0, sizeof(handlers));
	memset(routes, 0, sizeof(routes));
	memset(upcasters, 0, sizeof(upcasters));
	memset(&options, 0, sizeof(options));
	struct herald_result result =
		handle(service, HEAD "\"user\",\"metadata\":{\"version\":\"1\"},"
				     "\"payload\":{\"full_name\":\"a\"}}");
	assert_int_equal(result.verdict, HERALD_DONE);
	assert_int_equal(handler.calls, 1);
	herald_service_destroy(service);
	assert_int_equal(handler.destroyed, 1);
}

/* The formats. */

#define ONE_FORMAT(FORMAT)                                                                         \
	.formats = (const struct herald_format *const[]){FORMAT}, .formats_count = 1

static bool
match_nothing(const struct herald_format *format, const struct herald_arrival *arrival)
{
	(void)format;
	(void)arrival;
	return false;
}

static void
test_formats(void **state)
{
	static const struct herald_format_ops good = {.struct_size = sizeof(good),
						      .decode = refuse_to_decode};
	static const struct herald_format_ops unsized = {.decode = refuse_to_decode};
	static const struct herald_format_ops cut = {.struct_size = sizeof(cut) - 1,
						     .decode = refuse_to_decode};
	static const struct herald_format_ops idle = {.struct_size = sizeof(idle)};
	static const struct herald_format_ops *const bad[] = {NULL, &unsized, &cut, &idle};
	static const struct herald_format_ops choosy_ops = {.struct_size = sizeof(choosy_ops),
							    .decode = refuse_to_decode,
							    .matches = match_nothing};
	const struct herald_format format = {.ops = &good}, choosy = {.ops = &choosy_ops};
	const struct herald_format *const in_the_way[] = {&choosy, &format, &choosy};
	const struct herald_format *const too_early[] = {&herald_format_envelope, &choosy};
	struct herald_service *services[2];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct herald_format wrong = {.ops = bad[i]};

		check_refused(&HERALD_SERVICE_OPTIONS(ONE_FORMAT(&wrong)), HERALD_BAD_OPTION,
			      "formats[0]");
	}
	check_refused(&HERALD_SERVICE_OPTIONS(ONE_FORMAT(NULL)), HERALD_BAD_OPTION, "formats[0]");
	check_refused(&HERALD_SERVICE_OPTIONS(.formats_count = 1), HERALD_BAD_OPTION, "formats");
	check_refused(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(in_the_way)), HERALD_BAD_OPTION,
		      "formats[1]");
	check_refused(&HERALD_SERVICE_OPTIONS(HERALD_FORMATS(too_early)), HERALD_BAD_OPTION,
		      "formats[0]");
	/* Any number of services can have it. */
	for (size_t i = 0; i < COUNT(services); i++)
		services[i] = create(&HERALD_SERVICE_OPTIONS(ONE_FORMAT(&format)));
	for (size_t i = 0; i < COUNT(services); i++) {
		struct herald_result result = handle(services[i], "{}");

		assert_int_equal(result.status, HERALD_BAD_FORMAT);
		assert_string_equal(result.error.message, "refused");
		herald_service_destroy(services[i]);
	}
}

/* Handlers. */

static void
test_bad_handlers(void **state)
{
	struct counted good = {.base.ops = &counted_ops}, bare = {.base.ops = NULL};
	struct counted unsized = {.base.ops = &unsized_ops}, cut = {.base.ops = &short_ops};
	const struct {
		struct herald_handler *handlers[2];
		const char *path, *route_path;
	} rows[] = {
		{{&good.base, NULL}, "handlers[1]", "routes[1].handlers[1]"},
		{{&bare.base, &good.base}, "handlers[0]", "routes[1].handlers[0]"},
		{{&good.base, &unsized.base}, "handlers[1]", "routes[1].handlers[1]"},
		{{&cut.base, &good.base}, "handlers[0]", "routes[1].handlers[0]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_route routes[] = {
			USER_ROUTE("a", .version = NULL),
			USER_ROUTE("b", HERALD_HANDLERS(rows[i].handlers))};

		check_refused(&HERALD_SERVICE_OPTIONS(HERALD_HANDLERS(rows[i].handlers)),
			      HERALD_BAD_OPTION, rows[i].path);
		check_refused(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), HERALD_BAD_OPTION,
			      rows[i].route_path);
	}
	assert_int_equal(good.destroyed, 0);
}

static void
test_each_handler_is_destroyed_once(void **state)
{
	struct counted handlers[4];
	struct herald_handler *all[2] = {&handlers[2].base, &handlers[0].base};
	struct herald_handler *first[3] = {&handlers[3].base, &handlers[0].base, &handlers[1].base};
	struct herald_handler *second[2] = {&handlers[1].base, &handlers[2].base};
	const struct herald_route routes[] = {
		USER_ROUTE("a", HERALD_HANDLERS(first)),
		USER_ROUTE("b", HERALD_HANDLERS(second)),
		USER_ROUTE("c", HERALD_HANDLERS(first)),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(handlers); i++)
		handlers[i] = (struct counted){.base.ops = &counted_ops};
	destroyed_so_far = 0;
	herald_service_destroy(
		create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(all))));
	for (size_t i = 0; i < COUNT(handlers); i++)
		assert_int_equal(handlers[i].destroyed, 1);
	/* They were named in the order 2, 0, 3, 1. */
	assert_int_equal(handlers[1].order, 1);
	assert_int_equal(handlers[3].order, 2);
	assert_int_equal(handlers[0].order, 3);
	assert_int_equal(handlers[2].order, 4);
	herald_service_destroy(NULL);
}

static void
count_warnings(const struct herald_log_record *record, void *state)
{
	if (record->level == HERALD_LOG_WARNING && strstr(record->message, "HERALD_ROUTES"))
		++*(unsigned *)state;
}

/* It is created, because handlers may be all that it is for; but it may have been forgotten. */
static void
test_no_routes(void **state)
{
	unsigned warnings = 0;
	const struct herald_log log = {.write = count_warnings, .state = &warnings};

	(void)state;
	herald_service_destroy(
		create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), .log = log)));
	assert_int_equal(warnings, 0);
	herald_service_destroy(create(&HERALD_SERVICE_OPTIONS(.log = log)));
	assert_int_equal(warnings, 1);
}

/* Creations with `shared` in the service's list, in a route's, or after `other` in both. */
static enum herald_status
create_with(size_t way, struct counted *shared, struct counted *other, struct herald_service **out,
	    struct herald_error *error)
{
	struct herald_handler *alone[] = {&shared->base}, *both[] = {&other->base, &shared->base};
	const struct herald_route plain[] = {USER_ROUTE("a", .doc = NULL)};
	const struct herald_route one[] = {USER_ROUTE("a", .doc = NULL),
					   USER_ROUTE("b", HERALD_HANDLERS(alone))};
	const struct herald_route two[] = {USER_ROUTE("a", .doc = NULL),
					   USER_ROUTE("b", HERALD_HANDLERS(both))};
	const struct herald_service_options ways[] = {
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(plain), HERALD_HANDLERS(alone)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(plain), HERALD_HANDLERS(both)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(one)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(two)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(two), HERALD_HANDLERS(both)),
	};

	return herald_service_create(&ways[way], out, error);
}

static const char *const shared_paths[] = {"handlers[0]", "handlers[1]", "routes[1].handlers[0]",
					   "routes[1].handlers[1]", "handlers[1]"};

/* It would be freed twice, and told of another service's events. */
static void
test_handler_of_another_service(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shared_paths) * COUNT(shared_paths); i++) {
		size_t first_way = i / COUNT(shared_paths), second_way = i % COUNT(shared_paths);
		struct counted shared = {.base.ops = &counted_ops};
		struct counted own = {.base.ops = &counted_ops}, other = {.base.ops = &counted_ops};
		struct herald_service *first = NULL, *second = NULL;
		struct herald_error error = {0};

		assert_int_equal(create_with(first_way, &shared, &own, &first, NULL), HERALD_OK);
		assert_ptr_equal(shared.base.service, first);
		unsigned checks = shared.checks;
		for (int again = 0; again < 2; again++) {
			assert_int_equal(create_with(second_way, &shared, &other, &second, &error),
					 HERALD_BAD_OPTION);
			assert_null(second);
			assert_string_equal(error.path, shared_paths[second_way]);
			assert_non_null(strstr(error.message,
					       "counted already belongs to another service"));
			assert_ptr_equal(shared.base.service, first);
			assert_null(other.base.service);
			assert_int_equal(shared.checks, checks);
			assert_int_equal(other.checks, 0);
		}
		assert_int_equal(shared.destroyed + own.destroyed + other.destroyed, 0);
		herald_service_destroy(first);
		assert_int_equal(shared.destroyed, 1);
		/* Then it is free again; its `destroy` left it as it was. */
		assert_int_equal(create_with(second_way, &shared, &other, &second, NULL),
				 HERALD_OK);
		herald_service_destroy(second);
		assert_int_equal(shared.destroyed, 2);
	}
}

/* Whatever a creation fails by, its handlers are the caller's again. */
static void
test_handlers_of_a_failed_creation(void **state)
{
	struct counted handler = {.base.ops = &counted_ops}, refusing = {.base.ops = &counted_ops};
	struct herald_handler *own[] = {&handler.base}, *both[] = {&handler.base, &refusing.base};
	const struct herald_route route[] = {USER_ROUTE("a", HERALD_HANDLERS(own))};
	const struct herald_route no_schema[] = {{.event_type = "a", .function = on_user_erased}};
	const struct herald_route bad_schema[] = {
		USER_ROUTE("a", HERALD_HANDLERS(own)),
		{.event_type = "b", .schema = &herald_json_schema, .function = on_user_erased}};
	const struct herald_service_options failures[] = {
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(route), HERALD_HANDLERS(both)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(no_schema), HERALD_HANDLERS(own)),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(bad_schema), HERALD_HANDLERS(own),
				       .limits.max_depth = 1025),
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(route), HERALD_HANDLERS(own),
				       .envelope = &user_schema),
	};

	(void)state;
	refusing.refuses = true;
	for (size_t i = 0; i < COUNT(failures); i++) {
		struct herald_service *service = NULL;

		assert_true(herald_service_create(&failures[i], &service, NULL) != HERALD_OK);
		assert_null(service);
		assert_null(handler.base.service);
		assert_null(refusing.base.service);
		assert_int_equal(handler.destroyed, 0);
	}
	herald_service_destroy(
		create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(route), HERALD_HANDLERS(own))));
	assert_int_equal(handler.destroyed, 1);
}

/* Schemas and envelopes. */

struct bad {
	int number;
	const char *name;
};
HERALD_SCHEMA(bad, HERALD_FIELD(bad, name));

struct wide {
	_Alignas(64) const char *name;
	char rest[56];
};
HERALD_SCHEMA(wide, HERALD_FIELD(wide, name), HERALD_FIELD(wide, rest));

static void
test_bad_schemas(void **state)
{
	const struct herald_route bad[] = {
		{.event_type = "bad", .schema = &bad_schema, .function = on_user_erased}};
	const struct herald_route wide[] = {
		{.event_type = "wide", .schema = &wide_schema, .function = on_user_erased}};
	struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "1", old_user, "2", user, modernize)};

	(void)state;
	check_refused(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(bad)), HERALD_BAD_SCHEMA, "bad.name");
	check_refused(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(wide)), HERALD_BAD_SCHEMA, "wide");
	upcasters[0].from_schema = &bad_schema;
	check_refused(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), HERALD_UPCASTERS(upcasters)),
		HERALD_BAD_SCHEMA, "bad.name");
}

struct late {
	const char *tenant;
	struct herald_message message;
};
HERALD_SCHEMA(late, HERALD_FIELD(late, tenant), HERALD_MESSAGE_FIELDS(late, message));

struct part {
	struct herald_message message;
};
HERALD_SCHEMA(part, HERALD_FIELD(part, message.event_type, .key = "event_type"),
	      HERALD_FIELD(part, message.timestamp, .key = "timestamp"),
	      HERALD_FIELD(part, message.payload, .key = "payload"),
	      HERALD_PRIVATE(part, message.metadata));

/* Only some of its events have a payload; other events have a number in the same memory. */
struct cased {
	union {
		struct herald_message message;
		struct {
			const char *type;
			struct herald_time time;
			int64_t number;
		} other;
	} as;
	const char *kind;
};
HERALD_SCHEMA(cased, HERALD_FIELD(cased, kind, .required = true),
	      HERALD_FIELD(cased, as.message.event_type, .key = "event_type", .required = true),
	      HERALD_FIELD(cased, as.message.timestamp, .key = "timestamp"),
	      HERALD_FIELD(cased, as.message.payload, .key = "payload", HERALD_WHEN(kind, "a")),
	      HERALD_FIELD(cased, as.other.number, .key = "payload", HERALD_WHEN(kind, "b")),
	      HERALD_FIELD(cased, as.message.metadata, .key = "metadata"));

static void
test_envelopes_that_are_none(void **state)
{
	const struct herald_schema *const envelopes[] = {&late_schema, &part_schema, &user_schema,
							 &cased_schema, &herald_json_schema};

	(void)state;
	for (size_t i = 0; i < COUNT(envelopes); i++)
		check_refused(&HERALD_SERVICE_OPTIONS(.envelope = envelopes[i]), HERALD_BAD_SCHEMA,
			      "envelope");
}

/* Memory. */

static void
test_every_allocation_of_creation_fails(void **state)
{
	struct counted handler = {.base.ops = &counted_ops};
	struct herald_handler *handlers[] = {&handler.base};
	const struct herald_route routes[] = {
		USER_ROUTE("user", .version = "2", HERALD_HANDLERS(handlers)),
		USER_ROUTE("*", .doc = "All else.")};
	const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "1", old_user, "2", user, modernize)};
	size_t failures = 0;

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_service *service = NULL;
		struct herald_error error = {0};

		failing_allocator_init(&memory, n % 2 ? FAIL_ONLY : FAIL_FROM, (n + 1) / 2);
		enum herald_status status = herald_service_create(
			&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
						HERALD_HANDLERS(handlers),
						.allocator = memory.allocator),
			&service, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(handler.destroyed, 0);
		if (status == HERALD_OK) {
			herald_service_destroy(service);
			assert_all_released(&memory);
			break;
		}
		assert_null(service);
		assert_int_equal(error.status, HERALD_NO_MEMORY);
		assert_true(error.message[0] != '\0');
		assert_all_released(&memory);
		failures++;
	}
	assert_true(failures > 10);
	assert_int_equal(handler.destroyed, 1);
}

/* Statistics. */

static void
test_statistics(void **state)
{
	static const struct herald_route routes[] = {USER_ROUTE("user", .version = "2"),
						     USER_ROUTE("other", .version = NULL)};
	static const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "1", old_user, "2", user, modernize)};
	static const char *const events[] = {
		HEAD "\"user\",\"metadata\":{\"version\":\"2\"},\"payload\":{\"name\":\"done\"}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"2\"},\"payload\":{\"name\":\"retry\"}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"2\"},\"payload\":{\"name\":\"fail\"}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"2\"},\"payload\":{}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"1\"},"
		     "\"payload\":{\"full_name\":\"fail\"}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"1\"},\"payload\":{\"full_name\":7}}",
		HEAD "\"user\",\"metadata\":{\"version\":\"3\"}}",
		HEAD "\"nobody\"}",
		HEAD "\"other\",\"payload\":{\"name\":\"done\"}}",
		"{",
		"",
	};
	struct herald_service *service =
		create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)));
	struct herald_statistics all;
	struct herald_route_statistics route = {.event_type = "untouched"};

	(void)state;
	herald_service_statistics(service, &all);
	assert_int_equal(all.events + all.nanoseconds, 0);
	for (size_t i = 0; i < COUNT(events); i++)
		handle(service, events[i]);

	herald_service_statistics(service, &all);
	assert_int_equal(all.events, COUNT(events));
	assert_int_equal(all.done, 2);
	assert_int_equal(all.retry, 1);
	assert_int_equal(all.fail, 2);
	assert_int_equal(all.rejected, 6);
	assert_int_equal(all.rejected_invalid, 4);
	assert_int_equal(all.rejected_unknown, 2);
	assert_int_equal(all.ignored, 0);
	assert_true(all.nanoseconds > 0);

	assert_false(herald_service_route_statistics(service, 2, &route));
	assert_string_equal(route.event_type, "untouched");
	assert_true(herald_service_route_statistics(service, 0, &route));
	assert_string_equal(route.event_type, "user");
	assert_string_equal(route.version, "2");
	assert_int_equal(route.counts.events, 6);
	assert_int_equal(route.counts.done, 1);
	assert_int_equal(route.counts.retry, 1);
	assert_int_equal(route.counts.fail, 2);
	assert_int_equal(route.counts.rejected, 2);
	assert_int_equal(route.counts.rejected_invalid, 2);
	assert_int_equal(route.counts.rejected_unknown, 0);
	assert_true(route.counts.nanoseconds > 0 && route.counts.nanoseconds <= all.nanoseconds);
	assert_true(herald_service_route_statistics(service, 1, &route));
	assert_null(route.version);
	assert_int_equal(route.counts.events, 1);
	assert_int_equal(route.counts.done, 1);
	herald_service_destroy(service);
}

struct older_user {
	const char *first;
};
HERALD_SCHEMA(older_user, HERALD_FIELD(older_user, first, .required = true));

static enum herald_verdict
join(struct herald_context *ctx, const struct older_user *from, struct old_user *to)
{
	to->full_name = from->first;
	return from->first[0] == 'x' ? herald_fail(ctx, "no name") : HERALD_DONE;
}
HERALD_UPCASTER(join, older_user, old_user);

/* Each event counts for the version that it came in, and for the route at the end of its chain. */
static void
test_statistics_of_upcasters(void **state)
{
	static const struct herald_route routes[] = {USER_ROUTE("user", .version = "3"),
						     USER_ROUTE("other", .version = NULL)};
	static const struct herald_upcaster upcasters[] = {
		HERALD_UPCAST("user", "2", old_user, "3", user, modernize),
		HERALD_UPCAST("user", "1", older_user, "2", old_user, join),
	};
#define USER(VERSION, PAYLOAD)                                                                     \
	HEAD "\"user\",\"metadata\":{\"version\":\"" VERSION "\"},\"payload\":" PAYLOAD "}"
#define LATE_VERSION(VERSION, PAYLOAD)                                                             \
	HEAD "\"user\",\"payload\":" PAYLOAD ",\"metadata\":{\"version\":\"" VERSION "\"}}"
	static const char *const events[] = {
		USER("3", "{\"name\":\"done\"}"),
		USER("2", "{\"full_name\":\"done\"}"),
		USER("2", "{\"full_name\":\"retry\"}"),
		LATE_VERSION("2", "{\"full_name\":\"retry\"}"),
		USER("2", "{\"full_name\":7}"),
		LATE_VERSION("2", "{\"full_name\":7}"),
		USER("1", "{\"first\":\"done\"}"),
		USER("1", "{\"first\":\"fail\"}"),
		USER("1", "{\"first\":\"x\"}"),
		USER("1", "{}"),
		USER("4", "{}"),
		HEAD "\"other\",\"payload\":{\"name\":\"done\"}}",
	};
	struct herald_service *service =
		create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters)));
	struct herald_statistics all;
	struct herald_route_statistics route;
	struct herald_upcaster_statistics upcaster = {.from = "untouched"};

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++)
		handle(service, events[i]);
	assert_false(herald_service_upcaster_statistics(service, 2, &upcaster));
	assert_string_equal(upcaster.from, "untouched");

	assert_true(herald_service_upcaster_statistics(service, 0, &upcaster));
	assert_string_equal(upcaster.event_type, "user");
	assert_string_equal(upcaster.from, "2");
	assert_string_equal(upcaster.to, "3");
	assert_int_equal(upcaster.counts.events, 5);
	assert_int_equal(upcaster.counts.done, 1);
	assert_int_equal(upcaster.counts.retry, 2);
	assert_int_equal(upcaster.counts.fail, 0);
	assert_int_equal(upcaster.counts.rejected, 2);
	uint64_t nanoseconds = upcaster.counts.nanoseconds;
	assert_true(nanoseconds > 0);

	assert_true(herald_service_upcaster_statistics(service, 1, &upcaster));
	assert_string_equal(upcaster.from, "1");
	assert_string_equal(upcaster.to, "2");
	assert_int_equal(upcaster.counts.events, 4);
	assert_int_equal(upcaster.counts.done, 1);
	assert_int_equal(upcaster.counts.retry, 0);
	assert_int_equal(upcaster.counts.fail, 2);
	assert_int_equal(upcaster.counts.rejected, 1);

	assert_true(herald_service_route_statistics(service, 0, &route));
	assert_int_equal(route.counts.events, 10);
	assert_int_equal(route.counts.done, 3);
	assert_int_equal(route.counts.retry, 2);
	assert_int_equal(route.counts.fail, 2);
	assert_int_equal(route.counts.rejected, 3);
	assert_true(route.counts.nanoseconds > nanoseconds + upcaster.counts.nanoseconds);
	assert_true(herald_service_route_statistics(service, 1, &route));
	assert_int_equal(route.counts.events, 1);

	herald_service_statistics(service, &all);
	assert_int_equal(all.events, COUNT(events));
	assert_int_equal(all.rejected_invalid, 3);
	assert_int_equal(all.rejected_unknown, 1);
	herald_service_destroy(service);
}

static void
test_ignored_events_are_counted(void **state)
{
	struct herald_service *service = create(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(user_routes), .unknown = HERALD_UNKNOWN_IGNORE));
	struct herald_statistics all;

	(void)state;
	handle(service, HEAD "\"nobody\"}");
	handle(service, HEAD "\"user\",\"payload\":{\"name\":\"a\"}}");
	handle(service, "7");
	herald_service_statistics(service, &all);
	assert_int_equal(all.events, 3);
	assert_int_equal(all.done, 2);
	assert_int_equal(all.ignored, 1);
	assert_int_equal(all.rejected_unknown, 0);
	assert_int_equal(all.rejected_invalid, 1);
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_struct_size),
		cmocka_unit_test(test_older_options),
		cmocka_unit_test(test_newer_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_arrays_and_their_counts),
		cmocka_unit_test(test_everything_is_copied),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_bad_handlers),
		cmocka_unit_test(test_no_routes),
		cmocka_unit_test(test_each_handler_is_destroyed_once),
		cmocka_unit_test(test_handler_of_another_service),
		cmocka_unit_test(test_handlers_of_a_failed_creation),
		cmocka_unit_test(test_bad_schemas),
		cmocka_unit_test(test_envelopes_that_are_none),
		cmocka_unit_test(test_every_allocation_of_creation_fails),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_statistics_of_upcasters),
		cmocka_unit_test(test_ignored_events_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
