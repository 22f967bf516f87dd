/*
 * The types of numbers: integers of the right width, enums of listed integers, real numbers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/json.h>

#include "decimal.h"
#include "generate_schema.h"
#include "text.h"

/* More values are not an enum. */
#define MAX_VALUES 500

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

/* Numbers that are listed. */

/* Whether a list has a number. */
static bool
has_number(const struct json_tree *list, const struct json_tree *number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].type == HERALD_JSON_NUMBER &&
		    decimal_compare(list->items[i].json, number->json) == 0)
			return true;
	return false;
}

/* Whether enum, const and bounds of all schemas allow a number. */
static bool
is_allowed(const struct view *view, const struct json_tree *number)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *schema = view->schemas[i];
		const struct json_tree *values = json_tree_get(schema, "enum");
		const struct json_tree *only = json_tree_get(schema, "const");

		view_work(view->work, values ? 1 + values->count / 16 : 1);
		if ((values && !has_number(values, number)) ||
		    (only && (only->type != HERALD_JSON_NUMBER ||
			      decimal_compare(only->json, number->json) != 0)))
			return false;
	}
	const struct {
		const char *name;
		int least, most; /* how a number may compare with the bound */
	} bounds[] = {{"minimum", 0, 1},
		      {"exclusiveMinimum", 1, 1},
		      {"maximum", -1, 0},
		      {"exclusiveMaximum", -1, -1}};
	for (size_t i = 0; i < view->count * HERALD_COUNT(bounds); i++) {
		size_t which = i % HERALD_COUNT(bounds);
		const struct json_tree *bound =
			json_tree_get(view->schemas[i / HERALD_COUNT(bounds)], bounds[which].name);

		if (!bound || bound->type != HERALD_JSON_NUMBER)
			continue;
		int order = decimal_compare(number->json, bound->json);
		order = (order > 0) - (order < 0);
		if (order < bounds[which].least || order > bounds[which].most)
			return false;
	}
	return true;
}

static bool
is_listed(const struct memory_list *values, const struct json_tree *number)
{
	for (size_t i = 0; i < values->count; i++)
		if (decimal_compare(((const struct json_tree *)values->items[i])->json,
				    number->json) == 0)
			return true;
	return false;
}

/* The list of values that counts: of the first schema that has one. */
static struct memory_list
first_list(const struct view *view)
{
	const struct json_tree *only = view_get(view, "const"), *values = view_get(view, "enum");
	struct memory_list out = {0};

	if (only) {
		memory_list_add(view->files->arena, &out, only);
		return out;
	}
	for (size_t i = 0; values && i < values->count; i++)
		memory_list_add(view->files->arena, &out, &values->items[i]);
	return values ? out : view->values;
}

/*
 * The numbers (struct json_tree) that enum and const of all schemas and their alternatives allow.
 * Returns false if there is none of these, or too many, which a comment of the type says.
 *
 * are_whole  leave out those with a fraction.
 */
static bool
find_values(struct generation *generation, const struct view *view, bool are_whole,
	    struct c_type *type, struct memory_list *out)
{
	struct memory_list all = first_list(view);

	if (all.count > MAX_VALUES)
		note(generation, type,
		     memory_print(generation->model->arena,
				  "Not checked: that it is one of %zu values.", all.count));
	for (size_t i = 0; i < all.count && all.count <= MAX_VALUES; i++) {
		const struct json_tree *value = all.items[i];

		if (value->type != HERALD_JSON_NUMBER || is_listed(out, value) ||
		    !is_allowed(view, value) || (are_whole && !decimal_is_whole(value->json)))
			continue;
		if (view->values.count == 0 || is_listed(&view->values, value))
			memory_list_add(generation->model->arena, out, value);
	}
	if (all.count > 0 && all.count <= MAX_VALUES && out->count == 0)
		note(generation, type,
		     are_whole ? "Never valid: no integer is in every enum."
			       : "Never valid: no value is in every enum.");
	return all.count > 0 && all.count <= MAX_VALUES;
}

/* Narrow the bounds of an integer to the values that are listed. */
static void
bound_values(const struct memory_list *values, struct bound *min, struct bound *max)
{
	for (size_t i = 0; i < values->count; i++) {
		struct bound least = bound_of(values->items[i], false, false);
		struct bound most = bound_of(values->items[i], false, true);

		if (i == 0 || (least.is_set && compare_bounds(least, *min) < 0))
			*min = least;
		if (i == 0 || (most.is_set && compare_bounds(most, *max) > 0))
			*max = most;
		if (!min->is_set || !max->is_set)
			return;
	}
}

/* The integers of a list (struct herald_text) as C writes them. Returns false if one is not an int.
 */
static bool
list_integers(struct herald_arena *arena, const struct memory_list *values, struct memory_list *out)
{
	for (size_t i = 0; i < values->count; i++) {
		struct bound bound = bound_of(values->items[i], false, false);
		struct herald_text *name = memory_take(arena, sizeof(*name));

		if (!bound.is_set || bound.magnitude > (uint64_t)INT32_MAX + bound.is_negative)
			return false;
		*name = text_of(bound_text(arena, bound));
		memory_list_add(arena, out, name);
	}
	return true;
}

bool
generate_integers(struct generation *generation, const struct view *view, struct memory_list *out)
{
	struct memory_list values = {0};
	struct c_type ignored = {0};

	return find_values(generation, view, true, &ignored, &values) &&
	       list_integers(generation->model->arena, &values, out);
}

/* Make an enum of several values that are an int. Other values are bounds, and a comment. */
static bool
convert_enum(struct generation *generation, const struct view *view, const char *hint,
	     const struct memory_list *values, struct c_type *out)
{
	struct memory_list names = {0};
	struct herald_arena *arena = generation->model->arena;

	if (values->count > 1 && list_integers(arena, values, &names)) {
		out->kind = C_ENUM;
		out->names = generate_enum(generation, view, &names, true, hint);
		return true;
	} else if (values->count > 1) {
		note(generation, out,
		     memory_print(arena, "Not checked: that it is one of %zu values.",
				  values->count));
	}
	return false;
}

/* Say that some of the values that are listed have more than 64 bits. */
static void
note_large_values(struct generation *generation, const struct memory_list *values,
		  struct c_type *out)
{
	size_t count = 0;

	for (size_t i = 0; i < values->count; i++)
		count += !bound_of(values->items[i], false, false).is_set;
	if (count > 0)
		note(generation, out,
		     count == values->count
			     ? "Never valid: no value of its enum is an integer of 64 bits."
			     : "Refused: values of its enum that have more than 64 bits.");
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

void
generate_integer(struct generation *generation, const struct view *view, const char *hint,
		 struct c_type *out)
{
	struct herald_arena *arena = generation->model->arena;
	struct bound min = find_bound(view, false), max = find_bound(view, true);
	struct memory_list values = {0};

	if (find_values(generation, view, true, out, &values)) {
		if (convert_enum(generation, view, hint, &values, out))
			return;
		bound_values(&values, &min, &max);
		note_large_values(generation, &values, out);
	}
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
	else if (max.is_set && compare_bounds(max, integers[i].max) > 0)
		note(generation, out,
		     memory_print(arena, "Refused: integers above %s.",
				  bound_text(arena, integers[i].max)));
	note_large_bounds(generation, view, out);
}

/* Real numbers. */

static bool
is_same_double(const struct json_tree *one, const struct json_tree *other)
{
	double a, b;

	return herald_json_read_double(&one->json, &a) == HERALD_OK &&
	       herald_json_read_double(&other->json, &b) == HERALD_OK && a == b;
}

/* The tightest bound that any schema gives; NULL: there is none. It is exclusive if one that is the
 * same as a double is. */
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
		if (order == 0 || (out && is_same_double(value, out)))
			*is_exclusive |= i % 2 == 1;
		else if (order > 0)
			*is_exclusive = i % 2 == 1;
		if (order > 0)
			out = value;
	}
	return out;
}

/* A number of JSON is a number of C, unless it is too large, or so small that the compiler warns: a
 * double has 0 for it, which a comment of the type says. */
static const char *
real_text(struct generation *generation, const struct json_tree *value, struct c_type *type)
{
	struct herald_arena *arena = generation->model->arena;
	const struct herald_json zero = {"0", 1};
	int64_t whole;
	double number;

	if (herald_json_read_double(&value->json, &number) == HERALD_OK && number == 0 &&
	    decimal_compare(value->json, zero) != 0) {
		bool is_long = value->json.bytes > 40;

		note(generation, type,
		     memory_print(arena, "Not checked: the bound %.*s%s, which is 0 as a double.",
				  is_long ? 40 : (int)value->json.bytes, value->json.data,
				  is_long ? "..." : ""));
		return "0";
	}

	if (herald_json_read_int64(&value->json, &whole) == HERALD_OK)
		return whole == INT64_MIN ? "INT64_MIN" : memory_print(arena, "%" PRId64, whole);
	if (!memchr(value->json.data, '.', value->json.bytes) &&
	    !memchr(value->json.data, 'e', value->json.bytes) &&
	    !memchr(value->json.data, 'E', value->json.bytes))
		return memory_print(arena, "%.*s.0", (int)value->json.bytes, value->json.data);
	return memory_copy(arena, value->json.data, value->json.bytes);
}

/* Set the bounds of a real number to the values that are listed. */
static void
bound_reals(struct generation *generation, const struct memory_list *values, struct c_type *out)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *least = NULL, *most = NULL;
	double number;

	for (size_t i = 0; i < values->count; i++) {
		const struct json_tree *value = values->items[i];

		if (herald_json_read_double(&value->json, &number) != HERALD_OK)
			continue;
		if (!least || decimal_compare(value->json, least->json) < 0)
			least = value;
		if (!most || decimal_compare(value->json, most->json) > 0)
			most = value;
	}
	if (values->count > 1)
		note(generation, out,
		     memory_print(arena, "Not checked: that it is one of %zu values.",
				  values->count));
	if (!least)
		return;
	out->min = real_text(generation, least, out);
	out->max = most == least ? out->min : real_text(generation, most, out);
}

/* A bound of a schema as C writes it. */
static const char *
real_bound(struct generation *generation, const struct view *view, const char *inclusive,
	   const char *exclusive, struct c_type *out)
{
	struct herald_arena *arena = generation->model->arena;
	bool is_exclusive = false;
	const struct json_tree *value = find_real_bound(view, inclusive, exclusive, &is_exclusive);
	double number;

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
	return real_text(generation, value, out);
}

void
generate_real(struct generation *generation, const struct view *view, struct c_type *out)
{
	struct memory_list values = {0};

	out->kind = C_NUMBER;
	out->number = "double";
	if (find_values(generation, view, false, out, &values)) {
		bound_reals(generation, &values, out);
		return;
	}
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
