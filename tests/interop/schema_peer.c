/*
 * Exports schemas, and decodes documents by them: json_schema.py compares what a validator of JSON
 * Schema thinks of the same documents.
 *
 *	schema_peer schema NAME 2020-12|draft-07   prints the schema
 *	schema_peer asyncapi                       prints a service with all kinds of routes
 *	schema_peer decode NAME                    prints "HERALD_OK" for each line of the input, or
 *	                                           its error: status, path and message, between tabs
 *
 * NAME is every_kind, which has every kind and option and nearly nothing required, or demanding,
 * which has the options that exclude each other there; or a payload that is not an object: level,
 * a number, word, a string or null, grid, lists in a list, and prices, a map; or a table that is
 * drawn at random: random_17, where 17 is the seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/asyncapi.h>
#include <herald/cloudevents.h>
#include <herald/codec.h>
#include <herald/json_schema.h>
#include <herald/service.h>

#include "support/every_kind.h"
#include "support/random_table.h"

enum grade { GRADE_NONE, GRADE_GOOD, GRADE_BAD };

static const struct herald_name grades[] = {
	{"none", GRADE_NONE},
	{"good", GRADE_GOOD},
	{"bad", GRADE_BAD},
};

struct inner {
	int32_t number;
	const struct inner *next;
};

struct demanding {
	bool truth;
	struct herald_json json;
	struct herald_map map;
	struct herald_json_map json_map;
	enum grade grade;
	struct inner inner;
	const struct inner *pointer;
	const struct inner *list;
	size_t list_count;
	const struct demanding *again;
	char chars[4];
	char size[4];
	const char *single;
	struct herald_text wide;
	int64_t least;
	uint64_t most;
	double above;
	float below;
	uint8_t loose_quoted;
	uint32_t quoted_natural;
	bool loose_bit;
	enum grade any_number;
	enum grade any_quoted;
	enum grade loose_grade;
	struct herald_time loose_epoch;
	struct herald_time quoted_milliseconds;
	struct herald_time any_seconds;
};

HERALD_SCHEMA_WITH(inner, (.reject_unknown = true, .doc = "One of a chain."),
	HERALD_FIELD(inner, number, .required = true, HERALD_RANGE(-5, 5)),
	HERALD_POINTER(inner, next, inner, .doc = "The next one."));

HERALD_SCHEMA_WITH(demanding, (.reject_unknown = true),
	HERALD_FIELD(demanding, truth, .required = true),
	HERALD_FIELD(demanding, json, .required = true),
	HERALD_FIELD(demanding, map, .required = true, .max_count = 3),
	HERALD_FIELD(demanding, json_map, .required = true),
	HERALD_ENUM(demanding, grade, grades, .required = true),
	HERALD_STRUCT(demanding, inner, inner, .required = true, .doc = "A struct within."),
	HERALD_POINTER(demanding, pointer, inner, .required = true),
	HERALD_LIST(demanding, list, inner, .required = true),
	HERALD_POINTER(demanding, again, demanding),
	HERALD_FIELD(demanding, chars, .min_bytes = 2),
	HERALD_FIELD(demanding, size, HERALD_ONE_OF("s", "xl", "\xC3\xA4\xC3\xB6\xC3\xBC")),
	HERALD_FIELD(demanding, single, .min_bytes = 1, .max_bytes = 1),
	HERALD_FIELD(demanding, wide, .min_bytes = 5),
	HERALD_FIELD(demanding, least, HERALD_MIN(INT64_MIN + 1)),
	HERALD_FIELD(demanding, most, HERALD_MAX(9007199254740993)),
	HERALD_FIELD(demanding, above, HERALD_MIN(0)),
	HERALD_FIELD(demanding, below, HERALD_MAX(16777217)),
	HERALD_FIELD(demanding, loose_quoted, .quoted = true, .lenient = true),
	HERALD_FIELD(demanding, quoted_natural, .quoted = true),
	HERALD_FIELD(demanding, loose_bit, .numeric = true, .quoted = true, .lenient = true),
	HERALD_ENUM(demanding, any_number, grades, .numeric = true, HERALD_UNKNOWN(GRADE_NONE)),
	HERALD_ENUM(demanding, any_quoted, grades, .numeric = true, .quoted = true,
		    HERALD_UNKNOWN(GRADE_NONE)),
	HERALD_ENUM(demanding, loose_grade, grades, .numeric = true, .quoted = true,
		    .lenient = true),
	HERALD_FIELD(demanding, loose_epoch, .epoch = HERALD_EPOCH_SECONDS, .quoted = true,
		     .lenient = true),
	HERALD_FIELD(demanding, quoted_milliseconds, .epoch = HERALD_EPOCH_MILLISECONDS,
		     .quoted = true),
	HERALD_FIELD(demanding, any_seconds, .epoch = HERALD_EPOCH_SECONDS, .lenient = true));

struct level {
	int32_t number;
};

HERALD_SCHEMA_WITH(level, (.transparent = true),
	HERALD_FIELD(level, number, .required = true, HERALD_RANGE(-5, 200)));

struct word {
	enum grade grade;
};

HERALD_SCHEMA_WITH(word, (.transparent = true), HERALD_ENUM(word, grade, grades));

struct row {
	const int16_t *cells;
	size_t cells_count;
};

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells, .max_count = 3));

struct grid {
	const struct row *rows;
	size_t rows_count;
};

HERALD_SCHEMA_WITH(grid, (.transparent = true),
	HERALD_LIST(grid, rows, row, .required = true, .min_count = 1));

struct price {
	const char *sku;
	uint16_t cents;
	const struct inner *inner;
};

HERALD_SCHEMA_WITH(price, (.reject_unknown = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents, .required = true),
	HERALD_POINTER(price, inner, inner));

struct prices {
	const struct price *prices;
	size_t prices_count;
};

HERALD_SCHEMA_WITH(prices, (.transparent = true),
	HERALD_MAP(prices, prices, price, .max_count = 2));

/* NULL when out of memory. The arena lives as long as the process. */
static const struct herald_schema *
draw_schema(const char *seed)
{
	static const bool refuses;
	static struct herald_arena *arena;
	struct every_random random = {strtoull(seed, NULL, 10)};

	if (herald_arena_create(NULL, (size_t)8 << 20, &arena) != HERALD_OK)
		return NULL;
	return random_table(&random, arena, &refuses);
}

static const struct herald_schema *
find_schema(const char *name)
{
	static const char random[] = "random_";
	const struct herald_schema *const schemas[] = {
		&demanding_schema, &level_schema, &word_schema, &grid_schema, &prices_schema,
	};

	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		if (strcmp(schemas[i]->name, name) == 0)
			return schemas[i];
	if (strncmp(name, random, strlen(random)) == 0)
		return draw_schema(name + strlen(random));
	return strcmp(name, "every_kind") == 0 ? every_kind_table : NULL;
}

static int
print_schema(const struct herald_schema *schema, const char *draft)
{
	struct herald_json_schema_options options =
		HERALD_JSON_SCHEMA_OPTIONS(.draft = strcmp(draft, "draft-07") == 0
							    ? HERALD_JSON_SCHEMA_DRAFT_07
							    : HERALD_JSON_SCHEMA_2020_12,
					   .id = "https://example.com/schema", .indent = 2);
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	if (herald_schema_json(schema, &options, &out, &error) != HERALD_OK) {
		herald_error_print(stderr, "schema_peer", &error);
		return 1;
	}
	printf("%.*s\n", (int)out.bytes, out.data);
	herald_buffer_finish(&out);
	return 0;
}

static enum herald_verdict
ignore(struct herald_context *ctx, const void *payload, void *state)
{
	(void)ctx;
	(void)payload;
	(void)state;
	return HERALD_DONE;
}

static int
print_service(void)
{
	static const struct herald_format *const formats[] = {&herald_format_cloudevents,
							      &herald_format_envelope};
	const struct herald_route routes[] = {
		{"every", every_kind_table, ignore, .version = "2", .doc = "Every \"kind\"."},
		{"every", &demanding_schema, ignore, .version = "1.x"},
		{"every", &inner_schema, ignore, .version = ""},
		{"shop/any type", &herald_data_schema, ignore, .doc = NULL},
		{HERALD_ANY_TYPE, &herald_json_schema, ignore, .doc = NULL},
	};
	struct herald_asyncapi_options options =
		HERALD_ASYNCAPI_OPTIONS(.title = "Shop", .description = "Sells.",
					.host = "shop.example:8080", .protocol = "https",
					.indent = 2);
	struct herald_service *service = NULL;
	struct herald_buffer out;
	struct herald_error error;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
					.type_from = "/payload/a~1kind"),
		&service, &error);

	herald_buffer_init(&out, NULL, 0);
	if (status == HERALD_OK)
		status = herald_service_asyncapi(service, &options, &out, &error);
	if (status == HERALD_OK)
		printf("%.*s\n", (int)out.bytes, out.data);
	else
		herald_error_print(stderr, "schema_peer", &error);
	herald_buffer_finish(&out);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}

static void
decode_lines(const struct herald_codec *codec, struct herald_arena *arena, void *out)
{
	struct herald_error error;
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes;

	while ((bytes = getline(&line, &room, stdin)) > 0) {
		herald_arena_reset(arena);
		if (herald_codec_decode(codec, line, (size_t)bytes - 1, arena, out, &error) ==
		    HERALD_OK)
			puts("HERALD_OK");
		else
			printf("%s\t%s\t%s\n", herald_status_name(error.status), error.path,
			       error.message);
	}
	free(line);
}

static int
decode(const struct herald_schema *schema)
{
	struct herald_codec *codec = NULL;
	struct herald_arena *arena = NULL;
	struct herald_error error;
	void *out = malloc(schema->bytes);
	bool ready = out && herald_codec_create(schema, NULL, NULL, &codec, &error) == HERALD_OK &&
		     herald_arena_create(NULL, 0, &arena) == HERALD_OK;

	if (ready)
		decode_lines(codec, arena, out);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	free(out);
	return ready ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "asyncapi") == 0)
		return print_service();
	if (argc < 3) {
		fprintf(stderr, "usage: schema_peer schema NAME DRAFT | asyncapi | decode NAME\n");
		return 2;
	}

	const struct herald_schema *schema = find_schema(argv[2]);
	if (!schema) {
		fprintf(stderr, "schema_peer: no schema %s\n", argv[2]);
		return 2;
	}
	return argc > 3 ? print_schema(schema, argv[3]) : decode(schema);
}
