/*
 * herald/route.h: which route takes which version, the chains of upcasters, and the errors that
 * herald_service_create() reports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/service.h>

#include "service/route_build.h"
#include "service/service.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct first {
	const char *name;
};
struct second {
	const char *name;
	const char *given_name;
};
HERALD_SCHEMA(first, HERALD_FIELD(first, name));
HERALD_SCHEMA(second, HERALD_FIELD(second, name), HERALD_FIELD(second, given_name));

/* The same name, size and members: what another file has that includes HERALD_SCHEMA in a
 * header. */
static const struct herald_schema second_again = {
	.name = "second",
	.bytes = sizeof(struct second),
	.alignment = _Alignof(struct second),
	.fields = &second_fields_[0].line_of_struct_second,
	.fields_count = COUNT(second_fields_),
};

/* The same size, but another name. */
static const struct herald_schema third = {
	.name = "third",
	.bytes = sizeof(struct second),
	.alignment = _Alignof(struct second),
	.fields = &second_fields_[0].line_of_struct_second,
	.fields_count = COUNT(second_fields_),
};
static const struct herald_schema unnamed = {.bytes = sizeof(struct second)};

static enum herald_verdict
function(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

static enum herald_verdict
upcaster(struct herald_context *ctx, const void *from, void *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	return HERALD_DONE;
}

#define ROUTE(TYPE, VERSION)                                                                       \
	{                                                                                          \
		.event_type = (TYPE), .schema = &second_schema, .function = function,              \
		.version = (VERSION)                                                               \
	}

#define UPCAST(FROM, TO)                                                                           \
	{                                                                                          \
		.event_type = "order", .from = (FROM), .to = (TO), .from_schema = &second_schema,  \
		.to_schema = &second_schema, .function = upcaster, .name = "upcaster"              \
	}

static enum herald_status
try_create(const struct herald_route *routes, size_t routes_count,
	   const struct herald_upcaster *upcasters, size_t upcasters_count,
	   struct herald_service **out, struct herald_error *error)
{
	return herald_service_create(
		&HERALD_SERVICE_OPTIONS(.routes = routes, .routes_count = routes_count,
					.upcasters = upcasters, .upcasters_count = upcasters_count),
		out, error);
}

static struct herald_service *
create(const struct herald_route *routes, size_t routes_count,
       const struct herald_upcaster *upcasters, size_t upcasters_count)
{
	struct herald_service *service = NULL;
	struct herald_error error = {0};

	if (try_create(routes, routes_count, upcasters, upcasters_count, &service, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return service;
}

/* Looking up. */

static void
test_most_exact_version_wins(void **state)
{
	static const struct herald_route routes[] = {
		ROUTE("order", NULL),    ROUTE("order", "1.x"),    ROUTE("order", "1.2"),
		ROUTE("order", "1.2.x"), ROUTE("order", ""),       ROUTE("order", "2"),
		ROUTE("strict", "1.x"),  ROUTE("strict", "1.0"),   ROUTE("*", NULL),
		ROUTE("none", ""),       ROUTE("deep", "1.2.3.x"),
	};
	static const struct {
		const char *event_type, *version;
		size_t route;
	} rows[] = {
		{"order", "1.2", 2},
		{"order", "1.2.3", 3},
		{"order", "1.2.", 3},
		{"order", "1", 1},
		{"order", "1.", 1},
		{"order", "1.3", 1},
		{"order", "1.20", 1},
		{"order", "1.x", 1},
		{"order", "10", 0},
		{"order", "10.2", 0},
		{"order", "", 4},
		{"order", "2", 5},
		{"order", "2.0", 0},
		{"order", " 1", 0},
		{"order", "01", 0},
		{"strict", "1.0", 7},
		{"strict", "1.0.0", 6},
		{"strict", "1", 6},
		{"strict", "", 8},
		{"strict", "2", 8},
		{"strict", "11", 8},
		{"none", "", 9},
		{"none", "1", 8},
		{"deep", "1.2.3", 10},
		{"deep", "1.2.3.4", 10},
		{"deep", "1.2", 8},
		{"deep", "1.2.30", 8},
		{"other", "1", 8},
		{"", "", 8},
		{"*", "", 8},
		{"Order", "1.2", 8},
		{"orde", "", 8},
		{"order ", "", 8},
	};
	struct herald_service *service = create(routes, COUNT(routes), NULL, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__target target = herald__route_table_find(
			&service->table, rows[i].event_type, rows[i].version);

		if (target.route != &service->table.routes[rows[i].route])
			fail_msg("\"%s\" version \"%s\" went to route %td, not %zu",
				 rows[i].event_type, rows[i].version,
				 target.route - service->table.routes, rows[i].route);
		assert_null(target.upcast);
		assert_int_equal(target.status, HERALD_OK);
	}
	herald_service_destroy(service);
}

static void
test_events_that_no_route_takes(void **state)
{
	static const struct herald_route routes[] = {ROUTE("order", "1.x"), ROUTE("user", "2")};
	static const struct {
		const char *event_type, *version;
		enum herald_status status;
	} rows[] = {
		{"order", "2", HERALD_UNKNOWN_VERSION},  {"order", "", HERALD_UNKNOWN_VERSION},
		{"order", "11", HERALD_UNKNOWN_VERSION}, {"user", "2.0", HERALD_UNKNOWN_VERSION},
		{"user", "", HERALD_UNKNOWN_VERSION},    {"users", "2", HERALD_UNKNOWN_TYPE},
		{"use", "2", HERALD_UNKNOWN_TYPE},       {"*", "", HERALD_UNKNOWN_TYPE},
		{"", "", HERALD_UNKNOWN_TYPE},
	};
	struct herald_service *service = create(routes, COUNT(routes), NULL, 0);
	struct herald_service *empty = create(NULL, 0, NULL, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__target target = herald__route_table_find(
			&service->table, rows[i].event_type, rows[i].version);

		assert_null(target.route);
		assert_int_equal(target.status, rows[i].status);
		target = herald__route_table_find(&empty->table, rows[i].event_type, "");
		assert_null(target.route);
		assert_int_equal(target.status, HERALD_UNKNOWN_TYPE);
	}
	herald_service_destroy(service);
	herald_service_destroy(empty);
}

static void
test_upcasters_lead_to_routes(void **state)
{
	static const struct herald_route routes[] = {ROUTE("order", "4"), ROUTE("order", "9.x"),
						     ROUTE("user", "1"), ROUTE("order", NULL)};
	static const struct herald_upcaster upcasters[] = {
		UPCAST("3", "4"), UPCAST("1", "2"), UPCAST("", "1"),
		UPCAST("2", "3"), UPCAST("8", "9"), UPCAST("6", "7"),
	};
	static const struct {
		const char *version;
		size_t upcaster, route, links;
	} rows[] = {
		{"", 2, 0, 4},  {"1", 1, 0, 3}, {"2", 3, 0, 2},
		{"3", 0, 0, 1}, {"8", 4, 1, 1}, {"6", 5, 3, 1},
	};
	struct herald_service *service = create(routes, COUNT(routes), upcasters, COUNT(upcasters));
	const struct herald__route_table *table = &service->table;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__target target =
			herald__route_table_find(table, "order", rows[i].version);
		size_t links = 0;

		assert_ptr_equal(target.upcast, &table->upcasts[rows[i].upcaster]);
		assert_ptr_equal(target.route, &table->routes[rows[i].route]);
		for (const struct herald__upcast *link = target.upcast; link; link = link->next)
			links++;
		assert_int_equal(links, rows[i].links);
	}
	assert_null(herald__route_table_find(table, "order", "4").upcast);
	/* The upcasters are of another event type. */
	assert_int_equal(herald__route_table_find(table, "user", "2").status,
			 HERALD_UNKNOWN_VERSION);
	herald_service_destroy(service);
}

/* Each type twice, so that sorting and hashing both meet all of them. */
static void
test_ten_thousand_types(void **state)
{
	enum { TYPES = 10000, LINKS = 10000 };
	static char names[TYPES][16], versions[LINKS + 1][16];
	struct herald_route *routes = calloc(2 * TYPES + 1, sizeof(*routes));
	struct herald_upcaster *upcasters = calloc(LINKS, sizeof(*upcasters));

	(void)state;
	assert_non_null(routes);
	assert_non_null(upcasters);
	for (size_t i = 0; i < TYPES; i++) {
		snprintf(names[i], sizeof(names[i]), "type_%zu", (i * 7919) % TYPES);
		routes[i] = (struct herald_route)ROUTE(names[i], "1");
		routes[TYPES + i] = (struct herald_route)ROUTE(names[i], NULL);
	}
	routes[2 * TYPES] = (struct herald_route)ROUTE("order", "10000");
	for (size_t i = 0; i <= LINKS; i++)
		snprintf(versions[i], sizeof(versions[i]), "%zu", i);
	for (size_t i = 0; i < LINKS; i++)
		upcasters[i] = (struct herald_upcaster)UPCAST(versions[i], versions[i + 1]);

	struct herald_service *service = create(routes, 2 * TYPES + 1, upcasters, LINKS);
	free(routes);
	free(upcasters);
	for (size_t i = 0; i < TYPES; i++) {
		const struct herald__route_table *table = &service->table;

		assert_ptr_equal(herald__route_table_find(table, names[i], "1").route,
				 &table->routes[i]);
		assert_ptr_equal(herald__route_table_find(table, names[i], "2").route,
				 &table->routes[TYPES + i]);
		assert_ptr_equal(herald__route_table_find(table, "order", versions[i]).route,
				 &table->routes[2 * TYPES]);
	}
	assert_int_equal(service->codecs.payloads_count, 1);
	herald_service_destroy(service);
}

/* Mistakes. */

static void
test_version_patterns(void **state)
{
	static const struct {
		const char *version;
		bool valid;
	} rows[] = {
		{NULL, true},     {"", true},      {"1", true},      {"1.0", true},
		{"1.x", true},    {"1.2.x", true}, {"v1", true},     {"2024-08", true},
		{"xx", true},     {"1.xx", true},  {"1.X", true},    {"1x", true},
		{" ", true},      {".", true},     {"1.", true},     {"x", false},
		{".x", false},    {"x.1", false},  {"1.x.2", false}, {"x.x", false},
		{"1.x.x", false}, {"*", false},    {"1.*", false},   {"1*", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct herald_route routes[] = {ROUTE("a", NULL),
						      ROUTE("order", rows[i].version)};
		struct herald_service *service = NULL;
		struct herald_error error = {0};
		enum herald_status status = try_create(routes, 2, NULL, 0, &service, &error);

		if ((status == HERALD_OK) != rows[i].valid)
			fail_msg("\"%s\": %s", rows[i].version, herald_status_name(status));
		if (status != HERALD_OK) {
			assert_int_equal(status, HERALD_BAD_SCHEMA);
			assert_string_equal(error.path, "routes[1].version");
			assert_null(service);
		}
		herald_service_destroy(service);
	}
}

/* One mistake: what is added to two good routes and one good upcaster, and what is said about
 * it. */
struct mistake {
	struct herald_route route;
	struct herald_upcaster upcaster;
	enum herald_status status;
	const char *path;
	const char *said; /* part of the message */
};

static void
check_mistake(const struct mistake *mistake)
{
	struct herald_route routes[3] = {ROUTE("order", "3"), ROUTE("*", NULL), mistake->route};
	struct herald_upcaster upcasters[2] = {UPCAST("2", "3"), mistake->upcaster};
	size_t routes_count = mistake->route.schema || mistake->route.function ? 3 : 2;
	size_t upcasters_count = mistake->upcaster.event_type || mistake->upcaster.function ? 2 : 1;
	struct herald_service *service = NULL;
	struct herald_error error = {0};
	enum herald_status status =
		try_create(routes, routes_count, upcasters, upcasters_count, &service, &error);

	if (status != mistake->status || error.status != mistake->status ||
	    strcmp(error.path, mistake->path) != 0 || !strstr(error.message, mistake->said))
		fail_msg("expected %s: %s; got %s, %s: %s", mistake->path, mistake->said,
			 herald_status_name(status), error.path, error.message);
	assert_null(service);
	assert_true(error.offset == HERALD_NO_OFFSET);
	assert_int_equal(
		try_create(routes, routes_count, upcasters, upcasters_count, &service, NULL),
		mistake->status);
}

static void
test_bad_routes(void **state)
{
	static const struct mistake mistakes[] = {
		{ROUTE(NULL, NULL), {0}, HERALD_BAD_SCHEMA, "routes[2].event_type", "missing"},
		{ROUTE("", NULL), {0}, HERALD_BAD_SCHEMA, "routes[2].event_type", "missing"},
		{{.event_type = "a", .function = function},
		 {0},
		 HERALD_BAD_SCHEMA,
		 "routes[2].schema",
		 "missing"},
		{{.event_type = "a", .schema = &first_schema},
		 {0},
		 HERALD_BAD_SCHEMA,
		 "routes[2].function",
		 "missing"},
		{{.event_type = "a",
		  .schema = &first_schema,
		  .function = function,
		  .handlers_count = 1},
		 {0},
		 HERALD_BAD_OPTION,
		 "routes[2].handlers",
		 "handlers_count is 1"},
		{ROUTE("order", "3"), {0}, HERALD_BAD_SCHEMA, "routes[2]", "routes[0]"},
		{ROUTE("*", NULL), {0}, HERALD_BAD_SCHEMA, "routes[2].event_type", "routes[1]"},
		{ROUTE("*", "1"), {0}, HERALD_BAD_SCHEMA, "routes[2].version", "all versions"},
		{ROUTE("order", "2"), {0}, HERALD_BAD_SCHEMA, "upcasters[0].from", "routes[2]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++)
		check_mistake(&mistakes[i]);
}

static void
test_same_version_twice(void **state)
{
	static const char *const versions[] = {NULL, "", "1", "1.x", "1.2.x"};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		const struct herald_route routes[] = {
			ROUTE("b", versions[i]), ROUTE("a", versions[i]), ROUTE("c", versions[i]),
			ROUTE("a", versions[i])};
		struct herald_service *service;
		struct herald_error error;

		assert_int_equal(try_create(routes, COUNT(routes), NULL, 0, &service, &error),
				 HERALD_BAD_SCHEMA);
		assert_string_equal(error.path, "routes[3]");
		assert_non_null(strstr(error.message, "routes[1]"));
	}
}

/* From a struct first to a struct second. */
#define CONVERT(TYPE, FROM, TO, FROM_SCHEMA, TO_SCHEMA, FUNCTION)                                  \
	{                                                                                          \
		.event_type = (TYPE), .from = (FROM), .to = (TO), .from_schema = (FROM_SCHEMA),    \
		.to_schema = (TO_SCHEMA), .function = (FUNCTION)                                   \
	}

/* The same with nothing wrong but, perhaps, the type or a version. */
#define CONVERT_VERSIONS(TYPE, FROM, TO)                                                           \
	CONVERT(TYPE, FROM, TO, &first_schema, &second_schema, upcaster)

static void
test_bad_upcasters(void **state)
{
	static const struct mistake mistakes[] = {
		{{0},
		 CONVERT_VERSIONS(NULL, "1", "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].event_type",
		 "missing"},
		{{0},
		 CONVERT_VERSIONS("", "1", "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].event_type",
		 "missing"},
		{{0},
		 CONVERT_VERSIONS("*", "1", "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].event_type",
		 "not \"*\""},
		{{0},
		 CONVERT_VERSIONS("none", "1", "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "no route for version \"2\" of none"},
		{{0},
		 CONVERT_VERSIONS("order", NULL, "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].from",
		 "missing"},
		{{0},
		 CONVERT_VERSIONS("order", "1.x", "2"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].from",
		 "pattern"},
		{{0},
		 CONVERT_VERSIONS("order", "1", NULL),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "missing"},
		{{0},
		 CONVERT_VERSIONS("order", "1", "2.x"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "pattern"},
		{{0},
		 CONVERT_VERSIONS("order", "1", "*"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "pattern"},
		{{0},
		 CONVERT_VERSIONS("order", "1", "1"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "must differ from `from`"},
		{{0},
		 CONVERT("order", "1", "2", NULL, &second_schema, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].from_schema",
		 "missing"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, NULL, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "missing"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, &second_schema, NULL),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].function",
		 "missing"},
		{{0},
		 CONVERT_VERSIONS("order", "2", "3"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].from",
		 "upcasters[0] already takes version \"2\""},
		{{0},
		 CONVERT_VERSIONS("order", "3", "4"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].from",
		 "routes[0] already takes version \"3\""},
		{{0},
		 CONVERT_VERSIONS("order", "1", "5"),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to",
		 "no route for version \"5\" of order"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, &first_schema, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "not struct first"},
		{{0},
		 CONVERT("order", "1", "3", &first_schema, &first_schema, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "takes struct second"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, &second_again, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "the next step takes struct second, but by another schema; if both are the "
		 "same struct, use HERALD_SCHEMA_DECLARE in the header and HERALD_SCHEMA_DEFINE in "
		 "one file"},
		{{0},
		 CONVERT("order", "1", "3", &first_schema, &second_again, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "by another schema"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, &unnamed, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "the next step takes struct second, not struct ?"},
		{{0},
		 CONVERT("order", "1", "2", &first_schema, &third, upcaster),
		 HERALD_BAD_SCHEMA,
		 "upcasters[1].to_schema",
		 "not struct third"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++)
		check_mistake(&mistakes[i]);
}

static void
test_upcasters_in_a_circle(void **state)
{
	static const struct herald_route routes[] = {ROUTE("order", "9")};
	static const struct herald_upcaster upcasters[] = {
		UPCAST("8", "9"), UPCAST("1", "2"), UPCAST("2", "3"),
		UPCAST("3", "4"), UPCAST("4", "2"),
	};
	struct herald_service *service;
	struct herald_error error;

	(void)state;
	assert_int_equal(try_create(routes, 1, upcasters, COUNT(upcasters), &service, &error),
			 HERALD_BAD_SCHEMA);
	assert_string_equal(error.path, "upcasters[1]");
	assert_non_null(strstr(error.message, "circle"));
}

static void
test_arrays_that_are_too_long(void **state)
{
	static const struct herald_route routes[] = {ROUTE("order", "2")};
	static const struct herald_upcaster upcasters[] = {UPCAST("1", "2")};
	const struct {
		const struct herald_service_options options;
		const char *path;
	} rows[] = {
		{{.routes = routes, .routes_count = SIZE_MAX}, "routes"},
		{{HERALD_ROUTES(routes), .upcasters = upcasters,
		  .upcasters_count = SIZE_MAX / sizeof(struct herald_upcaster) + 2},
		 "upcasters"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_service_options options = rows[i].options;
		struct herald_service *service;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_service_create(&options, &service, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
	}
}

/* Tables of many sizes, so that each of their arrays is once the one that needs memory of its
 * own. */
static void
test_memory_that_fails_once(void **state)
{
	enum { MOST = 1024 };
	struct herald_route *routes = calloc(MOST, sizeof(*routes));
	struct herald_upcaster *upcasters = calloc(MOST, sizeof(*upcasters));
	char(*versions)[2][8] = calloc(MOST, sizeof(*versions));

	(void)state;
	assert_true(routes && upcasters && versions);
	for (size_t i = 0; i < MOST; i++) {
		snprintf(versions[i][0], sizeof(versions[i][0]), "%zu", i);
		snprintf(versions[i][1], sizeof(versions[i][1]), "old%zu", i);
		routes[i] = (struct herald_route)ROUTE("order", versions[i][0]);
		upcasters[i] = (struct herald_upcaster)UPCAST(versions[i][1], "0");
	}
	for (size_t count = 1; count <= MOST; count += 1 + count / 16) {
		struct failing_allocator memory = {.failures = 1};

		for (size_t n = 2; memory.failures > 0; n++) {
			struct herald__route_table table;
			struct herald_arena *arena;
			struct herald_error error = {0};

			failing_allocator_init(&memory, FAIL_ONLY, n);
			assert_int_equal(herald_arena_create(&memory.allocator, 0, &arena),
					 HERALD_OK);
			enum herald_status status = herald__route_table_init(
				&table, arena, routes, count, upcasters, MOST / count, &error);
			assert_int_equal(status,
					 memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
			assert_int_equal(error.status, status);
			herald_arena_destroy(arena);
			assert_all_released(&memory);
		}
	}
	free(routes);
	free(upcasters);
	free(versions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_exact_version_wins),
		cmocka_unit_test(test_events_that_no_route_takes),
		cmocka_unit_test(test_upcasters_lead_to_routes),
		cmocka_unit_test(test_ten_thousand_types),
		cmocka_unit_test(test_version_patterns),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_same_version_twice),
		cmocka_unit_test(test_bad_upcasters),
		cmocka_unit_test(test_upcasters_in_a_circle),
		cmocka_unit_test(test_arrays_that_are_too_long),
		cmocka_unit_test(test_memory_that_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
