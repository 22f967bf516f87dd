/*
 * Payloads that are not objects: an array, a number, a string, a boolean, a map. The members of the
 * envelope come in any order, so that the payload is decoded within its envelope or later; errors
 * have the same place both times. An answer and raw JSON have such schemas, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/herald.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

struct row {
	const int64_t *cells;
	size_t cells_count;
};

struct grid {
	const struct row *rows;
	size_t rows_count;
};

struct number {
	bool has_value;
	int64_t value;
};

struct word {
	const char *text;
};

struct price {
	const char *sku;
	int64_t cents;
};

struct prices {
	const struct price *all;
	size_t all_count;
};

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells));

HERALD_SCHEMA_WITH(grid, (.transparent = true), HERALD_LIST(grid, rows, row));

HERALD_SCHEMA_WITH(number, (.transparent = true),
	HERALD_OPTIONAL(number, value, HERALD_RANGE(-100, 100)));

HERALD_SCHEMA_WITH(word, (.transparent = true), HERALD_FIELD(word, text, .required = true));

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents));

HERALD_SCHEMA_WITH(prices, (.transparent = true), HERALD_MAP(prices, all, price));

/* Raw JSON, and raw JSON in a struct: they refer to the text of the payload. */
struct raw {
	struct herald_json json;
};

struct nested {
	struct raw raw;
};

HERALD_SCHEMA_WITH(raw, (.transparent = true), HERALD_FIELD(raw, json));

HERALD_SCHEMA_WITH(nested, (.transparent = true), HERALD_STRUCT(nested, raw, raw));

static enum herald_verdict
on_grid(struct herald_context *ctx, const struct grid *grid)
{
	return herald_done_json(ctx, 200, &grid_schema, grid);
}
HERALD_FUNCTION(on_grid, grid);

static enum herald_verdict
on_number(struct herald_context *ctx, const struct number *number)
{
	return herald_done_json(ctx, 200, &number_schema, number);
}
HERALD_FUNCTION(on_number, number);

static enum herald_verdict
on_word(struct herald_context *ctx, const struct word *word)
{
	return herald_done_json(ctx, 200, &word_schema, word);
}
HERALD_FUNCTION(on_word, word);

static enum herald_verdict
on_prices(struct herald_context *ctx, const struct prices *prices)
{
	return herald_done_json(ctx, 200, &prices_schema, prices);
}
HERALD_FUNCTION(on_prices, prices);

/* Decode the raw JSON as a grid. */
static enum herald_verdict
on_raw(struct herald_context *ctx, const struct herald_json *json)
{
	struct herald_error error;
	struct grid grid;

	if (herald_context_decode(ctx, &grid_schema, json, &grid, &error) != HERALD_OK)
		return herald_fail(ctx, "%s, byte %zu", error.path, error.offset);
	return herald_done_json(ctx, 200, &grid_schema, &grid);
}
HERALD_FUNCTION(on_raw, herald_json);

/* The text of the event, which is on the stack. */
static const char *event_text;

/* Whether JSON is not in the stack frame of a function that has returned: below the event. */
static bool
is_alive(const struct herald_json *json)
{
	uintptr_t at = (uintptr_t)json->data, event = (uintptr_t)event_text;

	return at >= event || event - at > 1024 * 1024;
}

static enum herald_verdict
on_raw_value(struct herald_context *ctx, const struct raw *raw)
{
	if (!is_alive(&raw->json))
		return herald_fail(ctx, "the payload is in a dead stack frame");
	return herald_done_json(ctx, 200, &raw_schema, raw);
}
HERALD_FUNCTION(on_raw_value, raw);

static enum herald_verdict
on_nested(struct herald_context *ctx, const struct nested *nested)
{
	if (!is_alive(&nested->raw.json))
		return herald_fail(ctx, "the payload is in a dead stack frame");
	return herald_done_json(ctx, 200, &nested_schema, nested);
}
HERALD_FUNCTION(on_nested, nested);

static const struct herald_route routes[] = {
	HERALD_ROUTE("raw value", raw, on_raw_value, NULL),
	HERALD_ROUTE("nested", nested, on_nested, NULL),
	HERALD_ROUTE("grid", grid, on_grid, NULL),
	HERALD_ROUTE("number", number, on_number, NULL),
	HERALD_ROUTE("word", word, on_word, NULL),
	HERALD_ROUTE("prices", prices, on_prices, NULL),
	HERALD_ROUTE("raw", herald_json, on_raw, NULL),
};

#define TIME "\"timestamp\":\"2024-08-20T05:21:19Z\""

/* The payload in the middle, at the end and at the beginning of its event. */
static const struct {
	const char *before, *after;
} places[] = {
	{"{\"event_type\":\"%s\",\"payload\":", "," TIME "}"},
	{"{" TIME ",\"event_type\":\"%s\",\"payload\": ", "\n}"},
	{"{\"payload\":", "," TIME ",\"event_type\":\"%s\"}"},
	{"{ \"payload\" :\t", " ," TIME ",\"metadata\":{\"a\":\"}\"},\"event_type\":\"%s\"}"},
};

/* With an '@', which is before the byte of the error, the payload is refused. */
static const struct {
	const char *type, *payload;
	enum herald_status status;
	const char *path;
} cases[] = {
	{"grid", "[[1,2],[],null,[-3]]", HERALD_OK, ""},
	{"grid", "[]", HERALD_OK, ""},
	{"grid", "null", HERALD_OK, ""},
	{"grid", "[[1],[@\"2\"]]", HERALD_BAD_TYPE, "/payload/1/0"},
	{"grid", "[[1],@2]", HERALD_BAD_TYPE, "/payload/1"},
	{"grid", "@{}", HERALD_BAD_TYPE, "/payload"},
	{"grid", "@12", HERALD_BAD_TYPE, "/payload"},
	{"number", "12", HERALD_OK, ""},
	{"number", "-100", HERALD_OK, ""},
	{"number", "null", HERALD_OK, ""},
	{"number", "@101", HERALD_OUT_OF_RANGE, "/payload"},
	{"number", "@1.5", HERALD_BAD_TYPE, "/payload"},
	{"number", "@[1]", HERALD_BAD_TYPE, "/payload"},
	{"word", "\"plain\"", HERALD_OK, ""},
	{"word", "\"a\\n\\\"}\"", HERALD_OK, ""},
	{"word", "@true", HERALD_BAD_TYPE, "/payload"},
	{"word", "@null", HERALD_MISSING, "/payload"},
	{"word", "\"a@\\u0000\"", HERALD_BAD_VALUE, "/payload"},
	{"prices", "{\"b\":2,\"a\":1}", HERALD_OK, ""},
	{"prices", "{\"b\":2,@\"b\":1}", HERALD_DUPLICATE, "/payload/b"},
	{"raw", "[[1],[2,3]]", HERALD_OK, ""},
	{"raw value", "[[1],{}]", HERALD_OK, ""},
	{"raw value", "{\"a\":1}", HERALD_OK, ""},
	{"raw value", "12", HERALD_OK, ""},
	{"raw value", "null", HERALD_OK, ""},
	{"nested", "[\"\"]", HERALD_OK, ""},
	{"nested", "null", HERALD_OK, ""},
};

/* The text of the last answer. */
static char answered[200];

static void
take_answer(const struct herald_answer *answer, void *state)
{
	(void)state;
	snprintf(answered, sizeof(answered), "%.*s", (int)answer->body_bytes,
		 (const char *)answer->body);
}

static void
handle(struct herald_service *service, const char *type, const char *payload, size_t place,
       struct herald_result *result)
{
	char event[400];
	int bytes = snprintf(event, sizeof(event), places[place].before, type);

	bytes += snprintf(event + bytes, sizeof(event) - (size_t)bytes, "%s", payload);
	snprintf(event + bytes, sizeof(event) - (size_t)bytes, places[place].after, type);
	event_text = event;
	answered[0] = '\0';
	herald_service_handle_with(service, event, strlen(event),
				   &HERALD_ARRIVAL(.answer = take_answer), result);
}

static void
expect(struct herald_service *service, size_t i, size_t place)
{
	const char *payload = cases[i].payload, *mark = strchr(payload, '@');
	char text[100];
	struct herald_result result;

	snprintf(text, sizeof(text), "%.*s%s", (int)(mark ? mark - payload : 0), payload,
		 mark ? mark + 1 : payload);
	handle(service, cases[i].type, text, place, &result);
	if (result.status != cases[i].status || strcmp(result.error.path, cases[i].path) != 0)
		fail_msg("%s, place %zu: %s: %s", payload, place, result.error.path,
			 result.error.message);
	if (!mark) {
		assert_string_equal(answered, text);
		return;
	}
	int before = snprintf(NULL, 0, places[place].before, cases[i].type);
	assert_int_equal(result.error.offset, before + (mark - payload));
}

static void
payloads_are_any_value(void **state)
{
	struct herald_service *service = NULL;
	struct herald_error error;

	(void)state;
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t place = 0; place < COUNT(places); place++)
			expect(service, i, place);
	herald_service_destroy(service);
}

/* A payload that is missing is null, and stays so while the function runs. */
static void
missing_payloads_are_null(void **state)
{
	static const char *const types[] = {"grid", "number", "raw value", "nested"};
	struct herald_service *service = NULL;
	struct herald_error error;

	(void)state;
	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	for (size_t i = 0; i < COUNT(types); i++) {
		char event[100];
		struct herald_result result;

		snprintf(event, sizeof(event), "{\"event_type\":\"%s\"," TIME "}", types[i]);
		event_text = event;
		answered[0] = '\0';
		herald_service_handle_with(service, event, strlen(event),
					   &HERALD_ARRIVAL(.answer = take_answer), &result);
		assert_int_equal(result.status, HERALD_OK);
		assert_string_equal(answered, "null");
	}
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payloads_are_any_value),
		cmocka_unit_test(missing_payloads_are_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
