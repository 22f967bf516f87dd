/*
 * Fuzzes unions, maps, lists of lists, fixed arrays, enums and numbers in other forms: a document
 * decodes exactly if a second reader, on top of jansson, finds that it fits, and then has the same
 * values. The second reader knows the schemas below by heart; it uses nothing of the codec.
 *
 * All schemas reject unknown members, so that a duplicate member is an error to both. Not compared:
 *
 * - Documents that Herald refuses with HERALD_LIMIT.
 * - Numbers that jansson cannot hold (json_error_numeric_overflow), and documents with a NUL byte,
 *   which jansson 2.14 loses after a number. See differential.c.
 * - Whether a real is accepted for an integer or a time, if the double may not be what the digits
 *   say: see is_inexact().
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <herald/codec.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

enum size { SIZE_SMALL = 1, SIZE_LARGE = 5, SIZE_OTHER = -3 };

static const struct herald_name sizes[] = {
	{"small", SIZE_SMALL}, {"large", SIZE_LARGE}, {"other", SIZE_OTHER}};

struct circle {
	int32_t radius;
	const char *name;
};

struct node {
	const struct node *next;
	bool flag;
};

struct row {
	const int32_t *cells;
	size_t cells_count;
};

struct price {
	const char *sku;
	uint16_t cents;
};

struct person {
	const char *key;
	int8_t age;
};

/* A member of a map that is a list. */
struct series {
	const char *name;
	const int32_t *cells;
	size_t cells_count;
};

/* Its members are in the object of the struct that it is in. */
struct span {
	int32_t from, to;
};

/* The tag is an enum; the union has a key of its own. */
struct shape {
	enum size kind;
	union {
		struct circle circle;
		const struct node *node;
	} body;
};

/* The tag is a string; the members of the union are next to it. */
struct notice {
	const char *type;
	union {
		struct circle circle;
		struct node node;
	} data;
};

/* Any other tag has a text. */
struct open {
	const char *type;
	union {
		struct node node;
		bool truth;
		struct herald_text text;
	} data;
	bool has_note;
	int8_t note;
};

struct pointed {
	enum size op;
	const void *at;
};

struct kinds {
	struct shape shape;
	const struct notice *notices;
	size_t notices_count;
	const struct open *opens;
	size_t opens_count;
	const struct pointed *pointed;
	const struct price *prices;
	size_t prices_count;
	const struct person *people;
	size_t people_count;
	const struct series *series;
	size_t series_count;
	struct span span;
	const struct row *rows;
	size_t rows_count;
	int16_t pair[2];
	struct node nodes[2];
	const char *const *holes;
	size_t holes_count;
	const enum size *sizes;
	size_t sizes_count;
	enum size unknown;
	enum size number;
	bool has_maybe;
	enum size maybe;
	int32_t quoted;
	int32_t loose;
	int32_t loose_quoted;
	bool bit;
	bool loose_bit;
	struct herald_time epoch;
};

HERALD_SCHEMA_WITH(circle, (.reject_unknown = true),
	HERALD_FIELD(circle, radius, .required = true, HERALD_RANGE(-9, 99)),
	HERALD_FIELD(circle, name));

HERALD_SCHEMA_WITH(node, (.reject_unknown = true),
	HERALD_POINTER(node, next, node),
	HERALD_FIELD(node, flag));

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells, .max_count = 5));

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents, .required = true));

HERALD_SCHEMA_WITH(person, (.reject_unknown = true),
	HERALD_KEY(person, key),
	HERALD_FIELD(person, age));

HERALD_SCHEMA_WITH(series, (.transparent = true),
	HERALD_KEY(series, name),
	HERALD_VALUES(series, cells, .min_count = 1));

HERALD_SCHEMA_WITH(span, (.reject_unknown = true),
	HERALD_FIELD(span, from),
	HERALD_FIELD(span, to, HERALD_MAX(0)));

HERALD_SCHEMA_WITH(shape, (.reject_unknown = true),
	HERALD_ENUM(shape, kind, sizes, .required = true),
	HERALD_VARIANT(shape, body, kind,
		HERALD_CASE("small", circle),
		HERALD_CASE("large", node)));

HERALD_SCHEMA_WITH(notice, (.reject_unknown = true),
	HERALD_FIELD(notice, type, .required = true),
	HERALD_FLAT_VARIANT(notice, data, type,
		HERALD_CASE("circle", circle),
		HERALD_CASE("n\"", node)));

HERALD_SCHEMA_WITH(open, (.reject_unknown = true),
	HERALD_VARIANT(open, data, type,
		HERALD_CASE("node", node),
		HERALD_CASE_FIELD("truth", truth),
		HERALD_CASE_OTHER(text)),
	HERALD_OPTIONAL(open, note, HERALD_WHEN(type, "truth")),
	HERALD_FIELD(open, type, .required = true));

HERALD_SCHEMA_WITH(pointed, (.reject_unknown = true),
	HERALD_POINTER_VARIANT(pointed, at, op,
		HERALD_CASE("small", circle),
		HERALD_CASE("other", node)),
	HERALD_ENUM(pointed, op, sizes, .required = true, .numeric = true));

HERALD_SCHEMA_WITH(kinds, (.reject_unknown = true),
	HERALD_STRUCT(kinds, shape, shape),
	HERALD_LIST(kinds, notices, notice),
	HERALD_LIST(kinds, opens, open),
	HERALD_POINTER(kinds, pointed, pointed),
	HERALD_MAP(kinds, prices, price, .max_count = 20),
	HERALD_MAP(kinds, people, person),
	HERALD_MAP(kinds, series, series),
	HERALD_STRUCT(kinds, span, span, .flat = true),
	HERALD_LIST(kinds, rows, row),
	HERALD_ARRAY(kinds, pair),
	HERALD_STRUCT_ARRAY(kinds, nodes, node),
	HERALD_VALUES(kinds, holes, .nullable = true, .max_bytes = 6),
	HERALD_ENUMS(kinds, sizes, sizes),
	HERALD_ENUM(kinds, unknown, sizes, HERALD_UNKNOWN(SIZE_OTHER)),
	HERALD_ENUM(kinds, number, sizes, .numeric = true, HERALD_UNKNOWN(SIZE_LARGE)),
	HERALD_OPTIONAL_ENUM(kinds, maybe, sizes),
	HERALD_FIELD(kinds, quoted, .quoted = true),
	HERALD_FIELD(kinds, loose, .lenient = true),
	HERALD_FIELD(kinds, loose_quoted, .quoted = true, .lenient = true),
	HERALD_FIELD(kinds, bit, .numeric = true),
	HERALD_FIELD(kinds, loose_bit, .lenient = true),
	HERALD_FIELD(kinds, epoch, .epoch = HERALD_EPOCH_SECONDS));

static struct herald_codec *strict_codec, *replacing_codec;
static struct herald_arena *arena;

/* Whether a real was read whose digits are needed to tell whether it fits. */
static bool uncertain;

/*
 * The functions below say whether a value fits. If `out` is not NULL, Herald has accepted the
 * document, and `out` must have the value. A value that is missing or null is NULL.
 */

static const json_t *
get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

/* Whether all members of an object are in a list that ends with NULL. */
static bool
has_only(const json_t *object, const char *const *keys)
{
	size_t known = 0;

	for (; *keys; keys++)
		known += json_object_get(object, *keys) != NULL;
	return json_is_object(object) && json_object_size(object) == known;
}

#define HAS_ONLY(OBJECT, ...) has_only(OBJECT, (const char *const[]){__VA_ARGS__, NULL})

static bool
fits_integer(const json_t *json, int64_t least, int64_t most, int64_t value, bool compare)
{
	if (json == NULL) {
		CHECK(!compare || value == 0);
		return true;
	}
	if (!json_is_integer(json) || json_integer_value(json) < least ||
	    json_integer_value(json) > most)
		return false;
	CHECK(!compare || value == json_integer_value(json));
	return true;
}

#define FITS_INTEGER(JSON, LEAST, MOST, OUT, MEMBER)                                               \
	fits_integer(JSON, LEAST, MOST, (OUT) ? (int64_t)(OUT)->MEMBER : 0, (OUT) != NULL)

static bool
fits_truth(const json_t *json, const bool *out)
{
	CHECK(!out || *out == json_is_true(json));
	return json == NULL || json_is_boolean(json);
}

static bool
fits_string(const json_t *json, const char *const *out)
{
	if (json == NULL) {
		CHECK(!out || *out == NULL);
		return true;
	}
	if (!json_is_string(json) || strlen(json_string_value(json)) != json_string_length(json))
		return false;
	CHECK(!out || (*out && strcmp(*out, json_string_value(json)) == 0));
	return true;
}

/* 0 if the text is not a name of an enum. */
static int
find_size(const json_t *json)
{
	const char *text = json_string_value(json);

	if (text == NULL || strlen(text) != json_string_length(json))
		return 0;
	return strcmp(text, "small") == 0   ? SIZE_SMALL
	       : strcmp(text, "large") == 0 ? SIZE_LARGE
	       : strcmp(text, "other") == 0 ? SIZE_OTHER
					    : 0;
}

static bool
is_size(json_int_t number)
{
	return number == SIZE_SMALL || number == SIZE_LARGE || number == SIZE_OTHER;
}

static bool
fits_circle(const json_t *json, bool flat, const struct circle *out)
{
	return (flat ? HAS_ONLY(json, "type", "radius", "name")
		     : HAS_ONLY(json, "radius", "name")) &&
	       get(json, "radius") && FITS_INTEGER(get(json, "radius"), -9, 99, out, radius) &&
	       fits_string(get(json, "name"), out ? &out->name : NULL);
}

static bool
fits_node(const json_t *json, bool flat, const struct node *out)
{
	const json_t *next = get(json, "next");

	if (!(flat ? HAS_ONLY(json, "type", "next", "flag") : HAS_ONLY(json, "next", "flag")) ||
	    !fits_truth(get(json, "flag"), out ? &out->flag : NULL))
		return false;
	CHECK(!out || (out->next != NULL) == (next != NULL));
	return next == NULL || fits_node(next, false, out ? out->next : NULL);
}

static bool
fits_shape(const json_t *json, const struct shape *out)
{
	int kind = find_size(get(json, "kind"));
	const json_t *body = get(json, "body");

	if (kind == 0 ||
	    !(kind == SIZE_OTHER ? HAS_ONLY(json, "kind") : HAS_ONLY(json, "kind", "body")))
		return false;
	CHECK(!out || out->kind == (enum size)kind);
	if (body == NULL)
		return true;
	if (kind == SIZE_SMALL)
		return fits_circle(body, false, out ? &out->body.circle : NULL);
	CHECK(!out || out->body.node != NULL);
	return fits_node(body, false, out ? out->body.node : NULL);
}

static bool
is_text(const json_t *json, const char *text)
{
	return json_is_string(json) && json_string_length(json) == strlen(text) &&
	       memcmp(json_string_value(json), text, strlen(text)) == 0;
}

static bool
fits_notice(const json_t *json, const struct notice *out)
{
	const json_t *type = get(json, "type");

	if (!type || !fits_string(type, out ? &out->type : NULL))
		return false;
	if (is_text(type, "circle"))
		return fits_circle(json, true, out ? &out->data.circle : NULL);
	return is_text(type, "n\"") && fits_node(json, true, out ? &out->data.node : NULL);
}

static bool
fits_open(const json_t *json, const struct open *out)
{
	const json_t *type = get(json, "type"), *data = get(json, "data"),
		     *note = get(json, "note");

	if (!type || !fits_string(type, out ? &out->type : NULL))
		return false;
	if (is_text(type, "truth")) {
		CHECK(!out || out->has_note == (note != NULL));
		return HAS_ONLY(json, "type", "data", "note") &&
		       FITS_INTEGER(note, INT8_MIN, INT8_MAX, out, note) &&
		       fits_truth(data, out ? &out->data.truth : NULL);
	}
	CHECK(!out || !out->has_note);
	if (!HAS_ONLY(json, "type", "data"))
		return false;
	if (is_text(type, "node"))
		return data == NULL || fits_node(data, false, out ? &out->data.node : NULL);
	CHECK(!out || (out->data.text.data != NULL) == (data != NULL));
	CHECK(!out || !data ||
	      (json_string_length(data) == out->data.text.bytes &&
	       memcmp(json_string_value(data), out->data.text.data, out->data.text.bytes) == 0));
	return data == NULL || json_is_string(data);
}

static bool
fits_pointed(const json_t *json, const struct pointed *out)
{
	const json_t *op = get(json, "op"), *at = get(json, "at");
	json_int_t number = json_integer_value(op);

	if (!json_is_integer(op) || !is_size(number))
		return false;
	CHECK(!out || (int)out->op == number);
	CHECK(!out || (out->at != NULL) == (at != NULL));
	if (number == SIZE_LARGE)
		return HAS_ONLY(json, "op");
	return HAS_ONLY(json, "op", "at") &&
	       (at == NULL || (number == SIZE_SMALL ? fits_circle(at, false, out ? out->at : NULL)
						    : fits_node(at, false, out ? out->at : NULL)));
}

/* Whether the value is an array, or NULL; and the count is the same. */
static bool
fits_count(const json_t *json, const void *items, size_t count, bool compare)
{
	CHECK(!compare || ((items != NULL) == (json != NULL) && count == json_array_size(json)));
	return json == NULL || json_is_array(json);
}

#define FITS_COUNT(JSON, OUT, MEMBER)                                                              \
	fits_count(JSON, (OUT) ? (const void *)(OUT)->MEMBER : NULL,                               \
		   (OUT) ? (OUT)->MEMBER##_count : 0, (OUT) != NULL)

static bool
fits_unions(const json_t *root, const struct kinds *out)
{
	const json_t *notices = get(root, "notices"), *opens = get(root, "opens"),
		     *shape = get(root, "shape"), *pointed = get(root, "pointed");
	bool fits = FITS_COUNT(notices, out, notices) && FITS_COUNT(opens, out, opens);

	for (size_t i = 0; fits && i < json_array_size(notices); i++)
		fits = fits_notice(json_array_get(notices, i), out ? &out->notices[i] : NULL);
	for (size_t i = 0; fits && i < json_array_size(opens); i++)
		fits = fits_open(json_array_get(opens, i), out ? &out->opens[i] : NULL);
	CHECK(!out || (out->pointed != NULL) == (pointed != NULL));
	return fits && (!shape || fits_shape(shape, out ? &out->shape : NULL)) &&
	       (!pointed || fits_pointed(pointed, out ? out->pointed : NULL));
}

static bool
fits_maps(json_t *root, const struct kinds *out)
{
	json_t *prices = json_object_get(root, "prices"), *people = json_object_get(root, "people"),
	       *value;
	const char *key;
	size_t i = 0;

	if ((get(root, "prices") && (!json_is_object(prices) || json_object_size(prices) > 20)) ||
	    (get(root, "people") && !json_is_object(people)))
		return false;
	CHECK(!out || (out->prices_count == json_object_size(prices) &&
		       out->people_count == json_object_size(people)));
	json_object_foreach(prices, key, value)
	{
		CHECK(!out || strcmp(out->prices[i].sku, key) == 0);
		if (json_is_null(value) ||
		    !FITS_INTEGER(value, 0, UINT16_MAX, out, prices[i].cents))
			return false;
		i++;
	}
	i = 0;
	json_object_foreach(people, key, value)
	{
		CHECK(!out || strcmp(out->people[i].key, key) == 0);
		if (!HAS_ONLY(value, "age") ||
		    !FITS_INTEGER(get(value, "age"), INT8_MIN, INT8_MAX, out, people[i].age))
			return false;
		i++;
	}
	return true;
}

static bool
fits_row(const json_t *json, const struct row *out)
{
	if (json_is_null(json))
		json = NULL;
	if (!FITS_COUNT(json, out, cells) || json_array_size(json) > 5)
		return false;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (!FITS_INTEGER(json_array_get(json, i), INT32_MIN, INT32_MAX, out, cells[i]))
			return false;
	return true;
}

static bool
fits_series(const json_t *root, const struct kinds *out)
{
	json_t *series = json_object_get(root, "series"), *list;
	const char *key;
	size_t i = 0;

	if (get(root, "series") && !json_is_object(series))
		return false;
	CHECK(!out || ((out->series != NULL) == (get(root, "series") != NULL) &&
		       out->series_count == json_object_size(series)));
	json_object_foreach(series, key, list)
	{
		const struct series *one = out ? &out->series[i++] : NULL;
		const json_t *cells = json_is_null(list) ? NULL : list;

		CHECK(!one || strcmp(one->name, key) == 0);
		if (!FITS_COUNT(cells, one, cells) || (cells && json_array_size(cells) == 0))
			return false;
		for (size_t j = 0; j < json_array_size(cells); j++)
			if (!FITS_INTEGER(json_array_get(cells, j), INT32_MIN, INT32_MAX, one,
					  cells[j]))
				return false;
	}
	return true;
}

static bool
fits_hole(const json_t *json, const char *const *out)
{
	return fits_string(json_is_null(json) ? NULL : json, out) && json_string_length(json) <= 6;
}

static bool
fits_lists(const json_t *root, const struct kinds *out)
{
	const json_t *rows = get(root, "rows"), *holes = get(root, "holes"),
		     *names = get(root, "sizes"), *pair = get(root, "pair"),
		     *nodes = get(root, "nodes");
	bool fits = FITS_COUNT(rows, out, rows) && FITS_COUNT(holes, out, holes) &&
		    FITS_COUNT(names, out, sizes) && (!pair || json_array_size(pair) == 2) &&
		    (!nodes || json_array_size(nodes) == 2);

	for (size_t i = 0; fits && i < json_array_size(rows); i++)
		fits = fits_row(json_array_get(rows, i), out ? &out->rows[i] : NULL);
	for (size_t i = 0; fits && i < json_array_size(holes); i++)
		fits = fits_hole(json_array_get(holes, i), out ? &out->holes[i] : NULL);
	for (size_t i = 0; fits && i < json_array_size(names); i++) {
		int size = find_size(json_array_get(names, i));

		fits = size != 0;
		CHECK(!out || (int)out->sizes[i] == size);
	}
	for (size_t i = 0; fits && i < 2; i++)
		fits = FITS_INTEGER(json_array_get(pair, i), INT16_MIN, INT16_MAX, out, pair[i]) &&
		       (!nodes ||
			fits_node(json_array_get(nodes, i), false, out ? &out->nodes[i] : NULL));
	return fits;
}

static bool
fits_enums(const json_t *root, const struct kinds *out)
{
	const json_t *unknown = get(root, "unknown"), *number = get(root, "number"),
		     *maybe = get(root, "maybe");
	int size = find_size(unknown);
	json_int_t integer = json_integer_value(number);

	CHECK(!out || (int)out->unknown == (!unknown ? 0 : size == 0 ? SIZE_OTHER : size));
	CHECK(!out || (int)out->number == (!number ? 0 : is_size(integer) ? integer : SIZE_LARGE));
	CHECK(!out || (out->has_maybe == (maybe != NULL) && (int)out->maybe == find_size(maybe)));
	return (!unknown || json_is_string(unknown)) && (!number || json_is_integer(number)) &&
	       (!maybe || find_size(maybe) != 0);
}

/* Whether a double may differ from the digits that it was read from. */
static bool
is_inexact(double value)
{
	return value == 0 || fabs(value) > 1e9 || value == nearbyint(value);
}

/* An integer that may be written with a fraction of zeros or an exponent. */
static bool
fits_loose(const json_t *json, int32_t value, bool compare)
{
	if (!json_is_real(json))
		return fits_integer(json, INT32_MIN, INT32_MAX, value, compare);
	double real = json_real_value(json);
	CHECK(!compare || real == value);
	uncertain |= is_inexact(real);
	return real == nearbyint(real) && real >= INT32_MIN && real <= INT32_MAX;
}

/* A string that is a JSON number. */
static bool
fits_quoted(const json_t *json, bool lenient, int32_t value, bool compare)
{
	json_t *number;
	bool fits;

	if (json == NULL || (lenient && json_is_number(json)))
		return fits_loose(json, value, compare);
	if (!json_is_string(json) || json_string_length(json) == 0 ||
	    !strchr("-0123456789", *json_string_value(json)) ||
	    !strchr("0123456789", json_string_value(json)[json_string_length(json) - 1]))
		return false;
	number = json_loadb(json_string_value(json), json_string_length(json), JSON_DECODE_ANY,
			    NULL);
	uncertain |= number == NULL && lenient; /* perhaps it is only too large for jansson */
	fits = number && (lenient ? fits_loose(number, value, compare)
				  : fits_integer(number, INT32_MIN, INT32_MAX, value, compare));
	json_decref(number);
	return fits;
}

static bool
fits_bit(const json_t *json, bool words, const bool *out)
{
	if (!json || (words && json_is_boolean(json)))
		return fits_truth(json, out);
	CHECK(!out || *out == (json_integer_value(json) == 1));
	return json_is_integer(json) &&
	       (json_integer_value(json) == 0 || json_integer_value(json) == 1);
}

static bool
fits_epoch(const json_t *json, const struct herald_time *out)
{
	double real = json_number_value(json);

	if (json_is_real(json)) {
		uncertain = true;
		CHECK(!out || fabs((double)out->seconds + out->nanoseconds / 1e9 - real) <=
				      1e-9 + fabs(real) * 1e-15);
		return true;
	}
	CHECK(!out || (out->nanoseconds == 0 && out->offset_minutes == 0));
	/* Years 0000 to 9999. */
	return FITS_INTEGER(json, -62167219200, 253402300799, out, seconds);
}

static bool
fits_forms(const json_t *root, const struct kinds *out)
{
	bool compare = out != NULL;

	return fits_quoted(get(root, "quoted"), false, out ? out->quoted : 0, compare) &&
	       fits_quoted(get(root, "loose_quoted"), true, out ? out->loose_quoted : 0, compare) &&
	       fits_loose(get(root, "loose"), out ? out->loose : 0, compare) &&
	       fits_bit(get(root, "bit"), false, out ? &out->bit : NULL) &&
	       fits_bit(get(root, "loose_bit"), true, out ? &out->loose_bit : NULL) &&
	       fits_epoch(get(root, "epoch"), out ? &out->epoch : NULL);
}

static bool
fits_kinds(json_t *root, const struct kinds *out)
{
	return HAS_ONLY(root, "shape", "notices", "opens", "pointed", "prices", "people", "series",
			"from", "to", "rows", "pair", "nodes", "holes", "sizes", "unknown",
			"number", "maybe", "quoted", "loose", "loose_quoted", "bit", "loose_bit",
			"epoch") &&
	       fits_unions(root, out) && fits_maps(root, out) && fits_series(root, out) &&
	       FITS_INTEGER(get(root, "from"), INT32_MIN, INT32_MAX, out, span.from) &&
	       FITS_INTEGER(get(root, "to"), INT32_MIN, 0, out, span.to) && fits_lists(root, out) &&
	       fits_enums(root, out) && fits_forms(root, out);
}

static void
create_all(void)
{
	struct herald_limits limits = {.max_depth = 1024, .max_key_bytes = SIZE_MAX};

	if (arena != NULL)
		return;
	CHECK(herald_codec_create(&kinds_schema, &limits, NULL, &strict_codec, NULL) == HERALD_OK);
	limits.replace_lone_surrogates = true;
	CHECK(herald_codec_create(&kinds_schema, &limits, NULL, &replacing_codec, NULL) ==
	      HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
}

/* The code unit of the escape at `at`, or 0. */
static unsigned int
code_unit(const char *at, const char *end)
{
	char digits[5] = "";

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return 0;
	memcpy(digits, at + 2, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4
		       ? (unsigned int)strtoul(digits, NULL, 16)
		       : 0;
}

/* Make each lone surrogate U+FFFD, for jansson, which refuses them. */
static void
replace_surrogates(char *text, size_t bytes)
{
	char *end = text + bytes;

	for (char *at = text; at < end; at++) {
		unsigned int unit = code_unit(at, end), next;

		if (*at != '\\')
			continue;
		at++;
		if (unit < 0xD800 || unit > 0xDFFF)
			continue;
		next = code_unit(at + 5, end);
		if (unit < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF)
			at += 10;
		else
			memcpy(at + 1, "FFFD", 4);
	}
}

static char *
copy(const uint8_t *data, size_t size)
{
	char *block = malloc(size + (size == 0));

	CHECK(block != NULL);
	if (size > 0)
		memcpy(block, data, size);
	return block;
}

static void
compare(const struct herald_codec *codec, const uint8_t *data, size_t size)
{
	struct kinds kinds;
	json_error_t error;
	char *ours = copy(data, size), *theirs = copy(data, size);
	enum herald_status status = herald_codec_decode(codec, ours, size, arena, &kinds, NULL);
	json_t *root;

	if (codec == replacing_codec)
		replace_surrogates(theirs, size);
	root = json_loadb(theirs, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
			  &error);
	uncertain = false;
	if (root != NULL && status == HERALD_OK)
		CHECK(fits_kinds(root, &kinds));
	else if (root != NULL && status != HERALD_LIMIT)
		CHECK(!fits_kinds(root, NULL) || uncertain);
	else if (root == NULL && status == HERALD_OK)
		CHECK(json_error_code(&error) == json_error_numeric_overflow);
	json_decref(root);
	free(ours);
	free(theirs);
	herald_arena_reset(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	create_all();
	if (size > 0 && memchr(data, '\0', size) != NULL)
		return 0;
	compare(strict_codec, data, size);
	compare(replacing_codec, data, size);
	return 0;
}
