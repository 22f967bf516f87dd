/*
 * The types of single values: strings, enums, times, booleans. Numbers are in generate_number.c.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/json.h>

#include "c_text.h"
#include "generate_schema.h"

/* More names are a string, whose values a comment counts. */
#define MAX_NAMES 500
#define UUID_BYTES 36

static void
note(struct generation *generation, struct c_type *type, const char *text)
{
	memory_list_add(generation->model->arena, &type->notes, text);
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

/* Whether a name has a NUL, which a string in C cannot have. */
static bool
have_nul(const struct memory_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct herald_text *name = names->items[i];

		if (memchr(name->data, '\0', name->bytes))
			return true;
	}
	return false;
}

/* Whether all names can be a literal: without a NUL, and no longer than C allows (C11 5.2.4.1). */
static bool
are_literals(const struct memory_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct herald_text *name = names->items[i];

		if (name->bytes > C_LITERAL_BYTES)
			return false;
	}
	return !have_nul(names);
}

/* Bytes that are the same for the same kind and names, which have no NUL. */
static struct herald_text
key_of(struct herald_arena *arena, const struct memory_list *names, char kind)
{
	size_t bytes = 1;

	for (size_t i = 0; i < names->count; i++)
		bytes += ((const struct herald_text *)names->items[i])->bytes + 1;
	char *key = memory_take(arena, bytes), *at = key;
	*at++ = kind;
	for (size_t i = 0; i < names->count; i++) {
		const struct herald_text *name = names->items[i];

		memcpy(at, name->data, name->bytes);
		at += name->bytes + 1;
	}
	return (struct herald_text){key, bytes};
}

const struct c_enum *
generate_enum(struct generation *generation, const struct view *view,
	      const struct memory_list *names, bool are_numbers, const char *hint)
{
	struct c_model *model = generation->model;

	struct herald_text key = key_of(model->arena, names, are_numbers ? '#' : '"');
	const struct c_enum *out = memory_map_get(&generation->enums, key);

	if (out)
		return out;
	if (view && view->name)
		hint = c_name_of(model->arena, (struct herald_text){view->name, strlen(view->name)},
				 hint);
	out = c_enum_add(model, c_name_take(model, hint), names, are_numbers);
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
	out->kind = have_nul(&names) ? C_TEXT : C_STRING;
	if (names.count == 0) {
		note(generation, out, "Never valid: no value is in every enum.");
	} else if (!are_literals(&names) || names.count > MAX_NAMES) {
		note(generation, out,
		     memory_print(generation->model->arena,
				  "Not checked: that it is one of %zu value%s.", names.count,
				  names.count == 1 ? "" : "s"));
	} else if (names.count == 1) {
		out->only = c_string(generation->model->arena,
				     *(const struct herald_text *)names.items[0]);
	} else {
		out->kind = C_ENUM;
		out->names = generate_enum(generation, view, &names, false, hint);
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
	/* In a table, 0 means no limit. */
	if (most == 0)
		out->only = "\"\"";
	/* A UUID has 36, unless other lengths were given: the format is an annotation. */
	if (is_uuid && least <= UUID_BYTES && most >= UUID_BYTES)
		out->min_bytes = out->max_bytes = UUID_BYTES;
	if (least > 1 || most < SIZE_MAX)
		note(generation, out, length_text(generation->model->arena, least, most));
}

/* Lengths of an enum or a time are not checked. */
static void
note_lengths(struct generation *generation, const struct view *view, struct c_type *out)
{
	bool has_min = view_get(view, "minLength") != NULL,
	     has_max = view_get(view, "maxLength") != NULL;

	if (has_min || has_max)
		note(generation, out,
		     has_min && has_max ? "Not checked: minLength, maxLength."
		     : has_min          ? "Not checked: minLength."
					: "Not checked: maxLength.");
}

static void
convert_string(struct generation *generation, const struct view *view, const char *hint,
	       struct c_type *out)
{
	const struct json_tree *format = view_get(view, "format");
	const struct json_tree *encoding = view_get(view, "contentEncoding");

	out->kind = C_STRING;
	if (convert_names(generation, view, hint, out)) {
		note_lengths(generation, view, out);
		return;
	}
	if (format && json_text_equal(format->text, "date-time")) {
		out->kind = C_TIME;
		note_lengths(generation, view, out);
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
		generate_integer(generation, view, hint, out);
	else if (is_number)
		generate_real(generation, view, out);
	else if (view->types == VIEW_BOOL)
		out->kind = C_BOOL;
	else
		return false;
	if (view->types == VIEW_BOOL && (values || view_get(view, "const")))
		note(generation, out, "Not checked: that it is always the same.");
	view_note_unchecked(view, generation->model->arena, view->types, false, &out->notes);
	return true;
}
