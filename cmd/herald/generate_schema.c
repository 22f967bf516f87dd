/*
 * Makes structs of JSON Schemas: objects, lists, maps, and the alternatives that remain raw JSON.
 * Single values are in generate_value.c, and what several schemas say together in generate_view.c.
 */
#include "generate_schema.h"

#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "generate.h"
#include "text.h"

/* Structs within structs; deeper ones are raw JSON. */
#define MAX_DEPTH 100
#define MAX_MEMBERS 1000
/* Names of structs in a comment. */
#define MAX_LISTED 16

/* What a struct was made for: the same schemas can need several. */
enum made_as { MADE_STRUCT, MADE_WRAPPER, MADE_NULLABLE_WRAPPER, MADE_ENTRY, MADE_TAGGED };

static struct c_type
convert(struct generation *generation, const struct view *view, const char *hint);
static struct c_struct *
convert_object(struct generation *generation, const struct view *view, const char *hint);

static void
note(struct generation *generation, struct c_type *type, const char *text)
{
	memory_list_add(generation->model->arena, &type->notes, text);
}

static struct c_struct *
find_made(const struct generation *generation, const struct view *view, enum made_as as)
{
	if (view->count == 0)
		return NULL;
	return (struct c_struct *)memory_map_get(&generation->made, view_key(view, as));
}

/* Begin a struct, so that what is in it can refer to it. */
static struct c_struct *
begin_made(struct generation *generation, const struct view *view, enum made_as as,
	   const char *hint)
{
	const char *name = generation->root_name;

	generation->root_name = NULL;
	if (!name)
		name = c_name_take(generation->model, hint);
	struct c_struct *out = c_struct_begin(generation->model, name);
	memory_map_set(generation->model->arena, &generation->made, view_key(view, as), out);
	return out;
}

/* The name of a definition, or of the member. */
static const char *
name_of(struct generation *generation, const struct view *view, const char *hint)
{
	if (!view->name)
		return hint;
	return c_name_of(generation->model->arena, text_of(view->name), hint);
}

static bool
is_struct(const struct view *view)
{
	const struct json_tree *properties = view_get(view, "properties");

	return view->types == VIEW_OBJECT && properties && view_members(view).count > 0 &&
	       view_members(view).count <= MAX_MEMBERS;
}

static bool
is_map(const struct view *view)
{
	return view->types == VIEW_OBJECT && !is_struct(view) && !view->union_;
}

/* Members. */

/*
 * Add the members of a view.
 *
 * outer  the view of the same object with the alternatives, one of which this is; NULL: none.
 * tag    a member that is left out: it was added, or is elsewhere.
 */
static void
add_members(struct generation *generation, const struct view *view, const struct view *outer,
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
		struct c_type type = convert(generation, inner,
					     c_name_of(generation->model->arena, *name, "member"));
		bool is_required =
			view_requires(view, *name) || (outer && view_requires(outer, *name));
		/* In Herald, what is required is not null. */
		if (is_required && type.is_nullable)
			note(generation, &type, "Not checked: that it is not missing.");
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

/* Whether a schema of a view allows no members but its own, all of which the struct has. Members of
 * the other schemas are never valid then, but may be in the struct. */
static bool
is_closed(const struct view *view)
{
	if (view_left_out(view, true).count > 0)
		return false;
	for (size_t i = 0; i < view->count; i++)
		if (json_tree_is_false(json_tree_get(view->schemas[i], "additionalProperties")) &&
		    !json_tree_get(view->schemas[i], "patternProperties"))
			return true;
	return false;
}

/* Name the members that are not in the struct, as they are never valid or have a NUL in their name.
 */
static void
note_left_out(struct generation *generation, const struct view *view, struct memory_list *notes)
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
	if (!is_closed(view))
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

/*
 * Name required members that no schema describes: they are not in the struct.
 *
 * outer   as in add_members().
 * tagged  the cases of the view, which may describe them; NULL: none.
 */
static void
note_required(struct generation *generation, const struct view *view, const struct view *outer,
	      const struct tagged *tagged, struct memory_list *notes)
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

/* Whether there are values that a view does not allow. */
static bool
says_something(const struct view *view, struct herald_arena *arena)
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
			return !is_closed(view) && view_left_out(view, true).count == 0;
		if (!more || more->type != HERALD_JSON_OBJECT)
			continue;
		struct view *value = memory_take(arena, sizeof(*value));
		view_init(value, view->files, view->work, more);
		if (value->types != VIEW_ANY || !value->is_nullable || says_something(value, arena))
			return true;
	}
	return false;
}

/* What a struct does not say of its object. */
static void
note_object(struct generation *generation, const struct view *view, struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *more = view_get(view, "additionalProperties");

	view_note_unchecked(view, arena, VIEW_OBJECT, false, notes);
	note_left_out(generation, view, notes);
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

static struct c_struct *
convert_struct(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_struct *out = find_made(generation, view, MADE_STRUCT);

	if (out)
		return out;
	out = begin_made(generation, view, MADE_STRUCT, name_of(generation, view, hint));
	out->doc = view->doc;
	out->rejects_unknown = is_closed(view);
	note_object(generation, view, &out->notes);
	note_required(generation, view, NULL, NULL, &out->notes);
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
	add_members(generation, view, NULL, (struct herald_text){0}, out);
	c_struct_end(generation->model, out);
	return out;
}

/* Tagged unions. */

/* Whether an alternative has members besides the tag. */
static bool
has_other_members(const struct tagged *tagged, const struct tagged_case *one)
{
	struct memory_list names = view_members(&one->view);

	for (size_t i = 0; i < names.count; i++)
		if (!json_texts_equal(*(const struct herald_text *)names.items[i], tagged->tag))
			return true;
	return false;
}

/* The struct of an alternative of `view`, without the tag; NULL if it has no other members. */
static struct c_struct *
convert_case(struct generation *generation, const struct view *view, const struct tagged *tagged,
	     const struct tagged_case *one, const char *hint)
{
	struct c_model *model = generation->model;
	const char *title = json_tree_string(one->schema, "title");

	if (!has_other_members(tagged, one))
		return NULL;
	if (title && strlen(title) < 40)
		hint = c_name_of(model->arena, text_of(title), hint);
	struct c_struct *out =
		c_struct_begin(model, c_name_take(model, name_of(generation, &one->view, hint)));
	out->doc = one->view.doc;
	note_object(generation, &one->view, &out->notes);
	note_required(generation, &one->view, view, NULL, &out->notes);
	add_members(generation, &one->view, view, tagged->tag, out);
	c_struct_end(model, out);
	return out;
}

/* Add the enum that is the tag. Returns its name. */
static const char *
add_tag(struct generation *generation, const struct tagged *tagged, struct c_struct *out)
{
	struct c_model *model = generation->model;
	struct memory_list names = {0};
	const char *hint = memory_print(model->arena, "%s_%s",
					out->name + strlen(model->name) +
						(strcmp(out->name, model->name) != 0),
					c_name_of(model->arena, tagged->tag, "tag"));

	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct memory_list *values =
			&((const struct tagged_case *)tagged->cases.items[i])->values;

		for (size_t j = 0; j < values->count; j++)
			memory_list_add(model->arena, &names, values->items[j]);
	}
	struct c_type type = {.kind = C_ENUM,
			      .names = generate_enum(generation, NULL, &names, tagged->is_numeric,
						     *hint == '_' ? hint + 1 : hint)};
	return c_struct_add(model, out, tagged->tag, &type, true)->name;
}

/* The view of a member of an alternative. */
static struct view *
view_of_member(struct generation *generation, const struct tagged_case *one,
	       struct herald_text name)
{
	struct view *out = memory_take(generation->model->arena, sizeof(*out));
	struct memory_list schemas = view_member(&one->view, name);

	view_init_all(out, generation->files, &generation->work, &schemas);
	return out;
}

/* Whether an alternative has this member and the tag only, as a struct, and nothing else to say. */
static bool
is_only_member(struct generation *generation, const struct tagged *tagged,
	       const struct tagged_case *one, struct herald_text name)
{
	struct memory_list notes = {0};
	struct tagged inner;
	const struct view *member = view_of_member(generation, one, name);

	view_note_unchecked(&one->view, generation->model->arena, VIEW_OBJECT, false, &notes);
	note_left_out(generation, &one->view, &notes);
	return view_members(&one->view).count ==
		       1 + (view_member(&one->view, tagged->tag).count > 0) &&
	       view_member(&one->view, name).count > 0 && notes.count == 0 &&
	       !member->is_nullable && member->types == VIEW_OBJECT &&
	       (member->union_ ? !generate_tagged(generation, member, &inner) : is_struct(member));
}

/*
 * The member that has the alternatives: the only one besides the tag, in all that have another.
 * Returns false if it is not in a member of its own, but in the same object as the tag.
 */
static bool
find_body(struct generation *generation, const struct view *view, const struct tagged *tagged,
	  struct herald_text *name, bool *is_required)
{
	*name = (struct herald_text){0};
	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct tagged_case *one = tagged->cases.items[i];
		struct memory_list names = view_members(&one->view);

		for (size_t j = 0; j < names.count && view_work(view->work, 1); j++) {
			const struct herald_text *other = names.items[j];

			if (json_texts_equal(*other, tagged->tag))
				continue;
			bool requires =
				view_requires(&one->view, *other) || view_requires(view, *other);
			if (!name->data) {
				*name = *other;
				*is_required = requires;
			}
			if (!json_texts_equal(*other, *name) || requires != *is_required ||
			    !is_only_member(generation, tagged, one, *name))
				return false;
		}
	}
	return name->data && strlen(name->data) == name->bytes;
}

/* The words of a name of a case: the first value of its tag, -1 as in the name of an enumerator. */
static struct herald_text
words_of_case(struct generation *generation, const struct tagged *tagged,
	      const struct tagged_case *one)
{
	const struct herald_text *value = one->values.items[0];

	if (!tagged->is_numeric || *value->data != '-')
		return *value;
	return text_of(memory_print(generation->model->arena, "n_minus_%s", value->data + 1));
}

/* Add a case to a union. */
static void
add_case(struct generation *generation, const struct tagged *tagged, const struct tagged_case *one,
	 const struct c_struct *target, bool is_pointer, struct memory_map *used,
	 struct c_type *type)
{
	struct c_model *model = generation->model;
	struct c_case *made = memory_take(model->arena, sizeof(*made));

	*made = (struct c_case){
		.name = c_member_name_take(model, used, words_of_case(generation, tagged, one)),
		.values = one->values,
		.target = target,
		.is_pointer = is_pointer,
	};
	memory_list_add(model->arena, &type->cases, made);
}

/* What an alternative without a struct would have said in its comment. */
static void
note_case(struct generation *generation, const struct view *view, const struct tagged_case *one,
	  bool is_flat, struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	const struct herald_text *value = one->values.items[0];
	struct memory_list inner = {0};

	if (is_flat)
		note_object(generation, &one->view, &inner);
	note_required(generation, &one->view, view, NULL, &inner);
	for (size_t i = 0; i < inner.count; i++)
		memory_list_add(arena, notes,
				memory_print(arena, "With the tag \"%s\": %s", value->data,
					     (const char *)inner.items[i]));
}

/* The union of a struct, in a member of its own, or flat. */
static void
add_union(struct generation *generation, const struct view *view, const struct tagged *tagged,
	  const char *hint, const char *tag, struct c_struct *out)
{
	struct c_model *model = generation->model;
	struct c_type type = {.kind = C_UNION, .tag = tag};
	struct herald_text body;
	struct memory_map used = {0};
	bool is_required = true;

	type.is_flat = !find_body(generation, view, tagged, &body, &is_required);
	is_required |= type.is_flat;
	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct tagged_case *one = tagged->cases.items[i];
		const char *name =
			c_name_of(model->arena, words_of_case(generation, tagged, one), "other");
		const struct c_struct *target = NULL;

		if (hint)
			name = memory_print(model->arena, "%s_%s", hint, name);
		if (type.is_flat)
			target = convert_case(generation, view, tagged, one, name);
		else if (view_member(&one->view, body).count > 0)
			target = convert_object(generation, view_of_member(generation, one, body),
						name);
		if (target)
			add_case(generation, tagged, one, target,
				 !type.is_flat && (!is_required || !target->is_complete), &used,
				 &type);
		if (!target || !type.is_flat)
			note_case(generation, view, one, type.is_flat, &out->notes);
	}
	if (type.cases.count > 0)
		c_struct_add(model, out, type.is_flat ? text_of("body") : body, &type, is_required);
}

/* A struct with the tag, the members that all have, and a union of the others. */
static struct c_struct *
convert_tagged(struct generation *generation, const struct view *view, const struct tagged *tagged,
	       const char *hint)
{
	struct c_model *model = generation->model;
	struct c_struct *out = find_made(generation, view, MADE_TAGGED);
	bool is_root = generation->root_name != NULL;
	size_t closed = 0;

	if (out)
		return out;
	hint = name_of(generation, view, hint);
	out = begin_made(generation, view, MADE_TAGGED, hint);
	out->doc = view->doc;
	const char *tag = add_tag(generation, tagged, out);
	note_object(generation, view, &out->notes);
	note_required(generation, view, NULL, tagged, &out->notes);
	add_members(generation, view, NULL, tagged->tag, out);
	for (size_t i = 0; i < tagged->cases.count; i++)
		closed += is_closed(&((const struct tagged_case *)tagged->cases.items[i])->view);
	out->rejects_unknown = is_closed(view) || closed == tagged->cases.count;
	if (closed > 0 && !out->rejects_unknown)
		memory_list_add(model->arena, &out->notes,
				"Not checked: additionalProperties of some alternatives.");
	add_union(generation, view, tagged, is_root ? NULL : hint, tag, out);
	c_struct_end(model, out);
	return out;
}

/* An object, with or without alternatives; NULL if it is not a struct. */
static struct c_struct *
convert_object(struct generation *generation, const struct view *view, const char *hint)
{
	struct tagged tagged;

	if (view->union_ && !generate_tagged(generation, view, &tagged))
		return convert_tagged(generation, view, &tagged, hint);
	return is_struct(view) ? convert_struct(generation, view, hint) : NULL;
}

/* Structs around values. */

/* A struct whose JSON is the value of its only member. */
static struct c_struct *
convert_wrapper(struct generation *generation, const struct view *view, const char *hint)
{
	enum made_as as = view->is_nullable ? MADE_NULLABLE_WRAPPER : MADE_WRAPPER;
	struct c_struct *out = find_made(generation, view, as);

	if (out)
		return out;
	out = begin_made(generation, view, as, name_of(generation, view, hint));
	out->is_transparent = true;
	out->doc = view->doc;
	struct c_type type = convert(generation, view, hint);
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
	struct c_struct *out = find_made(generation, map, MADE_ENTRY);

	if (out)
		return out;
	char *name = c_name_singular(generation->model->arena, hint);
	out = begin_made(generation, map, MADE_ENTRY,
			 memory_print(generation->model->arena, "%s_entry", name));
	out->is_transparent = true;
	c_struct_add_key(generation->model, out);
	struct c_type type = convert(generation, value, name);
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
		type = convert(generation, view, hint);
	/* Of strings, only plain ones may be null in a list. */
	if (type.kind == C_JSON || (!needs_struct && (!type.is_nullable || type.kind == C_STRING)))
		return type;
	type = (struct c_type){
		.kind = C_STRUCT,
		.target = convert_wrapper(generation, view,
					  memory_print(generation->model->arena, "%s_item", hint))};
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
			note(generation, type,
			     memory_print(generation->model->arena, "Not checked: %s 0.", max));
		else if (most < SIZE_MAX && (type->max_count == 0 || most < type->max_count))
			type->max_count = most;
	}
	if (type->max_count > 0 && type->min_count > type->max_count) {
		note(generation, type,
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

static struct c_type
convert_array(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	const struct json_tree *items = items_of(view);
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (!items) {
		note(generation, &type,
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
		note(generation, &type, "Not checked: that it is empty. No element is valid.");
		return type;
	}
	for (size_t i = 0; element->kind != C_STRUCT && i < element->notes.count; i++)
		note(generation, &type, element->notes.items[i]);
	return type;
}

/* Maps. */

static struct c_type
convert_map(struct generation *generation, const struct view *view, const char *hint)
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
		note(generation, &type, "Raw JSON: the name of a member has a NUL.");
		view_note_unchecked(view, arena, VIEW_OBJECT, true, &type.notes);
		return type;
	}
	set_counts(generation, view, &type, "minProperties", "maxProperties");
	view_note_unchecked(view, arena, VIEW_OBJECT, false, &type.notes);
	note_left_out(generation, view, &type.notes);
	note_required(generation, view, NULL, NULL, &type.notes);
	if (is_closed(view) ||
	    (patterns && json_tree_is_false(view_get(view, "additionalProperties"))))
		note(generation, &type, "Not checked: additionalProperties.");
	if (view_members(view).count > MAX_MEMBERS)
		note(generation, &type, "An object with more than 1,000 known members.");
	if (view_members(view).count > MAX_MEMBERS || !more || more->type != HERALD_JSON_OBJECT)
		return type;
	struct view *value = memory_take(arena, sizeof(*value));
	view_init(value, view->files, view->work, more);
	struct tagged tagged;
	if (value->types == VIEW_ANY || value->types == 0 ||
	    (value->union_ && generate_tagged(generation, value, &tagged))) {
		if (more == view_get(view, "additionalProperties") && says_something(value, arena))
			note(generation, &type, "Not checked: additionalProperties.");
		return type;
	}
	if (!view_get(view, "additionalProperties"))
		note(generation, &type,
		     "Refused: members of other types whose names do not match the pattern.");
	type.kind = C_MAP;
	type.target = convert_entry(generation, view, value, hint);
	return type;
}

/* Alternatives. */

/* The structs of alternatives, for who wants to decode them: "struct a, struct b". */
static const char *
list_alternatives(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	const char *out = "";
	size_t count = 0;

	for (size_t i = 0; i < view->union_->count && view_work(view->work, 1); i++) {
		struct view *inner = memory_take(arena, sizeof(*inner));

		view_init(inner, view->files, view->work, &view->union_->items[i]);
		if (!is_struct(inner))
			continue;
		const char *title = json_tree_string(&view->union_->items[i], "title");
		const char *name = title && strlen(title) < 40
					   ? c_name_of(arena, text_of(title), hint)
					   : memory_print(arena, "%s_%zu", hint, i + 1);
		name = convert_object(generation, inner, name)->name;
		if (++count <= MAX_LISTED)
			out = memory_print(arena, "%s%sstruct %s", out, count > 1 ? ", " : "",
					   name);
	}
	if (count > MAX_LISTED)
		out = memory_print(arena, "%s and %zu more", out, count - MAX_LISTED);
	return out;
}

static struct c_type
convert_union(struct generation *generation, const struct view *view, const char *hint)
{
	struct herald_arena *arena = generation->model->arena;
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};
	const char *structs = list_alternatives(generation, view, hint);
	struct tagged tagged;

	if (*structs == '\0') {
		note(generation, &type,
		     memory_print(arena, "One of the alternatives of %s.", view->union_name));
		view_note_unchecked(view, arena, view->types, true, &type.notes);
		return type;
	}
	note(generation, &type,
	     memory_print(arena, "One of %s: decode it with herald_context_decode().", structs));
	const char *why = generate_tagged(generation, view, &tagged);
	note(generation, &type,
	     memory_print(arena, "Not a union: %s.", why ? why : "it is nested too deep"));
	view_note_unchecked(view, arena, view->types, true, &type.notes);
	return type;
}

/* "string or integer" */
static const char *
list_types(struct herald_arena *arena, unsigned types)
{
	static const struct {
		const char *name;
		unsigned type;
	} names[] = {
		{"a boolean", VIEW_BOOL},
		{"a string", VIEW_STRING},
		{"an array", VIEW_ARRAY},
		{"an object", VIEW_OBJECT},
	};
	const char *out = types & VIEW_NUMBER    ? "a number"
			  : types & VIEW_INTEGER ? "an integer"
						 : "";

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (types & names[i].type)
			out = memory_print(arena, "%s%s%s", out, *out != '\0' ? " or " : "",
					   names[i].name);
	return out;
}

static struct c_type
convert_any(struct generation *generation, const struct view *view)
{
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (view->types == 0)
		note(generation, &type, view->is_nullable ? "Always null." : "Never valid.");
	else if (view->types != VIEW_ANY)
		note(generation, &type,
		     memory_print(generation->model->arena, "Raw JSON: %s%s.",
				  list_types(generation->model->arena, view->types),
				  view->is_nullable ? " or null" : ""));
	if (view->types != 0)
		view_note_unchecked(view, generation->model->arena, view->types, true, &type.notes);
	return type;
}

static struct c_type
convert_now(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_type type = {.kind = C_STRUCT, .is_nullable = view->is_nullable};

	type.target = convert_object(generation, view, hint);
	if (type.target)
		return type;
	if (view->union_ && view->types != 0)
		return convert_union(generation, view, hint);
	if (view->types == VIEW_OBJECT)
		return convert_map(generation, view, hint);
	if (view->types == VIEW_ARRAY)
		return convert_array(generation, view, hint);
	return convert_any(generation, view);
}

static struct c_type
convert(struct generation *generation, const struct view *view, const char *hint)
{
	struct c_type type = {.kind = C_JSON, .is_nullable = view->is_nullable};

	if (generate_value(generation, view, hint, &type))
		return type;
	if (generation->depth == MAX_DEPTH)
		note(generation, &type,
		     "Raw JSON, none of which is checked: it is nested deeper than 100 levels.");
	if (generation->depth == MAX_DEPTH || !view_work(&generation->work, 1))
		return type;
	generation->depth++;
	type = convert_now(generation, view, hint);
	generation->depth--;
	return type;
}

/* Whether values have one type only. "number" is integers, too. */
static bool
is_one_type(unsigned types)
{
	return types == (VIEW_INTEGER | VIEW_NUMBER) || (types & (types - 1)) == 0;
}

/*
 * The struct of a payload; NULL if it is raw JSON, which *notes says.
 *
 * name  of the struct; NULL: the one of the definition that the schema refers to, or `hint`.
 */
static const struct c_struct *
convert_payload(struct generation *generation, const struct json_tree *schema, const char *name,
		const char *hint, struct memory_list *notes)
{
	struct view *view = memory_take(generation->model->arena, sizeof(*view));
	struct c_struct *out;

	view_init(view, generation->files, &generation->work, schema);
	generation->root_name = name;
	out = convert_object(generation, view, hint);
	if (out) {
		if (view->is_nullable)
			memory_list_add(generation->model->arena, &out->notes,
					"Refused: a payload that is null.");
	} else if (view->union_ || view->types == 0 || !is_one_type(view->types)) {
		generation->root_name = NULL;
		struct c_type type = convert(generation, view, hint);

		*notes = type.notes;
		return NULL;
	} else {
		out = convert_wrapper(generation, view, hint);
	}
	generation->root_name = NULL;
	return out;
}

/* The views of the definitions in a folder that are structs or tagged unions. */
static void
add_definitions(struct generation *generation, const struct json_tree *map,
		struct memory_list *structs, struct memory_list *unions)
{
	struct herald_arena *arena = generation->model->arena;

	for (size_t i = 0; map && map->type == HERALD_JSON_OBJECT && i < map->count; i++) {
		const struct json_tree *definition = &map->members[i].value;

		/* In draft-07, $defs is not a keyword: nobody checked what is in it. */
		if (!schema_place_of(definition) || !schema_place_of(definition)->is_checked)
			continue;
		struct view *view = memory_take(arena, sizeof(*view));
		view_init(view, generation->files, &generation->work, definition);
		if (view->union_ || is_struct(view))
			memory_list_add(arena, view->union_ ? unions : structs, view);
	}
}

/* Structs of all definitions, for a file that is a collection of them. Unions are last: their cases
 * do not take the names of other definitions. */
static void
convert_definitions(struct generation *generation, const struct json_tree *schema)
{
	struct memory_list structs = {0}, unions = {0};

	add_definitions(generation, json_tree_get(schema, "$defs"), &structs, &unions);
	add_definitions(generation, json_tree_get(schema, "definitions"), &structs, &unions);
	for (size_t i = 0; i < structs.count; i++)
		convert_object(generation, structs.items[i], "definition");
	for (size_t i = 0; i < unions.count; i++)
		convert_object(generation, unions.items[i], "definition");
}

bool
generate_schema(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		const struct json_tree *schema)
{
	struct generation generation = {
		.model = model, .files = files, .work = {.max_steps = max_steps}};
	struct memory_list notes = {0};

	c_name_use(model->arena, &model->used, model->name);
	model->doc = json_tree_string(schema, "title");
	if (convert_payload(&generation, schema, model->name, "payload", &notes))
		return view_work(&generation.work, 0);
	convert_definitions(&generation, schema);
	memory_list_add(model->arena, &model->notes,
			"The payload is raw JSON, struct herald_json: use herald_json_schema.");
	for (size_t i = 0; i < notes.count; i++)
		memory_list_add(model->arena, &model->notes, notes.items[i]);
	return view_work(&generation.work, 0);
}

/* The route of an event type that was added; NULL: none. */
static struct c_route *
find_route(const struct c_model *model, const char *type)
{
	for (size_t i = 0; i < model->routes.count; i++) {
		struct c_route *route = (struct c_route *)model->routes.items[i];

		if (strcmp(route->type, type) == 0)
			return route;
	}
	return NULL;
}

/*
 * Add the route of a message. A service has one for each event type.
 *
 * notes  about a payload that is raw JSON.
 */
static void
add_route(struct c_model *model, const struct asyncapi_message *message,
	  const struct c_struct *payload, const struct memory_list *notes,
	  struct memory_map *functions)
{
	struct herald_arena *arena = model->arena;
	struct c_route *route = find_route(model, message->type);

	if (!route) {
		route = memory_take(arena, sizeof(*route));
		route->type = message->type;
		route->payload = payload;
		route->function = c_name_take_free(
			arena, functions,
			memory_print(arena, "on_%s",
				     c_name_of(arena, text_of(message->type), "event")));
		memory_list_add(arena, &model->routes, route);
	} else if (route->payload != payload) {
		memory_list_add(arena, &route->notes,
				memory_print(arena, "Another message of the type \"%s\" is %s%s.",
					     message->type, payload ? "a struct " : "raw JSON",
					     payload ? payload->name : ""));
	}
	for (size_t i = 0; i < notes->count; i++)
		memory_list_add(arena, &route->notes,
				memory_print(arena, "Payloads of \"%s\": %s", message->type,
					     (const char *)notes->items[i]));
	if (message->format)
		memory_list_add(
			arena, &route->notes,
			memory_print(arena,
				     "Raw JSON: \"%s\", whose schemaFormat is %s: only JSON "
				     "Schema is supported.",
				     message->type, message->format));
}

bool
generate_messages(struct c_model *model, struct schema_files *files, uint64_t max_steps,
		  const struct memory_list *messages)
{
	struct generation generation = {
		.model = model, .files = files, .work = {.max_steps = max_steps}};
	struct memory_map functions = {0};

	for (size_t i = 0; i < messages->count; i++) {
		const struct asyncapi_message *message = messages->items[i];
		const struct c_struct *payload = NULL;
		struct memory_list notes = {0};

		if (message->payload)
			payload = convert_payload(
				&generation, message->payload, NULL,
				c_name_of(model->arena, text_of(message->name), "event"), &notes);
		add_route(model, message, payload, &notes, &functions);
	}
	return view_work(&generation.work, 0);
}
