/*
 * Makes lists, arrays and maps of arrays and objects, and the structs around their elements.
 */
#include "generate_schema.h"

#include "text.h"

static bool
is_map(const struct view *view)
{
	return view->types == VIEW_OBJECT && !generate_is_struct(view) && !view->union_;
}

/* Structs around values. */

struct c_struct *
generate_wrapper(struct generation *generation, const struct view *view, const char *hint)
{
	enum made_as as = view->is_nullable ? MADE_NULLABLE_WRAPPER : MADE_WRAPPER;
	struct c_struct *out = generate_find_made(generation, view, as);

	if (out)
		return out;
	out = generate_begin_made(generation, view, as, generate_name_of(generation, view, hint));
	out->is_transparent = true;
	out->doc = view->doc;
	struct c_type type = generate_type(generation, view, hint);
	c_struct_add(generation->model, out, text_of(type.kind == C_LIST ? "items" : "value"),
		     &type, !type.is_nullable);
	c_struct_end(generation->model, out);
	return out;
}

/* The members of a map: a key, and the value. */
static struct c_struct *
convert_entry(struct generation *generation, const struct view *map, const struct view *value,
	      const char *hint)
{
	struct c_struct *out = generate_find_made(generation, map, MADE_ENTRY);

	if (out)
		return out;
	char *name = c_name_singular(generation->model->arena, hint);
	out = generate_begin_made(generation, map, MADE_ENTRY,
				  memory_print(generation->model->arena, "%s_entry", name));
	out->is_transparent = true;
	c_struct_add_key(generation->model, out);
	struct c_type type = generate_type(generation, value, name);
	struct c_member *member =
		c_struct_add(generation->model, out, text_of("value"), &type, true);
	member->doc = value->doc;
	member->is_required = !type.is_nullable;
	c_struct_end(generation->model, out);
	return out;
}

/* An element: lists, arrays, maps, and most values that may be null, are in structs. */
static struct c_type
convert_element(struct generation *generation, const struct view *view, const char *hint)
{
	bool is_any = view->types == VIEW_ANY || view->types == 0;
	bool needs_struct = view->types == VIEW_ARRAY || is_map(view) ||
			    (view->is_nullable && !is_any && view->types != VIEW_STRING);
	struct c_type type = {.kind = C_STRUCT};

	if (!needs_struct)
		type = generate_type(generation, view, hint);
	/* Of strings, only plain ones may be null in a list. */
	if (type.kind == C_JSON || (!needs_struct && (!type.is_nullable || type.kind == C_STRING)))
		return type;
	type = (struct c_type){
		.kind = C_STRUCT,
		.target = generate_wrapper(
			generation, view, memory_print(generation->model->arena, "%s_item", hint))};
	return type;
}

/* Lists. */

/* The bounds of a list or map. In a table, 0 means no limit. */
static void
set_counts(struct generation *generation, const struct view *view, struct c_type *type,
	   const char *min, const char *max)
{
	for (size_t i = 0; i < view->count; i++) {
		size_t least = json_tree_count(view->schemas[i], min, 0);
		size_t most = json_tree_count(view->schemas[i], max, SIZE_MAX);

		if (least > type->min_count)
			type->min_count = least;
		if (most == 0)
			generate_note(
				generation, type,
				memory_print(generation->model->arena, "Not checked: %s 0.", max));
		else if (most < SIZE_MAX && (type->max_count == 0 || most < type->max_count))
			type->max_count = most;
	}
	if (type->max_count > 0 && type->min_count > type->max_count) {
		generate_note(generation, type,
			      memory_print(generation->model->arena,
					   "Never valid: %s %zu is greater than %s %zu.", min,
					   type->min_count, max, type->max_count));
		type->min_count = type->max_count = 0;
	}
}

/* The schema of all elements; NULL if they have different ones, or any. */
static const struct json_tree *
items_of(const struct view *view)
{
	const struct json_tree *items = view_get(view, "items");

	if (!items || items->type == HERALD_JSON_ARRAY || view_get(view, "prefixItems"))
		return NULL;
	return items;
}

struct c_type
generate_array(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *items = items_of(view);
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (!items) {
		generate_note(generation, &type,
			      view_get(view, "prefixItems") || view_get(view, "items")
				      ? "An array with a schema for each element."
				      : "An array of anything.");
		view_note_unchecked(view, arena, VIEW_ARRAY, true, &type.notes);
		return type;
	}
	struct view *inner = memory_take(arena, sizeof(*inner));
	view_init(inner, view->files, view->work, items);
	struct c_type *element = memory_take(arena, sizeof(*element));
	*element = convert_element(generation, inner, c_name_singular(arena, hint));
	type.kind = C_LIST;
	type.element = element;
	set_counts(generation, view, &type, "minItems", "maxItems");
	if (type.min_count == type.max_count && type.min_count > 0 && type.min_count <= 16 &&
	    (element->kind == C_NUMBER || element->kind == C_BOOL)) {
		type.kind = C_ARRAY;
		type.count = type.min_count;
		type.min_count = type.max_count = 0;
	}
	view_note_unchecked(view, arena, VIEW_ARRAY, false, &type.notes);
	if (inner->types == 0 && !inner->is_nullable) {
		generate_note(generation, &type,
			      "Not checked: that it is empty. No element is valid.");
		return type;
	}
	for (size_t i = 0; element->kind != C_STRUCT && i < element->notes.count; i++)
		generate_note(generation, &type, element->notes.items[i]);
	return type;
}

/* Maps. */

struct c_type
generate_map(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *more = view_get(view, "additionalProperties");
	const struct json_tree *patterns = view_get(view, "patternProperties");
	struct c_type type = {.kind = C_JSON_MAP, .is_nullable = view->is_nullable};

	if (patterns && patterns->count == 1 && (!more || json_tree_is_false(more)))
		more = &patterns->members[0].value;
	/* Names of a map have no NUL. */
	if (view_left_out(view, true).count > 0) {
		type.kind = C_JSON;
		generate_note(generation, &type, "Raw JSON: the name of a member has a NUL.");
		view_note_unchecked(view, arena, VIEW_OBJECT, true, &type.notes);
		return type;
	}
	set_counts(generation, view, &type, "minProperties", "maxProperties");
	view_note_unchecked(view, arena, VIEW_OBJECT, false, &type.notes);
	generate_note_left_out(generation, view, &type.notes);
	generate_note_required(generation, view, NULL, NULL, &type.notes);
	if (generate_is_closed(view) ||
	    (patterns && json_tree_is_false(view_get(view, "additionalProperties"))))
		generate_note(generation, &type, "Not checked: additionalProperties.");
	if (view_members(view).count > GENERATE_MAX_MEMBERS)
		generate_note(generation, &type, "An object with more than 1,000 known members.");
	if (view_members(view).count > GENERATE_MAX_MEMBERS || !more ||
	    more->type != HERALD_JSON_OBJECT)
		return type;
	struct view *value = memory_take(arena, sizeof(*value));
	view_init(value, view->files, view->work, more);
	struct tagged tagged;
	if (value->types == VIEW_ANY || value->types == 0 ||
	    (value->union_ && generate_tagged(generation, value, &tagged))) {
		if (more == view_get(view, "additionalProperties") &&
		    generate_says_something(value, arena))
			generate_note(generation, &type, "Not checked: additionalProperties.");
		return type;
	}
	if (!view_get(view, "additionalProperties"))
		generate_note(
			generation, &type,
			"Refused: members of other types whose names do not match the pattern.");
	type.kind = C_MAP;
	type.target = convert_entry(generation, view, value, hint);
	return type;
}
