/*
 * Makes structs of objects: their members, and comments about what the struct does not say of its
 * object. Objects with alternatives are in generate_cases.c.
 */
#include "generate_schema.h"

#include "text.h"

/* Names of members in a comment. */
#define MAX_LISTED 16

void
generate_members(struct generation *generation, const struct view *view, const struct view *outer,
		 struct herald_text tag, struct c_struct *out)
{
	struct memory_list names = view_members(view);

	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		const struct herald_text *name = names.items[i];
		struct memory_list schemas = view_member(view, *name);
		struct view *inner = memory_take(generation->model->arena, sizeof(*inner));

		if (tag.data && json_texts_equal(*name, tag))
			continue;
		view_init_all(inner, view->files, view->work, &schemas);
		struct c_type type = generate_type(
			generation, inner, c_name_of(generation->model->arena, *name, "member"));
		bool is_required =
			view_requires(view, *name) || (outer && view_requires(outer, *name));
		/* In Herald, what is required is not null. */
		if (is_required && type.is_nullable)
			generate_note(generation, &type, "Not checked: that it is not missing.");
		struct c_member *member =
			c_struct_add(generation->model, out, *name, &type, is_required);
		member->doc = inner->doc;
	}
}

/* Append a name to a list for a comment, which has MAX_LISTED of them at most. */
static void
list_name(struct herald_arena *arena, const char **list, size_t *count, struct herald_text name)
{
	if (++*count <= MAX_LISTED)
		*list = memory_print(arena, "%s%s%s", *list, *count > 1 ? ", " : "", name.data);
}

/* Add a comment with a list of names, if it has any. */
static void
note_list(struct herald_arena *arena, const char *before, const char *list, size_t count,
	  struct memory_list *notes)
{
	if (count > MAX_LISTED)
		list = memory_print(arena, "%s and %zu more", list, count - MAX_LISTED);
	if (count > 0)
		memory_list_add(arena, notes, memory_print(arena, "%s: %s.", before, list));
}

bool
generate_is_closed(const struct view *view)
{
	if (view_left_out(view, true).count > 0)
		return false;
	for (size_t i = 0; i < view->count; i++)
		if (json_tree_is_false(json_tree_get(view->schemas[i], "additionalProperties")) &&
		    !json_tree_get(view->schemas[i], "patternProperties"))
			return true;
	return false;
}

void
generate_note_left_out(struct generation *generation, const struct view *view,
		       struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	struct memory_list names = view_left_out(view, false);
	const char *missing = "", *required = "";
	size_t missing_count = 0, required_count = 0;

	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		struct herald_text name = *(const struct herald_text *)names.items[i];

		if (view_requires(view, name))
			list_name(arena, &required, &required_count, name);
		else
			list_name(arena, &missing, &missing_count, name);
	}
	note_list(arena, "Never valid: it requires members that are never valid", required,
		  required_count, notes);
	if (!generate_is_closed(view))
		note_list(arena, "Not checked: that members are missing that are never valid",
			  missing, missing_count, notes);
	if (view_left_out(view, true).count > 0)
		memory_list_add(arena, notes,
				json_tree_is_false(view_get(view, "additionalProperties"))
					? "Left out: a member whose name has a NUL. Others are "
					  "not refused."
					: "Left out: a member whose name has a NUL.");
}

/* Whether some of the cases do not describe a member. There may be none. */
static bool
is_missing_in_case(const struct tagged *tagged, struct herald_text name)
{
	for (size_t i = 0; tagged && i < tagged->cases.count; i++)
		if (view_member(&((const struct tagged_case *)tagged->cases.items[i])->view, name)
			    .count == 0)
			return true;
	return !tagged;
}

void
generate_note_required(struct generation *generation, const struct view *view,
		       const struct view *outer, const struct tagged *tagged,
		       struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	struct memory_list names = view_required(view);
	const char *list = "";
	size_t count = 0;

	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		const struct herald_text *name = names.items[i];

		if (view_member(view, *name).count > 0 ||
		    (outer && view_member(outer, *name).count > 0) ||
		    !is_missing_in_case(tagged, *name))
			continue;
		list_name(arena, &list, &count, *name);
	}
	note_list(arena, "Not checked: required members without a schema", list, count, notes);
}

/* Whether one of the schemas of a view allows no members but its own, and others have more. */
static bool
has_forbidden_member(const struct view *view)
{
	struct memory_list names = view_members(view);

	for (size_t i = 0; i < view->count; i++) {
		const struct json_tree *own = json_tree_get(view->schemas[i], "properties");

		if (!json_tree_is_false(json_tree_get(view->schemas[i], "additionalProperties")))
			continue;
		for (size_t j = 0; j < names.count && view_work(view->work, 1); j++)
			if (!json_tree_find(own, *(const struct herald_text *)names.items[j]))
				return true;
	}
	return false;
}

bool
generate_says_something(const struct view *view, struct herald_arena *arena)
{
	struct memory_list notes = {0};

	view_note_unchecked(view, arena, view->types, true, &notes);
	return view->types == 0 || view->union_ || notes.count > 0;
}

/* Whether a schema of a view has a schema for members that are not in the struct, or forbids them,
 * which the struct does not. */
static bool
has_unchecked_additional(const struct view *view, struct herald_arena *arena)
{
	for (size_t i = 0; i < view->count && view_work(view->work, 1); i++) {
		const struct json_tree *more =
			json_tree_get(view->schemas[i], "additionalProperties");

		if (json_tree_is_false(more))
			return !generate_is_closed(view) && view_left_out(view, true).count == 0;
		if (!more || more->type != HERALD_JSON_OBJECT)
			continue;
		struct view *value = memory_take(arena, sizeof(*value));
		view_init(value, view->files, view->work, more);
		if (value->types != VIEW_ANY || !value->is_nullable ||
		    generate_says_something(value, arena))
			return true;
	}
	return false;
}

void
generate_note_object(struct generation *generation, const struct view *view,
		     struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *more = view_get(view, "additionalProperties");

	view_note_unchecked(view, arena, VIEW_OBJECT, false, notes);
	generate_note_left_out(generation, view, notes);
	if (view_get(view, "patternProperties") || (more && more->type == HERALD_JSON_OBJECT))
		memory_list_add(arena, notes, "Other members are not kept.");
	if (has_forbidden_member(view))
		memory_list_add(arena, notes,
				"Not checked: additionalProperties, which forbids some of these.");
	else if (has_unchecked_additional(view, arena))
		memory_list_add(arena, notes, "Not checked: additionalProperties.");
	if (view_get(view, "minProperties") || view_get(view, "maxProperties"))
		memory_list_add(arena, notes, "Not checked: the number of members.");
}

struct c_struct *
generate_struct(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_struct *out = generate_find_made(generation, view, MADE_STRUCT);

	if (out)
		return out;
	out = generate_begin_made(generation, view, MADE_STRUCT,
				  generate_name_of(generation, view, hint));
	out->doc = view->doc;
	out->rejects_unknown = generate_is_closed(view);
	generate_note_object(generation, view, &out->notes);
	generate_note_required(generation, view, NULL, NULL, &out->notes);
	/* It may be one of a base schema, whose alternatives are not known. */
	if (view_get(view, "discriminator"))
		memory_list_add(generation->model->arena, &out->notes,
				"Not checked: discriminator.");
	if (view->union_) {
		struct tagged tagged;
		const char *why = generate_tagged(generation, view, &tagged);

		memory_list_add(generation->model->arena, &out->notes,
				memory_print(generation->model->arena,
					     "Members that only the alternatives of %s have are "
					     "not in this struct: %s.",
					     view->union_name, why ? why : "they are elsewhere"));
	}
	generate_members(generation, view, NULL, (struct herald_text){0}, out);
	c_struct_end(generation->model, out);
	return out;
}
