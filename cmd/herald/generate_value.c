/*
 * The types of single values: strings, enums, times, numbers of the right width, booleans.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/json.h>

#include "c_text.h"
#include "decimal.h"
#include "generate_schema.h"

/* More names are a string, whose values a comment counts. */
#define MAX_NAMES 500
#define UUID_BYTES 36

static void
note(struct generation *generation, struct c_type *type, const char *text)
{
	memory_list_add(generation->model->arena, &type->notes, text);
}

/* Integers. */

/* A whole bound; false if there is none that fits into 64 bits. */
struct bound {
	bool is_set;
	bool is_negative;
	uint64_t magnitude;
};

/* The integer before or after it; none beyond the limits of 64 bits. */
static struct bound
bound_step(struct bound bound, bool is_down)
{
	if (is_down && (bound.is_negative || bound.magnitude == 0)) {
		bound.is_set = bound.magnitude < UINT64_C(1) << 63;
		bound.is_negative = true;
		bound.magnitude++;
	} else if (bound.is_negative || is_down) {
		bound.magnitude--;
		bound.is_negative &= bound.magnitude > 0;
	} else {
		bound.is_set = bound.magnitude < UINT64_MAX;
		bound.magnitude++;
	}
	return bound.is_set ? bound : (struct bound){0};
}

/* The first integer inside of a bound, which may be written as 1.5, 1.0 or 1e3. */
static struct bound
bound_of(const struct json_tree *value, bool is_exclusive, bool is_max)
{
	struct decimal_whole whole;

	if (!value || value->type != HERALD_JSON_NUMBER || !decimal_truncate(value->json, &whole) ||
	    (whole.is_negative && whole.magnitude > UINT64_C(1) << 63))
		return (struct bound){0};
	struct bound out = {true, whole.is_negative && whole.magnitude > 0, whole.magnitude};
	bool is_outside = whole.is_exact ? is_exclusive : whole.is_negative == is_max;
	return is_outside ? bound_step(out, is_max) : out;
}

static int
compare_bounds(struct bound a, struct bound b)
{
	if (a.is_negative != b.is_negative)
		return a.is_negative ? -1 : 1;
	int order = (a.magnitude > b.magnitude) - (a.magnitude < b.magnitude);
	return a.is_negative ? -order : order;
}

/* The tightest bound that any schema gives. */
static struct bound
find_bound(const struct view *view, bool is_max)
{
	struct bound out = {0};

	for (size_t i = 0; i < view->count; i++)
		for (int exclusive = 0; exclusive < 2; exclusive++) {
			const char *name = is_max ? (exclusive ? "exclusiveMaximum" : "maximum")
						  : (exclusive ? "exclusiveMinimum" : "minimum");
			struct bound bound = bound_of(json_tree_get(view->schemas[i], name),
						      exclusive == 1, is_max);

			if (bound.is_set &&
			    (!out.is_set || (is_max ? compare_bounds(bound, out) < 0
						    : compare_bounds(bound, out) > 0)))
				out = bound;
		}
	return out;
}

static const struct {
	const char *name;
	struct bound min, max;
} integers[] = {
	{"uint8_t", {true, false, 0}, {true, false, UINT8_MAX}},
	{"int8_t", {true, true, 128}, {true, false, INT8_MAX}},
	{"uint16_t", {true, false, 0}, {true, false, UINT16_MAX}},
	{"int16_t", {true, true, 32768}, {true, false, INT16_MAX}},
	{"uint32_t", {true, false, 0}, {true, false, UINT32_MAX}},
	{"int32_t", {true, true, UINT64_C(1) << 31}, {true, false, INT32_MAX}},
	{"uint64_t", {true, false, 0}, {true, false, UINT64_MAX}},
	{"int64_t", {true, true, UINT64_C(1) << 63}, {true, false, INT64_MAX}},
};

/* A bound as C writes it. */
static const char *
bound_text(struct herald_arena *arena, struct bound bound)
{
	if (bound.is_negative && bound.magnitude == UINT64_C(1) << 63)
		return "INT64_MIN";
	if (!bound.is_negative && bound.magnitude > INT64_MAX)
		return memory_print(arena, "UINT64_C(%" PRIu64 ")", bound.magnitude);
	return memory_print(arena, "%s%" PRIu64, bound.is_negative ? "-" : "", bound.magnitude);
}

/* The narrowest type that has both bounds; without a bound, one of 64 bits. */
static size_t
choose_integer(struct bound min, struct bound max, const char *format)
{
	size_t last = HERALD_COUNT(integers) - 1;

	if (format && !min.is_set && !max.is_set)
		for (size_t i = 0; i <= last; i++)
			if (strncmp(integers[i].name, format, strlen(format)) == 0 &&
			    strcmp(integers[i].name + strlen(format), "_t") == 0)
				return i;
	if (!max.is_set && min.is_set && !min.is_negative)
		return last - 1;
	for (size_t i = 0; min.is_set && max.is_set && i < last; i++)
		if (compare_bounds(min, integers[i].min) >= 0 &&
		    compare_bounds(max, integers[i].max) <= 0)
			return i;
	return last;
}

/* A bound that no integer of 64 bits has is not checked. */
static void
note_large_bounds(struct generation *generation, const struct view *view, struct c_type *out)
{
	static const char *const names[] = {"minimum", "maximum", "exclusiveMinimum",
					    "exclusiveMaximum"};

	for (size_t i = 0; i < view->count * HERALD_COUNT(names); i++) {
		size_t which = i % HERALD_COUNT(names);
		const char *name = names[which];
		const struct json_tree *value =
			json_tree_get(view->schemas[i / HERALD_COUNT(names)], name);

		if (value && !bound_of(value, which >= 2, which % 2 == 1).is_set)
			note(generation, out,
			     memory_print(generation->model->arena, "Not checked: %s.", name));
	}
}

static void
convert_integer(struct generation *generation, const struct view *view, struct c_type *out)
{
	struct herald_arena *arena = generation->model->arena;
	struct bound min = find_bound(view, false), max = find_bound(view, true);
	const struct json_tree *format = view_get(view, "format");
	size_t i = choose_integer(min, max, format ? format->text.data : NULL);

	out->kind = C_NUMBER;
	out->number = integers[i].name;
	if (min.is_set && max.is_set && compare_bounds(min, max) > 0) {
		out->number = "int64_t";
		note(generation, out,
		     memory_print(arena,
				  "Never valid: the smallest integer allowed is %s%" PRIu64
				  ", and the largest %s%" PRIu64 ".",
				  min.is_negative ? "-" : "", min.magnitude,
				  max.is_negative ? "-" : "", max.magnitude));
		return;
	}
	if (min.is_set && compare_bounds(min, integers[i].min) != 0)
		out->min = bound_text(arena, min);
	/* With negative values, those beyond INT64_MAX are refused by the type. */
	if (max.is_set && compare_bounds(max, integers[i].max) < 0)
		out->max = bound_text(arena, max);
	note_large_bounds(generation, view, out);
}

/* Real numbers. */

/* The tightest bound that any schema gives; NULL: there is none. */
static const struct json_tree *
find_real_bound(const struct view *view, const char *inclusive, const char *exclusive,
		bool *is_exclusive)
{
	const struct json_tree *out = NULL;
	bool is_max = inclusive[1] == 'a';

	for (size_t i = 0; i < 2 * view->count; i++) {
		const struct json_tree *value =
			json_tree_get(view->schemas[i / 2], i % 2 == 0 ? inclusive : exclusive);

		if (!value || value->type != HERALD_JSON_NUMBER)
			continue;
		int order = out ? decimal_compare(value->json, out->json) : 1;
		if (out && is_max)
			order = -order;
		if (order > 0)
			*is_exclusive = i % 2 == 1;
		else if (order == 0)
			*is_exclusive |= i % 2 == 1;
		if (order > 0)
			out = value;
	}
	return out;
}

/* A bound as C writes it: a number of JSON is a number of C, unless it is too large. */
static const char *
real_bound(struct generation *generation, const struct view *view, const char *inclusive,
	   const char *exclusive, struct c_type *out)
{
	struct herald_arena *arena = generation->model->arena;
	bool is_exclusive = false;
	const struct json_tree *value = find_real_bound(view, inclusive, exclusive, &is_exclusive);
	double number;
	int64_t whole;

	if (!value)
		return NULL;
	if (herald_json_read_double(&value->json, &number) != HERALD_OK) {
		note(generation, out,
		     memory_print(arena, "Not checked: %s.", is_exclusive ? exclusive : inclusive));
		return NULL;
	}
	if (is_exclusive)
		note(generation, out,
		     memory_print(arena, "Not checked: %s, but its value is allowed.", exclusive));
	if (herald_json_read_int64(&value->json, &whole) == HERALD_OK)
		return whole == INT64_MIN ? "INT64_MIN" : memory_print(arena, "%" PRId64, whole);
	if (!memchr(value->json.data, '.', value->json.bytes) &&
	    !memchr(value->json.data, 'e', value->json.bytes) &&
	    !memchr(value->json.data, 'E', value->json.bytes))
		return memory_print(arena, "%.*s.0", (int)value->json.bytes, value->json.data);
	return memory_copy(arena, value->json.data, value->json.bytes);
}

static void
convert_real(struct generation *generation, const struct view *view, struct c_type *out)
{
	out->kind = C_NUMBER;
	out->number = "double";
	out->min = real_bound(generation, view, "minimum", "exclusiveMinimum", out);
	out->max = real_bound(generation, view, "maximum", "exclusiveMaximum", out);
	bool ignored;
	const struct json_tree *min =
		find_real_bound(view, "minimum", "exclusiveMinimum", &ignored);
	const struct json_tree *max =
		find_real_bound(view, "maximum", "exclusiveMaximum", &ignored);
	if (min && max && decimal_compare(min->json, max->json) > 0) {
		out->min = out->max = NULL;
		note(generation, out,
		     memory_print(generation->model->arena,
				  "Never valid: minimum %.*s is greater than maximum %.*s.",
				  (int)min->json.bytes, min->json.data, (int)max->json.bytes,
				  max->json.data));
	}
}

/* Strings. */

/* Keep the strings that `allowed` has, too (struct json_tree); at first, take all of them. */
static void
restrict_names(struct herald_arena *arena, const struct memory_list *allowed, bool is_first,
	       struct memory_list *out)
{
	struct memory_list texts = {0}, kept = {0};
	struct memory_map known = {0};

	for (size_t i = 0; i < allowed->count; i++) {
		const struct json_tree *value = allowed->items[i];

		if (value->type != HERALD_JSON_STRING || memory_map_get(&known, value->text))
			continue;
		memory_map_set(arena, &known, value->text, value);
		memory_list_add(arena, &texts, &value->text);
	}
	for (size_t i = 0; !is_first && i < out->count; i++)
		if (memory_map_get(&known, *(const struct herald_text *)out->items[i]))
			memory_list_add(arena, &kept, out->items[i]);
	*out = is_first ? texts : kept;
}

bool
generate_names(struct generation *generation, const struct view *view, struct memory_list *out)
{
	struct herald_arena *arena = generation->model->arena;
	bool is_first = true;

	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *values = json_tree_get(view->schemas[i], "enum");
		const struct json_tree *only = json_tree_get(view->schemas[i], "const");
		struct memory_list allowed = {0};

		for (size_t j = 0; values && j < values->count; j++)
			memory_list_add(arena, &allowed, &values->items[j]);
		if (values)
			restrict_names(arena, &allowed, is_first, out);
		is_first &= !values;
		allowed = (struct memory_list){0};
		if (only) {
			memory_list_add(arena, &allowed, only);
			restrict_names(arena, &allowed, is_first, out);
			is_first = false;
		}
	}
	if (view->values.count > 0)
		restrict_names(arena, &view->values, is_first, out);
	return !is_first || view->values.count > 0;
}

static bool
has_nul(const struct memory_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct herald_text *name = names->items[i];

		if (memchr(name->data, '\0', name->bytes))
			return true;
	}
	return false;
}

/* Bytes that are the same for the same names, which have no NUL. */
static struct herald_text
key_of(struct herald_arena *arena, const struct memory_list *names)
{
	size_t bytes = 0;

	for (size_t i = 0; i < names->count; i++)
		bytes += ((const struct herald_text *)names->items[i])->bytes + 1;
	char *key = memory_take(arena, bytes), *at = key;
	for (size_t i = 0; i < names->count; i++) {
		const struct herald_text *name = names->items[i];

		memcpy(at, name->data, name->bytes);
		at += name->bytes + 1;
	}
	return (struct herald_text){key, bytes};
}

const struct c_enum *
generate_enum(struct generation *generation, const struct view *view,
	      const struct memory_list *names, const char *hint)
{
	struct c_model *model = generation->model;

	struct herald_text key = key_of(model->arena, names);
	const struct c_enum *out = memory_map_get(&generation->enums, key);

	if (out)
		return out;
	if (view && view->name)
		hint = c_name_of(model->arena, (struct herald_text){view->name, strlen(view->name)},
				 hint);
	out = c_enum_add(model, c_name_take(model, hint), names);
	memory_map_set(model->arena, &generation->enums, key, out);
	return out;
}

static bool
convert_names(struct generation *generation, const struct view *view, const char *hint,
	      struct c_type *out)
{
	struct memory_list names = {0};

	if (!generate_names(generation, view, &names))
		return false;
	out->kind = C_STRING;
	if (names.count == 0) {
		note(generation, out, "Never valid: no value is in every enum.");
	} else if (has_nul(&names) || names.count > MAX_NAMES) {
		note(generation, out,
		     memory_print(generation->model->arena,
				  "Not checked: that it is one of %zu values.", names.count));
	} else if (names.count == 1) {
		out->only = c_string(generation->model->arena,
				     *(const struct herald_text *)names.items[0]);
	} else {
		out->kind = C_ENUM;
		out->names = generate_enum(generation, view, &names, hint);
	}
	return true;
}

/* "3 to 5 characters." */
static const char *
length_text(struct herald_arena *arena, size_t least, size_t most)
{
	if (least == most)
		return memory_print(arena, "Exactly %zu character%s.", least,
				    least == 1 ? "" : "s");
	if (most == SIZE_MAX)
		return memory_print(arena, "At least %zu character%s.", least,
				    least == 1 ? "" : "s");
	if (least == 0)
		return memory_print(arena, "At most %zu character%s.", most, most == 1 ? "" : "s");
	return memory_print(arena, "%zu to %zu characters.", least, most);
}

/* Lengths in JSON Schema are characters, of 1 to 4 bytes each. */
static void
set_lengths(struct generation *generation, const struct view *view, bool is_uuid,
	    struct c_type *out)
{
	size_t least = 0, most = SIZE_MAX;

	for (size_t i = 0; i < view->count; i++) {
		size_t min = json_tree_count(view->schemas[i], "minLength", 0);
		size_t max = json_tree_count(view->schemas[i], "maxLength", SIZE_MAX);

		least = min > least ? min : least;
		most = max < most ? max : most;
	}
	if (least > most) {
		note(generation, out,
		     memory_print(generation->model->arena,
				  "Never valid: minLength %zu is greater than maxLength %zu.",
				  least, most));
		return;
	}
	out->min_bytes = least;
	if (most > 0 && most < SIZE_MAX / 8)
		out->max_bytes = 4 * most;
	/* A UUID has 36, unless other lengths were given: the format is an annotation. */
	if (is_uuid && least <= UUID_BYTES && most >= UUID_BYTES)
		out->min_bytes = out->max_bytes = UUID_BYTES;
	if (least > 1 || most < SIZE_MAX)
		note(generation, out, length_text(generation->model->arena, least, most));
}

static void
convert_string(struct generation *generation, const struct view *view, const char *hint,
	       struct c_type *out)
{
	const struct json_tree *format = view_get(view, "format");
	const struct json_tree *encoding = view_get(view, "contentEncoding");

	out->kind = C_STRING;
	if (convert_names(generation, view, hint, out))
		return;
	if (format && json_text_equal(format->text, "date-time")) {
		out->kind = C_TIME;
		return;
	}
	set_lengths(generation, view, format && json_text_equal(format->text, "uuid"), out);
	if (format)
		note(generation, out,
		     memory_print(generation->model->arena, "Not checked: format %s.",
				  format->text.data));
	if (encoding)
		note(generation, out,
		     memory_print(generation->model->arena,
				  json_text_equal(encoding->text, "base64")
					  ? "In %s: decode it with herald_base64_decode()."
					  : "In %s.",
				  encoding->text.data));
}

bool
generate_value(struct generation *generation, const struct view *view, const char *hint,
	       struct c_type *out)
{
	const struct json_tree *values = view_get(view, "enum");
	bool is_number = (view->types & ~(unsigned)(VIEW_INTEGER | VIEW_NUMBER)) == 0;

	if (view->types == 0 || view->union_)
		return false;
	if (view->types == VIEW_STRING)
		convert_string(generation, view, hint, out);
	else if (view->types == VIEW_INTEGER)
		convert_integer(generation, view, out);
	else if (is_number)
		convert_real(generation, view, out);
	else if (view->types == VIEW_BOOL)
		out->kind = C_BOOL;
	else
		return false;
	if (view->types != VIEW_STRING && (values || view_get(view, "const")))
		note(generation, out,
		     memory_print(generation->model->arena, "Not checked: %s.",
				  values && values->json.bytes < 80
					  ? memory_print(generation->model->arena, "one of %.*s",
							 (int)values->json.bytes, values->json.data)
				  : values ? "enum"
					   : "const"));
	view_note_unchecked(view, generation->model->arena, view->types, &out->notes);
	return true;
}
