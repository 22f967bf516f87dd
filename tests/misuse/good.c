/*
 * The control of the tests in this folder: every public macro of schema.h, message.h, route.h and
 * service.h, used as it is meant to be. It must compile, without a warning; the other files, each
 * with one mistake, must not.
 */
#include <herald/herald.h>

enum color { RED = 1, BLUE = -1 };
enum size { SMALL, LARGE };

static const struct herald_name colors[] = {{"red", RED}, {"blue", BLUE}};
static const struct herald_name sizes[] = {{"small", SMALL}, {"large", LARGE}};

struct line {
	const char *sku;
	int32_t quantity;
};

HERALD_SCHEMA(line,
	HERALD_FIELD(line, sku, .required = true, .min_bytes = 1, .max_bytes = 40),
	HERALD_FIELD(line, quantity, HERALD_RANGE(1, 999), .doc = "How many."));

/* Rules of a struct as a whole. */
struct span {
	int32_t from;
	int32_t to;
};

static bool
is_in_order(const struct span *span, struct herald_refusal *refusal)
{
	return span->from <= span->to || herald_refuse(refusal, "to", "is below %d", span->from);
}
HERALD_CHECK(is_in_order, span);

HERALD_SCHEMA_WITH(span, (.check = &is_in_order_check, .no_padding = true),
	HERALD_FIELD(span, from),
	HERALD_FIELD(span, to));

struct row {
	double *cells;
	size_t cells_count;
};

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells));

struct price {
	const char *name;
	int64_t cents;
};

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, name),
	HERALD_FIELD(price, cents, .required = true));

/* Tagged unions, with every form of a case. */
struct tagged {
	enum size kind;
	union {
		struct line line;
		const struct row *row;
		struct row *writable;
		const char *name;
		struct herald_json other;
	} body;
};

HERALD_SCHEMA(tagged,
	HERALD_ENUM(tagged, kind, sizes, .required = true, HERALD_UNKNOWN(SMALL)),
	HERALD_VARIANT(tagged, body, kind,
		HERALD_CASE("small", line),
		HERALD_CASE("large", writable, row),
		HERALD_CASE_OTHER(other)));

struct flat {
	const char *kind;
	union {
		struct line line;
		struct tagged tagged;
	} body;
};

HERALD_SCHEMA(flat,
	HERALD_FIELD(flat, kind, .key = "type", .required = true),
	HERALD_FLAT_VARIANT(flat, body, kind, HERALD_CASE("line", line)),
	HERALD_STRUCT(flat, body.tagged, tagged, HERALD_WHEN(kind, "tagged")));

struct behind {
	char kind[8];
	const void *body;
	const char *name;
};

HERALD_SCHEMA(behind,
	HERALD_FIELD(behind, kind, .required = true),
	HERALD_POINTER_VARIANT(behind, body, kind,
		HERALD_CASE("line", line),
		HERALD_CASE_OTHER(any, row)),
	HERALD_FIELD(behind, name, HERALD_WHEN_OTHER(kind)));

struct with_key {
	const char *kind;
	union {
		const char *name;
		const struct line *line;
	} body;
	void *at;
};

HERALD_SCHEMA(with_key,
	HERALD_FIELD(with_key, kind, .required = true),
	HERALD_VARIANT_WITH(with_key, body, kind, (.key = "b", .doc = "B."),
		HERALD_CASE("line", line),
		HERALD_CASE_FIELD("name", name)),
	HERALD_POINTER_VARIANT_WITH(with_key, at, kind, (.required = true, .key = "a"),
		HERALD_CASE("line", line)));

/* Every type that a member may have, constant or not. */
struct order {
	bool truth;
	signed char int8;
	short int16;
	int int32;
	long int64;
	long long also64;
	unsigned char uint8;
	unsigned short uint16;
	unsigned int uint32;
	unsigned long uint64;
	unsigned long long also_uint64;
	float real32;
	double real64;
	const char *string;
	char *writable;
	struct herald_text text;
	char chars[16];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	struct herald_json_map json_map;
	enum color color;
	enum size size;
	struct line line;
	const struct line *pointer;
	struct line *writable_pointer;
	const struct line *lines;
	size_t lines_count;
	struct line *more;
	size_t more_count;
	const struct order *next;
	const bool *truths;
	size_t truths_count;
	const int8_t *int8s;
	size_t int8s_count;
	const int16_t *int16s;
	size_t int16s_count;
	int32_t *int32s;
	size_t int32s_count;
	const int64_t *int64s;
	size_t int64s_count;
	const uint8_t *uint8s;
	size_t uint8s_count;
	const uint16_t *uint16s;
	size_t uint16s_count;
	const uint32_t *uint32s;
	size_t uint32s_count;
	const uint64_t *uint64s;
	size_t uint64s_count;
	const float *real32s;
	size_t real32s_count;
	double *real64s;
	size_t real64s_count;
	const char *const *strings;
	size_t strings_count;
	const char **also_strings;
	size_t also_strings_count;
	char **writable_strings;
	size_t writable_strings_count;
	const struct herald_text *texts;
	size_t texts_count;
	const struct herald_time *times;
	size_t times_count;
	const struct herald_json *jsons;
	size_t jsons_count;
	bool has_maybe;
	int64_t maybe;
	bool has_name;
	char name[8];
	void *own;
	volatile int state[3];
	int64_t id;
	bool flag;
	struct herald_time created;
	struct herald_time updated;
	enum color shade;
	bool has_tint;
	enum size tint;
	const enum color *colors;
	size_t colors_count;
	enum size *sizes;
	size_t sizes_count;
	double xy[2];
	const char *names[2];
	char *writable_names[2];
	bool has_z;
	float z[1];
	struct line two[2];
	struct row *rows;
	size_t rows_count;
	const struct price *prices;
	size_t prices_count;
	const char *const *holes;
	size_t holes_count;
};

HERALD_SCHEMA_WITH(order, (.reject_unknown = true, .doc = "An order."),
	HERALD_FIELD(order, truth),
	HERALD_FIELD(order, int8, HERALD_MIN(-1)),
	HERALD_FIELD(order, int16, HERALD_MAX(INT16_MAX)),
	HERALD_FIELD(order, int32),
	HERALD_FIELD(order, int64),
	HERALD_FIELD(order, also64),
	HERALD_FIELD(order, uint8),
	HERALD_FIELD(order, uint16),
	HERALD_FIELD(order, uint32),
	HERALD_FIELD(order, uint64),
	HERALD_FIELD(order, also_uint64, HERALD_MAX(UINT64_MAX)),
	HERALD_FIELD(order, real32),
	HERALD_FIELD(order, real64, HERALD_RANGE(-0.5, 1e300)),
	HERALD_FIELD(order, string, .key = "theString", HERALD_ONE_OF("a", "b")),
	HERALD_FIELD(order, writable),
	HERALD_FIELD(order, text),
	HERALD_FIELD(order, chars),
	HERALD_FIELD(order, time),
	HERALD_FIELD(order, json),
	HERALD_FIELD(order, map, .max_count = 3),
	HERALD_FIELD(order, json_map),
	HERALD_ENUM(order, color, colors),
	HERALD_ENUM(order, size, sizes, .required = true),
	HERALD_STRUCT(order, line, line),
	HERALD_POINTER(order, pointer, line),
	HERALD_POINTER(order, writable_pointer, line, .required = true),
	HERALD_LIST(order, lines, line, .min_count = 1),
	HERALD_LIST(order, more, line),
	HERALD_POINTER(order, next, order),
	HERALD_VALUES(order, truths),
	HERALD_VALUES(order, int8s),
	HERALD_VALUES(order, int16s),
	HERALD_VALUES(order, int32s, HERALD_RANGE(0, 9), .max_count = 3),
	HERALD_VALUES(order, int64s),
	HERALD_VALUES(order, uint8s),
	HERALD_VALUES(order, uint16s),
	HERALD_VALUES(order, uint32s),
	HERALD_VALUES(order, uint64s),
	HERALD_VALUES(order, real32s),
	HERALD_VALUES(order, real64s),
	HERALD_VALUES(order, strings),
	HERALD_VALUES(order, also_strings),
	HERALD_VALUES(order, writable_strings),
	HERALD_VALUES(order, texts),
	HERALD_VALUES(order, times),
	HERALD_VALUES(order, jsons),
	HERALD_OPTIONAL(order, maybe),
	HERALD_OPTIONAL(order, name, .max_bytes = 7),
	HERALD_PRIVATE(order, own),
	HERALD_PRIVATE(order, state),
	HERALD_FIELD(order, id, .quoted = true, .lenient = true),
	HERALD_FIELD(order, flag, .numeric = true),
	HERALD_FIELD(order, created, .epoch = HERALD_EPOCH_MILLISECONDS),
	HERALD_FIELD(order, updated, .lenient = true),
	HERALD_ENUM(order, shade, colors, .numeric = true, HERALD_UNKNOWN(RED)),
	HERALD_OPTIONAL_ENUM(order, tint, sizes, .doc = "Missing is not small."),
	HERALD_ENUMS(order, colors, colors, .max_count = 3),
	HERALD_ENUMS(order, sizes, sizes),
	HERALD_ARRAY(order, xy, HERALD_RANGE(-180, 180)),
	HERALD_ARRAY(order, names),
	HERALD_ARRAY(order, writable_names, .nullable = true),
	HERALD_OPTIONAL_ARRAY(order, z),
	HERALD_STRUCT_ARRAY(order, two, line),
	HERALD_LIST(order, rows, row),
	HERALD_MAP(order, prices, price, .max_count = 9),
	HERALD_VALUES(order, holes, .nullable = true));

/* One schema for several files. */
struct shared {
	int number_by_name;
	struct shared *next;
};

HERALD_SCHEMA_DECLARE(shared);
HERALD_SCHEMA_DEFINE(shared,
	HERALD_ENUM(shared, number_by_name, sizes),
	HERALD_POINTER(shared, next, shared));

struct also_shared {
	struct shared shared;
};

HERALD_SCHEMA_DECLARE(also_shared);
HERALD_SCHEMA_DEFINE_WITH(also_shared, (.doc = "With options."),
	HERALD_STRUCT(also_shared, shared, shared));

struct my_message {
	struct herald_message message;
	const char *tenant;
};

HERALD_SCHEMA(my_message,
	HERALD_MESSAGE_FIELDS(my_message, message),
	HERALD_FIELD(my_message, tenant));

struct shop {
	int orders;
};

static enum herald_verdict
on_order(struct herald_context *ctx, const struct order *order, struct shop *shop)
{
	shop->orders++;
	if (order->truth)
		return herald_retry(ctx, "busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order, order, shop);

static enum herald_verdict
on_line(struct herald_context *ctx, const struct line *line, struct shop *shop)
{
	(void)shop;
	return line->quantity > 1 ? herald_fail(ctx, "%d", (int)line->quantity) : HERALD_DONE;
}
HERALD_FUNCTION(on_line, line, shop);

static enum herald_verdict
on_line_alone(struct herald_context *ctx, const struct line *line)
{
	return line->quantity > 1 ? herald_fail(ctx, "%d", (int)line->quantity) : HERALD_DONE;
}
HERALD_FUNCTION(on_line_alone, line);

static enum herald_verdict
line_to_order(struct herald_context *ctx, const struct line *from, struct order *to)
{
	(void)ctx;
	to->line = *from;
	return HERALD_DONE;
}
HERALD_UPCASTER(line_to_order, line, order);

static struct shop the_shop;

static const struct herald_handler_ops ops = {.struct_size = sizeof(ops), .name = "handler"};
static struct herald_handler handler = {.ops = &ops};
static struct herald_handler *const handlers[] = {&handler};

static const struct herald_route routes[] = {
	HERALD_ROUTE("order", order, on_order, &the_shop, .version = "2", .doc = "Orders."),
	HERALD_ROUTE("order", order, on_order, &the_shop, HERALD_HANDLERS(handlers),
		     .version = "3"),
	HERALD_ROUTE("line", line, on_line, NULL),
	HERALD_ROUTE("alone", line, on_line_alone, NULL),
	HERALD_ROUTE("alone", line, on_line_alone, NULL, .version = "2", .doc = "Lines."),
	HERALD_ROUTE(HERALD_ANY_TYPE, line, on_line, (void *)&the_shop),
};

static const struct herald_upcaster upcasters[] = {
	HERALD_UPCAST("order", "1", line, "2", order, line_to_order),
};

int
main(void)
{
	struct herald_service *service = NULL;
	struct herald_error error;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_UPCASTERS(upcasters),
					HERALD_HANDLERS(handlers), .envelope = &my_message_schema),
		&service, &error);

	if (status == HERALD_OK)
		herald_service_destroy(service);
	return status != HERALD_OK;
}
