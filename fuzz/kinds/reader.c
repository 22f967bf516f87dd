/*
 * The second reader of the fuzz target kinds.c: says whether a document that jansson has read fits
 * the schemas, and compares the values. Uses nothing of the codec.
 */
#include <math.h>
#include <string.h>

#include "kinds.h"

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

static bool
fits_text(const json_t *json, const struct herald_text *out)
{
	CHECK(!out || (out->data != NULL) == (json != NULL));
	CHECK(!out || !json ||
	      (json_string_length(json) == out->bytes &&
	       memcmp(json_string_value(json), out->data, out->bytes) == 0));
	return json == NULL || json_is_string(json);
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
	return fits_text(data, out ? &out->data.text : NULL);
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
fits_deep(const json_t *json, const struct deep *out)
{
	const json_t *type = get(json, "type"), *body = get(json, "body"),
		     *list = get(json, "list");

	if (!type || !HAS_ONLY(json, "type", "body", "list") ||
	    !fits_string(type, out ? &out->type : NULL) || !FITS_COUNT(list, out, list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!fits_deep(json_array_get(list, i), out ? &out->list[i] : NULL))
			return false;
	if (is_text(type, "leaf"))
		return FITS_INTEGER(body, INT32_MIN, INT32_MAX, out, body.leaf);
	if (!is_text(type, "inner"))
		return fits_string(body, out ? &out->body.text : NULL);
	CHECK(!out || (out->body.inner != NULL) == (body != NULL));
	return body == NULL || fits_deep(body, out ? out->body.inner : NULL);
}

static bool
fits_unions(const json_t *root, const struct kinds *out)
{
	const json_t *notices = get(root, "notices"), *opens = get(root, "opens"),
		     *shape = get(root, "shape"), *pointed = get(root, "pointed"),
		     *deep = get(root, "deep");
	bool fits = FITS_COUNT(notices, out, notices) && FITS_COUNT(opens, out, opens);

	for (size_t i = 0; fits && i < json_array_size(notices); i++)
		fits = fits_notice(json_array_get(notices, i), out ? &out->notices[i] : NULL);
	for (size_t i = 0; fits && i < json_array_size(opens); i++)
		fits = fits_open(json_array_get(opens, i), out ? &out->opens[i] : NULL);
	CHECK(!out || (out->pointed != NULL) == (pointed != NULL));
	CHECK(!out || (out->deep != NULL) == (deep != NULL));
	return fits && (!deep || fits_deep(deep, out ? out->deep : NULL)) &&
	       (!shape || fits_shape(shape, out ? &out->shape : NULL)) &&
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

/* Missing and null are told from three zeros. */
static bool
fits_trio(const json_t *trio, const struct kinds *out)
{
	bool fits = !trio || json_array_size(trio) == 3;

	CHECK(!out || out->has_trio == (trio != NULL));
	for (size_t i = 0; fits && i < 3; i++)
		fits = FITS_INTEGER(json_array_get(trio, i), 0, 9, out, trio[i]);
	return fits;
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

/* The number in a string, or NULL. Sets *too_large if it is only too large for jansson. */
static json_t *
load_quoted(const json_t *json, bool *too_large)
{
	const char *text = json_string_value(json);
	size_t bytes = json_string_length(json);
	json_error_t error;
	json_t *number;

	*too_large = false;
	if (bytes == 0 || strlen(text) != bytes || !strchr("-0123456789", *text) ||
	    !strchr("0123456789", text[bytes - 1]))
		return NULL;
	number = json_loadb(text, bytes, JSON_DECODE_ANY, &error);
	*too_large = !number && json_error_code(&error) == json_error_numeric_overflow;
	return number;
}

/* A string that is a JSON number. */
static bool
fits_quoted(const json_t *json, bool lenient, int32_t value, bool compare)
{
	json_t *number;
	bool fits, too_large;

	if (json == NULL || (lenient && json_is_number(json)))
		return fits_loose(json, value, compare);
	number = load_quoted(json, &too_large);
	uncertain |= too_large && lenient;
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

/* A number, whose double is the one nearest to its digits. */
static bool
fits_real(const json_t *json, double value, bool compare)
{
	double real = json_number_value(json);

	CHECK(!compare || !(value < real || value > real));
	return json == NULL || json_is_number(json);
}

/* A float may be rounded once from the digits, not from the double. */
static bool
fits_float(const json_t *json, const float *out)
{
	double real = json_number_value(json);

	CHECK(!out || fabs(*out - real) <= 6e-8 * fabs(real) + 1e-45);
	uncertain |= fabs(real) > 3.4e38;
	return json_is_number(json);
}

static bool
fits_reals(const json_t *root, const struct kinds *out)
{
	const json_t *reals = get(root, "reals"), *floats = get(root, "floats");
	bool fits = (!reals || json_array_size(reals) == 2) && FITS_COUNT(floats, out, floats);

	for (size_t i = 0; fits && i < 2; i++)
		fits = fits_real(json_array_get(reals, i), out ? out->reals[i] : 0, out != NULL);
	for (size_t i = 0; fits && i < json_array_size(floats); i++)
		fits = fits_float(json_array_get(floats, i), out ? &out->floats[i] : NULL);
	return fits;
}

static bool
fits_texts(const json_t *root, const struct kinds *out)
{
	const json_t *texts = get(root, "texts");
	bool fits = FITS_COUNT(texts, out, texts);

	for (size_t i = 0; fits && i < json_array_size(texts); i++) {
		const json_t *text = json_array_get(texts, i);

		fits = fits_text(json_is_null(text) ? NULL : text, out ? &out->texts[i] : NULL);
	}
	return fits;
}

/* Milliseconds in quotes. Fractions are not compared. */
static bool
fits_milliseconds(const json_t *number, const struct herald_time *out)
{
	json_int_t value = json_integer_value(number);

	if (json_is_real(number)) {
		uncertain = true;
		return true;
	}
	CHECK(!out || out->seconds * 1000 + out->nanoseconds / 1000000 == value);
	return value >= -62167219200000 && value <= 253402300799999;
}

static bool
fits_quoted_others(const json_t *root, const struct kinds *out)
{
	const json_t *json[] = {get(root, "quoted_real"), get(root, "quoted_bit"),
				get(root, "milliseconds")};
	bool fits = true;

	for (size_t i = 0; fits && i < 3; i++) {
		bool too_large;
		json_t *number = json[i] ? load_quoted(json[i], &too_large) : NULL;

		if (json[i] && !number)
			return too_large && i == 0 ? uncertain = true : false;
		fits = i == 0   ? fits_real(number, out ? out->quoted_real : 0, out != NULL)
		       : i == 1 ? fits_bit(number, false, out ? &out->quoted_bit : NULL)
				: fits_milliseconds(number, out ? &out->milliseconds : NULL);
		json_decref(number);
	}
	return fits;
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

bool
fits_kinds(json_t *root, const struct kinds *out, bool *uncertain_out)
{
	bool fits;

	uncertain = false;
	fits = HAS_ONLY(root, "shape", "notices", "opens", "pointed", "prices", "people", "series",
			"from", "to", "rows", "pair", "trio", "nodes", "holes", "sizes", "unknown",
			"number", "maybe", "quoted", "loose", "loose_quoted", "bit", "loose_bit",
			"epoch", "deep", "reals", "floats", "texts", "quoted_real", "quoted_bit",
			"milliseconds") &&
	       fits_unions(root, out) && fits_maps(root, out) && fits_series(root, out) &&
	       FITS_INTEGER(get(root, "from"), INT32_MIN, INT32_MAX, out, span.from) &&
	       json_integer_value(get(root, "from")) != 77 && fits_trio(get(root, "trio"), out) &&
	       FITS_INTEGER(get(root, "to"), INT32_MIN, 0, out, span.to) && fits_lists(root, out) &&
	       fits_enums(root, out) && fits_forms(root, out) && fits_reals(root, out) &&
	       fits_texts(root, out) && fits_quoted_others(root, out);
	*uncertain_out = uncertain;
	return fits;
}
